"""The steps that tell: `migrate`, `cohort`, `list`, `show`, and `report` with its documents.

It may not compute: it opens, calls the pure stage, and hands on.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clm.errors import DataError, InputError
from clm.formats import Emit
from clm.outcome import Outcome, Rows, counted
from clm.settings import (
    CohortSettings,
    CommonSettings,
    ListSettings,
    ReportSettings,
    recorded,
)
from clm.steps.step import Step, customers_table, finish, orders_table, setting_of
from clm.tables import COHORTS, CUSTOMERS, LIST, MEMBERS, METRICS, MIGRATION

if TYPE_CHECKING:
    import polars as pl

    from clm.report.story import Chapter
    from clm.stages.migrate import Made
    from clm.storage.facts import Facts
    from clm.storage.files import Opened
    from clm.storage.publish import Output


# of a run's folder: the log, and the tables of customers, the one of most stages first
_LOG, _TABLES = "clean.parquet", ("customers.parquet", "clv.parquet", "segments.parquet", "rfm.parquet")
_COMPARED = ("customer_id", "as_of", "spend")  # what two tables of customers must have to be held against each other


def migrate(earlier: Path, later: Path, settings: Any, common: CommonSettings, emit: Emit) -> Step:
    """Two CUSTOMERS -> MIGRATION: who moved, and in the metrics a matrix for each thing they can move in."""
    from clm.stages import migrate as stage

    before, after = (customers_table(path, list(_COMPARED)) for path in (earlier, later))

    def compute() -> Outcome:
        return stage.migrate(before.frame.collect(), after.frame.collect(), _made(before), _made(after))

    return finish("migrate", compute, recorded(settings, common), [after, before], emit, MIGRATION)


def _made(opened: Opened) -> Made:
    """How segments, tiers and clusters of a table were made, from the facts that travel in the file."""
    from clm.stages.migrate import Made

    records = [one for one in opened.lineage if one.get("stage") == "segment"]
    record = records[-1] if records else {}
    settings, metrics = record.get("settings", {}), record.get("metrics", {})
    orders = {
        of: list(metrics[name])
        for of, name in (("segment", "segments"), ("tier", "tiers"))
        if isinstance(metrics.get(name), dict)
    }
    rests = {
        "segment": settings.get("scheme"),
        "tier": settings.get("tiers"),
        "cluster": (record.get("learned") or {}).get("clusters"),
    }
    return Made(orders, rests, opened.facts.currency if opened.facts else None)


def render_migration(step: Step) -> list[str]:
    """A migrate step's matrices as lines of text, 80 columns wide at most."""
    from clm.report import matrices

    return matrices.lines(step.outcome.metrics, step.facts.currency)


def cohort(source: Path, settings: CohortSettings, common: CommonSettings, emit: Emit) -> Step:
    """TRANSACTIONS -> COHORTS, or with `members` MEMBERS."""
    from clm.stages import cohort as stage

    orders = orders_table(source)
    table = MEMBERS if settings.members else COHORTS
    return finish("cohort", lambda: stage.cohort(orders.frame, settings), recorded(settings, common), [orders], emit, table)


def render_cohorts(step: Step, width: int) -> list[str]:
    """A cohort step's retention as lines of text."""
    from clm.report import triangle

    return triangle.lines(step.outcome.frame.lazy().collect(), width)


def choose(source: Path, settings: ListSettings, common: CommonSettings, emit: Emit) -> Step:
    """CUSTOMERS -> LIST: the chosen customers, in the words of a language."""
    from clm.report import told
    from clm.report.words import load
    from clm.stages import choosing as stage

    customers = customers_table(source, CUSTOMERS.needed("rfm"))

    def compute() -> Outcome:
        chosen = stage.choose(customers.frame.collect(), settings)
        return replace(chosen, frame=told.in_words(chosen.frame.lazy().collect(), load(settings.lang)))

    return finish("list", compute, recorded(settings, common), [customers], emit, LIST)


def list_columns(step: Step, lang: str) -> tuple[list[str], list[str]]:
    """What a list step's frame may call the column it is sorted by, and its columns of sentences."""
    from clm.report.words import load
    from clm.stages import choosing as stage

    words = load(lang)

    def called(*names: str) -> list[str]:
        return [*names, *(words.name("column", name) for name in names)]

    return called(step.outcome.metrics["sorted_by"]), called(*stage.MADE_OF)


