"""`backtest`: every forecast `clv` chooses among, on earlier days of the log, beside the naive rules, with what came.

It may not use a day after an origin for the forecast of that origin, or value anybody: it tells how far `clv` can be trusted.
"""

from __future__ import annotations

from dataclasses import fields
from datetime import date, timedelta
from typing import Any

import polars as pl

from clm.dtypes import polars_type
from clm.models import appraisal_facts, appraisal_notes
from clm.models.appraisal_facts import Setting
from clm.models.evaluate import Score
from clm.models.trial import Trial
from clm.outcome import Notice, Outcome, Rows, counted
from clm.settings import BacktestSettings
from clm.stages import agreement, snapshot
from clm.stages.clv.past import Base
from clm.stages.clv.tried import slices_of, tried
from clm.tables import BACKTEST


def backtest(customers: pl.DataFrame | None, orders: pl.LazyFrame, as_of: date, settings: BacktestSettings) -> Outcome:
    """TRANSACTIONS -> BACKTEST, by the protocol `clv` chooses by; `customers`: a CUSTOMERS table of that day to hold it against.

    A log that leaves nothing to test gives no row and the reason as a notice. Raises DataError as `clv` does.
    """
    if customers is None:
        source = snapshot.take(orders, as_of)
        after = int(orders.filter(pl.col("ordered_at").dt.date() > as_of).select(pl.len()).collect(engine="streaming").item())
    else:
        agreement.check_histories(customers)
        source, after = agreement.reconciled(customers, orders, as_of)
    days = slices_of(settings.horizon, as_of).horizon_days
    until = as_of + timedelta(days=days)
    metrics: dict[str, Any] = {"horizon": {"text": str(settings.horizon), "until": until.isoformat(), "days": days}}
    base = Base.of(source, as_of)
    if base is None:
        told = Notice("not_validated", "not validated: nobody in the log bought anything")
        return Outcome(
            _table(None, as_of), Rows(source.height, 0), as_of=as_of, warnings=(told,), metrics=metrics, closing="no test"
        )
    found = tried(base, orders, settings, days)
    around = Setting(base.buyers, days, base.log_days, orders_given=True, test_wanted=True)
    frame = _table(found.trial, as_of)
    scored = {"method": found.trial.rung.method} | appraisal_facts.tested(found.trial, found.rhythm, found.tracking)
    origins = len(found.trial.tests)
    closing = f"{counted(base.frame.height, 'customer')}, {counted(origins, 'origin')}: {appraisal_notes.verdict(found.trial)}"
    return Outcome(
        frame=frame,
        rows=Rows(source.height, frame.height, after_as_of=after),
        as_of=as_of,
        metrics=metrics | scored,
        warnings=tuple(Notice(*one) for one in appraisal_notes.notes_of_test(found.trial, found.rhythm, around)),
        closing=closing,
    )


def _table(trial: Trial | None, as_of: date) -> pl.DataFrame:
    """One row for each score, latest origin first; orders before money, the forecast of lowest deviance first."""
    names = [one.name for one in fields(Score) if one.name not in ("name", "origin", "kind", "horizon_days")]
    rows = [
        {
            "as_of": as_of,
            "origin": date.fromisoformat(one.origin),
            "horizon_days": one.horizon_days,
            "of": of,
            "method": one.name,
            "kind": one.kind,
            "used": trial.rung.tested and one.name == trial.rung.method,
        }
        | {name: getattr(one, name) for name in names}
        for test in trial.tests
        for of, scores in (("orders", test.orders), ("spend", test.spend))
        for one in sorted(scores, key=lambda score: (score.rmse if of == "spend" else score.poisson_deviance, score.name))
    ] if trial is not None else []  # fmt: skip
    return pl.DataFrame(rows, schema={column.name: polars_type(column) for column in BACKTEST.columns}, orient="row")
