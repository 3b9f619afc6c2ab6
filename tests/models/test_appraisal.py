"""Numbers per buyer on each rung, and what an appraisal says of itself."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from literature import published

from clm.models import appraisal_facts, appraisal_notes, valuation
from clm.models.appraisal import Appraisal, Groups, Recent, Spread, Terms, appraise
from clm.models.appraisal_facts import Made, Setting
from clm.models.backtest import Scored
from clm.models.buyers import Buyers
from clm.models.choice import Choice
from clm.models.evaluate import deciles, score
from clm.models.ladder import Asked, Fits, Rung
from clm.models.trial import Trial
from clm.models.valuation import OrderValue

BUYERS = Buyers(
    np.array([2.0, 0.0, 1.0]),
    np.array([40.0, 0.0, 10.0]),
    np.array([80.0, 50.0, 100.0]),
    np.array([30.0, 20.0, 40.0]),
    np.array([20.0, 0.0, 20.0]),
)
WORTH = OrderValue(np.array([10.0, 20.0, 20.0]), None, None, None, np.zeros(3), np.zeros(3))
PARTS = valuation.slices([30, 60], 0.0)
TERMS = Terms(margin=0.5, interval=0.8, seed=0, log_days=60)
EVERYBODY = Groups(np.zeros(3, dtype=np.intp))
BG = published("bgnbd", 0.2425945, 4.4136019, 0.7929199, 2.4258881)


def _scored(name: str, origins: int, predicted: float = 8.0, actual: float = 10.0) -> tuple[Scored, ...]:
    def one(number: int) -> Scored:
        told, came = np.array([predicted, 0.0]), np.array([actual, 0.0])
        origin = f"2024-0{number + 1}-01"
        scores = (score(name, "baseline", origin, 56, told, came), score("zero", "baseline", origin, 56, told * 0, came))
        return Scored(origin, 56, scores, scores, {}, {name: deciles(told, came)})

    return tuple(one(number) for number in range(origins))


def _naive(method: str, status: str, recent: Recent | None = None, tests: tuple[Scored, ...] = ()) -> Appraisal:
    return appraise(
        Rung(method, status, None, None, None), BUYERS, WORTH, recent, Spread.of(method, tests), PARTS, EVERYBODY, TERMS
    )


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
    recent = Recent(np.array([2.0, 1.0, 0.0]), 30, np.array([5.0, 50.0]), np.array([True, False]))
    assert _naive("last_period", "baseline_better", recent).orders == pytest.approx([4.0, 2.0, 0.0])
    assert _naive("mean", "baseline_better", recent).orders == pytest.approx([2.0, 2.0, 2.0])


def test_silence_beyond_the_cut_off_expects_nothing() -> None:
    """The hiatus rule learned that 5 days of silence come back and 50 do not: only who is within gets the rate."""
    recent = Recent(np.zeros(3), 30, np.array([45.0, 50.0, 60.0]), np.array([True, False, False]))
    assert _naive("hiatus", "baseline_better", recent).orders == pytest.approx([1.5, 0.0, 0.0])
    assert _naive("zero", "baseline_better").orders.tolist() == [0.0] * 3


def test_segments_have_totals_of_their_own() -> None:
    """The segments' numbers add up to the whole's, each with an interval widened by the error of the whole."""
    groups = Groups(np.array([1, 0, 1]), ("lost", "loyal"))
    made = appraise(
        Rung("bgnbd", "ok", BG, BG, None), BUYERS, WORTH, None, Spread.of("bgnbd", _scored("bgnbd", 3)), PARTS, groups, TERMS
    )
    assert {name: one.customers for name, one in made.segments.items()} == {"lost": 1, "loyal": 2}
    assert sum(one.orders for one in made.segments.values()) == pytest.approx(made.total.orders)
    assert sum(one.clv or 0.0 for one in made.segments.values()) == pytest.approx(made.total.clv)
    for one in made.segments.values():
        assert one.clv_interval is not None
        assert one.clv_interval.low <= one.clv_interval.high
        assert one.clv_interval.spread == pytest.approx(np.log(10 / 8))
    one_group = appraise(
        Rung("bgnbd", "ok", BG, BG, None), BUYERS, WORTH, None, Spread.of("bgnbd", _scored("bgnbd", 3)), PARTS, EVERYBODY, TERMS
    )
    assert one_group.total == made.total
    assert one_group.segments == {}


def test_both_parts_of_the_total_s_interval_are_told() -> None:
    """The draws alone are narrower than the draws widened by the back-test's error."""
    many = Buyers(*(np.tile(column, 100) for column in (*BUYERS.history, np.ones(3), np.ones(3))))
    rung, tests = Rung("bgnbd", "ok", BG, BG, None), _scored("bgnbd", 3)
    worth, everybody = OrderValue.by_mean(many), Groups(np.zeros(300, dtype=np.intp))
    numbers = appraise(rung, many, worth, None, Spread.of("bgnbd", tests), PARTS, everybody, TERMS)
    totals = appraisal_facts.facts(replace(_made(rung, tests), numbers=numbers))["totals"]
    for what in ("clv", "expected_orders"):
        assert totals[f"{what}_low"] < totals[f"{what}_drawn_low"] <= totals[f"{what}_drawn_high"] < totals[f"{what}_high"]
    assert totals["backtest_error"] == pytest.approx(np.log(10 / 8))


