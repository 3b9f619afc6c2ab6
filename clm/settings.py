"""What can be set: one frozen dataclass per command, its defaults, and what the command line says about each option.
330 lines: a list.

It may not import anything heavy or know where a value comes from (`config` does): the shell, the footers, `clm config`
and the README all read these records.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import Field, dataclass, field, fields
from datetime import date
from typing import Any, ClassVar

from clm import values
from clm.expressions import Expression, Rule
from clm.tables import ROLES
from clm.values import Horizon, Parser

MARGIN_FROM_COST = "cost"


@dataclass(frozen=True)
class Option:
    """How one field is given: `--name METAVAR` (several times when `repeat`), parsed by `parse`; `shown` is its default in words.

    `recorded` says whether it changes the output and so belongs in the footer.
    """

    help: str
    parse: Parser
    metavar: str = ""
    shown: str = ""
    short: str = ""
    repeat: bool = False
    recorded: bool = True

    @property
    def flag(self) -> bool:
        return self.parse is values.boolean


def _option(default: Any, parse: Parser, metavar: str, text: str, **more: Any) -> Any:
    return field(default=default, metadata={"option": Option(text, parse, metavar, **more)})


def _switch(text: str, **more: Any) -> Any:
    return field(default=False, metadata={"option": Option(text, values.boolean, **more)})


def _unrecorded(default: Any, parse: Parser, metavar: str, text: str, **more: Any) -> Any:
    return _option(default, parse, metavar, text, recorded=False, **more)


@dataclass(frozen=True)
class CommonSettings:
    """Options every command takes; only `seed` changes what is computed."""

    output: str | None = _unrecorded(
        None,
        values.filled,
        "FILE",
        "Where to write: .parquet, .csv or .xlsx (report: .html, .json or .md too; run: a folder, clm-out).",
        short="-o",
    )
    quiet: bool = _switch("No closing line, no progress.", short="-q", recorded=False)
    verbose: bool = _switch("Say what is read, decided and written.", short="-v", recorded=False)
    json: bool = _switch("One JSON object with counts, money, metrics and warnings.", recorded=False)
    config: str | None = _unrecorded(None, values.filled, "FILE", "Read this clm.toml instead of ./clm.toml.")
    dry_run: bool = _switch("Say what would be done; write nothing.", short="-n", recorded=False)
    threads: int | None = _unrecorded(None, values.threads, "N", "Threads for Polars.", shown="all")
    memory_limit: int | float = _unrecorded(0.7, values.memory, "SIZE", "Memory to stay within, such as 6GB or 70%.", shown="70%")
    seed: int = _option(0, values.whole(0, 2**32 - 1), "N", "Seed of everything random.")
    fail_if: tuple[str, ...] = _unrecorded(
        (),
        values.many,
        "'PATH OP VALUE'",
        "Write the output, exit 1 when this holds for the --json object.",
        repeat=True,
    )
    wait: int = _unrecorded(0, values.whole(0, 86400), "SECONDS", "How long to wait for another run before giving up with 75.")


@dataclass(frozen=True)
class CleanSettings:
    """`clean`: how foreign files are read and judged."""

    map: tuple[tuple[str, str], ...] = _option(
        (),
        values.pairs(ROLES),
        "ROLE=COLUMN",
        "Name the column of a role; ordered_at=DATE+TIME joins two.",
        repeat=True,
    )
    profile: str | None = _option(
        None,
        values.filled,
        "NAME|FILE|none",
        "Read as this shop system writes, or as a saved profile says.",
        shown="known by its columns",
    )
    save_profile: str | None = _unrecorded(None, values.filled, "FILE", "Write how the log was read, for --profile next time.")
    keep: tuple[str, ...] = _option((), values.names, "COL,…", "Columns to carry along beside the mapped ones.")
    date_format: str | None = _option(None, values.filled, "FORMAT", "Format of the dates, such as %d/%m/%Y.", shown="detected")
    tz: str | None = _option(None, values.filled, "ZONE", "Zone whose wall time is business time, such as Asia/Shanghai.")
    currency: str | None = _option(None, values.filled, "CODE", "Currency of the amounts; others are rejected as currency_other.")
    encoding: str | None = _option(None, values.filled, "NAME", "Encoding of the text, such as gb18030.", shown="detected")
    delimiter: str | None = _option(None, values.filled, "D|blank|tab", "What separates fields.", shown="detected")
    sheet: str | None = _option(None, values.filled, "NAME", "Sheet of a workbook to read.", shown="the only one filled")
    decimal: str | None = _option(None, values.choice(".", ","), ".|,", "Decimal mark of the numbers.", shown="detected")
    until: date | str | None = _option(
        None,
        values.day_or("none"),
        "DATE|none",
        "Reject rows after this day as future; none accepts every day.",
        shown="asks when in doubt",
    )
    since: date | str | None = _option(
        None,
        values.day_or("none"),
        "DATE|none",
        "Reject rows before this day (date); none accepts every day.",
        shown="asks when in doubt",
    )
    nobody: tuple[str, ...] = _option(
        (), values.names, "ID,…", "Customer ids that stand for nobody, such as guest: rejected as no_customer."
    )
    duplicates: str = _option(
        "flag", values.choice("keep", "flag", "drop"), "keep|flag|drop", "What to do with lines equal in every column."
    )
    review: Expression | str | None = _option(
        None,
        values.rule_or("none"),
        "RULE|none",
        "Flag rows for which this holds (review), beside what clm finds strange; none: look at nothing.",
    )
    rule: tuple[Rule, ...] = _option(
        (), values.rules, "FLAG=RULE", "Flag rows by a rule of your own, such as 'large_order=amount > 100000'.", repeat=True
    )
    non_products: tuple[str, ...] | None = _option(
        None,
        values.names_or_none,
        "PATTERN,…|none",
        "What is no product, such as postage: flagged non_product.",
        shown="postage, fees, vouchers, …",
    )
    pseudonymise: tuple[str, ...] = _option(
        (), values.names, "COL,…", "Replace the values of these columns by codes only --key-file can tell."
    )
    key_file: str | None = _unrecorded(None, values.filled, "FILE", "The key of the pseudonyms; clm key new FILE makes one.")
    one_row_per_order: bool | None = _option(
        None,
        values.yes_or_no,
        "yes|no",
        "Whether rows without an amount are further lines of the order above.",
        shown="asks when in doubt",
    )
    rejects: str | None = _unrecorded(None, values.filled, "FILE", "Write every row that did not pass, with its reason.")
    rejects_raw: bool = _switch("Add the raw record to the rejects (personal data!).", recorded=False)
    max_rejects: int | float = _option(
        0.05, values.count_or_share, "N|P%", "Stop with 65 when more rows than this could not be read.", shown="5%"
    )
    allow_masked: bool = _switch("Accept masked customer ids (张**, 138****1111), although people share a mask.")


@dataclass(frozen=True)
class RfmSettings:
    """`rfm`: which day it is, and how finely customers are scored."""

    as_of: date | str = _option(
        "last-day",
        values.day_or("last-day", "month-end"),
        "DATE|last-day|month-end",
        "Last day taken into account, inclusive.",
    )
    bins: int = _option(5, values.whole(2, 9), "N", "Scores run from 1 (worst) to N.")
    cuts: str | None = _unrecorded(
        None, values.filled, "FILE", "TOML file with fixed cut-offs per score.", shown="from this base"
    )
    weights: tuple[tuple[str, float], ...] = _option(
        (), values.weights, "r=1,f=1,m=1", "Add rfm_value, the weighted mean of these scores; numeric columns too."
    )
    columns: str = _option("all", values.choice("core", "all"), "core|all", "Whether to add the behaviour columns.")
    carry: tuple[str, ...] = _option(
        (), values.names, "COL,…", "Columns of the log of which each customer's last value is carried along."
    )
    engine: str = _unrecorded(
        "polars",
        values.choice("polars", "spark"),
        "polars|spark",
        "What reduces the log: this machine, or a Spark cluster that INPUT is a table or path of.",
    )
    remote: str | None = _unrecorded(None, values.filled, "URL", "The cluster of --engine spark: sc://HOST:15002.")
    save_model: str | None = _unrecorded(None, values.filled, "FILE", "Write the cut-offs, for --model on another day.")
    model: str | None = _unrecorded(None, values.filled, "FILE", "Apply the cut-offs saved in this file.")


@dataclass(frozen=True)
class SegmentSettings:
    """`segment`: how scores become names."""

    scheme: str = _option(
        "grid", values.filled, "grid|zh8|FILE", "Ten names over scores, the eight Chinese types, or a TOML file of your own."
    )
    tiers: str | None = _unrecorded(None, values.filled, "FILE", "TOML file of tiers (a pyramid): adds tier, with its memory.")
    previous: str | None = _unrecorded(
        None, values.filled, "FILE", "CUSTOMERS of an earlier day, whose tiers are remembered (up at once, down slowly)."
    )
    clusters: int | str | None = _option(
        None,
        values.whole_or("auto", 2, 50),
        "auto|K",
        "Add clusters by recency, orders and spend; auto takes the largest stable number.",
    )
    by: tuple[str, ...] = _option(
        (), values.names, "COL,…", "Count the segments by these columns, such as country,channel (all of it in --json)."
    )
    attributes: str | None = _unrecorded(
        None, values.filled, "FILE", "CSV, Parquet or workbook with customer_id and what else is known: adds attr_ columns."
    )
    explain: str | None = _unrecorded(
        None, values.filled, "CUSTOMER_ID", "Say what put this customer where they are; write nothing."
    )
    save_model: str | None = _unrecorded(
        None, values.filled, "FILE", "Write what the base decided (means, edges, centres), for --model on another day."
    )
    model: str | None = _unrecorded(None, values.filled, "FILE", "Apply the means, edges and centres saved in this file.")


@dataclass(frozen=True)
class ForecastSettings:
    """What `clv` and `backtest` have in common: how far to look, and which models may do it."""

    horizon: Horizon = _option(
        Horizon(12, "m"), values.horizon, "12m", "How far to look; months and years are calendar.", shown="12m"
    )
    model_family: str = _option(
        "auto",
        values.choice("auto", "nbd", "bgnbd", "mbgnbd", "bgcnbd", "mbgcnbd", "paretonbd"),
        "auto|nbd|bgnbd|mbgnbd|bgcnbd|mbgcnbd|paretonbd",
        "Model of repeat buying; auto lets the back-test choose.",
    )
    erlang: int | str = _option(
        "auto",
        values.whole_or("auto", 1, 20),
        "auto|K",
        "How regular gaps are in bgcnbd and mbgcnbd (1: Poisson); auto asks the data where it can tell.",
    )
    estimator: str = _option(
        "clm",
        values.choice("clm", "lifetimes"),
        "clm|lifetimes",
        "Whose estimator fits; lifetimes prints both side by side.",
    )
    include_first: bool = _switch("Use the first purchase in the spend model too; under auto the back-test chooses.")


@dataclass(frozen=True)
class ClvSettings(ForecastSettings):
    """`clv`: what the future is worth."""

    seeded: ClassVar[bool] = True
    annual_discount: float = _option(0.10, values.rate, "RATE", "Yearly discount rate.", shown="10%")
    margin: float | str = _option(
        1.0,
        values.share_or(MARGIN_FROM_COST),
        "SHARE|cost",
        "Margin on revenue; cost: spend less cost, each customer's drawn to the base's.",
        shown="100%",
    )
    interval: float = _option(0.8, values.share, "SHARE", "Width of the interval.", shown="80%")
    no_backtest: bool = _switch("Skip the back-test (status not_validated).")
    orders: str | None = _unrecorded(None, values.filled, "FILE", "TRANSACTIONS the customers came from, for the back-test.")
    save_model: str | None = _unrecorded(
        None, values.filled, "FILE", "Write what was fitted and how wrong its totals were, for --model on another day."
    )
    model: str | None = _unrecorded(
        None, values.filled, "FILE", "Apply the model saved in this file; nothing is fitted or tested."
    )
    costs: str | None = _unrecorded(
        None, values.filled, "FILE", "CSV, Parquet or workbook of what was spent by period and channel: adds cac, crv, roi."
    )


@dataclass(frozen=True)
class BacktestSettings(ForecastSettings):
    """`backtest`: how every forecast would have fared on earlier days of the log."""

    as_of: date | str = _option(
        "last-day",
        values.day_or("last-day", "month-end"),
        "DATE|last-day|month-end",
        "Last day taken into account, inclusive; of a CUSTOMERS file its own.",
    )
    orders: str | None = _unrecorded(
        None, values.filled, "FILE", "TRANSACTIONS the customers came from, where INPUT is CUSTOMERS."
    )


@dataclass(frozen=True)
class ChurnSettings:
    """`churn`: who will not come back."""

    seeded: ClassVar[bool] = True
    horizon: Horizon | None = _option(
        None, values.horizon_or_auto, "auto|90d", "Silent for this long counts as churned.", shown="auto"
    )
    method: str = _option(
        "auto",
        values.choice("auto", "hiatus", "return", "logistic", "boosted"),
        "auto|hiatus|return|logistic|boosted",
        "auto takes the best on past windows.",
    )
    orders: str | None = _unrecorded(
        None, values.filled, "FILE", "TRANSACTIONS the customers came from; labels are made from them."
    )
    previous: str | None = _unrecorded(
        None, values.filled, "FILE", "CUSTOMERS of an earlier day: adds early_warning, who fell silent beyond their rhythm since."
    )
    offer: float | None = _option(
        None, values.amount, "N", "What the offer costs when taken; with --contact and --accept: adds contact_value."
    )
    contact: float | None = _option(None, values.amount, "N", "What contacting a customer costs.")
    accept: float | None = _option(
        None, values.share, "SHARE", "Share of those about to leave who take the offer and stay, such as 20%."
    )
    label: str | None = _option(
        None,
        values.filled,
        "COL[=VALUE]",
        "INPUT is any table (CSV, workbook, Parquet) whose column COL says who left; VALUE is the word for it.",
    )
    allow_column: tuple[str, ...] = _option(
        (), values.names, "COL,…", "With --label: let these columns teach, although they tell the label alone."
    )
    save_model: str | None = _unrecorded(
        None, values.filled, "FILE", "Write what was learned, for --model on another day or another table."
    )
    model: str | None = _unrecorded(
        None,
        values.filled,
        "FILE",
        "Apply what was learned and saved in this file, and tell how far these rows are from those (psi).",
    )


@dataclass(frozen=True)
class ReportSettings:
    """`report`: in which language, and about how few."""

    lang: str = _option("en", values.choice("en", "zh"), "en|zh", "Language of the report.")
    previous: str | None = _unrecorded(None, values.filled, "FILE", "CUSTOMERS of an earlier day: numbers of who moved since.")
    min_cell: int = _option(
        5, values.whole(0), "N", "Hide numbers about fewer than N customers, and what would tell them; 0 or 1 shows all."
    )
    include_customers: int = _option(
        0, values.whole(0), "N", "Name the first N customers of `clm list` with id and reasons (personal data!)."
    )
    figures: str | None = _unrecorded(None, values.filled, "DIR", "Write each chart as SVG into this folder.")
    orders: str | None = _unrecorded(None, values.filled, "FILE", "TRANSACTIONS the customers came from, for revenue over time.")


@dataclass(frozen=True)
class CohortSettings:
    """`cohort`: customers by the period of their first order."""

    as_of: date | str = _option(
        "last-day",
        values.day_or("last-day", "month-end"),
        "DATE|last-day|month-end",
        "Last day taken into account, inclusive.",
    )
    period: str = _option(
        "month", values.choice("week", "month", "quarter", "year"), "week|month|quarter|year", "Length of a period."
    )
    by: str | None = _option(None, values.filled, "COL", "One cohort for each value this column had on the first order day.")
    members: bool = _switch("Write one row per customer with their cohort, instead of the cohorts.")


@dataclass(frozen=True)
class ListSettings:
    """`list`: the customers somebody should look after, in the words of those who will."""

    where: Expression | None = _option(
        None, values.rule, "RULE", "Customers for which this holds, such as 'churn_risk = \"high\" and clv > 500'.", shown="all"
    )
    columns: tuple[str, ...] = _option(
        (),
        values.names,
        "COL,…",
        "Columns of the list; reasons and action are sentences.",
        shown="id, carried columns, standing, value, risk, reasons, action",
    )
    sort: str | None = _option(
        None, values.filled, "COL", "Highest first, empty last; COL:asc for lowest first.", shown="clv, else spend"
    )
    top: int | None = _option(None, values.whole(1), "N", "The first N only.", shown="all")
    lang: str = _option("en", values.choice("en", "zh"), "en|zh", "Language of names, sentences and headings.")


@dataclass(frozen=True)
class ShowSettings:
    """`show`: one customer's story."""

    lang: str = _option("en", values.choice("en", "zh"), "en|zh", "Language of the story.")