def show(customer: str, folder: Path, lang: str) -> tuple[dict[str, Any], list[Chapter], str]:
    """One customer of a run's folder: the row as JSON values with the last orders, chapters of the story, and its title.

    Raises InputError without customers in the folder, DataError for a customer it does not have (without naming them).
    """
    import polars as pl

    from clm.report import story
    from clm.report.words import load, plain

    customers = customers_table(_latest(folder) if folder.is_dir() else folder, CUSTOMERS.needed("rfm"))
    found = customers.frame.filter(pl.col("customer_id") == customer).collect(engine="streaming")
    if not found.height:
        raise DataError(
            "there is no such customer in the table",
            where=customers.name,
            fix=_how_ids_look(customers, customer),
            code="customer",
        )
    row = found.row(0, named=True)
    orders, log = None, folder / _LOG
    if folder.is_dir() and log.is_file():
        mine = orders_table(log).frame.filter(
            (pl.col("customer_id") == customer) & (pl.col("ordered_at").dt.date() <= row["as_of"])
        )
        orders = story.last_orders(mine)
    facts = customers.facts.to_json() if customers.facts else {}
    words = load(lang, customers.facts.currency if customers.facts else None)
    title = words("story.title", id=plain(customer), day=words.day(row["as_of"]))
    record = _json(found)[0] | ({"last_orders": _json(orders)} if orders is not None else {})
    return record, list(story.story(row, orders, words, facts)), title


def _latest(folder: Path) -> Path:
    """The table of customers that went furthest down the chain."""
    for name in _TABLES:
        if (folder / name).is_file():
            return folder / name
    raise InputError(
        "the folder has no table of customers",
        where=f"{folder}: none of {', '.join(_TABLES)}",
        fix="name the folder of a `clm run`, or a CUSTOMERS file: clm show CUSTOMER_ID FILE",
        code="no_customers",
    )


def _how_ids_look(customers: Opened, customer: str) -> str:
    """What may be wrong with an id the table does not have, without telling any it has."""
    import polars as pl

    if setting_of(customers, "clean", "key_id", None) is not None:
        return "its customers stand under codes (clean --pseudonymise): give the code"
    lengths = customers.frame.select(pl.col("customer_id").str.len_chars().unique()).collect(engine="streaming")["customer_id"]
    if lengths.len() == 1 and lengths[0] != len(customer):
        return f"every id there has {lengths[0]} signs, this one {len(customer)}: leading zeros count"
    return "ids are compared as they are written there, with leading zeros and case"


def _json(frame: pl.DataFrame) -> list[dict[str, Any]]:
    """Rows as JSON values: decimals as text, days in ISO."""
    import polars as pl

    texts = frame.with_columns(pl.col(pl.Decimal).cast(pl.String), pl.col(pl.Date, pl.Datetime).dt.to_string("iso"))
    return list(texts.iter_rows(named=True))


def render_story(title: str, chapters: list[Chapter], width: int) -> list[str]:
    """The story as lines for a terminal."""
    from clm.report import story

    return list(story.lines(title, tuple(chapters), width))


def report(source: Path, settings: ReportSettings, common: CommonSettings, emit: Emit) -> Step:
    """CUSTOMERS -> METRICS: every number of the report; `render` turns them into a document."""
    from clm.report import metrics, order_numbers
    from clm.stages import agreement
    from clm.stages import migrate as stage

    customers = customers_table(source, CUSTOMERS.needed("rfm"))
    orders = orders_table(Path(settings.orders)) if settings.orders else None
    before = customers_table(Path(settings.previous), list(_COMPARED)) if settings.previous else None

    def compute() -> Outcome:
        base = customers.frame.collect()
        day = agreement.one_day(base, "report")
        known = {record.get("sha256") for record in customers.lineage}
        if orders is not None and day is not None and orders.sha256 not in known:
            agreement.reconciled(base, orders.frame, day)  # not the file the table came from: it must at least say the same
        moved = stage.migrate(before.frame.collect(), base, _made(before), _made(customers)) if before else None
        facts = customers.facts.to_json() if customers.facts else {}
        log = orders.frame if orders else None
        earlier = _earlier(before) if before and log is None else None
        moves = moved.metrics if moved else None
        least = settings.min_cell
        split = "month" if day is None else order_numbers.split_of(base, day, least)
        numbers = metrics.compute(base, facts, log, moves, _cohorts(log, base, day, least), earlier, least, split)
        hidden = int(numbers["hidden"].sum())
        closing = f"{counted(numbers.height, 'number')} from {customers.name}"
        closing += (
            f", {hidden:,} hidden (about fewer than {settings.min_cell} customers: --min-cell 0 shows all)" if hidden else ""
        )
        return Outcome(
            numbers,
            Rows(base.height, numbers.height),
            as_of=metrics.as_of(numbers),
            metrics={"min_cell": settings.min_cell, "hidden": hidden},
            warnings=moved.warnings if moved else (),
            closing=closing,
        )

    record = recorded(settings, common) | beside_report(settings)
    told = emit if settings.min_cell <= 1 else _untold(emit)
    step = finish("report", compute, record, [customers, orders], told, METRICS, compared=[before])
    return replace(step, named=_first(customers, settings.include_customers)) if settings.include_customers else step


