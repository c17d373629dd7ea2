"""The settings of the account in Chromium: with and without scripts, in both languages."""

import re

import pyotp
import pytest

from tests.browser.conftest import DESK, NARROW, PASSWORD, PHONE, Visit

PAGES = [
    "settings",
    "settings/profile",
    "settings/email",
    "settings/security",
    "settings/security/password",
    "settings/security/otp",
    "settings/security/recovery",
    "settings/security/otp/disable",
    "settings/tokens",
    "settings/delete",
]
LONG = "Para o painel da cozinha, que mostra só o que falta comprar e pagar nesta semana"
OTP = "/app/settings/security/otp"


def turn_on(visit) -> pyotp.TOTP:
    page = visit.page
    visit.open(OTP)
    page.fill("#current_password", PASSWORD)
    page.click("form.card .btn-main")
    totp = pyotp.TOTP(page.inner_text("#secret").replace(" ", ""))
    page.fill("#code", totp.now())
    page.click("form.card .btn-main")
    return totp


@pytest.mark.parametrize("scripts", [True, False])
def test_language_and_colours_change_at_once(visiting, name, scripts):
    with visiting(locale="pt-BR", java_script_enabled=scripts) as visit:
        page = visit.page
        visit.register(name)
        visit.open("/app/settings")
        page.select_option("#language", "en")
        page.select_option("#time_zone", "Asia/Kolkata")
        page.check("[name=theme][value=dark]", force=True)
        page.click("form.settings .btn-main")
        page.wait_for_selector("h1:has-text('Settings')")
        assert page.is_visible("p:visible:has-text('Your settings are saved.')")
        assert page.input_value("#time_zone") == "Asia/Kolkata"
        background = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert background == "rgb(17, 21, 20)"


@pytest.mark.parametrize("scripts", [True, False])
def test_turn_on_the_second_factor_log_in_with_it_and_turn_it_off(visiting, name, scripts):
    with visiting(locale="en-US", java_script_enabled=scripts) as visit:
        page = visit.page
        visit.register(name)
        visit.open(OTP)
        page.fill("#current_password", PASSWORD)
        page.click("form.card .btn-main")
        drawn = page.locator(".qr svg").bounding_box()
        assert drawn["width"] == drawn["height"] > 150
        totp = pyotp.TOTP(page.inner_text("#secret").replace(" ", ""))
        page.fill("#code", "000000")
        page.click("form.card .btn-main")
        page.wait_for_selector("#code[aria-invalid=true]")
        assert not page.is_visible(".qr")
        page.fill("#code", totp.now())
        page.click("form.card .btn-main")
        page.wait_for_selector("#codes")
        page.wait_for_load_state()
        codes = page.locator("#codes code").all_inner_texts()
        assert len(codes) == 10
        assert page.is_visible("[data-copy]") == page.is_visible("[data-print]") == scripts

        page.click(".side form[action='/app/logout'] button")
        page.fill("#username", name)
        page.fill("#password", PASSWORD)
        page.click("form.main button")
        page.fill("#code", codes[0])
        page.click("form.main button")
        page.wait_for_url("**/app/today")
        visit.open("/app/settings/security")
        assert page.is_visible("text=9 left")
        page.click("a:has-text('Turn off')")
        page.fill("#current_password", PASSWORD)
        page.fill("#code", codes[1])
        page.click("form.card .btn-danger")
        page.wait_for_selector("a:has-text('Turn on')")


def test_a_token_is_copied(visiting, name):
    with visiting(locale="en-US", permissions=["clipboard-read", "clipboard-write"]) as visit:
        page = visit.page
        visit.register(name)
        visit.open("/app/settings/tokens")
        page.click("form[aria-labelledby=new-token] .btn-main")
        page.wait_for_selector("#name:focus")
        page.fill("#name", "Backup")
        page.check("[name='todos:read']")
        page.click("form[aria-labelledby=new-token] .btn-main")
        token = page.inner_text("#token")
        page.click("[data-copy]")
        page.wait_for_selector("#copied:has-text('Copied')")
        assert page.evaluate("navigator.clipboard.readText()") == token
        page.click("text=I have kept it")
        page.click("button[name=token]")
        page.wait_for_selector(".toast:has-text('Token deleted: “Backup”')")
        assert visit.focused().startswith("H1 ")


def test_a_new_password_keeps_this_browser_and_ends_the_other(visiting, name):
    with visiting(locale="en-US") as visit, visiting(locale="en-US") as other:
        visit.register(name)
        other.open("/app/login")
        other.page.fill("#username", name)
        other.page.fill("#password", PASSWORD)
        other.page.click("form.main button")
        other.page.wait_for_url("**/app/today")
        page = visit.page
        visit.open("/app/settings/security")
        assert page.locator("button[name=end]").count() == 2
        visit.open("/app/settings/security/password")
        page.fill("#current_password", PASSWORD)
        page.fill("#password", "another long sentence")
        page.click("form.card .btn-main")
        page.wait_for_selector("text=This device")
        assert page.locator("button[name=end]").count() == 0
        other.open("/app/today")
        assert other.path() == "/app/login"


