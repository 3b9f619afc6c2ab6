"""Boosted trees: scikit-learn grows them, a record of plain numbers keeps them, and a small predictor of our own reads them.
Arrays in, records out; it knows no customer and no date, and reads no document: `boosted_json` does, and trusts none.

A tree has at most 8 leaves, so the leaves a row can still reach fit the bits of one byte: a test that fails strikes out the
leaves to its left, one that holds those to its right, and the one bit that stays is the leaf (QuickScorer, Lucchese et al. 2015).
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clm.models.fitting import one_thread

FloatArray = NDArray[np.float64]

LEARNING_RATE = 0.05
MOST_LEAVES = 8
MINLEAF = 40  # rows
L2 = 3.0
MOST_ROUNDS = 400
PATIENCE = 20  # rounds without a lower loss on the later slice before growing stops
MOST_CATEGORIES = 255  # of one column
LEAF = -1
_ROWS = 1 << 15  # predicted at a time: a column of them stays in the processor's cache
_SAME = 1e-12


@dataclass(frozen=True)
class Tree:
    """One tree as parallel tuples, an entry per node, a parent before its children; node 0 is the root.

    feature: the column tested, -1 for a leaf; threshold: the left child takes values up to it (None: every value that is there);
    categories: the codes that go left where the column is categorical, else None; missing_left: whether missing values and
    unknown codes go left; left, right: the children (0 for a leaf); value: log-odds a leaf adds (0 for the others).
    """

    feature: tuple[int, ...]
    threshold: tuple[float | None, ...]
    categories: tuple[tuple[int, ...] | None, ...]
    missing_left: tuple[bool, ...]
    left: tuple[int, ...]
    right: tuple[int, ...]
    value: tuple[float, ...]

    def to_json(self) -> dict[str, object]:
        return {
            "feature": list(self.feature),
            "threshold": list(self.threshold),
            "categories": [None if codes is None else list(codes) for codes in self.categories],
            "missing_left": list(self.missing_left),
            "left": list(self.left),
            "right": list(self.right),
            "value": list(self.value),
        }


@dataclass(frozen=True)
class Boosted:
    """log-odds = baseline + the sum of one leaf of every tree, over rows of `width` features.

    categorical: the categorical columns with the codes seen while fitting, both ascending.
    """

    width: int
    baseline: float
    categorical: tuple[tuple[int, tuple[int, ...]], ...]
    trees: tuple[Tree, ...]

    @property
    def rounds(self) -> int:
        return len(self.trees)

    def to_json(self) -> dict[str, object]:
        return {
            "width": self.width,
            "baseline": self.baseline,
            "categorical": [[column, list(codes)] for column, codes in self.categorical],
            "trees": [tree.to_json() for tree in self.trees],
        }


def fit(
    matrix: FloatArray,
    labels: FloatArray,
    *,
    later: tuple[FloatArray, FloatArray] | None,
    monotone: Sequence[int],
    seed: int,
    sample_weight: FloatArray | None = None,
    categorical: Sequence[int] = (),
    rounds: int = MOST_ROUNDS,
) -> Boosted:
    """Trees for P(label = 1), the same bytes for the same rows, seed and scikit-learn.

    matrix: (n, width), NaN for missing, nothing infinite; labels: n values of 0 or 1, both present; monotone: per column 1 where
    the risk may only rise with it, -1 only fall, 0 free; categorical: columns that hold whole codes >= 0, at most 255 each.
    `later` is a slice of rows that come after these: as many trees are kept as give it the lowest log-loss, at most `rounds`;
    without it exactly `rounds` trees are grown, as far as there is anything to learn. `seed` draws the rows by which the columns
    are binned when there are more than 200,000.

    Raises ValueError for labels of one class, a column of too many categories, or a monotone categorical column.
    """
    _check(matrix, labels, monotone, categorical)
    # read once, when the libraries load (see classify.fit_logistic)
    os.environ.update(OMP_NUM_THREADS="1", OMP_WAIT_POLICY="PASSIVE", LOKY_MAX_CPU_COUNT="1")
    from sklearn.ensemble import HistGradientBoostingClassifier
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    # scikit-learn cannot bin a column that is all missing; one that is all the same is never split either
    hollow = np.isnan(matrix).all(axis=0)
    matrix = np.where(hollow, 0.0, matrix) if hollow.any() else matrix
    mask = np.zeros(matrix.shape[1], dtype=np.bool_)
    mask[list(categorical)] = True
    grower = HistGradientBoostingClassifier(
        learning_rate=LEARNING_RATE,
        max_iter=rounds,
        max_leaf_nodes=MOST_LEAVES,
        min_samples_leaf=MINLEAF,
        l2_regularization=L2,
        categorical_features=mask if mask.any() else None,
        monotonic_cst=list(monotone),
        early_stopping=later is not None,
        n_iter_no_change=PATIENCE,
        tol=0.0,
        scoring="loss",
        random_state=seed,
    )
    with one_thread(), threadpool_limits(limits=1, user_api="openmp"):
        if later is None:
            grower.fit(matrix, labels, sample_weight=sample_weight)
            kept = grower.n_iter_
        else:
            grower.fit(matrix, labels, sample_weight=sample_weight, X_val=later[0], y_val=later[1])
            # its scores begin with no tree at all
            kept = int(np.argmax(grower.validation_score_))
        model = _record(grower, matrix, mask, kept)
        _agrees(model, grower, matrix[:1_000])
    return model


def predict(model: Boosted, matrix: FloatArray) -> FloatArray:
    """P(label = 1) of each row, as scikit-learn computes it from the same trees (to 1e-12)."""
    from scipy.special import expit

    return np.asarray(expit(log_odds(model, matrix)))


def log_odds(model: Boosted, matrix: FloatArray) -> FloatArray:
    """ln(p / (1 - p)) of each row: the baseline and a leaf of every tree, added in the order they were grown."""
    if matrix.ndim != 2 or matrix.shape[1] != model.width:
        raise ValueError(f"the model reads {model.width} features, the rows have another number")
    tests = [_tests(tree) for tree in model.trees]
    known = dict(model.categorical)
    total = np.full(matrix.shape[0], model.baseline)
    for start in range(0, matrix.shape[0], _ROWS):
        rows = np.asfortranarray(matrix[start : start + _ROWS])
        part = total[start : start + _ROWS]
        for tree, (inner, leaf_of) in zip(model.trees, tests, strict=True):
            reach = np.full(rows.shape[0], 255, dtype=np.uint8)
            for node, when_left, when_right in inner:
                left = _goes_left(tree, node, rows[:, tree.feature[node]], known)
                # one byte a row, and no branch: a choice by np.where takes most of the time of a forecast
                reach &= left.view(np.uint8) * (when_left ^ when_right) ^ when_right
            part += leaf_of[reach]
    return total


def _check(matrix: FloatArray, labels: FloatArray, monotone: Sequence[int], categorical: Sequence[int]) -> None:
    if matrix.ndim != 2 or labels.shape != matrix.shape[:1] or len(monotone) != matrix.shape[1]:
        raise ValueError("matrix, labels and monotone do not fit together")
    if np.isinf(matrix).any():
        raise ValueError("the matrix holds an infinite value")
    if set(np.unique(labels)) != {0.0, 1.0}:
        raise ValueError("labels must hold both 0 and 1")
    for column in categorical:
        codes = _seen(matrix[:, column])
        if codes.size > MOST_CATEGORIES:
            raise ValueError(f"column {column} holds more than {MOST_CATEGORIES} categories")
        if np.any((codes < 0.0) | (codes != np.floor(codes))):
            raise ValueError(f"column {column} holds a category that is no code")
        if monotone[column]:
            raise ValueError(f"column {column} is categorical and cannot be monotone")


def _seen(column: FloatArray) -> FloatArray:
    return np.unique(column[~np.isnan(column)])


def _record(grower: Any, matrix: FloatArray, mask: NDArray[np.bool_], kept: int) -> Boosted:
    """The first `kept` trees of a fitted classifier. There is no public way to them: `_agrees` guards this one."""
    # scikit-learn puts categorical columns first and numbers their categories from 0
    columns = np.concatenate([np.flatnonzero(mask), np.flatnonzero(~mask)])
    codes = {int(column): tuple(int(code) for code in _seen(matrix[:, column])) for column in np.flatnonzero(mask)}
    trees = []
    for (grown,) in grower._predictors[:kept]:
        nodes = grown.nodes
        leaf = nodes["is_leaf"].astype(bool)
        feature = np.where(leaf, LEAF, columns[np.where(leaf, 0, nodes["feature_idx"])])
        by_code = nodes["is_categorical"].astype(bool) & ~leaf
        by_number = ~leaf & ~by_code & np.isfinite(nodes["num_threshold"])
        trees.append(
            Tree(
                feature=tuple(int(one) for one in feature),
                threshold=tuple(
                    float(one) if finite else None for one, finite in zip(nodes["num_threshold"], by_number, strict=True)
                ),
                categories=tuple(
                    _members(grown.raw_left_cat_bitsets[place], codes[int(column)]) if coded else None
                    for coded, place, column in zip(by_code, nodes["bitset_idx"], feature, strict=True)
                ),
                missing_left=tuple(bool(one) for one in nodes["missing_go_to_left"].astype(bool) & ~leaf),
                left=tuple(int(one) for one in np.where(leaf, 0, nodes["left"])),
                right=tuple(int(one) for one in np.where(leaf, 0, nodes["right"])),
                value=tuple(float(one) for one in np.where(leaf, nodes["value"], 0.0)),
            )
        )
    baseline = float(np.asarray(grower._baseline_prediction).ravel()[0])
    return Boosted(matrix.shape[1], baseline, tuple(codes.items()), tuple(trees))


def _members(bitset: NDArray[np.uint32], codes: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(code for rank, code in enumerate(codes) if int(bitset[rank // 32]) >> (rank % 32) & 1)


def _agrees(model: Boosted, grower: Any, matrix: FloatArray) -> None:
    """Trees are read from where scikit-learn keeps them for itself: should that move, this says so before anyone is scored."""
    stages = grower.staged_predict_proba(matrix)
    theirs = next((one for place, one in enumerate(stages, start=1) if place == model.rounds), None)
    if theirs is not None and not np.max(np.abs(theirs[:, 1] - predict(model, matrix))) <= _SAME:
        raise RuntimeError("this release of scikit-learn keeps its trees in another way than clm reads them")


def _tests(tree: Tree) -> tuple[list[tuple[int, np.uint8, np.uint8]], FloatArray]:
    """Per inner node the leaves still reachable when its test holds and when it fails; per byte of reachable leaves the value."""
    leaves = [node for node, feature in enumerate(tree.feature) if feature == LEAF]
    under = {leaf: 1 << place for place, leaf in enumerate(leaves)}
    inner = [node for node, feature in enumerate(tree.feature) if feature != LEAF]
    for node in reversed(inner):
        under[node] = under[tree.left[node]] | under[tree.right[node]]
    tests = [(node, np.uint8(255 & ~under[tree.right[node]]), np.uint8(255 & ~under[tree.left[node]])) for node in inner]
    value_of = np.zeros(256)
    unused = 255 & ~under[0]
    for place, leaf in enumerate(leaves):
        value_of[1 << place | unused] = tree.value[leaf]
    return tests, value_of


def _goes_left(tree: Tree, node: int, column: FloatArray, known: dict[int, tuple[int, ...]]) -> NDArray[np.bool_]:
    codes, threshold = tree.categories[node], tree.threshold[node]
    if codes is not None:
        left = np.isin(column, codes)
        if tree.missing_left[node]:
            left |= ~np.isin(column, known[tree.feature[node]])
        return left
    # a comparison with NaN is False: missing values go left by being the ones that are not greater
    if threshold is None:
        threshold = np.inf
    return ~(column > threshold) if tree.missing_left[node] else column <= threshold
