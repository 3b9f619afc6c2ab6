"""What a record says: its cells as ids, words, numbers and moments, under clm's own names so that none hides a file's column.

It may not judge, nor look across rows.
"""

from __future__ import annotations

from functools import partial

import polars as pl

from clm.ingest import dates, native, numbers
from clm.ingest.notation import joined
from clm.ingest.numbers import Mark
from clm.ingest.reading import KEY_ROLES, NUMBER_ROLES, TEXT_ROLES, Reading
from clm.ingest.scan import SOURCE
from clm.settings import CleanSettings
from clm.stages.clean import ids
from clm.stages.clean.cells import Cell

# a row that names an order and has no amount, in a log of one row per order
LINE_ROW = "clm:line_row"

_SAME_CURRENCY = {"RMB": "CNY", "￥": "CNY", "人民币": "CNY", "元": "CNY", "STG": "GBP", "EURO": "EUR", "US$": "USD"}


def kept_as(name: str) -> str:
    """What a `--keep` column is called until it is written out: no name of a file's can hide one of ours."""
    return f"clm:keep:{name}"


def native_columns(reading: Reading, schema: pl.Schema) -> set[str]:
    """The columns whose cells are read as what they are in their file: each use of them can do without their text."""
    uses = [(role, column) for role, columns in reading.roles.items() for column in columns]
    return {column for _, column in uses} - {column for role, column in uses if not _fits(role, column, reading, schema[column])}


def _fits(role: str, column: str, reading: Reading, dtype: pl.DataType) -> bool:
    cell = pl.col(column)
    if role in KEY_ROLES:
        return native.plain_id(cell, dtype) is not None
    if role in NUMBER_ROLES:
        return native.plain_number(cell, dtype, reading.marks[column]) is not None
    if role == "ordered_at":
        wall = reading.dates.only is None and not reading.dates.universal and not reading.dates.offsets
        return wall and len(reading.roles[role]) == 1 and native.moment(cell, dtype) is not None
    return True


def read(reading: Reading, settings: CleanSettings, schema: pl.Schema) -> dict[str, Cell]:
    """Cells as ids, words, number texts and moments, in clm's own name space so that none hides a column of the file."""
    made: dict[str, Cell] = {}
    text = partial(_passed, reading) if reading.ours else ids.words
    for role in KEY_ROLES:
        if role in reading.roles:
            column = reading.roles[role][0]
            cell = pl.col(column)
            by_type = native.plain_id(cell, schema[column])
            plain, quick = (ids.plain(cell), cell) if by_type is None else (by_type, native.as_text(cell, schema[column]))
            made[role] = Cell(_passed(reading, cell)) if reading.ours else Cell(ids.tidy(cell), plain, quick)
    if settings.nobody:
        known = made["customer_id"]
        chosen = None if known.quick is None else ids.unless_nobody(known.quick, settings.nobody)
        made["customer_id"] = Cell(ids.unless_nobody(known.general, settings.nobody), known.plain, chosen)
    for role in TEXT_ROLES:
        if role in reading.roles:
            made[role] = Cell(text(pl.col(reading.roles[role][0])))
    if "currency" in made and not reading.ours:
        made["currency"] = Cell(_currency(made["currency"].general))
    for role in NUMBER_ROLES:
        if role in reading.roles and _money(role, reading, schema) is None:
            column = reading.roles[role][0]
            cell, mark = pl.col(column), reading.marks[column]
            plain, quick = _number(cell, schema[column], mark)
            made[f"number:{role}"] = Cell(numbers.canonical(cell, mark), plain, quick)
    if source := priced(reading):
        cell = pl.col(source)
        made["symbol"] = Cell(numbers.symbol(cell), _number(cell, schema[source], ".")[0], pl.lit(None, dtype=pl.String))
    for name in reading.keep:
        made[kept_as(name).removeprefix("clm:")] = Cell(text(pl.col(name)))
    when = joined(reading.roles["ordered_at"])
    native_moment = native.moment(when, schema[reading.roles["ordered_at"][0]])
    usual = dates.usual(when, reading.dates) if native_moment is None else native_moment
    made["moment"] = Cell(dates.parsed(when, reading.dates, settings.tz), usual.is_not_null(), usual)
    if reading.dates.offsets:
        made["offset"] = Cell(dates.offset_minutes(when))
    if reading.ours:
        made |= {"kind": Cell(pl.col("kind")), "flags": Cell(_passed(reading, pl.col("flags")))}
        made["source_line"] = Cell(pl.col("source_line").cast(pl.Int64, strict=False))
        if "source_file" in reading.roles:
            made["source_file"] = Cell(_passed(reading, pl.col("source_file")))
    return {f"clm:{name}": cell for name, cell in made.items()}


