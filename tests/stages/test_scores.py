"""Cut-offs: fitted as the formula says, the same when applied, and nothing but usable ones are read."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clm.errors import ConfigError
from clm.stages import scores
from clm.stages.scores import Cuts

TYPES = {"recency_days": pl.Int32(), "orders": pl.Int64(), "spend": pl.Decimal(38, 4), "gap_mean_days": pl.Float64()}


def base(column: str, values: list[Any]) -> pl.DataFrame:
    """Buyers with this value each."""
    frame = pl.DataFrame({column: pl.Series(values, dtype=TYPES[column])})
    return frame if column == "orders" else frame.with_columns(orders=pl.lit(1, pl.Int64))


def applied(cuts: Cuts, values: list[Any]) -> list[int | None]:
    return base(cuts.column, values).select(cuts.score()).to_series().to_list()


def by_formula(values: list[Any], bins: int, *, more_is_better: bool) -> list[int]:
    """min(bins, bins·b div n + 1), customer by customer."""
    n = len(values)
    worse = [sum((other < value) if more_is_better else (other > value) for other in values) for value in values]
    return [min(bins, bins * b // n + 1) for b in worse]


COUNTS = st.lists(st.integers(1, 40), min_size=1, max_size=60)
MONEY = st.lists(st.integers(-(10**9), 10**17).map(lambda n: Decimal(n) / 10000), min_size=1, max_size=40)


@given(COUNTS, st.integers(2, 9))
def test_fitted_cut_offs_give_the_formula(values: list[int], bins: int) -> None:
    """Applying what was learned to the base it was learned from is scoring the base, in both directions."""
    assert applied(scores.fit(base("orders", values), "orders", bins), values) == by_formula(values, bins, more_is_better=True)
    recency = scores.fit(base("recency_days", values), "recency_days", bins)
    assert applied(recency, values) == by_formula(values, bins, more_is_better=False)


@given(MONEY, st.integers(2, 9))
def test_money_survives_the_file_exactly(values: list[Decimal], bins: int) -> None:
    """Cut-offs written to JSON and read again score every customer as before, to the fourth decimal."""
    fitted = scores.fit(base("spend", values), "spend", bins)
    again = scores.read(fitted.to_json(), "spend", TYPES["spend"], "m", "model")
    assert again.edges == fitted.edges
    assert applied(again, values) == by_formula(values, bins, more_is_better=True)


@given(COUNTS, st.integers(2, 9))
def test_one_customer_alone_scores_as_inside_the_base(values: list[int], bins: int) -> None:
    """The score is the value's, whoever else is there."""
    cuts = scores.fit(base("orders", values), "orders", bins)
    assert [applied(cuts, [value])[0] for value in values] == applied(cuts, values)


def test_a_file_lists_cut_offs_from_small_to_large() -> None:
    """30 90 180 365 days: 30 is still the best, 31 the second; a value on the edge has the better score."""
    record = {"column": "recency_days", "bins": 5, "cuts": [30, 90, 180, 365]}
    cuts = scores.read(record, "recency_days", TYPES["recency_days"], "f", "file", strict=True)
    assert applied(cuts, [0, 30, 31, 90, 91, 365, 366, None]) == [5, 5, 4, 4, 3, 2, 1, None]
    record = {"column": "spend", "bins": 3, "cuts": [Decimal("99.5"), 1000]}
    cuts = scores.read(record, "spend", TYPES["spend"], "f", "file", strict=True)
    assert applied(cuts, [Decimal("99.4999"), Decimal("99.5"), Decimal(1000), Decimal(-3)]) == [1, 2, 3, 1]


@pytest.mark.parametrize(
    ("column", "bins", "cuts"),
    [
        ("orders", 3, [1]),
        ("orders", 3, [1, 2, 3]),
        ("orders", 3, [2, 1]),
        ("orders", 3, [2, 2]),
        ("orders", 3, [1.5, 2]),
        ("orders", 3, [True, 2]),
        ("orders", 3, ["x", 2]),
        ("orders", 3, [[1], 2]),
        ("orders", 3, [2, 2**64]),
        ("orders", True, [1]),
        ("orders", 10, [*range(9)]),
        ("orders", 3, 7),
        ("spend", 2, [Decimal("0.00001")]),
        ("spend", 2, [Decimal("Infinity")]),
        ("gap_mean_days", 2, [float("nan")]),
    ],
)
def test_unusable_cut_offs_are_78(column: str, bins: Any, cuts: Any) -> None:
    """Too few, too many, unordered, twice, of the wrong kind, not finite: named, with what to write instead."""
    record = {"column": column, "bins": bins, "cuts": cuts}
    with pytest.raises(ConfigError) as raised:
        scores.read(record, column, TYPES[column], "--cuts, [x_score]", "file", strict=True)
    assert raised.value.fix


def test_learned_cut_offs_may_be_fewer_or_equal() -> None:
    """A base of one-time buyers knows no better score; in another nobody has the second one."""
    assert scores.fit(base("orders", [1, 1, 1]), "orders", 5).edges == ()
    skipped = scores.fit(base("orders", [1, 1, 1, 2]), "orders", 4)
    assert skipped.edges == (2, 2, 2)
    assert scores.read(skipped.to_json(), "orders", TYPES["orders"], "m", "model").edges == (2, 2, 2)
    with pytest.raises(ConfigError):
        scores.read(skipped.to_json() | {"cuts": [3, 2]}, "orders", TYPES["orders"], "m", "model")


def test_the_weighted_mean_is_of_the_scores_there_are() -> None:
    """Where a score is unknown the others decide; without any there is no value."""
    frame = pl.DataFrame({"a": [5, 5, None], "b": [2, None, None]}, schema={"a": pl.Int32, "b": pl.Int32})
    assert frame.select(scores.weighted([("a", 2), ("b", 1)])).to_series().to_list() == [4.0, 5.0, None]
