"""Columns of customers in the words of one language: codes by their names, reasons as sentences, headings.

It may not choose rows or columns, or know more of a customer than the columns it is given.
"""

from __future__ import annotations

from string import Formatter

import polars as pl

from clm.report.words import Words

_PLACES = 4  # of a number nobody adds up any more
# column -> the family of words its codes belong to
_NAMES = {
    "segment": "segment", "lifecycle": "lifecycle", "churn_risk": "risk", "clv_method": "method", "churn_method": "method",
    "clv_status": "clv_status", "churn_status": "churn_status",
}  # fmt: skip


def in_words(frame: pl.DataFrame, words: Words) -> pl.DataFrame:
    """The same rows and columns, readable: `reasons` from codes and numbers, `action` from the segment, codes as names,
    statistics with four decimals.

    In English headings stay the names of the columns, which scripts may rely on; other languages have their own.
    """
    found = frame.with_columns(pl.col(pl.Float64).round(_PLACES))
    for name in frame.columns:
        if name == "reasons":
            found = found.with_columns(reasons(frame[name], words).alias(name))
        elif name == "action":
            found = found.with_columns(_named(frame[name], "action", words, unknown="").alias(name))
        elif name in _NAMES:
            found = found.with_columns(_named(frame[name], _NAMES[name], words).alias(name))
    return headed(found, words)


def headed(frame: pl.DataFrame, words: Words) -> pl.DataFrame:
    """A name for each column the language knows, unless two would be called the same; English keeps the columns' names."""
    if words.lang == "en":
        return frame
    called = {name: words.name("column", name) for name in frame.columns}
    twice = {heading for heading in called.values() if list(called.values()).count(heading) > 1}
    return frame.rename({name: heading for name, heading in called.items() if heading not in twice})


def _named(codes: pl.Series, family: str, words: Words, unknown: str | None = None) -> pl.Series:
    """Each code by its name; one nobody translated stays what it is, or is `unknown`."""
    names = {
        code: words.name(family, code) if unknown is None or words.known(f"{family}.{code}") else unknown
        for code in codes.drop_nulls().unique().to_list()
    }
    return codes.replace_strict(names, default=None, return_dtype=pl.String)


def reasons(codes: pl.Series, words: Words) -> pl.Series:
    """`silent_days=94;own_rhythm_days=21` as a sentence each, in their order; null without reasons.

    Each reason is two entries: what is so for this customer, and what it is held against.
    """
    parts = codes.alias("codes").to_frame().with_row_index("row").drop_nulls()
    entries = parts.select("row", pl.col("codes").str.split(";"))
    paired = entries.select(
        "row",
        pl.col("codes").list.gather_every(2).alias("own"),
        pl.col("codes").list.gather_every(2, 1).alias("against"),
    ).explode("own", "against")
    code, value = _entry("own")
    told = pl.format(words("format.reason", code="{}", value="{}", compared="{}"), code, value, _entry("against")[1])
    compared = _entry("against")[1]
    for key in [key for key in words.entries if key.startswith("reason.")]:
        sentence = _sentence(words(key), value, compared)
        told = pl.when(code == key.removeprefix("reason.")).then(sentence).otherwise(told)
    gap = words("format.reason_gap")
    joined = paired.select("row", told.alias("told")).group_by("row", maintain_order=True).agg(pl.col("told").str.join(gap))
    rows = pl.DataFrame({"row": pl.int_range(len(codes), dtype=pl.get_index_type(), eager=True)})
    return rows.join(joined, on="row", how="left", maintain_order="left")["told"].alias(codes.name)


def _entry(column: str) -> tuple[pl.Expr, pl.Expr]:
    """Code and value of `code=value`; the value may hold further signs of equality."""
    split = pl.col(column).str.splitn("=", 2).struct
    return split.field("field_0"), split.field("field_1")


def _sentence(template: str, value: pl.Expr, compared: pl.Expr) -> pl.Expr:
    """The template with its {value} and {compared} filled row by row, in whatever order the language puts them."""
    places = [name for _, name, _, _ in Formatter().parse(template) if name]
    filled = {"value": value, "compared": compared}
    return pl.format(template.format_map(dict.fromkeys(filled, "{}")), *(filled[name] for name in places))
