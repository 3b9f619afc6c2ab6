"""Opening our own tables: the right file opens, every wrong one is named with the command that helps."""

from __future__ import annotations

import errno
import json
import os
from contextlib import nullcontext
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from clm import dtypes
from clm.errors import DataError, InputError, LockedError, StorageError
from clm.settings import RfmSettings
from clm.stages.rfm import rfm
from clm.storage import contract, facts, faults, files, locks, publish
from clm.storage.facts import Facts
from clm.tables import CUSTOMERS, METRICS, TRANSACTIONS
from tests.logs import invented, transactions

LOG = transactions(("A", "1", "2024-01-01", "1.5"), ("B", "2", "2024-01-02", "2"))
NEEDED = [column.name for column in TRANSACTIONS.columns if not column.optional]


def written(path: Path, table_version: int = 1, **more: object) -> Path:
    books = {"in": 2, "out": 2}
    footer = Facts("TRANSACTIONS", table_version, "clean", {}, books, **more)  # type: ignore[arg-type]
    publish.sink(LOG, path, {facts.KEY: footer.to_text()})
    return path


def test_a_table_opens_with_its_facts(tmp_path: Path) -> None:
    """Path, facts, hash and a lazy frame."""
    opened = files.open_table(written(tmp_path / "clean.parquet", currency="EUR"), TRANSACTIONS, NEEDED)
    assert opened.facts is not None
    assert (opened.facts.currency, opened.frame.collect().height, opened.notices) == ("EUR", 2, ())
    assert opened.lineage[-1]["sha256"] == opened.sha256


@pytest.mark.parametrize("name", ["a[1].parquet", "b{2}.parquet", "c*.parquet", "d?.parquet", "é 中.parquet"])
def test_names_with_glob_characters_are_names(tmp_path: Path, name: str) -> None:
    """A path is opened literally."""
    assert files.open_table(written(tmp_path / name), TRANSACTIONS, NEEDED).frame.collect().height == 2


def test_no_footer_is_accepted_and_said(tmp_path: Path) -> None:
    """Right columns without a footer: a warning, and the data is checked since nobody vouches for it."""
    LOG.write_parquet(tmp_path / "x.parquet")
    opened = files.open_table(tmp_path / "x.parquet", TRANSACTIONS, NEEDED)
    assert [notice.code for notice in opened.notices] == ["no_provenance"]
    LOG.with_columns(customer_id=pl.lit(None, pl.String)).write_parquet(tmp_path / "y.parquet")
    with pytest.raises(DataError, match="customer_id holds nulls"):
        files.open_table(tmp_path / "y.parquet", TRANSACTIONS, NEEDED)


def test_a_newer_table_is_refused(tmp_path: Path) -> None:
    """A higher table version means columns whose meaning we do not know."""
    with pytest.raises(DataError, match="written by a newer clm"):
        files.open_table(written(tmp_path / "x.parquet", table_version=99), TRANSACTIONS, NEEDED)


def test_another_table_names_the_right_command(tmp_path: Path) -> None:
    """TRANSACTIONS where CUSTOMERS are wanted: `clm rfm` first; and the other way round, with and without a footer."""
    clean = written(tmp_path / "clean.parquet")
    with pytest.raises(DataError, match="is a TRANSACTIONS table") as raised:
        files.open_table(clean, CUSTOMERS, ["r_score"])
    assert "clm rfm" in str(raised.value.fix)
    LOG.write_parquet(tmp_path / "bare.parquet")
    with pytest.raises(DataError, match="is a TRANSACTIONS table"):
        files.open_table(tmp_path / "bare.parquet", CUSTOMERS, ["r_score"])


def test_what_to_do_with_another_table_names_who_reads_it_and_who_makes_the_right_one() -> None:
    """One step away it is that step; else both commands, or the only one there is."""
    told = contract.wrong_table_fix
    assert told("TRANSACTIONS", CUSTOMERS) == "this is a TRANSACTIONS table: run `clm rfm` on it first"
    assert told("CUSTOMERS", TRANSACTIONS) == "give it what `clm clean` wrote; this is a CUSTOMERS table, for `clm segment`"
    assert told("TRANSACTIONS", METRICS) == "give it what `clm report` wrote; this is a TRANSACTIONS table, for `clm rfm`"
    assert told("METRICS", CUSTOMERS) == "give it what `clm rfm` wrote; this is a METRICS table"


