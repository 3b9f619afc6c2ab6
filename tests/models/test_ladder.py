"""Which rung a base of buyers stands on: models, baselines and their statuses."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from literature import published

from clm.models import ladder
from clm.models.btyd_params import BtydParams
from clm.models.buyers import Buyers
from clm.models.evaluate import Score, score
from clm.models.ladder import Asked, Fits


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
WON = dict.fromkeys(("rate", "last_period", "mean", "hiatus"), GOOD) | {"zero": [0.0] * 3}


def test_auto_takes_the_family_with_the_lowest_deviance() -> None:
    """The back-test decides, not the likelihood; baselines that did worse change nothing."""
    rung = ladder.pick(Asked(), _fits(), _scores(ACTUAL, bgnbd=GOOD, mbgnbd=POOR, rate=POORER, nbd=POORER))
    assert (rung.method, rung.status) == ("bgnbd", "ok")
    assert rung.params == rung.alive == _fits().own["bgnbd"]


def test_without_a_test_the_likelihood_decides_and_the_status_says_so() -> None:
    """No scores: the higher log-likelihood among the identified families, `not_validated`."""
    rung = ladder.pick(Asked(), _fits(), [])
    assert (rung.method, rung.status) == ("mbgnbd", "not_validated")


@pytest.mark.parametrize("winner", ["rate", "last_period", "mean", "hiatus", "zero"])
def test_a_naive_forecast_that_wins_is_used(winner: str) -> None:
    """`baseline_better`: no family makes the numbers, but P(alive) of the best family is still told."""
    rung = ladder.pick(
        Asked(), _fits(), _scores(GOOD if winner != "zero" else [0.0] * 3, bgnbd=POOR, mbgnbd=POORER, **{winner: WON[winner]})
    )
    assert (rung.method, rung.status, rung.params) == (winner, "baseline_better", None)
    assert rung.alive == _fits().own["bgnbd"]
    assert rung.needs_recent == (winner not in ("rate", "zero"))


def test_nbd_that_wins_is_used_without_p_alive() -> None:
    """NBD is a baseline with parameters; where it makes the numbers nobody is said to have left."""
    rung = ladder.pick(Asked(), _fits(), _scores(ACTUAL, bgnbd=POOR, mbgnbd=POORER, nbd=GOOD))
    assert (rung.method, rung.status, rung.alive) == ("nbd", "baseline_better", None)
    assert rung.params == _fits().own["nbd"]


def test_attrition_that_is_not_identified_gives_nbd() -> None:
    """All families collapse: NBD, no P(alive), and the status that says why."""
    flat = {name: replace(_fits().own[name], identified=False) for name in ("bgnbd", "mbgnbd")}
    rung = ladder.pick(Asked(), _fits(**flat), _scores(ACTUAL, bgnbd=GOOD, mbgnbd=GOOD, nbd=GOOD, rate=POOR))
    assert (rung.method, rung.status, rung.alive) == ("nbd", "attrition_not_identified", None)


def test_a_fit_that_did_not_converge_is_no_candidate() -> None:
    """The best score does not help a family whose maximum was not reached."""
    rung = ladder.pick(Asked(), _fits(bgnbd=replace(_fits().own["bgnbd"], converged=False)), [])
    assert rung.method == "mbgnbd"


def test_without_a_usable_fit_the_ladder_goes_down_to_the_rate() -> None:
    """No fit reached its maximum: the naive rate, untested; but a naive forecast that won the back-test is used."""
    lost = {name: replace(fit, converged=False) for name, fit in _fits().own.items()}
    rung = ladder.pick(Asked(), _fits(**lost), [])
    assert (rung.method, rung.status, rung.params, rung.alive) == ("rate", "degenerate", None, None)
    assert not rung.tested
    won = ladder.pick(Asked(), _fits(**lost), _scores(ACTUAL, nbd=POOR, last_period=GOOD))
    assert (won.method, won.status) == ("last_period", "baseline_better")
    assert won.tested


def test_a_family_asked_for_is_used_even_where_a_baseline_is_better() -> None:
    """The number is what was asked for, the status says that it should not have been."""
    fits = Fits({name: _fits().own[name] for name in Asked("bgnbd").families}, {}, {})
    rung = ladder.pick(Asked("bgnbd"), fits, _scores(ACTUAL, bgnbd=POOR, nbd=POORER, rate=GOOD))
    assert (rung.method, rung.status) == ("bgnbd", "baseline_better")
    assert rung.choice is not None
    assert rung.choice.name == "rate"


def test_nbd_asked_for_is_no_failure_of_identification() -> None:
    """Who asks for the model without drop-out gets it, tested like the others."""
    fits = Fits({"nbd": _fits().own["nbd"]}, {}, {})
    assert ladder.pick(Asked("nbd"), fits, []).status == "not_validated"
    assert ladder.pick(Asked("nbd"), fits, _scores(ACTUAL, nbd=GOOD, rate=POOR)).status == "ok"
    flat = Fits({"nbd": replace(_fits().own["nbd"], identified=False)}, {}, {})
    assert ladder.pick(Asked("nbd"), flat, []).status == "degenerate"


def test_too_few_repeat_buyers_get_the_rate_and_nobody_the_mean() -> None:
    """With repeats the shrunken rate; where nobody came back, nobody will."""
    some = Buyers(np.array([1.0, 0.0]), np.array([5.0, 0.0]), np.array([9.0, 9.0]))
    none = Buyers(np.zeros(2), np.zeros(2), np.array([9.0, 9.0]))
    assert ladder.without_model(some).method == "rate"
    assert ladder.without_model(none).method == "mean"


def test_a_family_asked_for_is_fitted_beside_nbd() -> None:
    """NBD is always there: as the baseline, and as what is left when attrition is not identified."""
    assert Asked("mbgnbd").families == ("nbd", "mbgnbd")
    assert Asked("nbd").families == ("nbd",)
    assert set(Asked().families) == {"nbd", "bgnbd", "mbgnbd", "paretonbd"}


@pytest.mark.parametrize("erlang", [None, 3])
def test_families_of_regular_gaps_take_part_unless_k_is_one(erlang: int | None) -> None:
    """auto fits BG/CNBD-k and MBG/CNBD-k where the order is open, or given above 1."""
    assert set(Asked(erlang=erlang).families) == {"nbd", "bgnbd", "mbgnbd", "paretonbd", "bgcnbd", "mbgcnbd"}


def test_lifetimes_fits_forecast_and_ours_stay_beside_them() -> None:
    """With the lifetimes estimator its fit is the one used; NBD, which it does not know, stays ours."""
    dice = np.random.default_rng(5)
    age = dice.integers(100, 300, 400).astype(float)
    x = dice.poisson(1.0, 400).astype(float)
    active = np.where(x > 0, np.maximum(x, np.floor(age * dice.random(400))), 0.0)
    fits = ladder.fit_families(Asked("bgnbd", estimator="lifetimes"), Buyers(x, active, age))
    assert set(fits.own) == {"nbd", "bgnbd"}
    assert set(fits.lifetimes) | set(fits.failed) == {"bgnbd"}
    assert fits.used["nbd"] is fits.own["nbd"]


def test_buyers_who_never_repeat_fail_by_name() -> None:
    """A fit that cannot be made is a reason, not an exception."""
    fits = ladder.fit_families(Asked("bgnbd"), Buyers(np.zeros(3), np.zeros(3), np.array([1.0, 2.0, 3.0])))
    assert not fits.used
    assert set(fits.failed) == {"nbd", "bgnbd"}


def _regular_buyers(size: int = 500, k: int = 3, seed: int = 8) -> Buyers:
    """Buyers with gaps of Erlang order k around 40 days who leave after an order with chance .15."""
    dice = np.random.default_rng(seed)
    rows = []
    for _ in range(size):
        age = int(dice.integers(200, 700))
        day, x, last, logs = 0, 0, 0, 0.0
        scale = 40 / k * dice.gamma(4.0, 0.25)
        while dice.random() > 0.15:
            gap = max(1, round(float(dice.gamma(k, scale))))
            day += gap
            if day > age:
                break
            x, last, logs = x + 1, day, logs + np.log(gap)
        rows.append((x, last, age, logs))
    x, last, age, logs = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    return Buyers(x, last, age, log_gap_sum=logs)


def test_the_order_of_regular_gaps_is_found_by_likelihood() -> None:
    """Gaps of order 3 are fitted with k = 3; without the logarithms of the gaps nothing tells k, so it is 1."""
    buyers = _regular_buyers()
    found = ladder.fit_families(Asked("bgcnbd", None), buyers).own["bgcnbd"]
    assert (found.family, found.erlang, found.identified) == ("bgcnbd", 3, True)
    assert ladder.fit_families(Asked("bgcnbd", None), replace(buyers, log_gap_sum=None)).own["bgcnbd"].erlang == 1
    assert ladder.fit_families(Asked("mbgcnbd", 2), buyers).own["mbgcnbd"].erlang == 2


def test_a_family_of_regular_gaps_at_order_one_is_no_candidate_of_its_own() -> None:
    """Poisson gaps: k stays 1, which is BG/NBD itself; who asks for the family by name gets it with k = 1."""
    buyers = _regular_buyers(k=1)
    auto, named = Asked(erlang=None), Asked("bgcnbd", None)
    assert set(ladder.candidates(auto, ladder.fit_families(auto, buyers)).own) == {"nbd", "bgnbd", "mbgnbd", "paretonbd"}
    assert ladder.candidates(named, ladder.fit_families(named, buyers)).own["bgcnbd"].erlang == 1


def test_regular_gaps_need_the_consent_of_the_back_test() -> None:
    """k > 1 has the higher likelihood; it is used where its deviance is the lowest, not where it ties, nor untested."""
    regular = replace(published("bgnbd", 0.24, 1.5, 0.9, 2.0), family="bgcnbd", erlang=2, log_likelihood=-50.0)
    fits = _fits(bgcnbd=regular)

    def picked(**forecasts: list[float]) -> str:
        scores = [replace(one, kind="model") if one.name == "bgcnbd" else one for one in _scores(ACTUAL, **forecasts)]
        return ladder.pick(Asked(erlang=None), fits, scores).method

    assert picked(bgnbd=POOR, mbgnbd=POORER, nbd=POORER, bgcnbd=GOOD) == "bgcnbd"
    assert picked(bgnbd=GOOD, mbgnbd=POORER, nbd=POORER, bgcnbd=GOOD) == "bgnbd"
    assert picked(bgnbd=POOR, mbgnbd=POORER, nbd=GOOD, bgcnbd=[0.9, 1.8, 0.1]) == "nbd"
    assert ladder.pick(Asked(erlang=None), fits, []).method == "mbgnbd"


def test_regular_gaps_alone_do_not_identify_attrition() -> None:
    """No family of k = 1 is identified and BG/CNBD-2 forecasts worse than NBD: attrition is not identified."""
    flat = {name: replace(_fits().own[name], identified=False) for name in ("bgnbd", "mbgnbd")}
    regular = replace(published("bgnbd", 0.24, 1.5, 0.9, 2.0), family="bgcnbd", erlang=2, log_likelihood=-50.0)
    scores = _scores(ACTUAL, bgnbd=GOOD, mbgnbd=GOOD, nbd=GOOD, bgcnbd=POOR)
    scores = [replace(one, kind="model") if one.name == "bgcnbd" else one for one in scores]
    rung = ladder.pick(Asked(erlang=None), _fits(**flat, bgcnbd=regular), scores)
    assert (rung.method, rung.status, rung.alive) == ("nbd", "attrition_not_identified", None)


def test_an_enormous_customer_does_not_bend_the_parameters() -> None:
    """One invented customer with 5,000 order days: the fit is that of the others, and says how much was left out."""
    buyers = _regular_buyers(k=1)
    x, active, age = buyers.history
    bent = Buyers(np.append(x, 5000.0), np.append(active, 5400.0), np.append(age, 5400.0))
    plain, found = (ladder.fit_families(Asked("bgnbd"), one) for one in (buyers, bent))
    assert found.own == plain.own
    assert plain.left_out == 0.0
    assert found.left_out == pytest.approx(5000 / (5000 + x.sum()))


def test_both_ways_of_the_first_purchase_stand_for_choice_in_auto_alone() -> None:
    """auto leaves the first purchase to the back-test; a settled question has one way; without amounts there is none."""
    dice = np.random.default_rng(3)
    buyers = _regular_buyers(k=1)
    level = dice.gamma(5.0, 4.0, buyers.repeat_days.size)
    paid = replace(buyers, spend=level * (buyers.repeat_days + 1), repeat_spend=level * buyers.repeat_days)
    assert set(ladder.ways(Asked(include_first=None), paid)) == {"repeat_orders", "all_orders"}
    assert set(ladder.ways(Asked(include_first=False), paid)) == {"repeat_orders"}
    assert set(ladder.ways(Asked(include_first=True), paid)) == {"all_orders"}
    assert ladder.ways(Asked(include_first=None), buyers) == {}


def test_spend_that_goes_with_orders_lets_the_shrunken_mean_compete() -> None:
    """Correlation above .3 breaks what Gamma-Gamma assumes: the shrunken mean stands beside it."""
    dice = np.random.default_rng(4)
    buyers = _regular_buyers(k=1)
    level = (1.0 + buyers.repeat_days) * dice.gamma(20.0, 0.5, buyers.repeat_days.size)
    paid = replace(buyers, spend=level * (buyers.repeat_days + 1), repeat_spend=level * buyers.repeat_days)
    found = ladder.ways(Asked(), paid)
    assert set(found) == {"repeat_orders", "shrunken_mean"}
    assert found["shrunken_mean"].model is None
    assert found["shrunken_mean"].fitted is found["repeat_orders"].fitted


def test_parameters_at_the_edge_serve_where_the_back_test_proves_them() -> None:
    """All leave with one chance: the spread of chances has no size, the likelihood shows leaving, the deviance beats NBD's."""
    edge = {name: replace(_fits().own[name], identified=False, likelihood_ratio=900.0) for name in ("bgnbd", "mbgnbd")}
    won = ladder.pick(Asked(), _fits(**edge), _scores(ACTUAL, bgnbd=GOOD, mbgnbd=POOR, nbd=POORER))
    assert (won.method, won.status) == ("bgnbd", "ok")
    assert won.alive is not None
    for scores in ([], _scores(ACTUAL, bgnbd=POOR, mbgnbd=POOR, nbd=GOOD)):
        rung = ladder.pick(Asked(), _fits(**edge), scores)
        assert (rung.method, rung.status, rung.alive) == ("nbd", "attrition_not_identified", None)
    collapsed = {name: replace(fit, likelihood_ratio=0.3) for name, fit in edge.items()}
    rung = ladder.pick(Asked(), _fits(**collapsed), _scores(ACTUAL, bgnbd=GOOD, mbgnbd=POOR, nbd=POORER))
    assert rung.method == "nbd"
