"""Headers: which of the first records name the columns, and what is told about the others."""

from __future__ import annotations

import pytest

from clm.ingest import header
from clm.ingest.header import Header, Records


def records(*rows: str) -> Records:
    return [(line, row.split(",")) for line, row in enumerate(rows, 1)]


def find(width: int, *rows: str) -> Header:
    return header.find(records(*rows), width)


def test_the_first_full_record_names_the_columns() -> None:
    """Names hold no numbers and no dates; lines of another width above them are left out."""
    assert find(2, "id,name", "1,x") == Header(["id", "name"], 0, 1)
    assert find(2, "shop report", "made by hand,on,Monday", "id,name", "1,x", "2,y").at == 2
    assert find(2, "1,x", "2,y") == Header(None, 0, 0)
    assert find(3, "2024-01-02,x,y", "2024-01-03,x,y").names is None


def test_a_title_padded_with_separators_is_no_header() -> None:
    """One cell in a full row above names is a title; above numbers it is what it is."""
    assert find(3, "Sales of May,,", ",,", "id,name,amount", "1,x,2", "2,y,3") == Header(["id", "name", "amount"], 2, 3)
    assert find(3, "id,,", "1,x,2", "2,y,3").names is None


def test_names_one_short_fit_when_the_last_cell_is_always_empty() -> None:
    """Records that end in a separator have one field more than the header, and nothing in it."""
    assert find(3, "id,name", "1,x,", "2,y,") == Header(["id", "name", ""], 0, 1)
    assert find(2, "id,name,,", "1,x", "2,y") == Header(["id", "name"], 0, 1)


def test_names_that_do_not_fit_are_told_not_shifted() -> None:
    """One name too few over full records: which column has none cannot be known, so none is given."""
    found = find(3, "id,name", "1,x,5", "2,y,6")
    assert (found.names, found.at, found.spurned) == (None, 1, 1)


def test_groups_above_the_names_are_joined_to_them() -> None:
    """A row of groups with gaps, and the names under it, make one name each; a group goes on until the next one."""
    found = find(4, "Customer,,Order,", "Id,Name,Date,Amount", "1,x,2024-01-02,5.00", "2,y,2024-01-03,6.00")
    assert found.names == ["Customer Id", "Customer Name", "Order Date", "Order Amount"]
    assert (found.at, found.next, found.joined, found.below) == (1, 2, (1, 2), ())


def test_groups_of_groups_end_where_the_group_above_ends() -> None:
    """Three rows; a column that has its name in an upper row keeps it, and takes nothing from its left."""
    found = find(
        5, "Shop,Staff,,,Remarks", ",Pay,,Other,", ",Head,Time,Head,", "x,1,2,3,", "y,1,2,3,", "z,1,2,3,",
    )  # fmt: skip
    assert found.names == ["Shop", "Staff Pay Head", "Staff Pay Time", "Staff Other Head", "Remarks"]


def test_a_word_under_the_names_is_left_for_a_reject() -> None:
    """`Restated` over numbers is no record and no name."""
    found = find(3, ",,2013", "Segment,Staff,Total", ",,Restated", "x,1,2", "y,3,4", "z,5,6")
    assert found.names is None or found.below == ()
    found = find(4, ",,This,Last", "Segment,Staff,Total,Total", ",,,Restated", "x,1,2,5", "y,3,4,6", "z,5,6,7")
    assert found.names == ["Segment", "Staff", "This Total", "Last Total"]
    assert (found.joined, found.below) == ((1, 2), (3,))


@pytest.mark.parametrize(
    "rows",
    [
        ("id,name,city", "x,y,z", "u,v,w"),
        ("id,name,amount", "x,missing,missing", "u,v,3", "t,v,4"),
        ("id,,amount", "1,x,2", "2,y,3"),
    ],
)
def test_a_full_header_takes_nothing_from_the_records(rows: tuple[str, ...]) -> None:
    """Text in the first record, or a gap in the header, joins nothing."""
    assert find(3, *rows).joined == ()
    assert find(3, *rows).next == 1
