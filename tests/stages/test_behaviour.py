"""Behaviour: each column by hand on a tiny log, all of them against plain SQL, and the promises of the reduce."""

from __future__ import annotations

import random
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import narwhals as nw
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from clm.dtypes import polars_type
from clm.stages import behaviour, snapshot
from clm.tables import BEHAVIOUR
from tests.logs import Line, transactions
from tests.plans import assert_streams
from tests.stages import behaviour_oracle

AS_OF = date(2024, 12, 31)
NAMES = [column.name for column in BEHAVIOUR]
TEXTS = ("product_id", "category", "channel", "device")


def log(*lines: Line, **columns: list[Any]) -> pl.DataFrame:
    """TRANSACTIONS with further columns, one value a line."""
    kinds = {name: pl.Decimal(18, 4) if name == "cost" else pl.String for name in columns}
    return transactions(*lines).with_columns(pl.Series(name, values, kinds[name]) for name, values in columns.items())


def one(*lines: Line, as_of: date = AS_OF, **columns: list[Any]) -> dict[str, Any]:
    return behaviour.take(log(*lines, **columns).lazy(), as_of).customers.collect().row(0, named=True)


def sold(*moments: tuple[str, str]) -> list[Line]:
    """Lines of customer A from (order, day or time): sales of 1, orders named R… returns."""
    return [("A", order, moment, "-1" if order == "R" else "1") for order, moment in moments]


REGULAR: tuple[Line, ...] = (
    ("A", "1", "2024-01-01", "10"),
    ("A", "2", "2024-01-11", "10"),
    ("A", "3", "2024-01-31", "10"),
    ("A", "4", "2024-12-06", "10"),
)


def test_gaps() -> None:
    """Gaps of 10, 20 and 310 days: mean, sample deviation, the last and the longest."""
    row = one(*REGULAR)
    assert row["gap_mean_days"] == pytest.approx(340 / 3)
    assert row["gap_sd_days"] == pytest.approx((((10 - 340 / 3) ** 2 + (20 - 340 / 3) ** 2 + (310 - 340 / 3) ** 2) / 2) ** 0.5)
    assert (row["last_gap_days"], row["longest_gap_days"]) == (310, 310)


def test_a_line_without_a_customer_is_no_gap() -> None:
    """It stays, for the contract of what is written to refuse: nothing is dropped silently."""
    lines = log(*REGULAR).with_columns(customer_id=pl.Series(["A", "A", "A", None]))
    found = behaviour.take(lines.lazy(), AS_OF).customers.select("customer_id", "spend").collect()
    assert found.rows() == [(None, Decimal(10)), ("A", Decimal(30))]


def test_rhythm_with_and_without_the_last_gap() -> None:
    """One gap of the base (20, the median) is drawn in; before the comeback the own rhythm was (30 + 20) / 3."""
    row = one(*REGULAR)
    assert row["rhythm_days"] == pytest.approx((340 + 20) / 4)
    assert row["rhythm_before_days"] == pytest.approx((30 + 20) / 3)


def test_the_latest_gap_is_not_the_longest() -> None:
    """The last gap belongs to the last order day, wherever the line stands in the log."""
    row = one(("A", "3", "2024-03-03", "1"), ("A", "1", "2024-01-01", "1"), ("A", "2", "2024-03-01", "1"))
    assert (row["last_gap_days"], row["longest_gap_days"]) == (2, 60)


def test_one_order_day_has_no_gaps() -> None:
    """A one-time buyer has the base's rhythm and no gap of their own."""
    found = behaviour.take(transactions(*REGULAR, ("B", "9", "2024-05-05", "1")).lazy(), AS_OF).customers.collect()
    row = found.row(1, named=True)
    assert row["rhythm_days"] == 20
    assert [row[name] for name in NAMES if "gap" in name or name == "rhythm_before_days"] == [None] * 5


def test_without_any_gap_there_is_no_rhythm() -> None:
    """Where nobody ordered on a second day, nobody has a rhythm."""
    found = behaviour.take(transactions(("A", "1", "2024-05-05", "1")).lazy(), AS_OF)
    assert (found.median_gap_days, found.customers.collect()["rhythm_days"].to_list()) == (None, [None])


def test_windows_end_today_and_leave_their_first_day_out() -> None:
    """(as_of − 30, as_of]: 2024-12-01 is the thirtieth day before the last of the year and does not count."""
    row = one(("A", "1", "2024-12-01", "5"), ("A", "2", "2024-12-02", "7"), ("A", "2", "2024-12-31T23:59", "1"))
    assert (row["orders_30d"], row["orders_90d"], row["orders_365d"]) == (1, 2, 2)
    assert (row["spend_30d"], row["spend_90d"]) == (Decimal(8), Decimal(13))


def test_a_refund_is_netted_where_it_falls() -> None:
    """spend of a window is net of the refunds in it, and a refund is no order."""
    row = one(("A", "1", "2024-06-01", "50"), ("A", "R", "2024-12-20", "-20"))
    assert (row["orders_30d"], row["spend_30d"], row["spend_365d"]) == (0, Decimal(-20), Decimal(30))
    assert row["returns_share"] == pytest.approx(20 / 50)


