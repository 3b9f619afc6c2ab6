"""`from_label`: a table with a label teaches, and every row is scored by a fit that has not seen its label.

It may not let a column that knows the answer teach unasked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from clm.errors import DataError
from clm.models import drift, labelled_folds, labelled_reasons, labelled_rows, paired
from clm.models.labelled_rows import Feature
from clm.outcome import Notice, Outcome, Rows, counted
from clm.stages.labelled import label as labels
from clm.stages.labelled import leaks, matrix, roles, telling
from clm.stages.labelled.label import Label
from clm.stages.labelled.saved import Saved
from clm.stages.labelled.table import ROW, Given, check_key, finished
from clm.tables import CHURN_BASES

_OUT_OF_FOLD, _ALL_ROWS, _ = CHURN_BASES


@dataclass(frozen=True)
class Asked:
    """What the user says: the label (`Churn` or `Churn=Yes`), columns allowed to tell it, the method (None: the best)."""

    label: str
    allow: Sequence[str] = ()
    method: str | None = None


def from_label(given: Given, asked: Asked, seed: int) -> Outcome:
    """Every row of the table with its probability, in its order: out of fold where the label is known, else by all rows with one.

    Raises DataError when the label cannot be understood, when a column knows it, or when rows share a key.
    """
    column, value = labels.named(asked.label, given.frame.columns)
    leaks.check_allowed(asked.allow, given.frame.columns)
    check_key(given)
    label = labels.label(column, given.text[column], value, given.name)
    # by key, so that the order of the rows decides nothing
    order = given.key.arg_sort()
    frame, churned = given.frame.gather(order), label.churned.gather(order)
    known = churned.is_not_null()
    taught = frame.filter(known)
    found = roles.roles(taught, [column, given.key.name], given.undecided)
    features = matrix.features(taught, found)
    _check_features(features, found, given.name)
    values = matrix.values(frame, features)
    rows, outcome = known.to_numpy(), churned.drop_nulls().to_numpy()
    fold = labelled_folds.folds(outcome, seed)
    alone = leaks.measured(taught, outcome, fold, features)
    leaks.refuse(alone, asked.allow, column, given.name)
    learned = labelled_folds.learn(values[rows], outcome, fold, features, asked.method, seed)
    saved = _saved(label, given, features, values[rows], outcome, learned)
    few = labelled_folds.events(outcome) if labelled_folds.events(outcome) < labelled_folds.MIN_EVENTS else None

    probability, causes, basis = _scored(values, rows, fold, learned, saved)
    status = "not_validated" if few is not None else "ok"
    out = finished(given, order, frame, saved, probability, causes, basis, status)
    names = [one.name for one in learned.candidates]
    gaps = paired.differences(names, [one.probability for one in learned.candidates], outcome, learned.chosen, seed)
    weights = [] if few is not None else labelled_reasons.importance(learned.winner, values[rows], outcome, fold, seed)
    metrics = {
        "label": {"column": column, "churned": label.left, "stayed": list(label.stayed)},
        "key": given.key.name,
        "rows_labelled": label.known,
        "rows_unlabelled": frame.height - label.known,
        "base_rate": float(outcome.mean()),
        "folds": labelled_folds.FOLDS,
        "candidates": [one.to_json() for one in learned.candidates],
        "chosen": learned.chosen,
        "chosen_on": learned.chosen_on,
        "calibration": learned.final.calibration.kind if learned.final.calibration else "none",
        "differences": [one.to_json() for one in gaps],
        **telling.curves(learned.winner, outcome),
        "importance": [{"column": features[one.column].name, "log_loss": one.log_loss, "auc": one.auc} for one in weights],
        "columns": telling.columns_json(found),
        "alone": [one.to_json() for one in alone[:20]],
        "leaks_allowed": [one.column for one in alone if one.column in asked.allow],
        **telling.counts(out),
    }
    notices = [
        *telling.column_notices(found, roles.nearly_told(taught, found), labelled_rows.repeated(values[rows], features)),
        *leaks.notices(alone, asked.allow, column),
        *telling.learned_notices(learned, few),
    ]
    taught_rows, taught_columns = labelled_folds.most(outcome.size, len(features))
    if (taught_rows, taught_columns) != (outcome.size, len(features)):
        told = (
            f"each fit learns from {counted(taught_rows, 'row')} and the {counted(taught_columns, 'column')} that tell most alone"
        )
        notices.append(Notice("table_large", f"{told}, of {outcome.size:,} and {len(features):,}; every row is scored"))
    if label.known < frame.height:
        rest = frame.height - label.known
        notices.append(
            Notice("rows_unlabelled", f"{counted(rest, 'row')} without a label: scored by the fit to all that have one")
        )
    share = f"{label.column}={label.left} {float(outcome.mean()):.1%}"
    tested = "not tested" if few is not None else telling.tested(learned.winner)
    return Outcome(
        frame=out,
        rows=Rows(frame.height, out.height),
        metrics=metrics,
        warnings=tuple(notices),
        learned=saved.to_json(),
        closing=telling.closing(out, share, learned.chosen, tested),
    )


def _check_features(features: Sequence[Feature], found: Sequence[roles.Role], name: str) -> None:
    if not features:
        raise DataError(
            "there is no column to learn from",
            where=f"{name}: {'; '.join(f'{one.name} ({one.told})' for one in found[:5])}" if found else name,
            fix="add columns that say something about the customers before they left",
            code="no_columns",
        )
    if len(features) > labelled_rows.MOST_COLUMNS:
        raise DataError(
            f"{len(features):,} columns, at most {labelled_rows.MOST_COLUMNS:,} can teach",
            where=name,
            fix="leave out those that say nothing",
            code="columns_many",
        )


def _saved(
    label: Label, given: Given, features: list[Feature], values: Any, outcome: Any, learned: labelled_folds.Learned
) -> Saved:
    usual = labelled_rows.usual(values[outcome == 0.0], features)
    return Saved(
        label=label.column,
        churned=label.left,
        key=None if given.key.name == ROW else given.key.name,
        features=tuple(features),
        usual=tuple(None if one != one else float(one) for one in usual),  # NaN: no cell at all
        scorer=learned.final,
        validated=labelled_folds.events(outcome) >= labelled_folds.MIN_EVENTS,
        base_rate=float(outcome.mean()),
        trained_on=given.sha256,
        columns=tuple(
            drift.reference(values[:, place], None if feature.levels is None else feature.codes)
            for place, feature in enumerate(features)
        ),
        scores=drift.reference(learned.winner.probability),
    )


def _scored(values: Any, rows: Any, fold: Any, learned: labelled_folds.Learned, saved: Saved) -> tuple[Any, Any, list[str]]:
    """Probability and reasons of every row, each by the fit that may score it, and which that was."""
    usual = saved.usual_cells
    probability = learned.final.probability(values)
    causes = labelled_reasons.reasons(learned.final, values, usual)
    places = rows.nonzero()[0]
    for number, scorer in enumerate(learned.winner.scorers):
        here = places[fold == number]
        causes[here] = labelled_reasons.reasons(scorer, values[here], usual)
    probability[places] = learned.winner.probability
    return probability, causes, [_OUT_OF_FOLD if one else _ALL_ROWS for one in rows.tolist()]
