from fast_zero.core.errors import Reason

NO_CHANGE_SET = Reason(
    "change_set_not_found", "There is no such change set. It may be too old, or of nothing."
)
