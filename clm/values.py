"""The value types of options: shares, horizons, days, lists, and how text becomes one of them.

It may not know any option by name; every parser takes text (or a TOML value) and raises ValueError with a sentence for people.
320 lines: a list.
"""

from __future__ import annotations

import calendar
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from clm.expressions import Expression, ExpressionError, Rule
from clm.expressions import parse as parse_expression
from clm.tables import FLAGS, YEARS

Parser = Callable[[Any], Any]

_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT]?)I?B?", re.IGNORECASE)
_HORIZON = re.compile(r"(\d+)\s*([dwmy])", re.IGNORECASE)
_UNIT_DAYS = {"d": 1, "w": 7, "m": 30, "y": 365}
_FLAG = re.compile(r"[a-z][a-z0-9_]{0,39}")
_SCALE = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}


@dataclass(frozen=True)
class Horizon:
    """A stretch of calendar time: `12m` is twelve calendar months, not 360 days."""

    number: int
    unit: str

    def __str__(self) -> str:
        return f"{self.number}{self.unit}"

    def end(self, start: date) -> date:
        """The last day of the stretch that follows `start`."""
        if self.unit == "d":
            return start + timedelta(days=self.number)
        if self.unit == "w":
            return start + timedelta(weeks=self.number)
        return add_months(start, self.number * (12 if self.unit == "y" else 1))

    def days(self, start: date) -> int:
        return (self.end(start) - start).days


def add_months(start: date, months: int) -> date:
    """`start` moved by calendar months, clipped to the last day of a shorter month."""
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    return date(year, month + 1, min(start.day, calendar.monthrange(year, month + 1)[1]))


def text(value: Any) -> str:
    if not isinstance(value, str | int | float | date):
        raise ValueError("wants one value")
    return str(value)


def filled(value: Any) -> str:
    """Text that says something: an empty name is what an unset variable of the shell leaves."""
    written = text(value)
    if not written.strip():
        raise ValueError("wants a value, this one is empty: is a variable of the shell unset?")
    return written


def boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    lowered = str(value).strip().lower()
    if lowered in ("1", "true", "yes", "on"):
        return True
    if lowered in ("0", "false", "no", "off", ""):
        return False
    raise ValueError("wants true or false")


def yes_or_no(value: Any) -> bool:
    """An answer to a question, which is not the same as a switch: not giving it leaves the question open."""
    return boolean(value)


def choice(*allowed: str) -> Parser:
    def parse(value: Any) -> str:
        word = text(value).strip()
        if word not in allowed:
            raise ValueError(f"wants one of {', '.join(allowed)}")
        return word

    return parse


def whole(low: int, high: int | None = None) -> Parser:
    span = f"from {low} to {high}" if high is not None else f"of at least {low}"

    def parse(value: Any) -> int:
        try:
            number = int(text(value).strip())
        except ValueError:
            raise ValueError(f"wants a whole number {span}") from None
        if number < low or (high is not None and number > high):
            raise ValueError(f"wants a whole number {span}")
        return number

    return parse


def threads(value: Any) -> int:
    """How many threads: more than a machine could use would only stall it while they start."""
    return int(whole(1, max(512, 8 * (os.cpu_count() or 1)))(value))


def whole_or(word: str, low: int, high: int) -> Parser:
    """A whole number, or the one word that leaves it to clm."""

    def parse(value: Any) -> int | str:
        if text(value).strip() == word:
            return word
        try:
            return int(whole(low, high)(value))
        except ValueError:
            raise ValueError(f"wants {word} or a whole number from {low} to {high}") from None

    return parse


def share(value: Any) -> float:
    """`35%` or `0.35`; a bare number above 1 is refused because nobody knows whether 35 means 35 % or 3500 %."""
    written = text(value).strip()
    percent = written.endswith("%")
    try:
        number = float(written.removesuffix("%").strip())
    except ValueError:
        raise ValueError("wants a share such as 35% or 0.35") from None
    number = round(number / 100, 12) if percent else number
    if not 0 <= number <= 1:
        raise ValueError("wants a share from 0% to 100% (write 35% or 0.35)")
    return number


def share_or(word: str) -> Parser:
    """A share, or the one word that says where it comes from."""

    def parse(value: Any) -> float | str:
        try:
            return word if text(value).strip() == word else share(value)
        except ValueError as error:
            raise ValueError(f"{error}, or {word}") from None

    return parse


def amount(value: Any) -> float:
    """An amount of money, 0 or more."""
    try:
        number = float(text(value).strip())
    except ValueError:
        number = -1.0
    if not 0 <= number <= 1e15:
        raise ValueError("wants an amount of money, 0 or more, such as 12.50")
    return number


def rate(value: Any) -> float:
    """A yearly rate: like a share, but `0` and small negative rates make sense and 100 % is not the end."""
    written = text(value).strip()
    try:
        number = float(written.removesuffix("%").strip())
    except ValueError:
        raise ValueError("wants a yearly rate such as 10% or 0.1") from None
    number = round(number / 100, 12) if written.endswith("%") else number
    if not -0.5 <= number <= (10 if written.endswith("%") else 1):
        raise ValueError("wants a yearly rate such as 10% or 0.1")
    return number


def count_or_share(value: Any) -> int | float:
    """`500` rows or `5%` of the rows."""
    written = text(value).strip()
    return share(written) if written.endswith("%") or "." in written else int(whole(0)(written))


