"""What people see on stderr: safe on any terminal, plain where asked, logged where wanted."""

from __future__ import annotations

import io
import json
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from clm.console import Console, show_table
from clm.errors import DataError
from clm.inert import printable
from clm.outcome import Notice


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def said(console: Console) -> str:
    assert isinstance(console.stream, io.StringIO)
    return console.stream.getvalue()


@pytest.mark.parametrize(
    "text", ["\x1b[31mred", "a\rb", "bell\a", "\x9b2J", "zero\u200bwidth", "\u202egnp.exe", "\ud800", "tab\there"]
)
def test_nothing_steers_the_terminal(text: str) -> None:
    """Escapes, carriage returns, bidi overrides and lone surrogates become a visible stand-in."""
    shown = printable(text)
    assert "�" in shown
    assert not any(mark in shown for mark in "\x1b\r\a\x9b\u200b\u202e\ud800\t")


def test_ordinary_text_stays() -> None:
    """Chinese, accents, currency signs and line ends are text."""
    assert printable("客户 é £\nok", lines=True) == "客户 é £\nok"
    assert printable("a\nforged line") == "a�forged line"


def test_colour_only_on_a_terminal_that_wants_it() -> None:
    """NO_COLOR and TERM=dumb win over a terminal, FORCE_COLOR over a pipe."""
    assert Console("rfm", Terminal(), {}).colour
    assert not Console("rfm", Terminal(), {"NO_COLOR": "1"}).colour
    assert not Console("rfm", Terminal(), {"TERM": "dumb"}).colour
    assert not Console("rfm", io.StringIO(), {}).colour
    assert Console("rfm", io.StringIO(), {"FORCE_COLOR": "1"}).colour


def test_quiet_silences_all_but_errors_and_reasons_for_an_exit_code() -> None:
    """-q: no closing line, no warning; an error is still said."""
    console = Console("rfm", io.StringIO(), {}, quiet=True)
    console.closing("done")
    console.warning(Notice("x", "careful"))
    console.detail("step")
    console.note("note")
    assert said(console) == ""
    console.error(DataError("bad", where="line 3", fix="mend it"))
    console.always("--fail-if holds")
    assert said(console) == "clm rfm: bad\n  where: line 3\n  to do: mend it\nrfm: --fail-if holds\n"


def test_details_only_when_verbose() -> None:
    """-v adds what is read and decided."""
    console = Console("rfm", io.StringIO(), {}, verbose=True)
    console.detail("reading clean.parquet")
    assert said(console) == "reading clean.parquet\n"


def test_an_ascii_terminal_gets_stand_ins() -> None:
    """LANG=C is no reason for a traceback."""
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    Console("rfm", stream, {}).closing("客户 → x")
    stream.seek(0)
    assert stream.read() == "rfm: ?? ? x\n"


def test_the_log_is_json_lines(tmp_path: Path) -> None:
    """CLM_LOG=FILE: one object a message, also under -q, appended."""
    log = tmp_path / "clm.log"
    console = Console("rfm", io.StringIO(), {"CLM_LOG": str(log)}, quiet=True)
    console.closing("done → x")
    console.error(DataError("bad\x1b", code="contract"))
    first, second = (json.loads(line) for line in log.read_text("utf-8").splitlines())
    assert (first["level"], first["command"], first["text"]) == ("info", "rfm", "done → x")
    assert (second["level"], second["code"], second["exit"], second["text"]) == ("error", "contract", 65, "bad�")


def test_a_terminal_gets_the_first_rows_and_the_columns_that_fit() -> None:
    """Ten rows, whole columns within the width, and how many are not shown; text from the data is inert."""
    frame = pl.DataFrame(
        {
            "customer_id": [f"[red]C{n}\x1b" for n in range(30)],
            "as_of": [date(2024, 1, 1)] * 30,
            "clv_of_customer": [0.1234567, None] * 15,
            "city": ["上海"] * 30,
            **{f"extra_{n}": list(range(30)) for n in range(30)},
        }
    )
    stream = io.StringIO()
    show_table(frame, stream, 60)
    lines = stream.getvalue().splitlines()
    assert len(lines) == 12
    assert max(len(line) for line in lines) <= 60
    assert "[red]C0�" in lines[1]
    assert "0.1235" in lines[1]
    assert "—" in lines[2]
    assert "more columns" in lines[-1]


def test_a_table_shows_money_as_money_and_wide_names_whole() -> None:
    """Money has two decimals unless it has more, thousands are set apart; a column that does not fit is left out."""
    stream = io.StringIO()
    money = pl.Series("净消费", ["31069.1000", "0.0050"], pl.Decimal(18, 4))
    show_table(pl.DataFrame({"客户编号": ["小王", "小李"], "净消费": money, "预计下次下单日": ["2024-07-07", None]}), stream, 24)
    lines = stream.getvalue().splitlines()
    assert lines[0].split() == ["客户编号", "净消费"]
    assert [line.split()[1] for line in lines[1:3]] == ["31,069.10", "0.005"]
    assert lines[3].startswith("… and 1 more column")


def test_a_table_shows_empty_columns_last() -> None:
    """A column without a value takes no room from one with values."""
    stream = io.StringIO()
    show_table(pl.DataFrame({"group": pl.Series([None], dtype=pl.String), "cohort": ["2024-01"], "age": [0]}), stream, 80)
    assert stream.getvalue().split()[:6] == ["cohort", "age", "group", "2024-01", "0", "—"]


def test_a_table_shows_what_a_stage_made_first() -> None:
    """The new columns stand right behind the customer, those the frame lacks nowhere."""
    stream = io.StringIO()
    frame = pl.DataFrame({"customer_id": ["a"], "orders": [3], "segment": ["loyal"]})
    show_table(frame, stream, 80, ["segment", "tier"])
    assert stream.getvalue().split()[:6] == ["customer_id", "segment", "orders", "a", "loyal", "3"]


def test_sentences_stand_under_their_row() -> None:
    """What is told below takes no column, is broken within the width, and is left out where there is none."""
    stream = io.StringIO()
    frame = pl.DataFrame({"customer_id": ["a", "b"], "action": ["call them before Friday noon", None], "clv": [1.0, 2.0]})
    show_table(frame, stream, 20, ["clv"], below=["action", "absent"])
    lines = [line.rstrip() for line in stream.getvalue().splitlines()]
    assert lines[:5] == ["customer_id   clv", "a            1.00", "  call them before", "  Friday noon", "b            2.00"]
