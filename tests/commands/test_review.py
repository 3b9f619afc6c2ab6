"""Review from the command line: rules from flags and clm.toml, where they go wrong, what is switched off, and the money."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from clm.cli import main

LOG = (
    "order_id,customer_id,order_date,qty,price,sku,note\n"
    "1,A,2024-01-02 10:00,2,5.00,tea,gift\n"
    "2,A,2024-01-03 10:00,1,250000,tea,\n"
    "3,B,2024-01-04 10:00,1,4.50,POST,\n"
    "3,B,2024-01-04 10:00,1,4.50,POST,\n"
    "4,B,2024-01-05 10:00,3,5.00,cup,gift\n"
    "5,B,2024-01-05 10:05,-3,5.00,cup,\n"
    "6,C,2024-01-06 10:00,1,0,tea,\n"
)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "log.csv"
    path.write_text(LOG, encoding="utf-8")
    return path


def flags(path: Path) -> list[str | None]:
    return pl.read_parquet(path)["flags"].to_list()


def test_rules_and_what_clm_finds_go_into_one_column(log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`--review`, `--rule`, a rule of clm.toml over a kept column, and the built-in judgements, in a fixed order."""
    monkeypatch.chdir(tmp_path)
    rules = '[clean]\nkeep = ["note"]\n[[clean.rule]]\nflag = "gift"\nwhen = "note = \'gift\'"\n'
    (tmp_path / "clm.toml").write_text(rules + '[[clean.rule]]\nflag = "dear"\nwhen = "amount > 100000"\n', encoding="utf-8")
    assert main(["clean", str(log), "-o", "c.parquet", "-q", "--review", "product_id = 'POST' or amount > 1000"]) == 0
    assert flags(tmp_path / "c.parquet") == [
        "gift", "review,dear", "non_product,review", "duplicate,non_product,review",
        "quick_cancellation,gift", "quick_cancellation", "zero_price",
    ]  # fmt: skip
    assert main(["clean", str(log), "-o", "d.parquet", "-q", "--rule", "other=quantity = 3"]) == 0
    assert flags(tmp_path / "d.parquet")[4] == "quick_cancellation,other"
    assert main(["clean", str(log), "-o", "e.parquet", "-q", "--review", "none", "--duplicates", "keep"]) == 0
    assert flags(tmp_path / "e.parquet") == ["gift", "dear", None, None, "gift", None, None]


