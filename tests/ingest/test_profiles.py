"""Source profiles: known by their columns, right to the cent, overridable, and saved so that the next log is read alike."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from clm.errors import ConfigError, DataError, UsageError
from clm.ingest import profiles, saved
from clm.ingest.profiles import Profile
from clm.settings import CleanSettings
from tests.cleaning import Cleaned, clean_files, clean_text
from tests.conftest import ROOT

MADE_UP = Path(__file__).parent / "profiles"
FILES = {
    "shopify": "shopify.csv",
    "woocommerce": "woocommerce.csv",
    "taobao": "taobao.csv",
    "youzan": "youzan.csv",
    "wechat": "wechat.csv",
    "uci-online-retail": "uci-online-retail.csv",
    "cdnow": "cdnow.csv",
    "cdnow without header": "cdnow.txt",
    "olist": "olist",
}
SHOPIFY = (MADE_UP / "shopify.csv").read_text("utf-8")


def of(name: str, folder: Path, **options: Any) -> Cleaned:
    return clean_files([MADE_UP / FILES[name]], folder, **options)


def evidence(done: Cleaned, about: str) -> str:
    return next((f"{one.decision}: {one.because}" for one in done.reading.evidence if one.about == about), "")


@pytest.mark.parametrize(
    ("name", "money", "currency", "rejected", "collapsed"),
    [
        ("shopify", "120.0000", "EUR", {"test_order": 1, "cancelled": 3}, {"order_line": 6}),
        ("woocommerce", "90.0000", "USD", {"cancelled": 4}, {}),
        ("taobao", "203.0000", "CNY", {"cancelled": 2}, {}),
        ("youzan", "140.0000", "CNY", {"cancelled": 2}, {}),
        ("wechat", "80.0000", "CNY", {"cancelled": 1, "not_a_sale": 2}, {}),
        ("uci-online-retail", "50.4400", None, {"no_customer": 1}, {}),
        ("cdnow", "137.3600", "USD", {}, {}),
        ("cdnow without header", "137.3600", "USD", {}, {}),
        ("olist", "251.5000", "BRL", {"cancelled": 1}, {}),
    ],
)
def test_every_source_is_known_and_read_to_the_cent(
    name: str, money: str, currency: str | None, rejected: dict[str, int], collapsed: dict[str, int], tmp_path: Path
) -> None:
    """With no option at all: the profile is recognised and named with its reason, and every row is accounted for."""
    done = of(name, tmp_path)
    outcome = done.settled.outcome
    assert done.settled.refusal is None
    assert evidence(done, "profile").startswith(name.split()[0] + ": ")
    assert outcome.amount is not None
    assert outcome.amount.to_json()["out"] == money
    assert (outcome.currency, outcome.rows.rejected, outcome.rows.collapsed) == (currency, rejected, collapsed)
    assert outcome.rows.rows_in == outcome.rows.rows_out + sum(rejected.values()) + sum(collapsed.values())


@pytest.mark.parametrize("name", ["shopify", "woocommerce", "taobao", "youzan", "wechat", "olist"])
def test_a_profile_nobody_has_checked_says_so(name: str, tmp_path: Path) -> None:
    """What is known from documentation alone is called that, in the evidence the user sees."""
    assert "after the documented columns" in evidence(of(name, tmp_path), "profile")


@pytest.mark.parametrize("name", FILES)
def test_a_saved_profile_reads_the_same_file_in_the_same_way(name: str, tmp_path: Path) -> None:
    """Round trip: rows, rejects and accounting are equal, byte for byte of their content."""
    first = of(name, tmp_path)
    (tmp_path / "shop.toml").write_text(saved(first.log, first.reading), encoding="utf-8")
    again = of(name, tmp_path, profile=str(tmp_path / "shop.toml"))
    assert_frame_equal(first.rows, again.rows)
    assert_frame_equal(first.rejects, again.rejects)
    assert first.settled.outcome.amount == again.settled.outcome.amount
    assert saved(again.log, again.reading).splitlines()[1:] == saved(first.log, first.reading).splitlines()[1:]


@pytest.mark.parametrize(
    ("text", "options"),
    [
        (
            "customer;date;time;qty;price;note\nA;05/03/2024;10:15;2;1.234,50;x\nB;31/03/2024;11:00;1;7,25;y\n",
            {"keep": ("note",)},
        ),
        ("customer,day,paid\nA,2024-01-02T10:00:00+08:00,5\nB,2024-01-03T10:00:00+08:00,6\n", {"tz": "Europe/London"}),
        ("A,2024-01-02,5.00\nB,2024-01-03,6.00\n", {"map": (("amount", "#3"), ("customer_id", "#1"), ("ordered_at", "#2"))}),
        ("客户\t日期\t金额\n张三\t2024年3月5日\t￥1,200.00\n李四\t2024年3月6日\t￥8.00\n", {}),
        (
            'customer,date,"to""tal\\\x7f"\nA,3 Mar 2024,"1,234"\nB,4 Mar 2024,5\n',
            {"decimal": ".", "map": (("amount", 'to"tal\\\x7f'),)},
        ),
        ('customer,date,total\nA,3 Mar 2024 10:15,7\nB,"Mar 4, 2024",5\n', {}),
        ("customer,d,t,total\nA,2024-01-02,10:15,5\nB,2024-01-03,10:16,5\n", {"map": (("ordered_at", "d+t"),)}),
    ],
)
def test_any_reading_can_be_saved(text: str, options: dict[str, Any], tmp_path: Path) -> None:
    """Formats, marks, zones, columns without names and names with odd characters survive being written down."""
    first = clean_text(text, tmp_path, **options)
    (tmp_path / "shop.toml").write_text(saved(first.log, first.reading), encoding="utf-8")
    again = clean_text(text, tmp_path, profile=str(tmp_path / "shop.toml"))
    assert_frame_equal(first.rows, again.rows)
    assert first.rows.height == 2


def test_the_demo_log_can_be_saved(tmp_path: Path) -> None:
    """A log of 701 dirty rows is read in the same way by its own profile, rejects included."""
    first = clean_files([ROOT / "data" / "orders.csv"], tmp_path)
    document = saved(first.log, first.reading)
    (tmp_path / "shop.toml").write_text(document, encoding="utf-8")
    again = clean_files([ROOT / "data" / "orders.csv"], tmp_path, profile=str(tmp_path / "shop.toml"))
    assert_frame_equal(first.rows, again.rows)
    assert_frame_equal(first.rejects, again.rejects)
    people = set(first.column("customer_id"))
    assert not any(person in document for person in people)


@pytest.mark.parametrize(
    "path",
    [
        "coffee/index_1.csv",
        "sales-sample/sales_data_sample.csv",
        "rfm-orders/rfm_data_orders.csv",
        "example-transactions/example_transactions.csv",
        "cdnow/CDNOW_sample.txt",
        "cdnow/cdnowElog.csv",
        "online-retail/by-day",
    ],
)
def test_real_logs_can_be_saved(path: str, shared_data: Path, tmp_path: Path) -> None:
    """The supplied logs are read in the same way by their own profiles: rows and rejects."""
    first = clean_files([shared_data / path], tmp_path)
    (tmp_path / "shop.toml").write_text(saved(first.log, first.reading), encoding="utf-8")
    again = clean_files([shared_data / path], tmp_path, profile=str(tmp_path / "shop.toml"))
    assert_frame_equal(first.rows, again.rows)
    assert_frame_equal(first.rejects, again.rejects)


def test_a_table_of_our_own_has_nothing_to_save(tmp_path: Path) -> None:
    """TRANSACTIONS are read by their columns; a profile of them would only mislead."""
    header = "customer_id,order_id,ordered_at,amount,kind,flags,source_line"
    done = clean_text(f"{header}\nA,1,2024-01-02T00:00:00,5.0000,sale,,2\n", tmp_path)
    with pytest.raises(UsageError, match="needs no profile"):
        saved(done.log, done.reading)


def test_next_months_file_without_a_column_is_named(tmp_path: Path) -> None:
    """The profile and the column are in the answer; a column to carry along counts too."""
    first = clean_text("customer,date,total,note\nA,2024-01-02,5,x\nB,2024-01-03,6,y\n", tmp_path, keep=("note",))
    (tmp_path / "shop.toml").write_text(saved(first.log, first.reading), encoding="utf-8")
    for text, lost in (
        ("customer,date,sum,note\nA,2024-02-02,5,x\n", "total"),
        ("customer,date,total\nA,2024-02-02,5\n", "note"),
    ):
        with pytest.raises(DataError, match=f"shop.toml .* column {lost}") as caught:
            clean_text(text, tmp_path, "next.csv", profile=str(tmp_path / "shop.toml"))
        assert caught.value.code == "profile_column"
    assert "under keep of a profile of your own" in str(caught.value.fix)  # --map knows no such role


def test_a_column_that_tells_what_is_a_sale_must_be_there(tmp_path: Path) -> None:
    """Without it every row would be one; no --map can answer."""
    (tmp_path / "wallet.toml").write_text('[only]\ncolumn = "kind"\nwords = ["sale"]\n', encoding="utf-8")
    with pytest.raises(DataError, match=r"wallet\.toml reads only from the column kind") as caught:
        clean_text("customer,date,total\nA,2024-01-02,5\n", tmp_path, profile=str(tmp_path / "wallet.toml"))
    assert "under only of a profile of your own" in str(caught.value.fix)


def test_a_saved_reading_gives_new_columns_no_role(tmp_path: Path) -> None:
    """Next month's file has one column more, whose name means something: it is read as this month's all the same."""
    first = clean_text("customer,date,total\nA,2024-01-02,5\nB,2024-01-03,6\n", tmp_path)
    (tmp_path / "shop.toml").write_text(saved(first.log, first.reading), encoding="utf-8")
    text = "customer,date,total,status\nA,2024-02-02,5,cancelled\nB,2024-02-03,6,paid\n"
    again = clean_text(text, tmp_path, "next.csv", profile=str(tmp_path / "shop.toml"))
    assert again.rows.height == 2
    assert [notice.code for notice in again.settled.outcome.warnings] == ["status_unused"]


def test_options_win_over_profiles(tmp_path: Path) -> None:
    """option > profile > detection, one by one; `none` reads without any."""
    assert of("taobao", tmp_path, currency="EUR").settled.outcome.currency == "EUR"
    assert of("shopify", tmp_path, map=(("amount", "Subtotal"),)).reading.roles["amount"] == ("Subtotal",)
    assert of("woocommerce", tmp_path, map=(("customer_id", "order_id"),)).column("customer_id")[0] == "5101"
    plain = of("uci-online-retail", tmp_path, profile="none")
    assert plain.log.profile is None
    assert evidence(plain, "profile") == ""
    named = of("taobao", tmp_path, profile="taobao")
    assert evidence(named, "profile").startswith("taobao: given by --profile")
    assert evidence(named, "order_id") == "订单编号: the profile taobao"


def test_a_profile_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    """Naming a profile whose columns are not there is answered with the profile and the first column it misses."""
    with pytest.raises(DataError, match="the profile shopify reads order_id from the column Name"):
        clean_text("customer,date,total\nA,2024-01-02,5\n", tmp_path, profile="shopify")


def test_column_names_are_compared_without_case_and_width(tmp_path: Path) -> None:
    """An export whose header was typed in full width, or in capitals, is still the same source."""
    text = (MADE_UP / "wechat.csv").read_text("utf-8-sig").replace("金额(元)", "金额（元）")
    assert clean_text(text, tmp_path).reading.roles["amount"] == ("金额（元）",)
    assert clean_text(SHOPIFY.replace("Created at", "CREATED AT", 1), tmp_path).rows.height == 3


# one row per order


def test_lines_of_a_rejected_order_are_lines(tmp_path: Path) -> None:
    """The order is one reject with its money; its further rows are collapsed like those of any other order."""
    done = of("shopify", tmp_path)
    cancelled = done.rejects.filter(pl.col("reason") == "cancelled")
    assert cancelled.height == 3
    assert done.settled.outcome.amount is not None
    assert done.settled.outcome.amount.to_json()["rejected"] == {"test_order": "99.0000", "cancelled": "25.0000"}
    assert done.settled.outcome.amount.to_json()["collapsed"] == {"order_line": "0.0000"}


def test_a_line_without_its_order_is_a_reject(tmp_path: Path) -> None:
    """Nobody can say what an order cost whose first row is missing: its lines are rejected, not collapsed."""
    rows = SHOPIFY.splitlines(keepends=True)
    done = clean_text(rows[0] + "".join(rows[2:]), tmp_path, max_rejects=1.0)
    assert done.reasons[2] == done.reasons[3] == "amount"
    assert done.settled.outcome.rows.collapsed == {"order_line": 4}
    assert done.settled.outcome.rows.rejected["amount"] == 2


def test_rows_without_an_amount_are_asked_about(tmp_path: Path) -> None:
    """A log of an unknown shop that writes order fields once is a question, and either answer settles it."""
    text = "order,customer,date,total,item\n" + "".join(
        f"{order},C{order % 3},2024-01-{order + 1:02d},{order}.50,pot\n{order},,,,cup\n" for order in range(1, 9)
    )
    with pytest.raises(DataError, match="further lines of that order") as caught:
        clean_text(text, tmp_path)
    assert "--one-row-per-order yes" in str(caught.value)
    assert "--profile shopify" in str(caught.value)
    done = clean_text(text, tmp_path, one_row_per_order=True)
    assert (done.rows.height, done.settled.outcome.rows.collapsed) == (8, {"order_line": 8})
    assert done.settled.refusal is None
    refused = clean_text(text, tmp_path, one_row_per_order=False)
    assert refused.settled.refusal is not None
    assert refused.settled.outcome.rows.rejected == {"date": 8}


def test_one_row_per_order_needs_orders(tmp_path: Path) -> None:
    """Without an order id no row can be a further line of anything."""
    with pytest.raises(DataError, match="no column for order_id"):
        clean_text("customer,date,total\nA,2024-01-02,5\n", tmp_path, one_row_per_order=True)


def test_the_order_of_the_rows_does_not_matter(tmp_path: Path) -> None:
    """Lines before their order, or in another file, are lines of it all the same."""
    head, *rows = SHOPIFY.splitlines(keepends=True)
    (tmp_path / "a.csv").write_text(head + "".join(rows[1::2]), encoding="utf-8")
    (tmp_path / "b.csv").write_text(head + "".join(rows[::2]), encoding="utf-8")
    turned = clean_files([tmp_path / "a.csv", tmp_path / "b.csv"], tmp_path)
    assert turned.settled.outcome.amount == of("shopify", tmp_path).settled.outcome.amount
    assert turned.settled.outcome.rows.collapsed == {"order_line": 6}


def test_an_export_with_a_row_for_each_item_is_asked_about(tmp_path: Path) -> None:
    """WooCommerce can also write a row per item, with the order's total on each: never added up twice unsaid."""
    head, *rows = (MADE_UP / "woocommerce.csv").read_text("utf-8").splitlines()
    lines = [f"{row},{item}" for row in rows for item in ("pot", "cup")]
    with pytest.raises(DataError, match="repeats the order's total"):
        clean_text("\n".join([f"{head},item_name", *lines]) + "\n", tmp_path)


