"""The strip of key figures: which are told, with what change in words, and the sentence that says what is missing."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import polars as pl
import pytest

from clm.report import metrics
from clm.report.blocks import Pairs, Tile
from clm.report.numbers import KPIS
from clm.report.outline import outline
from tests.logs import transactions
from tests.report import samples
from tests.report.test_kpi_numbers import DAY, SHOP, alone_table, told_table

Shop = tuple[pl.DataFrame, dict[str, Any], pl.DataFrame]


def _tiles(numbers: pl.DataFrame, lang: str = "en") -> dict[str, Tile]:
    return {tile.code: tile for tile in outline(numbers, {"currency": "GBP"}, lang).tiles}


def test_thirteen_figures_in_their_order_then_what_is_ahead(shop: Shop, numbers: pl.DataFrame) -> None:
    """Customers to concentration as METRICS orders them; returns stand in a note."""
    codes = [tile.code for tile in outline(numbers, shop[1], "en").tiles]
    assert codes == [*(name for name in KPIS if name != "returned"), "expected_revenue", "expected_lost"]
    assert len(codes) == 15


def test_a_change_is_told_with_sign_and_word() -> None:
    """Numbers in percent, rates in points, what did not change in words; never by colour alone."""
    numbers = told_table(transactions(("zoe", "z1", "2024-01-01", "1.00"), *SHOP))
    english, chinese = _tiles(numbers), _tiles(numbers, "zh")
    assert english["gross_revenue"].change == "+70.8%, up from £77.00"
    assert english["gross_revenue"].note == "£43.25 came back"
    assert english["concentration"].change == "+2.2 points, up from 64.9%"
    assert english["repeat_rate"].change == "+30.0 points, up from 50.0%"
    assert english["active"].change == "as before (3)"
    assert english["retention"].note == "of 3 active before, ordered again"
    assert chinese["gross_revenue"].change == "+70.8%，高于之前的 £77.00"
    assert chinese["concentration"].change == "+2.2 个百分点，高于之前的 64.9%"
    assert chinese["active"].change == "与之前持平（3）"
    before = (("ann", "a1", "2024-01-01", "50.00"), ("ann", "a2", "2024-05-01", "50.00"))
    falling = _tiles(told_table(transactions(*before, ("ann", "a3", "2024-09-26", "20.00"))))
    assert falling["net_revenue"].change == "\N{MINUS SIGN}60.0%, down from £50.00"
    silent = _tiles(told_table(transactions(("ann", "a1", "2023-01-01", "50.00"), ("ann", "a3", "2024-09-26", "20.00"))))
    assert silent["net_revenue"].change == "up from £0"


_WHOLE = ["customers", "buyers", "orders", "net_revenue", "average_order", "repeat_rate"]
_FULL = [name for name in KPIS if name != "returned"]
_ALONE = [name for name in _FULL if name not in ("new", "returning", "retention", "churn", "acquisition")]


@pytest.mark.parametrize(
    ("length", "told", "said"),
    [
        (60, _WHOLE, "has not lived 90 days up to 26 September 2024"),
        (120, _ALONE, "180 days for who is new"),
        (200, _FULL, "29 June 2024 to 26 September 2024; change against 31 March 2024 to 28 June 2024."),
    ],
)
def test_a_young_log_says_what_is_missing(length: int, told: list[str], said: str) -> None:
    """Under 90 days the whole log is told instead, under 180 nothing is compared; the sentence says so."""
    days = [str(DAY - timedelta(days=ago)) for ago in (length - 1, length // 2, 0)]
    lines = transactions(*(("ann", f"a{day}", day, "10.00") for day in days))
    report = outline(told_table(lines), {}, "en")
    assert [tile.code for tile in report.tiles] == told
    assert said in report.tiles_note


def test_a_table_alone_says_what_it_takes() -> None:
    """Without the orders the strip names what to give."""
    report = outline(alone_table(transactions(("zoe", "z1", "2024-01-01", "1.00"), *SHOP)), {}, "en")
    assert "--orders clean.parquet" in report.tiles_note
    assert {tile.code for tile in report.tiles} >= {"active", "new", "returning"}


def test_what_the_figures_mean_stands_on_the_page(shop: Shop, numbers: pl.DataFrame) -> None:
    """Every figure shown is defined among the assumptions, in both languages; a log too young for them needs none."""
    for lang in ("en", "zh"):
        report = outline(numbers, shop[1], lang)
        [pairs] = [block for block in report.panels[-1].blocks if isinstance(block, Pairs)]
        assert [term for term, _ in pairs.items][1:] == [tile.label for tile in report.tiles[:-2]]
    young = outline(metrics.compute(samples.customers().head(0), {}), {}, "en")
    assert not [block for block in young.panels[-1].blocks if isinstance(block, Pairs)]
    assert young.tiles_note == ""
