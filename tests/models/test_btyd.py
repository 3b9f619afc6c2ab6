"""The public face of the BTYD families: records, refusals, identification, days to the next order."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from literature import Customers, published

from clm.models import btyd, btyd_bg
from clm.models.btyd import BtydParams, FitError
from clm.models.btyd_tuples import histories


@pytest.fixture(scope="module")
def fitted(cdnow: Customers) -> BtydParams:
    return btyd.fit("bgnbd", *cdnow.history)


def test_a_record_survives_json(fitted: BtydParams) -> None:
    """to_json, text, from_json gives an equal record, with the unit said."""
    text = json.dumps(fitted.to_json(), allow_nan=False)
    assert BtydParams.from_json(json.loads(text)) == fitted
    assert json.loads(text)["time_unit"] == "week"


def test_a_record_on_a_flat_surface_survives_json(online_retail: Customers) -> None:
    """Without standard errors the record holds null, not NaN."""
    flat = btyd.fit("paretonbd", *online_retail.history)
    assert BtydParams.from_json(json.loads(json.dumps(flat.to_json(), allow_nan=False))) == flat
    assert flat.standard_errors["s"] is None
    assert flat.confidence_interval("s") is None


def changed(document: dict[str, Any], path: str, value: object) -> dict[str, Any]:
    copy: dict[str, Any] = json.loads(json.dumps(document))
    *parents, last = path.split(".")
    place = copy
    for parent in parents:
        place = place[parent]
    place[last] = value
    return copy


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        ("family", "gompertz", "family"),
        ("family", ["bgnbd"], "family"),
        ("family", "paretonbd", "missing"),
        ("erlang", 2, "erlang"),
        ("erlang", True, "whole number"),
        ("time_unit", "day", "time_unit"),
        ("parameters.r", float("nan"), "not finite"),
        ("parameters.r", 10**400, "not finite"),
        ("parameters.r", "0.24", "text"),
        ("parameters.r", -1.0, "outside"),
        ("parameters.r", True, "true/false"),
        ("parameters.extra", 1.0, "unknown"),
        ("parameters", [1, 2, 3, 4], "a list"),
        ("standard_errors.a", -0.1, "outside"),
        ("log_likelihood", None, "null"),
        ("covariance_log", [[1.0]], "entries"),
        ("covariance_log", [[0.0] * 4] * 4, "variance"),
        ("covariance_log", [[1.0, 2.0, 0.0, 0.0], [2.0, 1.0, 0.0, 0.0], [0, 0, 1, 0], [0, 0, 0, 1]], "covariances"),
        ("covariance_log", [[1.0, 0.5, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0], [0, 0, 1, 0], [0, 0, 0, 1]], "symmetric"),
        ("identified", 1, "true or false"),
        ("customers", -5, "outside"),
        ("notes", ["rm -rf"], "notes"),
        ("notes", "few_repeat_buyers", "list"),
    ],
)
def test_a_bad_document_is_refused_with_the_entry(fitted: BtydParams, path: str, value: object, says: str) -> None:
    """Every wrong entry of a model file is a ValueError that names it."""
    with pytest.raises(ValueError, match="BTYD model") as refusal:
        BtydParams.from_json(changed(fitted.to_json(), path, value))
    assert says in str(refusal.value)


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=8,
)


@settings(max_examples=150, deadline=None)
@given(key=st.sampled_from(sorted(published("bgnbd", 1, 1, 1, 1).to_json())), value=json_values)
def test_any_document_is_read_or_refused(key: str, value: object) -> None:
    """Whatever stands in an entry: a record or a ValueError, no other error."""
    document = published("bgnbd", 1.0, 1.0, 1.0, 1.0).to_json()
    document[key] = value
    try:
        record = BtydParams.from_json(document)
    except ValueError:
        return
    assert all(math.isfinite(number) for number in record.parameters.values())


def test_a_document_that_is_no_object_is_refused() -> None:
    """A list, a number, a missing entry."""
    for document in ([], 3, None, {}, {"family": "bgnbd"}):
        with pytest.raises(ValueError, match="BTYD model"):
            BtydParams.from_json(document)


def test_confidence_interval_is_symmetric_in_logs(fitted: BtydParams) -> None:
    """exp(log +- 1.96 se(log)): never below 0 and with the estimate as its geometric middle."""
    for name, value in fitted.parameters.items():
        interval = fitted.confidence_interval(name)
        assert interval is not None
        low, high = interval
        assert 0.0 < low < value < high
        assert low * high == pytest.approx(value**2)
    low, high = fitted.confidence_interval("r") or (0.0, 0.0)
    assert math.log(high / low) == pytest.approx(2 * 1.96 * 0.012557 / 0.242595, rel=1e-3)


@pytest.mark.parametrize("family", sorted(btyd.FAMILIES))
def test_nobody_ordered_twice(family: str) -> None:
    """A base of one-time buyers has no rate to learn: FitError no_repeat_orders, for every family."""
    with pytest.raises(FitError) as failure:
        btyd.fit(family, [0, 0, 0], [0, 0, 0], [5, 10, 0])
    assert failure.value.code == "no_repeat_orders"
    assert "second day" in failure.value.sentence


def test_no_customers_at_all() -> None:
    """An empty base is a FitError in fit, and empty arrays in every forecast."""
    with pytest.raises(FitError):
        btyd.fit("bgnbd", [], [], [])
    params = published("bgnbd", 0.24, 4.4, 0.8, 2.4)
    assert btyd.p_alive(params, [], [], []).shape == (0,)
    assert btyd.expected_orders(params, [], [], [], [30, 60]).shape == (0, 2)
    assert btyd.p_return(params, [], [], [], 30).shape == (0,)
    assert btyd.days_to_next_order(params, [], [], [], 30).shape == (0,)


@pytest.mark.parametrize("family", sorted(btyd.FAMILIES))
@pytest.mark.parametrize(
    "history",
    [
        ([1], [1], [1]),
        ([3], [7], [7]),
        ([1, 0], [1, 0], [1, 0]),
        ([2] * 50, [10] * 50, [30] * 50),
        ([1, 1, 0, 0, 5000], [3, 9, 0, 0, 5000], [20, 20, 5, 7, 5000]),
    ],
)
def test_tiny_and_degenerate_bases_give_finite_records(family: str, history: tuple[list[int], list[int], list[int]]) -> None:
    """One customer, all equal, one enormous customer: a finite record that says what is wrong, or a FitError."""
    fitted = btyd.fit(family, *history, log_gap_sum=np.zeros(len(history[0])))
    json.dumps(fitted.to_json(), allow_nan=False)
    assert "few_repeat_buyers" in fitted.notes
    assert BtydParams.from_json(fitted.to_json()) == fitted
    orders = btyd.expected_orders(fitted, *history, 365)
    assert np.isfinite(orders).all()
    assert fitted.identified == ("parameters_not_identified" not in fitted.notes and (fitted.likelihood_ratio or 7.0) > 6.0)


def test_one_enormous_customer_is_named(cdnow: Customers) -> None:
    """One fake x = 5000 bends alpha from 4.41 to about 1: the fit says dominant_customer."""
    x, active, age = (np.append(values, extra) for values, extra in zip(cdnow.history, (5000, 272, 272), strict=True))
    bent = btyd.fit("bgnbd", x, active, age)
    assert "dominant_customer" in bent.notes
    assert bent.parameters["alpha"] < 2.5


def test_nbd_has_no_p_alive(cdnow: Customers) -> None:
    """NBD knows no leaving: P(alive) is refused rather than 1."""
    with pytest.raises(ValueError, match="no drop-out"):
        btyd.p_alive(btyd.fit("nbd", *cdnow.history), *cdnow.history)


def test_likelihood_ratio_compares_with_the_nbd(cdnow: Customers, fitted: BtydParams) -> None:
    """2 (LL of BG/NBD - LL of NBD) on the same customers."""
    plain = btyd.fit("nbd", *cdnow.history)
    assert fitted.likelihood_ratio == pytest.approx(2.0 * (fitted.log_likelihood - plain.log_likelihood), abs=1e-6)
    assert plain.likelihood_ratio is None


@pytest.mark.parametrize(
    ("history", "says"),
    [
        (([1], [2], [1]), "customer 0"),
        (([0, 0], [0, 3], [9, 9]), "customer 1"),
        (([1.5], [2], [3]), "customer 0"),
        (([-1], [0], [3]), "customer 0"),
        (([1], [0], [3]), "customer 0"),
        (([math.nan], [0], [3]), "customer 0"),
        (([0], [0], [math.inf]), "customer 0"),
        (([0, 1], [0], [3]), "same length"),
    ],
)
def test_impossible_histories_are_refused(history: tuple[list[float], list[float], list[float]], says: str) -> None:
    """t_x > T, fractions of orders, NaN: ValueError with the customer's number, in fit and in forecasts."""
    with pytest.raises(ValueError, match=says):
        btyd.fit("bgnbd", *history)
    with pytest.raises(ValueError, match=says):
        btyd.p_return(published("bgnbd", 0.24, 4.4, 0.8, 2.4), *history, 30)


