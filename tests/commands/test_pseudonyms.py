"""Pseudonyms from the command line: keys made and refused, nobody's id in any output, and tables under two keys kept apart."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from clm.cli import main
from tests.logs import csv_of, invented

IDS = "ann@example.com", "张三丰", "13800138000"
LOG = "customer,order,date,total,mail\n" + "".join(
    f"{IDS[row % 3]},o{row},2024-0{1 + row % 6}-05,{row}.50,{IDS[0]}\n" for row in range(1, 30)
)


@pytest.fixture
def key(tmp_path: Path) -> str:
    assert main(["key", "new", str(tmp_path / "shop.key"), "-q"]) == 0
    return str(tmp_path / "shop.key")


def cleaned(tmp_path: Path, key: str, *more: str, name: str = "c.parquet", text: str = LOG) -> Path:
    source = tmp_path / "log.csv"
    source.write_text(text, encoding="utf-8")
    wanted = ["--pseudonymise", "customer_id,email", "--key-file", key, "--map", "email=mail"]
    assert main(["clean", str(source), "-o", str(tmp_path / name), "-q", *wanted, *more]) == 0
    return tmp_path / name


def test_no_id_is_left_in_the_table_or_its_footer(tmp_path: Path, key: str) -> None:
    """Neither the file's bytes nor its rows hold a customer or a mail; each has one code, also in made order ids."""
    path = cleaned(tmp_path, key, text=LOG.replace(",order,", ",nothing,"), name="c.parquet")
    raw = path.read_bytes()
    table = pl.read_parquet(path)
    for one in IDS:
        assert one.encode() not in raw
        assert not table.select(pl.any_horizontal(pl.col(pl.String).str.contains(one, literal=True)).any()).item()
    assert table["customer_id"].n_unique() == 3
    assert table["email"].n_unique() == 1
    assert table["order_id"].str.starts_with(table["customer_id"][0]).any()


def test_the_same_key_gives_the_same_table_and_another_key_another(tmp_path: Path, key: str) -> None:
    """Stable from run to run; nothing in common under another key."""
    first, again = cleaned(tmp_path, key, name="a.parquet"), cleaned(tmp_path, key, name="b.parquet")
    assert first.read_bytes() == again.read_bytes()
    main(["key", "new", str(tmp_path / "other.key"), "-q"])
    other = cleaned(tmp_path, str(tmp_path / "other.key"), name="o.parquet")
    assert not set(pl.read_parquet(other)["customer_id"]) & set(pl.read_parquet(first)["customer_id"])


def test_tables_under_two_keys_are_not_joined(tmp_path: Path, key: str, capsys: pytest.CaptureFixture[str]) -> None:
    """65 naming both keys by id; under one key the chain goes on, also with a table that was cleaned again without it."""
    log = csv_of(invented(customers=40, orders=4), tmp_path / "orders.csv")
    main(["key", "new", str(tmp_path / "other.key"), "-q"])
    for name, with_key in (("a", key), ("b", str(tmp_path / "other.key"))):
        wanted = ["--pseudonymise", "customer_id", "--key-file", with_key]
        assert main(["clean", str(log), "-o", str(tmp_path / f"{name}.parquet"), "-q", *wanted]) == 0
    assert main(["rfm", str(tmp_path / "a.parquet"), "-o", str(tmp_path / "r.parquet"), "-q"]) == 0
    assert main(["clean", str(tmp_path / "a.parquet"), "-o", str(tmp_path / "again.parquet"), "-q"]) == 0
    clv = ["clv", str(tmp_path / "r.parquet"), "-o", str(tmp_path / "v.parquet"), "-q", "--orders"]
    assert main([*clv, str(tmp_path / "a.parquet")]) == 0
    assert main([*clv, str(tmp_path / "again.parquet")]) == 0
    capsys.readouterr()
    assert main([*clv, str(tmp_path / "b.parquet")]) == 65
    assert "different keys" in capsys.readouterr().err
    together = ["clean", str(tmp_path / "a.parquet"), str(tmp_path / "b.parquet"), "--duplicates", "keep"]
    assert main([*together, "-o", str(tmp_path / "ab.parquet"), "-q"]) == 65
    assert "different keys" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["segment", "report"])
