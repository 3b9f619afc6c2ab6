"""Example customers for rules: one for every way the rules can tell customers apart, so that gaps and overlaps show early.

It may not see a customer or judge. The examples are exact: between two neighbouring values no rule changes its answer. Where that
cannot be had (patterns, the order of texts, too many combinations), `unchecked` says so.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from math import prod
from typing import Any

import polars as pl

from clm.expressions import Expression
from clm.expressions.tree import All, Among, Column, Compare, Empty, Like, Literal, Node, Not, Some, Value
from clm.tables import CUSTOMERS, NO_PURCHASE

_MOST = 200_000  # combinations that are looked at
_DAY = 86_400_000_000  # microseconds: days and moments share one line of numbers
_EPOCH = datetime(1970, 1, 1)
_FINE = Decimal("1e-9")  # step for floats: finer than any literal the grammar lets pass
# never empty for a customer who bought. Money (and lifecycle) is empty in logs without amounts (without second orders), and then
# for everybody: the stage refuses that, and a rule need not say what happens then
_ALWAYS = (
    "first_order_on", "last_order_on", "recency_days", "age_days", "active_days", "repeat_days", "log_gap_sum", "rfm",
    "lifecycle",
)  # fmt: skip
_SCORES = ("r_score", "f_score", "m_score")
_AT_LEAST = {"orders": 1, "order_days": 1}  # of those who bought


@dataclass(frozen=True)
class Examples:
    """Every combination of values as a row, typed like the table; None when they are too many. `unchecked`: not exact."""

    frame: pl.DataFrame | None
    unchecked: tuple[str, ...]


@dataclass
class _Asked:
    """How the rules ask one column."""

    values: set[Any] = field(default_factory=set)
    patterns: set[str] = field(default_factory=set)
    order: bool = False
    beside: set[str] = field(default_factory=set)  # columns it is compared with


def examples(rules: Iterable[Expression], schema: Mapping[str, pl.DataType], bins: int) -> Examples:
    """The combinations of the columns that `rules` ask; every column must be in `schema` with a type that rules can ask."""
    asked: dict[str, _Asked] = {}
    for rule in rules:
        _look(rule.root, asked)
    unchecked: list[str] = []
    columns: dict[str, list[Any]] = {}
    for group in _groups(asked):
        columns |= _values(group, asked, schema, bins, unchecked)
    number = prod(len(values) for values in columns.values())
    if number > _MOST:
        return Examples(None, (f"{', '.join(columns)} have {number:,} combinations, too many to look for gaps and overlaps",))
    frame = pl.DataFrame({"nothing asked": [True]})
    for name, values in columns.items():
        frame = frame.join(pl.DataFrame({name: pl.Series(name, values, dtype=schema[name], strict=False)}), how="cross")
    return Examples(frame.drop("nothing asked") if columns else frame, tuple(dict.fromkeys(unchecked)))


def shown(row: pl.DataFrame, columns: Sequence[str]) -> str:
    """One example in words: `recency_days 61, spend 10000.0000, trend_orders empty`."""
    values = row.row(0, named=True)
    parts = [f"{name} {'empty' if values[name] is None else _text(values[name])}" for name in columns]
    return ", ".join(parts) if set(columns) != {"nothing asked"} else "anybody"


def _text(value: Any) -> str:
    if isinstance(value, str):
        return repr(value)
    return f"{value.normalize():f}" if isinstance(value, Decimal) else str(value)


def _look(node: Node, asked: dict[str, _Asked]) -> None:
    match node:
        case Compare(sign, left, right):
            for one, other in ((left, right), (right, left)):
                if isinstance(one, Column):
                    found = asked.setdefault(one.name, _Asked())
                    found.order = found.order or sign not in ("=", "!=")
                    if isinstance(other, Column) and other.name != one.name:
                        found.beside.add(other.name)
                    elif isinstance(other, Literal):
                        found.values.add(other.value)
        case Not(inner):
            _look(inner, asked)
        case All(parts) | Some(parts):
            for part in parts:
                _look(part, asked)
        case Among(value, among):
            _of(value, asked).values.update(one.value for one in among)
        case Like(value, pattern):
            _of(value, asked).patterns.add(str(pattern.value))
        case Empty(value):
            _of(value, asked)
        case _:
            _of(node.value, asked)


def _of(value: Value, asked: dict[str, _Asked]) -> _Asked:
    return asked.setdefault(value.name, _Asked()) if isinstance(value, Column) else _Asked()


def _groups(asked: Mapping[str, _Asked]) -> Iterator[list[str]]:
    """Columns compared with each other stand together: what counts for them is their joint order."""
    seen: set[str] = set()
    for name in asked:
        if name not in seen:
            group, todo = [], [name]
            while todo:
                one = todo.pop()
                if one not in seen:
                    seen.add(one)
                    group.append(one)
                    todo += sorted(asked[one].beside)
            yield group


def _values(
    group: list[str], asked: Mapping[str, _Asked], schema: Mapping[str, pl.DataType], bins: int, unchecked: list[str]
) -> dict[str, list[Any]]:
    literals = set().union(*(asked[name].values for name in group))
    kind = schema[group[0]]
    if kind == pl.String:
        found = {name: _texts(name, asked[name], literals, len(group), unchecked) for name in group}
    elif kind == pl.Boolean:
        found = {name: [True, False] for name in group}
    else:
        found = _numbers(group, literals, schema, bins)
    return {name: values + [None] * _may_be_empty(name) for name, values in found.items()}


def _may_be_empty(name: str) -> bool:
    column = CUSTOMERS.column(name)
    if column is None:
        return True
    return column.nullable and name not in (*_ALWAYS, *_SCORES) and column.unit != "money"


def _texts(name: str, asked: _Asked, literals: set[Any], together: int, unchecked: list[str]) -> list[Any]:
    """A closed list whole; else every text named, one that fits each pattern, and others."""
    column = CUSTOMERS.column(name)
    if column is not None and column.values:
        return [value for value in column.values if value != NO_PURCHASE]
    if asked.order:
        unchecked.append(f"the order of the texts in {name} was looked at by examples only")
    if len(asked.patterns) > 1 or (asked.patterns and literals):
        unchecked.append(f"the patterns over {name} were looked at by examples only")
    fitting = {pattern.replace("*", "").replace("?", "x") for pattern in asked.patterns}
    others = [f"other{number or ''}" for number in range(together)]
    return sorted({"", *(str(one) for one in literals), *fitting, *(one for one in others if one not in literals)})


def _numbers(group: list[str], literals: set[Any], schema: Mapping[str, pl.DataType], bins: int) -> dict[str, list[Any]]:
    """Values around every literal, on each column's own grid; near each other where columns are compared with each other."""
    spans = {name: _span(name, schema[name], bins) for name in group}
    named = {point for literal in literals for point in _points(literal)}
    near = named | {Decimal(1 if name in _SCORES else _AT_LEAST.get(name, 0)) for name in group}
    on_grid: dict[Decimal, set[Decimal]] = {}
    # from the coarsest grid to the finest: a fine column must be able to stand between two values of a coarse one
    for step in sorted({step for _, _, step in spans.values()}, reverse=True):
        on_grid[step] = {point // step * step + number * step for point in near for number in range(-len(group), len(group) + 1)}
        near = near | on_grid[step]
    found: dict[str, list[Any]] = {}
    for name, (low, high, step) in spans.items():
        within = {one for one in on_grid[step] if (low is None or one >= low) and (high is None or one <= high)}
        points = sorted(within) if len(group) > 1 else _one_of_each(sorted(within), sorted(named))
        found[name] = [_cell(point, schema[name]) for point in points]
    return found


def _span(name: str, dtype: pl.DataType, bins: int) -> tuple[Decimal | None, Decimal | None, Decimal]:
    """Least and greatest value of a column, and the step between two of its values."""
    column = CUSTOMERS.column(name)
    low = _AT_LEAST.get(name, column.minimum if column is not None else None)
    high = bins if name in _SCORES else column.maximum if column is not None else None
    bounds = [None if bound is None else Decimal(str(bound)) for bound in (low, high)]
    if dtype.is_integer():
        floor, ceiling = _room(dtype)
        return floor if bounds[0] is None else bounds[0], ceiling if bounds[1] is None else bounds[1], Decimal(1)
    if isinstance(dtype, pl.Decimal):
        return bounds[0], bounds[1], Decimal(1).scaleb(-dtype.scale)
    return bounds[0], bounds[1], _FINE if dtype.is_float() else Decimal(_DAY if dtype == pl.Date else 1)


def _room(dtype: pl.DataType) -> tuple[Decimal, Decimal]:
    """What a type of whole numbers can hold."""
    signed = dtype.is_signed_integer()
    bits = int(str(dtype).removeprefix("U").removeprefix("Int")) - signed
    return Decimal(-(2**bits) if signed else 0), Decimal(2**bits - 1)


def _points(literal: Any) -> Iterator[Decimal]:
    """Where on the line of numbers a literal stands; a day is all of it."""
    if isinstance(literal, datetime):
        yield Decimal((literal - _EPOCH) // timedelta(microseconds=1))
    elif isinstance(literal, date):
        start = Decimal((literal - _EPOCH.date()).days * _DAY)
        yield from (start, start + _DAY)
    else:
        yield Decimal(literal)


def _one_of_each(points: list[Decimal], named: list[Decimal]) -> list[Decimal]:
    """One point for every stretch between literals, and every literal."""
    return list({(bisect_left(named, point), bisect_right(named, point)): point for point in reversed(points)}.values())[::-1]


def _cell(point: Decimal, dtype: pl.DataType) -> Any:
    if dtype.is_integer():
        return int(point)
    if dtype.is_float():
        return float(point)
    if isinstance(dtype, pl.Decimal):
        return point
    moment = _EPOCH + timedelta(microseconds=int(point))
    return moment.date() if dtype == pl.Date else moment
