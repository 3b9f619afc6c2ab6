"""The protocol: what trains, judges, reports and calibrates, and that none of it sees what it should not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from clm.models import btyd, classify, classify_backtest, classify_fit, classify_reasons, classify_scores
from clm.models.classify_backtest import UNTESTED
from clm.models.classify_buyers import REASONS, Buyers, Habits, typical
from clm.models.classify_fit import FOLDS, Window

RETURNING = btyd.fit("nbd", np.arange(300) % 5, np.arange(300) % 5 * 20, np.full(300, 100))


def _window(seed: int, customers: int = 1_200, *, shift: float = 0.0, leave: float = 1.0) -> Window:
    """A made-up snapshot: silence and few orders raise the risk by `leave`, `shift` moves everybody's."""
    random = np.random.default_rng(seed)
    recency = random.integers(0, 200, customers).astype(float)
    repeat = random.poisson(2.0, customers).astype(float)
    active = np.where(repeat > 0, repeat * random.integers(5, 40, customers), 0.0)
    odds = shift + leave * (0.02 * (recency - 100.0) - 0.4 * (repeat - 2.0))
    churned = (random.random(customers) < 1 / (1 + np.exp(-odds))).astype(float)
    gap = np.where(repeat > 0, active / np.maximum(repeat, 1.0), np.nan)
    habits = Habits(
        recent_order_days=random.poisson(1.0, customers).astype(float), earlier_order_days=np.ones(customers),
        last_gap_days=gap, longest_gap_days=gap, gap_sd_days=np.where(repeat > 1, 3.0, np.nan), recent_spend=None,
        returned_share=None, products=None,
    )  # fmt: skip
    buyers = Buyers(
        recency,
        active,
        repeat,
        random.poisson(0.3, customers).astype(float),
        random.gamma(2.0, 20.0, customers),
        25.0,
        60,
        habits,
    )
    chance = np.clip(1 / (1 + np.exp(0.01 * (recency - 100.0))), 0.01, 0.99)
    return Window(f"2024-0{9 - seed % 9}-01", buyers, RETURNING, chance, churned, classify_fit.folds(customers, 0))


def test_shuffled_labels_teach_nothing() -> None:
    """With labels dealt out at random every candidate has an AUC of .47 to .53 on customers it has not seen."""
    windows = [replace(one, churned=np.random.default_rng(n).permutation(one.churned)) for n, one in enumerate(
        _window(seed, 6_000) for seed in range(4)
    )]  # fmt: skip
    for candidate in classify_backtest.back_test(windows[0], windows[1:]).candidates:
        assert candidate.scores["auc"] == pytest.approx(0.5, abs=0.03), candidate.name


