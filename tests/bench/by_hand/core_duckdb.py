"""The core columns of `clm rfm`, by hand in DuckDB: LOG OUTPUT AS_OF. It may not import clm."""

import sys

import duckdb

log, output, as_of = sys.argv[1:]
duckdb.sql(f"""COPY (
WITH lines AS (
    SELECT customer_id, order_id, kind, amount, CAST(ordered_at AS DATE) AS day FROM read_parquet('{log}')
    WHERE CAST(ordered_at AS DATE) <= DATE '{as_of}'),
counts AS (
    SELECT customer_id, count(DISTINCT order_id) FILTER (kind = 'sale') AS orders,
    count(DISTINCT order_id) FILTER (kind = 'return') AS returns FROM lines GROUP BY ALL),
days AS (
    SELECT customer_id, day, bool_or(kind = 'sale') AS sold, sum(amount) AS amount,
    -sum(amount) FILTER (kind = 'return') AS returned FROM lines GROUP BY ALL),
bought AS (
    SELECT customer_id, day, day - lag(day) OVER (PARTITION BY customer_id ORDER BY day) AS gap FROM days WHERE sold),
sold AS (
    SELECT customer_id, min(day) AS first_order_on, max(day) AS last_order_on, count(*) AS order_days,
    coalesce(sum(ln(gap)), 0) AS log_gap_sum
    FROM bought GROUP BY ALL),
money AS (
    SELECT customer_id, sum(amount) AS spend, sum(returned) AS returned_amount,
    sum(amount) FILTER (day > first_order_on) AS repeat_spend FROM days LEFT JOIN sold USING (customer_id) GROUP BY ALL)
SELECT *, DATE '{as_of}' - last_order_on AS recency_days, DATE '{as_of}' - first_order_on AS age_days,
last_order_on - first_order_on AS active_days, order_days - 1 AS repeat_days,
repeat_spend::DOUBLE / nullif(order_days - 1, 0) AS mean_repeat_spend
FROM counts LEFT JOIN sold USING (customer_id) LEFT JOIN money USING (customer_id) ORDER BY customer_id
) TO '{output}' (COMPRESSION zstd)""")
