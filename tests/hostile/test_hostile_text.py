"""Hostile strings as customer ids through the whole chain and into every output format: they stay text."""

from __future__ import annotations

import json
import re
import zipfile
from pathlib import Path

import polars as pl
import pytest

from clm.cli import main

HOSTILE = [
    "=cmd|' /C calc'!A0", "+1+1", "-2+3", "@SUM(A1)", "=HYPERLINK(\"http://x\",\"y\")", "'=1", "＝1+1",
    "<script>alert(1)</script>", "</script><img src=x onerror=alert(1)>", "{{7*7}}", "{% raw %}", "&lt;b&gt;", "]]>",
    "\x1b[31mred\x1b[0m", "bell\x07", "[bold]rich[/bold]", "\u202etxt.exe", "zero\u200bwidth",
    "../../etc/passwd", "C:\\Windows", "a/b", "%s%n", "${HOME}", "$(id)", "`id`", "; rm -rf /",
    "NULL", "NA", "nan", "None", "true", "0", "-0", "1e5", "é", "客户", "Ω≈ç", "𝒳", "a" * 300, "one,two", 'quo"te', "semi;colon",
]  # fmt: skip


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log in which every customer has a hostile name, through `clm run`."""
    folder = tmp_path_factory.mktemp("hostile")
    names = pl.Series(HOSTILE)
    log = pl.concat(
        pl.DataFrame(
            {"customer_id": names, "order_date": [f"2024-0{month}-1{month}"] * len(names), "amount": [f"{month}.25"] * len(names)}
        )
        for month in (1, 3, 6)
    )
    log.write_csv(folder / "orders.csv")
    assert main(["run", str(folder / "orders.csv"), "-o", str(folder / "out"), "-q"]) == 0
    return folder


def customers(run: Path) -> pl.DataFrame:
    return pl.read_parquet(run / "out" / "customers.parquet")


def test_every_name_is_a_customer(run: Path) -> None:
    """Nothing is merged, dropped or evaluated: as many customers as names; only what is no part of an id was taken off."""
    found = customers(run)
    assert found.height == len({name.removeprefix("'").strip() for name in HOSTILE})
    assert {"NULL", "NA", "nan", "None", "0", "-0", "1e5", "{{7*7}}", "<script>alert(1)</script>"} <= set(found["customer_id"])


def test_the_page_has_no_script_and_nothing_from_outside(run: Path) -> None:
    """No script, no handler, no external reference, a policy that forbids them, and no customer's name at all."""
    page = (run / "out" / "report.html").read_text("utf-8")
    assert "<script" not in page.lower()
    assert not re.search(r"\son\w+\s*=", page)
    assert not re.search(r"""(?:src|href)\s*=\s*["']?(?!#|data:)\w""", page)
    assert "default-src 'none'" in page
    assert not any(name in page for name in HOSTILE if len(name) > 6 and name not in ("onclick",))


def test_csv_is_defused_and_restored(run: Path, tmp_path: Path) -> None:
    """No cell starts like a formula; `clean` reads its own export back to the same ids."""
    clean = run / "out" / "clean.parquet"
    assert main(["clean", str(clean), "-q", "-o", str(tmp_path / "clean.csv")]) == 0
    exported = pl.read_csv(tmp_path / "clean.csv", infer_schema=False)
    assert not exported["customer_id"].str.contains(r"^[=+\-@＝＋－＠\t\r]").any()
    assert main(["clean", str(tmp_path / "clean.csv"), "-q", "-o", str(tmp_path / "again.parquet")]) == 0
    again, before = pl.read_parquet(tmp_path / "again.parquet"), pl.read_parquet(clean)
    assert again["customer_id"].to_list() == before["customer_id"].to_list()
    assert again["amount"].sum() == before["amount"].sum()


def test_the_workbook_holds_no_formula_and_no_link(run: Path, tmp_path: Path) -> None:
    """Every cell is a string or a number."""
    assert main(["segment", str(run / "out" / "rfm.parquet"), "-q", "-o", str(tmp_path / "x.xlsx")]) == 0
    with zipfile.ZipFile(tmp_path / "x.xlsx") as book:
        sheets = "".join(book.read(name).decode() for name in book.namelist() if "worksheets/" in name)
    assert "<f>" not in sheets
    assert "<hyperlink" not in sheets


def test_no_control_byte_reaches_a_terminal(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The text report, messages about a hostile file name, and the JSON object."""
    assert main(["report", str(run / "out" / "customers.parquet")]) == 0
    assert main(["rfm", "no\x1b[31msuch\nfile.parquet"]) == 66
    assert main(["rfm", str(run / "out" / "clean.parquet"), "--json", "-n"]) == 0
    out, err = capsys.readouterr()
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e\u200b]", out + err)
    assert "no�[31msuch�file.parquet" in err
    assert json.loads(out[out.rindex('{"schema"') :])["stage"] == "rfm"


def test_no_name_travels_in_footers_rejects_or_logs(run: Path) -> None:
    """Facts are about the base; a reject shows the shape of a value, never the value."""
    for path in (run / "out").glob("*.parquet"):
        footer = pl.read_parquet_metadata(path).get("clm", "")
        assert not any(name in footer for name in HOSTILE if len(name) > 8)
    for name in ("run.json", "model.json"):
        text = (run / "out" / name).read_text("utf-8")
        assert not any(one in text for one in HOSTILE if len(one) > 8)
