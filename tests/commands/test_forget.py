"""`clm forget`: afterwards a folder is as if the customers had never been in the log, and no byte in it names them."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet as pq
import pytest

from clm import journal
from clm.cli import main
from clm.errors import StorageError
from clm.forget import folder
from clm.forget import ids as named
from clm.storage import facts, publish, seal
from clm.verify import verify
from tests.logs import csv_of, invented

GONE = ("C017", "C023")
MADE = ("rfm.parquet", "segments.parquet", "clv.parquet", "customers.parquet")


@pytest.fixture
def copy(ran: Path, tmp_path: Path) -> Path:
    """A run's folder with its source beside it."""
    shutil.copy(ran.parent / "orders.csv", tmp_path)
    return Path(shutil.copytree(ran, tmp_path / "out"))


@pytest.fixture
def gone(tmp_path: Path) -> str:
    (tmp_path / "gone.txt").write_text("\n".join((*GONE, "nobody-at-all")), "utf-8")
    return str(tmp_path / "gone.txt")


def forget(folder: Path, gone: str, *more: str) -> int:
    return main(["forget", "--ids-file", gone, str(folder), *more])


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name != "run.json"}


def wrong(folder: Path) -> list[str]:
    return [f"{one.file}: {one.check}: {one.says}" for one in verify([folder], folder.parent) if one.status == "wrong"]


def told_by(path: Path) -> facts.Facts:
    return facts.parse(pl.read_parquet_metadata(path)[facts.KEY], path.name)


def everything(path: Path) -> Iterator[str]:
    """All a file holds: its bytes, and of Parquet every cell, the footer, and the extremes of every column."""
    raw = path.read_bytes()
    yield raw.decode("latin-1")
    if path.suffix == ".xlsx":
        with zipfile.ZipFile(path) as archive:
            yield from (archive.read(name).decode() for name in archive.namelist())
    if path.suffix == ".parquet":
        frame = pl.read_parquet(path)
        yield str(list(frame.iter_rows()))
        yield json.dumps({key: str(value) for key, value in pl.read_parquet_metadata(path).items()})
        metadata = pq.read_metadata(path)
        for group in range(metadata.num_row_groups):
            for column in range(metadata.num_columns):
                yield str(metadata.row_group(group).column(column).statistics)


def naming(folder: Path, *values: str) -> set[str]:
    """Names of files in which one of these can be found anywhere."""
    return {
        path.name for path in folder.rglob("*") if path.is_file() for text in everything(path) if any(v in text for v in values)
    }


def test_the_folder_is_as_if_they_had_never_been_in_the_log(copy: Path, gone: str, tmp_path: Path) -> None:
    """Every table made again equals that of a run over the log without their lines; books and numbers of the report too."""
    other = tmp_path / "other"
    other.mkdir()
    log = invented(customers=40, orders=4).filter(~pl.col("customer_id").is_in(GONE))
    assert main(["run", str(csv_of(log, other / "orders.csv")), "-o", str(other / "out"), "-q"]) == 0
    assert forget(copy, gone, "-q") == 0
    for name in (*MADE, "metrics.parquet"):
        assert pl.read_parquet(copy / name).equals(pl.read_parquet(other / "out" / name)), name
    ours, theirs = (pl.read_parquet(folder / "clean.parquet").drop("source_line") for folder in (copy, other / "out"))
    assert ours.equals(theirs)
    told, never = (told_by(folder / "clean.parquet") for folder in (copy, other / "out"))
    assert (told.rows, told.amount, told.metrics["quality"]) == (never.rows, never.amount, never.metrics["quality"])
    assert (copy / "model.json").read_bytes() == (other / "out" / "model.json").read_bytes()


