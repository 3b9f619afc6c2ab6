"""Revenue by month: exact to the cent, everybody new once, nothing from the future."""

from __future__ import annotations

import math
from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from clm import tables
from clm.report import metrics, order_numbers, page
from clm.report.blocks import Figure, Paragraph, Table
from clm.report.numbers import Numbers
from clm.report.outline import outline
from tests.report import samples

Shop = tuple[pl.DataFrame, dict[str, Any], pl.DataFrame]


def test_money_of_months_adds_up_to_the_log(shop: Shop, numbers: pl.DataFrame) -> None:
    """New, returning and those without a purchase together are the log's money to the cent, and so are its orders."""
    _, _, orders = shop
    months = numbers.filter((pl.col("section") == "revenue") & (pl.col("metric") == "revenue"))
    assert round(math.fsum(months["value"].to_list()), 4) == float(sum(orders["amount"].to_list(), Decimal(0)))
    counted = numbers.filter((pl.col("section") == "revenue") & (pl.col("metric") == "orders"))
    sold = orders.filter(pl.col("kind") == "sale")["order_id"].n_unique()
    assert counted.filter(pl.col("group").is_not_null())["value"].sum() == sold
    assert counted.filter(pl.col("group").is_null())["value"].sum() == sold


def test_returns_before_the_first_purchase_are_nobodys_revenue(shop: Shop) -> None:
    """A refund from before a customer's first month is money without a purchase, not of a returning customer."""
    customers, facts, orders = shop
    early = orders.filter((pl.col("customer_id") == "c001") & (pl.col("kind") == "sale")).head(1)
    early = early.with_columns(
        pl.col("ordered_at").dt.offset_by("-9mo"),
        order_id=pl.lit("early"),
        kind=pl.lit("return"),
        amount=pl.lit(Decimal("-7.77")),
    ).cast(orders.schema)
    numbers = metrics.compute(customers, facts, pl.concat([early, orders]).lazy())
    look = Numbers(numbers)
    month = look.periods("revenue", "month_complete")[0]
    assert month < "2023-01"
    assert look.value("revenue", "revenue", tables.NO_PURCHASE, month) == -7.77
    assert look.value("revenue", "revenue", "returning", month) == look.value("revenue", "revenue", "new", month) == 0
    assert look.value("revenue", "returning_share", None, month) is None
    money = math.fsum(row.value or 0.0 for row in look.rows("revenue", "revenue"))
    assert round(money, 4) == float(sum(orders["amount"].to_list(), Decimal("-7.77")))


def test_new_customers_of_all_months_are_the_buyers(shop: Shop, numbers: pl.DataFrame) -> None:
    """Everybody is new exactly once: in the month of the first sale."""
    customers, _, _ = shop
    new = numbers.filter((pl.col("section") == "revenue") & (pl.col("metric") == "customers") & (pl.col("group") == "new"))
    assert new["value"].sum() == (customers["orders"] > 0).sum()


def test_the_running_month_is_marked(numbers: pl.DataFrame) -> None:
    """December is not over on the 20th; every other month is."""
    flags = numbers.filter(pl.col("metric") == "month_complete")
    assert flags.filter(pl.col("value") == 0)["period"].to_list() == ["2023-12"]
    assert flags["period"].to_list() == [f"2023-{month:02d}" for month in range(1, 13)]


def test_orders_after_the_day_change_nothing(shop: Shop, numbers: pl.DataFrame) -> None:
    """The future is dropped before anything is counted."""
    customers, facts, orders = shop
    later = orders.tail(5).with_columns(pl.col("ordered_at").dt.offset_by("400d"))
    longer = pl.concat([orders, later])
    again = metrics.compute(customers, facts, longer.lazy(), samples.migration(), samples.cohorts(longer))
    assert_frame_equal(again, numbers)


