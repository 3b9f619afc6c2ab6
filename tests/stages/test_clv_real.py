"""`clv` on every supplied log with repeat buyers: what is used is what the back-test found best, or the status says what won."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest

from clm.ingest import shipped
from clm.models.choice import BASELINES
from clm.outcome import Outcome
from clm.settings import ClvSettings
from clm.stages import snapshot
from clm.stages.clv import clv
from clm.values import horizon
from tests.cleaning import clean_files

LOGS = {
    "cdnow-sample": ("cdnow/CDNOW_sample.txt", "mbgnbd", "ok"),
    "coffee": ("coffee/index_1.csv", "mbgnbd", "ok"),
    "rfm-orders": ("rfm-orders/rfm_data_orders.csv", "nbd", "attrition_not_identified"),
    "example-transactions": ("example-transactions/example_transactions.csv", "mbgnbd", "no_amounts"),
    "online-retail": ("online-retail/online_retail.csv.gz", "nbd", "attrition_not_identified"),
}


def valued(path: Path, folder: Path, as_of: date | None = None, **settings: object) -> tuple[Outcome, pl.DataFrame]:
    rows = clean_files([path], folder, review="none").rows
    day = as_of or snapshot.last_day(rows.lazy())
    assert day is not None
    customers = snapshot.take(rows.lazy(), day)
    return clv(customers, rows.lazy(), ClvSettings(**settings), 0), rows  # type: ignore[arg-type]


@pytest.mark.parametrize("name", LOGS)
def test_what_is_used_did_best_in_the_back_test(name: str, shared_data: Path, tmp_path: Path) -> None:
    """No candidate and no baseline has a lower mean deviance (1 % is a tie); a baseline that is used is named as such."""
    relative, method, status = LOGS[name]
    outcome, _ = valued(shared_data / relative, tmp_path)
    metrics = outcome.metrics
    deviance = metrics["choice"]["mean_deviance"]
    assert set(BASELINES) <= set(deviance)
    assert {"bgnbd", "mbgnbd", "paretonbd"} <= set(deviance)
    assert metrics["choice"]["origins"] >= 2
    assert deviance[metrics["method"]] <= 1.01 * min(deviance.values())
    assert (metrics["method"], metrics["status"]) == (method, status)
    if metrics["method"] in BASELINES:
        assert metrics["status"] in ("baseline_better", "attrition_not_identified")
    regular = [one for one in metrics["candidates"] if one["erlang"] > 1]
    assert bool(regular) == (name == "online-retail")


def test_the_demo_log_and_its_181_days(tmp_path: Path) -> None:
    """The whole of CDNOW: the choice as above, and the money of the 181 days from 1998: 476,154 came, Pareto/NBD says +0.8 %."""
    end = date(1997, 12, 31)
    asked = {"model_family": "paretonbd", "horizon": horizon("181d"), "no_backtest": True}
    outcome, rows = valued(shipped.cdnow_master(), tmp_path, end, **asked)
    later = pl.col("ordered_at").dt.date()
    came = (
        rows.filter(later > end, later <= end + timedelta(days=181))
        .group_by("customer_id")
        .agg(pl.col("amount").sum().cast(float))
    )
    assert isinstance(outcome.frame, pl.DataFrame)
    both = outcome.frame.join(came, on="customer_id", how="left").with_columns(pl.col("amount").fill_null(0.0))
    assert both["amount"].sum() == pytest.approx(476_154, abs=1)
    assert both["expected_spend"].sum() / both["amount"].sum() - 1 == pytest.approx(0.008, abs=0.01)
    rmse = ((both["expected_spend"] - both["amount"]) ** 2).mean() ** 0.5  # type: ignore[operator]
    assert rmse == pytest.approx(55.7, abs=0.1)
    auto = clv(snapshot.take(rows.lazy(), end), rows.lazy(), ClvSettings(horizon=horizon("181d")), 0).metrics
    deviance = auto["choice"]["mean_deviance"]
    assert deviance[auto["method"]] <= 1.01 * min(deviance.values())
    assert auto["spend_choice"]["reason"] == "backtest"


def test_too_few_repeat_buyers_are_not_tested(shared_data: Path, tmp_path: Path) -> None:
    """91 customers who came back: the rate, and the words not validated."""
    outcome, _ = valued(shared_data / "sales-sample" / "sales_data_sample.csv", tmp_path)
    assert (outcome.metrics["method"], outcome.metrics["status"]) == ("rate", "few_repeat_buyers")
    assert {"few_repeat_buyers", "not_validated"} <= {notice.code for notice in outcome.warnings}
