"""Without a connection: lists are copies that say so, and what is added is sent later, once."""

import contextlib
import functools
from pathlib import Path
from typing import Self

import pytest

from tests import clusters
from tests.browser.conftest import FLAGS, PASSWORD, PHONE, Visit, find_chromium
from tests.processes import free_port, serving

CONTROLLED = """async () => {
    const workers = navigator.serviceWorker
    if (workers.controller) return
    await new Promise(done => workers.addEventListener("controllerchange", done, { once: true }))
}"""


COPIES = """async () => {
    const names = (await caches.keys()).filter(name => name.startsWith("lists-"))
    return names
}"""


def prepare(visit, name, *titles) -> None:
    """Register, add todos, and have the list of today kept by the service worker."""
    visit.register(name)
    visit.page.evaluate(CONTROLLED)
    for title in titles:
        visit.add(title)
        visit.page.wait_for_selector(f".todo >> text={title}")
    visit.open("/app/today")
    kept(visit)


def kept(visit) -> list[str]:
    """Return the addresses of the copies, once there is one."""
    return visit.page.evaluate(
        """async () => {
            for (let turn = 0; turn < 100; turn++) {
                for (const name of await caches.keys()) {
                    if (!name.startsWith("lists-")) continue
                    const keys = await (await caches.open(name)).keys()
                    if (keys.length) return keys.map(each => new URL(each.url).pathname)
                }
                await new Promise(done => setTimeout(done, 50))
            }
            return []
        }"""
    )


def change_waiting(visit, **values) -> list[dict]:
    """Return what waits as it was, and change values of it."""
    return visit.page.evaluate(
        """values => new Promise(done => {
            indexedDB.open("fast_zero").onsuccess = ({ target: { result } }) => {
                const transaction = result.transaction("adds", "readwrite")
                const adds = transaction.objectStore("adds")
                const all = adds.getAll()
                all.onsuccess = () => {
                    for (const each of all.result) adds.put({ ...each, ...values })
                }
                transaction.oncomplete = () => { result.close(); done(all.result) }
            }
        })""",
        values,
    )


def wait_until(visit, condition) -> None:
    for _ in range(200):
        if condition():
            return
        visit.page.wait_for_timeout(100)
    pytest.fail("it did not come about")


def rows(visit) -> list[str]:
    return visit.page.locator(".todo .title").all_inner_texts()


def test_the_last_list_is_shown_and_says_its_time(visiting, name):
    with visiting(locale="pt-BR") as visit:
        page = visit.page
        prepare(visit, name, "Pão", "Leite")
        page.click(".todo .tick >> nth=0")
        page.wait_for_selector(".toast")
        page.context.set_offline(True)
        visit.open("/app/today")
        page.wait_for_selector("#offline >> text=Sem conexão. Você vê as listas das")
        assert rows(visit)[0] in {"Pão", "Leite"}
        assert page.locator(".done-row").count() == 1
        assert page.locator(".toast").count() == 0
        assert visit.violations() == []
        page.goto(visit.url + "/app/settings")
        assert page.inner_text("h1") == "Sem conexão"
        page.click("text=Hoje")
        page.wait_for_selector("#offline >> text=Sem conexão.")
        page.click(".todo .tick >> nth=0")
        page.wait_for_selector("#faults >> text=Sem conexão.")
        page.context.set_offline(False)
        page.wait_for_selector("#offline:empty", state="attached")


def test_what_is_added_offline_is_sent_in_order_and_once(visiting, name):
    with visiting(PHONE, locale="en-US") as visit:
        page = visit.page
        prepare(visit, name)
        page.context.set_offline(True)
        for title in ("One", "Two", "Three"):
            visit.add(title)
            page.wait_for_selector(f"#offline li >> text={title}")
            assert page.input_value("#quick-text") == ""
        assert "3 new tasks will be sent once the network is back." in page.inner_text("#offline")
        visit.open("/app/today")
        page.wait_for_selector("#offline li >> text=Three")
        assert visit.overflow() == 0
        page.context.set_offline(False)
        page.wait_for_selector(".todo >> text=Three")
        assert rows(visit) == ["One", "Two", "Three"]
        page.wait_for_selector("#offline:empty", state="attached")
        visit.open("/app/today")
        assert rows(visit) == ["One", "Two", "Three"]


