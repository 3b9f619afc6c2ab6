"""What customers were worth on an earlier day, told as `clm clv` would have told it then: for the profit of a list on the past.

It may not compute: it takes the clv stage to the log as it was, under the settings INPUT's values were made with.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from clm.errors import DataError
from clm.settings import ClvSettings, options

if TYPE_CHECKING:
    import polars as pl

    from clm.stages.churn.contact import Then, Valued
    from clm.storage.files import Opened


def valued(customers: Opened, orders: pl.LazyFrame | None) -> Valued:
    """Where the values of INPUT come from, and how to make them again for another day of the log.

    Raises DataError when the file does not tell how its values were made.
    """
    from clm.stages.churn.contact import Valued

    records = [one for one in customers.lineage if one.get("stage") == "clv"]
    days = records[-1].get("metrics", {}).get("horizon", {}).get("days") if records else None
    if not isinstance(days, int) or days < 1:
        raise DataError(
            f"{customers.name} does not say how far its clv looks ahead",
            where=customers.name,
            fix="make the values with clm clv, and hand on its Parquet file",
            code="no_clv",
        )
    settings, seed = _settings(records[-1].get("settings", {}))
    return Valued(days, lambda on: None if orders is None else _then(orders, settings, seed, on))


def _settings(recorded: dict[str, Any]) -> tuple[ClvSettings, int]:
    """The settings a footer holds as JSON, parsed as the command line would."""
    kept = {field.name: option for field, option in options(ClvSettings) if option.recorded}
    parsed = {name: option.parse(recorded[name]) for name, option in kept.items() if recorded.get(name) is not None}
    return ClvSettings(**parsed), int(recorded.get("seed", 0))


def _then(orders: pl.LazyFrame, settings: ClvSettings, seed: int, on: date) -> Then | None:
    """Buyers of a day by customer with their values; None where the log up to that day allows none."""
    import polars as pl

    from clm.stages import clv, snapshot
    from clm.stages.churn.contact import Then

    log = orders.filter(pl.col("ordered_at").dt.date() <= on)
    gap_days = snapshot.gap_quantile(snapshot.gap_counts(log, on), 0.5)
    try:
        found = clv.clv(snapshot.take(log, on), log, settings, seed).frame.lazy().collect()
    except DataError:  # such as too few repeat buyers for a family asked for by name
        return None
    return None if gap_days is None else Then(found.filter(pl.col("orders") > 0), settings.horizon.days(on), gap_days)
