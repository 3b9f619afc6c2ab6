"""The margin of `clv`: one share for all, or each customer's own from what the goods cost.

It may not value anything: it says which share of the money stays.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import polars as pl

from clm.errors import DataError
from clm.models import margin
from clm.models.margin import Margins
from clm.outcome import Notice, counted
from clm.settings import MARGIN_FROM_COST, ClvSettings
from clm.stages.clv import past
from clm.stages.clv.past import Base
from clm.tables import SALE


def check(customers: pl.DataFrame, settings: ClvSettings) -> None:
    """Raises DataError when the margin is to come from costs the table does not have."""
    if settings.margin == MARGIN_FROM_COST and ("cost" not in customers.columns or not customers["cost"].count()):
        raise DataError(
            "--margin cost: the table does not know what the goods cost",
            where="column cost",
            fix="map it when cleaning (--map cost=COLUMN) and keep `clm rfm --columns all`, or give a share: --margin 35%",
            code="no_cost",
        )


def of_base(base: Base, customers: pl.DataFrame, settings: ClvSettings) -> Margins | None:
    """A margin for each buyer of the base where they come from costs; None where one share is given for all."""
    if settings.margin != MARGIN_FROM_COST:
        return None
    told = customers.select("customer_id", "cost")
    costs = base.frame.select("customer_id", "spend").join(told, on="customer_id", how="left", maintain_order="left")
    return margin.shrunken(past.floats(costs["spend"]), past.floats(costs["cost"]))


def facts(settings: ClvSettings, margins: Margins | None) -> dict[str, Any]:
    """Where the margin comes from; `share` is the given one, or the base's, to which each customer's own is drawn."""
    if settings.margin != MARGIN_FROM_COST:
        return {"from": "setting", "share": settings.margin, "customers": None}
    base, known = (margins.base, margins.known) if margins is not None else (None, 0)
    return {"from": "cost", "share": base, "customers": known}


def notices(
    base: Base, customers: pl.DataFrame, orders: pl.LazyFrame | None, settings: ClvSettings, margins: Margins | None
) -> Iterator[Notice]:
    """What must be known of the margins; only the lines of the log tell whose costs are known in part."""
    if margins is None:
        if settings.margin == 1.0 and "cost" in customers.columns and customers["cost"].count():
            yield Notice("margin_not_used", "clv is revenue, not margin: the log knows its costs, --margin cost takes them off")
        return
    if margins.base is None:
        yield Notice("no_margin", "no customer has both spend and cost: every margin is 0, and so is clv")
        return
    if partly := _known_in_part(base, orders):
        yield Notice(
            "cost_partly_known",
            f"{counted(partly, 'customer')} with a cost on some lines only: the others count as free, so these margins are too "
            "high",
        )
    if margins.clipped:
        yield Notice(
            "margin_clipped",
            f"{counted(margins.clipped, 'customer')} whose goods cost more than was paid (or less than nothing): their margin "
            "is held between 0% and 100%",
        )


def _known_in_part(base: Base, orders: pl.LazyFrame | None) -> int:
    """Buyers who have lines with a cost and lines without one up to the day; 0 where the log is not at hand or has no costs."""
    if orders is None or "cost" not in orders.collect_schema().names():
        return 0
    known = pl.col("cost").is_not_null()
    lines = orders.filter(pl.col("ordered_at").dt.date() <= base.as_of, pl.col("kind") == SALE)
    mixed = lines.group_by("customer_id").agg(some=known.any(), every=known.all()).filter(pl.col("some") & ~pl.col("every"))
    return int(mixed.select(pl.len()).collect(engine="streaming").item())
