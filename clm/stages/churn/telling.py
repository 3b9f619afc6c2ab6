"""What is told of a churn run beside the table: metrics for `--json`, warnings, the closing line, the texts of the reasons.

It may not decide or compute a probability.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import polars as pl

from clm.models import classify_backtest, classify_fit
from clm.models.btyd import MIN_REPEAT_CUSTOMERS
from clm.models.classify_backtest import Past
from clm.models.classify_buyers import Typical
from clm.outcome import Notice, counted
from clm.stages.churn import applied
from clm.stages.churn.windows import SHORTEST_HISTORY_DAYS, Known, Snapshot
from clm.tables import CHURN_RISKS, CHURN_STATUSES, NO_PURCHASE


def metrics(
    frame: pl.DataFrame, now: Snapshot | None, past: Past | None, method: str, drifted: dict[str, Any] | None = None
) -> dict[str, Any]:
    """The `metrics` of `--json`; base rates are shares who placed no order in the horizon. `drifted`: of a saved model."""
    counts = {name: dict(frame.group_by(name).len().iter_rows()) for name in ("churn_status", "churn_risk")}
    return {
        "horizon_days": now.buyers.horizon_days if now else None,
        "chosen": method,
        **(past.to_json() if past else classify_backtest.NOTHING_LEARNED),
        **({"chosen_on": "model", **drifted} if drifted is not None else applied.NOT_APPLIED),
        "family": now.model.family if now and now.model else None,
        "customers": frame.height,
        "status": {status: counts["churn_status"].get(status, 0) for status in CHURN_STATUSES},
        "risk": {risk: counts["churn_risk"].get(risk, 0) for risk in CHURN_RISKS},
    }


def why_untested(orders: pl.LazyFrame | None, known: Known) -> str:
    horizon_days = known.now.buyers.horizon_days
    if orders is None:
        return "without the order log (--orders) there is no past window to test on"
    if not known.windows:
        return (
            f"the log holds no complete window: {counted(horizon_days, 'day')} of labels after at least "
            f"{max(horizon_days, SHORTEST_HISTORY_DAYS):,} days with {MIN_REPEAT_CUSTOMERS} repeat customers"
        )
    if len(known.windows) == 1 and classify_fit.enough_events(known.windows):
        return "no labelled window lies before the one that tests"
    return f"the past windows hold fewer than {classify_fit.MIN_EVENTS} customers who left, or who came back"


def notices(now: Snapshot, past: Past | None, why: str) -> Iterator[Notice]:
    if now.model is None:
        yield Notice("too_little_history", f"no churn probability: fewer than {MIN_REPEAT_CUSTOMERS} customers ordered twice")
    elif past is None:
        yield Notice("not_validated", f"the return probability is not validated: {why}")
    else:
        if past.verdict.chosen_on == "test":
            trained = counted(len(past.training), "training window")
            yield Notice("chosen_on_test", f"the method was chosen on the window that tests it ({trained}, fewer than 3)")
        if past.drift is not None:
            yield Notice("base_rate_shift", past.drift)
        if past.verdict.no_skill is not None:
            yield Notice("no_skill", past.verdict.no_skill)
        better = past.verdict.beaten_by
        if better is not None:
            lucky = " (a difference luck can explain)" if _may_be_luck(past, better) else ""
            yield Notice("beaten", f"{better} has a lower log-loss than {past.verdict.chosen} on the test window{lucky}")


def _may_be_luck(past: Past, better: str) -> bool:
    """Whether the interval of the difference from the chosen method holds 0."""
    pair = (better, past.verdict.chosen)
    return any(one.high >= 0.0 for one in past.differences if (one.name, one.against) == pair and one.score == "log_loss")


def lines(told: dict[str, Any]) -> list[str]:
    """The table of the candidates as lines of text of at most 80 columns, lowest log-loss first, a star at the chosen one."""
    if not told["candidates"]:
        return []
    chosen = told["chosen"]
    beside = {one["name"]: one for one in told["differences"] if (one["against"], one["score"]) == (chosen, "log_loss")}
    found = [f"  tested on {told['test_on']}  AUC  log-loss  calibration  log-loss beside {chosen}"]
    for row in sorted(told["candidates"], key=lambda one: float(one["log_loss"])):
        name = f"{row['name']} *" if row["name"] == chosen else row["name"]
        auc = "  -  " if row["auc"] is None else f"{row['auc']:.3f}"
        line = f"  {name:<18}  {auc}     {row['log_loss']:.3f}        {row['calibration_error']:.3f}"
        if row["name"] in beside:
            one = beside[row["name"]]
            line += f"  {one['difference']:+.3f} ({one['low']:+.3f} to {one['high']:+.3f})"
        found.append(line)
    return found


def closing(frame: pl.DataFrame, horizon_days: int, past: Past | None, method: str, drifted: dict[str, Any] | None = None) -> str:
    statuses, risks = frame["churn_status"], frame["churn_risk"]
    counts = [(int((risks == risk).sum()), f"{risk} risk") for risk in reversed(CHURN_RISKS)]
    counts.append((int((statuses == "too_little_history").sum()), "with too little history"))
    counts.append((int((statuses == NO_PURCHASE).sum()), "without a purchase"))
    told = f"{counted(frame.height, 'customer')} = {' + '.join(f'{number:,} {what}' for number, what in counts if number)}"
    if method == "none":
        return told
    if drifted is not None:
        psi = "" if drifted["psi"] is None else f", psi {drifted['psi']:.2f}"
        return f"{told}; {counted(horizon_days, 'day')}, {method} as saved{psi}"
    if past is None:
        return f"{told}; {counted(horizon_days, 'day')}, {method}, not validated"
    auc, loss = past.verdict.winner.scores["auc"], past.verdict.winner.scores["log_loss"]
    return f"{told}; {counted(horizon_days, 'day')}, {method}, AUC {auc:.3f}, log-loss {loss:.3f} on {past.test.on}"


def reason_texts(usual: Typical, columns: list[str]) -> list[pl.Expr]:
    """One text for each of REASONS, in their order: the customer's number, then what it is compared with."""
    own_spend = pl.col("spend").cast(pl.Float64) / pl.col("order_days")
    repeat = usual["repeat_days"]

    def beside(name: str, places: int, value: pl.Expr | None = None) -> pl.Expr:
        known = value if value is not None else pl.col(name) if name in columns else pl.lit(None, pl.Int64)
        return _pair(name, known, f"usual_{name}", usual[name], places)

    return [
        _pair("silent_days", pl.col("recency_days"), "own_rhythm_days", pl.col("rhythm_days"), 1),
        _pair("order_days", pl.col("order_days"), "usual_order_days", None if repeat is None else repeat + 1, 0),
        beside("recent_order_days", 0),
        beside("earlier_order_days", 0),
        beside("spend_per_order_day", 2, own_spend),
        beside("recent_spend", 2),
        beside("returns", 0),
        beside("last_gap_days", 0),
        beside("longest_gap_days", 0),
        beside("products", 0),
    ]


def _pair(code: str, value: pl.Expr, other: str, compared: pl.Expr | float | None, places: int) -> pl.Expr:
    compared = compared if isinstance(compared, pl.Expr) else pl.lit(compared, pl.Float64)
    numbers = (one.cast(pl.Float64).round(places).cast(pl.String).str.strip_suffix(".0") for one in (value, compared))
    return pl.format(f"{code}={{}};{other}={{}}", *numbers)
