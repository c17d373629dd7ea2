"""The sentences of english.txt, portuguese.txt and titles.txt."""

from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from fast_zero.quick_add.meanings import Said
from fast_zero.quick_add.parsing import Parsed, parse
from fast_zero.quick_add.tags import Known, NamedProject, NamedSection

HERE = Path(__file__).parent
KNOWN = Known(
    {
        "home": NamedProject(1, "Home", {"kitchen": NamedSection(4, "Kitchen")}),
        "home office": NamedProject(2, "Home Office"),
        "casa": NamedProject(3, "Casa"),
    },
    {"errands": "errands"},
)
WEEK_STARTS = {"monday": 0, "saturday": 5, "sunday": 6}


def said_of(line: str) -> Said:
    moment, zone, language, *week_start = line.removeprefix(">").split()
    at = datetime.fromisoformat(moment).replace(tzinfo=ZoneInfo(zone))
    return Said(at, ZoneInfo(zone), language, WEEK_STARTS[(week_start or ["monday"])[0]])


def lines_of(name: str) -> Iterator[tuple[Said, str]]:
    said = None
    for line in (HERE / name).read_text("utf-8").splitlines():
        if line.startswith(">"):
            said = said_of(line)
        elif line and not line.startswith("# "):
            yield said, line


def meaning_of(parsed: Parsed, said: Said) -> str:
    """Write what was understood as the files have it."""
    decision, tags = parsed.decision, parsed.tags

    def text(moment: date | datetime | int) -> str:
        if isinstance(moment, datetime):
            return f"{moment.astimezone(said.zone):%Y-%m-%dT%H:%M}"
        return str(moment)

    section = f"/{tags.section.name}" if tags.section else ""
    parts = [
        *(text(due) for due in (decision.due_on, decision.due_at) if due),
        *([str(decision.rule)] if decision.rule else []),
        *(["from completion"] if decision.from_completion else []),
        *([f"{decision.duration_minutes} min"] if decision.duration_minutes else []),
        *(f"remind {text(value)}" for _, value in decision.reminders),
        *([f"#{tags.project.name}{section}"] if tags.project else []),
        *(f"@{label}" for label in tags.labels),
        *([f"!{tags.priority}"] if tags.priority else []),
    ]
    return f"{parsed.title} | {' ; '.join(parts)}"


ENGLISH, PORTUGUESE = list(lines_of("english.txt")), list(lines_of("portuguese.txt"))
TITLES = list(lines_of("titles.txt"))


def test_there_are_enough_sentences():
    of_portuguese = [line for said, line in TITLES if said.language == "pt-BR"]
    assert min(len(ENGLISH), len(PORTUGUESE)) >= 90
    assert len(ENGLISH) + len(PORTUGUESE) + len(TITLES) >= 200
    assert len(TITLES) >= 60
    assert min(len(of_portuguese), len(TITLES) - len(of_portuguese)) >= 30


@pytest.mark.parametrize(("said", "line"), [*ENGLISH, *PORTUGUESE])
def test_a_sentence_is_understood(said, line):
    sentence, expected = line.split(" => ")
    assert meaning_of(parse(sentence, said, KNOWN), said) == expected


@pytest.mark.parametrize(("said", "line"), TITLES)
def test_a_sentence_without_a_date_stays_whole(said, line):
    parsed = parse(line, said, KNOWN)
    assert (parsed.title, parsed.understood) == (line, [])
