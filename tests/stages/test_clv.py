"""`clv` on small invented logs: what it adds, what it refuses, and what it says of itself."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from clm.errors import DataError
from clm.outcome import Outcome
from clm.settings import ClvSettings
from clm.stages import snapshot
from clm.stages.clv import clv
from clm.tables import CLV_METHODS, CLV_STATUSES, CUSTOMERS
from clm.values import Horizon, horizon
from tests.logs import Line, transactions

COLUMNS = CUSTOMERS.needed("clv")
NUMBERS = [one.name for one in CUSTOMERS.of_stage("clv") if one.name in COLUMNS and one.dtype == "Float64"]
START = date(2020, 1, 1)
AS_OF = START + timedelta(days=500)
Amounts = Callable[[random.Random], str | None]  # one order's amount; the default has a level for each customer


def shop(customers: int, *, leave: float = 0.3, days: int = 500, amounts: Amounts | None = None, seed: int = 5) -> pl.DataFrame:
    """An invented shop: each customer has an own rate, and leaves after an order with chance `leave`."""
    dice = random.Random(seed)
    lines: list[Line] = []
    for number in range(customers):
        day, rate, order = float(dice.randrange(days)), dice.gammavariate(0.9, 1 / 40), 0
        level = 5.0 / dice.gammavariate(4.0, 0.1)
        while day <= days:
            paid = amounts(dice) if amounts else f"{level * dice.gammavariate(4.0, 0.25):.2f}"
            lines.append((f"c{number:04}", f"o{number}-{order}", str(START + timedelta(days=int(day))), paid))
            if dice.random() < leave:
                break
            day, order = day + 1 + dice.expovariate(rate + 1e-9), order + 1
    return transactions(*lines)


def one_time(customers: int) -> pl.DataFrame:
    return transactions(*((f"c{n:04}", f"o{n}", str(START + timedelta(days=n % 300)), "10.00") for n in range(customers)))


def made(log: pl.DataFrame, as_of: date = AS_OF, *, orders: bool = True, **settings: Any) -> Outcome:
    if isinstance(text := settings.get("horizon"), str):
        settings["horizon"] = horizon(text)
    customers = snapshot.take(log.lazy(), as_of)
    return clv(customers, log.lazy() if orders else None, ClvSettings(**settings), 0)


def frame(outcome: Outcome) -> pl.DataFrame:
    assert isinstance(outcome.frame, pl.DataFrame)
    return outcome.frame


def codes(outcome: Outcome) -> set[str]:
    return {notice.code for notice in outcome.warnings}


def check_contract(outcome: Outcome, customers: pl.DataFrame) -> None:
    """Same rows, the contract's types and codes, finite numbers of 0 or more, JSON without NaN."""
    told = frame(outcome)
    assert told.columns == [*customers.columns, *COLUMNS]
    assert told.select(customers.columns).equals(customers)
    for column in (one for one in CUSTOMERS.of_stage("clv") if one.name in COLUMNS):
        assert str(told.schema[column.name]) == column.dtype
    for name in NUMBERS:
        assert told[name].is_finite().fill_null(value=True).all()
        assert (told[name].fill_null(0.0) >= 0.0).all()
    assert (told["p_alive"].fill_null(0.0) <= 1.0).all()
    assert (told["clv_low"] <= told["clv_high"]).fill_null(value=True).all()
    assert set(told["clv_method"]) <= set(CLV_METHODS)
    assert set(told["clv_status"]) <= set(CLV_STATUSES)
    bought = told.filter(pl.col("orders") > 0)
    assert bought["expected_orders"].null_count() == 0
    assert "none" not in set(bought["clv_method"])
    json.dumps([outcome.metrics, outcome.learned], allow_nan=False)


def _negative(dice: random.Random) -> str | None:
    return f"{dice.uniform(-90, 40):.2f}"


