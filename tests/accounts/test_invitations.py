"""Registration with and without an invitation."""

import asyncio
import email
import re
from datetime import UTC, datetime, timedelta
from email.policy import default
from urllib.parse import parse_qs

import pytest
from sqlalchemy import delete, func, select, update

from fast_zero.accounts.invitations import CLOSED, NEEDED, NOT_VALID
from fast_zero.core import security
from fast_zero.core.types import MAX_BIGINT
from fast_zero.identity.scopes import ALL_SCOPES, Scope
from fast_zero.models import Invitation, Throttle, User
from tests.core.expect import invalid_fields, problem
from tests.factories import PASSWORD, LoginSessionFactory, UserFactory

ANA = {"username": "ana", "email": "ana@example.com", "password": "another fine sentence"}
EVA = {"username": "eva", "email": "eva@example.com", "password": "another fine sentence"}
LINK = re.compile(r"http://127\.0\.0\.1:8000/account/register\?lang=(en|pt-BR)#(\S+)")


@pytest.fixture
def admin(settings, client, user):
    """Return a client of an administrator."""
    scopes = [*ALL_SCOPES, Scope.ADMIN]
    token = security.create_access_token(settings, user.id, MAX_BIGINT, scopes)
    client.headers["Authorization"] = f"Bearer {token}"
    return client


@pytest.fixture
def invite(admin):
    async def invite(address: str = ANA["email"], **given):
        return await admin.post("/admin/invitations", json={"email": address, **given})

    return invite


@pytest.fixture
def sent(do_jobs, tmp_path):
    """Run the jobs, and return the newest email to an address."""
    seen: set = set()

    async def sent(address: str = ANA["email"]):
        await do_jobs(data_dir=tmp_path)
        new = set(tmp_path.glob("mail/*.eml")) - seen
        seen.update(new)
        found = [email.message_from_bytes(path.read_bytes(), policy=default) for path in new]
        return next((message for message in found if message["To"] == address), None)

    return sent


def token_of(message) -> str:
    fragment = parse_qs(LINK.search(message.get_body(["plain"]).get_content())[2])
    assert fragment["email"] == [message["To"]]
    return fragment["invitation"][0]


async def test_an_invited_user_registers_once_with_a_verified_address(admin, invite, sent):
    invited = await invite()
    message = await sent()
    new = ANA | {"email": "ANA@example.com", "invitation": token_of(message)}
    created = await admin.post("/users", json=new)
    again = await admin.post("/users", json=EVA | {"email": ANA["email"]} | new)

    assert invited.status_code == 201
    lifetime = datetime.fromisoformat(invited.json()["expires_at"]) - datetime.now(UTC)
    assert timedelta(days=6, hours=23) < lifetime <= timedelta(days=7)
    assert message["Subject"] == "You are invited to register"
    assert created.status_code == 201
    # The address is exactly the one that was verified.
    assert (created.json()["email"], created.json()["email_verified"]) == (ANA["email"], True)
    assert problem(again) == (403, NOT_VALID.detail)
    assert await sent() is None  # the address needs no verification
    form = {"username": "ana", "password": ANA["password"]}
    assert (await admin.post("/auth/token", data=form)).status_code == 200


async def test_an_invitation_is_in_the_requested_language(invite, sent):
    assert (await invite(language="pt-BR")).json()["language"] == "pt-BR"

    message = await sent()

    assert message["Subject"] == "Você recebeu um convite para se cadastrar"
    assert LINK.search(message.get_body(["plain"]).get_content())[1] == "pt-BR"
    assert invalid_fields(await invite(language="xx")) == ["body.language"]


async def test_an_invitation_is_valid_for_one_address_only(admin, invite, sent):
    await invite("o'ana+todo@example.com")
    token = token_of(await sent("o'ana+todo@example.com"))

    refused = await admin.post("/users", json=EVA | {"invitation": token})
    created = await admin.post(
        "/users", json=EVA | {"invitation": token, "email": "o'ana+todo@example.com"}
    )

    assert problem(refused) == (403, NOT_VALID.detail)
    assert created.status_code == 201


