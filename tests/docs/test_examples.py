"""Every example runs as it stands."""

from __future__ import annotations

import re
from pathlib import Path

from clm import config, schemes
from clm.schemes import pyramid
from tests.conftest import ROOT
from tests.examples import EXAMPLES, run

LOG = str(ROOT / "data" / "orders.csv")


def test_the_chain(tmp_path: Path) -> None:
    """Six stages, pipes and files, end in a page and a table of numbers."""
    done = run("chain.sh", tmp_path, LOG)
    assert done.returncode == 0, done.stderr
    assert {"clean.parquet", "rejects.csv", "customers.parquet", "report.html", "metrics.csv"} <= {
        path.name for path in tmp_path.iterdir()
    }


def test_the_monthly_job(tmp_path: Path) -> None:
    """A folder for the last complete month, quietly; and exit 1 when its gate holds."""
    done = run("monthly.sh", tmp_path, LOG, "-q")
    assert (done.returncode, done.stderr) == (0, "")
    assert [path.name for path in (tmp_path / "customers").iterdir()] == ["2024-05-31"]
    assert run("monthly.sh", tmp_path, LOG, "-q", "--fail-if", "as_of < 2024-06-30").returncode == 1


def test_the_configuration_is_understood(tmp_path: Path) -> None:
    """Every key of the example is a key of clm, and each value reads."""
    sources = config.read(str(EXAMPLES / "clm.toml"), {})
    assert sources.resolve("clean", {}).settings.duplicates == "drop"
    assert sources.resolve("clv", {}).settings.margin == 0.35
    assert sources.resolve("report", {}).settings.lang == "zh"


def test_the_scheme_is_complete() -> None:
    """The example scheme passes the lint."""
    assert schemes.load(str(EXAMPLES / "three-groups.toml"))[0].codes == ("keep", "grow", "win_back")


def test_the_pyramid_of_the_readme_is_one() -> None:
    """The tier file shown to people passes its own lint."""
    shown = re.search(r"A pyramid is a file such as\n\n```toml\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)
    assert shown is not None
    assert [tier.code for tier in pyramid.parse(shown[1], "README").tiers] == ["gold", "silver", "basic"]
