"""`clm clv --costs` as a user meets it: columns, the printed table, exit codes, and a run that notices a changed file."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from clm.cli import main
from tests.conftest import ROOT

COSTS = "period,channel,acquisition_spend,retention_spend\n2024-01,search,120,12\n2024-02,mail,30,6\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The README's three orders, cleaned and made a table, with a file of costs beside them."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(ROOT / "data" / "three-orders.csv", tmp_path / "orders.csv")
    (tmp_path / "costs.csv").write_text(COSTS, "utf-8")
    assert main(["clean", "orders.csv", "-o", "clean.parquet", "-q"]) == 0
    assert main(["rfm", "clean.parquet", "-o", "rfm.parquet", "--as-of", "2024-02-29", "-q"]) == 0
    return tmp_path


def reasons(folder: Path) -> dict[str, str]:
    record = json.loads((folder / "out" / "run.json").read_text("utf-8"))
    return {entry["stage"]: entry["reason"] for entry in record["stages"] if entry["status"] == "made"}


def test_the_table_and_the_json(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Columns in the file, groups with their definitions on the terminal, the same numbers and an account in --json."""
    line = ["clv", "rfm.parquet", "--orders", "clean.parquet", "--costs", "costs.csv", "--margin", "40%", "-o", "clv.parquet"]
    assert main([*line, "--json"]) == 0
    said = capsys.readouterr()
    costs = json.loads(said.out)["metrics"]["costs"]
    assert costs["account"]["acquisition"] == {"in": "150.0000", "shared": "150.0000"}
    assert "roi: (earned + clv − spent) ÷ spent" in said.err
    assert [line.strip().split("  ")[0] for line in said.err.splitlines()[5:8]] == ["by channel", "mail", "search"]
    assert pl.read_parquet("clv.parquet")["cac"].to_list() == [60, 60, 30]
    assert json.loads(said.out)["settings"]["costs"].startswith("sha256:")
    assert main([*line, "--fail-if", "costs.total.ltv_cac < 100"]) == 1


def test_exit_codes(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A broken line is 65 and names it, a missing file 66, the file of costs as output 2, and nothing is written."""
    line = ["clv", "rfm.parquet", "--costs", "costs.csv", "-o", "clv.parquet"]
    (folder / "costs.csv").write_text(COSTS + "2024-03,tv,-1,\n", "utf-8")
    assert main(line) == 65
    assert "line 4 of costs.csv has a negative acquisition spend" in capsys.readouterr().err
    assert main([*line[:3], "nowhere.csv", *line[4:]]) == 66
    assert not (folder / "clv.parquet").exists()
    shutil.copy("rfm.parquet", "costs.parquet")
    assert main(["clv", "rfm.parquet", "--costs", "costs.parquet", "-o", "costs.parquet"]) == 2


def run(folder: Path) -> int:
    return main(["run", "orders.csv", "-o", "out", "-q"])


def test_a_run_takes_costs_from_the_configuration(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """[clv] costs: recorded by hash, made again when the file changes, refused before any stage when it is broken."""
    (folder / "clm.toml").write_text('[clv]\ncosts = "costs.csv"\nmargin = 0.4\n', "utf-8")
    assert run(folder) == 0
    assert pl.read_parquet("out/customers.parquet")["cac"].to_list() == [60, 60, 30]
    assert run(folder) == 0
    (folder / "costs.csv").write_text(COSTS.replace("120", "240"), "utf-8")
    assert run(folder) == 0
    assert reasons(folder)["clv"] == "setting costs changed"
    assert pl.read_parquet("out/customers.parquet")["cac"].to_list() == [120, 120, 30]
    record = (folder / "out" / "run.json").read_bytes()
    (folder / "costs.csv").write_text(COSTS + "soon,tv,1,\n", "utf-8")
    capsys.readouterr()
    assert run(folder) == 65
    assert "line 4 of costs.csv" in capsys.readouterr().err
    assert (folder / "out" / "run.json").read_bytes() == record


def test_another_currency_stops_a_run(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Costs in dollars and orders in pounds are no reason to leave the value out: the run stops and says so."""
    (folder / "clm.toml").write_text('[clean]\ncurrency = "GBP"\n[clv]\ncosts = "costs.csv"\n', "utf-8")
    (folder / "costs.csv").write_text("period,acquisition_spend\n2024-01,$5\n", "utf-8")
    assert run(folder) == 65
    said = capsys.readouterr().err
    assert "the orders in GBP" in said


def test_columns_without_costs_are_not_there(folder: Path) -> None:
    """No --costs, no columns of them: an absent number is not a null one."""
    assert main(["clv", "rfm.parquet", "-o", "clv.parquet", "-q"]) == 0
    found: Any = pl.read_parquet_schema("clv.parquet")
    assert not {"cac", "crv", "ltv_cac", "roi", "retention_cost", "margin_to_date"} & set(found)