def _first(customers: Opened, number: int) -> pl.DataFrame:
    """The first customers of `clm list`, with what the report tells of each."""
    from clm.report.customers_panel import COLUMNS
    from clm.stages import choosing as stage

    base = customers.frame.collect()
    known = tuple(name for name in COLUMNS if stage.MADE_OF.get(name, name) in base.columns)
    return stage.choose(base, ListSettings(columns=known, top=number)).frame.lazy().collect()


def _untold(emit: Emit) -> Emit:
    """Writes a table without what its ancestors counted: their footers tell of small cells too."""

    def write(frame: Any, table: Any, facts: Facts) -> Output | None:
        kept = ("schema", "table", "table_version", "clm_version", "stage", "settings", "as_of", "source", "bytes", "sha256")
        older = [{key: value for key, value in one.items() if key in kept} for one in facts.ancestors]
        return emit(frame, table, replace(facts, ancestors=older))

    return write


def _earlier(before: Opened) -> pl.DataFrame | None:
    """The earlier table for the key figures; None when it lacks what they need."""
    from clm.report.kpi_numbers import NEEDS

    return before.frame.collect() if set(NEEDS) <= set(before.frame.collect_schema().names()) else None


def _cohorts(log: pl.LazyFrame | None, base: pl.DataFrame, day: date | None, least: int) -> pl.DataFrame | None:
    """COHORTS of the log up to the day of the table, by the shortest period that fits and can be told; None without a sale."""
    from clm.report import cohort_numbers
    from clm.stages import cohort as stage

    first = base["first_order_on"].min()
    if log is None or day is None or first is None:
        return None

    def by(period: str) -> pl.DataFrame:
        return stage.cohort(log, CohortSettings(as_of=day, period=period)).frame.lazy().collect()

    return cohort_numbers.fitting(by, stage.fitting_period(first, day), least)  # type: ignore[arg-type]


def beside_report(settings: ReportSettings) -> dict[str, Any]:
    """What decides the numbers beside the recorded settings: the earlier table, by its hash."""
    from clm.storage import files

    return {"previous": f"sha256:{files.sha256_of(Path(settings.previous))}"} if settings.previous else {}


DOCUMENTS = (".html", ".json", ".md", ".xlsx")


def render(step: Step, suffix: str, lang: str) -> bytes:
    """A report step's numbers as a document: a page, JSON, Markdown or a workbook."""
    from clm.report import document, page, sheets

    numbers = step.outcome.frame.lazy().collect()
    if suffix == ".xlsx":
        return sheets.to_workbook(numbers, step.source_facts, lang, step.named)
    draw = {".html": page.render, ".json": document.to_json, ".md": document.to_markdown}[suffix]
    return draw(numbers, step.source_facts, lang, step.named).encode()


def figures(step: Step, lang: str) -> list[tuple[str, bytes]]:
    """Each chart of a report step as a file name and the bytes of a picture."""
    from clm.report import page

    return [(name, drawn.encode()) for name, drawn in page.figures(step.outcome.frame.lazy().collect(), step.source_facts, lang)]


def render_text(step: Step, lang: str, width: int, colour: bool) -> str:
    """A report step's numbers as a page for the terminal."""
    from clm.report import terminal

    return terminal.render(step.outcome.frame.lazy().collect(), step.source_facts, lang, width, colour, step.named)
