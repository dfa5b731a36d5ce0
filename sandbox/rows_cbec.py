"""Rows of the CBEC platform (跨境电商公共服务平台): the order and the three documents that follow it.

The four documents of one purchase share order_no, buyer, amount and firms; order, payment, waybill and list come within half
an hour, on one day. On a planted share of the orders one of the four does not match.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from sandbox import days
from sandbox.days import DayPlan
from sandbox.draws import amounts, chosen, guids, numbered, pick, repeats, seconds
from sandbox.messages import xml_body
from sandbox.pools import Pools, draw
from sandbox.tables import catalog

MISMATCH_SHARE = 0.002
OTHER_DOCUMENT_SHARE = 0.02
MISMATCHES = ("payment_amount", "payment_order", "waybill_order", "list_buyer")
# the firms with these places in the register play these parts
SHOPS, PLATFORMS, CARRIERS, PAYERS = slice(100, 600), slice(0, 12), slice(12, 40), slice(40, 48)
EXPORT_MODES = ("9710", "9810")
TAX_RATE = 0.091
RMB = "142"


def rows(rng: np.random.Generator, cast: Pools, plans: Sequence[DayPlan]) -> tuple[dict[str, pl.DataFrame], pl.DataFrame]:
    """The platform's tables for these days, and the messages that carried the documents (input of `messages.log_rows`)."""
    purchases = _purchases(rng, cast, days.documents(rng, plans, "ceb_order", 1.0, days.SHOP_HOURS))
    purchases = _with_mismatches(rng, cast, purchases)
    frames = {
        "ceb_order": _orders(purchases),
        "ceb_logistics": _waybills(purchases),
        "ceb_payment": _payments(purchases),
        "ceb_inv_head": _lists(rng, purchases),
        "ceb_inv_list": _list_lines(rng, cast, purchases),
    }
    return frames, _letters(plans, purchases)


