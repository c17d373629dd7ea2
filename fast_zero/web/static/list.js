// Lists: the menu of rows, rows that are selected, and what has changed elsewhere meanwhile.
import { accountOf, act, finder, refresh, visit } from "./swap.js"

const inRow = (row, control) => row?.querySelector(control)
const menu = () => document.getElementById("menu")
const list = () => document.getElementById("list")
const many = () => document.getElementById("many")

export function start() {
  document.addEventListener("pointerdown", press)
  document.addEventListener("click", click)
  document.addEventListener("submit", submitted)
  document.addEventListener("change", event => event.target.matches(".pick") && picked(event.target))
  document.addEventListener("keydown", keydown)
  document.addEventListener("toggle", toggled, true)
  document.addEventListener("swapped", swapped)
  document.addEventListener("touchmove", event => {
    if (document.querySelector(".dragged")) event.preventDefault() // it drags, and does not scroll
  }, { passive: false })
  document.addEventListener("dragstart", event => {
    // The browser would drag the link of a row, and drag.js may still be loading.
    if (event.target.closest?.("[data-ordered] > .todo")) event.preventDefault()
  })
  for (const name of ["pointerup", "pointercancel"]) document.addEventListener(name, () => { down = null })
  if (list()?.hasAttribute("data-selecting")) begin()
  if (document.getElementById("nav")) watch()
}

export const rows = () => [...document.querySelectorAll("#list .todo")].filter(row => row.checkVisibility())
export const focusedRow = () => document.activeElement?.closest(".todo[id]")

export function focusRow(row) {
  inRow(row, isSelecting() ? ".pick" : ".title")?.focus()
}

function click(event) {
  const at = selector => event.target.closest(selector)
  if (event.defaultPrevented || event.button || event.ctrlKey || event.metaKey) return // a new tab
  if (at("#menu [data-edit]")) menu().hidePopover()
  const link = at("#list [data-menu]"), title = at("#list .title")
  const handled = link && !hasModifier(event) ? openMenu(link)
    : at("#menu [data-select]") ? selectFromMenu()
    : at("[data-select-all]") ? begin()
    : at("#many [data-end]") ? end()
    : title && (isSelecting() || event.shiftKey) ? clickRow(title, event)
    : false
  if (handled !== false) event.preventDefault()
}

const hasModifier = event => event.shiftKey || event.ctrlKey || event.metaKey || event.altKey

// ---- The menu. It is a form like the list's, and its buttons get the value of the row's tick.

let opener = null
let findOpener = () => null
let wasOpen = false
let down = null

function press(event) {
  down = event
  wasOpen = Boolean(opener && event.target.closest("[data-menu]") === opener && menu()?.matches(":popover-open"))
  if (event.target.closest("[data-ordered] > .todo")) {
    import("./drag.js").then(({ press }) => down === event && press(event))
  }
}

export function openMenu(link) {
  const panel = menu(), row = link.closest(".todo")
  if (!panel || wasOpen) return wasOpen ? (wasOpen = false, true) : false
  const isDone = row.matches(".done-row"), isOrdered = Boolean(row.closest("[data-ordered]"))
  for (const button of panel.querySelectorAll("button[name]")) {
    button.value = inRow(row, ".tick").value
    button.hidden = button.name === (isDone ? "complete" : "reopen") || button.matches("[data-step]") && !isOrdered
  }
  panel.dataset.row = row.id
  panel.elements.next.value = list().elements.next.value
  panel.querySelector("[data-edit]").href = link.href
  panel.ariaLabel = link.ariaLabel
  for (const ask of panel.querySelectorAll("details")) ask.open = false
  opener = link
  findOpener = finder(link)
  panel.showPopover()
  place(panel, link)
  items(panel)[0].focus()
  return true
}

function place(panel, link) {
  const { top, bottom, right } = link.getBoundingClientRect(), { offsetHeight: height, offsetWidth: width } = panel
  if (getComputedStyle(panel).getPropertyValue("--sheet").trim()) return panel.removeAttribute("style")
  const fits = bottom + height + 8 < innerHeight
  panel.style.left = `${Math.max(8, right - width)}px`
  panel.style.top = `${Math.max(8, fits ? bottom : Math.min(top - height, innerHeight - height - 8))}px`
}

const items = panel => [...panel.querySelectorAll("button, summary, a, select, input")]
  .filter(each => each.checkVisibility() && !each.disabled)

function toggled(event) {
  if (event.target.matches?.("#menu details") && event.target.open && opener?.isConnected) place(menu(), opener)
  if (event.target.id !== "menu") return
  const isOpen = event.newState === "open"
  opener?.setAttribute("aria-expanded", isOpen)
  const held = document.activeElement
  if (!isOpen && (!held || held === document.body || menu().contains(held))) findOpener()?.focus()
}

