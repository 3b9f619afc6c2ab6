"""Notices of the stages in both languages: no number is lost, and a sentence nobody knows does no harm."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clm.models import btyd_params, spend
from clm.report.notices import notices, told
from clm.report.words import load, places
from clm.stages.costs import telling as costs_telling
from tests.conftest import ROOT

EN, ZH = load("en"), load("zh")


@pytest.mark.parametrize(
    ("code", "text", "said"),
    [
        ("rows_flagged", "somebody should look at some rows: 80 zero_price, 36 my-rule and 3 more (column flags).",
         "需要复核的行：零单价 80 行、my-rule 36 行，另有 3 种标记。"),
        ("costs_left", "1,200.50 of 9,000.00 acquisition spend is nobody's: 1,000.50 while nobody bought, "
         "200.00 in periods after as_of",
         "获客费用 9,000.00 中有 1,200.50 没有对应的客户：1,000.50 用于无人购买之时、200.00 用于截至日之后。"),
        ("baseline_better", "in the back-test the mean of all customers (mean) beats every model, and is used",
         "回测中，简单规则“全体客户平均”优于所有模型，因此采用它。"),
        ("model_applied", "the model of 2024-03-05 is applied, nothing is fitted or tested here: its totals were tested over "
         "91 days, for a forecast over 180 days instead of 365",
         "应用2024年3月5日的模型，此处不再拟合或检验：其总额曾在 91 天上检验，当时预测 180 天，此处为 365 天。"),
        ("totals_customer", "3 rows (12.50) have a customer id that reads like a total (合计), but is the sum of no other rows: "
         "kept; --nobody '合计' rejects them as no_customer.",
         "3 行（12.50）的客户编号读来像合计（合计），却不是其他行之和：已保留；用 --nobody '合计' 可将其剔除。"),
        ("too_little_history", "churn cannot be made from this data: logistic cannot be learned here: no labelled window lies "
         "before the one that tests",
         "这份数据无法得出流失概率：此处学不出 逻辑回归：检验窗口之前没有可供学习的窗口。"),
        ("tested_shorter", "tested over 19 weeks, forecast over 52 weeks", "检验期 19 周，预测期 52 周。"),
        ("base_rate_shift", "more customers came back in the test window (57%) than in the training windows (48% to 56%)",
         "检验窗口的回购率为 57%，高于训练窗口的 48% 至 56%。"),
        ("base_rate_shift", "fewer customers came back in the test window (20%) than in the training windows (22%)",
         "检验窗口的回购率为 20%，低于训练窗口的 22%。"),
        ("chosen_on_test", "the method was chosen on the window that tests it (1 training window, fewer than 3)",
         "只有 1 个训练窗口，少于 3 个。"),
        ("as_of_after_log", "the log ends 1 day before 2024-03-05: silence in between is not known",
         "订单记录在2024年3月5日之前 1 天结束，其间的沉默无从得知。"),
        ("after_as_of", "1,204 rows after 2024-03-05 left out", "2024年3月5日之后的 1,204 行。"),
        ("few_repeat_buyers", "1 customer ordered on a second day, a model needs 100: "
         "every order rate is drawn to the mean of all",
         "1 位客户在第二天再次下单，模型至少需要 100 位：各自的订单速率向全体平均靠拢。"),
    ],
)  # fmt: skip
def test_chinese_notices_keep_their_numbers(code: str, text: str, said: str) -> None:
    """The sentence of a stage is told in Chinese with the numbers and days it holds."""
    assert told(code, text, ZH) == said


SAMPLES = {
    "length": "3 weeks", "customers": "1 customer", "rows": "2 rows", "day": "2024-03-05", "counted": "4 words", "verb": "have",
    "method": "nbd", "flag": "burst", "text": "a column", "aside": " (12.50)", "why": "no past window tested the probabilities",
    "parts": "7 burst, 8 zero_price",
}  # fmt: skip


def test_every_form_fits_itself_and_no_other_code() -> None:
    """Each form filled with samples is read back, with every percentage in its place, and is not taken for another code's."""
    for key, form in EN.entries.items():
        if not key.startswith("told."):
            continue
        values = {place: SAMPLES.get(place.rpartition("_")[2], f"{at + 5}%") for at, place in enumerate(sorted(places(form)))}
        code = key.split(".")[1]
        said = told(code, form.format_map(values), ZH)
        assert said, key
        kept = {value for place, value in values.items() if place in places(ZH(key))}
        assert set(re.findall(r"\d+%", said)) == {value for value in kept if value.endswith("%")}, key
        assert told(f"{code}_", form.format_map(values), ZH) == "" or code == "any", key