def _purchases(rng: np.random.Generator, cast: Pools, heads: pl.DataFrame) -> pl.DataFrame:
    """One row per purchase with all that its four documents share."""
    n = len(heads)
    buyer = draw(rng, cast.people, n).rename(lambda column: f"buyer_{column}")
    taker = draw(rng, cast.people, n).rename(lambda column: f"taker_{column}")
    firms = _parties(rng, cast, n)
    self_taken = pl.Series(~chosen(rng, n, 0.1))
    purchases = pl.concat([heads, buyer, taker, firms], how="horizontal")
    purchases = purchases.with_columns(
        *(pl.when(self_taken).then(f"buyer_{c}").otherwise(f"taker_{c}").alias(f"taker_{c}") for c in cast.people.columns),
        order_no=numbered("T", heads["number"], 18),
        pay_no=numbered("P", heads["number"], 18) + numbered("", rng.integers(0, 10_000, n), 4),
        waybill_no=numbered("TL", heads["number"], 18),
        trade_mode=pick(rng, ("1210", "9610", *EXPORT_MODES), n, (0.6, 0.3, 0.06, 0.04)),
        customs=pick(rng, list(catalog().codes["customs_district_guangzhou"]), n),
        goods_value=amounts(rng, n, 15, 3000),
        freight=amounts(rng, n, 0, 30),
        discount=amounts(rng, n, 0, 12),
        weight=amounts(rng, n, 0.1, 12, 3),
        **{f"{name}_guid": guids(rng, n) for name in ("order", "payment", "waybill", "list")},
        **_later_moments(rng, heads),
    )
    return (
        _with_documents(rng, purchases)
        .with_columns(tax=(pl.col("goods_value") * TAX_RATE).round(2))
        .with_columns(
            paid=(pl.col("goods_value") + pl.col("freight") + pl.col("tax") - pl.col("discount")).round(2),
            ie_flag=pl.when(pl.col("trade_mode").is_in(EXPORT_MODES)).then(pl.lit("E")).otherwise(pl.lit("I")),
            bill_no=numbered("TSTB", heads["number"].to_numpy() // 100, 16),
        )
    )


def _parties(rng: np.random.Generator, cast: Pools, n: int) -> pl.DataFrame:
    """Code and name of the shop, its platform, the carrier and the payment firm."""
    parts = {"ebc": SHOPS, "ebp": PLATFORMS, "carrier": CARRIERS, "payer": PAYERS}
    return pl.concat(
        [
            draw(rng, cast.firms[places], n).select(**{f"{part}_code": "social_credit_code", f"{part}_name": "corp_name"})
            for part, places in parts.items()
        ],
        how="horizontal",
    )


def _later_moments(rng: np.random.Generator, heads: pl.DataFrame) -> dict[str, np.ndarray]:
    """Payment, waybill and list follow the order by minutes; the customs answer follows the list by seconds."""
    order = heads["moment"].to_numpy()
    payment = order + seconds(rng.integers(5, 300, len(heads)))
    waybill = payment + seconds(rng.integers(60, 600, len(heads)))
    listed = waybill + seconds(rng.integers(60, 600, len(heads)))
    answer = listed + seconds(rng.integers(2, 90, len(heads)))
    return {"paid_at": payment, "sent_at": waybill, "listed_at": listed, "answered_at": answer}


def _with_documents(rng: np.random.Generator, purchases: pl.DataFrame) -> pl.DataFrame:
    """Most buyers show the resident id (1), a few another document (2): then the number is a passport's."""
    n = len(purchases)
    other = pl.Series(chosen(rng, n, OTHER_DOCUMENT_SHARE))
    return purchases.with_columns(
        id_type=pl.when(other).then(pl.lit("2")).otherwise(pl.lit("1")),
        id_number=pl.when(other).then(numbered("E", rng.integers(0, 10**8, n), 8)).otherwise("buyer_id_no"),
    )


def _with_mismatches(rng: np.random.Generator, cast: Pools, purchases: pl.DataFrame) -> pl.DataFrame:
    """Plant the share of purchases whose payment, waybill or list does not match the order."""
    places = np.flatnonzero(chosen(rng, len(purchases), MISMATCH_SHARE))
    kinds = np.full(len(purchases), -1)
    kinds[places] = np.arange(len(places)) % len(MISMATCHES)
    wrong = {name: pl.Series(kinds == kind) for kind, name in enumerate(MISMATCHES)}
    stray = pl.col("order_no").str.replace("^T", "X")
    stranger = draw(rng, cast.people, len(purchases))["id_no"]
    return purchases.with_columns(
        payment_amount=pl.when(wrong["payment_amount"]).then(pl.col("paid") + 1).otherwise("paid"),
        payment_order=pl.when(wrong["payment_order"]).then(stray).otherwise("order_no"),
        waybill_order=pl.when(wrong["waybill_order"]).then(stray).otherwise("order_no"),
        list_buyer_id=pl.when(wrong["list_buyer"]).then(stranger).otherwise("id_number"),
    )


def _orders(purchases: pl.DataFrame) -> pl.DataFrame:
    return purchases.select(
        "order_no", "ebp_code", "ebp_name", "ebc_code", "ebc_name", "goods_value", "freight", "discount", "buyer_reg_no",
        "buyer_name", "in_tables", guid="order_guid", app_type=pl.lit("1"), app_time="moment", order_type="ie_flag",
        tax_total="tax", actual_paid="paid", currency=pl.lit(RMB), buyer_id_type="id_type", buyer_id_number="id_number",
        buyer_telephone="buyer_mobile", pay_code="payer_code", pay_transaction_id="pay_no", consignee="taker_name",
        consignee_telephone="taker_mobile", consignee_address="taker_address", consignee_district="taker_district",
        note=pl.lit(None, pl.String),
    )  # fmt: skip


def _waybills(purchases: pl.DataFrame) -> pl.DataFrame:
    return purchases.select(
        "bill_no", "freight", "weight", "in_tables", guid="waybill_guid", app_time="sent_at", logistics_code="carrier_code",
        logistics_name="carrier_name", logistics_no="waybill_no", order_no="waybill_order", insured_fee=pl.lit(0),
        currency=pl.lit(RMB), pack_no=pl.lit(1), goods_info=pl.lit("跨境商品"), consignee="taker_name",
        consignee_address="taker_address", consignee_telephone="taker_mobile", note=pl.lit(None, pl.String),
    )  # fmt: skip


def _payments(purchases: pl.DataFrame) -> pl.DataFrame:
    return purchases.select(
        "ebp_code", "ebp_name", "in_tables", guid="payment_guid", app_time="paid_at", pay_code="payer_code",
        pay_name="payer_name", pay_transaction_id="pay_no", order_no="payment_order", payer_id_type="id_type",
        payer_id_number="id_number", payer_name="buyer_name", telephone="buyer_mobile", amount_paid="payment_amount",
        currency=pl.lit(RMB), pay_time=pl.col("paid_at").dt.offset_by("-2s"), note=pl.lit(None, pl.String),
    )  # fmt: skip


def _lists(rng: np.random.Generator, purchases: pl.DataFrame) -> pl.DataFrame:
    n = len(purchases)
    letters = numbered("", days.year_serials(purchases), 9)
    return purchases.select(
        "order_no", "ebp_code", "ebc_code", "ie_flag", "trade_mode", "bill_no", "freight", "in_tables", "buyer_name",
        guid="list_guid", app_time="listed_at", cop_no=numbered("C", purchases["number"], 18),
        pre_no=numbered("", purchases["number"], 18),
        invt_no=pl.col("customs") + pl.col("day").dt.strftime("%Y") + pl.col("ie_flag") + letters, logistics_no="waybill_no",
        logistics_code="carrier_code", assure_code="ebc_code",
        ems_no=pl.when(pl.col("trade_mode") == "1210").then(pl.lit("T5165W000001")), customs_code="customs",
        port_code="customs", ie_date="day", buyer_id_type="id_type", buyer_id_number="list_buyer_id",
        buyer_telephone="buyer_mobile", consignee_address="taker_address", agent_code="carrier_code",
        area_code=pl.when(pl.col("trade_mode") == "1210").then("ebc_code"), traf_mode=pick(rng, "245", n, (0.3, 0.4, 0.3)),
        traf_no=numbered("TEST", rng.integers(0, 1000, n), 4), voyage_no=numbered("V", rng.integers(0, 10_000, n), 5),
        loct_no=numbered("GZ", rng.integers(1, 40, n), 4), country=pick(rng, ("110", "116", "133", "502", "601"), n),
        insured_fee=pl.lit(0), pack_no=pl.lit(1), gross_weight="weight", net_weight=(pl.col("weight") * 0.9).round(3),
        app_status=pick(rng, ("800", "399", "100"), n, (0.97, 0.02, 0.01)), return_time="answered_at",
    )  # fmt: skip


def _list_lines(rng: np.random.Generator, cast: Pools, purchases: pl.DataFrame) -> pl.DataFrame:
    """One to three lines per list; their totals add up to the value of the goods."""
    counts = rng.integers(1, 4, len(purchases))
    head, line = repeats(counts)
    goods = draw(rng, cast.goods, len(head))
    cents = (purchases["goods_value"].to_numpy() * 100).round().astype(np.int64)[head]
    even = cents // counts[head]
    total = np.where(line == 0, cents - even * (counts[head] - 1), even) / 100
    qty = rng.integers(1, 4, len(head))
    lines = purchases.select("list_guid", "listed_at", "in_tables", "trade_mode")[head]
    return pl.concat([lines, goods], how="horizontal").select(
        "in_tables", guid="list_guid", gnum=line + 1, app_time="listed_at",
        item_no=numbered("SKU", rng.integers(0, 10**6, len(head)), 7),
        item_record_no=pl.when(pl.col("trade_mode") == "1210").then(pl.lit("R") + pl.col("hs")), item_name="goods", gcode="hs",
        gname="goods", gmodel="model", bar_code=numbered("690000", rng.integers(0, 10**7, len(head)), 7),
        country=pick(rng, ("110", "116", "133", "502"), len(head)), currency=pl.lit(RMB), qty=qty, unit="unit", qty1=qty,
        unit1="unit", price=(total / qty).round(5), total_price=total,
    )  # fmt: skip


def _letters(plans: Sequence[DayPlan], purchases: pl.DataFrame) -> pl.DataFrame:
    """The messages that carried the documents: of each purchase in turn the order, payment, waybill and list."""
    row, number = days.lettered(plans, purchases, 1.0)
    return pl.concat(
        [
            purchases[row[number % len(BODIES) == place]].select(
                "day",
                message_type=pl.lit(kind),
                biz_no="order_no",
                sent=moment,
                sender="ebc_code",
                body=xml_body(f"{kind}Message", fields),
            )
            for place, (kind, (moment, fields)) in enumerate(BODIES.items())
        ]
    )


BODIES = {
    "CEB311": ("moment", {
        "guid": "order_guid", "orderNo": "order_no", "ebpCode": "ebp_code", "ebcCode": "ebc_code", "ebcName": "ebc_name",
        "goodsValue": "goods_value", "freight": "freight", "taxTotal": "tax", "acturalPaid": "paid", "buyerRegNo": "buyer_reg_no",
        "buyerName": "buyer_name", "buyerIdType": "id_type", "buyerIdNumber": "id_number", "buyerTelephone": "buyer_mobile",
        "consignee": "taker_name", "consigneeTelephone": "taker_mobile", "consigneeAddress": "taker_address",
    }),
    "CEB411": ("paid_at", {
        "guid": "payment_guid", "payCode": "payer_code", "payTransactionId": "pay_no", "orderNo": "payment_order",
        "ebpCode": "ebp_code", "payerIdType": "id_type", "payerIdNumber": "id_number", "payerName": "buyer_name",
        "telephone": "buyer_mobile", "amountPaid": "payment_amount",
    }),
    "CEB511": ("sent_at", {
        "guid": "waybill_guid", "logisticsCode": "carrier_code", "logisticsNo": "waybill_no", "orderNo": "waybill_order",
        "freight": "freight", "weight": "weight", "consignee": "taker_name", "consigneeAddress": "taker_address",
        "consigneeTelephone": "taker_mobile",
    }),
    "CEB621": ("listed_at", {
        "guid": "list_guid", "orderNo": "order_no", "ebcCode": "ebc_code", "logisticsNo": "waybill_no", "customsCode": "customs",
        "buyerIdType": "id_type", "buyerIdNumber": "list_buyer_id", "buyerName": "buyer_name", "buyerTelephone": "buyer_mobile",
        "consigneeAddress": "taker_address", "tradeMode": "trade_mode", "grossWeight": "weight",
    }),
}  # fmt: skip
