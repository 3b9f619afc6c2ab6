"""Attributes: a file of what else is known of customers, cleaned as far as a join needs: ids by the one rule, cells trimmed.

It may not know which customers there are, or guess between two rows of one customer.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from clm.errors import DataError
from clm.ingest import roles
from clm.ingest.structure import LINE, PROBLEM
from clm.ingest.text import TextLog
from clm.outcome import counted
from clm.stages.clean import ids

PREFIX = "attr_"
_ID = "customer_id"


@dataclass(frozen=True)
class Attributes:
    """One row a customer: `customer_id` and a text column `attr_NAME` for each other column; `without_id` rows named nobody."""

    frame: pl.DataFrame
    without_id: int


def attributes(log: TextLog) -> Attributes:
    """The attributes in a file of text. Raises DataError when there is no id, no attribute, a broken record or an id twice."""
    name = log.parts[0].source.name
    column = _id_column(log)
    others = [one for one in log.columns if one != column]
    if not others:
        raise DataError(
            f"{name} holds ids and no attribute", where=name, fix="add a column for each attribute", code="attributes"
        )
    cells = [ids.words(pl.col(one)).alias(PREFIX + one) for one in others]
    text = log.frame.select(LINE, PROBLEM, ids.tidy(pl.col(column)).alias(_ID), *cells).collect()
    _whole(text, name)
    filled = text.filter(pl.any_horizontal(pl.col(_ID, *(PREFIX + one for one in others)).is_not_null()))
    known = filled.drop_nulls(_ID).drop(LINE, PROBLEM)
    if known.height and known[_ID].str.contains(ids.WHOLE_WITH_POINT).all():
        known = known.with_columns(ids.without_point(pl.col(_ID)))
    twice = known.height - known[_ID].n_unique()
    if twice:
        raise DataError(
            f"{counted(twice, 'row')} of {name} about a customer who has a row already",
            where=f"{name}, column {column}",
            fix="leave one row for each customer",
            code="attributes_twice",
        )
    return Attributes(known, filled.height - known.height)


def _id_column(log: TextLog) -> str:
    if _ID in log.columns:
        return _ID
    found, _ = roles.assign(log, {}, None, log.settings)
    if _ID not in found:
        raise DataError(
            "no column of the attributes is the customer's id",
            where=roles.shown(log.columns),
            fix=f"call it {_ID}",
            code="attributes",
        )
    return found[_ID][0]


def _whole(text: pl.DataFrame, name: str) -> None:
    """Raises DataError for records that could not be cut up, and for ids a spreadsheet has destroyed."""
    broken = text.filter(~pl.col(PROBLEM).is_in(["blank_row", "header_repeat"]))
    if broken.height:
        raise DataError(
            f"{counted(broken.height, 'record')} of {name} cannot be read, the first {broken[PROBLEM][0]}",
            where=f"{name}, line {broken[LINE][0]}",
            fix="mend the file, or say how it is written with `clm clean` first",
            code="attributes",
        )
    destroyed = text.filter(pl.col(_ID).str.contains(ids.DESTROYED))
    if destroyed.height:
        raise DataError(
            f"{counted(destroyed.height, 'id')} of {name} written as 1.2E+15: the digits are gone",
            where=f"{name}, line {destroyed[LINE][0]}",
            fix="export the ids as text",
            code="id_destroyed",
        )
