"""Canaries: personal values in every kind of column, in logs right and wrong. None is told anywhere but in the tables."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import polars as pl
import pytest

from clm.cli import main
from tests.battery import Count
from tests.ingest.test_workbook import with_rows

# a name, a phone, an e-mail, an ID number, an address, a card: each with its customer's number, so that none is common
KINDS = {
    "buyer": "Quillfeather-Ambrose {n}", "phone": "1380055{n:04}", "email": "quillfeather.{n}@canary.example",
    "id_number": "11010519491231{n:04}", "address": "{n} Zephyrine Lane", "card": "622848{n:010}", "收货人": "欧阳翡翠{n}",
}  # fmt: skip
MARKS = ("Quillfeather", "1380055", "11010519491231", "Zephyrine", "622848", "欧阳翡翠")
HEADER = ["order_id", "customer_id", "order_date", "amount", "quantity", *KINDS]


def rows() -> list[list[str]]:
    """Three hundred orders of sixty people, whose customer id is a phone number."""
    made = []
    for order in range(300):
        person = {name: text.format(n=order % 60) for name, text in KINDS.items()}
        day = f"2024-{1 + order // 28 % 12:02}-{1 + order % 28:02}"
        made.append([f"O{order}", person["phone"], day, f"{order % 37}.50", "1", *person.values()])
    return made


def broken() -> Iterator[tuple[str, list[str], list[list[str]], list[str]]]:
    """Logs that are wrong, each in another way, with the options given: personal values where none belongs."""
    for place, name in enumerate(HEADER[:5]):
        for share in (20, 1):  # a few cells, which are rejects; every cell, which is a question
            wrong = [[*row] for row in rows()]
            for number, row in enumerate(wrong):
                if number % share == 0:
                    row[place] = row[5 + number % len(KINDS)]
            yield f"{name}, one in {share}", HEADER, wrong, []
    yield "wide rows", HEADER, [row if number % 9 else [*row, row[5]] for number, row in enumerate(rows())], []
    yield "short rows", HEADER, [row if number % 9 else row[5:] for number, row in enumerate(rows())], []
    yield "no header", rows()[0], rows(), []
    yield "a masked id", HEADER, [[row[0], f"{row[5][:3]}***", *row[2:]] for row in rows()], []
    yield "two currencies", [*HEADER, "currency"], [[*row, row[5] if n % 2 else "CNY"] for n, row in enumerate(rows())], []
    yield "an unknown status", [*HEADER, "status"], [[*row, row[7]] for row in rows()], []
    yield "a role nobody has", HEADER, rows(), ["--map", "customer_id=nobody"]
    yield "a wrong role", HEADER, rows(), ["--map", "amount=buyer"]
    yield "a date format", HEADER, rows(), ["--map", "ordered_at=email", "--date-format", "%d/%m/%Y"]
    yield "a rule that does not fit", HEADER, rows(), ["--keep", "buyer", "--rule", "odd=buyer > 5"]
    yield "too many rejects", HEADER, [[*row[:3], row[8], *row[4:]] for row in rows()], ["--max-rejects", "0"]
    yield "an encoding", HEADER, rows(), ["--encoding", "ascii"]


def written(path: Path, header: list[str], lines: list[list[str]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream, lineterminator="\n").writerows([header, *lines])
    return path


def told(argv: list[str]) -> tuple[int, str]:
    """The exit code, and all that was said on both streams."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = main(argv)
    return code, out.getvalue() + err.getvalue()


def leaks(text: str) -> list[str]:
    """The marks in a text, in whatever case they are told."""
    folded = text.casefold()
    return [mark for mark in MARKS if mark.casefold() in folded]


def around(text: str, mark: str) -> str:
    return text[max(0, text.casefold().index(mark.casefold()) - 80) :][:200]


