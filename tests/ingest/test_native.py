"""Cells that stay numbers, days and moments until they are judged: what comes out is what their text would have given."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clm import ingest
from clm.errors import DataError
from clm.ingest import native
from clm.ingest.scan import PRINT
from clm.settings import CleanSettings
from clm.stages import clean
from clm.stages.clean import meanings
from tests.cleaning import clean_files

MOMENTS = st.datetimes(datetime(1790, 1, 1), datetime(2262, 1, 1))
WHOLE = st.integers(-(2**63), 2**63 - 1) | st.integers(-20, 20)
CENTS = st.integers(-(10**16), 10**16).map(lambda cents: cents / 10**4)
FLOATS = st.floats() | st.floats(-1000, 1000) | st.integers(-1000, 1000).map(float) | CENTS
CUSTOMERS = {
    "Int64": (pl.Int64(), WHOLE),
    "UInt8": (pl.UInt8(), st.integers(0, 255)),
    "Float64": (pl.Float64(), FLOATS),
    "Decimal": (pl.Decimal(20, 3), st.decimals(-(10**6), 10**6, places=3)),
    "Date": (pl.Date(), st.dates(date(1790, 1, 1))),
    "String": (pl.String(), st.text(max_size=4)),
}
DAYS = {
    "ms": (pl.Datetime("ms"), MOMENTS),
    "us": (pl.Datetime("us"), MOMENTS),
    "ns": (pl.Datetime("ns"), MOMENTS),
    "zone": (pl.Datetime("us", "Europe/London"), MOMENTS),
    "Date": (pl.Date(), st.dates()),
    "serial": (pl.Int32(), st.integers(40_000, 46_000)),
    "compact": (pl.Int64(), st.integers(20_240_101, 20_240_131)),
    "String": (pl.String(), st.sampled_from(["2024-01-02", "05/03/2024", "x", "", "2024-05-06 07:08"])),
}
AMOUNTS = {
    "Int64": (pl.Int64(), WHOLE),
    "UInt64": (pl.UInt64(), st.integers(0, 2**64 - 1)),
    "Float64": (pl.Float64(), FLOATS),
    "Float32": (pl.Float32(), st.floats(width=32)),
    "Decimal": (pl.Decimal(38, 7), st.decimals(-(10**30), 10**30, places=7) | st.decimals(-100, 100, places=7)),
    "String": (pl.String(), st.sampled_from(["1.5", "1,234.50", "¥3", "", "(2)"])),
}
ROLES = tuple((role, role) for role in ("customer_id", "ordered_at", "amount", "quantity"))


def both_ways(frame: pl.DataFrame, folder: Path, **options: Any) -> tuple[pl.DataFrame, pl.DataFrame]:
    """What is judged of the text, and of the cells as they are. Raises `DataError` when the log raises a question."""
    frame.write_parquet(folder / "log.parquet")
    log = ingest.read_text([folder / "log.parquet"], CleanSettings(map=ROLES, **options))
    reading = ingest.understand(log, log.settings)
    text, cells = (clean.judge(rows, reading, log.settings).collect() for rows in (log.frame, log.records))
    return text, cells


@pytest.mark.parametrize("duplicates", ["keep", "flag"])
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_cells_as_they_are_give_what_their_text_gives(data: st.DataObject, duplicates: str, tmp_path: Path) -> None:
    """Whatever the types and values, nulls and infinities among them: reasons, ids, moments and money are the same."""
    rows = data.draw(st.integers(1, 6))
    columns = {}
    for role, kinds in zip(("customer_id", "ordered_at", "amount", "quantity"), (CUSTOMERS, DAYS, AMOUNTS, AMOUNTS), strict=True):
        dtype, values = kinds[data.draw(st.sampled_from(sorted(kinds)))]
        cells = data.draw(st.lists(values | st.none(), min_size=rows, max_size=rows))
        columns[role] = pl.Series(role, cells, dtype=dtype, strict=False)
    options = data.draw(st.sampled_from([{}, {"decimal": ","}, {"date_format": "%d/%m/%Y"}, {"tz": "Asia/Shanghai"}]))
    try:
        text, cells = both_ways(pl.DataFrame(columns), tmp_path, duplicates=duplicates, **options)
    except DataError:
        return
    assert cells.drop(PRINT, strict=False).equals(text.drop(PRINT, strict=False))


@given(data=st.data())
def test_cells_are_compared_as_their_texts_are(data: st.DataObject) -> None:
    """Two cells of a column count as repeats when their texts do, save that 0.0 and -0.0 are one number."""
    stay = [one for kinds in (CUSTOMERS, DAYS, AMOUNTS) for one in kinds.values() if native.stays(one[0])]
    dtype, values = data.draw(st.sampled_from(stay))
    cells = pl.Series("cell", data.draw(st.lists(values | st.none(), min_size=2, max_size=8)), dtype=dtype, strict=False)
    plain = pl.when(pl.col("cell") == 0).then(0).otherwise("cell").cast(dtype) if dtype.is_float() else pl.col("cell")
    text = cells.to_frame().select(native.as_text(plain, dtype)).to_series()
    prints = cells.to_frame().select(native.compared(pl.col("cell"), dtype)).hash_rows()
    assert [one == other for one in prints for other in prints] == [one == other for one in text for other in text]


def test_usual_types_need_no_text(tmp_path: Path) -> None:
    """Whole numbers, floats, decimals, days and moments stay what they are; what must be read as text becomes text."""
    frame = pl.DataFrame(
        {
            "customer_id": [17850, 17851],
            "ordered_at": [datetime(2024, 1, 2, 3, 4, 5), datetime(2024, 1, 3)],
            "amount": [Decimal("2.12345"), Decimal("-1.00005")],
            "quantity": [1.0, float("nan")],
            "paid": [datetime(2024, 1, 2), None],
        }
    )
    frame.write_parquet(tmp_path / "log.parquet")
    log = ingest.read_text([tmp_path / "log.parquet"], CleanSettings(map=ROLES))
    reading = ingest.understand(log, log.settings)
    schema = log.records.collect_schema()
    assert [schema[name] for name in frame.columns] == list(frame.schema.values())
    assert meanings.native_columns(reading, schema) == {"customer_id", "ordered_at", "amount", "quantity"}
    done = clean_files([tmp_path / "log.parquet"], tmp_path, map=ROLES, keep=("paid",))
    assert done.column("customer_id") == ["17850", "17851"]
    assert done.column("ordered_at") == frame["ordered_at"].to_list()
    assert done.column("amount") == [Decimal("2.1234"), Decimal("-1.0000")]
    assert done.column("quantity") == [Decimal(1), None]
    assert done.column("paid") == ["2024-01-02 00:00:00.000000", None]


def test_files_that_hold_a_column_differently_are_read_as_text(tmp_path: Path) -> None:
    """The customer 7 of one file and the customer "007" of the other: only what all files hold alike stays what it is."""
    day = [date(2024, 1, 2)]
    pl.DataFrame({"customer_id": [7], "ordered_at": day}).write_parquet(tmp_path / "a.parquet")
    pl.DataFrame({"customer_id": ["007"], "ordered_at": day}).write_parquet(tmp_path / "b.parquet")
    log = ingest.read_text([tmp_path / "a.parquet", tmp_path / "b.parquet"], CleanSettings())
    schema = log.records.collect_schema()
    assert (schema["customer_id"], schema["ordered_at"]) == (pl.String, pl.Date)
    assert log.records.select("customer_id").collect().to_series().to_list() == ["7", "007"]


def test_our_own_table_passes_through_typed(tmp_path: Path) -> None:
    """TRANSACTIONS as Parquet: the same rows again, whichever way they are read."""
    start = datetime(2024, 1, 2)
    text = "".join(f"o{n},C{n % 3},{start + timedelta(hours=n)},{n}.5\n" for n in range(20))
    (tmp_path / "log.csv").write_text("order_id,customer_id,order_date,amount\n" + text)
    first = clean_files([tmp_path / "log.csv"], tmp_path).rows
    first.write_parquet(tmp_path / "clean.parquet")
    log = ingest.read_text([tmp_path / "clean.parquet"], CleanSettings())
    reading = ingest.understand(log, log.settings)
    assert reading.ours
    told, cells = (clean.judge(rows, reading, log.settings).collect() for rows in (log.frame, log.records))
    assert log.records.collect_schema()["amount"] == pl.Decimal(18, 4)
    assert cells.drop(PRINT).equals(told.drop(PRINT))
    assert cells.select("customer_id", "ordered_at", "amount").equals(first.select("customer_id", "ordered_at", "amount"))


@pytest.mark.parametrize(
    ("dtype", "stay"),
    [
        (pl.Int8(), True),
        (pl.Datetime("ns"), True),
        (pl.Datetime("us", "UTC"), False),
        (pl.Decimal(38, 19), False),
        (pl.Time(), False),
    ],
)
def test_which_types_stay(dtype: pl.DataType, stay: bool) -> None:
    """A moment of a zone is told with its offset, and a decimal of many places may not be exact: these are read as text."""
    assert native.stays(dtype) is stay
