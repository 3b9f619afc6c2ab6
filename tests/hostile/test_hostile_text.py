"""Hostile strings as ids, goods, segments and footers through the whole chain and into every output format: they stay text."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import Any

import fastexcel
import polars as pl
import pytest

from tests.battery import WHOLE, Count
from tests.hostile import documents
from tests.hostile.conftest import GOODS, World, id_of
from tests.hostile.strings import EVERY, GROUPS, NUL, TELLING

RISKY = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "\t", "\r")


def test_there_are_enough_of_each_kind() -> None:
    """Six groups, some eighty strings each, and no two that would be one customer."""
    assert set(GROUPS) == {"formula", "markup", "terminal", "path", "unicode", "settings"}
    assert min(map(len, GROUPS.values())) >= 80
    assert len({id_of(text) for text in EVERY}) == len(EVERY) >= 500


def test_every_string_is_a_customer_of_its_own(world: World, count: Count) -> None:
    """Nothing is merged, dropped, evaluated or cut: ids are the strings after the id rule, goods after trimming."""
    customers = pl.read_parquet(world.out / "customers.parquet")
    wanted = {id_of(text) for text in EVERY}
    missing = wanted ^ set(customers["customer_id"])
    lines = pl.read_parquet(world.out / "clean.parquet").filter(pl.col("ordered_at").dt.month() == 1).sort("source_line")
    changed = [name for name in ("product", "channel") if [one.strip() for one in EVERY] != lines[name].to_list()]
    count("hostile strings as ids and goods", strings=len(EVERY), lost_or_changed=len(missing) + len(changed))
    assert not missing
    assert not changed
    assert lines["order_id"].n_unique() == len(EVERY)


def test_a_byte_of_zero_in_a_parquet_log_stays_what_it_is(world: World, tmp_path: Path) -> None:
    """A CSV cannot hold one (its record is a reject), Parquet can: it goes through, and into CSV and back."""
    log = {"customer_id": list(NUL), "order_id": list(NUL), "order_date": ["2024-01-05"] * len(NUL), "amount": ["1.5"] * len(NUL)}
    pl.DataFrame(log).write_parquet(tmp_path / "log.parquet")
    world.clm("clean", tmp_path / "log.parquet", "-q", "-o", tmp_path / "clean.parquet")
    assert pl.read_parquet(tmp_path / "clean.parquet")["customer_id"].to_list() == list(NUL)
    for suffix in ("csv", "xlsx"):
        world.clm("clean", tmp_path / "clean.parquet", "-q", "-o", tmp_path / f"clean.{suffix}")
    assert not documents.workbook(tmp_path / "clean.xlsx")


@pytest.mark.parametrize("lang", ["en", "zh"] if WHOLE else ["en"])
def test_the_page_and_its_pictures_hold_nothing_but_text(
    world: World, tampered: Path, lang: str, tmp_path: Path, count: Count
) -> None:
    """Parsed as a browser parses: no script, handler, foreign element or reference, and a policy that forbids them."""
    figures = tmp_path / "figures"
    world.clm("report", tampered, "-q", "--lang", lang, "--min-cell", "0", "--figures", figures, "-o", tmp_path / "tampered.html")
    pages = {
        path.name: documents.page(path.read_text("utf-8")) for path in (tmp_path / "tampered.html", world.out / "report.html")
    }
    drawn = {path.name: documents.picture(path.read_text("utf-8")) for path in figures.iterdir()}
    count(
        "hostile strings in pages",
        pages=len(pages),
        pictures=len(drawn),
        foreign=sum(map(len, [*pages.values(), *drawn.values()])),
    )
    assert not any(pages.values()), pages
    assert not any(drawn.values()), drawn
    assert len(drawn) >= 3
    shown = (tmp_path / "tampered.html").read_text("utf-8")
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in shown  # as text it is there
    own = (world.out / "report.html").read_text("utf-8")
    assert not [text for text in TELLING if text in own]  # no customer at all


@pytest.mark.parametrize("lang", ["en", "zh"] if WHOLE else ["zh"])
def test_markdown_and_json_of_the_report(world: World, tampered: Path, lang: str, tmp_path: Path, count: Count) -> None:
    """No element, link, picture or code of a segment's making; JSON without a byte that a terminal would obey."""
    world.clm("report", tampered, "-q", "--lang", lang, "-o", tmp_path / "report.md")
    world.clm("report", tampered, "-q", "--lang", lang, "-o", tmp_path / "report.json")
    found = documents.markdown((tmp_path / "report.md").read_text("utf-8"))
    text = (tmp_path / "report.json").read_text("utf-8")
    steering = documents.steering(text)
    groups = {
        row["group"] for row in json.loads(text)["metrics"] if row["section"] == "segments" and row["metric"] == "customers"
    }
    count("hostile strings in Markdown and JSON", documents=2, foreign=len(found), steering=len(steering))
    assert not found
    assert not steering
    assert groups == set(pl.read_parquet(tampered)["segment"])


