"""Sends an email through SMTP, or puts it into a file where no SMTP server is set.

For jobs only: it waits for other people's machines.
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

from fast_zero.core.jobs import Hopeless, JobError
from fast_zero.core.observability.spans import span
from fast_zero.core.settings import Settings
from fast_zero.core.types import ENCODED_WORD

TIMEOUT_SECONDS = 30
PERMANENT = 500  # RFC 5321, section 4.2.1: from here on the response will be the same next time

logger = logging.getLogger(__name__)


class Address(UnstructuredHeader, BaseHeader):
    """A header with a URL, which is written as it is; any other long word would be encoded."""

    def fold(self, *, policy: "Policy[Any]") -> str:
        return f"{self.name}: {self}{policy.linesep}"


headers = HeaderRegistry()
headers.map_to_type("list-unsubscribe", Address)
POLICY = SMTP.clone(header_factory=headers)


@dataclass(frozen=True)
class Letter:
    """A message to one person. `id` is the same when it is sent again, and in no other email."""

    id: str
    to: str
    language: str
    subject: str
    text: str
    html: str
    unsubscribe: str | None = None  # where an email of its kind can be stopped


async def send(settings: Settings, letter: Letter) -> None:
    message = compose(settings.mail_from, letter)
    if settings.smtp_url is None:
        await asyncio.to_thread(keep, settings.data_dir / "mail", letter, message)
    else:
        sender = parseaddr(settings.mail_from)[1]
        await hand_over(settings.smtp_url.get_secret_value(), message, sender, letter.to)


def compose(sender: str, letter: Letter) -> EmailMessage:
    if ENCODED_WORD in letter.to:
        raise Hopeless("the address holds an encoded word, which would be read as another address")
    domain = parseaddr(sender)[1].rpartition("@")[2]
    message = EmailMessage(policy=POLICY)
    message["From"] = sender
    message["To"] = letter.to
    message["Subject"] = letter.subject
    message["Date"] = datetime.now(UTC)
    message["Message-ID"] = f"<{letter.id}@{domain}>"
    if letter.unsubscribe:  # RFC 8058: with one click, and without logging in
        message["List-Unsubscribe"] = f"<{letter.unsubscribe}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody's absence shall answer it
    message.set_content(letter.text)
    message.add_alternative(letter.html, subtype="html")
    message["Content-Language"] = letter.language  # after the parts, which take such headers
    return message


async def hand_over(smtp_url: str, message: EmailMessage, sender: str, recipient: str) -> None:
    """Give the message to the server, for the one recipient, whatever its headers say.

    What the server says is not repeated: it may quote the address.
    """
    import aiosmtplib  # noqa: PLC0415  # not needed where emails go into files

    where = connection(smtp_url)
    about = {"server.address": where["hostname"], "network.protocol.name": "smtp"}
    try:
        with span("send a letter", SpanKind.CLIENT, about):
            await aiosmtplib.send(
                message, sender=sender, recipients=recipient, timeout=TIMEOUT_SECONDS, **where
            )
    except aiosmtplib.SMTPRecipientsRefused as error:
        raise refused("recipient", error.recipients[0].code) from None
    except aiosmtplib.SMTPDataError as error:
        raise refused("email", error.code) from None
    except aiosmtplib.SMTPNotSupported:  # an address with letters that the server cannot write
        raise Hopeless("the mail server does not support such an address") from None
    except aiosmtplib.SMTPResponseException as error:
        raise JobError(f"the mail server answered {error.code}") from None
    except (aiosmtplib.SMTPException, OSError) as error:
        raise JobError(f"the mail server was not reached: {type(error).__name__}") from None


async def try_server(smtp_url: str) -> None:
    """See whether the server lets us in, without sending anything."""
    import aiosmtplib  # noqa: PLC0415  # see above

    async with aiosmtplib.SMTP(timeout=TIMEOUT_SECONDS, **connection(smtp_url)):
        pass


def refused(what: str, code: int) -> JobError:
    kind = Hopeless if code >= PERMANENT else JobError
    return kind(f"the mail server refused the {what} with {code}")


def connection(smtp_url: str) -> dict[str, Any]:
    """Read where and how to connect, as aiosmtplib names it."""
    url = urlsplit(smtp_url)
    return {
        "hostname": url.hostname,
        "port": url.port,
        "username": unquote(url.username) if url.username else None,
        "password": unquote(url.password) if url.password else None,
        "use_tls": url.scheme == "smtps",
        # None: where the server offers it.
        "start_tls": {"smtps": False, "smtp+starttls": True}.get(url.scheme),
        "local_hostname": socket.gethostname(),  # by default a name server would be asked
    }


def keep(folder: Path, letter: Letter, message: EmailMessage) -> None:
    """Write the message into a file, whole or not at all, for its owner's eyes only."""
    path = folder.absolute() / f"{letter.id}.eml"
    if path.exists():  # a job may be done twice
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
    logger.warning("SMTP_URL is not set, so an email went to %s", path)