LOGS: dict[str, pl.DataFrame] = {
    "no customer": transactions(),
    "one customer": transactions(("a", "1", "2020-03-01", "5.00")),
    "one customer, two days": transactions(("a", "1", "2020-03-01", "5.00"), ("a", "2", "2020-03-09", "5.00")),
    "all on the last day": transactions(*((f"c{n}", f"o{n}", str(AS_OF), "5.00") for n in range(150))),
    "all one-time buyers": one_time(300),
    "all the same": transactions(
        *((f"c{n}", f"o{n}-{day}", str(START + timedelta(days=day)), "10.00") for n in range(200) for day in (0, 30, 60, 490))
    ),
    "nobody bought": transactions(*((f"c{n}", f"o{n}", "2020-02-01", "-3.00") for n in range(5))),
    "spend all equal": shop(400, amounts=lambda _: "10.00"),
    "negative spend": shop(400, amounts=_negative),
    "only negative spend": shop(400, amounts=lambda _: "-5.00").with_columns(kind=pl.lit("sale")),
    "no spend": shop(400, amounts=lambda _: "0.00"),
    "huge spend": shop(400, amounts=lambda dice: f"{dice.randrange(1, 9)}0000000000000.00"),
    "no amounts": shop(400, amounts=lambda _: None),
    "some amounts": shop(400, amounts=lambda dice: None if dice.random() < 0.6 else "7.00"),
    "few customers": shop(60),
    "a shop": shop(500),
}


@pytest.mark.parametrize("orders", [True, False], ids=["orders", "alone"])
@pytest.mark.parametrize("text", ["12m", "1d", "3650d"])
@pytest.mark.parametrize("name", LOGS)
def test_every_base_gets_an_answer_without_nan(name: str, text: str, orders: bool) -> None:
    """Degenerate bases, a day and ten years ahead, tested or not: rows kept, finite numbers, a rung for every buyer."""
    log = LOGS[name]
    check_contract(made(log, horizon=text, orders=orders), snapshot.take(log.lazy(), AS_OF))


@pytest.mark.parametrize("orders", [True, False], ids=["orders", "alone"])
def test_an_as_of_far_after_the_log_is_answered(orders: bool) -> None:
    """Forty years of silence: nobody is expected to do much, and nothing overflows."""
    log = shop(400)
    outcome = made(log, date(2061, 1, 31), orders=orders)
    check_contract(outcome, snapshot.take(log.lazy(), date(2061, 1, 31)))
    assert outcome.metrics["totals"]["expected_orders"] < 100


def test_a_base_without_rows_has_the_columns() -> None:
    """0 customers: the contract's columns, every key of the metrics, and a closing line."""
    outcome = made(transactions())
    assert frame(outcome).height == 0
    assert set(COLUMNS) < set(frame(outcome).columns)
    assert outcome.closing == "0 customers"
    assert set(outcome.metrics) == set(made(shop(300)).metrics)


def test_customers_without_a_sale_stay_without_a_number() -> None:
    """Return-only customers: no_purchase, none, nulls, and they are no part of the totals."""
    log = pl.concat([shop(300), transactions(("zz", "r1", "2020-02-01", "-3.00"))])
    outcome = made(log)
    last = frame(outcome).row(-1, named=True)
    assert (last["customer_id"], last["clv_method"], last["clv_status"]) == ("zz", "none", "no_purchase")
    assert all(last[name] is None for name in [*NUMBERS, "next_order_on"])
    assert outcome.metrics["totals"]["customers"] == frame(outcome).height - 1
    assert outcome.closing.startswith("301 customers, 1 of them without a purchase, ")


def test_a_log_without_amounts_forecasts_orders_only() -> None:
    """Money is null, the status says no_amounts, expected orders and the test of orders are there."""
    outcome = made(LOGS["no amounts"])
    told = frame(outcome)
    assert set(told["clv_status"]) == {"no_amounts"}
    assert told.select("expected_spend", "clv", "clv_low", "clv_high").null_count().row(0) == (told.height,) * 4
    assert told["expected_orders"].min() >= 0  # type: ignore[operator]
    assert outcome.metrics["backtest"]
    assert outcome.metrics["backtest_spend"] == []
    assert outcome.metrics["totals"]["clv"] is None


def test_few_repeat_buyers_get_the_rate_and_no_model() -> None:
    """Fewer than 100 customers with a second day: no family in auto, the shrunken rate, the status says why."""
    outcome = made(LOGS["few customers"])
    told = frame(outcome)
    assert set(told["clv_method"]) == {"rate"}
    assert set(told["clv_status"]) == {"few_repeat_buyers"}
    assert outcome.metrics["model"] is None
    assert {"few_repeat_buyers", "not_validated"} <= codes(outcome)
    assert told["p_alive"].null_count() == told.height
    assert outcome.metrics["totals"]["backtest_error"] is None
    assert outcome.metrics["totals"]["expected_orders_low"] is None
    assert "no_interval" in codes(outcome)


