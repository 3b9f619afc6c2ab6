"""NBD (and CNBD-k): orders at a Gamma-distributed rate and nobody ever leaves; the nested test of "is there churn at all".
Formulas on arrays in one unit of time; no fitting loop, no units.

Ehrenberg 1959; with Erlang-k gaps the drop-out-free twin of BG/CNBD-k. Parameters r, alpha.
"""

import numpy as np
from numpy.typing import NDArray

from clm.models.btyd_phases import at_least, phase_probabilities, phase_sum, tail_sum
from clm.models.btyd_tuples import Histories
from clm.models.fitting import Objective

FloatArray = NDArray[np.float64]


def objective(known: Histories, erlang: int) -> Objective:
    """Mean log-likelihood of (ln r, ln alpha) and its gradient, without the terms that hold no parameter."""
    from scipy.special import digamma, gammaln

    x, x_of = np.unique(known.x, return_inverse=True)
    x_count = np.bincount(x_of, weights=known.count)
    age, age_of = np.unique(known.age, return_inverse=True)
    age_count = np.bincount(age_of, weights=known.count)
    age_events = erlang * np.bincount(age_of, weights=known.count * known.x)
    customers = float(known.count.sum())
    waited = known.age - known.active

    def mean_log_likelihood(log_parameters: FloatArray) -> tuple[float, FloatArray]:
        r, alpha = np.exp(log_parameters)
        shape = r + erlang * x
        log_age = np.log(alpha + age)
        value = float(x_count @ (gammaln(shape) - gammaln(r))) + customers * r * np.log(alpha)
        value -= float((r * age_count + age_events) @ log_age)
        by_r = float(x_count @ (digamma(shape) - digamma(r))) + customers * np.log(alpha) - float(age_count @ log_age)
        by_alpha = customers * r / alpha - float((r * age_count + age_events) @ (1.0 / (alpha + age)))
        if erlang > 1:
            log_sum, sum_by_shape, sum_by_log_u = phase_sum(shape[x_of], waited / (alpha + known.age), erlang)
            value += float(known.count @ log_sum)
            by_r += float(known.count @ sum_by_shape)
            by_alpha -= float(known.count @ (sum_by_log_u / (alpha + known.age)))
        gradient = np.array([by_r * r, by_alpha * alpha])
        return value / customers, gradient / customers

    return mean_log_likelihood


def orders_if_alive(parameters: FloatArray, erlang: int, x: FloatArray, age: FloatArray, horizon: float) -> FloatArray:
    """Expected orders within the horizon, one row per (x, T), one column per phase."""
    r, alpha = parameters
    shape = r + erlang * x
    if erlang == 1:
        return np.asarray((shape / (alpha + age) * horizon)[:, None])
    share = horizon / (alpha + age + horizon)

    def always(orders: FloatArray, rows: NDArray[np.intp]) -> FloatArray:
        return np.ones((rows.size, 1))

    return np.stack([tail_sum(shape, share, erlang, j, always) for j in range(erlang)], axis=1)


def phases(parameters: FloatArray, erlang: int, x: FloatArray, active: FloatArray, age: FloatArray) -> FloatArray:
    """P(phase j), one row per history, one column per phase."""
    r, alpha = parameters[:2]
    return phase_probabilities(r + erlang * x, (age - active) / (alpha + age), erlang)


def return_if_alive(
    parameters: FloatArray, erlang: int, x: FloatArray, active: FloatArray, age: FloatArray, horizon: FloatArray
) -> FloatArray:
    """P(at least one order within the horizon | no drop-out), one value per history (the horizon may differ by row)."""
    r, alpha = parameters[:2]
    shape = r + erlang * x
    if erlang == 1:
        return np.asarray(-np.expm1(-shape * np.log1p(horizon / (alpha + age))))
    share = horizon / (alpha + age + horizon)
    weights = phases(parameters, erlang, x, active, age)
    first = [at_least(shape, share, 1, erlang, j) for j in range(erlang)]
    return np.asarray(np.sum(weights * np.stack(first, axis=1), axis=1))
