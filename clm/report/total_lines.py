"""The totals of `clm clv` in the terminal: what is expected, the interval, and the two parts it is made of.

It may not compute: the numbers are those of `metrics.totals` and `metrics.segments`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

_COUNTED = (("expected_orders", "order days"), ("clv", "clv"))
_FROM = {
    "backtest": "the error of past totals",
    "few_origins": "the error of few past totals, at least 15%",
    "default": "15%, as no past total was tested",
}
_NAME, _NUMBER, _RANGE = 18, 12, 24


def lines(metrics: dict[str, Any], interval: float, *, segments: bool) -> list[str]:
    """The totals as a table, 78 columns wide at most, since notes are indented; nothing without buyers or an interval.

    segments: whether each segment has its lines too.
    """
    totals = metrics["totals"]
    whole = list(_rows(totals))
    if not whole or not totals["customers"]:
        return []
    head = f"{'':<{_NAME}}{'expected':>{_NUMBER}}{f'{interval:.0%} interval':>{_RANGE}}{'draws alone':>{_RANGE}}"
    found = [head, *whole]
    for name, total in metrics["segments"].items() if segments else ():
        found += [name, *_rows(total, "  ")]
    return [*found, *_error(totals)]


def _rows(total: dict[str, Any], indent: str = "") -> Iterator[str]:
    for key, name in _COUNTED:
        ends = [total.get(f"{key}_{end}") for end in ("low", "high", "drawn_low", "drawn_high")]
        if None in ends:
            continue
        low, high, drawn_low, drawn_high = ends
        naive = drawn_low == drawn_high == total[key]  # a forecast that draws nothing
        drawn = "none" if naive else f"{drawn_low:,.0f} to {drawn_high:,.0f}"
        yield f"{indent + name:<{_NAME}}{total[key]:>{_NUMBER},.0f}{f'{low:,.0f} to {high:,.0f}':>{_RANGE}}{drawn:>{_RANGE}}"


def _error(totals: dict[str, Any]) -> Iterator[str]:
    """By how much the draws are widened, and how that is known."""
    sizes = [
        f"{name} {totals[error]:.0%}"
        for error, name, key in (
            ("backtest_error_orders", "order days", "expected_orders_low"),
            ("backtest_error", "clv", "clv_low"),
        )
        if totals[key] is not None
    ]
    yield f"widened by {_FROM[totals['backtest_error_from']]}: {', '.join(sizes)}"
