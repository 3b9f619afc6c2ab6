"""The leak detector: how well one column alone tells the label, so that what knows the answer is found before it teaches.
Arrays in, numbers out; it refuses nothing itself.

A column tells by its order (either direction), by the churn rate of its values, or by where it is missing. Rates are out of fold:
a rate learned from the rows it is held against would make every id look like a leak.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from clm.models.classify_scores import auc

FloatArray = NDArray[np.float64]

LEAK = 0.95  # area under the ROC curve above which a column is taken to know the label
MOST_ROWS = 200_000
_BINS = 100  # of a number with many values
_FEW_VALUES = 200
_FEW_ROWS = 10  # with a value, of either outcome, below which their order says nothing


def alone(cell: FloatArray, labels: FloatArray, fold: NDArray[np.int64], *, category: bool) -> float:
    """The larger AUC of a column's order and of the out-of-fold churn rates of its values, a missing cell being a value."""
    step = -(-labels.size // MOST_ROWS)
    cell, labels, fold = cell[::step], labels[::step], fold[::step]
    by_rate = auc(_rates(_values(cell, category=category), labels, fold), labels) or 0.5
    return max(by_rate, 0.5 if category else _by_order(cell, labels))


def _by_order(cell: FloatArray, labels: FloatArray) -> float:
    there = ~np.isnan(cell)
    events = float(labels[there].sum())
    if min(events, int(there.sum()) - events) < _FEW_ROWS:
        return 0.5
    ranked = auc(cell[there], labels[there])
    return 0.5 if ranked is None else max(ranked, 1.0 - ranked)


def _values(cell: FloatArray, *, category: bool) -> NDArray[np.int64]:
    """Each cell as one of few values: its own, or its hundredth of the column; the last value stands for missing."""
    there = ~np.isnan(cell)
    levels = np.unique(cell[there])
    if levels.size > _FEW_VALUES and not category:
        levels = np.unique(np.quantile(cell[there], np.arange(1, _BINS) / _BINS, method="nearest"))
    place = np.searchsorted(levels, np.where(there, cell, 0.0), side="left")
    return np.where(there, place, levels.size + 1).astype(np.int64)


def _rates(value: NDArray[np.int64], labels: FloatArray, fold: NDArray[np.int64]) -> FloatArray:
    """The churn rate of each row's value among the rows of the other folds, drawn to theirs by one row."""
    rates = np.empty(labels.size)
    width = int(value.max()) + 1
    for number in np.unique(fold):
        here = fold == number
        count = np.bincount(value[~here], minlength=width)
        left = np.bincount(value[~here], weights=labels[~here], minlength=width)
        base = float(labels[~here].mean()) if np.any(~here) else 0.5
        rates[here] = ((left + base) / (count + 1.0))[value[here]]
    return rates
