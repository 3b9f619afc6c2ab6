"""The numbers of the report: right, exact, in the contract, absent rather than wrong."""

from __future__ import annotations

import math
import random
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from clm import tables
from clm.report import metrics
from clm.report.customer_numbers import ratio
from clm.report.numbers import NAMES, Numbers, Sheet, finite
from tests.report import samples

Shop = tuple[pl.DataFrame, dict[str, Any], pl.DataFrame]


def value(numbers: pl.DataFrame, section: str, metric: str, group: str | None = None, period: str | None = None) -> float | None:
    look = Numbers(numbers)
    once = len(look.rows(section, metric)) == 1
    return look.single_value(section, metric) if once and group is period is None else look.value(section, metric, group, period)


def test_the_frame_keeps_the_contract(numbers: pl.DataFrame) -> None:
    """METRICS has exactly its columns and types, declared names and units, and neither NaN nor infinity."""
    assert numbers.columns == tables.METRICS.names()
    assert [str(kind) for kind in numbers.dtypes] == [column.dtype for column in tables.METRICS.columns]
    declared = {(name.section, name.metric): name.unit for name in NAMES}
    for section, metric, unit in numbers.select("section", "metric", "unit").unique().iter_rows():
        assert declared[section, metric] == unit
    for column in ("value", "lower", "upper"):
        assert numbers[column].drop_nulls().is_finite().all()
    assert numbers["as_of"].unique().to_list() == [samples.AS_OF]


def test_names_are_unique_and_rows_are_too(numbers: pl.DataFrame) -> None:
    """No name is declared twice, and no number stands twice under one name, group and period."""
    assert len({(name.section, name.metric) for name in NAMES}) == len(NAMES)
    assert not numbers.select("section", "metric", "group", "period").is_duplicated().any()


def test_every_declared_number_is_made_from_full_facts(numbers: pl.DataFrame) -> None:
    """A shop with every stage and every fact fills every name."""
    made = set(numbers.select("section", "metric").iter_rows())
    assert {(name.section, name.metric) for name in NAMES} - made == set()


def test_overview_counts_by_hand() -> None:
    """Three buyers and one who only returned: counts, net revenue, average order, repeat and active as defined."""
    lines = samples.log().filter(pl.col("customer_id").is_in(["c001", "c002", "c003", "z1"]))
    people = samples.customers(lines)
    numbers = metrics.compute(people, {})
    bought = people.filter(pl.col("orders") > 0)
    net = sum(lines["amount"].to_list(), Decimal(0))
    orders = lines.filter(pl.col("kind") == "sale")["order_id"].n_unique()
    assert value(numbers, "overview", "customers") == 4
    assert value(numbers, "overview", "buyers") == 3
    assert value(numbers, "overview", "no_purchase") == 1
    assert value(numbers, "overview", "orders") == orders
    assert value(numbers, "overview", "net_revenue") == float(net)
    assert value(numbers, "overview", "average_order") == pytest.approx(float(net) / orders)
    assert value(numbers, "overview", "repeat_rate") == (bought["order_days"] > 1).sum() / 3
    assert value(numbers, "overview", "active_customers") == (bought["recency_days"] < 90).sum()


def test_active_means_the_last_ninety_days() -> None:
    """89 days of silence are active, 90 are not."""
    people = samples.customers().filter(pl.col("orders") > 0).head(2)
    people = people.with_columns(recency_days=pl.Series([89, 90], dtype=pl.Int32))
    assert value(metrics.compute(people, {}), "overview", "active_customers") == 1


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10**9))
def test_the_order_of_rows_does_not_matter(seed: int) -> None:
    """Shuffled customers and shuffled orders give the same frame, to the last bit."""
    dice = random.Random(seed)
    orders = samples.log()
    people = samples.customers(orders)
    mixed_orders, mixed = list(range(orders.height)), list(range(people.height))
    dice.shuffle(mixed_orders)
    dice.shuffle(mixed)
    facts = samples.facts(people)
    straight = metrics.compute(people, facts, orders.lazy())
    assert_frame_equal(metrics.compute(people[mixed], facts, orders[mixed_orders].lazy()), straight, check_exact=True)


