"""Emails with links: when they are sent, and what their links do."""

import email
import re
from datetime import UTC, datetime, timedelta
from email.policy import default

import pytest
from sqlalchemy import func, select, text, update

from fast_zero.core.jobs import Context, PermanentFailure
from fast_zero.email_links import jobs
from fast_zero.email_links.service import LINK_NOT_VALID
from fast_zero.models import (
    CalendarFeed,
    LoginSession,
    MailedLink,
    PersonalToken,
    PushSubscription,
    RecoveryCode,
    SecondFactor,
    User,
)
from fast_zero.worker import JOBS
from tests.core.expect import invalid_fields, problem
from tests.factories import PASSWORD, LoginSessionFactory, PersonalTokenFactory, UserFactory

ANA = {"username": "ana", "email": "ana@example.com", "password": "another fine sentence"}
NEW = "new@example.com"
NEW_PASSWORD = "yet another sentence"
DEAD_LINK = (404, LINK_NOT_VALID.detail)
LINK = re.compile(r"http://127\.0\.0\.1:8000/account/(confirm|password)\?lang=(en|pt-BR)#(\S+)")


@pytest.fixture
def sent_emails(do_jobs, tmp_path):
    """Run the jobs; return the emails sent since the last call, by recipient."""
    seen = set()

    async def sent_emails():
        await do_jobs(data_dir=tmp_path)
        found = {}
        for path in set(tmp_path.glob("mail/*.eml")) - seen:
            seen.add(path)
            message = email.message_from_bytes(path.read_bytes(), policy=default)
            found.setdefault(message["To"], []).append(message)
        return found

    return sent_emails


@pytest.fixture
def execute(sessions):
    """Execute a statement that the application does not contain."""

    async def execute(statement, values=None):
        async with sessions.begin() as session:
            await session.execute(statement, values)

    return execute


def token_of(message) -> str:
    return LINK.search(message.get_body(["plain"]).get_content())[3]


async def me(client):
    return (await client.get("/users/me")).json()


async def request_address_change(client, address=NEW):
    change = {"email": address, "current_password": PASSWORD}
    response = await client.patch("/users/me", json=change)
    assert response.status_code == 200, response.text
    return response.json()


async def confirm(client, token):
    return await client.post("/auth/email/confirm", json={"token": token})


async def request_reset(client, address):
    return await client.post("/auth/password/forgotten", json={"email": address})


async def reset(client, token, password=NEW_PASSWORD):
    body = {"token": token, "password": password}
    return await client.post("/auth/password/reset", json=body)


async def logs_in(client, address, password) -> bool:
    form = {"username": address, "password": password}
    return (await client.post("/auth/token", data=form)).status_code == 200


async def test_a_new_user_verifies_the_address_with_a_link(anonymous, sent_emails, session):
    user_id = (await anonymous.post("/users", json=ANA)).json()["id"]

    [message] = (await sent_emails())[ANA["email"]]
    response = await confirm(anonymous, token_of(message))

    assert message["Subject"] == "Confirm your email address"
    assert (response.status_code, response.content) == (204, b"")
    assert (await session.get_one(User, user_id)).email_verified_at
    assert await sent_emails() == {}


async def test_an_email_is_in_the_language_of_the_recipient(anonymous, sent_emails):
    await anonymous.post("/users", json=ANA | {"language": "pt-BR"})

    [message] = (await sent_emails())[ANA["email"]]

    assert message["Subject"] == "Confirme seu endereço de e-mail"
    assert LINK.search(message.get_body(["html"]).get_content())[2] == "pt-BR"


async def test_a_refused_registration_sends_no_email(anonymous, user, sent_emails):
    taken = await anonymous.post("/users", json=ANA | {"username": user.username})

    assert taken.status_code == 409
    assert await sent_emails() == {}


async def test_job_arguments_do_not_contain_the_token_of_a_link(anonymous, deferred, sent_emails):
    await anonymous.post("/users", json=ANA)
    [(_, arguments)] = await deferred()

    [message] = (await sent_emails())[ANA["email"]]

    assert token_of(message) not in str(arguments)
    assert problem(await confirm(anonymous, arguments["seed"])) == DEAD_LINK


