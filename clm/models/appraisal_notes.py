"""What the reader of an appraisal must know, as codes with sentences, and the verdict in one line.
Records in, sentences out; it computes nothing. A number and the sentence that qualifies it are worded here alone.
"""

from collections.abc import Iterator

from clm.models import btyd_params, choice, spend
from clm.models.appraisal_facts import Made, Setting
from clm.models.btyd import FEW_REPEAT_CUSTOMERS, LEAST_RATIO, MIN_REPEAT_CUSTOMERS
from clm.models.btyd_params import FAMILY_TITLES, BtydParams
from clm.models.choice import REGULAR
from clm.models.evaluate import Score
from clm.models.ladder import AUTO, LIFETIMES
from clm.models.rhythm import Rhythm
from clm.models.trial import Trial
from clm.outcome import counted

_TWO_CYCLES_DAYS = 730
_EARLY, _MOST = 0.1, 0.5
_LEAST_TO_DATE = 30  # customers, below which their first days say nothing about where the log begins
_NAIVE = {
    "rate": "each customer's own rate of order days",
    "last_period": "repeating the last period",
    "mean": "the mean of all customers",
    "hiatus": "the own rate of those not silent for too long, nothing for the others",
    "zero": "expecting no order at all",
    "nbd": "NBD, the model without drop-out",
}


def notes(made: Made, around: Setting) -> Iterator[tuple[str, str]]:
    """(code, sentence) of everything the reader must know before using the numbers."""
    applied = made.applied_of is not None
    if not applied:
        yield from _about_models(made.trial, made.rhythm, around)
    yield from _about_money(made)
    if made.numbers.total.orders_interval is None or (made.value is not None and made.numbers.total.clv_interval is None):
        yield "no_interval", f"no interval: {_no_interval(made, around)}"
    if not applied:
        yield from _about_test(made.trial, around)
    yield from _about_log(around)


def notes_of_test(trial: Trial, rhythm: Rhythm | None, around: Setting) -> Iterator[tuple[str, str]]:
    """(code, sentence) of everything the reader must know before using the test alone."""
    yield from _about_models(trial, rhythm, around)
    yield from _about_test(trial, around)
    yield from _about_log(around)


def verdict(trial: Trial, applied_of: str | None = None) -> str:
    """How the forecast was made and how it fared: `mbgnbd, tested over 19 weeks: beats the baselines in 7 of 9 scores`.

    Poisson deviance decides what is used, so a loss there is named; a total that was far off is, too. applied_of: the day of
    the saved model that was applied instead.
    """
    method, beats = trial.rung.method, trial.beats
    if applied_of is not None:
        return f"{method}, the model of {applied_of} applied"
    if not trial.scores:
        return f"{method}, not validated"
    tested = f"{method}, tested over {stretch(trial.scores[0].horizon_days)}"
    if trial.rung.status == "baseline_better":
        return f"{tested}: {_winner(trial)} beats every model in deviance{_off(trial.scores)}"
    rivals = "the other baselines" if method in choice.BASELINES else "the baselines"
    lost = "" if beats.get("poisson_deviance", True) else ", not in deviance"
    return f"{tested}: beats {rivals} in {sum(beats.values())} of {counted(len(beats), 'score')}{lost}{_off(trial.scores)}"


def _off(scores: list[Score]) -> str:
    """How far the totals were off, where that is more than the sigma of an untested forecast."""
    biases = [one.bias for one in scores if one.bias is not None]
    size = sum(map(abs, biases)) / len(biases) if biases else 0.0
    if size <= choice.DEFAULT_SPREAD:
        return ""
    way = "too high" if min(biases) > 0.0 else "too low" if max(biases) < 0.0 else "off"
    return f", its total {size:.0%} {way}" if len(biases) == 1 else f", its totals {size:.0%} {way} on average"


def stretch(days: int) -> str:
    """`19 weeks`, `5 days`: whole weeks from four weeks on."""
    return counted(round(days / 7), "week") if days >= 28 else counted(days, "day")


def _about_models(trial: Trial, rhythm: Rhythm | None, around: Setting) -> Iterator[tuple[str, str]]:
    repeaters = around.buyers.repeat_buyers
    if repeaters < MIN_REPEAT_CUSTOMERS:
        yield (
            "few_repeat_buyers",
            f"{counted(repeaters, 'customer')} ordered on a second day, a model needs {MIN_REPEAT_CUSTOMERS}: "
            "every order rate is drawn to the mean of all"
            if repeaters
            else "nobody ordered on a second day: this log cannot tell whether anybody comes back, and no order is expected",
        )
    elif repeaters < FEW_REPEAT_CUSTOMERS:
        yield "few_repeat_buyers", f"only {repeaters} customers ordered on a second day: the parameters are rough"
    for family, reason in sorted(trial.fits.failed.items()):
        yield "model_failed", f"{FAMILY_TITLES[family]} could not be fitted: {reason}"
    if trial.asked.estimator == LIFETIMES:
        yield (
            "estimator_lifetimes",
            "forecasts use the fits of the lifetimes package where it has them; clm's own stand beside them",
        )
    families = {name: fit for name, fit in trial.fits.own.items() if name != "nbd"}
    if trial.rung.status == "attrition_not_identified" or (families and not any(_shows(fit) for fit in families.values())):
        why = "the data do not show that anybody left"
        if any(fit.identified and fit.converged for fit in families.values()):
            why += " (where gaps are taken for regular they do, but that forecasts worse than NBD)"
        elif any(_shows(fit) for fit in families.values()):
            why = "the parameters of leaving ran to the edge of their range, and no back-test shows that they forecast better"
        yield "attrition_not_identified", f"attrition not identified: {why}, so NBD is used and no P(alive) is told"
    if trial.fits.left_out > 0.0:
        yield (
            "dominant_customer",
            f"customers with more than a tenth of all repeat order days each make {trial.fits.left_out:.0%} of them: the "
            "parameters are fitted without them, their own forecast uses those",
        )
    yield from _about_rhythm(trial, rhythm)
    told = trial.shown or trial.fits.own.get("nbd")
    for note in () if told is None else told.notes:
        if note not in ("few_repeat_buyers", "attrition_not_identified"):
            yield note, f"{FAMILY_TITLES[told.family]}: {btyd_params.NOTES[note]}" if told is not None else ""


