"""Which file asks a question of Oracle's trails in which version.

The unified trail is there since 12.1, its column EVENT_TIMESTAMP_UTC since 19c, who a policy is for in the words of today since
12.2 (Database Reference 12.1, 12.2, 18c, 19c). A file says in its header for which versions it is; an older one beside it has the
same binds and columns.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from drydock.engines.oracle_admission import NotForThisTarget

if TYPE_CHECKING:
    from drydock.audit.run import Rows

OLDER = {
    "unified_count": "unified_count_12",
    "unified_records": "unified_records_12",
    "oldest_record": "oldest_record_12",
    "policy_definitions": "policy_definitions_12",
    "enabled_policies": "enabled_policies_121",
}


def ask_by_version(rows: Rows, name: str, binds: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The rows of the question, from the file that is for the target's version. Raises NotForThisTarget where none is."""
    try:
        return rows(name, binds)
    except NotForThisTarget as e:
        if e.reason != "version" or name not in OLDER:
            raise
    return rows(OLDER[name], binds)
