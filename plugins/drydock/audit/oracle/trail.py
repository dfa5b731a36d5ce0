"""The trails of Oracle as the dictionary tells them: what is audited, for whom not, how long it lasts, who can alter it.

Sources: Security Guide 19c, Administering the Audit Trail; Database Reference 19c; PL/SQL Packages 19c, DBMS_AUDIT_MGMT.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from drydock.audit.health.trail_parts import Clocks, Guardian, NotAsked, Part, Row, ask
from drydock.audit.health.trail_room import Room, growth
from drydock.audit.health.trail_state import FALSE, TRUE
from drydock.audit.oracle.archived import TRAILS
from drydock.audit.oracle.guarding import guardians_of
from drydock.audit.policy import SourceKind
from drydock.ledger import audit_history
from drydock.verdicts import Finding, Status

if TYPE_CHECKING:
    from drydock.audit.run import AuditRun

EVERYBODY = "ALL USERS"
LOGONS = {"LOGON", "ALL", "ALL ACTIONS"}
TRADITIONAL_LOGONS = {"CREATE SESSION"}
GROWTH_DAYS = 28
SECONDS_A_DAY = 86400
NO_UNIFIED = "NotForThisTarget"  # a database before unified auditing has none of its views


@dataclass(frozen=True)
class OracleLook:
    """What one run asks of an Oracle database."""

    run: AuditRun

    @cached_property
    def _parameters(self) -> dict[str, str]:
        return {row["name"]: row["value"] or "" for row in ask(self.run, "parameters")}

    @cached_property
    def _is_pure(self) -> bool:
        rows = ask(self.run, "unified_option")
        return bool(rows) and rows[0]["value"].casefold() in TRUE

    @cached_property
    def _enabled(self) -> list[Row]:
        return self._unified("enabled_policies")

    @cached_property
    def _definitions(self) -> list[Row]:
        return self._unified("policy_definitions")

    @cached_property
    def _options(self) -> list[Row]:
        return ask(self.run, "statement_options")

    def _unified(self, name: str) -> list[Row]:
        """Rows that only a database with unified auditing has."""
        try:
            return ask(self.run, name)
        except NotAsked as e:
            if e.why == NO_UNIFIED and not self._is_pure:
                return []
            raise

    def account(self) -> str:
        return str(ask(self.run, "server")[0]["account"])

    def clocks(self) -> Clocks:
        before = datetime.now(UTC)
        server = ask(self.run, "server")[0]["now_at"].replace(tzinfo=UTC)
        return Clocks(before, server, datetime.now(UTC))

    def settings(self) -> dict[str, str]:
        """Parameters by name; `option Unified Auditing`; `policy X`: for whom; `definition X`: a digest; `audit OPTION`."""
        found = {**self._parameters, "option Unified Auditing": "TRUE" if self._is_pure else "FALSE"}
        found |= {f"policy {name}": "; ".join(sorted(map(enabled_for, rows))) for name, rows in _by(self._enabled, "policy")}
        found |= {f"definition {name}": definition_digest(rows) for name, rows in _by(self._definitions, "policy")}
        for row in self._options:
            who = f" of {row['account']}" if row["account"] else ""
            found[f"audit {row['audit_option']}{who}"] = f"success {row['on_success']}; failure {row['on_failure']}"
        return found

    def on(self) -> Part:
        mode = self._parameters.get("audit_trail", "").upper()
        is_traditional = not self._is_pure and mode not in ("", "NONE", "FALSE")
        evidence = {"pure_unified": self._is_pure, "audit_trail": mode, "policies": len({r["policy"] for r in self._enabled})}
        examined = len(self._enabled) + len(self._options) + len(self._parameters)
        if not self._enabled and not is_traditional:
            values = {"value": mode or "no policy is enabled"}
            return Part(examined, (Finding(code="trail_off", status=Status.FAIL, place="audit_trail", values=values),), evidence)
        return Part(
            examined, (*self._for_some(), *self._outcomes(), *self._logons(is_traditional), *self._sys(is_traditional)), evidence
        )

    def _for_some(self) -> Iterable[Finding]:
        """Accounts that a policy leaves out; what is declared so is judged as declared."""
        declared = {" ".join(name.split()).casefold() for name in self.run.policy.declared_trail}
        for row in self._enabled:
            if row["enabled_option"].upper().startswith("EXCEPT") and f"policy {row['policy']}".casefold() not in declared:
                values = {"value": "not audited", "server": "audited"}
                yield Finding(
                    code="trail_override",
                    status=Status.FAIL,
                    place=f"policy {row['policy']} except {row['entity']}",
                    values=values,
                )

    def _outcomes(self) -> Iterable[Finding]:
        """Policies that write down only what succeeded: the tries are what an attack is seen by."""
        for name, rows in _by(self._enabled, "policy"):
            if all(row["on_failure"] == "NO" for row in rows):
                yield Finding(code="trail_errors_hidden", status=Status.WARN, place=f"policy {name}")

    def _logons(self, is_traditional: bool) -> Iterable[Finding]:
        options = {row["audit_option"].upper() for row in self._definitions}
        traditional = {row["audit_option"].upper() for row in self._options} if is_traditional else set()
        if not options & LOGONS and not traditional & TRADITIONAL_LOGONS:
            yield Finding(code="trail_logons_off", status=Status.WARN, place="LOGON")

    def _sys(self, is_traditional: bool) -> Iterable[Finding]:
        """In mixed mode SYS is audited by a parameter of its own."""
        covered = any(row["entity"] in (EVERYBODY, "SYS") for row in self._enabled)
        value = self._parameters.get("audit_sys_operations", "")
        if is_traditional and not covered and value.casefold() in FALSE:
            yield Finding(code="trail_sys_off", status=Status.FAIL, place="audit_sys_operations", values={"value": value})

    def spilled(self) -> Part:
        rows = self._unified("spilled")
        records = int(rows[0]["records"]) if rows else 0
        evidence = {"records_in_files": records}
        if not records:
            return Part(1, (), evidence)
        values = {"records": records, "oldest": f"{rows[0]['oldest_at']:%Y-%m-%d %H:%M}"}
        return Part(1, (Finding(code="trail_spilled", status=Status.WARN, values=values),), evidence)

    def growth(self) -> Part:
        rows = ask(self.run, "trail_room")
        if not rows:
            return Part(0)
        trail_bytes = sum(int(row["trail_bytes"]) for row in rows)
        tight = min(rows, key=lambda row: float("inf") if row["free_bytes"] is None else row["free_bytes"])
        free = None if tight["free_bytes"] is None else int(tight["free_bytes"])
        return growth(self.run.policy, Room(trail_bytes, self._day_bytes(trail_bytes), free, str(tight["tablespace"])))

    def _day_bytes(self, trail_bytes: int) -> float | None:
        """By what earlier runs saw; before there are any, or after a cleaning, by the age of the oldest record."""
        first = self.run.day - timedelta(days=GROWTH_DAYS)
        past = audit_history.trails_between(self.run.ledger, self.run.database.id, first, self.run.day - timedelta(days=1))
        for day, verdicts in sorted(past.items()):
            then = next((v.evidence.get("trail_bytes") for v in verdicts if v.question == "trail_growth"), None)
            if isinstance(then, int | float) and then < trail_bytes:
                return (trail_bytes - then) / max((self.run.day - day).days, 1)
        oldest = next((row["oldest_at"] for row in self._unified("oldest_record")), None)
        if oldest is None:
            return None
        return trail_bytes / max((self.run.now - oldest.replace(tzinfo=UTC)).total_seconds() / SECONDS_A_DAY, 1.0)

    def kept(self) -> Part:
        """Whether the source is cleaned only of what was collected."""
        jobs, marks = ask(self.run, "cleanup_jobs"), ask(self.run, "archive_marks")
        found = [
            Finding(code="trail_cleaned_whole", status=Status.FAIL, place=job["name"], values={"frequency": job["frequency"]})
            for job in jobs
            if job["keeps_unarchived"] == "NO"
        ]
        found += self._ahead(marks)
        return Part(1, tuple(found), {"cleanup_jobs": len(jobs), "archive_marks": len(marks)})

    def _ahead(self, marks: list[Row]) -> list[Finding]:
        """A mark beyond what the store has: what lies between may be cleaned before anybody read it."""
        kinds = {s.kind for s in self.run.policy.sources} | {SourceKind.ORACLE_UNIFIED}
        judged = {t.name: self._collected_until(t.source) for t in TRAILS if t.source in kinds}
        marked = [(m, m["archived_until"].replace(tzinfo=UTC)) for m in marks if m["audit_trail"] in judged]
        found = []
        for m, until in marked:
            collected = judged[m["audit_trail"]]
            if collected is None or until > collected:
                known = "" if collected is None else f"{collected:%Y-%m-%d %H:%M}"
                told = {"marked": f"{until:%Y-%m-%d %H:%M}", "collected": known}
                place = f"{m['audit_trail']} {m['instance']}"
                found.append(Finding(code="trail_purged_ahead", status=Status.FAIL, place=place, values=told))
        return found

    def _collected_until(self, kind: SourceKind) -> datetime | None:
        ids = [s.id for s in self.run.policy.sources if s.kind is kind]
        marks = [audit_history.watermark(self.run.ledger, self.run.database.id, name) for name in ids]
        return min((m for m in marks if m), default=None) if all(marks) else None

    def guardians(self) -> tuple[Guardian, ...]:
        return guardians_of(
            [str(row["account"]) for row in ask(self.run, "accounts")],
            ask(self.run, "role_grants"),
            ask(self.run, "system_privileges"),
            ask(self.run, "object_privileges"),
            [str(row["account"]) for row in ask(self.run, "password_file")],
        )


def enabled_for(row: Mapping[str, Any]) -> str:
    """`BY USER ALL USERS success failure`, as a policy's line is declared."""
    when = [word for word, key in (("success", "on_success"), ("failure", "on_failure")) if row[key] == "YES"]
    return " ".join([row["enabled_option"], row["entity"], *when])


def definition_digest(rows: Iterable[Mapping[str, Any]]) -> str:
    """16 hexadecimal digits over all that a policy audits, in any order."""
    lines = sorted("\x1f".join(str(row[name] or "") for name in sorted(row)) for row in rows)
    return hashlib.sha256("\x1e".join(lines).encode()).hexdigest()[:16]


def _by(rows: Iterable[Row], name: str) -> list[tuple[str, list[Row]]]:
    found: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        found[row[name]].append(row)
    return sorted(found.items())
