"""What a churn run learned, as one record: everything another day's customers need to be scored, written as JSON and read back.
It fits nothing; a document that is not exactly such a record is a ValueError that says which entry is wrong.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from clm.models import boosted_json, classify, drift, records
from clm.models.btyd_params import BtydParams
from clm.models.classify import Calibration, Hiatus, Model
from clm.models.classify_buyers import QUANTITIES, Typical
from clm.models.classify_features import LEAN, RICH
from clm.models.classify_fit import METHODS, Fitted
from clm.models.drift import Reference

_LONGEST_DAYS = 36_525
_MOST = 1e6  # days of a history, or of orders in it
_MONEY = ("spend_per_order_day", "recent_spend")
_KEYS = ("horizon_days", "gap_days", "median_gap_days", "return", "validated", "usual", "model", "calibration", "reference")


@dataclass(frozen=True)
class Learned:
    """`fitted` scores, from the return probability of `returning` over `horizon_days`; `validated`: whether it was tested.

    gap_days: the typical gap features are told in; median_gap_days: of the rhythm (None where nobody ordered twice); usual: the
    medians of those who stayed; reference: features and score of the customers of that day.
    """

    horizon_days: int
    gap_days: float
    median_gap_days: float | None
    returning: BtydParams
    validated: bool
    usual: Typical
    fitted: Fitted
    reference: Mapping[str, Reference]

    def to_json(self) -> dict[str, object]:
        return {
            "horizon_days": self.horizon_days,
            "gap_days": self.gap_days,
            "median_gap_days": self.median_gap_days,
            "return": self.returning.to_json(),
            "validated": self.validated,
            "usual": self.usual,
            **self.fitted.to_json(),
            "reference": {name: one.to_json() for name, one in self.reference.items()},
        }

    @staticmethod
    def from_json(document: object) -> Learned:
        """The record `to_json` wrote. Raises ValueError for anything else."""
        found = records.as_object(document, "churn model", _KEYS)
        median, calibration = found["median_gap_days"], found["calibration"]
        reference = found["reference"]
        if not isinstance(reference, Mapping):
            raise ValueError("reference: expected a JSON object")
        return Learned(
            horizon_days=records.as_count(found["horizon_days"], "horizon_days", 1, _LONGEST_DAYS),
            gap_days=records.as_number(found["gap_days"], "gap_days", 1e-6, 1e9),
            median_gap_days=None if median is None else records.as_number(median, "median_gap_days", 1e-6, 1e9),
            returning=BtydParams.from_json(found["return"]),
            validated=records.as_truth(found["validated"], "validated"),
            usual=_usual(found["usual"]),
            fitted=Fitted(_model(found["model"]), None if calibration is None else _calibration(calibration)),
            reference={str(name): _reference(one, f"reference.{str(name)[:40]}") for name, one in reference.items()},
        )


def _usual(document: object) -> Typical:
    """Medians no customer contradicts: of money any, of days and counts from 0, and no time spanned without a second order."""
    found = records.as_object(document, "usual", QUANTITIES)
    bounds = dict.fromkeys(QUANTITIES, (0.0, _MOST)) | dict.fromkeys(_MONEY, (-math.inf, math.inf))
    usual = {
        name: None if found[name] is None else records.as_number(found[name], f"usual.{name}", *bounds[name])
        for name in QUANTITIES
    }
    active, repeat = usual["active_days"], usual["repeat_days"]
    if (active is None) != (repeat is None) or bool(active) != bool(repeat) or (repeat or 0.0) % 1.0:
        raise ValueError("usual: no customer has such repeat_days over such active_days")
    return usual


def _reference(document: object, what: str) -> Reference:
    """Bins of numbers: what is watched here has no categories."""
    found = drift.from_json(document, what)
    if found.edges is None:
        raise ValueError(f"{what}: its bins have no edges")
    return found


def _model(document: object) -> Model:
    name = document.get("name") if isinstance(document, Mapping) else None
    match records.as_word(name, "model.name", METHODS):
        case "return":
            records.as_object(document, "model", ("name",))
            return classify.Return()
        case "base_rate":
            found = records.as_object(document, "model", ("name", "rate"))
            return classify.BaseRate(records.as_number(found["rate"], "model.rate", 0.0, 1.0))
        case "hiatus":
            found = records.as_object(document, "model", ("name", "intercept", "slope", "cutoff_days"))
            rule = Hiatus(
                records.as_number(found["intercept"], "model.intercept"), records.as_number(found["slope"], "model.slope", 0.0)
            )
            if found["cutoff_days"] != rule.cutoff_days:
                raise ValueError("model.cutoff_days: does not follow from intercept and slope")
            return rule
        case "logistic":
            return _logistic(document)
    found = records.as_object(document, "model", ("name", "features", "boosted"))
    names = _names(found["features"], RICH)
    trees = boosted_json.from_json(found["boosted"])
    if trees.width != len(names):
        raise ValueError("model.features: another number than the trees read")
    return classify.Trees(names, trees)


def _logistic(document: object) -> classify.Logistic:
    what = ("name", "features", "means", "scales", "coefficients", "intercept", "penalty")
    found = records.as_object(document, "model", what)
    names = _names(found["features"], LEAN)
    numbers = {
        key: tuple(records.as_number(one, f"model.{key}") for one in records.as_list(found[key], f"model.{key}", len(names)))
        for key in ("means", "scales", "coefficients")
    }
    if min(numbers["scales"]) <= 0.0:
        raise ValueError("model.scales: a scale is not positive")
    records.as_number(found["penalty"], "model.penalty", 0.0)
    return classify.Logistic(features=names, intercept=records.as_number(found["intercept"], "model.intercept"), **numbers)


def _names(value: object, known: tuple[str, ...]) -> tuple[str, ...]:
    names = records.as_words(value, "model.features", known)
    if not names or len(set(names)) < len(names):
        raise ValueError("model.features: none, or one twice")
    return names


def _calibration(document: object) -> Calibration:
    found = records.as_object(document, "calibration", ("kind", "knots", "values"))
    kind = records.as_word(found["kind"], "calibration.kind", ("sigmoid", "isotonic"))
    values = tuple(records.as_number(one, "calibration.values") for one in records.as_list(found["values"], "calibration.values"))
    if kind == "sigmoid":
        records.as_list(found["knots"], "calibration.knots", 0)
        if len(values) != 2 or values[1] <= 0.0:
            raise ValueError("calibration.values: expected an intercept and a rising slope")
        return Calibration(kind, (), values)
    listed = records.as_list(found["knots"], "calibration.knots", len(values))
    knots = tuple(records.as_number(one, "calibration.knots", 0.0, 1.0) for one in listed)
    if list(knots) != sorted(set(knots)) or list(values) != sorted(values) or not all(0.0 <= one <= 1.0 for one in values):
        raise ValueError("calibration: no rising map of probabilities")
    return Calibration(kind, knots, values)