def _number(cell: pl.Expr, dtype: pl.DataType, mark: Mark) -> tuple[pl.Expr, pl.Expr]:
    """Whether a number is canonical as it stands, and how it stands."""
    by_type = native.plain_number(cell, dtype, mark)
    return (numbers.plain(cell, mark), cell) if by_type is None else (by_type, native.as_text(cell, dtype))


def priced(reading: Reading) -> str | None:
    """The column whose cells may carry a currency sign."""
    return None if reading.ours else reading.column("amount") or (reading.column("unit_price") if reading.has_amounts else None)


def _money(role: str, reading: Reading, schema: pl.Schema) -> Cell | None:
    """The money of a column of numbers that nothing is multiplied with or taken off; None for any other."""
    if role == "amount":
        alone = not {"discount", "returned_amount"} & reading.roles.keys()
    else:
        alone = role == "cost" or (role == "quantity" and ("amount" in reading.roles or "unit_price" not in reading.roles))
    column = reading.roles[role][0]
    cell, mark = pl.col(column), reading.marks[column]
    found = native.money(cell, schema[column], mark) if alone else None
    return None if found is None else Cell(numbers.money(numbers.canonical(cell, mark)), *found)


def typed(reading: Reading, schema: pl.Schema) -> dict[str, Cell]:
    """Cells that are made of those of `read`, or of numbers as they stand."""
    made = {"clm:ordered_at": Cell(dates.sane(pl.col("clm:moment"))), "clm:amount": _amount(reading, schema)}
    for role in ("quantity", "cost"):
        if role in reading.roles:
            made[f"clm:{role}"] = _money(role, reading, schema) or Cell(numbers.money(number(role)))
    if reading.one_row_per_order:
        empty = pl.col(reading.roles["amount"][0]).fill_null("").str.strip_chars() == ""
        made[LINE_ROW] = Cell(empty & pl.col("clm:order_id").is_not_null())
    return made


def _passed(reading: Reading, cell: pl.Expr) -> pl.Expr:
    """A text cell of our own table as it is; nothing is null."""
    if not reading.exported:
        return pl.when(cell != "").then(cell)
    exported = pl.col(SOURCE).is_in(list(reading.exported))
    return pl.when(cell != "").then(pl.when(exported).then(ids.restored(cell)).otherwise(cell))


def _currency(word: pl.Expr) -> pl.Expr:
    upper = word.str.to_uppercase()
    same = pl.lit(None, dtype=pl.String)
    for written, code in _SAME_CURRENCY.items():
        same = pl.when(upper == written).then(pl.lit(code)).otherwise(same)
    return pl.coalesce(same, upper)


def number(role: str) -> pl.Expr:
    return pl.col(f"clm:number:{role}")


def _amount(reading: Reading, schema: pl.Schema) -> Cell:
    """What was paid for the line: as given, or quantity × unit price, less the discount, less what was given back."""
    if not reading.has_amounts:
        return Cell(pl.lit(None, dtype=numbers.LINE))
    if "amount" in reading.roles and (as_it_stands := _money("amount", reading, schema)):
        return as_it_stands
    first, second = ("amount", None) if "amount" in reading.roles else ("quantity", "unit_price")
    others = (number(role) if role in reading.roles else None for role in (second, "discount", "returned_amount"))
    paid = numbers.line_money(number(first), *others)
    if second is None or {"discount", "returned_amount"} & reading.roles.keys():
        return Cell(paid)
    short = numbers.short_product(number(first), number(second))
    return Cell(paid, short.is_not_null(), short)


def currency_code(given: str) -> str:
    upper = given.strip().upper()
    return _SAME_CURRENCY.get(upper, upper)
