// A todo beside its list: what was typed is never lost without a question, and Esc closes it.
import { isChanged, visit } from "./swap.js"

let shown // the todo, as its version says that it was

const form = () => document.querySelector("#detail:not([hidden]) #todo")
const fields = of => [...of.elements].filter(each => each.name && !each.matches("button, [type=hidden]"))

function isUnsaved() {
  const now = form()
  return Boolean(now) && ("unsaved" in now.dataset || fields(now).some(isChanged))
}

function read() {
  const now = form()
  return now && { id: now.dataset.todo, version: now.elements.version.value, text: fields(now).map(rendered).join("\0") }
}

function rendered(field) {
  if (field.options) return [...field.options].find(option => option.defaultSelected)?.value
  return field.type === "radio" ? field.defaultChecked : field.defaultValue
}

// Other forms swap the panel as well. What was typed stays then, and if somebody else has changed
// the todo meanwhile, so does its version: "Save" shows both.
function swapped(event) {
  const before = shown
  shown = read()
  if (!before || before.id !== shown?.id || event.detail?.id === "todo") return
  if (!isUnsaved() || before.text === shown.text) return
  form().elements.version.value = before.version
  shown = before
}

document.addEventListener("swapped", swapped)
shown = read()

document.addEventListener("leaving", event => {
  if (isUnsaved() && !confirm(form().dataset.leave)) event.preventDefault()
})

addEventListener("beforeunload", event => {
  if (isUnsaved()) event.preventDefault()
})

document.addEventListener("keydown", event => {
  const close = document.querySelector("#detail:not([hidden]) #close")
  if (event.key !== "Escape" || event.defaultPrevented || event.isComposing || !close) return
  if (document.querySelector(":popover-open, dialog[open]")) return
  event.preventDefault()
  if (close.pathname === location.pathname) visit(close.href)
  else location.assign(close.href)
})
