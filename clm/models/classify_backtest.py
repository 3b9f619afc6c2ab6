"""The protocol of the churn choice: which windows train, which one judges, which one only reports, and what calibrates.
Arrays in, records out; windows come in by date, latest first, and it trusts them to hold nothing later than their day.

* A candidate is fitted on windows that all end before the judging window begins.
* With three or more training windows the latest of them judges and the test window only reports; with fewer the test window
  does both, and `chosen_on` says so.
* The base rate is used, and named, where no method beats it on the judging window by more than two standard errors of the
  difference. With labels dealt at random one of the four is ahead by luck in 48 of 60 trials, by one standard error in 22, by
  two in 3.
* Calibration is learned on the latest window behind the judge, from predictions for customers left out of the fit (5 folds by
  customer; boosted trees: in a fit without that window), and kept only when it lowers the log-loss of the judging window by more
  than the standard error of that difference.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clm.models import classify, classify_reasons, classify_scores, paired
from clm.models.classify_buyers import Buyers, Typical, typical
from clm.models.classify_fit import BASE_RATE, METHODS, TRAINED, Fitted, Window, enough_events, enough_to_learn, fit
from clm.models.paired import Difference

FloatArray = NDArray[np.float64]

LEAST_AUC = 0.55  # up to which a ranking is taken for chance
MIN_TRAINING_TO_CHOOSE = 3
_SURE = 2.0  # standard errors by which a method must beat the base rate


@dataclass(frozen=True)
class Candidate:
    """One method as fitted before the test window, its scores there, and its losses on the judging window."""

    name: str
    fitted: Fitted
    probability: FloatArray
    scores: classify_scores.Row
    judged: FloatArray

    @property
    def calibrates(self) -> bool:
        return self.fitted.calibration is not None

    @property
    def judged_log_loss(self) -> float:
        return float(self.judged.mean())

    @property
    def test_log_loss(self) -> float:
        loss = self.scores["log_loss"]
        assert loss is not None
        return loss

    def to_json(self) -> dict[str, object]:
        return {"name": self.name, **self.scores, "calibrated": self.calibrates}


@dataclass(frozen=True)
class Verdict:
    """The whole table, the method with the lowest log-loss on the judging window, and which window that was."""

    candidates: tuple[Candidate, ...]
    chosen: str
    chosen_on: str

    @property
    def winner(self) -> Candidate:
        return next(one for one in self.candidates if one.name == self.chosen)

    @property
    def beaten_by(self) -> str | None:
        """The method that does better on the test window than the chosen one, if one does; the base rate is told by no_skill."""
        methods = [one for one in self.candidates if one.name != BASE_RATE]
        best = min(methods, key=lambda one: one.test_log_loss)
        return best.name if best.test_log_loss < self.winner.test_log_loss else None

    @property
    def no_skill(self) -> str | None:
        """A sentence when the chosen method tells customers apart no better than one rate for all, on the test window."""
        loss, auc = self.winner.test_log_loss, self.winner.scores["auc"]
        base = next((one.test_log_loss for one in self.candidates if one.name == BASE_RATE), None)
        told = f"log-loss {loss:.3f}" + ("" if auc is None else f", AUC {auc:.3f}")
        if self.chosen == BASE_RATE:
            return f"no method clearly beat the base rate, so everybody has the same probability ({told} on the test window)"
        if base is not None and loss >= base:
            return f"{self.chosen} is no better than telling everybody the base rate: {told}, against log-loss {base:.3f}"
        if auc is not None and auc <= LEAST_AUC:
            against = "" if base is None else f"; one rate for all has log-loss {base:.3f}"
            return f"{self.chosen} hardly tells who leaves from who stays: {told} (chance is 0.500){against}"
        return None


@dataclass(frozen=True)
class Past:
    """What the labelled windows taught: the table, the winner refitted on all of them, and who its customers are compared with.

    training: latest first; usual: medians of the customers of the test window who stayed; differences: of each candidate from
    the chosen one and from the hiatus rule; importance: of each quantity to the chosen method. The test window tells both.
    """

    verdict: Verdict
    test: Window
    training: tuple[Window, ...]
    fitted: Fitted
    usual: Typical
    differences: Sequence[Difference]
    importance: Sequence[dict[str, object]]

    @property
    def base_rate_training(self) -> float | None:
        """Share of the training windows' customers, taken together, who placed no order in the horizon."""
        labels = [one.churned for one in self.training]
        return float(np.concatenate(labels).mean()) if labels else None

    @property
    def drift(self) -> str | None:
        """A sentence when more or fewer came back in the test window than in any training window, by a point at least."""
        came_back = [1.0 - one.base_rate for one in self.training]
        tested = 1.0 - self.test.base_rate
        if not came_back or min(came_back) - 0.01 < tested < max(came_back) + 0.01:
            return None
        span = " to ".join(dict.fromkeys(f"{share:.0%}" for share in (min(came_back), max(came_back))))
        more = "more" if tested > max(came_back) else "fewer"
        return f"{more} customers came back in the test window ({tested:.0%}) than in the training windows ({span})"

    def to_json(self) -> dict[str, object]:
        """The metrics of the back-test."""
        winner = self.verdict.winner
        return {
            "test_on": self.test.on,
            "training_on": [one.on for one in self.training],
            "candidates": [one.to_json() for one in self.verdict.candidates],
            "differences": [one.to_json() for one in self.differences],
            "chosen_on": self.verdict.chosen_on,
            "calibration": "none" if self.fitted.calibration is None else self.fitted.calibration.kind,
            "reliability": classify_scores.reliability(winner.probability, self.test.churned),
            "gain": classify_scores.gain(winner.probability, self.test.churned),
            "gain_hiatus": self._gain_of_hiatus(),
            "importance": list(self.importance),
            "base_rate_test": self.test.base_rate,
            "base_rate_training": self.base_rate_training,
            "drift": self.drift,
        }

    def _gain_of_hiatus(self) -> list[dict[str, float]]:
        """The gain of the simple rule, silence alone; nothing where it was no candidate or is the one that is used."""
        rule = next((one for one in self.verdict.candidates if one.name == "hiatus" != self.verdict.chosen), None)
        return [] if rule is None else classify_scores.gain(rule.probability, self.test.churned)


