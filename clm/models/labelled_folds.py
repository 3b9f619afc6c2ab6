"""The protocol of a labelled table: stratified folds, what is fitted inside them, and how the method is chosen.
Arrays in, records out; a row is never scored, tuned or calibrated by a fit that has seen its label.

* Five folds, each with the same share of churned rows. A fold's rows are scored by fits to the other four.
* Inside those four, a fifth is set aside: it chooses the ridge, stops the booster and teaches the calibration; then the method is
  fitted anew to all four. So calibration is nested, and nothing of a fold decides its own scores.
* The lowest out-of-fold log-loss chooses. The base rate is used, and named, where nothing beats it by two standard errors;
  calibration is kept where it lowers the log-loss by more than the standard error of the difference.
* Rows are never repeated, weighed or made up: there is no over-sampling before the split, because there is none at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from clm.models import boosted, boosted_json, classify, classify_scores, labelled_linear, labelled_rows, records
from clm.models.boosted import Boosted
from clm.models.classify import BaseRate, Calibration, logistic
from clm.models.labelled_linear import Linear
from clm.models.labelled_rows import Feature

FloatArray = NDArray[np.float64]
Rows = NDArray[np.bool_]
Model = BaseRate | Linear | Boosted

METHODS = ("base_rate", "logistic", "boosted")  # simplest first: it wins a tie
BASE_RATE = BaseRate.name
FOLDS = 5
MIN_EVENTS = 20  # of the rarer outcome, four a fold, below which nothing is learned
# Cells that teach one fit: of long tables fewer rows are drawn, of wide ones the columns that tell most alone are taken, inside
# the fold. 200,000 rows of 30 columns are a minute for all fits together; more rows move the scores by less than the folds do.
MOST_CELLS = 6_000_000
_ROWS = 20_000, 200_000  # at least, of a long and wide table; at most
PENALTIES = (0.0003, 0.003, 0.03, 0.3)  # ridge per row, on standardised terms
_HELD = 5  # one in five rows of a fit tunes it
_SURE = 2.0  # standard errors by which a method must beat the base rate


@dataclass(frozen=True)
class Scorer:
    """A fitted method with its calibration (None: as it is)."""

    model: Model
    calibration: Calibration | None

    @property
    def name(self) -> str:
        return "boosted" if isinstance(self.model, Boosted) else self.model.name

    def log_odds(self, values: FloatArray) -> FloatArray:
        """Raw log-odds, before the calibration."""
        return log_odds(self.model, values)

    def of_log_odds(self, value: FloatArray) -> FloatArray:
        """P(churned) of raw log-odds."""
        return classify.calibrated(self.calibration, logistic(value))

    def probability(self, values: FloatArray) -> FloatArray:
        """P(churned), one value per row."""
        return self.of_log_odds(self.log_odds(values))

    def to_json(self) -> dict[str, object]:
        calibration = None if self.calibration is None else self.calibration.to_json()
        return {"name": self.name, "model": self.model.to_json(), "calibration": calibration}


def scorer_from_json(document: object, features: Sequence[Feature]) -> Scorer:
    """The record `Scorer.to_json` wrote, over these columns. Raises ValueError."""
    found = records.as_object(document, "scorer", ("name", "model", "calibration"))
    name = records.as_word(found["name"], "name", METHODS)
    calibration = None if found["calibration"] is None else _calibration(found["calibration"])
    if name == BASE_RATE:
        rate = records.as_object(found["model"], "model", ("name", "rate"))["rate"]
        return Scorer(BaseRate(records.as_number(rate, "rate", 1e-9, 1.0 - 1e-9)), calibration)
    if name == "logistic":
        return Scorer(labelled_linear.from_json(found["model"], len(features)), calibration)
    model = boosted_json.from_json(found["model"])
    categories = [place for place, feature in enumerate(features) if feature.levels is not None]
    if model.width != len(features) or not {column for column, _ in model.categorical} <= set(categories):
        raise ValueError("the trees read other columns than the table has")
    return Scorer(model, calibration)


def _calibration(document: object) -> Calibration:
    found = records.as_object(document, "calibration", ("kind", "knots", "values"))
    kind = records.as_word(found["kind"], "kind", ("sigmoid", "isotonic"))
    knots, mapped = (
        tuple(records.as_number(one, key) for one in records.as_list(found[key], key)) for key in ("knots", "values")
    )
    if kind == "sigmoid" and (knots or len(mapped) != 2 or mapped[1] <= 0.0):
        raise ValueError("calibration: not a rising sigmoid")
    if kind == "isotonic" and (len(knots) != len(mapped) or list(knots) != sorted(knots) or list(mapped) != sorted(mapped)):
        raise ValueError("calibration: not a rising map")
    return Calibration(kind, knots, mapped)


@dataclass(frozen=True)
class Candidate:
    """One method: out-of-fold probabilities of the labelled rows with their scores, and the five fits that made them."""

    name: str
    probability: FloatArray
    scores: classify_scores.Row
    calibrated: bool
    scorers: tuple[Scorer, ...]

    @property
    def log_loss(self) -> float:
        loss = self.scores["log_loss"]
        assert loss is not None
        return loss

    def to_json(self) -> dict[str, object]:
        return {"name": self.name, **self.scores, "calibrated": self.calibrated}


@dataclass(frozen=True)
class Learned:
    """The whole table of candidates, the one that is used, and its fit to all labelled rows, for rows without a label."""

    candidates: tuple[Candidate, ...]
    chosen: str
    chosen_on: str
    final: Scorer

    @property
    def winner(self) -> Candidate:
        return next(one for one in self.candidates if one.name == self.chosen)


def folds(labels: FloatArray, seed: int) -> NDArray[np.int64]:
    """A fold 0 to 4 for each row; the churned rows and the others are dealt out apart, so every fold has its share of both."""
    dealt = np.empty(labels.size, dtype=np.int64)
    generator = np.random.default_rng(seed)
    start = 0
    for outcome in (1.0, 0.0):
        rows = generator.permutation(np.flatnonzero(labels == outcome))
        dealt[rows] = (np.arange(rows.size) + start) % FOLDS
        start += rows.size
    return dealt


def events(labels: FloatArray) -> int:
    """How often the rarer outcome occurs."""
    return int(min(labels.sum(), labels.size - labels.sum()))


def learn(
    values: FloatArray, labels: FloatArray, fold: NDArray[np.int64], features: Sequence[Feature], asked: str | None, seed: int
) -> Learned:
    """Every candidate out of fold, the chosen (or asked for) one fitted to all rows.

    values: (n, columns) as `labelled_rows` says; labels: 0 or 1; with fewer than MIN_EVENTS of either only the base rate.
    """
    names = METHODS if events(labels) >= MIN_EVENTS else (BASE_RATE,)
    candidates = tuple(_candidate(name, values, labels, fold, features, seed) for name in names)
    best = min(candidates, key=lambda one: one.log_loss)
    base = candidates[0]
    if not _better(_losses(base, labels), _losses(best, labels), _SURE):
        best = base
    chosen = asked if asked is not None and asked in names else best.name
    winner = next(one for one in candidates if one.name == chosen)
    final = taught(winner.name, values, labels, features, seed)
    final = final if winner.calibrated else replace(final, calibration=None)
    return Learned(candidates, chosen, "asked" if asked == chosen else "out_of_fold", final)


def most(rows: int, columns: int) -> tuple[int, int]:
    """How many of these rows and columns teach one fit."""
    taught_rows = min(rows, _ROWS[1], max(_ROWS[0], MOST_CELLS // columns))
    return taught_rows, min(columns, MOST_CELLS // taught_rows)


def log_odds(model: Model, values: FloatArray) -> FloatArray:
    """ln(p / (1 - p)) of each row by a fitted method."""
    if isinstance(model, BaseRate):
        return np.full(values.shape[0], np.log(model.rate / (1.0 - model.rate)))
    if isinstance(model, Boosted):
        return boosted.log_odds(model, values)
    return labelled_linear.log_odds(model, values)


def _candidate(
    name: str, values: FloatArray, labels: FloatArray, fold: NDArray[np.int64], features: Sequence[Feature], seed: int
) -> Candidate:
    raw, mapped = np.empty(labels.size), np.empty(labels.size)
    scorers = []
    for number in range(FOLDS):
        here = fold == number
        scorer = taught(name, values[~here], labels[~here], features, seed)
        value = scorer.log_odds(values[here])
        raw[here], mapped[here] = logistic(value), scorer.of_log_odds(value)
        scorers.append(scorer)
    keeps = _better(classify_scores.losses(raw, labels), classify_scores.losses(mapped, labels))
    if not keeps:
        scorers = [replace(one, calibration=None) for one in scorers]
    probability = mapped if keeps else raw
    return Candidate(name, probability, classify_scores.scores(probability, labels), keeps, tuple(scorers))


def taught(name: str, values: FloatArray, labels: FloatArray, features: Sequence[Feature], seed: int) -> Scorer:
    """A method fitted to these rows: tuned and calibrated on a fifth of them set aside, then fitted to them all."""
    if name == BASE_RATE:
        return Scorer(classify.fit_base_rate(labels), None)
    rows, columns = most(labels.size, len(features))
    if labels.size > rows:
        drawn = np.sort(np.random.default_rng(seed).permutation(labels.size)[:rows])
        values, labels = values[drawn], labels[drawn]
    held = folds(labels, seed) == _HELD - 1
    kept = labelled_rows.telling(values[~held], labels[~held], features, columns)
    teach = _boosted if name == "boosted" else _logistic
    model, value = teach(values, labels, held, features, kept, seed)
    return Scorer(model, classify.fit_calibration(logistic(value), labels[held]))


def _logistic(
    values: FloatArray, labels: FloatArray, held: Rows, features: Sequence[Feature], kept: Sequence[int], seed: int
) -> tuple[Model, FloatArray]:
    """The fit to all rows with the ridge the held ones like best, and the log-odds the others gave them."""
    tries = labelled_linear.fit(values[~held], labels[~held], features, PENALTIES, kept)
    scored = [labelled_linear.log_odds(one, values[held]) for one in tries]
    best = int(np.argmin([classify_scores.losses(logistic(value), labels[held]).mean() for value in scored]))
    return labelled_linear.fit(values, labels, features, [PENALTIES[best]], kept)[0], scored[best]


def _boosted(
    values: FloatArray, labels: FloatArray, held: Rows, features: Sequence[Feature], kept: Sequence[int], seed: int
) -> tuple[Model, FloatArray]:
    """The fit to all rows with as many trees as the held ones like best, and the log-odds the others gave them."""
    own = values[:, kept]
    free = [0] * len(kept)
    categories = [place for place, column in enumerate(kept) if features[column].levels is not None]
    later = own[held], labels[held]
    tried = boosted.fit(own[~held], labels[~held], later=later, monotone=free, seed=seed, categorical=categories)
    value = boosted.log_odds(tried, own[held])
    if tried.rounds:
        tried = boosted.fit(own, labels, later=None, monotone=free, seed=seed, categorical=categories, rounds=tried.rounds)
    return _widened(tried, kept, len(features)), value


def _widened(model: Boosted, kept: Sequence[int], width: int) -> Boosted:
    """The trees over the columns `kept`, as trees over all."""
    trees = tuple(replace(tree, feature=tuple(kept[one] if one >= 0 else one for one in tree.feature)) for tree in model.trees)
    return Boosted(width, model.baseline, tuple((kept[column], codes) for column, codes in model.categorical), trees)


def _losses(candidate: Candidate, labels: FloatArray) -> FloatArray:
    return classify_scores.losses(candidate.probability, labels)


def _better(before: FloatArray, after: FloatArray, errors: float = 1.0) -> bool:
    """Whether the second losses of the same rows are lower by more than `errors` standard errors of the difference."""
    gained = before - after
    return bool(gained.mean() > errors * gained.std() / np.sqrt(gained.size))
