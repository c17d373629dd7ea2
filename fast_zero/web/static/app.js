// The page works without scripts. This module makes it quicker and fills in what a browser knows.
import { start } from "./swap.js"
import * as list from "./list.js"
import { start as startQuickAdd } from "./quick.js"

list.start() // before `swap`, which leaves alone what is prevented
start()
startQuickAdd()

// What only an open todo needs.
function prepare() {
  if (document.querySelector("#detail:not([hidden])")) import("./panel.js")
}
prepare()
document.addEventListener("swapped", prepare)

// Shortcuts are loaded with the first key. The page says whether the reader wants them.
if ("keys" in document.documentElement.dataset) {
  let keys
  addEventListener("keydown", async event => {
    if (!keys && event.target.matches("input, textarea, select")) return
    if (!keys && event.key === "/") event.preventDefault() // Firefox searches
    keys ??= await import("./keys.js").catch(() => null) // without a connection
    keys?.press(event)
  })
}

// Labels are suggested once one is being written.
document.addEventListener("input", async ({ target }) => {
  const { labels } = target.dataset
  if (!labels || labels === "sentence" && !target.value.includes("@")) return
  const module = await import("./labels.js").catch(() => null) // without a connection
  module?.suggest(target)
})

// Over HTTPS and on localhost, a service worker shows the lists also without a connection. What
// belongs to it is loaded once it is there.
const workers = navigator.serviceWorker
if (workers && document.getElementById("offline")) {
  const controlled = () => import("./offline.js").catch(() => {}) // the next page tries again
  if (workers.controller) controlled()
  else workers.addEventListener("controllerchange", controlled, { once: true })
  addEventListener("load", () => {
    workers.register("/app/service-worker.js").catch(() => {}) // the browser may not allow it
  })
  if (document.getElementById("push")) import("./push.js")
}

// After a log-out, "back" must not show a page from memory.
addEventListener("pageshow", event => {
  if (event.persisted) location.reload()
})

// The time zone of a new account.
for (const form of document.querySelectorAll("form[data-zone]")) {
  form.elements.time_zone.value ||= Intl.DateTimeFormat().resolvedOptions().timeZone ?? ""
}

// How many characters of a post are left.
const count = field => {
  const left = document.getElementById(field.dataset?.left)
  if (left) left.textContent = field.maxLength - field.value.length
}
addEventListener("input", event => count(event.target))
addEventListener("reset", event => setTimeout(() => [...event.target.elements].forEach(count)))

// A link in an email has its secret after the "#", where no server and no log sees it: a token
// alone, or named values. It moves into the form, and out of the address.
const fragment = location.hash.slice(1)
const named = fragment.includes("=") ? new URLSearchParams(fragment) : null
for (const input of document.querySelectorAll("[data-fragment]")) {
  const value = input.dataset.fragment ? named?.get(input.dataset.fragment) : !named && fragment
  if (!value) continue
  input.value = value
  input.closest(".field")?.setAttribute("hidden", "")
  const email = input.form.elements.email
  if (email && named?.get("email")) email.value = named.get("email")
  history.replaceState(null, "", location.pathname + location.search)
}

if (document.querySelector("[data-copy]")) import("./copy.js")
// A secret that is shown once: ready to be copied.
document.querySelector("input[readonly][autofocus]")?.select()

// A page about a database that is away is opened again once there is another answer.
const away = document.querySelector("[data-again]")
if (away) setInterval(async () => {
  const response = document.hidden ? null : await fetch(location.href).catch(() => null)
  if (response && response.status !== 503) location.reload()
}, away.dataset.again * 1000)

// A page that waits for a job. After an "Undo" it may begin to wait.
const poll = () => document.querySelector("[data-poll]") && import("./poll.js").then(({ start }) => start())
poll()
document.addEventListener("swapped", poll)
