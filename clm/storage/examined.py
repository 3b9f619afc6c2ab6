"""What a Parquet file says of itself, read without trusting it: two independent readers must agree that it can be opened.

It may not raise for what is in the file: a file no reader opens is an answer too.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from clm.storage.facts import KEY
from clm.storage.faults import reading


@dataclass(frozen=True)
class Examined:
    """Columns, rows, and the text of the clm footer, if there is one."""

    schema: pl.Schema
    rows: int
    text: str | None


def examine(path: Path) -> Examined | None:
    """The file as it describes itself; None when it cannot be opened. Raises InputError when it cannot be read at all."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    with reading(path), path.open("rb") as stream:
        stream.read(1)
    try:
        # the arrow reader first: it refuses what makes the other one panic
        metadata = pq.read_metadata(path)
        groups = [metadata.row_group(number).num_rows for number in range(metadata.num_row_groups)]
        schema = pl.scan_parquet(path, glob=False).collect_schema()
    except (pa.ArrowException, OSError, UnicodeDecodeError, ValueError, pl.exceptions.PolarsError, pl.exceptions.PanicException):
        return None
    if metadata.num_rows < 0 or sum(groups) != metadata.num_rows:
        return None
    facts = (metadata.metadata or {}).get(KEY.encode())
    return Examined(schema, metadata.num_rows, facts.decode("utf-8", "replace") if facts is not None else None)
