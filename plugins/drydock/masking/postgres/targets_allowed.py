"""Whether a copy may be written to a server at all: never to a database under care, whatever somebody wrote into a file.

The answers do not rest on one another: the list of the policy, the connections and ids of the estate, what the server says
of its identity, and the mark that an earlier copy left in the database, or that it is still empty.
"""

from __future__ import annotations

from collections.abc import Iterator

from drydock.changing.hands import Row
from drydock.estate import Engine
from drydock.masking.policies.fitness_scope import finding
from drydock.masking.policies.policy import MaskingPolicyFile, Target
from drydock.masking.postgres.sessions import RunFacts
from drydock.verdicts import Finding


def refusal(
    policy: MaskingPolicyFile, source_identity: str, copy: Row, facts: RunFacts, engine: Engine = Engine.POSTGRESQL
) -> Finding | None:
    """The first reason why nothing may be written there. `copy`: the row of `copy_state.sql`; `engine`: what it was asked of."""
    return next(refusals(policy, source_identity, copy, facts, engine), None)


def refusals(
    policy: MaskingPolicyFile, source_identity: str, copy: Row, facts: RunFacts, engine: Engine = Engine.POSTGRESQL
) -> Iterator[Finding]:
    """Every reason, the ones that need no server first."""
    target = next((t for t in policy.targets if t.id == policy.target), None)
    if target is None:
        yield finding("masking_target_not_listed", policy.target)
        return
    if target.engine is not engine:
        yield finding("masking_target_other_engine", target.id, engine=target.engine.value)
    yield from _by_estate(policy, target, facts)
    identity, known = copy["identity"], facts.known()
    if identity == source_identity:
        yield finding("masking_target_is_source_server", target.id, database=policy.database)
    elif identity in known:
        yield finding("masking_target_under_care", target.id, database=known[identity])
    if target.identity is not None and target.identity != identity:
        yield finding("masking_target_other_server", target.id, expected=target.identity, found=identity)
    if copy["is_standby"]:
        yield finding("masking_target_standby", target.id)
    if copy["is_marked"] and not copy["is_marker_own"]:
        yield finding("masking_target_of_another", target.id, database=copy["database"])
    if not copy["is_marked"] and copy["user_tables"]:
        yield finding("masking_target_not_empty", target.id, database=copy["database"], tables=copy["user_tables"])


def _by_estate(policy: MaskingPolicyFile, target: Target, facts: RunFacts) -> Iterator[Finding]:
    if target.id in facts.databases():
        yield finding("masking_target_is_database", target.id)
    if target.connection in facts.connections() or target.connection == policy.source.connection:
        yield finding("masking_target_connection_under_care", target.id, connection=target.connection)
