"""Stretches of the calendar as people write them: a year, quarter, month, week or day, and from one to another.

It may not read files, or guess: what two calendars read differently (03/04/2024) is no period.
"""

from __future__ import annotations

import calendar
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

FORMS = "2024, 2024-Q1, 2024-03, 2024-W09, 2024-03-05, or from..to such as 2024-03-01..2024-03-15"

_MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december",
)  # fmt: skip
_CHINESE = {"一": 1, "二": 2, "三": 3, "四": 4}
_MIDNIGHT = re.compile(r"(?<=\d)[t ]00:00(?::00(?:\.0+)?)?(?:z|\+00:00)?$")
_BETWEEN = re.compile(r"\s*(?:\.\.\.?|~|至|到|–|—|\bto\b|\s-\s)\s*|(?<=\d{4}-\d{2}-\d{2})/(?=\d{4}-\d{2}-\d{2}$)")
_YEAR = re.compile(r"(?P<year>\d{4})年?")
_QUARTER = re.compile(
    r"(?P<year>\d{4})[-/. ]?q(?P<quarter>[1-4])|q(?P<quarter2>[1-4])[-/. ]?(?P<year2>\d{4})"
    r"|(?P<year3>\d{4})年?第?(?P<quarter3>[1-4一二三四])季度?"
)
_MONTH = re.compile(
    r"(?P<year>\d{4})[-/.年](?P<month>\d{1,2})月?|(?P<year2>\d{4})(?P<month2>\d\d)|(?P<month3>\d{1,2})[-/.](?P<year3>\d{4})"
)
_NAMED = re.compile(r"(?P<name>[a-z]{3,9})[-/. ]*(?P<year>\d{4})|(?P<year2>\d{4})[-/. ]*(?P<name2>[a-z]{3,9})")
_WEEK = re.compile(r"(?P<year>\d{4})-?w(?P<week>\d{1,2})")
_DAY = re.compile(r"(?P<year>\d{4})(?:(?P<mark>[-/.])(?P<month>\d{1,2})(?P=mark)|年(?P<month2>\d{1,2})月)(?P<day>\d{1,2})日?")
_DIGITS = re.compile(r"(?P<year>\d{4})(?P<month>\d\d)(?P<day>\d\d)")


@dataclass(frozen=True)
class Period:
    """The days from `start` to `end`, both inclusive; `text` writes it in one way, however it was written."""

    start: date
    end: date
    text: str

    @property
    def one_day(self) -> bool:
        return self.start == self.end


def parse(written: str) -> Period:
    """The period a cell says. Raises ValueError with a sentence for people when it says none, or more than one."""
    cell = unicodedata.normalize("NFKC", written).strip().lower()
    parts = _BETWEEN.split(cell)
    try:
        found = [_single(part.strip()) for part in parts]
    except (ValueError, OverflowError, StopIteration):
        raise ValueError("has a period that cannot be read") from None
    if len(found) == 1:
        return found[0]
    first, last = found[0], found[-1]
    if len(found) > 2 or first.start > last.end:
        raise ValueError("does not run from an earlier day to a later one")
    return _of(first.start, last.end)


def month_of(day: date) -> Period:
    """The calendar month of a day."""
    return _month(day.year, day.month)


def _single(cell: str) -> Period:
    cell = _MIDNIGHT.sub("", cell)
    for pattern, make in _READERS:
        match = pattern.fullmatch(cell)
        if match:
            # the forms of one pattern number their groups: year, year2, …
            return make({name.rstrip("123"): text for name, text in match.groupdict().items() if text is not None})
    raise ValueError


def _of(start: date, end: date) -> Period:
    """Days as the shortest thing that says them."""
    for named in (_day(start), _month(start.year, start.month), _quarter(start.year, (start.month + 2) // 3), _year(start.year)):
        if (named.start, named.end) == (start, end):
            return named
    return Period(start, end, f"{start}..{end}")


def _named(word: str) -> int:
    """The month of a name or of its first letters, three or more."""
    return next(number for number, name in enumerate(_MONTHS, 1) if name.startswith(word))


def _day(day: date) -> Period:
    return Period(day, day, day.isoformat())


def _month(year: int, month: int) -> Period:
    return Period(date(year, month, 1), date(year, month, calendar.monthrange(year, month)[1]), f"{year:04}-{month:02}")


def _quarter(year: int, quarter: int) -> Period:
    last = _month(year, 3 * quarter)
    return Period(date(year, 3 * quarter - 2, 1), last.end, f"{year:04}-Q{quarter}")


def _year(year: int) -> Period:
    return Period(date(year, 1, 1), date(year, 12, 31), f"{year:04}")


def _week(year: int, week: int) -> Period:
    monday = date.fromisocalendar(year, week, 1)
    return Period(monday, monday + timedelta(days=6), f"{year:04}-W{week:02}")


_READERS: tuple[tuple[re.Pattern[str], Callable[[dict[str, str]], Period]], ...] = (
    (_YEAR, lambda said: _year(int(said["year"]))),
    (_QUARTER, lambda said: _quarter(int(said["year"]), _CHINESE.get(said["quarter"]) or int(said["quarter"]))),
    (_MONTH, lambda said: _month(int(said["year"]), int(said["month"]))),
    (_NAMED, lambda said: _month(int(said["year"]), _named(said["name"]))),
    (_WEEK, lambda said: _week(int(said["year"]), int(said["week"]))),
    (_DAY, lambda said: _day(date(int(said["year"]), int(said["month"]), int(said["day"])))),
    (_DIGITS, lambda said: _day(date(int(said["year"]), int(said["month"]), int(said["day"])))),
)