def test_segments_and_grid_cover_everybody_once(shop: Shop, numbers: pl.DataFrame) -> None:
    """Segments add up to all customers and the grid to the buyers; shares of either are 1."""
    customers, _, _ = shop
    buyers = (customers["orders"] > 0).sum()

    def total(section: str, metric: str) -> float:
        chosen = numbers.filter((pl.col("section") == section) & (pl.col("metric") == metric))
        return math.fsum(chosen["value"].drop_nulls().to_list())

    assert total("segments", "customers") == customers.height
    assert total("rfm_grid", "customers") == buyers
    for section, metric in (
        ("segments", "customer_share"), ("segments", "revenue_share"), ("segments", "clv_share"), ("rfm_grid", "customer_share"),
    ):  # fmt: skip
        assert total(section, metric) == pytest.approx(1.0)
    assert total("segments", "clv") == pytest.approx(value(numbers, "clv", "clv") or 0.0)
    assert total("churn", "customers_by_risk") == buyers


def test_customers_without_a_purchase_are_counted_but_have_no_share(numbers: pl.DataFrame) -> None:
    """`no_purchase` stands last, with its number and its money and without shares, value or silence."""
    groups = Numbers(numbers).groups("segments", ("customers",))
    assert groups[-1] == tables.NO_PURCHASE
    assert value(numbers, "segments", "customers", tables.NO_PURCHASE) == 2
    assert value(numbers, "segments", "revenue", tables.NO_PURCHASE) == -25.0
    for metric in ("customer_share", "revenue_share", "mean_clv", "median_recency_days"):
        assert value(numbers, "segments", metric, tables.NO_PURCHASE) is None


def test_concentration_by_hand() -> None:
    """Ten equal buyers: the best tenth has a tenth; one who has all has all."""
    people = samples.customers().filter(pl.col("orders") > 0).head(10)
    equal = metrics.compute(people.with_columns(clv=pl.lit(5.0)), {})
    assert value(equal, "clv", "top_share_clv", "top_010") == pytest.approx(0.1)
    assert value(equal, "clv", "four_fifths_clv") == pytest.approx(0.8)
    one = metrics.compute(people.with_columns(clv=pl.Series([7.0, *[0.0] * 9])), {})
    assert value(one, "clv", "top_share_clv", "top_010") == 1.0
    assert value(one, "clv", "four_fifths_clv") == 0.1


def test_nothing_worth_has_no_concentration() -> None:
    """Where the whole is nothing or less, shares of it are absent, not 0 or infinite."""
    people = samples.customers().with_columns(clv=pl.lit(0.0), spend=pl.lit(Decimal(-5)).cast(pl.Decimal(38, 4)))
    numbers = metrics.compute(people, {})
    assert value(numbers, "clv", "top_share_clv", "top_010") is None
    assert value(numbers, "clv", "top_share_spend", "top_010") is None
    assert numbers.filter(pl.col("metric") == "revenue_share")["value"].drop_nulls().is_empty()


def test_intervals_come_from_the_footer_while_it_fits(shop: Shop) -> None:
    """The total keeps its interval; a table that no longer adds up to it loses the interval, not the number."""
    customers, facts, _ = shop
    row = Numbers(metrics.compute(customers, facts)).single("clv", "clv")
    assert row
    assert row.value
    assert (row.lower, row.upper) == (pytest.approx(row.value * 0.8), pytest.approx(row.value * 1.3))
    cut = Numbers(metrics.compute(customers.head(50), facts)).single("clv", "clv")
    assert cut
    assert cut.value
    assert (cut.lower, cut.upper) == (None, None)


def test_the_account_of_clean_is_told_and_checked(shop: Shop, numbers: pl.DataFrame) -> None:
    """Rows and money in = out + rejected + collapsed; a footer that does not add up is flagged."""
    customers, _, _ = shop
    assert value(numbers, "quality", "rows_rejected") == 38
    assert value(numbers, "quality", "rows_rejected", "no_customer") == 30
    assert value(numbers, "quality", "amount_rejected") == 3456.78
    assert value(numbers, "quality", "rejected_share") == 0.019
    assert value(numbers, "quality", "rows_after_as_of") == 3
    assert value(numbers, "quality", "rows_balanced") == 1
    assert value(numbers, "quality", "amount_balanced") == 1
    wrong = samples.facts(customers)
    wrong["ancestors"][1]["rows"]["out"] = 1961
    assert value(metrics.compute(customers, wrong), "quality", "rows_balanced") == 0


