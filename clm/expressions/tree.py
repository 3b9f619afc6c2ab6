"""The tree of a rule, and the error that shows where a rule cannot be one.

It may not know how text becomes a tree (`syntax`) or what a tree means for a table (`meaning`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal


class ExpressionError(ValueError):
    """What is wrong with a rule and at which character (from 0); as text it shows the rule with `^` before the place."""

    def __init__(self, what: str, text: str, at: int) -> None:
        super().__init__(what)
        self.what, self.text, self.at = what, text, at

    def __str__(self) -> str:
        start = max(0, self.at - 30)
        before, after = self.text[start : self.at], self.text[self.at : self.at + 20]
        around = "".join(one if one.isprintable() else " " for one in f"{before}^{after}")
        return f"{self.what}, at character {self.at + 1}: {'…' if start else ''}{around.strip()}"


@dataclass(frozen=True)
class Column:
    name: str
    at: int


@dataclass(frozen=True)
class Literal:
    value: Decimal | str | date | datetime | bool
    at: int


Value = Column | Literal


@dataclass(frozen=True)
class Compare:
    sign: str
    left: Value
    right: Value
    at: int


@dataclass(frozen=True)
class Among:
    value: Value
    among: tuple[Literal, ...]
    at: int


@dataclass(frozen=True)
class Like:
    value: Value
    pattern: Literal
    at: int


@dataclass(frozen=True)
class Empty:
    value: Value
    at: int


@dataclass(frozen=True)
class Flag:
    """A column of yes and no by itself, or `true` and `false`."""

    value: Value


@dataclass(frozen=True)
class Not:
    inner: Node


@dataclass(frozen=True)
class All:
    parts: tuple[Node, ...]


@dataclass(frozen=True)
class Some:
    parts: tuple[Node, ...]


Node = Compare | Among | Like | Empty | Flag | Not | All | Some


@dataclass(frozen=True)
class Expression:
    """A rule: its text as given, and its tree."""

    text: str
    root: Node

    def __str__(self) -> str:
        return self.text

    def columns(self) -> tuple[str, ...]:
        """Names of the columns it asks, each once, in the order of the text."""
        return tuple(dict.fromkeys(value.name for value in _values(self.root) if isinstance(value, Column)))


@dataclass(frozen=True)
class Rule:
    """A flag, and when it is raised."""

    flag: str
    when: Expression

    def __str__(self) -> str:
        return f"{self.flag}={self.when}"


def _values(node: Node) -> Iterator[Value]:
    match node:
        case Compare(left=left, right=right):
            yield left
            yield right
        case Not(inner):
            yield from _values(inner)
        case All(parts) | Some(parts):
            for part in parts:
                yield from _values(part)
        case Among() | Like() | Empty() | Flag():
            yield node.value
