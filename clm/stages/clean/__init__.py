"""`clean`: a log of text becomes TRANSACTIONS and REJECTS, and every row and every cent of it is accounted for.

Two pure halves, because flags and totals need all rows: `judge` types and judges each record by itself, lazily; the shell sets
its result aside; `settle` does what looks across rows, over that.

    log = ingest.read_text(inputs, settings)
    reading = ingest.understand(log, settings)
    judged = clean.judge(log.records, reading, settings)
    settled = clean.settle(aside(judged), reading, settings, hold=aside)
"""

from clm.stages.clean.judge import judge
from clm.stages.clean.settle import Settled, settle, written

__all__ = ["Settled", "judge", "settle", "written"]