@pytest.mark.parametrize(
    "text",
    [
        "",
        "tested over 19 weeks, forecast over 52 weeks and more",
        "tested over {0}, forecast over 3 weeks",
        "tested over x weeks",
    ],
)
def test_a_sentence_of_another_shape_leaves_the_heading_alone(text: str) -> None:
    """A stage that words its notice anew loses nothing but the Chinese sentence."""
    facts: dict[str, Any] = {"stage": "clv", "warnings": [{"code": "tested_shorter", "text": text}], "ancestors": []}
    assert notices(facts, ZH) == (("检验期短于预测期", ""),)
    assert notices(facts, EN) == (("The test was shorter than the forecast", text),)


@given(st.from_regex(r"\A[0-9,]{1,6} rows? after [0-9]{4}-[0-9]{2}-[0-9]{2} left out\Z"))
def test_odd_numbers_and_days_never_break_the_page(text: str) -> None:
    """A footer of somebody else may hold months that are none and numbers of commas only."""
    assert isinstance(told("after_as_of", text, ZH), str)


def test_an_untested_churn_probability_is_not_taken_for_the_forecast() -> None:
    """The warning of the churn stage has a heading of its own and its sentence in Chinese."""
    text = "the return probability is not validated: the past windows hold fewer than 100 customers who left, or who came back"
    facts: dict[str, Any] = {"stage": "churn", "warnings": [{"code": "not_validated", "text": text}], "ancestors": []}
    assert notices(facts, ZH) == (("流失概率未经验证", "历史窗口中流失或回来的客户少于 100 位。"),)
    assert notices(facts, EN) == (("The churn probability is not validated", text),)


def test_a_sentence_does_not_repeat_its_heading() -> None:
    """`not validated: the log …` stands under a heading that says so; what only begins alike stays whole."""
    warnings = [
        {"code": "not_validated", "text": "not validated: the log of 76 weeks is too short"},
        {"code": "no_interval", "text": "no intervals: kept"},
    ]
    told_ = dict(notices({"stage": "clv", "warnings": warnings}, load("en")))
    assert list(told_.values()) == ["the log of 76 weeks is too short", "no intervals: kept"]


_REACHING = (
    "ingest", "storage", "pipeline.py", "stages/clean", "stages/rfm.py", "stages/segment", "stages/clv", "stages/churn",
    "stages/costs", "models/appraisal_notes.py",
)  # fmt: skip
_ELSEWHERE = {
    "stages/clv/backtest.py": "its notices are told on the terminal",
    "ingest/columns.py": "only labelled tables are read by it",
}
# functions that return the reason of another sentence
_REASONS = {"why_untested": "stages/churn/telling.py", "_tested": "stages/churn/contact.py"}


def _sources() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted((ROOT / "clm").rglob("*.py")):
        name = path.relative_to(ROOT / "clm").as_posix()
        if name.startswith(_REACHING) and name not in _ELSEWHERE:
            yield name, ast.parse(path.read_text(encoding="utf-8"))


def _texts(node: ast.expr | None, around: ast.AST) -> list[str]:
    """What an expression of the source can say: its words, a NUL for what only a run knows, every arm of a choice."""
    match node:
        case ast.Constant(value=str(text)):
            return [text]
        case ast.JoinedStr(values=parts):
            return ["".join(one) for one in product(*(_texts(part, around) for part in parts))]
        case ast.FormattedValue(value=ast.Name() | ast.IfExp() as inner):
            return _texts(inner, around)
        case ast.IfExp(body=one, orelse=other):
            return [*_texts(one, around), *_texts(other, around)]
        case ast.Name(id=name):
            given = [one for one in ast.walk(around) if isinstance(one, ast.Assign) and getattr(one.targets[0], "id", "") == name]
            return [text for one in given for text in _texts(one.value, around)] or ["\0"]
    return ["\0"]