def test_a_missing_column_names_the_stage_that_adds_it(tmp_path: Path) -> None:
    """CUSTOMERS without scores come from somewhere else: `clm rfm` makes them."""
    customers = rfm(invented().lazy(), RfmSettings()).frame.lazy().collect().drop("r_score")
    customers.write_parquet(tmp_path / "x.parquet")
    with pytest.raises(DataError, match="lacks the column r_score") as raised:
        files.open_table(tmp_path / "x.parquet", CUSTOMERS, ["r_score"])
    assert "clm rfm" in str(raised.value.fix)


def test_a_wrong_type_is_named(tmp_path: Path) -> None:
    """Money as a float is no money."""
    LOG.with_columns(pl.col("amount").cast(pl.Float64)).write_parquet(tmp_path / "x.parquet")
    with pytest.raises(DataError, match="column amount of x is Float64, wants Decimal"):
        files.open_table(tmp_path / "x.parquet", TRANSACTIONS, NEEDED, name="x")


@pytest.mark.parametrize("content", [b"", b"a,b\n1,2\n", b"PAR1" + b"\0" * 20 + b"PAR1"], ids=["empty", "csv", "damaged"])
def test_what_is_no_parquet_is_said(tmp_path: Path, content: bytes) -> None:
    """A CSV handed to a later stage is told about `clm clean`."""
    (tmp_path / "x.csv").write_bytes(content)
    with pytest.raises(DataError, match="not a Parquet file") as raised:
        files.open_table(tmp_path / "x.csv", TRANSACTIONS, NEEDED)
    assert "clm clean" in str(raised.value.fix)


@pytest.mark.parametrize("source", ["x.parquet", "", "*.parquet"], ids=["file", "folder", "pattern"])
@pytest.mark.parametrize("damage", [b"\0" * 20, b"\xff\xfe"], ids=["pages", "text"])
def test_a_damaged_file_without_provenance_is_65(tmp_path: Path, source: str, damage: bytes) -> None:
    """Nobody vouches for it, so its data is looked at before anything else: what cannot be read there is no bug."""
    LOG.with_columns(order_id=pl.lit("order")).write_parquet(tmp_path / "x.parquet", compression="uncompressed")
    content = (tmp_path / "x.parquet").read_bytes()
    at = 4 if len(damage) > 2 else content.index(b"order")
    (tmp_path / "x.parquet").write_bytes(content[:at] + damage + content[at + len(damage) :])
    with pytest.raises(DataError, match=r"x\.parquet is damaged"):
        files.open_table(tmp_path / source, TRANSACTIONS, NEEDED)


def test_missing_files_and_folders_are_66(tmp_path: Path) -> None:
    """What is not there, and what is no file."""
    with pytest.raises(InputError, match="no such file"):
        files.open_table(tmp_path / "x.parquet", TRANSACTIONS, NEEDED)
    with pytest.raises(InputError, match="folder"):
        files.open_table(tmp_path, TRANSACTIONS, NEEDED)


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"table": 1}', "nonsense", '{"table":"CUSTOMERS","table_version":"x","stage":"","settings":[]}']
)
def test_a_damaged_footer_is_an_answer_not_a_traceback(text: str) -> None:
    """Whatever stands in the footer, it is facts or a clear refusal."""
    with pytest.raises(DataError, match="footer of x is damaged"):
        facts.parse(text, "x")


ROWS = {"in": 9, "out": 5, "rejected": {"date": 3}, "collapsed": {"duplicate": 1}, "after_as_of": None}
AMOUNT = {"in": "-9.0000", "out": "9" * 50 + ".0000", "rejected": {"date": "0.0001"}, "collapsed": {}}


NO_ROWS = (
    None, 7, [], {}, {"in": 9}, {"out": 9}, ROWS | {"in": None}, ROWS | {"in": True}, ROWS | {"in": -1}, ROWS | {"out": "5"},
    ROWS | {"out": 5.0}, ROWS | {"out": 10**4299}, ROWS | {"rejected": 3}, ROWS | {"rejected": "x"}, ROWS | {"rejected": [3]},
    ROWS | {"rejected": {"date": 3.0}}, ROWS | {"collapsed": None}, ROWS | {"collapsed": {"x": {}}}, ROWS | {"after_as_of": -1},
)  # fmt: skip
NO_MONEY = (None, 9, "nine", "NaN", "Infinity", "9", "9.00000", "9e9999999", "1" * 51 + ".0000", "\u0663.0000", "9.0000\n")
NO_AMOUNT = (
    "9.0000", {}, {"in": "9.0000"}, AMOUNT | {"rejected": [2]}, AMOUNT | {"rejected": {"date": "9e9999999"}},
    AMOUNT | {"after_as_of": 1}, *(AMOUNT | {"out": one} for one in NO_MONEY),
)  # fmt: skip
NO_FACTS = [
    *(("rows", one) for one in NO_ROWS),
    *(("amount", one) for one in NO_AMOUNT),
    *(("settings", {"key_id": one}) for one in (7, ["a"], {"a": 1}, "a" * 65)),
    *(("settings", {"pseudonymise": one}) for one in (7, "a", [["a"]])),
    *(("settings", {"bins": one}) for one in ("5", [5])),
    *(("metrics", one) for one in ({"flags": 7}, {"horizon": "12m"})),
    *(("warnings", [one]) for one in ({}, {"code": "x"}, {"code": "x", "text": 7})),
]