def test_the_backtest_is_told_by_origin_and_as_a_mean(numbers: pl.DataFrame) -> None:
    """Each origin keeps its score; the mean over the origins stands without a period; a score nobody made is absent."""
    look = Numbers(numbers)
    assert look.value("backtest", "bias", "model:mbgnbd", "2023-09-20+91d") == -0.08
    means = [row.value for row in look.rows("backtest", "bias") if row.group == "model:mbgnbd" and row.period is None]
    assert means == [pytest.approx(-0.07)]
    assert look.value("backtest", "spearman", "baseline:mean") is None
    assert look.value("backtest", "origins") == 2
    assert look.value("backtest", "beats_best_baseline", "gini") == 0


def test_the_profit_of_contacting_is_told_with_its_test(numbers: pl.DataFrame) -> None:
    """How many, what is expected, and for the list of the test day what it would have brought, whole and by share."""
    look = Numbers(numbers)
    assert (look.value("profit", "contacts"), look.value("profit", "expected")) == (60, 800)
    whole, tenth = (look.find("profit", "tested_realised", group, "2024-01-31") for group in (None, "top_010"))
    assert whole
    assert tenth
    assert (whole.value, whole.n, tenth.value, tenth.n) == (650, 55, 390, 20)
    assert look.value("profit", "risk_from", "high") == 0.7


def test_early_warnings_stand_under_the_day_they_are_since(numbers: pl.DataFrame) -> None:
    """New and known ones with their number, and what the new ones are worth."""
    look = Numbers(numbers)
    assert [(row.group, row.value, row.period, row.n) for row in look.rows("early_warning", "customers")] == [
        ("new", 12, "2024-02-29", 12),
        ("known", 7, "2024-02-29", 7),
    ]
    assert look.value("early_warning", "clv_of_new", None, "2024-02-29") == 345.6


def test_how_long_customers_stay_is_told_for_all_and_by_group(numbers: pl.DataFrame) -> None:
    """Median and retention with their intervals and the number at risk; an end nobody reached is null."""
    look = Numbers(numbers)
    median = look.find("survival", "median_days", "cohort:2023-01")
    assert median
    assert (median.value, median.lower, median.upper, median.n) == (90, 70, None, 90)
    kept = look.find("survival", "retention", "segment:loyal", "3m")
    assert kept
    assert (kept.value, kept.lower, kept.upper, kept.n) == (0.8, pytest.approx(0.7), pytest.approx(0.9), 50)
    assert look.value("survival", "customers") == 150
    assert look.periods("survival", "curve") == ["0m", "1m", "3m", "6m"]


def test_expected_lost_is_about_the_active(shop: Shop, numbers: pl.DataFrame) -> None:
    """The headline's number is the sum of probabilities of customers active in the last 90 days."""
    customers, _, _ = shop
    active = customers.filter((pl.col("orders") > 0) & (pl.col("recency_days") < 90))
    row = Numbers(numbers).single("overview", "expected_lost")
    assert row
    assert (row.n, row.period) == (active.height, "56d")
    assert row.value == math.fsum(active["churn_probability"].to_list())


@pytest.mark.parametrize("stages", [("churn",), ("clv", "churn"), ("segment", "clv", "churn")])
def test_a_table_may_come_from_any_stage(shop: Shop, stages: tuple[str, ...]) -> None:
    """Sections of stages that have not run are absent; the others are there."""
    customers, _, _ = shop
    numbers = metrics.compute(samples.without(customers, *stages), {})
    sections = set(numbers["section"].to_list())
    assert {"overview", "rfm_grid"} <= sections
    assert not sections & {"segments" if stage == "segment" else stage for stage in stages}


