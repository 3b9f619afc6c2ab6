"""The ladder: which families are fitted to a base of buyers, and which forecast the base gets, down to the mean of all.
Records and scores in, a rung out; it makes no forecast, reads no log and words no message.

Chosen family -> NBD -> naive forecast -> nothing. A rung says what made the number (`method`) and whether to trust it (`status`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from clm.models import btyd, choice, valuation
from clm.models.btyd_params import LARGEST_ERLANG, BtydParams
from clm.models.buyers import Buyers
from clm.models.choice import REGULAR, Choice
from clm.models.evaluate import Score
from clm.models.fitting import FitError
from clm.models.valuation import OrderValue, SpendFit, Way

LIFETIMES = "lifetimes"
AUTO = "auto"
POISSON = ("nbd", "bgnbd", "mbgnbd", "paretonbd")  # families of k = 1
_OF_ONE = {"bgcnbd": "bgnbd", "mbgcnbd": "mbgnbd"}  # what a family of regular gaps is at k = 1


@dataclass(frozen=True)
class Asked:
    """What was asked of the models: a family or auto, the Erlang order of the families of regular gaps, whose estimator, and
    whether the first purchase is part of the spend model.

    erlang: None leaves it to the likelihood, at every fit anew. include_first: None leaves it to the back-test.
    """

    family: str = AUTO
    erlang: int | None = 1
    estimator: str = "clm"
    include_first: bool | None = False

    @property
    def families(self) -> tuple[str, ...]:
        """The families to fit: for auto all, those of regular gaps unless k is 1; else NBD and the one asked for."""
        if self.family == AUTO:
            return POISSON if self.erlang == 1 else (*POISSON, *REGULAR)
        return tuple(dict.fromkeys(("nbd", self.family)))

    @property
    def spend_fit(self) -> SpendFit | None:
        """The function that fits Gamma-Gamma in place of clm's own, where another estimator is asked for."""
        if self.estimator == LIFETIMES:
            from clm.models import via_lifetimes

            return via_lifetimes.fit_spend
        return None


@dataclass(frozen=True)
class Fits:
    """The families fitted to one base: by clm, by lifetimes (empty unless asked), and those that forecast.

    left_out: the share of all repeat order days made by customers so enormous that the fits leave them out; 0.0 for none.
    """

    own: dict[str, BtydParams]
    lifetimes: dict[str, BtydParams]
    failed: dict[str, str]
    left_out: float = 0.0

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
        """Whether the forecast is made of the last period and so needs to know it."""
        return self.params is None and self.status == "baseline_better" and self.method in ("last_period", "mean", "hiatus")


def fit_families(asked: Asked, buyers: Buyers) -> Fits:
    """Fit each family asked for to the buyers, with `lifetimes` also by that package where it knows the family.

    A family that cannot be fitted is in `failed` with its reason. Identification is always judged by clm's own fit.
    Customers who alone make more than a tenth of all repeat order days bend every parameter (one with 5,000 moved alpha of
    the CDNOW sample from 4.4 to 1.0): they are left out of the fits, not of the forecast.
    """
    enormous = buyers.enormous
    typical, left_out = buyers, 0.0
    if enormous.any():
        typical = buyers.taken(~enormous)
        left_out = float(buyers.repeat_days[enormous].sum() / buyers.repeat_days.sum())
    own: dict[str, BtydParams] = {}
    foreign: dict[str, BtydParams] = {}
    failed: dict[str, str] = {}
    for name in asked.families:
        try:
            own[name] = _fitted(name, typical, asked.erlang if name in REGULAR else 1, own)
        except FitError as error:
            failed[name] = error.sentence
            continue
        if asked.estimator == LIFETIMES:
            from clm.models import via_lifetimes

            if name not in via_lifetimes.FITTED:
                continue
            try:
                foreign[name] = via_lifetimes.fit(name, *typical.history)
            except FitError as error:
                failed[name] = error.sentence
    return Fits(own, foreign, failed, left_out)


