"""The policy of the pipeline `audit`, `include/config/audit.yaml`: what is collected, what is normal, what is told.

Every figure has its unit in its name; `databases` overrides the defaults field by field.
"""

from __future__ import annotations

from datetime import time
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, PositiveFloat, PositiveInt, StringConstraints, model_validator

from drydock.estate import Cron, Name, Slug
from drydock.policy import ChangePolicy
from drydock.verdicts import Model

Pattern = Annotated[str, StringConstraints(min_length=1, max_length=200)]
"""A shell pattern (`*`, `?`, `[a-z]`), upper and lower case alike."""


class SourceKind(StrEnum):
    """How the records of a source are reached."""

    FILES = "files"  # logs of any format that `read-audit` knows, in a folder that the worker sees
    ORACLE_UNIFIED = "oracle_unified"  # UNIFIED_AUDIT_TRAIL
    ORACLE_TRADITIONAL = "oracle_traditional"  # DBA_AUDIT_TRAIL and DBA_FGA_AUDIT_TRAIL


class AuditSource(Model):
    """One place where audit records of a database lie."""

    id: Slug
    kind: SourceKind
    folder: str = Field("", description="files: as the worker sees it; ${VARIABLES} are filled in")
    names: tuple[Pattern, ...] = Field(("*",), description="files: names to read")
    mapping: Slug | None = Field(None, description="files: mapping of include/audit/mappings for a product's CSV")
    zone: str | None = Field(None, description="files: IANA zone of times without one; default: that of the database")

    @model_validator(mode="after")
    def _complete(self) -> AuditSource:
        if (self.kind is SourceKind.FILES) != bool(self.folder):
            raise ValueError("a source of kind files needs a folder, and no other kind has one")
        return self


class Allowed(Model):
    """Who may come how: an account, with the programs, hosts and operating-system users that are approved for it."""

    accounts: tuple[Pattern, ...] = Field(min_length=1)
    programs: tuple[Pattern, ...] = ("*",)
    clients: tuple[Pattern, ...] = ("*",)
    os_users: tuple[Pattern, ...] = ("*",)
    actions: tuple[Pattern, ...] = ("*",)
    objects: tuple[Pattern, ...] = Field(("*",), description="schema.name")
    people: PositiveInt | None = Field(1, description="different operating-system users that may share it; empty: any number")
    at_any_hour: bool = Field(False, description="an application account that works at night")
    is_application: bool = Field(False, description="a program, no person: what is told of persons is not told of it")


class OwnAccount(Model):
    """An account that Drydock itself uses on the database, and from where: its own work is no alarm, another's use of it is."""

    accounts: tuple[Pattern, ...] = Field(min_length=1)
    programs: tuple[Pattern, ...] = Field(
        ("drydock", "drydock/*", "drydock-*", "python*"),
        description="PostgreSQL: application_name; Oracle: CLIENT_PROGRAM_NAME (drydock; with an Oracle Client the interpreter)",
    )
    clients: tuple[Pattern, ...] = Field(min_length=1, description="hosts or addresses of the Airflow workers")
    os_users: tuple[Pattern, ...] = ("*",)


class PurgeLimits(ChangePolicy):
    """Limits of the one change of this pipeline: the vendor's cleaning of what is archived and verified, behind the gate."""

    keep_days: PositiveInt = Field(31, description="the database itself keeps so many days, whatever is archived")


