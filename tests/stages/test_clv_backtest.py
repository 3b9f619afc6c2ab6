"""`backtest`: the protocol of `clv` as a table of its own."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest

from clm.errors import DataError
from clm.outcome import Outcome
from clm.report import backtest_text
from clm.settings import BacktestSettings
from clm.stages import snapshot
from clm.stages.clv.backtest import backtest
from clm.tables import BACKTEST
from tests.logs import transactions
from tests.stages.test_clv import AS_OF, LOGS, codes, frame, made, one_time

LOG = LOGS["a shop"]


def run(log: pl.DataFrame = LOG, customers: pl.DataFrame | None = None, **settings: Any) -> Outcome:
    return backtest(customers, log.lazy(), AS_OF, BacktestSettings(**settings))


def test_the_table_is_what_clv_says_of_its_back_test() -> None:
    """Every score of clv's JSON is a row, for orders and for money; the same choice; latest origin and lowest deviance first."""
    outcome, valued = run(), made(LOG)
    told = frame(outcome)
    assert told.schema == {column.name: told.schema[column.name] for column in BACKTEST.columns}
    assert all(str(told.schema[column.name]) == column.dtype for column in BACKTEST.columns)
    scores = {(one["origin"], one["name"]): one for one in valued.metrics["backtest"]}
    orders = told.filter(pl.col("of") == "orders")
    assert orders.height == len(scores)
    for row in orders.to_dicts():
        score = scores[str(row["origin"]), row["method"]]
        assert {name: row[name] for name in ("kind", "horizon_days", "bias", "poisson_deviance", "gini", "customers")} == {
            name: score[name] for name in ("kind", "horizon_days", "bias", "poisson_deviance", "gini", "customers")
        }
    assert set(told.filter(pl.col("used"))["method"]) == {valued.metrics["method"]}
    assert told.filter(pl.col("of") == "spend").height == len(valued.metrics["backtest_spend"])
    for name in ("choice", "deciles", "tracking", "beats_best_baseline", "candidates", "spend_choice"):
        assert outcome.metrics[name] == valued.metrics[name]
    assert told["origin"].to_list() == sorted(told["origin"].to_list(), reverse=True)
    latest = told.filter(pl.col("of") == "orders", pl.col("origin") == told["origin"].max())
    assert latest["poisson_deviance"].is_sorted()


def test_a_customer_table_is_held_against_the_log() -> None:
    """CUSTOMERS of the day give the same table; of another log they are refused."""
    customers = snapshot.take(LOG.lazy(), AS_OF)
    assert frame(run(customers=customers)).equals(frame(run()))
    with pytest.raises(DataError, match="not in the orders"):
        run(LOG.filter(pl.col("customer_id") != "c0007"), customers)


@pytest.mark.parametrize(
    ("log", "said"),
    [
        (transactions(), "nobody in the log bought anything"),
        (one_time(300), "leaves no earlier day"),
        (LOGS["few customers"], "leaves no earlier day"),
    ],
)
def test_nothing_to_test_is_an_empty_table_and_a_reason(log: pl.DataFrame, said: str) -> None:
    """No row, the words not validated and why, nothing to draw."""
    outcome = run(log)
    assert frame(outcome).height == 0
    assert frame(outcome).columns == [column.name for column in BACKTEST.columns]
    assert any(one.code == "not_validated" and said in one.text for one in outcome.warnings)
    assert backtest_text.lines(outcome.metrics) == ["No earlier day of the log could test a forecast"]


def test_a_family_by_name_is_tested_alone() -> None:
    """--model-family bgnbd: NBD and the naive rules beside it, no other family; 65 where too few came back."""
    told = frame(run(model_family="bgnbd"))
    assert set(told.filter(pl.col("kind") == "model")["method"]) == {"bgnbd"}
    assert set(told.filter(pl.col("kind") == "baseline")["method"]) == {"nbd", "rate", "last_period", "mean", "hiatus", "zero"}
    with pytest.raises(DataError, match="bgnbd needs 100 customers"):
        run(LOGS["few customers"], model_family="bgnbd")


def test_the_future_is_not_seen() -> None:
    """Lines after as_of change no score; they are counted."""
    later = transactions(("c0001", "later", str(AS_OF + timedelta(days=3)), "9.00"))
    outcome = run(pl.concat([LOG, later]))
    assert frame(outcome).equals(frame(run()))
    assert outcome.rows.after_as_of == 1


def test_the_text_fits_the_terminal_and_names_what_is_used() -> None:
    """80 columns at most; one row a forecast, the star before the one used, tenths and weeks."""
    outcome = run()
    lines = backtest_text.lines(outcome.metrics)
    assert max(map(len, lines)) <= 80
    starred = [line.split()[1] for line in lines if line.startswith("* ") and not line.startswith("* used")]
    assert starred == [outcome.metrics["method"]] * 2
    assert any(line.startswith("  tenth") for line in lines)
    assert sum(line.startswith("  actual") for line in lines) == 2


def test_the_weeks_add_up_to_what_came() -> None:
    """The running total of the last week is the total that was scored, at every origin."""
    outcome = run()
    for origin in {row["origin"] for row in outcome.metrics["tracking"]}:
        last = max((row for row in outcome.metrics["tracking"] if row["origin"] == origin), key=lambda row: row["week"])
        used = frame(outcome).filter(pl.col("used"), pl.col("of") == "orders", pl.col("origin") == date.fromisoformat(origin))
        assert last["actual"] == used["actual_total"].item()
        assert last["predicted"] == pytest.approx(used["predicted_total"].item())
        assert last["days"] == used["horizon_days"].item()
    assert "tested_shorter" in codes(outcome)