def test_a_rule_may_ask_where_a_row_stands(log: Path, tmp_path: Path) -> None:
    """`source_line`, and `source_file` of several files, are columns like the others; again when the clean table is cleaned."""
    other = tmp_path / "other.csv"
    other.write_text(LOG.replace("2024", "2023"), encoding="utf-8")
    rules = ["--rule", "head=source_line <= 2", "--rule", "other=source_file = 'other.csv' and source_line > 7"]
    made, again = tmp_path / "c.parquet", tmp_path / "d.parquet"
    assert main(["clean", str(log), str(other), "-o", str(made), "-q", "--review", "none", "--duplicates", "keep", *rules]) == 0
    assert flags(made) == ["head", *[None] * 6, "head", *[None] * 5, "other"]
    assert main(["clean", str(made), "-o", str(again), "-q", "--rule", "seen=flags = 'other' and source_line = 8"]) == 0
    assert flags(again) == [*flags(made)[:-1], "other,seen"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--review", "amount >"], "--review expected a column or a value, found the end"),
        (["--review", "colour = 'red'"], "the rule review: there is no column colour"),
        (["--review", "qty > 3"], "write quantity, as clean calls it"),
        (["--review", "price > 3"], "--keep price"),
        (["--rule", "duplicate=amount > 5"], "is one of clm's"),
        (["--rule", "big=amount > 'x'"], "the rule big: amount is a number"),
        (["--rule", "two words=amount > 5"], "wants a flag of small letters"),
        (["--rule", "Big=amount > 5"], "wants a flag of small letters"),
        (["--rule", "big"], "wants FLAG=RULE"),
        (["--review", "order_date > 2024-01-01"], "write ordered_at"),
        (["--review", "ordered_at > '2024-01-01'"], "write a moment without quotes"),
        (["--rule", "seen=flags is empty"], "there is no column flags"),
    ],
)
def test_a_wrong_rule_is_refused_before_anything_is_written(
    arguments: list[str], says: str, log: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """2, with the place in the rule."""
    assert main(["clean", str(log), "-o", str(tmp_path / "c.parquet"), *arguments]) == 2
    assert says in capsys.readouterr().err
    assert not (tmp_path / "c.parquet").exists()


@pytest.mark.parametrize(
    "rules", ['[[clean.rule]]\nflag = "x"\n', "[clean]\nrule = 5\n", '[[clean.rule]]\nflag = "x"\nwhen = "a >"\n']
)
def test_a_wrong_rule_in_the_configuration_is_78(
    rules: str, log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The message names clm.toml and the key."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "clm.toml").write_text(rules, encoding="utf-8")
    assert main(["clean", str(log), "-o", "c.parquet"]) == 78
    assert "clm.toml [clean]" in capsys.readouterr().err


@pytest.mark.parametrize("policy", ["keep", "flag", "drop"])
def test_money_adds_up_under_each_policy(policy: str, log: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In = out + rejected + collapsed, and only `drop` takes rows out."""
    assert main(["clean", str(log), "-o", str(tmp_path / "c.parquet"), "-q", "--json", "--duplicates", policy]) == 0
    told = json.loads(capsys.readouterr().out)
    parts = [told["amount"]["out"], *told["amount"]["rejected"].values(), *told["amount"]["collapsed"].values()]
    assert sum(map(Decimal, parts)) == Decimal(told["amount"]["in"]) == Decimal("250019")
    assert told["rows"]["collapsed"] == ({"duplicate": 1} if policy == "drop" else {})
    assert ("duplicate" in told["metrics"]["flags"]) == (policy == "flag")


def test_the_quality_of_the_log_is_told(log: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Completeness by column, flags with their money, days covered, shares left out, returns and what they undo."""
    with log.open("a", encoding="utf-8") as more:
        more.write("7,,2024-01-09 10:00,1,10,tea,\n")
    assert main(["clean", str(log), "-o", str(tmp_path / "c.parquet"), "-q", "--json", "--keep", "note"]) == 0
    metrics = json.loads(capsys.readouterr().out)["metrics"]
    quality = metrics["quality"]
    assert quality["completeness"]["note"] == round(2 / 7, 6)
    assert quality["completeness"]["product_id"] == 1
    share = {"row_share": round(2 / 7, 6), "amount_share": 0.000036}
    assert quality["flags"]["non_product"] == {"rows": 2, "amount": "9.0000"} | share
    assert (quality["first_day"], quality["last_day"]) == ("2024-01-02", "2024-01-06")
    left_out = {"rows": 1, "row_share": 0.125, "amount": "10.0000", "amount_share": round(10 / 250029, 6)}
    assert quality["left_out"] == {"no_customer": left_out}
    assert metrics["refunds"]["matched"] == {"rows": 1, "amount": "-15.0000"}


def test_a_dry_run_says_rules_as_options(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each rule as an option of its own, quoted for a shell."""
    wanted = ["--rule", "a=amount > 5", "--rule", "b=amount < 1", "--review", "quantity = 3", "--non-products", "none"]
    assert main(["clean", "-n", str(log), *wanted]) == 0
    told = capsys.readouterr().err
    for said in ("--rule 'a=amount > 5'", "--rule 'b=amount < 1'", "--review 'quantity = 3'", "--non-products none"):
        assert said in told


def test_our_own_table_keeps_its_flags(log: Path, tmp_path: Path) -> None:
    """Cleaning a cleaned file looks at nothing again, and adds what a rule says."""
    assert main(["clean", str(log), "-o", str(tmp_path / "c.parquet"), "-q"]) == 0
    assert main(["clean", str(tmp_path / "c.parquet"), "-o", str(tmp_path / "d.parquet"), "-q"]) == 0
    assert flags(tmp_path / "d.parquet") == flags(tmp_path / "c.parquet")
    extra = ["--rule", "big=amount > 1000"]
    assert main(["clean", str(tmp_path / "c.parquet"), "-o", str(tmp_path / "e.parquet"), "-q", *extra]) == 0
    before = flags(tmp_path / "c.parquet")
    assert flags(tmp_path / "e.parquet") == [one if place != 1 else "big" for place, one in enumerate(before)]
