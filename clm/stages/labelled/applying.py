"""`from_model`: another table is scored by what a labelled one taught, and held against it.

It may not learn anything from the table it scores.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from clm.errors import DataError
from clm.models import classify_scores, drift, labelled_reasons
from clm.models.drift import MOST_PSI
from clm.models.labelled_rows import Feature
from clm.outcome import Notice, Outcome, Rows, counted
from clm.stages.labelled import label as labels
from clm.stages.labelled import matrix, telling
from clm.stages.labelled.saved import Saved
from clm.stages.labelled.table import Given, check_key, finished
from clm.tables import CHURN_BASES

_MODEL = CHURN_BASES[-1]


@dataclass(frozen=True)
class Moved:
    """How far a column has moved from the training rows, and how far it would by chance."""

    name: str
    psi: float
    by_chance: float


def from_model(given: Given, model: Saved, value: str | None = None) -> Outcome:
    """Every row of a later table scored by a saved model, how far its columns have moved, and how well the scores fit a label.

    Raises DataError when the table lacks a column the model reads, or holds something else in it.
    """
    check_key(given)
    frame = _as_trained(given, model)
    values = matrix.values(frame, model.features)
    probability = model.scorer.probability(values)
    causes = labelled_reasons.reasons(model.scorer, values, model.usual_cells)
    status = "ok" if model.validated else "not_validated"
    order = pl.int_range(frame.height, eager=True)
    out = finished(given, order, frame, model, probability, causes, [_MODEL] * frame.height, status)
    moved = sorted(
        (
            Moved(feature.name, drift.psi(reference, values[:, place]), drift.by_chance(reference, frame.height))
            for place, (feature, reference) in enumerate(zip(model.features, model.columns, strict=True))
        ),
        key=lambda one: (-one.psi, one.name),
    )
    score = Moved("the score", drift.psi(model.scores, probability), drift.by_chance(model.scores, frame.height))
    furthest = max([score, *moved], key=lambda one: one.psi)
    strange = {one.name: matrix.unknown(frame[one.name], one) for one in model.features if one.levels is not None}
    strange = {name: count for name, count in strange.items() if count}
    candidates, held = _held_against(given, model, value, probability)
    metrics = {
        "label": {"column": model.label, "churned": model.churned},
        "key": given.key.name,
        "rows_labelled": held,
        "base_rate": model.base_rate,
        "candidates": candidates,
        "chosen": model.scorer.name,
        "psi": furthest.psi,
        "psi_score": score.psi,
        "psi_features": {one.name: one.psi for one in moved},
        "unknown_levels": strange,
        **telling.counts(out),
    }
    tested = f"psi {furthest.psi:.3f} ({furthest.name})"
    if candidates and candidates[0]["auc"] is not None:
        tested += (
            f", AUC {candidates[0]['auc']:.3f}, log-loss {candidates[0]['log_loss']:.3f} on {counted(held, 'row')} with a label"
        )
    return Outcome(
        frame=out,
        rows=Rows(frame.height, out.height),
        metrics=metrics,
        warnings=tuple(_notices(model, moved, score, strange, seen=held > 0 and given.sha256 == model.trained_on)),
        closing=telling.closing(out, "saved model", model.scorer.name, tested),
    )


def _as_trained(given: Given, model: Saved) -> pl.DataFrame:
    """The columns the model reads, in the types it learned them. Raises DataError for what is lacking or of another kind."""
    lost = [one.name for one in model.features if one.name not in given.frame.columns]
    if lost:
        raise DataError(
            f"the model reads {counted(len(lost), 'column')} the table lacks: {', '.join(lost[:5])}"
            + (", …" if len(lost) > 5 else ""),
            where=given.name,
            fix="give the columns the model was made with, under the same names",
            code="missing_column",
        )
    return pl.DataFrame([_as_learned(given, one) for one in model.features])


def _as_learned(given: Given, feature: Feature) -> pl.Series:
    cells = given.frame[feature.name]
    if feature.levels is not None:
        return cells if cells.dtype == pl.String else given.text[feature.name].str.normalize("NFC")
    wanted = pl.Date() if feature.day else pl.Float64()
    if cells.dtype == wanted or cells.null_count() == cells.len():
        return cells.cast(wanted, strict=False)
    kinds: dict[Any, str] = {pl.Date(): "days", pl.Float64(): "numbers", pl.String(): "words"}
    raise DataError(
        f"{feature.name} held {kinds[wanted]} when the model was made, and holds {kinds[cells.dtype]} now",
        where=f"{given.name}, column {feature.name}",
        fix="write the column as it was, or make the model anew",
        code="column_type",
    )


def _held_against(given: Given, model: Saved, value: str | None, probability: Any) -> tuple[list[dict[str, Any]], int]:
    """The scores of the saved model where this table says who left, and on how many rows."""
    if model.label not in given.text.columns or given.text[model.label].null_count() == given.text.height:
        return [], 0
    label = labels.label(model.label, given.text[model.label], value or model.churned, given.name)
    known = label.churned.is_not_null()
    outcome = label.churned.drop_nulls().to_numpy()
    scores = classify_scores.scores(probability[known.to_numpy()], outcome)
    return [{"name": model.scorer.name, **scores}], label.known


def _notices(model: Saved, moved: Sequence[Moved], score: Moved, strange: dict[str, int], *, seen: bool) -> list[Notice]:
    found = []
    if seen:
        found.append(Notice("trained_on", "this is the table the model learned from: its fit here says nothing of other tables"))
    if not model.validated:
        found.append(Notice("not_validated", "the saved model was made of too few rows to be tested"))
    # a small table differs by chance: what it would reach anyway is no drift
    far = [f"{one.name} ({one.psi:.2f})" for one in [*moved, score] if one.psi - one.by_chance > MOST_PSI]
    if far:
        told = ", ".join(far[:5]) + (", …" if len(far) > 5 else "")
        found.append(Notice("drifted", f"other rows than the model was made for (psi above {MOST_PSI}): {told}"))
    if strange:
        told = ", ".join(f"{name} ({counted(count, 'row')})" for name, count in list(strange.items())[:5])
        found.append(Notice("unknown_levels", f"values the model never saw count as missing: {told}"))
    return found