# wallets and tables


def test_a_wallet_that_mostly_spends_is_asked_about(tmp_path: Path) -> None:
    """A bill of purchases is no order log, unless its owner says so by naming the profile."""
    text = (MADE_UP / "wechat.csv").read_text("utf-8-sig").replace(",收入,", ",支出,", 3)
    with pytest.raises(DataError, match="no order log") as caught:
        clean_text(text, tmp_path)
    assert "--profile wechat" in str(caught.value)
    assert clean_text(text, tmp_path, profile="wechat").settled.outcome.rows.rejected == {"not_a_sale": 5, "cancelled": 1}


def olist(folder: Path, **changed: str) -> list[Path]:
    """The four tables, some with other content (None: left out)."""
    found = []
    for path in sorted((MADE_UP / "olist").iterdir()):
        name = path.stem.removeprefix("olist_").removesuffix("_dataset")
        text = changed.get(name, path.read_text("utf-8"))
        if text:
            found.append(folder / path.name)
            found[-1].write_text(text, encoding="utf-8")
    return found


def test_four_tables_make_one_log(tmp_path: Path) -> None:
    """One row an order: the person of the customer table, the sum of its payments; the items are told to be unused."""
    done = clean_files(olist(tmp_path), tmp_path)
    assert done.column("customer_id") == ["u1", "u2", "u1"]
    assert [str(amount) for amount in done.column("amount")] == ["119.3300", "24.3900", "107.7800"]
    assert [notice.code for notice in done.settled.outcome.warnings] == ["tables_unused"]
    assert len(done.log.sources) == 4


