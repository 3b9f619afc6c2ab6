"""Run the whole of `clean` on small files: text in, transactions, rejects and the verdict out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from clm import ingest
from clm.ingest import Reading, TextLog
from clm.settings import CleanSettings
from clm.stages import clean
from clm.stages.clean import Settled


@dataclass(frozen=True)
class Cleaned:
    """Everything `clean` made of the inputs; `rows` are the transactions, collected."""

    log: TextLog
    reading: Reading
    settled: Settled
    rows: pl.DataFrame
    rejects: pl.DataFrame

    @property
    def reasons(self) -> dict[int, str]:
        """Reject reason by source line."""
        return dict(self.rejects.select("source_line", "reason").iter_rows())

    def column(self, name: str) -> list[Any]:
        return self.rows[name].to_list()


def clean_files(inputs: Sequence[str | Path], folder: Path, **options: Any) -> Cleaned:
    """`clm clean` without the shell; `folder` takes the temporary file."""
    log = ingest.read_text(inputs, CleanSettings(**options))
    settings = log.settings
    reading = ingest.understand(log, settings)
    spool = folder / "judged.spool"
    clean.judge(log.records, reading, settings).sink_parquet(spool, row_group_size=250_000)
    settled = clean.settle(pl.scan_parquet(spool, glob=False), reading, settings)
    rows, rejects = settled.outcome.frame.lazy().collect(), settled.rejects.collect()
    assert rows.height == settled.outcome.rows.rows_out
    assert rejects.height == sum(settled.outcome.rows.rejected.values())
    return Cleaned(log, reading, settled, rows, rejects)


def clean_text(text: str | bytes, folder: Path, name: str = "orders.csv", **options: Any) -> Cleaned:
    """The same for one file with this content."""
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return clean_files([path], folder, **options)
