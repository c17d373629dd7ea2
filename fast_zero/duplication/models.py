"""Why something cannot be duplicated. The room has no table."""

from fast_zero.core.errors import Reason

MOST = 1000
"""How many todos are copied at most; also how many sections, and how many projects."""

TOO_MANY = Reason(
    "too_many_to_duplicate", "At most 1,000 todos, sections or projects can be duplicated at once."
)
