"""Logistic regression over the rows of a labelled table: ridge, standardised, one term a level; and what each column adds to it.
Arrays in, records out; the strength of the ridge is the caller's to choose.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from clm.models import records
from clm.models.fitting import one_thread
from clm.models.labelled_rows import Feature, Term, design, term_from_json

FloatArray = NDArray[np.float64]

_NEWTON_TERMS = 300  # above which a matrix of second derivatives costs more than it saves


@dataclass(frozen=True)
class Linear:
    """log-odds = intercept + the sum of coefficient × term; `penalty` is the ridge per row it was fitted with."""

    name: ClassVar[str] = "logistic"
    terms: tuple[Term, ...]
    coefficients: tuple[float, ...]
    intercept: float
    penalty: float

    def to_json(self) -> dict[str, object]:
        return {
            "name": self.name,
            "terms": [term.to_json() for term in self.terms],
            "coefficients": list(self.coefficients),
            "intercept": self.intercept,
            "penalty": self.penalty,
        }


def fit(
    values: FloatArray,
    labels: FloatArray,
    features: Sequence[Feature],
    penalties: Sequence[float],
    kept: Sequence[int] | None = None,
) -> list[Linear]:
    """A fit for each ridge (per row, on standardised terms), to the same terms of the columns `kept` (None: all)."""
    # read once, when the libraries load (see classify.fit_logistic)
    os.environ.update(OMP_NUM_THREADS="1", OMP_WAIT_POLICY="PASSIVE", LOKY_MAX_CPU_COUNT="1")
    from sklearn.linear_model import LogisticRegression

    terms = design(values, features, kept)
    if not terms:
        rate = (labels.sum() + 0.5) / (labels.size + 1.0)
        return [Linear((), (), float(np.log(rate / (1.0 - rate))), penalty) for penalty in penalties]
    matrix = np.empty((labels.size, len(terms)))
    for place, term in enumerate(terms):
        matrix[:, place] = term.column(values)
    newton = len(terms) <= _NEWTON_TERMS
    found = []
    with one_thread():
        for penalty in penalties:
            fitted = LogisticRegression(
                C=1.0 / (penalty * labels.size),
                solver="newton-cholesky" if newton else "lbfgs",
                tol=1e-8 if newton else 1e-5,
                max_iter=200 if newton else 2_000,
            )
            fitted.fit(matrix, labels)
            weights = tuple(float(weight) for weight in fitted.coef_[0])
            found.append(Linear(tuple(terms), weights, float(fitted.intercept_[0]), penalty))
    return found


def log_odds(model: Linear, values: FloatArray) -> FloatArray:
    """ln(p / (1 - p)) of each row, summed term by term: the bits do not depend on a matrix product's threads."""
    total = np.full(values.shape[0], model.intercept)
    for term, weight in zip(model.terms, model.coefficients, strict=True):
        total += term.column(values) * weight
    return total


def of_column(model: Linear, values: FloatArray, feature: int) -> FloatArray:
    """What the terms of one column add to the log-odds of each row."""
    total = np.zeros(values.shape[0])
    for term, weight in zip(model.terms, model.coefficients, strict=True):
        if term.feature == feature:
            total += term.column(values) * weight
    return total


def from_json(document: object, width: int) -> Linear:
    """The record `to_json` wrote, over `width` columns. Raises ValueError."""
    found = records.as_object(document, "model", ("name", "terms", "coefficients", "intercept", "penalty"))
    written = records.as_list(found["terms"], "terms")
    terms = tuple(term_from_json(term, f"terms[{place}]", width) for place, term in enumerate(written))
    weights = records.as_list(found["coefficients"], "coefficients", len(terms))
    return Linear(
        terms,
        tuple(records.as_number(one, "coefficients") for one in weights),
        records.as_number(found["intercept"], "intercept"),
        records.as_number(found["penalty"], "penalty", 0.0),
    )
