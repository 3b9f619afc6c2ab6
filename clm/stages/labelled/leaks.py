"""The refusal of columns that know the answer: no model is fitted while one of them teaches unasked.

It may not measure (the models do) or leave a column out by itself: whether it is known in time only its owner can say.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import polars as pl

from clm.errors import DataError, UsageError
from clm.models import labelled_leaks
from clm.models.labelled_rows import Feature
from clm.outcome import Notice
from clm.settings import typed

SUSPECT = 0.9
_SHOWN = 5


@dataclass(frozen=True)
class Alone:
    """A column and the AUC it reaches alone."""

    column: str
    auc: float

    def to_json(self) -> dict[str, object]:
        return {"column": self.column, "auc": self.auc}


def check_allowed(allowed: Sequence[str], columns: Sequence[str]) -> None:
    """Raises UsageError for `--allow-column` names that are not there."""
    lost = next((name for name in allowed if name not in columns), None)
    if lost is not None:
        near = get_close_matches(lost, columns, 1)
        raise UsageError(
            f"--allow-column {lost}: there is no such column" + (f"; did you mean {near[0]}?" if near else ""),
            fix="name columns as the header does, separated by commas",
            code="no_such_column",
        )


def measured(frame: pl.DataFrame, labels: Any, fold: Any, known: Sequence[Feature]) -> list[Alone]:
    """Every column alone, the most telling first; of a category every value, also those too rare for a place in the model."""
    found = []
    for feature in known:
        cells, category = frame[feature.name], feature.levels is not None
        codes = cells.rank("dense") if category else cells.to_physical()
        found.append(
            Alone(feature.name, labelled_leaks.alone(codes.cast(pl.Float64).to_numpy(), labels, fold, category=category))
        )
    return sorted(found, key=lambda one: (-one.auc, one.column))


def refuse(found: Sequence[Alone], allowed: Sequence[str], label: str, name: str) -> None:
    """Raises DataError naming the columns that tell the label on their own and were not allowed."""
    leaks = [one for one in found if one.auc > labelled_leaks.LEAK and one.column not in allowed]
    if not leaks:
        return
    told = ", ".join(f"{one.column} (AUC {one.auc:.3f} alone)" for one in leaks[:_SHOWN])
    more = f" and {len(leaks) - _SHOWN} more" if len(leaks) > _SHOWN else ""
    what = "a column knows" if len(leaks) == 1 else f"{len(leaks)} columns know"
    raise DataError(
        f"{what} the label {label} by itself: {told}{more}. A model that learns from it reports what happened, not what will",
        where=f"{name}, column {leaks[0].column}",
        fix="take it out of the table; if it is known before a customer leaves: "
        + typed("allow-column", ",".join(one.column for one in leaks[:_SHOWN])),
        code="leak",
    )


def notices(found: Sequence[Alone], allowed: Sequence[str], label: str) -> list[Notice]:
    """Columns that were allowed although they tell the label, and those that come near it or carry the label's name."""
    told = []
    leaks = [one for one in found if one.auc > labelled_leaks.LEAK]
    if leaks:
        names = ", ".join(f"{one.column} (AUC {one.auc:.3f})" for one in leaks)
        told.append(Notice("leak_allowed", f"allowed although the label can be read off: {names}"))
    near = [
        one
        for one in found
        if one not in leaks
        and one.column not in allowed
        and (one.auc > SUSPECT or (one.auc > 0.6 and label.casefold() in one.column.casefold()))
    ]
    if near:
        names = ", ".join(f"{one.column} (AUC {one.auc:.3f})" for one in near[:_SHOWN])
        told.append(Notice("leak_suspect", f"tells much of the label alone, is it known before a customer leaves? {names}"))
    return told
