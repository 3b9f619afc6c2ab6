"""The rule language: what a rule says of five known rows, what is no rule and where it breaks."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clm.expressions import ExpressionError, parse
from clm.expressions.meaning import compiled

# five orders; the last knows nothing
ROWS = pl.DataFrame(
    {
        "amount": [Decimal("10"), Decimal("99.9999"), Decimal("100000.01"), Decimal("-5.5"), None],
        "orders": [1, 2, 3, 4, None],
        "share": [0.1, 0.35, 0.5, 1e20, None],
        "product_id": ["POST", "gift_0001_40", "85123A", "O'Neill", None],
        "country": ["UK", "中国", " ", "", None],
        "金额": [1, 2, 3, 4, None],
        "order total": [5, 6, 7, 8, None],
        "first_on": [date(2024, 1, 1), date(2024, 6, 30), date(2024, 12, 31), date(1999, 2, 28), None],
        "ordered_at": [
            datetime(2024, 1, 1), datetime(2024, 6, 30, 23, 59), datetime(2024, 12, 31, 10, 15), datetime(1999, 2, 28, 1), None,
        ],
        "late": [True, False, True, False, None],
    },
    schema_overrides={"amount": pl.Decimal(38, 4), "orders": pl.Int64},
)  # fmt: skip

VALID = """
amount > 100000                                   | 3
amount >= 10                                      | 1 2 3
amount < 10                                       | 4
amount <= 10                                      | 1 4
amount = 10                                       | 1
amount == 10                                      | 1
amount != 10                                      | 2 3 4
amount <> 10                                      | 2 3 4
amount = 10.0000                                  | 1
amount = 99.9999                                  | 2
amount > 99.99989                                 | 2 3
amount < 99.999901                                | 1 2 4
amount > -5.5                                     | 1 2 3
amount = -5.5                                     | 4
10 < amount                                       | 2 3
10 <= amount < 100                                | 1 2
-10 < amount <= 10 < 20                           | 1 4
AMOUNT_OR_NOT                                     | !
not amount > 10                                   | 1 4
not (amount > 10)                                 | 1 4
not not amount > 10                               | 2 3
amount is empty                                   | 5
amount is not empty                               | 1 2 3 4
not amount is empty                               | 1 2 3 4
amount > 10 and orders > 2                        | 3
amount > 10 or orders > 2                         | 2 3 4
amount > 10 AND orders > 2                        | 3
amount > 10 or orders = 1 and late                | 1 2 3
(amount > 10 or orders = 1) and late              | 1 3
late and not amount > 10                          | 1
amount in (10, 99.9999)                           | 1 2
amount not in (10, 99.9999)                       | 3 4
amount in (-5.5)                                  | 4
orders = 2                                        | 2
orders > 2.5                                      | 3 4
orders >= 2.000000                                | 2 3 4
orders in (1,4)                                   | 1 4
orders < amount                                   | 1 2 3
orders = 金额                                      | 1 2 3 4
金额 >= 3                                          | 3 4
`金额` >= 3                                        | 3 4
`order total` = 7                                 | 3
`order total` > orders                            | 1 2 3 4
share = 0.35                                      | 2
share = 35%                                       | 2
share >= 35%                                      | 2 3 4
share > 0.01%                                     | 1 2 3 4
share < 12.5%                                     | 1
share > 100000                                    | 4
share < orders                                    | 1 2 3
product_id = "POST"                               | 1
product_id = 'POST'                               | 1
product_id = "post"                               |
product_id != "POST"                              | 2 3 4
product_id in ("POST", "85123A")                  | 1 3
product_id not in ("POST", "85123A")              | 2 4
not product_id in ("POST", "85123A")              | 2 4
product_id like "gift_*"                          | 2
product_id like "GIFT_*"                          | 2
product_id like "????"                            | 1
product_id like "*a"                              | 3
product_id like "85123?"                          | 3
product_id not like "gift_*"                      | 1 3 4
product_id like "*"                               | 1 2 3 4
product_id like "p.st"                            |
product_id = 'O''Neill'                           | 4
product_id = "O'Neill"                            | 4
product_id like "o'*"                             | 4
product_id > "A"                                  | 1 2 4
product_id is empty                               | 5
country is empty                                  | 3 4 5
country is not empty                              | 1 2
country = "中国"                                   | 2
country like "中*"                                 | 2
country = ""                                      | 4
country in ("UK", "中国")                           | 1 2
first_on >= 2024-06-30                            | 2 3
first_on = 2024-01-01                             | 1
first_on < 2000-01-01                             | 4
2024-01-01 <= first_on <= 2024-06-30              | 1 2
first_on in (2024-01-01, 1999-02-28)              | 1 4
first_on != 2024-01-01                            | 2 3 4
ordered_at <= 2024-06-30                          | 1 2 4
ordered_at = 2024-06-30                           | 2
ordered_at > 2024-06-30                           | 3
ordered_at > 2024-06-30T12:00                     | 2 3
ordered_at = 2024-12-31T10:15                     | 3
ordered_at <= 2024-12-31T10:15:00                 | 1 2 3 4
ordered_at >= first_on                            | 1 2 3 4
ordered_at is empty                               | 5
late                                              | 1 3
not late                                          | 2 4
late = true                                       | 1 3
late != true                                      | 2 4
late = false                                      | 2 4
late is empty                                     | 5
true                                              | 1 2 3 4 5
false                                             |
late or true                                      | 1 2 3 4 5
(((amount > 10)))                                 | 2 3
amount>10and orders<3                             | !
amount>10 and orders<3                            | 2
（金额 ＞ 3）                                        | 4
金额 in （1，2）                                     | 1 2
country = “中国”                                   | 2
product_id = ‘POST’                               | 1
金额 ！= 3                                         | 1 2 4
share ＜ 35％                                      | 1
"""

INVALID = """
|0
   |0
