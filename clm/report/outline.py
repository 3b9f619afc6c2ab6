"""The report put into one language: headlines, key figures, notices and panels in their order.

It may not compute: every number is looked up in METRICS, everything else in the footer's facts.
"""

from __future__ import annotations

from typing import Any

import polars as pl

from clm.report import (
    alive_panel,
    cohort_panel,
    costs_panel,
    customers_panel,
    forecast_panels,
    group_panels,
    hidden,
    key_figures,
    limits_panel,
    past_panels,
    revenue_panel,
    staying_panel,
    trust,
    value_sentences,
)
from clm.report.blocks import Outline, Panel
from clm.report.cells import text
from clm.report.notices import notices
from clm.report.numbers import ACTIVE_DAYS, Number, Numbers
from clm.report.words import Words, load, plain

_SOURCES_NAMED = 3


def outline(
    metrics: pl.DataFrame, facts: dict[str, Any], lang: str, named: pl.DataFrame | None = None, *, plain_signs: bool = False
) -> Outline:
    """What every view prints. `metrics` is METRICS, `facts` the footer of the customers file ({} without one).

    `named` are the customers the report may name (see `customers_panel`); None when it names nobody.
    """
    currency = facts.get("currency")
    words = load(lang, currency if isinstance(currency, str) else None, plain_signs)
    numbers = Numbers(metrics)
    people = () if named is None else (Panel("customers", words("panel.customers"), customers_panel.customers(named, words)),)
    panels = (
        Panel("quality", words("panel.quality"), past_panels.quality(numbers, facts, words)),
        Panel("revenue", words("panel.revenue"), revenue_panel.revenue(numbers, words)),
        Panel("segments", words("panel.segments"), group_panels.segments(numbers, words)),
        Panel("rfm_grid", words("panel.rfm_grid"), past_panels.grid(numbers, words)),
        Panel("tiers", words("panel.tiers"), group_panels.tiers(numbers, words)),
        Panel("lifecycle", words("panel.lifecycle"), group_panels.lifecycle(numbers, words)),
        Panel("portfolio", words("panel.portfolio"), group_panels.portfolio(numbers, words)),
        Panel("migration", words("panel.migration"), group_panels.migration(numbers, words)),
        Panel("cohorts", words("panel.cohorts"), cohort_panel.cohorts(numbers, words)),
        Panel("survival", words("panel.survival"), staying_panel.survival(numbers, words)),
        Panel("clv", words("panel.clv"), forecast_panels.value(numbers, facts, words)),
        Panel("costs", words("panel.costs"), costs_panel.costs(numbers, words)),
        Panel("backtest", words("panel.backtest"), forecast_panels.backtest(numbers, words)),
        Panel("churn", words("panel.churn"), forecast_panels.churn(numbers, facts, words)),
        Panel("alive", words("panel.alive"), alive_panel.alive(numbers, words)),
        *people,
        Panel("assumptions", words("panel.assumptions"), limits_panel.assumptions(numbers, facts, words)),
    )
    said = (*notices(facts, words, numbers.value("privacy", "min_cell") or 0), *hidden.notice(numbers, words))
    return Outline(
        lang=lang,
        title=words("report.title"),
        subtitle=_subtitle(numbers, facts, words),
        headlines=_headlines(numbers, facts, words),
        tiles=key_figures.tiles(numbers, facts, words),
        tiles_note=key_figures.sentence(numbers, words),
        notices=said,
        notice_lines=tuple(words("report.notice", heading=heading, text=text) if text else heading for heading, text in said),
        panels=hidden.left(panels, numbers),
        overview_title=words("panel.overview"),
        notices_title=words("report.notes"),
        contents_title=words("report.contents"),
        data_title=words("report.figure_data"),
        made_by=words(
            "report.made_by" if named is None else "report.made_by_named",
            version=plain(facts.get("clm_version") or words("report.unknown")),
        ),
    )


def sources(facts: dict[str, Any]) -> list[dict[str, Any]]:
    """The source files among the ancestors: base name, bytes, SHA-256."""
    ancestors = facts.get("ancestors")
    found = ancestors if isinstance(ancestors, list) else []
    return [one for one in found if isinstance(one, dict) and isinstance(one.get("source"), str)]


