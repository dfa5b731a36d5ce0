"""Restore drills as rows."""

from __future__ import annotations

from collections.abc import Mapping

from drydock.backup.results import Drill
from drydock.reporting.answers import local
from drydock.reporting.document import Cell
from drydock.reporting.tables import BYTES, COUNT, MOMENT, SECONDS, STATUS, TEXT, Spec
from drydock.reporting.words import load_words, word
from drydock.verdicts import Status

DRILL_SPEC: Spec = (
    ("drill_id", TEXT, 28),
    ("drill_result", STATUS, 10),
    ("set_id", TEXT, 36),
    ("drill_chain", TEXT, 40),
    ("drill_target", MOMENT, 18),
    ("drill_reached", MOMENT, 18),
    ("started_at", MOMENT, 18),
    ("finished_at", MOMENT, 18),
    ("drill_restored", BYTES, 18),
    ("drill_replayed", BYTES, 18),
    ("drill_recovery_s", SECONDS, 14),
    ("drill_forecast", SECONDS, 14),
    ("drill_assertions", COUNT, 12),
)


def drill_status(drill: Drill) -> Status:
    """The worst finding; a drill without findings in which nothing was done proves nothing and is UNKNOWN."""
    statuses = [f.effective for f in drill.findings] + [Status.PASS if drill.phases else Status.UNKNOWN]
    return max(statuses, key=lambda s: s.weight)


def drill_cells(drill: Drill, zone: str) -> tuple[Cell, ...]:
    """One drill in the order of DRILL_SPEC."""
    reached, target = drill.recovered_to, drill.target_time
    return (
        drill.drill_id,
        drill_status(drill).value,
        drill.set_id,
        " ← ".join(drill.chain),
        local(target, zone) if target else None,
        local(reached, zone) if reached else None,
        local(drill.started_at, zone),
        local(drill.ended_at, zone),
        drill.restored_bytes,
        drill.replayed_bytes,
        None if drill.is_rehearsal else drill.recovery_s,
        drill.forecast_s,
        drill.assertions,
    )


def phase_rows(drills: Mapping[str, Drill], names: Mapping[str, str], language: str) -> list[tuple[Cell, ...]]:
    """Database, drill, phase, seconds, bytes: one row per phase."""
    return [
        (names.get(d, d), drill.drill_id, phase_word(p.name, language), p.elapsed_s, p.work_bytes)
        for d, drill in drills.items()
        for p in drill.phases
    ]


def phase_word(phase: str, language: str) -> str:
    """The word of a phase; one that we do not know is shown by its own name."""
    key = f"phase_{phase}"
    return word(key, language) if key in load_words() else phase