@pytest.mark.parametrize("family", ["nbd", "bgnbd", "mbgnbd"])
def test_a_family_by_name_needs_repeat_buyers(family: str) -> None:
    """Asked for by name with fewer than 100: 65, with the number and what to do."""
    with pytest.raises(DataError, match="100 customers") as refused:
        made(LOGS["few customers"], model_family=family)
    assert refused.value.code == "few_repeat_buyers"
    assert "--model-family auto" in str(refused.value)


def test_below_500_repeat_buyers_a_warning_stands_beside_the_model() -> None:
    """A model, but rough: the notice has the number."""
    outcome = made(LOGS["a shop"])
    assert outcome.metrics["model"] is not None
    assert "few_repeat_buyers" in codes(outcome)


def test_all_one_time_buyers_get_the_mean_of_all() -> None:
    """Nobody ever came back: 0 for everybody without a false interval of 0 to 0, and the notice says it cannot be told."""
    outcome = made(LOGS["all one-time buyers"])
    told = frame(outcome)
    assert set(told["clv_method"]) == {"mean"}
    assert told["clv"].max() == 0.0
    assert told.select("clv_low", "clv_high").null_count().row(0) == (told.height,) * 2
    totals = outcome.metrics["totals"]
    assert [totals[f"{of}_{end}"] for of in ("clv", "expected_orders") for end in ("low", "high")] == [None] * 4
    said = next(notice.text for notice in outcome.warnings if notice.code == "few_repeat_buyers")
    assert said.startswith("nobody ordered on a second day: this log cannot tell")


@pytest.mark.parametrize("orders", [True, False], ids=["orders", "alone"])
def test_nine_days_of_log_promise_no_certainty_about_a_year(orders: bool) -> None:
    """A family fitted to nine days, a year ahead, nothing tested: numbers, no interval, and the reason; a week ahead has one."""
    dice = random.Random(4)
    lines = [(f"c{n:04}", f"o{n}-{d}", str(START + timedelta(days=d)), f"{dice.gammavariate(4, 5):.2f}")
             for n in range(400) for d in range(n % 3, 9) if dice.random() < 0.1 + (n % 8) / 20]  # fmt: skip
    log, as_of = transactions(*lines), START + timedelta(days=8)
    far, near = (made(log, as_of, horizon=text, orders=orders) for text in ("365d", "7d"))
    assert far.metrics["model"] is not None
    assert far.metrics["totals"]["expected_orders"] > 0
    assert far.metrics["totals"]["clv_low"] is None
    assert frame(far).select("clv_low", "clv_high").null_count().row(0) == (frame(far).height,) * 2
    said = [notice.text for notice in far.warnings if notice.code == "no_interval"]
    assert said == ["no interval: the forecast over 52 weeks is longer than the log of 9 days, and no test measured its error"]
    assert near.metrics["totals"]["backtest_error_from"] == "default"
    assert frame(near)["clv_low"].null_count() == 0
    assert "no_interval" not in codes(near)


def test_buyers_of_one_rate_are_forecast_by_a_model_without_spread() -> None:
    """Poisson buyers who never leave: NBD at the edge of its range, finite numbers, the one rate for everybody, tested."""
    dice = random.Random(6)
    lines: list[Line] = []
    for number in range(400):
        day = float(number % 20)
        while day <= 500:
            lines.append((f"c{number:04}", f"o{number}-{len(lines)}", str(START + timedelta(days=int(day))), "10.00"))
            day += 1 + dice.expovariate(1 / 29)
    log = transactions(*lines)
    outcome = made(log, horizon="90d")
    check_contract(outcome, snapshot.take(log.lazy(), AS_OF))
    assert frame(outcome)["expected_orders"].mean() == pytest.approx(3.0, rel=0.1)
    assert outcome.metrics["beats_best_baseline"]
    assert outcome.metrics["totals"]["backtest_error_from"] == "backtest"
    assert "not validated" not in outcome.closing


@pytest.mark.parametrize(("name", "code"), [("spend all equal", "spend_constant"), ("no spend", "few_spenders")])
def test_spend_that_fits_no_gamma_gamma_falls_to_the_shrunken_mean(name: str, code: str) -> None:
    """Equal and empty spend: the shrunken mean, a notice, and a status that is not ok."""
    outcome = made(LOGS[name])
    assert outcome.metrics["spend_method"] == "shrunken_mean"
    assert outcome.metrics["spend"] is None
    assert any(found in codes(outcome) for found in (code, "spend_degenerate"))
    assert outcome.metrics["status"] != "ok"


