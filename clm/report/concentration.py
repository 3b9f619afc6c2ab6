"""Concentration: how few customers bring how much. Lorenz curve, Gini, 80/20 and the classes A, B, C; whole numbers inside.

It may not know what the values are. Who brings less than nothing (more came back than was bought) brings nothing here: a curve
that falls below zero has no Gini between 0 and 1. How many they are is counted, and the total is that of the others.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

A_EDGE, B_EDGE = 80, 95  # percent of the whole that A, and A with B, bring
CLASSES = ("A", "B", "C")
_EXACT = pl.Decimal(38, 10)


@dataclass(frozen=True)
class Share:
    """The members of a class: how many, what they bring (of the whole), and the least any of them brings."""

    name: str
    customers: int
    share: float
    least: float | None


@dataclass(frozen=True)
class Curve:
    """Values in order, the least first, as whole numbers of their last decimal (money 1e-4, floats 1e-10)."""

    ascending: pl.Series
    negative: int
    unit: float

    @property
    def customers(self) -> int:
        return len(self.ascending)

    @property
    def whole(self) -> int:
        return int(self.ascending.sum())

    def top_share(self, customers: int) -> float:
        """What the best so many bring, of the whole."""
        return int(self.ascending.tail(customers).sum()) / self.whole

    def fewest(self, percent: int) -> int:
        """The smallest number of customers who bring so many percent of the whole."""
        return self._below(percent) + 1

    def lorenz(self, part: float) -> float:
        """What the poorest `part` (0 to 1) of the customers bring, of the whole; straight between two customers."""
        at = part * self.customers
        full = min(int(at + 1e-9), self.customers)
        inside = int(self.ascending.head(full).sum())
        rest = max(at - full, 0.0) if full < self.customers else 0.0
        return (inside + (rest * int(self.ascending[full]) if rest > 1e-9 else 0)) / self.whole

    def gini(self) -> float:
        """1 − twice the area under the Lorenz curve: 0 when all bring the same, (n − 1)/n when one brings all.

        Gini 1912; G = (n + 1 − 2 Σ C_i / C_n) / n with C_i the sum of the i least values. Not corrected for small n.
        """
        n, whole = self.customers, self.whole
        area = int(self.ascending.cum_sum().sum())
        return ((n + 1) * whole - 2 * area) / (n * whole)

    def classes(self) -> tuple[Share, ...]:
        """A brings the first 80 % and B is the rest of the first 95 %: whoever crosses an edge is still above it, equals too.

        Who brings nothing is C.
        """
        edges = [self.fewest(percent) for percent in (A_EDGE, B_EDGE)]
        # the least value above each edge takes its equals along
        least = [int(self.ascending[self.customers - edge]) for edge in edges]
        counts = [*(self.customers - _count(self.ascending, below=one) for one in least), self.customers]
        found, above, brought = [], 0, 0
        for name, count in zip(CLASSES, counts, strict=True):
            total = int(self.ascending.tail(count).sum())
            members = count - above
            smallest = int(self.ascending[self.customers - count]) * self.unit if members else None
            found.append(Share(name, members, (total - brought) / self.whole, smallest))
            above, brought = count, total
        return tuple(found)

    def _below(self, percent: int) -> int:
        """How many of the best bring less than so many percent."""
        return _count(self.ascending.reverse().cum_sum(), below=-(-percent * self.whole // 100))


def _count(values: pl.Series, *, below: int) -> int:
    """How many of these whole numbers are smaller."""
    return int(values.to_frame("value").select((pl.col("value") < pl.lit(below, pl.Int128)).sum()).item())


def curve(values: pl.Series) -> Curve | None:
    """The curve of decimals or floats, nulls left out; None where nobody brings anything, for then there are no shares."""
    known = values.drop_nulls()
    exact = known if known.dtype.is_decimal() else known.cast(_EXACT)
    scale = exact.dtype.scale if isinstance(exact.dtype, pl.Decimal) else 0
    whole = exact.to_physical()
    negative = _count(whole, below=0)
    ascending = whole.to_frame("value").select(pl.max_horizontal("value", pl.lit(0, pl.Int128)).sort()).to_series()
    return Curve(ascending, negative, 10.0**-scale) if len(known) and int(ascending.sum()) > 0 else None
