// Shows the last lists while there is no connection, keeps the tasks that are added meanwhile, and
// shows pushes. The server puts `DIGEST` and `FILES` above this text, so a release replaces it.
//
// Lists are kept in a cache that is named by its account. Whatever says that somebody else may
// use this browser deletes it: a log-out, a log-in, the log-in page, a page of another account.

const STATIC = `static-${DIGEST}`
const KEPT = "lists-"
const MOST = 40 // lists
const OFFLINE = "/app/offline"
const ADD = "/app/todos"
const LOG_IN = "/app/login"
const HOME = "/app/today"
const LISTS = /^\/app\/(today|inbox|upcoming|(projects|labels|filters)\/\d+)$/
const OTHERS = /^\/app\/(login|logout|register)(\/|$)/
const AT = "X-Kept-At"
const PATIENCE = 20_000
const KEYS_KNOWN = 23 * 3_600_000 // The server knows a key again for 24 hours.
// Answers of a server, or of what stands before it, that is not there at the moment; or of one
// that still works on the same task.
const LATER = new Set([408, 409, 425, 429, 502, 503, 504])

// What the server renders. Text of users cannot look like it: it is escaped.
const ACCOUNT = /<template id="kept"[^>]* data-account="(\d+)"/
const LANGUAGE = /<html lang="([\w-]+)"/
const TOASTS = /<div [^>]*id="toasts".*?<\/div>/s
const FAULTS = /(<div id="faults"[^>]*>)(.*?)<\/div>/s
const NOTICE = /<noscript>.*?<\/noscript>/s
const HEADING = /<h1[^>]*>(.*?)<\/h1>/s

let era = 0 // What was asked for before a log-in or a log-out is not kept after it.
let sending = Promise.resolve()
let sentAt = -Infinity // when something was sent last that no form waits for; on the clock of this worker
const live = new Map() // the keys of tasks whose forms wait for an answer
const fromCopies = new Set() // addresses to show next from their copies

addEventListener("install", event => event.waitUntil(install()))
addEventListener("activate", event => event.waitUntil(activate()))
addEventListener("fetch", handle)
addEventListener("sync", event => event.waitUntil(sendOrFail()))
addEventListener("message", event => event.waitUntil(answer(event)))
addEventListener("push", event => event.waitUntil(notify(event.data?.json() ?? {})))
addEventListener("notificationclick", event => event.waitUntil(open(event.notification)))

async function install() {
  await (await caches.open(STATIC)).addAll([...FILES, OFFLINE])
  await skipWaiting()
}

async function activate() {
  // Pages of the release before may be open still, so its files stay.
  const old = (await caches.keys()).filter(name => name.startsWith("static-") && name !== STATIC)
  await Promise.all(old.slice(0, -1).map(name => caches.delete(name)))
  await registration.navigationPreload?.enable()
  await clients.claim()
  for (const { url } of await clients.matchAll()) {
    if (!LISTS.test(new URL(url).pathname)) continue
    const begun = era
    await fetch(url).then(response => keep(response, begun)).catch(ignore)
  }
}

function handle(event) {
  const { request } = event
  const { origin, pathname } = new URL(request.url)
  if (origin !== location.origin) return
  const isVisit = request.mode === "navigate"
  if (pathname.startsWith("/static/")) event.respondWith(findStatic(request))
  else if (!pathname.startsWith("/app/")) return
  else if (request.method === "POST" && isVisit) {
    // Left to the browser: a worker must not hide that a form comes from another site.
    if (OTHERS.test(pathname)) event.waitUntil(forget())
  } else if (request.method === "POST") {
    event.respondWith(pathname === ADD ? add(event) : load(event))
  } else if (isVisit || LISTS.test(pathname)) event.respondWith(show(event))
}

async function findStatic(request) {
  return await caches.match(request) ?? fetch(request)
}

// ---- Lists

async function show(event) {
  const { request } = event
  if (fromCopies.delete(request.url)) return await findCopy(request) ?? findOffline()
  try {
    return await load(event)
  } catch {
    const copy = await findCopy(request)
    return copy ?? (request.mode === "navigate" ? findOffline() : Response.error())
  }
}

async function load(event) {
  const begun = era
  const response = await event.preloadResponse ?? await fetch(event.request)
  event.waitUntil(note(response, begun).then(send))
  return response
}

// A response has arrived: its list is kept, and the log-in page means that nobody is logged in.
function note(response, begun) {
  const { pathname } = new URL(response.url || location.href)
  if (response.ok && pathname === LOG_IN) return forget()
  if (response.ok && LISTS.test(pathname)) return keep(response.clone(), begun)
  return Promise.resolve()
}