def test_what_is_rare_among_the_rows_drawn_is_not_learned(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hundred of the rarer outcome among all rows can be judged by, but not learned from where only a tenth is drawn."""
    window = _window(0, 2_000)
    window = replace(window, churned=(np.arange(2_000) < 150).astype(float))
    assert classify_fit.enough_to_learn([window])
    monkeypatch.setattr(classify_fit, "MOST_ROWS", 200)
    assert classify_fit.enough_events([window])
    assert not classify_fit.enough_to_learn([window])


def _shuffled(seed: int, customers: int = 1_200) -> Window:
    window = _window(seed, customers)
    return replace(window, churned=np.random.default_rng(seed).permutation(window.churned))


def test_the_base_rate_is_the_row_to_beat() -> None:
    """One rate for all, that of the windows behind: AUC .5, lift 1, the log-loss of that rate; never calibrated."""
    windows = [_window(0), _window(1, shift=1.0), _window(2, shift=-0.5)]
    verdict = classify_backtest.back_test(windows[0], windows[1:])
    row = verdict.candidates[0]
    behind = np.concatenate([one.churned for one in windows[1:]])
    rate, left = (behind.sum() + 0.5) / (behind.size + 1.0), windows[0].churned.mean()
    assert (row.name, row.scores["auc"], row.calibrates) == ("base_rate", 0.5, False)
    assert row.scores["top_decile_lift"] == pytest.approx(1.0)
    assert row.test_log_loss == pytest.approx(-left * np.log(rate) - (1 - left) * np.log(1 - rate))
    assert verdict.chosen == "logistic"
    assert verdict.no_skill is None


@pytest.mark.parametrize("windows", [3, 5])
def test_where_nothing_can_be_told_the_base_rate_is_used(windows: int) -> None:
    """Labels dealt at random: everybody gets the one rate, nobody a reason, and the verdict says that there is no skill."""
    past = classify_backtest.learn([_shuffled(seed) for seed in range(10, 10 + windows)])
    assert past is not None
    assert (past.verdict.chosen, past.fitted.name, past.fitted.calibration) == ("base_rate", "base_rate", None)
    assert past.verdict.no_skill is not None
    assert past.verdict.no_skill.startswith("no method clearly beat the base rate")
    buyers, chance = past.test.buyers, past.test.chance
    probability = past.fitted.probability(buyers, chance)
    everybody = np.concatenate([past.test.churned, *(one.churned for one in past.training)])
    assert np.ptp(probability) == 0.0
    assert probability[0] == pytest.approx(everybody.mean(), abs=0.001)
    found = classify_reasons.reasons(past.fitted, buyers, lambda _: chance, past.usual, buyers.rhythm_days)
    assert np.all(found == classify_reasons.NO_REASON)


@pytest.mark.parametrize("asked", ["hiatus", "return", "logistic", "boosted"])
def test_a_method_asked_for_without_skill_is_told(asked: str) -> None:
    """Used all the same, with its log-loss and that of the base rate in the sentence."""
    past = classify_backtest.learn([_shuffled(seed) for seed in range(3)], asked)
    assert past is not None
    assert past.verdict.chosen == asked
    base = past.verdict.candidates[0].test_log_loss
    assert past.verdict.no_skill is not None
    assert past.verdict.no_skill.startswith(f"{asked} ")
    assert f"log-loss {past.verdict.winner.test_log_loss:.3f}" in past.verdict.no_skill
    assert f"log-loss {base:.3f}" in past.verdict.no_skill


def test_a_ranking_by_chance_is_told_without_training_windows() -> None:
    """One labelled window knows no base rate of the past, but an AUC of about .5 is seen; a good one is left alone."""
    lucky, chance = classify_backtest.learn([_window(0)]), classify_backtest.learn([_shuffled(0)])
    assert lucky is not None
    assert chance is not None
    assert lucky.verdict.no_skill is None
    assert chance.verdict.no_skill is not None
    assert "return hardly tells who leaves from who stays" in chance.verdict.no_skill
    assert "chance is 0.500" in chance.verdict.no_skill


def test_the_base_rate_is_no_better_method() -> None:
    """`beaten` names another method, never the base rate: that loss is what no_skill is for."""
    past = classify_backtest.learn([_shuffled(seed) for seed in range(3)], asked="hiatus")
    assert past is not None
    assert past.verdict.beaten_by != "base_rate"


def test_a_label_never_reaches_its_own_calibration() -> None:
    """Predictions a calibration learns from do not change when the labels of those very customers are turned round."""
    windows = [_window(1), _window(2)]
    turned = [replace(one, churned=np.where(one.fold == 0, 1.0 - one.churned, one.churned)) for one in windows]
    for name in classify_fit.METHODS[:-1]:
        first, second = (classify_fit.unseen(classify_fit.train(name, some), some) for some in (windows, turned))
        mine = windows[0].fold == 0
        assert np.array_equal(first[mine], second[mine])
        assert name == "return" or not np.array_equal(first[~mine], second[~mine])


def test_the_latest_window_tells_trees_only_when_to_stop() -> None:
    """Whatever its labels are, the trees that predict it for the calibration grow from the windows before: one row is longer."""
    windows = [_window(1), _window(2), _window(3)]
    other = replace(windows[0], churned=np.random.default_rng(0).permutation(windows[0].churned))
    scouts = [classify_fit.train("boosted", [latest, *windows[1:]]).scout for latest in (windows[0], other)]
    assert scouts[0] is not None
    assert scouts[1] is not None
    long, short = (one.boosted.trees for one in scouts)
    assert len(short) < len(long)
    assert long[: len(short)] == short
    assert np.array_equal(
        classify_fit.unseen(classify_fit.train("boosted", windows), windows),
        classify.predict(scouts[0], windows[0].buyers, windows[0].chance),
    )


def test_with_three_training_windows_the_test_window_only_reports() -> None:
    """Turning the test window's labels round changes its scores, but no candidate's forecast, calibration or the choice."""
    windows = [_window(seed) for seed in range(4)]
    turned = replace(windows[0], churned=1.0 - windows[0].churned)
    first = classify_backtest.back_test(windows[0], windows[1:])
    second = classify_backtest.back_test(turned, windows[1:])
    assert first.chosen_on == second.chosen_on == "training"
    assert first.chosen == second.chosen == "logistic"
    for one, other in zip(first.candidates, second.candidates, strict=True):
        assert np.array_equal(one.probability, other.probability)
        assert one.judged_log_loss == other.judged_log_loss
        assert one.scores["auc"] == pytest.approx(1.0 - other.scores["auc"])


def test_with_fewer_training_windows_the_test_window_chooses_and_says_so() -> None:
    """Two training windows: the lowest log-loss on the test window wins, and `chosen_on` is `test`."""
    windows = [_window(seed) for seed in range(3)]
    verdict = classify_backtest.back_test(windows[0], windows[1:])
    assert verdict.chosen_on == "test"
    assert verdict.chosen == min(verdict.candidates, key=lambda one: one.test_log_loss).name
    assert verdict.beaten_by is None


def test_a_method_asked_for_is_used_and_its_betters_named() -> None:
    """Asking for the hiatus rule gives it, `chosen_on` says `asked`, and the table still shows who does better."""
    past = classify_backtest.learn([_window(seed) for seed in range(3)], asked="hiatus")
    assert past is not None
    assert (past.verdict.chosen, past.verdict.chosen_on, past.fitted.name) == ("hiatus", "asked", "hiatus")
    assert past.verdict.beaten_by == "boosted"


def test_without_training_windows_only_the_return_probability_is_tested() -> None:
    """One labelled window can test what needs no label to be made; nothing else is fitted to it beforehand."""
    past = classify_backtest.learn([_window(0)])
    assert past is not None
    assert [one.name for one in past.verdict.candidates] == ["return"]
    assert past.fitted == UNTESTED
    assert past.base_rate_training is None
    assert past.drift is None
    assert classify_backtest.learn([_window(0)], asked="logistic") is None


def test_too_few_events_test_nothing() -> None:
    """99 customers who left (or who came back) are not enough to test on; 100 are."""
    window = _window(0)
    for rare in (0.0, 1.0):
        few, enough = (
            replace(window, churned=np.where(np.arange(window.churned.size) < count, 1.0 - rare, rare)) for count in (99, 100)
        )
        assert classify_backtest.learn([few]) is None
        assert classify_backtest.learn([enough]) is not None
    assert classify_backtest.learn([]) is None


def test_calibration_is_kept_only_when_it_helped_the_next_window() -> None:
    """A level that lasts is corrected; a map that the next window contradicts is not used."""
    crooked = [replace(_window(seed, 3_000), chance=_window(seed, 3_000).chance * 0.3) for seed in range(3)]
    lasting = classify_backtest.back_test(crooked[0], crooked[1:])
    by_name = {one.name: one for one in lasting.candidates}
    assert by_name["return"].calibrates
    raw = classify.predict(classify.Return(), crooked[0].buyers, crooked[0].chance)
    assert by_name["return"].test_log_loss < classify_scores.losses(raw, crooked[0].churned).mean()
    # the same forecast, but everybody stayed more in the window before and less in the one after
    swinging = [_window(0, shift=1.5), _window(1, shift=-1.5), _window(2, shift=-1.5)]
    contradicted = classify_backtest.back_test(swinging[0], swinging[1:])
    assert not any(one.calibrates for one in contradicted.candidates if one.name == "return")


def test_the_deployed_fit_learns_from_every_labelled_window() -> None:
    """The refit differs from the tested one: the test window trains it too, and its calibration comes from there."""
    windows = [_window(seed) for seed in range(3)]
    past = classify_backtest.learn(windows, asked="logistic")
    assert past is not None
    assert past.fitted == classify_fit.fit("logistic", windows, calibrates=past.verdict.winner.calibrates)
    assert past.fitted.model != classify_fit.fit("logistic", windows[1:], calibrates=False).model


def test_drift_is_said_in_the_direction_it_went() -> None:
    """A test window with more (or fewer) returns than every training window gets a sentence, one between them none."""
    past = classify_backtest.learn([_window(0, shift=-1.0), _window(1), _window(2, shift=0.5)])
    assert past is not None
    assert past.drift is not None
    assert past.drift.startswith("more customers came back in the test window")
    past = classify_backtest.learn([_window(0, shift=1.0), _window(1)])
    assert past is not None
    assert past.drift is not None
    assert past.drift.startswith("fewer")
    past = classify_backtest.learn([_window(0), _window(1, shift=1.0), _window(2, shift=-1.0)])
    assert past is not None
    assert past.drift is None


def test_reasons_are_what_raises_the_risk() -> None:
    """Each reason lowers the risk by half a point when replaced, strongest first; the safest customer has none."""
    window = _window(0)
    past = classify_backtest.learn([window, _window(1)])
    assert past is not None
    usual = typical(window.buyers, window.churned == 0.0)

    def chance_of(buyers: Buyers) -> np.ndarray:
        return np.clip(1 / (1 + np.exp(0.01 * (buyers.recency_days - 100.0))), 0.01, 0.99)

    rhythm = window.buyers.rhythm_days
    found = classify_reasons.reasons(past.fitted, window.buyers, chance_of, usual, rhythm)
    assert found.shape == (window.churned.size, 3)
    now = past.fitted.probability(window.buyers, chance_of(window.buyers))
    safest, riskiest = int(np.argmin(now)), int(np.argmax(now))
    assert np.all(found[safest] == classify_reasons.NO_REASON)
    assert found[riskiest][0] != classify_reasons.NO_REASON
    silence, habit = REASONS.index("silent_days"), REASONS.index("order_days")
    assert np.all(window.buyers.recency_days[np.any(found == silence, axis=1)] > rhythm[np.any(found == silence, axis=1)])
    assert np.all(window.buyers.repeat_days[np.any(found == habit, axis=1)] < usual["repeat_days"])
    assert len({tuple(row) for row in found}) > 5


def test_folds_are_dealt_evenly_and_by_the_seed() -> None:
    """Folds differ by at most one customer in size, are the same for the same seed, and others for another."""
    first = classify_fit.folds(1_003, 0)
    assert np.ptp(np.bincount(first, minlength=FOLDS)) <= 1
    assert np.array_equal(first, classify_fit.folds(1_003, 0))
    assert not np.array_equal(first, classify_fit.folds(1_003, 1))


def test_importance_finds_what_the_risk_is_made_of() -> None:
    """Dealing silence or order days anew makes the trees worse; what only makes noise does not; most important first."""
    past = classify_backtest.learn([_window(seed, 3_000) for seed in range(3)], asked="boosted")
    assert past is not None
    found = {str(one["quantity"]): one for one in past.importance}
    losses = [one["log_loss"] for one in past.importance]
    assert losses == sorted(losses, reverse=True)
    assert {str(one["quantity"]) for one in past.importance[:2]} == {"silent_days", "order_days"}
    assert found["silent_days"]["log_loss"] > 0.05 > 10 * abs(found["returns"]["log_loss"])
    assert found["silent_days"]["auc"] > 0.02
    assert "products" not in found
    assert "recent_spend" not in found


def test_a_rule_of_silence_has_one_importance() -> None:
    """The hiatus rule reads nothing but silence: every other quantity has an importance of exactly 0."""
    past = classify_backtest.learn([_window(seed) for seed in range(3)], asked="hiatus")
    assert past is not None
    assert past.importance[0]["quantity"] == "silent_days"
    assert all((one["log_loss"], one["auc"]) == (0.0, 0.0) for one in past.importance[1:])
