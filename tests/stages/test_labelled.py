"""A labelled table as the stage sees it: which word means churned, what each column is for, and who is scored by what."""

from __future__ import annotations

import random
from datetime import date

import polars as pl
import pytest

from clm.errors import DataError, UsageError
from clm.models import labelled_rows
from clm.models.labelled_rows import Feature
from clm.outcome import Outcome
from clm.stages import labelled
from clm.stages.labelled import label as labels
from clm.stages.labelled import learning, roles, telling
from tests.labelled import Row, contracts


def table(rows: list[Row] | None = None, **changes: list[str | None]) -> labelled.Given:
    """The invented contracts, or other `rows` like them, as the reader hands them over."""
    text = pl.DataFrame(rows or contracts()).with_columns(
        pl.Series(name, cells, dtype=pl.String) for name, cells in changes.items()
    )
    text = text.with_columns(pl.when(pl.all().str.strip_chars() != "").then(pl.all()))
    frame = text.with_columns(
        pl.col("months", "visits", "paid").cast(pl.Float64),
        pl.col("fee").str.strip_prefix("€").cast(pl.Float64),
        pl.col("joined").str.to_date(),
    )
    lines = pl.int_range(2, text.height + 2, eager=True)
    return labelled.Given("contracts.csv", frame, text, lines, text["member"])


def learned(given: labelled.Given, label: str = "left", **asked: object) -> Outcome:
    return labelled.from_label(given, labelled.Asked(label, **asked), 0)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("words", "left"),
    [
        (("Yes", "No"), "Yes"), (("1", "0"), "1"), (("true", "FALSE"), "true"), (("是", "否"), "是"), (("流失", "保留"), "流失"),
        (("Churned", "Stayed"), "Churned"), (("Attrited Customer", "Existing Customer"), "Attrited Customer"),
        (("已流失", "会员"), "已流失"), (("active", "gone"), "gone"), (("Ja", "Nein"), "Ja"), (("1.0", "0.0"), "1"),
        (("oui", "non"), "oui"),
    ],
)  # fmt: skip
def test_the_word_for_churned_is_known_in_many_languages(words: tuple[str, str], left: str) -> None:
    """Of two words one means churned, whichever comes first or is rarer."""
    for cells in (list(words), [words[1], words[0], words[0]]):
        assert labels.label("Churn", pl.Series(cells), None, "t.csv").left == left


@pytest.mark.parametrize(
    ("column", "cells", "value", "says"),
    [
        ("Churn", ["A", "B"] * 2, None, "which value of Churn means churned"),
        ("Retained", ["1", "0"], None, "may say who stayed"),
        ("IsActiveMember", ["1", "0"], None, "may say who stayed"),
        ("Churn", ["Stayed", "Churned", "Joined"] * 2, None, "has 3 values"),
        ("Churn", ["No", "No"], None, "the same one"),
        ("Churn", [None, None], None, "empty in every row"),
        ("Churn", ["Yes", "No"], "Maybe", "no row of Churn says so"),
        ("Churn", [f"{n}" for n in range(99)], None, "is no label"),
    ],
)
def test_a_label_that_cannot_be_understood_is_a_question_with_its_answer(
    column: str, cells: list[str | None], value: str | None, says: str
) -> None:
    """What is wrong is said, and what to type."""
    with pytest.raises(DataError, match=says) as caught:
        labels.label(column, pl.Series(cells, dtype=pl.String), value, "t.csv")
    assert caught.value.where == f"t.csv, column {column}"
    assert caught.value.fix


@pytest.mark.parametrize("value", [None, "nobody"])
@pytest.mark.parametrize("rows", [1, 2, 3, 40])
def test_somebodys_name_is_no_label_and_is_not_told(rows: int, value: str | None) -> None:
    """Where nearly every row has a value of its own, none is repeated, however few there are."""
    names = [f"Quillfeather-Ambrose {row}" for row in range(rows)]
    with pytest.raises(DataError, match="buyer is no label: nearly every row has a value of its own") as caught:
        labels.label("buyer", pl.Series(names), value, "t.csv")
    assert "Quillfeather" not in str(caught.value)


def test_the_answer_can_be_given_and_then_all_other_values_stayed() -> None:
    """`Status=Churned` among three values, in any case; a missing one stays unknown."""
    found = labels.label("Status", pl.Series(["Stayed", "churned", "Joined", "", "NA"]), "Churned", "t.csv")
    assert (found.left, set(found.stayed)) == ("churned", {"Stayed", "Joined"})
    assert found.churned.to_list() == [0.0, 1.0, 0.0, None, None]


