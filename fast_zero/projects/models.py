from datetime import datetime

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
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
from fast_zero.core.positions import POSITION, ordered_text

NO_PROJECT = Reason("project_not_found", "Project not found.")
NO_SECTION = Reason("section_not_found", "Section not found.")
PROJECT_CYCLE = Reason("project_cycle", "A project cannot be inside itself.")
PROJECT_TOO_DEEP = Reason("project_too_deep", "Projects can be nested three levels deep.")


class Project(Base):
    """A project. It is in the trash if it has a deletion. Triggers refuse cycles and depth."""

    __tablename__ = "projects"
    __table_args__ = (
        ForeignKeyConstraint(
            ["owner_id"], ["users.id"], ondelete="CASCADE", info={"current_user": True}
        ),
        ForeignKeyConstraint(
            ["owner_id", "parent_id"],
            ["projects.owner_id", "projects.id"],
            ondelete="SET NULL (parent_id)",
            info={"missing": NO_PROJECT},
        ),
        UniqueConstraint("owner_id", "id"),
        CheckConstraint("char_length(name) BETWEEN 1 AND 100", name="name_length"),
        CheckConstraint("char_length(description) <= 5000", name="description_length"),
        CheckConstraint(CHECK, name="color"),
        Index(
            "uq_projects_position",
            "owner_id",
            "parent_id",
            text(POSITION),
            unique=True,
            postgresql_nulls_not_distinct=True,
            postgresql_where=text("deletion_id IS NULL"),
        ),
        Index(None, "deletion_id", postgresql_where=text("deletion_id IS NOT NULL")),
        {"info": {"refusals": {"project_cycle": PROJECT_CYCLE, "project_depth": PROJECT_TOO_DEEP}}},
    )

    id: Mapped[int] = mapped_column(Identity(always=True), init=False, primary_key=True)
    owner_id: Mapped[int]
    name: Mapped[str]
    description: Mapped[str] = mapped_column(default="", server_default="")
    color: Mapped[str] = mapped_column(default="grey", server_default="grey")
    parent_id: Mapped[int | None] = mapped_column(default=None)
    position: Mapped[str | None] = mapped_column(ordered_text(), default=None)
    archived: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    deletion_id: Mapped[int | None] = mapped_column(
        ForeignKey("deletions.id", ondelete="CASCADE"), default=None
    )
    created_at: Mapped[datetime] = mapped_column(init=False, server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(
        init=False, server_default=func.now(), onupdate=func.now()
    )
    version: Mapped[int] = version_column()


class Section(Base):
    """A part of a project."""

    __tablename__ = "sections"
    __table_args__ = (
        ForeignKeyConstraint(
            ["owner_id", "project_id"],
            ["projects.owner_id", "projects.id"],
            ondelete="CASCADE",
            info={"missing": NO_PROJECT},
        ),
        UniqueConstraint("owner_id", "project_id", "id"),
        CheckConstraint("char_length(name) BETWEEN 1 AND 100", name="name_length"),
        Index("uq_sections_position", "owner_id", "project_id", text(POSITION), unique=True),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), init=False, primary_key=True)
    owner_id: Mapped[int]
    project_id: Mapped[int]
    name: Mapped[str]
    position: Mapped[str | None] = mapped_column(ordered_text(), default=None)
    created_at: Mapped[datetime] = mapped_column(init=False, server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(
        init=False, server_default=func.now(), onupdate=func.now()
    )
    version: Mapped[int] = version_column()
