"""TRANSACTIONS on a Spark cluster, by name or path, through Spark Connect (the extra `clm[spark]`: no JVM on this side).

It may not read a line itself: what it hands on is a query, and what comes back is one row per customer. The address may carry
a token, so it is never shown.
"""

from __future__ import annotations

import os
import re
import socket
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from typing import TYPE_CHECKING, Any

import narwhals as nw

from clm import rules
from clm.errors import ClmError, DataError, InputError, UsageError
from clm.tables import TRANSACTIONS

if TYPE_CHECKING:
    from pyspark.errors import PySparkException
    from pyspark.sql import SparkSession

_ADDRESS = re.compile(r"sc://([^/?#@:;\[\]\s]+|\[[0-9a-fA-F:.]+\])(?::([0-9]{1,5}))?(?:/(?:;[^;=?#\s]+=[^;=?#\s]*)*)?")
_PORT = 15002  # Spark Connect's own
_PATIENCE_SECONDS = 10
# a server that does not answer any more is asked again after .05, .2, .8 seconds, then every two: twenty seconds, and not the ten
# minutes of the client, during which it could not be told from a long query
_TRIES, _MOST_BETWEEN_MS = 12, 2000


@contextmanager
def orders(source: str, remote: str | None) -> Iterator[nw.LazyFrame[Any]]:
    """TRANSACTIONS as a lazy frame on the cluster at `remote` (`sc://host:15002`), as long as the session lasts.

    `source` is a path or URL the cluster can read Parquet from (it holds a `/` or ends in `.parquet`), else a table's name.
    Raises UsageError without an address or the client, InputError when the cluster cannot be reached, refuses, has no such table
    or goes away half-way, DataError when it fails.
    """
    if remote is None:
        raise UsageError("--engine spark needs to know the cluster", fix="give --remote sc://HOST:15002", code="no_remote")
    session = _session(remote)
    from pyspark.errors import PySparkException

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"\[RETRIES_EXCEEDED\]")
        try:
            yield _opened(session, source)
        except PySparkException as error:
            raise _told(remote, source, error) from error
        finally:
            _end(session)


def check(orders: nw.LazyFrame[Any], source: str) -> None:
    """Hold the lines against the rules of TRANSACTIONS, on the cluster: nobody here wrote them.

    Raises DataError naming the first column that breaks its rule.
    """
    names = orders.collect_schema().names()
    held = [
        rule for column in TRANSACTIONS.columns if column.name in names for rule in rules.of_column(column, nw.col(column.name))
    ]
    counts = orders.select(nw.when(rule.broken).then(1).otherwise(0).sum().alias(str(at)) for at, rule in enumerate(held))
    for column in rules.of_one_value(TRANSACTIONS, names):
        value = nw.col(column)
        low, high = orders.select(value.min().alias("low"), value.max().alias("high")).collect(backend="polars").row(0)
        if low != high:
            raise rules.several(column, source)
    for rule, rows in zip(held, counts.collect(backend="polars").row(0), strict=True):
        if rows:
            raise DataError(
                f"{rule.says} ({rows:,} rows)", where=source, fix="write the table as `clm clean` does", code="contract"
            )


def _opened(session: SparkSession, source: str) -> nw.LazyFrame[Any]:
    from pyspark.errors import AnalysisException

    by_path = "/" in source or source.endswith(".parquet")
    try:
        frame = nw.from_native(session.read.parquet(source) if by_path else session.table(source))
        if not frame.collect_schema():
            raise _nothing(source, by_path)
    except AnalysisException as error:
        raise _nothing(source, by_path) from error
    return frame


def _nothing(source: str, by_path: bool) -> InputError:
    return InputError(
        f"Spark finds no {'Parquet' if by_path else 'table'} there",
        where=source,
        fix="name a table of its catalogue, or a path as the cluster sees it",
        code="spark_no_table",
    )


