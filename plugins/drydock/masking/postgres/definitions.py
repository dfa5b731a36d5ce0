"""Whether the definitions of a source can go into a copy: what cannot be built, what holds values, what no copy gets.

All is found before the run, at once. FAIL stops the run; WARN is told, and the copy is made without it. No finding holds a
literal or a name that holds a value.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from drydock.engines.postgres_statements import STORAGE_PARAMETERS
from drydock.engines.postgres_tokens import NoExpression, Sort, tokens
from drydock.masking.policies.fitness_scope import finding
from drydock.masking.policies.policy import MaskingPolicyFile
from drydock.masking.policies.schema import Schema, object_name
from drydock.masking.postgres import facts as f
from drydock.masking.postgres.holding import carried_value, held_values, scrubbed
from drydock.masking.postgres.retarget import references
from drydock.masking.postgres.scope import Scope, scope_of
from drydock.verdicts import Finding, Status, Verdict, judge

STAGING, OLD = "drydock_staging", "drydock_old"
SEEN_BY_THE_NET = (
    *("comment on ", "security label on ", "view ", "rule ", "policy ", "trigger ", "function ", "foreign server "),
    *("stored missing value of ", "gathered statistics of ", "setting of the database"),
)
"""Places that no definition of a source is looked at in, but the copy's database is (`verification/definitions.sql`)."""
NUMBERS = "N"  # pg_type.typcategory