def horizon(value: Any) -> Horizon:
    match = _HORIZON.fullmatch(text(value).strip())
    if not match or not 0 < int(match[1]) * _UNIT_DAYS[match[2].lower()] <= 36600:
        raise ValueError("wants a stretch of time such as 90d, 12w, 12m or 1y, 100 years at most")
    return Horizon(int(match[1]), match[2].lower())


def horizon_or_auto(value: Any) -> Horizon | None:
    return None if text(value).strip() == "auto" else horizon(value)


def day(value: Any) -> date:
    """A day of the years that logs have; a time of day, which TOML can write, is none."""
    try:
        found = value if type(value) is date else date.fromisoformat(text(value).strip())
    except ValueError:
        raise ValueError("wants a day such as 2024-06-30") from None
    if not YEARS[0] <= found.year <= YEARS[1]:
        raise ValueError(f"wants a day of the years {YEARS[0]} to {YEARS[1]}")
    return found


def day_or(*words: str) -> Parser:
    def parse(value: Any) -> date | str:
        if isinstance(value, str) and value.strip() in words:
            return value.strip()
        try:
            return day(value)
        except ValueError as error:
            raise ValueError(f"{error}, or {' or '.join(words)}") from None

    return parse


def names(value: Any) -> tuple[str, ...]:
    """`a,b` or a TOML list."""
    parts = value if isinstance(value, list) else text(value).split(",")
    found = tuple(text(part).strip() for part in parts)
    if not all(found):
        raise ValueError("wants names separated by commas")
    return found


def many(value: Any) -> tuple[str, ...]:
    """An option that may be given several times: a list, or one text."""
    return tuple(text(part) for part in value) if isinstance(value, list | tuple) else (text(value),)


def pairs(allowed: Mapping[str, str]) -> Parser:
    """`ROLE=COLUMN`, several times; a TOML table of the same."""

    def parse(value: Any) -> tuple[tuple[str, str], ...]:
        given = [f"{role}={column}" for role, column in value.items()] if isinstance(value, Mapping) else many(value)
        found: dict[str, str] = {}
        for pair in given:
            role, equals, column = pair.partition("=")
            role, column = role.strip(), column.strip()
            if not equals or not column:
                raise ValueError("wants ROLE=COLUMN, such as customer_id=会员编号")
            if role not in allowed:
                raise ValueError(f"knows no role {role!r}; the roles are {', '.join(allowed)}")
            if role in found:
                raise ValueError(f"names the role {role} twice")
            found[role] = column
        return tuple(sorted(found.items()))

    return parse


def rule_or(*words: str) -> Parser:
    """A rule of the rule language, or one of these words."""

    def parse(value: Any) -> Expression | str:
        written = text(value)
        return written.strip() if written.strip() in words else parse_expression(written)

    return parse


def rule(value: Any) -> Expression:
    """A rule of the rule language."""
    return parse_expression(filled(value))


def rules(value: Any) -> tuple[Rule, ...]:
    """`FLAG=RULE`, several times; in clm.toml a list of tables with `flag` and `when`."""
    given = [value] if isinstance(value, str | Mapping) else value
    if not isinstance(given, list | tuple):
        raise ValueError("wants FLAG=RULE, such as 'large_order=amount > 100000'")
    return tuple(_rule(one) for one in given)


def _rule(given: Any) -> Rule:
    if isinstance(given, Mapping):
        if set(given) != {"flag", "when"}:
            raise ValueError("wants tables with just flag and when, such as flag = 'large_order', when = 'amount > 100000'")
        flag, when = text(given["flag"]), text(given["when"])
    else:
        flag, equals, when = text(given).partition("=")
        if not equals:
            raise ValueError("wants FLAG=RULE, such as 'large_order=amount > 100000'")
    if not _FLAG.fullmatch(flag.strip()):
        raise ValueError(f"wants a flag of small letters, digits and _ such as large_order, not {flag.strip()!r}")
    if flag.strip() in FLAGS:
        raise ValueError(f"wants a flag of its own: {flag.strip()} is one of clm's")
    try:
        return Rule(flag.strip(), parse_expression(when))
    except ExpressionError as error:
        raise ValueError(f"{flag.strip()}: {error}") from None


def names_or_none(value: Any) -> tuple[str, ...]:
    """`a,b`, a TOML list, or `none` for an empty one."""
    return () if isinstance(value, str) and value.strip() == "none" else names(value)


def weights(value: Any) -> tuple[tuple[str, float], ...]:
    """`r=1,f=2,m=0.5`: names with positive weights; a TOML table of the same, or the empty list `clm config` writes for none."""
    if value == []:
        return ()
    given = value.items() if isinstance(value, Mapping) else (part.partition("=")[::2] for part in text(value).split(","))
    found: dict[str, float] = {}
    for name, written in given:
        try:
            number = float(text(written))
        except ValueError:
            number = 0.0
        if not name.strip() or not 0 < number <= 1e9:
            raise ValueError("wants NAME=WEIGHT with weights above 0, such as r=1,f=1,m=1")
        if name.strip() in found:
            raise ValueError(f"names {name.strip()} twice")
        found[name.strip()] = number
    return tuple(found.items())


def memory(value: Any) -> int | float:
    """`6GB` in bytes, or a share of what the machine allows."""
    written = text(value).strip()
    if written.endswith("%") or re.fullmatch(r"0?\.\d+", written):
        return share(written)
    match = _SIZE.fullmatch(written)
    if not match or float(match[1]) * _SCALE[match[2].upper()] < 2**26:
        raise ValueError("wants an amount of memory such as 6GB (64MB at least) or 70%")
    return int(float(match[1]) * _SCALE[match[2].upper()])
