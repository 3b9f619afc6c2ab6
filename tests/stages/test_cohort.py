"""`cohort`: cohorts by first order, lived periods only, counts and money that add up to the log."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clm.errors import DataError
from clm.settings import CohortSettings
from clm.stages.cohort import cohort
from clm.tables import COHORTS, MEMBERS
from tests.cleaning import clean_files
from tests.logs import Line, transactions

LOG = transactions(
    ("a", "1", "2024-01-05T10:00", "10"),
    ("a", "2", "2024-01-20T10:00", "5"),
    ("a", "3", "2024-03-02T10:00", "7"),
    ("b", "4", "2024-01-31T23:59", "20"),
    ("b", "5", "2024-02-10T10:00", "-8"),
    ("c", "6", "2024-02-01T10:00", "3"),
    ("d", "7", "2024-02-02T10:00", "-4"),
    ("e", "8", "2024-01-09T10:00", "-1"),
    ("e", "9", "2024-03-09T10:00", "9"),
    ("a", "10", "2024-03-21T10:00", "100"),
)


def made(log: pl.DataFrame = LOG, **settings: object) -> pl.DataFrame:
    settings = {"as_of": date(2024, 3, 20)} | settings
    outcome = cohort(log.lazy(), CohortSettings(**settings))  # type: ignore[arg-type]
    assert isinstance(outcome.frame, pl.DataFrame)
    return outcome.frame


def test_the_cells_of_a_small_log() -> None:
    """Two of January's customers, then one in March; a refund is money, no order; money before a first order has age below 0."""
    told = made().select("cohort", "period", "age", "customers", "customers_on_or_after", "orders", "revenue").rows()
    assert told == [
        ("2024-01", "2024-01", 0, 2, 2, 3, Decimal(35)),
        ("2024-01", "2024-02", 1, 0, 1, 0, Decimal(-8)),
        ("2024-01", "2024-03", 2, 1, 1, 1, Decimal(7)),
        ("2024-02", "2024-02", 0, 1, 1, 1, Decimal(3)),
        ("2024-02", "2024-03", 1, 0, 0, 0, Decimal(0)),
        ("2024-03", "2024-01", -2, 0, None, 0, Decimal(-1)),
        ("2024-03", "2024-03", 0, 1, 1, 1, Decimal(9)),
        (None, "2024-02", None, 0, None, 0, Decimal(-4)),
    ]


@pytest.mark.parametrize(("as_of", "complete"), [("2024-03-30", False), ("2024-03-31", True)])
def test_a_running_period_is_marked(as_of: str, complete: bool) -> None:
    """A month is complete on its last day, not before."""
    found = made(as_of=date.fromisoformat(as_of)).filter(period="2024-03")["period_complete"]
    assert found.to_list() == [complete] * found.len()


def test_no_row_for_a_period_not_yet_lived() -> None:
    """The last period of every cohort is the one of as_of, not one later."""
    assert made()["period"].max() == "2024-03"
    assert made(as_of=date(2024, 1, 31))["period"].to_list() == ["2024-01", "2024-01"]


@pytest.mark.parametrize(
    ("period", "cohorts", "ages"),
    [
        ("week", ["2024-W01", "2024-W05", "2024-W10"], 11),
        ("quarter", ["2024-Q1"], 0),
        ("year", ["2024"], 0),
    ],
)
def test_other_lengths(period: str, cohorts: list[str], ages: int) -> None:
    """Weeks are ISO weeks; ages count periods of that length."""
    found = made(period=period)
    assert found["cohort"].drop_nulls().unique().sort().to_list() == cohorts
    assert found["age"].max() == ages


def test_groups_by_the_first_order_day() -> None:
    """A customer belongs to the channel of the first order day for good, ties to the smaller text; without one to none."""
    channels = ["web", "app", "shop", "web", "web", None, "app", "shop", "app", "web"]
    log = LOG.with_columns(pl.Series("channel", channels)).with_columns(pl.lit("x").alias("color"))
    members = made(log, by="channel", members=True)
    assert members.rows() == [
        ("a", "2024-01", "web", date(2024, 1, 5)),
        ("b", "2024-01", "web", date(2024, 1, 31)),
        ("c", "2024-02", None, date(2024, 2, 1)),
        ("d", None, None, None),
        ("e", "2024-03", "app", date(2024, 3, 9)),
    ]
    assert members.columns == MEMBERS.names()
    with pytest.raises(DataError, match="no text column colour") as refused:
        made(log, by="colour")
    assert "channel, color" in (refused.value.fix or "")


