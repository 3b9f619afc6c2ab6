"""Simulated customers of any number for the benchmarks of the models; as a program, what a base of that size costs.

    python -m tests.bench.buyers CUSTOMERS      seconds of the processor and the largest resident set, as JSON

It may not judge.
"""

from __future__ import annotations

import json
import resource
import sys
import time

import numpy as np

from clm.models import btyd, spend
from tests.models.lives import in_whole_days, lives

# The published CDNOW fits, so that simulated bases look like a shop.
VALUES = {
    "bgnbd": (0.2426, 4.4136, 0.7929, 2.4259),
    "mbgnbd": (0.5248, 6.1831, 0.8914, 1.6140),
    "paretonbd": (0.5533, 10.578, 0.6062, 11.669),
}
SPEND = (6.25, 3.744, 15.444)


def base(family: str, customers: int, seed: int = 1) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Whole-day histories of customers who came over two years."""
    rng = np.random.default_rng(seed)
    return in_whole_days(lives(family, VALUES[family], rng.uniform(4.0, 104.0, customers), rng))


def mean_values(orders: np.ndarray, seed: int = 1) -> np.ndarray:
    """The mean order value of each customer, to the cent of their total; NaN without orders."""
    rng = np.random.default_rng(seed)
    p, q, gamma = SPEND
    total = rng.standard_gamma(p * orders) / (rng.standard_gamma(q, orders.size) / gamma)
    return np.where(orders > 0.0, np.maximum(np.round(total, 2), 0.01) / np.maximum(orders, 1.0), np.nan)


def main(customers: int) -> None:
    """Fit BG/NBD and Gamma-Gamma and forecast every customer, once."""
    history = base("bgnbd", customers)
    means = mean_values(history[0])
    began = time.process_time()
    fitted, value = btyd.fit("bgnbd", *history), spend.fit(history[0], means)
    learned = time.process_time()
    orders = btyd.expected_orders(fitted, *history, [91, 182, 273, 365])
    btyd.p_alive(fitted, *history)
    btyd.p_return(fitted, *history, 365)
    spend.expected_mean_spend(value, history[0], means)
    told = {
        "fits": learned - began,
        "forecasts": time.process_time() - learned,
        "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024),
        "orders_a_customer": float(orders[:, -1].mean()),
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main(int(sys.argv[1]))
