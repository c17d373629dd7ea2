"""Where a thing goes by "up" and "down" in a list that its owner orders."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple


class Step(NamedTuple):
    """A thing that changes places with its neighbour."""

    id: int
    neighbour: int
    is_before: bool
    place: str
    """The new one, such as `2/6`."""

    def beside(self) -> dict[str, int]:
        """Return what the move of an API is made of."""
        return {"before" if self.is_before else "after": self.neighbour}


def find_step(fields: Mapping[str, str], in_order: Sequence[int]) -> Step | None:
    """Return what the button says that was pressed: `up` or `down`, with an id.

    None: it is at this end already, or is gone.
    """
    is_before = "up" in fields
    pressed = fields.get("up", fields.get("down", ""))
    at = next((at for at, id_ in enumerate(in_order) if str(id_) == pressed), None)
    if at is None:
        return None
    to = at - 1 if is_before else at + 1
    if not 0 <= to < len(in_order):
        return None
    return Step(in_order[at], in_order[to], is_before, f"{to + 1}/{len(in_order)}")
