"""The seal by itself: every byte of a file is under it, and a file without one says so."""

from __future__ import annotations

import hashlib
from pathlib import Path

import polars as pl
import pytest

from clm.storage import seal

TEXT = seal.blank('{"table":"TRANSACTIONS"}')


def sealed(path: Path, text: str = TEXT) -> str:
    """A small sealed table; the text of its footer as a reader finds it."""
    pl.DataFrame({"a": [1, 2]}).write_parquet(path, metadata={"clm": text})
    seal.put(path, text)
    return pl.read_parquet_metadata(path)["clm"]


def test_the_seal_is_the_hash_of_the_file_with_zeros_in_its_place(tmp_path: Path) -> None:
    """As anybody can work it out, in as many pieces as the file is read in."""
    text = sealed(tmp_path / "x.parquet")
    told = text[-len('"}') - 64 : -len('"}')]
    whole = (tmp_path / "x.parquet").read_bytes()
    assert hashlib.sha256(whole.replace(told.encode(), b"0" * 64)).hexdigest() == told
    assert text == TEXT.replace("0" * 64, told)
    assert seal.kept(tmp_path / "x.parquet", text) is True


def test_a_file_longer_than_what_is_read_at_once_is_sealed_whole(tmp_path: Path) -> None:
    """A byte of every piece counts."""
    path = tmp_path / "x.parquet"
    pl.DataFrame({"a": pl.Series(range(400_000)).hash()}).write_parquet(path, metadata={"clm": TEXT}, compression="uncompressed")
    seal.put(path, TEXT)
    text, whole = pl.read_parquet_metadata(path)["clm"], path.read_bytes()
    assert len(whole) > 3 << 20
    assert seal.kept(path, text) is True
    for at in (4, 1 << 20, (1 << 20) - 1, 5 << 19, len(whole) - 9000):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        assert seal.kept(path, text) is False, at


def test_no_byte_can_be_changed_unseen(tmp_path: Path) -> None:
    """Bytes all over it, the last ones all; or a byte more at its end."""
    path = tmp_path / "x.parquet"
    text = sealed(path)
    whole = path.read_bytes()
    for at in (*range(0, len(whole) - 100, 13), *range(len(whole) - 100, len(whole))):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        assert not seal.kept(path, text), at
    path.write_bytes(whole + b"\0")
    assert not seal.kept(path, text)


def test_a_file_without_a_seal_or_with_another_text_says_so(tmp_path: Path) -> None:
    """None without one; False where the file does not hold the text, or hardly anything at all."""
    path = tmp_path / "x.parquet"
    text = sealed(path)
    assert seal.kept(path, '{"table":"TRANSACTIONS"}') is None
    assert seal.kept(path, text + " ") is None
    assert seal.kept(path, text.replace("TRANSACTIONS", "CUSTOMERS")) is False
    for short in (b"", b"PAR1", path.read_bytes()[-20:]):
        path.write_bytes(short)
        assert seal.kept(path, text) is False


def test_a_footer_that_does_not_hold_the_text_is_never_sealed(tmp_path: Path) -> None:
    """The seal would be written into the middle of something else."""
    path = tmp_path / "x.parquet"
    sealed(path)
    whole = path.read_bytes()
    with pytest.raises(AssertionError):
        seal.put(path, seal.blank('{"table":"CUSTOMERS"}'))
    assert path.read_bytes() == whole
