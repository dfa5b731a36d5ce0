"""The restore drill record (恢复演练记录): what was restored to which point, how long it took, what was found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from drydock.backup.results import Drill
from drydock.estate import Estate
from drydock.messages import message, next_step
from drydock.reporting import charts
from drydock.reporting.answers import against_limit, local
from drydock.reporting.backup_findings import heading_of
from drydock.reporting.day_record import name_of, zone_of
from drydock.reporting.document import (
    Block,
    Cell,
    Chart,
    Document,
    Entry,
    Heading,
    Language,
    Paragraph,
    Table,
    Turn,
    number_headings,
)
from drydock.reporting.drill_sheets import DRILL_SPEC, drill_cells, drill_status, phase_rows
from drydock.reporting.figures import duration_text, status_text
from drydock.reporting.frame import closing_blocks, frame_document
from drydock.reporting.tables import BYTES, COUNT, DAY, MOMENT, SECONDS, STATUS, TEXT, Spec, make_table
from drydock.reporting.words import word
from drydock.verdicts import Finding, Status


@dataclass(frozen=True)
class _Drills:
    day: date
    drills: Mapping[str, Drill]
    estate: Estate
    language: Language

    @property
    def period(self) -> str:
        return self.day.isoformat()

    @property
    def names(self) -> dict[str, str]:
        return {d.id: name_of(d, self.language) for d in self.estate.databases}

    @property
    def zone(self) -> str:
        return zone_of(self.estate)

    @property
    def status(self) -> Status:
        return max((drill_status(d) for d in self.drills.values()), key=lambda s: s.weight, default=Status.UNKNOWN)

    def name(self, database: str) -> str:
        return self.names.get(database, database)

    def limit_s(self, database: str) -> float | None:
        return next((60.0 * d.backup.rto_minutes for d in self.estate.databases if d.id == database), None)


def build_drill_record(day: date, drills: Mapping[str, Drill], estate: Estate, language: Language) -> Document:
    """The record of one day's drills, by database id. A day without a drill is UNKNOWN. Same arguments, same document."""
    told = _Drills(day, drills, estate, language)
    sheets = (_drill_sheet(told), _phase_table(told, "sheet_phases"), _finding_sheet(told))
    blocks = (
        *_results(told),
        *_phases(told),
        *_findings(told),
        *closing_blocks(("role_driller", "role_reviewer", "role_buyer"), sheets, language),
    )
    numbered = number_headings(blocks, language)
    summary = tuple(_summary(told))
    return frame_document(
        "drill_record", day, estate, language, status=told.status, summary=summary, blocks=numbered, sheets=sheets
    )


def _summary(told: _Drills) -> Iterator[Block]:
    language, drills = told.language, told.drills
    yield Heading(level=1, text=word("drill_summary", language))
    passed = sum(1 for d in drills.values() if drill_status(d) in (Status.PASS, Status.WARN))
    status = status_text(told.status, language)
    yield Paragraph(text=word("drill_verdict", language, status=status, n=len(drills), passed=passed, databases=len(drills)))
    if not drills:
        yield Paragraph(text=word("drill_none", language), style="strong")
    spec: Spec = (("database", TEXT, 3), ("drill_result", STATUS, 1.3), ("drill_reached", MOMENT, 2), ("drill_recovery", TEXT, 3))
    rows = [_summary_row(told, d, drill) for d, drill in drills.items()]
    yield make_table(word("drill_results", language), spec, rows, told.period, language)
    yield Paragraph(text=word("drill_note", language), style="note")
    idle = [told.name(d.id) for d in told.estate.databases if d.id not in drills]
    names = word("separator", language).join(idle) or word("none", language)
    yield Paragraph(text=word("drill_not_drilled", language, databases=names), style="note")


def _summary_row(told: _Drills, database: str, drill: Drill) -> tuple[Cell, ...]:
    reached = local(drill.recovered_to, told.zone) if drill.recovered_to else None
    recovery = against_limit(None if drill.is_rehearsal else drill.recovery_s, told.limit_s(database), told.language)
    return (told.name(database), drill_status(drill).value, reached, recovery)