def test_margin_is_known_where_every_line_has_a_cost() -> None:
    """Revenue minus cost; a line without a cost leaves its cell without a margin, a log without costs all of them."""
    costs = pl.Series("cost", ["4", "1", None, "6", "0", "1", "0", "0", "2", "1"]).cast(pl.Decimal(18, 4))
    found = made(LOG.with_columns(costs))
    january = found.filter(cohort="2024-01")["margin"].to_list()
    assert january == [Decimal(24), Decimal(-8), None]
    assert made()["margin"].null_count() == made().height


def test_without_amounts_there_is_no_money() -> None:
    """A log of dates alone has counts; money is null, not 0."""
    found = made(transactions(("a", "1", "2024-01-05", None), ("a", "2", "2024-03-05", None)))
    assert found["customers"].to_list() == [1, 0, 1]
    assert found["revenue"].null_count() == 3


def test_nobody_and_returns_only() -> None:
    """An empty log of a named day has no cohorts; a log of returns alone has one row, without a cohort."""
    assert made(LOG.clear()).height == 0
    assert made(transactions(("a", "1", "2024-01-05", "-3"))).select("cohort", "customers", "revenue").rows() == [
        (None, 0, Decimal(-3))
    ]
    with pytest.raises(DataError, match="no last day"):
        made(LOG.clear(), as_of="last-day")


@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 200), st.integers(-50, 99)), min_size=1, max_size=40),
    st.sampled_from(["week", "month", "quarter", "year"]),
)
def test_cells_equal_a_count_by_hand(events: list[tuple[int, int, int]], period: str) -> None:
    """Against plain Python: who ordered in which period of which cohort, on or after it, and what it brought."""
    day = [date(2023, 11, 1) + timedelta(days=offset) for _, offset, _ in events]
    lines: list[Line] = [
        (f"c{customer}", f"o{place}", f"{day[place]}", f"{money}") for place, (customer, _, money) in enumerate(events)
    ]
    as_of = max(day)
    found = made(transactions(*lines), as_of=as_of, period=period)

    def name(of: date) -> str:
        quarter = f"{of.year}-Q{(of.month + 2) // 3}"
        return {"week": f"{of:%G-W%V}", "month": f"{of:%Y-%m}", "quarter": quarter, "year": f"{of:%Y}"}[period]

    sold: dict[str, list[date]] = defaultdict(list)
    for (customer, _, money), on in zip(events, day, strict=True):
        if money >= 0:
            sold[f"c{customer}"].append(on)
    cohort_of = {who: name(min(days)) for who, days in sold.items()}
    ends = {who: max(days) for who, days in sold.items()}
    for row in found.filter(pl.col("age") >= 0).iter_rows(named=True):
        own = [who for who, its in cohort_of.items() if its == row["cohort"]]
        inside = {who for who in own if row["period"] in {name(on) for on in sold[who]}}
        assert (row["cohort_customers"], row["customers"]) == (len(own), len(inside))
        assert row["customers_on_or_after"] == sum(name(ends[who]) >= row["period"] for who in own)
    assert found["revenue"].sum() == sum(money for _, _, money in events)
    assert found.filter(age=0)["customers"].sum() == len(sold)
    lived = {name(as_of - timedelta(days=back)) for back in range((as_of - min(day)).days + 1)}
    first = min(cohort_of.values(), default=None)
    assert first is None or set(found.filter(cohort=first, age=0)["period"]) | lived == lived
    assert found.columns == COHORTS.names()


def test_the_order_of_the_rows_is_nothing() -> None:
    """Shuffled lines give the same table."""
    assert made(LOG.sample(fraction=1.0, shuffle=True, seed=3)).equals(made())


def test_online_retail_adds_up(shared_data: Path, tmp_path: Path) -> None:
    """4,339 buyers are new once, 33 never bought, and all rows bring the 8,300,065.814 of the log."""
    log = clean_files([shared_data / "online-retail" / "online_retail.csv.gz"], tmp_path, review="none").rows
    outcome = cohort(log.lazy(), CohortSettings(by="country"))
    found = outcome.frame.lazy().collect()
    assert outcome.as_of == date(2011, 12, 9)
    assert found.filter(age=0)["customers"].sum() == 4_339
    assert outcome.metrics["customers"] == 4_372
    assert found["revenue"].sum() == Decimal("8300065.814")
    assert not found.filter(period="2011-12")["period_complete"].any()
