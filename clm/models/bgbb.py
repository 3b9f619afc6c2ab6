"""BG/BB: giving or buying at yearly (or other fixed) chances, at most once each, by customers who may leave before any of them.
Counts in, a record and forecasts out; it knows no dates and no money.

Fader, Hardie & Shang 2010 (Marketing Science 29(6)). A customer is (orders, last_chance, chances) = (x, t_x, n): x of the n
chances after the first order were taken, the last of them the t_x-th. Chance to order ~ Beta(alpha, beta), to leave before
a chance ~ Beta(gamma, delta). L is a sum over the chance at which the customer may have left:
    L = B(alpha+x, beta+n-x) B(gamma, delta+n) + sum over i < n - t_x of B(alpha+x, beta+t_x-x+i) B(gamma+1, delta+t_x+i),
each divided by B(alpha, beta) B(gamma, delta). The first term is "still there after n chances".
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from clm.models.fitting import FitError, Objective, estimates, maximise
from clm.models.records import as_estimates, as_number, as_object, as_truth, as_words, estimates_document

__all__ = ["NOTES", "BgbbParams", "FitError", "expected_orders", "fit", "p_alive", "p_return"]

FloatArray = NDArray[np.float64]
IndexArray = NDArray[np.intp]

PARAMETERS = ("alpha", "beta", "gamma", "delta")  # no units
NOTES: dict[str, str] = {
    "attrition_not_identified": "the data do not show that anybody left: P(alive) and the drop-out parameters mean nothing",
    "parameters_not_identified": "a parameter ran to the edge of its range or has no usable standard error",
    "not_converged": "the maximum was not reached to the accepted gradient",
}
_LARGEST_ERROR = 2.0  # of an identified log-parameter
_LEAST_RATIO = 6.0  # 2 delta LL against the beta-binomial, the same model without drop-out
_MOST_CHANCES = 10_000


@dataclass(frozen=True)
class BgbbParams:
    """One fitted BG/BB; time runs in chances to order.

    parameters, standard_errors: by name; an error is None on a flat surface. covariance_log: of the logarithms.
    likelihood_ratio: 2 (log-likelihood - that of the beta-binomial, where nobody leaves). identified: False when the
    drop-out cannot be told from the data. customers: number (or total weight) fitted. notes: codes of NOTES.
    """

    parameters: dict[str, float]
    standard_errors: dict[str, float | None]
    covariance_log: tuple[tuple[float, ...], ...] | None
    log_likelihood: float
    likelihood_ratio: float
    identified: bool
    converged: bool
    customers: float
    notes: tuple[str, ...]

    def values(self) -> FloatArray:
        """alpha, beta, gamma, delta as an array."""
        return np.array([self.parameters[name] for name in PARAMETERS])

    def to_json(self) -> dict[str, object]:
        """A JSON-ready document of numbers and codes; `from_json` reads it back to an equal record."""
        return {
            **estimates_document(self.parameters, self.standard_errors, self.covariance_log),
            "log_likelihood": self.log_likelihood,
            "likelihood_ratio": self.likelihood_ratio,
            "identified": self.identified,
            "converged": self.converged,
            "customers": self.customers,
            "notes": list(self.notes),
        }

    @staticmethod
    def from_json(document: object) -> "BgbbParams":
        """Read and check a document of `to_json`; ValueError says which entry is wrong."""
        what = "BG/BB model"
        names = ("parameters", "standard_errors", "covariance_log", "log_likelihood", "likelihood_ratio", "identified",
                 "converged", "customers", "notes")  # fmt: skip
        entries = as_object(document, what, names)
        parameters, errors, covariance = as_estimates(entries, what, PARAMETERS, 1e-9, 1e9)
        return BgbbParams(
            parameters=parameters,
            standard_errors=errors,
            covariance_log=covariance,
            log_likelihood=as_number(entries["log_likelihood"], f"{what}, log_likelihood"),
            likelihood_ratio=as_number(entries["likelihood_ratio"], f"{what}, likelihood_ratio", 0.0),
            identified=as_truth(entries["identified"], f"{what}, identified"),
            converged=as_truth(entries["converged"], f"{what}, converged"),
            customers=as_number(entries["customers"], f"{what}, customers", 0.0),
            notes=as_words(entries["notes"], f"{what}, notes", tuple(NOTES)),
        )


def fit(orders: ArrayLike, last_chance: ArrayLike, chances: ArrayLike, weights: ArrayLike | None = None) -> BgbbParams:
    """Maximum likelihood over n customers, who may have had different numbers of chances. weights: customers per entry.

    Raises FitError `no_repeat_orders` (nobody took a chance), ValueError for impossible histories. A fit that is not
    converged or not identified is returned and says so.
    """
    known = _distinct(orders, last_chance, chances, weights)
    if not np.any(known.x):
        raise FitError("no_repeat_orders", "nobody ordered at any chance after the first, so no order rate can be learned")
    customers = float(known.count.sum())
    starts = ((1.0, 1.0, 1.0, 3.0), (0.5, 0.5, 0.5, 0.5), (2.0, 4.0, 1.0, 10.0))
    optimum = maximise(_objective(known), [np.log(np.array(start)) for start in starts], customers)
    twin = maximise(_beta_binomial(known), [np.log(np.array(start[:2])) for start in starts], customers)
    parameters, errors, covariance = estimates(optimum, PARAMETERS, np.ones(4))
    ratio = max(2.0 * customers * (optimum.mean_log_likelihood - twin.mean_log_likelihood), 0.0)
    sharp = optimum.sharp(_LARGEST_ERROR)
    told = {
        "parameters_not_identified": not sharp,
        "attrition_not_identified": not sharp or ratio <= _LEAST_RATIO,
        "not_converged": not optimum.converged,
    }
    return BgbbParams(
        parameters=parameters,
        standard_errors=errors,
        covariance_log=covariance,
        log_likelihood=float(optimum.mean_log_likelihood * customers),
        likelihood_ratio=float(ratio),
        identified=sharp and ratio > _LEAST_RATIO,
        converged=optimum.converged,
        customers=customers,
        notes=tuple(note for note, holds in told.items() if holds),
    )


def p_alive(params: BgbbParams, orders: ArrayLike, last_chance: ArrayLike, chances: ArrayLike, ahead: int = 1) -> FloatArray:
    """P(still there at the `ahead`-th coming chance | history), one value per customer; the paper's is at the next one.

    ahead = 0: has not left up to the last chance.
    """
    known = _distinct(orders, last_chance, chances)
    return next(_alive(params, known, [_checked_horizon(ahead)]))[known.of_customer]


def expected_orders(
    params: BgbbParams, orders: ArrayLike, last_chance: ArrayLike, chances: ArrayLike, horizon: int
) -> FloatArray:
    """E[orders at the next `horizon` chances | history], one value per customer: (alpha+x)/(alpha+beta+n) sum of P(alive).

    Exact, without the pole of the printed form at gamma = 1. A new customer is x = t_x = n = 0.
    """
    known = _distinct(orders, last_chance, chances)
    alpha, beta, _, _ = params.values()
    present = sum(_alive(params, known, range(1, _checked_horizon(horizon) + 1)), np.zeros_like(known.x))
    return np.asarray((alpha + known.x) / (alpha + beta + known.n) * present)[known.of_customer]


def p_return(params: BgbbParams, orders: ArrayLike, last_chance: ArrayLike, chances: ArrayLike, horizon: int) -> FloatArray:
    """P(at least one order at the next `horizon` chances | history): 1 - L(x, t_x, n + horizon)/L(x, t_x, n)."""
    known = _distinct(orders, last_chance, chances)
    longer = _Distinct(known.x, known.last, known.n + _checked_horizon(horizon), known.count, known.of_customer)
    values = params.values()
    silent = _Terms(longer).log_likelihood(values)[0] - _Terms(known).log_likelihood(values)[0]
    return np.asarray(-np.expm1(np.minimum(silent, 0.0)))[known.of_customer]


@dataclass(frozen=True)
class _Distinct:
    """Distinct histories with their counts; customer i has the entry of_customer[i]."""

    x: FloatArray
    last: FloatArray
    n: FloatArray
    count: FloatArray
    of_customer: IndexArray


def _distinct(orders: ArrayLike, last_chance: ArrayLike, chances: ArrayLike, weights: ArrayLike | None = None) -> _Distinct:
    x, last, n = (np.atleast_1d(np.asarray(values, dtype=np.float64)) for values in (orders, last_chance, chances))
    weight = np.ones_like(x) if weights is None else np.atleast_1d(np.asarray(weights, dtype=np.float64))
    if x.ndim != 1 or not x.shape == last.shape == n.shape == weight.shape:
        raise ValueError("orders, last_chance, chances and weights must have the same length")
    if not np.all(np.isfinite(weight) & (weight > 0.0)):
        raise ValueError("weights must be finite and above 0")
    with np.errstate(invalid="ignore"):
        possible = (x >= 0.0) & (x <= last) & (last <= n) & (n <= _MOST_CHANCES) & ((x > 0.0) == (last > 0.0))
        possible &= (x == np.floor(x)) & (last == np.floor(last)) & (n == np.floor(n))
    if not np.all(possible):
        raise ValueError(f"customer {int(np.argmin(possible))}: orders, last_chance and chances are not a possible history")
    keys, first, of = np.unique(np.stack([x, last, n]), axis=1, return_index=True, return_inverse=True)
    count = np.bincount(of.ravel(), weights=weight, minlength=first.size).astype(np.float64)
    return _Distinct(keys[0], keys[1], keys[2], count, of.ravel())


def _checked_horizon(horizon: int) -> int:
    if horizon != int(horizon) or not 0 <= horizon <= _MOST_CHANCES:
        raise ValueError(f"the horizon must be 0 to {_MOST_CHANCES} chances")
    return int(horizon)


class _Terms:
    """The terms of every history's likelihood in one row: first "still there", then the chances at which it may have ended."""

    def __init__(self, known: _Distinct) -> None:
        each = (known.n - known.last).astype(np.intp) + 1
        self.start = np.cumsum(each) - each
        row = np.repeat(np.arange(each.size), each)
        step = (np.arange(row.size) - self.start[row]).astype(np.float64)  # 0: still there; i + 1: left after t_x + i chances
        self.left = (step > 0.0).astype(np.float64)
        self.seen = np.where(step > 0.0, known.last[row] + step - 1.0, known.n[row])  # chances while present
        self.taken, self.row = known.x[row], row

    def log_likelihood(self, values: FloatArray) -> tuple[FloatArray, FloatArray]:
        """ln L of each history, and each term's share of its L."""
        from scipy.special import betaln

        alpha, beta, gamma, delta = values
        log_term = betaln(alpha + self.taken, beta + self.seen - self.taken) - betaln(alpha, beta)
        log_term += betaln(gamma + self.left, delta + self.seen) - betaln(gamma, delta)
        top = np.maximum.reduceat(log_term, self.start)
        share = np.exp(log_term - top[self.row])
        total = np.add.reduceat(share, self.start)
        return top + np.log(total), share / total[self.row]


