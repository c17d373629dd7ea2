// Sends forms with fetch, and swaps the parts of the page that the server has rendered again.
//
// <form data-swap>   is sent by this module. The server answers as it does without a script: it
//                    redirects to the page, which is rendered as a whole.
// <… id data-part>   is replaced, if the new page has an element of this id. The element itself
//                    stays, only its content is new: so a live region speaks.
// <form data-clear>  is emptied once it was sent, and keeps the focus.
// <… data-focus=id>  the row of this id gets the focus: it came back by "Undo".
// Every other form is sent by the browser.

const TOAST = 10_000
const BUSY_AFTER = 400
const FADE = 200

let queue = Promise.resolve()

export function start() {
  document.addEventListener("submit", submit)
  watchToast()
}

function submit(event) {
  const form = event.target, button = event.submitter
  if (event.defaultPrevented || !form.matches("form[data-swap]")) return
  event.preventDefault()
  const pressed = button ?? form
  if (pressed.ariaDisabled === "true") return
  const body = new URLSearchParams(new FormData(form, button))
  const plan = planFocus(form, button)
  pressed.ariaDisabled = "true"
  if (button?.name === "complete") button.closest(".todo")?.classList.add("leaving")
  // One after the other, so that the last page that arrives is the newest.
  queue = queue.then(() => send(form, body, plan)).finally(() => {
    pressed.removeAttribute("aria-disabled")
    button?.closest(".todo")?.classList.remove("leaving")
  })
}

async function send(form, body, plan) {
  const root = document.documentElement
  const busy = setTimeout(() => { root.dataset.busy = "" }, BUSY_AFTER)
  const faded = new Promise(done => setTimeout(done, plan.row ? FADE : 0))
  try {
    const response = await fetch(form.action, { method: "POST", body })
    const page = new DOMParser().parseFromString(await response.text(), "text/html")
    await faded
    show(response, page, form, plan)
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    report(text("offline"))
  } finally {
    clearTimeout(busy)
    delete root.dataset.busy
  }
}

function show(response, page, form, plan) {
  const failed = page.querySelector("[data-error]")
  if (response.status === 503) return report(text("away"))
  if (failed || !page.querySelector("[data-part]")) {
    if (response.ok) return location.assign(response.url) // such as the log-in
    return report(failed?.querySelector("h1")?.textContent ?? text("failed"))
  }
  if (new URL(response.url).pathname !== location.pathname) return location.assign(response.url)
  swap(page)
  if (form.matches("[data-clear]") && !page.querySelector("#faults > *")) form.reset()
  focusAfter(plan)
}

export function swap(page) {
  document.title = page.title
  const open = new Set([...document.querySelectorAll("details[open][id]")].map(each => each.id))
  for (const part of document.querySelectorAll("[data-part]")) {
    const fresh = page.getElementById(part.id)
    if (!fresh) continue
    for (const each of fresh.querySelectorAll("details[id]")) each.open ||= open.has(each.id)
    for (const { name, value } of fresh.attributes) part.setAttribute(name, value)
    if (!fresh.hasAttribute("data-focus")) part.removeAttribute("data-focus")
    if (part.innerHTML !== fresh.innerHTML) part.replaceChildren(...fresh.childNodes)
  }
  watchToast()
}

// What to focus afterwards: the same control of the next row, else of the one before.
function planFocus(form, button) {
  const row = button?.closest(".todo")
  const rows = [...form.querySelectorAll(".todo")]
  const at = rows.indexOf(row)
  const near = row ? [...rows.slice(at + 1), ...rows.slice(0, at).reverse()] : []
  return { row: row?.id, near: near.map(each => each.id), form: form.id, name: button?.name, button }
}

function focusAfter(plan) {
  const held = document.activeElement
  if (held && held !== document.body && held !== plan.button) return // it moved on meanwhile
  const back = document.querySelector("[data-focus]")?.dataset.focus
  const rows = (back ? [back] : plan.near).map(id => document.getElementById(id))
  const row = rows.find(each => each && each.checkVisibility())
  const target = row?.querySelector(`[name="${plan.name}"]`) ?? row?.querySelector(".tick")
    ?? document.querySelector("[aria-invalid=true]") ?? document.querySelector("h1")
  target?.focus()
}

// One toast, for ten seconds; the clock stops while it is pointed at or has the focus.
let clock, watched
function watchToast() {
  const toast = document.querySelector(".toasts .toast")
  if (!toast || toast === watched) return
  watched = toast
  const run = () => { clearTimeout(clock); clock = setTimeout(() => toast.remove(), TOAST) }
  const stop = () => clearTimeout(clock)
  const resume = () => { if (!toast.matches(":hover, :focus-within")) run() }
  toast.addEventListener("pointerenter", stop)
  toast.addEventListener("focusin", stop)
  toast.addEventListener("pointerleave", resume)
  toast.addEventListener("focusout", () => setTimeout(resume))
  run()
}

function text(name) {
  return document.getElementById("texts")?.dataset[name] ?? ""
}

export function report(fault) {
  const banner = document.createElement("p")
  banner.className = "banner bad"
  banner.textContent = fault
  document.getElementById("faults")?.replaceChildren(banner)
}
