"""The views that an Oracle database has, with their columns, as far as a version range of a file may rely on them.

`include/oracle/dictionary.json` is the 19c dictionary, `dictionary_supplement.json` what it lacks, `introduced.json`
the columns that older versions lack (Oracle Database Reference 19c).
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache

from drydock import settings
from drydock.engines.oracle_admission import version_of

FILES = ("dictionary.json", "dictionary_supplement.json")
FLOOR_OF_NEW_COLUMNS = (19,)
FLOOR_OF_LATER_COLUMNS = (23,)
LONG_TYPES = ("LONG", "LONG RAW")
# the free exceptions of the Diagnostics Pack (Database Licensing Information User Manual 19c)
FREE_HISTORY = frozenset(
    f"DBA_HIST_{name}" for name in ("SNAPSHOT", "DATABASE_INSTANCE", "SNAP_ERROR", "SEG_STAT", "SEG_STAT_OBJ", "UNDOSTAT")
)
OWNERS = {"UNIFIED_AUDIT_TRAIL": "AUDSYS"}
"""Of views that are not SYS's (the trail's since 12.2: catalog script catuat.sql)."""
PACK_VIEWS = frozenset({"V$ACTIVE_SESSION_HISTORY"})


@dataclass(frozen=True)
class DictionaryView:
    """One view as a statement names it. `granted`: the object that a grant names, with its owner."""

    name: str
    granted: str
    columns: dict[str, str]

    @property
    def needs_diagnostics_pack(self) -> bool:
        base = re.sub(r"^G(V\$)|^CDB_(HIST_)", lambda m: m[1] or f"DBA_{m[2]}", self.name)
        return (base.startswith("DBA_HIST_") and base not in FREE_HISTORY) or base in PACK_VIEWS


@cache
def dictionary() -> dict[str, dict]:  # type: ignore[type-arg]
    """Dictionary and supplement as they lie in their files. Raises OSError, ValueError."""
    folder = settings.include_dir() / "oracle"
    return {name: entry for file in FILES for name, entry in json.loads((folder / file).read_text(encoding="utf-8")).items()}


def view_of(name: str, lowest: tuple[int, ...], highest: tuple[int, ...] = ()) -> DictionaryView | None:
    """The view of that name (V$X, V_$X, GV$X, DBA_X, CDB_X, STATS$X) as every version from `lowest` on has it, or None.

    `highest`: the newest version that is meant, for columns that later ones lack; (): there is no end.
    """
    wanted = re.sub(r"^(G?V)_\$", r"\1$", name.upper())
    if wanted == "DUAL":
        return DictionaryView("DUAL", "SYS.DUAL", {"DUMMY": "VARCHAR2(1)"})
    found = _entry(wanted)
    if not found:
        return None
    base, extra = found
    entry = dictionary()[base]
    if lowest < version_of(entry.get("introduced", "0")):
        return None
    owner = "PERFSTAT" if wanted.startswith("STATS$") else OWNERS.get(wanted, "SYS")
    return DictionaryView(
        wanted, f"{owner}.{_granted_name(wanted)}", {**_columns(base, entry, lowest), **_older(entry, highest), **extra}
    )


def _granted_name(name: str) -> str:
    """V$X is a public synonym: a grant names V_$X."""
    return re.sub(r"^(G?V)\$", r"\1_$", name)


def _entry(name: str) -> tuple[str, dict[str, str]] | None:
    """The entry that describes a name, and the columns that its GV$ or CDB_ form has besides."""
    if name in dictionary():
        return name, {}
    if name.startswith("GV$"):
        return (name[1:], {"INST_ID": "NUMBER"}) if dictionary().get(name[1:], {}).get("gv_view") == name else None
    bases = (f"DBA_{name[4:]}", f"DATABASE_{name[4:]}") if name.startswith("CDB_") else ()
    return next(((base, {"CON_ID": "NUMBER"}) for base in bases if dictionary().get(base, {}).get("cdb_view") == name), None)


def _columns(base: str, entry: dict, lowest: tuple[int, ...]) -> dict[str, str]:  # type: ignore[type-arg]
    columns = dict(entry["columns"])
    if lowest < FLOOR_OF_NEW_COLUMNS:
        columns = {name: kind for name, kind in columns.items() if name not in entry.get("new_after_18c", [])}
    newer = {**_introduced()["*"], **_introduced().get(base, {})}
    columns = {name: kind for name, kind in columns.items() if lowest >= version_of(newer.get(name, "0"))}
    if lowest >= FLOOR_OF_LATER_COLUMNS:
        columns |= {name: later["type"] for name, later in entry.get("later_columns", {}).items()}
    return columns


def _older(entry: dict, highest: tuple[int, ...]) -> dict[str, str]:  # type: ignore[type-arg]
    """Columns that are gone in newer versions than those that are meant."""
    told = entry.get("older_columns", {}).items()
    return {name: older["type"] for name, older in told if () < highest <= version_of(older["until"])}


@cache
def _introduced() -> dict[str, dict[str, str]]:
    text = (settings.include_dir() / "oracle" / "introduced.json").read_text(encoding="utf-8")
    return json.loads(text)["columns"]
