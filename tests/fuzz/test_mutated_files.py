"""Damaged Parquet, workbooks, TOML and model files through whole commands: an exact account or an answer, never a traceback.

1,200 in the battery, the same ones every time; else a slice. `python -m tests.fuzz.test_mutated_files KIND NUMBER` writes the
file that a failure names.
"""

from __future__ import annotations

import io
import json
import os
import resource
import sys
import time
import zipfile
from collections import Counter
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from random import Random

import polars as pl
import pytest

from clm.cli import main
from clm.errors import Exit
from tests.battery import Count, many
from tests.commands.conftest import Shop
from tests.fuzz import mutators

MANY = many(300, 12)  # of each kind
_LONGEST = 10.0
_MOST_BYTES = 1.5 * 2**30
ANSWERS = {int(code) for code in (Exit.USAGE, Exit.DATA, Exit.NO_INPUT, Exit.CONFIG)}
_BYTES = (
    mutators.flip_bytes, mutators.delete_chunk, mutators.repeat_chunk, mutators.truncate, mutators.behead, mutators.join_files,
    mutators.insert_marks, mutators.noise,
)  # fmt: skip
_TEXT = (*_BYTES, mutators.swap_lines, mutators.change_line_ends, mutators.huge_field)
_WORDS = (
    "nan", "inf", "-1", "1e400", "0", "9" * 5000, '""', "[]", "{}", "true", "null", '"x"', "1979-05-27", "[[[[[]]]]]", "0.1e-999",
    "'''", "#",
)  # fmt: skip

TOML = {
    "clm.toml": """
seed = 3
[clean]
map = { customer_id = "customer_id" }
duplicates = "flag"
[rfm]
bins = 5
weights = { r = 1, f = 2 }
[[clean.rule]]
flag = "large"
when = "amount > 100000"
""",
    "scheme.toml": """
first_match = true
bins = 5
[[segment]]
code = "vip"
when = "spend > 100 and recency_days < 60"
action_en = "call"
[[segment]]
code = "rest"
""",
    "tiers.toml": """
demote_after_days = 60
demote_below = 0.85
[[tier]]
code = "gold"
all = [{ column = "spend", at_least = 50 }]
any = [{ column = "orders", at_least = 3 }, { column = "spend", top = "10%" }]
[[tier]]
code = "basic"
""",
    "cuts.toml": """
[r_score]
cuts = [30, 90, 180, 365]
""",
    "profile.toml": """
about = "a shop"
[map]
customer_id = "customer_id"
ordered_at = "order_date"
""",
}


def _words(data: bytes, random: Random) -> bytes:
    """A value of the document replaced by one nobody meant."""
    lines = data.decode().split("\n")
    places = [place for place, line in enumerate(lines) if "=" in line or ":" in line]
    for place in random.sample(places, min(len(places), random.choice((1, 2)))):
        mark = "=" if "=" in lines[place] else ":"
        head, _, _ = lines[place].partition(mark)
        lines[place] = f"{head}{mark} {random.choice(_WORDS)}" + ("," if mark == ":" and random.random() < 0.7 else "")
    return "\n".join(lines).encode()


