"""Migration: matrices by hand, directions, new and lost, margins as a law, and what cannot be compared."""

from __future__ import annotations

import math
import random
from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clm.errors import DataError
from clm.report import matrices
from clm.stages.migrate import Made, migrate
from clm.storage import contract
from clm.tables import LIFECYCLES, MIGRATION, SEGMENTS

THEN, NOW = date(2024, 1, 31), date(2024, 2, 29)
NOTHING = Made({}, {})
Row = tuple[str, str | None, str, float | None]  # customer, code, spend, clv


def table(day: date, *rows: Row, of: str = "segment") -> pl.DataFrame:
    return pl.DataFrame(
        {
            "customer_id": [row[0] for row in rows],
            "as_of": [day for _ in rows],
            of: [row[1] for row in rows],
            "spend": [Decimal(row[2]) for row in rows],
            "clv": [row[3] for row in rows],
        },
        schema={"customer_id": pl.String, "as_of": pl.Date, of: pl.String, "spend": pl.Decimal(38, 4), "clv": pl.Float64},
    )


BEFORE = table(THEN, ("a", "loyal", "10", 1.5), ("b", "champion", "20", 2.5), ("c", "new", "5", 0.5), ("d", "loyal", "7", 1.0))
AFTER = table(
    NOW, ("a", "champion", "30", 3.5), ("b", "champion", "20", 2.0), ("d", "at_risk", "7", 0.25), ("e", "new", "4", 1.0)
)


def test_the_matrix_by_hand() -> None:
    """Customers, share of the row, spend and value of each cell; new and lost in a row and a column of their own."""
    found = migrate(BEFORE, AFTER, NOTHING, NOTHING).metrics
    cells = [
        (c["from"], c["to"], c["customers"], c["share"], c["spend_before"], c["spend_after"]) for c in found["segment"]["cells"]
    ]
    assert cells == [
        ("champion", "champion", 1, 1.0, "20.0000", "20.0000"),
        ("loyal", "champion", 1, 0.5, "10.0000", "30.0000"),
        ("loyal", "at_risk", 1, 0.5, "7.0000", "7.0000"),
        ("new", "(lost)", 1, 1.0, "5.0000", "0.0000"),
        ("(new)", "new", 1, 1.0, "0.0000", "4.0000"),
    ]
    assert [c["clv_after"] for c in found["segment"]["cells"]] == [2.0, 3.5, 0.25, 0.0, 1.0]
    told = {key: found["segment"][key] for key in ("moved", "stayed", "up", "down", "side", "new", "lost", "moved_share")}
    assert told == {"moved": 2, "stayed": 1, "up": 1, "down": 1, "side": 0, "new": 1, "lost": 1, "moved_share": 2 / 3}
    assert (found["from"], found["to"]) == ("2024-01-31", "2024-02-29")


def test_the_movers_are_everything_off_the_diagonal() -> None:
    """Sorted by customer; null on the side where they are not; the table keeps its contract."""
    frame = migrate(BEFORE, AFTER, NOTHING, NOTHING).frame.lazy().collect()
    contract.check_schema(frame.schema, MIGRATION, MIGRATION.names(), "movers")
    contract.check_data(frame.lazy(), MIGRATION, "movers")
    assert frame.select("customer_id", "from", "to", "direction").rows() == [
        ("a", "loyal", "champion", "up"),
        ("c", "new", "(lost)", "lost"),
        ("d", "loyal", "at_risk", "down"),
        ("e", "(new)", "new", "new"),
    ]
    assert frame.row(3, named=True)["spend_before"] is None
    assert frame.row(1, named=True)["clv_after"] is None


@pytest.mark.parametrize(
    ("of", "was", "now", "way"),
    [
        ("lifecycle", "lost", "won_back", "up"),
        ("lifecycle", "loyal", "at_risk", "down"),
        ("lifecycle", "new", "won_back", "side"),
        ("lifecycle", "no_purchase", "new", "up"),
        ("lifecycle", None, "new", "side"),
        ("tier", "basic", "gold", "up"),
        ("tier", None, "basic", "up"),
        ("tier", "gold", None, "down"),
        ("cluster", "1", "3", "down"),
        ("cluster", "10", "9", "up"),
    ],
)
def test_directions_follow_the_order_of_each_scheme(of: str, was: str | None, now: str | None, way: str) -> None:
    """Tiers in the order of their file, clusters by number, lifecycle from loyal to lost; side where neither is better."""
    made = Made({"tier": ["gold", "basic"]}, {})
    found = migrate(table(THEN, ("a", was, "1", 1.0), of=of), table(NOW, ("a", now, "1", 1.0), of=of), made, made)
    assert found.frame.lazy().collect()["direction"].to_list() == [way]
    assert set(LIFECYCLES) == {"loyal", "growing", "onboarding", "new", "won_back", "at_risk", "lost", "no_purchase"}


def test_own_schemes_have_the_order_of_their_footer_and_none_without() -> None:
    """A scheme of the shop's own: up and down by its file; from a table without a footer nobody knows, and it is said."""
    before, after = table(THEN, ("a", "vip", "1", None)), table(NOW, ("a", "rest", "1", None))
    made = Made({"segment": ["vip", "rest"]}, {"segment": "mine"})
    assert migrate(before, after, made, made).metrics["segment"]["down"] == 1
    unknown = migrate(before, after, NOTHING, NOTHING)
    assert unknown.metrics["segment"]["side"] == 1
    assert [notice.code for notice in unknown.warnings] == ["migration_no_order"]


