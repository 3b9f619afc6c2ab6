"""Fit once, apply later, on the command line: rfm and churn --save-model, --model, --cuts; run --model."""

from __future__ import annotations

import json
import re
from pathlib import Path

import polars as pl
import pytest

from clm.cli import main
from clm.storage import facts
from tests.commands.conftest import Shop
from tests.logs import csv_of, invented


@pytest.fixture(scope="module")
def model(shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model of the shop's rfm."""
    path = tmp_path_factory.mktemp("model") / "m.json"
    assert main(["rfm", str(shop.file("clean")), "-q", "--save-model", str(path), "-o", str(path.with_suffix(".parquet"))]) == 0
    return path


def settings_of(path: Path) -> dict[str, object]:
    return dict(json.loads(pl.read_parquet_metadata(path)[facts.KEY])["settings"])


def test_saving_a_model_changes_no_table(shop: Shop, model: Path) -> None:
    """The table is the one made without; the document holds rfm's cut-offs; the same bytes every time."""
    assert model.with_suffix(".parquet").read_bytes() == shop.file("rfm").read_bytes()
    document = json.loads(model.read_text("utf-8"))
    assert document["schema"] == 1
    assert list(document["learned"]) == ["rfm"]
    assert set(document["learned"]["rfm"]["scores"]) == {"r_score", "f_score", "m_score"}


def test_a_model_applied_to_its_own_base_gives_its_rows(shop: Shop, model: Path, tmp_path: Path) -> None:
    """Fit time and apply time agree; the footer records which model it was, by its hash."""
    made = tmp_path / "x.parquet"
    assert main(["rfm", str(shop.file("clean")), "-q", "--model", str(model), "-o", str(made)]) == 0
    assert pl.read_parquet(made).equals(pl.read_parquet(shop.file("rfm")))
    assert str(settings_of(made)["model"]).startswith("sha256:")


def test_cut_offs_of_a_file(shop: Shop, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """They decide, -v prints each score's range and count, and the footer knows the file by its hash."""
    (tmp_path / "cuts.toml").write_text("[f_score]\ncuts = [2, 4, 6, 8]\n")
    made = tmp_path / "x.parquet"
    assert main(["rfm", str(shop.file("clean")), "-v", "--cuts", str(tmp_path / "cuts.toml"), "-o", str(made)]) == 0
    assert "f 5: 8 to 9, " in capsys.readouterr().err
    assert set(pl.read_parquet(made).filter(pl.col("orders") == 6)["f_score"]) == {4}
    assert str(settings_of(made)["cuts"]).startswith("sha256:")


def test_weights_and_carry(shop: Shop, tmp_path: Path) -> None:
    """rfm_value and the carried column stand at the end, and the rest of the chain takes the table."""
    made, further = tmp_path / "x.parquet", tmp_path / "y.parquet"
    argv = ["rfm", str(shop.file("clean")), "-q", "--weights", "r=1,orders_90d=2", "--carry", "order_id", "-o", str(made)]
    assert main(argv) == 0
    found = pl.read_parquet(made)
    assert found.columns[-3:] == ["rfm_value", "orders_90d_score", "order_id"]
    assert found["order_id"].null_count() == 0
    assert main(["segment", str(made), "-q", "-o", str(further)]) == 0


@pytest.mark.parametrize(
    ("code", "argv"),
    [
        (78, ["--model", "none.json"]),
        (78, ["--cuts", "none.toml"]),
        (78, ["--bins", "4", "--model", "MODEL"]),
        (2, ["--weights", "r=0"]),
        (2, ["--weights", "spent=1"]),
        (2, ["--carry", "nothing"]),
        (2, ["--columns", "some"]),
        (2, ["--model", "MODEL", "--save-model", "MODEL"]),
        (65, ["--as-of", "2000-01-01", "--save-model", "OUT"]),
    ],
)
def test_what_cannot_be_is_answered(
    shop: Shop, model: Path, tmp_path: Path, code: int, argv: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Each with its code and what to do; the model that was there stays whole."""
    before = model.read_bytes()
    given = [str(model) if one == "MODEL" else str(tmp_path / "o.json") if one == "OUT" else one for one in argv]
    assert main(["rfm", str(shop.file("clean")), *given, "-o", str(tmp_path / "x.parquet")]) == code
    said = capsys.readouterr().err
    assert "to do:" in said or re.search(r"--\w+ wants", said)
    assert model.read_bytes() == before
    assert not (tmp_path / "o.json").exists()


def test_a_run_applies_a_model_and_writes_none(shop: Shop, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Scores and values come from the model, which is said, and no model.json appears; nothing changed is nothing done."""
    assert main(["run", str(shop.source), "-q", "-o", str(tmp_path / "fitted")]) == 0
    saved = tmp_path / "fitted" / "model.json"
    again = ["run", str(shop.source), "--model", str(saved), "-o", str(tmp_path / "applied")]
    assert main(again) == 0
    said = capsys.readouterr().err
    assert "applied)" in said
    assert "fitted anew" not in said
    assert not (tmp_path / "applied" / "model.json").exists()
    for table in ("rfm.parquet", "clv.parquet"):
        fitted, applied = (pl.read_parquet(tmp_path / name / table) for name in ("fitted", "applied"))
        assert applied.equals(fitted)
    assert main(again) == 0
    assert "nothing changed, nothing done" in capsys.readouterr().err
    assert main(again[:2] + again[4:]) == 0
    assert (tmp_path / "applied" / "model.json").read_bytes() == saved.read_bytes()


@pytest.fixture(scope="module")
def regulars(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with orders.csv of 300 customers, enough repeat buyers for a model of churn."""
    folder = tmp_path_factory.mktemp("regulars")
    csv_of(invented(customers=300, orders=7), folder / "orders.csv")
    return folder


def test_churn_is_applied_and_its_drift_judged(
    regulars: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The customers a model was made of have a psi of 0; nine months later --fail-if 'psi > 0.2' ends with 1, all written."""
    monkeypatch.chdir(tmp_path)
    assert main(["clean", str(regulars / "orders.csv"), "-q", "-o", "clean.parquet"]) == 0
    for day in ("2024-09-30", "2025-06-30"):
        assert main(["rfm", "clean.parquet", "-q", "--as-of", day, "-o", f"{day}.parquet"]) == 0
    fit = ["churn", "2024-09-30.parquet", "-q", "--orders", "clean.parquet"]
    assert main([*fit, "--method", "hiatus", "--save-model", "m.json", "-o", "fitted.parquet"]) == 0
    assert main([*fit, "--model", "m.json", "-o", "again.parquet", "--fail-if", "psi > 0"]) == 0
    fitted, again = (pl.read_parquet(name) for name in ("fitted.parquet", "again.parquet"))
    assert again.equals(fitted)
    capsys.readouterr()
    late = ["churn", "2025-06-30.parquet", "--orders", "clean.parquet", "--model", "m.json", "-o", "late.parquet"]
    assert main([*late, "--fail-if", "psi > 0.2"]) == 1
    assert "other customers than the model was made for" in capsys.readouterr().err
    assert pl.read_parquet("late.parquet")["churn_probability"].null_count() == 0
    assert main([*fit, "--model", "m.json", "--horizon", "200d", "-o", "x.parquet"]) == 78


def test_a_run_applies_its_churn_model_too(regulars: Path, tmp_path: Path) -> None:
    """With --model the churn columns are those of the fit, and the footer names the model by its hash."""
    log = str(regulars / "orders.csv")
    assert main(["run", log, "-q", "--as-of", "2024-09-30", "-o", str(tmp_path / "fitted")]) == 0
    saved = tmp_path / "fitted" / "model.json"
    assert main(["run", log, "-q", "--as-of", "2024-09-30", "--model", str(saved), "-o", str(tmp_path / "applied")]) == 0
    fitted, applied = (pl.read_parquet(tmp_path / name / "customers.parquet") for name in ("fitted", "applied"))
    assert applied.equals(fitted)
    told = json.loads(pl.read_parquet_metadata(tmp_path / "applied" / "customers.parquet")[facts.KEY])
    assert told["metrics"]["chosen_on"] == "model"
    assert str(told["settings"]["model"]).startswith("sha256:")
