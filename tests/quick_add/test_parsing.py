"""What holds for every sentence, and which words are named."""

from datetime import UTC, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fast_zero.quick_add import scanning, service
from fast_zero.quick_add.meanings import Said
from fast_zero.quick_add.parsing import LONGEST, parse
from fast_zero.quick_add.scanning import STEPS
from fast_zero.quick_add.tags import Known, NamedProject, NamedSection
from fast_zero.quick_add.vocabulary import CANDIDATES

ZONES = ["UTC", "America/Sao_Paulo", "Pacific/Kiritimati", "Europe/London"]
KNOWN = Known(
    {"home": NamedProject(1, "Home", {"this week": NamedSection(4, "This week")})},
    {"errands": "Errands"},
)
NOW = datetime(2026, 11, 29, 13, tzinfo=UTC)
pieces = st.sampled_from(
    [
        *sorted(CANDIDATES),
        *("9am", "14h", "21h30", "15/12", "12/15/2027", "2026-12-15", "15th", "2ª", "3x", "30min"),
        *("#home", "#home/this week", "@errands", "!high", '"', "'", "(", ")", ",", "João", "Sat"),
        *("31", "9999", "0", "29 february", "30 de fevereiro", "-", "/", "9999 years", "\u2019"),
    ]
)
characters = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
sentences = st.text(characters, max_size=LONGEST) | st.lists(pieces, max_size=60).map(
    lambda words: " ".join(words)[:LONGEST]
)


def said(zone: str = "UTC", language: str = "en", at: datetime = NOW) -> Said:
    return Said(at, ZoneInfo(zone), language)


@given(
    sentences,
    st.sampled_from(ZONES),
    st.sampled_from(["en", "pt-BR"]),
    st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001  # hypothesis wants naive bounds
)
def test_no_sentence_raises_and_its_parts_lie_within_it(text, zone, language, at):
    parsed = parse(text, said(zone, language, at), KNOWN)

    for part in parsed.understood:
        assert 0 <= part.start < part.end <= len(text)
    for one, other in pairwise(parsed.understood):
        assert one.end <= other.start
    if 0 < len(parsed.title) <= service.LONGEST_TITLE:
        assert service.new_todo(parsed, zone).title == parsed.title


@pytest.mark.parametrize(
    "piece",
    [
        "a ",
        "every ",
        "segunda e ",
        "on the first ",
        "after the ",
        "1 and ",
        "@a",
        "#a ",
        "9-",
        '"',
        "(",
    ],
)
def test_the_work_grows_with_the_length_at_most(piece, monkeypatch):
    fed = 0

    class CountedSearch(scanning.Search):
        def extend(self, state, place):
            nonlocal fed
            fed += 1
            super().extend(state, place)

    monkeypatch.setattr(scanning, "Search", CountedSearch)
    parse((piece * LONGEST)[:LONGEST], said(), KNOWN)

    kinds = len(scanning.KINDS)
    assert fed <= LONGEST * kinds * 40 < LONGEST * kinds * STEPS


def parts(text: str, known: Known = KNOWN, language: str = "en") -> list[tuple[str, str, object]]:
    parsed = parse(text, said(language=language), known)
    return [(text[part.start : part.end], part.kind, part.value) for part in parsed.understood]


def test_all_kinds_of_parts_are_named():
    text = (
        "Call Ana friday 9am for 30 min #home/This Week @errands @new !p1 every 2 weeks, 3 times "
        "remind me 1 day before"
    )
    assert parts(text) == [
        ("friday 9am", "due", "2026-12-04T09:00:00+00:00"),
        ("for 30 min", "duration", 30),
        ("#home", "project", "Home"),
        ("/This Week", "section", "This week"),
        ("@errands", "label", "Errands"),
        ("@new", "label", "new"),
        ("!p1", "priority", "urgent"),
        ("every 2 weeks, 3 times", "recurrence", ("FREQ=WEEKLY;COUNT=3;INTERVAL=2", False)),
        ("remind me 1 day before", "reminder", 1440),
    ]


def test_positions_are_those_of_code_points():
    text = "🎂 Pão 🥖 amanhã"
    parsed = parse(text, said(language="pt-BR"), KNOWN)
    assert [(part.start, part.end) for part in parsed.understood] == [(8, 14)]
    assert parsed.title == "🎂 Pão 🥖"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Fix #home tap", [("#home", "project", "Home")]),
        ('Fix #"home" tap', [('#"home"', "project", "Home")]),
        ("Fix #HÖME tap", [("#HÖME", "project", "Home")]),
        ("Fix #home, tap", [("#home", "project", "Home")]),
        ("Fix #homes tap", [("#homes", "project", None)]),
        ("Fix #home/garage tap", [("#home/garage", "section", None)]),
        (
            'Fix #home/"this week" tap',
            [("#home", "project", "Home"), ('/"this week"', "section", "This week")],
        ),
        ("Fix #42", []),
        ("Fix C# and F#", []),
        ("Write to ana@example.com", []),
        ("See https://example.com/#home?@errands", []),
        ('Say "#home @errands !high"', []),
        ("Hello! What @ all", []),
        ("Call @ÉRRANDS", [("@ÉRRANDS", "label", "Errands")]),
        ('Call @"two words"', [('@"two words"', "label", "two words")]),
        ("Call @a.b-c.", [("@a.b-c", "label", "a.b-c")]),
        ("Call !HIGH !low", [("!HIGH", "priority", "high")]),
        ("Ligar !média", [("!média", "priority", "medium")]),
        ("Call !1 now", [("!1", "priority", "urgent")]),
    ],
)
def test_tags_are_found(text, expected):
    assert parts(text) == expected


def test_the_longest_name_of_a_project_counts():
    known = Known({"home": NamedProject(1, "Home"), "home office": NamedProject(2, "Home Office")})
    assert parts("Buy lamp #Home Office desk", known) == [
        ("#Home Office", "project", "Home Office")
    ]
    assert parts("Buy lamp #Home desk", known) == [("#Home", "project", "Home")]


def test_what_is_not_understood_stays_in_the_title():
    text = "Fix #nope !huge #home #home tap tomorrow friday"
    assert parse(text, said(), KNOWN).title == "Fix #nope !huge #home tap friday"


def test_a_label_that_is_too_long_stays_in_the_title():
    label = "@" + "a" * 51
    parsed = parse(f"Call {label}", said(), KNOWN)
    assert (parsed.title, parsed.tags.labels) == (f"Call {label}", [])


def test_there_are_ten_reminders_at_most():
    text = "Call tomorrow 9am" + "".join(f", remind me {n} min before" for n in range(1, 13))
    parsed = parse(text, said(), KNOWN)
    assert [value for _, value in parsed.decision.reminders] == list(range(1, 11))
    assert parsed.title == "Call, remind me 11 min before, remind me 12 min before"


def test_a_reminder_at_a_time_is_on_the_day_of_the_due():
    parsed = parse("Pay rent friday, remind me at 8am", said("America/Sao_Paulo"), KNOWN)
    [(_, moment)] = parsed.decision.reminders
    assert moment == datetime(2026, 12, 4, 11, tzinfo=UTC)


def test_a_recurrence_that_never_occurs_stays_in_the_title():
    parsed = parse("Party every february 30", said(), KNOWN)
    assert (parsed.title, parsed.understood) == ("Party every february 30", [])
