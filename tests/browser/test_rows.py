"""Rows in Chromium: their menu, keys, selection, dragging, and what other windows have changed."""

import pytest

from tests.browser.conftest import DESK, NARROW, PASSWORD, PHONE

MENU = "#menu:popover-open"


@pytest.fixture
def listed(visiting, name):
    """Return what opens an inbox with todos, in English."""

    def listed(visit, *titles, path="/app/inbox"):
        visit.register(name)
        visit.open(path)
        for title in titles:
            visit.add(title)
            visit.page.wait_for_selector(f".todo >> text={title}")

    return listed


def titles(visit) -> list[str]:
    return visit.page.locator("#list .todo .title").all_inner_texts()


def said(visit, text) -> None:
    visit.page.wait_for_selector(f".toasts >> text={text}")


def row(title: str, control: str = ".title") -> str:
    return f"#list .todo:has(.title:has-text('{title}')) {control}"


def open_menu(visit, title) -> None:
    visit.page.focus(row(title, "[data-menu]"))
    visit.page.keyboard.press("Enter")
    visit.page.wait_for_selector(MENU)


def test_the_menu_is_used_by_keys_alone(visiting, listed):
    with visiting(locale="en-US") as visit:
        listed(visit, "One", "Two", "Three")
        keyboard = visit.page.keyboard
        open_menu(visit, "Two")
        assert visit.focused() == "BUTTON Complete"
        for key, name in (
            ("ArrowDown", "A Edit"),
            ("ArrowUp", "BUTTON Complete"),
            ("ArrowUp", "BUTTON Delete"),
            ("ArrowDown", "BUTTON Complete"),
            ("End", "BUTTON Delete"),
            ("Home", "BUTTON Complete"),
        ):
            keyboard.press(key)
            assert visit.focused() == name
        keyboard.press("Escape")
        assert visit.focused() == "A More: Two"
        assert visit.page.locator(MENU).count() == 0

        open_menu(visit, "Two")
        for _ in range(2):
            keyboard.press("ArrowDown")
        assert visit.focused() == "BUTTON Move up"
        keyboard.press("Enter")
        said(visit, "“Two” is 1 of 3")
        assert (titles(visit), visit.focused()) == (["Two", "One", "Three"], "A More: Two")

        open_menu(visit, "One")
        keyboard.press("End")
        keyboard.press("Enter")
        said(visit, "Task moved to the trash: “One”")
        assert (titles(visit), visit.focused()) == (["Two", "Three"], "A More: Three")
        visit.page.click(".toast button")
        said(visit, "Undone")
        assert titles(visit) == ["Two", "One", "Three"]


def test_the_menu_postpones_labels_and_opens_what_it_is_about(visiting, listed):
    with visiting(locale="en-US") as visit:
        page = visit.page
        listed(visit, "One", "Two")
        page.hover(row("Two"))
        page.click(row("Two", "[data-menu]"))
        page.click(f"{MENU} >> text=Postpone")
        page.click(f"{MENU} >> text=Tomorrow")
        said(visit, "Due tomorrow: “Two”")
        assert page.inner_text(row("Two", ".due")) == "tomorrow"
        assert visit.focused() == "A More: Two"

        page.click(row("Two", "[data-menu]"))
        page.click(f"{MENU} >> text=Label…")
        page.fill(f"{MENU} >> [name=label_name]", "shop")
        page.keyboard.press("Enter")
        said(visit, "Labelled @shop: “Two”")
        page.click(row("One", "[data-menu]"))
        page.click(row("One", "[data-menu]"))
        assert page.locator(MENU).count() == 0
        page.click(row("One", "[data-menu]"))
        page.click(f"{MENU} >> text=Edit")
        page.wait_for_selector("#detail:visible >> text=One")
        assert page.locator(MENU).count() == 0
        visit.wait_for_module("panel.js")
        page.keyboard.press("Escape")
        page.wait_for_selector("#detail", state="hidden")
        assert visit.focused() == "A One"


def test_rows_move_by_keys_and_keep_the_focus(visiting, listed):
    with visiting(locale="en-US") as visit:
        page = visit.page
        listed(visit, "One", "Two", "Three")
        page.focus(row("Three"))
        page.keyboard.press("Alt+ArrowUp")
        said(visit, "“Three” is 2 of 3")
        assert visit.focused() == "A Three"
        page.keyboard.press("Alt+ArrowDown")
        page.keyboard.press("Alt+ArrowUp")
        page.keyboard.press("Alt+ArrowUp")
        said(visit, "“Three” is 1 of 3")
        assert (titles(visit), visit.focused()) == (["Three", "One", "Two"], "A Three")


