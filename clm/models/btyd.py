"""Buy-till-you-die models, the public face: `fit` a family, then P(alive), expected orders, P(return) per customer.
Arrays in days in, records and arrays out; it knows no table, no horizon in months, and never prints.

A customer is (repeat_days, active_days, age_days) = (x, t_x, T) of the papers: purchases of one day count once, the first
purchase is not counted. Families and parameters: btyd_params.FAMILIES; sources in btyd_nbd, btyd_bg, btyd_pareto.
"""

from collections.abc import Sequence
from typing import overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from clm.models import btyd_bg, btyd_nbd, btyd_pareto
from clm.models.btyd_params import DAYS_PER_WEEK, FAMILIES, FAMILY_TITLES, LARGEST_ERLANG, NOTES, BtydParams
from clm.models.btyd_tuples import Histories, distinct_pairs, histories
from clm.models.fitting import FitError, Objective, Optimum, estimates, maximise

__all__ = [
    "FAMILIES",
    "FAMILY_TITLES",
    "MIN_REPEAT_CUSTOMERS",
    "NOTES",
    "BtydParams",
    "FitError",
    "days_to_next_order",
    "expected_orders",
    "fit",
    "log_likelihood",
    "p_alive",
    "p_return",
]

FloatArray = NDArray[np.float64]

MIN_REPEAT_CUSTOMERS = 100  # below it a stage goes down the ladder instead of fitting
FEW_REPEAT_CUSTOMERS = 500  # below it the fit carries a note
_LARGEST_LOG = 8.0  # of an identified parameter on the weekly scale
_LARGEST_ERROR = 2.0  # of an identified log-parameter
LEAST_RATIO = 6.0  # 2 delta LL against the same k without drop-out
_DOMINANT_SHARE = 0.1
_SAMPLE = 20_000  # histories that suffice to tell the starts apart


def fit(
    family: str,
    repeat_days: ArrayLike,
    active_days: ArrayLike,
    age_days: ArrayLike,
    *,
    erlang: int = 1,
    log_gap_sum: ArrayLike | None = None,
    weights: ArrayLike | None = None,
) -> BtydParams:
    """Maximum likelihood of one family over n customers.

    erlang: k of NBD with regular gaps, bgcnbd and mbgcnbd (1 for the others). k > 1 needs `log_gap_sum`, the sum of
    ln(gap in days) per customer, for a log-likelihood that compares with other k. weights: customers per entry.

    Raises FitError `no_repeat_orders` (nobody ordered twice) or `no_time`, and ValueError for impossible arguments.
    A fit that is not converged or not identified is returned and says so (`converged`, `identified`, `notes`).
    """
    _check_family(family, erlang)
    known = histories(repeat_days, active_days, age_days, weights)
    repeats = float(known.count @ known.x)
    if not known.x.size or repeats == 0.0:
        raise FitError("no_repeat_orders", "no customer ordered on a second day, so no order rate can be learned")
    unit = float(known.age.max())
    scaled = known.scaled(unit)
    customers = float(known.count.sum())
    optimum = _best(family, erlang, scaled)

    weeks = unit / DAYS_PER_WEEK
    constant = _gap_constant(known, erlang, log_gap_sum, weights, repeats)
    log_likelihood = optimum.mean_log_likelihood * customers - erlang * repeats * np.log(weeks) + constant
    ratio = None
    if family != "nbd":
        twin = _best("nbd", erlang, scaled)
        ratio = max(2.0 * customers * (optimum.mean_log_likelihood - twin.mean_log_likelihood), 0.0)
    return _record(family, erlang, optimum, weeks, float(log_likelihood), ratio, known)


def log_likelihood(
    params: BtydParams,
    repeat_days: ArrayLike,
    active_days: ArrayLike,
    age_days: ArrayLike,
    *,
    log_gap_sum: ArrayLike | None = None,
) -> float:
    """Log-likelihood of any customers under these parameters, on the weekly scale, as `fit` tells it of its own."""
    known = histories(repeat_days, active_days, age_days)
    weekly = known.scaled(DAYS_PER_WEEK)
    mean, _ = _objective(params.family, params.erlang, weekly)(np.log(params.values()))
    constant = _gap_constant(known, params.erlang, log_gap_sum, None, float(known.count @ known.x))
    return float(mean) * float(known.count.sum()) + constant


def p_alive(params: BtydParams, repeat_days: ArrayLike, active_days: ArrayLike, age_days: ArrayLike) -> FloatArray:
    """P(not yet left at age T | history), one value per customer; finite, within [0, 1].

    ValueError for NBD, which has no drop-out: P(alive) is then not 1 but undefined.
    """
    if not params.has_attrition:
        raise ValueError("NBD has no drop-out: P(alive) is not defined")
    known = _weekly(repeat_days, active_days, age_days)
    return _alive(params, known)[known.of_customer]


