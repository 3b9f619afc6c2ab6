"""The plans of `clean` stay streaming, and broken files of every kind get an answer."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from clm import ingest
from clm.errors import ClmError
from clm.settings import CleanSettings
from clm.stages import clean
from tests.cleaning import clean_files
from tests.plans import assert_streams

LOG = (
    "order_id,customer_id,order_date,qty,unit price,status,currency\n"
    "1,A,2024-01-02T10:00+08:00,5,1.5,ok,EUR\n1,A,2024-01-02T10:00+08:00,5,1.5,ok,EUR\n2,A,2024-01-02T10:00+08:00,5,-1.5,ok,EUR\n"
)


UNSIGNED = (
    "order_id,customer_id,order_date,qty,total,discount amount,refunded amount,status,note\n"
    "1,7.0,2024-01-02,5,1.5,1,,ok,x\nC1,7.0,2024-01-02,-5,1.5,,0.5,refund,y\nC1,7.0,2024-01-02,-5,1.5,,0.5,refund,y\n"
)


@pytest.mark.parametrize(("log_text", "currency"), [(LOG, "EUR"), (UNSIGNED, None)])
@pytest.mark.parametrize("duplicates", ["keep", "flag", "drop"])
def test_no_plan_gathers_a_whole_column(duplicates: str, log_text: str, currency: str | None, tmp_path: Path) -> None:
    """Judging, the transactions (with signs, repeats and order totals) and the rejects all flow."""
    (tmp_path / "log.csv").write_text(log_text)
    discount = () if currency else (("discount", "discount amount"),)
    settings = CleanSettings(duplicates=duplicates, currency=currency, map=discount)
    log = ingest.read_text([tmp_path / "log.csv"], settings)
    reading = ingest.understand(log, settings)
    judged = clean.judge(log.frame, reading, settings)
    judged.sink_parquet(tmp_path / "spool")
    settled = clean.settle(pl.scan_parquet(tmp_path / "spool", glob=False), reading, settings)
    for frame in (judged, settled.outcome.frame.lazy(), settled.rejects):
        assert_streams(frame)


@pytest.mark.odd_names
def test_every_odd_file_gets_an_answer(shared_data: Path, tmp_path: Path) -> None:
    """Hundreds of awkward and broken files: each is accounted for, or is a question; none is a traceback."""
    folder = shared_data / "csv-oddities"
    files = [
        path
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.parent.name in ("csv", "csvs", "duckdb", "data-table")
    ]
    assert len(files) > 150
    read, silent = 0, []
    for path in files[:: max(1, len(files) // 60)]:
        try:
            log = ingest.read_text([path], CleanSettings())
            read += log.frame.select(pl.len()).collect(engine="streaming").item() >= 0
            clean_files([path], tmp_path)
        except ClmError as error:
            silent += [path.name] if not (error.what and error.fix) else []
    assert read >= 50
    assert not silent
