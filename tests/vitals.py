"""Measures how pages load in Chromium: largest contentful paint, total blocking time, layout shift.

It needs Debian's Chromium and the dependency group `browser`: task vitals
"""

import tempfile
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tests.browser.conftest import DESK, FLAGS, PASSWORD, PHONE, find_chromium
from tests.processes import serving

TODOS = 200
VISITS = 5
OWN = {"Sec-Fetch-Site": "same-origin"}
# Entries are buffered, so what happened before the observers is in it. A task blocks by what it
# takes over 50 ms (W3C, Long Tasks API).
OBSERVE = """() => new Promise(done => {
    const found = { paint: 0, blocking: 0, shift: 0 }
    const observe = (type, add) => new PerformanceObserver(list => {
        list.getEntries().forEach(add)
    }).observe({ type, buffered: true })
    observe("largest-contentful-paint", each => { found.paint = each.startTime })
    observe("longtask", each => { found.blocking += each.duration - 50 })
    observe("layout-shift", each => { found.shift += each.value })
    setTimeout(() => done(found), 500)
})"""


def data_dir(folder: str) -> Path:
    Path(folder).chmod(0o755)  # as root, PostgreSQL runs as another account
    return Path(folder) / "data"


def register(page: Page, url: str, name: str) -> None:
    page.goto(url + "/app/register")
    page.fill("#username", name)
    page.fill("#email", f"{name}@example.com")
    page.fill("#password", PASSWORD)
    page.click("form.main button")
    page.wait_for_url("**/app/today")


def add_todos(page: Page, url: str) -> None:
    for number in range(TODOS):
        form = {"text": f"Buy bread {number}", "list": "today", "key": str(number)}
        page.request.post(
            url + "/app/todos",
            form=form,
            headers={"Sec-Fetch-Site": "same-origin"},
            max_redirects=0,
        )


def visit(page: Page, address: str) -> dict[str, float]:
    page.goto(address, wait_until="networkidle")
    return page.evaluate(OBSERVE)


def main() -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        sync_playwright() as driver,
        serving(data_dir(folder), REGISTRATIONS_PER_HOUR="off") as server,
    ):
        browser = driver.chromium.launch(executable_path=find_chromium(), args=FLAGS)
        print("| page | width | LCP ms | TBT ms | CLS |\n|---|---|---|---|---|")
        for size in (DESK, PHONE):
            context = browser.new_context(viewport=size, service_workers="block")
            page = context.new_page()
            for name, path in (("log-in", "/app/login"), (f"Today, {TODOS} todos", "/app/today")):
                if path == "/app/today":
                    register(page, server.url, f"ana{size['width']}")
                    add_todos(page, server.url)
                found = [visit(page, server.url + path) for _ in range(VISITS)]
                values = [sorted(each[key] for each in found)[VISITS // 2] for key in found[0]]
                print(
                    f"| {name} | {size['width']} | {values[0]:.0f} | {values[1]:.0f} |",
                    values[2],
                    "|",
                )
            context.close()
        browser.close()


if __name__ == "__main__":
    main()
