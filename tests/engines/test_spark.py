"""The second engine: the same CUSTOMERS from a real Spark Connect server, decimals included; an answer for what goes wrong."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from threading import Thread
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from clm.cli import main
from clm.engines import spark
from clm.errors import ClmError, DataError
from clm.ingest import shipped
from tests import examples
from tests.bench import order_logs

ROWS = int(os.environ.get("SPARK_ROWS", "20000"))  # make bench asks for 2,000,000
ODD = pl.DataFrame(
    {
        "customer_id": ["007", "007", "007", "张三", "张三", "late", "returns only"],
        "order_id": ["1", "1", "2", "3", "4", "5", "6"],
        "ordered_at": [
            datetime(2023, 12, 31, 23, 59, 59), datetime(2024, 1, 1), datetime(2024, 2, 29), datetime(2024, 1, 1),
            datetime(2024, 3, 1), datetime(2024, 6, 30), datetime(2024, 1, 5),
        ],
        "amount": ["0.0001", "99999999999999.9999", "-5.5000", "0.0000", None, "7.2500", "-3.0000"],
        "kind": ["sale", "sale", "return", "sale", "sale", "sale", "return"],
        "channel": ["web", "", None, "b", "a", "a", None],
        "category": ["x", None, "y", "z", "z", "", "x"],
        "flags": [None, "review", None, None, None, None, None],
        "source_line": list(range(2, 9)),
    },
    schema_overrides={"ordered_at": pl.Datetime("us"), "flags": pl.String},
).with_columns(pl.col("amount").cast(pl.Decimal(18, 4)))  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def program() -> Iterator[None]:
    """Spark's client takes a process without a main program, such as a worker of this suite, for a run of its own doctests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys.modules["__main__"], "__file__", __file__, raising=False)
        yield


@pytest.fixture(scope="module")
def remote() -> Iterator[str]:
    """The address of a Spark Connect server of this machine."""
    pytest.importorskip("pyspark.sql.connect.session", reason="Spark's client is not installed (clm[spark])")
    pysail = pytest.importorskip("pysail.spark", reason="pysail, the Spark Connect server of the tests, is not installed")
    server = pysail.SparkConnectServer("127.0.0.1", 0)
    server.start(background=True)
    host, port = server.listening_address
    yield f"sc://{host}:{port}"
    server.stop()


