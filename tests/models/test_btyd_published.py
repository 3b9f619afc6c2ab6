"""The families against the figures printed in the literature (names of papers and tables in the test names)."""

from __future__ import annotations

import csv
from collections import defaultdict
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from literature import Customers, customers, published

from clm.models import btyd, spend

WEEK = 7.0

# family, erlang, parameters, standard errors (where printed), log-likelihood
SAMPLE = [
    ("nbd", (0.3848, 12.072), None, -9763.658),
    ("bgnbd", (0.24259, 4.4136, 0.79292, 2.4259), (0.0126, 0.378, 0.186, 0.705), -9582.4292),
    ("mbgnbd", (0.5248, 6.1831, 0.8914, 1.6140), None, -9582.1357),
    ("paretonbd", (0.5533, 10.578, 0.6062, 11.669), (0.0476, 0.8427, 0.1873, 6.211), -9594.9762),
]
FULL = [
    ("bgnbd", (0.2516, 4.7889, 0.7234, 2.1611), -95368.444),
    ("mbgnbd", (0.6371, 7.3103, 0.8075, 1.2284), -95336.958),
    ("paretonbd", (0.5974, 11.5856, 0.5222, 8.8278), -95415.119),
]
BG = published("bgnbd", 0.243, 4.414, 0.793, 2.426)
BG_EXACT = published("bgnbd", 0.2425945, 4.4136019, 0.7929199, 2.4258881)
PARETO = published("paretonbd", 0.5533, 10.5776, 0.6062, 11.6692)


@pytest.mark.parametrize(("family", "parameters", "errors", "log_likelihood"), SAMPLE)
def test_cdnow_sample_gives_the_published_fit(
    cdnow: Customers, family: str, parameters: tuple[float, ...], errors: tuple[float, ...] | None, log_likelihood: float
) -> None:
    """Fader, Hardie & Lee 2005 table 2 and its successors: parameters, standard errors, log-likelihood, in weeks."""
    fitted = btyd.fit(family, *cdnow.history)
    assert fitted.log_likelihood == pytest.approx(log_likelihood, abs=0.002)
    assert list(fitted.parameters.values()) == pytest.approx(parameters, rel=0.002)
    if errors is not None:
        assert list(fitted.standard_errors.values()) == pytest.approx(errors, rel=0.01)
    assert fitted.converged
    assert fitted.identified
    assert (fitted.customers, fitted.repeat_customers, fitted.notes) == (2357, 946, ())


@pytest.mark.parametrize(("family", "parameters", "log_likelihood"), FULL)
def test_cdnow_full_gives_the_known_fit(
    cdnow_full: Customers, family: str, parameters: tuple[float, ...], log_likelihood: float
) -> None:
    """All 23,570 customers: the same estimator on ten times the data."""
    fitted = btyd.fit(family, *cdnow_full.history)
    assert cdnow_full.x.size == 23570
    assert fitted.log_likelihood == pytest.approx(log_likelihood, abs=0.002)
    assert list(fitted.parameters.values()) == pytest.approx(parameters, rel=0.002)


@pytest.mark.parametrize(
    ("family", "total", "rmse", "correlation"),
    [("bgnbd", 1653.4, 1.608, 0.6256), ("mbgnbd", 1576.7, 1.607, 0.6273), ("paretonbd", 1665.5, 1.603, 0.6302)],
)
def test_cdnow_sample_39_week_holdout(cdnow: Customers, family: str, total: float, rmse: float, correlation: float) -> None:
    """Forecasts of the 39 weeks after calibration, against 1,882 actual purchases."""
    orders = btyd.expected_orders(btyd.fit(family, *cdnow.history), *cdnow.history, 39 * WEEK)
    assert cdnow.later.sum() == 1882
    assert orders.sum() == pytest.approx(total, abs=0.5)
    assert np.sqrt(np.mean((orders - cdnow.later) ** 2)) == pytest.approx(rmse, abs=0.001)
    assert np.corrcoef(orders, cdnow.later)[0, 1] == pytest.approx(correlation, abs=0.0002)


@pytest.mark.parametrize(
    ("family", "means"),
    [
        ("bgnbd", (0.225, 0.523, 1.044, 1.520, 2.164, 2.654, 3.504, 6.157)),
        ("paretonbd", (0.138, 0.600, 1.196, 1.714, 2.399, 2.907, 3.819, 6.403)),
    ],
)
def test_holdout_by_calibration_frequency(cdnow: Customers, family: str, means: tuple[float, ...]) -> None:
    """BTYD walkthrough: conditional expectations by number of repeat purchases, 0, 1, ..., 6, 7 and more."""
    orders = btyd.expected_orders(btyd.fit(family, *cdnow.history), *cdnow.history, 39 * WEEK)
    bins = np.minimum(cdnow.x, 7).astype(int)
    assert np.bincount(bins).tolist() == [1411, 439, 214, 100, 62, 38, 29, 64]
    actual = np.bincount(bins, weights=cdnow.later) / np.bincount(bins)
    assert actual.tolist() == pytest.approx((0.237, 0.697, 1.393, 1.560, 2.532, 2.947, 3.862, 6.359), abs=0.0006)
    found = np.bincount(bins, weights=orders) / np.bincount(bins)
    assert found.tolist() == pytest.approx(means, abs=0.0015)