def test_a_table_that_is_missing_or_broken_is_named(tmp_path: Path) -> None:
    """No silent gap: a missing table, a key with two answers and a broken record are questions; unpaid orders are rejects."""
    payments = (MADE_UP / "olist" / "olist_order_payments_dataset.csv").read_text("utf-8")
    people = (MADE_UP / "olist" / "olist_customers_dataset.csv").read_text("utf-8")
    with pytest.raises(DataError, match="needs a file of payments"):
        clean_files(olist(tmp_path, order_payments=""), tmp_path, profile="olist")
    (tmp_path / "olist_order_payments_dataset.csv").unlink(missing_ok=True)
    with pytest.raises(DataError, match="1 key of customers lead"):
        clean_files(olist(tmp_path, customers=people + "c1,u9,1,x,SP\n"), tmp_path)
    with pytest.raises(DataError, match="cannot be cut"):
        clean_files(olist(tmp_path, order_payments=payments + "o4,2,boleto\n"), tmp_path)
    some = "".join(line for line in payments.splitlines(keepends=True) if "o4" not in line) + "o9,1,boleto,1,7.50\n"
    done = clean_files(olist(tmp_path, order_payments=some), tmp_path, max_rejects=1.0)
    assert done.settled.outcome.rows.rejected == {"amount": 1, "cancelled": 1}
    told = next(notice.text for notice in done.settled.outcome.warnings if notice.code == "rows_unlinked")
    assert "1 row of payments (7.50 in all)" in told
    unread = payments.replace("99.33", "lots")
    assert clean_files(olist(tmp_path, order_payments=unread), tmp_path, max_rejects=1.0).reasons[2] == "amount"


