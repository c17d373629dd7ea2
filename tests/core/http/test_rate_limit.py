from fractions import Fraction

import pytest
from fastapi.routing import APIRoute, iter_route_contexts
from httpx2 import ASGITransport, AsyncClient
from hypothesis import given
from hypothesis import strategies as st

from fast_zero.core.http.middleware.rate_limit import SECOND, Budget, is_free
from tests.core.expect import comes_true, problem
from tests.factories import PersonalTokenFactory, UserFactory, new_token

TOO_MANY = (429, "Too many requests. Wait, then go on more slowly.")
POLICY = "ratelimit-policy"
STEPS = st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 3 * SECOND)), max_size=60)


class Bucket:
    """The same told in another way: tokens that drip into a bucket and are taken out."""

    def __init__(self, quota: int, window: int) -> None:
        self.quota = quota
        self.interval = window * SECOND // quota
        self.tokens = Fraction(quota)
        self.at = 0

    def take(self, now: int) -> tuple[bool, int]:
        dripped = Fraction(now - self.at, self.interval)
        self.tokens, self.at = min(self.tokens + dripped, Fraction(self.quota)), now
        granted = self.tokens >= 1
        self.tokens -= granted
        return granted, int(self.tokens)


@given(quota=st.integers(1, 12), window=st.integers(1, 9), steps=STEPS)
def test_a_budget_is_a_bucket_for_each_caller(quota, window, steps):
    budget, now = Budget(quota, window), 0
    buckets = {who: Bucket(quota, window) for who in "ab"}

    for who, pause in steps:
        now += pause
        standing = budget.spend(who, now)
        assert (standing.granted, standing.left) == buckets[who].take(now)
        assert 0 <= standing.whole_in <= window
        assert standing.granted or 1 <= standing.next_in <= standing.whole_in


@given(quota=st.integers(1, 5), steps=STEPS)
def test_who_waits_as_long_as_told_is_let_through(quota, steps):
    budget, now = Budget(quota, 7), 0
    for _, pause in steps:
        now += pause // 10
        standing = budget.spend("a", now)
        if not standing.granted:
            now += standing.next_in * SECOND
            assert budget.spend("a", now).granted


@given(callers=st.lists(st.integers(0, 99), max_size=200), pause=st.integers(0, SECOND))
def test_a_budget_keeps_so_many_callers_at_most(callers, pause):
    budget = Budget(3, 60, most_kept=10)
    for number, caller in enumerate(callers):
        budget.spend(str(caller), number * pause)
        assert len(budget.whole_at) <= 10


def test_who_has_all_again_is_forgotten():
    budget = Budget(60, 60)
    for number in range(1000):
        budget.spend(str(number), number * 2 * SECOND)

    assert len(budget.whole_at) == 1


def test_what_is_given_back_can_be_spent_again():
    budget = Budget(2, 60)
    for _ in range(9):
        assert budget.spend("a", 0).granted
        budget.give_back("a")
    budget.give_back("nobody")

    assert [budget.spend("a", 0).granted for _ in range(3)] == [True, True, False]


@pytest.fixture
def speak(live):
    """Ask from other addresses of the application behind a client."""

    def speak(client, address: str) -> AsyncClient:
        transport = ASGITransport(client.app, client=(address, 1))
        return AsyncClient(transport=transport, base_url="http://test")

    return speak


async def test_each_answer_tells_what_is_left_and_an_empty_budget_refuses(live):
    async with live(requests_per_minute=3) as client:
        answers = [await client.get("/users") for _ in range(3)]
        unknown = await client.get("/nowhere/")
        free = [await client.get(path) for path in ("/", "/livez", "/version", "/docs", "/redoc/")]

    assert [answer.headers["ratelimit"] for answer in answers] == [
        f'"default";r={left};t={seconds}' for left, seconds in ((2, 20), (1, 40), (0, 60))
    ]
    assert {answer.headers[POLICY] for answer in answers} == {'"default";q=3;w=60'}
    assert problem(unknown) == TOO_MANY
    assert unknown.headers["ratelimit"] == '"default";r=0;t=60'
    assert unknown.headers["retry-after"] == "20"
    assert unknown.headers["x-content-type-options"] == "nosniff"
    assert [answer.status_code for answer in free] == [200] * 5
    assert not [answer for answer in free if POLICY in answer.headers]


async def test_an_address_is_charged_for_who_is_not_known_and_a_user_wherever_they_are(
    live, commit, sign_in, speak
):
    user, other = await commit(*UserFactory.build_batch(2))
    headers, others = await sign_in(user), await sign_in(other)
    async with live(requests_per_minute=2) as client:
        home, away = speak(client, "2001:db8:1:2::1"), speak(client, "203.0.113.7")
        neighbour = speak(client, "2001:db8:1:2:ffff::9")

        for nobody in ({}, {"Authorization": "Bearer x.y.z"}):
            assert (await home.get("/todos", headers=nobody)).status_code == 401
        assert problem(await neighbour.get("/users")) == TOO_MANY
        assert (await away.get("/users")).status_code == 200
        assert (await home.get("/todos", headers=headers)).status_code == 200
        assert (await away.get("/todos", headers=headers)).status_code == 200
        assert problem(await away.get("/todos", headers=headers)) == TOO_MANY
        assert (await home.get("/todos", headers=others)).status_code == 200


async def test_a_personal_token_is_charged_to_its_owner(live, commit, sign_in):
    [user] = await commit(UserFactory())
    token = new_token()
    await commit(PersonalTokenFactory(token=token, owner_id=user.id))
    async with live(requests_per_minute=2) as client:
        program = {"Authorization": f"Bearer {token}"}
        forged = {"Authorization": f"Bearer {new_token()}"}

        seen = [(await client.get("/todos", headers=program)) for _ in range(3)]
        by_session = await client.get("/todos", headers=await sign_in(user))
        nobody = [await client.get("/todos", headers=forged) for _ in range(3)]

    assert [answer.status_code for answer in seen] == [200, 200, 429]
    assert problem(by_session) == TOO_MANY
    assert [answer.status_code for answer in nobody] == [401, 401, 429]


async def test_the_token_of_an_ended_session_spends_nothing_of_its_users(live, commit, sign_in):
    [user] = await commit(UserFactory())
    ended, lives = await sign_in(user), await sign_in(user)
    async with live(requests_per_minute=3) as client:
        await comes_true(lambda: client.state["revocations"].complete)
        assert (await client.post("/auth/logout", headers=ended)).status_code == 204
        stolen = [await client.get("/todos", headers=ended) for _ in range(5)]
        own = [await client.get("/todos", headers=lives) for _ in range(3)]

    assert [answer.status_code for answer in stolen] == [401, 401, 401, 429, 429]
    assert [answer.status_code for answer in own] == [200, 200, 429]


def test_the_document_tells_it_of_every_route_that_is_not_free(app):
    for route in iter_route_contexts(app.routes):
        if not isinstance(route.original_route, APIRoute) or not route.include_in_schema:
            continue
        for method in route.methods:
            operation = app.openapi()["paths"][route.path][method.lower()]
            described = operation["responses"].get("429", {"description": ""})["description"]
            assert (TOO_MANY[1] in described) != is_free(route.path), route.path