def test_wrong_logs_are_told_by_shape(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: Count) -> None:
    """Messages, dry runs, JSON, the log for cron, rejects and footers of logs that are wrong hold no personal value."""
    log = tmp_path / "clm.log"
    monkeypatch.setenv("CLM_LOG", str(log))
    found, codes, texts = [], set(), 0
    for number, (name, header, lines, more) in enumerate(broken()):
        path, out = written(tmp_path / f"{number}.csv", header, lines), tmp_path / f"{number}.parquet"
        rejects = tmp_path / f"{number}-rejects.csv"
        for argv in (["-o", str(out), "--rejects", str(rejects), "-v", "--json"], ["-n"], ["-n", "--json"]):
            code, said = told(["clean", str(path), *more, *argv])
            codes.add(code)
            texts += 1
            found += [(name, code, mark, around(said, mark)) for mark in leaks(said)]
        if rejects.exists():
            found += [(name, "rejects", mark) for mark in leaks(rejects.read_text("utf-8"))]
        if out.exists():
            found += [(name, "footer", mark) for mark in leaks(pl.read_parquet_metadata(out)["clm"])]
    found += [("log", mark) for mark in leaks(log.read_text("utf-8"))]
    count("canaries in wrong logs", logs=number + 1, texts=texts, leaks=len(found))
    assert not found, found[:5]
    assert codes <= {0, 2, 65}
    assert {0, 65} <= codes


Argv = list[str]
MARK = "Quillfeather-Ambrose 7"


def shop_of_canaries(folder: Path) -> Path:
    """Every table of the chain, made of a log whose names are carried along."""
    source = written(folder / "orders.csv", HEADER, rows())
    files = {name: str(folder / f"{name}.parquet") for name in ("clean", "rfm", "segment", "clv", "churn")}
    with_orders = ["--orders", files["clean"]]
    for argv in (
        ["clean", str(source), "--keep", "buyer,address"],
        ["rfm", files["clean"], "--carry", "buyer,address"],
        ["segment", files["rfm"]],
        ["clv", files["segment"], *with_orders],
        ["churn", files["clv"], *with_orders],
    ):
        code, said = told([*argv, "-o", files[argv[0]], "-q"])
        assert code == 0, said
    return folder


def refused(shop: Path) -> Iterator[Argv]:
    """What is asked wrongly of tables full of personal values, and files beside them that hold such values where none belongs."""
    clean, customers, people = str(shop / "clean.parquet"), str(shop / "churn.parquet"), rows()[:60]
    # labels: a name, a phone, a few names; columns that tell it, ids that are empty or there twice
    for size in (1, 2, 3, 60):
        table = str(written(shop / f"people-{size}.csv", HEADER, people[:size]))
        for column in ("buyer", "phone", "email"):
            yield ["churn", table, "--label", column]
            yield ["churn", table, "--label", f"{column}=nobody"]
    known = [[*row, "Yes" if number % 3 else "No", MARK if number % 3 else "x"] for number, row in enumerate(people)]
    yield ["churn", str(written(shop / "leak.csv", [*HEADER, "left", "leak"], known)), "--label", "left"]
    twice = [[row[0], people[0][1], *row[2:]] for row in known]
    yield ["churn", str(written(shop / "twice.csv", [*HEADER, "left", "leak"], twice)), "--label", "left"]
    # rules, groups and columns over what was carried along
    for rule in (f"buyer > 5 or address = '{MARK}'", "buyer like 5", "phone = 'x'"):
        yield ["list", customers, "--where", rule]
    yield ["list", customers, "--columns", "buyer,nothing"]
    yield ["segment", str(shop / "rfm.parquet"), "--by", "buyer"]
    yield ["cohort", clean, "--by", "nothing"]
    yield ["rfm", clean, "--carry", "nothing"]
    yield ["rfm", clean, "--weights", "buyer=1"]
    # attributes and costs whose cells are somebody's
    ids = [row[1] for row in people]
    for name, header, lines in (
        ("twice", ["customer_id", "buyer"], [[ids[0], MARK], [ids[0], MARK]]),
        ("unknown", ["customer_id", "buyer"], [[MARK, MARK]]),
        ("broken", ["customer_id", "buyer"], [[ids[0], MARK, MARK]]),
        ("no-id", ["buyer", "email"], [[MARK, MARK]]),
        ("no-attribute", ["customer_id"], [[one] for one in ids]),
    ):
        yield ["segment", str(shop / "rfm.parquet"), "--attributes", str(written(shop / f"{name}.csv", header, lines))]
    for name, line in (
        ("period", [MARK, "web", "5"]), ("money", ["2024-01", "web", MARK]), ("negative", ["2024-01", MARK, "-5"]),
        ("none", ["2024-01", MARK, ""]), ("broken", ["2024-01", MARK, "5", MARK]),
    ):  # fmt: skip
        costs = written(shop / f"costs-{name}.csv", ["period", "channel", "acquisition_spend"], [line])
        yield ["clv", str(shop / "segment.parquet"), "--orders", clean, "--costs", str(costs)]
    lines = [["2024-01", "web", "5", "EUR"], ["2024-02", "web", "5", MARK]]
    costs = written(shop / "costs-currency.csv", ["period", "channel", "acquisition_spend", "currency"], lines)
    yield ["clv", str(shop / "segment.parquet"), "--orders", clean, "--costs", str(costs)]
    # other people's orders, an earlier day that is none, somebody who is not there
    others = [[f"O{number}", f"13800559{number:03}", "2024-01-05", "5", "1", *row[5:]] for number, row in enumerate(people)]
    assert told(["clean", str(written(shop / "others.csv", HEADER, others)), "-q", "-o", str(shop / "others.parquet")])[0] == 0
    yield ["clv", str(shop / "segment.parquet"), "--orders", str(shop / "others.parquet")]
    yield ["report", customers, "--orders", str(shop / "others.parquet")]
    yield ["churn", str(shop / "clv.parquet"), "--orders", clean, "--previous", customers]
    yield ["segment", str(shop / "rfm.parquet"), "--explain", "13800559999"]
    yield ["show", "13800559999", customers]
    (shop / "gone.txt").write_bytes(MARK.encode("utf-16"))
    yield ["forget", str(shop), "--ids-file", str(shop / "gone.txt")]


