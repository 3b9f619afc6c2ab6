"""Where settings come from: flag, variable, file, default, in this order; and what is said when one is wrong."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from clm import config
from clm.errors import ConfigError, UsageError
from clm.settings import ClvSettings, CommonSettings, json_value, options, recorded
from clm.values import Horizon


def sources(tmp_path: Path, text: str = "", **env: str) -> config.Sources:
    path = tmp_path / "clm.toml"
    path.write_text(text, "utf-8")
    return config.read(str(path), env)


FILE = 'seed = 3\nhorizon = "1y"\n[clv]\nhorizon = "6m"\n'


def test_an_address_is_no_configuration() -> None:
    """Refused as such, without its password."""
    with pytest.raises(ConfigError, match="not an address") as refused:
        config.read("https://u:s3cr3t@h/clm.toml?sig=s3cr3t", {})
    assert "s3cr3t" not in str(refused.value)


@pytest.mark.parametrize(
    ("flags", "env", "file", "expected", "origin"),
    [
        ({"horizon": "90d"}, {"CLM_CLV_HORIZON": "91d"}, FILE, "90d", "flag"),
        ({}, {"CLM_CLV_HORIZON": "91d", "CLM_HORIZON": "92d"}, FILE, "91d", "CLM_CLV_HORIZON"),
        ({}, {"CLM_HORIZON": "92d"}, FILE, "92d", "CLM_HORIZON"),
        ({}, {}, FILE, "6m", "clm.toml [clv]"),
        ({}, {}, 'horizon = "1y"', "1y", "clm.toml"),
        ({}, {}, "", "12m", "default"),
    ],
)
def test_precedence(tmp_path: Path, flags: dict[str, str], env: dict[str, str], file: str, expected: str, origin: str) -> None:
    """Flag > CLM_COMMAND_OPTION > CLM_OPTION > table of the command > top of the file > default, and the origin is known."""
    resolved = sources(tmp_path, file, **env).resolve("clv", flags)
    assert (str(resolved.settings.horizon), resolved.origins["horizon"]) == (expected, origin)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("horizn = 1", "unknown key horizn in clm.toml: did you mean horizon"),
        ("[clv]\nhorizn = 1", "unknown key clv.horizn"),
        ("[clvv]\nhorizon = 1", "unknown key clvv"),
        ("[demo]\nlang = 'zh'", "unknown key demo in clm.toml: did you mean run"),
        ("seed = ", "is not TOML"),
        (".".join("a" * 101) + " = 1", "a key has more than a hundred parts"),
        ("[rfm]\nconfig = 'x'", "unknown key rfm.config"),
    ],
)
def test_a_wrong_file_is_78_with_a_suggestion(tmp_path: Path, text: str, says: str) -> None:
    """Unknown keys are not passed over: a typing error would silently change nothing."""
    with pytest.raises(ConfigError, match=says):
        sources(tmp_path, text)


def test_a_missing_named_file_is_78() -> None:
    """--config must name something; without it, no file is fine."""
    with pytest.raises(ConfigError, match="cannot be read"):
        config.read("nowhere.toml", {})


def test_bad_values_are_usage_or_configuration(tmp_path: Path) -> None:
    """A bad flag is 2, the same value in a file or variable is 78 and names the place."""
    with pytest.raises(UsageError, match="--horizon wants"):
        sources(tmp_path).resolve("clv", {"horizon": "soon"})
    with pytest.raises(ConfigError) as raised:
        sources(tmp_path, '[clv]\nhorizon = "soon"').resolve("clv", {})
    assert raised.value.where == "clm.toml [clv]"
    with pytest.raises(ConfigError) as raised:
        sources(tmp_path, CLM_SEED="x").resolve("clv", {})
    assert raised.value.where == "CLM_SEED"


@pytest.mark.parametrize(
    ("command", "key", "value", "says"),
    [
        ("clv", "horizon", {"a": 1}, "wants one value"),
        ("clv", "horizon", "soon", "wants a stretch of time such as 90d"),
        ("clv", "orders", " ", "wants a value, this one is empty"),
        ("clv", "include_first", "perhaps", "wants true or false"),
        ("clv", "estimator", "magic", "wants one of clm, lifetimes"),
        ("clv", "erlang", "0", "wants auto or a whole number from"),
        ("clv", "interval", "half", "wants a share such as 35%"),
        ("clv", "interval", "80", "wants a share from 0% to 100%"),
        ("clv", "margin", "half", "or 0.35, or cost"),
        ("clv", "annual_discount", "ten", "wants a yearly rate"),
        ("clv", "annual_discount", "1000%%", "wants a yearly rate"),
        ("clv", "annual_discount", "-99%", "wants a yearly rate"),
        ("clv", "threads", "many", "wants a whole number from"),
        ("clv", "threads", "0", "wants a whole number from"),
        ("clv", "memory_limit", "1KB", "wants an amount of memory"),
        ("churn", "offer", "-1", "wants an amount of money"),
        ("rfm", "as_of", "yesterday", "wants a day such as 2024-06-30, or last-day"),
        ("rfm", "as_of", "9999-12-31", "wants a day of the years 1800 to 2299, or last-day"),
        ("clean", "until", "9999-12-31", "wants a day of the years 1800 to 2299"),
        ("clean", "until", datetime(2024, 6, 30, 12), "wants a day such as 2024-06-30"),
        ("rfm", "carry", "a,,b", "wants names separated by commas"),
        ("rfm", "weights", "r=0", "wants NAME=WEIGHT"),
        ("rfm", "weights", "r=1,r=2", "names r twice"),
        ("clean", "map", "customer_id", "wants ROLE=COLUMN"),
        ("clean", "map", "buyer=a", "knows no role 'buyer'"),
        ("clean", "map", ["amount=a", "amount=b"], "names the role amount twice"),
        ("clean", "rule", 7, "wants FLAG=RULE"),
        ("clean", "rule", "amount > 7", "wants FLAG=RULE"),
        ("clean", "rule", {"flag": "large"}, "wants tables with just flag and when"),
        ("clean", "rule", "Large=amount > 7", "wants a flag of small letters"),
        ("clean", "rule", "burst=amount > 7", "wants a flag of its own"),
        ("clean", "rule", "large=amount >", "large: "),
    ],
)
def test_what_is_wrong_with_a_value_is_told(command: str, key: str, value: object, says: str) -> None:
    """The key, the reason, the table it stands in, and the flag that overrides it."""
    with pytest.raises(ConfigError) as caught:
        config.Sources({}, {command: {key: value}}, "clm.toml").resolve(command, {})
    error = caught.value
    assert error.what.startswith(f"{key} ")
    assert says in error.what
    assert error.where == f"clm.toml [{command}]"
    assert f"--{key.replace('_', '-')}" in str(error.fix)


def test_typed_values_and_lists_from_toml(tmp_path: Path) -> None:
    """Numbers, booleans, lists and tables are taken as they are; a variable lists with semicolons."""
    text = '[clean]\nkeep = ["a", "b"]\nrejects_raw = true\nmap = {customer_id = "会员"}\n[clv]\nmargin = 0.3\n'
    found = sources(tmp_path, text)
    clean = found.resolve("clean", {}).settings
    assert (clean.keep, clean.rejects_raw, clean.map) == (("a", "b"), True, (("customer_id", "会员"),))
    assert found.resolve("clv", {}).settings.margin == 0.3
    listed = sources(tmp_path, CLM_CLEAN_MAP="customer_id=A;amount=B").resolve("clean", {}).settings
    assert listed.map == (("amount", "B"), ("customer_id", "A"))


def test_unknown_variables_warn(tmp_path: Path) -> None:
    """A misspelt variable is said; clm's other variables and foreign ones are not."""
    found = sources(tmp_path, CLM_HORIZN="1y", CLM_LOG="x", PATH="y", CLM_CLV_HORIZON="1y").unknown_variables()
    assert [notice.text for notice in found] == ["the variable CLM_HORIZN sets nothing: did you mean CLM_HORIZON?"]


def test_only_what_changes_the_output_is_recorded() -> None:
    """Paths, threads, memory and verbosity are not settings: a pipe and a file give the same bytes."""
    record = recorded(ClvSettings(horizon=Horizon(6, "m"), orders="somewhere/clean.parquet"), CommonSettings(seed=7, threads=2))
    assert record["horizon"] == "6m"
    assert record["seed"] == 7
    assert not {"orders", "threads", "output", "memory_limit", "quiet", "json"} & set(record)
    assert all(json_value(value) == value for value in record.values())
    assert all(option.help.endswith(".") for _, option in options(ClvSettings))