@pytest.mark.parametrize("as_ancestor", [False, True])
@pytest.mark.parametrize(("part", "told"), NO_FACTS, ids=range(len(NO_FACTS)))
def test_what_is_read_again_has_its_type_and_size(part: str, told: object, as_ancestor: bool) -> None:
    """Books, keys and whatever else a later stage relies on: of the table and of its ancestors, checked where they are read."""
    whole = Facts("CUSTOMERS", 1, "rfm", {"key_id": "ab", "pseudonymise": ["customer_id"], "bins": 5}, ROWS, amount=AMOUNT)
    assert facts.parse(whole.to_text(), "x") == whole
    own = whole.to_json()
    other = own | {part: told}
    older = [(other if as_ancestor else own) | {"sha256": "s"}]
    text = json.dumps((own if as_ancestor else other) | {"ancestors": older})
    with pytest.raises(DataError, match="footer of x is damaged"):
        facts.parse(text, "x")


@pytest.mark.parametrize(
    "ancestor",
    [
        {"source": "a.csv", "bytes": 1, "sha256": "s", "learned": {"a": 1}},
        {"table": None, "bytes": 1, "sha256": "s", "settings": {"rule": "C1"}},
        Facts("CUSTOMERS", 1, "rfm", {}, ROWS, as_of="20240630").to_json() | {"sha256": "s"},
    ],
)
def test_an_ancestor_is_a_source_or_a_table_and_nothing_between(ancestor: dict[str, object]) -> None:
    """A source has no settings, nor has a table without a footer; a day is written in one way."""
    with pytest.raises(DataError, match="footer of x is damaged"):
        facts.parse(json.dumps(Facts("CUSTOMERS", 1, "rfm", {}, ROWS).to_json() | {"ancestors": [ancestor]}), "x")


def test_an_ancestor_may_have_lost_its_books_and_a_table_may_not() -> None:
    """Whoever takes customers out of an ancestor takes its numbers away."""
    own = Facts("CUSTOMERS", 1, "rfm", {}, ROWS).to_json()
    bare = {name: own[name] for name in own if name != "rows"}
    assert facts.parse(json.dumps(own | {"ancestors": [bare | {"sha256": "s"}]}), "x").ancestors == [bare | {"sha256": "s"}]
    with pytest.raises(DataError, match="footer of x is damaged"):
        facts.parse(json.dumps(bare), "x")


def test_lineage_is_oldest_first_without_repeats() -> None:
    """A table reached by two ways is one ancestor."""
    source = facts.source("orders.csv", 10, "s")
    clean = [source, {"table": "TRANSACTIONS", "sha256": "c"}]
    assert [one["sha256"] for one in facts.merge([[*clean, {"sha256": "r"}], clean])] == ["s", "c", "r"]


def test_many_sources_are_one_entry() -> None:
    """Above 50 files: their number and one hash, whatever their order."""
    many = [facts.source(f"{n}.csv", 1, f"{n:064}") for n in range(51)]
    assert len(facts.sources(many[:50])) == 50
    assert facts.sources(many) == facts.sources(many[::-1])
    assert facts.sources(many)[0]["source"] == "51 files"


def test_footers_hold_no_nan() -> None:
    """A NaN in the metrics is a bug, and shows itself before anything is written."""
    with pytest.raises(ValueError, match="JSON"):
        Facts(table="CUSTOMERS", table_version=1, stage="clv", settings={}, rows={}, metrics={"x": float("nan")}).to_text()


