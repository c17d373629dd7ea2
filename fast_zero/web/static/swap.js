// Sends forms and follows links with fetch, and swaps the parts of the page that the server has
// rendered again.
//
// <form data-swap>   is sent by this module. The server answers as it does without a script: it
//                    redirects to the page, which is rendered as a whole.
// <a data-visit>     is followed by this module, if only its query differs: the list stays where
//                    it is, and a todo opens beside it.
// <… id data-part>   is replaced, if the new page has an element of this id. The element itself
//                    stays, only its attributes and its content are new: so a live region speaks.
//                    What somebody is in the middle of there stays, and so does what was written
//                    into a field with an id and is not what was sent.
// <form data-clear>  is emptied once it was sent, and its line gets the focus.
// <form data-row=id> is about the row of this id: it is the menu of rows. A row is a <li id>.
// <… data-focus=id>  the row of this id gets the focus: it came back by "Undo", or was moved.
// <… data-first>     is what the server wants to be read first, such as two versions of a todo.
// Every other form and link is left to the browser. After a swap, `document` gets a "swapped" with
// the form that was sent, and before a todo is left a "leaving", which can be cancelled. A form that
// is refused is answered with the parts that show it again: the address stays.

const TOAST = 10_000
const BUSY_AFTER = 400
const FADE = 200

let queue = Promise.resolve()
let shown = location.search
let sent = "" // the last line

export function start() {
  document.addEventListener("submit", submit)
  document.addEventListener("click", follow)
  addEventListener("popstate", () => {
    if (location.search === shown) return
    if (mayLeave(location.href)) visit(location.href, { push: false, ask: false })
    else history.pushState(null, "", location.pathname + shown)
  })
  watchToast()
}

function submit(event) {
  const form = event.target, button = event.submitter
  if (event.defaultPrevented || !form.matches("form[data-swap]")) return
  event.preventDefault()
  const pressed = button ?? form, line = lineOf(form)
  if (pressed.ariaDisabled === "true") {
    // What was written since is sent afterwards, with the key that the answer brings.
    if (line && line.value !== sent) queue.then(() => line.value && form.requestSubmit(button))
    return
  }
  if (line) sent = line.value
  const row = button?.closest("li[id]") ?? document.getElementById(form.dataset.row ?? "")
  const body = new URLSearchParams(new FormData(form, button))
  const plan = planFocus(form, button, row)
  pressed.ariaDisabled = "true"
  if (plan.fades) row.classList.add("leaving")
  send(form, body, plan).finally(() => {
    pressed.removeAttribute("aria-disabled")
    row?.classList.remove("leaving")
  })
}

// Sends a form, one after the other, so that the last page that arrives is the newest.
// Returns whether the page is shown.
function send(form, body, plan) {
  const focus = () => {
    const isUnchanged = plan.line && plan.line.value === body.get(plan.line.name)
    if (isUnchanged && !document.querySelector("#faults > *")) {
      form.reset()
      plan.line.value = "" // without scripts, a line that was refused is its default
    }
    focusAfter(plan)
  }
  const wait = plan.fades ? FADE : 0
  const options = { method: "POST", body }
  const done = queue.then(() => load(form.action, options, { push: true, focus, wait, sent: { form, body } }))
  queue = done
  return done
}

// Does to a row what a button of this name would do.
export function act(row, name, value) {
  const form = row.closest("form")
  const { next, account } = form.elements
  const body = new URLSearchParams({ next: next.value, account: account.value, [name]: value })
  return send(form, body, planFocus(form, { name }, row))
}

function follow(event) {
  const link = event.target.closest("a[data-visit]")
  if (!link || event.defaultPrevented || event.button || link.pathname !== location.pathname) return
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return
  event.preventDefault()
  visit(link.href)
}

// Shows a page of this path. What it opens gets the focus; what it closes gives it to the row.
export function visit(address, { push = true, ask = true } = {}) {
  if (ask && !mayLeave(address)) return queue
  const id = new URL(address).hash.slice(1)
  const focus = () => {
    const detail = document.querySelector("#detail:not([hidden])")
    if (detail?.getBoundingClientRect().top < 0) scrollTo(0, 0) // it has taken the place of the list
    const row = detail ? null : document.getElementById(id)
    ;(detail ?? row?.querySelector(".title") ?? document.querySelector("#head [tabindex]"))?.focus()
  }
  queue = queue.then(() => load(address, {}, { push, focus }))
  return queue
}

function mayLeave(address) {
  if (openTodo(new URL(address).search) === openTodo(shown)) return true
  return document.dispatchEvent(new Event("leaving", { cancelable: true }))
}

