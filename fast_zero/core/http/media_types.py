"""What a body may be called in `Content-Type` (RFC 9110, section 15.5.16)."""

from fastapi import Request

from fast_zero.core.errors import UnsupportedMediaType

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
FORMS = {FORM, "multipart/form-data"}


async def form_only(request: Request) -> None:
    """Refuse a body that is no form, which FastAPI takes for an empty one."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if has_body(request) and kind not in FORMS:
        raise UnsupportedMediaType(FORM)


def has_body(request: Request) -> bool:
    """Tell whether the head announces a body (RFC 9112, section 6)."""
    return (
        "transfer-encoding" in request.headers or request.headers.get("content-length", "0") != "0"
    )
