"""A back-test as text for the terminal, 80 columns wide at most: who forecast best, tenths, and the weeks that followed.

It may not compute a score: it averages what the stage scored over the origins and draws.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

_SCORES = (("poisson_deviance", "deviance"), ("bias", "bias"), ("rmse", "RMSE"), ("mae", "MAE"), ("spearman", "Spearman"),
           ("gini", "Gini"), ("capture_10", "top 10%"))  # fmt: skip
_MOST_WEEKS = 8


def lines(metrics: dict[str, Any]) -> list[str]:
    """The tables of `metrics`, or that nothing was tested."""
    if not metrics.get("backtest"):
        return ["No earlier day of the log could test a forecast"]
    return [
        *_scores(metrics, "backtest", "orders"),
        *_scores(metrics, "backtest_spend", "money"),
        *_tenths(metrics),
        *_weeks(metrics),
    ]


def _scores(metrics: dict[str, Any], key: str, of: str) -> Iterator[str]:
    scores = metrics[key]
    if not scores:
        return
    origins = sorted({one["origin"] for one in scores})
    names = {one["name"]: one["kind"] for one in scores}
    means = {
        name: {score: _mean([one[score] for one in scores if one["name"] == name]) for score, _ in _SCORES} for name in names
    }
    by = "poisson_deviance" if of == "orders" else "rmse"
    shown = [(score, title) for score, title in _SCORES if any(one[score] is not None for one in means.values())]
    days = scores[0]["horizon_days"]
    yield f"{of.capitalize()} of each customer in the {days} days after"
    yield f"{', '.join(origins)} (mean of {len(origins)})"
    yield f"  {'forecast':<13}" + "".join(f"{title:>9}" for _, title in shown)
    for name in sorted(names, key=lambda one: (means[one][by] is None, means[one][by])):
        mark = "*" if name == metrics["method"] else " "
        yield f"{mark} {name:<13}" + "".join(f"{_cell(score, means[name][score]):>9}" for score, _ in shown)
    yield f"* used; models: {', '.join(sorted(name for name, kind in names.items() if kind == 'model')) or 'none'}"
    yield ""


def _tenths(metrics: dict[str, Any]) -> Iterator[str]:
    rows = metrics["deciles"]
    if not rows:
        return
    yield f"Tenths by {metrics['method']} at {rows[0]['origin']}, order days per customer"
    yield "  tenth     " + "".join(f"{row['decile']:>6}" for row in rows)
    for name in ("predicted", "actual"):
        yield f"  {name:<10}" + "".join(f"{row[name]:>6.2f}" for row in rows)
    yield ""


def _weeks(metrics: dict[str, Any]) -> Iterator[str]:
    latest = max((row["origin"] for row in metrics["tracking"]), default=None)
    rows = [row for row in metrics["tracking"] if row["origin"] == latest]
    if not rows:
        return
    step = -(-len(rows) // _MOST_WEEKS)
    kept = [row for row in rows if row["week"] % step == 0 or row is rows[-1]][-_MOST_WEEKS:]
    yield f"Order days after {latest}, up to the end of each week"
    yield "  week      " + "".join(f"{row['week']:>8}" for row in kept)
    for name in ("predicted", "actual"):
        yield f"  {name:<10}" + "".join(f"{row[name]:>8,.0f}" for row in kept)
    yield ""


def _mean(found: Sequence[float | None]) -> float | None:
    known = [one for one in found if one is not None]
    return sum(known) / len(known) if known and len(known) == len(found) else None


def _cell(score: str, value: float | None) -> str:
    if value is None:
        return "-"
    if score in ("bias", "capture_10"):
        return f"{value:+.1%}" if score == "bias" else f"{value:.1%}"
    return f"{value:.3f}" if abs(value) < 1000 else f"{value:,.0f}"
