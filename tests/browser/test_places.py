"""Projects, labels, filters and the trash, in Chromium."""

import pytest

from tests.browser.conftest import DESK, NARROW

LONG = "Reforma da cozinha e da área de serviço, com tudo o que falta comprar e combinar"
PATHS = ("projects", "labels", "filters", "done", "trash", "trash/empty", "upcoming")


def create(visit, path, **fields):
    visit.open(f"/app/{path}")
    for name, text in fields.items():
        visit.page.fill(f"#{name}", text)
    visit.page.click("main form.card .btn-main")
    visit.page.wait_for_selector(f"main >> text={fields['name'][:40]}")


@pytest.mark.parametrize("scripts", [True, False])
def test_a_project_from_its_creation_to_the_trash_and_back(visiting, name, scripts):
    with visiting(locale="pt-BR", java_script_enabled=scripts) as visit:
        page = visit.page
        visit.register(name)
        create(visit, "projects", name="Casa")
        assert page.inner_text("h1") == "Casa"
        for section in ("Esta semana", "Depois"):
            page.fill("#new-section", section)
            page.click("text=Adicionar seção")
            page.wait_for_selector(f"h2:has-text('{section}')")
        visit.add("Regar as plantas")
        page.wait_for_selector(".todo >> text=Regar as plantas")
        page.click(".acts >> text=Alterar")
        page.click("[aria-label='Acima: Depois']")
        page.wait_for_selector("p:visible:has-text('Posição alterada: “Depois” · 1/2')")
        assert page.input_value(".places input >> nth=0") == "Depois"
        page.click("text=Voltar ao projeto")
        page.click(".acts >> text=Excluir")
        page.wait_for_selector("p:visible:has-text('Na lixeira: “Casa”')")
        visit.open("/app/trash")
        assert "com 1 tarefa" in page.inner_text("#list")
        page.click("text=Restaurar")
        page.wait_for_selector("p:visible:has-text('De volta da lixeira: “Casa”')")
        page.click(".side >> text=Casa")
        page.wait_for_selector(".todo >> text=Regar as plantas")


def test_the_focus_stays_at_what_is_moved_or_deleted(visiting, name):
    with visiting(locale="en-US") as visit:
        page = visit.page
        visit.register(name)
        for project in ("One", "Two", "Three"):
            create(visit, "projects", name=project)
        visit.open("/app/projects")
        page.focus("[aria-label='Up: Three']")
        page.keyboard.press("Enter")
        page.wait_for_selector("text=Moved: “Three” · 2/3")
        assert visit.focused() == "BUTTON Up: Three"
        page.keyboard.press("Enter")
        page.wait_for_selector("text=Moved: “Three” · 1/3")
        assert visit.focused() == "BUTTON Up: Three"
        page.keyboard.press("Enter")  # it is the first one already
        assert page.inner_text(".places .what >> nth=0") == "Three"

        page.click("[aria-label='Change: One']")
        for section in ("A", "B", "C"):
            page.fill("#new-section", section)
            page.click("text=Add section")
            page.wait_for_selector(f"[aria-label='Delete: {section}']")
        page.focus("[aria-label='Delete: A']")
        page.keyboard.press("Enter")
        page.wait_for_selector("text=Section deleted: “A”")
        assert visit.focused() == "BUTTON Delete: B"


def test_an_undo_brings_back_what_was_deleted_where_it_was(visiting, name):
    with visiting(locale="en-US") as visit:
        page = visit.page
        visit.register(name)
        create(visit, "projects", name="Home")
        create(visit, "labels", name="errands")
        create(visit, "filters", name="Open", filter="is:open")
        for path, text in (("projects", "Home"), ("labels", "errands"), ("filters", "Open")):
            visit.open(f"/app/{path}")
            page.click(f"[aria-label='Change: {text}']")
            page.click("main .btn-danger")
            page.wait_for_selector(".toast")
            assert page.locator(".places").count() == 0
            page.click(".toast button")
            page.wait_for_selector(f".places >> text={text}")


def test_in_the_trash_and_in_what_is_done_the_next_row_has_the_focus(visiting, name):
    with visiting(locale="en-US") as visit:
        page = visit.page
        visit.register(name)
        for title in ("One", "Two"):
            visit.add(title)
            page.click(f"[aria-label='Complete: {title}']")
            page.wait_for_selector(f"text=Completed: “{title}”")
        visit.open("/app/done")
        page.focus("[aria-label='Reopen: Two']")
        page.keyboard.press("Enter")
        page.wait_for_selector("text=Reopened: “Two”")
        assert visit.focused() == "BUTTON Reopen: One"

        for project in ("One", "Two"):
            create(visit, "projects", name=project)
            page.click(".acts >> text=Delete")
            page.wait_for_selector(".toast")
        visit.open("/app/trash")
        page.focus("[aria-label='Restore: Two']")
        page.keyboard.press("Enter")
        page.wait_for_selector("text=Restored: “Two”")
        assert visit.focused() == "BUTTON Restore: One"
        page.keyboard.press("Enter")
        page.wait_for_selector("text=Restored: “One”")
        assert visit.focused() == "H1 Trash"


@pytest.mark.sweep(
    *(f"/app/{path}" for path in PATHS),
    "/app/filters/{filter_id}",
    "/app/filters/{filter_id}/edit",
    "/app/labels/{label_id}",
    "/app/labels/{label_id}/edit",
    "/app/projects/{project_id}",
    "/app/projects/{project_id}/edit",
    "/app/trash/{deletion_id}/delete",
)
@pytest.mark.parametrize("size", [NARROW, DESK])
def test_places_can_be_read_and_reached(visiting, name, size):
    with visiting(size, locale="pt-BR", has_touch=size is not DESK) as visit:
        page = visit.page
        visit.register(name)
        for path in PATHS:
            visit.open(f"/app/{path}")
            assert visit.overflow() == 0, path
        create(visit, "projects", name=LONG)
        project = visit.path()
        page.fill("#new-section", "a" * 100)
        page.click("text=Adicionar seção")
        page.wait_for_selector("h2:has-text('aaaa')")
        create(visit, "labels", name="a" * 50)
        page.click("main .places a >> nth=0")
        label = visit.path()
        create(visit, "projects", name=f"{LONG}, {LONG}"[:100])
        page.click(".acts >> text=Excluir")
        page.wait_for_selector(".toast")
        visit.open("/app/trash")
        deleted = page.get_attribute("main a[href$='/delete']", "href")
        create(visit, "filters", name=LONG, filter="vence:hoje prioridade>=alta")
        saved = visit.path()
        visit.open("/app/filters")
        page.fill("#name", "x")
        page.fill("#filter", "vence:hoje prioridade>=altta")
        page.click("main form.card .btn-main")
        page.wait_for_selector(".mistake mark")
        assert page.evaluate("document.activeElement.id") == "filter"
        assert visit.violations() == []
        places = [place.removeprefix("/app/") for place in (project, label, saved)]
        asked = deleted.removeprefix("/app/")
        for path in (*PATHS, *places, *(f"{place}/edit" for place in places), asked):
            visit.open(f"/app/{path}")
            assert visit.overflow() == 0, path
            assert visit.violations() == [], path
            if size is not DESK:
                small = page.evaluate(
                    "[...document.querySelectorAll('main :is(a, button, .in)')]"
                    ".filter(e => e.checkVisibility() && e.getBoundingClientRect().height < 43.5)"
                    ".map(e => e.outerHTML)"
                )
                assert small == [], path
