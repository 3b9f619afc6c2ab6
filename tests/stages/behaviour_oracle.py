"""The behaviour columns once more, as plain DuckDB SQL over the lines, column by column from their definitions.

It may not share a line with the stage: it is what the stage is held against.
"""

from __future__ import annotations

from datetime import date

import duckdb
import polars as pl

_SQL = """
with l as (select *, cast(ordered_at as date) as day from orders where cast(ordered_at as date) <= $as_of),
s as (select * from l where kind = 'sale'),
d as (select customer_id, day, lag(day) over (partition by customer_id order by day) as before
      from (select distinct customer_id, day from s)),
g as (select customer_id, day, day - before as gap from d where before is not null),
gs as (select customer_id, avg(gap) as gap_mean_days, stddev_samp(gap) as gap_sd_days, max(gap) as longest_gap_days,
       max_by(gap, day) as last_gap_days, sum(gap) as active, count(*) as n from g group by all),
median as (select min(gap) as g from (select gap, sum(count(*)) over (order by gap) as up_to, sum(count(*)) over () as all_gaps
           from g group by gap) where up_to >= 0.5 * all_gaps),
c as (select customer_id, min(case when kind = 'sale' then day end) as first_day,
      max(case when kind = 'sale' then day end) as last_day,
      count(distinct case when kind = 'sale' then order_id end) as orders, sum(amount) as spend, count(amount) as amounts,
      greatest(coalesce(-sum(case when kind = 'return' then amount end), 0), 0) as returned from l group by all),
w as (select customer_id, {windows} from l group by all),
p as (select customer_id, count(distinct {product}) as products, count(distinct {category}) as categories from s group by all),
ends as (select customer_id, min(case when day = first_day then {category} end) as first_category,
         min(case when day = last_day then {category} end) as last_category,
         min(case when day = first_day then {channel} end) as first_channel from s join c using (customer_id) group by all),
ch as (select customer_id, value, n, row_number() over (partition by customer_id order by n desc, value) as place
       from (select customer_id, {channel} as value, count(distinct order_id) as n from s
             where {channel} is not null group by all)),
dv as (select customer_id, value, n, row_number() over (partition by customer_id order by n desc, value) as place
       from (select customer_id, {device} as value, count(distinct order_id) as n from s
             where {device} is not null group by all)),
costs as (select customer_id, sum({cost}) as cost from l group by all)
select c.customer_id, gap_mean_days, gap_sd_days,
  case when orders > 0 then (coalesce(active, 0) + g) / (coalesce(gs.n, 0) + 1) end as rhythm_days,
  last_gap_days, longest_gap_days, (active - last_gap_days + g) / gs.n as rhythm_before_days,
  orders_30d, orders_90d, orders_365d,
  case when amounts > 0 then spend_30d end as spend_30d, case when amounts > 0 then spend_90d end as spend_90d,
  case when amounts > 0 then spend_365d end as spend_365d,
  case when $as_of - first_day >= 180 and orders_180d > 0
       then (orders_90d - (orders_180d - orders_90d))::double / orders_180d end as trend_orders,
  coalesce(products, 0) as products, coalesce(categories, 0) as categories, first_category, last_category,
  ch.value as main_channel, ch.n::double / orders as main_channel_share, first_channel,
  dv.value as main_device, dv.n::double / orders as main_device_share,
  case when amounts > 0 and spend + returned > 0 then returned::double / (spend + returned)::double end as returns_share, cost
from c left join gs using (customer_id) left join w using (customer_id) left join p using (customer_id)
left join ends using (customer_id) left join costs using (customer_id)
left join ch on ch.customer_id = c.customer_id and ch.place = 1 left join dv on dv.customer_id = c.customer_id and dv.place = 1
left join median on true order by c.customer_id
"""


def behaviour(orders: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """One row per customer, sorted, with every behaviour column the log has the source for (the others are null or 0)."""
    windows = ", ".join(
        f"count(distinct case when kind = 'sale' and day > $as_of - {n} then order_id end) as orders_{n}d, "
        f"coalesce(sum(case when day > $as_of - {n} then amount end), 0) as spend_{n}d"
        for n in (30, 90, 180, 365)
    )
    there = {name: name if name in orders.columns else "null::varchar" for name in ("category", "channel", "device")}
    product = next((name for name in ("product_id", "product") if name in orders.columns), "null")
    cost = "cost" if "cost" in orders.columns else "null::decimal(18,4)"
    with duckdb.connect(":memory:") as database:
        database.register("orders", orders.to_arrow())
        sql = _SQL.format(windows=windows, product=product, cost=cost, **there)
        found = pl.from_arrow(database.sql(sql, params={"as_of": as_of}).to_arrow_table())
    assert isinstance(found, pl.DataFrame)
    return found
