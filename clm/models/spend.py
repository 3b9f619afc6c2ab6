"""Spend per order: Gamma-Gamma, and the shrunken mean used where Gamma-Gamma cannot be fitted.
Arrays of order counts and mean values in, records and arrays out; it knows no dates and no number of future orders.

Fader & Hardie 2013 note 025. Notation: x = orders with a value (`orders`), m = their mean (`mean_spend`);
order value ~ Gamma(p, rate nu), nu ~ Gamma(q, rate gamma), so nu | x, m ~ Gamma(q + p x, gamma + x m).
Which orders count (repeat orders only, or the first too) is the caller's choice; fit and forecast must agree on it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from clm.models.fitting import FitError, Objective, estimates, maximise
from clm.models.records import as_count, as_estimates, as_number, as_object, as_truth, as_words, estimates_document

__all__ = ["MIN_CUSTOMERS", "NOTES", "FitError", "SpendParams", "expected_mean_spend", "fit", "shrunken_mean"]

FloatArray = NDArray[np.float64]

PARAMETERS = ("p", "q", "gamma")  # p, q have no unit; gamma is money
MIN_CUSTOMERS = 10  # with spend; below it no Gamma-Gamma is fitted
NOTES: dict[str, str] = {
    "no_population_mean": "q is 1 or less: a new customer has no finite expected order value",
    "spend_depends_on_orders": "order value and number of orders go together (correlation above .3): the model assumes not",
    "spend_not_converged": "the maximum was not reached to the accepted gradient",
    "spend_not_identified": "a parameter ran to the edge of its range or has no usable standard error",
    "estimator_lifetimes": "fitted by the lifetimes package",
}
_LARGEST_CORRELATION = 0.3
_LARGEST_ERROR = 2.0
_SAMPLE = 20_000  # customers that suffice to tell the starts apart


@dataclass(frozen=True)
class SpendParams:
    """One fitted Gamma-Gamma. Unit of gamma and of every mean: the money of the input.

    population_mean: p gamma/(q - 1), expected value of an order of a customer never seen; None when q <= 1.
    observed_mean: plain mean of the customers' means; stands in for the population mean where that is None.
    correlation: of x and m among the customers fitted; None when one of them is constant.
    customers: those with x > 0 and m > 0. notes: codes of NOTES.
    """

    parameters: dict[str, float]
    standard_errors: dict[str, float | None]
    covariance_log: tuple[tuple[float, ...], ...] | None
    log_likelihood: float
    population_mean: float | None
    observed_mean: float
    correlation: float | None
    identified: bool
    converged: bool
    customers: int
    notes: tuple[str, ...]

    def values(self) -> FloatArray:
        """p, q, gamma as an array."""
        return np.array([self.parameters[name] for name in PARAMETERS])

    def to_json(self) -> dict[str, object]:
        """A JSON-ready document of numbers and codes; `from_json` reads it back to an equal record."""
        return {
            **estimates_document(self.parameters, self.standard_errors, self.covariance_log),
            "log_likelihood": self.log_likelihood,
            "population_mean": self.population_mean,
            "observed_mean": self.observed_mean,
            "correlation": self.correlation,
            "identified": self.identified,
            "converged": self.converged,
            "customers": self.customers,
            "notes": list(self.notes),
        }

    @staticmethod
    def from_json(document: object) -> "SpendParams":
        """Read and check a document of `to_json`; ValueError says which entry is wrong."""
        what = "spend model"
        entries = as_object(
            document,
            what,
            ("parameters", "standard_errors", "covariance_log", "log_likelihood", "population_mean", "observed_mean",
             "correlation", "identified", "converged", "customers", "notes"),
        )  # fmt: skip
        parameters, errors, covariance = as_estimates(entries, what, PARAMETERS, 1e-12, 1e18)
        stated, association = entries["population_mean"], entries["correlation"]
        if stated is not None:
            as_number(stated, f"{what}, population_mean", 0.0)
        return SpendParams(
            parameters=parameters,
            standard_errors=errors,
            covariance_log=covariance,
            log_likelihood=as_number(entries["log_likelihood"], f"{what}, log_likelihood"),
            population_mean=population_mean(parameters),
            observed_mean=as_number(entries["observed_mean"], f"{what}, observed_mean", 0.0),
            correlation=None if association is None else as_number(association, f"{what}, correlation", -1.001, 1.001),
            identified=as_truth(entries["identified"], f"{what}, identified"),
            converged=as_truth(entries["converged"], f"{what}, converged"),
            customers=as_count(entries["customers"], f"{what}, customers"),
            notes=as_words(entries["notes"], f"{what}, notes", tuple(NOTES)),
        )


def fit(orders: ArrayLike, mean_spend: ArrayLike) -> SpendParams:
    """Maximum likelihood over the customers with orders > 0 and mean spend > 0; the others (also null = NaN) are left out.

    Raises FitError: `few_spenders` (fewer than 10 such customers), `spend_constant` (every mean is equal: no spread to
    learn), `spend_degenerate` (the likelihood has no maximum inside the allowed range).
    """
    x, m = _checked(orders, mean_spend)
    used = (x > 0.0) & (m > 0.0)
    x, m = x[used], m[used]
    if x.size < MIN_CUSTOMERS:
        raise FitError("few_spenders", f"only {x.size} customers have repeat spend; at least {MIN_CUSTOMERS} are needed")
    unit = float(m.mean())
    if float(m.max() - m.min()) <= 1e-9 * unit:
        raise FitError("spend_constant", "every customer spends the same per order, so there is no spread to model")
    step = -(-x.size // _SAMPLE)
    coarse = _objective(x[step // 2 :: step], m[step // 2 :: step] / unit) if step > 2 else None
    optimum = maximise(_objective(x, m / unit), _starts(m / unit), float(x.size), coarse_objective=coarse)
    if np.any(np.abs(optimum.log_parameters) > 13.9):
        raise FitError("spend_degenerate", "order values do not follow a Gamma-Gamma: its likelihood has no maximum")
    parameters, errors, covariance = estimates(optimum, PARAMETERS, np.array([1.0, 1.0, unit]))
    association = correlation(x, m)
    identified = optimum.sharp(_LARGEST_ERROR)
    notes = []
    if population_mean(parameters) is None:
        notes.append("no_population_mean")
    if association is not None and association > _LARGEST_CORRELATION:
        notes.append("spend_depends_on_orders")
    if not optimum.converged:
        notes.append("spend_not_converged")
    if not identified:
        notes.append("spend_not_identified")
    return SpendParams(
        parameters=parameters,
        standard_errors=errors,
        covariance_log=covariance,
        log_likelihood=float(optimum.mean_log_likelihood * x.size - x.size * np.log(unit)),
        population_mean=population_mean(parameters),
        observed_mean=unit,
        correlation=association,
        identified=identified,
        converged=optimum.converged,
        customers=int(x.size),
        notes=tuple(notes),
    )


def expected_mean_spend(params: SpendParams, orders: ArrayLike, mean_spend: ArrayLike) -> FloatArray:
    """Expected value of an order of each customer: p (gamma + x m)/(q + p x - 1); finite and > 0 for every customer.

    Customers with x = 0 (their mean spend may be null = NaN) get the population mean, or the observed mean where the
    population has none (q <= 1). A mean below 0 (more returned than bought) counts as 0.
    """
    x, m = _checked(orders, mean_spend)
    p, q, gamma = params.values()
    known = (x > 0.0) & (q + p * x > 1.0)
    fallback = params.observed_mean if params.population_mean is None else params.population_mean
    paid = np.maximum(m, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        expected = p * (gamma + x * paid) / (q + p * x - 1.0)
    return np.where(known, expected, fallback)


def shrunken_mean(orders: ArrayLike, mean_spend: ArrayLike) -> FloatArray:
    """Each customer's mean drawn towards the mean of all: (x m + c M)/(x + c); finite for every customer.

    Buehlmann credibility c = (variance within customers)/(variance between), read off the line
    (m - M)^2 = between + within/x over the customers with x > 0; customers without get M (0 when nobody has spend).
    A mean below 0 counts as 0.
    """
    x, m = _checked(orders, mean_spend)
    used = x > 0.0
    paid = np.where(used, np.maximum(m, 0.0), 0.0)
    if not np.any(used):
        return np.zeros_like(x)
    overall = float(paid[used].mean())
    gap, inverse = (paid[used] - overall) ** 2, 1.0 / x[used]
    spread = float(np.mean((inverse - inverse.mean()) ** 2))
    within = float(np.mean((inverse - inverse.mean()) * (gap - gap.mean()))) / spread if spread > 0.0 else 0.0
    within = min(max(within, 0.0), float(gap.mean() / inverse.mean()))
    between = float(gap.mean() - within * inverse.mean())
    if between <= 1e-12 * overall**2:
        return np.full_like(x, overall)
    # One order never counts in full, even where the line finds no variance within customers.
    credibility = max(within / between, 1.0)
    return np.where(used, (x * paid + credibility * overall) / (x + credibility), overall)


def _checked(orders: ArrayLike, mean_spend: ArrayLike) -> tuple[FloatArray, FloatArray]:
    x = np.atleast_1d(np.asarray(orders, dtype=np.float64))
    m = np.atleast_1d(np.asarray(mean_spend, dtype=np.float64))
    if x.shape != m.shape or x.ndim != 1:
        raise ValueError("orders and mean_spend must have the same length")
    if not np.all(np.isfinite(x) & (x >= 0.0)):
        raise ValueError("orders must be finite numbers, 0 or more")
    if not np.all(np.isfinite(m[x > 0.0])):
        raise ValueError("customers with orders need a finite mean spend")
    return x, np.where(np.isfinite(m), m, 0.0)


def _objective(x: FloatArray, m: FloatArray) -> Objective:
    from scipy.special import digamma, gammaln

    levels, count = np.unique(x, return_counts=True)
    paid = x * m
    x_log_total = float(x @ np.log(paid))
    log_m_total = float(np.sum(np.log(m)))
    size = float(x.size)

    def mean_log_likelihood(log_parameters: FloatArray) -> tuple[float, FloatArray]:
        p, q, gamma = parameters = np.exp(log_parameters)
        px = p * levels
        rate = gamma + paid
        log_rate = np.log(rate)
        x_log_rate, log_rate_total = float(x @ log_rate), float(np.sum(log_rate))
        np.reciprocal(rate, out=rate)
        value = float(count @ (gammaln(px + q) - gammaln(px))) - size * gammaln(q)
        value += size * q * np.log(gamma) + p * x_log_total - log_m_total - p * x_log_rate - q * log_rate_total
        by_p = float((count * levels) @ (digamma(px + q) - digamma(px))) + x_log_total - x_log_rate
        by_q = float(count @ digamma(px + q)) - size * digamma(q) + size * np.log(gamma) - log_rate_total
        by_gamma = size * q / gamma - p * float(x @ rate) - q * float(np.sum(rate))
        return value / size, np.array([by_p, by_q, by_gamma]) * parameters / size

    return mean_log_likelihood


def _starts(m: FloatArray) -> Sequence[FloatArray]:
    # Money is scaled to a mean of 1, so p gamma/(q - 1) near 1; p from the spread of the means.
    p = float(np.clip(1.0 / np.var(m), 0.2, 20.0))
    return [np.log(np.array(start)) for start in ((p, 4.0, 3.0 / p), (2.0, 2.0, 1.0), (6.0, 4.0, 0.5))]


def population_mean(parameters: dict[str, float]) -> float | None:
    """Expected order value of a customer never seen, p gamma/(q - 1); None when q <= 1, where it is infinite."""
    if parameters["q"] <= 1.0:
        return None
    mean = parameters["p"] * parameters["gamma"] / (parameters["q"] - 1.0)
    return mean if np.isfinite(mean) else None


def correlation(x: FloatArray, m: FloatArray) -> float | None:
    """Of number and mean value of orders; None when one of them is constant."""
    if np.ptp(x) == 0.0 or np.ptp(m) == 0.0:
        return None
    return float(np.corrcoef(x, m)[0, 1])
