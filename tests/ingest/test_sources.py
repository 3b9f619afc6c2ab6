"""Which files are meant, and their bytes unpacked."""

from __future__ import annotations

import bz2
import errno
import gzip
import hashlib
import lzma
import os
import threading
import zipfile
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import pytest

from clm.errors import DataError, InputError, UsageError
from clm.ingest import extents, parquet, shipped, sources, workbook
from tests.ingest import books


def names(*inputs: str | Path) -> list[str]:
    return [source.name for source in sources.find(inputs)]


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    for name in ("b.csv", "a.csv", "c.csv.gz", "d.xlsx", "e.jsonl.xz", "notes.md", ".hidden.csv"):
        (tmp_path / name).write_bytes(name.encode())
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "d.csv").write_bytes(b"d")
    return tmp_path


def test_a_folder_means_its_order_files_sorted(shop: Path) -> None:
    """Files that look like logs by their suffix, not hidden ones, not subfolders."""
    assert names(shop) == ["a.csv", "b.csv", "c.csv.gz", "d.xlsx", "e.jsonl.xz"]


def test_what_a_folder_holds_beside_logs_is_told_by_name(shop: Path) -> None:
    """Files of other kinds and subfolders, but not hidden ones nor the lock of an open workbook, which no pattern means."""
    (shop / "~$d.xlsx").write_bytes(b"somebody")
    (shop / "f.JSON").write_bytes(b"[]")
    assert names(shop)[-1] == "f.JSON"
    assert sources.left_out([shop, shop / "a.csv"]) == ["notes.md", "sub/"]
    assert names(shop / "~$d.xlsx", shop / "d.xlsx") == ["d.xlsx"]
    assert names(shop / "~$d.xlsx") == ["~$d.xlsx"]


def test_a_pattern_means_what_it_matches_and_order_is_kept(shop: Path) -> None:
    """Inputs stay in the order given; within a pattern they are sorted."""
    assert names(shop / "notes.md", shop / "[ab].csv") == ["notes.md", "a.csv", "b.csv"]


def test_a_name_with_pattern_characters_is_a_name_first(tmp_path: Path) -> None:
    """A file that really is called so is read, not matched."""
    (tmp_path / "[ab].csv").write_bytes(b"x")
    (tmp_path / "a.csv").write_bytes(b"y")
    assert names(tmp_path / "[ab].csv") == ["[ab].csv"]


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    """No file, nothing matched, an empty folder, no input at all."""
    for missing in (tmp_path / "no.csv", tmp_path / "*.csv", tmp_path):
        with pytest.raises(InputError):
            sources.find([missing])
    with pytest.raises(InputError, match="no input"):
        sources.find([])


def test_sources_are_weighed_and_repeats_marked(tmp_path: Path) -> None:
    """Bytes and SHA-256 go into footers, the path does not; the same bytes again are marked."""
    (tmp_path / "a.csv").write_bytes(b"same")
    (tmp_path / "b.csv").write_bytes(b"same")
    first, second = sources.find([tmp_path / "a.csv", tmp_path / "b.csv"])
    assert first.to_json() == {"source": "a.csv", "bytes": 4, "sha256": hashlib.sha256(b"same").hexdigest()}
    assert (first.repeats, second.repeats) == (False, True)


def test_a_file_that_grows_while_it_is_read_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What its hash covers is not what was found: no output may name it as its source."""
    (tmp_path / "a.csv").write_bytes(b"same")
    monkeypatch.setattr(sources, "_weigh", lambda _path: (3, "text", 0))
    (source,) = sources.find([tmp_path / "a.csv"])
    with pytest.raises(DataError, match="3 bytes have become 4"):
        source.to_json()


def test_a_spooled_input_takes_the_name_it_is_given(tmp_path: Path) -> None:
    """Standard input has no name of its own; the temporary's must not show."""
    (tmp_path / "tmp123").write_bytes(b"x")
    assert sources.find([tmp_path / "tmp123"], {tmp_path / "tmp123": "-"})[0].name == "-"


def test_an_empty_name_is_a_slip_of_the_shell(tmp_path: Path) -> None:
    """An unset variable must not mean every file of the current folder."""
    with pytest.raises(UsageError, match="shell variable unset"):
        sources.find([tmp_path / "a.csv", ""])


