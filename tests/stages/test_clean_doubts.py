"""What clean doubts about a log as a whole: days apart, clocks, totals, ids and statuses that may mean nothing."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from tests.cleaning import Cleaned, clean_files, clean_text

HEAD = "order_id,customer_id,order_date,amount\n"


def log(days: list[str], start: int = 0) -> str:
    return "".join(f"{start + place},c{place % 7},{day},5.00\n" for place, day in enumerate(days))


def codes(done: Cleaned) -> set[str]:
    return {notice.code for notice in done.settled.outcome.warnings}


def said(done: Cleaned, code: str) -> str:
    return next(notice.text for notice in done.settled.outcome.warnings if notice.code == code)


DAYS = [(date(2024, 1, 1) + timedelta(days=place)).isoformat() for place in range(100)]


@pytest.mark.parametrize("placeholder", ["1900-01-01", "1970-01-01", "1899-12-30"])
@pytest.mark.parametrize("many", [1, 40])
def test_days_of_nobody_knows_when_are_asked_about(placeholder: str, many: int, tmp_path: Path) -> None:
    """One row or a third of the log on a placeholder day: 65 naming --since; none keeps them, a day rejects them as date."""
    text = HEAD + log(DAYS) + log([placeholder] * many, 1000)
    refusal = clean_text(text, tmp_path).settled.refusal
    assert refusal is not None
    assert refusal.code == "placeholder_date"
    assert "--since 2024-01-01" in str(refusal.fix)
    assert placeholder in refusal.what
    answered = clean_text(text, tmp_path, since=date(2024, 1, 1))
    assert answered.settled.refusal is None
    assert answered.settled.outcome.rows.rejected == {"date": many}
    kept = clean_text(text, tmp_path, since="none")
    assert kept.settled.refusal is None
    assert kept.rows.height == 100 + many


@pytest.mark.parametrize("placeholder", ["2099-12-31", "2050-01-01"])
def test_a_far_day_at_the_end_is_asked_about_however_many_rows_have_it(placeholder: str, tmp_path: Path) -> None:
    """Orders that never end get the last day a program knows; --until answers."""
    text = HEAD + log(DAYS) + log([placeholder] * 30, 1000)
    refusal = clean_text(text, tmp_path).settled.refusal
    assert refusal is not None
    assert "--until 2024-04-09" in str(refusal.fix)


@pytest.mark.parametrize("placeholder", ["0001-01-01", "9999-12-31", "0000-00-00"])
def test_years_that_cannot_be_are_rejected(placeholder: str, tmp_path: Path) -> None:
    """Year 1 and year 9999 are no days at all: reject date, with its shape."""
    done = clean_text(HEAD + log(DAYS) + log([placeholder], 1000), tmp_path)
    assert done.settled.outcome.rows.rejected == {"date": 1}
    assert done.rejects["detail"].to_list() == ["9999-99-99"]


def test_a_small_old_log_is_not_doubted(tmp_path: Path) -> None:
    """A donor of 2010 and others of 2020 are a small log, not a placeholder."""
    done = clean_text(HEAD + log(["2010-05-03", "2020-05-03", "2021-06-04", "2021-07-04"]), tmp_path)
    assert done.settled.refusal is None


def stamps(*when: str) -> str:
    return HEAD + "".join(f"{place},c{place % 7},{stamp},5.00\n" for place, stamp in enumerate(when))


def test_summer_and_winter_of_one_zone_keep_their_clock(tmp_path: Path) -> None:
    """Berlin's year: +01:00, +02:00 from March, +01:00 again from October, both on the days of turning."""
    year = [f"2024-{month:02d}-15T10:00:00+0{2 if 4 <= month <= 10 else 1}:00" for month in range(1, 13)]
    turning = ["2024-10-27T01:30:00+02:00", "2024-10-27T23:30:00+01:00"]
    assert clean_text(stamps(*year, *turning), tmp_path).settled.refusal is None


@pytest.mark.parametrize(
    "when",
    [
        ["2024-06-01T10:00:00+01:00", "2024-06-01T12:00:00+02:00"],
        [f"2024-03-{day:02d}T10:00:00+0{1 + day % 2}:00" for day in range(1, 29)],
    ],
)
def test_two_shops_an_hour_apart_are_a_question(when: list[str], tmp_path: Path) -> None:
    """Both offsets on a June day, or by turns day after day, are no clock that changes twice a year."""
    refusal = clean_text(stamps(*when), tmp_path).settled.refusal
    assert refusal is not None
    assert refusal.code == "zone"


