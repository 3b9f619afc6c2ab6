"""`clm cohort`: the table by file and pipe, its members, conditions, wrong inputs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from clm.cli import main
from clm.storage import files
from clm.tables import COHORTS, MEMBERS
from tests.commands.conftest import Shop


def test_the_table_and_its_members(shop: Shop, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Both tables keep their contract; every customer is in one cohort of the size the other table says."""
    cohorts, members = tmp_path / "c.parquet", tmp_path / "m.parquet"
    assert main(["cohort", str(shop.file("clean")), "--json", "-o", str(cohorts)]) == 0
    record = json.loads(capsys.readouterr().out)
    assert main(["cohort", str(shop.file("clean")), "--members", "-q", "-o", str(members)]) == 0
    table = files.open_table(cohorts, COHORTS, COHORTS.names()).frame.collect()
    of = files.open_table(members, MEMBERS, MEMBERS.names()).frame.collect()
    assert record["rows"] == {"in": 793, "out": table.height, "rejected": {}, "collapsed": {}, "after_as_of": 0}
    sizes = dict(table.filter(age=0).select("cohort", "cohort_customers").iter_rows())
    assert dict(of.group_by("cohort").len().iter_rows()) == sizes
    assert of.height == 160 == record["metrics"]["customers"]


def test_twice_the_same_bytes_and_a_condition(shop: Shop, tmp_path: Path) -> None:
    """The same table to the byte, as CSV too; --fail-if asks the metrics."""
    for suffix in (".parquet", ".csv", ".xlsx"):
        one, two = tmp_path / f"1{suffix}", tmp_path / f"2{suffix}"
        for target in (one, two):
            assert main(["cohort", str(shop.file("clean")), "-q", "-o", str(target), "--fail-if", "cohorts > 0"]) == 1
        assert one.read_bytes() == two.read_bytes()
    assert ",true," in (tmp_path / "1.csv").read_text("utf-8")


def test_what_is_no_log_is_65(shop: Shop, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """CUSTOMERS are no TRANSACTIONS, and a column that is not there is named with those that are."""
    assert main(["cohort", str(shop.file("rfm")), "-o", str(tmp_path / "c.parquet")]) == 65
    assert "CUSTOMERS table" in capsys.readouterr().err
    assert main(["cohort", str(shop.file("clean")), "--by", "channel", "-o", str(tmp_path / "c.parquet")]) == 65
    assert "no text column channel" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_the_log_is_not_overwritten(shop: Shop) -> None:
    """-o may not name the input."""
    before = shop.file("clean").read_bytes()
    assert main(["cohort", str(shop.file("clean")), "-o", str(shop.file("clean"))]) == 2
    assert shop.file("clean").read_bytes() == before
