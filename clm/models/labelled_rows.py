"""Rows of a labelled table as one matrix, and the linear design made of it.
Arrays in, small records out; it knows no label and no column's meaning.

A matrix holds a number per cell, NaN where it is missing; a category holds the place of its level, and the place after the last
stands for all rarer levels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clm.models import records

FloatArray = NDArray[np.float64]

MOST_COLUMNS = 10_000
_CLIP = (0.001, 0.999)  # quantiles beyond which a number counts as the quantile: one income of 666,666 moves nobody else


@dataclass(frozen=True)
class Feature:
    """One column: a number (levels None; `day`: days from 1970), or a category with its levels, most frequent first.

    `other` says that rarer levels are told together by the code after the last.
    """

    name: str
    levels: tuple[str, ...] | None = None
    other: bool = False
    day: bool = False

    @property
    def codes(self) -> int:
        """How many codes the category has."""
        return 0 if self.levels is None else len(self.levels) + self.other

    def to_json(self) -> dict[str, object]:
        levels = None if self.levels is None else list(self.levels)
        return {"name": self.name, "levels": levels, "other": self.other, "day": self.day}


@dataclass(frozen=True)
class Term:
    """One column of the linear design, clipped to [low, high], standardised and weighed.

    code None: the number itself, `fill` where it is missing; -1: 1 where the cell is missing; else 1 where it has that code.
    """

    feature: int
    code: int | None
    low: float
    high: float
    fill: float
    mean: float
    scale: float

    def column(self, values: FloatArray) -> FloatArray:
        """The term of these rows, standardised."""
        cell = values[:, self.feature]
        if self.code is None:
            raw = np.clip(np.where(np.isnan(cell), self.fill, cell), self.low, self.high)
        else:
            raw = (np.isnan(cell) if self.code == -1 else cell == self.code).astype(np.float64)
        return np.asarray((raw - self.mean) / self.scale)

    def to_json(self) -> list[object]:
        return [self.feature, self.code, self.low, self.high, self.fill, self.mean, self.scale]


def term_from_json(document: object, what: str, width: int) -> Term:
    """The record `Term.to_json` wrote, held against its bounds. Raises ValueError."""
    feature, code, *numbers = records.as_list(document, what, 7)
    low, high, fill, mean, scale = (records.as_number(one, what) for one in numbers)
    if scale <= 0.0 or low > high:
        raise ValueError(f"{what}: an impossible scale or clip")
    known = None if code is None else records.as_count(code, what, -1, 10_000)
    return Term(records.as_count(feature, what, 0, width - 1), known, low, high, fill, mean, scale)


def feature_from_json(document: object, what: str) -> Feature:
    """The record `Feature.to_json` wrote. Raises ValueError."""
    found = records.as_object(document, what, ("name", "levels", "other", "day"))
    if not isinstance(found["name"], str):
        raise ValueError(f"{what}: its name is no text")
    levels = None
    if found["levels"] is not None:
        levels = tuple(str(one) for one in records.as_list(found["levels"], what))
        if len(set(levels)) != len(levels) or len(levels) > 200:
            raise ValueError(f"{what}: its levels are too many, or not all different")
    return Feature(found["name"], levels, records.as_truth(found["other"], what), records.as_truth(found["day"], what))


def design(values: FloatArray, features: Sequence[Feature], kept: Sequence[int] | None = None) -> list[Term]:
    """The terms these rows give rise to: numbers, levels, and missingness; constant ones and copies of earlier ones left out.

    `kept` are the places of the columns to look at (None: all).
    """
    terms, seen = [], set[bytes]()
    for place in range(len(features)) if kept is None else kept:
        feature, cell = features[place], values[:, place]
        missing = np.isnan(cell)
        if feature.levels is None and not missing.all():
            low, middle, high = np.quantile(cell[~missing], (_CLIP[0], 0.5, _CLIP[1]), method="nearest")
            filled = np.clip(np.where(missing, middle, cell), low, high)
            if filled.std() > 1e-12 * (1.0 + abs(filled.mean())):
                terms.append(Term(place, None, float(low), float(high), float(middle), float(filled.mean()), float(filled.std())))
        for code in (-1, *range(feature.codes)):
            raw = missing if code == -1 else cell == code
            rate = float(raw.mean())
            print_of = np.packbits(raw if raw[0] else ~raw).tobytes()
            if 0.0 < rate < 1.0 and print_of not in seen:
                seen.add(print_of)
                terms.append(Term(place, code, 0.0, 1.0, 0.0, rate, float(np.sqrt(rate * (1.0 - rate)))))
    return terms


def repeated(values: FloatArray, features: Sequence[Feature]) -> dict[tuple[str, str], list[str]]:
    """Levels with exactly the rows of an earlier column's level: that (column, level), and the columns that repeat it.

    Rows a level holds are compared whole, so `No internet service` of six columns is found beside `InternetService` No.
    """
    first: dict[bytes, tuple[str, str]] = {}
    found: dict[tuple[str, str], list[str]] = {}
    for place, feature in enumerate(features):
        for code, level in enumerate(feature.levels or ()):
            rows = values[:, place] == code
            if not rows.any():
                continue
            same = first.setdefault(np.packbits(rows).tobytes(), (feature.name, level))
            if same[0] != feature.name:
                found.setdefault(same, []).append(feature.name)
    return found


def telling(values: FloatArray, labels: FloatArray, features: Sequence[Feature], most: int) -> list[int]:
    """The `most` columns that explain most of the label on their own, in their order: by r² of numbers, η² of categories."""
    if len(features) <= most:
        return list(range(len(features)))
    spread = labels - labels.mean()
    explained = np.zeros(len(features))
    for place, feature in enumerate(features):
        cell = values[:, place]
        there = ~np.isnan(cell)
        if feature.levels is None and there.any():
            own = np.where(there, cell - cell[there].mean(), 0.0)
            scale = float(own @ own)
            explained[place] = float(own @ spread) ** 2 / scale if scale > 0.0 else 0.0
        else:
            level = np.where(there, cell, feature.codes).astype(np.int64)
            count = np.bincount(level, minlength=feature.codes + 1)
            sums = np.bincount(level, weights=spread, minlength=feature.codes + 1)
            explained[place] = float(np.sum(sums[count > 0] ** 2 / count[count > 0]))
    return sorted(np.argsort(-explained, kind="stable")[:most].tolist())


def usual(values: FloatArray, features: Sequence[Feature]) -> FloatArray:
    """What these rows usually hold: the lower median of numbers, the most frequent code; NaN where every cell is missing."""
    found = np.full(len(features), np.nan)
    for place, feature in enumerate(features):
        cell = values[:, place]
        cell = cell[~np.isnan(cell)]
        if cell.size and feature.levels is None:
            found[place] = np.sort(cell)[(cell.size - 1) // 2]
        elif cell.size:
            found[place] = np.bincount(cell.astype(np.int64)).argmax()
    return found