def _shows(fit: BtydParams) -> bool:
    """Whether the likelihood of a family says that customers leave, with parameters of its own or at the edge."""
    return fit.converged and (fit.identified or (fit.likelihood_ratio or 0.0) > LEAST_RATIO)


def _about_rhythm(trial: Trial, rhythm: Rhythm | None) -> Iterator[tuple[str, str]]:
    asked = trial.asked
    fitted = trial.fits.own.get(asked.family)
    if asked.family in REGULAR and fitted is not None and fitted.erlang == 1:
        if rhythm is None:
            yield "regularity_not_told", f"{FAMILY_TITLES[asked.family]}: without the orders the gaps are not known, so k = 1"
        elif not rhythm.regularity_can_be_told and rhythm.median_days is not None:
            unit = {1: "days", 7: "weeks", 30: "months"}.get(rhythm.resolution_days, "years")
            yield (
                "regularity_not_told",
                f"{FAMILY_TITLES[asked.family]}: half of the gaps between order days are {counted(rhythm.median_days, 'day')} or "
                f"shorter, too short in a log that tells {unit} apart to see how regular they are, so k = 1",
            )
    if rhythm is not None and rhythm.like_a_contract:
        yield (
            "like_a_contract",
            f"{rhythm.by_calendar:.0%} of the gaps between order days are a month or a year long: this looks like a contract, in "
            "which the calendar orders; these models are made for customers who decide each time, the back-test shows how far "
            "they hold",
        )


def _about_money(made: Made) -> Iterator[tuple[str, str]]:
    if made.value is None:
        yield "no_amounts", "the log has no amounts: order days are forecast, money is not"
        return
    if made.value.problem is not None:
        code, sentence = made.value.problem
        used = (
            "the shrunken mean values orders instead of Gamma-Gamma"
            if made.value.model is None
            else "clm's own Gamma-Gamma is used"
        )
        yield code, f"{used}: {sentence}"
    fitted = made.value.fitted
    for note in () if fitted is None else fitted.notes:
        if note in spend.NOTES and (made.value.problem is None or note != made.value.problem[0]):
            yield note, f"Gamma-Gamma: {spend.NOTES[note]}"


def _about_test(trial: Trial, around: Setting) -> Iterator[tuple[str, str]]:
    if not trial.scores:
        yield "not_validated", f"not validated: {_untested(trial, around)}"
        return
    days = trial.scores[0].horizon_days
    if days < around.horizon_days:
        yield "tested_shorter", f"tested over {stretch(days)}, forecast over {stretch(around.horizon_days)}"
    if trial.rung.status == "baseline_better":
        used = "and is used" if trial.asked.family == AUTO else f"but {trial.rung.method} was asked for and is used"
        winner = _winner(trial)
        yield "baseline_better", f"in the back-test {_NAIVE[winner]} ({winner}) beats every model, {used}"


def _untested(trial: Trial, around: Setting) -> str:
    if not around.test_wanted:
        return "the back-test was switched off (--no-backtest)"
    if not around.orders_given:
        return "without the orders there is no past to test on (--orders clean.parquet)"
    if trial.tests:
        return f"{trial.rung.method} as it is used here could not be tested on the past"
    return f"the log of {stretch(around.covered_days)} leaves no earlier day with enough history and repeat buyers"


def _no_interval(made: Made, around: Setting) -> str:
    if made.rung.params is None:
        return f"{made.rung.method} says nothing of its own error, and no test measured it"
    ahead, known = stretch(around.horizon_days), stretch(around.covered_days)
    if ahead == known:  # of whole weeks; days tell them apart
        ahead, known = counted(around.horizon_days, "day"), counted(around.covered_days, "day")
    return f"the forecast over {ahead} is longer than the log of {known}, and no test measured its error"


def _about_log(around: Setting) -> Iterator[tuple[str, str]]:
    if around.covered_days < _TWO_CYCLES_DAYS:
        covered = stretch(around.covered_days)
        if around.covered_days >= _TWO_CYCLES_DAYS - 14:  # in weeks it would read as two years
            covered = counted(around.covered_days, "day")
        yield "season_not_modelled", f"the log covers {covered}, less than two years: season is not modelled"
    if around.buyers.age_days.size < _LEAST_TO_DATE:
        return
    came = around.log_days - around.buyers.age_days
    early = float((came <= _EARLY * around.log_days).mean()) if around.log_days else 0.0
    if early > _MOST:
        yield (
            "log_starts_late",
            f"{early:.0%} of the customers are first seen in the first tenth of the log: many of them probably bought before it "
            "begins, so ages and numbers of new customers are not what they seem",
        )


def _winner(trial: Trial) -> str:
    return trial.rung.choice.name if trial.rung.choice is not None else trial.rung.method
