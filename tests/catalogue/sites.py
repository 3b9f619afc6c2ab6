"""Where clm can say no: every place in its source that makes an error's message, found in the syntax, so none is forgotten.

It may not import or run anything of clm.

A place is a call that makes an error: of a class of `clm/errors.py`, or of a function which says in its annotation that it
returns one (`def _wrong(...) -> ConfigError`): each of its callers has a sentence of its own. To these come, from the rooms that
read what people write, the `raise`s of the reasons such a message quotes: "wants a share such as 35%".
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CLM = ROOT / "clm"
# where reasons are raised that a message quotes: values of options, rules, periods, TOML
_REASONS = ("clm/values.py", "clm/expressions/", "clm/periods.py", "clm/strict_toml.py")
# a place in the source: its file, and the line and column where the call ends, which no other call shares
Place = tuple[str, int, int]


@dataclass(frozen=True)
class Site:
    """One place that makes a message. `key` stays what it is when lines move: file, function and the first words.

    `said`: the message is raised or returned in the statement that makes it.
    """

    key: str
    line: int
    said: bool = True

    def __str__(self) -> str:
        return f"{self.key} (line {self.line})"


def error_names() -> frozenset[str]:
    """The classes of the error family, wherever they are defined."""
    names = {"ClmError"}
    classes = [one for tree in _trees().values() for one in ast.walk(tree) if isinstance(one, ast.ClassDef)]
    while more := {one.name for one in classes if {ast.unparse(base) for base in one.bases} & names} - names:
        names |= more
    return frozenset(names)


@cache
def found() -> dict[Place, Site]:
    """Every place of clm's source that makes a message."""
    errors = error_names()
    makers = {file: set(_makers(tree, errors)) for file, tree in _trees().items()}
    there: dict[Place, Site] = {}
    for file, tree in _trees().items():
        called = errors | makers[file] | set(_imported(tree, makers))
        for function, statement, node in _within(tree):
            call = node.exc if isinstance(node, ast.Raise) and file.startswith(_REASONS) else node
            if isinstance(call, ast.Call) and (call is not node or _called(call.func) in called):
                said = isinstance(statement, ast.Raise | ast.Return)
                site = Site(f"{file} {function}: {_words(call)}", node.lineno, said)
                there |= {_place(file, node): site, _place(file, call): site}
    return there


def _called(function: ast.expr) -> str:
    """`f` or `module.f`; of anything deeper nothing, for no error is made like that."""
    if isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name):
        return f"{function.value.id}.{function.attr}"
    return function.id if isinstance(function, ast.Name) else ""


def _words(call: ast.Call) -> str:
    """What a call says: its first text, values as …, else the call itself."""
    texts = (text for part in (*call.args, *call.keywords) for text in _texts(part) if text.strip("… "))
    return " ".join(next(texts, ast.unparse(call)).split())


def _texts(node: ast.AST) -> Iterator[str]:
    """The texts under a node, in their order."""
    if isinstance(node, ast.JoinedStr):
        yield "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)
    elif isinstance(node, ast.Constant):
        yield node.value if isinstance(node.value, str) else ""
    else:
        for child in ast.iter_child_nodes(node):
            yield from _texts(child)


@cache
def _trees() -> dict[str, ast.Module]:
    return {str(path.relative_to(ROOT)): ast.parse(path.read_text("utf-8")) for path in sorted(CLM.rglob("*.py"))}


def _place(file: str, node: ast.Call | ast.Raise) -> Place:
    return file, node.end_lineno or 0, node.end_col_offset or 0


def _makers(tree: ast.Module, errors: frozenset[str]) -> Iterator[str]:
    for one in ast.walk(tree):
        returns = ast.unparse(one.returns) if isinstance(one, ast.FunctionDef) and one.returns else "None"
        if isinstance(one, ast.FunctionDef) and {part.strip() for part in returns.split("|")} <= errors:
            yield one.name


def _imported(tree: ast.Module, makers: Mapping[str, set[str]]) -> Iterator[str]:
    """The makers of other modules under the names they have in this one: `changed`, `sources.changed`."""
    for one in ast.walk(tree):
        if isinstance(one, ast.ImportFrom) and one.module:
            path = one.module.replace(".", "/")
            for name in one.names:
                known = name.asname or name.name
                if name.name in makers.get(f"{path}.py", makers.get(f"{path}/__init__.py", ())):
                    yield known
                inner = makers.get(f"{path}/{name.name}.py", makers.get(f"{path}/{name.name}/__init__.py", ()))
                yield from (f"{known}.{maker}" for maker in inner)


def _within(tree: ast.Module) -> Iterator[tuple[str, ast.stmt | None, ast.Call | ast.Raise]]:
    """Every call and `raise`, with the qualified name of the function and the statement it stands in."""

    def walk(
        node: ast.AST, inside: str, statement: ast.stmt | None
    ) -> Iterator[tuple[str, ast.stmt | None, ast.Call | ast.Raise]]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.FunctionDef | ast.ClassDef):
                yield from walk(child, f"{inside}.{child.name}".lstrip("."), child)
                continue
            now = child if isinstance(child, ast.stmt) else statement
            if isinstance(child, ast.Call | ast.Raise):
                yield inside, now, child
            yield from walk(child, inside, now)

    yield from walk(tree, "", None)
