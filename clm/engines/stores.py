"""TRANSACTIONS in an object store, read in place by Polars' own reader, with the credentials and the endpoint of the environment.

It may not show more of an address than it was given, nor write there.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import polars as pl

from clm.errors import DataError, InputError, UsageError

_READ = ("s3://", "gs://", "az://")
_PATIENCE = {"max_retries": 2, "retry_timeout_ms": 20_000}
_SHOWN = 200  # characters of what the store says
# how Polars' errors begin that are the store's, or a file's; and what it advises where the files of a pattern differ
_OF_STORE = "object-store error: "
_NOT_REACHED = "error sending request"
_NOTHING_THERE = "expanded paths were empty"
_NO_PARQUET = "parquet: "
_OF_PARTS = ("extra_columns=", "cast_options=", "missing_columns=")
_OTHER_FILES = "different file extensions"
_NO_PATTERN = ("regex error", "glob pattern")


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

    Raises InputError for a kind of address that is not read, and when the store does not give it; UsageError without a bucket and
    for a pattern that is none; DataError when that is no Parquet, or parts that do not fit together.
    """
    if not url.startswith(_READ):
        raise InputError(
            f"rfm reads addresses that start with {', '.join(_READ)}, not this one",
            where=url,
            fix="copy it here first",
            code="elsewhere",
        )
    bucket, slash, _ = url.partition("://")[2].partition("/")
    if not (bucket and slash):
        raise UsageError(
            "the address names no bucket, or nothing in it",
            where=url,
            fix="write it as s3://BUCKET/FILE.parquet, or s3://BUCKET/FOLDER/ for all that lies below",
            code="address",
        )
    try:
        # nobody here wrote the file, and a foreign one may lie in its statistics
        frame = pl.scan_parquet(url, hive_partitioning=False, use_statistics=False, storage_options=_PATIENCE)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a region that is not set: it is asked for
            frame.collect_schema()
    except (pl.exceptions.PolarsError, OSError) as error:
        if isinstance(error, pl.exceptions.ComputeError) and any(mark in str(error) for mark in _NO_PATTERN):
            raise UsageError(
                "the address holds a pattern that is none",
                where=url,
                fix="close every [, and let ** stand alone between two slashes",
                code="address",
            ) from error
        raise _of_log(url, error) or _not_given(url, "it is not said why") from error
    try:
        yield frame
    except (pl.exceptions.PolarsError, OSError) as error:
        told = _of_log(url, error)
        if told is None:  # a closed pipe, a full disk, a bug
            raise
        raise told from error


def _of_log(url: str, error: Exception) -> InputError | DataError | None:
    """The store's error, or the log's that it gave, known by what Polars calls it; None where it is neither.

    Of the log's only the kind is told: the text may quote its values.
    """
    text = str(error)
    if isinstance(error, OSError) and _NOT_REACHED in text:
        return InputError(
            f"the object store cannot be reached: {text.splitlines()[-1].rpartition(': ')[2][:_SHOWN]}",
            where=url,
            fix="check the network, and the region and endpoint in the environment (for s3://: AWS_REGION, AWS_ENDPOINT_URL)",
            code="store",
        )
    if _NOTHING_THERE in text or (isinstance(error, FileNotFoundError) and _OF_STORE in text):
        return InputError("nothing lies there", where=url, fix="check the address: a folder's ends in /", code="store")
    if isinstance(error, OSError):
        return _not_given(url, text.partition(_OF_STORE)[2]) if _OF_STORE in text else None
    if isinstance(error, pl.exceptions.ComputeError) and text.startswith(_NO_PARQUET) and "(os error" not in text:
        return DataError(
            "what the object store gives is no Parquet, damaged, or was replaced while it was read",
            where=url,
            fix="make it again, or run again when nobody writes there",
            code="not_parquet",
        )
    if _OTHER_FILES in text:
        return DataError(
            "other files lie beside the parts there",
            where=url,
            fix=f"name the parts alone: {url.rstrip('/')}/*.parquet, or /**/*.parquet for those of folders too",
            code="parts",
        )
    if isinstance(error, pl.exceptions.PolarsError) and any(hint in text for hint in _OF_PARTS):
        return DataError(
            "the parts there do not have the same columns, of the same types",
            where=url,
            fix="write all of them with the same `clm clean`",
            code="parts",
        )
    return None


def _not_given(url: str, says: str) -> InputError:
    line = (says.splitlines() or [""])[0].partition(" (path: ")[0]
    return InputError(
        f"the object store does not give it: {line[:_SHOWN].strip(' :.(')}",
        where=url,
        fix="check the address, the credentials in the environment (AWS_…, GOOGLE_…, AZURE_…) and the network",
        code="store",
    )