def test_nothing_in_the_folder_names_them_any_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Canary ids in raw rejects, extremes, exports, lists and members: found before, in no byte, cell, footer or bound after."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CLM_CLEAN_REJECTS_RAW", "1")
    log = csv_of(invented(customers=40, orders=4), tmp_path / "orders.csv")
    text = log.read_text("utf-8").replace("C000", "AAA-canary").replace("C039", "ZZZ-金丝雀")
    broken = "O-1,ZZZ-金丝雀,not a day,5\nO-2,C005,neither,6\n"
    log.write_text(text + broken, "utf-8")
    assert main(["run", str(log), "-o", "out", "-q"]) == 0
    out = tmp_path / "out"
    for line in (
        ["list", "out/customers.parquet", "-o", "out/list.parquet"],
        ["list", "out/customers.parquet", "-o", "out/list.csv"],
        ["rfm", "out/clean.parquet", "-o", "out/rfm.csv"],
        ["churn", "out/clv.parquet", "--orders", "out/clean.parquet", "-o", "out/churn.xlsx"],
        ["clean", "orders.csv", "-o", "out/clean.xlsx"],
        ["list", "out/customers.parquet", "-o", "out/list.xlsx"],
        ["cohort", "out/clean.parquet", "--members", "-o", "out/members.parquet"],
        ["segment", "out/rfm.parquet", "-o", "out/mine.parquet"],
    ):
        assert main([*line, "-q"]) == 0
    canaries = ("AAA-canary", "ZZZ-金丝雀")
    assert {"clean.parquet", "rejects.parquet", "customers.parquet", "list.csv", "mine.parquet"} <= naming(out, *canaries)
    assert {"churn.xlsx", "clean.xlsx", "list.xlsx"} <= naming(out, *canaries)
    total = told_by(out / "rfm.parquet").amount["out"]  # type: ignore[index]
    assert total in told_by(out / "mine.parquet").to_text()
    (tmp_path / "gone.txt").write_text(" AAA-canary \r\n\nZZZ-金丝雀", "utf-8")
    assert forget(out, "gone.txt", "-q") == 0
    assert naming(out, *canaries, "canary", "金丝雀") == set()
    raw = pl.read_parquet(out / "rejects.parquet")["raw"].to_list()
    assert raw == [None, "O-2,C005,neither,6"]
    assert pl.read_csv(out / "rfm.csv").height == 38
    for name in ("churn", "list"):
        assert pl.read_excel(out / f"{name}.xlsx", engine="calamine").height == 38
    made = pl.read_excel(out / "churn.xlsx", engine="calamine", schema_overrides={"rfm": pl.String})
    told = pl.read_parquet(out / "mine.parquet").select("customer_id", "orders", "spend", "first_order_on")
    assert made.select(told.columns).cast(told.schema).equals(told)
    assert wrong(out) == []
    # nor is there the sum they were part of: the difference would be theirs
    assert [path.name for path in out.glob("*.parquet") if total in told_by(path).to_text()] == []


def test_a_setting_that_names_one_of_them_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A rule about one customer stands in every footer and on the page: which setting it is, never the id; a number in a rule
    about money is no id of another's."""
    log = csv_of(invented(customers=12, orders=4), tmp_path / "orders.csv")
    (tmp_path / "gone.txt").write_text("C003\n", "utf-8")
    monkeypatch.chdir(tmp_path)
    for rule, said in (("vip = customer_id = 'C003'", True), ("vip = customer_id = 'C0031'", False)):
        monkeypatch.setenv("CLM_CLEAN_RULE", rule)
        assert main(["run", str(log), "-o", "out", "-q"]) == 0
        capsys.readouterr()
        assert main(["forget", "--ids-file", "gone.txt", "out"]) == 0
        err = capsys.readouterr().err
        assert ("clean.rule may name one of them" in err) is said
        assert "C003" not in err


