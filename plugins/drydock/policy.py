"""Typed thresholds of the pipelines, one model per pipeline, read from `include/config/<pipeline>.yaml`.

Every figure has its unit in its name. A policy file holds `defaults` and `databases: {<id>: {...}}`: the latter override.
"""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Literal

from pydantic import Field, PositiveFloat, PositiveInt

from drydock.estate import Cron, Name, Slug
from drydock.verdicts import Model


class BackupPolicy(Model):
    """When a backup is late, too old, unread too long, or unlike its own past."""

    look_back_hours: PositiveInt = Field(48, description="planned jobs of this long before the check are judged")
    base_max_age_hours: PositiveInt = Field(192, description="a full backup must be younger than this")
    read_every_days: PositiveInt = Field(7, description="every set is read back at least this often")
    read_quota_factor: PositiveFloat = Field(1.15, description="daily quota = total bytes / read_every_days x this")
    newest_log_segments: PositiveInt = Field(64, description="this many of the newest log segments are read every day")
    drill_every_days: PositiveInt = Field(8, description="a restore drill older than this is overdue")
    drill_timeout_minutes: PositiveInt = Field(720, description="a drill is stopped after this")
    scratch_free_factor: PositiveFloat = Field(1.2, description="free space needed for a drill, times the restored size")
    normal_min_runs: PositiveInt = Field(5, description="past runs of the same level and kind of day, before normal is judged")
    normal_mad_factor: PositiveFloat = Field(6.0, description="distance from the median, in median absolute deviations")
    normal_min_ratio: PositiveFloat = Field(0.3, description="and at least this share of the median")
    clock_skew_warn_s: PositiveInt = Field(60, description="clocks of database and worker further apart than this: WARN")
    clock_skew_fail_s: PositiveInt = Field(300, description="and further than this: FAIL")
    archiver_stalled_minutes: PositiveInt = Field(30, description="failing without a success for this long is stalled")
    archive_free_warn_ratio: PositiveFloat = Field(1.0, description="free space below one day of logs times this: WARN")
    archive_free_min_bytes: int = Field(256 * 1024 * 1024, ge=0, description="free space below this: FAIL")


class BackupPolicyFile(Model):
    """`include/config/backup.yaml`."""

    schema_: Literal["drydock-backup-policy/1"] = Field(alias="schema")
    defaults: BackupPolicy = BackupPolicy()
    databases: dict[Slug, BackupPolicy] = Field(default_factory=dict, description="database id -> the fields that differ there")

    def of(self, database_id: str) -> BackupPolicy:
        """The thresholds of one database: defaults, overridden field by field."""
        own = self.databases.get(database_id, BackupPolicy())
        return self.defaults.model_copy(update=own.model_dump(exclude_unset=True))


class ApprovalMode(StrEnum):
    """Who says yes to a plan."""

    ALWAYS = "always"
    """a person, to every plan"""
    ABOVE_LIMITS = "above_limits"
    """a person, unless every item is within the limits of `standing`"""
    STANDING = "standing"
    """nobody is asked: items within the limits of `standing` are worked, the others are left"""


class StandingApproval(Model):
    """A person's lasting yes to one action within limits."""

    action: Slug
    max_bytes_each: PositiveInt = Field(description="size of one object")
    max_minutes_each: PositiveInt = Field(description="worst case of one item")
    max_items: PositiveInt = Field(description="items of one run")
    granted_by: Name
    granted_on: date
    valid_until: date


class ApprovalPolicy(Model):
    mode: ApprovalMode = ApprovalMode.ALWAYS
    standing: tuple[StandingApproval, ...] = ()
    four_eyes: bool = Field(True, description="who triggered the run may not approve its plan")
    valid_hours: PositiveInt = Field(72, description="an answer older than this opens nothing")
    approvers: tuple[Name, ...] = Field((), description="Airflow user ids that may answer; empty: everyone with the right to")


class ChangePolicy(Model):
    """Limits of every pipeline that changes something: when it plans, who approves, what a night may cost."""

    plan_cron: Cron = Field("0 16 * * 5", description="when the weekly plan is made, local time; before the window opens")
    approval: ApprovalPolicy = ApprovalPolicy()
    max_items: int = Field(200, ge=1, le=1000, description="items of one plan")
    window_share: float = Field(0.9, gt=0, le=1, description="share of the window that is planned full")
    window_reserve_minutes: int = Field(10, ge=0, description="of the window's end kept free for putting things back")
    max_log_bytes: PositiveInt = Field(50 * 1024**3, description="redo or WAL of one night")
    min_archive_free_bytes: int = Field(10 * 1024**3, ge=0, description="free space that must stay where logs are archived")
    archive_free_factor: PositiveFloat = Field(1.5, description="and free space for the logs of an item, times its estimate")
    max_standby_lag_s: PositiveFloat = Field(300, description="a standby further behind closes the gate")
    lag_growth_floor_s: PositiveFloat = Field(
        30, description="a standby twice as far behind as when the item began closes the gate; not below this"
    )
    catch_up_wait_s: float = Field(
        60,
        ge=0,
        description="before the gate closes, full redo logs have this long to be archived, a doubled lag to be caught up",
    )
    max_sessions_per_core: PositiveFloat = Field(1.0, description="more active sessions per core close the gate")
    max_transaction_s: PositiveFloat = Field(900, description="an older open transaction closes the gate")
    max_waiting_sessions: int = Field(5, ge=0, description="more sessions that wait for locks close the gate")
    backup_max_age_hours: PositiveInt = Field(36, description="a proved backup must be younger than this")
    free_space_factor: PositiveFloat = Field(1.2, description="free space for a copy, times its size")
    lock_wait_s: PositiveFloat = Field(2.0, description="longest wait for a lock; others queue behind it")
    quiet_wait_minutes: float = Field(
        20,
        ge=0,
        description="Oracle: a moment without old transactions on the table is waited for so long before the last step",
    )
    lock_tries: PositiveInt = Field(30, description="tries of a short lock, with pauses that grow")
    floor_bytes: int = Field(64 * 1024**2, ge=0, description="smaller objects are not looked at")
    regrowth_ratio: float = Field(0.8, gt=0, le=1, description="grown back above this share of what it was: left alone")
    regrowth_days: tuple[PositiveInt, PositiveInt] = Field((7, 30), description="days after which regrowth is measured")
    ageing_per_night: float = Field(0.25, ge=0, description="benefit of what was carried grows by this share each night")


