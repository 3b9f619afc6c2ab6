"""What customers cost and bring back: the README's example to the cent, the laws of the shares, payback, and what is missing."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from time import process_time
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clm import channels, periods
from clm.errors import DataError
from clm.outcome import Outcome, Rows
from clm.report import cost_lines, wrap
from clm.settings import ClvSettings, RfmSettings
from clm.stages import rfm
from clm.stages.clean.costs import SCHEMA
from clm.stages.clv import clv
from clm.stages.costs.margins import Margin
from clm.stages.costs.payback import NO_FULL_MONTH, NOT_YET, Lives, lives
from clm.stages.costs.returns import COLUMNS, with_costs
from clm.stages.costs.shares import SHARED, WHY, shares
from clm.values import horizon

MONEY = pl.Decimal(38, 4)
AS_OF = date(2024, 3, 31)


def lines(*rows: tuple[str, str | None, str | None, str | None]) -> pl.DataFrame:
    """(period, channel, acquisition, retention) as the file of costs is read, from line 2."""
    found = []
    for number, (period, channel, *money) in enumerate(rows, 2):
        one = periods.parse(period)
        key = None if channel is None else channels.key(channel)
        spent = [None if text is None else Decimal(text) for text in money]
        found.append((number, one.text, one.start, one.end, channel, key, *spent))
    return pl.DataFrame(found, schema=SCHEMA, orient="row")


def log(*rows: tuple[str, str, str | None, str | None], cost: str | None = None) -> pl.DataFrame:
    """TRANSACTIONS of (customer, day, amount, channel); `cost` is that of every line."""
    return pl.DataFrame(
        {
            "customer_id": [row[0] for row in rows],
            "order_id": [f"o{at}" for at in range(len(rows))],
            "ordered_at": [date.fromisoformat(row[1]) for row in rows],
            "amount": [None if row[2] is None else Decimal(row[2]) for row in rows],
            "kind": ["return" if row[2] is not None and row[2].startswith("-") else "sale" for row in rows],
            "channel": [row[3] for row in rows],
            "source_line": list(range(1, len(rows) + 1)),
            **({"cost": [Decimal(cost)] * len(rows)} if cost is not None else {}),
        },
        schema_overrides={
            "ordered_at": pl.Datetime("us"),
            "amount": pl.Decimal(18, 4),
            "cost": pl.Decimal(18, 4),
            "channel": pl.String,
            "customer_id": pl.String,
        },
    )


def made(orders: pl.DataFrame, costs: pl.DataFrame, as_of: date = AS_OF, *, alone: bool = False, **settings: Any) -> Outcome:
    """`rfm`, `clv`, then the costs."""
    asked = ClvSettings(horizon=horizon("60d"), annual_discount=0.0, **settings)
    customers = rfm.rfm(orders.lazy(), RfmSettings(as_of=as_of), rfm.Given(None, None)).frame.lazy().collect()
    given = None if alone else orders.lazy()
    return with_costs(clv(customers, given, asked, 0), costs, given, asked.margin)


def column(outcome: Outcome, name: str) -> dict[str, Any]:
    return dict(outcome.frame.lazy().select("customer_id", name).collect().iter_rows())


def group(outcome: Outcome, by: str, name: str | None = None) -> dict[str, Any]:
    rows = [outcome.metrics["costs"]["total"], *outcome.metrics["costs"]["groups"]]
    return next(row for row in rows if (row["by"], row["group"]) == (by, name))


def codes(outcome: Outcome) -> set[str]:
    return {notice.code for notice in outcome.warnings}


THREE = log(
    ("Ann", "2024-01-10", "100", "search"),
    ("Ben", "2024-01-30", "120", "search"),
    ("Ann", "2024-02-12", "140", "search"),
    ("Cho", "2024-02-19", "120", "mail"),
)
THREE_COSTS = lines(
    ("2024-01", "search", "120", "12"),
    ("2024-02", "search", "20", None),
    ("2024-02", "mail", "30", None),
    ("2024-02", None, None, "18"),
)


def test_three_customers_by_hand() -> None:
    """The README's example: every number can be checked with a pencil."""
    found = made(THREE, THREE_COSTS, date(2024, 2, 29), margin=0.4)
    assert column(found, "cac") == {"Ann": Decimal(60), "Ben": Decimal(60), "Cho": Decimal(30)}
    assert column(found, "retention_cost") == {"Ann": Decimal(12), "Ben": Decimal(12), "Cho": Decimal(6)}
    assert column(found, "margin_to_date") == {"Ann": Decimal(96), "Ben": Decimal(48), "Cho": Decimal(48)}
    assert column(found, "clv") == pytest.approx({"Ann": 48.0, "Ben": 16.0, "Cho": 24.0})
    assert column(found, "crv") == pytest.approx({"Ann": -12.0, "Ben": -44.0, "Cho": -6.0})
    assert column(found, "ltv_cac") == pytest.approx({"Ann": 0.8, "Ben": 16 / 60, "Cho": 0.8})
    assert column(found, "roi") == pytest.approx({"Ann": 1.0, "Ben": -8 / 72, "Cho": 1.0})
    total = group(found, "all")
    assert (total["acquisition"], total["acquisition_left"], total["retention"]) == ("150.0000", "20.0000", "30.0000")
    assert (total["cac"], total["roi_to_date"]) == (50.0, pytest.approx(12 / 180))
    assert total["roi"] == pytest.approx(100 / 180)
    assert group(found, "channel", "search")["payback_month"] == 1  # 44 < 60 in the first month, 44 + 28 in the second
    assert group(found, "cohort", "2024-02")["payback_month"] == 0
    assert group(found, "channel", "search")["acquisition_left"] == "20.0000"
    assert found.metrics["costs"]["account"]["acquisition"] == {
        "in": "170.0000", "shared": "150.0000", "no_new_customers": "20.0000",
    }  # fmt: skip
    assert found.closing.endswith("cac 50.00 over 3 customers, clv 0.59 times that")