def test_a_log_of_centuries_is_drawn_in_part(shop: Shop) -> None:
    """METRICS has every month; a figure shows the last ten years and says what it leaves out, instead of breaking the page."""
    customers, facts, orders = shop
    long_ago = orders.head(1).with_columns(pl.col("ordered_at").dt.offset_by("-200y"), order_id=pl.lit("old"))
    numbers = metrics.compute(customers, facts, pl.concat([long_ago, orders]).lazy())
    months = Numbers(numbers).periods("revenue", "month_complete")
    assert len(months) > 2400
    page_text = page.render(numbers, facts, "en")
    assert f"The {len(months) - 120:,} months before" in page_text
    assert len(page_text) < 400_000


def _firsts(*days: str) -> pl.DataFrame:
    return pl.DataFrame({"first_order_on": list(map(date.fromisoformat, days))}, schema={"first_order_on": pl.Date})


def test_few_new_customers_a_month_are_told_by_quarter() -> None:
    """Two new in each of nine months: six a quarter; five a month stay months, two quarters are too few, nobody is in months."""
    slow = _firsts(*(f"2023-{month:02d}-05" for month in range(1, 10) for _ in range(2)))
    assert order_numbers.split_of(slow, samples.AS_OF, 5) == "quarter"
    assert order_numbers.split_of(slow, samples.AS_OF, 2) == order_numbers.split_of(slow, samples.AS_OF, 0) == "month"
    assert order_numbers.split_of(slow.head(12), samples.AS_OF, 5) == "month"
    assert order_numbers.split_of(slow.clear(), samples.AS_OF, 5) == "month"
    thin = _firsts(*(f"{year}-{month:02d}-05" for year in (2020, 2021, 2022) for month in (1, 4, 7, 10) for _ in range(2)))
    assert order_numbers.split_of(thin, samples.AS_OF, 5) == "year"


def test_quarters_of_new_and_returning_make_the_months(shop: Shop) -> None:
    """By quarter the groups make the money and orders of its months to the cent, and everybody is new once."""
    customers, facts, orders = shop
    look = Numbers(metrics.compute(customers, facts, orders.lazy(), split="quarter"))
    months, quarters = look.periods("revenue", "month_complete"), look.periods("revenue", "customers")
    assert quarters == ["2023-Q1", "2023-Q2", "2023-Q3", "2023-Q4"]
    for place, quarter in enumerate(quarters):
        inside = months[3 * place : 3 * place + 3]
        for total, part in (("revenue_of_buyers", "revenue"), ("orders", "orders")):
            told = [look.value("revenue", part, group, quarter) or 0.0 for group in ("new", "returning")]
            whole = [look.value("revenue", total, None, month) or 0.0 for month in inside]
            assert round(math.fsum(told), 4) == round(math.fsum(whole), 4)
    new = [look.value("revenue", "customers", "new", quarter) or 0.0 for quarter in quarters]
    assert sum(new) == customers["first_order_on"].drop_nulls().len()
    money = math.fsum(row.value or 0.0 for row in look.rows("revenue", "revenue"))
    assert round(money, 4) == float(sum(orders["amount"].to_list(), Decimal(0)))


@pytest.mark.parametrize(("lang", "said"), [("en", "by quarter"), ("zh", "按季度")])
def test_quarters_stand_under_the_bars_of_months(shop: Shop, lang: str, said: str) -> None:
    """The figure keeps its months, one bar for all customers; the table below has the quarters, the last one running."""
    customers, facts, orders = shop
    numbers = metrics.compute(customers, facts, orders.lazy(), min_cell=5, split="quarter")
    panel = next(one for one in outline(numbers, facts, lang).panels if one.code == "revenue")
    lead, figure, table = panel.blocks
    assert isinstance(lead, Paragraph)
    assert said in lead.text
    assert isinstance(figure, Figure)
    assert [mark.series for mark in figure.marks] == ["all"] * 12
    assert [mark.faint for mark in figure.marks] == [False] * 11 + [True]
    assert isinstance(table, Table)
    assert len(table.rows) == 4
    running = "(running)" if lang == "en" else "（未结束）"
    assert [running in row[0].text for row in table.rows] == [False, False, False, True]
