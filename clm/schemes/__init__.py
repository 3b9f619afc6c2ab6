"""Segment schemes: rule files in TOML become a linted `Scheme`, the shipped grid or a file of the user's own.

It may not see a customer: a scheme with a gap, an overlap or an unreachable name is refused before any data is read.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from itertools import product
from pathlib import Path
from typing import Any

from clm.errors import ConfigError
from clm.tables import NO_PURCHASE

_CODE = re.compile(r"[a-z][a-z0-9_]{0,39}")
_AXES = ("r", "f", "m")
_SHIPPED = ("grid",)

Ranges = dict[str, tuple[int, int]]


@dataclass(frozen=True)
class Scheme:
    """Names over all combinations of scores. `cells` maps each combination, in the order of `axes`, to its segment's code."""

    name: str
    bins: int
    axes: tuple[str, ...]
    codes: tuple[str, ...]
    cells: dict[tuple[int, ...], str]


def load(setting: str) -> tuple[Scheme, str]:
    """A shipped scheme by name or a TOML file by path; with it what the footer records: the name, or the hash of the rules.

    Raises ConfigError (78) with the remedy.
    """
    if setting in _SHIPPED:
        return parse(resources.files(__name__).joinpath(f"{setting}.toml").read_text("utf-8"), setting), setting
    try:
        text = Path(setting).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"the scheme {Path(setting).name} cannot be read",
            where=setting,
            fix=f"name a TOML file, or one of {', '.join(_SHIPPED)}",
        ) from error
    return parse(text, Path(setting).name), f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def parse(text: str, name: str) -> Scheme:
    """A scheme's text, linted. Raises ConfigError with an example combination of scores, never a customer."""
    try:
        record = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"the scheme {name} is not TOML: {error}", where=name, fix="mend the line") from error
    unknown = sorted(set(record) - {"bins", "segments"})
    if unknown:
        raise _wrong(name, f"has the unknown key {unknown[0]}", "a scheme holds bins and [segments]")
    bins = record.get("bins", 5)
    if not isinstance(bins, int) or isinstance(bins, bool) or not 2 <= bins <= 9:
        raise _wrong(name, "has no usable bins", "bins is a whole number from 2 to 9")
    segments = record.get("segments")
    if not isinstance(segments, dict) or not segments:
        raise _wrong(name, "names no segments", "write [segments] with lines such as champion = [{ r = [5, 5], f = [4, 5] }]")
    rules = [(code, ranges) for code, given in segments.items() for ranges in _ranges(name, code, given, bins)]
    axes = tuple(axis for axis in _AXES if any(axis in ranges for _, ranges in rules))
    return Scheme(name.removesuffix(".toml"), bins, axes, tuple(segments), _lint(name, tuple(segments), rules, axes, bins))


def _ranges(name: str, code: str, given: Any, bins: int) -> Iterator[Ranges]:
    if not _CODE.fullmatch(code) or code == NO_PURCHASE:
        raise _wrong(name, f"has the unusable segment code {code!r}", "codes are lower-case ASCII such as key_value")
    for ranges in given if isinstance(given, list) else [given]:
        if not isinstance(ranges, dict) or not set(ranges) <= set(_AXES) or not ranges:
            raise _wrong(name, f"has an unclear rule for {code}", "a rule is { r = [5, 5], f = [4, 5] }, over r, f and m")
        found: Ranges = {}
        for axis, span in ranges.items():
            whole = isinstance(span, list) and len(span) == 2 and all(isinstance(one, int) for one in span)
            if not whole or not 1 <= span[0] <= span[1] <= bins:
                raise _wrong(name, f"has an unclear range of {axis} for {code}", f"a range is [from, to], 1 to {bins}")
            found[axis] = (span[0], span[1])
        yield found


def _lint(
    name: str, codes: tuple[str, ...], rules: list[tuple[str, Ranges]], axes: tuple[str, ...], bins: int
) -> dict[tuple[int, ...], str]:
    """Every combination of scores with its one code. Raises for a gap, an overlap, or a code no combination gives."""
    cells: dict[tuple[int, ...], str] = {}
    for cell in product(range(1, bins + 1), repeat=len(axes)):
        scores = dict(zip(axes, cell, strict=True))
        named = [code for code, ranges in rules if all(low <= scores[axis] <= high for axis, (low, high) in ranges.items())]
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
    return ConfigError(f"the scheme {name} {what}", where=name, fix=fix, code="scheme")
