"""What Drydock looks after: platforms with their groups and subsystems, databases, links.

One YAML file per estate in `include/config/estate/`. The models are closed: an unknown field is an error. Paths may
hold `${DRYDOCK_STATE}`. Loading and its error messages: `drydock.configuration`.
"""

from __future__ import annotations

from datetime import time
from enum import StrEnum
from functools import lru_cache
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from croniter import croniter
from pydantic import AfterValidator, Field, PositiveInt, StringConstraints, field_validator, model_validator

from drydock.backup.facts import Level
from drydock.verdicts import Model

Slug = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{1,47}$")]
Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except Exception as e:
        raise ValueError(f"{name!r} is not an IANA time zone; write for example Asia/Shanghai") from e
    return name


@lru_cache(maxsize=4096)  # a fleet shares few schedules, and croniter needs 0.1 ms for each
def _valid_cron(expression: str) -> str:
    if len(expression.split()) != 5 or not croniter.is_valid(expression):
        raise ValueError(f"{expression!r} is not a cron expression of five fields; write for example '30 1 * * *'")
    return expression


TimeZone = Annotated[str, AfterValidator(_known_zone)]
Cron = Annotated[str, AfterValidator(_valid_cron)]


class Engine(StrEnum):
    ORACLE = "oracle"
    POSTGRESQL = "postgresql"


class Role(StrEnum):
    PRIMARY = "primary"
    STANDBY = "standby"


class Licence(StrEnum):
    DIAGNOSTICS_PACK = "diagnostics_pack"
    TUNING_PACK = "tuning_pack"


class LowPeakWindow(Model):
    """A span of local time in which changes may run. An `end` before `start` is on the next day."""

    days: tuple[Weekday, ...] = Field(min_length=1)
    start: time = Field(description="local time, 01:00")
    end: time = Field(description="local time; before start: on the next day")


class PlannedJob(Model):
    """One line of the customer's backup plan: which level starts when (local time of the database)."""

    level: Level
    cron: Cron = Field(description="five fields, local time of the database; for log: the longest that a log may wait")
    may_start_late_minutes: PositiveInt = Field(60, description="a later start is late")
    may_take_minutes: PositiveInt = Field(360, description="a longer run is running too long")


class Places(Model):
    """Where the backups lie, as the Airflow worker sees it."""

    sets: str = Field(description="folder of base backups, or the pgBackRest configuration file")
    logs: str | None = Field(None, description="folder of archived logs")
    job_log: str | None = Field(None, description="the backup job's own log")
    stanza: str | None = Field(None, description="pgBackRest stanza")
    owner: str | None = Field(None, description="operating-system user that must own the files; default: owner of the set")


class Assertion(Model):
    """What a restored copy must say to be believed: one declared question with one expected answer."""

    name: Slug
    kind: Literal["row_count", "newest_row", "foreign_keys"]
    table: str = Field(pattern=r"^[A-Za-z_][A-Za-z0-9_$]*(\.[A-Za-z_][A-Za-z0-9_$]*)?$")
    column: str | None = Field(None, pattern=r"^[A-Za-z_][A-Za-z0-9_$]*$", description="time column, for newest_row")
    at_least: int | None = Field(None, ge=0, description="rows, for row_count; 0 declares that empty is right")
    no_older_than_hours: int | None = Field(None, ge=1, description="before the recovery target, for newest_row")

    @model_validator(mode="after")
    def _has_its_bound(self) -> Assertion:
        if self.kind == "row_count" and self.at_least is None:
            raise ValueError("row_count needs at_least (0 declares that an empty table is right)")
        if self.kind == "newest_row" and not (self.column and self.no_older_than_hours):
            raise ValueError("newest_row needs column and no_older_than_hours")
        return self


class DrillPlan(Model):
    """Restore drills: the weekday in the rotation, the database to ask, and what it must answer."""

    weekday: Weekday = Field("sat", description="day of the weekly drill")
    dbname: str = Field("postgres", description="database of the restored copy that the assertions ask")
    assertions: tuple[Assertion, ...] = Field((), description="what the restored copy must answer")


class RmanHost(Model):
    """How RMAN is asked on the database host: over SSH, by the forced-command script of `deploy/oracle/`."""

    ssh_connection: Slug = Field(description="Airflow connection id (type ssh) of the host; known host key required")
    sid: str = Field(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,29}$", description="ORACLE_SID, as in oratab")
    dbid: PositiveInt | None = Field(None, description="DBID that the host must answer with; empty: what the database tells")
    canary: str | None = Field(
        None, pattern=r"^/[A-Za-z0-9._/+%@=,:#$-]{1,500}$", description="handle of a piece that must exist before a CROSSCHECK"
    )
    read_mb_s: PositiveInt = Field(100, description="safe rate of reading, until this database's own reads are known")
    check_logical: bool = Field(True, description="VALIDATE ... CHECK LOGICAL")

    @field_validator("canary")
    @classmethod
    def _is_straight(cls, canary: str | None) -> str | None:
        if canary and ".." in canary:
            raise ValueError("the path of the canary must not hold '..'; write it as RMAN lists the piece")
        return canary


