"""JSON and Markdown: the same numbers, exact, inert."""

from __future__ import annotations

import json
import math
import re
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from clm import tables
from clm.report import document, metrics, page
from tests.report import samples
from tests.report.reading import Page

Shop = tuple[pl.DataFrame, dict[str, Any], pl.DataFrame]


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_json_holds_the_whole_frame(shop: Shop, numbers: pl.DataFrame, lang: str) -> None:
    """METRICS comes back from JSON equal to the last bit, in either language, the same text every time."""
    written = document.to_json(numbers, shop[1], lang)
    assert document.to_json(numbers, shop[1], lang) == written
    read = json.loads(written)
    schema = {name: kind for name, kind in numbers.schema.items() if name != "as_of"}
    assert_frame_equal(pl.DataFrame(read["metrics"], schema=schema, orient="row"), numbers.drop("as_of"), check_exact=True)
    assert (read["schema"], read["lang"], read["as_of"], read["currency"]) == (1, lang, "2023-12-20", "GBP")
    assert read["sources"] == [{"source": "orders 2023.csv", "bytes": 123456, "sha256": "ab" * 32}]
    assert [panel["code"] for panel in read["panels"]][:2] == ["quality", "revenue"]
    assert set(read["metrics"][0]) == set(tables.METRICS.names()) - {"as_of"}


def test_tables_of_json_page_and_markdown_are_equal(shop: Shop, numbers: pl.DataFrame) -> None:
    """The numbers read back from the three documents are the same, in the same order."""
    shown = [
        float(one.attributes["value"]) for one in Page(page.render(numbers, shop[1], "en")).all("data") if "dl" not in one.parents
    ]
    read = json.loads(document.to_json(numbers, shop[1], "en"))
    cells = [cell for panel in read["panels"] for table in panel["tables"] for row in table["rows"] for cell in row]
    told = [float(cell) for cell in cells if not isinstance(cell, str)]
    assert told == shown
    lines = document.to_markdown(numbers, shop[1], "en").splitlines()
    rows = [line for line in lines if line.startswith("| ") and not re.match(r"\| -", line)]
    tables_told = sum(len(table["rows"]) + 1 for panel in read["panels"] for table in panel["tables"])
    assert len(rows) == tables_told


def test_markdown_tables_are_even(shop: Shop, numbers: pl.DataFrame) -> None:
    """Every row of a pipe table has as many cells as its heading."""
    for lang in ("en", "zh"):
        block: list[int] = []
        for line in [*document.to_markdown(numbers, shop[1], lang).splitlines(), ""]:
            if line.startswith("|"):
                block.append(len(re.findall(r"(?<!\\)\|", line)))
            elif block:
                assert len(set(block)) == 1
                block = []


@pytest.mark.parametrize("text", samples.HOSTILE)
def test_hostile_text_is_inert(text: str) -> None:
    """Control bytes are escaped in JSON and replaced in Markdown, whose markup and HTML signs are escaped."""
    people = samples.customers().with_columns(segment=pl.lit(text))
    facts = samples.facts(people) | {"currency": text}
    facts["ancestors"][0]["source"] = text + "```"
    numbers = metrics.compute(people, facts)
    written = document.to_json(numbers, facts, "en")
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", written)
    assert text in {row["group"] for row in json.loads(written)["metrics"]}
    told = document.to_markdown(numbers, facts, "en")
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", told)
    outside = re.sub(r"(?ms)^(`{3,})$.*?^\1$", "", told)
    assert not re.search(r"<[a-zA-Z/]", outside)
    assert not re.search(r"(?<!\\)[`\[]", outside)


def test_nothing_finite_is_refused() -> None:
    """JSON never holds NaN: the frame has none, and the writer would refuse."""
    bad = metrics.compute(samples.customers().head(3), {}).with_columns(lower=pl.lit(math.nan))
    with pytest.raises(ValueError, match="JSON"):
        document.to_json(bad, {}, "en")
