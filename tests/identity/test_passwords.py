import pytest

from fast_zero.core import security
from fast_zero.core.errors import Invalid
from fast_zero.core.security.password_queue import OPERATOR
from fast_zero.identity import passwords
from tests.core.expect import invalid_fields, problem

ANA = {"username": "ana", "email": "ana@example.com"}
SHORTEST = 8


async def register(client, password: str):
    return await client.post("/users", json=ANA | {"password": password})


async def log_in(client, password: str):
    return await client.post("/auth/token", data={"username": "ana", "password": password})


@pytest.mark.parametrize("password", ["", "seven77", "🍞" * 7, "a" * 257, "🍞" * 257])
async def test_a_password_of_the_wrong_length_is_refused(anonymous, password):
    assert invalid_fields(await register(anonymous, password)) == ["body.password"]


@pytest.mark.parametrize("password", ["12345678", "password", "PassWord", "QWERTYUIOP"])
async def test_a_common_password_is_refused_in_any_case(anonymous, password, statements):
    with statements() as sent:
        response = await register(anonymous, password)

    assert invalid_fields(response) == ["body.password"]
    [entry] = problem(response)[1]
    assert entry["msg"] == "This password is one of the most common ones. Choose another."
    assert sent == []


async def test_replacing_an_account_refuses_a_common_password_too(client, user):
    response = await client.put(f"/users/{user.id}", json=ANA | {"password": "iloveyou"})

    assert invalid_fields(response) == ["body.password"]


@pytest.mark.parametrize("password", ["🍞" * 8, "long" * 64, "nul-free \x01\x7f", " \n\t padded "])
async def test_a_password_is_used_exactly_as_entered(anonymous, password):
    assert (await register(anonymous, password)).status_code == 201

    assert (await log_in(anonymous, password)).status_code == 200
    assert problem(await log_in(anonymous, password.strip() + " x"))[0] == 401


async def test_spaces_and_case_of_a_password_are_significant(anonymous):
    await register(anonymous, " Eight or more ")

    for other in ("Eight or more", " eight or more "):
        assert problem(await log_in(anonymous, other)) == (401, "Incorrect email or password")


def test_a_server_may_require_longer_passwords():
    passwords.check_password("a" * 20, 20)

    with pytest.raises(Invalid, match="needs at least 20 characters") as caught:
        passwords.check_password("a" * 19, 20)
    assert caught.value.field == "password"


async def test_a_server_reports_the_length_that_it_requires(live):
    async with live(password_min_length=20) as client:
        response = await register(client, "a" * 19)

    assert invalid_fields(response) == ["body.password"]
    assert "at least 20 characters" in response.text


def test_the_common_passwords_are_long_enough_and_case_folded():
    common = passwords.common_passwords()

    assert len(common) == 1000
    assert all(len(password) >= SHORTEST for password in common)
    assert all(password == password.casefold() for password in common)


async def test_two_hashes_of_a_password_differ_and_both_verify_it(session):
    same = "the same sentence"
    one, other = [await security.hash_password(session, same, OPERATOR) for _ in range(2)]

    assert one != other
    for hashed in (one, other):
        assert await security.verify_password(session, same, hashed, OPERATOR) == (True, None)
