"""Boosted trees: our predictor is scikit-learn's, the record survives JSON, and a hostile record is refused."""

from __future__ import annotations

import copy
import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clm.models import boosted, boosted_json, classify_scores

Matrix = np.ndarray
_NODES = ("feature", "threshold", "categories", "missing_left", "left", "right", "value")


def rows(customers: int, seed: int = 0) -> tuple[Matrix, Matrix]:
    """Five columns: risk rises with the first, the second has holes, the third holds codes, the last is constant."""
    random = np.random.default_rng(seed)
    matrix = random.normal(size=(customers, 5))
    matrix[:, 2] = random.choice([0, 3, 7, 11, 250], customers)
    matrix[:, 4] = 1.0
    odds = 1.2 * matrix[:, 0] + np.abs(matrix[:, 1]) + np.isin(matrix[:, 2], [3, 250]) * 1.5 - 1.0
    matrix[random.random(customers) < 0.2, 1] = np.nan
    matrix[random.random(customers) < 0.1, 2] = np.nan
    return matrix, (random.random(customers) < 1 / (1 + np.exp(-odds))).astype(float)


def small(**more: Any) -> boosted.Boosted:
    matrix, labels = rows(2_000)
    return boosted.fit(matrix, labels, later=rows(1_000, 1), monotone=[1, 0, 0, 0, 0], seed=0, categorical=[2], **more)


@pytest.fixture(scope="module")
def model() -> boosted.Boosted:
    return small()


