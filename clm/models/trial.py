"""Fit, test, choose: what one base of buyers and its past windows say about every candidate, and which of them is used.
Arrays in, records out; it makes no forecast beyond the windows and takes no snapshot.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from clm.models import backtest, choice, ladder
from clm.models.backtest import Scored, Window
from clm.models.btyd import MIN_REPEAT_CUSTOMERS
from clm.models.btyd_params import BtydParams
from clm.models.buyers import Buyers
from clm.models.evaluate import Score
from clm.models.ladder import Asked, Fits, Rung
from clm.models.valuation import OrderValue, Way


@dataclass(frozen=True)
class Trial:
    """What was asked, fitted and tested (latest origin first), and the rung that follows.

    way: how orders are valued beside a family, None without amounts or without a family; values: every way there was, as
    fitted to the base; value_errors: of each way at each origin.
    """

    asked: Asked
    fits: Fits
    tests: tuple[Scored, ...]
    rung: Rung
    way: Way | None
    values: dict[Way, OrderValue]
    value_errors: tuple[dict[Way, float], ...]

    @property
    def shown(self) -> BtydParams | None:
        """clm's own fit of the family that is told: the one that forecasts, or knows P(alive)."""
        params = self.rung.params or self.rung.alive
        return self.fits.own[params.family] if params is not None else None

    @property
    def scores(self) -> list[Score]:
        """The scores of orders of the forecast that is used, latest origin first; empty where it was not tested."""
        return [one for test in self.tests for one in test.orders if self.rung.tested and one.name == self.rung.method]

    @property
    def beats(self) -> dict[str, bool]:
        """Per metric, whether the forecast beats the best baseline; empty where it was not tested."""
        scores = [score for test in self.tests for score in test.orders]
        return choice.beats_best_baseline(scores, self.rung.method) if self.scores else {}

    @property
    def way_chosen(self) -> bool:
        """Whether the back-test had a say in how orders are valued."""
        return len(self.values) > 1 and len(self.value_errors) >= choice.LEAST_ORIGINS

    def value(self, buyers: Buyers) -> OrderValue | None:
        """The value of an order on this rung: the way chosen beside a family, else the shrunken mean; None without amounts.

        Where a naive forecast is used, Gamma-Gamma is fitted to be shown, not used.
        """
        if buyers.spend is None:
            return None
        if self.way is None:
            return OrderValue.by_mean(buyers)
        found = self.values[self.way]
        return found if self.rung.params is not None else found.by_mean_instead(buyers)


def trial(asked: Asked, buyers: Buyers, windows: Sequence[Window]) -> Trial:
    """Everything asked for fitted to the base, tested in its past windows (latest first), and the choice.

    A base with too few repeat buyers for any family is neither fitted nor tested.
    """
    if buyers.repeat_buyers < MIN_REPEAT_CUSTOMERS:
        return Trial(asked, Fits({}, {}, {}), (), ladder.without_model(buyers), None, {}, ())
    fits = ladder.candidates(asked, ladder.fit_families(asked, buyers))
    values = ladder.ways(asked, buyers)
    valued = [backtest.valued(window, asked, tuple(values)) for window in windows]
    errors = tuple(backtest.value_errors(window, there) for window, there in zip(windows, valued, strict=True))
    way = choice.value_way(errors, next(iter(values))) if values else None
    tests = tuple(
        backtest.run(window, asked, tuple(fits.own), there[way] if way is not None else None)
        for window, there in zip(windows, valued, strict=True)
    )
    rung = ladder.pick(asked, fits, [score for test in tests for score in test.orders])
    return Trial(asked, fits, tests, rung, way, values, errors if values else ())
