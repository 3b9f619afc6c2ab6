"""Files that hold more than one plain table: other columns half way, lines above and below, nothing that is an order."""

from __future__ import annotations

from pathlib import Path

import pytest

from clm.errors import DataError
from tests.cleaning import Cleaned, clean_files, clean_text

HEAD = "Order ID,Customer ID,Date,Tax,Amount\n"


def orders(number: int, start: int = 0, tail: str = "1.00,20.50") -> str:
    return "".join(f"{start + one},C{one % 4},2024-01-{one % 28 + 1:02d},{tail}\n" for one in range(number))


def notices(done: Cleaned) -> dict[str, str]:
    return {notice.code: notice.text for notice in done.settled.outcome.warnings}


@pytest.mark.parametrize(
    "again",
    ["Order ID,Customer ID,Date,Amount,Tax", "Date,Order ID,Customer ID,Tax,Amount", "order id,customer id,date,amount,discount"],
)
def test_columns_that_change_places_half_way_are_refused_with_the_line(again: str, tmp_path: Path) -> None:
    """A second header with the names in another order: what follows would be read as something else."""
    refusal = clean_text(f"{HEAD}{orders(40)}{again}\n{orders(20, 100)}", tmp_path).settled.refusal
    assert refusal is not None
    assert refusal.code == "columns_move"
    assert refusal.where == "orders.csv, line 42"


def test_a_header_that_comes_again_as_it_was_is_a_reject(tmp_path: Path) -> None:
    """The same names in the same places move nothing, and neither does a value that is called like a column."""
    done = clean_text(f"{HEAD}{orders(20)}{HEAD}{orders(20, 100)}9,Date,,1.00,3.00\n", tmp_path)
    assert done.settled.refusal is None
    assert done.reasons == {22: "header_repeat", 43: "date"}


@pytest.mark.parametrize("rows", [6, 80])
@pytest.mark.parametrize("between", ["", "\n"])
def test_an_export_that_gained_a_column_is_refused(rows: int, between: str, tmp_path: Path) -> None:
    """The orders above the wider header are no preamble: 65 with the line at which to cut, at which both parts are read."""
    first = "Order ID,Customer ID,Date,Amount\n" + orders(rows, tail="20.50")
    second = HEAD + orders(100, 100)
    with pytest.raises(DataError) as refused:
        clean_text(first + between + second, tmp_path)
    assert refused.value.code == "tables"
    assert f"line {2 + rows + len(between)} " in refused.value.what
    assert clean_text(first, tmp_path).rows.height == rows
    assert clean_text(second, tmp_path).rows.height == 100


def test_many_records_above_the_header_are_refused_whatever_they_are_called(tmp_path: Path) -> None:
    """A table of another kind, long enough to be the log itself."""
    with pytest.raises(DataError) as refused:
        clean_text("day,total,n\n" + "2024-03-01,5.00,1\n" * 11 + HEAD + orders(100), tmp_path)
    assert refused.value.code == "tables"


def test_lines_left_out_above_the_header_are_said(tmp_path: Path) -> None:
    """A summary of a few lines is left out with a notice that names its lines; a title and a period need none."""
    text = "Month,Orders,Total\n2024-01,5,100\n2024-02,5,100\n2024-03,5,100\n\n" + HEAD + orders(20)
    done = clean_text(text, tmp_path)
    assert done.rows.height == 20
    assert notices(done)["lines_left_out"].startswith("4 lines, from line 1 to line 4 of orders.csv")
    assert "lines_left_out" not in notices(clean_text("Orders of the shop\nPeriod,2024-01\n" + HEAD + orders(20), tmp_path))


def test_what_a_folder_holds_beside_logs_is_said(tmp_path: Path) -> None:
    """The names of files not read and of subfolders, a few of them; nothing is said when every file is read."""
    folder = tmp_path / "shop"
    (folder / "feb").mkdir(parents=True)
    (folder / "jan.csv").write_text(HEAD + orders(20))
    for name in ("a.htm", "b.md", "c.md", "d.md", "e.md"):
        (folder / name).write_text("x")
    said = notices(clean_files([folder], tmp_path))["files_left_out"]
    assert said.startswith("6 names not read: a.htm, b.md, c.md, d.md, e.md, …")
    assert "files_left_out" not in notices(clean_files([folder / "jan.csv"], tmp_path))


FOOT = "Exported on 2024-04-01\nPage 1 of 3\n"


@pytest.mark.parametrize("foot", [f",,,,\nTotal,,,,560.00\n{FOOT}", "Exported on 2024-04-01,,,,\nby the shop,,,,\n\n"])
def test_lines_below_the_last_record_are_rejects_that_spoil_nothing(foot: str, tmp_path: Path) -> None:
    """Two lines of a footer are more than 5 % of a small log: told as rejects, and the log is good all the same."""
    done = clean_text(HEAD + orders(28) + foot, tmp_path)
    assert done.settled.refusal is None
    assert done.rows.height == 28
    assert done.rejects.height >= 2


@pytest.mark.parametrize("bad", ["1,C1,2024-03-01\n" * 6, "1,C1,2024-03-01\n" * 3 + orders(1, 99)])
def test_lines_that_could_be_records_count_as_unread(bad: str, tmp_path: Path) -> None:
    """Many lines and lines between records are no footer."""
    refusal = clean_text(HEAD + orders(28) + bad, tmp_path).settled.refusal
    assert refusal is not None
    assert refusal.code == "too_many_rejects"


def test_a_log_of_which_nothing_is_left_is_refused(tmp_path: Path) -> None:
    """No customer on any row: 65 with the reason and the column, and every row is a reject; a header alone is an empty log."""
    done = clean_text(HEAD + "".join(f"{one},,2024-01-02,1.00,2.00\n" for one in range(9)), tmp_path)
    assert done.settled.refusal is not None
    assert done.settled.refusal.code == "nothing_left"
    assert done.settled.refusal.what == "nothing is left of 9 rows: 9 no customer id."
    assert done.settled.refusal.where == "column Customer ID"
    assert done.rejects.height == 9
    assert clean_text(HEAD + "\n,,,,\n", tmp_path).settled.refusal is None
