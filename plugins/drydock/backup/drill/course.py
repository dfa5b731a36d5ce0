"""The restore drill: the only proof of a backup is a copy that came up from it and says what it should.

    restore -> recover -> pages -> structure -> content

A drill happens in a scratch area that is gone afterwards, whatever ends the drill: it closes the area itself, and a
guardian process does so when the drill is killed. A phase that fails becomes a finding, never an exception; restore and
recover must succeed for the later phases to mean anything. What failed on our side (no space, no programs, no time
left) is UNKNOWN: it says nothing about the backup.
Source of the method: PostgreSQL manual, "Continuous Archiving and Point-in-Time Recovery".
"""

from __future__ import annotations

import errno
import logging
import os
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from drydock.backup.chains import Chain
from drydock.backup.drill.assertions import check_assertions
from drydock.backup.drill.checks import check_pages, check_structure
from drydock.backup.drill.log_relay import LogRelay
from drydock.backup.drill.restored_copy import (
    TARGET_NOT_REACHED,
    Recovery,
    RestoredCopy,
    create_role,
    drop_target,
    last_useful_lines,
    make_harmless,
    open_copy,
    read_recovery,
)
from drydock.backup.facts import LogArchive
from drydock.backup.forecast import log_bytes_since, scratch_bytes
from drydock.backup.guardian import GuardianNotStarted, start_guardian
from drydock.backup.postgres.backup_label import format_lsn
from drydock.backup.results import Drill, Forecast, Phase
from drydock.backup.scratch import (
    NotAScratchArea,
    Scratch,
    ScratchTooSmall,
    close_scratch,
    kill_writers,
    make_scratch,
    name_scratch,
    stop_servers,
)
from drydock.backup.source import BackupSource, RestoreFailed, SourceUnreadable
from drydock.engines.postgres_binaries import BinariesMissing
from drydock.engines.postgres_server import ServerError, give_to_server
from drydock.estate import Database
from drydock.policy import BackupPolicy
from drydock.verdicts import Finding, Status

log = logging.getLogger(__name__)

LEAVE_RESTORE_S = 10.0


class OutOfTime(Exception):
    """The drill has used up `drill_timeout_minutes`."""


class NoScratch(Exception):
    """The scratch root cannot be written."""


OUR_OWN_FAILURES = (OutOfTime, NoScratch, subprocess.TimeoutExpired, BinariesMissing, GuardianNotStarted)
SCARCE_HERE = (errno.ENOSPC, errno.EDQUOT, errno.ENOMEM, errno.EMFILE, errno.ENFILE, errno.EAGAIN)  # says nothing of a backup


def is_our_own(error: Exception) -> bool:
    """Whether a phase failed for want of something on the drill's own machine; programs only tell that in their text."""
    if isinstance(error, OUR_OWN_FAILURES) or (isinstance(error, OSError) and error.errno in SCARCE_HERE):
        return True
    return any(os.strerror(number) in str(error) for number in SCARCE_HERE)


@dataclass
class Course:
    """One drill under way: what it is given, and what has happened so far."""

    database: Database
    source: BackupSource
    chain: Chain
    target_time: datetime | None
    logs: LogArchive | None
    give_up_at: float
    drill_id: str = ""  # the name of its scratch area
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    phases: list[Phase] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    restored_bytes: int = 0
    recovery: Recovery | None = None
    assertions: int = 0
    was_idle: bool = False  # no commit after the target: the end of the logs is the state at the target

    def remaining_s(self) -> float:
        """Seconds left. Raises OutOfTime when there are none."""
        left_s = self.give_up_at - time.monotonic()
        if left_s <= 0:
            raise OutOfTime("drill_timeout_minutes are used up")
        return left_s

    @property
    def recovered_to(self) -> datetime | None:
        """The last transaction that was replayed; where there was none, the end of the last backup of the chain."""
        if self.recovery is None:
            return None
        return self.recovery.last_transaction_at or self.chain[-1].finished_at

    def run(self, name: str, work: Callable[[], int]) -> bool:
        """Do one phase; `work` returns the bytes it worked through. False when it failed, which is then a finding."""
        log.info("%s: drill phase %s begins", self.database.id, name)
        began_at, work_bytes, failure = time.monotonic(), 0, None
        try:
            self.remaining_s()
            work_bytes = work()
        except Exception as e:  # whatever goes wrong in a phase is a result of the drill
            failure = e
            self.fail(name, e)
        elapsed_s = time.monotonic() - began_at
        self.phases.append(Phase(name=name, elapsed_s=round(elapsed_s, 3), work_bytes=work_bytes))
        log.info("%s: drill phase %s: %.1f s, %.1f MB", self.database.id, name, elapsed_s, work_bytes / 1e6)
        return failure is None

    def fail(self, phase: str, error: Exception) -> None:
        """Record why a phase did not do its work."""
        log.warning("%s: drill phase %s failed: %s", self.database.id, phase, error)
        blind = phase == "recover" and self.logs is None and any(f.code == "drill_logs_unread" for f in self.findings)
        status = Status.UNKNOWN if blind or is_our_own(error) else Status.FAIL
        reason = " ".join(str(error).split()) or type(error).__name__
        values = {"drill": self.drill_id, "problems": f"{phase}: {reason}"}
        self.findings.append(Finding(code="drill_failed", status=status, place=phase, values=values))


