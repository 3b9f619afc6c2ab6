"""The value of a contact: by hand, against the published criterion, and the sums its curve must keep."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clm.models.profit import SHARES, Costs, best, contact_values, curve, cuts, stakes


def _array(*values: float) -> Any:
    return np.array(values, dtype=np.float64)


def test_what_leaving_takes_away_by_hand() -> None:
    """An order is worth 100 / 2 = 50. Half leave: who stays orders 2 / .5 = 4 times, so V = 200, W = 0, L = 200."""
    assert stakes(_array(0.5), _array(100), _array(2), _array(12), 1.0).tolist() == [200.0]


def test_the_own_rhythm_bounds_what_a_saved_customer_is_worth() -> None:
    """.2 orders at .95: 4 of them if all were theirs who stay, 2 by the rhythm: V = 2 x 50, L = (100 - 10) / .95."""
    lost = stakes(_array(0.95), _array(10), _array(0.2), _array(2), 1.0)
    assert lost.tolist() == pytest.approx([90 / 0.95])
    # lost for sure: no division by 1 - p, the rhythm alone decides; W is then what clv tells of who left
    assert stakes(_array(1.0), _array(10), _array(0.2), _array(2), 1.0).tolist() == pytest.approx([90])


def test_who_stays_orders_once_at_least_and_nobody_loses_more_than_all() -> None:
    """.1 orders at .5 would be .2 of who stays, less than staying means: one order of 50, and L no more than that."""
    assert stakes(_array(0.5), _array(5), _array(0.1), _array(0.3), 1.0).tolist() == [50.0]
    # the value of twice the churn horizon: of who is silent within the first half some order in the second
    assert stakes(_array(0.5), _array(100), _array(3), _array(12), 2.0).tolist() == pytest.approx([(100 / 3 * 4 - 100) / 0.5])
    # a value that looks a quarter of the churn horizon ahead holds a quarter of that order
    assert stakes(_array(0.5), _array(5), _array(0.1), _array(0.3), 0.25).tolist() == pytest.approx([12.5])


def test_nobody_who_cannot_leave_or_is_worth_nothing_has_a_stake() -> None:
    """Probability 0: leaving takes away V and is weighted with 0. No expected order or no value: L is 0."""
    lost = stakes(_array(0.0, 0.5, 0.5), _array(100, 0, 0), _array(2, 0, 2), _array(12, 12, 12), 1.0)
    assert lost.tolist() == [100.0, 0.0, 0.0]
    assert contact_values(_array(0.0), lost[:1], Costs(10, 1, 0.3)).tolist() == [-11.0]


def test_a_campaign_of_equals_earns_what_neslin_says() -> None:
    """Neslin et al. 2006, eq. 1: N a ((g CLV + d (1 - g)) b l - d - f), a share a of N contacted, no fixed cost."""
    people, clv, offer, contact, accept, churn = 1_000, 200.0, 10.0, 1.0, 0.3, 0.25
    values = contact_values(np.full(people, churn), np.full(people, clv), Costs(offer, contact, accept))
    published = people * ((accept * clv + offer * (1 - accept)) * churn - offer - contact)
    assert values.sum() == pytest.approx(published)


def test_accept_of_nobody_and_of_everybody() -> None:
    """Nobody takes it and stays: only costs. Everybody does: the whole stake is kept."""
    p, lost = _array(0.4), _array(100)
    assert contact_values(p, lost, Costs(10, 1, 0.0)).tolist() == pytest.approx([-0.6 * 10 - 1])
    assert contact_values(p, lost, Costs(10, 1, 1.0)).tolist() == pytest.approx([0.4 * 90 - 0.6 * 10 - 1])
    assert contact_values(p, lost, Costs(0, 0, 0.5)).tolist() == pytest.approx([20])


def test_risk_is_cut_where_the_curve_is_highest_and_where_it_falls_to_nothing() -> None:
    """Down the risk +5 +3 -2 -4 -9: most at 8 after the second, still 2 after the fourth, -7 after the fifth."""
    found = cuts(_array(0.1, 0.3, 0.5, 0.7, 0.9), _array(-9, -4, -2, 3, 5))
    assert found is not None
    assert (found.medium, found.high) == (0.3, 0.7)
    assert cuts(_array(0.1, 0.9), _array(-1, -2)) is None
    assert cuts(_array(), _array()) is None


_people = st.lists(
    st.tuples(st.floats(0, 1), st.floats(0, 1e4), st.floats(0, 50), st.floats(0, 50), st.floats(0.01, 1)), min_size=1, max_size=40
)
_costs = st.builds(Costs, offer=st.floats(0, 100), contact=st.floats(0, 20), accept=st.floats(0, 1))


@given(_people, _costs)
def test_stakes_are_bounded_and_values_rise_with_them(people: list[tuple[float, ...]], costs: Costs) -> None:
    """L is finite and 0 or more; a dearer offer or contact never raises a value, a higher stake never lowers it."""
    p, price, orders, most, least = (np.array(column) for column in zip(*people, strict=True))
    value = price * orders
    lost = stakes(p, value, orders, most, float(least[0]))
    assert np.isfinite(lost).all()
    assert (lost >= 0).all()
    values = contact_values(p, lost, costs)
    assert np.all(contact_values(p, lost, Costs(costs.offer + 1, costs.contact, costs.accept)) <= values)
    assert np.all(contact_values(p, lost, Costs(costs.offer, costs.contact + 1, costs.accept)) < values)
    assert np.all(contact_values(p, lost + 1, costs) >= values)


@given(st.lists(st.tuples(st.integers(-5, 5), st.integers(-9, 9)), min_size=1, max_size=50))
def test_the_curve_adds_up_and_knows_no_order(pairs: list[tuple[int, int]]) -> None:
    """At 100 % it is the sums of all, its highest point is the sum of what is above 0, rows in any order give the same."""
    expected, realised = (np.array(column, dtype=np.float64) for column in zip(*pairs, strict=True))
    steps = curve(expected, realised)
    assert [step["share"] for step in steps] == list(SHARES)
    assert (steps[-1]["customers"], steps[-1]["expected"], steps[-1]["realised"]) == (
        len(pairs), pytest.approx(expected.sum()), pytest.approx(realised.sum()),
    )  # fmt: skip
    gain = expected[expected > 0].sum()
    assert all(step["expected"] <= gain + 1e-9 for step in steps)
    assert best(expected, expected)["realised"] == pytest.approx(gain)
    order = np.random.default_rng(1).permutation(len(pairs))
    assert curve(expected[order], realised[order]) == steps
    assert curve(expected[:0], realised[:0]) == []
