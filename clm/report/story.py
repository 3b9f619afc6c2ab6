"""One customer's story: what they did, where they stand, what is expected of them and why, in one language.

It may not read files or compute beyond adding up the lines of an order; a number the table does not hold is not told.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import polars as pl

from clm.report.footer_numbers import stage_facts
from clm.report.numbers import finite
from clm.report.told import reasons
from clm.report.words import Words, plain
from clm.report.wrap import cells, wrapped
from clm.tables import CUSTOMERS, NO_PURCHASE, RETURN

MOST_ORDERS = 10
_PRODUCTS = 2


@dataclass(frozen=True)
class Chapter:
    """A heading, sentences, and terms with what they are."""

    title: str
    sentences: tuple[str, ...] = ()
    pairs: tuple[tuple[str, str], ...] = ()


def story(row: dict[str, Any], orders: pl.DataFrame | None, words: Words, facts: dict[str, Any]) -> tuple[Chapter, ...]:
    """Chapters of one row of CUSTOMERS; `orders` is what `last_orders` made, None where the log is not there.

    `facts` is the footer of the table ({} without one), which tells how far the forecasts look.
    """
    found = [_history(row, words), _standing(row, words), _expected(row, words, facts), _risk(row, words, facts)]
    found.append(_carried(row, words))
    if orders is not None and orders.height:
        found.append(Chapter(words("story.last_orders", n=words.whole(orders.height)), pairs=tuple(_orders(orders, words))))
    return tuple(chapter for chapter in found if chapter.sentences or chapter.pairs)


def last_orders(lines: pl.LazyFrame) -> pl.DataFrame:
    """The latest orders of one customer's lines, newest first: when, which, what it brought, what was in it."""
    columns = lines.collect_schema().names()
    named = next((name for name in ("product", "product_id", "category") if name in columns), None)
    goods = pl.col(named).drop_nulls().unique(maintain_order=True) if named else pl.lit(None, pl.List(pl.String))
    return (
        lines.group_by("order_id", "kind")
        .agg(
            pl.col("ordered_at").min(),
            pl.col("amount").sum(),
            pl.col("amount").count().alias("priced"),
            pl.len(),
            goods.alias("goods"),
        )
        .sort(["ordered_at", "order_id"], descending=True)
        .head(MOST_ORDERS)
        .collect(engine="streaming")
    )


def _history(row: dict[str, Any], words: Words) -> Chapter:
    title = words("story.history")
    if not row["orders"]:
        said = [words("story.no_purchase")]
    else:
        silent = words.count("days", row["recency_days"])
        rhythm = row.get("rhythm_days")
        said = [
            words(
                "story.orders",
                orders=words.count("orders", row["orders"]), days=words.count("days", row["order_days"]),
                first=words.day(row["first_order_on"]), last=words.day(row["last_order_on"]),
            ),
            words("story.silent", days=silent)
            if rhythm is None
            else words("story.silent_rhythm", days=silent, rhythm=words.count("days", rhythm)),
        ]  # fmt: skip
    if row["spend"] is not None:
        said.append(words("story.spend", spend=words.money(float(row["spend"]))))
    if row["returns"]:
        money = row["returned_amount"]
        said.append(
            words("story.returns", n=words.whole(row["returns"]), money=words.money(None if money is None else float(money)))
        )
    return Chapter(title, tuple(said))


def _standing(row: dict[str, Any], words: Words) -> Chapter:
    pairs = []
    segment, stage, tier = row.get("segment"), row.get("lifecycle"), row.get("tier")
    if segment is not None:
        text = words.name("segment", segment)
        text += words("story.explained", text=words(f"meaning.{segment}")) if words.known(f"meaning.{segment}") else ""
        pairs.append((words("column.segment"), text))
    if stage is not None:
        text = words.name("lifecycle", stage)
        text += words("story.explained", text=words(f"stage.{stage}")) if words.known(f"stage.{stage}") else ""
        pairs.append((words("column.lifecycle"), text))
    if tier is not None:
        since = words("story.since", day=words.day(row["tier_since"])) if row.get("tier_since") else ""
        pairs.append((words("column.tier"), words.name("tier", tier) + since))
    if row.get("rfm") is not None:
        pairs.append((words("column.rfm"), words("story.scores", scores=row["rfm"])))
    if segment is not None and words.known(f"action.{segment}"):
        pairs.append((words("column.action"), words(f"action.{segment}")))
    return Chapter(words("story.standing"), pairs=tuple(pairs))