class AuditPolicy(Model):
    """What is collected, kept and told of one database."""

    collect_cron: Cron = Field("20 1 * * *", description="when the day before is collected and judged, local time")
    sources: tuple[AuditSource, ...] = Field((), description="empty: nothing is collected, which is told as UNKNOWN")
    settling_lag_minutes: int = Field(15, ge=0, description="records younger than this are not asked for yet")
    slice_minutes: int = Field(60, ge=1, le=1440, description="stretch of a view that is read at once")
    retention_months: int = Field(12, ge=6, le=120, description="how long the store is kept; the law asks for six at least")
    exemplars_kept_days: PositiveInt = Field(190, description="statements as they stood are kept this long")
    purge_source: bool = Field(False, description="let the vendor's procedure clean what is archived and verified")
    purge_connection: Slug | None = Field(None, description="Airflow connection id of the account that may only clean")
    purge: PurgeLimits = Field(PurgeLimits(), description="limits of that cleaning: it goes through the gate like any change")
    working_hours: tuple[time, time] = Field((time(8, 0), time(20, 0)), description="of working days, local time")
    allowed: tuple[Allowed, ...] = Field((), description="the approved ways; an account that no entry names is unapproved")
    administrators: tuple[Pattern, ...] = Field((), description="accounts of DBAs: DDL and grants are theirs")
    drydock: tuple[OwnAccount, ...] = Field((), description="Drydock's own accounts: explained by its ledger, told when misused")
    important_objects: tuple[Pattern, ...] = Field(
        (), description="schema.name, beside the tables whose columns the masking policy calls sensitive or important"
    )
    declared_trail: dict[str, str] = Field(
        default_factory=dict, description="setting or policy -> value that auditing is declared to have"
    )
    trail_guardians: tuple[Pattern, ...] = Field(
        (), description="accounts that may alter the trail beside the administrators: of the vendor, of the purge"
    )
    baseline_days: int = Field(28, ge=7, le=400, description="the past that a day is compared with")
    baseline_min_days: PositiveInt = Field(7, description="fewer days with records are no baseline: told as not compared")
    outlier_score: PositiveFloat = Field(6.0, description="distance from the median in median absolute deviations")
    alerts_per_day: int = Field(20, ge=1, description="hits a day that people are told of; the rest is counted and queued")
    dormant_days: PositiveInt = Field(90, description="an account that was silent for this long and comes back")
    bulk_rows: PositiveInt = Field(10_000, description="rows of important tables that one person reads in an hour")
    burst_seconds: PositiveFloat = Field(60.0, description="the same by the same within this is one event")
    gap_minutes: PositiveInt = Field(60, description="silence of an instance that always had records at that hour")
    clock_skew_s: PositiveFloat = Field(60.0, description="between the clocks of record and collector, or database and worker")
    days_until_full: PositiveInt = Field(30, description="fewer days until the trail's space is full: WARN")
    tickets: str = Field("", description="CSV of change tickets (columns of docs/configuration.md), ${VARIABLES} are filled in")
    reviewers: tuple[Name, ...] = Field((), description="Airflow user ids that may review; empty: everyone with the right to")
    statement_readers: tuple[Name, ...] = Field(
        (), description="who may have statements as they stood in a trace (Airflow user id, account at a shell); empty: everyone"
    )
    review_days: PositiveInt = Field(10, description="how long the quarter's review waits for people")
    parameters: dict[str, dict[str, float | str]] = Field(
        default_factory=dict, description="rule id -> parameters that differ from those of its file"
    )
    switched_off: dict[str, Annotated[str, StringConstraints(min_length=4)]] = Field(
        default_factory=dict, description="rule id -> why it is not asked; told in every report"
    )


class AuditPolicyFile(Model):
    """`include/config/audit.yaml`."""

    schema_: Literal["drydock-audit-policy/1"] = Field(alias="schema")
    store: str = Field("${DRYDOCK_STATE}/audit", description="folder or object storage URL; ${VARIABLES} are filled in")
    store_connection: Slug | None = Field(None, description="Airflow connection id of the object storage")
    defaults: AuditPolicy = AuditPolicy()
    databases: dict[Slug, AuditPolicy] = Field(default_factory=dict, description="database id -> the fields that differ there")

    def of(self, database_id: str) -> AuditPolicy:
        """The policy of one database: defaults, overridden field by field."""
        own = self.databases.get(database_id, AuditPolicy())
        return self.defaults.model_copy(update={name: getattr(own, name) for name in own.model_fields_set})