class DefinitionRefused(Exception):
    """The definitions must not be built, delivered or destroyed as they are; the findings name why."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        super().__init__(", ".join(sorted({found.code for found in findings})))
        self.findings = tuple(findings)


def staging_names(schemas: Sequence[str], run_id: int) -> dict[str, str]:
    """Schema of the source -> schema in which its copy is made."""
    return {schema: f"{STAGING}_{run_id}_{number}" for number, schema in enumerate(schemas, 1)}


def judge_definitions(policy: MaskingPolicyFile, schema: Schema, copy: f.Definitions | None = None) -> Verdict:
    """The answer to "can the definitions be copied?"; `examined` counts tables, partitions, types and sequences."""
    scope = scope_of(policy, schema)
    examined = len(scope.tables) + len(scope.found.enums) + len(scope.found.domains) + len(scope.sequences)
    return judge("fit", examined, definition_findings(policy, schema, copy))


def definition_findings(policy: MaskingPolicyFile, schema: Schema, copy: f.Definitions | None = None) -> tuple[Finding, ...]:
    """Everything that is wrong or left out. `copy`: what its database has, to see whether its extensions are enough."""
    scope = scope_of(policy, schema)
    try:
        found = [*_unsupported(scope), *_references(scope, copy), *_held(scope), *_told(scope)]
    except NoExpression as e:
        found = [finding("masking_definition_unreadable", schema.database, why=str(e))]
    return tuple(found)


def refuse_if_wrong(findings: Sequence[Finding]) -> None:
    """Raises DefinitionRefused where a finding is more than told."""
    wrong = [found for found in findings if found.status is Status.FAIL]
    if wrong:
        raise DefinitionRefused(wrong)


def _unsupported(scope: Scope) -> Iterator[Finding]:
    for table in scope.tables:
        key = object_name(*table.name)
        if table.kind == "foreign":
            yield finding("masking_foreign_table", key)
        if table.is_inherited:
            yield finding("masking_inherited_table", key)
        if table.is_typed:
            yield finding("masking_definition_unsupported", key, what="typed_table")
        if table.name[0] not in scope.schemas:
            yield finding("masking_definition_out_of_scope", object_name(*table.root), what=object_name(table.name[0]))
        if table.division.startswith("HASH") and any(column.type in _enums(scope) for column in _key_columns(table)):
            yield finding("masking_definition_unsupported", key, what="hash_of_enum")


def _enums(scope: Scope) -> frozenset[str]:
    return frozenset(object_name(*enum.name) for enum in scope.found.enums)


def _key_columns(table: f.TableDef) -> list[f.ColumnDef]:
    """The columns that the partition key names."""
    words = {token.value for token in tokens(table.division) if token.sort is Sort.NAME}
    return [column for column in table.columns if column.name in words]


def expressions(scope: Scope) -> Iterator[tuple[str, str]]:
    """Every text of a definition that may name other things, and its place."""
    for table in scope.tables:
        key = object_name(*table.name)
        for column in table.columns:
            place = f"{key}.{column.name}"
            yield from ((place, text) for text in (column.type, column.default, column.collation) if text)
        yield from ((key, text) for text in (table.bound, table.division) if text)
    for constraint in scope.constraints:
        if constraint.kind != "foreign":
            yield f"{object_name(*constraint.table)} constraint {constraint.name}", constraint.definition
    for index in scope.indexes:
        yield f"{object_name(*index.table)} index {index.name}", index.body
    for statistics in scope.statistics:
        yield f"{object_name(*statistics.table)} statistics {statistics.name[1]}", statistics.body
    for domain in scope.found.domains:
        texts = (domain.base, domain.default, domain.collation, *(check.definition for check in domain.checks))
        yield from ((object_name(*domain.name), text) for text in texts if text)


def _references(scope: Scope, copy: f.Definitions | None) -> Iterator[Finding]:
    """What a definition needs and the copy will not have: functions, collations, things of other schemas, extensions."""
    told: set[tuple[str, str]] = set()
    for place, text in expressions(scope):
        for other in references(text):
            name = object_name(other.schema, other.name)
            plain = f"{other.schema}.{other.name}"
            extension = scope.found.of_extensions.get(plain)
            if other.schema in ("pg_catalog", "information_schema") or (place, name) in told:
                continue
            told.add((place, name))
            if extension is not None:
                missing = copy is not None and copy.of_extensions.get(plain) != extension
                yield from [finding("masking_extension_missing", place, extension=extension)] * missing
            elif other.is_called or (other.schema, other.name) not in scope.known:
                yield _missing(scope, place, other.schema, name, other.is_called)


def _missing(scope: Scope, place: str, schema: str, name: str, is_called: bool) -> Finding:
    if is_called:
        return finding("masking_definition_calls_function", place, function=name)
    if schema in scope.schemas:
        return finding("masking_definition_unsupported", place, what=name)
    return finding("masking_definition_out_of_scope", place, what=name)


def _held(scope: Scope) -> Iterator[Finding]:
    unused = {place for place in scope.policy.carried_over if not place.startswith(SEEN_BY_THE_NET)}
    for held in held_values(scope):
        unused.discard(held.place)
        if held.place not in scope.policy.carried_over:
            yield finding("masking_definition_holds_value", held.place, kinds=", ".join(held.kinds))
    for place in sorted(unused):  # the value went, or the place was never written so: it would excuse what comes there later
        yield finding("masking_exception_unused", place, is_certain=False)


def _told(scope: Scope) -> Iterator[Finding]:
    for left in scope.found.left:
        place = object_name(left.place) if left.place else ""
        yield finding("masking_not_copied", place, is_certain=False, what=left.what, count=left.count)
    for schema, count in _unknown_options(scope).items():
        what = "unknown_storage_parameter"
        yield finding("masking_not_copied", object_name(schema), is_certain=False, what=what, count=count)
    for constraint, why in links_left_out(scope):
        place = f"{object_name(*constraint.table)} constraint {constraint.name}"
        yield finding("masking_link_left_out", place, is_certain=False, why=why)
    for sequence in scope.sequences:
        if not sequence.is_readable:
            yield finding("masking_sequence_unread", object_name(*sequence.name), is_certain=False)
        elif starts_anew(scope, sequence):
            yield finding("masking_sequence_starts_anew", object_name(*sequence.name), is_certain=False)
    changed = sum(scrubbed(comment) != comment for comment in comments(scope))
    if changed:
        yield finding("masking_comments_scrubbed", scope.policy.database, is_certain=False, count=changed)


def known_options(options: Mapping[str, str]) -> dict[str, str]:
    """The storage parameters that PostgreSQL documents; builds of others write some of their own into the same place."""
    return {name: value for name, value in options.items() if STORAGE_PARAMETERS.fullmatch(name)}


def _unknown_options(scope: Scope) -> Counter[str]:
    """By schema, how many storage parameters of tables are none that is known: those of a table access method.

    Of columns nobody can set others than the documented ones; what else stands there the server's build wrote for itself.
    """
    found: Counter[str] = Counter()
    for table in scope.tables:
        found[table.name[0]] += len(table.options) - len(known_options(table.options))
    return +found


def links_left_out(scope: Scope) -> Iterator[tuple[f.ConstraintDef, str]]:
    """Foreign keys that the copy cannot have: their table is not in it, or is empty there."""
    for constraint in scope.constraints:
        if constraint.kind != "foreign" or constraint.other is None:
            continue
        if constraint.other not in scope.by_name:
            yield constraint, "parent_not_copied"
        elif scope.is_empty(constraint.other) and not scope.is_empty(constraint.table):
            yield constraint, "parent_empty"


def starts_anew(scope: Scope, sequence: f.SequenceDef) -> bool:
    """Its source's newest value is not carried, and no row of the copy says how far it must be."""
    uses = scope.uses_of(sequence)
    counts = any(column.family == NUMBERS for _, column in uses)
    return sequence.last_value is not None and carried_value(scope, sequence) is None and not counts


def comments(scope: Scope) -> Iterator[str]:
    """Every comment that goes into the copy."""
    found = scope.found
    yield from (s.comment for s in found.schemas)
    yield from (d.comment for d in (*found.enums, *found.domains, *scope.sequences))
    yield from (check.comment for domain in found.domains for check in domain.checks)
    for table in scope.tables:
        yield table.comment
        yield from (column.comment for column in table.columns)
    yield from (thing.comment for thing in (*scope.constraints, *scope.indexes, *scope.statistics))
