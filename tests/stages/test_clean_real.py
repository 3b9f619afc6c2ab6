"""`clean` on the supplied real logs: their published totals, to the row and the cent, with no options."""

from __future__ import annotations

import csv
import gzip
import re
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
import xlsxwriter

from clm.errors import DataError
from tests.cleaning import Cleaned, clean_files


def lifetimes_master() -> Path:
    from clm.ingest import shipped

    return shipped.cdnow_master()


@pytest.fixture(scope="module")
def retail(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Cleaned:
    return clean_files([shared_data / "online-retail" / "online_retail.csv.gz"], tmp_path_factory.mktemp("retail"))


def test_online_retail_is_accounted_for(retail: Cleaned) -> None:
    """541,909 lines and 9,747,747.934 of money come in; every line and every cent of it is somewhere."""
    outcome = retail.settled.outcome
    assert outcome.rows.to_json() == {"in": 541909, "out": 406829, "rejected": {"no_customer": 135080}, "collapsed": {}}
    assert outcome.amount is not None
    assert outcome.amount.to_json() == {
        "in": "9747747.9340",
        "out": "8300065.8140",
        "rejected": {"no_customer": "1447682.1200"},
        "collapsed": {},
    }
    assert outcome.closing == "541,909 rows = 397,924 sales + 8,905 returns + 135,080 rejected (no customer id)"
    assert retail.settled.refusal is None


def test_online_retail_has_its_published_customers_and_repeats(retail: Cleaned) -> None:
    """4,372 customers without the .0 a spreadsheet gave them; 38 countries' worth of dirt is flagged, not dropped."""
    assert retail.rows["customer_id"].n_unique() == 4372
    assert not retail.rows["customer_id"].str.contains(".", literal=True).any()
    assert retail.rows["flags"].str.contains("duplicate").sum() == 5225
    assert retail.rows.filter(pl.col("order_id").str.starts_with("C"))["kind"].unique().to_list() == ["return"]
    codes = [notice.code for notice in retail.settled.outcome.warnings]
    assert codes == ["id_point_removed", "duplicates_flagged", "rows_flagged"]


def test_online_retail_lines_are_exact(retail: Cleaned) -> None:
    """The source line of a record leads back to it: first, last, and every one counted once."""
    assert retail.rows["source_line"][0] == 2
    lines = pl.concat([retail.rows["source_line"], retail.rejects["source_line"]]).sort()
    assert lines.equals(pl.Series("source_line", range(2, 541_911), dtype=pl.Int64))


def test_eight_daily_files_are_one_log(shared_data: Path, retail: Cleaned, tmp_path: Path) -> None:
    """The folder of days equals the same days of the whole file, where rows stand and what is remarkable in its history aside."""
    days = clean_files([shared_data / "online-retail" / "by-day"], tmp_path)
    assert days.settled.outcome.rows.rows_in == 25_525
    whole = retail.rows.filter(pl.col("ordered_at") >= pl.datetime(2011, 12, 1)).drop("source_line", "flags")
    assert days.rows.drop("source_line", "source_file", "flags").equals(whole)


@pytest.mark.parametrize("name", ["CDNOW_sample.txt", "cdnowElog.csv"])
def test_the_cdnow_sample_in_both_forms(name: str, shared_data: Path, tmp_path: Path) -> None:
    """The sample as published (blanks, no header) and as CSV: 6,919 orders, 2,357 customers, 244,091.94 dollars."""
    done = clean_files([shared_data / "cdnow" / name], tmp_path)
    assert done.settled.outcome.closing == "6,919 rows = 6,919 sales + 0 returns"
    assert done.rows["amount"].sum() == Decimal("244091.94")
    assert done.rows["customer_id"].n_unique() == 2357
    assert done.rows["flags"].str.contains("duplicate").sum() == 21
    assert done.rows["ordered_at"].dt.date().max().isoformat() == "1998-06-30"  # type: ignore[union-attr]


def test_the_cdnow_master_log(tmp_path: Path) -> None:
    """The full log inside lifetimes: 69,659 orders of 23,570 customers, ids with their leading zeros."""
    done = clean_files([lifetimes_master()], tmp_path)
    assert done.settled.outcome.closing == "69,659 rows = 69,659 sales + 0 returns"
    assert done.rows["customer_id"].n_unique() == 23_570
    assert done.rows["customer_id"][0] == "00001"
    assert done.rows["amount"].sum() == Decimal("2500315.63")


def test_rfm_orders(shared_data: Path, tmp_path: Path) -> None:
    """4,906 orders, 995 customers by name, 464,158 of revenue."""
    done = clean_files([shared_data / "rfm-orders" / "rfm_data_orders.csv"], tmp_path)
    assert (done.rows.height, done.rows["customer_id"].n_unique(), done.rows["amount"].sum()) == (4906, 995, Decimal(464158))
    assert done.rows.columns == ["customer_id", "order_id", "ordered_at", "amount", "kind", "flags", "source_line"]


def test_example_transactions(shared_data: Path, tmp_path: Path) -> None:
    """Dates and ids only: 15,273 visits of 5,000 ids, no money."""
    done = clean_files([shared_data / "example-transactions" / "example_transactions.csv"], tmp_path)
    assert (done.rows.height, done.rows["customer_id"].n_unique()) == (15_273, 5000)
    assert done.settled.outcome.amount is None


def test_sales_sample(shared_data: Path, tmp_path: Path) -> None:
    """SALES is the amount, the name the customer, NA a territory; 60 cancelled lines are out, nothing is missing."""
    done = clean_files([shared_data / "sales-sample" / "sales_data_sample.csv"], tmp_path)
    outcome = done.settled.outcome
    assert outcome.closing == "2,823 rows = 2,763 sales + 0 returns + 60 rejected (cancelled)"
    assert outcome.amount is not None
    assert outcome.amount.amount_in == Decimal("10032628.85")
    assert done.rows["customer_id"].n_unique() == 92


def test_coffee(shared_data: Path, tmp_path: Path) -> None:
    """Card masks that tell cards apart are ids; the one ISO stamp among American dates is read; cash has no customer."""
    done = clean_files([shared_data / "coffee" / "index_1.csv"], tmp_path)
    outcome = done.settled.outcome
    assert outcome.closing == "3,636 rows = 3,547 sales + 0 returns + 89 rejected (no customer id)"
    assert outcome.amount is not None
    assert outcome.amount.amount_in == Decimal("115431.58")
    assert done.rows["customer_id"].n_unique() == 1316
    assert done.rows.filter(pl.col("ordered_at").dt.microsecond() > 0).height == 1


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("supermarket-gbk/order-14.3.csv", ("customer_id", "商品ID", "订单ID", "--map 'customer_id=")),
        ("coffee/index_2.csv", ("customer_id", "cash_type", "--map 'customer_id=")),
        ("telco-churn/Telco-Customer-Churn.csv", ("ordered_at", "customerID", "--map 'ordered_at=")),
        ("donations/donations.csv", ("customer_id", "ordered_at", "recency", "--map 'customer_id=")),
        ("marketing-campaign/marketing_campaign.csv", ("customer_id", "Dt_Customer", "--map 'customer_id=")),
        ("supermarket-gbk/train-pivot.csv", ("ordered_at", "用户ID", "7月销量", "--map 'ordered_at=")),
    ],
)
def test_what_is_no_order_log_is_a_question(name: str, words: tuple[str, ...], shared_data: Path, tmp_path: Path) -> None:
    """A missing role is named, with the columns there are in their own words and what to type."""
    with pytest.raises(DataError) as caught:
        clean_files([shared_data / name], tmp_path)
    assert all(word in str(caught.value) for word in words)


