"""The segment of each customer: by a cell of scores, by scores against the mean of the base, or by written rules.

It may not let a customer be nameless or have two names: what the lint could not see is refused here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from clm.errors import ConfigError, DataError
from clm.outcome import counted
from clm.schemes import Cells, Rules, Scheme
from clm.tables import CUSTOMERS, NO_PURCHASE

COLUMN = {"r": "r_score", "f": "f_score", "m": "m_score"}
_BOUGHT = pl.col("orders") > 0

Means = dict[str, dict[str, int]]  # axis -> sum of the scores and number of customers, whole numbers: exact


def learns(scheme: Scheme) -> bool:
    """Whether the scheme takes anything from the base."""
    return isinstance(scheme, Cells) and scheme.against_mean


def named(customers: pl.DataFrame, scheme: Scheme, bins: int, learned: Any = None) -> tuple[pl.DataFrame, Means | None]:
    """The customers with `segment`, and the means the scheme compares with, when it does."""
    frame = customers.drop("segment", strict=False)
    if isinstance(scheme, Rules):
        return _by_rules(frame, scheme, bins), None
    columns = [COLUMN[axis] for axis in scheme.axes]
    _check_filled(frame, columns, scheme.name, "use a scheme over r and f for a log without amounts")
    if not scheme.against_mean:
        _check_bins(scheme.name, scheme.bins, bins)
        levels, means = {axis: pl.col(COLUMN[axis]) for axis in scheme.axes}, None
    else:
        means = _means(frame, scheme, bins) if learned is None else _checked(learned, scheme, bins)
        levels = {axis: _level(axis, means[axis]) for axis in scheme.axes}
    cells = pl.DataFrame(
        [(*cell, code) for cell, code in scheme.cells.items()],
        schema=dict.fromkeys((f"level {axis}" for axis in scheme.axes), pl.Int32) | {"segment": pl.String},
        orient="row",
    )
    found = (
        frame.with_columns(level.cast(pl.Int32).alias(f"level {axis}") for axis, level in levels.items())
        .join(cells, on=[f"level {axis}" for axis in scheme.axes], how="left", maintain_order="left")
        .drop(f"level {axis}" for axis in scheme.axes)
        .with_columns(pl.when(_BOUGHT).then(pl.col("segment")).otherwise(pl.lit(NO_PURCHASE)).alias("segment"))
    )
    outside = found["segment"].null_count()
    if outside:
        raise DataError(
            f"{counted(outside, 'customer')} with scores outside 1 to {bins}",
            where=f"columns {', '.join(columns)}",
            fix="make the table with `clm rfm`",
            code="scores",
        )
    return found, means


def _level(axis: str, mean: Mapping[str, int]) -> pl.Expr:
    """2 at or above the mean, else 1; compared in whole numbers, so that a score equal to the mean never falls below it."""
    score = pl.col(COLUMN[axis]).cast(pl.Int64)
    return pl.when(score * mean["count"] >= mean["sum"]).then(2).when(score.is_not_null()).then(1)


def _means(frame: pl.DataFrame, scheme: Cells, bins: int) -> Means:
    buyers = frame.filter(_BOUGHT)
    sums = {axis: buyers[COLUMN[axis]].cast(pl.Int64) for axis in scheme.axes}
    return {axis: {"sum": int(one.sum()), "count": one.count(), "bins": bins} for axis, one in sums.items()}


def _checked(learned: Any, scheme: Cells, bins: int) -> Means:
    """Means of another base, held against the scheme and the scores."""
    fix = "make the model with the same --scheme and --bins, or leave out --model"

    def wrong() -> ConfigError:
        text = "the model's means of scores are not those of this scheme"
        return ConfigError(text, where="learned.segment.means", fix=fix, code="model")

    if not isinstance(learned, Mapping) or set(learned) != set(scheme.axes):
        raise wrong()
    for one in learned.values():
        numbers = isinstance(one, Mapping) and set(one) == {"sum", "count", "bins"}
        if not numbers or not all(isinstance(part, int) and not isinstance(part, bool) and part >= 0 for part in one.values()):
            raise wrong()
        # products of scores and counts must stay whole numbers of 64 bits
        if one["bins"] != bins or not one["count"] <= one["sum"] <= 9 * one["count"] < 2**60:
            raise wrong()
    return {axis: dict(learned[axis]) for axis in scheme.axes}


def _by_rules(frame: pl.DataFrame, scheme: Rules, bins: int) -> pl.DataFrame:
    """The code of the rule that holds; exactly one must, unless the first decides."""
    if any(column in COLUMN.values() for column in scheme.columns):
        _check_bins(scheme.name, scheme.bins, bins)
    never_empty = [name for name in scheme.columns if name in (*COLUMN.values(), "lifecycle") or _is_money(name)]
    fix = "use a scheme that does not ask it, for a log without amounts or without second orders"
    _check_filled(frame, never_empty, scheme.name, fix)
    answers = scheme.answers(frame.schema)
    held = frame.select(_BOUGHT.alias("bought"), *(answer.alias(f"{n}") for n, answer in enumerate(answers)))
    by_code = [[f"{n}" for n, (one, _) in enumerate(scheme.rules) if one == code] for code in scheme.codes]
    number = pl.sum_horizontal(pl.any_horizontal(names).cast(pl.Int32) for names in by_code)
    counts = held.filter("bought").select(nobody=(number == 0).sum(), several=(number > 1).sum()).row(0, named=True)
    for what, several in (("no segment", counts["nobody"]), ("more than one segment", counts["several"])):
        if several and not (scheme.first_match and what != "no segment"):
            raise DataError(
                f"the rules of {scheme.name} give {counted(several, 'customer')} {what}",
                where=f"columns {', '.join(scheme.columns)}",
                fix='mend the rules, or write first_match = true and end with a [[segment]] that has no "when"',
                code="scheme",
            )
    first = pl.coalesce(pl.when(pl.col(f"{n}")).then(pl.lit(code)) for n, (code, _) in enumerate(scheme.rules))
    codes = held.select(pl.when("bought").then(first).otherwise(pl.lit(NO_PURCHASE)).alias("segment"))
    return pl.concat([frame, codes], how="horizontal")


def _is_money(name: str) -> bool:
    """Columns that are empty only where the log has no amounts: the lint counts on them."""
    column = CUSTOMERS.column(name)
    return column is not None and column.unit == "money"


def _check_bins(name: str, wanted: int, bins: int) -> None:
    if bins != wanted:
        raise DataError(
            f"the scheme {name} is made for scores from 1 to {wanted}, these run from 1 to {bins}",
            fix=f"run `clm rfm --bins {wanted}`, or give --scheme a file with bins = {bins}",
            code="bins",
        )


def _check_filled(frame: pl.DataFrame, columns: list[str], name: str, fix: str) -> None:
    buyers = frame.filter(_BOUGHT)
    empty = next((column for column in columns if buyers[column].null_count()), None)
    if empty is not None:
        raise DataError(f"the scheme {name} needs {empty}, which is empty", fix=fix, code="no_score")
