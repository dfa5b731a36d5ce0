"""Delivers a copy: all its schemas get the names of the source at once, by rename, in one transaction.

The copy that stood there is put aside under a name of this run, and closed to everybody. A schema is put aside only when it
belongs to the role that delivers and nothing in it belongs to somebody else or to an extension. Before that transaction the
copy's schemas are open to nobody but their owner (and to those whom PostgreSQL lets see everything: superusers, members of
pg_read_all_data).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from pydantic import Field

from drydock.engines.postgres_statements import Statement, Word
from drydock.masking.policies.fitness_scope import finding
from drydock.masking.policies.policy import MaskingPolicyFile
from drydock.masking.postgres.definitions import OLD, refuse_if_wrong, staging_names
from drydock.masking.postgres.making import make
from drydock.masking.postgres.reading import Ask
from drydock.verdicts import Finding, Model


class SchemaNow(Model):
    name: str
    owner: str
    role: str = Field(description="who delivers")
    others: int = Field(0, description="things in it that are somebody else's or an extension's")
    open_to: tuple[str, ...] = ()

    @property
    def is_ours(self) -> bool:
        return self.owner == self.role


class Standing(Model):
    """How the database of the copy stands before a delivery."""

    run_id: int
    schemas: dict[str, SchemaNow] = Field(description="of those in question, what is there")
    roles: tuple[str, ...] = Field(description="readers that the server knows")


def read_standing(ask: Ask, policy: MaskingPolicyFile, names: Mapping[str, str], run_id: int) -> Standing:
    """Raises what `ask` raises."""
    old = old_names(names, run_id)
    rows = ask("copy_schemas", {"schemas": [*names, *names.values(), *old.values()]})
    roles = ask("known_roles", {"roles": list(policy.chosen_target().readers)})
    schemas = {row["name"]: SchemaNow(**row) for row in rows}
    return Standing(run_id=run_id, schemas=schemas, roles=tuple(row["role"] for row in roles))


def old_names(names: Sequence[str] | Mapping[str, str], run_id: int) -> dict[str, str]:
    """Schema of the source -> name under which the copy that stood there is put aside."""
    return {schema: f"{OLD}_{run_id}_{number}" for number, schema in enumerate(names, 1)}


def is_delivered(names: Mapping[str, str], standing: Standing) -> bool:
    """All staging schemas have their names already."""
    return all(name in standing.schemas and names[name] not in standing.schemas for name in names)


def undeliverable(policy: MaskingPolicyFile, names: Mapping[str, str], standing: Standing) -> tuple[Finding, ...]:
    """Why the copy must not be delivered as things stand."""
    if is_delivered(names, standing):
        return ()
    return tuple(_wrong(policy, names, standing))


def foreseen(ask: Ask, policy: MaskingPolicyFile) -> tuple[Finding, ...]:
    """What would stop the delivery of a copy that is not built yet: told before the run, not after a night's work."""
    names = staging_names(policy.source.schemas, 0)
    found = _wrong(policy, names, read_standing(ask, policy, names, 0))
    return tuple(one for one in found if one.code != "masking_staging_missing")


def deliver(policy: MaskingPolicyFile, names: Mapping[str, str], standing: Standing) -> tuple[Statement, ...]:
    """The renames and grants, to be sent together; nothing where it is delivered. Raises DefinitionRefused."""
    if is_delivered(names, standing):
        return ()
    refuse_if_wrong(undeliverable(policy, names, standing))
    old = old_names(names, standing.run_id)
    return tuple(step for schema in names for step in _one(policy, schema, names[schema], old[schema], standing))


def _wrong(policy: MaskingPolicyFile, names: Mapping[str, str], standing: Standing) -> Iterator[Finding]:
    for schema, staging in names.items():
        if staging not in standing.schemas:
            yield finding("masking_staging_missing", staging)
        for there in (standing.schemas.get(schema), standing.schemas.get(staging)):
            if there is not None and not there.is_ours:
                yield finding("masking_copy_name_taken", there.name, owner=there.owner)
            elif there is not None and there.others:
                yield finding("masking_copy_holds_others", there.name, count=there.others)
    for reader in sorted(set(policy.chosen_target().readers) - set(standing.roles)):
        yield finding("masking_reader_missing", reader)


def _one(policy: MaskingPolicyFile, schema: str, staging: str, old: str, standing: Standing) -> Iterator[Statement]:
    for there in (standing.schemas.get(schema), standing.schemas[staging]):
        for grantee in there.open_to if there else ():
            yield make("close_schema", schema=there.name, grantee=Word.PUBLIC if grantee == "PUBLIC" else grantee)
    if schema in standing.schemas:
        yield make("rename_schema", schema=schema, name=old)
    yield make("rename_schema", schema=staging, name=schema)
    for reader in policy.chosen_target().readers:
        yield make("grant_schema_usage", schema=schema, reader=reader)
        yield make("grant_schema_select", schema=schema, reader=reader)