def test_the_cash_machine_adds_up_when_told_who_the_customer_is(shared_data: Path, tmp_path: Path) -> None:
    """262 cash sales worth 6,890; the last line, which is none, is rejected."""
    done = clean_files([shared_data / "coffee" / "index_2.csv"], tmp_path, map=(("customer_id", "cash_type"),))
    outcome = done.settled.outcome
    assert (outcome.rows.rows_in, outcome.rows.rows_out) == (263, 262)
    assert outcome.amount is not None
    assert outcome.amount.amount_out == outcome.amount.amount_in == Decimal(6890)


def test_both_coffee_machines_together(shared_data: Path, tmp_path: Path) -> None:
    """A file without a customer column beside one with it is a question that names both."""
    with pytest.raises(DataError, match=r"index_2\.csv") as caught:
        clean_files([shared_data / "coffee"], tmp_path)
    assert "card" in str(caught.value)


LOGS = (
    "online-retail/by-day/2011-12-09.csv",
    "coffee/index_1.csv",
    "sales-sample/sales_data_sample.csv",
    "rfm-orders/rfm_data_orders.csv",
    "example-transactions/example_transactions.csv",
    "cdnow/cdnowElog.csv",
)


@pytest.mark.parametrize("packing", ["gz", "xlsx"])
@pytest.mark.parametrize("name", LOGS)
def test_packed_logs_and_workbooks_are_the_same_logs(name: str, packing: str, shared_data: Path, tmp_path: Path) -> None:
    """Every log as .gz and as a workbook in which what looks like a number is one: the same rows, without a flag."""
    plain = shared_data / name
    other = tmp_path / f"{plain.name}.{packing}"
    if packing == "gz":
        other.write_bytes(gzip.compress(plain.read_bytes(), 1))
    else:
        _workbook(plain, other)
    one, two = clean_files([plain], tmp_path), clean_files([other], tmp_path)
    assert two.settled.refusal is None
    assert two.rows.drop("source_line").equals(one.rows.drop("source_line"))
    assert two.settled.outcome.rows == one.settled.outcome.rows
    assert two.settled.outcome.amount == one.settled.outcome.amount


def _workbook(plain: Path, target: Path) -> None:
    """As a spreadsheet shows it: numbers as numbers, unless that would change their digits."""
    with plain.open(encoding="utf-8-sig", newline="") as stream, xlsxwriter.Workbook(target, {"constant_memory": True}) as book:
        sheet = book.add_worksheet()
        for row, cells in enumerate(csv.reader(stream)):
            for column, cell in enumerate(cells):
                if re.fullmatch(r"-?(?:0|[1-9]\d{0,9})(?:\.\d*[1-9])?", cell):
                    sheet.write_number(row, column, float(cell))
                elif cell:
                    sheet.write_string(row, column, cell)


def test_supermarket_money_adds_up_when_told_who_the_customer_is(shared_data: Path, tmp_path: Path) -> None:
    """GBK, kilograms and a Chinese header: 3,478 lines worth 28,950.07, orders standing in for the missing customer."""
    log = shared_data / "supermarket-gbk" / "order-14.3.csv"
    done = clean_files([log], tmp_path, map=(("customer_id", "订单ID"),))
    assert done.settled.outcome.rows.rows_in == 3478
    assert done.settled.outcome.amount is not None
    assert round(done.settled.outcome.amount.amount_in, 2) == Decimal("28950.07")
