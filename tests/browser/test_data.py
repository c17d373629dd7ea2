"""Settings for emails and data, and administration, in Chromium."""

import pytest

from tests.browser.conftest import DESK, NARROW, PASSWORD, PHONE
from tests.processes import run

CSV = "title,due_on,extra\n" + "".join(f"Tarefa {n},2026-12-04,x\n" for n in range(30))
LONG = "a" * 60


def choose(page, content: str = CSV, name: str = "tarefas.csv") -> None:
    file = {"name": name, "mimeType": "text/csv", "buffer": content.encode()}
    page.set_input_files("#file", file)


@pytest.fixture
def promote(server):
    """Make a user an administrator, who has to log in again."""

    def promote(visit, name):
        run(server.log.parent / "data", "users", "promote", name).check_returncode()
        visit.open("/app/login")
        visit.page.fill("#username", name)
        visit.page.fill("#password", PASSWORD)
        visit.page.click("form.main button")
        visit.page.wait_for_url("**/app/today")

    return promote


@pytest.mark.parametrize("scripts", [True, False])
def test_a_file_is_imported_and_the_import_undone(visiting, name, scripts):
    with visiting(locale="pt-BR", java_script_enabled=scripts) as visit:
        page = visit.page
        visit.register(name)
        visit.open("/app/settings/data")
        page.click("text=Só verificar")
        page.wait_for_selector("text=Escolha um arquivo.")
        if scripts:
            assert page.evaluate("document.activeElement.id") == "file"
        choose(page)
        page.click("button:text-is('Importar')")
        page.wait_for_url("**/imports/*")
        page.wait_for_selector("text=Pronta: criou 30 tarefas")
        assert page.inner_text(".side [href='/app/inbox'] .num >> nth=0").startswith("30")

        button = page.locator("#settings form[action$='/undo'] button")
        button.focus()
        page.keyboard.press("Enter")
        undone = "Desfeita: o que ela criou está na lixeira"
        page.wait_for_selector(f"h2:text-is('{undone}')")
        if scripts:  # it is told; or it has the focus, if it had ended before the page was shown
            told = f"#toasts[role=status] .sr:text-is('{undone}')"
            page.wait_for_selector(f"{told}, h2:focus", state="attached")
            focus = "H1 Importação" if page.locator(told).count() else f"H2 {undone}"
            assert visit.focused().startswith(focus)
        assert page.inner_text(".side [href='/app/inbox'] .num >> nth=0").startswith("0")


def test_an_export_is_saved_as_a_file(visiting, name):
    with visiting(locale="en-US") as visit:
        page = visit.page
        visit.register(name)
        visit.add("Bread")
        page.wait_for_selector(".todo >> text=Bread")
        visit.open("/app/settings/data")
        with page.expect_download() as saving:
            page.click("a[href$='/todos.csv']")
        saved = saving.value
        assert saved.suggested_filename.endswith(".csv")
        assert "Bread" in saved.path().read_text()
        assert visit.path() == "/app/settings/data"


@pytest.mark.parametrize("scripts", [True, False])
def test_the_address_of_a_calendar_is_made_and_removed(visiting, name, scripts):
    with visiting(locale="en-US", java_script_enabled=scripts) as visit:
        page = visit.page
        visit.register(name)
        visit.open("/app/settings/data")
        page.click("text=Make an address")
        address = page.input_value("#address")
        assert page.request.get(address).text().startswith("BEGIN:VCALENDAR")
        page.click("text=Back to your data")
        page.click("text=Replace or remove the address")
        page.click("button:visible:has-text('Remove')")
        page.wait_for_selector("p:visible:has-text('The address of your calendar is removed.')")
        assert page.request.get(address).status == 404


@pytest.mark.parametrize("scripts", [True, False])
def test_emails_are_chosen(visiting, name, scripts):
    with visiting(locale="pt-BR", java_script_enabled=scripts) as visit:
        page = visit.page
        visit.register(name)
        visit.open("/app/settings/messages")
        page.check("text=Respostas")
        page.fill("#default_reminder_time", "")
        page.click("text=Salvar")
        page.wait_for_selector("#default_reminder_time-error")
        assert page.is_checked("#email_reply")
        if scripts:
            assert page.evaluate("document.activeElement.id") == "default_reminder_time"
        page.fill("#default_reminder_time", "08:00")
        page.click("text=Salvar")
        page.wait_for_selector("p:visible:has-text('Salvos: e-mails e lembretes')")
        assert page.is_checked("#email_reply")
        assert page.input_value("#default_reminder_time") == "08:00"


