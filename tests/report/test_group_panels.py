"""Panels of groups and cohorts: each says its numbers, or in one sentence why it has none."""

from __future__ import annotations

import math
from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from clm.report import cohort_numbers, metrics
from clm.report.blocks import Heat, Outline, Paragraph, Table
from clm.report.numbers import Numbers
from clm.report.outline import outline
from clm.report.words import load
from clm.settings import CohortSettings
from clm.stages.cohort import cohort, fitting_period
from tests.logs import transactions
from tests.report import samples

Shop = tuple[pl.DataFrame, dict[str, Any], pl.DataFrame]
LOG = transactions(
    ("a", "1", "2024-01-05", "10"), ("b", "2", "2024-01-09", "30"), ("a", "3", "2024-02-05", "5"), ("c", "4", "2024-02-07", "8"),
    ("b", "5", "2024-03-01", "2"), ("d", "6", "2024-02-02", "-4"),
)  # fmt: skip


def blocks(report: Outline, code: str) -> tuple[Any, ...]:
    return next(panel.blocks for panel in report.panels if panel.code == code)


def of_log(as_of: date = date(2024, 3, 10), period: str = "month") -> Outline:
    table = cohort(LOG.lazy(), CohortSettings(as_of=as_of, period=period)).frame.lazy().collect()
    people = samples.without(samples.customers(), "segment", "clv", "churn")
    return outline(metrics.compute(people, {}, cohorts=table), {}, "en")


def test_cohorts_show_what_was_lived() -> None:
    """Ahead is empty, running is starred, nobody is a true 0; the mean leaves the running month out."""
    [retention, revenue] = [block for block in blocks(of_log(), "cohorts") if isinstance(block, Heat)]
    assert retention.rows == ("Jan 2024 (2)", "Feb 2024 (1)", "Mean")
    assert [[cell.text for cell in row] for row in retention.cells] == [
        ["100%", "50%", "50%*"],
        ["100%", "0%*", ""],
        ["100%", "50%", ""],
    ]
    assert [[cell.value for cell in row] for row in revenue.cells] == [[40, 5, 2], [8, 0, None]]


@pytest.mark.parametrize(("period", "name"), [("quarter", "Q1 2024 (3)"), ("year", "2024 (3)")])
def test_longer_periods_have_names(period: str, name: str) -> None:
    """Quarters and years are called as people call them."""
    [retention, *_] = [block for block in blocks(of_log(period=period), "cohorts") if isinstance(block, Heat)]
    assert retention.rows[0] == name


@pytest.mark.parametrize(
    ("first", "period"), [("2023-01-31", "month"), ("2022-12-31", "quarter"), ("2019-01-01", "quarter"), ("2018-12-31", "year")]
)
def test_the_period_follows_the_length_of_the_log(first: str, period: str) -> None:
    """Two years of months, six of quarters, then years."""
    assert fitting_period(date.fromisoformat(first), date(2024, 12, 31)) == period


def test_money_of_cohorts_adds_up_to_the_log(numbers: pl.DataFrame, shop: Shop) -> None:
    """All cells together are the log to the cent, returns of who never bought included."""
    cells = numbers.filter(section="cohorts", metric="revenue")
    assert round(math.fsum(cells["value"]), 4) == float(sum(shop[2]["amount"], Decimal(0)))
    new = Numbers(numbers).rows("cohorts", "customers")
    assert sum(row.value or 0 for row in new) == (shop[0]["orders"] > 0).sum()


def test_a_panel_without_data_says_why() -> None:
    """No tiers, no stages, no earlier table, no orders, no money by window: one sentence each."""
    bare = samples.customers().with_columns(pl.lit(None).cast(pl.Decimal(38, 4)).alias("spend_365d")).drop("lifecycle", "tier")
    report = outline(metrics.compute(bare, {}), {}, "en")
    for code, start in (
        ("tiers", "The table has no tiers"),
        ("lifecycle", "The table has no stages of life"),
        ("portfolio", "The portfolio needs"),
        ("migration", "Who moved between segments needs"),
        ("cohorts", "Cohorts need the orders"),
    ):
        [only] = blocks(report, code)
        assert isinstance(only, Paragraph)
        assert only.text.startswith(start)


def test_who_moved_is_a_matrix_and_a_list(numbers: pl.DataFrame, shop: Shop) -> None:
    """Rows are where they were, columns by number where they are; the moves name both ends."""
    found = blocks(outline(numbers, shop[1], "en"), "migration")
    [matrix] = [block for block in found if isinstance(block, Heat)]
    [moves] = [block for block in found if isinstance(block, Table)]
    assert matrix.rows == ("1 Champions", "2 Loyal", "3 new")
    assert matrix.columns == ("1", "4")
    assert "4 gone" in matrix.note
    assert {(row[0].text, row[1].text) for row in moves.rows} == {
        ("Loyal", "Champions"), ("new", "Champions"), ("Champions", "gone"),
    }  # fmt: skip


def test_tiers_stand_best_first(numbers: pl.DataFrame) -> None:
    """In the order of the tier file, which the footer tells."""
    assert Numbers(numbers).groups("tiers", ("customers",)) == ["A1", "B2"]


@pytest.mark.parametrize(
    ("amount", "english", "chinese"),
    [
        (None, "–", "–"), (0, "0", "0"), (9_999.4, "9,999", "9,999"), (12_345, "12.3k", "1.23万"), (299_060, "299k", "29.9万"),
        (-1_250_000, "−1.25M", "−125万"), (3.2e8, "320M", "3.20亿"), (5.5e13, "55,000B", "55.0万亿"),
    ],
)  # fmt: skip
def test_money_in_narrow_cells(amount: float | None, english: str, chinese: str) -> None:
    """Three digits from ten thousand on, in the units of the language."""
    assert load("en").brief(amount) == english
    assert load("zh").brief(amount) == chinese


def test_cohorts_of_few_are_merged_while_three_are_left() -> None:
    """Most cells of months hold fewer than five customers, of quarters not: quarters are told; one cohort compares with none."""
    days = [date(2024, month, 1) for month in range(1, 10) for _ in range(2)]
    lines = pl.DataFrame({"customer_id": [f"c{n}" for n in range(18)], "order_id": [f"o{n}" for n in range(18)]}).with_columns(
        ordered_at=pl.Series(days).cast(pl.Datetime("us")), amount=pl.lit(1, pl.Decimal(18, 4)), kind=pl.lit("sale")
    )

    def by(period: str) -> pl.DataFrame:
        return cohort(lines.lazy(), CohortSettings(period=period)).frame.lazy().collect()

    assert [cohort_numbers.fitting(by, "month", least)["cohort"][0] for least in (5, 2, 0)] == ["2024-Q1", "2024-01", "2024-01"]
    assert cohort_numbers.fitting(by, "quarter", 100)["cohort"][0] == "2024-Q1"