def test_who_spends_the_same_is_worth_the_same() -> None:
    """With every order worth 10, expected spend is ten times the expected orders."""
    told = frame(made(LOGS["spend all equal"]))
    assert told["expected_spend"].to_list() == pytest.approx([10 * value for value in told["expected_orders"]], rel=1e-6)


def test_the_horizon_is_calendar_time() -> None:
    """One month after 31 January is 29 February in 2024, twelve months after it 31 January 2025."""
    log = transactions(("a", "1", "2024-01-01", "5.00"), ("a", "2", "2024-01-11", "5.00"))
    for text, until, days in (("1m", "2024-02-29", 29), ("12m", "2025-01-31", 366), ("30d", "2024-03-01", 30)):
        outcome = made(log, date(2024, 1, 31), horizon=text)
        assert outcome.metrics["horizon"] == {"text": text, "until": until, "days": days}


def test_discounting_by_hand() -> None:
    """One customer, x = 1, T = 30: rate 1/30 a day for 31 + 28 days, 20 an order, two slices at their middles, margin 25 %.

    orders = 59 (1 + 1)/(30 + 30); clv = .25 · 20 · (1/30)(31 · 1.1^(-15.5/365) + 28 · 1.1^(-45/365)).
    """
    log = transactions(("a", "1", "2022-12-01", "20.00"), ("a", "2", "2022-12-21", "20.00"))
    outcome = made(log, date(2022, 12, 31), horizon="2m", annual_discount=0.10, margin=0.25)
    row = frame(outcome).row(0, named=True)
    assert outcome.metrics["horizon"]["days"] == 59
    assert row["expected_orders"] == pytest.approx(59 / 30)
    assert row["expected_spend"] == pytest.approx(20 * 59 / 30)
    assert row["clv"] == pytest.approx(0.25 * 20 / 30 * (31 * 0.99596076116 + 28 * 0.98831819822), rel=1e-9)


def test_no_discount_and_full_margin_leave_expected_spend() -> None:
    """At 0 % and 100 % the value is the expected spend; a higher rate can only lower it."""
    told = frame(made(LOGS["a shop"], annual_discount=0.0))
    assert told["clv"].to_list() == pytest.approx(told["expected_spend"].to_list(), rel=1e-9)
    dearer = frame(made(LOGS["a shop"], annual_discount=0.3))
    assert (dearer["clv"] < told["clv"]).all()


def test_the_next_order_is_the_first_day_it_is_likelier_than_not() -> None:
    """A customer expected often has an early day, after as_of and within three horizons; a rare one has none."""
    told = frame(made(LOGS["a shop"], horizon="3m")).sort("expected_orders")
    often, rare = told.row(-1, named=True), told.row(0, named=True)
    assert AS_OF < often["next_order_on"] <= AS_OF + timedelta(days=3 * 92)
    assert rare["next_order_on"] is None


def test_columns_received_are_kept_and_own_ones_replaced() -> None:
    """Extra columns stay as they are; valuing a valued table gives the same table."""
    log = LOGS["a shop"]
    customers = snapshot.take(log.lazy(), AS_OF).with_columns(note=pl.lit("kept"))
    once = clv(customers, log.lazy(), ClvSettings(), 0)
    assert frame(once).select(customers.columns).equals(customers)
    twice = clv(frame(once), log.lazy(), ClvSettings(), 0)
    assert frame(twice).equals(frame(once))
    assert twice.metrics == once.metrics


def test_the_order_of_rows_does_not_matter() -> None:
    """Shuffled customers and shuffled lines give every customer the same numbers, to the last bit, in the rows' own order."""
    log = LOGS["a shop"]
    customers = snapshot.take(log.lazy(), AS_OF)
    plain = clv(customers, log.lazy(), ClvSettings(), 0)
    shuffled = clv(
        customers.sample(fraction=1.0, shuffle=True, seed=3),
        log.sample(fraction=1.0, shuffle=True, seed=4).lazy(),
        ClvSettings(),
        0,
    )
    assert frame(shuffled).sort("customer_id").equals(frame(plain))
    assert shuffled.metrics == plain.metrics
    alone = clv(customers.sample(fraction=1.0, shuffle=True, seed=3), None, ClvSettings(), 0)
    assert frame(alone).sort("customer_id").equals(frame(clv(customers, None, ClvSettings(), 0)))


