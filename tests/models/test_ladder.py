"""Which rung a base of buyers stands on: models, baselines and their statuses."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from literature import published

from clm.models import ladder
from clm.models.btyd_params import BtydParams
from clm.models.evaluate import Score, score
from clm.models.ladder import Fits
from clm.models.valuation import Buyers


def _fits(**changed: BtydParams) -> Fits:
    own = {
        "nbd": replace(published("nbd", 0.4, 12.0), log_likelihood=-200.0),
        "bgnbd": replace(published("bgnbd", 0.24, 4.4, 0.8, 2.4), log_likelihood=-100.0),
        "mbgnbd": replace(published("mbgnbd", 0.5, 6.2, 0.9, 1.6), log_likelihood=-99.0),
    }
    return Fits(own | changed, {}, {})


def _scores(actual: list[float], **forecasts: list[float]) -> list[Score]:
    """Two origins at which each forecast said the same."""
    return [
        score(name, "model" if name in ("bgnbd", "mbgnbd") else "baseline", origin, 28, np.array(told), np.array(actual))
        for origin in ("2024-01-01", "2024-02-01")
        for name, told in forecasts.items()
    ]


GOOD, POOR, POORER = [1.0, 2.0, 0.1], [2.0, 1.0, 1.0], [3.0, 0.1, 3.0]
ACTUAL = [1.0, 2.0, 0.0]


def test_auto_takes_the_family_with_the_lowest_deviance() -> None:
    """The back-test decides, not the likelihood; baselines that did worse change nothing."""
    rung = ladder.pick("auto", _fits(), _scores(ACTUAL, bgnbd=GOOD, mbgnbd=POOR, rate=POORER, nbd=POORER))
    assert (rung.method, rung.status) == ("bgnbd", "ok")
    assert rung.params == rung.alive == _fits().own["bgnbd"]


def test_without_a_test_the_likelihood_decides_and_the_status_says_so() -> None:
    """No scores: the higher log-likelihood among the identified families, `not_validated`."""
    rung = ladder.pick("auto", _fits(), [])
    assert (rung.method, rung.status) == ("mbgnbd", "not_validated")


@pytest.mark.parametrize("winner", ["rate", "last_period", "mean"])
def test_a_naive_forecast_that_wins_is_used(winner: str) -> None:
    """`baseline_better`: no family makes the numbers, but P(alive) of the best family is still told."""
    rung = ladder.pick("auto", _fits(), _scores(ACTUAL, bgnbd=POOR, mbgnbd=POORER, **{winner: GOOD}))
    assert (rung.method, rung.status, rung.params) == (winner, "baseline_better", None)
    assert rung.alive == _fits().own["bgnbd"]
    assert rung.needs_recent == (winner != "rate")


def test_nbd_that_wins_is_used_without_p_alive() -> None:
    """NBD is a baseline with parameters; where it makes the numbers nobody is said to have left."""
    rung = ladder.pick("auto", _fits(), _scores(ACTUAL, bgnbd=POOR, mbgnbd=POORER, nbd=GOOD))
    assert (rung.method, rung.status, rung.alive) == ("nbd", "baseline_better", None)
    assert rung.params == _fits().own["nbd"]


def test_attrition_that_is_not_identified_gives_nbd() -> None:
    """All families collapse: NBD, no P(alive), and the status that says why."""
    flat = {name: replace(_fits().own[name], identified=False) for name in ("bgnbd", "mbgnbd")}
    rung = ladder.pick("auto", _fits(**flat), _scores(ACTUAL, bgnbd=GOOD, mbgnbd=GOOD, nbd=GOOD, rate=POOR))
    assert (rung.method, rung.status, rung.alive) == ("nbd", "attrition_not_identified", None)


def test_a_fit_that_did_not_converge_is_no_candidate() -> None:
    """The best score does not help a family whose maximum was not reached."""
    rung = ladder.pick("auto", _fits(bgnbd=replace(_fits().own["bgnbd"], converged=False)), [])
    assert rung.method == "mbgnbd"


def test_without_a_usable_fit_the_ladder_goes_down_to_the_rate() -> None:
    """No fit reached its maximum: the naive rate, untested; but a naive forecast that won the back-test is used."""
    lost = {name: replace(fit, converged=False) for name, fit in _fits().own.items()}
    rung = ladder.pick("auto", _fits(**lost), [])
    assert (rung.method, rung.status, rung.params, rung.alive) == ("rate", "degenerate", None, None)
    assert not rung.tested
    won = ladder.pick("auto", _fits(**lost), _scores(ACTUAL, nbd=POOR, last_period=GOOD))
    assert (won.method, won.status) == ("last_period", "baseline_better")
    assert won.tested


def test_a_family_asked_for_is_used_even_where_a_baseline_is_better() -> None:
    """The number is what was asked for, the status says that it should not have been."""
    fits = Fits({name: _fits().own[name] for name in ladder.families("bgnbd")}, {}, {})
    rung = ladder.pick("bgnbd", fits, _scores(ACTUAL, bgnbd=POOR, nbd=POORER, rate=GOOD))
    assert (rung.method, rung.status) == ("bgnbd", "baseline_better")
    assert rung.choice is not None
    assert rung.choice.name == "rate"


def test_nbd_asked_for_is_no_failure_of_identification() -> None:
    """Who asks for the model without drop-out gets it, tested like the others."""
    fits = Fits({"nbd": _fits().own["nbd"]}, {}, {})
    assert ladder.pick("nbd", fits, []).status == "not_validated"
    assert ladder.pick("nbd", fits, _scores(ACTUAL, nbd=GOOD, rate=POOR)).status == "ok"
    flat = Fits({"nbd": replace(_fits().own["nbd"], identified=False)}, {}, {})
    assert ladder.pick("nbd", flat, []).status == "degenerate"


def test_too_few_repeat_buyers_get_the_rate_and_nobody_the_mean() -> None:
    """With repeats the shrunken rate; where nobody came back, nobody will."""
    some = Buyers(np.array([1.0, 0.0]), np.array([5.0, 0.0]), np.array([9.0, 9.0]))
    none = Buyers(np.zeros(2), np.zeros(2), np.array([9.0, 9.0]))
    assert ladder.without_model(some).method == "rate"
    assert ladder.without_model(none).method == "mean"


def test_a_family_asked_for_is_fitted_beside_nbd() -> None:
    """NBD is always there: as the baseline, and as what is left when attrition is not identified."""
    assert ladder.families("mbgnbd") == ("nbd", "mbgnbd")
    assert ladder.families("nbd") == ("nbd",)
    assert set(ladder.families("auto")) == {"nbd", "bgnbd", "mbgnbd"}


def test_lifetimes_fits_forecast_and_ours_stay_beside_them() -> None:
    """With the lifetimes estimator its fit is the one used; NBD, which it does not know, stays ours."""
    dice = np.random.default_rng(5)
    age = dice.integers(100, 300, 400).astype(float)
    x = dice.poisson(1.0, 400).astype(float)
    active = np.where(x > 0, np.maximum(x, np.floor(age * dice.random(400))), 0.0)
    fits = ladder.fit_families(("nbd", "bgnbd"), Buyers(x, active, age), "lifetimes")
    assert set(fits.own) == {"nbd", "bgnbd"}
    assert set(fits.lifetimes) | set(fits.failed) == {"bgnbd"}
    assert fits.used["nbd"] is fits.own["nbd"]


def test_buyers_who_never_repeat_fail_by_name() -> None:
    """A fit that cannot be made is a reason, not an exception."""
    fits = ladder.fit_families(("nbd", "bgnbd"), Buyers(np.zeros(3), np.zeros(3), np.array([1.0, 2.0, 3.0])), "clm")
    assert not fits.used
    assert set(fits.failed) == {"nbd", "bgnbd"}
