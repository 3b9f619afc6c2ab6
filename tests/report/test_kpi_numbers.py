"""The key figures: each as defined, null where the log has not lived the days, and equal to counting by hand on real logs."""

from __future__ import annotations

import math
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clm.ingest import shipped
from clm.report import metrics
from clm.report.numbers import KPI_RATES, KPIS, Numbers
from clm.stages import behaviour, snapshot
from tests.cleaning import clean_files
from tests.logs import Line, transactions

DAY = date(2024, 9, 26)  # the periods begin on 29 June, 31 March and 1 January
LAST, BEFORE = "2024-06-29/2024-09-26", "2024-03-31/2024-06-28"
SHOP: tuple[Line, ...] = (
    ("ann", "a1", "2024-01-02", "10.00"),
    ("ann", "a2", "2024-05-01", "20.00"),
    ("ann", "a3", "2024-09-26 23:59:59", "30.00"),  # the last day counts
    ("bob", "b1", "2024-03-30", "5.00"),
    ("bob", "b2", "2024-06-28", "7.00"),
    ("cat", "c1", "2024-06-29", "100.00"),  # the first day counts
    ("cat", "c1", "2024-06-30", "1.50"),  # a second line of the same order
    ("cat", "c9", "2024-07-02", "-40.25"),
    ("dan", "d1", "2024-06-01", "50.00"),
    ("dan", "d2", "2024-07-01", "0.00"),
    ("eve", "e9", "2024-08-01", "-3.00"),  # returned what was bought before the log begins
    ("fay", "f1", "2024-09-27", "999.00"),  # after the day
)


def told_table(lines: pl.DataFrame, as_of: date = DAY) -> pl.DataFrame:
    return metrics.compute(behaviour.take(lines.lazy(), as_of).customers.collect(), {}, lines.lazy())


def alone_table(lines: pl.DataFrame, as_of: date = DAY, earlier: date | None = None) -> pl.DataFrame:
    """What the customer table tells without its orders, beside an earlier one when asked."""
    before = behaviour.take(lines.lazy(), earlier).customers.collect() if earlier else None
    return metrics.compute(behaviour.take(lines.lazy(), as_of).customers.collect(), {}, earlier=before)


def told(lines: pl.DataFrame, as_of: date = DAY) -> Numbers:
    return Numbers(told_table(lines, as_of))


def alone(lines: pl.DataFrame, earlier: date | None = None) -> Numbers:
    return Numbers(alone_table(lines, earlier=earlier))


def figures(numbers: Numbers) -> dict[str, tuple[float | None, float | None, float | None]]:
    """Every key figure: now, before, change."""
    found = {}
    for name in KPIS:
        now, before = numbers.rows("kpi", name)
        [change] = numbers.rows("kpi", f"{name}_change")
        assert now.period == change.period
        assert now.period != before.period
        found[name] = (now.value, before.value, change.value)
    return found


def test_a_shop_of_five_by_hand() -> None:
    """Every figure of both periods and its change, as its definition says; the day after and its customer count nowhere."""
    numbers = told(transactions(*SHOP))
    assert [row.period for row in numbers.rows("kpi", "active")] == [LAST, BEFORE]
    found = figures(numbers)
    assert found["customers"] == (4, 3, pytest.approx(1 / 3))  # ann, bob, cat, dan; cat came later
    assert found["active"] == (3, 3, 0)  # ann, cat, dan; ann, bob, dan
    assert found["new"] == (1, None, None)  # the log lacks one day of the 90 before 31 March
    assert found["returning"] == (2, None, None)
    assert found["orders"] == (3, 3, 0)
    assert found["gross_revenue"] == (131.5, 77, pytest.approx(54.5 / 77))
    assert found["returned"] == (43.25, 0, None)
    assert found["net_revenue"] == (88.25, 77, pytest.approx(11.25 / 77))
    assert found["average_order"] == (pytest.approx(88.25 / 3), pytest.approx(77 / 3), pytest.approx(11.25 / 77))
    assert found["repeat_rate"] == (1.0, pytest.approx(2 / 3), pytest.approx(1 / 3))  # the two lines of cat's order: two days
    assert found["retention"] == (pytest.approx(2 / 3), None, None)  # of ann, bob, dan: ann and dan
    assert found["churn"] == (pytest.approx(1 / 3), None, None)
    assert found["acquisition"] == (pytest.approx(1 / 3), None, None)
    assert found["concentration"] == (
        pytest.approx(61.25 / 91.25),
        pytest.approx(50 / 77),
        pytest.approx(61.25 / 91.25 - 50 / 77),
    )


