"""Every stage command keeps the same promises: help, odd inputs, wrong inputs, pipes, repeatability, contract."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from clm.cli import main
from clm.settings import STAGES
from clm.storage import contract, facts
from clm.tables import CUSTOMERS, METRICS, TRANSACTIONS
from tests.commands.conftest import READS, Shop, arguments

STAGES_AFTER_CLEAN = tuple(stage for stage in STAGES if stage != "clean")
TABLE = dict.fromkeys(STAGES, CUSTOMERS) | {"clean": TRANSACTIONS, "report": METRICS}


def clm(*argv: object, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([sys.executable, "-m", "clm", *map(str, argv)], input=stdin, capture_output=True, timeout=120)


@pytest.mark.parametrize(
    "command",
    [*STAGES, "migrate", "cohort", "backtest", "list", "show", "run", "demo", "config", "tables", "doctor", "verify", "forget"],
)
def test_help_says_what_it_does_and_every_option(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """`-h` works everywhere, exits 0 and fits 80 columns; what only tells shows no options of work on data."""
    assert main([command, "-h"]) == 0
    said = capsys.readouterr().out
    assert said.startswith(f"Usage: clm {command}")
    assert "--json" in said
    assert ("--fail-if" in said) == (command not in ("config", "tables"))
    assert max(len(line) for line in said.splitlines()) <= 80


@pytest.mark.parametrize("stage", STAGES_AFTER_CLEAN)
def test_an_empty_table_is_an_empty_table(shop: Shop, stage: str, tmp_path: Path) -> None:
    """No rows in, no rows out: the day has no orders, the chain does not break."""
    source = tmp_path / "empty.parquet"
    pl.read_parquet(shop.file(READS[stage])).clear().write_parquet(source)
    output = tmp_path / "out.parquet"
    day = ["--as-of", "2024-12-31"] if stage == "rfm" else []
    assert main([stage, str(source), *day, "-q", "-o", str(output)]) == 0
    if stage != "report":
        assert pl.read_parquet(output).height == 0


@pytest.mark.parametrize("stage", STAGES_AFTER_CLEAN)
def test_one_row_is_enough(shop: Shop, stage: str, tmp_path: Path) -> None:
    """One customer goes through every stage and comes out with every column."""
    source = tmp_path / "one.parquet"
    pl.read_parquet(shop.file(READS[stage])).head(1).write_parquet(source)
    output = tmp_path / "out.parquet"
    assert main([stage, str(source), "-q", "-o", str(output)]) == 0
    found = pl.read_parquet(output)
    if stage != "report":
        assert found.height == 1
        assert {column.name for column in CUSTOMERS.of_stage(stage) if not column.optional} <= set(found.columns)


@pytest.mark.parametrize("stage", ["segment", "clv", "churn"])
@pytest.mark.parametrize("column", ["as_of", "first_order_on", "repeat_days", "spend"])
def test_dates_and_numbers_as_text_are_65_and_named(
    shop: Shop, stage: str, column: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A CUSTOMERS table that went through a CSV: the message names the column, its type and the type it should have."""
    source = tmp_path / "text.parquet"
    pl.read_parquet(shop.file(READS[stage])).with_columns(pl.col(column).cast(pl.String)).write_parquet(source)
    output = tmp_path / "out.parquet"
    assert main([*arguments(shop, stage)[:1], str(source), *arguments(shop, stage)[2:], "-o", str(output)]) == 65
    said = capsys.readouterr().err
    assert f"column {column}" in said
    assert "is String, wants" in said
    assert "to do:" in said
    assert not output.exists()


