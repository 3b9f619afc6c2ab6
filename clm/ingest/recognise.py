"""Recognising a source profile by the columns of the inputs, and finding its columns in them.

It may not read cells, but for the shape of a file that has no header.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

import polars as pl

from clm.ingest.profiles import Profile, shipped

_LOOK_AT = 200
_TABLES = 99


def plain(name: str) -> str:
    """A column's name for comparing: without case, width, blanks and punctuation."""
    return "".join(character for character in unicodedata.normalize("NFKC", name).casefold() if character.isalnum())


def matching(wanted: str, columns: Iterable[str]) -> str | None:
    """The column of this name: exactly, else but for case, width and punctuation."""
    listed = tuple(columns)
    if wanted in listed:
        return wanted
    bare = plain(wanted)
    return next((one for one in listed if bare and plain(one) == bare), None)


def has(columns: Iterable[str], wanted: Iterable[str]) -> bool:
    """Whether all the names that are wanted are among these columns."""
    there = {plain(one) for one in columns}
    return all(plain(one) in there for one in wanted)


def header_below(physical: list[str], profile: Profile | None) -> int:
    """How many lines stand above the header of a source that writes a preamble; 0 when there is none, or no such header."""
    for one in [profile] if profile is not None else shipped():
        for position, line in enumerate(physical[:_LOOK_AT] if one.preamble else ()):
            cells = [cell.strip(' "\r\n') for cell in re.split("[,;\t]", line)]
            if any(has(cells, wanted) for wanted in one.recognise):
                return position
    return 0


def recognise(files: list[tuple[str, ...]], sample: pl.DataFrame, headerless: bool) -> tuple[Profile, str] | None:
    """The shipped profile that fits the columns of all these files, and why; of several, the one that asks for most."""
    best: tuple[int, Profile, str] | None = None
    for profile in shipped():
        for wanted in profile.recognise:
            if all(has(columns, wanted) for columns in files) and (best is None or len(wanted) > best[0]):
                best = (len(wanted), profile, f"it has the columns {', '.join(wanted)}")
        if headerless and _shaped(profile, sample):
            best = (len(profile.shape), profile, "a file without header that has its layout")
        if profile.tables and not profile.recognise:
            needed = [one.columns for one in profile.tables.values()]
            if all(any(has(columns, wanted) for columns in files) for wanted in needed):
                best = (_TABLES, profile, f"its tables {', '.join(profile.tables)} are there")
    return (best[1], best[2]) if best else None


def _shaped(profile: Profile, sample: pl.DataFrame) -> bool:
    columns = [name for name in sample.columns if not name.startswith("clm:")]
    if not profile.shape or len(columns) != len(profile.shape) or not sample.height:
        return False
    return all(
        bool(sample[name].str.strip_chars().str.contains(pattern).all())
        for name, pattern in zip(columns, profile.shape, strict=True)
    )
