"""Reads the files that can be imported."""

import codecs
from datetime import datetime

from fast_zero.imports.models import Format
from fast_zero.interchange.csv_files import read_csv
from fast_zero.interchange.icalendar_files import read_icalendar
from fast_zero.interchange.portable import Document, Loss
from fast_zero.interchange.todoist_csv import is_todoist_csv, read_todoist_csv
from fast_zero.interchange.todoist_json import read_todoist_json

MEDIA_TYPES = {
    "text/csv": (Format.CSV, Format.TODOIST_CSV),
    "text/calendar": (Format.ICALENDAR,),
    "application/json": (Format.TODOIST_JSON,),
}
"""The formats of each media type, the most usual one first."""

HEAD_BYTES = 4096
LINES = 1_000_000
VALUES = 2_000_000
"""How many lines a file has, and how many cells or values. Each of them becomes an object."""

SEPARATORS = {
    Format.CSV: b",;\t",
    Format.TODOIST_CSV: b",;\t",
    Format.TODOIST_JSON: b",[{",
    Format.ICALENDAR: b",;",
}
PROJECT = "Imported"
NOT_TEXT = "The file is not UTF-8, nor UTF-16 with a byte order mark."


def format_of(media_type: str, content: bytes) -> Format:
    """Return the format of a file that says only its media type."""
    [usual, *_] = MEDIA_TYPES[media_type]
    if usual is Format.CSV and is_todoist_csv(text_of(content[:HEAD_BYTES], errors="replace")):
        return Format.TODOIST_CSV
    return usual


def read(form: Format, content: bytes, project: str | None, zone: str, now: datetime) -> Document:
    """Read a file. `zone` is that of the account. It takes seconds, so it is called in a thread."""
    if too_many := excess(form, content):
        return Document(errors=[too_many])
    if form is Format.TODOIST_JSON:
        return read_todoist_json(content, zone, now)
    if form is Format.ICALENDAR:
        return read_icalendar(content)
    try:
        text = text_of(content)
    except UnicodeDecodeError:
        return Document(errors=[Loss(1, "", NOT_TEXT)])
    if form is Format.TODOIST_CSV:
        return read_todoist_csv(text, project or PROJECT, zone, now)
    return read_csv(text)


def excess(form: Format, content: bytes) -> Loss | None:
    """Return what a file has too many of. It is counted before anything is made of it."""
    if sum(map(content.count, SEPARATORS[form])) > VALUES:
        return Loss(1, "", f"A file has at most {VALUES:,} values.")
    if form is not Format.TODOIST_JSON and max(map(content.count, b"\n\r")) > LINES:
        return Loss(LINES + 1, "", f"A file has at most {LINES:,} lines.")
    return None


def text_of(content: bytes, errors: str = "strict") -> str:
    is_utf_16 = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return content.decode("utf-16" if is_utf_16 else "utf-8-sig", errors)
