"""The churn panel's warnings and profit: said with their days and tests, absent where nobody knows them."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import polars as pl
import pytest

from clm.report import contact_panel, metrics
from clm.report.blocks import Paragraph
from clm.report.numbers import Numbers
from clm.report.words import load

Shop = tuple[pl.DataFrame, dict[str, Any], pl.DataFrame]


def _blocks(shop: Shop, lang: str = "en", **changed: Any) -> list[Any]:
    facts = deepcopy(shop[1])
    facts["metrics"] |= changed
    return contact_panel.blocks(Numbers(metrics.compute(shop[0], facts)), load(lang, "GBP"))


@pytest.mark.parametrize(("lang", "first"), [("en", "Newly silent"), ("zh", "自")])
def test_it_says_who_is_silent_and_whom_to_contact(shop: Shop, lang: str, first: str) -> None:
    """Twelve newly silent; 60 worth contacting with the test of their list."""
    [said] = _blocks(shop, lang)
    assert isinstance(said, Paragraph)
    assert said.text.startswith(first)
    for number in ("12", "60", "800", "650", "700"):
        assert number in said.text


def test_a_profit_without_a_test_says_so(shop: Shop) -> None:
    """No test window: the sentence that it is not tested stands behind the profit."""
    profit = shop[1]["metrics"]["profit"] | {"test": None}
    assert "not tested" in _blocks(shop, profit=profit)[0].text


def test_nothing_known_is_nothing_said(shop: Shop) -> None:
    """Without warnings and campaign the panel is as it was."""
    assert _blocks(shop, profit=None, early_warning=None) == []
