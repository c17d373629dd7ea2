// Asks for this page again every two seconds, for as long as it has a [data-poll].
import { swap } from "./swap.js"

let clock

export function start() {
  clearTimeout(clock)
  clock = setTimeout(again, 2000)
}

async function again() {
  if (!document.querySelector("[data-poll]")) return
  if (!document.hidden) await load().catch(() => {}) // the next time may work
  start()
}

async function load() {
  const response = await fetch(location.href)
  if (!response.ok || response.redirected) return location.reload()
  const page = new DOMParser().parseFromString(await response.text(), "text/html")
  const held = document.activeElement
  page.getElementById("toasts")?.remove() // what it says stays its time
  swap(page)
  if (!held.isConnected) document.querySelector("#head [tabindex]")?.focus()
  if (!document.querySelector("[data-poll]")) tell(document.getElementById("state").textContent)
}

// Says how it ended, in the region of the results.
function tell(text) {
  const said = document.createElement("p")
  said.className = "sr"
  said.textContent = text
  document.getElementById("toasts").append(said)
}