@pytest.mark.parametrize("word", ["Summe", "Gesamt", "Total général", "Итого", "总计：", "合計", "Grand Total:", "합계"])
def test_totals_rows_in_many_languages(word: str, tmp_path: Path) -> None:
    """A row without a day whose first cell says total is a totals row."""
    done = clean_text(HEAD + log(DAYS[:30]) + f"{word},,,150.00\n", tmp_path)
    assert done.settled.outcome.rows.rejected == {"totals_row": 1}


@pytest.mark.parametrize("last", [",,,150.00", ",,2024-05-01,150.00"])
def test_a_last_row_that_is_the_sum_and_nobodys_is_a_totals_row(last: str, tmp_path: Path) -> None:
    """Without any word, with or without the day of the export."""
    done = clean_text(HEAD.replace("order_id", "note") + log(DAYS[:30]) + last + "\n", tmp_path)
    assert done.settled.outcome.rows.rejected == {"totals_row": 1}


@pytest.mark.parametrize(("last", "reason"), [("999,c1,2024-05-01,150.00", None), (",,2024-05-01,149.00", "no_customer")])
def test_a_customers_row_or_another_sum_is_no_total(last: str, reason: str | None, tmp_path: Path) -> None:
    """Somebody may buy for as much as all the others together; and what is not the sum lacks a customer."""
    done = clean_text(HEAD.replace("order_id", "note") + log(DAYS[:30]) + last + "\n", tmp_path)
    assert done.settled.outcome.rows.rejected == ({} if reason is None else {reason: 1})


def test_totals_are_told_for_each_file(tmp_path: Path) -> None:
    """Each of two exports ends in its own sum."""
    for place in range(2):
        days = DAYS[20 * place : 20 * place + 20]
        (tmp_path / f"{place}.csv").write_text(HEAD.replace("order_id", "note") + log(days, 100 * place) + ",,,100.00\n")
    done = clean_files([tmp_path / "0.csv", tmp_path / "1.csv"], tmp_path)
    assert done.settled.outcome.rows.rejected == {"totals_row": 2}


NO_IDS = "customer_id,order_date,amount\n"


@pytest.mark.parametrize(
    ("text", "totals"),
    [
        ("a,2024-03-01,10\nb,2024-03-01,20\nSubtotal,2024-03-01,30\na,2024-03-02,5\nSubtotal,2024-03-02,5\n", {4, 6}),
        ("a,2024-03-01,10\nb,2024-03-20,20\nTotal March,2024-03-31,30\nSum,2024-03-31,30\n合计,2024-03-31,30\n", {4, 5, 6}),
        (
            "a,2024-03-01,10\nb,2024-03-02,20\n小计,2024-03-05,30\na,2024-04-02,5\n小计,2024-04-05,5\n总计,2024-04-05,35\n",
            {4, 6, 7},
        ),
        ("Ann,2024-03-01,10\nAnn,2024-03-02,20\nAnn Total,2024-03-02,30\nBob,2024-03-02,5\nBob 汇总,2024-03-02,5\n", {4, 6}),
        ("b,2024-03-02,20\na,2024-03-01,10\nb,2024-03-01,10\nTotal,2024-03-01,20\na,2024-04-02,5\n", {5}),
    ],
)
def test_rows_of_a_customer_called_total_are_totals_when_they_add_up(text: str, totals: set[int], tmp_path: Path) -> None:
    """The rows since the last one, of the day, of the month or of the file: rejected, however the word is written."""
    done = clean_text(NO_IDS + text, tmp_path)
    assert done.reasons == dict.fromkeys(totals, "totals_row")
    assert not codes(done) & {"totals_customer", "placeholder_customer"}


def test_a_customer_called_total_whose_rows_are_no_sum_is_said(tmp_path: Path) -> None:
    """A total of something else stays, with a word about it; --nobody rejects it; the name of a person is not shown."""
    text = NO_IDS + "a,2024-03-01,10\nb,2024-03-02,20\nSubtotal,2024-03-05,31\nAnn Total,2024-03-05,7\n"
    done = clean_text(text, tmp_path)
    assert done.rows.height == 4
    assert said(done, "totals_customer").startswith("2 rows (38.00) have a customer id that reads like a total (subtotal)")
    assert "ann" not in said(done, "totals_customer").lower()
    assert clean_text(text, tmp_path, nobody=("subtotal",)).settled.outcome.rows.rejected == {"no_customer": 1}


