"""`clm forget` and tables, records and folders that are not as they should be: refused before a change, or left and named."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from clm import model_file, pipeline, record
from clm.cli import main
from clm.errors import StorageError
from clm.outcome import Rows
from clm.storage import facts, publish, seal
from clm.tables import CUSTOMERS, LABELLED, TRANSACTIONS
from clm.verify import verify
from tests.logs import csv_of, invented


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "here").mkdir()
    (tmp_path / "gone.txt").write_text("C017\nC023\n")
    return tmp_path / "here"


@pytest.fixture
def copy(ran: Path, folder: Path) -> Path:
    """The folder of a run."""
    return Path(shutil.copytree(ran, folder, dirs_exist_ok=True))


def forget(folder: Path) -> int:
    return main(["forget", "--ids-file", str(folder.parent / "gone.txt"), str(folder), "--json", "-q"])


def left(capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    return {one["path"]: one["why"] for one in json.loads(capsys.readouterr().out)["left"]}


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def told_by(path: Path) -> facts.Facts:
    return facts.parse(pl.read_parquet_metadata(path)[facts.KEY], path.name)


def churn_of(folder: Path) -> dict[str, object]:
    """The settings run.json holds of churn."""
    entry = record.read(folder).entry("churn")  # type: ignore[union-attr]
    return entry.made_from["settings"]  # type: ignore[union-attr,index,no-any-return]


def changed(path: Path, place: int) -> None:
    """One bit of a file flipped."""
    whole = bytearray(path.read_bytes())
    whole[place] ^= 1
    path.write_bytes(whole)


@pytest.mark.parametrize("place", [100, -400], ids=["a page", "the footer"])
def test_a_table_somebody_changed_is_not_made_good(
    place: int, ran: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its seal is wrong, and forget may not give it another: a single table stays and is named, the others lose their rows."""
    for name in ("clean.parquet", "rfm.parquet"):
        shutil.copy(ran / name, folder)
    changed(folder / "rfm.parquet", place)
    before = (folder / "rfm.parquet").read_bytes()
    assert forget(folder) == 0
    assert left(capsys)["rfm.parquet"].endswith("packed or large, not looked into")
    assert (folder / "rfm.parquet").read_bytes() == before
    assert not set(pl.read_parquet(folder / "clean.parquet")["customer_id"]) & {"C017", "C023"}


