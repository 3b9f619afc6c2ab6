"""The invented shop, its numbers and its views, made once a session."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from clm import steps
from clm.cli import main
from clm.report import metrics
from clm.settings import CommonSettings, ReportSettings
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
    """A run over a real log, made as a user makes it: its folder, and by language and suffix the documents of its report."""
    folder = tmp_path_factory.mktemp("real") / "out"
    log = [] if request.param == "demo" else [request.getfixturevalue("shared_data") / "online-retail" / "online_retail.csv.gz"]
    assert main(["run" if log else "demo", *map(str, log), "-o", str(folder), "-q"]) == 0
    settings = ReportSettings(orders=str(folder / "clean.parquet"))
    told = steps.report(folder / "customers.parquet", settings, CommonSettings(), lambda *_: None)
    suffixes = ("html", "md", "json", "xlsx")
    views = {lang: {one: steps.render(told, f".{one}", lang) for one in suffixes} for lang in ("en", "zh")}
    return folder, views
