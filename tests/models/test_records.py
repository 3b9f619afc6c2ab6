"""Reading model documents: what passes is finite and known, what does not is named."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clm.models import records

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4),
    max_leaves=12,
)
READERS: list[Callable[[object], Any]] = [
    lambda value: records.as_number(value, "entry"),
    lambda value: records.as_count(value, "entry"),
    lambda value: records.as_truth(value, "entry"),
    lambda value: records.as_word(value, "entry", ("a", "b")),
    lambda value: records.as_words(value, "entry", ("a", "b")),
    lambda value: records.as_list(value, "entry", 2),
    lambda value: records.as_object(value, "entry", ("a",)),
    lambda value: records.as_covariance(value, "entry", 2),
]


def told(reader: Callable[[object], Any], value: object) -> str:
    try:
        reader(value)
    except ValueError as error:
        return str(error)
    return "entry: read"


@pytest.mark.parametrize("reader", READERS)
@given(value=JSON)
def test_any_document_is_read_or_refused_by_name(reader: Callable[[object], Any], value: object) -> None:
    """Whatever stands in the file: a value, or a ValueError that begins with the entry's name; never another error."""
    assert told(reader, value).startswith("entry: ")


@given(st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(10**300), 10**300))
def test_finite_numbers_pass_as_they_are(value: float) -> None:
    """Through JSON and the reader and back: the same number."""
    assert records.as_number(json.loads(json.dumps(value)), "entry") == float(value)


@pytest.mark.parametrize(
    ("read", "value", "words"),
    [
        (records.as_number, True, "found true/false"),
        (records.as_number, "1", "found text"),
        (records.as_number, None, "found null"),
        (records.as_number, float("nan"), "not finite"),
        (records.as_number, 10**400, "not finite"),
        (records.as_count, 1.0, "expected a whole number"),
        (records.as_count, True, "found true/false"),
        (records.as_count, -1, "outside 0"),
        (records.as_truth, 1, "expected true or false"),
        (records.as_list, {}, "found an object"),
    ],
)
def test_what_is_refused_says_why(read: Callable[[object, str], object], value: object, words: str) -> None:
    """Look-alikes (true for 1, "1" for 1, NaN) are no numbers, and the sentence says what was found."""
    with pytest.raises(ValueError, match=words):
        read(value, "entry")


def test_bounds_are_inclusive() -> None:
    """The ends of the range pass, what lies beyond them does not."""
    assert records.as_number(1, "entry", 0.0, 1.0) == 1.0
    with pytest.raises(ValueError, match="outside 0 to 1"):
        records.as_number(1.0001, "entry", 0.0, 1.0)


def test_an_object_has_exactly_its_keys() -> None:
    """A missing key and an unknown one are both named."""
    assert records.as_object({"a": 1}, "entry", ("a",)) == {"a": 1}
    with pytest.raises(ValueError, match="'b' is missing"):
        records.as_object({"a": 1}, "entry", ("a", "b"))
    with pytest.raises(ValueError, match="unknown entry 'c'"):
        records.as_object({"a": 1, "c": 2}, "entry", ("a",))


@given(st.lists(st.floats(-3.0, 3.0), min_size=6, max_size=6), st.floats(0.1, 1e6))
def test_covariances_of_something_pass(numbers: list[float], scale: float) -> None:
    """A root times its transpose, with some noise of its own, is a covariance at any scale."""
    root = np.array(numbers).reshape(2, 3)
    matrix = (root @ root.T + np.eye(2)) * scale
    assert np.array(records.as_covariance(matrix.tolist(), "entry", 2)) == pytest.approx(matrix)


@pytest.mark.parametrize(
    ("matrix", "words"),
    [
        ([[1.0, 0.5], [0.2, 1.0]], "not symmetric"),
        ([[1.0, 2.0], [2.0, 1.0]], "no variables have such covariances"),
        ([[1.0, 0.0], [0.0, 0.0]], "a variance is not positive"),
        ([[1.0]], "expected 2 entries"),
    ],
)
def test_matrices_that_are_no_covariance_are_refused(matrix: list[list[float]], words: str) -> None:
    """Lopsided, impossible, flat or of the wrong size."""
    with pytest.raises(ValueError, match=words):
        records.as_covariance(matrix, "entry", 2)