def test_logs_without_amounts_have_no_money(shop: Shop) -> None:
    """Null amounts are unknown: no revenue, no average, no value; never 0."""
    customers, _, orders = shop
    bare = [pl.lit(None).cast(kind).alias(name) for name, kind in customers.schema.items() if "spend" in name or name == "clv"]
    numbers = metrics.compute(
        customers.with_columns(bare).with_columns(returned_amount=pl.lit(None).cast(pl.Decimal(38, 4))),
        {},
        orders.with_columns(amount=pl.lit(None).cast(pl.Decimal(18, 4))).lazy(),
    )
    assert numbers.filter(pl.col("unit") == "money")["value"].drop_nulls().is_empty()
    assert value(numbers, "overview", "orders") is not None
    assert value(numbers, "revenue", "orders", "new", "2023-03") is not None


@pytest.mark.parametrize("rows", [0, 1])
def test_nobody_and_one(shop: Shop, rows: int) -> None:
    """No customer, and a single one, give finite numbers and no crash; what has no base is null."""
    customers, facts, orders = shop
    numbers = metrics.compute(customers.head(rows), facts, orders.lazy())
    assert value(numbers, "overview", "customers") == rows
    assert numbers["value"].drop_nulls().is_finite().all()
    if not rows:
        assert metrics.as_of(numbers) == samples.AS_OF
        assert value(numbers, "overview", "repeat_rate") is None
        assert value(numbers, "overview", "net_revenue") is None


_JUNK = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.floats() | st.text(max_size=8),
    lambda inside: st.lists(inside, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ["in", "out", "rejected", "collapsed", "name", "kind", "totals", "backtest", "deciles", "candidates", "family",
             "parameters", "horizon", "text", "days", "bin", "decile", "reliability", "chosen", "model", "gain", "share"]
        ),
        inside,
        max_size=5,
    ),
    max_leaves=15,
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(
    st.fixed_dictionaries(dict.fromkeys(("rows", "amount", "metrics", "settings", "warnings"), _JUNK)),
    st.sampled_from(("clean", "rfm", "clv", "churn")),
)
def test_foreign_facts_never_break_the_numbers(junk: dict[str, Any], stage: str) -> None:
    """Whatever shape a footer's facts have, numbers are made without them, finite and within the contract."""
    numbers = metrics.compute(_FEW, {"ancestors": [{"stage": stage, **junk}, 7, None], "stage": 3})
    assert numbers["value"].drop_nulls().is_finite().all()


_FEW = samples.customers().head(8)


def test_finite_and_ratio_refuse_what_is_no_number() -> None:
    """Booleans, text, NaN and infinity are not numbers; a share of nothing is not one either."""
    assert [finite(one) for one in (True, "1", math.nan, math.inf, None, 2, Decimal("2.5"))] == [None] * 5 + [2.0, 2.5]
    assert ratio(1.0, 0.0) is None
    assert ratio(1.0, -2.0) is None
    assert ratio(None, 2.0) is None
    assert ratio(Decimal(1), 4) == 0.25


def test_an_undeclared_name_is_a_bug() -> None:
    """A number cannot be added under a name the README does not list."""
    with pytest.raises(KeyError):
        Sheet().add("overview", "vibes", 1.0)


def test_a_row_is_found_by_exactly_its_period(numbers: pl.DataFrame) -> None:
    """Without a period the mean over the past days is meant, never the first day's row; a number that stands once says so."""
    look = Numbers(numbers)
    tests = samples.facts()["ancestors"][-1]["metrics"]["backtest"]
    for name, kind in (("mbgnbd", "model"), ("mean", "baseline")):
        biases = [test["bias"] for test in tests if test["name"] == name]
        assert len(biases) == 2
        assert look.value("backtest", "bias", f"{kind}:{name}") == pytest.approx(sum(biases) / 2)
    assert look.value("backtest", "bias", "model:mbgnbd", "2023-09-20+91d") == -0.08
    assert look.value("backtest", "bias", "model:mbgnbd", "1999-01-01+91d") is None
    assert look.value("clv", "clv") is None
    assert look.single_value("clv", "clv") == look.value("clv", "clv", None, "12m")
    assert look.single("clv", "nothing") is None
    with pytest.raises(LookupError, match=r"backtest\.bias"):
        look.single("backtest", "bias")
