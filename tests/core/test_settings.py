import re
import secrets
from pathlib import Path

import pytest
from pydantic import ValidationError
from sqlalchemy import URL

from fast_zero.core.errors import StartError
from fast_zero.core.settings import Settings, load_settings
from fast_zero.core.startup import complete_settings

ROOT = Path(__file__).parents[2]
SMTP_HINT = "write smtp://, smtp+starttls:// or smtps://, then user:password@host:587"
SENDER_HINT = "write an address, or a name and an address: fast_zero <todo@example.com>"
ADDRESS = "postgresql://ana:s3cr3t@db.example.com:5433/todos?sslmode=require"

NOT_ZERO = (
    "PASSWORD_QUEUE",
    "PASSWORD_QUEUE_PER_USER",
    "PASSWORD_QUEUE_PER_ADDRESS",
    "REQUESTS_PER_MINUTE",
)


def format_default(default: object) -> str:
    """Format a default as in `.env`: empty for None, and `true` instead of `True`."""
    if isinstance(default, bool):
        return str(default).lower()
    return "" if default is None else str(default)


DEFAULTS = {
    name.upper(): format_default(field.default) for name, field in Settings.model_fields.items()
}


@pytest.fixture
def environment(monkeypatch, tmp_path):
    """Set variables in an environment that has none of ours, in a folder without a `.env`."""
    monkeypatch.chdir(tmp_path)
    for name in DEFAULTS:
        monkeypatch.delenv(name, raising=False)

    def environment(**variables: str) -> None:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)

    return environment


def test_the_example_shows_every_setting_with_its_default():
    text = (ROOT / ".env.example").read_text()
    lines = re.findall(r"^(# )?([A-Z_]+)=(.*)$", text, re.MULTILINE)

    assert {name: value for _, name, value in lines} == DEFAULTS
    assert len(lines) == len(DEFAULTS)
    assert all(bool(commented) == (value == "") for commented, _, value in lines)


def test_the_example_explains_every_setting():
    text = (ROOT / ".env.example").read_text()
    paragraphs = re.split(r"^(?:# )?[A-Z_]+=.*$", text, flags=re.MULTILINE)

    assert len(paragraphs) == len(DEFAULTS) + 1
    assert all(re.search(r"^# [A-Z]", paragraph, re.MULTILINE) for paragraph in paragraphs[:-1])


def test_the_unchanged_example_changes_nothing(environment):
    environment()

    assert Settings(_env_file=ROOT / ".env.example") == Settings(_env_file=None)


def test_the_documentation_shows_every_setting_with_its_default():
    text = (ROOT / "docs" / "configuration.md").read_text()
    rows = re.findall(r"^\| `([A-Z_]+)` \| (?:`(.*?)`|empty) \|", text, re.MULTILINE)

    assert dict(rows) == DEFAULTS
    assert len(rows) == len(DEFAULTS)


def test_the_environment_takes_precedence_over_the_file(environment):
    Path(".env").write_text("PORT=1\nWORKERS=2\n")
    environment(PORT="3", HOST="")

    settings = load_settings()

    assert (settings.port, settings.workers, settings.host) == (3, 2, "127.0.0.1")


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_a_database_url_is_accepted_in_each_form(environment, scheme):
    environment(DATABASE_URL=ADDRESS.replace("postgresql", scheme))

    assert load_settings().database_address() == URL.create(
        "postgresql+psycopg",
        "ana",
        "s3cr3t",
        "db.example.com",
        5433,
        "todos",
        {"sslmode": "require"},
    )


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        (
            {"DATABASE_URL": "mysql://ana:s3cr3t@localhost/todos"},
            "DATABASE_URL: its scheme is mysql://, and only postgresql:// is supported",
        ),
        (
            {"DATABASE_URL": "sqlite:///s3cr3t"},
            "DATABASE_URL: its scheme is sqlite://, and only postgresql:// is supported",
        ),
        (
            {"DATABASE_URL": "s3cr3t"},
            "DATABASE_URL: it is not a URL; write postgresql://user:password@host:5432/name",
        ),
        (
            {"DATABASE_URL": "postgresql://localhost:s3cr3t/todos"},
            "DATABASE_URL: it is not a URL; write postgresql://user:password@host:5432/name",
        ),
        (
            {"PORT": "s3cr3t"},
            "PORT: Input should be a valid integer, unable to parse string as an integer",
        ),
        *(
            (
                {"SMTP_URL": url},
                f"SMTP_URL: {SMTP_HINT}",
            )
            for url in (
                "s3cr3t",
                "http://ana:s3cr3t@localhost",
                "smtp://localhost:s3cr3t",
                "smtp://ana:s3cr3t@",
                "smtp://localhost/s3cr3t",
                "smtp://[s3cr3t",
            )
        ),
        *(
            (
                {"MAIL_FROM": sender},
                f"MAIL_FROM: {SENDER_HINT}",
            )
            for sender in ("ana", "@example.com", "ana@", "Ana <ana@example.com>\nBcc: x@y.zz")
        ),
        *(
            (
                {"PUBLIC_URL": url},
                "PUBLIC_URL: write http:// or https://, then the host, and a path if there is one",
            )
            for url in ("todo.example.com", "ftp://example.com", "https://", "https://a.b/?c=d")
        ),
        ({"PORT": "65536"}, "PORT: Input should be less than or equal to 65535"),
        *(
            ({name: "0"}, f"{name}: 0 would refuse everything; write off for no limit")
            for name in NOT_ZERO
        ),
        (
            {"PASSWORD_QUEUE": "-1"},
            "PASSWORD_QUEUE: Input should be greater than or equal to 0",
        ),
        ({"WORKERS": "0"}, "WORKERS: Input should be greater than or equal to 1"),
    ],
    ids=lambda value: str(value)[:60],
)
def test_an_invalid_setting_is_refused_with_a_message(environment, variables, sentence):
    environment(**variables)

    with pytest.raises(StartError) as caught:
        load_settings()

    assert str(caught.value) == f"Invalid settings. {sentence}."
    assert "s3cr3t" not in str(caught.value)
    assert caught.value.__suppress_context__