def test_a_naive_total_is_as_wide_as_its_back_test_was_wrong() -> None:
    """Three origins, each short by a fifth: sigma is ln(10/8), of two as well; an untested one has no width at all."""
    tested = _naive("rate", "baseline_better", tests=_scored("rate", 3))
    assert tested.total.clv_interval is not None
    assert tested.total.clv_interval.spread == pytest.approx(np.log(10 / 8))
    assert tested.total.clv_interval.source == "backtest"
    assert tested.total.clv is not None
    assert tested.total.clv_interval.low < tested.total.clv < tested.total.clv_interval.high
    fallback = _naive("rate", "few_repeat_buyers", tests=_scored("rate", 3))
    assert (fallback.total.orders_interval, fallback.total.clv_interval) == (None, None)
    two = _naive("rate", "baseline_better", tests=_scored("rate", 2))
    assert two.total.orders_interval is not None
    assert (two.total.orders_interval.spread, two.total.orders_interval.source) == (pytest.approx(np.log(10 / 8)), "few_origins")


@pytest.mark.parametrize(("log_days", "known"), [(59, True), (58, False)])
def test_an_untested_forecast_has_an_interval_only_within_the_log(log_days: int, known: bool) -> None:
    """60 days ahead on a log that covers 60 days, .15 and the model's own spread; on 59, no interval, the numbers stand."""
    rung, terms = Rung("bgnbd", "not_validated", BG, BG, None), replace(TERMS, log_days=log_days)
    made = appraise(rung, BUYERS, WORTH, None, Spread(), PARTS, EVERYBODY, terms)
    ends = (made.total.orders_interval, made.total.clv_interval, made.low, made.high)
    assert [end is not None for end in ends] == [known] * 4
    assert made.total.orders > 0.0
    tested = appraise(rung, BUYERS, WORTH, None, Spread.of("bgnbd", _scored("bgnbd", 1)), PARTS, EVERYBODY, terms)
    assert tested.total.orders_interval is not None
    assert tested.total.orders_interval.source == "few_origins"
    assert tested.low is not None


def test_totals_are_over_the_buyers_counted() -> None:
    """Who trains but was not asked about is in no total."""
    rung = Rung("rate", "baseline_better", None, None, None)
    made = appraise(rung, BUYERS, WORTH, None, Spread(), PARTS, Groups(np.array([0, -1, 0])), TERMS)
    assert (made.total.customers, made.total.orders, made.total.spend) == (2, pytest.approx(2.1), pytest.approx(27.0))