def test_the_label_names_a_column_even_with_an_equals_sign_in_it() -> None:
    """A name that holds `=` is taken whole first; a name that is not there gets the nearest."""
    assert labels.named("a=b", ["a=b"]) == ("a=b", None)
    assert labels.named("a=b=c", ["a=b"]) == ("a=b", "c")
    with pytest.raises(DataError, match="did you mean Churn") as caught:
        labels.named("churn", ["Churn", "tenure"])
    assert "--label Churn" in str(caught.value.fix)


def test_the_key_is_customer_id_or_the_first_column_of_different_values() -> None:
    """Amounts and days are all different by accident; without any other the rows have numbers."""
    text = pl.DataFrame({"paid": ["1.5", "2.5"], "no": ["7", "8"], "customer_id": ["a", "b"], "left": ["Yes", "No"]})
    assert roles.key_column(text, "left") == "customer_id"
    assert roles.key_column(text.drop("customer_id"), "left") == "no"
    assert roles.key_column(text.drop("customer_id", "no"), "left") is None
    assert roles.key_column(text.rename({"customer_id": "CustomerId"}), "left") == "CustomerId"


def test_each_column_has_a_role_and_a_reason() -> None:
    """Empty, constant, ids, sentences, copies: left out by name; numbers, days and categories teach."""
    rows = 40
    frame = pl.DataFrame(
        {
            "number": [float(n % 7) for n in range(rows)],
            "day": [date(2024, 1, 1 + n % 20) for n in range(rows)],
            "word": ["a" if n % 3 else "b" for n in range(rows)],
            "twin": ["x" if n % 3 else "y" for n in range(rows)],
            "same": ["a" if n % 3 else "b" for n in range(rows)],
            "one": ["z"] * rows,
            "none": [None] * rows,
            "mail": [f"{n}@example.org" for n in range(rows)],
            "RowNumber": [float(n + 1) for n in range(rows)],
            "sometimes": ["z" if n % 2 else None for n in range(rows)],
        },
        schema_overrides={"none": pl.String},
    )
    found = {one.name: one.told if one.why else one.kind for one in roles.roles(frame, [])}
    assert found == {
        "number": "number",
        "day": "day",
        "word": "category",
        "twin": "one to one with word",
        "same": "equal to word",
        "one": "constant",
        "none": "empty",
        "mail": "an id or free text: nearly every row has its own",
        "RowNumber": "an id: every row has its own",
        "sometimes": "category",
    }


def test_a_number_that_others_nearly_give_is_named() -> None:
    """Paid is months times the fee; it is kept, and said."""
    months = [float(1 + n % 50) for n in range(200)]
    fee = [20.0 + (n * 7) % 45 for n in range(200)]
    paid = [a * b + a % 3 for a, b in zip(months, fee, strict=True)]
    frame = pl.DataFrame({"months": months, "fee": fee, "paid": paid})
    assert roles.nearly_told(frame, roles.roles(frame, [])) == [("paid", "about months × fee")]


def test_rows_in_are_rows_out_and_unlabelled_rows_are_scored_by_the_others() -> None:
    """A row without a label is scored by the fit to all that have one; the rest out of fold. The order of the table stays."""
    cells = [row["left"] if n % 4 else "" for n, row in enumerate(contracts())]
    found = learned(table(left=cells))
    assert isinstance(found.frame, pl.DataFrame)
    assert found.frame["member"].to_list() == [row["member"] for row in contracts()]
    assert found.frame["churn_basis"].to_list() == ["out_of_fold" if n % 4 else "all_rows" for n in range(300)]
    assert (found.metrics["rows_labelled"], found.metrics["rows_unlabelled"]) == (225, 75)
    assert found.frame["churn_probability"].null_count() == 0


def test_the_order_of_the_rows_changes_nothing() -> None:
    """The same customers in another order have the same probabilities and reasons."""
    given = table()
    order = pl.int_range(given.frame.height, eager=True).sample(fraction=1.0, shuffle=True, seed=3)
    other = labelled.Given(
        given.name, given.frame.gather(order), given.text.gather(order), given.lines.gather(order), given.key.gather(order)
    )
    first, second = (learned(one).frame.lazy().collect().sort("member") for one in (given, other))
    assert first.equals(second)


