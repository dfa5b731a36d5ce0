"""Makes the schemas, types, sequences and empty tables of a copy: everything that must be there before rows come.

Keys, indexes, checks and links come after the rows (`finishing`, `linking`). `present` is what `reading.read_definitions` says
of the copy: what is there is not made again, so that the list can be asked for anew after a kill at any statement. Partitions
are made as tables of their own and then put into the table above, so that their columns keep the order they have in the source.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from drydock.engines.postgres_statements import Clauses, Definition, Part, Statement, Storage, Text, Word
from drydock.masking.policies.fitness_scope import finding
from drydock.masking.policies.policy import MaskingPolicyFile
from drydock.masking.policies.schema import Schema
from drydock.masking.postgres import facts as f
from drydock.masking.postgres.commenting import comments_before_rows
from drydock.masking.postgres.definitions import definition_findings, known_options, refuse_if_wrong
from drydock.masking.postgres.making import make
from drydock.masking.postgres.scope import Scope, scope_of

FIRST_WITH_NAMED_NOT_NULL = 180000
_IDENTITY = {"always": Word.ALWAYS, "by default": Word.BY_DEFAULT}
_GENERATED = {"stored": Word.STORED, "virtual": Word.VIRTUAL}


def create_staging(
    policy: MaskingPolicyFile, schema: Schema, names: Mapping[str, str], present: f.Definitions
) -> tuple[Statement, ...]:
    """All that is missing before rows can come. `names`: schema of the source -> schema of the copy.

    Raises DefinitionRefused where the definitions must not be copied, or a schema of that name is somebody else's.
    """
    refuse_if_wrong(definition_findings(policy, schema, present))
    taken = [s for s in present.schemas if s.name in names.values() and s.owner != present.role]
    refuse_if_wrong([finding("masking_copy_name_taken", s.name, owner=s.owner) for s in taken])
    scope = scope_of(policy, schema, names)
    return (
        *_schemas(scope, present),
        *_types(scope, present),
        *_sequences(scope, present),
        *_tables(scope, present),
        *_attachments(scope, present),
        *_identities(scope, present),
        *_owners(scope, present),
        *comments_before_rows(scope, present),
    )


def empty_staging(policy: MaskingPolicyFile, schema: Schema, names: Mapping[str, str]) -> tuple[Statement, ...]:
    """Takes all rows out of the copy, for a new picture of the source; all tables at once, whatever refers to what."""
    scope = scope_of(policy, schema, names)
    tables = tuple((scope.to(table.name),) for table in scope.roots)
    return (make("empty_tables", tables=Clauses(tables)),) if tables else ()


def _schemas(scope: Scope, present: f.Definitions) -> Iterator[Statement]:
    there = {schema.name: schema for schema in present.schemas}
    for schema in scope.schemas:
        name = scope.names[schema]
        if name not in there:
            yield make("create_staging_schema", schema=name)
        grantees = there[name].open_to if name in there else present.default_readers
        for grantee in grantees:
            yield make("close_schema", schema=name, grantee=Word.PUBLIC if grantee == "PUBLIC" else grantee)


def _types(scope: Scope, present: f.Definitions) -> Iterator[Statement]:
    enums = {enum.name for enum in present.enums}
    for enum in scope.found.enums:
        if scope.to(enum.name) not in enums:
            labels = Clauses(tuple((Text(label),) for label in enum.labels))
            name = scope.to(enum.name)
            yield make("create_enum", type=name, labels=labels) if enum.labels else make("create_empty_enum", type=name)
    there = {domain.name: domain for domain in present.domains}
    for domain in _lowest_first(scope.found.domains):
        name = scope.to(domain.name)
        if name not in there:
            yield make(
                "create_domain", domain=name, base=Definition(scope.text(domain.base)), options=_domain_options(scope, domain)
            )
        checks = {check.name for check in there[name].checks} if name in there else set()
        for check in domain.checks:
            if check.name not in checks:
                definition = Definition(scope.text(check.definition))
                yield make("add_domain_check", domain=name, name=check.name, definition=definition)


def _lowest_first(domains: tuple[f.DomainDef, ...]) -> list[f.DomainDef]:
    """A domain after the domain that it is made of."""
    by_name, done = {domain.name: domain for domain in domains}, dict[f.Name, f.DomainDef]()

    def add(domain: f.DomainDef) -> None:
        below = by_name.get(domain.below) if domain.below else None
        if below is not None and below.name not in done:
            add(below)
        done.setdefault(domain.name, domain)

    for domain in domains:
        add(domain)
    return list(done.values())


def _domain_options(scope: Scope, domain: f.DomainDef) -> Part:
    parts: list[Part] = []
    if domain.collation:
        parts += [Word.COLLATE, Definition(scope.text(domain.collation))]
    if domain.default:
        parts += [Word.DEFAULT, Definition(f"({scope.text(domain.default)})")]
    if domain.not_null:
        parts.append(Word.NOT_NULL)
    return _together(parts)


def _together(parts: list[Part]) -> Part:
    return Clauses((tuple(parts),)) if parts else Word.NONE


def _sequences(scope: Scope, present: f.Definitions) -> Iterator[Statement]:
    there = {sequence.name for sequence in present.sequences}
    for sequence in scope.sequences:
        if not sequence.is_identity and scope.to(sequence.name) not in there:
            kind = Definition(sequence.data_type)
            yield make("create_sequence", sequence=scope.to(sequence.name), type=kind, **_steps(sequence))


def _steps(sequence: f.SequenceDef) -> dict[str, Part]:
    """Figures of a sequence; a whole number of a statement has no sign, so they go as definitions."""
    figures = ("increment", "minimum", "maximum", "start", "cache")
    written: dict[str, Part] = {name: Definition(str(int(getattr(sequence, name)))) for name in figures}
    return {**written, "cycle": Word.CYCLE if sequence.cycles else Word.NO_CYCLE}


def _tables(scope: Scope, present: f.Definitions) -> Iterator[Statement]:
    there = present.by_name
    named = min(scope.found.version, present.version) >= FIRST_WITH_NAMED_NOT_NULL
    for table in scope.tables:
        name = scope.to(table.name)
        if name not in there:
            yield _table(scope, table, named)
        yield from _settings(scope, table, there.get(name))


def _table(scope: Scope, table: f.TableDef, named: bool) -> Statement:
    columns = [_column(scope, table, column, named) for column in table.columns]
    if named:
        columns += [(Word.CONSTRAINT, c.name, Definition(c.definition)) for c in _not_nulls(scope, table) if not is_unchecked(c)]
    rest: list[Part] = [Word.PARTITION_BY, Definition(scope.text(table.division))] if table.division else []
    rest += [Word.USING, table.method] if table.method else []
    unlogged = Word.UNLOGGED if table.is_unlogged else Word.NONE
    name = scope.to(table.name)
    if not columns:
        return make("create_bare_table", unlogged=unlogged, table=name, rest=_together(rest))
    return make("create_table", unlogged=unlogged, table=name, columns=Clauses(tuple(columns)), rest=_together(rest))


def _column(scope: Scope, table: f.TableDef, column: f.ColumnDef, named: bool) -> tuple[Part, ...]:
    parts: list[Part] = [column.name, Definition(scope.text(column.type))]
    if column.collation:
        parts += [Word.COLLATE, Definition(scope.text(column.collation))]
    if column.generated:
        parts += [Word.GENERATED, Definition(f"({scope.text(column.default)})"), _GENERATED[column.generated]]
    elif column.default:
        parts += [Word.DEFAULT, Definition(f"({scope.text(column.default)})")]
    if column.not_null and not (named and any(column.name in c.columns for c in _not_nulls(scope, table))):
        parts.append(Word.NOT_NULL)
    return tuple(parts)


def _not_nulls(scope: Scope, table: f.TableDef) -> list[f.ConstraintDef]:
    return [c for c in scope.constraints_of(table.name) if c.kind == "not_null"]


def is_unchecked(constraint: f.ConstraintDef) -> bool:
    """NOT VALID: rows from before may break it, so it is added after the rows came."""
    return constraint.definition.endswith(" NOT VALID")


def _settings(scope: Scope, table: f.TableDef, there: f.TableDef | None) -> Iterator[Statement]:
    """Storage, compression and statistics targets: before the rows, since rows are stored by them. In one statement."""
    before = {column.name: column for column in there.columns} if there else {}
    changes: list[tuple[Part, ...]] = []
    for column in table.columns:
        was = before.get(column.name) or f.ColumnDef(name=column.name, type=column.type)
        on: tuple[Part, ...] = (Word.ALTER_COLUMN, column.name)
        if column.storage and was.storage != column.storage:
            changes.append((*on, Word.SET_STORAGE, Word(column.storage)))
        if column.compression and was.compression != column.compression:
            changes.append((*on, Word.SET_COMPRESSION, column.compression))
        if column.target >= 0 and was.target != column.target:
            changes.append((*on, Word.SET_STATISTICS, column.target))
        if (wanted := known_options(column.options)) and known_options(was.options) != wanted:
            changes.append((*on, Word.SET, Clauses(((Storage(wanted),),), in_brackets=True)))
    wanted = known_options(table.options)
    if wanted and (there is None or known_options(there.options) != wanted):
        changes.append((Word.SET, Clauses(((Storage(wanted),),), in_brackets=True)))
    if changes:
        yield make("alter_staging_table", table=scope.to(table.name), changes=Clauses(tuple(changes)))


def _attachments(scope: Scope, present: f.Definitions) -> Iterator[Statement]:
    """Partitions into their tables while all are empty: nothing is read to prove their bounds."""
    for table in scope.tables:
        there = present.by_name.get(scope.to(table.name))
        if table.parent is not None and (there is None or there.parent is None):
            bound = Definition(scope.text(table.bound))
            yield make("attach_partition", parent=scope.to(table.parent), partition=scope.to(table.name), bound=bound)


def _identities(scope: Scope, present: f.Definitions) -> Iterator[Statement]:
    """Of the uppermost tables: partitions have them from there."""
    sequences = {(s.owner, s.owner_column): s for s in scope.sequences if s.is_identity}
    for table in scope.roots:
        there = present.by_name.get(scope.to(table.name))
        made = {column.name for column in there.columns if column.identity} if there else set()
        for column in table.columns:
            if column.identity and column.name not in made:
                sequence = sequences[table.name, column.name]
                parts = {"sequence": scope.to(sequence.name), "kind": _IDENTITY[column.identity], **_steps(sequence)}
                yield make("add_identity", table=scope.to(table.name), column=column.name, **parts)


def _owners(scope: Scope, present: f.Definitions) -> Iterator[Statement]:
    there = {sequence.name: sequence.owner for sequence in present.sequences}
    for sequence in scope.sequences:
        owner = sequence.owner if sequence.owner in scope.by_name else None
        if owner and not sequence.is_identity and there.get(scope.to(sequence.name)) is None:
            column = (*scope.to(owner), sequence.owner_column)
            yield make("own_sequence", sequence=scope.to(sequence.name), column=column)
