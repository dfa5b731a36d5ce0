"""Who can alter a trail of Oracle: by roles of any depth, privileges, grants on the trail itself, and SYSDBA."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from drydock.audit.health.trail_parts import Guardian

MIGHTY_ROLES = frozenset({"DBA", "AUDIT_ADMIN"})
ALWAYS = frozenset({"SYS"})
"""Whoever is SYS can do everything; who may log on as SYSDBA is told."""

Rows = Iterable[Mapping[str, Any]]


def guardians_of(
    accounts: Sequence[str], role_grants: Rows, system: Rows, objects: Rows, password_file: Iterable[str]
) -> tuple[Guardian, ...]:
    """Accounts that may log on and alter the trail, each with every way; a way of PUBLIC is everybody's."""
    roles: dict[str, set[str]] = defaultdict(set)
    for row in role_grants:
        roles[row["grantee"]].add(row["granted_role"])
    ways: dict[str, set[str]] = defaultdict(set)
    for row in system:
        ways[row["grantee"]].add(row["privilege"])
    for row in objects:
        ways[row["grantee"]].add(f"{row['privilege']} ON {row['owner']}.{row['object_name']}")
    for name in password_file:
        ways[name].add("SYSDBA")
    return tuple(
        Guardian(account, way) for account in accounts if account not in ALWAYS for way in sorted(_ways_of(account, roles, ways))
    )


def _ways_of(account: str, roles: Mapping[str, set[str]], ways: Mapping[str, set[str]]) -> set[str]:
    """What the account has itself, through its roles, and as one of PUBLIC; a mighty role stands for all that it holds."""
    found: set[str] = set()
    seen: set[str] = set()
    waiting = [account, "PUBLIC"]
    while waiting:
        holder = waiting.pop()
        if holder in seen:
            continue
        seen.add(holder)
        if holder in MIGHTY_ROLES:
            found.add(holder)
            continue
        found |= {way if holder == account else f"{way} through {holder}" for way in ways.get(holder, ())}
        waiting += roles.get(holder, ())
    return found
