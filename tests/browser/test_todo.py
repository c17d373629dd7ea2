"""A todo beside its list, in Chromium: the focus, what was typed, two tabs, no scripts."""

import pytest

from tests.browser.conftest import DESK, NARROW, PHONE

LONG = "Enviar o relatório semanal de entregas para a cooperativa, com os anexos e o termo " * 2


def open_todo(visit, title):
    visit.page.click(f"#list a.title:has-text('{title}')")
    visit.page.wait_for_selector("#detail:not([hidden]) #title")


def id_of(visit) -> str:
    return visit.page.evaluate("document.activeElement.id")


@pytest.fixture
def prepared(visiting, name):
    """Open Today with todos in it."""

    def prepared(visit, *titles):
        visit.register(name)
        for title in titles:
            visit.add(title)
            visit.page.wait_for_selector(f".todo >> text={title[:60]}")
        return visit.page

    return prepared


@pytest.mark.parametrize("scripts", [True, False])
def test_a_todo_is_opened_changed_undone_and_closed(visiting, prepared, scripts):
    with visiting(locale="pt-BR", java_script_enabled=scripts) as visit:
        page = prepared(visit, "Pão", "Leite")
        open_todo(visit, "Pão")
        assert page.inner_text("h1") == "Tarefa"
        page.fill("#title", "Pão de queijo")
        page.fill("#recurrence", "toda quinta-feira")
        page.check(".segments >> text=Urgente", force=True)
        page.click("#save")
        page.wait_for_selector("p:visible:has-text('Alterações salvas: “Pão de queijo”')")
        assert page.input_value("#recurrence") == "toda quinta"
        assert page.inner_text("#recurrence-hint").startswith("Próximas:")
        page.fill("#recurrence", "toda lua cheia")
        page.fill("#description", "fica aqui")
        page.click("#save")
        page.wait_for_selector("#recurrence-error")
        assert page.input_value("#recurrence") == "toda lua cheia"
        assert page.input_value("#description") == "fica aqui"
        assert id_of(visit) == "recurrence"
        page.fill("#recurrence", "")
        page.click("#save")
        page.wait_for_selector("p:visible:has-text('Alterações salvas:')")
        page.click("button:visible:has-text('Desfazer')")
        page.wait_for_selector("p:visible:has-text('Desfeito'), p:visible:has-text('Desfeita')")
        page.click("#close")
        page.wait_for_selector("#detail", state="hidden")
        assert page.inner_text("h1") == "Hoje"


def test_the_focus_follows_what_is_done_in_a_todo(visiting, prepared):
    with visiting(locale="en-US") as visit:
        page = prepared(visit, "Report", "Bread")
        open_todo(visit, "Report")
        assert id_of(visit) == "detail"
        for title in ("One", "Two"):
            page.fill("#subtask-text", title)
            page.press("#subtask-text", "Enter")
            page.wait_for_selector(f"#checklist >> text={title}")
            assert id_of(visit) == "subtask-text"
            assert page.input_value("#subtask-text") == ""
        page.focus("#checklist [aria-label='Complete: One']")
        page.keyboard.press("Enter")
        page.wait_for_selector("#checklist [aria-label='Reopen: One']")
        assert visit.focused() == "BUTTON Complete: Two"
        page.keyboard.press("Enter")
        page.wait_for_selector("#checklist [aria-label='Reopen: Two']")
        assert visit.focused() == "BUTTON Reopen: One"
        page.click("#reminders > summary")
        page.click("#remind-before")
        page.wait_for_selector("#r1")
        assert id_of(visit) == "remind-before"
        page.click("#r1 button")
        page.wait_for_selector("#r1", state="detached")
        assert page.evaluate("document.activeElement.closest('#reminders') !== null")
        page.click("#relations > summary")
        page.fill("#other", "e")
        page.click("#relate")
        page.wait_for_selector("#other-error")
        assert id_of(visit) == "other"
        page.click("#relations button.link:has-text('Bread')")
        page.wait_for_selector("#relations li >> text=Waits for Bread")
        assert page.evaluate("document.activeElement.closest('#relations') !== null")
        page.focus("#save")
        page.keyboard.press("Enter")
        page.wait_for_selector(".toast >> text=Saved")
        assert id_of(visit) == "save"
        page.keyboard.press("Escape")
        page.wait_for_selector("#detail", state="hidden")
        assert visit.focused() == "A Report"
        assert "todo=" not in page.url
        page.go_back()
        page.wait_for_selector("#detail:not([hidden])")
        assert id_of(visit) == "detail"