def _results(told: _Drills) -> Iterator[Block]:
    language = told.language
    spec: Spec = (("database", TEXT, 2.4), ("drill_result", STATUS, 1.2), ("set_id", TEXT, 2.6), ("drill_target", MOMENT, 1.7))
    spec += (("drill_reached", MOMENT, 1.7), ("drill_restored", BYTES, 1.3), ("drill_replayed", BYTES, 1.3))
    spec += (("drill_recovery", TEXT, 2), ("drill_forecast", SECONDS, 1.3), ("drill_assertions", COUNT, 1))
    yield Turn(landscape=True)
    yield Heading(level=1, text=word("drill_results", language))
    rows = [_result_row(told, d, drill) for d, drill in told.drills.items()]
    yield make_table(word("drill_results", language), spec, rows, told.period, language)
    yield Turn(landscape=False)


def _result_row(told: _Drills, database: str, drill: Drill) -> tuple[Cell, ...]:
    target = local(drill.target_time, told.zone) if drill.target_time else None
    name, status, reached, recovery = _summary_row(told, database, drill)
    head = (name, status, drill.set_id, target, reached, drill.restored_bytes, drill.replayed_bytes)
    return (*head, recovery, drill.forecast_s, drill.assertions)


def _phases(told: _Drills) -> Iterator[Block]:
    language = told.language
    yield Heading(level=1, text=word("drill_phases", language))
    if told.drills:
        rows = [f"{told.name(d)} {_phase_text(drill, language)}" for d, drill in told.drills.items()]
        yield Chart(
            png=charts.drill_chart(told.drills, language, told.names),
            alt=word("chart_alt", language, rows=word("separator", language).join(rows)),
            caption=word("drill_chart_caption", language, day=told.day),
            source=word("chart_source_drill", language),
        )
    yield _phase_table(told, "drill_phases")


def _phase_text(drill: Drill, language: str) -> str:
    return duration_text(sum(p.elapsed_s for p in drill.phases), language)


def _phase_table(told: _Drills, caption: str) -> Table:
    spec: Spec = (("database", TEXT, 28), ("drill_id", TEXT, 28), ("drill_phase", TEXT, 16), ("drill_elapsed", SECONDS, 14))
    rows = phase_rows(told.drills, told.names, told.language)
    return make_table(word(caption, told.language), (*spec, ("drill_bytes", BYTES, 18)), rows, told.period, told.language)


def _findings(told: _Drills) -> Iterator[Block]:
    yield Heading(level=1, text=word("drill_findings", told.language))
    found = [_entry(told, d, f) for d, drill in told.drills.items() for f in drill.findings]
    yield from found or [Paragraph(text=word("none", told.language))]


def _entry(told: _Drills, database: str, finding: Finding) -> Entry:
    language = told.language
    lines = (
        (word("database", language), told.name(database)),
        (word("place", language), finding.place or word("none", language)),
        (word("next_step", language), next_step(finding.code, language) or word("none", language)),
        (word("runbook", language), heading_of(finding.code, language) or word("none", language)),
    )
    return Entry(status=finding.effective, text=message(finding, language), lines=lines)


def _drill_sheet(told: _Drills) -> Table:
    spec: Spec = (("day", DAY, 12), ("database_id", TEXT, 20), ("database", TEXT, 28), *DRILL_SPEC)
    rows = [(told.day, d, told.name(d), *drill_cells(drill, told.zone)) for d, drill in told.drills.items()]
    return make_table(word("sheet_drills", told.language), spec, rows, told.period, told.language)


def _finding_sheet(told: _Drills) -> Table:
    language = told.language
    spec: Spec = (
        ("day", DAY, 12),
        ("database_id", TEXT, 20),
        ("database", TEXT, 28),
        ("code", TEXT, 24),
        ("verdict", STATUS, 10),
    )
    spec += (("problem", TEXT, 60), ("place", TEXT, 50), ("next_step", TEXT, 60))
    rows = [
        (told.day, d, told.name(d), f.code, f.effective.value, message(f, language), f.place, next_step(f.code, language))
        for d, drill in told.drills.items()
        for f in drill.findings
    ]
    return make_table(word("sheet_findings", language), spec, rows, told.period, language)
