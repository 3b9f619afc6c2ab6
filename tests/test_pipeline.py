"""`clm run`: everything once, then only what changed, with the reason; and a failure that leaves things whole."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from clm.cli import main
from clm.settings import STAGES
from tests.logs import csv_of, invented

FILES = {
    "clean.parquet", "rejects.parquet", "rfm.parquet", "segments.parquet", "clv.parquet", "customers.parquet",
    "model.json", "metrics.parquet", "report.html", "run.json",
}  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with orders.csv and the run over it in out/."""
    folder = tmp_path_factory.mktemp("run")
    csv_of(invented(customers=60, orders=5), folder / "orders.csv")
    assert run(folder) == 0
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    """A copy of that folder a test may change."""
    import shutil

    shutil.copytree(made, tmp_path / "copy")
    return tmp_path / "copy"


def run(folder: Path, *more: str) -> int:
    return main(["run", str(folder / "orders.csv"), "-o", str(folder / "out"), "-q", *more])


def record(folder: Path) -> dict[str, Any]:
    found = json.loads((folder / "out" / "run.json").read_text("utf-8"))
    assert isinstance(found, dict)
    return found


def made_again(folder: Path) -> dict[str, str]:
    """Stages the last run made, with the reason."""
    return {entry["stage"]: entry["reason"] for entry in record(folder)["stages"] if entry["status"] == "made"}


def test_a_run_writes_its_files_and_nothing_else(made: Path) -> None:
    """Ten files, all stages made, status done, and a record with the promised keys."""
    assert {path.name for path in (made / "out").iterdir()} == FILES
    found = record(made)
    assert (found["schema"], found["status"], found["exit_code"]) == (1, "done", 0)
    assert {"clm_version", "started", "finished", "as_of"} <= set(found)
    assert [entry["stage"] for entry in found["stages"]] == list(STAGES)
    for entry in found["stages"]:
        assert {"stage", "status", "reason", "seconds", "rows", "warnings", "outputs"} <= set(entry)
        assert all({"path", "rows", "sha256"} <= set(output) for output in entry["outputs"])


def test_customers_is_the_whole_view(made: Path) -> None:
    """The last file of the chain holds every stage's columns, one row a customer."""
    found = pl.read_parquet(made / "out" / "customers.parquet")
    assert found.height == 60
    assert {"spend", "rfm", "segment", "clv", "clv_status", "churn_probability", "churn_status"} <= set(found.columns)


