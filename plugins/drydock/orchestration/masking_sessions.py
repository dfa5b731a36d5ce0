"""Sessions of masking from Airflow's connections: the source as an account that only reads, the copy as its owner, the key."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from drydock.changing.hands import Eyes, Target
from drydock.changing.run import ChangeRun
from drydock.configuration import load_masking_policy
from drydock.engines.postgres import Endpoint
from drydock.estate import Engine
from drydock.masking.ciphers.epochs import see_key
from drydock.masking.ciphers.keys import MaskingKey
from drydock.masking.policies.policy import MaskingPolicyFile
from drydock.masking.policies.policy import Target as CopyTarget
from drydock.orchestration.connections import endpoint_of, oracle_connect_of
from drydock.orchestration.masking_keys import masking_key_of
from drydock.orchestration.targets import free_bytes, places_of

if TYPE_CHECKING:
    from drydock.masking.postgres.sessions import RunFacts


def with_masking(run: ChangeRun) -> ChangeRun:
    """The run with sessions of masking. Policy, connections and key are read when a session is opened, not before."""
    return replace(run, open_eyes=partial(_eyes, run), open_target=partial(_target, run))


def checked_key(run: ChangeRun, policy: MaskingPolicyFile) -> MaskingKey:
    """The key of the policy, the same that the epoch had before. Raises KeyUnusable, EpochHasOtherKey."""
    key = masking_key_of(policy.key)
    see_key(run.ledger, run.run_id, key, policy.key.connection)
    return key


def _eyes(run: ChangeRun) -> Eyes:
    if run.database.engine is Engine.ORACLE:
        return _oracle_eyes(run)
    from drydock.masking.postgres.facts_of_run import facts_of
    from drydock.masking.postgres.sessions import MaskingEyes

    policy = load_masking_policy(run.database.id)
    return MaskingEyes(
        run.database,
        endpoint_of(run.database, policy.source.connection),
        f"masking.look {run.run_key}",
        places_of(run.database),
        policy=policy,
        copy=copy_endpoint(run, policy),
        facts=facts_of(run),
        key=checked_key(run, policy),
    )


def _target(run: ChangeRun) -> Target:
    if run.database.engine is Engine.ORACLE:
        return _copy_of_oracle(run)
    from drydock.masking.postgres.facts_of_run import facts_of
    from drydock.masking.postgres.sessions import MaskingTarget

    policy = load_masking_policy(run.database.id)
    return MaskingTarget(
        run.database,
        copy_endpoint(run, policy),
        f"masking.work {run.run_key}",
        places_of_copy(policy.chosen_target()),
        policy=policy,
        source=endpoint_of(run.database, policy.source.connection),
        key=checked_key(run, policy),
        facts=facts_of(run),
        source_places=places_of(run.database),
    )


def _oracle_eyes(run: ChangeRun) -> Eyes:
    from drydock.engines.oracle import RunIdentity
    from drydock.masking.oracle.copy_sessions import OracleCopyEyes
    from drydock.masking.oracle.sessions import OracleMaskingEyes

    policy = load_masking_policy(run.database.id)
    told: dict[str, Any] = {"policy": policy, "facts": _oracle_facts(run), "key": checked_key(run, policy)}
    session = (run.database, oracle_connect_of(policy.source.connection), RunIdentity("masking.look", run.run_key))
    if policy.chosen_target().engine is Engine.ORACLE:
        return OracleCopyEyes(*session, copy=oracle_connect_of(policy.chosen_target().connection), **told)
    return OracleMaskingEyes(*session, copy=copy_endpoint(run, policy), **told)


def _copy_of_oracle(run: ChangeRun) -> Target:
    from drydock.engines.oracle import RunIdentity
    from drydock.masking.oracle.copy_sessions import OracleCopy
    from drydock.masking.oracle.picture import take_picture
    from drydock.masking.oracle.sessions import CopyOfOracle

    policy = load_masking_policy(run.database.id)
    target = policy.chosen_target()
    told: dict[str, Any] = {"policy": policy, "facts": _oracle_facts(run), "key": checked_key(run, policy)}
    told |= {"source": oracle_connect_of(policy.source.connection), "take_picture": partial(take_picture, run)}
    if target.engine is Engine.ORACLE:
        identity = RunIdentity("masking.work", run.run_key)
        return OracleCopy(run.database, oracle_connect_of(target.connection), identity, None, **told)
    name = f"masking.work {run.run_key}"
    return CopyOfOracle(run.database, copy_endpoint(run, policy), name, places_of_copy(target), **told)


def _oracle_facts(run: ChangeRun) -> RunFacts:
    """As of any run; its picture is an SCN."""
    from drydock.masking.oracle.picture import newest_source_picture
    from drydock.masking.postgres.facts_of_run import facts_of

    return replace(facts_of(run), picture=partial(newest_source_picture, run.ledger, run.run_id))


def copy_endpoint(run: ChangeRun, policy: MaskingPolicyFile) -> Endpoint:
    """Where the copy goes. Raises AirflowNotFoundException for a connection that is not defined."""
    return endpoint_of(run.database, policy.chosen_target().connection)


def places_of_copy(target: CopyTarget):
    """What the policy adds to what the copy's server tells of itself: cores, and the room on its disk."""
    from drydock.engines.postgres_work import Places

    return Places(target.cores, lambda: _room(target))


def _room(target: CopyTarget) -> int | None:
    """The smaller of what the worker sees and what the copy's DBA vouches for; None where neither is told."""
    told = [room for room in (free_bytes(target.data_folder), target.room_bytes) if room is not None]
    return min(told) if told else None
