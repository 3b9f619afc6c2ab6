"""The key figures of the last 90 days and of the 90 days before, and the change between the two.

It may not hold the orders in memory: one streaming reduce to customers and periods, money as Decimal. Without the orders it
tells what CUSTOMERS knows, and takes the earlier figures from an earlier table where there is one. A figure of days the log did
not live is null.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

import polars as pl

from clm.report.concentration import curve
from clm.report.customer_numbers import float_sum, money_sum, ratio
from clm.report.numbers import ACTIVE_DAYS, KPI_RATES, KPIS, Sheet
from clm.tables import RETURN, SALE

_TENTH = 0.1
_OLDER = 3  # the age of everything before the last three periods
NEEDS = ("customer_id", "as_of", "first_order_on", "recency_days", "orders", "order_days")
_WINDOW = ("orders_90d", "spend_90d")  # of `rfm --columns all`


@dataclass(frozen=True)
class Period:
    """ACTIVE_DAYS days, both ends included."""

    first: date
    last: date

    @property
    def text(self) -> str:
        return f"{self.first}/{self.last}"


Figures = dict[str, tuple[float | Decimal | None, int | None]]  # by name: the value, and how many customers are behind it


def period(as_of: date, before: int = 0) -> Period:
    """The last period up to `as_of`, or one that ends so many periods before."""
    last = as_of - timedelta(days=before * ACTIVE_DAYS)
    return Period(last - timedelta(days=ACTIVE_DAYS - 1), last)


def add(
    sheet: Sheet, customers: pl.DataFrame, as_of: date, orders: pl.LazyFrame | None = None, earlier: pl.DataFrame | None = None
) -> dict[str, int]:
    """Add every key figure of the last period, of the one before, and its change.

    `orders` are the TRANSACTIONS the customers come from. Without them the earlier figures are those of `earlier`, CUSTOMERS of
    a day before `as_of`, about the last period up to that day. Returned is how many customers are behind what the log brought
    before the periods told, by figure: whoever holds these against the whole log reads it.
    """
    last, before = period(as_of), period(as_of, 1)
    older: dict[str, int] = {}
    if orders is not None:
        now, then, older = _of_orders(customers, orders, as_of)
    else:
        now, then = _of_table(customers, as_of), _first_seen(customers, before)
        day = _day(earlier)
        if earlier is not None and day is not None and day < as_of:
            then, before = _of_table(earlier, day), period(day)
            if day < last.first and "active" in now and "active" in then:
                now |= _kept(_active_ids(customers), _active_ids(earlier))
    for name in KPIS:
        (value, n), (value_before, n_before) = (one.get(name, (None, None)) for one in (now, then))
        sheet.add("kpi", name, value, period=last.text, n=n)
        sheet.add("kpi", name, value_before, period=before.text, n=n_before)
        fewest = None if n is None or n_before is None else min(n, n_before)
        sheet.add("kpi", f"{name}_change", _change(name, value, value_before), period=last.text, n=fewest)
    return older


def _change(name: str, value: float | Decimal | None, before: float | Decimal | None) -> float | None:
    """Of a rate the difference, of a number the share of what was before; null where there was nothing or less."""
    if value is None or before is None:
        return None
    difference = Decimal(value) - Decimal(before) if isinstance(value, Decimal) else float(value) - float(before)
    return float(difference) if name in KPI_RATES else ratio(difference, before)


def _of_orders(customers: pl.DataFrame, orders: pl.LazyFrame, as_of: date) -> tuple[Figures, Figures, dict[str, int]]:
    lines, placed = _reduced(customers, orders, as_of)
    lived = _lived(customers, as_of) if lines.filter(pl.col("age") == 0).height else 0
    firsts = customers.select("customer_id", "first_order_on")
    lines = lines.join(firsts, on="customer_id", how="left")
    now = _of_period(customers, lines, placed, as_of, 0, lived)
    before = _of_period(customers, lines, placed, as_of, 1, lived)
    return now, before, _older(lines.filter(pl.col("age") >= ("active" in now) + ("active" in before)))


def _older(lines: pl.DataFrame) -> dict[str, int]:
    kinds = {"net_revenue": pl.lit(True), "orders": pl.col("sold_on").is_not_null(), "returned": pl.col("returns") > 0}
    return {name: lines.filter(kind)["customer_id"].n_unique() for name, kind in kinds.items()}


def _lived(customers: pl.DataFrame, as_of: date) -> int:
    """How many whole periods up to `as_of` the log has lived: its first sale lies on their first day or before."""
    begun = customers["first_order_on"].min()
    return ((as_of - begun).days + 1) // ACTIVE_DAYS if isinstance(begun, date) else 0


def _reduced(customers: pl.DataFrame, orders: pl.LazyFrame, as_of: date) -> tuple[pl.DataFrame, dict[int, int]]:
    """One row per customer and age of the period (0 the last); and the orders of each, counted on the day of their last sale."""
    sale = pl.col("kind") == SALE
    day = pl.col("ordered_at").dt.date()
    dated = (
        orders.select("customer_id", "order_id", "kind", pl.col("amount").cast(pl.Decimal(38, 4)), day=day)
        .filter(pl.col("day") <= as_of)
        .join(customers.lazy().select("customer_id"), on="customer_id", how="semi")
    )
    lines = (
        dated.with_columns(_age(as_of))
        .group_by("customer_id", "age")
        .agg(
            gross=pl.col("amount").filter(sale).sum(),
            returned=-pl.col("amount").filter(pl.col("kind") == RETURN).sum(),
            priced=pl.col("amount").count(),
            returns=(pl.col("kind") == RETURN).sum(),
            sold_on=pl.col("day").filter(sale).max(),
        )
    )
    recent = pl.col("day") >= period(as_of, 1).first
    placed = dated.filter(recent & sale).group_by("customer_id", "order_id").agg(pl.col("day").max())
    counted = placed.with_columns(_age(as_of)).group_by("age").agg(pl.len())
    by_customer, by_age = pl.collect_all([lines, counted], engine="streaming")
    return by_customer, dict(by_age.iter_rows())


def _age(as_of: date) -> pl.Expr:
    days = (pl.lit(as_of) - pl.col("day")).dt.total_days()
    return pl.min_horizontal(days // ACTIVE_DAYS, _OLDER).cast(pl.Int8).alias("age")


def _of_period(
    customers: pl.DataFrame, lines: pl.DataFrame, placed: dict[int, int], as_of: date, before: int, lived: int
) -> Figures:
    """The figures of the period that ends `before` periods ago, as far as the log has lived it, and the one before it."""
    days = period(as_of, before)
    if before and lived <= before:
        return {}
    known = customers.filter(pl.col("first_order_on") <= days.last).height
    until = lines.filter(pl.col("age") >= before).group_by("customer_id").agg(pl.col("sold_on", "first_order_on").max())
    found = _to_date(known, until.filter(pl.col("sold_on") > pl.col("first_order_on")).height)
    if lived <= before:
        return found
    here = lines.filter(pl.col("age") == before)
    bought = here.filter(pl.col("sold_on").is_not_null())
    active = bought.height
    priced = int(lines["priced"].sum()) > 0
    gross, returned, net = _money(here) if priced else (None, None, None)
    found |= _in_period(active, placed.get(before, 0), net, here.height)
    found |= {"gross_revenue": (gross, active), "returned": (returned, here.filter(pl.col("returns") > 0).height)}
    found |= {"concentration": _top_tenth(bought.select(pl.col("gross") - pl.col("returned")).to_series() if priced else None)}
    if lived > before + 1:
        new = bought.filter(pl.col("first_order_on") >= days.first).height
        earlier = lines.filter((pl.col("age") == before + 1) & pl.col("sold_on").is_not_null())
        found |= _new(new, active) | _kept(bought["customer_id"], earlier["customer_id"])
    return found


def _money(here: pl.DataFrame) -> tuple[Decimal, Decimal, Decimal]:
    """Gross, returned and net; a period without a line has a true 0."""
    gross, returned = (money_sum(here[name]) or Decimal(0) for name in ("gross", "returned"))
    return gross, returned, gross - returned


def _of_table(customers: pl.DataFrame, as_of: date) -> Figures:
    """The figures of the last period up to `as_of` that CUSTOMERS alone can tell."""
    buyers = customers.filter(pl.col("orders") > 0)
    found = _to_date(buyers.height, buyers.filter(pl.col("order_days") > 1).height)
    here = buyers.filter(_recent())
    lived = _lived(customers, as_of) if here.height else 0
    if not lived:
        return found
    window = {name: customers[name] for name in _WINDOW if name in customers.columns}
    placed = float_sum(window["orders_90d"]) if "orders_90d" in window else None
    net = money_sum(window["spend_90d"]) if "spend_90d" in window else None
    spent = here["spend_90d"] if net is not None else None
    found |= _in_period(here.height, None if placed is None else int(placed), net, here.height)
    found |= {"concentration": _top_tenth(spent)}
    if lived > 1:
        found |= _new(here.filter(pl.col("first_order_on") >= period(as_of).first).height, here.height)
    return found


def _first_seen(customers: pl.DataFrame, days: Period) -> Figures:
    """What first orders alone say of the period before: who was known by its end, and who was new in it."""
    lived = _lived(customers, days.last)
    if lived < 1:
        return {}
    known = customers.filter(pl.col("first_order_on") <= days.last)
    new = known.filter(pl.col("first_order_on") >= days.first).height
    found: Figures = {"customers": (known.height, known.height)}
    return found | ({"new": (new, new)} if lived > 1 else {})


def _to_date(known: int, repeat: int) -> Figures:
    return {"customers": (known, known), "repeat_rate": (ratio(repeat, known), known)}


def _in_period(active: int, placed: int | None, net: Decimal | None, n: int) -> Figures:
    return {
        "active": (active, active),
        "orders": (placed, active),
        "net_revenue": (net, n),
        "average_order": (ratio(net, placed), active),
    }


def _new(new: int, active: int) -> Figures:
    returning = active - new
    return {"new": (new, new), "returning": (returning, returning), "acquisition": (ratio(new, active), active)}


def _kept(active: pl.Series, before: pl.Series) -> Figures:
    """Retention and churn of the customers who were active before."""
    n = len(before)
    kept = ratio(int(before.is_in(active.implode()).sum()), n)
    return {"retention": (kept, n), "churn": (None if kept is None else 1 - kept, n)}


def _top_tenth(spent: pl.Series | None) -> tuple[float | None, int | None]:
    """What the best tenth of the active customers, rounded up, brings of what they bring; who brings less than 0 brings 0."""
    found = curve(spent) if spent is not None else None
    if found is None:
        return None, None
    top = math.ceil(round(_TENTH * found.customers, 6))
    return found.top_share(top), top


def _recent() -> pl.Expr:
    return pl.col("recency_days") < ACTIVE_DAYS


def _active_ids(customers: pl.DataFrame) -> pl.Series:
    return customers.filter((pl.col("orders") > 0) & _recent())["customer_id"]


def _day(earlier: pl.DataFrame | None) -> date | None:
    day = earlier["as_of"].max() if earlier is not None and earlier.height else None
    return day if isinstance(day, date) else None
