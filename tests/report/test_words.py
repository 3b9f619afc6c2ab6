"""The two languages: complete, equal, and each written in itself."""

from __future__ import annotations

import re
import string
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clm import tables
from clm.models import btyd_params, classify_buyers, spend
from clm.report import words
from tests.conftest import ROOT
from tests.report.samples import HOSTILE

EN, ZH = words.load("en"), words.load("zh")
HAN = re.compile("[\u3400-\u9fff\u3000-\u303f\uff00-\uffef]")
# names of methods and formats that have no Chinese form
FOREIGN = {
    "RFM", "CLV", "AUC", "NBD", "BG", "MBG", "CNBD", "k", "Pareto", "Gamma", "SHA", "clm", "clean", "rfm", "segment", "clv",
    "churn", "orders", "parquet", "lifetimes", "R", "F", "name", "n", "q",
}  # fmt: skip


def test_both_languages_have_the_same_keys_and_places() -> None:
    """A word that is missing in one language, or asks for other numbers, fails here; one read backwards may leave some out."""
    assert EN.entries.keys() == ZH.entries.keys()
    for key in EN.entries:
        here, there = words.places(EN.entries[key]), words.places(ZH.entries[key])
        assert there <= here if key.startswith(("told.", "part.")) else there == here, key


def test_english_holds_no_chinese() -> None:
    """Not one Chinese sign or full-width mark in the English file; and only ASCII beyond that."""
    assert not [key for key, text in EN.entries.items() if HAN.search(text) or not text.isascii()]


def test_chinese_holds_no_english() -> None:
    """Every Latin word of the Chinese file is the name of a method, a command or a format."""
    for key, text in ZH.entries.items():
        bare = re.sub(r"\{\w+\}", "", text)
        assert set(re.findall(r"[A-Za-z]+", bare)) <= FOREIGN, key
        assert HAN.search(text) or not re.search("[A-Za-z]{3}", bare) or set(re.findall(r"[A-Za-z]+", bare)) <= FOREIGN, key


def test_chinese_punctuation_is_full_width() -> None:
    """No ASCII comma, colon, semicolon or bracket beside a Chinese sign."""
    beside = re.compile("[\u4e00-\u9fff}][,:;?!()]|[,:;?!()][\u4e00-\u9fff{]")
    assert not [key for key, text in ZH.entries.items() if beside.search(text)]


def test_every_code_of_the_tables_has_a_name() -> None:
    """Segments with meaning and action, statuses, methods, risks, reject and collapse codes: all named in both languages."""
    wanted = [f"{kind}.{code}" for kind in ("segment", "meaning", "action") for code in (*tables.SEGMENTS, tables.NO_PURCHASE)]
    wanted += [f"clv_status.{code}" for code in tables.CLV_STATUSES]
    wanted += [f"churn_status.{code}" for code in tables.CHURN_STATUSES]
    wanted += [f"method.{code}" for code in (*tables.CLV_METHODS, *tables.CHURN_METHODS)]
    wanted += [f"risk.{code}" for code in tables.CHURN_RISKS]
    wanted += [f"lifecycle.{code}" for code in tables.LIFECYCLES] + [f"stage.{code}" for code in tables.LIFECYCLES]
    wanted += [f"column.{name}" for name in (*tables.CUSTOMERS.names(), *tables.LIST.names(), *tables.METRICS.names())]
    wanted += [f"reason.{code}" for code in classify_buyers.REASONS]
    wanted += [f"reject.{code}" for code in tables.REJECT_CODES]
    wanted += [f"collapsed.{code}" for code in tables.COLLAPSED_CODES]
    wanted += [f"{kind}.{code}" for kind in ("flag", "flag_means", "flag_do") for code in tables.FLAGS]
    assert not [key for key in wanted if not (EN.known(key) and ZH.known(key))]


def test_every_warning_a_stage_can_give_has_a_heading() -> None:
    """Codes of notices, of fits that fail and of stages that a run goes without are found in both locale files."""
    rooms = ("ingest", "stages", "storage", "models")
    paths = [ROOT / "clm" / "pipeline.py", *(path for room in rooms for path in sorted((ROOT / "clm" / room).rglob("*.py")))]
    source = "".join(path.read_text() for path in paths)
    codes = set(re.findall(r'(?:Notice|FitError)\(\s*"(\w+)"', source)) | {"not_possible"}
    facts = ROOT / "clm" / "models" / "appraisal_notes.py"
    codes |= set(re.findall(r'yield \(?\s*"(\w+)",', facts.read_text()))
    codes |= btyd_params.NOTES.keys() | spend.NOTES.keys()
    for stage in ("clv", "churn", "snapshot", "agreement"):
        rooms_of = [*(ROOT / "clm" / "stages").glob(f"{stage}.py"), *(ROOT / "clm" / "stages" / stage).glob("*.py")]
        codes |= set(re.findall(r'code="(\w+)"', "".join(path.read_text() for path in rooms_of)))
    assert {"price_as_amount", "scores_equal", "few_spenders", "not_possible", "no_provenance", "orders_contradict"} <= codes
    assert not [code for code in sorted(codes) for lang in (EN, ZH) if not lang.known(f"warning.{code}")]


