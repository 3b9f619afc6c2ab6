"""`clean`: a log of text becomes TRANSACTIONS and REJECTS, and every row and every cent of it is accounted for.

Two pure halves, because flags and totals need all rows: `judge` types and judges each record by itself, lazily; the shell spools
its result to one temporary Parquet file; `settle` does what looks across rows, over that file.

    log = ingest.read_text(inputs, settings)
    reading = ingest.understand(log, settings)
    judged = clean.judge(log.records, reading, settings)            # -> sink_parquet(temporary, row_group_size=250_000)
    settled = clean.settle(pl.scan_parquet(temporary, glob=False), reading, settings)
"""

from clm.stages.clean.judge import judge
from clm.stages.clean.settle import Settled, settle

__all__ = ["Settled", "judge", "settle"]
