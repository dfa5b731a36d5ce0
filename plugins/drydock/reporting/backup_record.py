"""The daily backup check record (备份检查记录): all databases of an estate, one day.

Order of reading: what changed since the check before, then the result at a glance, the charts, the open findings, the
evidence, the sign-off and the data annex.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from drydock.backup.facts import BackupSet
from drydock.backup.results import Judgement
from drydock.estate import Estate
from drydock.reporting.backup_changes import change_page
from drydock.reporting.backup_chapters import chart_blocks, glance_blocks
from drydock.reporting.backup_evidence import evidence_blocks
from drydock.reporting.backup_findings import finding_blocks
from drydock.reporting.backup_sheets import backup_sheets
from drydock.reporting.changes import FirstSeen
from drydock.reporting.day_record import DayRecord
from drydock.reporting.document import Document, Language, number_headings
from drydock.reporting.drill_record import build_drill_record
from drydock.reporting.frame import closing_blocks, frame_document

__all__ = ["build_backup_record", "build_drill_record"]


def build_backup_record(
    day: date,
    judgements: Mapping[str, Judgement],
    previous: Mapping[str, Judgement],
    first_seen: FirstSeen,
    estate: Estate,
    language: Language,
    sets: Mapping[str, Sequence[BackupSet]] | None = None,
) -> Document:
    """The record of one day.

    `judgements` and `previous` map database ids to today's and to the last earlier judgement; `first_seen` maps a
    database id and the key of a finding to the day it was first seen; `sets` are the backup sets seen today, for the
    data annex. A database of the estate without a judgement is told as UNKNOWN. Same arguments, same document.
    """
    record = DayRecord(day, judgements, previous, first_seen, estate, language, sets or {})
    sheets = backup_sheets(record)
    blocks = (
        *glance_blocks(record),
        *chart_blocks(record),
        *finding_blocks(record),
        *evidence_blocks(record),
        *closing_blocks(("role_inspector", "role_reviewer"), sheets, language),
    )
    return frame_document(
        "backup_record",
        day,
        estate,
        language,
        status=record.status,
        summary=change_page(record),
        blocks=number_headings(blocks, language),
        sheets=sheets,
    )