class BackupPlan(Model):
    source: Literal["pg_basebackup", "pgbackrest", "rman"] = Field(description="the tool that makes the backups")
    places: Places
    rman: RmanHost | None = Field(None, description="for rman: where to ask; without it no byte can be read back")
    plan: tuple[PlannedJob, ...] = Field(min_length=1, description="the jobs that must run")
    retention_days: PositiveInt = Field(description="any time of this many days back must be restorable")
    rpo_minutes: PositiveInt = Field(description="at most this much work may be lost")
    rto_minutes: PositiveInt = Field(description="a restore must be done in this time")
    drill: DrillPlan = DrillPlan()


class Database(Model):
    id: Slug = Field(description="names the DAGs and all records: never changed, never used again")
    name_zh: Name
    name_en: Name
    platform: Slug = Field(description="id of a platform of this file")
    engine: Engine
    connection: Slug = Field(description="Airflow connection id of the looking account")
    work_connection: Slug | None = Field(None, description="id of the account that may change; empty: nothing is changed")
    watchdog_connection: Slug | None = Field(None, description="Oracle: id of the account that may cancel what runs too long")
    cores: PositiveInt | None = Field(None, description="of its host; empty: load is judged as if it had one")
    data_folder: str | None = Field(None, description="its disk as the worker sees it, for free space; empty: not known")
    role: Role
    time_zone: TimeZone = Field("Asia/Shanghai", description="IANA name; all local times of this database are in it")
    owner: Name = Field(description="who answers for it; owner of its DAGs in Airflow")
    confirmed: bool = Field(True, description="False: taken from the tender by count; the site must confirm or correct it")
    low_peak_windows: tuple[LowPeakWindow, ...] = Field(min_length=1, description="when changes may run")
    licences: tuple[Licence, ...] = Field((), description="packs of the vendor that the owner attests to have licensed")
    allowed_actions: tuple[Slug, ...] = Field((), description="changes allowed on this database, by list; empty: none")
    backup: BackupPlan
    backup_check: Cron = Field("30 7 * * *", description="when the day's backup check runs, local time")

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)


class Module(Model):
    name: Name
    slug: str


class Subsystem(Model):
    name: Name
    slug: str
    ref: str = ""
    modules: tuple[Module, ...] = ()
    named_in_service_scope: bool | None = None


class Group(Model):
    name: Name
    slug: str
    ref: str = ""
    criticality: str = ""
    network: str = ""
    subsystems: tuple[Subsystem, ...] = ()


class Platform(Model):
    id: Slug
    name_zh: Name
    name_en: Name = ""
    category: str = ""
    groups: tuple[Group, ...] = ()


class Link(Model):
    id: Slug
    kind: str
    network: str
    a_end: str = ""
    b_end: str = ""
    bandwidth_mbps: PositiveInt | None = None
    domains: tuple[str, ...] = ()


class Estate(Model):
    schema_: Literal["drydock-estate/1"] = Field(alias="schema")
    name_zh: Name
    name_en: Name
    contract: str = ""
    prepared_by: str = Field("", description="编制单位 on the covers of reports; empty: left for people to fill in")
    platforms: tuple[Platform, ...]
    databases: tuple[Database, ...]
    links: tuple[Link, ...] = ()

    @field_validator("databases")
    @classmethod
    def _distinct(cls, databases: tuple[Database, ...]) -> tuple[Database, ...]:
        seen: set[str] = set()
        for d in databases:
            if d.id in seen:
                raise ValueError(f"database id {d.id!r} is used twice; ids name DAGs and must be unique")
            seen.add(d.id)
        return databases

    @model_validator(mode="after")
    def _platforms_exist(self) -> Estate:
        known = {p.id for p in self.platforms}
        for d in self.databases:
            if d.platform not in known:
                raise ValueError(f"database {d.id!r}: platform {d.platform!r} is not one of {', '.join(sorted(known))}")
        return self

    def database(self, database_id: str) -> Database:
        """The database of that id. Raises KeyError with the ids that exist."""
        for d in self.databases:
            if d.id == database_id:
                return d
        raise KeyError(f"no database {database_id!r} in this estate; there are: {', '.join(d.id for d in self.databases)}")