def test_money_on_nobody_is_told_with_its_reason() -> None:
    """Outside the log, unknown channels, periods without new customers: each with its money, and the account adds up."""
    costs = lines(
        ("2023-12", "search", "1", "2"),
        ("2024-05", "search", "4", "8"),
        ("2024-01", "radio", "16", "32"),
        ("2024-03", "search", "64", "128"),
        ("2024-01", "mail", "256", "512"),
    )
    account = made(THREE, costs).metrics["costs"]["account"]
    assert account["acquisition"] == {
        "in": "341.0000", "shared": "0.0000", "before_log": "1.0000", "after_as_of": "4.0000", "unknown_channel": "16.0000",
        "no_new_customers": "320.0000",
    }  # fmt: skip
    assert account["retention"] == {
        "in": "682.0000", "shared": "128.0000", "before_log": "2.0000", "after_as_of": "8.0000", "unknown_channel": "32.0000",
        "nobody_yet": "512.0000",
    }  # fmt: skip
    found = made(THREE, costs)
    assert {"costs_left", "costs_channels", "no_cac"} <= codes(found)
    said = next(notice.text for notice in found.warnings if notice.code == "costs_left")
    assert said.startswith("341.00 of 341.00 acquisition spend is nobody's: 1.00 in periods before the log begins, ")


def test_no_cost_is_null_and_not_nothing() -> None:
    """Before, after and beside what the costs name there is no cac; a stated 0 is a cac of 0 without ratios."""
    found = made(THREE, lines(("2024-02", "mail", "0", None)))
    assert column(found, "cac") == {"Ann": None, "Ben": None, "Cho": Decimal(0)}
    assert column(found, "crv")["Cho"] == column(found, "clv")["Cho"]
    assert (column(found, "ltv_cac")["Cho"], column(found, "roi")["Cho"]) == (None, None)
    assert found.metrics["costs"]["left_out"]["reasons"] == {"before_costs": 2}
    assert group(found, "channel", "mail")["roi_reason"] == "no_cost"
    assert group(found, "channel", "search")["roi_reason"] == "no_cac"
    reasons = made(THREE, lines(("2024-01", "mail", "5", None), ("2024-03", "search", "5", None))).metrics["costs"]["left_out"]
    assert reasons["reasons"] == {"not_stated": 3}


def test_a_log_without_channels_shares_every_line() -> None:
    """All customers of a period share what was spent in it, on whatever channel, and that is said."""
    orders = THREE.with_columns(channel=pl.lit(None, pl.String))
    found = made(orders, THREE_COSTS, date(2024, 2, 29))
    assert column(found, "cac") == {"Ann": Decimal(60), "Ben": Decimal(60), "Cho": Decimal(50)}
    assert "costs_no_channels" in codes(found)
    assert all(row["by"] != "channel" for row in found.metrics["costs"]["groups"])


def test_a_running_period_is_said() -> None:
    """Spend of a month that is not over is shared by who came so far."""
    found = made(THREE, lines(("2024-02", None, "30", "9")), date(2024, 2, 20))
    assert column(found, "cac")["Cho"] == Decimal(30)
    said = next(notice.text for notice in found.warnings if notice.code == "costs_running")
    assert said.startswith("2024-02 is not over on 2024-02-20")