def test_nothing_changed_is_nothing_done(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The second run touches no file, not even its record, and says so."""
    before = {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in (folder / "out").iterdir()}
    assert main(["run", str(folder / "orders.csv"), "-o", str(folder / "out")]) == 0
    assert "nothing changed, nothing done" in capsys.readouterr().err
    assert {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in (folder / "out").iterdir()} == before


def test_a_touched_input_is_the_same_input(folder: Path) -> None:
    """Content decides, not time."""
    stamp = (folder / "out" / "run.json").stat().st_mtime_ns
    os.utime(folder / "orders.csv", (1, 1))
    assert run(folder) == 0
    assert (folder / "out" / "run.json").stat().st_mtime_ns == stamp


def test_one_changed_byte_makes_everything_that_depends_on_it(folder: Path) -> None:
    """An amount that changes reaches every stage."""
    text = (folder / "orders.csv").read_text("utf-8")
    (folder / "orders.csv").write_text(text.replace("11.0500", "21.0500", 1), "utf-8")
    assert run(folder) == 0
    reasons = made_again(folder)
    assert list(reasons) == list(STAGES)
    assert reasons["clean"] == "input 1. orders.csv changed"
    assert reasons["rfm"] == "input clean.parquet changed"


def test_the_language_makes_the_report_alone(folder: Path) -> None:
    """--lang zh is a setting of the report."""
    assert run(folder, "--lang", "zh") == 0
    assert made_again(folder) == {"report": "setting lang changed"}
    assert 'lang="zh' in (folder / "out" / "report.html").read_text("utf-8")


def test_a_setting_makes_its_stage_and_what_follows(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The horizon of clv concerns clv, churn (which carries its columns) and the report."""
    monkeypatch.setenv("CLM_CLV_HORIZON", "6m")
    assert run(folder) == 0
    reasons = made_again(folder)
    assert reasons == {
        "clv": "setting horizon changed",
        "churn": "input clv.parquet changed",
        "report": "input customers.parquet changed",
    }


@pytest.mark.parametrize("name", sorted(FILES - {"run.json"}))
def test_a_missing_or_changed_output_is_made_again(folder: Path, name: str) -> None:
    """Somebody deleted or edited a file: it comes back as it was."""
    path = folder / "out" / name
    content = path.read_bytes()
    path.unlink()
    assert run(folder) == 0
    assert any(f"output {name} is missing" in reason for reason in made_again(folder).values())
    assert path.read_bytes() == content
    path.write_bytes(content + b"x")
    assert run(folder) == 0
    assert any(f"output {name} was changed" in reason for reason in made_again(folder).values())
    assert path.read_bytes() == content


def test_from_and_force(folder: Path) -> None:
    """--from STAGE makes that stage and the later ones, --force all."""
    assert run(folder, "--from", "churn") == 0
    assert made_again(folder) == {"churn": "--from churn", "report": "--from churn"}
    assert run(folder, "--force") == 0
    assert list(made_again(folder)) == list(STAGES)


def test_a_damaged_record_makes_everything_again(folder: Path) -> None:
    """Without a readable record nothing is known to be fresh."""
    (folder / "out" / "run.json").write_text("{", "utf-8")
    assert run(folder) == 0
    assert set(made_again(folder).values()) == {"not made yet"}


def test_a_dry_run_says_what_would_be_made(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """-n writes nothing and names the reasons."""
    before = {path.name: path.read_bytes() for path in (folder / "out").iterdir()}
    assert main(["run", str(folder / "orders.csv"), "-o", str(folder / "out"), "--lang", "zh", "-n"]) == 0
    said = capsys.readouterr().err
    assert "report: setting lang changed" in said
    assert "clv: nothing changed" in said
    assert {path.name: path.read_bytes() for path in (folder / "out").iterdir()} == before


def test_a_failing_stage_is_recorded_and_resumed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """65 from clean: earlier outputs stay whole, the record says failed, and the next run goes on from there."""
    good = (folder / "orders.csv").read_bytes()
    before = (folder / "out" / "customers.parquet").read_bytes()
    (folder / "orders.csv").write_text("a,b\n1,2\n", "utf-8")
    assert run(folder) == 65
    found = record(folder)
    assert (found["status"], found["exit_code"], found["stages"][0]["status"]) == ("failed", 65, "failed")
    assert (folder / "out" / "customers.parquet").read_bytes() == before
    (folder / "orders.csv").write_bytes(good)
    assert run(folder) == 0
    assert made_again(folder)["clean"] == "it failed last time"
    assert (folder / "out" / "customers.parquet").read_bytes() == before
    capsys.readouterr()


def test_an_unreadable_input_is_recorded_and_nothing_known_is_forgotten(folder: Path) -> None:
    """66 is in the record; with the input back, nothing has to be made again but clean."""
    (folder / "orders.csv").rename(folder / "away.csv")
    assert run(folder) == 66
    found = record(folder)
    assert (found["status"], found["exit_code"]) == ("failed", 66)
    assert [entry["status"] for entry in found["stages"]] == ["failed", *["skipped"] * 5]
    (folder / "away.csv").rename(folder / "orders.csv")
    assert run(folder) == 0
    assert made_again(folder) == {"clean": "it failed last time"}


def test_the_seed_concerns_only_what_is_drawn(folder: Path) -> None:
    """--seed is a setting of clv and churn."""
    assert run(folder, "--seed", "9") == 0
    assert [entry["status"] for entry in record(folder)["stages"]][:3] == ["fresh"] * 3
    assert made_again(folder)["clv"] == "setting seed changed"


def test_raw_rejects_are_made_when_asked_for(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """rejects_raw changes rejects.parquet and nothing after it."""
    monkeypatch.setenv("CLM_CLEAN_REJECTS_RAW", "1")
    assert run(folder) == 0
    assert made_again(folder) == {"clean": "setting rejects_raw changed"}
    assert "raw" in pl.read_parquet_schema(folder / "out" / "rejects.parquet")


@pytest.mark.parametrize(
    ("condition", "code"),
    [
        ("rejected.no_customer > 0", 0),
        ("rejected.no_customer > 30%", 0),
        ("rows.in > 1", 1),
        ("amount.out > 99%", 1),
        ("stages.1.rows.out > 59", 1),
        ("psi > 0.2", 2),
    ],
)
def test_a_run_is_judged_by_the_books_of_clean(folder: Path, condition: str, code: int) -> None:
    """Rows and money of a run are those of clean; a path that is not in its record never passes for 0."""
    assert run(folder, "--fail-if", condition) == code


def test_two_runs_give_the_same_files(made: Path, tmp_path: Path) -> None:
    """In another folder, the same bytes; only run.json has a clock."""
    assert main(["run", str(made / "orders.csv"), "-o", str(tmp_path / "out"), "-q"]) == 0
    for name in sorted(FILES - {"run.json"}):
        assert (tmp_path / "out" / name).read_bytes() == (made / "out" / name).read_bytes(), name


def test_as_of_in_the_folder_name(made: Path, tmp_path: Path) -> None:
    """-o 'month-{as_of}' is a folder per day, also when the day comes from the log itself."""
    latest = record(made)["as_of"]
    assert main(["run", str(made / "orders.csv"), "-o", str(tmp_path / "{as_of}"), "-q"]) == 0
    assert main(["run", str(made / "orders.csv"), "-o", str(tmp_path / "{as_of}"), "-q", "--as-of", "2024-06-30"]) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([latest, "2024-06-30"])
    assert record_as_of(tmp_path / "2024-06-30") == "2024-06-30"


def record_as_of(folder: Path) -> str:
    return str(json.loads((folder / "run.json").read_text("utf-8"))["as_of"])


def test_json_of_a_run_is_its_record(made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """--json prints what run.json holds, and --fail-if judges it."""
    argv = ["run", str(made / "orders.csv"), "-o", str(tmp_path / "out"), "-q", "--json", "--fail-if", "as_of > 2000-01-01"]
    assert main(argv) == 1
    found = json.loads(capsys.readouterr().out)
    assert found == json.loads((tmp_path / "out" / "run.json").read_text("utf-8"))


def test_a_tiny_log_goes_through(tmp_path: Path) -> None:
    """Three orders of two customers: no model can be fitted, the run says so in the statuses and ends with 0."""
    (tmp_path / "orders.csv").write_text(
        "customer_id,order_date,amount\nA,2024-01-01,5\nB,2024-02-01,7\nA,2024-03-01,5\n", "utf-8"
    )
    assert run(tmp_path) == 0
    found = pl.read_parquet(tmp_path / "out" / "customers.parquet")
    assert found["clv_status"].to_list() == ["few_repeat_buyers"] * 2
    assert set(found["churn_status"]) <= {"not_validated", "too_little_history"}
    assert found["spend"].sum() == 17


def test_a_stage_this_data_does_not_allow_is_recorded_and_the_run_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A family or method asked for by name that cannot be fitted: null columns with their status, a reason, exit 0, a report."""
    monkeypatch.setenv("CLM_CLV_MODEL_FAMILY", "bgnbd")
    monkeypatch.setenv("CLM_CHURN_METHOD", "logistic")
    (tmp_path / "orders.csv").write_text(
        "customer_id,order_date,amount\nA,2024-01-01,5\nB,2024-02-01,7\nA,2024-03-01,5\n", "utf-8"
    )
    assert run(tmp_path) == 0
    entries = {entry["stage"]: entry for entry in record(tmp_path)["stages"]}
    assert [entries[stage]["status"] for stage in ("clv", "churn", "report")] == ["skipped", "skipped", "made"]
    assert "cannot be made from this data" in entries["clv"]["warnings"][0]["text"]
    found = pl.read_parquet(tmp_path / "out" / "customers.parquet")
    assert found["clv_status"].to_list() == ["degenerate"] * 2
    assert found["churn_status"].to_list() == ["too_little_history"] * 2
    assert found["clv"].null_count() == found["churn_probability"].null_count() == 2