@pytest.mark.parametrize("name", ["clean.parquet", "rejects.parquet", "clv.parquet"])
def test_a_table_of_the_run_somebody_changed_is_refused(name: str, copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """There would be nothing sure to go on from: 65, and nothing is changed."""
    changed(copy / name, 100)
    before = content(copy)
    assert forget(copy) == 65
    assert f"{name} was changed since the run wrote it" in capsys.readouterr().err
    assert content(copy) == before


def test_statistics_that_lie_hide_nobody(ran: Path, folder: Path) -> None:
    """The largest id a footer tells of is below the one that is looked for: it is found all the same."""
    path = folder / "rfm.parquet"
    whole = (ran / "rfm.parquet").read_bytes()
    footer = len(whole) - 8 - int.from_bytes(whole[-8:-4], "little")
    path.write_bytes(whole[:footer] + whole[footer:].replace(b"C039", b"C001"))
    seal.put(path, pl.read_parquet_metadata(path)[facts.KEY])
    (folder.parent / "gone.txt").write_text("C039\n")
    assert forget(folder) == 0
    assert "C039" not in set(pl.scan_parquet(path, use_statistics=False).collect()["customer_id"])


def test_ids_under_another_name_or_type_are_found(ran: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A list in Chinese has its own heading for them, a labelled table its own key, here numbers; a list without ids is named."""
    customers = str(ran / "customers.parquet")
    assert main(["list", customers, "--lang", "zh", "-o", str(folder / "zh.parquet"), "-q"]) == 0
    assert main(["list", customers, "--columns", "segment,spend", "-o", str(folder / "bare.parquet"), "-q"]) == 0
    scored = pl.DataFrame({"account": [43, 44], "churn_probability": [0.1, 0.9], "churn_risk": ["low", "high"]})
    scored = scored.with_columns(
        churn_reasons=pl.lit(None, pl.String),
        churn_basis=pl.lit("model"),
        churn_method=pl.lit("logistic"),
        churn_status=pl.lit("ok"),
    )
    told = facts.Facts("LABELLED", 1, "churn", {}, Rows(2, 2).to_json())
    publish.write_table(scored, LABELLED, told, folder / "label.parquet")
    (folder.parent / "gone.txt").write_text("C017\n44\n")
    assert forget(folder) == 0
    assert left(capsys) == {"bare.parquet": "it has no ids: whose its rows are cannot be known"}
    assert "C017" not in set(pl.read_parquet(folder / "zh.parquet")["客户编号"])
    assert pl.read_parquet(folder / "label.parquet")["account"].to_list() == [43]


def test_files_whose_names_begin_with_a_point_are_files(ran: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """They are searched as any other, and what stays is named."""
    shutil.copy(ran / "rfm.parquet", folder / ".rfm.parquet")
    (folder / ".note").write_text("C017 rang")
    assert forget(folder) == 0
    assert left(capsys) == {".note": "not clm's; it names one of them"}
    assert "C017" not in set(pl.read_parquet(folder / ".rfm.parquet")["customer_id"])


@pytest.mark.odd_names
def test_a_folder_polars_cannot_name_is_refused(ran: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its tables could not be opened: 66, not `nothing to do`."""
    folder = tmp_path / os.fsdecode(b"x\xff")
    shutil.copytree(ran, folder)
    (tmp_path / "gone.txt").write_text("C017\n")
    assert forget(folder) == 66
    assert "is not UTF-8" in capsys.readouterr().err


def test_a_run_that_did_not_end_is_not_ended_by_a_forget(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What it would have made nobody knows: 65, and its record stays what it was."""
    told = json.loads((copy / "run.json").read_text())
    told["status"], told["exit_code"] = "failed", 78
    told["stages"][4] = {"stage": "churn", "status": "failed", "reason": "no", "seconds": 0.1}
    (copy / "run.json").write_text(json.dumps(told))
    before = content(copy)
    assert forget(copy) == 65
    assert "did not come to its end" in capsys.readouterr().err
    assert content(copy) == before


@pytest.mark.parametrize("broken", ["no clean", "no rows"])
def test_a_record_without_its_log_is_damaged(broken: str, copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """65 before anything is changed."""
    told = json.loads((copy / "run.json").read_text())
    if broken == "no clean":
        del told["stages"][0]
    else:
        del told["stages"][0]["outputs"][1]["rows"]
    (copy / "run.json").write_text(json.dumps(told))
    before = content(copy)
    assert forget(copy) == 65
    assert "run.json is damaged" in capsys.readouterr().err
    assert content(copy) == before


def test_a_stage_that_fails_in_a_forget_keeps_its_settings(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The forget that ends it makes the stage as the run had made it, not as it would be made today."""
    made = churn_of(copy)
    real = pipeline.steps.model_document

    def failing(_: object) -> bytes:
        raise StorageError("no", fix="try again")

    monkeypatch.setattr(pipeline.steps, "model_document", failing)
    assert forget(copy) == 74
    monkeypatch.setattr(pipeline.steps, "model_document", real)
    monkeypatch.setenv("CLM_CHURN_HORIZON", "30d")
    assert forget(copy) == 0
    assert churn_of(copy) == made
    assert [one.check for one in verify([copy]) if one.status == "wrong"] == []
    assert model_file.read(copy / "model.json").learned


def test_an_interrupted_forget_is_told_as_one(
    copy: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files are not untouched, and no run goes on: the same forget ends it, which `clm verify` says too."""
    real = publish.move

    def stopped(made: Path, target: Path) -> None:
        if target.name == "rfm.parquet":
            raise KeyboardInterrupt
        real(made, target)

    monkeypatch.setattr(publish, "move", stopped)
    assert forget(copy) == 130
    said = capsys.readouterr().err
    assert "interrupted: some files may still hold the customers" in said
    assert "it ends what was begun" in said
    assert main(["verify", str(copy), "-q"]) == 65
    assert "run clm forget again with the list" in capsys.readouterr().err


def test_a_run_that_lost_its_rejects_is_refused_before_a_change(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What is missing could not be entered in run.json again, and no forget could end: 65, named, and nothing is changed."""
    (copy / "rejects.parquet").unlink()
    before = content(copy)
    assert forget(copy) == 65
    assert "the run has no rejects.parquet to go on from" in capsys.readouterr().err
    assert content(copy) == before


def test_a_log_of_another_source_is_not_entered_as_the_runs(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its seal is whole, but it is not the one run.json names: the later tables would be made of it, and pass for the run's."""
    frame, told = pl.read_parquet(copy / "clean.parquet"), told_by(copy / "clean.parquet")
    publish.publish(
        copy / "clean.parquet", lambda path: publish.write_table(frame, TRANSACTIONS, replace(told, zone="UTC"), path)
    )
    before = content(copy)
    assert forget(copy) == 65
    assert "clean.parquet was changed since the run wrote it" in capsys.readouterr().err
    assert content(copy) == before


@pytest.mark.parametrize("change", [{"table": "COUPONS"}, {"table_version": 99}, {"table": "BACKTEST"}])
def test_a_table_this_clm_could_not_write_stays(
    change: dict[str, Any], ran: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One of a newer version, or that is not what its footer says, is named; the others lose their rows."""
    shutil.copy(ran / "clean.parquet", folder)
    frame, told = pl.read_parquet(ran / "rfm.parquet"), told_by(ran / "rfm.parquet")
    publish.publish(folder / "rfm.parquet", lambda path: publish.write_table(frame, CUSTOMERS, replace(told, **change), path))
    before = (folder / "rfm.parquet").read_bytes()
    assert forget(folder) == 0
    assert "rfm.parquet" in left(capsys)
    assert (folder / "rfm.parquet").read_bytes() == before
    assert not list(folder.glob("forgetting*"))


def test_a_stage_that_can_make_nothing_of_who_remains_is_told_before_a_change(
    copy: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Groups that were few enough are too many for who remains: the stage says so, and no forget is begun that could not end."""
    lines = "".join(f"O{number},C{number:03},2024-01-{number % 28 + 1:02},5,{number % 22}\n" for number in range(44))
    log = copy.parent / "orders.csv"
    log.write_text("order_id,customer_id,order_date,amount,channel\n" + lines)
    monkeypatch.setenv("CLM_SEGMENT_BY", "channel")
    monkeypatch.setenv("CLM_RFM_CARRY", "channel")
    assert main(["run", str(log), "-o", str(copy), "-q"]) == 0
    before = content(copy)
    assert forget(copy) == 65
    said = capsys.readouterr().err
    assert "without them segment cannot be made: --by channel: nearly every customer" in said
    assert ".clm-tmp" not in said
    assert content(copy) == before


def test_a_model_of_an_earlier_run_is_named(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A run that applies a saved model writes none; the one of the run before lies there still, and knew the customers."""
    model = Path(shutil.copy(copy / "model.json", copy.parent / "mine.json"))
    log = csv_of(invented(customers=40, orders=4), copy.parent / "orders.csv")
    assert main(["run", str(log), "-o", str(copy), "--model", str(model), "--force", "-q"]) == 0
    capsys.readouterr()
    assert main(["forget", "--ids-file", str(copy.parent / "gone.txt"), str(copy), "--model", str(model), "--json", "-q"]) == 0
    assert left(capsys) == {"model.json": "made of tables: make it again"}


def test_a_model_the_run_no_longer_makes_is_named(
    copy: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run learned, and forget is given a model to apply: what was learned of the customers stays, and is named."""
    monkeypatch.setenv("CLM_FORGET_MODEL", str(shutil.copy(copy / "model.json", copy.parent / "mine.json")))
    assert forget(copy) == 0
    assert left(capsys) == {"model.json": "the run no longer makes it: delete it"}


def test_an_output_that_is_a_link_is_made_again_behind_it(copy: Path, tmp_path: Path) -> None:
    """As a run writes through a link, so does forget: the link stays, and what it leads to has nobody of theirs."""
    for name in ("clean.parquet", "rfm.parquet"):
        shutil.move(copy / name, tmp_path / f"kept-{name}")
        (copy / name).symlink_to(tmp_path / f"kept-{name}")
    assert forget(copy) == 0
    for name in ("clean.parquet", "rfm.parquet"):
        assert (copy / name).is_symlink()
        assert not {"C017", "C023"} & set(pl.read_parquet(tmp_path / f"kept-{name}")["customer_id"])
    assert [one.check for one in verify([copy]) if one.status == "wrong"] == []


def test_lines_that_came_in_are_those_that_stay(ran: Path, folder: Path) -> None:
    """A table's books tell how many lines it was made of: those of the log as it is now or, without it, of no line at all."""
    for name in ("clean.parquet", "rfm.parquet"):
        shutil.copy(ran / name, folder)
    assert forget(folder) == 0
    told, log = told_by(folder / "rfm.parquet"), told_by(folder / "clean.parquet")
    assert (told.rows["in"], told.rows["out"]) == (log.rows["out"], 38)
    (folder / "clean.parquet").unlink()
    shutil.copy(ran / "rfm.parquet", folder)
    assert forget(folder) == 0
    told = told_by(folder / "rfm.parquet")
    assert (told.rows["in"], told.rows["out"]) == (38, 38)


def test_names_of_products_are_looked_into(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What a shop calls its products and places may name somebody: said of the table, and of a CSV of it."""
    log = folder.parent / "log.csv"
    log.write_text("order_id,customer_id,order_date,amount,product\nO1,A1,2024-01-05,5,cup for C017\nO2,C017,2024-01-06,5,cup\n")
    for name in ("log.parquet", "export.csv"):
        assert main(["clean", str(log), "-o", str(folder / name), "-q"]) == 0
    assert forget(folder) == 0
    named = "their own records apart, and another may name one of them"
    assert left(capsys) == {"log.parquet": named, "export.csv": named}


def test_a_run_that_failed_late_is_refused_although_its_log_has_nobody_of_theirs(
    copy: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The files of the stage that failed are an earlier run's, and hold the customers: they are the run's, and it has to end."""
    log = csv_of(
        invented(customers=40, orders=4).filter(~pl.col("customer_id").is_in(["C017", "C023"])), copy.parent / "orders.csv"
    )

    def failing(*given: object, **more: object) -> object:
        raise StorageError("no", fix="try again")

    with monkeypatch.context() as patch:
        patch.setattr(pipeline.steps, "churn", failing)
        assert main(["run", str(log), "-o", str(copy), "-q"]) == 74
    before = content(copy)
    capsys.readouterr()
    assert forget(copy) == 65
    assert "the last run here did not come to its end" in capsys.readouterr().err
    assert content(copy) == before


def test_a_link_of_the_run_to_a_table_beside_it_is_one_table(copy: Path) -> None:
    """Under its other name it is not a loose one as well: it is made again once, and is the one run.json names."""
    for name in ("clean.parquet", "customers.parquet"):
        (copy / name).rename(copy / f"kept-{name}")
        (copy / name).symlink_to(f"kept-{name}")
    assert forget(copy) == 0
    assert not {"C017", "C023"} & set(pl.read_parquet(copy / "kept-customers.parquet")["customer_id"])
    assert [one.check for one in verify([copy]) if one.status == "wrong"] == []
    assert told_by(copy / "kept-customers.parquet").metrics


def test_a_forget_among_single_tables_is_ended_without_the_run_beside_them(
    copy: Path, ran: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run here has nobody of theirs, and lost its log: no forget makes it again, nor one that ends an interrupted one."""
    log = csv_of(
        invented(customers=40, orders=4).filter(~pl.col("customer_id").is_in(["C017", "C023"])), copy.parent / "orders.csv"
    )
    assert main(["run", str(log), "-o", str(copy), "-q"]) == 0
    shutil.copy(ran / "rfm.parquet", copy / "mine.parquet")
    (copy / "clean.parquet").unlink()
    with monkeypatch.context() as patch:
        patch.setattr(publish, "publish", lambda *given: (_ for _ in ()).throw(StorageError("no")))
        patch.setattr(publish, "publish_bytes", publish_anyway)
        assert forget(copy) == 74
    assert (copy / "forgetting.json").is_file()
    assert forget(copy) == 0
    assert not (copy / "forgetting.json").is_file()
    assert not {"C017", "C023"} & set(pl.read_parquet(copy / "mine.parquet")["customer_id"])


def publish_anyway(target: Path, content: bytes) -> None:
    target.write_bytes(content)


def test_an_earlier_table_in_the_folder_itself_is_told(copy: Path, ran: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The report would count who is gone as lost: it has to be moved and gone through first."""
    earlier = copy / "april.parquet"
    log = csv_of(invented(customers=40, orders=4), copy.parent / "orders.csv")
    assert main(["rfm", str(ran / "clean.parquet"), "--as-of", "2024-03-01", "-o", str(copy.parent / "rfm.parquet"), "-q"]) == 0
    assert main(["segment", str(copy.parent / "rfm.parquet"), "-o", str(earlier), "-q"]) == 0
    monkeypatch.setenv("CLM_REPORT_PREVIOUS", str(earlier))
    assert main(["run", str(log), "-o", str(copy), "-q"]) == 0
    before = content(copy)
    assert forget(copy) == 65
    assert content(copy) == before


def test_a_setting_that_is_new_since_the_run_is_told(
    copy: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The later stages are made as the run made them, but for what it is given now."""
    (copy.parent / "tiers.toml").write_text(
        'column = "spend"\n[[tier]]\ncode = "gold"\nat_least = 100\n[[tier]]\ncode = "rest"\n'
    )
    monkeypatch.setenv("CLM_SEGMENT_TIERS", str(copy.parent / "tiers.toml"))
    assert forget(copy) == 0
    told = json.loads(capsys.readouterr().out)["warnings"]
    assert [notice["text"] for notice in told] == ["segment: tiers is new since the run; it is taken"]


def test_words_of_the_user_are_looked_into_whatever_they_are_called(
    ran: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A group of a cohort, a column that another table of clm has for something else; raw rejects are emptied, and not told."""
    log = folder.parent / "log.csv"
    head = "order_id,customer_id,order_date,amount,product,reason\n"
    more = "".join(f"P{number},A{number},2024-02-05,5,cup,\n" for number in range(40))
    named = "O1,A1,2024-01-05,5,cup for C017,\nO2,A2,2024-01-06,5,cup,as C023\n"
    log.write_text(f"{head}{named}O3,C017,2024-01-06,5,cup,\nO4,C017,x,5,,\n{more}")
    rejects = ["--rejects", str(folder / "rejects.parquet"), "--rejects-raw"]
    assert main(["clean", str(log), "--keep", "reason", "-o", str(folder / "log.parquet"), *rejects, "-q"]) == 0
    by = ["--by", "product", "--members"]
    assert main(["cohort", str(folder / "log.parquet"), *by, "-o", str(folder / "members.parquet"), "-q"]) == 0
    (folder / "log.parquet").rename(folder.parent / "log.parquet")
    carried = ["rfm", str(folder.parent / "log.parquet"), "--carry", "reason", "-o", str(folder / "rfm.parquet"), "-q"]
    assert main(carried) == 0
    assert forget(folder) == 0
    told = "their own records apart, and another may name one of them"
    assert left(capsys) == {"members.parquet": told, "rfm.parquet": told}
    assert pl.read_parquet(folder / "rejects.parquet")["raw"].to_list() == [None]


def test_how_many_lines_came_later_is_not_told(ran: Path, folder: Path) -> None:
    """A table of an earlier day counted theirs among the lines after it."""
    log = str(ran / "clean.parquet")
    assert main(["rfm", log, "--as-of", "2024-03-01", "-o", str(folder / "rfm.parquet"), "-q"]) == 0
    assert told_by(folder / "rfm.parquet").rows["after_as_of"] > 0
    assert forget(folder) == 0
    assert "after_as_of" not in told_by(folder / "rfm.parquet").rows
    assert [one.check for one in verify([folder / "rfm.parquet"]) if one.status == "wrong"] == []
