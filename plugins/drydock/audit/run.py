"""One run of the pipeline `audit` on one database over one stretch of time: what every step is given."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from drydock.audit.policy import AuditPolicy
from drydock.estate import Database
from drydock.ledger.connect import Ledger

if TYPE_CHECKING:
    from drydock.audit.storage.store import Store
    from drydock.configuration import Configuration

Rows = Callable[[str, Mapping[str, Any]], list[dict[str, Any]]]
"""Asks `include/sql/<engine>/audit/<name>.sql` on the target with these binds; rows by column name in lower case."""


@dataclass(frozen=True)
class AuditRun:
    """The stretch [begin, end) in UTC, what is declared of the database, its store, and how the ledger is reached.

    `now` is the moment that everything of this run is judged by. `rows` is None where no connection is given: then what
    only the database could tell is UNKNOWN.
    """

    configuration: Configuration
    ledger: Ledger
    database: Database
    policy: AuditPolicy
    run_id: int
    store: Store
    begin: datetime
    end: datetime
    now: datetime
    rows: Rows | None = None

    @property
    def day(self) -> date:
        """The local day of the database on which the stretch begins."""
        return self.begin.astimezone(self.database.zone).date()
