"""Hostile headers, column names, file names and folders: they name what they name, and nothing else."""

from __future__ import annotations

import ast
import csv
import re
from pathlib import Path

import polars as pl
import pytest

from clm.ingest import header
from clm.tables import CUSTOMERS
from tests.battery import Count
from tests.conftest import ROOT
from tests.hostile import documents
from tests.hostile.conftest import World
from tests.hostile.strings import EVERY
from tests.logs import csv_of, invented

_LOG = ["order_id", "customer_id", "order_date", "amount"]
_ROOMS = ("stages", "steps", "report", "schemes")


def test_every_string_is_a_header(world: World, tmp_path: Path, count: Count) -> None:
    """A column for each, kept by name through clean, CSV, xlsx and JSON; none replaces a column of clm's, none is several."""
    # roles; and a number or a date makes a line no header
    taken = ("customer_id", "amount", "total", "Total", "- item")
    names = [one for one in EVERY if one not in taken and not header.DATA.search(one.strip())]
    with (tmp_path / "orders.csv").open("w", newline="", encoding="utf-8") as stream:
        rows = csv.writer(stream, lineterminator="\n", quoting=csv.QUOTE_ALL)
        rows.writerow([*_LOG, *names])
        for order in range(30):
            rows.writerow(
                [f"O{order}", f"C{order % 9}", f"2024-01-{1 + order % 28:02}", "5.25", *(f"v{n}" for n in range(len(names)))]
            )
    shown = [" ".join(one.split()) for one in names]
    odd = {one: f"#{place + len(_LOG) + 1} {one}" for place, one in enumerate(shown) if one == "*" or one.startswith("clm:")}
    keep = list(dict.fromkeys(odd.get(one, one) for one in shown if "\ufeff" not in one))
    (tmp_path / "clm.toml").write_text(f"[clean]\nkeep = {_toml(keep)}\n", "utf-8")
    for suffix in ("parquet", "csv", "xlsx"):
        argv = (
            "clean",
            tmp_path / "orders.csv",
            "--config",
            tmp_path / "clm.toml",
            "-o",
            tmp_path / f"clean.{suffix}",
            "--json",
            "-v",
        )
        world.clm(*argv)
    found = pl.read_parquet(tmp_path / "clean.parquet").columns
    missing = [one for one in keep if one not in found]
    with (tmp_path / "clean.csv").open(newline="", encoding="utf-8") as stream:
        live = [one for one in next(csv.reader(stream)) if one.startswith(("=", "+", "-", "@", "＝", "＋", "－", "＠"))]
    book = documents.workbook(tmp_path / "clean.xlsx")
    count("hostile strings as headers", headers=len(keep), missing=len(missing), live=len(live) + len(book))
    assert not missing
    assert not live
    assert not book


def _toml(names: list[str]) -> str:
    """A list as TOML: what is no plain character is spelled out."""
    return "[" + ", ".join('"' + "".join(f"\\U{ord(sign):08x}" for sign in name) + '"' for name in names) + "]"


def test_a_carried_column_may_have_any_name(world: World, tmp_path: Path, count: Count) -> None:
    """Also one that clm uses inside: every name in its source is carried through every stage, and no number changes."""
    said: set[str] = set()
    for path in (path for room in _ROOMS for path in (ROOT / "clm" / room).rglob("*.py")):
        constants = (node.value for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Constant))
        said |= {one for one in constants if isinstance(one, str) and re.fullmatch(r"[A-Za-z_][\w :/]{0,30}", one)}
    chain = {"segment": "rfm", "clv": "segments", "churn": "clv", "list": "customers"}
    orders = ("--orders", world.out / "clean.parquet")
    changed = []
    for stage, source in chain.items():
        table = pl.read_parquet(world.out / f"{source}.parquet")
        own = {*CUSTOMERS.names(), "reasons", "action"}
        footer = pl.read_parquet_metadata(world.out / f"{source}.parquet")
        carried = table.with_columns(pl.lit("x").alias(name) for name in sorted(said - own))
        carried.write_parquet(tmp_path / "carried.parquet", metadata={"clm": footer["clm"]})
        more = orders if stage in ("clv", "churn") else ()
        world.clm(stage, tmp_path / "carried.parquet", *more, "-q", "-o", tmp_path / "with.parquet")
        world.clm(stage, world.out / f"{source}.parquet", *more, "-q", "-o", tmp_path / "without.parquet")
        plain = pl.read_parquet(tmp_path / "without.parquet")
        changed += [] if pl.read_parquet(tmp_path / "with.parquet").select(plain.columns).equals(plain) else [stage]
    count("names used inside as columns", names=len(said), stages_that_changed=len(changed))
    assert len(said) > 800
    assert not changed


@pytest.mark.parametrize("name", ["*", "^c.*$"])
def test_a_column_name_that_stands_for_several_is_refused(world: World, tmp_path: Path, name: str) -> None:
    """65 with the name; in a log it gets a name of its own."""
    customers = pl.read_parquet(world.out / "customers.parquet")
    customers.with_columns(pl.lit("x").alias(name)).write_parquet(tmp_path / "x.parquet")
    world.clm("report", tmp_path / "x.parquet", code=65)
    assert "stands for several columns" in world.said[-1]
    (tmp_path / "log.csv").write_text(f"order_id,customer_id,order_date,amount,{name}\n1,a,2024-01-02,5,x\n2,b,2024-02-03,6,y\n")
    world.clm("clean", tmp_path / "log.csv", "--keep", f"#5 {name}", "-q", "-o", tmp_path / "clean.parquet")
    assert pl.read_parquet(tmp_path / "clean.parquet")[f"#5 {name}"].to_list() == ["x", "y"]


def test_every_string_is_a_file_and_a_folder(world: World, tmp_path: Path, count: Count) -> None:
    """What can be a name is read by that name, told by it, and no name leads out of the folder of the output."""
    inside, folder = tmp_path / "inside", tmp_path / "inside" / "logs"
    folder.mkdir(parents=True)
    names = [name for one in EVERY if "/" not in (name := f"{one[:200]}.csv") and len(name.encode()) < 256]
    head, *lines = csv_of(invented(customers=30), tmp_path / "orders.csv").read_text("utf-8").splitlines()
    for place, name in enumerate(dict.fromkeys(names)):
        (folder / name).write_text("\n".join([head, lines[place % len(lines)].replace("O0", f"P{place}")]) + "\n", "utf-8")
    (tmp_path / "orders.csv").unlink()
    there = {path.name for path in folder.iterdir()}
    world.clm("clean", folder, "--duplicates", "keep", "-v", "-o", tmp_path / "inside" / "clean.parquet", code=None)
    read = set(pl.read_parquet(tmp_path / "inside" / "clean.parquet")["source_file"])
    left = {name for name in there if name.startswith(".")}
    count("hostile strings as file names", files=len(there), read=len(read), outside=sum(1 for _ in tmp_path.iterdir()) - 1)
    assert read | left >= there - {name for name in there if name.startswith("~$")}
    assert [path.name for path in tmp_path.iterdir()] == ["inside"]
    assert sorted(path.name for path in inside.iterdir()) == ["clean.parquet", "logs"]