@pytest.fixture
def restarting(browser, tmp_path):
    """Serve a database of its own, which can be stopped, killed and started again."""
    data_dir = clusters.copy_to(tmp_path / "data")
    with Restarting(data_dir) as server:
        yield server


class Restarting:
    """A server at a port that stays."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir, self.port = data_dir, str(free_port())
        self.url = f"http://127.0.0.1:{self.port}"
        self.running = contextlib.ExitStack()

    def start(self) -> None:
        variables = {"PORT": self.port, "REGISTRATIONS_PER_HOUR": "off", "LOGIN_FAILURES": "off"}
        arguments = ("--port", self.port)
        self.process = self.running.enter_context(serving(self.data_dir, *arguments, **variables))

    def kill(self) -> None:
        for process in [*self.process.workers(), self.process.process]:
            process.kill()
        self.running.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_) -> None:
        self.running.close()


def log_in(visit, name) -> None:
    visit.page.fill("#username", name)
    visit.page.fill("#password", PASSWORD)
    visit.page.click("form.main button")
    visit.page.wait_for_url("**/app/today")


def test_a_server_that_is_killed_meanwhile_gets_each_todo_once(visiting, restarting, name):
    with visiting(locale="en-US") as visit:
        page, visit.url = visit.page, restarting.url
        prepare(visit, name, "Before")
        restarting.kill()
        for title in ("One", "Two"):
            visit.add(title)
            page.wait_for_selector(f"#offline li >> text={title}")
        page.close()
        restarting.start()

        visit.page = page = page.context.new_page()
        visit.open("/app/today")
        page.wait_for_selector(".todo >> text=Two")
        page.wait_for_selector("#offline:empty", state="attached")
        visit.open("/app/today")
        assert rows(visit) == ["Before", "One", "Two"]


def test_an_add_whose_answer_was_lost_is_not_doubled(visiting, name):
    with visiting(locale="en-US") as visit:
        page = visit.page
        prepare(visit, name)
        tries = []

        def lose_the_answer(route) -> None:
            tries.append(route.fetch(max_redirects=0).status)
            route.abort()

        page.context.route("**/app/todos", lose_the_answer)
        visit.add("Bread")
        page.wait_for_selector("#offline li >> text=Bread")
        page.context.unroute_all(behavior="wait")
        visit.open("/app/today")
        page.wait_for_selector("#offline:empty", state="attached")
        visit.open("/app/today")
        assert set(tries) == {303}
        assert rows(visit) == ["Bread"]


def test_after_a_log_out_no_copy_is_left(visiting, name):
    with visiting(locale="en-US") as visit:
        page = visit.page
        prepare(visit, name, "Secret")
        assert kept(visit) == ["/app/today"]
        page.click(".side form[action='/app/logout'] button")
        page.wait_for_url("**/app/login")
        page.context.set_offline(True)
        assert page.evaluate(COPIES) == []
        page.go_back()
        page.wait_for_selector("h1 >> text=No connection")
        visit.open("/app/today")
        assert page.inner_text("h1") == "No connection"
        assert "Secret" not in page.content()


def test_a_session_that_ended_keeps_what_waits_for_its_account_alone(visiting, name):
    with visiting(locale="en-US") as visit:
        page = visit.page
        prepare(visit, name)
        page.context.clear_cookies()
        visit.add("Mine")
        page.wait_for_url("**/app/login**")
        assert page.evaluate(COPIES) == []

        visit.register(f"{name}x")
        assert rows(visit) == []
        visit.add("Theirs")
        page.wait_for_selector(".todo >> text=Theirs")
        visit.open("/app/today")
        assert rows(visit) == ["Theirs"]
        assert page.inner_text("#offline") == ""
        page.click(".side form[action='/app/logout'] button")
        page.wait_for_url("**/app/login")

        log_in(visit, name)
        page.wait_for_selector(".todo >> text=Mine")
        visit.open("/app/today")
        assert rows(visit) == ["Mine"]


def test_what_was_refused_is_shown_and_can_be_changed_or_dropped(visiting, name):
    with visiting(locale="en-US") as visit:
        page = visit.page
        prepare(visit, name)
        page.context.set_offline(True)
        page.evaluate("document.getElementById('quick-text').removeAttribute('maxlength')")
        for title in ("a" * 600, "b" * 600, "Bread"):
            visit.add(title)
            page.wait_for_selector(f"#offline li >> text={title}")
        page.context.set_offline(False)
        page.wait_for_selector(".todo >> text=Bread")
        page.wait_for_selector("#refused form >> nth=1")
        assert "This task was not added:" in page.inner_text("#refused form >> nth=0")
        assert visit.violations() == []
        page.fill("#refused input >> nth=0", "Milk")
        page.press("#refused input >> nth=0", "Enter")
        page.wait_for_selector(".todo >> text=Milk")
        page.click("#refused >> text=Drop it")
        assert visit.focused().startswith("INPUT")
        visit.open("/app/today")
        page.wait_for_selector("#refused:empty", state="attached")
        assert sorted(rows(visit)) == ["Bread", "Milk"]


@pytest.mark.parametrize("path", ["settings", "settings/security", "administration", "login"])
def test_only_lists_are_kept(visiting, name, path):
    with visiting(locale="en-US") as visit:
        prepare(visit, name)
        visit.open("/app/upcoming")
        visit.open(f"/app/{path}")
        visit.open("/app/today")
        assert set(kept(visit)) <= {"/app/today", "/app/upcoming"}


def test_a_form_of_another_site_does_not_pass_through_the_worker(visiting, name):
    with visiting(locale="en-US") as visit:
        page = visit.page
        prepare(visit, name)
        form = f'<form method="post" action="{visit.url}/app/todos"><button name="text">Go</button>'
        page.context.route(
            "http://evil.example/", lambda route: route.fulfill(body=form, content_type="text/html")
        )
        page.goto("http://evil.example/")
        page.click("button")
        page.wait_for_selector("h1:text-is('This form was sent from another site')")
        visit.open("/app/today")
        assert rows(visit) == []


def test_what_waits_survives_the_end_of_the_browser(browser, server, name, tmp_path):
    options = {"executable_path": find_chromium(), "args": FLAGS, "locale": "en-US"}
    open_ = functools.partial(
        browser.browser_type.launch_persistent_context, tmp_path / "profile", **options
    )
    with open_() as context:
        visit = Visit(context.pages[0], server.url)
        prepare(visit, name)
        context.set_offline(True)
        visit.add("Bread")
        visit.page.wait_for_selector("#offline li >> text=Bread")
    with open_() as context:
        visit = Visit(context.pages[0], server.url)
        visit.open("/app/today")
        visit.page.wait_for_selector(".todo >> text=Bread")
        visit.open("/app/today")
        assert rows(visit) == ["Bread"]


def test_an_add_waits_while_the_database_is_away(visiting, name):
    with visiting(locale="en-US") as visit:
        page = visit.page
        prepare(visit, name)
        page.context.route("**/app/todos", lambda route: route.fulfill(status=503, body="away"))
        visit.add("Bread")
        page.wait_for_selector("#offline li >> text=Bread")
        assert page.input_value("#quick-text") == ""
        page.context.unroute_all()
        visit.open("/app/today")
        page.wait_for_selector(".todo >> text=Bread")
        assert rows(visit) == ["Bread"]


@pytest.mark.parametrize(
    ("status", "why"),
    [
        (409, "The server is still adding a task."),
        (429, "There were too many requests in a short time."),
        (502, "The server does not answer."),
        (503, "The server does not answer."),
    ],
)
def test_what_waits_says_what_the_server_has_answered(visiting, name, status, why):
    with visiting(locale="en-US") as visit:
        page = visit.page
        prepare(visit, name)
        page.context.route("**/app/todos", lambda route: route.fulfill(status=status, body="x"))
        visit.add("Bread")
        page.wait_for_selector(f"#offline strong >> text={why}")
        assert "1 new task waits and is sent again soon." in page.inner_text("#offline")
        assert "No connection." not in page.inner_text("#offline")
        visit.add("Milk")
        page.wait_for_selector("#offline >> text=2 new tasks wait and are sent again soon.")
        page.context.set_offline(True)
        page.context.unroute_all()
        visit.open("/app/today")
        page.wait_for_selector("#offline >> text=2 new tasks will be sent")
        assert page.inner_text("#offline strong") == "No connection."
        page.context.set_offline(False)
        page.wait_for_selector(".todo >> text=Milk")
        page.wait_for_selector("#offline:empty", state="attached")
        visit.open("/app/today")
        assert rows(visit) == ["Bread", "Milk"]


def test_what_is_sent_before_a_page_listens_is_shown_by_it(visiting, name):
    with visiting(locale="en-US") as visit:
        page = visit.page
        prepare(visit, name)
        page.context.route("**/app/todos", lambda route: route.fulfill(status=503, body="away"))
        visit.add("Bread")
        page.wait_for_selector("#offline li >> text=Bread")
        page.evaluate(
            """async () => {
                for (const name of await caches.keys()) {
                    const cache = await caches.open(name)
                    for (const key of await cache.keys()) {
                        if (key.url.endsWith("/offline.js")) await cache.delete(key)
                    }
                }
            }"""
        )
        page.context.unroute_all()
        held = []

        def hold(route) -> None:
            held.append(route)

        page.context.route("**/offline.js", hold)
        visit.open("/app/today")
        assert rows(visit) == []
        wait_until(visit, lambda: not change_waiting(visit) and held)
        page.wait_for_timeout(200)  # so that the worker has told the page, which does not listen
        held[0].continue_()
        page.wait_for_selector(".todo >> text=Bread")


@pytest.mark.parametrize("is_away", [True, False])
def test_what_is_refused_because_its_list_is_gone_is_kept(visiting, name, is_away):
    with visiting(locale="en-US") as visit:
        page = visit.page
        prepare(visit, name)
        visit.open("/app/projects")
        page.fill("[name=name]", "Garden")
        page.press("[name=name]", "Enter")
        page.click(".side a >> text=Garden")
        page.wait_for_url("**/app/projects/*")
        kept(visit)
        deleted = page.context.request.post(
            page.url + "/delete", headers={"Sec-Fetch-Site": "same-origin"}, max_redirects=0
        )
        assert deleted.status == 303
        page.context.set_offline(is_away)
        visit.add("Bread")
        if is_away:
            page.wait_for_selector("#offline li >> text=Bread")
            page.context.set_offline(False)
        else:
            page.wait_for_url("**/app/today")
        visit.open("/app/today")
        page.wait_for_selector("#refused >> text=This project does not exist any more.")
        assert page.input_value("#refused input") == "Bread"


def test_what_a_proxy_did_not_wait_for_may_have_arrived(visiting, name):
    with visiting(locale="en-US") as visit:
        page = visit.page
        prepare(visit, name)
        page.context.set_offline(True)
        visit.add("Bread")
        page.wait_for_selector("#offline li >> text=Bread")
        [entry] = change_waiting(visit)
        assert "triedAt" not in entry
        page.context.route("**/app/todos", lambda route: route.fulfill(status=504, body="away"))
        page.context.set_offline(False)
        wait_until(visit, lambda: "triedAt" in change_waiting(visit)[0])


def test_what_may_have_arrived_long_ago_is_not_sent_again_unasked(visiting, name):
    with visiting(locale="en-US") as visit:
        page = visit.page
        prepare(visit, name)
        page.context.set_offline(True)
        visit.add("Bread")
        page.wait_for_selector("#offline li >> text=Bread")
        change_waiting(visit, triedAt=1)
        page.context.set_offline(False)
        page.wait_for_selector("#refused >> text=It may have arrived more than a day ago.")
        assert rows(visit) == []
        page.click("#refused >> text=Add again")
        page.wait_for_selector(".todo >> text=Bread")


def test_a_release_replaces_the_files(visiting, name):
    with visiting(locale="en-US") as visit:
        page = visit.page
        prepare(visit, name)
        page.evaluate("async () => { for (const n of [1, 2]) await caches.open(`static-${n}`) }")
        registered = page.evaluate(
            """async () => {
                const registration = await navigator.serviceWorker.getRegistration("/app/")
                await registration.unregister()
                return registration.scope
            }"""
        )
        assert registered == visit.url + "/app/"
        visit.open("/app/today")
        page.evaluate(CONTROLLED)
        names = page.evaluate("caches.keys()")
        assert len([name for name in names if name.startswith("static-")]) == 2


@pytest.mark.parametrize("where", ["insecure", "refused"])
def test_without_a_service_worker_the_page_works_and_says_nothing(visiting, name, where):
    options = {"service_workers": "block"} if where == "refused" else {}
    with visiting(locale="en-US", **options) as visit:
        page = visit.page
        if where == "insecure":  # as over HTTP, except on localhost
            page.add_init_script("delete Navigator.prototype.serviceWorker")
        visit.register(name)
        visit.add("Bread")
        page.wait_for_selector(".todo >> text=Bread")
        visit.open("/app/today")
        assert page.inner_text("#offline") == ""