async def test_only_the_newest_invitation_works(admin, invite, sent):
    first_id = (await invite()).json()["id"]
    first = token_of(await sent())
    second_id = (await invite()).json()["id"]
    second = token_of(await sent())

    older = await admin.post("/users", json=ANA | {"invitation": first})
    listed = (await admin.get("/admin/invitations")).json()
    newer = await admin.post("/users", json=ANA | {"invitation": second})

    assert first_id == second_id
    assert [one["email"] for one in listed["invitations"]] == [ANA["email"]]
    assert problem(older) == (403, NOT_VALID.detail)
    assert newer.status_code == 201
    assert (await admin.get("/admin/invitations")).json() == {"invitations": [], "next": None}


async def test_an_expired_or_revoked_invitation_is_refused(admin, invite, sent, sessions):
    await invite()
    await invite(EVA["email"])
    tokens = {}
    message = await sent(EVA["email"])
    tokens["eva"] = token_of(message)
    invitation_id = (await admin.get("/admin/invitations?limit=1")).json()["invitations"][0]["id"]
    revoked = [await admin.delete(f"/admin/invitations/{invitation_id}") for _ in range(2)]
    async with sessions.begin() as session:
        past = datetime.now(UTC) - timedelta(seconds=1)
        await session.execute(update(Invitation).values(expires_at=past))
    expired = await admin.post("/users", json=EVA | {"invitation": tokens["eva"]})

    assert revoked[0].status_code == 204
    assert problem(revoked[1]) == (404, "Invitation not found")
    assert problem(expired) == (403, NOT_VALID.detail)
    assert (await admin.get("/admin/invitations")).json()["invitations"] == []


async def test_a_revoked_invitation_is_not_sent(admin, invite, sent):
    invitation_id = (await invite()).json()["id"]
    await admin.delete(f"/admin/invitations/{invitation_id}")

    assert await sent() is None


async def test_job_arguments_do_not_contain_the_token_of_an_invitation(
    invite, deferred, sent, session
):
    await invite()
    [(_, arguments)] = await deferred()
    token = token_of(await sent())

    stored = (await session.execute(select(Invitation))).scalar_one()
    assert token not in str(arguments)
    assert arguments.keys() == {"seed"}
    assert stored.digest == security.digest(token)


async def test_a_taken_username_does_not_use_up_the_invitation(admin, invite, sent, user):
    await invite()
    token = token_of(await sent())

    taken = await admin.post("/users", json=ANA | {"username": user.username, "invitation": token})
    created = await admin.post("/users", json=ANA | {"invitation": token})

    assert problem(taken) == (409, "Username already exists")
    assert created.status_code == 201


async def test_an_address_with_an_account_is_not_invited(admin, invite, stranger, sent):
    refused = await invite(stranger.email.upper())

    assert problem(refused) == (409, "Email already exists")
    assert await sent(stranger.email) is None


async def test_registering_an_invited_address_again_is_a_conflict(admin, invite, sent):
    await invite()
    token = token_of(await sent())
    assert (await admin.post("/users", json=ANA)).status_code == 201

    response = await admin.post("/users", json=EVA | {"email": ANA["email"], "invitation": token})

    assert problem(response) == (409, "Email already exists")


async def test_a_retried_invitation_is_created_once(admin, deferred):
    key, new = {"Idempotency-Key": "one"}, {"email": ANA["email"]}

    responses = [await admin.post("/admin/invitations", json=new, headers=key) for _ in range(2)]

    assert [response.status_code for response in responses] == [201, 201]
    assert responses[1].headers["idempotency-replayed"] == "true"
    assert responses[0].json() == responses[1].json()
    assert len(await deferred()) == 1


async def test_a_replayed_invitation_does_not_count_towards_the_limit(admin):
    key, new = {"Idempotency-Key": "one"}, {"email": ANA["email"]}

    responses = [await admin.post("/admin/invitations", json=new, headers=key) for _ in range(7)]

    assert [response.status_code for response in responses] == [201] * 7