def test_shortcuts(visiting, listed):
    with visiting(locale="en-US") as visit:
        page, keyboard = visit.page, visit.page.keyboard
        listed(visit, "One", "Two", "Three")
        page.focus("#head [tabindex]")
        for key, name in (("j", "One"), ("j", "Two"), ("j", "Three"), ("j", "Three"), ("k", "Two")):
            keyboard.press(key)
            page.wait_for_selector(row(name) + ":focus")
        keyboard.press("Control+x")
        keyboard.press("x")
        said(visit, "Completed: “Two”")
        assert visit.focused() == "A Three"
        keyboard.press("m")
        page.wait_for_selector(MENU)
        keyboard.press("Escape")
        page.focus(row("Three"))
        keyboard.press("e")
        page.wait_for_selector("#detail:visible")
        visit.wait_for_module("panel.js")
        keyboard.press("Escape")
        page.wait_for_selector("#detail", state="hidden")
        assert visit.focused() == "A Three"
        keyboard.press("?")
        page.wait_for_selector("dialog >> text=Keyboard shortcuts")
        assert visit.violations() == []
        keyboard.press("j")
        keyboard.press("Escape")
        page.wait_for_selector("dialog", state="detached")
        assert visit.focused() == "A Three"
        keyboard.press("/")
        assert page.evaluate("document.activeElement.id") == "search"
        keyboard.type("gt?xq")
        assert page.input_value("#search") == "gt?xq"
        page.focus(row("Three"))
        keyboard.press("q")
        assert page.evaluate("document.activeElement.id") == "quick-text"
        keyboard.type("jxq?/")
        assert page.input_value("#quick-text") == "jxq?/"
        assert titles(visit) == ["One", "Three"]
        page.focus(row("One"))
        keyboard.press("g")
        keyboard.press("t")
        page.wait_for_url("**/app/today")
        keyboard.press("g")
        keyboard.press("i")
        page.wait_for_url("**/app/inbox")


def test_the_first_key_works_at_once(visiting, listed):
    with visiting(locale="en-US") as visit:
        listed(visit, "One")
        visit.open("/app/inbox")
        visit.page.keyboard.press("/")
        visit.page.wait_for_selector("#search:focus")
        assert visit.page.input_value("#search") == ""


def test_shortcuts_can_be_switched_off(visiting, listed, name):
    with visiting(locale="en-US") as visit:
        page = visit.page
        listed(visit, "One", "Two")
        request = page.request
        form = {"username": f"{name}@example.com", "password": PASSWORD}
        token = request.post(f"{visit.url}/auth/token", form=form).json()["access_token"]
        headers = {"Authorization": f"Bearer {token}"}
        answer = request.patch(
            f"{visit.url}/users/me", data={"keyboard_shortcuts": False}, headers=headers
        )
        assert answer.ok
        visit.open("/app/inbox")
        page.focus(row("Two"))
        for key in ("x", "q", "e", "?", "Alt+ArrowUp", "Shift+X"):
            page.keyboard.press(key)
        page.wait_for_timeout(300)
        assert (titles(visit), visit.focused()) == (["One", "Two"], "A Two")
        assert page.locator("dialog, #detail:visible, .toasts .toast").count() == 0
        open_menu(visit, "Two")
        page.keyboard.press("Escape")
        assert visit.focused() == "A More: Two"


def test_many_are_selected_with_the_mouse(visiting, listed):
    with visiting(locale="en-US") as visit:
        page = visit.page
        listed(visit, "One", "Two", "Three", "Four", "Five")
        page.click(row("Two"), modifiers=["Shift"])
        page.click(row("Four"), modifiers=["Shift"])
        assert page.inner_text(".many-count") == "3 selected"
        page.click(row("Three"))
        assert page.inner_text(".many-count") == "2 selected"
        assert visit.violations() == []
        page.click("#many >> text=Postpone")
        page.click("#many >> text=Tomorrow")
        said(visit, "Due tomorrow: 2 tasks")
        assert page.locator("#list .due").count() == 2
        assert not page.is_visible("#many")
        assert visit.focused() == "A Two"
        page.click(row("Two"), modifiers=["Shift"])
        page.click("#many [data-end]")
        assert not page.is_visible("#many")
        assert page.locator(".pick:checked").count() == 0
        assert titles(visit) == ["One", "Two", "Three", "Four", "Five"]