def test_what_was_typed_is_not_lost(visiting, prepared):
    with visiting(locale="en-US") as visit:
        page = prepared(visit, "Report", "Bread")
        open_todo(visit, "Report")
        visit.wait_for_module("panel.js")
        questions = []

        def refuse(dialog):
            questions.append(dialog.type)
            dialog.dismiss()

        page.once("dialog", refuse)
        page.fill("#title", "Typed")
        page.click("#list a.title:has-text('Bread')")
        page.once("dialog", refuse)
        page.keyboard.press("Escape")
        page.once("dialog", refuse)
        with page.expect_event("dialog"):
            page.go_back()
        assert questions == ["confirm"] * 3
        assert page.input_value("#title") == "Typed"
        assert "todo=" in page.url

        page.fill("#subtask-text", "Part")
        page.press("#subtask-text", "Enter")
        page.wait_for_selector("#checklist >> text=Part")
        page.click("#list [aria-label='Complete: Bread']")
        page.wait_for_selector(".toast >> text=Completed: “Bread”")
        assert page.input_value("#title") == "Typed"
        page.click("#save")
        page.wait_for_selector(".toast >> text=Saved: “Typed”")
        page.click("#close")
        page.wait_for_selector("#detail", state="hidden")
        assert questions == ["confirm"] * 3


def test_what_is_written_while_a_todo_is_being_saved_stays(visiting, prepared):
    with visiting(locale="en-US", service_workers="block") as visit:
        page = prepared(visit, "Report")
        open_todo(visit, "Report")
        visit.wait_for_module("panel.js")
        waiting = []

        def hold(route):
            waiting.append(route)

        page.route("**/app/todos/*", hold)
        page.fill("#subtask-text", "Part")
        page.fill("#title", "  Weekly   report ")
        page.check("#priority-high", force=True)
        page.click("#save")
        page.fill("#description", "meanwhile")
        while not waiting:
            page.wait_for_timeout(10)
        waiting[0].continue_()
        page.wait_for_selector(".toast >> text=Saved: “Weekly report”")
        page.unroute("**/app/todos/*")
        assert id_of(visit) == "description"
        assert page.input_value("#title") == "Weekly report"
        assert page.input_value("#description") == "meanwhile"
        assert page.input_value("#subtask-text") == "Part"
        page.click("#subtask button")
        page.wait_for_selector("#checklist >> text=Part")
        assert (id_of(visit), page.input_value("#subtask-text")) == ("subtask-text", "")
        assert page.input_value("#description") == "meanwhile"
        assert page.is_checked("#priority-high")
        page.click("#save")
        page.wait_for_selector(".toast >> text=Saved")
        page.fill("#title", "Weekly report ")
        page.click("#save")  # which changes nothing
        page.wait_for_selector(".toast:not(:has(button)) >> text=Saved")
        assert page.input_value("#title") == "Weekly report"
        page.keyboard.press("Escape")
        page.wait_for_selector("#detail", state="hidden")


def test_a_todo_stays_open_beside_what_is_done_in_its_list(visiting, prepared):
    with visiting(locale="en-US") as visit:
        page = prepared(visit, "Report", "Bread", "Milk", "Rice")
        open_todo(visit, "Report")
        visit.wait_for_module("panel.js")
        visit.add("Salt")
        page.wait_for_selector(".toast >> text=Added: “Salt”")
        page.click("#list [aria-label='Complete: Bread']")
        page.wait_for_selector(".toast >> text=Completed: “Bread”")
        assert page.is_visible("#title")
        page.fill("#description", "typed")
        page.click("#list a.title:has-text('Report')")  # asks nothing: it is open already
        page.focus("#list a.title:has-text('Report')")
        page.keyboard.press("?")
        page.wait_for_selector("dialog.help")
        page.keyboard.press("Escape")
        page.wait_for_selector("dialog.help", state="detached")
        assert page.input_value("#description") == "typed"
        page.focus("#row-acts [name=move_down]")
        page.keyboard.press("Enter")
        page.wait_for_selector(".toast >> text=“Report” is")
        assert visit.focused() == "BUTTON Move down"
        page.focus("[form=remove]")
        page.keyboard.press("Enter")
        page.wait_for_selector("#detail", state="hidden")
        assert visit.focused() == "BUTTON Complete: Milk"
        visit.add("Tea")
        page.wait_for_selector(".toast >> text=Added: “Tea”")
        assert "todo=" not in page.url


@pytest.mark.parametrize("size", [PHONE, DESK])
def test_a_todo_is_shown_from_its_top(visiting, prepared, size):
    with visiting(size, locale="en-US") as visit:
        page = prepared(visit, *[f"Task {number}" for number in range(1, 13)])
        open_todo(visit, "Task 12")
        page.click("#more > summary")
        page.click("#reminders > summary")
        page.evaluate("document.getElementById('detail').scrollTop = 400")
        if size == PHONE:
            page.click("#close")
            page.wait_for_selector("#detail", state="hidden")
            page.locator("#list a.title").last.scroll_into_view_if_needed()
        page.click("#list a.title:has-text('Task 11')")
        page.wait_for_selector("#list .open >> text=Task 11", state="attached")
        assert page.locator("#close").bounding_box()["y"] >= 0
        assert page.evaluate("document.getElementById('detail').scrollTop + scrollY") == 0


