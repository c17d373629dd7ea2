"""What the phrases of a sentence say together: when a todo is due, and when it comes back."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta

from fast_zero.quick_add.clocks import BEFORE_MORNING, NOON, PARTS
from fast_zero.quick_add.meanings import (
    DAY,
    Ahead,
    DatePhrase,
    DurationPhrase,
    EndOf,
    Evidence,
    Exactly,
    Lead,
    LimitPhrase,
    MomentPhrase,
    NextPeriod,
    Numeric,
    OnDay,
    RecurrencePhrase,
    ReminderPhrase,
    Said,
    TimePhrase,
    Unit,
    add,
    days_of,
)
from fast_zero.quick_add.scanning import Phrase
from fast_zero.recurrence import expansion
from fast_zero.recurrence.rules import Rule
from fast_zero.todos.reminders import MAX_REMINDERS


@dataclass
class Decision:
    """What is decided, and the phrases that decided it. The others are words."""

    due_on: date | None = None
    due_at: datetime | None = None
    rule: Rule | None = None
    from_completion: bool = False
    duration_minutes: int | None = None
    reminders: list[tuple[Phrase, int | datetime]] = field(default_factory=list)
    due_phrases: list[Phrase] = field(default_factory=list)
    recurrence_phrases: list[Phrase] = field(default_factory=list)
    duration_phrase: Phrase | None = None


def decide(phrases: Sequence[Phrase], said: Said, *, is_morning: bool = False) -> Decision:
    """Return what phrases say. `is_morning`: an hour such as 6 is one of the morning."""
    decision = Decision()
    cycle = first(phrases, RecurrencePhrase)
    dates = [phrase for phrase in phrases if isinstance(phrase.meaning, DatePhrase | MomentPhrase)]
    limits: list[Phrase] = []
    if cycle is not None:
        limits = [phrase for phrase in phrases if is_limit(phrase)]
        dates = [phrase for phrase in dates if phrase not in limits]
        decision.recurrence_phrases = [cycle]
    day = decide_day(dates, said, decision)
    clock = decide_time(phrases, decision)
    if clock is not None and clock.is_bare and not is_morning:
        clock = in_afternoon(clock, said)
    if cycle is not None:
        clock = time_of_cycle(cycle, clock)
    if cycle is not None:
        decide_recurrence(cycle, limits, said, decision)
    decide_due(day, clock, said, decision)
    if cycle is not None and not occurs(decision, said):  # every 30 February
        others = [phrase for phrase in phrases if phrase is not cycle]
        return decide(others, said, is_morning=is_morning)
    if cycle is not None:
        decide_period(limits, said, decision)
    decide_rest(phrases, said, decision)
    return decision


def first(phrases: Sequence[Phrase], kind: type) -> Phrase | None:
    return next((phrase for phrase in phrases if isinstance(phrase.meaning, kind)), None)


def is_limit(phrase: Phrase) -> bool:
    meaning = phrase.meaning
    return isinstance(meaning, LimitPhrase) or (
        isinstance(meaning, DatePhrase) and meaning.lead is Lead.UNTIL
    )


def decide_day(
    dates: Sequence[Phrase], said: Said, decision: Decision
) -> DatePhrase | MomentPhrase | None:
    """Return the first date that is to come. A second one counts if it says the same day."""
    chosen: DatePhrase | MomentPhrase | None = None
    for phrase in dates:
        meaning = phrase.meaning
        if isinstance(meaning, MomentPhrase) and chosen is None:
            chosen, decision.due_phrases = meaning, [phrase]
        elif not isinstance(meaning, DatePhrase) or isinstance(chosen, MomentPhrase):
            continue
        elif chosen is None and is_to_come(meaning, said):
            chosen, decision.due_phrases = meaning, [phrase]
        elif chosen is not None and (precise := more_precise(chosen, meaning, said)):
            chosen = precise
            decision.due_phrases.append(phrase)
    return chosen


def is_to_come(meaning: DatePhrase, said: Said) -> bool:
    day = next(days_of(meaning.day, said), None)
    return day is not None and day >= said.today()


def more_precise(one: DatePhrase, other: DatePhrase, said: Said) -> DatePhrase | None:
    """Return which of two dates names the day, if both can be the same day: Friday, 4 December."""
    for precise, vague in ((other, one), (one, other)):
        if vague.day == EndOf(Unit.DAY):
            return precise
        if vague.day == NextPeriod(Unit.MONTH) and isinstance(precise.day, OnDay):
            if precise.day.month is None:
                return replace(precise, day=replace(precise.day, months_ahead=1))
            return None
        if isinstance(precise.day, OnDay | Numeric | Exactly):
            day = next(days_of(precise.day, said), None)
            named = next(days_of(vague.day, said), None)
            if day and named and (day == named or is_weekday_of(vague, day)):
                return precise
    return None


def is_weekday_of(vague: DatePhrase, day: date) -> bool:
    weekday = getattr(vague.day, "weekday", None)
    return weekday == day.weekday() and getattr(vague.day, "week", None) is None


def decide_time(phrases: Sequence[Phrase], decision: Decision) -> TimePhrase | None:
    """Return the time. A part of the day beside a time says which half of the day it is in."""
    times = [phrase for phrase in phrases if isinstance(phrase.meaning, TimePhrase)]
    clock: TimePhrase | None = None
    for phrase in times:
        meaning = phrase.meaning
        if not isinstance(meaning, TimePhrase):
            continue
        if clock is None:
            clock = meaning
        elif (clock.part is None) != (meaning.part is None):
            clock = in_part(clock, meaning) if clock.part is None else in_part(meaning, clock)
        else:
            continue
        decision.due_phrases.append(phrase)
    return clock


def in_afternoon(clock: TimePhrase, said: Said) -> TimePhrase:
    """Return the time of a bare hour: at 5. In Portuguese, 6 is in the morning."""
    hour = clock.at.hour
    is_early = hour < BEFORE_MORNING or (hour == BEFORE_MORNING and said.language == "en")
    return replace(clock, at=clock.at.replace(hour=hour + NOON)) if is_early else clock


def time_of_cycle(cycle: Phrase, clock: TimePhrase | None) -> TimePhrase | None:
    """Return the time of a recurrence that names a part of the day: every morning."""
    name = cycle.meaning.part if isinstance(cycle.meaning, RecurrencePhrase) else None
    if name is None:
        return clock
    part = TimePhrase(time(PARTS[name]), Evidence.NONE, part=name)
    return in_part(clock, part) if clock and clock.part is None else part


def in_part(clock: TimePhrase, part: TimePhrase) -> TimePhrase:
    """Return the time that is meant: tonight at 8."""
    hour = clock.at.hour
    is_afternoon = part.part in {"afternoon", "evening"} or (
        part.part == "night" and hour >= BEFORE_MORNING
    )
    if hour < NOON and is_afternoon:
        clock = replace(clock, at=clock.at.replace(hour=hour + NOON))
    return replace(clock, today=clock.today or part.today, part="", is_bare=False)


def decide_recurrence(
    cycle: Phrase, limits: Sequence[Phrase], said: Said, decision: Decision
) -> None:
    """Set the rule with its end. COUNT and UNTIL exclude one another: the first one counts."""
    meaning = cycle.meaning
    if not isinstance(meaning, RecurrencePhrase):
        return
    decision.rule, decision.from_completion = meaning.rule, meaning.from_completion
    for phrase in limits:
        limit, rule = phrase.meaning, decision.rule
        is_open = rule.count is None and rule.until is None
        if isinstance(limit, LimitPhrase) and limit.from_completion:
            decision.from_completion = True
        elif isinstance(limit, LimitPhrase) and limit.count and is_open:
            decision.rule = replace(rule, count=limit.count)
        elif isinstance(limit, DatePhrase) and is_open and is_to_come(limit, said):
            decision.rule = replace(rule, until=next(days_of(limit.day, said)))
        else:
            continue
        decision.recurrence_phrases.append(phrase)


def decide_period(limits: Sequence[Phrase], said: Said, decision: Decision) -> None:
    """End a recurrence after a time that is counted from its first day: for 3 weeks."""
    rule, due = decision.rule, decision.due_on
    if decision.due_at is not None:
        due = decision.due_at.astimezone(said.zone).date()
    for phrase in limits:
        limit = phrase.meaning
        if not isinstance(limit, LimitPhrase) or limit.period is None or rule is None:
            continue
        if due is None or rule.count is not None or rule.until is not None:
            continue
        try:
            until = add(due, limit.period.number, limit.period.unit) - DAY
        except (ValueError, OverflowError):
            continue
        decision.rule = rule = replace(rule, until=until)
        decision.recurrence_phrases.append(phrase)


def decide_due(
    day: DatePhrase | MomentPhrase | None, clock: TimePhrase | None, said: Said, decision: Decision
) -> None:
    if isinstance(day, MomentPhrase):
        now = said.at.astimezone(UTC).replace(second=0, microsecond=0)
        decision.due_at = now + timedelta(minutes=day.minutes)
        return
    at = clock.at if clock else None
    if day is not None:
        at = at or day.at
        set_due(due_day(day, at, said), at, said, decision)
    elif decision.rule is not None:
        set_due(first_day(decision.rule, at, said), at, said, decision)
    elif clock is not None:
        today = said.today()
        due = today if clock.today else expansion.first_day_to_come(said.at, said.zone, at)
        set_due(due, at, said, decision)


def due_day(phrase: DatePhrase, at: time | None, said: Said) -> date:
    """Return the day of a date; the next one that is meant if its moment is past."""
    days = days_of(phrase.day, said)
    due = chosen = next(days)
    is_fixed = isinstance(phrase.day, Ahead | Exactly) or getattr(phrase.day, "year", None)
    while at is not None and not is_fixed and expansion.at(due, at, said.zone) < said.at:
        following = next(days, None)
        if following is None:
            return chosen
        due = following
    return due


def first_day(rule: Rule, at: time | None, said: Said) -> date | None:
    """Return the first day of a rule that is to come; None if there is none."""
    start = expansion.first_day_to_come(said.at, said.zone, at)
    try:
        return expansion.first_day(rule, start, start)
    except ValueError:
        return None


def occurs(decision: Decision, said: Said) -> bool:
    """Tell whether the rule gives a day, from the due on."""
    due = decision.due_on
    if decision.due_at is not None:
        due = decision.due_at.astimezone(said.zone).date()
    if due is None or decision.rule is None:
        return False
    return next(expansion.days(decision.rule, due, due), None) is not None


def set_due(day: date | None, at: time | None, said: Said, decision: Decision) -> None:
    if day is None:
        return
    if at is None:
        decision.due_on = day
    else:
        decision.due_at = expansion.at(day, at, said.zone)


def decide_rest(phrases: Sequence[Phrase], said: Said, decision: Decision) -> None:
    for phrase in phrases:
        meaning = phrase.meaning
        if isinstance(meaning, TimePhrase) and meaning.minutes and phrase in decision.due_phrases:
            decision.duration_minutes = meaning.minutes
    for phrase in phrases:
        meaning = phrase.meaning
        if isinstance(meaning, DurationPhrase) and decision.duration_minutes is None:
            decision.duration_minutes, decision.duration_phrase = meaning.minutes, phrase
        elif isinstance(meaning, ReminderPhrase) and len(decision.reminders) < MAX_REMINDERS:
            decision.reminders.append((phrase, reminder_of(meaning, said, decision)))


def reminder_of(meaning: ReminderPhrase, said: Said, decision: Decision) -> int | datetime:
    """Return the minutes before the due or, of a time, the moment on the day that it is due."""
    if meaning.minutes_before is not None or meaning.at is None:
        return meaning.minutes_before or 0
    day = decision.due_on
    if decision.due_at is not None:
        day = decision.due_at.astimezone(said.zone).date()
    if day is None:
        day = expansion.first_day_to_come(said.at, said.zone, meaning.at)
    return expansion.at(day, meaning.at, said.zone)
