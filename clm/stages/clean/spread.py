"""Centre and spread of a logarithmic scale from exact counts per bin: robust, and the same whatever the order of the rows.

It may not see an order line: it works on what was counted before.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

# bins of 5 %: fine beside anything that is far out, coarse enough that a log of any length makes a small table
BINS_PER_E = 20
# normal quantiles: what a distance from the median at these shares says about the deviation
_SHARES = {0.75: 0.67449, 0.9: 1.28155}


def bins(value: pl.Expr) -> pl.Expr:
    """The bin of a positive number; null for others."""
    return (pl.when(value > 0).then(value.cast(pl.Float64)).log() * BINS_PER_E).round().cast(pl.Int32)


def centres(table: pl.LazyFrame, key: str) -> pl.LazyFrame:
    """One row per key: `centre` (median bin), `above` and `below` (deviations of each side), all in units of ln.

    `table` has the counts `n` per key and `bin`, and the `lines` of each key. A side's deviation is the larger of what its
    quartile and its tenth say: a heavy tail is wide, a few wild values are not seen.
    """
    # sums up to each bin, of all keys at once: what a key began with is taken off
    upto = table.sort(key, "bin").with_columns(upto=pl.col("n").cum_sum())
    new = pl.col(key).ne_missing(pl.col(key).shift(1))
    before = pl.when(new).then(pl.col("upto") - pl.col("n")).otherwise(0).cum_max()
    ranked = upto.with_columns(upto=pl.col("upto") - before)
    quantiles = {f"q{share}": share for share in (0.1, 0.25, 0.5, 0.75, 0.9)}
    reached = {name: pl.col("upto") >= share * pl.col("lines") for name, share in quantiles.items()}
    found = [pl.col("bin").filter(there).min().alias(name) for name, there in reached.items()]
    middle = pl.col("q0.5")
    sides = {
        "above": [(pl.col(f"q{share}") - middle) / z for share, z in _SHARES.items()],
        "below": [(middle - pl.col(f"q{round(1 - share, 2)}")) / z for share, z in _SHARES.items()],
    }
    return (
        ranked.group_by(key)
        .agg(found)
        .select(
            key,
            centre=middle / BINS_PER_E,
            **{side: pl.max_horizontal(distances) / BINS_PER_E for side, distances in sides.items()},
        )
    )


@dataclass(frozen=True)
class Centre:
    """The same for a whole log. `n` is 0 when it has nothing to say."""

    n: int = 0
    centre: float = 0.0
    above: float = 0.0
    below: float = 0.0

    @classmethod
    def of(cls, counted: pl.LazyFrame) -> Centre:
        """From the counts `n` of each `bin`: a small table, whatever the log."""
        table = counted.collect(engine="streaming")
        if not table.height:
            return cls()
        lines = int(table["n"].sum())
        whole = table.lazy().with_columns(lines=pl.lit(lines), whole=pl.lit(0))
        _, centre, above, below = centres(whole, "whole").collect(engine="streaming").row(0)
        return cls(lines, float(centre), float(above), float(below))

    def distance(self, value: pl.Expr, floor: float) -> pl.Expr:
        """How many deviations a logarithm lies from the centre, on its own side; positive above, negative below."""
        off = value - self.centre
        return off / pl.when(off > 0).then(max(self.above, floor)).otherwise(max(self.below, floor))