def test_three_lived_periods_tell_who_was_kept_before() -> None:
    """With 270 days of log the period before has its new customers and its retention too."""
    numbers = told(transactions(("zoe", "z1", "2024-01-02", "1.00"), *SHOP), as_of=date(2024, 9, 26))
    assert numbers.rows("kpi", "retention")[1].value is None  # one day is missing
    found = figures(told(transactions(("zoe", "z1", "2024-01-01", "1.00"), *SHOP)))
    assert found["new"] == (1, 1, 0)  # cat; dan
    assert found["returning"] == (2, 2, 0)
    assert found["retention"] == (pytest.approx(2 / 3), pytest.approx(2 / 3), 0)  # ann, bob of zoe, ann, bob
    assert found["acquisition"][:2] == (pytest.approx(1 / 3), pytest.approx(1 / 3))


@pytest.mark.parametrize(("length", "known"), [(89, ("customers", "repeat_rate")), (90, None), (179, None), (180, None)])
def test_days_the_log_did_not_live_are_null_not_zero(length: int, known: tuple[str, ...] | None) -> None:
    """Shorter than a period only the totals stand; shorter than two nothing is compared and nobody can be called new."""
    lines = transactions(
        ("ann", "a1", str(DAY - timedelta(days=length - 1)), "10.00"),
        ("bob", "b1", str(DAY - timedelta(days=20)), "5.00"),
        ("ann", "a2", str(DAY), "30.00"),
    )
    found = figures(told(lines))
    now = {name for name, (value, _, _) in found.items() if value is not None}
    before = {name for name, (_, value, _) in found.items() if value is not None}
    assert found["customers"][0] == 2
    if known:
        assert now == set(known)
    elif length < 180:
        assert now == set(KPIS) - {"new", "returning", "acquisition", "retention", "churn"}
    else:
        assert now == set(KPIS)
        assert found["new"][0] == found["returning"][0] == 1
        assert found["retention"][0] == 1
    assert before == (set() if length < 180 else set(KPIS) - {"new", "returning", "acquisition", "retention", "churn"})
    assert not [one for one in before if found[one][1] == 0 and one not in ("returned", "repeat_rate")]


def test_one_customer() -> None:
    """Who ordered in both periods is kept, all of the revenue, and returning."""
    lines = transactions(*(("ann", f"a{n}", str(DAY - timedelta(days=40 * n)), "12.50") for n in range(12)))
    found = figures(told(lines))
    assert found["customers"] == found["active"] == found["returning"] == (1, 1, 0)
    assert found["new"] == (0, 0, None)
    assert found["retention"] == found["concentration"] == found["repeat_rate"] == (1, 1, 0)
    assert found["churn"] == found["acquisition"] == (0, 0, 0)
    assert found["orders"] == (3, 2, 0.5)
    assert found["net_revenue"] == (37.5, 25, 0.5)


def test_a_period_without_a_sale_in_a_log_that_goes_on_is_a_true_zero() -> None:
    """Nobody ordered in the 90 days before: 0 active, no average, no retention, and no change from nothing."""
    lines = transactions(("ann", "a1", "2023-01-01", "10.00"), ("ann", "a2", "2024-09-01", "30.00"))
    found = figures(told(lines))
    assert found["active"] == (1, 0, None)
    assert found["net_revenue"] == (30, 0, None)
    assert found["average_order"] == (30, None, None)
    assert found["retention"] == found["churn"] == (None, None, None)


def test_days_after_the_end_of_the_log_are_not_lived() -> None:
    """As of a day more than a period after the last row the period is null, not a shop without customers."""
    lines = transactions(("ann", "a1", "2023-01-01", "10.00"), ("ann", "a2", "2024-01-05", "30.00"))
    for numbers in (told(lines), alone(lines)):
        assert figures(numbers)["active"] == (None, None, None)
        assert figures(numbers)["customers"][0] == 1


