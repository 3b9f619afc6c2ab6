"""A table: what a container that is no plain text (Parquet, workbook, JSON) gives to read, whichever room opened it.

It may not know containers: each room fills the record in, and `part`, `scan` and `sample` use nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import polars as pl

from clm.ingest.evidence import Evidence


@dataclass(frozen=True)
class Table:
    """`batches(raw)` starts anew each time it is called: frames as `structure.batches` makes them, in the container's order.

    `rows` counts the records, those that cannot be read among them; `headed` is False when the columns have no names.
    """

    columns: tuple[str, ...]
    rows: int
    batches: Callable[[bool], Iterator[pl.DataFrame]]
    evidence: tuple[Evidence, ...]
    headed: bool = True
