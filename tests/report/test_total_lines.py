"""The totals of `clm clv` in the terminal: both parts of every interval, within 80 columns."""

from __future__ import annotations

from typing import Any

import pytest

from clm.report.total_lines import lines

TOTAL: dict[str, Any] = {
    "customers": 2357,
    "expected_orders": 1576.7, "expected_orders_low": 1283.4, "expected_orders_high": 1934.7,
    "expected_orders_drawn_low": 1443.5, "expected_orders_drawn_high": 1714.3,
    "clv": 54393.0, "clv_low": 44569.0, "clv_high": 66569.0, "clv_drawn_low": 49082.0, "clv_drawn_high": 59589.0,
    "backtest_error": 0.14, "backtest_error_orders": 0.15, "backtest_error_from": "backtest",
}  # fmt: skip
NO_MONEY = {key: None for key in TOTAL if key.startswith("clv")} | {"backtest_error": 0.15}


def told(segments: dict[str, Any] | None = None, /, **changed: Any) -> list[str]:
    found = lines({"totals": TOTAL | changed, "segments": segments or {}}, 0.8, segments=segments is not None)
    assert max(map(len, found), default=0) <= 78
    return found


def test_both_parts_of_the_interval_are_shown() -> None:
    """What the draws say, what it became, and by how much it was widened."""
    assert [" ".join(line.split()) for line in told()] == [
        "expected 80% interval draws alone",
        "order days 1,577 1,283 to 1,935 1,444 to 1,714",
        "clv 54,393 44,569 to 66,569 49,082 to 59,589",
        "widened by the error of past totals: order days 15%, clv 14%",
    ]


@pytest.mark.parametrize(
    ("source", "said"), [("few_origins", "few past totals, at least 15%"), ("default", "no past total was tested")]
)
def test_an_error_that_was_not_well_measured_says_so(source: str, said: str) -> None:
    """Where the width comes from when the back-test is short, or there is none."""
    assert said in told(backtest_error_from=source)[-1]


def test_a_log_without_amounts_has_a_line_of_orders_alone() -> None:
    """No line and no error of money that is not there."""
    found = told(**NO_MONEY)
    assert len(found) == 3
    assert "clv" not in found[-1]


def test_a_naive_forecast_draws_nothing() -> None:
    """Draws that are the total itself are none; a total of 0 that was drawn is not."""
    assert told(expected_orders_drawn_low=1576.7, expected_orders_drawn_high=1576.7)[1].endswith("none")
    assert told(expected_orders_drawn_low=0.0, expected_orders_drawn_high=0.0)[1].endswith("0 to 0")


def test_segments_have_their_lines_when_asked_for() -> None:
    """Each segment under its name; large money still fits."""
    large = {key: value * 1000 if isinstance(value, float) else value for key, value in TOTAL.items()}
    found = told({"potential_loyalist": large})
    assert found[3] == "potential_loyalist"
    assert len(found) == 7


def test_totals_without_an_interval_are_silent() -> None:
    """Where nothing supports an interval the notice says why; without buyers there is nothing to tell."""
    assert told(customers=0, backtest_error=None, backtest_error_orders=None) == []
    assert told(**NO_MONEY, expected_orders_low=None) == []
