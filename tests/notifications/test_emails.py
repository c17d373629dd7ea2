"""Emails about notifications and reports: content, schedule, and unsubscribing."""

import re
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import default

import pytest
from pydantic import SecretStr
from sqlalchemy import select, update

from fast_zero.core.jobs import Context
from fast_zero.core.languages import KNOWN
from fast_zero.models import Completion, Like, Todo, User
from fast_zero.notifications import emails, unsubscribe_links
from fast_zero.notifications.jobs import PERIODIC_JOBS
from fast_zero.unsubscribe import router as unsubscribe
from fast_zero.worker import JOBS
from tests.core.expect import faults
from tests.factories import PostFactory, TodoFactory, UserFactory

MONDAY = datetime(2026, 11, 23, tzinfo=UTC)
# Both that RFC 8058 allows.
FORMS = {
    "application/x-www-form-urlencoded": "List-Unsubscribe=One-Click",
    "multipart/form-data; boundary=x": "--x\r\nContent-Disposition: form-data; "
    'name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--x--\r\n',
}
ALL = ["follow", "like", "reply", "weekly_report"]


@pytest.fixture
def subscribe(save):
    async def subscribe(*kinds, **given):
        verified = {"email_verified_at": MONDAY, "letters": list(kinds)}
        [user] = await save(UserFactory(**verified, **given))
        return user

    return subscribe


@pytest.fixture
def do_chores(settings, sessions):
    async def do_chores():
        for chore in PERIODIC_JOBS.values():
            await chore(Context(settings, sessions))

    return do_chores


@pytest.fixture
def letters_of(do_jobs, tmp_path):
    """Run the jobs and return the emails, by address."""

    async def letters_of() -> list:
        await do_jobs(data_dir=tmp_path)
        found = []
        for path in (tmp_path / "mail").glob("*.eml"):
            found.append(message_from_bytes(path.read_bytes(), policy=default))
            path.unlink()
        return found

    return letters_of


@pytest.fixture
def at(monkeypatch):
    """Set the time at which due emails are deferred."""

    def at(moment):
        class Clock(datetime):
            @classmethod
            def now(cls, tz=None):
                return moment.astimezone(tz)

        monkeypatch.setattr("fast_zero.notifications.jobs.datetime", Clock)

    return at


def body(letter, kind="plain") -> str:
    return letter.get_body((kind,)).get_content().replace("\r\n", "\n")


def test_every_text_exists_in_every_language():
    assert emails.TEXTS.keys() == set(KNOWN)
    english = emails.TEXTS["en"]
    for texts in emails.TEXTS.values():
        assert texts.keys() == english.keys()
        for key, words in texts.items():
            assert type(words) is type(english[key])
            fields = [sorted(re.findall(r"\$\w+", str(one))) for one in (words, english[key])]
            assert isinstance(words, tuple) or fields[0] == fields[1]


def test_english_texts_call_an_email_email():
    texts = f"{emails.TEXTS['en']} {unsubscribe.PAGE['en']}"

    assert "this email" in texts
    assert re.findall(r"e-mail|letter", texts, re.IGNORECASE) == []


async def test_unread_notifications_are_mailed_once(
    client, subscribe, save, bearer, do_chores, letters_of, at
):
    ana, rui, bea = await subscribe("like", "reply"), *await save(UserFactory(), UserFactory())
    post, other = await save(
        PostFactory(author_id=ana.id, text="Bread & butter"), PostFactory(author_id=ana.id)
    )
    for person in (rui, bea):
        await client.put(f"/posts/{post.id}/like", headers=bearer(person))
    await client.put(f"/users/{ana.id}/follow", headers=bearer(rui))  # not asked for
    now = datetime.now(UTC) + timedelta(minutes=1)
    at(now)
    await do_chores()

    [letter] = await letters_of()

    assert letter["To"] == ana.email
    assert f"- @{bea.username} and @{rui.username} like “Bread & butter”\n" in body(letter)
    assert "follow" not in body(letter)
    assert "“Bread &amp; butter”</li>" in body(letter, "html")
    await client.put(f"/posts/{post.id}/like", headers=bearer(ana))
    await client.put(f"/posts/{other.id}/like", headers=bearer(rui))
    at(now + timedelta(minutes=50))
    await do_chores()
    assert await letters_of() == []  # within the hour
    at(now + timedelta(minutes=61))
    await do_chores()
    [letter] = await letters_of()
    assert "Bread" not in body(letter)
    await do_chores()
    assert await letters_of() == []


