from fractions import Fraction

import pytest
from fastapi.routing import APIRoute, iter_route_contexts
from httpx2 import ASGITransport, AsyncClient
from hypothesis import given
from hypothesis import strategies as st

from fast_zero.core.http.middleware.rate_limit import SECOND, Budget, is_free
from tests.core.expect import problem, wait_until
from tests.factories import PersonalTokenFactory, UserFactory, new_token

TOO_MANY = (429, "Too many requests. Wait, then go on more slowly.")
POLICY = "ratelimit-policy"
STEPS = st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 3 * SECOND)), max_size=60)


class Bucket:
    """The same algorithm in another form: a token bucket."""

    def __init__(self, quota: int, window: int) -> None:
        self.quota = quota
        self.interval = window * SECOND // quota
        self.tokens = Fraction(quota)
        self.updated_at = 0

    def take(self, now: int) -> tuple[bool, int]:
        added = Fraction(now - self.updated_at, self.interval)
        self.tokens, self.updated_at = min(self.tokens + added, Fraction(self.quota)), now
        granted = self.tokens >= 1
        self.tokens -= granted
        return granted, int(self.tokens)


@given(quota=st.integers(1, 12), window=st.integers(1, 9), steps=STEPS)
def test_a_budget_is_a_token_bucket_for_each_client(quota, window, steps):
    budget, now = Budget(quota, window), 0
    buckets = {caller: Bucket(quota, window) for caller in "ab"}

    for caller, pause in steps:
        now += pause
        state = budget.spend(caller, now)
        assert (state.granted, state.remaining) == buckets[caller].take(now)
        assert 0 <= state.reset_after <= window
        assert state.granted or 1 <= state.retry_after <= state.reset_after


@given(quota=st.integers(1, 5), steps=STEPS)
def test_a_request_after_retry_after_is_granted(quota, steps):
    budget, now = Budget(quota, 7), 0
    for _, pause in steps:
        now += pause // 10
        state = budget.spend("a", now)
        if not state.granted:
            now += state.retry_after * SECOND
            assert budget.spend("a", now).granted


@given(callers=st.lists(st.integers(0, 99), max_size=200), pause=st.integers(0, SECOND))
def test_a_budget_stores_a_limited_number_of_clients(callers, pause):
    budget = Budget(3, 60, max_clients=10)
    for number, caller in enumerate(callers):
        budget.spend(str(caller), number * pause)
        assert len(budget.full_at) <= 10


def test_a_client_with_a_full_budget_is_removed():
    budget = Budget(60, 60)
    for number in range(1000):
        budget.spend(str(number), number * 2 * SECOND)

    assert len(budget.full_at) == 1


def test_a_refunded_request_can_be_spent_again():
    budget = Budget(2, 60)
    for _ in range(9):
        assert budget.spend("a", 0).granted
        budget.refund("a")
    budget.refund("nobody")

    assert [budget.spend("a", 0).granted for _ in range(3)] == [True, True, False]


@pytest.fixture
def client_at(live):
    """Send requests from other addresses to the application of a client."""

    def client_at(client, address: str) -> AsyncClient:
        transport = ASGITransport(client.app, client=(address, 1))
        return AsyncClient(transport=transport, base_url="http://test")

    return client_at


async def test_each_response_has_the_remaining_budget_and_an_empty_one_is_429(live):
    async with live(requests_per_minute=3) as client:
        responses = [await client.get("/users") for _ in range(3)]
        unknown = await client.get("/nowhere/")
        free = [await client.get(path) for path in ("/", "/livez", "/version", "/docs", "/redoc/")]

    assert [response.headers["ratelimit"] for response in responses] == [
        f'"default";r={remaining};t={seconds}' for remaining, seconds in ((2, 20), (1, 40), (0, 60))
    ]
    assert {response.headers[POLICY] for response in responses} == {'"default";q=3;w=60'}
    assert problem(unknown) == TOO_MANY
    assert unknown.headers["ratelimit"] == '"default";r=0;t=60'
    assert unknown.headers["retry-after"] == "20"
    assert unknown.headers["x-content-type-options"] == "nosniff"
    assert [response.status_code for response in free] == [200] * 5
    assert not [response for response in free if POLICY in response.headers]


async def test_anonymous_requests_are_charged_to_the_address_and_others_to_the_user(
    live, commit, log_in, client_at
):
    user, other = await commit(*UserFactory.build_batch(2))
    headers, others = await log_in(user), await log_in(other)
    async with live(requests_per_minute=2) as client:
        home, away = client_at(client, "2001:db8:1:2::1"), client_at(client, "203.0.113.7")
        neighbour = client_at(client, "2001:db8:1:2:ffff::9")

        for unauthenticated in ({}, {"Authorization": "Bearer x.y.z"}):
            assert (await home.get("/todos", headers=unauthenticated)).status_code == 401
        assert problem(await neighbour.get("/users")) == TOO_MANY
        assert (await away.get("/users")).status_code == 200
        assert (await home.get("/todos", headers=headers)).status_code == 200
        assert (await away.get("/todos", headers=headers)).status_code == 200
        assert problem(await away.get("/todos", headers=headers)) == TOO_MANY
        assert (await home.get("/todos", headers=others)).status_code == 200


async def test_a_personal_token_is_charged_to_its_owner(live, commit, log_in):
    [user] = await commit(UserFactory())
    token = new_token()
    await commit(PersonalTokenFactory(token=token, owner_id=user.id))
    async with live(requests_per_minute=2) as client:
        personal = {"Authorization": f"Bearer {token}"}
        forged = {"Authorization": f"Bearer {new_token()}"}

        responses = [(await client.get("/todos", headers=personal)) for _ in range(3)]
        by_session = await client.get("/todos", headers=await log_in(user))
        refused = [await client.get("/todos", headers=forged) for _ in range(3)]

    assert [response.status_code for response in responses] == [200, 200, 429]
    assert problem(by_session) == TOO_MANY
    assert [response.status_code for response in refused] == [401, 401, 429]


async def test_the_token_of_an_ended_session_is_not_charged_to_its_user(live, commit, log_in):
    [user] = await commit(UserFactory())
    ended, active = await log_in(user), await log_in(user)
    async with live(requests_per_minute=3) as client:
        await wait_until(lambda: client.state["revocations"].complete)
        assert (await client.post("/auth/logout", headers=ended)).status_code == 204
        stolen = [await client.get("/todos", headers=ended) for _ in range(5)]
        own = [await client.get("/todos", headers=active) for _ in range(3)]

    assert [response.status_code for response in stolen] == [401, 401, 401, 429, 429]
    assert [response.status_code for response in own] == [200, 200, 429]


def test_every_rate_limited_route_documents_429(app):
    for route in iter_route_contexts(app.routes):
        if not isinstance(route.original_route, APIRoute) or not route.include_in_schema:
            continue
        for method in route.methods:
            operation = app.openapi()["paths"][route.path][method.lower()]
            described = operation["responses"].get("429", {"description": ""})["description"]
            assert (TOO_MANY[1] in described) != is_free(route.path), route.path
