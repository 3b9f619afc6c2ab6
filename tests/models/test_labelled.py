"""The protocol of a labelled table: folds that do not leak, leaks that are found, reasons that add up."""

from __future__ import annotations

import json

import numpy as np
import pytest
from numpy.typing import NDArray

from clm.models import drift, labelled_folds, labelled_leaks, labelled_linear, labelled_reasons, labelled_rows, paired
from clm.models.labelled_rows import Feature

FloatArray = NDArray[np.float64]
FEATURES = (Feature("months"), Feature("plan", ("monthly", "yearly")), Feature("noise"), Feature("club", ("a", "b"), other=True))


def table(rows: int = 600, seed: int = 3) -> tuple[FloatArray, FloatArray]:
    """Rows whose label depends on two of four columns; some cells are missing."""
    draw = np.random.default_rng(seed)
    values = np.column_stack(
        [draw.integers(1, 60, rows), draw.integers(0, 2, rows), draw.normal(size=rows), draw.integers(0, 3, rows)]
    ).astype(np.float64)
    odds = 1.0 - 0.08 * values[:, 0] + 1.2 * values[:, 1]
    labels = (draw.random(rows) < 1.0 / (1.0 + np.exp(-odds))).astype(np.float64)
    values[draw.random(rows) < 0.05, 2] = np.nan
    return values, labels


def test_every_fold_has_its_share_of_both_outcomes() -> None:
    """Stratified: no fold differs from another by more than one row of either outcome."""
    labels = np.array([1.0] * 23 + [0.0] * 80)
    fold = labelled_folds.folds(labels, 0)
    for outcome, rows in ((1.0, 23), (0.0, 80)):
        counts = np.bincount(fold[labels == outcome], minlength=5)
        assert counts.sum() == rows
        assert counts.max() - counts.min() <= 1


@pytest.mark.parametrize("fold_number", [0, 3])
def test_the_labels_of_a_fold_change_nothing_in_the_fit_that_scores_it(fold_number: int) -> None:
    """Fit, tuning and calibration are nested: with the labels of a fold turned round, its rows score the same to the last bit."""
    values, labels = table()
    fold = labelled_folds.folds(labels, 0)
    here = fold == fold_number
    turned = np.where(here, 1.0 - labels, labels)
    for name in ("logistic", "boosted"):
        scorers = [labelled_folds.taught(name, values[~here], some[~here], FEATURES, 0) for some in (labels, turned)]
        assert np.array_equal(*(scorer.probability(values[here]) for scorer in scorers))
    learned, other = (labelled_folds.learn(values, some, fold, FEATURES, "logistic", 0) for some in (labels, turned))
    assert learned.winner.scorers[fold_number].model == other.winner.scorers[fold_number].model


def test_no_candidate_repeats_or_weighs_rows() -> None:
    """Over-sampling before the split cannot be expressed: a copy of every churned row would be in another fold than its twin."""
    import inspect

    for function in (labelled_folds.learn, labelled_folds.taught, labelled_folds.folds, labelled_linear.fit):
        words = " ".join(inspect.signature(function).parameters)
        assert not any(word in words for word in ("sample", "weight", "smote", "balance", "class"))


@pytest.mark.slow
def test_shuffled_labels_teach_nothing() -> None:
    """The law of the issue: AUC .47 to .53, and the base rate is what is used."""
    values, labels = table(3_000)
    labels = np.random.default_rng(5).permutation(labels)
    learned = labelled_folds.learn(values, labels, labelled_folds.folds(labels, 0), FEATURES, None, 0)
    assert learned.chosen == "base_rate"
    for candidate in learned.candidates:
        auc = candidate.scores["auc"]
        assert auc is not None
        assert 0.47 <= auc <= 0.53


def test_the_columns_of_a_wide_table_are_picked_inside_the_fold(monkeypatch: pytest.MonkeyPatch) -> None:
    """Columns picked by the labels of all rows would find an order in noise; picked inside the folds they find none."""
    monkeypatch.setattr(labelled_folds, "MOST_CELLS", 10 * 1_600)
    draw = np.random.default_rng(1)
    values, labels = draw.normal(size=(2_000, 300)), (draw.random(2_000) < 0.4).astype(np.float64)
    features = [Feature(f"c{place}") for place in range(300)]
    learned = labelled_folds.learn(values, labels, labelled_folds.folds(labels, 0), features, "logistic", 0)
    assert all(len(one.model.terms) <= 10 for one in learned.winner.scorers if isinstance(one.model, labelled_linear.Linear))
    auc = learned.winner.scores["auc"]
    assert auc is not None
    assert 0.45 <= auc <= 0.55
    values[:, 7] += labels
    found = labelled_folds.learn(values, labels, labelled_folds.folds(labels, 0), features, "boosted", 0)
    assert labelled_reasons.importance(found.winner, values, labels, labelled_folds.folds(labels, 0), 0)[0].column == 7


def test_a_method_that_learns_is_chosen_and_saved_to_the_same_scores() -> None:
    """The candidates of a table with signal, and each scorer read back from JSON scores the same to the last bit."""
    values, labels = table()
    fold = labelled_folds.folds(labels, 0)
    learned = labelled_folds.learn(values, labels, fold, FEATURES, None, 0)
    assert [one.name for one in learned.candidates] == list(labelled_folds.METHODS)
    assert learned.chosen != "base_rate"
    for candidate in learned.candidates:
        scorer = candidate.scorers[0]
        document = json.loads(json.dumps(scorer.to_json()))
        again = labelled_folds.scorer_from_json(document, FEATURES)
        assert np.array_equal(again.probability(values), scorer.probability(values))


