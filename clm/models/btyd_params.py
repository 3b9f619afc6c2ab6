"""What a fitted buy-till-you-die family is: a frozen record of numbers, to and from JSON.
Knows no formula and no data.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clm.models.records import (
    as_count,
    as_estimates,
    as_number,
    as_object,
    as_truth,
    as_word,
    as_words,
    estimates_document,
)

FloatArray = NDArray[np.float64]

# Family code -> parameters in the order of the papers. r, a, b, s have no unit; alpha, beta are in weeks.
FAMILIES: dict[str, tuple[str, ...]] = {
    "nbd": ("r", "alpha"),
    "bgnbd": ("r", "alpha", "a", "b"),
    "mbgnbd": ("r", "alpha", "a", "b"),
    "bgcnbd": ("r", "alpha", "a", "b"),
    "mbgcnbd": ("r", "alpha", "a", "b"),
    "paretonbd": ("r", "alpha", "s", "beta"),
}
FAMILY_TITLES: dict[str, str] = {
    "nbd": "NBD",
    "bgnbd": "BG/NBD",
    "mbgnbd": "MBG/NBD",
    "bgcnbd": "BG/CNBD-k",
    "mbgcnbd": "MBG/CNBD-k",
    "paretonbd": "Pareto/NBD",
}
# Note code -> what it tells the reader.
NOTES: dict[str, str] = {
    "attrition_not_identified": "the data do not show that anybody left: P(alive) and the drop-out parameters mean nothing",
    "parameters_not_identified": "a parameter ran to the edge of its range or has no usable standard error",
    "not_converged": "the maximum was not reached to the accepted gradient",
    "few_repeat_buyers": "fewer than 500 customers ordered again: the parameters are rough",
    "dominant_customer": "one customer makes more than a tenth of all repeat orders and bends the parameters",
    "estimator_lifetimes": "fitted by the lifetimes package",
}
DAYS_PER_WEEK = 7.0
LARGEST_ERLANG = 20
_LARGEST_RATE = 70.0  # mean order days a week of a saved family, ten times what a week has: beyond it forecasts take minutes


@dataclass(frozen=True)
class BtydParams:
    """One fitted family. Time unit: week; `log_likelihood` on the weekly scale, as the literature prints it.

    parameters, standard_errors: by name, in the order of FAMILIES; a standard error is None on a flat surface.
    covariance_log: covariance of the logarithms of the parameters, or None; what posterior simulation draws from.
    identified: False when the drop-out part (NBD: the fit) cannot be told from the data; then `p_alive` means nothing.
    likelihood_ratio: 2 (log-likelihood - that of the same k without drop-out); None for NBD.
    customers: number (or total weight) of customers fitted; repeat_customers: those with x > 0.
    notes: codes of NOTES.
    """

    family: str
    erlang: int
    parameters: dict[str, float]
    standard_errors: dict[str, float | None]
    covariance_log: tuple[tuple[float, ...], ...] | None
    log_likelihood: float
    likelihood_ratio: float | None
    identified: bool
    converged: bool
    customers: float
    repeat_customers: float
    notes: tuple[str, ...]

    @property
    def has_attrition(self) -> bool:
        """Whether the family lets customers leave; P(alive) exists only then."""
        return self.family != "nbd"

    def values(self) -> FloatArray:
        """The parameters as an array in the order of FAMILIES."""
        return np.array([self.parameters[name] for name in FAMILIES[self.family]])

    def confidence_interval(self, name: str) -> tuple[float, float] | None:
        """95 % interval exp(log +- 1.96 se(log)) of one parameter, or None without a standard error."""
        error = self.standard_errors[name]
        if error is None:
            return None
        value = self.parameters[name]
        factor = float(np.exp(min(1.96 * error / value, 700.0)))
        return value / factor, value * factor

    def to_json(self) -> dict[str, object]:
        """A JSON-ready document of numbers and codes; `from_json` reads it back to an equal record."""
        return {
            "family": self.family,
            "erlang": self.erlang,
            "time_unit": "week",
            **estimates_document(self.parameters, self.standard_errors, self.covariance_log),
            "log_likelihood": self.log_likelihood,
            "likelihood_ratio": self.likelihood_ratio,
            "identified": self.identified,
            "converged": self.converged,
            "customers": _plain(self.customers),
            "repeat_customers": _plain(self.repeat_customers),
            "notes": list(self.notes),
        }

    @staticmethod
    def from_json(document: object) -> "BtydParams":
        """Read and check a document of `to_json`; ValueError says which entry is wrong."""
        what = "BTYD model"
        entries = as_object(
            document,
            what,
            ("family", "erlang", "time_unit", "parameters", "standard_errors", "covariance_log", "log_likelihood",
             "likelihood_ratio", "identified", "converged", "customers", "repeat_customers", "notes"),
        )  # fmt: skip
        family = as_word(entries["family"], f"{what}, family", tuple(FAMILIES))
        as_word(entries["time_unit"], f"{what}, time_unit", ("week",))
        erlang = as_count(entries["erlang"], f"{what}, erlang", 1, LARGEST_ERLANG)
        if erlang > 1 and family in ("bgnbd", "mbgnbd", "paretonbd"):
            raise ValueError(f"{what}, erlang: {family} has erlang 1")
        parameters, errors, covariance = as_estimates(entries, what, FAMILIES[family], 1e-9, 1e12)
        if parameters["r"] > _LARGEST_RATE * erlang * parameters["alpha"]:
            raise ValueError(f"{what}, r and alpha: more than {_LARGEST_RATE:g} order days a week are no rate of customers")
        ratio = entries["likelihood_ratio"]
        return BtydParams(
            family=family,
            erlang=erlang,
            parameters=parameters,
            standard_errors=errors,
            covariance_log=covariance,
            log_likelihood=as_number(entries["log_likelihood"], f"{what}, log_likelihood"),
            likelihood_ratio=None if ratio is None else as_number(ratio, f"{what}, likelihood_ratio"),
            identified=as_truth(entries["identified"], f"{what}, identified"),
            converged=as_truth(entries["converged"], f"{what}, converged"),
            customers=as_number(entries["customers"], f"{what}, customers", 0.0),
            repeat_customers=as_number(entries["repeat_customers"], f"{what}, repeat_customers", 0.0),
            notes=as_words(entries["notes"], f"{what}, notes", tuple(NOTES)),
        )


def _plain(count: float) -> float:
    """A count as people write it; weights may make it a fraction."""
    return int(count) if float(count).is_integer() else count