def test_a_log_without_amounts_has_no_money() -> None:
    """Counts and rates stand, money is null."""
    found = figures(told(transactions(*((*line[:3], None) for line in SHOP if not str(line[3]).startswith("-")))))
    money = ("net_revenue", "gross_revenue", "returned", "average_order", "concentration")
    assert {found[name] for name in money} == {(None, None, None)}
    assert found["active"] == (3, 3, 0)
    assert found["orders"][0] == 3


def test_nobody_bought() -> None:
    """A log of returns alone has customers, none with a purchase."""
    found = figures(told(transactions(("ann", "a1", "2024-09-01", "-10.00"))))
    assert found["customers"] == (0, None, None)
    assert found["active"] == (None, None, None)


def test_the_table_alone_tells_what_it_knows() -> None:
    """Without the orders: the last period but for gross revenue and retention; of the one before who was known and new."""
    lines = transactions(("zoe", "z1", "2024-01-01", "1.00"), *SHOP)
    with_orders, without = figures(told(lines)), figures(alone(lines))
    unknown = ("gross_revenue", "returned", "retention", "churn")
    for name in KPIS:
        assert without[name][0] == (None if name in unknown else with_orders[name][0])
        assert without[name][1] == (with_orders[name][1] if name in ("customers", "new") else None)


def test_an_earlier_table_stands_for_the_orders() -> None:
    """The table of 90 days ago gives the figures before, and with both who was kept."""
    lines = transactions(("zoe", "z1", "2024-01-01", "1.00"), *SHOP)
    with_orders, paired = figures(told(lines)), figures(alone(lines, earlier=DAY - timedelta(days=90)))
    for name in set(KPIS) - {"gross_revenue", "returned", "retention", "churn"}:
        assert paired[name] == with_orders[name], name
    assert paired["retention"][0] == with_orders["retention"][0]
    assert paired["churn"][0] == with_orders["churn"][0]


def test_periods_that_overlap_have_no_retention() -> None:
    """A table of a month ago is compared under its own days; who is in both periods was not kept from one to the other."""
    numbers = alone(transactions(("zoe", "z1", "2024-01-01", "1.00"), *SHOP), earlier=DAY - timedelta(days=30))
    assert [row.period for row in numbers.rows("kpi", "active")] == [LAST, "2024-05-30/2024-08-27"]
    assert numbers.rows("kpi", "active")[1].value == 3
    assert numbers.rows("kpi", "retention")[0].value is None


def _random_log() -> st.SearchStrategy[pl.DataFrame]:
    day = st.integers(0, 400).map(lambda ago: str(DAY - timedelta(days=ago)))
    money = st.integers(-5_000, 50_000).map(lambda cents: f"{Decimal(cents) / 100:.2f}")
    line = st.tuples(st.sampled_from("abcdefgh"), st.sampled_from(["1", "2", "3"]), day, money)
    return st.lists(line, min_size=1, max_size=60).map(
        lambda lines: transactions(*((who, f"{who}{order}", on, amount) for who, order, on, amount in lines))
    )


@settings(max_examples=60)
@given(_random_log(), st.integers(0, 200))
def test_the_laws_of_the_figures(lines: pl.DataFrame, ago: int) -> None:
    """New and returning are the active, kept and lost are 1, gross less returned is net; by hand the same, whatever the day."""
    as_of = DAY - timedelta(days=ago)
    if lines.filter(pl.col("ordered_at").dt.date() <= as_of).is_empty():
        return
    numbers = told(lines, as_of)
    for now in (0, 1):
        one = {name: numbers.rows("kpi", name)[now].value for name in KPIS}
        if one["new"] is not None and one["returning"] is not None:
            assert one["new"] + one["returning"] == one["active"]
        if one["retention"] is not None and one["churn"] is not None:
            assert one["retention"] + one["churn"] == 1
        if one["net_revenue"] is not None and one["gross_revenue"] is not None and one["returned"] is not None:
            assert round(one["gross_revenue"] - one["returned"], 2) == one["net_revenue"]
        assert all(one[name] is None or 0 <= (one[name] or 0) <= 1 for name in KPI_RATES)
    assert _seen(numbers) == by_hand(lines, as_of)