UNTESTED = Fitted(classify.Return(), None)
NOTHING_LEARNED: dict[str, object] = {
    "test_on": None, "training_on": [], "candidates": [], "differences": [], "chosen_on": None, "calibration": "none",
    "reliability": [], "gain": [], "gain_hiatus": [], "importance": [], "base_rate_test": None, "base_rate_training": None,
    "drift": None,
}  # fmt: skip


def learn(windows: Sequence[Window], asked: str | None = None, seed: int = 0) -> Past | None:
    """Test on the latest window, train on those before it, refit the chosen (or asked for) method on all of them.

    `seed` draws the customers of the intervals and deals the quantities of the importance.
    None when there is nothing to test on: no window, too few events in the latest, or the method asked for cannot be trained.
    """
    if not windows or not enough_events(windows[:1]):
        return None
    test, training = windows[0], tuple(windows[1:])
    if asked in TRAINED and not enough_to_learn(training):
        return None
    verdict = back_test(test, training, asked)
    fitted = fit(verdict.chosen, windows, calibrates=verdict.winner.calibrates)
    names, told = [one.name for one in verdict.candidates], [one.probability for one in verdict.candidates]
    against = [name for name in dict.fromkeys((verdict.chosen, "hiatus")) if name in names]
    return Past(
        verdict,
        test,
        training,
        fitted,
        typical(test.buyers, test.churned == 0.0),
        [one for other in against for one in paired.differences(names, told, test.churned, other, seed)],
        classify_reasons.importance(verdict.winner.fitted, test, seed),
    )


def typical_of_safest(buyers: Buyers, probability: FloatArray) -> Typical:
    """Medians of the half at lowest risk: who is taken to stay where no window knows who did."""
    return typical(buyers, probability <= np.median(probability))


def back_test(test: Window, training: Sequence[Window], asked: str | None = None) -> Verdict:
    """Fit every candidate on the past, choose by log-loss (unless a method was asked for), and score all on the test window.

    Without enough events in the training windows only the return probability, which needs no label, can be tested.
    """
    names = METHODS if enough_to_learn(training) else ("return",)
    chooses_early = len(training) >= MIN_TRAINING_TO_CHOOSE
    candidates = []
    for name in names:
        if chooses_early:
            kept, judged = _judged(name, training[0], training[1:])
            fitted = fit(name, training, calibrates=kept.calibration is not None)
        else:
            fitted, judged = _judged(name, test, training)
        probability = fitted.probability(test.buyers, test.chance)
        scores = classify_scores.scores(probability, test.churned)
        candidates.append(Candidate(name, fitted, probability, scores, judged))
    best = min(candidates, key=lambda one: one.judged_log_loss)
    if candidates[0].name == BASE_RATE and not _better(candidates[0].judged, best.judged, _SURE):
        best = candidates[0]
    judge = "training" if chooses_early else "test"
    return Verdict(tuple(candidates), asked or best.name, "asked" if asked else judge)


def _better(before: FloatArray, after: FloatArray, errors: float = 1.0) -> bool:
    """Whether the second losses of the same customers are lower by more than `errors` standard errors of the difference."""
    gained = before - after
    return bool(gained.mean() > errors * gained.std() / np.sqrt(gained.size))


def _judged(name: str, judge: Window, behind: Sequence[Window]) -> tuple[Fitted, FloatArray]:
    """A fit on the windows behind the judging one, with its calibration where that helps there, and its losses there."""
    calibrates = name != BASE_RATE and bool(behind) and enough_events(behind[:1])
    fitted = fit(name, behind, calibrates=calibrates)
    plain = Fitted(fitted.model, None)
    raw = plain.probability(judge.buyers, judge.chance)
    before = classify_scores.losses(raw, judge.churned)
    if not calibrates:
        return plain, before
    after = classify_scores.losses(classify.calibrated(fitted.calibration, raw), judge.churned)
    return (fitted, after) if _better(before, after) else (plain, before)
