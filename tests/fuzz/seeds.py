"""What is damaged: the hazards, and the first lines of every supplied real log.

It may not damage anything.
"""

from __future__ import annotations

import gzip
from pathlib import Path

from tests.ingest import hazards

_SOME, _LARGEST = 70, 12_000
LOGS = (
    "online-retail/online_retail.csv.gz", "online-retail/by-day/2011-12-05.csv", "coffee/index_1.csv", "coffee/index_2.csv",
    "sales-sample/sales_data_sample.csv", "rfm-orders/rfm_data_orders.csv", "example-transactions/example_transactions.csv",
    "cdnow/CDNOW_sample.txt", "cdnow/cdnowElog.csv", "supermarket-gbk/order-14.3.csv", "telco-churn/Telco-Customer-Churn.csv",
    "marketing-campaign/marketing_campaign.csv", "donations/donations.csv", "supermarket-gbk/train-pivot.csv",
)  # fmt: skip


def seeds(shared_data: Path | None) -> list[tuple[str, bytes]]:
    """Names and bytes; without the supplied logs the hazards alone."""
    found = [(case.name, case.files[0][1]) for case in hazards.cases()]
    return found + [(name, _slice(shared_data / name)) for name in LOGS if shared_data is not None]


def _slice(path: Path) -> bytes:
    data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    return b"".join(data.splitlines(keepends=True)[:_SOME])[:_LARGEST]
