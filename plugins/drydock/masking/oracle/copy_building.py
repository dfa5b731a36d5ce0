"""What a copy on Oracle is made of: tables, keys, indexes, comments, links, sequences; each list is what is missing.

Which definitions come along is said in `carried`; they keep the names of the source, all in one schema.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from drydock.engines.oracle_names import qualified
from drydock.engines.oracle_statements import Statement
from drydock.masking.kernel.work import works_of
from drydock.masking.oracle import copy_statements as st
from drydock.masking.oracle.carried import checks_of, indexes_of, keys_of, links_of, virtual_columns
from drydock.masking.oracle.expressions import default_there, sequence_of
from drydock.masking.oracle.numbering import Draw, Ends, draws_of, start_of
from drydock.masking.oracle.partitioning import NotDivided, divided, oracle_clause
from drydock.masking.oracle.piece_columns import piece_columns, piece_text
from drydock.masking.policies import schema as s
from drydock.masking.policies.policy import MaskingPolicyFile
from drydock.masking.postgres.holding import scrubbed

OF_IDENTITY = "ISEQ$$_"
"""Begins the name of a sequence that the server made for an identity column."""
_BY_SERVER = re.compile(r"SYS_C\d+\Z")


def as_made(schema: s.Schema) -> s.Schema:
    """The tables with the columns whose values their copies hold."""
    tables = (t.model_copy(update={"columns": tuple(c for c in t.columns if not c.generated)}) for t in schema.tables)
    return schema.model_copy(update={"tables": tuple(tables)})


def in_characters(schema: s.Schema, encoding: str) -> s.Schema:
    """The schema as a database of another character set can hold it: as many characters as there were bytes, since one character
    may take more bytes there (SQL Language Reference 19c, Character Data Types). The same schema for the same set."""
    if not encoding or schema.encoding == encoding:
        return schema
    tables = (t.model_copy(update={"columns": tuple(map(_in_characters, t.columns))}) for t in schema.tables)
    return schema.model_copy(update={"tables": tuple(tables)})


def _in_characters(column: s.Column) -> s.Column:
    kind = column.type
    if kind.family != "text" or kind.unit != "byte":
        return column
    wider = kind.model_copy(update={"name": kind.name.replace(" BYTE)", " CHAR)"), "unit": "char"})
    return column.model_copy(update={"type": wider})


def own_name(name: str) -> str:
    """The name that a thing has in the copy. One that the source's server made up may be that of another thing here: the server
    of the copy counts the same way, and its NOT NULL constraints have such names too."""
    return f"DRYDOCK_{name}" if _BY_SERVER.match(name) else name


@dataclass(frozen=True)
class Present:
    """What the account has by now: names of tables, indexes, constraints and sequences, and comments by table and column."""

    tables: frozenset[str]
    indexes: frozenset[str] = frozenset()
    constraints: frozenset[str] = frozenset()
    sequences: frozenset[str] = frozenset()


@dataclass(frozen=True)
class OracleBuild:
    """One copy in one account. `policy`, `schema`: of the source."""

    owner: str
    policy: MaskingPolicyFile
    schema: s.Schema

    @cached_property
    def tables(self) -> tuple[s.Table, ...]:
        """Those that the copy has, in the order in which their pieces are numbered."""
        return tuple(t for key, t in self.schema.by_key.items() if key in self.policy.tables)

    def piece_of(self, table: s.Table) -> str:
        """The table that its parts are loaded into first."""
        return f"{st.PIECE}{self.tables.index(table)}"

    def machinery(self, present: Present) -> Iterator[Statement]:
        for name, columns in st.MACHINERY.items():
            if name not in present.tables:
                yield st.create_table(self.owner, name, columns)

    def create(self, present: Present) -> Iterator[Statement]:
        """Empty tables, and for each a piece without NOT NULL."""
        for table in self.tables:
            if table.name not in present.tables:
                columns = st.columns_of(table, self._defaults(table), virtual_columns(table), self._identities)
                yield st.create_table(self.owner, table.name, columns, self._division(table))
            if self.piece_of(table) not in present.tables:
                columns = piece_text(piece_columns(works_of(self.policy, table)))
                yield st.create_table(self.owner, self.piece_of(table), columns)

    @cached_property
    def _identities(self) -> Mapping[tuple[str, str], s.Sequence]:
        """(key of a table, column) -> the source's sequence behind its identity."""
        return {(q.owner_table, q.owner_column): q for q in self.schema.sequences if q.is_identity}

    def _division(self, table: s.Table) -> str:
        """As the source's, without subpartitions; empty for a plain table, and for what cannot be read (`left_on_oracle`)."""
        try:
            return oracle_clause(table, divided(table)) if table.partitioning else ""
        except NotDivided:
            return ""

    def _defaults(self, table: s.Table) -> Mapping[str, str]:
        """Literals and words; what draws from a sequence is set by who writes rows there."""
        found = {}
        for column in table.columns:
            default = "" if sequence_of(column.default) else default_there(column.default, "oracle") if column.default else ""
            if default and not column.generated:
                found[column.name] = default
        return found

    def empty(self) -> Iterator[Statement]:
        """All rows out, for a new picture of the source."""
        for table in self.tables:
            yield st.empty_table(self.owner, table.name)

    def finish(self, table: s.Table, present: Present) -> Iterator[Statement]:
        """Keys, checks, indexes and comments of one table."""
        for key in keys_of(table):
            if (name := own_name(key.name)) not in present.constraints:
                word = "PRIMARY KEY" if key.is_primary else "UNIQUE"
                yield st.add_constraint(self.owner, table.name, name, f"{word} ({st.listed(key.columns)})")
        for check, condition in checks_of(table):
            if (name := own_name(check.name)) not in present.constraints:
                yield st.add_constraint(self.owner, table.name, name, f"CHECK ({condition})")
        for plain, names, unique in indexes_of(table):
            if (name := own_name(plain)) not in present.indexes:
                yield st.create_index(self.owner, table.name, name, names, unique=unique)
        there = virtual_columns(table)
        columns = [c for c in table.columns if not c.generated or c.name in there]
        for column, text in (("", table.comment), *((c.name, c.comment) for c in columns)):
            if wanted := scrubbed(text):
                yield st.comment_on(self.owner, table.name, column, wanted)

    def link(self, present: Present, ends: Callable[[Draw], Ends]) -> Iterator[Statement]:
        """Foreign keys between tables that have rows; sequences, and the columns that draw from them. `ends`: of a column in the
        copy; asked before the first sequence is made."""
        copied = {t.key: t for t in self.tables}
        for table in self.tables:
            for key, parent, _ in links_of(self.policy, copied, table):
                if parent is not None and (name := own_name(key.name)) not in present.constraints:
                    yield st.add_constraint(self.owner, table.name, name, self._link_text(key, parent))
        yield from self._sequences(present, ends)
        for table in self.tables:
            identity = next((c for c in table.columns if c.identity), None)
            if identity is not None:
                yield st.identity_past_rows(self.owner, table.name, identity, self._identities.get((table.key, identity.name)))

    def _link_text(self, key: s.ForeignKey, parent: s.Table) -> str:
        to = qualified(self.owner, parent.name)
        told = f"FOREIGN KEY ({st.listed(key.columns)}) REFERENCES {to} ({st.listed(key.parent_columns)})"
        told += f" {key.definition}" if key.definition in ("ON DELETE CASCADE", "ON DELETE SET NULL") else ""
        return f"{told}{' DEFERRABLE' * key.is_deferrable} ENABLE VALIDATE"

    def _sequences(self, present: Present, ends: Callable[[Draw], Ends]) -> Iterator[Statement]:
        draws = list(draws_of(self.policy, self.tables, self.schema.sequences))
        for one in self.schema.sequences:
            if not one.is_identity and one.name not in present.sequences:
                mine = [d for d in draws if d.sequence == one]
                numbers = [ends(d) for d in mine if d.column.type.family == "number" and not self._is_bare(d.table)]
                yield st.create_sequence(self.owner, one, start_of(one, numbers, is_masked=any(d.is_masked for d in mine)))
        for draw in draws:
            yield st.draw_from(self.owner, draw.table.name, draw.column.name, draw.sequence.name)

    def _is_bare(self, table: s.Table) -> bool:
        return self.policy.tables[table.key].structure_only

    def clear_pieces(self, present: Present) -> Iterator[Statement]:
        for name in sorted(present.tables):
            if name.startswith(st.PIECE):
                yield st.drop_table(self.owner, name)

    def drop_all(self, present: Present) -> Iterator[Statement]:
        """What an earlier copy left: its tables with their grants, its sequences."""
        for name in sorted(present.tables - set(st.MACHINERY)):
            yield st.drop_table(self.owner, name)
        for name in sorted(present.sequences):
            if not name.startswith(OF_IDENTITY):  # they go with their tables
                yield st.drop_sequence(self.owner, name)