def _expected(row: dict[str, Any], words: Words, facts: dict[str, Any]) -> Chapter:
    if row.get("clv_status") in (None, NO_PURCHASE):
        return Chapter("")
    if row["clv_method"] == "mean" and row["expected_orders"] == 0:
        # the mean of a base of which nobody came back: that nothing is to come is not known
        return Chapter(words("story.expected"), (words("clv.cannot_tell"),))
    pairs = []
    if row["p_alive"] is not None:
        pairs.append((words("column.p_alive"), words.percent(row["p_alive"])))
    if row["expected_orders"] is not None:
        pairs.append((words("column.expected_orders"), words.decimal(row["expected_orders"])))
    if row["clv"] is not None:
        text = words.money(row["clv"])
        if row["clv_low"] is not None and row["clv_high"] is not None:
            text += words("story.between", low=words.money(row["clv_low"]), high=words.money(row["clv_high"]))
        pairs.append((words("column.clv"), text))
    if row["next_order_on"] is not None:
        pairs.append((words("column.next_order_on"), words.day(row["next_order_on"])))
    how = words("story.how", method=words.name("method", row["clv_method"]), status=words.name("clv_status", row["clv_status"]))
    pairs.append((words("column.clv_method"), how))
    horizon = stage_facts(facts, "clv").get("settings", {}).get("horizon")
    title = words("story.expected_in", horizon=words.stretch(horizon)) if isinstance(horizon, str) else words("story.expected")
    return Chapter(title, pairs=tuple(pairs))


def _risk(row: dict[str, Any], words: Words, facts: dict[str, Any]) -> Chapter:
    if row.get("churn_status") in (None, NO_PURCHASE):
        return Chapter("")
    pairs = []
    if row["churn_probability"] is not None:
        chance = words("story.chance", share=words.percent(row["churn_probability"]), risk=words.name("risk", row["churn_risk"]))
        pairs.append((words("column.churn_probability"), chance))
    if row["churn_reasons"] is not None:
        why = reasons(pl.Series([row["churn_reasons"]]), words)[0]
        pairs.append((words("column.reasons"), plain(why, 1000)))
    if row["days_overdue"] is not None and row["days_overdue"] > 0:
        pairs.append((words("column.days_overdue"), words.whole(row["days_overdue"])))
    how = words(
        "story.how", method=words.name("method", row["churn_method"]), status=words.name("churn_status", row["churn_status"])
    )
    pairs.append((words("column.churn_method"), how))
    days = finite(stage_facts(facts, "churn").get("metrics", {}).get("horizon_days"))
    title = words("story.risk_in", horizon=words.length(days)) if days is not None else words("story.risk")
    return Chapter(title, pairs=tuple(pairs))


def _carried(row: dict[str, Any], words: Words) -> Chapter:
    own = [(name, value) for name, value in row.items() if CUSTOMERS.column(name) is None and value is not None]
    return Chapter(words("story.carried"), pairs=tuple((plain(name), plain(value, 200)) for name, value in own))


def _orders(orders: pl.DataFrame, words: Words) -> Iterator[tuple[str, str]]:
    for order in orders.iter_rows(named=True):
        amount: Decimal | None = order["amount"] if order["priced"] else None
        text = words("story.returned" if order["kind"] == RETURN else "story.order", id=plain(order["order_id"], 30))
        text += "" if amount is None else words("story.worth", money=words.money(float(amount)))
        goods = [plain(one, 40) for one in (order["goods"] or [])]
        if goods:
            more = words("story.more", n=words.whole(len(goods) - _PRODUCTS)) if len(goods) > _PRODUCTS else ""
            text += words("story.explained", text=words("format.list").join(goods[:_PRODUCTS]) + more)
        yield words.day(order["ordered_at"].date()), text


def lines(title: str, chapters: tuple[Chapter, ...], width: int) -> Iterator[str]:
    """The story as text of at most `width` cells a line."""
    yield from wrapped(title, width)
    for chapter in chapters:
        yield ""
        yield chapter.title
        for sentence in chapter.sentences:
            yield from (f"  {line}" for line in wrapped(sentence, width - 2))
        left = min(max((cells(term) for term, _ in chapter.pairs), default=0), width // 2)
        for term, text in chapter.pairs:
            told = wrapped(text, max(width - left - 4, 20))
            for place, line in enumerate(told):
                head = term if place == 0 else ""
                yield f"  {head}{' ' * max(left - cells(head), 0)}  {line}"
