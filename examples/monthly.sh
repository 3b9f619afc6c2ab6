#!/bin/sh
# usage: monthly.sh ORDERS… (files, globs or folders)
# Makes customers/YYYY-MM-DD/ for the last complete month. Exits 1 when the log is not what it should be, so that cron writes a mail.
set -eu
exec clm run "$@" --as-of month-end -o 'customers/{as_of}' --fail-if 'rejected.no_customer > 10%'
