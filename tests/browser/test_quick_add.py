"""The line at the top while it is written, and search: what only a browser shows."""

import time

import pytest

from tests.browser.conftest import DESK, NARROW


def chips(page) -> list[str]:
    return page.locator("#understood .chip").all_inner_texts()


def test_what_is_understood_is_shown_while_it_is_written(visiting, name):
    with visiting(locale="pt-BR") as visit:
        page = visit.page
        visit.register(name)
        page.focus("#quick-text")
        page.keyboard.type("Comprar pão amanhã às 9h @mercado !alta a cada 2 semanas #nada")
        page.wait_for_selector("#understood >> text=não há projeto #nada")
        assert page.inner_text("#understood strong") == "Comprar pão #nada"
        assert chips(page) == [
            "amanhã, 09:00",
            "mercado",
            "Alta",
            "a cada 2 semanas",
            "não há projeto #nada",
        ]
        page.fill("#quick-text", 'Ler "amanhã"')
        page.wait_for_selector('#understood strong >> text=Ler "amanhã"')
        assert chips(page) == []
        page.fill("#quick-text", "")
        page.wait_for_selector("#understood", state="hidden")


def test_it_is_spoken_after_a_pause_of_a_second(visiting, name):
    with visiting(locale="en-US") as visit:
        page = visit.page
        visit.register(name)
        visit.stop_clock()
        page.fill("#quick-text", "Bread tomorrow")
        page.clock.run_for(250)
        page.wait_for_selector("#understood .chip")
        page.clock.run_for(900)
        assert page.text_content("#understood-said") == ""
        page.clock.run_for(200)
        assert page.text_content("#understood-said").split() == [
            "Understood:",
            "Bread",
            "tomorrow",
        ]


def test_an_older_answer_never_overtakes_a_newer_one(visiting, name):
    with visiting(locale="en-US") as visit:
        page = visit.page
        visit.register(name)

        def answer(route):
            if "today" in route.request.url:
                time.sleep(0.5)
            route.continue_()

        page.route("**/app/quick-add**", answer)
        page.fill("#quick-text", "Bread today")
        page.wait_for_timeout(300)
        page.fill("#quick-text", "Bread tomorrow")
        page.wait_for_selector("#understood .chip >> text=tomorrow")
        page.wait_for_timeout(700)
        assert chips(page) == ["tomorrow"]


def test_what_is_written_while_a_task_is_sent_is_sent_after_it(visiting, name):
    with visiting(locale="en-US") as visit:
        page = visit.page
        visit.register(name)

        def slowly(route):
            time.sleep(0.5)
            route.continue_()

        page.route("**/app/todos", slowly)
        for title in ("One", "One", "Two", "Two"):
            visit.add(title)
        page.wait_for_selector(".todo >> text=Two")
        page.wait_for_timeout(1500)
        assert page.locator(".todo .title").all_inner_texts() == ["One", "Two"]
        assert page.input_value("#quick-text") == ""


def test_what_is_added_by_the_button_leaves_the_focus_in_the_line(visiting, name):
    with visiting(locale="en-US") as visit:
        page = visit.page
        visit.register(name)
        page.fill("#quick-text", "Bread tomorrow")
        page.wait_for_selector("#understood .chip")
        page.click("#quick button")
        page.wait_for_selector(".toast >> text=Added: “Bread” · tomorrow")
        assert page.evaluate("document.activeElement.id") == "quick-text"
        assert not page.is_visible("#understood")
        page.click(".toast >> text=Show")
        page.wait_for_url("**/app/upcoming?todo=*")
        assert page.inner_text("h1") == "Task"


def test_a_line_that_is_refused_stays_and_has_the_focus(visiting, name):
    with visiting(locale="en-US") as visit:
        page = visit.page
        visit.register(name)
        page.fill("#quick-text", "tomorrow")
        page.click("#quick button")
        page.wait_for_selector("#faults >> text=Nothing is left for a title.")
        assert page.input_value("#quick-text") == "tomorrow"
        assert page.evaluate("document.activeElement.id") == "quick-text"


def test_without_scripts_it_adds_once_and_says_what_was_understood(visiting, name):
    with visiting(locale="pt-BR", java_script_enabled=False) as visit:
        page = visit.page
        visit.register(name)
        page.fill("#quick-text", "Pão amanhã às 9h !alta")
        page.dblclick("#quick button")
        page.wait_for_selector("p:visible:has-text('Adicionada: “Pão” · amanhã, 09:00 · Alta')")
        page.click("a:visible:has-text('Mostrar')")
        page.wait_for_url("**/app/upcoming?todo=*")
        visit.open("/app/upcoming")
        assert page.locator(".todo").count() == 1
        page.fill("#quick-text", "amanhã")
        page.press("#quick-text", "Enter")
        page.wait_for_selector("#faults >> text=Não sobra nada para o título.")
        assert page.input_value("#quick-text") == "amanhã"


