"""Laws of `clv` on logs nobody would think of."""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clm.settings import ClvSettings
from clm.stages import snapshot
from clm.stages.clv import clv
from clm.values import Horizon
from tests.logs import transactions
from tests.stages.test_clv import AS_OF, START, check_contract

LINES = st.lists(
    st.tuples(
        st.integers(0, 4),
        st.integers(0, 520),
        st.one_of(st.none(), st.decimals(-500, 500, places=2, allow_nan=False, allow_infinity=False)),
    ),
    max_size=30,
)


def log(lines: list[tuple[int, int, object]], copies: int) -> pl.DataFrame:
    """The lines, for `copies` customers each, a day apart: enough of them for a model where there are many."""
    return transactions(
        *(
            (
                f"c{who}-{copy:03}",
                f"o{number}-{copy}",
                str(START + timedelta(days=min(day + copy % 7, 520))),
                None if paid is None else f"{paid}",
            )
            for number, (who, day, paid) in enumerate(lines)
            for copy in range(copies)
        )
    )


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    lines=LINES,
    copies=st.sampled_from([1, 60]),
    horizon=st.sampled_from([Horizon(1, "d"), Horizon(12, "m"), Horizon(9, "w")]),
    as_of=st.sampled_from([AS_OF, START + timedelta(days=40), date(2024, 2, 29)]),
    tested=st.booleans(),
)
def test_any_log_is_answered_within_the_contract(
    lines: list[tuple[int, int, object]], copies: int, horizon: Horizon, as_of: date, tested: bool
) -> None:
    """Whatever was bought, returned or left blank: rows kept, numbers finite and 0 or more, every buyer on a rung."""
    orders = log(lines, copies)
    customers = snapshot.take(orders.lazy(), as_of)
    check_contract(clv(customers, orders.lazy() if tested else None, ClvSettings(horizon=horizon), 0), customers)
