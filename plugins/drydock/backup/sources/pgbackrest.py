"""Backups in a pgBackRest repository, looked at through pgBackRest itself: it alone knows its forms and its keys.

Source of the method: pgBackRest command reference (info, repo-ls, repo-get, verify, restore, archive-get).
"""

from __future__ import annotations

import json
import logging
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from drydock.backup.facts import BackupSet, LogArchive, LogRange
from drydock.backup.folding import fold_findings
from drydock.backup.postgres.backup_label import LabelDamaged
from drydock.backup.postgres.restoring import tablespaces_dir
from drydock.backup.postgres.set_files import list_files
from drydock.backup.postgres.wal import parse_segment, parse_timeline_history
from drydock.backup.postgres.wal_archive import log_ranges, missing_histories
from drydock.backup.results import Read, ReadUnit
from drydock.backup.source import Progress, RestoreFailed, SourceUnreadable, no_progress
from drydock.backup.sources.pgbackrest_report import (
    Verification,
    backup_sets,
    find_segment_bytes,
    log_findings,
    parse_archive,
    parse_info,
    parse_verification,
    set_findings,
)
from drydock.estate import Places
from drydock.verdicts import Finding, Status

log = logging.getLogger(__name__)

PROGRAM = "pgbackrest"
LOOK_TIMEOUT_S = 600.0  # info and listings; verify and restore may take as long as they need
MANIFESTS = ("backup.manifest", "backup.manifest.copy")
KEPT_VARIABLES = ("PATH", "HOME", "TZ")
PLACE = re.compile(r"repo(\d+):.*")
LONGEST_REASON = 400


