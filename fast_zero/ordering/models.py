"""Why a todo cannot be moved. The room has no table."""

from fast_zero.core.errors import Reason

NOT_A_SIBLING = Reason("not_a_sibling", "It is not in the list that the todo is moved to.")
