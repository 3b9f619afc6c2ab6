"""A log in parts: a folder, key=value folders or a pattern are one table with one ancestor; what cannot be one is refused."""

from __future__ import annotations

import json
import os
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from clm.cli import main
from clm.errors import DataError, InputError, UsageError
from clm.ingest import sources
from clm.storage import facts, files, parts
from clm.storage.files import Opened
from clm.tables import TRANSACTIONS
from clm.verify import there
from tests.logs import transactions
from tests.plans import assert_streams

LOG = transactions(
    ("A", "1", "2023-12-31", "5"), ("B", "2", "2024-01-02", "7"), ("A", "3", "2024-02-01", "11.5"), ("B", "2", "2024-02-03", "-7")
)


def opened(path: Path) -> Opened:
    return files.open_table(path, TRANSACTIONS, TRANSACTIONS.needed("clean"))


def written(folder: Path, **parts: pl.DataFrame) -> Path:
    """Frames as files of a folder, by name; `__` in a name begins a folder, `_is_` is its equals sign."""
    for name, frame in parts.items():
        path = folder / f"{name.replace('_is_', '=').replace('__', '/')}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        frame.write_parquet(path)
    return folder


def test_key_value_folders_are_one_table_with_the_keys_as_columns(tmp_path: Path) -> None:
    """As Spark and Hive write them: text from the folder's name, percent signs undone, `__HIVE_DEFAULT_PARTITION__` null."""
    folder = tmp_path / "log"
    for name, part in {"DE": LOG[:1], "C%C3%B4te": LOG[1:3], "__HIVE_DEFAULT_PARTITION__": LOG[3:]}.items():
        (folder / f"country={name}").mkdir(parents=True)
        part.write_parquet(folder / f"country={name}" / "part-0.parquet")
    for name in ("_SUCCESS", ".part-0.parquet.crc"):
        (folder / name).touch()
    found = opened(folder)
    expected = LOG.with_columns(country=pl.Series(["DE", "Côte", "Côte", None]))
    assert_frame_equal(found.frame.collect(), expected, check_row_order=False)
    assert [notice.code for notice in found.notices] == ["folder_keys", "no_provenance"]
    assert_frame_equal(opened(folder / "*" / "*.parquet").frame.collect(), found.frame.collect())


def test_what_is_not_read_is_named(tmp_path: Path) -> None:
    """Other files and plain subfolders: nobody can tell whether they are meant."""
    folder = written(tmp_path, a=LOG[:2], b=LOG[2:], old__c=LOG)
    (folder / "notes.txt").touch()
    found = opened(folder)
    assert found.frame.select(pl.len()).collect().item() == LOG.height
    assert found.notices[0].text == "2 names not read: notes.txt, old/; name what holds orders."


def test_a_column_of_some_parts_is_null_in_the_others(tmp_path: Path) -> None:
    """Logs grow columns: the union of all, and it is said."""
    found = opened(written(tmp_path, a=LOG[:2], b=LOG[2:].with_columns(device=pl.lit("app"), source_file=pl.lit("b.csv"))))
    assert found.frame.collect()["device"].to_list() == [None, None, "app", "app"]
    assert found.notices[0].text == "device: columns of some parts only, null in the others"


@pytest.mark.parametrize(
    ("parts", "says"),
    [
        ({"a": LOG[:2], "b": LOG[2:].with_columns(pl.col("amount").cast(pl.Float64))}, "column amount of b.parquet is Float64"),
        (
            {"a": LOG[:2].with_columns(x=1), "b": LOG[2:].with_columns(x=pl.lit("1"))},
            "x is Int32 in a.parquet and String in b.parquet",
        ),
        ({"a": LOG, "b": LOG}, "b.parquet and a.parquet are the same file"),
        ({"a": LOG[:2], "b": LOG[2:].drop("kind")}, "b.parquet lacks the column kind"),
        ({"a": LOG[:2], "k_is_1__b": LOG[2:]}, "lie under different keys: none, and k"),
        ({"kind_is_sale__a": LOG}, "kind is a key of the folders and a column of the files"),
    ],
)
def test_what_is_not_one_log_is_refused(parts: dict[str, pl.DataFrame], says: str, tmp_path: Path) -> None:
    """With the part and the column at fault."""
    with pytest.raises(DataError, match=says):
        opened(written(tmp_path, **parts))


