"""Segments: the grid as printed, the eight types by means, written rules; what is learned and applied; and the laws."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clm import schemes
from clm.errors import ConfigError, DataError
from clm.outcome import Outcome
from clm.schemes import Cells, pyramid
from clm.settings import RfmSettings
from clm.stages.rfm import rfm
from clm.stages.segment import segment
from tests.logs import invented, transactions

PYRAMID = 'column = "spend_365d"\n' + "".join(
    f'[[tier]]\ncode = "{code}"\nshare = "{share}%"\n'
    for code, share in (("diamond", 1), ("gold", 4), ("silver", 15), ("bronze", 60), ("basic", 20))
)
GRID = {
    1: "hibernating hibernating about_to_sleep promising new",
    2: "hibernating hibernating about_to_sleep potential_loyalist potential_loyalist",
    3: "at_risk at_risk need_attention potential_loyalist potential_loyalist",
    4: "at_risk at_risk loyal loyal champion",
    5: "cannot_lose cannot_lose loyal loyal champion",
}


def scored(cells: list[tuple[int | None, int | None]]) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "customer_id": [f"{n:02}" for n in range(len(cells))],
            "as_of": [None] * len(cells),
            "orders": [0 if r is None else 1 for r, _ in cells],
            "r_score": [r for r, _ in cells],
            "f_score": [f for _, f in cells],
        },
        schema={"customer_id": pl.String, "as_of": pl.Date, "orders": pl.Int64, "r_score": pl.Int32, "f_score": pl.Int32},
    )


def test_the_grid_is_the_published_table() -> None:
    """All 25 cells, row by row."""
    scheme, _ = schemes.load("grid")
    cells = [(r, f) for f in GRID for r in range(1, 6)]
    frame = segment(scored(cells), scheme, 5).frame.lazy().collect()
    assert frame["segment"].to_list() == [name for row in GRID.values() for name in row.split()]


def test_customers_without_a_sale_are_no_purchase_and_counted() -> None:
    """They keep their row and their own count."""
    scheme, _ = schemes.load("grid")
    outcome = segment(scored([(None, None), (5, 5)]), scheme, 5)
    assert outcome.frame.lazy().collect()["segment"].to_list() == ["no_purchase", "champion"]
    assert outcome.metrics["segments"]["no_purchase"] == 1
    assert sum(outcome.metrics["segments"].values()) == 2


def test_rows_and_other_columns_pass_through() -> None:
    """Segmenting twice is segmenting once, and no column of the input changes."""
    customers = rfm(invented().lazy(), RfmSettings()).frame.lazy().collect().with_columns(city=pl.lit("Wien"))
    scheme, _ = schemes.load("grid")
    once = segment(customers, scheme, 5).frame.lazy().collect()
    assert once.drop("segment", "lifecycle").equals(customers)
    assert segment(once, scheme, 5).frame.lazy().collect().equals(once)


def test_scores_cut_otherwise_are_refused_with_the_remedy() -> None:
    """A grid for five bins over scores of three would silently have no champion."""
    scheme, _ = schemes.load("grid")
    with pytest.raises(DataError, match="from 1 to 3") as raised:
        segment(scored([(3, 3)]), scheme, 3)
    assert "--bins 5" in str(raised.value.fix)


def test_scores_outside_the_scheme_are_named() -> None:
    """A table somebody made by hand may hold a 7 or a 0."""
    with pytest.raises(DataError, match="2 customers with scores outside 1 to 5"):
        segment(scored([(7, 1), (1, 0), (1, 1)]), schemes.load("grid")[0], 5)


def test_a_scheme_over_money_needs_money() -> None:
    """Without amounts there is no m_score: a scheme that wants it says so."""
    text = "bins = 5\n[segments]\nrich = [{ m = [4, 5] }]\npoor = [{ m = [1, 3] }]\n"
    customers = rfm(transactions(("A", "1", "2024-01-01", None)).lazy(), RfmSettings()).frame.lazy().collect()
    with pytest.raises(DataError, match="m_score"):
        segment(customers, schemes.parse(text, "money.toml"), 5)


def test_an_empty_table_stays_one() -> None:
    """No customers, no segments, no error."""
    scheme, _ = schemes.load("grid")
    assert segment(scored([]), scheme, 5).frame.lazy().collect().height == 0


def cells_of(name: str) -> Cells:
    scheme, _ = schemes.load(name)
    assert isinstance(scheme, Cells)
    return scheme


def rows(outcome: Outcome) -> pl.DataFrame:
    return outcome.frame.lazy().collect()


def customers_of(log: pl.DataFrame, **settings: Any) -> pl.DataFrame:
    return rows(rfm(log.lazy(), RfmSettings(**settings)))


def three(cells: list[tuple[int, int, int]]) -> pl.DataFrame:
    """Customers with these three scores."""
    return scored([(r, f) for r, f, _ in cells]).with_columns(pl.Series("m_score", [m for _, _, m in cells], dtype=pl.Int32))


def test_eight_types_compare_with_the_mean_of_the_base() -> None:
    """A score equal to the mean is high; the means come out as they were used; no purchase counts for nothing."""
    base = three([(5, 5, 5), (1, 1, 1), (3, 3, 3), (1, 5, 5), (5, 1, 1)])
    outcome = segment(base, cells_of("zh8"), 5)
    assert rows(outcome)["segment"].to_list() == ["key_value", "general_winback", "key_value", "key_keep", "general_develop"]
    assert outcome.metrics["means"] == {"r": 3.0, "f": 3.0, "m": 3.0}
    assert outcome.learned == {"means": {axis: {"sum": 15, "count": 5, "bins": 5} for axis in "rfm"}}


def test_means_are_fitted_once_and_applied_later() -> None:
    """One customer alone, judged by the saved means, is what they were inside the base; without them they are the base."""
    base = three([(5, 5, 5), (1, 1, 1), (3, 3, 3), (1, 5, 5), (5, 1, 1)])
    learned = segment(base, cells_of("zh8"), 5).learned
    alone = [rows(segment(base[n], cells_of("zh8"), 5, learned=learned))["segment"][0] for n in range(base.height)]
    assert alone == rows(segment(base, cells_of("zh8"), 5))["segment"].to_list()
    assert rows(segment(base[1], cells_of("zh8"), 5))["segment"].to_list() == ["key_value"]


FITTING = {"sum": 15, "count": 5, "bins": 5}


@pytest.mark.parametrize(
    "wrong", [None, {}, 7, {"bins": 4}, {"sum": -1}, {"sum": 15.5}, {"sum": True}, {"sum": 2**62, "count": 2**61}]
)
def test_means_of_another_scheme_are_refused(wrong: Any) -> None:
    """A model that does not fit the scheme or the bins is wrong configuration, never a wrong segment."""
    axis = FITTING | wrong if wrong and isinstance(wrong, dict) else wrong
    learned = {"means": {"r": FITTING, "f": FITTING, "m": axis}} if axis is not None else {}
    with pytest.raises(ConfigError, match="means"):
        segment(three([(5, 5, 5)]), cells_of("zh8"), 5, learned=learned)


RULES = """
first_match = true
[[segment]]
code = "vip"
when = "spend > 30 and recency_days < 60"
[[segment]]
code = "sleeping"
when = 'lifecycle in ("lost", "at_risk")'
[[segment]]
code = "others"
"""


def test_written_rules_name_customers() -> None:
    """The first rule that holds decides, the rest is taken; customers without a sale are asked nothing."""
    log = transactions(
        ("A", "1", "2024-01-01", "50"), ("A", "2", "2024-01-20", "50"),
        ("B", "3", "2024-01-01", "5"), ("B", "4", "2024-01-08", "5"),
        ("C", "5", "2024-03-01", "5"), ("D", "6", "2024-03-01", "-5"),
    )  # fmt: skip
    found = rows(segment(customers_of(log), schemes.parse(RULES, "mine.toml"), 5))
    assert found["segment"].to_list() == ["vip", "sleeping", "others", "no_purchase"]


def test_customers_without_a_sale_are_asked_nothing() -> None:
    """No rule holds for their empty cells, and no rule has to."""
    text = '[[segment]]\ncode = "old"\nwhen = "age_days > 10"\n[[segment]]\ncode = "young"\nwhen = "age_days <= 10"\n'
    log = transactions(("A", "1", "2024-01-01", "50"), ("B", "2", "2024-01-20", "-5"))
    found = rows(segment(customers_of(log), schemes.parse(text, "mine.toml"), 5))
    assert found["segment"].to_list() == ["old", "no_purchase"]


def test_rules_that_ask_money_of_a_log_without_it_are_refused() -> None:
    """`spend > 30` of an empty cell is neither yes nor no: the rest would silently take everybody."""
    log = transactions(("A", "1", "2024-01-01", None), ("A", "2", "2024-01-20", None))
    with pytest.raises(DataError, match=r"needs spend, which is empty"):
        segment(customers_of(log), schemes.parse(RULES, "mine.toml"), 5)


def test_what_the_lint_could_not_see_is_refused_on_the_customers() -> None:
    """Overlapping patterns pass the lint with a notice and stop at the first customer who has both names."""
    rule = 'not city like "W*" or city is empty or city like "*n"'
    text = f"""[[segment]]