@pytest.mark.parametrize("options", [{"modifiers": ["Control"]}, {"button": "middle"}])
@pytest.mark.parametrize("is_selecting", [False, True])
def test_a_title_opens_in_a_new_tab_as_links_do(visiting, listed, options, is_selecting):
    with visiting(locale="en-US") as visit:
        page = visit.page
        listed(visit, "One", "Two")
        if is_selecting:
            page.click(row("One"), modifiers=["Shift"])
        address = page.get_attribute(row("Two"), "href")
        with page.context.expect_page() as opened:
            page.click(row("Two"), **options)
        opened.value.wait_for_selector("#detail:visible >> text=Two")
        assert opened.value.url == visit.url + address
        assert page.url == f"{visit.url}/app/inbox"
        assert page.locator(".pick:checked").count() == is_selecting
        assert page.is_visible("#many") == is_selecting


def test_many_are_selected_by_keys(visiting, listed):
    with visiting(locale="en-US") as visit:
        page, keyboard = visit.page, visit.page.keyboard
        listed(visit, "One", "Two", "Three", "Four")
        page.focus(row("Two"))
        keyboard.press("Shift+X")
        page.wait_for_selector("#many:visible")
        assert visit.focused() == "INPUT Select: Two"
        keyboard.press("Shift+J")
        assert page.inner_text(".many-count") == "2 selected"
        keyboard.press("j")
        keyboard.press("x")
        assert page.inner_text(".many-count") == "3 selected"
        keyboard.press("Space")
        assert page.inner_text(".many-count") == "2 selected"
        keyboard.press("Escape")
        assert (visit.focused(), page.is_visible("#many")) == ("A Four", False)

        page.focus(row("Two"))
        keyboard.press("Shift+X")
        keyboard.press("Shift+J")
        page.focus("#many [name=delete]")
        keyboard.press("Enter")
        said(visit, "Moved to the trash: 2 tasks")
        assert (titles(visit), visit.focused()) == (["One", "Four"], "A Four")
        page.focus(".toast button")
        keyboard.press("Enter")
        said(visit, "Undone")
        assert titles(visit) == ["One", "Two", "Three", "Four"]


def test_what_is_selected_stays_so_after_a_refusal_and_another_act(visiting, listed):
    with visiting(locale="en-US") as visit:
        page = visit.page
        listed(visit, "One", "Two", "Three")
        page.click(row("Two"), modifiers=["Shift"])
        page.click("#many >> text=Label…")
        page.click("#many [name=label]")
        page.wait_for_selector("#faults >> text=This cannot be a label.")
        assert page.inner_text(".many-count") == "1 selected"
        assert page.locator(".pick:checked").count() == 1
        visit.add("Four")
        page.wait_for_selector(".todo >> text=Four")
        assert page.locator(".pick:checked").count() == 1
        page.fill("#many [name=label_name]", "shop")
        page.keyboard.press("Enter")
        said(visit, "Labelled @shop: “Two”")
        assert not page.is_visible("#many")


def middle(visit, selector) -> tuple[float, float]:
    box = visit.page.locator(selector).bounding_box()
    return box["x"] + 120, box["y"] + box["height"] / 2


def drag(visit, title, onto, by=0) -> None:
    """Drag a row onto what a selector finds, and hold it there."""
    mouse = visit.page.mouse
    mouse.move(*middle(visit, row(title, "")))
    mouse.down()
    visit.wait_for_module("drag.js")
    x, y = middle(visit, onto)
    mouse.move(x, y + by - 5, steps=4)
    mouse.move(x, y + by, steps=2)


def test_a_row_is_dragged_with_the_mouse(visiting, listed):
    with visiting(locale="en-US") as visit:
        page, mouse = visit.page, visit.page.mouse
        listed(visit, "One", "Two", "Three", "Four")

        drag(visit, "Four", row("Two", ""), -10)
        assert page.locator(".dragged").count() == 1
        assert page.locator(row("Two", "").strip() + ".drop-before").count() == 1
        mouse.up()
        said(visit, "“Four” is 2 of 4")
        assert (titles(visit), visit.focused()) == (["One", "Four", "Two", "Three"], "A Four")
        assert page.url.endswith("/app/inbox")

        drag(visit, "One", row("Three", ""), 10)
        page.keyboard.press("Escape")
        mouse.up()
        assert titles(visit) == ["One", "Four", "Two", "Three"]
        assert page.locator(".dragged, .drop-after, .drop-before").count() == 0

        drag(visit, "One", row("Three", ""), 10)
        mouse.up()
        said(visit, "“One” is 4 of 4")
        assert titles(visit) == ["Four", "Two", "Three", "One"]
        page.click(row("Two"))
        page.wait_for_selector("#detail:visible >> text=Two")