def test_what_can_be_read_once_is_copied_once(tmp_path: Path) -> None:
    """A FIFO keeps its name, its bytes go to the folder for copies, and finding it again reads no second time."""
    fifo, spool = tmp_path / "pipe", tmp_path / "spool"
    spool.mkdir()
    os.mkfifo(fifo)
    writer = threading.Thread(target=fifo.write_bytes, args=(b"a,b\n1,2\n",))
    writer.start()
    (first,) = sources.find([fifo], spool=spool)
    writer.join()
    (again,) = sources.find([fifo], spool=spool)
    assert first == again
    assert first.name == "pipe"
    assert b"".join(sources.blocks(first)) == b"a,b\n1,2\n"
    with pytest.raises(InputError, match="no regular file"):
        sources.find([fifo])


def test_a_name_that_is_no_text_is_shown_as_text(tmp_path: Path) -> None:
    """Bytes of a file name that are not UTF-8 become U+FFFD where the name travels; the file is read by its bytes."""
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/bad\xff.csv"))
    path.write_bytes(b"x")
    (source,) = sources.find([tmp_path])
    assert source.name == "bad\ufffd.csv"
    assert b"".join(sources.blocks(source)) == b"x"
    path.unlink()
    with pytest.raises(InputError) as caught:
        sources.find([path])
    str(caught.value).encode()


def unpacked(path: Path) -> bytes:
    return b"".join(sources.blocks(sources.find([path])[0]))


def test_packing_is_known_by_the_bytes_not_the_name(tmp_path: Path) -> None:
    """gzip (several members too), bzip2 and a zip of one file come out as their content, whatever they are called."""
    import pyarrow as pa

    (tmp_path / "a").write_bytes(gzip.compress(b"one") + gzip.compress(b" two"))
    (tmp_path / "b").write_bytes(bz2.compress(b"one two"))
    with zipfile.ZipFile(tmp_path / "c", "w") as archive:
        archive.writestr("inner/orders.csv", b"one two")
    (tmp_path / "d").write_bytes(pa.compress(b"one two", codec="zstd", asbytes=True))
    (tmp_path / "e").write_bytes(b"one two")
    (tmp_path / "f").write_bytes(lzma.compress(b"one two"))
    assert [unpacked(tmp_path / name) for name in "abcdef"] == [b"one two"] * 6