def _seen(numbers: Numbers) -> list[dict[str, Any]]:
    rounded = [{name: numbers.rows("kpi", name)[now].value for name in KPIS} for now in (0, 1)]
    return [{name: None if value is None else round(value, 9) for name, value in one.items()} for one in rounded]


def by_hand(lines: pl.DataFrame, as_of: date) -> list[dict[str, Any]]:
    """Both periods, counted line by line in Python."""
    rows = [
        (who, order, at.date(), amount, kind)
        for who, order, at, amount, kind in lines.select("customer_id", "order_id", "ordered_at", "amount", "kind").iter_rows()
        if at.date() <= as_of
    ]
    sales = [row for row in rows if row[4] == "sale"]
    days: dict[str, set[date]] = {}
    last: dict[tuple[str, str], date] = {}
    for who, order, day, _, _ in sales:
        days.setdefault(who, set()).add(day)
        last[who, order] = max(day, last.get((who, order), day))
    first = {who: min(theirs) for who, theirs in days.items()}
    begun = min(first.values(), default=None)

    def ends(before: int) -> tuple[date, date]:
        return as_of - timedelta(days=90 * before + 89), as_of - timedelta(days=90 * before)

    def active(before: int) -> set[str]:
        start, end = ends(before)
        return {who for who, _, day, _, _ in sales if start <= day <= end}

    def lived(before: int) -> bool:
        return begun is not None and begun <= ends(before)[0] and any(day >= ends(0)[0] for _, _, day, _, _ in rows)

    found = []
    for before in (0, 1):
        one: dict[str, Any] = dict.fromkeys(KPIS)
        start, end = ends(before)
        if before == 0 or lived(before):
            known = {who for who in first if first[who] <= end}
            one["customers"] = len(known)
            again = [who for who in known if len({day for day in days[who] if day <= end}) > 1]
            one["repeat_rate"] = len(again) / len(known) if known else None
        if lived(before):
            here = [row for row in rows if start <= row[2] <= end]
            buyers = active(before)
            gross = sum((row[3] for row in here if row[4] == "sale"), Decimal(0))
            back = -sum((row[3] for row in here if row[4] == "return"), Decimal(0))
            placed = sum(start <= day <= end for day in last.values())
            one |= {"active": len(buyers), "orders": placed}
            one |= {"gross_revenue": float(gross), "returned": float(back), "net_revenue": float(gross - back)}
            one["average_order"] = float(gross - back) / placed if placed else None
            sums: dict[str, Decimal] = {}
            for who, _, _, amount, _ in here:
                sums[who] = sums.get(who, Decimal(0)) + amount
            spent = sorted((max(sums[who], Decimal(0)) for who in buyers), reverse=True)
            if sum(spent) > 0:
                one["concentration"] = float(sum(spent[: math.ceil(len(buyers) / 10)]) / sum(spent))
            if lived(before + 1):
                new = sum(start <= first[who] <= end for who in buyers)
                one |= {"new": new, "returning": len(buyers) - new, "acquisition": new / len(buyers) if buyers else None}
                earlier = active(before + 1)
                kept = len(earlier & buyers) / len(earlier) if earlier else None
                one |= {"retention": kept, "churn": None if kept is None else 1 - kept}
        found.append({name: None if value is None else round(float(value), 9) for name, value in one.items()})
    return found


def test_cdnow_is_as_counted_by_hand(tmp_path: Path) -> None:
    """The shipped log on its last day and in its middle."""
    lines = clean_files([shipped.cdnow_master()], tmp_path, review="none").rows
    for as_of in (date(1998, 6, 30), date(1997, 9, 30)):
        assert _seen(told(lines, as_of)) == by_hand(lines, as_of)


def test_online_retail_is_as_counted_by_hand(shared_data: Path, tmp_path: Path) -> None:
    """A year of lines with returns, free lines and customers who only returned."""
    lines = clean_files([shared_data / "online-retail" / "online_retail.csv.gz"], tmp_path, review="none").rows
    as_of = snapshot.last_day(lines.lazy())
    assert as_of is not None
    assert _seen(told(lines, as_of)) == by_hand(lines, as_of)
