"""The terminal page: within its width, aligned, plain when asked, inert always."""

from __future__ import annotations

import os
import re
import shlex
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clm.report import metrics, terminal
from clm.report.blocks import Heat, Paragraph, Points, Verdict
from clm.report.outline import outline
from clm.report.words import ascii_typography, load
from clm.report.wrap import cells, wrapped
from tests.report import samples

Shop = tuple[pl.DataFrame, dict[str, Any], pl.DataFrame]
ANSI = re.compile(r"\x1b\[[0-9;]*m")


def _lines(text: str) -> list[str]:
    return ANSI.sub("", text).split("\n")


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("colour", [False, True])
@pytest.mark.parametrize("width", [20, 60, 80, 97, 110, 200])
def test_no_line_is_longer_than_the_terminal(shop: Shop, numbers: pl.DataFrame, lang: str, colour: bool, width: int) -> None:
    """Every line fits (from 40 cells on), whether its signs are one cell wide or two; the same text every time."""
    drawn = terminal.render(numbers, shop[1], lang, width, colour)
    assert drawn == terminal.render(numbers, shop[1], lang, width, colour)
    assert max(cells(line) for line in _lines(drawn)) <= max(width, 40)


def test_english_without_colour_is_ascii(shop: Shop, numbers: pl.DataFrame) -> None:
    """A pipe under LANG=C gets ASCII and no escape; amounts carry the code of the currency instead of its sign."""
    facts = shop[1] | {"ancestors": [one for one in shop[1]["ancestors"] if one.get("stage") != "clean"]}
    drawn = terminal.render(numbers, facts, "en", 80, colour=False)
    assert drawn.isascii()
    assert "\x1b" not in drawn
    assert re.search(r"GBP [\d,]+", drawn)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_colour_changes_only_the_dress(shop: Shop, numbers: pl.DataFrame, lang: str) -> None:
    """With and without colour every sentence of the report is said."""
    report = outline(numbers, shop[1], lang)
    told = [*report.headlines, *(panel.title for panel in report.panels)]
    told += [block.text for panel in report.panels for block in panel.blocks if isinstance(block, Paragraph | Verdict)]
    told += [point for panel in report.panels for block in panel.blocks if isinstance(block, Points) for point in block.items]
    assert len(told) > 20
    for colour in (True, False):
        drawn = terminal.render(numbers, shop[1], lang, 80, colour)
        assert ("\x1b[1m" in drawn) == colour
        said = _letters("".join(_lines(drawn)))
        assert not [sentence for sentence in told if _letters(sentence) not in said]


def _letters(text: str) -> str:
    """Text without blanks, signs and currencies, which the two forms write differently."""
    return re.sub(r"[\W_]|GBP", "", text)


