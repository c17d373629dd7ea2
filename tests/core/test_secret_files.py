import pytest

from fast_zero.core.errors import StartError
from fast_zero.core.secret_files import NAMES
from fast_zero.core.settings import Settings, load_settings

KEY = "a key that is in a file and long enough"
URL = "postgresql://ana@db.example.com:5433/todos"


@pytest.fixture
def environment(monkeypatch, tmp_path):
    """Set variables in an environment that has none of ours, in a folder without a `.env`."""
    monkeypatch.chdir(tmp_path)
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    return monkeypatch.setenv


def test_a_secret_is_read_from_its_file(environment, tmp_path):
    (tmp_path / "key").write_text(KEY + "\n")
    environment("SECRET_KEY_FILE", str(tmp_path / "key"))

    assert load_settings().signing_keys() == (KEY,)


def test_a_password_in_a_file_is_used_for_both_urls_without_one(environment, tmp_path):
    (tmp_path / "password").write_text("p@ss/word:?")
    environment("DATABASE_PASSWORD_FILE", str(tmp_path / "password"))
    environment("DATABASE_URL", URL)
    environment("DATABASE_DIRECT_URL", URL.replace("ana", "ana:own"))
    settings = load_settings()

    assert settings.database_address().password == "p@ss/word:?"
    assert settings.direct_address().password == "own"
    assert "p@ss" not in repr(settings)


def test_a_secret_and_its_file_cannot_both_be_set(environment, tmp_path):
    environment("SECRET_KEY", KEY)
    environment("SECRET_KEY_FILE", str(tmp_path / "key"))

    with pytest.raises(StartError, match="are both set"):
        load_settings()


@pytest.mark.parametrize(
    ("content", "reason"),
    [(None, "No such file or directory"), (b"\xff\xfe\xfd", "it is not text")],
)
def test_a_file_that_cannot_be_read_is_named(environment, tmp_path, content, reason):
    if content is not None:
        (tmp_path / "url").write_bytes(content)
    environment("DATABASE_URL_FILE", str(tmp_path / "url"))

    with pytest.raises(StartError, match=rf"DATABASE_URL_FILE: cannot read .*/url: {reason}\."):
        load_settings()


def test_every_secret_can_be_read_from_a_file():
    secrets = {
        name.upper()
        for name, field in Settings.model_fields.items()
        if "Secret" in str(field.annotation) or "URL" in str(field.annotation)
    }

    assert secrets == set(NAMES)
