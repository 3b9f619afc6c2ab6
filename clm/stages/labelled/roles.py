"""Roles: which column of a labelled table is the key, which teach the model, and which are left out and why.

It may not look at the label: what tells too much is for the leak detector.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import polars as pl

from clm.errors import DataError
from clm.outcome import counted

MOST_LEVELS = 50
_LEAST_ROWS = 5, 20  # of one level, in small and in large tables: rarer ones are told together as `other`
_CUSTOMER = re.compile(r"[^a-z0-9]")
_NAMED_ID = re.compile(
    r"(?:^|[^a-z])(?:id|uuid|guid|no|nr|number|num|code|index|row)$|(?<=[a-z])(?:ID|Id|No|Nr|Number)$|号|编号|番号", re.IGNORECASE
)
_MOST_WORDS = 3.0  # a cell on average, above which different texts are sentences


@dataclass(frozen=True)
class Role:
    """One column: `kind` number, day or category (yes/no among them); `why` it is left out, None where it teaches the model."""

    name: str
    kind: str
    missing: int
    distinct: int
    why: str | None = None
    other: str | None = None

    @property
    def used(self) -> bool:
        return self.why is None

    @property
    def told(self) -> str:
        """Why it is left out, as a sentence's end."""
        return f"{self.why} {self.other}" if self.other else str(self.why)


def key_column(text: pl.DataFrame, label: str | None, asked: str | None = None) -> str | None:
    """`customer_id`, or the first column whose values are all different: whole numbers or words, not amounts or days.

    None when no column tells the rows apart. `asked` is the key of the model that is applied, when the table has it.
    """
    named = [asked, "customer_id", *(one for one in text.columns if _CUSTOMER.sub("", one.casefold()) == "customerid")]
    for name in named:
        if name is not None and name in text.columns and name != label and (name == "customer_id" or _all_different(text[name])):
            return name
    return next((one for one in text.columns if one != label and _all_different(text[one]) and not _measured(text[one])), None)


def check_key(key: pl.Series, name: str, file: str, lines: pl.Series) -> None:
    """Raises DataError for rows without a key, or with one that another row has."""
    empty = key.is_null()
    if empty.any():
        raise DataError(
            f"{counted(int(empty.sum()), 'row')} of {file} without {name}",
            where=f"{file}, line {lines.filter(empty)[0]}",
            fix="give every row its id, or take the column out: then another tells the rows apart",
            code="key_empty",
        )
    twice = ~key.is_first_distinct()
    if twice.any():
        raise DataError(
            f"{counted(int(twice.sum()), 'row')} of {file} about a customer who has a row already: "
            "copies of one customer would both teach and test",
            where=f"{file}, column {name}, line {lines.filter(twice)[0]}",
            fix="leave one row for each customer",
            code="key_twice",
        )


def _all_different(cells: pl.Series) -> bool:
    return cells.null_count() == 0 and cells.n_unique() == cells.len()


def _measured(cells: pl.Series) -> bool:
    """Amounts with decimals and days are all different by accident."""
    some = cells.head(1_000)
    return bool(some.str.contains(r"^-?\d*[.,]\d+$").any()) or bool(some.str.contains(r"^\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}").all())


def roles(frame: pl.DataFrame, aside: Sequence[str], undecided: Sequence[str] = ()) -> list[Role]:
    """A role for every column but those set `aside` (key and label), in their order.

    Left out: columns that are empty or constant, ids, free text, days that can be read in two ways, and columns equal or one to
    one with an earlier one.
    """
    rest = [name for name in frame.columns if name not in aside]
    found = [_alone(frame[name], name in undecided) for name in rest]
    return _without_copies(frame, found)