async def test_an_invitation_beyond_the_limit_does_not_use_up_its_idempotency_key(
    admin, invite, connection
):
    key, new = {"Idempotency-Key": "one"}, {"email": ANA["email"]}
    for _ in range(5):
        await invite()

    refused = await admin.post("/admin/invitations", json=new, headers=key)
    await connection.execute(delete(Throttle))
    later = await admin.post("/admin/invitations", json=new, headers=key)

    assert (refused.status_code, later.status_code) == (429, 201)


async def test_a_retried_registration_by_invitation_creates_one_account(admin, invite, sent):
    await invite()
    new, key = ANA | {"invitation": token_of(await sent())}, {"Idempotency-Key": "one"}

    responses = [await admin.post("/users", json=new, headers=key) for _ in range(2)]

    assert [response.status_code for response in responses] == [201, 201]
    assert responses[0].json() == responses[1].json()


async def test_only_administrators_can_invite(client, anonymous):
    for method, path in (
        ("POST", "/admin/invitations"),
        ("GET", "/admin/invitations"),
        ("DELETE", "/admin/invitations/1"),
    ):
        response = await client.request(method, path, json={"email": ANA["email"]})
        assert response.status_code == 403
        assert 'scope="admin"' in response.headers["www-authenticate"]


async def test_invitations_to_one_address_are_limited(invite):
    statuses = [(await invite()).status_code for _ in range(6)]

    assert statuses == [201] * 5 + [429]


@pytest.fixture
async def admin_headers(settings, commit):
    """Return the headers of an administrator whom all connections see."""
    [admin] = await commit(UserFactory(role="admin"))
    [opened] = await commit(LoginSessionFactory(owner_id=admin.id))
    scopes = [*ALL_SCOPES, Scope.ADMIN]
    token = security.create_access_token(settings, admin.id, opened.id, scopes)
    return {"Authorization": f"Bearer {token}"}


async def test_closed_registration_refuses_accounts_and_invitations(live, admin_headers):
    async with live(registration="closed") as client:
        plain = await client.post("/users", json=ANA)
        taken = await client.post("/users", json=ANA | {"invitation": "any"})
        invited = await client.post(
            "/admin/invitations", json={"email": "a@x.org"}, headers=admin_headers
        )

    assert [problem(response) for response in (plain, taken, invited)] == [(403, CLOSED.detail)] * 3


async def test_registering_without_an_invitation_does_not_reveal_who_has_an_account(live, commit):
    [user] = await commit(UserFactory())
    async with live(registration="invite") as client:
        for new in (ANA, ANA | {"username": user.username}, ANA | {"email": user.email}):
            assert problem(await client.post("/users", json=new)) == (403, NEEDED.detail)
            guessed = await client.post("/users", json=new | {"invitation": "guessed"})
            assert problem(guessed) == (403, NOT_VALID.detail)


async def test_one_of_many_concurrent_uses_of_an_invitation_succeeds(
    live, admin_headers, settings, committing, engine
):
    async with live(registration="invite") as client:
        invited = await client.post(
            "/admin/invitations", json={"email": ANA["email"]}, headers=admin_headers
        )
        assert invited.status_code == 201
        token = security.new_secret()
        async with committing.begin() as session:
            await session.execute(update(Invitation).values(digest=security.digest(token)))
        responses = await asyncio.gather(
            *(
                client.post("/users", json=ANA | {"username": f"ana {number}", "invitation": token})
                for number in range(8)
            )
        )
        remaining = await client.get("/admin/invitations", headers=admin_headers)

    assert sorted(response.status_code for response in responses) == [201] + [403] * 7
    assert remaining.json()["invitations"] == []
    async with engine.connect() as connection:
        count = select(func.count()).where(User.email == ANA["email"])
        assert await connection.scalar(count) == 1


async def test_users_can_log_in_while_registration_is_closed(live, commit):
    [user] = await commit(UserFactory())
    async with live(registration="closed") as client:
        form = {"username": user.email, "password": PASSWORD}
        assert (await client.post("/auth/token", data=form)).status_code == 200
