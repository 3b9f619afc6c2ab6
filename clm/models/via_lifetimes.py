"""The airlock to the lifetimes package: the same families fitted by it, for `--estimator lifetimes` and as the tests' oracle.
The only file that imports lifetimes; nothing of lifetimes (printing, warning filters, pandas options) leaks out of it.

lifetimes 0.11.3 prints a failed fit to stdout, ignores FutureWarnings for the whole process and sets a pandas option when
imported; all three are undone here. Times go in as weeks.
"""

import contextlib
import io
import sys
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from clm.models import spend as own_spend
from clm.models.btyd_params import DAYS_PER_WEEK, FAMILIES, BtydParams
from clm.models.btyd_tuples import histories
from clm.models.fitting import FitError
from clm.models.spend import PARAMETERS, SpendParams

FloatArray = NDArray[np.float64]

_PANDAS_OPTION = "mode.chained_assignment"  # set by lifetimes when it is imported
FITTED = ("bgnbd", "mbgnbd", "paretonbd")  # the families lifetimes knows


def fit(family: str, repeat_days: ArrayLike, active_days: ArrayLike, age_days: ArrayLike) -> BtydParams:
    """The family fitted by lifetimes, without a penalizer, as a record of ours (note `estimator_lifetimes`).

    lifetimes has no NBD, so `likelihood_ratio` is None and `identified` only says that its standard errors exist.
    Raises FitError `lifetimes_failed` when it does not converge, and ValueError for a family it does not know.
    """
    if family not in FITTED:
        raise ValueError(f"lifetimes fits {', '.join(FITTED)}, not {family}")
    known = histories(repeat_days, active_days, age_days)
    if not known.x.size or not known.x.any():
        raise FitError("no_repeat_orders", "no customer ordered on a second day, so no order rate can be learned")
    names = FAMILIES[family]
    weeks = known.scaled(DAYS_PER_WEEK)
    # Its Pareto/NBD starts at a draw from the global random state unless it is given a start.
    options = {"initial_params": np.ones(4), "iterative_fitting": 1} if family == "paretonbd" else {}
    customers = float(known.count.sum())
    with _airlock() as lifetimes:
        fitter = _fitter(lifetimes, family)
        _run(lambda: fitter.fit(weeks.x, weeks.active, weeks.age, weights=weeks.count, **options))
        values = _checked([fitter.params_[name] for name in names])
        covariance = _covariance(fitter, names, customers)
        # What it minimises is the total over the sum of the weights, in Pareto/NBD over their mean.
        scaled = -float(fitter._negative_log_likelihood_) * (known.count.mean() if family == "paretonbd" else customers)
    errors = None if covariance is None else values * np.sqrt(np.diag(covariance))
    return BtydParams(
        family=family,
        erlang=1,
        parameters={name: float(value) for name, value in zip(names, values, strict=True)},
        standard_errors={name: None if errors is None else float(errors[i]) for i, name in enumerate(names)},
        covariance_log=_as_tuples(covariance),
        # lifetimes divides time by the largest age; this brings its density back to weeks.
        log_likelihood=float(scaled) - float(known.count @ known.x) * float(np.log(weeks.age.max())),
        likelihood_ratio=None,
        identified=covariance is not None,
        converged=True,
        customers=customers,
        repeat_customers=float(known.count @ (known.x > 0.0)),
        notes=("estimator_lifetimes",),
    )


def fit_spend(orders: ArrayLike, mean_spend: ArrayLike) -> SpendParams:
    """Gamma-Gamma fitted by lifetimes over the customers with orders > 0 and mean spend > 0, as a record of ours.

    Raises FitError `lifetimes_failed` when it does not converge, `few_spenders` without enough such customers.
    """
    x, m = np.asarray(orders, dtype=np.float64), np.asarray(mean_spend, dtype=np.float64)
    used = (x > 0.0) & (m > 0.0)
    x, m = x[used], m[used]
    if x.size < own_spend.MIN_CUSTOMERS:
        raise FitError(
            "few_spenders", f"only {x.size} customers have repeat spend; at least {own_spend.MIN_CUSTOMERS} are needed"
        )
    with _airlock() as lifetimes:
        fitter = lifetimes.GammaGammaFitter()
        _run(lambda: fitter.fit(x, m))
        values = _checked([fitter.params_[name] for name in ("p", "q", "v")])
        covariance = _covariance(fitter, ("p", "q", "v"), float(x.size))
        log_likelihood = -float(fitter._negative_log_likelihood_) * x.size
    errors = None if covariance is None else values * np.sqrt(np.diag(covariance))
    parameters = {name: float(value) for name, value in zip(PARAMETERS, values, strict=True)}
    population_mean = own_spend.population_mean(parameters)
    return SpendParams(
        parameters=parameters,
        standard_errors={name: None if errors is None else float(errors[i]) for i, name in enumerate(PARAMETERS)},
        covariance_log=_as_tuples(covariance),
        log_likelihood=log_likelihood,
        population_mean=population_mean,
        observed_mean=float(m.mean()),
        correlation=own_spend.correlation(x, m),
        identified=covariance is not None,
        converged=True,
        customers=int(x.size),
        notes=("estimator_lifetimes",) if population_mean is not None else ("no_population_mean", "estimator_lifetimes"),
    )


