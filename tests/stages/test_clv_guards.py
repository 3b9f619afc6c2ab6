"""The guards of `clv`: each speaks where it must, is silent where it must not, and what is done instead is what was said."""

from __future__ import annotations

import random
from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest

from clm.errors import UsageError
from clm.models import btyd
from clm.outcome import Outcome
from clm.stages import snapshot
from tests.logs import Line, transactions
from tests.stages.test_clv import AS_OF, LOGS, START, check_contract, codes, frame, made, shop

SHOP = shop(1500, leave=0.2, seed=21)


def said(outcome: Outcome, code: str) -> str:
    return next(notice.text for notice in outcome.warnings if notice.code == code)


@pytest.fixture(scope="module")
def usual() -> Outcome:
    """A shop with enough of everything."""
    return made(SHOP, horizon="90d")


def test_a_usual_shop_is_only_told_what_holds_of_it(usual: Outcome) -> None:
    """No guard speaks but the season, which 500 days cannot show."""
    assert codes(usual) == {"season_not_modelled"}
    assert usual.metrics["status"] == "ok"


def test_two_years_of_log_are_two_cycles() -> None:
    """From 730 days on nothing is said of the season."""
    log = shop(700, days=800, leave=0.2)
    assert "season_not_modelled" not in codes(made(log, START + timedelta(days=800), no_backtest=True))


def _clocked(gap: list[int], customers: int = 300, seed: int = 2) -> pl.DataFrame:
    """Customers who order every so many days until they stop."""
    dice = random.Random(seed)
    lines: list[Line] = []
    for number in range(customers):
        day, order = dice.randrange(60), 0
        while day <= 500:
            lines.append(
                (f"c{number:04}", f"o{number}-{order}", str(START + timedelta(days=day)), f"{dice.gammavariate(4, 5):.2f}")
            )
            if dice.random() < 0.08:
                break
            day, order = day + dice.choice(gap), order + 1
    return transactions(*lines)


def test_gaps_of_the_calendar_look_like_a_contract(usual: Outcome) -> None:
    """Orders every 30 or 31 days: the notice, and no family of regular gaps, as the log tells only months apart."""
    outcome = made(_clocked([30, 31]))
    assert "the gaps between order days are a month or a year long" in said(outcome, "like_a_contract")
    assert outcome.metrics["rhythm"]["resolution_days"] == 30
    assert {one["erlang"] for one in outcome.metrics["candidates"]} == {1}
    assert "like_a_contract" not in codes(usual)


def _regular(customers: int = 500, k: int = 4, seed: int = 3) -> pl.DataFrame:
    """Customers whose gaps are Erlang of order k around a rhythm of their own, until they stop."""
    dice = random.Random(seed)
    lines: list[Line] = []
    for number in range(customers):
        day, scale = float(dice.randrange(150)), 45 / k * dice.gammavariate(3.0, 1 / 3)
        while day <= 500:
            lines.append((f"c{number:04}", f"o{len(lines)}", str(START + timedelta(days=int(day))), "9.00"))
            if dice.random() < 0.12:
                break
            day += 1 + dice.gammavariate(k, scale)
    return transactions(*lines)


def test_regular_gaps_that_can_be_told_are_fitted_and_used() -> None:
    """Gaps of Erlang order 4, customers who stop: BG/CNBD-k or MBG/CNBD-k with k above 1 forecasts best and is used."""
    log = _regular()
    outcome = made(log, horizon="90d")
    used = outcome.metrics["model"]
    assert used["family"] in ("bgcnbd", "mbgcnbd")
    assert 3 <= used["erlang"] <= 5
    assert outcome.metrics["method"] == used["family"]
    assert set(frame(outcome)["clv_method"]) == {used["family"]}
    deviance = outcome.metrics["choice"]["mean_deviance"]
    assert deviance[used["family"]] < min(deviance[name] for name in ("nbd", "bgnbd", "mbgnbd", "paretonbd"))
    assert not {"like_a_contract", "regularity_not_told"} & codes(outcome)
    check_contract(outcome, snapshot.take(log.lazy(), AS_OF))
    untested = made(log, horizon="90d", no_backtest=True)
    assert untested.metrics["method"] == "nbd"
    assert "no back-test shows" in said(untested, "attrition_not_identified")


