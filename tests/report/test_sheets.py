"""The report as a workbook: every panel a sheet, numbers as numbers, everything of METRICS, in either language."""

from __future__ import annotations

import json
import re
import time
from datetime import date
from typing import Any

import polars as pl
import pytest

from clm import tables
from clm.errors import DataError, Exit
from clm.report import document, excel, metrics, sheets
from clm.report.blocks import Cell
from clm.report.outline import outline
from tests.report import samples
from tests.report.reading import Sheet
from tests.report.reading import sheets as read

Shop = tuple[pl.DataFrame, dict[str, Any], pl.DataFrame]
HAN = re.compile("[\u3400-\u9fff]")


@pytest.fixture(scope="module", params=["en", "zh"])
def book(request: pytest.FixtureRequest, shop: Shop, numbers: pl.DataFrame) -> tuple[str, dict[str, Sheet]]:
    return request.param, read(sheets.to_workbook(numbers, shop[1], request.param))


def test_every_panel_is_a_sheet(book: tuple[str, dict[str, Sheet]], shop: Shop, numbers: pl.DataFrame) -> None:
    """Overview first, then the panels in their order with their titles, METRICS last; names are short, legal and different."""
    lang, found = book
    report = outline(numbers, shop[1], lang)
    assert [sheet.cells[0, 0] for sheet in list(found.values())[:-1]] == [report.title, *(one.title for one in report.panels)]
    assert len({name.casefold() for name in found}) == len(report.panels) + 2
    assert all(0 < len(name) <= 31 and not set("[]:*?/\\'") & set(name) for name in found)
    assert all(sheet.frozen[0] >= 1 for sheet in found.values())


def test_headlines_key_figures_and_notices_come_first(
    book: tuple[str, dict[str, Sheet]], shop: Shop, numbers: pl.DataFrame
) -> None:
    """The first sheet says what the page says first; a key figure is its exact number."""
    lang, found = book
    report, first = outline(numbers, shop[1], lang), next(iter(found.values()))
    said = [row[0] for row in first.rows() if row[0] is not None]
    wanted = [*report.headlines, *(tile.label for tile in report.tiles), report.notices_title, *report.notice_lines]
    assert [line for line in said if line in wanted] == wanted
    assert {row[0]: row[1] for row in first.rows() if row[1] is not None} == {tile.label: tile.value for tile in report.tiles}


def test_metrics_are_all_there(book: tuple[str, dict[str, Sheet]], numbers: pl.DataFrame) -> None:
    """The last sheet is METRICS to the last bit: text as text, numbers as numbers, nothing where nothing is known."""
    lang, found = book
    heading, *rows = next(reversed(found.values())).rows()
    assert (heading == list(tables.METRICS.names())) == (lang == "en")
    first = date(1899, 12, 30)
    wanted = [[(row[0] - first).days, *row[1:]] for row in numbers.rows()]
    assert rows == wanted


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_headings_speak_one_language(lang: str) -> None:
    """English has no Chinese sign in names of sheets or headings; Chinese headings of METRICS are Chinese, all of them."""
    numbers = metrics.compute(samples.customers(), samples.facts())
    found = read(sheets.to_workbook(numbers, samples.facts(), lang))
    heading = next(reversed(found.values())).rows()[0]
    names = [*found, *heading]
    assert all(bool(HAN.search(str(name))) == (lang == "zh") for name in names if name not in ("RFM", "CLV"))


@pytest.mark.parametrize("text", [*samples.HOSTILE, "<r><t>x</t></r>", "=1+1", "00", "1E+15"])
def test_hostile_text_stays_text(text: str) -> None:
    """As segment, currency and file name: no formula, no link, no number, no foreign XML; METRICS has it sign for sign."""
    people = samples.customers().with_columns(segment=pl.lit(text))
    facts = samples.facts(people) | {"currency": text}
    facts["ancestors"][0]["source"] = text
    found = read(sheets.to_workbook(metrics.compute(people, facts), facts, "en"))
    groups = {row[3] for row in next(reversed(found.values())).rows()}
    assert text in groups


