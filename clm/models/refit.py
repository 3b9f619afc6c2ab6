"""Whether saved parameters still describe a base: the same family fitted anew beside them.
Records and arrays in, a record out; it decides nothing about what is used.
"""

from dataclasses import asdict, dataclass
from math import log

from clm.models import btyd, valuation
from clm.models.btyd_params import BtydParams
from clm.models.buyers import Buyers
from clm.models.fitting import FitError
from clm.models.valuation import Slices

_CHANCE = 18.5  # 2 delta LL that four parameters fitted to noise exceed once in a thousand bases
_TOTAL, _PER_CUSTOMER = 0.1, 0.02


@dataclass(frozen=True)
class Refit:
    """Log-likelihood per customer of the saved parameters and of a new fit, and the orders each expects of all buyers."""

    customers: int
    applied: float
    refitted: float
    orders_applied: float
    orders_refitted: float

    @property
    def drifted(self) -> bool:
        """Worse than chance allows, and by enough to matter: a tenth of the total, or .02 per customer."""
        lost = self.refitted - self.applied
        if 2.0 * lost * self.customers <= _CHANCE:
            return False
        known = self.orders_applied > 0.0 and self.orders_refitted > 0.0
        return lost > _PER_CUSTOMER or (known and abs(log(self.orders_applied / self.orders_refitted)) > _TOTAL)

    def to_json(self) -> dict[str, object]:
        """A JSON-ready document."""
        return asdict(self) | {"drifted": self.drifted}


def refit(params: BtydParams, buyers: Buyers, parts: Slices) -> Refit | None:
    """The saved family beside a new fit of it; None for a base too small, or one without gaps, to be fitted."""
    if buyers.repeat_buyers < btyd.MIN_REPEAT_CUSTOMERS or (params.erlang > 1 and buyers.log_gap_sum is None):
        return None
    gaps = buyers.log_gap_sum if params.erlang > 1 else None
    try:
        anew = btyd.fit(params.family, *buyers.history, erlang=params.erlang, log_gap_sum=gaps)
    except FitError:
        return None
    size = buyers.repeat_days.size
    applied = btyd.log_likelihood(params, *buyers.history, log_gap_sum=gaps)
    totals = (float(valuation.by_model(one, buyers, parts).orders.sum()) for one in (params, anew))
    return Refit(size, applied / size, anew.log_likelihood / size, *totals)
