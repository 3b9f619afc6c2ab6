"""Parquet files as the same batches of text that structure makes from CSV.

It may not interpret a value: integers become their digits, decimals stay exact, floats take their shortest form, times ISO.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import polars as pl

from clm.errors import DataError
from clm.ingest import sources
from clm.ingest.dialect import unique_names
from clm.ingest.evidence import Evidence
from clm.ingest.sources import Source
from clm.ingest.structure import DETAIL, LINE, PROBLEM, RAW
from clm.ingest.table import Table

_BATCH = 65_536
_SECOND = {"ms": 10**3, "us": 10**6}
# the years 1 to 9999 in seconds and days from 1970: beyond them no date can be written down
_YEARS, _DAYS = (-62_135_596_800, 253_402_300_799), (-719_162, 2_932_896)
_DAY_NANOSECONDS = 86_400 * 10**9


def read(source: Source) -> Table:
    """The file as its footer tells. Raises `DataError` when it is damaged or promises more than the file can hold."""
    with _opened(source) as file:
        names, rows = unique_names(list(file.schema_arrow.names)), int(file.metadata.num_rows)
        # a cell is a byte at least when written out: a footer of a few kilobytes can promise a hundred million rows
        if sources.swollen(rows * len(names), source.size):
            raise sources.bomb(source, "Parquet")
    found = Evidence(f"{source.name}: container", f"Parquet, {rows:,} rows", "magic bytes")
    return Table(names, rows, lambda _raw: _batches(source), (found,))


def _batches(source: Source) -> Iterator[pl.DataFrame]:
    """Frames of text columns with the row number from 1 as the line. Raises `DataError` where the file is damaged."""
    line = 1
    with _opened(source) as file:
        names = unique_names(list(file.schema_arrow.names))
        for batch in file.iter_batches(batch_size=_BATCH):
            batch.validate(full=True)  # text that is no UTF-8 would pass here and stop Polars later
            frame = pl.from_arrow(batch.rename_columns(names))
            assert isinstance(frame, pl.DataFrame)
            yield _text(frame, line)
            line += frame.height
        if line - 1 != file.metadata.num_rows:
            raise _damaged(source, f"{line - 1:,} rows of {file.metadata.num_rows:,}")


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
    first = (str(why).splitlines() or [""])[0].strip() or type(why).__name__
    return DataError(f"{source.name} is damaged, or no Parquet file: {first}", fix="get the file again.", code="damaged")


def _text(frame: pl.DataFrame, line: int) -> pl.DataFrame:
    none = pl.lit(None, dtype=pl.String)
    cells = [_cell(pl.col(name), dtype).fill_null("").alias(name) for name, dtype in frame.schema.items()]
    lines = pl.int_range(line, line + frame.height, dtype=pl.Int64, eager=True).alias(LINE)
    blank = pl.all_horizontal(pl.col(name) == "" for name in frame.columns)
    return frame.select(cells).with_columns(
        lines,
        pl.when(blank).then(pl.lit("blank_row")).otherwise(none).alias(PROBLEM),
        none.alias(DETAIL),
        none.alias(RAW),
    )


def _cell(column: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    if dtype == pl.String:
        return column
    if dtype.is_float():
        # NaN is how pandas writes "nothing" into a number column
        return pl.when(column.is_finite()).then(column).cast(pl.String)
    if isinstance(dtype, pl.Datetime):
        offset = "%:z" if dtype.time_zone not in (None, "UTC") else "Z" if dtype.time_zone else ""
        second = _SECOND.get(dtype.time_unit)  # nanoseconds cannot reach beyond
        column = _within(column, _YEARS[0] * second, _YEARS[1] * second) if second else column
        return column.dt.to_string(f"%Y-%m-%d %H:%M:%S%.6f{offset}")
    if dtype == pl.Date:
        return _within(column, *_DAYS).dt.to_string("%Y-%m-%d")
    if dtype == pl.Time:
        return _within(column, 0, _DAY_NANOSECONDS - 1).cast(pl.String)
    if dtype.is_nested() or dtype in (pl.Binary, pl.Object):
        return pl.lit(None, dtype=pl.String)
    return column.cast(pl.String)


def _within(column: pl.Expr, least: int, most: int) -> pl.Expr:
    return pl.when(column.to_physical().is_between(least, most)).then(column)
