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


# one family, tested nowhere: what these runs are about comes after clv
PLAIN_CLV = '[clv]\nmodel_family = "bgnbd"\nno_backtest = true\n'


def test_a_run_warns_by_the_earlier_run(shop: Shop, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`run --previous DIR` takes its customers, says so in the footer, and is fresh when nothing changed; a run of an earlier
    day stops before it compares.
    """
    config = tmp_path / "clm.toml"
    config.write_text(PLAIN_CLV)
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
    assert main([*line, "--as-of", "2024-11-30", "--previous", str(first), "-o", str(tmp_path / "swapped")]) == 65
    said = capsys.readouterr().err
    assert "the previous table is of 2024-12-31, not of a day before 2024-11-30" in said
    assert "--previous" in said
    assert not (tmp_path / "swapped" / "segments.parquet").exists()


def test_a_campaign_needs_all_three_costs(shop: Shop, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One or two of --offer, --contact and --accept: 2, naming what is missing; a run says so before its first stage."""
    assert main([*arguments(shop, "churn"), "--offer", "10", "--accept", "20%", "-o", str(tmp_path / "x.parquet")]) == 2
    assert "--contact" in capsys.readouterr().err
    config = tmp_path / "clm.toml"
    config.write_text("[churn]\noffer = 10\n")
    assert main(["run", str(shop.source), "--config", str(config), "-o", str(tmp_path / "run")]) == 2
    assert "--contact, --accept" in capsys.readouterr().err
    assert not (tmp_path / "run" / "clean.parquet").exists()


@pytest.mark.parametrize(
    "costs", [("-1", "1", "20%"), ("1", "x", "20%"), ("1", "1", "20"), ("1", "1", "-5%"), ("nan", "1", "5%")]
)
def test_costs_that_are_none_are_refused(shop: Shop, tmp_path: Path, costs: tuple[str, str, str]) -> None:
    """Negative money, text, a share above 1: 2, and nothing is written."""
    given = [f"--{name}={value}" for name, value in zip(("offer", "contact", "accept"), costs, strict=True)]
    assert main([*arguments(shop, "churn"), *given, "-o", str(tmp_path / "x.parquet")]) == 2
    assert list(tmp_path.iterdir()) == []


def test_a_campaign_without_values_says_what_to_run(shop: Shop, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """INPUT without clv columns, or with columns that no footer tells the horizon of: 65 and the command that makes them."""
    costs = ["--offer", "1", "--contact", "0", "--accept", "1", "-q", "-o", str(tmp_path / "x.parquet")]
    assert main(["churn", str(shop.file("segment")), *costs]) == 65
    assert "run `clm clv` first" in capsys.readouterr().err
    bare = tmp_path / "bare.parquet"
    pl.read_parquet(shop.file("clv")).write_parquet(bare)
    assert main(["churn", str(bare), *costs]) == 65
    assert "clm clv" in capsys.readouterr().err
    assert not (tmp_path / "x.parquet").exists()


def test_a_run_values_contacts_from_clm_toml(shop: Shop, tmp_path: Path) -> None:
    """[churn] offer, contact and accept: the column is in customers.parquet, the numbers in metrics.parquet."""
    config = tmp_path / "clm.toml"
    config.write_text(PLAIN_CLV + '[churn]\noffer = 1\ncontact = 0.1\naccept = "20%"\n')
    assert main(["run", str(shop.source), "--config", str(config), "-q", "-o", str(tmp_path / "run")]) == 0
    customers = pl.read_parquet(tmp_path / "run" / "customers.parquet")
    metrics = pl.read_parquet(tmp_path / "run" / "metrics.parquet").filter(section="profit", metric="contacts")
    assert metrics["value"].to_list() == [customers.filter(pl.col("contact_value") > 0).height]
