"""Hostile strings in what is said: reports as text, tables, messages, JSON and the log for cron steer no terminal."""

from __future__ import annotations

import io
import json
import os
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import polars as pl
import pytest

from clm.cli import main
from clm.console import show_table
from clm.errors import Exit
from clm.inert import json_text, printable
from tests.battery import Count, many
from tests.hostile import documents
from tests.hostile.conftest import World, id_of
from tests.hostile.strings import EVERY, GROUPS

# every code a person may get for a wrong command line or configuration; 70 is none of them
ANSWERS = {int(code) for code in (Exit.DONE, Exit.USAGE, Exit.DATA, Exit.NO_INPUT, Exit.CANNOT_CREATE, Exit.CONFIG)}


def test_inert_text_keeps_what_is_harmless() -> None:
    """Other scripts stay readable; what steers is a stand-in in text, an escape of the same value in JSON."""
    assert [printable(one) for one in ("客户 Ωé𝒳", "a\x1b[2Jb", "a\x9bb", "a\u202eb", "a\nb", "a\u2028b", "a\ud800b")] == [
        "客户 Ωé𝒳", "a�[2Jb", "a�b", "a�b", "a�b", "a�b", "a�b",
    ]  # fmt: skip
    assert printable("a\nb", lines=True) == "a\nb"
    for indent in (None, 1):
        written = json_text({"客户": list(EVERY)}, indent)
        assert json.loads(written) == {"客户": list(EVERY)}
        assert not documents.steering(written)
        assert "客户" in written
        assert "\u200d" not in written


def test_reports_tables_and_stories(world: World, tampered: Path, count: Count) -> None:
    """Text reports, stories of single customers, explanations, tables on a terminal, JSON on stdout."""
    said = [world.clm("report", tampered, "--lang", lang) for lang in ("en", "zh")]
    said.append(world.clm("report", tampered, "--json"))
    asked = EVERY[:: many(1, 20)]
    said += [world.clm("show", "--", id_of(text), world.out) for text in asked]
    said.append(world.clm("segment", world.out / "rfm.parquet", "--explain", id_of(EVERY[100])))
    said.append(world.clm("segment", world.out / "rfm.parquet", "--explain", id_of(EVERY[250]), "--json"))
    said.append(world.clm("clean", world.folder / "orders.csv", "-n", "--json"))
    for place in range(0, len(EVERY), 10):
        some, stream = EVERY[place : place + 10], io.StringIO()
        frame = pl.DataFrame({"customer_id": some} | {one: some for one in some if one not in ("customer_id", "*")})
        show_table(frame, stream, 400)
        said.append(stream.getvalue())
    steering = [one for text in said for one in documents.steering(text)]
    count("hostile strings on the terminal", stories=len(asked), texts=len(said), steering=len(steering))
    assert not steering


def complaints(text: str, world: World, folder: Path) -> list[list[str]]:
    """Command lines that go wrong over the string, each in another place."""
    orders, rfm = str(folder / "orders.csv"), str(world.out / "rfm.parquet")
    where = str(folder / text.replace("/", "∕")[:60])
    (folder / "clm.toml").write_text("".join(f'"{key}" = 1\n' for key in [_escaped(text)]), "utf-8")
    (folder / "scheme.toml").write_text(f'[[segment]]\ncode = "{_escaped(text)}"\nwhen = "spend > 0"\n', "utf-8")
    return [
        [text],
        ["rfm", where],
        ["rfm", orders, "-o", where],
        ["clean", orders, "-n", "--map", f"customer_id={text}"],
        ["clean", orders, "-n", f"--map={text}"],
        ["clean", orders, "-n", f"--delimiter={text}"],
        ["rfm", rfm, f"--as-of={text}"],
        ["rfm", rfm, f"--fail-if={text}"],
        ["list", rfm, f"--where={text}", "-n"],
        ["list", rfm, f"--columns={text}", "-n"],
        ["segment", rfm, f"--scheme={where}", "-n"],
        ["segment", rfm, f"--scheme={folder / 'scheme.toml'}", "-n"],
        ["segment", rfm, f"--{text}"],
        ["rfm", rfm, "--config", str(folder / "clm.toml")],
        ["show", "--", text, str(world.out)],
        ["tables", "--", text],
    ]


def _escaped(text: str) -> str:
    return "".join(f"\\U{ord(sign):08x}" for sign in text)


def test_messages_about_a_string(world: World, tmp_path: Path, count: Count, monkeypatch: pytest.MonkeyPatch) -> None:
    """In sixteen places of a command line, a configuration or a scheme: a code of the table and a message that steers nothing."""
    monkeypatch.setenv("CLM_LOG", str(tmp_path / "clm.log"))
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO()))  # some are names of commands that read it
    (tmp_path / "orders.csv").write_text("order_id,customer_id,date,amount\n1,a,2024-01-05,3\n2,b,2024-02-05,4\n", "utf-8")
    messages, wrong, steering, long = 0, [], [], []
    for text in EVERY[:: many(1, 61)]:
        for argv in complaints(text, world, tmp_path):
            code, out, err = _said(argv)
            messages += 1
            wrong += [(argv, code)] if code not in ANSWERS or "Traceback" in err else []
            steering += [(argv, one) for one in documents.steering(out + err)]
            long += [argv] if len(err) > 6000 else []
    log = (tmp_path / "clm.log").read_text("utf-8")
    entries = [json.loads(line) for line in log.splitlines()]
    count("hostile strings in messages", messages=messages, bugs=len(wrong), steering=len(steering), log_lines=len(entries))
    assert not wrong, wrong[:3]
    assert not steering, steering[:3]
    assert not long, long[:3]
    assert not documents.steering(log)
    assert {one["level"] for one in entries} <= {"error", "warning", "info", "debug"}


def _said(argv: list[str]) -> tuple[int, str, str]:
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = main(argv)
    return code, out.getvalue(), err.getvalue()


def test_settings_are_shown_without_steering(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`clm config` shows what the environment and clm.toml say, as text and as JSON."""
    monkeypatch.chdir(tmp_path)
    for text in (*GROUPS["terminal"], *GROUPS["unicode"])[:: many(1, 15)]:
        monkeypatch.setenv("CLM_CLEAN_MAP", f"customer_id={text}x")
        monkeypatch.setenv("CLM_ODD", text)
        for argv in (["config"], ["config", "--json"]):
            code, out, err = _said(argv)
            assert code in (0, 78), err
            assert not documents.steering(out + err), text


def test_a_name_that_is_no_utf8(tmp_path: Path) -> None:
    """A file name of lone bytes is told with a stand-in."""
    name = os.fsdecode(os.fsencode(tmp_path) + b"/\xff\x1b[2J.csv")
    Path(name).write_text("order_id,customer_id,date,amount\n1,a,2024-01-05,3\n2,b,2024-02-05,4\n", "utf-8")
    code, out, err = _said(["clean", name, "-o", str(tmp_path / "x.parquet"), "--json", "-v"])
    assert code in ANSWERS, err
    assert "Traceback" not in err
    assert not documents.steering(out + err)


def test_run_json_and_the_log_steer_nothing(world: World) -> None:
    """What a person may look at with `cat`: the record of the run, the model, the log."""
    for path in (world.out / "run.json", world.out / "model.json", world.log):
        text = path.read_text("utf-8")
        assert not documents.steering(text), path.name
    for line in world.log.read_text("utf-8").splitlines():
        json.loads(line)