def in_sections(visit) -> dict[str, list[str]]:
    """Return the titles below each heading of a project."""
    groups = visit.page.locator("#list .group").all()
    return {
        group.locator("h2").inner_text(): group.locator(".title").all_inner_texts()
        for group in groups
    }


@pytest.fixture
def sectioned(name):
    """Return what opens a project with three todos and two empty sections, in English."""

    def sectioned(visit) -> None:
        page = visit.page
        visit.register(name)
        visit.open("/app/projects")
        page.fill("[name=name]", "Home")
        page.press("[name=name]", "Enter")
        page.wait_for_url("**/app/projects/*")
        for section in ("Soon", "Later"):
            page.fill("#new-section", section)
            page.press("#new-section", "Enter")
            page.wait_for_selector(f"h2 >> text={section}")
        for title in ("One", "Two", "Three"):
            visit.add(title)
            page.wait_for_selector(f".todo >> text={title}")

    return sectioned


def test_a_row_is_dragged_between_sections(visiting, sectioned):
    with visiting(locale="en-US") as visit:
        page, mouse = visit.page, visit.page.mouse
        sectioned(visit)
        assert in_sections(visit) == {
            "In no section": ["One", "Two", "Three"],
            "Soon": [],
            "Later": [],
        }

        soon, later = (f".group:has(h2:has-text('{name}'))" for name in ("Soon", "Later"))
        drag(visit, "Two", f"{soon} .nothing")
        assert page.locator(f"{soon} .drop-into").count() == 1
        mouse.up()
        said(visit, "“Two” is 1 of 1")
        assert visit.focused() == "A Two"
        expected = {"In no section": ["One", "Three"], "Soon": ["Two"], "Later": []}
        assert in_sections(visit) == expected

        drag(visit, "Two", row("Two", ""), 10)
        assert page.locator(".dragged").count() == 1
        assert page.locator(".drop-into, .drop-before, .drop-after").count() == 0
        mouse.up()
        assert in_sections(visit) == expected

        drag(visit, "One", row("Two", ""), 10)
        assert page.locator(row("Two", "").strip() + ".drop-after").count() == 1
        mouse.up()
        said(visit, "“One” is 2 of 2")
        expected = {"In no section": ["Three"], "Soon": ["Two", "One"], "Later": []}
        assert in_sections(visit) == expected

        drag(visit, "Three", f"{later} .nothing")
        mouse.up()
        said(visit, "“Three” is 1 of 1")
        assert in_sections(visit) == {"Soon": ["Two", "One"], "Later": ["Three"]}
        drag(visit, "One", row("Three", ""), -10)
        mouse.up()
        said(visit, "“One” is 1 of 2")
        assert in_sections(visit) == {"Soon": ["Two"], "Later": ["One", "Three"]}
        page.click(".toast button")
        said(visit, "Undone")
        assert in_sections(visit) == {"Soon": ["Two", "One"], "Later": ["Three"]}
        visit.open(page.url.removeprefix(visit.url))
        assert in_sections(visit) == {"Soon": ["Two", "One"], "Later": ["Three"]}


def test_a_row_is_dragged_with_a_finger_after_a_long_press(visiting, listed):
    with visiting(PHONE, locale="en-US", has_touch=True, is_mobile=True) as visit:
        page = visit.page
        listed(visit, "One", "Two", "Three")
        touch = page.context.new_cdp_session(page)

        def send(kind, *points):
            points = [{"x": x, "y": y} for x, y in points]
            touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

        x, y = middle(visit, row("Three", ""))
        _, top = middle(visit, row("One", ""))
        send("touchStart", (x, y))
        page.wait_for_selector(".dragged")
        for step in range(1, 6):
            send("touchMove", (x, y + (top - 12 - y) * step / 5))
        send("touchEnd")
        said(visit, "“Three” is 1 of 3")
        assert titles(visit) == ["Three", "One", "Two"]


@pytest.fixture
def other(visiting):
    """Do something in another window of the same person."""

    def other(visit, do) -> None:
        page = visit.page.context.new_page()
        page.goto(f"{visit.url}/app/inbox")
        do(page)
        page.close()

    return other


def come_back(visit) -> None:
    with visit.page.expect_response("**/app/changes**"):
        visit.page.evaluate("dispatchEvent(new Event('focus'))")


