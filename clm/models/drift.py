"""Drift: how far a column or a score has moved from what the model was trained on, as the population stability index.
Arrays in, records out; it judges nothing.

PSI = Σ (a − e) ln(a / e) over bins, e and a the shares expected and found, each drawn from 0 by half a row. Up to 0.1 is taken
for no change, above 0.2 for one that wants a look (Siddiqi 2006, Credit Risk Scorecards; Lewis 1994).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clm.models import records

FloatArray = NDArray[np.float64]

_BINS = 10
MOST_PSI = 0.2  # above which the rows are others than those the model was made for


@dataclass(frozen=True)
class Reference:
    """What training rows held: `edges` between bins of a number (none: whole codes), rows per bin, the last for missing cells."""

    edges: tuple[float, ...] | None
    counts: tuple[int, ...]

    def to_json(self) -> dict[str, object]:
        return {"edges": None if self.edges is None else list(self.edges), "counts": list(self.counts)}


def reference(cells: FloatArray, codes: int | None = None) -> Reference:
    """The bins of a training column: tenths of its numbers, or its `codes` categories."""
    if codes is not None:
        return Reference(None, tuple(int(one) for one in _counts(cells, None, codes + 1)))
    there = cells[~np.isnan(cells)]
    edges = np.unique(np.quantile(there, np.arange(1, _BINS) / _BINS, method="nearest")) if there.size else np.empty(0)
    told = tuple(float(edge) for edge in edges)
    return Reference(told, tuple(int(one) for one in _counts(cells, told, edges.size + 2)))


def psi(known: Reference, cells: FloatArray) -> float:
    """The population stability index of these cells against the training rows."""
    size = len(known.counts)
    expected, found = np.array(known.counts, dtype=np.float64), _counts(cells, known.edges, size)
    there = (expected > 0.0) | (found > 0.0)
    if not there.any() or not cells.size:
        return 0.0
    e = (expected[there] + 0.5) / (expected.sum() + 0.5 * there.sum())
    a = (found[there] + 0.5) / (found.sum() + 0.5 * there.sum())
    return float(np.sum((a - e) * np.log(a / e)))


def by_chance(known: Reference, rows: int) -> float:
    """The index that so many rows reach on average when nothing has changed: (bins − 1)(1/n + 1/N)."""
    bins = sum(count > 0 for count in known.counts)
    return (bins - 1) * (1.0 / rows + 1.0 / sum(known.counts)) if rows and bins else 0.0


def from_json(document: object, what: str) -> Reference:
    """The record `to_json` wrote. Raises ValueError."""
    found = records.as_object(document, what, ("edges", "counts"))
    counts = tuple(records.as_count(one, what) for one in records.as_list(found["counts"], what))
    if found["edges"] is None:
        return Reference(None, counts)
    edges = tuple(records.as_number(one, what) for one in records.as_list(found["edges"], what))
    if list(edges) != sorted(set(edges)) or len(counts) != len(edges) + 2:
        raise ValueError(f"{what}: its bins are none")
    return Reference(edges, counts)


def _counts(cells: FloatArray, edges: Sequence[float] | None, size: int) -> FloatArray:
    there = ~np.isnan(cells)
    if edges is None:
        place = np.where(there, cells, 0.0).astype(np.int64)
    else:
        place = np.searchsorted(np.array(edges), np.where(there, cells, 0.0), side="left")
    return np.bincount(np.where(there, place, size - 1), minlength=size).astype(np.float64)