def test_a_packed_file_cut_off_is_said_to_be(tmp_path: Path) -> None:
    """A download that stopped half-way is an answer, not a traceback."""
    for name, pack in (("a.gz", gzip.compress), ("b.bz2", bz2.compress), ("c.xz", lzma.compress)):
        data = pack(b"text" * 5000)
        (tmp_path / name).write_bytes(data[: len(data) // 2])
        with pytest.raises(DataError, match="cut off or damaged"):
            unpacked(tmp_path / name)
    (tmp_path / "c.gz").write_bytes(gzip.compress(b"text" * 5000)[:20] + b"rubbish" * 10)
    with pytest.raises(DataError, match="cut off or damaged"):
        unpacked(tmp_path / "c.gz")


def test_a_zip_of_several_or_protected_files_is_refused_with_a_way_out(tmp_path: Path) -> None:
    """What clm cannot take says what to do instead; a document that is no workbook is a zip of several files too."""
    for name, members in (("two.zip", ("a.csv", "b.csv")), ("text.docx", ("[Content_Types].xml", "word/document.xml"))):
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            for member in members:
                archive.writestr(member, b"1")
        with pytest.raises(DataError, match="holds 2 files"):
            unpacked(tmp_path / name)
    with zipfile.ZipFile(tmp_path / "one.zip", "w") as archive:
        archive.writestr("a.csv", b"1")
    data = bytearray((tmp_path / "one.zip").read_bytes())
    data[data.index(b"PK\1\2") + 8] |= 1
    (tmp_path / "one.zip").write_bytes(data)
    with pytest.raises(DataError, match="protected by a password"):
        unpacked(tmp_path / "one.zip")


def test_a_zip_made_on_a_mac_holds_one_file(tmp_path: Path) -> None:
    """The forks that macOS packs beside each file are no files of anybody's."""
    with zipfile.ZipFile(tmp_path / "mac.zip", "w") as archive:
        archive.writestr("orders/a.csv", b"1")
        archive.writestr("__MACOSX/orders/._a.csv", b"fork")
        archive.writestr("orders/.DS_Store", b"fork")
    assert unpacked(tmp_path / "mac.zip") == b"1"


def test_a_workbook_is_known_by_its_bytes(tmp_path: Path) -> None:
    """Whatever it is called; what is in a zip file decides what it is."""
    members = {"xlsx": {"[Content_Types].xml": b"", "xl/workbook.xml": b""}, "zip": {"mimetype": b"text", "content.xml": b""}}
    members["ods"] = {"mimetype": b"application/vnd.oasis.opendocument.spreadsheet", "content.xml": b""}
    for kind, inside in members.items():
        with zipfile.ZipFile(tmp_path / f"{kind}.csv", "w") as archive:
            for name, content in inside.items():
                archive.writestr(name, content)
    (tmp_path / "xls.csv").write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
    (tmp_path / "text.csv").write_bytes(b"PK,\n")
    found = sources.find([tmp_path])
    assert [source.kind for source in found] == [source.name.removesuffix(".csv") for source in found]


def test_a_bomb_is_refused_before_it_fills_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that swells beyond two hundred times its size is not unpacked further."""
    monkeypatch.setattr(sources, "_RATIO_FROM", 2**20)
    (tmp_path / "bomb.gz").write_bytes(gzip.compress(b"\0" * 2**25))
    with pytest.raises(DataError, match="times its size"):
        unpacked(tmp_path / "bomb.gz")


def gone(path: Path) -> sources.Source:
    """A file that was there when it was looked for."""
    (found,) = sources.find([path])
    found.digest.exception()  # its bytes have been read
    path.unlink()
    return found


def test_a_file_that_goes_away_is_said_by_whoever_reads_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Text, Parquet and workbooks of each kind: 66 with the name, whichever part of clm notices."""
    (tmp_path / "a.csv").write_bytes(b"customer,date\n")
    (tmp_path / "b.parquet").write_bytes(b"PAR1" + bytes(8))
    books.ods(tmp_path / "c.ods", {"Orders": books.ods_row(["customer"])})
    books.xls(tmp_path / "d.xls", [["customer"]])
    text, table, new, old = [gone(tmp_path / name) for name in ("a.csv", "b.parquet", "c.ods", "d.xls")]
    readers: list[Callable[[], object]] = [
        lambda: list(sources.blocks(text)),
        text.check_unchanged,
        lambda: parquet.read(table),
        lambda: extents.of(new),
        lambda: extents.of(old),
    ]
    for reader in readers:
        with pytest.raises(InputError, match="cannot be read: No such file"):
            reader()
    monkeypatch.setattr(extents, "of", lambda _source: None)  # it was still there when it was measured
    with pytest.raises(InputError, match="cannot be read: No such file"):
        workbook.read(new, None, None)


def test_what_may_not_be_read_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder nobody may look into, a file nobody may open, one whose bytes end in an error of the disk."""

    def refused(*_: object, **__: object) -> NoReturn:
        raise PermissionError(errno.EACCES, "Permission denied")

    (tmp_path / "a.csv").write_bytes(b"x")
    (source,) = sources.find([tmp_path / "a.csv"])
    source.to_json()
    broken: Future[str] = Future()
    broken.set_exception(OSError(errno.EIO, "Input/output error"))
    with pytest.raises(InputError, match=r"a\.csv cannot be read: Input/output error"):
        replace(source, digest=broken).to_json()
    with monkeypatch.context() as patch:
        patch.setattr(Path, "iterdir", refused)
        with pytest.raises(InputError, match="cannot be read: Permission denied"):
            sources.find([tmp_path])
    monkeypatch.setattr(Path, "open", refused)
    with pytest.raises(InputError, match="cannot be read: Permission denied"):
        sources.find([tmp_path / "a.csv"])


def test_a_file_written_to_after_it_was_found_is_told(tmp_path: Path) -> None:
    """Once all is read: the same size at another time is a change too."""
    (tmp_path / "a.csv").write_bytes(b"same")
    (source,) = sources.find([tmp_path / "a.csv"])
    source.check_unchanged()
    os.utime(tmp_path / "a.csv", ns=(1, 1))
    with pytest.raises(DataError, match="somebody writes to it"):
        source.check_unchanged()


def test_the_demo_log_says_when_it_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    """An installation without its data set is told as such."""
    monkeypatch.setattr(shipped.util, "find_spec", lambda _name: None)
    with pytest.raises(InputError, match="the demo log is missing"):
        shipped.cdnow_master()