@pytest.mark.sweep("/app/today", "/app/search")
@pytest.mark.parametrize("size", [NARROW, DESK])
def test_search_is_accessible_and_nothing_scrolls_sideways(visiting, name, size):
    with visiting(size, locale="pt-BR") as visit:
        page = visit.page
        visit.register(name)
        lines = {
            "Pão @mercado !alta #nada": "não há projeto #nada",
            f"Pão{'o' * 150} amanhã": "· amanhã",
            "Leite": "“Leite”",
        }
        for line, said in lines.items():
            visit.add(line)
            page.wait_for_selector(f".toast >> text={said}")
        page.fill("#quick-text", f"Pão @{'a' * 50} amanhã às 9h toda semana #{'x' * 80}")
        page.wait_for_selector("#understood .chip")
        assert visit.violations() == []
        assert visit.overflow() == 0
        for query in (
            "",
            "?q=p%C3%A3o",
            "?q=nada",
            "?filter=prioridade:x",
            "?filter=prioridade:alta",
            f"?filter=etiqueta:{'a' * 200}&q={'x' * 200}",
            "?q=!",
        ):
            visit.open(f"/app/search{query}")
            assert visit.violations() == [], query
            assert visit.overflow() == 0, query


def test_a_result_is_opened_completed_and_taken_back(visiting, name):
    with visiting(locale="en-US") as visit:
        page = visit.page
        visit.register(name)
        for title in ("Dark bread", "White bread"):
            visit.add(title)
            page.wait_for_selector(f".todo >> text={title}")
        page.fill("#search", "bread")
        page.press("#search", "Enter")
        page.wait_for_url("**/app/search?q=bread")
        assert page.locator(".todo mark").all_inner_texts() == ["bread", "bread"]
        page.click(".todo .title >> nth=0")
        page.wait_for_selector("#detail h1")
        page.click("#detail .icon >> nth=0")
        page.wait_for_selector("#detail", state="hidden")
        page.click(".todo .tick >> nth=0")
        page.wait_for_selector(".toast >> text=Completed:")
        assert page.locator(".todo").count() == 1
        page.click(".toast button")
        page.wait_for_selector(".todo >> nth=1")


def suggested(page, form) -> list[str]:
    return page.locator(f"{form} .suggested:visible button").all_inner_texts()


def test_labels_are_suggested_where_they_are_written(visiting, name):
    with visiting(locale="pt-BR") as visit:
        page, keyboard = visit.page, visit.page.keyboard
        visit.register(name)
        visit.add('Um @mercado @"mês que vem" @água')
        page.wait_for_selector(".todo >> text=Um")
        page.focus("#quick-text")
        keyboard.type("Pão @me")
        page.wait_for_selector("#quick .suggested button")
        assert suggested(page, "#quick") == ["@mercado", "@mês que vem"]
        assert visit.violations() == []
        keyboard.type("rc")
        page.wait_for_selector("#quick .suggested:not(:has(button + button)) >> text=@mercado")
        page.click("#quick .suggested button")
        assert page.input_value("#quick-text") == "Pão @mercado "
        assert suggested(page, "#quick") == []
        keyboard.type("@MES")
        page.click("#quick .suggested >> text=@mês que vem")
        assert page.input_value("#quick-text") == 'Pão @mercado @"mês que vem" '
        page.wait_for_selector("#understood .chip >> text=mês que vem")
        keyboard.type("@")
        page.wait_for_selector("#quick .suggested button")
        assert suggested(page, "#quick") == ["@água", "@mercado", "@mês que vem"]
        keyboard.press("Backspace")
        keyboard.press("Enter")
        page.wait_for_selector(".todo:has-text('Pão') >> text=@mês que vem")

        page.click(".todo:has-text('Pão') .title")
        page.wait_for_selector("#detail:visible")
        page.fill("#labels", "mercado, m")
        page.wait_for_selector("#todo .suggested >> text=@mês que vem")
        assert suggested(page, "#todo") == ["@mês que vem"]
        page.fill("#labels", "casa, agu")
        page.wait_for_selector("#todo .suggested >> text=@água")
        page.keyboard.press("Tab")
        assert visit.focused() == "BUTTON @água"
        page.keyboard.press("Enter")
        assert page.input_value("#labels") == "casa, água"
        assert suggested(page, "#todo") == []
        page.click("#save")
        page.wait_for_selector(".toasts >> text=Alterações salvas")
        page.fill("#labels", "cas")
        page.wait_for_selector("#todo .suggested >> text=@casa")
        page.fill("#labels", "casa, água")

        page.focus(".todo:has-text('Um') [data-menu]")
        keyboard.press("Enter")
        page.click("#menu >> text=Etiqueta")
        page.type("#menu [name=label_name]", "cas")
        page.click("#menu .suggested >> text=@casa")
        keyboard.press("Enter")
        page.wait_for_selector(".todo:has-text('Um') >> text=@casa")