# the rules of profiles


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("rolls = 1", "rolls"),
        ("[roles]\nwho = 'x'", "roles.who"),
        ("[roles]\namount = 3", "roles.amount"),
        ("[roles]\namount = []", "roles.amount"),
        ("roles = 'x'", "roles"),
        ("keep = 'note'", "keep"),
        ("keep = [1]", "keep"),
        ("decimal = ';'", "decimal"),
        ("one_row_per_order = 'yes'", "one_row_per_order"),
        ("tz = ''", "tz"),
        ("recognise = ['a']", "recognise"),
        ("shape = ['(']", "shape"),
        ("[status]\npaid = ['x']", "status.paid"),
        ("[only]\ncolumn = 'x'", "only"),
        ("[tables.a]\ncolumns = ['x']", "tables.a"),
        ("[tables.a]\ncolumns = ['x']\nmain = true\n[tables.b]\ncolumns = ['y']\nmain = true", "tables"),
        ("[tables.a]\ncolumns = ['x']\nby = 'y'", "tables.a"),
        ("a" * 100 + " = 1", "aaa"),
        ("x = ", "not TOML"),
        ("x = " + "[" * 5000, "not TOML"),
    ],
)
def test_what_a_profile_may_not_say(text: str, says: str, tmp_path: Path) -> None:
    """Unknown keys, wrong types and unknown roles are 78, with the key and the file."""
    path = tmp_path / "shop.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        profiles.given(str(path))
    assert says in str(caught.value)
    assert "shop.toml" in str(caught.value)


