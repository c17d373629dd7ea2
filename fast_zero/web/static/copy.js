// Copies what is shown only once, and prints it. Without this module, the buttons stay hidden.
for (const button of document.querySelectorAll("[data-copy]")) {
  button.hidden = false
  button.addEventListener("click", async () => {
    const source = document.getElementById(button.dataset.copy)
    try {
      await navigator.clipboard.writeText(source.innerText.trim())
      document.getElementById("copied").textContent = button.dataset.copied
    } catch { // not over plain HTTP, or not allowed: select it instead
      getSelection().selectAllChildren(source)
    }
  })
}
for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false
  button.addEventListener("click", () => print())
}