def test_other_rules_or_models_are_said() -> None:
    """Two schemes: a notice; clusters of two fits: nobody moved up or down, for 2 is not 2."""
    one, other = (Made({}, {"segment": name, "cluster": {"centres": name}}) for name in ("x", "y"))
    assert [notice.code for notice in migrate(BEFORE, AFTER, one, other).warnings] == ["migration_differs"]
    frames = (table(THEN, ("a", "1", "1", 1.0), of="cluster"), table(NOW, ("a", "2", "1", 1.0), of="cluster"))
    assert migrate(*frames, one, one).metrics["cluster"]["down"] == 1
    assert migrate(*frames, one, other).metrics["cluster"]["side"] == 1


@pytest.mark.parametrize("days", [(NOW, NOW), (NOW, THEN)])
def test_the_same_day_and_swapped_days_are_refused(days: tuple[date, date]) -> None:
    """65: nobody moves within a day, and not backwards."""
    frames = [table(day, ("a", "new", "1", 1.0)) for day in days]
    with pytest.raises(DataError, match=r"both tables are of|swapped") as raised:
        migrate(*frames, NOTHING, NOTHING)
    assert raised.value.code == "days"


def test_nothing_in_common_and_two_currencies_are_refused() -> None:
    """Tables without segments, and money that cannot be compared."""
    bare = BEFORE.drop("segment")
    with pytest.raises(DataError, match="none of segment"):
        migrate(bare, AFTER, NOTHING, NOTHING)
    with pytest.raises(DataError, match="CNY, the later in EUR"):
        migrate(BEFORE, AFTER, Made({}, {}, "CNY"), Made({}, {}, "EUR"))


def test_from_nothing_all_are_new() -> None:
    """An empty table has no day, no rows and no matrix row."""
    outcome = migrate(BEFORE.clear(), AFTER, NOTHING, NOTHING)
    assert {cell["from"] for cell in outcome.metrics["segment"]["cells"]} == {"(new)"}
    assert outcome.metrics["segment"]["moved_share"] is None
    assert migrate(BEFORE.clear(), AFTER.clear(), NOTHING, NOTHING).metrics["segment"]["cells"] == []
    assert matrices.lines(outcome.metrics)


def rows_of(side: str) -> st.SearchStrategy[list[Row]]:
    codes = st.sampled_from([*SEGMENTS[:4], "no_purchase"])
    money = st.decimals(-1000, 10**6, places=4).map(str)
    value = st.floats(0, 1e6, allow_subnormal=False)
    return st.dictionaries(st.sampled_from("abcdefghij"), st.tuples(codes, money, value), max_size=10).map(
        lambda found: [(name, *rest) for name, rest in sorted(found.items())]
    )


@given(rows_of("before"), rows_of("after"), st.randoms())
def test_margins_are_the_tables(before: list[Row], after: list[Row], dice: random.Random) -> None:
    """Customers, spend and value by row are the earlier table, by column the later, to the cent; order and ids do not matter."""
    then, now = table(THEN, *before), table(NOW, *after)
    outcome = migrate(then, now, NOTHING, NOTHING)
    cells = outcome.metrics["segment"]["cells"]
    for frame, key, side, absent in ((then, "from", "before", "(new)"), (now, "to", "after", "(lost)")):
        for code in frame["segment"].unique().to_list():
            members, mine = frame.filter(pl.col("segment") == code), [cell for cell in cells if cell[key] == code]
            assert sum(cell["customers"] for cell in mine) == members.height
            assert sum(Decimal(cell[f"spend_{side}"]) for cell in mine) == members["spend"].sum()
            assert math.fsum(cell[f"clv_{side}"] for cell in mine) == pytest.approx(math.fsum(members["clv"]), abs=0.005)
        strangers = [cell for cell in cells if cell[key] == absent]
        assert all(not Decimal(cell[f"spend_{side}"] or 0) for cell in strangers)
    rename: Any = pl.col("customer_id").replace_strict(dict(zip("abcdefghij", dice.sample("klmnopqrst", 10), strict=True)))
    again = migrate(then.with_columns(rename).sort("spend"), now.with_columns(rename).sort("clv"), NOTHING, NOTHING)
    assert again.metrics == outcome.metrics


def test_the_text_fits_80_columns() -> None:
    """A matrix of row shares while the columns fit, the largest moves in any case."""
    many = [f"a_segment_with_a_long_name_{n:02}" for n in range(20)]
    before = table(THEN, *((str(n), code, "1234567890", 1e9) for n, code in enumerate(many)))
    after = table(NOW, *((str(n), code, "1234567890", 1e9) for n, code in enumerate(reversed(many))))
    for frames in ((BEFORE, AFTER), (before, after)):
        lines = matrices.lines(migrate(*frames, NOTHING, NOTHING).metrics, "CNY")
        assert max(map(len, lines)) <= 80
    text = "\n".join(matrices.lines(migrate(BEFORE, AFTER, NOTHING, NOTHING).metrics))
    assert "segment: 2 moved (66.7% of those in both): 1 up, 1 down, 0 sideways;" in text
    assert f"{' 2 loyal':<31}2  50   ·   ·  50   ·" in text


@pytest.mark.parametrize("code", ["(new)", "(lost)", "(none)"])
def test_nobodys_names_are_nobodys(code: str) -> None:
    """A segment called as the matrix calls who is not there could not be told apart from it."""
    with pytest.raises(DataError, match="as clm calls nobody's"):
        migrate(BEFORE, table(NOW, ("a", code, "30", 3.5)), NOTHING, NOTHING)
