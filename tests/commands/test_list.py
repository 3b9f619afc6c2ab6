"""`clm list`: which customers, in which order, with which columns, in whose language."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from clm.cli import main
from clm.storage import files
from clm.tables import LIST
from tests.commands.conftest import Shop


def listed(shop: Shop, target: Path, *options: str) -> pl.DataFrame:
    assert main(["list", str(shop.file("churn")), "-q", "-o", str(target), *options]) == 0
    return files.open_table(target, LIST, []).frame.collect()


def test_the_usual_list(shop: Shop, tmp_path: Path) -> None:
    """Everybody, the most valuable first, with standing, value, risk, reasons and what to do."""
    people = pl.read_parquet(shop.file("churn"))
    found = listed(shop, tmp_path / "l.parquet")
    assert found.height == people.height
    assert (
        found["customer_id"].to_list() == people.sort(["clv", "customer_id"], descending=[True, False])["customer_id"].to_list()
    )
    assert {"segment", "last_order_on", "spend", "clv", "reasons", "action"} <= set(found.columns)


def test_where_sort_top_and_columns(shop: Shop, tmp_path: Path) -> None:
    """A rule, an order from the lowest up, the first few, and just these columns in this order; ties by customer."""
    found = listed(
        shop, tmp_path / "l.parquet", "--where", "orders >= 3 and spend < 100000", "--sort", "orders:asc", "--top", "7",
        "--columns", "orders,customer_id",
    )  # fmt: skip
    people = pl.read_parquet(shop.file("churn")).filter(pl.col("orders") >= 3).sort("orders", "customer_id").head(7)
    assert found.rows() == people.select("orders", "customer_id").rows()


def test_chinese_has_chinese_headings_and_the_same_numbers(shop: Shop, tmp_path: Path) -> None:
    """--lang zh changes words, never numbers or rows."""
    english, chinese = (listed(shop, tmp_path / f"{lang}.parquet", "--lang", lang) for lang in ("en", "zh"))
    assert not [name for name in chinese.columns if name.isascii()]
    assert english["customer_id"].to_list() == chinese["客户编号"].to_list()
    assert english["clv"].to_list() == chinese["客户生命周期价值"].to_list()
    assert english["segment"].to_list() != chinese["分层"].to_list()


def test_twice_the_same_bytes(shop: Shop, tmp_path: Path) -> None:
    """Every format to the byte."""
    for suffix in (".csv", ".xlsx", ".parquet"):
        one, two = (tmp_path / f"{name}{suffix}" for name in "12")
        for target in (one, two):
            assert main(["list", str(shop.file("churn")), "-q", "-o", str(target), "--top", "20"]) == 0
        assert one.read_bytes() == two.read_bytes()


def test_the_chain_up_to_rfm_is_enough(shop: Shop, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without value and churn the list is by spend and has no reasons."""
    target = tmp_path / "l.parquet"
    assert main(["list", str(shop.file("rfm")), "--json", "-o", str(target)]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["metrics"] == {"chosen": 160, "sorted_by": "spend"}
    assert "reasons" not in pl.read_parquet(target).columns


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--where", "clvv > 1"], "there is no column clvv"),
        (["--where", "orders >"], "at character 9"),
        (["--where", "__import__('os')"], "--where"),
        (["--columns", "customer_id,reazons"], "did you mean reasons?"),
        (["--sort", "contact"], "no such column"),
        (["--top", "0"], "--top"),
    ],
)
def test_what_cannot_be_asked(
    shop: Shop, tmp_path: Path, options: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """2, with the place or the name meant; nothing is written."""
    assert main(["list", str(shop.file("churn")), "-o", str(tmp_path / "l.csv"), *options]) == 2
    assert said in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_column_of_a_later_stage_names_the_command(shop: Shop, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Asking for the value of a table without one says which stage makes it."""
    assert main(["list", str(shop.file("rfm")), "--sort", "clv_low", "-o", str(tmp_path / "l.csv")]) == 2
    assert "run clm clv first" in capsys.readouterr().err


def test_nobody_fits(shop: Shop, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A rule that holds for nobody makes an empty list and a warning; a misspelt code is told beside those there are."""
    codes = pl.read_parquet(shop.file("churn"))["churn_risk"].drop_nulls().unique().sort()
    for where, told in (
        ("orders > 1000000", "--where holds for no customer\n"),
        ("churn_risk = 'hihg'", f"no customer: in this table churn_risk is {', '.join(codes)}\n"),
    ):
        target = tmp_path / "l.csv"
        assert main(["list", str(shop.file("churn")), "--where", where, "-o", str(target)]) == 0
        assert told in capsys.readouterr().err
        assert len(target.read_text(encoding="utf-8").splitlines()) == 1