def _alone(cells: pl.Series, undecided: bool) -> Role:
    name, missing = cells.name, cells.null_count()
    filled = cells.len() - missing
    kind = "number" if cells.dtype == pl.Float64 else "day" if cells.dtype == pl.Date else "category"
    distinct = cells.drop_nulls().n_unique()
    why = None
    if not distinct:
        why = "empty"
    elif distinct == 1 and not missing:
        why = "constant"
    elif undecided:
        why = "days that can be read in two ways (write them as 2024-03-05)"
    elif kind == "category" and filled >= 30 and distinct > 0.9 * filled:
        why = "an id or free text: nearly every row has its own"
    elif kind == "category" and distinct > MOST_LEVELS and _words(cells) > _MOST_WORDS:
        why = "free text"
    elif kind == "number" and filled >= 30 and distinct == filled and _numbered(cells, name):
        why = "an id: every row has its own"
    return Role(name, kind, missing, distinct, why)


def _words(cells: pl.Series) -> float:
    mean = cells.drop_nulls().head(10_000).str.count_matches(r"\s+").mean()
    return float(mean) + 1.0 if isinstance(mean, float) else 0.0


def _numbered(cells: pl.Series, name: str) -> bool:
    """Whole numbers, all different, that are called an id or count the rows."""
    whole = cells.drop_nulls()
    if not bool((whole == whole.round()).all()):
        return False
    low, high = whole.min(), whole.max()
    counts = isinstance(low, float) and isinstance(high, float) and high - low + 1 == whole.len()
    return counts or _NAMED_ID.search(name) is not None


def _without_copies(frame: pl.DataFrame, found: list[Role]) -> list[Role]:
    """The roles, columns that say what an earlier one says left out: equal, or one to one."""
    seen: dict[int, str] = {}
    kept = []
    for one in found:
        if one.used:
            codes = _codes(frame[one.name])
            earlier = seen.setdefault(int(codes.hash(0).implode().hash(0).item()), one.name)
            if earlier != one.name and _codes(frame[earlier]).equals(codes):
                equal = frame[earlier].dtype == frame[one.name].dtype and frame[earlier].equals(frame[one.name].alias(earlier))
                if not equal and 2 * one.distinct > frame.height - one.missing:
                    kept.append(one)  # values that are nearly all different are one to one with any other such values
                    continue
                kept.append(replace(one, why="equal to" if equal else "one to one with", other=earlier))
                continue
        kept.append(one)
    return kept


def _codes(cells: pl.Series) -> pl.Series:
    """Each value as the place of its first row: equal for columns that differ only in what they call their values."""
    table = cells.alias("cell").to_frame().with_row_index("row")
    return table.select(pl.col("row").min().over("cell")).to_series()


def levels(cells: pl.Series) -> tuple[tuple[str, ...], bool]:
    """The values of a category that stand for themselves, most frequent first, and whether rarer ones are told together."""
    counts = cells.drop_nulls().value_counts(name="rows").sort(["rows", cells.name], descending=[True, False])
    if counts.height <= 2:
        return tuple(counts[cells.name]), False
    small, large = _LEAST_ROWS
    kept = counts.filter(pl.col("rows") >= min(large, max(small, cells.len() // 50))).head(MOST_LEVELS)
    kept = kept if kept.height else counts.head(1)
    return tuple(kept[cells.name]), kept.height < counts.height


def nearly_told(frame: pl.DataFrame, found: Sequence[Role]) -> list[tuple[str, str]]:
    """Numbers that others nearly give: a column that is another, or the product of two, up to a factor (|correlation| > .99).

    At most thirty columns are tried, on ten thousand rows. They are named, not left out.
    """
    names = [one.name for one in found if one.used and one.kind == "number" and one.distinct > 20][:30]
    some = frame.select(names).drop_nulls()
    if some.height < 30:
        return []
    some = some.gather_every(max(1, some.height // 10_000))
    said: list[tuple[str, str]] = []
    for place, name in enumerate(names):
        others = [other for other in names if other != name]
        made = {f"about {other}": pl.col(other) for other in names[:place]}
        made |= {f"about {a} × {b}": pl.col(a) * pl.col(b) for i, a in enumerate(others) for b in others[i + 1 :]}
        tied = some.select((pl.corr(told, pl.col(name)).abs() > 0.99).alias(text) for text, told in made.items())
        nearest = next((text for text in tied.columns if tied[text][0]), None)
        if nearest is not None:
            said.append((name, nearest))
    return said
