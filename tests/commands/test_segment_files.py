"""`clm segment` with its files: schemes, tiers, the earlier table, a model; what --explain says; and where `run` puts it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from clm.cli import main
from tests.commands.conftest import Shop
from tests.logs import csv_of, invented

TIERS = """
column = "spend"
[[tier]]
code = "gold"
share = "10%"
[[tier]]
code = "silver"
share = "30%"
[[tier]]
code = "basic"
"""
BY_VALUE = '[[tier]]\ncode = "rich"\nall = [{ column = "clv", top = "20%" }]\n[[tier]]\ncode = "rest"\n'


@pytest.fixture
def tiers(tmp_path: Path) -> Path:
    path = tmp_path / "tiers.toml"
    path.write_text(TIERS, "utf-8")
    return path


def say(capsys: pytest.CaptureFixture[str], *line: str) -> tuple[int, str, str]:
    code = main(list(line))
    said = capsys.readouterr()
    return code, said.out, said.err


def test_explain_says_every_number_within_80_columns(shop: Shop, tiers: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Scores with how many are worse, the rule, the rhythm and the silence, the tier with its edge and the next one's."""
    code, out, _ = say(capsys, "segment", str(shop.file("rfm")), "--tiers", str(tiers), "--explain", "C045")
    assert code == 0
    assert max(len(line) for line in out.splitlines()) <= 80
    row = pl.read_parquet(shop.file("rfm")).filter(pl.col("customer_id") == "C045").row(0, named=True)
    whole = " ".join(out.split())
    for part in (
        "customer C045, on",
        f"recency_days {row['recency_days']:,}: R {row['r_score']} of 5;",
        f"orders {row['orders']}: F {row['f_score']} of 5;",
        f"M {row['m_score']} of 5;",
        "of 160 customers are worse",
        "by grid: R",
        f"silent for {row['recency_days']:,} day",
        f"own rhythm {row['rhythm_days']:.1f} days",
        "(first: first table with tiers)",
        "next tier ",
    ):
        assert part in whole, part


