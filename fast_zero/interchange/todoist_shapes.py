"""What a backup of Todoist contains, as far as it is read."""

from pydantic import BaseModel, ConfigDict


class Thing(BaseModel):
    """Anything in a backup. Older ones have numbers as ids."""

    model_config = ConfigDict(coerce_numbers_to_str=True)

    id: str
    is_deleted: bool = False


class Project(Thing):
    name: str
    parent_id: str | None = None
    child_order: int = 0
    inbox_project: bool = False
    is_archived: bool = False
    is_favorite: bool = False
    color: str | None = None
    description: str | None = None


class Section(Thing):
    name: str
    project_id: str
    section_order: int = 0


class Label(Thing):
    name: str
    color: str | None = None


class Due(BaseModel):
    date: str
    datetime: str | None = None  # where the date is only a day
    is_recurring: bool = False
    string: str | None = None
    timezone: str | None = None
    lang: str | None = None


class Deadline(BaseModel):
    date: str


class Duration(BaseModel):
    amount: int
    unit: str


class Item(Thing):
    content: str
    description: str = ""
    project_id: str | None = None
    section_id: str | None = None
    parent_id: str | None = None
    child_order: int = 0
    labels: list[str] = []
    priority: int = 1
    due: Due | None = None
    deadline: Deadline | None = None
    duration: Duration | None = None
    checked: bool = False
    completed_at: str | None = None
    added_at: str | None = None
    responsible_uid: str | None = None


class File(BaseModel):
    file_name: str = "file"
    file_url: str = ""


class Note(Thing):
    item_id: str | None = None
    content: str = ""
    posted_at: str | None = None
    file_attachment: File | None = None


class ItemReminder(Thing):
    item_id: str
    type: str
    minute_offset: int | None = None
    due: Due | None = None


class Filter(Thing):
    name: str
