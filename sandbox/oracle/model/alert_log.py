"""The alert log of a simulated database: its log switches and what went wrong, as ADR writes them in XML and in text.

Administrator's Guide, "Managing Diagnostic Data"; Reference, "V$DIAG_ALERT_EXT". Text has ISO times from 12.2 on and the old
form ("Mon Jun 15 16:00:00 2026") before.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from xml.sax.saxutils import escape, quoteattr

from sandbox.oracle.model.database import OracleDatabase
from sandbox.oracle.model.repository import AlertEvent, Repository, repository_of


def alert_events(database: OracleDatabase, since: datetime | None = None) -> list[AlertEvent]:
    """Everything since a moment in the order of time: log switches and what the model told."""
    repository = repository_of(database)
    with database.lock:
        since = since or repository.created_at
        events = [*switches(repository, since), *(e for e in repository.events if e.at >= since)]
    return sorted(events, key=lambda event: event.at)


def switches(repository: Repository, since: datetime) -> Iterator[AlertEvent]:
    """The lines of LGWR at each log switch, one for each archived log's successor."""
    seen = set()
    for log in repository.archived_logs:
        if log.next_at >= since and log.key not in seen:
            seen.add(log.key)
            thread = next((t for t in repository.threads if t.number == log.thread), repository.threads[0])
            group = thread.groups[(log.sequence + 1) % len(thread.groups)]
            first = f"Thread {log.thread} advanced to log sequence {log.sequence + 1} (LGWR switch),  current SCN: {log.next_scn}"
            yield AlertEvent(
                log.next_at, f"{first}\n  Current log# {group.group} seq# {log.sequence + 1} mem# 0: {group.members[0]}"
            )


def alert_lines(database: OracleDatabase, since: datetime | None = None) -> Iterator[str]:
    """The text alert log, line by line without line ends."""
    old = int(database.version.split(".")[0]) < 12
    for event in alert_events(database, since):
        local = event.at.astimezone(database.zone)
        yield f"{local:%a %b %d %H:%M:%S %Y}" if old else local.isoformat(timespec="microseconds")
        yield from event.text.split("\n")


def alert_text(database: OracleDatabase, since: datetime | None = None) -> str:
    """alert_<SID>.log."""
    return "".join(f"{line}\n" for line in alert_lines(database, since))


def alert_xml(database: OracleDatabase, since: datetime | None = None) -> str:
    """log.xml: one msg element after the other, without a root, as ADR writes it."""
    return "".join(message(database, event) for event in alert_events(database, since))


def message(database: OracleDatabase, event: AlertEvent) -> str:
    repository = repository_of(database)
    local = event.at.astimezone(database.zone).isoformat(timespec="milliseconds")
    kind = {"WARNING": "WARNING", "SEVERE": "ERROR"}.get(event.level, "UNKNOWN")
    head = f"<msg time={quoteattr(local)} org_id='oracle' comp_id='rdbms'\n type='{kind}' level='16'"
    return f"{head} host_id={quoteattr(repository.host)}\n pid='4711'>\n <txt>{escape(event.text)}\n </txt>\n</msg>\n"
