"""The naive forecasts every model must beat, as pure functions on arrays (NBD, the sixth, is a family of btyd).
They learn from the past only: whatever they need is passed in by the caller, and nothing is fitted but the hiatus.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]


def zero(customers: int) -> FloatArray:
    """Nobody orders again."""
    return np.zeros(customers)


def mean(recent: ArrayLike, period_days: float, horizon_days: float) -> FloatArray:
    """Everybody gets the mean of the last period, `recent` (orders or money of each customer in it), per day times H."""
    values = last_period(recent, period_days, horizon_days)
    return np.full(values.shape, float(values.mean()) if values.size else 0.0)


def last_period(recent: ArrayLike, period_days: float, horizon_days: float) -> FloatArray:
    """Everybody repeats the last period of `period_days`, in proportion to the horizon; below 0 counts as 0."""
    if not period_days > 0.0:
        raise ValueError("the last period must be longer than 0 days")
    return np.asarray(np.maximum(np.asarray(recent, dtype=np.float64), 0.0) * (horizon_days / period_days))


def own_rate(repeat: ArrayLike, age_days: ArrayLike, horizon_days: float) -> FloatArray:
    """Everybody goes on at the own rate x/T; 0 at age 0. `repeat` is repeat order days, or repeat spend."""
    done, age = np.asarray(repeat, dtype=np.float64), np.asarray(age_days, dtype=np.float64)
    return np.where(age > 0.0, np.maximum(done, 0.0) / np.where(age > 0.0, age, 1.0) * horizon_days, 0.0)


def hiatus(
    repeat: ArrayLike, age_days: ArrayLike, recency_days: ArrayLike, cutoff_days: float, horizon_days: float
) -> FloatArray:
    """Own rate for those silent for at most the cut-off, 0 for the others (Wuebben & von Wangenheim 2008)."""
    silent = np.asarray(recency_days, dtype=np.float64) > cutoff_days
    return np.where(silent, 0.0, own_rate(repeat, age_days, horizon_days))


def hiatus_cutoff(recency_days: ArrayLike, returned: ArrayLike) -> float:
    """The cut-off c for which "orders again exactly when recency_days <= c" was right most often in the past.

    recency_days at an earlier snapshot, returned: whether an order followed within the horizon. -1 when it is best to
    expect nobody back; of equally good cut-offs the smallest.
    """
    recency, back = np.asarray(recency_days, dtype=np.float64), np.asarray(returned, dtype=bool)
    if recency.shape != back.shape:
        raise ValueError("recency_days and returned must have the same length")
    levels, level_of = np.unique(recency, return_inverse=True)
    gained = np.bincount(level_of, weights=np.where(back, 1.0, -1.0), minlength=levels.size)
    right = np.concatenate([[0.0], np.cumsum(gained)])
    best = int(np.argmax(right))
    return float(levels[best - 1]) if best else -1.0
