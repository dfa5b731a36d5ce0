"""Rows of the main platform (单一窗口主体系统): declarations with lines, containers and receipts.

The manifests of the same platform are in `rows_manifest`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from sandbox import days, rows_manifest
from sandbox.days import DayPlan
from sandbox.draws import amounts, containers, numbered, pick, repeats, seconds
from sandbox.messages import xml_body
from sandbox.pools import FAULTY_CONTAINER_SHARE, Pools, draw
from sandbox.tables import catalog

# per day at scale 1: 2,000 declarations with 9,000 lines, 1,500 containers and 8,000 receipts
MOST_LINES = 8
SEA_SHARE = 0.577
SECOND_CONTAINER_SHARE = 0.3
RECEIPTS = (("001", "数据中心入库成功"), ("L", "海关入库成功"), ("P", "已放行"), ("R", "已结关"))
COUNTRIES = ("USA", "JPN", "DEU", "AUS", "THA", "VNM")
TRANSPORT, TRANSPORT_SHARES = ("2", "4", "5", "3", "9"), (SEA_SHARE, 0.25, 0.133, 0.03, 0.01)
TRADE_MODES = ("0110", "1039", "1210", "9610", "9710")
PORTS = ("USLAX", "JPTYO", "DEHAM", "AUSYD", "THBKK", "VNSGN")
PACKAGES = ("22", "23", "06", "93")


def rows(rng: np.random.Generator, cast: Pools, plans: Sequence[DayPlan]) -> tuple[dict[str, pl.DataFrame], pl.DataFrame]:
    """The platform's tables for these days, and the messages that carried the documents (input of `messages.log_rows`)."""
    heads = _declarations(rng, cast, plans)
    bills = rows_manifest.bills(rng, cast, plans)
    frames = {
        "dec_head": heads,
        "dec_list": _lines(rng, cast, heads),
        "dec_container": _containers(rng, heads),
        "dec_receipt": _receipts(rng, heads),
        "mft_bill": bills,
        "mft_container": rows_manifest.bill_containers(rng, bills),
    }
    return frames, _letters(plans, heads, bills)


def _declarations(rng: np.random.Generator, cast: Pools, plans: Sequence[DayPlan]) -> pl.DataFrame:
    heads = days.documents(rng, plans, "dec_head", 1.0, days.OFFICE_HOURS)
    n = len(heads)
    heads = pl.concat([heads, *_parties(rng, cast, n), draw(rng, cast.vessels, n)], how="horizontal").with_columns(
        ie_flag=pick(rng, "IE", n, (0.55, 0.45)),
        custom_master=pick(rng, list(catalog().codes["customs_district_guangzhou"]), n),
        traf_mode=pick(rng, TRANSPORT, n, TRANSPORT_SHARES),
        trade_mode=pick(rng, TRADE_MODES, n, (0.7, 0.12, 0.1, 0.05, 0.03)),
        country=pick(rng, COUNTRIES, n),
        port=pick(rng, PORTS, n),
        gross_wt=amounts(rng, n, 20, 26_000, 3),
    )
    return _with_numbers(rng, heads).with_columns(**_cargo(rng, n), **_course(rng, cast, heads))


def _parties(rng: np.random.Generator, cast: Pools, n: int) -> list[pl.DataFrame]:
    """Code, credit code and name of trader, owner and broker, as the head's columns call them."""
    credit_codes = {"trade": "trade_co_scc", "owner": "owner_code_scc", "agent": "agent_code_scc"}
    return [
        draw(rng, cast.firms, n).select(
            **{f"{part}_code": "customs_reg_no", credit_code: "social_credit_code", f"{part}_name": "corp_name"}
        )
        for part, credit_code in credit_codes.items()
    ]


