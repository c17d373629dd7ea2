from datetime import datetime

from sqlalchemy import (
    CheckConstraint,
    Computed,
    ForeignKeyConstraint,
    Identity,
    Index,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from fast_zero.core.colors import CHECK
from fast_zero.core.database import Base, version_column
from fast_zero.core.errors import Reason
from fast_zero.core.folding import FOLDED
from fast_zero.core.positions import POSITION, ordered_text

MAX_FILTERS = 100
NO_FILTER = Reason("filter_not_found", "Saved filter not found.")
FILTER_EXISTS = Reason("filter_exists", "You already have a saved filter with this name.")
TOO_MANY_FILTERS = Reason(
    "too_many_filters", f"You can have {MAX_FILTERS} saved filters. Delete one first."
)


class SavedFilter(Base):
    """A filter of todos, in its canonical text. A trigger refuses too many of them."""

    __tablename__ = "saved_filters"
    __table_args__ = (
        ForeignKeyConstraint(
            ["owner_id"], ["users.id"], ondelete="CASCADE", info={"current_user": True}
        ),
        UniqueConstraint("owner_id", "name_key", info={"conflict": FILTER_EXISTS}),
        UniqueConstraint("owner_id", "id"),
        CheckConstraint("char_length(name) BETWEEN 1 AND 100", name="name_length"),
        CheckConstraint("char_length(filter) BETWEEN 1 AND 1000", name="filter_length"),
        CheckConstraint("char_length(sort) <= 100", name="sort_length"),
        CheckConstraint(CHECK, name="color"),
        Index("uq_saved_filters_position", "owner_id", text(POSITION), unique=True),
        {"info": {"refusals": {"too_many_filters": TOO_MANY_FILTERS}}},
    )

    id: Mapped[int] = mapped_column(Identity(always=True), init=False, primary_key=True)
    owner_id: Mapped[int]
    name: Mapped[str]
    filter: Mapped[str]
    color: Mapped[str] = mapped_column(default="grey", server_default="grey")
    sort: Mapped[str | None] = mapped_column(default=None)
    position: Mapped[str | None] = mapped_column(ordered_text(), default=None)
    created_at: Mapped[datetime] = mapped_column(init=False, server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(
        init=False, server_default=func.now(), onupdate=func.now()
    )
    version: Mapped[int] = version_column()
    # For comparison, as that of a label.
    name_key: Mapped[str] = mapped_column(
        Computed(FOLDED.format(column="name"), persisted=True), init=False, repr=False
    )
