"""The survey of a masked copy whose source is Oracle: what must hold before anything is copied, and in what pieces.

It asks what the survey of a PostgreSQL source asks, and what is Oracle's alone: whether the undo will last for one SCN,
whether policies of row security or redaction hide rows or values from the reader, whether ROWIDs name the rows of each table,
and what of names, types and definitions PostgreSQL cannot carry.
"""

from __future__ import annotations

from collections.abc import Iterator

from drydock.changing.hands import Row, SurveyContext
from drydock.engines.oracle_admission import version_of
from drydock.engines.oracle_work import told_apart
from drydock.estate import Engine
from drydock.masking.discovering.proposals import ColumnSample
from drydock.masking.oracle.carried import left_on_oracle, virtual_columns
from drydock.masking.oracle.dividing import division_of
from drydock.masking.oracle.expressions import literals_in
from drydock.masking.oracle.partitioning import NotDivided, Word, divided
from drydock.masking.oracle.picture import copied_tables, undo_finding
from drydock.masking.oracle.pieces import Extents, chunk_candidates, extents_by_segment
from drydock.masking.oracle.reading import FIRST_WITH_IDENTITY
from drydock.masking.oracle.rows import sample_question
from drydock.masking.oracle.sessions import PIPELINE, OracleMaskingEyes
from drydock.masking.oracle.translating import Translated
from drydock.masking.policies.confirmed import load_confirmed
from drydock.masking.policies.drift import drift
from drydock.masking.policies.fitness import unfit
from drydock.masking.policies.fitness_scope import finding
from drydock.masking.policies.schema import Schema, Table, object_name
from drydock.masking.policies.schema_digest import schema_digest
from drydock.masking.policies.subset import unselectable
from drydock.masking.postgres.chunks import finishes_of
from drydock.masking.postgres.definitions import definition_findings
from drydock.masking.postgres.delivering import foreseen
from drydock.masking.postgres.holding import kinds_in, kinds_in_name
from drydock.masking.postgres.reading import read_definitions
from drydock.masking.postgres.survey import (
    OTHER_ITEMS,
    copy_ref,
    item_of,
    left_out_tables,
    note_of,
    policy_digest,
    sensitive_among,
    unconfirmed,
)
from drydock.masking.postgres.targets_allowed import refusals
from drydock.masking.postgres_schema import NoSuchSchema
from drydock.plans import Candidate, Found
from drydock.policy import MaskingLimits
from drydock.verdicts import Figure, Finding

EXEMPT_ROWS, EXEMPT_VALUES = "EXEMPT ACCESS POLICY", "EXEMPT REDACTION POLICY"
FIRST_WITH_EXTERNAL = (12, 2)
"""From then on the dictionary tells it of a table."""
SAMPLED = ("text", "number", "json", "xml")
"""Families of columns whose values are looked at, where a person has kept them."""


def survey(eyes: OracleMaskingEyes, context: SurveyContext) -> Found:
    """Everything that must hold before anything is copied, and the items of the copy. Raises ChangeFailed."""
    policy, limits = eyes.policy, context.policy
    if not isinstance(limits, MaskingLimits):
        raise TypeError("masking has limits of its own")
    try:
        schema = eyes.source_schema()
    except NoSuchSchema:
        return Found(examined=0, refused=(finding("masking_schema_gone", ", ".join(policy.source.schemas)),))
    whole = Translated(schema, policy)
    found = tuple(_findings(eyes, whole, limits))
    examined = sum(len(table.columns) for table in schema.tables)
    told = tuple(note_of(f) for f in found if not f.status.is_red)
    figures: dict[str, Figure] = {
        "schema_digest": schema_digest(schema),
        "policy_digest": policy_digest(policy),
        "source_identity": schema.identity,
        "target": policy.target,
        "epoch": policy.key.epoch,
        "tables": len(schema.tables),
    }
    if refused := tuple(f for f in found if f.status.is_red):
        return Found(examined=examined, notes=told, figures=figures, refused=refused)
    tables = [(table, _extents(eyes, table)) for table in copied_tables(eyes, schema)]
    items = _items(whole, tables, limits, eyes.copy_engine)
    if short := undo_finding(eyes, eyes.facts.expected_s([c for c in items if c.action in ("mask_tables", "mask_chunk")])):
        return Found(examined=examined, notes=told, figures=figures, refused=(short,))
    figures |= _sizes(tables) | {
        "chunks": sum(c.action == "mask_chunk" for c in items),
        "needed_bytes": items[0].needed_bytes,
    }
    return Found(examined=examined, candidates=items, left_alone=tuple(left_out_tables(policy)), notes=told, figures=figures)


