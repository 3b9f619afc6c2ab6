"""Customer histories of order logs, built in plain Python, and records with published parameters."""

from __future__ import annotations

import importlib.util
from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from math import log
from pathlib import Path

import numpy as np

from clm.models.btyd import FAMILIES, BtydParams

CALIBRATION_END = date(1997, 9, 30)


@dataclass(frozen=True)
class Customers:
    """One entry per customer, days: histories up to a cut, and the order days after it."""

    x: np.ndarray
    active: np.ndarray
    age: np.ndarray
    mean_repeat: np.ndarray
    log_gaps: np.ndarray
    later: np.ndarray

    @property
    def history(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        return self.x, self.active, self.age


def customers(days: dict[str, dict[date, float]], cut: date) -> Customers:
    rows = []
    for spend_on in (days[name] for name in sorted(days)):
        seen = sorted(day for day in spend_on if day <= cut)
        if not seen:
            continue
        gaps = [(b - a).days for a, b in pairwise(seen)]
        repeat = [spend_on[day] for day in seen[1:]]
        rows.append(
            (
                len(gaps),
                (seen[-1] - seen[0]).days,
                (cut - seen[0]).days,
                sum(repeat) / len(repeat) if repeat else np.nan,
                sum(log(gap) for gap in gaps),
                sum(day > cut for day in spend_on),
            )
        )
    return Customers(*np.array(rows).T)


def master_log() -> Path:
    """The full CDNOW log inside the lifetimes package, found without importing it."""
    spec = importlib.util.find_spec("lifetimes")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "datasets" / "CDNOW_master.txt"


def days_of(lines: list[list[str]], customer: int, day: int, amount: int) -> dict[str, dict[date, float]]:
    days: dict[str, dict[date, float]] = defaultdict(dict)
    for cells in lines:
        on = date(int(cells[day][:4]), int(cells[day][4:6]), int(cells[day][6:8]))
        days[cells[customer]][on] = days[cells[customer]].get(on, 0.0) + float(cells[amount])
    return days


def published(family: str, *values: float, erlang: int = 1) -> BtydParams:
    """A record with given parameters in weeks and nothing else known."""
    names = FAMILIES[family]
    return BtydParams(
        family=family,
        erlang=erlang,
        parameters=dict(zip(names, values, strict=True)),
        standard_errors=dict.fromkeys(names),
        covariance_log=None,
        log_likelihood=-1.0,
        likelihood_ratio=None,
        identified=True,
        converged=True,
        customers=1.0,
        repeat_customers=1.0,
        notes=(),
    )
