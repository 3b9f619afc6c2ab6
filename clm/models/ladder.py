"""The ladder: which families are fitted to a base of buyers, and which forecast the base gets, down to the mean of all.
Records and scores in, a rung out; it makes no forecast, reads no log and words no message.

Chosen family -> NBD -> naive forecast -> nothing. A rung says what made the number (`method`) and whether to trust it (`status`).
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from clm.models import btyd, choice, valuation
from clm.models.btyd_params import BtydParams
from clm.models.choice import Choice
from clm.models.evaluate import Score
from clm.models.fitting import FitError
from clm.models.valuation import Buyers, OrderValue, SpendFit

LIFETIMES = "lifetimes"
AUTO = "auto"
CANDIDATES = ("nbd", "bgnbd", "mbgnbd")


@dataclass(frozen=True)
class Fits:
    """The families fitted to one base: by clm, by lifetimes (empty unless asked), and those that forecast."""

    own: dict[str, BtydParams]
    lifetimes: dict[str, BtydParams]
    failed: dict[str, str]

    @property
    def used(self) -> dict[str, BtydParams]:
        return self.own | self.lifetimes


@dataclass(frozen=True)
class Rung:
    """What the buyers of a base get.

    method: name of the forecast; params: the family that makes it, None for a naive forecast; alive: the family whose
    P(alive) is told, None when attrition is not identified. status: code of clv_status, before money is looked at.
    choice: the rule's verdict, None when there was nothing to choose from.
    """

    method: str
    status: str
    params: BtydParams | None
    alive: BtydParams | None
    choice: Choice | None

    @property
    def tested(self) -> bool:
        """Whether the back-test's scores under this name are about this forecast; the fallback rate is not tested."""
        return self.params is not None or self.status == "baseline_better"

    @property
    def needs_recent(self) -> bool:
        """Whether the forecast repeats the last period and so needs to know it."""
        return self.params is None and self.status == "baseline_better" and self.method in ("last_period", "mean")


def families(asked: str) -> tuple[str, ...]:
    """The families to fit for a setting: all of them for auto; the one asked for, and NBD beside it."""
    return CANDIDATES if asked == AUTO else tuple(name for name in CANDIDATES if name in ("nbd", asked))


def fit_families(names: Collection[str], buyers: Buyers, estimator: str) -> Fits:
    """Fit each family to the buyers, with `lifetimes` also by that package (all but NBD, which it does not know).

    A family that cannot be fitted is in `failed` with its reason. Identification is always judged by clm's own fit.
    """
    own, foreign, failed = {}, {}, {}
    for name in names:
        try:
            own[name] = btyd.fit(name, *buyers.history)
        except FitError as error:
            failed[name] = error.sentence
            continue
        if estimator == LIFETIMES and name != "nbd":
            from clm.models import via_lifetimes

            try:
                foreign[name] = via_lifetimes.fit(name, *buyers.history)
            except FitError as error:
                failed[name] = error.sentence
    return Fits(own, foreign, failed)


def other_spend_fit(estimator: str) -> SpendFit | None:
    """The function that fits Gamma-Gamma in place of clm's own, where another estimator is asked for."""
    if estimator == LIFETIMES:
        from clm.models import via_lifetimes

        return via_lifetimes.fit_spend
    return None


def pick(asked: str, fits: Fits, scores: Sequence[Score]) -> Rung:
    """The rung of a base with enough repeat buyers. `scores`: of orders, all forecasts at all origins (may be empty).

    auto: the choice rule, in which a baseline may win. A family asked for by name is used when its drop-out is
    identified, even where a baseline was better (the status says so); otherwise NBD. A fit that did not converge is no
    candidate; where that leaves nothing, the naive rate.
    """
    usable = {name for name, fitted in fits.own.items() if fitted.converged}
    identified = {name for name in usable if name != "nbd" and fits.own[name].identified}
    likelihoods = {name: fits.own[name].log_likelihood for name in identified}
    model = choice.choose([one for one in scores if one.kind == "model"], likelihoods, identified).name
    verdict = choice.choose(scores, likelihoods, identified)
    beaten = verdict.reason == "baseline_better" and (verdict.name in usable or verdict.name != "nbd")
    if beaten and asked == AUTO:
        params = fits.used["nbd"] if verdict.name == "nbd" else None
        alive = fits.used[model] if params is None and model != "nbd" else None
        return Rung(verdict.name, "baseline_better", params, alive, verdict)
    if model not in usable:
        return Rung("rate", "degenerate", None, None, verdict)
    if beaten:
        status = "baseline_better"
    elif model == "nbd" and asked != "nbd":
        status = "attrition_not_identified"
    elif not fits.own[model].identified:
        status = "degenerate"
    else:
        status = "ok" if any(one.name == model for one in scores) else "not_validated"
    params = fits.used[model]
    return Rung(model, status, params, params if model != "nbd" else None, verdict)


def without_model(buyers: Buyers) -> Rung:
    """The rung of a base with too few repeat buyers for any family: the shrunken rate, or nobody comes back where nobody did."""
    return Rung("rate" if buyers.repeat_buyers else "mean", "few_repeat_buyers", None, None, None)


def value(rung: Rung, buyers: Buyers, include_first: bool, estimator: str) -> OrderValue | None:
    """The value of an order on this rung: Gamma-Gamma beside a family, else the shrunken mean; None without amounts.

    Where a naive forecast won the back-test, Gamma-Gamma is fitted to be shown, not used.
    """
    if buyers.spend is None:
        return None
    if rung.choice is None:
        return OrderValue.by_mean(buyers)
    found = valuation.order_value(buyers, include_first, other_spend_fit(estimator))
    if rung.params is not None:
        return found
    return replace(OrderValue.by_mean(buyers), fitted=found.fitted)
