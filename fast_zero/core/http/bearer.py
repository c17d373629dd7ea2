"""The access token of a request, which is verified once and cached."""

from fastapi.security.utils import get_authorization_scheme_param
from starlette.datastructures import Headers
from starlette.types import Scope

from fast_zero.core import security
from fast_zero.core.errors import Unauthenticated
from fast_zero.core.settings import Settings


def access_token_of(scope: Scope) -> security.AccessToken | None:
    """Return the claims of the access token, or None if it is missing or invalid."""
    state = scope["state"]
    if "access_token" not in state:
        header = Headers(scope=scope).get("authorization", "")
        _, token = get_authorization_scheme_param(header)
        state["access_token"] = read(state["settings"], token) if is_access_token(header) else None
    found: security.AccessToken | None = state["access_token"]
    return found


def is_access_token(header: str) -> bool:
    scheme, token = get_authorization_scheme_param(header)
    return scheme.lower() == "bearer" and token.count(".") == 2  # noqa: PLR2004  # RFC 7519


def may_have_token(scope: Scope) -> bool:
    """Return whether the request may be authenticated. Personal tokens are not looked up here."""
    header = Headers(scope=scope).get("authorization", "")
    return bool(header) and (access_token_of(scope) is not None or not is_access_token(header))


def read(settings: Settings, token: str) -> security.AccessToken | None:
    try:
        return security.read_access_token(settings, token)
    except Unauthenticated:
        return None
