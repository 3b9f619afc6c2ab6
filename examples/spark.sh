#!/bin/sh
# usage: spark.sh REMOTE TABLE_OR_PATH  (sc://HOST:15002; writes into the current folder)
# The log stays on the cluster; what comes back is one row per customer, and the rest of the chain runs here.
# `clv` and `churn` learn from the lines themselves and need a log this machine can read: the report says what it cannot tell.
set -eu
clm rfm --engine spark --remote "$1" "$2" -o rfm.parquet
clm segment rfm.parquet -o segments.parquet
clm clv segments.parquet --no-backtest -o customers.parquet
clm report customers.parquet -o report.html
