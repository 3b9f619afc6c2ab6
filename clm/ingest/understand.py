"""`understand`: from text to a `Reading`: roles, number notation, date format, each decided on the cells, with its evidence.

It may not guess. What two readings fit equally well is put to the whole column, and if they still tie, to the user: `DataError`
with both readings and the option that settles it.
"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import replace

import polars as pl

from clm.errors import DataError
from clm.ingest import (
    alike,
    dates,
    decimals,
    moment,
    money,
    notation,
    order_rows,
    own_tables,
    people,
    priced,
    profiles,
    recognise,
    roles,
    statuses,
    unused,
)  # fmt: skip
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
    found, named = roles.assign(log, given, profile, settings)
    evidence += named
    told = given.keys() | (profile.roles.keys() if profile is not None else set())
    _require(log, found)
    _question_unreadable(log, [*keep, *(column for columns in found.values() for column in columns)])
    called, so_called, missing = _called(log, found, settings)
    evidence += so_called
    log = alike.applied(log, called)
    others = {column for names in called.values() for column in names.values()}
    if {"quantity", "unit_price"} <= given.keys() and "amount" not in given:
        found.pop("amount", None)  # who names both factors wants their product
    notices = [*log.notices, *_no_rows(log), *missing]
    if not told & {"amount", "quantity", "unit_price"}:
        spare = roles.called("quantity", (one for one in log.columns if one not in others))
        notices += money.settled(log, found, spare, settings.decimal, evidence)
    if "amount" in found and "discount" not in told:
        found.pop("discount", None)  # what was paid is after discounts already
    if "ordered_at" not in told:
        days = [one for one in roles.called("ordered_at", log.columns) if one not in (*found["ordered_at"], *others)]
        moment.of_every_row(log, found, days, settings, evidence)
    priced_in = _priced_in(log, found, told, settings, evidence)
    roles.kept_twice(keep, found)
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
        order_rows.repeated(log, found, only, settings.decimal)
    chosen, why, mixed = notation.date_format(log, found["ordered_at"], settings)
    evidence.append(why)
    notices += mixed
    marks = decimals.marks_of(log, [found[role][0] for role in NUMBER_ROLES if role in found], evidence, settings)
    read = {one.column: (one.column,) for one in (test, only) if one is not None}
    said, not_used = unused.say(log, found | read | {one: (one,) for one in others}, keep)
    notices += said
    who = found["customer_id"][0]
    if "customer_id" not in told:
        notices += people.doubtful(log, who, roles.variants(who))
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
        called=called,
        priced_in=priced_in,
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


def _question_unreadable(log: TextLog, columns: list[str]) -> None:
    """Raises `DataError` for a column that is to be read and holds lists or records."""
    for part in log.files:
        for name in part.table.unreadable if part.table else ():
            if name in columns:
                raise DataError(
                    f"the cells of {name} in {part.source.name} are lists or records, not one value each.",
                    where=f"{part.source.name}, column {name}",
                    fix="write the value as a column of its own, or name another column: --map ROLE=COLUMN",
                    code="nested",
                )


def _require(log: TextLog, found: dict[str, tuple[str, ...]]) -> None:
    lost = [role for role in ("customer_id", "ordered_at") if role not in found]
    if lost:
        own_tables.refuse(log.columns, log.files[0].source.name)
        raise roles.missing(lost[0], log, ", nor as ordered_at" if len(lost) == 2 else "")


def _called(
    log: TextLog, found: dict[str, tuple[str, ...]], settings: CleanSettings
) -> tuple[dict[str, dict[int, str]], list[Evidence], list[Notice]]:
    """What single files call the columns; of a shipped profile, whose names are documented, they are not looked for."""
    documented = log.profile is not None and log.profile.identity == log.profile.name

    def find(role: str, columns: list[str], sample: pl.DataFrame) -> str | None:
        return None if documented else roles.one_of(role, columns, sample, settings)

    return alike.look(log, found, find)


def _priced_in(
    log: TextLog, found: dict[str, tuple[str, ...]], told: Set[str], settings: CleanSettings, evidence: list[Evidence]
) -> str | None:
    """The currency that the name of the money's column says; a column of other currencies beside it is not about this money.

    Raises `DataError` when --currency asks for another.
    """
    source = found.get("amount") or found.get("unit_price")
    said = priced.code(source[0]) if source is not None else None
    if source is None or said is None:
        return None
    asked = priced.named(settings.currency)
    if "currency" in found and "currency" not in told:
        column = found["currency"][0]
        cells = log.sample[column].str.strip_chars()
        if any(priced.named(one) != said for one in cells.filter(cells != "").unique().to_list()):
            del found["currency"]
            evidence.append(Evidence("currency", said, f"the name of {source[0]} says so; {column} speaks of other money"))
    if "currency" not in found and asked not in (None, said):
        raise DataError(
            f"{source[0]} is in {said} by its name, and --currency asks for {asked}.",
            where=f"column {source[0]}",
            fix=f"say --currency {said}, or name the column of that currency: --map amount=COLUMN",
            code="currencies",
        )
    return said if "currency" not in found else None


def _has_cancellations(log: TextLog, found: dict[str, tuple[str, ...]]) -> bool:
    """Whether `C536379` among invoices that are otherwise plain numbers is a cancellation document, as UCI writes them."""
    if "order_id" not in found or not log.sample.height:
        return False
    ids = log.sample[found["order_id"][0]].drop_nulls().str.strip_chars()
    plain, marked = ids.str.contains(r"^\d+$").sum(), ids.str.contains(r"^[Cc]\d+$").sum()
    return plain > 0 and marked < plain
