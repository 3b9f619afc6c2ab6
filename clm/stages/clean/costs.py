"""Costs: a file of what was spent to win and to keep customers, by period and channel, read exactly or not at all.

It may not know which customers there are, or guess: a line that cannot be read, or could be meant twice, is named and refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from clm import channels, periods
from clm.errors import DataError
from clm.ingest import decimals, numbers, priced, roles
from clm.ingest.structure import LINE, PROBLEM
from clm.ingest.text import TextLog
from clm.outcome import Notice, counted
from clm.periods import Period
from clm.stages.clean import ids

# names of columns, whatever their case and what joins their words; a plain "cost" or "spend" may be either kind of money: none
_NAMES: dict[str, tuple[str, ...]] = {
    "period": (
        "period", "month", "quarter", "week", "year", "date", "day", "year month", "时间", "期间", "周期", "时期", "月份", "月",
        "年月", "季度", "周", "年", "年份", "年度", "日期", "统计月份", "统计日期",
    ),
    "channel": (
        "channel", "acquisition channel", "marketing channel", "sales channel", "source", "utm source", "渠道", "获客渠道",
        "推广渠道", "投放渠道", "营销渠道", "渠道名称", "来源", "来源渠道",
    ),
    "acquisition": (
        "acquisition", "acquisition spend", "acquisition cost", "acquisition costs", "acquisition budget", "ad spend", "adspend",
        "获客", "获客成本", "获客费用", "获客支出", "获客花费", "拉新", "拉新成本", "拉新费用", "广告费", "广告费用", "投放费用",
        "投放成本", "推广费", "推广费用",
    ),
    "retention": (
        "retention", "retention spend", "retention cost", "retention costs", "retention budget", "crm spend", "crm cost", "留存",
        "留存成本", "留存费用", "留存支出", "维系成本", "维系费用", "维护成本", "维护费用", "老客成本", "老客费用",
        "会员运营费用",
    ),
    "currency": ("currency", "currency code", "币种", "货币"),
}  # fmt: skip
_MONEY = ("acquisition", "retention")
_EVERY = {"*", "all", "all channels", "全部", "全部渠道", "所有渠道", "全渠道"}
_SKIPPED = ("blank_row", "header_repeat")
_FIX = "columns: period, channel (empty or * for all), acquisition_spend, retention_spend"

SCHEMA: dict[str, Any] = {
    "line": pl.Int64(),
    "period": pl.String(),
    "start": pl.Date(),
    "end": pl.Date(),
    "channel": pl.String(),
    "channel_key": pl.String(),
    "acquisition": pl.Decimal(38, 4),
    "retention": pl.Decimal(38, 4),
}


@dataclass(frozen=True)
class Costs:
    """`frame`: one row a line of the file, in its order (SCHEMA). `channel` null is money for all channels, `channel_key` is for
    comparing; a money that is null is not stated, which is not 0. Periods of one channel do not overlap. `currencies`: what the
    file's signs and codes can mean.
    """

    frame: pl.DataFrame
    name: str
    currencies: tuple[str, ...] = ()
    notices: tuple[Notice, ...] = ()

    def check_currency(self, currency: str | None) -> None:
        """Raises DataError when the log's money is another than the file's."""
        if currency and self.currencies and currency.upper() not in self.currencies:
            raise DataError(
                f"the costs are in {' or '.join(self.currencies)}, the orders in {currency}",
                where=self.name,
                fix="give the costs in the currency of the orders",
                code="costs_currency",
            )


@dataclass(frozen=True)
class _Line:
    number: int
    period: Period
    channel: str | None
    money: dict[str, Any]

    @property
    def key(self) -> str | None:
        return None if self.channel is None else channels.key(self.channel)


def costs(log: TextLog) -> Costs:
    """The costs in a file of text. Raises DataError, with the line, for whatever cannot be taken as it stands."""
    name = log.parts[0].source.name
    found = _columns(log, name)
    text = log.frame.select(LINE, PROBLEM, *(ids.words(pl.col(column)).alias(role) for role, column in found.items())).collect()
    broken = text.filter(~pl.col(PROBLEM).is_in(_SKIPPED))
    if broken.height:
        raise _wrong(name, broken[LINE][0], f"cannot be cut into columns ({broken[PROBLEM][0]})", "mend the line")
    text = text.filter(pl.any_horizontal(pl.col(list(found)).is_not_null()))
    if text.is_empty():
        raise DataError(f"{name} holds no costs", where=name, fix=_FIX, code="costs")
    read = _read_money(log, text, found, name)
    known, as_months = _periods(text, found, name)
    lines = [_line(row, period, name) for row, period in zip(read.iter_rows(named=True), known, strict=True)]
    _check_overlaps(lines, name)
    rows = [
        (
            one.number,
            one.period.text,
            one.period.start,
            one.period.end,
            one.channel,
            one.key,
            *(one.money[kind] for kind in _MONEY),
        )
        for one in lines
    ]
    return Costs(
        pl.DataFrame(rows, schema=SCHEMA, orient="row"),
        name,
        _currencies(text, found, name),
        tuple(_notices(log, found, name, as_months)),
    )


def _columns(log: TextLog, name: str) -> dict[str, str]:
    """Which column plays which role, by its name."""
    found: dict[str, str] = {}
    for role, names in _NAMES.items():
        known = {one for said in names for one in roles.variants(said)}
        own = [column for column in log.columns if roles.variants(column) & known]
        if own:
            found[role] = own[0]
        if len(own) > 1:
            raise DataError(
                f"{name} has {len(own)} columns that could be the {role}: {', '.join(own)}",
                where=name,
                fix=f"leave one of them; {_FIX}",
                code="costs",
            )
    lacking = [role for role in ("period",) if role not in found]
    if not any(kind in found for kind in _MONEY):
        lacking.append("acquisition_spend or retention_spend")
    if lacking:
        raise DataError(
            f"{name} has no column {' and no column '.join(lacking)}", where=roles.shown(log.columns), fix=_FIX, code="costs"
        )
    return found


def _read_money(log: TextLog, text: pl.DataFrame, found: dict[str, str], name: str) -> pl.DataFrame:
    """The rows with their money as decimals. Raises DataError for the first cell that is no money of 0 or more."""
    kinds = [kind for kind in _MONEY if kind in found]
    try:
        marks = decimals.marks_of(log, [found[kind] for kind in kinds], [], log.settings)
    except DataError as doubt:
        fix = "write the money of this file without thousands separators, such as 1234.50"
        raise DataError(doubt.what, where=f"{name}, {doubt.where}", fix=fix, code=doubt.code) from None
    read = text.with_columns(
        numbers.money(numbers.canonical(pl.col(kind), marks[found[kind]])).cast(pl.Decimal(38, 4)).alias(f"{kind}_money")
        for kind in kinds
    )
    for kind in kinds:
        money, where = pl.col(f"{kind}_money"), f", column {found[kind]}"
        unread = read.filter(pl.col(kind).is_not_null() & money.is_null())
        if unread.height:
            raise _wrong(name, unread[LINE][0], f"has no readable money for {kind}", "write a number such as 1234.50", where)
        negative = read.filter(money < 0)
        if negative.height:
            fix = "net a credit against what was spent in its period"
            raise _wrong(name, negative[LINE][0], f"has a negative {kind} spend", fix, where)
    silent = read.filter(pl.all_horizontal(pl.col(f"{kind}_money").is_null() for kind in kinds))
    if silent.height:
        raise _wrong(name, silent[LINE][0], "states no spend", "write 0 where nothing was spent, or leave the line out")
    return read


def _periods(text: pl.DataFrame, found: dict[str, str], name: str) -> tuple[list[Period], bool]:
    """The period of each row; where every one is the first day of a month, the months, as spreadsheets write them."""
    known = []
    for line, cell in text.select(LINE, "period").iter_rows():
        where = f", column {found['period']}"
        if cell is None:
            raise _wrong(name, line, "names no period", f"write {periods.FORMS}", where)
        try:
            known.append(periods.parse(cell))
        except ValueError as error:
            fix = f"write {periods.FORMS}; leave totals out"
            raise _wrong(name, line, str(error), fix, where) from None
    as_months = all(one.one_day and one.start.day == 1 for one in known)
    return ([periods.month_of(one.start) for one in known] if as_months else known), as_months


def _line(row: dict[str, Any], period: Period, name: str) -> _Line:
    channel = row.get("channel")
    if channel is not None and channels.key(channel) in _EVERY:
        channel = None
    return _Line(row[LINE], period, channel, {kind: row.get(f"{kind}_money") for kind in _MONEY})


def _check_overlaps(lines: Sequence[_Line], name: str) -> None:
    """Raises DataError when two lines spend for the same channel on the same day: one may be the other's total, or a copy."""
    by_channel: dict[str | None, list[_Line]] = {}
    for one in lines:
        by_channel.setdefault(one.key, []).append(one)
    for several in by_channel.values():
        several.sort(key=lambda one: (one.period.start, one.number))
        reached = several[0]
        for one in several[1:]:
            if one.period.start <= reached.period.end:
                first, second = sorted((reached.number, one.number))
                same = one.period == reached.period
                about = f"channel {one.channel}" if one.channel is not None else "all channels"
                raise DataError(
                    f"{name} has {'two lines' if same else 'overlapping periods'} for {about}: {reached.period.text}"
                    + ("" if same else f" and {one.period.text}"),
                    where=f"{name}, lines {first} and {second}",
                    fix="add them up into one line if both were spent, or take the total or copy out",
                    code="costs_overlap",
                )
            reached = one if one.period.end > reached.period.end else reached


