"""Who is fitted and forecast: the customers with a sale as arrays, and which of them would bend a fit.
Holds numbers; it fits nothing and knows no table.
"""

from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from clm.models.btyd import MIN_REPEAT_CUSTOMERS

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

_ENORMOUS_SHARE, _MOST_ENORMOUS = 0.1, 20


@dataclass(frozen=True)
class Buyers:
    """Customers with a sale as known on one day, one entry each, in a fixed order.

    repeat_days, active_days, age_days: x, t_x, T in days. spend, repeat_spend: net money of all order days and of those
    after the first; NaN where a customer's is not known, None for a log without amounts. log_gap_sum: sum of ln(gap in
    days) of each, None where it is not known of all; only families of regular gaps need it.
    """

    repeat_days: FloatArray
    active_days: FloatArray
    age_days: FloatArray
    spend: FloatArray | None = None
    repeat_spend: FloatArray | None = None
    log_gap_sum: FloatArray | None = None

    def taken(self, rows: BoolArray) -> "Buyers":
        """Some of the buyers, in their order."""
        columns = {one.name: getattr(self, one.name) for one in fields(self)}
        return replace(self, **{name: values[rows] for name, values in columns.items() if values is not None})

    @property
    def enormous(self) -> BoolArray:
        """Who alone makes more than a tenth of all repeat order days, counted without those who make still more.

        Nobody in a base too small for a model, where a tenth is little.
        """
        found = np.zeros(self.repeat_days.size, dtype=np.bool_)
        if self.repeat_buyers < MIN_REPEAT_CUSTOMERS:
            return found
        most = np.argsort(-self.repeat_days, kind="stable")[:_MOST_ENORMOUS]
        left = float(self.repeat_days.sum())
        for one in most:
            if self.repeat_days[one] <= _ENORMOUS_SHARE * left:
                break
            found[one] = True
            left -= float(self.repeat_days[one])
        return found

    @property
    def history(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """(x, t_x, T), as the functions of btyd take them."""
        return self.repeat_days, self.active_days, self.age_days

    @property
    def recency_days(self) -> FloatArray:
        """Days since the last order day."""
        return self.age_days - self.active_days

    @property
    def repeat_buyers(self) -> int:
        return int(np.count_nonzero(self.repeat_days))