function submitted(event) {
  if (event.target.id === "menu") setTimeout(() => menu().hidePopover())
}

function moveInMenu(event) {
  const all = items(menu()), at = all.indexOf(document.activeElement)
  const to = { ArrowDown: at + 1, ArrowUp: at - 1 + all.length, Home: 0, End: all.length - 1 }[event.key]
  if (to === undefined || event.target.matches("select, input")) return
  event.preventDefault()
  all[to % all.length].focus()
}

// ---- Selected rows. Their checkboxes are there without a script, too.

let anchor = ""
let chosen = new Set()
let selecting = false

export const isSelecting = () => selecting

function begin() {
  if (!list() || !many()) return false
  selecting = true
  list().dataset.selecting = ""
  count()
  inRow(focusedRow() ?? rows()[0], ".pick")?.focus()
}

export function end({ isSent = false } = {}) {
  if (!selecting) return false
  const row = focusedRow() ?? document.getElementById(anchor) ?? rows()[0]
  many().reset()
  for (const ask of many().querySelectorAll("details")) ask.open = false
  selecting = false
  delete list().dataset.selecting
  if (new URLSearchParams(location.search).has("select")) visit(`${many().querySelector("[data-end]").href}#${row?.id ?? ""}`)
  if (!isSent) focusRow(row)
}

export function select(row, on = !inRow(row, ".pick").checked) {
  if (!selecting) begin()
  const pick = inRow(row, ".pick")
  pick.checked = on
  pick.focus()
  picked(pick)
}

function picked(pick) {
  anchor = pick.closest(".todo").id
  count()
}

function count() {
  const picks = [...document.querySelectorAll(".pick:checked")]
  chosen = new Set(picks.map(pick => pick.closest(".todo").id))
  const text = many().querySelector(".many-count"), { one, many: several } = text.dataset
  text.textContent = chosen.size === 1 ? one : several.replace("{}", chosen.size)
}

function selectFromMenu() {
  const row = document.getElementById(menu().dataset.row)
  menu().hidePopover()
  select(row, true)
}

function clickRow(title, event) {
  const row = title.closest(".todo"), all = rows()
  const from = all.findIndex(each => each.id === anchor), to = all.indexOf(row)
  getSelection().removeAllRanges()
  if (!event.shiftKey || from < 0 || !selecting) return select(row)
  for (const each of all.slice(Math.min(from, to), Math.max(from, to) + 1)) select(each, true)
  inRow(row, ".pick").focus()
}

// A swap has brought new rows: those that were selected still are, unless that was what was sent.
function swapped(event) {
  if (!selecting) return
  const isDone = event.detail?.id === "many" && !document.querySelector("#faults > *")
  if (isDone || !list()) return end({ isSent: true })
  list().dataset.selecting = ""
  for (const id of chosen) {
    const pick = inRow(document.getElementById(id), ".pick")
    if (pick) pick.checked = true
  }
  count()
}

// ---- Keys that work without the shortcuts: those of what is open.

function keydown(event) {
  const { key, target } = event
  const ask = target.closest("details.ask")
  if (key === "Enter" && target.matches(".ask input")) {
    event.preventDefault()
    ask.querySelector("button").click()
  }
  if (menu()?.matches(":popover-open")) return moveInMenu(event)
  if (key !== "Escape" || event.defaultPrevented || document.querySelector(":popover-open, dialog[open]")) return
  if (ask?.open) {
    ask.open = false
    ask.querySelector("summary").focus()
    event.preventDefault()
  } else if (end() !== false) {
    event.preventDefault() // and a todo stays open
  }
}

// Moves a row by one in its list. The server says where it is then.
export function step(row, isUp) {
  if (row?.closest("[data-ordered]")) act(row, isUp ? "move_up" : "move_down", inRow(row, ".tick").value)
}

// ---- On return to the page: what has changed elsewhere. The page asks for its
// first cursor when all that it shows is loaded.

let cursor = ""
let day = today()
let isAsking = false

function watch() {
  setTimeout(() => once(ask), 2000)
  addEventListener("focus", () => once(back))
  document.addEventListener("visibilitychange", () => once(back))
}

function today() {
  return new Date().toDateString()
}

async function once(task) {
  if (document.visibilityState !== "visible" || isAsking) return
  isAsking = true
  try {
    await task()
  } catch (error) {
    if (!(error instanceof TypeError)) throw error // no connection: asked again next time
  } finally {
    isAsking = false
  }
}

// Returns whether something has changed behind the cursor, or whether there was none; also if
// somebody else has logged in.
async function ask() {
  const response = await fetch(`/app/changes?since=${cursor}&account=${accountOf(document)}`)
  const isNew = response.headers.get("content-type")?.includes("json")
  if (isNew) cursor = (await response.json()).cursor
  return isNew
}

async function back() {
  if (await ask() || day !== today()) await refresh()
  day = today()
}