class ReclaimPolicy(ChangePolicy):
    """When space is worth giving back."""

    min_waste_ratio: float = Field(0.2, gt=0, lt=1, description="share of the object that would come back")
    min_freed_bytes: int = Field(32 * 1024**2, ge=0, description="and at least this much")
    allow_long_locks: bool = Field(False, description="methods that lock readers or writers out for their whole time")
    allow_truncate: bool = Field(False, description="offer TRUNCATE of empty partitions; each still needs its own approval")
    check_keys_first: bool = Field(
        True,
        description="PostgreSQL: rows that violate a foreign key are looked for before a copy, which reads both tables once more",
    )
    still_loading_days: PositiveInt = Field(7, description="partitions with inserts in this many days are left alone")
    roomy_ratio: float = Field(
        0.9, gt=0, le=1, description="Oracle: in a tablespace with more free than this share only what is read in full is packed"
    )


class ReindexPolicy(ChangePolicy):
    """When an index is worth rebuilding."""

    plan_cron: Cron = Field("0 16 * * 6", description="when the weekly plan is made, local time; before the window opens")
    max_density_ratio: float = Field(0.5, gt=0, lt=1, description="measured density below this share of the expected one")
    min_leaf_blocks: int = Field(5000, ge=0, description="smaller indexes are left alone")
    statistics_max_age_days: PositiveInt = Field(14, description="older statistics prove nothing")
    unused_after_days: PositiveInt = Field(30, description="no scan for this long is told as a report line")
    allow_long_locks: bool = Field(False, description="Oracle without online rebuild: rebuild what is unusable, writers wait")
    rebuild_degree: int = Field(1, ge=1, le=128, description="Oracle: PARALLEL degree of an online rebuild; 1: none")


class MaskingLimits(ChangePolicy):
    """What a masked copy may cost, and in what pieces it is made. What becomes of each column: `masking/<database>.yaml`."""

    plan_cron: Cron = Field(
        "0 16 1 1,4,7,10 *", description="when the quarterly plan is made, local time; before the window opens"
    )
    max_items: int = Field(1000, ge=8, le=1000, description="items of one plan: chunks grow until they are so few")
    chunk_bytes: PositiveInt = Field(
        512 * 1024**2, description="of a table on disk that one item copies; more where they are too many"
    )
    streams: int = Field(2, ge=1, le=16, description="processes that copy one chunk side by side")
    picture_wait_s: PositiveFloat = Field(300, description="longest wait of a chunk for the picture of the source")
    sample_rows: PositiveInt = Field(
        200, description="rows of each table in which kept columns are searched for what looks sensitive"
    )
    copy_space_factor: PositiveFloat = Field(1.5, description="space that the copy needs, times the bytes of the source's tables")


class ReclaimPolicyFile(Model):
    """`include/config/reclaim.yaml`."""

    schema_: Literal["drydock-reclaim-policy/1"] = Field(alias="schema")
    defaults: ReclaimPolicy = ReclaimPolicy()
    databases: dict[Slug, ReclaimPolicy] = Field(default_factory=dict, description="database id -> the fields that differ there")

    def of(self, database_id: str) -> ReclaimPolicy:
        """The thresholds of one database: defaults, overridden field by field."""
        own = self.databases.get(database_id, ReclaimPolicy())
        return self.defaults.model_copy(update={name: getattr(own, name) for name in own.model_fields_set})


class ReindexPolicyFile(Model):
    """`include/config/reindex.yaml`."""

    schema_: Literal["drydock-reindex-policy/1"] = Field(alias="schema")
    defaults: ReindexPolicy = ReindexPolicy()
    databases: dict[Slug, ReindexPolicy] = Field(default_factory=dict, description="database id -> the fields that differ there")

    def of(self, database_id: str) -> ReindexPolicy:
        """The thresholds of one database: defaults, overridden field by field."""
        own = self.databases.get(database_id, ReindexPolicy())
        return self.defaults.model_copy(update={name: getattr(own, name) for name in own.model_fields_set})


class MaskingLimitsFile(Model):
    """`include/config/masking.yaml`."""

    schema_: Literal["drydock-masking-limits/1"] = Field(alias="schema")
    defaults: MaskingLimits = MaskingLimits()
    databases: dict[Slug, MaskingLimits] = Field(default_factory=dict, description="database id -> the fields that differ there")

    def of(self, database_id: str) -> MaskingLimits:
        """The limits of one database: defaults, overridden field by field."""
        own = self.databases.get(database_id, MaskingLimits())
        return self.defaults.model_copy(update={name: getattr(own, name) for name in own.model_fields_set})
