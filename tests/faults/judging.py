"""Judges a copy of a small real world as the pipeline does: survey, read every byte back, drill if asked, judge.

What comes out is told as lines, one for each finding, so that a test states all that may be said of a fault and nothing
else: `complete FAIL set_file_missing full_20261118T013000/base/5/16384`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from drydock import messages
from drydock.backup.drill.course import run_drill
from drydock.backup.facts import BackupSet, Survey
from drydock.backup.forecast import forecast_recovery
from drydock.backup.judge import judge_day
from drydock.backup.results import Depth, Drill, Judgement, Read, ReadUnit
from drydock.backup.rotation import ReadTask, choose_drill_chain, choose_reads
from drydock.backup.source import BackupSource, SourceGone
from drydock.backup.sources.registry import open_source
from drydock.backup.survey import survey_database
from drydock.engines.postgres import Endpoint
from drydock.estate import Database
from drydock.policy import BackupPolicy
from drydock.verdicts import Finding, Verdict
from drydock.waivers import Waiver
from sandbox.backup_job import BackupPlaces
from sandbox.clock import ZONE
from sandbox.past import Night
from sandbox.world import DBNAME, World

DATABASE = "gz_main"
READ_ALL = BackupPolicy(read_every_days=1, read_quota_factor=1000.0)  # which bytes are read, not how they are judged
ALLOWED_SILENCE = ("normal", "history_short")  # a young world has no past to be compared with


@dataclass(frozen=True)
class Case:
    """The backups of a world, what was planned for them, and when one looks at them.

    `plan` changes the backup plan; `state` is the folder for scratch space, one beside the backups unless it is given.
    """

    places: BackupPlaces
    nights: tuple[Night, ...]
    sets: tuple[str, ...]
    as_of: datetime
    endpoint: Endpoint | None = None
    past_sets: tuple[BackupSet, ...] = ()
    plan: tuple[tuple[str, Any], ...] = ()
    state: Path | None = None

    def set_dir(self, number: int) -> Path:
        """The folder of a set by its number in time, -1 the newest."""
        return self.places.sets / self.sets[number]

    def slot(self, number: int) -> str:
        """Where findings about a planned job lie."""
        night = self.nights[number]
        return f"{night.at.astimezone(ZONE):%Y-%m-%d %H:%M} {night.level}"

    def but(self, **changes: Any) -> Case:
        return replace(self, **changes)

    def planned(self, **changes: Any) -> Case:
        """The same with another backup plan."""
        return replace(self, plan=(*self.plan, *changes.items()))

    def database(self) -> Database:
        return described_database(self.places, self.nights, dict(self.plan))

    def judge(
        self,
        *,
        drill: Path | None = None,
        waivers: Iterable[Waiver] = (),
        backfill: bool = False,
        unread: Collection[str] | None = (),
        **policy: Any,
    ) -> Judgement:
        """The judgement; `drill` is a scratch root, where a drill is wanted, `policy` what differs from the defaults.

        `unread` are sets that no run has read back; None: nothing was ever read.
        """
        database, thresholds = self.database(), BackupPolicy(**policy)
        source = open_source(database)
        survey = survey_database(database, source, self.endpoint, self.as_of, self.past_sets)
        if not backfill:  # the world's present is the judge's: to be judged as of now, and not as a past day
            survey = survey.model_copy(update={"surveyed_at": self.as_of})
        with pytest.MonkeyPatch.context() as environment:
            environment.setenv("DRYDOCK_STATE", str(self.state or self.places.root.with_suffix(".state")))
            reads = () if unread is None else read_everything(source, survey, unread)
        drills = drill_newest(database, source, survey, thresholds, drill) if drill else ()
        depth = Depth.DRILL if drill else Depth.BYTES
        forecast = forecast_recovery(survey, drills)
        arguments = (reads, drills, forecast, thresholds, waivers, lambda day: day.weekday() < 5, depth, datetime.now(UTC))
        return judge_day(database, survey, *arguments)

    def told(self, **how: Any) -> set[str]:
        """All that the judgement says, as lines."""
        return lines(self.judge(**how))


def case_of(world: World, dest: Path) -> Case:
    """A case on a copy of a world's backups. Its files are shared with the world until `damage.own` makes one its own."""
    return look_at(world, world.copy_backups(dest, shared=True))


