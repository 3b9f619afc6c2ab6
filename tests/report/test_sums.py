"""What the cells of the report add up to, before any is hidden: new customers, and the log's money to the cent; nothing ahead."""

from __future__ import annotations

import math
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from clm.report import metrics
from clm.report.blocks import Heat
from clm.report.outline import outline
from clm.settings import CohortSettings
from clm.stages.cohort import cohort
from tests.report import samples

Shop = tuple[pl.DataFrame, dict[str, Any], pl.DataFrame]


def test_the_invented_shop(shop: Shop) -> None:
    """A log with returns of people who never bought, free lines and a running month."""
    adds_up(shop[0], shop[2], samples.AS_OF)


@pytest.mark.slow
def test_real_logs(real_views: tuple[Path, dict[str, dict[str, bytes]]]) -> None:
    """CDNOW and Online Retail."""
    folder, _ = real_views
    customers = pl.read_parquet(folder / "customers.parquet")
    adds_up(customers, pl.read_parquet(folder / "clean.parquet"), customers["as_of"][0])


def adds_up(customers: pl.DataFrame, orders: pl.DataFrame, as_of: date) -> None:
    whole = sum(orders["amount"].to_list(), Decimal(0))
    cells = cohort(orders.lazy(), CohortSettings(as_of=as_of)).frame.lazy().collect()
    numbers = metrics.compute(customers, {}, orders.lazy(), None, cells)

    def of(section: str, metric: str) -> pl.DataFrame:
        return numbers.filter(section=section, metric=metric)

    born = customers.filter(pl.col("orders") > 0)["first_order_on"].dt.strftime("%Y-%m").value_counts().rows()
    sizes = dict(of("cohorts", "customers").select("group", "value").rows())
    assert sizes == dict(born)
    first = of("cohorts", "retained").filter(pl.col("group") == pl.col("period"))
    assert dict(first.select("group", "value").rows()) == sizes
    new = of("revenue", "customers").filter((pl.col("group") == "new") & (pl.col("value") > 0))
    assert dict(new.select("period", "value").rows()) == sizes

    assert sum(cells["revenue"].drop_nulls().to_list(), Decimal(0)) == whole
    for section in ("cohorts", "revenue"):
        assert round(math.fsum(of(section, "revenue")["value"].drop_nulls()), 4) == float(whole)
    assert round(math.fsum(of("segments", "revenue")["value"].drop_nulls()), 2) == round(
        float(sum(customers["spend"].drop_nulls().to_list(), Decimal(0))), 2
    )

    last = f"{as_of:%Y-%m}"
    assert numbers.filter(pl.col("section").is_in(["cohorts", "revenue"]) & (pl.col("period") > last)).is_empty()
    assert of("cohorts", "retained").filter(pl.col("period") < pl.col("group")).is_empty()
    for lang in ("en", "zh"):
        [panel] = [one for one in outline(numbers, {}, lang).panels if one.code == "cohorts"]
        grids = [block for block in panel.blocks if isinstance(block, Heat)]
        assert len(grids) == 2
        for grid in grids:
            for name, row in zip(sorted(sizes)[-12:], grid.cells, strict=False):
                lived = 12 * (as_of.year - int(name[:4])) + as_of.month - int(name[5:]) + 1
                assert [bool(cell.text) for cell in row] == [age < lived for age in range(len(row))], (name, grid.caption)
