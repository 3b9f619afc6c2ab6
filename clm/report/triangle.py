"""Cohorts as a triangle of text: a line for each cohort, a column for each period since its first order.

It may not compute a share, or show a period nobody has lived yet: that cell is empty, and one still running is marked.
"""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from clm.inert import printable
from clm.report.wrap import cells

_MOST = 24  # cohorts of a group: a screen
_RUNNING = "*"
_CELL, _COUNT = 5, 12


def lines(cohorts: pl.DataFrame, width: int) -> list[str]:
    """COHORTS as retention in percent of each cohort: the latest cohorts, and the ages that fit into `width` cells."""
    lived = cohorts.filter(pl.col("cohort").is_not_null(), pl.col("age") >= 0)
    if lived.is_empty():
        return ["no cohort: nobody has bought yet"]
    label = max(cells("cohort"), *(cells(name) for name in lived["cohort"].unique()))
    fit = max(1, (width - label - _COUNT) // _CELL)
    found = ["Of each cohort, % who ordered, by periods since the first order"]
    groups = lived["group"].unique(maintain_order=True)
    for group in groups:
        if len(groups) > 1:
            found += ["", "(none)" if group is None else printable(group)]
        found += _triangle(lived.filter(pl.col("group").eq_missing(pl.lit(group))), label, fit)
    if not lived["period_complete"].all():
        found.append(f"{_RUNNING} a period that is still running")
    return found


def _triangle(lived: pl.DataFrame, label: int, fit: int) -> Iterator[str]:
    names = lived["cohort"].unique(maintain_order=True).to_list()
    ages = range(min(fit, max(lived["age"]) + 1))
    yield f"{'cohort':<{label}}{'customers':>{_COUNT}}" + "".join(f"{age:>{_CELL}}" for age in ages).rstrip()
    for name in names[-_MOST:]:
        rows = lived.filter(pl.col("cohort") == name).sort("age")
        shares = dict(zip(rows["age"], zip(rows["retention"], rows["period_complete"], strict=True), strict=True))
        told = [_percent(*shares[age]) if age in shares else "" for age in ages]
        line = f"{name:<{label}}{rows['cohort_customers'][0]:>{_COUNT},}" + "".join(f"{cell:>{_CELL}}" for cell in told)
        yield line.rstrip()
    if len(names) > _MOST:
        yield f"and {len(names) - _MOST:,} earlier cohorts"


def _percent(share: float | None, complete: bool) -> str:
    """Whole percent; what is not nothing and not everything does not look so."""
    if share is None:
        return "–"
    whole = round(100 * share)
    text = "<1" if whole == 0 < share else ">99" if whole == 100 and share < 1 else str(whole)
    return text if complete else f"{text}{_RUNNING}"
