"""A saved churn model on another day: the same customers score the same, others are told apart, what does not fit is refused."""

from __future__ import annotations

import copy
import json
from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest

from clm.errors import ConfigError, DataError
from clm.outcome import Outcome
from clm.settings import ChurnSettings
from clm.stages import snapshot
from clm.stages.churn import churn
from clm.values import horizon
from tests.stages.test_churn import COLUMNS, START, _bytes, _log, _shop

METHODS = ["auto", "hiatus", "logistic", "boosted"]
DAYS = horizon("45d")


@pytest.fixture(scope="module")
def shop() -> pl.LazyFrame:
    return _log(_shop(days=330))


def _on(orders: pl.LazyFrame, day: date, saved: Any = None, *, log: bool = True, **settings: Any) -> Outcome:
    return churn(snapshot.take(orders, day), orders if log else None, ChurnSettings(**settings), 0, saved=saved)


@pytest.fixture(scope="module")
def fitted(shop: pl.LazyFrame) -> dict[str, Outcome]:
    return {name: _on(shop, START + timedelta(days=300), horizon=DAYS, method=name) for name in METHODS}


def _saved(outcome: Outcome) -> Any:
    return json.loads(json.dumps(outcome.learned, allow_nan=False))


@pytest.mark.parametrize("method", METHODS)
def test_the_same_customers_score_the_same(shop: pl.LazyFrame, fitted: dict[str, Outcome], method: str) -> None:
    """Through JSON every candidate gives the day it was made on the same table, byte for byte, and no drift at all."""
    again = _on(shop, START + timedelta(days=300), _saved(fitted[method]))
    assert _bytes(again.frame) == _bytes(fitted[method].frame)
    assert (again.metrics["psi"], again.metrics["psi_score"]) == (0.0, 0.0)
    assert again.metrics["chosen_on"] == "model"
    assert again.learned == fitted[method].learned
    assert again.warnings == ()
    assert "as saved, psi 0.00" in again.closing


def test_another_day_is_scored_without_learning(shop: pl.LazyFrame, fitted: dict[str, Outcome]) -> None:
    """Later customers get the saved model's numbers, whoever else is in the log: one alone scores as among all."""
    day = START + timedelta(days=329)
    saved = _saved(fitted["boosted"])
    whole = _on(shop, day, saved)
    one = whole.frame["customer_id"][17]
    alone = churn(snapshot.take(shop, day).filter(pl.col("customer_id") == one), shop, ChurnSettings(), 0, saved=saved)
    only = churn(
        snapshot.take(shop.filter(pl.col("customer_id") == one), day),
        shop.filter(pl.col("customer_id") == one),
        ChurnSettings(),
        0,
        saved=saved,
    )
    expected = whole.frame.filter(pl.col("customer_id") == one).select(COLUMNS).rows()
    assert alone.frame.select(COLUMNS).rows() == only.frame.select(COLUMNS).rows() == expected
    assert whole.frame["churn_method"].unique().to_list() == ["boosted"]
    assert whole.metrics["candidates"] == []


def test_other_customers_are_drift(shop: pl.LazyFrame, fitted: dict[str, Outcome]) -> None:
    """A base grown silent is named: psi above .2, of the features the model reads, largest first, with a warning."""
    found = _on(shop, START + timedelta(days=400), _saved(fitted["hiatus"]))
    assert list(found.metrics["psi_features"]) == ["silent_days"]
    assert found.metrics["psi"] > 0.2
    (notice,) = found.warnings
    assert notice.code == "drifted"
    assert "silent_days" in notice.text
    rich = _on(shop, START + timedelta(days=400), _saved(fitted["boosted"])).metrics
    assert list(rich["psi_features"].values()) == sorted(rich["psi_features"].values(), reverse=True)
    assert rich["psi"] == max(*rich["psi_features"].values(), rich["psi_score"])


def test_few_customers_differ_by_chance(shop: pl.LazyFrame, fitted: dict[str, Outcome]) -> None:
    """A dozen of those a model was made of have a psi, and nobody is warned; a dozen grown silent are another matter."""
    saved = _saved(fitted["hiatus"])
    few = shop.filter(pl.col("customer_id").is_in([f"c{number:05}" for number in range(0, 900, 75)]))
    same = _on(few, START + timedelta(days=300), saved)
    assert same.metrics["psi"] > 0.2
    assert same.warnings == ()
    late = _on(few, START + timedelta(days=500), saved)
    assert [notice.code for notice in late.warnings] == ["drifted"]


