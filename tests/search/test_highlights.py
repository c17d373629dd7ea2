"""Where the words of `q` are in what it finds."""

from unicodedata import normalize

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from fast_zero.search.highlights import LENGTH, excerpt, found_positions, spans
from tests.factories import TodoFactory


@pytest.mark.parametrize(
    ("found", "positions"),
    [
        ([], set()),
        ([[1, 1, 1, 4], [1, 1, 1, 9]], {4, 9}),
        ([[1, 1, 1, 4], [2, 1, 1, 5], [2, 1, 1, 4]], {4, 5}),
        ([[1, 2, 1, 4], [1, 2, 2, 5], [1, 2, 2, 9]], {4, 5}),
        ([[1, 2, 2, 4], [1, 2, 1, 5]], set()),
        ([[1, 3, 1, 1], [1, 3, 2, 2], [1, 3, 3, 3], [1, 3, 1, 2]], {1, 2, 3}),
    ],
)
def test_the_parts_of_a_word_follow_one_another(found, positions):
    assert found_positions(found) == positions


def test_an_excerpt_is_around_the_first_word_that_was_found():
    text = "word " * 100
    words = spans(text, None)

    found = excerpt(text, words, [words[50], words[52], words[99]])

    assert len(found["text"]) <= LENGTH
    assert text[found["start"] :].startswith(found["text"])
    assert (found["text"][:4], found["text"][-4:]) == ("word", "word")
    starts = [(each["start"], each["end"]) for each in found["ranges"]]
    assert len(starts) == 2
    assert all(found["text"][start:end] == "word" for start, end in starts)


@given(
    text=st.text("aé -\U0001f35e", max_size=900) | st.text(max_size=900),
    wanted=st.sets(st.integers(0, 200), max_size=5),
)
def test_an_excerpt_contains_whole_words(text, wanted):
    words = spans(text, None)
    marked = [span for index, span in enumerate(words) if index in wanted]

    found = excerpt(text, words, marked)

    assert (found is None) == (not marked)
    if found is not None:
        ranges = [
            (each["start"] + found["start"], each["end"] + found["start"])
            for each in found["ranges"]
        ]
        assert ranges[0] == marked[0]
        assert ranges == marked[: len(ranges)]
        assert text[found["start"] :].startswith(found["text"])
        assert len(found["text"]) <= max(LENGTH, marked[0][1] - found["start"])


async def marked(client, q, **params) -> list[tuple[list[str], list[str], list[str]]]:
    """Return the words that are marked in the titles and the excerpts, and the labels."""
    response = await client.get("/todos", params={"q": q, **params})
    assert response.status_code == 200, response.text
    found = []
    for todo in response.json()["todos"]:
        highlight = todo["highlight"]
        title = cut(todo["title"], highlight["title"])
        shown = highlight["description"]
        if shown is not None:
            start = shown["start"]
            part = todo["description"][start : start + len(shown["text"])]
            assert part == shown["text"]
        description = cut(shown["text"], shown["ranges"]) if shown else []
        found.append((title, description, highlight["labels"]))
    return found


def cut(text: str, ranges: list[dict[str, int]]) -> list[str]:
    return [text[each["start"] : each["end"]] for each in ranges]


