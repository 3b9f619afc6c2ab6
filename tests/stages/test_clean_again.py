"""`clean` of what `clean` wrote, of repaired rejects, and of the same log in other clothes."""

from __future__ import annotations

import bz2
import gzip
import zipfile
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from clm.errors import DataError
from clm.storage import publish
from tests.cleaning import Cleaned, clean_files, clean_text

LOG = (
    "order_id,customer_id,order_date,qty,unit price,product,note\n"
    '1,007,2024-01-02 10:15:30,2,9.99,"tea, green",=1+1\n'
    "1,007,2024-01-02 10:15:30,1,0.005,cup,@x\n"
    "2,'=cmd,2024-01-03,1,5,'-5 deg,''=y\n"
    "3,李雷,2024-02-03,-1,5,茶,\n"
    "3,李雷,2024-02-03,-1,5,茶,\n"
    "4,,2024-02-03,1,5,x,\n"
)


def content(done: Cleaned, *without: str) -> pl.DataFrame:
    return done.rows.drop(without, strict=False)


@pytest.fixture
def first(tmp_path: Path) -> Cleaned:
    return clean_text(LOG, tmp_path, keep=("note",))


def test_clean_of_a_clean_parquet_is_the_same(first: Cleaned, tmp_path: Path) -> None:
    """TRANSACTIONS go through unchanged: types, flags, kinds, kept columns and the lines of the first source."""
    first.rows.write_parquet(tmp_path / "clean.parquet")
    again = clean_files([tmp_path / "clean.parquet"], tmp_path)
    assert again.rows.equals(first.rows)
    assert again.rows.schema == first.rows.schema
    assert again.settled.outcome.closing == "5 rows = 3 sales + 2 returns"


def test_clean_of_a_csv_export_is_the_same(first: Cleaned, tmp_path: Path) -> None:
    """The export is defused for spreadsheets and comes back exactly."""
    publish.write_csv(first.rows, tmp_path / "clean.csv")
    again = clean_files([tmp_path / "clean.csv"], tmp_path)
    assert again.rows.equals(first.rows)
    assert again.rows["customer_id"].to_list()[2] == "=cmd"
    assert again.rows["note"].to_list()[:3] == ["=1+1", "@x", "''=y"]


def test_column_names_of_a_csv_export_come_back_too(tmp_path: Path) -> None:
    """A kept column called like a formula is defused in the header and restored, as often as it goes round."""
    names = ("=x", "@y", "''z", "plain")
    text = "customer,date,total," + ",".join(f'"{name}"' for name in names) + "\nA,2024-01-02,5,1,2,3,4\n"
    first = clean_text(text, tmp_path, keep=names)
    head, *rest = first.rows.write_csv(datetime_format="%Y-%m-%dT%H:%M:%S%.f").splitlines(keepends=True)
    head = "".join(f"{',' if place else ''}{defused(name)}" for place, name in enumerate(head.strip().split(",")))
    # joined with cat: the header comes again
    again = clean_text(f"{head}\n{''.join(rest)}{head}\n", tmp_path, name="clean.csv")
    assert again.rows.columns == first.rows.columns
    assert again.rows.equals(first.rows)
    assert again.reasons == {3: "header_repeat"}


def defused(name: str) -> str:
    return f"'{name}" if name[0] in "=@'" else name


def test_a_clean_table_broken_by_hand_is_judged(first: Cleaned, tmp_path: Path) -> None:
    """A clean table that somebody edited is not believed."""
    text = first.rows.write_csv().replace("2024-01-03T00:00:00.000000", "soon").replace(",return,", ",gift,")
    done = clean_text(text, tmp_path, name="edited.csv", max_rejects=1.0)
    assert sorted(done.rejects["reason"].to_list()) == ["date", "not_a_sale", "not_a_sale"]


def test_two_clean_tables_go_together(first: Cleaned, tmp_path: Path) -> None:
    """Months cleaned one by one are one log; each row keeps its own line."""
    first.rows.head(2).write_parquet(tmp_path / "january.parquet")
    first.rows.tail(3).write_parquet(tmp_path / "february.parquet")
    both = clean_files([tmp_path / "january.parquet", tmp_path / "february.parquet"], tmp_path)
    assert content(both, "source_file").equals(first.rows)
    assert both.column("source_file") == ["january.parquet"] * 2 + ["february.parquet"] * 3