def _said_in_code() -> list[tuple[str, str, str]]:
    """Where, code and text of every notice whose text stands in the source."""
    found: list[tuple[str, str, str]] = []
    for name, tree in _sources():
        for function in (one for one in ast.walk(tree) if isinstance(one, ast.FunctionDef)):
            for node in ast.walk(function):
                match node:
                    case ast.Call(func=ast.Name(id="Notice"), args=[ast.Constant(value=str(code)), text]):
                        found += [(name, code, one) for one in _texts(text, function)]
                    case ast.Yield(value=ast.Tuple(elts=[ast.Constant(value=str(code)), text])):
                        found += [(name, code, one) for one in _texts(text, function)]
    return found


def _told_by(shape: str, families: tuple[str, ...]) -> bool:
    """Whether a form has the words of the text, with places of its own for some of them."""

    def covers(one: str, other: str) -> bool:
        return bool(re.fullmatch(".*".join(map(re.escape, one.split("\0"))), other))

    forms = [re.sub(r"\{\w+\}", "\0", form) for key, form in EN.entries.items() if key.startswith(families)]
    return any(covers(shape, form) or covers(form, shape) for form in forms)


def test_every_sentence_of_a_stage_has_a_chinese_one() -> None:
    """A notice somebody adds or words anew, and that Chinese readers would see as a heading alone, fails here."""
    found = _said_in_code()
    assert len(found) > 70
    assert [one for one in found if one[2].strip("\0") and not _told_by(one[2], (f"told.{one[1]}.", "told.any."))] == []


def test_every_note_of_a_fit_and_every_reason_has_a_chinese_one() -> None:
    """Notes of models, fits that fail, money that is nobody's, and the errors for which a run goes on without a stage."""
    notes = {code: text for notes in (btyd_params.NOTES, spend.NOTES) for code, text in notes.items()}
    unsaid = ("attrition_not_identified", "few_repeat_buyers")  # told in words of their own
    for code, text in notes.items():
        assert told(code, f"Gamma-Gamma: {text}", ZH) or code in unsaid, code
    reasons = [f"\0 {text}" for text in costs_telling._REASONS.values()]
    for path in ("models/btyd.py", "models/spend.py", "models/via_lifetimes.py"):
        reasons += _raised(path, "FitError", 1)
    for path in ("stages/snapshot.py", "stages/clv/tried.py", "stages/clv/margins.py", "stages/churn/__init__.py"):
        reasons += _raised(path, "DataError", 0)
    for name, path in _REASONS.items():
        reasons += _returned(path, name)
    assert len(reasons) > 25
    assert [one for one in reasons if not _told_by(one, ("part.",))] == []


def _raised(path: str, error: str, place: int) -> list[str]:
    tree = ast.parse((ROOT / "clm" / path).read_text(encoding="utf-8"))
    calls = [one for one in ast.walk(tree) if isinstance(one, ast.Call) and getattr(one.func, "id", "") == error]
    return [text for one in calls if len(one.args) > place for text in _texts(one.args[place], tree) if text.strip("\0")]


def _returned(path: str, function: str) -> list[str]:
    tree = ast.parse((ROOT / "clm" / path).read_text(encoding="utf-8"))
    [body] = [one for one in ast.walk(tree) if isinstance(one, ast.FunctionDef) and one.name == function]
    values = [one.value for one in ast.walk(body) if isinstance(one, ast.Return)]
    texts = [one.elts[-1] if isinstance(one, ast.Tuple) else one for one in values]
    return [text for one in texts for text in _texts(one, body) if text.strip("\0")]


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("few_repeat_buyers", "3 customers ordered on a second day, a model needs 100: every order rate "
         "is drawn to the mean of all"),
        ("no_cac", "900 buyers of 1,000 without a cac (null, not 0): 897 came before the costs begin, "
         "3 came after the costs end"),
        ("not_fitted", "pareto-nbd needs 10 customers who ordered on a second day, here are 3"),
        ("dominant_customer", "customers with more than a tenth of all repeat order days each make 34% of them: the "
         "parameters are fitted without them, their own forecast uses those"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_sentence_about_few_customers_is_left_out(code: str, text: str, lang: str) -> None:
    """Whatever the words around the number; with nothing to hide it is told."""
    told_facts = {"stage": "clv", "warnings": [{"code": code, "text": text}]}
    assert [said for _, said in notices(told_facts, load(lang), 5)] == [""]
    assert lang != "en" or [said for _, said in notices(told_facts, load(lang), 0)] == [text]
