"""`clm migrate`, `clm report --previous` and `clm run --previous`: text, table, JSON, memory of tiers, staleness."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from clm.cli import main
from clm.storage import files
from clm.tables import MIGRATION
from tests.commands.conftest import Shop
from tests.logs import csv_of, invented

TIERS = 'column = "spend"\n[[tier]]\ncode = "gold"\nshare = "10%"\n[[tier]]\ncode = "basic"\n'


def segmented(shop: Shop, day: str, output: Path, *more: str) -> Path:
    scored = output.with_suffix(".rfm.parquet")
    assert main(["rfm", str(shop.file("clean")), "-q", "--as-of", day, "-o", str(scored)]) == 0
    assert main(["segment", str(scored), "-q", "-o", str(output), *more]) == 0
    return output


@pytest.fixture(scope="module")
def months(shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The shop's customers on two days."""
    folder = tmp_path_factory.mktemp("months")
    return segmented(shop, "2024-03-31", folder / "a.parquet"), segmented(shop, "2024-04-30", folder / "b.parquet")


def test_text_without_output(months: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    """Matrices on stdout, 80 columns, also into a pipe."""
    assert main(["migrate", *map(str, months)]) == 0
    said = capsys.readouterr()
    assert said.out.startswith("From 2024-03-31 to 2024-04-30\n\nsegment: ")
    assert "\nlifecycle: " in said.out
    assert max(map(len, said.out.splitlines())) <= 80


def test_movers_as_a_table_and_json(months: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """-o holds who moved, --json the matrices, conditions can ask them; twice the same bytes."""
    one, two = tmp_path / "1.parquet", tmp_path / "2.parquet"
    assert main(["migrate", *map(str, months), "--json", "-o", str(one)]) == 0
    record = json.loads(capsys.readouterr().out)
    moved = files.open_table(one, MIGRATION, MIGRATION.names()).frame.collect()
    found = record["metrics"]["segment"]
    assert moved.filter(of="segment").height == sum(found[way] for way in ("up", "down", "side", "new", "lost")) > 0
    assert sum(cell["customers"] for cell in found["cells"]) == record["rows"]["in"]
    line = ["migrate", *map(str, months), "-q", "-o", str(two)]
    assert main([*line, "--fail-if", "segment.moved_share > 0"]) == 1
    assert one.read_bytes() == two.read_bytes()


@pytest.mark.parametrize(("names", "code"), [("a", 2), ("a a", 65), ("b a", 65), ("a -", 2), ("a nowhere", 66), ("a b a", 2)])
def test_what_cannot_be_compared(months: tuple[Path, Path], tmp_path: Path, names: str, code: int) -> None:
    """One table, the same day, swapped days, a pipe, a file that is not there."""
    given = {"a": str(months[0]), "b": str(months[1]), "-": "-", "nowhere": str(tmp_path / "x.parquet")}
    assert main(["migrate", *(given[name] for name in names.split()), "-o", str(tmp_path / "m.parquet")]) == code
    assert not (tmp_path / "m.parquet").exists()


def test_an_input_is_not_overwritten(months: tuple[Path, Path]) -> None:
    """-o may name neither table."""
    assert main(["migrate", *map(str, months), "-o", str(months[0])]) == 2


def test_other_tables_are_named(shop: Shop, months: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    """TRANSACTIONS are not customers."""
    assert main(["migrate", str(shop.file("clean")), str(months[1])]) == 65
    assert "clm rfm" in capsys.readouterr().err


def test_clusters_of_one_model_can_be_compared(shop: Shop, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Fitted twice: a notice. The first month's model applied to the second: numbers mean the same, up and down are known."""
    model = tmp_path / "m.json"
    asked = ("--clusters", "3")
    first = segmented(shop, "2024-03-31", tmp_path / "a.parquet", *asked, "--save-model", str(model))
    fresh = segmented(shop, "2024-04-30", tmp_path / "b.parquet", *asked)
    assert main(["migrate", str(first), str(fresh)]) == 0
    assert "made by different rules or models" in capsys.readouterr().err
    applied = segmented(shop, "2024-04-30", tmp_path / "c.parquet", *asked, "--model", str(model))
    capsys.readouterr()
    assert main(["migrate", str(first), str(applied), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["metrics"]["cluster"]["side"] == 0


def test_a_report_knows_who_moved(months: tuple[Path, Path], tmp_path: Path) -> None:
    """--previous adds the section migration, with the numbers of `migrate`; without it there is none."""
    made = tmp_path / "m.parquet"
    assert main(["report", str(months[1]), "--previous", str(months[0]), "--min-cell", "0", "-q", "-o", str(made)]) == 0
    rows = pl.read_parquet(made).filter(section="migration", metric="customers")
    assert rows["period"].unique().to_list() == ["2024-03-31/2024-04-30"]
    base = pl.read_parquet(months[1]).height
    assert rows.filter(pl.col("group").str.starts_with("segment:"))["value"].sum() == base
    assert main(["report", str(months[1]), "-q", "-o", str(made)]) == 0
    assert pl.read_parquet(made).filter(section="migration").is_empty()


def test_a_run_looks_back_at_an_earlier_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who moved is in its metrics, tiers remember; a changed earlier run makes both again, an unchanged one nothing."""
    monkeypatch.chdir(tmp_path)
    source = csv_of(invented(customers=40, orders=6), tmp_path / "orders.csv")
    Path("tiers.toml").write_text(TIERS, "utf-8")
    Path("clm.toml").write_text('[segment]\ntiers = "tiers.toml"\n', "utf-8")
    assert main(["run", str(source), "-q", "--as-of", "2024-03-31", "-o", "march"]) == 0
    april = ["run", str(source), "-q", "--as-of", "2024-04-30", "-o", "april", "--previous", "march"]
    assert main(april) == 0
    assert not pl.read_parquet("april/metrics.parquet").filter(section="migration").is_empty()
    reasons = pl.read_parquet("april/customers.parquet")["tier_reason"].unique().to_list()
    assert "kept" in reasons
    assert main(april) == 0
    assert {stage["status"] for stage in json.loads(Path("april/run.json").read_text())["stages"]} <= {"made", "fresh", "skipped"}
    before = Path("april/run.json").read_bytes()
    assert main(april) == 0
    assert Path("april/run.json").read_bytes() == before
    assert main(["run", str(source), "-q", "--as-of", "2024-03-30", "-o", "march"]) == 0
    assert main(april) == 0
    made = {stage["stage"]: stage["reason"] for stage in json.loads(Path("april/run.json").read_text())["stages"]}
    assert made["segment"] == "setting previous changed"
    assert made["report"] != "nothing changed"


def test_a_run_cannot_look_back_at_itself_or_at_nothing(tmp_path: Path, shop: Shop) -> None:
    """2 for its own folder, 66 where there was no run."""
    own = tmp_path / "out"
    own.mkdir()
    assert main(["run", str(shop.source), "-q", "-o", str(own), "--previous", str(own)]) == 66
    pl.DataFrame({"x": [1]}).write_parquet(own / "customers.parquet")
    assert main(["run", str(shop.source), "-q", "-o", str(own), "--previous", str(own)]) == 2