def run_drill(
    database: Database,
    source: BackupSource,
    chain: Chain,
    *,
    target_time: datetime | None,
    forecast: Forecast | None,
    policy: BackupPolicy,
    scratch_root: Path,
    wants_assertions: bool = True,
) -> Drill:
    """Restore `chain` (full first), recover to `target_time` or to the end of the logs, and examine the copy.

    `wants_assertions`: a database without any is told, since then no content was proved; False at a shell, which has none.
    Never raises for what goes wrong in the drill: that is a finding of the result. Raises ValueError for an empty chain.
    """
    if not chain:
        raise ValueError("a drill needs a chain of backup sets")
    logs, unread = _look_at_logs(database, source)
    target_time = None if unread else target_time  # without logs there is nothing to aim at
    needed_bytes = scratch_bytes(chain) + log_bytes_since(chain[-1], logs)
    course = Course(database, source, chain, target_time, logs, time.monotonic() + policy.drill_timeout_minutes * 60)
    course.findings += [*unread, *(_without_assertions(database) if wants_assertions else [])]
    _sail(course, name_scratch(scratch_root), needed_bytes, policy.scratch_free_factor)
    return _result(course, forecast)


def _look_at_logs(database: Database, source: BackupSource) -> tuple[LogArchive | None, list[Finding]]:
    """The archive as it is now. Where it cannot be listed the end of the logs is not known, so reaching it proves nothing."""
    try:
        logs, reason = source.survey_logs(datetime.now(UTC)), "there is no log"
        if logs is None or logs.ranges:  # None: the plan has no logs
            return logs, []
    except SourceUnreadable as e:
        logs, reason = None, str(e)
    place = database.backup.places.logs or database.backup.places.sets
    return logs, [Finding(code="drill_logs_unread", status=Status.UNKNOWN, place=place, values={"reason": reason})]


def _without_assertions(database: Database) -> list[Finding]:
    if database.backup.drill.assertions:
        return []
    return [Finding(code="drill_no_assertions", status=Status.WARN, place=database.id, values={"database": database.id})]


def _sail(course: Course, scratch: Scratch, needed_bytes: int, factor: float) -> None:
    """Go through the phases under a guardian, and leave nothing behind.

    A person's Ctrl-C comes between any two steps: the guardian is there before the area is, and what clears up knows its name.
    """
    course.drill_id, pipe = scratch.drill_id, None
    try:
        pipe = start_guardian(scratch.path)
        if _has_area(course, scratch, needed_bytes, factor):
            _go_through_phases(course, scratch)
    except GuardianNotStarted as e:
        course.fail("restore", e)
    finally:
        try:
            close_scratch(scratch)
        except (OSError, NotAScratchArea) as e:
            values = {"area": str(scratch.path), "reason": str(e)}
            course.findings.append(Finding(code="drill_left_behind", status=Status.WARN, place="scratch", values=values))
        finally:
            if pipe is not None:
                os.close(pipe)


def _has_area(course: Course, scratch: Scratch, needed_bytes: int, factor: float) -> bool:
    try:
        make_scratch(scratch, needed_bytes, factor)
    except ScratchTooSmall as e:
        values = {"free_bytes": e.free_bytes, "needed_bytes": e.needed_bytes}
        course.findings.append(Finding(code="drill_space", status=Status.UNKNOWN, place=str(e.root), values=values))
    except OSError as e:
        course.fail("restore", NoScratch(str(e)))
    return scratch.lock_fd is not None


def _go_through_phases(course: Course, scratch: Scratch) -> None:
    give_to_server(scratch.path)
    if not course.run("restore", lambda: _restore(course, scratch)):
        return
    copies: list[RestoredCopy] = []
    try:
        if course.run("recover", lambda: _recover(course, scratch, copies)):
            _examine(course, scratch, copies[0])
    finally:
        _end_servers(scratch, copies)


def _examine(course: Course, scratch: Scratch, copy: RestoredCopy) -> None:
    course.run("pages", lambda: _examine_pages(course, copy))
    if course.run("structure", lambda: _examine_structure(course, scratch, copy)) or copy.server.is_running():
        course.run("content", lambda: _examine_content(course, copy))


def _end_servers(scratch: Scratch, copies: list[RestoredCopy]) -> None:
    """End the copy at once: nothing of it is kept."""
    stop_servers(scratch.path)
    for copy in copies:
        try:
            copy.stop()
        except ServerError as e:
            log.error("%s: %s", scratch.drill_id, e)


