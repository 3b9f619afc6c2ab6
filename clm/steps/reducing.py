"""The step of `rfm`: order lines of a file, of an object store or on a Spark cluster become customers.

It may not compute: it opens, says how much may be reduced at once, calls the pure stage, and hands on.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clm import cuts_file
from clm.errors import DataError
from clm.formats import Emit
from clm.model_file import Model
from clm.outcome import Notice, Outcome
from clm.settings import CommonSettings, RfmSettings, recorded
from clm.steps.step import Step, aside, finish, model_of, orders_table, saved
from clm.tables import TRANSACTIONS

if TYPE_CHECKING:
    from clm.engines.frames import Orders
    from clm.stages.snapshot import Totals
    from clm.storage.files import Opened
    from clm.storage.publish import Output


def rfm(
    source: Path,
    settings: RfmSettings,
    common: CommonSettings,
    emit: Emit,
    scratch: Path,
    model: Model | None = None,
    save: Callable[[bytes], Output] | None = None,
) -> Step:
    """TRANSACTIONS -> CUSTOMERS with core and behaviour columns and scores. `model` is what a run applies; `save` writes one."""
    orders = orders_table(source)
    return _rfm(orders.frame, [orders], settings, common, emit, scratch, model, save)


def rfm_elsewhere(
    source: str,
    settings: RfmSettings,
    common: CommonSettings,
    emit: Emit,
    scratch: Path,
    save: Callable[[bytes], Output] | None = None,
) -> Step:
    """`rfm` of TRANSACTIONS that are no file of this machine: reduced on a Spark cluster, of whose catalogue `source` is a table
    or as it sees a path; or in an object store at the address `source`, and reduced here.
    """
    import polars as pl

    from clm.engines import frames, spark, stores
    from clm.stages import snapshot
    from clm.storage import contract

    on_spark = settings.engine == "spark"
    with spark.orders(source, settings.remote) if on_spark else stores.orders(source) as orders:
        contract.check_schema(frames.types(orders), TRANSACTIONS, TRANSACTIONS.needed("clean"), source)
        if isinstance(orders, pl.LazyFrame):
            contract.check_data(orders, TRANSACTIONS, source)
            notice = Notice("no_provenance", "the log lies in an object store: where its numbers come from is not known")
        else:
            spark.check(orders, source)
            notice = Notice("no_provenance", "the table lies on a Spark cluster: where its numbers come from is not known")

        def check(found: Outcome) -> None:
            with nullcontext(orders) if on_spark else stores.orders(source) as now:
                _check_still(found, snapshot.totals(now), source)

        return _rfm(orders, [], settings, common, emit, scratch, None, save, (notice,), check)


def _rfm(
    orders: Orders,
    parents: list[Opened],
    settings: RfmSettings,
    common: CommonSettings,
    emit: Emit,
    scratch: Path,
    model: Model | None,
    save: Callable[[bytes], Output] | None,
    notices: tuple[Notice, ...] = (),
    check: Callable[[Outcome], None] | None = None,
) -> Step:
    from clm import resources
    from clm.engines.hold import whole
    from clm.stages import rfm as stage
    from clm.storage import slices

    cuts = cuts_file.load(settings.cuts)[0] if settings.cuts else None
    model = model or model_of(settings.model)
    given = stage.Given(cuts, model.of("rfm") if model else None)

    def compute() -> Outcome:
        room, need = resources.room(common.threads, common.memory_limit), partial(resources.reducing, settings.columns)
        cut = whole if check is not None else partial(slices.of_customers, folder=scratch / "slices", room=room, need=need)
        found = stage.rfm(orders, settings, given, aside(scratch, common), cut)
        if check is not None:
            check(found)
        return replace(found, warnings=(*notices, *found.warnings))

    record = recorded(settings, common) | beside_rfm(settings, model)
    return saved(finish("rfm", compute, record, parents, emit), save)


def _check_still(found: Outcome, now: Totals, source: str) -> None:
    """Raises DataError when a log that is no file of this machine is another than it was: it is read several times."""
    if (now.rows, now.amount) != (found.rows.rows_in, found.amount.amount_in if found.amount is not None else now.amount):
        raise DataError(
            "the log was changed while it was read", where=source, fix="run again when nobody writes there", code="changed"
        )


def beside_rfm(settings: RfmSettings, model: Model | None) -> dict[str, Any]:
    """What decides the scores beside the recorded settings: what the files of cut-offs say, by their hash."""
    model = model or model_of(settings.model)
    cuts = {"cuts": cuts_file.load(settings.cuts)[1]} if settings.cuts else {}
    return cuts | ({"model": model.identity} if model else {})