async function keep(response, begun) {
  const html = await response.text(), account = ACCOUNT.exec(html)?.[1]
  if (!account || begun !== era) return
  const own = KEPT + account, hasOthers = (await findKept()).some(name => name !== own)
  if (begun !== era) return
  if (hasOthers) {
    begun += 1 // this one is kept
    await forget()
  }
  const headers = new Headers(response.headers)
  headers.set(AT, new Date().toISOString())
  const cache = await caches.open(own), key = new URL(response.url)
  key.hash = ""
  await cache.delete(key) // so that the newest is the last
  await cache.put(key, new Response(withoutNotice(html), { headers }))
  const keys = await cache.keys()
  await Promise.all(keys.slice(0, -MOST).map(old => cache.delete(old)))
  if (begun !== era) await caches.delete(own)
  else await refreshOffline(LANGUAGE.exec(html)?.[1])
}

function withoutNotice(html) {
  return html
    .replace(TOASTS, '<div class="toasts" id="toasts" role="status" data-part></div>')
    .replace(FAULTS, "$1</div>")
    .replace(NOTICE, "")
}

// The copy of a list; for a visit to a todo without one, that of its list.
async function findCopy(request) {
  const [name] = await findKept()
  if (!name) return null
  const cache = await caches.open(name), url = new URL(request.url)
  url.hash = ""
  let copy = await cache.match(url)
  if (!copy && request.mode === "navigate") {
    url.searchParams.delete("todo")
    copy = await cache.match(url)
  }
  if (!copy) return null
  const html = (await copy.text())
    .replace('<template id="kept"', `<template id="kept" data-at="${copy.headers.get(AT)}"`)
    .replace(/\/static\/\w+\//g, `/static/${DIGEST}/`)
  return new Response(html, { headers: copy.headers })
}

async function findOffline() {
  return await caches.match(OFFLINE) ?? Response.error()
}

async function refreshOffline(language) {
  const page = await caches.match(OFFLINE)
  if (page && LANGUAGE.exec(await page.text())?.[1] !== language) {
    await (await caches.open(STATIC)).add(OFFLINE).catch(ignore)
  }
}

async function findKept() {
  return (await caches.keys()).filter(name => name.startsWith(KEPT))
}

async function findAccount() {
  return (await findKept())[0]?.slice(KEPT.length)
}

async function forget() {
  era += 1
  await Promise.all((await findKept()).map(name => caches.delete(name)))
  const subscription = await registration.pushManager?.getSubscription().catch(ignore)
  await subscription?.unsubscribe().catch(ignore)
}

// ---- Tasks that were added
//
// Each is stored before it is sent, with a key that the server knows again: so none is lost, also
// if the browser is closed, and none is doubled, also if only the answer was lost.

async function add(event) {
  const { request } = event, account = await findAccount()
  const form = await request.clone().formData()
  const fields = new URLSearchParams([...form].filter(([, value]) => typeof value === "string"))
  const key = crypto.randomUUID() // That of the form is in its copy as well, for each task again.
  fields.set("key", key)
  try {
    if (!account || fields.get("account") !== account) throw new Error("nothing can be kept for it")
    await store("readwrite", adds => adds.add({ account, key, fields: `${fields}` }))
  } catch {
    return fetch(request)
  }
  live.set(key, null)
  await send()
  const response = live.get(key)
  live.delete(key)
  if (response) return response
  await registration.sync?.register("send").catch(ignore)
  const next = new URL(fields.get("next") ?? HOME, location.origin)
  if (next.origin !== location.origin || !LISTS.test(next.pathname)) next.href = location.origin + HOME
  fromCopies.add(next.href)
  return Response.redirect(next.href, 303)
}

// Sends what waits, in order, and only for the account that is logged in.
function send() {
  sending = sending.then(sendAll).catch(ignore)
  return sending
}

async function sendAll() {
  const account = await findAccount()
  let background = false
  for (const entry of await waitingOf(account)) {
    if (entry.fault) continue
    const isLive = live.has(entry.key)
    if (!await sendOne(entry)) break // and those after it wait as well
    background ||= !isLive
  }
  if (!background) return
  sentAt = performance.now()
  await tell({ sent: true })
}

async function sendOne(entry) {
  if (Math.abs(Date.now() - entry.triedAt) > KEYS_KNOWN) { // also if the clock was put back
    await store("readwrite", adds => adds.put({ ...entry, fault: "old" }))
    return true
  }
  if (navigator.onLine && !entry.triedAt) { // from now on it may have arrived
    entry.triedAt = Date.now()
    await store("readwrite", adds => adds.put(entry))
  }
  const begun = era, isLive = live.has(entry.key)
  const headers = { "Idempotency-Key": entry.key }
  // Then a fault is in the answer. The page behind a redirect may have been shown by a tab before.
  if (!isLive) headers["X-Waited"] = "true"
  let response, html, isGone
  try {
    const body = new URLSearchParams(entry.fields), signal = AbortSignal.timeout(PATIENCE)
    body.set("account", entry.account) // The cookie may be of another one by now.
    response = await fetch(ADD, { method: "POST", headers, body, signal })
    // It was answered, but its list is gone: another one says how.
    isGone = response.redirected && !response.ok && !LATER.has(response.status)
    if (isGone) response = await fetch(HOME, { signal })
    if (LATER.has(response.status)) return await waits(entry, response.status)
    html = await response.clone().text()
  } catch {
    return await waits(entry)
  }
  if (isLive) live.set(entry.key, response.clone())
  if (new URL(response.url).pathname === LOG_IN) {
    await forget()
    return false
  }
  const fault = response.ok ? FAULTS.exec(html)?.[2].trim() : HEADING.exec(html)?.[1] ?? `${response.status}`
  // A form that still waits shows it itself.
  if (fault && (!isLive || isGone)) await store("readwrite", adds => adds.put({ ...entry, fault }))
  else await store("readwrite", adds => adds.delete(entry.id))
  if (!fault) await note(response, begun)
  return true
}

// Notes why a task waits: the status of the answer, or that there was none.
async function waits(entry, status) {
  if (entry.status !== status) await store("readwrite", adds => adds.put({ ...entry, status }))
  return false
}

// The browser tries again later, if this fails.
async function sendOrFail() {
  await send()
  const left = await waitingOf(await findAccount())
  if (left.some(entry => !entry.fault)) throw new Error("tasks still wait")
}

// Returns what waits for an account, and what was refused.
async function waitingOf(account) {
  if (!account) return []
  const all = await store("readonly", adds => adds.getAll())
  return all.filter(entry => entry.account === account)
}

// A page asks for what waits, or sends it, changes it or drops it.
async function answer({ data, source }) {
  const entry = (await waitingOf(data.account)).find(each => each.id === data.id && each.fault)
  if (entry && data.act === "drop") await store("readwrite", adds => adds.delete(entry.id))
  if (entry && data.act === "change") {
    const fields = new URLSearchParams(entry.fields), key = crypto.randomUUID()
    fields.set("text", data.text)
    fields.set("key", key)
    const changed = { id: entry.id, account: entry.account, key, fields: `${fields}` }
    await store("readwrite", adds => adds.put(changed))
  }
  if (data.act !== "list") await send()
  const entries = (await waitingOf(data.account)).filter(each => !live.has(each.key))
  source.postMessage({
    sent: sentAt > performance.now() - data.age,
    entries: entries.map(({ id, fields, fault, status }) => (
      { id, fault, status, text: new URLSearchParams(fields).get("text") ?? "" }
    )),
  })
}

async function tell(message) {
  for (const client of await clients.matchAll()) client.postMessage(message)
}

function store(mode, work) {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open("fast_zero", 1)
    opening.onupgradeneeded = () => {
      opening.result.createObjectStore("adds", { keyPath: "id", autoIncrement: true })
    }
    opening.onerror = () => reject(opening.error)
    opening.onsuccess = () => {
      const transaction = opening.result.transaction("adds", mode, { durability: "strict" })
      const request = work(transaction.objectStore("adds"))
      transaction.oncomplete = () => {
        opening.result.close()
        resolve(request.result)
      }
      transaction.onabort = () => reject(transaction.error)
    }
  })
}

// ---- Pushes

function notify({ title = "fast_zero", text = "", url = "", notification_id: id }) {
  return registration.showNotification(title, {
    body: text, tag: `${id ?? url}`, icon: ICON, data: { url: pageOf(url) },
  })
}

function pageOf(url) {
  const [, kind, id] = /^\/(todos|posts)\/(\d+)$/.exec(url) ?? []
  if (kind === "todos") return `${HOME}?todo=${id}`
  return kind ? `/app/posts/${id}` : "/app/notifications"
}

async function open(notification) {
  notification.close()
  const { url } = notification.data
  const [client] = await clients.matchAll({ type: "window" })
  if (!client) return clients.openWindow(url)
  await client.focus().catch(ignore)
  return client.navigate(url).catch(() => clients.openWindow(url))
}

function ignore() {}