def test_two_equal_rows_do_not_make_a_person_called_sum_a_total(tmp_path: Path) -> None:
    """Sum is a family name: it takes more than one row as dear as theirs to be a total."""
    done = clean_text(NO_IDS + "a,2024-03-01,10\nSum,2024-03-01,10\na,2024-03-02,5\n", tmp_path)
    assert done.rows.height == 3
    assert "totals_customer" in codes(done)


@pytest.mark.parametrize("who", ["guest", "Guest", "匿名", "游客", "#N/A", "nan", "unknown", "无", "-", "--", ".", "?"])
def test_ids_that_may_stand_for_nobody_are_kept_and_said(who: str, tmp_path: Path) -> None:
    """They may be ids, so they stay; the notice has rows and money, and --nobody rejects them, in any case."""
    text = HEAD + log(DAYS[:30]) + f"900,{who},2024-02-01,7.00\n901,{who},2024-02-02,7.50\n"
    done = clean_text(text, tmp_path)
    assert done.rows.height == 32
    assert said(done, "placeholder_customer").startswith("2 rows (14.50) of 32 ")
    assert f"--nobody '{who.lower()}'" in said(done, "placeholder_customer")
    dropped = clean_text(text, tmp_path, nobody=(who.lower(),))
    assert dropped.settled.outcome.rows.rejected == {"no_customer": 2}
    assert "placeholder_customer" not in codes(dropped)


@pytest.mark.parametrize(("rows", "alarm"), [(1, False), (15, False), (60, True)])
def test_customer_zero_is_doubted_only_when_it_buys_like_many(rows: int, alarm: bool, tmp_path: Path) -> None:
    """Somebody may be number 0; nobody buys as much as a tenth of all."""
    done = clean_text(HEAD + log(DAYS * 3) + "".join(f"{900 + row},0,2024-02-01,7.00\n" for row in range(rows)), tmp_path)
    assert ("placeholder_customer" in codes(done)) is alarm


def status(*words: str) -> str:
    rows = "".join(f"{place},c{place % 5},{DAYS[place % 90]},5.00,{word}\n" for place, word in enumerate(words))
    return "order_id,customer_id,order_date,amount,status\n" + rows


def test_known_sale_words_pass_silently(tmp_path: Path) -> None:
    """Completed, shipped and 交易成功 are what is expected of a sale; blanks say nothing."""
    done = clean_text(status("completed", "Shipped", "PAID", "交易成功", "已发货", "in_process", "", "已完成"), tmp_path)
    assert not codes(done) & {"status_unknown", "partly_refunded"}
    assert done.rows.height == 8


def test_unknown_status_words_are_counted_and_shown(tmp_path: Path) -> None:
    """They count as sales, with a word about it: how many rows, how much, which words."""
    done = clean_text(status("completed", "on hold", "On-Hold", "disputed", "cancelled"), tmp_path)
    begins = "3 rows (15.00) carry 2 words in status that clm does not know (on hold, disputed)"
    assert said(done, "status_unknown").startswith(begins)
    assert done.settled.outcome.rows.rejected == {"cancelled": 1}


@pytest.mark.parametrize("word", ["call anna at 0171 555", "anna@example.com", "a remark that goes on and on and on"])
def test_free_text_is_never_shown(word: str, tmp_path: Path) -> None:
    """A mis-mapped column may hold anything personal: what does not look like a word stays out of the notice."""
    text = said(clean_text(status("completed", word), tmp_path), "status_unknown")
    assert word not in text
    assert "1 row" in text


def test_many_texts_are_no_status(tmp_path: Path) -> None:
    """More than twenty different texts: the column is questioned, none is shown."""
    text = said(clean_text(status(*(f"remark {chr(97 + place)}" for place in range(25))), tmp_path), "status_unknown")
    assert "25 different texts" in text
    assert "--map status=COLUMN" in text
    assert "remark" not in text


@pytest.mark.parametrize("word", ["partially_refunded", "Partially refunded", "部分退款"])
def test_partial_refunds_without_an_amount_are_said(word: str, tmp_path: Path) -> None:
    """The sale is kept whole although part of the money went back, so that is said; a refunded amount settles it."""
    done = clean_text(status("completed", word), tmp_path)
    assert said(done, "partly_refunded").startswith("1 row (5.00)")
    assert "status_unknown" not in codes(done)
    text = "order_id,customer_id,order_date,amount,status,refunded amount\n1,a,2024-01-02,5.00,completed,\n"
    text += f"2,b,2024-01-03,5.00,{word},2.00\n"
    settled = clean_text(text, tmp_path, map=(("returned_amount", "refunded amount"),))
    assert "partly_refunded" not in codes(settled)
    assert str(settled.rows["amount"].sum()) == "8.0000"
