"""`churn` on literal logs and on the two real ones: statuses, refusals, laws, and the published figures."""

from __future__ import annotations

import gzip
import importlib.util
import io
import json
import random
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from clm.errors import DataError
from clm.models import classify_buyers, classify_fit
from clm.outcome import Outcome
from clm.settings import ChurnSettings
from clm.stages import behaviour, snapshot
from clm.stages.churn import churn, telling, windows
from clm.tables import CHURN_METHODS, CUSTOMERS
from clm.values import horizon

START = date(2023, 1, 2)
COLUMNS = CUSTOMERS.needed("churn")
SCHEMA = {
    "customer_id": pl.String,
    "order_id": pl.String,
    "ordered_at": pl.Datetime("us"),
    "amount": pl.Decimal(18, 4),
    "kind": pl.String,
}


def _log(lines: Iterable[tuple[str, int, str | None]]) -> pl.LazyFrame:
    """Order lines from (customer, day from START, amount; negative is a return)."""
    rows = [
        (
            who, f"{who}/{day}/{amount}", datetime.combine(START, datetime.min.time()) + timedelta(days=day, hours=9),
            None if amount is None else Decimal(amount), "return" if amount and amount.startswith("-") else "sale",
        )
        for who, day, amount in lines
    ]  # fmt: skip
    return pl.DataFrame(rows, schema=SCHEMA, orient="row").lazy()