def test_clvtools_digits(cdnow: Customers) -> None:
    """CLVTools' own tests: BG/NBD .2425945 4.4136019 .7929199 2.4258881, Pareto/NBD .55315 10.57633 .60625 11.67150."""
    fitted = btyd.fit("bgnbd", *cdnow.history)
    assert list(fitted.parameters.values()) == pytest.approx((0.2425945, 4.4136019, 0.7929199, 2.4258881), rel=5e-5)
    fitted = btyd.fit("paretonbd", *cdnow.history)
    assert list(fitted.parameters.values()) == pytest.approx((0.55315, 10.57633, 0.60625, 11.67150), rel=5e-4)


def test_lifetimes_quick_start_lifetime_values(shared_data: Path) -> None:
    """Quick start of lifetimes: value of customers 1, 2, 3 and 6 at 1 % a month, 140.096 18.943 38.181 1003.868.

    Its "months" are 30 time units, which in that file are weeks.
    """
    with (shared_data / "cdnow" / "cdnow_customers_summary_with_transactions.csv").open(encoding="utf-8", newline="") as file:
        rows = [tuple(float(row[name]) for name in ("x", "t_x", "T", "zbar")) for row in csv.DictReader(file)]
    x, active, age, mean = np.array(rows).T
    history = (x, active * WEEK, age * WEEK)
    fitted, value = btyd.fit("bgnbd", *history), spend.fit(x, mean)
    cumulative = btyd.expected_orders(fitted, *history, [30.0 * month * WEEK for month in range(13)])
    discounts = 1.01 ** -np.arange(1.0, 13.0)
    worth = (np.diff(cumulative, axis=1) @ discounts) * spend.expected_mean_spend(value, x, mean)
    assert worth[[0, 1, 2, 5]].tolist() == pytest.approx([140.096, 18.943, 38.181, 1003.868], rel=1e-3)


def test_bgnbd_hardie_spreadsheet_customer() -> None:
    """Hardie's spreadsheet: x = 2, t_x = 30.43, T = 38.86 makes 1.226 purchases in the next 39 weeks, P(alive) .7266."""
    history = ([2], [30.43 * WEEK], [38.86 * WEEK])
    assert btyd.expected_orders(BG, *history, 39 * WEEK)[0] == pytest.approx(1.226, abs=0.0005)
    assert btyd.p_alive(BG, *history)[0] == pytest.approx(0.7266, abs=0.00005)


def test_bgnbd_expected_purchases_of_a_new_customer() -> None:
    """E[X(t)] of the spreadsheet for six times, and 1.444 in 52 weeks (BTYD walkthrough)."""
    weeks = [0.1429, 1.0, 3.0, 31.8571, 32.0, 78.0]
    orders = btyd.expected_orders(BG_EXACT, [0], [0], [0], [week * WEEK for week in weeks])[0]
    assert orders[:5].tolist() == pytest.approx([0.0078, 0.0532, 0.1506, 1.0405, 1.0437], abs=0.00006)
    assert orders[5] == pytest.approx(1.8576, abs=0.0005)  # the sheet cuts its series short; exact: 1.85796
    assert btyd.expected_orders(BG_EXACT, [0], [0], [0], 52 * WEEK)[0] == pytest.approx(1.444, abs=0.0005)


def test_bgnbd_distribution_of_a_new_customer() -> None:
    """P(X(39) = 0) = .5737864 and P(X(2) = 10) = 1.07869e-07: tails of at_least times the chance to stay that long."""
    from scipy.special import betaln

    from clm.models.btyd_phases import at_least

    assert 1.0 - btyd.p_return(BG, [0], [0], [0], 39 * WEEK)[0] == pytest.approx(0.5737864, abs=5e-7)

    def reaches(orders: int) -> float:
        r, alpha, a, b = BG.values()
        stays = np.exp(betaln(a, b + orders - 1) - betaln(a, b))
        return float(at_least(np.array([r]), np.array([2.0 / (alpha + 2.0)]), orders, 1, 0)[0] * stays)

    assert reaches(10) - reaches(11) == pytest.approx(1.07869e-07, rel=1e-5)


