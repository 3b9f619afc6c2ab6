"""Margins from costs: the base's, and each customer's drawn to it by one average customer's spend."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clm.models import margin

MONEY = st.floats(0.01, 1e6)


def test_by_hand() -> None:
    """Spend 100 and 300, goods 80 and 120: base 1 − 200/400 = 50 %, K = 200; (20 + 100)/300 and (180 + 100)/500."""
    found = margin.shrunken([100.0, 300.0, np.nan, 50.0], [80.0, 120.0, 10.0, np.nan])
    assert found.base == pytest.approx(0.5)
    assert (found.known, found.clipped) == (2, 0)
    assert found.shares == pytest.approx([0.4, 0.56, 0.5, 0.5])


def test_nothing_known_has_no_base() -> None:
    """No customer with spend and cost: no margin, for anybody."""
    found = margin.shrunken([np.nan, 0.0, -5.0], [1.0, 1.0, 1.0])
    assert (found.base, found.known) == (None, 0)
    assert found.shares.tolist() == [0.0, 0.0, 0.0]


def test_goods_dearer_than_their_price_are_counted() -> None:
    """A margin below 0 is held at 0 and said: a lifetime value is never negative."""
    found = margin.shrunken([10.0, 10.0], [100.0, 100.0])
    assert found.shares.tolist() == [0.0, 0.0]
    assert (found.clipped, found.base) == (2, -9.0)


@given(st.lists(st.tuples(MONEY, st.floats(0.0, 1.0)), min_size=1, max_size=30))
def test_every_share_lies_between_the_own_and_the_base(rows: list[tuple[float, float]]) -> None:
    """Shrinking moves towards the base and never past it; equal customers have equal margins."""
    spend = np.array([paid for paid, _ in rows])
    own = np.array([share for _, share in rows])
    found = margin.shrunken(spend, spend * (1 - own))
    assert found.base is not None
    low, high = np.minimum(own, found.base), np.maximum(own, found.base)
    assert np.all((low - 1e-9 <= found.shares) & (found.shares <= high + 1e-9))
