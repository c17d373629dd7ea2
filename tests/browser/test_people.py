"""The feed, profiles, notifications and blocked people, in Chromium."""

import re

import httpx2
import pytest

from tests.browser.conftest import DESK, NARROW, PASSWORD

LONG = "Troquei a lista de sessenta itens por três por dia. " * 5 + "a" * 200


class Api:
    """What somebody else does meanwhile, by the API."""

    def __init__(self, url: str, name: str) -> None:
        self.client = httpx2.Client(base_url=url, timeout=60)
        new = {"username": name, "email": f"{name}@example.com", "password": PASSWORD}
        self.client.post("/users", json=new)
        token = self.client.post("/auth/token", data={"username": name, "password": PASSWORD})
        self.client.headers["Authorization"] = f"Bearer {token.json()['access_token']}"
        self.name, self.id = name, self.id_of(name)

    def id_of(self, name: str) -> int:
        return self.client.get(f"/users/by-name/{name}").json()["id"]

    def post(self, text: str, **values: object) -> int:
        return self.client.post("/posts", json={"text": text, **values}).json()["id"]

    def put(self, path: str) -> None:
        assert self.client.put(path).status_code == 204


@pytest.fixture
def other(server, name):
    other = Api(server.url, f"{name}x")
    yield other
    other.client.close()


@pytest.mark.parametrize("scripts", [True, False])
def test_find_follow_like_reply_edit_delete_and_block(visiting, name, other, scripts):
    other.post("O pão está no forno.", visibility="followers")
    with visiting(locale="pt-BR", java_script_enabled=scripts) as visit:
        page = visit.page
        visit.register(name)
        visit.open("/app/feed")
        page.click("text=Encontrar pessoas")
        page.fill("#username", other.name)
        page.click("main button:has-text('Buscar')")
        page.wait_for_url(f"**/people/{other.name}")
        assert page.locator(".post").count() == 0
        page.click("button:has-text('Seguir')")
        page.wait_for_selector("button:has-text('Deixar de seguir')")

        visit.open("/app/feed")
        page.click(".post button[name=like]")
        page.wait_for_selector(".post button[aria-pressed=true]")
        page.click(".post a[href$='#text']")
        page.fill("#text", "Parabéns!")
        page.click("#send")
        page.wait_for_selector("ol .post >> text=Parabéns!")

        page.click("ol .post >> text=Editar")
        page.fill("#text", "Parabéns, e bom apetite!")
        page.click("text=Salvar")
        page.wait_for_selector("ol .post >> text=editada")
        page.click("ol .post >> text=Excluir")
        page.click("main button:has-text('Excluir')")
        page.wait_for_selector(".post")
        assert page.locator("ol .post").count() == 0

        visit.open(f"/app/people/{other.name}")
        page.click("#blocking summary")
        page.click("#blocking button")
        page.wait_for_url("**/app/settings/blocked")
        page.wait_for_selector(f"p:visible:has-text('Você bloqueou {other.name}')")
        page.click("main button:has-text('Desbloquear')")
        page.wait_for_selector("text=Você não bloqueia ninguém")


def test_the_focus_stays_and_what_is_being_written_is_kept(visiting, name, other):
    with visiting(locale="en-US") as visit:
        page = visit.page
        visit.register(name)
        visit.open("/app/feed")
        page.fill("#text", "First")
        assert page.inner_text("#left") == "495"
        page.select_option("[name=visibility]", "private")
        page.focus("#publish")
        page.keyboard.press("Enter")
        page.wait_for_selector(".post >> text=First")
        assert page.evaluate("document.activeElement.id") == "text"
        assert page.input_value("#text") == ""
        page.wait_for_selector("#left:has-text('500')")

        page.fill("#text", "Being written")
        page.select_option("[name=visibility]", "private")
        page.focus(".post button[name=like]")
        page.keyboard.press("Enter")
        page.wait_for_selector(".post button[aria-pressed=true]")
        assert visit.focused().startswith("BUTTON 1 like")
        assert page.input_value("#text") == "Being written"
        assert page.input_value("[name=visibility]") == "private"

        page.fill("#text", "   ")
        page.focus("#publish")
        page.keyboard.press("Enter")
        page.wait_for_selector("#text-error")
        assert page.evaluate("document.activeElement.id") == "text"
        assert page.input_value("[name=visibility]") == "private"

        visit.open(f"/app/people/{other.name}")
        page.focus("#follow")
        page.keyboard.press("Enter")
        page.wait_for_selector("text=You follow")
        assert visit.focused() == "BUTTON Unfollow"


