"""Histories (x, t_x, T): checks them and reduces customers to distinct ones, because fits and forecasts depend on nothing else.
Knows no model; keeps the unit of time it is given.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]
IndexArray = NDArray[np.intp]


@dataclass(frozen=True)
class Histories:
    """Distinct histories, one entry each: `x` repeats, `active` (t_x) and `age` (T), `count` customers (or weight).

    `of_customer[i]` is the entry of customer i, so `values[of_customer]` hands a result back to the customers.
    """

    x: FloatArray
    active: FloatArray
    age: FloatArray
    count: FloatArray
    of_customer: IndexArray

    def scaled(self, unit: float) -> "Histories":
        """The same histories with time measured in multiples of `unit`."""
        return Histories(self.x, self.active / unit, self.age / unit, self.count, self.of_customer)

    def thinned(self, most: int) -> "Histories":
        """Every n-th history, at most about `most`: a sample like the whole, as they are sorted, to search coarsely in."""
        step = -(-self.x.size // most)
        if step <= 1:
            return self
        kept = slice(step // 2, None, step)
        x, active, age, count = self.x[kept], self.active[kept], self.age[kept], self.count[kept]
        return Histories(x, active, age, count, np.arange(x.size))


def histories(repeat_days: ArrayLike, active_days: ArrayLike, age_days: ArrayLike, weights: ArrayLike | None = None) -> Histories:
    """Check n customers and reduce them to distinct histories, sorted by (x, t_x, T).

    Raises ValueError when the arrays differ in length or an entry is not a possible history: whole x >= 0,
    0 <= t_x <= T, and t_x > 0 exactly when x > 0; weights must be finite and > 0.
    """
    x, active, age = (_floats(values) for values in (repeat_days, active_days, age_days))
    if not x.shape == active.shape == age.shape:
        raise ValueError("repeat_days, active_days and age_days must have the same length")
    weight = None if weights is None else _floats(weights)
    if weight is not None and (weight.shape != x.shape or not np.all((weight > 0.0) & np.isfinite(weight))):
        raise ValueError("weights must be one finite number above 0 per customer")
    possible = (x >= 0.0) & (active >= 0.0) & (active <= age) & np.isfinite(age) & (x == np.floor(x))
    possible &= (x > 0.0) == (active > 0.0)
    if not np.all(possible):
        row = int(np.argmin(possible))
        raise ValueError(f"customer {row}: repeat_days, active_days and age_days are not a possible history")
    key_a, key_t, key_x = _whole(age), _whole(active), _whole(x)
    spans = [int(key.max(initial=0)) + 1 for key in (key_x, key_t, key_a)]
    if spans[0] * spans[1] * spans[2] >= 2**62:
        raise ValueError("histories span too many different values")
    key_x *= spans[1]  # in place: ten million customers are 80 MB an array
    key_x += key_t
    key_x *= spans[2]
    key_x += key_a
    member, of_customer = _distinct(key_x)
    count = np.bincount(of_customer, weights=weight, minlength=member.size).astype(np.float64)
    return Histories(x[member], active[member], age[member], count, of_customer)


def distinct_pairs(first: FloatArray, second: FloatArray) -> tuple[FloatArray, FloatArray, IndexArray]:
    """Distinct pairs of two columns, and for each row the entry it belongs to."""
    low, high = _whole(first), _whole(second)
    member, of_row = _distinct(low * (int(high.max(initial=0)) + 1) + high)
    return first[member], second[member], of_row


def _distinct(key: NDArray[np.int64]) -> tuple[IndexArray, IndexArray]:
    """For each distinct key, in rising order, a row that has it; for each row the entry of its key."""
    # np.unique sorts three times as long to say which row was the first, and any of them will do.
    ranked = np.argsort(key)
    ordered = key[ranked]
    begins = np.ones(key.size, dtype=np.bool_)
    np.not_equal(ordered[1:], ordered[:-1], out=begins[1:])
    entry = np.empty(key.size, dtype=np.intp)
    entry[ranked] = np.cumsum(begins) - 1
    return ranked[begins], entry


def _floats(values: ArrayLike) -> FloatArray:
    array = np.atleast_1d(np.asarray(values, dtype=np.float64))
    if array.ndim != 1:
        raise ValueError("expected one number per customer")
    return array


def _whole(values: FloatArray) -> NDArray[np.int64]:
    # Days are whole numbers and serve as their own rank; other units (weeks, scaled time) are ranked first.
    if values.size and values.max() < 2**20 and bool(np.all(values == np.floor(values))):
        return values.astype(np.int64)
    return np.unique(values, return_inverse=True)[1].astype(np.int64)
