"""What `churn` tells beside the probability, through the command line: early warnings since an earlier table."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from clm.cli import main
from tests.commands.conftest import Shop, arguments


@pytest.fixture(scope="module")
def earlier(shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shop's customers of a hundred days before."""
    path = tmp_path_factory.mktemp("earlier") / "earlier.parquet"
    assert main(["rfm", str(shop.file("clean")), "--as-of", "2024-12-31", "-q", "-o", str(path)]) == 0
    return path


def test_early_warnings_are_a_column_a_count_and_a_line(
    shop: Shop, earlier: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """--previous adds the column, counts it in --json and in the closing line; a CSV of it can be filtered by the word."""
    output = tmp_path / "warned.csv"
    given = [one for one in arguments(shop, "churn") if one != "-q"]
    assert main([*given, "--previous", str(earlier), "--json", "-o", str(output)]) == 0
    said = capsys.readouterr()
    found = json.loads(said.out)["metrics"]["early_warning"]
    listed = pl.read_csv(output).filter(pl.col("early_warning") == "new")
    assert found["new"] == listed.height > 0
    assert (listed["recency_days"] > listed["silence_limit_days"]).all()
    assert f"{listed.height} customers newly silent beyond their own rhythm since {date(2024, 12, 31)}" in said.err
    assert found["new"] + found["known"] + found["within"] == 160


def test_a_table_without_rhythms_says_how_to_make_them(shop: Shop, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`rfm --columns core` knows no rhythm: 65, naming the column and the option."""
    core = tmp_path / "core.parquet"
    assert main(["rfm", str(shop.file("clean")), "--columns", "core", "--as-of", "2024-12-31", "-q", "-o", str(core)]) == 0
    assert main([*arguments(shop, "churn"), "--previous", str(core), "-o", str(tmp_path / "x.parquet")]) == 65
    said = capsys.readouterr().err
    assert "rhythm_days" in said
    assert "clm rfm --columns all" in said
    assert not (tmp_path / "x.parquet").exists()


def test_a_run_warns_by_the_earlier_run(shop: Shop, tmp_path: Path) -> None:
    """`run --previous DIR` takes its customers, says so in the footer, and is fresh when nothing changed."""
    config = tmp_path / "clm.toml"
    config.write_text("")
    first, second = tmp_path / "first", tmp_path / "second"
    line = ["run", str(shop.source), "--config", str(config), "-q"]
    assert main([*line, "--as-of", "2024-12-31", "-o", str(first)]) == 0
    assert main([*line, "--previous", str(first), "-o", str(second)]) == 0
    customers = pl.read_parquet(second / "customers.parquet")
    assert customers["early_warning"].drop_nulls().len() > 0
    metrics = pl.read_parquet(second / "metrics.parquet").filter(pl.col("section") == "early_warning")
    assert metrics["period"].unique().to_list() == ["2024-12-31"]
    before = (second / "customers.parquet").stat().st_mtime_ns
    assert main([*line, "--previous", str(first), "-o", str(second)]) == 0
    assert (second / "customers.parquet").stat().st_mtime_ns == before
