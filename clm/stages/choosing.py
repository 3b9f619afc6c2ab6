"""`list`: which customers, in which order, with which of their columns.

It may not word anything: reasons and segments stay the codes they are, `report` puts them into a language.
"""

from __future__ import annotations

import difflib

import polars as pl

from clm.errors import UsageError
from clm.expressions import ExpressionError
from clm.expressions.meaning import compiled
from clm.outcome import Outcome, Rows, counted
from clm.settings import ListSettings
from clm.stages import snapshot
from clm.tables import CUSTOMERS

REASONS, ACTION = "reasons", "action"
# what a sentence is made from
MADE_OF = {REASONS: "churn_reasons", ACTION: "segment"}
_USUAL = (
    "segment", "lifecycle", "tier", "last_order_on", "orders", "spend", "next_order_on", "clv", "churn_probability", "churn_risk",
    "contact_value", "early_warning",
)  # fmt: skip
_ASCENDING = ":asc"


def choose(customers: pl.DataFrame, settings: ListSettings) -> Outcome:
    """The chosen rows and columns of CUSTOMERS; `reasons` and `action` are the columns their sentences are made of, renamed.

    Ties go by `customer_id`. Raises UsageError for a rule, a column or an order the table cannot answer.
    """
    as_of = snapshot.one_day(customers, "list")
    found = customers
    if settings.where is not None:
        try:
            found = found.filter(compiled(settings.where, dict(customers.schema)))
        except ExpressionError as error:
            raise UsageError(f"--where: {error}", fix="`clm tables CUSTOMERS` lists the columns", code="rule") from None
    column, descending = _order(settings.sort, customers)
    found = found.sort([column, "customer_id"], descending=[descending, False], nulls_last=True)
    if settings.top is not None:
        found = found.head(settings.top)
    chosen = found.select(pl.col(MADE_OF.get(name, name)).alias(name) for name in _columns(settings.columns, customers))
    of = f" of {customers.height:,}" if found.height < customers.height else ""
    return Outcome(
        frame=chosen,
        rows=Rows(customers.height, chosen.height),
        as_of=as_of,
        metrics={"chosen": chosen.height, "sorted_by": column},
        closing=f"{counted(chosen.height, 'customer')}{of} by {column}",
    )


def _columns(asked: tuple[str, ...], customers: pl.DataFrame) -> list[str]:
    """What is asked for; else the id, what the table carries along for people, where they stand, and what to say to them."""
    if asked:
        for name in asked:
            _check(name, customers, "--columns")
        return list(dict.fromkeys(asked))
    listed = {*CUSTOMERS.names(), *MADE_OF}  # a sentence keeps its name before a column somebody called the same
    own = [name for name in customers.columns if name not in listed and not name.startswith("previous_")]
    usual = [name for name in (*_USUAL, *MADE_OF) if MADE_OF.get(name, name) in customers.columns]
    return ["customer_id", *own, *usual]


def _order(asked: str | None, customers: pl.DataFrame) -> tuple[str, bool]:
    if asked is None:
        known = "clv" in customers.columns and customers["clv"].count()
        return ("clv" if known else "spend"), True
    column = asked.removesuffix(_ASCENDING)
    _check(column, customers, "--sort")
    return MADE_OF.get(column, column), not asked.endswith(_ASCENDING)


def _check(name: str, customers: pl.DataFrame, option: str) -> None:
    if MADE_OF.get(name, name) in customers.columns:
        return
    near = difflib.get_close_matches(name, [*customers.columns, *MADE_OF], n=1)
    made = CUSTOMERS.column(MADE_OF.get(name, name))
    fix = f"did you mean {near[0]}?" if near else f"run clm {made.stage} first" if made else "`clm tables CUSTOMERS` lists them"
    raise UsageError(f"{option} {name}: the table has no such column", fix=fix, code="column")
