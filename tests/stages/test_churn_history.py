"""The history of a log: every snapshot taken from it is the one `snapshot` and `behaviour` take from the lines."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clm.stages import behaviour
from clm.stages.churn import history, windows

START = date(2023, 1, 2)
SCHEMA = {
    "customer_id": pl.String,
    "order_id": pl.String,
    "ordered_at": pl.Datetime("us"),
    "amount": pl.Decimal(18, 4),
    "kind": pl.String,
    "product_id": pl.String,
}
LINES = st.lists(
    st.tuples(
        st.sampled_from("abcd"),
        st.integers(0, 12),
        st.integers(0, 200),
        st.integers(-900, 900),
        st.sampled_from(["sale", "sale", "return"]),
        st.sampled_from(["p", "q", "r", None]),
    ),
    min_size=1,
    max_size=40,
)


def _log(lines: list[tuple[str, int, int, int, str, str | None]]) -> pl.LazyFrame:
    late = datetime.combine(START, datetime.min.time()) + timedelta(hours=23)
    rows = [
        (who, f"{who}{order}{kind}", late + timedelta(days=day), Decimal(cents) / 100, kind, product)
        for who, order, day, cents, kind, product in lines
    ]  # fmt: skip
    return pl.DataFrame(rows, schema=SCHEMA, orient="row").lazy()


@given(LINES, st.integers(0, 220))
@settings(max_examples=60, deadline=None)
def test_a_snapshot_of_the_history_is_the_snapshot_of_the_log(lines, days: int) -> None:
    """For any lines and any day up to the history's own: days, orders sent back, money, gaps and products are the table's."""
    orders, on = _log(lines), START + timedelta(days=days)
    whole = history.read(orders, START + timedelta(days=220))
    mine = history.buyers(whole, on, 90)
    table = behaviour.take(orders, on).customers.collect().filter(pl.col("orders") > 0)
    assert whole.customers["customer_id"].gather(mine["customer"]).to_list() == table["customer_id"].to_list()
    same = ["recency_days", "active_days", "repeat_days", "order_days", "spend", "returned_amount", "returns"]
    for column in (*same, "last_gap_days", "longest_gap_days", "products"):
        assert mine[column].cast(pl.Float64).to_list() == table[column].cast(pl.Float64).to_list(), column
    assert mine["recent_spend"].cast(pl.Float64).to_list() == table["spend_90d"].cast(pl.Float64).to_list()
    habits = windows._habits(mine, whole)
    irregular = table["gap_sd_days"].fill_null(float("nan"))
    assert pl.Series(habits.gap_sd_days).to_list() == pytest.approx(irregular.to_list(), nan_ok=True)


@given(LINES, st.integers(0, 200))
@settings(max_examples=40, deadline=None)
def test_what_comes_later_changes_no_snapshot(lines, days: int) -> None:
    """A history that ends on the day and one that goes on tell the same of that day."""
    orders, on = _log(lines), START + timedelta(days=days)
    short, whole = history.read(orders, on), history.read(orders, START + timedelta(days=200))
    mine, theirs = (
        history.buyers(one, on, 30).with_columns(
            customer=one.customers["customer_id"].gather(history.buyers(one, on, 30)["customer"])
        )
        for one in (short, whole)
    )
    assert mine.equals(theirs)


def test_order_days_are_counted_by_horizons() -> None:
    """The last day of a horizon belongs to it; a refund's day and the day before the earlier horizon count nowhere."""
    days = [0, 10, 11, 40, 41, 70]
    log = _log([("a", n, day, 100, "sale", None) for n, day in enumerate(days)] + [("a", 99, 69, -100, "return", None)])
    found = history.buyers(history.read(log, START + timedelta(days=70)), START + timedelta(days=70), 30).row(0, named=True)
    assert (found["recent_order_days"], found["earlier_order_days"]) == (2, 2)
    assert (found["last_gap_days"], found["longest_gap_days"], found["products"]) == (29, 29, 0)


def test_who_ordered_between_is_told_by_sales_only() -> None:
    """The day after and the last day count, the day itself and refunds do not."""
    log = _log(
        [
            ("a", 1, 5, 1, "sale", None),
            ("b", 1, 6, 1, "sale", None),
            ("c", 1, 9, 1, "sale", None),
            ("d", 1, 7, -1, "return", None),
        ]
    )
    read = history.read(log, START + timedelta(days=30))
    found = history.ordered_between(read, START + timedelta(days=5), START + timedelta(days=9))
    assert read.customers["customer_id"].gather(found["customer"]).to_list() == ["b", "c"]


def test_gaps_are_the_snapshots() -> None:
    """The histogram of gaps is that of the snapshot's own reduce."""
    from clm.stages import snapshot

    log = _log(
        [("a", n, day, 1, "sale", "p") for n, day in enumerate([0, 3, 6, 20])]
        + [("b", 1, 3, 1, "sale", "p"), ("b", 2, 6, 1, "sale", "p")]
    )
    as_of = START + timedelta(days=10)
    assert history.read(log, as_of).gaps().equals(snapshot.gap_counts(log, as_of))


def test_a_log_without_products_or_amounts_says_so() -> None:
    """No product column, no products; one line without an amount, no money."""
    log = _log([("a", 1, 1, 5, "sale", "p"), ("a", 2, 9, 5, "sale", "p")])
    bare = history.read(
        log.drop("product_id").with_columns(amount=pl.when(pl.col("order_id") == "a1sale").then("amount")),
        START + timedelta(days=9),
    )
    assert (bare.money, bare.products) == (False, False)
    assert history.buyers(bare, START + timedelta(days=9), 30).height == 1
