"""`clm backtest` on the command line: both kinds of input, text without -o, a table with it."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from clm.cli import main
from clm.tables import BACKTEST
from tests.commands.conftest import Shop


def test_transactions_alone_or_customers_with_their_orders(
    shop: Shop, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same table from either; --json says what was tested, -o writes Parquet with facts."""
    first, second = tmp_path / "a.parquet", tmp_path / "b.parquet"
    assert main(["backtest", str(shop.file("clean")), "-q", "-o", str(first)]) == 0
    argv = ["backtest", str(shop.file("rfm")), "--orders", str(shop.file("clean")), "-q", "--json", "-o", str(second)]
    assert main(argv) == 0
    assert pl.read_parquet(first).equals(pl.read_parquet(second))
    assert pl.read_parquet(first).columns == [column.name for column in BACKTEST.columns]
    record = json.loads(capsys.readouterr().out)
    assert record["stage"] == "backtest"
    assert {"choice", "backtest", "deciles", "tracking", "beats_best_baseline"} <= set(record["metrics"])


@pytest.mark.parametrize(
    ("argv", "code"),
    [
        (["--horizon", "soon"], 2),
        (["--model-family", "arima"], 2),
        (["--erlang", "0"], 2),
        (["--model-family", "bgnbd", "--erlang", "2"], 2),
        (["--horizon", "100y"], 0),
    ],
)
def test_what_cannot_be_is_answered(shop: Shop, argv: list[str], code: int, capsys: pytest.CaptureFixture[str]) -> None:
    """A horizon, a family, an order that are none: the code and what to do."""
    assert main(["backtest", str(shop.file("clean")), *argv]) == code
    assert capsys.readouterr().err
