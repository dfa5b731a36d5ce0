"""All named faults. `FAULTS[name](database)` plants one now; `planted(name, seed)` builds a world in which it has happened."""

from __future__ import annotations

from datetime import datetime

from sandbox.oracle import faults_database, faults_jobs, faults_logs, faults_pieces
from sandbox.oracle.model.building import ENDS_AT
from sandbox.oracle.model.database import OracleDatabase
from sandbox.oracle.planting import CATALOGUE, Plant
from sandbox.oracle.worlds import healthy_worlds

MODULES = (faults_pieces, faults_logs, faults_jobs, faults_database)
FAULTS: dict[str, Plant] = {name: entry.plant for name, entry in CATALOGUE.items()}


def planted(name: str, seed: int = 1, ends_at: datetime = ENDS_AT) -> OracleDatabase:
    """The fault's own healthy world, in which it was planted when it needed to be. Raises KeyError for an unknown name."""
    entry = CATALOGUE[name]
    build = healthy_worlds()[entry.world]
    if entry.days_before:
        return build(seed, ends_at=ends_at, extra=(entry.days_before, lambda database, _: entry.plant(database)))
    database = build(seed, ends_at=ends_at)
    entry.plant(database)
    return database