def test_the_same_numbers_give_the_same_bytes(shop: Shop, numbers: pl.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    """No clock in the workbook: another day, the same file."""
    first = sheets.to_workbook(numbers, shop[1], "zh")
    monkeypatch.setattr(time, "time", lambda: 2e9)
    monkeypatch.setattr(time, "localtime", lambda *_: time.gmtime(2_000_000_000))
    assert sheets.to_workbook(numbers, shop[1], "zh") == first


def test_what_a_sheet_cannot_hold_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """More numbers than a sheet has rows: 65 and what to write instead; nothing is left out unsaid."""
    numbers = metrics.compute(samples.customers(), samples.facts())
    monkeypatch.setattr(excel, "MOST_ROWS", numbers.height)
    with pytest.raises(DataError) as refused:
        sheets.to_workbook(numbers, {}, "en")
    assert refused.value.exit_code == Exit.DATA
    assert "-o x.parquet" in (refused.value.fix or "")


def test_an_empty_table_makes_a_workbook() -> None:
    """No customer at all: the sheets are there and say why they are empty."""
    for lang in ("en", "zh"):
        found = read(sheets.to_workbook(metrics.compute(samples.empty(), {}), {}, lang))
        assert len(found) == len(outline(metrics.compute(samples.empty(), {}), {}, lang).panels) + 2


@pytest.mark.parametrize(
    ("text", "value", "look"),
    [
        ("1,234", 1234.0, "#,##0"),
        ("£1,234.50", 1234.5, '"£"#,##0.00'),
        ("−£12.50", -12.5, '"£"#,##0.00'),
        ("CHF\u00a05.00", 5.0, '"CHF\u00a0"#,##0.00'),
        ("4.2%", 0.0421, "#,##0.0%"),
        ("12%*", 0.12, '#,##0%"*"'),
        ("+36.2%", 0.362, "+#,##0.0%;-#,##0.0%;#,##0.0%"),
        ("0.126 (0.121 to 0.132)", 0.12625, '#,##0.000" (0.121 to 0.132)"'),
        ("29.9万", 299060.17, "#,##0"),
        ("26.1k*", 26118.0, '#,##0"*"'),
        ("13 weeks", 91.0, "General"),
    ],
)
def test_a_number_looks_as_on_the_page(text: str, value: float, look: str) -> None:
    """Signs of currency, percent and decimals of a cell become its number format; what shows another number is left plain."""
    assert sheets._look(Cell(text, value)) == look


def test_a_column_has_one_look_and_nothing_small_reads_zero() -> None:
    """Decimals are those of the finest cell; a share too small for them gets more."""
    common = sheets._common([Cell("Total"), Cell("10%", 0.1), Cell("4.2%", 0.042), Cell("<0.1%", 0.0003)])
    assert common is not None
    assert [sheets._look(Cell("10%", 0.1), common), sheets._look(Cell("<0.1%", 0.0003), common)] == ["#,##0.0%", "#,##0.00%"]
    assert sheets._common([Cell("£1.00", 1.0), Cell("4%", 0.04)]) is None


def test_json_and_workbook_name_the_same_tables(book: tuple[str, dict[str, Sheet]], shop: Shop, numbers: pl.DataFrame) -> None:
    """Every table of the JSON document stands on its panel's sheet, heading by heading and cell by cell."""
    lang, found = book
    panels = json.loads(document.to_json(numbers, shop[1], lang))["panels"]
    for panel, sheet in zip(panels, list(found.values())[1:-1], strict=True):
        rows = sheet.rows()
        for table in panel["tables"]:
            wide = len(table["columns"])
            cells = [[None if cell == "" else cell for cell in row] for row in [table["columns"], *table["rows"]]]
            starts = [at for at, row in enumerate(rows) if row[:wide] == cells[0]]
            assert any([row[:wide] for row in rows[at : at + len(cells)]] == cells for at in starts), table["caption"]