@dataclass(frozen=True)
class VerifySettings:
    """`verify`: whether files are what clm wrote."""

    inputs: str | None = _unrecorded(
        None, values.filled, "DIR", "Folder with the sources and earlier tables, to hold the ancestors of a table against."
    )


@dataclass(frozen=True)
class ForgetSettings:
    """`forget`: who, and what the run was given that its folder does not hold."""

    ids_file: str | None = _unrecorded(None, values.filled, "FILE", "Who: one id a line, or a CSV with customer_id.")
    key_file: str | None = _unrecorded(None, values.filled, "FILE", "The key of the tables, where customers are pseudonymised.")
    previous: str | None = _unrecorded(None, values.filled, "DIR", "The folder the run was given with --previous.")
    model: str | None = _unrecorded(None, values.filled, "FILE", "The model the run was given with --model.")


@dataclass(frozen=True)
class RunSettings:
    """`run` and `demo`: the whole chain; the stages read their own tables of clm.toml."""

    as_of: date | str | None = _unrecorded(
        None,
        values.day_or("last-day", "month-end"),
        "DATE|last-day|month-end",
        "Last day taken into account.",
        shown="last-day",
    )
    lang: str | None = _unrecorded(None, values.choice("en", "zh"), "en|zh", "Language of the report.", shown="en")
    min_cell: int | None = _unrecorded(
        None, values.whole(0), "N", "The report hides numbers about fewer than N customers; 0 shows all.", shown="5"
    )
    previous: str | None = _unrecorded(
        None, values.filled, "DIR", "Folder of an earlier run: who moved since, and tiers that remember."
    )
    from_: str | None = _unrecorded(
        None,
        values.choice("clean", "rfm", "segment", "clv", "churn", "report"),
        "STAGE",
        "Make this stage and what depends on it again.",
    )
    force: bool = _switch("Make everything again.", recorded=False)
    model: str | None = _unrecorded(None, values.filled, "FILE", "Apply this saved model.json where a stage can; write none.")