amount|0
amount >|8
amount > >|9
> 5|0
amount > 5 and|14
amount > 5 or|13
and amount > 5|0
amount > 5 amount|11
amount > 5 5|11
(amount > 5|11
amount > 5)|10
((amount > 5)|13
()|1
not|3
not not|7
amount not 5|11
amount not|10
amount is|9
amount is 5|10
amount is not|13
amount is null|10
amount in|9
amount in 5|10
amount in (|11
amount in ()|11
amount in (5|12
amount in (5,|13
amount in (5,)|13
amount in (5 6)|13
amount in (orders)|11
amount in ((5))|11
amount like "x"|0
product_id like|15
product_id like 5|16
product_id like product_id|16
product_id like "x|16
product_id = "x|13
product_id = 'x|13
product_id = 'it's'|18
`order total|0
`` = 5|0
order total = 7|6
5|1
5 = |3
"x"|3
2024-01-01|10
5 and 6|2
amount + 5 > 6|7
amount * 2 > 6|7
amount / 2 > 6|7
amount - 5 > 6|7
-amount > 5|0
--5 < amount|0
amount > +5|9
amount > 1e5|9
amount > 1_000|9
amount > 1,000|10
amount > .5|9
amount > 5.|9
amount > 0x10|9
amount > 1.2.3|9
amount > 100000000000000000000000|9
amount > 0.1234567|9
amount > 0.12345%|9
amount > $5|9
amount > 5;|10
amount > 5 # note|11
amount > 5 -- note|11
amount => 5|8
amount =< 5|8
amount === 5|9
amount ! 5|7
amount !> 5|7
amount & 5|7
amount > 5 && orders > 1|11
amount > 5 or or orders > 1|14
amont > 5|0
Amount > 5|0
amount > ordrs|9
amount.real > 5|6
amount[0] > 5|6
amount() > 5|6
len(product_id) > 5|3
__import__('os')|10
__class__ = 5|0
lambda x: x|8
amount > 5 if late else 6|11
{amount} > 5|0
\\x > 5|0
product_id = POST|13
product_id > 5|11
product_id = 85123|11
product_id = 2024-01-01|11
country = true|8
amount = "10"|7
amount > 2024-01-01|7
first_on > 5|9
first_on > "2024-01-01"|9
first_on > 2024-13-01|11
first_on > 2024-02-30|11
ordered_at > 2024-01-01T25:00|13
first_on > 2024-01|15
late > 5|5
late > true|5
late < false|5
product_id|0
first_on|0
not amount|4
amount > 5 and product_id|15
true > false|5
"""


def cases(table: str) -> list[tuple[str, str]]:
    return [(rule.rstrip(), rest.strip()) for rule, _, rest in (line.rpartition("|") for line in table[1:-1].split("\n"))]


def holds(rule: str) -> list[int]:
    mask = ROWS.with_columns(compiled(parse(rule), ROWS.schema).alias("holds"))["holds"]
    assert mask.null_count() == 0
    return [row + 1 for row, yes in enumerate(mask.to_list()) if yes]


@pytest.mark.parametrize(("rule", "rows"), [case for case in cases(VALID) if case[1] != "!"], ids=lambda one: one[:40])
def test_a_rule_holds_for_the_rows_it_says(rule: str, rows: str) -> None:
    """Each rule picks exactly the rows written beside it."""
    assert holds(rule) == [int(row) for row in rows.split()]


@pytest.mark.parametrize(("rule", "at"), cases(INVALID), ids=lambda one: one[:40])
def test_what_is_no_rule_is_refused_at_its_character(rule: str, at: str) -> None:
    """A text that is no rule, or asks what the table cannot answer, is refused, pointing at the character."""
    with pytest.raises(ExpressionError) as caught:
        holds(rule)
    assert caught.value.at == int(at), str(caught.value)


def test_there_are_a_hundred_of_each() -> None:
    """The two tables above are as long as they should be."""
    assert len(cases(VALID)) >= 100
    assert len(cases(INVALID)) >= 100


def test_the_mark_stands_before_the_character() -> None:
    """The message is one line and shows the rule with a mark at the fault, also behind wide characters and in a long rule."""
    with pytest.raises(ExpressionError) as caught:
        parse("金额 > 5 ;")
    assert str(caught.value) == "this means nothing here, at character 8: 金额 > 5 ^;"
    with pytest.raises(ExpressionError) as caught:
        parse("amount > 5 and " * 20 + ";")
    said = str(caught.value)
    assert said.endswith("5 and ^;")
    assert len(said) < 100
    assert "\n" not in said


@pytest.mark.parametrize(
    "rule", ["(" * 5000 + "late" + ")" * 5000, "not " * 900 + "late", "late or " * 1000 + "late", "x" * 5000]
)
def test_a_monster_is_refused_before_it_costs_anything(rule: str) -> None:
    """Depth and length end in an error, not in a stack overflow."""
    with pytest.raises(ExpressionError):
        parse(rule)


def test_a_long_list_of_alternatives_is_fine() -> None:
    """Hundreds of values side by side are no depth."""
    rule = f"orders in ({', '.join(str(number) for number in range(2, 600))})"
    assert holds(rule) == [2, 3, 4]


def test_a_rule_tells_its_columns() -> None:
    """The columns a rule asks come each once, in the order of the text."""
    rule = "late or (`order total` > amount and amount in (1, 2)) or not product_id like 'x' or amount is empty"
    assert parse(rule).columns() == ("late", "order total", "amount", "product_id")


PIECES = [
    "amount",
    "orders",
    "product_id",
    "late",
    "first_on",
    "`order",
    "total`",
    "金额",
    "nothing",
    "5",
    "-2.5",
    "35%",
    '"x"',
    "'",
    '"',
    "`",
    "2024-06-30",
    "2024-99-99",
    "(",
    ")",
    ",",
    "and",
    "or",
    "not",
    "in",
    "like",
    "is",
    "empty",
    "true",
    "=",
    "!=",
    "<",
    ">=",
    "-",
    "（",
    "，",
    "“",
    "”",
    "\x00",
    "__class__",
    ".",
    "[",
    "{",
    ";",
    "import",
    "\u202e",
    "\ud7ff",
]


@given(st.lists(st.sampled_from(PIECES), max_size=25).map(" ".join) | st.text(max_size=80))
def test_any_text_is_a_rule_or_an_error(text: str) -> None:
    """Whatever is written either means yes or no for every row, or is refused with a place inside the text."""
    try:
        found = holds(text)
    except ExpressionError as error:
        refused = error
    else:
        assert set(found) <= {1, 2, 3, 4, 5}
        return
    assert 0 <= refused.at <= len(text)
    assert str(refused)


@given(st.decimals(min_value=-(10**13), max_value=10**13, places=4), st.decimals(min_value=-(10**13), max_value=10**13, places=4))
def test_money_compares_exactly(amount: Decimal, threshold: Decimal) -> None:
    """A comparison with money is the comparison of decimals, to the last digit."""
    table = pl.DataFrame({"amount": [amount]}, schema={"amount": pl.Decimal(18, 4)})
    for sign, truth in ((">", amount > threshold), ("=", amount == threshold), ("<=", amount <= threshold)):
        rule = parse(f"amount {sign} {threshold:f}")
        assert table.select(compiled(rule, table.schema)).item() is truth


def test_money_that_floats_cannot_tell_apart_compares_exactly() -> None:
    """Two sums one unit of the last place apart are one float; a column of floats is compared as floats."""
    money = pl.DataFrame({"amount": [Decimal("9007199254740992.0001"), Decimal("9007199254740992.0002")]})
    held = {
        rule: money.select(compiled(parse(rule), money.schema)).to_series().to_list()
        for rule in ("amount = 9007199254740992.0001", "amount > 9007199254740992.0001", "amount < 9007199254740992.0002")
    }
    assert list(held.values()) == [[True, False], [False, True], [True, False]]
    floats = pl.DataFrame({"share": [0.1 + 0.2, 0.3]})
    assert floats.select(compiled(parse("share = 0.3"), floats.schema)).to_series().to_list() == [False, True]


@pytest.mark.parametrize(
    ("rule", "says", "at"),
    [
        ("country = 5", "country is text: put the value in quotes", 8),
        ("5 = country", "country is text: put the value in quotes", 2),
        ("amount = 'x'", "amount is a number: write a number without quotes", 7),
        ("'x' = amount", "amount is a number: write a number without quotes", 4),
        ("first_on = '2024-01-01'", "first_on is a day: write a day without quotes", 9),
        ("ordered_at = 'x'", "ordered_at is a moment: write a moment without quotes", 11),
        ("country = true", "country is text and the value is yes or no: they do not compare", 8),
        ("true = country", "the value is yes or no and country is text: they do not compare", 5),
        ("late = 5", "late is yes or no and the value is a number: they do not compare", 5),
        ("'x' = 5", "the value is text and the value is a number: they do not compare", 4),
        ("amount = country", "amount is a number and country is text: they do not compare", 7),
        ("country = first_on", "country is text and first_on is a day: they do not compare", 8),
        ("amout > 5", "there is no column amout: did you mean amount?", 0),
    ],
)
def test_what_does_not_compare_is_said_with_what_to_write(rule: str, says: str, at: int) -> None:
    """Quotes to put or to leave out where that would do, whichever side the column is on; else what both sides are."""
    with pytest.raises(ExpressionError) as raised:
        compiled(parse(rule), ROWS.schema)
    assert (raised.value.what, raised.value.at) == (says, at)


def test_a_column_of_another_kind_cannot_be_asked() -> None:
    """Lists, records and spans of time have no values a rule could write."""
    for dtype in (pl.List(pl.Int64), pl.Struct({"a": pl.Int64}), pl.Duration("us"), pl.Binary()):
        with pytest.raises(ExpressionError, match="which no rule can ask"):
            compiled(parse("odd = 1"), {"odd": dtype})
