"""Laws of the review flags: what must hold for any log."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clm.stages.clean import flags
from clm.storage.aside import Aside
from tests.stages import planted
from tests.stages.test_clean_flags import TYPES

START = datetime(2024, 3, 1)
rows = st.fixed_dictionaries(
    {
        "customer_id": st.sampled_from("ABC"),
        "order_id": st.integers(0, 60).map(str),
        "ordered_at": st.integers(0, 30).map(lambda step: START + timedelta(minutes=20 * step)),
        "amount": st.sampled_from([-5, 0, 1, 5, 5, 5, 10, 10, 400]).map(Decimal),
        "kind": st.sampled_from(["sale", "sale", "return"]),
        "quantity": st.sampled_from([1, 1, 2, 5, 300, None]).map(lambda number: None if number is None else Decimal(number)),
        "product_id": st.sampled_from(["P-1", "P-2", "POST", None]),
        "product": st.sampled_from(["mug", "Manual", None]),
    }
)
logs = st.lists(rows, max_size=80).flatmap(
    lambda drawn: st.sets(st.sampled_from(["quantity", "product_id", "product"])).map(
        lambda without: (
            pl.DataFrame(drawn, schema=TYPES, orient="row")
            .with_columns(pl.int_range(pl.len(), dtype=pl.Int64).alias("clm:at") * 2)
            .drop(without)
        )
    )
)


def judged(log: pl.DataFrame) -> pl.DataFrame:
    return flags.flagged(log.lazy()).frame.collect()


@given(logs, st.randoms(use_true_random=False))
@settings(max_examples=60)
def test_the_order_of_the_rows_changes_no_flag(log: pl.DataFrame, random: object) -> None:
    """Each record carries its flags wherever it stands in the frame."""
    places = list(range(log.height))
    random.shuffle(places)  # type: ignore[attr-defined]
    assert judged(log[places]).sort("clm:at").equals(judged(log))


@given(logs)
@settings(max_examples=60)
def test_the_order_in_the_file_changes_no_sum(log: pl.DataFrame) -> None:
    """Records that come in another order have other places: which of two equal ones is flagged may change, nothing else does."""
    back = log.reverse().with_columns(log["clm:at"])
    same = [name for name in (*log.columns, "flags") if name not in ("clm:at", "order_id")]
    one, other = (judged(frame).select(same).sort(same) for frame in (log, back))
    assert one.equals(other)


@given(logs)
@settings(max_examples=60)
def test_what_customers_and_orders_are_called_changes_no_flag(log: pl.DataFrame) -> None:
    """Ids only say what belongs together."""
    renamed = log.with_columns(
        pl.col("customer_id").replace_strict({"A": "zoë", "B": "0", "C": "客"}, return_dtype=pl.String),
        pl.col("order_id").str.reverse() + "-x",
    )
    assert judged(renamed)["flags"].equals(judged(log)["flags"])


@given(logs)
@settings(max_examples=60)
def test_rows_stay_and_their_money_adds_up(log: pl.DataFrame) -> None:
    """Nothing is changed or dropped; rows and money of a flag are those of its rows; refunds are all the returns."""
    found = flags.flagged(log.lazy())
    frame = found.frame.collect()
    assert frame.drop("flags").equals(log)
    told = frame["flags"].drop_nulls().str.split(",").to_list()
    assert all(codes == [code for code in found.codes if code in codes] for codes in told)
    counted = flags.tally(flags.by_flags(found.frame), found.codes)
    assert counted.keys() == {code for codes in told for code in codes}
    for code, one in counted.items():
        bearing = frame.filter(pl.col("flags").str.split(",").list.contains(code))
        assert (one.rows, one.money) == (bearing.height, bearing["amount"].sum())
    returns = frame.filter(pl.col("kind") == "return")
    parts = (found.refunds.matched, found.refunds.unmatched, found.refunds.non_product)
    assert (sum(part.rows for part in parts), sum(part.money for part in parts)) == (returns.height, returns["amount"].sum())
    assert counted.get("unmatched_return", flags.Sum()).rows == found.refunds.unmatched.rows


products = logs.filter(lambda log: "quantity" in log.columns and bool({"product_id", "product"} & set(log.columns)))


def rows_of(log: pl.DataFrame) -> list[dict[str, Any]]:
    """Rows in the order of events, with `item`, `units`, and whether they are `goods`."""
    named = [name for name in ("product_id", "product") if name in log.columns]
    told = log.with_columns(
        item=pl.coalesce(named),
        units=pl.col("quantity").fill_null(1),
        no_goods=pl.any_horizontal(pl.col(named).is_in(["POST", "Manual"])),
    )
    order = ["ordered_at", pl.col("kind") == "return", "units", "amount", "clm:at"]
    return told.with_columns(goods=~pl.col("no_goods").fill_null(value=False)).sort(order).to_dicts()


@given(products)
@settings(max_examples=60)
def test_returns_are_matched_as_a_clerk_would(log: pl.DataFrame) -> None:
    """One after the other: is there enough left of what this customer bought of it? Or is it in the order it undoes?"""
    rows = rows_of(log)
    sold, back = defaultdict(list), defaultdict(Decimal)
    for row in rows:
        order = (row["customer_id"], row["order_id"])
        if row["kind"] == "sale":
            sold[order].append(row["amount"])
        else:
            back[order] += row["amount"]
    left: dict[tuple[str, str | None], Decimal] = defaultdict(Decimal)
    unmatched = set()
    for row in (row for row in rows if row["goods"]):
        key, order = (row["customer_id"], row["item"]), (row["customer_id"], row["order_id"])
        if row["kind"] == "sale":
            left[key] += row["units"]
            continue
        if row["units"] > left[key] and not (sold[order] and sum(sold[order]) + back[order] >= 0):
            unmatched.add(row["clm:at"])
        left[key] = max(Decimal(0), left[key] - row["units"])
    found = judged(log).filter(pl.col("flags").fill_null("").str.contains("unmatched_return"))
    assert set(found["clm:at"]) == unmatched


@given(products)
@settings(max_examples=60)
def test_cancellations_are_those_within_the_hour(log: pl.DataFrame) -> None:
    """Every pair of a sale and a return looked at by itself gives the same."""
    rows = [row for row in rows_of(log) if any(row["ordered_at"].time() for row in rows_of(log))]
    same = ("customer_id", "item", "quantity")
    pairs = [
        {one["clm:at"], other["clm:at"]}
        for one in rows
        for other in rows
        if (one["kind"], other["kind"]) == ("sale", "return") and all(one[name] == other[name] for name in same)
        if timedelta(0) <= other["ordered_at"] - one["ordered_at"] <= timedelta(hours=1)
    ]
    found = judged(log).filter(pl.col("flags").fill_null("").str.contains("quick_cancellation"))
    assert set(found["clm:at"]) == set().union(*pairs)


def test_two_runs_and_a_spool_on_disk_give_the_same_flags(tmp_path: Path) -> None:
    """Nothing depends on threads, or on where what is used again is kept."""
    log = planted.log(planted.SHOPS["web shop"], 20_000, 8, planted=40).drop("planted", "event")
    log.write_parquet(tmp_path / "good", row_group_size=3_000)
    first = judged(log)
    assert first["flags"].is_not_null().sum() > 100
    assert judged(log).equals(first)
    assert flags.flagged(pl.scan_parquet(tmp_path / "good"), hold=Aside(tmp_path, 0)).frame.collect().equals(first)


@pytest.fixture
def no_memory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Polars may keep next to nothing in memory: groups, sorts and joins go through the disk."""
    for name, value in (("MEMORY_BUDGET_MB", "1"), ("SPILL_MIN_BYTES", "1000"), ("SPILL_DIR", str(tmp_path))):
        monkeypatch.setenv(f"POLARS_OOC_{name}", value)
    pl.Config.reload_env_vars()
    yield
    monkeypatch.undo()
    pl.Config.reload_env_vars()


