"""TRANSACTIONS in an object store, read in place by Polars' own reader, with the credentials and the endpoint of the environment.

It may not show more of an address than it was given, nor write there.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import polars as pl

from clm.errors import InputError

_READ = ("s3://", "gs://", "az://")
_PATIENCE = {"max_retries": 2, "retry_timeout_ms": 20_000}
_SHOWN = 200  # characters of what the store says


def not_here(url: str) -> InputError:
    """What a command says that reads files of this machine only."""
    return InputError(
        "this command reads files of this machine, not an address",
        where=url,
        fix=f"copy it here first; `clm rfm` alone reads Parquet at {', '.join(_READ)}…",
        code="elsewhere",
    )


@contextmanager
def orders(url: str) -> Iterator[pl.LazyFrame]:
    """The Parquet file, folder (its address ends in `/`) or pattern at an address, as long as it is read.

    Raises InputError for a kind of address that is not read, and when the store does not give it.
    """
    if not url.startswith(_READ):
        raise InputError(
            f"rfm reads addresses that start with {', '.join(_READ)}, not this one",
            where=url,
            fix="copy it here first",
            code="elsewhere",
        )
    try:
        frame = pl.scan_parquet(url, hive_partitioning=False, storage_options=_PATIENCE)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a region that is not set: it is asked for
            frame.collect_schema()
        yield frame
    except (pl.exceptions.PolarsError, OSError) as error:
        raise InputError(
            f"the object store does not give it: {(str(error).splitlines() or [''])[0][:_SHOWN]}",
            where=url,
            fix="check the address, the credentials in the environment (AWS_…, GOOGLE_…, AZURE_…) and the network",
            code="store",
        ) from error