def test_what_another_window_has_changed_is_shown_on_return(visiting, listed, other):
    with visiting(locale="en-US") as visit:
        page = visit.page
        listed(visit, "One", "Two")
        with page.expect_response("**/app/changes**"):
            visit.open("/app/inbox")

        def add(window):
            window.fill("#quick-text", "From elsewhere")
            window.press("#quick-text", "Enter")
            window.wait_for_selector(".todo >> text=From elsewhere")

        other(visit, add)
        page.fill("#quick-text", "not sent yet")
        page.focus(row("Two"))
        come_back(visit)
        page.wait_for_selector(".todo >> text=From elsewhere")
        assert visit.focused() == "A Two"
        assert page.input_value("#quick-text") == "not sent yet"
        assert page.inner_text("#nav a[href='/app/inbox'] .num").startswith("3")
        with page.expect_response("**/app/changes**") as answer:
            page.evaluate("dispatchEvent(new Event('focus'))")
        assert answer.value.status == 204


def test_on_return_nothing_is_taken_that_somebody_is_in_the_middle_of(visiting, listed, other):
    with visiting(locale="en-US") as visit:
        page = visit.page
        listed(visit, "One", "Two")
        with page.expect_response("**/app/changes**"):
            visit.open("/app/inbox")
        page.click(row("Two"))
        visit.wait_for_module("panel.js")
        page.fill("#labels", "half a wo")

        def complete(window):
            window.click(".todo .tick >> nth=0")
            window.wait_for_selector("text=Completed: “One”")

        other(visit, complete)
        come_back(visit)
        page.wait_for_selector(row("One"), state="detached")
        assert page.input_value("#labels") == "half a wo"
        assert page.evaluate("document.activeElement.id") == "labels"

        page.fill("#labels", "")
        page.keyboard.press("Escape")
        page.wait_for_selector("#detail", state="hidden")
        open_menu(visit, "Two")
        other(visit, lambda window: window.goto(f"{visit.url}/app/today"))
        come_back(visit)
        assert page.locator(MENU).count() == 1


@pytest.mark.parametrize("size", [DESK, PHONE])
def test_all_of_it_works_without_scripts(visiting, listed, name, size):
    with visiting(size, locale="pt-BR", java_script_enabled=False) as visit:
        page = visit.page
        visit.register(name)
        visit.open("/app/inbox")
        for title in ("Um", "Dois", "Três"):
            visit.add(title)
        page.click(row("Três", "[data-menu]"), force=True)
        page.click("#row-acts >> text=Mover para cima")
        page.wait_for_selector("p:visible:has-text('“Três” é a 2 de 3')")
        page.click(".detail-head [name=delete]")
        page.wait_for_selector("p:visible:has-text('Tarefa movida para a lixeira: “Três”')")
        page.click("button:visible:has-text('Desfazer')")
        page.wait_for_load_state()
        assert titles(visit) == ["Um", "Três", "Dois"]
        page.click(".foot >> text=Selecionar tarefas")
        page.check(row("Um", ".pick"))
        page.check(row("Dois", ".pick"))
        page.click("#many >> text=Concluir")
        page.wait_for_selector("p:visible:has-text('Concluídas: 2 tarefas')")
        page.wait_for_load_state()
        assert titles(visit) == ["Três"]


@pytest.mark.sweep("/app/inbox")
@pytest.mark.parametrize("size", [NARROW, DESK])
def test_menu_and_bar_are_accessible_and_fit(visiting, listed, size):
    options = {"has_touch": True} if size != DESK else {}
    with visiting(size, locale="pt-BR", **options) as visit:
        page = visit.page
        listed(visit, "Um", "a" * 150, "Três")
        page.click(row("Um", "[data-menu]"), force=True)
        page.wait_for_selector(MENU)
        for each in page.locator(f"{MENU} summary").all():
            each.click()
            box = page.locator(MENU).bounding_box()
            assert box["y"] >= 0
            assert box["y"] + box["height"] <= size["height"]
        assert (visit.violations(), visit.overflow()) == ([], 0)
        small = page.evaluate(
            "[...document.querySelectorAll('#menu :is(a, button, select, input, summary)')]"
            ".filter(e => e.checkVisibility() && e.getBoundingClientRect().height < 44).length"
        )
        assert size == DESK or small == 0
        page.click(f"{MENU} >> text=Selecionar")
        page.wait_for_selector("#many:visible")
        for each in page.locator("#many summary").all():
            each.click()
            assert visit.overflow() == 0
        assert visit.violations() == []
        page.keyboard.press("Escape")
        page.keyboard.press("Escape")
        assert not page.is_visible("#many")
