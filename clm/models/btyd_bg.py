"""BG/NBD, MBG/NBD and their Erlang-k forms BG/CNBD-k, MBG/CNBD-k: a customer may leave only at an order.
Formulas on arrays in one unit of time; no fitting loop, no units.

Fader, Hardie & Lee 2005 (Marketing Science 24(2)); Batislam, Denizel & Filiztekin 2007 and Wagner & Hoppe 2008 (MBG);
Reutterer, Platzer & Schroeder 2021 (IJRM 38(1)) for k > 1. Parameters r, alpha, a, b. Notation: d = 1 when the first
order can already be the last (MBG), else 0; b' = b + x + d; A, u, w_j as in btyd_phases.
L ~ S1 + S2: S1 = a/(b' - 1) ((alpha+T)/(alpha+t_x))^A "left at the last order", S2 = sum of w_j "still alive".
"""

import numpy as np
from numpy.typing import NDArray

from clm.models.btyd_phases import phase_sum, tail_sum
from clm.models.btyd_tuples import Histories
from clm.models.fitting import Objective

FloatArray = NDArray[np.float64]

MODIFIED = ("mbgnbd", "mbgcnbd")  # the families with d = 1


def objective(known: Histories, erlang: int, modified: bool) -> Objective:
    """Mean log-likelihood of (ln r, ln alpha, ln a, ln b) and its gradient, without the terms that hold no parameter.

    Gamma functions are evaluated once per distinct x, logarithms once per distinct T and t_x.
    """
    from scipy.special import digamma, gammaln

    d = float(modified)
    x, x_of = np.unique(known.x, return_inverse=True)
    x_count = np.bincount(x_of, weights=known.count)
    age, age_of = np.unique(known.age, return_inverse=True)
    age_count = np.bincount(age_of, weights=known.count)
    age_events = erlang * np.bincount(age_of, weights=known.count * known.x)
    active, active_of = np.unique(known.active, return_inverse=True)
    customers = float(known.count.sum())
    # Histories that may have ended at their last order; for the others S1 = 0.
    x_may = (x > 0.0) | modified
    may, never = np.flatnonzero(x_may[x_of]), np.flatnonzero(~x_may[x_of])
    may_x, may_age, may_active, may_count = x_of[may], age_of[may], active_of[may], known.count[may]
    waited = known.age - known.active

    def mean_log_likelihood(log_parameters: FloatArray) -> tuple[float, FloatArray]:
        r, alpha, a, b = np.exp(log_parameters)
        shape = r + erlang * x
        bx = b + x + d
        log_age, log_active = np.log(alpha + age), np.log(alpha + active)
        value = float(x_count @ (gammaln(shape) - gammaln(r) + gammaln(bx) - gammaln(a + bx)))
        value += customers * (r * np.log(alpha) + gammaln(a + b) - gammaln(b))
        value -= float((r * age_count + age_events) @ log_age)
        psi_ab, psi_abx = digamma(a + b), digamma(a + bx)
        by_r = float(x_count @ (digamma(shape) - digamma(r))) + customers * np.log(alpha) - float(age_count @ log_age)
        by_alpha = customers * r / alpha - float((r * age_count + age_events) @ (1.0 / (alpha + age)))
        by_a = float(x_count @ (psi_ab - psi_abx))
        by_b = float(x_count @ (psi_ab - digamma(b) + digamma(bx) - psi_abx))

        last = np.where(x_may, bx - 1.0, 1.0)
        stretch = log_age[may_age] - log_active[may_active]
        log_dead = (np.log(a) - np.log(last))[may_x] + shape[may_x] * stretch
        if erlang == 1:
            log_alive: FloatArray | float = 0.0
        else:
            u = waited / (alpha + known.age)
            log_sum, sum_by_shape, sum_by_log_u = phase_sum(shape[x_of], u, erlang)
            log_alive = log_sum[may]
            value += float(known.count[never] @ log_sum[never])
        dead_odds = log_dead - log_alive
        small = np.exp(-np.abs(dead_odds))
        value += float(may_count @ (log_alive + np.maximum(dead_odds, 0.0) + np.log1p(small)))
        p_dead = np.where(dead_odds > 0.0, 1.0, small) / (1.0 + small)
        dead = may_count * p_dead
        by_r += float(dead @ stretch)
        drift = 1.0 / (alpha + age)[may_age] - 1.0 / (alpha + active)[may_active]
        by_alpha += float(dead @ (shape[may_x] * drift))
        by_a += float(dead.sum()) / a
        by_b -= float(np.bincount(may_x, weights=dead, minlength=x.size) @ (1.0 / last))
        if erlang > 1:
            alive = known.count.copy()
            alive[may] -= dead
            by_r += float(alive @ sum_by_shape)
            by_alpha -= float(alive @ (sum_by_log_u / (alpha + known.age)))
        gradient = np.array([by_r * r, by_alpha * alpha, by_a * a, by_b * b])
        return value / customers, gradient / customers

    return mean_log_likelihood