def _with_numbers(rng: np.random.Generator, heads: pl.DataFrame) -> pl.DataFrame:
    """Keys and numbers: entry_id is district, year, 1 for import or 0 for export, and nine digits distinct in the year."""
    n = len(heads)
    serials = days.year_serials(heads)
    front = pl.col("custom_master") + pl.col("day").dt.strftime("%Y") + pl.col("ie_flag").replace_strict({"I": "1", "E": "0"})
    by_sea = pl.col("traf_mode") == "2"
    return heads.with_columns(
        dec_id="number",
        seq_no=numbered("", heads["number"], 18),
        entry_id=front + numbered("", serials, 9),
        pre_entry_id=front + numbered("", serials + 500_000_000, 9),
        bill_no=numbered("TSTU", rng.integers(0, 10**10, n), 10),
        traf_name=pl.when(by_sea).then("vessel"),
        voyage_no=pl.when(by_sea).then(numbered("V", rng.integers(0, 10**4, n), 4)),
        manual_no=pl.when(pl.col("trade_mode") == "1210").then(numbered("T", rng.integers(0, 10**6, n), 11)),
        contr_no=numbered("TEST-", rng.integers(0, 10**8, n), 8),
        overseas_consignor_ename=numbered("TEST TRADING ", rng.integers(0, 3000, n), 4) + " LTD",
    )


def _cargo(rng: np.random.Generator, n: int) -> dict[str, pl.Series | pl.Expr]:
    return {
        "ie_port": pl.col("custom_master"), "cut_mode": pick(rng, ("101", "299", "898"), n, (0.9, 0.05, 0.05)),
        "trade_area_code": pl.col("country"), "trade_country": pl.col("country"), "distinate_port": pl.col("port"),
        "desp_port_code": pl.col("port"), "enty_port_code": pick(rng, ("440100", "440101", "440102"), n),
        "goods_place": pick(rng, ("南沙测试仓", "黄埔测试堆场", "白云机场测试货站"), n),
        "trans_mode": pick(rng, "1367", n, (0.4, 0.5, 0.05, 0.05)), "fee_mark": pl.lit("3"),
        "fee_rate": amounts(rng, n, 10, 9000), "fee_curr": pl.lit("USD"), "insur_rate": amounts(rng, n, 1, 300),
        "other_rate": pl.lit(None, pl.Int64), "wrap_type": pick(rng, PACKAGES, n),
        "pack_no": pl.Series(rng.integers(1, 900, n)), "net_wt": (pl.col("gross_wt") * 0.92).round(3),
        "license_no": pl.lit(None, pl.String), "promise_items": pl.lit("0000"), "mark_no": pl.lit("N/M"),
        "note_s": pl.lit("模拟数据"), "typist_no": numbered("8", rng.integers(0, 10**12, n), 12),
    }  # fmt: skip


def _course(rng: np.random.Generator, cast: Pools, heads: pl.DataFrame) -> dict[str, pl.Series | pl.Expr | np.ndarray]:
    n = len(heads)
    sailed = heads["day"].to_numpy() + np.where(heads["ie_flag"] == "I", -1, 1) * rng.integers(0, 5, n)
    updated = np.minimum(heads["moment"].to_numpy() + seconds(rng.integers(600, 40_000, n)), days.day_end(heads))
    return {
        "d_date": pl.col("day"), "ie_date": sailed, "declare_name": draw(rng, cast.people, n)["name"],
        "create_time": pl.col("moment"), "dec_status": pick(rng, ("R", "P", "L", "001"), n, (0.8, 0.1, 0.06, 0.04)),
        "update_time": updated,
    }  # fmt: skip


def _lines(rng: np.random.Generator, cast: Pools, heads: pl.DataFrame) -> pl.DataFrame:
    row, line = repeats(rng.integers(1, MOST_LINES + 1, len(heads)))
    n = len(row)
    lines = pl.concat(
        [heads.select("dec_id", "d_date", "in_tables", "ie_flag", "country")[row], draw(rng, cast.goods, n)], how="horizontal"
    )
    lines = lines.with_columns(
        g_qty=pl.Series(rng.integers(1, 2000, n)), decl_price=(pl.col("price") * (0.8 + 0.4 * pl.Series(rng.random(n)))).round(4)
    )
    abroad = pl.col("ie_flag") == "I"
    return lines.with_columns(
        g_no=line + 1, code_ts="hs", ciq_code="ciq", g_name="goods", g_model="model", g_unit="unit", first_qty="g_qty",
        first_unit="unit", second_qty=pl.lit(None, pl.Int64), second_unit=pl.lit(None, pl.String),
        decl_total=(pl.col("decl_price") * pl.col("g_qty")).round(2),
        trade_curr=pick(rng, ("USD", "CNY", "EUR"), n, (0.7, 0.2, 0.1)),
        origin_country=pl.when(abroad).then("country").otherwise(pl.lit("CHN")),
        destination_country=pl.when(abroad).then(pl.lit("CHN")).otherwise("country"),
        district_code=pick(rng, ("44019", "44011", "44239"), n), duty_mode=pick(rng, "13", n, (0.95, 0.05)),
        goods_attr=pl.lit("19"), un_code=pl.lit(None, pl.String),
    )  # fmt: skip


