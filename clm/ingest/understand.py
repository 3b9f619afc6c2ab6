"""`understand`: from text to a `Reading`: roles, number notation, date format, each decided on the cells, with its evidence.

It may not guess. What two readings fit equally well is put to the whole column, and if they still tie, to the user: `DataError`
with both readings and the option that settles it.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from clm.errors import DataError
from clm.ingest import dates, numbers, roles, unused
from clm.ingest.dates import DateFormat
from clm.ingest.dialect import exported
from clm.ingest.evidence import Evidence
from clm.ingest.numbers import Mark
from clm.ingest.reading import NUMBER_ROLES, Reading
from clm.ingest.structure import PROBLEM
from clm.ingest.text import TextLog
from clm.outcome import Notice
from clm.settings import CleanSettings
from clm.tables import TRANSACTIONS

_ENOUGH = 0.95
_SEVERAL_ORDERS, _SEVERAL_PRICES = 10, 3
_EXAMPLE = "05/03/2024"


def understand(log: TextLog, settings: CleanSettings) -> Reading:
    """Decide what the columns mean.

    Raises `DataError` for a missing role or a reading that cannot be told from another, `UsageError` for options that name
    columns which are not there.
    """
    keep = tuple(dict.fromkeys(settings.keep))
    roles.unknown_keep(keep, log.columns)
    if settings.tz is not None:
        dates.check_zone(settings.tz)
    if not settings.map and exported(log.columns):
        return _ours(log)
    given = dict(settings.map)
    found, evidence = roles.assign(log, given)
    if {"quantity", "unit_price"} <= given.keys() and "amount" not in given:
        found.pop("amount", None)  # who names both factors wants their product
    if "amount" in found and "discount" not in given:
        found.pop("discount", None)  # what was paid is after discounts already
    roles.kept_twice(keep, found)
    notices = _no_rows(log)
    _require(log, found)
    if "amount" not in found and "quantity" not in found and "unit_price" in found:
        found["amount"] = found.pop("unit_price")
        notices.append(
            Notice("price_as_amount", f"{found['amount'][0]} is taken as what was paid: there is no quantity to go with it.")
        )
    has_amounts = "amount" in found or {"quantity", "unit_price"} <= found.keys()
    if not has_amounts:
        notices.append(Notice("no_amounts", "the log has no amounts: visits are counted, money is not."))
    if has_amounts and "amount" in found and "amount" not in given:
        _question_repeated_totals(log, found)
    chosen, why = _date_format(log, found["ordered_at"], settings)
    evidence.append(why)
    marks = _marks(log, [found[role][0] for role in NUMBER_ROLES if role in found], evidence)
    said, not_used = unused.say(log, found, keep)
    notices += said
    evidence += not_used
    first = dict.fromkeys(part.columns[0] for part in log.parts if part.columns)
    text = [*first, *(column for columns in found.values() for column in columns)]
    return Reading(
        roles=found,
        dates=chosen,
        marks=marks,
        keep=keep,
        text_columns=tuple(dict.fromkeys(text)),
        has_amounts=has_amounts,
        cancellation_documents=_has_cancellations(log, found),
        several_sources=len(log.parts) > 1,
        ours=False,
        exported=(),
        evidence=(*log.evidence, *evidence),
        notices=tuple(notices),
    )


def _ours(log: TextLog) -> Reading:
    """TRANSACTIONS made by clm, as Parquet or exported as CSV: every column is what it says it is."""
    own = [column.name for column in TRANSACTIONS.columns if column.name in log.columns]
    return Reading(
        roles={name: (name,) for name in own},
        dates=DateFormat("ymd", "%Y-%m-%d %H:%M:%S%.f" if _spaced(log) else "%Y-%m-%dT%H:%M:%S%.f"),
        marks={name: "." for name in own if name in NUMBER_ROLES},
        keep=tuple(name for name in log.columns if name not in own),
        text_columns=(),
        has_amounts=True,
        cancellation_documents=False,
        several_sources=len(log.parts) > 1,
        ours=True,
        exported=tuple(place for place, part in enumerate(log.parts) if part.dialect is not None),
        evidence=(*log.evidence, Evidence("table", "TRANSACTIONS", "it has the columns clean writes")),
        notices=tuple(_no_rows(log)),
    )


def _no_rows(log: TextLog) -> list[Notice]:
    return [Notice("no_rows", f"{part.source.name} has a header and no records.") for part in log.parts if part.empty]


def _spaced(log: TextLog) -> bool:
    return not log.sample.height or " " in (log.sample["ordered_at"][0] or " ")


def _require(log: TextLog, found: dict[str, tuple[str, ...]]) -> None:
    lost = [role for role in ("customer_id", "ordered_at") if role not in found]
    if lost:
        raise roles.missing(lost[0], log, ", nor as ordered_at" if len(lost) == 2 else "")
    for role in ("customer_id", "ordered_at"):
        for part in log.parts:
            if not set(found[role]) <= set(part.columns):
                raise DataError(
                    f"{part.source.name} has no column {found[role][0]} ({role}).",
                    where=f"{part.source.name}: {roles.shown(part.columns)}",
                    fix="clean it on its own, or leave it out.",
                    code=f"missing_{role}",
                )


def _question_repeated_totals(log: TextLog, found: dict[str, tuple[str, ...]]) -> None:
    """Raises `DataError` when the amount is the order's total written on each of its lines: adding it up would count it again.

    It is, when the lines of nearly every order of several lines carry one and the same amount although quantity × price, or the
    products, of those lines differ.
    """
    if "order_id" not in found or "line_id" in found:
        return
    other = [found[role][0] for role in ("unit_price", "quantity", "product_id", "product") if role in found]
    if not other:
        return
    order, amount = found["order_id"][0], found["amount"][0]
    several = (
        log.sample.filter(pl.col(order).str.strip_chars() != "")
        .group_by(order)
        .agg(
            lines=pl.len(),
            amounts=pl.col(amount).n_unique(),
            amount=pl.col(amount).first(),
            others=pl.concat_str(other, separator="\x1f", ignore_nulls=True).n_unique(),
        )
        .filter((pl.col("lines") > 1) & (pl.col("others") == pl.col("lines")))
    )
    same = several.filter(pl.col("amounts") == 1)
    # in a shop with one price for everything equal lines say nothing
    if several.height < _SEVERAL_ORDERS or same.height < _ENOUGH * several.height or same["amount"].n_unique() < _SEVERAL_PRICES:
        return
    product = {"quantity", "unit_price"} <= found.keys()
    instead = (
        " ".join(f"--map {role}={found[role][0]}" for role in ("quantity", "unit_price")) if product else "--map amount=COLUMN"
    )
    raise DataError(
        f"{amount} repeats the order's total on each of its lines: added up, an order of two lines would count twice.",
        where=f"column {amount}, in {same.height:,} of {several.height:,} orders of several lines",
        fix=f"take the lines' own money ({instead}), or say that this is it: --map amount={amount}",
        code="order_totals",
    )


def _has_cancellations(log: TextLog, found: dict[str, tuple[str, ...]]) -> bool:
    """Whether `C536379` among invoices that are otherwise plain numbers is a cancellation document, as UCI writes them."""
    if "order_id" not in found or not log.sample.height:
        return False
    ids = log.sample[found["order_id"][0]].drop_nulls().str.strip_chars()
    plain, marked = ids.str.contains(r"^\d+$").sum(), ids.str.contains(r"^[Cc]\d+$").sum()
    return plain > 0 and marked < plain


def joined(columns: Sequence[str]) -> pl.Expr:
    """The text of the date column, or of a date and a time column joined."""
    if len(columns) == 1:
        return pl.col(columns[0])
    return pl.concat_str([pl.col(name).str.strip_chars() for name in columns], separator=" ").str.strip_chars()


def _date_format(log: TextLog, columns: tuple[str, ...], settings: CleanSettings) -> tuple[DateFormat, Evidence]:
    name = "+".join(columns)
    cells = _filled(log.sample.lazy(), columns).collect()["cell"]
    if settings.date_format is not None:
        chosen = dates.given(settings.date_format)
        chosen = DateFormat(chosen.family, chosen.first, dates.has_offsets(cells), chosen.only)
        return chosen, Evidence("date format", chosen.shown, "given by --date-format")
    if not cells.len():
        return DateFormat("ymd"), Evidence("date format", "YYYY-MM-DD", "no cell to go by")
    counts = dates.candidates(cells)
    best = _survivors(counts, cells.len())
    because = f"reads {max(counts.values(), default=0):,} of {cells.len():,} cells of {name}"
    if len(best) > 1 and not dates.agree(cells, best) and counts.get("ymd", 0) >= _ENOUGH * cells.len():
        best = ["ymd"]  # a few odd cells among ISO stamps are rejects, not worth a question
    if len(best) > 1 and not dates.agree(cells, best):
        if not log.whole:
            counts = _count_all(log, columns, best, dates.has_offsets(cells))
            best = [family for family in best if counts[family] == max(counts.values())]
            because = f"reads {max(counts.values()):,} cells of {name}, every other format fewer"
        if len(best) > 1:
            raise _ambiguous_dates(name, best)
    if not best:
        raise _no_date_format(log, name, counts, cells.len())
    chosen = dates.best_format(cells, best[0])
    if chosen.offsets and settings.tz is None and (dates.zulu(cells)):
        raise DataError(
            f"the times in {name} are universal time (Z or +00:00), not the shop's day.",
            where=f"column {name}",
            fix="name the shop's zone: --tz Asia/Shanghai, --tz Europe/London, …",
            code="zone",
        )
    return chosen, Evidence("date format", chosen.shown, because)


def _filled(frame: pl.LazyFrame, columns: tuple[str, ...]) -> pl.LazyFrame:
    return frame.select(joined(columns).alias("cell")).filter(pl.col("cell").str.strip_chars() != "")


def _survivors(counts: dict[str, int], filled: int) -> list[str]:
    """Families that read at least 95 % of the cells, those that read most; in the fixed order of `dates.FAMILIES`."""
    most = max(counts.values(), default=0)
    return [name for name, count in counts.items() if count == most and count >= _ENOUGH * filled]


def _count_all(log: TextLog, columns: tuple[str, ...], families: list[str], offsets: bool) -> dict[str, int]:
    """How many cells of the whole column each of these families reads: one streaming pass over that column."""
    found = (
        _filled(log.frame.filter(pl.col(PROBLEM).is_null()), columns)
        .select(
            dates.wall_time(pl.col("cell"), DateFormat(name, offsets=offsets), None).is_not_null().sum().alias(name)
            for name in families
        )
        .collect(engine="streaming")
        .row(0, named=True)
    )
    return {name: int(count) for name, count in found.items()}


def _ambiguous_dates(name: str, best: list[str]) -> DataError:
    shown = {family.name: family for family in dates.FAMILIES}
    readings = ", or ".join(f"{shown[one].shown} (--date-format '{dates.option(one)}')" for one in best)
    example = ""
    if "mdy" in best and "dmy" in best:
        example = f" {_EXAMPLE} would be 3 May or 5 March 2024."
    return DataError(
        f"the dates in {name} can be read in more than one way: {readings}.{example}",
        where=f"column {name}",
        fix=f"say which: --date-format '{dates.option(best[0])}' or --date-format '{dates.option(best[1])}'",
        code="ambiguous_date",
    )


def _no_date_format(log: TextLog, name: str, counts: dict[str, int], filled: int) -> DataError:
    family, count = max(counts.items(), key=lambda pair: pair[1], default=("ymd", 0))
    shown = next(one.shown for one in dates.FAMILIES if one.name == family)
    return DataError(
        f"no date format reads 95% of {name}: the best, {shown}, reads {count:,} of {filled:,} cells.",
        where=f"column {name}",
        fix=f"name the format (--date-format '{dates.option(family)}' rejects the others), "
        "or another column: --map ordered_at=COLUMN",
        code="date_format",
    )


def _marks(log: TextLog, columns: list[str], evidence: list[Evidence]) -> dict[str, Mark]:
    """The decimal mark of every number column. One shop writes one way: a column in doubt follows the others."""
    fits = {name: numbers.fit(log.sample[name].drop_nulls()) for name in columns}
    marks: dict[str, Mark] = {name: "." if fit.dot > fit.comma else "," for name, fit in fits.items() if fit.dot != fit.comma}
    doubt = [name for name, fit in fits.items() if fit.dot == fit.comma and fit.differ]
    if doubt and not marks and not log.whole:
        fits |= {name: _fit_all(log, name) for name in columns}
        marks = {name: "." if fit.dot > fit.comma else "," for name, fit in fits.items() if fit.dot != fit.comma}
        doubt = [name for name, fit in fits.items() if fit.dot == fit.comma and fit.differ]
    for name in marks:
        read = max(fits[name].dot, fits[name].comma)
        why = f"reads {read:,} of {fits[name].filled:,} cells"
        evidence.append(Evidence(f"numbers of {name}", f"decimal {marks[name]}", why))
    usual: set[Mark] = set(marks.values())
    if doubt and len(usual) != 1:
        raise DataError(
            f"the numbers in {doubt[0]} can be read in two ways: 1,234 as one thousand or as one and a bit.",
            where=f"column {doubt[0]}",
            fix="export the column without thousands separators, or with two decimals everywhere.",
            code="ambiguous_number",
        )
    rest: Mark = usual.pop() if len(usual) == 1 else "."
    for name in columns:
        if name not in marks:
            marks[name] = rest
            evidence.append(Evidence(f"numbers of {name}", f"decimal {rest}", "no cell says otherwise"))
    return marks


def _fit_all(log: TextLog, column: str) -> numbers.Fit:
    cells = log.frame.filter(pl.col(PROBLEM).is_null()).select(column).collect(engine="streaming")
    return numbers.fit(cells[column].drop_nulls())
