"""The figures of a PostgreSQL target that the interlocks judge, from the files of `include/sql/postgresql/gate`.

What SQL cannot tell comes from `places`: free bytes of the disks, cores of the host. Where the account does not see other
sessions (no pg_read_all_stats), load, waiting and lag are not known, rather than none.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from drydock.changing.hands import Eyes, Row, TargetFigures
from drydock.ledger.connect import lock_key

if TYPE_CHECKING:
    from drydock.engines.postgres_work import Places

MASKING_LOCK = "masking"
PGBACKREST_LOCK = 12340078987004321
SMALL_LAG_BYTES = 16 * 1024**2  # one WAL segment: a standby that is this near and tells no lag has none worth naming


def server_figures(eyes: Eyes, own: Sequence[int], places: Places) -> TargetFigures:
    """All figures at this moment. `own`: process ids of our sessions, which do not count. Raises ChangeFailed."""
    state = eyes.rows("gate", "server_state", {"own": list(own)})[0]
    standbys = eyes.rows("gate", "standbys")
    seen = bool(state["sees_all"])
    return TargetFigures(
        role="standby" if state["is_standby"] else "primary",
        open_mode="read_only" if state["is_standby"] or state["is_read_only"] else "read_write",
        sessions_per_core=state["active_sessions"] / (places.cores or 1) if seen else None,
        longest_transaction_s=state["longest_transaction_s"] if seen else None,
        waiting_sessions=state["waiting_sessions"] if seen else None,
        log_position=state["log_position"],
        archive_free_bytes=places.archive_free_bytes(),
        has_standby=bool(standbys) if seen else None,
        standby_lag_s=worst_lag_s(standbys) if seen else None,
        free_bytes=places.free_bytes(),
        beside=running_beside(eyes, own),
    )


def worst_lag_s(standbys: Sequence[Row]) -> float | None:
    """The lag of the standby that is furthest behind; None where one does not tell, or none is there."""
    lags = [lag_s(row) for row in standbys]
    return None if not lags or None in lags else max(lags)


def lag_s(row: Row) -> float | None:
    """The lag of one standby; None: away, or behind without a measure."""
    if not row["is_connected"] or row["behind_bytes"] is None:
        return None
    if row["replay_lag_s"] is not None:
        return float(row["replay_lag_s"])
    return 0.0 if row["behind_bytes"] <= SMALL_LAG_BYTES else None


def running_beside(eyes: Eyes, own: Sequence[int]) -> tuple[str, ...]:
    """Codes of what runs now that must not run beside a change."""
    binds: dict[str, Any] = {"own": list(own), "masking_key": lock_key(MASKING_LOCK), "pgbackrest_key": PGBACKREST_LOCK}
    row = eyes.rows("gate", "running_beside", binds)[0]
    codes = {
        "backup_running": row["backups"],
        "statistics_running": row["statistics"],
        "maintenance_running": row["maintenance"],
        "masking_running": row["masking"],
    }
    return tuple(code for code, count in codes.items() if count)
