"""Workbooks (xlsx, xlsm, xlsb, xls, ods) as the same batches of text that structure makes from CSV.

It may not interpret a value, nor pick one of several tables. Cells become the text a person expects: whole numbers their digits,
other numbers their shortest form, dates ISO, errors such as #N/A themselves. A number of more than 15 digits is written as
1.2E+15: Excel has rounded it, so as an id it is destroyed. Formulas stand for their stored values, hidden rows are read like any
other, a merged cell's value stands in its first cell only, number formats such as 00000 are not applied.

What fastexcel (calamine) does, found by trial: told `dtypes="string"` it loses no text, but rounds numbers to 9 decimals,
writes midnight after every day and drops errors; told another dtype it gives null for what does not fit. So a sheet is read
once as text, once as truth values (null unless number or truth value) and, where that found something, as numbers and as spans
(null unless date or time), and the four are put together.
"""

from __future__ import annotations

import hashlib
import logging
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl

from clm.errors import DataError
from clm.ingest import dialect, extents, header, sources, structure
from clm.ingest.dialect import Dialect
from clm.ingest.evidence import Evidence
from clm.ingest.extents import Extent
from clm.ingest.sources import Source
from clm.ingest.structure import LINE
from clm.ingest.table import Table
from clm.settings import typed
from clm.storage.faults import footer, writing

_BATCH = 65_536
_LOOK_AT = 200
_EXACT = 10**15
_ERRORS = {
    "Div0": "#DIV/0!", "NA": "#N/A", "Name": "#NAME?", "Null": "#NULL!", "Num": "#NUM!", "Ref": "#REF!", "Value": "#VALUE!",
    "GettingData": "#GETTING_DATA",
}  # fmt: skip
_CONTAINERS = {"xlsx": "Excel workbook", "xls": "Excel workbook of before 2007", "ods": "OpenDocument workbook"}


def read(source: Source, sheet: str | None, spool: Path | None) -> Table:
    """The one sheet that holds something, or the one named by `--sheet`, with its header found as in a text file.

    The sheet is converted once, about 75 bytes a cell at its peak, and kept as Parquet in the folder `spool`, else in memory.
    Raises `DataError` for files that are damaged, protected or bombs, for several sheets, and for formulas never worked out.
    """
    known = extents.of(source)
    with _opened(source) as book:
        name, extent = _chosen(source, book, sheet, known)
        if extent.not_worked_out:
            raise DataError(
                f"{extent.not_worked_out:,} formulas of {source.name} have no stored value.",
                where=f"{source.name}, sheet {name}",
                fix="open it in a spreadsheet program and save it, or save the sheet as CSV.",
                code="formulas",
            )
        cells = _cells(source, book, name)
    if extent.filled and not cells.height:
        raise sources.damaged(source, f"nothing of the sheet {name} can be read")
    found, width = _header(cells, f"{source.name}, sheet {name}")
    names = dict(zip(cells.columns, found.columns, strict=False))
    body = cells.slice(found.first_line - 1).select(cells.columns[:width]).rename(names)
    lines = pl.int_range(found.first_line, found.first_line + body.height, dtype=pl.Int64, eager=True).alias(LINE)
    return Table(
        columns=found.columns,
        rows=body.height,
        batches=_batches(body.with_columns(lines), found, source, spool),
        evidence=tuple(_evidence(source, name, cells.height, found, extent)),
        headed=found.header_line is not None,
        left_out=found.left_out,
        padded=extent.padded,
    )


@contextmanager
def _opened(source: Source) -> Iterator[Any]:
    """The workbook, with everything fastexcel says about damaged bytes made one answer; what is inside only reads it."""
    import fastexcel

    # calamine logs what it skips, and Python prints the log of whoever has no handler
    quiet = logging.getLogger("calamine")
    if not quiet.handlers:
        quiet.addHandler(logging.NullHandler())
        quiet.propagate = False
    try:
        data = source.path.read_bytes()
    except OSError as error:
        raise sources.unreadable(source.path, error) from None
    try:
        yield fastexcel.read_excel(data)
    except (fastexcel.FastExcelError, ValueError) as error:
        raise sources.damaged(source, str(error).splitlines()[0].removeprefix("calamine error: ")) from None
    except BaseException as error:
        # A panic of Rust is no Exception: a number of 1e300 formatted as a day makes chrono panic.
        if type(error).__name__ != "PanicException":
            raise
        raise sources.damaged(source, "a cell cannot be read") from None


