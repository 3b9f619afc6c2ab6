#!/bin/sh
# usage: chain.sh ORDERS  (writes into the current folder)
# The six stages one by one: a pipe and files give the same bytes.
set -eu
clm clean "$1" -o clean.parquet --rejects rejects.csv
clm rfm clean.parquet | clm segment | clm clv --orders clean.parquet | clm churn --orders clean.parquet -o customers.parquet
clm report customers.parquet --orders clean.parquet -o report.html
clm report customers.parquet --orders clean.parquet -o metrics.csv
