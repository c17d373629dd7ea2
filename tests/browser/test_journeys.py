"""What people do, in Chromium: each page once, in both languages, without scripts, on a phone."""

import re

import pytest

from tests.browser.conftest import DESK, NARROW, PASSWORD, PHONE

LONG = "Enviar o relatório semanal de entregas para a cooperativa, com os anexos e o termo " * 2


@pytest.mark.parametrize(
    ("locale", "heading", "completed", "undo", "log_in"),
    [
        ("pt-BR", "Hoje", "Concluída: “Pão”", "Desfazer", "Entrar"),
        ("en-US", "Today", "Completed: “Pão”", "Undo", "Log in"),
    ],
)
@pytest.mark.parametrize("scripts", [True, False])
def test_register_add_tick_undo_and_log_out(
    visiting, name, locale, heading, completed, undo, log_in, scripts
):
    with visiting(locale=locale, java_script_enabled=scripts, timezone_id="Asia/Tokyo") as visit:
        page = visit.page
        visit.open("/")
        assert page.inner_text("h1") == log_in
        visit.register(name)
        assert page.inner_text("h1") == heading
        assert page.get_attribute("html", "lang") == locale[:2] + locale[2:] * (locale[:2] == "pt")

        visit.add("Pão")
        page.wait_for_selector(".todo >> text=Pão")
        page.click(".todo .tick")
        page.wait_for_selector(f"p:visible:has-text('{completed}')")
        page.click(f"button:visible:has-text('{undo}')")
        page.wait_for_selector(".todo:not(.done-row) >> text=Pão")
        page.click(".side form[action='/app/logout'] button")
        page.wait_for_url("**/app/login")
        page.go_back()
        page.wait_for_url("**/app/login**")

        page.fill("#username", name)
        page.fill("#password", PASSWORD)
        page.click("form.main button")
        page.wait_for_url("**/app/today")
        assert page.locator(".todo").count() == 1


def test_the_focus_is_never_lost(visiting, name):
    with visiting(locale="en-US") as visit:
        page = visit.page
        visit.register(name)
        for title in ("One", "Two", "Three"):
            visit.add(title)
            page.wait_for_selector(f".todo >> text={title}")
            assert visit.focused().startswith("INPUT")
            assert page.input_value("#quick-text") == ""

        page.focus("[aria-label='Complete: Two']")
        page.keyboard.press("Enter")
        page.wait_for_selector("text=Completed: “Two”")
        assert visit.focused() == "BUTTON Complete: Three"
        page.keyboard.press("Enter")
        page.wait_for_selector("text=Completed: “Three”")
        assert visit.focused() == "BUTTON Complete: One"
        page.focus(".toast button")
        page.keyboard.press("Enter")
        page.wait_for_selector("[aria-label='Complete: Three']")
        assert visit.focused() == "BUTTON Complete: Three"
        page.focus("[aria-label='Complete: One']")
        page.keyboard.press("Enter")
        page.wait_for_selector("text=Completed: “One”")
        page.keyboard.press("Enter")
        page.wait_for_selector("text=All done for today.")
        assert visit.focused() == "H1 Today"


def test_a_toast_stays_ten_seconds_and_longer_while_it_has_the_focus(visiting, name):
    with visiting(locale="en-US") as visit:
        page = visit.page
        visit.register(name)
        visit.stop_clock()
        visit.add("Bread")
        page.clock.run_for(10)
        page.wait_for_selector(".toast")
        page.clock.fast_forward(9_000)
        assert page.locator(".toasts .toast").count() == 1
        page.focus(".toast button")
        page.clock.fast_forward(60_000)
        assert page.locator(".toasts .toast").count() == 1
        page.focus("#quick-text")
        page.clock.run_for(11_000)
        assert page.locator(".toasts .toast").count() == 0


