"""The kill switch: an Airflow Variable that a person sets to stop every change, and what its text means.

Empty or `off`: changes may go on. `all`: nothing is changed anywhere. Ids of databases, with commas: nothing is changed
there. Anything else is not understood, and stops everything: a slip of the pen must not let changes go on.
"""

from __future__ import annotations

from collections.abc import Collection

VARIABLE = "drydock_kill_switch"


def says(text: str | None, database_id: str, known_ids: Collection[str]) -> str:
    """Why nothing may be changed on the database now; empty: the switch is off."""
    words = [w for w in (text or "").replace(",", " ").lower().split() if w]
    if not words or words == ["off"]:
        return ""
    if words == ["all"]:
        return f"{VARIABLE} = all"
    strange = [w for w in words if w not in known_ids]
    if strange:
        return f"{VARIABLE} is not understood: write off, all, or ids of databases"
    return f"{VARIABLE} names {database_id}" if database_id in words else ""