def _restore(course: Course, scratch: Scratch) -> int:
    """Let the source put the chain into the data directory, in a thread: it may hang where no exception reaches it."""
    outcome: list[int | Exception] = []
    left = threading.Event()

    def go_on(_restored_bytes: int) -> None:
        if left.is_set():
            raise RestoreFailed("the drill has ended")

    def work() -> None:
        try:
            outcome.append(course.source.restore(course.chain, scratch.data_dir, go_on))
        except Exception as e:  # raised again below, in the drill's own thread
            outcome.append(e)

    scratch.data_dir.mkdir(mode=0o700)
    thread = threading.Thread(target=work, name=scratch.drill_id, daemon=True)
    thread.start()
    try:
        thread.join(course.remaining_s())
        ended_in_time = not thread.is_alive()
    finally:
        left.set()
        _end_restore(thread, scratch.path)
    if not ended_in_time:
        raise OutOfTime("the restore did not end within drill_timeout_minutes")
    if isinstance(outcome[0], Exception):
        raise outcome[0]
    course.restored_bytes = outcome[0]
    return outcome[0]


def _end_restore(thread: threading.Thread, area: Path) -> None:
    """Wait until nothing restores any more: it would write beside the removal of its area. What hangs is left behind."""
    give_up_at = time.monotonic() + LEAVE_RESTORE_S
    while thread.is_alive() and time.monotonic() < give_up_at:
        kill_writers(area)
        thread.join(0.1)


def _recover(course: Course, scratch: Scratch, copies: list[RestoredCopy]) -> int:
    """Start the copy and replay archived logs until it serves; returns the replayed bytes."""
    copy = open_copy(scratch.data_dir)
    copies.append(copy)
    with LogRelay(scratch.path, scratch.data_dir, course.source.fetch_log_command(), course.give_up_at) as relay:
        make_harmless(copy, scratch.path, relay.restore_command, course.target_time)
        _replay(course, copy)
    course.recovery = read_recovery(copy.read_log())
    _compare_with_archive(course)
    return course.recovery.replayed_bytes


def _replay(course: Course, copy: RestoredCopy) -> None:
    try:
        copy.start(course.remaining_s())
    except ServerError as e:
        course.remaining_s()  # out of time is not the copy's fault
        if not _was_idle_until_target(course, copy.read_log()):
            raise ServerError(last_useful_lines(copy.read_log()) or str(e)) from e
        course.was_idle = True
        drop_target(copy)
        copy.start(course.remaining_s())


def _was_idle_until_target(course: Course, log_text: str) -> bool:
    """Whether the logs reach past the target without a commit after it.

    PostgreSQL stops at the first commit after the target and gives up where there is none; but when a log of a later
    time is archived, the end of the logs is the state at the target.
    """
    if course.target_time is None or TARGET_NOT_REACHED not in log_text or course.logs is None:
        return False
    return any(r.last_at >= course.target_time for r in course.logs.ranges)


def _compare_with_archive(course: Course) -> None:
    """Recovery to the end must come to the last segment of the newest timeline, not quietly stop at a gap before it."""
    stops_before = course.target_time is not None and not course.was_idle
    if stops_before or course.logs is None or not course.logs.ranges or course.recovery is None:
        return
    newest = max(r.timeline for r in course.logs.ranges)
    archive_end = max(r.end_position for r in course.logs.ranges if r.timeline == newest)
    ended_at = course.recovery.end_position or course.chain[-1].stop_position or 0
    missing_bytes = archive_end - ended_at
    if missing_bytes <= course.logs.segment_bytes:  # recovery ends at a record within the last segment
        return
    values = {"ended_at": format_lsn(ended_at), "archive_end": format_lsn(archive_end), "missing_bytes": missing_bytes}
    course.findings.append(Finding(code="drill_ended_early", status=Status.FAIL, place="recover", values=values))


def _examine_pages(course: Course, copy: RestoredCopy) -> int:
    copy.forgo_durability()
    copy.stop()
    examined_bytes, findings = check_pages(copy, course.remaining_s())
    course.findings += findings
    return examined_bytes


def _examine_structure(course: Course, scratch: Scratch, copy: RestoredCopy) -> int:
    create_role(copy, scratch.path)
    copy.start(course.remaining_s())
    examined_bytes, findings = check_structure(copy, course.remaining_s())
    course.findings += findings
    return examined_bytes


def _examine_content(course: Course, copy: RestoredCopy) -> int:
    """Ask the declared assertions of the copy as it came up; without any there is nothing to ask."""
    plan = course.database.backup.drill
    if not plan.assertions:
        return 0
    reference = course.recovered_to or course.started_at  # of a quiet night, not the target but the last work before it
    with copy.connect(plan.dbname, course.remaining_s(), course.database.time_zone) as connection:
        course.findings += check_assertions(connection, plan.assertions, reference, course.database.zone)
    course.assertions = len(plan.assertions)
    return 0


def _result(course: Course, forecast: Forecast | None) -> Drill:
    return Drill(
        drill_id=course.drill_id,
        set_id=course.chain[-1].set_id,
        chain=tuple(s.set_id for s in course.chain),
        recovered_to=course.recovered_to,
        target_time=course.target_time,
        started_at=course.started_at,
        ended_at=datetime.now(UTC),
        restored_bytes=course.restored_bytes,
        replayed_bytes=course.recovery.replayed_bytes if course.recovery else 0,
        phases=tuple(course.phases),
        assertions=course.assertions,
        forecast_s=forecast.seconds if forecast else None,
        findings=tuple(course.findings),
    )
