"""The survey of masking: is the source what was confirmed, does the policy fit, may the copy go there, and in what pieces.

What is red stops the run before there is a plan; what a person must look at stands in the plan as a note. Only counts are
told of values.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from drydock.changing.hands import Row, SurveyContext
from drydock.engines.postgres_statements import Columns
from drydock.masking.discovering.discovery import propose
from drydock.masking.discovering.proposals import ColumnSample
from drydock.masking.policies.confirmed import load_confirmed
from drydock.masking.policies.drift import drift
from drydock.masking.policies.fitness import unfit
from drydock.masking.policies.fitness_scope import finding
from drydock.masking.policies.policy import MaskingPolicyFile
from drydock.masking.policies.schema import Schema, Table, object_name
from drydock.masking.policies.schema_digest import schema_digest
from drydock.masking.policies.subset import unselectable
from drydock.masking.postgres.chunks import REASON, Leaf, chunks_of, finishes_of
from drydock.masking.postgres.definitions import definition_findings
from drydock.masking.postgres.delivering import foreseen
from drydock.masking.postgres.reading import read_definitions
from drydock.masking.postgres.sessions import PIPELINE, MaskingEyes
from drydock.masking.postgres.targets_allowed import refusals
from drydock.masking.postgres_schema import NoSuchSchema, read_postgres_schema
from drydock.plans import Candidate, Found, LeftAlone, LockKind, ObjectKind, ObjectRef
from drydock.policy import MaskingLimits
from drydock.verdicts import Figure, Finding

OTHER_ITEMS = 4
SURE = 0.5
"""Proposals of less confidence are not told of a column that a person has kept with a reason."""


def survey(eyes: MaskingEyes, context: SurveyContext) -> Found:
    """Everything that must hold before anything is copied, and the items of the copy. Raises ChangeFailed."""
    policy, limits = eyes.policy, context.policy
    if not isinstance(limits, MaskingLimits):
        raise TypeError("masking has limits of its own")
    try:
        schema = read_postgres_schema(lambda name, binds: eyes.rows(PIPELINE, name, binds), policy.source.schemas)
    except NoSuchSchema:
        place = ", ".join(policy.source.schemas)
        return Found(examined=0, refused=(finding("masking_schema_gone", place),))
    found = tuple(_findings(eyes, schema, limits))
    examined = sum(len(table.columns) for table in schema.tables)
    told = tuple(note_of(f) for f in found if not f.status.is_red)
    refused = tuple(f for f in found if f.status.is_red)
    figures = _figures(policy, schema)
    if refused:
        return Found(examined=examined, notes=told, figures=figures, refused=refused)
    leaves = copied_leaves(policy, eyes.rows(PIPELINE, "leaf_relations", {"schemas": list(policy.source.schemas)}))
    items = _items(policy, schema, leaves, limits)
    sizes = {"total_bytes": sum(x.total_bytes for x in leaves), "index_bytes": sum(x.index_bytes for x in leaves)}
    figures |= {
        **sizes,
        **_rows_of_tables(leaves),
        "chunks": sum(c.action == "mask_chunk" for c in items),
        "needed_bytes": items[0].needed_bytes,
    }
    return Found(examined=examined, candidates=items, left_alone=tuple(left_out_tables(policy)), notes=told, figures=figures)


def _findings(eyes: MaskingEyes, schema: Schema, limits: MaskingLimits) -> Iterator[Finding]:
    policy = eyes.policy
    refused = tuple(refusals(policy, schema.identity, eyes.copy_rows(PIPELINE, "copy_state")[0], eyes.facts))
    yield from refused
    yield from _may_change(eyes)
    yield from unconfirmed(policy)
    yield from drift(policy, schema, load_confirmed(policy.database))
    yield from unfit(policy, schema)
    yield from _of_the_copy(eyes, schema, is_allowed=not refused)
    yield from unselectable(policy, schema)
    yield from _composites(eyes)
    yield from _unruled(eyes, schema, limits.sample_rows)


def _may_change(eyes: MaskingEyes) -> Iterator[Finding]:
    """Rights of the reading account beyond reading, whatever its sessions say of themselves."""
    found: dict[str, list[str]] = defaultdict(list)
    for row in eyes.rows(PIPELINE, "rights_to_change", {"schemas": list(eyes.policy.source.schemas)}):
        place = object_name(row["schema_name"], row["name"]) if row["name"] else eyes.endpoint.user
        found[place].append(row["right"])
    for place, rights in found.items():
        yield finding("masking_source_may_be_changed", place, right=", ".join(rights))


def _of_the_copy(eyes: MaskingEyes, schema: Schema, *, is_allowed: bool) -> Iterator[Finding]:
    """What would stop the building or the delivery as the copy's database stands now: told before a night's work."""

    def ask(name: str, binds: Mapping[str, Any]) -> list[Row]:
        return eyes.copy_rows(PIPELINE, name, binds)

    yield from definition_findings(eyes.policy, schema, read_definitions(ask, ()))
    if is_allowed:  # asked of a target that may have a delivery
        yield from foreseen(ask, eyes.policy)


def unconfirmed(policy: MaskingPolicyFile) -> Iterator[Finding]:
    """Rules and tables that no reviewer stands behind."""
    for rule in policy.rules():
        if not rule.is_confirmed:
            yield finding("masking_unconfirmed", rule.place)
    for table, rules in policy.tables.items():
        if (rules.keep or rules.structure_only) and not (rules.reviewer and rules.reviewed):
            yield finding("masking_unconfirmed", table)


def _composites(eyes: MaskingEyes) -> Iterator[Finding]:
    """Row types: their bytes name types by numbers of their database, and what lies in their fields is not masked."""
    for row in eyes.rows(PIPELINE, "user_elements", {"schemas": list(eyes.policy.source.schemas)}):
        key = object_name(row["schema_name"], row["table_name"])
        rules = eyes.policy.tables.get(key)
        if row["is_composite"] and rules is not None and not rules.structure_only:
            yield finding("masking_composite_column", f"{key}.{row['column_name']}", type=row["type"])


def _unruled(eyes: MaskingEyes, schema: Schema, rows: int) -> Iterator[Finding]:
    """Kept columns whose values look sensitive all the same; counts only."""
    for key, table in schema.by_key.items():
        rules = eyes.policy.tables.get(key)
        kept = [c for c in table.columns if rules and c.name in rules.keep and not rules.structure_only]
        if not kept or table.kind == "foreign":
            continue
        names = tuple(c.name for c in kept)
        seen = eyes.asked("sample_rows", {"columns": Columns(names, "t"), "table": (table.schema_name, table.name), "rows": rows})
        samples = [ColumnSample(c.name, c.comment, c.type.name, [row[c.name] for row in seen]) for c in kept]
        yield from sensitive_among(table, samples, len(seen))


def sensitive_among(table: Table, samples: Sequence[ColumnSample], rows: int) -> Iterator[Finding]:
    for made in propose(samples):
        inside = sum(found.values for found in made.found_inside)
        if (made.sensitive and made.kind and made.confidence >= SURE) or inside:
            values: dict[str, Figure] = {"kind": made.kind or "", "rows": rows, "confidence": round(made.confidence, 2)}
            place = f"{table.key}.{made.column}"
            yield finding("masking_unruled_sensitive", place, is_certain=False, inside=inside, **values)


def note_of(told: Finding) -> LeftAlone:
    ref = ObjectRef(kind=ObjectKind.TABLE, owner="", name=told.place)
    return LeftAlone(object=ref, reason=told.code, evidence=told.values)


def left_out_tables(policy: MaskingPolicyFile) -> Iterator[LeftAlone]:
    """Tables that the copy has not, or has without rows, as the policy says."""
    for key in policy.left_out:
        yield LeftAlone(object=ObjectRef(kind=ObjectKind.TABLE, owner="", name=key), reason="masking_table_left_out")
    for key, rules in policy.tables.items():
        if rules.structure_only:
            yield LeftAlone(object=ObjectRef(kind=ObjectKind.TABLE, owner="", name=key), reason="masking_structure_only")


def policy_digest(policy: MaskingPolicyFile) -> str:
    """SHA-256 (hexadecimal) over everything that the policy says."""
    return hashlib.sha256(policy.model_dump_json(by_alias=True).encode()).hexdigest()


def _figures(policy: MaskingPolicyFile, schema: Schema) -> dict[str, Figure]:
    return {
        "schema_digest": schema_digest(schema),
        "policy_digest": policy_digest(policy),
        "source_identity": schema.identity,
        "target": policy.target,
        "epoch": policy.key.epoch,
        "tables": len(schema.tables),
    }


def copied_leaves(policy: MaskingPolicyFile, rows: Sequence[Row]) -> tuple[Leaf, ...]:
    """The relations whose rows are copied."""
    found = []
    for row in rows:
        rules = policy.tables.get(object_name(row["root_schema"], row["root_table"]))
        if rules is not None and not rules.structure_only:
            found.append(Leaf(**{name: row[name] for name in Leaf.model_fields}))
    return tuple(found)


def _rows_of_tables(leaves: Sequence[Leaf]) -> dict[str, Figure]:
    """Rows of each table by the server's own estimate, for the person who reads the plan; -1: not known."""
    found: dict[str, Figure] = {}
    for leaf in leaves:
        name = f"rows {object_name(leaf.root_schema, leaf.root_table)}"
        before = found.get(name, 0)
        unknown = leaf.estimated_rows < 0 or before == -1
        found[name] = -1 if unknown else int(before or 0) + leaf.estimated_rows
    return found