def expected_orders(
    params: BtydParams, repeat_days: ArrayLike, active_days: ArrayLike, age_days: ArrayLike, horizon_days: float
) -> FloatArray:
    """What lifetimes forecasts with these parameters; may hold NaN where its formulas do (a + b < 1, long horizons)."""
    x, active, age = (np.asarray(values, dtype=np.float64) for values in (repeat_days, active_days, age_days))
    with _airlock() as lifetimes:
        fitter = _fitter(lifetimes, params.family)
        fitter.params_ = params.parameters
        weeks = (horizon_days / DAYS_PER_WEEK, x, active / DAYS_PER_WEEK, age / DAYS_PER_WEEK)
        return np.asarray(fitter.conditional_expected_number_of_purchases_up_to_time(*weeks), dtype=np.float64)


def p_alive(params: BtydParams, repeat_days: ArrayLike, active_days: ArrayLike, age_days: ArrayLike) -> FloatArray:
    """P(alive) of lifetimes with these parameters."""
    x, active, age = (np.asarray(values, dtype=np.float64) for values in (repeat_days, active_days, age_days))
    with _airlock() as lifetimes:
        fitter = _fitter(lifetimes, params.family)
        fitter.params_ = params.parameters
        alive = fitter.conditional_probability_alive(x, active / DAYS_PER_WEEK, age / DAYS_PER_WEEK)
        return np.asarray(alive, dtype=np.float64)


@contextlib.contextmanager
def _airlock() -> Iterator[Any]:
    """lifetimes, with stdout swallowed and warnings silent; filters and the pandas option are put back on the way out."""
    loaded = sys.modules.get("pandas")
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        before = None if loaded is None else loaded.get_option(_PANDAS_OPTION)
        first = "lifetimes" not in sys.modules
        try:
            import lifetimes
        finally:
            pandas = sys.modules.get("pandas")
            if first and pandas is not None:
                if loaded is None:
                    pandas.reset_option(_PANDAS_OPTION)
                else:
                    pandas.set_option(_PANDAS_OPTION, before)
        yield lifetimes


def _fitter(lifetimes: Any, family: str) -> Any:
    names = {"bgnbd": "BetaGeoFitter", "mbgnbd": "ModifiedBetaGeoFitter", "paretonbd": "ParetoNBDFitter"}
    return getattr(lifetimes, names[family])()


def _run(fit_call: Callable[[], object]) -> None:
    # ConvergenceError, its input checks and numpy's LinAlgError are all ValueErrors.
    try:
        fit_call()
    except ValueError as error:
        raise FitError("lifetimes_failed", "lifetimes did not converge on these customers; use --estimator clm") from error


def _checked(values: list[Any]) -> FloatArray:
    numbers = np.array([float(value) for value in values])
    if not np.all(np.isfinite(numbers) & (numbers > 0.0)):
        raise FitError("lifetimes_failed", "lifetimes returned impossible parameters; use --estimator clm")
    return numbers


def _covariance(fitter: Any, names: tuple[str, ...], customers: float) -> FloatArray | None:
    """Covariance of the log-parameters from its Hessian of the mean; its Pareto/NBD has none."""
    if fitter._hessian_ is None:
        return None
    stored = list(fitter.params_.index)
    order = [stored.index(name) for name in names]
    information = np.asarray(fitter._hessian_, dtype=np.float64)[np.ix_(order, order)] * customers
    if not np.all(np.isfinite(information)) or float(np.linalg.eigvalsh(information)[0]) <= 0.0:
        return None
    inverse = np.linalg.inv(information)
    return np.asarray((inverse + inverse.T) / 2.0, dtype=np.float64)


def _as_tuples(covariance: FloatArray | None) -> tuple[tuple[float, ...], ...] | None:
    return None if covariance is None else tuple(tuple(float(value) for value in row) for row in covariance)
