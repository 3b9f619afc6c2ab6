"""Fits one churn candidate, by its name, to labelled windows, and predicts the latest of them by fits its labels had no part in.
It chooses and scores nothing; the windows come in by date, latest first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clm.models import classify, classify_features
from clm.models.btyd_params import BtydParams
from clm.models.classify import Calibration, Model, Trees
from clm.models.classify_buyers import Buyers

FloatArray = NDArray[np.float64]

BASE_RATE = classify.BaseRate.name
METHODS = (BASE_RATE, "hiatus", "return", "logistic", "boosted")  # simplest first: it wins a tie
TRAINED = ("hiatus", "logistic", "boosted")  # cannot be had without labels before the test
FOLDS = 5
MIN_EVENTS = 100  # of the rarer outcome, below which nothing is learned or tested
# Rows a regression or booster is fitted to, drawn from all windows: two and a half times as many cost a third of the stage's
# work and win .0001 of log-loss (a generated shop of 100,000 customers).
MOST_ROWS = 100_000


@dataclass(frozen=True)
class Window:
    """One labelled snapshot: buyers known on day `on` (ISO), the return model fitted to them, and who did not order afterwards.

    chance: their return probability by that model; churned: 1 for no order in the horizon, else 0; fold: 0 to FOLDS - 1, the
    same for a customer in every window.
    """

    on: str
    buyers: Buyers
    returning: BtydParams
    chance: FloatArray
    churned: FloatArray
    fold: NDArray[np.int64]

    @property
    def base_rate(self) -> float:
        return float(self.churned.mean())


@dataclass(frozen=True)
class Fitted:
    """What scores customers: a model and its calibration (None: as it is)."""

    model: Model
    calibration: Calibration | None

    @property
    def name(self) -> str:
        return self.model.name

    def probability(self, buyers: Buyers, chance: FloatArray) -> FloatArray:
        """P(churn), one value per buyer."""
        return classify.calibrated(self.calibration, classify.predict(self.model, buyers, chance))

    def to_json(self) -> dict[str, object]:
        calibration = None if self.calibration is None else self.calibration.to_json()
        return {"model": self.model.to_json(), "calibration": calibration}


@dataclass(frozen=True)
class Trained:
    """A fitted model; `scout` are boosted trees grown without the latest window, which only told them when to stop."""

    model: Model
    scout: Trees | None = None


def folds(customers: int, seed: int) -> NDArray[np.int64]:
    """A fold for each customer of the log, the same for the same seed."""
    return np.random.default_rng(seed).permutation(customers).astype(np.int64) % FOLDS


def enough_events(windows: Sequence[Window]) -> bool:
    """Whether both outcomes occur at least 100 times in these windows together: enough to judge by."""
    return _rarer(windows) >= MIN_EVENTS


def enough_to_learn(windows: Sequence[Window]) -> bool:
    """Whether both can be expected that often among the rows drawn to learn from."""
    return _rarer(windows) * _share(sum(window.churned.size for window in windows)) >= MIN_EVENTS


def fit(name: str, windows: Sequence[Window], *, calibrates: bool) -> Fitted:
    """The method fitted on all windows and, when it `calibrates`, mapped by the latest of them."""
    trained = train(name, windows)
    calibration = classify.fit_calibration(unseen(trained, windows), windows[0].churned) if calibrates else None
    return Fitted(trained.model, calibration)


def train(name: str, windows: Sequence[Window]) -> Trained:
    """The candidate fitted to all the windows."""
    if name != "boosted":
        return Trained(_fit(name, windows))
    if len(windows) > 1 and enough_to_learn(windows[1:]):
        scout = _grow(windows[1:], later=_rich(windows[:1]))
        return Trained(_grow(windows, scout.boosted.rounds), scout)
    # no earlier window to learn from: a fifth of the customers of the latest tells when to stop
    held = [one.fold == 0 for one in windows[:1]]
    stopped = _grow(windows[:1], without=0, later=_rich(windows[:1], held))
    return Trained(_grow(windows, stopped.boosted.rounds))


def unseen(trained: Trained, windows: Sequence[Window]) -> FloatArray:
    """Predictions for the latest window by fits its labels had no part in: the scout's, or each by the other folds' customers.

    The scout's trees know nothing of them either; they only told how many to keep.
    """
    latest, model = windows[0], trained.model
    if trained.scout is not None:
        return classify.predict(trained.scout, latest.buyers, latest.chance)
    if isinstance(model, classify.Return):
        return classify.predict(model, latest.buyers, latest.chance)
    predicted = np.empty_like(latest.churned)
    for fold in range(FOLDS):
        rows = np.flatnonzero(latest.fold == fold)
        grown = model.boosted.rounds if isinstance(model, Trees) else None
        other = _fit(model.name, windows, fold) if grown is None else _grow(windows, grown, fold)
        predicted[rows] = classify.predict(other, latest.buyers.at(rows), latest.chance[rows])
    return predicted


def _fit(name: str, windows: Sequence[Window], without: int | None = None) -> Model:
    """A method other than the trees on all windows, leaving out the customers of one fold."""
    if name == "return":
        return classify.Return()
    kept = [np.ones(one.churned.size, dtype=np.bool_) if without is None else one.fold != without for one in windows]
    if name in (BASE_RATE, "hiatus"):
        labels = np.concatenate([one.churned[rows] for one, rows in zip(windows, kept, strict=True)])
        if name == BASE_RATE:
            return classify.fit_base_rate(labels)
        silence = [one.buyers.recency_days[rows] for one, rows in zip(windows, kept, strict=True)]
        return classify.fit_hiatus(np.concatenate(silence), labels)
    drawn = _drawn(windows, kept)
    names = classify_features.lean_names(windows[0].buyers)
    matrices = [classify_features.lean(one.buyers.at(rows), one.chance[rows], names) for one, rows in drawn]
    return classify.fit_logistic(matrices, [one.churned[rows] for one, rows in drawn], names)


def _grow(
    windows: Sequence[Window],
    rounds: int | None = None,
    without: int | None = None,
    later: tuple[FloatArray, FloatArray] | None = None,
) -> Trees:
    kept = None if without is None else [one.fold != without for one in windows]
    names = classify_features.rich_names(windows[0].buyers)
    matrix, labels = _rich(windows, kept)
    if rounds == 0 or np.unique(labels).size < 2:
        return _stump(labels, len(names), names)
    return classify.fit_trees(matrix, labels, names, later=later, **({} if rounds is None else {"rounds": rounds}))


def _stump(labels: FloatArray, width: int, names: tuple[str, ...]) -> Trees:
    """No tree at all: the base rate, where there is nothing to learn beyond it."""
    from clm.models.boosted import Boosted

    rate = np.array([classify.fit_base_rate(labels).rate])
    return Trees(names, Boosted(width, float(classify_features.log_odds(rate)[0]), (), ()))


def _rich(windows: Sequence[Window], kept: list[NDArray[np.bool_]] | None = None) -> tuple[FloatArray, FloatArray]:
    kept = [np.ones(one.churned.size, dtype=np.bool_) for one in windows] if kept is None else kept
    drawn = _drawn(windows, kept)
    names = classify_features.rich_names(windows[0].buyers)
    matrix = np.concatenate([classify_features.rich(one.buyers.at(rows), one.chance[rows], names) for one, rows in drawn])
    return matrix, np.concatenate([one.churned[rows] for one, rows in drawn])


def _drawn(windows: Sequence[Window], kept: list[NDArray[np.bool_]]) -> list[tuple[Window, NDArray[np.int64]]]:
    """The rows of each window to learn from: those kept, thinned alike in all windows to about MOST_ROWS."""
    share = _share(sum(int(one.sum()) for one in kept))
    if share < 1.0:
        dice = np.random.default_rng(0)
        kept = [one & (dice.random(one.size) < share) for one in kept]
    return [(window, np.flatnonzero(one)) for window, one in zip(windows, kept, strict=True)]


def _rarer(windows: Sequence[Window]) -> float:
    """How often the rarer outcome occurs."""
    left = sum(float(window.churned.sum()) for window in windows)
    return min(left, sum(window.churned.size for window in windows) - left)


def _share(rows: int) -> float:
    """Of so many rows, the share that is learned from."""
    return min(1.0, MOST_ROWS / max(1, rows))