def test_explain_as_json_agrees_with_the_table(
    shop: Shop, tiers: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One object whose codes are those of the file the same command writes; the worse are counted over all who bought."""
    line = ["segment", str(shop.file("rfm")), "--tiers", str(tiers), "--scheme", "zh8"]
    assert main([*line, "-q", "-o", str(tmp_path / "x.parquet")]) == 0
    table = pl.read_parquet(tmp_path / "x.parquet")
    for row in table.sample(5, seed=1).iter_rows(named=True):
        code, out, _ = say(capsys, *line, "--json", "--explain", row["customer_id"])
        found: dict[str, Any] = json.loads(out)
        assert code == 0
        assert (found["segment"]["segment"], found["lifecycle"]["lifecycle"]) == (row["segment"], row["lifecycle"])
        assert (found["tier"]["tier"], found["tier"]["tier_since"]) == (row["tier"], row["tier_since"].isoformat())
        assert found["scores"]["f"]["worse"] == table.filter(pl.col("orders") < row["orders"]).height
        assert found["scores"]["r"]["worse"] == table.filter(pl.col("recency_days") > row["recency_days"]).height
        means = found["segment"]["means"]
        assert found["segment"]["high"] == {axis: found["scores"][axis]["score"] >= means[axis] for axis in "rfm"}


def test_explain_reads_rules_aloud(shop: Shop, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The rule that held, with the values it asked; the rest by name."""
    path = tmp_path / "mine.toml"
    path.write_text(
        'first_match = true\n[[segment]]\ncode = "busy"\nwhen = "orders > 8"\n[[segment]]\ncode = "others"\n', "utf-8"
    )
    for customer, part in (("C008", "busy by mine: orders > 8 (orders 9)"), ("C000", "others by mine: no rule before it holds")):
        _, out, _ = say(capsys, "segment", str(shop.file("rfm")), "--scheme", str(path), "--explain", customer)
        assert part in " ".join(out.split())


def test_an_unknown_customer_is_not_repeated(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    """65, and the id (it may be a phone number typed by mistake) stands nowhere."""
    code, out, err = say(capsys, "segment", str(shop.file("rfm")), "--explain", "13800138000")
    assert (code, out) == (65, "")
    assert "no such customer" in err
    assert "138001" not in err


def test_explain_writes_no_file(shop: Shop, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """-o beside --explain is a misunderstanding: 2."""
    line = ("segment", str(shop.file("rfm")), "--explain", "C001", "-o", str(tmp_path / "x.parquet"))
    assert say(capsys, *line)[0] == 2
    assert not (tmp_path / "x.parquet").exists()


def test_who_only_returned_things_is_explained_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No purchase: no scores, no tier, and a sentence."""
    log = tmp_path / "log.csv"
    log.write_text(
        "order_id,customer_id,order_date,amount\n1,A,2024-01-01,5.00\n2,B,2024-01-02,-5.00\n3,C,2024-01-03,7.00\n", "utf-8"
    )
    assert main(["clean", str(log), "-q", "-o", str(tmp_path / "c.parquet")]) == 0
    assert main(["rfm", str(tmp_path / "c.parquet"), "-q", "-o", str(tmp_path / "r.parquet")]) == 0
    code, out, _ = say(capsys, "segment", str(tmp_path / "r.parquet"), "--explain", "B")
    assert code == 0
    assert "no_purchase: nothing was ever bought" in out


@pytest.mark.parametrize(
    ("code", "says", "more"),
    [
        (78, "tier file nowhere.toml cannot be read", ["--tiers", "nowhere.toml"]),
        (2, "--previous remembers tiers, and there are none", ["--previous", "{rfm}"]),
        (65, "lacks the columns tier", ["--tiers", "{tiers}", "--previous", "{rfm}"]),
        (66, "nowhere.parquet", ["--tiers", "{tiers}", "--previous", "nowhere.parquet"]),
        (65, "asks clv, which INPUT does not have: `clm clv` adds it", ["--tiers", "{value}"]),
        (78, "holds nothing for segment", ["--tiers", "{tiers}", "--model", "{model}"]),
        (65, "nothing was learned", ["--save-model", "{folder}/m.json"]),
    ],
)
def test_what_cannot_be_is_said(
    shop: Shop, tiers: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], code: int, says: str, more: list[str]
) -> None:
    """Files that are not there, tables without tiers, columns of later stages, models without segments."""
    (tmp_path / "value.toml").write_text(BY_VALUE, "utf-8")
    (tmp_path / "model.json").write_text('{"schema": 1, "learned": {"rfm": {}}}', "utf-8")
    made = {"value": tmp_path / "value.toml", "model": tmp_path / "model.json", "folder": tmp_path}
    given = [one.format(rfm=shop.file("rfm"), tiers=tiers, **made) for one in more]
    found, _, err = say(capsys, "segment", str(shop.file("rfm")), *given, "-o", str(tmp_path / "x.parquet"))
    assert (found, says in err) == (code, True), err


def test_the_earlier_table_is_no_place_to_write(
    shop: Shop, tiers: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """-o onto --previous would destroy the memory: 2."""
    out = tmp_path / "x.parquet"
    line = ["segment", str(shop.file("rfm")), "--tiers", str(tiers), "-o", str(out)]
    assert main([*line, "-q"]) == 0
    assert say(capsys, *line, "--previous", str(out))[0] == 2


def test_edges_saved_and_applied(shop: Shop, tiers: Path, tmp_path: Path) -> None:
    """--save-model then --model on the same table gives the same tiers; the footer knows model, tiers and memory by hash."""
    line = ["segment", str(shop.file("rfm")), "--tiers", str(tiers), "--scheme", "zh8", "-q"]
    model, first, second = tmp_path / "m.json", tmp_path / "a.parquet", tmp_path / "b.parquet"
    assert main([*line, "--save-model", str(model), "-o", str(first)]) == 0
    assert main([*line, "--model", str(model), "--previous", str(first), "-o", str(second)]) == 0
    assert pl.read_parquet(second).equals(pl.read_parquet(first))
    settings = json.loads(pl.read_parquet_metadata(second)["clm"])["settings"]
    assert settings["scheme"] == "zh8"
    assert all(settings[name].startswith("sha256:") for name in ("tiers", "previous", "model"))
    assert str(tmp_path) not in pl.read_parquet_metadata(second)["clm"]


def test_run_puts_segment_after_clv_when_a_tier_asks_clv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The order of the run follows the file; another file makes segment stale; a broken one stops the run before anything."""
    csv_of(invented(customers=60, orders=5), tmp_path / "orders.csv")
    rules, config = tmp_path / "tiers.toml", tmp_path / "clm.toml"
    config.write_text('[segment]\ntiers = "tiers.toml"\n', "utf-8")
    monkeypatch.chdir(tmp_path)

    def run() -> tuple[int, list[str], dict[str, str]]:
        code = main(["run", "orders.csv", "-o", "out", "-q"])
        record = tmp_path / "out" / "run.json"
        stages = json.loads(record.read_text("utf-8"))["stages"] if record.exists() else []
        made = {one["stage"]: one["reason"] for one in stages if one["status"] == "made"}
        return code, [one["stage"] for one in stages], made

    rules.write_text(BY_VALUE.replace("20%", "200%"), "utf-8")
    assert run() == (78, [], {})
    rules.write_text(BY_VALUE, "utf-8")
    assert run()[:2] == (0, ["clean", "rfm", "clv", "segment", "churn", "report"])
    found = pl.read_parquet(tmp_path / "out" / "customers.parquet")
    rich, rest = (found.filter(pl.col("tier") == code)["clv"] for code in ("rich", "rest"))
    assert rich.min() > rest.max()  # type: ignore[operator]
    before = (tmp_path / "out" / "run.json").read_bytes()
    assert run()[0] == 0
    assert (tmp_path / "out" / "run.json").read_bytes() == before
    rules.write_text(BY_VALUE.replace("20%", "30%"), "utf-8")
    assert run()[2]["segment"] == "setting tiers changed"
    rules.write_text(TIERS, "utf-8")
    code, order, made = run()
    assert (code, order[:4]) == (0, ["clean", "rfm", "segment", "clv"])
    assert made["segment"] == "input rfm.parquet changed"
