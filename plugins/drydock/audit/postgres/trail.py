"""The trail of PostgreSQL as the server itself tells it: what its log holds, for whom it is otherwise, how long it lasts.

Sources: PostgreSQL manual, Error Reporting and Logging, auto_explain, GRANT ON PARAMETER; pgaudit, README.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from drydock.audit.health.trail_parts import Clocks, Guardian, Part, ask
from drydock.audit.health.trail_room import Room, folders, free_bytes, growth
from drydock.audit.health.trail_state import FALSE
from drydock.audit.postgres import weaker
from drydock.verdicts import Finding, Status

if TYPE_CHECKING:
    from drydock.audit.run import AuditRun

SETTING_GRANTS_SINCE = 150000
SECONDS_A_DAY = 86400
GROWTH_DAYS = 7
ROTATION_LOOKED_AT_DAYS = 400  # a name that does not come again within this is never written over
LEAST_ROTATION_DAYS = 3  # a log written over before is lost when the collector is away for a weekend


@dataclass(frozen=True)
class PostgresLook:
    """What one run asks of a PostgreSQL server."""

    run: AuditRun

    @cached_property
    def _server(self) -> dict[str, Any]:
        return ask(self.run, "server")[0]

    @cached_property
    def _settings(self) -> dict[str, str]:
        return {row["name"]: row["value"] or "" for row in self._rows}

    @cached_property
    def _rows(self) -> list[dict[str, Any]]:
        return ask(self.run, "settings")

    @cached_property
    def _overrides(self) -> list[dict[str, Any]]:
        return ask(self.run, "overrides")

    def account(self) -> str:
        return str(self._server["account"])

    def clocks(self) -> Clocks:
        before = datetime.now(UTC)
        server = ask(self.run, "server")[0]["now_at"]
        return Clocks(before, server, datetime.now(UTC))

    def settings(self) -> dict[str, str]:
        """Settings by name, and what a role or a database has otherwise as `name of role r in database d`."""
        return self._settings | {key_of(row): row["value"] for row in self._overrides}

    def on(self) -> Part:
        found = [*_server_wide(self._settings), *self._for_some(), *self._pending()]
        told = {name: self._settings.get(name) for name in ("log_destination", "log_statement", "pgaudit.log", "log_connections")}
        return Part(len(self._settings), tuple(found), told)

    def _for_some(self) -> list[Finding]:
        """Roles and databases with less than the server has; what is declared so is judged as declared."""
        declared = {" ".join(name.split()).casefold() for name in self.run.policy.declared_trail}
        rows = [row for row in self._overrides if key_of(row).casefold() not in declared]
        less = [row for row in rows if weaker.is_weaker(row["name"], row["value"], self._settings)]
        return [
            Finding(
                code="trail_override",
                status=Status.FAIL,
                place=key_of(row),
                values={"value": row["value"], "server": self._settings.get(row["name"], "")},
            )
            for row in less
        ]

    def _pending(self) -> list[Finding]:
        return [Finding(code="trail_pending", status=Status.WARN, place=row["name"]) for row in self._rows if row["pending"]]

    def spilled(self) -> Part:
        """A server's log has no second place."""
        return Part(0)

    def growth(self) -> Part:
        files = ask(self.run, "log_files")
        folder = next(iter(folders(self.run.policy, os.environ)), None)
        free = free_bytes(folder) if folder else None
        return growth(self.run.policy, Room(sum(f["size_bytes"] for f in files), self._day_bytes(files), free, str(folder or "")))

    def _day_bytes(self, files: list[dict[str, Any]]) -> float | None:
        """The mean of the last week, over the days that the files cover; None where there is no file."""
        since = self.run.now - timedelta(days=GROWTH_DAYS)
        young = [f for f in files if f["modified_at"] >= since]
        if not young:
            return None
        covered_s = (self.run.now - max(min(f["modified_at"] for f in young), since)).total_seconds()
        return sum(f["size_bytes"] for f in young) / max(covered_s / SECONDS_A_DAY, 1.0)

    def kept(self) -> Part:
        """Whether a file of the log is written over before it is surely read."""
        if self._settings.get("logging_collector") != "on":
            return Part(0)
        name, truncates = self._settings.get("log_filename", ""), self._settings.get("log_truncate_on_rotation", "off")
        days = rotation_days(name, self.run.now)
        evidence = {"log_filename": name, "written_over_after_days": days if truncates == "on" else None}
        if truncates in FALSE or days is None or days >= LEAST_ROTATION_DAYS:
            return Part(1, (), evidence)
        values = {"days": days, "limit_days": LEAST_ROTATION_DAYS}
        return Part(1, (Finding(code="trail_written_over", status=Status.FAIL, place=name, values=values),), evidence)

    def guardians(self) -> tuple[Guardian, ...]:
        rows = [(row["account"], row["through"]) for row in ask(self.run, "guardians")]
        if self._server["version_num"] >= SETTING_GRANTS_SINCE:
            rows += [(row["account"], f"{row['privilege']} {row['name']}") for row in ask(self.run, "setting_grants")]
        return tuple(Guardian(*row) for row in rows)


def key_of(row: Mapping[str, Any]) -> str:
    """How an override is named where it is declared: `log_statement of role app in database sales`."""
    role = f" of role {row['role']}" if row["role"] else ""
    return f"{row['name']}{role}{' in database ' + row['database'] if row['database'] else ''}"


def rotation_days(filename: str, now: datetime) -> int | None:
    """Days until the log's file name comes again, 1 for a name without a time or with less; None for never (strftime's names)."""
    today = now.strftime(filename)
    return next((n for n in range(1, ROTATION_LOOKED_AT_DAYS) if (now + timedelta(days=n)).strftime(filename) == today), None)


def _server_wide(settings: Mapping[str, str]) -> list[Finding]:
    places = {part.strip() for part in settings.get("log_destination", "").split(",")}
    found = []
    if settings.get("logging_collector") in FALSE and "syslog" not in places:
        found.append(_off("logging_collector", settings))
    elif not places & {"csvlog", "jsonlog"} and (lacking := weaker.missing_fields(settings.get("log_line_prefix", ""))):
        found.append(
            Finding(code="trail_fields_missing", status=Status.WARN, place="log_line_prefix", values={"missing": lacking})
        )
    if not weaker.logs_statements(settings):
        found.append(_off("log_statement", settings))
    if not weaker.logs_connections(settings):
        found.append(Finding(code="trail_logons_off", status=Status.WARN, place="log_connections"))
    if weaker.hides_errors(settings):
        found.append(Finding(code="trail_errors_hidden", status=Status.WARN, place="log_min_error_statement"))
    return found


def _off(name: str, settings: Mapping[str, str]) -> Finding:
    return Finding(code="trail_off", status=Status.FAIL, place=name, values={"value": settings.get(name, "")})
