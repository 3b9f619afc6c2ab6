"""Numbers about few customers: hidden in METRICS, in every view alike, and not to be worked out from what is shown."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clm.report import document, metrics, page, suppress, terminal
from clm.report.blocks import Figure, Paragraph
from clm.report.numbers import Sheet
from clm.report.outline import outline
from clm.report.words import HIDDEN
from clm.tables import NO_PURCHASE
from tests.report import samples
from tests.report.reading import Page

LEAST = 5
EXPECTED = ("expected_lost", "expected_alive", "kept")  # sums of probabilities: no count of anybody
GROUPED = ("segments", "lifecycle", "tiers")
Row = tuple[str, str, str | None, str | None]


def _key(row: dict[str, Any]) -> Row:
    return row["section"], row["metric"], row["group"], row["period"]


@cache
def _log() -> pl.DataFrame:
    return samples.log()


def _some(number: int, seed: int) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """So many customers of the shop, their orders and cohorts."""
    people = sorted(_log()["customer_id"].unique().to_list())
    chosen = random.Random(seed).sample(people, number)
    orders = _log().filter(pl.col("customer_id").is_in(chosen))
    return samples.customers(orders), orders, samples.cohorts(orders)


def _both(
    number: int, seed: int, split: str = "month", period: str = "month"
) -> tuple[dict[Row, dict[str, Any]], dict[Row, dict[str, Any]]]:
    """METRICS with nothing hidden and with small cells hidden, by name; new and returning by `split`, cohorts by `period`."""
    customers, orders, _ = _some(number, seed)
    facts, cohorts = samples.facts(customers), samples.cohorts(orders, period)
    made = [metrics.compute(customers, facts, orders.lazy(), None, cohorts, min_cell=n, split=split) for n in (0, LEAST)]
    open_, closed = ({_key(row): row for row in one.iter_rows(named=True)} for one in made)
    return open_, closed


def _equations(rows: dict[Row, dict[str, Any]]) -> Iterator[tuple[Row | list[Row], list[Row]]]:
    """What a reader expects to add up: a total, or several, and their parts."""

    def every(section: str, metric: str, *, none: bool = True, **where: Any) -> list[Row]:
        return [
            key
            for key, row in rows.items()
            if key[:2] == (section, metric)
            and (none or row["group"] != NO_PURCHASE)
            and all(row[name] == value for name, value in where.items())
        ]

    def overview(metric: str) -> Row:
        return next((key for key in rows if key[:2] == ("overview", metric)), ("overview", metric, None, None))

    yield overview("customers"), [overview("buyers"), overview("no_purchase")]
    for section in GROUPED:
        yield overview("customers"), every(section, "customers")
        yield overview("buyers"), every(section, "customers", none=False)
        yield overview("net_revenue"), every(section, "revenue")
        yield overview("orders"), every(section, "orders")

    def figure(name: str, period: str) -> Row:
        return "kpi", name, None, period

    stretches = [row["period"] for key, row in rows.items() if key[:2] == ("kpi", "customers")]
    for period in stretches:
        yield figure("active", period), [figure("new", period), figure("returning", period)]
        yield figure("gross_revenue", period), [figure("net_revenue", period), figure("returned", period)]
    if stretches:
        yield overview("active_customers"), [figure("active", stretches[0])]
        yield overview("buyers"), [figure("customers", stretches[0])]
        yield figure("customers", stretches[0]), [figure("customers", stretches[1]), figure("new", stretches[0])]
    yield overview("buyers"), every("rfm_grid", "customers")
    yield overview("buyers"), every("cohorts", "customers")
    for section in ("clv", "churn"):
        yield overview("customers"), every(section, "customers_by_status")
        yield overview("buyers"), every(section, "customers_by_method")
    yield overview("buyers"), every("churn", "customers_by_risk")
    yield overview("active_customers"), every("churn", "active_by_risk")
    yield overview("buyers"), [key for key in every("revenue", "customers") if key[2] == "new"]
    months = [key[3] for key in every("revenue", "month_complete")]
    money = [key for key in every("revenue", "revenue") if key[2] == NO_PURCHASE]
    yield overview("net_revenue"), [*every("revenue", "revenue_of_buyers"), *money]
    yield overview("orders"), every("revenue", "orders", group=None)
    for month in months:
        parts = [key for key in every("revenue", "revenue", period=month) if key[2] != NO_PURCHASE]
        yield ("revenue", "revenue_of_buyers", None, month), parts
        orders = [key for key in every("revenue", "orders", period=month) if key[2]]
        yield ("revenue", "orders", None, month), orders
        cohorts = every("cohorts", "revenue", period=month)
        lived = [key for key in cohorts if key[2] is not None and key[2] <= (month or "")]
        yield ("revenue", "revenue_of_buyers", None, month), lived
    splits = {key[3] for key in every("revenue", "customers")}
    periods = {key[3] for key in every("cohorts", "retained")}
    for longer in splits | periods:
        inside = [[one for one in some if one in (longer, *_months_of(longer))] for some in (months, splits, periods)]
        here, parts_of, cohorts_of = inside
        bases = [("revenue", "revenue_of_buyers", None, month) for month in here]
        for metric, totals in (("revenue", bases), ("orders", [("revenue", "orders", None, month) for month in here])):
            parts = [key for one in parts_of for key in every("revenue", metric, period=one) if key[2] in ("new", "returning")]
            yield from _same(totals, parts)
        starts = [key for one in cohorts_of for key in every("cohorts", "retained", period=one, group=one)]
        yield from _same([("revenue", "customers", "new", one) for one in parts_of], starts)
        again = [key for key in every("cohorts", "retained", period=longer) if key[2] != longer]
        yield ("revenue", "customers", "returning", longer), again
        paid = [key for one in cohorts_of for key in every("cohorts", "revenue", period=one)]
        none = [("revenue", "revenue", NO_PURCHASE, one) for one in parts_of if ("revenue", "revenue", NO_PURCHASE, one) in rows]
        yield from _same([*bases, *none], paid)
        new = [("revenue", "revenue", "new", one) for one in parts_of]
        for home in (str, _quarter):  # a refund of the months before the first order, in its quarter, is of a new customer
            since = [key for key in paid if key[2] is not None and home(key[2]) <= home(key[3] or "")]
            yield from _same(bases, since)
            yield from _same(none, [key for key in paid if key not in since])
            yield from _same(new, [key for key in since if home(key[2] or "") == home(key[3] or "")])


def _quarter(period: str) -> str:
    """The quarter of `2023-05`, or the period itself."""
    year, _, month = period.partition("-")
    return f"{year}-Q{(int(month) + 2) // 3}" if month.isdecimal() else period


def _months_of(period: str | None) -> list[str]:
    """The months of `2023-Q1`."""
    year, _, quarter = (period or "").partition("-Q")
    return [f"{year}-{month:02d}" for month in range(3 * int(quarter) - 2, 3 * int(quarter) + 1)] if quarter else []


def _same(left: Sequence[Row], right: Sequence[Row]) -> Iterator[tuple[list[Row], list[Row]]]:
    """Two sums that are one, where both are told."""
    if left and right:
        yield list(left), list(right)


def _followed(open_: dict[Row, dict[str, Any]], closed: dict[Row, dict[str, Any]]) -> list[Row]:
    """Hidden numbers about few customers that the shown ones leave one value."""
    hidden = [key for key, row in closed.items() if row["hidden"]]
    place = {key: at for at, key in enumerate(hidden)}
    lines = []
    for total, parts in _equations(open_):
        totals = total if isinstance(total, list) else [total]
        known = [open_[one]["value"] for one in totals if one in open_ and open_[one]["value"] is not None]
        if len(known) < len(totals) or abs(sum(known) - sum(open_[part]["value"] or 0 for part in parts)) > 1e-6:
            continue  # not so of these customers: who has no tier is in none
        line = np.zeros(len(hidden))
        for key, sign in (*((one, -1.0) for one in totals), *((part, 1.0) for part in parts)):
            if key in place:
                line[place[key]] += sign
        lines.append(line)
    matrix = np.array(lines)
    if not hidden:
        return []
    # a number follows when no change of the hidden numbers that keeps every line changes it
    free = np.eye(len(hidden)) - np.linalg.pinv(matrix) @ matrix
    few = [key for key in hidden if 0 < (open_[key]["n"] or 0) < LEAST and open_[key]["value"]]
    return [key for key in few if np.abs(free[place[key]]).max() < 1e-9]


@given(st.integers(1, 60), st.integers(0, 10**6), st.sampled_from(["month", "quarter"]), st.sampled_from(["month", "quarter"]))
@settings(max_examples=12, deadline=None)
def test_few_customers_are_in_no_number_and_follow_from_none(number: int, seed: int, split: str, period: str) -> None:
    """Any few customers of the shop: no shown number is about one to four of them, and none of the hidden ones follows."""
    open_, closed = _both(number, seed, split, period)
    for key, row in closed.items():
        if row["section"] in ("quality", "privacy"):
            continue
        assert not 0 < (row["n"] or 0) < LEAST, key
        counted = row["unit"] == "customers" and row["value"] is not None and row["metric"] not in EXPECTED
        assert not (counted and 0 < row["value"] < LEAST), key
        if row["hidden"]:
            assert (row["value"], row["lower"], row["upper"], row["n"]) == (None, None, None, None), key
        else:
            assert row["value"] == open_[key]["value"], key
    assert _followed(open_, closed) == []


@given(st.integers(5, 60), st.integers(0, 10**6))
@settings(max_examples=10, deadline=None)
def test_shown_groups_and_one_for_the_others_make_the_total(number: int, seed: int) -> None:
    """Segments, stages of life, tiers: what is not shown of all customers, or of the buyers, is nobody or five and more."""
    open_, closed = _both(number, seed)
    for total in ("customers", "buyers"):
        whole = ("overview", total, None, None)
        for section in GROUPED:
            rows = {key: row for key, row in open_.items() if key[:2] == (section, "customers")}
            parts = {key: row["value"] for key, row in rows.items() if total == "customers" or key[2] != NO_PURCHASE}
            others = sum(value for key, value in parts.items() if closed[key]["hidden"])
            assert closed[whole]["hidden"] or others == 0 or others >= LEAST
        assert closed["overview", "buyers", None, None]["hidden"] == (open_["overview", "buyers", None, None]["value"] < LEAST)


def test_a_share_goes_with_its_count_and_a_mean_with_its_sum() -> None:
    """Whatever is told of a hidden segment is hidden: 2 champions would follow from their share."""
    open_, closed = _both(30, 7)
    hidden = {key[2] for key, row in closed.items() if key[:2] == ("segments", "customers") and row["hidden"]}
    assert hidden
    told = {key[1] for key in closed if key[0] == "segments"}
    for group in hidden:
        rows = [closed["segments", metric, group, None] for metric in told if ("segments", metric, group, None) in closed]
        assert all(row["hidden"] for row in rows)
    fields = {(key[2] or "").split(".")[1] for key in closed if key[:2] == ("portfolio", "field")}
    assert not fields & hidden  # a field is told by the name of its row
    assert {(key[2] or "").split(".")[1] for key in open_ if key[:2] == ("portfolio", "field")} & hidden


@pytest.mark.parametrize("least", [0, 1])
def test_nothing_is_hidden_when_nothing_is_small(shop: Any, numbers: pl.DataFrame, least: int) -> None:
    """`--min-cell` 0 and 1 show everything, and say so."""
    customers, facts, orders = shop
    made = metrics.compute(customers, facts, orders.lazy(), samples.migration(), samples.cohorts(), min_cell=least)
    assert not made["hidden"].any()
    told = {row["metric"]: row["value"] for row in made.filter(section="privacy").iter_rows(named=True)}
    assert told == {"min_cell": least, "hidden": 0}
    assert made.filter(pl.col("section") != "privacy").equals(numbers.filter(pl.col("section") != "privacy"))


@pytest.mark.parametrize("number", [1, 2, 4])
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_report_on_four_customers_says_that_it_hides_them(number: int, lang: str) -> None:
    """Every view is made, says why there is nothing, and holds no number of anybody."""
    customers, orders, cohorts = _some(number, 3)
    facts = samples.facts(customers)
    made = metrics.compute(customers, facts, orders.lazy(), None, cohorts, min_cell=LEAST)
    text = terminal.render(made, facts, lang)
    told = "fewer than 5 customers" if lang == "en" else "不到 5 位客户"
    assert " ".join(text.split()).count(told) == 1
    shown = Page(page.render(made, facts, lang)).words()
    assert shown.count(told) == 1
    written = json.loads(document.to_json(made, facts, lang))
    assert told in written["headlines"][0]
    people = [row for row in written["metrics"] if row["section"] in (*GROUPED, "overview", "clv", "cohorts", "rfm_grid")]
    assert not [row for row in people if row["value"] is not None and row["section"] == "overview"]
    assert document.to_markdown(made, facts, lang)
    assert page.figures(made, facts, lang) == []


def test_every_view_shows_the_sign_and_says_once_what_it_means() -> None:
    """Page, text, Markdown and JSON: the sign where a number is hidden, one notice with the count, the flag in METRICS."""
    customers, orders, cohorts = _some(40, 11)
    facts = samples.facts(customers)
    made = metrics.compute(customers, facts, orders.lazy(), samples.migration(), cohorts, min_cell=LEAST)
    count = int(made["hidden"].sum())
    assert count
    written = json.loads(document.to_json(made, facts, "en"))
    notices = [one for one in written["notices"] if one["heading"].startswith("Numbers about few")]
    assert len(notices) == 1
    assert f"Hidden: {count + _fields(customers, orders, cohorts)}; clm report --min-cell 0 shows them." in notices[0]["text"]
    cells = [cell for panel in written["panels"] for table in panel["tables"] for row in table["rows"] for cell in row]
    assert HIDDEN in cells
    shown = Page(page.render(made, facts, "en"))
    assert any(HIDDEN in "".join(one.text) for one in shown.all("td"))
    assert HIDDEN in document.to_markdown(made, facts, "en")
    assert re.search(r"\bx\b", terminal.render(made, facts, "en"))  # ASCII where there is no colour
    assert [row["hidden"] for row in written["metrics"]].count(True) == count


def _fields(customers: pl.DataFrame, orders: pl.DataFrame, cohorts: pl.DataFrame) -> int:
    """Rows of the portfolio that had to go, name and all."""
    facts = samples.facts(customers)
    made = [metrics.compute(customers, facts, orders.lazy(), samples.migration(), cohorts, min_cell=n) for n in (0, LEAST)]
    return made[0].height - made[1].height


def test_the_money_of_all_does_not_count_them_where_that_is_hidden() -> None:
    """60 buyers are shown and 2 customers who only returned are not: no `n` says that there are 62."""
    sheet = Sheet()
    for name, value, n in (("customers", 62, 62), ("buyers", 60, 60), ("no_purchase", 2, 62), ("net_revenue", 100, 62)):
        sheet.add("overview", name, value, n=n)
    closed = suppress.hide(sheet.frame(date(2024, 1, 1)), LEAST)
    assert 62 not in closed["n"].to_list()
    assert closed.filter(metric="net_revenue").select("value", "hidden").row(0) == (100, False)
    assert suppress.hide(sheet.frame(date(2024, 1, 1)), 0)["n"].to_list().count(62) == 3


def test_the_money_of_a_period_does_not_count_its_active_where_they_are_hidden() -> None:
    """57 of 60 buyers were active, so how many is hidden: neither money nor its change says 57."""
    sheet, (last, before) = Sheet(), ("2024-04-02/2024-06-30", "2024-01-03/2024-04-01")
    sheet.add("overview", "buyers", 60, n=60)
    sheet.add("overview", "active_customers", 57, n=60)
    for period, active in ((last, 57), (before, 58)):
        for name in ("customers", "active", "gross_revenue"):
            sheet.add("kpi", name, 60 if name == "customers" else active, period=period, n=60 if name == "customers" else active)
    sheet.add("kpi", "gross_revenue_change", 0.1, period=last, n=57)
    closed = suppress.hide(sheet.frame(date(2024, 1, 1)), LEAST)
    assert 57 not in [*closed["n"].to_list(), *closed.filter(metric="active")["value"].to_list()]
    assert not closed.filter(metric="gross_revenue")["hidden"].any()


def test_segments_recomputed_from_the_page_do_not_tell_the_hidden_one() -> None:
    """From the table of the JSON page: what is left of all customers is never one to four people."""
    customers, orders, cohorts = _some(30, 7)
    facts = samples.facts(customers)
    made = metrics.compute(customers, facts, orders.lazy(), None, cohorts, min_cell=LEAST)
    written = json.loads(document.to_json(made, facts, "en"))
    panel = next(one for one in written["panels"] if one["code"] == "segments")
    rows = panel["tables"][0]["rows"]
    real = dict(customers.group_by("segment").len().iter_rows())
    hidden = [row for row in rows if row[1] == HIDDEN]
    assert hidden
    left = customers.height - sum(row[1] for row in rows if row[1] != HIDDEN)
    assert left >= LEAST
    assert {cell for row in hidden for cell in row[1:]} <= {HIDDEN, "–"}
    assert all(size >= LEAST for size in real.values() if size in {row[1] for row in rows})


def test_what_is_hidden_keeps_its_place_in_a_figure() -> None:
    """Every row of a table of months or groups has its marks, in its order: a hidden one no length and the sign."""
    customers, orders, cohorts = _some(30, 3)
    facts = samples.facts(customers)
    report = outline(metrics.compute(customers, facts, orders.lazy(), None, cohorts, min_cell=LEAST), facts, "en")
    figures = [block for panel in report.panels for block in panel.blocks if isinstance(block, Figure)]
    figures = [figure for figure in figures if figure.kind in ("months", "segments")]
    assert {figure.kind for figure in figures} == {"months", "segments"}
    for figure in figures:
        rows = [row[0].text.removesuffix(" (running)") for row in figure.table.rows]
        places = list(dict.fromkeys(mark.place for mark in figure.marks))
        assert places == rows[: len(places)]
        assert len(rows) - len(places) <= (figure.kind == "segments")  # who never bought is in no share
    signs = [(mark.text, mark.value) for figure in figures for mark in figure.marks if mark.text == HIDDEN]
    assert signs
    assert {value for _, value in signs} == {0.0}


def test_a_sentence_is_said_only_with_its_numbers() -> None:
    """Where the best tenth are too few to be told of, the sentence about them is left out and their row shows the sign."""
    customers, orders, cohorts = _some(40, 3)
    made = metrics.compute(customers, samples.facts(customers), orders.lazy(), None, cohorts, min_cell=LEAST)
    shown = terminal.render(made, samples.facts(customers), "en")
    assert re.search(r"^ +10% +x", shown, re.MULTILINE)
    assert "The best tenth" not in shown


def test_two_who_only_returned_take_little_with_them(shop: Any) -> None:
    """200 buyers and two without a sale: these two and what tells their refund go; what is asked for first stays."""
    customers, facts, orders = shop
    made = metrics.compute(customers, facts, orders.lazy(), None, samples.cohorts(), min_cell=LEAST)
    rows = {_key(row): row for row in made.iter_rows(named=True)}
    assert [row["value"] for row in rows.values() if (row["metric"], row["group"]) == ("customers", NO_PURCHASE)] == [None, None]
    told = ("buyers", "orders", "net_revenue", "average_order", "repeat_customers", "active_customers")
    assert all(rows["overview", name, None, None if name != "active_customers" else "90d"]["value"] for name in told)
    assert {key[1] for key, row in rows.items() if key[0] == "overview" and row["hidden"]} == {"customers", "no_purchase"}
    counts = [row for key, row in rows.items() if key[1] == "customers" and key[0] in GROUPED and key[2] != NO_PURCHASE]
    assert counts
    assert not [row for row in counts if row["hidden"]]
    for section in GROUPED:  # a share with its part tells the buyers' revenue, and net revenue less that is the refund
        shares = [key for key, row in rows.items() if key[:2] == (section, "revenue_share") and not row["hidden"]]
        assert not [key for key in shares if not rows[section, "revenue", key[2], None]["hidden"]]
    assert len([key for key, row in rows.items() if key[1] == "revenue_of_buyers" and row["hidden"]]) == 1


def test_who_returned_few_times_is_told_by_neither_panel() -> None:
    """What three customers returned is withheld of all days as of the last 90, and net revenue stays beside it."""
    orders = _log().filter((pl.col("kind") == "sale") | pl.col("customer_id").is_in(["c000", "c001", "c002", "c003", "c004"]))
    customers = samples.customers(orders)
    few = customers.filter(pl.col("returned_amount") > 0).height
    assert 0 < few < LEAST
    made = metrics.compute(customers, samples.facts(customers), orders.lazy(), None, None, min_cell=LEAST)
    returned = made.filter(pl.col("metric") == "returned")
    assert not [row for row in returned.iter_rows(named=True) if row["value"]]
    net = made.filter(pl.col("section").is_in(["overview", "kpi"]), metric="net_revenue")
    assert not net["hidden"].any()


def test_what_came_before_the_key_figures_is_a_number_too() -> None:
    """Three customers bought before the last 180 days: the whole log less two periods would tell what they brought."""
    recent, early = [date(2023, 12, 1), date(2023, 8, 1)], [date(2023, 5, 1)]
    days = {f"n{number}": recent for number in range(20)} | {f"o{number}": recent + early for number in range(3)}
    rows = [
        (person, f"{person}-{day}", datetime(day.year, day.month, day.day, 9), Decimal(10), "sale")
        for person, bought in days.items()
        for day in bought
    ]
    names = ("customer_id", "order_id", "ordered_at", "amount", "kind")
    orders = pl.DataFrame(rows, schema=list(names), orient="row").cast(
        {"amount": pl.Decimal(18, 4), "ordered_at": pl.Datetime("us")}
    )
    customers = samples.customers(orders.with_row_index("source_line", 1))
    made = metrics.compute(customers, samples.facts(customers), orders.lazy(), None, None, min_cell=LEAST)
    look = {_key(row)[:2]: row["value"] for row in made.filter(pl.col("section") == "overview").iter_rows(named=True)}
    for name in ("net_revenue", "orders"):
        told = made.filter(section="kpi", metric=name)["value"].to_list()
        assert look["overview", name]
        assert len(told) == 2
        assert None in told


def test_the_page_keeps_the_revenue_of_groups_whose_shares_are_hidden(shop: Any) -> None:
    """Two who only returned take the shares along: the table has revenue, no column of signs, and the figure customers."""
    customers, facts, orders = shop
    made = metrics.compute(customers, facts, orders.lazy(), None, samples.cohorts(), min_cell=LEAST)
    panel = next(one for one in outline(made, facts, "en").panels if one.code == "segments")
    figure = next(block for block in panel.blocks if isinstance(block, Figure))
    assert {mark.series for mark in figure.marks} == {"customer_share"}
    heads = [column.label for column in figure.table.columns]
    assert "Revenue" in heads
    assert "Share of revenue" not in heads


@pytest.mark.parametrize(("share", "said"), [(0.55, True), (0.35, False)])
def test_a_group_is_called_first_only_where_no_hidden_one_can_be(share: float, said: bool) -> None:
    """What is hidden may be one group: beside 55 % it is smaller, beside 35 % it may be larger."""
    sheet = Sheet()
    for code, value, n in (("loyal", share, 20), ("lost", 0.1, 20), ("new", 0.9 - share, 2), ("growing", 0.0, 9)):
        sheet.add("lifecycle", "customers", n, group=code, n=n)
        sheet.add("lifecycle", "customer_share", n / 51, group=code, n=n)
        sheet.add("lifecycle", "revenue_share", value, group=code, n=n)
    closed = suppress.hide(sheet.frame(date(2024, 1, 1)), LEAST)
    assert closed.filter(metric="revenue_share", group="new")["hidden"].all()
    panel = next(one for one in outline(closed, {}, "en").panels if one.code == "lifecycle")
    text = " ".join(block.text for block in panel.blocks if isinstance(block, Paragraph))
    assert ("Stage of life with most revenue: Loyal" in text) is said


def test_three_whole_months_do_not_tell_the_fourth_number() -> None:
    """As of 31 March the last 90 days are January to March: 24 new, less 10 and 12, would be the two of January."""
    new = {"2022-10": 7, "2022-11": 15, "2022-12": 14, "2023-01": 2, "2023-02": 10, "2023-03": 12}
    sheet = Sheet()
    sheet.add("overview", "buyers", sum(new.values()), n=sum(new.values()))
    for name, value in (("customers", 60), ("new", 24)):
        sheet.add("kpi", name, value, period="2023-01-01/2023-03-31", n=value)
    for month, count in new.items():
        sheet.add("revenue", "customers", count, group="new", period=month, n=count)
        sheet.add("revenue", "orders", count, period=month, n=count)
    closed = suppress.hide(sheet.frame(date(2023, 3, 31)), LEAST)
    hidden = closed.filter(pl.col("hidden"), metric="customers", group="new")["period"].to_list()
    assert "2023-01" in hidden
    assert len([month for month in hidden if month > "2023"]) > 1 or closed.filter(metric="new")["hidden"].item()
