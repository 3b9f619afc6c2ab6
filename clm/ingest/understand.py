"""`understand`: from text to a `Reading`: roles, number notation, date format, each decided on the cells, with its evidence.

It may not guess. What two readings fit equally well is put to the whole column, and if they still tie, to the user: `DataError`
with both readings and the option that settles it.
"""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from clm.errors import DataError
from clm.ingest import dates, notation, order_rows, profiles, recognise, roles, statuses, unused
from clm.ingest.dates import DateFormat
from clm.ingest.dialect import exported
from clm.ingest.evidence import Evidence
from clm.ingest.profiles import Profile, Words
from clm.ingest.reading import NUMBER_ROLES, Reading, StatusWords
from clm.ingest.saved import pinned
from clm.ingest.text import TextLog
from clm.outcome import Notice
from clm.settings import CleanSettings
from clm.tables import TRANSACTIONS

_ENOUGH = 0.95
_SEVERAL_ORDERS, _SEVERAL_PRICES = 10, 3


def understand(log: TextLog, settings: CleanSettings, decided: list[Evidence] | None = None) -> Reading:
    """Decide what the columns mean. `decided` takes the decisions as they fall: those before a question too.

    Raises `DataError` for a missing role or a reading that cannot be told from another, `UsageError` for options that name
    columns which are not there.
    """
    profile = log.profile
    settings = profiles.under(profile, settings)
    keep = _kept(log, settings)
    roles.unknown_keep(keep, log.columns)
    if settings.tz is not None:
        dates.check_zone(settings.tz)
    if not settings.map and exported(log.columns):
        return _ours(log)
    given = dict(settings.map)
    evidence = [] if decided is None else decided
    found, named = roles.assign(log, given, profile)
    evidence += named
    told = given.keys() | (profile.roles.keys() if profile is not None else set())
    if {"quantity", "unit_price"} <= given.keys() and "amount" not in given:
        found.pop("amount", None)  # who names both factors wants their product
    if "amount" in found and "discount" not in told:
        found.pop("discount", None)  # what was paid is after discounts already
    roles.kept_twice(keep, found)
    notices = [*log.notices, *_no_rows(log)]
    _require(log, found)
    if "amount" not in found and "quantity" not in found and "unit_price" in found:
        found["amount"] = found.pop("unit_price")
        notices.append(
            Notice("price_as_amount", f"{found['amount'][0]} is taken as what was paid: there is no quantity to go with it.")
        )
    has_amounts = "amount" in found or {"quantity", "unit_price"} <= found.keys()
    if not has_amounts:
        notices.append(Notice("no_amounts", "the log has no amounts: visits are counted, money is not."))
    test = _says(log, "test", profile.test if profile is not None else None, needed=False)
    only = _says(log, "only", profile.only if profile is not None else None, needed=True)
    one_row = bool(settings.one_row_per_order)
    if settings.one_row_per_order is None:
        order_rows.question(log, found)
    elif one_row:
        evidence.append(order_rows.sure(found))
    if has_amounts and "amount" in found and "amount" not in given and not one_row:
        _question_repeated_totals(log, found, only)
    chosen, why, mixed = notation.date_format(log, found["ordered_at"], settings)
    evidence.append(why)
    notices += mixed
    marks = notation.decimal_marks(log, [found[role][0] for role in NUMBER_ROLES if role in found], evidence, settings)
    read = {one.column: (one.column,) for one in (test, only) if one is not None}
    said, not_used = unused.say(log, found | read, keep)
    notices += said
    evidence += not_used
    first = dict.fromkeys(part.columns[0] for part in log.parts if part.columns)
    text = [*first, *(column for columns in found.values() for column in columns)]
    reading = Reading(
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
        words=_words(found, profile),
        test=test,
        only=only,
        one_row_per_order=one_row,
    )
    return replace(reading, evidence=(*reading.evidence, pinned(log, reading)))


def _kept(log: TextLog, settings: CleanSettings) -> tuple[str, ...]:
    """The columns to carry along; one that only the profile asks for must be there too, unless it may be missing."""
    keep = tuple(dict.fromkeys(settings.keep))
    if log.profile is None or settings.keep != log.profile.keep:
        return keep
    lost = [name for name in keep if name not in log.columns]
    needed = [name for name in lost if name not in log.profile.optional]
    if needed:
        raise profiles.missing(log.profile, "keep", needed[:1], log.columns)
    return tuple(name for name in keep if name not in lost)


