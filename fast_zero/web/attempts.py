"""Do what a form asks for, and say on the next page what was done, or why not."""

import hashlib
from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar
from urllib.parse import urlencode

from fastapi import Depends, Response
from pydantic import BaseModel, TypeAdapter, ValidationError

from fast_zero.core.database import Session, retry_transaction
from fast_zero.core.errors import DomainError, InProgress, Unauthenticated, Unavailable
from fast_zero.core.http.idempotency import Idempotent, IdempotentOperation
from fast_zero.core.types import Id
from fast_zero.web.dependencies import Fields, Page
from fast_zero.web.notices import Notice, Refused, fault_of

T = TypeVar("T")
M = TypeVar("M", bound=BaseModel)
ID = TypeAdapter(Id)


async def attempt(session: Session, work: Awaitable[T]) -> T | DomainError:
    """Do what a form asks for; return the result, or why it was refused."""
    try:
        return await work
    except (Unavailable, Unauthenticated, InProgress):
        raise
    except DomainError as error:
        await session.rollback()
        return error


async def attempt_in_transaction(
    session: Session, change: Callable[[], Awaitable[T]]
) -> T | DomainError:
    """Change something in one transaction, again if others interfere. See `attempt`."""

    async def run() -> T:
        return await in_transaction(session, change)

    return await attempt(session, retry_transaction(session, run))


async def in_transaction(session: Session, change: Callable[[], Awaitable[T]]) -> T:
    if not session.in_transaction():
        await session.begin()
    try:
        return await change()
    except ValueError:  # such as a day that is none, or what a schema refuses
        raise Refused("not_understood") from None


class Done(BaseModel):
    """What a form has created: the page that its answer leads to, and what that page says."""

    address: str
    notice: Notice


class OnceOperation:
    """Does what a form asks for, once for its field `key`, however often it is sent.

    A double click sends it twice, where no script prevents that. With other fields it is another
    form, such as after going back to it.
    """

    def __init__(self, idempotent: IdempotentOperation, fields: dict[str, str]) -> None:
        self.fields = fields
        content, key = urlencode(sorted(fields.items())).encode(), fields.get("key", "")
        if key:
            key = f"{key}.{hashlib.sha256(content).hexdigest()}"
        self.idempotent = idempotent.of_form(key, content)

    async def attempt(
        self, page: Page, session: Session, create: Callable[[], Awaitable[M]], model: type[M]
    ) -> M | DomainError:
        """Create something in one transaction; return the result, or why it was refused."""

        async def run() -> M:
            return await in_transaction(session, create)

        found = await attempt(session, self.idempotent(session, page.reader.id, run))
        if isinstance(found, DomainError):
            return found
        body = found.body if isinstance(found, Response) else found.model_dump_json().encode()
        return model.model_validate_json(bytes(body))

    async def answer(
        self, page: Page, session: Session, address: str, create: Callable[[], Awaitable[Notice]]
    ) -> Response:
        """Create something, and go on to a page that says so, or why not. See `answer`."""

        async def run() -> Done:
            return Done(address=address, notice=await create())

        done = await self.attempt(page, session, run, Done)
        if isinstance(done, DomainError):
            return page.redirect(address, fault_of(done))
        return page.redirect(done.address, done.notice)


async def once_operation(idempotent: Idempotent, fields: Fields) -> OnceOperation:
    return OnceOperation(idempotent, fields)


Once = Annotated[OnceOperation, Depends(once_operation)]
"""For a form that creates something, with the field `key`: `page.key`."""


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
