"""The names of the report's numbers, the sheet they are gathered on, and the way views look them up.

It may not compute anything: `metrics` and its sources do, and every view reads what stands here. 440 lines: most is a list.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl

from clm import shapes

ACTIVE_DAYS = 90  # a buyer is active when the last order lies in the last 90 days
ERROR_SCORES = ("rmse", "mae", "msle", "poisson_deviance")
RANK_SCORES = ("spearman", "gini", "capture_10", "capture_20")
CHURN_SCORES = ("auc", "average_precision", "log_loss", "brier", "top_decile_lift", "calibration_error")
KPIS = (
    "customers", "active", "new", "returning", "orders", "net_revenue", "gross_revenue", "returned", "average_order",
    "repeat_rate", "retention", "churn", "acquisition", "concentration",
)  # fmt: skip
KPI_RATES = ("repeat_rate", "retention", "churn", "acquisition", "concentration")  # of these the change is a difference
TOP_SHARES = tuple(percent / 100 for percent in (1, 2, 3, 5, 7, *range(10, 101, 5)))


@dataclass(frozen=True)
class Name:
    """One stable name: the section and metric, the unit of its value, and what its groups and periods are."""

    section: str
    metric: str
    unit: str
    meaning: str


def _section(section: str, *rows: tuple[str, str, str]) -> tuple[Name, ...]:
    return tuple(Name(section, *row) for row in rows)


def _grouped(section: str, one: str) -> tuple[Name, ...]:
    """What is told of every group the customers are put into."""
    return _section(
        section,
        ("customers", "customers", f"customers; group: {one}"),
        ("customer_share", "share", f"share of the buyers; group: {one}"),
        ("revenue", "money", f"net revenue; group: {one}"),
        ("revenue_share", "share", f"share of the buyers' revenue; group: {one}"),
        ("orders", "orders", f"orders; group: {one}"),
        ("median_recency_days", "days", f"median of days since the last order; group: {one}"),
        ("clv", "money", f"customer lifetime value; group: {one}"),
        ("mean_clv", "money", f"value per customer; group: {one}"),
        ("clv_share", "share", f"share of all value; group: {one}"),
        ("mean_churn", "probability", f"mean churn probability; group: {one}"),
    )


def _with_change(*rows: tuple[str, str, str]) -> tuple[Name, ...]:
    """A key figure of the last period and of the one before, and its change; `n` of the change is the smaller of the two."""
    found: list[tuple[str, str, str]] = []
    for metric, unit, meaning in rows:
        rate = metric in KPI_RATES
        how = "value - value before" if rate else "(value - value before) ÷ value before"
        found += [(metric, unit, meaning), (f"{metric}_change", "difference" if rate else "share", f"{how}; period: the later")]
    return _section("kpi", *found)


NAMES: tuple[Name, ...] = (
    *_section(
        "overview",
        ("customers", "customers", "customers in the table"),
        ("buyers", "customers", "customers with at least one sale"),
        ("no_purchase", "customers", "customers without a sale"),
        ("orders", "orders", "distinct orders with a sale"),
        ("net_revenue", "money", "sales less returns, all customers"),
        ("returned", "money", "money returned, as a positive number"),
        ("average_order", "money", "net revenue ÷ orders"),
        ("repeat_customers", "customers", "buyers with orders on two days or more"),
        ("repeat_rate", "share", "repeat customers ÷ buyers"),
        ("active_customers", "customers", "buyers with an order in the period (the last 90 days)"),
        ("active_share", "share", "active customers ÷ buyers"),
        ("expected_revenue", "money", "revenue expected in the period (the clv horizon), undiscounted"),
        ("expected_lost", "customers", "active customers expected not to order in the period: Σ churn probability"),
        ("expected_lost_share", "share", "expected lost ÷ active customers with a probability"),
    ),
    *_with_change(
        ("customers", "customers", "customers with a first order by the end of the period; period: 90 days, here and below"),
        ("active", "customers", "customers with a sale in the period"),
        ("new", "customers", "of the active, those with their first order in the period"),
        ("returning", "customers", "active - new"),
        ("orders", "orders", "orders whose last sale lies in the period"),
        ("net_revenue", "money", "gross revenue - returned, by day of the line"),
        ("gross_revenue", "money", "sales of the period"),
        ("returned", "money", "returns of the period, whenever they were bought, as a positive number"),
        ("average_order", "money", "net revenue ÷ orders"),
        ("repeat_rate", "share", "customers with sales on two days or more by the end of the period ÷ customers"),
        ("retention", "share", "active in the period before and in this one ÷ active in the period before"),
        ("churn", "share", "1 - retention"),
        ("acquisition", "share", "new ÷ active"),
        ("concentration", "share", "net revenue of the best tenth of the active, rounded up, ÷ that of the active; below 0 is 0"),
    ),
    *_section(
        "quality",
        ("window", "days", "days from the first to the last order; period: the two days"),
        ("rows_in", "rows", "rows read by clean"),
        ("rows_out", "rows", "rows kept by clean"),
        ("rows_rejected", "rows", "rows rejected; group: reject code, null for the total"),
        ("rows_collapsed", "rows", "rows collapsed; group: code, null for the total"),
        ("rows_after_as_of", "rows", "rows left out by rfm because they lie after as_of"),
        ("rejected_share", "share", "rows rejected ÷ rows in"),
        ("rows_share", "share", "share of the rows in; group: in, out, rejected.CODE, collapsed.CODE"),
        ("rows_balanced", "flag", "1 when in = out + rejected + collapsed"),
        ("rows_flagged", "rows", "rows kept that somebody should look at; group: flag, null for all of them"),
        ("flagged_share", "share", "rows flagged ÷ rows kept; group as rows_flagged"),
        ("amount_flagged", "money", "money of the flagged rows; group: flag"),
        ("amount_in", "money", "money read by clean, where readable"),
        ("amount_out", "money", "money kept by clean"),
        ("amount_rejected", "money", "money of rejected rows; group: reject code, null for the total"),
        ("amount_collapsed", "money", "money of collapsed rows; group: code, null for the total"),
        ("amount_balanced", "flag", "1 when the money adds up exactly"),
    ),
    *_section(
        "revenue",
        ("month_complete", "flag", "0 for the running month; period: month"),
        (
            "revenue",
            "money",
            "net revenue; group: new, returning, no_purchase (returns before any purchase); period: month, "
            "or quarter or year where most months have few new customers",
        ),
        ("revenue_of_buyers", "money", "net revenue of new and returning customers; period: month"),
        ("orders", "orders", "orders with a sale; group: new, returning (period as revenue), null for both (period: month)"),
        ("customers", "customers", "customers with a sale; group: new, returning; period as revenue"),
        ("returning_share", "share", "revenue of returning customers ÷ revenue; period as revenue"),
    ),
    *_grouped("segments", "segment"),
    *_grouped("lifecycle", "stage of life"),
    *_grouped("tiers", "tier"),
    *_section(
        "concentration",
        ("four_fifths", "share", "smallest share of buyers who bring 80 % of past revenue"),
        ("top_fifth", "share", "share of past revenue of the best fifth of buyers, rounded up"),
        ("gini", "ratio", "Gini coefficient of spend: 0 = all alike, near 1 = one brings all"),
        ("negative", "customers", "buyers to whom more was given back than they paid: they count as bringing nothing"),
        ("lorenz", "share", "share of past revenue of the poorest buyers; group: poorest_NNN percent"),
        (
            "abc_customers",
            "customers",
            "buyers; group: A (first 80 % of revenue), B (to 95 %), C; who crosses an edge is above it",
        ),
        ("abc_customer_share", "share", "share of the buyers; group: class"),
        ("abc_revenue_share", "share", "share of past revenue; group: class"),
        ("abc_least", "money", "least spend of a member; group: class"),
    ),
    *_section(
        "portfolio",
        ("revenue", "money", "net revenue of the last 365 days; group: segment"),
        ("value", "ratio", "revenue per member ÷ revenue per buyer, last 365 days; group: segment"),
        (
            "growth",
            "ratio",
            "(a - b) / (a + b), a, b: daily revenue of the last 90 days, of the days before in a year; group: segment",
        ),
        (
            "field",
            "flag",
            "1; group: FIELD.segment, FIELD star, earner (value), riser (growth), fader: value from 1, growth from 0",
        ),
    ),
    *_section(
        "migration",
        (
            "customers",
            "customers",
            "customers; group: WHAT:from>to, WHAT segment, lifecycle, tier, cluster; period: the two days",
        ),
        ("share", "share", "share of the customers who were there before; group and period as customers"),
        ("spend_before", "money", "their spend in the earlier table"),
        ("spend_after", "money", "their spend in the later table"),
        ("clv_before", "money", "their value in the earlier table"),
        ("clv_after", "money", "their value in the later table"),
        ("moved_share", "share", "share of those in both tables who moved; group: WHAT"),
        ("direction", "customers", "customers; group: WHAT:up, down, side, new, lost"),
    ),
    *_section(
        "cohorts",
        ("period_complete", "flag", "0 for the running period; period: month, quarter or year, as long as the log asks"),
        ("customers", "customers", "customers of the cohort; group: period of their first order"),
        ("retained", "customers", "of them, with a sale in the period; group: cohort; period"),
        ("retention", "share", "retained ÷ customers; group: cohort; period"),
        ("retention_on_or_after", "share", "share with a sale in the period or later; group: cohort; period"),
        (
            "revenue",
            "money",
            "net revenue; group: cohort, null for customers who never bought; period; the rows add up to the log",
        ),
        (
            "mean_retention",
            "share",
            "Σ retained ÷ Σ customers over the cells that are complete; group: age_NN, periods since the first",
        ),
    ),
    *_section(
        "rfm_grid",
        ("bins", "score", "scores run from 1 to this"),
        ("customers", "customers", "buyers; group: rXfY"),
        ("customer_share", "share", "share of the scored buyers; group: rXfY"),
    ),
    *_section(
        "clv",
        ("horizon", "days", "length of the forecast; period: the setting"),
        ("expected_orders", "order days", "order days expected in the horizon"),
        ("expected_revenue", "money", "revenue expected in the horizon, undiscounted, before margin"),
        ("clv", "money", "value in the horizon, discounted, times margin; with its interval"),
        ("mean_clv", "money", "value per buyer"),
        ("median_clv", "money", "median value of the buyers"),
        ("expected_alive", "customers", "Σ p_alive over customers that have one"),
        ("customers_by_method", "customers", "buyers; group: clv_method"),
        ("customers_by_status", "customers", "customers; group: clv_status"),
        ("top_share_spend", "share", "share of past revenue; group: top_NNN, the best N % of buyers"),
        ("top_share_clv", "share", "share of value; group: top_NNN"),
        ("four_fifths_spend", "share", "smallest share of buyers who bring 80 % of past revenue"),
        ("four_fifths_clv", "share", "smallest share of buyers who carry 80 % of the value"),
        ("value_customers", "customers", "buyers; group: FROM..TO, a band of value from FROM to below TO, ..0 for 0 or less"),
        ("value_customer_share", "share", "share of the buyers with a value; group as value_customers"),
        ("value_share", "share", "share of all value; group as value_customers"),
        ("value_quantile", "money", "so many percent of the buyers have a value below; group: p_NN"),
        ("gini_clv", "ratio", "Gini coefficient of value: 0 = all alike, near 1 = one carries all"),
        ("lorenz_clv", "share", "share of value of the poorest buyers; group: poorest_NNN percent"),
        ("decile_predicted", "orders", "mean orders predicted in the back-test; group: decile, 01 = best"),
        ("decile_actual", "orders", "mean orders made; group: decile"),
        ("decile_baseline", "flag", "1 for the simple rule of lowest deviance, whose own tenths follow; group: its name"),
        ("decile_baseline_predicted", "orders", "mean orders predicted by that rule; group: its decile"),
        ("decile_baseline_actual", "orders", "mean orders made in that rule's tenths; group: its decile"),
    ),
    *_section(
        "backtest",
        ("bias", "ratio", "predicted ÷ actual total − 1; group: kind:name; period: origin+days, null for the mean"),
        *((score, "score", "lower is better; group and period as bias") for score in ERROR_SCORES),
        *((score, "score", "higher is better; group and period as bias") for score in RANK_SCORES),
        ("beats_best_baseline", "flag", "1 when the model beats the best baseline; group: the score"),
        ("horizon", "days", "length of the tested window"),
        ("origins", "origins", "how many past days it was tested from"),
        (
            "tracked_predicted",
            "orders",
            "order days of all since the origin as forecast; group: the latest origin; period: days since",
        ),
        ("tracked_actual", "orders", "order days of all as they came; group and period as tracked_predicted"),
    ),
    *_section(
        "model",
        ("identified", "flag", "1 when the data identify the parameters; group: family"),
        ("parameter", "parameter", "group: family.parameter"),
        ("standard_error", "parameter", "group: family.parameter"),
        ("log_likelihood", "log likelihood", "group: family"),
    ),
    *_section(
        "alive",
        ("step", "days", "days between two of the values below; group: family"),
        (
            "p_alive",
            "probability",
            "of an invented customer; group: often (then stopped), rare, once; period: days since the first order",
        ),
        ("order", "flag", "1 on a day the invented customer orders; group and period as p_alive"),
    ),
    *_section(
        "costs",
        ("account", "money", "money of the file of costs; group: KIND.in, KIND.shared, KIND.REASON, KIND acquisition, retention"),
        ("left_out", "customers", "buyers without a cac; group: why, null for all of them"),
        ("customers", "customers", "buyers with a cac, whom the other rows are about; group: null for all, else BY:name"),
        ("acquisition", "money", "acquisition spend shared by them; group: BY:name, BY cohort, channel, tier"),
        ("acquisition_left", "money", "acquisition spend that won nobody; group: channel:name, null for all"),
        ("retention", "money", "retention spend shared by them"),
        ("cost", "money", "acquisition + retention"),
        ("margin_to_date", "money", "margin of everything they paid so far"),
        ("clv", "money", "margin expected of them in the horizon: the future alone"),
        ("cac", "money", "acquisition ÷ customers"),
        ("crv", "money", "clv − acquisition"),
        ("ltv_cac", "ratio", "clv ÷ acquisition"),
        ("lifetime_cac", "ratio", "(margin_to_date + clv) ÷ acquisition"),
        ("roi_to_date", "ratio", "(benefit − cost) ÷ cost: benefit = margin_to_date"),
        ("roi", "ratio", "(benefit − cost) ÷ cost: benefit = margin_to_date + clv"),
        (
            "payback_month",
            "months",
            "month of life, 0 the first, by whose end the mean margin reaches the cac; null when not yet",
        ),
        ("payback_missing", "money", "what a customer still lacks to the cac where it is not yet"),
    ),
    *_section(
        "churn",
        ("horizon", "days", "silent for this long counts as churned"),
        ("expected_lost", "customers", "buyers expected not to order in the horizon: Σ churn probability"),
        ("customers_by_risk", "customers", "buyers; group: low, medium, high"),
        ("share_by_risk", "share", "share of the buyers with a probability; group: risk"),
        ("active_by_risk", "customers", "of these, active in the last 90 days; group: risk"),
        ("clv_by_risk", "money", "customer lifetime value; group: risk"),
        ("overdue", "customers", "buyers silent for more than twice their own rhythm"),
        ("customers_by_method", "customers", "buyers; group: churn_method"),
        ("customers_by_status", "customers", "customers; group: churn_status"),
        *((score, "score", "test window; group: candidate") for score in CHURN_SCORES),
        *(
            (f"{score}_beside_chosen", "score", f"{score} less that of the chosen candidate, 95 %; group: candidate")
            for score in ("log_loss", "auc")
        ),
        ("importance", "score", "by how much the test window's log-loss rises when this is dealt anew; group: quantity"),
        ("psi", "index", "population stability index against the customers a saved model was made for; group: feature"),
        ("base_rate", "share", "test window: share of the customers who were lost"),
        ("gain", "share", "share of the lost found among the N % of highest risk; group: top_NNN"),
        ("gain_hiatus", "share", "the same by silence alone; group: top_NNN"),
        ("gain_perfect", "share", "the most there is to find; group: top_NNN"),
        ("lift", "ratio", "gain ÷ N %; group: top_NNN"),
        ("chosen", "flag", "1 for the candidate that is used; group: candidate"),
        ("reliability_predicted", "probability", "mean predicted probability; group: bin"),
        ("reliability_observed", "share", "share that did not order; group: bin"),
    ),
    *_section(
        "profit",
        ("contacts", "customers", "buyers worth contacting at the costs given"),
        ("expected", "money", "profit expected from contacting exactly these"),
        ("expected_of_all", "money", "profit expected from contacting everybody with a value"),
        ("kept", "customers", "customers the campaign is expected to keep"),
        ("cost", "money", "what the campaign costs; group: offer (when taken), contact"),
        ("accept", "share", "share of those about to leave who take the offer and stay"),
        ("risk_from", "probability", "probability from which the profit curve puts customers at a risk; group: medium, high"),
        (
            "tested_expected",
            "money",
            "test window: profit expected of its list; group: top_NNN for the N % of highest value; period: day",
        ),
        (
            "tested_realised",
            "money",
            "test window: what it brings by who left and who stayed; group and period as tested_expected",
        ),
    ),
    *_section(
        "early_warning",
        (
            "customers",
            "customers",
            "silent beyond their own rhythm; group: new since the period's day, known then; period: that day",
        ),
        ("within", "customers", "buyers whose silence their own rhythm explains; period as customers"),
        ("clv_of_new", "money", "customer lifetime value of the new ones; period as customers"),
    ),
    *_section(
        "survival",
        ("horizon", "days", "a life ends on the first order day that no order follows for this long; period: observed until"),
        (
            "too_new",
            "customers",
            "buyers first seen within the horizon of the last day: not observed yet",
        ),
        ("small", "customers", "lives observed in groups too small to be told; group: kind"),
        ("unknown", "customers", "lives observed of customers in no group, as without a channel; group: kind"),
        ("customers", "customers", "lives observed; group: kind:code (cohort, segment, channel), null for all"),
        ("left", "customers", "of these, lives that ended; group as customers"),
        ("median_days", "days", "first day by which half had left, null when not reached; group as customers"),
        (
            "retention",
            "share",
            "Kaplan-Meier, 95 % interval, n at risk; group as customers; period: months after the first order",
        ),
        ("curve", "share", "the same for all, every month observed; period: months"),
    ),
    *_section(
        "privacy",
        ("min_cell", "customers", "no number is about fewer customers, unless about none"),
        ("hidden", "numbers", "numbers hidden because they are about fewer, or would tell of them"),
    ),
)

_UNITS = {(name.section, name.metric): name.unit for name in NAMES}
_SCHEMA: dict[str, Any] = {
    "as_of": pl.Date,
    "section": pl.String,
    "metric": pl.String,
    "group": pl.String,
    "period": pl.String,
    "value": pl.Float64,
    "unit": pl.String,
    "lower": pl.Float64,
    "upper": pl.Float64,
    "n": pl.Int64,
    "hidden": pl.Boolean,
}


def finite(value: Any) -> float | None:
    """A number that may be printed, or None: booleans, text, NaN and infinity are not numbers."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    number = float(value)
    return number if math.isfinite(number) else None


