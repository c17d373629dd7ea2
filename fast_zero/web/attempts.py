"""Do what a form asks for, and say on the next page what was done, or why not."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from fastapi import Response
from pydantic import TypeAdapter, ValidationError

from fast_zero.core.database import Session, retry_transaction
from fast_zero.core.errors import DomainError, Unauthenticated, Unavailable
from fast_zero.core.types import Id
from fast_zero.web.dependencies import Page
from fast_zero.web.notices import Notice, Refused, fault_of

T = TypeVar("T")
ID = TypeAdapter(Id)


async def attempt(session: Session, work: Awaitable[T]) -> T | DomainError:
    """Do what a form asks for; return the result, or why it was refused."""
    try:
        return await work
    except (Unavailable, Unauthenticated):
        raise
    except DomainError as error:
        await session.rollback()
        return error


async def attempt_in_transaction(
    session: Session, change: Callable[[], Awaitable[T]]
) -> T | DomainError:
    """Change something in one transaction, again if others interfere. See `attempt`."""

    async def run() -> T:
        await session.begin()
        try:
            return await change()
        except ValueError:  # such as a day that is none, or what a schema refuses
            raise Refused("not_understood") from None

    return await attempt(session, retry_transaction(session, run))


async def answer(
    page: Page, session: Session, address: str, change: Callable[[], Awaitable[Notice | None]]
) -> Response:
    """Change something, and go on to a page that says so, or why not."""
    done = await attempt_in_transaction(session, change)
    return page.redirect(address, fault_of(done) if isinstance(done, DomainError) else done)


def notice_of(code: str, page: Page, title: str, *, details: str = "", focus: str = "") -> Notice:
    """Say what was done, with the change set that Undo takes back."""
    return Notice(code=code, title=title, details=details, undo=page.change_set, focus=focus)


def read_id(text: str, missing: str) -> int:
    """Return the id that a button names. One that is no id is refused as what is not there."""
    try:
        return ID.validate_python(text)
    except ValidationError:
        raise Refused(missing) from None
