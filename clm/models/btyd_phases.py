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
_MOST_TERMS = 1 << 20  # orders beyond the millionth are not counted
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

    Added up by how many orders the process makes: P(it makes m) times the chances to be alive for the first, ..., the m-th.
    The hidden events are negative binomial, each probability a multiple of the one before, which takes an eighth of the time
    of an incomplete beta function a term. For every k, no pole at a = 1, finite for every history. Rows leave the sum when
    what is left of them is below 1e-13 of it: past the mode the terms fall at least as fast as the bound on their ratio.
    Where that is not so after a million orders, what more the process makes counts as a million.
    """
    shape, share = np.asarray(shape, dtype=np.float64), np.asarray(share, dtype=np.float64)
    total, alive, made = np.zeros_like(shape), np.ones_like(shape), np.zeros_like(shape)
    share = np.minimum(share, 1.0 - 2.0**-53)
    events = shape + phase
    with np.errstate(divide="ignore"):
        log_share = np.log(share)
    log_chance = events * np.log1p(-share)  # of the events before the first that completes an order
    for early in range(1, erlang - phase):
        log_chance += log_share + np.log((events + (early - 1.0)) / early)
    rows = np.flatnonzero(share > 0.0)
    done, width = 0, 16
    while rows.size and done < _MOST_TERMS:
        orders = np.arange(done + 1, done + width + 1, dtype=np.float64)[None, :]
        first, last = erlang * (done + 1) - phase, erlang * (done + width + 1) - phase
        event = np.arange(first, last, dtype=np.float64)[None, :]
        going_on = []
        for part in np.array_split(rows, -(-rows.size * width * erlang // _BLOCK)):
            stays = np.cumprod(np.broadcast_to(staying(orders, part), (part.size, width)), axis=1)
            reached = alive[part, None] * np.concatenate([np.ones((part.size, 1)), stays[:, :-1]], axis=1)
            alive[part] *= stays[:, -1]
            expected = made[part, None] + np.cumsum(reached, axis=1)
            made[part] = expected[:, -1]
            a, log_z = events[part], log_share[part]
            chance = np.cumsum(np.log((a[:, None] + (event - 1.0)) / event) + log_z[:, None], axis=1) + log_chance[part, None]
            log_chance[part] = chance[:, -1]
            terms = np.exp(chance).reshape(part.size, width, erlang).sum(axis=2) * expected
            total[part] += terms.sum(axis=1)
            most = np.maximum(share[part] * (a + (last - 1.0)) / last, share[part]) ** erlang * (1.0 + 1.0 / (done + width))
            left = terms[:, -1] * most > _NEGLIGIBLE * total[part] * (1.0 - most)
            going_on.append(part[left | (most >= 1.0)])
        rows = np.concatenate(going_on)
        done += width
        width = min(width * 2, 1 << 14)
    if rows.size:
        total[rows] += at_least(shape[rows], share[rows], done + 1, erlang, phase) * made[rows]
    return total
