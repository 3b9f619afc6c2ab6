"""Doubts about a log as a whole: two currencies, shared ids, clocks of several zones, days in the future, too much unreadable.

It may not change a row. What is doubtful is a question to the user, with the option that answers it, not a guess.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Any

import polars as pl

from clm.errors import DataError
from clm.ingest import numbers
from clm.ingest.reading import Reading
from clm.ingest.scan import AGAIN, FILE
from clm.outcome import counted
from clm.settings import CleanSettings
from clm.stages.clean import ids
from clm.stages.clean.accounting import Account
from clm.stages.clean.judge import OFFSET, REASON, SYMBOL

_UNREADABLE = ("fields_few", "fields_many", "quote", "nul", "date", "amount", "quantity", "id_destroyed")
_MASKED_SHARE = 0.01
_GAP_DAYS, _TAIL_SHARE = 60, 0.001
# One order typed into the wrong century is more than a thousandth of a small shop's log, and its gap is years.
_LONG_GAP_DAYS, _LONG_TAIL_SHARE = 5 * 365, 0.02


@dataclass(frozen=True)
class Facts:
    """What the good rows say about the log. `tail` is (first day after the suspicious gap, rows from it on, day before it)."""

    rows: int
    masked: int
    currencies: tuple[str, ...]
    signs: tuple[str, ...]
    offsets: tuple[int, ...]
    tail: tuple[date, int, date] | None
    tail_lines: tuple[str, ...]

    @property
    def currency(self) -> str | None:
        return self.currencies[0] if len(self.currencies) == 1 else None

    @property
    def zone(self) -> str | None:
        """A log whose stamps all carry one offset keeps that wall time."""
        return offset_text(self.offsets[0]) if len(self.offsets) == 1 else None


def look(judged: pl.LazyFrame, reading: Reading) -> Facts:
    good = judged.filter(pl.col(REASON).is_null() & ~pl.col(AGAIN))
    counts = good.select(
        pl.len(), masked=pl.col("customer_id").str.contains(ids.MASKED).cast(pl.Int64).sum()
    ).collect(engine="streaming").row(0)  # fmt: skip
    tail = _tail(good, counts[0])
    return Facts(
        counts[0],
        counts[1] or 0,
        tuple(_distinct(good, "currency")) if "currency" in reading.roles else (),
        tuple(numbers.currencies(_distinct(good, SYMBOL))) if SYMBOL in judged.collect_schema() else (),
        tuple(_distinct(good, OFFSET)) if reading.dates.offsets else (),
        tail,
        _lines(good, tail[0]) if tail else (),
    )


def _distinct(good: pl.LazyFrame, column: str) -> list[Any]:
    found = good.select(pl.col(column).drop_nulls().unique()).collect(engine="streaming")[column]
    return found.sort().to_list()


def _tail(good: pl.LazyFrame, rows: int) -> tuple[date, int, date] | None:
    """Few rows after a long time without any: the last such gap."""
    days = (
        good.group_by(pl.col("ordered_at").dt.date().alias("day"))
        .agg(pl.len().alias("rows"))
        .collect(engine="streaming")
        .sort("day")
    )
    after = 0
    found = None
    listed = days.rows()
    for (before, _), (day, count) in reversed(list(pairwise(listed))):
        after += count
        gap = (day - before).days
        if (gap > _GAP_DAYS and after < _TAIL_SHARE * rows) or (gap > _LONG_GAP_DAYS and after < _LONG_TAIL_SHARE * rows):
            found = (day, after, before)
        if after >= _LONG_TAIL_SHARE * rows:
            break
    return found


def _lines(good: pl.LazyFrame, first: date) -> tuple[str, ...]:
    from clm.ingest.structure import LINE

    late = good.filter(pl.col("ordered_at").dt.date() >= first).select(FILE, LINE, "ordered_at").head(5)
    return tuple(f"{name} line {line} ({moment:%Y-%m-%d})" for name, line, moment in late.collect(engine="streaming").iter_rows())


def refusal(facts: Facts, account: Account, reading: Reading, settings: CleanSettings) -> DataError | None:
    """The first doubt that stands, as the question to ask."""
    unread = sum(account.rejected[code].rows for code in _UNREADABLE if code in account.rejected)
    allowed = settings.max_rejects if isinstance(settings.max_rejects, int) else settings.max_rejects * account.total.rows
    if unread > allowed:
        return _too_many(unread, account, settings)
    if len(facts.currencies) > 1 and settings.currency is None:
        names = ", ".join(facts.currencies)
        return DataError(
            f"the log holds {len(facts.currencies)} currencies ({names}), which cannot be added up.",
            where=f"column {reading.roles['currency'][0]}",
            fix=f"say which to keep: --currency {facts.currencies[0]} (the others become rejects)",
            code="currencies",
        )
    if len(facts.signs) > 1 and settings.currency is None:
        return DataError(
            f"the amounts carry {len(facts.signs)} currency signs ({' '.join(facts.signs)}), which cannot be added up.",
            where=f"column {reading.column('amount') or reading.column('unit_price')}",
            fix="say which currency to keep, such as --currency USD (the others become rejects)",
            code="currencies",
        )
    if facts.masked > _MASKED_SHARE * facts.rows and not settings.allow_masked and not reading.ours:
        return DataError(
            f"{facts.masked:,} of {facts.rows:,} customer ids are masked: different people share a mask.",
            where=f"column {reading.roles['customer_id'][0]}",
            fix="map another column (--map customer_id=COLUMN), or accept it: --allow-masked",
            code="masked_ids",
        )
    if settings.tz is None and not _one_zone(facts.offsets):
        names = ", ".join(offset_text(minutes) for minutes in facts.offsets[:6])
        return DataError(
            f"the times carry offsets of several zones ({names}): which day an order belongs to is not clear.",
            where="column " + "+".join(reading.roles["ordered_at"]),
            fix="name the shop's zone: --tz Asia/Shanghai, --tz Europe/London, …",
            code="zone",
        )
    if facts.tail and settings.until is None:
        first, rows, before = facts.tail
        return DataError(
            f"{counted(rows, 'row lies', 'rows lie')} {(first - before).days:,} days after all the others: "
            f"{'; '.join(facts.tail_lines)}{' …' if rows > len(facts.tail_lines) else ''}.",
            where="column " + "+".join(reading.roles["ordered_at"]),
            fix=f"reject them (--until {before}) or accept every day (--until none)",
            code="future",
        )
    return None


def _one_zone(offsets: tuple[int, ...]) -> bool:
    """One offset, or the summer and winter time of one zone: an hour (or half) apart."""
    return len(offsets) < 2 or (len(offsets) == 2 and offsets[1] - offsets[0] in (30, 60))


def offset_text(minutes: int) -> str:
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"


def _too_many(unread: int, account: Account, settings: CleanSettings) -> DataError:
    reasons = ", ".join(f"{account.rejected[code].rows:,} {code}" for code in _UNREADABLE if code in account.rejected)
    share = unread / account.total.rows
    return DataError(
        f"{unread:,} of {account.total.rows:,} rows ({share:.1%}) could not be read: {reasons}.",
        fix="look at them with --rejects rejects.parquet, then repair the file, name what was misread "
        f"(--map, --date-format, --delimiter) or allow more: --max-rejects {min(100, int(share * 100) + 1)}%",
        code="too_many_rejects",
    )
