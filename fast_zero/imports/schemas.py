from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from fast_zero.core.pagination import Next
from fast_zero.core.types import Id, ResponseModel
from fast_zero.imports.models import Format, Status
from fast_zero.projects.schemas import Name


class ImportParams(BaseModel):
    dry_run: Annotated[
        bool, Field(description="Only report what would be imported, and what would be lost.")
    ] = False
    format: Annotated[
        Format | None,
        Field(
            description="The format of the file. Default: that of its media type; a CSV file with "
            "the columns of Todoist is `todoist_csv`."
        ),
    ] = None
    project: Annotated[
        Name | None,
        Field(
            description="For `todoist_csv`, which does not name it: the project of the todos. "
            "Default: `Imported`."
        ),
    ] = None


class ReportEntry(ResponseModel):
    """What is lost of a line of the file, or is wrong with it."""

    kind: Literal["loss", "error"] = Field(
        description="With an `error`, nothing is imported.", examples=["loss"]
    )
    line: int = Field(
        description="The line of the file; in JSON, the number of the item.", examples=[7]
    )
    column: str = Field(description="The column or property.", examples=["RESPONSIBLE"])
    message: str = Field(examples=["Nobody can be assigned: Ana (123)"])


class ImportSummary(ResponseModel):
    id: Id
    format: Format = Field(examples=["todoist_csv"])
    dry_run: bool = Field(examples=[False])
    project: str | None = Field(examples=[None])
    status: Status = Field(examples=["done"])
    total: int | None = Field(
        description="The todos of the file. `null` until it has been read.", examples=[120]
    )
    processed: int = Field(description="Those that it is done with.", examples=[120])
    created: int = Field(
        description="Those that were created; in a dry run, that would be.", examples=[118]
    )
    found: int = Field(
        description="Those that an earlier import created. They are left as they are.",
        examples=[2],
    )
    losses: int = Field(description="How many values are lost.", examples=[1])
    errors: int = Field(description="How many mistakes the file has.", examples=[0])
    error: str | None = Field(
        description="Why it has failed. Then nothing was imported.", examples=[None]
    )
    change_set_id: UUID = Field(
        description="The change set of what it created.",
        examples=["0197c9a2-5c0f-4c5a-9f0e-2f6f3c1f7f10"],
    )
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    undone_at: datetime | None = Field(
        description="When it was undone by `POST /imports/{import_id}/undo`.", examples=[None]
    )
    kept: int = Field(
        description="When it was undone: how many things stayed, since they were changed or used "
        "by then.",
        examples=[0],
    )


class ImportPublic(ImportSummary):
    """An import with its report."""

    report: list[ReportEntry] = Field(
        description="What is lost or wrong, line by line: the first 1,000 entries."
    )


class ImportPage(ResponseModel):
    imports: list[ImportSummary]
    next: Next