@pytest.mark.parametrize(
    ("q", "title", "description", "labels"),
    [
        ("pao", ["Pão"], ["pão"], []),
        ("pão", ["Pão", "pães"], ["pão"], []),
        ("compras", ["Comprar"], ["comprei"], []),
        ("forno", [], ["forno"], []),
        ("pad", ["padaria"], ["padeiro"], []),
        ("comprar padaria", ["Comprar", "padaria"], ["comprei"], []),
        ('"padaria de pao"', [], [], None),
        ('"pao na padaria"', ["Pão", "na", "padaria"], [], []),
        ("meeting", [], ["meetings"], []),
        ("pão-de-queijo", [], ["pão", "de", "queijo"], []),
        ("<b>", [], ["b", "b"], []),
        ("casa", [], [], ["Casa"]),
        ("casa padari", ["padaria"], [], ["Casa"]),
        ("fim", [], [], ["Fim de mês"]),
        ("ultimo", [], ["último"], []),
    ],
)
async def test_what_was_found_is_marked(client, q, title, description, labels):
    todo = {
        "title": "\U0001f35e Comprar Pão na padaria, pães!",
        "description": "\U0001f35e\ufe0f\u200d Já comprei do <b>padeiro</b> um pão-de-queijo; ao "
        "forno.\nTwo meetings \u2014 o último: हिन्दी e\u0301 \uff26\uff35 \uff11.",
        "labels": ["Casa", "Fim de mês"],
    }
    assert (await client.post("/todos", json=todo)).status_code == 201

    found = await marked(client, q)

    assert found == ([] if labels is None else [(title, description, labels)])


async def test_only_what_is_looked_for_is_marked(client, save, user):
    await save(TodoFactory(owner_id=user.id, title="Buy bread"))

    [todo] = (await client.get("/todos")).json()["todos"]

    assert "highlight" not in todo
    assert await marked(client, "bread", title="buy") == [(["bread"], [], [])]


async def test_a_word_far_down_is_in_the_excerpt(client):
    description = "é uma longa história. " * 400 + "No fim, pão! " + "Mais texto. " * 600
    todo = {"title": "Longo", "description": description}
    assert (await client.post("/todos", json=todo)).status_code == 201

    assert await marked(client, "pao") == [([], ["pão"], [])]
    assert await marked(client, "pao", sort="relevance") == [([], ["pão"], [])]


WORDS = text(
    "SELECT array_agg(token) FILTER (WHERE tokid <> 12)"
    " FROM ts_parse('default', written_words(:given))"
)
USUAL = "".join(map(chr, [*range(1, 0x7F), *range(0xC0, 0x250), *range(0x2010, 0x2028), 0x20AC]))


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(given_text=st.text(USUAL, min_size=1))
async def test_regular_expressions_agree_with_the_parser(session, given_text):
    words = [given_text[start:end] for start, end in spans(given_text, None)]

    assert (await session.scalar(WORDS, {"given": given_text}) or []) == words


async def test_each_usual_character_is_in_a_word_or_in_none(session):
    given_text = " ".join(f"a{character}b" for character in USUAL)
    words = [given_text[start:end] for start, end in spans(given_text, None)]

    assert await session.scalar(WORDS, {"given": given_text}) == words
    assert await session.scalar(text("SELECT word_lengths(:given)"), {"given": given_text}) is None


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    given_text=st.text(
        st.characters(exclude_categories=["Cs"], exclude_characters="\0")
        | st.sampled_from("aeo\u0303\u0301 -"),
        min_size=1,
        max_size=60,
    )
)
async def test_the_words_of_any_text_are_where_the_parser_finds_them(session, given_text):
    lengths = await session.scalar(text("SELECT word_lengths(:given)"), {"given": given_text})
    words = [given_text[start:end] for start, end in spans(given_text, lengths)]
    parsed = await session.scalar(WORDS, {"given": given_text}) or []

    assert [normalize("NFC", word) for word in words] == [normalize("NFC", word) for word in parsed]


async def test_combining_accents_are_counted(client, save, user):
    title = "Pa\u0303o, pa\u0303es: leite"
    await save(TodoFactory(owner_id=user.id, title=title, description=title))

    assert await marked(client, "leite") == [(["leite"], ["leite"], [])]
    assert await marked(client, "pão") == [(["Pa\u0303o", "pa\u0303es"],) * 2 + ([],)]


@pytest.mark.parametrize("sign", ["", "\u4e2d "])
@pytest.mark.parametrize("length", [2046, 2047])
async def test_a_word_that_is_too_long_is_not_counted(client, sign, length):
    todo = {"title": "Longo", "description": f"{sign}{'a' * length} pão aqui"}
    assert (await client.post("/todos", json=todo)).status_code == 201

    assert await marked(client, "aqui") == [([], ["aqui"], [])]
