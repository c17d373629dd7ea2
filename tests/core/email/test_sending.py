import email
import logging
import stat
from dataclasses import replace
from email.policy import default

import pytest
from pydantic import SecretStr

from fast_zero.core.email import sending
from fast_zero.core.jobs import JobError, PermanentFailure
from tests.core.mailbox import BUSY, UNKNOWN, receiving

EMAIL = sending.OutgoingEmail(
    id="f00d",
    to="ana@example.com",
    language="pt-BR",
    subject="Olá",
    text="Não é nada.\n",
    html="<p>Não é nada.</p>\n",
)


@pytest.fixture
def send_through(settings):
    """Send an email to the server of a mailbox."""

    async def send_through(mailbox, message=EMAIL, **changes):
        url = SecretStr(changes.pop("url", mailbox.url))
        await sending.send(settings.model_copy(update={"smtp_url": url, **changes}), message)

    return send_through


async def test_an_email_arrives_as_text_and_html(send_through):
    async with receiving() as mailbox:
        await send_through(mailbox, mail_from="Todos <todo@example.org>")

    [message] = mailbox.emails
    assert message["From"] == "Todos <todo@example.org>"
    assert (message["To"], message["Subject"]) == ("ana@example.com", "Olá")
    assert message["Message-ID"] == "<f00d@example.org>"
    assert message["Content-Language"] == "pt-BR"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Date"].datetime.tzinfo
    assert message.get_body(["plain"]).get_content().strip() == "Não é nada."
    assert message.get_body(["html"]).get_content().strip() == "<p>Não é nada.</p>"


async def test_a_password_in_the_url_is_decoded(send_through):
    async with receiving() as mailbox:
        url = mailbox.url.replace("//", "//ana%40example.com:p%2Fw%3A@")
        await send_through(mailbox, url=url)

    assert mailbox.logins == [(b"ana@example.com", b"p/w:")]
    assert len(mailbox.emails) == 1


async def test_a_temporary_refusal_can_be_retried(send_through):
    async with receiving(BUSY) as mailbox:
        with pytest.raises(JobError, match="refused the recipient with 451") as caught:
            await send_through(mailbox)
        await send_through(mailbox)

    assert not isinstance(caught.value, PermanentFailure)
    assert len(mailbox.emails) == 1


async def test_an_unknown_recipient_is_a_permanent_failure(send_through):
    async with receiving(UNKNOWN) as mailbox:
        with pytest.raises(PermanentFailure) as caught:
            await send_through(mailbox)

    assert str(caught.value) == "the mail server refused the recipient with 550"
    assert caught.value.__suppress_context__


async def test_an_email_that_is_too_large_is_a_permanent_failure(send_through):
    async with receiving(data_size_limit=10) as mailbox:
        with pytest.raises(JobError, match=r"55\d"):
            await send_through(mailbox)


async def test_an_address_that_the_server_does_not_support_is_a_permanent_failure(send_through):
    async with receiving(enable_SMTPUTF8=False) as mailbox:
        with pytest.raises(PermanentFailure, match="address"):
            await send_through(mailbox, replace(EMAIL, to="josé@example.com"))


async def test_an_address_may_have_any_characters(send_through):
    async with receiving(enable_SMTPUTF8=True) as mailbox:
        await send_through(mailbox, replace(EMAIL, to="josé@example.com"))

    assert [message["To"] for message in mailbox.emails] == ["josé@example.com"]


async def test_an_address_with_an_encoded_word_gets_no_email(send_through):
    """Such an address can no longer be registered, but may exist in the database."""
    message = replace(EMAIL, to="=?utf-8?q?eve=40example=2Ecom=2C_x?=@example.com")
    async with receiving() as mailbox:
        with pytest.raises(PermanentFailure, match="encoded word"):
            await send_through(mailbox, message)

    assert mailbox.emails == []


async def test_the_envelope_names_only_the_recipient(send_through):
    message = replace(EMAIL, to='"eve@example.com, x"@example.com')
    async with receiving() as mailbox:
        await send_through(mailbox, message)

    assert mailbox.recipients == [message.to]


async def test_required_encryption_is_enforced(send_through):
    async with receiving() as mailbox:
        with pytest.raises(JobError):
            await send_through(mailbox, url=mailbox.url.replace("smtp", "smtp+starttls"))

    assert mailbox.attempts == 0


async def test_an_unreachable_server_can_be_retried(send_through):
    async with receiving() as mailbox:
        pass
    with pytest.raises(JobError, match="cannot reach the mail server") as caught:
        await send_through(mailbox)

    assert not isinstance(caught.value, PermanentFailure)


async def test_without_a_mail_server_an_email_is_written_to_a_file_and_logged_once(
    settings, tmp_path, caplog
):
    changed = settings.model_copy(update={"data_dir": tmp_path / "data"})
    for _ in range(2):
        await sending.send(changed, EMAIL)

    [path] = (tmp_path / "data" / "mail").iterdir()
    assert path.name == "f00d.eml"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    message = email.message_from_bytes(path.read_bytes(), policy=default)
    assert message.get_body(["plain"]).get_content().strip() == "Não é nada."
    [record] = caplog.records
    assert record.levelno == logging.WARNING
    assert record.getMessage() == f"SMTP_URL is not set, so an email was written to {path}"


async def test_a_folder_that_cannot_be_written_to_is_named(settings, tmp_path):
    (tmp_path / "mail").write_text("in the way")
    changed = settings.model_copy(update={"data_dir": tmp_path})

    with pytest.raises(JobError, match=f"cannot write to {tmp_path}/mail: File exists"):
        await sending.send(changed, EMAIL)
