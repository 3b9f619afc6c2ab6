"""Whether the columns a rule file asks are there: known, made by now, and if not, who makes them.

It may not read a cell.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any

from clm.errors import DataError
from clm.schemes import rulebook
from clm.tables import CUSTOMERS


def check(names: Iterable[str], schema: Mapping[str, Any], kind: str, name: str, without: Iterable[str] = ()) -> None:
    """Raises ConfigError (78) for a column nobody knows or that comes too late, DataError (65) for one another stage adds."""
    for one in names:
        if one in without:
            raise rulebook.wrong(kind, name, f"asks {one}, which comes out of the same stage", "ask what comes before it")
        if one in schema:
            continue
        column = CUSTOMERS.column(one)
        if column is None:
            close = difflib.get_close_matches(one, [*schema, *CUSTOMERS.names()], n=1)
            hint = f": did you mean {close[0]}?" if close else ""
            raise rulebook.wrong(kind, name, f"asks a column there is not, {one[:60]}{hint}", "`clm tables CUSTOMERS` lists them")
        raise DataError(
            f"the {kind} {name} asks {one}, which INPUT does not have: `clm {column.stage}` adds it",
            where="column " + one,
            fix=_fix(column.stage, column.optional),
            code="stage_missing",
        )


def _fix(stage: str, optional: bool) -> str:
    if stage == "rfm":
        return "run `clm rfm --columns all`" if optional else "make the table with `clm rfm`"
    if stage == "segment":
        return "it needs the rhythm of customers: run `clm rfm --columns all`"
    return f"run `clm {stage}` first and give its file to `clm segment`"
