"""`key=value` folders of foreign files: the keys are columns, and every file is known by the folder it lies in."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from clm.ingest import read_text, sources
from clm.settings import CleanSettings

HEADER = "customer_id,order_id,date,amount\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    lines = {"DE": "a,1,2024-01-01,5\n", "C%C3%B4te": "a,1,2024-01-01,5\n", "__HIVE_DEFAULT_PARTITION__": "b,3,2024-02-05,7\n"}
    for country, line in lines.items():
        inside = tmp_path / "env=x" / "log" / f"country={country}"
        inside.mkdir(parents=True)
        (inside / "part-0.csv").write_text(HEADER + line, "utf-8")
    (tmp_path / "env=x" / "log" / "_SUCCESS").touch()
    return tmp_path / "env=x" / "log"


@pytest.mark.parametrize("pattern", ["", "*/*.csv"])
def test_keys_are_columns_of_their_files(folder: Path, pattern: str) -> None:
    """Below what was given, percent signs undone, null as Hive writes it; and rows of two folders are no repeats."""
    log = read_text([folder / pattern], CleanSettings())
    assert log.columns == ("customer_id", "order_id", "date", "amount", "country")
    found = log.frame.select("clm:file", "country", "clm:print", "clm:again").collect()
    assert dict(found.select("clm:file", "country").iter_rows()) == {
        "country=C%C3%B4te/part-0.csv": "Côte",
        "country=DE/part-0.csv": "DE",
        "country=__HIVE_DEFAULT_PARTITION__/part-0.csv": None,
    }
    assert found["clm:print"].n_unique() == 3
    assert not found["clm:again"].any()
    assert not log.notices
    assert any(fact.about.endswith(": keys") for fact in log.evidence)


def test_a_column_of_the_file_beats_the_key(tmp_path: Path) -> None:
    """Writers differ in whether they keep it: what stands in the row is the row's."""
    (tmp_path / "country=DE").mkdir()
    (tmp_path / "country=DE" / "a.csv").write_text("customer_id,date,country\n1,2024-01-01,FR\n", "utf-8")
    log = read_text([tmp_path], CleanSettings())
    assert log.frame.select(pl.col("country")).collect().item() == "FR"


def test_a_file_is_called_by_its_base_name_where_no_other_has_it(tmp_path: Path) -> None:
    """The names of folders may be customers': footers have them only where nothing else tells two files apart."""
    for name in ("customer_id=Zhang San/a.csv", "customer_id=Li Si/b.csv", "customer_id=Li Si/c.csv", "customer_id=Wu/c.csv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(f"date,amount\n2024-01-01,{len(name)}\n", "utf-8")
    assert [one.name for one in sources.find([tmp_path])] == ["b.csv", "customer_id=Li Si/c.csv", "customer_id=Wu/c.csv", "a.csv"]