def both(log: Path, remote: str, folder: Path, *options: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    made = []
    for engine in ([], ["--engine", "spark", "--remote", remote]):
        output = folder / f"rfm-{len(made)}.parquet"
        assert main(["rfm", str(log), "-o", str(output), "-q", *options, *engine]) == 0
        made.append(pl.read_parquet(output))
    return made[0], made[1]


@pytest.mark.parametrize("options", [["--columns", "core"], ["--columns", "all"], ["--as-of", "2024-03-01"]])
def test_an_odd_log_is_the_same_on_both(tmp_path: Path, remote: str, options: list[str]) -> None:
    """Zero, missing and enormous amounts, returns alone, empty texts, midnight and lines after the day."""
    ODD.write_parquet(tmp_path / "log.parquet")
    here, there = both(tmp_path / "log.parquet", remote, tmp_path, *options)
    assert_frame_equal(here, there)
    assert here.filter(customer_id="007")["spend"].item() == Decimal("99999999999994.5000")


def test_cdnow_is_the_same_on_both(tmp_path: Path, remote: str) -> None:
    """The whole of CDNOW, as clean wrote it."""
    assert main(["clean", str(shipped.cdnow_master()), "-o", str(tmp_path / "c.parquet"), "-q"]) == 0
    assert_frame_equal(*both(tmp_path / "c.parquet", remote, tmp_path))


def test_online_retail_is_the_same_on_both(tmp_path: Path, remote: str, shared_data: Path) -> None:
    """Returns, products and a country to carry along."""
    source = shared_data / "online-retail" / "online_retail.csv.gz"
    assert main(["clean", str(source), "-o", str(tmp_path / "c.parquet"), "-q", "--review", "none"]) == 0
    assert_frame_equal(*both(tmp_path / "c.parquet", remote, tmp_path, "--carry", "country"))


def test_a_generated_log_is_the_same_on_both(tmp_path: Path, remote: str) -> None:
    """Skewed customers, returns, categories, channels and devices; SPARK_ROWS lines."""
    log = order_logs.transactions(tmp_path, ROWS, wide=True)
    assert_frame_equal(*both(log, remote, tmp_path))


def test_a_folder_of_parts_is_a_table(tmp_path: Path, remote: str) -> None:
    """What a warehouse writes in parts is read as the one table."""
    parts = tmp_path / "parts"
    parts.mkdir()
    ODD.head(3).write_parquet(parts / "a.parquet")
    ODD.tail(4).write_parquet(parts / "b.parquet")
    ODD.write_parquet(tmp_path / "log.parquet")
    assert main(["rfm", str(parts), "-o", str(tmp_path / "s.parquet"), "-q", "--engine", "spark", "--remote", remote]) == 0
    here, there = both(tmp_path / "log.parquet", remote, tmp_path)
    assert_frame_equal(here, pl.read_parquet(tmp_path / "s.parquet"))
    assert_frame_equal(here, there)


def refused(capsys: pytest.CaptureFixture[str], code: int, *argv: str) -> str:
    assert main(["rfm", *argv, "--engine", "spark"]) == code
    return capsys.readouterr().err


def test_what_is_missing_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No address, no address of Spark, nobody there: each with what to do, and never the token of an address."""
    output = "-o", str(tmp_path / "x.parquet")
    assert "--remote sc://HOST:15002" in refused(capsys, 2, "sales", *output)
    assert "sc://HOST:15002" in refused(capsys, 2, "sales", *output, "--remote", "http://host")
    assert "standard input" in refused(capsys, 2, "-", *output, "--remote", "sc://host")
    with socket.socket() as taken:  # bound, but nobody listens
        taken.bind(("127.0.0.1", 0))
        told = refused(capsys, 66, "sales", *output, "--remote", f"sc://127.0.0.1:{taken.getsockname()[1]}/;token=s3cr3t")
    assert "Spark Connect" in told
    assert "s3cr3t" not in told
    assert main(["rfm", "sales", *output, "--remote", "sc://host"]) == 2
    assert not list(tmp_path.iterdir())


def test_what_listens_but_is_no_spark_is_told_soon(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An open port of something else is 66 within the patience, not ten minutes of trying."""
    pytest.importorskip("pyspark.sql.connect.session", reason="Spark's client is not installed (clm[spark])")
    monkeypatch.setattr(spark, "_PATIENCE_SECONDS", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"sc://127.0.0.1:{silent.getsockname()[1]}/;token=s3cr3t"
        told = refused(capsys, 66, "sales", "-o", str(tmp_path / "x.parquet"), "--remote", address)
    assert "protocol" in told
    assert "s3cr3t" not in told


@pytest.fixture
def wire(remote: str) -> Iterator[Wire]:
    """A connection to the server that can be cut."""
    found = Wire(("127.0.0.1", int(remote.rpartition(":")[2])))
    yield found
    found.cut()


class Wire:
    """What comes in at `port` goes to the server and back, until it is cut: then nobody listens there any more."""

    def __init__(self, server: tuple[str, int]) -> None:
        self._open = [socket.create_server(("127.0.0.1", 0))]
        self.port = self._open[0].getsockname()[1]
        Thread(target=self._listen, args=(server,), daemon=True).start()

    def _listen(self, server: tuple[str, int]) -> None:
        with suppress(OSError):
            while True:
                here, there = self._open[0].accept()[0], socket.create_connection(server)
                self._open += [here, there]
                for source, target in ((here, there), (there, here)):
                    Thread(target=self._pass_on, args=(source, target), daemon=True).start()

    @staticmethod
    def _pass_on(source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while chunk := source.recv(1 << 16):
                target.sendall(chunk)

    def cut(self) -> None:
        for one in self._open:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()


def test_a_server_that_dies_half_way_is_told_soon(
    tmp_path: Path, wire: Wire, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """While it reduces: 66 once it was asked again a few times, nothing written, and the end of the session waits for nobody."""
    monkeypatch.setattr(spark, "_TRIES", 3)
    ODD.write_parquet(tmp_path / "log.parquet")
    real = spark.check

    def cut_after_it(*given: Any) -> None:
        real(*given)
        wire.cut()

    monkeypatch.setattr(spark, "check", cut_after_it)
    output = tmp_path / "x.parquet"
    told = refused(capsys, 66, str(tmp_path / "log.parquet"), "-o", str(output), "--remote", f"sc://127.0.0.1:{wire.port}")
    assert "went away half-way" in told
    assert "nothing was written" in told
    assert "RETRIES_EXCEEDED" not in told
    assert not output.exists()


@pytest.mark.parametrize(
    "address",
    [
        "u:s3cr3t@h",
        "h:1?token=s3cr3t",
        "h;token=s3cr3t",
        "h/;token=a?s3cr3t",
        "h#s3cr3t",
        "h:0",
        "h:65536",
        ":1",
        "h:x",
        "[::1",
        "a..b",
    ],
)
def test_an_address_of_another_form_is_no_address(capsys: pytest.CaptureFixture[str], address: str) -> None:
    """User and password, a query, parameters without a slash, no port there is: 2, and no part of it is shown."""
    told = refused(capsys, 2, "sales", "-o", "x.parquet", "--remote", f"sc://{address}")
    assert "sc://HOST:15002" in told
    assert "s3cr3t" not in told


@pytest.mark.parametrize("rest", ["/path;token=s3cr3t", "/;token=s3cr3t==", "/;s3cr3t", "/;key=s3cr3t;session_id=1"])
def test_an_address_its_client_refuses_is_no_address(
    tmp_path: Path, remote: str, capsys: pytest.CaptureFixture[str], rest: str
) -> None:
    """A token with an equal sign, a path, a session that is none: 2, and the client's own words, which hold it, are not shown."""
    told = refused(capsys, 2, "sales", "-o", str(tmp_path / "x.parquet"), "--remote", remote + rest)
    assert "sc://HOST:15002" in told
    assert "s3cr3t" not in told
    assert "Traceback" not in told


def test_what_fails_on_the_cluster_is_told_without_its_values(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spark's condition is named; the sentence, which may quote a cell, stays in the cluster's log."""
    errors = pytest.importorskip("pyspark.errors", reason="Spark's client is not installed (clm[spark])")
    monkeypatch.setattr(spark, "_session", lambda _remote: None)
    monkeypatch.setattr(spark, "_end", lambda _session: None)
    monkeypatch.setattr(spark, "_opened", lambda _session, _source: None)
    for condition, told in (("CAST_INVALID_INPUT", "CAST_INVALID_INPUT"), (None, "PySpark")):
        with pytest.raises(DataError) as caught, spark.orders("sales", "sc://host"):
            raise errors.PySparkException("the value 'Quillfeather-Ambrose 7' cannot be cast", condition)
        assert caught.value.what == f"Spark could not do it: {told}"
        assert "Quillfeather" not in str(caught.value)


def test_a_cluster_that_refuses_is_no_fault_of_the_data(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It answers every call with a status of gRPC's: 66 with its name, and not its words, which may hold the token."""
    pytest.importorskip("pyspark.sql.connect.session", reason="Spark's client is not installed (clm[spark])")
    import grpc

    def refuse(_asked: object, context: grpc.ServicerContext) -> None:
        context.abort(grpc.StatusCode.UNAUTHENTICATED, "no token s3cr3t is known")

    class Refusing(grpc.GenericRpcHandler):
        def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler:
            return grpc.unary_unary_rpc_method_handler(refuse)

    server = grpc.server(ThreadPoolExecutor(1), handlers=[Refusing()])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    told = refused(capsys, 66, "sales", "-o", str(tmp_path / "x.parquet"), "--remote", f"sc://127.0.0.1:{port}/;key=s3cr3t")
    server.stop(None)
    assert f"refuses: UNAUTHENTICATED\n  where: 127.0.0.1:{port}\n" in told
    assert "s3cr3t" not in told


def test_what_grpc_says_half_way_is_of_the_cluster_and_what_spark_says_of_the_query(monkeypatch: pytest.MonkeyPatch) -> None:
    """A status alone is 66 at any time; an error of Spark's own, which comes with a status too, is 65."""
    connect = pytest.importorskip("pyspark.errors.exceptions.connect", reason="Spark's client is not installed (clm[spark])")
    from grpc import StatusCode

    monkeypatch.setattr(spark, "_session", lambda _remote: None)
    monkeypatch.setattr(spark, "_end", lambda _session: None)
    monkeypatch.setattr(spark, "_opened", lambda _session, _source: None)
    for error, code, told in (
        (connect.SparkConnectGrpcException, 66, "refuses: RESOURCE_EXHAUSTED"),
        (connect.SparkRuntimeException, 65, "Spark could not do it: SparkRuntime"),
    ):
        with pytest.raises(ClmError) as caught, spark.orders("sales", "sc://host"):
            raise error("Quillfeather-Ambrose 7", grpc_status_code=StatusCode.RESOURCE_EXHAUSTED)
        assert (caught.value.exit_code, told in caught.value.what) == (code, True)
        assert "Quillfeather" not in str(caught.value)


def test_without_its_client_the_extra_is_named(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """What to install is said once somebody listens at the address."""
    monkeypatch.setitem(sys.modules, "grpc", None)
    with socket.create_server(("127.0.0.1", 0)) as there:
        told = refused(capsys, 2, "sales", "-o", "x.parquet", "--remote", f"sc://127.0.0.1:{there.getsockname()[1]}")
    assert "pip install 'clm[spark]'" in told


def test_a_table_that_is_not_there_or_another_is_refused(tmp_path: Path, remote: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A name and a path Spark does not find: 66; columns, types and values that are not those of TRANSACTIONS: 65."""
    rest = "-o", str(tmp_path / "x.parquet"), "--remote", remote
    assert "catalogue" in refused(capsys, 66, "nothing_of_that_name", *rest)
    assert "as the cluster sees it" in refused(capsys, 66, str(tmp_path / "nothing.parquet"), *rest)
    wrong = {
        "kind": ODD.drop("kind"),
        "Datetime": ODD.with_columns(pl.col("ordered_at").dt.replace_time_zone("UTC")),
        "sale, return": ODD.with_columns(pl.lit("void").alias("kind")),
        "customer_id holds nulls": ODD.with_columns(pl.lit(None, pl.String).alias("customer_id")),
        "source_line goes below 1 (1 rows)": ODD.with_columns(pl.col("source_line") - 2),
        "currency holds several values": ODD.with_columns(currency=pl.Series(["USD", None, *["EUR"] * 5])),
        "ordered_at leaves the years 1800 to 2299 (7 rows)": ODD.with_columns(pl.col("ordered_at").dt.offset_by("9000y")),
    }
    for said, frame in wrong.items():
        frame.write_parquet(tmp_path / "wrong.parquet")
        assert said in refused(capsys, 65, str(tmp_path / "wrong.parquet"), *rest)
    assert not (tmp_path / "x.parquet").exists()


def test_a_run_reduces_here(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`clm run` does not reach for a cluster that clm.toml names for rfm."""
    (tmp_path / "clm.toml").write_text('[rfm]\nengine = "spark"\nremote = "sc://host"\n', encoding="utf-8")
    (tmp_path / "log.csv").write_text("customer,order,date,total\na,1,2024-01-01,5\n", encoding="utf-8")
    argv = ["run", str(tmp_path / "log.csv"), "-o", str(tmp_path / "out"), "--config", str(tmp_path / "clm.toml")]
    assert main(argv) == 2
    assert "on this machine" in capsys.readouterr().err


def test_the_example_goes_from_the_cluster_to_a_page(tmp_path: Path, remote: str) -> None:
    """`examples/spark.sh` as it stands, on CDNOW."""
    assert main(["clean", str(shipped.cdnow_master()), "-o", str(tmp_path / "c.parquet"), "-q"]) == 0
    done = examples.run("spark.sh", tmp_path, remote, str(tmp_path / "c.parquet"))
    assert done.returncode == 0, done.stderr
    assert {"rfm.parquet", "customers.parquet", "report.html"} <= {path.name for path in tmp_path.iterdir()}
