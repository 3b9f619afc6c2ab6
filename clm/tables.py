"""The nouns: every table clm writes, every column with its type, unit, meaning, nullability and rule. 490 lines: a list.

It may not import Polars or anything of ours: readers, writers, help, README and messages all take their contract from here.
Types are written as Polars writes them; `storage.contract` turns them into real ones and checks frames against them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

LINE_MONEY = "Decimal(18,4)"
SUM_MONEY = "Decimal(38,4)"
# outside them a year is a typing error or a placeholder (0024, 9999), and the calendar ends before a horizon does
YEARS = (1800, 2299)


@dataclass(frozen=True)
class Column:
    """One column. `nullable` is False where a null breaks the contract; `minimum`/`maximum` bound numbers, and the years of days
    and times (1 and 9999 where they are not given); `values` lists a closed set; `uniform` is a column of one value.

    `stage` is the stage that adds it; `optional` columns may be absent.
    """

    name: str
    dtype: str
    unit: str
    meaning: str
    nullable: bool = True
    optional: bool = False
    minimum: float | None = None
    maximum: float | None = None
    values: tuple[str, ...] = ()
    stage: str = ""
    uniform: bool = False


@dataclass(frozen=True)
class Table:
    """One table: its columns in order, its key (unique and sorted, when there is one), what a row is, and who makes it."""

    name: str
    version: int
    row: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()
    made_by: str = ""

    def column(self, name: str) -> Column | None:
        return next((column for column in self.columns if column.name == name), None)

    def of_stage(self, *stages: str) -> Iterator[Column]:
        return (column for column in self.columns if column.stage in stages)

    def needed(self, *stages: str) -> list[str]:
        """Names of the columns these stages always add."""
        return [column.name for column in self.of_stage(*stages) if not column.optional]

    def names(self, *stages: str) -> list[str]:
        """Names of the columns these stages add (all stages when none is named)."""
        return [column.name for column in self.columns if not stages or column.stage in stages]


def _stage(stage: str, *columns: Column) -> tuple[Column, ...]:
    return tuple(replace(column, stage=stage) for column in columns)


RETURN, SALE = "return", "sale"

TRANSACTIONS = Table(
    name="TRANSACTIONS",
    version=1,
    row="one order line; one order where the source has no lines; in the order of the sources",
    made_by="clean",
    columns=_stage(
        "clean",
        Column("customer_id", "String", "id", "who bought: trimmed text in NFC, leading zeros kept", nullable=False),
        Column("order_id", "String", "id", "the order; customer + business day where the source has none", nullable=False),
        Column(
            "ordered_at",
            "Datetime(us)",
            "wall time",
            "business wall time; zones end in clean",
            nullable=False,
            minimum=YEARS[0],
            maximum=YEARS[1],
        ),
        Column(
            "amount",
            LINE_MONEY,
            "money",
            "paid for the line after discounts, tax as given; returns negative; null without amounts",
        ),
        Column(
            "kind",
            "String",
            "code",
            "`return`: negative quantity, cancellation document, refund status or negative order total; else `sale`",
            nullable=False,
            values=(SALE, RETURN),
        ),
        Column("quantity", LINE_MONEY, "units", "units of the line as the source gives them", optional=True),
        Column("product_id", "String", "id", "the product", optional=True),
        Column("product", "String", "text", "the product's name", optional=True),
        Column("category", "String", "text", "the product's category", optional=True),
        Column("channel", "String", "text", "where it was sold", optional=True),
        Column("device", "String", "text", "what the buyer used", optional=True),
        Column("country", "String", "text", "the buyer's country or region", optional=True),
        Column("currency", "String", "code", "the currency of the amount", optional=True, uniform=True),
        Column("cost", LINE_MONEY, "money", "what the line cost the shop", optional=True),
        Column("email", "String", "text", "the buyer's e-mail; only when mapped by --map", optional=True),
        Column("phone", "String", "text", "the buyer's phone; only when mapped by --map", optional=True),
        Column(
            "flags",
            "String",
            "codes",
            "comma-separated review codes: the row is kept, someone should look; null when none",
        ),
        Column("source_file", "String", "name", "base name of the source, when there are several", optional=True),
        Column(
            "source_line",
            "Int64",
            "line",
            "first physical line of the record; row number from 1 for Parquet",
            nullable=False,
            minimum=1,
        ),
    ),
)

# what clm finds remarkable by itself, in the order in which a row's flags are written; rules of the user's come after
FLAGS = (
    "duplicate", "amount_outlier", "price_outlier", "quantity_outlier", "burst", "negative_price", "zero_price",
    "quick_cancellation", "non_product", "unmatched_return",
)  # fmt: skip

REJECT_CODES = (
    "fields_few", "fields_many", "quote", "nul", "date", "amount", "quantity", "no_customer", "no_order", "id_destroyed",
    "totals_row", "header_repeat", "blank_row", "future", "test_order", "cancelled", "currency_other", "not_a_sale",
)  # fmt: skip
COLLAPSED_CODES = ("duplicate", "order_line", "same_file")

REJECTS = Table(
    name="REJECTS",
    version=1,
    row="one record of the source that did not pass, with the first reason that applies",
    made_by="clean",
    columns=_stage(
        "clean",
        Column("source_file", "String", "name", "base name of the source", nullable=False),
        Column("source_line", "Int64", "line", "first physical line of the record", nullable=False, minimum=1),
        Column(
            "reason",
            "String",
            "code",
            "first reason that applies, in the fixed order of the codes",
            nullable=False,
            values=REJECT_CODES,
        ),
        Column("column", "String", "name", "the column at fault, when it is one"),
        Column("detail", "String", "shape", "the shape of the value (`9/9/9999`), never the value"),
        Column("amount", LINE_MONEY, "money", "the record's amount, when it could be read"),
        Column("raw", "String", "text", "the record as it stands in the source; only with --rejects-raw", optional=True),
    ),
)

SEGMENTS = (
    "champion", "loyal", "potential_loyalist", "new", "promising",
    "need_attention", "about_to_sleep", "at_risk", "cannot_lose", "hibernating",
)  # fmt: skip
NO_PURCHASE = "no_purchase"
ZH8 = (
    "key_value", "key_keep", "key_develop", "key_winback",
    "general_value", "general_keep", "general_develop", "general_winback",
)  # fmt: skip
LIFECYCLES = ("new", "onboarding", "growing", "loyal", "at_risk", "lost", "won_back", NO_PURCHASE)
TIER_REASONS = ("first", "promoted", "kept", "held", "below", "demoted")
CLV_METHODS = (
    "nbd", "bgnbd", "mbgnbd", "bgcnbd", "mbgcnbd", "paretonbd", "rate", "last_period", "mean", "hiatus", "zero", "none",
)  # fmt: skip
CLV_STATUSES = (
    "ok", "few_repeat_buyers", "attrition_not_identified", "no_amounts", NO_PURCHASE,
    "degenerate", "baseline_better", "not_validated",
)  # fmt: skip
CHURN_METHODS = ("base_rate", "hiatus", "return", "logistic", "boosted", "none")
CHURN_STATUSES = ("ok", "not_validated", "too_little_history", NO_PURCHASE)
CHURN_RISKS = ("low", "medium", "high")
EARLY_WARNINGS = ("new", "known")
CHURN_RISK_EDGES = (0.5, 0.8)  # from which the risk is medium, and high
CHURN_BASES = ("out_of_fold", "all_rows", "model")

# what `rfm --columns all` adds; null where the log lacks the column it is made of
BEHAVIOUR = tuple(
    replace(column, optional=True, stage="rfm")
    for column in (
        Column("gap_mean_days", "Float64", "days", "mean gap between order days: active_days ÷ repeat_days", minimum=1),
        Column("gap_sd_days", "Float64", "days", "sample standard deviation of the gaps; null with fewer than two", minimum=0),
        Column("rhythm_days", "Float64", "days", "(active_days + g) ÷ (repeat_days + 1), g = median gap of the base (the smallest that half of all gaps do not exceed)", minimum=0),
        Column("last_gap_days", "Int32", "days", "gap before last_order_on; null with one order day", minimum=1),
        Column("longest_gap_days", "Int32", "days", "longest gap between order days, the last one included", minimum=1),
        Column("rhythm_before_days", "Float64", "days", "rhythm as it was before the last gap: (active_days − last_gap_days + g) ÷ repeat_days", minimum=0),
        Column("orders_30d", "Int64", "orders", "distinct order ids with a sale in (as_of − 30, as_of]", minimum=0),
        Column("orders_90d", "Int64", "orders", "the same in (as_of − 90, as_of]", minimum=0),
        Column("orders_365d", "Int64", "orders", "the same in (as_of − 365, as_of]", minimum=0),
        Column("spend_30d", SUM_MONEY, "money", "net of returns in (as_of − 30, as_of]; null without amounts"),
        Column("spend_90d", SUM_MONEY, "money", "the same in (as_of − 90, as_of]"),
        Column("spend_365d", SUM_MONEY, "money", "the same in (as_of − 365, as_of]"),
        Column("trend_orders", "Float64", "−1 to 1", "(a − b) ÷ (a + b): a = orders_90d, b = the other orders of (as_of − 180, as_of]; null with age_days < 180 or no order in them", minimum=-1, maximum=1),
        Column("products", "Int64", "products", "distinct products bought (product_id, else product)", minimum=0),
        Column("categories", "Int64", "categories", "distinct categories bought", minimum=0),
        Column("first_category", "String", "text", "category of the first order day; ties to the smaller text"),
        Column("last_category", "String", "text", "category of the last order day; ties to the smaller text"),
        Column("main_channel", "String", "text", "channel of most orders; ties to the smaller text"),
        Column("main_channel_share", "Float64", "share", "orders with a sale in main_channel ÷ orders", minimum=0, maximum=1),
        Column("first_channel", "String", "text", "channel of the first order day; ties to the smaller text"),
        Column("main_device", "String", "text", "device of most orders; ties to the smaller text"),
        Column("main_device_share", "Float64", "share", "orders with a sale on main_device ÷ orders", minimum=0, maximum=1),
        Column("returns_share", "Float64", "share", "returned_amount ÷ (spend + returned_amount), above 1 when more came back than was bought in the log; null when nothing was", minimum=0),
        Column("cost", SUM_MONEY, "money", "what the lines cost the shop, as the source gives it; null without costs"),
    )
)  # fmt: skip

CUSTOMERS = Table(
    name="CUSTOMERS",
    version=1,
    row="one customer",
    made_by="rfm, segment, clv, churn",
    key=("customer_id",),
    columns=(
        *_stage(
            "rfm",
            Column("customer_id", "String", "id", "the customer", nullable=False),
            Column("as_of", "Date", "day", "last day taken into account, inclusive", nullable=False),
            Column("first_order_on", "Date", "day", "first day with a sale"),
            Column("last_order_on", "Date", "day", "last day with a sale"),
            Column("orders", "Int64", "orders", "distinct order ids with a sale (RFM frequency)", nullable=False, minimum=0),
            Column("order_days", "Int64", "days", "distinct days with a sale", nullable=False, minimum=0),
            Column("recency_days", "Int32", "days", "as_of − last_order_on", minimum=0),
            Column("age_days", "Int32", "days", "as_of − first_order_on (BTYD T)", minimum=0),
            Column("active_days", "Int32", "days", "last_order_on − first_order_on (BTYD t_x)", minimum=0),
            Column("repeat_days", "Int64", "days", "order_days − 1 (BTYD x)", minimum=0),
            Column("spend", SUM_MONEY, "money", "net of returns (RFM monetary); null without amounts"),
            Column("repeat_spend", SUM_MONEY, "money", "net spend after first_order_on"),
            Column("mean_repeat_spend", "Float64", "money/day", "repeat_spend ÷ repeat_days; null when repeat_days = 0"),
            Column("returns", "Int64", "orders", "distinct order ids with a return", nullable=False, minimum=0),
            Column("returned_amount", SUM_MONEY, "money", "money returned, as a positive number", minimum=0),
            Column("log_gap_sum", "Float64", "ln days", "Σ ln(gap) over the gaps between order days", minimum=0),
            *BEHAVIOUR,
            Column("r_score", "Int32", "score", "recency score, 1 = worst; equal values, equal scores", minimum=1, maximum=9),
            Column("f_score", "Int32", "score", "frequency score, 1 = worst", minimum=1, maximum=9),
            Column("m_score", "Int32", "score", "monetary score, 1 = worst; null without amounts", minimum=1, maximum=9),
            Column("rfm", "String", "code", "the three scores in one word (`543`; `54-` without amounts)"),
            Column("rfm_value", "Float64", "score", "weighted mean of the scores a customer has (--weights)", optional=True, minimum=1, maximum=9),
        ),
        *_stage(
            "segment",
            Column("segment", "String", "code", "stable ASCII code of the segment", nullable=False),
            Column("lifecycle", "String", "code", "by silence s = recency_days, rhythm ρ = rhythm_days, n = order_days, the first that holds: `no_purchase`; `lost` s > 4ρ; `at_risk` s > 2ρ; `won_back` n ≥ 3 and last_gap_days > 4 rhythm_before_days; `new` n = 1; `onboarding` n = 2; `growing` n = 3, 4; `loyal` n ≥ 5; null where nobody ordered on a second day", optional=True, values=LIFECYCLES),
            Column("tier", "String", "code", "tier by the rules of --tiers; up at once, down after demote_after_days below demote_below of its edges without a break; null without a sale", optional=True),
            Column("tier_since", "Date", "day", "as_of of the table in which the customer got the tier", optional=True),
            Column("tier_below_since", "Date", "day", "as_of of the first table of an unbroken stretch below; null when not below", optional=True),
            Column("tier_reason", "String", "code", "`first` in a table with tiers, `promoted`, `demoted`, `kept`: at the edges, `held`: below them but not below demote_below of them, `below`: that, not yet for demote_after_days", optional=True, values=TIER_REASONS),
            Column("cluster", "Int32", "number", "cluster by recency, orders and spend, 1 = highest mean spend (--clusters); null without a sale or without clusters", optional=True, minimum=1),
            Column("cluster_name", "String", "code", "its means against the base's, + is better: `r+f++m-`; 0 within 0.1 standard deviations, two signs from 1 on", optional=True),
        ),
        *_stage(
            "clv",
            Column("p_alive", "Float64", "probability", "probability of being active; null when attrition is not identified", minimum=0, maximum=1),
            Column("expected_orders", "Float64", "order days", "order days expected in (as_of, as_of + H]", minimum=0),
            Column("expected_spend", "Float64", "money", "money of that time, undiscounted, before margin", minimum=0),
            Column("clv", "Float64", "money", "the same by month, discounted mid-month, times margin", minimum=0),
            Column("clv_low", "Float64", "money", "lower end of the interval", minimum=0),
            Column("clv_high", "Float64", "money", "upper end of the interval", minimum=0),
            Column("next_order_on", "Date", "day", "first day by which an order is likelier than not; null if never within 3 H"),
            Column("clv_method", "String", "code", "what made the number", nullable=False, values=CLV_METHODS),
            Column("clv_status", "String", "code", "whether it can be trusted, or why not", nullable=False, values=CLV_STATUSES),
            Column("cac", SUM_MONEY, "money", "acquisition spend of the period and channel of the first order ÷ customers who came there then (--costs); null, not 0, where the costs name none", optional=True, minimum=0),
            Column("retention_cost", SUM_MONEY, "money", "shares of the retention spend of each period by whose end the customer was known; null where the costs name none", optional=True, minimum=0),
            Column("margin_to_date", SUM_MONEY, "money", "margin of all money paid up to as_of, net of returns (with --costs)", optional=True),
            Column("crv", "Float64", "money", "clv − cac", optional=True),
            Column("ltv_cac", "Float64", "ratio", "clv ÷ cac; null where cac is 0", optional=True, minimum=0),
            Column("roi", "Float64", "ratio", "(benefit − cost) ÷ cost: benefit = margin_to_date + clv, cost = cac + retention_cost; null where cost is 0", optional=True),
        ),
        *_stage(
            "churn",
            Column("churn_probability", "Float64", "probability", "1 − P(at least one order in the horizon)", minimum=0, maximum=1),
            Column("churn_risk", "String", "code", "low < .5 ≤ medium < .8 ≤ high; with --offer by the profit curve: contacting everybody from high on earns most, from medium on does not lose", values=CHURN_RISKS),
            Column("churn_reasons", "String", "codes", "codes and numbers: `silent_days=94;own_rhythm_days=21`"),
            Column("days_overdue", "Int32", "days", "recency_days − 2 × own rhythm, rounded up; 0 or less is not overdue"),
            Column("churn_method", "String", "code", "the candidate that made the number", nullable=False, values=CHURN_METHODS),
            Column("churn_status", "String", "code", "whether it was tested, or why not", nullable=False, values=CHURN_STATUSES),
            Column("contact_value", "Float64", "money", "what contacting is expected to bring: p × accept × (L − offer) − (1 − p) × offer − contact, p = churn_probability, L = what leaving takes away (--offer --contact --accept); null without a probability or CLV", optional=True),
            Column("silence_limit_days", "Int32", "days", "silence nine in ten of the customer's next gaps do not exceed: (active_days + g) × (10^(1 ÷ (repeat_days + 1)) − 1), g as in rhythm_days, rounded down (--previous)", optional=True, minimum=0),
            Column("early_warning", "String", "code", "recency_days above silence_limit_days: `new` since the earlier table, `known`: that silence had passed it there; else null (--previous)", optional=True, values=EARLY_WARNINGS),
        ),
    ),
)  # fmt: skip

LABELLED = Table(
    name="LABELLED",
    version=1,
    row="one row of the labelled table, in its order; the first column is its key under its own name",
    made_by="churn",
    columns=_stage(
        "churn",
        Column("churn_probability", "Float64", "probability", "probability of the label's value that means churned", nullable=False, minimum=0, maximum=1),
        Column("churn_risk", "String", "code", "low < .5 ≤ medium < .8 ≤ high", nullable=False, values=CHURN_RISKS),
        Column("churn_reasons", "String", "codes", "the three columns that raise the risk most, with what customers who stayed usually have: `Contract=Month-to-month;usual=Two year`; `;`, `=`, `%` in a name or value as %3B, %3D, %25"),
        Column("churn_basis", "String", "code", "what scored the row: `out_of_fold` a fit that has not seen it, `all_rows` the fit to all rows with a label (this one has none), `model` a saved one", nullable=False, values=CHURN_BASES),
        Column("churn_method", "String", "code", "the candidate that made the number", nullable=False, values=CHURN_METHODS),
        Column("churn_status", "String", "code", "whether it was tested, or why not", nullable=False, values=CHURN_STATUSES),
    ),
)  # fmt: skip

# the columns of CUSTOMERS a customer can move in
MIGRATED = ("segment", "lifecycle", "tier", "cluster")

MIGRATION = Table(
    name="MIGRATION",
    version=1,
    row="one customer who moved, in one of segment, lifecycle, tier and cluster; by customer, then in that order",
    made_by="migrate",
    columns=_stage(
        "migrate",
        Column("customer_id", "String", "id", "the customer", nullable=False),
        Column("of", "String", "code", "what the move is in", nullable=False, values=MIGRATED),
        Column("from", "String", "code", "code in the earlier table; `(new)` not in it, `(none)` there without a code", nullable=False),
        Column("to", "String", "code", "code in the later table; `(lost)` not in it, `(none)` there without a code", nullable=False),
        Column("direction", "String", "code", "`up` and `down` in the order of the scheme; `side`: equal, or no order known", nullable=False, values=("up", "down", "side", "new", "lost")),
        Column("spend_before", SUM_MONEY, "money", "spend in the earlier table; null for who is new"),
        Column("spend_after", SUM_MONEY, "money", "spend in the later table; null for who is lost"),
        Column("clv_before", "Float64", "money", "CLV in the earlier table; null without", minimum=0),
        Column("clv_after", "Float64", "money", "CLV in the later table; null without", minimum=0),
    ),
)  # fmt: skip

COHORTS = Table(
    name="COHORTS",
    version=1,
    row="one cohort (customers with their first order in the same period) in one period up to `as_of`, by group, cohort, period; the rows add up to the log",
    made_by="cohort",
    columns=_stage(
        "cohort",
        Column("group", "String", "text", "value of --by on the first order day; ties to the smaller text; null without"),
        Column("cohort", "String", "period", "period of the first order; null: customers who never bought (returns only)"),
        Column("period", "String", "period", "the period the row is about: 2024-03, 2024-Q1, 2024-W05 or 2024", nullable=False),
        Column("age", "Int32", "periods", "periods since the cohort's first; below 0 for money from before the first order"),
        Column("period_complete", "Boolean", "yes/no", "whether the period had ended by `as_of`", nullable=False),
        Column("cohort_customers", "Int64", "customers", "customers of the cohort", nullable=False, minimum=0),
        Column("customers", "Int64", "customers", "of them, with a sale in the period", nullable=False, minimum=0),
        Column("customers_on_or_after", "Int64", "customers", "of them, with a sale in the period or a later one up to `as_of`", minimum=0),
        Column("retention", "Float64", "share", "customers ÷ cohort_customers", minimum=0, maximum=1),
        Column("retention_on_or_after", "Float64", "share", "customers_on_or_after ÷ cohort_customers", minimum=0, maximum=1),
        Column("orders", "Int64", "orders", "distinct orders with a sale in the period", nullable=False, minimum=0),
        Column("revenue", SUM_MONEY, "money", "net of returns; null without amounts"),
        Column("margin", SUM_MONEY, "money", "revenue − cost; null where a line has no cost"),
    ),
)  # fmt: skip

MEMBERS = Table(
    name="MEMBERS",
    version=1,
    row="one customer with their cohort",
    made_by="cohort --members",
    key=("customer_id",),
    columns=_stage(
        "cohort",
        Column("customer_id", "String", "id", "the customer", nullable=False),
        Column("cohort", "String", "period", "period of the first order; null for who never bought"),
        Column("group", "String", "text", "value of --by on the first order day; null without"),
        Column("first_order_on", "Date", "day", "first day with a sale"),
    ),
)

LIST = Table(
    name="LIST",
    version=1,
    row="one customer of the list, in its order; columns as asked for, codes as words of --lang",
    made_by="list",
    columns=_stage(
        "list",
        Column("customer_id", "String", "id", "the customer", optional=True),
        Column("reasons", "String", "text", "why they may not come back, as sentences", optional=True),
        Column("action", "String", "text", "what the segment suggests to do", optional=True),
    ),
)

BACKTEST = Table(
    name="BACKTEST",
    version=1,
    row="one forecast of one quantity at one past day, scored on what followed; latest day first",
    made_by="backtest",
    columns=_stage(
        "backtest",
        Column("as_of", "Date", "day", "last day of the log taken into account", nullable=False),
        Column("origin", "Date", "day", "last day the forecast could see", nullable=False),
        Column("horizon_days", "Int32", "days", "how far it looked: (origin, origin + horizon_days]", nullable=False, minimum=1),
        Column("of", "String", "code", "what was forecast for each customer: order days, or money net of returns", nullable=False, values=("orders", "spend")),
        Column("method", "String", "code", "the forecast", nullable=False, values=tuple(one for one in CLV_METHODS if one != "none")),
        Column("kind", "String", "code", "a fitted family, or a rule every model must beat (NBD among them)", nullable=False, values=("model", "baseline")),
        Column("used", "Boolean", "yes/no", "whether clv uses it on this log", nullable=False),
        Column("customers", "Int64", "customers", "buyers known at the origin", nullable=False, minimum=1),
        Column("actual_total", "Float64", "see of", "what came, of all of them", nullable=False),
        Column("predicted_total", "Float64", "see of", "what was forecast", nullable=False),
        Column("bias", "Float64", "share", "predicted_total ÷ actual_total − 1; null when nothing came"),
        Column("rmse", "Float64", "see of", "root mean squared error per customer", nullable=False, minimum=0),
        Column("mae", "Float64", "see of", "mean absolute error per customer: zero does well in it", nullable=False, minimum=0),
        Column("msle", "Float64", "score", "mean squared error of ln(1 + value)", nullable=False, minimum=0),
        Column("poisson_deviance", "Float64", "score", "mean Poisson deviance, which chooses; null for money", minimum=0),
        Column("spearman", "Float64", "−1 to 1", "rank correlation; null for a constant", minimum=-1, maximum=1),
        Column("gini", "Float64", "share", "normalised Gini, ties averaged: 1 ranks perfectly, 0 not at all"),
        Column("capture_10", "Float64", "share", "part of what came that the tenth with the highest forecasts made"),
        Column("capture_20", "Float64", "share", "the same of the fifth"),
    ),
)  # fmt: skip

METRICS = Table(
    name="METRICS",
    version=1,
    row="one number of the report",
    made_by="report",
    columns=_stage(
        "report",
        Column("as_of", "Date", "day", "last day taken into account"),
        Column("section", "String", "code", "the panel the number belongs to", nullable=False),
        Column("metric", "String", "code", "stable name of the number", nullable=False),
        Column("group", "String", "code", "segment, decile, score cell …; null for the whole base"),
        Column("period", "String", "text", "month or window the number is about"),
        Column("value", "Float64", "see unit", "the number; null when it cannot be known"),
        Column("unit", "String", "code", "customers, money, share, days, …", nullable=False),
        Column("lower", "Float64", "see unit", "lower end of its interval"),
        Column("upper", "Float64", "see unit", "upper end of its interval"),
        Column("n", "Int64", "rows", "customers or rows behind it", minimum=0),
        Column(
            "hidden",
            "Boolean",
            "yes/no",
            "whether it is withheld: about few customers, or telling of them (--min-cell)",
            nullable=False,
        ),
    ),
)

ALL = {
    table.name: table
    for table in (TRANSACTIONS, REJECTS, CUSTOMERS, LABELLED, MIGRATION, COHORTS, MEMBERS, BACKTEST, LIST, METRICS)
}

STAGE_READS = {
    "rfm": TRANSACTIONS,
    "segment": CUSTOMERS,
    "clv": CUSTOMERS,
    "churn": CUSTOMERS,
    "report": CUSTOMERS,
}

ROLES: dict[str, str] = {
    "customer_id": "who bought",
    "order_id": "the order",
    "line_id": "the line within the order",
    "ordered_at": "when it was ordered; DATE+TIME joins two columns",
    "amount": "what was paid for the line",
    "quantity": "units",
    "unit_price": "price of one unit",
    "discount": "money taken off the line",
    "returned_amount": "money given back for the line",
    "status": "state of the order (paid, cancelled, …)",
    "product_id": "the product",
    "product": "the product's name",
    "category": "the product's category",
    "channel": "where it was sold",
    "device": "what the buyer used",
    "country": "the buyer's country",
    "currency": "currency of the amount",
    "cost": "what the line cost the shop",
    "email": "the buyer's e-mail",
    "phone": "the buyer's phone",
}


def to_json(table: Table) -> dict[str, Any]:
    """A table's contract as `clm tables --json` gives it."""
    columns = [{key: value for key, value in asdict(column).items() if value not in (None, (), "")} for column in table.columns]
    return {
        "name": table.name,
        "version": table.version,
        "row": table.row,
        "made_by": table.made_by,
        "key": list(table.key),
        "columns": columns,
    }