def test_the_badge_changes_with_what_is_read(visiting, name, other):
    with visiting(locale="en-US") as visit:
        page = visit.page
        visit.register(name)
        visit.open("/app/feed")
        page.fill("#text", "Bread")
        page.click("#publish")
        page.wait_for_selector(".post >> text=Bread")
        number = int(page.get_attribute(".post", "id").removeprefix("p"))
        other.put(f"/posts/{number}/like")
        other.put(f"/users/{other.id_of(name)}/follow")
        other.post("Good", reply_to=number)

        visit.open("/app/notifications")
        assert page.inner_text(".side .count").startswith("3")
        page.focus(".news li:first-child button")
        page.keyboard.press("Enter")
        page.wait_for_selector(".side .count:has-text('2')")
        assert visit.focused() == "BUTTON Mark as read"
        assert page.locator(".news .unread").count() == 2
        page.click("text=Mark all as read")
        page.wait_for_selector(".side .count", state="detached")
        assert visit.focused() == "H1 Notifications"


@pytest.mark.parametrize("scripts", [True, False])
def test_a_double_click_posts_once(visiting, name, scripts):
    with visiting(locale="en-US", java_script_enabled=scripts) as visit:
        page = visit.page
        visit.register(name)
        visit.open("/app/feed")
        page.fill("#text", "Hello")
        page.dblclick("#publish")
        page.wait_for_selector("p:visible:has-text('Posted: “Hello”')")
        visit.open(f"/app/people/{name}")
        assert page.locator(".post").count() == 1


@pytest.mark.sweep(
    "/app/feed",
    "/app/notifications",
    "/app/people",
    "/app/people/{username:path}",
    "/app/posts/{post_id}",
    "/app/posts/{post_id}/delete",
    "/app/posts/{post_id}/edit",
    "/app/posts/{post_id}/likes",
    "/app/settings/blocked",
)
@pytest.mark.parametrize("size", [NARROW, DESK])
def test_pages_are_accessible_and_nothing_scrolls_sideways(visiting, name, other, size):
    with visiting(size, locale="pt-BR", has_touch=size != DESK) as visit:
        page = visit.page
        visit.register(name)
        own = other.id_of(name)
        other.put(f"/users/{own}/follow")
        top = other.post(LONG)
        below = other.post("a" * 300, reply_to=top)
        other.post("https://example.com/" + "b" * 300, reply_to=other.post(LONG, reply_to=below))
        other.client.patch("/users/me", json={"bio": LONG, "display_name": "W" * 100})
        visit.open("/app/feed")
        page.fill("#text", LONG)
        page.click("#publish")
        page.wait_for_selector(".post >> text=Troquei")
        number = int(page.get_attribute(".post", "id").removeprefix("p"))
        other.put(f"/posts/{number}/like")
        paths = [
            "feed",
            "feed?of=all",
            "feed?of=liked",
            f"posts/{top}",
            f"posts/{number}/likes",
            f"posts/{number}/edit",
            f"posts/{number}/delete",
            "people",
            "people?username=nobody",
            f"people/{name}",
            f"people/{other.name}",
            f"people/{other.name}?show=replies",
            f"people/{name}?show=followers",
            "notifications",
            "notifications?unread=true",
            "settings/blocked",
        ]
        for path in paths:
            visit.open(f"/app/{path}")
            assert visit.violations() == [], path
            assert visit.overflow() == 0, path
            if size != DESK:
                assert small(page) == [], path
        visit.open(f"/app/people/{other.name}")
        page.click("#blocking summary")
        page.click("#blocking button")
        page.wait_for_url("**/app/settings/blocked")
        assert visit.violations() == []
        assert visit.overflow() == 0


def small(page) -> list[str]:
    """Return the controls that a finger misses: under 44 px, and not within a line of text."""
    found = page.evaluate(
        "[...document.querySelectorAll('main :is(a, button, input:not([type=hidden]), summary)')]"
        ".filter(e => e.checkVisibility() && e.getBoundingClientRect().height < 44"
        " && getComputedStyle(e).display !== 'inline'"
        " && getComputedStyle(e, '::after').position !== 'absolute')"  # it grows over its row
        ".map(e => e.outerHTML)"
    )
    return [each for each in found if not re.search('class="when"|<bdi>', each)]
