"""One base backup as a BackupSet: identified, dated, and with all that is wrong with it short of reading its data."""

from __future__ import annotations

import pwd
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from drydock.backup.facts import UNFINISHED, BackupSet, Level, Tablespace
from drydock.backup.folding import fold_findings
from drydock.backup.postgres.manifest import Manifest
from drydock.backup.postgres.set_evidence import CONTROL_FILE, Evidence, SetPlace, gather_evidence
from drydock.backup.postgres.set_files import LABEL, check_permissions, problem
from drydock.backup.postgres.wal import BackupHistory
from drydock.verdicts import Finding, Status, clean_text

STILL_WRITTEN_FOR = timedelta(minutes=30)  # a set without its manifest that changed this lately is being made
INCREMENTAL_PREFIX = "INCREMENTAL."  # of the files of an incremental backup


def survey_set(place: SetPlace, histories: Sequence[BackupHistory], as_of: datetime) -> BackupSet:
    """One set with its problems. `parent_id` is left to the caller, who knows the other sets. Raises OSError."""
    evidence = gather_evidence(place)
    problems = _unfinished(place, evidence, as_of) or evidence.problems
    owner_id, owner_problems = _owner(place, evidence)
    unnameable = _unnameable(place)
    problems = [*problems, *owner_problems, *check_permissions(place.set_id, evidence.tree, owner_id), *unnameable]
    history = _matching_history(evidence, histories)
    return BackupSet(
        set_id=place.set_id,
        place="" if unnameable else str(place.root),  # rather none than, cleaned, that of another folder
        form="tar" if evidence.is_tar else "plain",
        total_bytes=evidence.tree.total_bytes,
        restored_bytes=_unpacked_bytes(evidence),
        files=_count_files(evidence),
        tablespaces=_tablespaces(evidence),
        problems=fold_findings(problems, place.set_id, "more_set_problems"),
        **_identity(evidence, history),
        **_times(evidence, history, is_finished=all(p.code != UNFINISHED for p in problems)),
    )


def _unnameable(place: SetPlace) -> list[Finding]:
    """A path that no record can hold as it is, so that the set cannot be found again by its record."""
    path = str(place.root)
    if clean_text(path) == path:
        return []
    reason = "its path holds control characters, or is too long to be kept in a record"
    return [problem("source_unreadable", place.set_id, Status.UNKNOWN, reason=reason)]


def _unfinished(place: SetPlace, evidence: Evidence, as_of: datetime) -> list[Finding]:
    """A set that is being made (WARN), or that was left as a part of one (FAIL); then nothing else is told of it."""
    if evidence.manifest_at is not None:
        return []
    changed_at = datetime.fromtimestamp(evidence.tree.newest_s, UTC)
    is_part = evidence.sizes is not None and CONTROL_FILE not in evidence.sizes
    is_part |= any(p.code == "set_archive_damaged" for p in evidence.problems)
    if as_of - changed_at < STILL_WRITTEN_FOR:
        return [problem(UNFINISHED, place.set_id, Status.WARN, changed_at=changed_at.isoformat(timespec="seconds"))]
    return [problem(UNFINISHED, place.set_id, changed_at=changed_at.isoformat(timespec="seconds"))] if is_part else []


def _owner(place: SetPlace, evidence: Evidence) -> tuple[int, list[Finding]]:
    """User id that must own the files: of the declared owner, else of the set's own folder."""
    folder_owner = evidence.tree.folders[""].owner_id
    if place.owner is None:
        return folder_owner, []
    try:
        return pwd.getpwnam(place.owner).pw_uid, []
    except KeyError:
        return folder_owner, [problem("set_owner_unknown", place.set_id, Status.UNKNOWN, owner=place.owner)]


def _matching_history(evidence: Evidence, histories: Sequence[BackupHistory]) -> BackupHistory | None:
    """The `.backup` file of this very backup: same start, label and start time."""
    label = evidence.label
    if label is None:
        return None
    own = (label.start_position, label.label, label.started_at)
    return next((h for h in histories if (h.start_position, h.label, h.started_at) == own), None)


def _identity(evidence: Evidence, history: BackupHistory | None) -> dict[str, object]:
    """Level, system, timeline and positions."""
    label, manifest = evidence.label, evidence.manifest
    ranges = manifest.wal_ranges if manifest else ()
    incremental = label.parent_position is not None if label else _has_incremental_files(manifest)
    stop = manifest.stop_position if manifest else None
    return {
        "level": Level.INCREMENTAL if incremental else Level.FULL,
        "system_id": evidence.system_id,
        "timeline": label.timeline if label else ranges[0].timeline if ranges else None,
        "start_position": label.start_position if label else min((r.start_position for r in ranges), default=None),
        "stop_position": stop if stop is not None or history is None else history.stop_position,
        "parent_position": label.parent_position if label else None,
    }


def _has_incremental_files(manifest: Manifest | None) -> bool:
    return manifest is not None and any(p.rpartition("/")[2].startswith(INCREMENTAL_PREFIX) for p in manifest.files)


def _times(evidence: Evidence, history: BackupHistory | None, *, is_finished: bool) -> dict[str, datetime | None]:
    """Start from the label, end from the `.backup` file of the archive, else from the manifest, which is written last."""
    label_file = evidence.tree.files.get(LABEL)
    started_at = evidence.label.started_at if evidence.label else None
    if started_at is None and label_file is not None:
        started_at = datetime.fromtimestamp(label_file.modified_s, UTC)
    finished_at = history.finished_at if history and history.finished_at else evidence.manifest_at
    return {"started_at": started_at, "finished_at": finished_at if is_finished else None}


def _unpacked_bytes(evidence: Evidence) -> int | None:
    """Bytes of the files in the archives of a set: from their headers, else from the manifest; None for a plain set."""
    if not evidence.is_tar:
        return None
    if evidence.sizes is not None:
        return sum(evidence.sizes.values())
    return evidence.manifest.total_bytes + evidence.manifest.wal_bytes if evidence.manifest else None


def _count_files(evidence: Evidence) -> int:
    if evidence.sizes is not None:
        return len(evidence.sizes)
    return len(evidence.manifest.files) if evidence.manifest else len(evidence.archives)


def _tablespaces(evidence: Evidence) -> tuple[Tablespace, ...]:
    if evidence.is_tar:
        places = {oid: evidence.archives.get(str(oid)) for oid in evidence.source_locations}
        return tuple(
            Tablespace(oid=oid, location=evidence.source_locations[oid], place=str(tar.path) if tar else "")
            for oid, tar in sorted(places.items())
        )
    links = sorted(evidence.tree.tablespaces.items())
    return tuple(Tablespace(oid=oid, location=str(t), place=str(t) if t.is_dir() else "") for oid, t in links)
