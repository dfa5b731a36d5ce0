"""Which kind of backup a database has, and the source that looks at it."""

from __future__ import annotations

from drydock.backup.source import BackupSource, SourceUnsupported
from drydock.backup.sources.pg_basebackup import PgBasebackupSource
from drydock.backup.sources.pgbackrest import PgBackRestSource
from drydock.estate import Database


def open_source(database: Database) -> BackupSource:
    """The source of a database's backups; nothing is looked at yet. Raises SourceUnsupported."""
    match database.backup.source:
        case "pg_basebackup":
            return PgBasebackupSource(database.backup.places, database.zone)
        case "pgbackrest":
            return PgBackRestSource(database.backup.places, database.zone)
        case other:
            raise SourceUnsupported(f"backups by {other} cannot be looked at yet")
