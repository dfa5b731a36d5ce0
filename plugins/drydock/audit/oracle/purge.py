"""Cleans trails in tables of what is archived, behind the gate, and only the vendor's way (DBMS_AUDIT_MGMT).

It is a change like any other: a plan with a hash, an approval, the interlocks, statements written down before they are sent. The
session that cleans is of an account that can read no record; what is counted is counted by the account that reads. Until when it
may be cleaned is proved anew before the mark is set. `given` of the sessions is the run of the audit.

Traditional trails must have been made ready by a DBA (INIT_CLEANUP moves their tables). Files of the operating system are never
cleaned: no count of the database proves what is in them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, TypeVar

from drydock.audit.health.trail_parts import NotAsked, ask
from drydock.audit.oracle.archived import (
    FILES,
    LONG_AGO,
    TRAILS,
    UNIFIED_TRAIL,
    Archived,
    CleanedTrail,
    archived_until,
    count,
    goes_to_files,
    trails_of,
)
from drydock.audit.oracle.source import utc_text
from drydock.changing.hands import ChangeFailed, Eyes, Hands, SurveyContext
from drydock.engines.oracle_statements import Statement, compose
from drydock.engines.oracle_work import OracleEyes, OracleTarget
from drydock.ledger import audit_history
from drydock.outcomes import Outcome, StopReason
from drydock.plans import Candidate, Found, LeftAlone, LockKind, WorkItem
from drydock.sqlfiles import sql_file
from drydock.verdicts import Figure, Finding, Status

if TYPE_CHECKING:
    from drydock.audit.run import AuditRun

ACTION, DEED = "purge_trail", "purged"
SETTLES = timedelta(minutes=1)


@dataclass
class PurgeEyes(OracleEyes):
    """The cleaning account's eyes, with the run of the audit."""

    audit: AuditRun = field(kw_only=True, repr=False)

    @property
    def given(self) -> AuditRun:
        return self.audit


@dataclass
class PurgeTarget(OracleTarget):
    """The cleaning account's session, with the run of the audit."""

    audit: AuditRun = field(kw_only=True, repr=False)

    @property
    def given(self) -> AuditRun:
        return self.audit


class TrailPurge:
    """The trade of the pipeline `audit` on Oracle (contract: drydock.changing.hands.Trade)."""

    def find_candidates(self, eyes: Eyes, context: SurveyContext) -> Found:
        """At most one of each trail, until when it is archived beyond doubt."""
        run = _given(eyes)
        trails, left, candidates = trails_of(run), [], []
        for trail in trails:
            found = _asked(lambda trail=trail: archived_until(run, trail))
            if found.until is None:
                left.append(LeftAlone(object=trail.table, reason=found.reason, evidence=found.figures))
            else:
                candidates.append(_candidate(run, trail, found, _bytes(run)))
        if run.policy.purge_source and (mode := _asked(lambda: goes_to_files(run))):
            left.append(LeftAlone(object=FILES, reason="trail_purge_files", evidence={"audit_trail": mode}))
        return Found(examined=len(candidates) + len(left), candidates=tuple(candidates), left_alone=tuple(left))

    def is_same(self, eyes: Eyes, item: WorkItem) -> str:
        """A trail is one table; whether it may still be cleaned is proved in `work`."""
        return ""

    def repair(self, hands: Hands) -> tuple[str, ...]:
        """An attempt that was cut off after the cleaning is written into the chain; before it, the mark alone harms nothing."""
        run, until, trail = _given(hands), _until(hands.item), _trail(hands.item)
        links = audit_history.links_of(run.ledger, run.database.id)
        is_told = any(link.deed == DEED and _is_of(link.subject, trail, until) for link in links)
        if is_told or not _asked(lambda: _is_marked(run, trail, until)) or _asked(lambda: count(run, LONG_AGO, until, trail)):
            return ()
        _note(run, hands.item, left=0)
        return ("trail_purge_noted",)

    def work(self, hands: Hands) -> Outcome:
        """Prove, mark, read the mark back, clean, count. Raises GateClosed, ChangeFailed."""
        run, until, trail, began = _given(hands), _until(hands.item), _trail(hands.item), datetime.now(UTC)
        if _asked(lambda: archived_until(run, trail)).until != until:
            return _outcome(hands, began, Status.SKIPPED, "trail_purge_changed")
        before = _figures(run, trail, until)
        hands.change(mark_archived(until, trail))
        if not _asked(lambda: _is_marked(run, trail, until)):
            return _outcome(hands, began, Status.FAIL, "trail_purge_mark_wrong", before)
        hands.change(clean_archived(trail))
        after = _figures(run, trail, until)
        _note(run, hands.item, left=after["records_older"])
        reason = "trail_purge_left" if after["records_older"] else ""
        reason = "trail_purge_took_more" if after["records_younger"] < before["records_younger"] else reason
        return _outcome(hands, began, Status.FAIL if reason else Status.PASS, reason, before, after)

    def verify(self, eyes: Eyes, outcomes: Sequence[Outcome], before: Mapping[str, Figure]) -> Sequence[Finding]:
        """Nothing beyond what `work` counted: the trail goes on growing."""
        return ()

    def world(self, eyes: Eyes) -> dict[str, Figure]:
        return {}