def _shop(customers: int = 900, days: int = 420, seed: int = 7, amount: str | None = "10") -> list[tuple[str, int, str | None]]:
    """An invented shop: customers with their own rate, who leave after any order with a chance of one in eight."""
    dice = random.Random(seed)
    lines = []
    for number in range(customers):
        who, day, rate = f"c{number:05}", dice.randrange(days * 2 // 3), dice.gammavariate(1.2, 1 / 50)
        while day < days:
            lines.append((who, day, None if amount is None else str(dice.randrange(5, 90))))
            if dice.random() < 0.125:
                break
            day += 1 + int(dice.expovariate(rate))
    return lines


def _run(orders: pl.LazyFrame, as_of: date | None = None, *, seed: int = 0, **settings: Any) -> Outcome:
    as_of = as_of or snapshot.last_day(orders)
    assert as_of is not None
    return churn(snapshot.take(orders, as_of), orders, ChurnSettings(**settings), seed)


def _bytes(frame: pl.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.write_ipc(buffer)
    return buffer.getvalue()


@pytest.fixture(scope="module")
def shop() -> pl.LazyFrame:
    return _log(_shop())


@pytest.fixture(scope="module")
def scored(shop: pl.LazyFrame) -> Outcome:
    return _run(shop, horizon=horizon("45d"))


@pytest.fixture(scope="module")
def online_retail(shared_data: Path) -> Outcome:
    """Online Retail as `clean` leaves it: rows with a customer, amount = quantity x price, negative quantities are returns."""
    with gzip.open(shared_data / "online-retail" / "online_retail.csv.gz") as file:
        raw = pl.read_csv(file.read(), infer_schema=False)
    quantity, price = pl.col("Quantity").cast(pl.Decimal(18, 4)), pl.col("UnitPrice").cast(pl.Decimal(18, 4))
    orders = raw.filter(pl.col("CustomerID").is_not_null()).select(
        pl.col("CustomerID").str.strip_suffix(".0").alias("customer_id"),
        pl.col("InvoiceNo").alias("order_id"),
        pl.col("InvoiceDate").str.to_datetime("%Y-%m-%d %H:%M:%S").alias("ordered_at"),
        (quantity * price).cast(pl.Decimal(18, 4)).alias("amount"),
        pl.when(quantity < 0).then(pl.lit("return")).otherwise(pl.lit("sale")).alias("kind"),
    )
    return _run(orders.lazy(), date(2011, 12, 8), horizon=horizon("90d"))


@pytest.fixture(scope="module")
def cdnow() -> Outcome:
    """The full CDNOW log, 181 days from 1997-12-31 as the test window."""
    spec = importlib.util.find_spec("lifetimes")
    assert spec is not None
    assert spec.origin is not None
    text = (Path(spec.origin).parent / "datasets" / "CDNOW_master.txt").read_text()
    lines = [line.split() for line in text.splitlines()[1:]]
    orders = pl.DataFrame({"customer_id": [line[0] for line in lines], "day": [line[1] for line in lines]}).select(
        "customer_id",
        (pl.col("customer_id") + "/" + pl.col("day")).alias("order_id"),
        pl.col("day").str.to_datetime("%Y%m%d").alias("ordered_at"),
        pl.Series("amount", [Decimal(line[3]) for line in lines]).cast(pl.Decimal(18, 4)),
        pl.lit("sale").alias("kind"),
    )
    return _run(orders.lazy(), date(1998, 6, 30), horizon=horizon("181d"))


def _table(outcome: Outcome) -> dict[str, dict[str, Any]]:
    return {row["name"]: row for row in outcome.metrics["candidates"]}


def test_online_retail_reaches_its_figures(online_retail: Outcome) -> None:
    """As of 2011-12-08, 90 days: the published AUCs, the chosen method at .728 and .60 or better, above the hiatus rule."""
    table, metrics = _table(online_retail), online_retail.metrics
    assert (metrics["test_on"], metrics["training_on"]) == ("2011-09-09", ["2011-06-11", "2011-03-13"])
    assert table["hiatus"]["auc"] == pytest.approx(0.683, abs=0.003)
    assert table["return"]["auc"] == pytest.approx(0.733, abs=0.003)
    chosen = table[metrics["chosen"]]
    assert chosen["auc"] >= max(0.728, table["hiatus"]["auc"])
    assert chosen["log_loss"] <= 0.60
    assert chosen["calibration_error"] <= 0.07
    assert metrics["family"] == "nbd"


def test_online_retail_says_what_is_unusual(online_retail: Outcome) -> None:
    """Chosen on the window that tests it, which returned more than training; 33 customers never bought."""
    assert {notice.code for notice in online_retail.warnings} == {"chosen_on_test", "base_rate_shift"}
    assert online_retail.metrics["chosen_on"] == "test"
    assert online_retail.metrics["drift"] == (
        "more customers came back in the test window (57%) than in the training windows (48% to 56%)"
    )
    assert online_retail.frame.height == 4_371
    assert online_retail.metrics["status"]["no_purchase"] == 33


def test_cdnow_reaches_its_figures(cdnow: Outcome) -> None:
    """181 days from 1997-12-31: return probability .79 and .425, chosen .421, calibration error .03 or better."""
    table, metrics = _table(cdnow), cdnow.metrics
    assert (metrics["test_on"], metrics["training_on"]) == ("1997-12-31", ["1997-07-03"])
    assert table["hiatus"]["auc"] == pytest.approx(0.7955, abs=0.003)
    assert table["return"]["auc"] >= 0.79
    assert table["return"]["log_loss"] <= 0.425
    assert metrics["chosen"] == "logistic"
    assert table["logistic"]["auc"] >= 0.80
    assert table["logistic"]["log_loss"] <= 0.421
    assert table["logistic"]["calibration_error"] <= 0.03
    assert metrics["base_rate_test"] == pytest.approx(1 - 5_374 / 23_570)
    assert cdnow.frame.height == 23_570


def test_p_alive_is_not_the_score(cdnow: Outcome) -> None:
    """One-time buyers of long ago: BG/NBD calls all of them alive, the score calls them the likeliest to stay away."""
    silent = cdnow.frame.filter((pl.col("repeat_days") == 0) & (pl.col("recency_days") > 500))
    assert silent.height > 1_000
    assert silent["churn_probability"].min() > 0.9


def test_the_chosen_row_is_what_reliability_and_gain_show(scored: Outcome) -> None:
    """Ten bins and ten shares, all customers of the test window, the calibration error of the table."""
    metrics = scored.metrics
    bins, error = metrics["reliability"], _table(scored)[metrics["chosen"]]["calibration_error"]
    customers = sum(one["customers"] for one in bins)
    assert sum(one["customers"] * abs(one["predicted"] - one["observed"]) for one in bins) / customers == pytest.approx(error)
    assert [one["share"] for one in metrics["gain"]] == pytest.approx([tenth / 10 for tenth in range(1, 11)])
    assert sum(one["customers"] * one["observed"] for one in bins) / customers == pytest.approx(metrics["base_rate_test"])


def test_every_method_may_be_asked_for_and_written() -> None:
    """The table's codes are the candidates' names, and `--method` takes each but the base rate."""
    assert (*classify_fit.METHODS, "none") == CHURN_METHODS
    shown = ChurnSettings.__dataclass_fields__["method"].metadata["option"].metavar
    assert shown.split("|") == ["auto", *classify_fit.METHODS[1:]]


def test_metrics_and_learned_are_json_numbers(scored: Outcome) -> None:
    """Everything for the footer and for --save-model goes through strict JSON; every window and candidate is in it."""
    assert json.loads(json.dumps(scored.metrics, allow_nan=False)) == scored.metrics
    assert json.loads(json.dumps(scored.learned, allow_nan=False)) == scored.learned
    assert [one["name"] for one in scored.metrics["candidates"]] == ["base_rate", "hiatus", "return", "logistic", "boosted"]
    assert set(scored.metrics["candidates"][0]) >= {
        "name", "auc", "average_precision", "log_loss", "brier", "top_decile_lift", "calibration_error",
    }  # fmt: skip
    assert len(scored.metrics["training_on"]) >= 3
    assert scored.metrics["chosen_on"] == "training"


def test_differences_are_told_beside_the_chosen_and_the_hiatus_rule(scored: Outcome, online_retail: Outcome) -> None:
    """The table for people has a line a candidate within 80 columns, the best first, with the interval the metrics hold."""
    for outcome in (scored, online_retail):
        metrics = outcome.metrics
        names = [one["name"] for one in metrics["candidates"]]
        pairs = {(one["name"], one["against"]) for one in metrics["differences"]}
        assert pairs == {(name, other) for name in names for other in (metrics["chosen"], "hiatus") if name != other}
        head, *rows = telling.lines(metrics)
        assert f"beside {metrics['chosen']}" in head
        assert max(map(len, (head, *rows))) <= 78
        assert sorted(row.split()[0] for row in rows) == sorted(names)
        assert [row.split()[0] for row in rows if "*" in row] == [metrics["chosen"]]
    boosted = next(row for row in telling.lines(online_retail.metrics) if row.startswith("  boosted"))
    one = next(
        one for one in online_retail.metrics["differences"] if list(one.values())[:3] == ["boosted", "logistic", "log_loss"]
    )
    assert f"{one['difference']:+.3f} ({one['low']:+.3f} to {one['high']:+.3f})" in boosted
    assert 0.0 < one["low"] < one["difference"] < one["high"]


def test_columns_keep_the_contract(scored: Outcome) -> None:
    """The churn columns come last, in the table's order and types, finite and within their bounds."""
    assert scored.frame.columns[-6:] == COLUMNS
    frame = scored.frame
    assert [str(frame.schema[name]) for name in COLUMNS] == ["Float64", "String", "String", "Int32", "String", "String"]
    assert frame["churn_probability"].is_finite().all()
    assert frame["churn_probability"].is_between(0, 1).all()
    for row in frame.iter_rows(named=True):
        risk = "high" if row["churn_probability"] >= 0.8 else "medium" if row["churn_probability"] >= 0.5 else "low"
        assert (row["churn_risk"], row["churn_status"]) == (risk, "ok")


def test_numbers_in_reasons_are_the_tables(scored: Outcome) -> None:
    """Every number in a reason is the customer's own, or the comparison it names; silence is told only beyond the own rhythm."""
    usual = scored.learned["usual"] if scored.learned else {}
    told = 0
    for row in scored.frame.iter_rows(named=True):
        for part in (row["churn_reasons"] or "").split(";"):
            if not part:
                continue
            code, value = part.split("=")
            told += 1
            if code == "silent_days":
                assert int(value) == row["recency_days"]
            elif code == "order_days":
                assert int(value) == row["order_days"]
            elif code == "own_rhythm_days":
                assert row["recency_days"] > float(value) - 0.05
                assert row["days_overdue"] == pytest.approx(row["recency_days"] - 2 * float(value), abs=1.1)
            elif code == "spend_per_order_day":
                assert float(value) == pytest.approx(float(row["spend"]) / row["order_days"], abs=0.0051)
            elif code == "usual_order_days":
                assert row["order_days"] < int(value) == usual["repeat_days"] + 1
            elif code == "usual_spend_per_order_day":
                assert float(value) == pytest.approx(usual["spend_per_order_day"], abs=0.0051)
            else:
                assert code.removeprefix("usual_") in classify_buyers.REASONS
    assert told > 500


def test_numbers_in_the_reasons_of_trees_are_the_tables() -> None:
    """Of 1,200 customers each number equals the behaviour table's, or the log's where the table has no such column."""
    shelves = pl.col("ordered_at").dt.ordinal_day().mod(7).cast(pl.String).alias("product_id")
    orders = _log([*_shop(1_200), *((f"c{n:05}", n % 400, "-3") for n in range(0, 900, 3))]).with_columns(shelves)
    as_of = snapshot.last_day(orders)
    assert as_of is not None
    outcome = _run(orders, as_of, horizon=horizon("45d"), method="boosted")
    sold = orders.filter(pl.col("kind") == "sale").with_columns(day=pl.col("ordered_at").dt.date()).collect()
    ago = (pl.lit(as_of) - pl.col("day")).dt.total_days()
    days = sold.group_by("customer_id").agg(
        recent_order_days=pl.col("day").filter(ago < 45).n_unique(),
        earlier_order_days=pl.col("day").filter((ago >= 45) & (ago < 90)).n_unique(),
    )
    money = orders.filter(pl.col("ordered_at").dt.date() > as_of - timedelta(days=45)).group_by("customer_id")
    table = (
        behaviour.take(orders, as_of)
        .customers.collect()
        .join(days, on="customer_id", how="left")
        .join(money.agg(pl.col("amount").sum().alias("recent_spend")).collect(), on="customer_id", how="left")
        .with_columns(spend_per_order_day=pl.col("spend").cast(pl.Float64) / pl.col("order_days"), silent_days="recency_days")
    )
    rows, told = {row["customer_id"]: row for row in table.iter_rows(named=True)}, set()
    for who, reasons in outcome.frame.select("customer_id", "churn_reasons").drop_nulls().iter_rows():
        for part in reasons.split(";"):
            code, value = part.split("=")
            if code == "own_rhythm_days":
                assert float(value) == pytest.approx(rows[who]["rhythm_days"], abs=0.051)
            elif not code.startswith("usual_"):
                told.add(code)
                assert float(value) == pytest.approx(float(rows[who][code] or 0), abs=0.0051), code
    assert table.height >= 1_000
    assert told >= {"silent_days", "recent_order_days", "spend_per_order_day"}
    assert len(told) >= 6


def test_amounts_of_nothing_are_amounts(shop: pl.LazyFrame) -> None:
    """A log in which everything was free has money columns that tell nothing, and is scored like any other."""
    free = shop.with_columns(amount=pl.lit(0).cast(pl.Decimal(18, 4)))
    outcome = _run(free, horizon=horizon("45d"), method="boosted")
    assert outcome.frame["churn_status"].unique().to_list() == ["ok"]
    assert not any("spend" in reasons for reasons in outcome.frame["churn_reasons"].drop_nulls())


def test_input_passes_through_in_its_rows_and_columns(shop: pl.LazyFrame, scored: Outcome) -> None:
    """Extra columns, a subset of the customers and their order stay; customers only in the log train, the scores are the same."""
    as_of = snapshot.last_day(shop)
    assert as_of is not None
    some = snapshot.take(shop, as_of).sample(50, seed=3, shuffle=True).with_columns(mine=pl.lit("x"))
    outcome = churn(some, shop, ChurnSettings(horizon=horizon("45d")), 0)
    assert outcome.frame.drop(COLUMNS).equals(some)
    whole = scored.frame.select("customer_id", *COLUMNS)
    assert (
        outcome.frame.select("customer_id", *COLUMNS)
        .sort("customer_id")
        .equals(whole.filter(pl.col("customer_id").is_in(some["customer_id"].to_list())))
    )
    assert outcome.metrics["candidates"] == scored.metrics["candidates"]
    assert (outcome.rows.rows_in, outcome.rows.rows_out) == (50, 50)


def test_a_column_that_knows_the_answer_changes_nothing(shop: pl.LazyFrame) -> None:
    """Columns of INPUT never teach: who ordered in the test window, or after as_of, passes through and moves no byte."""
    end = snapshot.last_day(shop)
    assert end is not None
    as_of = end - timedelta(days=45)
    bought = pl.col("ordered_at").dt.date()
    after = shop.filter(bought > as_of).select("customer_id").unique()
    within = shop.filter((bought > as_of - timedelta(days=45)) & (bought <= as_of)).select("customer_id").unique()
    plain = snapshot.take(shop, as_of)
    told = plain.with_columns(
        pl.when(pl.col("customer_id").is_in(who.collect()["customer_id"].to_list()))
        .then(pl.lit("no"))
        .otherwise(pl.lit("yes"))
        .alias(name)
        for name, who in (("churned", after), ("churned_then", within))
    )
    assert told["churned"].n_unique() == told["churned_then"].n_unique() == 2
    with_answer, without = (churn(table, shop, ChurnSettings(horizon=horizon("45d")), 0) for table in (told, plain))
    assert with_answer.frame.select(told.columns).equals(told)
    assert _bytes(with_answer.frame.select(COLUMNS)) == _bytes(without.frame.select(COLUMNS))
    assert with_answer.learned == without.learned
    assert with_answer.metrics == without.metrics


def test_scored_twice_is_scored_once(shop: pl.LazyFrame, scored: Outcome) -> None:
    """A table that has churn columns already gets them anew, not twice."""
    assert isinstance(scored.frame, pl.DataFrame)
    again = churn(scored.frame, shop, ChurnSettings(horizon=horizon("45d")), 0)
    assert _bytes(again.frame) == _bytes(scored.frame)


def test_same_bytes_from_shuffled_rows(shop: pl.LazyFrame, scored: Outcome) -> None:
    """The log's rows in any order give the same table, the same metrics and the same model, to the last bit."""
    shuffled = _run(shop.collect().sample(fraction=1.0, shuffle=True, seed=11).lazy(), horizon=horizon("45d"))
    assert _bytes(shuffled.frame) == _bytes(scored.frame)
    assert json.dumps(shuffled.metrics) == json.dumps(scored.metrics)
    assert json.dumps(shuffled.learned) == json.dumps(scored.learned)


def test_rows_after_as_of_change_nothing(shop: pl.LazyFrame, scored: Outcome) -> None:
    """Later orders, of known and new customers, are dropped first, counted, and seen by no model."""
    as_of = snapshot.last_day(shop)
    assert as_of is not None
    later = (as_of - START).days
    longer = pl.concat([shop, _log([(f"c{n:05}", later + 1 + n % 90, "5000") for n in range(300)] + [("new", later + 9, "1")])])
    outcome = churn(snapshot.take(longer, as_of), longer, ChurnSettings(horizon=horizon("45d")), 0)
    assert _bytes(outcome.frame) == _bytes(scored.frame)
    assert outcome.metrics == scored.metrics
    assert outcome.learned == scored.learned
    assert outcome.rows.after_as_of == 301
    assert scored.rows.after_as_of == 0


def test_training_windows_see_nothing_after_the_test_date(shop: pl.LazyFrame) -> None:
    """Every array of a training window, labels included, is the same when all orders after the test date are thrown away."""
    as_of = snapshot.last_day(shop)
    assert as_of is not None
    settings = ChurnSettings(horizon=horizon("45d"))
    test_on = as_of - timedelta(days=45)
    # one lone order keeps the log as long as it was
    cut = pl.concat(
        [shop.filter(pl.col("ordered_at").dt.date() <= test_on), shop.filter(pl.col("ordered_at").dt.date() == as_of)]
    )
    whole, known = (windows.from_log(snapshot.take(orders, as_of), orders, settings, as_of, 0).windows for orders in (shop, cut))
    assert whole[0].churned.tolist() != known[0].churned.tolist()
    assert len(whole) == len(known) >= 4
    for one, other in zip(whole[1:], known[1:], strict=True):
        assert one.on == other.on
        assert one.churned.tolist() == other.churned.tolist()
        assert one.chance.tolist() == other.chance.tolist()
        assert one.buyers.gap_days == other.buyers.gap_days
        for quantity in classify_buyers.QUANTITIES:
            mine, theirs = (classify_buyers.quantity(each.buyers, quantity) for each in (one, other))
            assert (mine is None and theirs is None) or mine.tobytes() == theirs.tobytes(), quantity


def test_labels_are_orders_in_the_window() -> None:
    """An order on the first or the last day of (s, s + H] is a return; one on day s, or a refund in the window, is not."""
    lines = _shop(customers=400, days=200)
    as_of, s = 199, 199 - 30
    lines += [("zz first", 10, "5"), ("zz first", s + 1, "5"), ("zz last", 10, "5"), ("zz last", as_of, "5")]
    lines += [("zz eve", 10, "5"), ("zz eve", s, "5"), ("zz refund", 10, "5"), ("zz refund", s + 5, "-5")]
    orders = _log(lines)
    day = START + timedelta(days=as_of)
    test = windows.from_log(snapshot.take(orders, day), orders, ChurnSettings(horizon=horizon("30d")), day, 0).windows[0]
    assert test.on == str(START + timedelta(days=s))
    # sorted by customer: eve, first, last, refund are the last four
    assert test.churned[-4:].tolist() == [1.0, 0.0, 0.0, 1.0]


def test_customers_without_a_sale_are_named_so(shop: pl.LazyFrame) -> None:
    """A customer with a refund only stays in the table: no_purchase, no number, method none; and changes nobody's score."""
    refund = pl.concat([shop, _log([("only refunds", 50, "-5")])])
    outcome = _run(refund, horizon=horizon("45d"))
    row = outcome.frame.filter(pl.col("customer_id") == "only refunds").row(0, named=True)
    assert [row[name] for name in COLUMNS] == [None, None, None, None, "none", "no_purchase"]
    assert outcome.metrics["status"]["no_purchase"] == 1
    assert "1 without a purchase" in outcome.closing


def test_without_orders_the_return_probability_is_not_validated(shop: pl.LazyFrame) -> None:
    """INPUT alone gives 1 - P(return) of the family fitted to it, for every buyer, and the words not validated."""
    as_of = snapshot.last_day(shop)
    assert as_of is not None
    outcome = churn(snapshot.take(shop, as_of), None, ChurnSettings(horizon=horizon("45d")), 0)
    assert outcome.frame["churn_status"].unique().to_list() == ["not_validated"]
    assert outcome.frame["churn_method"].unique().to_list() == ["return"]
    assert outcome.frame["churn_probability"].null_count() == 0
    assert [notice.code for notice in outcome.warnings] == ["not_validated"]
    assert outcome.metrics["candidates"] == []
    assert outcome.rows.after_as_of is None
    reasons = ";".join(outcome.frame["churn_reasons"].drop_nulls().to_list())
    assert "silent_days=" in reasons
    assert "recent_order_days" not in reasons


def test_a_log_without_amounts_leaves_the_spend_out() -> None:
    """No amounts, no spend feature and no spend reason; the rest of the protocol stands."""
    outcome = _run(_log(_shop(amount=None)), horizon=horizon("45d"))
    assert outcome.metrics["status"]["ok"] == outcome.frame.height
    assert outcome.learned is not None
    assert outcome.learned["usual"]["spend_per_order_day"] is None
    assert not any("spend" in reason for reason in outcome.frame["churn_reasons"].drop_nulls())


@pytest.mark.parametrize("method", ["hiatus", "return", "logistic", "boosted"])
def test_a_method_asked_for_is_the_method_used(shop: pl.LazyFrame, method: str) -> None:
    """--method NAME scores by that method, says so, and still prints the whole table."""
    outcome = _run(shop, horizon=horizon("45d"), method=method)
    assert outcome.frame["churn_method"].unique().to_list() == [method]
    assert (outcome.metrics["chosen"], outcome.metrics["chosen_on"]) == (method, "asked")
    assert len(outcome.metrics["candidates"]) == 5


@pytest.mark.parametrize(
    ("customers", "days", "why"),
    [
        (250, "30d", "fewer than 100 customers"),
        (900, "60d", "no labelled window lies before"),
        (900, "100d", "no complete window"),
    ],
)
def test_a_method_that_cannot_be_learned_is_refused(customers: int, days: str, why: str) -> None:
    """Asking for the logistic regression without a past to train on is an error that says why and what to do."""
    with pytest.raises(DataError, match=f"logistic cannot be learned here: .*{why}") as refusal:
        _run(_log(_shop(customers, days=150)), method="logistic", horizon=horizon(days))
    assert refusal.value.code == "method_not_possible"


TINY = {
    "one order": [("a", 0, "10")],
    "one customer": [("a", 0, "10"), ("a", 40, "10")],
    "refunds only": [("a", 0, "-10"), ("b", 3, "-1")],
    "one-time buyers": [(f"c{n}", n % 300, "10") for n in range(500)],
    "ninety-nine repeat customers": [(f"c{n}", day, "10") for n in range(99) for day in (n, n + 50)],
}


@pytest.mark.parametrize("with_orders", [True, False])
@pytest.mark.parametrize("name", TINY)
def test_too_little_history_is_a_status(name: str, with_orders: bool) -> None:
    """Logs too small for any model give null probabilities, a status and a notice, never an exception."""
    orders = _log(TINY[name])
    as_of = snapshot.last_day(orders)
    assert as_of is not None
    outcome = churn(snapshot.take(orders, as_of), orders if with_orders else None, ChurnSettings(), 0)
    assert outcome.frame["churn_probability"].null_count() == outcome.frame.height
    status = "no_purchase" if name == "refunds only" else "too_little_history"
    assert outcome.frame["churn_status"].unique().to_list() == [status]
    assert outcome.frame["churn_method"].unique().to_list() == ["none"]
    assert [notice.code for notice in outcome.warnings] == ["too_little_history"]
    assert outcome.learned is None
    json.dumps(outcome.metrics, allow_nan=False)


def test_customers_nobody_can_tell_apart_get_the_base_rate() -> None:
    """Everybody buys at one rate and nobody leaves: one probability for all, tested, and a notice that there is no skill."""
    dice = random.Random(3)
    outcome = _run(
        _log([(f"c{n:04}", d, "10") for n in range(700) for d in range(260) if dice.random() < 1 / 40]), horizon=horizon("28d")
    )
    table, metrics = _table(outcome), outcome.metrics
    assert metrics["chosen"] == "base_rate"
    assert outcome.frame["churn_status"].unique().to_list() == ["ok"]
    assert outcome.frame["churn_method"].unique().to_list() == ["base_rate"]
    assert outcome.frame["churn_probability"].n_unique() == 1
    assert outcome.frame["churn_reasons"].null_count() == outcome.frame.height
    assert outcome.frame["churn_probability"][0] == pytest.approx((39 / 40) ** 28, abs=0.03)
    said = next(notice.text for notice in outcome.warnings if notice.code == "no_skill")
    assert f"log-loss {table['base_rate']['log_loss']:.3f}, AUC 0.500" in said
    assert outcome.learned is not None
    assert outcome.learned["model"] == {"name": "base_rate", "rate": outcome.frame["churn_probability"][0]}


def test_a_shop_that_can_be_told_apart_has_no_such_notice(scored: Outcome) -> None:
    """The chosen method beats the base rate on the test window, and nothing is said."""
    table = _table(scored)
    assert table[scored.metrics["chosen"]]["log_loss"] < table["base_rate"]["log_loss"]
    assert "no_skill" not in {notice.code for notice in scored.warnings}


def test_a_horizon_of_one_day_is_one_day() -> None:
    """No sentence says `1 days`."""
    outcome = _run(_log(_shop(customers=300, days=80)), horizon=horizon("1d"))
    text = " ".join([outcome.closing, *(notice.text for notice in outcome.warnings)])
    assert "; 1 day, " in text
    assert "1 days" not in text


ALIKE = {
    "all equal": [(f"c{n}", day, "10") for n in range(150) for day in range(0, 200, 20)],
    "all gone": [(f"c{n}", day, "10") for n in range(150) for day in (0, 30)] + [("last", 400, "10")],
    "too short": _shop(customers=300, days=80),
}


@pytest.mark.parametrize("name", ALIKE)
def test_one_class_or_a_short_log_is_not_validated(name: str) -> None:
    """Where nobody or everybody came back, or no window is complete, the return probability stands untested."""
    outcome = _run(_log(ALIKE[name]))
    assert outcome.frame["churn_status"].unique().to_list() == ["not_validated"]
    assert outcome.frame["churn_probability"].is_finite().all()
    assert outcome.metrics["test_on"] is None
    assert [notice.code for notice in outcome.warnings] == ["not_validated"]


def test_an_empty_table_stays_empty(shop: pl.LazyFrame, scored: Outcome) -> None:
    """No customers in, none out, the columns and the shape of the metrics all the same."""
    empty = snapshot.take(shop, date(2030, 1, 1)).clear()
    outcome = churn(empty, shop, ChurnSettings(), 0)
    assert outcome.frame.height == 0
    assert outcome.frame.schema == scored.frame.schema
    assert set(outcome.metrics) == set(scored.metrics)


def test_auto_horizon() -> None:
    """The .85 quantile of the gaps up to a whole week, at least 28 days, at most a quarter of the log."""
    regular = [(f"c{n}", day, "10") for n in range(90) for day in range(n % 7, 400, 33)]
    assert _run(_log(regular)).metrics["horizon_days"] == 35
    weekly = [(f"c{n}", day, "10") for n in range(90) for day in range(n % 7, 400, 7)]
    assert _run(_log(weekly)).metrics["horizon_days"] == 28
    rare = [(f"c{n}", day, "10") for n in range(90) for day in range(n % 7, 400, 190)] + [("end", 399, "1")]
    assert _run(_log(rare)).metrics["horizon_days"] == 100


def test_orders_that_lack_customers_are_refused(shop: pl.LazyFrame) -> None:
    """Customers of INPUT that the log does not hold at as_of: how many and which column, but no id."""
    as_of = snapshot.last_day(shop)
    assert as_of is not None
    customers = snapshot.take(shop, as_of)
    with pytest.raises(DataError, match="2 customers of INPUT are not in the orders") as refusal:
        churn(customers, shop.filter(~pl.col("customer_id").is_in(["c00003", "c00004"])), ChurnSettings(), 0)
    assert refusal.value.where == "column customer_id"
    assert "c0000" not in str(refusal.value)


def test_orders_that_contradict_are_refused(shop: pl.LazyFrame) -> None:
    """A log with other money, or other days, than INPUT was made from: which column, for how many."""
    as_of = snapshot.last_day(shop)
    assert as_of is not None
    customers = snapshot.take(shop, as_of)
    dearer = shop.with_columns(
        amount=pl.when(pl.col("customer_id") == "c00003").then(pl.col("amount") * 2).otherwise("amount").cast(pl.Decimal(18, 4))
    )
    with pytest.raises(DataError, match="contradict INPUT for 1 customer") as refusal:
        churn(customers, dearer, ChurnSettings(), 0)
    assert refusal.value.where == "column spend"
    with pytest.raises(DataError, match="contradict") as refusal:
        churn(customers, pl.concat([shop, _log([("c00003", 1, "3")])]), ChurnSettings(), 0)
    assert refusal.value.where == "column orders"


def test_two_days_in_one_table_are_refused(shop: pl.LazyFrame) -> None:
    """INPUT with rows of two as_of days has no single present to score."""
    customers = pl.concat([snapshot.take(shop, START + timedelta(days=days)) for days in (100, 200)])
    with pytest.raises(DataError, match="2 days"):
        churn(customers, None, ChurnSettings(), 0)
