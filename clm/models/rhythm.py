"""What the gaps between order days say before any model is fitted: how fine they can be told, and whether a calendar makes them.
A histogram in, a record out; it fits nothing and chooses nothing.

Times cut to days make Poisson buyers look regular where the gaps are few days long (k = 2 was chosen wrongly at mean gaps of
3 to 6 days, simulated), and so does a log that knows only the week or the month of an order.
"""

from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

BoolArray = NDArray[np.bool_]

_LEAST_UNITS = 14  # median gap, in units of the resolution, from which regularity can be told
_LEAST_GAPS = 100  # below it nothing is said of the calendar
_NEARLY_ALL, _MOST = 0.95, 0.5
_DAYS_PER_MONTH, _DAYS_PER_YEAR = 30.4375, 365.25


@dataclass(frozen=True)
class Rhythm:
    """The gaps between order days of one log.

    gaps: their number; median_days: smallest length that half of them do not exceed (None without gaps); resolution_days:
    1, or 7, 30, 365 where nearly all gaps are whole weeks, months or years; by_calendar: share of gaps of exactly a month
    (28 to 31 days) or a year (365, 366).
    """

    gaps: int
    median_days: int | None
    resolution_days: int
    by_calendar: float

    @property
    def regularity_can_be_told(self) -> bool:
        """Whether gaps are long enough beside what the log can tell apart to ask how regular they are (Erlang order > 1)."""
        return self.median_days is not None and self.median_days >= _LEAST_UNITS * self.resolution_days

    @property
    def like_a_contract(self) -> bool:
        """Whether the calendar, not the customer, seems to say when the next order comes."""
        return self.gaps >= _LEAST_GAPS and self.by_calendar > _MOST

    def to_json(self) -> dict[str, object]:
        """A JSON-ready document."""
        return asdict(self)


def rhythm(gap_days: ArrayLike, gaps: ArrayLike) -> Rhythm:
    """The rhythm of a log from its histogram: lengths of gaps in days, and how often each occurs."""
    days, count = np.asarray(gap_days, dtype=np.int64), np.asarray(gaps, dtype=np.int64)
    total = int(count.sum())
    if total == 0:
        return Rhythm(0, None, 1, 0.0)
    order = np.argsort(days)
    days, count = days[order], count[order]
    median = int(days[np.searchsorted(np.cumsum(count), total / 2.0)])
    whole = {365: _near(days, _DAYS_PER_YEAR, 1.0), 30: _near(days, _DAYS_PER_MONTH, 3.0), 7: days % 7 == 0}
    resolution = 1
    if total >= _LEAST_GAPS:
        resolution = next((unit for unit, fits in whole.items() if count[fits].sum() >= _NEARLY_ALL * total), 1)
    monthly = (days >= 28) & (days <= 31)
    yearly = (days == 365) | (days == 366)
    return Rhythm(total, median, resolution, float(count[monthly | yearly].sum() / total))


def _near(days: NDArray[np.int64], unit: float, slack: float) -> BoolArray:
    """Which lengths are whole multiples of a calendar unit, give or take the days by which months and years differ."""
    times = np.maximum(np.round(days / unit), 1.0)
    return np.asarray(np.abs(days - times * unit) <= slack)
