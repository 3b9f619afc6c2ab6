"""What contacting a customer is expected to bring: the maximum profit criterion, one customer at a time, and its curve.
Arrays in, records out; it fits nothing and does not know what a customer is worth, only what is said of it.

A contact costs f whoever gets it; who accepts is given the offer d. Of those who would leave a share `accept` takes it and stays,
which keeps L; all who would have stayed take it too and pay nothing back (Neslin et al. 2006, J. Marketing Research 43, eq. 1;
Verbeke et al. 2012, EJOR 218, eq. 6, here with each customer's own L and the churn probability p instead of means):

    contact value = p * accept * (L - d) - (1 - p) * d - f

L, what leaving takes away, is not the CLV: that averages over leaving and staying, C = (1 - p) V + p W with V the value
of who stays and W of who leaves: L = V - W = (V - C) / p; W is 0 at least, so L is V at most. Nobody observed V. It is what an
order of this customer is worth, C / n for n expected orders, times the fewest orders that who stays can be expected to place:

* staying means an order within the churn horizon H. Where C looks T <= H days ahead, all orders are theirs who stay: n / (1 - p).
  Where it looks further, some who do not order within H do later: n / (1 - p^(T/H)), for after a silence orders come no faster
  than before (a mixture of rates, and people who leave);
* one order at least, or T/H of it: that is what staying means; and no more than the own rhythm makes of T days.

It errs towards contacting too few.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

SHARES = (0.01, 0.02, 0.05, *(tenth / 10 for tenth in range(1, 11)))


@dataclass(frozen=True)
class Costs:
    """One campaign: `offer` is given to everybody who takes it, `contact` spent on everybody asked; `accept` is the share of
    those about to leave who take it and stay. Money is of the log's currency."""

    offer: float
    contact: float
    accept: float


@dataclass(frozen=True)
class Cuts:
    """Probabilities from which customers are at medium and at high risk."""

    medium: float
    high: float


def stakes(probability: FloatArray, value: FloatArray, orders: FloatArray, most_orders: FloatArray, reach: float) -> FloatArray:
    """L per customer: what leaving takes away, from 0 to the value of who stays.

    value: C, 0 or more; orders: n, in the time T that C is about; most_orders: what the own rhythm makes of T; reach: T / H.
    Where n is 0 no order has a value: L is 0.
    """
    ordering = 1.0 - probability ** max(1.0, reach)
    stays = np.divide(orders, ordering, out=np.full_like(orders, np.inf), where=ordering > 0.0)
    stays = np.maximum(np.minimum(stays, np.maximum(most_orders, orders)), min(1.0, reach))
    worth = np.divide(value, orders, out=np.zeros_like(value), where=orders > 0.0) * stays
    bounded = (worth - value < probability * worth) & (probability > 0.0)
    lost = np.divide(worth - value, probability, out=worth.copy(), where=bounded)
    return np.asarray(np.clip(lost, 0.0, worth))


def contact_values(probability: FloatArray, lost: FloatArray, costs: Costs) -> FloatArray:
    """What contacting each customer is expected to bring; with 0 and 1 for the probability, what it would have brought."""
    stays = probability * costs.accept * (lost - costs.offer)
    return np.asarray(stays - (1.0 - probability) * costs.offer - costs.contact)


def curve(expected: FloatArray, realised: FloatArray) -> list[dict[str, float]]:
    """Sums over the customers of highest expected value, at the given shares of them; equals share what they bring together.

    `customers` of them are contacted; `expected` and `realised` add up to there.
    """
    if not expected.size:
        return []
    counts, expected_sums, realised_sums = _cumulated(expected, expected, realised)
    rows = []
    for share in SHARES:
        customers = float(np.ceil(round(share * expected.size, 6)))
        rows.append(
            {
                "share": share,
                "customers": int(customers),
                "expected": float(np.interp(customers, counts, expected_sums)),
                "realised": float(np.interp(customers, counts, realised_sums)),
            }
        )
    return rows


def best(expected: FloatArray, realised: FloatArray) -> dict[str, float]:
    """The number of customers, in the order of expected value, at which hindsight would have stopped, and its profit."""
    counts, _, realised_sums = _cumulated(expected, expected, realised)
    place = int(np.argmax(realised_sums))
    return {"customers": int(counts[place]), "realised": float(realised_sums[place])}


def cuts(probability: FloatArray, expected: FloatArray) -> Cuts | None:
    """The profit curve over risk: contacting everybody from `high` on earns most, and from `medium` on does not lose yet.

    None where contacting from any risk on loses.
    """
    if not probability.size:
        return None
    _, sums, _ = _cumulated(probability, expected, expected)
    levels = np.unique(-probability)
    if sums.max() <= 0.0:
        return None
    high = int(np.argmax(sums[1:]))
    medium = int(np.flatnonzero(sums[1:] >= 0.0)[-1])
    return Cuts(medium=float(-levels[medium]), high=float(-levels[high]))


def _cumulated(by: FloatArray, *values: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Customers and sums of two values from the highest `by` down, at the end of each run of equals; 0 first."""
    levels, level_of = np.unique(-by, return_inverse=True)
    sums = [np.bincount(level_of, weights=one, minlength=levels.size) for one in values]
    counts = np.bincount(level_of, minlength=levels.size).astype(np.float64)
    first, second, third = (np.concatenate([[0.0], np.cumsum(one)]) for one in (counts, *sums))
    return first, second, third
