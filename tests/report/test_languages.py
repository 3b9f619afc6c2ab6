"""Each view keeps to its language: no English in Chinese ones, no Chinese sign in English ones, but for what the log says."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import polars as pl
import pytest

from clm import tables
from clm.report import document, metrics, page, sheets, story, terminal, told
from clm.report.words import load
from tests.report import reading, samples
from tests.report.test_words import FOREIGN, HAN

# what the log, the settings and its tables call things, in either script
ASCII = {
    "source": "orders 2023.csv", "column": "buyer", "channel": "web", "flag": "my-rule", "zone": "Europe/London",
    "category": "toys",
}  # fmt: skip
CHINESE = {
    "source": "订单 二〇二三.csv", "column": "会员编号", "channel": "小程序", "flag": "复核", "zone": "Europe/London",
    "category": "玩具",
}  # fmt: skip
# options and paths of commands, which are the same in every language
COMMANDS = re.compile(r"clm [^\n。]*|--[\w-]+|customers\.parquet|clean\.parquet|SHA-256[^）]*")


def _facts(names: dict[str, str]) -> dict[str, Any]:
    facts = deepcopy(samples.facts())
    facts["zone"] = names["zone"]
    facts["ancestors"][0]["source"] = names["source"]
    clean = facts["ancestors"][1]
    clean["settings"]["map"] = {"customer_id": names["column"]}
    clean["warnings"] = [
        {"code": "price_as_amount", "text": f"{names['column']} is taken as what was paid: there is no quantity to go with it."},
        {"code": "rows_flagged", "text": f"somebody should look at some rows: 8 burst, 3 {names['flag']} (column flags)."},
    ]
    facts["warnings"] = [{"code": "beaten", "text": "hiatus has a lower log-loss than logistic on the test window"}]
    clv = facts["ancestors"][-1]
    for row in clv["metrics"]["costs"]["groups"]:
        row["group"] = names["channel"] if row["group"] == "web" else row["group"]
    return facts


def _views(lang: str, names: dict[str, str]) -> Iterator[tuple[str, str]]:
    """What a person reads of each view, by its name."""
    people, facts = samples.customers().with_columns(main_channel=pl.lit(names["channel"])), _facts(names)
    numbers = metrics.compute(people, facts, samples.log().lazy(), samples.migration(), samples.cohorts())
    yield "page", reading.Page(page.render(numbers, facts, lang)).words()
    yield "markdown", html.unescape(document.to_markdown(numbers, facts, lang))
    told_ = json.loads(document.to_json(numbers, facts, lang))
    texts = [told_["title"], *told_["headlines"], *(text for one in told_["notices"] for text in one.values())]
    for panel in told_["panels"]:
        texts += [panel["title"], *panel["text"]]
        for table in panel["tables"]:
            texts += [
                table["caption"],
                *table["columns"],
                *(cell for row in table["rows"] for cell in row if isinstance(cell, str)),
            ]
    yield "json", "\n".join(texts)
    book = reading.sheets(sheets.to_workbook(numbers, facts, lang))
    *shown, (last, every) = book.items()
    cells = [str(cell) for _, sheet in shown for cell in sheet.cells.values() if isinstance(cell, str)]
    headings = [] if lang == "en" else [str(cell) for cell in every.rows()[0]]
    yield "workbook", "\n".join([*book, *cells, last, *headings])
    for colour in (False, True):
        text = terminal.render(numbers, facts, lang, 100, colour)
        yield f"terminal {colour}", re.sub("\x1b\\[[0-9;]*m", "", text).replace("\\\n", " ")
    words = load(lang, "GBP")
    row = people.filter(pl.col("orders") > 1).row(0, named=True) | {"first_category": names["category"], "customer_id": "7"}
    yield (
        "story",
        "\n".join(
            story.lines(words("story.title", id="7", day=words.day(row["as_of"])), story.story(row, None, words, facts), 90)
        ),
    )
    chosen = people.head(9).with_columns(
        customer_id=pl.lit("7"), reasons=pl.lit("silent_days=94;own_rhythm_days=21"), action="segment"
    )
    listed = told.in_words(
        chosen.select("customer_id", "segment", "churn_risk", "clv_method", "clv_status", "reasons", "action"), words
    )
    yield "list", listed.write_csv() if lang == "zh" else "\n".join(map(str, listed.rows()))


@pytest.mark.parametrize("names", [ASCII, CHINESE], ids=["ascii", "chinese"])
def test_english_views_hold_no_chinese(names: dict[str, str]) -> None:
    """Every Chinese sign of an English view is one of the log's own words."""
    for view, text in _views("en", names):
        for word in names.values():
            text = text.replace(word, "")
        assert not HAN.findall(text), view


@pytest.mark.parametrize("names", [ASCII, CHINESE], ids=["ascii", "chinese"])
def test_chinese_views_hold_no_english(names: dict[str, str]) -> None:
    """Every Latin word of a Chinese view is the log's own, a command or the name of a method; there is Chinese in each."""
    known = FOREIGN | {"GBP", "csv", "alpha", *tables.CUSTOMERS.names()}
    for view, text in _views("zh", names):
        assert len(HAN.findall(text)) > 20, view
        bare = COMMANDS.sub("", text)
        for word in names.values():
            bare = bare.replace(word, "")
        assert {word for word in re.findall("[A-Za-z][A-Za-z_]+", bare) if word not in known} == set(), view
