"""A Parquet file as it describes itself, whoever wrote it; no content of it raises."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from types import SimpleNamespace

import polars as pl
import pytest

from clm.errors import InputError
from clm.storage.examined import Examined, examine

TABLE = pl.DataFrame({"a": [1, 2, 3], "b": ["x", None, "z"]})


def test_columns_rows_and_the_text_of_the_footer(tmp_path: Path) -> None:
    """Row groups are added up; without a clm footer there is no text; one that is no UTF-8 opens nowhere."""
    path = tmp_path / "[x].parquet"
    TABLE.write_parquet(path, row_group_size=2, metadata={"clm": '{"a":"é"}'})
    assert examine(path) == Examined(TABLE.schema, 3, '{"a":"é"}')
    path.write_bytes(path.read_bytes().replace("é".encode(), b"\xff\xfe"))
    assert examine(path) is None
    TABLE.write_parquet(path)
    assert examine(path) == Examined(TABLE.schema, 3, None)
    TABLE.clear().write_parquet(path)
    assert examine(path) == Examined(TABLE.schema, 0, None)


@pytest.mark.parametrize("content", [b"", b"PAR1", b"a,b\n1,2\n", b"PAR1" + b"\0" * 20 + b"PAR1"])
def test_what_no_reader_opens_is_an_answer(content: bytes, tmp_path: Path) -> None:
    """None, whatever it is."""
    (tmp_path / "x.parquet").write_bytes(content)
    assert examine(tmp_path / "x.parquet") is None


def test_a_file_cut_anywhere_is_no_table(tmp_path: Path) -> None:
    """From its first byte to its last but one."""
    path = tmp_path / "x.parquet"
    TABLE.write_parquet(path)
    whole = path.read_bytes()
    for size in range(0, len(whole), 17):
        path.write_bytes(whole[:size])
        assert examine(path) is None, size


def test_row_groups_that_add_up_to_another_number_are_no_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sum in the footer and those of its parts are two numbers, and may both lie."""
    import pyarrow.parquet as pq

    def told(rows: int, groups: tuple[int, ...], _: Path) -> SimpleNamespace:
        parts = [SimpleNamespace(num_rows=one) for one in groups]
        return SimpleNamespace(num_rows=rows, num_row_groups=len(groups), row_group=parts.__getitem__, metadata=None)

    TABLE.write_parquet(tmp_path / "x.parquet")
    for rows, groups, good in (
        (3, (1, 2), True),
        (3, (1, 1), False),
        (3, (2, 2), False),
        (-3, (-1, -2), False),
        (-1, (-1,), False),
        (0, (0, 0), True),
    ):
        monkeypatch.setattr(pq, "read_metadata", partial(told, rows, groups))
        assert (examine(tmp_path / "x.parquet") is not None) is good, (rows, groups)


def test_what_cannot_be_read_at_all_is_said(tmp_path: Path) -> None:
    """No file there, or a folder: the operating system's word, not a verdict on a content."""
    for path in (tmp_path / "none.parquet", tmp_path):
        with pytest.raises(InputError):
            examine(path)
