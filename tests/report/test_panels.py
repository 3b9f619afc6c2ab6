"""Outline and panels: what is said when, and commands that can be run again."""

from __future__ import annotations

import re
from copy import deepcopy
from datetime import date
from typing import Any

import polars as pl
import pytest

from clm.report import metrics
from clm.report.blocks import Figure, Heat, Outline, Pairs, Paragraph, Table
from clm.report.outline import outline
from tests.report import samples

Shop = tuple[pl.DataFrame, dict[str, Any], pl.DataFrame]


def _panel(report: Outline, code: str) -> tuple[Any, ...]:
    return next(panel.blocks for panel in report.panels if panel.code == code)


def _first(report: Outline, code: str) -> str:
    return str(next(block.text for block in _panel(report, code) if isinstance(block, Paragraph)))


def test_headlines_tell_the_whole_in_five_sentences(shop: Shop, numbers: pl.DataFrame) -> None:
    """Who bought what, how the last period went, who comes back, what is expected, who will be lost; each with its numbers."""
    said = outline(numbers, shop[1], "en").headlines
    assert len(said) == 5
    assert said[0].startswith("200 customers placed ")
    assert "£" in said[0]
    assert re.fullmatch(
        r"In the last 90 days 98 customers placed \d+ orders worth £[\d,]+: \d+% (more|less) than in .* before.", said[1]
    )
    assert "In the next 12 months" in said[3]
    assert "within 8 weeks" in said[4]


def test_the_grid_shows_every_cell_with_the_best_at_the_top_right(shop: Shop, numbers: pl.DataFrame) -> None:
    """Rows run from the highest frequency down, columns to the highest recency; zeros are shown as zeros."""
    [heat] = [block for block in _panel(outline(numbers, shop[1], "en"), "rfm_grid") if isinstance(block, Heat)]
    assert heat.rows == ("F5", "F4", "F3", "F2", "F1")
    assert heat.columns == ("R1", "R2", "R3", "R4", "R5")
    best = shop[0].filter((pl.col("r_score") == 5) & (pl.col("f_score") == 5)).height
    assert heat.cells[0][4].value == best
    assert sum(cell.value for row in heat.cells for cell in row) == 200
    assert all((cell.level == 0) == (cell.value == 0) for row in heat.cells for cell in row)


def test_flags_are_told_with_what_to_do(shop: Shop) -> None:
    """The commonest first, each with rows, share of what was kept, money, meaning and advice; one's own keeps its name."""
    facts = deepcopy(shop[1])
    flags = {"zero_price": {"rows": 4, "amount": "0.0000"}, "big order": {"rows": 49, "amount": "12345.6700"}}
    facts["ancestors"][1]["metrics"]["quality"] = {"flagged_rows": 51, "flags": flags}
    for lang, name in (("en", "Price of zero"), ("zh", "零单价")):
        blocks = _panel(outline(metrics.compute(shop[0], facts), facts, lang), "quality")
        _, table = [block for block in blocks if isinstance(block, Table)]
        assert [row[0].text for row in table.rows] == ["big order", name]
        assert [cell.value for cell in table.rows[0]][1:4] == [49, 0.025, 12345.67]
        assert all(row[4].text and row[5].text for row in table.rows)
        [said] = [block.text for block in blocks if isinstance(block, Paragraph) and "51" in block.text]
        assert "2.6%" in said
    facts["ancestors"][1]["metrics"]["quality"] = {"flagged_rows": 0, "flags": {}}
    blocks = _panel(outline(metrics.compute(shop[0], facts), facts, "en"), "quality")
    assert "No row was flagged as remarkable." in [block.text for block in blocks if isinstance(block, Paragraph)]


def test_segments_have_names_meanings_and_actions(shop: Shop, numbers: pl.DataFrame) -> None:
    """Each segment that occurs is named, described and given something to do; a foreign code stays as it is."""
    blocks = _panel(outline(numbers, shop[1], "zh"), "segments")
    [actions] = [block for block in blocks if isinstance(block, Table)]
    assert [row[0].text for row in actions.rows] == ["重要价值客户", "潜力忠诚客户", "流失预警客户", "沉睡客户", "无购买客户"]
    own = shop[0].with_columns(segment=pl.lit("vip club"))
    [figure] = [block for block in _panel(outline(metrics.compute(own, {}), {}, "zh"), "segments") if isinstance(block, Figure)]
    assert {mark.place for mark in figure.marks} == {"vip club"}


