"""One small order log and how to write it: the truth of every hazard, its cells under a header, and those as CSV.

It may not make anything hard to read: `hazards` does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

HEADER = ("customer_id", "order_id", "ordered_at", "amount")
HAN = ("客户编号", "订单编号", "下单时间", "金额")
TRADITIONAL = ("客戶編號", "訂單編號", "下單時間", "金額")
Table = list[list[str]]


@dataclass(frozen=True)
class Order:
    """One record as TRANSACTIONS must hold it."""

    customer: str
    order: str
    at: datetime
    amount: Decimal
    kind: str = "sale"


def _order(number: int) -> Order:
    at = datetime(2024, 1, 3, 8, 5) + timedelta(days=3 * number, minutes=37 * number)
    return Order(
        str(1001 + number * 7 % 15),
        str(50001 + number),
        at,
        Decimal(850 + (number * number * 3701 + 913 * number) % 199_000) / 100,
    )


LOG = tuple(_order(number) for number in range(60))


@dataclass(frozen=True)
class Case:
    """A hazard. `truth` is what must come out without a flag; `lost` how many records must be told of, by code, instead.

    Where the bytes alone cannot say, `answer` holds the settings that do, and `answered` (with `answered_lost`) what comes
    out then: `truth` None means that only a question is right. `told` are notices that count as telling; `read` is what a
    plain reader that judges nothing should find, `columns` the header cells of customer, day and amount it finds them under.
    """

    name: str
    files: tuple[tuple[str, bytes], ...]
    truth: tuple[Order, ...] | None = LOG
    lost: Mapping[str, int] = field(default_factory=dict)
    answer: Mapping[str, Any] = field(default_factory=dict)
    answered: tuple[Order, ...] = LOG
    answered_lost: Mapping[str, int] = field(default_factory=dict)
    told: tuple[str, ...] = ()
    read: tuple[Order, ...] | None = None
    columns: tuple[str, str, str] = ("customer_id", "ordered_at", "amount")

    @property
    def as_read(self) -> tuple[Order, ...]:
        return self.read or self.truth or self.answered


def cells(
    log: Sequence[Order] = LOG,
    customer: Callable[[Order], str] = lambda one: one.customer,
    order: Callable[[Order], str] = lambda one: one.order,
    at: Callable[[Order], str] = lambda one: f"{one.at:%Y-%m-%d %H:%M}",
    amount: Callable[[Order], str] = lambda one: f"{one.amount:.2f}",
    header: Sequence[str] = HEADER,
    **more: Callable[[Order], str],
) -> Table:
    """The log as text cells under a header; `more` are further columns."""
    made = (customer, order, at, amount, *more.values())
    return [[*header, *more], *([cell(one) for cell in made] for one in log)]


def text(table: Table, delimiter: str = ",", end: str = "\n", quote: str = "needed") -> str:
    """The cells as CSV, quoted where needed, always or never."""

    def written(cell: str) -> str:
        needed = any(mark in cell for mark in (delimiter, '"', "\n", "\r"))
        return '"' + cell.replace('"', '""') + '"' if quote == "always" or (quote == "needed" and needed) else cell

    return "".join(delimiter.join(map(written, row)) + end for row in table)


POSITIONS = {"map": (("customer_id", "#1"), ("order_id", "#2"), ("ordered_at", "#3"), ("amount", "#4"))}


def case(name: str, content: str | bytes, **more: Any) -> Case:
    data = content if isinstance(content, bytes) else content.encode()
    return Case(name, (("orders.csv", data),), **more)


def han(name: str, content: str | bytes, header: Sequence[str] = HAN, **more: Any) -> Case:
    return case(name, content, columns=(header[0], header[2], header[3]), **more)


def changed(log: Sequence[Order] = LOG, **how: Callable[[Order], Any]) -> tuple[Order, ...]:
    return tuple(replace(one, **{name: make(one) for name, make in how.items()}) for one in log)


def without(*places: int, log: Sequence[Order] = LOG) -> tuple[Order, ...]:
    return tuple(one for place, one in enumerate(log) if place not in places)


def with_quotes(lines: Sequence[str], *places: int, behind: bool = False) -> str:
    """The file with a lone quote before (or behind) the last field of these lines."""
    broken = list(lines)
    for place in places:
        head, tail = broken[place].rstrip("\n").rsplit(",", 1)
        broken[place] = f'{head},{tail}"\n' if behind else f'{head},"{tail}\n'
    return "".join(broken)
