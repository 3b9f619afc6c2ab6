"""Warnings and profit of the churn panel, and the panel of who stays: with days and tests, absent where nobody knows them."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import polars as pl
import pytest

from clm.report import metrics, staying_panel
from clm.report.blocks import Paragraph, Table
from clm.report.numbers import Numbers
from clm.report.words import load

Shop = tuple[pl.DataFrame, dict[str, Any], pl.DataFrame]


def _blocks(shop: Shop, lang: str = "en", **changed: Any) -> list[Any]:
    """The sentences of the churn panel, then the panel of who stays."""
    facts = deepcopy(shop[1])
    facts["metrics"] |= changed
    numbers, words = Numbers(metrics.compute(shop[0], facts)), load(lang, "GBP")
    return [*staying_panel.blocks(numbers, words), *staying_panel.survival(numbers, words)]


@pytest.mark.parametrize(
    ("lang", "first", "title"), [("en", "Newly silent", "Share still there"), ("zh", "自", "各月后仍在的客户比例")]
)
def test_it_says_who_is_silent_whom_to_contact_and_who_stays(shop: Shop, lang: str, first: str, title: str) -> None:
    """Twelve newly silent; 60 worth contacting with the test of their list; retention of all and of the cohort."""
    said, table = _blocks(shop, lang)
    assert isinstance(said, Paragraph)
    assert said.text.startswith(first)
    for number in ("12", "60", "800", "650", "700"):
        assert number in said.text
    assert isinstance(table, Table)
    assert table.caption.startswith(title)
    assert [row[1].text for row in table.rows] == ["150", "90"]
    assert [cell.text for cell in table.rows[0]][3:] == ["60%", "60%", "60%", "–"]


def test_a_profit_without_a_test_says_so(shop: Shop) -> None:
    """No test window: the sentence that it is not tested stands behind the profit."""
    profit = shop[1]["metrics"]["profit"] | {"test": None}
    assert "not tested" in _blocks(shop, profit=profit)[0].text


def test_nothing_known_is_nothing_said(shop: Shop) -> None:
    """Without warnings and campaign no sentence; without lives the panel says in one what is missing."""
    [missing] = _blocks(shop, profit=None, early_warning=None, survival=None)
    assert isinstance(missing, Paragraph)
    assert missing.text.startswith("How long customers stay is not known")
