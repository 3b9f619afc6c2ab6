"""Page, workbook, Markdown and JSON tell the same numbers, in both languages: each is read back and held against the others."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from clm.report import document, page, sheets
from tests.report import reading
from tests.report.reading import Tables, number_shown

Shop = tuple[pl.DataFrame, dict[str, Any], pl.DataFrame]


def test_the_invented_shop(shop: Shop, numbers: pl.DataFrame) -> None:
    """Every panel filled: four views in two languages."""
    views = {
        lang: {
            "html": page.render(numbers, shop[1], lang).encode(),
            "md": document.to_markdown(numbers, shop[1], lang).encode(),
            "json": document.to_json(numbers, shop[1], lang).encode(),
            "xlsx": sheets.to_workbook(numbers, shop[1], lang),
        }
        for lang in ("en", "zh")
    }
    hold_equal(views, numbers)


@pytest.mark.slow
def test_real_logs(real_views: tuple[Path, dict[str, dict[str, bytes]]]) -> None:
    """CDNOW and Online Retail, made as a user makes them; METRICS is the file of the run."""
    folder, views = real_views
    hold_equal(views, pl.read_parquet(folder / "metrics.parquet"))


def hold_equal(views: dict[str, dict[str, bytes]], metrics: pl.DataFrame) -> None:
    read = {lang: _tables(made, metrics) for lang, made in views.items()}
    numbers = [
        [
            [[cell[1] for cell in row] for row in table if any(cell[1] is not None for cell in row)]
            for panel in tables
            for table in panel
        ]
        for tables in read.values()
    ]
    assert numbers[0] == numbers[1]
    assert sum(cell is not None for table in numbers[0] for row in table for cell in row) > 200


def _tables(made: dict[str, bytes], metrics: pl.DataFrame) -> list[Tables]:
    """The tables of the page, after those of the other three were found equal to them, and METRICS in JSON and workbook."""
    told = json.loads(made["json"])
    book = list(reading.sheets(made["xlsx"]).values())
    shown = reading.page_tables(made["html"].decode())
    exact = reading.json_tables(told["panels"])
    assert _words(reading.markdown_tables(made["md"].decode())) == _words(shown)
    assert _values(exact) == _values(shown)
    assert reading.sheet_tables(book[1:-1], exact) == exact
    for table in (table for panel in shown for table in panel):
        for text, value in (cell for row in table for cell in row):
            assert value is None or _is_shown(text, value), (text, value)

    schema = {name: kind for name, kind in metrics.schema.items() if name != "as_of"}
    in_json = pl.DataFrame(told["metrics"], schema=schema, orient="row")
    assert_frame_equal(in_json, metrics.drop("as_of"), check_exact=True)
    rows = book[-1].rows()[1:]
    in_book = pl.DataFrame([row[1:] for row in rows], schema=schema | {"n": pl.Float64}, orient="row").cast({"n": pl.Int64})
    assert_frame_equal(in_book, metrics.drop("as_of"), check_exact=True)
    assert {row[0] for row in rows} == {(day - date(1899, 12, 30)).days for day in metrics["as_of"].unique().drop_nulls()}
    return shown


def _words(panels: list[Tables]) -> list[Any]:
    return [[[[text for text, _ in row] for row in table] for table in panel] for panel in panels]


def _values(panels: list[Tables]) -> list[Any]:
    """Of each cell the number, or the words where there is none."""
    return [[[[text if value is None else value for text, value in row] for row in table] for table in panel] for panel in panels]


def _is_shown(text: str, value: float) -> bool:
    """The text is the number, rounded as it shows; a bound (`<0.1%`) holds; what is nearly all may read 99.9%."""
    shown, half, bound = number_shown(text)
    if bound:
        return 0 < abs(value) < shown + 1e-12
    return abs(shown - value) <= half * (1 + 1e-9) or (text == "99.9%" and 0.9985 < value < 1)


@pytest.mark.parametrize(
    ("text", "value", "same"),
    [
        ("£1,234", 1234.4, True), ("£1,234", 1235.0, False), ("−12.5%", -0.125, True), ("12.5%", -0.125, False),
        ("29.9万", 299060.0, True), ("29.9万", 298000.0, False), ("<0.1%", 0.0003, True), ("<0.1%", 0.003, False),
    ],
)  # fmt: skip
def test_another_number_would_be_seen(text: str, value: float, same: bool) -> None:
    """The reader of shown numbers tells equal from different."""
    assert _is_shown(text, value) is same