def customers(**columns: object) -> pl.LazyFrame:
    frame = rfm(invented().lazy(), RfmSettings()).frame.lazy()
    return frame.with_columns(**columns)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("frame", "says"),
    [
        (customers(orders=pl.lit(-1, pl.Int64)), "orders goes below 0"),
        (customers(r_score=pl.lit(10, pl.Int32)), "r_score goes above 9"),
        (customers(log_gap_sum=pl.lit(float("nan"))), "log_gap_sum holds NaN"),
        (customers(extra=pl.lit(float("inf"))), "extra holds NaN or infinity"),
        (customers(as_of=pl.lit(None, pl.Date)), "as_of holds nulls"),
        (customers().reverse(), "not sorted and unique"),
        (pl.concat([customers().head(1), customers().head(1)]), "not sorted and unique"),
        (customers(churn_risk=pl.lit("huge")), "churn_risk holds something else"),
        (customers(last_order_on=pl.lit(3_000_000).cast(pl.Date)), "last_order_on leaves the years 1 to 9999"),
    ],
)
def test_data_that_breaks_the_contract_is_named(frame: pl.LazyFrame, says: str) -> None:
    """One column, one rule, the number of rows."""
    with pytest.raises(DataError, match=says):
        contract.check_data(frame, CUSTOMERS, "x.parquet")


@pytest.mark.parametrize(
    ("microseconds", "kept"),
    [(-5_364_662_400_000_000, True), (-5_364_662_400_000_001, False), (10_413_791_999_999_999, True), (2**63 - 1, False)],
)
def test_times_lie_in_the_years_of_the_calendar(microseconds: int, kept: bool) -> None:
    """From the first microsecond of the year 1800 to the last of 2299, as clean dates them; others can be written down."""
    log = LOG.lazy().with_columns(ordered_at=pl.lit(microseconds).cast(pl.Datetime("us")))
    with nullcontext() if kept else pytest.raises(DataError, match="ordered_at leaves the years 1800 to 2299"):
        contract.check_data(log, TRANSACTIONS, "x.parquet")


def test_several_currencies_are_not_added_up() -> None:
    """A log in two is refused, whoever wrote it; lines that name none are taken to be in the one."""
    for codes, fine in (["USD", "EUR"], False), (["USD", None], True), ([None, None], True):
        log = pl.concat([LOG, LOG]).with_columns(currency=pl.Series([*codes] * LOG.height, dtype=pl.String)).lazy()
        with nullcontext() if fine else pytest.raises(DataError, match="several values: their amounts cannot be added up"):
            contract.check_data(log, TRANSACTIONS, "x.parquet")


def test_data_that_keeps_the_contract_passes() -> None:
    """The rfm stage keeps it."""
    contract.check_data(customers(), CUSTOMERS, "x.parquet")
    bounds = {"orders": pl.lit(0, pl.Int64), "r_score": pl.lit(9, pl.Int32), "f_score": pl.lit(1, pl.Int32)}
    contract.check_data(customers(carried=pl.lit("text"), **bounds), CUSTOMERS, "x.parquet")
    assert dtypes.polars_type(CUSTOMERS.columns[0]) == pl.String
    assert date(2024, 1, 1) <= customers().select(pl.col("as_of").max()).collect().item()


def test_the_run_lock(tmp_path: Path) -> None:
    """A run is alone in its folder; single commands share it with each other, not with a run."""
    shared = locks.folder_lock(tmp_path, shared=True)
    with shared, locks.folder_lock(tmp_path, shared=True), pytest.raises(LockedError), locks.folder_lock(tmp_path):
        pass
    with locks.folder_lock(tmp_path):
        with pytest.raises(LockedError) as raised, locks.folder_lock(tmp_path, shared=True):
            pass
        assert "--wait" in str(raised.value.fix)
    assert json.dumps([path.name for path in tmp_path.iterdir()]) == "[]"


def test_a_column_that_stands_for_several_is_refused(tmp_path: Path) -> None:
    """Polars would take such a name for a pattern."""
    LOG.with_columns(pl.lit(1).alias("^a.*$")).write_parquet(tmp_path / "a.parquet")
    with pytest.raises(DataError, match="stands for several columns"):
        files.open_table(tmp_path / "a.parquet", TRANSACTIONS, NEEDED)


def test_a_table_replaced_while_it_was_read_is_told(tmp_path: Path) -> None:
    """Its facts are of other data then."""
    opened = files.open_table(written(tmp_path / "a.parquet"), TRANSACTIONS, NEEDED)
    files.check_unchanged([opened])
    written(tmp_path / "a.parquet", currency="EUR")
    with pytest.raises(DataError, match=r"a\.parquet was replaced while it was read"):
        files.check_unchanged([opened])


def test_a_full_disk_while_reading_is_the_disks_fault(tmp_path: Path) -> None:
    """What is read is spooled somewhere: 74 with what to do, not 66."""
    with pytest.raises(StorageError, match=r"no room left while reading a\.csv"), faults.reading(tmp_path / "a.csv"):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