def test_impossible_arguments_are_refused(cdnow: Customers) -> None:
    """Unknown family, erlang where there is none, regular gaps without their logarithms, bad weights, bad horizons."""
    with pytest.raises(ValueError, match="unknown model family"):
        btyd.fit("gompertz", *cdnow.history)
    with pytest.raises(ValueError, match="erlang 2"):
        btyd.fit("bgnbd", *cdnow.history, erlang=2)
    with pytest.raises(ValueError, match="log_gap_sum"):
        btyd.fit("bgcnbd", *cdnow.history, erlang=2)
    with pytest.raises(ValueError, match="weights"):
        btyd.fit("bgnbd", [1], [1], [2], weights=[0])
    params = published("bgnbd", 0.24, 4.4, 0.8, 2.4)
    for horizon in (-1.0, math.nan, math.inf):
        with pytest.raises(ValueError, match="horizon"):
            btyd.expected_orders(params, [0], [0], [9], horizon)


def test_several_horizons_are_columns(cdnow: Customers, fitted: BtydParams) -> None:
    """A sequence of horizons gives one column each, equal to the single forecasts."""
    table = btyd.expected_orders(fitted, *cdnow.history, [30, 91.5, 365])
    assert table.shape == (2357, 3)
    assert np.array_equal(table[:, 1], btyd.expected_orders(fitted, *cdnow.history, 91.5))


