"""Made-up subjects planted in the sandbox's sources: the policies name them, and none of their values may come to a copy.

Each is one row, found by the key that the policy has. Its values occur nowhere else in the sandbox, so whatever of them is
found in a copy came from here. Check digits are right.
"""

from __future__ import annotations

from typing import Any

from psycopg import sql
from psycopg.rows import scalar_row

from sandbox import identifiers as ids
from sandbox.clusters import TARGETS
from sandbox.past import Connection
from sandbox.tables import catalog, qualified

NUMBER = 7_777_777
KEYS = {
    "ent_corp_reg": 999_999_990_001,
    "mpt_trade": 999_999_999_999_990_001,
    "ceb_order": "CANARY00-0000-4000-8000-000000000001",
}
TABLES = {"gz_main": "ent_corp_reg", "gz_market": "mpt_trade", "gz_cbec": "ceb_order"}
"""Database of the estate -> the table that its canary is planted in."""


def plant_canaries(connection: Connection, database: str) -> None:
    """Add the canary's row to a loaded source, at the time of its oldest row: the serials of a new day go on from its rows."""
    platform, table = TARGETS[database], catalog().table(TABLES[database])
    row = canary_of(table.name)
    if table.partitioning:
        oldest = sql.SQL("select min({}) from {}").format(
            sql.Identifier(table.partitioning.column), qualified(platform, table.name)
        )
        with connection.cursor(row_factory=scalar_row) as cursor:
            row[table.partitioning.column] = cursor.execute(oldest).fetchone()
    statement = sql.SQL("insert into {} ({}) values ({})").format(
        qualified(platform, table.name), _list(map(sql.Identifier, row)), _list(map(sql.Placeholder, row))
    )
    connection.execute(statement, row)


def canary_of(table: str) -> dict[str, Any]:
    """The row of a table's canary without its time: key and values by column."""
    return {catalog().table(table).primary_key[0]: KEYS[table], **_subject(table)}


def _list(parts: Any) -> sql.Composed:
    return sql.SQL(", ").join(parts)


def _subject(table: str) -> dict[str, Any]:
    """The columns of one table that hold what nobody may find again."""
    uscc, container = _credit_code(), _checked("CNRU", ids.container_check)
    person = {"name": "司徒哨兵测", "id_no": _checked("44010319870423", ids.cn_id_check, "996"), "phone": "19912345671"}
    address = "广东省广州市荔湾区哨兵测试街7777号2栋3304室"
    if table == "ent_corp_reg":
        return {
            "customs_reg_no": "44012QZ7X9", "social_credit_code": uscc, "corp_name": "广州金丝雀哨兵测试国际货运代理有限公司",
            "corp_type": "1", "legal_rep_name": person["name"], "legal_rep_id_no": person["id_no"], "contact_name": "欧阳雀测试",
            "contact_mobile": person["phone"], "contact_tel": "020-86543217", "email": "canary.sentinel@example.org",
            "reg_address": address, "bank_name": "测试银行广州分行",
            "bank_account": _checked("629998887766", ids.luhn_check, "554433"), "master_customs": "5130", "status": "1",
        }  # fmt: skip
    if table == "mpt_trade":
        return {
            "trading_no": "TRADCANARY7777777777X1", "apply_way": "1", "solder": uscc, "buyer": "BQ7777X9",
            "buyer_name": "SENTINEL CANARY QUILL", "buyer_id_no": "E97531864", "buyer_country": "EGY",
            "buyer_tel": person["phone"], "plate_no": "粤AQ7X79", "container_no": container, "entry_id": "516720261987654321",
            "market_code": "GZHD01", "fx_status": "2", "trade_status": "90",
        }  # fmt: skip
    return {
        "order_no": "TCANARY7777777777X1", "buyer_name": person["name"], "buyer_id_type": "1", "buyer_id_number": person["id_no"],
        "buyer_telephone": person["phone"], "consignee": person["name"], "consignee_address": address,
    }  # fmt: skip


def _checked(front: str, check: Any, back: str = "") -> str:
    """A number with its check character; without an end of its own, six digits stand before it."""
    body = ids.text_matrix([front + (back or f"{NUMBER % 10**6:06}")])
    return str(ids.as_text(ids.checked(body, check(body)))[0])


def _credit_code() -> str:
    organisation = ids.text_matrix(["CNRY7777"])
    body = ids.joined("91440106", ids.checked(organisation, ids.org_code_check(organisation)))
    return str(ids.as_text(ids.checked(body, ids.uscc_check(body)))[0])
