"""Figures of what is expected: bands of value, ratios to costs, tests beside what is had for nothing, invented customers."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import polars as pl
import pytest

from clm.report import alive_panel, metrics, spread_figures, spread_numbers, suppress
from clm.report.blocks import Figure, Paragraph
from clm.report.numbers import Numbers, Sheet
from clm.report.outline import outline
from clm.report.words import HIDDEN, load

Shop = tuple[pl.DataFrame, dict[str, Any], pl.DataFrame]


def _figures(shop: Shop, lang: str = "en", **clv: Any) -> dict[str, Figure]:
    facts = deepcopy(shop[1])
    facts["ancestors"][-1]["metrics"] |= clv
    panels = outline(metrics.compute(shop[0], facts), facts, lang).panels
    return {
        f"{panel.code}.{block.kind}": block for panel in panels for block in panel.blocks if isinstance(block, Figure)
    }  # fmt: skip


def _spread(*values: float | None) -> Numbers:
    sheet = Sheet()
    spread_numbers.add(sheet, pl.Series(values, dtype=pl.Float64))
    return Numbers(sheet.frame(None))


def test_bands_grow_with_the_value_and_hold_everybody_once() -> None:
    """Nothing, below the first edge, then 1, 2, 5, 10: an edge belongs to the band above it; shares add up."""
    found = _spread(0.0, None, *([3.0] * 20), 5.0, 9.0, 40.0)
    rows = {row.group: row.value for row in found.rows("clv", "value_customers")}
    assert rows == {"..0": 1, "2..5": 20, "5..10": 2, "10..20": 0, "20..50": 1}
    assert sum(row.value or 0 for row in found.rows("clv", "value_customer_share")) == pytest.approx(1)
    assert sum(row.value or 0 for row in found.rows("clv", "value_share")) == pytest.approx(1)
    assert [row.n for row in found.rows("clv", "value_customers")] == [1, 20, 2, 0, 1]


@pytest.mark.parametrize("values", [[7.0], [7.0] * 50, [1e-7, 1.0, 1e7, 3e9], [10.0**n for n in range(-9, 12)]])
def test_bands_are_few_however_far_the_tail_reaches(values: list[float]) -> None:
    """One customer, all alike, sixteen powers of ten: at most eleven bands with everybody in them."""
    found = _spread(*values)
    counts = [row.value or 0 for row in found.rows("clv", "value_customers")]
    assert sum(counts) == len(values)
    assert 1 <= len(counts) <= 11


def test_without_value_there_are_no_bands_and_no_curve() -> None:
    """Nothing known is no row; nothing but zeros is one band without shares of value."""
    assert _spread(None).rows("clv", "value_customers") == []
    zeros = _spread(0.0, 0.0)
    assert [row.group for row in zeros.rows("clv", "value_customers")] == ["..0"]
    assert zeros.rows("clv", "value_share") == zeros.rows("clv", "gini_clv") == []


def test_a_quantile_does_not_tell_of_single_customers() -> None:
    """The median from twenty customers on; the best hundredth only of a thousand."""
    assert [row.group for row in _spread(*map(float, range(20))).rows("clv", "value_quantile")] == ["p_50"]
    assert "p_99" in [row.group for row in _spread(*map(float, range(1000))).rows("clv", "value_quantile")]


def test_more_people_than_there_can_be_are_not_told() -> None:
    """A footer may say anything; the number stays, without how many it is about."""
    sheet = Sheet()
    for n in (5, 10**300):
        sheet.add("clv", "expected_alive", 1.0, n=n)
    assert sheet.frame(None)["n"].to_list() == [5, None]


def test_tests_stand_beside_what_is_had_for_nothing(shop: Shop) -> None:
    """Tenths with the best rule's, reliability with one rate for all, gain between chance and knowledge, profit of anybody."""
    found = _figures(shop)
    assert {mark.series for mark in found["backtest.deciles"].marks} == {"predicted", "actual", "rule"}
    assert "own rate so far" in found["backtest.deciles"].note
    assert [(mark.x, mark.value) for mark in found["churn.reliability"].marks if mark.series == "base_rate"] == [(0.6, 0.6)]
    assert {mark.series for mark in found["churn.gain"].marks} == {"gain", "gain_hiatus", "gain_perfect"}
    assert ("equal", "chance") in found["churn.gain"].key
    assert [row[-1].value for row in found["churn.gain"].table.rows] == pytest.approx([1.6, 1.5, 1.0])
    anybody = [(mark.x, mark.value) for mark in found["churn.profit"].marks if mark.series == "equal"]
    assert anybody == [(0.0, 0.0), (1.0, -120.0)]
    assert "contacting 50%: £640.00" in found["churn.profit"].note