def _containers(rng: np.random.Generator, heads: pl.DataFrame) -> pl.DataFrame:
    by_sea = heads.filter(pl.col("traf_mode") == "2")
    row, _ = repeats(1 + (rng.random(len(by_sea)) < SECOND_CONTAINER_SHARE))
    n = len(row)
    return by_sea.select("dec_id", "d_date", "in_tables")[row].with_columns(
        container_id=_consecutive_containers(rng, n),
        container_md=pick(rng, ("11", "21", "31"), n),
        lcl_flag=pick(rng, "01", n, (0.85, 0.15)),
        container_wt=pick(rng, (2200, 3800, 4200), n),
        goods_no=pl.lit("1"),
    )


def _consecutive_containers(rng: np.random.Generator, n: int) -> pl.Series:
    return containers(rng, np.arange(n) + rng.integers(0, 10**6), FAULTY_CONTAINER_SHARE)


def _receipts(rng: np.random.Generator, heads: pl.DataFrame) -> pl.DataFrame:
    """Four receipts per declaration, each in its quarter of what is left of the day."""
    row, step = repeats(np.full(len(heads), len(RECEIPTS)))
    start, end = heads["moment"].to_numpy()[row], days.day_end(heads)[row]
    spread = (step + rng.random(len(row))) / len(RECEIPTS)
    codes, notes = (pl.Series(part).gather(step) for part in zip(*RECEIPTS, strict=True))
    return heads.select("dec_id", "serial", "entry_id", "in_tables")[row].with_columns(
        receipt_id=pl.col("dec_id") + pl.col("serial") * (len(RECEIPTS) - 1) + step,
        channel=codes,
        note=notes,
        notice_date=start + ((end - start) * spread).astype("timedelta64[ms]"),
        file_name=pl.lit("Receipt_") + pl.col("entry_id") + "_" + codes + ".xml",
    )


def _letters(plans: Sequence[DayPlan], heads: pl.DataFrame, bills: pl.DataFrame) -> pl.DataFrame:
    """The messages that carried declarations and bills, each kind with its part of all documents."""
    part = len(heads) / (len(heads) + len(bills))
    declared, _ = days.lettered(plans, heads, part)
    shipped, _ = days.lettered(plans, bills, 1 - part)
    return pl.concat(
        [
            heads[declared].select(
                "day",
                message_type=pl.lit("DEC"),
                biz_no="entry_id",
                sent="moment",
                sender="agent_code_scc",
                body=xml_body("DecMessage", DECLARATION),
            ),
            bills[shipped].select(
                "day",
                message_type=pl.lit("MT"),
                biz_no="master_bl_no",
                sent="moment",
                sender="consignee_code",
                body=xml_body("Manifest", BILL),
            ),
        ]
    )


DECLARATION = {
    "SeqNo": "seq_no", "EntryId": "entry_id", "IEFlag": "ie_flag", "CustomMaster": "custom_master", "TradeCode": "trade_code",
    "TradeCoScc": "trade_co_scc", "TradeName": "trade_name", "AgentCode": "agent_code", "AgentName": "agent_name",
    "TrafMode": "traf_mode", "TrafName": "traf_name", "BillNo": "bill_no", "TradeMode": "trade_mode", "PackNo": "pack_no",
    "GrossWet": "gross_wt", "NetWt": "net_wt", "TypistNo": "typist_no", "DeclareName": "declare_name", "NoteS": "note_s",
}  # fmt: skip
BILL = {
    "MessageType": "message_type", "Voyage": "voyage_no", "VesselImo": "imo_no", "MasterBill": "master_bl_no",
    "HouseBill": "house_bl_no", "ConsigneeName": "consignee_name", "ConsigneeCode": "consignee_code",
    "ConsigneeStreet": "consignee_street", "ConsigneeTelephone": "consignee_telephone",
    "ConsigneeContact": "consignee_contact_name", "ConsignorName": "consignor_name", "NotifyName": "notify_name",
    "NotifyTelephone": "notify_telephone", "GrossWeight": "total_gross_weight",
}  # fmt: skip
