"""`rfm`: TRANSACTIONS become CUSTOMERS with core and behaviour columns and tie-safe scores for recency, frequency and money.

It may not rank by row order or split equal customers: a score depends on nothing but the value and the cut-offs.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, TypeVar

import polars as pl

from clm.engines.frames import Orders, types
from clm.engines.hold import Cut, Hold, held, whole
from clm.errors import ConfigError, UsageError
from clm.outcome import Amount, Notice, Outcome, Rows, counted
from clm.settings import RfmSettings
from clm.stages import behaviour, scores, snapshot
from clm.stages.scores import Cuts
from clm.stages.snapshot import Totals
from clm.tables import BEHAVIOUR, CUSTOMERS

Frame = TypeVar("Frame", pl.DataFrame, pl.LazyFrame)
_SCORED = {"r_score": "recency_days", "f_score": "orders", "m_score": "spend"}
_SHORT = {"r": "r_score", "f": "f_score", "m": "m_score"}


@dataclass(frozen=True)
class Given:
    """Cut-offs not from this base: of a `--cuts` file (score -> record), or what the stage learned before (`--model`)."""

    cuts: Mapping[str, Any] | None = None
    learned: Mapping[str, Any] | None = None


def rfm(orders: Orders, settings: RfmSettings, given: Given = Given(), hold: Hold = held, cut: Cut = whole) -> Outcome:
    """One row per customer seen up to `as_of`, sorted by `customer_id`: core, behaviour and carried columns, scores.

    `hold` keeps the customers while they are scored and written: they may be more than memory holds. `cut` takes a log apart that
    is too long to be reduced at once.

    Raises DataError when the log is empty and no day is named, UsageError for a column that is not there, ConfigError for
    cut-offs that do not fit.
    """
    wanted = _wanted(settings, given)
    _check_carry(settings.carry, types(orders))
    lines = snapshot.totals(orders)
    as_of = snapshot.resolve_as_of(lines.latest, settings.as_of)
    passed = lines.latest is not None and lines.latest > as_of
    later = snapshot.totals(orders, after=as_of) if passed else Totals(0, 0, Decimal(0), None)
    base, learned_gap = _base(orders, as_of, settings, given, hold, cut)
    cuts = {score: _cuts(base, score, column, settings.bins, given) for score, column in wanted.items()}
    customers = scored(base, cuts, settings.weights).select(_order(settings))
    seen = _seen(customers, wanted)
    has_money = lines.amounts > 0
    known = {score: found.to_json() for score, found in cuts.items() if found is not None}
    learned = {"bins": settings.bins, **learned_gap, "scores": known}
    tables = {score: scores.table(customers, score, column) for score, column in wanted.items()}
    return Outcome(
        frame=customers,
        rows=Rows(rows_in=lines.rows, rows_out=seen["customers"], after_as_of=later.rows),
        amount=Amount(lines.amount, lines.amount - later.amount, after_as_of=later.amount) if has_money else None,
        as_of=as_of,
        metrics={
            "customers": seen["customers"],
            "buyers": seen["buyers"],
            "no_purchase": seen["customers"] - seen["buyers"],
            "orders": int(seen["orders"]),
            "first_order_on": _text(seen["first_order_on"]),
            "last_order_on": _text(seen["last_order_on"]),
            **learned_gap,
            "scores": {_key(score): table for score, table in tables.items()},
            "cuts": {score: found.to_json() | {"from": found.source} for score, found in cuts.items() if found is not None},
        },
        warnings=_notices(lines, later, seen, as_of),
        learned=learned if known else None,
        closing=_closing(seen, lines, later, as_of),
    )


def scored(customers: Frame, cuts: Mapping[str, Cuts | None], weights: Sequence[tuple[str, float]] = ()) -> Frame:
    """The frame with a score per entry of `cuts` (null without cut-offs), `rfm`, and `rfm_value` when there are weights."""
    found = customers.with_columns(
        (pl.lit(None, pl.Int32) if one is None else one.score()).alias(score) for score, one in cuts.items()
    )
    digits = [pl.col(score).cast(pl.String).fill_null("-") for score in _SCORED]
    found = found.with_columns(pl.when(pl.col("orders") > 0).then(pl.concat_str(digits)).alias("rfm"))
    if weights:
        named = [(_SHORT.get(name, f"{name}_score"), weight) for name, weight in weights]
        found = found.with_columns(scores.weighted(named).alias("rfm_value"))
    return found


def _seen(customers: pl.LazyFrame, wanted: Mapping[str, str]) -> dict[str, Any]:
    """What is told of all customers: how many, how many bought, their orders and days, and whether a score tells any apart."""
    bought = pl.col("orders") > 0
    facts = {
        "customers": pl.len(),
        "buyers": bought.sum(),
        "orders": pl.col("orders").sum(),
        "first_order_on": pl.col("first_order_on").min(),
        "last_order_on": pl.col("last_order_on").max(),
    }
    for score, column in wanted.items():
        known = pl.col(column).filter(bought)
        facts[f"{score} low"], facts[f"{score} high"] = known.min(), known.max()
        facts[f"{score} unknown"], facts[score] = known.null_count(), pl.col(score).min()
    return customers.select(**facts).collect(engine="streaming").row(0, named=True)


def _base(
    orders: Orders, as_of: date, settings: RfmSettings, given: Given, hold: Hold, cut: Cut
) -> tuple[pl.LazyFrame, dict[str, int | None]]:
    """Customers before scores, and the base's median gap where it is used: this base's, or the one learned before."""
    if settings.columns == "core":
        lines = orders.select(behaviour.needed((), settings.carry))
        return pl.concat([hold(behaviour.core(some, as_of, settings.carry)) for some in cut(lines)]), {}
    found = behaviour.take(orders, as_of, settings.carry, hold, cut)
    if given.learned is None:
        return found.customers, {"median_gap_days": found.median_gap_days}
    median = given.learned["median_gap_days"]
    return found.customers.with_columns(behaviour.rhythm(median)), {"median_gap_days": median}


def _wanted(settings: RfmSettings, given: Given) -> dict[str, str]:
    """Each score with the column behind it. Raises UsageError, ConfigError for what cannot be meant, before any data is read."""
    allowed = {
        column.name
        for column in CUSTOMERS.of_stage("rfm")
        if column.dtype in ("Int32", "Int64", "Float64") or column.dtype.startswith("Decimal")
    } - {*_SCORED, "rfm_value"}
    behind = {column.name for column in BEHAVIOUR}
    extra = [name for name, _ in settings.weights if name not in _SHORT]
    for name in extra:
        if name not in allowed:
            close = difflib.get_close_matches(name, sorted(allowed | set(_SHORT)), n=1)
            raise UsageError(
                f"--weights names {name!r}, which is no number of a customer" + (f": did you mean {close[0]}?" if close else ""),
                fix="weigh r, f, m or numeric columns; `clm tables customers` lists them",
                code="unknown_column",
            )
        if settings.columns == "core" and name in behind:
            raise UsageError(f"--weights names {name}, which --columns core leaves out", fix="give --columns all")
    wanted = _SCORED | {f"{name}_score": name for name in extra}
    if given.cuts is not None and given.learned is not None:
        raise UsageError("--cuts and --model both say where the scores are cut", fix="give one of them")
    strange = next((score for score in given.cuts or {} if score not in wanted), None)
    if strange is not None:
        close = difflib.get_close_matches(strange, sorted(wanted), n=1)
        raise ConfigError(
            f"the cut-offs name {strange}, which is not scored" + (f": did you mean {close[0]}?" if close else ""),
            where=f"--cuts, [{strange}]",
            fix=f"the scores are {', '.join(wanted)}; --weights adds one per numeric column",
            code="cuts",
        )
    if given.learned is not None:
        _check_learned(given.learned, settings)
    return wanted


def _check_learned(learned: Mapping[str, Any], settings: RfmSettings) -> None:
    where = "--model, learned.rfm"
    fix = "learn it again with `clm rfm --save-model`"
    if not isinstance(learned.get("scores"), Mapping) or set(learned) - {"bins", "scores", "median_gap_days"}:
        raise ConfigError("the model's part for rfm is not what rfm learns", where=where, fix=fix, code="model")
    bins = learned.get("bins")
    if bins != settings.bins or isinstance(bins, bool):
        is_count = isinstance(bins, int) and not isinstance(bins, bool) and 2 <= bins <= 9
        raise ConfigError(
            f"the model's scores run to {bins if is_count else 'no usable number'}, --bins says {settings.bins}",
            where=where,
            fix=f"give --bins {bins}" if is_count else fix,
            code="bins",
        )
    if settings.columns == "all":
        if "median_gap_days" not in learned:
            raise ConfigError(
                "the model was learned with --columns core and holds no median gap for rhythm_days",
                where=where,
                fix=f"give --columns core, or {fix}",
                code="model",
            )
        median = learned["median_gap_days"]
        if median is not None and (isinstance(median, bool) or not isinstance(median, int) or not 1 <= median <= 4_000_000):
            raise ConfigError("the model's median_gap_days is no number of days", where=where, fix=fix, code="model")


def _cuts(base: pl.LazyFrame, score: str, column: str, bins: int, given: Given) -> Cuts | None:
    """The cut-offs of one score: given, learned before, or of this base; None when no customer has a value."""
    dtype = base.collect_schema()[column]
    if given.cuts is not None and score in given.cuts:
        where = f"--cuts, [{score}]"
        record = {"column": column, "bins": bins, "cuts": given.cuts[score]}
        return scores.read(record, column, dtype, where, "file", strict=True)
    known = base.filter(pl.col("orders") > 0).select(pl.col(column).count())
    empty = known.collect(engine="streaming").item() == 0
    if given.learned is not None:
        where = f"--model, learned.rfm.scores.{score}"
        if score in given.learned["scores"]:
            found = scores.read(given.learned["scores"][score], column, dtype, where, "model")
            if found.bins == bins:
                return found
        elif empty:
            return None
        raise ConfigError(
            f"the model holds no cut-offs of {bins} bins for {score}",
            where=where,
            fix="learn it again with `clm rfm --save-model` on a log that has this column",
            code="model",
        )
    return None if empty else scores.fit(base, column, bins)


def _check_carry(carry: Sequence[str], schema: pl.Schema) -> None:
    reserved = {column.name for column in CUSTOMERS.columns}
    for name in carry:
        texts = [one for one, dtype in schema.items() if dtype == pl.String and one not in reserved]
        if name not in texts:
            close = difflib.get_close_matches(name, texts, n=1)
            why = "a column of the customers already" if name in reserved else "no text column of the log"
            raise UsageError(
                f"--carry names {name!r}, which is {why}" + (f": did you mean {close[0]}?" if close else ""),
                fix=f"it has {', '.join(texts)}; `clm clean --keep {name}` keeps a column of the source",
                code="unknown_column",
            )
        if carry.count(name) > 1 or name.endswith("_score"):
            raise UsageError(
                f"--carry cannot use {name!r}" + (" twice" if carry.count(name) > 1 else ""), fix="rename the column"
            )


def _order(settings: RfmSettings) -> list[pl.Expr]:
    """The columns as the table lists them, then the scores of weighed columns, then what is carried."""
    listed = [column.name for column in CUSTOMERS.of_stage("rfm") if settings.columns == "all" or column not in BEHAVIOUR]
    if not settings.weights:
        listed.remove("rfm_value")
    extra = [f"{name}_score" for name, _ in settings.weights if name not in _SHORT]
    return [pl.col(name) for name in (*listed, *extra, *settings.carry)]


def _key(score: str) -> str:
    """A score's name in the metrics: `r`, `f`, `m`, else the column's."""
    return next((short for short, long in _SHORT.items() if long == score), score.removesuffix("_score"))


def _text(value: Any) -> str | None:
    return value.isoformat() if isinstance(value, date) else None


def _notices(lines: Totals, later: Totals, seen: Mapping[str, Any], as_of: date) -> tuple[Notice, ...]:
    found = []
    if not seen["buyers"]:
        found.append(Notice("no_buyers", f"no customer has a sale up to {as_of}"))
    if lines.latest is not None and as_of > lines.latest:
        days = (as_of - lines.latest).days
        found.append(
            Notice("as_of_after_log", f"the log ends {counted(days, 'day')} before {as_of}: silence in between is not known")
        )
    if later.rows:
        found.append(Notice("after_as_of", f"{counted(later.rows, 'row')} after {as_of} left out"))
    for name, column in _SCORED.items():
        alike = seen[f"{name} unknown"] == 0 and seen[f"{name} low"] == seen[f"{name} high"]
        if seen["buyers"] > 1 and seen[name] is not None and alike:
            says = f"every customer has the same {column}: {name} is {seen[name]} for all and tells nobody apart"
            found.append(Notice("scores_equal", says))
    if lines.rows and not lines.amounts:
        found.append(Notice("no_amounts", "the log has no amounts: money columns are empty"))
    return tuple(found)


def _closing(seen: Mapping[str, Any], lines: Totals, later: Totals, as_of: date) -> str:
    without = seen["customers"] - seen["buyers"]
    parts = [f"{counted(lines.rows - later.rows, 'row')} up to {as_of} = {counted(seen['customers'], 'customer')}"]
    if without:
        parts.append(f"{without:,} without a purchase")
    if later.rows:
        parts.append(f"{counted(later.rows, 'row')} after it left out")
    return ", ".join(parts)