@pytest.mark.parametrize("name", ["web shop", "till", "days"])
def test_what_goes_through_the_disk_gives_the_same_flags(name: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """A limit of memory decides where things are kept, never what is found."""
    log = planted.log(planted.SHOPS[name], 10_000, 3, planted=40).drop("planted", "event")
    log.write_parquet(tmp_path / "good", row_group_size=1_000)
    roomy = flags.flagged(log.lazy())
    request.getfixturevalue("no_memory")
    tight = flags.flagged(pl.scan_parquet(tmp_path / "good"), hold=Aside(tmp_path, 0))
    assert tight.refunds == roomy.refunds
    assert tight.frame.collect(engine="streaming").equals(roomy.frame.collect())


def test_a_day_appended_changes_few_flags_of_the_past() -> None:
    """What a log says about a row hangs on all of it, but a day more or less turns no log over."""
    log = planted.log(planted.SHOPS["wholesaler"], 20_000, 8, planted=40).drop("planted", "event")
    last = log["ordered_at"].max()
    before = log.filter(pl.col("ordered_at") < last - timedelta(days=1))  # type: ignore[operator]
    assert 0 < log.height - before.height < 1_000
    both = judged(before).join(judged(log).select("clm:at", again="flags"), on="clm:at")
    assert both.filter(pl.col("flags").ne_missing(pl.col("again"))).height <= 0.001 * before.height