def test_the_environment_does_not_change_the_page(shop: Shop, numbers: pl.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the terminal is called, how wide it says it is, and NO_COLOR are the shell's business, asked before."""
    before = [terminal.render(numbers, shop[1], "en", 80, colour) for colour in (True, False)]
    for name, text in (("TERM", "dumb"), ("COLUMNS", "33"), ("NO_COLOR", "1"), ("FORCE_COLOR", "1"), ("JUPYTER_COLUMNS", "9")):
        monkeypatch.setitem(os.environ, name, text)
    assert [terminal.render(numbers, shop[1], "en", 80, colour) for colour in (True, False)] == before


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_columns_of_a_table_stand_under_each_other(shop: Shop, numbers: pl.DataFrame, lang: str) -> None:
    """Rows of the segment table end in the same cell, in Chinese as in English."""
    lines = _lines(terminal.render(numbers, shop[1], lang, 80, colour=False))
    start = next(at for at, line in enumerate(lines) if line.startswith(("Champions  ", "重要价值客户  ")))
    names = ("Champions", "Potential", "At risk", "Hibernating", "重要价值客户", "潜力忠诚客户", "流失预警客户", "沉睡客户")
    ends = {cells(line.rstrip("#= ")) for line in lines[start : start + 4] if line.startswith(names)}
    assert len(ends) == 1


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("width", [60, 80, 110])
def test_grids_are_whole_or_say_so(shop: Shop, numbers: pl.DataFrame, lang: str, width: int) -> None:
    """Each row of a grid has its name and its cells to the last sign; columns without room are left out and told of."""
    lines = _lines(terminal.render(numbers, shop[1], lang, width, colour=False))
    report = outline(numbers, shop[1], lang, plain_signs=True)
    grids = [block for panel in report.panels for block in panel.blocks if isinstance(block, Heat) and block.cells]
    assert len(grids) >= 3
    for grid in grids:
        start = lines.index(ascii_typography(grid.caption)) + 3
        assert len(grid.cells) == len(grid.rows)
        shown = lines[start : start + len(grid.rows)]
        for name, row, line in zip(grid.rows, grid.cells, shown, strict=True):
            name = ascii_typography(name)
            assert line.startswith(name)
            told = line.removeprefix(name).split()
            assert told == [ascii_typography(cell.text) for cell in row if cell.text][: len(told)]
        more = load(lang)("report.more_columns").split()[0]
        headed = lines[start - 2].split()[-len(grid.columns) :]
        assert (tuple(headed) == grid.columns) != lines[start + len(grid.rows)].startswith(more)


def test_numbers_are_never_broken(shop: Shop, numbers: pl.DataFrame) -> None:
    """Amounts of the account stand whole in their line at 80 columns."""
    drawn = terminal.render(numbers, shop[1], "en", 80, colour=False)
    for amount in ("123,456.78", "120,000.00", "3,400.00"):
        assert re.search(rf"(?m) {amount}$", drawn)


def test_commands_can_be_pasted(shop: Shop, numbers: pl.DataFrame) -> None:
    """A long command is continued with a backslash and reads back as one command with its words whole."""
    drawn = terminal.render(numbers, shop[1], "en", 40, colour=False)
    joined = drawn.replace(" \\\n", " ")
    [clean] = [line for line in joined.split("\n") if line.strip().startswith("clm clean '")]
    assert shlex.split(clean) == [
        "clm", "clean", "orders 2023.csv", "--map", "customer_id=会员编号", "--duplicates", "drop", "-o", "clean.parquet",
    ]  # fmt: skip


@pytest.mark.parametrize("text", samples.HOSTILE)
@pytest.mark.parametrize("colour", [False, True])
def test_hostile_text_is_inert(text: str, colour: bool) -> None:
    """Markup is printed as it is; no control or direction sign but our own colours reaches the terminal."""
    people = samples.customers().with_columns(segment=pl.lit(text))
    facts = samples.facts(people) | {"currency": text, "zone": text, "clm_version": text}
    facts["ancestors"][0]["source"] = text
    facts["warnings"] = [{"code": text, "text": text}]
    drawn = terminal.render(metrics.compute(people, facts), facts, "en", 110, colour)
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", ANSI.sub("", drawn))
    assert set(ANSI.findall(drawn)) <= {f"\x1b[{code}m" for code in ("0", "1", "2", "34", "1;31")}
    if text.startswith("[red]"):
        assert "[red]bold[/red] :smile:" in drawn


def test_long_tables_say_what_is_left_out(shop: Shop) -> None:
    """Of a log of many months the last 24 are shown, and a line tells how many came before."""
    customers, facts, orders = shop
    early = orders.with_columns(pl.col("ordered_at").dt.offset_by("-3y"))
    people = customers.with_columns(pl.col("first_order_on").dt.offset_by("-3y"))
    drawn = terminal.render(metrics.compute(people, facts, pl.concat([early, orders]).lazy()), facts, "en", 80)
    assert "24 earlier rows" in drawn
    assert len(re.findall(r"(?m)^[A-Z][a-z]{2} 20\d\d ", drawn.split("How long customers stay")[0])) == 24


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_nobody_is_a_page_too(lang: str) -> None:
    """An empty table without facts prints sentences."""
    drawn = terminal.render(metrics.compute(samples.empty(), {}), {}, lang, 80)
    assert len(drawn.splitlines()) > 20
    assert not re.search(r"\b(nan|NaN|inf|None|null)\b", drawn)


@given(st.text(alphabet="ab c,。，（）客户订单12\u00a0", max_size=120), st.integers(4, 40))
def test_wrapping_loses_nothing_but_blanks(text: str, width: int) -> None:
    """Lines fit, and put together they are the text."""
    lines = wrapped(text, width)
    assert all(cells(line) <= width for line in lines)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")


def test_wrapping_keeps_punctuation_with_its_word() -> None:
    """A Chinese line never starts with a comma, and a no-break space never ends one."""
    assert wrapped("客户订单，客户", 8) == ["客户订", "单，客户"]
    assert wrapped("worth USD\u00a076 now", 10) == ["worth", "USD\u00a076 now"]
    assert wrapped("", 10) == [""]
    assert wrapped("abcdefghij", 4) == ["abcd", "efgh", "ij"]