def test_too_few_events_give_the_base_rate_alone() -> None:
    """Nineteen of the rarer outcome: nothing is learned."""
    values, _ = table(100)
    labels = np.array([1.0] * 19 + [0.0] * 81)
    learned = labelled_folds.learn(values, labels, labelled_folds.folds(labels, 0), FEATURES, "logistic", 0)
    assert [one.name for one in learned.candidates] == ["base_rate"]
    assert learned.chosen == "base_rate"


@pytest.mark.parametrize("kind", ["order", "falling", "middle", "missing", "category"])
def test_a_column_that_knows_the_label_is_found_however_it_knows(kind: str) -> None:
    """By its order either way, by values without an order, by being missing."""
    _, labels = table()
    draw = np.random.default_rng(0)
    noise = draw.normal(size=labels.size)
    cell = {
        "order": labels * 9.0 + noise,
        "falling": -labels * 9.0 + noise,
        "middle": np.where(labels == 1.0, noise * 0.1, np.sign(noise) * 5.0 + noise),
        "missing": np.where(labels == 1.0, noise, np.nan),
        "category": np.where(labels == 1.0, draw.integers(0, 3, labels.size) * 2, 7).astype(np.float64),
    }[kind]
    fold = labelled_folds.folds(labels, 0)
    assert labelled_leaks.alone(cell, labels, fold, category=kind == "category") > labelled_leaks.LEAK


def test_an_id_is_no_leak() -> None:
    """Every row its own value: rates learned in the fold would call it one."""
    _, labels = table()
    fold = labelled_folds.folds(labels, 0)
    ids = np.random.default_rng(0).permutation(labels.size).astype(np.float64)
    assert labelled_leaks.alone(ids, labels, fold, category=True) < 0.6


def test_reasons_are_what_lowers_the_risk_most() -> None:
    """The first reason is the replacement with the largest fall, found again by replacing each cell by hand; none is small."""
    values, labels = table()
    fold = labelled_folds.folds(labels, 0)
    usual = labelled_rows.usual(values[labels == 0.0], FEATURES)
    for name in ("logistic", "boosted"):
        scorer = labelled_folds.learn(values, labels, fold, FEATURES, name, 0).final
        found = labelled_reasons.reasons(scorer, values, usual)
        now = scorer.probability(values)
        falls = np.zeros(values.shape)
        for column in range(values.shape[1]):
            other = values.copy()
            other[:, column] = usual[column]
            falls[:, column] = now - scorer.probability(other)
        for row in range(values.shape[0]):
            told = [column for column in found[row] if column >= 0]
            assert all(falls[row, column] >= labelled_reasons.LEAST_EFFECT - 1e-9 for column in told)
            if told:
                assert falls[row, told[0]] == pytest.approx(falls[row].max(), abs=1e-9)
            else:
                assert falls[row].max() < labelled_reasons.LEAST_EFFECT + 1e-9


def test_importance_finds_the_columns_the_label_was_made_of() -> None:
    """Shuffling a column of noise costs nothing; shuffling months costs most."""
    values, labels = table(1_500)
    fold = labelled_folds.folds(labels, 0)
    learned = labelled_folds.learn(values, labels, fold, FEATURES, "logistic", 0)
    found = labelled_reasons.importance(learned.winner, values, labels, fold, 0)
    assert [FEATURES[one.column].name for one in found[:2]] == ["months", "plan"]
    assert abs(next(one.log_loss for one in found if one.column == 2)) < 0.01


def test_the_interval_of_a_difference_holds_it_and_shrinks() -> None:
    """Paired bootstrap: the difference of two candidates lies inside, and four times the rows halve the width."""
    widths = []
    for rows in (500, 2_000):
        values, labels = table(rows)
        fold = labelled_folds.folds(labels, 0)
        candidates = labelled_folds.learn(values, labels, fold, FEATURES, "logistic", 0).candidates[:2]
        scored = [one.probability for one in candidates]
        found = paired.differences(["base_rate", "logistic"], scored, labels, "logistic", 0)
        assert [(one.name, one.score) for one in found] == [("base_rate", "auc"), ("base_rate", "log_loss")]
        assert all(one.low <= one.difference <= one.high for one in found)
        widths.append(found[1].high - found[1].low)
    assert 1.5 < widths[0] / widths[1] < 2.7


def test_psi_of_equal_shares_is_nothing_and_of_moved_ones_what_the_formula_says() -> None:
    """Two categories 50:50 in training and 80:20 now: .3 ln 1.6 + .3 ln 2.5 = .4159."""
    known = drift.reference(np.array([0.0, 1.0] * 5_000), 2)
    assert drift.psi(known, np.array([0.0, 1.0] * 5_000)) == pytest.approx(0.0, abs=1e-9)
    assert drift.psi(known, np.array([0.0] * 8_000 + [1.0] * 2_000)) == pytest.approx(0.4159, abs=1e-3)
    numbers = drift.reference(np.arange(1_000.0))
    assert drift.psi(numbers, np.arange(1_000.0)) < 1e-9
    assert drift.psi(numbers, np.full(1_000, np.nan)) > 1.0


def test_copies_and_constants_are_no_terms() -> None:
    """A level with exactly the rows of an earlier one is one term, not two; a constant column is none."""
    values = np.column_stack([[0.0, 1.0] * 20, [0.0, 1.0] * 20, [5.0] * 40])
    features = (Feature("a", ("x", "y")), Feature("b", ("u", "v")), Feature("c"))
    assert [(term.feature, term.code) for term in labelled_rows.design(values, features)] == [(0, 0)]
    assert labelled_rows.repeated(values, features) == {("a", "x"): ["b"], ("a", "y"): ["b"]}
