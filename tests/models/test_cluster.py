"""k-means clusters: how many, the same whoever is first in line, applied without fitting, and refused in words."""

from __future__ import annotations

import json
import random
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from clm.models import cluster
from clm.models.cluster import Axis, Clusters

AXES = (Axis("recency_days", "log1p", "r", better=-1), Axis("orders", "log1p", "f"), Axis("spend", "asinh", "m"))
FloatArray = NDArray[np.float64]


def crowd(size: int = 120, seed: int = 3) -> FloatArray:
    """Three crowds far apart: (recency, orders, spend)."""
    dice = np.random.default_rng(seed)
    middles = ((3.0, 30.0, 3000.0), (60.0, 5.0, 200.0), (400.0, 1.0, 8.0))
    return np.vstack([np.round(np.array(one) * dice.uniform(0.8, 1.25, (size, 3)), 2) for one in middles])


def fit(values: FloatArray, k: int | None = None) -> cluster.Fit:
    return cluster.fit(values, values[:, 2], AXES, k, 0)


@cache
def three() -> Clusters:
    found = fit(crowd(), 3).clusters
    assert found is not None
    return found


def test_three_crowds_are_found_and_numbered_by_value() -> None:
    """auto takes 3: the largest stable number whose silhouette is near the best of its neighbours; 1 is worth most."""
    made = fit(crowd())
    assert made.clusters is not None
    assert len(made.clusters.centres) == 3
    assert made.clusters.names() == ["r++f++m++", "r-f-m0", "r--f--m--"]
    assert made.clusters.assign(crowd()).tolist() == [1] * 120 + [2] * 120 + [3] * 120
    chosen = next(trial for trial in made.trials if trial.k == 3)
    assert (chosen.stable, chosen.near_best) == (True, True)
    assert chosen.ari_mean == pytest.approx(1)
    assert [trial.k for trial in made.trials] == list(range(2, cluster.MOST + 1))
    assert not any(trial.stable and trial.near_best for trial in made.trials if trial.k > 3)


@settings(max_examples=5)
@given(st.randoms())
def test_the_order_of_rows_changes_no_cluster(dice: random.Random) -> None:
    """Shuffled rows: bit for bit the same centres."""
    values = crowd(40)
    order = dice.sample(range(len(values)), len(values))
    assert fit(values[order], 4).clusters == fit(values, 4).clusters


@given(st.floats(0, 4000), st.integers(1, 400), st.floats(-500, 1e6), st.integers(0, 359))
def test_one_customer_alone_is_the_customer_in_the_base(recency: float, orders: int, spend: float, place: int) -> None:
    """A row's cluster is a function of that row: alone, first, last, and with −0.0 for 0."""
    row = np.array([[recency, orders, spend]])
    alone = three().assign(row)
    base = np.vstack([crowd()[:place], row, crowd()[place:]])
    assert three().assign(base)[place] == alone[0]
    assert three().assign(np.where(row == 0, -0.0, row)) == alone


def test_equally_near_centres_go_to_the_more_valuable() -> None:
    """A tie has one answer."""
    plain = (Axis("spend", "asinh", "m"),)
    assert Clusters(plain, ((1.0,), (-1.0,))).assign(np.array([[0.0], [-0.0]])).tolist() == [1, 1]


def test_saved_and_read_is_the_same() -> None:
    """Through JSON and back: the same assignment of everybody."""
    again = cluster.read(json.loads(json.dumps(three().to_json())), AXES)
    assert again == three()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda one: one.pop("axes"),
        lambda one: one["axes"][0].update(column="other"),
        lambda one: one["axes"][0].update(sd=0),
        lambda one: one["axes"][0].update(mean="1"),
        lambda one: one["axes"][0].update(mean=1e300),
        lambda one: one["axes"][0].update(sd=1e-300),
        lambda one: one["axes"][0].update(column=[1]),
        lambda one: one["centres"][0].__setitem__(0, 10**400),
        lambda one: one["axes"][0].update(transform="exp"),
        lambda one: one["centres"].clear(),
        lambda one: one["centres"][0].pop(),
        lambda one: one["centres"][0].__setitem__(0, True),
        lambda one: one["axes"].clear(),
    ],
)
def test_a_spoiled_record_is_refused(spoil: object) -> None:
    """Whatever is missing or no number."""
    record = json.loads(json.dumps(three().to_json()))
    spoil(record)  # type: ignore[operator]
    with pytest.raises(ValueError, match=r"axes|axis|centres"):
        cluster.read(record, AXES)


@pytest.mark.parametrize(
    ("values", "k", "code"),
    [
        (np.empty((0, 3)), None, "clusters_few"),
        (np.array([[1.0, 1.0, 1.0]]), None, "clusters_few"),
        (np.array([[1.0, 1.0, 1.0]]), 2, "clusters_few"),
        (np.ones((50, 3)), None, "clusters_equal"),
        (np.ones((50, 3)), 3, "clusters_equal"),
        (crowd(1), 4, "clusters_few"),
        (np.repeat(crowd(1), 20, axis=0), 4, "clusters_few"),
    ],
)
def test_no_clusters_is_said_in_words(values: FloatArray, k: int | None, code: str) -> None:
    """Nobody, one, all equal, fewer (or fewer different) customers than clusters."""
    made = fit(values, k)
    assert made.clusters is None
    assert made.refusal is not None
    assert made.refusal.code == code


def test_noise_has_no_stable_number() -> None:
    """Thirty customers strewn about: auto refuses, and its table shows why."""
    dice = np.random.default_rng(5)
    made = fit(np.column_stack([dice.uniform(0, 400, 30), dice.uniform(1, 30, 30), dice.uniform(1, 3000, 30)]))
    assert made.refusal is not None
    assert made.refusal.code == "clusters_unstable"
    assert len(made.trials) > 5


def test_an_axis_on_which_all_are_equal_is_left_out() -> None:
    """Everybody with one order: orders say nothing."""
    values = crowd(30)
    values[:, 1] = 1
    found = fit(values, 3).clusters
    assert found is not None
    assert [axis.column for axis in found.axes] == ["recency_days", "spend"]


def test_a_large_base_is_sampled_evenly_and_fitted_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """Above the limits k is asked of a sample and the centres move in mini-batches; the crowds stay the crowds."""
    monkeypatch.setattr(cluster, "SAMPLE", 90)
    monkeypatch.setattr(cluster, "MINI_BATCH_ABOVE", 200)
    found = fit(crowd(), 3).clusters
    assert found is not None
    assert found.assign(crowd()).tolist() == [1] * 120 + [2] * 120 + [3] * 120


def test_two_kinds_of_customers_are_two_clusters() -> None:
    """Fifty alike and fifty others: no more clusters than there are different customers."""
    values = np.repeat(np.array([[1.0, 9.0, 900.0], [300.0, 1.0, 10.0]]), 50, axis=0)
    made = fit(values)
    assert made.clusters is not None
    assert made.clusters.assign(values).tolist() == [1] * 50 + [2] * 50
