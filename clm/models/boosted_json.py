"""Boosted trees read back from JSON: whatever is not exactly such trees is refused.
It grows and predicts nothing; a document it lets pass can neither loop nor read a column that is not there.
"""

from __future__ import annotations

from clm.models import records
from clm.models.boosted import LEAF, MOST_CATEGORIES, MOST_LEAVES, MOST_ROUNDS, Boosted, Tree

MOST_FEATURES = 10_000


def from_json(document: object) -> Boosted:
    """The record `Boosted.to_json` wrote. Raises ValueError for anything else: shape, numbers, cycles, columns."""
    found = records.as_object(document, "boosted", ("width", "baseline", "categorical", "trees"))
    width = records.as_count(found["width"], "width", 1, MOST_FEATURES)
    categorical = []
    for entry in records.as_list(found["categorical"], "categorical"):
        column, codes = records.as_list(entry, "categorical", 2)
        categorical.append((records.as_count(column, "categorical", 0, width - 1), _codes(codes, "categorical")))
    columns = [column for column, _ in categorical]
    if columns != sorted(set(columns)):
        raise ValueError("categorical: the columns do not ascend")
    trees = records.as_list(found["trees"], "trees")
    if len(trees) > MOST_ROUNDS:
        raise ValueError(f"trees: more than {MOST_ROUNDS}")
    return Boosted(
        width=width,
        baseline=records.as_number(found["baseline"], "baseline"),
        categorical=tuple(categorical),
        trees=tuple(_tree(tree, f"trees[{place}]", width, dict(categorical)) for place, tree in enumerate(trees)),
    )


def _tree(document: object, what: str, width: int, categorical: dict[int, tuple[int, ...]]) -> Tree:
    names = ("feature", "threshold", "categories", "missing_left", "left", "right", "value")
    found = records.as_object(document, what, names)
    features = records.as_list(found["feature"], f"{what}.feature")
    size = len(features)
    if not 1 <= size <= 2 * MOST_LEAVES - 1:
        raise ValueError(f"{what}: {size} nodes, 1 to {2 * MOST_LEAVES - 1} are possible")
    columns = {name: records.as_list(found[name], f"{what}.{name}", size) for name in names}
    tree = Tree(
        feature=tuple(records.as_count(one, f"{what}.feature", LEAF, width - 1) for one in features),
        threshold=tuple(None if one is None else records.as_number(one, f"{what}.threshold") for one in columns["threshold"]),
        categories=tuple(None if one is None else _codes(one, f"{what}.categories") for one in columns["categories"]),
        missing_left=tuple(records.as_truth(one, f"{what}.missing_left") for one in columns["missing_left"]),
        left=tuple(records.as_count(one, f"{what}.left", 0, size - 1) for one in columns["left"]),
        right=tuple(records.as_count(one, f"{what}.right", 0, size - 1) for one in columns["right"]),
        value=tuple(records.as_number(one, f"{what}.value") for one in columns["value"]),
    )
    children: list[int] = []
    for node, feature in enumerate(tree.feature):
        pair = (tree.left[node], tree.right[node])
        if feature == LEAF:
            if pair != (0, 0) or tree.categories[node] is not None or tree.threshold[node] is not None:
                raise ValueError(f"{what}: node {node} is a leaf and tests something")
            continue
        if min(pair) <= node:
            raise ValueError(f"{what}: node {node} does not come before its children")
        if (tree.categories[node] is not None) != (feature in categorical):
            raise ValueError(f"{what}: node {node} tests categories where there are none, or a number where there are")
        if tree.categories[node] is not None and tree.threshold[node] is not None:
            raise ValueError(f"{what}: node {node} has a threshold beside its categories")
        if not set(tree.categories[node] or ()) <= set(categorical.get(feature, ())):
            raise ValueError(f"{what}: node {node} tests a category that was never seen")
        children += pair
    if sorted(children) != list(range(1, size)):
        raise ValueError(f"{what}: its nodes are no tree")
    return tree


def _codes(value: object, what: str) -> tuple[int, ...]:
    codes = tuple(records.as_count(one, what) for one in records.as_list(value, what))
    if len(codes) > MOST_CATEGORIES or list(codes) != sorted(set(codes)):
        raise ValueError(f"{what}: at most {MOST_CATEGORIES} codes, ascending")
    return codes