def test_trend_compares_two_quarters() -> None:
    """Three orders in the last 90 days against one in the 90 before: (3 − 1) / 4; unknown for the young and the silent."""
    old: Line = ("A", "1", "2023-01-01", "1")
    recent: list[Line] = [("A", str(n), f"2024-12-{n}", "1") for n in (10, 11, 12)]
    assert one(old, ("A", "2", "2024-08-01", "1"), *recent)["trend_orders"] == 0.5
    assert one(old)["trend_orders"] is None
    assert one(("A", "2", "2024-08-01", "1"), *recent)["trend_orders"] is None


def test_products_and_categories_are_counted_over_sales() -> None:
    """Distinct and known, bought and not only returned; the name stands in where there is no product id."""
    lines = sold(("1", "2024-01-01"), ("1", "2024-01-01"), ("1", "2024-01-01"), ("R", "2024-01-02"))
    row = one(*lines, product_id=["p", "p", None, "q"], product=["a", "b", "c", "d"], category=["x", "y", None, "z"])
    assert (row["products"], row["categories"]) == (1, 2)
    assert one(*lines, product=["a", "b", "c", "d"])["products"] == 3
    assert one(*lines, product=[None] * 4, category=[None] * 4)["categories"] == 0


def test_first_and_last_category() -> None:
    """Of the first and the last order day; among several of one day the smaller text; none where that day has none."""
    lines: list[Line] = [("A", "1", "2024-01-01", "1"), ("A", "1", "2024-01-01", "1"), ("A", "2", "2024-02-01", "1")]
    row = one(*lines, category=["b", "a", None])
    assert (row["first_category"], row["last_category"]) == ("a", None)


def test_main_channel_is_of_most_orders() -> None:
    """Orders count, not lines; ties go to the smaller text; the share is of all orders."""
    lines = sold(("1", "2024-01-01"), ("1", "2024-01-01"), ("2", "2024-01-02"), ("3", "2024-01-03"), ("4", "2024-01-04"))
    row = one(*lines, channel=["web", "web", "shop", "shop", None], device=["b", "b", "a", None, None])
    assert (row["main_channel"], row["main_channel_share"], row["first_channel"]) == ("shop", 0.5, "web")
    assert (row["main_device"], row["main_device_share"]) == ("a", 0.25)


def test_cost_is_added_up() -> None:
    """Money as the source gives it; null, not 0, for a customer without any."""
    found = behaviour.take(
        log(("A", "1", "2024-01-01", "9"), ("A", "2", "2024-01-02", "9"), ("B", "3", "2024-01-02", "9"), cost=["1.5", "2", None])
        .with_columns(pl.col("cost").cast(pl.Decimal(18, 4)))
        .lazy(),
        AS_OF,
    )
    assert found.customers.collect()["cost"].to_list() == [Decimal("3.5"), None]


def test_what_the_log_lacks_is_null_with_its_type() -> None:
    """The schema is the same for every log: no channel column, null channels; an empty log, an empty table."""
    for frame in (transactions(*REGULAR), transactions()):
        found = behaviour.take(frame.lazy(), AS_OF).customers.collect()
        for column in BEHAVIOUR:
            assert found.schema[column.name] == polars_type(column), column.name
        for name in ("products", "categories", "main_channel", "main_device_share", "first_category", "cost"):
            assert found[name].null_count() == found.height


def test_without_amounts_windows_of_money_are_null() -> None:
    """Unknown money is not money 0."""
    row = one(("A", "1", "2024-12-30", None))
    assert (row["orders_30d"], row["spend_30d"], row["returns_share"]) == (1, None, None)


def test_carried_columns_hold_the_last_filled_value() -> None:
    """The latest line that says something decides, returns too; in the same moment the smaller text."""
    lines = sold(("1", "2024-01-01T10:00"), ("2", "2024-01-02T10:00"), ("3", "2024-01-02T10:00"), ("R", "2024-01-03"))
    frame = log(*lines, day=["a", "c", "b", None], amount_note=[None, None, "", ""], country=["x", "y", "z", "at"])
    found = behaviour.take(frame.lazy(), AS_OF, ("day", "amount_note", "country")).customers.collect()
    assert found.select("day", "amount_note", "country").row(0) == ("b", None, "at")


def test_the_core_is_the_snapshots() -> None:
    """Asking for more changes nothing of what was there."""
    frame = generated(7, 300)
    core = snapshot.take(frame.lazy(), AS_OF)
    assert_frame_equal(behaviour.take(frame.lazy(), AS_OF).customers.collect().select(core.columns), core)


def test_core_with_carried_columns_is_a_part_of_all() -> None:
    """Without behaviour the core and the carried columns are the same, under names that the reduce has for something else."""
    frame = generated(7, 300).rename({"channel": "gap", "device": "carry 0"})
    carry = ("flags", "carry 0", "gap")
    core = behaviour.core(frame.lazy(), AS_OF, carry).collect()
    assert tuple(core.columns[-3:]) == carry
    assert_frame_equal(behaviour.take(frame.lazy(), AS_OF, carry).customers.select(core.columns).collect(), core)


