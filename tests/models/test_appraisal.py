"""Numbers per buyer on each rung, and what an appraisal says of itself."""

from __future__ import annotations

import numpy as np
import pytest
from literature import published

from clm.models import appraisal_facts, valuation
from clm.models.appraisal import Appraisal, Recent, Terms, appraise
from clm.models.appraisal_facts import Made, Setting
from clm.models.backtest import Scored
from clm.models.choice import Choice
from clm.models.evaluate import score
from clm.models.ladder import Fits, Rung
from clm.models.valuation import Buyers, OrderValue

BUYERS = Buyers(
    np.array([2.0, 0.0, 1.0]),
    np.array([40.0, 0.0, 10.0]),
    np.array([80.0, 50.0, 100.0]),
    np.array([30.0, 20.0, 40.0]),
    np.array([20.0, 0.0, 20.0]),
)
WORTH = OrderValue(np.array([10.0, 20.0, 20.0]), None, None, None, np.zeros(3), np.zeros(3))
PARTS = valuation.slices([30, 60], 0.0)
TERMS = Terms(margin=0.5, interval=0.8, seed=0)
EVERYBODY = np.full(3, True)
BG = published("bgnbd", 0.2425945, 4.4136019, 0.7929199, 2.4258881)


def _scored(name: str, origins: int, predicted: float = 8.0, actual: float = 10.0) -> tuple[Scored, ...]:
    def one(number: int) -> Scored:
        told, came = np.array([predicted, 0.0]), np.array([actual, 0.0])
        origin = f"2024-0{number + 1}-01"
        scores = (score(name, "baseline", origin, 56, told, came), score("zero", "baseline", origin, 56, told * 0, came))
        return Scored(origin, scores, scores, {name: told}, came)

    return tuple(one(number) for number in range(origins))


def _naive(method: str, status: str, recent: Recent | None = None, tests: tuple[Scored, ...] = ()) -> Appraisal:
    return appraise(Rung(method, status, None, None, None), BUYERS, WORTH, recent, tests, PARTS, EVERYBODY, TERMS)


def test_the_own_rate_that_won_is_the_plain_one() -> None:
    """As tested: x/T times 60 days; the money is that times the value of an order, the value half of it."""
    made = _naive("rate", "baseline_better")
    assert made.orders == pytest.approx([1.5, 0.0, 0.6])
    assert made.spend == pytest.approx([15.0, 0.0, 12.0])
    assert made.clv == pytest.approx([7.5, 0.0, 6.0])
    assert (made.low, made.high, made.p_alive, made.next_order_days) == (None, None, None, None)


def test_the_fallback_rate_is_drawn_to_the_mean() -> None:
    """Few repeat buyers: 60 (x + 1)/(T + 230/3), so one-time buyers are not written off."""
    made = _naive("rate", "few_repeat_buyers")
    assert made.orders == pytest.approx([60 * (x + 1) / (t + 230 / 3) for x, t in ((2, 80), (0, 50), (1, 100))])


def test_the_last_period_is_scaled_to_the_horizon() -> None:
    """Two orders in 30 days are four in 60; the mean spreads the same total over all."""
    recent = Recent(np.array([2.0, 1.0, 0.0]), 30)
    assert _naive("last_period", "baseline_better", recent).orders == pytest.approx([4.0, 2.0, 0.0])
    assert _naive("mean", "baseline_better", recent).orders == pytest.approx([2.0, 2.0, 2.0])


def test_a_naive_total_is_as_wide_as_its_back_test_was_wrong() -> None:
    """Three origins, each short by a fifth: sigma is ln(10/8); an untested forecast gets .15 and says default."""
    tested = _naive("rate", "baseline_better", tests=_scored("rate", 3))
    assert tested.clv_interval is not None
    assert tested.clv_interval.spread == pytest.approx(np.log(10 / 8))
    assert tested.clv_interval.source == "backtest"
    assert tested.total_clv is not None
    assert tested.clv_interval.low < tested.total_clv < tested.clv_interval.high
    fallback = _naive("rate", "few_repeat_buyers", tests=_scored("rate", 3))
    assert (fallback.orders_interval.spread, fallback.orders_interval.source) == (0.15, "default")
    two = _naive("rate", "baseline_better", tests=_scored("rate", 2))
    assert (two.orders_interval.spread, two.orders_interval.source) == (0.15, "default")


def test_totals_are_over_the_buyers_counted() -> None:
    """Who trains but was not asked about is in no total."""
    rung = Rung("rate", "baseline_better", None, None, None)
    made = appraise(rung, BUYERS, WORTH, None, (), PARTS, np.array([True, False, True]), TERMS)
    assert (made.customers, made.total_orders, made.total_spend) == (2, pytest.approx(2.1), pytest.approx(27.0))


