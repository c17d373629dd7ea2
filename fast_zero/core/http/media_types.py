"""The media types that a request body may have (RFC 9110, section 15.5.16)."""

from fastapi import Request

from fast_zero.core.errors import UnsupportedMediaType

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
FORMS = {FORM, "multipart/form-data"}


async def form_only(request: Request) -> None:
    """Reject a body that is not a form. FastAPI would treat it as an empty form."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if has_body(request) and kind not in FORMS:
        raise UnsupportedMediaType(FORM)


def has_body(request: Request) -> bool:
    """Return whether the headers announce a body (RFC 9112, section 6)."""
    return (
        "transfer-encoding" in request.headers or request.headers.get("content-length", "0") != "0"
    )
