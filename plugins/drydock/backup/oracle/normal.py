"""The verdict *normal* on Oracle: runs of backups against their own past, and habits that changed.

A run is all sets of one level that a job made; its bytes, time and datafiles are held against those of earlier runs of the
same kind of day, as for every engine. Beside that: a level 1 that scanned every block, a backup of logs that took none, a
file left out, a tiny piece, and flags or folders that changed (Oracle Backup and Recovery User's Guide, "Block Change
Tracking", "Monitoring RMAN").
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import chain
from zoneinfo import ZoneInfo

from drydock.backup import normal as neutral
from drydock.backup.facts import BackupSet, Level, Survey
from drydock.backup.folding import fold_findings
from drydock.backup.oracle.catalogue import OracleCatalogue, Piece, RmanJob, RmanSet
from drydock.backup.oracle.file_chains import OFFLINE, READ_ONLY, FileBackup, set_id_of
from drydock.backup.oracle.runs import BackupRun, as_one_set, backup_runs
from drydock.policy import BackupPolicy
from drydock.verdicts import Finding, Status, Verdict, judge

SMALLEST_PIECE = 1024 * 1024
SMALLEST_FILE = 64 * 1024 * 1024  # of a smaller datafile a small piece tells nothing
DAY_FOLDER = re.compile(r"\d{4}_\d{2}_\d{2}|\d{8}|\d{4}-\d{2}-\d{2}|\d{6}")
MIN_RUNS = 8
SHRUNK = 0.7


def judge_normal(survey: Survey, policy: BackupPolicy, is_workday: neutral.IsWorkday, zone: ZoneInfo) -> Verdict:
    """The verdict *normal* of one survey that has a catalogue; SKIPPED where no level has history and nothing was found."""
    data = [s for s in _all_sets(survey) if s.form in ("backupset", "copy")]
    present = {s.set_id for s in survey.sets}
    runs = [as_one_set(r) for lv in (Level.FULL, Level.INCREMENTAL) for r in backup_runs(data, lv)]
    kept = tuple(r for r in runs if r.set_id in present)
    past = tuple(r for r in runs if r.set_id not in present)
    told = survey.model_copy(update={"sets": kept, "past_sets": past})
    strict = policy.model_copy(update={"normal_min_runs": max(policy.normal_min_runs, MIN_RUNS)})
    base = neutral.judge_normal(told, strict, is_workday, zone)
    findings = tuple(_habit_findings(survey))
    if not findings:
        return base
    return judge(base.question, base.examined or len(kept), (*base.findings, *findings), **base.evidence)


def _all_sets(survey: Survey) -> Iterator[BackupSet]:
    present = {s.set_id for s in survey.sets}
    return chain(survey.sets, (s for s in survey.past_sets if s.set_id not in present))


def _habit_findings(survey: Survey) -> Iterator[Finding]:
    catalogue = survey.catalogue
    rman = {s.set_id: s for s in catalogue.sets}
    yield from _empty_log_backup(catalogue)
    for level in (Level.FULL, Level.INCREMENTAL):
        runs = backup_runs((s for s in survey.sets if s.form == "backupset"), level)
        if runs:
            yield from _tiny_pieces(runs[-1], rman, catalogue)
        if runs and level is Level.INCREMENTAL:
            yield from _untracked(runs[-1], catalogue)
        if len(runs) > 1:
            yield from fold_findings(_left_out(runs[-3:-1], runs[-1], catalogue), survey.database, "more_unusual")
            yield from _shrank(runs[-2], runs[-1], catalogue) if level is Level.FULL else ()
            yield from _changed(runs[-2], runs[-1], rman)
    yield from _beside_data(survey, rman)


def _held(run: BackupRun, catalogue: OracleCatalogue) -> list[FileBackup]:
    ids = {s.set_id for s in run.sets}
    return [b for b in catalogue.file_backups if b.file and set_id_of(b) in ids]


def _untracked(run: BackupRun, catalogue: OracleCatalogue) -> Iterator[Finding]:
    """A level 1 that read whole files although changes are tracked: it takes as long as a full one."""
    read = [b for b in _held(run, catalogue) if b.level == 1 and b.incremental_scn and not b.used_change_tracking]
    whole_files = [b for b in read if b.datafile_blocks and b.blocks_read >= b.datafile_blocks]
    if catalogue.facts.block_change_tracking and whole_files:
        values = {"files": len(whole_files), "blocks_read": sum(b.blocks_read for b in whole_files)}
        yield Finding(code="change_tracking_unused", status=Status.WARN, place=run.sets[0].set_id, values=values)


def _empty_log_backup(catalogue: OracleCatalogue) -> Iterator[Finding]:
    """The newest backup of logs took none, though logs were archived since the one before and are in no set."""
    jobs = [j for j in catalogue.jobs if j.input_type == "ARCHIVELOG" and j.status.startswith("COMPLETED")]
    if not jobs or jobs[-1].input_bytes:
        return
    last, before = jobs[-1], jobs[-2].started_at if len(jobs) > 1 else jobs[-1].started_at - timedelta(hours=1)
    bare = [s for s in catalogue.log_spans if s.on_disk and not s.set_ids and s.next_at > before]
    waiting = sum(s.logs for s in bare if s.next_at < last.started_at or (s.first_at < last.started_at and s.logs > 1))
    if waiting:
        values = {"started": _minute(last), "waiting": waiting}
        yield Finding(code="log_backup_empty", status=Status.WARN, place=f"session {last.session_recid}", values=values)


def _minute(job: RmanJob) -> str:
    return f"{job.started_at:%Y-%m-%d %H:%M}"


def _left_out(before: Sequence[BackupRun], run: BackupRun, catalogue: OracleCatalogue) -> Iterator[Finding]:
    """Files in both runs before and not in this one, though they are still there, online and written to.

    Where each night takes another part of the database, a file that was not in the last but one run is not missed.
    """
    had = set.intersection(*({(b.file, b.creation_scn) for b in _held(r, catalogue)} for r in before))
    has = {(b.file, b.creation_scn) for b in _held(run, catalogue)}
    for f in catalogue.datafiles:
        skipped = f.status in OFFLINE or f.enabled == READ_ONLY or not f.in_database_backup
        if (f.file, f.creation_scn) in had - has and not skipped:
            values = {"name": f.name, "level": run.level.value, "run": f"{run.started_at:%Y-%m-%d %H:%M}"}
            yield Finding(code="datafile_left_out", status=Status.WARN, place=f"file {f.file}", values=values)


def _shrank(before: BackupRun, run: BackupRun, catalogue: OracleCatalogue) -> Iterator[Finding]:
    """A full run less than 70 % of the one before, though it is of as many files and compressed as that was."""
    files = [{(b.file, b.creation_scn) for b in _held(r, catalogue)} for r in (before, run)]
    was, now = (sum(s.total_bytes for s in r.sets) for r in (before, run))
    whole = not any(s.problems for r in (before, run) for s in r.sets)
    if whole and was and now < SHRUNK * was and files[0] <= files[1]:
        values = {"was_bytes": was, "bytes": now, "change_percent": round(100 * (now - was) / was)}
        yield Finding(code="full_shrank", status=Status.WARN, place=run.sets[0].set_id, values=values)


def _tiny_pieces(run: BackupRun, rman: dict[str, RmanSet], catalogue: OracleCatalogue) -> Iterator[Finding]:
    """Pieces of nothing: no bytes at all, or less than a megabyte for a full backup of files that are not small."""
    sizes: dict[str, int] = {}
    for backup in _held(run, catalogue):
        sizes[set_id_of(backup)] = sizes.get(set_id_of(backup), 0) + backup.blocks * backup.block_bytes
    for made in run.sets:
        pieces = [p for p in rman[made.set_id].pieces if p.status == "A"]
        least = min((p.total_bytes for p in pieces), default=None)
        is_large = run.level is Level.FULL and sizes.get(made.set_id, 0) >= SMALLEST_FILE
        if least is not None and (least == 0 or (is_large and least < SMALLEST_PIECE)):
            yield Finding(code="piece_tiny", status=Status.WARN, place=made.set_id, values={"piece_bytes": least})


def _changed(before: BackupRun, run: BackupRun, rman: dict[str, RmanSet]) -> Iterator[Finding]:
    """Flags and folders of pieces that are not what they were in the run before."""
    old, new = _pieces(before, rman), _pieces(run, rman)
    if not old or not new:
        return
    for what, of in (("compressed", "is_compressed"), ("encrypted", "is_encrypted"), ("device", "device")):
        was, now = ({getattr(p, of) for p in pieces} for pieces in (old, new))
        if was.isdisjoint(now):
            values = {"what": what, "was": _word(was), "now": _word(now)}
            yield Finding(code="backup_form_changed", status=Status.WARN, place=run.sets[0].set_id, values=values)
    was, now = ({folder(p.handle) for p in pieces if p.device == "DISK"} for pieces in (old, new))
    if was and now and was.isdisjoint(now):
        values = {"was": min(was), "now": min(now)}
        yield Finding(code="backup_place_changed", status=Status.WARN, place=run.sets[0].set_id, values=values)


def _pieces(run: BackupRun, rman: dict[str, RmanSet]) -> list[Piece]:
    return [p for s in run.sets for p in rman[s.set_id].pieces if p.status == "A"]


def _word(values: set[object]) -> str:
    return ", ".join(sorted(str(v) for v in values))


def folder(handle: str) -> str:
    """The folder of a piece with the parts that name a day taken out; '' where the handle has none."""
    return DAY_FOLDER.sub("*", handle.replace("\\", "/").rpartition("/")[0])


def _beside_data(survey: Survey, rman: dict[str, RmanSet]) -> Iterator[Finding]:
    """The newest full backup lies in the folder or disk group of the datafiles: one loss takes both."""
    runs = backup_runs((s for s in survey.sets if s.form in ("backupset", "copy")), Level.FULL)
    if not runs:
        return
    data = {_device(f.name) for f in survey.catalogue.datafiles}
    handles = (p.handle for p in _pieces(runs[-1], rman) if p.device == "DISK")
    shared = next((d for h in handles for d in data if _lies_in(h, d)), None)
    if shared:
        values = {"where": shared}
        yield Finding(code="backup_beside_data", status=Status.WARN, place=runs[-1].sets[0].set_id, values=values)


def _lies_in(handle: str, device: str) -> bool:
    return bool(device) and handle.replace("\\", "/").upper().startswith(f"{device.upper()}/")


def _device(path: str) -> str:
    """The disk group of a path on ASM, else its folder: as much as can be told without looking at the host."""
    if path.startswith("+"):
        return path.split("/", 1)[0].upper()
    return path.replace("\\", "/").rpartition("/")[0]