def damaged(folder: Path) -> Iterator[Path]:
    """Files of every container, broken where a personal value stands."""
    lines = [json.dumps(dict(zip(HEADER, row, strict=True)), ensure_ascii=False) for row in rows()]
    for name, text in (
        ("cut.jsonl", "\n".join(lines)[:-40]),
        ("cut.json", f"[{','.join(lines)}"[:-20]),
        ("twice.json", f'[{{"buyer": "{MARK}", "buyer": "{MARK}"}}]'),
        ("after.json", f"[{lines[0]}] {MARK}"),
        ("comma.json", f"[{lines[0]} {lines[1]}]"),
    ):
        (folder / name).write_text(text, "utf-8")
        yield folder / name
    pl.DataFrame(rows(), schema=HEADER, orient="row").write_parquet(folder / "a.parquet", compression="uncompressed")
    table = (folder / "a.parquet").read_bytes()
    for number, (old, new) in enumerate(
        ((b"Quillfeather", b"Quillfeath\xff\xff"), (b"Quillfeather", b"\0" * 12), (b"PAR1", b"PAR2"))
    ):
        (folder / f"{number}.parquet").write_bytes(table.replace(old, new))
        yield folder / f"{number}.parquet"
    for number, cell in enumerate((f"<v>{MARK}</v>", f'<v t="x">{MARK}</v>', f"<v>{MARK}")):
        path = with_rows(folder / f"{number}.xlsx", f'<row r="1"><c r="A1" t="n">{cell}</c></row>')
        yield path
    path = folder / "gbk.csv"
    path.write_bytes("\n".join([",".join(HEADER), *(",".join(row) for row in rows())]).encode("gb18030") + b"\xff\xff,\x80")
    yield path


