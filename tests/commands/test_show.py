"""`clm show`: one customer's story, with the numbers of the tables and no other customer's."""

from __future__ import annotations

import json
import re
from pathlib import Path

import polars as pl
import pytest

from clm.cli import main
from clm.report.story import MOST_ORDERS
from tests.commands.conftest import Shop
from tests.report.samples import HOSTILE


@pytest.fixture(scope="module")
def run(shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run") / "out"
    assert main(["run", str(shop.source), "-o", str(folder), "-q"]) == 0
    return folder


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_story_tells_the_table(run: Path, lang: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Orders, days, spend and value as the table has them, how far the forecast looks; at most 80 columns; no other customer."""
    row = pl.read_parquet(run / "customers.parquet").sort("orders", descending=True).row(0, named=True)
    assert main(["show", row["customer_id"], str(run), "--lang", lang]) == 0
    said = capsys.readouterr().out
    assert row["customer_id"] in said
    assert f"{row['spend']:,.2f}" in said
    assert f"{row['clv']:,.2f}" in said or f"{row['clv']:,.0f}" in said
    assert {"en": "What is expected in the next 12 months", "zh": "未来 12 个月的预期"}[lang] in said
    assert set(re.findall(r"C\d{3}", said)) == {row["customer_id"]}
    assert max(map(len, said.splitlines())) <= 80
    orders = pl.read_parquet(run / "clean.parquet").filter(customer_id=row["customer_id"])["order_id"].n_unique()
    assert said.count("O0") + said.count("O1") == min(orders, MOST_ORDERS)


def test_json_holds_the_row_and_the_last_orders(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Money as text, days in ISO, the newest order first."""
    assert main(["show", "C008", str(run), "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["customer_id"] == "C008"
    assert re.fullmatch(r"\d+\.\d{4}", record["spend"])
    days = [order["ordered_at"] for order in record["last_orders"]]
    assert days == sorted(days, reverse=True)
    assert record["last_order_on"] == days[0][:10]


def test_a_table_alone_has_a_story_too(run: Path, shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    """A file of customers at any stage: what it holds is told, what it lacks is left out."""
    assert main(["show", "C001", str(shop.file("rfm"))]) == 0
    said = capsys.readouterr().out
    assert "What they did" in said
    assert "What is expected" not in said
    assert "Last orders" not in said


def test_who_is_not_there(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Unknown: 65, not named in the message; no folder: 66; not two arguments, or an output: 2."""
    assert main(["show", "zoe@example.com", str(run)]) == 65
    assert "zoe" not in capsys.readouterr().err
    assert main(["show", "C001", str(tmp_path / "nowhere")]) == 66
    assert main(["show", "C001", str(tmp_path)]) == 66
    assert main(["show", "C001"]) == 2
    assert main(["show", "C001", str(run), "-o", str(tmp_path / "x.csv")]) == 2


def test_what_may_be_wrong_with_an_id(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its length where all have one, the wrong order of the arguments, the tables looked for: no id of the table is told."""
    for argv, code, told in (
        (["show", "1", str(run)], 65, "every id there has 4 signs, this one 1"),
        (["show", str(run), "C001"], 2, "the customer comes first"),
        (["show", "C001", str(tmp_path)], 66, "none of customers.parquet, clv.parquet, segments.parquet, rfm.parquet"),
    ):
        assert main(argv) == code
        said = capsys.readouterr().err
        assert told in said
        assert not re.search(r"C\d{3}", said)


def test_an_id_no_path_could_be_is_only_not_there(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a log file too, which no file of the command may be; one too long for a name of a file, and one of several folders."""
    monkeypatch.setenv("CLM_LOG", str(tmp_path / "clm.log"))
    for customer in ("C\x001", "C" * 300, "C/" * 3000):
        assert main(["show", customer, str(run)]) == 65


def test_a_folder_of_part_of_the_chain(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without churn and value the table that went furthest tells what it knows, with the last orders."""
    for name in ("clean.parquet", "rfm.parquet", "segments.parquet"):
        (tmp_path / name).write_bytes((run / name).read_bytes())
    assert main(["show", "C001", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert "Segment" in said
    assert "Last orders" in said
    assert "What is expected" not in said


def test_hostile_text_reaches_no_terminal(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Control bytes in ids and carried columns are made visible, not obeyed."""
    people = pl.read_parquet(run / "customers.parquet").head(len(HOSTILE))
    people = people.with_columns(
        note=pl.Series(list(HOSTILE)), customer_id=pl.Series([f"{n} {text}" for n, text in enumerate(HOSTILE)])
    )
    people.sort("customer_id").write_parquet(tmp_path / "customers.parquet")
    for customer in people["customer_id"]:
        assert main(["show", customer, str(tmp_path)]) == 0
        said = capsys.readouterr().out
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", said)


def test_a_customer_with_returns_only(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No purchase is said, and nothing is expected of them."""
    source = tmp_path / "orders.csv"
    source.write_text("order_id,customer_id,order_date,amount\n1,a,2024-01-05,10\n2,b,2024-01-06,-4\n3,a,2024-02-05,8\n", "utf-8")
    assert main(["run", str(source), "-o", str(tmp_path / "out"), "-q"]) == 0
    capsys.readouterr()
    assert main(["show", "b", str(tmp_path / "out")]) == 0
    said = capsys.readouterr().out
    assert "No purchase in the log." in said
    assert "What is expected" not in said


def test_where_nobody_came_back_nothing_is_foretold(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The mean of one-time buyers is no forecast of 0: the story says that it is not known, as the report does; and a run told
    to hide nothing hides nothing."""
    source = tmp_path / "orders.csv"
    source.write_text("order_id,customer_id,order_date,amount\n1,a,2024-01-05,10\n2,b,2024-03-06,4\n", "utf-8")
    assert main(["run", str(source), "-o", str(tmp_path / "out"), "--min-cell", "0"]) == 0
    assert "hidden" not in capsys.readouterr().err
    assert main(["show", "a", str(tmp_path / "out")]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "worth cannot be told from this log" in said
    assert "lifetime value 0" not in said
