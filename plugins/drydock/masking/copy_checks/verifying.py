"""The verification of a masked copy before it is delivered: the second net, great-expectations, and re-identification.

It reads and judges; nothing is changed. A copy whose verification is red is not delivered. The work is done by
`drydock.masking.verification`, which shares no code with the techniques; here the policy is translated into what it looks for.
"""

from __future__ import annotations

import hashlib
import math
import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path

from psycopg import IsolationLevel, sql
from pydantic import AwareDatetime, Field

from drydock.engines.postgres import Endpoint, connect, fetch_rows
from drydock.masking.copy_checks.expectations_copy import PostgresFigures, expect, places_of
from drydock.masking.copy_checks.verifying_net import net_of
from drydock.masking.copy_checks.verifying_people import measure
from drydock.masking.copy_checks.verifying_spread import spread
from drydock.masking.policies.policy import MaskingPolicyFile
from drydock.masking.policies.schema import Schema
from drydock.masking.verification.apart import cast_apart
from drydock.masking.verification.net import Caught, cast
from drydock.masking.verification.results import Canaries, Distribution, Expectations, Reidentification, Residual, Semijoin
from drydock.masking.verification.scope import Scope
from drydock.masking.verification.target import Connection
from drydock.sqlfiles import sql_file
from drydock.verdicts import Finding, Model, Status, Verdict, judge, worst

PURPOSE = "masking/verify"
OTHER_RUNS = ("drydock_staging_", "drydock_old_")
ONCE_IN_TWENTY = 0.05
XIDS_LETTERS = 32
QUESTIONS = ("residual", "originals", "canaries", "reidentification", "expectations")


class CopyVerification(Model):
    """What was found in one copy: a verdict for each of QUESTIONS and the counts behind them. It holds no value."""

    database: str = Field(description="id of the source")
    target: str = Field(description="id of the target, of the policy's list")
    verified_at: AwareDatetime
    snapshot: str = Field("", description="of the source; empty: the source was read as it is now")
    verdicts: tuple[Verdict, ...]
    rows: dict[str, int] = Field(default_factory=dict, description="table -> rows that the parts copied")
    residual: Residual | None = None
    semijoin: Semijoin | None = None
    canaries: Canaries | None = None
    reidentification: Reidentification | None = None
    expectations: Expectations | None = None
    distributions: tuple[Distribution, ...] = ()
    elapsed_s: float = Field(0, ge=0)

    @property
    def status(self) -> Status:
        return worst(self.verdicts)

    @property
    def is_red(self) -> bool:
        """True: the copy stays in quarantine."""
        return self.status.is_red


def verify_copy(
    policy: MaskingPolicyFile,
    schema: Schema,
    source: Endpoint,
    snapshot: str | None,
    copy: Endpoint,
    staging: Mapping[str, str],
    parts: Mapping[str, int],
    now: datetime,
    *,
    conditions: Mapping[str, str] | None = None,
    folder: Path | None = None,
    processes: int = 2,
    xids: str = "",
) -> CopyVerification:
    """Verify the copy in the schemas of `staging` (schema of the source -> schema where its copy stands now).
    `snapshot`: of a session that still holds it; None: the source as it is. `parts`: table -> rows copied. `conditions`: table ->
    condition on its rows (alias t). `folder`: the run's. `xids`: see `is_unchanged`. Raises psycopg.Error, LookupError.
    """
    began = time.monotonic()
    with source_session(source, snapshot) as origin, closing(connect(copy, purpose=PURPOSE, statement_timeout_s=0)) as delivered:
        same = snapshot is not None or is_unchanged(origin, xids)
        caught, verdicts = _caught(policy, schema, origin, delivered, scope_of(policy, staging, delivered), copy, processes)
        people, told = measure(policy, schema, origin, delivered, staging, direct_identifiers_left=_is_fail(verdicts[1]))
        places = places_of(policy, schema, staging, parts, conditions or {}, same_moment=same)
        expected, kept = expect(policy, schema, staging, places, PostgresFigures(origin, places), copy, delivered, folder)
        distributions = spread(policy, schema, origin, delivered, staging)
    return CopyVerification(
        database=policy.database,
        target=policy.target,
        verified_at=now,
        snapshot=snapshot or "",
        **dict(caught),
        verdicts=(*verdicts, told, kept),
        rows=dict(parts),
        reidentification=people,
        expectations=expected,
        distributions=distributions,
        elapsed_s=time.monotonic() - began,
    )


