"""Erlang phases: purchase gaps of k hidden Poisson events, for every family whose orders follow them (k = 1: Poisson).
Holds formulas only: no fit, no drop-out assumption of its own.

Notation (Reutterer, Platzer & Schroeder 2021, IJRM 38(1)): r, alpha the Gamma of the hidden rate; A = r + k x;
u = (T - t_x)/(alpha + T); phase j = hidden events since the last order, j < k, with weight
w_j = w_{j-1} (A + j - 1) u / j, w_0 = 1. Given phase j, the hidden rate is Gamma(A + j, alpha + T).
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
# Maps (order numbers m as a row, row numbers) to P(the m-th future order is not the last | alive until it).
Staying = Callable[[FloatArray, NDArray[np.intp]], FloatArray]

_NEGLIGIBLE = 1e-13
_MOST_TERMS = 1 << 20  # a forecast beyond a million orders is none; the sum stops there
_BLOCK = 1 << 19  # numbers held at once


def phase_sum(shape: FloatArray, elapsed: FloatArray, erlang: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    """ln S2 = ln sum of w_j, its derivative in A and its derivative in ln u (0 where u = 0)."""
    weight = np.ones_like(shape)
    by_shape = np.zeros_like(shape)
    total, total_by_shape, total_by_log_elapsed = weight.copy(), by_shape.copy(), np.zeros_like(shape)
    for j in range(1, erlang):
        by_shape = (by_shape * (shape + (j - 1.0)) + weight) * elapsed / j
        weight = weight * (shape + j - 1.0) * elapsed / j
        total += weight
        total_by_shape += by_shape
        total_by_log_elapsed += j * weight
    return np.log(total), total_by_shape / total, total_by_log_elapsed / total


def phase_probabilities(shape: FloatArray, elapsed: FloatArray, erlang: int) -> FloatArray:
    """P(phase j | alive), one row per history, one column per phase."""
    weights: FloatArray = np.ones((shape.size, erlang))
    for j in range(1, erlang):
        weights[:, j] = weights[:, j - 1] * (shape + j - 1.0) * elapsed / j
    weights /= weights.sum(axis=1, keepdims=True)
    return weights


def at_least(shape: FloatArray, share: FloatArray, orders: int, erlang: int, phase: int) -> FloatArray:
    """P(the process makes at least `orders` orders within the horizon | alive throughout, phase): I_z(k m - j, A + j).

    `share` is z = H/(alpha + T + H).
    """
    from scipy.special import betainc

    return np.asarray(betainc(float(erlang * orders - phase), shape + phase, share), dtype=np.float64)


def tail_sum(shape: FloatArray, share: FloatArray, erlang: int, phase: int, staying: Staying) -> FloatArray:
    """Expected orders within the horizon given alive now: sum over m >= 1 of P(m orders are made) P(alive for the m-th).

    Exact for every k, no pole at a = 1, finite for every history. Rows leave the sum when what is left of them is
    below 1e-13 of it; terms fall at least as fast as the negative binomial tail, whose ratio bounds the remainder.
    """
    from scipy.special import betainc

    total, alive = np.zeros_like(shape), np.ones_like(shape)
    rows = np.flatnonzero(share > 0.0)
    done, width = 0, 16
    while rows.size and done < _MOST_TERMS:
        orders = np.arange(done + 1, done + width + 1, dtype=np.float64)[None, :]
        going_on = []
        for part in np.array_split(rows, -(-rows.size * width // _BLOCK)):
            a, z = (shape[part] + phase)[:, None], share[part][:, None]
            stays = np.cumprod(np.broadcast_to(staying(orders, part), (part.size, width)), axis=1)
            reached = alive[part, None] * np.concatenate([np.ones((part.size, 1)), stays[:, :-1]], axis=1)
            alive[part] *= stays[:, -1]
            terms = betainc(erlang * orders - phase, a, z) * reached
            total[part] += terms.sum(axis=1)
            events = erlang * (done + width) - phase
            ratio = np.minimum(z[:, 0] * (a[:, 0] + events) / (events + 1.0), 1.0) ** erlang
            going_on.append(part[terms[:, -1] * ratio > _NEGLIGIBLE * total[part] * (1.0 - ratio)])
        rows = np.concatenate(going_on)
        done += width
        width = min(width * 2, 1 << 14)
    return total
