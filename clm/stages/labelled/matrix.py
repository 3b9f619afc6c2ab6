"""The matrix of a labelled table: which columns of which levels it has, the numbers of each row, and each cell as text again.

It may not fit or score; what a level or a number is worth is the models' business.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from clm.models.labelled_rows import Feature
from clm.stages.labelled.roles import Role, levels


def features(frame: pl.DataFrame, found: Sequence[Role]) -> list[Feature]:
    """The columns that teach, with the levels these rows have."""
    made = []
    for role in found:
        if role.used and role.kind == "category":
            known, other = levels(frame[role.name])
            made.append(Feature(role.name, known, other))
        elif role.used:
            made.append(Feature(role.name, day=role.kind == "day"))
    return made


def values(frame: pl.DataFrame, known: Sequence[Feature]) -> Any:
    """(rows, columns) as `labelled_rows` says: NaN where a cell is missing or holds a level never seen."""
    return pl.DataFrame([_numbers(frame[feature.name], feature) for feature in known]).to_numpy()


def _numbers(cells: pl.Series, feature: Feature) -> pl.Series:
    if feature.levels is None:
        return cells.to_physical().cast(pl.Float64) if feature.day else cells.cast(pl.Float64)
    rest = float(len(feature.levels)) if feature.other else None
    codes = [float(code) for code in range(len(feature.levels))]
    told = cells.replace_strict(list(feature.levels), codes, default=rest, return_dtype=pl.Float64)
    return told.to_frame().select(pl.when(cells.is_not_null()).then(pl.col(cells.name))).to_series()


def unknown(cells: pl.Series, feature: Feature) -> int:
    """How many cells hold a level that the model has no place for."""
    if feature.levels is None or feature.other:
        return 0
    return int((~cells.is_in(list(feature.levels))).fill_null(value=False).sum())


def shown(cells: pl.Series) -> pl.Series:
    """Each cell as the reasons name it: numbers as short as they are, days ISO, `missing` where there is none."""
    text = cells.cast(pl.String)
    if cells.dtype == pl.Float64:
        text = text.str.strip_suffix(".0")
    return text.fill_null("missing")


def usual_shown(value: float, feature: Feature) -> str:
    """What customers who stayed usually have, as the reasons name it."""
    if feature.levels is None:
        number = pl.Series([value])
        return str(shown(number.cast(pl.Int32).cast(pl.Date) if feature.day else number)[0])
    code = int(value)
    return feature.levels[code] if code < len(feature.levels) else "other"