def test_an_earlier_table_under_another_key_is_not_compared(
    command: str, tmp_path: Path, key: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """`--previous` is a join too: under two keys nobody would have stayed."""
    log = csv_of(invented(customers=40, orders=4), tmp_path / "orders.csv")
    tiers = tmp_path / "tiers.toml"
    tiers.write_text('column = "spend"\n[[tier]]\ncode = "gold"\nat_least = 100\n[[tier]]\ncode = "rest"\n', encoding="utf-8")
    (now, earlier), other = ([tmp_path / "now.parquet", tmp_path / "earlier.parquet"], str(tmp_path / "other.key"))
    main(["key", "new", other, "-q"])
    chosen = ["--tiers", str(tiers)]
    for with_key, agree in ((other, False), (key, True)):
        for path, used, as_of in ((now, key, []), (earlier, with_key, ["--as-of", "2024-03-31"])):
            wanted = ["--pseudonymise", "customer_id", "--key-file", used]
            assert main(["clean", str(log), "-o", str(tmp_path / "c.parquet"), "-q", *wanted]) == 0
            assert main(["rfm", str(tmp_path / "c.parquet"), "-o", str(tmp_path / "r.parquet"), "-q", *as_of]) == 0
            assert main(["segment", str(tmp_path / "r.parquet"), "-o", str(path), "-q", *chosen]) == 0
        more = chosen if command == "segment" else []
        capsys.readouterr()
        code = main([command, str(now), "--previous", str(earlier), "-o", str(tmp_path / "out.parquet"), "-q", *more])
        assert (code, "different keys" in capsys.readouterr().err) == ((0, False) if agree else (65, True))


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["--pseudonymise", "customer_id"], 2, "wants a key"),
        (["--key-file", "{key}"], 2, "without --pseudonymise"),
        (["--pseudonymise", "custumer_id", "--key-file", "{key}"], 2, "did you mean customer_id"),
        (["--pseudonymise", "amount", "--key-file", "{key}"], 2, "it is no text"),
        (["--pseudonymise", "customer_id,kind", "--key-file", "{key}"], 2, "it is clm's own"),
        (["--pseudonymise", "customer_id", "--key-file", "{key}", "--rejects-raw"], 2, "--rejects-raw writes what"),
        (["--pseudonymise", "customer_id", "--key-file", "nowhere.key"], 66, "clm key new"),
        (["--pseudonymise", "customer_id", "--key-file", "{open}"], 78, "open to others"),
    ],
)
def test_half_a_wish_is_refused(
    arguments: list[str], code: int, says: str, tmp_path: Path, key: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each with what to do, and nothing written."""
    source, public = tmp_path / "log.csv", tmp_path / "open.key"
    source.write_text(LOG, encoding="utf-8")
    public.write_bytes(bytes(32))
    public.chmod(0o644)
    given = [one.format(key=key, open=public) for one in arguments]
    assert main(["clean", str(source), "-o", str(tmp_path / "c.parquet"), *given]) == code
    assert says in capsys.readouterr().err
    assert not (tmp_path / "c.parquet").exists()


def test_a_key_is_made_once(tmp_path: Path, key: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The second `key new` of the same name is refused, other verbs are no verbs, and the secret is never shown."""
    before = Path(key).read_bytes()
    assert main(["key", "new", key]) == 73
    assert main(["key", "show", key]) == 2
    assert main(["key", "new"]) == 2
    assert main(["key", "new", str(tmp_path / "two.key")]) == 0
    assert Path(key).read_bytes() == before
    told = capsys.readouterr()
    assert (tmp_path / "two.key").read_bytes().hex() not in told.out + told.err


def test_a_run_under_another_key_cleans_again(tmp_path: Path, key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was made under one key is stale under another, and fresh under the same."""
    monkeypatch.chdir(tmp_path)
    csv_of(invented(customers=40, orders=4), tmp_path / "orders.csv")
    monkeypatch.setenv("CLM_CLEAN_PSEUDONYMISE", "customer_id")
    monkeypatch.setenv("CLM_CLEAN_KEY_FILE", key)
    assert main(["run", "orders.csv", "-o", "out", "-q"]) == 0
    first = pl.read_parquet("out/customers.parquet")["customer_id"].to_list()
    before = Path("out/clean.parquet").stat().st_mtime_ns
    assert main(["run", "orders.csv", "-o", "out", "-q"]) == 0
    assert Path("out/clean.parquet").stat().st_mtime_ns == before
    main(["key", "new", "other.key", "-q"])
    monkeypatch.setenv("CLM_CLEAN_KEY_FILE", "other.key")
    assert main(["run", "orders.csv", "-o", "out", "-q"]) == 0
    assert not set(first) & set(pl.read_parquet("out/customers.parquet")["customer_id"])
