"""Makes the token that the commands use: a personal one, since these need no refresh.

Commands at the same time would refresh a session twice, which ends it.
"""

import platform
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any

from fast_zero.client import credentials, text
from fast_zero.client.api import NOT_OURS, Api
from fast_zero.client.credentials import Credentials
from fast_zero.client.errors import ClientError, RefusedError
from fast_zero.core.terminal import messages

SCOPES = ["todos:read", "todos:write", "feed:read", "account:read", "account:write"]
"""`export` reads all of the account, and `logout` revokes the token."""

DAYS = 364  # a token lasts for a year at most, by the clock of the server
ATTEMPTS = 3
LONGEST_NAME = 100

ReadCode = Callable[[], str]


def log_in(url: str, username: str, password: str, read_code: ReadCode) -> Credentials:
    """Log in, make a personal token, store it, and end the session of the log-in."""
    form = {"username": username, "password": password}
    session = Credentials(url, open_session(url, form, read_code))
    with Api(session) as api:
        try:
            access = make_token(api)
        finally:
            with suppress(ClientError):  # it ends by itself
                api.send("POST", "/auth/logout")
    return access


def open_session(url: str, form: dict[str, str], read_code: ReadCode) -> str:
    """Return an access token. Ask for a one-time code if the account needs one."""
    with Api(Credentials(url, "")) as api:
        for attempt in range(ATTEMPTS + 1):
            try:
                answer = api.json(api.send("POST", "/auth/token", data=form))
            except RefusedError as error:
                wanted = {"otp_required"} | ({"otp_incorrect"} if attempt < ATTEMPTS else set())
                if error.code not in wanted:
                    raise
                form = form | {"otp": read_code().strip()}
            else:
                if "access_token" not in answer:
                    raise ClientError(NOT_OURS.format(url=url))
                return str(answer["access_token"])
    raise ClientError("No one-time code was right.")


def make_token(api: Api) -> Credentials:
    expires_at = datetime.now(UTC) + timedelta(days=DAYS)
    new = {
        "name": f"fast-zero on {platform.node()}"[:LONGEST_NAME],
        "scopes": SCOPES,
        "expires_at": expires_at.isoformat(),
    }
    made = api.json(api.send("POST", "/auth/tokens", json=new))
    access = Credentials(api.access.url, made["token"], made["id"])
    try:
        replace_stored(access)
    except ClientError:
        with suppress(ClientError):
            api.send("DELETE", f"/auth/tokens/{access.token_id}")
        raise
    return access


def use_token(url: str, token: str) -> Credentials:
    """Store a personal token that was made elsewhere, if it can read todos."""
    access = Credentials(url, credentials.usable(token))
    with Api(access) as api:
        api.get("/todos", limit=1)
    replace_stored(access)
    return access


def replace_stored(access: Credentials) -> None:
    """Store a log-in, and revoke the token of the one before."""
    before = None
    with suppress(ClientError):  # one that cannot be read is replaced
        before = credentials.load_stored()
    credentials.store(access)
    if before and before.token != access.token:
        try:
            revoke(before, patient=False)
        except ClientError as error:  # the log-in itself has succeeded
            left = f"The token before, for {before.url}, is not revoked: {error}"
            messages.print(f"[yellow]{text.safe(left)}[/]")


def revoke(access: Credentials, *, patient: bool = True) -> bool:
    """Revoke a token. Return False if this log-in did not make it, and may not revoke it."""
    if access.token_id is None:
        return False
    with Api(access, patient=patient) as api:
        try:
            api.send("DELETE", f"/auth/tokens/{access.token_id}")
        except RefusedError as error:
            if error.status not in {HTTPStatus.UNAUTHORIZED, HTTPStatus.NOT_FOUND}:
                raise  # else it is revoked already
    return True


def log_out(*, force: bool) -> bool:
    """Revoke and forget the stored token. Return whether it is revoked."""
    access = credentials.load_stored()
    if access is None:
        raise ClientError(credentials.NOT_LOGGED_IN)
    revoked = False
    try:
        revoked = revoke(access)
    except ClientError as error:
        if not force:
            message = f"{error} The token is still valid, and stored. To forget it: logout --force"
            raise ClientError(message) from None
    credentials.forget()
    return revoked


def describe(api: Api) -> str:
    """Return whose token it is, if it may know."""
    with suppress(ClientError):  # the log-in has succeeded
        me: dict[str, Any] = api.get("/users/me")
        return str(me["username"])
    return "your account"