def test_the_same_seed_gives_the_same_bytes() -> None:
    """Twice the same call, twice the same table; another seed moves the intervals only."""
    first, second = made(LOGS["a shop"]), made(LOGS["a shop"])
    assert frame(first).equals(frame(second))
    assert json.dumps(first.metrics) == json.dumps(second.metrics)
    log = LOGS["a shop"]
    other = clv(snapshot.take(log.lazy(), AS_OF), log.lazy(), ClvSettings(), 1)
    assert frame(other).drop("clv_low", "clv_high").equals(frame(first).drop("clv_low", "clv_high"))
    assert not frame(other)["clv_high"].equals(frame(first)["clv_high"])


def test_the_future_changes_nothing() -> None:
    """Lines after as_of are counted and otherwise unseen, in the fit, the back-test and the forecast."""
    whole = shop(500, days=700)
    as_of = START + timedelta(days=450)
    known = whole.filter(pl.col("ordered_at").dt.date() <= as_of)
    with_future, without = made(whole, as_of), made(known, as_of)
    assert frame(with_future).equals(frame(without))
    assert with_future.metrics == without.metrics
    assert (with_future.rows.after_as_of, without.rows.after_as_of) == (whole.height - known.height, 0)


def test_a_part_of_the_customers_keeps_its_numbers() -> None:
    """With the orders, customers that are only there train too: a subset has the same rows, and its own totals."""
    log = LOGS["a shop"]
    customers = snapshot.take(log.lazy(), AS_OF)
    whole = clv(customers, log.lazy(), ClvSettings(), 0)
    some = clv(customers.head(120), log.lazy(), ClvSettings(), 0)
    assert frame(some).equals(frame(whole).head(120))
    assert some.metrics["totals"]["customers"] == 120
    assert some.metrics["totals"]["clv"] == pytest.approx(frame(whole).head(120)["clv"].sum())


def test_orders_that_lack_a_customer_are_refused() -> None:
    """A customer the orders do not know: 65, without the customer's name."""
    log = LOGS["a shop"]
    customers = snapshot.take(log.lazy(), AS_OF)
    with pytest.raises(DataError, match="1 customer of INPUT is not in the orders") as refused:
        clv(customers, log.filter(pl.col("customer_id") != "c0007").lazy(), ClvSettings(), 0)
    assert "c0007" not in str(refused.value)


@pytest.mark.parametrize("column", ["order_days", "spend"])
def test_orders_that_contradict_are_refused(column: str) -> None:
    """Other counts or other money than INPUT has: 65 names the column."""
    log = LOGS["a shop"]
    customers = snapshot.take(log.lazy(), AS_OF)
    changed = customers.with_columns(pl.when(pl.col("customer_id") == "c0003").then(pl.col(column) + 1).otherwise(pl.col(column)))
    with pytest.raises(DataError, match="contradict INPUT for 1 customer") as refused:
        clv(changed.cast({column: customers.schema[column]}), log.lazy(), ClvSettings(), 0)
    assert column in str(refused.value)


def test_two_days_in_one_table_are_refused() -> None:
    """Rows of different as_of cannot be forecast together."""
    log = LOGS["a shop"].lazy()
    mixed = pl.concat([snapshot.take(log, AS_OF).head(3), snapshot.take(log, AS_OF - timedelta(days=9)).tail(3)])
    with pytest.raises(DataError, match="2 days"):
        clv(mixed, None, ClvSettings(), 0)


def test_an_impossible_history_is_refused() -> None:
    """Repeats without time between them: 65 instead of a traceback."""
    customers = snapshot.take(LOGS["a shop"].lazy(), AS_OF).with_columns(active_days=pl.lit(0, pl.Int32))
    with pytest.raises(DataError, match="impossible history"):
        clv(customers, None, ClvSettings(), 0)


@pytest.mark.parametrize(
    ("as_of", "far"), [(AS_OF, Horizon(101, "y")), (AS_OF, Horizon(36500, "m")), (date(9998, 1, 1), Horizon(2, "y"))]
)
def test_a_horizon_that_leaves_the_calendar_is_refused(as_of: date, far: Horizon) -> None:
    """More than a century, or past the last day of the calendar: 65 with a remedy, not an overflow."""
    with pytest.raises(DataError, match="longer than a century"):
        made(LOGS["one customer"], as_of, horizon=far)


