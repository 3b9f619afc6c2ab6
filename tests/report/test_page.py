"""The page: offline, inert, complete, the same numbers in both languages."""

from __future__ import annotations

import re
from copy import deepcopy
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from clm import tables
from clm.report import document, metrics, page
from tests.report import samples
from tests.report.reading import Page
from tests.report.validity import invalid

Shop = tuple[pl.DataFrame, dict[str, Any], pl.DataFrame]
PANELS = (
    "overview", "quality", "revenue", "segments", "rfm_grid", "tiers", "lifecycle", "portfolio", "migration", "cohorts",
    "survival", "clv", "costs", "backtest", "churn", "alive", "assumptions",
)  # fmt: skip
ALLOWED_TAGS = {
    "html", "head", "meta", "title", "style", "body", "header", "footer", "main", "nav", "section", "aside", "h1", "h2", "h3",
    "p", "pre", "span", "div", "b", "i", "small", "data", "a", "ol", "ul", "li", "dl", "dt", "dd", "details", "summary",
    "table", "caption", "thead", "tbody", "tr", "th", "td", "figure", "figcaption", "svg", "g", "path", "text", "line", "rect",
}  # fmt: skip


@pytest.fixture(scope="module", params=["en", "zh"])
def lang(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def source(shop: Shop, numbers: pl.DataFrame, lang: str) -> str:
    return page.render(numbers, shop[1], lang)


def test_the_page_is_small_and_repeatable(shop: Shop, numbers: pl.DataFrame, source: str, lang: str) -> None:
    """Below 300 KB, and the same bytes every time."""
    assert len(source.encode()) < 300_000
    assert page.render(numbers, shop[1], lang) == source


def test_the_page_fetches_and_runs_nothing(source: str) -> None:
    """No script, no handler, no reference outside; a policy that forbids them all the same."""
    read = Page(source)
    assert {element.tag for element in read.elements} <= ALLOWED_TAGS
    for element in read.elements:
        for name, value in element.attributes.items():
            assert not name.startswith("on"), element
            assert name not in ("src", "srcset", "xlink:href", "action", "formaction", "data"), element
            if name == "href":
                assert re.fullmatch(r"#\w+", value)
            if name == "style":
                assert re.fullmatch(r"--c:var\(--\w+\)", value)
    assert not re.search(r"url\(|@import|https?://(?!www\.w3\.org/)", source)
    [policy] = [one for one in read.all("meta") if one.attributes.get("http-equiv") == "Content-Security-Policy"]
    assert policy.attributes["content"] == "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def test_no_tile_stands_alone(shop: Shop, numbers: pl.DataFrame) -> None:
    """Five key figures in a row, or four where five would leave one over; on a middling screen three, the last one alone."""
    for people, more, said in (
        (shop[0], None, "tiles five"),
        (samples.without(shop[0], "clv", "churn"), shop[2].lazy(), "tiles five even"),
    ):
        read = Page(page.render(metrics.compute(people, {}, more) if more is not None else numbers, shop[1], "en"))
        assert [one.attributes["class"] for one in read.all("dl") if "tiles" in one.attributes["class"]] == [said]


def test_panels_stand_in_their_order(source: str) -> None:
    """One section per panel, in the order of the contract, each with a heading and a link."""
    read = Page(source)
    assert tuple(one.attributes["id"] for one in read.all("section")) == PANELS
    assert [one.attributes["href"] for one in read.all("a")] == [f"#{code}" for code in PANELS]
    assert len(read.all("h2")) == len(PANELS)


def test_every_figure_has_words_and_numbers(source: str) -> None:
    """Each figure is drawn for wide and narrow windows, says what it shows and holds its table."""
    read = Page(source)
    kinds = [one.attributes["class"] for one in read.all("figure")]
    assert kinds == [
        "months", *["segments"] * 3, "survival", "segments", "lorenz", "ratios", "ratios", "deciles", "tracking", "reliability",
        "gain", "profit", "alive",
    ]  # fmt: skip
    drawings = read.all("svg")
    assert len(drawings) == 2 * len(kinds)
    assert all(one.attributes["role"] == "img" and len(one.attributes["aria-label"]) > 20 for one in drawings)
    assert sum("figure" in one.parents for one in read.all("table")) == len(kinds)
    assert all(one.attributes["aria-label"] for one in read.all("table") if "heat" in one.attributes.get("class", ""))


def test_tables_have_headings_and_captions(source: str) -> None:
    """Every table says what it is; every heading says of what."""
    read = Page(source)
    assert len(read.all("caption")) == len(read.all("table"))
    assert all(one.attributes.get("scope") in ("col", "row") for one in read.all("th"))


def test_numbers_of_the_page_are_numbers_of_the_frame(source: str, numbers: pl.DataFrame) -> None:
    """What stands behind a cell, to the last digit, is a value (or a number of customers) of METRICS."""
    known = set(numbers["value"].drop_nulls().to_list()) | {float(n) for n in numbers["n"].drop_nulls()}
    known |= {top / 100 for top in range(101)}  # the best N % is the heading of a row
    shown = [float(one.attributes["value"]) for one in Page(source).all("data")]
    assert len(shown) > 200
    assert not [value for value in shown if value not in known]


def test_both_languages_show_the_same_numbers(shop: Shop, numbers: pl.DataFrame) -> None:
    """Word for word different, number for number the same."""
    english, chinese = (Page(page.render(numbers, shop[1], one)) for one in ("en", "zh"))
    assert [one.attributes["value"] for one in english.all("data")] == [one.attributes["value"] for one in chinese.all("data")]


def test_the_report_names_no_customer(shop: Shop, numbers: pl.DataFrame) -> None:
    """Aggregates only: no id of any customer stands in any view."""
    customers, facts, _ = shop
    named = customers.with_columns(customer_id="canary" + pl.col("customer_id"))
    again = metrics.compute(named, facts)
    for written in (
        page.render(again, facts, "en"),
        document.to_json(again, facts, "en"),
        document.to_markdown(again, facts, "en"),
    ):
        assert "canary" not in written


def _hostile(text: str) -> tuple[pl.DataFrame, dict[str, Any]]:
    """A table whose segment, and a footer whose every text, is hostile."""
    people = samples.customers().with_columns(segment=pl.lit(text))
    facts = samples.facts(people)
    facts |= {"currency": text, "zone": text, "clm_version": text, "warnings": [{"code": text, "text": text}]}
    facts["ancestors"][0]["source"] = text
    facts["ancestors"][0]["sha256"] = text
    facts["ancestors"][1]["rows"]["rejected"][text] = 0
    facts["ancestors"][1]["settings"]["map"] = {text: text}
    clv = facts["ancestors"][-1]["metrics"]
    clv["model"]["family"] = text
    clv["model"]["parameters"][text] = 1.0
    clv["backtest"][0] |= {"name": text, "kind": text, "origin": text}
    clv["horizon"]["text"] = text
    clv["beats_best_baseline"][text] = False
    clv["deciles"][0]["decile"] = text
    facts["metrics"]["candidates"][0]["name"] = text
    facts["metrics"]["reliability"][0]["bin"] = text
    return people, facts


@pytest.mark.parametrize("text", samples.HOSTILE)
def test_hostile_text_stays_text(text: str) -> None:
    """Names of segments, files, currencies, models: shown or left out, never an element, a template or a control byte."""
    people, facts = _hostile(text)
    source = page.render(metrics.compute(people, facts, samples.log().lazy()), facts, "en")
    read = Page(source)
    assert {element.tag for element in read.elements} <= ALLOWED_TAGS
    assert not [one for one in read.elements if any(name.startswith("on") for name in one.attributes)]
    assert "<script" not in source
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", source)
    assert "49" not in [one.strip() for element in read.all("th") for one in element.text]
    visible = text.translate(dict.fromkeys((0, 7, 0x1B, 0x9B, 0x202E, 0x2066), "\ufffd"))
    assert visible in read.words()


@pytest.mark.parametrize(
    ("columns", "facts", "said"),
    [
        (
            ("segment", "clv", "churn"),
            {},
            ("clm segment", "clm clv", "clm churn", "--orders clean.parquet", "cannot be accounted for"),
        ),
        (("clv", "churn"), {"currency": None, "ancestors": "odd"}, ("clm clv", "clm churn")),
        ((), {}, ("not validated: there was no back-test", "no past window could be used")),
    ],
)
def test_a_panel_without_data_says_why(columns: tuple[str, ...], facts: dict[str, Any], said: tuple[str, ...]) -> None:
    """Each missing stage, footer or log is named in one sentence; nothing reads NaN, None or inf."""
    people = samples.without(samples.customers(), *columns)
    source = page.render(metrics.compute(people, facts), facts, "en")
    text = Page(source).words()
    for sentence in said:
        assert sentence in text
    assert not re.search(r"\b(nan|NaN|inf|None|null)\b", text)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_an_empty_table_makes_a_page(language: str) -> None:
    """Nobody at all: a page that says so."""
    people = samples.empty()
    for facts in ({}, samples.facts(people)):
        text = Page(page.render(metrics.compute(people, facts), facts, language)).words()
        assert ("There is no customer with a purchase" if language == "en" else "没有任何客户有购买记录") in text


def test_stages_that_failed_are_explained() -> None:
    """Null forecasts with their status give sentences, not empty tables."""
    people = samples.customers()
    nothing = [pl.lit(None).cast(people.schema[name]).alias(name) for name in tables.CUSTOMERS.names("clv", "churn")]
    status = {"clv_method": "none", "clv_status": "degenerate", "churn_method": "none", "churn_status": "too_little_history"}
    people = people.with_columns(nothing).with_columns(**{name: pl.lit(code) for name, code in status.items()})
    text = Page(page.render(metrics.compute(people, {}), {}, "en")).words()
    assert "No forecast could be made from this data." in text
    assert "No churn probability could be made" in text
    assert "Expected revenue" not in text


def test_a_model_that_loses_is_called_so(shop: Shop) -> None:
    """When simple rules win every score the page says to take care beside the value and the test, in the colour of a warning."""
    customers, facts, _ = shop
    facts = deepcopy(facts)
    facts["ancestors"][-1]["metrics"]["beats_best_baseline"] = {"rmse": False, "gini": False}
    read = Page(page.render(metrics.compute(customers, facts), facts, "en"))
    [verdict, again] = [one for one in read.all("p") if one.attributes.get("class") == "verdict bad"]
    assert again.text == verdict.text
    assert "Treat the forecast with care" in "".join(verdict.text)


def test_money_that_does_not_add_up_is_called_so(shop: Shop) -> None:
    """A broken account turns the reassuring sentence into a warning."""
    customers, facts, _ = shop
    facts = deepcopy(facts)
    facts["ancestors"][1]["amount"]["out"] = "1.0000"
    read = Page(page.render(metrics.compute(customers, facts), facts, "en"))
    assert "do not add up" in read.words()
    assert "add up exactly" not in read.words()


def _luminance(colour: str) -> float:
    red, green, blue = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in (red, green, blue)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(one: str, other: str) -> float:
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_text_is_readable_in_both_themes(source: str) -> None:
    """Every pair of text and ground has a contrast of at least 4.5, bars and lines of at least 3."""
    themes = re.findall(r":root\{([^}]+)\}", source)
    assert len(themes) == 2
    for theme in themes:
        colour = dict(re.findall(r"--(\w+):(#[0-9a-f]+)", theme))
        colour = {
            name: value if len(value) == 7 else "#" + "".join(2 * sign for sign in value[1:]) for name, value in colour.items()
        }
        for ground in ("paper", "wash"):
            for ink in ("ink", "quiet", "strong"):
                assert _contrast(colour[ink], colour[ground]) >= 4.5, (ink, ground)
        for level in range(1, 6):
            assert _contrast(colour["li"], colour[f"l{level}"]) >= 4.5, level
        for mark in ("strong", "soft", "good", "bad"):
            assert _contrast(colour[mark], colour["paper"]) >= 3, mark


def test_the_page_is_valid_html(shop: Shop, numbers: pl.DataFrame, tmp_path: Path) -> None:
    """No error for a strict parser nor for the W3C's checker, which do hear one."""
    pages = {one: page.render(numbers, shop[1], one) for one in ("en", "zh")}
    pages["spoiled"] = pages["en"].replace("</main>", "</p></main>", 1)
    found = invalid(pages, tmp_path)
    assert found
    assert [line for line in found if "spoiled" not in line] == []
