"""What a labelled table taught, as a document of JSON numbers, and back: the columns, the method, what its training rows held.

It may not score anybody. A document that is not exactly one of these is a ConfigError.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from clm.errors import ConfigError
from clm.models import drift, labelled_folds, labelled_rows, records
from clm.models.drift import Reference
from clm.models.labelled_folds import Scorer
from clm.models.labelled_rows import Feature

KIND = "labelled"
_KEYS = (
    "kind", "label", "churned", "key", "features", "usual", "scorer", "validated", "base_rate", "trained_on", "columns", "scores",
)  # fmt: skip


@dataclass(frozen=True)
class Saved:
    """`usual`: per column what customers who stayed usually have (None: nothing); `trained_on`: SHA-256 of the table's file;
    `columns`, `scores`: what its rows held, for drift.
    """

    label: str
    churned: str
    key: str | None
    features: tuple[Feature, ...]
    usual: tuple[float | None, ...]
    scorer: Scorer
    validated: bool
    base_rate: float
    trained_on: str
    columns: tuple[Reference, ...]
    scores: Reference

    @property
    def usual_cells(self) -> Any:
        """`usual` as an array, NaN for nothing."""
        return pl.Series(self.usual, dtype=pl.Float64).to_numpy()

    def to_json(self) -> dict[str, Any]:
        return {
            "kind": KIND,
            "label": self.label,
            "churned": self.churned,
            "key": self.key,
            "features": [feature.to_json() for feature in self.features],
            "usual": list(self.usual),
            "scorer": self.scorer.to_json(),
            "validated": self.validated,
            "base_rate": self.base_rate,
            "trained_on": self.trained_on,
            "columns": [one.to_json() for one in self.columns],
            "scores": self.scores.to_json(),
        }


def is_labelled(document: Mapping[str, Any]) -> bool:
    """Whether the churn part of a model file came from a labelled table."""
    return document.get("kind") == KIND


def from_json(document: Mapping[str, Any], name: str) -> Saved:
    """The document `to_json` wrote. Raises ConfigError (78) for anything else."""
    try:
        found = records.as_object(document, "churn", _KEYS)
        written = records.as_list(found["features"], "features")
        features = tuple(labelled_rows.feature_from_json(one, f"features[{place}]") for place, one in enumerate(written))
        width = len(features)
        if len({feature.name for feature in features}) != width or width > labelled_rows.MOST_COLUMNS:
            raise ValueError("features: a name twice, or too many")
        written = records.as_list(found["usual"], "usual", width)
        usual = tuple(None if one is None else _cell(one, feature) for one, feature in zip(written, features, strict=True))
        references = tuple(
            drift.from_json(one, f"columns[{place}]")
            for place, one in enumerate(records.as_list(found["columns"], "columns", width))
        )
        for feature, one in zip(features, references, strict=True):
            if (one.edges is None) != (feature.levels is not None) or (
                one.edges is None and len(one.counts) != feature.codes + 1
            ):
                raise ValueError(f"columns: {feature.name[:40]} has other bins than levels")
        return Saved(
            label=_word(found["label"], "label"),
            churned=_word(found["churned"], "churned"),
            key=None if found["key"] is None else _word(found["key"], "key"),
            features=features,
            usual=usual,
            scorer=labelled_folds.scorer_from_json(found["scorer"], features),
            validated=records.as_truth(found["validated"], "validated"),
            base_rate=records.as_number(found["base_rate"], "base_rate", 0.0, 1.0),
            trained_on=_word(found["trained_on"], "trained_on"),
            columns=references,
            scores=drift.from_json(found["scores"], "scores"),
        )
    except ValueError as error:
        raise ConfigError(
            f"the model {name} cannot be used: {error}",
            where=f"{name}, learned, churn",
            fix="make it with `clm churn TABLE --label COLUMN --save-model FILE`",
            code="model",
        ) from error


def _cell(value: object, feature: Feature) -> float:
    if feature.levels is None:
        return records.as_number(value, "usual")
    return records.as_number(value, "usual", 0.0, feature.codes - 1)


def _word(value: object, what: str) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{what}: expected text")
    return value
