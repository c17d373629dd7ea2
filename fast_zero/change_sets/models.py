from fast_zero.core.errors import Reason

NO_CHANGE_SET = Reason(
    "change_set_not_found", "There is no such change set. It may be too old, or of nothing."
)
TOO_LARGE = Reason(
    "change_set_too_large",
    "It changed too much to be undone in one request. An import is undone by POST"
    " /imports/{import_id}/undo; what was deleted can be restored from the trash.",
)
MOST_ROWS = 20_000
"""How many changes of rows one request undoes at most: a few seconds."""
