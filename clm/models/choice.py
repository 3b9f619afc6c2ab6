"""Which forecast is used: the rule over back-test scores and likelihoods, and the interval of the total it earns.
Reads scores, fits nothing; every choice carries the reason for it as a code.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import NormalDist
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from clm.models.evaluate import Score
from clm.models.valuation import Way

BASELINES = ("nbd", "last_period", "rate", "mean", "hiatus", "zero")
REGULAR = ("bgcnbd", "mbgcnbd")  # families of regular gaps, with an Erlang order of their own
METRICS = ("bias", "rmse", "mae", "msle", "poisson_deviance", "spearman", "gini", "capture_10", "capture_20")
_HIGHER_IS_BETTER = frozenset({"spearman", "gini", "capture_10", "capture_20"})
_TIE = 1.01  # mean deviances within 1 % count as equal
LEAST_ORIGINS = 2  # for a choice by the back-test
_LEAST_ORIGINS_OF_SPREAD = 3
DEFAULT_SPREAD = 0.15
_LARGEST_ERROR = 20.0  # of the logarithm of a total: beyond a factor of e^20 an interval says nothing, and would overflow
_STEPS = 200

Reason = Literal["deviance", "log_likelihood", "baseline_better", "not_identified"]


@dataclass(frozen=True)
class Choice:
    """What is used and why.

    reason: deviance (lowest mean Poisson deviance, ties to the likelihood), log_likelihood (fewer than two origins),
    baseline_better (a baseline beats every model), not_identified (no model is identified: NBD).
    mean_deviance: mean over the origins of every forecast that was scored at all of them.
    """

    name: str
    kind: Literal["model", "baseline"]
    reason: Reason
    origins: int
    mean_deviance: dict[str, float]

    def to_json(self) -> dict[str, object]:
        """A JSON-ready document."""
        return asdict(self)


@dataclass(frozen=True)
class TotalInterval:
    """Interval of a total: `spread` is the sigma of its log-normal widening, `source` where that comes from.

    backtest: the error over three origins or more; few_origins: the error over one or two, at least .15; default: .15,
    because nothing was measured. drawn_low, drawn_high: the interval of the draws alone, before the widening.
    """

    low: float
    high: float
    spread: float
    source: Literal["backtest", "few_origins", "default"]
    drawn_low: float
    drawn_high: float


def choose(scores: Sequence[Score], log_likelihoods: Mapping[str, float], identified: Collection[str]) -> Choice:
    """Choose among the fitted families and the baselines.

    scores: of orders, all forecasts at all origins; log_likelihoods: of each fitted family at as_of (NBD may be among
    them and is never chosen by likelihood); identified: the families whose drop-out is identified.

    With two origins or more: the identified family of lowest mean Poisson deviance, ties within 1 % to the higher
    log-likelihood. With fewer, or when no family could be scored at every origin: the highest log-likelihood. A baseline
    (NBD among them) that beats every family at the same origins replaces it. No identified family: NBD. A choice that has
    no score at some origin is compared with the baselines at the origins where it has one.
    """
    families = sorted(name for name in log_likelihoods if name in identified and name != "nbd")
    origins = sorted({one.origin for one in scores})
    deviance = _mean_deviance(scores, origins)
    scored = [name for name in families if name in deviance]
    if not families:
        chosen = Choice("nbd", "baseline", "not_identified", len(origins), deviance)
    elif len(origins) >= LEAST_ORIGINS and scored:
        lowest = min(deviance[name] for name in scored)
        tied = [name for name in scored if deviance[name] <= _TIE * lowest]
        name = max(tied, key=lambda family: log_likelihoods[family])
        chosen = Choice(name, "model", "deviance", len(origins), deviance)
    else:
        name = max(families, key=lambda family: log_likelihoods[family])
        chosen = Choice(name, "model", "log_likelihood", len(origins), deviance)
    shared = deviance if scored else _mean_deviance(scores, _origins(scores, chosen.name))
    contenders = [shared[name] for name in scored or [chosen.name] if name in shared]
    rivals = [name for name in BASELINES if name in shared]
    if contenders and rivals:
        best = min(rivals, key=lambda rival: shared[rival])
        if shared[best] < min(contenders) and best != chosen.name:
            return Choice(best, "baseline", "baseline_better", len(origins), deviance)
    return chosen


def agreed(scores: Sequence[Score], names: Collection[str]) -> set[str]:
    """The families of these that auto may choose: of regular gaps only those that forecast better than every family of k = 1.

    Days cut from times make any log look regular to the likelihood, so for k > 1 the back-test must agree: a mean Poisson
    deviance over two origins or more below that of NBD and of every other family of k = 1, identified or not.
    """
    plain = {one.name for one in scores if (one.kind == "model" or one.name == "nbd") and one.name not in REGULAR}
    return (set(names) - set(REGULAR)) | _better(scores, set(names) & set(REGULAR), plain)


def proven(scores: Sequence[Score], names: Collection[str]) -> set[str]:
    """The families of these that forecast better than NBD: a mean Poisson deviance over two origins or more below its own.

    For families whose likelihood says that customers leave but whose parameters ran to the edge: where all leave with the
    same chance, the spread of chances has no size of its own, and what the family forecasts is sound all the same.
    """
    return _better(scores, names, {"nbd"})


def _better(scores: Sequence[Score], names: Collection[str], rivals: Collection[str]) -> set[str]:
    """Those of a lower mean deviance than every rival, where two origins or more scored them all."""
    origins = {one.origin for one in scores}
    deviance = _mean_deviance(scores, origins) if len(origins) >= LEAST_ORIGINS else {}
    best = min((deviance[name] for name in rivals if name in deviance), default=0.0)
    return {name for name in names if deviance.get(name, best) < best}


def value_way(errors: Sequence[Mapping[Way, float]], default: Way) -> Way:
    """Which value of an order is used: the one of lowest mean error over the origins, the default with fewer than two.

    errors: at each origin, the error of the money with every way of valuing the orders that came.
    """
    if len(errors) < LEAST_ORIGINS:
        return default
    means = {way: float(np.mean([one[way] for one in errors])) for way in errors[0] if all(way in one for one in errors)}
    best = min(means, key=lambda way: means[way], default=default)
    return best if best in means and means[best] < means.get(default, float("inf")) else default


def beats_best_baseline(scores: Sequence[Score], name: str) -> dict[str, bool]:
    """Per metric: is the forecast `name` better than the best baseline (other than itself), on the mean over its origins?

    Bias is compared by size. Metrics undefined for the forecast or for every baseline are left out, and so is a baseline
    that lacks a score where the forecast has one.
    """
    own = [one for one in scores if one.name == name]
    origins = {one.origin for one in own}
    others = sorted({one.name for one in scores if one.kind == "baseline" and one.name != name})
    at_same = [[one for one in scores if one.name == rival and one.origin in origins] for rival in others]
    result = {}
    for metric in METRICS:
        value = _mean(own, metric)
        means = [_mean(rival, metric) for rival in at_same if len(rival) == len(own)]
        rivals = [mean for mean in means if mean is not None]
        if value is not None and rivals:
            result[metric] = value > max(rivals) if metric in _HIGHER_IS_BETTER else value < min(rivals)
    return result


def total_interval(
    total_draws: ArrayLike,
    actual_totals: Sequence[float],
    predicted_totals: Sequence[float],
    interval: float,
    *,
    untested: bool = True,
) -> TotalInterval | None:
    """Posterior draws of a total, widened by the back-test's own error: draws x exp(N(0, sigma^2)).

    sigma: root mean square of ln(actual/predicted) over the origins where both totals are above 0. One or two origins may
    have been lucky, so theirs is at least 0.15; where nothing was measured it is 0.15. `interval` is the coverage, e.g. 0.8.
    untested: whether there is an interval at all (else None) where nothing was measured.
    """
    draws = np.asarray(total_draws, dtype=np.float64)
    errors = [
        float(np.clip(np.log(actual) - np.log(predicted), -_LARGEST_ERROR, _LARGEST_ERROR))
        for actual, predicted in zip(actual_totals, predicted_totals, strict=True)
        if actual > 0.0 and predicted > 0.0
    ]
    if not errors and not untested:
        return None
    enough = len(errors) >= _LEAST_ORIGINS_OF_SPREAD
    measured = float(np.sqrt(np.mean(np.square(errors)))) if errors else DEFAULT_SPREAD
    spread = measured if enough else max(measured, DEFAULT_SPREAD)
    # The normal enters by its quantiles, not by random numbers: the result needs no seed and does not jitter.
    normal = np.array([NormalDist().inv_cdf((i + 0.5) / _STEPS) for i in range(_STEPS)])
    widened = (draws[None, :] * np.exp(spread * normal[:, None])).ravel()
    tails = [(1.0 - interval) / 2.0, (1.0 + interval) / 2.0]
    low, high = np.quantile(widened, tails)
    drawn_low, drawn_high = np.quantile(draws, tails)
    source: Literal["backtest", "few_origins", "default"] = "backtest" if enough else "few_origins" if errors else "default"
    return TotalInterval(float(low), float(high), spread, source, float(drawn_low), float(drawn_high))


def _origins(scores: Sequence[Score], name: str) -> list[str]:
    """Where this forecast has a deviance."""
    return sorted({one.origin for one in scores if one.name == name and one.poisson_deviance is not None})


def _mean_deviance(scores: Sequence[Score], origins: Collection[str]) -> dict[str, float]:
    """Mean over these origins of every forecast that has a deviance at each of them."""
    means = {}
    for name in sorted({one.name for one in scores}):
        own = [one for one in scores if one.name == name and one.origin in origins]
        values = [one.poisson_deviance for one in own if one.poisson_deviance is not None]
        if len(values) == len(origins) and values:
            means[name] = float(np.mean(values))
    return means


def _mean(scores: Sequence[Score], metric: str) -> float | None:
    values = [getattr(one, metric) for one in scores]
    if not values or any(value is None for value in values):
        return None
    return float(np.mean(np.abs(values) if metric == "bias" else values))
