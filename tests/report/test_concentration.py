"""Concentration and portfolio: published and hand-computed figures, ties, negatives, and laws."""

from __future__ import annotations

import random
from datetime import date
from decimal import Decimal
from itertools import pairwise

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clm.report import group_numbers
from clm.report.concentration import Curve, curve
from clm.report.numbers import Numbers, Sheet

# the vector of incomes of the example pages of R's packages ineq and reldist
INCOMES = (541, 1463, 2445, 3438, 4437, 5401, 6392, 8304, 11904, 22261)
MONEY = pl.Decimal(38, 4)


def of(*values: float | str) -> Curve:
    found = curve(pl.Series([Decimal(str(value)) for value in values], dtype=MONEY))
    assert found is not None
    return found


def test_the_published_gini() -> None:
    """ineq::Gini of ten incomes is 0.4620911."""
    assert of(*INCOMES).gini() == pytest.approx(0.4620911, abs=5e-8)


def test_gini_and_lorenz_by_hand() -> None:
    """1, 2, 3, 4: the poorest half brings 30 %; G = 0.25. All alike: 0. One brings all: (n − 1)/n."""
    small = of(4, 2, 3, 1)
    assert [small.lorenz(part) for part in (0, 0.25, 0.375, 0.5, 1)] == [0, 0.1, 0.2, 0.3, 1]
    assert small.gini() == 0.25
    assert of(5, 5, 5).gini() == 0
    assert of(0, 0, 0, 9).gini() == 0.75


def test_who_crosses_an_edge_belongs_to_the_class_above() -> None:
    """Of 60, 30, 8, 2: A needs the second to reach 80, B the third to reach 95; exactly 80 ends A."""
    found = of(2, 60, 8, 30).classes()
    assert [(one.name, one.customers, one.least) for one in found] == [("A", 2, 30.0), ("B", 1, 8.0), ("C", 1, 2.0)]
    assert [one.share for one in found] == pytest.approx([0.9, 0.08, 0.02])
    assert [one.customers for one in of(80, 15, 5).classes()] == [1, 1, 1]


def test_equals_stay_together_in_the_better_class() -> None:
    """Ten who bring the same are all A; a tie at the edge takes its equals along."""
    assert [one.customers for one in of(*[7] * 10).classes()] == [10, 0, 0]
    assert [one.customers for one in of(70, 10, 10, 10).classes()] == [4, 0, 0]


def test_eighty_twenty_by_hand() -> None:
    """One of five brings 80 of 100."""
    five = of(80, 5, 5, 5, 5)
    assert (five.fewest(80), five.fewest(81), five.top_share(1)) == (1, 2, 0.8)


def test_negative_spend_brings_nothing_and_is_counted() -> None:
    """Who got more back than they paid stands at 0: the curve stays between 0 and 1."""
    found = of("-50", "10", "30")
    assert (found.negative, found.whole, found.lorenz(1 / 3)) == (1, 400_000, 0)
    assert 0 <= found.gini() <= 1
    assert found.classes()[-1].customers == 1


@pytest.mark.parametrize("values", [[], [None], [Decimal(0)], [Decimal(-3), Decimal(0)]])
def test_no_revenue_has_no_curve(values: list[Decimal | None]) -> None:
    """Shares of nothing are not known, rather than 0 or NaN."""
    assert curve(pl.Series(values, dtype=MONEY)) is None


def test_floats_are_taken_exactly() -> None:
    """Value is a float: to 1e-10, in any order the same."""
    found = curve(pl.Series([0.1, 0.2, 0.3]))
    assert found is not None
    assert found.lorenz(0.5) == pytest.approx(0.2 / 0.6)


@given(st.lists(st.integers(-500, 10**6), min_size=1, max_size=40).filter(lambda values: max(values) > 0), st.randoms())
def test_laws_of_the_curve(values: list[int], dice: random.Random) -> None:
    """Convex from 0 to 1, classes add up, no equals apart, order and unit of money make no difference."""
    found = of(*values)
    points = [found.lorenz(part) for part in group_numbers.LORENZ]
    assert (points[0], points[-1]) == (0, 1)
    widths = [after - before for before, after in pairwise(group_numbers.LORENZ)]
    slopes = [(after - before) / width for (before, after), width in zip(pairwise(points), widths, strict=True)]
    assert all(late >= early - 1e-9 for early, late in pairwise(slopes))
    assert 0 <= found.gini() <= 1 - 1 / len(values) + 1e-12
    classes = found.classes()
    assert sum(one.customers for one in classes) == len(values)
    assert sum(one.share for one in classes) == pytest.approx(1)
    assert classes[0].share >= 0.8
    assert classes[0].share + classes[1].share >= 0.95
    floors = [one.least for one in classes if one.least is not None]
    assert floors == sorted(set(floors), reverse=True)
    shuffled = dice.sample(values, len(values))
    assert (of(*shuffled).gini(), of(*shuffled).classes()) == (found.gini(), classes)
    assert of(*[100 * value for value in values]).gini() == found.gini()


def buyers(*rows: tuple[str, str, str], first: date = date(2023, 1, 1)) -> pl.DataFrame:
    """(segment, spend of 90 days, spend of 365 days)."""
    return pl.DataFrame(
        {
            "segment": [row[0] for row in rows],
            "spend_90d": [Decimal(row[1]) for row in rows],
            "spend_365d": [Decimal(row[2]) for row in rows],
            "spend": [Decimal(row[2]) for row in rows],
            "first_order_on": [first for _ in rows],
            "as_of": [date(2024, 6, 30) for _ in rows],
        },
        schema_overrides=dict.fromkeys(("spend_90d", "spend_365d", "spend"), MONEY),
    )


def portfolio(frame: pl.DataFrame) -> tuple[list[str | None], dict[str | None, float | None], dict[str | None, float | None]]:
    sheet = Sheet()
    group_numbers.add(sheet, frame)
    numbers = Numbers(sheet.frame(date(2024, 6, 30)))
    by = {name: {row.group: row.value for row in numbers.rows("portfolio", name)} for name in ("value", "growth")}
    return [row.group for row in numbers.rows("portfolio", "field")], by["value"], by["growth"]


def test_the_four_fields_of_the_portfolio() -> None:
    """Value is spend per member over that of all; growth the pace of 90 days against the 275 before: 365 evenly is 0."""
    rows = (("up", "200", "475"), ("even", "90", "365"), ("down", "0", "365"), ("small", "9", "9"), ("gone", "0", "0"))
    fields, value, growth = portfolio(buyers(*rows))
    assert fields == ["star.up", "earner.down", "star.even", "riser.small", "fader.gone"]
    assert value["even"] == pytest.approx(365 * 5 / 1214)
    assert growth["even"] == 0
    assert growth["up"] == pytest.approx((200 / 90 - 1) / (200 / 90 + 1))
    assert (growth["down"], growth["small"], growth["gone"]) == (-1, 1, None)


def test_who_gave_something_back_before_the_first_order_is_new() -> None:
    """A refund in the earlier days brings nothing rather than less: all that is there came lately."""
    fields, _, growth = portfolio(buyers(("new", "9", "8"), ("even", "90", "365")))
    assert growth == {"even": 0, "new": 1}
    assert fields == ["star.even", "riser.new"]


def test_a_short_log_has_no_growth() -> None:
    """Where less than 90 days lie before the last 90, there is no growth and no field, but a value."""
    fields, value, growth = portfolio(buyers(("a", "1", "2"), first=date(2024, 2, 1)))
    assert (fields, value, growth) == ([], {"a": 1.0}, {"a": None})