def test_a_family_tells_who_is_alive_and_when_the_next_order_comes() -> None:
    """With a BG/NBD there is P(alive), a next day or -1, and an interval for each buyer."""
    made = appraise(Rung("bgnbd", "ok", BG, BG, None), BUYERS, WORTH, None, Spread(), PARTS, EVERYBODY, TERMS)
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
    made = appraise(rung, BUYERS, WORTH, None, Spread(), PARTS, EVERYBODY, TERMS)
    assert made.p_alive is not None
    assert made.next_order_days is not None
    assert made.low is None


def test_without_amounts_there_is_no_money() -> None:
    """Orders and their total are there, everything in money is None."""
    made = appraise(Rung("bgnbd", "ok", BG, BG, None), BUYERS, None, None, Spread(), PARTS, EVERYBODY, TERMS)
    assert (made.spend, made.clv, made.low, made.total.clv, made.total.clv_interval) == (None,) * 5
    assert made.total.orders > 0


def _made(rung: Rung, tests: tuple[Scored, ...] = (), asked: str = "auto") -> Made:
    numbers = appraise(rung, BUYERS, WORTH, None, Spread.of(rung.method, tests), PARTS, EVERYBODY, TERMS)
    return Made(Trial(Asked(asked), Fits({"bgnbd": BG}, {}, {}), tests, rung, None, {}, ()), WORTH, numbers)


def _setting(log_days: int = 800) -> Setting:
    return Setting(BUYERS, 60, log_days, True, True)


def test_the_verdict_in_words() -> None:
    """Untested, won, lost: each says so in the closing line, with the share of scores won and a total that was far off."""
    winner = Choice("rate", "baseline", "baseline_better", 3, {})
    assert appraisal_notes.verdict(_made(Rung("bgnbd", "not_validated", BG, BG, None)).trial) == "bgnbd, not validated"
    tested = _made(Rung("bgnbd", "ok", BG, BG, None), _scored("bgnbd", 3))
    said = "bgnbd, tested over 8 weeks: beats the baselines in 8 of 8 scores, its totals 20% too low on average"
    assert appraisal_notes.verdict(tested.trial) == said
    worse = _made(Rung("bgnbd", "ok", BG, BG, None), _scored("bgnbd", 1, predicted=0.0))
    said = "bgnbd, tested over 8 weeks: beats the baselines in 0 of 8 scores, not in deviance, its total 100% too low"
    assert appraisal_notes.verdict(worse.trial) == said
    nbd = _made(Rung("nbd", "attrition_not_identified", BG, None, None), _scored("nbd", 1, predicted=10.0))
    assert appraisal_notes.verdict(nbd.trial) == "nbd, tested over 8 weeks: beats the other baselines in 8 of 8 scores"
    lost = _made(Rung("rate", "baseline_better", None, BG, winner), _scored("rate", 3, predicted=11.0))
    assert appraisal_notes.verdict(lost.trial) == "rate, tested over 8 weeks: rate beats every model in deviance"


def test_a_total_off_both_ways_does_not_cancel() -> None:
    """102 % too high once and 31 % too low once is 67 % off on average, not 35 % too high."""
    high, low = _scored("bgnbd", 1, predicted=20.2)[0], _scored("bgnbd", 1, predicted=6.9)[0]
    made = _made(Rung("bgnbd", "ok", BG, BG, None), (high, low))
    assert appraisal_notes.verdict(made.trial).endswith(", its totals 66% off on average")


def test_a_forecast_the_test_has_no_score_of_is_not_validated() -> None:
    """Tests of other forecasts do not validate this one: no share of scores, and a notice that says so."""
    made = _made(Rung("bgnbd", "not_validated", BG, BG, None), _scored("rate", 3))
    assert (made.trial.scores, made.trial.beats) == ([], {})
    assert appraisal_notes.verdict(made.trial) == "bgnbd, not validated"
    assert "could not be tested" in dict(appraisal_notes.notes(made, _setting()))["not_validated"]


