"""Days and times as a reader writes them: near days by name, later ones by date."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache

from babel import Locale
from babel.dates import format_date, format_skeleton, format_time, format_timedelta

from fast_zero.core.languages import Language
from fast_zero.web.texts import mark

NAMED_DAYS = 6
"""How many days after today have the name of their weekday."""
NEAR_DAYS = {-1: mark("yesterday"), 0: mark("today"), 1: mark("tomorrow")}
JUST_NOW = mark("just now")
CACHED = 4096
PATTERNS = {12: "h:mm a", 24: "HH:mm"}


@lru_cache(CACHED)
def short_date(day: date, locale: Locale, *, with_year: bool) -> str:
    return format_skeleton("yMMMd" if with_year else "MMMd", day, locale=locale)


@lru_cache(CACHED)
def long_date(day: date, locale: Locale) -> str:
    return f"{format_date(day, 'EEEE', locale)}, {format_skeleton('MMMMd', day, locale=locale)}"


@lru_cache(CACHED)
def weekday(day: date, locale: Locale) -> str:
    return format_date(day, "EEEE", locale)


@lru_cache(CACHED)
def clock_time(moment: time, locale: Locale, clock: int) -> str:
    return format_time(moment, PATTERNS[clock], locale=locale)


@lru_cache(CACHED)
def days_ago(days: int, locale: Locale) -> str:
    return format_timedelta(
        timedelta(days=-days), granularity="day", threshold=30, add_direction=True, locale=locale
    )


@dataclass(frozen=True)
class Due:
    """When a todo is due: `text` for people, `value` for `datetime`, and whether it is late."""

    text: str
    value: str
    kind: str
    """`late`, `today` or empty."""


NOT_DUE = Due("", "", "")


@dataclass(frozen=True)
class Dates:
    """How a reader writes days and times. `now` is a moment on their clock."""

    locale: Locale
    gettext: Callable[[str], str]
    clock: int
    now: datetime

    @property
    def language(self) -> Language:
        return "en" if self.locale.language == "en" else "pt-BR"

    @property
    def today(self) -> date:
        return self.now.date()

    def local(self, moment: datetime) -> datetime:
        """Return a moment on the clock of the reader."""
        return moment.astimezone(self.now.tzinfo)

    def day_of(self, moment: datetime) -> date:
        """Return the day of a moment, on the clock of the reader."""
        return self.local(moment).date()

    def day(self, day: date) -> str:
        ahead = (day - self.today).days
        if ahead in NEAR_DAYS:
            return self.gettext(NEAR_DAYS[ahead])
        if 0 < ahead <= NAMED_DAYS:
            return weekday(day, self.locale)
        return short_date(day, self.locale, with_year=day.year != self.today.year)

    def ago(self, moment: datetime) -> str:
        """Say how long ago something happened; what is older than a week, by its date."""
        since = self.now - moment
        if since < timedelta(minutes=1):
            return self.gettext(JUST_NOW)
        if since < timedelta(days=1):
            return format_timedelta(-since, threshold=1, add_direction=True, locale=self.locale)
        day = self.day_of(moment)
        days = (self.today - day).days
        return days_ago(days, self.locale) if 1 < days <= NAMED_DAYS else self.day(day)

    def long_day(self, day: date) -> str:
        return long_date(day, self.locale)

    def heading(self, day: date) -> str:
        """Say a day as a heading: its name if it is near, and its date."""
        ahead = (day - self.today).days
        date_ = short_date(day, self.locale, with_year=day.year != self.today.year)
        if ahead in NEAR_DAYS:
            text = f"{self.gettext(NEAR_DAYS[ahead])}, {date_}"
        else:
            text = f"{weekday(day, self.locale)}, {date_}"
        return text[:1].upper() + text[1:]

    def time(self, moment: time) -> str:
        return clock_time(moment, self.locale, self.clock)

    def example(self, clock: int) -> str:
        """Say an afternoon as a clock of 12 or of 24 hours does."""
        return clock_time(time(15, 30), self.locale, clock)

    def moment(self, moment: datetime) -> str:
        """Say a moment on the clock of the reader: its day and its time."""
        local = self.local(moment)
        return f"{self.day(local.date())}, {self.time(local.time())}"

    def due(self, due_on: date | None, due_at: datetime | None, *, without_day: bool) -> Due:
        """Say when an open todo is due. Where a list says the day, only its time is said."""
        if due_at is not None:
            local = self.local(due_at)
            hour, day = self.time(local.time()), local.date()
            text = hour if without_day else f"{self.day(day)}, {hour}"
            kind = "late" if local < self.now else "today" if day == self.today else ""
            return Due(text, local.isoformat(timespec="minutes"), kind)
        if due_on is None:
            return NOT_DUE
        late = (self.today - due_on).days
        text = days_ago(late, self.locale) if late > 1 else self.day(due_on)
        kind = "late" if late > 0 else "today" if late == 0 else ""
        return Due("" if without_day else text, due_on.isoformat(), kind)
