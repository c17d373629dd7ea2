// The control of pushes to this browser, in the settings.
if ("PushManager" in window && "Notification" in window) {
  load()
  document.addEventListener("swapped", () => { // the server has rendered its place again, empty
    if (document.getElementById("push")?.hidden) load()
  })
}

async function load() {
  const response = await fetch("/app/push")
  if (!response.ok || response.redirected) return
  const page = new DOMParser().parseFromString(await response.text(), "text/html")
  const control = page.getElementById("push")
  document.getElementById("push").replaceWith(control)
  control.addEventListener("click", event => {
    const act = event.target.closest("[data-push]")?.dataset.push
    if (act) change(control, act).catch(() => say(control, "failed"))
  })
  await say(control)
}

async function change(control, act) {
  const { pushManager } = await navigator.serviceWorker.ready
  let subscription = await pushManager.getSubscription()
  if (act === "on") {
    // Asked for by a click only.
    if (await Notification.requestPermission() !== "granted") return say(control)
    const options = { userVisibleOnly: true, applicationServerKey: control.dataset.key }
    subscription = await pushManager.subscribe(options).catch(async error => {
      // Another key of the server: the old subscription ends.
      if (!subscription) throw error
      await subscription.unsubscribe()
      return pushManager.subscribe(options)
    })
    const { endpoint, keys } = subscription.toJSON()
    if (!await post("/app/push", { endpoint, ...keys })) {
      await subscription.unsubscribe()
      return say(control, "failed")
    }
  } else if (subscription) {
    await subscription.unsubscribe()
    await post("/app/push/off", { endpoint: subscription.endpoint })
  }
  await say(control)
  control.querySelector("[data-push]:not([hidden])")?.focus()
}

async function post(address, fields) {
  const { account } = document.getElementById("kept").dataset
  const body = new URLSearchParams({ account, ...fields })
  const response = await fetch(address, { method: "POST", body })
  return response.ok && !response.redirected
}

async function say(control, fault) {
  const registration = await navigator.serviceWorker.ready
  const isOn = Boolean(await registration.pushManager.getSubscription())
  const isDenied = Notification.permission === "denied"
  const state = fault ?? (isOn ? "on" : isDenied ? "denied" : "off")
  for (const each of control.querySelectorAll("[data-state]")) each.hidden = each.dataset.state !== state
  control.querySelector("[data-push=on]").hidden = isOn || isDenied
  control.querySelector("[data-push=off]").hidden = !isOn
}