@pytest.mark.parametrize("stage", STAGES_AFTER_CLEAN)
def test_a_missing_column_is_65_and_named(shop: Shop, stage: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The message names the column and the command that makes it; no output is written."""
    column = "order_id" if stage == "rfm" else "recency_days"
    source = tmp_path / "lacking.parquet"
    pl.read_parquet(shop.file(READS[stage])).drop(column).write_parquet(source)
    assert main([stage, str(source), "-o", str(tmp_path / "out.parquet")]) == 65
    said = capsys.readouterr().err
    assert column in said
    assert "clm clean" in said or "clm rfm" in said
    assert not (tmp_path / "out.parquet").exists()


@pytest.mark.parametrize("stage", STAGES_AFTER_CLEAN)
def test_the_wrong_stages_file_is_65_naming_the_right_command(
    shop: Shop, stage: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """TRANSACTIONS where CUSTOMERS are wanted, and the other way round."""
    wrong = shop.file("rfm") if stage == "rfm" else shop.file("clean")
    assert main([stage, str(wrong), "-o", str(tmp_path / "out.parquet")]) == 65
    said = capsys.readouterr().err
    assert ("clm clean" if stage == "rfm" else "clm rfm") in said


@pytest.mark.parametrize("stage", STAGES)
def test_run_twice_gives_the_same_bytes(shop: Shop, stage: str, tmp_path: Path) -> None:
    """Same input, settings and version: the same file, to the byte."""
    first, second = tmp_path / "a.parquet", tmp_path / "b.parquet"
    assert main([*arguments(shop, stage), "-o", str(first)]) == 0
    assert main([*arguments(shop, stage), "-o", str(second)]) == 0
    assert first.read_bytes() == second.read_bytes()


@pytest.mark.parametrize("stage", [stage for stage in STAGES if stage != "report"])
def test_a_pipe_and_a_file_give_the_same_bytes(shop: Shop, stage: str) -> None:
    """stdin to stdout is file to file."""
    given = arguments(shop, stage)
    piped = clm(given[0], *given[2:], stdin=shop.file(READS[stage]).read_bytes())
    assert piped.returncode == 0, piped.stderr.decode()
    if stage == "clean":  # the name of the source travels in the footer: the rows are what must be equal
        assert pl.read_parquet(piped.stdout).equals(pl.read_parquet(shop.file(stage)))
    else:
        assert piped.stdout == shop.file(stage).read_bytes()


@pytest.mark.parametrize("stage", [stage for stage in STAGES if stage != "report"])
def test_the_output_keeps_the_contract_and_carries_its_facts(shop: Shop, stage: str) -> None:
    """Names, types, data, and a footer that tells the stage and every ancestor, oldest first."""
    path = shop.file(stage)
    contract.check_schema(pl.read_parquet_schema(path) and pl.scan_parquet(path).collect_schema(), TABLE[stage], [], path.name)
    contract.check_data(pl.scan_parquet(path), TABLE[stage], path.name)
    footer = json.loads(pl.read_parquet_metadata(path)[facts.KEY])
    assert footer["stage"] == stage
    ancestors = [one.get("stage", one.get("source")) for one in footer["ancestors"]]
    assert ancestors == ["orders.csv", *STAGES[: STAGES.index(stage)]]
    text = json.dumps(footer)
    assert str(shop.folder) not in text


@pytest.mark.parametrize("stage", STAGES)
def test_json_is_one_object_with_the_promised_keys(
    shop: Shop, stage: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """--json: schema, stage, as_of, rows, amount, outputs, settings, metrics, warnings."""
    assert main([*arguments(shop, stage), "--json", "-o", str(tmp_path / "x.parquet")]) == 0
    record = json.loads(capsys.readouterr().out)
    assert {"schema", "stage", "rows", "outputs", "settings", "metrics", "warnings"} <= set(record)
    assert {"in", "out", "rejected", "collapsed"} <= set(record["rows"])
    if stage != "report":
        assert record["amount"]["in"] == record["amount"]["out"]
    assert record["outputs"][0]["path"] == str(tmp_path / "x.parquet")
    assert ("after_as_of" in record["rows"]) == (stage in ("rfm", "clv", "churn"))


@pytest.mark.parametrize("stage", STAGES)
def test_a_dry_run_writes_nothing(shop: Shop, stage: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """-n says what would be done."""
    given = [one for one in arguments(shop, stage) if one != "-q"]
    assert main([*given, "-n", "-o", str(tmp_path / "x.parquet")]) == 0
    assert "nothing written" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", [".csv", ".xlsx"])
@pytest.mark.parametrize("stage", [stage for stage in STAGES if stage != "report"])
def test_other_formats_hold_the_same_rows(shop: Shop, stage: str, suffix: str, tmp_path: Path) -> None:
    """-o by suffix: as many lines as the table has rows."""
    output = tmp_path / f"x{suffix}"
    assert main([*arguments(shop, stage), "-o", str(output)]) == 0
    if suffix == ".csv":
        assert len(output.read_text("utf-8").splitlines()) == pl.read_parquet(shop.file(stage)).height + 1
    else:
        assert output.read_bytes().startswith(b"PK")


def test_a_whole_pipe_equals_the_files(shop: Shop, tmp_path: Path) -> None:
    """clean | rfm | segment, byte for byte what the files give."""
    line = " | ".join(
        [
            f"{sys.executable} -m clm clean {shop.source} -q",
            f"{sys.executable} -m clm rfm -q",
            f"{sys.executable} -m clm segment -q",
        ]
    )
    piped = subprocess.run(["sh", "-c", line], capture_output=True, timeout=120, check=True)
    assert piped.stdout == shop.file("segment").read_bytes()


@pytest.mark.parametrize("command", ["tables", "--help", "rfm {clean} -q", "list {churn} -q", "report {churn} --json -q"])
def test_a_closed_pipe_is_no_error(shop: Shop, command: str) -> None:
    """`clm … | true` ends quietly with 0: text, Parquet and JSON, whether the write fails or the last flush."""
    given = [word.format(clean=shop.file("clean"), churn=shop.file("churn")) for word in command.split()]
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run([sys.executable, "-m", "clm", *given], stdout=writing, stderr=subprocess.PIPE, timeout=120, check=False)
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, b"")


def test_extra_columns_pass_through(shop: Shop, tmp_path: Path) -> None:
    """What clm does not know it carries along, through every customer stage."""
    source = tmp_path / "in.parquet"
    pl.read_parquet(shop.file("rfm")).with_columns(vip=pl.lit("yes")).write_parquet(source)
    for stage in ("segment", "clv", "churn"):
        output = tmp_path / f"{stage}.parquet"
        assert main([stage, str(source), "-q", "-o", str(output)]) == 0
        assert pl.read_parquet(output)["vip"].unique().to_list() == ["yes"]
        source = output
