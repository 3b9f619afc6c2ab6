"""Pareto/NBD: a customer may leave at any time, at a Gamma-distributed rate.
Formulas on arrays in one unit of time; no fitting loop, no units.

Schmittlein, Morrison & Colombo 1987; Fader & Hardie note 009. Parameters r, alpha (orders), s, beta (leaving).
L = Gamma(r+x)/Gamma(r) alpha^r beta^s [(alpha+T)^-(r+x) (beta+T)^-s + I],
I = s int_t^T (alpha+y)^-(r+x) (beta+y)^-(s+1) dy. With v = ((alpha+t)/(alpha+y))^q, q = r+s+x, it becomes
I = s/q (alpha+t)^-q int h dv, h = ((alpha+y)/(beta+y))^(s+1), which is smooth: 32 Gauss-Legendre nodes suffice.
"""

import numpy as np
from numpy.typing import NDArray

from clm.models.btyd_tuples import Histories
from clm.models.fitting import Objective

FloatArray = NDArray[np.float64]

_NODES = 32
_BLOCK = 1 << 14  # histories per block: 32 nodes each, a few arrays at once


def objective(known: Histories) -> Objective:
    """Mean log-likelihood of (ln r, ln alpha, ln s, ln beta) and its gradient (under the integral, at the same nodes)."""
    from scipy.special import digamma, gammaln

    x, x_of = np.unique(known.x, return_inverse=True)
    x_count = np.bincount(x_of, weights=known.count)
    customers = float(known.count.sum())
    blocks = [slice(start, start + _BLOCK) for start in range(0, known.x.size, _BLOCK)]

    def mean_log_likelihood(log_parameters: FloatArray) -> tuple[float, FloatArray]:
        r, alpha, s, beta = parameters = np.exp(log_parameters)
        value = float(x_count @ (gammaln(r + x) - gammaln(r))) + customers * (r * np.log(alpha) + s * np.log(beta))
        by_r = float(x_count @ (digamma(r + x) - digamma(r))) + customers * np.log(alpha)
        gradient = np.array([by_r, customers * r / alpha, customers * np.log(beta), customers * s / beta])
        for block in blocks:
            count = known.count[block]
            shape, age = r + known.x[block], known.age[block]
            log_stays = -shape * np.log(alpha + age) - s * np.log(beta + age)
            log_left, moments = _left(parameters, known.x[block], known.active[block], age)
            total = np.logaddexp(log_stays, log_left)
            value += float(count @ total)
            stays, left = count * np.exp(log_stays - total), count * np.exp(log_left - total)
            mean_log_a, mean_inverse_a, mean_log_b, mean_inverse_b = moments
            gradient[0] -= stays @ np.log(alpha + age) + left @ mean_log_a
            gradient[1] -= stays @ (shape / (alpha + age)) + left @ (shape * mean_inverse_a)
            gradient[2] += -(stays @ np.log(beta + age)) + left @ (1.0 / s - mean_log_b)
            gradient[3] -= stays @ (s / (beta + age)) + left @ ((s + 1.0) * mean_inverse_b)
        return value / customers, gradient * parameters / customers

    return mean_log_likelihood


def p_alive(parameters: FloatArray, x: FloatArray, active: FloatArray, age: FloatArray) -> FloatArray:
    """P(alive) = 1/(1 + I (alpha+T)^(r+x) (beta+T)^s) per history; 1 where t_x = T."""
    from scipy.special import expit

    r, alpha, s, beta = parameters
    alive = np.empty_like(x)
    for start in range(0, x.size, _BLOCK):
        block = slice(start, start + _BLOCK)
        log_left, _ = _left(parameters, x[block], active[block], age[block])
        log_stays = -(r + x[block]) * np.log(alpha + age[block]) - s * np.log(beta + age[block])
        alive[block] = expit(log_stays - log_left)
    return alive


def orders_if_alive(parameters: FloatArray, x: FloatArray, age: FloatArray, horizon: float) -> FloatArray:
    """Expected orders within the horizon given alive now, one row per (x, T); one column, as there are no phases.

    (r+x)(beta+T)/((alpha+T)(s-1)) [1 - ((beta+T)/(beta+T+H))^(s-1)], with its limit, a logarithm, at s = 1.
    """
    from scipy.special import exprel

    r, alpha, s, beta = parameters
    stretch = np.log1p(horizon / (beta + age))
    return np.asarray(((r + x) * (beta + age) / (alpha + age) * stretch * exprel(-(s - 1.0) * stretch))[:, None])


def p_return(parameters: FloatArray, x: FloatArray, active: FloatArray, age: FloatArray, horizon: FloatArray) -> FloatArray:
    """P(at least one order within the horizon), one value per history (the horizon may differ by row).

    Given alive: int_0^H A e^(-A w) ((beta+T)/(beta+T+y))^s dw over w = ln(1 + y/(alpha+T)), A = r + x; with
    v = e^(-A w) the integral of the survival over v, by the same nodes.
    """
    r, alpha, s, beta = parameters
    nodes, weights = _gauss_legendre()
    returned = np.empty_like(x)
    for start in range(0, x.size, _BLOCK):
        block = slice(start, start + _BLOCK)
        shape, now = r + x[block], alpha + age[block]
        made = -np.expm1(-shape * np.log1p(horizon[block] / now))  # 1 - v at the end of the horizon
        waits = now[:, None] * np.expm1(-np.log1p(-made[:, None] * nodes) / shape[:, None])
        stays = np.exp(-s * np.log1p(waits / (beta + age[block])[:, None]))
        returned[block] = made * (stays @ weights)
    return p_alive(parameters, x, active, age) * returned


def _left(
    parameters: FloatArray, x: FloatArray, active: FloatArray, age: FloatArray
) -> tuple[FloatArray, tuple[FloatArray, FloatArray, FloatArray, FloatArray]]:
    """ln I per history (-inf where t_x = T), and under its integrand the means of ln(alpha+y), 1/(alpha+y), ln(beta+y),
    1/(beta+y)."""
    r, alpha, s, beta = parameters
    nodes, weights = _gauss_legendre()
    q = r + s + x
    log_begin = np.log(alpha + active)
    span = -np.expm1(q * np.log((alpha + active) / (alpha + age)))  # 1 - v at y = T
    log_a = log_begin[:, None] - np.log1p(-span[:, None] * nodes) / q[:, None]
    a = np.exp(log_a)
    b = np.maximum(a + (beta - alpha), beta)  # rounding must not carry y below 0
    log_b = np.log(b)
    log_h = (s + 1.0) * (log_a - log_b)
    top = log_h.max(axis=1)
    h = np.exp(log_h - top[:, None]) * weights
    area = h.sum(axis=1)
    with np.errstate(divide="ignore"):
        log_left = np.log(s / q) - q * log_begin + np.log(span) + top + np.log(area)
    h /= area[:, None]
    means = tuple(np.sum(h * part, axis=1) for part in (log_a, 1.0 / a, log_b, 1.0 / b))
    return log_left, (means[0], means[1], means[2], means[3])


def _gauss_legendre() -> tuple[FloatArray, FloatArray]:
    """Nodes on (0, 1) and weights that sum to 1."""
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    return (nodes + 1.0) / 2.0, weights / 2.0