@overload
def expected_orders(
    params: BtydParams, repeat_days: ArrayLike, active_days: ArrayLike, age_days: ArrayLike, horizon_days: float
) -> FloatArray: ...
@overload
def expected_orders(
    params: BtydParams,
    repeat_days: ArrayLike,
    active_days: ArrayLike,
    age_days: ArrayLike,
    horizon_days: Sequence[float],
) -> FloatArray: ...
def expected_orders(
    params: BtydParams,
    repeat_days: ArrayLike,
    active_days: ArrayLike,
    age_days: ArrayLike,
    horizon_days: float | Sequence[float],
) -> FloatArray:
    """E[order days in (T, T + H] | history]: shape (n,) for one horizon, (n, m) for a sequence of m horizons.

    Finite for every history. A new customer on the first order day is x = t_x = T = 0.
    """
    known = _weekly(repeat_days, active_days, age_days)
    x, age, of_pair = distinct_pairs(known.x, known.age)
    alive = _alive(params, known)
    weights = _phases(params, known)
    single = isinstance(horizon_days, int | float)
    horizons: Sequence[float] = [horizon_days] if isinstance(horizon_days, int | float) else horizon_days
    columns = []
    for horizon in horizons:
        given_alive = _orders_if_alive(params, x, age, _checked_horizon(horizon) / DAYS_PER_WEEK)[of_pair]
        columns.append((alive * np.sum(weights * given_alive, axis=1))[known.of_customer])
    return columns[0] if single else np.stack(columns, axis=1)


def p_return(
    params: BtydParams, repeat_days: ArrayLike, active_days: ArrayLike, age_days: ArrayLike, horizon_days: float
) -> FloatArray:
    """P(at least one order in (T, T + H] | history), one value per customer; 1 minus it is the churn score."""
    known = _weekly(repeat_days, active_days, age_days)
    horizon = np.full_like(known.x, _checked_horizon(horizon_days) / DAYS_PER_WEEK)
    return _return(params, known, horizon)[known.of_customer]


def days_to_next_order(
    params: BtydParams, repeat_days: ArrayLike, active_days: ArrayLike, age_days: ArrayLike, limit_days: int
) -> NDArray[np.int64]:
    """First whole day d >= 1 with P(order in (T, T + d]) > 1/2, per customer; -1 where it is not reached by `limit_days`."""
    known = _weekly(repeat_days, active_days, age_days)
    limit = int(_checked_horizon(limit_days))
    low = np.zeros(known.x.size, dtype=np.int64)  # not yet likelier than not
    high = np.full(known.x.size, limit, dtype=np.int64)
    reached = _return(params, known, high / DAYS_PER_WEEK) > 0.5
    while np.any(high - low > 1):
        middle = (low + high) // 2
        likely = _return(params, known, middle / DAYS_PER_WEEK) > 0.5
        low, high = np.where(likely, low, middle), np.where(likely, middle, high)
    return np.where(reached, high, -1)[known.of_customer]


def _check_family(family: str, erlang: int) -> None:
    if family not in FAMILIES:
        raise ValueError(f"unknown model family {family!r}; known: {', '.join(FAMILIES)}")
    if not 1 <= erlang <= LARGEST_ERLANG or (erlang > 1 and family in ("bgnbd", "mbgnbd", "paretonbd")):
        raise ValueError(f"erlang {erlang} does not go with {family}")


def _checked_horizon(horizon_days: float) -> float:
    if not (np.isfinite(horizon_days) and horizon_days >= 0.0):
        raise ValueError("the horizon must be a finite number of days, 0 or more")
    return float(horizon_days)


def _weekly(repeat_days: ArrayLike, active_days: ArrayLike, age_days: ArrayLike) -> Histories:
    return histories(repeat_days, active_days, age_days).scaled(DAYS_PER_WEEK)


def _best(family: str, erlang: int, known: Histories) -> Optimum:
    sample = _objective(family, erlang, known.thinned(_SAMPLE)) if known.x.size > 2 * _SAMPLE else None
    starts = _starts(family, erlang, known)
    return maximise(_objective(family, erlang, known), starts, float(known.count.sum()), coarse_objective=sample)


def _objective(family: str, erlang: int, known: Histories) -> Objective:
    if family == "nbd":
        return btyd_nbd.objective(known, erlang)
    if family == "paretonbd":
        return btyd_pareto.objective(known)
    return btyd_bg.objective(known, erlang, family in btyd_bg.MODIFIED)


