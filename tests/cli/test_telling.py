"""`clm config` and `clm tables`: what they tell, for people and for scripts."""

from __future__ import annotations

import json
import sys
import tomllib
from dataclasses import fields
from pathlib import Path

import pytest

from clm.cli import main
from clm.settings import COMMANDS
from clm.tables import ALL, CUSTOMERS


def test_config_is_toml_with_origins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """What `clm config` prints could be saved as clm.toml, and each line says where its value comes from."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "clm.toml").write_text('[clv]\nhorizon = "6m"\n')
    monkeypatch.setenv("CLM_CHURN_HORIZON", "90d")
    assert main(["config"]) == 0
    said = capsys.readouterr().out
    assert 'horizon = "6m"' in said
    assert "# clm.toml [clv]" in said
    assert "# CLM_CHURN_HORIZON" in said
    found = tomllib.loads(said)
    assert found["clv"]["horizon"] == "6m"
    assert (found["rfm"]["as_of"], found["rfm"]["bins"]) == ("last-day", 5)
    (tmp_path / "clm.toml").write_text(said)
    assert main(["config"]) == 0


def test_config_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    """--json: value and origin of every setting of every command."""
    assert main(["config", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["clv"]["horizon"] == {"value": "12m", "origin": "default"}
    assert set(found) - {""} == {name for name in COMMANDS if fields(COMMANDS[name]) and name != "demo"}


def test_tables_tells_one_or_all(capsys: pytest.CaptureFixture[str]) -> None:
    """Every table by default, one by name in any case, an unknown one is a usage error naming the others."""
    assert main(["tables"]) == 0
    everything = capsys.readouterr().out
    assert all(name in everything for name in ALL)
    assert main(["tables", "customers"]) == 0
    one = capsys.readouterr().out
    assert "recency_days" in one
    assert "source_line" not in one
    assert main(["tables", "orders"]) == 2
    assert "CUSTOMERS" in capsys.readouterr().err


def test_tables_breaks_lines_on_a_terminal_only(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """As wide as the terminal, nothing lost; in a pipe one column a line, for grep."""
    assert main(["tables"]) == 0
    piped = capsys.readouterr().out
    assert sum(len(line) > 80 for line in piped.splitlines()) > 50
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert main(["tables"]) == 0
    shown = capsys.readouterr().out
    assert max(map(len, shown.splitlines())) <= 80
    assert shown.split() == piped.split()


@pytest.mark.parametrize(("command", "kept", "left_out"), [("tables", "--json", "--seed"), ("key", "--dry-run", "--threads")])
def test_help_shows_the_options_that_matter(command: str, kept: str, left_out: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What only tells has no threads and no seed to show; it takes them all the same."""
    assert main([command, "--help"]) == 0
    said = capsys.readouterr().out
    assert kept in said
    assert left_out not in said
    assert main(["tables", "--seed", "3", "--threads", "1"]) == 0


def test_tables_as_json_is_the_contract(capsys: pytest.CaptureFixture[str]) -> None:
    """Scripts read columns, types, nullability and allowed values."""
    assert main(["tables", "CUSTOMERS", "--json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)
    assert (found["name"], found["version"], found["key"]) == ("CUSTOMERS", CUSTOMERS.version, ["customer_id"])
    columns = {column["name"]: column for column in found["columns"]}
    assert list(columns) == CUSTOMERS.names()
    assert columns["clv_status"]["nullable"] is False
    assert "few_repeat_buyers" in columns["clv_status"]["values"]


@pytest.mark.parametrize("table", ALL.values(), ids=ALL)
def test_every_column_is_explained(table: object) -> None:
    """A unit and a meaning each; names that do not mislead (RFM and BTYD mean different things by recency and frequency)."""
    for column in ALL[table.name].columns:  # type: ignore[attr-defined]
        assert column.unit
        assert len(column.meaning) > 5
        assert column.name not in ("recency", "frequency", "T", "monetary")
        assert column.name == column.name.lower()


def test_two_estimators_are_shown_side_by_side(tmp_path: Path, capsys: pytest.CaptureFixture[str], shared_data: Path) -> None:
    """--estimator lifetimes prints both fits of the CDNOW sample, equal to the digits the literature prints."""
    log, customers = tmp_path / "clean.parquet", tmp_path / "rfm.parquet"
    assert main(["clean", str(shared_data / "cdnow" / "CDNOW_sample.txt"), "-q", "-o", str(log)]) == 0
    assert main(["rfm", str(log), "--as-of", "1997-09-30", "-q", "-o", str(customers)]) == 0
    capsys.readouterr()
    argv = ["clv", str(customers), "--model-family", "bgnbd", "--estimator", "lifetimes", "-o", str(tmp_path / "clv.parquet")]
    assert main(argv) == 0
    said = capsys.readouterr().err
    assert "bgnbd by clm       log-likelihood -9582.4292  r 0.2426 alpha 4.4136 a 0.7929 b 2.4259" in said
    assert "bgnbd by lifetimes log-likelihood -9582.4292" in said
    assert "gammagamma by clm       log-likelihood -4055.9177" in said
