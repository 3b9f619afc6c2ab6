"""`--profile` and `--save-profile` from the command line, clm.toml and the environment; and what a run makes of an edit."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from clm.cli import main
from tests.conftest import ROOT

MADE_UP = ROOT / "tests" / "ingest" / "profiles"
LOG = "customer,date,total\nSecret Person,05/03/2024,5\nOther One,06/03/2024,6\nSecret Person,07/03/2024,7.50\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "march.csv").write_text(LOG, encoding="utf-8")
    (tmp_path / "april.csv").write_text(LOG.replace("/03/", "/04/"), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def days(path: Path) -> list[str]:
    return [f"{moment:%Y-%m-%d}" for moment in pl.read_parquet(path)["ordered_at"]]


def test_a_saved_profile_answers_next_months_questions(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Said once, kept, and used: as an option, in clm.toml and in the environment; it is one of the outputs, without people."""
    save = ["--date-format", "%d/%m/%Y", "--save-profile", "shop.toml", "--json"]
    assert main(["clean", "march.csv", "-o", "march.parquet", *save]) == 0
    outputs = json.loads(capsys.readouterr().out)["outputs"]
    assert [output["path"] for output in outputs] == ["march.parquet", "shop.toml"]
    document = (folder / "shop.toml").read_text("utf-8")
    assert "Secret" not in document
    assert 'date_format = "%d/%m/%Y"' in document
    assert main(["clean", "april.csv", "-o", "april.parquet", "-q"]) == 65
    assert main(["clean", "april.csv", "-o", "april.parquet", "-q", "--profile", "shop.toml"]) == 0
    assert days(folder / "april.parquet")[0] == "2024-04-05"
    assert main(["clean", "april.csv", "-o", "us.parquet", "-q", "--profile", "shop.toml", "--date-format", "%m/%d/%Y"]) == 0
    assert days(folder / "us.parquet")[0] == "2024-05-04"
    (folder / "clm.toml").write_text('[clean]\nprofile = "shop.toml"\n', encoding="utf-8")
    assert main(["clean", "april.csv", "-o", "again.parquet", "-q"]) == 0
    assert (folder / "again.parquet").read_bytes() == (folder / "april.parquet").read_bytes()


def test_the_environment_names_a_profile_too(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """CLM_CLEAN_PROFILE is the same option."""
    (folder / "shop.toml").write_text('date_format = "dmy"\n', encoding="utf-8")
    monkeypatch.setenv("CLM_CLEAN_PROFILE", "shop.toml")
    assert main(["clean", "april.csv", "-o", "april.parquet", "-q"]) == 0


def test_a_dry_run_saves_nothing(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nor does a refused log; the dry run tells the options that would say the same."""
    assert main(["clean", "march.csv", "-n", "--date-format", "%d/%m/%Y", "--save-profile", "shop.toml"]) == 0
    said = " ".join(capsys.readouterr().err.replace("\\\n", " ").split())
    assert "--map ordered_at=date --map customer_id=customer --map amount=total --date-format %d/%m/%Y" in said
    assert main(["clean", "march.csv", "-q", "-o", "x.parquet", "--save-profile", "shop.toml"]) == 65
    assert {path.name for path in folder.iterdir()} == {"march.csv", "april.csv"}


def test_a_profile_may_not_replace_an_input_or_an_output(folder: Path) -> None:
    """Writing it over the log, or where the table goes, is refused before anything is written."""
    form = ["--date-format", "%d/%m/%Y"]
    assert main(["clean", "march.csv", *form, "-q", "-o", "x.parquet", "--save-profile", "march.csv"]) == 2
    assert main(["clean", "march.csv", *form, "-q", "-o", "x.parquet", "--save-profile", "x.parquet"]) == 2
    assert (folder / "march.csv").read_text("utf-8") == LOG


def test_a_profile_with_a_mistake_is_78(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The key and the file are in the message; a name that is none lists those there are."""
    (folder / "shop.toml").write_text("[roles]\nbuyer = 'customer'\n", encoding="utf-8")
    assert main(["clean", "march.csv", "-q", "-o", "x.parquet", "--profile", "shop.toml"]) == 78
    assert "roles.buyer in the profile shop.toml" in capsys.readouterr().err
    assert main(["clean", "march.csv", "-q", "-o", "x.parquet", "--profile", "shopfy"]) == 78
    assert "shopify, woocommerce" in capsys.readouterr().err


def test_an_edited_profile_makes_a_run_stale(folder: Path) -> None:
    """The content of the profile is among what a run was made from."""
    (folder / "shop.toml").write_text('date_format = "dmy"\n', encoding="utf-8")
    (folder / "clm.toml").write_text('[clean]\nprofile = "shop.toml"\n', encoding="utf-8")

    def reason() -> str | None:
        assert main(["run", "march.csv", "-o", "out", "-q"]) == 0
        first = json.loads((folder / "out" / "run.json").read_text("utf-8"))["stages"][0]
        return first["reason"] if first["status"] == "made" else None

    assert reason() == "not made yet"
    (folder / "shop.toml").write_text('date_format = "mdy"\n', encoding="utf-8")
    assert reason() == "setting profile changed"
    assert days(folder / "out" / "clean.parquet")[0] == "2024-05-03"
    assert main(["run", "march.csv", "-o", "out", "-q"]) == 0
    assert json.loads((folder / "out" / "run.json").read_text("utf-8"))["stages"][0]["reason"] == "setting profile changed"


def test_four_tables_of_a_folder_are_one_log(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The command line of the documentation: the folder, or the files with the profile named."""
    assert main(["clean", str(MADE_UP / "olist"), "-o", str(tmp_path / "a.parquet")]) == 0
    assert "4 rows = 3 sales" in capsys.readouterr().err
    files = [str(path) for path in sorted((MADE_UP / "olist").iterdir())]
    assert main(["clean", *files, "--profile", "olist", "-q", "-o", str(tmp_path / "b.parquet")]) == 0
    assert pl.read_parquet(tmp_path / "a.parquet").equals(pl.read_parquet(tmp_path / "b.parquet"))