def test_without_amounts_there_is_a_cac_and_no_return() -> None:
    """A log without money: what customers cost is known, what they bring is not."""
    orders = THREE.with_columns(amount=pl.lit(None, pl.Decimal(18, 4)))
    found = made(orders, THREE_COSTS)
    assert column(found, "cac")["Cho"] == Decimal(30)
    assert set(column(found, "crv").values()) == set(column(found, "margin_to_date").values()) == {None}
    total = group(found, "all")
    assert (total["roi"], total["roi_reason"], total["payback_reason"]) == (None, "no_amounts", "no_amounts")


def test_without_customers() -> None:
    """An empty table keeps its columns; all the money is nobody's."""
    nobody = THREE.clear()
    asked = ClvSettings()
    customers = rfm.rfm(nobody.lazy(), RfmSettings(as_of=AS_OF), rfm.Given(None, None)).frame.lazy().collect()
    found = with_costs(clv(customers, None, asked, 0), THREE_COSTS, None, asked.margin)
    assert set(COLUMNS) <= set(found.frame.lazy().collect_schema().names())
    assert found.metrics["costs"]["account"]["acquisition"] == {"in": "170.0000", "shared": "0.0000", "no_customers": "170.0000"}
    assert found.closing == "0 customers, no cac for any of them"


def test_margin_from_costs_is_exact_for_the_past() -> None:
    """Paid less what the goods cost, returns too; the forecast alone is drawn to the base."""
    orders = log(("a", "2024-01-10", "100.10", "x"), ("a", "2024-02-10", "-20", "x"), ("b", "2024-01-12", "50", "x"), cost="7.05")
    found = made(orders, lines(("2024-01", None, "10", None)), margin="cost")
    assert column(found, "margin_to_date") == {"a": Decimal("66.00"), "b": Decimal("42.95")}


def test_a_carried_column_of_any_name_stays() -> None:
    """Columns somebody carried along pass through, whatever they are called."""
    first = made(THREE, THREE_COSTS)
    named = first.frame.lazy().collect().with_columns(without=pl.lit("x"), cohort=pl.lit("y"), channel=pl.lit("z"))
    found = with_costs(replace(first, frame=named), THREE_COSTS, None, 1.0).frame.lazy().collect()
    assert found.select("without", "cohort", "channel").unique().rows() == [("x", "y", "z")]
    assert found["cac"].to_list() == first.frame.lazy().collect()["cac"].to_list()


def test_part_of_the_customers_is_refused() -> None:
    """What was spent is shared by all who came: a filtered table would make each of its customers too dear."""
    asked = ClvSettings()
    customers = rfm.rfm(THREE.lazy(), RfmSettings(as_of=AS_OF), rfm.Given(None, None)).frame.lazy().collect()
    some = clv(customers.head(2), THREE.lazy(), asked, 0)
    with pytest.raises(DataError, match="2 of the 3 buyers"):
        with_costs(some, THREE_COSTS, THREE.lazy(), asked.margin)


def test_made_again_the_columns_are_replaced() -> None:
    """A table that has them already gets the new ones, in the same places."""
    first = made(THREE, THREE_COSTS)
    again = with_costs(first, THREE_COSTS.with_columns(pl.col("acquisition") * 2), THREE.lazy(), 1.0)
    assert first.frame.lazy().collect().columns == again.frame.lazy().collect().columns
    assert column(again, "cac")["Cho"] == Decimal(60)


def test_payback_counts_only_months_that_are_over() -> None:
    """Month k is the mean of those who have lived it: the young cohort is in month 0 alone, and nobody in the running month."""
    old, young = (24288, "x"), (24290, "x")  # January and March 2024
    earned = {old: {0: Decimal(20), 1: Decimal(8), 2: Decimal(40)}, young: {0: Decimal(40)}}
    several = Lives({old: (2, Decimal(60)), young: (2, Decimal(60))}, earned, 24290)
    whole = several.of()
    assert (whole.month, whole.months) == (2, 3)  # 60/4, + 8/2, + 40/2 = 39 against 30
    assert several.of(cohort=24288).month == 2
    late = several.of(cohort=24290)
    assert (late.month, late.missing, late.reason) == (None, Decimal(10), NOT_YET)
    assert replace(several, last=24289).of(cohort=24290).reason == NO_FULL_MONTH