def test_without_amounts_orders_are_shown_instead(shop: Shop) -> None:
    """A log without money has a chart of orders and shares of customers, and says so."""
    customers, _, orders = shop
    money = [pl.lit(None).cast(kind).alias(name) for name, kind in customers.schema.items() if kind == pl.Decimal(38, 4)]
    money += [pl.lit(None).cast(pl.Float64).alias(name) for name in ("expected_spend", "clv", "clv_low", "clv_high")]
    unpriced = orders.with_columns(amount=pl.lit(None).cast(pl.Decimal(18, 4)))
    report = outline(metrics.compute(customers.with_columns(money), {}, unpriced.lazy()), {}, "en")
    assert "The log has no amounts." in report.headlines[0]
    assert "days with an order" in _first(report, "clv") or "order on" in report.headlines[3]
    assert _first(report, "revenue").startswith("The log has no amounts")
    assert _first(report, "clv").startswith("The log has no amounts")
    assert not [tile for tile in report.tiles if tile.code in ("net_revenue", "average_order", "expected_revenue")]


def test_notices_of_every_stage_are_told_once(shop: Shop, numbers: pl.DataFrame) -> None:
    """English keeps the stage's sentence; Chinese has its own with the same numbers, or that of an unknown code."""
    english, chinese = (outline(numbers, shop[1], lang).notices for lang in ("en", "zh"))
    assert english == (
        ("The test was shorter than the forecast", "tested over 13 weeks, forecast over 52 weeks"),
        ("unheard_of", "something new"),
    )
    assert chinese == (("检验期短于预测期", "检验期 13 周，预测期 52 周。"), ("unheard_of", "something new"))


def test_many_sources_are_named_in_part(shop: Shop, numbers: pl.DataFrame) -> None:
    """Of five sources the heading names three and says two more; data quality lists all."""
    facts = deepcopy(shop[1])
    facts["ancestors"] += [{"source": f"s{number}.csv", "bytes": 1, "sha256": "f" * 64} for number in range(4)]
    report = outline(numbers, facts, "en")
    assert report.subtitle[1] == "Source: orders 2023.csv, s0.csv, s1.csv and 2 more"
    [pairs] = [block for block in _panel(report, "quality") if isinstance(block, Pairs)]
    assert [text for term, text in pairs.items if term == "Source"][-1] == "s3.csv (1 byte, SHA-256 ffffffffffff)"


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_back_test_shows_the_mean_over_its_days(shop: Shop, numbers: pl.DataFrame, lang: str) -> None:
    """With two past days whose scores differ the table holds their mean, not the newest day's score."""
    table = next(
        block for block in _panel(outline(numbers, shop[1], lang), "backtest") if isinstance(block, Table) and block.strong
    )
    [model] = [row for row in table.rows if row[0].text.startswith("MBG/NBD")]
    assert model[1].value == pytest.approx(-0.07)
    assert model[1].text == "−7.0%"


@pytest.mark.parametrize("score", ["r_score", "f_score"])
@pytest.mark.parametrize(("lang", "said"), [("en", "mean little here"), ("zh", "意义不大")])
def test_equal_scores_take_the_meaning_from_segment_names(shop: Shop, score: str, lang: str, said: str) -> None:
    """When all buyers share a recency or a frequency score, the table of actions says that its names mean little."""
    for people, told in ((shop[0], False), (shop[0].with_columns(pl.lit(1, pl.Int32).alias(score)), True)):
        blocks = _panel(outline(metrics.compute(people, {}), {}, lang), "segments")
        [actions] = [block for block in blocks if isinstance(block, Table)]
        assert (said in actions.note) == told


