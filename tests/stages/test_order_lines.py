"""Order lines: rows collapsed into their order, whatever became of it, in a plan that streams."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from clm import ingest
from clm.settings import CleanSettings
from clm.stages import clean
from clm.stages.clean import order_lines
from clm.stages.clean.judge import COLUMN, REASON
from clm.stages.clean.meanings import LINE_ROW
from tests.cleaning import clean_text
from tests.plans import assert_streams

HEAD = "order,customer,date,total,status\n"


def test_the_plan_streams(tmp_path: Path) -> None:
    """Finding the order of a line is a join that flows: no column is gathered whole."""
    (tmp_path / "log.csv").write_text(HEAD + "1,A,2024-01-02,5,paid\n1,,,,\n")
    log = ingest.read_text([tmp_path / "log.csv"], CleanSettings(one_row_per_order=True))
    reading = ingest.understand(log, log.settings)
    clean.judge(log.frame, reading, log.settings).sink_parquet(tmp_path / "spool")
    settled = clean.settle(pl.scan_parquet(tmp_path / "spool", glob=False), reading, log.settings)
    for frame in (settled.outcome.frame.lazy(), settled.rejects):
        assert_streams(frame)


def test_which_rows_are_lines_of_an_order_that_is_there() -> None:
    """Each by itself: a line, an order's own row, a line of no order, a line with a day of its own, one with another fault."""
    judged = pl.LazyFrame(
        [
            ("1", False, None, None), ("1", True, "date", "date"), ("1", True, "amount", "total"),
            ("1", True, "no_customer", "customer"), ("1", True, None, None), ("1", True, "cancelled", "status"),
            ("2", False, "cancelled", "status"), ("2", True, "date", "date"), ("2", False, "date", "date"),
            ("3", True, "date", "date"), (None, True, "date", "date"), (None, False, None, None),
        ],
        schema={"order_id": pl.String, LINE_ROW: pl.Boolean, REASON: pl.String, COLUMN: pl.String},
        orient="row",
    )  # fmt: skip
    told = order_lines.collapsed(judged, SimpleNamespace(one_row_per_order=True)).collect()  # type: ignore[arg-type]
    line, date = ("order_line", None), ("date", "date")
    assert told.select(REASON, COLUMN).rows() == [
        (None, None), line, line, line, (None, None), ("cancelled", "status"), ("cancelled", "status"), line, date, date, date,
        (None, None),
    ]  # fmt: skip
    assert told["order_id"].equals(judged.collect()["order_id"])
    assert order_lines.collapsed(judged, SimpleNamespace(one_row_per_order=False)) is judged  # type: ignore[arg-type]


_ORDERS = st.lists(st.tuples(st.sampled_from(["paid", "cancelled", "lost"]), st.integers(0, 3)), min_size=1, max_size=12)


@settings(max_examples=25)
@given(_ORDERS, st.randoms(use_true_random=False))
def test_every_row_is_one_of_three(tmp_path_factory: object, orders: list[tuple[str, int]], random: object) -> None:
    """In any order of rows: an order's row is kept or rejected, its lines are collapsed, lines of no order are rejected."""
    rows: list[str] = []
    for number, (fate, lines) in enumerate(orders):
        rows += [f"{number},C{number % 3},2024-01-{number + 1:02d},{number}.25,{fate}"] if fate != "lost" else []
        rows += [f"{number},,,,"] * lines
    random.shuffle(rows)  # type: ignore[attr-defined]
    folder = tmp_path_factory.mktemp("lines")  # type: ignore[attr-defined]
    if not any(row[-1] != "," for row in rows):
        return
    done = clean_text(HEAD + "\n".join(rows) + "\n", folder, one_row_per_order=True, max_rejects=1.0, date_format="%Y-%m-%d")
    outcome = done.settled.outcome
    of = {
        fate: [(number, lines) for number, (one, lines) in enumerate(orders) if one == fate]
        for fate in ("paid", "cancelled", "lost")
    }
    assert outcome.rows.rows_out == len(of["paid"])
    assert outcome.rows.rejected.get("cancelled", 0) == len(of["cancelled"])
    assert outcome.rows.collapsed.get("order_line", 0) == sum(lines for _, lines in (*of["paid"], *of["cancelled"]))
    assert outcome.rows.rejected.get("date", 0) == sum(lines for _, lines in of["lost"])
    assert outcome.amount is not None
    assert sum(done.column("amount")) == sum(Decimal(f"{number}.25") for number, _ in of["paid"]) == outcome.amount.amount_out