def _chosen(source: Source, book: Any, sheet: str | None, known: list[Extent] | None) -> tuple[str, Extent]:
    names: list[str] = list(book.sheet_names)
    found = dict(zip(names, known, strict=True)) if known is not None and len(known) == len(names) else {}
    shown = ", ".join(names[:10]) + (", …" if len(names) > 10 else "")
    if sheet is not None:
        if sheet not in names:
            raise DataError(
                f"{source.name} has no sheet {sheet}.",
                where=f"{source.name}: {shown}",
                fix="name one of them.",
                code="no_such_sheet",
            )
        return sheet, found.get(sheet, Extent())
    filled = [name for name in names if (found[name].filled if found else _load(book, name, "string").height)]
    if len(filled) > 1:
        raise DataError(
            f"{source.name} has {len(filled)} sheets that hold something.",
            where=f"{source.name}: {shown}",
            fix=f"say which: {typed('sheet', filled[0])}",
            code="sheet",
        )
    if not filled:
        raise _empty(source.name)
    return filled[0], found.get(filled[0], Extent())


def _empty(where: str) -> DataError:
    return DataError(f"{where} is empty.", where=where, fix="give a file with a header and records.", code="empty")


def _load(book: Any, name: str, dtype: str, columns: list[str] | None = None) -> Any:
    # skip_rows=0: rows count from the first of the sheet; None would leave out empty ones at the top. Columns count from the
    # first filled one, but numbers in use_columns count from A: so they are asked for by name.
    return book.load_sheet(name, header_row=None, skip_rows=0, dtypes=dtype, use_columns=columns)


def _frame(batch: Any, columns: list[int] | None = None) -> pl.DataFrame:
    frame = pl.from_arrow(batch)
    assert isinstance(frame, pl.DataFrame)
    places = range(frame.width) if columns is None else columns
    return frame.rename({name: str(place) for name, place in zip(frame.columns, places, strict=True)})


def _cells(source: Source, book: Any, name: str) -> pl.DataFrame:
    """The text of every cell of the sheet from its first row on; no cell is null."""
    sheet = _load(book, name, "string")
    extents.check(source, sheet.height, sheet.width)
    if not sheet.height or not sheet.width:
        return pl.DataFrame()
    batch, errors = sheet.to_arrow_with_errors()
    names, text = list(batch.schema.names), _frame(batch)
    wrong = [(*one.position, one.detail) for one in errors.errors] if errors else []
    del sheet, batch, errors
    truth = _frame(_load(book, name, "boolean").to_arrow())
    numeric = [place for place in range(text.width) if truth[str(place)].null_count() < truth.height]
    dated = text.select(pl.all().str.contains(r"^[+-]?\d{4,}-\d\d-\d\d \d\d:\d\d:\d\d").any()).row(0)
    spans = sorted(
        {place for place in range(text.width) if dated[place]} | {column for _, column, said in wrong if "Iso" in said}
    )
    numbers = (
        _frame(_load(book, name, "float", [names[one] for one in numeric]).to_arrow(), numeric) if numeric else pl.DataFrame()
    )
    times = _frame(_load(book, name, "duration", [names[one] for one in spans]).to_arrow(), spans) if spans else pl.DataFrame()
    for place in numeric:
        text = text.with_columns(_numbers(text[str(place)], truth[str(place)], numbers[str(place)]))
    for place in spans:
        text = text.with_columns(_moments(text[str(place)], times[str(place)]))
    text = text.with_columns(pl.all().fill_null(""))
    by_column: dict[int, dict[int, str]] = {}
    for row, column, said in wrong:
        if "Error(" in said:
            by_column.setdefault(column, {})[row] = _ERRORS.get(said.partition("Error(")[2].partition(")")[0], "#ERROR")
    return text.with_columns(text[str(column)].scatter(list(found), list(found.values())) for column, found in by_column.items())


def _numbers(text: pl.Series, truth: pl.Series, number: pl.Series) -> pl.Series:
    """Numbers in their shortest form, truth values as Excel shows them, and the other cells as they are."""
    frame = pl.DataFrame({"text": text, "number": number, "is": truth.is_not_null()})
    value, size = pl.col("number"), pl.col("number").abs()
    whole = (value == value.round(0)) & (size < _EXACT)
    common = whole | ((size < _EXACT) & (size >= 1e-4))
    made = frame.select(
        pl.when(~pl.col("is"))
        .then(pl.col("text"))
        .when(pl.col("text").is_in(["true", "false"]))
        .then(pl.col("text").str.to_uppercase())
        .when(whole)
        .then(pl.when(whole).then(value).cast(pl.Int64).cast(pl.String))
        .when(common)
        .then(value.cast(pl.String))
        .alias(text.name)
    )[text.name]
    rare = (made.is_null() & truth.is_not_null()).arg_true()
    return made.scatter(rare, [_written(one) for one in number.gather(rare)]) if rare.len() else made


