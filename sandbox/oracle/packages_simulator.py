"""The one package that no Oracle database has: it tells who asks that this server is a simulator.

The live suite asks it first, so that a run against the simulator can never be taken for a proof on Oracle.
"""

from __future__ import annotations

from typing import Any

from sandbox.oracle.model.database import OracleDatabase, SessionState
from sandbox.oracle.registry import procedure
from sandbox.oracle.sql.dictionary import holds
from sandbox.oracle.sql.errors import missing_privilege

WORDS = "simulator of Drydock, no Oracle database"


@procedure("DRYDOCK_SIMULATOR.TELL", "WORDS")
def tell(database: OracleDatabase, session: SessionState, args: dict[str, Any]) -> dict[str, Any]:
    """WORDS comes back filled; Oracle has no such package (ORA-06550, PLS-00201)."""
    return {"WORDS": WORDS}


@procedure("DRYDOCK_SIMULATOR.PLANT", "OWNER STEPS")
def plant_schema(database: OracleDatabase, session: SessionState, args: dict[str, Any]) -> dict[str, Any]:
    """The live suite's schema for an account; STEPS comes back with what was planted, apart by commas. For SYS and DBAs."""
    from sandbox.oracle.suite_schema import plant

    if not holds(database, session.user, "DBA"):
        raise missing_privilege()
    return {"STEPS": ",".join(plant(database, args["OWNER"]))}
