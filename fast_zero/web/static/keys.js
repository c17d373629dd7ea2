// Keyboard shortcuts: loaded with the first key, unless the reader has switched them off.
// Letters are never taken while somebody types, or with Ctrl, Alt or the command key.
import { focusRow, focusedRow, isSelecting, openMenu, rows, select, step } from "./list.js"
import { finder } from "./swap.js"

const GO = { t: "/app/today", i: "/app/inbox", u: "/app/upcoming", s: "/app/settings" }
const SEQUENCE = 1500

let went = 0 // when "g" was pressed

export function press(event) {
  const { key, target } = event
  if (event.isComposing || event.ctrlKey || event.metaKey) return
  const row = focusedRow()
  if (event.altKey) {
    if (row && (key === "ArrowUp" || key === "ArrowDown")) take(event, () => step(row, key === "ArrowUp"))
    return
  }
  if (target.matches("input:not(.pick), textarea, select, [contenteditable]")) return
  if (document.querySelector(":popover-open, dialog[open]")) return
  if (event.timeStamp - went < SEQUENCE && GO[key]) return take(event, () => location.assign(GO[key]))
  went = key === "g" ? event.timeStamp : 0
  const does = KEYS[key]
  if (does) take(event, () => does(row))
}

function take(event, does) {
  event.preventDefault()
  went = 0
  does()
}

const KEYS = {
  q: () => focusOr("#quick-text", "/app/today#quick-text"),
  "/": () => search(),
  "?": () => help(),
  j: row => focusRow(beside(row, 1)),
  k: row => focusRow(beside(row, -1)),
  x: row => isSelecting() ? row && select(row) : row?.querySelector(".tick").click(),
  e: row => row?.querySelector(".title").click(),
  m: row => row && openMenu(row.querySelector("[data-menu]")),
  X: row => row && select(row),
  J: row => extend(row, 1),
  K: row => extend(row, -1),
}

function beside(row, by) {
  const all = rows()
  return row ? all[all.indexOf(row) + by] ?? row : all[by > 0 ? 0 : all.length - 1]
}

function extend(row, by) {
  if (!row) return
  select(row, true)
  select(beside(row, by), true)
}

function focusOr(selector, address) {
  const input = document.querySelector(selector)
  input ? input.focus() : location.assign(address)
}

function search() {
  const input = document.getElementById("search")
  if (!input.checkVisibility()) document.getElementById("nav").showPopover()
  input.focus()
  input.select()
}

async function help() {
  const opener = finder(document.activeElement)
  const page = new DOMParser().parseFromString(await (await fetch("/app/keys")).text(), "text/html")
  const keys = page.getElementById("keys")
  if (!keys) return location.assign("/app/keys")
  const dialog = document.createElement("dialog")
  dialog.className = "help"
  dialog.tabIndex = -1
  dialog.setAttribute("aria-labelledby", "help-title")
  const title = page.querySelector("h1")
  title.id = "help-title"
  dialog.append(title, keys)
  dialog.addEventListener("click", event => event.target === dialog && dialog.close())
  dialog.addEventListener("close", () => { dialog.remove(); opener()?.focus() })
  document.body.append(dialog)
  dialog.showModal()
}
