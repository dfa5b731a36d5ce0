"""The check of a copy from PostgreSQL before it is delivered."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from drydock.masking.copy_checks import judging
from drydock.masking.copy_checks.verifying import CopyVerification, verify_copy
from drydock.masking.policies.schema import Schema
from drydock.masking.policies.subset import selections
from drydock.masking.postgres.copying import subset_seed
from drydock.masking.postgres.definitions import staging_names
from drydock.masking.postgres.sessions import PIPELINE, MaskingEyes
from drydock.masking.postgres_schema import read_postgres_schema
from drydock.verdicts import Verdict


def judge_copy(eyes: MaskingEyes) -> tuple[Verdict, ...]:
    """See `judging.judge_copy`."""

    def second_net(rows: Mapping[str, int]) -> CopyVerification:
        return _second_net(eyes, rows)

    return judging.judge_copy(eyes, second_net)


def _second_net(eyes: MaskingEyes, rows: Mapping[str, int]) -> CopyVerification:
    policy = eyes.policy
    schema = read_postgres_schema(lambda name, binds: eyes.rows(PIPELINE, name, binds), policy.source.schemas)
    picture = eyes.facts.picture()
    return verify_copy(
        policy,
        schema,
        eyes.endpoint,
        picture.snapshot if picture and eyes.is_living(picture.snapshot) else None,
        eyes.copy,
        staging_names(policy.source.schemas, eyes.facts.run_id),
        rows,
        datetime.now(UTC),
        conditions=_conditions(eyes, schema),
        folder=eyes.facts.folder,
        xids=picture.xids if picture else "",
    )


def _conditions(eyes: MaskingEyes, schema: Schema) -> dict[str, str]:
    """The rows that a subset took of each table; empty where the policy takes all."""
    if not eyes.policy.subset:
        return {}
    chosen = selections(eyes.policy, schema, eyes.facts.day, subset_seed(eyes.key))
    return {key: one.where for key, one in chosen.items() if one.where}
