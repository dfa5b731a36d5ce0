"""The one package that no Oracle database has: it tells who asks that this server is a simulator.

The live suite asks it first, so that a run against the simulator can never be taken for a proof on Oracle.
"""

from __future__ import annotations

from typing import Any

from sandbox.oracle.model.database import OracleDatabase, SessionState
from sandbox.oracle.registry import procedure

WORDS = "simulator of Drydock, no Oracle database"


@procedure("DRYDOCK_SIMULATOR.TELL", "WORDS")
def tell(database: OracleDatabase, session: SessionState, args: dict[str, Any]) -> dict[str, Any]:
    """WORDS comes back filled; Oracle has no such package (ORA-06550, PLS-00201)."""
    return {"WORDS": WORDS}
