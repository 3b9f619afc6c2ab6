"""UTF-8 bytes into batches of records, every column text, with the exact physical line of each.

It may not interpret a value. A block goes through pyarrow, which is fast; when anything about it is unusual (a quote inside a
field, a zero byte, a quoted line end that may have swallowed records, lines that do not add up) the block is cut up again
character by character in `lines`, so that what comes out never depends on luck.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import polars as pl

from clm.ingest import encoding, lines
from clm.ingest.dialect import Dialect
from clm.ingest.lines import BLANK

# Names of our own columns cannot be names of a file's: dialect renames those.
LINE, PROBLEM, DETAIL, RAW = "clm:line", "clm:problem", "clm:detail", "clm:raw"
_SMALLEST = 2**20
_LARGEST_RECORDS = 2**25
# what separates for pyarrow, which knows single bytes only
_NULL = "\\N"
_STAND_IN = b"\x1f"
_BLANKS = re.compile(rb"[ \t]+")
_BLANK_ENDS = re.compile(rb"^[ \t]+|[ \t]+(?=\r?$)", re.MULTILINE)


def schema(dialect: Dialect) -> dict[str, pl.DataType]:
    own = {LINE: pl.Int64(), PROBLEM: pl.String(), DETAIL: pl.String(), RAW: pl.String()}
    return {name: pl.String() for name in dialect.columns} | own


def after_header(stream: Iterable[bytes], dialect: Dialect) -> Iterator[bytes]:
    """The stream from the first record on, CR-only line ends turned into LF."""
    skip, held = dialect.first_line - 1, b""
    for block in stream:
        data = held + (block.replace(b"\r", b"\n") if dialect.carriage_returns else block)
        held = b""
        while skip:
            match = re.search(rb"\r\n|\n|\r(?!\n)(?=.)", data, re.DOTALL)
            if match is None:
                held, data = data, b""
                break
            data = data[match.end() :]
            skip -= 1
        if data:
            yield data


def batches(stream: Iterable[bytes], dialect: Dialect, first_line: int, raw: bool = False) -> Iterator[pl.DataFrame]:
    """Frames of `schema(dialect)` in file order; `stream` starts at a record on physical line `first_line`.

    A record that cannot be cut into the right fields has null cells and a reject code as its problem. With `raw` every record
    carries its own text (and takes the slow way).
    """
    line, held = first_line, b""
    for block in stream:
        held += block
        if len(held) < _SMALLEST:
            continue
        cut = _boundary(held, dialect)
        if cut == 0:
            if len(held) < _LARGEST_RECORDS:
                continue
            cut = held.rfind(b"\n") + 1 or len(held)
        chunk, held = held[:cut], held[cut:]
        frame, tail = _chunk(chunk, dialect, line, raw, final=False)
        if frame.height:
            yield frame
        done = chunk[: len(chunk) - len(tail)] if tail else chunk
        line += _line_ends(done)
        held = tail + held
    if held:
        frame, _ = _chunk(held, dialect, line, raw, final=True)
        if frame.height:
            yield frame


def _line_ends(data: bytes) -> int:
    """Physical line ends: CR LF, LF, or CR alone."""
    return encoding.line_feeds(data) + (data.count(b"\r") - data.count(b"\r\n") if b"\r" in data else 0)


def _boundary(data: bytes, dialect: Dialect) -> int:
    """Where the last whole record ends: after a line end with an even number of quotes before it; 0 when none is in reach.

    Where quotes come singly too (apostrophes, after backslashes), after any line end: the careful way hands back what is open.
    """
    cut = data.rfind(b"\n") + 1
    if not cut or dialect.escape or dialect.quote != '"' or b'"' not in data:
        return cut
    quotes = data.count(b'"', 0, cut)
    for _ in range(1000):
        if quotes % 2 == 0:
            return cut
        opening = data.rfind(b'"', 0, cut)
        before = data.rfind(b"\n", 0, opening) + 1
        if not before:
            return 0
        quotes -= data.count(b'"', before, cut)
        cut = before
    return 0


def _chunk(chunk: bytes, dialect: Dialect, line: int, raw: bool, final: bool) -> tuple[pl.DataFrame, bytes]:
    """The records of a chunk that starts at a record, and the tail not taken."""
    if not raw and _regular(chunk, dialect):
        frame = _fast(chunk, dialect, line)
        if frame is not None:
            return _without_nulls(frame, chunk, dialect), b""
    frame, tail = _slow(chunk, dialect, line, raw, final)
    return _without_nulls(frame, chunk, dialect), tail


def _without_nulls(frame: pl.DataFrame, chunk: bytes, dialect: Dialect) -> pl.DataFrame:
    """A cell that is `\\N`, as databases write one that holds nothing, holds nothing."""
    if _NULL.encode() not in chunk:
        return frame
    return frame.with_columns(
        pl.when(pl.col(name) == _NULL).then(pl.lit("")).otherwise(pl.col(name)).alias(name) for name in dialect.columns
    )


def _regular(chunk: bytes, dialect: Dialect) -> bool:
    if b"\0" in chunk or (b"\r" in chunk and chunk.count(b"\r") != chunk.count(b"\r\n")):
        return False
    quote = dialect.quote.encode()
    if quote not in chunk:
        return len(dialect.delimiter) == 1 or dialect.delimiter == BLANK or _STAND_IN not in chunk
    if (
        len(dialect.delimiter) > 1
        or dialect.padded
        or (dialect.escape and dialect.escape.encode() in chunk)
        or chunk.count(quote) % 2
    ):
        return False
    beside = rb"[\r\n" + quote + re.escape(dialect.delimiter.encode()) + rb"]"
    # a quote with neither a separator, a line end nor another quote beside it; led by the quote so that the search can leap
    return re.search(quote + rb"(?<!" + beside + quote + rb")(?!" + beside + rb")", chunk) is None


def _fast(chunk: bytes, dialect: Dialect, line: int) -> pl.DataFrame | None:
    """The chunk through pyarrow; None when the lines do not add up or a quoted field looks as if it had swallowed records."""
    import pyarrow as pa
    from pyarrow import csv

    delimiter = dialect.delimiter
    if delimiter == BLANK:
        chunk, delimiter = _BLANKS.sub(b"\t", _BLANK_ENDS.sub(b"", chunk)), "\t"
    elif len(delimiter) > 1:
        chunk, delimiter = chunk.replace(delimiter.encode(), _STAND_IN), _STAND_IN.decode()
    ragged: list[tuple[int, int, str]] = []

    def keep(row: csv.InvalidRow) -> str:
        ragged.append((row.number, row.actual_columns, row.text))
        return "skip"

    table = csv.read_csv(
        pa.BufferReader(chunk),
        read_options=csv.ReadOptions(use_threads=False, column_names=list(dialect.columns), block_size=len(chunk) + 1),
        parse_options=csv.ParseOptions(
            delimiter=delimiter,
            quote_char=dialect.quote,
            newlines_in_values=True,
            ignore_empty_lines=False,
            invalid_row_handler=keep,
        ),
        convert_options=csv.ConvertOptions(
            column_types=dict.fromkeys(dialect.columns, pa.large_string()),
            strings_can_be_null=False,
            quoted_strings_can_be_null=False,
        ),
    )
    good = pl.from_arrow(table)
    assert isinstance(good, pl.DataFrame)
    if dialect.padded:
        good = good.with_columns(pl.col(name).str.strip_prefix(" ") for name in dialect.columns[1:])
    total = good.height + len(ragged)
    physical = encoding.line_feeds(chunk) + (not chunk.endswith(b"\n"))
    if total == physical:
        starts = pl.int_range(line, line + total, dtype=pl.Int64, eager=True)
        if not ragged:
            return problems(good, dialect, starts)
        inner = None
    else:
        if any(dialect.quote in text for _, _, text in ragged):
            return None
        ends = good.select(pl.sum_horizontal(pl.all().str.count_matches("\n", literal=True)).cast(pl.Int64).alias("n"))["n"]
        many = good.filter(ends > 0)
        marks = pl.sum_horizontal(pl.all().str.count_matches(dialect.delimiter, literal=True))
        if total + ends.sum() != physical or many.select((marks >= dialect.width - 1).any()).item():
            return None
        inner = ends
    numbers = {number - 1 for number, _, _ in ragged}
    if len(numbers) != len(ragged) or (numbers and not 0 <= min(numbers) <= max(numbers) < total):
        return None
    order = pl.DataFrame({"record": pl.int_range(0, total, dtype=pl.Int64, eager=True)})
    places = order.filter(~pl.col("record").is_in(sorted(numbers)))["record"] if numbers else order["record"]
    length = pl.Series("length", [1], dtype=pl.Int64).new_from_index(0, total)
    if inner is not None:
        length = length.scatter(places.to_list(), (inner + 1).to_list()) if total else length
    starts = length.cum_sum() - length + line
    frame = problems(good, dialect, starts.gather(places))
    if ragged:
        bad = _ragged(ragged, dialect, starts)
        frame = pl.concat([frame, bad]).sort(LINE, maintain_order=True)
    return frame


def problems(good: pl.DataFrame, dialect: Dialect, starts: pl.Series) -> pl.DataFrame:
    """Whole records with their lines; lines with nothing on them and headers that come again are marked."""
    first = dialect.columns[0]
    none = pl.lit(None, dtype=pl.String)
    frame = good.with_columns(starts.alias(LINE), none.alias(PROBLEM), none.alias(DETAIL), none.alias(RAW))
    cells = [pl.col(name) for name in dialect.columns]
    began = good[first].str.strip_chars()
    if (began == "").any():
        blank = pl.all_horizontal(cell.str.strip_chars() == "" for cell in cells)
        frame = frame.with_columns(pl.when(blank).then(pl.lit("blank_row")).otherwise(pl.col(PROBLEM)).alias(PROBLEM))
    if dialect.header_line is not None and (began == first).any():
        again = pl.all_horizontal(
            cell.str.strip_chars().is_in([name, f"'{name}"])
            for cell, name in zip(cells, dialect.columns, strict=True)
            if name[0] != "#"
        )
        frame = frame.with_columns(pl.when(again).then(pl.lit("header_repeat")).otherwise(pl.col(PROBLEM)).alias(PROBLEM))
    if dialect.below:
        below = pl.col(LINE).is_in(dialect.below)
        frame = frame.with_columns(pl.when(below).then(pl.lit("header_repeat")).otherwise(pl.col(PROBLEM)).alias(PROBLEM))
    return frame


def _ragged(ragged: list[tuple[int, int, str]], dialect: Dialect, starts: pl.Series) -> pl.DataFrame:
    width = dialect.width
    problems = [
        "blank_row" if not text.strip() else "fields_few" if actual < width else "fields_many" for _, actual, text in ragged
    ]
    details = [
        None if problem == "blank_row" else f"{actual} of {width} fields"
        for problem, (_, actual, _) in zip(problems, ragged, strict=True)
    ]
    own = {LINE: starts.gather([number - 1 for number, _, _ in ragged]), PROBLEM: problems, DETAIL: details}
    return _empty_cells(pl.DataFrame(own, schema_overrides={DETAIL: pl.String}), dialect)


def _empty_cells(own: pl.DataFrame, dialect: Dialect) -> pl.DataFrame:
    none = pl.lit(None, dtype=pl.String)
    own = own.with_columns(none.alias(name) for name in (*dialect.columns, RAW) if name not in own.columns)
    return own.select(*dialect.columns, LINE, PROBLEM, DETAIL, RAW)


def _slow(chunk: bytes, dialect: Dialect, line: int, raw: bool, final: bool) -> tuple[pl.DataFrame, bytes]:
    records, tail = lines.strict(chunk.decode(), dialect.form, dialect.width, final)
    good = [record for record in records if record.fields is not None]
    cells = list(zip(*(record.fields or () for record in good), strict=True)) or [()] * dialect.width
    frame = pl.DataFrame(dict(zip(dialect.columns, cells, strict=True)), schema=dict.fromkeys(dialect.columns, pl.String))
    starts = pl.Series(LINE, [line + record.line for record in good], dtype=pl.Int64)
    frame = problems(frame, dialect, starts)
    if raw:
        frame = frame.with_columns(pl.Series(RAW, [record.raw for record in good], dtype=pl.String))
    bad = [record for record in records if record.fields is None]
    if bad:
        own = {
            LINE: pl.Series([line + record.line for record in bad], dtype=pl.Int64),
            PROBLEM: pl.Series([record.problem for record in bad], dtype=pl.String),
            DETAIL: pl.Series([record.detail for record in bad], dtype=pl.String),
            RAW: pl.Series([record.raw if raw else None for record in bad], dtype=pl.String),
        }
        frame = pl.concat([frame, _empty_cells(pl.DataFrame(own), dialect)]).sort(LINE, maintain_order=True)
    return frame, tail.encode()