@pytest.mark.parametrize("key", ["a=b=c", "x==1", "x=*", "x=[1]", "x={}", "x=%FF", "x=%41%2F%0A", "x=", "a b=1"])
def test_a_key_is_what_clean_takes_it_for(key: str, tmp_path: Path) -> None:
    """Beside an ordinary one: the rules for names of folders are ours, not Polars'."""
    name, _, value = key.partition("=")
    for folder, part in {key: LOG[:2], f"{name}=1 1": LOG[2:]}.items():
        (tmp_path / folder).mkdir()
        part.write_parquet(tmp_path / folder / "p.parquet")
    said = {"x=%FF": "\ufffd", "x=%41%2F%0A": "A/\n"}.get(key, value)
    assert set(opened(tmp_path).frame.collect()[name].to_list()) == {said, "1 1"}
    assert {dict(one.keys)[name] for one in sources.find([tmp_path])} == {said, "1 1"}


def test_a_key_twice_on_the_way_is_refused(tmp_path: Path) -> None:
    """By every reader: nobody can tell which is meant."""
    folder = written(tmp_path, x_is_1__x_is_2__p=LOG)
    for read in (opened, lambda path: sources.find([path])):
        with pytest.raises(DataError, match="x is the key of two folders"):
            read(folder)
    assert opened(folder / "x=1").frame.collect()["x"].to_list() == ["2"] * LOG.height


@pytest.mark.skipif(sys.platform != "linux", reason="such names are of Linux")
@pytest.mark.parametrize("name", [b"z=\xff/p.parquet", b"x=1/p\xff.parquet"])
def test_a_name_that_is_not_utf8_is_refused(name: bytes, tmp_path: Path) -> None:
    """No column of text can hold it: 66, and the message can be written anywhere."""
    path = tmp_path / os.fsdecode(name)
    path.parent.mkdir()
    LOG.write_parquet(tmp_path / "p")
    (tmp_path / "p").rename(path)
    with pytest.raises(InputError, match="not UTF-8") as told:
        opened(tmp_path)
    str(told.value).encode()


def test_the_keys_do_not_gather_the_log(tmp_path: Path) -> None:
    """A log of 10 GB in `key=value` folders streams."""
    assert_streams(opened(written(tmp_path, x_is_1__p=LOG[:2], x_is_2__p=LOG[2:])).frame)


def test_nothing_there_is_66(tmp_path: Path) -> None:
    """An empty folder and a pattern nothing matches."""
    for path in (tmp_path, tmp_path / "*.parquet"):
        with pytest.raises(InputError):
            opened(path)


def test_a_replaced_part_is_seen(tmp_path: Path) -> None:
    """Facts of other data would be written: 65."""
    found = opened(written(tmp_path, a=LOG[:2], b=LOG[2:]))
    written(tmp_path, b=LOG[1:])
    with pytest.raises(DataError, match=r"b\.parquet was replaced"):
        files.check_unchanged([found])


@pytest.mark.parametrize(
    ("given", "target", "says"),
    [
        ("", "a.parquet", "is an input"),
        ("", "x.parquet", "would be a part"),
        ("", "k=2/x.parquet", "would be a part"),
        ("*.parquet", "a.parquet", "is an input"),
        ("*.parquet", "x.parquet", "would be a part"),
        ("../log/**/*", "sub/x.json", "would be a part"),
        ("", "x.json", None),
        ("", "sub/x.parquet", None),
        ("a*.parquet", "x.parquet", None),
        ("*.parquet", "sub/x.parquet", None),
    ],
)
def test_an_output_among_the_parts_is_refused(given: str, target: str, says: str | None, tmp_path: Path) -> None:
    """It would destroy one, or the next run would read it as a part; beside them it may lie."""
    folder = written(tmp_path / "log", a=LOG)
    for name in ("sub", "k=2"):
        (folder / name).mkdir()
    with pytest.raises(UsageError, match=says) if says else nullcontext():
        files.keep_inputs([folder / given], [folder / target])