def _inside(data: bytes, random: Random) -> bytes:
    """One member of a workbook damaged, the rest packed as before."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as book, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as again:
        wrong = random.choice(book.namelist())
        for name in book.namelist():
            content = book.read(name)
            again.writestr(name, random.choice(_TEXT)(content, content, random) if name == wrong else content)
    return made.getvalue()


@dataclass(frozen=True)
class Kind:
    """What is damaged, and the command that reads it."""

    name: str
    seed: Callable[[Shop, Random], tuple[bytes, str]]
    argv: Callable[[Shop, Path, str, str], list[str]]
    text: bool = False
    packed: bool = False


def _table(shop: Shop, random: Random) -> tuple[bytes, str]:
    stage = random.choice(("clean", "rfm", "churn"))
    return shop.file(stage).read_bytes(), stage


def _log(shop: Shop, random: Random) -> tuple[bytes, str]:
    made = io.BytesIO()
    log = pl.read_csv(shop.source, infer_schema=random.random() < 0.5)
    log.write_parquet(made, compression=random.choice(("zstd", "snappy", "gzip", "uncompressed")), row_group_size=200)
    return made.getvalue(), "log"


def _parquet(shop: Shop, random: Random) -> tuple[bytes, str]:
    return random.choice((_table, _log))(shop, random)


def _workbook(shop: Shop, random: Random) -> tuple[bytes, str]:
    from clm.report.workbook import table_workbook

    return table_workbook(pl.read_csv(shop.source).head(60), "orders"), "log"


def _reads(shop: Shop, given: Path, what: str, out: str) -> list[str]:
    command = {"log": ["clean"], "clean": ["rfm"], "rfm": ["segment"], "churn": ["report"]}[what]
    return [*command, str(given), "-o", out + (".json" if what == "churn" else ".parquet")]


def _toml(shop: Shop, random: Random) -> tuple[bytes, str]:
    name = random.choice(list(TOML))
    return TOML[name].encode(), name


def _asks(shop: Shop, given: Path, what: str, out: str) -> list[str]:
    rfm, tail = str(shop.file("rfm")), ["-o", f"{out}.parquet"]
    return {
        "clm.toml": ["rfm", str(shop.file("clean")), "--config", str(given), *tail],
        "scheme.toml": ["segment", rfm, "--scheme", str(given), *tail],
        "tiers.toml": ["segment", rfm, "--tiers", str(given), *tail],
        "cuts.toml": ["rfm", str(shop.file("clean")), "--cuts", str(given), *tail],
        "profile.toml": ["clean", str(shop.source), "--profile", str(given), *tail],
    }[what]


def _model(shop: Shop, random: Random) -> tuple[bytes, str]:
    stage = random.choice(("rfm", "segment", "clv", "churn"))
    path = shop.folder / f"model-{stage}.json"
    if not path.exists():
        from tests.commands.conftest import arguments

        scheme = ["--scheme", "zh8"] if stage == "segment" else []  # whose means are learned
        _ran([*arguments(shop, stage), *scheme, "--save-model", str(path), "-o", str(shop.folder / "with-model.parquet")])
    return path.read_bytes(), stage


def _applies(shop: Shop, given: Path, what: str, out: str) -> list[str]:
    from tests.commands.conftest import arguments

    scheme = ["--scheme", "zh8"] if what == "segment" else []
    return [*arguments(shop, what), *scheme, "--model", str(given), "-o", f"{out}.parquet"]


KINDS = (
    Kind("Parquet", _parquet, _reads),
    Kind("xlsx", _workbook, _reads, packed=True),
    Kind("TOML", _toml, _asks, text=True),
    Kind("model JSON", _model, _applies, text=True),
)


def made(kind: Kind, number: int, shop: Shop) -> tuple[bytes, str]:
    """The damaged file of this number, and what it was."""
    random = Random(f"clm:{kind.name}:{number}")
    data, what = kind.seed(shop, random)
    other = kind.seed(shop, random)[0]
    if kind.packed and random.random() < 0.6:
        return _inside(data, random), what
    if kind.text and random.random() < 0.5:
        return _words(data, random), what
    for mutate in random.sample(_TEXT if kind.text else _BYTES, random.choice((1, 1, 2))):
        data = mutate(data, other, random)
    return data, what


def _ran(argv: list[str]) -> tuple[int, str, str]:
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = main(argv)
    return code, out.getvalue(), err.getvalue()


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_damaged_files_get_an_answer_or_an_exact_account(kind: Kind, shop: Shop, tmp_path: Path, count: Count) -> None:
    """0 with rows that add up, or 2, 65, 66, 78; no traceback, below ten seconds and 1.5 GB; no output when refused."""
    ends: Counter[int] = Counter()
    longest, wrong = 0.0, []
    for number in range(MANY):
        data, what = made(kind, number, shop)
        given, out = tmp_path / f"given-{number}", tmp_path / f"out-{number}"
        given = given.with_suffix({"Parquet": ".parquet", "xlsx": ".xlsx", "TOML": ".toml", "model JSON": ".json"}[kind.name])
        given.write_bytes(data)
        began = time.process_time()
        code, said, err = _ran([*kind.argv(shop, given, what, str(out)), "-q", "--json"])
        longest = max(longest, time.process_time() - began)
        ends[code] += 1
        wrong += [(kind.name, number, what, code, err[-600:])] if not _right(code, said, err, out) else []
        given.unlink()
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    count(f"damaged {kind.name}", files=MANY, done=ends[0], refused=MANY - ends[0], wrong=len(wrong), longest_seconds=longest)
    assert not wrong, wrong[:3]
    assert longest < _LONGEST
    assert most < _MOST_BYTES or "PYTEST_XDIST_WORKER" in os.environ  # a worker's own tests may have taken more


@pytest.mark.parametrize("name", list(TOML))
def test_the_documents_are_right_before_they_are_damaged(name: str, shop: Shop, tmp_path: Path) -> None:
    """Else the damage would prove nothing."""
    (tmp_path / name).write_text(TOML[name], "utf-8")
    code, _, err = _ran(_asks(shop, tmp_path / name, name, str(tmp_path / "out")))
    assert code == 0, err


def _right(code: int, said: str, err: str, out: Path) -> bool:
    """Whether the end is one of those promised."""
    if "Traceback" in err:
        return False
    if code == 0:
        record = json.loads(said)
        rows = record["rows"]
        return record["stage"] != "clean" or bool(
            rows["in"] == rows["out"] + sum(rows["rejected"].values()) + sum(rows["collapsed"].values())
        )
    return code in ANSWERS and len(err) < 6000 and not any(out.parent.glob(f"{out.name}.*"))


if __name__ == "__main__":
    import tempfile

    from tests.commands.conftest import READS, arguments
    from tests.logs import csv_of, invented

    folder = Path(tempfile.mkdtemp())
    shop_ = Shop(folder, csv_of(invented(customers=160, orders=9), folder / "orders.csv"))
    for stage_ in list(READS)[:5]:
        _ran([*arguments(shop_, stage_), "-o", str(shop_.file(stage_))])
    content, of = made(next(one for one in KINDS if one.name == sys.argv[1]), int(sys.argv[2]), shop_)
    Path("damaged").write_bytes(content)
    print(of)
