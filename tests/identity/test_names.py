import pytest
from sqlalchemy import func, select, text

from fast_zero.core.errors import Conflict
from fast_zero.identity.models import FOLDED
from fast_zero.identity.names import check_username
from fast_zero.models import User
from fast_zero.sessions import queries as session_queries
from tests.core.expect import invalid_fields, problem
from tests.factories import PASSWORD, UserFactory

# Escapes are used where both forms look the same.
SAME = [
    ("fiona", "FIONA"),
    ("fiona", "\ufb01ona"),  # the ligature fi
    ("fiona", "\uff26\uff29\uff2f\uff2e\uff21"),  # fullwidth capitals
    ("andré", "ANDRE\u0301"),  # a combining accent
    ("ΝΙΚΟΣ", "νικος"),  # the small sigma of a word's end
    ("νικοσ", "νικος"),
    ("Ωmega", "\u2126MEGA"),  # the ohm sign
    ("kelvin", "\u212aelvin"),  # the kelvin sign
    ("ana 2", "ana \u00b2"),
    ("жук", "ЖУК"),
    ("d\u017eep", "\u01c4EP"),  # the digraph in its three cases
    ("\u01c5ep", "\u01c4ep"),
]
DIFFERENT = [
    ("ana", "\u0430na"),
    ("jose", "josé"),
    ("ana a", "ana  a"),
    ("ss!", "ß!!"),
]

INVISIBLE = {
    "NUL": "\0",
    "a line feed": "\n",
    "a tab": "\t",
    "DEL": "\x7f",
    "a C1 control": "\x85",
    "a zero-width space": "\u200b",
    "a zero-width joiner": "\u200d",
    "a soft hyphen": "\u00ad",
    "a byte order mark": "\ufeff",
    "a bidi override": "\u202e",
    "a bidi isolate": "\u2066",
    "a no-break space": "\u00a0",
    "an ideographic space": "\u3000",
    "a line separator": "\u2028",
    "a Hangul filler": "\u3164",
    "a halfwidth Hangul filler": "\uffa0",
    "a blank Braille pattern": "\u2800",
    "a variation selector": "\ufe0f",
    "a tag": "\U000e0041",
    "a private letter": "\ue000",
    "an unassigned letter": "\u0378",
    "a grapheme joiner": "\u034f",
}


def new(**changes) -> dict[str, str]:
    return {"username": "ana", "email": "ana@example.com", "password": PASSWORD} | changes


@pytest.mark.parametrize(("one", "other"), SAME)
async def test_two_unicode_forms_of_a_username_are_equal(anonymous, save, one, other):
    await save(UserFactory(username=one))

    response = await anonymous.post("/users", json=new(username=other))

    assert problem(response) == (409, "Username already exists")


@pytest.mark.parametrize(
    ("one", "other"), [pair for pair in SAME if not any(map(str.isspace, "".join(pair)))]
)
async def test_two_unicode_forms_of_an_address_are_equal(anonymous, save, one, other):
    await save(UserFactory(email=f"{one}@example.com"))

    response = await anonymous.post("/users", json=new(email=f"{other}@EXAMPLE.com"))

    assert problem(response) == (409, "Email already exists")


@pytest.mark.parametrize(("one", "other"), SAME)
async def test_a_user_logs_in_with_any_unicode_form(save, session, one, other):
    [user] = await save(UserFactory(username=one, email="a@example.com"))

    assert (await session_queries.select_credentials(session, other)).id == user.id


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
async def test_different_names_belong_to_different_users(save, session, one, other):
    await save(UserFactory(username=one), UserFactory(username=other))

    count = select(func.count()).where(User.username.in_([one, other]))
    assert await session.scalar(count) == 2


@pytest.mark.parametrize("column", ["username", "email"])
async def test_the_database_refuses_a_name_that_differs_in_case_only(connection, save, column):
    [user] = await save(UserFactory(username="Ana Lúcia", email="Ana@example.com"))
    other = {"username": "bea", "email": "bea@example.com", "password_hash": ""}

    with pytest.raises(Conflict) as caught:
        await connection.execute(
            User.__table__.insert(), other | {column: getattr(user, column).upper()}
        )

    assert caught.value.detail == f"{column.capitalize()} already exists"
    assert f"uq_users_{column}_key" in str(caught.value.__cause__)


@pytest.mark.parametrize("column", ["username", "email"])
async def test_the_migrated_database_folds_names_like_the_model(connection, column):
    """`alembic check` does not compare the expressions of generated columns."""
    folded = FOLDED.format(column=column)
    await connection.execute(
        text(
            f"CREATE TEMPORARY TABLE models ({column} text,"
            f" {column}_key text GENERATED ALWAYS AS ({folded}) STORED) ON COMMIT DROP"
        )
    )

    expressions = await connection.scalars(
        text(
            "SELECT generation_expression FROM information_schema.columns"
            " WHERE table_name IN ('models', 'users') AND column_name = :name"
        ),
        {"name": f"{column}_key"},
    )

    [one, other] = expressions
    assert one == other


@pytest.mark.parametrize("hidden", INVISIBLE)
async def test_a_username_with_an_invisible_character_is_refused(anonymous, hidden):
    response = await anonymous.post("/users", json=new(username=f"an{INVISIBLE[hidden]}a"))

    assert invalid_fields(response) == ["body.username"]


@pytest.mark.parametrize(
    "username", ["", "ab", "a" * 65, "🍞" * 65, "   ", " ana", "ana ", "\u3000ana"]
)
async def test_a_username_of_invalid_length_or_with_surrounding_space_is_refused(
    anonymous, username
):
    assert invalid_fields(await anonymous.post("/users", json=new(username=username))) == [
        "body.username"
    ]


@pytest.mark.parametrize(
    "username", ["ana", "a" * 64, "Ana Lúcia", "李小龍", "नमस्ते", "🍞🍞🍞", "o'neil", "<b>ana"]
)
async def test_a_valid_username_is_stored_unchanged(anonymous, username):
    response = await anonymous.post("/users", json=new(username=username))

    assert (response.status_code, response.json()["username"]) == (201, username)


def test_an_invalid_username_is_refused_with_the_reason():
    with pytest.raises(ValueError, match="neither starts nor ends with a space"):
        check_username("ana ")
    with pytest.raises(ValueError, match="no invisible ones"):
        check_username("an\u200ba")


INVALID_ADDRESSES = """
    ana ana@ @example.com a@b ana@localhost a@[::1] ana@example..com ana@@example.com
    an\u200ba@example.com ana@exa\u200bmple.com ana@example.com\0 ana@-.com .ana@example.com
    """


@pytest.mark.parametrize(
    "email", ["", "a b@example.com", "ana@" + "a" * 64 + ".com", *INVALID_ADDRESSES.split()]
)
async def test_an_invalid_address_is_refused(anonymous, email):
    assert invalid_fields(await anonymous.post("/users", json=new(email=email))) == ["body.email"]
