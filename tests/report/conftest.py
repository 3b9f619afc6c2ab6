"""The invented shop, its numbers and its views, made once a session."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from clm.report import metrics
from tests.report import samples


@pytest.fixture(scope="session")
def shop() -> tuple[pl.DataFrame, dict[str, Any], pl.DataFrame]:
    """Customers, footer, orders."""
    orders = samples.log()
    customers = samples.customers(orders)
    return customers, samples.facts(customers), orders


@pytest.fixture(scope="session")
def numbers(shop: tuple[pl.DataFrame, dict[str, Any], pl.DataFrame]) -> pl.DataFrame:
    customers, facts, orders = shop
    return metrics.compute(customers, facts, orders.lazy(), samples.migration(), samples.cohorts())