def test_without_a_connection_what_was_written_stays(visiting, name):
    with visiting(locale="en-US") as visit:
        page = visit.page
        visit.register(name)
        page.context.set_offline(True)
        visit.add("Bread")
        page.wait_for_selector("#faults >> text=No connection.")
        assert page.input_value("#quick-text") == "Bread"
        page.context.set_offline(False)
        page.press("#quick-text", "Enter")
        page.wait_for_selector(".todo >> text=Bread")


def test_a_session_that_ended_elsewhere_leads_to_the_log_in(visiting, name):
    with visiting(locale="en-US") as visit, visiting(locale="en-US") as other:
        visit.register(name)
        other.open("/app/login?next=/app/settings/security")
        other.page.fill("#username", name)
        other.page.fill("#password", PASSWORD)
        other.page.click("form.main button")
        other.page.click("text=End all other sessions")
        other.page.wait_for_selector(".toast >> text=All other sessions are ended.")

        visit.add("Bread")
        visit.page.wait_for_url("**/app/login**")
        assert visit.page.inner_text("h1") == "Log in"


def test_the_secret_of_a_link_moves_into_the_form(visiting):
    with visiting(locale="en-US") as visit:
        page = visit.page
        visit.open("/account/password?lang=pt-BR#a-secret")
        assert page.inner_text("h1") == "Escolha uma nova senha"
        assert page.input_value("#token") == "a-secret"
        assert not page.is_visible("#token")
        assert page.url.endswith("/app/password")
        visit.open("/account/register?lang=en#invitation=abc&email=ana%40example.com")
        assert page.input_value("[name=invitation]") == "abc"
        assert page.input_value("#email") == "ana@example.com"


def test_errors_have_the_focus_and_what_was_written_stays(visiting):
    with visiting(locale="pt-BR") as visit:
        page = visit.page
        visit.open("/app/register")
        page.fill("#username", "a")
        page.fill("#email", "ana@example.com")
        page.click("form.main button")
        page.wait_for_selector("#username[aria-invalid=true]:focus")
        assert page.input_value("#email") == "ana@example.com"


GATES = ("login", "register", "forgotten", "password", "confirm", "nowhere", "offline")


@pytest.mark.sweep(
    *(f"/app/{path}" for path in GATES if path != "nowhere"),
    *("/app/today", "/app/inbox", "/app/upcoming", "/app/keys"),
)
@pytest.mark.parametrize("size", [NARROW, DESK])
def test_pages_are_accessible_and_nothing_scrolls_sideways(visiting, name, size):
    with visiting(size, locale="pt-BR") as visit:
        page = visit.page
        for path in GATES:
            visit.open(f"/app/{path}")
            assert visit.violations() == [], path
            assert visit.overflow() == 0, path
        visit.register(name)
        for title in ("Pão", LONG, "a" * 150):
            visit.add(title)
            page.wait_for_selector(f".todo >> text={title[:60]}")
        page.click(".todo .tick >> nth=0")
        page.wait_for_selector("text=Concluída:")
        for path in ("today", "inbox", "upcoming", "keys"):
            visit.open(f"/app/{path}")
            assert visit.violations() == [], path
            assert visit.overflow() == 0, path


def test_on_a_phone_everything_is_reached_by_the_bar(visiting, name):
    with visiting(PHONE, locale="pt-BR", has_touch=True) as visit:
        page = visit.page
        visit.register(name)
        for text in ("Próximos", "Entrada", "Hoje"):
            page.tap(f".bar a:has-text('{text}')")
            page.wait_for_selector(f".bar a[aria-current=page]:has-text('{text}')")
        page.tap(".bar button")
        page.wait_for_selector("#nav:popover-open")
        page.tap("#nav >> text=Caixa de entrada")
        page.wait_for_url("**/app/inbox")
        small = page.evaluate(
            "[...document.querySelectorAll('a, button, input:not([type=hidden])')]"
            ".filter(e => e.checkVisibility() && e.getBoundingClientRect().height < 44)"
            ".map(e => e.outerHTML)"
        )
        assert [each for each in small if not re.search('class="(skip|link)"', each)] == []
