// Asks for this page again every two seconds, for as long as it has a [data-poll].
import { refresh } from "./swap.js"

let clock

export function start() {
  clearTimeout(clock)
  clock = setTimeout(again, 2000)
}

async function again() {
  if (!document.querySelector("[data-poll]")) return
  if (!document.hidden && await refresh() === false) return location.reload() // it says why
  if (document.querySelector("[data-poll]")) return start()
  tell(document.getElementById("state").textContent)
}

// Says how it ended, in the region of the results.
function tell(text) {
  const said = document.createElement("p")
  said.className = "sr"
  said.textContent = text
  document.getElementById("toasts").append(said)
}
