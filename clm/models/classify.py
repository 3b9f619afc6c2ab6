"""The churn candidates: base rate, hiatus rule, return probability, logistic regression, boosted trees, and their calibration.
Arrays in, small records out; it chooses nothing, knows no date, and P(alive) is never a score.

`fit_*` learns a record of JSON numbers, `predict` turns a record into P(no order in the horizon) per customer.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from clm.models import boosted, btyd
from clm.models.boosted import Boosted
from clm.models.btyd_params import BtydParams
from clm.models.classify_buyers import Buyers
from clm.models.classify_features import RISING, lean, log_odds, rich
from clm.models.fitting import one_thread

FloatArray = NDArray[np.float64]

FAMILIES = ("bgnbd", "mbgnbd")
# Ridge per customer, not per fit: it guards against drift between one window and the next, and more rows do not make that
# smaller. Over 25 past windows of two shops (horizons of 28 to 181 days) 0.01 to 0.05 give the same log-loss as no penalty, and
# the calibration of the next window is better (0.044 against 0.075 on Online Retail, 0.029 against 0.035 on CDNOW).
PENALTY = 0.03
ISOTONIC_EVENTS = 1_000  # of the rarer outcome; below it two parameters are all the window can carry
_GROUP = 50  # customers at least behind one step of the isotonic map


@dataclass(frozen=True)
class BaseRate:
    """P(churn) = the share who left, the same for everybody: what every other candidate has to beat."""

    name: ClassVar[str] = "base_rate"
    rate: float

    def to_json(self) -> dict[str, object]:
        return {"name": self.name, "rate": self.rate}


@dataclass(frozen=True)
class Hiatus:
    """P(churn) = logistic(intercept + slope ln(1 + recency_days)): the longer the silence, the likelier gone.

    Wuebben & von Wangenheim 2008 (Journal of Marketing 72(3)): whoever is silent longer than a cut-off has left.
    """

    name: ClassVar[str] = "hiatus"
    intercept: float
    slope: float

    @property
    def cutoff_days(self) -> int | None:
        """Shortest whole silence that makes churn likelier than not; None when no silence within 100 years does."""
        if self.slope <= 0.0:
            return 0 if self.intercept >= 0.0 else None
        crossing = -self.intercept / self.slope
        return None if crossing > np.log(36_526.0) else max(0, int(np.ceil(np.expm1(crossing))))

    def to_json(self) -> dict[str, object]:
        return {"name": self.name, "intercept": self.intercept, "slope": self.slope, "cutoff_days": self.cutoff_days}


@dataclass(frozen=True)
class Return:
    """P(churn) = 1 - P(at least one order in the horizon) of the buy-till-you-die model fitted at the same snapshot."""

    name: ClassVar[str] = "return"

    def to_json(self) -> dict[str, object]:
        return {"name": self.name}


@dataclass(frozen=True)
class Logistic:
    """P(churn) = logistic(intercept + sum of coefficient (feature - mean) / scale)."""

    name: ClassVar[str] = "logistic"
    features: tuple[str, ...]
    means: tuple[float, ...]
    scales: tuple[float, ...]
    coefficients: tuple[float, ...]
    intercept: float

    def to_json(self) -> dict[str, object]:
        return {
            "name": self.name,
            "features": list(self.features),
            "means": list(self.means),
            "scales": list(self.scales),
            "coefficients": list(self.coefficients),
            "intercept": self.intercept,
            "penalty": PENALTY,
        }


@dataclass(frozen=True)
class Trees:
    """P(churn) = logistic(baseline + a leaf of every boosted tree) over the rich features."""

    name: ClassVar[str] = "boosted"
    features: tuple[str, ...]
    boosted: Boosted

    def to_json(self) -> dict[str, object]:
        return {"name": self.name, "features": list(self.features), "boosted": self.boosted.to_json()}


Model = BaseRate | Hiatus | Return | Logistic | Trees


@dataclass(frozen=True)
class Calibration:
    """A rising map from a raw probability to a calibrated one.

    sigmoid: logistic(values[0] + values[1] log-odds). isotonic: straight lines through (knots, values), from (0, 0) to (1, 1).
    """

    kind: str
    knots: tuple[float, ...]
    values: tuple[float, ...]

    def to_json(self) -> dict[str, object]:
        return {"kind": self.kind, "knots": list(self.knots), "values": list(self.values)}


def fit_return(repeat_days: ArrayLike, active_days: ArrayLike, age_days: ArrayLike) -> BtydParams | None:
    """The family of highest likelihood among those whose drop-out is identified, NBD when none is.

    None when fewer than 100 customers ordered on a second day: no family is fitted to so few.
    """
    if int(np.count_nonzero(np.asarray(repeat_days) > 0)) < btyd.MIN_REPEAT_CUSTOMERS:
        return None
    fits = [btyd.fit(family, repeat_days, active_days, age_days) for family in FAMILIES]
    sound = [fit for fit in fits if fit.identified and fit.converged]
    if sound:
        return max(sound, key=lambda fit: fit.log_likelihood)
    return btyd.fit("nbd", repeat_days, active_days, age_days)


def p_return(params: BtydParams, buyers: Buyers) -> FloatArray:
    """P(at least one order within the buyers' horizon), within [0, 1]."""
    chance = btyd.p_return(params, buyers.repeat_days, buyers.active_days, buyers.age_days, buyers.horizon_days)
    return np.clip(chance, 0.0, 1.0)


def fit_base_rate(churned: FloatArray) -> BaseRate:
    """The share who left, half a customer drawn from either end so that it is never a certainty."""
    return BaseRate(float((churned.sum() + 0.5) / (churned.size + 1.0)))


def fit_hiatus(recency_days: FloatArray, churned: FloatArray) -> Hiatus:
    """Learn the hiatus rule; silence that does not raise the churn rate gives the base rate for everybody."""
    intercept, slope = _sigmoid(np.log1p(recency_days), churned)
    if slope <= 0.0:
        return Hiatus(float(log_odds(np.array([fit_base_rate(churned).rate]))[0]), 0.0)
    return Hiatus(intercept, slope)


def fit_logistic(matrices: Sequence[FloatArray], labels: Sequence[FloatArray], names: tuple[str, ...]) -> Logistic:
    """Ridge-penalised logistic regression (scikit-learn) on the standardised rows of all matrices."""
    # Read once, when the libraries load: spinning OpenMP threads make the same fit 300 times slower, joblib starts a
    # child process to count cores, and sums over several threads differ from run to run.
    os.environ.update(OMP_NUM_THREADS="1", OMP_WAIT_POLICY="PASSIVE", LOKY_MAX_CPU_COUNT="1")
    from sklearn.linear_model import LogisticRegression

    matrix, label = np.concatenate(matrices), np.concatenate(labels)
    means, scales = matrix.mean(axis=0), matrix.std(axis=0)
    scales[scales <= 1e-12 * (1.0 + np.abs(means))] = 1.0
    strength = 1.0 / (PENALTY * label.size)
    with one_thread():
        fitted = LogisticRegression(C=strength, solver="newton-cholesky", tol=1e-10, max_iter=200)
        fitted.fit((matrix - means) / scales, label)
    return Logistic(
        features=names,
        means=tuple(float(mean) for mean in means),
        scales=tuple(float(scale) for scale in scales),
        coefficients=tuple(float(weight) for weight in fitted.coef_[0]),
        intercept=float(fitted.intercept_[0]),
    )


def fit_trees(
    matrix: FloatArray,
    labels: FloatArray,
    names: tuple[str, ...],
    *,
    later: tuple[FloatArray, FloatArray] | None,
    rounds: int = boosted.MOST_ROUNDS,
) -> Trees:
    """Boosted trees on rows of rich features; as many as `later` asks for, or exactly `rounds` (see `boosted.fit`)."""
    rising = [int(name in RISING) for name in names]
    return Trees(names, boosted.fit(matrix, labels, later=later, monotone=rising, seed=0, rounds=rounds))


def predict(model: Model, buyers: Buyers, chance: FloatArray) -> FloatArray:
    """P(churn), one value per buyer, strictly inside (0, 1); `chance` is their return probability."""
    if isinstance(model, BaseRate):
        return np.full(buyers.recency_days.shape, model.rate)
    if isinstance(model, Hiatus):
        return logistic(model.intercept + model.slope * np.log1p(buyers.recency_days))
    if isinstance(model, Return):
        return np.clip(1.0 - chance, 1e-9, 1.0 - 1e-9)
    if isinstance(model, Trees):
        return np.clip(boosted.predict(model.boosted, rich(buyers, chance, model.features)), 1e-9, 1.0 - 1e-9)
    return predict_logistic(model, lean(buyers, chance, model.features))


def predict_logistic(model: Logistic, matrix: FloatArray) -> FloatArray:
    """P(churn) of rows of features, as scikit-learn computes it from the same numbers."""
    # Summed column by column: the bits do not depend on how many threads a matrix product would use.
    total = np.full(matrix.shape[0], model.intercept)
    for column, (mean, scale, weight) in enumerate(zip(model.means, model.scales, model.coefficients, strict=True)):
        total += (matrix[:, column] - mean) / scale * weight
    return logistic(total)


def logistic(value: FloatArray) -> FloatArray:
    """1 / (1 + exp(-value)) without overflow, kept 1e-9 from 0 and 1."""
    small = np.exp(-np.abs(value))
    return np.asarray(np.clip(np.where(value >= 0.0, 1.0, small) / (1.0 + small), 1e-9, 1.0 - 1e-9))


def fit_calibration(raw: FloatArray, churned: FloatArray) -> Calibration:
    """Learn the map from predictions the labels had no part in: isotonic from 1,000 events on, else sigmoid (Platt)."""
    events = min(float(churned.sum()), churned.size - float(churned.sum()))
    if events < ISOTONIC_EVENTS:
        intercept, slope = _sigmoid(log_odds(raw), churned)
        return Calibration("sigmoid", (), (intercept, max(slope, 1e-6)))
    return _isotonic(raw, churned)


def calibrated(calibration: Calibration | None, raw: FloatArray) -> FloatArray:
    """Raw probabilities through the map (None: unchanged); still inside (0, 1), in the same order."""
    if calibration is None:
        return raw
    if calibration.kind == "sigmoid":
        return logistic(calibration.values[0] + calibration.values[1] * log_odds(raw))
    mapped = np.interp(raw, [0.0, *calibration.knots, 1.0], [0.0, *calibration.values, 1.0])
    return np.asarray(np.clip(mapped, 1e-9, 1.0 - 1e-9))


def _isotonic(raw: FloatArray, churned: FloatArray) -> Calibration:
    # Groups of at least 50 before pooling: single customers at the ends would otherwise become certainties, and one wrong
    # certainty costs more than the whole map gains (measured: log-loss .42 became .49 on CDNOW).
    from scipy.optimize import isotonic_regression

    levels, level_of, size = np.unique(raw, return_inverse=True, return_counts=True)
    group = np.minimum((np.cumsum(size) - 1) // max(_GROUP, raw.size // 200), raw.size)
    group = np.unique(group, return_inverse=True)[1]
    count = np.bincount(group, weights=size)
    left = np.bincount(group[level_of], weights=churned)
    centre = np.bincount(group, weights=levels * size) / count
    blocks = np.asarray(isotonic_regression(left / count, weights=count).blocks)
    starts = blocks[:-1]
    customers = np.add.reduceat(count, starts)
    rate = np.add.reduceat(left, starts) / customers
    knots = np.add.reduceat(centre * count, starts) / customers
    floor = 0.5 / (customers + 1.0)
    rate = np.maximum.accumulate(np.clip(rate, floor, 1.0 - floor))
    return Calibration("isotonic", tuple(float(knot) for knot in knots), tuple(float(value) for value in rate))


def _sigmoid(value: FloatArray, churned: FloatArray) -> tuple[float, float]:
    """Intercept and slope of a logistic curve in one variable: Newton's method, a ridge of 1e-6 per customer on the slope."""
    mean, scale = float(value.mean()), float(value.std())
    scale = scale if scale > 1e-12 * (1.0 + abs(mean)) else 1.0
    z = (value - mean) / scale
    rate = float((churned.sum() + 0.5) / (churned.size + 1.0))
    point = np.array([np.log(rate / (1.0 - rate)), 0.0])
    ridge = np.array([0.0, 1e-6])

    def loss(at: FloatArray) -> float:
        total = at[0] + at[1] * z
        return float(np.mean(np.logaddexp(0.0, total) - churned * total)) + 0.5 * float(ridge @ at**2)

    for _ in range(100):
        p = logistic(point[0] + point[1] * z)
        weight = p * (1.0 - p)
        slope = np.array([np.mean(p - churned), np.mean((p - churned) * z)]) + ridge * point
        curve = np.array([[np.mean(weight), np.mean(weight * z)], [np.mean(weight * z), np.mean(weight * z * z)]])
        step = np.linalg.solve(curve + np.diag(ridge + 1e-9), slope)
        length = 1.0
        while length > 1e-6 and loss(point - length * step) > loss(point):
            length /= 2.0
        point = point - length * step
        if float(np.max(np.abs(length * step))) < 1e-10:
            break
    return float(point[0] - point[1] * mean / scale), float(point[1] / scale)