def test_gaps_too_short_to_tell_their_regularity_are_poisson() -> None:
    """BG/CNBD-k by name where half of the gaps are days: k is 1 and the notice says why; a given k is taken as it is."""
    log = _clocked([2, 3, 4, 5, 6, 9], 200)
    auto = made(log, model_family="bgcnbd", no_backtest=True)
    assert auto.metrics["candidates"][-1]["erlang"] == 1
    assert "too short in a log that tells days apart" in said(auto, "regularity_not_told")
    assert "without the orders" in said(made(log, model_family="bgcnbd", orders=False), "regularity_not_told")
    given = made(log, model_family="bgcnbd", erlang=2, no_backtest=True)
    assert given.metrics["candidates"][-1]["erlang"] == 2
    assert "regularity_not_told" not in codes(given)


@pytest.mark.parametrize("family", ["nbd", "bgnbd", "mbgnbd", "paretonbd"])
def test_an_erlang_order_goes_with_families_of_regular_gaps_alone(family: str) -> None:
    """k = 2 of a Poisson family is a mistake of the command line; k = 1 is what it is."""
    with pytest.raises(UsageError, match="bgcnbd and mbgcnbd"):
        made(LOGS["a shop"], model_family=family, erlang=2, no_backtest=True)
    assert made(LOGS["a shop"], model_family=family, erlang=1, no_backtest=True).metrics["candidates"]


@pytest.mark.parametrize("family", ["paretonbd", "bgcnbd", "mbgcnbd"])
def test_every_family_can_be_asked_for(family: str) -> None:
    """By name: fitted beside NBD, used where identified, finite everywhere."""
    outcome = made(SHOP, model_family=family, horizon="90d")
    check_contract(outcome, snapshot.take(SHOP.lazy(), AS_OF))
    assert outcome.metrics["method"] == family
    assert [one["family"] for one in outcome.metrics["candidates"]] == ["nbd", family]


def test_one_fake_customer_with_5000_order_days_bends_nothing(usual: Outcome) -> None:
    """The others keep their parameters and, to the last bit, their expected orders; the fake one gets a forecast of its own."""
    first = AS_OF - timedelta(days=5000)
    fake = [("fake", f"f{day}", str(first + timedelta(days=day)), "1.00") for day in range(5001)]
    outcome = made(pl.concat([SHOP, transactions(*fake)]), horizon="90d")
    assert "of all repeat order days each make" in said(outcome, "dominant_customer") or "more than a tenth" in said(
        outcome, "dominant_customer"
    )
    ours = {one["family"]: one["parameters"] for one in outcome.metrics["candidates"]}
    for one in usual.metrics["candidates"]:
        assert ours[one["family"]] == one["parameters"]
    told = frame(outcome).filter(pl.col("customer_id") == "fake")
    assert 60 < told["expected_orders"].item() <= 91
    assert "dominant_customer" not in codes(usual)


def test_a_heavy_buyer_up_to_the_last_day_is_alive_and_finite() -> None:
    """x = 132 with t = T, where lifetimes gives NaN: P(alive) near 1 in every family, and orders like those before."""
    heavy = [("heavy", f"h{n}", str(AS_OF - timedelta(days=round(n * 500 / 132))), "7.00") for n in range(133)]
    log = pl.concat([SHOP, transactions(*heavy)])
    for family in ("bgnbd", "mbgnbd", "paretonbd"):
        row = frame(made(log, model_family=family, horizon="90d", no_backtest=True)).filter(pl.col("customer_id") == "heavy")
        assert (row["repeat_days"].item(), row["recency_days"].item()) == (132, 0)
        assert row["p_alive"].item() > 0.9
        assert 10 < row["expected_orders"].item() < 132 / 500 * 90 * 1.1


def test_the_number_of_repeat_buyers_is_a_guard() -> None:
    """Below 100 no family, below 500 a word, from 500 on none."""
    few, some = made(LOGS["few customers"]), made(LOGS["a shop"], no_backtest=True)
    assert "a model needs 100" in said(few, "few_repeat_buyers")
    assert "the parameters are rough" in said(some, "few_repeat_buyers")
    repeaters = SHOP.group_by("customer_id").agg(pl.col("ordered_at").dt.date().n_unique()).filter(pl.col("ordered_at") > 1)
    assert repeaters.height >= 500


