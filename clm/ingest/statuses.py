"""Words of status columns: which say that an order never came to be, was taken back, or is itself a return.

It may not judge a record: `stages.clean` does.
"""

from __future__ import annotations

import re

import polars as pl

CANCELLED = (
    "cancelled", "canceled", "cancel", "voided", "void", "failed", "declined", "expired", "unpaid", "not paid", "abandoned",
    "pending payment", "payment pending", "awaiting payment", "payment failed", "payment declined", "checkout draft",
    "已取消", "取消", "订单取消", "交易取消", "订单已取消", "交易关闭", "已关闭", "关闭", "已作废", "作废",
    "未付款", "未支付", "待付款", "待支付", "等待买家付款", "等待付款", "交易失败", "支付失败", "付款失败", "已失效",
    "訂單取消", "訂單已取消", "交易關閉", "已關閉", "關閉", "已作廢", "作廢", "等待買家付款", "交易失敗",
    "支付失敗", "付款失敗", "annulliert", "annulé", "annulée", "anulado", "cancelado", "annullato", "geannuleerd",
    "anulada", "cancelada", "annullata", "anulowane", "anulowano", "anulowany", "anulowana", "zrušeno", "zrušená",
    "отменен", "отменён", "キャンセル", "キャンセル済み", "취소", "취소완료", "주문취소",
)  # fmt: skip
UNPAID = ("pending", "authorized")
# A sale that was undone: with money above zero it is the sale that is gone, below zero it is the return.
UNDONE = (
    "refunded", "fully refunded", "returned", "退款成功", "已退款", "全额退款", "退货成功", "已退货", "storniert", "storno",
    "已退貨", "全額退款", "退貨成功", "售后完成,退款成功", "售后完成，退款成功", "remboursé", "remboursée", "erstattet",
    "reembolsado", "reembolsada", "rimborsato", "rimborsata", "zwrócone", "zwrócono", "terugbetaald", "devuelto", "devolvido",
    "返金済み", "返品済み", "환불완료", "반품완료",
)  # fmt: skip
# A record of its own beside the sale.
RETURN = (
    "refund", "refunds", "return", "returns", "credit note", "credit memo", "chargeback",
    "退款", "退货", "退貨", "退货退款", "退款单", "退货单", "退貨退款", "退款單", "退貨單", "销售退货", "销售退货单",
    "銷售退貨單",
    "销售退款",
    "return order", "returns order", "credit memo request", "payment refund", "payment reversal", "gutschrift", "retoure",
    "rückerstattung", "erstattung", "avoir", "remboursement", "zwrot", "reembolso", "devolución", "devolução", "rimborso", "reso",
    "返品", "返金", "반품", "환불",
)  # fmt: skip

# A sale of which some money went back; how much, another column says or nobody.
PARTLY = (
    "partially refunded", "partial refund", "partly refunded", "partially returned", "partial return",
    "部分退款", "部分退款成功", "部分退货", "部分退货退款",
)  # fmt: skip
# A sale that stands, so far as anybody knows.
SALE = (
    "completed", "complete", "shipped", "partially shipped", "paid", "delivered", "fulfilled", "partially fulfilled",
    "unfulfilled", "processing", "in process", "in progress", "processed", "approved", "success", "successful", "succeeded",
    "settled", "captured", "resolved", "closed", "invoiced", "billed", "confirmed", "accepted", "received", "sent",
    "dispatched", "in transit", "out for delivery", "ready", "ready to ship", "packed", "picked", "picked up", "done", "ok",
    "yes", "finished", "active", "sale", "sales", "sold", "order", "ordered", "purchase", "payment", "placed", "交易成功",
    "已完成", "完成", "订单完成", "已发货", "卖家已发货", "等待买家确认收货", "买家已付款", "买家已付款,等待卖家发货",
    "等待卖家发货", "已付款", "已支付", "支付成功", "付款成功", "已收货", "已签收", "已确认", "待发货", "待收货", "待评价",
    "已评价", "交易完成", "成功", "配送中", "已出库", "正常", "有效", "销售", "已成交", "已结算", "对方已收钱", "充值成功",
    "已存入零钱", "bezahlt", "versendet", "versandt", "abgeschlossen", "geliefert", "payé", "payée", "livré", "livrée",
    "expédié", "expédiée", "terminé", "terminée", "pagado", "pagada", "enviado", "entregado", "completado", "pago", "paga",
    "concluído", "concluída",
    "entregue",     "opłacone", "wysłane", "zrealizowane", "dostarczone", "zakończone", "pagato", "spedito", "consegnato",
    "completato",
    "发货后完成", "已发货,待签收", "已发货，待签收", "待签收", "交易完结", "website payment",
    "express checkout payment", "mobile payment",
)  # fmt: skip

# Words that say "cancelled" of a status and may mean anything in another column.
VAGUE = ("关闭", "關閉", "已关闭", "已關閉", "expired", "failed", "declined", "void", "reso", "avoir", "unpaid", "not paid")
# What moves money in an account and is nobody's purchase.
MOVED = ("withdrawal", "general withdrawal", "payout", "提现", "提現")


def said(cell: pl.Expr) -> pl.Expr:
    """The word as the lists write it."""
    return cell.str.strip_chars().str.to_lowercase().str.replace_all(r"[_\-\s]+", " ")


def word(written: str) -> str:
    """The same for one word."""
    return re.sub(r"[_\-\s]+", " ", written.strip().lower())


def about_payment(column: str) -> bool:
    """Whether a column's name says that its `pending` means unpaid."""
    lowered = column.lower()
    return any(word in lowered for word in ("financial", "payment", "paid", "付款", "支付"))
