"""What the report of an import says, in the language of its reader.

Imports are reported in English, with parts of the file. These are the usual sentences; another one
stays as it is.
"""

import re
from collections.abc import Callable
from functools import cache
from typing import NamedTuple

from fast_zero.web.texts import mark

MESSAGES = (
    mark("This is not CSV: %(value)s."),
    mark("This line is not CSV: %(value)s."),
    mark("This is not JSON: %(value)s."),
    mark("This line is not iCalendar."),
    mark("This is not iCalendar: there is no VCALENDAR."),
    mark("The file is not UTF-8."),
    mark("The file is not UTF-8, nor UTF-16 with a byte order mark."),
    mark("The first line has to name the columns, with TYPE and CONTENT among them."),
    mark("The header has no column title, which is the only one that is needed."),
    mark("It has to be an object with the list `items`: a backup of the Sync API."),
    mark("A file has at most %(value)s todos."),
    mark("A file has at most %(value)s lines."),
    mark("A file has at most %(value)s values."),
    mark("A file has at most %(value)s columns."),
    mark("There may be more; the rest was not read."),
    mark("There is no such column in templates."),
    mark("This column is there twice."),
    mark("This column is not kept; known are %(value)s."),
    mark("This line has more cells than the header."),
    mark("Line %(value)s has this key already."),
    mark("No todo of the file has this key: %(value)s"),
    mark("No todo without a parent is above it."),
    mark("It has to be task, section or note: %(value)s"),
    mark("It has to be minute or day: %(value)s"),
    mark("It has to be from %(least)s to %(most)s: %(value)s"),
    mark("It has to be from 0 to 9."),
    mark("It has to be a day such as 2026-12-04."),
    mark("It has to be a moment such as 2026-12-04T12:00:00Z."),
    mark("It has to be a whole number."),
    mark("It has to be a list."),
    mark("It has to be a day such as 20261204 or a moment."),
    mark("It has to be a day such as 20261204."),
    mark("It is too late."),
    mark("A task that cannot be completed becomes one that can be."),
    mark("Nobody can be assigned: %(value)s"),
    mark("Only tasks have comments: %(value)s"),
    mark("Only items have comments: %(value)s"),
    mark("The file is not copied, only its link: %(value)s"),
    mark("Not known. That of the account is used: %(value)s"),
    mark("Not understood. It is in the description: %(value)s"),
    mark("How it recurs is not understood. It is in the description: %(value)s"),
    mark("Not understood: %(value)s"),
    mark("Colors are not imported: %(value)s, of %(name)s"),
    mark("Filters are not imported: %(value)s"),
    mark("It is not imported, of %(name)s: %(value)s"),
    mark("There are no favorites: %(value)s"),
    mark("It is not archived here: %(value)s"),
    mark("Not created, since it has no items: %(value)s"),
    mark("There is no such project. It is in the inbox now."),
    mark("There is no such item. It is below none now."),
    mark("There is no such item: %(value)s"),
    mark("Left out: entry %(value)s has this id already."),
    mark("Only reminders of times are kept, not: %(value)s"),
    mark("Only %(value)s are kept."),
    mark("Only %(most)s are kept, not: %(value)s"),
    mark("Longer than %(most)s characters. All of it is in the description."),
    mark("Longer than %(most)s characters. The end is cut off."),
    mark("Longer than %(most)s characters. The end is cut off: %(value)s"),
    mark("It was cut after %(most)s characters."),
    mark("What is done does not recur: %(value)s"),
    mark("In the future or too long ago, so it is now: %(value)s"),
    mark("A subtask is put where its parent is."),
    mark("Projects are nested %(most)s levels deep. This is one now: %(value)s"),
    mark("Todos are nested %(most)s levels deep. It is beside its parent now."),
    mark("The inbox has no sections: %(value)s"),
    mark("This event is no todo, and is left out."),
    mark("This component is no todo, and is left out."),
    mark("This changes one occurrence of a todo, and is left out."),
    mark("The todo of line %(value)s has this UID already, so this one is left out."),
    mark("Only relations to the parent are kept."),
    mark("A label has 1 to 50 characters, so %(value)s is left out."),
    mark("A todo has at most %(value)s labels."),
    mark("A todo has at most %(value)s reminders."),
    mark("This status is not known."),
    mark("This is not kept."),
    mark("Only its day is kept."),
    mark("It has no time zone that is known, so only its day is kept."),
    mark("It reminds once."),
    mark("String should have at least %(least)s character"),
    mark("String should have at most %(most)s characters"),
)
PLACE = re.compile(r"%\((\w+)\)s")


class Message(NamedTuple):
    text: str
    is_translated: bool


@cache
def patterns() -> dict[str, re.Pattern[str]]:
    return {text: pattern_of(text) for text in MESSAGES}


def pattern_of(text: str) -> re.Pattern[str]:
    """Return what matches a sentence with any values in it."""
    fixed, *rest = PLACE.split(text)
    parts = [re.escape(fixed)]
    for name, then in zip(rest[::2], rest[1::2], strict=True):
        parts += [f"(?P<{name}>.*?)", re.escape(then)]
    return re.compile("".join(parts), re.DOTALL)


def translate(message: str, gettext: Callable[[str], str]) -> Message:
    for text, pattern in patterns().items():
        if found := pattern.fullmatch(message):
            translated = gettext(text)
            return Message(translated % found.groupdict(), translated != text)
    return Message(message, is_translated=False)
