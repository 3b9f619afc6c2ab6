"""Kaplan-Meier: the share still there after so many days, from lives of which some were not seen to end.
Arrays in, records out; it does not know what a life is, or who belongs to a group.

Notation: n lives at risk just before day t, d of them end on t; S(t) = product of (1 - d/n) (Kaplan & Meier 1958, JASA 53).
Greenwood (1926): Var S = S^2 * sum of d / (n (n - d)). Intervals: S^exp(+-z s), s = sqrt(sum) / |log S|, the log(-log) scale
(Kalbfleisch & Prentice 2002, 1.4): within 0 and 1 always, and true to their level from about 25 lives on, where the plain ones
are not (Borgan & Liestol 1990). The median's interval is where that of S holds one half (Brookmeyer & Crowley 1982).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

_Z = 1.959963984540054  # 95 % between both ends


@dataclass(frozen=True)
class Point:
    """S on one day with its Greenwood error and 95 % interval; both are None where nobody left yet or nobody remains."""

    days: int
    at_risk: int
    survival: float
    error: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Curve:
    """The steps of S: on `days` (ascending) `left` of `at_risk` lives end. `lives` are all durations, ascending.

    survival, error, low, high: values from that day on; error, low and high are NaN where S is 0.
    """

    lives: IntArray
    days: IntArray
    at_risk: IntArray
    left: IntArray
    survival: FloatArray
    error: FloatArray
    low: FloatArray
    high: FloatArray

    @property
    def customers(self) -> int:
        return int(self.lives.size)

    @property
    def ended(self) -> int:
        return int(self.left.sum())

    def at(self, days: int) -> Point | None:
        """S on a day; None beyond the longest life, unless all have ended by then."""
        if not self.lives.size:
            return None
        place = int(np.searchsorted(self.days, days, side="right")) - 1
        survival = float(self.survival[place]) if place >= 0 else 1.0
        if days > self.lives[-1] and survival > 0.0:
            return None
        at_risk = int(self.lives.size - np.searchsorted(self.lives, days, side="left"))
        if place < 0 or survival == 0.0:
            return Point(days, at_risk, survival, None, None, None)
        return Point(days, at_risk, survival, *(float(one[place]) for one in (self.error, self.low, self.high)))

    def median(self) -> tuple[int | None, int | None, int | None]:
        """First day on which S is one half or less, and its interval; None for an end that was not reached."""
        return self._first(self.survival), self._first(self.low), self._first(self.high)

    def _first(self, values: FloatArray) -> int | None:
        # where S is 0 it has no interval: both its ends are 0
        reached = np.flatnonzero((values <= 0.5) | (self.survival == 0.0))
        return int(self.days[reached[0]]) if reached.size else None


def kaplan_meier(days: IntArray, left: NDArray[np.bool_]) -> Curve:
    """The curve of these lives: `days` each was seen (0 or more), and whether it ended then (else it was still going on).

    Lives that end on a day do so before those that were only seen until it.
    """
    lives = np.sort(days)
    when, ended = np.unique(days[left], return_counts=True)
    at_risk = lives.size - np.searchsorted(lives, when, side="left")
    survival: FloatArray = np.cumprod((at_risk - ended) / at_risk, dtype=np.float64)
    remain = np.where(at_risk > ended, at_risk - ended, 1)
    hazard_variance = np.cumsum(ended / (at_risk * remain))
    none_left = survival == 0.0
    logs = np.log(np.where(none_left, 0.5, survival))
    spread = np.exp(_Z * np.sqrt(hazard_variance) / -logs)
    error, low, high = (
        np.where(none_left, np.nan, values)
        for values in (survival * np.sqrt(hazard_variance), np.exp(logs * spread), np.exp(logs / spread))
    )
    return Curve(lives, when, at_risk.astype(np.int64), ended.astype(np.int64), survival, error, low, high)