code = "a"
when = 'city like "W*"'
[[segment]]
code = "b"
when = '{rule}'"""
    base = scored([(5, 5), (1, 1)]).with_columns(city=pl.Series(["Wels", "Linz"]))
    outcome = segment(base, schemes.parse(text, "mine.toml"), 5)
    assert [notice.code for notice in outcome.warnings] == ["scheme_unchecked"]
    assert rows(outcome)["segment"].to_list() == ["a", "b"]
    with pytest.raises(DataError, match="give 1 customer more than one segment"):
        segment(base.with_columns(city=pl.Series(["Wien", "Linz"])), schemes.parse(text, "mine.toml"), 5)


def test_rules_over_scores_want_the_bins_they_were_written_for() -> None:
    """r_score 5 of 9 is not r_score 5 of 5."""
    text = 'first_match = true\n[[segment]]\ncode = "a"\nwhen = "r_score = 5"\n[[segment]]\ncode = "b"\n'
    with pytest.raises(DataError, match="from 1 to 5, these run from 1 to 9"):
        segment(scored([(5, 5)]), schemes.parse(text, "x"), 9)


@given(st.permutations(range(40)), st.integers(0, 10**6))
def test_order_and_names_of_customers_change_nothing(order: list[int], salt: int) -> None:
    """Shuffled rows and renamed ids: the same segment, lifecycle and, customer by customer, the same count of each."""
    base = customers_of(invented())
    renamed = (
        base[order]
        .with_columns(customer_id=pl.Series([f"X{(n * 7919 + salt) % 10**6:06}{n}" for n in order]))
        .sort("customer_id")
    )
    key = ["segment", "lifecycle", "orders", "recency_days", "spend"]
    for name in ("grid", "zh8"):
        one, other = (rows(segment(frame, cells_of(name), 5)).select(key).sort(key) for frame in (base, renamed))
        assert one.equals(other)


@pytest.fixture(scope="module")
def cdnow() -> pl.LazyFrame:
    """The full CDNOW log as `clean` reads it: no order ids, so what a customer bought on a day is one order."""
    from clm.ingest import shipped

    lines = []
    for line in shipped.cdnow_master().read_text().splitlines()[1:]:
        customer, day, _, amount = line.split()
        lines.append((customer, f"{customer} {day}", f"{day[:4]}-{day[4:6]}-{day[6:]}", amount))
    return transactions(*lines).lazy()


@pytest.fixture(scope="module")
def cdnow_back(cdnow: pl.LazyFrame) -> pl.DataFrame:
    """CDNOW on 1998-04-01, segmented, with whether each customer came back within 90 days."""
    day = date(1998, 4, 1)
    ordered = pl.col("ordered_at").dt.date()
    back = cdnow.filter(ordered > day, ordered <= day + timedelta(days=90)).select("customer_id").unique().collect()
    found = rows(segment(rows(rfm(cdnow, RfmSettings(as_of=day))), cells_of("grid"), 5))
    return found.with_columns(back=pl.col("customer_id").is_in(back["customer_id"].implode()))


def returned(found: pl.DataFrame, by: str) -> dict[str, tuple[int, float]]:
    counts = found.group_by(by).agg(pl.len(), pl.col("back").sum().alias("back")).iter_rows()
    return {code: (number, back / number) for code, number, back in counts if number >= 100}


def test_cdnow_segments_come_back_in_their_order(cdnow_back: pl.DataFrame) -> None:
    """Of 23,570 customers, by the next 90 days: champions first, hibernating last, as published for this log."""
    found = {code: share for code, (_, share) in returned(cdnow_back, "segment").items()}
    print({code: round(share, 3) for code, share in sorted(found.items(), key=lambda one: -one[1])})
    ranks = ("champion", "loyal", "potential_loyalist", "need_attention", "at_risk", "about_to_sleep", "hibernating")
    shares = [found[code] for code in ranks if code in found]
    assert len(shares) >= 6
    assert shares == sorted(shares, reverse=True)
    assert found["champion"] == pytest.approx(0.475, abs=0.02)
    assert found["hibernating"] == pytest.approx(0.028, abs=0.01)


def test_cdnow_lifecycles_come_back_in_their_order(cdnow_back: pl.DataFrame) -> None:
    """Loyal before growing before onboarding before lost; won back in between, as somebody who was lost once."""
    found = returned(cdnow_back, "lifecycle")
    print({code: (number, round(share, 3)) for code, (number, share) in sorted(found.items(), key=lambda one: -one[1][1])})
    share = {code: one for code, (_, one) in found.items()}
    assert share["loyal"] > share["growing"] > share["won_back"] > share["onboarding"] > share["lost"]
    assert share["at_risk"] > 3 * share["lost"]


def test_cdnow_renamed_and_shuffled_is_the_same(cdnow: pl.LazyFrame, cdnow_back: pl.DataFrame) -> None:
    """The whole log, its rows in another order and every id another: each customer keeps segment, lifecycle and tier."""
    plan = pyramid.parse(PYRAMID, "tiers.toml")

    def judged(frame: pl.DataFrame, name: pl.Expr) -> pl.DataFrame:
        found = rows(segment(frame, cells_of("grid"), 5, plan))
        assert found.select("spend_365d", "tier").unique().height == found["spend_365d"].n_unique()
        return found.select(name.alias("id"), "segment", "lifecycle", "tier").sort("id")

    other = cdnow.collect().sample(fraction=1, shuffle=True, seed=5)
    renamed = other.with_columns((99_999 - pl.col("customer_id").cast(pl.Int64)).cast(pl.String).alias("customer_id"))
    customers = rows(rfm(renamed.lazy(), RfmSettings(as_of=date(1998, 4, 1))))
    number = pl.col("customer_id").cast(pl.Int64)
    before = judged(cdnow_back.drop("back", "segment", "lifecycle"), number)
    assert judged(customers, 99_999 - number).equals(before)
    assert before["tier"].n_unique() == 4