def test_an_added_task_leaves_the_todo_open_or_closed_as_it_was(visiting, prepared):
    with visiting(locale="en-US") as visit:
        page = prepared(visit, "Report")
        open_todo(visit, "Report")
        visit.wait_for_module("panel.js")
        visit.add("Bread")
        page.wait_for_selector(".todo >> text=Bread")
        assert page.is_visible("#detail #title")
        page.click("#close")
        page.wait_for_selector("#detail", state="hidden")
        visit.add("Milk")
        page.wait_for_selector(".todo >> text=Milk")
        assert "todo=" not in page.url
        assert page.is_hidden("#detail")


def test_without_a_connection_what_was_typed_stays(visiting, prepared):
    with visiting(locale="en-US") as visit:
        page = prepared(visit, "Report")
        open_todo(visit, "Report")
        visit.wait_for_module("panel.js")
        page.fill("#title", "Typed")
        page.context.set_offline(True)
        page.click("#save")
        page.wait_for_selector("#faults >> text=No connection.")
        page.context.set_offline(False)
        page.fill("#subtask-text", "Part")
        page.press("#subtask-text", "Enter")
        page.wait_for_selector("#checklist >> text=Part")
        assert page.input_value("#title") == "Typed"
        page.click("#save")
        page.wait_for_selector(".toast >> text=Saved: “Typed”")


@pytest.mark.parametrize("scripts", [True, False])
def test_two_tabs_see_both_versions(visiting, prepared, scripts):
    with visiting(locale="en-US", java_script_enabled=scripts) as visit:
        page = prepared(visit, "Report")
        open_todo(visit, "Report")
        other = page.context.new_page()
        for title, keep, then in (
            ("By ten", "Save my version", "With files"),
            ("By noon", "Keep what was saved", "By noon"),
        ):
            other.goto(page.url)
            other.fill("#title", title)
            other.click("#save")
            other.wait_for_selector("p:visible:has-text('Saved:')")
            page.fill("#title", "With files")
            page.fill("#description", f"Mine, not {title}")
            page.click("#save")
            page.wait_for_selector("#clash")
            assert page.inner_text("#clash h2") == "This task was changed elsewhere"
            assert page.locator("#clash mark").first.inner_text() == title
            assert page.input_value("#title") == "With files"
            if scripts:
                assert id_of(visit) == "clash"
            page.click(f"#clash button:has-text('{keep}')")
            page.wait_for_selector("#clash", state="detached")
            assert page.input_value("#title") == then
            assert "todo=" in page.url
        assert page.input_value("#description") == "Mine, not By ten"


def test_what_another_tab_has_changed_is_not_overwritten_after_a_swap(visiting, prepared):
    with visiting(locale="en-US") as visit:
        page = prepared(visit, "Report")
        open_todo(visit, "Report")
        visit.wait_for_module("panel.js")
        page.fill("#title", "Mine")
        other = page.context.new_page()
        other.goto(page.url)
        other.fill("#title", "Theirs")
        other.click("#save")
        other.wait_for_selector(".toast")
        for title in ("Part", "Piece"):
            page.fill("#subtask-text", title)
            page.press("#subtask-text", "Enter")
            page.wait_for_selector(f"#checklist >> text={title}")
            assert page.input_value("#title") == "Mine"
        page.click("#save")
        page.wait_for_selector("#clash mark:has-text('Theirs')")
        page.fill("#subtask-text", "Another")
        page.press("#subtask-text", "Enter")
        page.wait_for_selector("#checklist >> text=Another")
        assert page.input_value("#title") == "Mine"
        page.click("#save")
        page.wait_for_selector("#clash mark:has-text('Theirs')")


