"""A log in which every text is hostile, through `clm run`; and a customer table somebody tampered with."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from clm.cli import main
from clm.storage import facts
from tests.battery import many
from tests.hostile.strings import EVERY

# what stays as it is in a tampered footer: without these it is no footer of that table, and money in words is refused
_BONES = ("table", "stage", "as_of", "sha256", "schema", "amount")
GOODS = ("product_id", "product", "category", "channel", "device")


@dataclass
class World:
    """Where the log and its outputs lie, and all that was said on the way: on stdout, on stderr and in the log for cron."""

    folder: Path
    said: list[str] = field(default_factory=list)

    @property
    def out(self) -> Path:
        return self.folder / "out"

    @property
    def log(self) -> Path:
        return self.folder / "clm.log"

    def clm(self, *argv: object, code: int | None = 0) -> str:
        """One command in this process; what it said is kept. Returns stdout."""
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            ended = main([str(one) for one in argv])
        self.said += [out.getvalue(), err.getvalue()]
        assert "Traceback" not in err.getvalue(), err.getvalue()
        assert code is None or ended == code, (argv, err.getvalue())
        return out.getvalue()


def id_of(text: str) -> str:
    """The id rule in a few words of our own: without byte-order marks, trimmed, `="x"` is x, one apostrophe goes, NFC."""
    import unicodedata

    bare = text.replace("\ufeff", "").strip()
    if bare.startswith('="') and bare.endswith('"') and len(bare) > 2 and "\n" not in bare:
        bare = bare[2:-1]
    bare = bare[1:] if bare.startswith("'") and len(bare) > 1 else bare
    return unicodedata.normalize("NFC", bare.strip())


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Three orders of every string, which is the customer and the goods too, through `clm run`."""
    made = World(tmp_path_factory.mktemp("hostile"))
    with (made.folder / "orders.csv").open("w", newline="", encoding="utf-8") as stream:
        rows = csv.writer(stream, lineterminator="\n", quoting=csv.QUOTE_ALL)
        rows.writerow(["order_id", "customer_id", "order_date", "amount", "quantity", *GOODS])
        for month in (1, 3, 6):
            for place, text in enumerate(EVERY):
                day = f"2024-{month:02}-{1 + place % 27:02} 10:00:00"
                rows.writerow([f"{text}#{month}", text, day, f"{month + place % 40}.25", 1, *[text] * len(GOODS)])
    os.environ["CLM_LOG"] = str(made.log)
    try:
        made.clm("run", made.folder / "orders.csv", "-o", made.out, "-v")
        yield made
    finally:
        del os.environ["CLM_LOG"]


@pytest.fixture(scope="session")
def tampered(world: World) -> Path:
    """The customers of the run with a hostile segment each, other hostile columns, and a footer hostile in every text."""
    customers = pl.read_parquet(world.out / "customers.parquet").gather_every(many(1, 4))
    texts = cycle(EVERY)
    columns = ("segment", "first_category", "last_category", "main_channel", "first_channel", "main_device")
    spoilt = customers.with_columns(pl.Series(name, [next(texts) for _ in range(customers.height)]) for name in columns)
    spoilt = spoilt.with_columns(pl.lit("x").alias(text) for text in EVERY if text not in (*spoilt.columns, "*"))
    footer = json.loads(pl.read_parquet_metadata(world.out / "customers.parquet")[facts.KEY])

    def spoil(value: Any, key: str = "") -> Any:
        if isinstance(value, dict) and key not in _BONES:
            return {name: spoil(one, name) for name, one in value.items()}
        if isinstance(value, list):
            return [spoil(one, key) for one in value]
        return next(texts) if isinstance(value, str) and key not in _BONES else value

    path = world.folder / "tampered.parquet"
    spoilt.write_parquet(path, metadata={facts.KEY: json.dumps(spoil(footer))})
    return path