def test_bgnbd_customer_1516() -> None:
    """x = 26, t_x = 30.86, T = 31: 25.757 purchases in 52 weeks, .710623 in the next week, P(alive) .96885."""
    history = ([26], [216], [217])
    orders = btyd.expected_orders(BG_EXACT, *history, [52 * WEEK, WEEK])[0]
    assert orders[0] == pytest.approx(25.757, abs=0.002)
    assert orders[1] == pytest.approx(0.710623, abs=0.00005)
    assert btyd.p_alive(BG_EXACT, *history)[0] == pytest.approx(0.96885, abs=0.00005)


def test_pareto_nbd_btyd_walkthrough(cdnow: Customers) -> None:
    """New customer 1.473434 in 52 weeks; customer 1516: 25.456 purchases in 52 weeks and P(alive) .997874."""
    fitted = btyd.fit("paretonbd", *cdnow.history)
    assert btyd.expected_orders(fitted, [0], [0], [0], 52 * WEEK)[0] == pytest.approx(1.473434, abs=5e-6)
    assert btyd.expected_orders(fitted, [26], [216], [217], 52 * WEEK)[0] == pytest.approx(25.456, abs=0.002)
    assert btyd.p_alive(fitted, [26], [216], [217])[0] == pytest.approx(0.997874, abs=2e-6)


def test_pareto_nbd_expected_purchases_of_a_new_customer() -> None:
    """E[X(t)] of the R package BTYD for t = 1..9 at its manual's r .55, alpha 10.56, s .61, beta 11.64."""
    rounded = published("paretonbd", 0.55, 10.56, 0.61, 11.64)
    orders = btyd.expected_orders(rounded, [0], [0], [0], [week * WEEK for week in range(1, 10)])[0]
    printed = [0.05078, 0.09916, 0.14543, 0.18980, 0.23247, 0.27361, 0.31335, 0.35181, 0.38909]
    assert orders.tolist() == pytest.approx(printed, abs=0.000006)


def test_pareto_nbd_increasing_frequency_paradox() -> None:
    """BTYD walkthrough: with t_x = 20, T = 39 more purchases mean a lower forecast: .7062 .1442 .0225 .0031."""
    history = ([10, 15, 20, 25], [140] * 4, [273] * 4)
    orders = btyd.expected_orders(PARETO, *history, 52 * WEEK)
    assert orders.tolist() == pytest.approx([0.7062, 0.1442, 0.0225, 0.0031], abs=0.0003)


def test_pareto_nbd_alive_at_the_last_day() -> None:
    """x = 132, t_x = T = 200 is alive for certain; the literature's Appell form gives NaN there."""
    assert btyd.p_alive(PARETO, [132], [200 * WEEK], [200 * WEEK])[0] == 1.0


def test_example_transactions_of_lifetimes(shared_data: Path) -> None:
    """BG/NBD on the example log, as lifetimes prints it in days: r .16, alpha 1.86, a 1.85, b 3.18."""
    days: dict[str, dict[date, float]] = defaultdict(dict)
    with (shared_data / "example-transactions" / "example_transactions.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            days[row["id"]][date.fromisoformat(row["date"][:10])] = 0.0
    fitted = btyd.fit("bgnbd", *customers(days, date(2014, 12, 31)).history).parameters
    assert fitted["alpha"] * WEEK == pytest.approx(1.86, abs=0.005)
    assert [fitted["r"], fitted["a"], fitted["b"]] == pytest.approx([0.16, 1.85, 3.18], abs=0.005)


@pytest.mark.parametrize("family", ["bgnbd", "mbgnbd", "paretonbd"])
def test_online_retail_attrition_is_not_identified(online_retail: Customers, family: str) -> None:
    """On 27 weeks of UCI Online Retail every k = 1 family collapses to the NBD and says so."""
    fitted = btyd.fit(family, *online_retail.history)
    assert fitted.log_likelihood == pytest.approx(-13258.35, abs=0.002)
    assert (fitted.parameters["r"], fitted.parameters["alpha"]) == pytest.approx((0.7418, 8.7368), rel=0.002)
    assert not fitted.identified
    assert "attrition_not_identified" in fitted.notes
    assert np.isfinite(btyd.expected_orders(fitted, *online_retail.history, 365)).all()


def test_online_retail_regular_gaps_identify_attrition(online_retail: Customers) -> None:
    """BG/CNBD-2 does identify drop-out there: 2 delta LL of 68 against its twin without."""
    fitted = btyd.fit("bgcnbd", *online_retail.history, erlang=2, log_gap_sum=online_retail.log_gaps)
    assert online_retail.x.size == 2800
    assert online_retail.x.sum() == 4359
    assert fitted.log_likelihood == pytest.approx(-12941.48, abs=0.005)
    assert list(fitted.parameters.values()) == pytest.approx((0.7715, 3.7655, 0.0576, 0.8406), rel=0.002)
    assert fitted.likelihood_ratio == pytest.approx(68.2, abs=0.1)
    assert fitted.identified