def _session(remote: str) -> SparkSession:
    host, port = _host_and_port(remote)
    try:
        socket.create_connection((host, port), timeout=_PATIENCE_SECONDS).close()
    except OSError as error:
        raise _unreachable(host, port, error.strerror or str(error)) from error
    except UnicodeError:  # of a host that the names of the network cannot write
        raise _no_address() from None
    try:
        os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # what it has to say of a handshake is told here
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of its own about pandas, which is not used here
            import grpc
            from pyspark.errors import PySparkException
            from pyspark.sql import SparkSession
            from pyspark.sql.connect.client import DefaultChannelBuilder
            from pyspark.sql.connect.client.retries import DefaultPolicy
    except ImportError as error:
        raise UsageError(
            "--engine spark needs Spark's client, which is not installed",
            fix="pip install 'clm[spark]'",
            code="no_spark",
        ) from error
    try:
        with DefaultChannelBuilder(remote).toChannel() as channel:
            # the client itself would go on trying for ten minutes
            grpc.channel_ready_future(channel).result(timeout=_PATIENCE_SECONDS)
        session: SparkSession = SparkSession.builder.remote(remote).create()
        session.client.set_retry_policies([DefaultPolicy(max_retries=_TRIES, max_backoff=_MOST_BETWEEN_MS)])
        # at Ctrl-C the client would wait until the server has stopped the query, which the session's end does
        session.client.interrupt_operation = lambda op_id: None  # type: ignore[method-assign]
        return session
    except grpc.FutureTimeoutError:
        raise _unreachable(host, port, "what listens there does not speak its protocol (with a token: over TLS)") from None
    except PySparkException:
        raise _no_address() from None  # its message and its traceback may hold the token


def _host_and_port(remote: str) -> tuple[str, int]:
    found = _ADDRESS.fullmatch(remote)
    port = int(found[2] or _PORT) if found else 0
    if found is None or not 0 < port < 2**16:
        raise _no_address()
    return found[1].strip("[]"), port


def _no_address() -> UsageError:
    return UsageError(
        "--remote is no address of Spark Connect",
        fix="write it as sc://HOST:15002, with sc://HOST:15002/;token=… if need be",
        code="remote",
    )


def _unreachable(host: str, port: int, why: str) -> InputError:
    return InputError(
        f"no Spark Connect server answers: {why}",
        where=f"{host}:{port}",
        fix="check --remote, and that the cluster runs a Spark Connect server",
        code="spark_unreachable",
    )


def _told(remote: str, source: str, error: PySparkException) -> ClmError:
    """What gRPC answers itself, the cluster refused; the rest is Spark's. Only kinds are named: the words may quote a value."""
    from grpc import StatusCode
    from pyspark.errors.exceptions.connect import SparkConnectGrpcException

    server = ":".join(map(str, _host_and_port(remote)))
    status = error.getGrpcStatusCode() if isinstance(error, SparkConnectGrpcException) else None
    if status == StatusCode.UNAVAILABLE:
        return InputError(
            "the Spark Connect server went away half-way, and does not answer any more",
            where=server,
            fix="run again when the cluster is there: nothing was written",
            code="spark_lost",
        )
    if status is not None and type(error) is SparkConnectGrpcException:  # what Spark itself says is of a class below it
        return InputError(
            f"the Spark Connect server refuses: {status.name}",
            where=server,
            fix="check --remote, its token and its user; nothing was written",
            code="spark_refused",
        )
    return DataError(
        f"Spark could not do it: {error.getCondition() or type(error).__name__.removesuffix('Exception')}",
        where=source,
        fix="look at the cluster's log; the table must be what `clm clean` writes",
        code="spark_failed",
    )


def _end(session: SparkSession) -> None:
    """The session's end, and its query's, for which a cluster that is gone or hangs is not waited for long."""
    for policy in session.client.get_retry_policies():
        policy.max_retries = 0  # of calls under way in threads too
    stopping = Thread(target=session.stop, daemon=True)
    stopping.start()
    stopping.join(_PATIENCE_SECONDS)
    if stopping.is_alive():
        session.client.close()