def test_repaired_rejects_and_the_rest_are_the_repaired_file(tmp_path: Path) -> None:
    """header + repaired raw lines, cleaned together with the broken file, give the rows of the repaired file."""
    head = "order_id,customer_id,order_date,amount\n"
    good = [f"{row},C{row},2024-01-{1 + row % 28:02d},{row}.50" for row in range(40)]
    broken = [*good[:10], "10,C10,2024-01-99,10.50", *good[11:20], "20,C20,2024-01-21", *good[21:]]
    done = clean_text(head + "\n".join(broken) + "\n", tmp_path, rejects_raw=True)
    assert done.rejects["raw"].to_list() == [broken[10], broken[20]]
    (tmp_path / "a.csv").write_text(head + "\n".join(broken) + "\n")
    (tmp_path / "repaired.csv").write_text(head + good[10] + "\n" + good[20] + "\n")
    both = clean_files([tmp_path / "a.csv", tmp_path / "repaired.csv"], tmp_path)
    whole = clean_text(head + "\n".join(good) + "\n", tmp_path, name="whole.csv")
    key = ["order_id"]
    assert content(both, "source_file", "source_line").sort(key).equals(content(whole, "source_line").sort(key))


def clothes(folder: Path) -> dict[str, Path]:
    """The same log in many forms."""
    text = LOG.replace("'=cmd", "K2").replace("'-5 deg", "x").replace("''=y", "y")
    rows = pl.read_csv(text.encode(), infer_schema=False)
    forms = {
        "plain.csv": text.encode(),
        "bom.csv": b"\xef\xbb\xbf" + text.encode(),
        "utf16.csv": text.encode("utf-16"),
        "gbk.csv": text.encode("gbk"),
        "gb18030.csv": text.encode("gb18030"),
        "crlf.csv": text.replace("\n", "\r\n").encode(),
        "cr.csv": text.replace("\n", "\r").encode(),
        "semicolon.csv": rows.write_csv(separator=";").encode(),
        "tab.tsv": rows.write_csv(separator="\t").encode(),
        "pipe.txt": rows.write_csv(separator="|").encode(),
        "packed.csv.gz": gzip.compress(text.encode()),
        "packed.csv.bz2": bz2.compress(text.encode()),
        "quoted.csv": rows.write_csv(quote_style="always").encode(),
        "no_end.csv": text.rstrip("\n").encode(),
    }
    for name, data in forms.items():
        (folder / name).write_bytes(data)
    with zipfile.ZipFile(folder / "packed.zip", "w") as archive:
        archive.writestr("orders.csv", text.encode())
    typed = rows.with_columns(
        pl.col("order_id").cast(pl.Int32),
        pl.col("order_date")
        .str.to_datetime("%Y-%m-%d %H:%M:%S", strict=False)
        .fill_null(pl.col("order_date").str.to_datetime("%Y-%m-%d", strict=False)),
        pl.col("qty").cast(pl.Int64),
        pl.col("unit price").cast(pl.Float64),
    )
    typed.write_parquet(folder / "typed.parquet")
    return {path.name: path for path in sorted(folder.iterdir())}


def test_the_clothes_do_not_matter(tmp_path: Path) -> None:
    """Encodings, line ends, separators, packing and Parquet types give one and the same content."""
    (tmp_path / "in").mkdir()
    forms = clothes(tmp_path / "in")
    plain = clean_files([forms.pop("plain.csv")], tmp_path)
    assert plain.rows.height == 5
    for name, path in forms.items():
        done = clean_files([path], tmp_path)
        assert content(done, "source_line").equals(content(plain, "source_line")), name
        assert done.settled.outcome.rows == plain.settled.outcome.rows, name


def test_typed_parquet_columns_become_their_text(tmp_path: Path) -> None:
    """Integers become digits, floats their shortest form, NaN nothing, times keep their microseconds and their offset."""
    pl.DataFrame(
        {
            "customer": [17850.0, float("nan"), 12.0],
            "date": [datetime(2024, 1, 2, 3, 4, 5, 678900)] * 3,
            "total": [0.1, 2.5, 1e16],
            "sku": [7, 8, None],
        }
    ).write_parquet(tmp_path / "typed.parquet")
    done = clean_files([tmp_path / "typed.parquet"], tmp_path, max_rejects=1.0)
    assert done.rows.select("customer_id", "ordered_at", "amount", "product_id", "source_line").rows() == [
        ("17850", datetime(2024, 1, 2, 3, 4, 5, 678900), Decimal("0.1"), "7", 1)
    ]
    assert done.reasons == {2: "no_customer", 3: "amount"}


def test_zoned_parquet_times_need_the_shops_zone(tmp_path: Path) -> None:
    """A timestamp with a zone is a moment, not a day: --tz says whose day."""
    frame = pl.DataFrame({"customer": ["A"], "date": [datetime(2024, 1, 2, 20)], "total": [1]})
    frame.with_columns(pl.col("date").dt.replace_time_zone("UTC")).write_parquet(tmp_path / "zoned.parquet")
    with pytest.raises(DataError, match="universal time"):
        clean_files([tmp_path / "zoned.parquet"], tmp_path)
    assert clean_files([tmp_path / "zoned.parquet"], tmp_path, tz="Asia/Shanghai").column("ordered_at") == [
        datetime(2024, 1, 3, 4)
    ]