def _findings(eyes: OracleMaskingEyes, whole: Translated, limits: MaskingLimits) -> Iterator[Finding]:
    policy, schema = eyes.policy, whole.source
    refused = tuple(refusals(policy, schema.identity, eyes.copy_rows(PIPELINE, "copy_state")[0], eyes.facts, eyes.copy_engine))
    yield from refused
    yield from unconfirmed(policy)
    yield from drift(policy, schema, load_confirmed(policy.database))
    yield from unfit(policy, schema)
    yield from whole.findings(eyes.copy_engine)
    if eyes.copy_engine is Engine.ORACLE:
        yield from definition_findings(whole.policy, _left_as_on_oracle(whole))  # what stands in definitions, for any engine
        yield from _held_in_bounds(whole)
        yield from _held_in_virtual_columns(whole)
    else:
        present = read_definitions(lambda name, binds: eyes.copy_rows(PIPELINE, name, binds), ())
        yield from definition_findings(whole.policy, whole.schema, present)
    if not refused and eyes.copy_engine is Engine.POSTGRESQL:  # asked of a target that may have a delivery
        yield from foreseen(lambda name, binds: eyes.copy_rows(PIPELINE, name, binds), whole.policy)
    yield from unselectable(policy, schema)
    yield from _without_rowids(eyes, schema)
    yield from _hidden(eyes, schema)
    yield from _writable(eyes, schema)
    for table in copied_tables(eyes, schema):
        yield from _unruled(eyes, table, limits.sample_rows)


def _left_as_on_oracle(whole: Translated) -> Schema:
    """The definitions with what an Oracle copy is made without, in place of what PostgreSQL would be."""
    left = tuple(left_on_oracle(whole.source_policy, whole.source))
    definitions = whole.schema.definitions.model_copy(update={"left": left})
    return whole.schema.model_copy(update={"definitions": definitions})


def _held_in_bounds(whole: Translated) -> Iterator[Finding]:
    """Partitions that an Oracle copy gets and a PostgreSQL one would not: what kinds stand in their names and bounds."""
    policy = whole.source_policy
    for key in policy.tables:
        table = whole.source.by_key.get(key)
        if table is None or table.partitioning is None or division_of(table).how is not None:
            continue
        try:
            how = divided(table)
        except NotDivided:
            continue
        kinds = {rule.kind for name in how.columns if (rule := policy.changes(key, name)) and rule.kind}
        for number, part in enumerate(how.parts, 1):
            texts = [str(value) for value in part.values if not isinstance(value, Word)]
            held = kinds_in_name(part.name) | {kind for text in texts for kind in kinds_in(text, tuple(kinds))}
            place = f"partition bound of {key} #{number}"
            if held and place not in policy.carried_over:
                yield finding("masking_definition_holds_value", place, kinds=", ".join(sorted(held)))


def _held_in_virtual_columns(whole: Translated) -> Iterator[Finding]:
    """Literals that virtual columns of an Oracle copy are made of: what kinds stand in them."""
    policy = whole.source_policy
    for key in policy.tables:
        table = whole.source.by_key.get(key)
        for name, text in virtual_columns(table).items() if table else ():
            kinds = {rule.kind for column in table.by_name if (rule := policy.changes(key, column)) and rule.kind}  # type: ignore[union-attr]
            held = {kind for literal in literals_in(text) for kind in kinds_in(literal, tuple(kinds))}
            place = f"{key}.{name}"
            if held and place not in policy.carried_over:
                yield finding("masking_definition_holds_value", place, kinds=", ".join(sorted(held)))


def _without_rowids(eyes: OracleMaskingEyes, schema: Schema) -> Iterator[Finding]:
    """Tables whose rows lie in an index, beside those of others, or in files: ranges of ROWID do not name them."""
    copied = {t.key for t in copied_tables(eyes, schema)}
    for owner in schema.schemas:
        rows = eyes.rows(PIPELINE, "tables", {"owner": owner})
        odd = {row["name"]: row["iot_type"] or (row["cluster_name"] and "CLUSTER") for row in rows}
        if version_of(schema.version) >= FIRST_WITH_EXTERNAL:
            odd |= {row["name"]: "EXTERNAL" for row in eyes.rows(PIPELINE, "external_tables", {"owner": owner})}
        for name, what in odd.items():
            if what and (key := object_name(owner, name)) in copied:
                yield finding("masking_rows_without_rowid", key, what=what)


