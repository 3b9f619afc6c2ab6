"""The one maximiser of all likelihood fits: several starts, L-BFGS-B on logarithms of the parameters, Newton polish.
Knows no model; it never prints and never returns a parameter that is not finite.
"""

import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
# Maps log-parameters to (mean log-likelihood, its gradient).
Objective = Callable[[FloatArray], tuple[float, FloatArray]]

BOUND = 14.0  # on every log-parameter, after time (or money) is divided by its scale
ACCEPTED_GRADIENT = 1e-6  # of the mean log-likelihood, in log-parameters
_POLISHED, _EXACT = 1e-9, 1e-13  # gradients a Newton step should reach, and at which it has nothing left to do
_SAME_POINT = 1e-7  # apart in log-parameters: one Hessian serves both
_AT_BOUND = 1e-3  # this near to the bound a parameter has run away
_COARSE = {"ftol": 1e-9, "gtol": 1e-5, "maxiter": 500, "maxls": 40}
_FINE = {"ftol": 1e-15, "gtol": 1e-9, "maxiter": 2000, "maxls": 60}


class FitError(ValueError):
    """A model that cannot be fitted to these customers: a stable code and a sentence for the reader."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence


@dataclass(frozen=True)
class Optimum:
    """Where the mean log-likelihood is largest; `covariance` belongs to the log-parameters, None on a flat surface."""

    log_parameters: FloatArray
    mean_log_likelihood: float
    gradient_size: float
    converged: bool
    covariance: FloatArray | None

    def sharp(self, largest_error: float) -> bool:
        """Whether every log-parameter has a standard error, and none above this one."""
        return self.covariance is not None and bool(np.all(np.diag(self.covariance) <= largest_error**2))


def estimates(
    optimum: Optimum, names: Sequence[str], scale: FloatArray
) -> tuple[dict[str, float], dict[str, float | None], tuple[tuple[float, ...], ...] | None]:
    """Parameters, their standard errors and the covariance of their logarithms, as records keep them.

    `scale` multiplies the parameters back to the units of the input; a flat surface has None for the errors.
    """
    values = np.exp(optimum.log_parameters) * scale
    covariance = optimum.covariance
    errors = None if covariance is None else values * np.sqrt(np.diag(covariance))
    return (
        {name: float(value) for name, value in zip(names, values, strict=True)},
        {name: None if errors is None else float(errors[i]) for i, name in enumerate(names)},
        None if covariance is None else tuple(tuple(float(v) for v in row) for row in covariance),
    )


def one_thread() -> AbstractContextManager[object]:
    """BLAS on one thread: several spin on matrices this small (18 s instead of 2 s beside other work), and add up differently."""
    import scipy.optimize  # noqa: F401 - its own BLAS must be loaded to be limited

    limits: AbstractContextManager[object] = _pools("sklearn" in sys.modules).limit(limits=1)
    return limits


@cache
def _pools(with_sklearn: bool) -> Any:
    """The libraries with threads of their own; looking for them takes longer than a small fit, and sklearn brings another."""
    from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]

    return ThreadpoolController()


def maximise(
    objective: Objective, starts: Sequence[FloatArray], observations: float, *, coarse_objective: Objective | None = None
) -> Optimum:
    """Best of all starts, refined until |gradient of the mean log-likelihood| < 1e-6.

    `observations` is the number of customers behind the mean: the covariance is the inverse of its multiple of the
    Hessian. Each start is followed coarsely first, because only the best one deserves the last digits; on large data
    `coarse_objective` (the same function over a sample) serves for that.
    """
    with one_thread():
        return _maximised(objective, starts, observations, coarse_objective or objective)


def _maximised(objective: Objective, starts: Sequence[FloatArray], observations: float, coarsely: Objective) -> Optimum:
    from scipy.optimize import minimize

    def descend(function: Objective, start: FloatArray, options: dict[str, float]) -> tuple[float, FloatArray]:
        def downhill(point: FloatArray) -> tuple[float, FloatArray]:
            value, gradient = function(point)
            return -value, -gradient

        bounds = [(-BOUND, BOUND)] * start.size
        inside = np.clip(start, -BOUND, BOUND)
        found = minimize(downhill, inside, jac=True, method="L-BFGS-B", bounds=bounds, options=options)
        return float(found.fun), np.asarray(found.x, dtype=np.float64)

    coarse = [descend(coarsely, start, _COARSE) for start in starts]
    best = min(coarse, key=lambda pair: pair[0])[1]
    top = _newton(objective, best)
    if np.max(np.abs(_free(top.point, top.gradient))) > _POLISHED:
        top = _newton(objective, descend(objective, top.point, _FINE)[1])
    if np.any(np.abs(top.point) > BOUND - _AT_BOUND):
        top = _held(objective, top.point)
    size = float(np.max(np.abs(_free(top.point, top.gradient))))
    return Optimum(top.point, float(top.value), size, size < ACCEPTED_GRADIENT, _covariance(objective, top, observations))


def hessian(objective: Objective, point: FloatArray, step: float = 1e-4) -> FloatArray:
    """Second derivatives of the mean log-likelihood: central differences of the analytic gradient, made symmetric."""
    columns = []
    for index in range(point.size):
        shift = np.zeros_like(point)
        shift[index] = step
        columns.append((objective(point + shift)[1] - objective(point - shift)[1]) / (2.0 * step))
    matrix = np.array(columns)
    return np.asarray((matrix + matrix.T) / 2.0, dtype=np.float64)


@dataclass(frozen=True)
class _Top:
    """Where Newton steps ended; `curvature` is minus the Hessian there, None where it has not been computed so near."""

    point: FloatArray
    value: float
    gradient: FloatArray
    curvature: FloatArray | None


def _newton(objective: Objective, point: FloatArray) -> _Top:
    # L-BFGS-B stops where the value no longer changes (about 1e-8 in the parameters); days and weeks, tuples and rows
    # agree to 1e-8 in their forecasts only after a few Newton steps. On a flat or bounded surface they are skipped.
    # A Hessian serves for several steps while they help, as it costs as much as two gradients per parameter.
    value, gradient = objective(point)
    curvature = None
    for _ in range(4):
        size = float(np.max(np.abs(gradient)))
        if size < _EXACT or np.any(np.abs(point) >= BOUND):
            break
        begin, curvature = point, -hessian(objective, point)
        if not _positive_definite(curvature):
            break
        for _ in range(6):
            candidate = point + np.linalg.solve(curvature, gradient)
            if np.any(np.abs(candidate - point) > 0.5) or np.any(np.abs(candidate) >= BOUND):
                return _Top(point, value, gradient, _near(curvature, begin, point))
            new_value, new_gradient = objective(candidate)
            new_size = float(np.max(np.abs(new_gradient)))
            if new_size >= size or new_value < value - 1e-9 * (1.0 + abs(value)):
                return _Top(point, value, gradient, _near(curvature, begin, point))
            slow = new_size > 0.3 * size
            point, value, gradient, size = candidate, new_value, new_gradient, new_size
            if slow or size < _EXACT:
                break
        curvature = _near(curvature, begin, point)
    return _Top(point, value, gradient, curvature)


def _near(curvature: FloatArray, begin: FloatArray, point: FloatArray) -> FloatArray | None:
    """The curvature at `begin`, if it is that of `point` to more digits than differences give it."""
    return curvature if np.max(np.abs(point - begin)) < _SAME_POINT else None


def _held(objective: Objective, point: FloatArray) -> _Top:
    # A maximum at infinity: along the ridge towards it L-BFGS-B stops where it happens to, on each machine elsewhere. With
    # what runs away held at the bound the rest has a maximum of its own, which Newton finds.
    held = np.abs(point) > BOUND - _AT_BOUND
    pinned = np.where(held, np.sign(point) * BOUND, point)

    def rest(free: FloatArray) -> tuple[float, FloatArray]:
        whole = pinned.copy()
        whole[~held] = free
        value, gradient = objective(whole)
        return value, gradient[~held]

    if not np.all(held):
        pinned[~held] = _newton(rest, pinned[~held]).point
    value, gradient = objective(pinned)
    return _Top(pinned, value, gradient, None)


def _covariance(objective: Objective, top: _Top, observations: float) -> FloatArray | None:
    if np.any(np.abs(top.point) > BOUND - _AT_BOUND):
        return None
    curvature = -hessian(objective, top.point) if top.curvature is None else top.curvature
    if not _positive_definite(curvature):
        return None
    inverse = np.linalg.inv(curvature * observations)
    return np.asarray((inverse + inverse.T) / 2.0, dtype=np.float64)


def _positive_definite(matrix: FloatArray) -> bool:
    if not np.all(np.isfinite(matrix)):
        return False
    eigenvalues = np.linalg.eigvalsh(matrix)
    return bool(eigenvalues[0] > 1e-12 * max(float(eigenvalues[-1]), 0.0) and eigenvalues[0] > 0.0)


def _free(point: FloatArray, gradient: FloatArray) -> FloatArray:
    # At a bound only a gradient that points back inside counts.
    outward = ((point >= BOUND - 1e-9) & (gradient > 0.0)) | ((point <= -BOUND + 1e-9) & (gradient < 0.0))
    return np.where(outward, 0.0, gradient)