class Sheet:
    """Gathers numbers under their declared names; an undeclared name is a KeyError."""

    def __init__(self) -> None:
        self._rows: list[tuple[Any, ...]] = []

    def add(
        self,
        section: str,
        metric: str,
        value: float | Decimal | None,
        *,
        group: str | None = None,
        period: str | None = None,
        lower: float | None = None,
        upper: float | None = None,
        n: int | None = None,
    ) -> None:
        unit = _UNITS[section, metric]
        n = n if shapes.count(n) else None  # a footer may say anything
        self._rows.append((section, metric, group, period, finite(value), unit, finite(lower), finite(upper), n, False))

    def frame(self, as_of: date | None) -> pl.DataFrame:
        """METRICS, in the order of NAMES; groups and periods in the order they were added."""
        order = {(name.section, name.metric): place for place, name in enumerate(NAMES)}
        rows = sorted(self._rows, key=lambda row: order[row[0], row[1]])
        return pl.DataFrame([(as_of, *row) for row in rows], schema=_SCHEMA, orient="row")


@dataclass(frozen=True)
class Number:
    """One row of METRICS as a view reads it."""

    metric: str
    group: str | None
    period: str | None
    value: float | None
    unit: str
    lower: float | None
    upper: float | None
    n: int | None
    hidden: bool = False


