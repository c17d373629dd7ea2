"""`q` of GET /todos: which todos it finds, and in which order."""

import unicodedata

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text, update

from fast_zero.models import Todo
from fast_zero.search.words import PART
from fast_zero.todos.models import TodoState
from tests.core.expect import invalid_fields
from tests.factories import LabelFactory, TodoFactory, UserFactory

ANY = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
LETTERS = "abcçñãéÉßøŁλΩжЯ中あ한ع٣09\u0303"
SIGNS = "-_./@:<>&+~!?#%'\"()[]{}|\\^$*;,=` \t\n\u2014\u201c\U0001f35e"
WRITTEN = [
    "guarda-chuva",
    "bem-te-vi",
    "d'água",
    "don't",
    "O\u2019Brien",
    "ana@example.com",
    "ana.maria+casa@mail.example.com.br",
    "https://example.com/receitas/pao-de-queijo?tipo=doce&n=3#topo",
    "www.example.com",
    "/home/ana/notas.txt",
    "c:\\temp",
    "relatório_final.pdf",
    "v2.1.3",
    "3,14",
    "-5",
    "+5",
    "1e5",
    "R$100,00",
    "50%",
    "#compras",
    "@maria",
    "C++",
    "24/12",
    "10:30",
    "(urgente)",
    "<b>pão</b>",
    "AT&T",
    "&amp;",
    "1º",
    "N.º",
    "U.S.A.",
    "e/ou",
    "abc123",
    "123abc",
    "pa\u0303o",
    "\u201cpão\u201d",
    "fim\u2026",
    "já\u2014agora",
    "Ελλάδα",
    "ЖИЗНЬ",
    "東京",
    "Πόλος",
    "İstanbul",
    "to",
    "de",
    "not",
    "a",
]


async def listed(client, q, **params) -> list[str]:
    response = await client.get("/todos", params={"q": q, **params})
    assert response.status_code == 200, response.text
    return [todo["title"] for todo in response.json()["todos"]]


@pytest.fixture
async def titled(save, user):
    """Save todos with these titles, and no description."""

    async def titled(*titles, **fields):
        fields = {"owner_id": user.id, "description": "", "state": TodoState.TODO} | fields
        return await save(*(TodoFactory(title=title, **fields) for title in titles))

    return titled


@pytest.mark.parametrize(
    ("q", "title"),
    [
        ("pao", "Pão"),
        ("pão", "Pão"),
        ("pão", "pães"),
        ("PÃES", "pão"),
        ("pa\u0303o", "PÃES"),
        ("compras", "comprar"),
        ("comprei", "Compras"),
        ("meeting", "meetings"),
        ("Meetings", "MEETING"),
        ("cafe", "Café"),
        ("café", "cafe"),
        ("acao", "AÇÃO"),
        ("strasse pao", "Strasse, pão"),
    ],
)
async def test_a_word_is_found_by_its_stem_or_without_accents(client, titled, q, title):
    await titled(title, "Outra coisa")

    assert await listed(client, q) == [title]


async def test_the_list_of_words_is_found_in_one_statement(client, titled, statements):
    await titled("Buy bread")

    with statements() as sent:
        assert await listed(client, "buy bread now") == []
        assert await listed(client, "buy bread", sort="relevance") == ["Buy bread"]

    assert (len(sent), sent.transactions) == (2, 0)


@pytest.mark.parametrize(
    ("q", "expected"),
    [
        ("bread", ["Buy bread", "Bake"]),
        ("buy bread", ["Buy bread"]),
        ("bread buy", ["Buy bread"]),
        ("bread dark", ["Bake"]),
        ("buy flour", []),
        ("buy -bread", ["Buy bread"]),
        ("buy | flour", []),
        ("bre", ["Buy bread", "Bake"]),
        ("bre buy", []),
        ("buy bre", ["Buy bread"]),
        ("rea", []),
        (' "buy bread"', ["Buy bread"]),
        ('"bread buy"', []),
        ('"buy brea"', []),
        ('"buy brea', ["Buy bread"]),
        ('dark "rye bread"', ["Bake"]),
        ('"rye bread" dar', ["Bake"]),
        ('"rye bread" ark', []),
        ('"dark bread"', []),
    ],
)
async def test_each_word_is_found_and_the_last_one_by_its_start(client, titled, q, expected):
    await titled("Buy bread")
    await titled("Bake", description="The dark one, a rye bread.")

    assert await listed(client, q) == expected


@pytest.mark.parametrize("written", WRITTEN)
async def test_what_people_write_is_found_as_it_is_written(client, titled, written):
    await titled(f"Ver {written} hoje")

    for q in (written, written.upper(), f"hoje {written}", f"{written} ver"):
        assert await listed(client, q) == [f"Ver {written} hoje"], q
    for part in PART.findall(unicodedata.normalize("NFC", written)):
        assert len(await listed(client, f"{part} hoje")) == 1, part


