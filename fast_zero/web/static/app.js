// The page works without scripts. This module makes it quicker and fills in what a browser knows.
import { start } from "./swap.js"

start()

// After a log-out, "back" must not show a page from memory.
addEventListener("pageshow", event => {
  if (event.persisted) location.reload()
})

// The time zone of a new account.
for (const form of document.querySelectorAll("form[data-zone]")) {
  form.elements.time_zone.value ||= Intl.DateTimeFormat().resolvedOptions().timeZone ?? ""
}

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
