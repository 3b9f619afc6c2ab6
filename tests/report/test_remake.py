"""The commands on the page: every setting comes back, clm accepts each line, and it makes the numbers again."""

from __future__ import annotations

import shlex
import shutil
from copy import deepcopy
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import typer.main
from polars.testing import assert_frame_equal

from clm import settings
from clm.cli import main
from clm.cli.app import _application
from clm.report import metrics, remake
from clm.report.numbers import Numbers
from clm.report.outline import outline
from clm.storage import files
from tests.logs import csv_of, invented
from tests.report import samples

Shop = tuple[pl.DataFrame, dict[str, Any], pl.DataFrame]


def lines_of(facts: dict[str, Any], lang: str = "en", numbers: pl.DataFrame | None = None) -> tuple[str, ...]:
    found = metrics.compute(samples.empty(), {}, min_cell=5) if numbers is None else numbers
    return tuple(one.line for one in remake.commands(facts, Numbers(found), lang))


def accepted(line: str) -> dict[str, Any]:
    """The parameters clm takes from a command line; SystemExit or a usage error when it takes it not."""
    program, name, *words = shlex.split(line)
    assert program == "clm"
    command = typer.main.get_command(_application()).commands[name]  # type: ignore[attr-defined]
    return dict(command.make_context(name, words).params)


def test_commands_repeat_the_settings_that_matter(shop: Shop) -> None:
    """Each stage with what is not its default; files linked in a chain; nothing where no footer tells."""
    lines = lines_of(shop[1])
    assert lines == (
        "clm clean 'orders 2023.csv' --map 'customer_id=会员编号' --duplicates drop -o clean.parquet",
        "clm rfm clean.parquet -o rfm.parquet",
        "clm segment rfm.parquet -o segments.parquet",
        "clm clv segments.parquet --margin 0.35 --orders clean.parquet -o clv.parquet",
        "clm churn clv.parquet --orders clean.parquet -o customers.parquet",
        "clm report customers.parquet -o report.html",
    )
    assert lines_of(shop[1], "zh")[-1] == lines[-1].replace(" -o", " --lang zh -o")
    assert lines_of({}) == ()
    shown = lines_of(shop[1], numbers=metrics.compute(samples.empty(), {}, min_cell=1))
    assert shown[-1] == lines[-1].replace(" -o", " --min-cell 1 -o")


@pytest.mark.parametrize("name", ["-rf", "a b.csv", "$(reboot).csv", "`id`.csv", "'; rm x '.csv", *samples.HOSTILE])
def test_commands_are_safe_to_paste(shop: Shop, name: str) -> None:
    """A file's name is one word of the command, never an option, a second command or an escape."""
    facts = deepcopy(shop[1])
    facts["ancestors"][0]["source"] = name
    words = shlex.split(lines_of(facts)[0])
    assert words[:2] == ["clm", "clean"]
    assert words[3:5] == ["--map", "customer_id=会员编号"]
    assert not words[2].startswith("-")
    assert words[2].isprintable()


def test_every_recorded_setting_can_be_written_as_an_option() -> None:
    """Whatever a footer records under a stage's settings comes back as options that parse to the same value."""
    changed = {
        "clean": settings.CleanSettings(
            map=(("amount", "Betrag €"),), keep=("a", "b c"), until="none", allow_masked=True, max_rejects=0.2
        ),
        "rfm": settings.RfmSettings(as_of="month-end", bins=4),
        "clv": settings.ClvSettings(horizon=settings.Horizon(90, "d"), annual_discount=0.2, no_backtest=True),
    }  # fmt: skip
    for stage, used in changed.items():
        facts = {"stage": stage, "settings": settings.recorded(used, settings.CommonSettings()), "ancestors": []}
        words = shlex.split(lines_of(facts)[0])
        given: dict[str, list[str]] = {}
        flags = {f"--{settings.option_name(field.name)}": (field, option) for field, option in settings.options(type(used))}
        for at, word in enumerate(words):
            if word in flags:
                given.setdefault(word, []).append("true" if flags[word][1].flag else words[at + 1])
        for flag, texts in given.items():
            field, option = flags[flag]
            if field.name != "orders":
                assert option.parse(texts if option.repeat else texts[0]) == getattr(used, field.name), flag
        missing = [
            field.name
            for flag, (field, option) in flags.items()
            if option.recorded and getattr(used, field.name) != field.default and flag not in given
        ]
        assert not missing