async function load(address, options, { push, focus, wait = 0, sent }) {
  const root = document.documentElement
  const busy = setTimeout(() => { root.dataset.busy = "" }, BUSY_AFTER)
  const faded = new Promise(done => setTimeout(done, wait))
  try {
    const response = await fetch(address, options)
    const page = new DOMParser().parseFromString(await response.text(), "text/html")
    await faded
    if (!show(response, page, push, sent)) return false
    focus()
    return true
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    report(text("offline"))
  } finally {
    clearTimeout(busy)
    delete root.dataset.busy
  }
}

function show(response, page, push, sent) {
  const failed = page.querySelector("[data-error]")
  if (response.status === 503) return report(text("away"))
  if (failed || !page.querySelector("[data-part]")) {
    if (response.ok) return location.assign(response.url) // such as the log-in
    return report(failed?.querySelector("h1")?.textContent ?? text("failed"))
  }
  const url = new URL(response.url)
  const isElsewhere = url.pathname !== location.pathname || accountOf(page) !== accountOf(document)
  if (response.ok && isElsewhere) return location.assign(response.url)
  let stays = true
  if (response.ok) {
    if (push && url.search !== location.search) history.pushState(null, "", response.url)
    stays = openTodo(url.search) === openTodo(shown)
    shown = url.search
  }
  const isSent = part => part.contains(sent?.form ?? null) || sent?.form.contains(part)
  swap(page, part => isSelecting(part)
    || isBusy(part) && (stays || part.id !== "detail") && !isSent(part), sent)
  if (!stays) document.getElementById("detail").scrollTop = 0
  return true
}

const openTodo = search => new URLSearchParams(search).get("todo")

// The bar stays while rows are selected, until `list.js` ends that.
const isSelecting = part => part.matches("[data-selecting] ~ .many")

// Whether somebody is in the middle of something there: has written, selects, or looks at a menu.
function isBusy(part) {
  if (isSelecting(part) || part.matches("[popover]:not(.side):popover-open")) return true
  return Boolean(part.querySelector(UNSAVED)) || fieldsOf(part).some(isChanged)
}

const UNSAVED = "[data-unsaved]" // a form that was refused: what was sent is rendered in it
const fieldsOf = part => [...part.querySelectorAll("input:not(.pick, [type=hidden]), textarea, select")]
const isChoice = field => field.matches("[type=checkbox], [type=radio]")

// Whether the value of a field is another one than the server has rendered.
export function isChanged(field) {
  if (isChoice(field)) return field.checked !== field.defaultChecked
  if (!field.options) return field.value !== field.defaultValue
  const chosen = [...field.options].filter(option => option.defaultSelected)
  return chosen.length ? chosen.some(option => !option.selected) : field.selectedIndex > 0
}

// Fetches this page again. What somebody is in the middle of stays, and so does the focus.
// Returns whether the answer was this page; undefined without a connection.
export function refresh() {
  queue = queue.then(async () => {
    if (document.querySelector(".dragged")) return
    const response = await fetch(location.href)
    const page = new DOMParser().parseFromString(await response.text(), "text/html")
    if (!response.ok || response.redirected || !page.querySelector("[data-part]")) return false
    if (accountOf(page) !== accountOf(document)) {
      report(text("other"))
      return false
    }
    const held = document.activeElement, again = finder(held)
    swap(page, part => isBusy(part) || part.matches("#toasts, #faults"))
    if (!held.isConnected) (again() || document.querySelector("#head [tabindex]"))?.focus({ preventScroll: true })
    return true
  }).catch(error => { if (!(error instanceof TypeError)) throw error })
  return queue
}

const CONTROLS = [".tick", ".title", "[data-menu]", ".pick"]

// Returns what finds an element again after its part was replaced.
export function finder(element) {
  const id = element?.id, row = element?.closest("li[id]")?.id
  const control = CONTROLS.find(each => element?.matches(each)), href = element?.getAttribute("href")
  return () => (id && document.getElementById(id))
    || (row && control && document.getElementById(row)?.querySelector(control))
    || (href && document.querySelector(`a[href="${CSS.escape(href)}"]`))
    || (row && document.querySelector("#head [tabindex]"))
}

