"""The airlock: lifetimes as the oracle of our estimator, and nothing of it leaking into the process."""

from __future__ import annotations

import subprocess
import sys
import warnings

import numpy as np
import pytest
from literature import Customers, published

from clm.models import btyd, spend, via_lifetimes
from clm.models.btyd import BtydParams, FitError


@pytest.mark.parametrize("family", via_lifetimes.FITTED)
def test_both_estimators_agree(cdnow: Customers, family: str) -> None:
    """The same optimum by two programs: log-likelihood to .002, parameters and standard errors to 1 %."""
    ours, theirs = btyd.fit(family, *cdnow.history), via_lifetimes.fit(family, *cdnow.history)
    assert theirs.log_likelihood == pytest.approx(ours.log_likelihood, abs=0.002)
    assert list(theirs.parameters.values()) == pytest.approx(list(ours.parameters.values()), rel=0.01)
    assert "estimator_lifetimes" in theirs.notes
    assert BtydParams.from_json(theirs.to_json()) == theirs
    if family == "paretonbd":
        assert set(theirs.standard_errors.values()) == {None}
    else:
        assert list(theirs.standard_errors.values()) == pytest.approx(list(ours.standard_errors.values()), rel=0.01)


def test_both_estimators_agree_on_spend(cdnow: Customers) -> None:
    """Gamma-Gamma by two programs."""
    ours = spend.fit(cdnow.x, cdnow.mean_repeat)
    theirs = via_lifetimes.fit_spend(cdnow.x, cdnow.mean_repeat)
    assert theirs.log_likelihood == pytest.approx(ours.log_likelihood, abs=0.002)
    assert list(theirs.parameters.values()) == pytest.approx(list(ours.parameters.values()), rel=0.005)
    assert theirs.population_mean == pytest.approx(ours.population_mean, rel=0.001)


@pytest.mark.parametrize(
    ("family", "values"),
    [
        ("bgnbd", (0.2426, 4.4136, 0.7929, 2.4259)),
        ("mbgnbd", (0.5248, 6.1831, 0.8914, 1.6140)),
        ("paretonbd", (0.5533, 10.578, 0.6062, 11.669)),
    ],
)
def test_forecasts_agree_at_the_same_parameters(cdnow: Customers, family: str, values: tuple[float, ...]) -> None:
    """P(alive) and expected orders, customer by customer, by two programs."""
    params = published(family, *values)
    assert via_lifetimes.p_alive(params, *cdnow.history) == pytest.approx(btyd.p_alive(params, *cdnow.history), rel=1e-7)
    theirs = via_lifetimes.expected_orders(params, *cdnow.history, 273)
    assert theirs == pytest.approx(btyd.expected_orders(params, *cdnow.history, 273), rel=1e-7)


def test_nothing_is_printed_and_filters_stay(cdnow: Customers, capsys: pytest.CaptureFixture[str]) -> None:
    """A failed fit prints in lifetimes; here it is a FitError, stdout is empty and the warning filters are as before."""
    before = list(warnings.filters)
    via_lifetimes.fit("bgnbd", *cdnow.history)
    with pytest.raises(FitError) as failure:
        via_lifetimes.fit_spend([1.0] * 12, [5.0] * 12)
    assert failure.value.code == "lifetimes_failed"
    assert "--estimator clm" in failure.value.sentence
    assert capsys.readouterr().out == ""
    assert warnings.filters == before


def test_importing_it_changes_nothing_else() -> None:
    """In a fresh process: filters, the pandas option and stdout are untouched; our module alone loads no lifetimes."""
    program = """
import sys, warnings
from clm.models import via_lifetimes
assert "lifetimes" not in sys.modules and "pandas" not in sys.modules
before = list(warnings.filters)
with via_lifetimes._airlock():
    pass
assert warnings.filters == before, warnings.filters
warnings.simplefilter("ignore")
assert sys.modules["pandas"].get_option("mode.chained_assignment") == "warn"
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_global_random_state_is_not_used(cdnow: Customers) -> None:
    """lifetimes starts Pareto/NBD at a random point unless told where: twice the same fit."""
    np.random.seed(1)
    first = via_lifetimes.fit("paretonbd", *cdnow.history)
    np.random.seed(2)
    assert via_lifetimes.fit("paretonbd", *cdnow.history) == first


def test_what_it_cannot_fit_is_refused() -> None:
    """Families it does not know, nobody with a repeat (lifetimes would 'fit' them), too few spenders."""
    with pytest.raises(ValueError, match="bgcnbd"):
        via_lifetimes.fit("bgcnbd", [1], [1], [2])
    with pytest.raises(FitError) as failure:
        via_lifetimes.fit("bgnbd", [0, 0], [0, 0], [5, 9])
    assert failure.value.code == "no_repeat_orders"
    with pytest.raises(FitError) as failure:
        via_lifetimes.fit_spend([1, 2], [3.0, 4.0])
    assert failure.value.code == "few_spenders"
