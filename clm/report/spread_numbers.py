"""Numbers about how the expected value is spread over the buyers: bands, quantiles, the Lorenz curve and its Gini coefficient.

It may not read files or words; it adds rows to the sheet it is given, the same whatever the order of the customers. A few
customers hold most of the value, so bands are no equal steps: they go by 1, 2, 5, 10, as money is counted.
"""

from __future__ import annotations

import itertools
import math

import polars as pl

from clm.report.concentration import curve
from clm.report.group_numbers import LORENZ
from clm.report.numbers import Sheet

QUANTILES = (0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99)
_LEAST_BEYOND = 10  # customers on either side of a quantile: else it would tell of single ones
_MOST_BANDS = 10
_LOWEST = 0.05  # quantile of the values above 0 from which bands begin


def add(sheet: Sheet, values: pl.Series) -> None:
    """Add the spread of `values` (floats, nulls left out); nothing where none is known."""
    known = values.drop_nulls().sort()
    if known.is_empty():
        return
    _bands(sheet, known)
    for share in QUANTILES:
        if len(known) * min(share, 1 - share) >= _LEAST_BEYOND:
            found = known.quantile(share, interpolation="linear")
            sheet.add("clv", "value_quantile", found, group=f"p_{round(share * 100):02d}", n=len(known))
    found_curve = curve(known)
    if found_curve is not None:
        sheet.add("clv", "gini_clv", found_curve.gini(), n=found_curve.customers)
        for part in LORENZ:
            n = int(part * found_curve.customers + 1e-9)
            sheet.add("clv", "lorenz_clv", found_curve.lorenz(part), group=f"poorest_{round(part * 100):03d}", n=n)


def edges(positive: pl.Series) -> list[float]:
    """Where bands of these values (ascending, above 0) meet: 1, 2, 5, 10 …, or powers of ten where these would be too many.

    The first lies at or below the fifth percentile, the last above the largest; what is below the first is one band more.
    """
    low, high = float(positive[int(_LOWEST * len(positive))]), float(positive[-1])
    first, last = math.floor(math.log10(low)), math.floor(math.log10(high)) + 1
    for steps in ((1, 2, 5), (1,)):
        grid = [float(f"{step}e{power}") for power in range(first - 1, last + 1) for step in steps]
        begin = max(one for one in grid if one <= low)
        end = min(one for one in grid if one > high)
        found = [one for one in grid if begin <= one <= end]
        if len(found) <= _MOST_BANDS:
            return found
    return found[-_MOST_BANDS:]


def _bands(sheet: Sheet, known: pl.Series) -> None:
    """Customers and value by band, lowest first; who is worth nothing has a band of their own."""
    total = math.fsum(known.to_list())
    positive = known.filter(known > 0)
    nothing = known.filter(known <= 0)
    if len(nothing):
        _band(sheet, "..0", nothing, known, total)
    if positive.is_empty():
        return
    cuts = edges(positive)
    below = positive.filter(positive < cuts[0])
    if len(below):
        _band(sheet, f"0..{cuts[0]:g}", below, known, total)
    for low, high in itertools.pairwise(cuts):
        _band(sheet, f"{low:g}..{high:g}", positive.filter((positive >= low) & (positive < high)), known, total)


def _band(sheet: Sheet, group: str, members: pl.Series, known: pl.Series, total: float) -> None:
    n = len(members)
    sheet.add("clv", "value_customers", n, group=group, n=n)
    sheet.add("clv", "value_customer_share", n / len(known), group=group, n=n)
    if total > 0:
        sheet.add("clv", "value_share", math.fsum(members.to_list()) / total, group=group, n=n)
