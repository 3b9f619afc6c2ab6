"""Doubts about a log as a whole: two currencies, shared ids, clocks of several zones, days far from all others, too much unread.

It may not change a row. What is doubtful is a question to the user, with the option that answers it, not a guess.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from itertools import pairwise
from typing import Any

import polars as pl

from clm.errors import DataError
from clm.ingest import numbers, priced
from clm.ingest.reading import Reading
from clm.ingest.scan import AGAIN, FILE, SOURCE
from clm.ingest.structure import DETAIL, LINE
from clm.outcome import counted
from clm.settings import CleanSettings
from clm.stages.clean.accounting import SAID, Account
from clm.stages.clean.judge import MOVED, OFFSET, REASON, SYMBOL

_UNREADABLE = ("fields_few", "fields_many", "quote", "nul", "date", "amount", "quantity", "id_destroyed")
_NO_RECORD = ("totals_row", "header_repeat", "blank_row")
_MOST_BELOW = 5
_BLAMED = {
    "no_customer": "customer_id", "no_order": "order_id", "id_destroyed": "customer_id", "date": "ordered_at",
    "future": "ordered_at", "cancelled": "status", "currency_other": "currency", "amount": "amount", "quantity": "quantity",
}  # fmt: skip
_MASKED_SHARE = 0.01
_GAP_DAYS, _TAIL_SHARE = 60, 0.001
# One order typed into the wrong century is more than a thousandth of a small shop's log, and its gap is years.
_LONG_GAP_DAYS, _LONG_TAIL_SHARE = 5 * 365, 0.02
# One day far from all others is a placeholder, however many rows have it; but three orders in ten years are just a small log.
_FEWEST_DAYS = 10
_PLACEHOLDERS = (
    date(1899, 12, 30), date(1899, 12, 31), date(1900, 1, 1), date(1904, 1, 1), date(1969, 12, 31), date(1970, 1, 1),
    date(1980, 1, 1),
)  # fmt: skip
_PLACEHOLDER_GAP_DAYS = 365
# Clocks change in these months, on either side of the equator, twice a year.
_CLOCKS_CHANGE = (3, 4, 9, 10, 11)
Days = list[tuple[date, int]]


@dataclass(frozen=True)
class Edge:
    """Rows that lie apart from all the others: how many, up to which day (seen from the end), the nearest day of the rest."""

    rows: int
    day: date
    nearest: date
    lines: tuple[str, ...] = ()


@dataclass(frozen=True)
class Facts:
    """What the good rows say about the log. `declined` rows were rejected for their day because somebody asked for it."""

    rows: int
    masked: int
    currencies: tuple[str, ...]
    signs: tuple[str, ...]
    offsets: tuple[int, ...]
    one_zone: bool
    head: Edge | None
    tail: Edge | None
    declined: int
    moved: tuple[str, int] | None

    @property
    def currency(self) -> str | None:
        return self.currencies[0] if len(self.currencies) == 1 else None

    @property
    def zone(self) -> str | None:
        """A log whose stamps all carry one offset keeps that wall time."""
        return offset_text(self.offsets[0]) if len(self.offsets) == 1 else None


def look(judged: pl.LazyFrame, masked: int, reading: Reading, settings: CleanSettings) -> Facts:
    """`masked` counts the rows whose customer is masked, as `suspects` saw them."""
    good = judged.filter(pl.col(REASON).is_null() & ~pl.col(AGAIN))
    days = good.group_by(_day()).agg(pl.len()).collect(engine="streaming").sort("day").rows()
    offsets = tuple(_distinct(good, OFFSET)) if reading.dates.offsets else ()
    return Facts(
        sum(rows for _, rows in days),
        masked,
        tuple(_distinct(good, "currency")) if "currency" in reading.roles else (),
        tuple(numbers.currencies(_distinct(good, SYMBOL))) if SYMBOL in judged.collect_schema() else (),
        offsets,
        _one_zone(good, offsets),
        _edge(good, days, early=True),
        _edge(good, days, early=False),
        _declined(judged, settings),
        _moved(judged),
    )


def _day() -> pl.Expr:
    return pl.col("ordered_at").dt.date().alias("day")


def _declined(judged: pl.LazyFrame, settings: CleanSettings) -> int:
    if not isinstance(settings.since, date):
        return 0
    early = judged.filter((pl.col(REASON) == "date") & pl.col("ordered_at").is_not_null() & ~pl.col(AGAIN))
    return int(early.select(pl.len()).collect(engine="streaming").item())


def _moved(judged: pl.LazyFrame) -> tuple[str, int] | None:
    """File and line of the first header that names the columns in another order."""
    again = judged.filter((pl.col(REASON) == "header_repeat") & (pl.col(DETAIL) == MOVED))
    return next(again.select(FILE, LINE).head(1).collect(engine="streaming").iter_rows(), None)


def _distinct(good: pl.LazyFrame, column: str) -> list[Any]:
    found = good.select(pl.col(column).drop_nulls().unique()).collect(engine="streaming")[column]
    return found.sort().to_list()


def _edge(good: pl.LazyFrame, days: Days, *, early: bool) -> Edge | None:
    """Few rows before (or after) a long time without any, or one far day: the gap nearest to the others."""
    rows = sum(count for _, count in days)
    found, seen = None, 0
    for place, ((day, count), (nearest, _)) in enumerate(pairwise(days if early else reversed(days))):
        seen += count
        gap = abs((nearest - day).days)
        few = gap > _LONG_GAP_DAYS and seen < _LONG_TAIL_SHARE * rows
        late = not early and gap > _GAP_DAYS and seen < _TAIL_SHARE * rows
        lone = place == 0 and gap > _LONG_GAP_DAYS and len(days) > _FEWEST_DAYS
        known = place == 0 and day in _PLACEHOLDERS and gap > _PLACEHOLDER_GAP_DAYS
        if few or late or lone or known:
            found = Edge(seen, day, nearest)
        if seen >= _LONG_TAIL_SHARE * rows:
            break
    return None if found is None else replace(found, lines=_lines(good, found.day, early))


def _lines(good: pl.LazyFrame, day: date, early: bool) -> tuple[str, ...]:
    apart = _day() <= day if early else _day() >= day
    some = good.filter(apart).select(FILE, LINE, "ordered_at").head(5)
    return tuple(f"{name} line {line} ({moment:%Y-%m-%d})" for name, line, moment in some.collect(engine="streaming").iter_rows())


def _one_zone(good: pl.LazyFrame, offsets: tuple[int, ...]) -> bool:
    """One offset, or the winter and summer time of one zone: an hour (or half) apart, by turns, in the months of turning."""
    if len(offsets) < 2:
        return True
    if len(offsets) > 2 or offsets[1] - offsets[0] not in (30, 60):
        return False
    days = (
        good.filter(pl.col(OFFSET).is_not_null())
        .group_by(_day())
        .agg(low=pl.col(OFFSET).min(), high=pl.col(OFFSET).max())
        .collect(engine="streaming")
        .sort("day")
        .rows()
    )
    turns, now = 0, None
    for day, low, high in days:
        if low != high and day.month not in _CLOCKS_CHANGE:
            return False
        turns += int(low != high or now not in (None, low))
        now = low if low == high else None
    return bool(turns <= 2 * (days[-1][0].year - days[0][0].year + 1))


def refusal(judged: pl.LazyFrame, facts: Facts, account: Account, reading: Reading, settings: CleanSettings) -> DataError | None:
    """The first doubt that stands, as the question to ask."""
    if facts.moved is not None:
        name, line = facts.moved
        return DataError(
            f"line {line:,} of {name} is another header: from there on the columns stand in another order.",
            where=f"{name}, line {line}",
            fix=f"cut the file in two before line {line}, and give both parts.",
            code="columns_move",
        )
    unread = sum(account.rejected[code].rows for code in _UNREADABLE if code in account.rejected) - facts.declined
    allowed = settings.max_rejects if isinstance(settings.max_rejects, int) else settings.max_rejects * account.total.rows
    if unread > allowed and unread - _footers(judged) > allowed:
        return _too_many(unread, account, settings)
    if len(facts.currencies) > 1 and settings.currency is None:
        known = [one for one in facts.currencies if priced.is_currency(one)]
        others = len(facts.currencies) - len(known)
        names = ", ".join([*known, *([f"{others:,} clm does not know"] if others else [])])
        return DataError(
            f"the log holds {len(facts.currencies):,} currencies ({names}), which cannot be added up.",
            where=f"column {reading.roles['currency'][0]}",
            fix=f"say which to keep: --currency {known[0] if known else 'CODE'} (the others become rejects)",
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
    if settings.tz is None and not facts.one_zone:
        names = ", ".join(offset_text(minutes) for minutes in facts.offsets[:6])
        return DataError(
            f"the times carry offsets of several zones ({names}): which day an order belongs to is not clear.",
            where="column " + "+".join(reading.roles["ordered_at"]),
            fix="name the shop's zone: --tz Asia/Shanghai, --tz Europe/London, …",
            code="zone",
        )
    if facts.tail and settings.until is None:
        return _apart(facts.tail, reading, early=False)
    if facts.head and settings.since is None:
        return _apart(facts.head, reading, early=True)
    return _nothing_left(account, reading)


def _footers(judged: pl.LazyFrame) -> int:
    """Lines below the last good record of a file that cannot be one: too few cells, or no date at all; a handful at most."""
    rows = judged.filter(~pl.col(AGAIN)).select(SOURCE, LINE, REASON, DETAIL)
    last = rows.filter(pl.col(REASON).is_null()).group_by(SOURCE).agg(pl.col(LINE).max().alias("last"))
    below = rows.filter(~pl.col(REASON).is_in(_NO_RECORD)).join(last, on=SOURCE).filter(pl.col(LINE) > pl.col("last"))
    undated = (pl.col(REASON) == "date") & (pl.col(DETAIL).fill_null("").str.strip_chars() == "")
    bare = ((pl.col(REASON) == "fields_few") | undated).sum().alias("bare")
    counts = below.group_by(SOURCE).agg(pl.len(), bare).collect(engine="streaming")
    return int(counts.filter((pl.col("len") <= _MOST_BELOW) & (pl.col("len") == pl.col("bare")))["bare"].sum())


def _nothing_left(account: Account, reading: Reading) -> DataError | None:
    """A log of which nothing is left is no clean log; one that has a header and no records is."""
    lost = {code: one.rows for code, one in account.rejected.items() if code not in ("blank_row", "header_repeat")}
    if account.kept.rows or not lost:
        return None
    column = reading.column(_BLAMED.get(max(lost, key=lambda code: lost[code]), ""))
    return DataError(
        f"nothing is left of {counted(account.total.rows, 'row')}: "
        f"{', '.join(f'{rows:,} {SAID[code]}' for code, rows in lost.items())}.",
        where=f"column {column}" if column else None,
        fix="look at them with --rejects rejects.parquet; if another column is meant, name it: --map ROLE=COLUMN",
        code="nothing_left",
    )


def _apart(edge: Edge, reading: Reading, *, early: bool) -> DataError:
    more = " …" if edge.rows > len(edge.lines) else ""
    side, option = ("before", "since") if early else ("after", "until")
    hint = " A day so far off is mostly a placeholder." if early else ""
    return DataError(
        f"{counted(edge.rows, 'row lies', 'rows lie')} {abs((edge.nearest - edge.day).days):,} days {side} all the others: "
        f"{'; '.join(edge.lines)}{more}.{hint}",
        where="column " + "+".join(reading.roles["ordered_at"]),
        fix=f"reject them (--{option} {edge.nearest}) or accept every day (--{option} none)",
        code="placeholder_date" if early else "future",
    )


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
