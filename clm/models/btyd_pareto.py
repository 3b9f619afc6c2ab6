"""Pareto/NBD: a customer may leave at any time, at a Gamma-distributed rate.
Formulas on arrays in one unit of time; no fitting loop, no units.

Schmittlein, Morrison & Colombo 1987; Fader & Hardie note 009. Parameters r, alpha (orders), s, beta (leaving).
L = Gamma(r+x)/Gamma(r) alpha^r beta^s [(alpha+T)^-(r+x) (beta+T)^-s + I],
I = s int_t^T (alpha+y)^-(r+x) (beta+y)^-(s+1) dy.

The integral: over w = ln(m+y), m = min(alpha, beta), the integrand is log-concave, so a Newton search from the right finds
where it has become negligible, and 32 Gauss-Legendre nodes on what is left give ten digits for every parameter. (The
substitution by a power of alpha + y alone loses all digits where beta is much larger than alpha, and with them the maximum.)
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from clm.models.btyd_tuples import Histories
from clm.models.fitting import Objective

FloatArray = NDArray[np.float64]

_NODES = 32
_NEGLIGIBLE_DROP = 32.0  # of the log of the integrand
_BLOCK = 1 << 10  # histories per block: 32 nodes each, and the few arrays at once stay in the processor's cache


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
            integral = _Integral(alpha, shape, beta, s + 1.0, known.active[block], age)
            log_left = np.log(s) + integral.log_value
            total = np.logaddexp(log_stays, log_left)
            value += float(count @ total)
            stays, left = count * np.exp(log_stays - total), count * np.exp(log_left - total)
            gradient[0] -= stays @ np.log(alpha + age) + left @ integral.mean(integral.log_a)
            gradient[1] -= stays @ (shape / (alpha + age)) + left @ (shape * integral.mean(1.0 / integral.a))
            gradient[2] += -(stays @ np.log(beta + age)) + left @ (1.0 / s - integral.mean(integral.log_b))
            gradient[3] -= stays @ (s / (beta + age)) + left @ ((s + 1.0) * integral.mean(1.0 / integral.b))
        return value / customers, gradient * parameters / customers

    return mean_log_likelihood


def p_alive(parameters: FloatArray, x: FloatArray, active: FloatArray, age: FloatArray) -> FloatArray:
    """P(alive) = 1/(1 + I (alpha+T)^(r+x) (beta+T)^s) per history; 1 where t_x = T."""
    from scipy.special import expit

    r, alpha, s, beta = parameters
    alive = np.empty_like(x)
    for start in range(0, x.size, _BLOCK):
        block = slice(start, start + _BLOCK)
        shape = r + x[block]
        log_left = np.log(s) + _Integral(alpha, shape, beta, s + 1.0, active[block], age[block]).log_value
        alive[block] = expit(-shape * np.log(alpha + age[block]) - s * np.log(beta + age[block]) - log_left)
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

    Given alive: A (alpha+T)^A (beta+T)^s int_T^(T+H) (alpha+y)^-(A+1) (beta+y)^-s dy, A = r + x.
    """
    r, alpha, s, beta = parameters
    returned = np.empty_like(x)
    for start in range(0, x.size, _BLOCK):
        block = slice(start, start + _BLOCK)
        shape, now = r + x[block], age[block]
        log_rate = np.log(shape) + shape * np.log(alpha + now) + s * np.log(beta + now)
        integral = _Integral(alpha, shape + 1.0, beta, s, now, now + horizon[block])
        returned[block] = np.minimum(np.exp(log_rate + integral.log_value), 1.0)
    return p_alive(parameters, x, active, age) * returned


class _Integral:
    """int_begin^end (alpha+y)^-power_a (beta+y)^-power_b dy per row, and means of functions of y under the integrand."""

    def __init__(
        self, alpha: float, power_a: FloatArray, beta: float, power_b: float, begin: FloatArray, end: FloatArray
    ) -> None:
        low = min(alpha, beta)
        from_low = low + begin
        width = self._support(alpha, power_a, beta, power_b, from_low, np.log1p((end - begin) / from_low), low)
        nodes, weights = _gauss_legendre()
        log_grown = np.log(from_low)[:, None] + width[:, None] * nodes
        grown = np.exp(log_grown)  # low + y: one of the two bases, so its logarithm is known
        self.a, self.b = grown + (alpha - low), grown + (beta - low)
        self.log_a = log_grown if alpha <= beta else np.log(self.a)
        self.log_b = log_grown if beta <= alpha else np.log(self.b)
        height = log_grown - power_a[:, None] * self.log_a - power_b * self.log_b
        top = height.max(axis=1)
        share = np.exp(height - top[:, None]) * weights
        area = share.sum(axis=1)
        with np.errstate(divide="ignore"):
            self.log_value = top + np.log(area * width)  # -inf where begin = end
        self.share = share / area[:, None]

    def mean(self, values: FloatArray) -> FloatArray:
        """Mean of a function of y, given at the nodes."""
        return np.asarray(np.einsum("ij,ij->i", self.share, values))

    @staticmethod
    def _support(
        alpha: float, power_a: FloatArray, beta: float, power_b: float, from_low: FloatArray, width: FloatArray, low: float
    ) -> FloatArray:
        """Length in w beyond which the integrand is below e^-32 of its begin: tangents of a concave curve, from the right."""
        log_a, log_b = np.log(from_low + (alpha - low)), np.log(from_low + (beta - low))
        for _ in range(5):
            grown = from_low * np.exp(width)
            a, b = grown + (alpha - low), grown + (beta - low)
            drop = power_a * (np.log(a) - log_a) + power_b * (np.log(b) - log_b) - width
            slope = power_a * grown / a + power_b * grown / b - 1.0
            far = drop > _NEGLIGIBLE_DROP
            width = np.where(far, width - (drop - _NEGLIGIBLE_DROP) / np.where(far, slope, 1.0), width)
        return width


@cache
def _gauss_legendre() -> tuple[FloatArray, FloatArray]:
    """Nodes on (0, 1) and weights that sum to 1."""
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    return (nodes + 1.0) / 2.0, weights / 2.0
