"""Forms of a page that was rendered for another account than the one that is logged in."""

import re
from html import unescape

import pytest
from sqlalchemy import select

from fast_zero.models import Todo
from fast_zero.web import cookies, dependencies, rendering
from tests.web.conftest import NASTY, heading, titles
from tests.web.test_guard import NO_USER, call, routes

TITLE = "Another account is logged in: this was not saved"
ANY_ACCOUNT = {("POST", "/app/logout")}
SECRET = "a secret"
NOT_SHOWN = {
    "code": SECRET,
    "current_password": SECRET,
    "default_reminder_time": "a time of day",
    "email": "one address",
    "invitation": SECRET,
    "label_name": "one label",
    "other": "the number or the title of another todo",
    "password": SECRET,
    "project": "the name of a project, beside a file",
    "token": SECRET,
    "username": "one word",
}
"""Fields of text that are not shown again, and what they are."""


def field_of(account) -> str:
    return f'<input type="hidden" name="account" value="{account.id}">'


def written(response) -> list[str]:
    found = re.findall(
        r"<textarea[^>]* readonly [^>]*>\n(.*?)</textarea>", response.text, re.DOTALL
    )
    return [unescape(text) for text in found]


def test_each_form_of_a_template_that_posts_gets_the_account():
    for path in rendering.TEMPLATES.rglob("*.html"):
        source = path.read_text()
        _, found = rendering.FORM.subn(rendering.ACCOUNT, source)
        assert found == len(re.findall(r'<form\b[^<]*?method="post"', source)), path


async def test_a_page_names_its_account_in_each_form_that_posts(app, reader, user, todo):
    row = await todo("Bread")
    paths = [path for method, path in routes(app) if method == "GET"]
    pages = [await call(reader, "GET", path) for path in paths]
    pages.append(await reader.get(f"/app/today?todo={row.id}"))
    shown = [page.text for page in pages if page.status_code == 200]

    assert sum(text.count(field_of(user)) for text in shown) > 50
    for text in shown:
        for form in re.findall(r"<form\b.*?</form>", text, re.DOTALL):
            assert form.count(field_of(user)) == ('method="post"' in form), form


async def test_a_log_in_names_no_account(visitor):
    assert 'name="account"' not in (await visitor.get("/app/login")).text


async def test_no_form_of_another_account_reaches_a_route(app, reader, user, stranger, statements):
    unsafe = [(method, path) for method, path in routes(app) if method != "GET"]
    for method, path in sorted({*unsafe} - NO_USER - ANY_ACCOUNT):
        with statements() as sent:
            response = await call(reader, method, path, data={"account": str(stranger.id)})
        assert (response.status_code, heading(response)) == (409, TITLE), path
        assert f"@{user.username}" in response.text
        assert len(sent) == 1, path  # the session


async def test_a_file_of_another_account_is_not_imported(reader, stranger):
    file = {"file": ("a.csv", b"title\nBread\n", "text/csv")}
    form = {"account": str(stranger.id)}
    response = await reader.post("/app/settings/data/imports", data=form, files=file)

    assert (response.status_code, heading(response)) == (409, TITLE)


@pytest.mark.parametrize("text", [*NASTY, "Bread\nand milk", "a" * 100_000])
async def test_what_was_written_is_shown_to_be_copied(reader, sessions, stranger, text):
    form = {"text": text, "account": str(stranger.id), "next": "/app/today", "key": "abc"}
    response = await reader.post("/app/todos", data=form)

    assert written(response) == [text]
    assert "<script>alert" not in response.text
    async with sessions() as session:
        assert await session.scalar(select(Todo.id)) is None


async def test_secrets_are_not_shown_again(reader, stranger):
    form = {"current_password": "my secret", "password": "another secret"}
    form |= {"account": str(stranger.id)}
    response = await reader.post("/app/settings/security/password", data=form)

    assert response.status_code == 409
    assert "secret" not in response.text


@pytest.mark.parametrize("account", ["x", "", "0", "-1", "9" * 100])
async def test_an_account_that_is_none_is_another_one(reader, account):
    response = await reader.post("/app/todos", data={"text": "Bread", "account": account})

    assert (response.status_code, written(response)) == (409, ["Bread"])


async def test_a_form_of_the_same_account_is_accepted_after_another_log_in(
    reader, user, log_in_page
):
    await log_in_page(user)
    form = {"text": "Bread", "list": "today", "account": str(user.id), "next": "/app/today"}
    response = await reader.post("/app/todos", data=form)

    assert response.status_code == 303
    assert titles(await reader.get("/app/today")) == ["Bread"]


async def test_everybody_may_log_out_from_an_old_page(reader, stranger):
    response = await reader.post("/app/logout", data={"account": str(stranger.id)})

    assert response.headers["location"] == "/app/login"
    assert cookies.SESSION not in reader.cookies


def test_each_field_that_people_write_in_is_shown_again():
    """A new field of text is in `WRITTEN`, or here with a reason."""
    fields = set()
    for path in rendering.TEMPLATES.rglob("*.html"):
        source = path.read_text()
        fields |= set(re.findall(r'<textarea[^>]* name="(\w+)"', source))
        for tag in re.findall(r"<input\b[^>]*", source):
            if not re.search(r'type="(?!text")', tag):
                fields |= set(re.findall(r'name="(\w+)"', tag))
        fields |= set(re.findall(r'\b(?:field|input)\(form, "(\w+)"', source))

    assert fields >= set(dependencies.WRITTEN)
    assert fields - set(dependencies.WRITTEN) == NOT_SHOWN.keys()
