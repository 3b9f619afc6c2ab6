"""All columns of `clm rfm --columns all`, by hand in Polars: LOG OUTPUT AS_OF. It may not import clm."""

import sys
from datetime import date, timedelta

import polars as pl

as_of, sale, back = date.fromisoformat(sys.argv[3]), pl.col("kind") == "sale", pl.col("kind") == "return"
lines = pl.scan_parquet(sys.argv[1]).with_columns(day=pl.col("ordered_at").dt.date()).filter(pl.col("day") <= as_of)
sales = lines.filter(sale)


def since(column: str, days: int) -> pl.Expr:
    return pl.col(column) > as_of - timedelta(days)


orders = (
    sales.group_by("customer_id", "order_id")
    .agg(last=pl.col("day").max())
    .group_by("customer_id")
    .agg(pl.len().cast(pl.Int64).alias("orders"), *(since("last", n).sum().alias(f"orders_{n}d") for n in (30, 90, 180, 365)))
)
returns = lines.filter(back).group_by("customer_id").agg(returns=pl.col("order_id").n_unique())
kinds = sales.group_by("customer_id").agg(products=pl.col("product_id").n_unique(), categories=pl.col("category").n_unique())
days = lines.group_by("customer_id", "day").agg(
    sold=sale.any(), amount=pl.col("amount").sum(), returned=-pl.col("amount").filter(back).sum(), cost=pl.col("cost").sum(),
    category=pl.col("category").filter(sale).min(), channel=pl.col("channel").filter(sale).min(),
)  # fmt: skip
days = days.sort("customer_id", "day").cache()
gap, day = pl.col("gap"), pl.col("day")
bought = days.filter("sold").with_columns(gap=day.diff().over("customer_id").dt.total_days()).cache()
sold = bought.group_by("customer_id").agg(
    first_order_on=day.min(), last_order_on=day.max(), order_days=pl.len().cast(pl.Int64), log_gap_sum=gap.log().sum(),
    gap_mean_days=gap.mean(), gap_sd_days=gap.std(), longest_gap_days=gap.max(), last_gap_days=gap.max_by("day"),
    first_category=pl.col("category").min_by("day"), last_category=pl.col("category").max_by("day"),
    first_channel=pl.col("channel").min_by("day"),
)  # fmt: skip
median = bought.select(g=gap.quantile(0.5, "lower"))
money = (
    days.join(sold.select("customer_id", "first_order_on"), on="customer_id", how="left")
    .group_by("customer_id")
    .agg(
        spend=pl.col("amount").sum(),
        returned_amount=pl.col("returned").sum(),
        cost=pl.col("cost").sum(),
        repeat_spend=pl.col("amount").filter(day > pl.col("first_order_on")).sum(),
        **{f"spend_{n}d": pl.col("amount").filter(since("day", n)).sum() for n in (30, 90, 365)},
    )
)


def main(name: str) -> pl.LazyFrame:
    """The value of most orders, ties to the smaller text."""
    seen = sales.drop_nulls(name).group_by("customer_id", name).agg(n=pl.col("order_id").n_unique())
    best = seen.sort("n", name, descending=[True, False]).group_by("customer_id", maintain_order=True).first()
    return best.select("customer_id", pl.col(name).alias(f"main_{name}"), pl.col("n").alias(f"main_{name}_share"))


table = orders
for part in (returns, kinds, sold, money, main("channel"), main("device")):
    table = table.join(part, on="customer_id", how="left")
first, last, repeats, active = pl.col("first_order_on"), pl.col("last_order_on"), pl.col("order_days") - 1, pl.col("active_days")
half, both = pl.col("orders_90d").cast(pl.Int64), pl.col("orders_180d").cast(pl.Int64)
gross = pl.col("spend") + pl.col("returned_amount")
table = (
    table.join(median, how="cross")
    .with_columns(
        pl.col("returns").fill_null(0),
        recency_days=(pl.lit(as_of) - last).dt.total_days(),
        age_days=(pl.lit(as_of) - first).dt.total_days(),
        active_days=(last - first).dt.total_days(),
        repeat_days=repeats,
        main_channel_share=pl.col("main_channel_share") / pl.col("orders"),
        main_device_share=pl.col("main_device_share") / pl.col("orders"),
        mean_repeat_spend=pl.when(repeats > 0).then(pl.col("repeat_spend").cast(pl.Float64) / repeats),
        returns_share=pl.when(gross > 0).then(pl.col("returned_amount").cast(pl.Float64) / gross.cast(pl.Float64)),
    )
    .with_columns(
        rhythm_days=(active + pl.col("g")) / pl.col("order_days"),
        rhythm_before_days=(active - pl.col("last_gap_days") + pl.col("g")) / repeats,
        trend_orders=pl.when((pl.col("age_days") >= 180) & (both > 0)).then((2 * half - both) / both),
    )
)
table.drop("g", "orders_180d").sort("customer_id").sink_parquet(sys.argv[2], engine="streaming")