@pytest.mark.parametrize(
    ("orders_given", "test_wanted", "words"),
    [
        (True, False, "switched off (--no-backtest)"),
        (False, False, "switched off (--no-backtest)"),
        (False, True, "--orders"),
        (True, True, "the log of 9 days leaves"),
    ],
)
def test_why_nothing_was_tested(orders_given: bool, test_wanted: bool, words: str) -> None:
    """The user's own switch comes first, then the missing orders, then the short log; a log of 8 days difference has 9."""
    made = _made(Rung("bgnbd", "not_validated", BG, BG, None))
    notes = dict(appraisal_notes.notes(made, replace(_setting(8), orders_given=orders_given, test_wanted=test_wanted)))
    assert words in notes["not_validated"]


def test_one_day_of_log_is_a_day() -> None:
    """A log whose customers are all of age 0 covers 1 day, and that is what every sentence says."""
    made = _made(Rung("rate", "few_repeat_buyers", None, None, None))
    text = " ".join(sentence for _, sentence in appraisal_notes.notes(made, _setting(0)))
    assert "the log of 1 day " in text
    assert "covers 1 day," in text
    assert "0 days" not in text


def test_no_interval_is_said_with_its_reason() -> None:
    """Beyond the log, or by a rule that knows no error: the code no_interval; within the log no such notice."""
    far = appraise(
        Rung("bgnbd", "not_validated", BG, BG, None), BUYERS, WORTH, None, Spread(), PARTS, EVERYBODY, replace(TERMS, log_days=8)
    )
    made = replace(_made(Rung("bgnbd", "not_validated", BG, BG, None)), numbers=far)
    said = "no interval: the forecast over 9 weeks is longer than the log of 9 days, and no test measured its error"
    assert dict(appraisal_notes.notes(made, _setting(8)))["no_interval"] == said
    totals = appraisal_facts.facts(made)["totals"]
    empty = ("clv_low", "clv_high", "expected_orders_low", "expected_orders_high", "backtest_error", "backtest_error_from")
    assert [totals[key] for key in empty] == [None] * 6
    naive = _made(Rung("rate", "few_repeat_buyers", None, None, None))
    assert dict(appraisal_notes.notes(naive, _setting()))["no_interval"].startswith("no interval: rate says nothing")
    within = _made(Rung("bgnbd", "not_validated", BG, BG, None))
    assert "no_interval" not in dict(appraisal_notes.notes(within, _setting()))


def test_the_fallback_rate_borrows_no_scores() -> None:
    """The back-test's own rate is not the shrunken rate: no verdict, no deciles, no beating of baselines."""
    made = _made(Rung("rate", "degenerate", None, None, None), _scored("rate", 3))
    facts = appraisal_facts.facts(made)
    assert (facts["deciles"], facts["beats_best_baseline"]) == ([], {})
    assert appraisal_notes.verdict(made.trial) == "rate, not validated"


def test_a_baseline_that_beat_the_family_asked_for_is_named() -> None:
    """The notice names the winner and says what was used instead, and why."""
    winner = Choice("last_period", "baseline", "baseline_better", 3, {})
    made = _made(Rung("bgnbd", "baseline_better", BG, BG, winner), _scored("bgnbd", 3), asked="bgnbd")
    notes = dict(appraisal_notes.notes(made, _setting()))
    assert "(last_period)" in notes["baseline_better"]
    assert "bgnbd was asked for" in notes["baseline_better"]
    assert notes["tested_shorter"] == "tested over 8 weeks, forecast over 9 weeks"
    assert "season_not_modelled" not in notes


@pytest.mark.parametrize(
    ("days", "words"), [(1, "1 day"), (27, "27 days"), (28, "4 weeks"), (133, "19 weeks"), (365, "52 weeks")]
)
def test_a_stretch_in_words(days: int, words: str) -> None:
    """Days below four weeks, whole weeks above."""
    assert appraisal_notes.stretch(days) == words


def test_nothing_has_every_key_of_something() -> None:
    """Who reads the facts of an empty base finds the same keys."""
    made = _made(Rung("bgnbd", "ok", BG, BG, None))
    something, nothing = appraisal_facts.facts(made), appraisal_facts.nothing()
    assert set(something) == set(nothing)
    assert set(something["totals"]) == set(nothing["totals"])
