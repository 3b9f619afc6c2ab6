"""The maximiser on surfaces whose top is known: a hill, a ridge without top, a flat plain; and on how many threads it runs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from threadpoolctl import threadpool_info

from clm.models.fitting import BOUND, FloatArray, Objective, hessian, maximise

COORDINATES = st.floats(-6.0, 6.0)


def hill(top: FloatArray, curvature: FloatArray) -> Objective:
    """A quadratic hill of height 0: value -(p - top)' C (p - top) / 2 with its gradient."""

    def objective(point: FloatArray) -> tuple[float, FloatArray]:
        away = curvature @ (point - top)
        return float(-0.5 * (point - top) @ away), -away

    return objective


@given(x=COORDINATES, y=COORDINATES, steep=st.floats(0.05, 20.0), lean=st.floats(-0.9, 0.9), n=st.integers(1, 10**6))
def test_the_top_of_a_hill_is_found(x: float, y: float, steep: float, lean: float, n: int) -> None:
    """Wherever it lies inside the range: the top, value 0, and the inverse of n times the curvature as covariance."""
    curvature = np.array([[steep, lean * np.sqrt(steep)], [lean * np.sqrt(steep), 1.0]])
    found = maximise(hill(np.array([x, y]), curvature), [np.zeros(2)], n)
    assert found.converged
    assert found.log_parameters == pytest.approx([x, y], abs=1e-6)
    assert found.mean_log_likelihood == pytest.approx(0.0, abs=1e-9)
    assert found.covariance is not None
    assert np.linalg.inv(found.covariance) == pytest.approx(n * curvature, rel=1e-4)


def test_the_best_of_the_starts_wins() -> None:
    """Two hills: from starts at the feet of both the higher one is climbed, in either order."""

    def objective(point: FloatArray) -> tuple[float, FloatArray]:
        low, high = np.exp(-((point - 5.0) ** 2)), 2.0 * np.exp(-((point + 5.0) ** 2))
        return float((low + high)[0]), -2.0 * (point - 5.0) * low - 2.0 * (point + 5.0) * high

    starts = [np.array([4.5]), np.array([-4.5])]
    for order in (starts, starts[::-1]):
        assert maximise(objective, order, 10).log_parameters[0] == pytest.approx(-5.0, abs=1e-5)


def test_a_slope_without_top_ends_at_the_bound() -> None:
    """Rising for ever: the parameter stops at the edge of its range, converged there, without a covariance."""
    found = maximise(lambda point: (float(point[0]), np.ones(1)), [np.zeros(1)], 10)
    assert found.log_parameters[0] == pytest.approx(BOUND)
    assert found.converged
    assert found.covariance is None


def test_a_plain_has_no_covariance() -> None:
    """Equal everywhere: any point is a maximum, none has a standard error, and nothing is NaN."""
    found = maximise(lambda point: (1.0, np.zeros_like(point)), [np.array([0.5, -0.5])], 10)
    assert found.converged
    assert found.covariance is None
    assert np.all(np.isfinite(found.log_parameters))


def test_second_derivatives_are_those_of_the_surface() -> None:
    """Symmetric, and the negative curvature of a hill at any point of it."""
    curvature = np.array([[3.0, 0.7], [0.7, 0.4]])
    for point in (np.zeros(2), np.array([2.0, -1.0])):
        found = hessian(hill(np.array([1.0, 1.0]), curvature), point)
        assert found == pytest.approx(-curvature, rel=1e-6)
        assert np.array_equal(found, found.T)


def test_fits_run_on_one_thread_and_leave_the_others_alone() -> None:
    """Inside a fit every BLAS has one thread; afterwards as many as before."""
    seen: list[int] = []

    def objective(point: FloatArray) -> tuple[float, FloatArray]:
        if not seen:
            seen.extend(pool["num_threads"] for pool in threadpool_info())
        return hill(np.ones(1), np.eye(1))(point)

    before = [pool["num_threads"] for pool in threadpool_info()]
    maximise(objective, [np.zeros(1)], 10)
    assert seen
    assert set(seen) == {1}
    assert [pool["num_threads"] for pool in threadpool_info()][: len(before)] == before
