"""The access token of a request, which is read once."""

from fastapi.security.utils import get_authorization_scheme_param
from starlette.datastructures import Headers
from starlette.types import Scope

from fast_zero.core import security
from fast_zero.core.errors import Unauthenticated
from fast_zero.core.settings import Settings


def access_token_of(scope: Scope) -> security.AccessToken | None:
    """Give what the access token says; None where there is none, or it does not hold."""
    state = scope["state"]
    if "access_token" not in state:
        scheme, token = get_authorization_scheme_param(Headers(scope=scope).get("authorization"))
        is_jwt = scheme.lower() == "bearer" and token.count(".") == 2  # noqa: PLR2004  # RFC 7519
        state["access_token"] = read(state["settings"], token) if is_jwt else None
    found: security.AccessToken | None = state["access_token"]
    return found


def read(settings: Settings, token: str) -> security.AccessToken | None:
    try:
        return security.read_access_token(settings, token)
    except Unauthenticated:
        return None
