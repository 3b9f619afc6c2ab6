"""--fail-if: conditions on the --json object."""

from __future__ import annotations

import pytest

from clm.cli import conditions
from clm.errors import UsageError

RECORD = {
    "as_of": "2024-05-31",
    "rows": {"in": 200, "out": 150, "rejected": {"no_customer": 50}},
    "amount": {"in": "1000.5000", "out": "900.5000", "rejected": {"no_customer": "100.0000"}},
    "metrics": {
        "psi": 0.25,
        "churned": 41,
        "chosen": "return",
        "beats": {"rmse": True},
        "candidates": [{"auc": 0.7}],
        "nothing": None,
        "flags": {"big": 3},
        "quality": {
            "completeness": {"product_id": 0.75},
            "flags": {"big": {"rows": 3, "row_share": 0.02, "amount": "500.0000", "amount_share": 0.5553}},
            "left_out": {},
        },
    },
    "settings": {"rule": ["big=amount > 100", "huge=amount > 1000"]},
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("rejected.no_customer > 20%", True),
        ("rejected.no_customer > 30%", False),
        ("rows.rejected.no_customer == 50", True),
        ("rejected.date > 0", False),
        ("amount.rejected.no_customer >= 100", True),
        ("amount.rejected.no_customer > 9%", True),
        ("amount.rejected.no_customer > 11%", False),
        ("amount.out != 900.5", False),
        ("psi > 0.2", True),
        ("metrics.psi <= 0.2", False),
        ("churned > 20%", True),
        ("churned > 21%", False),
        ("as_of < 2024-06-30", True),
        ("as_of >= 2024-06-30", False),
        ("beats.rmse == 1", True),
        ("candidates.0.auc < 0.8", True),
        ("in>199", True),
        ("quality.completeness.product_id < 80%", True),
        ("quality.completeness.product_id < 70%", False),
        ("quality.flags.big.row_share > 1%", True),
        ("quality.flags.big.rows > 1%", True),
        ("quality.flags.big.rows > 2%", False),
        ("quality.flags.big.amount > 49%", True),
        ("quality.flags.big.amount > 50%", False),
        ("flags.huge > 0", False),
        ("flags.zero_price == 0", True),
        ("metrics.quality.flags.huge.amount > 0", False),
        ("quality.flags.review.rows > 0%", False),
        ("quality.left_out.no_customer.row_share > 0", False),
    ],
)
def test_what_holds(text: str, expected: bool) -> None:
    """Rows, money, metrics and days; rows, amount and metrics may be left out; what never occurred is 0.

    A share is of the rows, or the money, in; what is a share by itself is compared as it stands.
    """
    assert conditions.holds(conditions.parse(text), RECORD) is expected


@pytest.mark.parametrize(
    "text", ["", "psi", "psi >", "psi > x", "psi ~ 3", "psi > 1 or 1", "__import__('os') > 1", "psi > nan", "psi > inf"]
)
def test_what_is_no_condition(text: str) -> None:
    """It is refused before any work is done."""
    with pytest.raises(UsageError):
        conditions.parse(text)


@pytest.mark.parametrize(
    "text",
    [
        "psy > 1", "rejected.nonsense > 1", "chosen > 1", "psi > 2024-06-30", "rows > 1", "nothing > 1", "flags.zero_prise > 0",
        "quality.left_out.huge.rows > 0", "quality.completeness.huge < 90%",
    ],
)  # fmt: skip
def test_what_cannot_be_judged(text: str) -> None:
    """An unknown path, or one that is not a number or day, is usage: silence would look like a pass."""
    with pytest.raises(UsageError):
        conditions.holds(conditions.parse(text), RECORD)