def test_our_predictor_is_scikit_learn_to_twelve_digits(model: boosted.Boosted) -> None:
    """Through JSON, with missing values, categorical splits and unknown codes, the probabilities equal predict_proba to 1e-12."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    matrix, labels = rows(2_000)
    oracle = HistGradientBoostingClassifier(
        learning_rate=0.05, max_iter=model.rounds, max_leaf_nodes=8, min_samples_leaf=40, l2_regularization=boosted.L2,
        categorical_features=[2], monotonic_cst=[1, 0, 0, 0, 0], early_stopping=False, random_state=0,
    ).fit(matrix, labels)  # fmt: skip
    read = boosted_json.from_json(json.loads(json.dumps(model.to_json(), allow_nan=False)))
    assert read == model
    fresh = rows(40_000, 2)[0]
    fresh[:500, 2] = 5.0
    fresh[500:700, 0] = np.nan
    assert model.rounds > 20
    assert np.max(np.abs(boosted.predict(read, fresh) - oracle.predict_proba(fresh)[:, 1])) < 1e-12


def test_the_later_slice_decides_how_many_trees(model: boosted.Boosted) -> None:
    """The number of trees is the one with the lowest log-loss on the later slice, and another slice gives another number."""
    matrix, labels = rows(1_000, 1)

    def loss(trees: int) -> float:
        cut = boosted.Boosted(model.width, model.baseline, model.categorical, model.trees[:trees])
        return float(classify_scores.losses(boosted.predict(cut, matrix), labels).mean())

    found = [loss(trees) for trees in range(model.rounds + 1)]
    assert int(np.argmin(found)) == model.rounds < boosted.MOST_ROUNDS
    grown = boosted.fit(*rows(2_000), later=None, monotone=[1, 0, 0, 0, 0], seed=0, categorical=[2], rounds=model.rounds)
    assert grown == model


def test_labels_dealt_at_random_grow_next_to_nothing() -> None:
    """Where nothing can be learned the later slice keeps hardly a tree, and ranks nobody."""
    matrix, labels = rows(2_000)
    random = np.random.default_rng(5)
    later = rows(2_000, 1)
    model = boosted.fit(
        matrix, random.permutation(labels), later=(later[0], random.permutation(later[1])), monotone=[0] * 5, seed=0
    )
    assert model.rounds < 20
    auc = classify_scores.auc(boosted.predict(model, later[0]), later[1])
    assert auc is not None
    assert 0.45 < auc < 0.55


def test_the_same_rows_give_the_same_bytes(model: boosted.Boosted) -> None:
    """Two fits of the same rows are one document, byte for byte."""
    assert json.dumps(small().to_json()) == json.dumps(model.to_json())


@given(st.floats(-5, 5), st.floats(0, 5), st.integers(0, 1_999))
@settings(max_examples=50, deadline=None)
def test_risk_never_falls_where_it_may_only_rise(model: boosted.Boosted, value: float, more: float, place: int) -> None:
    """Raising a monotone feature never lowers the probability, whatever the rest of the row is."""
    row = rows(2_000)[0][place : place + 1].repeat(2, axis=0)
    row[:, 0] = [value, value + more]
    low, high = boosted.predict(model, row)
    assert high >= low


def test_weights_count_rows() -> None:
    """A row of weight 2 is the row twice, as far as the leaf sizes allow: both shift the baseline alike."""
    matrix, labels = rows(500)
    weighted = boosted.fit(matrix, labels, later=None, monotone=[0] * 5, seed=0, sample_weight=1.0 + labels, rounds=1)
    share = float((labels * 2).sum() / (1.0 + labels).sum())
    assert weighted.baseline == pytest.approx(np.log(share / (1 - share)), abs=1e-12)


def test_few_rows_and_no_rows() -> None:
    """Too few rows for a split give the base rate for everybody; no rows to score give no scores."""
    matrix, labels = rows(50)
    model = boosted.fit(matrix, labels, later=None, monotone=[0] * 5, seed=0)
    assert np.ptp(boosted.predict(model, matrix)) == 0.0
    assert boosted.predict(model, matrix)[0] == pytest.approx(labels.mean())
    assert boosted.predict(model, matrix[:0]).size == 0


def test_a_column_nobody_has_a_value_of_tells_nothing() -> None:
    """All missing, as a number or as a category: the trees are those without it, and later values there change nothing."""
    matrix, labels = rows(600)
    hollow = np.full((600, 2), np.nan)
    beside = boosted.fit(
        np.column_stack([matrix, hollow]), labels, later=None, monotone=[0] * 7, seed=0, categorical=[2, 6], rounds=20
    )
    without = boosted.fit(matrix, labels, later=None, monotone=[0] * 5, seed=0, categorical=[2], rounds=20)
    fresh = rows(300, 1)[0]
    assert beside.rounds > 0
    for filled in (hollow[:300], np.ones((300, 2))):
        expected = boosted.predict(without, fresh)
        assert np.array_equal(boosted.predict(beside, np.column_stack([fresh, filled])), expected)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"labels": np.ones(50)}, "both 0 and 1"),
        ({"labels": np.full(50, 0.5)}, "both 0 and 1"),
        ({"matrix": np.full((50, 5), np.inf)}, "infinite"),
        ({"matrix": np.arange(50.0).repeat(5).reshape(50, 5) + 0.5}, "no code"),
        ({"monotone": [0, 0, 1, 0, 0]}, "cannot be monotone"),
        ({"monotone": [0]}, "do not fit together"),
    ],
)
def test_what_cannot_be_fitted_is_refused(change: dict[str, Any], told: str) -> None:
    """One class, an infinite value, a category that is no code, a monotone category: a ValueError that says which."""
    matrix, labels = rows(50)
    given_ = {"matrix": matrix, "labels": labels, "later": None, "monotone": [0] * 5, "seed": 0, "categorical": [2]} | change
    with pytest.raises(ValueError, match=told):
        boosted.fit(**given_)


def test_too_many_categories_are_refused() -> None:
    """A column of more than 255 codes is refused by its number."""
    matrix, labels = rows(600)
    matrix[:, 2] = np.arange(600)
    with pytest.raises(ValueError, match="column 2 holds more than 255"):
        boosted.fit(matrix, labels, later=None, monotone=[0] * 5, seed=0, categorical=[2])


def test_rows_of_another_width_are_refused(model: boosted.Boosted) -> None:
    """Rows with more or fewer features than the model reads are an error, not a guess."""
    with pytest.raises(ValueError, match="reads 5 features"):
        boosted.predict(model, np.zeros((3, 4)))


def _hostile() -> list[tuple[str, Any]]:
    def at(*path: Any, to: Any) -> Any:
        def change(document: dict[str, Any]) -> None:
            for step in path[:-1]:
                document = document[step]
            document[path[-1]] = to

        return change

    tree = ("trees", 0)
    return [
        ("a cycle", at(*tree, "left", 1, to=0)),
        ("itself", at(*tree, "left", 0, to=0)),
        ("beyond the nodes", at(*tree, "right", 0, to=99)),
        ("one child twice", lambda document: document["trees"][0]["left"].__setitem__(0, document["trees"][0]["right"][0])),
        ("a feature beyond the rows", at(*tree, "feature", 0, to=5)),
        ("a feature below a leaf", at(*tree, "feature", 0, to=-2)),
        ("a leaf with children", at(*tree, "feature", 0, to=-1)),
        ("no number", at(*tree, "value", 0, to="1")),
        ("not finite", at(*tree, "value", 0, to=float("nan"))),
        ("infinite", at("baseline", to=float("inf"))),
        ("a truth for a number", at(*tree, "value", 0, to=True)),
        ("a number for a truth", at(*tree, "missing_left", 0, to=1)),
        ("a short list", lambda document: document["trees"][0]["threshold"].pop()),
        ("no nodes", at("trees", 0, to={key: [] for key in _NODES})),
        ("too many trees", lambda document: document["trees"].extend(document["trees"] * 400)),
        ("trees that are none", at("trees", to={})),
        ("width 0", at("width", to=0)),
        ("an unknown key", at("code", to="print()")),
        ("a category column twice", lambda document: document["categorical"].append(document["categorical"][0])),
        ("codes that fall", at("categorical", 0, 1, to=[7, 3])),
        ("a threshold for codes", at("categorical", to=[])),
        ("codes for a threshold", lambda document: document["categorical"].insert(0, [0, [1]])),
    ]  # fmt: skip


@pytest.mark.parametrize(("name", "change"), _hostile(), ids=[name for name, _ in _hostile()])
def test_a_hostile_record_is_refused(model: boosted.Boosted, name: str, change: Any) -> None:
    """Cycles, foreign columns, numbers that are none, lists of other lengths: a ValueError, never a prediction."""
    document = copy.deepcopy(model.to_json())
    change(document)
    with pytest.raises(ValueError, match=r"."):
        boosted_json.from_json(document)


@pytest.mark.parametrize("document", [None, [], "x", 1, {}])
def test_what_is_no_record_is_refused(document: Any) -> None:
    """Anything but the object is a ValueError."""
    with pytest.raises(ValueError, match=r"."):
        boosted_json.from_json(document)
