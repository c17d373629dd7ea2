"""An SMTP server in the process of the test."""

import asyncio
import email
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email.message import EmailMessage
from email.policy import default

from aiosmtpd.smtp import SMTP, AuthResult

BUSY = "451 4.3.2 Try again later"
UNKNOWN = "550 5.1.1 No such user here: ana@example.com"


class Mailbox:
    """Replies to each recipient with the next of `replies`, then accepts all.

    It stores accepted emails. It acknowledges them only while `open` is set.
    """

    def __init__(self, *replies: str) -> None:
        self.replies = list(replies)
        self.emails: list[EmailMessage] = []
        self.recipients: list[str] = []
        self.attempts = 0
        self.logins: list[tuple[bytes, bytes]] = []
        self.url = ""
        self.reached = asyncio.Event()
        self.open = asyncio.Event()
        self.open.set()

    async def handle_RCPT(self, _server, _session, envelope, address, _options):  # noqa: N802  # aiosmtpd's name
        self.attempts += 1
        if self.replies:
            return self.replies.pop(0)
        envelope.rcpt_tos.append(address)
        self.recipients.append(address)
        return "250 OK"

    async def handle_DATA(self, _server, _session, envelope):  # noqa: N802  # aiosmtpd's name
        self.reached.set()
        await self.open.wait()
        self.emails.append(email.message_from_bytes(envelope.content, policy=default))
        return "250 OK"

    def authenticate(self, _server, _session, _envelope, _mechanism, data) -> AuthResult:
        self.logins.append((data.login, data.password))
        return AuthResult(success=True)


@asynccontextmanager
async def receiving(*replies: str, **options) -> AsyncIterator[Mailbox]:
    mailbox = Mailbox(*replies)
    options |= {"authenticator": mailbox.authenticate, "auth_require_tls": False}
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(mailbox, **options), "127.0.0.1", 0)
    mailbox.url = f"smtp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield mailbox
    finally:
        server.close()
