"""The real logs as customer histories; skipped with a clear line where the supplied data are not."""

from __future__ import annotations

import csv
import gzip
from collections import defaultdict
from datetime import date
from pathlib import Path

import pytest
from literature import CALIBRATION_END, Customers, customers, days_of, master_log


@pytest.fixture(scope="session")
def cdnow(shared_data: Path) -> Customers:
    """The 1/10 sample, calibration to 1997-09-30, in the order of its own ids."""
    lines = [line.split() for line in (shared_data / "cdnow" / "CDNOW_sample.txt").read_text().splitlines()]
    return customers(days_of(lines, 1, 2, 4), CALIBRATION_END)


@pytest.fixture(scope="session")
def cdnow_full() -> Customers:
    """All 23,570 customers, calibration to 1997-09-30."""
    lines = [line.split() for line in master_log().read_text().splitlines()[1:]]
    return customers(days_of(lines, 0, 1, 3), CALIBRATION_END)


@pytest.fixture(scope="session")
def online_retail(shared_data: Path) -> Customers:
    """Sales with a customer up to 2011-06-09; lines of price 0 count as visits."""
    days: dict[str, dict[date, float]] = defaultdict(dict)
    with gzip.open(shared_data / "online-retail" / "online_retail.csv.gz", "rt", encoding="utf-8") as file:
        for row in csv.reader(file):
            if row[6] and row[6] != "CustomerID" and not row[3].startswith("-"):
                days[row[6]][date.fromisoformat(row[4][:10])] = 0.0
    return customers(days, date(2011, 6, 9))