def test_a_model_that_learns_anew_has_no_drift(fitted: dict[str, Outcome]) -> None:
    """Without a saved model there is nothing to drift from."""
    assert (fitted["auto"].metrics["psi"], fitted["auto"].metrics["psi_features"]) == (None, {})


def test_models_that_need_the_log_say_so(shop: pl.LazyFrame, fitted: dict[str, Outcome]) -> None:
    """The hiatus rule scores a table alone; the trees ask for --orders."""
    day = START + timedelta(days=320)
    whole, bare = (_on(shop, day, _saved(fitted["hiatus"]), log=log) for log in (True, False))
    assert whole.frame["churn_probability"].equals(bare.frame["churn_probability"])
    with pytest.raises(DataError, match="reads the order log") as refusal:
        _on(shop, day, _saved(fitted["boosted"]), log=False)
    assert refusal.value.code == "model_needs_orders"


def test_a_log_that_tells_less_is_refused(shop: pl.LazyFrame, fitted: dict[str, Outcome]) -> None:
    """A model that reads money cannot score a log without amounts, and the columns are named."""
    bare = shop.with_columns(amount=pl.lit(None, pl.Decimal(18, 4)))
    with pytest.raises(DataError, match="spend_per_order_day, which this log does not tell") as refusal:
        _on(bare, START + timedelta(days=320), _saved(fitted["logistic"]))
    assert refusal.value.code == "model_features"


def test_another_horizon_or_method_is_refused(shop: pl.LazyFrame, fitted: dict[str, Outcome]) -> None:
    """The question of the model is the question answered: asking another one is an error; the same in other words is not."""
    day, saved = START + timedelta(days=320), _saved(fitted["hiatus"])
    with pytest.raises(ConfigError, match="looks 45 days ahead, --horizon says 28"):
        _on(shop, day, saved, horizon=horizon("28d"))
    with pytest.raises(ConfigError, match="the model is hiatus, --method says boosted"):
        _on(shop, day, saved, method="boosted")
    assert _on(shop, day, saved, horizon=DAYS, method="hiatus").metrics["chosen"] == "hiatus"
    saved["horizon_days"] = 31
    assert _on(shop, day, saved, horizon=horizon("1m")).metrics["horizon_days"] == 31


def _changes() -> list[tuple[str, Any]]:
    def at(*path: Any, to: Any) -> Any:
        def change(document: Any) -> None:
            for step in path[:-1]:
                document = document[step]
            document[path[-1]] = to

        return change

    return [
        ("unknown method", at("model", "name", to="forest")),
        ("no method", at("model", to=[])),
        ("width", lambda document: document["model"]["features"].pop()),
        ("unknown feature", at("model", "features", 0, to="__class__")),
        ("feature twice", lambda document: document["model"]["features"].__setitem__(0, document["model"]["features"][1])),
        ("cycle", at("model", "boosted", "trees", 0, "left", 0, to=0)),
        ("horizon", at("horizon_days", to=0)),
        ("endless horizon", at("horizon_days", to=10**9)),
        ("gap", at("gap_days", to=-1)),
        ("validated", at("validated", to="yes")),
        ("usual", at("usual", to={})),
        ("usual days", at("usual", "active_days", to=-1)),
        ("usual silence", at("usual", "silent_days", to=1e300)),
        ("usual orders", at("usual", "repeat_days", to=0.5)),
        ("usual time without orders", at("usual", "repeat_days", to=0)),
        ("usual orders without time", at("usual", "active_days", to=None)),
        ("return", at("return", to=None)),
        ("key", at("extra", to=1)),
        ("calibration", at("calibration", to={"kind": "isotonic", "knots": [0.5, 0.4], "values": [0.1, 0.2]})),
        ("falling", at("calibration", to={"kind": "isotonic", "knots": [0.4, 0.5], "values": [0.3, 0.2]})),
        ("slope", at("calibration", to={"kind": "sigmoid", "knots": [], "values": [0.0, -1.0]})),
        ("reference", at("reference", to={"score": {"edges": [1], "counts": []}})),
        ("categories", at("reference", "score", "edges", to=None)),
    ]


@pytest.mark.parametrize(("name", "change"), _changes(), ids=[name for name, _ in _changes()])
def test_a_damaged_model_is_refused(shop: pl.LazyFrame, fitted: dict[str, Outcome], name: str, change: Any) -> None:
    """Whatever is not what churn learns ends with 78 before anybody is scored."""
    saved = copy.deepcopy(_saved(fitted["boosted"]))
    change(saved)
    with pytest.raises(ConfigError, match="damaged"):
        _on(shop, START + timedelta(days=300), saved)
