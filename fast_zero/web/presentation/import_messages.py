"""What the report of an import says, in the language of its reader.

Imports are reported in English, with parts of the file. A sentence that is not here stays as it is.
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
    mark("This journal entry is no todo, and is left out."),
    mark("This free or busy time is no todo, and is left out."),
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
    mark("It has to be a moment in UTC such as 20261204T120000Z."),
    mark("It is out of the days that there are."),
    mark("Everything is in a VCALENDAR, and these are not in one another."),
    mark("Components can be nested %(value)s levels deep."),
    mark("This is not the end of %(value)s."),
    mark("This is outside of a VCALENDAR."),
    mark(
        "It has minutes before the due, and moments such as 2026-12-04T12:00:00Z, with commas "
        "between."
    ),
    mark("It has at most %(value)s entries."),
    mark("The todo is due on a day, so there is no moment before which to remind."),
    mark("Reminders are before the due, and not before the start."),
    mark("FREQ is missing."),
    mark("A recurrence rule has at most %(value)s characters."),
    mark("A recurrence rule has neither spaces nor characters outside of ASCII."),
    mark("A recurrence rule is written NAME=VALUE;NAME=VALUE, such as FREQ=WEEKLY;BYDAY=MO,TH."),
    mark("%(part)s is not supported; %(value)s are."),
    mark("%(part)s is given more than once."),
    mark("%(part)s has no value."),
    mark("COUNT and UNTIL cannot be used together."),
    mark("BYDAY has numbers, such as 2MO, only with FREQ=MONTHLY and with FREQ=YEARLY."),
    mark("BYMONTHDAY cannot be used with FREQ=WEEKLY."),
    mark("BYSETPOS requires BYDAY, BYMONTHDAY or BYMONTH."),
    mark("%(part)s is one of %(value)s."),
    mark("%(part)s is a day, such as 20261231, or a moment in UTC, such as 20261231T235959Z."),
    mark("%(part)s is between %(least)s and %(most)s."),
    mark("%(part)s has %(value)s, with commas between."),
    mark("The number in %(part)s has to be from 1 to %(most)s or from %(least)s to -1."),
    mark("%(part)s has to be from 1 to %(most)s or from %(least)s to -1."),
    mark("%(part)s has to be from 1 to %(most)s."),
    mark("This recurrence never occurs on or after %(value)s."),
    mark("it has to be between %(least)s and %(most)s, in UTC"),
    mark("this is no time zone; write its IANA name, such as America/Sao_Paulo"),
    mark("give due_on or due_at, not both"),
    mark("time_zone is given together with due_at"),
    mark("give either minutes_before or at"),
    mark("Input should be a valid date"),
    mark("Input should be a valid datetime"),
    mark("Input should be a valid dictionary"),
    mark("Datetimes provided to dates should have zero time - e.g. be exact dates"),
    mark("Input should have timezone info"),
    mark("Input should be a valid integer"),
    mark("Input should be a valid number"),
    mark("Input should be a valid list"),
    mark("Input should be a valid tuple"),
    mark("Input should be a valid string"),
    mark("String should match pattern"),
    mark("Input should be greater than or equal to %(least)s"),
    mark("Input should be less than or equal to %(most)s"),
    mark("Input should be %(value)s or %(last)s"),
    mark("Tuple should have at most %(most)s items after validation, not %(value)s"),
    mark("Field required"),
)
PLACE = re.compile(r"%\((\w+)\)s")
DETAILED = ("Input should be a valid ", "String should match pattern")
"""Sentences of Pydantic that details follow, which a translation leaves out."""


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
        value = "[^ ]*" if name == "part" else ".*?"  # a part of a rule, at its beginning
        parts += [f"(?P<{name}>{value})", re.escape(then)]
    if text.startswith(DETAILED):
        parts.append(r"(?:\W.*)?")
    return re.compile("".join(parts), re.DOTALL)


def translate(message: str, gettext: Callable[[str], str]) -> Message:
    for text, pattern in patterns().items():
        if found := pattern.fullmatch(message):
            translated = gettext(text)
            if translated == text:
                break
            return Message(translated % found.groupdict(), is_translated=True)
    return Message(message, is_translated=False)