@ANY
@given(words=st.lists(st.text(LETTERS + SIGNS, min_size=1, max_size=12), min_size=1, max_size=6))
async def test_each_word_of_any_title_is_found(anonymous, save, bearer, words):
    [user] = await save(UserFactory())
    anonymous.headers.update(bearer(user))
    title = " ".join(words).strip() or "a"
    await save(TodoFactory(owner_id=user.id, title=title, description=""))

    for word in title.replace('"', " ").split():
        if PART.search(word):
            assert await listed(anonymous, word) == [title], word


@ANY
@given(q=st.text(st.characters(exclude_categories=["Cs"]), max_size=30) | st.text(SIGNS + "a'"))
async def test_whatever_is_looked_for_nothing_breaks(anonymous, save, bearer, q):
    [user] = await save(UserFactory())
    anonymous.headers.update(bearer(user))
    await save(TodoFactory(owner_id=user.id, title=(q.replace("\0", "") + "a").strip()[:200]))

    for params in ({"q": q}, {"q": q, "sort": "-relevance,due"}):
        response = await anonymous.get("/todos", params=params)
        assert response.status_code in {200, 422}, response.text


@ANY
@given(
    pattern=st.text(LETTERS + SIGNS, min_size=1, max_size=20)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1)
)
async def test_no_text_is_too_much_to_be_found(client, pattern):
    description = (pattern * 20_000)[:20_000].strip()

    created = await client.post("/todos", json={"title": "Longo", "description": description})

    assert created.status_code == 201, created.text
    assert "Longo" in await listed(client, "longo", limit=1)


@pytest.mark.parametrize(
    "description",
    ["İ" * 20_000, "한" * 20_000, "\U0001d15e" * 20_000, "a " * 10_000, "é-" * 10_000],
)
async def test_no_long_text_is_refused(client, description):
    created = await client.post("/todos", json={"title": "Longo", "description": description})

    assert created.status_code == 201, created.text
    assert await listed(client, "longo") == ["Longo"]


@pytest.fixture
async def labelled(client):
    async def labelled(title, *labels):
        response = await client.post("/todos", json={"title": title, "labels": labels})
        assert response.status_code == 201

    return labelled


@pytest.mark.parametrize(
    ("q", "expected"),
    [
        ("compras", ["Buy bread", "Compras"]),
        ("comprar", ["Buy bread", "Compras"]),
        ("compras bread", ["Buy bread"]),
        ("bread comp", ["Buy bread"]),
        ("mes", ["Buy bread"]),
        ("fim", ["Buy bread", "Relatório"]),
        ("fim mês", ["Buy bread"]),
        ("relatorio fim trabalho", ["Relatório"]),
        ("trab", ["Relatório"]),
        ("compras trabalho", []),
        ("trabalho flour", []),
    ],
)
async def test_a_label_matches_instead_of_the_text(client, labelled, q, expected):
    await labelled("Buy bread", "compras", "Fim de mês")
    await labelled("Relatório", "Trabalho", "fim")
    await labelled("Compras")

    assert await listed(client, q) == expected
    assert sorted(await listed(client, q, sort="relevance")) == sorted(expected)


async def test_the_labels_of_others_match_nothing(client, titled, save, stranger):
    await titled("Buy bread")
    await save(LabelFactory(owner_id=stranger.id, name="compras"))

    assert await listed(client, "compras") == []


async def test_nothing_of_others_or_of_the_trash_is_found(client, titled, stranger):
    await titled("Buy bread", owner_id=stranger.id)
    [gone] = await titled("Buy bread")
    await client.delete(f"/todos/{gone.id}")

    assert await listed(client, "bread") == []


async def test_what_changes_is_found_by_its_new_words(client, titled):
    [todo] = await titled("Buy bread")

    await client.patch(f"/todos/{todo.id}", json={"title": "Bake"})
    assert await listed(client, "bread") == []
    await client.patch(f"/todos/{todo.id}", json={"description": "rye"})
    assert await listed(client, "bake rye") == ["Bake"]
    await client.patch(f"/todos/{todo.id}", json={"description": ""})
    assert await listed(client, "rye") == []
    copy = await client.post(f"/todos/{todo.id}/duplicate")
    assert copy.status_code == 201
    assert await listed(client, "bake") == ["Bake", "Bake"]