def test_without_orders_nothing_is_validated() -> None:
    """No log, no test: the words not validated, the status, and a default error of the total within the log's length."""
    outcome = made(shop(500, leave=0.35, seed=9), orders=False)
    assert outcome.metrics["backtest"] == []
    assert outcome.metrics["beats_best_baseline"] == {}
    assert "not_validated" in codes(outcome)
    assert set(frame(outcome)["clv_status"]) <= {"not_validated", "attrition_not_identified"}
    assert outcome.closing.endswith("not validated)")
    assert outcome.metrics["totals"]["backtest_error_from"] == "default"
    assert outcome.rows.after_as_of is None


def test_the_back_test_can_be_skipped() -> None:
    """--no-backtest equals no orders, and the notice says which it was."""
    log = LOGS["a shop"]
    skipped, alone = made(log, no_backtest=True), made(log, orders=False)
    assert frame(skipped).equals(frame(alone))
    assert any("--no-backtest" in notice.text for notice in skipped.warnings)


def test_a_log_too_short_to_test_says_so() -> None:
    """Seven weeks of log leave no origin with four weeks before and after it."""
    log = shop(900, days=50, leave=0.1)
    outcome = made(log, START + timedelta(days=50))
    assert outcome.metrics["backtest"] == []
    assert any(notice.code == "not_validated" and "7 weeks" in notice.text for notice in outcome.warnings)


def test_the_origins_of_the_back_test() -> None:
    """500 days of log: 119 days (a quarter in whole weeks), origins while as much remains before them, all baselines at each."""
    outcome = made(LOGS["a shop"])
    assert {row["horizon_days"] for row in outcome.metrics["backtest"]} == {119}
    first = snapshot.take(LOGS["a shop"].lazy(), AS_OF)["first_order_on"].min()
    origins = sorted({date.fromisoformat(row["origin"]) for row in outcome.metrics["backtest"]}, reverse=True)
    assert origins == [AS_OF - timedelta(days=119 * number) for number in range(1, len(origins) + 1)]
    assert 1 <= len(origins) <= 3
    assert (origins[-1] - first).days >= 119  # type: ignore[operator]
    for origin in origins:
        names = {row["name"] for row in outcome.metrics["backtest"] if row["origin"] == origin.isoformat()}
        assert {"zero", "mean", "rate", "last_period", "hiatus", "nbd"} <= names
    assert {"tested_shorter", "season_not_modelled"} <= codes(outcome)


def test_a_long_log_is_tested_over_the_horizon_itself() -> None:
    """Three horizons of log: the test is as long as the forecast, at no more than four origins, and no notice of it."""
    outcome = made(LOGS["a shop"], horizon="30d")
    assert {row["horizon_days"] for row in outcome.metrics["backtest"]} == {30}
    assert len({row["origin"] for row in outcome.metrics["backtest"]}) == 4
    assert "tested_shorter" not in codes(outcome)


def test_the_actuals_are_what_happened_after_the_origin() -> None:
    """Order days and net money in (origin, origin + h] of the customers known at the origin, counted from the lines."""
    log = pl.concat([shop(500), transactions(("c0001", "back", str(AS_OF - timedelta(days=20)), "-11.00"))])
    outcome = made(log)
    lines = log.with_columns(day=pl.col("ordered_at").dt.date())
    for row in outcome.metrics["backtest"]:
        origin = date.fromisoformat(row["origin"])
        known = lines.filter((pl.col("day") <= origin) & (pl.col("kind") == "sale"))["customer_id"].unique().implode()
        window = lines.filter(
            pl.col("customer_id").is_in(known),
            pl.col("day") > origin,
            pl.col("day") <= origin + timedelta(days=row["horizon_days"]),
        )
        assert row["actual_total"] == window.filter(pl.col("kind") == "sale").select("customer_id", "day").n_unique()
        assert row["customers"] == known.explode().len()
        money = next(
            one for one in outcome.metrics["backtest_spend"] if (one["origin"], one["name"]) == (row["origin"], row["name"])
        )
        assert Decimal(f"{money['actual_total']:.2f}") == window["amount"].sum()


