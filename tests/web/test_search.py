"""Search: by words and by filters, with what was found marked."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
from sqlalchemy import text

from fast_zero.labels.models import TodoLabel
from fast_zero.web.presentation.found import found_of, pieces
from tests.factories import LabelFactory, TodoFactory
from tests.web.conftest import NASTY, errors, follow, heading, toast


@pytest.fixture
def todo(save, user):
    async def todo(title, owner=user, **values):
        [row] = await save(
            TodoFactory(
                owner_id=owner.id, title=title, **({"state": "todo", "description": ""} | values)
            )
        )
        return row

    return todo


async def search(reader, **query):
    return await reader.get("/app/search", params=query)


def found(response) -> list[str]:
    shown = re.findall(r'<a class="title"[^>]*><span>(.*?)</span>', response.text, re.DOTALL)
    return [unescape(re.sub("<[^>]*>", "", each)) for each in shown]


def marked(response) -> list[str]:
    return [unescape(each) for each in re.findall(r"<mark>(.*?)</mark>", response.text)]


async def test_words_are_found_and_marked(reader, todo, save, user):
    await todo("Buy the dark bread", description="From the baker, not the bread of the market.")
    labelled = await todo("Flour")
    [label] = await save(LabelFactory(owner_id=user.id, name="bread"))
    await save(TodoLabel(owner_id=user.id, todo_id=labelled.id, label_id=label.id))
    await todo("Milk")
    page = await search(reader, q="brea")

    assert heading(page) == "Search: brea"
    assert sorted(found(page)) == ["Buy the dark bread", "Flour"]
    assert sorted(marked(page)) == ["@bread", "bread", "bread"]
    assert '<p class="found">From the baker, not the <mark>bread</mark> of the market.</p>' in (
        page.text
    )
    assert 'type="search" id="search" name="q" value="brea"' in page.text


async def test_completed_tasks_are_found_on_demand(reader, todo):
    await todo("Old bread", state="done")
    await todo("No bread", state="trash")
    page = await search(reader, q="bread")
    assert "Nothing found" in page.text
    assert "search with completed ones" in page.text
    [address] = re.findall(r'href="([^"]+)">With completed ones', page.text)

    everything = await reader.get(unescape(address))
    assert found(everything) == ["Old bread"]
    assert "done-row" in everything.text


async def test_a_filter_is_combined_with_words(reader, todo):
    today = datetime.now(UTC).date()
    await todo("Bread", due_on=today)
    await todo("Bread for later", due_on=today + timedelta(days=9))
    await todo("Milk", due_on=today)

    assert found(await search(reader, filter="due:today")) == ["Bread", "Milk"]
    page = await search(reader, q="bread", filter="vence:hoje")
    assert found(page) == ["Bread"]
    assert 'href="/app/filters?filter=vence%3Ahoje"' in page.text
    assert "/app/filters?filter" not in (await search(reader, q="bread")).text


async def test_a_filter_finds_what_it_finds_when_it_is_saved(reader, todo):
    await todo("Old bread", state="done")
    await todo("New bread")

    assert found(await search(reader, filter="bread is:done")) == ["Old bread"]
    page = await search(reader, filter="bread")
    assert sorted(found(page)) == ["New bread", "Old bread"]
    assert "With completed ones" not in page.text


async def test_nothing_of_a_stranger_is_found(reader, todo, stranger):
    await todo("Their bread", owner=stranger)

    assert found(await search(reader, q="bread")) == []
    assert found(await search(reader, filter="bread")) == []


async def test_a_search_takes_three_statements(reader, todo, statements):
    for number in range(5):
        await todo(f"Bread {number}")
    with statements() as sent:
        page = await search(reader, q="bread", filter="not label:x")

    assert len(found(page)) == 5
    assert len(sent) == 3


async def test_without_words_it_says_how_to_search(reader, statements):
    with statements() as sent:
        page = await search(reader)

    assert heading(page) == "Search"
    assert "How to search" in page.text
    assert len(sent) == 2
    for address in re.findall(r'href="(/app/search\?[^"]+)"', page.text):
        assert (await reader.get(unescape(address))).status_code == 200


async def test_a_mistake_is_marked_in_the_filter(reader):
    page = await search(reader, filter="due:today and priority>=hihg or x")

    assert page.status_code == 422
    assert errors(page) == {"filter": "Column 25: expected none, low, medium, high or urgent."}
    assert "<code>due:today and priority&gt;=<mark>hihg or x</mark></code>" in page.text
    assert 'value="due:today and priority&gt;=hihg or x"' in page.text
    assert 'aria-invalid="true" autofocus' in page.text
    assert "/app/filters?filter" not in page.text


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ({"q": "a" * 201}, "q"),
        ({"q": "!?"}, "q"),
        ({"q": "a\x00b"}, "q"),
        ({"q": " ".join(f"w{i}" for i in range(21))}, "q"),
        ({"filter": "a" * 1001}, "filter"),
        ({"filter": "a\x00b"}, "filter"),
        ({"filter": "\u0301"}, "filter"),
    ],
)
async def test_what_cannot_be_looked_for_is_said_beside_its_field(reader, query, name):
    page = await search(reader, **query)

    assert page.status_code == 422
    assert list(errors(page)) == [name]


@pytest.mark.parametrize("query", [{"after": "x", "q": "bread"}, {"state": "x", "q": "bread"}])
async def test_an_address_that_nobody_was_shown_is_refused(reader, query):
    page = await search(reader, **query)

    assert (page.status_code, heading(page)) == (422, "That did not work")


@pytest.mark.parametrize("words", [*NASTY, "100%", "%(least)s", '"'])
async def test_what_is_looked_for_is_text(reader, words):
    for query in ({"q": words}, {"filter": words}, {"q": "x", "filter": words}):
        page = await search(reader, **query)
        assert page.status_code in {200, 422}
        assert "<img" not in page.text
        assert "<script>" not in page.text


async def test_many_results_have_pages(reader, save, user):
    await save(
        *(TodoFactory(owner_id=user.id, title=f"Bread {i}", state="todo") for i in range(70))
    )
    first = await search(reader, q="bread")
    [more] = re.findall(r'href="(/app/search\?[^"]*after=[^"]+)"', first.text)
    second = await reader.get(unescape(more))

    assert (len(found(first)), len(found(second))) == (50, 20)
    assert not set(found(first)) & set(found(second))
    assert "50+" in first.text


async def test_a_row_is_completed_in_place_and_opens_beside_the_results(reader, todo):
    row = await todo("Bread")
    page = await search(reader, q="bread")
    [next_] = re.findall(
        r'name="next" value="([^"]+)"', page.text.split('id="list"')[1].split("</form>")[0]
    )
    assert (await reader.get(f"/app/search?q=bread&todo={row.id}")).status_code == 200
    assert f'href="/app/search?q=bread&amp;todo={row.id}"' in page.text
    form = {"complete": row.id, "next": unescape(next_)}
    after = await follow(reader, await reader.post("/app/todos/act", data=form))

    assert toast(after) == "Completed: “Bread”"
    assert heading(after) == "Search: bread"
    assert found(after) == []


async def test_it_speaks_portuguese(reader, sessions, todo):
    async with sessions.begin() as session:
        await session.execute(text("UPDATE users SET language = 'pt-BR'"))
    await todo("Pão integral")
    assert found(await search(reader, q="pao")) == ["Pão integral"]
    page = await search(reader, filter="prioridade:x")
    assert errors(page) == {
        "filter": "Coluna 12: aqui se espera nenhuma, baixa, média, alta ou urgente."
    }
    tips = await search(reader)
    for address in re.findall(r'href="(/app/search\?[^"]+)"', tips.text):
        assert (await reader.get(unescape(address))).status_code == 200


def test_pieces_are_the_whole_text():
    ranges = [{"start": 0, "end": 1}, {"start": 2, "end": 4}]
    assert list(pieces("abcdef", ranges)) == [
        ("a", True),
        ("b", False),
        ("cd", True),
        ("ef", False),
    ]
    assert list(pieces("abc", [])) == [("abc", False)]


def test_an_excerpt_says_that_there_is_more():
    todo = {"title": "Bread", "description": "one two three"}
    excerpt = {"text": "two", "start": 4, "ranges": [{"start": 0, "end": 3}]}
    where = {"title": [], "description": excerpt, "labels": []}

    assert list(found_of(todo, where).notes) == [("… ", False), ("two", True), (" …", False)]
