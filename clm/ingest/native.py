"""Native: cells that come as numbers, days and moments from their file, and what each says as text.

It may not interpret more than text would: a cell that would not be read the plain way as text is left to its text.
"""

from __future__ import annotations

from collections.abc import Collection

import polars as pl

from clm.ingest.numbers import LINE

_SECOND = {"ms": 10**3, "us": 10**6}
# the years 1 to 9999 in seconds and days from 1970: beyond them no date can be written down
_YEARS, _DAYS = (-62_135_596_800, 253_402_300_799), (-719_162, 2_932_896)
_DAY_NANOSECONDS = 86_400 * 10**9
# between these a float is written without an exponent, with no more digits than a plain number has; larger ones likewise
_SMALL, _LARGE = 0.01, 1e15
_MOST_DECIMALS = 18
# 15 digits with the four decimals of money, of which a float loses none
_MOST_MONEY, _NEAR = 10**11, 0.25
# from here on a float is not every whole number
_ROUNDED = 2**53


def stays(dtype: pl.DataType) -> bool:
    """Whether cells of this type may stay what they are until they are judged."""
    if isinstance(dtype, pl.Datetime):
        return dtype.time_zone is None
    if isinstance(dtype, pl.Decimal):
        return dtype.scale <= _MOST_DECIMALS
    return dtype == pl.Date or dtype.is_integer() or dtype.is_float()


def as_text(column: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    """Integers are their digits, decimals exact, floats in their shortest form, times ISO; what is nothing is empty."""
    return _text(column, dtype).fill_null("")


def _text(column: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    if dtype == pl.String:
        return column
    if dtype.is_float():
        # NaN is how pandas writes "nothing" into a number column
        return pl.when(column.is_finite()).then(column).cast(pl.String)
    if isinstance(dtype, pl.Datetime):
        offset = "%:z" if dtype.time_zone not in (None, "UTC") else "Z" if dtype.time_zone else ""
        return _writable(column, dtype).dt.to_string(f"%Y-%m-%d %H:%M:%S%.6f{offset}")
    if dtype == pl.Date:
        return _writable(column, dtype).dt.to_string("%Y-%m-%d")
    if dtype == pl.Time:
        return _within(column, 0, _DAY_NANOSECONDS - 1).cast(pl.String)
    if dtype.is_nested() or dtype in (pl.Binary, pl.Object):
        return pl.lit(None, dtype=pl.String)
    return column.cast(pl.String)


def compared(column: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    """What two cells of a column that `stays` share exactly when their texts are the same; 0.0 and -0.0 are one number."""
    if dtype.is_float():
        return pl.when(column.is_finite()).then(column)
    if isinstance(dtype, pl.Datetime):
        return _writable(column, dtype).cast(pl.Datetime("us"))
    return _writable(column, dtype) if dtype == pl.Date else column


def _writable(column: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    """The day or moment, null where it has no date that can be written down."""
    if not isinstance(dtype, pl.Datetime):
        return _within(column, *_DAYS)
    second = _SECOND.get(dtype.time_unit)  # nanoseconds cannot reach beyond
    return _within(column, _YEARS[0] * second, _YEARS[1] * second) if second else column


def _within(column: pl.Expr, least: int, most: int) -> pl.Expr:
    return pl.when(column.to_physical().is_between(least, most)).then(column)


def texted(frame: pl.LazyFrame, schema: pl.Schema, but: Collection[str] = ()) -> pl.LazyFrame:
    """The frame with every cell of a file as text, save in the columns `but`; clm's own stay. Only what is used is worked out."""
    typed = {
        name: dtype for name, dtype in schema.items() if dtype != pl.String and not name.startswith("clm:") and name not in but
    }
    return frame.with_columns(as_text(pl.col(name), dtype).alias(name) for name, dtype in typed.items())


def plain_id(column: pl.Expr, dtype: pl.DataType) -> pl.Expr | None:
    """Whether the cell's text is an id as it stands; None for what is no number."""
    if not dtype.is_numeric():
        return None
    return (column > 0) & (column < _ROUNDED) if dtype.is_float() else column > 0


def plain_number(column: pl.Expr, dtype: pl.DataType, decimal: str) -> pl.Expr | None:
    """Whether the cell's text is a number as it stands, in a notation with this decimal mark; None for what is no number."""
    if dtype.is_integer():
        return column.is_between(-(10**15) + 1, 10**15 - 1) if dtype.is_signed_integer() else column < 10**15
    if decimal != "." or not dtype.is_numeric():
        return None
    size = column.cast(pl.Float64).abs()
    return size < _LARGE if dtype.is_decimal() else (size >= _SMALL) & (size < _LARGE) | (size == 0)


def money(column: pl.Expr, dtype: pl.DataType, decimal: str) -> tuple[pl.Expr, pl.Expr] | None:
    """Where the cell is surely this money, rounded to four decimals, and the money; None for what must be read as text."""
    if dtype.is_integer():
        few = column.cast(pl.Int64, strict=False).is_between(-_MOST_MONEY, _MOST_MONEY)
    elif decimal != "." or not (dtype == pl.Float64 or (isinstance(dtype, pl.Decimal) and dtype.scale <= LINE.scale)):
        return None
    else:
        size = column.cast(pl.Float64).abs()
        few = size < _MOST_MONEY
        if dtype.is_float():
            # what is near a number of four decimals is rounded to it, in binary as in writing; only halves might not be
            scaled = column * 10**LINE.scale
            few = few & ((size >= _SMALL) | (size == 0)) & ((scaled - scaled.round()).abs() < _NEAR)
    return few, pl.when(few).then(column).cast(LINE, strict=False)


def moment(column: pl.Expr, dtype: pl.DataType) -> pl.Expr | None:
    """The moment the cell's text tells; None for what is neither day nor moment."""
    return _writable(column, dtype).cast(pl.Datetime("us")) if dtype.is_temporal() and stays(dtype) else None