@given(
    st.lists(
        st.tuples(st.sampled_from("abcd"), st.integers(0, 150), st.integers(-50, 100), st.sampled_from(["x", "y"])),
        min_size=1,
        max_size=25,
    ),
    st.integers(0, 160),
    st.sampled_from([0.35, "cost"]),
)
def test_payback_is_what_counting_by_hand_gives(rows: list[tuple[str, int, int, str]], days: int, margin: float | str) -> None:
    """Month by month and customer by customer, in plain Python: the same month, the same money missing."""
    first = date(2024, 1, 10)
    as_of = first + timedelta(days=days)
    told = [(name, str(first + timedelta(days=day)), str(paid), channel) for name, day, paid, channel in rows]
    orders = log(*told, cost="3.10")
    customers = rfm.rfm(orders.lazy(), RfmSettings(as_of=as_of), rfm.Given(None, None)).frame.lazy().collect()
    known = customers.filter(pl.col("orders") > 0).with_columns(
        channel=pl.col("first_channel"), cac=pl.lit(Decimal("20"), MONEY), cost_known=pl.lit(margin == "cost")
    )
    found = lives(known, orders.lazy(), as_of, Margin.of(customers, margin)).of()

    def month(day: date) -> int:
        return day.year * 12 + day.month

    last = month(as_of + timedelta(days=1)) - 1
    born = {name: month(day) for name, day in known.select("customer_id", "first_order_on").rows()}
    earned = {name: [Decimal(0)] * 12 for name in born}
    for name, day, paid, _ in told:
        if name in born and date.fromisoformat(day) <= as_of:
            left = Decimal(paid) - Decimal("3.10") if margin == "cost" else Decimal(paid) * Decimal("0.35")
            earned[name][max(0, month(date.fromisoformat(day)) - born[name])] += left
    total, expected = Fraction(0), None
    for at in range(12):
        lived = [name for name in born if born[name] + at <= last]
        if not lived or expected is not None:
            break
        total += Fraction(sum((earned[name][at] for name in lived), Decimal(0))) / len(lived)
        expected = at if total >= 20 else None
    assert found.month == expected
    if found.reason == NOT_YET:
        assert float(found.missing or 0) == pytest.approx(float(20 - total))


def test_the_table_fits_a_terminal() -> None:
    """The head, all, groups and what the columns mean, within 78 columns; a long name of a channel gives way."""
    name = "一个名字很长的渠道 " * 5
    orders = THREE.with_columns(pl.col("channel").replace({"mail": name}))
    costs = lines(("2024-01", "search", "120", None), ("2024-02", name, "30", None))
    told = cost_lines.lines(made(orders, costs).metrics["costs"])
    assert max(wrap.cells(line) for line in told) <= 78
    assert told[0].split()[:3] == ["buyers", "spent", "cac"]
    assert [line.split()[0] for line in told[1:8]] == ["all", "by", "2024-01", "2024-02", "by", "search", "一个名字很长的渠道"]


CENTS = st.decimals(0, 10**6, places=4)
CHANNELS = st.sampled_from([None, "web", "tv", "Tv "])


@st.composite
def shops(draw: st.DrawFn) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Buyers of six months and costs whose months do not overlap within a channel."""
    people = draw(st.lists(st.tuples(st.integers(0, 181), CHANNELS), max_size=25))
    start = date(2024, 1, 1)
    buyers = pl.DataFrame(
        {
            "customer_id": [f"c{at:02}" for at in range(len(people))],
            "first_order_on": [start + timedelta(days=day) for day, _ in people],
            "channel_key": [None if name is None else channels.key(name) for _, name in people],
        },
        schema={"customer_id": pl.String, "first_order_on": pl.Date, "channel_key": pl.String},
    )
    cells = draw(
        st.dictionaries(
            st.tuples(st.integers(0, 8), st.sampled_from([None, "web", "tv", "radio"])),
            st.tuples(st.one_of(st.none(), CENTS), st.one_of(st.none(), CENTS)),
            min_size=1,
            max_size=12,
        )
    )
    rows = [
        (f"{2023 + (11 + month) // 12}-{(11 + month) % 12 + 1:02}", name, *(None if one is None else str(one) for one in money))
        for (month, name), money in cells.items()
    ]
    return buyers, lines(*rows)


@given(shops(), st.integers(0, 200))
def test_no_money_is_lost(shop: tuple[pl.DataFrame, pl.DataFrame], days: int) -> None:
    """Σ cac and Σ retention_cost are the money shared; that and what is left are the file's; order of rows does not matter."""
    buyers, costs = shop
    buyers = buyers.filter(pl.col("first_order_on") <= date(2024, 1, 1) + timedelta(days=days))
    as_of = date(2024, 1, 1) + timedelta(days=days)
    found = shares(buyers, costs, as_of)
    for kind, name in (("acquisition", "cac"), ("retention", "retention_cost")):
        account = found.account(kind)
        assert account["in"] == sum(costs[kind].drop_nulls().to_list(), Decimal(0))
        assert account["in"] == sum(value for key, value in account.items() if key != "in")
        assert account[SHARED] == sum(found.customers[name].drop_nulls().to_list(), Decimal(0))
    assert (found.customers["cac"].is_null() == found.customers[WHY].is_not_null()).all()
    turned = shares(buyers.reverse(), costs.reverse(), as_of)
    assert turned.customers.equals(found.customers)