def test_a_repetition_is_shown_and_spoken_while_it_is_written(visiting, prepared):
    with visiting(locale="pt-BR") as visit:
        page = prepared(visit, "Pão")
        open_todo(visit, "Pão")
        visit.wait_for_module("panel.js")
        assert not page.is_visible("#recurrence-hint")
        page.fill("#due_on", "2100-01-01")
        page.fill("#recurrence", "toda lua cheia")
        page.wait_for_selector("#recurrence-hint >> text=Não entendemos")
        page.fill("#recurrence", "toda sexta-feira")
        page.wait_for_selector("#recurrence-hint .chip >> text=toda sexta")
        dates = page.locator("#recurrence-hint time")
        days = [each.get_attribute("datetime") for each in dates.all()]
        assert days == ["2100-01-08", "2100-01-15", "2100-01-22"]
        page.wait_for_selector("#recurrence-hint-said >> text=toda sexta", state="attached")
        assert visit.violations() == []
        page.fill("#due_on", "2100-01-08")
        page.wait_for_selector("#recurrence-hint time[datetime='2100-01-29']")
        page.fill("#quick-text", "Leite amanhã")
        page.wait_for_selector("#understood .chip >> text=amanhã")
        assert dates.count() == 3
        page.fill("#recurrence", "")
        page.wait_for_selector("#recurrence-hint", state="hidden")
        page.fill("#recurrence", "toda sexta")
        page.press("#recurrence", "Enter")
        page.wait_for_selector("p:visible:has-text('Alterações salvas:')")
        page.wait_for_timeout(500)
        assert page.inner_text("#recurrence-hint").startswith("Próximas:")


@pytest.mark.sweep("/app/today")
@pytest.mark.parametrize("size", [NARROW, DESK])
def test_a_todo_is_accessible_and_nothing_scrolls_sideways(visiting, prepared, picture, size, name):
    with visiting(size, locale="pt-BR") as visit:
        page = prepared(visit, LONG, "Pão")
        open_todo(visit, LONG[:40])
        visit.wait_for_module("panel.js")
        page.fill("#recurrence", "toda quinta-feira")
        page.fill("#description", "Usar o modelo **v3**.\n\n- a\n- " + "b" * 100)
        page.fill("#labels", "cliente, contrato, fiscal, " + "x" * 50)
        page.check(".segments >> text=Urgente", force=True)
        page.click("#save")
        page.wait_for_selector("p:visible:has-text('Alterações salvas:')")
        for title in ("Fechar os números", "a" * 150):
            page.fill("#subtask-text", title)
            page.press("#subtask-text", "Enter")
            page.wait_for_selector(f"#checklist >> text={title}")
        for block in ("more", "reminders", "relations", "history", "notes"):
            page.click(f"#{block} > summary")
        page.click("#remind-before")
        page.wait_for_selector("#r1")
        page.fill("#other", "Pão")
        page.click("#relate")
        page.wait_for_selector("#relations li")
        page.click("#skip")
        page.wait_for_selector("#history li")
        assert visit.violations() == []
        assert visit.overflow() == 0
        page.emulate_media(color_scheme="light")
        page.evaluate("document.getElementById('detail').scrollTo(0, 0); scrollTo(0, 0)")
        picture(visit, "top")
        page.evaluate("document.getElementById('subtasks').scrollIntoView()")
        picture(visit, "middle")
        page.evaluate("document.getElementById('relations').scrollIntoView()")
        picture(visit, "bottom")
        other = page.context.new_page()
        other.goto(page.url)
        other.fill("#title", "Outro título")
        other.click("#save")
        other.wait_for_selector(".toast")
        page.fill("#title", "Meu título")
        page.fill("#due_on", "2027-01-01")
        page.click("#save")
        page.wait_for_selector("#clash")
        assert visit.violations() == []
        assert visit.overflow() == 0
        page.emulate_media(color_scheme="dark")
        picture(visit, "clash")


def test_on_a_phone_targets_are_large(visiting, prepared):
    with visiting(PHONE, locale="pt-BR", has_touch=True) as visit:
        page = prepared(visit, "Pão")
        open_todo(visit, "Pão")
        page.fill("#subtask-text", "Parte")
        page.press("#subtask-text", "Enter")
        page.wait_for_selector("#checklist >> text=Parte")
        targets = "#detail :is(a, button, summary, input:not([type=hidden]))"
        small = page.evaluate(
            f"[...document.querySelectorAll('{targets}')]"
            ".filter(e => e.checkVisibility() && e.getBoundingClientRect().height < 44)"
            ".map(e => e.outerHTML)"
        )
        assert small == []


@pytest.mark.parametrize("scripts", [True, False])
def test_on_a_phone_faults_and_notices_are_seen_above_a_todo(visiting, prepared, scripts):
    with visiting(PHONE, locale="en-US", java_script_enabled=scripts) as visit:
        page = prepared(visit, "Bread", "Milk")
        open_todo(visit, "Bread")
        for kind, expected in (("blocked_by", "Saved"), ("blocks", "would wait for one another")):
            if not page.is_visible("#other"):
                page.click("#relations > summary")
            page.select_option("#kind", kind)
            page.fill("#other", "Milk")
            page.click("#relate")
            page.wait_for_selector(f"p:visible:has-text('{expected}')")
        assert page.locator("#faults").bounding_box()["y"] >= 0
        assert not page.is_visible("#quick")
        assert visit.overflow() == 0
