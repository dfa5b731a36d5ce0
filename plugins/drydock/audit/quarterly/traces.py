"""Tracing as a recorded deed: who asked for which records and why stands in the ledger before the first one is read.

Statements as they stood are under access control: they may hold data. Whoever asks for them says of whom and why, and where the
policy names who may (`statement_readers`), nobody else gets them. A trace that the ledger could not write down is not made.
"""

from __future__ import annotations

import os
import pwd
import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from pydantic import ValidationError

from drydock import settings
from drydock.audit.asked import TraceAsked
from drydock.audit.policy import AuditPolicy
from drydock.audit.quarterly.tracing import Trace, TraceError, check_stretch, trace
from drydock.audit.run import AuditRun
from drydock.ledger import audit_record

SHORTEST_WHY = 4


def traces_dir(database: str) -> Path:
    """Where the files of the DAG lie; the worker's account alone may read them."""
    return settings.state_dir() / "audit_traces" / database


def asked_for(**told: object) -> TraceAsked:
    """What a person asked for. Raises TraceError with the first thing that is wrong."""
    try:
        return TraceAsked.model_validate(told)
    except ValidationError as e:
        first = e.errors(include_url=False, include_input=False)[0]
        raise TraceError(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from None


def check_asked(asked: TraceAsked, policy: AuditPolicy, ending: str) -> None:
    """Raises TraceError for what cannot be traced, or not by this person or without a reason."""
    check_stretch(asked.begin, asked.end, ending)
    if asked.why.strip() and len(asked.why.strip()) < SHORTEST_WHY:
        raise TraceError("the reason is too short: it is read by an auditor")
    if not asked.with_statements:
        return
    if not asked.why.strip():
        raise TraceError("statements as they stood may hold data: say why they are needed (--why)")
    if asked.wanted.is_anything:
        raise TraceError("statements as they stood are not written for everybody: name an account, object, host or fingerprint")
    if policy.statement_readers and asked.asked_by.partition("@")[0] not in policy.statement_readers:
        raise TraceError(f"{asked.asked_by!r} may not have statements as they stood here; see statement_readers of the policy")


def make_trace(run: AuditRun, asked: TraceAsked, out: Callable[[int], Path]) -> Trace:
    """Write it down, then write the file; `out` gives its path by the number of the trace. Raises TraceError, OSError."""
    check_asked(asked, run.policy, out(0).suffix)
    trace_id = audit_record.save_trace_asked(run.ledger, asked)
    path = out(trace_id)
    made = trace(run.store, asked.database, asked.begin, asked.end, asked.wanted, path, asked.with_statements)
    audit_record.save_trace_made(run.ledger, trace_id, path.name, made.sha256, made.size_bytes, made.records, made.examined)
    return made


def shell_user() -> str:
    """Who sits at the shell: the account as the system knows it, and who says to be behind it (sudo), which proves nothing."""
    try:
        name = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container with an account of no name
        name = str(os.getuid())
    behind = os.environ.get("SUDO_USER", "")
    return f"{name}@{socket.gethostname()}" + (f" (sudo by {behind})" if behind else "")


def sweep_traces(run: AuditRun) -> int:
    """Remove files of the DAG that are as old as statements may become; returns how many. Their rows in the ledger stay."""
    oldest = run.now.timestamp() - run.policy.exemplars_kept_days * 24 * 3600
    gone = 0
    for path in traces_dir(run.database.id).glob("trace-*"):
        with suppress(FileNotFoundError):
            if path.stat().st_mtime < oldest:
                path.unlink()
                gone += 1
    return gone
