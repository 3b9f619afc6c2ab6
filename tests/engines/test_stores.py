"""TRANSACTIONS in an object store: read in place by `rfm`, from a server that answers as S3 does; elsewhere a clear refusal."""

from __future__ import annotations

import errno
import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from clm.cli import main
from clm.engines import stores
from clm.errors import InputError
from clm.stages import rfm as stage
from tests.logs import invented

CLOSED = "closed"  # the object of a bucket that gives nobody anything


class Bucket(BaseHTTPRequestHandler):
    """What Polars asks of S3: the head of an object, parts of it, and the list of those below a prefix."""

    objects: dict[str, bytes]

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def _answer(self, *, body: bool) -> None:
        asked = urlsplit(self.path)
        if CLOSED in self.objects:
            self._send(403, b"<Error><Code>AccessDenied</Code></Error>", body=body)
            return
        if "list-type" in asked.query:
            prefix = parse_qs(asked.query).get("prefix", [""])[0]
            entry = (
                "<Contents><Key>{}</Key><Size>{}</Size><LastModified>2024-01-01T00:00:00Z</LastModified><ETag>x</ETag></Contents>"
            )
            found = "".join(entry.format(key, len(data)) for key, data in self.objects.items() if key.startswith(prefix))
            self._send(200, f"<ListBucketResult><IsTruncated>false</IsTruncated>{found}</ListBucketResult>".encode(), body=body)
            return
        data = self.objects.get(asked.path.removeprefix("/shop/"))
        if data is None:
            self._send(404, b"", body=body)
            return
        wanted = self.headers.get("Range")
        if wanted is None:
            self._send(200, data, body=body)
            return
        first, last = wanted.removeprefix("bytes=").split("-")
        start, end = (int(first), int(last or len(data) - 1)) if first else (max(0, len(data) - int(last)), len(data) - 1)
        end = min(end, len(data) - 1)
        self._send(206, data[start : end + 1], body=body, span=f"bytes {start}-{end}/{len(data)}")

    def _send(self, code: int, data: bytes, *, body: bool, span: str | None = None) -> None:
        self.send_response(code)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Last-Modified", "Mon, 01 Jan 2024 00:00:00 GMT")
        self.send_header("ETag", '"x"')
        if span is not None:
            self.send_header("Content-Range", span)
        self.end_headers()
        if body:
            self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 its name
        """Nothing."""


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, bytes]]:
    """The objects of `s3://shop`, by key, as long as a test lasts."""
    objects: dict[str, bytes] = {}
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Shop", (Bucket,), {"objects": objects}))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_port}")
    for name, value in {"ALLOW_HTTP": "true", "ACCESS_KEY_ID": "k", "SECRET_ACCESS_KEY": "s3cr3t", "REGION": "eu-west-1"}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    yield objects
    server.shutdown()
    server.server_close()