async def test_read_or_undone_notifications_are_not_mailed(
    client, subscribe, save, bearer, do_chores, letters_of
):
    ana, rui = await subscribe("like"), *await save(UserFactory())
    read, undone = await save(*(PostFactory(author_id=ana.id) for _ in range(2)))
    for post in (read, undone):
        await client.put(f"/posts/{post.id}/like", headers=bearer(rui))
    await do_chores()
    newest = (await client.get("/notifications", headers=bearer(ana))).json()["notifications"][-1]
    await client.put(f"/notifications/{newest['id']}/read", headers=bearer(ana))
    await client.delete(f"/posts/{undone.id}/like", headers=bearer(rui))
    assert await letters_of() == []


@pytest.mark.parametrize("change", [{"email_verified_at": None}, {"letters": []}], ids=str)
async def test_only_subscribers_with_a_verified_address_get_emails(
    client, subscribe, save, bearer, do_chores, letters_of, session, change, at
):
    ana, rui = await subscribe(*ALL), *await save(UserFactory())
    await client.put(f"/users/{ana.id}/follow", headers=bearer(rui))
    at(datetime.now(UTC) + timedelta(minutes=1))
    await do_chores()
    await session.execute(update(User).where(User.id == ana.id).values(change))
    await session.commit()
    assert await letters_of() == []


async def week_of(save, session, ana, rui) -> None:
    """Create events in the week before the Monday, and before and after it."""
    within, early, late = MONDAY, MONDAY - timedelta(days=8), MONDAY + timedelta(hours=12)
    await save(*(TodoFactory(owner_id=ana.id, title=f"Open {n}", state="todo") for n in range(12)))
    done = await save(
        *(TodoFactory(owner_id=ana.id, title=f"Done {n}", state="done") for n in range(3))
    )
    for todo, moment in zip(done, (within, early, late), strict=True):
        that = Completion.todo_id == todo.id
        await session.execute(update(Completion).where(that).values(finished_at=moment))
    await session.execute(
        update(Todo)
        .where(Todo.owner_id == ana.id, Todo.state == "todo")
        .values(updated_at=MONDAY - timedelta(days=31))
    )
    [post] = await save(PostFactory(author_id=ana.id))
    await save(Like(post_id=post.id, user_id=rui.id))
    await session.execute(update(Like).values(created_at=within))
    await session.commit()


@pytest.mark.parametrize(
    ("language", "lines"),
    [
        ("en", ["You finished one todo:", "12 todos are open.", "- and 2 more", "liked once."]),
        ("pt-BR", ["Você concluiu uma tarefa:", "12 tarefas estão abertas.", "- e mais 2"]),
    ],
)
async def test_a_report_covers_the_week(
    save, session, subscribe, stranger, do_chores, letters_of, at, language, lines
):
    ana = await subscribe("weekly_report", language=language, time_zone="America/Sao_Paulo")
    await week_of(save, session, ana, stranger)
    at(MONDAY + timedelta(hours=10, minutes=59))  # in São Paulo it is 7:59
    await do_chores()
    assert await letters_of() == []
    at(MONDAY + timedelta(hours=11))
    await do_chores()
    await do_chores()

    [letter] = await letters_of()

    assert letter["Content-Language"] == language
    for line in [*lines, "- Done 0\n", "- Open 0\n"]:
        assert line in body(letter)
    assert "Done 1" not in body(letter)
    assert "<li>Done 0</li>" in body(letter, "html")
    at(MONDAY + timedelta(hours=20))
    await do_chores()
    assert await letters_of() == []


async def test_a_report_is_sent_once_even_if_its_job_is_retried(
    save,
    session,
    subscribe,
    stranger,
    do_chores,
    letters_of,
    at,
    deferred,
    sessions,
    settings,
    tmp_path,
):
    ana = await subscribe("weekly_report")
    await week_of(save, session, ana, stranger)
    at(MONDAY + timedelta(hours=8))
    await do_chores()
    [(name, arguments)] = await deferred()
    [first] = await letters_of()
    assert first["To"] == ana.email

    # The first time, the worker could have died before the job was deleted.
    nowhere = settings.model_copy(update={"data_dir": tmp_path / "other"})
    await JOBS[name](Context(nowhere, sessions), **arguments)

    assert not (tmp_path / "other").exists()