def _items(policy: MaskingPolicyFile, schema: Schema, leaves: Sequence[Leaf], limits: MaskingLimits) -> tuple[Candidate, ...]:
    """All items in the order in which they are worked; only together do they make a copy."""
    tables = [t for key, t in schema.by_key.items() if key in policy.tables]
    total, indexes = sum(x.total_bytes for x in leaves), sum(x.index_bytes for x in leaves)
    needed = round((total + indexes) * limits.copy_space_factor)
    most = max(1, (limits.max_items - OTHER_ITEMS) // 2)
    return (
        item_of("mask_tables", copy_ref(policy), 0, needed_bytes=needed),
        *chunks_of(leaves, limits.chunk_bytes, limits.streams, most),
        *finishes_of(tables, leaves, limits.chunk_bytes, most),
        item_of("mask_links", copy_ref(policy), total),
        item_of("mask_deliver", copy_ref(policy), 0),
        item_of("mask_destroy", copy_ref(policy), 0),
    )


def item_of(action: str, ref: ObjectRef, work_bytes: int, needed_bytes: int = 0) -> Candidate:
    sizes = {"size_bytes": work_bytes, "work_bytes": work_bytes, "freed_bytes": 0, "needed_bytes": needed_bytes}
    return Candidate(object=ref, action=action, reason=REASON, lock=LockKind.NONE, **sizes)


def copy_ref(policy: MaskingPolicyFile) -> ObjectRef:
    return ObjectRef(kind=ObjectKind.COPY, owner=policy.target, name=policy.database)