def test_a_part_is_no_output_of_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`clm rfm` of a pattern, and a table or model with `--orders` of one: 2, and the part is as it was."""
    folder = written(tmp_path, a=LOG[:2], b=LOG[2:])
    before = (folder / "b.parquet").read_bytes()
    pattern, part = str(folder / "*.parquet"), str(folder / "b.parquet")
    for line in (["rfm", pattern, "-o", part], ["clv", part, "--orders", pattern, "--save-model", part]):
        assert main(line) == 2
        assert "would destroy it" in capsys.readouterr().err
    assert (folder / "b.parquet").read_bytes() == before


def test_a_folder_that_a_pattern_matches_is_named(tmp_path: Path) -> None:
    """Spark writes `b.parquet` as a folder: its rows are not in the result, or nothing is."""
    folder = written(tmp_path / "log", a=LOG, **{"b.parquet__part-0": LOG[:1]})
    found = opened(folder / "*.parquet")
    assert found.frame.select(pl.len()).collect().item() == LOG.height
    assert found.notices[0].text == "1 name not read: b.parquet/; name what holds orders."
    assert len(opened(folder / "**" / "part*.parquet").parts) == 1
    with pytest.raises(InputError, match=r"but folders do: b\.parquet/"):
        opened(folder / "b*.parquet")


def test_days_cleaned_one_by_one_are_a_chain(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One ancestor with the books of all, every part and source known to `verify`, nothing unknown."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "log").mkdir()
    for day in (1, 2, 3):
        lines = "".join(
            f"{customer},{day}{customer},2024-01-0{day},{day}.50\n" for customer in (["", 1, 2] if day == 2 else [1, 2])
        )
        Path(f"d{day}.csv").write_text(f"customer_id,order_id,date,amount\n{lines}", "utf-8")
        assert main(["clean", f"d{day}.csv", "--max-rejects", "50%", "-o", f"log/d{day}.parquet", "-q"]) == 0
    assert main(["rfm", "log", "-o", "rfm.parquet", "-q"]) == 0
    facts = files.facts_in(Path("rfm.parquet"), "rfm.parquet")
    assert facts is not None
    *sources, log = facts.ancestors
    assert [one["source"] for one in sources] == ["d1.csv", "d2.csv", "d3.csv"]
    assert [one["source"] for one in log["parts"]] == ["d1.parquet", "d2.parquet", "d3.parquet"]
    assert log["rows"] == {"in": 7, "out": 6, "rejected": {"no_customer": 1}, "collapsed": {}}
    assert log["amount"] == {"in": "17.5000", "out": "15.0000", "rejected": {"no_customer": "2.5000"}, "collapsed": {}}
    capsys.readouterr()
    assert main(["verify", "rfm.parquet", "--inputs", ".", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert {one["status"] for one in told["checks"]} == {"ok"}
    Path("log/d2.parquet").unlink()
    assert main(["verify", "rfm.parquet", "--inputs", ".", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [one["check"] for one in told["checks"] if one["status"] == "unknown"] == ["tables"]


def test_parts_of_one_source_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The footers know: `a.csv` lies in both, and its orders would count twice."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "log").mkdir()
    for name in "ab":
        Path(f"{name}.csv").write_text(f"customer_id,order_id,date,amount\n1,{name},2024-01-01,1.50\n", "utf-8")
    assert main(["clean", "a.csv", "-o", "log/1.parquet", "-q"]) == 0
    assert main(["clean", "a.csv", "b.csv", "-o", "log/2.parquet", "-q"]) == 0
    capsys.readouterr()
    assert main(["rfm", "log", "-o", "rfm.parquet"]) == 65
    assert "1.parquet and 2.parquet were both made of a.csv" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("one", "other", "apart"),
    [
        ({"sheet": "Jan"}, {"sheet": "Feb"}, True),
        ({"until": "2024-01-31"}, {"since": "2024-02-01"}, True),
        ({"since": "2024-02-01"}, {"until": "2024-01-31"}, True),
        ({"sheet": "Jan"}, {"sheet": "Jan"}, False),
        ({"sheet": "Jan"}, {"sheet": None}, False),
        ({"until": "2024-02-01"}, {"since": "2024-02-01"}, False),
        ({"until": "2024-01-31"}, {"since": "none"}, False),
        ({"until": 1}, {"since": ["x"]}, False),
    ],
)
def test_a_source_may_be_cut_into_parts(one: dict[str, Any], other: dict[str, Any], apart: bool) -> None:
    """By sheets, or by days that do not meet."""
    source = facts.source("log.xlsx", 1, "0" * 64)
    known = {
        name: facts.Facts("TRANSACTIONS", 1, "clean", settings, rows={"in": 1, "out": 1}, ancestors=[source])
        for name, settings in {"1": one, "2": other}.items()
    }
    with nullcontext() if apart else pytest.raises(DataError, match=r"both made of log\.xlsx"):
        parts.check_sources(known)


def test_many_sources_and_parts_are_found_by_one_hash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Above fifty a footer has one record of all: `verify` holds the files of a folder against it, and sees one that changed."""
    monkeypatch.chdir(tmp_path)
    for folder in ("csv", "log"):
        Path(folder).mkdir()
    for number in range(51):
        Path(f"csv/{number}.csv").write_text(f"customer_id,order_id,date,amount\n1,{number},2024-01-01,1.5\n", "utf-8")
    assert main(["clean", "csv", "-o", "clean.parquet", "-q"]) == 0
    clean = pl.read_parquet("clean.parquet")
    Path("csv/notes").touch()

    def told() -> dict[str, str]:
        capsys.readouterr()
        main(["verify", "clean.parquet", "--inputs", "csv", "--json"])
        return {one["check"]: one["status"] for one in json.loads(capsys.readouterr().out)["checks"]}

    assert told()["source"] == "ok"
    Path("csv/7.csv").write_text("customer_id,order_id,date,amount\n1,7,2024-01-01,1.6\n", "utf-8")
    assert told()["source"] == "unknown"
    for number in range(51):
        clean[number : number + 1].write_parquet(f"log/{number}.parquet")
    known = there.There()
    known.add(tmp_path / "log", deep=True)
    (ancestor,) = opened(tmp_path / "log").lineage
    assert known.has_all(ancestor["parts"][0])


def test_one_log_is_one_ancestor(tmp_path: Path) -> None:
    """However it is named and whatever its parts are called; one part is the file it is."""
    folder = written(tmp_path / "log", a=LOG[:2], b=LOG[2:])
    known = opened(folder).sha256
    assert opened(folder / "*.parquet").sha256 == known
    (folder / "a.parquet").rename(folder / "c.parquet")
    assert opened(folder).sha256 == known
    (folder / "b.parquet").unlink()
    assert opened(folder).lineage == opened(folder / "c*").lineage == opened(folder / "c.parquet").lineage


def test_parts_of_two_currencies_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Their sum would mean nothing."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "log").mkdir()
    for currency in ("EUR", "USD"):
        Path("d.csv").write_text(f"customer_id,order_id,date,amount\n1,{currency},2024-01-01,1.50\n", "utf-8")
        assert main(["clean", "d.csv", "--currency", currency, "-o", f"log/{currency}.parquet", "-q"]) == 0
    capsys.readouterr()
    assert main(["rfm", "log", "-o", "rfm.parquet"]) == 65
    assert "the parts differ in their currency: EUR, USD" in capsys.readouterr().err