def _subtitle(numbers: Numbers, facts: dict[str, Any], words: Words) -> tuple[str, ...]:
    named = [plain(one["source"], 60) for one in sources(facts)]
    parts = [words("report.as_of", day=words.day(numbers.as_of))]
    if named:
        shown = words("format.list").join(named[:_SOURCES_NAMED])
        more = len(named) - _SOURCES_NAMED
        shown = words("report.sources_more", names=shown, n=words.whole(more)) if more > 0 else shown
        parts.append(words("report.source", names=shown))
    if words.currency:
        parts.append(plain(words.currency, 12))
    return tuple(parts)


def _headlines(numbers: Numbers, facts: dict[str, Any], words: Words) -> tuple[str, ...]:
    def value(metric: str) -> float | None:
        return numbers.single_value("overview", metric)

    if hidden.everything(numbers):
        return (hidden.headline(numbers, words),)
    buyers, window = value("buyers"), numbers.single("quality", "window")
    if not buyers or window is None or window.period is None:
        return (words("headline.nobody", day=words.day(numbers.as_of)),)
    first, last = window.period.split("/")
    base = {
        "customers": words.count("customers", buyers),
        "orders": words.count("orders", value("orders")),
        "first": words.day(first),
        "last": words.day(last),
    }
    revenue = value("net_revenue")
    said = [
        words("headline.base", **base, revenue=words.money(revenue))
        if revenue is not None
        else words("headline.base_no_amounts", **base)
    ]
    recent = key_figures.headline(numbers, words)
    said += [recent] if recent else []
    repeat, top = (
        text(numbers.single("overview", "repeat_rate"), words.percent),
        numbers.value("clv", "top_share_spend", "top_010"),
    )
    days = words.count("days", ACTIVE_DAYS)
    said.append(
        words("headline.repeat_top", repeat=repeat, top=words.percent(top))
        if top is not None
        else words(
            "headline.repeat",
            repeat=repeat,
            active=text(numbers.single("overview", "active_share"), words.percent),
            days=days,
        )
    )
    said += _forecast_headlines(numbers, facts, words)
    return tuple(said)


def _forecast_headlines(numbers: Numbers, facts: dict[str, Any], words: Words) -> list[str]:
    said = []
    expected, clv = numbers.single("overview", "expected_revenue"), numbers.single("clv", "clv")
    orders = numbers.single("clv", "expected_orders")
    doubt = trust.forecast_doubt(numbers)
    reasons = {trust.FEW: "headline.why_few", trust.UNTESTED: "headline.why_untested"}
    why = {"why": words(reasons[doubt])} if doubt else {}
    if trust.cannot_tell(numbers):
        said.append(words("headline.cannot_tell"))
    elif expected and expected.value is not None:
        values = {"horizon": words.stretch(expected.period), "revenue": words.money(expected.value)} | why
        if clv and clv.lower is not None and clv.upper is not None:
            ends = {"low": words.money(clv.lower), "high": words.money(clv.upper), "clv": words.money(clv.value)}
            ends["interval"] = value_sentences.interval_share(facts, words)
            said.append(words("headline.expect_interval_untested" if doubt else "headline.expect_interval", **values, **ends))
        else:
            said.append(words("headline.expect_untested" if doubt else "headline.expect", **values))
    elif orders and orders.value is not None:
        values = {"horizon": words.stretch(orders.period), "days": words.count("days", orders.value)} | why
        said.append(words("headline.expect_orders_untested" if doubt else "headline.expect_orders", **values))
    lost = numbers.single("overview", "expected_lost")
    if lost and lost.value is not None and lost.n:
        said.append(_lost_headline(numbers, facts, words, lost))
    return said


def _lost_headline(numbers: Numbers, facts: dict[str, Any], words: Words, lost: Number) -> str:
    doubt, horizon = trust.churn_doubt(numbers, facts), key_figures.lost_horizon(numbers, words)
    if doubt == trust.NO_SKILL:
        return words("headline.lost_no_skill", horizon=horizon)
    return words(
        "headline.lost_untested" if doubt else "headline.lost",
        active=words.count("customers", lost.n),
        window=words.count("days", ACTIVE_DAYS),
        lost=words.whole(lost.value),
        share=words.percent(numbers.single_value("overview", "expected_lost_share")),
        horizon=horizon,
    )
