"""Rows of the market platform (市场采购联网信息平台): trades of stall holders with foreign buyers, and their lines."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from sandbox import days
from sandbox.days import DayPlan
from sandbox.draws import amounts, containers, numbered, pick, repeats
from sandbox.messages import json_body
from sandbox.pools import FAULTY_CONTAINER_SHARE, Pools, draw

TRADES_PER_DECLARATION = 8
MOST_LINES = 11
BUYERS = 900
COUNTRIES = ("NGA", "EGY", "IND", "BRA", "RUS", "ARE")
MARKETS = ("GZHD01", "GZSK02", "GZBY03")


def rows(rng: np.random.Generator, cast: Pools, plans: Sequence[DayPlan]) -> tuple[dict[str, pl.DataFrame], pl.DataFrame]:
    """The platform's tables for these days, and the messages that carried the trades (input of `messages.log_rows`)."""
    trades = _trades(rng, cast, days.documents(rng, plans, "mpt_trade", 1.0, days.OFFICE_HOURS))
    counts = rng.integers(1, MOST_LINES + 1, len(trades))
    items = _items(rng, cast, trades, counts)
    totals = np.add.reduceat(items["total_price"].to_numpy(), np.cumsum(counts) - counts)
    trades = trades.with_columns(rmb_money=totals.round(2))
    return {"mpt_trade": trades, "mpt_trade_item": items}, _letters(plans, trades)


def _trades(rng: np.random.Generator, cast: Pools, heads: pl.DataFrame) -> pl.DataFrame:
    n = len(heads)
    declaration = days.year_serials(heads) // TRADES_PER_DECLARATION + 700_000_000
    heads = pl.concat([heads, _buyers(rng, n)], how="horizontal")
    codes = cast.firms["social_credit_code"]
    return heads.with_columns(
        trade_id="number", trading_no=numbered("TRAD", heads["number"], 18), apply_way=pick(rng, "12", n),
        solder=pick(rng, codes[600:], n), proxyer=pick(rng, codes[48:100], n), create_org=pick(rng, codes[48:100], n),
        is_agency_receipt=pick(rng, "01", n, (0.3, 0.7)), market_code=pick(rng, MARKETS, n),
        stall_no=numbered("A", rng.integers(1, 4000, n), 4), combo_no=numbered("COMB", declaration, 10),
        packing_no=numbered("PACK", declaration, 10), plate_no=_plates(rng, n), create_time="moment",
        container_no=_containers(rng, declaration),
        entry_id=pl.lit("5167") + pl.col("day").dt.strftime("%Y") + "0" + numbered("", declaration, 9),
        fx_status=pick(rng, "012", n, (0.2, 0.1, 0.7)), tax_free_status=pick(rng, "01", n, (0.25, 0.75)),
        trade_status=pick(rng, ("10", "20", "90"), n, (0.1, 0.2, 0.7)),
    )  # fmt: skip


def _buyers(rng: np.random.Generator, n: int) -> pl.DataFrame:
    """Foreign buyers, each with one passport and one country."""
    buyer = rng.integers(0, BUYERS, n)
    return pl.DataFrame(
        {
            "buyer": numbered("B", buyer, 6),
            "buyer_name": numbered("TEST BUYER ", buyer, 4),
            "buyer_id_no": numbered("E", buyer * 99_991 % 10**8, 8),
            "buyer_country": pl.Series(COUNTRIES).gather(buyer % len(COUNTRIES)),
            "buyer_tel": numbered("1990000", buyer * 11 % 10**4, 4),
        }
    )


def _containers(rng: np.random.Generator, declaration: np.ndarray) -> pl.Series:
    """One container per declaration, the same for all its trades."""
    distinct, place = np.unique(declaration, return_inverse=True)
    return containers(rng, distinct, FAULTY_CONTAINER_SHARE).gather(place)


def _plates(rng: np.random.Generator, n: int) -> pl.Series:
    """Plates of Guangdong, a few of them of cross-border lorries."""
    local = pick(rng, ("粤A", "粤B", "粤E"), n) + numbered("T", rng.integers(0, 10**4, n), 4)
    crossing = numbered("", rng.integers(0, 10**4, n), 4)
    return pl.select(pl.when(pl.Series(rng.random(n) < 0.1)).then("粤Z" + crossing + "港").otherwise(local)).to_series()


def _items(rng: np.random.Generator, cast: Pools, trades: pl.DataFrame, counts: np.ndarray) -> pl.DataFrame:
    row, line = repeats(counts)
    n = len(row)
    items = pl.concat([trades.select("trade_id", "create_time", "in_tables")[row], draw(rng, cast.goods, n)], how="horizontal")
    items = items.with_columns(quantity=pl.Series(rng.integers(10, 800, n)), price=(pl.col("price") * 0.3).round(2))
    return items.with_columns(
        seq_no=line + 1,
        goods_code=pl.lit("GOODS") + pl.col("hs"),
        goods_cname="goods",
        hs_code="hs",
        brand=pl.lit("无牌"),
        c_amount="quantity",
        weight=amounts(rng, n, 1, 900, 3),
        total_price=(pl.col("price") * pl.col("quantity")).round(2),
        trade_curr=pl.lit("CNY"),
    )


def _letters(plans: Sequence[DayPlan], trades: pl.DataFrame) -> pl.DataFrame:
    row, _ = days.lettered(plans, trades, 1.0)
    return trades[row].select(
        "day", message_type=pl.lit("TRAD"), biz_no="trading_no", sent="moment", sender="create_org", body=json_body("TRAD", TRADE)
    )


TRADE = {
    "tradingNo": "trading_no", "solder": "solder", "buyer": "buyer", "buyerName": "buyer_name", "buyerIdNo": "buyer_id_no",
    "buyerCountry": "buyer_country", "buyerTel": "buyer_tel", "proxyer": "proxyer", "rmbMoney": "rmb_money",
    "marketCode": "market_code", "stallNo": "stall_no", "comboNo": "combo_no", "packingNo": "packing_no",
    "plateNo": "plate_no", "containerNo": "container_no", "entryId": "entry_id", "createOrg": "create_org",
}  # fmt: skip
