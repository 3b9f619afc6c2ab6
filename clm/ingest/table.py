"""A table: what a container that is no plain text (Parquet, workbook, JSON) gives to read, whichever room opened it.

It may not know containers: each room fills the record in, and `part`, `scan` and `sample` use nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import polars as pl

from clm.ingest.evidence import Evidence


@dataclass(frozen=True)
class Table:
    """`batches(raw)` starts anew each time it is called: frames as `structure.batches` makes them, in the container's order.

    `rows` counts the records, those that cannot be read among them; `headed` is False when the columns have no names;
    `left_out` names the lines above them that a notice must name, `unreadable` the columns whose cells are no single value,
    `padded` the sheet columns that are shown with zeros in front which their values lack; `types` are the columns that come as
    what they are, no text.
    """

    columns: tuple[str, ...]
    rows: int
    batches: Callable[[bool], Iterator[pl.DataFrame]]
    evidence: tuple[Evidence, ...]
    headed: bool = True
    left_out: str = ""
    unreadable: tuple[str, ...] = ()
    types: Mapping[str, pl.DataType] = field(default_factory=dict)
    padded: tuple[str, ...] = ()
