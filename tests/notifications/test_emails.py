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
from tests.core.expect import invalid_fields
from tests.factories import PostFactory, TodoFactory, UserFactory

MONDAY = datetime(2026, 11, 23, tzinfo=UTC)
# Both content types that RFC 8058 allows.
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
def run_periodic_jobs(settings, sessions):
    async def run_periodic_jobs():
        for job in PERIODIC_JOBS.values():
            await job(Context(settings, sessions))

    return run_periodic_jobs


@pytest.fixture
def sent_emails(do_jobs, tmp_path):
    """Run the jobs and return the emails, by address."""

    async def sent_emails() -> list:
        await do_jobs(data_dir=tmp_path)
        found = []
        for path in (tmp_path / "mail").glob("*.eml"):
            found.append(message_from_bytes(path.read_bytes(), policy=default))
            path.unlink()
        return found

    return sent_emails


@pytest.fixture
def set_time(monkeypatch):
    """Set the time at which due emails are deferred."""

    def set_time(moment):
        class Clock(datetime):
            @classmethod
            def now(cls, tz=None):
                return moment.astimezone(tz)

        monkeypatch.setattr("fast_zero.notifications.jobs.datetime", Clock)

    return set_time


def body(message, kind="plain") -> str:
    return message.get_body((kind,)).get_content().replace("\r\n", "\n")


def test_every_text_exists_in_every_language():
    assert emails.TEXTS.keys() == set(KNOWN)
    english = emails.TEXTS["en"]
    for texts in emails.TEXTS.values():
        assert texts.keys() == english.keys()
        for key, words in texts.items():
            assert type(words) is type(english[key])
            fields = [sorted(re.findall(r"\$\w+", str(one))) for one in (words, english[key])]
            assert isinstance(words, tuple) or fields[0] == fields[1]


def test_english_texts_use_the_word_email():
    texts = f"{emails.TEXTS['en']} {unsubscribe.PAGE['en']}"

    assert "this email" in texts
    assert re.findall(r"e-mail|letter", texts, re.IGNORECASE) == []


async def test_unread_notifications_are_emailed_once(
    client, subscribe, save, bearer, run_periodic_jobs, sent_emails, set_time
):
    ana, rui, bea = await subscribe("like", "reply"), *await save(UserFactory(), UserFactory())
    post, other = await save(
        PostFactory(author_id=ana.id, text="Bread & butter"), PostFactory(author_id=ana.id)
    )
    for person in (rui, bea):
        await client.put(f"/posts/{post.id}/like", headers=bearer(person))
    await client.put(f"/users/{ana.id}/follow", headers=bearer(rui))  # not subscribed to
    now = datetime.now(UTC) + timedelta(minutes=1)
    set_time(now)
    await run_periodic_jobs()

    [message] = await sent_emails()

    assert message["To"] == ana.email
    assert f"- @{bea.username} and @{rui.username} like “Bread & butter”\n" in body(message)
    assert "follow" not in body(message)
    assert "“Bread &amp; butter”</li>" in body(message, "html")
    await client.put(f"/posts/{post.id}/like", headers=bearer(ana))
    await client.put(f"/posts/{other.id}/like", headers=bearer(rui))
    set_time(now + timedelta(minutes=50))
    await run_periodic_jobs()
    assert await sent_emails() == []  # within the hour
    set_time(now + timedelta(minutes=61))
    await run_periodic_jobs()
    [message] = await sent_emails()
    assert "Bread" not in body(message)
    await run_periodic_jobs()
    assert await sent_emails() == []


async def test_read_or_undone_notifications_are_not_emailed(
    client, subscribe, save, bearer, run_periodic_jobs, sent_emails
):
    ana, rui = await subscribe("like"), *await save(UserFactory())
    read, undone = await save(*(PostFactory(author_id=ana.id) for _ in range(2)))
    for post in (read, undone):
        await client.put(f"/posts/{post.id}/like", headers=bearer(rui))
    await run_periodic_jobs()
    newest = (await client.get("/notifications", headers=bearer(ana))).json()["notifications"][-1]
    await client.put(f"/notifications/{newest['id']}/read", headers=bearer(ana))
    await client.delete(f"/posts/{undone.id}/like", headers=bearer(rui))
    assert await sent_emails() == []


