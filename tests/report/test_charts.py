"""Figures: the same bytes always, parsed as XML, coloured only with the palette the page repaints."""

from __future__ import annotations

import itertools
import re
import xml.etree.ElementTree as ET
from typing import Any

import altair as alt
import polars as pl
import pytest
from jsonschema import ValidationError

from clm.report import charts
from clm.report.blocks import Figure, Mark, Table
from clm.report.chart_parts import ems
from clm.report.outline import outline
from clm.report.words import plain
from tests.report.samples import HOSTILE

Shop = tuple[pl.DataFrame, dict[str, Any], pl.DataFrame]
KINDS = tuple(charts.KINDS)


@pytest.fixture(scope="module")
def figures(shop: Shop, numbers: pl.DataFrame) -> dict[str, Figure]:
    panels = outline(numbers, shop[1], "zh").panels
    return {block.kind: block for panel in panels for block in panel.blocks if isinstance(block, Figure)}


def _figure(kind: str, *marks: Mark) -> Figure:
    return Figure(kind, "title", (("new", "New"),), marks, "words", Table("", (), ()))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("width", [charts.WIDE, charts.NARROW])
def test_a_figure_is_xml_of_its_width_in_the_palette(figures: dict[str, Figure], kind: str, width: int) -> None:
    """One SVG, no wider than asked, in the five colours that the dark theme knows, with its words and no others."""
    drawn = charts.svg(figures[kind], "zh", width)
    assert charts.svg(figures[kind], "zh", width) == drawn
    root = ET.fromstring(drawn)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert float(root.attrib["width"]) <= width
    assert root.attrib["viewBox"] == f"0 0 {root.attrib['width']} {root.attrib['height']}"
    assert root.attrib["aria-label"] == figures[kind].alt
    palette = {charts.STRONG, charts.SOFT, charts.INK, charts.GRID, charts.BASE, "none", "transparent"}
    used = {value for one in root.iter() for name, value in one.attrib.items() if name in ("fill", "stroke")}
    assert used <= palette
    assert not re.search(r"\bid=|class=|aria-roledescription|url\(|NaN|Infinity", drawn)


@pytest.mark.parametrize("kind", KINDS)
def test_a_figure_keeps_the_schema(figures: dict[str, Figure], kind: str) -> None:
    """What is drawn unchecked is valid Vega-Lite."""
    spec = charts.specification(figures[kind], "zh")
    assert alt.Chart.from_dict(spec, validate=True).to_dict(validate=True)
    with pytest.raises(ValidationError):
        alt.Chart.from_dict(spec | {"width": "wide"}, validate=True)


@pytest.mark.parametrize("kind", KINDS)
def test_no_text_leaves_the_picture(figures: dict[str, Figure], kind: str) -> None:
    """Labels lie within the frame even where no Chinese font is there to measure them with."""
    for width in (charts.WIDE, charts.NARROW):
        root = ET.fromstring(charts.svg(figures[kind], "zh", width))
        for text, x in _texts(root):
            length = ems(text.text or "") * float(text.attrib["font-size"].removesuffix("px"))
            start = {"start": x, "middle": x - length / 2, "end": x - length}[text.attrib.get("text-anchor", "start")]
            assert start >= -1, (text.text, start)
            assert start + length <= float(root.attrib["width"]) + 1, (text.text, start + length)


def _texts(element: ET.Element, x: float = 0.0) -> list[tuple[ET.Element, float]]:
    """Every text with its horizontal place."""
    moved = re.search(r"translate\(([-\d.]+)", element.attrib.get("transform", ""))
    here = x + (float(moved[1]) if moved else 0.0)
    found = [(element, here)] if element.tag.endswith("}text") and element.text else []
    return found + [pair for child in element for pair in _texts(child, here)]


@pytest.mark.parametrize("text", [*HOSTILE, 'a opacity="1" class="x" b', "<path class='background'/>"])
def test_hostile_labels_stay_text(text: str) -> None:
    """A segment's name is the text of an element, whatever it holds; a control byte would abort the drawing library."""
    drawn = charts.svg(_figure("segments", Mark("customer_share", text, 0.5, text)), "en")
    root = ET.fromstring(drawn)
    assert [one.text for one in root.iter() if one.text] == [plain(text)] * 2
    assert {one.tag.rpartition("}")[2] for one in root.iter()} <= {"svg", "g", "path", "text", "line", "rect"}


def test_one_mark_zero_and_negative_months_are_drawn() -> None:
    """The smallest and oddest data give a picture: one month, nothing sold, more returned than sold."""
    for values in ((5.0,), (0.0,), (-3.0, 4.0), (-3.0,)):
        marks = [Mark("new", f"m{place}", value, faint=place == 0) for place, value in enumerate(values)]
        ET.fromstring(charts.svg(_figure("months", *marks), "en"))
    ET.fromstring(charts.svg(_figure("segments", Mark("customer_share", "a", 0.0, "0%")), "en"))
    ET.fromstring(charts.svg(_figure("lorenz", Mark("clv", "", 1.2, x=1.0)), "en"))


@pytest.mark.parametrize("months", [1, 12, 40, 130, 400])
def test_labels_of_many_months_do_not_touch(months: int) -> None:
    """However long the log, month labels keep a distance in both widths and both languages."""
    for lang, name in (("en", "Sep {}"), ("zh", "{}年12月")):
        marks = [Mark("new", name.format(1000 + place), 5.0) for place in range(months)]
        for width in (charts.WIDE, charts.NARROW):
            root = ET.fromstring(charts.svg(_figure("months", *marks), lang, width))
            places = sorted((x, ems(text.text or "") * 12) for text, x in _texts(root) if len(text.text or "") > 6)
            assert places
            for (left, wide), (right, next_wide) in itertools.pairwise(places):
                assert right - next_wide / 2 >= left + wide / 2


@pytest.mark.parametrize(
    ("value", "english", "chinese"),
    [(40.0, "40", "40"), (40_000.0, "40k", "4万"), (3e6, "3M", "300万"), (2e9, "2B", "20亿"), (0.5, "0.5", "0.5")],
)
def test_axes_count_in_the_units_of_the_language(value: float, english: str, chinese: str) -> None:
    """Thousands and millions in English, 万 and 亿 in Chinese; small numbers as they are."""
    for lang, wanted in (("en", english), ("zh", chinese)):
        root = ET.fromstring(charts.svg(_figure("months", Mark("new", "m", value)), lang))
        assert wanted in [one.text for one in root.iter() if one.text]


def test_numbers_of_a_pair_of_bars_stand_apart() -> None:
    """Between the numbers of two bars of a segment is more than the height of their letters."""
    marks = [Mark(series, name, 0.4, "40%") for name in "abcdefgh" for series in ("customer_share", "revenue_share")]
    for width in (charts.WIDE, charts.NARROW):
        root = ET.fromstring(charts.svg(_figure("segments", *marks), "en", width))
        moved = [re.search(r"translate\([-\d.]+,([-\d.]+)", one.attrib["transform"]) for one in root.iter() if one.text == "40%"]
        heights = sorted(float(found[1]) for found in moved if found)
        assert len(heights) == 16
        assert min(low - high for high, low in itertools.pairwise(heights)) >= 14
