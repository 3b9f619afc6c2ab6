"""`clm rfm --columns core` against the same columns written by hand for Polars and for DuckDB; for `make bench`.

They run as processes of their own, in turn, so that a busy machine slows all. ROWS (lines, 20 a customer), ROUNDS and
CLM_BENCH_FOLDER (where logs are kept for the next time) come from the environment.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import polars as pl
import pytest

from tests.bench.measure import in_turn, keep
from tests.bench.order_logs import transactions

pytestmark = [pytest.mark.skipif("ROWS" not in os.environ, reason="a benchmark: make bench"), pytest.mark.timeout(7200)]

ROWS, ROUNDS = int(os.environ.get("ROWS", "5000000")), int(os.environ.get("ROUNDS", "5"))
LARGEST_RATIO = 1.3
AS_OF = "2023-12-31"
POLARS = f"""
import sys, polars as pl
from datetime import date
as_of, sale, back = date.fromisoformat("{AS_OF}"), pl.col("kind") == "sale", pl.col("kind") == "return"
lines = pl.scan_parquet(sys.argv[1]).with_columns(day=pl.col("ordered_at").dt.date()).filter(pl.col("day") <= as_of)
counts = lines.group_by("customer_id").agg(
    orders=pl.col("order_id").filter(sale).n_unique(), returns=pl.col("order_id").filter(back).n_unique()
)
days = lines.group_by("customer_id", "day").agg(
    sold=sale.any(), amount=pl.col("amount").sum(), returned=-pl.col("amount").filter(back).sum()
)
days = days.sort("customer_id", "day").cache()
bought = days.filter("sold").with_columns(gap=pl.col("day").diff().over("customer_id").dt.total_days())
sold = bought.group_by("customer_id").agg(
    first=pl.col("day").min(), last=pl.col("day").max(), order_days=pl.len(), log_gap_sum=pl.col("gap").log().sum()
)
money = days.join(sold.select("customer_id", "first"), on="customer_id", how="left").group_by("customer_id").agg(
    spend=pl.col("amount").sum(), returned_amount=pl.col("returned").sum(),
    repeat_spend=pl.col("amount").filter(pl.col("day") > pl.col("first")).sum(),
)
table = counts.join(sold, on="customer_id", how="left").join(money, on="customer_id", how="left").with_columns(
    recency_days=(pl.lit(as_of) - pl.col("last")).dt.total_days(), age_days=(pl.lit(as_of) - pl.col("first")).dt.total_days(),
    active_days=(pl.col("last") - pl.col("first")).dt.total_days(), repeat_days=pl.col("order_days").cast(pl.Int64) - 1,
    mean_repeat_spend=pl.col("repeat_spend").cast(pl.Float64) / (pl.col("order_days").cast(pl.Int64) - 1),
)
table.sort("customer_id").sink_parquet(sys.argv[2], engine="streaming")
"""
_DUCKDB = f"""
import sys, duckdb
duckdb.sql(f'''COPY (
WITH lines AS (
    SELECT customer_id, order_id, kind, amount, CAST(ordered_at AS DATE) AS day FROM read_parquet('{{sys.argv[1]}}')
    WHERE CAST(ordered_at AS DATE) <= DATE '{AS_OF}'),
counts AS (
    SELECT customer_id, count(DISTINCT order_id) FILTER (kind = 'sale') AS orders,
    count(DISTINCT order_id) FILTER (kind = 'return') AS returns FROM lines GROUP BY ALL),
days AS (
    SELECT customer_id, day, bool_or(kind = 'sale') AS sold, sum(amount) AS amount,
    -sum(amount) FILTER (kind = 'return') AS returned FROM lines GROUP BY ALL),
bought AS (
    SELECT customer_id, day, day - lag(day) OVER (PARTITION BY customer_id ORDER BY day) AS gap FROM days WHERE sold),
sold AS (
    SELECT customer_id, min(day) AS first, max(day) AS last, count(*) AS order_days, sum(ln(gap)) AS log_gap_sum
    FROM bought GROUP BY ALL),
money AS (
    SELECT customer_id, sum(amount) AS spend, sum(returned) AS returned_amount,
    sum(amount) FILTER (day > first) AS repeat_spend FROM days LEFT JOIN sold USING (customer_id) GROUP BY ALL)
SELECT *, DATE '{AS_OF}' - last AS recency_days, DATE '{AS_OF}' - first AS age_days, last - first AS active_days,
order_days - 1 AS repeat_days, repeat_spend::DOUBLE / nullif(order_days - 1, 0) AS mean_repeat_spend
FROM counts LEFT JOIN sold USING (customer_id) LEFT JOIN money USING (customer_id) ORDER BY customer_id
) TO '{{sys.argv[2]}}' (COMPRESSION zstd)''')
"""


@pytest.fixture(scope="module")
def log() -> Path:
    folder = Path(os.environ.get("CLM_BENCH_FOLDER", Path(tempfile.gettempdir()) / "clm-bench"))
    folder.mkdir(parents=True, exist_ok=True)
    return transactions(folder, ROWS, wide=True)


def test_core_columns_against_both_engines_by_hand(log: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The same orders, spend and days, in at most 1.3 times the time of the faster one."""
    sides = {
        "clm": ["-m", "clm", "rfm", str(log), "--columns", "core", "--as-of", AS_OF, "-q", "-o", str(tmp_path / "clm.parquet")],
        "Polars": ["-c", POLARS, str(log), str(tmp_path / "Polars.parquet")],
        "DuckDB": ["-c", _DUCKDB, str(log), str(tmp_path / "DuckDB.parquet")],
    }
    runs = in_turn({name: [sys.executable, *argv] for name, argv in sides.items()}, ROUNDS)
    ratio = runs["clm"].seconds / min(runs["Polars"].seconds, runs["DuckDB"].seconds)
    keep("rfm, core columns", f"{ROWS:,} lines", runs, ratio, f"≤ {LARGEST_RATIO}")
    with capsys.disabled():
        print(f"\nrfm, core columns, {ROWS:,} lines, {runs['clm'].rounds} rounds")
        for name, run in runs.items():
            print(f"{name}: {run}")
        print(f"{ratio:.2f} times the faster by hand")
    ours = pl.read_parquet(tmp_path / "clm.parquet")
    for name in ("Polars", "DuckDB"):
        theirs = pl.read_parquet(tmp_path / f"{name}.parquet")
        for column in ("customer_id", "orders", "returns", "order_days", "spend", "repeat_spend", "recency_days", "age_days"):
            assert ours[column].fill_null(0).equals(theirs[column].cast(ours[column].dtype).fill_null(0)), (name, column)
    assert ratio <= LARGEST_RATIO
