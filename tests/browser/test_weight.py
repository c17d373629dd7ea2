"""The weight of a first visit: bytes, requests, and whether anything moves while it loads."""

import pytest

from tests.browser.conftest import DESK, PHONE

MOST_BYTES = 120_000
MOST_REQUESTS = 8
SHIFTS = """() => new Promise(done => {
    let sum = 0
    new PerformanceObserver(list => {
        for (const entry of list.getEntries()) sum += entry.value
    }).observe({ type: "layout-shift", buffered: true })
    setTimeout(() => done(sum), 200)
})"""


class Loaded:
    """What a page takes from the network, uncompressed; not from the service worker."""

    def __init__(self, page) -> None:
        self.sizes: dict[str, int] = {}
        page.on("requestfinished", self.note)

    def note(self, request) -> None:
        response = request.response()
        if not response.from_service_worker:
            self.sizes[request.url] = len(response.body())


def check(visit, path) -> None:
    page, loaded = visit.page, Loaded(visit.page)
    page.goto(visit.url + path, wait_until="networkidle")
    assert page.evaluate(SHIFTS) == 0
    assert 3 <= len(loaded.sizes) <= MOST_REQUESTS, loaded.sizes
    assert sum(loaded.sizes.values()) <= MOST_BYTES, loaded.sizes


@pytest.mark.parametrize("size", [DESK, PHONE])
def test_a_first_visit_is_light_and_nothing_moves(visiting, name, size):
    with visiting(size, locale="pt-BR") as visit:
        check(visit, "/app/login")
    with visiting(size, locale="pt-BR") as visit:
        visit.register(name)
        for number in range(10):
            visit.add(f"Comprar pão {number}")
            visit.page.wait_for_selector(f".todo >> text=pão {number}")
        cookies = visit.page.context.cookies()
    with visiting(size, locale="pt-BR") as visit:
        visit.page.context.add_cookies(cookies)
        check(visit, "/app/today")
        assert visit.page.locator(".todo").count() == 10