def test_a_profile_that_cannot_be_read(tmp_path: Path) -> None:
    """No file, a folder, bytes that are no text, a name with a zero byte, and a file beyond any profile's size."""
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "huge.toml").write_bytes(b"#" * (2**20 + 1))
    for path in (tmp_path / "gone.toml", tmp_path, tmp_path / "bytes.toml", "a\0b", tmp_path / "huge.toml", "shopfy"):
        with pytest.raises(ConfigError):
            profiles.given(str(path))


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
_KEYS = st.sampled_from(["roles", "map", "keep", "status", "test", "only", "tables", "recognise", "shape", "decimal", "optional"])


@pytest.mark.odd_names
@given(st.dictionaries(_KEYS | st.text(max_size=5), _VALUES, max_size=4))
def test_hostile_profiles_are_refused_or_read(record: dict[str, Any]) -> None:
    """Whatever shape the data has, the answer is a profile or a ConfigError; a profile written down is the same again."""
    lines = []
    for key, value in record.items():
        lines.append(f"{profiles._toml(key)} = {_inline(value)}")
    try:
        found = profiles.parse("\n".join(lines), "x.toml")
    except ConfigError:
        return
    assert profiles.parse(profiles.text(found), "x.toml") == found


def _inline(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{profiles._toml(key)} = {_inline(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_inline(one) for one in value) + "]"
    return "''" if value is None else profiles._toml(value)


@pytest.mark.parametrize("one", profiles.shipped(), ids=lambda one: one.name)
def test_shipped_profiles_keep_their_rules(one: Profile) -> None:
    """Each says what it is and where that is known from, knows its source by what it reads, and survives being written."""
    assert one.about
    assert one.origin
    assert one.recognise or one.tables
    assert {"customer_id", "ordered_at"} <= one.roles.keys()
    assert set(one.optional) <= one.roles.keys()
    assert profiles.parse(profiles.text(one), one.name) == Profile(**{**vars(one), "identity": ""})
    assert (ROOT / "clm" / "ingest" / "profiles" / f"{one.name}.toml").is_file()


def test_records_hold_the_content_of_a_profile(tmp_path: Path) -> None:
    """A file is known by its bytes, so an edit shows; a shipped profile by its name."""
    path = tmp_path / "shop.toml"
    path.write_text("tz = 'Asia/Shanghai'\n", encoding="utf-8")
    before = profiles.recorded(CleanSettings(profile=str(path)))
    path.write_text("tz = 'Asia/Tokyo'\n", encoding="utf-8")
    assert str(before["profile"]).startswith("sha256:")
    assert profiles.recorded(CleanSettings(profile=str(path))) != before
    assert profiles.recorded(CleanSettings(profile="taobao")) == {"profile": "taobao"}
    assert profiles.recorded(CleanSettings()) == {"profile": None}


def test_status_words_of_a_profile_come_first(tmp_path: Path) -> None:
    """A word the profile calls a sale is none of clm's own cancelled ones; one it does not know keeps its usual meaning."""
    path = tmp_path / "shop.toml"
    path.write_text("[status]\nsale = ['Expired']\ncancelled = ['lost']\nreturn = ['Back-order']\n", encoding="utf-8")
    rows = "".join(f"A,2024-01-0{day},{day},{word}\n" for day, word in enumerate(["expired", "lost", "back order", "void"], 1))
    done = clean_text(f"customer,date,total,status\n{rows}", tmp_path, profile=str(path))
    assert done.reasons == {3: "cancelled", 5: "cancelled"}
    assert done.column("kind") == ["sale", "return"]
