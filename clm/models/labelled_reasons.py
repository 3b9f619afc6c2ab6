"""What moves the score of a labelled row: the columns that raise one customer's risk, and those the model as a whole rests on.
Arrays in, arrays out; it fits nothing and writes no sentence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from clm.models import boosted, classify_scores, labelled_linear
from clm.models.boosted import LEAF, Boosted
from clm.models.labelled_folds import Candidate, Model, Scorer
from clm.models.labelled_linear import Linear

FloatArray = NDArray[np.float64]

REASONS = 3
LEAST_EFFECT = 0.005  # a column changes the risk by half a percentage point or is no reason
MOST_COLUMNS = 100  # looked at, those with the largest part in the score first
_MOST_ROWS = 20_000  # that are shuffled to weigh a column
_BLOCK = 1 << 16


@dataclass(frozen=True)
class Importance:
    """How much worse the out-of-fold scores become when one column is shuffled: the rise of the log-loss, the fall of the AUC."""

    column: int
    log_loss: float
    auc: float


def changed(model: Model, values: FloatArray, column: int, other: FloatArray) -> FloatArray:
    """By how much the log-odds of each row change when its cell of `column` becomes `other`; `values` are left as they were."""
    before = _part(model, values, column)
    # a copy of all columns for each of them would cost more than the models
    own = values[:, column].copy()
    values[:, column] = other
    after = _part(model, values, column)
    values[:, column] = own
    return after - before


def _part(model: Model, values: FloatArray, column: int) -> FloatArray:
    """What of the log-odds depends on the column."""
    if isinstance(model, Linear):
        return labelled_linear.of_column(model, values, column)
    if isinstance(model, Boosted):
        # only the trees that test the column: all columns together then cost a few predictions, not one each
        return boosted.log_odds(replace(model, baseline=0.0, trees=tuple(t for t in model.trees if column in t.feature)), values)
    return np.zeros(values.shape[0])


def looked_at(model: Model, values: FloatArray) -> list[int]:
    """The columns the model uses, at most MOST_COLUMNS: those whose part in the score varies most among these rows."""
    columns = _used(model)
    if len(columns) <= MOST_COLUMNS:
        return columns
    some = values[:: -(-values.shape[0] // 1_000)]
    if isinstance(model, Linear):
        spread = {column: float(labelled_linear.of_column(model, some, column).std()) for column in columns}
    else:
        assert isinstance(model, Boosted)
        spread = {column: float(sum(column in tree.feature for tree in model.trees)) for column in columns}
    return sorted(sorted(columns, key=lambda column: (-spread[column], column))[:MOST_COLUMNS])


def _used(model: Model) -> list[int]:
    if isinstance(model, Linear):
        return sorted({term.feature for term in model.terms})
    if isinstance(model, Boosted):
        return sorted({column for tree in model.trees for column in tree.feature} - {LEAF})
    return []


def reasons(scorer: Scorer, values: FloatArray, usual: FloatArray) -> NDArray[np.int64]:
    """Per row the three columns that raise its risk most, strongest first; -1 fills up.

    The effect of a column is the fall of the probability when its cell alone becomes what customers who stayed usually have.
    """
    found = np.full((values.shape[0], REASONS), -1, dtype=np.int64)
    columns = [column for column in looked_at(scorer.model, values) if not np.isnan(usual[column])]
    if not columns:
        return found
    for start in range(0, values.shape[0], _BLOCK):
        rows = values[start : start + _BLOCK].copy()
        value = scorer.log_odds(rows)
        now = scorer.of_log_odds(value)
        falls = np.empty((rows.shape[0], len(columns)))
        for place, column in enumerate(columns):
            other = np.full(rows.shape[0], usual[column])
            falls[:, place] = now - scorer.of_log_odds(value + changed(scorer.model, rows, column, other))
        order = np.argsort(-falls, axis=1, kind="stable")[:, :REASONS]
        strong = np.take_along_axis(falls, order, axis=1) >= LEAST_EFFECT
        found[start : start + _BLOCK, : order.shape[1]] = np.where(strong, np.array(columns)[order], -1)
    return found


def importance(
    winner: Candidate, values: FloatArray, labels: FloatArray, fold: NDArray[np.int64], seed: int
) -> Sequence[Importance]:
    """Each column shuffled among the rows of a fold and scored by the fit that has not seen them; the most important first."""
    step = -(-labels.size // _MOST_ROWS)
    values, labels, fold = values[::step], labels[::step], fold[::step]
    generator = np.random.default_rng(seed)
    columns = sorted({column for scorer in winner.scorers for column in looked_at(scorer.model, values)})
    value, now = np.empty(labels.size), np.empty(labels.size)
    for number, scorer in enumerate(winner.scorers):
        here = fold == number
        value[here] = scorer.log_odds(values[here])
        now[here] = scorer.of_log_odds(value[here])
    base = classify_scores.losses(now, labels).mean(), classify_scores.auc(now, labels) or 0.5
    found = []
    for column in columns:
        shuffled = np.empty(labels.size)
        for number, scorer in enumerate(winner.scorers):
            here = np.flatnonzero(fold == number)
            other = values[generator.permutation(here), column]
            shuffled[here] = scorer.of_log_odds(value[here] + changed(scorer.model, values[here], column, other))
        worse = classify_scores.losses(shuffled, labels).mean() - base[0]
        lost = base[1] - (classify_scores.auc(shuffled, labels) or 0.5)
        found.append(Importance(column, float(worse), float(lost)))
    return sorted(found, key=lambda one: (-one.log_loss, one.column))
