from datetime import datetime
from enum import StrEnum

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Enum,
    ForeignKeyConstraint,
    Index,
    Named,
    Table,
    Text,
    TypedColumns,
    func,
)

from fast_zero.core.tables import MOMENT, counted_version, identity, metadata, now_at_first


class TodoState(StrEnum):
    DRAFT = "draft"
    TODO = "todo"
    DOING = "doing"
    DONE = "done"
    TRASH = "trash"


class TodoColumns(TypedColumns):
    id: Named[int] = identity()
    owner_id: Named[int] = Column(BigInteger)
    title: Named[str] = Column(Text)
    description: Named[str] = Column(Text)
    state: Named[TodoState] = Column(
        Enum(
            TodoState,
            native_enum=False,
            create_constraint=True,
            length=20,
            name="state",
            values_callable=lambda states: [state.value for state in states],
        )
    )
    created_at: Named[datetime] = now_at_first()
    updated_at: Named[datetime] = Column(MOMENT, server_default=func.now(), onupdate=func.now())
    version: Named[int] = counted_version()
    share: Named[str | None] = Column(Text)


todos = Table(
    "todos",
    metadata,
    TodoColumns,
    ForeignKeyConstraint(["owner_id"], ["users.id"], ondelete="CASCADE", info={"actor": True}),
    CheckConstraint("char_length(title) BETWEEN 1 AND 200", name="title_length"),
    CheckConstraint("char_length(description) <= 20000", name="description_length"),
    CheckConstraint("share IN ('off', 'followers', 'public')", name="share"),
    # The first serves every list; the second, lists of one state.
    Index(None, "owner_id", "id"),
    Index(None, "owner_id", "state", "id"),
)
