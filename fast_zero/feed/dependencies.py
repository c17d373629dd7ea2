from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.security import SecurityScopes

from fast_zero.accounts.dependencies import Actor, current_actor
from fast_zero.accounts.scopes import Scope
from fast_zero.core.errors import Unauthenticated
from fast_zero.feed.queries import NOBODY

Reader = Annotated[Actor, Security(current_actor, scopes=[Scope.FEED_READ])]
Writer = Annotated[Actor, Security(current_actor, scopes=[Scope.FEED_WRITE])]


async def viewer(request: Request) -> int:
    """Tell who looks at what everybody may see: a user's id, or `NOBODY`.

    These routes need no token, so one that does not hold, or was not made for the feed, is as
    good as none.
    """
    if "authorization" not in request.headers:
        return NOBODY
    try:
        actor = await current_actor(request, SecurityScopes())
    except Unauthenticated:
        return NOBODY
    return actor.id if Scope.FEED_READ in actor.scopes else NOBODY


Viewer = Annotated[int, Depends(viewer)]
