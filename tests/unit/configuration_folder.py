"""A configuration folder that a test may change: small, valid, and of its own."""

from __future__ import annotations

from pathlib import Path

ESTATE = """schema: drydock-estate/1
name_zh: 测试
name_en: Test
platforms:
  - {id: fleet, name_zh: 船队}
databases:
  - id: alpha
    name_zh: 甲库
    name_en: Alpha
    platform: fleet
    engine: postgresql
    connection: db_alpha
    role: primary
    owner: dba
    low_peak_windows:
      - {days: [sat], start: '01:00', end: '05:00'}
    backup:
      source: pg_basebackup
      places:
        sets: /backups/alpha/sets
        logs: /backups/alpha/wal
        job_log: /backups/alpha/backup.log
      plan:
        - {level: full, cron: '30 1 * * 0'}
        - {level: incremental, cron: '30 1 * * 1-6'}
        - {level: log, cron: '*/15 * * * *'}
      retention_days: 14
      rpo_minutes: 60
      rto_minutes: 240
  - id: beta
    name_zh: 乙库
    name_en: Beta
    platform: fleet
    engine: oracle
    connection: db_beta
    role: standby
    owner: dba
    low_peak_windows:
      - {days: [sun], start: '23:00', end: '02:00'}
    backup:
      source: rman
      places: {sets: /backups/beta/sets}
      plan:
        - {level: full, cron: '0 2 * * *'}
      retention_days: 7
      rpo_minutes: 1440
      rto_minutes: 480
"""
FILES = {
    "estate/test.yaml": ESTATE,
    "backup.yaml": "schema: drydock-backup-policy/1\n",
    "reclaim.yaml": "schema: drydock-reclaim-policy/1\n",
    "reindex.yaml": "schema: drydock-reindex-policy/1\n",
    "masking.yaml": "schema: drydock-masking-limits/1\n",
    "audit.yaml": "schema: drydock-audit-policy/1\n",
    "calendar.yaml": "schema: drydock-calendar/1\n",
    "exceptions.yaml": "schema: drydock-exceptions/1\n",
    "notices.yaml": "schema: drydock-notices/1\n",
}


class ConfigurationFolder:
    """The files of one configuration folder."""

    def __init__(self, path: Path) -> None:
        self.path = path
        (path / "estate").mkdir(parents=True)
        for name, text in FILES.items():
            self.write(name, text)

    def write(self, name: str, text: str) -> None:
        (self.path / name).write_text(text, encoding="utf-8")

    def change(self, name: str, old: str, new: str) -> int:
        """Replace a text that stands there once; returns its line."""
        text = (self.path / name).read_text(encoding="utf-8")
        assert text.count(old) == 1, (old, text.count(old))
        self.write(name, text.replace(old, new))
        return text[: text.index(old)].count("\n") + 1

    def append(self, name: str, text: str) -> int:
        """Add text at the end; returns the number of its first line."""
        before = (self.path / name).read_text(encoding="utf-8")
        self.write(name, before + text)
        return before.count("\n") + 1