@given(shops())
def test_equal_customers_differ_by_a_remainder_at_most(shop: tuple[pl.DataFrame, pl.DataFrame]) -> None:
    """Who came on the same day through the same channel bears the same, but for a ten-thousandth of each line."""
    buyers, costs = shop
    found = shares(buyers, costs, date(2024, 6, 30)).customers.join(buyers, on="customer_id")
    for name in ("cac", "retention_cost"):
        spread = found.group_by("first_order_on", "channel_key").agg((pl.col(name).max() - pl.col(name).min()).alias("spread"))
        assert (spread["spread"].fill_null(0) <= Decimal("0.0001") * costs.height).all()


@given(st.lists(st.tuples(st.integers(0, 89), st.integers(0, 90), CENTS, CHANNELS), min_size=1, max_size=12), shops())
def test_groups_add_up_and_crv_is_clv_less_cac(rows: list[Any], shop: tuple[pl.DataFrame, pl.DataFrame]) -> None:
    """Cohorts, channels and tiers each sum to the total; crv + cac = clv for every customer with a cac."""
    table = pl.DataFrame(
        {
            "customer_id": [f"c{at:02}" for at in range(len(rows))],
            "as_of": [AS_OF] * len(rows),
            "first_order_on": [date(2024, 1, 1) + timedelta(days=row[0]) for row in rows],
            "orders": [1] * len(rows),
            "spend": [row[2] for row in rows],
            "first_channel": [row[3] for row in rows],
            "tier": ["gold" if row[1] > 45 else "basic" for row in rows],
            "clv": [float(row[1]) for row in rows],
        },
        schema_overrides={"spend": MONEY, "first_channel": pl.String},
    )
    found = with_costs(Outcome(table, Rows(len(rows), len(rows))), shop[1], None, 0.35)
    told = found.frame.lazy().collect().filter(pl.col("cac").is_not_null())
    assert told["crv"].to_list() == pytest.approx((told["clv"] - told["cac"].cast(float)).to_list())
    total = group(found, "all")
    for by in {row["by"] for row in found.metrics["costs"]["groups"]}:
        several = [row for row in found.metrics["costs"]["groups"] if row["by"] == by]
        for name in ("acquisition", "retention", "margin_to_date"):
            summed = sum((Decimal(row[name]) for row in several if row[name] is not None), Decimal(0))
            assert summed == Decimal(total[name] or 0)
        assert sum(row["customers"] for row in several) == total["customers"]
        assert sum(row["clv"] or 0.0 for row in several) == pytest.approx(total["clv"] or 0.0)


def test_a_million_customers_are_quick() -> None:
    """Three years of months and eight channels, shared among a million: seconds, not minutes."""
    number, names = pl.int_range(1_000_000), [f"ch{number}" for number in range(8)]
    buyers = pl.select(
        pl.format("c{}", number.cast(pl.String).str.zfill(7)).alias("customer_id"),
        (pl.lit(date(2021, 1, 1)) + pl.duration(days=number * 7919 % 1095)).alias("first_order_on"),
        pl.format("ch{}", number % 8).alias("channel_key"),
    )
    months = [f"{2021 + month // 12}-{month % 12 + 1:02}" for month in range(36)]
    costs = lines(*((month, name, "1234.56", "78.9") for month in months for name in [None, *names]))
    started = process_time()
    found = shares(buyers, costs, date(2023, 12, 31))
    assert process_time() - started < 20
    assert found.customers["cac"].sum() == found.account("acquisition")[SHARED]


def test_the_examples_files_are_the_example() -> None:
    """The shipped files of the README's example hold what is checked above."""
    folder = Path(__file__).parents[2] / "data"
    orders = pl.read_csv(folder / "three-orders.csv", infer_schema=False)
    assert orders.select("Customer ID", "Order Date", "Amount", "Channel").rows() == [
        (name, str(day.date()), str(int(amount)), channel)
        for name, day, amount, channel in THREE.select("customer_id", "ordered_at", "amount", "channel").rows()
    ]