def _starts(family: str, erlang: int, known: Histories) -> list[FloatArray]:
    # Moments of an NBD over unequal ages: E x = T m, Var x = T m + T^2 m^2 / r.
    weight, x, age = known.count, known.x, known.age
    rate = float(weight @ x) / float(weight @ age)
    spread = float(weight @ ((x - rate * age) ** 2 - rate * age)) / float(weight @ age**2)
    r = float(np.clip(rate**2 / spread if spread > 0.0 else 20.0, 0.05, 20.0))
    timing = [(r, r / (erlang * rate)), (1.0, 1.0), (0.25, 0.1)]
    leaving: list[tuple[float, ...]]
    if family == "nbd":
        leaving = [(), (), ()]
    elif family == "paretonbd":
        leaving = [(0.6, 0.4), (1.0, 1.0), (0.3, 0.1)]
    else:
        leaving = [(0.8, 2.5), (1.0, 1.0), (0.3, 1.0)]
    return [np.log(np.array([*first, *second])) for first, second in zip(timing, leaving, strict=True)]


def _gap_constant(
    known: Histories, erlang: int, log_gap_sum: ArrayLike | None, weights: ArrayLike | None, repeats: float
) -> float:
    """The part of the log-likelihood of Erlang gaps that holds no parameter, on the weekly scale."""
    if erlang == 1:
        return 0.0
    if log_gap_sum is None:
        raise ValueError("erlang above 1 needs log_gap_sum, the sum of ln(gap in days) of every customer")
    gaps = np.asarray(log_gap_sum, dtype=np.float64)
    if gaps.shape != known.of_customer.shape or not np.all(np.isfinite(gaps)):
        raise ValueError("log_gap_sum must be one finite number per customer")
    from scipy.special import gammaln

    total = float(np.sum(gaps) if weights is None else np.asarray(weights, dtype=np.float64) @ gaps)
    return float((erlang - 1) * (total - repeats * np.log(DAYS_PER_WEEK)) - repeats * gammaln(erlang))


def _record(
    family: str, erlang: int, optimum: Optimum, weeks: float, log_likelihood: float, ratio: float | None,
    known: Histories,
) -> BtydParams:  # fmt: skip
    names = FAMILIES[family]
    scale = np.array([weeks if name in ("alpha", "beta") else 1.0 for name in names])
    parameters, errors, covariance = estimates(optimum, names, scale)
    sharp = optimum.sharp(_LARGEST_ERROR) and all(abs(np.log(value)) <= _LARGEST_LOG for value in parameters.values())
    repeat_customers = float(known.count @ (known.x > 0.0))
    notes = []
    if not sharp:
        notes.append("parameters_not_identified")
    if ratio is not None and (not sharp or ratio <= LEAST_RATIO):
        notes.append("attrition_not_identified")
    if not optimum.converged:
        notes.append("not_converged")
    if repeat_customers < FEW_REPEAT_CUSTOMERS:
        notes.append("few_repeat_buyers")
    if float(known.x.max()) > _DOMINANT_SHARE * float(known.count @ known.x):
        notes.append("dominant_customer")
    return BtydParams(
        family=family,
        erlang=erlang,
        parameters=parameters,
        standard_errors=errors,
        covariance_log=covariance,
        log_likelihood=log_likelihood,
        likelihood_ratio=ratio,
        identified=sharp and (ratio is None or ratio > LEAST_RATIO),
        converged=optimum.converged,
        customers=float(known.count.sum()),
        repeat_customers=repeat_customers,
        notes=tuple(notes),
    )


def _alive(params: BtydParams, known: Histories) -> FloatArray:
    if params.family == "nbd":
        return np.ones_like(known.x)
    values = params.values()
    if params.family == "paretonbd":
        return btyd_pareto.p_alive(values, known.x, known.active, known.age)
    return btyd_bg.p_alive(values, params.erlang, params.family in btyd_bg.MODIFIED, known.x, known.active, known.age)


def _phases(params: BtydParams, known: Histories) -> FloatArray:
    return btyd_nbd.phases(params.values(), params.erlang, known.x, known.active, known.age)


def _orders_if_alive(params: BtydParams, x: FloatArray, age: FloatArray, horizon: float) -> FloatArray:
    values = params.values()
    if params.family == "nbd":
        return btyd_nbd.orders_if_alive(values, params.erlang, x, age, horizon)
    if params.family == "paretonbd":
        return btyd_pareto.orders_if_alive(values, x, age, horizon)
    return btyd_bg.orders_if_alive(values, params.erlang, params.family in btyd_bg.MODIFIED, x, age, horizon)


def _return(params: BtydParams, known: Histories, horizon: FloatArray) -> FloatArray:
    values = params.values()
    if params.family == "paretonbd":
        return btyd_pareto.p_return(values, known.x, known.active, known.age, horizon)
    made = btyd_nbd.return_if_alive(values, params.erlang, known.x, known.active, known.age, horizon)
    return _alive(params, known) * made
