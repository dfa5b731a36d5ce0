"""A database, its policy, and lines of logs for the tests of collecting."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from sqlalchemy import Engine

from drydock.audit.collection.collecting import collect
from drydock.audit.collection.file_source import FilesSource
from drydock.audit.policy import AuditPolicy, AuditSource, SourceKind
from drydock.audit.results import Part, Slice
from drydock.audit.run import AuditRun
from drydock.audit.spans import span_of_day
from drydock.audit.storage.store import Store
from drydock.estate import Database
from drydock.ledger import record

ZONE = "Asia/Shanghai"
DAY = date(2026, 3, 8)
BEGIN, END = datetime(2026, 3, 7, 16, tzinfo=UTC), datetime(2026, 3, 8, 16, tzinfo=UTC)
STATEMENT = "select * from trade.orders where id = {n}"


def database(name: str) -> Database:
    return Database.model_construct(id=name, time_zone=ZONE, name_zh=name, name_en=name)


class World:
    """One database with a folder of logs, a store and a ledger."""

    def __init__(self, folder: Path, ledger: Engine, name: str, **policy: Any) -> None:
        self.logs, self.name, self.ledger = folder / "logs", name, ledger
        self.logs.mkdir(exist_ok=True)
        self.source = AuditSource(id="logs", kind=SourceKind.FILES, folder=str(self.logs), **policy.pop("source", {}))
        self.policy = AuditPolicy(sources=(self.source,), **policy)
        self.store = Store(folder / "store", name, ledger)

    def run(self, day: date = DAY, key: str = "r1", **fields: Any) -> AuditRun:
        begin, end = span_of_day(day, database(self.name).zone)
        run_id = record.open_run(self.ledger, "audit", self.name, day, key).run_id
        now = fields.pop("now", end + timedelta(hours=1))
        told = AuditRun(
            SimpleNamespace(),
            self.ledger,
            database(self.name),
            self.policy,
            run_id,
            self.store,
            begin,
            end,
            now,  # type: ignore[arg-type]
        )
        return replace(told, **fields)

    def collect(self, day: date = DAY, key: str = "r1", **fields: Any) -> tuple[Slice, ...]:
        accepted_by = fields.pop("accepted_by", "")
        run = self.run(day, key, **fields)
        return collect(run, FilesSource(self.source, run.database), run.begin, run.end, accepted_by)

    def lines(self, part: Part = Part.RECORDS, begin: datetime = BEGIN, end: datetime = END) -> list[dict[str, Any]]:
        return self.store.scan(part, begin, end).collect().to_dicts()

    def accounts(self, begin: datetime = BEGIN, end: datetime = END) -> list[str]:
        return sorted(row["account"] for row in self.lines(Part.RECORDS, begin, end))


def csv_line(n: int, account: str = "app", at: datetime = BEGIN, **told: str) -> str:
    """A row of csvlog (PostgreSQL 16) at second `n` after `at`."""
    when = (at + timedelta(seconds=n)).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
    message = told.get("message", f"statement: {STATEMENT.format(n=n)}").replace('"', '""')
    session = told.get("session", f"65ec{n % 5}.1")
    return (
        f'{when} UTC,"{account}","trade",1{n % 5},"10.0.0.{n % 5}:5000",{session},{n + 1},"SELECT",2026-03-07 09:00:00 UTC,'
        f'3/4,0,LOG,00000,"{message}",,,,,,,,,"psql","client backend",,0\n'
    )