def test_order_of_customers_does_not_matter(cdnow: Customers, fitted: BtydParams) -> None:
    """Shuffled customers give the same record to the last bit and their forecasts in their new order."""
    shuffle = np.random.default_rng(3).permutation(cdnow.x.size)
    history = tuple(values[shuffle] for values in cdnow.history)
    assert btyd.fit("bgnbd", *history) == fitted
    assert np.array_equal(btyd.expected_orders(fitted, *history, 90), btyd.expected_orders(fitted, *cdnow.history, 90)[shuffle])


def test_many_histories_are_searched_in_a_sample_and_finished_in_full() -> None:
    """With more distinct histories than the search sample the optimum is still that of all customers."""
    rng = np.random.default_rng(2)
    size = 60_000
    age = rng.integers(100, 2000, size).astype(float)
    rate, quits = rng.gamma(1.0, 1.0 / 40.0, size), rng.beta(0.8, 8.0, size)
    orders = rng.geometric(quits)  # the last order of each life
    span = rng.gamma(orders, 1.0 / rate)
    x = np.where(span <= age, orders, rng.binomial(orders, np.minimum(age / span, 1.0)))
    active = np.where(x > 0, np.ceil(np.minimum(span, age * rng.beta(x + 1.0, 1.0))), 0.0)
    known = histories(x, active, age)
    assert known.x.size > 40_000
    fitted = btyd.fit("bgnbd", x, active, age)
    assert fitted.converged
    gradient = btyd_bg.objective(known, 1, False)(np.log(fitted.values() * np.array([1.0, 7.0, 1.0, 1.0])))[1]
    assert np.abs(gradient).max() < 1e-9