@pytest.mark.parametrize("change", [{"email_verified_at": None}, {"letters": []}], ids=str)
async def test_only_subscribers_with_a_verified_address_get_emails(
    client, subscribe, save, bearer, run_periodic_jobs, sent_emails, session, change, set_time
):
    ana, rui = await subscribe(*ALL), *await save(UserFactory())
    await client.put(f"/users/{ana.id}/follow", headers=bearer(rui))
    set_time(datetime.now(UTC) + timedelta(minutes=1))
    await run_periodic_jobs()
    await session.execute(update(User).where(User.id == ana.id).values(change))
    await session.commit()
    assert await sent_emails() == []


async def create_events(save, session, ana, rui) -> None:
    """Create events in the week before the Monday, and before and after it."""
    within, early, late = MONDAY, MONDAY - timedelta(days=8), MONDAY + timedelta(hours=12)
    await save(*(TodoFactory(owner_id=ana.id, title=f"Open {n}", state="todo") for n in range(12)))
    done = await save(
        *(TodoFactory(owner_id=ana.id, title=f"Done {n}", state="done") for n in range(3))
    )
    for todo, moment in zip(done, (within, early, late), strict=True):
        of_todo = Completion.todo_id == todo.id
        await session.execute(update(Completion).where(of_todo).values(finished_at=moment))
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
    save, session, subscribe, stranger, run_periodic_jobs, sent_emails, set_time, language, lines
):
    ana = await subscribe("weekly_report", language=language, time_zone="America/Sao_Paulo")
    await create_events(save, session, ana, stranger)
    set_time(MONDAY + timedelta(hours=10, minutes=59))  # in São Paulo it is 7:59
    await run_periodic_jobs()
    assert await sent_emails() == []
    set_time(MONDAY + timedelta(hours=11))
    await run_periodic_jobs()
    await run_periodic_jobs()

    [message] = await sent_emails()

    assert message["Content-Language"] == language
    for line in [*lines, "- Done 0\n", "- Open 0\n"]:
        assert line in body(message)
    assert "Done 1" not in body(message)
    assert "<li>Done 0</li>" in body(message, "html")
    set_time(MONDAY + timedelta(hours=20))
    await run_periodic_jobs()
    assert await sent_emails() == []


async def test_a_report_leaves_out_what_is_in_the_trash(
    client, bearer, save, session, subscribe, stranger, run_periodic_jobs, sent_emails, set_time
):
    ana = await subscribe("weekly_report")
    todos = await save(
        TodoFactory(owner_id=ana.id, title="Shown", state="todo"),
        TodoFactory(owner_id=ana.id, title="Trashed", state="todo"),
        TodoFactory(owner_id=ana.id, title="Done", state="done", share="public"),
    )
    [post] = (await client.get("/posts", headers=bearer(ana))).json()["posts"]
    await client.put(f"/posts/{post['id']}/like", headers=bearer(stranger))
    for todo in todos[1:]:
        await client.delete(f"/todos/{todo.id}", headers=bearer(ana))
    await session.execute(update(Like).values(created_at=MONDAY))
    await session.execute(update(Completion).values(finished_at=MONDAY))
    await session.execute(update(Todo).values(updated_at=MONDAY - timedelta(days=31)))
    await session.commit()
    set_time(MONDAY + timedelta(hours=12))
    await run_periodic_jobs()
    [message] = await sent_emails()

    assert "You finished one todo" in body(message)
    assert "One todo is open." in body(message)
    assert "- Shown" in body(message)
    for hidden in ("Trashed", "- Done", "liked"):
        assert hidden not in body(message)


async def test_a_report_is_sent_once_even_if_its_job_is_retried(
    save,
    session,
    subscribe,
    stranger,
    run_periodic_jobs,
    sent_emails,
    set_time,
    deferred,
    sessions,
    settings,
    tmp_path,
):
    ana = await subscribe("weekly_report")
    await create_events(save, session, ana, stranger)
    set_time(MONDAY + timedelta(hours=8))
    await run_periodic_jobs()
    [(name, arguments)] = await deferred()
    [first] = await sent_emails()
    assert first["To"] == ana.email

    # The first time, the worker could have died before the job was deleted.
    nowhere = settings.model_copy(update={"data_dir": tmp_path / "other"})
    await JOBS[name](Context(nowhere, sessions), **arguments)

    assert not (tmp_path / "other").exists()


