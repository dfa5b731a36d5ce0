"""Lives the past days of a database: rows change by day, the backup job runs at night, logs are archived.

Everything happens in a real server under a moved clock, in seconds. The first moment of a day stands shortly before the
morning's backup check, so that the newest archived log of a past morning is as young as it would have been.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import LiteralString

import psycopg

from drydock.backup.facts import Level
from drydock.engines.postgres_server import LOCALHOST, PostgresServer
from sandbox.backup_job import BackupJob, wait_until
from sandbox.clock import ZONE, sweep_shared_memory

Connection = psycopg.Connection[tuple[object, ...]]
DayChange = Callable[[datetime], object]
"""Changes some rows at a moment of a day; the server's clock already stands there."""

BACKUP_AT = time(1, 30)
FIRST_FULL_AT = time(20, 0)
DAY_MOMENTS = (time(7, 25), time(11, 0), time(16, 30), time(21, 0))
SUNDAY = 6
NIGHT_COUNTS_AFTER = timedelta(minutes=59)  # just before the check would miss the job: its plan allows an hour's delay
ARCHIVE_TIMEOUT_S = 60


@dataclass(frozen=True)
class Night:
    """One run of the backup job."""

    at: datetime
    level: Level


def plan_nights(now: datetime, days: int) -> tuple[Night, ...]:
    """The runs of the last `days` nights before `now`: full on Sundays, incremental else, at 01:30 in Shanghai.

    The first is a full backup in the evening before, with which the job was put into service.
    """
    last = (now - NIGHT_COUNTS_AFTER).astimezone(ZONE)
    newest = last.date() if last.timetz().replace(tzinfo=None) >= BACKUP_AT else last.date() - timedelta(days=1)
    dates = [newest - timedelta(days=back) for back in reversed(range(days))]
    nights = [Night(_at(day, BACKUP_AT), Level.FULL if day.weekday() == SUNDAY else Level.INCREMENTAL) for day in dates]
    return (Night(_at(dates[0] - timedelta(days=1), FIRST_FULL_AT), Level.FULL), *nights)


def day_moments(after: datetime, until: datetime) -> Iterator[datetime]:
    """The moments of the days between two times at which rows change and a log is closed."""
    day = after.astimezone(ZONE).date()
    while day <= until.astimezone(ZONE).date():
        yield from (m for m in (_at(day, t) for t in DAY_MOMENTS) if after < m < until)
        day += timedelta(days=1)


def _at(day: date, moment: time) -> datetime:
    return datetime.combine(day, moment, ZONE)


@dataclass
class LivedServer:
    """A server under a moved clock with its backup job. `password` is the superuser's, `dbname` where the rows are."""

    server: PostgresServer
    job: BackupJob
    password: str
    dbname: str
    settings: Mapping[str, str]

    def move_to(self, moment: datetime) -> None:
        """Move the clock there; start the server when it does not run."""
        self.job.clock.move_to(moment)
        if not self.server.is_running():
            self.server.start(self.job.port, self.settings, self.job.clock.environment())
            self.server.wait_ready()

    def stop(self) -> None:
        """Stop the server, and date what it archived on the way."""
        self.server.stop()
        self.job.date_logs()
        sweep_shared_memory()

    def connect(self) -> Connection:
        return psycopg.connect(
            host=LOCALHOST,
            port=self.job.port,
            user="postgres",
            password=self.password,
            dbname=self.dbname,
            autocommit=True,
        )

    def switch_log(self) -> str:
        """Close the current log segment and return its name once it is archived. Raises TimeoutError.

        Nothing written since the last switch: the name of the last closed segment.
        """
        # one byte back: at a boundary, the function names the next segment from version 17 on
        segment = self._ask("select pg_walfile_name(pg_switch_wal() - 1)")
        wait_until((self.job.places.wal / segment).exists, ARCHIVE_TIMEOUT_S, f"segment {segment} is not archived")
        self.job.date_logs()
        return segment

    def _ask(self, question: LiteralString) -> str:
        with self.connect() as connection:
            row = connection.execute(question).fetchone()
        assert row is not None
        return str(row[0])

    def live(self, moment: datetime, change: DayChange | None) -> str:
        """One moment of a day: rows change, and the log that tells it is archived; returns the segment's name."""
        self.move_to(moment)
        if change is not None:
            change(moment)
        return self.switch_log()

    def back_up(self, night: Night) -> str | None:
        """One run of the job; returns the set's name, None when it failed. Its logs are archived when this returns."""
        self.move_to(night.at)
        name = self.job.run(night.level)
        self.switch_log()
        return name


def live_past(
    lived: LivedServer,
    nights: Collection[Night],
    until: datetime,
    change: DayChange | None = None,
    unrun: Collection[Night] = (),
) -> list[str]:
    """Live from the first night to `until`; returns the names of the sets. The job does not run at all in `unrun` nights."""
    runs = {night.at: night for night in nights if night not in unrun}
    sets: list[str] = []
    for moment in sorted({*runs, *day_moments(min(n.at for n in nights), until)}):
        if moment in runs:
            sets += filter(None, [lived.back_up(runs[moment])])
        else:
            lived.live(moment, change)
    return sets
