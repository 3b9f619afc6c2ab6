"""The snapshot: what one customer's lines become, and the laws it keeps."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from math import log
from pathlib import Path

import narwhals as nw
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from clm.errors import DataError
from clm.stages import agreement, snapshot
from tests.logs import Line, transactions
from tests.plans import assert_streams

AS_OF = date(2024, 12, 31)


def one(*lines: Line, as_of: date = AS_OF) -> dict[str, object]:
    return snapshot.take(transactions(*lines).lazy(), as_of).row(0, named=True)


def test_one_customer_by_hand() -> None:
    """Three order days, two orders on one of them, give the numbers a person counts on a calendar."""
    row = one(
        ("A", "1", "2024-01-01T09:00", "10.00"),
        ("A", "1", "2024-01-01T09:00", "2.50"),
        ("A", "2", "2024-01-01T18:00", "5.00"),
        ("A", "3", "2024-01-11T12:00", "7.25"),
        ("A", "4", "2024-03-01T12:00", "0.25"),
    )
    assert row == {
        "customer_id": "A",
        "as_of": AS_OF,
        "first_order_on": date(2024, 1, 1),
        "last_order_on": date(2024, 3, 1),
        "orders": 4,
        "order_days": 3,
        "recency_days": 305,
        "age_days": 365,
        "active_days": 60,
        "repeat_days": 2,
        "spend": Decimal("25.0000"),
        "repeat_spend": Decimal("7.5000"),
        "mean_repeat_spend": 3.75,
        "returns": 0,
        "returned_amount": Decimal("0.0000"),
        "log_gap_sum": pytest.approx(log(10) + log(50), abs=2e-9),
    }


def test_a_day_with_only_a_refund_is_no_purchase_day() -> None:
    """Refunds are netted into spend and counted, but make no order, no order day and no recency."""
    row = one(("A", "1", "2024-01-01", "10"), ("A", "R1", "2024-02-01", "-4"), ("A", "R2", "2024-02-02", "-1.5"))
    assert (row["orders"], row["order_days"], row["last_order_on"]) == (1, 1, date(2024, 1, 1))
    assert (row["returns"], row["returned_amount"], row["spend"]) == (2, Decimal("5.5"), Decimal("4.5"))
    assert (row["repeat_spend"], row["mean_repeat_spend"]) == (Decimal("-5.5"), None)


def test_a_customer_with_returns_only_is_kept() -> None:
    """Nobody is dropped: without a sale the counts are 0, dates and durations null."""
    row = one(("A", "R1", "2024-02-01", "-4"))
    assert (row["orders"], row["order_days"], row["returns"], row["spend"]) == (0, 0, 1, Decimal("-4"))
    assert [row[name] for name in ("first_order_on", "recency_days", "repeat_days", "repeat_spend", "log_gap_sum")] == [None] * 5


def test_a_zero_amount_order_is_a_visit_not_spend() -> None:
    """The published CDNOW fits count orders of amount 0 as purchase days."""
    row = one(("A", "1", "2024-01-01", "10"), ("A", "2", "2024-01-05", "0"))
    assert (row["order_days"], row["repeat_days"], row["repeat_spend"]) == (2, 1, Decimal("0"))


def test_without_amounts_money_is_null() -> None:
    """A log of dates only has customers with counts and durations and no money, not money 0."""
    row = one(("A", "1", "2024-01-01", None), ("A", "2", "2024-01-05", None))
    assert (row["orders"], row["active_days"]) == (2, 4)
    assert [row[name] for name in ("spend", "repeat_spend", "mean_repeat_spend", "returned_amount")] == [None] * 4


def test_an_empty_log_is_an_empty_table() -> None:
    """No lines, no customers, all columns with their types."""
    taken = snapshot.take(transactions().lazy(), AS_OF)
    assert taken.height == 0
    assert taken.schema["spend"] == pl.Decimal(38, 4)


def test_gaps_are_counted_over_order_days() -> None:
    """Two orders on one day make no gap; a refund day makes none either."""
    lines = transactions(
        ("A", "1", "2024-01-01", "1"),
        ("A", "2", "2024-01-01", "1"),
        ("A", "3", "2024-01-08", "1"),
        ("A", "R", "2024-01-09", "-1"),
        ("B", "4", "2024-01-03", "1"),
        ("B", "5", "2024-01-10", "1"),
        ("B", "6", "2024-01-11", "1"),
    )
    assert snapshot.gap_counts(lines.lazy(), AS_OF).rows() == [(1, 1), (7, 2)]


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ("last-day", date(2024, 5, 17)),
        ("month-end", date(2024, 4, 30)),
        (date(2023, 1, 1), date(2023, 1, 1)),
    ],
)
def test_as_of(setting: date | str, expected: date) -> None:
    """The last day is the log's own, the last complete month's end, or the one named."""
    assert snapshot.resolve_as_of(date(2024, 5, 17), setting) == expected


def test_month_end_of_a_log_that_ends_on_one_is_that_day() -> None:
    """A complete last month counts."""
    assert snapshot.resolve_as_of(date(2024, 2, 29), "month-end") == date(2024, 2, 29)
    assert snapshot.resolve_as_of(date.max, "month-end") == date.max


def test_an_empty_log_has_no_last_day() -> None:
    """The question is answered with the flag to type."""
    with pytest.raises(DataError, match="no rows") as raised:
        snapshot.resolve_as_of(None, "last-day")
    assert "--as-of" in str(raised.value.fix)


@pytest.mark.parametrize(
    ("column", "value"), [("active_days", 0), ("repeat_days", 0), ("repeat_days", 99), ("age_days", 3), ("active_days", -1)]
)
def test_an_impossible_history_is_refused(column: str, value: int) -> None:
    """Repeats without time between them, more repeats than days, a last order after today: 65 for clv and churn alike."""
    taken = snapshot.take(transactions(("A", "1", "2024-01-01", "1"), ("A", "2", "2024-02-01", "1")).lazy(), AS_OF)
    agreement.check_histories(taken)
    broken = taken.with_columns(pl.lit(value).cast(taken.schema[column]).alias(column))
    with pytest.raises(DataError, match="1 customer with an impossible history"):
        agreement.check_histories(broken)


def test_orders_must_be_the_ones_the_customers_came_from() -> None:
    """A customer the log lacks, or says something else of, is counted and the column named; nobody is told by id."""
    log = transactions(("A", "1", "2024-01-01", "1"), ("B", "2", "2024-02-01", "1"), ("B", "3", "2026-01-01", "1"))
    customers = snapshot.take(log.lazy(), AS_OF)
    found, later = agreement.reconciled(customers, log.lazy(), AS_OF)
    assert found.equals(customers)
    assert later == 1
    with pytest.raises(DataError, match="1 customer of INPUT is not in the orders"):
        agreement.reconciled(customers, log.head(1).lazy(), AS_OF)
    with pytest.raises(DataError, match="contradict INPUT for 1 customer") as raised:
        agreement.reconciled(customers.with_columns(spend=pl.lit(9).cast(pl.Decimal(38, 4))).tail(1), log.lazy(), AS_OF)
    assert raised.value.where == "column spend"


DAYS = st.integers(0, 400).map(lambda n: (datetime(2024, 1, 1) + timedelta(days=n)).isoformat())
LINES = st.lists(
    st.tuples(
        st.sampled_from("ABC"),
        st.sampled_from([str(n) for n in range(9)]),
        DAYS,
        st.integers(-9999, 9999).map(lambda n: f"{n / 100:.2f}"),
    ),
    min_size=1,
    max_size=30,
)


@given(LINES, st.randoms())
def test_row_order_is_irrelevant(lines: list[Line], random: object) -> None:
    """Shuffled lines give the same customers, to the last digit."""
    shuffled = list(lines)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert_frame_equal(snapshot.take(transactions(*lines).lazy(), AS_OF), snapshot.take(transactions(*shuffled).lazy(), AS_OF))


@given(LINES, st.integers(0, 400))
def test_the_future_is_irrelevant(lines: list[Line], day: int) -> None:
    """Lines after `as_of` change nothing: the snapshot of the log is the snapshot of its past."""
    as_of = date(2024, 1, 1) + timedelta(days=day)
    past = [line for line in lines if datetime.fromisoformat(line[2]).date() <= as_of]
    assert_frame_equal(snapshot.take(transactions(*lines).lazy(), as_of), snapshot.take(transactions(*past).lazy(), as_of))


@given(LINES)
def test_money_is_conserved(lines: list[Line]) -> None:
    """What customers spent adds up to what the lines say, exactly; and first-day money plus repeat money is all of it."""
    frame = transactions(*lines)
    taken = snapshot.take(frame.lazy(), date(2026, 1, 1))
    assert taken["spend"].sum() == frame["amount"].cast(pl.Decimal(38, 4)).sum()


@given(LINES)
def test_days_agree_with_the_calendar(lines: list[Line]) -> None:
    """Dates and durations equal those counted by hand in plain Python."""
    taken = snapshot.take(transactions(*lines).lazy(), AS_OF)
    for row in taken.iter_rows(named=True):
        days = sorted(
            {
                datetime.fromisoformat(when).date()
                for customer, _order, when, amount in lines
                if customer == row["customer_id"] and not amount.startswith("-") and datetime.fromisoformat(when).date() <= AS_OF
            }
        )
        assert row["order_days"] == len(days)
        if days:
            assert (row["first_order_on"], row["last_order_on"]) == (days[0], days[-1])
            assert (row["age_days"], row["active_days"]) == ((AS_OF - days[0]).days, (days[-1] - days[0]).days)


@pytest.fixture
def scanned(tmp_path: Path) -> pl.LazyFrame:
    """Orders in a file: a frame of one row in memory is known to be sorted, and gets another plan."""
    transactions(("B", "1", "2024-01-01", "1"), ("A", "2", "2024-01-01", "-1")).write_parquet(tmp_path / "orders.parquet")
    return pl.scan_parquet(tmp_path / "orders.parquet")


def test_the_reduce_streams(scanned: pl.LazyFrame) -> None:
    """No node of the plan holds the whole log in memory: the memory budget would be an empty promise."""
    assert_streams(snapshot.reduce(nw.from_native(scanned), AS_OF).to_native())


def test_a_plan_that_does_not_stream_is_seen(scanned: pl.LazyFrame) -> None:
    """Were the engine to give the nodes that gather a column other names, the tests of plans would be blind."""
    for gathers in (scanned.group_by("customer_id").agg(pl.col("amount").median()), scanned.select(pl.col("amount").rank())):
        with pytest.raises(AssertionError, match="gathers a whole column"):
            assert_streams(gathers)
