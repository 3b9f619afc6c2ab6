"""Parquet files as the same batches of text that structure makes from CSV.

It may not interpret a value: integers become their digits, decimals stay exact, floats take their shortest form, times ISO.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import polars as pl

from clm.errors import DataError
from clm.ingest.sources import Source
from clm.ingest.structure import DETAIL, LINE, PROBLEM, RAW

_BATCH = 65_536
# A footer of a few kilobytes can promise a hundred million rows.
_MOST_ROWS_PER_BYTE = 2000


def columns(source: Source) -> tuple[str, ...]:
    """Column names from the footer. Raises `DataError` when it cannot be read or promises more than the file can hold."""
    file = _open(source)
    if file.metadata.num_rows > 2**20 and file.metadata.num_rows > source.size * _MOST_ROWS_PER_BYTE:
        raise DataError(
            f"{source.name} claims {file.metadata.num_rows:,} rows in {source.size:,} bytes.",
            fix="check where the file comes from.",
            code="bomb",
        )
    return tuple(file.schema_arrow.names)


def rows(source: Source) -> int:
    return int(_open(source).metadata.num_rows)


def batches(source: Source) -> Iterator[pl.DataFrame]:
    """Frames of text columns with the row number from 1 as the line."""
    import pyarrow as pa

    line = 1
    try:
        for batch in _open(source).iter_batches(batch_size=_BATCH):
            frame = pl.from_arrow(batch)
            assert isinstance(frame, pl.DataFrame)
            yield _text(frame, line)
            line += frame.height
    except (pa.ArrowException, OSError) as error:
        raise _broken(source, error) from None


def _open(source: Source) -> Any:
    import pyarrow as pa
    from pyarrow import parquet

    try:
        return parquet.ParquetFile(source.path)
    except (pa.ArrowException, OSError) as error:
        raise _broken(source, error) from None


def _broken(source: Source, error: Exception) -> DataError:
    first = str(error).splitlines()[0] if str(error) else type(error).__name__
    return DataError(f"{source.name} is not a readable Parquet file: {first}", fix="get the file again.", code="damaged")


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
        return column.dt.to_string(f"%Y-%m-%d %H:%M:%S%.6f{offset}")
    if dtype == pl.Date:
        return column.dt.to_string("%Y-%m-%d")
    if dtype.is_nested() or dtype in (pl.Binary, pl.Object):
        return pl.lit(None, dtype=pl.String)
    return column.cast(pl.String)
