"""The invented shop, its numbers and its views, made once a session."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from clm.cli import main
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


@pytest.fixture(scope="session", params=["demo", "online-retail"])
def real_views(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, dict[str, dict[str, bytes]]]:
    """A run over a real log, made as a user makes it: its folder, and by language and suffix what `report` writes of it."""
    folder = tmp_path_factory.mktemp("real") / "out"
    log = [] if request.param == "demo" else [request.getfixturevalue("shared_data") / "online-retail" / "online_retail.csv.gz"]
    assert main(["run" if log else "demo", *map(str, log), "-o", str(folder), "-q"]) == 0
    chain = [str(folder / "customers.parquet"), "--orders", str(folder / "clean.parquet"), "-q"]
    views: dict[str, dict[str, bytes]] = {"en": {}, "zh": {}}
    for lang, made in views.items():
        for suffix in ("html", "md", "json", "xlsx"):
            path = folder.parent / f"{lang}.{suffix}"
            assert main(["report", *chain, "--lang", lang, "-o", str(path)]) == 0
            made[suffix] = path.read_bytes()
    return folder, views
