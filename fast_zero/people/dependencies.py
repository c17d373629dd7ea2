from typing import Annotated

from fastapi import Depends, Request, Response, Security
from fastapi.security import SecurityScopes

from fast_zero.core.errors import Unauthenticated
from fast_zero.core.http.dependencies import CurrentSettings
from fast_zero.core.http.problems import responses
from fast_zero.identity.dependencies import NO_TOKEN, AuthenticatedUser, current_user
from fast_zero.identity.scopes import Scope
from fast_zero.people.queries import NOBODY

Reader = Annotated[AuthenticatedUser, Security(current_user, scopes=[Scope.FEED_READ])]
Writer = Annotated[AuthenticatedUser, Security(current_user, scopes=[Scope.FEED_WRITE])]


async def viewer(request: Request, response: Response, settings: CurrentSettings) -> int:
    """Return the id of the user who views public content, or `NOBODY`.

    If profiles are public, these routes need no token, so an invalid token counts as none. A token
    without the scope `feed:read` shows no more than no token.
    """
    if settings.public_profiles and "authorization" not in request.headers:
        return NOBODY
    try:
        user = await current_user(request, SecurityScopes(), response)
    except Unauthenticated:
        if settings.public_profiles:
            return NOBODY
        raise
    return user.id if Scope.FEED_READ in user.scopes else NOBODY


VIEWER = Depends(viewer)
Viewer = Annotated[int, VIEWER]

NOT_PUBLIC = responses(*NO_TOKEN)
"""The error responses of every route that takes a viewer, if profiles are not public."""