def test_csv_is_defused_and_restored(world: World, tmp_path: Path, count: Count) -> None:
    """No text cell and no heading starts like a formula; `clean` reads its own export back to the same, to the sign."""
    clean = pl.read_parquet(world.out / "clean.parquet")
    world.clm("clean", world.out / "clean.parquet", "-q", "-o", tmp_path / "clean.csv")
    with (tmp_path / "clean.csv").open(newline="", encoding="utf-8") as stream:
        heading, *rows = list(csv.reader(stream))
    texts = [place for place, name in enumerate(heading) if name in ("customer_id", "order_id", *GOODS)]
    live = [row[place] for row in rows for place in texts if row[place].startswith(RISKY)]
    world.clm("clean", tmp_path / "clean.csv", "-q", "-o", tmp_path / "again.parquet")
    again = pl.read_parquet(tmp_path / "again.parquet")
    same = clean.columns == again.columns and clean.drop("source_line").equals(again.drop("source_line"))
    count("hostile strings in CSV", cells=len(rows) * len(texts), live=len(live), changed_by_the_way_back=0 if same else 1)
    assert not live
    assert same


def test_a_csv_of_customers_is_defused_too(world: World, tampered: Path, tmp_path: Path) -> None:
    """Segments, and columns with hostile names that somebody's table brings along."""
    world.clm("churn", tampered, "--orders", world.out / "clean.parquet", "-q", "-o", tmp_path / "x.csv")
    with (tmp_path / "x.csv").open(newline="", encoding="utf-8") as stream:
        heading, *rows = list(csv.reader(stream))
    text = [place for place, kind in enumerate(pl.read_parquet_schema(tampered).values()) if kind == pl.String]
    assert len(heading) > 500
    assert not [one for one in heading if one.startswith(RISKY)]
    assert not [row[place] for row in rows for place in text[:8] if row[place].startswith(RISKY)]


def test_workbooks_hold_no_formula_and_no_link(world: World, tampered: Path, tmp_path: Path, count: Count) -> None:
    """Every cell a string or a number, in every table clm writes; a reader of Excel's format gets the ids back."""
    made: dict[str, tuple[str, ...]] = {
        "clean": (str(world.out / "clean.parquet"),),
        "segment": (str(world.out / "rfm.parquet"),),
        "churn": (str(tampered), "--orders", str(world.out / "clean.parquet")),
        "list": (str(world.out / "customers.parquet"),),
    }
    found: dict[str, Any] = {}
    for command, argv in made.items():
        path = tmp_path / f"{command}.xlsx"
        world.clm(command, *argv, "-q", "-o", path)
        found[command] = documents.workbook(path)
    count("hostile strings in workbooks", workbooks=len(found), formulas_and_links=sum(map(len, found.values())))
    assert not any(found.values()), found
    sheet = fastexcel.read_excel(tmp_path / "segment.xlsx").load_sheet(0, dtypes="string").to_polars()
    wanted = pl.read_parquet(world.out / "customers.parquet")["customer_id"].to_list()
    assert [_unescaped(one) for one in sheet["customer_id"]] == wanted


def _unescaped(text: str | None) -> str:
    """fastexcel leaves Excel's own spelling of control bytes (`_x001B_`) as it is."""
    return re.sub("_x([0-9A-F]{4})_", lambda sign: chr(int(sign[1], 16)), text or "")


def test_no_string_travels_in_footers_rejects_or_records(world: World, count: Count) -> None:
    """Facts are about the base; a reject shows the shape of a value, never the value."""
    places = {path.name: pl.read_parquet_metadata(path).get("clm", "") for path in world.out.glob("*.parquet")}
    places |= {name: (world.out / name).read_text("utf-8") for name in ("run.json", "model.json")}
    places |= {"the log": world.log.read_text("utf-8")}
    found = [(name, text) for name, said in places.items() for text in TELLING if text in said]
    count("hostile ids in footers and records", documents=len(places), ids_found=len(found))
    assert not found
