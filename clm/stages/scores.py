"""Scores: values become 1 (worst) to `bins` by cut-offs, which are learned from a base, saved, or given.

It may not rank rows or look at anything but the value: equal values get equal scores, one customer alone gets the same as inside
the base. Fit once, apply later: both are the same cut-offs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from itertools import pairwise
from math import isfinite
from typing import Any

import polars as pl

from clm.errors import ConfigError

Edge = int | float | Decimal

# of these, less is better; of every other number more is
LESS_IS_BETTER = frozenset(
    (
        "recency_days", "gap_mean_days", "gap_sd_days", "rhythm_days", "last_gap_days", "longest_gap_days", "rhythm_before_days",
        "returns", "returned_amount", "returns_share", "cost",
    )
)  # fmt: skip
_PLACES = 4
_LARGEST = 2**63  # of every type that is compared


@dataclass(frozen=True)
class Cuts:
    """The cut-offs of one score over `column`: a value at or beyond the k-th edge, in the better direction, has at least k + 1.

    Fewer edges than `bins` − 1: the best scores are out of reach. Equal edges: a score nobody has. `source`: fitted, file, model.
    """

    column: str
    bins: int
    edges: tuple[Edge, ...]
    source: str = "fitted"

    @property
    def more_is_better(self) -> bool:
        return self.column not in LESS_IS_BETTER

    def score(self) -> pl.Expr:
        """The score of each row's value, Int32; null where the value is, or where the customer has no sale."""
        value = pl.col(self.column)
        reached = [self._reaches(value, edge).cast(pl.Int32) for edge in self.edges]
        known = value.is_not_null() & (pl.col("orders") > 0)
        return pl.when(known).then(pl.sum_horizontal(pl.lit(1, pl.Int32), *reached)).cast(pl.Int32)

    def _reaches(self, value: pl.Expr, edge: Edge) -> pl.Expr:
        if isinstance(edge, Decimal):
            bound = pl.lit(f"{edge:f}").cast(pl.Decimal(38, _PLACES))  # as text: a literal Decimal makes Polars load numpy
        else:
            bound = pl.lit(edge, pl.Int64 if isinstance(edge, int) else pl.Float64)
        return value >= bound if self.more_is_better else value <= bound

    def to_json(self) -> dict[str, Any]:
        """JSON numbers; money as text with four decimals, as everywhere, because it must stay exact."""
        edges = [f"{edge:.{_PLACES}f}" if isinstance(edge, Decimal) else edge for edge in self.edges]
        return {"column": self.column, "bins": self.bins, "cuts": edges}


