"""`clm verify`: what clm wrote is ok, and no byte of it can change, no file be swapped and no book be cooked unseen."""

from __future__ import annotations

import json
import os
import random
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from clm import steps
from clm.cli import main
from clm.errors import InputError
from clm.storage import facts, publish, seal
from clm.storage.facts import Facts
from clm.verify import Check, there, verify
from tests.commands.conftest import Shop
from tests.logs import csv_of, invented


def found(path: Path, inputs: Path | None = None) -> dict[str, Check]:
    """The checks of one file by name; of several of one name the worst."""
    worst = ("ok", "unknown", "wrong")
    checks: dict[str, Check] = {}
    for one in verify([path], inputs):
        if one.check not in checks or worst.index(one.status) > worst.index(checks[one.check].status):
            checks[one.check] = one
    return checks


def wrong(path: Path, inputs: Path | None = None) -> set[str]:
    return {name for name, one in found(path, inputs).items() if one.status == "wrong"}


def known(path: Path) -> Facts:
    return facts.parse(pl.read_parquet_metadata(path)[facts.KEY], path.name)


def written(path: Path, frame: pl.DataFrame, told: Facts | str) -> Path:
    """A table with any footer at all, properly sealed: what only somebody who means it could make."""
    text = seal.blank(told if isinstance(told, str) else told.to_text())
    publish.sink(frame, path, {facts.KEY: text})
    seal.put(path, text)
    return path


@pytest.fixture
def copy(ran: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(ran, tmp_path / "out"))