@pytest.mark.parametrize(
    "name",
    [
        "LOGIN_FAILURES",
        "LOGIN_FAILURES_PER_ADDRESS",
        "REGISTRATIONS_PER_HOUR",
        "LETTERS_PER_HOUR",
        "LETTERS_PER_HOUR_PER_ADDRESS",
        "PERSONAL_TOKENS_PER_USER",
        *NOT_ZERO,
    ],
)
def test_a_limit_can_be_turned_off(environment, name):
    environment(**{name: "off"})
    assert getattr(load_settings(), name.lower()) is None

    if name not in NOT_ZERO:
        environment(**{name: "0"})
        assert getattr(load_settings(), name.lower()) == 0


@pytest.mark.parametrize(
    ("variables", "url"),
    [
        ({}, "http://127.0.0.1:8000"),
        ({"PORT": "8311"}, "http://127.0.0.1:8311"),
        ({"HOST": "::", "PORT": "81"}, "http://[::1]:81"),
        ({"HOST": "0.0.0.0"}, "http://127.0.0.1:8000"),
        ({"HOST": "todo.internal"}, "http://todo.internal:8000"),
        ({"PORT": "8311", "PUBLIC_URL": "https://todo.example.com"}, "https://todo.example.com"),
    ],
)
def test_links_start_with_the_public_url_or_the_listening_address(environment, variables, url):
    environment(**variables)

    assert load_settings().base_url() == url


@pytest.mark.parametrize("url", ["https://example.com/todo/", "https://example.com/todo"])
def test_a_trailing_slash_of_the_public_url_is_removed(environment, url):
    environment(PUBLIC_URL=url)

    assert load_settings().public_url == "https://example.com/todo"


def test_each_invalid_setting_is_named(environment):
    environment(PORT="-1", WORKERS="0", PASSWORD_MIN_LENGTH="7")

    with pytest.raises(StartError) as caught:
        load_settings()

    assert re.findall("[A-Z_]{3,}", str(caught.value)) == ["PORT", "WORKERS", "PASSWORD_MIN_LENGTH"]


@pytest.mark.parametrize(
    ("key", "problem"),
    [
        ("", "is not set"),
        ("s3cr3t", "is shorter than 32 bytes"),
        ("s3cr3t".ljust(31, "é")[:18], "is shorter than 32 bytes"),
    ],
)
def test_a_short_key_is_refused_if_a_database_is_set(environment, key, problem):
    environment(DATABASE_URL=ADDRESS, SECRET_KEY=key)

    with pytest.raises(StartError) as caught, complete_settings(load_settings()):
        pass

    assert str(caught.value) == (
        f"SECRET_KEY {problem}. Make one with: "
        'python3 -c "import secrets; print(secrets.token_urlsafe(48))"'
    )


@pytest.mark.parametrize("key", ["k" * 32, "é" * 16, secrets.token_urlsafe(48)], ids=len)
def test_a_long_key_is_accepted_if_a_database_is_set(environment, key):
    environment(DATABASE_URL=ADDRESS, SECRET_KEY=key)

    with complete_settings(load_settings()) as settings:
        assert settings.signing_keys() == (key,)


def test_a_short_previous_key_is_refused(environment):
    environment(DATABASE_URL=ADDRESS, SECRET_KEY="k" * 32, SECRET_KEY_PREVIOUS="short")

    with (
        pytest.raises(StartError, match="SECRET_KEY_PREVIOUS is shorter than 32 bytes"),
        complete_settings(load_settings()),
    ):
        pass


def test_the_database_address_needs_a_database_url(environment):
    environment()

    with pytest.raises(StartError, match="DATABASE_URL is not set"):
        load_settings().database_address()


def test_the_representation_contains_no_secret(environment):
    environment(DATABASE_URL=ADDRESS, SECRET_KEY="s3cr3t" * 10)

    assert "s3cr3t" not in repr(load_settings()) + str(load_settings())


def test_settings_are_frozen(settings):
    with pytest.raises(ValidationError, match="frozen"):
        settings.port = 1