async def test_a_second_verification_email_invalidates_the_first_link(
    client, user, sent_emails, statements
):
    older = await client.post("/users/me/email/verification")
    [first] = (await sent_emails())[user.email]
    with statements() as sent:
        newer = await client.post("/users/me/email/verification")
    [second] = (await sent_emails())[user.email]

    assert (older.status_code, newer.status_code) == (202, 202)
    assert len(sent) == 5
    assert problem(await confirm(client, token_of(first))) == DEAD_LINK
    assert (await confirm(client, token_of(second))).status_code == 204
    assert (await me(client))["email_verified"]
    again = await client.post("/users/me/email/verification")
    assert problem(again) == (409, "Your email address is verified already.")


async def test_a_link_works_once(client, user, sent_emails):
    await client.post("/users/me/email/verification")
    [message] = (await sent_emails())[user.email]

    statuses = [(await confirm(client, token_of(message))).status_code for _ in range(2)]

    assert statuses == [204, 404]


async def test_a_retried_job_sends_the_same_email_and_restores_no_used_link(
    client, user, sent_emails, deferred, do_jobs, settings, sessions, tmp_path
):
    await client.post("/users/me/email/verification")
    [(name, arguments)] = await deferred()
    [message] = (await sent_emails())[user.email]
    path = next(tmp_path.glob("mail/*.eml"))
    path.unlink()
    context = Context(settings.model_copy(update={"data_dir": tmp_path}), sessions)

    await JOBS[name](context, **arguments)
    again = email.message_from_bytes(path.read_bytes(), policy=default)
    assert token_of(again) == token_of(message)
    assert again["Message-ID"] == message["Message-ID"]

    path.unlink()
    await confirm(client, token_of(message))
    await JOBS[name](context, **arguments)
    assert not path.exists()
    assert problem(await confirm(client, token_of(message))) == DEAD_LINK


async def test_a_late_job_does_not_replace_a_newer_link(
    client, user, deferred, sent_emails, settings, sessions, tmp_path, execute
):
    await client.post("/users/me/email/verification")
    [(name, older)] = await deferred()
    await execute(text("DELETE FROM procrastinate_jobs"))
    older["requested_at"] = (datetime.now(UTC) - timedelta(minutes=1)).isoformat()
    await client.post("/users/me/email/verification")
    [message] = (await sent_emails())[user.email]

    context = Context(settings.model_copy(update={"data_dir": tmp_path}), sessions)
    await JOBS[name](context, **older)

    assert await sent_emails() == {}
    assert (await confirm(client, token_of(message))).status_code == 204


@pytest.mark.parametrize(("purpose", "hours"), [("password", 1), ("verification", 24)])
async def test_an_expired_link_is_not_sent(settings, sessions, purpose, hours):
    expired_at = datetime.now(UTC) - timedelta(hours=hours, seconds=1)
    arguments = {"purpose": purpose, "email": NEW, "user_id": 1, "seed": "seed"}

    with pytest.raises(PermanentFailure, match="expired"):
        await jobs.send_link(
            Context(settings, sessions),
            requested_at=expired_at.isoformat(),
            **arguments,
        )


async def test_a_new_address_is_pending_until_it_is_confirmed(
    client, user, sent_emails, statements, save, session
):
    await save(LoginSessionFactory(owner_id=user.id))
    with statements() as sent:
        body = await request_address_change(client)
    sent_by_address = await sent_emails()

    assert (body["email"], body["pending_email"]) == (user.email, NEW)
    assert len(sent) == 10
    assert [message["Subject"] for message in sent_by_address[user.email]] == [
        "Your email address is about to change"
    ]
    [message] = sent_by_address[NEW]
    assert message["Subject"] == "Confirm your new email address"
    assert await logs_in(client, user.email, PASSWORD)

    assert (await confirm(client, token_of(message))).status_code == 204

    body = await me(client)
    assert (body["email"], body["pending_email"], body["email_verified"]) == (NEW, None, True)
    remaining = (
        select(func.count()).select_from(LoginSession).where(LoginSession.owner_id == user.id)
    )
    assert await session.scalar(remaining) == 0
    [notice] = (await sent_emails())[user.email]
    assert notice["Subject"] == "Your email address was changed"
    assert await logs_in(client, NEW, PASSWORD)
    assert not await logs_in(client, user.email, PASSWORD)