def test_a_seed_of_ones_own_is_part_of_the_command(shop: Shop) -> None:
    """Draws repeat only with their seed; the default one is not said."""
    facts = deepcopy(shop[1])
    facts["ancestors"][-1]["settings"]["seed"] = 7
    assert [line for line in lines_of(facts) if "--seed" in line] == [
        "clm clv segments.parquet --margin 0.35 --seed 7 --orders clean.parquet -o clv.parquet"
    ]


def test_files_known_by_their_hash_are_named_by_their_kind(shop: Shop) -> None:
    """Tiers, earlier tables, attributes, costs, cut-offs, a scheme of one's own and keys: in the line, without a path."""
    facts = deepcopy(shop[1])
    _, clean, rfm, segment, clv = facts["ancestors"]
    clean["settings"] |= {"key_id": "ab12", "pseudonymise": ["customer_id"], "rule": ["big=amount > 1000", "odd=quantity < 0"]}
    rfm["settings"] |= {"cuts": "sha256:1", "weights": {"r": 2.0, "f": 1.0}}
    segment["settings"] |= {"scheme": "sha256:2", "tiers": "sha256:3", "previous": "sha256:4", "attributes": "sha256:5"}
    clv["settings"] |= {"costs": "sha256:6", "model": "sha256:7"}
    facts["settings"] |= {"previous": "sha256:4", "offer": 10.0, "contact": 0.5, "accept": 0.2}
    lines = lines_of(facts)
    assert "--rule 'big=amount > 1000' --rule 'odd=quantity < 0'" in lines[0]
    assert lines[0].endswith("--key-file key -o clean.parquet")
    assert "--weights f=1.0,r=2.0 --cuts cuts.toml" in lines[1]
    assert "--scheme scheme.toml --tiers tiers.toml --previous earlier.parquet --attributes attributes.csv" in lines[2]
    assert "--costs costs.csv --model model.json" in lines[3]
    assert "--offer 10.0 --contact 0.5 --accept 0.2 --previous earlier.parquet" in lines[4]
    assert [accepted(line)["output"] for line in lines][-1] == "report.html"


def test_every_line_is_accepted_and_every_panel_is_made(shop: Shop, numbers: pl.DataFrame) -> None:
    """clm parses all of them, cohorts and moves too, in both languages; no panel of the page is left without a command."""
    for lang in ("en", "zh"):
        made = remake.commands(shop[1], Numbers(numbers), lang)
        for one in made:
            accepted(one.line)
        assert {code for one in made for code in one.panels} >= {panel.code for panel in outline(numbers, shop[1], lang).panels}
    lines = [one.line for one in made]
    assert lines[-3:] == [
        "clm cohort clean.parquet --period month --as-of 2023-12-20 -o cohorts.parquet",
        "clm migrate earlier.parquet customers.parquet -o moves.parquet",
        "clm report customers.parquet --orders clean.parquet --previous earlier.parquet --min-cell 1 --lang zh -o report.html",
    ]
    with pytest.raises(Exception, match="no-such-option"):
        accepted("clm report --no-such-option")


def test_the_commands_make_the_same_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run line by line in an empty folder with the source and the tier file, they give METRICS equal to the last digit."""
    tiers = tmp_path / "pyramid.toml"
    tiers.write_text('column = "spend"\n[[tier]]\ncode = "gold"\nshare = "20%"\n[[tier]]\ncode = "basic"\n')
    source = csv_of(invented(customers=60, orders=6), tmp_path / "orders.csv")
    run = tmp_path / "run"
    settings_file = tmp_path / "clm.toml"
    settings_file.write_text(f'[segment]\ntiers = "{tiers}"\n[clv]\nmargin = "40%"\n')
    assert main(["run", str(source), "-o", str(run), "--config", str(settings_file), "-q"]) == 0
    facts = files.facts_in(run / "customers.parquet", "customers.parquet")
    before = pl.read_parquet(run / "metrics.parquet")
    assert facts is not None
    again = tmp_path / "again"
    again.mkdir()
    shutil.copy(source, again / "orders.csv")
    shutil.copy(tiers, again / "tiers.toml")
    monkeypatch.chdir(again)
    for line in lines_of(facts.to_json(), "en", before):
        words = shlex.split(line)[1:]
        words = [word.replace("report.html", "metrics.parquet") for word in words]
        assert main([*words, "-q"]) == 0, line
    assert_frame_equal(pl.read_parquet(again / "metrics.parquet"), before)