export function swap(page, isKept = () => false, sent = null) {
  const isRefused = page.querySelector("#faults > *")
  document.title = page.title
  const open = new Set([...document.querySelectorAll("details[open][id]")].map(each => each.id))
  for (const part of [...document.querySelectorAll("[data-part]")].filter(each => !isKept(each))) {
    const fresh = page.getElementById(part.id)
    if (!fresh) continue
    for (const each of fresh.querySelectorAll("details[id]")) each.open ||= open.has(each.id)
    for (const name of part.getAttributeNames()) {
      if (!fresh.hasAttribute(name)) part.removeAttribute(name)
    }
    for (const { name, value } of fresh.attributes) {
      if (part.getAttribute(name) !== value) part.setAttribute(name, value)
    }
    const written = fieldsOf(part).filter(each => each.id && (isChanged(each) || each.form?.matches(UNSAVED)))
    const kept = written.filter(each => isRefused || !isAsSent(each, sent)).map(keep)
    if (part.innerHTML === fresh.innerHTML && kept.length === written.length) continue
    part.replaceChildren(...fresh.childNodes)
    for (const putBack of kept) putBack()
  }
  watchToast()
  document.dispatchEvent(new CustomEvent("swapped", { detail: sent?.form }))
}

function isAsSent(field, sent) {
  if (!sent || field.form !== sent.form) return false
  const values = sent.body.getAll(field.name)
  return isChoice(field) ? values.includes(field.value) === field.checked : values.includes(field.value)
}

// Returns what puts the value of a field, and its focus, into the same field of the same form.
function keep(field) {
  const action = field.form?.action, isHeld = field === document.activeElement
  return () => {
    const fresh = document.getElementById(field.id)
    if (!fresh || fresh.form?.action !== action) return
    if (isChoice(field)) fresh.checked = field.checked
    else fresh.value = field.value
    if (isHeld) fresh.focus()
  }
}

function lineOf(form) {
  return form.matches("[data-clear]") ? form.querySelector("input:not([type=hidden]), textarea") : null
}

// What to focus afterwards: the same control of the same row or, if the row leaves the list, of the
// next one, else of the one before; without a row, the same control, or its block.
const LEAVING = ["complete", "reopen", "delete"]

function planFocus(form, button, row) {
  const isMany = form.id === "many"
  const list = isMany ? document.getElementById("list")
    : row && !form.contains(row) ? row.closest("form") ?? row.parentElement : form
  const rows = [...list.querySelectorAll("li[id]")]
  const acted = isMany ? rows.filter(each => each.querySelector(".pick:checked")) : row ? [row] : []
  const at = rows.indexOf(acted[0])
  const near = acted.length ? [...rows.slice(at + 1), ...rows.slice(0, at).reverse()] : []
  const rest = near.filter(each => !acted.includes(each))
  const isLeaving = LEAVING.includes(button?.name)
  const held = document.activeElement, beside = (row ?? form).closest("#detail")
  return {
    near: [...isLeaving ? [] : acted, ...rest].map(each => each.id),
    control: row?.contains(held) && CONTROLS.find(each => held.matches(each))
      || (isMany ? ".title" : form.id === "menu" ? "[data-menu]" : `[name="${button?.name}"]`),
    fades: Boolean(row) && !beside && button?.name === "complete",
    line: lineOf(form),
    held: held?.id,
    form: form.id,
    block: (row ?? form).closest("[data-part] :is(section, details)[id]")?.id,
    beside: Boolean(beside),
    button,
  }
}

function focusAfter(plan) {
  const held = document.activeElement
  const isFree = !held || held === document.body || held === plan.button || !held.checkVisibility()
  if (!isFree) return // it moved on meanwhile
  const byId = id => id ? document.getElementById(id) : null
  if (byId(plan.line?.id)) return byId(plan.line.id).focus()
  const back = document.querySelector("[data-focus]")?.dataset.focus
  const near = [...back ? [back] : [], ...plan.near].map(byId).filter(each => each?.checkVisibility())
  const row = near.find(each => each.querySelector(plan.control))
  const targets = [
    document.querySelector("[data-first]"),
    row?.querySelector(plan.control),
    near[0]?.querySelector(".tick, a"),
    document.querySelector("[aria-invalid=true]"),
    byId(plan.button?.id),
    byId(plan.form)?.querySelector(plan.control),
    byId(plan.held),
    byId(plan.block)?.querySelector("summary, [tabindex]"),
    plan.beside ? document.querySelector("#detail") : null,
    document.querySelector("#head [tabindex]"),
  ]
  targets.find(each => each?.checkVisibility())?.focus()
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

// Whose page it is: somebody else may have logged in since, in another tab.
export const accountOf = page => page.getElementById("kept")?.dataset.account

function text(name) {
  return document.getElementById("texts")?.dataset[name] ?? ""
}

export function report(fault) {
  const banner = document.createElement("p")
  banner.className = "banner bad"
  banner.textContent = fault
  document.getElementById("faults")?.replaceChildren(banner)
}
