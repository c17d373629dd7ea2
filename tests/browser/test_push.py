"""Pushes to the browser: the control of the settings, the notification, and where it leads.

Headless browsers have no push service, so its subscription is a stand-in.
"""

import json

from tests.browser.test_offline import prepare
from tests.push.push_service import Browser

SUBSCRIBE = """(given) => {
    let current = null
    const subscription = {
        endpoint: given.endpoint,
        toJSON: () => given,
        unsubscribe: async () => { current = null; return true },
    }
    PushManager.prototype.getSubscription = async () => current
    PushManager.prototype.subscribe = async options => {
        if (!options.userVisibleOnly || !options.applicationServerKey) throw new Error("options")
        current = subscription
        return current
    }
}"""
OPEN = """async () => {
    const place = document.createElement("div")
    place.id = "push"
    place.hidden = true
    document.querySelector(".page").append(place)
    const app = document.querySelector("script[type=module]").src
    await import(app.replace("app.js", "push.js"))
}"""


def test_pushes_are_turned_on_and_off_by_a_click(visiting, name):
    with visiting(locale="en-US") as visit:
        page = visit.page
        prepare(visit, name)
        page.context.grant_permissions(["notifications"])
        page.evaluate(SUBSCRIBE, Browser().subscription())
        page.evaluate(OPEN)
        page.wait_for_selector("#push >> text=This browser shows nothing while the page is closed.")
        assert visit.violations() == []
        page.click("#push >> text=Turn on")
        page.wait_for_selector(
            "#push >> text=This browser shows them, also while the page is closed."
        )
        assert visit.focused() == "BUTTON Turn off"
        page.keyboard.press("Enter")
        page.wait_for_selector("#push >> text=This browser shows nothing while the page is closed.")
        assert visit.focused() == "BUTTON Turn on"
        page.evaluate(
            """() => {
                const place = document.getElementById("push")
                place.hidden = true
                place.replaceChildren()
                document.dispatchEvent(new Event("swapped"))
            }"""
        )
        page.wait_for_selector("#push >> text=Turn on")


def test_a_push_becomes_a_notification_that_leads_to_its_todo(visiting, name):
    with visiting(locale="en-US") as visit:
        page = visit.page
        prepare(visit, name, "Bread")
        page.context.grant_permissions(["notifications"])
        todo = page.get_attribute(".todo", "id")[1:]
        message = {"notification_id": 1, "title": "host", "text": "Bread", "url": f"/todos/{todo}"}
        deliver(page, visit.url, message)
        shown = page.evaluate(
            """async () => {
                const registration = await navigator.serviceWorker.ready
                for (let turn = 0; turn < 100; turn++) {
                    const [one] = await registration.getNotifications()
                    if (one) return { title: one.title, body: one.body, data: one.data }
                    await new Promise(done => setTimeout(done, 50))
                }
            }"""
        )
        assert shown == {
            "title": "host",
            "body": "Bread",
            "data": {"url": f"/app/today?todo={todo}"},
        }
        [worker] = page.context.service_workers
        worker.evaluate(
            """async () => {
                const [notification] = await registration.getNotifications()
                dispatchEvent(new NotificationEvent("notificationclick", { notification }))
            }"""
        )
        page.wait_for_url(f"**/app/today?todo={todo}")


def test_a_log_out_ends_the_pushes_of_this_browser(visiting, name):
    with visiting(locale="en-US") as visit:
        page = visit.page
        prepare(visit, name)
        [worker] = page.context.service_workers
        worker.evaluate(
            """() => {
                const subscription = { unsubscribe: async () => { self.ended = true } }
                registration.pushManager.getSubscription = async () => subscription
            }"""
        )
        page.click(".side form[action='/app/logout'] button")
        page.wait_for_url("**/app/login")
        page.evaluate("() => navigator.serviceWorker.ready")
        assert worker.evaluate("() => self.ended")


def deliver(page, origin: str, message: dict) -> None:
    session = page.context.new_cdp_session(page)
    found: list[str] = []
    session.on(
        "ServiceWorker.workerRegistrationUpdated",
        lambda event: found.extend(each["registrationId"] for each in event["registrations"]),
    )
    session.send("ServiceWorker.enable")
    while not found:
        page.wait_for_timeout(20)
    given = {"origin": origin, "registrationId": found[0], "data": json.dumps(message)}
    session.send("ServiceWorker.deliverPushMessage", given)