async def test_other_filters_apply_as_well(client, titled):
    await titled("Buy bread", "Buy rye bread")
    await titled("Sell bread", state=TodoState.DONE)

    assert await listed(client, "bread", state="done") == ["Sell bread"]
    assert await listed(client, "bread", title="rye") == ["Buy rye bread"]
    assert await listed(client, "bread", sort="-title") == [
        "Sell bread",
        "Buy rye bread",
        "Buy bread",
    ]
    page = (await client.get("/todos?q=bread&limit=1")).json()
    assert await listed(client, "bread", after=page["next"]) == ["Buy rye bread", "Sell bread"]


async def test_a_page_of_a_search_has_a_hundred_todos_at_most(client, titled):
    await titled(*["Buy bread"] * 101)

    page = (await client.get("/todos?q=bread&limit=1000")).json()
    assert len(page["todos"]) == 100
    assert await listed(client, "bread", after=page["next"]) == ["Buy bread"]


async def test_the_most_relevant_is_first(client, titled, labelled):
    await titled("Something", description="We have no bread, none at all, and no butter.")
    await titled("Buy bread and butter")
    await titled("Bread")
    await labelled("Toast", "bread")

    assert await listed(client, "bread", sort="relevance") == [
        "Buy bread and butter",
        "Bread",
        "Toast",
        "Something",
    ]
    assert await listed(client, "bread", sort="-relevance") == [
        "Something",
        "Toast",
        "Buy bread and butter",
        "Bread",
    ]
    assert await listed(client, "bread", sort="relevance,-title") == [
        "Buy bread and butter",
        "Bread",
        "Toast",
        "Something",
    ]


@pytest.mark.parametrize("sort", ["relevance", "-relevance", "relevance,-created_at"])
@pytest.mark.parametrize("limit", [1, 2, 3])
async def test_pages_by_relevance_are_the_whole_list(client, titled, labelled, sort, limit):
    for description in ("", "bread", "the bread", "bread bread"):
        await titled("Bread", "Bread, bread", "Other", description=description)
    await labelled("Toast", "bread")
    await labelled("Bread", "bread")
    whole = await client.get("/todos", params={"q": "bread", "sort": sort})
    whole = [todo["id"] for todo in whole.json()["todos"]]

    seen, params = [], {"q": "bread", "sort": sort, "limit": limit}
    while params.get("after", "") is not None:
        body = (await client.get("/todos", params=params)).json()
        seen += [todo["id"] for todo in body["todos"]]
        params["after"] = body["next"]

    assert len(whole) == 13
    assert seen == whole


@pytest.mark.parametrize(
    "q",
    [
        "",
        " ",
        "-",
        "!? ...",
        '"',
        '""',
        '"-"',
        "_",
        "\U0001f35e",
        "a" * 201,
        "a\0",
        "a " * 21,
        "-a" * 21,
    ],
)
async def test_a_search_that_cannot_be_is_refused(client, q):
    assert invalid_fields(await client.get("/todos", params={"q": q})) == ["query.q"]


@pytest.mark.parametrize(
    "q", ["a " * 20, "a" * 200, "ß" * 200, '"a', "²", 'a ""', "a\ufffd", "हिन्दी " * 20]
)
async def test_a_search_may_be_long(client, q):
    assert await listed(client, q) == []


@pytest.mark.parametrize("sort", ["relevance", "-relevance", "due,relevance"])
async def test_only_what_is_found_can_be_sorted_by_relevance(client, sort):
    response = await client.get("/todos", params={"sort": sort})

    assert invalid_fields(response) == ["query.sort"]
    assert "give `q`" in response.text


async def test_a_todo_without_stored_words_is_no_error(client, titled, labelled, session):
    await titled("Buy bread")
    await labelled("Toast", "bread")
    await session.execute(update(Todo).values(search=None))
    await session.commit()

    assert await listed(client, "bread") == ["Toast"]
    assert await listed(client, "bread", sort="relevance") == ["Toast"]


FILL = text("UPDATE todos SET search = 'filled'::tsvector")
EMPTY = text("UPDATE todos SET search = NULL")
STATE = text("SELECT version, updated_at, (SELECT count(*) FROM changes) FROM todos")


async def test_to_fill_in_the_words_is_no_change(client, session):
    await client.post("/todos", json={"title": "Buy bread"})
    await session.execute(EMPTY)
    before = (await session.execute(STATE)).one()

    await session.execute(FILL)

    assert (await session.execute(STATE)).one() == before


async def test_the_words_are_in_no_answer_and_in_no_log(client, session):
    todo = (await client.post("/todos", json={"title": "Buy bread"})).json()
    await client.patch(f"/todos/{todo['id']}", json={"title": "Bake"})
    changes = await client.get("/changes")
    logged = (await session.execute(text("SELECT before, after FROM changes"))).all()

    assert "search" not in todo
    assert changes.status_code == 200
    assert "search" not in changes.text
    assert len(logged) == 2
    assert not any("search" in (row or {}) for rows in logged for row in rows)
