"""Cohorts as a triangle on a terminal."""

from __future__ import annotations

import polars as pl

from clm.report import triangle


def cohorts(*rows: tuple[str | None, str | None, int | None, int, float | None, bool]) -> pl.DataFrame:
    names = ["group", "cohort", "age", "cohort_customers", "retention", "period_complete"]
    types = [pl.String, pl.String, pl.Int32, pl.Int64, pl.Float64, pl.Boolean]
    return pl.DataFrame(rows, dict(zip(names, types, strict=True)), orient="row")


def test_a_line_for_each_cohort() -> None:
    """Shares in whole percent, neither 0 nor 100 unless it is; a running period is marked, one not lived is empty."""
    found = triangle.lines(
        cohorts(
            (None, "2024-01", 0, 1200, 1.0, True),
            (None, "2024-01", 1, 1200, 0.001, True),
            (None, "2024-01", 2, 1200, 0.999, False),
            (None, "2024-02", 0, 30, 1.0, True),
            (None, "2024-02", 1, 30, 0.0, False),
            (None, None, None, 4, None, True),
            (None, "2024-02", -1, 30, 0.0, True),
        ),
        80,
    )
    assert found == [
        "Of each cohort, % who ordered, by periods since the first order",
        "cohort    customers    0    1    2",
        "2024-01       1,200  100   <1 >99*",
        "2024-02          30  100   0*",
        "* a period that is still running",
    ]


def test_only_what_fits() -> None:
    """Ages end at the width, and of many cohorts the latest 24 are shown."""
    many = cohorts(*((None, f"{2000 + year}", age, 9, 0.5, True) for year in range(30) for age in range(30 - year)))
    found = triangle.lines(many, 40)
    assert max(len(line) for line in found[1:]) <= 40
    assert found[1].split() == ["cohort", "customers", "0", "1", "2", "3"]
    assert found[2].startswith("2006")
    assert found[-1] == "and 6 earlier cohorts"


def test_groups_and_nobody() -> None:
    """A triangle for each group, also for those who have none; without a buyer a sentence."""
    found = triangle.lines(cohorts(("web", "2024", 0, 1, 1.0, True), (None, "2024", 0, 2, 1.0, True)), 80)
    assert [line for line in found if line in ("web", "(none)")] == ["web", "(none)"]
    assert triangle.lines(cohorts(), 80) == ["no cohort: nobody has bought yet"]