async def test_an_address_taken_before_confirmation_is_a_conflict(client, save, sent_emails):
    await request_address_change(client)
    [message] = (await sent_emails())[NEW]
    [other] = await save(UserFactory(email=NEW))

    assert problem(await confirm(client, token_of(message))) == (409, "Email already exists")

    assert (await me(client))["pending_email"] == NEW
    await client.delete(f"/users/{other.id}")


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"password": NEW_PASSWORD, "current_password": PASSWORD},
        {"email": "third@example.com", "current_password": PASSWORD},
    ],
    ids=["the address of now", "another password", "another address"],
)
async def test_a_pending_address_is_cancelled(client, user, sent_emails, session, change):
    await request_address_change(client)
    [message] = (await sent_emails())[NEW]

    response = await client.patch("/users/me", json=change or {"email": user.email})

    assert response.status_code == 200
    assert response.json()["pending_email"] != NEW
    assert problem(await confirm(client, token_of(message))) == DEAD_LINK
    assert (await session.get_one(User, user.id)).email == user.email


async def test_replacing_an_account_changes_its_address_at_once(
    client, user, sent_emails, session, execute
):
    await execute(update(User).where(User.id == user.id).values(email_verified_at=func.now()))
    account = {"username": user.username, "email": NEW, "password": NEW_PASSWORD}

    body = (await client.put(f"/users/{user.id}", json=account)).json()
    sent = await sent_emails()

    assert (body["email"], body["email_verified"]) == (NEW, False)
    assert {message["Subject"] for message in sent[user.email]} == {
        "Your email address was changed",
        "Your password was changed",
    }
    [message] = sent[NEW]
    assert (await confirm(client, token_of(message))).status_code == 204
    assert (await session.get_one(User, user.id)).email_verified_at


async def test_a_password_change_sends_a_notice(client, user, sent_emails):
    change = {"password": NEW_PASSWORD, "current_password": PASSWORD, "language": "pt-BR"}
    await client.patch("/users/me", json=change)

    [message] = (await sent_emails())[user.email]

    assert message["Subject"] == "Sua senha mudou"


async def test_a_forgotten_password_is_reset_with_a_link(
    anonymous, user, sent_emails, save, session, statements
):
    await save(LoginSessionFactory(owner_id=user.id))
    assert (await request_reset(anonymous, user.email.upper())).status_code == 202
    [message] = (await sent_emails())[user.email]
    token = token_of(message)

    assert invalid_fields(await reset(anonymous, token, "password1")) == ["body.password"]
    with statements() as sent:
        response = await reset(anonymous, token)

    assert (response.status_code, response.content) == (204, b"")
    assert len(sent) == 9  # includes deleting what others may have created
    remaining = (
        select(func.count()).select_from(LoginSession).where(LoginSession.owner_id == user.id)
    )
    assert await session.scalar(remaining) == 0
    assert (await session.get_one(User, user.id)).email_verified_at
    assert await logs_in(anonymous, user.email, NEW_PASSWORD)
    assert not await logs_in(anonymous, user.email, PASSWORD)
    assert problem(await reset(anonymous, token)) == DEAD_LINK
    [notice] = (await sent_emails())[user.email]
    assert notice["Subject"] == "Your password was changed"


CREDENTIALS = (
    PersonalToken,
    LoginSession,
    CalendarFeed,
    PushSubscription,
    SecondFactor,
    RecoveryCode,
)


@pytest.fixture
async def count_credentials(client, user, save, session):
    """Create tokens and a second factor that another person may have created; count them."""

    async def count() -> list[int]:
        return [
            await session.scalar(select(func.count()).where(table.owner_id == user.id))
            for table in CREDENTIALS
        ]

    await save(
        PersonalTokenFactory(owner_id=user.id),
        LoginSessionFactory(owner_id=user.id),
        CalendarFeed(owner_id=user.id, digest=b"digest"),
        PushSubscription(
            owner_id=user.id, endpoint="https://push.example.com/1", p256dh="key", auth="secret"
        ),
        SecondFactor(owner_id=user.id, secret="SECRET", confirmed_at=datetime.now(UTC)),
    )
    await save(RecoveryCode(owner_id=user.id, digest=b"digest"))
    return count


