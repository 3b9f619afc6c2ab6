"""The population stability index: by hand, at nothing changed, and of customers without a value."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clm.models import drift
from clm.models.drift import Reference


def test_the_index_by_hand() -> None:
    """Two bins of 10 and 30 then, 30 and 10 now, each with half a customer more: the sum over the shares, written out."""
    then = Reference((5.0,), (10, 30, 0))
    now = np.array([5.0] * 30 + [6.0] * 10)
    shares = [(10.5 / 41, 30.5 / 41), (30.5 / 41, 10.5 / 41)]
    assert drift.psi(then, now) == pytest.approx(sum((n - t) * math.log(n / t) for t, n in shares))


VALUES = st.lists(st.one_of(st.floats(-1e6, 1e6), st.just(math.nan), st.sampled_from([0.0, 1.0])), min_size=1, max_size=60)


@given(VALUES)
def test_the_same_customers_are_no_drift(values: list[float]) -> None:
    """Whatever the values, ties and missing ones included, a base is itself: 0, also through JSON and in another order."""
    known = drift.reference(np.array(values))
    read = drift.from_json(json.loads(json.dumps(known.to_json(), allow_nan=False)), "x")
    assert read == known
    assert sum(known.counts) == len(values)
    assert drift.psi(read, np.array(values[::-1])) == 0.0


@given(VALUES, VALUES)
def test_the_index_is_finite_and_never_negative(then: list[float], now: list[float]) -> None:
    """No two bases give an infinite or a negative index."""
    found = drift.psi(drift.reference(np.array(then)), np.array(now))
    assert 0.0 <= found < math.inf


def test_bins_hold_a_tenth_each() -> None:
    """A thousand different values fall into ten bins of a hundred, and none is missing."""
    known = drift.reference(np.random.default_rng(0).permutation(1_000).astype(float))
    assert max(known.counts[:-1]) - min(known.counts[:-1]) <= 2
    assert (len(known.counts), known.counts[-1]) == (11, 0)


def test_losing_the_value_is_drift() -> None:
    """Customers who suddenly have no such number are seen."""
    known = drift.reference(np.arange(100.0))
    half_gone = np.where(np.arange(100) % 2, np.nan, np.arange(100.0))
    assert drift.psi(known, half_gone) > 0.2


@pytest.mark.parametrize(
    "document",
    [
        {"edges": [1, 1], "counts": [1, 1, 1, 1]},
        {"edges": [2, 1], "counts": [1, 1, 1, 1]},
        {"edges": [1], "counts": [1, 1]},
        {"edges": [1], "counts": [1, -1, 0]},
        {"edges": [float("nan")], "counts": [1, 1, 0]},
        {"edges": []},
    ],
)
def test_a_hostile_reference_is_refused(document: object) -> None:
    """Edges that do not ascend, too many, counts that do not match: a ValueError."""
    with pytest.raises(ValueError, match="x"):
        drift.from_json(document, "x")
