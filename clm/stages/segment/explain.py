"""Every number that put one customer where they are: scores, segment, lifecycle and tier, as a record and as lines of text.

It may not print, or judge anew: it reads the table that `segment` made.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl

from clm.errors import DataError
from clm.outcome import counted
from clm.schemes import Cells, Rules, Scheme
from clm.schemes.pyramid import MARGIN, Pyramid
from clm.stages.segment import lifecycle, names, tiers
from clm.tables import NO_PURCHASE

_BEHIND = {"r": "recency_days", "f": "orders", "m": "spend"}
_BOUGHT = pl.col("orders") > 0


def record(
    segmented: pl.DataFrame, customer: str, scheme: Scheme, bins: int, metrics: Mapping[str, Any], pyramid: Pyramid | None = None
) -> dict[str, Any]:
    """What is known of one customer of a segmented table, as JSON values; `metrics` are the stage's.

    Raises DataError, without the id, when there is no such customer.
    """
    own = segmented.filter(pl.col("customer_id") == customer)
    if own.is_empty():
        raise DataError(
            "there is no such customer in the table",
            where="--explain, column customer_id",
            fix="ids are compared as text: leading zeros count",
            code="unknown_customer",
        )
    row = own.row(0, named=True)
    found: dict[str, Any] = {"customer_id": row["customer_id"], "as_of": row["as_of"], "bought": row["orders"] > 0}
    if row["orders"] > 0:
        found["scores"] = {
            axis: _score(segmented, row, axis, bins) for axis in _BEHIND if row.get(names.COLUMN[axis]) is not None
        }
    found["segment"] = _segment(segmented, own, row, scheme, metrics)
    if row.get("lifecycle") is not None:
        found["lifecycle"] = _lifecycle(row)
    if row.get("tier") is not None and pyramid is not None:
        found["tier"] = _tier(row, pyramid, metrics)
    return {key: _plain(value) for key, value in found.items()}


def _score(segmented: pl.DataFrame, row: Mapping[str, Any], axis: str, bins: int) -> dict[str, Any]:
    """A score with its value, how many are worse, and the values that have the same score."""
    column, score = _BEHIND[axis], row[names.COLUMN[axis]]
    buyers = segmented.filter(_BOUGHT)
    value = pl.lit(row[column], segmented.schema[column])
    worse = pl.col(column) > value if axis == "r" else pl.col(column) < value
    same = buyers.filter(pl.col(names.COLUMN[axis]) == score)[column]
    return {
        "score": score,
        "bins": bins,
        "column": column,
        "value": row[column],
        "customers": buyers[column].count(),
        "worse": int(buyers.select(worse.sum()).item()),
        "from": same.min(),
        "to": same.max(),
        "same_score": len(same),
    }


def _segment(
    segmented: pl.DataFrame, own: pl.DataFrame, row: Mapping[str, Any], scheme: Scheme, metrics: Mapping[str, Any]
) -> dict[str, Any]:
    found: dict[str, Any] = {
        "segment": row["segment"],
        "scheme": scheme.name,
        "customers": metrics["segments"].get(row["segment"], 0),
    }
    if row["segment"] == NO_PURCHASE:
        return found
    if isinstance(scheme, Rules):
        held = own.select(answer.alias(f"{n}") for n, answer in enumerate(scheme.answers(segmented.schema))).row(0)
        place = held.index(True)
        rule = scheme.rules[place][1]
        columns = rule.columns() if rule is not None else ()
        values = {column: row[column] for column in columns}
        return found | {"rule": str(rule) if rule is not None else None, "place": place + 1, "values": values}
    return found | _cell(row, scheme, metrics)


def _cell(row: Mapping[str, Any], scheme: Cells, metrics: Mapping[str, Any]) -> dict[str, Any]:
    scores = {axis: row[names.COLUMN[axis]] for axis in scheme.axes}
    if scheme.against_mean:
        means = metrics["means"]
        return {
            "means": {axis: means[axis] for axis in scheme.axes},
            "high": {axis: score >= means[axis] for axis, score in scores.items()},
        }
    return {"rule": {axis: list(span) for axis, span in scheme.rule_for(tuple(scores.values())).items()}}


def _lifecycle(row: Mapping[str, Any]) -> dict[str, Any]:
    rhythm = row.get("rhythm_days")
    found = {
        "lifecycle": row["lifecycle"],
        "order_days": row["order_days"],
        "silent_days": row["recency_days"],
        "rhythm_days": rhythm,
    }
    if rhythm is None:
        return found
    return found | {
        "at_risk_after_days": lifecycle.AT_RISK * rhythm,
        "lost_after_days": lifecycle.LOST * rhythm,
        "last_gap_days": row["last_gap_days"],
        "rhythm_before_days": row["rhythm_before_days"],
    }


def _tier(row: Mapping[str, Any], pyramid: Pyramid, metrics: Mapping[str, Any]) -> dict[str, Any]:
    place = pyramid.codes.index(row["tier"])
    found = {key: row[key] for key in tiers.COLUMNS} | {"customers": metrics["tiers"][row["tier"]]}
    found |= {"demote_below": float(pyramid.demote_below), "demote_after_days": pyramid.demote_after_days}
    for name, at in (("edges", place), ("next_edges", place - 1)):
        if at >= 0:
            edges = metrics["tier_edges"][at]
            found[name] = {"tier": edges["code"]} | {
                part: [bar | {"value": _value(row, str(bar["column"]))} for bar in edges[part]] for part in ("all", "any")
            }
    return found


def _value(row: Mapping[str, Any], column: str) -> Any:
    if column != MARGIN:
        return row[column]
    return None if row["spend"] is None or row["cost"] is None else row["spend"] - row["cost"]


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value.isoformat() if isinstance(value, date) else f"{value:.4f}" if isinstance(value, Decimal) else value


def lines(record: Mapping[str, Any], width: int = 80) -> list[str]:
    """The record as sentences, none longer than `width`."""
    return [line for text in _sentences(record) for line in _wrapped(text, width)]


def _wrapped(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, width, subsequent_indent="           ", break_on_hyphens=False) or [""]


def _sentences(record: Mapping[str, Any]) -> Iterator[str]:
    yield f"customer   {record['customer_id']}, on {record['as_of']}"
    for axis, one in record.get("scores", {}).items():
        span = _number(one["from"]) if one["from"] == one["to"] else f"{_number(one['from'])} to {_number(one['to'])}"
        yield (
            f"{one['column']:<10} {_number(one['value'])}: {axis.upper()} {one['score']} of {one['bins']}; "
            f"{one['worse']:,} of {counted(one['customers'], 'customer')} are worse; "
            f"{axis.upper()} {one['score']} are {span} ({counted(one['same_score'], 'customer')})"
        )
    yield f"segment    {_why_segment(record)}"
    if "lifecycle" in record:
        yield f"lifecycle  {_why_lifecycle(record['lifecycle'])}"
    if "tier" in record:
        yield from _why_tier(record["tier"])


def _why_segment(record: Mapping[str, Any]) -> str:
    one = record["segment"]
    if not record["bought"]:
        return f"{one['segment']}: nothing was ever bought"
    if "means" in one:
        scores = record["scores"]
        parts = [
            f"{axis.upper()} {scores[axis]['score']} is {'at or above' if one['high'][axis] else 'below'} the mean {mean:.2f}"
            for axis, mean in one["means"].items()
        ]
        because = ", ".join(parts)
    elif isinstance(one["rule"], dict):
        because = ", ".join(
            f"{axis.upper()} {low}" + (f" to {high}" if high > low else "") for axis, (low, high) in one["rule"].items()
        )
    elif one["rule"] is None:
        because = "no rule before it holds"
    else:
        values = ", ".join(f"{name} {_number(value)}" for name, value in one["values"].items())
        because = f"{one['rule']}" + (f" ({values})" if values else "")
    return f"{one['segment']} by {one['scheme']}: {because}; {counted(one['customers'], 'customer')}"


def _why_lifecycle(one: Mapping[str, Any]) -> str:
    if one["rhythm_days"] is None:
        return f"{one['lifecycle']}"
    text = (
        f"{one['lifecycle']}: {counted(one['order_days'], 'order day')}, silent for {counted(one['silent_days'], 'day')}; "
        f"own rhythm {one['rhythm_days']:.1f} days, so at risk after {one['at_risk_after_days']:.1f} and lost after "
        f"{one['lost_after_days']:.1f}"
    )
    if one["last_gap_days"] is None:
        return text
    return (
        f"{text}; the last gap was {counted(one['last_gap_days'], 'day')}, the rhythm before it {one['rhythm_before_days']:.1f}"
    )


_WHY = {
    "first": "first table with tiers",
    "promoted": "its edges were reached",
    "kept": "its edges are reached",
    "held": "below its edges, but not far enough to count",
    "below": "below its edges, not yet for long enough",
    "demoted": "long enough below the edges of the tier above",
}


def _why_tier(one: Mapping[str, Any]) -> Iterator[str]:
    below = f", below since {one['tier_below_since']}" if one["tier_below_since"] else ""
    yield (
        f"tier       {one['tier']} since {one['tier_since']}{below} ({one['tier_reason']}: {_WHY[one['tier_reason']]}); "
        f"{counted(one['customers'], 'customer')}"
    )
    for name, label in (("edges", "edges"), ("next_edges", "next tier")):
        if one.get(name) and (one[name]["all"] or one[name]["any"]):
            yield f"{label:<10} {one[name]['tier']}: {_edges(one[name])}"
    if one["edges"]["all"] or one["edges"]["any"]:
        yield f"           down after {counted(one['demote_after_days'], 'day')} below {one['demote_below']:.0%} of these edges"


def _edges(edges: Mapping[str, Any]) -> str:
    told = {part: [_edge(bar) for bar in edges[part]] for part in ("all", "any")}
    parts = [*told["all"], *([f"one of {' or '.join(told['any'])}"] if told["any"] else [])]
    return ", and ".join(parts)


def _edge(bar: Mapping[str, Any]) -> str:
    side = "at_least" if "at_least" in bar else "at_most"
    edge = "nobody can" if bar[side] is None else f"{side.replace('_', ' ')} {bar[side]}"
    return f"{bar['column']} {edge} (is {_number(bar['value'])})"


def _number(value: Any) -> str:
    if value is None:
        return "empty"
    if isinstance(value, float):
        return f"{value:,.2f}"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value).removesuffix("00")
