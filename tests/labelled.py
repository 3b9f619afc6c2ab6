"""The invented contracts in data/ as rows and as files, for the tests of `churn --label`."""

from __future__ import annotations

import csv
from pathlib import Path

from tests.conftest import ROOT

CONTRACTS = ROOT / "data" / "contracts.csv"
Row = dict[str, str]


def contracts(first: int = 0, rows: int = 300) -> list[Row]:
    """Some members of a gym that does not exist, with every kind of column."""
    with CONTRACTS.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))[first : first + rows]


def file(path: Path, rows: list[Row], delimiter: str = ",") -> Path:
    """Rows as a CSV file."""
    with path.open("w", encoding="utf-8", newline="") as lines:
        writer = csv.DictWriter(lines, list(rows[0]), delimiter=delimiter, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return path