def test_only_the_latest_origin_is_followed(shop: Shop) -> None:
    """Two origins in the footer, one line each for forecast and fact, from 0 on."""
    marks = _figures(shop)["backtest.tracking"].marks
    assert [mark.value for mark in marks if mark.series == "actual"] == [0.0, 13.0, 23.0, 33.0, 43.0, 53.0, 63.0]


def test_three_to_one_is_told_only_of_a_tested_year(shop: Shop) -> None:
    """A year that was tested is held against the rule; without a test, or for three months, the panel says why not."""

    def said(**clv: Any) -> str:
        facts = deepcopy(shop[1])
        facts["ancestors"][-1]["metrics"] |= clv
        panel = next(one for one in outline(metrics.compute(shop[0], facts), facts, "en").panels if one.code == "costs")
        return " ".join(block.text for block in panel.blocks if isinstance(block, Paragraph))

    assert "1.50 times" in said()
    assert "below the 3 the usual rule asks for" in said()
    assert "not held against the usual 3 to 1: the forecast in them is not validated" in said(backtest=[])
    assert "covers 3 months" in said(horizon={"text": "3m", "days": 91, "until": "2024-03-20"})


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_three_invented_customers_or_the_reason_why_none(shop: Shop, lang: str) -> None:
    """Three lines of 49 points with gaps in words; without them one sentence, for each reason another."""
    figure = _figures(shop, lang)["alive.alive"]
    assert [mark.series for mark in figure.marks].count("often") == 49
    assert len(figure.table.rows) == 49
    assert "alive.alive" not in _figures(shop, lang, alive_history=None)
    told = deepcopy(shop[1]["ancestors"][-1]["metrics"]["alive_history"])
    told["patterns"][1]["pattern"] = []
    assert "alive.alive" not in _figures(shop, lang, alive_history=told)
    reasons = set()
    for method, status in (("nbd", "ok"), ("mean", "few_repeat_buyers"), ("rate", "baseline_better"), ("mbgnbd", "ok")):
        changed = shop[0].with_columns(clv_method=pl.lit(method), clv_status=pl.lit(status))
        [said] = alive_panel.alive(Numbers(metrics.compute(changed, {})), load(lang))
        assert isinstance(said, Paragraph)
        reasons.add(said.text)
    [said] = alive_panel.alive(Numbers(metrics.compute(shop[0].drop("clv"), {})), load(lang))
    assert isinstance(said, Paragraph)
    assert len(reasons | {said.text}) == 5


def test_hidden_numbers_keep_their_place_in_the_tables() -> None:
    """A band of few customers is a row of crosses beside bars of no length; nothing is left out or slides."""
    sheet = Sheet()
    spread_numbers.add(sheet, pl.Series([3.0] * 20 + [7.0] * 2 + [15.0] * 2 + [40.0] * 9))
    numbers = Numbers(suppress.hide(sheet.frame(None), 5))
    words = load("en", None)
    figure = spread_figures.bands(numbers, words)[0]
    assert isinstance(figure, Figure)
    texts = [[cell.text for cell in row[1:]] for row in figure.table.rows]
    assert len(texts) == 4
    assert texts[1] == texts[2] == [HIDDEN] * 3
    assert [mark.value for mark in figure.marks if mark.text == HIDDEN] == [0.0] * 4
    assert len(figure.marks) == 8
