"""Forms that create something: a double click, or the same form again, creates one."""

import asyncio
import re
from html import unescape

import pytest
from sqlalchemy import func, select

from fast_zero.identity.models import PersonalToken
from fast_zero.models import Label, Post, Project, SavedFilter, Section, Todo
from tests.factories import PostFactory, ProjectFactory, UserFactory
from tests.web.conftest import errors, follow, toast

# Of each form: the page that has it, its own address, what is written, what it creates.
FORMS = {
    "post": ("/app/feed", "/app/feed", {"text": "Hello", "visibility": "public"}, Post),
    "reply": ("/app/posts/{post}", "/app/posts/{post}", {"text": "Hello"}, Post),
    "token": (
        "/app/settings/tokens",
        "/app/settings/tokens",
        {"name": "backup", "todos:read": "on", "days": "30"},
        PersonalToken,
    ),
    "project": ("/app/projects", "/app/projects", {"name": "Home", "color": "red"}, Project),
    "section": (
        "/app/projects/{project}",
        "/app/projects/{project}/sections",
        {"name": "Later", "next": "/app/projects/{project}"},
        Section,
    ),
    "section of the form": (
        "/app/projects/{project}/edit",
        "/app/projects/{project}/sections",
        {"name": "Later", "next": "/app/projects/{project}/edit"},
        Section,
    ),
    "label": ("/app/labels", "/app/labels", {"name": "errands", "color": "red"}, Label),
    "filter": (
        "/app/filters",
        "/app/filters",
        {"name": "Open", "filter": "is:open", "color": "red"},
        SavedFilter,
    ),
    "subtask": (
        "/app/today?todo={todo}",
        "/app/todos/{todo}/subtasks",
        {"text": "Flour", "next": "/app/today?todo={todo}"},
        Todo,
    ),
}


UNIQUE = {"label", "filter"}
"""What there is only one of with a name, in any case."""


@pytest.fixture
async def things(save, user, todo):
    """Return the ids of what the forms are about."""
    [project] = await save(ProjectFactory(owner_id=user.id))
    [post] = await save(PostFactory(author_id=user.id))
    return {"project": project.id, "post": post.id, "todo": (await todo()).id}


@pytest.fixture
def count(sessions):
    async def count(model) -> int:
        async with sessions() as session:
            return await session.scalar(select(func.count()).select_from(model))

    return count


def key_of(page, address) -> str:
    """Return the key of the form with this address."""
    forms = re.findall(r"<form\b.*?</form>", unescape(page.text), re.DOTALL)
    keys = [
        key
        for form in forms
        if f'action="{address}"' in form
        for key in re.findall(r'name="key"[^>]* value="(\S+)"', form)
    ]
    assert len(keys) == 1, address
    return keys[0]


def filled(name, things):
    page, address, fields, model = FORMS[name]
    fields = {key: value.format(**things) for key, value in fields.items()}
    return page.format(**things), address.format(**things), fields, model


@pytest.mark.parametrize("name", FORMS)
async def test_a_form_that_is_sent_twice_creates_one(reader, things, count, name):
    path, address, fields, model = filled(name, things)
    before = await count(model)
    key = key_of(await reader.get(path), address)
    first, second = [await reader.post(address, data={**fields, "key": key}) for _ in range(2)]

    assert first.status_code == second.status_code
    assert second.headers.get("location") == first.headers.get("location")
    if name == "token":
        shown = re.compile('<code id="token">(.*?)</code>')
        assert shown.findall(first.text) == shown.findall(second.text) != []
    else:
        page = await follow(reader, second)
        assert toast(page)
        assert not errors(page)
    assert await count(model) == before + 1
    # The next page has another key, with which the same is another one.
    assert key_of(await reader.get(path), address) != key


@pytest.mark.parametrize(
    "name", [each for each in FORMS if each not in {"label", "filter"}]
)  # whose names are unique
async def test_another_page_or_other_words_create_another_one(reader, things, count, name):
    _, address, fields, model = filled(name, things)
    before = await count(model)
    written = "text" if "text" in fields else "name"
    for key in ("first", "second"):
        await reader.post(address, data={**fields, "key": key})
    await reader.post(address, data={**fields, written: "Other", "key": "first"})

    assert await count(model) == before + 3


async def test_what_was_refused_can_be_sent_again_with_the_same_key(reader, count):
    await reader.post("/app/labels", data={"name": "errands", "color": "red", "key": "a"})
    again = {"name": "Errands", "color": "red", "key": "b"}
    assert errors(await reader.post("/app/labels", data=again)) != {}
    [label] = re.findall(r"/app/labels/(\d+)/edit", (await reader.get("/app/labels")).text)
    await reader.post(f"/app/labels/{label}/delete")

    assert (await reader.post("/app/labels", data=again)).status_code == 303
    assert await count(Label) == 1


@pytest.mark.parametrize("key", ["a b", "\u00e9", "a" * 300])
async def test_a_key_that_is_none_is_refused(reader, count, key):
    response = await reader.post("/app/feed", data={"text": "Hello", "key": key})

    assert response.status_code < 500
    assert await count(Post) == 0


async def test_ten_at_once_create_one(open_live, commit, engine):
    [owner] = await commit(UserFactory())
    async with open_live(owner) as browser:
        form = {"text": "Hello", "key": "abc"}
        answers = await asyncio.gather(*(browser.post("/app/feed", data=form) for _ in range(10)))
    async with engine.connect() as connection:
        posts = await connection.scalar(select(func.count()).select_from(Post))

    assert {answer.status_code for answer in answers} == {303}
    assert posts == 1
