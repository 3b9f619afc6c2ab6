"""Money: whether the column taken as what was paid is that, told by the other columns of numbers beside it.

It may not guess. What nearly all rows prove is taken, with the evidence; what they leave open is a question with its options,
or a notice.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

import polars as pl

from clm.errors import DataError
from clm.ingest import numbers
from clm.ingest.evidence import Evidence
from clm.ingest.text import TextLog
from clm.outcome import Notice
from clm.settings import typed

_ENOUGH, _HALF = 0.95, 0.5
_FEWEST = 2
_MOST_COLUMNS = 60
_CENT = 0.011
_FEE = re.compile(r"(?i)\bfees?\b|commission|provision|comisi[oó]n|手续费|手續費|佣金")
_DISCOUNT = re.compile(
    r"(?i)discount|rabatt?\b|remise|descuento|desconto|sconto|zniżka|korting|markdown|coupon|voucher|折扣|优惠|優惠|立减|立減|減免|减免|割引|할인"
)
_RATE = re.compile(r"(?i)rate|percent|pct|prozent|%|code|name|type|率|比例|折率|券码|名称|类型|編號|编号")
_GROSS = re.compile(
    r"(?i)gross|sub.?total|before|list|brutto?\b|original|原价|原價|总价|總價|小计|小計|订单金额|訂單金額|订单总额|商品金额|商品總額|商品总额|吊牌"
)
_PAID = re.compile(
    r"(?i)net|pa(?:id|y)|received|collected|total|due|charged|ttc|gezahlt|payé|pagado|pago|实付|實付|实收|實收|实际|應付|应付|支付|付款|成交|结算"
)


@dataclass(frozen=True)
class _Numbers:
    """The columns of numbers among the sample's, as Decimal(18, 4), and the names of those that nothing else reads."""

    table: pl.DataFrame
    free: tuple[str, ...]

    def share(self, one: pl.Expr, other: pl.Expr, where: pl.Expr) -> float:
        """In what share of the rows where both are there and `where` holds the two are equal to the cent; 0 for too few rows."""
        rows = self.table.filter(where).select(gap=(one - other).cast(pl.Float64).abs()).drop_nulls()
        return 0.0 if rows.height < _FEWEST else float((rows["gap"] < _CENT).mean() or 0)  # type: ignore[arg-type]

    def first(self, made: pl.Expr, where: pl.Expr, but: Collection[str]) -> str | None:
        """The first free column that nearly every row proves equal to `made`."""
        return next((name for name in self.free if name not in but and self.share(made, pl.col(name), where) >= _ENOUGH), None)


def settled(
    log: TextLog, found: dict[str, tuple[str, ...]], counts: list[str], decimal: str | None, evidence: list[Evidence]
) -> list[Notice]:
    """Change `amount` in `found` where the rows prove another column; `counts` are columns called a quantity that no role reads.

    Raises `DataError` when they contradict the amount and prove nothing else.
    """
    if "amount" not in found:
        _question_unread_quantity(log, found, counts)
        return []
    if not log.sample.height:
        return []
    there = _read(log, found, decimal)
    _counted(there, found, evidence)
    _after_fee(there, found, evidence)
    return _before_discount(there, found, evidence)


def _read(log: TextLog, found: dict[str, tuple[str, ...]], decimal: str | None) -> _Numbers:
    taken = {
        column for role, columns in found.items() for column in columns if role not in ("discount", "returned_amount", "cost")
    }
    numeric: dict[str, pl.Expr] = {}
    needed = [found[role][0] for role in ("amount", "quantity", "unit_price") if role in found]
    for column in [*needed, *(one for one in log.columns[:_MOST_COLUMNS] if one not in taken)]:
        fit = numbers.fit(log.sample[column])
        if fit.filled and max(fit.dot, fit.comma) >= _ENOUGH * fit.filled:
            mark: numbers.Mark = "," if decimal == "," or (decimal is None and fit.comma > fit.dot) else "."
            numeric[column] = numbers.money(numbers.canonical(pl.col(column), mark))
    table = log.sample.select(value.alias(column) for column, value in numeric.items())
    return _Numbers(table, tuple(column for column in table.columns if column not in needed))


def _question_unread_quantity(log: TextLog, found: dict[str, tuple[str, ...]], counts: list[str]) -> None:
    """`2 pcs` beside a price: what was paid is not the price."""
    filled = [column for column in counts if (log.sample[column].str.strip_chars() != "").any()]
    if "quantity" in found or "unit_price" not in found or not filled:
        return
    price = found["unit_price"][0]
    raise DataError(
        f"{filled[0]} holds no numbers clm can read, so what was paid at {price} each is not known.",
        where=f"columns {filled[0]}, {price}",
        fix=f"write quantities as numbers alone; or, if {price} is what was paid for the line, {typed('map', f'amount={price}')}",
        code="quantity_unread",
    )


