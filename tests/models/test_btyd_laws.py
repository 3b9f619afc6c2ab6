"""Numerical laws of the BTYD families: gradients, units, starts, exact expectations, and no NaN anywhere."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from literature import Customers, published
from scipy.special import gammaln

from clm.models import btyd, btyd_bg, btyd_nbd, btyd_pareto
from clm.models.btyd_tuples import Histories, histories
from clm.models.fitting import Objective, maximise

KINDS = [("nbd", 1), ("nbd", 3), ("bgnbd", 1), ("mbgnbd", 1), ("bgcnbd", 2), ("mbgcnbd", 3), ("paretonbd", 1)]
HARD = [(0, 0, 0), (0, 0, 1), (0, 0, 3650), (1, 1, 1), (1, 1, 3650), (1, 3650, 3650), (132, 200, 200), (1000, 1000, 1000),
        (1000, 1000, 3650), (1000, 3650, 3650), (3000, 3000, 3000), (3000, 3650, 3650), (3000, 3000, 3650)]  # fmt: skip


def made_up(seed: int = 0, customers: int = 300) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    age = rng.integers(1, 400, customers)
    x = np.where(rng.random(customers) < 0.4, 0, np.minimum(rng.geometric(0.3, customers), age))
    active = np.where(x > 0, np.maximum(x, np.ceil(age * rng.random(customers))), 0)
    return x.astype(float), np.minimum(active, age).astype(float), age.astype(float)


def objective_of(family: str, erlang: int, known: Histories) -> Objective:
    if family == "nbd":
        return btyd_nbd.objective(known, erlang)
    if family == "paretonbd":
        return btyd_pareto.objective(known)
    return btyd_bg.objective(known, erlang, family in btyd_bg.MODIFIED)


def dimension(family: str) -> int:
    return len(btyd.FAMILIES[family])


@pytest.mark.parametrize(("family", "erlang"), KINDS)
def test_gradient_is_the_central_difference(family: str, erlang: int) -> None:
    """The analytic gradient equals central differences to 1e-6 at 20 random points."""
    known = histories(*made_up())
    function = objective_of(family, erlang, known.scaled(400.0))
    rng = np.random.default_rng(1)
    for _ in range(20):
        point = rng.uniform(-2.0, 2.0, dimension(family))
        _, gradient = function(point)
        for index in range(point.size):
            step = np.zeros_like(point)
            step[index] = 1e-5
            slope = (function(point + step)[0] - function(point - step)[0]) / 2e-5
            assert gradient[index] == pytest.approx(slope, abs=1e-6, rel=1e-6)


def test_bgnbd_likelihood_is_the_textbook_formula() -> None:
    """Fader, Hardie & Lee 2005 equation 6, customer by customer, equals the sum over distinct histories."""
    x, active, age = made_up(3)
    r, alpha, a, b = 0.3, 40.0, 0.9, 2.1
    first = gammaln(r + x) - gammaln(r) + r * np.log(alpha) + gammaln(a + b) + gammaln(b + x) - gammaln(b) - gammaln(a + b + x)
    stays = (alpha + age) ** -(r + x)
    left = np.where(x > 0, a / (b + np.maximum(x, 1) - 1) * (alpha + active) ** -(r + x), 0.0)
    rows = float(np.mean(first + np.log(stays + left)))
    value, _ = btyd_bg.objective(histories(x, active, age), 1, False)(np.log([r, alpha, a, b]))
    assert value == pytest.approx(rows, abs=1e-12)


def test_pareto_likelihood_is_the_integral() -> None:
    """The 32 nodes agree with adaptive quadrature over the time of leaving, also where alpha and beta are far apart."""
    from scipy.integrate import quad

    r, s = 0.55, 0.61

    def integrand(y: float, x: float) -> float:
        return float((alpha + y) ** -(r + x) * (beta + y) ** -(s + 1))

    for alpha, beta in [(10.6, 11.7), (0.4, 50.0), (50.0, 0.4)]:
        for x, active, age in [(0.0, 0.0, 39.0), (2.0, 30.43, 38.86), (20.0, 5.0, 60.0), (3.0, 10.0, 10.0)]:
            inside = quad(integrand, active, age, args=(x,), epsabs=0, epsrel=1e-12, limit=500)[0]
            total = (alpha + age) ** -(r + x) * (beta + age) ** -s + s * inside
            exact = gammaln(r + x) - gammaln(r) + r * np.log(alpha) + s * np.log(beta) + np.log(total)
            known = histories([x], [active], [age])
            assert btyd_pareto.objective(known)(np.log([r, alpha, s, beta]))[0] == pytest.approx(exact, abs=1e-9)


@pytest.mark.parametrize(("family", "erlang"), KINDS)
def test_tuples_equal_rows(cdnow: Customers, family: str, erlang: int) -> None:
    """Fitting distinct histories with their counts as weights equals fitting the rows, to 1e-8 of every parameter."""
    rows = btyd.fit(family, *cdnow.history, erlang=erlang, log_gap_sum=cdnow.log_gaps)
    keys, first, counts = np.unique(np.stack(cdnow.history), axis=1, return_index=True, return_counts=True)
    gaps = np.zeros(first.size)
    gaps[0] = cdnow.log_gaps.sum() / counts[0]
    tuples = btyd.fit(family, *keys, erlang=erlang, log_gap_sum=gaps, weights=counts)
    assert list(tuples.parameters.values()) == pytest.approx(list(rows.parameters.values()), rel=1e-8)
    assert tuples.log_likelihood == pytest.approx(rows.log_likelihood, abs=1e-6)


@pytest.mark.parametrize(("family", "erlang"), KINDS)
def test_days_or_weeks_give_the_same_expectations(cdnow: Customers, family: str, erlang: int) -> None:
    """Histories in weeks instead of days scale alpha and beta by 7 and leave every forecast as it is, to 1e-8."""
    days = btyd.fit(family, *cdnow.history, erlang=erlang, log_gap_sum=cdnow.log_gaps)
    in_weeks = (cdnow.x, cdnow.active / 7.0, cdnow.age / 7.0)
    weeks = btyd.fit(family, *in_weeks, erlang=erlang, log_gap_sum=cdnow.log_gaps - cdnow.x * np.log(7.0))
    assert weeks.parameters["alpha"] * 7.0 == pytest.approx(days.parameters["alpha"], rel=1e-8)
    expected = btyd.expected_orders(days, *cdnow.history, 273)
    assert btyd.expected_orders(weeks, *in_weeks, 39) == pytest.approx(expected, rel=1e-8)


@pytest.mark.parametrize(("family", "erlang"), KINDS)
def test_random_starts_reach_the_same_optimum(cdnow: Customers, family: str, erlang: int) -> None:
    """20 random starts end within .01 of the log-likelihood that fit finds."""
    known = histories(*cdnow.history).scaled(float(cdnow.age.max()))
    function = objective_of(family, erlang, known)
    fitted = btyd.fit(family, *cdnow.history, erlang=erlang, log_gap_sum=cdnow.log_gaps)
    weeks = cdnow.age.max() / 7.0
    values = fitted.values() / np.array([weeks if name in ("alpha", "beta") else 1.0 for name in fitted.parameters])
    best = function(np.log(values))[0]
    rng = np.random.default_rng(5)
    for _ in range(20):
        found = maximise(function, [rng.uniform(-2.5, 2.5, dimension(family))], cdnow.x.size)
        assert (best - found.mean_log_likelihood) * cdnow.x.size < 0.01


@pytest.mark.parametrize(("family", "shift"), [("bgnbd", 0), ("mbgnbd", 1)])
def test_expected_orders_equal_mpmath(family: str, shift: int) -> None:
    """The printed hypergeometric form, in 60 digits, for x up to 1000 and horizons up to 3650 days: to 1e-9."""
    mp = pytest.importorskip("mpmath", reason="mpmath is not installed: exact expectations are not compared")
    rng = np.random.default_rng(7)
    with mp.workdps(60):
        for _ in range(120):
            r, alpha, a, b = (float(value) for value in np.exp(rng.uniform(-3.0, 3.0, 4)))
            x, age, horizon = int(rng.choice([0, 1, 3, 20, 150, 1000])), float(rng.uniform(0, 2000)), float(rng.uniform(1, 3650))
            age = max(age, float(x > 0))
            A, bx, z = mp.mpf(r) + x, mp.mpf(b) + x + shift, mp.mpf(horizon) / (mp.mpf(alpha) * 7 + age + horizon)
            factor = (mp.mpf(a) + bx - 1) / (mp.mpf(a) - 1)
            exact = factor * (1 - (1 - z) ** A * mp.hyp2f1(A, bx, mp.mpf(a) + bx - 1, z))
            params = published(family, r, alpha, a, b)
            alive = btyd.p_alive(params, [x], [float(x > 0) * age], [age])[0]
            found = btyd.expected_orders(params, [x], [float(x > 0) * age], [age], horizon)[0]
            assert found / alive == pytest.approx(float(exact), rel=1e-9)


@pytest.mark.parametrize(("family", "erlang"), [("bgcnbd", 2), ("bgcnbd", 3), ("mbgcnbd", 2), ("mbgcnbd", 3)])
def test_expected_orders_of_regular_buyers_equal_mpmath(family: str, erlang: int) -> None:
    """Hidden events counted one by one in 60 digits, for x up to 1000 and horizons up to 3650 days: to 1e-9."""
    mp = pytest.importorskip("mpmath", reason="mpmath is not installed: exact expectations are not compared")
    rng = np.random.default_rng(8)
    with mp.workdps(60):
        for _ in range(12):
            r, a, b = (float(value) for value in np.exp(rng.uniform(-2.0, 2.0, 3)))
            alpha = float(np.exp(rng.uniform(0.0, 3.0)))
            x, age, horizon = int(rng.choice([0, 1, 3, 20, 150, 1000])), float(rng.uniform(1, 2000)), float(rng.uniform(1, 3650))
            active = age * x / (x + 1.0)  # as long ago as the gaps before it
            A, bx = mp.mpf(r) + erlang * x, mp.mpf(b) + x + (family == "mbgcnbd")
            z, u = horizon / (mp.mpf(alpha) * 7 + age + horizon), mp.mpf(age - active) / (mp.mpf(alpha) * 7 + age)
            weights = [mp.mpf(1)]
            for j in range(1, erlang):
                weights.append(weights[-1] * (A + j - 1) * u / j)
            exact = mp.mpf(0)
            for j, weight in enumerate(weights):
                # The m-th order needs k m - j events: all but the first k m - j of a negative binomial.
                probability = (1 - z) ** (A + j)
                left, staying, events = mp.mpf(1), mp.mpf(1), 0
                while left * staying > 1e-30:
                    left -= probability
                    events += 1
                    probability *= (A + j + events - 1) * z / events
                    if (events + j) % erlang == 0:
                        exact += weight / sum(weights) * left * staying
                        m = (events + j) // erlang
                        staying *= (bx + m - 1) / (a + bx + m - 1)
            params = published(family, r, alpha, a, b, erlang=erlang)
            alive = btyd.p_alive(params, [x], [active], [age])[0]
            found = btyd.expected_orders(params, [x], [active], [age], horizon)[0]
            assert alive > 0.0
            assert found / alive == pytest.approx(float(exact), rel=1e-9)


def test_pareto_expectations_equal_mpmath() -> None:
    """The printed forms (two hypergeometric functions) in 80 digits, x up to 1000 and horizons up to 3650 days: to 1e-9."""
    mp = pytest.importorskip("mpmath", reason="mpmath is not installed: exact expectations are not compared")
    rng = np.random.default_rng(9)
    with mp.workdps(80):
        for _ in range(80):
            r, alpha, s, beta = (float(value) for value in np.exp(rng.uniform(-2.0, 3.0, 4)))
            x, age, horizon = int(rng.choice([0, 1, 3, 20, 150, 1000])), float(rng.uniform(1, 2000)), float(rng.uniform(1, 3650))
            active = age * float(rng.uniform(0.2, 1.0)) if x else 0.0
            al, be, t, T, H = (mp.mpf(value) for value in (alpha * 7, beta * 7, active, age, horizon))
            whole = mp.mpf(r) + s + x
            low, second = (al, mp.mpf(s) + 1) if al >= be else (be, mp.mpf(r) + x)

            def form(y: object) -> object:
                return mp.hyp2f1(whole, second, whole + 1, abs(al - be) / (low + y)) / (low + y) ** whole  # noqa: B023

            alive = 1 / (1 + s / whole * (al + T) ** (mp.mpf(r) + x) * (be + T) ** s * (form(t) - form(T)))
            orders = (
                (mp.mpf(r) + x) * (be + T) / ((al + T) * (mp.mpf(s) - 1)) * (1 - ((be + T) / (be + T + H)) ** (mp.mpf(s) - 1))
            )
            params, history = published("paretonbd", r, alpha, s, beta), ([x], [active], [age])
            assert btyd.p_alive(params, *history)[0] == pytest.approx(float(alive), rel=1e-9, abs=1e-300)
            assert btyd.expected_orders(params, *history, horizon)[0] == pytest.approx(
                float(alive * orders), rel=1e-9, abs=1e-300
            )


def test_expected_orders_equal_quadrature_at_a_equal_1() -> None:
    """At the pole a = 1 of the printed form: the integral of (1 - (1 + p h)^-A)/p over the posterior of p."""
    from scipy.integrate import quad

    params = published("bgnbd", 0.4, 5.0, 1.0, 2.5)

    def integrand(p: float, shape: float, h: float, chances: float) -> float:
        return float(-np.expm1(-shape * np.log1p(p * h)) / p * chances * (1 - p) ** (chances - 1))

    for x, age, horizon in [(0, 70.0, 364.0), (3, 140.0, 364.0), (40, 700.0, 1000.0)]:
        exact = quad(integrand, 0, 1, args=(0.4 + x, horizon / (35.0 + age), 2.5 + x), epsrel=1e-12)[0]
        history = ([x], [age if x else 0.0], [age])
        found = btyd.expected_orders(params, *history, horizon)[0]
        assert found == pytest.approx(btyd.p_alive(params, *history)[0] * exact, rel=1e-10)


def test_expected_orders_are_continuous_across_a_equal_1() -> None:
    """Just below, at and just above a = 1 the forecasts agree: the two formulas meet."""
    history = ([0, 2, 50], [0, 100, 300], [200, 200, 300])
    at = btyd.expected_orders(published("bgnbd", 0.3, 5.0, 1.0, 2.0), *history, 365)
    for a in (1.0 - 1e-7, 1.0 - 1e-5, 1.0 + 1e-5, 1.0 + 1e-7):
        assert btyd.expected_orders(published("bgnbd", 0.3, 5.0, a, 2.0), *history, 365) == pytest.approx(at, rel=3e-5)


def test_erlang_1_is_the_poisson_family(cdnow: Customers) -> None:
    """BG/CNBD-1 is BG/NBD: the sum over phases and the hypergeometric form give one forecast."""
    general = published("bgcnbd", 0.2426, 4.4136, 0.7929, 2.4259)
    plain = published("bgnbd", 0.2426, 4.4136, 0.7929, 2.4259)
    assert btyd.expected_orders(general, *cdnow.history, 273) == pytest.approx(btyd.expected_orders(plain, *cdnow.history, 273))
    shape, share = 0.2426 + cdnow.x, 273 / (4.4136 * 7 + cdnow.age + 273)
    from clm.models.btyd_phases import tail_sum

    chances = (2.4259 + cdnow.x)[:, None]

    def staying(orders: np.ndarray, part: np.ndarray) -> np.ndarray:
        return (chances[part] + orders - 1) / (0.7929 + chances[part] + orders - 1)

    summed = tail_sum(shape, share, 1, 0, staying) * btyd.p_alive(plain, *cdnow.history)
    assert summed == pytest.approx(btyd.expected_orders(plain, *cdnow.history, 273), rel=1e-10)


@pytest.mark.parametrize(
    ("r", "alpha", "horizon", "erlang", "a", "at"),
    [
        (0.5, 0.01, 5200.0, 1, 0.5, 449.90605397),
        (0.1, 0.0001, 52.0, 2, 0.5, 537.69149312),
        (0.5, 0.01, 5200.0, 1, 0.0, 240442.84118),
    ],
)
def test_what_lies_beyond_a_million_orders_counts_as_a_million(
    r: float, alpha: float, horizon: float, erlang: int, a: float, at: float
) -> None:
    """A rate nobody has: the first million terms of the sum of P(m orders are made) P(alive for the m-th), incomplete betas."""
    from clm.models.btyd_phases import tail_sum

    def staying(orders: np.ndarray, part: np.ndarray) -> np.ndarray:
        return np.asarray((orders - 0.5) / (a + orders - 0.5))

    summed = tail_sum(np.array([r]), np.array([horizon / (alpha + horizon)]), erlang, erlang - 1, staying)
    assert summed[0] == pytest.approx(at, rel=1e-9)


def test_whole_numbers_are_a_shape_too() -> None:
    """Three orders at z = 0.4, nobody leaving: 3 x 0.4 / 0.6."""
    from clm.models.btyd_phases import tail_sum

    assert tail_sum(np.array([3]), np.array([0.4]), 1, 0, lambda orders, part: np.ones((1, 1)))[0] == pytest.approx(2.0)


@pytest.mark.parametrize(("family", "erlang"), KINDS)
def test_expectations_match_simulated_lives(family: str, erlang: int) -> None:
    """Simulated lives, with no formula of ours: alive, returning and ordering customers are as many as forecast."""
    values = {2: (0.8, 6.0), 4: (0.8, 6.0, 0.9, 2.2)}[dimension(family)] if family != "paretonbd" else (0.8, 6.0, 0.7, 20.0)
    params = published(family, *values, erlang=erlang)
    rng = np.random.default_rng(11)
    size, age, horizon = 40_000, 40.0, 30.0
    rate = rng.gamma(values[0], 1.0 / values[1], size)
    leaves = np.full(size, np.inf)
    quits = np.zeros(size)
    if family == "paretonbd":
        leaves = rng.exponential(1.0 / rng.gamma(values[2], 1.0 / values[3], size))
    elif family != "nbd":
        quits = rng.beta(values[2], values[3], size)
        if family in btyd_bg.MODIFIED:
            leaves = np.where(rng.random(size) < quits, 0.0, np.inf)
    x, last, later, clock = np.zeros(size), np.zeros(size), np.zeros(size), np.zeros(size)
    running = np.flatnonzero(leaves > 0.0)
    while running.size:
        clock[running] += rng.gamma(erlang, 1.0 / rate[running])
        running = running[(clock[running] < age + horizon) & (clock[running] < leaves[running])]
        known = clock[running] <= age
        x[running[known]] += 1
        last[running[known]] = clock[running[known]]
        later[running[~known]] += 1
        gone = rng.random(running.size) < quits[running]
        leaves[running[gone]] = clock[running[gone]]
        running = running[~gone]
    history = (x, last * 7.0, np.full(size, age * 7.0))
    orders = btyd.expected_orders(params, *history, horizon * 7.0)
    returns = btyd.p_return(params, *history, horizon * 7.0)
    for group in (x == 0, x == 1, (x > 1) & (x < 5), x >= 5):
        tolerance = 4.5 / np.sqrt(group.sum())
        assert later[group].mean() == pytest.approx(orders[group].mean(), abs=tolerance * later[group].std() + 1e-9)
        assert (later > 0)[group].mean() == pytest.approx(returns[group].mean(), abs=tolerance * 0.5)
        if params.has_attrition:
            alive = btyd.p_alive(params, *history)
            assert (leaves > age)[group].mean() == pytest.approx(alive[group].mean(), abs=tolerance * 0.5)


@pytest.mark.parametrize(("family", "erlang"), KINDS)
@pytest.mark.parametrize("a", [1.0, 0.3, 2.0])
def test_hard_histories_stay_finite(family: str, erlang: int, a: float) -> None:
    """a = 1 (or s = 1), t = T, x = 0, x = 3000 and ten years ahead: finite, within bounds, growing with the horizon."""
    values = {2: (0.4, 5.0), 4: (0.4, 5.0, a, 2.0)}[dimension(family)]
    params = published(family, *values, erlang=erlang)
    x, active, age = np.array(HARD, dtype=float).T
    orders = btyd.expected_orders(params, x, active, age, [0, 1, 365, 3650])
    returns = btyd.p_return(params, x, active, age, 3650)
    assert np.isfinite(orders).all()
    assert (orders[:, 0] == 0.0).all()
    assert (np.diff(orders, axis=1) >= 0.0).all()
    assert ((returns >= 0.0) & (returns <= 1.0)).all()
    assert (returns <= orders[:, 3] * (1 + 1e-9) + 1e-12).all()
    if params.has_attrition:
        alive = btyd.p_alive(params, x, active, age)
        assert ((alive >= 0.0) & (alive <= 1.0)).all()


@settings(max_examples=120, deadline=None)
@given(
    kind=st.sampled_from(KINDS),
    logs=st.lists(st.floats(-9.0, 9.0), min_size=4, max_size=4),
    x=st.integers(0, 3000),
    gap=st.integers(0, 3000),
    slack=st.integers(1, 2),
    horizon=st.integers(1, 3650),
)
def test_any_parameters_and_history_give_a_finite_forecast(
    kind: tuple[str, int], logs: list[float], x: int, gap: int, slack: int, horizon: int
) -> None:
    """Parameters over eight orders of magnitude: P, E and days to the next order are finite and in range."""
    family, erlang = kind
    params = published(family, *np.exp(logs[: dimension(family)]), erlang=erlang)
    history = ([x], [x * slack], [x * slack + gap])
    orders, returns = btyd.expected_orders(params, *history, horizon), btyd.p_return(params, *history, horizon)
    assert np.isfinite(orders[0])
    assert 0.0 <= returns[0] <= 1.0
    assert returns[0] <= orders[0] * (1 + 1e-6) + 1e-9
    days = btyd.days_to_next_order(params, *history, horizon)[0]
    assert days == -1 or 1 <= days <= horizon


@pytest.mark.parametrize(("family", "erlang"), KINDS)
def test_days_to_next_order_is_where_a_return_becomes_likelier_than_not(family: str, erlang: int) -> None:
    """P(order within d days) passes one half exactly at the day returned; -1 where it does not within the limit."""
    values = {2: (0.8, 3.0), 4: (0.8, 3.0, 0.5, 6.0)}[dimension(family)]
    params = published(family, *values, erlang=erlang)
    x, active, age = made_up(9, 60)
    days = btyd.days_to_next_order(params, x, active, age, 1000)
    at_limit = btyd.p_return(params, x, active, age, 1000)
    assert ((days == -1) == (at_limit <= 0.5)).all()
    assert (days > 0).any()
    for customer in np.flatnonzero(days > 0):
        one = ([x[customer]], [active[customer]], [age[customer]])
        assert btyd.p_return(params, *one, float(days[customer]))[0] > 0.5
        assert btyd.p_return(params, *one, float(days[customer] - 1))[0] <= 0.5