@dataclass(frozen=True)
class NoSettings:
    """Commands with no options of their own."""


COMMANDS: dict[str, type[Any]] = {
    "clean": CleanSettings,
    "rfm": RfmSettings,
    "segment": SegmentSettings,
    "clv": ClvSettings,
    "churn": ChurnSettings,
    "report": ReportSettings,
    "migrate": NoSettings,
    "cohort": CohortSettings,
    "list": ListSettings,
    "backtest": BacktestSettings,
    "show": ShowSettings,
    "run": RunSettings,
    "demo": RunSettings,
    "config": NoSettings,
    "tables": NoSettings,
    "key": NoSettings,
    "doctor": NoSettings,
    "verify": VerifySettings,
    "forget": ForgetSettings,
}
STAGES = ("clean", "rfm", "segment", "clv", "churn", "report")


def options(settings: type[Any]) -> Iterator[tuple[Field[Any], Option]]:
    """Each field of a settings class with its option, in order."""
    return ((one, one.metadata["option"]) for one in fields(settings))


def shown_default(default: Any, option: Option) -> str:
    """An option's default as help and README show it; empty when there is nothing to show."""
    return option.shown or ("" if default in (None, False, ()) or option.flag else str(default))


def option_name(field_name: str) -> str:
    """`as_of` -> `as-of`; a trailing underscore only keeps a Python keyword apart."""
    return field_name.rstrip("_").replace("_", "-")


def typed(option: str, value: str) -> str:
    """An option as it is typed, its value quoted where a shell needs it: `--map 'amount=Order Total'`."""
    return f"--{option_name(option)} {shlex.quote(value)}"


def recorded(settings: Any, common: CommonSettings) -> dict[str, Any]:
    """What goes into the footer: every setting that changes the output, as JSON values; the seed where one is used."""
    pairs = {
        one.name.rstrip("_"): json_value(getattr(settings, one.name))
        for one, option in options(type(settings))
        if option.recorded
    }
    return pairs | ({"seed": common.seed} if getattr(settings, "seeded", False) else {})


def json_value(value: Any) -> Any:
    """A setting as JSON holds it: days and horizons as text, tuples as lists, pairs as an object."""
    if isinstance(value, date | Horizon | Expression | Rule):
        return str(value)
    if isinstance(value, tuple):
        if value and all(isinstance(part, tuple) for part in value):
            return dict(value)
        return [json_value(part) for part in value]
    return value
