"""`list`: which customers, in which order, with which of their columns.

It may not word anything: reasons and segments stay the codes they are, `report` puts them into a language.
"""

from __future__ import annotations

import difflib

import polars as pl

from clm.errors import UsageError
from clm.expressions import Expression, ExpressionError
from clm.expressions.meaning import compiled
from clm.outcome import Notice, Outcome, Rows, counted
from clm.settings import ListSettings
from clm.stages import agreement
from clm.tables import CUSTOMERS

REASONS, ACTION = "reasons", "action"
# what a sentence is made from
MADE_OF = {REASONS: "churn_reasons", ACTION: "segment"}
_USUAL = (
    "segment", "lifecycle", "tier", "last_order_on", "orders", "spend", "next_order_on", "clv", "churn_probability", "churn_risk",
    "contact_value", "early_warning",
)  # fmt: skip
_ASCENDING = ":asc"
_CODES = 15  # of one column, told when none of them is the one asked for


def choose(customers: pl.DataFrame, settings: ListSettings) -> Outcome:
    """The chosen rows and columns of CUSTOMERS; `reasons` and `action` are the columns their sentences are made of, renamed.

    Ties go by `customer_id`. Raises UsageError for a rule, a column or an order the table cannot answer.
    """
    as_of = agreement.one_day(customers, "list")
    found = customers
    if settings.where is not None:
        try:
            found = found.filter(compiled(settings.where, dict(customers.schema)))
        except ExpressionError as error:
            raise UsageError(f"--where: {error}", fix="`clm tables CUSTOMERS` lists the columns", code="rule") from None
    column, descending = _order(settings.sort, customers)
    found = found.sort([column, "customer_id"], descending=[descending, False], nulls_last=True)
    nobody = [_nobody(settings.where, customers)] if settings.where is not None and customers.height > found.height == 0 else []
    if settings.top is not None:
        found = found.head(settings.top)
    chosen = found.select(pl.col(MADE_OF.get(name, name)).alias(name) for name in _columns(settings.columns, customers))
    of = f" of {customers.height:,}" if found.height < customers.height else ""
    return Outcome(
        frame=chosen,
        rows=Rows(customers.height, chosen.height),
        as_of=as_of,
        warnings=tuple(nobody),
        metrics={"chosen": chosen.height, "sorted_by": column},
        closing=f"{counted(chosen.height, 'customer')}{of} by {column}",
    )


def _nobody(where: Expression, customers: pl.DataFrame) -> Notice:
    """That the rule holds for nobody; for columns of codes with what the table has, since a code is easily misspelt."""
    told = []
    for name in where.columns():
        known = CUSTOMERS.column(name)
        if known is not None and known.unit == "code" and customers[name].dtype == pl.String:
            codes = customers[name].drop_nulls().unique().sort().to_list()
            told.append(f"{name} is {', '.join(codes) if 0 < len(codes) <= _CODES else 'something else' if codes else 'empty'}")
    return Notice("nobody_chosen", f"--where holds for no customer{': in this table ' if told else ''}{'; '.join(told)}")


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
