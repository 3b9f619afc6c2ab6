"""By attribute: what else is known of customers joins their rows; segments are counted by country, channel or another column.

It may not read the file (it comes in cleaned), or keep a column whose values are as many as people.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from difflib import get_close_matches
from typing import Any

import polars as pl

from clm.errors import DataError, UsageError
from clm.outcome import Notice, Outcome, counted, money_text

MOST_VALUES, _FEW = 500, 20
_LISTED, _SHOWN = 20, 4
_PREFIXES = ("", "attr_", "main_")  # the order in which a name given to --by is looked for


def joined(
    customers: pl.DataFrame, attributes: pl.DataFrame, without_id: int = 0
) -> tuple[pl.DataFrame, dict[str, Any], tuple[Notice, ...]]:
    """The customers with the columns of `attributes` (`customer_id` unique), null where it has no row; `metrics.attributes`.

    `without_id` rows of the file named nobody; they and those about strangers are counted and said.

    Columns of that name from before are replaced. Raises DataError when not one id of a filled file is in the table.
    """
    columns = [name for name in attributes.columns if name != "customer_id"]
    both = attributes.join(customers.select("customer_id"), on="customer_id", how="semi").height
    unknown = attributes.height - both
    if attributes.height and customers.height and not both:
        raise DataError(
            f"none of the {counted(attributes.height, 'id')} of the attributes is in the table",
            where="--attributes, column customer_id",
            fix="ids are compared as text: leading zeros count, and pseudonyms are no ids",
            code="attributes_unknown",
        )
    found = customers.drop(columns, strict=False).join(attributes, on="customer_id", how="left", maintain_order="left")
    counts = {"rows": attributes.height + without_id, "customers": both, "unknown": unknown, "without_id": without_id}
    metrics = {"attributes": {"columns": columns, **counts, "customers_without": customers.height - both}}
    notices = []
    if unknown:
        text = f"{counted(unknown, 'row')} of the attributes about customers who are not in the table"
        notices.append(Notice("attributes_unknown", text))
    if without_id:
        notices.append(Notice("attributes_without_id", f"{counted(without_id, 'row')} of the attributes without a customer id"))
    return found, metrics, tuple(notices)


def by(outcome: Outcome, names: Sequence[str]) -> Outcome:
    """The outcome of `segment` with `metrics.by`: one row a column, value and segment, in their order.

    `share` is of the customers with that value. A name NAME means the column NAME, else attr_NAME, else main_NAME. Raises
    UsageError for columns that are not there, DataError for those with more values than a table can show.
    """
    customers = outcome.frame.lazy().collect()
    rows = [row for name in dict.fromkeys(names) for row in _rows(customers, name, _column(customers, name), outcome)]
    return replace(outcome, frame=customers, metrics=outcome.metrics | {"by": rows})


def lines(rows: Sequence[dict[str, Any]]) -> list[str]:
    """`metrics.by` as lines: the first values with their customers and largest segments."""
    groups: dict[tuple[str, str | None], list[dict[str, Any]]] = {}
    for row in rows:
        groups.setdefault((row["column"], row["value"]), []).append(row)
    told = [
        f"  {name} {'(none)' if value is None else value}: {counted(sum(row['customers'] for row in found), 'customer')}; "
        + ", ".join(f"{row['segment'] or 'none'} {row['share']:.0%}" for row in sorted(found, key=_larger)[:_SHOWN])
        + (f", {len(found) - _SHOWN} more" if len(found) > _SHOWN else "")
        for (name, value), found in list(groups.items())[:_LISTED]
    ]
    return told + ([f"  {counted(len(groups) - _LISTED, 'more value')} in --json"] if len(groups) > _LISTED else [])


def _larger(row: dict[str, Any]) -> int:
    return -int(row["customers"])


def _column(customers: pl.DataFrame, name: str) -> str:
    found = next((prefix + name for prefix in _PREFIXES if prefix + name in customers.columns), None)
    if found is None:
        near = get_close_matches(name, customers.columns, 1)
        raise UsageError(
            f"--by {name}: there is no such column" + (f"; did you mean {near[0]}?" if near else ""),
            where="the table of customers",
            fix=f"carry it along with `clm rfm --carry {name}`, or give it with --attributes",
            code="by",
        )
    return found


def _rows(customers: pl.DataFrame, name: str, column: str, outcome: Outcome) -> list[dict[str, Any]]:
    value = pl.col(column).cast(pl.String).alias("value")
    counts = customers.group_by(value, "segment").agg(
        pl.len().alias("customers"), pl.col("spend").sum(), pl.col("spend").count().alias("known"), pl.col("orders").sum()
    )
    values = counts["value"].n_unique()
    if values > MOST_VALUES:
        raise DataError(
            f"--by {name}: the column has {values:,} values, {MOST_VALUES} at most can be shown",
            where=f"column {column}",
            fix="give a column of fewer, larger groups",
            code="by",
        )
    if values > max(_FEW, customers.height // 2):
        raise DataError(
            f"--by {name}: nearly every customer has a value of their own",
            where=f"column {column}",
            fix="give a column of groups: what is about one person does not belong in a table of numbers",
            code="by",
        )
    whole = dict(counts.group_by("value").agg(pl.col("customers").sum()).iter_rows())
    segments = list(outcome.metrics["segments"])
    place = {code: at for at, code in enumerate(segments)}
    # the largest group first; those as large by name, and who has no value last
    rank = {one: at for at, one in enumerate(sorted(whole, key=lambda one: (one is None, -whole[one], one or "")))}
    ordered = sorted(counts.iter_rows(named=True), key=lambda row: (rank[row["value"]], place.get(row["segment"], len(place))))
    return [
        {
            "column": name,
            "value": row["value"],
            "segment": row["segment"],
            "customers": row["customers"],
            "share": row["customers"] / whole[row["value"]],
            "orders": row["orders"],
            "spend": money_text(row["spend"]) if row["known"] else None,
        }
        for row in ordered
    ]
