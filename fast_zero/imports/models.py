from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from fast_zero.core.database import Base
from fast_zero.core.errors import Reason

REPORTED = 1000
"""How many entries a report has at most. Further ones are only counted."""

KEPT = 20
"""How many imports of an account are kept. The oldest ones are forgotten."""

NO_IMPORT = Reason("import_not_found", "Import not found.")
UNFINISHED = Reason(
    "import_unfinished", "An import of yours has not ended yet. Try again when it has."
)
RUNNING = Reason("import_running", "It is running. It can be deleted when it has ended.")
NOT_DONE = Reason(
    "import_not_done", "Only an import that is done can be undone, and it is undone only once."
)
UNFINISHED_STATUS = "status IN ('queued', 'running')"


class Format(StrEnum):
    CSV = "csv"
    ICALENDAR = "icalendar"
    TODOIST_CSV = "todoist_csv"
    TODOIST_JSON = "todoist_json"


class Status(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class Import(Base):
    """A file to import, and what became of it. The file is kept until it is done or has failed."""

    __tablename__ = "imports"
    __table_args__ = (
        ForeignKeyConstraint(
            ["owner_id"], ["users.id"], ondelete="CASCADE", info={"current_user": True}
        ),
        CheckConstraint(
            "format IN ('csv', 'icalendar', 'todoist_csv', 'todoist_json')", name="format"
        ),
        CheckConstraint("status IN ('queued', 'running', 'done', 'failed')", name="status"),
        CheckConstraint("(status IN ('done', 'failed')) = (content IS NULL)", name="content"),
        Index(None, "owner_id", "id"),
        Index(
            "uq_imports_unfinished",
            "owner_id",
            unique=True,
            postgresql_where=text(UNFINISHED_STATUS),
        ),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), init=False, primary_key=True)
    owner_id: Mapped[int]
    format: Mapped[str]
    dry_run: Mapped[bool]
    project: Mapped[str | None]  # for what a file does not say it
    content: Mapped[bytes | None] = mapped_column(repr=False)
    client: Mapped[str]  # who wrote, for the log of changes
    change_set_id: Mapped[UUID]
    status: Mapped[str] = mapped_column(default=Status.QUEUED.value, server_default="queued")
    total: Mapped[int | None] = mapped_column(Integer, default=None)
    processed: Mapped[int] = mapped_column(Integer, default=0, server_default=text("0"))
    created: Mapped[int] = mapped_column(Integer, default=0, server_default=text("0"))
    found: Mapped[int] = mapped_column(Integer, default=0, server_default=text("0"))
    losses: Mapped[int] = mapped_column(Integer, default=0, server_default=text("0"))
    errors: Mapped[int] = mapped_column(Integer, default=0, server_default=text("0"))
    report: Mapped[list[dict[str, Any]]] = mapped_column(
        JSONB, default_factory=list, server_default=text("'[]'::jsonb")
    )
    error: Mapped[str | None] = mapped_column(default=None)
    created_at: Mapped[datetime] = mapped_column(init=False, server_default=func.now())
    started_at: Mapped[datetime | None] = mapped_column(default=None)
    finished_at: Mapped[datetime | None] = mapped_column(default=None)
    undo_requested_at: Mapped[datetime | None] = mapped_column(default=None)
    undone_at: Mapped[datetime | None] = mapped_column(default=None)
    kept: Mapped[int] = mapped_column(Integer, default=0, server_default=text("0"))
