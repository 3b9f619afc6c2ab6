"""The dry run of `clean`: what was decided, what would be left out, and a command that says the same."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from clm.cli import main
from clm.report.wrap import cells

LOG = "customer_id,order_date,amount,comment\na,13/01/2024,5.00,x\nb,14/02/2024,7.50,y\n,15/02/2024,2.25,z\na,16/02/2024,1.00,x\n"


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("COLUMNS", "80")
    path = tmp_path / "my orders.csv"
    path.write_text(LOG)
    return path


def test_the_page_tells_all_and_fits(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Form, roles, notation, expected rejects with share and money, within eighty columns; nothing on stdout."""
    assert main(["clean", "--dry-run", str(log)]) == 0
    said = capsys.readouterr()
    assert said.out == ""
    page = said.err.split("clean: 4 rows")[0].splitlines()
    assert max(cells(line) for line in page if str(log) not in line.replace("'", "")) <= 80
    told = [" ".join(line.split()) for line in page]
    assert "encoding utf-8 ASCII only" in told
    assert "customer_id customer_id its name" in told
    assert "date format DD/MM/YYYY reads 4 of 4 cells of order_date" in told
    assert "3 rows of 4, 2 customers, 2024-01-13 to 2024-02-16" in told
    assert "no_customer 1 25.0% 2.25" in told


def test_the_command_can_be_pasted(log: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The last lines are one shell command, quoted, with what was decided and what was given; it does the same."""
    assert main(["clean", "-n", str(log), "--since", "2024-01-14", "--max-rejects", "50%"]) == 0
    lines = capsys.readouterr().err.splitlines()
    start = next(place for place, line in enumerate(lines) if line.strip().startswith("clm clean"))
    pasted = ""
    for line in lines[start:]:
        pasted += line.rstrip("\\")
        if not line.endswith("\\"):
            break
    words = shlex.split(pasted)
    assert words[:2] == ["clm", "clean"]
    assert str(log) in words
    assert words[words.index("--date-format") + 1] == "%d/%m/%Y"
    assert words[words.index("--since") + 1] == "2024-01-14"
    for place, argv in enumerate((words[1:], ["clean", str(log), "--since", "2024-01-14", "--max-rejects", "50%"])):
        assert main([*argv, "-q", "-o", str(tmp_path / f"{place}.csv")]) == 0
    assert (tmp_path / "0.csv").read_bytes() == (tmp_path / "1.csv").read_bytes()


def test_a_question_does_not_hide_what_was_decided(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Ambiguous dates: the columns found before are shown, then the question; --json holds both."""
    log.write_text("customer_id,order_date,amount\na,05/03/2024,5\nb,06/03/2024,7\n")
    assert main(["clean", "-n", "--json", str(log)]) == 65
    said = capsys.readouterr()
    assert "order_date" in said.err.split("clm clean: the dates")[0]
    found = json.loads(said.out)
    assert found["question"]["code"] == "ambiguous_date"
    assert {"about": "ordered_at", "decision": "order_date", "because": "its name"} in found["metrics"]["reading"]["evidence"]


def test_a_refusal_shows_the_rejects_it_is_about(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Too much unreadable: the page still counts what would be left out, and why."""
    log.write_text(LOG + "c,17/02/2024,n/a,x\n")
    assert main(["clean", "-n", str(log), "--map", "amount=amount"]) == 65
    said = capsys.readouterr().err
    assert "amount 1 20.0% 0.00" in " ".join(said.split())
    assert "could not be read" in said


def test_files_of_one_form_are_told_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Thirty daily exports do not make thirty paragraphs."""
    for day in range(1, 4):
        (tmp_path / f"day{day}.csv").write_text(f"customer_id,order_date,amount\nc{day},2024-01-0{day},5\n")
    assert main(["clean", "-n", str(tmp_path)]) == 0
    said = capsys.readouterr().err
    assert "day1.csv and 2 files like it" in said
    assert said.count("encoding ") == 2  # in the table, and as --encoding
