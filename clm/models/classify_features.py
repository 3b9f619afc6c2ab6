"""The feature matrices the churn candidates learn from: a lean one for the logistic regression, a rich one for boosted trees.
It learns nothing and sees no label; every number comes from rows up to the snapshot's day.

One row per buyer: logarithms of 1 + days or counts, asinh of money (net spend can be negative), the log-odds of not returning,
silence against the buyer's own rhythm and gaps, recent order days against those the own rate promises and those of the horizon
before. A straight line profits from few features that keep their meaning between windows; trees from many.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from clm.models.classify_buyers import Buyers, Habits

FloatArray = NDArray[np.float64]

LEAN = (
    "silent_days",
    "age_days",
    "repeat_days",
    "silence_to_rhythm",
    "return_log_odds",
    "trend",
    "returns",
    "spend_per_order_day",
)
RICH = (
    *LEAN,
    "recent_order_days",
    "earlier_order_days",
    "last_gap_days",
    "silence_to_last_gap",
    "silence_to_longest_gap",
    "gap_irregularity",
    "spend",
    "recent_spend",
    "returned_share",
    "products",
    "products_per_order_day",
)
# Longer silence never lowers the risk, and neither does a lower chance of return.
RISING = frozenset({"silent_days", "silence_to_rhythm", "return_log_odds", "silence_to_last_gap", "silence_to_longest_gap"})
_EDGE = 1e-6  # probabilities are kept this far from 0 and 1 before their log-odds are taken


def lean_names(buyers: Buyers) -> tuple[str, ...]:
    """What `lean` can tell of these buyers: all of LEAN, without the money of a log that has none."""
    return LEAN if buyers.spend_per_order_day is not None else LEAN[:-1]


def lean(buyers: Buyers, p_return: FloatArray, names: tuple[str, ...]) -> FloatArray:
    """The matrix of the logistic regression, complete; the columns are `names`. `p_return` is the return probability."""
    found = _lean(buyers, p_return)
    return np.stack([found[name] for name in names], axis=1)


def rich_names(buyers: Buyers) -> tuple[str, ...]:
    """What `rich` can tell of these buyers: those of RICH this log knows."""
    return tuple(_rich(buyers.at(np.zeros(0, dtype=np.int64)), np.zeros(0)))


def rich(buyers: Buyers, p_return: FloatArray, names: tuple[str, ...]) -> FloatArray:
    """The matrix of the boosted trees, NaN where a buyer has no such number; the columns are `names`."""
    found = _rich(buyers, p_return)
    return np.stack([found[name] for name in names], axis=1)


def log_odds(probability: FloatArray) -> FloatArray:
    """ln(p / (1 - p)), with p kept inside (1e-6, 1 - 1e-6)."""
    inside = np.clip(probability, _EDGE, 1.0 - _EDGE)
    return np.asarray(np.log(inside) - np.log1p(-inside))


def _lean(buyers: Buyers, p_return: FloatArray) -> dict[str, FloatArray]:
    order_days = buyers.repeat_days + 1.0
    expected = order_days * np.minimum(1.0, buyers.horizon_days / (buyers.age_days + 1.0))
    found = {
        "silent_days": np.log1p(buyers.recency_days),
        "age_days": np.log1p(buyers.age_days),
        "repeat_days": np.log1p(buyers.repeat_days),
        "silence_to_rhythm": np.log1p(buyers.recency_days / np.maximum(buyers.rhythm_days, 1.0)),
        "return_log_odds": log_odds(1.0 - p_return),
        "trend": np.log1p(_habits(buyers).recent_order_days) - np.log1p(expected),
        "returns": np.log1p(buyers.returns),
    }
    if buyers.spend_per_order_day is not None:
        found["spend_per_order_day"] = np.arcsinh(buyers.spend_per_order_day)
    return found


def _rich(buyers: Buyers, p_return: FloatArray) -> dict[str, FloatArray]:
    habits, order_days = _habits(buyers), buyers.repeat_days + 1.0
    silence = np.log1p(buyers.recency_days)
    found = _lean(buyers, p_return) | {
        "recent_order_days": np.log1p(habits.recent_order_days),
        "earlier_order_days": np.log1p(habits.earlier_order_days),
        "last_gap_days": np.log(habits.last_gap_days),
        "silence_to_last_gap": silence - np.log(habits.last_gap_days),
        "silence_to_longest_gap": silence - np.log(habits.longest_gap_days),
        "gap_irregularity": habits.gap_sd_days * buyers.repeat_days / np.maximum(buyers.active_days, 1.0),
    }
    if buyers.spend_per_order_day is not None:
        found["spend"] = np.arcsinh(buyers.spend_per_order_day * order_days)
    if habits.recent_spend is not None:
        found["recent_spend"] = np.arcsinh(habits.recent_spend)
    if habits.returned_share is not None:
        found["returned_share"] = habits.returned_share
    if habits.products is not None:
        found["products"] = np.log1p(habits.products)
        found["products_per_order_day"] = np.log1p(habits.products) - np.log(order_days)
    return found


def _habits(buyers: Buyers) -> Habits:
    assert buyers.habits is not None, "features need the order log, not only the customer table"
    return buyers.habits