def fit(customers: pl.DataFrame | pl.LazyFrame, column: str, bins: int) -> Cuts:
    """Cut-offs that give min(bins, bins·b div n + 1), in whole numbers: b customers strictly worse, n customers with a value.

    Customers without a sale are not counted.
    """
    base = customers.lazy().filter((pl.col("orders") > 0) & pl.col(column).is_not_null())
    cuts = Cuts(column, bins, ())
    counts = base.group_by(column).agg(pl.len().cast(pl.Int64).alias("n")).sort(column, descending=not cuts.more_is_better)
    worse = pl.col("n").cum_sum() - pl.col("n")
    firsts = (
        counts.with_columns(pl.min_horizontal(worse * bins // pl.col("n").sum() + 1, pl.lit(bins, pl.Int64)).alias("score"))
        .group_by("score", maintain_order=True)
        .agg(pl.col(column).first())
        .collect(engine="streaming")
    )
    edges: list[Edge] = []
    for score, edge in firsts.iter_rows():
        edges += [edge] * (score - 1 - len(edges))
    return Cuts(column, bins, tuple(edges))


def read(record: Any, column: str, dtype: pl.DataType, where: str, source: str, *, strict: bool = False) -> Cuts:
    """Cut-offs written by somebody else: {"column", "bins", "cuts"}, held against the column's type.

    `strict`: exactly `bins` − 1 cut-offs, all different. Raises ConfigError (78).
    """
    if not isinstance(record, Mapping) or set(record) != {"column", "bins", "cuts"} or record["column"] != column:
        raise _wrong(where, f"says nothing usable of {column}", "it holds column, bins and cuts")
    bins, given = record["bins"], record["cuts"]
    if not isinstance(bins, int) or isinstance(bins, bool) or not 2 <= bins <= 9:
        raise _wrong(where, "has no usable bins", "bins is a whole number from 2 to 9")
    if not isinstance(given, list) or len(given) > bins - 1 or (strict and len(given) != bins - 1):
        count = f"{bins - 1}" if strict else f"at most {bins - 1}"
        raise _wrong(where, "has the wrong number of cut-offs", f"{bins} scores have {count}; --bins says how many scores")
    edges = tuple(_edge(one, dtype, where) for one in given)
    ascending = list(edges) if column not in LESS_IS_BETTER or strict else list(reversed(edges))
    if any(low > high or (strict and low == high) for low, high in pairwise(ascending)):
        raise _wrong(where, "has cut-offs out of order", "write them from the smallest to the largest, each once")
    # a file lists them from small to large; the k-th edge is the k-th in the better direction
    better = tuple(reversed(edges)) if strict and column in LESS_IS_BETTER else edges
    return Cuts(column, bins, better, source)


def _edge(given: Any, dtype: pl.DataType, where: str) -> Edge:
    """One cut-off in the type of the values it is compared with."""
    remedy = {
        True: "write whole numbers, such as 30",
        False: "write numbers, such as 99.5 (money with at most four decimals)",
    }[dtype.is_integer()]
    if isinstance(given, bool) or not isinstance(given, int | float | Decimal | str):
        raise _wrong(where, "has a cut-off that is no number", remedy)
    try:
        number = Decimal(str(given))
    except InvalidOperation:
        raise _wrong(where, "has a cut-off that is no number", remedy) from None
    if not number.is_finite() or abs(number) >= _LARGEST:
        raise _wrong(where, "has a cut-off that is too large or not finite", remedy)
    if dtype.is_integer():
        if number != number.to_integral_value():
            raise _wrong(where, "has a cut-off with decimals for a column of whole numbers", remedy)
        return int(number)
    if dtype.is_decimal():
        if number != round(number, _PLACES):
            raise _wrong(where, "has a cut-off with more than four decimals", remedy)
        return round(number, _PLACES)
    edge = float(number)
    assert isfinite(edge)
    return edge


def table(customers: pl.LazyFrame, score: str, column: str) -> list[dict[str, Any]]:
    """Each score that occurs, with its customers and the range of the value behind it."""
    ranges = (
        customers.drop_nulls(score)
        .group_by(score)
        .agg(pl.len().alias("customers"), pl.col(column).min().alias("from"), pl.col(column).max().alias("to"))
        .sort(score)
        .collect(engine="streaming")
    )
    return [
        {"score": one[score], "customers": one["customers"], "from": _number(one["from"]), "to": _number(one["to"])}
        for one in ranges.iter_rows(named=True)
    ]


def weighted(weights: Sequence[tuple[str, float]]) -> pl.Expr:
    """Weighted mean of score columns, over the scores a customer has; null without any."""
    total = pl.lit(0.0)
    weight = pl.lit(0.0)
    for column, one in weights:
        known = pl.col(column).is_not_null()
        total = total + pl.when(known).then(pl.col(column).cast(pl.Float64) * one).otherwise(0.0)
        weight = weight + pl.when(known).then(pl.lit(float(one))).otherwise(0.0)
    return pl.when(weight > 0).then(total / weight)


def _number(value: int | float | Decimal) -> int | float | str:
    return f"{value:.{_PLACES}f}" if isinstance(value, Decimal) else value


def _wrong(where: str, what: str, fix: str) -> ConfigError:
    return ConfigError(f"{where.split(',')[0]} {what}", where=where, fix=fix, code="cuts")
