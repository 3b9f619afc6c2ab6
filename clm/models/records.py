"""Checked reading of model records from JSON documents: every value is a finite number or a short known word.
Knows no model and opens no file; a bad document is a ValueError that says which entry is wrong.
"""

import math
from collections.abc import Mapping, Sequence

import numpy as np


def as_object(document: object, what: str, required: Sequence[str]) -> Mapping[str, object]:
    """The document as a mapping with exactly the keys `required`."""
    if not isinstance(document, Mapping):
        raise ValueError(f"{what}: expected a JSON object, found {_kind(document)}")
    missing = [key for key in required if key not in document]
    if missing:
        raise ValueError(f"{what}: entry {missing[0]!r} is missing")
    unknown = sorted(str(key)[:40] for key in document if key not in required)
    if unknown:
        raise ValueError(f"{what}: unknown entry {unknown[0]!r}")
    return document


def as_number(value: object, what: str, low: float = -math.inf, high: float = math.inf) -> float:
    """A finite number within [low, high]; a boolean is not a number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{what}: expected a number, found {_kind(value)}")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise ValueError(f"{what}: the number is not finite")
    if not low <= number <= high:
        raise ValueError(f"{what}: {number:g} is outside {low:g} to {high:g}")
    return number


def as_count(value: object, what: str, low: int = 0, high: int = 2**53) -> int:
    """A whole number within [low, high]."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"{what}: expected a whole number, found {_kind(value)}")
    if not low <= value <= high:
        raise ValueError(f"{what}: outside {low} to {high}")
    return value


def as_truth(value: object, what: str) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise ValueError(f"{what}: expected true or false, found {_kind(value)}")
    return value


def as_word(value: object, what: str, known: Sequence[str]) -> str:
    """One of the known words."""
    if not isinstance(value, str) or value not in known:
        raise ValueError(f"{what}: expected one of {', '.join(known)}")
    return value


def as_words(value: object, what: str, known: Sequence[str]) -> tuple[str, ...]:
    """A list of known words."""
    return tuple(as_word(item, what, known) for item in as_list(value, what))


def as_list(value: object, what: str, length: int | None = None) -> Sequence[object]:
    """A list, of the given length when one is given."""
    if not isinstance(value, list | tuple):
        raise ValueError(f"{what}: expected a list, found {_kind(value)}")
    if length is not None and len(value) != length:
        raise ValueError(f"{what}: expected {length} entries, found {len(value)}")
    return value


def as_covariance(value: object, what: str, size: int) -> tuple[tuple[float, ...], ...] | None:
    """A covariance matrix (symmetric, no negative direction), or None where the fit had none."""
    if value is None:
        return None
    rows = [as_list(row, what, size) for row in as_list(value, what, size)]
    matrix = tuple(tuple(as_number(entry, what) for entry in row) for row in rows)
    scale = [math.sqrt(matrix[i][i]) if matrix[i][i] > 0.0 else 0.0 for i in range(size)]
    if min(scale) == 0.0:
        raise ValueError(f"{what}: a variance is not positive")
    correlation = np.array(matrix) / np.outer(scale, scale)
    if not np.allclose(correlation, correlation.T, rtol=0.0, atol=1e-9):
        raise ValueError(f"{what}: the matrix is not symmetric")
    if float(np.linalg.eigvalsh(correlation)[0]) < -1e-9:
        raise ValueError(f"{what}: no variables have such covariances")
    return matrix


def as_estimates(
    entries: Mapping[str, object], what: str, names: Sequence[str], low: float, high: float
) -> tuple[dict[str, float], dict[str, float | None], tuple[tuple[float, ...], ...] | None]:
    """Entries `parameters` (each within [low, high]), `standard_errors` and `covariance_log` of a fitted model."""
    found = as_object(entries["parameters"], f"{what}, parameters", names)
    errors = as_object(entries["standard_errors"], f"{what}, standard_errors", names)
    return (
        {name: as_number(found[name], f"{what}, {name}", low, high) for name in names},
        {name: None if (e := errors[name]) is None else as_number(e, f"{what}, error of {name}", 0.0) for name in names},
        as_covariance(entries["covariance_log"], f"{what}, covariance_log", len(names)),
    )


def estimates_document(
    parameters: Mapping[str, float],
    standard_errors: Mapping[str, float | None],
    covariance_log: Sequence[Sequence[float]] | None,
) -> dict[str, object]:
    """The entries `as_estimates` reads back."""
    return {
        "parameters": dict(parameters),
        "standard_errors": dict(standard_errors),
        "covariance_log": None if covariance_log is None else [list(row) for row in covariance_log],
    }


def _kind(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true/false"
    if isinstance(value, str):
        return "text"
    if isinstance(value, Mapping):
        return "an object"
    if isinstance(value, list | tuple):
        return "a list"
    return "a number"