def _words(found: dict[str, tuple[str, ...]], profile: Profile | None) -> StatusWords:
    """What the words of the status column mean: a profile's own, and clm's for those it does not speak of."""
    if "status" not in found:
        return StatusWords()
    said = {fate: tuple(statuses.word(one) for one in words) for fate, words in (profile.status if profile else {}).items()}
    unpaid = statuses.UNPAID if statuses.about_payment(found["status"][0]) else ()
    spoken = {word for words in said.values() for word in words}

    def all_of(known: tuple[str, ...], *fates: str) -> tuple[str, ...]:
        return (*(word for word in known if word not in spoken), *(word for fate in fates for word in said.get(fate, ())))

    return StatusWords(
        cancelled=all_of((*statuses.CANCELLED, *unpaid), "cancelled", "unpaid"),
        undone=all_of(statuses.UNDONE, "undone"),
        returned=all_of(statuses.RETURN, "return"),
        sale=all_of(statuses.SALE, "sale"),
    )


def _says(log: TextLog, key: str, wanted: Words | None, *, needed: bool) -> Words | None:
    """The column of a profile's `test` or `only` as the log calls it, its words as the status lists have them."""
    if wanted is None or log.profile is None:
        return None
    name = recognise.matching(wanted.column, log.columns)
    if name is None:
        if needed:
            raise profiles.missing(log.profile, key, [wanted.column], log.columns)
        return None
    words = tuple(statuses.word(one) for one in wanted.words)
    if key == "only" and log.settings.profile is None:
        _question_no_sales(log, name, wanted, words)
    return Words(name, words)


def _question_no_sales(log: TextLog, name: str, wanted: Words, words: tuple[str, ...]) -> None:
    """Raises `DataError` when most rows of a log that was only recognised are no sales: it may be about something else."""
    rows = log.sample.height
    sales = log.sample.select(statuses.said(pl.col(name)).is_in(list(words)).sum()).item() if rows else 0
    if 2 * (sales or 0) < rows:
        assert log.profile is not None
        raise DataError(
            f"only {sales or 0:,} of {rows:,} rows are sales ({name} is {' or '.join(wanted.words)}): "
            "what somebody spent is no order log.",
            where=f"column {name}",
            fix=f"if it is the shop's own all the same, say so: --profile {log.profile.name} (the others become rejects)",
            code="no_sales",
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
    looked_up = set(log.columns).difference(*(part.columns for part in log.parts))
    for role in ("customer_id", "ordered_at"):
        for part in log.parts:
            if not set(found[role]) <= {*part.columns, *looked_up}:
                raise DataError(
                    f"{part.source.name} has no column {found[role][0]} ({role}).",
                    where=f"{part.source.name}: {roles.shown(part.columns)}",
                    fix="clean it on its own, or leave it out.",
                    code=f"missing_{role}",
                )


def _question_repeated_totals(log: TextLog, found: dict[str, tuple[str, ...]], only: Words | None) -> None:
    """Raises `DataError` when the amount is the order's total written on each of its lines: adding it up would count it again.

    It is, when the lines of nearly every order of several lines carry one and the same amount although quantity × price, or the
    products, of those lines differ.
    """
    if "order_id" not in found or "line_id" in found:
        return
    order, amount = found["order_id"][0], found["amount"][0]
    other = [found[role][0] for role in ("unit_price", "quantity", "product_id", "product") if role in found]
    # the money of a shipped profile is the order's by documentation: any column may tell that there are several rows of one
    documented = log.profile is not None and log.profile.identity == log.profile.name
    if documented:
        other = [column for column in log.columns if column not in (order, amount)]
    if not other:
        return
    rows = log.sample.filter(pl.col(order).str.strip_chars() != "")
    if only is not None:
        rows = rows.filter(statuses.said(pl.col(only.column)).is_in(list(only.words)))
    several = (
        rows.group_by(order)
        .agg(
            lines=pl.len(),
            amounts=pl.col(amount).n_unique(),
            amount=pl.col(amount).first(),
            others=pl.concat_str(other, separator="\x1f", ignore_nulls=True).n_unique(),
        )
        .filter((pl.col("lines") > 1) & (pl.col("others") == pl.col("lines")))
    )
    same = several.filter(pl.col("amounts") == 1)
    if not same.height or same.height < _ENOUGH * several.height:
        return
    # in a shop with one price for everything equal lines say nothing
    if not documented and (several.height < _SEVERAL_ORDERS or same["amount"].n_unique() < _SEVERAL_PRICES):
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
