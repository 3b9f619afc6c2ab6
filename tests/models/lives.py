"""Customers who live by a model: simulated histories with known parameters, by a clock and no formula of ours.

It may not import the models.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Lives:
    """One entry per customer, times in days: the history up to its age, ln of its gaps, and the orders after it."""

    x: np.ndarray
    active: np.ndarray
    age: np.ndarray
    log_gaps: np.ndarray
    later: np.ndarray
    alive: np.ndarray

    @property
    def history(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        return self.x, self.active, self.age


def lives(
    family: str,
    values: tuple[float, ...],
    age_weeks: np.ndarray,
    rng: np.random.Generator,
    *,
    erlang: int = 1,
    horizon_weeks: float = 0.0,
) -> Lives:
    """Order times of customers of these ages, drawn one order after the other until the horizon ends or they leave.

    values: of the family, in weeks, as the papers print them. Times are exact, not whole days.
    """
    size, end = age_weeks.size, age_weeks + horizon_weeks
    rate = rng.gamma(values[0], 1.0 / values[1], size)
    leaves, quits = np.full(size, np.inf), np.zeros(size)
    if family == "paretonbd":
        leaves = rng.exponential(1.0 / np.maximum(rng.gamma(values[2], 1.0 / values[3], size), 1e-300))
    elif family != "nbd":
        quits = rng.beta(values[2], values[3], size)
        if family.startswith("m"):
            leaves = np.where(rng.random(size) < quits, 0.0, np.inf)
    x, last, later, clock, log_gaps = (np.zeros(size) for _ in range(5))
    running = np.flatnonzero(leaves > 0.0)
    while running.size:
        gap = rng.gamma(erlang, 1.0 / np.maximum(rate[running], 1e-300))
        clock[running] += gap
        on = (clock[running] < end[running]) & (clock[running] < leaves[running])
        running, gap = running[on], gap[on]
        seen = clock[running] <= age_weeks[running]
        known = running[seen]
        x[known] += 1.0
        last[known] = clock[known]
        log_gaps[known] += np.log(np.maximum(gap[seen], 1e-300) * 7.0)
        later[running[~seen]] += 1.0
        gone = rng.random(running.size) < quits[running]
        leaves[running[gone]] = clock[running[gone]]
        running = running[~gone]
    return Lives(x, last * 7.0, age_weeks * 7.0, log_gaps, later, leaves > age_weeks)


def in_whole_days(made: Lives) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The same histories as an order log would give them: whole days, at most one order a day."""
    age = np.ceil(made.age)
    active = np.where(made.x > 0.0, np.clip(np.ceil(made.active), 1.0, age), 0.0)
    return np.minimum(made.x, active), active, age
