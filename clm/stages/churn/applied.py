"""A saved model on another day's customers: whether it fits the question and the log, and how far they are from its own.

It may not learn anything, or read a file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from clm.errors import ConfigError, DataError
from clm.models import classify, classify_drift
from clm.models import drift as drifting
from clm.models.classify_buyers import Buyers
from clm.models.classify_features import lean_names, rich_names
from clm.models.classify_learned import Learned
from clm.models.drift import MOST_PSI
from clm.outcome import Notice
from clm.settings import ChurnSettings

NOT_APPLIED: dict[str, Any] = {"psi": None, "psi_score": None, "psi_features": {}}
_MONTHS_DIFFER = 3  # days by which the same calendar months can be longer than a year or a month before
_WHERE = "--model, learned.churn"
_AGAIN = "learn it again with `clm churn --save-model`"


def read(document: Mapping[str, Any], settings: ChurnSettings, as_of: date) -> Learned:
    """The model. Raises ConfigError when it is not what churn learns, or made for another horizon or method than asked."""
    learned = from_json(document)
    asked = settings.horizon.days(as_of) if settings.horizon is not None else learned.horizon_days
    calendar = settings.horizon is not None and settings.horizon.unit in ("m", "y")
    if abs(asked - learned.horizon_days) > (_MONTHS_DIFFER if calendar else 0):
        fix = f"give --horizon {learned.horizon_days}d or none, or {_AGAIN}"
        text = f"the model looks {learned.horizon_days} days ahead, --horizon says {asked}"
        raise ConfigError(text, where=_WHERE, fix=fix, code="model_horizon")
    name = learned.fitted.name
    if settings.method not in ("auto", name):
        fix = f"give --method {name} or none, or {_AGAIN}" if name != "base_rate" else f"leave out --method, or {_AGAIN}"
        text = f"the model is {name}, --method says {settings.method}"
        raise ConfigError(text, where=_WHERE, fix=fix, code="model_method")
    return learned


def from_json(document: Mapping[str, Any]) -> Learned:
    """The model by itself. Raises ConfigError when it is not what churn learns."""
    try:
        return Learned.from_json(document)
    except ValueError as error:
        raise ConfigError(f"the model's part for churn is damaged: {error}", where=_WHERE, fix=_AGAIN, code="model") from None


def check_known(learned: Learned, buyers: Buyers) -> None:
    """Raises DataError when the model reads something that is not known of these customers."""
    model = learned.fitted.model
    if not isinstance(model, classify.Logistic | classify.Trees):
        return
    if buyers.habits is None:
        raise DataError(
            f"the {model.name} model reads the order log, and there is none",
            where="--model",
            fix="give the transactions with --orders",
            code="model_needs_orders",
        )
    known = rich_names(buyers) if isinstance(model, classify.Trees) else lean_names(buyers)
    lacking = [name for name in model.features if name not in known]
    if lacking:
        raise DataError(
            f"the model reads {', '.join(lacking)}, which this log does not tell",
            where="--model",
            fix="map the same columns as in the log it was made from (amounts, products), or learn it again",
            code="model_features",
        )


def drift(learned: Learned, now: Mapping[str, Any]) -> dict[str, Any]:
    """The metrics of the drift: `psi` is the largest, `psi_score` the score's, `psi_features` each, largest first.

    Each compares today's customers with those of the day the model was made, in what the model reads of them.
    """
    if not next(iter(now.values())).size:
        return NOT_APPLIED
    found = {name: drifting.psi(then, now[name]) for name, then in learned.reference.items() if name in now}
    score = found.pop(classify_drift.SCORE, None)
    ranked = dict(sorted(found.items(), key=lambda one: (-one[1], one[0])))
    largest = max([*found.values(), *([] if score is None else [score])], default=None)
    return {"psi": largest, "psi_score": score, "psi_features": ranked}


def notices(learned: Learned, drifted: Mapping[str, Any], customers: int) -> Iterator[Notice]:
    """What must be known of `customers` scored. Few of them differ by chance: what they would reach anyway is no drift."""
    if not learned.validated:
        yield Notice("not_validated", f"the {learned.fitted.name} model was not validated when it was made")
    named = {classify_drift.SCORE: drifted["psi_score"] or 0.0} | drifted["psi_features"]
    chance = {name: drifting.by_chance(learned.reference[name], customers) for name in named if name in learned.reference}
    words = {classify_drift.SCORE: "the score"}
    far = [f"{words.get(name, name)} {named[name]:.2f}" for name in chance if named[name] - chance[name] > MOST_PSI]
    if far:
        more = f" and {len(far) - 5} more" if len(far) > 5 else ""
        yield Notice("drifted", f"other customers than the model was made for (psi above {MOST_PSI}): {', '.join(far[:5])}{more}")
