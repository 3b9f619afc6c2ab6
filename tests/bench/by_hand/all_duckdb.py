"""All columns of `clm rfm --columns all`, by hand in DuckDB: LOG OUTPUT AS_OF. It may not import clm."""

import sys

import duckdb

log, output, as_of = sys.argv[1:]
duckdb.sql(f"""COPY (
WITH lines AS (
    SELECT *, CAST(ordered_at AS DATE) AS day FROM read_parquet('{log}') WHERE CAST(ordered_at AS DATE) <= DATE '{as_of}'),
orders AS (
    SELECT customer_id, count(*) AS orders, count(*) FILTER (last > DATE '{as_of}' - 30) AS orders_30d,
    count(*) FILTER (last > DATE '{as_of}' - 90) AS orders_90d, count(*) FILTER (last > DATE '{as_of}' - 180) AS orders_180d,
    count(*) FILTER (last > DATE '{as_of}' - 365) AS orders_365d
    FROM (SELECT customer_id, order_id, max(day) AS last FROM lines WHERE kind = 'sale' GROUP BY ALL) GROUP BY ALL),
returns AS (SELECT customer_id, count(DISTINCT order_id) AS returns FROM lines WHERE kind = 'return' GROUP BY ALL),
kinds AS (
    SELECT customer_id, count(DISTINCT product_id) AS products, count(DISTINCT category) AS categories
    FROM lines WHERE kind = 'sale' GROUP BY ALL),
days AS (
    SELECT customer_id, day, bool_or(kind = 'sale') AS sold, sum(amount) AS amount, sum(cost) AS cost,
    -sum(amount) FILTER (kind = 'return') AS returned,
    min(category) FILTER (kind = 'sale') AS category, min(channel) FILTER (kind = 'sale') AS channel FROM lines GROUP BY ALL),
bought AS (
    SELECT customer_id, day, category, channel, day - lag(day) OVER (PARTITION BY customer_id ORDER BY day) AS gap
    FROM days WHERE sold),
sold AS (
    SELECT customer_id, min(day) AS first_order_on, max(day) AS last_order_on, count(*) AS order_days,
    coalesce(sum(ln(gap)), 0) AS log_gap_sum, avg(gap) AS gap_mean_days, stddev_samp(gap) AS gap_sd_days,
    max(gap) AS longest_gap_days,
    arg_max_null(gap, day) AS last_gap_days, arg_min_null(category, day) AS first_category,
    arg_max_null(category, day) AS last_category, arg_min_null(channel, day) AS first_channel FROM bought GROUP BY ALL),
median AS (SELECT quantile_disc(gap, 0.5) AS g FROM bought),
money AS (
    SELECT customer_id, sum(amount) AS spend, coalesce(sum(returned), 0) AS returned_amount, sum(cost) AS cost,
    coalesce(sum(amount) FILTER (day > first_order_on), 0) AS repeat_spend,
    coalesce(sum(amount) FILTER (day > DATE '{as_of}' - 30), 0) AS spend_30d,
    coalesce(sum(amount) FILTER (day > DATE '{as_of}' - 90), 0) AS spend_90d,
    coalesce(sum(amount) FILTER (day > DATE '{as_of}' - 365), 0) AS spend_365d
    FROM days LEFT JOIN sold USING (customer_id) GROUP BY ALL),
channels AS (
    SELECT customer_id, arg_min(channel, (-n, channel)) AS main_channel, max(n) AS channel_orders FROM (
        SELECT customer_id, channel, count(DISTINCT order_id) AS n FROM lines
        WHERE kind = 'sale' AND channel IS NOT NULL GROUP BY ALL) GROUP BY ALL),
devices AS (
    SELECT customer_id, arg_min(device, (-n, device)) AS main_device, max(n) AS device_orders FROM (
        SELECT customer_id, device, count(DISTINCT order_id) AS n FROM lines
        WHERE kind = 'sale' AND device IS NOT NULL GROUP BY ALL) GROUP BY ALL)
SELECT * EXCLUDE (g, channel_orders, device_orders, orders_180d, returns), coalesce(returns, 0) AS returns,
DATE '{as_of}' - last_order_on AS recency_days, DATE '{as_of}' - first_order_on AS age_days,
last_order_on - first_order_on AS active_days, order_days - 1 AS repeat_days,
repeat_spend::DOUBLE / nullif(order_days - 1, 0) AS mean_repeat_spend,
channel_orders / orders AS main_channel_share, device_orders / orders AS main_device_share,
returned_amount::DOUBLE / nullif(spend + returned_amount, 0)::DOUBLE AS returns_share,
(last_order_on - first_order_on + g) / order_days AS rhythm_days,
(last_order_on - first_order_on - last_gap_days + g) / nullif(order_days - 1, 0) AS rhythm_before_days,
CASE WHEN DATE '{as_of}' - first_order_on >= 180 THEN (2 * orders_90d - orders_180d) / nullif(orders_180d, 0) END AS trend_orders
FROM orders LEFT JOIN returns USING (customer_id) LEFT JOIN kinds USING (customer_id) LEFT JOIN sold USING (customer_id)
LEFT JOIN money USING (customer_id) LEFT JOIN channels USING (customer_id) LEFT JOIN devices USING (customer_id)
CROSS JOIN median ORDER BY customer_id
) TO '{output}' (COMPRESSION zstd)""")
