"""Schemes in the rule language are held against each other before any customer is: exactly, or it is said what was not."""

from __future__ import annotations

import re
from datetime import datetime
from itertools import product

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clm import schemes
from clm.dtypes import polars_type
from clm.errors import ClmError, ConfigError, DataError
from clm.expressions import parse
from clm.schemes import Rules, coverage
from clm.tables import CUSTOMERS

SCHEMA = {column.name: polars_type(column) for column in CUSTOMERS.columns if column.stage in ("rfm", "segment")}
REST = 'first_match = true\n{}[[segment]]\ncode = "rest"\n'


def book(*rules: tuple[str, str], first: bool = False) -> str:
    written = "".join(f"[[segment]]\ncode = \"{code}\"\nwhen = '''{when}'''\n" for code, when in rules)
    return REST.format(written) if first else written


def lint(*rules: tuple[str, str], first: bool = False, **more: pl.DataType) -> tuple[str, ...]:
    scheme = schemes.parse(book(*rules, first=first), "mine.toml")
    assert isinstance(scheme, Rules)
    return scheme.lint(SCHEMA | more)


# fmt: off
WHOLE = [
    [("vip", "spend > 10000 and recency_days < 60"), ("rest", "not (spend > 10000 and recency_days < 60)")],
    [("a", "orders = 1"), ("b", "orders > 1")],
    [("a", "r_score in (4, 5)"), ("b", "r_score <= 3")],
    [("a", "mean_repeat_spend > 3.5"), ("b", "mean_repeat_spend <= 3.5 or mean_repeat_spend is empty")],
    [("a", "active_days < recency_days"), ("b", "active_days >= recency_days")],
    [("a", "active_days < rhythm_days"), ("b", "active_days >= rhythm_days"), ("c", "rhythm_days is empty")],
    [("a", 'lifecycle in ("new", "onboarding")'), ("b", 'not lifecycle in ("new", "onboarding")')],
    [("a", "first_order_on < 2020-01-01"), ("b", "first_order_on >= 2020-01-01")],
    [("a", 'main_channel like "web*"'), ("b", 'not main_channel like "web*" or main_channel is empty')],
    [("a", "orders = 1"), ("a", "orders = 2"), ("b", "orders > 2")],
]
BROKEN = [
    ([("a", "spend > 100"), ("b", "spend < 100")], "gap: no segment covers spend 100$"),
    ([("a", "spend > 100"), ("b", "spend <= 99.9999")], "gap: no segment covers spend 100$"),
    ([("a", "orders > 3"), ("b", "orders < 3")], "gap: no segment covers orders 3$"),
    ([("a", "orders > 3"), ("b", "orders >= 3"), ("c", "orders < 3")], "overlaps: orders 4 is both a and b"),
    ([("a", "mean_repeat_spend > 3"), ("b", "mean_repeat_spend <= 3")], "covers mean_repeat_spend empty"),
    ([("a", "active_days < recency_days"), ("b", "active_days > recency_days")], "covers active_days 0, recency_days 0"),
    ([("a", "active_days < recency_days"), ("b", "recency_days < age_days"), ("c", "age_days <= active_days")], "overlaps"),
    ([("a", "first_order_on < 2020-01-01"), ("b", "first_order_on > 2020-01-01")], "covers first_order_on 2020-01-01"),
    ([("a", 'lifecycle = "new"'), ("b", 'lifecycle in ("loyal", "lost")')], "covers lifecycle '"),
    ([("a", "orders > 0"), ("b", "orders < 1")], "can never give b"),
    ([("a", "r_score <= 5"), ("b", "r_score > 5")], "can never give b"),
    ([("a", "spend > 1 and clw > 3"), ("b", "spend <= 1")], "column there is not, clw: did you mean clv"),
    ([("a", 'spend > "1"'), ("b", "spend <= 1")], "rule for a that does not fit: spend is a number"),
    ([("a", 'segment = "x"'), ("b", "true")], "asks segment, which comes out of the same stage"),
]
# fmt: on


@pytest.mark.parametrize("rules", WHOLE, ids=lambda rules: rules[0][1])
def test_rules_that_cover_everything_once_pass(rules: list[tuple[str, str]]) -> None:
    """No gap, no overlap, every code comes: nothing is said."""
    assert lint(*rules) == ()


@pytest.mark.parametrize(("rules", "says"), BROKEN, ids=[says for _, says in BROKEN])
def test_rules_that_do_not_are_refused_with_an_example(rules: list[tuple[str, str]], says: str) -> None:
    """The example is a combination of values, the exit code that of configuration."""
    with pytest.raises(ConfigError) as raised:
        lint(*rules)
    assert re.search(says, raised.value.what), raised.value.what


def test_first_match_lets_rules_overlap_and_takes_the_rest() -> None:
    """The first that holds decides; a rule hidden behind earlier ones is still refused."""
    assert lint(("a", "orders > 5"), ("b", "orders > 2"), first=True) == ()
    with pytest.raises(ConfigError, match="can never give b"):
        lint(("a", "orders > 2"), ("b", "orders > 5"), first=True)


