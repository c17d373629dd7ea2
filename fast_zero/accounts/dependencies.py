from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import OAuth2PasswordBearer

from fast_zero.accounts import queries
from fast_zero.core import security
from fast_zero.core.dependencies import CurrentSettings
from fast_zero.core.errors import Unauthenticated

NEEDS_TOKEN = (
    Unauthenticated("Not authenticated"),
    Unauthenticated("Could not validate credentials"),
)
"""What every route that takes a `CurrentActor` may answer."""

bearer = OAuth2PasswordBearer(
    tokenUrl="/auth/token", description="Log in with your e-mail address or username."
)


@dataclass(frozen=True)
class Actor:
    """The person asking."""

    id: int


async def current_actor(
    request: Request, settings: CurrentSettings, token: Annotated[str, Depends(bearer)]
) -> Actor:
    """Read who is asking from the token, and make sure that the account still exists.

    The look-up gives its connection back before the route asks for one of its own.
    """
    user_id = security.read_access_token(settings, token)
    async with request.state.autocommits() as session:
        if await queries.select_user(session, user_id) is None:
            raise Unauthenticated("Could not validate credentials")
    return Actor(user_id)


CurrentActor = Annotated[Actor, Depends(current_actor)]
