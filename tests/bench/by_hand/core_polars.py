"""The core columns of `clm rfm`, by hand in Polars: LOG OUTPUT AS_OF. It may not import clm."""

import sys
from datetime import date

import polars as pl

as_of, sale, back = date.fromisoformat(sys.argv[3]), pl.col("kind") == "sale", pl.col("kind") == "return"
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
    first_order_on=pl.col("day").min(),
    last_order_on=pl.col("day").max(),
    order_days=pl.len().cast(pl.Int64),
    log_gap_sum=pl.col("gap").log().sum(),
)
money = (
    days.join(sold.select("customer_id", "first_order_on"), on="customer_id", how="left")
    .group_by("customer_id")
    .agg(
        spend=pl.col("amount").sum(),
        returned_amount=pl.col("returned").sum(),
        repeat_spend=pl.col("amount").filter(pl.col("day") > pl.col("first_order_on")).sum(),
    )
)
first, last, repeats = pl.col("first_order_on"), pl.col("last_order_on"), pl.col("order_days") - 1
table = (
    counts.join(sold, on="customer_id", how="left")
    .join(money, on="customer_id", how="left")
    .with_columns(
        recency_days=(pl.lit(as_of) - last).dt.total_days(),
        age_days=(pl.lit(as_of) - first).dt.total_days(),
        active_days=(last - first).dt.total_days(),
        repeat_days=repeats,
        mean_repeat_spend=pl.when(repeats > 0).then(pl.col("repeat_spend").cast(pl.Float64) / repeats),
    )
)
table.sort("customer_id").sink_parquet(sys.argv[2], engine="streaming")