def p_alive(
    parameters: FloatArray, erlang: int, modified: bool, x: FloatArray, active: FloatArray, age: FloatArray
) -> FloatArray:
    """P(alive) = 1/(1 + S1/S2) per history; 1 for x = 0 in the plain BG, where nobody can leave before a repeat."""
    from scipy.special import expit

    r, alpha, a, b = parameters
    d = float(modified)
    shape = r + erlang * x
    chances = np.maximum(b + x + d - 1.0, np.finfo(np.float64).tiny)
    log_dead = np.log(a) - np.log(chances) + shape * np.log((alpha + age) / (alpha + active))
    log_alive = phase_sum(shape, (age - active) / (alpha + age), erlang)[0]
    alive = expit(log_alive - log_dead)
    return np.asarray(alive if modified else np.where(x > 0.0, alive, 1.0))


def orders_if_alive(
    parameters: FloatArray, erlang: int, modified: bool, x: FloatArray, age: FloatArray, horizon: float
) -> FloatArray:
    """Expected orders within the horizon given alive now, one row per (x, T), one column per phase.

    k = 1: (a+b'-1)/(a-1) [1 - (1-z)^(a-1) 2F1(a+b+d-1-r, a-1; a+b'-1; z)], the paper's form after Euler's
    transformation: its first parameter does not grow with x, so it stays finite (the printed form is NaN in scipy 1.17
    at x = 1000, H = 3650). Where the difference loses digits (a near 1, tiny horizons) and for k > 1: the exact sum.
    """
    r, alpha, a, b = parameters
    d = float(modified)
    shape, bx = r + erlang * x, b + x + d
    share = horizon / (alpha + age + horizon)

    def summed(rows: NDArray[np.intp], phase: int) -> FloatArray:
        def staying(orders: FloatArray, part: NDArray[np.intp]) -> FloatArray:
            chances = bx[rows][part, None] + orders - 1.0
            return np.asarray(chances / (a + chances))

        return tail_sum(shape[rows], share[rows], erlang, phase, staying)

    every = np.arange(x.size)
    if erlang > 1:
        return np.stack([summed(every, j) for j in range(erlang)], axis=1)
    from scipy.special import hyp2f1

    with np.errstate(all="ignore"):
        kept = np.exp((a - 1.0) * np.log1p(-share)) * hyp2f1(a + b + d - 1.0 - r, a - 1.0, a + bx - 1.0, share)
        orders = (a + bx - 1.0) / (a - 1.0) * (1.0 - kept)
        trusted = (orders >= 0.0) & (orders <= shape * horizon / (alpha + age)) & (np.abs(1.0 - kept) > 1e-5)
    rows = np.flatnonzero(~trusted)
    orders[rows] = summed(rows, 0)
    return np.asarray(orders[:, None])
