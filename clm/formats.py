"""A table in the format its suffix names, published in one step: Parquet for the chain, CSV and workbooks for its ends.

It may not compute: what it writes has passed the contract.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from clm.errors import UsageError
from clm.storage.faults import writing
from clm.tables import Table

if TYPE_CHECKING:
    import polars as pl

    from clm.storage.facts import Facts
    from clm.storage.publish import Output

Emit = Callable[["pl.DataFrame | pl.LazyFrame", Table, "Facts"], "Output | None"]


def to_path(path: Path, also: tuple[str, ...] = ()) -> Emit:
    """Publish a table at a path, in the format its suffix names.

    Raises UsageError at once for a suffix clm does not write; `also` are those the command writes beside tables, to name.
    """
    # a device or FIFO has no suffix to go by: it gets what a pipe gets
    with writing(path):
        device = path.exists() and not path.is_file()
    write = _parquet if device else _FORMATS.get(path.suffix.lower())
    if write is None:
        raise UsageError(
            f"{path.name} has the suffix {path.suffix or '(none)'}, which is no format clm writes",
            fix=f"use one of {', '.join(dict.fromkeys((*also, *_FORMATS)))}",
            code="suffix",
        )

    def emit(frame: pl.DataFrame | pl.LazyFrame, table: Table, facts: Facts) -> Output:
        from clm.storage import publish

        return publish.publish(path, lambda temporary: write(frame, table, facts, temporary))

    return emit


def _parquet(frame: pl.DataFrame | pl.LazyFrame, table: Table, facts: Facts, path: Path) -> int:
    from clm.storage import publish

    return publish.write_table(frame, table, facts, path)


def _csv(frame: pl.DataFrame | pl.LazyFrame, table: Table, facts: Facts, path: Path) -> int:
    from clm.storage import publish

    # the contract is checked on a Parquet copy: a CSV holds no types to check
    rows = publish.write_table(frame, table, facts, path)
    publish.write_csv(frame, path)
    return rows


def _xlsx(frame: pl.DataFrame | pl.LazyFrame, table: Table, facts: Facts, path: Path) -> int:
    from clm.report import workbook

    rows = frame.lazy().collect()
    path.write_bytes(workbook.table_workbook(rows, table.name))
    return rows.height


_FORMATS = {".parquet": _parquet, ".csv": _csv, ".xlsx": _xlsx}
