"""The panel about how long customers stay: the curve of all in its band, then months of the first order and channels beside it.

It may not compute; numbers come from METRICS. What counts as the end of a life, and who is not observed yet, is always said.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from clm.report.blocks import Block, Cell, Column, Figure, Mark, Paragraph, Table
from clm.report.cells import cell, people_of, shown
from clm.report.numbers import Number, Numbers
from clm.report.words import Words, plain

_MONTHS = ("1m", "3m", "6m", "12m")
_MOST = 12  # rows of a kind: the latest months, the largest channels
_OTHER = "(other)"


def survival(numbers: Numbers, words: Words) -> tuple[Block, ...]:
    """The base as a curve, and a table each for cohorts and channels; not segments: those of today say who stayed."""
    everybody = numbers.find("survival", "customers")
    if everybody is None or everybody.value is None:
        return (Paragraph(words("staying.unknown" if numbers.rows("churn", "horizon") else "staying.none")),)
    return (
        Paragraph(words("format.sentence_gap").join(_lead(numbers, words, everybody))),
        *_curve(numbers, words),
        *(table for kind in ("cohort", "channel") for table in _table(numbers, words, kind, everybody)),
    )


def _lead(numbers: Numbers, words: Words, everybody: Number) -> Iterator[str]:
    """What a life is, how many are observed, how many are not yet, and when half had left."""
    yield words("staying.life", horizon=words.length(numbers.single_value("survival", "horizon")))
    n = words.count("customers", everybody.value)
    too_new = numbers.single("survival", "too_new")
    horizon = numbers.single("survival", "horizon")
    if too_new is not None and too_new.value and horizon is not None and horizon.period:
        seen = {"day": words.day(horizon.period), "new": words.count("customers", too_new.value)}
        yield words("staying.observed", n=n, **seen)
    else:
        yield words("staying.observed_all", n=n)
    median = numbers.value("survival", "median_days")
    if median is None:
        yield words("staying.half_not")
    else:
        yield words("staying.half_once") if median < 1 else words("staying.half", days=words.count("days", median))


def _curve(numbers: Numbers, words: Words) -> list[Block]:
    """The share still there at the end of each month, with its 95 % interval and how many were still followed."""
    followed = shown(numbers.rows("survival", "curve"))
    points = [row for row in followed if row.value is not None]
    if len(points) < 2:
        return [Paragraph(words("staying.short"))]
    marks, rows = [], []
    for row in followed:
        months = _months(row.period)
        if row.value is not None:
            marks.append(Mark("survival", "", row.value, x=months, low=row.lower, high=row.upper))
        shares = (cell(replace(row, value=one), words.percent) for one in (row.value, row.lower, row.upper))
        rows.append((Cell(words.whole(months)), *shares, people_of(row, words)))
    first, last = points[0], points[-1]
    title = words("staying.title")
    share = words.percent(first.value)
    alt = words("staying.alt", first=share, last=words.percent(last.value), months=words.count("months", _months(last.period)))
    columns = tuple(Column(words(f"staying.{label}")) for label in ("month", "share", "low", "high", "at_risk"))
    key = (("survival", words("staying.share")), ("band", words("staying.band")))
    note = words("staying.axes", first=share)
    return [Figure("survival", title, key, tuple(marks), alt, Table(title, columns, tuple(rows)), note)]


def _table(numbers: Numbers, words: Words, kind: str, everybody: Number) -> Iterator[Table]:
    """The groups of a kind under everybody; those too small to be told are counted in the note."""
    told = [row for row in numbers.rows("survival", "customers") if (row.group or "").startswith(f"{kind}:")]
    named = [row for row in told if row.group != f"{kind}:{_OTHER}"]
    if not named:
        return
    drawn = named[-_MOST:] if kind == "cohort" else named[:_MOST]
    rest = [row for row in told if row not in named]
    all_rows = (everybody, *drawn, *rest)
    periods = [period for period in _MONTHS if any(_kept(numbers, row, period) is not None for row in all_rows)]
    rows = tuple(_row(numbers, row, periods, words) for row in all_rows)
    columns = (
        Column(words(f"staying.{kind}"), numeric=False),
        Column(words("staying.customers")),
        Column(words("staying.median")),
        *(Column(words("staying.months", n=period.removesuffix("m"))) for period in periods),
    )
    said = [words("staying.note")]
    if len(named) > len(drawn):
        said.append(words("staying.more", n=words.whole(len(named) - len(drawn))))
    for metric, key in (("small", "staying.small"), ("unknown", "staying.unknown_group")):
        untold = numbers.value("survival", metric, kind)
        if untold:
            said.append(words(key, n=words.count("customers", untold)))
    yield Table(words(f"staying.by_{kind}"), columns, rows, words("format.sentence_gap").join(said), strong=(0,))


def _row(numbers: Numbers, customers: Number, periods: list[str], words: Words) -> tuple[Cell, ...]:
    kept = (numbers.find("survival", "retention", customers.group, period) for period in periods)
    return (
        Cell(_name(customers.group, words)),
        cell(customers, words.whole),
        cell(numbers.find("survival", "median_days", customers.group), words.whole),
        *(cell(share, words.percent) for share in kept),
    )


def _kept(numbers: Numbers, customers: Number, period: str) -> float | None:
    return numbers.value("survival", "retention", customers.group, period)


def _name(group: str | None, words: Words) -> str:
    kind, _, code = (group or "").partition(":")
    if not kind:
        return words("staying.everybody")
    if code == _OTHER:
        return words("staying.others")
    return words.month(code) if kind == "cohort" else plain(code, 30)


def _months(period: str | None) -> int:
    """`6m` -> 6"""
    return int((period or "0m").removesuffix("m"))