@pytest.mark.sweep(
    "/app/settings/data",
    "/app/settings/data/feed",
    "/app/settings/data/imports/{import_id}",
    "/app/settings/messages",
)
@pytest.mark.parametrize("size", [NARROW, DESK])
def test_settings_are_accessible_and_nothing_scrolls_sideways(visiting, name, size):
    with visiting(size, locale="pt-BR") as visit:
        page = visit.page
        visit.register(name)
        visit.open("/app/settings/data")
        choose(page, f"title,due_on,{LONG}\n{LONG},x,1\n")
        page.click("button:text-is('Importar')")
        page.wait_for_selector("text=Falhou: nada foi importado")
        report = visit.path()
        visit.open("/app/settings/data")
        page.click("text=Criar um endereço")
        page.wait_for_selector("#address")
        assert visit.violations() == []
        assert visit.overflow() == 0
        for path in ("/app/settings/messages", "/app/settings/data", report):
            visit.open(path)
            for folded in page.locator("#settings summary").all():
                folded.click()
            assert visit.violations() == [], path
            assert visit.overflow() == 0, path


def test_an_account_is_disabled_and_enabled_and_the_focus_stays(visiting, name, promote):
    with visiting(locale="pt-BR") as visit, visiting(locale="pt-BR") as other:
        page = visit.page
        other.register(f"{name}x")
        visit.register(name)
        promote(visit, name)
        page.click("text=Administração")
        page.fill("#q", f"{name}X")
        page.press("#q", "Enter")
        page.wait_for_url("**/app/administration?q=*")
        page.focus("button:has-text('Desativar')")
        page.keyboard.press("Enter")
        page.wait_for_selector(f".toast:has-text('Desativada: “{name}x”')")
        assert visit.focused() == f"BUTTON Ativar @{name}x"
        other.open("/app/today")
        assert other.path() == "/app/login"
        page.keyboard.press("Enter")
        page.wait_for_selector("button:has-text('Desativar')")
        assert visit.focused() == f"BUTTON Desativar @{name}x"


def test_somebody_is_invited_without_scripts(visiting, name, promote):
    with visiting(locale="pt-BR", java_script_enabled=False) as visit:
        page = visit.page
        visit.register(name)
        promote(visit, name)
        visit.open("/app/administration/invitations")
        page.fill("#email", f"{name}@example.org")
        page.click("button:text-is('Convidar')")
        page.wait_for_selector(f"p:visible:has-text('Convite a caminho de {name}@example.org')")
        page.click(f"button:has-text('Revogar {name}@example.org')")
        page.wait_for_selector("p:visible:has-text('Revogado')")


@pytest.mark.sweep(
    "/app/administration",
    "/app/administration/accounts/{user_id}",
    "/app/administration/invitations",
)
@pytest.mark.parametrize("size", [NARROW, DESK])
def test_administration_is_accessible_and_nothing_scrolls_sideways(visiting, name, size, promote):
    with visiting(size, locale="pt-BR") as visit:
        page = visit.page
        visit.register(name)
        promote(visit, name)
        visit.open("/app/administration/invitations")
        page.fill("#email", f"{LONG}@example.org")
        page.click("button:text-is('Convidar')")
        page.wait_for_selector("#open + .list b")
        visit.open("/app/administration")
        page.click(f"a:has-text('@{name}')")
        page.wait_for_selector("#events")
        account = visit.path()
        for path in ("/app/administration", "/app/administration/invitations", account):
            visit.open(path)
            assert visit.violations() == [], path
            assert visit.overflow() == 0, path


def test_on_a_phone_everything_is_large_enough(visiting, name, promote):
    with visiting(PHONE, locale="pt-BR", has_touch=True) as visit:
        page = visit.page
        visit.register(name)
        promote(visit, name)
        for path in ("settings/messages", "settings/data", "administration"):
            visit.open(f"/app/{path}")
            small = page.evaluate(
                "[...document.querySelectorAll('main :is(a, button, select, summary, .in)')]"
                ".filter(e => e.checkVisibility() && e.getBoundingClientRect().height < 44"
                # which grows over its row
                " && getComputedStyle(e, '::after').position !== 'absolute')"
                ".map(e => e.outerHTML)"
            )
            assert small == [], path
