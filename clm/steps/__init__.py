"""One function per stage: open its inputs, call the pure stage, hand the result to whoever writes it.

It may not parse options, print or decide what is stale: the shell and the pipeline share these steps and do that.
"""

from clm.steps.cleaning import Look, clean, pseudonym_key
from clm.steps.customers import (
    as_of,
    beside_churn,
    beside_segment,
    check_churn,
    check_previous,
    churn,
    explain,
    segment,
    segment_asks,
    told_candidates,
    told_segments,
    without,
)
from clm.steps.forecasting import backtest, beside_clv, clv, spent, told_backtest, told_costs, told_fits, told_totals
from clm.steps.labelled import is_labelled, labelled
from clm.steps.reducing import beside_rfm, rfm, rfm_elsewhere
from clm.steps.step import Step, model_document, model_of
from clm.steps.taught import check_taught
from clm.steps.telling import (
    DOCUMENTS,
    beside_report,
    choose,
    cohort,
    figures,
    list_columns,
    migrate,
    render,
    render_cohorts,
    render_migration,
    render_story,
    render_text,
    report,
    show,
)

__all__ = [
    "DOCUMENTS",
    "Look",
    "Step",
    "as_of",
    "backtest",
    "beside_churn",
    "beside_clv",
    "beside_report",
    "beside_rfm",
    "beside_segment",
    "check_churn",
    "check_previous",
    "check_taught",
    "choose",
    "churn",
    "clean",
    "clv",
    "cohort",
    "explain",
    "figures",
    "is_labelled",
    "labelled",
    "list_columns",
    "migrate",
    "model_document",
    "model_of",
    "pseudonym_key",
    "render",
    "render_cohorts",
    "render_migration",
    "render_story",
    "render_text",
    "report",
    "rfm",
    "rfm_elsewhere",
    "segment",
    "segment_asks",
    "show",
    "spent",
    "told_backtest",
    "told_candidates",
    "told_costs",
    "told_fits",
    "told_segments",
    "told_totals",
    "without",
]
