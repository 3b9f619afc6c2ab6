"""Margins on revenue from what the goods cost: the base's, and each customer's own drawn towards it.
Arrays in, arrays out; it knows no table.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Margins:
    """`shares`: one margin per customer, 0 to 1. `base`: 1 - total cost / total spend over the `known` customers, None for none.

    `clipped`: customers whose margin would have been below 0 or above 1.
    """

    shares: FloatArray
    base: float | None
    known: int
    clipped: int


def shrunken(spend: ArrayLike, cost: ArrayLike) -> Margins:
    """Margins from net spend and cost of goods, NaN where not known.

    A customer's own margin rests on a few orders; as a forecast it is drawn towards the base's by one average customer's spend K:
    (spend - cost + K base)/(spend + K). Who has no cost, or no spend above 0, has the base's. Without a base nothing is known
    and every share is 0.
    """
    paid, goods = np.asarray(spend, dtype=np.float64), np.asarray(cost, dtype=np.float64)
    known = np.isfinite(paid) & np.isfinite(goods) & (paid > 0.0)
    total = float(np.sum(paid[known]))
    if total <= 0.0:
        return Margins(np.zeros_like(paid), None, 0, 0)
    base = 1.0 - float(np.sum(goods[known])) / total
    one = total / int(known.sum())
    safe_paid, safe_goods = np.where(known, paid, 0.0), np.where(known, goods, 0.0)
    shares = (safe_paid - safe_goods + one * base) / (safe_paid + one)
    clipped = int(np.count_nonzero((shares < 0.0) | (shares > 1.0)))
    return Margins(np.clip(shares, 0.0, 1.0), base, int(known.sum()), clipped)
