"""Cell suppression on its own: what is withheld cannot be worked out from what is not."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from clm.report.disclosure import Cell, Line, withheld

LEAST = 5


def _told(lines: list[Line], gone: set[Cell], cell: Cell) -> bool:
    """Whether the lines leave one value for the cell: adding it to the equations does not raise their rank."""
    order = sorted(gone, key=str)
    rows = []
    for line in lines:
        row = np.zeros(len(order))
        for one, sign in ((line.total, -1.0), *((part, 1.0) for part in line.parts)):
            if one in gone:
                row[order.index(one)] += sign
        rows.append(row)
    own = np.array([1.0 if one == cell else 0.0 for one in order])
    matrix = np.array(rows)
    return bool(np.linalg.matrix_rank(np.vstack([matrix, own])) == np.linalg.matrix_rank(matrix))


def _table(counts: list[list[int]]) -> tuple[dict[Cell, int], list[Line]]:
    """A table of counts with its margins and its grand total, every one of them shown."""
    sizes: dict[Cell, int] = {("all",): sum(map(sum, counts))}
    rows, columns = range(len(counts)), range(len(counts[0]))
    sizes |= {("row", str(at)): sum(counts[at]) for at in rows}
    sizes |= {("column", str(at)): sum(line[at] for line in counts) for at in columns}
    sizes |= {("cell", str(a), str(b)): counts[a][b] for a in rows for b in columns}
    lines = [Line(("row", str(a)), tuple(("cell", str(a), str(b)) for b in columns)) for a in rows]
    lines += [Line(("column", str(b)), tuple(("cell", str(a), str(b)) for a in rows)) for b in columns]
    lines.append(Line(("all",), tuple(("row", str(a)) for a in rows)))
    lines.append(Line(("all",), tuple(("column", str(b)) for b in columns)))
    return sizes, lines


def test_a_small_part_takes_the_smallest_other_along() -> None:
    """1 + 7 + 90 = 98: with 1 alone withheld the total would tell it, so 7 goes too and 90 stays."""
    sizes: dict[Cell, int] = {("all",): 98, ("a",): 90, ("b",): 1, ("c",): 7}
    assert withheld(sizes, [Line(("all",), (("a",), ("b",), ("c",)))], LEAST) == {("b",), ("c",)}


def test_two_small_parts_that_are_few_together_take_a_third() -> None:
    """1 + 2 withheld would leave 3 people to be told of: fewer than five."""
    sizes: dict[Cell, int] = {("all",): 30, ("a",): 1, ("b",): 2, ("c",): 7, ("d",): 20}
    line = Line(("all",), (("a",), ("b",), ("c",), ("d",)))
    assert withheld(sizes, [line], LEAST) == {("a",), ("b",), ("c",)}
    sizes |= {("a",): 4, ("b",): 4, ("c",): 2}
    assert withheld(sizes, [line], LEAST) == {("a",), ("b",), ("c",)}


def test_nobody_is_not_few() -> None:
    """A true 0 is shown, and hides nothing of its line; without small cells everything is."""
    sizes: dict[Cell, int] = {("all",): 12, ("a",): 12, ("b",): 0}
    line = Line(("all",), (("a",), ("b",)))
    assert withheld(sizes, [line], LEAST) == set()
    small: dict[Cell, int] = {("all",): 12, ("a",): 2, ("b",): 0, ("c",): 10}
    assert withheld(small, [Line(("all",), (("a",), ("b",), ("c",)))], LEAST) == {("a",), ("c",)}


def test_what_is_left_of_a_shown_cell_is_a_cell_too() -> None:
    """97 of 98 came again: the one who did not is told by the 97, so they go; a known total stays."""
    sizes: dict[Cell, int] = {("all",): 98, ("again",): 97, ("once",): 1}
    line = Line(("all",), (("again",), ("once",)))
    assert withheld(sizes, [line], LEAST, known={("all",)}, never_shown={("once",)}) == {("again",), ("once",)}


def test_two_lines_may_not_tell_together_what_neither_tells() -> None:
    """a + b is told by one line, b by another: then a is told, though two cells of its line are withheld."""
    sizes: dict[Cell, int] = {("x",): 12, ("a",): 2, ("b",): 10, ("y",): 30, ("c",): 20, ("d",): 9, ("z",): 29}
    lines = [Line(("x",), (("a",), ("b",))), Line(("y",), (("b",), ("c",))), Line(("z",), (("c",), ("d",)))]
    gone = withheld(sizes, lines, LEAST)
    assert {("a",), ("b",)} < gone
    assert not _told(lines, gone, ("a",))


@given(st.lists(st.lists(st.integers(0, 12), min_size=3, max_size=3), min_size=2, max_size=4))
def test_no_table_tells_its_small_cells(counts: list[list[int]]) -> None:
    """Whatever the counts: no small cell is shown or follows from the margins, and what a line hides is five people or none."""
    sizes, lines = _table(counts)
    gone = withheld(sizes, lines, LEAST)
    small = {cell for cell, size in sizes.items() if 0 < size < LEAST}
    assert small <= gone
    assert not [cell for cell in small if _told(lines, gone, cell)]
    for line in lines:
        hidden = [part for part in line.parts if part in gone and sizes[part]]
        if line.total not in gone and small & set(hidden):
            assert len(hidden) > 1
            assert sum(sizes[part] for part in hidden) >= LEAST


@given(st.lists(st.integers(0, 40), min_size=2, max_size=8), st.integers(0, 9))
def test_shown_cells_and_the_others_make_the_total(parts: list[int], least: int) -> None:
    """One line: what is shown, and one cell for the others, add up to the total; nothing goes where nothing is small."""
    names: list[Cell] = [(str(at),) for at in range(len(parts))]
    sizes: dict[Cell, int] = {("all",): sum(parts)} | dict(zip(names, parts, strict=True))
    gone = withheld(sizes, [Line(("all",), tuple(names))], least)
    others = sizes[("all",)] - sum(sizes[name] for name in names if name not in gone)
    if ("all",) not in gone:
        assert others == 0 or others >= least
    if not any(0 < part < least for part in parts):
        assert gone == ({("all",)} if 0 < sum(parts) < least else set())
