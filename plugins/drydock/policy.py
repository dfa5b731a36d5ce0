"""Typed thresholds of the pipelines, one model per pipeline, read from `include/config/<pipeline>.yaml`.

Every figure has its unit in its name. A policy file holds `defaults` and `databases: {<id>: {...}}`: the latter override.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field, PositiveFloat, PositiveInt

from drydock.estate import Slug
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
