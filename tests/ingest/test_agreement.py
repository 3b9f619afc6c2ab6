"""The scoring of readers is fair and strict, and clm's figures are what the README says."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs import generate
from tests.ingest.agreement import Cells, score, scores

HEADER = ("a", "b")
ROWS = (("1", "x"), ("2", "y"), ("3", "z"))


def cells(rows: tuple[tuple[str, ...], ...] = ROWS, header: tuple[str, ...] = HEADER, **more: object) -> Cells:
    lines = more.pop("lines", range(2, 2 + len(rows)))
    return Cells(header, rows, tuple(lines), **more)  # type: ignore[arg-type, call-overload]


def test_the_same_cells_agree() -> None:
    """Everything right is 1, and nothing is wrong."""
    assert score(cells(), HEADER, ROWS) == score(cells((*ROWS, ("", ""))), HEADER, ROWS)
    assert score(cells(), HEADER, ROWS).f1 == 1
    assert score(cells(), HEADER, ROWS).wrong is None


def test_a_wrong_cell_is_never_said() -> None:
    """No reject elsewhere makes up for a cell that is wrong in a good row."""
    found = score(cells((ROWS[0], ("2", "?"), ROWS[2]), rejects=((9, "quote"),)), HEADER, ROWS)
    assert found.wrong == "1 cells of row 2"
    assert found.f1 == pytest.approx(2 * 7 / 16)


@pytest.mark.parametrize(
    ("rejects", "wrong"),
    [((), "1 rows missing before row 2"), (((3, "fields_few"),), None), (((5, "fields_few"),), "1 rows missing before row 2"),
     (((3, "blank_row"),), "1 rows missing before row 2")],
)  # fmt: skip
def test_a_row_missing_is_said_by_a_reject_in_its_place(rejects: tuple[tuple[int, str], ...], wrong: str | None) -> None:
    """A reject between the neighbours says it; one elsewhere, or of an empty row, does not."""
    found = score(cells((ROWS[0], ROWS[2]), lines=(2, 4), rejects=rejects), HEADER, ROWS)
    assert found.wrong == wrong
    assert found.f1 == pytest.approx(2 * 6 / 14)


def test_a_row_too_many_is_said_only_by_a_second_header() -> None:
    """What stands below the table is content nobody asked for, unless a repeated header announces it."""
    more = (*ROWS, ("4", "w"))
    assert score(cells(more), HEADER, ROWS).wrong == "1 rows too many before row 4"
    assert score(cells(more, lines=(2, 3, 4, 6), rejects=((5, "header_repeat"),)), HEADER, ROWS).wrong is None


def test_names_are_wrong_unless_the_evidence_speaks_of_them() -> None:
    """A header taken from another line is wrong; made-up names are right only where there are none."""
    assert score(cells(header=("1", "x")), HEADER, ROWS).wrong == "column names"
    assert score(cells(header=("#1", "#2")), HEADER, ROWS).wrong == "column names"
    assert score(cells(header=("#1", "#2"), said_header=True), HEADER, ROWS).wrong is None
    assert score(cells(header=("#1", "#2")), ("col_0", "col_1"), ROWS).f1 == 1
    assert score(cells(header=("a", "a (2)")), ("a", "a"), ROWS).f1 == 1


def test_refused_files_agree_only_on_nothing() -> None:
    """An error gives no cells: right for an empty file, no agreement for any other, and never wrong unsaid."""
    assert (score(Cells(refused="x"), HEADER, ROWS).f1, score(Cells(refused="empty"), (), ()).f1) == (0, 1)
    assert score(Cells(refused="x"), HEADER, ROWS).wrong is None


def test_every_file_is_right_or_says_what_is_missing(shared_data: Path) -> None:
    """No file of known content is wrong unsaid, one is refused (it is empty), and the cells agree."""
    found = scores(shared_data / "csv-oddities", "clm")
    assert len(found) == 50
    assert {name: one.wrong for name, one in found.items() if one.wrong} == {}
    assert [name for name, one in found.items() if one.refused] == ["file_no_payload.csv"]
    assert sum(one.f1 for one in found.values()) / len(found) > 0.99


@pytest.mark.slow
def test_the_table_in_the_readme_is_fresh(shared_data: Path) -> None:
    """`make docs` would change nothing: clm, pandas, DuckDB and Polars measured in one run."""
    pytest.importorskip("duckdb")
    pytest.importorskip("pandas")
    text = generate.README.read_text("utf-8")
    assert "<!-- generated: reading-agreement -->" in text
    table = generate.MEASURED["reading-agreement"](shared_data)
    assert table in text
