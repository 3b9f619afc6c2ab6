"""sBG: how long contracts last when every customer has a chance of leaving of their own at each renewal.
Counts of renewals in, a record and probabilities out; it knows no dates, no money, and no orders between renewals.

Fader & Hardie 2007 (Journal of Interactive Marketing 21(1)). The chance to leave ~ Beta(alpha, beta), the same at every
renewal of a customer; retention rises with age only because those likely to leave are gone. Notation: S(t) =
B(alpha, beta + t)/B(alpha, beta) survives t renewals; P(T = t) = B(alpha + 1, beta + t - 1)/B(alpha, beta) leaves at the t-th.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from clm.models.fitting import FitError, Objective, estimates, maximise
from clm.models.records import as_estimates, as_number, as_object, as_truth, as_words, estimates_document

__all__ = ["NOTES", "FitError", "SbgParams", "cohort", "expected_renewals", "fit", "p_stays", "retention", "survival"]

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

PARAMETERS = ("alpha", "beta")  # of the Beta of the chance to leave; no unit
NOTES: dict[str, str] = {
    "parameters_not_identified": "customers look alike: a parameter ran to the edge of its range or has no usable standard error",
    "not_converged": "the maximum was not reached to the accepted gradient",
}
_LARGEST_ERROR = 2.0
_MOST_PERIODS = 100_000


@dataclass(frozen=True)
class SbgParams:
    """One fitted sBG; time runs in renewals.

    parameters, standard_errors: alpha, beta; an error is None on a flat surface. covariance_log: of their logarithms.
    customers: number (or total weight) fitted. notes: codes of NOTES.
    """

    parameters: dict[str, float]
    standard_errors: dict[str, float | None]
    covariance_log: tuple[tuple[float, ...], ...] | None
    log_likelihood: float
    identified: bool
    converged: bool
    customers: float
    notes: tuple[str, ...]

    def to_json(self) -> dict[str, object]:
        """A JSON-ready document of numbers and codes; `from_json` reads it back to an equal record."""
        return {
            **estimates_document(self.parameters, self.standard_errors, self.covariance_log),
            "log_likelihood": self.log_likelihood,
            "identified": self.identified,
            "converged": self.converged,
            "customers": self.customers,
            "notes": list(self.notes),
        }

    @staticmethod
    def from_json(document: object) -> "SbgParams":
        """Read and check a document of `to_json`; ValueError says which entry is wrong."""
        what = "sBG model"
        names = ("parameters", "standard_errors", "covariance_log", "log_likelihood", "identified", "converged", "customers",
                 "notes")  # fmt: skip
        entries = as_object(document, what, names)
        parameters, errors, covariance = as_estimates(entries, what, PARAMETERS, 1e-9, 1e9)
        return SbgParams(
            parameters=parameters,
            standard_errors=errors,
            covariance_log=covariance,
            log_likelihood=as_number(entries["log_likelihood"], f"{what}, log_likelihood"),
            identified=as_truth(entries["identified"], f"{what}, identified"),
            converged=as_truth(entries["converged"], f"{what}, converged"),
            customers=as_number(entries["customers"], f"{what}, customers", 0.0),
            notes=as_words(entries["notes"], f"{what}, notes", tuple(NOTES)),
        )


def cohort(lost: ArrayLike, customers: int) -> tuple[FloatArray, BoolArray, FloatArray]:
    """A cohort as the papers print it, ready for `fit`: `lost[t-1]` of `customers` left at renewal t, the rest stayed."""
    gone = np.atleast_1d(np.asarray(lost, dtype=np.float64))
    stayed = customers - float(gone.sum())
    if gone.ndim != 1 or not np.all(np.isfinite(gone) & (gone >= 0.0)) or stayed < 0.0:
        raise ValueError("lost must be one number per renewal, 0 or more, together not above the customers")
    renewals = np.append(np.arange(1.0, gone.size + 1.0), float(gone.size))
    left = np.append(np.ones(gone.size, dtype=np.bool_), False)
    weights = np.append(gone, stayed)
    some = weights > 0.0
    return renewals[some], left[some], weights[some]


def fit(renewals: ArrayLike, left: ArrayLike, weights: ArrayLike | None = None) -> SbgParams:
    """Maximum likelihood over n contracts of any age: how many renewals came up, and whether the customer left at the last.

    Contracts without a renewal yet (0) tell nothing and change nothing. weights: contracts per entry. Raises FitError
    `nobody_left` or `nobody_stayed` (no chance between 0 and 1 to learn), ValueError for impossible arguments.
    """
    t, gone, count = _checked(renewals, left, weights)
    if not np.any(gone):
        raise FitError("nobody_left", "no contract has ended, so no chance of leaving can be learned")
    if np.all(gone) and float(t.max()) == 1.0:
        raise FitError("nobody_stayed", "every contract ended at its first renewal, so no chance of staying can be learned")
    optimum = maximise(_objective(t, gone, count), [np.log(np.array(start)) for start in ((1.0, 1.0), (0.5, 4.0), (4.0, 8.0))],
                       float(count.sum()))  # fmt: skip
    parameters, errors, covariance = estimates(optimum, PARAMETERS, np.ones(2))
    sharp = optimum.sharp(_LARGEST_ERROR)
    told = {"parameters_not_identified": not sharp, "not_converged": not optimum.converged}
    return SbgParams(
        parameters=parameters,
        standard_errors=errors,
        covariance_log=covariance,
        log_likelihood=float(optimum.mean_log_likelihood * count.sum()),
        identified=sharp,
        converged=optimum.converged,
        customers=float(count.sum()),
        notes=tuple(note for note, holds in told.items() if holds),
    )


def survival(params: SbgParams, renewals: ArrayLike) -> FloatArray:
    """S(t): the share of a cohort that is still there after t renewals; 1 at 0."""
    return p_stays(params, 0.0, renewals)


def retention(params: SbgParams, renewal: ArrayLike) -> FloatArray:
    """S(t)/S(t - 1) = (beta + t - 1)/(alpha + beta + t - 1): of those still there, the share that renews the t-th time."""
    alpha, beta = _values(params)
    t = _numbers(renewal, 1.0)
    return np.asarray((beta + t - 1.0) / (alpha + beta + t - 1.0))


def p_stays(params: SbgParams, renewals: ArrayLike, more: ArrayLike) -> FloatArray:
    """S(t + m)/S(t): a customer who renewed t times renews the next m times too."""
    from scipy.special import betaln

    alpha, beta = _values(params)
    t, m = _numbers(renewals, 0.0), _numbers(more, 0.0)
    return np.asarray(np.exp(np.minimum(betaln(alpha, beta + t + m) - betaln(alpha, beta + t), 0.0)))


def expected_renewals(params: SbgParams, renewals: ArrayLike, horizon: int) -> FloatArray:
    """Expected number of the next `horizon` renewals that a customer who renewed t times will make: sum of S(t + m)/S(t)."""
    t = _numbers(renewals, 0.0)
    if not 0 <= horizon <= _MOST_PERIODS:
        raise ValueError(f"the horizon must be 0 to {_MOST_PERIODS} renewals")
    levels, level_of = np.unique(t, return_inverse=True)
    ahead = np.arange(1.0, horizon + 1.0)
    return np.array([p_stays(params, level, ahead).sum() for level in levels])[level_of].reshape(t.shape)


def _values(params: SbgParams) -> tuple[float, float]:
    return params.parameters["alpha"], params.parameters["beta"]


def _numbers(values: ArrayLike, low: float) -> FloatArray:
    numbers = np.atleast_1d(np.asarray(values, dtype=np.float64))
    if not np.all(np.isfinite(numbers) & (numbers >= low) & (numbers == np.floor(numbers))):
        raise ValueError(f"renewals are whole numbers, {low:g} or more")
    return numbers


def _checked(renewals: ArrayLike, left: ArrayLike, weights: ArrayLike | None) -> tuple[FloatArray, BoolArray, FloatArray]:
    t, gone = _numbers(renewals, 0.0), np.atleast_1d(np.asarray(left, dtype=np.bool_))
    count = np.ones_like(t) if weights is None else np.atleast_1d(np.asarray(weights, dtype=np.float64))
    if t.ndim != 1 or not t.shape == gone.shape == count.shape:
        raise ValueError("renewals, left and weights must have the same length")
    if not np.all(np.isfinite(count) & (count > 0.0)):
        raise ValueError("weights must be finite and above 0")
    if np.any(gone & (t == 0.0)):
        raise ValueError("a customer who left did so at a renewal: renewals must be 1 or more there")
    # Distinct outcomes with their counts: the likelihood depends on nothing else.
    key, first, of = np.unique(2.0 * t + gone, return_index=True, return_inverse=True)
    return t[first], gone[first], np.bincount(of, weights=count, minlength=key.size).astype(np.float64)


def _objective(t: FloatArray, gone: BoolArray, count: FloatArray) -> Objective:
    from scipy.special import betaln, digamma

    customers = float(count.sum())

    def mean_log_likelihood(log_parameters: FloatArray) -> tuple[float, FloatArray]:
        alpha, beta = parameters = np.exp(log_parameters)
        left, stayed = alpha + gone, beta + t - gone
        both = digamma(alpha + beta) - digamma(left + stayed)
        value = float(count @ (betaln(left, stayed) - betaln(alpha, beta)))
        by_alpha = float(count @ (both + digamma(left) - digamma(alpha)))
        by_beta = float(count @ (both + digamma(stayed) - digamma(beta)))
        return value / customers, np.array([by_alpha, by_beta]) * parameters / customers

    return mean_log_likelihood