def test_a_leaking_column_is_refused_by_name_unless_allowed() -> None:
    """A column that knows the label stops with its name; allowed it teaches, and that is said."""
    told = [f"{9 if row['left'] == 'Yes' else 1}{n % 10}" for n, row in enumerate(contracts())]
    given = table(bonus=told)
    with pytest.raises(DataError, match=r"knows the label left by itself: bonus \(AUC 1\.000") as caught:
        learned(given)
    assert "--allow-column bonus" in str(caught.value.fix)
    found = learned(given, allow=("bonus",))
    assert "leak_allowed" in {one.code for one in found.warnings}
    assert found.metrics["leaks_allowed"] == ["bonus"]
    with pytest.raises(UsageError, match="did you mean bonus"):
        learned(given, allow=("bonsu",))


@pytest.mark.parametrize("words", [("Yes", "No"), ("0", "1"), ("left", None)])
def test_a_column_copied_from_the_label_is_refused(words: tuple[str, str | None]) -> None:
    """In the same words, in others, or only where it says who left: by name, and not quietly left out as a copy."""
    left, stayed = words
    given = table(churned_in_window=[left if row["left"] == "Yes" else stayed for row in contracts()])
    with pytest.raises(DataError, match=r"knows the label left by itself: churned_in_window \(AUC 1\.000"):
        learned(given)


def test_a_column_filled_only_for_those_who_left_is_refused() -> None:
    """The reason for leaving: what is missing tells the label."""
    why = [("price" if n % 2 else "moved") if row["left"] == "Yes" else None for n, row in enumerate(contracts())]
    with pytest.raises(DataError, match="why"):
        learned(table(why=why))


@pytest.mark.parametrize("method", ["logistic", "boosted"])
def test_every_number_of_the_reasons_is_the_tables_own(method: str) -> None:
    """`months=3;usual=34`: the first is the cell of that row, the second the same for everybody; of 1,000 drawn rows."""
    draw = random.Random(7)
    drawn = [
        row | {"member": f"D{number:04}", "visits": str(draw.randrange(40))}
        for number, row in enumerate(draw.choices(contracts(), k=1_000))
    ]
    found = learned(table(drawn), method=method).frame.lazy().collect()
    rows = {row["member"]: row for row in drawn}
    usual: dict[str, set[str]] = {}
    told = 0
    for member, reasons in found.select("member", "churn_reasons").drop_nulls().iter_rows():
        pairs = [part.split("=") for part in reasons.split(";")]
        assert [name for name, _ in pairs[1::2]] == ["usual"] * (len(pairs) // 2)
        for (name, cell), (_, other) in zip(pairs[::2], pairs[1::2], strict=True):
            written = rows[member][name].strip("€ ") or "missing"
            assert cell == written or float(cell) == float(written)
            usual.setdefault(name, set()).add(other)
            told += 1
    assert told > 1_000
    assert all(len(one) == 1 for one in usual.values())


def test_hostile_names_and_values_cannot_break_the_reasons() -> None:
    """What separates is written in another way, so every reason can be taken apart again."""
    frame = pl.DataFrame({"a;b=c%": ["x=1;y", "z"]})
    feature = Feature("a;b=c%", ("x=1;y", "z"))
    codes = pl.DataFrame({"0": [0, -1]}).to_numpy()
    assert telling.reason_texts(frame, [feature], [1.0], codes).to_list() == ["a%3Bb%3Dc%25=x%3D1%3By;usual=z", None]


def test_copies_of_a_customer_are_refused_with_their_line() -> None:
    """Two rows of one customer would both teach and test."""
    given = table()
    twice = labelled.Given(given.name, given.frame, given.text, given.lines, given.text["country"])
    with pytest.raises(DataError, match=r"299 rows of contracts\.csv about a customer who has a row already") as caught:
        learned(twice)
    assert caught.value.where == "contracts.csv, column country, line 3"


def test_more_columns_than_can_teach_are_counted() -> None:
    """What would take days is refused before it starts."""
    many = [Feature(f"c{number}", ()) for number in range(labelled_rows.MOST_COLUMNS + 1)]
    with pytest.raises(DataError, match="can teach") as caught:
        learning._check_features(many, [], "t.csv")
    assert caught.value.code == "columns_many"