def mark_archived(until: datetime, trail: CleanedTrail = UNIFIED_TRAIL) -> Statement:
    """Tell the database until when a trail is archived."""
    file = sql_file("oracle", "audit_purge", trail.mark)
    return Statement(file, compose(file), {"until_utc": until.astimezone(UTC).replace(tzinfo=None)})


def clean_archived(trail: CleanedTrail = UNIFIED_TRAIL) -> Statement:
    """Let the database clean what is marked, and nothing else."""
    file = sql_file("oracle", "audit_purge", trail.clean)
    return Statement(file, compose(file))


def count_of(run: AuditRun, begin: datetime, end: datetime, trail: CleanedTrail = UNIFIED_TRAIL) -> int:
    return _asked(lambda: count(run, begin, end, trail))


def _candidate(run: AuditRun, trail: CleanedTrail, found: Archived, trail_bytes: int) -> Candidate:
    """`trail_bytes`: of all trails together, of which this one has its share at most."""
    assert found.until is not None
    in_all = max(count_of(run, LONG_AGO, run.now, trail), 1)
    work_bytes = round(trail_bytes * min(found.records / in_all, 1.0))
    evidence = {"until": utc_text(found.until), "days": found.days, "records": found.records, "chain": found.chain}
    told = {"object": trail.table, "action": ACTION, "reason": "trail_archived", "evidence": evidence, "size_bytes": trail_bytes}
    # no space is promised: only whole partitions give it back; it goes first, so that it is not packed away for that
    return Candidate(**told, work_bytes=work_bytes, freed_bytes=0, lock=LockKind.NONE, is_resumable=True, first=True)


def _trail(item: WorkItem) -> CleanedTrail:
    return next(t for t in TRAILS if t.table == item.candidate.object)


def _is_of(subject: Mapping[str, Figure], trail: CleanedTrail, until: datetime) -> bool:
    """An entry of the chain on this cleaning; the first ones named no trail, there was only the unified one."""
    return subject.get("trail", UNIFIED_TRAIL.name) == trail.name and subject.get("until") == utc_text(until)


def _is_marked(run: AuditRun, trail: CleanedTrail, until: datetime) -> bool:
    """Every mark of the trail is this one: where there are several (an upgrade from 11g leaves one of DBID 0), any may count."""
    marks = [row["archived_until"] for row in ask(run, "archive_marks") if row["audit_trail"] == trail.name]
    return bool(marks) and all(mark.replace(tzinfo=UTC) == until for mark in marks)


def _note(run: AuditRun, item: WorkItem, left: int) -> None:
    """The deed as an entry of the store's chain."""
    told = {name: item.candidate.evidence.get(name) for name in ("until", "days", "records", "chain")}
    run.store.note(run.run_id, DEED, {**told, "trail": _trail(item).name, "left": left})


def _until(item: WorkItem) -> datetime:
    return datetime.strptime(str(item.candidate.evidence["until"]), "%Y-%m-%d %H:%M:%S.%f").replace(tzinfo=UTC)


def _given(session: Eyes | Hands) -> AuditRun:
    return session.given  # type: ignore[union-attr]


Given = TypeVar("Given")


def _asked(answer: Callable[[], Given]) -> Given:
    """The answer of the reading account; one that it refuses is a failure of the change."""
    try:
        return answer()
    except NotAsked as e:
        raise ChangeFailed(e.why, "privilege", retry=False) from e


def _figures(run: AuditRun, trail: CleanedTrail, until: datetime) -> dict[str, int]:
    """What must go, what must stay, and the trails' bytes."""
    older, younger = count_of(run, LONG_AGO, until, trail), count_of(run, until, run.now - SETTLES, trail)
    return {"records_older": older, "records_younger": younger, "trail_bytes": _bytes(run)}


def _bytes(run: AuditRun) -> int:
    return sum(int(row["trail_bytes"]) for row in _asked(lambda: ask(run, "trail_room")))


Figures = Mapping[str, int]


def _outcome(
    hands: Hands, began: datetime, status: Status, reason: str, before: Figures | None = None, after: Figures | None = None
) -> Outcome:
    now = datetime.now(UTC)
    freed = before["trail_bytes"] - after["trail_bytes"] if before and after else 0
    figures = {"before": dict(before or {}), "after": dict(after or {}), "freed_bytes": freed}
    times = {"elapsed_s": (now - began).total_seconds(), "started_at": began, "ended_at": now}
    key = {"item_key": hands.item.key, "number": hands.item.number}
    return Outcome(**key, status=status, reason=reason, stop=StopReason.DONE, **figures, **times)