def _objective(known: _Distinct) -> Objective:
    """Mean log-likelihood of the logarithms of alpha, beta, gamma, delta, and its gradient."""
    from scipy.special import digamma

    terms = _Terms(known)
    customers = float(known.count.sum())

    def mean_log_likelihood(log_parameters: FloatArray) -> tuple[float, FloatArray]:
        alpha, beta, gamma, delta = parameters = np.exp(log_parameters)
        log_values, share = terms.log_likelihood(parameters)
        weight = share * known.count[terms.row]
        ordering = digamma(alpha + beta) - digamma(alpha + beta + terms.seen)
        leaving = digamma(gamma + delta) - digamma(gamma + terms.left + delta + terms.seen)
        by = [
            ordering + digamma(alpha + terms.taken) - digamma(alpha),
            ordering + digamma(beta + terms.seen - terms.taken) - digamma(beta),
            leaving + digamma(gamma + terms.left) - digamma(gamma),
            leaving + digamma(delta + terms.seen) - digamma(delta),
        ]
        gradient = np.array([float(weight @ slope) for slope in by]) * parameters
        return float(known.count @ log_values) / customers, gradient / customers

    return mean_log_likelihood


def _beta_binomial(known: _Distinct) -> Objective:
    """The same without drop-out: every history has seen all its chances."""
    from scipy.special import betaln, digamma

    customers = float(known.count.sum())

    def mean_log_likelihood(log_parameters: FloatArray) -> tuple[float, FloatArray]:
        alpha, beta = parameters = np.exp(log_parameters)
        taken, missed = alpha + known.x, beta + known.n - known.x
        both = digamma(alpha + beta) - digamma(taken + missed)
        value = float(known.count @ (betaln(taken, missed) - betaln(alpha, beta)))
        by = [float(known.count @ (both + digamma(taken) - digamma(alpha))),
              float(known.count @ (both + digamma(missed) - digamma(beta)))]  # fmt: skip
        return value / customers, np.array(by) * parameters / customers

    return mean_log_likelihood


def _alive(params: BgbbParams, known: _Distinct, ahead: Iterable[float]) -> Iterator[FloatArray]:
    """P(still there at that many chances from now | history), for each of `ahead` in turn."""
    from scipy.special import betaln

    values = params.values()
    alpha, beta, gamma, delta = values
    taken = betaln(alpha + known.x, beta + known.n - known.x) - betaln(alpha, beta) - betaln(gamma, delta)
    taken -= _Terms(known).log_likelihood(values)[0]
    for chances in ahead:
        yield np.exp(np.minimum(taken + betaln(gamma, delta + known.n + chances), 0.0))