def _currencies(text: pl.DataFrame, found: dict[str, str], name: str) -> tuple[str, ...]:
    """What the currency can be, by a column of codes and the signs beside the money; empty when nothing is said."""
    cells = [numbers.symbol(pl.col(kind)) for kind in _MONEY if kind in found]
    if "currency" in found:
        cells.append(pl.col("currency").str.to_uppercase())
    possible: set[str] | None = None
    for line, *signs in text.select(LINE, *(cell.alias(str(at)) for at, cell in enumerate(cells))).iter_rows():
        for sign in filter(None, signs):
            here = set(numbers.SIGNS.get(sign, (sign,)))
            both = here if possible is None else possible & here
            if not both:
                known = f" ({sign})" if priced.is_currency(sign) else ""
                raise _wrong(name, line, f"is in another currency{known} than the lines above", "give the costs in one currency")
            possible = both
    return tuple(sorted(possible or ()))


def _notices(log: TextLog, found: dict[str, str], name: str, as_months: bool) -> Iterator[Notice]:
    if as_months:
        yield Notice("costs_months", f"every period of {name} is the first day of a month: taken as the whole months")
    left = [column for column in log.columns if column not in found.values()]
    if left:
        shown = ", ".join(left[:5]) + (", …" if len(left) > 5 else "")
        yield Notice("costs_columns", f"{counted(len(left), 'column')} of {name} not used: {shown}")


def _wrong(name: str, line: int, what: str, fix: str, column: str = "") -> DataError:
    return DataError(f"line {line} of {name} {what}", where=f"{name}, line {line}{column}", fix=fix, code="costs")
