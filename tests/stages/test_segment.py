"""Segments: the grid as printed, and a customer for every cell."""

from __future__ import annotations

import polars as pl
import pytest

from clm import schemes
from clm.errors import DataError
from clm.settings import RfmSettings
from clm.stages.rfm import rfm
from clm.stages.segment import segment
from tests.logs import invented, transactions

GRID = {
    1: "hibernating hibernating about_to_sleep promising new",
    2: "hibernating hibernating about_to_sleep potential_loyalist potential_loyalist",
    3: "at_risk at_risk need_attention potential_loyalist potential_loyalist",
    4: "at_risk at_risk loyal loyal champion",
    5: "cannot_lose cannot_lose loyal loyal champion",
}


def scored(cells: list[tuple[int | None, int | None]]) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "customer_id": [f"{n:02}" for n in range(len(cells))],
            "as_of": [None] * len(cells),
            "orders": [0 if r is None else 1 for r, _ in cells],
            "r_score": [r for r, _ in cells],
            "f_score": [f for _, f in cells],
        },
        schema={"customer_id": pl.String, "as_of": pl.Date, "orders": pl.Int64, "r_score": pl.Int32, "f_score": pl.Int32},
    )


def test_the_grid_is_the_published_table() -> None:
    """All 25 cells, row by row."""
    scheme, _ = schemes.load("grid")
    cells = [(r, f) for f in GRID for r in range(1, 6)]
    frame = segment(scored(cells), scheme, 5).frame.lazy().collect()
    assert frame["segment"].to_list() == [name for row in GRID.values() for name in row.split()]


def test_customers_without_a_sale_are_no_purchase_and_counted() -> None:
    """They keep their row and their own count."""
    scheme, _ = schemes.load("grid")
    outcome = segment(scored([(None, None), (5, 5)]), scheme, 5)
    assert outcome.frame.lazy().collect()["segment"].to_list() == ["no_purchase", "champion"]
    assert outcome.metrics["segments"]["no_purchase"] == 1
    assert sum(outcome.metrics["segments"].values()) == 2


def test_rows_and_other_columns_pass_through() -> None:
    """Segmenting twice is segmenting once, and no column of the input changes."""
    customers = rfm(invented().lazy(), RfmSettings()).frame.lazy().collect().with_columns(city=pl.lit("Wien"))
    scheme, _ = schemes.load("grid")
    once = segment(customers, scheme, 5).frame.lazy().collect()
    assert once.drop("segment", "lifecycle").equals(customers)
    assert segment(once, scheme, 5).frame.lazy().collect().equals(once)


def test_scores_cut_otherwise_are_refused_with_the_remedy() -> None:
    """A grid for five bins over scores of three would silently have no champion."""
    scheme, _ = schemes.load("grid")
    with pytest.raises(DataError, match="from 1 to 3") as raised:
        segment(scored([(3, 3)]), scheme, 3)
    assert "--bins 5" in str(raised.value.fix)


def test_scores_outside_the_scheme_are_named() -> None:
    """A table somebody made by hand may hold a 7 or a 0."""
    with pytest.raises(DataError, match="2 customers with scores outside 1 to 5"):
        segment(scored([(7, 1), (1, 0), (1, 1)]), schemes.load("grid")[0], 5)


def test_a_scheme_over_money_needs_money() -> None:
    """Without amounts there is no m_score: a scheme that wants it says so."""
    text = "bins = 5\n[segments]\nrich = [{ m = [4, 5] }]\npoor = [{ m = [1, 3] }]\n"
    customers = rfm(transactions(("A", "1", "2024-01-01", None)).lazy(), RfmSettings()).frame.lazy().collect()
    with pytest.raises(DataError, match="m_score"):
        segment(customers, schemes.parse(text, "money.toml"), 5)


def test_an_empty_table_stays_one() -> None:
    """No customers, no segments, no error."""
    scheme, _ = schemes.load("grid")
    assert segment(scored([]), scheme, 5).frame.lazy().collect().height == 0