def test_a_baseline_that_beats_every_model_is_used() -> None:
    """Customers on a fixed rhythm who stop for good: a naive forecast wins, makes the numbers, and is named everywhere."""
    lines: list[Line] = []
    for number in range(300):
        stop = 200 if number % 2 else 500
        lines += [
            (f"c{number:04}", f"o{number}-{day}", str(START + timedelta(days=day)), "10.00")
            for day in range(number % 10, stop, 10)
        ]
    outcome = made(transactions(*lines), horizon="3m")
    assert outcome.metrics["choice"]["reason"] == "baseline_better"
    assert outcome.metrics["method"] == outcome.metrics["choice"]["name"] == "hiatus"
    deviance = outcome.metrics["choice"]["mean_deviance"]
    assert deviance["hiatus"] == min(deviance.values())
    told = frame(outcome)
    assert set(told["clv_status"]) == {"baseline_better"}
    gone = told.filter(pl.col("recency_days") > 250)
    assert gone["expected_orders"].max() == 0.0
    days = outcome.metrics["horizon"]["days"]
    assert told.filter(pl.col("recency_days") < 9)["expected_orders"].mean() == pytest.approx(days / 10, rel=0.05)
    assert told["clv_low"].null_count() == told.height
    assert outcome.metrics["totals"]["clv_low"] <= outcome.metrics["totals"]["clv"] <= outcome.metrics["totals"]["clv_high"]
    assert "baseline_better" in codes(outcome)
    assert "hiatus beats every model" in outcome.closing


def test_one_enormous_customer_is_named_as_a_problem() -> None:
    """A customer with more than a tenth of all repeat days bends the parameters, and a notice says so."""
    extra = [("fake", f"f{day}", str(START + timedelta(days=day)), "1.00") for day in range(500)]
    outcome = made(pl.concat([LOGS["a shop"], transactions(*extra)]))
    assert "dominant_customer" in codes(outcome)


def test_a_log_that_starts_after_its_customers_is_told() -> None:
    """Most customers first seen in the first tenth of the log: ages are not what they seem."""
    lines = [
        (f"c{n:04}", f"o{n}-{k}", str(START + timedelta(days=n % 40 + k * (5 + n % 90))), "10.00")
        for n in range(200)
        for k in range(5)
    ]
    outcome = made(transactions(*lines), START + timedelta(days=450))
    said = next(notice.text for notice in outcome.warnings if notice.code == "log_starts_late")
    assert "many of them probably bought before it begins" in said
    assert "log_starts_late" not in codes(made(LOGS["a shop"]))
    few = [line for line in lines if line[0] < "c0029"]
    assert "log_starts_late" not in codes(made(transactions(*few), START + timedelta(days=450)))


def test_spend_that_grows_with_orders_is_told() -> None:
    """Gamma-Gamma assumes that frequency and spend go their own ways; correlation above .3 is a notice."""
    lines: list[Line] = []
    dice = random.Random(2)
    for number in range(400):
        repeats, level = 1 + number % 8, 5.0 / dice.gammavariate(4.0, 0.1)
        for order, day in enumerate(sorted(dice.sample(range(500), repeats + 1))):
            paid = level * (1 + repeats) * dice.gammavariate(4, 0.25)
            lines.append((f"c{number:04}", f"o{number}-{order}", str(START + timedelta(days=day)), f"{paid:.2f}"))
    outcome = made(transactions(*lines))
    assert outcome.metrics["spend"]["correlation"] > 0.3
    assert "spend_depends_on_orders" in codes(outcome)
    assert "shrunken_mean" in outcome.metrics["spend_choice"]["rmse"]
    assert "spend_depends_on_orders" not in codes(made(LOGS["a shop"]))


def test_the_first_purchase_can_be_part_of_the_spend() -> None:
    """--include-first fits Gamma-Gamma to every buyer with spend, not only to those who came back; auto asks the back-test."""
    without, with_first = (made(LOGS["a shop"], model_family="bgnbd", include_first=first) for first in (False, True))
    assert with_first.metrics["spend"]["customers"] > without.metrics["spend"]["customers"]
    assert with_first.metrics["model"] == without.metrics["model"]
    assert [one.metrics["spend_choice"]["reason"] for one in (without, with_first)] == ["asked", "asked"]
    chosen = made(LOGS["a shop"]).metrics["spend_choice"]
    assert chosen["reason"] == "backtest"
    assert chosen["way"] == min(chosen["rmse"], key=chosen["rmse"].__getitem__)
    assert set(chosen["rmse"]) == {"repeat_orders", "all_orders"}
    assert made(LOGS["a shop"], orders=False).metrics["spend_choice"]["way"] == "repeat_orders"


