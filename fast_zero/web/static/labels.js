// Suggests the labels of the account below a field, for what is being written where the cursor is.
// <input data-labels=one>       is a label: the field of a menu.
// <input data-labels=several>   has labels with commas between them.
// <input data-labels=sentence>  is the line at the top: a label begins with "@".
// The first .suggested of its form or block shows them.
const BEGUN = {
  one: /^\s*@?(.+)$/,
  several: /(?:^|[,\n])\s*([^,"\n]+)$/,
  sentence: /(?:^|[\s([])@([^\s@"]*)$/,
}
const MOST = 6
// What quick add reads as a label without quotes; "@9am" is a time.
const PLAIN = /^[\p{L}\p{N}_]+(?:[-./&+'][\p{L}\p{N}_]+)*$/u
const TIME = /^\d{1,2}(?:am|pm|h|h\d\d)?$/i
const WRITTEN = {
  one: name => name,
  several: name => /[",\r\n]/.test(name) ? `"${name.replaceAll('"', '""')}"` : name,
  sentence: name => PLAIN.test(name) && !TIME.test(name) ? `${name} ` : `"${name}" `,
}

let names // of this page; a form may create others

document.addEventListener("swapped", () => { names = null })
document.addEventListener("reset", event => {
  for (const field of event.target.querySelectorAll("[data-labels]")) show(field, [])
})

export async function suggest(field) {
  const kind = field.dataset.labels, caret = field.selectionStart
  const part = BEGUN[kind].exec(field.value.slice(0, caret))?.[1]
  if (part === undefined) return show(field, [])
  const value = field.value, known = await (names ??= load())
  if (!field.isConnected || field.value !== value) return
  const there = new Set(value.split(",").map(each => folded(each.trim())))
  const begun = folded(part), found = known.filter(name => folded(name).includes(begun))
    .sort((one, other) => folded(other).startsWith(begun) - folded(one).startsWith(begun))
    .filter(name => kind !== "sentence" || !name.includes('"'))
    .filter(name => kind !== "several" || !there.has(folded(name)))
  const isDone = found.length === 1 && folded(found[0]) === begun
  show(field, isDone ? [] : found.slice(0, MOST).map(name => buttonOf(name, () => {
    field.setRangeText(WRITTEN[kind](name), caret - part.length, caret, "end")
    field.focus()
    field.dispatchEvent(new InputEvent("input", { bubbles: true }))
    show(field, [])
  })))
}

async function load() {
  try {
    const response = await fetch("/app/labels/names")
    if (response.headers.get("content-type")?.includes("json")) {
      return (await response.json()).names.sort((one, other) => one.localeCompare(other))
    }
  } catch (error) {
    if (!(error instanceof TypeError)) throw error // no connection
  }
  return []
}

function folded(text) {
  return text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase()
}

function buttonOf(name, choose) {
  const button = document.createElement("button")
  button.type = "button"
  button.className = "chip"
  button.textContent = `@${name}`
  button.addEventListener("click", choose)
  return button
}

function show(field, buttons) {
  const shown = field.closest(".field, .ask-body, form").querySelector(".suggested")
  shown.replaceChildren(...buttons)
  shown.hidden = !buttons.length
}