def _counted(there: _Numbers, found: dict[str, tuple[str, ...]], evidence: list[Evidence]) -> None:
    """`Amount` 1, 2, 3 beside a price: a number of pieces. Amount × price = Total in every row proves it."""
    amount, price = found["amount"][0], found.get("unit_price", ("",))[0]
    if not {amount, price} <= set(there.table.columns):
        return
    a, p = pl.col(amount), pl.col(price)
    units = there.table[found["quantity"][0]] if "quantity" in found and found["quantity"][0] in there.table.columns else None
    if units is not None and there.share(a, (pl.col(found["quantity"][0]) * p).cast(numbers.SUM), pl.lit(True)) >= _ENOUGH:
        return
    telling = (a != 0) & (a != 1) & (p != 0) & (p != 1)
    total = there.first((a * p).cast(numbers.SUM), telling, ())
    if total is not None and there.share((a * p).cast(numbers.SUM), pl.col(total), pl.lit(True)) >= _ENOUGH:
        found["amount"] = (total,)
        evidence.append(Evidence("amount", total, f"{amount} × {price} makes it: {amount} counts units"))
        if units is None:
            found["quantity"] = (amount,)
            evidence.append(Evidence("quantity", amount, f"× {price} it makes {total}"))
        return
    rows = there.table.filter((a != p) & (a > 0) & (p > 0))
    if units is not None or not rows.height or not bool((rows[amount] % 1 == 0).all()):
        return
    odd = float((rows[price] % 1 != 0).mean() or 0), float((rows[amount] < rows[price]).mean() or 0)  # type: ignore[arg-type]
    if max(odd) <= _HALF:
        return
    raise DataError(
        f"{amount} holds whole numbers beside the prices of {price}: it may be money, or how many pieces.",
        where=f"columns {amount}, {price}",
        fix=f"if it counts pieces, {typed('map', f'quantity={amount}')} {typed('map', f'unit_price={price}')}; "
        f"if it is money, {typed('map', f'amount={amount}')}",
        code="amount_or_count",
    )


def _after_fee(there: _Numbers, found: dict[str, tuple[str, ...]], evidence: list[Evidence]) -> None:
    """What is left after the fee of whoever moved the money is not what the customer paid."""
    amount = found["amount"][0]
    if amount not in there.table.columns:
        return
    for fee in (one for one in there.free if _FEE.search(one)):
        charged = (pl.col(fee) != 0) & (pl.col(amount) > 0)
        before = there.first((pl.col(amount) + pl.col(fee).abs()).cast(numbers.SUM), charged, (fee,))
        if before is not None:
            found["amount"] = (before,)
            evidence.append(Evidence("amount", before, f"{amount} is {before} less {fee}, which the customer paid too"))
            return


def _before_discount(there: _Numbers, found: dict[str, tuple[str, ...]], evidence: list[Evidence]) -> list[Notice]:
    """Whether a discount stands beside the amount that is still to come off."""
    amount = found["amount"][0]
    discounts = [one for one in there.free if _DISCOUNT.search(one) and not _RATE.search(one) and (there.table[one] != 0).any()]
    if not discounts or amount not in there.table.columns:
        return []
    money = pl.col(amount)
    for off in _offs(discounts):
        some = (off != 0).fill_null(False)
        if there.first((money + off).cast(numbers.SUM), some, discounts) is not None:
            return []
        if {"quantity", "unit_price"} <= found.keys():
            full = pl.col(found["quantity"][0]) * pl.col(found["unit_price"][0])
            if there.share((full - off).cast(numbers.SUM), money, some) >= _ENOUGH:
                return []
    for off in _offs(discounts):
        some = (off != 0).fill_null(False)
        net = there.first((money - off).cast(numbers.SUM), some, discounts)
        if net is not None:
            found["amount"] = (net,)
            evidence.append(Evidence("amount", net, f"{amount} less {' and '.join(discounts)} makes it"))
            return []
    discount = max(discounts, key=lambda one: int((there.table[one] != 0).sum()))
    both = f"{typed('map', f'amount={amount}')} {typed('map', f'discount={discount}')}"
    rate = bool((there.table[discount].abs() <= 1).all())
    if _GROSS.search(amount) and not rate:
        raise DataError(
            f"{discount} may still have to come off {amount}, or be in it already: no column of what was paid tells.",
            where=f"columns {amount}, {discount}",
            fix=f"if it comes off, {both}; if {amount} is what was paid, {typed('map', f'amount={amount}')}",
            code="discount",
        )
    if _PAID.search(amount) and not _GROSS.search(amount):
        return []
    hint = "it looks like a rate; if it is money that comes off" if rate else "if it still comes off"
    return [
        Notice("discount_unused", f"{discount} was not taken off {amount}, which is taken as what was paid: {hint}, say {both}")
    ]


def _offs(discounts: list[str]) -> list[pl.Expr]:
    """Each discount, and all of them together; shops write 5 or -5."""
    each = [pl.col(one).abs() for one in discounts]
    return [*each, pl.sum_horizontal(one.fill_null(0) for one in each)] if len(each) > 1 else each
