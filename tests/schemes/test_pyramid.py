"""Tier files: what a pyramid may say, and what is refused before anybody is looked at."""

from __future__ import annotations

from decimal import Decimal

import polars as pl
import pytest

from clm.errors import ConfigError, DataError
from clm.schemes import pyramid
from clm.schemes.pyramid import Edge

SHARES = 'column = "spend"\n' + "".join(f'[[tier]]\ncode = "t{n}"\nshare = "{n}%"\n' for n in (1, 4, 15, 60, 20))


def two(upper: str, lower: str = "", head: str = "") -> str:
    return f'{head}\n[[tier]]\ncode = "top"\n{upper}\n[[tier]]\ncode = "rest"\n{lower}\n'


def test_shares_add_up_from_the_top() -> None:
    """1/4/15/60/20 %: being gold is being among the first 5 %; the last tier has no edge and takes the rest."""
    found = pyramid.parse(SHARES, "tiers.toml")
    assert [tier.every for tier in found.tiers] == [
        *((Edge("spend", "top", Decimal(share).scaleb(-2)),) for share in (1, 5, 20, 80)), (),
    ]  # fmt: skip
    assert (found.demote_below, found.demote_after_days, found.columns) == (Decimal("0.85"), 60, ("spend",))


def test_edges_of_all_and_any() -> None:
    """A tier may ask several things together, and one of several."""
    text = two(
        'at_least = 1000\nall = [{ column = "age_days", at_least = 180 }]\n'
        'any = [{ column = "clv", top = 0.1 }, { column = "margin", of_total = "0.5%" }]',
        head='column = "spend_365d"\ndemote_below = 0.8\ndemote_after_days = 30',
    )
    found = pyramid.parse(text, "x")
    assert found.tiers[0].every == (Edge("spend_365d", "at_least", Decimal(1000)), Edge("age_days", "at_least", Decimal(180)))
    assert found.tiers[0].some == (Edge("clv", "top", Decimal("0.1")), Edge("margin", "of_total", Decimal("0.005")))
    assert found.columns == ("spend_365d", "age_days", "clv", "spend", "cost")
    assert (found.demote_below, found.demote_after_days) == (Decimal("0.8"), 30)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("tier = 3", "no usable tiers"),
        ('[[tier]]\ncode = "a"', "no usable tiers"),
        ("x = 1", "unknown key x"),
        (two("at_least = 3"), "at_least for top and no column"),
        (two("", head='column = "spend"'), "has no edge for top"),
        (two("at_least = 3", "at_least = 1", head='column = "spend"'), "lets nobody else into rest"),
        (two('at_least = "3"', head='column = "spend"'), "no usable number for top"),
        (two("at_least = nan", head='column = "spend"'), "no usable number for top"),
        (two("at_least = 1e-999999", head='column = "spend"'), "no usable number for top"),
        (two("share = 1e-999999", head='column = "spend"'), "no usable number for the share of top"),
        (two("at_least = 1e30", head='column = "spend"'), "no usable number for top"),
        (two("share = 30", head='column = "spend"'), "no usable number for the share of top"),
        (two("share = 0.3", "share = 0.3", head='column = "spend"'), "shares that make 60%"),
        (two('any = [{ column = "spend" }]'), "unclear edge for top"),
        (two('any = [{ column = "spend", at_least = 3, at_most = 4 }]'), "unclear edge for top"),
        (two("any = 3"), "unclear edge for top"),
        (two("at_least = 3", head='column = "spend"\ndemote_below = 1.5'), "no usable number for demote_below"),
        (two("at_least = 3", head='column = "spend"\ndemote_after_days = -1'), "no usable demote_after_days"),
        (two("at_least = 3", head='column = "spend"').replace("rest", "top"), "names top twice"),
        (two("at_least = 3", head='column = "spend"').replace("rest", "A B"), "unusable code"),
        (SHARES.replace('"4%"', '"99%"'), "shares that make"),
    ],
)
def test_what_is_no_pyramid_is_refused(text: str, says: str) -> None:
    """Each fault is named; no file ends in a traceback."""
    with pytest.raises(ConfigError, match=says):
        pyramid.parse(text, "tiers.toml")


def test_a_tier_nobody_could_be_in_is_refused() -> None:
    """Edges must fall from the top: who reaches 20 has reached 10; a tier that asks something else may stand anywhere."""
    text = 'column = "spend"\n[[tier]]\ncode = "a"\nat_least = 10\n[[tier]]\ncode = "b"\nat_least = 20\n[[tier]]\ncode = "c"'
    with pytest.raises(ConfigError, match="can never give b: who reaches it reaches a"):
        pyramid.parse(text, "tiers.toml")
    other = text.replace("at_least = 20", 'all = [{ column = "orders", at_least = 20 }]')
    assert pyramid.parse(other, "tiers.toml").codes == ("a", "b", "c")


def test_columns_are_held_against_the_table() -> None:
    """Unknown: 78 with a suggestion; of a later stage: 65 with its name; text: no edge; of the same stage: not yet there."""
    schema = {"spend": pl.Decimal(38, 4), "orders": pl.Int64(), "rfm": pl.String()}

    def check(column: str) -> None:
        pyramid.parse(two(f'any = [{{ column = "{column}", at_least = 3 }}]'), "tiers.toml").check(schema)

    check("orders")
    for column, says in (("order", "did you mean orders"), ("rfm", "holds no numbers"), ("tier_since", "same stage")):
        with pytest.raises(ConfigError, match=says):
            check(column)
    for column, says in (("clv", "`clm clv` adds it"), ("churn_probability", "`clm churn` adds it"), ("margin", "asks cost")):
        with pytest.raises(DataError, match=says):
            check(column)