def with_sections(metrics: pl.DataFrame) -> list[tuple[str, Number]]:
    """The rows of METRICS in their order, each with its section."""
    return [(section, Number(*row)) for _, section, *row in metrics.select(list(_SCHEMA)).iter_rows()]


class Numbers:
    """METRICS, looked up by name."""

    def __init__(self, metrics: pl.DataFrame) -> None:
        self._rows: dict[tuple[str, str], list[Number]] = {}
        self.as_of: date | None = metrics["as_of"][-1] if metrics.height else None
        for section, number in with_sections(metrics):
            self._rows.setdefault((section, number.metric), []).append(number)

    def rows(self, section: str, metric: str) -> list[Number]:
        return self._rows.get((section, metric), [])

    def find(self, section: str, metric: str, group: str | None = None, period: str | None = None) -> Number | None:
        """The row of exactly this group and period: None is the row without one, never any of them."""
        for row in self.rows(section, metric):
            if row.group == group and row.period == period:
                return row
        return None

    def value(self, section: str, metric: str, group: str | None = None, period: str | None = None) -> float | None:
        row = self.find(section, metric, group, period)
        return row.value if row else None

    def single(self, section: str, metric: str) -> Number | None:
        """The one row of a number that stands once, whatever window it is about; LookupError when it stands several times."""
        rows = self.rows(section, metric)
        if len(rows) > 1:
            raise LookupError(f"{section}.{metric} has {len(rows)} rows: ask for a group and a period")
        return rows[0] if rows else None

    def single_value(self, section: str, metric: str) -> float | None:
        row = self.single(section, metric)
        return row.value if row else None

    def groups(self, section: str, metrics: Iterable[str]) -> list[str]:
        """Every group of these metrics, in order of appearance."""
        found = (row.group for metric in metrics for row in self.rows(section, metric))
        return list(dict.fromkeys(group for group in found if group is not None))

    def periods(self, section: str, metric: str) -> Sequence[str]:
        return list(dict.fromkeys(row.period for row in self.rows(section, metric) if row.period is not None))
