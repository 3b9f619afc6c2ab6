"""Schemes over scores: every combination of scores, or of scores against their mean, has exactly one segment.

It may not see a customer, or ask anything but scores: `rules` asks columns.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from clm.errors import ConfigError
from clm.schemes import rulebook
from clm.schemes.rulebook import LANGUAGES, Words

_AXES = ("r", "f", "m")

Ranges = dict[str, tuple[int, int]]


@dataclass(frozen=True)
class Cells:
    """Names over all combinations of scores. `cells` maps each combination, in the order of `axes`, to its segment's code.

    With `against_mean` the combinations are of 1 (below the mean of the base's scores) and 2 (at or above it), and the scores may
    be cut as finely as anybody likes; else they run from 1 to `bins`.
    """

    name: str
    bins: int
    axes: tuple[str, ...]
    codes: tuple[str, ...]
    cells: dict[tuple[int, ...], str]
    against_mean: bool = False
    rules: tuple[tuple[str, Ranges], ...] = ()
    actions: Words = field(default_factory=dict)

    def rule_for(self, cell: tuple[int, ...]) -> Ranges:
        """The range of each score that gave a combination its segment."""
        scores = dict(zip(self.axes, cell, strict=True))
        return next(ranges for _, ranges in self.rules if _holds(ranges, scores))


def parse_cells(record: dict[str, Any], name: str) -> Cells:
    """A scheme over scores, linted. Raises ConfigError with an example combination of scores."""
    words = [f"action_{lang}" for lang in LANGUAGES]
    known = ("bins", "against", "segments", *words)
    rulebook.only(record, known, "scheme", name, "a scheme holds bins or against, and [segments]; or [[segment]] with rules")
    against_mean = "against" in record
    if against_mean and (record["against"] != "mean" or "bins" in record):
        raise _wrong(name, "has an unclear against", 'write against = "mean" and no bins: 1 is below the mean, 2 at or above it')
    bins = 2 if against_mean else record.get("bins", 5)
    if not rulebook.whole(bins, 2, 9):
        raise _wrong(name, "has no usable bins", "bins is a whole number from 2 to 9")
    segments = record.get("segments")
    if not isinstance(segments, dict) or not segments:
        raise _wrong(name, "names no segments", "write [segments] with lines such as champion = [{ r = [5, 5], f = [4, 5] }]")
    rules = tuple((code, ranges) for code, given in segments.items() for ranges in _ranges(name, code, given, bins))
    axes = tuple(axis for axis in _AXES if any(axis in ranges for _, ranges in rules))
    codes = tuple(segments)
    actions = {
        lang: _actions(record.get(key, {}), codes, name) for lang, key in zip(LANGUAGES, words, strict=True) if key in record
    }
    cells = _lint(name, codes, rules, axes, bins)
    return Cells(name.removesuffix(".toml"), bins, axes, codes, cells, against_mean, rules, actions)


def _actions(given: Any, codes: tuple[str, ...], name: str) -> dict[str, str]:
    if not isinstance(given, dict):
        raise _wrong(name, "has unclear actions", 'write [action_en] with lines such as champion = "thank them"')
    rulebook.only(given, codes, "scheme", name, "actions are for the codes under [segments]")
    return {code: rulebook.sentence(words, code, "scheme", name) for code, words in given.items()}


def _ranges(name: str, code: str, given: Any, bins: int) -> Iterator[Ranges]:
    rulebook.code(code, "scheme", name)
    for ranges in given if isinstance(given, list) else [given]:
        if not isinstance(ranges, dict) or not set(ranges) <= set(_AXES) or not ranges:
            raise _wrong(name, f"has an unclear rule for {code}", "a rule is { r = [5, 5], f = [4, 5] }, over r, f and m")
        found: Ranges = {}
        for axis, span in ranges.items():
            whole = isinstance(span, list) and len(span) == 2 and all(rulebook.whole(one, 1, bins) for one in span)
            if not whole or span[0] > span[1]:
                raise _wrong(name, f"has an unclear range of {axis} for {code}", f"a range is [from, to], 1 to {bins}")
            found[axis] = (span[0], span[1])
        yield found


def _holds(ranges: Ranges, scores: dict[str, int]) -> bool:
    return all(low <= scores[axis] <= high for axis, (low, high) in ranges.items())


def _lint(
    name: str, codes: tuple[str, ...], rules: tuple[tuple[str, Ranges], ...], axes: tuple[str, ...], bins: int
) -> dict[tuple[int, ...], str]:
    """Every combination of scores with its one code. Raises for a gap, an overlap, or a code no combination gives."""
    cells: dict[tuple[int, ...], str] = {}
    for cell in product(range(1, bins + 1), repeat=len(axes)):
        scores = dict(zip(axes, cell, strict=True))
        named = [code for code, ranges in rules if _holds(ranges, scores)]
        shown = " ".join(f"{axis.upper()}{value}" for axis, value in scores.items())
        if not named:
            raise _wrong(name, f"has a gap: no segment covers {shown}", "let a segment cover it")
        if len(named) > 1:
            raise _wrong(name, f"overlaps: {shown} is both {named[0]} and {named[1]}", "leave it to one of them")
        cells[cell] = named[0]
    never = next((code for code in codes if code not in cells.values()), None)
    if never is not None:
        raise _wrong(name, f"can never give {never}", "give it a rule, or take it out")
    return cells


def _wrong(name: str, what: str, fix: str) -> ConfigError:
    return rulebook.wrong("scheme", name, what, fix)
