"""`clm forget` and files that are somebody's own, however like clm's they look: left to the byte, and named if they name one."""

from __future__ import annotations

import bz2
import io
import json
import shutil
import zipfile
from pathlib import Path

import polars as pl
import pytest
import xlsxwriter

from clm import journal
from clm.cli import main
from clm.forget import mentions
from clm.storage import facts

_MEMBERS = "customer_id,cohort,group,first_order_on,note\n"


def zipped(*members: tuple[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return packed.getvalue()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "here").mkdir()
    (tmp_path / "gone.txt").write_text("C017\nC023\n")
    return tmp_path / "here"


def left_by(folder: Path, capsys: pytest.CaptureFixture[str], code: int = 0) -> dict[str, str]:
    """What `clm forget` leaves in the folder, by name with the reason."""
    capsys.readouterr()
    assert main(["forget", "--ids-file", str(folder.parent / "gone.txt"), str(folder), "--json", "-q"]) == code
    return {one["path"]: one["why"] for one in json.loads(capsys.readouterr().out)["left"]}


def own_workbook(path: Path) -> None:
    """A workbook as somebody makes one of a list: a formula, a comment, a chart."""
    book = xlsxwriter.Workbook(str(path))
    sheet = book.add_worksheet("LIST")
    for row, cells in enumerate((("customer_id", "orders", "spend", "my note"), ("C001", 3, 4.5, "a"), ("C017", 2, 3.5, "b"))):
        sheet.write_row(row, 0, cells)
    sheet.write_formula("E2", "=B2*C2", None, 13.5)
    sheet.write_comment("A2", "mine")
    chart = book.add_chart({"type": "line"})
    chart.add_series({"values": "=LIST!$B$2:$B$3"})
    sheet.insert_chart("G2", chart)
    book.close()


def test_a_workbook_of_somebodys_own_stays_and_is_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Headings of clm's do not make it clm's: formulas, comments and charts are no part of what clm writes."""
    own_workbook(folder / "own.xlsx")
    before = (folder / "own.xlsx").read_bytes()
    assert "it names one of them" in left_by(folder, capsys)["own.xlsx"]
    assert (folder / "own.xlsx").read_bytes() == before


def test_a_workbook_of_clm_that_somebody_added_to_stays_and_is_named(
    ran: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same cells are not enough: one more part in it, and it is no longer what clm wrote."""
    assert main(["list", str(ran / "customers.parquet"), "-o", str(folder / "list.xlsx"), "-q"]) == 0
    shutil.copy(folder / "list.xlsx", folder / "added.xlsx")
    with zipfile.ZipFile(folder / "added.xlsx", "a") as archive:
        archive.writestr("xl/comments1.xml", "<comments/>")
    before = (folder / "added.xlsx").read_bytes()
    assert set(left_by(folder, capsys)) == {"added.xlsx"}
    assert (folder / "added.xlsx").read_bytes() == before
    assert not set(pl.read_excel(folder / "list.xlsx", engine="calamine")["customer_id"]) & {"C017", "C023"}


def test_a_source_log_stays_and_is_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A log that looks like an export, and even one that is: what a table here was read from is the user's."""
    log = "customer_id,order_id,ordered_at,amount,kind,flags,source_line\n" + "".join(
        f"C0{number},O{number},2024-01-{number},5.0000,sale,,{number}\n" for number in range(10, 28)
    )
    (folder / "orders.csv").write_text(log)
    assert main(["clean", str(folder / "orders.csv"), "-o", str(folder / "clean.parquet"), "-q"]) == 0
    (folder / "copy.csv").write_text(log)
    (folder / "like.csv").write_text("customer_id,orders,spend,amount,kind\nC017,1,2,3,4\n")
    left = left_by(folder, capsys)
    assert left == {
        "orders.csv": "a source of the tables; it names one of them",
        "copy.csv": "a source of the tables; it names one of them",
        "like.csv": "not clm's; it names one of them",
    }
    assert (folder / "orders.csv").read_text() == (folder / "copy.csv").read_text() == log
    assert "C017" not in set(pl.read_parquet(folder / "clean.parquet")["customer_id"])


@pytest.mark.parametrize(
    "lines",
    [
        'C001,2024-01,,2024-01-05,5" disc\nC017,2024-01,,2024-01-05,x\n',
        'C001,2024-01,,2024-01-05,5" disc\nC017,2024-01,,2024-01-05,3" disc\n',
        'C001,2024-01,,2024-01-05,"a"b\nC017,2024-01,,2024-01-05,x\n',
        "C001,2024-01,,2024-01-05\nC017,2024-01,,2024-01-05,x\n",
        "C001,2024-01,,2024-01-05," + "x" * 200_000 + "\nC017,2024-01,,2024-01-05,x\n",
        'C001,2024-01,,2024-01-05,"\n' + "C017,2024-01,,2024-01-05,x\n" * 60_000,
        "C001,2024-01,,2024-01-05,\udcff\nC017,2024-01,,2024-01-05,x\n",
    ],
    ids=["open quote", "two quotes", "text after a quote", "too few cells", "longest cell", "no end", "no UTF-8"],
)
def test_records_clm_does_not_write_make_a_file_somebodys_own(
    lines: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A quote that hides records, a cell too many or too long: nothing is taken out, and the file is named, at once."""
    (folder / "members.csv").write_text(_MEMBERS + lines, "utf-8", "surrogateescape")
    assert left_by(folder, capsys) == {"members.csv": "not clm's; it names one of them"}
    assert (folder / "members.csv").read_text("utf-8", "surrogateescape") == _MEMBERS + lines


@pytest.mark.parametrize(
    "record", ["C001,2024-01,,2024-01-05,see C017", "C017 ,2024-01,,2024-01-05,x", '"=""C017""",2024-01,,,x']
)
def test_a_record_that_stays_and_names_one_is_told(record: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An export loses the records that are theirs; where another names one, in a note or as an id written otherwise, is said."""
    (folder / "members.csv").write_text(f"{_MEMBERS}{record}\nC023,2024-01,,2024-01-05,x\n")
    assert left_by(folder, capsys) == {"members.csv": "their own records apart, and another may name one of them"}
    assert (folder / "members.csv").read_text() == f"{_MEMBERS}{record}\n"


def test_a_row_of_a_table_that_stays_and_names_one_is_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A column somebody keeps may hold a note about another: the table loses the rows that are theirs, and is named."""
    lines = [f"O{number},C0{number},2024-01-{number},5,{note}" for number, note in ((16, "with C017"), (17, ""), (18, ""))]
    (folder.parent / "log.csv").write_text("order_id,customer_id,order_date,amount,note\n" + "\n".join(lines) + "\n")
    assert main(["clean", str(folder.parent / "log.csv"), "--keep", "note", "-o", str(folder / "log.parquet"), "-q"]) == 0
    assert left_by(folder, capsys) == {"log.parquet": "their own records apart, and another may name one of them"}
    assert pl.read_parquet(folder / "log.parquet")["customer_id"].to_list() == ["C016", "C018"]


def test_the_list_of_ids_itself_is_not_touched(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It lies in the folder, under a name and with headings of an export: it stays, and is named."""
    given = f"{_MEMBERS}C017,2024-01,,2024-01-05,x\n"
    (folder / "gone.csv").write_text(given)
    assert main(["forget", "--ids-file", str(folder / "gone.csv"), str(folder), "--json"]) == 0
    (one,) = json.loads(capsys.readouterr().out)["left"]
    assert one == {"path": "gone.csv", "why": "the list of ids itself: delete it when all is done"}
    assert (folder / "gone.csv").read_text() == given


@pytest.mark.parametrize("command", [["forget", "--ids-file", "gone.txt"], ["verify"]])
def test_an_empty_name_is_no_folder(
    command: list[str], folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A variable of the shell that is not set does not mean the folder one is in."""
    monkeypatch.chdir(folder.parent)
    assert main([*command, ""]) == 2
    assert "is a variable of the shell unset?" in capsys.readouterr().err


@pytest.mark.parametrize("others", ["C001\n", ""])
def test_another_list_does_not_end_an_interrupted_forget(
    others: str, ran: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """forgetting.json knows its list by a digest in which no id can be read: any other list is 65, and nothing is done."""
    shutil.copy(ran / "rfm.parquet", folder)
    journal.begin(folder, journal.Begun({}, run=True), {"C017", "C023"})
    kept = (folder / journal.NAME).read_bytes()
    assert b"C017" not in kept
    (folder.parent / "others.txt").write_text(others)
    assert main(["forget", "--ids-file", str(folder.parent / "others.txt"), str(folder)]) == 65
    assert "had another list of ids" in capsys.readouterr().err
    assert (folder / journal.NAME).read_bytes() == kept
    assert (folder / "rfm.parquet").read_bytes() == (ran / "rfm.parquet").read_bytes()
    left_by(folder, capsys)
    assert not (folder / journal.NAME).exists()


def test_a_single_tables_footer_keeps_no_number_of_theirs(ran: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Neither what was learned nor what its ancestors counted, which lie elsewhere: the largest spend is one person's."""
    shutil.copy(ran / "customers.parquet", folder)
    (folder.parent / "gone.txt").write_text("C039\n")
    most = str(pl.read_parquet(folder / "customers.parquet").filter(pl.col("customer_id") == "C039")["spend"].item())
    assert most in str(pl.read_parquet_metadata(folder / "customers.parquet"))
    left_by(folder, capsys)
    told = pl.read_parquet_metadata(folder / "customers.parquet")[facts.KEY]
    assert most not in told
    found = facts.parse(told, "customers.parquet")
    assert (found.learned, found.metrics) == (None, {})
    assert not any({"rows", "amount", "metrics", "learned", "warnings"} & set(one) for one in found.ancestors)
    assert main(["verify", str(folder / "customers.parquet"), "-q"]) == 0


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"A&amp;B rang", True), ("金丝雀 rang".encode("gb18030"), True), ("A&B".encode("utf-16"), True),
        ("A&B".encode("utf-32"), True), (b"A&Bc", False),
        ("\ufeff".encode() + "e\u0301ve".encode(), True), (b"\0\1", None),
        (bz2.compress(b"A&B"), None), (zipped(("a.xml", b"<x/>"), ("b.csv", b"A&B")), True), (zipped(("a.gz", b"\0"),), None),
        (zipped(("a.xml", b"<x/>" * 99)).replace(b"a.xml", b"b.xml", 1), None),
        (zipped(("a.png", b"\0"), ("b.xml", b"A&amp;B")), True),
    ],
)  # fmt: skip
def test_a_mention_is_seen_in_the_usual_encodings(content: bytes, said: bool | None, tmp_path: Path) -> None:
    """Escaped as in a page, in Chinese or two bytes a sign; what is packed is said not to be looked into."""
    (tmp_path / "note").write_bytes(content)
    told = mentions.said_of(tmp_path / "note", frozenset({"A&B", "金丝雀", "éve"}))
    assert told == {True: "; it names one of them", False: "", None: "; packed or large, not looked into"}[said]
