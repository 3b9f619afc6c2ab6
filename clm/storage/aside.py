"""Frames set aside: what a stage reads several times is worked out once, in memory while it is small, else in a file.

It may not outlive the command: the folder is the command's own and goes with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from clm.storage import publish

if TYPE_CHECKING:
    import polars as pl


@dataclass
class Aside:
    """Sets frames aside in a folder, held in memory up to `most` bytes of all of them."""

    folder: Path
    most: int
    taken: int = 0

    def __call__(self, frame: pl.LazyFrame) -> pl.LazyFrame:
        self.taken += 1
        frame, size = publish.set_aside(frame, self.folder / f"aside-{self.taken}.parquet", self.most)
        self.most -= size
        return frame
