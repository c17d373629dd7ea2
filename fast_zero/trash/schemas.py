from datetime import datetime, timedelta
from typing import Any, Self

from pydantic import Field

from fast_zero.core.pagination import Next
from fast_zero.core.types import Id, ResponseModel
from fast_zero.trash.models import TrashKind


class DeletionPublic(ResponseModel):
    """A todo or project in the trash, with what was deleted together with it."""

    id: Id
    kind: TrashKind = Field(examples=["todo"])
    item_id: Id = Field(description="The id of the todo or project.")
    title: str = Field(
        description="The title or name that it had when it was deleted.", examples=["Buy bread"]
    )
    deleted_at: datetime


class TrashedItem(DeletionPublic):
    purge_at: datetime = Field(
        description="When it is deleted for good, or a little later.",
        examples=["2026-12-25T08:00:00Z"],
    )

    @classmethod
    def of(cls, row: Any, days: int) -> Self:  # noqa: ANN401  # a row with these columns
        deletion = DeletionPublic.model_validate(row)
        return cls(**dict(deletion), purge_at=deletion.deleted_at + timedelta(days=days))


class TrashPage(ResponseModel):
    deletions: list[TrashedItem]
    next: Next
