"""The file of costs: every line read exactly or refused with its number."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
import xlsxwriter

from clm import ingest
from clm.errors import DataError
from clm.settings import CleanSettings
from clm.stages.clean.costs import Costs, costs


def read(path: Path) -> Costs:
    return costs(ingest.read_text([path], CleanSettings(profile="none")))


def of(tmp_path: Path, text: str | bytes) -> Costs:
    path = tmp_path / "costs.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read(path)


def refused(tmp_path: Path, text: str | bytes) -> DataError:
    with pytest.raises(DataError) as caught:
        of(tmp_path, text)
    return caught.value


def money(found: Costs) -> list[tuple[Decimal | None, Decimal | None]]:
    return found.frame.select("acquisition", "retention").rows()


def test_lines_are_read_exactly(tmp_path: Path) -> None:
    """Periods, channels (`*` and an empty cell mean all), money; what is not stated is null, not 0; the line is told."""
    found = of(
        tmp_path, "Period,Channel,Acquisition Spend,retention_spend\n2024-01, Search ,10.10,0\n2024-01,*,5,\n2024-Q2,,,7\n"
    )
    assert found.frame.rows() == [
        (2, "2024-01", date(2024, 1, 1), date(2024, 1, 31), "Search", "search", Decimal("10.10"), Decimal(0)),
        (3, "2024-01", date(2024, 1, 1), date(2024, 1, 31), None, None, Decimal(5), None),
        (4, "2024-Q2", date(2024, 4, 1), date(2024, 6, 30), None, None, None, Decimal(7)),
    ]
    assert found.notices == ()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_chinese_headers_in_any_encoding(tmp_path: Path, encoding: str) -> None:
    """月份,渠道,获客成本,留存费用 with a thousands comma and a currency sign."""
    text = '月份,渠道,获客成本,留存费用\n2024年1月,抖音,"¥12,000.50",300\n2024年2月,全部,"¥8,500.00",\n'
    found = of(tmp_path, text.encode(encoding))
    assert found.frame["channel"].to_list() == ["抖音", None]
    assert money(found) == [(Decimal("12000.50"), Decimal(300)), (Decimal("8500.00"), None)]
    assert found.currencies == ("CNY", "JPY")


def test_workbooks_and_parquet(tmp_path: Path) -> None:
    """Days that a spreadsheet made of months are months again, and that is said; Parquet holds real dates and decimals."""
    book = xlsxwriter.Workbook(tmp_path / "costs.xlsx")
    sheet = book.add_worksheet()
    day = book.add_format({"num_format": "mmm yyyy"})
    sheet.write_row(0, 0, ["month", "channel", "acquisition_spend"])
    for row, month in enumerate((1, 2), 1):
        sheet.write_datetime(row, 0, date(2024, month, 1), day)
        sheet.write_row(row, 1, ["tv", 100.5])
    book.close()
    frame = pl.DataFrame(
        {"month": [date(2024, 1, 1), date(2024, 2, 1)], "channel": ["tv", "tv"], "acquisition_spend": [100.5] * 2}
    )
    frame.write_parquet(tmp_path / "costs.parquet")
    for name in ("costs.xlsx", "costs.parquet"):
        found = read(tmp_path / name)
        assert found.frame["period"].to_list() == ["2024-01", "2024-02"]
        assert money(found) == [(Decimal("100.5"), None)] * 2
        assert [notice.code for notice in found.notices] == ["costs_months"]


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("2024-02,tv,-5", "negative acquisition spend"),
        ("2024-02,tv,abc", "no readable money for acquisition"),
        ("2024-02,tv,n/a", "no readable money for acquisition"),
        ("2024-02,tv,", "states no spend"),
        (",tv,5", "names no period"),
        ("合计,,105", "period that cannot be read"),
        ("02/03/2024,tv,5", "period that cannot be read"),
        ("2024-03..2024-02,tv,5", "earlier day to a later"),
        ("2024-02,tv", "cannot be cut into columns"),
    ],
)
def test_a_line_that_cannot_be_taken_is_named(tmp_path: Path, line: str, what: str) -> None:
    """65 with the number of the line: nothing is skipped."""
    error = refused(tmp_path, f"period,channel,acquisition_spend\n2024-01,tv,100\n{line}\n")
    assert what in error.what
    assert "line 3" in str(error.where)
    assert error.fix


@pytest.mark.parametrize(
    ("lines", "what"),
    [
        ("2024-01,tv,100\n2024-01, TV ,5\n", "two lines for channel TV: 2024-01"),
        ("2024-01,,100\n2024-01,*,5\n", "two lines for all channels: 2024-01"),
        ("2024-Q1,tv,100\n2024-02,tv,5\n", "overlapping periods for channel tv: 2024-Q1 and 2024-02"),
        ("2024,tv,1\n2024-01-05,tv,1\n2024-09,tv,5\n", "overlapping periods for channel tv: 2024 and 2024-01-05"),
    ],
)
def test_what_may_be_meant_twice_is_a_question(tmp_path: Path, lines: str, what: str) -> None:
    """A copy and a total look like spend: both lines are named. Different channels, and `*` beside one, are no doubt."""
    error = refused(tmp_path, f"period,channel,acquisition_spend\n{lines}")
    assert error.code == "costs_overlap"
    assert what in error.what
    assert "lines 2 and 3" in str(error.where)
    assert of(tmp_path, "period,channel,acquisition_spend\n2024-01,tv,1\n2024-01,web,1\n2024-01,*,1\n").frame.height == 3


def test_one_currency(tmp_path: Path) -> None:
    """Signs and codes that cannot be one currency are 65, and so is another currency than the log's."""
    assert "another currency (€)" in refused(tmp_path, "month,acquisition_spend\n2024-01,$5\n2024-02,€5\n").what
    assert "another currency (EUR)" in refused(tmp_path, "month,currency,acquisition_spend\n2024-01,USD,5\n2024-02,EUR,5\n").what
    dollars = of(tmp_path, "month,acquisition_spend\n2024-01,$5\n")
    for fine in ("USD", "hkd", None):
        dollars.check_currency(fine)
    with pytest.raises(DataError, match="the orders in GBP"):
        dollars.check_currency("GBP")


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "is empty"),
        ("period,channel,acquisition_spend\n", "holds no costs"),
        ("period,channel,acquisition_spend\n,,\n", "holds no costs"),
        ("channel,acquisition_spend\ntv,5\n", "no column period"),
        ("period,channel,cost\n2024-01,tv,5\n", "no column acquisition_spend or retention_spend"),
        ("month,year,acquisition_spend\n1,2024,5\n", "2 columns that could be the period"),
        ('month,acquisition_spend\n2024-01,"12,000"\n', "can be read in two ways"),
    ],
)
def test_a_file_that_is_no_costs(tmp_path: Path, text: str, what: str) -> None:
    """Empty, header only, without a needed column, with one in doubt: 65 with what to do."""
    error = refused(tmp_path, text)
    assert what in error.what
    assert error.fix


def test_columns_without_a_role_are_said(tmp_path: Path) -> None:
    """A note beside the money is not used, and that is told."""
    found = of(tmp_path, "period;acquisition spend;note\n2024-01;1.234,50;x\n2024-02;100;y\n")
    assert money(found)[0] == (Decimal("1234.50"), None)
    assert [notice.text for notice in found.notices] == ["1 column of costs.csv not used: note"]