def _is_fail(verdict: Verdict) -> bool:
    return verdict.status is Status.FAIL


def _caught(
    policy: MaskingPolicyFile,
    schema: Schema,
    source: Connection,
    delivered: Connection,
    scope: Scope,
    copy: Endpoint,
    processes: int,
) -> tuple[Caught, list[Verdict]]:
    """The net over the copy, by one process or several, and its three verdicts."""
    net = net_of(policy, schema, source)
    caught = cast_apart(net, source, copy, scope, processes) if processes > 1 else cast(net, source, delivered, scope)
    return caught, [_with_share(verdict, scope) for verdict in caught.verdicts]


def scope_of(policy: MaskingPolicyFile, staging: Mapping[str, str], copy: Connection) -> Scope:
    """All of the copy's database but what other runs left: delivered schemas, their quarantined and their old ones."""
    present = {row["name"] for row in fetch_rows(copy, sql_file("postgresql", "verification", "schemas"))}
    ours = set(staging.values())
    left_out = sorted(name for name in present - ours if name in staging or name.startswith(OTHER_RUNS))
    told_as = {stands: name for name, stands in staging.items() if stands != name}
    share = policy.verified_percent / 100
    return Scope(left_out=tuple(left_out), told_as=told_as, share=share, seed=secrets.randbelow(2**31))


@contextmanager
def source_session(endpoint: Endpoint, snapshot: str | None) -> Iterator[Connection]:
    """A session on the source that sees the held picture, where one is given. Raises psycopg.Error for one that is gone."""
    with closing(connect(endpoint, purpose=PURPOSE, statement_timeout_s=0)) as connection:
        if not snapshot:
            yield connection
            return
        connection.isolation_level = IsolationLevel.REPEATABLE_READ
        connection.autocommit = False
        text = sql_file("postgresql", "verification", "begin_at_snapshot").statement
        connection.execute(sql.SQL(text).format(snapshot=sql.Literal(snapshot)))
        try:
            yield connection
        finally:
            connection.rollback()


def is_unchanged(source: Connection, xids: str) -> bool:
    """Whether no transaction of the source ended or began since the picture of that digest: it is still as it was copied, and its
    figures must be those of the copy. The session then stays in that moment until it is closed. Raises psycopg.Error."""
    if not xids or _xids(source) != xids:
        return False
    source.isolation_level = IsolationLevel.REPEATABLE_READ
    source.autocommit = False
    if _xids(source) == xids:
        return True
    source.rollback()
    source.autocommit = True
    return False


def _xids(source: Connection) -> str:
    """As `masking.postgres.picture` digests them."""
    told = fetch_rows(source, sql_file("postgresql", "verification", "transactions_seen"))[0]["xids"]
    return hashlib.sha256(str(told).encode()).hexdigest()[:XIDS_LETTERS]


def _with_share(verdict: Verdict, scope: Scope) -> Verdict:
    """With what a drawn share proves: blocks with a leak that may have been missed, once in twenty runs at most."""
    if scope.share >= 1:
        return verdict
    unseen = math.ceil(math.log(ONCE_IN_TWENTY) / math.log1p(-scope.share))
    evidence = verdict.evidence | {"read_percent": 100 * scope.share, "leaking_blocks_missed_at_most": unseen}
    told = Finding(code="copy_read_in_part", status=Status.WARN, values={"percent": 100 * scope.share, "blocks": unseen})
    return judge(verdict.question, verdict.examined, [*verdict.findings, told], **evidence)
