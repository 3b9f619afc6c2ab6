"""Lifecycle: where each customer stands, by days of silence against their own rhythm. Nobody is measured by a fixed 90 days.

It may not look at other customers; the base comes in only through `rhythm_days`, which leans on the base's median gap as long as
a customer has few gaps of their own. With s = `recency_days`, ρ = `rhythm_days`, n = `order_days`, and for n ≥ 2 the last gap
with ρ′, the rhythm as it was before it, the first line that holds is the state:

    no_purchase   no sale
    lost          s > 4ρ
    at_risk       s > 2ρ
    won_back      n ≥ 3 and last gap > 4ρ′: they would have been lost, and came back; until their next order
    new           n = 1
    onboarding    n = 2
    growing       n = 3 or 4
    loyal         n ≥ 5

So on the day of an order (s = 0) nobody is at risk, and the same silence is long for one customer and short for another. A second
order never counts as winning back: before it there is no gap of their own to measure the silence by.
"""

from __future__ import annotations

import polars as pl

from clm.tables import NO_PURCHASE

NEEDS = ("rhythm_days", "last_gap_days", "rhythm_before_days")
AT_RISK, LOST = 2, 4  # rhythms of silence
OWN_RHYTHM, GROWING, LOYAL = 3, 3, 5  # order days


def state() -> pl.Expr:
    """The state of each row; null where a customer bought but no rhythm is known (nobody of the base ordered on a second day)."""
    silence, rhythm, days = pl.col("recency_days"), pl.col("rhythm_days"), pl.col("order_days")
    came_back = (days >= OWN_RHYTHM) & (pl.col("last_gap_days") > LOST * pl.col("rhythm_before_days"))
    return (
        pl.when(~(pl.col("orders") > 0))
        .then(pl.lit(NO_PURCHASE))
        .when(rhythm.is_null())
        .then(pl.lit(None, pl.String))
        .when(silence > LOST * rhythm)
        .then(pl.lit("lost"))
        .when(silence > AT_RISK * rhythm)
        .then(pl.lit("at_risk"))
        .when(came_back)
        .then(pl.lit("won_back"))
        .when(days == 1)
        .then(pl.lit("new"))
        .when(days < GROWING)
        .then(pl.lit("onboarding"))
        .when(days < LOYAL)
        .then(pl.lit("growing"))
        .otherwise(pl.lit("loyal"))
    )