def look_at(world: World, places: BackupPlaces) -> Case:
    """What lies at `places`, looked at five minutes after the last log came."""
    newest = max(p.stat().st_mtime for p in places.wal.iterdir())
    as_of = datetime.fromtimestamp(newest, ZONE) + timedelta(minutes=5)
    return Case(places, world.nights, tuple(world.sets), as_of)


def described_database(places: BackupPlaces, nights: Iterable[Night], changes: dict[str, Any]) -> Database:
    """The estate's entry of the world: each night of its job is planned, and its logs are archived."""
    jobs = [{"level": n.level, "cron": f"{n.at:%-M %-H %-d %-m} *"} for n in nights]
    backup = {
        "source": "pg_basebackup",
        "places": {"sets": str(places.sets), "logs": str(places.wal), "job_log": str(places.log)},
        "plan": [*jobs, {"level": "log", "cron": "* * * * *"}],
        "retention_days": 14,
        "rpo_minutes": 15,
        "rto_minutes": 240,
        "drill": {"dbname": DBNAME, "assertions": [row_count("head", at_least=0)]},
    }
    described = {
        "id": DATABASE,
        "name_zh": "主库",
        "name_en": "Main",
        "platform": "main",
        "engine": "postgresql",
        "connection": "db_main",
        "role": "primary",
        "time_zone": ZONE.key,
        "owner": "dba",
        "low_peak_windows": [{"days": ["sat"], "start": "01:00", "end": "05:00"}],
        "backup": backup | changes,
    }
    return Database.model_validate(described)


def row_count(table: str, at_least: int) -> dict[str, Any]:
    """A declaration of how many rows a restored copy must have at least."""
    return {"name": "rows_there", "kind": "row_count", "table": table, "at_least": at_least}


def read_everything(source: BackupSource, survey: Survey, unread: Collection[str]) -> tuple[Read, ...]:
    """Every byte of every set but some and of all logs, read back now."""
    tasks = [t for t in choose_reads(survey, (), READ_ALL, survey.as_of) if t.subject not in unread]
    return tuple(read for t in tasks if (read := read_one(source, t)))


def read_one(source: BackupSource, task: ReadTask) -> Read | None:
    try:
        return source.read_set(task.backup_set) if task.unit is ReadUnit.SET else source.read_logs(task.log_range)  # type: ignore[arg-type]
    except SourceGone:
        return None


def drill_newest(
    database: Database, source: BackupSource, survey: Survey, policy: BackupPolicy, scratch_root: Path
) -> tuple[Drill, ...]:
    """A drill of the newest usable chain to the end of its logs; none where there is no such chain."""
    chain = choose_drill_chain(survey, (), survey.as_of)
    if not chain:
        return ()
    return (run_drill(database, source, chain, target_time=None, forecast=None, policy=policy, scratch_root=scratch_root),)


def lines(judgement: Judgement) -> set[str]:
    """One line per finding: question, status, code, place; and one for a question that was not answered.

    Each finding must have words in both languages with every figure in its place.
    """
    told = [line for verdict in judgement.verdicts for line in verdict_lines(verdict)]
    assert len(told) == len(set(told)), told
    return set(told)


def verdict_lines(verdict: Verdict) -> list[str]:
    if not verdict.findings:
        silent = verdict.status == "PASS" or (verdict.question, verdict.reason) == ALLOWED_SILENCE
        return [] if silent else [f"{verdict.question} {verdict.status} {verdict.reason}"]
    assert verdict.status == max((f.effective for f in verdict.findings), key=lambda s: s.weight)
    for finding in verdict.findings:
        assert_has_words(finding)
    return [f"{verdict.question} {f.effective} {f.code} {f.place}".rstrip() for f in verdict.findings]


def assert_has_words(finding: Finding) -> None:
    for language in ("zh", "en"):
        text = messages.message(finding, language)
        assert "‹" not in text, text
        assert not text.startswith(f"{finding.code}:"), text
        assert messages.next_step(finding.code, language), finding.code