def _hidden(eyes: OracleMaskingEyes, schema: Schema) -> Iterator[Finding]:
    """Tables of which the reader is not shown all rows, or other values than stand there: the copy would look fine."""
    exempt = {row["privilege"] for row in eyes.rows(PIPELINE, "exemptions")}
    questions = {"row_policies": EXEMPT_ROWS}
    if version_of(schema.version) >= FIRST_WITH_IDENTITY:
        questions["redaction_policies"] = EXEMPT_VALUES
    copied = {(t.schema_name, t.name): t.key for t in copied_tables(eyes, schema)}
    for owner in schema.schemas:
        for question in (q for q, needed in questions.items() if needed not in exempt):
            for name in sorted({row["name"] for row in eyes.rows(PIPELINE, question, {"owner": owner})}):
                if (owner, name) in copied:
                    yield finding("masking_reader_not_exempt", copied[owner, name], needed=questions[question])


def _writable(eyes: OracleMaskingEyes, schema: Schema) -> Iterator[Finding]:
    """What the reading account could change: it must be able to read alone, whatever the code that uses it does."""
    reader = str(eyes.session.connection.username).upper()
    for owner in schema.schemas:
        if owner == reader:
            yield finding("masking_source_may_be_changed", owner, right="owner")
        rights = {(row["name"], row["privilege"]) for row in eyes.rows(PIPELINE, "write_rights", {"owner": owner})}
        for name, right in sorted(rights, key=str):
            yield finding("masking_source_may_be_changed", object_name(owner, name) if name else owner, right=right)


def _unruled(eyes: OracleMaskingEyes, table: Table, most: int) -> Iterator[Finding]:
    """Kept columns whose values look sensitive all the same; counts only. Raises ChangeFailed."""
    rules = eyes.policy.tables[table.key]
    kept = [c for c in table.columns if c.name in rules.keep and c.type.family in SAMPLED]
    if not kept:
        return
    question = sample_question(table.schema_name, table.name, [c.name for c in kept])
    with told_apart(), eyes.session.connection.cursor() as cursor:
        rows = cursor.execute(question, {"most": most}, fetch_lobs=False, fetch_decimals=True).fetchall()
    samples = [ColumnSample(c.name, c.comment, c.type.name, [row[n] for row in rows]) for n, c in enumerate(kept)]
    yield from sensitive_among(table, samples, len(rows))


def _extents(eyes: OracleMaskingEyes, table: Table) -> Extents:
    rows: list[Row] = eyes.rows(PIPELINE, "extents", {"owner": table.schema_name, "name": table.name})
    return extents_by_segment(table, rows)


def bytes_of(extents: Extents) -> int:
    return sum(int(row["bytes"]) for rows in extents.values() for row in rows)


def _items(
    whole: Translated, tables: list[tuple[Table, Extents]], limits: MaskingLimits, engine: Engine
) -> tuple[Candidate, ...]:
    """All items in the order in which they are worked; chunks by names of the source, all others by those of the copy."""
    policy, made = (whole.source_policy, whole.source) if engine is Engine.ORACLE else (whole.policy, whole.schema)
    total = sum(bytes_of(extents) for _, extents in tables)
    most = max(1, (limits.max_items - OTHER_ITEMS) // 2)
    return (
        item_of("mask_tables", copy_ref(policy), 0, needed_bytes=round(total * limits.copy_space_factor)),
        *chunk_candidates(tables, limits.chunk_bytes, most),
        *finishes_of([t for key, t in made.by_key.items() if key in policy.tables], (), limits.chunk_bytes, most),
        item_of("mask_links", copy_ref(policy), total),
        item_of("mask_deliver", copy_ref(policy), 0),
        item_of("mask_destroy", copy_ref(policy), 0),
    )


def _sizes(tables: list[tuple[Table, Extents]]) -> dict[str, Figure]:
    rows = {f"rows {t.key}": t.estimated_rows for t, _ in tables}
    return {"total_bytes": sum(bytes_of(extents) for _, extents in tables), "index_bytes": 0, **rows}
