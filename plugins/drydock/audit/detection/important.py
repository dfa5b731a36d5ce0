"""Which objects matter most: tables with sensitive or important columns by the masking policy, and those of the audit policy."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from drydock import settings
from drydock.audit.policy import AuditPolicy
from drydock.yamlfiles import read_yaml

CLASSES = frozenset({"sensitive-personal", "personal", "secret"})
GRADES = frozenset({"core", "important", "general_4", "general_3"})


class ImportantObject(NamedTuple):
    """A shell pattern on schema.name in lower case, the same for a name without its schema, and why it matters."""

    pattern: str
    bare: str
    why: str


def important_objects(database_id: str, policy: AuditPolicy) -> tuple[ImportantObject, ...]:
    """The important objects of a database, each once; the audit policy's own first."""
    declared = [ImportantObject(p.lower(), p.lower().rpartition(".")[2], "important_objects") for p in policy.important_objects]
    found = {o.pattern: o for o in (*_of_masking(database_id), *declared)}
    return tuple(found[pattern] for pattern in sorted(found))


def _of_masking(database_id: str) -> Iterator[ImportantObject]:
    """Tables of the masking policy, confirmed or not: what waits for its reviewer is sensitive all the same."""
    path = settings.config_dir() / "masking" / f"{database_id}.yaml"
    data = read_yaml(path, {"DRYDOCK_STATE": str(settings.state_dir())}).data if path.is_file() else None
    tables = data.get("tables") if isinstance(data, dict) else None
    for table, rules in tables.items() if isinstance(tables, dict) else ():
        if why := _why(rules):
            name = _literally(table.lower())
            yield ImportantObject(name, name.rpartition(".")[2], why)


def _why(rules: Any) -> str:
    """The classes and grades of a table's columns that make it important; "" where none does."""
    columns = rules.get("columns") if isinstance(rules, dict) else None
    told: set[str] = set()
    for column in columns.values() if isinstance(columns, dict) else ():
        if isinstance(column, dict):
            told |= {column.get("class")} & CLASSES | {column.get("level")} & GRADES
    return ", ".join(sorted(told))


def _literally(name: str) -> str:
    """The name as a shell pattern that matches nothing else."""
    return "".join(f"[{c}]" if c in "*?[\\" else c for c in name)