def test_a_second_time_changes_nothing(copy: Path, gone: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Idempotent to the byte, and said; verify is content, `clm run` has nothing to do."""
    assert forget(copy, gone) == 0
    told = capsys.readouterr().err
    assert "2 customers of 3 ids" in told
    assert "the sources still hold them" in told
    after, record = content(copy), (copy / "run.json").read_bytes()
    assert forget(copy, gone) == 0
    assert "nothing to do" in capsys.readouterr().err
    assert (content(copy), (copy / "run.json").read_bytes()) == (after, record)
    assert wrong(copy) == []
    assert main(["run", str(copy.parent / "orders.csv"), "-o", str(copy)]) == 0
    assert "nothing changed" in capsys.readouterr().err


def test_a_changed_source_brings_them_back_and_says_so(copy: Path, gone: str, capsys: pytest.CaptureFixture[str]) -> None:
    """clm keeps no list of who was forgotten; the run that reads the log again says that they may be back."""
    assert forget(copy, gone, "-q") == 0
    source = copy.parent / "orders.csv"
    source.write_text(source.read_text("utf-8") + "O-new,C001,2024-07-01 00:00:00,5.00\n", "utf-8")
    capsys.readouterr()
    assert main(["run", str(source), "-o", str(copy)]) == 0
    assert "customers were forgotten in this folder" in capsys.readouterr().err
    assert set(GONE) <= set(pl.read_parquet(copy / "customers.parquet")["customer_id"])


def test_a_dry_run_counts_and_writes_nothing(copy: Path, gone: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The numbers as an object, no file touched."""
    before, record = content(copy), (copy / "run.json").read_bytes()
    assert forget(copy, gone, "-n", "--json", "-q") == 0
    told = json.loads(capsys.readouterr().out)
    lines = pl.read_parquet(copy / "clean.parquet").filter(pl.col("customer_id").is_in(GONE)).height
    assert (told["metrics"]["customers"], told["metrics"]["rows"], told["outputs"]) == (2, lines, [])
    assert (content(copy), (copy / "run.json").read_bytes()) == (before, record)


def test_no_id_is_ever_said(copy: Path, gone: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Neither on stdout nor on stderr, however talkative."""
    assert forget(copy, gone, "-v", "--json") == 0
    told = capsys.readouterr()
    assert not any(one in told.out + told.err for one in (*GONE, "nobody-at-all"))
    assert json.loads(told.out)["metrics"]["ids"] == 3


def failing(name: str, number: int, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """The n-th call of a way to write a file fails; returns the way itself."""
    real, calls = getattr(publish, name), iter(range(1, 99))

    def instead(*given: object, **more: object) -> object:
        if next(calls) == number:
            raise StorageError("no")
        return real(*given, **more)

    monkeypatch.setattr(publish, name, instead)
    return real  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("name", "number"), [("publish", 1), ("publish", 5), ("move", 1), ("move", 2), ("move", 8), ("move", 10)]
)
def test_an_interruption_is_seen_and_mended(
    name: str, number: int, copy: Path, gone: str, ran: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The n-th file cannot be written: nothing is changed while the new files are made; once they are put in place run refuses
    and verify says so until forget ran to its end, with what it gives at once."""
    real = failing(name, number, monkeypatch)
    before = content(copy)
    assert forget(copy, gone, "-q") == 74
    monkeypatch.setattr(publish, name, real)
    source = str(copy.parent / "orders.csv")
    if name == "move":
        assert any(line.startswith("forgetting.json: status") for line in wrong(copy))
        halfway = content(copy)
        for flags in ((), ("--force",), ("--dry-run",)):
            assert main(["run", source, "-o", str(copy), "-q", *flags]) == 65
        assert content(copy) == halfway
    else:
        assert content(copy) == before
    assert forget(copy, gone, "-q") == 0
    assert wrong(copy) == []
    assert naming(copy, *GONE) == set()
    assert main(["run", source, "-o", str(copy), "-q"]) == 0


def test_a_forget_that_ends_an_interrupted_one_says_so(
    ran: Path, gone: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also when the earlier one had come to its last file, and nobody was left to take out."""
    (tmp_path / "loose").mkdir()
    shutil.copy(ran / "rfm.parquet", tmp_path / "loose")
    assert forget(tmp_path / "loose", gone) == 0
    assert "2 lines of theirs taken out; 1 file without them" in capsys.readouterr().err
    journal.begin(tmp_path / "loose", journal.Begun({}, run=False), {*GONE, "nobody-at-all"})
    assert forget(tmp_path / "loose", gone) == 0
    assert "what an earlier forget began is finished: 0 customers of 3 ids and 0 lines" in capsys.readouterr().err
    assert not (tmp_path / "loose" / journal.NAME).exists()


def test_an_interruption_among_single_tables_is_seen_and_mended(
    ran: Path, gone: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever file cannot be written: verify says so, and the same forget ends where an undisturbed one does, to the byte."""
    real = publish.publish
    names = ("clean.parquet", "rejects.parquet", *MADE)

    def loose(folder: str) -> Path:
        (tmp_path / folder).mkdir()
        for name in names:
            shutil.copy(ran / name, tmp_path / folder)
        return tmp_path / folder

    undisturbed = loose("undisturbed")
    assert forget(undisturbed, gone, "-q") == 0
    for number in range(1, len(names) + 2):  # forgetting.json is the first
        folder, calls = loose(f"at-{number}"), iter(range(1, 99))

        def failing(*given: object, calls: Iterator[int] = calls, number: int = number, **more: object) -> object:
            if next(calls) == number:
                raise StorageError("no")
            return real(*given, **more)  # type: ignore[arg-type]

        monkeypatch.setattr(publish, "publish", failing)
        assert forget(folder, gone, "-q") == 74
        monkeypatch.setattr(publish, "publish", real)
        seen = [one.file for one in verify([folder / "clv.parquet"]) if one.status == "wrong"]
        assert ("forgetting.json" in seen) is (number > 1)
        assert forget(folder, gone, "-q") == 0
        assert content(folder) == content(undisturbed)


def test_what_took_a_tables_place_after_an_interruption_is_no_ancestor(
    ran: Path, gone: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A log read from another source meanwhile is not what the table beside it was made from: that is named, without its sums."""
    folder = tmp_path / "loose"
    folder.mkdir()
    shutil.copy(ran / "clean.parquet", folder)
    shutil.copy(ran / "rfm.parquet", folder)
    real = publish.publish

    def failing(target: Path, *given: object, **more: object) -> object:
        if target.name == "rfm.parquet":
            raise StorageError("no")
        return real(target, *given, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(publish, "publish", failing)
    assert forget(folder, gone, "-q") == 74
    monkeypatch.setattr(publish, "publish", real)
    log = csv_of(invented(customers=30, orders=4), tmp_path / "others.csv")
    assert main(["clean", str(log), "-o", str(folder / "clean.parquet"), "-q"]) == 0
    assert forget(folder, gone, "-q") == 0
    held, before = told_by(folder / "rfm.parquet").ancestors, told_by(ran / "rfm.parquet").ancestors
    assert [one["sha256"] for one in held] == [one["sha256"] for one in before]
    assert "amount" in before[-1]
    assert "amount" not in held[-1]


def test_codes_need_their_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Pseudonymised tables: without the key 2, under another 65, with it the right customers go."""
    monkeypatch.chdir(tmp_path)
    log = csv_of(invented(customers=30, orders=3), tmp_path / "orders.csv")
    for key in ("shop.key", "other.key"):
        assert main(["key", "new", key, "-q"]) == 0
    monkeypatch.setenv("CLM_CLEAN_PSEUDONYMISE", "customer_id")
    monkeypatch.setenv("CLM_CLEAN_KEY_FILE", "shop.key")
    assert main(["run", str(log), "-o", "out", "-q"]) == 0
    (tmp_path / "gone.txt").write_text("C004\nC009\n")
    assert forget(tmp_path / "out", "gone.txt") == 2
    assert forget(tmp_path / "out", "gone.txt", "--key-file", "other.key") == 65
    capsys.readouterr()
    again = ("-o", "again.parquet", "-q", "--key-file", "other.key")
    assert main(["clean", str(log), *again]) == 0
    (tmp_path / "again.parquet").replace(tmp_path / "out" / "again.parquet")
    assert forget(tmp_path / "out", "gone.txt", "--key-file", "shop.key") == 0
    told = capsys.readouterr().err
    assert "again.parquet stays as it is: it is coded under key" in told
    assert forget(tmp_path / "out", "gone.txt", "--key-file", "other.key") == 0
    assert "2 customers of 2 ids" in told
    capsys.readouterr()
    forget(tmp_path / "out", "gone.txt", "--key-file", "other.key")
    assert "nothing to do" in capsys.readouterr().err
    assert pl.read_parquet("out/customers.parquet").height == 28
    assert wrong(tmp_path / "out") == []


def test_the_rest_is_made_under_the_settings_of_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A run with a day, a language and a file of tiers: they hold without being said again, but the file must be there (78)."""
    monkeypatch.chdir(tmp_path)
    log = csv_of(invented(customers=30, orders=3), tmp_path / "orders.csv")
    tiers = 'column = "spend"\n[[tier]]\ncode = "gold"\nat_least = 100\n[[tier]]\ncode = "rest"\n'
    (tmp_path / "tiers.toml").write_text(tiers)
    (tmp_path / "clm.toml").write_text('[segment]\ntiers = "tiers.toml"\n[rfm]\nweights = "r=1,f=2"\n')
    assert main(["run", str(log), "-o", "out", "--as-of", "2024-03-01", "--lang", "zh", "-q"]) == 0
    (tmp_path / "gone.txt").write_text("C004\n")
    (tmp_path / "clm.toml").rename(tmp_path / "away.toml")
    before = content(tmp_path / "out")
    assert forget(tmp_path / "out", "gone.txt") == 78
    assert "--tiers for segment" in capsys.readouterr().err
    assert content(tmp_path / "out") == before
    (tmp_path / "away.toml").rename(tmp_path / "clm.toml")
    assert forget(tmp_path / "out", "gone.txt", "-q") == 0
    table = pl.read_parquet("out/customers.parquet")
    assert str(table["as_of"][0]) == "2024-03-01"
    assert "tier" in table.columns
    assert table["rfm_value"].is_not_null().any()
    assert 'lang="zh' in (tmp_path / "out" / "report.html").read_text("utf-8")
    capsys.readouterr()
    assert main(["run", str(log), "-o", "out", "--as-of", "2024-03-01", "--lang", "zh"]) == 0
    assert "nothing changed" in capsys.readouterr().err


def test_single_tables_lose_their_rows_and_stay_a_chain(ran: Path, gone: str, tmp_path: Path) -> None:
    """A folder without run.json: rows go, footers name each other as they are now, numbers that counted them are dropped."""
    folder = tmp_path / "loose"
    folder.mkdir()
    for name in ("clean.parquet", "rejects.parquet", *MADE):
        shutil.copy(ran / name, folder)
    assert forget(folder, gone, "-q") == 0
    assert naming(folder, *GONE) == set()
    checks = [one for path in sorted(folder.iterdir()) for one in verify([path])]
    assert [one for one in checks if one.status == "wrong"] == []
    assert sum(one.check == "tables" and one.status == "ok" for one in checks) == len(MADE)
    held, log, rejects = (told_by(folder / f"{name}.parquet") for name in ("customers", "clean", "rejects"))
    assert held.metrics == {}
    assert [notice["code"] for notice in held.warnings][-1] == "forgotten"
    # the rejects have the books of their log: with the old ones beside the new, the difference would be theirs
    assert (rejects.rows, rejects.amount) == (log.rows, log.amount)


def test_a_table_is_known_whatever_the_case_of_its_ending(ran: Path, gone: str, tmp_path: Path) -> None:
    """A table written with -o LOG.PARQUET loses its rows as any other."""
    folder = tmp_path / "loose"
    folder.mkdir()
    shutil.copy(ran / "clean.parquet", folder / "LOG.PARQUET")
    assert forget(folder, gone, "-q") == 0
    assert not naming(folder, *GONE)


def test_what_it_cannot_rewrite_is_named(copy: Path, gone: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Notes, workbooks, cohorts, folders, links and somebody's own CSV stay as they are, by name and with the reason."""
    (copy / "notes.txt").write_text("C017 rang")
    (copy / "mine.csv").write_text("customer_id,shoe\nC017,44\n")
    (copy / "figures").mkdir()
    (copy / "link.parquet").symlink_to(copy / "rfm.parquet")
    (copy / "broken.parquet").write_bytes(b"PAR1")
    assert main(["cohort", str(copy / "clean.parquet"), "-o", str(copy / "cohorts.parquet"), "-q"]) == 0
    assert forget(copy, gone, "--json") == 0
    left = {one["path"]: one["why"] for one in json.loads(capsys.readouterr().out)["left"]}
    assert set(left) == {"notes.txt", "mine.csv", "figures", "link.parquet", "broken.parquet", "cohorts.parquet"}
    assert "names one of them" in left["notes.txt"]
    assert (copy / "mine.csv").read_text() == "customer_id,shoe\nC017,44\n"


def test_exports_keep_every_other_byte(copy: Path, gone: str) -> None:
    """A CSV loses their records, those with line ends in a cell too, and nothing else."""
    head = "customer_id,cohort,group,first_order_on,note\n"
    stays = [
        'C001,2024-01,,2024-01-05,"a ""b"", c"\n',
        '"C0,17",2024-01,,2024-01-05,\n',
        "C0170,2024-01,,2024-01-05,x\n",
        "'=C017,2024-01,,2024-01-05,x\n",
        "C002,2024-01,,2024-01-05,",
    ]
    goes = ['C017,2024-01,,2024-01-05,"two\nlines"\n', '"C023",2024-01,,2024-01-05,""\n']
    text = head + stays[0] + goes[0] + "".join(stays[1:4]) + goes[1] + stays[4]
    (copy / "export.csv").write_text(text, "utf-8")
    assert forget(copy, gone, "-q") == 0
    assert (copy / "export.csv").read_text("utf-8") == head + "".join(stays)


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ("A\u2028B\nC\x0cD\x85E".encode(), {"A\u2028B", "C\x0cD\x85E"}), (b"a\rb", {"a", "b"}),
        (b"", set()), (b"\n \n", set()), (b"a\nb\n", {"a", "b"}), (b"\xef\xbb\xbfa\r\nb", {"a", "b"}), (b" 007 \n", {"007"}),
        (b"17850.0\n12.0\n", {"17850", "12"}), (b"17850.0\nx\n", {"17850.0", "x"}), (b'="1001"\n\'7\n', {"1001", "7"}),
        ("e\u0301ve\n".encode(), {"éve"}), (b"customer_id\n5\n", {"5"}), (b"name;customer_id\nann;5\nbob; 6\n\n", {"5", "6"}),
        (b'customer_id,x\n"a,b",1\n', {"a,b"}),
        (b"Customer_ID\n5\n", {"5"}), (b"NULL\nNA\n", {"NULL", "NA"}), (b"a,b\n", {"a,b"}),
    ],
)  # fmt: skip
def test_ids_are_read_by_the_rule_for_ids_everywhere(content: bytes, found: set[str], tmp_path: Path) -> None:
    """Trimmed NFC text, `.0` where every id has it, spreadsheet marks off; one a line or a column of a CSV."""
    path = tmp_path / "ids"
    path.write_bytes(content)
    assert named.read(path) == found


@pytest.mark.parametrize(
    "cook",
    [
        lambda told: told["rows"].update(out=told["rows"]["out"] + 100),
        lambda told: told["rows"].update({"in": 1}),
        lambda told: told["amount"].update(out="5.0000"),
        lambda told: told["amount"].update({"in": "9e9999999", "out": "9e9999999"}),
        lambda told: told["settings"].update(key_id=[1]),
    ],
)
@pytest.mark.parametrize("of_run", [False, True])
def test_a_log_of_cooked_books_stays_as_it_is(
    cook: Callable[[Any], None], of_run: bool, copy: Path, gone: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Well sealed, yet of other rows than its footer tells: it is named, and of a run nothing is changed."""
    path = copy / ("clean.parquet" if of_run else "loose.parquet")
    told = json.loads(pl.read_parquet_metadata(copy / "clean.parquet")[facts.KEY])
    del told["seal"]
    cook(told)
    text, rows = seal.blank(json.dumps(told)), pl.read_parquet(copy / "clean.parquet")
    publish.sink(rows, path, {facts.KEY: text})
    seal.put(path, text)
    before = path.read_bytes()
    assert main(["forget", "--ids-file", gone, str(copy)]) == (65 if of_run else 0)
    assert path.name in capsys.readouterr().err
    assert path.read_bytes() == before
    assert not (copy / journal.NAME).exists()


def test_ids_may_come_through_a_pipe() -> None:
    """As the shell's `<(…)` hands them over."""
    read, write = os.pipe()
    os.write(write, b"a1\nb2\n")
    os.close(write)
    assert named.read(Path(f"/dev/fd/{read}")) == {"a1", "b2"}
    os.close(read)


def test_a_file_without_ids_says_so(copy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An empty list is done at once, and is told apart from ids that are in no file."""
    path = tmp_path / "ids"
    path.write_bytes(b"")
    assert forget(copy, str(path)) == 0
    assert "holds no id: nothing to do" in capsys.readouterr().err


@pytest.mark.parametrize(
    "content",
    [
        b"\xff\xfea\x00",
        b"a\0b\n",
        b"1.2E+15\n",
        b"x,customer_id\n1\n",
        b"customer_id\nSmith, John\n",
        b'x,customer_id\n"a,1\n',
        b"x" * 200_000,
        b"customer_id\n" + b"x" * 200_000,
    ],
)
def test_ids_nobody_can_read_are_65(content: bytes, copy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Another encoding, no text, digits a spreadsheet threw away, a record cut short: nobody may be left out unseen."""
    path = tmp_path / "ids"
    path.write_bytes(content)
    assert forget(copy, str(path)) == 65
    assert "to do:" in capsys.readouterr().err


def test_what_cannot_be_done_is_refused_untouched(copy: Path, gone: str, tmp_path: Path) -> None:
    """No folder, no ids, everybody, a lock, a damaged record, -o: each its code, and nothing changed."""
    everybody = tmp_path / "all.txt"
    everybody.write_text("\n".join(pl.read_parquet(copy / "customers.parquet")["customer_id"]))
    before = content(copy)
    assert forget(tmp_path / "nowhere", gone) == 66
    assert forget(copy, str(tmp_path / "nowhere")) == 66
    assert main(["forget", str(copy)]) == 2
    assert forget(copy, gone, "-o", "x") == 2
    assert forget(copy, str(everybody)) == 65
    handle = os.open(copy, os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_EX)
    assert forget(copy, gone) == 75
    os.close(handle)
    assert content(copy) == before
    (copy / "run.json").write_text("{")
    assert forget(copy, gone) == 65
    assert content(copy) == before
    (copy / "forgetting.json").write_text("{}")
    assert forget(copy, gone) == 65


def test_what_the_run_cannot_be_made_from_is_told(copy: Path, gone: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A setting in run.json that nobody can read: 78; no log to go on from: 65; nothing is changed."""
    before, record = content(copy), json.loads((copy / "run.json").read_text())
    (entry,) = [one for one in record["stages"] if one["stage"] == "rfm"]
    entry["made_from"]["settings"]["bins"] = "many"
    (copy / "run.json").write_text(json.dumps(record))
    assert forget(copy, gone) == 78
    assert "run.json holds no usable bins" in capsys.readouterr().err
    assert content(copy) == before
    (copy / "clean.parquet").unlink()
    assert forget(copy, gone) == 65
    assert "clean.parquet to go on from" in capsys.readouterr().err


def test_what_still_holds_them_is_said(
    copy: Path, gone: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder is looked through once more: what is found then is 65, by name."""
    monkeypatch.setattr(folder, "still_held", lambda *_: ["late.csv"])
    assert forget(copy, gone) == 65
    told = capsys.readouterr().err
    assert "some files still hold one of them" in told
    assert "late.csv" in told