@pytest.mark.parametrize(
    ("used", "kind", "labels"),
    [
        ("bgnbd", "model", ("BG/NBD (model, used)", "BG/NBD（模型，已采用）")),
        ("nbd", "baseline", ("NBD (used)", "NBD（已采用）")),
        ("mean", "baseline", ("mean of all customers (simple rule, used)", "全体客户平均（简单规则，已采用）")),
        ("rate", "baseline", ("own rate so far (simple rule, used)", "自身以往速率（简单规则，已采用）")),
    ],
)
def test_the_model_in_use_is_no_simple_rule(shop: Shop, used: str, kind: str, labels: tuple[str, str]) -> None:
    """NBD is a baseline of the test, but when it forecasts it is not called a simple rule."""
    people = shop[0].with_columns(clv_method=pl.when(pl.col("orders") > 0).then(pl.lit(used)).otherwise(pl.lit("none")))
    facts = deepcopy(shop[1])
    facts["ancestors"][-1]["metrics"]["backtest"][0] |= {"name": used, "kind": kind}
    numbers = metrics.compute(people, facts)
    for lang, label in zip(("en", "zh"), labels, strict=True):
        [table] = [
            block for block in _panel(outline(numbers, facts, lang), "backtest") if isinstance(block, Table) and block.strong
        ]
        assert label in [table.rows[place][0].text for place in table.strong]


def test_a_shop_of_one_order_reads_like_a_sentence(shop: Shop) -> None:
    """One customer, one order, small money: singular nouns, cents shown, and the headline's sum is the tile's."""
    lines = shop[2].filter((pl.col("customer_id") == "c001") & (pl.col("kind") == "sale")).head(1)
    lines = lines.with_columns(amount=pl.lit("12.50").cast(pl.Decimal(18, 4)))
    people = samples.customers(lines).with_columns(expected_orders=pl.lit(1.2), expected_spend=pl.lit(15.25), clv=pl.lit(14.0))
    facts = samples.facts(people)
    report = outline(metrics.compute(people, facts, lines.lazy()), facts, "en")
    assert report.headlines[0].startswith("1 customer placed 1 order worth £12.50 between ")
    assert {tile.code: tile.text for tile in report.tiles}["net_revenue"] == "£12.50"
    assert "spend £15.25" in report.headlines[2]
    assert "Expected: 1 day with an order and £15.25 of revenue" in _first(report, "clv")
    said = [*report.headlines, *(block.text for panel in report.panels for block in panel.blocks if isinstance(block, Paragraph))]
    assert not [text for text in said if re.search(r"\b1 (customers|orders|days|rows)\b|\b1 customer (are|have|were)\b", text)]


def test_the_length_of_the_log_counts_both_its_ends(shop: Shop) -> None:
    """From a Monday to the Tuesday of next week are nine days, in both languages."""
    monday, tuesday = date(2024, 1, 1), date(2024, 1, 9)
    people = shop[0].filter(pl.col("orders") > 0).with_columns(
        first_order_on=pl.lit(monday), last_order_on=pl.lit(tuesday), as_of=pl.lit(tuesday)
    )  # fmt: skip
    for lang, said in (("en", "1 January 2024 to 9 January 2024 (9 days)"), ("zh", "2024年1月1日至2024年1月9日（共 9 天）")):
        [pairs] = [
            block for block in _panel(outline(metrics.compute(people, {}), {}, lang), "quality") if isinstance(block, Pairs)
        ]
        assert said in [text for _, text in pairs.items]


def test_costs_are_told_with_what_the_numbers_mean(shop: Shop, numbers: pl.DataFrame) -> None:
    """All, cohorts and channels with a cac, what the numbers mean, and what is in none of them."""
    for lang in ("en", "zh"):
        lead, returns, _, *_, winning, _, pairs = _panel(outline(numbers, shop[1], lang), "costs")
        assert isinstance(pairs, Pairs)
        for table in (returns, winning):
            assert isinstance(table, Table)
            assert len(table.rows) == 3  # the channel nobody is known to have cost is left out
        assert len(pairs.items) == len(returns.columns) + len(winning.columns) - 4
        assert "7.00" in lead.text
    words = [row[-1].text for row in winning.rows]
    assert words[0] == "3"
    assert "3.50" in words[1]


@pytest.mark.parametrize(
    "broken", [None, [], "x", {"total": 3, "groups": [1, {}], "account": {"acquisition": 5}, "left_out": []}]
)
def test_a_strange_record_of_costs_breaks_nothing(broken: Any) -> None:
    """A footer without costs, or one somebody edited: the panel says how to give them."""
    facts = {"stage": "clv", "metrics": {"costs": broken}}
    report = outline(metrics.compute(samples.customers(), facts), facts, "en")
    assert _first(report, "costs").startswith("The forecast was given no costs")
