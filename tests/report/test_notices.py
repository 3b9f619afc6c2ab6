"""Notices of the stages in both languages: no number is lost, and a sentence nobody knows does no harm."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clm.report.notices import notices, told
from clm.report.words import load, places

EN, ZH = load("en"), load("zh")


@pytest.mark.parametrize(
    ("code", "text", "said"),
    [
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


def test_every_form_fits_itself_and_no_other_code() -> None:
    """Each form filled with numbers is read back, with every number in its place."""
    for key, form in EN.entries.items():
        if not key.startswith("told."):
            continue
        samples = {"length": "3 weeks", "customers": "1 customer", "rows": "2 rows", "day": "2024-03-05"}
        values = {place: samples.get(place.rpartition("_")[2], f"{at + 5}%") for at, place in enumerate(sorted(places(form)))}
        code = key.split(".")[1]
        said = told(code, form.format_map(values), ZH)
        assert said
        assert set(re.findall(r"\d+%", said)) == {value for value in values.values() if value.endswith("%")}, key
        assert told(f"{code}_", form.format_map(values), ZH) == ""


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