async def test_no_report_is_sent_if_nothing_happened(
    session, save, subscribe, do_chores, letters_of, at
):
    ana = await subscribe("weekly_report")
    [todo] = await save(TodoFactory(owner_id=ana.id, state="todo"))
    long_ago = {"created_at": MONDAY - timedelta(90), "updated_at": MONDAY - timedelta(90)}
    await session.execute(update(Todo).where(Todo.id == todo.id).values(long_ago))
    await session.commit()
    at(MONDAY + timedelta(hours=8))
    await do_chores()
    assert await letters_of() == []


async def test_a_report_is_due_on_monday_only(save, session, subscribe, do_chores, at, deferred):
    await subscribe("weekly_report", time_zone="Pacific/Kiritimati")
    for moment in (MONDAY + timedelta(hours=10), MONDAY - timedelta(hours=7)):
        at(moment)  # there it is Tuesday, and Monday at seven
        await do_chores()
    assert await deferred() == []
    at(MONDAY - timedelta(hours=6))
    await do_chores()
    assert [name for name, _ in await deferred()] == ["news.send_report"]


@pytest.mark.parametrize("content_type", FORMS)
async def test_one_click_unsubscribes_without_a_log_in(
    anonymous, client, subscribe, save, bearer, do_chores, letters_of, session, content_type, at
):
    ana, rui = await subscribe(*ALL), *await save(UserFactory())
    await client.put(f"/users/{ana.id}/follow", headers=bearer(rui))
    at(datetime.now(UTC) + timedelta(minutes=1))
    await do_chores()
    [letter] = [one for one in await letters_of() if "follows you" in body(one)]
    assert letter["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    [link] = re.findall("<(.*)>", letter["List-Unsubscribe"])
    assert link in body(letter)
    path = link.removeprefix("http://127.0.0.1:8000")
    assert path != link
    headers = {"Authorization": "", "Content-Type": content_type}
    page = await anonymous.get(path, headers={"Authorization": ""})
    assert (page.status_code, 'fetch("", {method: "POST"' in page.text) == (200, True)
    wanted = select(User.letters).where(User.id == ana.id)
    assert await session.scalar(wanted) == ALL
    for _ in range(2):
        stopped = await anonymous.post(path, content=FORMS[content_type], headers=headers)
        assert stopped.status_code == 204, stopped.text
    assert sorted(await session.scalar(wanted)) == ["like", "reply", "weekly_report"]


@pytest.mark.parametrize("token", ["", "7.like.", "7.like.é", "x", "7..x", "é.like.x", "a" * 1024])
async def test_an_invalid_token_unsubscribes_nothing(anonymous, token, statements):
    with statements() as sent:
        response = await anonymous.post("/letters/unsubscribe", params={"token": token})
    assert (response.status_code, sent) == (404, [])


async def test_a_token_is_needed_and_short(anonymous):
    assert faults(await anonymous.post("/letters/unsubscribe")) == ["query.token"]
    long = await anonymous.post("/letters/unsubscribe", params={"token": "a" * 1025})
    assert faults(long) == ["query.token"]


def test_a_link_works_after_the_key_was_replaced(settings):
    token = unsubscribe_links.link(settings, 7, ["like", "weekly_report"], "en").split("token=")[1]
    replaced = {"secret_key": SecretStr("k" * 48), "secret_key_previous": settings.secret_key}
    after = settings.model_copy(update=replaced)
    assert unsubscribe_links.read(after, token) == (7, ["like", "weekly_report"])
    lost = after.model_copy(update={"secret_key_previous": None})
    assert unsubscribe_links.read(lost, token) is None


async def test_an_account_chooses_its_emails(client):
    changed = await client.patch("/users/me", json={"letters": ["reply", "like", "reply"]})
    assert changed.json()["letters"] == ["like", "reply"]
    assert faults(await client.patch("/users/me", json={"letters": ["all"]})) == ["body.letters.0"]
    assert faults(await client.patch("/users/me", json={"letters": None})) == ["body.letters"]
