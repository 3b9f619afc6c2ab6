"""The review flags of the real logs: what is known to be odd is flagged, and the rest is left alone."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from clm.stages.clean import flags
from clm.stages.clean.flags import Flagged
from tests.cleaning import clean_files


def judged(path: Path, folder: Path, **options: object) -> tuple[pl.DataFrame, Flagged, dict[str, flags.Sum]]:
    rows = clean_files([path], folder, **options).rows
    good = rows.rename({"source_line": "clm:at"}).drop("flags")
    found = flags.flagged(good.lazy())
    return found.frame.collect(), found, flags.tally(flags.by_flags(found.frame), found.codes)


@pytest.mark.slow
def test_online_retail(shared_data: Path, tmp_path: Path) -> None:
    """The two great cancelled orders, fees and postage, free lines; and little else: of 406,829 lines with a customer 1.2 %."""
    frame, found, counted = judged(shared_data / "online-retail" / "online_retail.csv.gz", tmp_path)
    told = dict(
        frame.filter(pl.col("order_id").is_in(["581483", "C581484", "541431", "C541433"])).select("order_id", "flags").iter_rows()
    )
    assert told == {
        "581483": "amount_outlier,quantity_outlier,quick_cancellation", "C581484": "quick_cancellation",
        "541431": "amount_outlier,quantity_outlier,quick_cancellation", "C541433": "quick_cancellation",
    }  # fmt: skip
    no_product = frame.filter(pl.col("flags").str.split(",").list.contains("non_product"))
    assert dict(no_product.group_by("product_id").len().iter_rows()) == {
        "POST": 1196, "M": 465, "C2": 134, "D": 77, "DOT": 16, "CRUK": 16, "BANK CHARGES": 12, "PADS": 4,
    }  # fmt: skip
    assert counted["zero_price"] == flags.Sum(40, Decimal(0))
    assert frame.filter((pl.col("kind") == "return") & ~pl.col("flags").fill_null("").str.contains("non_product")).height == 8539
    assert (found.refunds.matched.rows, found.refunds.unmatched.rows, found.refunds.non_product.rows) == (7433, 1106, 366)
    assert frame["flags"].is_not_null().mean() < 0.013  # type: ignore[operator]
    assert all(counted[code].rows < 700 for code in ("amount_outlier", "price_outlier", "quantity_outlier", "burst"))


@pytest.mark.parametrize(
    ("name", "options", "most"),
    [
        ("coffee/index_1.csv", {"date_format": "%m/%d/%Y %H:%M", "max_rejects": 10_000}, 0.0),
        ("sales-sample/sales_data_sample.csv", {}, 0.002),
        ("rfm-orders/rfm_data_orders.csv", {}, 0.001),
        ("cdnow/cdnowElog.csv", {}, 0.003),
        ("example-transactions/example_transactions.csv", {}, 0.0),
    ],
)
def test_a_clean_log_is_left_alone(name: str, options: dict[str, object], most: float, shared_data: Path, tmp_path: Path) -> None:
    """Three rows of a thousand at most, free ones included."""
    frame, _, _ = judged(shared_data / name, tmp_path, **options)
    assert frame["flags"].is_not_null().mean() <= most  # type: ignore[operator]
