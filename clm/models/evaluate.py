"""Scores of a forecast against what happened: per customer, of the total and of the ranking, and deciles.
Pure functions on arrays; it fits nothing, chooses nothing and knows no model by name.

Equal forecasts share their rank and what follows from it, so no score depends on the order of the rows. A score that is
undefined (a ranking of a constant, a share of nothing) is None, never NaN.
"""

from dataclasses import asdict, dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]

# A count forecast of 0 is scored as half an order per 1,000 customers: else one order would make the deviance infinite.
DEVIANCE_FLOOR = 0.0005


@dataclass(frozen=True)
class Score:
    """One forecast of one quantity at one origin, per customer over the horizon.

    kind: model or baseline; origin: ISO date of the last day the forecast could see; bias: predicted total / actual
    total - 1; rmse, mae in orders (or money); msle: mean squared error of ln(1 + value); poisson_deviance: mean, for
    orders only; spearman, gini (normalised): of the ranking; capture_10, capture_20: share of the actual total held by
    the tenth (fifth) of customers with the highest forecasts.
    """

    name: str
    kind: Literal["model", "baseline"]
    origin: str
    horizon_days: int
    customers: int
    actual_total: float
    predicted_total: float
    bias: float | None
    rmse: float
    mae: float
    msle: float
    poisson_deviance: float | None
    spearman: float | None
    gini: float | None
    capture_10: float | None
    capture_20: float | None

    def to_json(self) -> dict[str, object]:
        """A JSON-ready document, None where a score is undefined."""
        return asdict(self)


@dataclass(frozen=True)
class Decile:
    """One tenth of the customers by forecast; decile 1 holds the highest forecasts."""

    decile: int
    customers: int
    predicted_mean: float
    actual_mean: float

    def to_json(self) -> dict[str, object]:
        """A JSON-ready document."""
        return asdict(self)


def score(
    name: str,
    kind: Literal["model", "baseline"],
    origin: str,
    horizon_days: int,
    predicted: ArrayLike,
    actual: ArrayLike,
    *,
    counts: bool = True,
) -> Score:
    """Every score of one forecast. `counts` says that the quantity is orders; money has no Poisson deviance.

    Raises ValueError for arrays of different length, without customers, or with a value that is not finite.
    """
    forecast, truth = _checked(predicted, actual)
    total, predicted_total = float(truth.sum()), float(forecast.sum())
    error = forecast - truth
    logs = np.log1p(np.maximum(forecast, 0.0)) - np.log1p(np.maximum(truth, 0.0))
    return Score(
        name=name,
        kind=kind,
        origin=origin,
        horizon_days=horizon_days,
        customers=int(truth.size),
        actual_total=total,
        predicted_total=predicted_total,
        bias=predicted_total / total - 1.0 if total > 0.0 else None,
        rmse=float(np.sqrt(np.mean(error**2))),
        mae=float(np.mean(np.abs(error))),
        msle=float(np.mean(logs**2)),
        poisson_deviance=poisson_deviance(forecast, truth) if counts else None,
        spearman=spearman(forecast, truth),
        gini=normalised_gini(forecast, truth),
        capture_10=capture(forecast, truth, 0.10),
        capture_20=capture(forecast, truth, 0.20),
    )


def poisson_deviance(predicted: ArrayLike, actual: ArrayLike) -> float:
    """Mean of 2 [y ln(y/f) - y + f], with forecasts below DEVIANCE_FLOOR raised to it; actual counts must be >= 0."""
    forecast, truth = _checked(predicted, actual)
    if np.any(truth < 0.0):
        raise ValueError("counts must be 0 or more")
    raised = np.maximum(forecast, DEVIANCE_FLOOR)
    logs = truth * np.log(np.where(truth > 0.0, truth, 1.0) / raised)
    return float(np.mean(2.0 * (np.where(truth > 0.0, logs, 0.0) - truth + raised)))


def spearman(predicted: ArrayLike, actual: ArrayLike) -> float | None:
    """Rank correlation with average ranks for ties; None when either side is constant."""
    forecast, truth = _checked(predicted, actual)
    first, second = average_ranks(forecast), average_ranks(truth)
    first, second = first - first.mean(), second - second.mean()
    scale = float(np.sqrt((first @ first) * (second @ second)))
    return float(np.clip((first @ second) / scale, -1.0, 1.0)) if scale > 0.0 else None


def normalised_gini(predicted: ArrayLike, actual: ArrayLike) -> float | None:
    """Gini of the actual values in the order of the forecast, over that in their own order: constant 0, perfect 1.

    Average ranks stand for ties, which draws the Lorenz curve straight across them. None when the actual values are
    all equal.
    """
    forecast, truth = _checked(predicted, actual)
    middle = (truth.size + 1) / 2.0
    best = float(truth @ (average_ranks(truth) - middle))
    if not best > 0.0 or float(np.ptp(truth)) == 0.0:
        return None
    return float(truth @ (average_ranks(forecast) - middle)) / best


def capture(predicted: ArrayLike, actual: ArrayLike, share: float) -> float | None:
    """Part of the actual total held by the `share` of customers with the highest forecasts.

    Customers tied at the edge (and a part of a customer) count in proportion, so a constant forecast captures `share`.
    None when the actual total is not above 0.
    """
    forecast, truth = _checked(predicted, actual)
    total = float(truth.sum())
    if not total > 0.0:
        return None
    levels, level_of, size = np.unique(-forecast, return_inverse=True, return_counts=True)
    held = np.bincount(level_of, weights=truth, minlength=levels.size)
    before = np.concatenate([[0], np.cumsum(size)[:-1]])
    taken = np.clip((share * truth.size - before) / size, 0.0, 1.0)
    return float(held @ taken) / total


def deciles(predicted: ArrayLike, actual: ArrayLike) -> tuple[Decile, ...]:
    """Mean forecast and mean outcome in ten equal groups by forecast, highest first (fewer than ten customers: fewer).

    Tied customers share their mean outcome, so groups cut through a tie do not depend on the order of the rows.
    """
    forecast, truth = _checked(predicted, actual)
    levels, level_of, size = np.unique(-forecast, return_inverse=True, return_counts=True)
    level_mean = np.bincount(level_of, weights=truth, minlength=levels.size) / size
    order = np.sort(level_of)
    groups = [group for group in np.array_split(order, 10) if group.size]
    return tuple(
        Decile(number, int(group.size), float(-levels[group].mean()), float(level_mean[group].mean()))
        for number, group in enumerate(groups, start=1)
    )


def average_ranks(values: ArrayLike) -> FloatArray:
    """Ranks from 1 (smallest); equal values share the mean of their ranks."""
    array = np.asarray(values, dtype=np.float64)
    _, level_of, size = np.unique(array, return_inverse=True, return_counts=True)
    last = np.cumsum(size)
    return np.asarray((last - (size - 1) / 2.0)[level_of], dtype=np.float64)


def _checked(predicted: ArrayLike, actual: ArrayLike) -> tuple[FloatArray, FloatArray]:
    forecast, truth = np.asarray(predicted, dtype=np.float64), np.asarray(actual, dtype=np.float64)
    if forecast.shape != truth.shape or forecast.ndim != 1 or not forecast.size:
        raise ValueError("predicted and actual must be two lists of the same length, with at least one customer")
    if not (np.all(np.isfinite(forecast)) and np.all(np.isfinite(truth))):
        raise ValueError("predicted and actual must be finite")
    return forecast, truth