def log_in_another(visit, name) -> Visit:
    """Log out, and register somebody else, in another tab; return that tab."""
    tab = Visit(visit.page.context.new_page(), visit.url)
    tab.open("/app/today")
    tab.page.click("text=Log out")
    tab.page.wait_for_url("**/app/login")
    tab.register(f"{name}x")
    return tab


@pytest.mark.parametrize("scripts", [True, False])
def test_what_is_written_in_an_old_tab_is_not_saved_for_another_account(visiting, name, scripts):
    with visiting(locale="en-US", java_script_enabled=scripts) as visit:
        page = visit.page
        visit.register(name)
        visit.add("Bread")
        page.wait_for_selector(".todo >> text=Bread")
        tab = log_in_another(visit, name)
        visit.add("Milk")
        if scripts:
            page.wait_for_selector("#faults >> text=Another account is logged in")
            assert page.input_value("#quick-text") == "Milk"
            page.click("[aria-label='Complete: Bread']")
            page.wait_for_selector("#faults >> text=Another account is logged in")
            assert page.is_visible(".todo >> text=Bread")
        else:
            page.wait_for_selector("h1:has-text('Another account is logged in')")
            assert page.input_value("textarea[readonly]") == "Milk"
            assert visit.overflow() == 0
            page.click("text=Go to Today")
        tab.open("/app/today")
        assert tab.page.locator(".todo").count() == 0
        assert tab.errors == []


def test_an_old_tab_does_not_become_one_of_another_account_by_itself(visiting, name):
    with visiting(locale="en-US") as visit:
        page = visit.page
        visit.register(name)
        visit.add("Bread")
        page.wait_for_selector(".todo >> text=Bread")
        page.fill("#quick-text", "Milk")
        log_in_another(visit, name).add("Theirs")
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        page.wait_for_selector("#faults >> text=Another account is logged in now.")
        assert page.input_value("#quick-text") == "Milk"
        assert page.is_visible(".todo >> text=Bread")
        page.click(".side >> text=Inbox")
        page.wait_for_selector(f".who:has-text('{name}x')")


@pytest.mark.sweep(
    *(f"/app/{path}" for path in PAGES),
    "/app/login/code",
    "/app/settings/security/otp/confirm",
)
@pytest.mark.parametrize("size", [NARROW, DESK])
def test_settings_are_accessible_and_nothing_scrolls_sideways(visiting, name, size):
    with visiting(size, locale="pt-BR") as visit:
        page = visit.page
        visit.register(name)
        for path in PAGES:
            visit.open(f"/app/{path}")
            assert visit.violations() == [], path
            assert visit.overflow() == 0, path
        visit.open("/app/settings/profile")
        page.fill("#username", "a")
        page.fill("#display_name", "Maximiliano" * 9)
        page.click("form.settings .btn-main")
        page.wait_for_selector("#username:focus")
        assert visit.violations() == []
        page.fill("#username", name)
        page.fill("#bio", "a" * 400)
        assert visit.overflow() == 0
        page.click("form.settings .btn-main")
        page.wait_for_selector(".toast")
        assert visit.overflow() == 0
        visit.open("/app/settings/tokens")
        page.fill("#name", LONG)
        page.check("[name='todos:read']")
        page.click("form.settings .btn-main")
        page.wait_for_selector("#token")
        assert (visit.violations(), visit.overflow()) == ([], 0)
        visit.open("/app/settings/tokens")
        assert (visit.violations(), visit.overflow()) == ([], 0)
        turn_on(visit)
        assert (visit.violations(), visit.overflow()) == ([], 0)
        for path in ("security", "security/recovery", "security/otp/disable"):
            visit.open(f"/app/settings/{path}")
            assert (visit.violations(), visit.overflow()) == ([], 0), path
        page.context.clear_cookies()
        visit.open("/app/login")
        page.fill("#username", name)
        page.fill("#password", PASSWORD)
        page.click("form.main button")
        page.wait_for_url("**/app/login/code**")
        assert (visit.violations(), visit.overflow()) == ([], 0)
        page.fill("#code", "000000")
        page.click("form.main button")
        page.wait_for_selector("#code-error")
        assert (visit.violations(), visit.overflow()) == ([], 0)


def test_on_a_phone_every_control_can_be_met_by_a_finger(visiting, name):
    with visiting(PHONE, locale="pt-BR", has_touch=True) as visit:
        visit.register(name)
        for path in PAGES:
            visit.open(f"/app/{path}")
            small = visit.page.evaluate(
                "[...document.querySelectorAll('main :is(a, button, input, select, textarea)')]"
                ".filter(e => e.checkVisibility() && e.type !== 'hidden')"
                ".filter(e => (e.closest('label, .list > *') ?? e)"
                ".getBoundingClientRect().height < 44)"
                ".map(e => e.outerHTML)"
            )
            wrong = [each for each in small if not re.search('class="(skip|link)"', each)]
            assert wrong == [], path