def test_a_family_tells_who_is_alive_and_when_the_next_order_comes() -> None:
    """With a BG/NBD there is P(alive), a next day or -1, and an interval for each buyer."""
    made = appraise(Rung("bgnbd", "ok", BG, BG, None), BUYERS, WORTH, None, (), PARTS, EVERYBODY, TERMS)
    assert made.p_alive is not None
    assert made.p_alive[1] == 1.0
    assert made.next_order_days is not None
    assert all(day == -1 or 1 <= day <= 180 for day in made.next_order_days)
    assert made.low is not None
    assert made.high is not None
    assert np.all(made.low <= made.high)


def test_a_naive_winner_keeps_what_the_family_knows_of_people() -> None:
    """Numbers by the last period, P(alive) and the next order by the best family."""
    rung = Rung("rate", "baseline_better", None, BG, None)
    made = appraise(rung, BUYERS, WORTH, None, (), PARTS, EVERYBODY, TERMS)
    assert made.p_alive is not None
    assert made.next_order_days is not None
    assert made.low is None


def test_without_amounts_there_is_no_money() -> None:
    """Orders and their total are there, everything in money is None."""
    made = appraise(Rung("bgnbd", "ok", BG, BG, None), BUYERS, None, None, (), PARTS, EVERYBODY, TERMS)
    assert (made.spend, made.clv, made.low, made.total_clv, made.clv_interval) == (None,) * 5
    assert made.total_orders > 0


def _made(rung: Rung, tests: tuple[Scored, ...] = (), asked: str = "auto") -> Made:
    numbers = appraise(rung, BUYERS, WORTH, None, tests, PARTS, EVERYBODY, TERMS)
    return Made(asked, "clm", Fits({"bgnbd": BG}, {}, {}), tests, rung, WORTH, numbers)


def test_the_verdict_in_words() -> None:
    """Untested, won, lost: each says so in the closing line."""
    winner = Choice("rate", "baseline", "baseline_better", 3, {})
    assert appraisal_facts.verdict(_made(Rung("bgnbd", "not_validated", BG, BG, None))) == "bgnbd, not validated"
    tested = _made(Rung("bgnbd", "ok", BG, BG, None), _scored("bgnbd", 3))
    assert appraisal_facts.verdict(tested) == "bgnbd, tested over 8 weeks: beats every baseline"
    worse = _made(Rung("bgnbd", "ok", BG, BG, None), _scored("bgnbd", 3, predicted=0.0))
    assert appraisal_facts.verdict(worse) == "bgnbd, tested over 8 weeks: does not beat every baseline"
    lost = _made(Rung("rate", "baseline_better", None, BG, winner), _scored("rate", 3))
    assert appraisal_facts.verdict(lost) == "rate, tested over 8 weeks: rate beats every model"


def test_the_fallback_rate_borrows_no_scores() -> None:
    """The back-test's own rate is not the shrunken rate: no verdict, no deciles, no beating of baselines."""
    made = _made(Rung("rate", "degenerate", None, None, None), _scored("rate", 3))
    facts = appraisal_facts.facts(made)
    assert (facts["deciles"], facts["beats_best_baseline"]) == ([], {})
    assert appraisal_facts.verdict(made) == "rate, not validated"


def test_a_baseline_that_beat_the_family_asked_for_is_named() -> None:
    """The notice names the winner and says what was used instead, and why."""
    winner = Choice("last_period", "baseline", "baseline_better", 3, {})
    made = _made(Rung("bgnbd", "baseline_better", BG, BG, winner), _scored("bgnbd", 3), asked="bgnbd")
    notes = dict(appraisal_facts.notes(made, Setting(BUYERS, 60, 800, True, True)))
    assert "(last_period)" in notes["baseline_better"]
    assert "bgnbd was asked for" in notes["baseline_better"]
    assert notes["tested_shorter"] == "tested over 8 weeks, forecast over 9 weeks"
    assert "season_not_modelled" not in notes


@pytest.mark.parametrize(
    ("days", "words"), [(1, "1 day"), (27, "27 days"), (28, "4 weeks"), (133, "19 weeks"), (365, "52 weeks")]
)
def test_a_stretch_in_words(days: int, words: str) -> None:
    """Days below four weeks, whole weeks above."""
    assert appraisal_facts.stretch(days) == words


def test_nothing_has_every_key_of_something() -> None:
    """Who reads the facts of an empty base finds the same keys."""
    made = _made(Rung("bgnbd", "ok", BG, BG, None))
    something, nothing = appraisal_facts.facts(made), appraisal_facts.nothing()
    assert set(something) == set(nothing)
    assert set(something["totals"]) == set(nothing["totals"])