def test_attrition_that_nobody_shows_is_said_and_not_invented(usual: Outcome) -> None:
    """Poisson buyers who never leave: NBD, no P(alive), the words; in a shop where people leave, P(alive) and no such words."""
    dice = random.Random(6)
    lines: list[Line] = []
    for number in range(400):
        day, rate = float(number % 20), dice.gammavariate(3.0, 1 / 60)
        while day <= 500:
            lines.append((f"c{number:04}", f"o{len(lines)}", str(START + timedelta(days=int(day))), "10.00"))
            day += 1 + dice.expovariate(rate)
    outcome = made(transactions(*lines), horizon="90d", erlang=1)
    assert outcome.metrics["method"] == "nbd"
    assert frame(outcome)["p_alive"].null_count() == frame(outcome).height
    assert said(outcome, "attrition_not_identified").startswith("attrition not identified")
    assert "attrition_not_identified" not in codes(usual)
    assert frame(usual)["p_alive"].null_count() == 0


def test_a_model_of_spend_that_cannot_be_is_replaced_and_said(usual: Outcome) -> None:
    """All order values equal: no Gamma-Gamma, every order at that value; in a usual shop Gamma-Gamma values."""
    outcome = made(LOGS["spend all equal"])
    assert outcome.metrics["spend_method"] == "shrunken_mean"
    assert "the shrunken mean values orders instead" in said(outcome, "spend_constant")
    worth = frame(outcome).filter(pl.col("expected_orders") > 0).select(pl.col("expected_spend") / pl.col("expected_orders"))
    assert worth.to_series().to_list() == pytest.approx([10.0] * worth.height)
    assert usual.metrics["spend_method"] == "gammagamma"
    assert "spend_constant" not in codes(usual)


def _repeats(log: pl.DataFrame, customer: str) -> int:
    row: dict[str, Any] = snapshot.take(log.lazy(), AS_OF).filter(pl.col("customer_id") == customer).row(0, named=True)
    return int(row["repeat_days"])


def test_days_with_only_a_refund_are_no_orders() -> None:
    """A refund months later changes money, neither the history nor the orders expected."""
    day = str(AS_OF - timedelta(days=3))
    refunded = pl.concat([LOGS["a shop"], transactions(("c0001", "back", day, "-5.00"))])
    assert _repeats(refunded, "c0001") == _repeats(LOGS["a shop"], "c0001")
    plain, outcome = (frame(made(log, orders=False)) for log in (LOGS["a shop"], refunded))
    assert outcome["expected_orders"].equals(plain["expected_orders"])


def test_orders_of_one_day_are_one_order_day() -> None:
    """Three orders on one day are bought once: the same history, the money of all of them."""
    again = LOGS["a shop"].with_columns(order_id=pl.col("order_id") + "-again")
    twice = pl.concat([LOGS["a shop"], again])
    plain, outcome = (frame(made(log, orders=False)) for log in (LOGS["a shop"], twice))
    assert outcome["repeat_days"].equals(plain["repeat_days"])
    assert outcome["expected_orders"].equals(plain["expected_orders"])
    assert outcome["orders"].sum() == 2 * plain["orders"].sum()


def test_every_fit_by_lifetimes_stands_beside_clm_s() -> None:
    """--estimator lifetimes: all families it knows, at nearly the same likelihood, forecasts by those."""
    outcome = made(SHOP, estimator="lifetimes", no_backtest=True, erlang=1)
    theirs = {one["family"]: one["log_likelihood"] for one in outcome.metrics["candidates_lifetimes"]}
    ours = {one["family"]: one["log_likelihood"] for one in outcome.metrics["candidates"]}
    assert set(theirs) == {"bgnbd", "mbgnbd", "paretonbd"}
    for family, value in theirs.items():
        assert value == pytest.approx(ours[family], abs=0.05)
    assert btyd.MIN_REPEAT_CUSTOMERS == 100
    assert date(2020, 1, 1) == START
