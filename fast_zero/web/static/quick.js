// Shows what the server understands of a line while it is written: of the one at the top of a list,
// and of the repetition of a todo.
//
// <input data-preview=id data-from=address data-with="names of other fields of its form">
//                    The element of this id gets what the address answers, and after a pause the one
//                    of `id-said`, which is spoken.
const PAUSE = 250
const SPOKEN_AFTER = 1000

let waiting, asked, speaking

export function start() {
  document.addEventListener("input", ({ target }) => {
    const line = target.matches("[data-preview]") ? target
      : target.form?.querySelector(`[data-preview][data-with~="${target.name}"]`)
    if (!line) return
    clearTimeout(waiting)
    waiting = setTimeout(ask, PAUSE, line)
  })
  document.addEventListener("reset", event => {
    if (event.target.id === "quick") clear(document.getElementById("quick-text"))
  })
}

// The answer before stays until the next one is there. One that was asked for earlier never comes.
async function ask(line) {
  const { from, with: names = "" } = line.dataset
  if (!line.value.trim()) return clear(line)
  asked?.abort()
  asked = new AbortController()
  const query = new URLSearchParams({ text: line.value })
  for (const name of names.split(" ").filter(Boolean)) query.set(name, line.form.elements[name].value)
  try {
    const response = await fetch(`${from}?${query}`, { signal: asked.signal })
    if (!response.ok || response.redirected) return
    const page = new DOMParser().parseFromString(await response.text(), "text/html")
    show(line, [...page.body.childNodes])
  } catch (error) {
    if (error.name !== "AbortError" && !(error instanceof TypeError)) throw error
  }
}

function clear(line) {
  clearTimeout(waiting)
  asked?.abort()
  show(line, [])
}

function show(line, nodes) {
  if (!line.isConnected) return // a swap has brought another one
  clearTimeout(speaking)
  const shown = document.getElementById(line.dataset.preview)
  const spoken = document.getElementById(`${shown.id}-said`)
  shown.replaceChildren(...nodes)
  shown.hidden = !nodes.length
  speaking = setTimeout(() => { spoken.textContent = shown.textContent }, SPOKEN_AFTER)
}
