"""Which cells of a set of tables must be withheld so that none about few people is told, or can be worked out from the others.

It may not know what the cells are: a cell has a size in people, a line says which cells add up to another. Primary and
complementary cell suppression (Cox 1980, JASA 75, 377-385), with the exact audit of linear disclosure: a withheld cell is known
when the lines, with all that is shown put in, leave one value for it. Bounds are not audited.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

Cell = tuple[str | None, ...]
_Row = dict[Cell, int | Fraction]  # nearly all are 1 and -1, for which fractions are slow
_Cheapest = Callable[[Iterable[Cell]], Cell | None]


@dataclass(frozen=True)
class Line:
    """`parts` add up to `total`: customers, and whatever else is summed over them."""

    total: Cell
    parts: tuple[Cell, ...]


def withheld(
    sizes: Mapping[Cell, int],
    lines: Sequence[Line],
    least: int,
    known: Collection[Cell] = (),
    never_shown: Collection[Cell] = (),
) -> set[Cell]:
    """The cells to withhold: those of 1 to `least` − 1 people, and others of their lines until they cannot be told.

    What is withheld in a line that holds a small cell is two cells or more that are about `least` people together, or its total
    too. `known` cells cannot be withheld as others (the reader has them from elsewhere); `never_shown` are cells no number is
    about: they are worked out or not. The smallest cells are taken first, in the order of `sizes`, and totals after all others.
    """
    small = {cell for cell, size in sizes.items() if 0 < size < least}
    gone = small | set(never_shown)
    if not small:
        return set()
    totals = {line.total for line in lines}
    place = {cell: (cell in totals, size, at) for at, (cell, size) in enumerate(sizes.items())}
    spare = {cell for cell, size in sizes.items() if size >= least and cell not in known}

    def cheapest(cells: Iterable[Cell]) -> Cell | None:
        return min((cell for cell in cells if cell in spare and cell not in gone), key=place.__getitem__, default=None)

    while True:
        while more := {cell for line in lines if (cell := _guard(line, sizes, least, small, gone, cheapest))}:
            gone |= more
        more = {cell for told in _told(lines, sizes, least, small, gone) if (cell := _nearest(told, lines, gone, cheapest))}
        if not more:
            return gone - set(never_shown) | small
        gone |= more


def _guard(
    line: Line, sizes: Mapping[Cell, int], least: int, small: set[Cell], gone: set[Cell], cheapest: _Cheapest
) -> Cell | None:
    """The cell this line needs withheld beside those that are; None when it keeps its small cells to itself."""
    withheld_parts = [part for part in line.parts if part in gone and sizes[part]]
    if line.total in gone or small.isdisjoint(withheld_parts):
        return None
    if len(withheld_parts) > 1 and sum(sizes[part] for part in withheld_parts) >= least:
        return None
    return cheapest(line.parts) or cheapest((line.total,))


def _nearest(told: set[Cell], lines: Sequence[Line], gone: set[Cell], cheapest: _Cheapest) -> Cell | None:
    """A cell to withhold as well: of the lines of what is told, else of those they hang together with."""
    reached, near = set(told), 0
    while near < len(touched := [line for line in lines if not reached.isdisjoint((line.total, *line.parts))]):
        near = len(touched)
        one = cheapest(part for line in touched for part in line.parts) or cheapest(line.total for line in touched)
        if one:
            return one
        reached |= {cell for line in touched for cell in (line.total, *line.parts) if cell in gone}
    return None


def _told(lines: Sequence[Line], sizes: Mapping[Cell, int], least: int, small: set[Cell], gone: set[Cell]) -> list[set[Cell]]:
    """What the lines give away: sets of small cells of which the value, or the sum about too few people, follows."""
    found = []
    for row in _reduced(_equation(line, gone) for line in lines):
        alike = len(set(row.values())) == 1
        if alike and small.issuperset(row) and (len(row) == 1 or sum(sizes[cell] for cell in row) < least):
            found.append(set(row))
    return found


def _equation(line: Line, gone: set[Cell]) -> _Row:
    """What is not known of the line: coefficient by cell."""
    row: _Row = {}
    for cell, sign in ((line.total, -1), *((part, 1) for part in line.parts)):
        if cell in gone:
            row[cell] = row.get(cell, 0) + sign
    return {cell: value for cell, value in row.items() if value}


def _reduced(equations: Iterable[_Row]) -> list[_Row]:
    """The reduced row echelon form: a cell follows from the equations exactly when it stands alone in a row."""
    pivots: dict[Cell, _Row] = {}
    for equation in equations:
        row = dict(equation)
        for cell in list(row):
            if cell in pivots and cell in row:
                _subtract(row, pivots[cell], row[cell])
        if not row:
            continue
        pivot = next((cell for cell, value in row.items() if abs(value) == 1), next(iter(row)))
        by = row[pivot]
        row = {cell: value * by if abs(by) == 1 else Fraction(value, by) for cell, value in row.items()}
        for other in pivots.values():
            if pivot in other:
                _subtract(other, row, other[pivot])
        pivots[pivot] = row
    return list(pivots.values())


def _subtract(row: _Row, other: _Row, times: int | Fraction) -> None:
    for cell, value in other.items():
        left = row.get(cell, 0) - times * value
        if left:
            row[cell] = left
        else:
            row.pop(cell, None)