async def test_no_report_is_sent_if_nothing_happened(
    session, save, subscribe, run_periodic_jobs, sent_emails, set_time
):
    ana = await subscribe("weekly_report")
    [todo] = await save(TodoFactory(owner_id=ana.id, state="todo"))
    long_ago = {"created_at": MONDAY - timedelta(90), "updated_at": MONDAY - timedelta(90)}
    await session.execute(update(Todo).where(Todo.id == todo.id).values(long_ago))
    await session.commit()
    set_time(MONDAY + timedelta(hours=8))
    await run_periodic_jobs()
    assert await sent_emails() == []


async def test_a_report_is_due_on_monday_only(
    save, session, subscribe, run_periodic_jobs, set_time, deferred
):
    await subscribe("weekly_report", time_zone="Pacific/Kiritimati")
    for moment in (MONDAY + timedelta(hours=10), MONDAY - timedelta(hours=7)):
        set_time(moment)  # in this time zone it is Tuesday, and Monday at 7:00
        await run_periodic_jobs()
    assert await deferred() == []
    set_time(MONDAY - timedelta(hours=6))
    await run_periodic_jobs()
    assert [name for name, _ in await deferred()] == ["news.send_report"]


@pytest.mark.parametrize("content_type", FORMS)
async def test_one_click_unsubscribes_without_a_log_in(
    anonymous,
    client,
    subscribe,
    save,
    bearer,
    run_periodic_jobs,
    sent_emails,
    session,
    content_type,
    set_time,
):
    ana, rui = await subscribe(*ALL), *await save(UserFactory())
    await client.put(f"/users/{ana.id}/follow", headers=bearer(rui))
    set_time(datetime.now(UTC) + timedelta(minutes=1))
    await run_periodic_jobs()
    [message] = [email for email in await sent_emails() if "follows you" in body(email)]
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    [link] = re.findall("<(.*)>", message["List-Unsubscribe"])
    assert link in body(message)
    path = link.removeprefix("http://127.0.0.1:8000")
    assert path != link
    headers = {"Authorization": "", "Content-Type": content_type}
    page = await anonymous.get(path, headers={"Authorization": ""})
    assert (page.status_code, 'fetch("", {method: "POST"' in page.text) == (200, True)
    subscriptions = select(User.letters).where(User.id == ana.id)
    assert await session.scalar(subscriptions) == ALL
    for _ in range(2):
        response = await anonymous.post(path, content=FORMS[content_type], headers=headers)
        assert response.status_code == 204, response.text
    assert sorted(await session.scalar(subscriptions)) == ["like", "reply", "weekly_report"]


@pytest.mark.parametrize("token", ["", "7.like.", "7.like.é", "x", "7..x", "é.like.x", "a" * 1024])
async def test_an_invalid_token_unsubscribes_nothing(anonymous, token, statements):
    with statements() as sent:
        response = await anonymous.post("/letters/unsubscribe", params={"token": token})
    assert (response.status_code, sent) == (404, [])


async def test_unsubscribing_requires_a_token_of_limited_length(anonymous):
    assert invalid_fields(await anonymous.post("/letters/unsubscribe")) == ["query.token"]
    long = await anonymous.post("/letters/unsubscribe", params={"token": "a" * 1025})
    assert invalid_fields(long) == ["query.token"]


def test_an_unsubscribe_link_works_after_one_key_rotation(settings):
    token = unsubscribe_links.link(settings, 7, ["like", "weekly_report"], "en").split("token=")[1]
    rotation = {"secret_key": SecretStr("k" * 48), "secret_key_previous": settings.secret_key}
    rotated = settings.model_copy(update=rotation)
    assert unsubscribe_links.read(rotated, token) == (7, ["like", "weekly_report"])
    without_previous = rotated.model_copy(update={"secret_key_previous": None})
    assert unsubscribe_links.read(without_previous, token) is None


async def test_users_choose_the_emails_that_they_get(client):
    changed = await client.patch("/users/me", json={"letters": ["reply", "like", "reply"]})
    assert changed.json()["letters"] == ["like", "reply"]
    assert invalid_fields(await client.patch("/users/me", json={"letters": ["all"]})) == [
        "body.letters.0"
    ]
    assert invalid_fields(await client.patch("/users/me", json={"letters": None})) == [
        "body.letters"
    ]
