// Drags a row to another place in its list, or into another section: with the mouse at once, with
// a finger after a long press.
import { act } from "./swap.js"

const FAR = 6, LONG_PRESS = 350, EDGE = 72

let held = null // the row, where the pointer went down and is now, where the row would land

export function press(event) {
  if (held || event.button || hasModifier(event) || event.target.closest("button, input, [data-menu]")) return
  const row = event.target.closest("[data-ordered] > .todo")
  if (row.closest("[data-selecting]")) return
  held = { row, pointer: event.pointerId, x: event.clientX, y: event.clientY, scroll: scrollY, isTouch: event.pointerType !== "mouse" }
  if (held.isTouch) held.timer = setTimeout(begin, LONG_PRESS)
  for (const [name, listener, options] of LISTENERS) document.addEventListener(name, listener, options)
}

const hasModifier = event => event.shiftKey || event.ctrlKey || event.metaKey || event.altKey

function begin() {
  held.isOn = true
  held.end = document.documentElement.scrollHeight - innerHeight // the row that moves makes the page longer
  held.row.classList.add("dragged")
  navigator.vibrate?.(10)
  scrollAtEdge()
}

function move(event) {
  if (event.pointerId !== held.pointer) return
  const far = Math.hypot(event.clientX - held.x, event.clientY - held.y) > FAR
  held.now = event.clientY
  if (!held.isOn && far) {
    if (held.isTouch) return finish() // it scrolls
    begin()
  }
  if (held.isOn) follow()
}

// The row follows the pointer; a line shows where it would land.
function follow() {
  const { row, y, now, scroll } = held
  row.style.translate = `0 ${now - y + scrollY - scroll}px`
  const isIn = each => each.getBoundingClientRect().top <= now && now < each.getBoundingClientRect().bottom
  const list = row.parentElement
  if (list.childElementCount === 1 && isIn(list)) return show(null)
  const empty = [...document.querySelectorAll("#list [data-section]")].find(each => isIn(each.closest(".group")))
  if (empty) return show({ side: "into", of: empty })
  const rows = [...document.querySelectorAll("#list [data-ordered] > .todo")].filter(each => each !== row)
  const below = rows.find(each => now < middle(each))
  const above = rows.findLast(each => now >= middle(each))
  // Between two lists, the nearer one takes it.
  const isBefore = below && (!above || above.parentElement === below.parentElement
    || Math.abs(now - below.getBoundingClientRect().top) < Math.abs(now - above.getBoundingClientRect().bottom))
  show(isBefore ? { side: "before", of: below } : above ? { side: "after", of: above } : null)
}

function middle(row) {
  const { top, height } = row.getBoundingClientRect()
  return top + height / 2
}

function show(spot) {
  held.spot?.of.classList.remove("drop-before", "drop-after", "drop-into")
  spot?.of.classList.add(`drop-${spot.side}`)
  held.spot = spot
}

function scrollAtEdge() {
  if (!held?.isOn) return
  const { now = held.y } = held
  const by = now < EDGE ? now - EDGE : now > innerHeight - EDGE ? now - innerHeight + EDGE : 0
  const to = Math.min(scrollY + by / 4, held.end)
  if (by && to !== scrollY) {
    scrollTo(0, to)
    follow()
  }
  requestAnimationFrame(scrollAtEdge)
}

function release(event) {
  if (event.pointerId !== held.pointer) return
  const { row, spot, isOn } = held
  finish()
  if (isOn) document.addEventListener("click", stop, { capture: true, once: true })
  setTimeout(() => document.removeEventListener("click", stop, { capture: true }))
  if (!isOn || !spot || !row.isConnected || spot.of === (spot.side === "before" ? row.nextElementSibling : row.previousElementSibling)) return
  const parent = row.parentElement, next = row.nextElementSibling
  spot.of[spot.side === "into" ? "before" : spot.side](row)
  row.querySelector(".title").focus({ preventScroll: true })
  const name = each => each.dataset.section ?? each.id.slice(1)
  act(row, "move", `${name(row)}/${spot.side}/${name(spot.of)}`).then(isShown => {
    if (!isShown && row.isConnected) parent.insertBefore(row, next)
  })
}

function cancel(event) {
  if (event.type === "keydown" && event.key !== "Escape") return
  if (held.isOn) stop(event)
  finish()
}

function finish() {
  show(null)
  clearTimeout(held.timer)
  held.row.classList.remove("dragged")
  held.row.style.translate = ""
  held = null
  for (const [name, listener, options] of LISTENERS) document.removeEventListener(name, listener, options)
}

function stop(event) {
  event.preventDefault()
  event.stopPropagation()
}

const hold = event => held.isOn && event.preventDefault()
const LISTENERS = [
  ["pointermove", move],
  ["pointerup", release],
  ["pointercancel", cancel],
  ["keydown", cancel, true],
  ["touchmove", hold, { passive: false }],
  ["contextmenu", event => held.isTouch && event.preventDefault()],
]
