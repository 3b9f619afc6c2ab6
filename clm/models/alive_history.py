"""P(alive) of three invented customers as their days go by, under fitted parameters: what the model makes of a silence.
Arrays in, a document out; nobody real is in it, and it fits nothing.

Time runs in steps of a quarter of the mean gap between two order days of the base, at most as long together as the log:

    often   an order every 2 steps for the first half, then none
    rare    an order every 8 steps to the end
    once    the first order alone

On the day of an order the history holds that order: t_x = T. A family in which nobody leaves before the first repeat order
(BG/NBD) says 1 of who ordered once, whatever the silence: that is the family, not the customer.
"""

from typing import Any

import numpy as np

from clm.models import btyd
from clm.models.btyd_params import BtydParams
from clm.models.buyers import Buyers

STEPS = 48
PATTERNS = {"often": range(0, STEPS // 2 + 1, 2), "rare": range(0, STEPS + 1, 8), "once": range(1)}


def told(params: BtydParams | None, buyers: Buyers, log_days: int) -> dict[str, Any] | None:
    """JSON-ready: the days of a step, and of each pattern its order days and P(alive) at the end of every step, 0 the first.

    `log_days`: from the first day of the log to the last. None where P(alive) is not defined or not told (`params` is None).
    """
    if params is None:
        return None
    step = _step(buyers, log_days)
    return {
        "family": params.family,
        "step_days": step,
        "patterns": [
            {"pattern": name, "orders": [step * at for at in orders], "p_alive": history(params, orders, step)}
            for name, orders in PATTERNS.items()
        ],
    }


def history(params: BtydParams, orders: range, step_days: int) -> list[float]:
    """P(alive) at the end of each of the STEPS and before them; `orders` are the steps on which the customer ordered."""
    now = np.arange(STEPS + 1)
    repeats = np.searchsorted(np.array(orders), now, side="right") - 1
    last = np.array(orders)[repeats]
    return [float(p) for p in btyd.p_alive(params, repeats, last * step_days, now * step_days)]


def _step(buyers: Buyers, log_days: int) -> int:
    """Whole days of a step, 1 at least."""
    repeats = float(buyers.repeat_days.sum())
    quarter = round(float(buyers.active_days.sum()) / repeats / 4.0) if repeats else 1
    return max(1, min(quarter, log_days // STEPS))
