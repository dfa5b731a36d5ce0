"""The made-up rows: the same for a seed, fitting their columns, joined as they should be, faulty exactly where planted."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ElementTree
from datetime import date, timedelta
from functools import cache

import numpy as np
import polars as pl
import pytest
from stdnum import imo, iso6346, luhn
from stdnum.cn import ric, uscc

from sandbox import days, tables
from sandbox.pools import pools
from sandbox.rows import Frames, chunk_rows, platform_rows
from sandbox.rows_cbec import MISMATCH_SHARE
from sandbox.tables import PLATFORMS, catalog

FIRST, LAST = date(2026, 10, 29), date(2026, 11, 14)
SCALES = {"gz-main": 0.08, "gz-cbec": 0.02, "gz-market": 0.2}
DETAILS = [(table.platform, table.name) for table in catalog().tables if table.detail_of]
# what a value of each kind looks like; None: free text
SHAPES = {
    "cn_id": r"[1-9]\d{5}(19|20)\d{2}(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])\d{3}[\dX]|E\d{8}",
    "uscc": r"[0-9A-HJ-NPQRTUWXY]{2}\d{6}[0-9A-HJ-NPQRTUWXY]{10}",
    "customs_reg": r"\d{4}[0-9A-Z][1-9A-Z][0-9A-Z]{4}",
    "entry_id": r"\d{4}2026[01]\d{9}",
    "ceb_invt_no": r"\d{4}2026[IE]\d{9}",
    "bank_card": r"629999\d{13}",
    "mobile": r"1990000\d{4}",
    "landline": r"020-2\d{7}",
    "passport": r"E\d{8}",
    "plate": r"粤[A-HJ-NP-Z][A-HJ-NP-Z0-9]{4}[A-HJ-NP-Z0-9港]",
    "imo": r"IMO\d{7}",
    "mmsi": r"413\d{6}",
    "container": r"[A-Z]{3}U\d{7}",
    "bill_no": r"[0-9A-Z/_-]{5,35}",
    "hs": r"\d{10}",
    "email": r"[a-z0-9]+@example\.com",
    "address": r"[\u4e00-\u9fa5]{2,}(省|市|区)[\u4e00-\u9fa5]*测试(路|街|大道)\d+号\d+栋\d+室",
    "name": r"[\u4e00-\u9fa5]{1,2}测[\u4e00-\u9fa5]?|TEST BUYER \d{4}",
    "ipv4": r"10\.20\.\d{1,3}\.\d{1,3}",
    "order_no": r"[0-9A-Za-z_-]{10,60}",
    "credential": r"8\d{12}",
}


@cache
def loaded(platform: str) -> Frames:
    chunks = list(platform_rows(platform, SCALES[platform], 7, FIRST, LAST))
    names = {name for chunk in chunks for name in chunk}
    return {name: pl.concat([chunk[name] for chunk in chunks if name in chunk]) for name in names}


def share(rows: pl.Series, is_right) -> float:
    return sum(not is_right(value) for value in rows) / len(rows)


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_seed_makes_the_same_rows_again(platform: str) -> None:
    plan = [days.DayPlan(date(2026, 11, 11), 40, 60)]
    first, again, other = (chunk_rows(platform, seed, plan) for seed in (1, 1, 2))
    assert all(first[name].equals(again[name]) for name in first)
    assert not any(first[name].equals(other[name]) for name in first)


@pytest.mark.parametrize("platform", PLATFORMS)
def test_every_table_is_filled_and_every_value_fits_its_column(platform: str) -> None:
    frames = loaded(platform)
    assert set(frames) == {table.name for table in catalog().of_platform(platform)}
    for table in catalog().of_platform(platform):
        assert len(frames[table.name]) > 0
        for column in table.columns:
            size = re.fullmatch(r"(?:VARCHAR2|CHAR)\((\d+)\)", column.type)
            longest = frames[table.name][column.name].cast(pl.String).str.len_chars().max()
            assert not size or longest is None or longest <= int(size[1]), f"{table.name}.{column.name}"


@pytest.mark.parametrize("platform", PLATFORMS)
def test_sensitive_values_have_the_shape_of_their_kind(platform: str) -> None:
    for table in catalog().of_platform(platform):
        for column in table.columns:
            if column.kind and column.name != "notify_name":
                values = loaded(platform)[table.name][column.name].drop_nulls()
                wrong = values.filter(~values.str.contains(f"^(?:{SHAPES[column.kind]})$"))
                assert wrong.is_empty(), f"{table.name}.{column.name}: {wrong[:3].to_list()}"


def test_the_planted_share_of_resident_ids_is_wrong_and_the_rest_right() -> None:
    ids = pools(7).people["id_no"]
    assert share(ids, lambda value: ric.calc_check_digit(value) == value[-1]) == 0.05
    right = [value for value in ids[:500] if ric.calc_check_digit(value) == value[-1]]
    assert all(ric.is_valid(value) for value in right)  # the area existed in the birth year, the date is real
    orders = loaded("gz-cbec")["ceb_order"].filter(pl.col("buyer_id_type") == "1")["buyer_id_number"]
    assert share(orders, lambda value: ric.calc_check_digit(value) == value[-1]) == pytest.approx(0.05, abs=0.01)


def test_the_planted_share_of_credit_codes_is_wrong_and_cards_are_right() -> None:
    firms = loaded("gz-main")["ent_corp_reg"]
    assert len(firms) == 7120
    assert share(firms["social_credit_code"], uscc.is_valid) == 36 / 7120
    assert all(luhn.is_valid(card) for card in firms["bank_account"])
    assert firms["corp_name"].str.contains("测试").all()
    assert firms["corp_name"].n_unique() == firms["customs_reg_no"].n_unique() == len(firms)


@pytest.mark.parametrize(
    ("platform", "table", "column"),
    [
        ("gz-main", "dec_container", "container_id"),
        ("gz-main", "mft_container", "container_no"),
        ("gz-market", "mpt_trade", "container_no"),
    ],
)
def test_the_planted_share_of_containers_is_wrong(platform: str, table: str, column: str) -> None:
    numbers = loaded(platform)[table][column].unique()
    assert len(numbers) > 500
    assert share(numbers, iso6346.is_valid) == pytest.approx(0.01, abs=0.002)


def test_ships_have_right_numbers() -> None:
    assert all(imo.is_valid(number) for number in loaded("gz-main")["mft_bill"]["imo_no"].unique())


@pytest.mark.parametrize(("platform", "table"), DETAILS)
def test_details_have_their_heads(platform: str, table: str) -> None:
    frames, detail = loaded(platform), catalog().table(table)
    head = catalog().table(detail.detail_of)
    key = head.widened(head.primary_key)
    assert frames[detail.name].join(frames[head.name], on=key, how="anti").is_empty()
    assert frames[detail.name].select(detail.primary_key).is_duplicated().sum() == 0


@pytest.mark.parametrize("platform", PLATFORMS)
def test_unique_keys_are_unique(platform: str) -> None:
    for table in catalog().of_platform(platform):
        for key in [table.primary_key, *(index.columns for index in table.indexes if index.unique)]:
            assert loaded(platform)[table.name].select(key).is_duplicated().sum() == 0, f"{table.name} {key}"


def test_the_four_documents_of_a_purchase_match_but_for_the_planted_share() -> None:
    frames = loaded("gz-cbec")
    orders = frames["ceb_order"]
    joined = orders.join(frames["ceb_payment"], on="order_no", how="left", suffix="_pay")
    joined = joined.join(frames["ceb_logistics"], on="order_no", how="left", suffix="_way")
    joined = joined.join(frames["ceb_inv_head"], on="order_no", how="left", suffix="_inv")
    matching = joined.filter(
        pl.col("guid_inv").is_not_null()
        & (pl.col("logistics_no") == pl.col("logistics_no_inv"))
        & (pl.col("actual_paid") == pl.col("amount_paid"))
        & (pl.col("buyer_id_number") == pl.col("buyer_id_number_inv"))
    )
    assert len(joined) == len(orders) == 9600
    assert len(orders) - len(matching) == round(len(orders) * MISMATCH_SHARE) == 19


def test_lines_add_up_to_the_value_of_the_goods() -> None:
    frames = loaded("gz-cbec")
    totals = frames["ceb_inv_list"].group_by("guid").agg(pl.col("total_price").sum())
    lists = frames["ceb_inv_head"].join(totals, on="guid").join(frames["ceb_order"], on="order_no", suffix="_order")
    assert len(lists) == len(frames["ceb_order"])
    assert ((lists["total_price"] - lists["goods_value"]).abs() < 0.005).all()
    market = loaded("gz-market")
    money = (
        market["mpt_trade_item"].group_by("trade_id").agg(pl.col("total_price").sum()).join(market["mpt_trade"], on="trade_id")
    )
    assert ((money["total_price"] - money["rmb_money"]).abs() < 0.01).all()


def test_codes_come_from_the_code_lists() -> None:
    codes = {name: set(entries) for name, entries in catalog().codes.items()}
    heads, lists = loaded("gz-main")["dec_head"], loaded("gz-cbec")["ceb_inv_head"]
    assert set(heads["traf_mode"]) | set(lists["traf_mode"]) <= codes["traf_mode"]
    assert set(heads["trade_mode"]) | set(lists["trade_mode"]) <= codes["trade_mode"]
    assert set(heads["custom_master"]) | set(lists["customs_code"]) <= codes["customs_district_guangzhou"]
    assert set(loaded("gz-cbec")["ceb_order"]["currency"]) == codes["currency_ceb"]


def test_the_eleventh_of_november_is_eight_times_as_busy() -> None:
    per_day = dict(loaded("gz-cbec")["ceb_order"].group_by(pl.col("app_time").dt.date()).len().iter_rows())
    assert set(per_day) == {FIRST + timedelta(days=n) for n in range(17)}
    assert per_day.pop(date(2026, 11, 11)) == 3200
    assert set(per_day.values()) == {400}


@pytest.mark.parametrize("platform", PLATFORMS)
def test_one_message_in_ten_is_older_than_the_retention(platform: str) -> None:
    received = loaded(platform)["exch_msg_log"]["recv_time"].dt.date()
    emptied, keep_from = days.emptied_days(LAST), LAST - timedelta(days=days.MESSAGE_RETENTION_DAYS - 1)
    assert set(emptied) < set(received)
    left = received.filter(~received.is_in(emptied))
    assert (left < keep_from).mean() == pytest.approx(0.10, abs=0.001)
    assert set(left) == {*days.old_days(LAST)[3:], *(FIRST + timedelta(days=n) for n in range(17))}


def test_bodies_are_well_formed_and_hold_the_persons_of_their_documents() -> None:
    log = loaded("gz-cbec")["exch_msg_log"]
    assert set(log["message_type"]) == {"CEB311", "CEB411", "CEB511", "CEB621"}
    sample = log.filter(pl.col("message_type") == "CEB311").join(
        loaded("gz-cbec")["ceb_order"], left_on="biz_no", right_on="order_no"
    )
    assert len(sample) > 1000
    for row in sample[:50].iter_rows(named=True):
        fields = {element.tag.split("}")[1]: element.text for element in ElementTree.fromstring(row["msg_body"])}
        assert fields["buyerIdNumber"] == row["buyer_id_number"]
        assert fields["consigneeAddress"] == row["consignee_address"]
    trades = loaded("gz-market")["exch_msg_log"]
    assert all(json.loads(body)["buyerIdNo"].startswith("E") for body in trades["msg_body"][:50])
    assert (log["msg_size"] == log["msg_body"].str.len_bytes()).all()


@pytest.mark.parametrize("platform", PLATFORMS)
def test_rows_lie_within_their_days_and_messages_are_in_order(platform: str) -> None:
    for table in catalog().of_platform(platform):
        if table.partitioning and table.name != "exch_msg_log":
            day = loaded(platform)[table.name][table.partitioning.column].cast(pl.Date)
            assert (day.min(), day.max()) == (FIRST, LAST), table.name
    assert loaded(platform)["exch_msg_log"]["msg_id"].is_sorted()


def test_an_empty_range_is_refused() -> None:
    with pytest.raises(ValueError, match="nothing to load"):
        days.plan_days("gz-main", 1.0, LAST, FIRST)
    with pytest.raises(KeyError, match="gz-other"):
        catalog().of_platform("gz-other")


def test_documents_go_on_from_the_first_free_serial() -> None:
    plan = days.DayPlan(LAST, 5, first_serials={"dec_head": 100})
    numbers = days.documents(np.random.default_rng(1), [plan], "dec_head", 1.0, days.OFFICE_HOURS)["number"].to_list()
    assert numbers == [202611140000000100 + n for n in range(5)]


def test_oracle_types_become_postgresql_types() -> None:
    wanted = {
        "NUMBER(4)": "smallint",
        "NUMBER(9)": "integer",
        "NUMBER(18)": "bigint",
        "NUMBER(19)": "numeric(19,0)",
        "NUMBER(19,5)": "numeric(19,5)",
        "VARCHAR2(60)": "varchar(60)",
        "CHAR(1)": "char(1)",
        "DATE": "timestamp(0)",
        "TIMESTAMP": "timestamp(6)",
        "CLOB": "text",
    }
    for oracle, postgres in wanted.items():
        assert tables.Column(name="c", type=oracle, comment_zh="列").postgres_type == postgres
    with pytest.raises(ValueError, match="BFILE"):
        _ = tables.Column(name="c", type="BFILE", comment_zh="列").postgres_type


def test_the_catalog_holds_all_of_the_domain() -> None:
    assert len(catalog().tables) == 15
    assert sum(len(table.columns) for table in catalog().tables) == 316
    assert catalog().table("dec_list").widened(("dec_id", "g_no")) == ("dec_id", "g_no", "d_date")
    assert tables.partition_bounds("month", date(2026, 12, 31)) == (date(2026, 12, 1), date(2027, 1, 1))


def test_even_the_smallest_load_has_old_messages() -> None:
    plans = {plan.day: plan for plan in days.plan_days("gz-market", 0.0001, LAST, LAST)}
    assert all(plans[day].messages == 1 and not plans[day].in_tables for day in days.old_days(LAST))
    assert plans[LAST].documents == plans[LAST].messages == 1