def test_what_was_learned_can_be_read_again() -> None:
    """The parameters for model.json are the records themselves."""
    from clm.models.btyd_params import BtydParams
    from clm.models.spend import SpendParams

    outcome = made(LOGS["a shop"])
    assert outcome.learned is not None
    read = json.loads(json.dumps(outcome.learned))
    assert BtydParams.from_json(read["btyd"]).family == outcome.metrics["method"]
    assert SpendParams.from_json(read["spend"]).customers == outcome.metrics["spend"]["customers"]


def test_deciles_are_those_of_the_forecast_that_is_used() -> None:
    """Tenths of the customers at the latest origin, highest forecast first, each with its mean outcome."""
    outcome = made(LOGS["a shop"])
    rows = outcome.metrics["deciles"]
    assert [row["decile"] for row in rows] == list(range(1, 11))
    latest = max(row["origin"] for row in outcome.metrics["backtest"])
    assert {row["origin"] for row in rows} == {latest}
    used = next(row for row in outcome.metrics["backtest"] if (row["origin"], row["name"]) == (latest, outcome.metrics["method"]))
    assert sum(row["customers"] for row in rows) == used["customers"]
    assert sum(row["predicted"] * row["customers"] for row in rows) == pytest.approx(used["predicted_total"])


def with_cost(log: pl.DataFrame, cost: Callable[[str], str | None]) -> pl.DataFrame:
    """The snapshot of a log with what the goods of each customer cost."""
    customers = snapshot.take(log.lazy(), AS_OF)
    known = [None if (told := cost(one)) is None else Decimal(told) for one in customers["customer_id"]]
    return customers.with_columns(cost=pl.Series(known, dtype=pl.Decimal(38, 4)))


def test_margins_come_from_costs() -> None:
    """Each value, its interval and the total are those of full margin times the customer's own share."""
    log = shop(300)
    customers = with_cost(log, lambda one: str(int(one[1:]) % 40))
    whole = clv(customers, log.lazy(), ClvSettings(), 0)
    margined = clv(customers, log.lazy(), ClvSettings(margin="cost"), 0)
    both = frame(whole).select("customer_id", "spend", "cost", "clv", "clv_high").join(
        frame(margined).select("customer_id", own="clv", own_high="clv_high"), on="customer_id"
    )  # fmt: skip
    base = float(1 - both["cost"].sum() / both["spend"].sum())
    mean = float(both["spend"].sum()) / both.height
    spend, cost = both["spend"].cast(float), both["cost"].cast(float)
    share = ((spend - cost + mean * base) / (spend + mean)).clip(0.0, 1.0)
    assert both["own"].to_list() == pytest.approx((both["clv"] * share).to_list())
    assert both["own_high"].to_list() == pytest.approx((both["clv_high"] * share).to_list())
    facts = margined.metrics["margin"]
    assert facts["from"] == "cost"
    assert facts["share"] == pytest.approx(base)
    assert "margin_not_used" in codes(whole)
    assert "margin_not_used" not in codes(margined)


def test_a_margin_from_costs_wants_costs() -> None:
    """A table without costs, or with none filled, is 65 with what to do."""
    log = shop(5)
    for customers in (snapshot.take(log.lazy(), AS_OF), with_cost(log, lambda one: None)):
        with pytest.raises(DataError, match="does not know what the goods cost"):
            clv(customers, None, ClvSettings(margin="cost"), 0)


def test_costs_known_on_some_lines_only_are_told() -> None:
    """Who has lines with and lines without a cost is counted, by the lines up to the day; with every cost known, nobody is."""
    log = shop(300)
    customers = with_cost(log, lambda one: "1")
    often = log.group_by("customer_id").len().filter(pl.col("len") > 1)["customer_id"].sort().head(2)
    first = (pl.int_range(pl.len()).over("customer_id") == 0) & pl.col("customer_id").is_in(often.to_list())
    mixed = log.with_columns(cost=pl.when(~first).then(pl.lit(Decimal(1))))
    outcome = clv(customers, mixed.lazy(), ClvSettings(margin="cost", no_backtest=True), 0)
    told = [notice.text for notice in outcome.warnings if notice.code == "cost_partly_known"]
    assert [text.split(" with ")[0] for text in told] == ["2 customers"]
    every = log.with_columns(cost=pl.lit(Decimal(1)))
    assert "cost_partly_known" not in codes(clv(customers, every.lazy(), ClvSettings(margin="cost", no_backtest=True), 0))
