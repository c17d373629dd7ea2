import email
import logging
import stat
from dataclasses import replace
from email.policy import default

import pytest
from pydantic import SecretStr

from fast_zero.core.email import sending
from fast_zero.core.jobs import Hopeless, JobError
from tests.core.mailbox import BUSY, UNKNOWN, receiving

LETTER = sending.Letter(
    id="f00d",
    to="ana@example.com",
    language="pt-BR",
    subject="Olá",
    text="Não é nada.\n",
    html="<p>Não é nada.</p>\n",
)


@pytest.fixture
def through(settings):
    """Send by a mailbox."""

    async def through(mailbox, letter=LETTER, **changes):
        url = SecretStr(changes.pop("url", mailbox.url))
        await sending.send(settings.model_copy(update={"smtp_url": url, **changes}), letter)

    return through


async def test_a_letter_arrives_in_both_forms(through):
    async with receiving() as mailbox:
        await through(mailbox, mail_from="Todos <todo@example.org>")

    [letter] = mailbox.letters
    assert letter["From"] == "Todos <todo@example.org>"
    assert (letter["To"], letter["Subject"]) == ("ana@example.com", "Olá")
    assert letter["Message-ID"] == "<f00d@example.org>"
    assert letter["Content-Language"] == "pt-BR"
    assert letter["Auto-Submitted"] == "auto-generated"
    assert letter["Date"].datetime.tzinfo
    assert letter.get_body(["plain"]).get_content().strip() == "Não é nada."
    assert letter.get_body(["html"]).get_content().strip() == "<p>Não é nada.</p>"


async def test_a_password_is_given_as_it_was_before_it_was_encoded(through):
    async with receiving() as mailbox:
        url = mailbox.url.replace("//", "//ana%40example.com:p%2Fw%3A@")
        await through(mailbox, url=url)

    assert mailbox.logins == [(b"ana@example.com", b"p/w:")]
    assert len(mailbox.letters) == 1


async def test_a_server_that_is_busy_may_take_it_later(through):
    async with receiving(BUSY) as mailbox:
        with pytest.raises(JobError, match="refused the recipient with 451") as caught:
            await through(mailbox)
        await through(mailbox)

    assert not isinstance(caught.value, Hopeless)
    assert len(mailbox.letters) == 1


async def test_a_recipient_who_is_unknown_stays_unknown(through):
    async with receiving(UNKNOWN) as mailbox:
        with pytest.raises(Hopeless) as caught:
            await through(mailbox)

    assert str(caught.value) == "the mail server refused the recipient with 550"
    assert caught.value.__suppress_context__


async def test_a_letter_that_is_too_large_stays_too_large(through):
    async with receiving(data_size_limit=10) as mailbox:
        with pytest.raises(JobError, match=r"55\d"):
            await through(mailbox)


async def test_an_address_that_the_server_cannot_write_is_hopeless(through):
    async with receiving(enable_SMTPUTF8=False) as mailbox:
        with pytest.raises(Hopeless, match="address"):
            await through(mailbox, replace(LETTER, to="josé@example.com"))


async def test_an_address_of_any_letters_is_written_to(through):
    async with receiving(enable_SMTPUTF8=True) as mailbox:
        await through(mailbox, replace(LETTER, to="josé@example.com"))

    assert [letter["To"] for letter in mailbox.letters] == ["josé@example.com"]


async def test_an_address_that_would_be_decoded_to_others_is_not_written_to(through):
    """No such address can be registered any more; one may have been."""
    letter = replace(LETTER, to="=?utf-8?q?eve=40example=2Ecom=2C_x?=@example.com")
    async with receiving() as mailbox:
        with pytest.raises(Hopeless, match="encoded word"):
            await through(mailbox, letter)

    assert mailbox.letters == []


async def test_the_envelope_names_the_recipient_and_nobody_else(through):
    letter = replace(LETTER, to='"eve@example.com, x"@example.com')
    async with receiving() as mailbox:
        await through(mailbox, letter)

    assert mailbox.recipients == [letter.to]


async def test_encryption_that_is_wanted_is_not_done_without(through):
    async with receiving() as mailbox:
        with pytest.raises(JobError):
            await through(mailbox, url=mailbox.url.replace("smtp", "smtp+starttls"))

    assert mailbox.asked == 0


async def test_a_server_that_is_not_there_is_tried_again(through):
    async with receiving() as mailbox:
        pass
    with pytest.raises(JobError, match="not reached") as caught:
        await through(mailbox)

    assert not isinstance(caught.value, Hopeless)


async def test_without_a_server_a_letter_is_a_file_that_is_told_of_once(settings, tmp_path, caplog):
    here = settings.model_copy(update={"data_dir": tmp_path / "data"})
    for _ in range(2):
        await sending.send(here, LETTER)

    [path] = (tmp_path / "data" / "mail").iterdir()
    assert path.name == "f00d.eml"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    letter = email.message_from_bytes(path.read_bytes(), policy=default)
    assert letter.get_body(["plain"]).get_content().strip() == "Não é nada."
    [record] = caplog.records
    assert record.levelno == logging.WARNING
    assert record.getMessage() == f"SMTP_URL is not set, so an email went to {path}"


async def test_a_folder_that_cannot_be_written_to_is_named(settings, tmp_path):
    (tmp_path / "mail").write_text("in the way")
    here = settings.model_copy(update={"data_dir": tmp_path})

    with pytest.raises(JobError, match=f"cannot write to {tmp_path}/mail: File exists"):
        await sending.send(here, LETTER)