def generated(seed: int, lines: int, without: tuple[str, ...] = ()) -> pl.DataFrame:
    """An untidy log: shared days, order ids over several days and channels, returns, zero amounts, holes in every column."""
    random.seed(seed)
    rows = []
    for _ in range(lines):
        customer = f"C{min(random.randrange(1, 60), random.randrange(1, 60)):02}"
        back = random.random() < 0.12
        amount = Decimal(random.randrange(0, 9000)) / 100
        rows.append(
            {
                "customer_id": customer,
                "order_id": f"{customer}-{random.randrange(12)}",
                "ordered_at": datetime(2023, 6, 1) + timedelta(minutes=random.randrange(620 * 24 * 60)),
                "amount": -amount if back else amount,
                "kind": "return" if back else "sale",
                "product_id": random.choice([None, *"pqrstu"]),
                "category": random.choice([None, "é", "z", "Z", "家", "a"]),
                "channel": random.choice([None, "web", "shop", "app"]),
                "device": random.choice([None, "phone", "desktop"]),
                "cost": random.choice([None, Decimal(random.randrange(500)) / 100]),
                "flags": None,
                "source_line": len(rows) + 2,
            }
        )
    types = {"amount": pl.Decimal(18, 4), "cost": pl.Decimal(18, 4), "flags": pl.String, "source_line": pl.Int64}
    return pl.DataFrame(rows, schema_overrides=types).drop(without)


def assert_as_sql(frame: pl.DataFrame, as_of: date) -> None:
    """Every behaviour column equals the oracle's: text, counts, days and money exactly, statistics to rounding."""
    found = behaviour.take(frame.lazy(), as_of).customers.collect().select("customer_id", *NAMES)
    expected = behaviour_oracle.behaviour(frame, as_of)
    lacking = {"category": ("categories",), "product_id": () if "product" in frame.columns else ("products",)}
    for source, columns in lacking.items():
        if source not in frame.columns:
            expected = expected.with_columns(pl.lit(None).alias(name) for name in columns)
    typed = expected.select(pl.col(name).cast(found.schema[name]) for name in found.columns)
    assert_frame_equal(found, typed, rel_tol=1e-12, abs_tol=1e-12)


@pytest.mark.parametrize("seed", range(6))
def test_all_columns_equal_plain_sql(seed: int) -> None:
    """An untidy generated log at several days, the last of them inside it."""
    frame = generated(seed, 900)
    for as_of in (date(2023, 6, 20), date(2024, 9, 1), date(2025, 3, 1)):
        assert_as_sql(frame, as_of)


@pytest.mark.parametrize(
    "without", [("channel",), ("device", "cost"), ("category",), ("product_id",), (*TEXTS, "cost")], ids=lambda one: "+".join(one)
)
def test_columns_equal_plain_sql_where_sources_lack_some(without: tuple[str, ...]) -> None:
    """The passes that are left out leave the others as they were."""
    assert_as_sql(generated(99, 500, without), date(2024, 9, 1))


def test_online_retail_equals_plain_sql(shared_data: Path, tmp_path: Path) -> None:
    """Real order lines with products and countries, cleaned by clm."""
    from clm.cli import main

    source = next((shared_data / "online-retail").glob("*.parquet"), None) or next((shared_data / "online-retail").glob("*.csv*"))
    assert main(["clean", str(source), "-q", "-o", str(tmp_path / "clean.parquet")]) == 0
    frame = pl.read_parquet(tmp_path / "clean.parquet").with_columns(
        channel=pl.col("country"), category=pl.col("product_id").str.head(2)
    )
    assert_as_sql(frame, date(2011, 11, 30))


def test_cdnow_equals_plain_sql(shared_data: Path) -> None:
    """The sample, where customers share days and lines are repeated."""
    raw = pl.read_csv(
        shared_data / "cdnow" / "cdnowElog.csv", schema_overrides={"masterid": pl.String, "date": pl.String, "sales": pl.String}
    )
    frame = raw.select(
        customer_id="masterid",
        order_id=pl.col("masterid") + "/" + pl.col("date"),
        ordered_at=pl.col("date").str.to_datetime("%Y%m%d", time_unit="us"),
        amount=pl.col("sales").str.strip_chars().cast(pl.Decimal(18, 4)),
        kind=pl.lit("sale"),
    )
    assert_as_sql(frame, date(1998, 6, 30))


@pytest.mark.parametrize(
    "columns", [[], *([name] for name in (*TEXTS, "cost")), [*TEXTS, "cost"]], ids=lambda names: "+".join(names)
)
def test_the_wide_reduce_streams(columns: list[str], tmp_path: Path) -> None:
    """Whatever columns the log has, no node of the plan holds the whole log in memory."""
    generated(1, 50).write_parquet(tmp_path / "orders.parquet")
    orders = nw.from_native(pl.scan_parquet(tmp_path / "orders.parquet"))
    assert_streams(behaviour.reduce(orders, AS_OF, columns, ["flags"]).to_native())
