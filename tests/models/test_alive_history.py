"""Three invented customers under fitted parameters: the same P(alive) as lifetimes tells, and the shape a reader expects."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from clm.models import alive_history, btyd, via_lifetimes
from clm.models.btyd_params import BtydParams
from clm.models.buyers import Buyers


def _params(family: str, **parameters: float) -> BtydParams:
    return BtydParams(family, 1, parameters, {}, (), 0.0, 100.0, True, True, 1000.0, 500.0, ())


CDNOW = _params("bgnbd", r=0.243, alpha=4.414, a=0.793, b=2.426)  # Fader, Hardie & Lee 2005
MODIFIED = _params("mbgnbd", r=0.689, alpha=9.889, a=0.4916, b=0.8585)


def _buyers(repeat: float, active: float) -> Buyers:
    return Buyers(np.array([repeat]), np.array([active]), np.array([active]))


def test_every_step_is_what_lifetimes_says() -> None:
    """BG/NBD at the published CDNOW parameters: `conditional_probability_alive` of the history known on that day."""
    for orders in alive_history.PATTERNS.values():
        steps = range(alive_history.STEPS + 1)
        known = [[at for at in orders if at <= now] for now in steps]
        theirs = via_lifetimes.p_alive(
            CDNOW, [len(ones) - 1 for ones in known], [7 * ones[-1] for ones in known], [7 * now for now in steps]
        )
        assert alive_history.history(CDNOW, orders, 7) == pytest.approx(theirs.tolist(), abs=1e-9)


def test_silence_says_more_of_who_ordered_often() -> None:
    """Who stopped falls below who ordered once; who is rare but steady stays above both; an order lifts."""
    often, rare, once = (alive_history.history(MODIFIED, orders, 11) for orders in alive_history.PATTERNS.values())
    assert often[-1] < once[-1] < rare[-1]
    assert often[24] > 0.9
    assert rare[8] > rare[7]
    assert all(late <= early for early, late in itertools.pairwise(once))


def test_steps_are_a_quarter_of_the_gap_and_no_longer_than_the_log() -> None:
    """Ten orders 40 days apart: steps of 10 days, shorter where the log is; a base nobody came back to has steps of a day."""
    told = alive_history.told(MODIFIED, _buyers(10, 400), 900)
    assert told is not None
    assert (told["family"], told["step_days"]) == ("mbgnbd", 10)
    assert [one["pattern"] for one in told["patterns"]] == ["often", "rare", "once"]
    assert told["patterns"][1]["orders"] == [0, 80, 160, 240, 320, 400, 480]
    assert all(len(one["p_alive"]) == alive_history.STEPS + 1 for one in told["patterns"])
    assert alive_history.told(MODIFIED, _buyers(10, 400), 96)["step_days"] == 2  # type: ignore[index]
    assert alive_history.told(MODIFIED, _buyers(0, 0), 900)["step_days"] == 1  # type: ignore[index]


def test_without_attrition_nothing_is_told() -> None:
    """No parameters that know P(alive), no history; NBD has none to give."""
    assert alive_history.told(None, _buyers(10, 400), 900) is None
    with pytest.raises(ValueError, match="no drop-out"):
        btyd.p_alive(_params("nbd", r=0.3, alpha=4.0), [1], [7], [14])
