"""How long customers stay: the curve with its definition, groups under their own headings, nobody left out unsaid."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import polars as pl
import pytest

from clm.report import metrics, staying_panel
from clm.report.blocks import Figure, Paragraph, Table
from clm.report.numbers import Numbers
from clm.report.words import load

Shop = tuple[pl.DataFrame, dict[str, Any], pl.DataFrame]


def _blocks(shop: Shop, lang: str = "en", **changed: Any) -> tuple[Any, ...]:
    """The panel of the shop, with what `changed` says of its lives."""
    facts = deepcopy(shop[1])
    facts["metrics"]["survival"] |= changed
    return staying_panel.survival(Numbers(metrics.compute(shop[0], facts)), load(lang, "GBP"))


def _channel(name: str, customers: int) -> dict[str, Any]:
    return {"of": "channel", "group": name, "customers": customers, "left": 3, "median_days": 40, "retention": []}


@pytest.mark.parametrize(("lang", "word"), [("en", "A life begins"), ("zh", "生命期")])
def test_a_curve_stands_in_its_band_under_its_definition(shop: Shop, lang: str, word: str) -> None:
    """What a life is, then every month observed with its interval and those still followed, in the picture and in its table."""
    said, figure, _ = _blocks(shop, lang)
    assert isinstance(said, Paragraph)
    assert said.text.startswith(word)
    assert isinstance(figure, Figure)
    assert [(mark.x, mark.value, mark.low, mark.high) for mark in figure.marks] == [
        (month, 0.6, 0.5, pytest.approx(0.7)) for month in (0, 1, 3, 6)
    ]
    assert [[row[0].text, *(cell.value for cell in row[1:])] for row in figure.table.rows] == [
        [str(month), 0.6, 0.5, pytest.approx(0.7), 50] for month in (0, 1, 3, 6)
    ]


def test_cohorts_and_channels_have_a_table_each_below_everybody(shop: Shop) -> None:
    """Two tables that begin with all; a kind nobody has is no table; segments of today are none at all."""
    [cohorts] = [block for block in _blocks(shop) if isinstance(block, Table)]
    assert [row[0].text for row in cohorts.rows] == ["All", "Jan 2023"]
    assert cohorts.strong == (0,)
    groups = [*shop[1]["metrics"]["survival"]["groups"], _channel("web", 80), _channel("(other)", 31)]
    cohorts, channels = (block for block in _blocks(shop, groups=groups) if isinstance(block, Table))
    assert (cohorts.caption, channels.caption) == ("By month of the first order", "By channel of the first order")
    assert [row[0].text for row in channels.rows] == ["All", "web", "Others"]
    assert [row[1].value for row in channels.rows] == [150, 80, 31]


def test_whoever_is_in_no_row_is_counted(shop: Shop) -> None:
    """Customers too new to be observed are said with the day; those of small groups and of none below the table."""
    said, *_, cohorts = _blocks(shop)
    assert "150 customers are observed, up to 25 October 2023. Another 9 customers came after" in said.text
    assert "12 customers in groups too small" in cohorts.note
    assert "3 customers in no group" in cohorts.note
    others = {"cohort": {"groups": 2, "customers": 40, "told": True}}  # they have a row of their own
    assert "too small" not in _blocks(shop, small=others)[-1].note


@pytest.mark.parametrize(("median", "words"), [(0, "on one day only"), (90, "within 90 days"), (None, "Fewer than half")])
def test_the_middle_of_the_lives_is_said(shop: Shop, median: int | None, words: str) -> None:
    """Half left on the day they came, after so many days, or not yet."""
    whole = shop[1]["metrics"]["survival"]["all"] | {"median_days": median}
    assert words in _blocks(shop, all=whole)[0].text


def test_without_lives_the_panel_says_why(shop: Shop) -> None:
    """No orders, no churn, or a log of a month: one sentence each, and no picture."""
    [said] = _blocks(shop, all=None)
    assert "needs the orders" in said.text
    bare = metrics.compute(shop[0], {}).filter(pl.col("section") != "churn")
    [said] = staying_panel.survival(Numbers(bare), load("en"))
    assert "run clm churn" in said.text
    whole = shop[1]["metrics"]["survival"]["all"]
    assert "no" in _blocks(shop, all=whole | {"curve": whole["curve"][:1]})[1].text
