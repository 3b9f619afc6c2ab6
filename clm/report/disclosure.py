"""Which cells of a set of tables must be withheld so that none about few people is told, or can be worked out from the others.

It may not know what the cells are: a cell has a size in people, a line says which cells add up to another, a number told is of
cells and worth something. Primary and complementary cell suppression (Cox 1980, JASA 75, 377-385), with the exact audit of
linear disclosure: a withheld cell is known when the lines, with all that is shown put in, leave one value for it. Bounds are not
audited.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

Cell = tuple[str | None, ...]
_Row = dict[Cell, int | Fraction]  # nearly all are 1 and -1, for which fractions are slow


@dataclass(frozen=True)
class Line:
    """`parts` add up to `total`: customers, or whatever else is summed over them."""

    total: Cell
    parts: tuple[Cell, ...]

    @property
    def cells(self) -> tuple[Cell, ...]:
        return (*self.parts, self.total)


@dataclass(frozen=True)
class Told:
    """A number somebody reads: gone when one of its cells is withheld, and `worth` is what the reader loses then."""

    cells: tuple[Cell, ...]
    worth: float


def withheld(
    sizes: Mapping[Cell, int],
    lines: Sequence[Line],
    least: int,
    known: Collection[Cell] = (),
    never_shown: Collection[Cell] = (),
    told: Sequence[Told] = (),
) -> set[Cell]:
    """The cells to withhold: those of 1 to `least` − 1 people, and others of their lines until they cannot be told.

    What is withheld in a line that holds a small cell is two cells or more that are about `least` people together, or its total
    too. `known` cells cannot be withheld as others (the reader has them from elsewhere); `never_shown` are cells no number is
    about: they are worked out or not. Taken first is what costs the reader least of `told`; then the smallest cell, in the order
    of `sizes`, and totals after all others. What turns out not to be needed is shown again, the dearest first.
    """
    small = {cell for cell, size in sizes.items() if 0 < size < least}
    if not small:
        return set()
    search = _Search(sizes, lines, least, small, small | set(never_shown), set(known), told)
    search.close()
    search.give_back()
    return search.gone - set(never_shown) | small


class _Search:
    """The cells `gone` so far, and the steps to more of them and to fewer."""

    def __init__(
        self,
        sizes: Mapping[Cell, int],
        lines: Sequence[Line],
        least: int,
        small: set[Cell],
        fixed: set[Cell],
        known: set[Cell],
        told: Sequence[Told],
    ) -> None:
        self._sizes, self._lines, self._least, self._small, self._fixed = sizes, lines, least, small, fixed
        self._spare = {cell for cell, size in sizes.items() if size >= least} - known - fixed
        totals = {line.total for line in lines}
        self._place = {cell: (cell in totals, size, at) for at, (cell, size) in enumerate(sizes.items())}
        self._lines_of: dict[Cell, list[Line]] = {}
        for line in lines:
            for cell in set(line.cells):
                self._lines_of.setdefault(cell, []).append(line)
        self._told_of: dict[Cell, list[Told]] = {}
        for one in told:
            for cell in set(one.cells):
                self._told_of.setdefault(cell, []).append(one)
        self.gone = set(fixed)

    def close(self) -> None:
        """Withholds until nothing small is told."""
        while True:
            for line in self._lines:
                while self._open(line) and (cell := self._cheapest(line.cells)):
                    self.gone.add(cell)
            more = {cell for row in self._given_away(self._lines) if (cell := self._cheapest(row))}
            if not more:
                return
            self.gone |= more

    def give_back(self) -> None:
        """Shows again, one by one, what leaves everything small untold."""
        for cell in sorted(self.gone - self._fixed, key=lambda cell: (-self._worth(cell), self._place[cell])):
            if not self._worth(cell):
                continue  # nobody would read more, and somebody could work out more
            lines = self._hanging_together(cell)
            self.gone.discard(cell)
            if any(map(self._open, lines)) or self._given_away(lines):
                self.gone.add(cell)

    def _worth(self, cell: Cell) -> float:
        """What is lost with this cell: numbers no other withheld cell has taken already."""
        told = self._told_of.get(cell, ())
        return sum(one.worth for one in told if not any(other in self.gone and other != cell for other in one.cells))

    def _cheapest(self, cells: Iterable[Cell]) -> Cell | None:
        free = {cell for cell in cells if cell in self._spare and cell not in self.gone}
        return min(free, key=lambda cell: (self._worth(cell), self._place[cell]), default=None)

    def _open(self, line: Line) -> bool:
        """Whether a small cell of the line is told by it: withheld alone, or with too few people."""
        parts = [part for part in line.parts if part in self.gone and self._sizes[part]]
        if line.total in self.gone or self._small.isdisjoint(parts):
            return False
        return len(parts) == 1 or sum(self._sizes[part] for part in parts) < self._least

    def _hanging_together(self, cell: Cell) -> list[Line]:
        """The lines of the cell, and every line that shares a withheld cell with one of them."""
        found: dict[Line, None] = {}
        seen, ahead = {cell}, [cell]
        while ahead:
            for line in self._lines_of.get(ahead.pop(), ()):
                if line not in found:
                    found[line] = None
                    fresh = [one for one in line.cells if one in self.gone and one not in seen]
                    seen.update(fresh)
                    ahead += fresh
        return list(found)

    def _given_away(self, lines: Iterable[Line]) -> list[_Row]:
        """What the lines tell of small cells: rows that leave one a value, or several the sum about too few people."""
        found = []
        for row in _reduced(map(_equation, lines), self.gone):
            values = {cell: value for cell, value in row.items() if cell in self.gone}
            alike = len(set(values.values())) == 1
            few = len(values) == 1 or sum(self._sizes[cell] for cell in values) < self._least
            if alike and few and self._small.issuperset(values):
                found.append(row)
        return found


def _equation(line: Line) -> _Row:
    """The line as a sum that is 0: coefficient by cell."""
    row: _Row = {line.total: -1}
    for cell in line.parts:
        row[cell] = row.get(cell, 0) + 1
    return {cell: value for cell, value in row.items() if value}


def _reduced(equations: Iterable[_Row], gone: set[Cell]) -> list[_Row]:
    """The reduced row echelon form for the cells `gone`: one follows from the others exactly when it stands alone in a row.

    What stands beside it in the row are the cells it follows from.
    """
    pivots: dict[Cell, _Row] = {}
    for equation in equations:
        row = dict(equation)
        for cell in list(row):
            if cell in pivots and cell in row:
                _subtract(row, pivots[cell], row[cell])
        free = [cell for cell in row if cell in gone]
        if not free:
            continue
        pivot = next((cell for cell in free if abs(row[cell]) == 1), free[0])
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
