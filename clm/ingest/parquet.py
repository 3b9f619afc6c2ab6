"""Parquet files as the same batches that structure makes from CSV, save that numbers, days and moments stay what they are.

It may not interpret a value: what each says as text is told in `native`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import polars as pl

from clm.errors import DataError
from clm.ingest import laid_out, native, sources
from clm.ingest.dialect import unique_names
from clm.ingest.evidence import Evidence
from clm.ingest.sources import Source
from clm.ingest.structure import DETAIL, LINE, PROBLEM, RAW
from clm.ingest.table import Table

_BATCH = 262_144
_SAMPLE = 36_864
_KINDS = re.compile(r"\b\w+(?:Error|Exception): ")  # names only programmers know


def read(source: Source) -> Table:
    """The file as its footer tells. Raises `DataError` when it is damaged or promises more than the file can hold."""
    with _opened(source) as file:
        flat = laid_out.flat(_empty(file))
        names, rows = unique_names(list(flat.schema.names)), int(file.metadata.num_rows)
        flat = flat.rename_columns(names)
        types = laid_out.framed(flat).schema
        # a cell is a byte at least when written out: a footer of a few kilobytes can promise a hundred million rows
        if sources.swollen(rows * len(names), source.size):
            raise sources.bomb(source, "Parquet")
    found = [Evidence(f"{source.name}: container", f"Parquet, {rows:,} rows", "magic bytes")]
    unreadable = laid_out.unreadable(flat)
    if unreadable:
        found.append(Evidence(f"{source.name}: not read", ", ".join(unreadable), "their cells are lists or records"))
    typed = {name: dtype for name, dtype in types.items() if native.stays(dtype)}
    return Table(
        names,
        rows,
        lambda _raw: _batches(source),
        tuple(found),
        types=typed,
        unreadable=unreadable,
        pieces=lambda: _pieces(source),
    )


def _batches(source: Source) -> Iterator[pl.DataFrame]:
    """Frames of cells with the row number from 1 as the line. Raises `DataError` where the file is damaged."""
    line = 1
    with _opened(source) as file:
        for batch in file.iter_batches(batch_size=_BATCH):
            yield _cells(_framed(batch), line)
            line += batch.num_rows
        if line - 1 != file.metadata.num_rows:
            raise _damaged(source, f"{line - 1:,} rows of {file.metadata.num_rows:,}")


def _pieces(source: Source) -> Iterator[pl.DataFrame]:
    """A few rows of the first, the middle and the last row group. Raises `DataError` where the file is damaged."""
    with _opened(source) as file:
        rows = [file.metadata.row_group(group).num_rows for group in range(file.num_row_groups)]
        filled = [group for group, number in enumerate(rows) if number]
        chosen = sorted({filled[0], filled[len(filled) // 2], filled[-1]}) if filled else []
        for group in chosen:
            batch = next(file.iter_batches(batch_size=_SAMPLE // len(chosen), row_groups=[group]))
            yield _cells(_framed(batch), 1 + sum(rows[:group]))


def _framed(batch: Any) -> pl.DataFrame:
    import pyarrow as pa

    batch.validate(full=True)  # text that is no UTF-8 would pass here and stop Polars later
    flat = laid_out.flat(pa.Table.from_batches([batch]))
    return laid_out.framed(flat.rename_columns(unique_names(list(flat.schema.names))))


def _empty(file: Any) -> Any:
    """The file's columns without its rows; `Schema.empty_table` would import pandas where there is one."""
    import pyarrow as pa

    return pa.Table.from_batches([], schema=file.schema_arrow)


@contextmanager
def _opened(source: Source) -> Iterator[Any]:
    """The file, with everything pyarrow and Polars say about damaged bytes made one answer.

    A flipped bit can surface as any of these, a panic of Polars among them; what is inside does nothing but read this file.
    """
    import pyarrow as pa
    from pyarrow import parquet

    faults = (pa.ArrowException, ValueError, pl.exceptions.PolarsError, pl.exceptions.PanicException)
    try:
        # opened here because pyarrow takes no name that is not UTF-8
        with source.path.open("rb") as stream, parquet.ParquetFile(stream) as file:
            yield file
    except OSError as error:
        if error.errno is not None:
            raise sources.unreadable(source.path, error) from None
        raise _damaged(source, error) from None
    except faults as error:
        raise _damaged(source, error) from None


def _damaged(source: Source, why: object) -> DataError:
    first = _KINDS.sub("", (str(why).splitlines() or [""])[0]).strip() or type(why).__name__
    return DataError(f"{source.name} is damaged, or no Parquet file: {first}", fix="get the file again.", code="damaged")


def _cells(frame: pl.DataFrame, line: int) -> pl.DataFrame:
    none = pl.lit(None, dtype=pl.String)
    cells = [
        pl.col(name) if native.stays(dtype) else native.as_text(pl.col(name), dtype).alias(name)
        for name, dtype in frame.schema.items()
    ]
    lines = pl.int_range(line, line + frame.height, dtype=pl.Int64, eager=True).alias(LINE)
    made = frame.select(cells).with_columns(lines, none.alias(PROBLEM), none.alias(DETAIL), none.alias(RAW))
    suspicious = [_may_be_nothing(pl.col(name), made.schema[name]) for name in frame.columns]
    if not all(made.select(one.any()).item() for one in suspicious):
        return made  # some column is full
    nothing = made.filter(pl.all_horizontal(suspicious))
    if not nothing.height:
        return made
    written = native.texted(nothing.lazy(), nothing.schema)
    blank = written.filter(pl.all_horizontal(pl.col(name) == "" for name in frame.columns)).select(LINE).collect()[LINE]
    return made.with_columns(pl.when(pl.col(LINE).is_in(blank.implode())).then(pl.lit("blank_row")).alias(PROBLEM))


def _may_be_nothing(cell: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    """A quick look that lets no cell pass unseen whose text is empty."""
    if dtype == pl.String:
        return cell == ""
    return cell.is_null() | ~cell.is_finite() if dtype.is_float() else cell.is_null() | pl.lit(dtype.is_temporal())
