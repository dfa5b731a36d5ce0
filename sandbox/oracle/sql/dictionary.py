"""What Oracle has: dictionary views with their columns and types, and who may read them."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from sandbox.oracle.backend import OraType
from sandbox.oracle.model.database import Account, OracleDatabase
from sandbox.oracle.model.tables import Table, TableColumn

FOLDER = Path(__file__).parents[3] / "include" / "oracle"
TYPE = re.compile(r"([A-Z0-9]+)(?:\((\d+)(?:,\s*(-?\d+))?\))?(.*)")
READS_ALL = {"SELECT ANY DICTIONARY", "SELECT_CATALOG_ROLE", "DBA", "SYSDBA"}
PUBLIC = {"DUAL", "V_$VERSION", "V_$OPTION", "V_$SESSION_LONGOPS", "V_$NLS_PARAMETERS"}
"""Readable without a grant (catalog scripts cdfixed.sql: grants to PUBLIC)."""
VIEW_OWNERS = {"UNIFIED_AUDIT_TRAIL": "AUDSYS"}
"""Of views that are not SYS's; a public synonym stands for each."""


@dataclass(frozen=True)
class View:
    """A dictionary view: the name that rows are registered under, its columns, and the object that a grant names."""

    name: str
    base: str
    columns: tuple[TableColumn, ...]
    granted_object: str


def column_of(name: str, declared: str) -> TableColumn:
    """'VARCHAR2(128)', 'NUMBER(5)', 'TIMESTAMP(6) WITH TIME ZONE', 'INTERVAL DAY(3) TO SECOND(0)' ... as a column."""
    word, first, second, rest = TYPE.match(declared).groups()
    if word == "INTERVAL":
        return TableColumn(name, OraType.INTERVAL_DS if "DAY" in declared else OraType.INTERVAL_YM, size=11)
    if word == "TIMESTAMP":
        zoned = ("LOCAL" in rest and OraType.TIMESTAMP_LTZ) or ("ZONE" in rest and OraType.TIMESTAMP_TZ)
        return TableColumn(name, zoned or OraType.TIMESTAMP, size=13, scale=int(first or 6))
    if word == "NUMBER":
        scale = int(second or 0) if first else -127
        return TableColumn(name, OraType.NUMBER, size=22, precision=int(first or 0), scale=scale)
    same = {"NVARCHAR2": "VARCHAR2", "XMLTYPE": "CLOB", "NUMERIC": "NUMBER"}
    return TableColumn(name, OraType[same.get(word, word)], size=int(first or 4000))


@cache
def dictionary() -> dict[str, dict]:
    """The dictionary files as they are, the supplement last."""
    found: dict[str, dict] = {}
    for file in ("dictionary.json", "dictionary_supplement.json"):
        if (FOLDER / file).exists():
            found |= {k: v for k, v in json.loads((FOLDER / file).read_text(encoding="utf-8")).items() if "columns" in v}
    found["DUAL"] = {"columns": {"DUMMY": "VARCHAR2(1)"}}
    return found


@cache
def view_named(name: str) -> View | None:
    """A view by the name that a statement uses, without owner: V$X, V_$X, GV$X, GV_$X, DBA_X, CDB_X, DUAL."""
    name = re.sub(r"^(G?V)_\$", r"\1$", name)
    entry, extra = dictionary().get(name), {}
    base = name
    if not entry and name.startswith(("GV$", "CDB_")):
        base = name[1:] if name.startswith("GV$") else "DBA_" + name[4:]
        entry = dictionary().get(base)
        if entry and entry.get("gv_view" if name.startswith("GV$") else "cdb_view") != name:
            entry = None
        extra = {"INST_ID": "NUMBER"} if name.startswith("GV$") else {"CON_ID": "NUMBER"}
    if not entry:
        return None
    declared = (
        ({**extra, **entry["columns"]} if "INST_ID" in extra else {**entry["columns"], **extra}) if extra else entry["columns"]
    )
    columns = tuple(column_of(column, kind) for column, kind in declared.items())
    return View(name, base, columns, re.sub(r"^(G?V)\$", r"\1_$", name))


def privileges_of(account: Account) -> set[str]:
    return {" ".join(privilege.upper().split()) for privilege in account.privileges}


def may_read(database: OracleDatabase, user: str, view: View) -> bool:
    """Whether `user` sees a view: SYS, a PUBLIC grant, a role or system privilege, or a grant on the very object."""
    if user == "SYS" or view.granted_object in PUBLIC:
        return True
    held = privileges_of(database.accounts[user])
    owner = VIEW_OWNERS.get(view.base, "SYS")
    names = (view.granted_object, f"{owner}.{view.granted_object}", f"{view.granted_object} TO {user}")
    wanted = {f"{verb} {on}{name}" for verb in ("SELECT", "READ") for on in ("", "ON ") for name in names}
    return bool(held & READS_ALL or held & wanted)


def holds(database: OracleDatabase, user: str, privilege: str) -> bool:
    """Whether `user` has a system privilege, itself or through the DBA role."""
    return user == "SYS" or bool({privilege, "DBA", "SYSDBA"} & privileges_of(database.accounts[user]))


def may_use(database: OracleDatabase, user: str, table: Table, verb: str) -> bool:
    """Whether `user` may SELECT, INSERT, UPDATE or DELETE on a user table."""
    if user in ("SYS", table.owner):
        return True
    held = privileges_of(database.accounts[user])
    verbs = ("SELECT", "READ") if verb == "SELECT" else (verb,)
    wanted = {f"{v} {on}{table.owner}.{table.name}" for v in verbs for on in ("", "ON ")} | {f"{v} ANY TABLE" for v in verbs}
    return bool(held & (wanted | {"DBA", "SYSDBA"}))
