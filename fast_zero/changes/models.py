from fast_zero.core.errors import Reason

CURSOR_EXPIRED = Reason(
    "cursor_expired", "What changed since then is not known any more. Begin without a cursor."
)