class PgBackRestSource:
    """The BackupSource of one stanza. `places.sets` is the configuration file, `places.stanza` the stanza.

    `verify` reads a whole repository at once, so one run of it answers for every set and log that is asked about.
    """

    def __init__(self, places: Places, _zone: ZoneInfo) -> None:
        self._config = Path(places.sets)
        self._stanza = places.stanza or ""
        self._verifications: dict[int, Verification] = {}

    def survey_sets(self, as_of: datetime) -> tuple[BackupSet, ...]:
        """All sets of the catalogue that were finished at `as_of`, oldest first. Raises SourceUnreadable."""
        found = [s for s in backup_sets(self._info(), self._stanza) if s.finished_at and s.finished_at <= as_of]
        return tuple(self._with_manifest_problems(s) for s in sorted(found, key=lambda s: (s.finished_at, s.set_id)))

    def survey_logs(self, as_of: datetime) -> LogArchive | None:
        """The archived logs of the stanza's present database that were there at `as_of`. Raises SourceUnreadable."""
        info = self._info()
        archive = _present_archive(info)
        if archive is None:
            raise SourceUnreadable(f"stanza {self._stanza}: no archive")
        repo, archive_id, segment_bytes = archive["database"].get("repo-key", 1), archive["id"], find_segment_bytes(info)
        listing = parse_archive(self._list(repo, f"archive/{self._stanza}", "--recurse"), archive_id, as_of)
        segments = sorted((parse_segment(s.name, segment_bytes), s) for s in listing.segments.values())
        ranges = tuple(log_ranges(segments, segment_bytes))
        timelines, problems = self._read_histories(repo, listing.histories)
        return LogArchive(
            place=f"repo{repo}:archive/{self._stanza}/{archive_id}",
            segment_bytes=segment_bytes,
            ranges=ranges,
            timelines=timelines,
            problems=(*problems, *missing_histories({r.timeline for r in ranges}, timelines)),
        )

    def read_set(self, backup_set: BackupSet, progress: Progress = no_progress) -> Read:
        """Every file of a set and of the sets it refers to, read and compared by `verify`. Raises SourceUnreadable."""
        found = self._verify(_repo_of(backup_set.place), since=backup_set.finished_at)
        verified = found.backups.get(backup_set.set_id)
        files = verified.files if verified else 0
        read_bytes = backup_set.total_bytes if files else 0
        progress(read_bytes)
        return Read(
            unit=ReadUnit.SET,
            subject=backup_set.set_id,
            set_id=backup_set.set_id,
            read_bytes=read_bytes,
            files=files,
            started_at=found.started_at,
            ended_at=found.ended_at,
            findings=fold_findings(set_findings(found, backup_set.set_id), backup_set.set_id, "more_read_problems"),
        )

    def read_logs(self, log_range: LogRange, progress: Progress = no_progress) -> Read:
        """The archived segments of a range, read and compared with the checksum in their names. Raises SourceUnreadable."""
        archive = _present_archive(self._info())
        if archive is None:
            raise SourceUnreadable(f"stanza {self._stanza}: no archive")
        found = self._verify(archive["database"].get("repo-key", 1), since=log_range.last_at)
        findings = [f for name, f in log_findings(found, archive["id"]) if not name or log_range.first <= name <= log_range.last]
        checked = found.archives.get(archive["id"])
        read_bytes, files = (log_range.total_bytes, log_range.segments) if checked and checked.files else (0, 0)
        if not files:
            values = {"reason": "; ".join(found.errors) or "not verified"}
            findings.append(Finding(code="log_unreadable", status=Status.FAIL, place=log_range.first, values=values))
        progress(read_bytes)
        return Read(
            unit=ReadUnit.LOGS,
            subject=f"{log_range.first}..{log_range.last}",
            timeline=log_range.timeline,
            first_position=log_range.first_position,
            end_position=log_range.end_position,
            read_bytes=read_bytes,
            files=files,
            started_at=found.started_at,
            ended_at=found.ended_at,
            findings=fold_findings(findings, log_range.first, "more_read_problems"),
        )

    def restore(self, chain: tuple[BackupSet, ...], data_dir: Path, progress: Progress = no_progress) -> int:
        """Restore the last set of a chain into `data_dir`, tablespaces to `<data_dir>.tblspc`. Raises RestoreFailed, OSError.

        The configuration may be that of a repository host, where the database is elsewhere: the copy is here.
        """
        data_dir.mkdir(mode=0o700, exist_ok=True)
        home = tablespaces_dir(data_dir.absolute())
        home.mkdir(mode=0o700, exist_ok=True)
        options = [f"--set={chain[-1].set_id}", "--type=none", "--reset-pg1-host", f"--pg1-path={data_dir.absolute()}"]
        options += [f"--tablespace-map-all={home}", f"--lock-path={data_dir.with_name('lock')}"]
        options += [f"--spool-path={data_dir.with_name('spool')}"]
        done = self._run("restore", f"--repo={_repo_of(chain[-1].place)}", *options, timeout_s=None)
        if done.returncode != 0:
            raise RestoreFailed(_reason(done))
        restored_bytes = list_files(data_dir).total_bytes
        progress(restored_bytes)
        return restored_bytes

    def fetch_log_command(self) -> str:
        """A restore_command by archive-get. It runs in the data directory of the copy, which is the one it must name."""
        program = shlex.quote(shutil.which(PROGRAM) or PROGRAM).replace("%", "%%")
        options = " ".join(
            shlex.quote(o).replace("%", "%%") for o in (*self._options(), "--no-archive-async", "--reset-pg1-host")
        )
        return f'{program} {options} --pg1-path="$PWD" archive-get %f "%p"'

    def _info(self) -> dict[str, Any]:
        """The stanza's catalogue. Raises SourceUnreadable."""
        done = self._look("info", "--output=json")
        try:
            return parse_info(done, self._stanza)
        except (ValueError, KeyError, TypeError) as e:
            raise SourceUnreadable(str(e)) from e

    def _with_manifest_problems(self, backup_set: BackupSet) -> BackupSet:
        """The catalogue lists sets whose folder is gone; only the manifest in it says that there is one."""
        folder = f"backup/{self._stanza}/{backup_set.set_id}"
        found = json.loads(self._list(_repo_of(backup_set.place), folder))
        if any(name in found for name in MANIFESTS):
            return backup_set
        missing = Finding(code="manifest_missing", status=Status.FAIL, place=f"{backup_set.set_id}/{MANIFESTS[0]}")
        return backup_set.model_copy(update={"problems": (*backup_set.problems, missing)})

    def _read_histories(self, repo: int, histories: dict[int, str]) -> tuple[dict[int, tuple[int, int]], list[Finding]]:
        timelines: dict[int, tuple[int, int]] = {}
        problems = []
        for timeline in sorted(histories, reverse=True):
            text = self._look("repo-get", f"--repo={repo}", f"archive/{self._stanza}/{histories[timeline]}", with_stanza=False)
            try:
                for child, parent, position in parse_timeline_history(timeline, text):
                    timelines[child] = (parent, position)
            except LabelDamaged as e:
                values = {"reason": str(e)}
                problems.append(Finding(code="history_damaged", status=Status.FAIL, place=histories[timeline], values=values))
        return timelines, problems

    def _verify(self, repo: int, since: datetime | None) -> Verification:
        """The last run of verify when it began after `since`, else a new one. Raises SourceUnreadable."""
        known = self._verifications.get(repo)
        if known and (since is None or known.started_at >= since):
            return known
        started_at = datetime.now(UTC)
        options = (f"--repo={repo}", "--output=text", "--verbose", "--log-level-stderr=detail", "--log-timestamp=n")
        done = self._run("verify", *options, timeout_s=None)
        if done.returncode != 0:
            raise SourceUnreadable(_reason(done))
        self._verifications[repo] = parse_verification(done.stdout, done.stderr, started_at, datetime.now(UTC))
        return self._verifications[repo]

    def _list(self, repo: int, path: str, *options: str) -> str:
        return self._look("repo-ls", f"--repo={repo}", "--output=json", *options, path, with_stanza=False)

    def _look(self, command: str, *options: str, with_stanza: bool = True) -> str:
        done = self._run(command, *options, timeout_s=LOOK_TIMEOUT_S, with_stanza=with_stanza)
        if done.returncode != 0:
            raise SourceUnreadable(_reason(done))
        return done.stdout

    def _options(self) -> Iterator[str]:
        yield from (f"--config={self._config}", f"--stanza={self._stanza}", "--log-level-console=off", "--log-level-file=off")

    def _run(
        self, command: str, *options: str, timeout_s: float | None, with_stanza: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """Run pgBackRest; its settings may also come from variables of its own. Raises SourceUnreadable when it does not run."""
        if not self._stanza:
            raise SourceUnreadable("no stanza is configured")
        general = [o for o in self._options() if with_stanza or not o.startswith("--stanza=")]
        env = {k: v for k, v in os.environ.items() if k in KEPT_VARIABLES or k.startswith("PGBACKREST_")} | {"LC_ALL": "C"}
        try:
            return subprocess.run(
                [PROGRAM, command, *general, *options],
                env=env,
                cwd="/",
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=timeout_s,
                check=False,
            )
        except FileNotFoundError as e:
            raise SourceUnreadable("pgbackrest is not installed on this machine") from e
        except (OSError, subprocess.TimeoutExpired) as e:
            raise SourceUnreadable(f"pgbackrest {command}: {e}") from e


def _present_archive(info: dict[str, Any]) -> dict[str, Any] | None:
    """The archive of the newest database of the stanza, in the repository with the highest priority."""
    archives = sorted(info.get("archive", []), key=lambda a: (-a["database"]["id"], a["database"].get("repo-key", 1)))
    return archives[0] if archives else None


def _repo_of(place: str) -> int:
    match = PLACE.fullmatch(place)
    return int(match[1]) if match else 1


def _reason(done: subprocess.CompletedProcess[str]) -> str:
    text = " ".join((done.stderr or done.stdout).split())
    return text[-LONGEST_REASON:] or f"pgbackrest ended with {done.returncode}"
