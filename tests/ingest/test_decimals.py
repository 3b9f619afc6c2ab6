"""Which decimal mark the numbers of a log have: decided on the cells, or asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from clm.errors import DataError
from tests.cleaning import Cleaned, clean_files, clean_text

HEAD = ("order_id", "customer_id", "order_date")


def log(mark: str, *cells: tuple[str, ...], columns: tuple[str, ...] = ("amount",), start: int = 0) -> str:
    rows = [(f"{start + n}", f"c{n % 7}", f"2024-01-{1 + n % 28:02d}", *cell) for n, cell in enumerate(cells)]
    return "".join(mark.join(row) + "\n" for row in [(*HEAD, *columns), *rows])


def files(folder: Path, *texts: str, **options: object) -> Cleaned:
    for place, text in enumerate(texts):
        (folder / f"{place}.csv").write_text(text, "utf-8")
    return clean_files([folder / f"{place}.csv" for place in range(len(texts))], folder, **options)


GERMAN = log(";", *((f"{n},{n}",) for n in range(10, 40)))
THOUSANDS = [(f'"{n},{250 + n}"',) for n in range(1, 9)]


def test_thousands_of_one_file_are_not_decimals_of_another(tmp_path: Path) -> None:
    """1,250 beside a German file could be either: the file is named, --decimal says that all are alike, each alone is right."""
    american = log(",", *THOUSANDS, start=100)
    with pytest.raises(DataError, match=r"amount of 1\.csv can be read in two ways") as caught:
        files(tmp_path, GERMAN, american)
    assert caught.value.code == "decimal_marks"
    assert "by themselves" in str(caught.value.fix)
    assert str(clean_text(american, tmp_path, decimal=".").column("amount")[0]) == "1251.0000"
    assert str(files(tmp_path, GERMAN, american, decimal=",").rows["amount"].min()) == "1.2510"


def test_many_numbers_of_two_readings_are_no_accident(tmp_path: Path) -> None:
    """A file that looks like the others but for its numbers is asked about, one such number is not."""
    quoted = log(",", *((f'"{n},{n}"',) for n in range(10, 40)))
    with pytest.raises(DataError, match="two ways"):
        files(tmp_path, quoted, log(",", *THOUSANDS, start=100))
    done = files(tmp_path, quoted, log(",", ('"1,250"',), start=100))
    assert str(done.column("amount")[-1]) == "1.2500"


def test_files_with_different_marks_are_a_question(tmp_path: Path) -> None:
    """12,50 in one file and 12.50 in the other: neither mark reads both."""
    with pytest.raises(DataError, match=r"0\.csv|1\.csv") as caught:
        files(tmp_path, GERMAN, log(",", *((f"{n}.50",) for n in range(4)), start=100))
    assert caught.value.code == "decimal_marks"


def test_another_column_of_the_file_tells_its_mark(tmp_path: Path) -> None:
    """Weights of three decimals in a file whose prices say comma are what they are in the other file."""
    columns = ("quantity", "unit_price")
    first = log(";", *((f"0,{n}00", f"{n},99") for n in range(1, 9)), columns=columns)
    second = log(";", *((f"1,{n}00", f"{n},99") for n in range(1, 9)), columns=columns, start=100)
    assert files(tmp_path, first, second).rows.height == 16


@pytest.mark.parametrize(
    "cell", ["120.000 ₫", "120.000đ", "VND 120.000", "Rp 120.000", "Rp120.000", "₩120,000", "120,000원", "¥120,000", "120,000円"]
)
def test_money_without_coins_has_thousands(cell: str, tmp_path: Path) -> None:
    """Nobody pays a thousandth of a dong: three digits behind a mark are thousands, whatever 2.0 says in another column."""
    columns = ("quantity", "unit_price")
    done = clean_text(log("\t", *[("2.0", cell)] * 5, columns=columns), tmp_path)
    assert {str(paid) for paid in done.column("amount")} == {"240000.0000"}


def test_whole_numbers_of_a_program_do_not_tell_how_money_is_written(tmp_path: Path) -> None:
    """2.0 is how pandas writes 2: prices such as 120.000 stay a question, unless the currency is named as one without coins."""
    text = log("\t", *[("2.0", "120.000")] * 5, columns=("quantity", "unit_price"))
    with pytest.raises(DataError, match="two ways") as caught:
        clean_text(text, tmp_path)
    assert "--decimal" in str(caught.value.fix)
    for answer, paid in (({"decimal": ","}, "240000.0000"), ({"decimal": "."}, "240.0000"), ({"currency": "VND"}, "240000.0000")):
        assert {str(one) for one in clean_text(text, tmp_path, **answer).column("amount")} == {paid}
