"""Centre and spread of a logarithmic scale from exact counts per bin: robust, and the same whatever the order of the rows.

It may not see an order line: it works on small tables that were counted before.
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


def centres(table: pl.DataFrame, keys: list[str], bin_: str, count: str) -> pl.DataFrame:
    """One row per key: `n`, `centre` (median bin), `above` and `below` (deviations of each side), all in units of ln.

    A side's deviation is the larger of what its quartile and its tenth say: a heavy tail is wide, a few wild values are not seen.
    """
    ordered = table.group_by(*keys, bin_).agg(pl.col(count).sum()).sort(*keys, bin_)
    upto = pl.col(count).cum_sum().over(keys) if keys else pl.col(count).cum_sum()
    total = pl.col(count).sum().over(keys) if keys else pl.col(count).sum()
    ranked = ordered.with_columns(upto=upto, n=total)
    quantiles = {f"q{share}": share for share in (0.1, 0.25, 0.5, 0.75, 0.9)}
    found = [pl.col(bin_).filter(pl.col("upto") >= share * pl.col("n")).min().alias(name) for name, share in quantiles.items()]
    picked = ranked.group_by(keys).agg(pl.col("n").first(), *found) if keys else ranked.select(pl.col("n").first(), *found)
    middle = pl.col("q0.5")
    sides = {
        "above": [(pl.col(f"q{share}") - middle) / z for share, z in _SHARES.items()],
        "below": [(middle - pl.col(f"q{round(1 - share, 2)}")) / z for share, z in _SHARES.items()],
    }
    return picked.select(
        *keys,
        "n",
        centre=middle / BINS_PER_E,
        **{side: pl.max_horizontal(distances) / BINS_PER_E for side, distances in sides.items()},
    )


@dataclass(frozen=True)
class Centre:
    """The same for a whole log. `n` is 0 when it has nothing to say."""

    n: int = 0
    centre: float = 0.0
    above: float = 0.0
    below: float = 0.0

    @classmethod
    def of(cls, table: pl.DataFrame, bin_: str, count: str) -> Centre:
        if not table.height:
            return cls()
        n, centre, above, below = centres(table, [], bin_, count).row(0)
        return cls(int(n), float(centre), float(above), float(below))

    def distance(self, value: pl.Expr, floor: float) -> pl.Expr:
        """How many deviations a logarithm lies from the centre, on its own side; positive above, negative below."""
        off = value - self.centre
        return off / pl.when(off > 0).then(max(self.above, floor)).otherwise(max(self.below, floor))