def test_a_log_in_a_store_is_the_log(bucket: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One object, or all parts below a prefix: the same customers as from the file."""
    monkeypatch.chdir(tmp_path)
    log = invented()
    for name, part in {"log.parquet": log, "days/a.parquet": log[:50], "days/b.parquet": log[50:]}.items():
        part.write_parquet("part.parquet")
        bucket[name] = Path("part.parquet").read_bytes()
    log.write_parquet("log.parquet")
    for number, source in enumerate(("log.parquet", "s3://shop/log.parquet", "s3://shop/days/*.parquet")):
        assert main(["rfm", source, "--columns", "core", "-q", "-o", f"{number}.parquet"]) == 0
        assert_frame_equal(pl.read_parquet(f"{number}.parquet"), pl.read_parquet("0.parquet"))


def test_what_a_store_does_not_give_is_66(bucket: dict[str, bytes], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Named, with what to check, and never a secret."""
    bucket["days/a.parquet"] = b""
    for address in ("none.parquet", "none/", "none/*.parquet", "days"):
        assert main(["rfm", f"s3://shop/{address}", "-o", str(tmp_path / "x.parquet")]) == 66
        told = capsys.readouterr().err
        assert f"nothing lies there\n  where: s3://shop/{address}\n  to do: check the address: a folder's ends in /" in told
        assert "s3cr3t" not in told
    assert not list(tmp_path.iterdir())


def test_a_store_that_refuses_is_66_in_its_own_words(
    bucket: dict[str, bytes], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Credentials that do not reach so far: what the store says, and where they are set."""
    bucket[CLOSED] = b""
    assert main(["rfm", "s3://shop/log.parquet", "-o", str(tmp_path / "x.parquet")]) == 66
    told = capsys.readouterr().err
    assert "the object store does not give it: " in told
    assert "403" in told
    assert "the credentials in the environment (AWS_" in told
    assert "s3cr3t" not in told


@pytest.mark.parametrize("address", ["s3://", "s3://shop", "s3:///log.parquet"])
def test_an_address_without_a_bucket_is_none(address: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """2, with how to write it."""
    assert main(["rfm", address, "-o", str(tmp_path / "x.parquet")]) == 2
    assert "s3://BUCKET/FOLDER/" in capsys.readouterr().err


@pytest.mark.parametrize("pattern", ["[", "**a/log.parquet"])
def test_a_pattern_that_is_none_is_told(pattern: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """2, with what is wrong with it, before anybody is asked."""
    assert main(["rfm", f"s3://shop/{pattern}", "-o", str(tmp_path / "x.parquet")]) == 2
    assert "the address holds a pattern that is none" in capsys.readouterr().err


def test_a_store_nobody_reaches_is_told_without_the_password_of_its_endpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """66 with what the network says and where it is set, on the terminal and in the log of errors."""
    with socket.socket() as taken:  # bound, but nobody listens
        taken.bind(("127.0.0.1", 0))
        for name, value in {"ENDPOINT_URL": f"http://u:s3cr3t@127.0.0.1:{taken.getsockname()[1]}", "REGION": "x"}.items():
            monkeypatch.setenv(f"AWS_{name}", value)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "k")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s")
        monkeypatch.setenv("CLM_LOG", str(tmp_path / "log"))
        assert main(["rfm", "s3://away/log.parquet", "-o", str(tmp_path / "x.parquet")]) == 66
    told, logged = capsys.readouterr().err, (tmp_path / "log").read_text("utf-8")
    assert "the object store cannot be reached: Connection refused" in told
    assert "AWS_ENDPOINT_URL" in told
    assert "cannot be reached" in logged
    assert "s3cr3t" not in told + logged


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("s3://KEY:s3cr3t@shop/log.parquet", "s3://shop/log.parquet"),
        ("s3://KEY:s3/cr+3t@shop/log.parquet", "s3://shop/log.parquet"),
        ("az://c/log.parquet?sig=s3cr3t&x=1", "az://c/log.parquet"),
        ("GET http://u:s3cr3t@h:80/shop?list-type=2 failed", "GET http://h:80/shop failed"),
        ("s3:/KEY:s3/cr3t@shop/log.parquet?sig=s3cr3t", "s3:/shop/log.parquet"),
        ("s3://shop/2024-??/a@b.parquet", "s3://shop/2024-??/a@b.parquet"),
        ("C:/shop/a@b.csv", "C:/shop/a@b.csv"),
        ("s3://h:80/a@b", "s3://h:80/a@b"),
        ("mail a@b?c=d", "mail a@b?c=d"),
    ],
)
def test_no_error_shows_the_credentials_of_an_address(given: str, shown: str) -> None:
    """User, password and query of any address in it are left out; patterns and other text stay."""
    error = InputError(given, where=given, fix=given)
    assert (error.what, error.where, error.fix, error.args) == (shown, shown, shown, (shown,))


@pytest.mark.parametrize("command", ["rfm", "clv"])
def test_an_address_longer_than_any_path_is_one(
    command: str, bucket: dict[str, bytes], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A signed address may have thousands of characters: 66 as for any other, and its signature is not shown."""
    address = f"s3://shop/{'a' * 5000}/log.parquet?X-Amz-Signature=s3cr3t"
    assert main([command, address, "-o", str(tmp_path / "x.parquet")]) == 66
    told = capsys.readouterr().err
    assert "where: s3://shop/aaa" in told
    assert "s3cr3t" not in told


def test_a_log_that_changes_while_it_is_read_is_65(
    bucket: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is read several times: of two logs nothing is made."""
    log, real = invented(), stage.rfm
    log.write_parquet(tmp_path / "log.parquet")
    log.with_columns(pl.col("amount") * 2).cast(log.schema).write_parquet(tmp_path / "later.parquet")
    bucket["log.parquet"] = (tmp_path / "log.parquet").read_bytes()

    def meanwhile(*given: Any) -> Any:
        found = real(*given)
        bucket["log.parquet"] = (tmp_path / "later.parquet").read_bytes()
        return found

    monkeypatch.setattr(stage, "rfm", meanwhile)
    assert main(["rfm", "s3://shop/log.parquet", "-o", str(tmp_path / "x.parquet")]) == 65
    assert "the log was changed while it was read\n  where: s3://shop/log.parquet" in capsys.readouterr().err
    assert not (tmp_path / "x.parquet").exists()


def test_a_store_is_blamed_for_what_is_its_own(bucket: dict[str, bytes], tmp_path: Path) -> None:
    """A closed pipe, a full disk or a bug while its log is read is told as it is; an object that is gone is the store's."""
    invented().write_parquet(tmp_path / "log.parquet")
    bucket["log.parquet"] = (tmp_path / "log.parquet").read_bytes()

    def meanwhile(does: Callable[[pl.LazyFrame], object]) -> None:
        with stores.orders("s3://shop/log.parquet") as orders:
            does(orders)

    def closed(orders: pl.LazyFrame) -> None:
        raise BrokenPipeError(errno.EPIPE, "Broken pipe")

    with pytest.raises(BrokenPipeError):
        meanwhile(closed)
    with pytest.raises(pl.exceptions.PolarsError, match="os error 28"):
        meanwhile(lambda orders: orders.sink_parquet("/dev/full"))
    with pytest.raises(pl.exceptions.InvalidOperationError):
        meanwhile(lambda orders: orders.select(pl.col("customer_id").cast(pl.Int64)).collect())
    with pytest.raises(InputError, match="nothing lies there"):
        meanwhile(lambda orders: (bucket.clear(), orders.collect()))


def test_what_a_store_gives_that_is_no_log_is_65(
    bucket: dict[str, bytes], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """No Parquet, or parts that differ: told without a word of what they hold."""
    log = invented()
    for name, part in {"a": log, "b": log.rename({"order_id": "PRIVATE"})}.items():
        part.write_parquet(tmp_path / "part")
        bucket[f"days/{name}.parquet"] = (tmp_path / "part").read_bytes()
    bucket["text.parquet"] = b"PRIVATE, and no Parquet"
    bucket["mixed/a.parquet"], bucket["mixed/_log/0.json"] = bucket["days/a.parquet"], b"PRIVATE"
    for source, says in (
        ("text.parquet", "is no Parquet, damaged, or was replaced"),
        ("days/*.parquet", "do not have the same columns"),
        ("mixed/", "other files lie beside the parts there"),
    ):
        assert main(["rfm", f"s3://shop/{source}", "-o", str(tmp_path / "x.parquet")]) == 65
        told = capsys.readouterr().err
        assert says in told
        assert "PRIVATE" not in told


@pytest.mark.parametrize(
    ("line", "code", "says"),
    [
        ("clean s3://shop/log.csv -o x.parquet", 66, "reads files of this machine, not an address\n  where: s3://shop/log.csv"),
        ("cohort s3://shop/log.parquet", 66, "`clm rfm` alone reads Parquet at s3://, gs://, az://"),
        ("report c.parquet --previous s3://shop/c.parquet", 66, "where: s3://shop/c.parquet\n  to do: copy it here first"),
        ("show C1 s3://shop/out", 66, "where: s3://shop/out"),
        ("verify s3://shop/out", 66, "where: s3://shop/out"),
        ("run log.csv -o s3://shop/out", 73, "not to an address\n  where: s3://shop/out"),
        ("key new s3://shop/shop.key", 73, "not to an address\n  where: s3://shop/shop.key"),
        ("rfm https://shop/log.parquet -o x.parquet", 66, "that start with s3://, gs://, az://, not this one"),
    ],
)
def test_addresses_are_refused_elsewhere(
    line: str, code: int, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What reads files of this machine says so, whichever file it is, and what reads addresses; nothing is made here instead."""
    monkeypatch.chdir(tmp_path)
    assert main(line.split()) == code
    assert says in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_failure_of_no_known_kind_is_the_address_s_and_quotes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """What Polars says may hold a value of the log: 66 without its words."""

    def scan_parquet(*given: object, **more: object) -> pl.LazyFrame:
        raise pl.exceptions.SchemaError("C024 is no number")

    monkeypatch.setattr(pl, "scan_parquet", scan_parquet)
    with pytest.raises(InputError, match="not said why") as caught, stores.orders("s3://shop/log.parquet"):
        pass
    assert "C024" not in str(caught.value)
