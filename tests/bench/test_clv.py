"""The models against lifetimes on a million simulated customers, and ten million of them; run by `make bench`.

Everything runs in one process on one thread, in turn; seconds are those of the processor, so that other work on the machine
does not count. CUSTOMERS comes from the environment (1000000); lifetimes needs a quarter of an hour for its Pareto/NBD.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np
import pytest

from clm.models import btyd, spend, via_lifetimes
from clm.models.fitting import one_thread
from tests.bench.buyers import base, mean_values
from tests.bench.measure import keep

pytestmark = [pytest.mark.skipif("ROWS" not in os.environ, reason="a benchmark: make bench"), pytest.mark.timeout(7200)]

CUSTOMERS = int(os.environ.get("CUSTOMERS", "1000000"))
LARGEST_DIFFERENCE = 0.01  # of the log-likelihoods
LARGEST_MEMORY = 8 * 2**30


def timed(
    rounds: int,
    ours: Callable[[], float],
    theirs: Callable[[], float],
    capsys: pytest.CaptureFixture[str],
    name: str,
    least: float,
) -> float:
    """Median seconds of both, in alternating rounds after one that loads the libraries; the log-likelihoods must agree."""
    seconds: dict[str, list[float]] = {"clm": [], "lifetimes": []}
    with one_thread():
        for _ in range(rounds):
            found = {}
            for who, run in (("clm", ours), ("lifetimes", theirs)):
                began = time.process_time()
                found[who] = run()
                seconds[who].append(time.process_time() - began)
    own, other = (statistics.median(values) for values in seconds.values())
    difference = found["clm"] - found["lifetimes"]
    with capsys.disabled():
        print(
            f"\n{name}, {CUSTOMERS:,} customers: clm {own:.2f} s, lifetimes {other:.1f} s: {other / own:.1f} times as fast; "
            f"log-likelihood {found['clm']:.4f}, {difference:+.4f} against lifetimes"
        )
    sides = {who: {"processor_seconds": taken, "rounds": rounds} for who, taken in (("clm", own), ("lifetimes", other))}
    keep(f"clv, fit of {name}", f"{CUSTOMERS:,} customers", sides, own / other, f"≤ {1 / least:.3g} of processor time")
    # A higher likelihood than theirs is no fault of ours.
    assert difference > -LARGEST_DIFFERENCE
    return other / own


@pytest.fixture(scope="module", autouse=True)
def libraries() -> None:
    """Both programs loaded and run once on a few customers: imports are not part of the time."""
    few = base("bgnbd", 2000)
    btyd.fit("bgnbd", *few)
    via_lifetimes.fit("bgnbd", *few)


@pytest.mark.parametrize(("family", "rounds", "least"), [("bgnbd", 3, 10.0), ("mbgnbd", 3, 10.0), ("paretonbd", 1, 15.0)])
def test_families_against_lifetimes(family: str, rounds: int, least: float, capsys: pytest.CaptureFixture[str]) -> None:
    """BG and MBG at least 10 times, Pareto/NBD at least 15 times as fast, at the same likelihood."""
    history = base(family, CUSTOMERS)

    def theirs() -> float:
        # As its documentation has it: one row a customer. Its likelihood is that of time over its largest value.
        x, active, age = history[0], history[1] / 7.0, history[2] / 7.0
        options = {"initial_params": np.ones(4), "iterative_fitting": 1} if family == "paretonbd" else {}
        with via_lifetimes._airlock() as lifetimes:
            fitter = via_lifetimes._fitter(lifetimes, family)
            fitter.fit(x, active, age, **options)
        return -float(fitter._negative_log_likelihood_) * (1.0 if family == "paretonbd" else x.size) - float(
            x.sum() * np.log(age.max())
        )

    ratio = timed(rounds, lambda: btyd.fit(family, *history).log_likelihood, theirs, capsys, btyd.FAMILY_TITLES[family], least)
    assert ratio >= least


def test_gamma_gamma_against_lifetimes(capsys: pytest.CaptureFixture[str]) -> None:
    """Gamma-Gamma at least 10 times as fast, at the same likelihood."""
    rng = np.random.default_rng(1)
    orders = np.minimum(rng.geometric(0.35, CUSTOMERS), 400).astype(float)
    means = mean_values(orders)
    ratio = timed(
        3,
        lambda: spend.fit(orders, means).log_likelihood,
        lambda: via_lifetimes.fit_spend(orders, means).log_likelihood,
        capsys,
        "Gamma-Gamma",
        10.0,
    )
    assert ratio >= 10.0


def test_ten_times_the_customers_cost_no_more_each(capsys: pytest.CaptureFixture[str]) -> None:
    """Fits and forecasts of ten times the customers take at most ten times as long, and less than 8 GB."""

    def cost(customers: int) -> dict[str, float]:
        done = subprocess.run(
            [sys.executable, "-m", "tests.bench.buyers", str(customers)], capture_output=True, text=True, check=True
        )
        return dict(json.loads(done.stdout))

    few, many = cost(CUSTOMERS), cost(10 * CUSTOMERS)
    with capsys.disabled():
        for found, size in ((few, CUSTOMERS), (many, 10 * CUSTOMERS)):
            print(
                f"\n{size:,} customers: fits {found['fits']:.1f} s, forecasts {found['forecasts']:.1f} s "
                f"({(found['fits'] + found['forecasts']) / size * 1e6:.2f} s a million), {found['memory'] / 2**30:.1f} GB",
                end="",
            )
    for found, size in ((few, CUSTOMERS), (many, 10 * CUSTOMERS)):
        side = {"processor_seconds": found["fits"] + found["forecasts"], "memory_mb": found["memory"] / 2**20}
        keep("clv, fits and forecasts", f"{size:,} customers", {"clm": side}, must=f"≤ {LARGEST_MEMORY // 2**20:,} MB")
    assert many["fits"] + many["forecasts"] <= 10.0 * (few["fits"] + few["forecasts"])
    assert many["memory"] < LARGEST_MEMORY
