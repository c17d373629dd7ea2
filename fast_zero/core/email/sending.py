"""Sends an email through SMTP, or writes it to a file if no mail server is configured.

For use in jobs only, since it waits for external servers.
"""

import asyncio
import logging
import os
import socket
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from email.headerregistry import BaseHeader, HeaderRegistry, UnstructuredHeader
from email.message import EmailMessage
from email.policy import SMTP, Policy
from email.utils import parseaddr
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from opentelemetry.trace import SpanKind

from fast_zero.core.jobs import JobError, PermanentFailure
from fast_zero.core.observability.spans import span
from fast_zero.core.settings import Settings
from fast_zero.core.types import ENCODED_WORD

TIMEOUT_SECONDS = 30
PERMANENT = 500  # RFC 5321, section 4.2.1: replies from 500 on are permanent

logger = logging.getLogger(__name__)


class Address(UnstructuredHeader, BaseHeader):
    """A header with a URL, which must not be folded or encoded like other long words."""

    def fold(self, *, policy: "Policy[Any]") -> str:
        return f"{self.name}: {self}{policy.linesep}"


headers = HeaderRegistry()
headers.map_to_type("list-unsubscribe", Address)
POLICY = SMTP.clone(header_factory=headers)


@dataclass(frozen=True)
class OutgoingEmail:
    """An email to one person. `id` is unique, and the same when the email is sent again."""

    id: str
    to: str
    language: str
    subject: str
    text: str
    html: str
    unsubscribe: str | None = None  # the URL that stops emails of this kind


async def send(settings: Settings, email: OutgoingEmail) -> None:
    message = compose(settings.mail_from, email)
    if settings.smtp_url is None:
        await asyncio.to_thread(write_to_file, settings.data_dir / "mail", email, message)
    else:
        sender = parseaddr(settings.mail_from)[1]
        await deliver(settings.smtp_url.get_secret_value(), message, sender, email.to)


def compose(sender: str, email: OutgoingEmail) -> EmailMessage:
    if ENCODED_WORD in email.to:
        raise PermanentFailure(
            "the address contains an encoded word, which would be read as another address"
        )
    domain = parseaddr(sender)[1].rpartition("@")[2]
    message = EmailMessage(policy=POLICY)
    message["From"] = sender
    message["To"] = email.to
    message["Subject"] = email.subject
    message["Date"] = datetime.now(UTC)
    message["Message-ID"] = f"<{email.id}@{domain}>"
    if email.unsubscribe:  # RFC 8058: one click, without logging in
        message["List-Unsubscribe"] = f"<{email.unsubscribe}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: prevents automatic replies
    message.set_content(email.text)
    message.add_alternative(email.html, subtype="html")
    message["Content-Language"] = (
        email.language
    )  # after the parts, which would take over such headers
    return message


async def deliver(smtp_url: str, message: EmailMessage, sender: str, recipient: str) -> None:
    """Send the message to the one recipient, whatever its headers say.

    The texts of the server's replies are not logged, since they may quote the address.
    """
    import aiosmtplib  # noqa: PLC0415  # not needed if emails are written to files

    options = connection(smtp_url)
    attributes = {"server.address": options["hostname"], "network.protocol.name": "smtp"}
    try:
        with span("send a letter", SpanKind.CLIENT, attributes):
            await aiosmtplib.send(
                message, sender=sender, recipients=recipient, timeout=TIMEOUT_SECONDS, **options
            )
    except aiosmtplib.SMTPRecipientsRefused as error:
        raise refused("recipient", error.recipients[0].code) from None
    except aiosmtplib.SMTPDataError as error:
        raise refused("email", error.code) from None
    except (
        aiosmtplib.SMTPNotSupported
    ):  # an address with characters that the server does not support
        raise PermanentFailure("the mail server does not support such an address") from None
    except aiosmtplib.SMTPResponseException as error:
        raise JobError(f"the mail server replied with {error.code}") from None
    except (aiosmtplib.SMTPException, OSError) as error:
        raise JobError(f"cannot reach the mail server: {type(error).__name__}") from None


async def try_server(smtp_url: str) -> None:
    """Connect to the server and log in, without sending anything."""
    import aiosmtplib  # noqa: PLC0415  # see above

    async with aiosmtplib.SMTP(timeout=TIMEOUT_SECONDS, **connection(smtp_url)):
        pass


def refused(what: str, code: int) -> JobError:
    kind = PermanentFailure if code >= PERMANENT else JobError
    return kind(f"the mail server refused the {what} with {code}")


def connection(smtp_url: str) -> dict[str, Any]:
    """Return the connection options for aiosmtplib."""
    url = urlsplit(smtp_url)
    return {
        "hostname": url.hostname,
        "port": url.port,
        "username": unquote(url.username) if url.username else None,
        "password": unquote(url.password) if url.password else None,
        "use_tls": url.scheme == "smtps",
        # None: use STARTTLS if the server offers it.
        "start_tls": {"smtps": False, "smtp+starttls": True}.get(url.scheme),
        "local_hostname": socket.gethostname(),  # the default would need a DNS lookup
    }


def write_to_file(folder: Path, email: OutgoingEmail, message: EmailMessage) -> None:
    """Write the message to a file atomically, in a folder with mode 0700."""
    path = folder.absolute() / f"{email.id}.eml"
    if path.exists():  # a job may run twice
        return
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder) as new:
            new.write(bytes(message))
            new.flush()
            os.fsync(new.fileno())
            os.link(new.name, path)
    except OSError as error:
        raise JobError(f"cannot write to {folder.absolute()}: {error.strerror}") from None
    logger.warning("SMTP_URL is not set, so an email was written to %s", path)