def test_every_key_the_code_asks_for_exists() -> None:
    """Literal keys in the report's source stand in the locale files."""
    source = "".join(path.read_text() for path in sorted((ROOT / "clm" / "report").glob("*.py")))
    asked = set(re.findall(r'words\(\s*"([a-z_0-9]+\.[a-z_0-9.]+)"', source))
    assert len(asked) > 60
    assert not [key for key in sorted(asked) if not EN.known(key)]


def test_no_word_is_left_over() -> None:
    """Every key is asked for by name, or belongs to a family of codes."""
    source = "".join(path.read_text() for path in sorted((ROOT / "clm" / "report").glob("*.py")))
    codes = (
        "month month_short count segment lifecycle stage meaning action reject collapsed method clv_status churn_status risk "
        "warning told part flag flag_means flag_do sheet score segments tiers field migration cohorts column reason story"
    )
    for key in EN.entries:
        family, _, name = key.partition(".")
        built = f'words(f"{family}.' in source and (f'"{name}"' in source or f"{name.rpartition('_')[0]}_{{" in source)
        assert (
            family in (*codes.split(), "panel")
            or re.search(f"[\"']{key}[\"']", source)
            or built
            or key.startswith(("backtest.", "format.great_"))
        ), key


def test_a_missing_key_says_which_file() -> None:
    """The failure names the language file and the key; an unknown language is refused."""
    with pytest.raises(KeyError, match=r"locales/zh.toml has no 'report.nonsense'"):
        ZH("report.nonsense")
    with pytest.raises(KeyError, match=r"no locales/fr.toml"):
        words.load("fr")
    with pytest.raises(KeyError):
        EN("report.as_of", nothing="here")


def test_numbers_are_written_as_people_read_them() -> None:
    """Thousands, minus, money with and without a known currency, shares that never lie by rounding."""
    pounds = words.load("en", "gbp")
    assert pounds.money(1234.5) == "£1,234"
    assert pounds.money(-12.5) == "−£12.50"
    assert pounds.money(-0.001) == "£0.00"
    assert words.load("en", "CHF").money(5.0) == "CHF\u00a05.00"
    assert words.load("en", "GBP", plain_signs=True).money(5.0) == "GBP\u00a05.00"
    assert words.load("en", "GBP", plain_signs=True).cell(5.0) == "5.00"
    assert EN.money(1234.5) == "1,234"
    assert EN.money(None) == EN.percent(None) == EN.whole(None) == EN.decimal(None) == EN.signed_percent(None) == "–"
    shares = (0.0, 0.0003, 0.0006, 0.0421, 0.0996, 0.5, 0.9951, 0.99999, 1.0, 1.2)
    assert [EN.percent(share) for share in shares] == [
        "0%", "<0.1%", "0.1%", "4.2%", "10%", "50%", "99.5%", "99.9%", "100%", "120%",
    ]  # fmt: skip
    assert EN.signed_percent(0.362) == "+36.2%"
    assert EN.signed_percent(-0.095) == "−9.5%"
    assert EN.decimal(-0.0001) == "0.00"
    assert EN.whole(1234567) == "1,234,567"


@pytest.mark.parametrize("text", ["", "£", "GBPX", "[red]", "<b>", "é€x", *HOSTILE])
def test_a_currency_that_is_no_code_is_not_printed(text: str) -> None:
    """Amounts stand alone when the currency is unknown or foreign to three letters."""
    assert words.load("en", text).money(5.0) == "5.00"


def test_days_months_and_stretches_in_both_languages() -> None:
    """Dates and horizons read as in a newspaper."""
    assert EN.day(date(2024, 3, 5)) == EN.day("2024-03-05") == "5 March 2024"
    assert ZH.day(date(2024, 3, 5)) == "2024年3月5日"
    assert (EN.month("2024-03"), EN.month("2024-03", long=True), ZH.month("2024-03")) == ("Mar 2024", "March 2024", "2024年3月")
    assert (EN.stretch("12m"), EN.stretch("1y"), ZH.stretch("12m")) == ("12 months", "1 year", "12 个月")
    assert (EN.stretch("soon"), EN.stretch(None)) == ("soon", "–")
    assert (EN.length(91), EN.length(136), EN.length(7), EN.length(1)) == ("13 weeks", "136 days", "7 days", "1 day")
    assert (EN.count("customers", 1), EN.count("customers", 2357)) == ("1 customer", "2,357 customers")


@given(st.text(max_size=200))
def test_plain_text_is_one_inert_line(text: str) -> None:
    """Whatever comes in: no control, direction or line sign comes out, and it is never longer than asked."""
    shown = words.plain(text, 60)
    assert len(shown) <= 60
    assert not re.search("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]", shown)
    assert words.plain(shown, 60) == shown


def test_ordinary_text_is_untouched() -> None:
    """Letters, accents, Chinese and emoji of families pass as they are."""
    for text in (string.printable[:95], "Zoë Müller", "张伟 会员", "👨\u200d👩\u200d👧"):
        assert words.plain(text, 200) == text


def test_locales_ship_with_the_package() -> None:
    """Both files stand beside the code that reads them."""
    folder = Path(words.__file__).parent / "locales"
    assert sorted(path.name for path in folder.glob("*.toml")) == ["en.toml", "zh.toml"]