def test_a_run_is_what_it_says(ran: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every check of the folder of a run is ok, with the source too; nothing else is claimed."""
    assert main(["verify", str(ran), "--inputs", str(ran.parent)]) == 0
    told = capsys.readouterr()
    assert "0 wrong, 0 unknown" in told.err
    assert {line.split()[0] for line in told.out.splitlines() if line.startswith("  ") and line[2] != " "} == {"ok"}
    assert max(map(len, told.out.splitlines())) <= 80


def test_what_is_not_there_is_unknown_and_no_fault(ran: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A table taken out of its folder: its source and earlier tables can't be compared, and that is said."""
    alone = Path(shutil.copy(ran / "customers.parquet", tmp_path))
    assert main(["verify", str(alone), "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["stage"] == "verify"
    assert [one["check"] for one in record["checks"] if one["status"] == "unknown"] == ["tables", "source"]
    assert record["metrics"]["unknown"] == 2
    assert main(["verify", str(alone), "-q", "--fail-if", "unknown > 0"]) == 1
    assert main(["verify", str(alone), "-q", "--inputs", str(ran), "--fail-if", "unknown > 1"]) == 0


def test_every_table_clm_writes_is_ok(ran: Path, tmp_path: Path) -> None:
    """Tables of every command, also without amounts and with rows after the day."""
    clean, customers = ran / "clean.parquet", ran / "customers.parquet"
    early, none = tmp_path / "early.parquet", tmp_path / "none.csv"
    none.write_text("date,customer,order\n" + "".join(f"2024-01-{n % 28 + 1:02},c{n % 9},o{n}\n" for n in range(60)))
    label = tmp_path / "label.csv"
    label.write_text("id,gone,a\n" + "".join(f"k{n},{'yes' if n % 3 else 'no'},{n * 7 % 11}\n" for n in range(120)))
    lines = [
        ["rfm", clean, "--as-of", "2024-04-30", "-o", early],
        ["clv", early, "--orders", clean, "-o", tmp_path / "clv.parquet"],
        ["clean", none, "-o", tmp_path / "none.parquet", "--rejects", tmp_path / "rejects.parquet"],
        ["rfm", tmp_path / "none.parquet", "-o", tmp_path / "counts.parquet"],
        ["segment", early, "-o", tmp_path / "before.parquet"],
        ["migrate", tmp_path / "before.parquet", customers, "-o", tmp_path / "moved.parquet"],
        ["cohort", clean, "-o", tmp_path / "cohorts.parquet"],
        ["cohort", clean, "--members", "-o", tmp_path / "members.parquet"],
        ["list", customers, "-o", tmp_path / "list.parquet"],
        ["backtest", clean, "-o", tmp_path / "tests.parquet"],
        ["churn", label, "--label", "gone", "--method", "logistic", "-o", tmp_path / "labelled.parquet"],
    ]
    for line in lines:
        assert main([*map(str, line), "-q"]) == 0, line
        output = tmp_path / Path(line[line.index("-o") + 1]).name
        assert wrong(output, ran.parent) == set(), line[0]
        assert {"footer", "seal", "pages", "contract", "books"} <= set(found(output))


def test_no_flipped_bit_goes_unseen(copy: Path) -> None:
    """One bit at 250 places of a table, pages, statistics, facts and length alike: always wrong, never an exception."""
    path = copy / "rfm.parquet"
    whole, places = path.read_bytes(), random.Random(3)
    alone = copy.parent / "alone.parquet"
    at = [places.randrange(len(whole)) for _ in range(210)] + [*range(len(whole) - 30, len(whole)), *range(10)]
    for place in at:
        spoiled = bytearray(whole)
        spoiled[place] ^= 1 << places.randrange(8)
        alone.write_bytes(spoiled)
        assert wrong(alone), place


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda whole: whole[: len(whole) // 2], "file"),
        (lambda whole: whole[:-1], "file"),
        (lambda whole: b"", "file"),
        (lambda whole: whole + b"\n", "file"),
        (lambda whole: whole.replace(b'"seal"', b'"sael"'), "seal"),
        (lambda whole: whole.replace(b'"stage":"rfm"', b'"stage":"clv"'), "seal"),
        (lambda whole: whole.replace(b'{"schema":1,"table"', b'{"schema":9,"table"'), "seal"),
        (lambda whole: whole.replace(b'{"schema":1,"table"', b'{"schema" 1,"table"'), "footer"),
    ],
)
def test_cut_and_edited_files_are_wrong(spoil: Callable[[bytes], bytes], says: str, copy: Path) -> None:
    """Cut in half, one byte short, empty, longer; a footer edited by hand."""
    path = copy.parent / "alone.parquet"
    path.write_bytes(spoil((copy / "rfm.parquet").read_bytes()))
    assert says in wrong(path)


def test_rows_taken_out_under_the_old_footer_are_missed(ran: Path, tmp_path: Path) -> None:
    """A table written anew by another tool with fewer rows and the footer kept: the seal, and the books say what is missing."""
    path = tmp_path / "t.parquet"
    frame = pl.read_parquet(ran / "clean.parquet")
    frame.filter(pl.col("customer_id") != "C007").write_parquet(path, metadata=pl.read_parquet_metadata(ran / "clean.parquet"))
    assert wrong(path) == {"seal", "books"}
    assert "rows, its books" in found(path)["books"].says


COOKED: list[tuple[str, Callable[[pl.DataFrame, Facts], tuple[pl.DataFrame, Facts]]]] = [
    ("books", lambda rows, told: (rows.head(9), told)),
    ("books", lambda rows, told: (rows.with_columns(spend=pl.col("spend") + 1), told)),
    ("books", lambda rows, told: (rows, replace(told, rows=told.rows | {"out": 1}))),
    ("footer", lambda rows, told: (rows, replace(told, rows=told.rows | {"out": "160"}))),
    ("footer", lambda rows, told: (rows, replace(told, amount=(told.amount or {}) | {"in": "9e9999999", "out": "9e9999999"}))),
    ("chain", lambda rows, told: (rows, replace(told, rows=told.rows | {"in": 3}))),
    ("chain", lambda rows, told: (rows, replace(told, currency="EUR", ancestors=[_with(told.ancestors[0]), *_dear(told)]))),
    ("contract", lambda rows, told: (rows.reverse(), told)),
    ("contract", lambda rows, told: (pl.concat([rows, rows.tail(1)]), told)),
    ("contract", lambda rows, told: (rows.drop("orders"), told)),
    ("contract", lambda rows, told: (rows.with_columns(pl.col("orders").cast(pl.Int32)), told)),
    ("contract", lambda rows, told: (rows.with_columns(orders=-pl.col("orders")), told)),
    ("as_of", lambda rows, told: (rows, replace(told, as_of="2020-01-01"))),
    ("ancestors", lambda rows, told: (rows, replace(told, ancestors=told.ancestors * 2))),
    ("ancestors", lambda rows, told: (rows, replace(told, ancestors=told.ancestors[:1]))),
    ("ancestors", lambda rows, told: (rows, replace(told, ancestors=told.ancestors[1:]))),
    ("ancestors", lambda rows, told: (rows, replace(told, ancestors=[told.ancestors[0] | {"sha256": "x"}]))),
    ("footer", lambda rows, told: (rows, replace(told, table="NONSENSE"))),
]  # fmt: skip


def _with(source: dict[str, Any]) -> dict[str, Any]:
    return dict(source)


def _dear(told: Facts) -> list[dict[str, Any]]:
    return [one | {"currency": "CNY"} for one in told.ancestors[1:]]


@pytest.mark.parametrize(("check", "cook"), COOKED, ids=[f"{name}-{n}" for n, (name, _) in enumerate(COOKED)])
def test_each_check_finds_what_only_it_can_find(
    check: str, cook: Callable[[pl.DataFrame, Facts], tuple[pl.DataFrame, Facts]], ran: Path, tmp_path: Path
) -> None:
    """A sealed file with one thing wrong in it: that check says so, and nothing raises."""
    rows, told = cook(pl.read_parquet(ran / "rfm.parquet"), known(ran / "rfm.parquet"))
    checks = wrong(written(tmp_path / "t.parquet", rows, told))
    assert check in checks
    assert "seal" not in checks


def test_rows_out_of_the_order_of_their_source_are_wrong(ran: Path, tmp_path: Path) -> None:
    """TRANSACTIONS follow the lines of their source."""
    path = written(tmp_path / "t.parquet", pl.read_parquet(ran / "clean.parquet").reverse(), known(ran / "clean.parquet"))
    assert wrong(path) == {"order"}


HOSTILE = [
    "", "null", "[]", "{", '{"schema":1}', '{"table":' + "[" * 100_000, '{"schema":' + "9" * 5_000 + "}",
    '{"schema":1,"table":"CUSTOMERS","table_version":NaN,"stage":"rfm","settings":{}}',
    '{"schema":1,"table":"CUSTOMERS","table_version":1,"stage":"rfm","settings":{},"rows":{"in":1e999}}',
    '{"schema":1,"table":"CUSTOMERS","table":"REJECTS","table_version":1,"stage":"rfm","settings":{}}',
    '{"schema":1,"table":["CUSTOMERS"],"table_version":1,"stage":"rfm","settings":{}}',
    '{"schema":1,"table":"CUSTOMERS","table_version":1,"stage":{"a":1},"settings":{}}',
    '{"schema":1,"table":"CUSTOMERS","table_version":1,"stage":"rfm","settings":{},"ancestors":[{"sha256":7}]}',
    '{"schema":1,"table":"CUSTOMERS","table_version":1,"stage":"rfm","settings":{},"ancestors":["x"]}',
    '{"schema":1,"table":"CUSTOMERS","table_version":1,"stage":"rfm","settings":{},"as_of":"2024-02-30"}',
    '{"schema":1,"table":"CUSTOMERS","table_version":1,"stage":"rfm","settings":{},"as_of":20240230}',
    '{"schema":1,"table":"CUSTOMERS","table_version":1,"stage":"rfm","settings":{},"warnings":[3]}',
    '{"schema":1,"table":"CUSTOMERS","table_version":1,"stage":"rfm","settings":{},"metrics":[]}',
    '{"schema":1,"table":"CUSTOMERS","table_version":1,"stage":"rfm","settings":' + '{"a":' * 900 + "1" + "}" * 900 + "}",
    '{"schema":1,"table":"\\u001b[2J\\n<script>","table_version":1,"stage":"rfm","settings":{}}',
    '{"schema":1,"table":"CUSTOMERS","table_version":1,"clm_version":"\\u001b]0;x\\u0007","stage":"\\ud800","settings":{}}',
    '{"schema":1,"table":"CUSTOMERS","table_version":1,"stage":"rfm","settings":{},"rows":{"in":1,"out":[2],"rejected":{"a":{}}}}',
    '{"schema":1,"table":"CUSTOMERS","table_version":1,"stage":"rfm","settings":{},"amount":{"in":"1e99999","out":"9","rejected":{}}}',
    '{"schema":1,"table":"CUSTOMERS","table_version":1,"stage":"' + "x" * 3_000_000 + '","settings":{}}',
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_footer_is_an_answer(text: str, ran: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Empty, huge, nested, of wrong types, with escapes: 65, no traceback, no control byte; nor do stages crash on it."""
    path = tmp_path / "t.parquet"
    publish.sink(pl.read_parquet(ran / "rfm.parquet"), path, {facts.KEY: text})
    assert main(["verify", str(path)]) == 65
    told = capsys.readouterr()
    assert "Traceback" not in told.err
    assert not {"\x1b", "\x07"} & set(told.out + told.err)
    assert max(map(len, told.out.splitlines())) <= 80
    assert main(["segment", str(path), "-o", str(tmp_path / "s.parquet"), "-q"]) in (0, 65)
    assert "Traceback" not in capsys.readouterr().err


def test_swapped_changed_and_lost_files_of_a_run_are_found(copy: Path) -> None:
    """Two files that changed places, a page somebody edited, a model of other numbers, a table that is gone."""
    rfm, segments = copy / "rfm.parquet", copy / "segments.parquet"
    held = rfm.read_bytes()
    rfm.write_bytes(segments.read_bytes())
    segments.write_bytes(held)
    (copy / "report.html").write_text((copy / "report.html").read_text("utf-8").replace("Customer", "Customers"), "utf-8")
    model = json.loads((copy / "model.json").read_text("utf-8"))
    (copy / "model.json").write_text(json.dumps(model | {"learned": {}}), "utf-8")
    (copy / "clv.parquet").unlink()
    (copy / "notes.txt").write_text("mine")
    checks = verify([copy])
    bad = {(one.file, one.check) for one in checks if one.status == "wrong"}
    assert {("rfm.parquet", "record"), ("segments.parquet", "record"), ("report.html", "record"), ("model.json", "record")} <= bad
    assert {("run.json", "outputs"), ("run.json", "made from"), ("run.json", "facts"), ("model.json", "model")} <= bad
    assert [one.status for one in checks if one.file == "notes.txt"] == ["unknown"]


def test_a_table_of_a_run_is_held_against_its_record(copy: Path, ran: Path) -> None:
    """A whole, sealed table of another run in the place of this one's: wrong, for run.json is beside it."""
    shutil.copy(ran / "rfm.parquet", copy / "clean.parquet")
    assert "record" in wrong(copy / "clean.parquet")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"stages": [{"stage": "rfm"}]}', '{"stages": 3}', "[" * 100_000])
def test_a_spoiled_run_json_is_wrong(text: str, copy: Path) -> None:
    """Whatever it holds instead."""
    (copy / "run.json").write_text(text)
    assert "record" in {one.check for one in verify([copy]) if one.status == "wrong"}


def test_an_unfinished_run_is_wrong(copy: Path) -> None:
    """Files of two days may lie side by side."""
    record = json.loads((copy / "run.json").read_text("utf-8"))
    (copy / "run.json").write_text(json.dumps(record | {"status": "failed"}), "utf-8")
    assert ("run.json", "status") in {(one.file, one.check) for one in verify([copy]) if one.status == "wrong"}


def test_a_source_that_changed_is_wrong(ran: Path, tmp_path: Path) -> None:
    """A file of the source's name with other bytes, in --inputs; the right one beside it makes it ok."""
    alone = Path(shutil.copy(ran / "clean.parquet", tmp_path / "c.parquet"))
    sources = tmp_path / "sources"
    (sources / "old").mkdir(parents=True)
    csv_of(invented(customers=3), sources / "orders.csv")
    assert wrong(alone, sources) == {"source"}
    shutil.copy(ran.parent / "orders.csv", sources / "old" / "orders.csv")
    assert found(alone, sources)["source"].status == "ok"


def test_what_is_no_table_is_told_apart(ran: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A model by itself, a foreign table, a CSV; nothing given, nothing there, and -o."""
    foreign = tmp_path / "f.parquet"
    pl.read_parquet(ran / "customers.parquet").write_parquet(foreign)
    assert found(foreign)["footer"].status == "unknown"
    assert found(foreign)["contract"].status == "ok"
    (tmp_path / "m.json").write_bytes((ran / "model.json").read_bytes())
    assert found(tmp_path / "m.json")["model"].status == "ok"
    (tmp_path / "m.json").write_text('{"schema": 1, "learned": {"rfm": {"x": 1e999}}}')
    assert wrong(tmp_path / "m.json") == {"model"}
    assert found(ran.parent / "orders.csv")["file"].status == "unknown"
    assert [(check.check, check.status) for check in found(ran / "report.html").values()] == [("record", "ok")]
    assert main(["verify"]) == 2
    assert main(["verify", str(tmp_path / "nowhere.parquet")]) == 66
    assert main(["verify", str(tmp_path)]) == 66
    assert main(["verify", str(foreign), "--inputs", str(tmp_path / "nowhere")]) == 66
    assert main(["verify", str(foreign), "-o", "x"]) == 2
    assert "to do:" in capsys.readouterr().err


@pytest.mark.parametrize(
    "spoil",
    [
        lambda learned: learned["churn"]["usual"].update(active_days=-1),
        lambda learned: learned["churn"]["reference"]["score"].update(edges=None),
        lambda learned: learned["clv"].update(calibration=None),
        lambda learned: learned.update(segment={"clusters": {"axes": [], "centres": []}}),
        lambda learned: learned.update(churn={"kind": "labelled"}),
    ],
)
def test_a_model_no_stage_would_apply_is_wrong(spoil: Callable[[Any], None], shop: Shop, tmp_path: Path) -> None:
    """What a stage would refuse on any table is said of the model alone."""
    model = json.loads(steps.model_document(known(shop.file("churn"))))
    (tmp_path / "m.json").write_text(json.dumps(model), "utf-8")
    assert found(tmp_path / "m.json")["model"].status == "ok"
    spoil(model["learned"])
    (tmp_path / "m.json").write_text(json.dumps(model), "utf-8")
    assert wrong(tmp_path / "m.json") == {"model"}


def test_files_of_one_name_are_told_apart(ran: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """By their paths as they were given; a file whose name no other has keeps its name alone."""
    one, other = tmp_path / "one" / "rfm.parquet", tmp_path / "other" / "rfm.parquet"
    for path in (one, other):
        path.parent.mkdir()
        shutil.copy(ran / "rfm.parquet", path)
    other.write_bytes(other.read_bytes()[:-1])
    assert main(["verify", str(one), str(other), str(ran / "clean.parquet"), "--json"]) == 65
    told = capsys.readouterr()
    record = json.loads(told.out)
    assert {check["file"] for check in record["checks"]} == {str(one), str(other), "clean.parquet"}
    assert record["metrics"]["files"] == 3
    assert f"where: {other}\n" in told.err


def test_what_is_no_file_is_66_and_said_as_the_system_says_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A pipe, which would be waited for; a name that is too long; the folder one is in, and one that is gone."""
    (tmp_path / "gone").mkdir()
    os.mkfifo(tmp_path / "pipe")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.csv").touch()
    for argv, says in (
        (["pipe"], "pipe is no file"),
        (["x" * 300], "file name too long"),
        (["a.csv", "--inputs", "x" * 300], "file name too long"),
        (["."], f"there is no run.json in {tmp_path.name}"),
    ):
        assert main(["verify", *argv]) == 66
        assert says in capsys.readouterr().err
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    for given in (".", "x"):
        assert main(["verify", given]) == 66
        assert "to do: " in capsys.readouterr().err


def test_long_names_of_sources_are_cut(ran: Path, tmp_path: Path) -> None:
    """A footer may name anything."""
    told = known(ran / "clean.parquet")
    forged = replace(told, ancestors=[told.ancestors[0] | {"source": "x" * 5_000}])
    path = written(tmp_path / "t.parquet", pl.read_parquet(ran / "clean.parquet"), forged)
    assert len(found(path)["source"].says) < 200


def test_a_folder_of_more_files_than_anybody_means_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`--inputs /` is a slip, not a wish."""
    monkeypatch.setattr(there, "_MOST", 2)
    for number in range(3):
        (tmp_path / f"{number}.csv").touch()
    with pytest.raises(InputError, match="more than 2 files to look through"):
        there.There().add(tmp_path, deep=True)
