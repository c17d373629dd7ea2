// The line at the top: shows below it what the server understands, while it is written.
const PAUSE = 250
const SPOKEN_AFTER = 1000

let waiting, asked, speaking

export function start() {
  document.addEventListener("input", event => {
    if (event.target.id !== "quick-text") return
    clearTimeout(waiting)
    waiting = setTimeout(ask, PAUSE, event.target)
  })
  document.addEventListener("reset", event => {
    if (event.target.id === "quick") clear()
  })
}

// The answer before stays until the next one is there. One that was asked for earlier never comes.
async function ask(line) {
  const text = line.value
  if (!text.trim()) return clear()
  asked?.abort()
  asked = new AbortController()
  try {
    const address = `/app/quick-add?text=${encodeURIComponent(text)}`
    const response = await fetch(address, { signal: asked.signal })
    if (!response.ok || response.redirected) return
    const page = new DOMParser().parseFromString(await response.text(), "text/html")
    show([...page.body.childNodes])
  } catch (error) {
    if (error.name !== "AbortError" && !(error instanceof TypeError)) throw error
  }
}

function clear() {
  clearTimeout(waiting)
  asked?.abort()
  show([])
}

function show(nodes) {
  clearTimeout(speaking)
  const shown = document.getElementById("understood")
  const spoken = document.getElementById("understood-said")
  shown.replaceChildren(...nodes)
  shown.hidden = !nodes.length
  speaking = setTimeout(() => { spoken.textContent = shown.textContent }, SPOKEN_AFTER)
}
