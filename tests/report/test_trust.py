"""What is told of a forecast that was not tested, has no skill, or cannot be made."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import polars as pl
import pytest

from clm.report import metrics
from clm.report.blocks import Outline, Paragraph, Verdict
from clm.report.outline import outline

Shop = tuple[pl.DataFrame, dict[str, Any], pl.DataFrame]


def _panel(report: Outline, code: str) -> tuple[Any, ...]:
    return next(panel.blocks for panel in report.panels if panel.code == code)


def _first(report: Outline, code: str) -> str:
    return str(next(block.text for block in _panel(report, code) if isinstance(block, Paragraph)))


def _untested(facts: dict[str, Any]) -> dict[str, Any]:
    """The footer as it is without a back-test of the forecast."""
    bare = deepcopy(facts)
    bare["ancestors"][-1]["metrics"] |= {"backtest": [], "deciles": [], "beats_best_baseline": {}}
    return bare


@pytest.mark.parametrize(
    ("status", "tested", "said"),
    [
        ("not_validated", False, ("not validated: the forecast was not tested on the past.", "未经验证：预测没有用历史数据检验")),
        (
            "few_repeat_buyers",
            False,
            ("not validated: too few customers came back for a", "未经验证：复购客户太少，不足以建模"),
        ),
        ("ok", False, ("not validated: the forecast was not tested on the past.", "未经验证：预测没有用历史数据检验")),
        ("ok", True, None),
    ],
)
def test_a_forecast_without_a_test_says_so_where_it_is_told(
    shop: Shop, status: str, tested: bool, said: tuple[str, str] | None
) -> None:
    """Headline and tile of the expected revenue carry `not validated` in their own sentence, a tested forecast does not."""
    people = shop[0].with_columns(clv_status=pl.when(pl.col("orders") > 0).then(pl.lit(status)).otherwise("clv_status"))
    facts = shop[1] if tested else _untested(shop[1])
    for place, (lang, word) in enumerate((("en", "not validated"), ("zh", "未经验证"))):
        report = outline(metrics.compute(people, facts), facts, lang)
        [tile] = [tile for tile in report.tiles if tile.code == "expected_revenue"]
        assert (word in tile.note) == (word in report.headlines[2]) == (said is not None)
        assert said is None or said[place] in report.headlines[2]


def test_totals_without_an_interval_have_no_sentence_about_it(shop: Shop) -> None:
    """Null ends in the footer: the value stands alone in headline and panel."""
    facts = deepcopy(shop[1])
    facts["ancestors"][-1]["metrics"]["totals"] |= {"clv_low": None, "clv_high": None}
    report = outline(metrics.compute(shop[0], facts), facts, "en")
    assert "between" not in report.headlines[2]
    assert "interval" not in _first(report, "clv")


@pytest.mark.parametrize(
    ("source", "en", "zh"),
    [
        ("backtest", "widened by the error of past totals, 21%", "以往总额的误差 21%"),
        ("few_origins", "the error of past totals so few", "至少取 15%"),
        ("default", "no past total could be tested", "没有可检验的以往总额"),
    ],
)
def test_both_parts_of_the_interval_are_told(shop: Shop, source: str, en: str, zh: str) -> None:
    """What the model alone says, and the error of past totals that widens it, with where that is known from."""
    facts = deepcopy(shop[1])
    totals = facts["ancestors"][-1]["metrics"]["totals"]
    totals |= {"clv_drawn_low": 1234.0, "clv_drawn_high": 5678.0, "backtest_error": 0.21, "backtest_error_from": source}
    for lang, said in (("en", en), ("zh", zh)):
        first = _first(outline(metrics.compute(shop[0], facts), facts, lang), "clv")
        assert said in first
        assert "1,234" in first
        assert "5,678" in first
    totals |= {"clv_drawn_low": totals["clv"], "clv_drawn_high": totals["clv"]}
    assert "Its width is" in _first(outline(metrics.compute(shop[0], facts), facts, "en"), "clv")


@pytest.mark.parametrize(("lang", "said"), [("en", "cannot be told from this log"), ("zh", "这份订单记录无法说明")])
def test_where_nobody_came_back_no_expectation_is_told(shop: Shop, lang: str, said: str) -> None:
    """The mean of no repeat at all is not 0 but unknown: no tile, no column, no sum; a sentence in headline and panel."""
    people = shop[0].filter(pl.col("orders") > 0).with_columns(
        **{name: pl.lit(0.0) for name in ("expected_orders", "expected_spend", "clv", "clv_low", "clv_high")},
        clv_method=pl.lit("mean"), clv_status=pl.lit("few_repeat_buyers"),
    )  # fmt: skip
    facts = _untested(shop[1])
    facts["metrics"]["early_warning"]["clv"] = None
    numbers = metrics.compute(people, facts)
    assert numbers.filter(pl.col("metric").is_in(["expected_revenue", "mean_clv", "clv"]))["value"].drop_nulls().is_empty()
    report = outline(numbers, facts, lang)
    assert said in report.headlines[2]
    assert said in _first(report, "clv")
    assert "expected_revenue" not in [tile.code for tile in report.tiles]
    some = people.with_columns(expected_orders=pl.when(pl.col("customer_id") == "c001").then(0.5).otherwise(0.0))
    assert said not in outline(metrics.compute(some, facts), facts, lang).headlines[2]


@pytest.mark.parametrize("how", ["notice", "auc"])
@pytest.mark.parametrize(("lang", "said"), [("en", "no skill"), ("zh", "没有辨别能力")])
def test_losses_without_skill_are_no_finding(shop: Shop, lang: str, said: str, how: str) -> None:
    """Whether the stage says so or the AUC shows it: headline, tile and panel tell that the test showed no skill."""
    facts = deepcopy(shop[1])
    if how == "notice":
        facts["warnings"] = [{"code": "no_skill", "text": "hardly tells who leaves"}]
    else:
        facts["metrics"]["candidates"][1]["auc"] = 0.55
    report = outline(metrics.compute(shop[0], facts), facts, lang)
    assert said in report.headlines[3]
    assert not [sentence for sentence in report.headlines if "about" in sentence or "约有" in sentence]
    [verdict] = [block for block in _panel(report, "churn") if isinstance(block, Verdict)]
    assert said in verdict.text
    assert not verdict.good
    [tile] = [tile for tile in report.tiles if tile.code == "expected_lost"]
    assert ("no skill" if lang == "en" else "未见辨别能力") in tile.note


@pytest.mark.parametrize(("lang", "said"), [("en", "not validated"), ("zh", "未经验证")])
def test_losses_without_a_test_say_so(shop: Shop, lang: str, said: str) -> None:
    """Without a past window to test on, the headline and the tile about losses are marked."""
    facts = deepcopy(shop[1])
    facts["metrics"] |= {"candidates": [], "chosen": "return", "reliability": []}
    report = outline(metrics.compute(shop[0], facts), facts, lang)
    assert said in report.headlines[3]
    assert said in report.tiles[-1].note
