"""How long a recovery would take now, from this database's own drills.

recovery = start + restored bytes / restore rate + log bytes / replay rate

Each rate is the median of the last five drills that have it; without any, safe defaults are used and said so. The
forecast is checked by the drills themselves: every drill keeps the forecast that was made before it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from statistics import median

from drydock.backup.chains import Chain, usable_chains
from drydock.backup.facts import BackupSet, LogArchive, LogRange, Survey
from drydock.backup.oracle.chains import redo_bytes
from drydock.backup.results import Drill, Forecast, Phase

DRILLS_USED = 5
SLOW_RESTORE_BYTES_PER_S = 30 * 1024 * 1024  # defaults: a third of what one ordinary disk and one network link give
SLOW_REPLAY_BYTES_PER_S = 15 * 1024 * 1024
SLOW_START_S = 60.0
SMALLEST_SAMPLE_BYTES = 1024 * 1024  # below this a phase measures process starts, not a rate
SHORTEST_PHASE_S = 0.001


def forecast_recovery(survey: Survey, drills: Iterable[Drill]) -> Forecast | None:
    """Seconds from the decision to restore the newest chain, with all archived logs, until the copy serves.

    `drills`: past drills of this database in any order. None where there is no usable chain to restore.
    """
    chains = usable_chains(survey)
    if not chains:
        return None
    logs = redo_bytes(survey) if survey.catalogue else log_bytes_since(chains[-1][-1], survey.logs)
    return forecast_from(chain_bytes(chains[-1]), logs, drills)


def forecast_from(restore_bytes: int, log_bytes: int, drills: Iterable[Drill]) -> Forecast:
    """The forecast for so many bytes to restore and to replay. Failed restores teach no rate and are left out."""
    used = sorted((d for d in drills if _recovered(d)), key=lambda d: d.ended_at)[-DRILLS_USED:]
    restore_rate = _median(used, _restore_rate) or SLOW_RESTORE_BYTES_PER_S
    replay_rate = _median(used, _replay_rate) or SLOW_REPLAY_BYTES_PER_S
    start_s = _median(used, lambda d: _start_s(d, replay_rate))
    seconds = restore_bytes / restore_rate + log_bytes / replay_rate + (SLOW_START_S if start_s is None else start_s)
    return Forecast(seconds=round(seconds, 1), basis=len(used), error_ratio=_error_ratio(used), is_default=not used)


def chain_bytes(chain: Chain) -> int:
    """Bytes of the restored copy, unpacked: as a repository tells it, else no more than all sets of the chain together."""
    last = chain[-1]
    if last.form == "repository" and last.restored_bytes:
        return last.restored_bytes
    return sum(map(_unpacked_bytes, chain))


def scratch_bytes(chain: Chain) -> int:
    """Bytes that a restore of the chain needs at once: the copy, and beside it the unpacked parts that are put together."""
    parts = [s for s in chain if s.form == "tar"] if len(chain) > 1 else []
    return chain_bytes(chain) + sum(map(_unpacked_bytes, parts))


def _unpacked_bytes(backup_set: BackupSet) -> int:
    return backup_set.restored_bytes or backup_set.total_bytes


def log_bytes_since(base: BackupSet, logs: LogArchive | None) -> int:
    """Bytes of log from the start of `base` to the end of the archive, unpacked: what a recovery would replay."""
    start = base.start_position or 0
    return sum(_bytes_after(r, start, logs.segment_bytes) for r in logs.ranges) if logs else 0


def _bytes_after(log_range: LogRange, position: int, segment_bytes: int) -> int:
    """The share of a range that lies after `position`."""
    length = max(log_range.end_position - log_range.first_position, 1)
    after = log_range.end_position - max(log_range.first_position, position)
    return int(log_range.segments * segment_bytes * min(max(after, 0), length) / length)


def _recovered(drill: Drill) -> bool:
    return drill.restored_bytes > 0 and drill.recovered_to is not None and _phase(drill, "recover") is not None


def _phase(drill: Drill, name: str) -> Phase | None:
    return next((p for p in drill.phases if p.name == name), None)


def _restore_rate(drill: Drill) -> float | None:
    phase = _phase(drill, "restore")
    return drill.restored_bytes / max(phase.elapsed_s, SHORTEST_PHASE_S) if phase else None


def _replay_rate(drill: Drill) -> float | None:
    """Bytes of log per second; None where too little was replayed to tell it from starting the server."""
    phase = _phase(drill, "recover")
    if phase is None or drill.replayed_bytes < SMALLEST_SAMPLE_BYTES:
        return None
    return drill.replayed_bytes / max(phase.elapsed_s, SHORTEST_PHASE_S)


def _start_s(drill: Drill, replay_rate: float) -> float | None:
    """What is left of the recover phase after the replay: starting, reaching consistency, promoting."""
    phase = _phase(drill, "recover")
    return max(0.0, phase.elapsed_s - drill.replayed_bytes / replay_rate) if phase else None


def _median(drills: Iterable[Drill], figure: Callable[[Drill], float | None]) -> float | None:
    known = [value for value in map(figure, drills) if value is not None]
    return median(known) if known else None


def _error_ratio(drills: Iterable[Drill]) -> float | None:
    """Median of |forecast - actual| / actual over the drills that were forecast."""
    error = _median(drills, lambda d: abs(d.forecast_s - d.recovery_s) / d.recovery_s if d.forecast_s and d.recovery_s else None)
    return None if error is None else round(error, 3)