async def test_a_reset_of_an_unverified_account_revokes_tokens_and_second_factor(
    client, user, sent_emails, count_credentials
):
    await request_reset(client, user.email)
    [message] = (await sent_emails())[user.email]

    assert (await reset(client, token_of(message))).status_code == 204
    await sent_emails()  # runs the jobs

    assert await count_credentials() == [0, 0, 0, 0, 0, 0]


async def test_a_reset_of_a_verified_account_keeps_tokens_and_second_factor(
    client, user, sent_emails, count_credentials
):
    await client.post("/users/me/email/verification")
    [message] = (await sent_emails())[user.email]
    await confirm(client, token_of(message))
    await request_reset(client, user.email)
    [message] = (await sent_emails())[user.email]

    assert (await reset(client, token_of(message))).status_code == 204
    await sent_emails()

    assert await count_credentials() == [1, 0, 1, 1, 1, 1]


async def test_requesting_a_reset_does_not_reveal_who_has_an_account(
    anonymous, user, statements, sent_emails
):
    results = []
    for address in (user.email, "nobody@example.com"):
        with statements() as sent:
            response = await request_reset(anonymous, address)
        results.append((response.status_code, response.content, sent))

    assert results[0] == results[1]
    assert results[0][0] == 202
    assert len(results[0][2]) == 3
    assert (await sent_emails()).keys() == {user.email}


async def test_a_password_link_expires_after_an_hour(
    anonymous, user, sent_emails, session, execute
):
    await request_reset(anonymous, user.email)
    [message] = (await sent_emails())[user.email]
    lifetime = select(MailedLink.expires_at - MailedLink.requested_at)
    assert await session.scalar(lifetime.where(MailedLink.owner_id == user.id)) == timedelta(
        hours=1
    )

    await execute(
        update(MailedLink)
        .where(MailedLink.owner_id == user.id)
        .values(expires_at=func.now() - timedelta(seconds=1))
    )

    assert problem(await reset(anonymous, token_of(message))) == DEAD_LINK


@pytest.mark.parametrize(
    "change",
    [
        {"password": NEW_PASSWORD, "current_password": PASSWORD},
        {"username": "ana", "email": NEW, "password": PASSWORD},
    ],
    ids=["another password", "another address"],
)
async def test_a_change_of_credentials_invalidates_the_password_link(
    client, user, sent_emails, change
):
    await request_reset(client, user.email)
    [message] = (await sent_emails())[user.email]
    path = f"/users/{user.id}" if "username" in change else "/users/me"
    method = "PUT" if "username" in change else "PATCH"

    assert (await client.request(method, path, json=change)).status_code == 200

    assert problem(await reset(client, token_of(message), "one more sentence")) == DEAD_LINK


async def test_a_reset_cancels_a_pending_address(client, user, sent_emails):
    await request_address_change(client)
    await request_reset(client, user.email)
    sent = await sent_emails()
    [to_new] = sent[NEW]
    [to_old] = [message for message in sent[user.email] if "password" in message["Subject"]]

    assert (await reset(client, token_of(to_old))).status_code == 204

    assert problem(await confirm(client, token_of(to_new))) == DEAD_LINK
    assert (await me(client))["pending_email"] is None


async def test_a_link_is_valid_for_its_own_purpose_only(client, user, sent_emails):
    await client.post("/users/me/email/verification")
    [verification] = (await sent_emails())[user.email]
    await request_reset(client, user.email)
    [password] = (await sent_emails())[user.email]

    assert problem(await reset(client, token_of(verification))) == DEAD_LINK
    assert problem(await confirm(client, token_of(password))) == DEAD_LINK


@pytest.mark.parametrize("token", ["", "x", "é" * 1024])
async def test_an_unknown_token_is_refused(anonymous, token):
    assert problem(await confirm(anonymous, token)) == DEAD_LINK
    assert problem(await reset(anonymous, token)) == DEAD_LINK


async def test_a_reset_for_an_invalid_address_is_refused(anonymous):
    assert invalid_fields(await request_reset(anonymous, "nobody")) == ["body.email"]
    assert invalid_fields(await request_reset(anonymous, None)) == ["body.email"]


async def test_a_request_of_a_deleted_user_is_refused(client, user, execute):
    await execute(text("DELETE FROM users WHERE id = :id"), {"id": user.id})

    response = await client.post("/users/me/email/verification")

    assert problem(response) == (401, "Could not validate credentials")
