"""The backup record's chapter of open findings: new ones in full, known ones folded, accepted ones with who and why."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from drydock.messages import message, next_step, question_word, runbook_heading
from drydock.reporting.backup_changes import findings_table
from drydock.reporting.changes import OpenFinding
from drydock.reporting.day_record import DayRecord
from drydock.reporting.document import Block, Entry, Heading, Paragraph, Table
from drydock.reporting.tables import COUNT, DAY, STATUS, TEXT, Spec, make_table
from drydock.reporting.words import word


def finding_blocks(record: DayRecord) -> Iterator[Block]:
    """New findings in full; known ones folded with age and owner; accepted ones with who, why and until when."""
    language, found = record.language, record.open_findings
    new = [o for o in found if o.is_new and not o.finding.acknowledged]
    known = [o for o in found if not o.is_new and not o.finding.acknowledged]
    yield Heading(level=1, text=word("findings", language))
    yield Heading(level=2, text=word("findings_new", language))
    yield from [_entry(record, o) for o in new] or [Paragraph(text=word("none", language))]
    yield Heading(level=2, text=word("findings_known", language))
    yield _known_table(record, known)
    yield Heading(level=2, text=word("findings_accepted", language))
    yield _accepted_table(record, [o for o in found if o.finding.acknowledged])
    yield Heading(level=2, text=word("findings_unchecked", language))
    yield findings_table(record, "findings_unchecked", record.changes.unchecked)


def _entry(record: DayRecord, o: OpenFinding) -> Entry:
    language, finding = record.language, o.finding
    lines = [
        (word("database", language), record.names[o.database]),
        (word("question", language), question_word(o.question, language)),
        (word("place", language), finding.place or word("none", language)),
        (word("next_step", language), next_step(finding.code, language) or word("none", language)),
        (word("runbook", language), heading_of(finding.code, language) or word("none", language)),
        (word("owner", language), record.owner(o.database) or word("none", language)),
    ]
    return Entry(status=finding.effective, text=message(finding, language), lines=tuple(lines))


def heading_of(code: str, language: str) -> str:
    """The runbook's heading; it is bilingual, "English · 中文", and an English report needs its first half only."""
    heading = runbook_heading(code)
    return heading.split(" · ")[0] if language == "en" else heading


def _known_table(record: DayRecord, known: Sequence[OpenFinding]) -> Table:
    language = record.language
    spec: Spec = (("database", TEXT, 2), ("verdict", STATUS, 1.5), ("problem", TEXT, 4), ("place", TEXT, 2.4))
    spec += (("age_days", COUNT, 1.3), ("owner", TEXT, 1.2))
    rows = [(*_told(record, o), o.finding.place, record.age_days(o), record.owner(o.database)) for o in known]
    return make_table(word("findings_known", language), spec, rows, record.period, language, folded=True)


def _told(record: DayRecord, o: OpenFinding) -> tuple[str, str, str]:
    return (record.names[o.database], o.finding.effective.value, message(o.finding, record.language))


def _accepted_table(record: DayRecord, accepted: Sequence[OpenFinding]) -> Table:
    language = record.language
    spec: Spec = (("database", TEXT, 2), ("verdict", STATUS, 1.5), ("problem", TEXT, 4), ("place", TEXT, 2))
    spec += (("approver", TEXT, 1.2), ("reason", TEXT, 2.6), ("review_by", DAY, 2))
    rows = [
        (*_told(record, o), o.finding.place, a.approver, a.reason, a.review_by) for o in accepted if (a := o.finding.acknowledged)
    ]
    return make_table(word("findings_accepted", language), spec, rows, record.period, language)