def test_a_column_of_a_later_stage_names_the_stage() -> None:
    """`clv` is a question of order (65), not of spelling (78); so are behaviour columns of a core table."""
    with pytest.raises(DataError, match="`clm clv` adds it") as raised:
        lint(("a", "clv > 3"), first=True)
    assert "run `clm clv` first" in str(raised.value.fix)
    scheme = schemes.parse(book(("a", "spend_90d > 3"), first=True), "x")
    assert isinstance(scheme, Rules)
    with pytest.raises(DataError) as raised:
        scheme.lint({name: dtype for name, dtype in SCHEMA.items() if name != "spend_90d"})
    assert "--columns all" in str(raised.value.fix)


def test_what_cannot_be_checked_is_said() -> None:
    """Two patterns over one column, the order of texts, and too many combinations are admitted, not passed over."""
    said = lint(("a", 'city like "a*"'), ("b", 'city like "*b"'), first=True, city=pl.String())
    assert said == ("the patterns over city were looked at by examples only",)
    assert "order of the texts in city" in lint(("a", 'city < "m"'), first=True, city=pl.String())[0]
    columns = ["orders", "spend", "recency_days", "age_days", "returns", "order_days"]
    many = " or ".join(f"{name} in (2, 4, 6, 8, 10, 12)" for name in columns)
    assert "combinations, too many" in lint(("a", many), first=True)[0]


def test_columns_of_the_users_own_may_be_asked_and_may_be_empty() -> None:
    """Carried columns have the type of the file: yes and no, moments, floats, small whole numbers."""
    own = {"vip": pl.Boolean(), "seen_at": pl.Datetime("us"), "rating": pl.Float64(), "level": pl.UInt8()}
    day = "seen_at < 2024-01-01 or seen_at is empty"
    assert lint(("a", day), ("b", f"not ({day})"), **own) == ()
    assert lint(("a", "vip"), ("b", "not vip"), ("c", "vip is empty"), **own) == ()
    with pytest.raises(ConfigError, match="covers seen_at 2024-01-01"):
        lint(("a", "seen_at < 2024-01-01 or seen_at is empty"), ("b", "seen_at > 2024-01-01T00:00"), **own)
    with pytest.raises(ConfigError, match="covers seen_at 2024-01-02"):
        lint(("a", "seen_at < 2024-01-01 or seen_at is empty"), ("b", "seen_at = 2024-01-01"), **own)
    with pytest.raises(ConfigError, match="can never give b"):
        lint(("a", "level >= 0 or level is empty"), ("b", "level < 0"), **own)
    with pytest.raises(ConfigError, match=r"rating 0\.1"):
        lint(("a", "rating > 0.1 or rating is empty"), ("b", "rating < 0.1"), **own)


NUMBERS = st.integers(0, 6)
TESTS = st.one_of(
    st.tuples(st.sampled_from(["age_days", "active_days"]), st.sampled_from(["<", "<=", "=", "!="]), NUMBERS).map(
        lambda t: f"{t[0]} {t[1]} {t[2]}"
    ),
    st.sampled_from(
        ["age_days < active_days", "age_days = active_days", "last_gap_days > active_days", "last_gap_days is empty"]
    ),
)
RULES = st.recursive(
    TESTS,
    lambda inner: st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(lambda t: f"({t[0]} {t[1]} {t[2]})"),
    max_leaves=4,
)


@given(RULES)
def test_no_value_behaves_in_a_way_no_example_showed(rule: str) -> None:
    """A rule and its opposite leave a gap on some customer exactly when the lint says so, tried on all small customers."""
    rules = [("a", rule), ("b", f"not ({rule})")]
    everybody = pl.DataFrame(
        [(age, active, gap) for age, active, gap in product(range(9), range(9), [None, *range(1, 9)])],
        schema={"age_days": pl.Int32, "active_days": pl.Int32, "last_gap_days": pl.Int32},
        orient="row",
    )
    scheme = schemes.parse(book(*rules), "x")
    assert isinstance(scheme, Rules)
    answers = everybody.select(answer.alias(code) for (code, _), answer in zip(rules, scheme.answers(SCHEMA), strict=True))
    found = {tuple(row) for row in answers.iter_rows()}
    examples = coverage.examples([parse(when) for _, when in rules], SCHEMA, 5)
    assert examples.frame is not None
    shown = examples.frame.select(answer.alias(code) for (code, _), answer in zip(rules, scheme.answers(SCHEMA), strict=True))
    assert {tuple(row) for row in shown.iter_rows()} >= found


def test_examples_are_few_and_inside_the_contract() -> None:
    """One value for every stretch between literals: no more, and none a customer could not have."""
    found = coverage.examples([parse("orders > 3 and r_score >= 4 and spend > 0")], SCHEMA, 5).frame
    assert found is not None
    assert sorted(found["orders"].unique())[1:] == [3, 4]
    assert sorted(found["r_score"].unique())[1:] == [4, 5]
    assert found.height == 3**3
    assert found["orders"].dtype == pl.Int64
    assert coverage.shown(pl.DataFrame({"seen": [datetime(2024, 1, 1, 9)]}), ["seen"]) == "seen 2024-01-01 09:00:00"


def test_errors_of_rule_files_are_never_bugs() -> None:
    """Deep nesting, huge numbers and odd bytes end in an answer."""
    for text in ("a = " + "[" * 5000, "bins = 1e999999999\n", "\x00", '[[segment]]\ncode = "a"\nwhen = "' + "(" * 200 + '"'):
        with pytest.raises(ClmError):
            schemes.parse(text, "odd.toml")