def test_refusals_tell_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: Count) -> None:
    """Wrong labels, rules, groups, attributes, costs, orders and damaged files: each is refused, and no message names anybody."""
    monkeypatch.setenv("CLM_LOG", str(tmp_path / "clm.log"))
    shop, scratch = shop_of_canaries(tmp_path), tmp_path / "scratch"
    scratch.mkdir()
    asked = list(refused(shop)) + [["clean", str(path)] for path in damaged(scratch)]
    found, accepted = [], []
    for argv in asked:
        code, said = told(
            [*argv, "-v", *(["-o", str(scratch / "x.parquet")] if argv[0] not in ("show", "forget", "list") else [])]
        )
        found += [(argv[:4], code, mark, around(said, mark)) for mark in leaks(said)]
        accepted += [argv] if code not in (2, 65, 66, 78) and argv[0] != "clean" else []  # damage may cost single rows
    found += [("log", mark) for mark in leaks((tmp_path / "clm.log").read_text("utf-8"))]
    count("canaries in refusals", refusals=len(asked), leaks=len(found))
    assert not found, found[:5]
    assert not accepted


def test_a_whole_run_tells_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: Count) -> None:
    """Report in every format, messages, JSON, log, footers, model and run.json: canaries are in the tables of customers alone."""
    monkeypatch.setenv("CLM_LOG", str(tmp_path / "clm.log"))
    source, out = written(tmp_path / "orders.csv", HEADER, rows()), tmp_path / "out"
    places = {"run": told(["run", str(source), "-o", str(out), "-v", "--json"])[1]}
    customers = str(out / "customers.parquet")
    for suffix in ("html", "md", "json"):
        code, said = told(["report", customers, "--orders", str(out / "clean.parquet"), "-o", str(tmp_path / f"r.{suffix}")])
        assert code == 0, said
        places |= {suffix: (tmp_path / f"r.{suffix}").read_text("utf-8"), f"said of {suffix}": said}
    places["text"] = told(["report", customers])[1]
    places["segment"] = told(["segment", str(out / "rfm.parquet"), "--json", "-v", "-o", str(tmp_path / "s.parquet")])[1]
    places["churn"] = told(
        ["churn", customers, "--orders", str(out / "clean.parquet"), "--json", "-o", str(tmp_path / "c.parquet")]
    )[1]
    places |= {name: (out / name).read_text("utf-8") for name in ("run.json", "model.json", "report.html")}
    places["log"] = (tmp_path / "clm.log").read_text("utf-8")
    for path in out.glob("*.parquet"):
        places[f"footer of {path.name}"] = pl.read_parquet_metadata(path).get("clm", "")
    missing = told(["show", "13800559999", str(out)])
    places["a customer who is not there"] = missing[1]
    found = [(name, mark) for name, text in places.items() for mark in leaks(text)]
    count("canaries in a whole run", places=len(places), leaks=len(found))
    assert missing[0] == 65
    assert not found
    kept = pl.read_parquet(out / "clean.parquet")
    assert not set(KINDS) & set(kept.columns)  # what plays no role is not even kept
    assert leaks(str(kept["customer_id"].to_list())) == ["1380055"]  # the id itself is where it belongs


def test_keys_are_never_shown(tmp_path: Path, count: Count) -> None:
    """Neither the key nor the values it hides are in what is said or written; others' keys are refused."""
    source, key = written(tmp_path / "orders.csv", HEADER, rows()), tmp_path / "shop.key"
    said = [told(["key", "new", str(key), "--json"])[1]]
    secret = key.read_bytes()
    hide = ["--pseudonymise", "customer_id", "--key-file", str(key)]
    code, more = told(
        ["clean", str(source), *hide, "-v", "--json", "-o", str(tmp_path / "c.csv"), "--rejects", str(tmp_path / "r.csv")]
    )
    assert code == 0, more
    said += [more, (tmp_path / "c.csv").read_text("utf-8"), (tmp_path / "r.csv").read_text("utf-8")]
    key.chmod(0o644)
    code, refused = told(["clean", str(source), *hide, "-o", str(tmp_path / "d.parquet")])
    said.append(refused)
    spelled = [secret.decode("latin-1"), secret.hex(), secret.strip().decode("latin-1")]
    found = [mark for text in said for mark in (*leaks(text), *(one for one in spelled if one in text))]
    count("keys and what they hide", texts=len(said), leaks=len(found))
    assert code == 78
    assert not found
