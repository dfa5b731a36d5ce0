"""Cleaning a trail as a run of the changing pipelines: the same steps and gate, with sessions of the account that cleans."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from drydock.audit.policy import AuditPolicyFile
from drydock.changing.hands import GateClosed
from drydock.changing.run import ChangeRun
from drydock.estate import Database, Engine
from drydock.orchestration.family import each_database
from drydock.outcomes import Answer, Interlock

if TYPE_CHECKING:
    from drydock.audit.run import AuditRun

FAMILY = "audit_purge"


def each_purged_database(policy: AuditPolicyFile) -> Iterator[Database]:
    """The Oracle databases of the estate whose trail the policy lets be cleaned."""
    return (d for d in each_database(FAMILY) if d.engine is Engine.ORACLE and policy.of(d.id).purge_source)


def with_purge(run: ChangeRun) -> ChangeRun:
    """The run with a key of its own (the audit's day has the other) and the sessions of the account that cleans."""
    keyed = replace(run, run_key=f"purge {run.run_key}")
    return replace(keyed, open_eyes=lambda: _session(keyed, "PurgeEyes"), open_target=lambda: _session(keyed, "PurgeTarget"))


def _session(run: ChangeRun, kind: str):  # type: ignore[no-untyped-def]
    """Eyes or target. Raises GateClosed where the policy names no account that cleans."""
    connection = run.configuration.audit.of(run.database.id).purge_connection
    if connection is None:
        raise GateClosed(Answer(interlock=Interlock.ACTION_ALLOWED, is_open=False, reason="no_work_account"))
    from drydock.audit.oracle import purge
    from drydock.engines.oracle import RunIdentity
    from drydock.orchestration.connections import oracle_connect_of

    audit = _audit_of(run)
    identity = RunIdentity(f"{FAMILY}.{'look' if kind == 'PurgeEyes' else 'work'}", run.run_key)
    return getattr(purge, kind)(run.database, oracle_connect_of(connection), identity, audit=audit)


def _audit_of(run: ChangeRun) -> AuditRun:
    """What is archived and what the database still counts, as the account that reads sees it."""
    from drydock.audit.run import AuditRun
    from drydock.audit.spans import span_of_day
    from drydock.audit.storage.store import Store
    from drydock.orchestration.audit_runs import rows_of, store_root

    begin, end = span_of_day(run.day - timedelta(days=1), run.database.zone)
    return AuditRun(
        configuration=run.configuration,
        ledger=run.ledger,
        database=run.database,
        policy=run.configuration.audit.of(run.database.id),
        run_id=run.run_id,
        store=Store(store_root(run.configuration), run.database.id, run.ledger),
        begin=begin,
        end=end,
        now=run.now(),
        rows=rows_of(run.database, run.run_key),
    )
