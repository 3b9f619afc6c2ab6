"""What a rule means for a table: its tree as one Polars expression over the table's columns, types checked first.

It may not read a cell. An empty cell answers a comparison neither with yes nor with no, so neither `amount > 5` nor
`not amount > 5` holds for it: `is empty` asks. In the end only a yes counts.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal

import polars as pl

from clm.expressions.syntax import DECIMALS
from clm.expressions.tree import (
    All,
    Among,
    Column,
    Compare,
    Empty,
    Expression,
    ExpressionError,
    Flag,
    Like,
    Literal,
    Node,
    Not,
    Some,
    Value,
)

_NUMBER, _TEXT, _DAY, _MOMENT, _TRUTH = "a number", "text", "a day", "a moment", "yes or no"
# holds a sum of money, and every literal the grammar lets pass
_EXACT = pl.Decimal(38, DECIMALS)
_SIGNS = {
    "=": pl.Expr.eq, "!=": pl.Expr.ne, "<": pl.Expr.lt, "<=": pl.Expr.le, ">": pl.Expr.gt, ">=": pl.Expr.ge,
}  # fmt: skip


def compiled(rule: Expression, schema: Mapping[str, pl.DataType]) -> pl.Expr:
    """The rule as a Boolean column without nulls. Raises `ExpressionError` for an unknown column or types that do not compare."""
    return _Meaning(rule, schema).node(rule.root).fill_null(value=False)


class _Meaning:
    def __init__(self, rule: Expression, schema: Mapping[str, pl.DataType]) -> None:
        self.rule, self.schema = rule, schema

    def wrong(self, what: str, at: int) -> ExpressionError:
        return ExpressionError(what, self.rule.text, at)

    def node(self, node: Node) -> pl.Expr:
        match node:
            case All(parts):
                return pl.all_horizontal(self.node(part) for part in parts)
            case Some(parts):
                return pl.any_horizontal(self.node(part) for part in parts)
            case Not(inner):
                return ~self.node(inner)
            case Compare():
                return self.compare(node.sign, node.left, node.right, node.at)
            case Among():
                return pl.any_horizontal(self.compare("=", node.value, one, one.at) for one in node.among)
            case Like():
                return self.like(node)
            case Empty():
                if self.kind(node.value) == _TEXT:
                    return self.expr(node.value).fill_null("").str.strip_chars() == ""
                return self.expr(node.value).is_null()
            case Flag(value):
                if self.kind(value) != _TRUTH:
                    shown = value.name if isinstance(value, Column) else str(value.value)
                    raise self.wrong(f"{shown} is {self.kind(value)}, not yes or no: compare it", value.at)
                return self.expr(value)

    def like(self, node: Like) -> pl.Expr:
        if self.kind(node.value) != _TEXT:
            raise self.wrong(f"`like` wants text, this is {self.kind(node.value)}", node.value.at)
        parts = (".*" if one == "*" else "." if one == "?" else re.escape(one) for one in str(node.pattern.value))
        return self.expr(node.value).str.contains(f"(?is)^{''.join(parts)}$")

    def compare(self, sign: str, left: Value, right: Value, at: int) -> pl.Expr:
        kinds = (self.kind(left), self.kind(right))
        if _MOMENT in kinds and _DAY in kinds:
            # who names a day means all of it
            left_, right_ = (
                self.expr(value).dt.date() if kind == _MOMENT else self.expr(value)
                for value, kind in zip((left, right), kinds, strict=True)
            )
            return _SIGNS[sign](left_, right_)
        if kinds[0] != kinds[1]:
            raise self.wrong(self.mismatch(left, right, kinds), at)
        if kinds[0] == _TRUTH and sign not in ("=", "!="):
            raise self.wrong("yes and no are equal or not, never more or less", at)
        if kinds[0] == _NUMBER:
            return self.numbers(sign, left, right)
        return _SIGNS[sign](self.expr(left), self.expr(right))

    def mismatch(self, left: Value, right: Value, kinds: tuple[str, str]) -> str:
        for one, other, kind, wanted in ((left, right, *kinds), (right, left, kinds[1], kinds[0])):
            if isinstance(one, Column) and isinstance(other, Literal) and kind == _TEXT and wanted != _TRUTH:
                return f"{one.name} is text: put the value in quotes"
            if isinstance(one, Column) and isinstance(other, Literal) and wanted == _TEXT and kind in (_NUMBER, _DAY, _MOMENT):
                return f"{one.name} is {kind}: write {kind} without quotes"
        names = [value.name if isinstance(value, Column) else "the value" for value in (left, right)]
        return f"{names[0]} is {kinds[0]} and {names[1]} is {kinds[1]}: they do not compare"

    def numbers(self, sign: str, left: Value, right: Value) -> pl.Expr:
        """Exact where both sides are; a float column makes both float."""
        floats = any(isinstance(value, Column) and self.schema[value.name].is_float() for value in (left, right))
        wanted = pl.Float64() if floats else _EXACT
        return _SIGNS[sign](self.expr(left).cast(wanted), self.expr(right).cast(wanted))

    def expr(self, value: Value) -> pl.Expr:
        if isinstance(value, Column):
            return pl.col(value.name)
        if isinstance(value.value, Decimal):
            return pl.lit(value.value, dtype=_EXACT)
        return pl.lit(value.value)

    def kind(self, value: Value) -> str:
        if isinstance(value, Literal):
            return _literal_kind(value.value)
        if value.name not in self.schema:
            close = difflib.get_close_matches(value.name, sorted(self.schema), n=1)
            hint = f": did you mean {close[0]}?" if close else f"; there are {', '.join(sorted(self.schema)[:30])}"
            raise self.wrong(f"there is no column {value.name}{hint}", value.at)
        found = _column_kind(self.schema[value.name])
        if found is None:
            raise self.wrong(f"{value.name} is {self.schema[value.name]}, which no rule can ask", value.at)
        return found


def _literal_kind(value: Decimal | str | date | datetime | bool) -> str:
    if isinstance(value, bool):
        return _TRUTH
    if isinstance(value, Decimal):
        return _NUMBER
    if isinstance(value, str):
        return _TEXT
    return _MOMENT if isinstance(value, datetime) else _DAY


def _column_kind(dtype: pl.DataType) -> str | None:
    if dtype.is_numeric():
        return _NUMBER
    known = {pl.String: _TEXT, pl.Date: _DAY, pl.Datetime: _MOMENT, pl.Boolean: _TRUTH}
    return known.get(dtype.base_type())
