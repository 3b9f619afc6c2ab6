"""Numbers about few customers are withheld here, once, before any view sees them: METRICS -> METRICS.

It may not compute a number or word anything. Which numbers are about whom `families` knows, what must go with them `disclosure`.

Protected: a number about 1 to N - 1 customers, what a shown total or a shown other group tells of it, shares and means of it, in
every panel alike. Not protected: bounds (a withheld count lies below its total), points inside a curve and medians, which are
values of somebody nobody knows, rows of the log and their money (rows are not people), and what reports of two days differ in.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import polars as pl

from clm.report import families, people
from clm.report.disclosure import Line, Told, withheld
from clm.report.numbers import Number, Sheet, with_sections

_OF_ALL = 20
_ASKED = ("overview", "kpi", "revenue", "clv", "churn")
_SPLITS = ("gross_revenue", "returned", "new", "returning", "acquisition")  # parts of what is asked for
OFF = 1  # the least cell that withholds nothing


def hide(metrics: pl.DataFrame, least: int, ties: Iterable[Line] = (), older: Mapping[str, int] | None = None) -> pl.DataFrame:
    """METRICS in which rows that tell of 1 to `least` − 1 customers are `hidden`: value, interval and n are null.

    The `n` of what is shown is null too where it would count what is hidden.

    `ties` are lines the numbers alone do not show (see `ties`), `older` the customers behind what the log has before the periods
    of the key figures, by figure. The section `privacy` records `least` and how many are hidden.
    """
    mask, counted = (
        _hidden(with_sections(metrics), least, tuple(ties), older or {}) if least > OFF else ([False] * metrics.height,) * 2
    )
    marked = metrics.with_columns(pl.Series("hidden", mask, pl.Boolean))
    gone = pl.col("hidden")
    named = (pl.col("section") == "portfolio") & (pl.col("metric") == "field")  # its group names what is hidden
    counts = pl.Series("n", counted, pl.Boolean)
    kept = (
        marked.with_columns(pl.when(~counts).then(pl.col("n")))
        .filter(~(gone & named))
        .with_columns(pl.when(~gone).then(pl.col(name)).alias(name) for name in ("value", "lower", "upper", "n"))
    )
    record = Sheet()
    record.add("privacy", "min_cell", least)
    record.add("privacy", "hidden", sum(mask))
    day = metrics["as_of"].max() if metrics.height else None
    return pl.concat([kept, record.frame(day)])  # type: ignore[arg-type]


def _hidden(
    rows: list[tuple[str, Number]], least: int, ties: tuple[Line, ...], older: Mapping[str, int]
) -> tuple[list[bool], list[bool]]:
    """Which rows are hidden, and of which rows the count `n` is: money may be told of customers whose number may not."""
    found = families.of(rows, older)
    sizes = found.sizes
    tied = [line for line in ties if line.total in sizes and all(part in sizes for part in line.parts)]
    known = {people.BUYERS, people.WHOLE}
    told = [Told(cells, _worth(section, row)) for (section, row), cells in zip(rows, found.about, strict=True) if cells]
    gone = withheld(sizes, [*found.lines, *tied], least, known, found.unsaid, told)
    if known & gone:  # so few customers that everything is about them
        return ([bool(cells) for cells in found.about],) * 2
    mask = [not gone.isdisjoint(cells) for cells in found.about]
    counts = (people.counted(found, section, row) for section, row in rows)
    return mask, [hidden or not gone.isdisjoint(cells) for hidden, cells in zip(mask, counts, strict=True)]


def _worth(section: str, row: Number) -> float:
    """What a reader loses with a number, in numbers about one group: those about everybody are asked for first."""
    if section == "kpi" and row.metric.removesuffix("_change") in _SPLITS:
        return _OF_ALL / 4
    if row.metric == "mean_retention":
        return _OF_ALL / 2
    return 1 if row.group or section not in _ASKED else _OF_ALL
