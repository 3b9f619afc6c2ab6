"""`judge`: every record by itself: typed, and either good or given the first reason that applies.

It may not look across rows: sums, repeats and shares are for `settle`. Everything streams.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import partial

import polars as pl

from clm.ingest import alike, native, numbers, statuses
from clm.ingest.notation import joined
from clm.ingest.reading import TEXT_ROLES, Reading
from clm.ingest.scan import AGAIN, FILE, PRINT, SOURCE
from clm.ingest.structure import DETAIL, LINE, PROBLEM, RAW
from clm.settings import CleanSettings
from clm.stages.clean import cells, ids, meanings
from clm.stages.clean.cells import Cell

REASON, COLUMN, RETURN, OFFSET, SYMBOL = "clm:reason", "clm:column", "clm:return", "clm:offset", "clm:symbol"
WORD = "clm:word"
MOVED = "columns in another order"

TOTALS = (
    r"(?i)^\s*(?:(?:grand|sub)?[\s-]*totals?|sums?|totals? g[eé]n[eé]ral|(?:sous|sub)[\s-]*totale?s?|totales?|totaal|somm[ae]"
    r"|suma|soma|(?:gesamt|zwischen|end)?summe|gesamt(?:betrag)?|insgesamt|итого|всего|общий итог"
    r"|(?:本页|本頁|本月|本日)?(?:合计|总计|小计|共计|合計|總計|小計|総計)|汇总|累计|总额|합계|총계|소계)\s*[:：]?\s*$"
)


@dataclass(frozen=True)
class _Reason:
    """A code, when it applies, and the column whose cell shows why (None: the record as a whole); `detail` says it instead.

    `may` is a quick look at a batch that lets none pass in which it applies.
    """

    code: str
    when: pl.Expr
    column: str | None = None
    cell: pl.Expr | None = None
    detail: str | None = None
    may: Callable[[pl.DataFrame], bool] = lambda _batch: True


def _lacks(name: str) -> Callable[[pl.DataFrame], bool]:
    """For a reason that only a record without this value can have."""
    return lambda batch: batch[name].null_count() > 0


def judge(text: pl.LazyFrame, reading: Reading, settings: CleanSettings) -> pl.LazyFrame:
    """Type and judge each row of a `TextLog.frame`, or of its `records`: what comes out is the same.

    One row is one record of a source. Out come the columns of TRANSACTIONS that are known so far (without `kind`), `--keep`
    columns, and clm's own: where the record stands, `clm:reason` (null = good), the column and shape of what is wrong, whether
    it is a return by itself, and what `settle` needs to find repeats. The amount is there wherever it can be read.
    """
    if reading.called:
        text = text.with_columns(alike.unified(reading.called))
    needed = text.select(_needed(reading, settings))
    needed = native.texted(needed, needed.collect_schema(), but=meanings.native_columns(reading, needed.collect_schema()))
    header = tuple(name for name in text.collect_schema() if not name.startswith("clm:"))
    types = needed.collect_schema()
    said = meanings.read(reading, settings, types), meanings.typed(reading, types)
    judged = partial(_judged, said=said, reading=reading, settings=settings, header=header)
    # batch by batch, because only then can it be seen that no cell of a batch needs the general reading, which costs ten times
    # as much as the plain one
    schema = judged(pl.DataFrame(schema=types)).schema
    return needed.map_batches(judged, schema=schema, streamable=True)


def _needed(reading: Reading, settings: CleanSettings) -> list[str]:
    own = [SOURCE, FILE, LINE, PROBLEM, DETAIL, AGAIN]
    own += [RAW] if settings.rejects_raw else []
    own += [PRINT] if settings.duplicates != "keep" else []
    columns = [column for several in reading.roles.values() for column in several]
    columns += [one.column for one in (reading.test, reading.only) if one is not None]
    return list(dict.fromkeys([*own, *columns, *reading.text_columns, *reading.keep]))


def _judged(
    text: pl.DataFrame,
    said: tuple[dict[str, Cell], dict[str, Cell]],
    reading: Reading,
    settings: CleanSettings,
    header: tuple[str, ...],
) -> pl.DataFrame:
    typed = cells.read(cells.read(text, said[0]), said[1])
    typed = cells.beside(typed, cells.seen(typed, [_returned(reading).alias(RETURN), _word(reading).alias(WORD)]))
    undated = typed["clm:ordered_at"].null_count() > 0  # else no record can be a header
    reasons = _ours_reasons(reading, settings) if reading.ours else _reasons(reading, settings, header if undated else ())
    reasons = [one for one in reasons if one.may(typed)] or reasons[:1]
    names = [f"clm:applies:{place}" for place in range(len(reasons))]
    when = [(pl.col(PROBLEM).is_null() & one.when).alias(name) for name, one in zip(names, reasons, strict=True)]
    applies = cells.seen(typed, when)
    bad = applies.select(pl.any_horizontal(pl.all())).to_series() | typed[PROBLEM].is_not_null()
    why = cells.of_some(cells.beside(typed, applies), bad, _why(reasons, [pl.col(name) for name in names]))
    return cells.beside(typed.drop(DETAIL), why).select(_columns(reading, settings))


def _why(reasons: list[_Reason], applies: list[pl.Expr]) -> list[pl.Expr]:
    """Reason, column and detail of the first reason that applies."""
    return [
        pl.coalesce(
            pl.col(PROBLEM), *(pl.when(when).then(pl.lit(one.code)) for when, one in zip(applies, reasons, strict=True))
        ).alias(REASON),
        _first(applies, [pl.lit(one.column, dtype=pl.String) for one in reasons]).alias(COLUMN),
        pl.coalesce(
            pl.col(DETAIL),
            _first(applies, [pl.lit(one.detail, dtype=pl.String) for one in reasons]),
            ids.shape(_first(applies, [pl.lit(None, dtype=pl.String) if one.cell is None else one.cell for one in reasons])),
        ).alias(DETAIL),
    ]


def _first(applies: list[pl.Expr], values: list[pl.Expr]) -> pl.Expr:
    """The value of the first reason that applies, even when that value is null."""
    chain = pl.when(applies[0]).then(values[0])
    for when, value in zip(applies[1:], values[1:], strict=True):
        chain = chain.when(when).then(value)  # type: ignore[assignment]
    return chain.otherwise(None)


def _columns(reading: Reading, settings: CleanSettings) -> list[pl.Expr]:
    own = [SOURCE, FILE, LINE, AGAIN, REASON, COLUMN, DETAIL, RETURN]
    own += [RAW] if settings.rejects_raw else []
    own += [PRINT] if settings.duplicates != "keep" else []
    own += [SYMBOL] if meanings.priced(reading) else []
    own += [OFFSET] if reading.dates.offsets else []
    own += [WORD] if "status" in reading.roles else []
    own += [meanings.LINE_ROW] if reading.one_row_per_order else []
    names = ["customer_id", "ordered_at", "amount"]
    names += [role for role in ("order_id", "line_id", "product_id", *TEXT_ROLES, "quantity", "cost") if role in reading.roles]
    if reading.ours:
        names += ["kind", "flags", *(name for name in ("source_file", "source_line") if name in reading.roles)]
    kept = [pl.col(meanings.kept_as(name)) for name in reading.keep]
    return [pl.col(name) for name in own] + [pl.col(f"clm:{name}").alias(name) for name in names] + kept


def _returned(reading: Reading) -> pl.Expr:
    """Whether the record is a return by itself: by a negative quantity, by its status, or as a cancellation document.

    The last needs money below zero too: an id may begin with C for other reasons.
    """
    if reading.ours:
        return pl.col("kind") == "return"
    signs: list[pl.Expr] = [pl.lit(False)]
    if "quantity" in reading.roles:
        signs.append((pl.col("clm:quantity") < 0).fill_null(False))
    if reading.cancellation_documents:
        document = pl.col(reading.roles["order_id"][0]).str.strip_chars().str.contains(r"^[Cc]\d+$")
        signs.append((document & (pl.col("clm:amount") < 0)).fill_null(False))
    if status := reading.column("status"):
        said = statuses.said(pl.col(status))
        undone = said.is_in(list(reading.words.undone)) & (pl.col("clm:amount") < 0)
        signs.append((said.is_in(list(reading.words.returned)) | undone).fill_null(False))
    return pl.any_horizontal(signs)


def _word(reading: Reading) -> pl.Expr:
    """What the status says, where that is not known to be a sale as good as any."""
    status = reading.column("status")
    if status is None or reading.ours:
        return pl.lit(None, dtype=pl.String)
    said = statuses.said(pl.col(status))
    words = reading.words
    known = [*words.sale, *words.returned, *words.undone, *words.cancelled, *(reading.only.words if reading.only else ())]
    return pl.when((said != "") & ~said.is_in(known)).then(said)


def _reasons(reading: Reading, settings: CleanSettings, header: tuple[str, ...]) -> list[_Reason]:
    """Every reason in the fixed order of the codes; a totals row is no order, so it comes before what an order lacks."""
    found: list[_Reason] = []
    no_date = pl.col("clm:ordered_at").is_null()
    named = reading.text_columns if header else ()
    total = pl.any_horizontal(
        pl.lit(False), *(pl.when(no_date).then(pl.col(name)).str.contains(TOTALS).fill_null(False) for name in named)
    )
    if "order_id" in reading.roles:
        # a row that gives itself a day is a total when customer and order both say so
        both = pl.when(pl.col("clm:customer_id") == pl.col("clm:order_id")).then(pl.col("clm:customer_id"))
        total = total | both.str.contains(TOTALS).fill_null(False)
    found.append(_Reason("totals_row", total))
    if header:
        found.append(_Reason("header_repeat", _moved(reading, header, no_date), detail=MOVED))
    when = joined(reading.roles["ordered_at"])
    found.append(_Reason("date", no_date, "+".join(reading.roles["ordered_at"]), when, may=_lacks("clm:ordered_at")))
    found += _early(reading, settings)
    found += _unreadable_numbers(reading)
    customer = reading.roles["customer_id"][0]
    found.append(_Reason("no_customer", pl.col("clm:customer_id").is_null(), customer, may=_lacks("clm:customer_id")))
    order = reading.column("order_id")
    if order is not None:
        found.append(_Reason("no_order", pl.col("clm:order_id").is_null(), order, may=_lacks("clm:order_id")))
    for role, column in (("customer_id", customer), ("order_id", order)):
        if column is not None:
            # an id that is plain holds no plus sign
            odd = pl.when(~pl.col(f"clm:{role}:plain")).then(pl.col(f"clm:{role}"))
            destroyed = odd.str.contains(ids.DESTROYED).fill_null(False) | ids.rounded(pl.col(f"clm:{role}"))
            found.append(_Reason("id_destroyed", destroyed, column, pl.col(column), may=partial(_odd_ids, role=role)))
    found += _future(reading, settings)
    if reading.test is not None:
        cell = pl.col(reading.test.column)
        test = statuses.said(cell).is_in(list(reading.test.words)).fill_null(False)
        found.append(_Reason("test_order", test, reading.test.column, cell))
    status = reading.column("status")
    if status is not None:
        said = statuses.said(pl.col(status))
        undone = said.is_in(list(reading.words.undone)) & ~pl.col(RETURN)
        cancelled = said.is_in(list(reading.words.cancelled)) | undone
        found.append(_Reason("cancelled", cancelled.fill_null(False), status, pl.col(status)))
    currency = reading.column("currency")
    if currency is not None and settings.currency is not None:
        other = pl.col("clm:currency").fill_null("") != meanings.currency_code(settings.currency)
        found.append(_Reason("currency_other", other, currency, pl.col(currency)))
    elif settings.currency is not None and (priced := meanings.priced(reading)):
        code = meanings.currency_code(settings.currency)
        other = pl.any_horizontal(pl.col(SYMBOL) == sign for sign, codes in numbers.SIGNS.items() if code not in codes)
        codes = sorted({one for several in numbers.SIGNS.values() for one in several} - {code})
        found.append(_Reason("currency_other", (other | pl.col(SYMBOL).is_in(codes)).fill_null(False), priced, pl.col(priced)))
    if reading.only is not None:
        cell = pl.col(reading.only.column)
        other = ~statuses.said(cell).is_in(list(reading.only.words)).fill_null(False)
        found.append(_Reason("not_a_sale", other, reading.only.column, cell))
    return found


def _odd_ids(batch: pl.DataFrame, role: str) -> bool:
    """Whether an id may be destroyed: one that is not plain, or long enough for a float to have rounded it."""
    longest = batch[f"clm:{role}"].str.len_bytes().max()
    return not batch[f"clm:{role}:plain"].all() or (isinstance(longest, int) and longest >= ids.SHORTEST_ROUNDED)


def _moved(reading: Reading, header: tuple[str, ...], no_date: pl.Expr) -> pl.Expr:
    """Whether the record is a header again, with the columns read here in other places: what follows is not what it seems."""
    columns = list(dict.fromkeys([*(column for several in reading.roles.values() for column in several), *reading.keep]))
    said = [pl.when(no_date).then(pl.col(column)).str.strip_chars().str.to_lowercase() for column in columns]
    names = [name.lower() for name in header]
    some = pl.sum_horizontal(cell.is_in(names).fill_null(False).cast(pl.Int8) for cell in said)
    stays = pl.all_horizontal(cell.eq_missing(pl.lit(name.lower())) for cell, name in zip(said, columns, strict=True))
    return (some >= 2) & (some * 2 > len(columns)) & ~stays


def _future(reading: Reading, settings: CleanSettings) -> list[_Reason]:
    if not isinstance(settings.until, date):
        return []
    after = pl.lit(datetime.combine(settings.until + timedelta(days=1), time()))
    columns = reading.roles["ordered_at"]
    return [_Reason("future", (pl.col("clm:ordered_at") >= after).fill_null(False), "+".join(columns), joined(columns))]


def _early(reading: Reading, settings: CleanSettings) -> list[_Reason]:
    """Days that somebody said are none."""
    if not isinstance(settings.since, date):
        return []
    before = pl.lit(datetime.combine(settings.since, time()))
    columns = reading.roles["ordered_at"]
    return [_Reason("date", (pl.col("clm:ordered_at") < before).fill_null(False), "+".join(columns), joined(columns))]


def _unreadable_numbers(reading: Reading) -> list[_Reason]:
    """`amount` for money that cannot be read, `quantity` for units that cannot."""
    amounts: list[_Reason] = []
    quantities: list[_Reason] = []
    if "quantity" in reading.roles:
        column = reading.roles["quantity"][0]
        needed = reading.has_amounts and "amount" not in reading.roles
        unread = pl.col("clm:quantity").is_null()
        bad = unread if needed else (pl.when(unread).then(pl.col(column)).str.strip_chars() != "").fill_null(False)
        quantities.append(_Reason("quantity", bad, column, pl.col(column), may=_lacks("clm:quantity")))
    if reading.has_amounts:
        source = "amount" if "amount" in reading.roles else "unit_price"
        column = reading.roles[source][0]
        bad = pl.col("clm:amount").is_null()
        if source == "unit_price":
            # a quantity that cannot be read leaves no amount either, but the price is not to blame
            bad = bad & (meanings.number("unit_price").is_null() | pl.col("clm:quantity").is_not_null())
        amounts.append(_Reason("amount", bad, column, pl.col(column), may=_lacks("clm:amount")))
        for role in ("discount", "returned_amount"):
            if role in reading.roles:
                column = reading.roles[role][0]
                bad = (pl.col(column).str.strip_chars() != "") & meanings.number(role).is_null()
                lacking = _lacks(f"clm:number:{role}")
                amounts.append(_Reason("amount", bad.fill_null(False), column, pl.col(column), may=lacking))
    return amounts + quantities


def _ours_reasons(reading: Reading, settings: CleanSettings) -> list[_Reason]:
    """TRANSACTIONS that somebody edited by hand can be broken too."""
    amount = (pl.col("amount") != "") & pl.col("clm:amount").is_null()
    return [
        _Reason("date", pl.col("clm:ordered_at").is_null(), "ordered_at", pl.col("ordered_at")),
        _Reason("amount", amount.fill_null(False), "amount", pl.col("amount")),
        _Reason("no_customer", pl.col("clm:customer_id").is_null(), "customer_id"),
        _Reason("no_order", pl.col("clm:order_id").is_null(), "order_id"),
        *_early(reading, settings),
        *_future(reading, settings),
        _Reason("not_a_sale", ~pl.col("kind").is_in(["sale", "return"]).fill_null(False), "kind", pl.col("kind")),
    ]
