// Says that a list is a copy, which tasks wait and why, and which were refused. The service
// worker keeps all of them: see worker/service-worker.js.
import { refresh } from "./swap.js"

const TRY_AGAIN = 20_000
const WHY = { 409: "working", 429: "many" } // by the status of the answer; any other: "away"

const worker = navigator.serviceWorker
const texts = document.getElementById("offline-texts")
const place = document.getElementById("offline"), faults = document.getElementById("refused")
let entries = [], shown = ""

const kept = () => document.getElementById("kept").dataset

worker.addEventListener("message", ({ data }) => {
  if (data.entries) show(data.entries)
  if (data.sent) refresh()
})
document.addEventListener("swapped", () => ask("list"))
addEventListener("online", tryAgain)
addEventListener("offline", () => show(entries))
setInterval(() => { if (isAway() && !document.hidden) tryAgain() }, TRY_AGAIN)
// What was sent since this page was asked for may not be in it.
ask(kept().at ? "list" : "send", { age: performance.now() })

function ask(act, more = {}) {
  show(entries)
  worker.controller?.postMessage({ act, account: kept().account, ...more })
}

function tryAgain() {
  ask("send")
  if ("at" in kept()) refresh()
}

function isAway() {
  return "at" in kept() || entries.some(each => !each.fault)
}

function show(found) {
  entries = found
  const state = JSON.stringify([kept().at, navigator.onLine, entries])
  if (state === shown) return // it would be said again
  shown = state
  const waiting = entries.filter(each => !each.fault)
  place.replaceChildren(...isAway() ? [bannerOf(waiting)] : [])
  const refused = entries.filter(each => each.fault)
  for (const form of [...faults.children]) {
    if (!refused.some(each => `${each.id}` === form.dataset.id)) form.remove()
  }
  const there = new Set([...faults.children].map(form => form.dataset.id))
  faults.append(...refused.filter(each => !there.has(`${each.id}`)).map(formOf))
}

function bannerOf(waiting) {
  const banner = clone("offline"), said = [], status = navigator.onLine && waiting[0]?.status
  const why = status ? WHY[status] ?? "away" : "network"
  banner.querySelector("strong").textContent = texts.dataset[why]
  if (kept().at) said.push(timeOf(new Date(kept().at)))
  if (waiting.length) {
    const one = new Intl.PluralRules(document.documentElement.lang).select(waiting.length) === "one"
    const name = one ? "one" : "other"
    said.push(texts.dataset[status ? `${name}Again` : name].replace("{}", waiting.length))
  }
  banner.querySelector("span").textContent = said.join(" ")
  for (const { text } of waiting) {
    const item = document.createElement("li")
    item.textContent = text
    banner.querySelector("ul").append(item)
  }
  return banner
}

function formOf({ id, text, fault }) {
  const form = clone("refused"), [again, drop] = form.querySelectorAll("button")
  form.dataset.id = id
  form.querySelector("span").textContent = fault === "old" ? texts.dataset.old : plain(fault)
  form.elements.text.value = text
  again.setAttribute("aria-label", `${again.textContent}: ${text}`)
  drop.setAttribute("aria-label", `${drop.textContent}: ${text}`)
  form.addEventListener("submit", event => {
    event.preventDefault()
    leave(form)
    ask("change", { id, text: form.elements.text.value })
  })
  drop.addEventListener("click", () => {
    leave(form)
    ask("drop", { id })
  })
  return form
}

function leave(form) {
  form.remove()
  const near = faults.querySelector("input") ?? document.getElementById("quick-text")
  ;(near ?? document.querySelector("#head [tabindex]"))?.focus()
}

function clone(name) {
  return texts.content.querySelector(`[data-for=${name}]`).cloneNode(true)
}

function plain(html) {
  return new DOMParser().parseFromString(html, "text/html").body.textContent.trim()
}

function timeOf(at) {
  const { zone, clock } = texts.dataset, language = document.documentElement.lang
  const day = moment => moment.toLocaleDateString("en", { timeZone: zone })
  const isToday = day(at) === day(new Date())
  const options = { timeZone: zone, hour: "numeric", minute: "2-digit", hour12: clock === "12" }
  if (!isToday) Object.assign(options, { day: "numeric", month: "short" })
  return texts.dataset[isToday ? "today" : "before"].replace("{}", at.toLocaleString(language, options))
}
