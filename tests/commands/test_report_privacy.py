"""`clm report --min-cell --include-customers`: whom the files of a report tell of."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import polars as pl
import pytest

from clm.cli import main
from clm.storage import files, publish
from clm.tables import CUSTOMERS, METRICS
from tests.commands.conftest import Shop

CANARY = "CANARY"


@pytest.fixture(scope="module")
def marked(shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shop's customers under ids nobody could mistake, with their footer."""
    opened = files.open_table(shop.file("churn"), CUSTOMERS, ["customer_id"])
    path = tmp_path_factory.mktemp("marked") / "customers.parquet"
    frame = opened.frame.collect().with_columns(pl.format(f"{CANARY}-{{}}-", "customer_id").alias("customer_id"))
    assert opened.facts is not None
    publish.write_table(frame, CUSTOMERS, opened.facts, path)
    return path


def _content(path: Path) -> bytes:
    """All of a file, unpacked where it is a workbook."""
    if path.suffix != ".xlsx":
        return path.read_bytes()
    with zipfile.ZipFile(path) as book:
        return b"".join(book.read(name) for name in book.namelist())


@pytest.mark.parametrize("suffix", [".html", ".json", ".md", ".parquet", ".csv", ".xlsx"])
def test_no_file_of_a_report_names_a_customer(marked: Path, tmp_path: Path, suffix: str) -> None:
    """Documents, tables and their footers hold no id unless it is asked for; METRICS does not even then."""
    output = tmp_path / f"report{suffix}"
    assert main(["report", str(marked), "-q", "-o", str(output)]) == 0
    assert CANARY.encode() not in _content(output)
    table = suffix in (".parquet", ".csv")
    assert main(["report", str(marked), "-q", "--include-customers", "3", "-o", str(output)]) == 0
    assert (CANARY.encode() in _content(output)) != table


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_as_many_customers_are_named_as_were_asked_for(
    marked: Path, lang: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """The first of `clm list`; the page says that this is personal data, in its last line too."""
    output = tmp_path / "report.json"
    assert main(["report", str(marked), "-q", "--include-customers", "3", "--lang", lang, "-o", str(output)]) == 0
    panels = json.loads(output.read_text("utf-8"))["panels"]
    [panel] = [one for one in panels if one["code"] == "customers"]
    named = [row[0] for row in panel["tables"][0]["rows"]]
    assert main(["list", str(marked), "-q", "--top", "3", "-o", str(tmp_path / "list.csv")]) == 0
    assert named == pl.read_csv(tmp_path / "list.csv")["customer_id"].to_list()
    assert not [one for one in panels if one["code"] != "customers" and CANARY in json.dumps(one)]
    assert {"en": "personal data", "zh": "个人数据"}[lang] in panel["text"][0]
    assert main(["report", str(marked), "--include-customers", "3", "--lang", lang]) == 0
    last = capsys.readouterr().out.rstrip().splitlines()[-1]
    assert {"en": "personal data", "zh": "个人数据"}[lang] in last


def test_the_record_says_how_much_is_hidden(shop: Shop, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """--json and the footer count what is hidden; its footer holds no counts of its ancestors unless everything is shown."""
    output = tmp_path / "metrics.parquet"
    for least in ("0", "5", "30"):
        assert main(["report", str(shop.file("churn")), "--json", "--min-cell", least, "-o", str(output)]) == 0
        record = json.loads(capsys.readouterr().out)
        opened = files.open_table(output, METRICS, ["hidden"])
        hidden = opened.frame.collect()["hidden"].sum()
        assert record["metrics"] == {"min_cell": int(least), "hidden": hidden}
        assert (hidden > 0) == (least == "30") or least == "5"
        assert opened.facts is not None
        counted = [one for one in opened.facts.ancestors if "metrics" in one]
        assert bool(counted) == (least == "0")