def _written(number: float) -> str:
    exact = Decimal(repr(number)).normalize()
    return f"{exact:E}" if abs(exact) >= _EXACT else f"{exact:f}"


def _moments(text: pl.Series, span: pl.Series) -> pl.Series:
    """Days without midnight, times of day without a day; a span that has no text (ods) as hours, minutes and seconds."""
    frame = pl.DataFrame({"text": text, "span": span.dt.total_milliseconds()})
    value, cell = pl.col("span"), pl.col("text")
    seconds = value // 1000
    hours, minutes, rest = (part.cast(pl.String).str.zfill(2) for part in (seconds // 3600, seconds // 60 % 60, seconds % 60))
    return frame.select(
        pl.when(value.is_null())
        .then(cell)
        .when(cell.is_null())
        .then(pl.concat_str(hours, minutes, rest, separator=":"))
        .when(value.is_between(0, 86_400_000, closed="left"))
        .then(cell.str.slice(cell.str.find(" ", literal=True) + 1))
        .otherwise(cell.str.strip_suffix(" 00:00:00"))
        .alias(text.name)
    )[text.name]


def _header(cells: pl.DataFrame, where: str) -> tuple[Dialect, int]:
    """Where the table begins, decided as for a text file, and how many columns it has."""
    rows = [(line, [cell.strip() for cell in row]) for line, row in enumerate(cells.head(_LOOK_AT).iter_rows(), 1)]
    rows = [(line, row) for line, row in rows if any(row)]
    if not rows:
        raise _empty(where)
    counts = Counter(len(_filled(row)) for _, row in rows)
    usual = max(counts, key=lambda one: (counts[one] * one, one))  # the width most cells are in: not that of a long preamble
    first = next(place for place, (_, row) in enumerate(rows) if len(_filled(row)) >= usual)
    below = cells.slice(rows[first][0] - 1).select((pl.all().str.strip_chars() != "").any()).row(0)
    width = max(place for place, there in enumerate(below) if there) + 1
    # names may begin in the rows right above; what is further up, or alone on its row, stands beside the table
    top = first
    while top and rows[top - 1][0] == rows[top][0] - 1 and len(_filled(rows[top - 1][1])) > 1:
        top -= 1
    records = [(line, _filled(row)[: width - 1]) for line, row in rows[:top]] + [(line, row[:width]) for line, row in rows[top:]]
    found = header.find(records, width)
    above, left = dialect.told_above(records, found, width), header.check_above(records, found, where)
    if found.names is None:
        columns = tuple(f"#{place + 1}" for place in range(width))
        return Dialect("", columns, None, records[found.at][0], False, "", above=above, left_out=left), width
    line = records[found.at][0]
    names = dialect.unique_names(found.names)
    return Dialect("", names, line, line + 1, False, "", below=found.below, above=above, left_out=left), width


def _filled(row: list[str]) -> list[str]:
    return [cell for cell in row if cell]


def _batches(body: pl.DataFrame, found: Dialect, source: Source, spool: Path | None) -> Callable[[bool], Iterator[pl.DataFrame]]:
    """The rows in slices, from a copy on disk when there is a folder for it: many workbooks then take the memory of one."""
    rows = body.height
    kept = body.lazy()
    if spool is not None:
        copy = spool / f"sheet-{source.sha256[:16]}-{hashlib.sha256(repr(found).encode()).hexdigest()[:8]}.parquet"
        with writing(copy), footer(copy):
            body.write_parquet(copy, row_group_size=_BATCH)
        kept = pl.scan_parquet(copy, glob=False)

    def batches(_raw: bool) -> Iterator[pl.DataFrame]:
        for start in range(0, rows, _BATCH):
            frame = kept.slice(start, _BATCH).collect()
            yield structure.problems(frame.drop(LINE), found, frame[LINE])

    return batches


def _evidence(source: Source, name: str, rows: int, found: Dialect, extent: Extent) -> Iterator[Evidence]:
    yield Evidence(f"{source.name}: container", f"{_CONTAINERS[source.kind]}, sheet {name}, {rows:,} rows", "magic bytes")
    headless = found.header_line is None
    why = "the first full row already holds numbers or dates" if headless else "names, no numbers or dates"
    yield Evidence(f"{source.name}: header", found.header_shown, why)
    if extent.hidden_rows:
        yield Evidence(f"{source.name}: hidden rows", f"{extent.hidden_rows:,}, read like any other", "a filter only hides them")
    if extent.merged:
        yield Evidence(f"{source.name}: merged cells", f"{extent.merged:,}, each a value and empty cells", "nothing is filled in")
