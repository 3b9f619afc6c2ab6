"""Migration as text: a matrix of row shares for each thing customers can move in, and the largest moves; 80 columns.

It may not compute beyond adding up cells, or show a customer.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from clm.tables import MIGRATED

WIDTH = 80
_CELL, _COUNT, _LABEL = 4, 10, 22
_MOVES = 8
_HEADED = (WIDTH - _LABEL - _COUNT) // _CELL  # columns that fit beside each other


def lines(metrics: dict[str, Any], currency: str | None = None) -> list[str]:
    """The text of a migrate step's metrics."""
    money = f", money in {currency}" if currency else ""
    return [line.rstrip() for line in _lines(metrics, money)]


def _lines(metrics: dict[str, Any], money: str) -> Iterator[str]:
    yield f"From {metrics['from'] or 'an empty table'} to {metrics['to'] or 'an empty table'}{money}"
    for of in MIGRATED:
        if of in metrics:
            yield ""
            yield from _told(of, metrics[of])


def _told(of: str, found: dict[str, Any]) -> Iterator[str]:
    share = f" ({found['moved_share']:.1%} of those in both)" if found["moved_share"] is not None else ""
    yield f"{of}: {found['moved']:,} moved{share}: {found['up']:,} up, {found['down']:,} down, {found['side']:,} sideways;"
    yield f"{'':{len(of)}}  {found['new']:,} new, {found['lost']:,} lost"
    cells = {(cell["from"], cell["to"]): cell for cell in found["cells"]}
    rows = [*found["codes"], *dict.fromkeys(cell["from"] for cell in found["cells"] if cell["from"] not in found["codes"])]
    columns = [*found["codes"], *dict.fromkeys(cell["to"] for cell in found["cells"] if cell["to"] not in found["codes"])]
    if len(columns) <= _HEADED:
        yield from _matrix(rows, columns, cells)
    yield from _moves([cell for cell in found["cells"] if cell["from"] != cell["to"]])


def _matrix(rows: list[str], columns: list[str], cells: dict[tuple[str, str], dict[str, Any]]) -> Iterator[str]:
    """Row shares in percent; columns bear the numbers of the rows."""
    number = {code: str(place) for place, code in enumerate(rows, 1)}
    heads = [number.get(code, code.strip("()")) for code in columns]
    yield f"{'% of the row':<{_LABEL}}{'customers':>{_COUNT}}" + "".join(f"{head[:_CELL]:>{_CELL}}" for head in heads)
    for row in rows:
        members = [cells.get((row, column)) for column in columns]
        count = sum(cell["customers"] for cell in members if cell)
        label = f"{number[row]:>2} {row}"
        yield f"{_cut(label, _LABEL):<{_LABEL}}{count:>{_COUNT},}" + "".join(f"{_percent(cell):>{_CELL}}" for cell in members)


def _percent(cell: dict[str, Any] | None) -> str:
    if cell is None:
        return "·"
    whole = round(100 * cell["share"])
    return "<1" if whole == 0 else ">99" if whole == 100 and cell["share"] < 1 else str(whole)


def _moves(moves: list[dict[str, Any]]) -> Iterator[str]:
    """The moves of most customers, with their spend and CLV before and after."""
    largest = sorted(moves, key=lambda cell: -cell["customers"])[:_MOVES]
    if not largest:
        return
    yield f"{'largest moves':<37}{'customers':>10}{'spend before':>16}{'after':>16}"
    for cell in largest:
        name = f"  {_cut(cell['from'], 16)} → {_cut(cell['to'], 16)}"
        yield f"{name:<37}{cell['customers']:>10,}" + "".join(
            f"{_money(cell[key]):>16}" for key in ("spend_before", "spend_after")
        )
        if cell["clv_before"] is not None or cell["clv_after"] is not None:
            yield f"{'    CLV':<47}" + "".join(f"{_money(cell[key]):>16}" for key in ("clv_before", "clv_after"))
    if len(moves) > len(largest):
        yield f"  and {len(moves) - len(largest):,} more kinds of move"


def _money(value: str | float | None) -> str:
    return "–" if value is None else f"{Decimal(str(value)):,.0f}"


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"