def _fitted(name: str, buyers: Buyers, erlang: int | None, known: Mapping[str, BtydParams]) -> BtydParams:
    """One fit by clm. Without an order, k rises from 1 while the likelihood does."""
    if erlang is not None:
        return btyd.fit(name, *buyers.history, erlang=erlang, log_gap_sum=buyers.log_gap_sum if erlang > 1 else None)
    of_one = _OF_ONE[name]
    best = replace(known[of_one] if of_one in known else btyd.fit(of_one, *buyers.history), family=name)
    if buyers.log_gap_sum is None:
        return best
    for order in range(2, LARGEST_ERLANG + 1):
        fitted = btyd.fit(name, *buyers.history, erlang=order, log_gap_sum=buyers.log_gap_sum)
        if not fitted.log_likelihood > best.log_likelihood:
            break
        best = fitted
    return best


def candidates(asked: Asked, fits: Fits) -> Fits:
    """The fits auto chooses among: a family of regular gaps whose best order is 1 is there already under its plain name."""
    if asked.family != AUTO:
        return fits
    return replace(fits, own={name: fit for name, fit in fits.own.items() if name not in REGULAR or fit.erlang > 1})


def pick(asked: Asked, fits: Fits, scores: Sequence[Score]) -> Rung:
    """The rung of a base with enough repeat buyers. `scores`: of orders, all forecasts at all origins (may be empty).

    auto: the choice rule, in which a baseline may win. A family asked for by name is used when its drop-out is
    identified, even where a baseline was better (the status says so); otherwise NBD. A family whose parameters ran to the
    edge counts as identified where the likelihood shows that customers leave and the back-test proves it. A fit that did
    not converge is no candidate; where that leaves nothing, the naive rate.
    """
    usable = {name for name, fitted in fits.own.items() if fitted.converged}
    identified = {name for name in usable if name != "nbd" and fits.own[name].identified}
    edge = {name for name in usable - identified if (fits.own[name].likelihood_ratio or 0.0) > btyd.LEAST_RATIO}
    identified |= choice.proven(scores, edge)
    if asked.family == AUTO:
        identified = choice.agreed(scores, identified)
    likelihoods = {name: fits.own[name].log_likelihood for name in identified}
    model = choice.choose([one for one in scores if one.kind == "model"], likelihoods, identified).name
    verdict = choice.choose(scores, likelihoods, identified)
    beaten = verdict.reason == "baseline_better" and (verdict.name in usable or verdict.name != "nbd")
    if beaten and asked.family == AUTO:
        params = fits.used["nbd"] if verdict.name == "nbd" else None
        alive = fits.used[model] if params is None and model != "nbd" else None
        return Rung(verdict.name, "baseline_better", params, alive, verdict)
    if model not in usable:
        return Rung("rate", "degenerate", None, None, verdict)
    if beaten:
        status = "baseline_better"
    elif model == "nbd" and asked.family != "nbd":
        status = "attrition_not_identified"
    elif model not in identified and not fits.own[model].identified:
        status = "degenerate"
    else:
        status = "ok" if any(one.name == model for one in scores) else "not_validated"
    params = fits.used[model]
    return Rung(model, status, params, params if model != "nbd" else None, verdict)


def without_model(buyers: Buyers) -> Rung:
    """The rung of a base with too few repeat buyers for any family: the shrunken rate, or nobody comes back where nobody did."""
    return Rung("rate" if buyers.repeat_buyers else "mean", "few_repeat_buyers", None, None, None)


def ways(asked: Asked, buyers: Buyers) -> dict[Way, OrderValue]:
    """The values of an order the back-test may choose among, as fitted to these buyers; the first is used without a test.

    Gamma-Gamma without the first purchase, and with it where that is not settled; one that cannot be fitted is left out
    where the other can. The shrunken mean stands beside them where order value and number of orders go together, which
    Gamma-Gamma assumes they do not. Empty without amounts.
    """
    if buyers.spend is None:
        return {}
    names: tuple[Way, ...] = ("all_orders",) if asked.include_first else ("repeat_orders",)
    if asked.include_first is None:
        names = ("repeat_orders", "all_orders")
    fitted = {name: valuation.order_value(buyers, name, asked.spend_fit) for name in names}
    found = {name: one for name, one in fitted.items() if one.model is not None} or {names[0]: fitted[names[0]]}
    if any(one.fitted is not None and "spend_depends_on_orders" in one.fitted.notes for one in found.values()):
        found["shrunken_mean"] = next(iter(found.values())).by_mean_instead(buyers)
    return found
