"""`settle`: what looks across rows: ids, order totals, repeats, doubts about the whole; then the accounting and the verdict.

It may not re-judge a record. It reads the judged table several times, so it wants it as a file; every plan streams.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from clm.dtypes import polars_type
from clm.engines.hold import Hold, held
from clm.errors import DataError
from clm.expressions import Expression, Rule
from clm.ingest.evidence import Evidence
from clm.ingest.numbers import LINE as MONEY
from clm.ingest.reading import Reading
from clm.ingest.scan import AGAIN, FILE, PRINT, SOURCE
from clm.ingest.structure import DETAIL, LINE, RAW
from clm.outcome import Notice, Outcome, Rows, counted
from clm.settings import CleanSettings
from clm.stages.clean import doubts, flags, ids, kinds, order_lines, overlap, places, pseudonyms, quality, signs, suspects, totals
from clm.stages.clean.accounting import Account, by_group, closing_line, total
from clm.stages.clean.judge import COLUMN, REASON
from clm.stages.clean.meanings import kept_as
from clm.stages.clean.places import AT
from clm.tables import RETURN as RETURNED
from clm.tables import SALE, TRANSACTIONS

_DUPLICATE, _BEFORE = "clm:duplicate", "clm:before"
_LINES_PER_SOURCE = 2**40
_ID_ROLES = ("customer_id", "order_id", "product_id")


@dataclass(frozen=True)
class Settled:
    """The verdict. `refusal` is what stops the run with 65: the rejects are written all the same, the outcome is not.

    `rejects` has the columns of REJECTS (`raw` only with `--rejects-raw`) in the order of the sources.
    """

    outcome: Outcome
    rejects: pl.LazyFrame
    refusal: DataError | None


def settle(
    judged: pl.LazyFrame, reading: Reading, settings: CleanSettings, secret: bytes | None = None, hold: Hold = held
) -> Settled:
    """Split good rows from rejects, finish what needs all rows, and prove that nothing is missing.

    `secret` is the key of the pseudonyms; `hold` keeps a frame that is read again.
    Raises `AssertionError` when rows or money do not add up: a bug, not a matter of data.
    """
    judged = totals.applied(order_lines.collapsed(judged, reading), reading)
    signed = signs.look(judged, reading, settings)
    judged = signs.applied(judged, signed)
    pointless = _ids_with_point(judged, reading)
    finished = judged.filter(~pl.col(AGAIN)).with_columns(*_finished_ids(reading, pointless), _place())
    good = finished.filter(pl.col(REASON).is_null())
    overlapping = overlap.look(good, reading, settings)
    good, collapse = _repeats(good, reading, settings, overlapping)
    # what an order comes to is told by the rows that stay
    kept = kinds.told(good.filter(~pl.col(_DUPLICATE)) if collapse else good, reading, hold)
    reviewed, refunded = _reviewed(kept, reading, settings, hold)
    final = _coded(reviewed.frame, reading, settings, secret).select(_columns(reading))
    told = quality.count(final, reviewed.codes, kept)
    account = _account(judged, good if collapse else None, told)
    odd = suspects.look(judged, reading)
    notices = (
        *reading.notices, *signs.notices(signed, reading), *_id_notices(reading, pointless), *quality.notices(told),
        *suspects.notices(judged, odd, reading), *overlap.notices(finished, overlapping, reading, settings),
    )  # fmt: skip
    facts = doubts.look(judged, odd.masked, reading, settings)
    outcome = Outcome(
        frame=final,
        rows=Rows(account.total.rows, account.kept.rows, account.rejected_rows, account.collapsed_rows),
        amount=account.amounts(reading.has_amounts),
        currency=facts.currency or settings.currency or reading.priced_in,
        zone=settings.tz or facts.zone,
        metrics=_metrics(reading, account, signs.evidence(signed, reading), told, refunded),
        warnings=notices,
        closing=closing_line(account),
    )
    refusal = signs.refusal(signed, reading) or doubts.refusal(judged, facts, account, reading, settings)
    refusal = refusal or overlap.refusal(overlapping, settings)
    return Settled(outcome, _rejects(judged, settings), refusal)


def _ids_with_point(judged: pl.LazyFrame, reading: Reading) -> dict[str, list[int]]:
    """By id column, the sources in which every value is a whole number written with `.0` (pandas and Excel make those of ids).

    Each source is told by itself: what its ids are called must not depend on the files given with it.
    """
    roles = [role for role in _ID_ROLES if role in reading.roles] if not reading.ours else []
    if not roles:
        return {}
    some = pl.any_horizontal(pl.col(role).str.ends_with(".0") for role in roles).any()
    if not judged.select(some).collect(engine="streaming").item():
        return {}
    counts = [pl.col(role).is_not_null().sum().alias(f"{role}:all") for role in roles]
    counts += [pl.col(role).str.contains(ids.WHOLE_WITH_POINT).sum().alias(f"{role}:point") for role in roles]
    table = (
        judged.filter(~pl.col(REASON).is_in(["totals_row", "header_repeat", "blank_row", "id_destroyed"]).fill_null(False))
        .group_by(SOURCE)
        .agg(counts)
        .collect(engine="streaming")
    )
    found = {
        role: table.filter((pl.col(f"{role}:point") > 0) & (pl.col(f"{role}:point") == pl.col(f"{role}:all")))[SOURCE]
        for role in roles
    }
    return {role: sources.sort().to_list() for role, sources in found.items() if sources.len()}


def _finished_ids(reading: Reading, pointless: dict[str, list[int]]) -> list[pl.Expr]:
    finished: dict[str, pl.Expr] = {
        role: pl.when(pl.col(SOURCE).is_in(sources)).then(ids.without_point(pl.col(role))).otherwise(pl.col(role))
        for role, sources in pointless.items()
    }
    if "order_id" not in reading.roles:
        customer = finished.get("customer_id", pl.col("customer_id"))
        finished["order_id"] = _made_order_id(customer)
    return [value.alias(role) for role, value in finished.items()]


def _made_order_id(customer: pl.Expr) -> pl.Expr:
    """Where the source has no order ids, what a customer buys on a day is one order."""
    return pl.concat_str(customer, pl.lit(" "), pl.col("ordered_at").dt.to_string("%Y-%m-%d")).alias("order_id")


def _place() -> pl.Expr:
    """One number that orders all records as the sources have them."""
    return (pl.col(SOURCE) * _LINES_PER_SOURCE + pl.col(LINE)).alias(AT)


def _repeats(
    good: pl.LazyFrame, reading: Reading, settings: CleanSettings, overlapping: overlap.Overlap | None
) -> tuple[pl.LazyFrame, bool]:
    """`clm:duplicate` on every record but the first of its like, and whether those are to be left out.

    Two records are alike when order and line id are the same, or, in a log without line ids, all cells of the source; or, when
    repeats go and files overlap, when they say the same in two files.
    """
    if "line_id" in reading.roles and not reading.ours:
        keys, collapse = ["order_id", "line_id"], True
        rows = good.filter(pl.col("line_id").is_not_null()).with_columns(pl.struct(keys).hash().alias(PRINT))
    elif settings.duplicates == "keep" or (reading.ours and settings.duplicates == "flag"):
        return good.with_columns(pl.lit(False).alias(_DUPLICATE)), False
    else:
        # the hash alone could err once in a blue moon; with these beside it, it cannot matter
        keys, collapse = [PRINT, "ordered_at", "amount"], settings.duplicates == "drop"
        rows = good
    later = _later(rows, keys)
    if overlapping is not None and collapse:
        later = pl.concat([later, overlap.again(good, overlapping, AT, later)]).unique()
    if not later.height:
        return good.with_columns(pl.lit(False).alias(_DUPLICATE)), False
    return places.among(good, later.lazy(), _DUPLICATE), collapse


def _later(rows: pl.LazyFrame, keys: list[str]) -> pl.DataFrame:
    """Where the records stand that have what an earlier one has in these columns, of which PRINT is one."""
    # sorted, because equal ones then stand together: a tenth of the time and memory of grouping by all of it
    prints = rows.select(PRINT).sort(PRINT).filter(_as_before(PRINT)).unique().collect(engine="streaming")
    if not prints.height:
        return pl.DataFrame(schema={AT: pl.Int64})
    alike = rows.join(prints.lazy(), on=PRINT, how="semi").select(*keys, AT).sort(*keys, AT)
    return alike.filter(_as_before(*keys)).select(AT).collect(engine="streaming")


def _as_before(*columns: str) -> pl.Expr:
    """Whether a record has in these columns what the one before it has; the first of them is never null."""
    return pl.all_horizontal(pl.col(name).eq_missing(pl.col(name).shift(1)) for name in columns)


def _reviewed(
    kept: pl.LazyFrame, reading: Reading, settings: CleanSettings, hold: Hold
) -> tuple[flags.Flagged, dict[str, Any] | None]:
    """The kept rows with their flags, and what became of returns. Our own table keeps its flags: they were found in the whole."""
    look = settings.review != "none" and not reading.ours
    rules = [Rule("review", settings.review)] if isinstance(settings.review, Expression) else []
    rules += settings.rule
    asked = {column for rule in rules for column in rule.when.columns()}
    before = kept.with_columns(one for one in (*_standing(reading), *_kept(reading)) if one.meta.output_name() in asked)
    if reading.ours:
        before = before.with_columns(pl.col("flags").alias(_BEFORE))
    found = flags.flagged(
        before,
        non_products=settings.non_products,
        rules=rules,
        known=[(pl.col(_DUPLICATE), "duplicate")],
        hold=hold,
        look=look,
    )
    refunded = found.refunds.to_json() if look and reading.has_amounts else None
    if not reading.ours:
        return found, refunded
    both = pl.concat_str(pl.col(_BEFORE), pl.col("flags"), separator=",", ignore_nulls=True)
    frame = found.frame.with_columns(pl.when(both != "").then(both).alias("flags"))
    return replace(found, frame=frame), None


def _coded(kept: pl.LazyFrame, reading: Reading, settings: CleanSettings, secret: bytes | None) -> pl.LazyFrame:
    """Pseudonyms last of all, so that everything before saw the ids as they are."""
    if secret is None:
        return kept
    names = {kept_as(name): name for name in reading.keep} | {name: name for name in settings.pseudonymise}
    columns = [inner for inner, name in names.items() if name in settings.pseudonymise and inner in kept.collect_schema()]
    coded = pseudonyms.replaced(kept, {inner: names[inner] for inner in columns}, secret)
    if "order_id" not in reading.roles and "customer_id" in settings.pseudonymise:
        coded = coded.with_columns(_made_order_id(pl.col("customer_id")))
    return coded


def _account(judged: pl.LazyFrame, before: pl.LazyFrame | None, kept: quality.Kept) -> Account:
    """Count rows and money on both sides, independently, and insist that they agree."""
    by_reason = by_group(judged, [REASON, AGAIN], pl.col(REASON).is_null() & ~pl.col(AGAIN))
    collapsed = {}
    if before is not None:
        collapsed["duplicate"] = total(before.filter(pl.col(_DUPLICATE)))
    account = Account.of(by_reason.collect(engine="streaming").sort(REASON), kept.by_kind, collapsed)
    account.prove()
    return account


def written(reading: Reading) -> dict[str, pl.DataType]:
    """The columns `settle` will hand back, with their types: what rules may ask. Flags only of our own table: rules make them."""
    optional = {*reading.roles, *(["source_file"] if reading.several_sources else [])}
    there = [column for column in TRANSACTIONS.columns if not column.optional or column.name in optional]
    columns = {column.name: polars_type(column) for column in there if column.name != "flags" or reading.ours}
    return columns | dict.fromkeys(reading.keep, pl.String())


def _columns(reading: Reading) -> list[pl.Expr]:
    """TRANSACTIONS in the order of its contract, then the kept columns."""
    made: dict[str, pl.Expr] = {
        "customer_id": pl.col("customer_id"),
        "order_id": pl.col("order_id"),
        "ordered_at": pl.col("ordered_at"),
        "amount": pl.col("amount").cast(MONEY),
        "kind": pl.col("kind"),
        "flags": pl.col("flags"),
    } | {one.meta.output_name(): one for one in _standing(reading)}
    for column in TRANSACTIONS.columns:
        if column.optional and column.name in reading.roles and column.name not in made:
            made[column.name] = pl.col(column.name)
    ordered = [made[column.name].alias(column.name) for column in TRANSACTIONS.columns if column.name in made]
    return ordered + _kept(reading)


def _standing(reading: Reading) -> list[pl.Expr]:
    """Where a row stands in its source, as it is written."""
    line, file = pl.col(LINE), pl.col(FILE)
    if reading.ours:
        line = pl.coalesce(pl.col("source_line"), line)
        file = pl.col("source_file") if "source_file" in reading.roles else file
    found = [line.alias("source_line")]
    if reading.several_sources or (reading.ours and "source_file" in reading.roles):
        found.append(file.alias("source_file"))
    return found


def _kept(reading: Reading) -> list[pl.Expr]:
    return [pl.col(kept_as(name)).alias(name) for name in reading.keep]


def _rejects(judged: pl.LazyFrame, settings: CleanSettings) -> pl.LazyFrame:
    columns = [
        pl.col(FILE).alias("source_file"),
        pl.col(LINE).alias("source_line"),
        pl.col(REASON).alias("reason"),
        pl.col(COLUMN).alias("column"),
        pl.col(DETAIL).alias("detail"),
        pl.col("amount").cast(MONEY),
    ]
    if settings.rejects_raw:
        columns.append(pl.col(RAW).alias("raw"))
    rejected = pl.col(REASON).is_not_null() & (pl.col(REASON) != order_lines.ORDER_LINE)
    return judged.filter(rejected & ~pl.col(AGAIN)).select(columns)


def _id_notices(reading: Reading, pointless: dict[str, list[int]]) -> list[Notice]:
    return [
        Notice(
            "id_point_removed",
            f"every value of {reading.roles[role][0]}{_in_files(sources, reading)} ended in .0, which is no part of an id: "
            "taken off.",
        )
        for role, sources in pointless.items()
    ]


def _in_files(sources: list[int], reading: Reading) -> str:
    return f" in {counted(len(sources), 'file')}" if reading.several_sources else ""


def _metrics(
    reading: Reading, account: Account, evidence: list[Evidence], kept: quality.Kept, refunded: dict[str, Any] | None
) -> dict[str, Any]:
    told = reading.to_json()
    return {
        "sales": account.by_kind[SALE].rows,
        "returns": account.by_kind[RETURNED].rows,
        "flags": {code: one.rows for code, one in kept.by_flag.items()},
        "quality": quality.metrics(kept, account, reading.has_amounts),
        "reading": told | {"evidence": [*told["evidence"], *(fact.to_json() for fact in evidence)]},
    } | ({"refunds": refunded} if refunded else {})
