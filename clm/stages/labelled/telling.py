"""What a labelled table's outcome says: reasons per row, the metrics of `--json`, the notices, the closing line.

It may not score or choose: it puts into words what the models found.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import polars as pl

from clm.models import classify_scores
from clm.models.labelled_folds import FOLDS, MIN_EVENTS, Candidate, Learned
from clm.models.labelled_rows import Feature
from clm.outcome import Notice, counted
from clm.stages.labelled import matrix
from clm.stages.labelled.roles import Role
from clm.tables import CHURN_RISKS, CHURN_STATUSES

_FEW = 5
_LEAST_AUC = 0.55


def reason_texts(frame: pl.DataFrame, known: Sequence[Feature], usual: Sequence[float], columns: Any) -> pl.Series:
    """Per row `Contract=Month-to-month;usual=Two year;…`, null without a reason; `;`, `=`, `%` inside are %3B, %3D, %25.

    columns: (rows, reasons) places in `known`, -1 for none.
    """
    ranks = [pl.Series(f"{rank}", columns[:, rank]) for rank in range(columns.shape[1])]
    long = pl.DataFrame(ranks).with_row_index("row").unpivot(index="row", variable_name="rank", value_name="column")
    parts = []
    for (place,), rows in long.filter(pl.col("column") >= 0).group_by("column", maintain_order=True):
        feature = known[int(str(place))]
        cell = matrix.shown(frame[feature.name].gather(rows["row"])).alias("cell")
        name, other = _escaped(feature.name), _escaped(matrix.usual_shown(usual[int(str(place))], feature))
        text = pl.concat_str(pl.lit(f"{name}="), _escape(pl.col("cell")), pl.lit(f";usual={other}"))
        parts.append(rows.select("row", "rank").with_columns(cell).select("row", "rank", text.alias("text")))
    if not parts:
        return pl.Series("churn_reasons", [None] * frame.height, dtype=pl.String)
    told = pl.concat(parts).sort("row", "rank").group_by("row", maintain_order=True).agg(pl.col("text").str.join(";"))
    every = pl.DataFrame({"row": pl.int_range(frame.height, dtype=pl.UInt32, eager=True)})
    return every.join(told, on="row", how="left", maintain_order="left")["text"].alias("churn_reasons")


def _escape(text: pl.Expr) -> pl.Expr:
    return text.str.replace_many(["%", ";", "="], ["%25", "%3B", "%3D"])


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace(";", "%3B").replace("=", "%3D")


def counts(frame: pl.DataFrame) -> dict[str, Any]:
    """How many rows have which status and risk."""
    found = {name: dict(frame.group_by(name).len().iter_rows()) for name in ("churn_status", "churn_risk")}
    return {
        "customers": frame.height,
        "status": {status: found["churn_status"].get(status, 0) for status in CHURN_STATUSES},
        "risk": {risk: found["churn_risk"].get(risk, 0) for risk in CHURN_RISKS},
    }


def curves(winner: Candidate, labels: Any) -> dict[str, Any]:
    """Reliability and gain of the chosen method, out of fold."""
    return {
        "reliability": classify_scores.reliability(winner.probability, labels),
        "gain": classify_scores.gain(winner.probability, labels),
    }


def columns_json(found: Sequence[Role]) -> list[dict[str, Any]]:
    """Every column with its kind, its missing cells, whether it teaches, and why not."""
    return [
        {"name": one.name, "kind": one.kind, "missing": one.missing, "distinct": one.distinct, "used": one.used}
        | ({} if one.used else {"why": one.told})
        for one in found
    ]


def column_notices(
    found: Sequence[Role], nearly: Sequence[tuple[str, str]], repeated: dict[tuple[str, str], list[str]]
) -> Iterator[Notice]:
    """Which columns are left out, and which tell little that others do not."""
    left = [one for one in found if not one.used]
    if left:
        grouped: dict[str, list[str]] = {}
        for one in left:
            grouped.setdefault(one.told, []).append(one.name)
        told = "; ".join(f"{_listed(names)} ({why})" for why, names in grouped.items())
        yield Notice("columns_left_out", f"left out: {told}")
    if nearly:
        told = ", ".join(f"{name} is {what}" for name, what in nearly[:_FEW])
        yield Notice("columns_redundant", f"kept, but little is new in it: {told}")
    if repeated:
        told = "; ".join(f"{_listed(others)} ({column}={level})" for (column, level), others in list(repeated.items())[:_FEW])
        yield Notice("levels_repeated", f"values that only repeat another column's: {told}")


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _FEW} more" if len(names) > _FEW else ""
    return ", ".join(names[:_FEW]) + more


def learned_notices(learned: Learned, few: int | None) -> Iterator[Notice]:
    """What must be known of the choice. `few`: how often the rarer outcome occurs, where that is too little to learn from."""
    if few is not None:
        yield Notice(
            "not_validated",
            f"only {counted(few, 'row')} of the rarer outcome, {MIN_EVENTS} are the least: "
            "everybody gets the base rate, nothing is tested",
        )
        return
    winner, base = learned.winner, learned.candidates[0]
    auc = winner.scores["auc"]
    if learned.chosen == base.name:
        yield Notice("no_skill", "no method clearly beat the base rate, so everybody has the same probability")
    elif winner.log_loss >= base.log_loss or (auc is not None and auc <= _LEAST_AUC):
        told = f"log-loss {winner.log_loss:.3f} against {base.log_loss:.3f}" + ("" if auc is None else f", AUC {auc:.3f}")
        yield Notice("no_skill", f"{winner.name} hardly tells who leaves from who stays: {told}")
    best = min(learned.candidates, key=lambda one: one.log_loss)
    if learned.chosen_on == "asked" and best.log_loss < winner.log_loss:
        yield Notice("beaten", f"{best.name} has a lower log-loss than {winner.name}")


def closing(frame: pl.DataFrame, label: str, method: str, tested: str) -> str:
    """The line that adds up: rows by risk, then what scored them and how well."""
    risks = frame["churn_risk"]
    told = " + ".join(f"{int((risks == risk).sum()):,} {risk} risk" for risk in reversed(CHURN_RISKS) if (risks == risk).any())
    return f"{counted(frame.height, 'row')} = {told}; {label}, {method}, {tested}"


def tested(winner: Candidate) -> str:
    """How well the chosen method did, out of fold."""
    auc, loss = winner.scores["auc"], winner.log_loss
    return ("" if auc is None else f"AUC {auc:.3f}, ") + f"log-loss {loss:.3f} in {FOLDS} folds"
