"""What an account makes in its own schema: tables, keys, checks, indexes, sequences, comments, and grants all at once.

Only forms that the product writes: columns with type, default and NOT NULL; constraints added to a table that has its rows. A
check is kept and not evaluated. Sources: SQL Language Reference 19c, CREATE TABLE, ALTER TABLE, CREATE INDEX, CREATE SEQUENCE,
COMMENT, CREATE SCHEMA, DROP TABLE.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from sandbox.oracle.accounts_control import NAME, OBJECT, grantees, object_grants, plain
from sandbox.oracle.backend import Bind, OracleError, OraType, Result
from sandbox.oracle.ddl import owner_and_name, table_named
from sandbox.oracle.model import making
from sandbox.oracle.model.database import OracleDatabase, SessionState
from sandbox.oracle.model.real_rows import adopt_tables
from sandbox.oracle.model.storage import Storage, storage_of
from sandbox.oracle.model.stored import Constraint, Partitioning, StoredTable
from sandbox.oracle.model.stored import Sequence as StoredSequence
from sandbox.oracle.model.tables import Table, TableColumn, UniqueKey, tables_of
from sandbox.oracle.registry import statement
from sandbox.oracle.sql.dictionary import holds
from sandbox.oracle.sql.errors import missing_privilege, unsupported

Match = re.Match[str]
Binds = Sequence[Bind]
TYPE = r"(?P<type>[A-Z][A-Z0-9 ]*?)\s*(?:\((?P<sizes>[^)]*)\)(?P<after>[A-Z ]*?(?:\(\d+\))?)?)?"
COLUMN = re.compile(
    rf"\s*(?P<name>{NAME})\s+{TYPE}(?:\s+DEFAULT\s+(?P<default>.+?))?(?P<not_null>\s+NOT\s+NULL)?"
    r"(?P<identity>\s+GENERATED\s+BY\s+DEFAULT\s+AS\s+IDENTITY(?:\s*\((?P<steps>[^)]*)\))?)?\s*",
    re.IGNORECASE | re.DOTALL,
)
SIZED = (OraType.VARCHAR2, OraType.CHAR, OraType.RAW)
VIRTUAL = re.compile(
    rf"\s*(?P<name>{NAME})\s+GENERATED\s+ALWAYS\s+AS\s*\((?P<made>.+)\)\s+VIRTUAL(?P<not_null>\s+NOT\s+NULL)?\s*",
    re.IGNORECASE | re.DOTALL,
)
STEPS = re.compile(
    r"\s*INCREMENT\s+BY\s+(?P<step>-?\d+)\s+MINVALUE\s+(?P<least>-?\d+)\s+MAXVALUE\s+(?P<most>-?\d+)"
    r"\s+(?P<cycle>CYCLE|NOCYCLE)\s+(?:CACHE\s+(?P<cache>\d+)|NOCACHE)\s*",
    re.IGNORECASE,
)
NAMES = {t.value: t for t in OraType} | {"NVARCHAR2": OraType.VARCHAR2, "NCHAR": OraType.CHAR, "NCLOB": OraType.CLOB}


def own_schema(database: OracleDatabase, session: SessionState, text: str, privilege: str) -> tuple[str, str]:
    """(owner, name) of what is to be made; ORA-01031 in another's schema or without the privilege."""
    owner, name = owner_and_name(session, text)
    if owner != session.user or not holds(database, session.user, privilege):
        raise missing_privilege()
    return owner, name


def listed(text: str) -> Iterator[str]:
    """The parts between commas that stand in no bracket and in no quotes."""
    depth, start, quoted = 0, 0, ""
    for at, sign in enumerate(text):
        if quoted or sign in "'\"":
            quoted = "" if sign == quoted else quoted or sign
        elif sign in "()":
            depth += 1 if sign == "(" else -1
        elif sign == "," and depth == 0:
            yield text[start:at]
            start = at + 1
    yield text[start:]


def steps_of(text: str | None) -> dict[str, Any]:
    """Fields of a sequence; ORA-00922 where the options are not of the known form."""
    if not (text or "").strip():
        return {}
    match = STEPS.fullmatch(text or "")
    if match is None:
        raise OracleError(922, "missing or invalid option")
    figures = {"increment": int(match["step"]), "minimum": int(match["least"]), "maximum": int(match["most"])}
    return figures | {"cycles": match["cycle"].upper() == "CYCLE", "cache": int(match["cache"] or 0)}


def column_of(text: str) -> TableColumn:
    """A virtual column has no values here: what it is made of is kept and not evaluated."""
    if virtual := VIRTUAL.fullmatch(text):
        return TableColumn(plain(virtual["name"]), OraType.VARCHAR2)
    match = COLUMN.fullmatch(text)
    whole = re.sub(r"\(\d+\)", "", f"{match['type']}{match['after'] or ''}").upper() if match else ""
    kind = NAMES.get(" ".join(whole.split()))
    if match is None or kind is None:
        raise unsupported(f"the column {text[:80]}")
    sizes = [
        int(n) if n.strip().lstrip("-").isdigit() else 38
        for n in re.sub("[A-Za-z]", "", match["sizes"] or "").split(",")
        if n.strip()
    ]
    nullable = not (match["not_null"] or match["identity"])
    made = TableColumn(plain(match["name"]), kind, nullable=nullable, default=match["default"])
    if kind is OraType.NUMBER and sizes:
        return replace(made, precision=sizes[0], scale=sizes[1] if len(sizes) > 1 else 0)
    return replace(made, size=sizes[0]) if sizes and kind in SIZED else made


@statement(rf"CREATE\s+TABLE\s+(?P<table>{OBJECT})\s*(?P<columns>\(.+\))\s*")
def create_table(database: OracleDatabase, session: SessionState, match: Match, binds: Binds) -> Result:
    """ORA-00955 where something has the name."""
    owner, name = own_schema(database, session, match["table"], "CREATE TABLE")
    columns, division = bracketed(match["columns"])
    with database.lock:
        if tables_of(database).find(owner, name) is not None:
            raise OracleError(955, "name is already used by an existing object")
        made = [column_of(text) for text in listed(columns)]
        if division.strip():
            divide(storage_of(database), owner, name, made, division)
        tables_of(database).create(owner, name, made)
        adopt_tables(storage_of(database))
        for column, text in zip(made, listed(columns), strict=True):
            if virtual := VIRTUAL.fullmatch(text):
                add_virtual(storage_of(database).tables[owner, name], column.name, virtual["made"])
            elif (told := COLUMN.fullmatch(text))["identity"]:
                add_identity(storage_of(database), owner, name, column.name, steps_of(told["steps"]))
    return Result()


def add_virtual(table: StoredTable, name: str, made: str) -> None:
    """ORA-00904 where it is made of a column that the table has not."""
    used = re.findall(r'"([^"]+)"', made)
    if missing := next((c for c in used if c not in {known.name for known in table.columns}), None):
        raise OracleError(904, f'"{missing}": invalid identifier')
    table.roles["virtual"] = f"{name}={made}"


def add_identity(storage: Storage, owner: str, table: str, column: str, steps: dict[str, Any]) -> None:
    """The sequence that the server makes, named by a number of its own."""
    sequence = StoredSequence(owner, f"ISEQ$$_{storage.new_object_id()}", column=(table, column), **steps)
    storage.sequences.append(sequence)
    storage.touch()


MODIFIED = (
    rf"\(\s*(?P<column>{NAME})\s+GENERATED\s+(?P<generation>ALWAYS|BY\s+DEFAULT)\s+AS\s+IDENTITY"
    r"\s*\(\s*START\s+WITH\s+LIMIT\s+VALUE(?P<steps>[^)]*)\)\s*\)"
)


@statement(rf"ALTER\s+TABLE\s+(?P<table>{OBJECT})\s+MODIFY\s*{MODIFIED}\s*")
def identity_past_rows(database: OracleDatabase, session: SessionState, match: Match, binds: Binds) -> Result:
    """START WITH LIMIT VALUE: past the greatest value that is there. ORA-30673 where the column is no identity."""
    storage, table = table_named(database, session, match["table"])
    column = plain(match["column"])
    with database.lock:
        mine = [n for n, q in enumerate(storage.sequences) if q.owner == table.owner and q.column == (table.name, column)]
        if not mine:
            raise OracleError(30673, "column to be modified is not an identity column")
        real = real_of(table)
        values = [row[real.position(column)] for row in real.rows.values()]
        generation, steps = " ".join(match["generation"].upper().split()), steps_of(match["steps"])
        one = replace(storage.sequences[mine[0]], generation=generation, **steps)
        end = (max if one.increment > 0 else min)(values, default=0)
        storage.sequences[mine[0]] = replace(one, last_number=int(end) + one.increment)
        storage.touch()
    return Result()


@statement(
    rf"ALTER\s+TABLE\s+(?P<table>{OBJECT})\s+MODIFY\s*\(\s*(?P<column>{NAME})\s+DEFAULT\s+(?P<sequence>{OBJECT})\.NEXTVAL\s*\)\s*"
)
def draw_from(database: OracleDatabase, session: SessionState, match: Match, binds: Binds) -> Result:
    """ORA-02289 where there is no such sequence, ORA-00904 where there is no such column."""
    storage, table = table_named(database, session, match["table"])
    owner, name = owner_and_name(session, match["sequence"])
    column = plain(match["column"])
    with database.lock:
        if not any((q.owner, q.name) == (owner, name) for q in storage.sequences):
            raise OracleError(2289, "sequence does not exist")
        if column not in {c.name for c in table.columns}:
            raise OracleError(904, f'"{column}": invalid identifier')
        default = f'"{owner}"."{name}"."NEXTVAL"'
        table.columns = tuple(replace(c, default=default) if c.name == column else c for c in table.columns)
        storage.touch()
    return Result()


def bracketed(text: str) -> tuple[str, str]:
    """What stands in the first bracket, and what comes after it."""
    depth, quoted = 0, ""
    for at, sign in enumerate(text):
        if quoted or sign in "'\"":
            quoted = "" if sign == quoted else quoted or sign
        elif sign in "()":
            depth += 1 if sign == "(" else -1
            if depth == 0:
                return text[text.index("(") + 1 : at], text[at + 1 :]
    raise OracleError(907, "missing right parenthesis")


DIVISION = re.compile(r"\s*PARTITION\s+BY\s+(?P<kind>RANGE|LIST|HASH)\s*(?P<rest>\(.+)", re.IGNORECASE | re.DOTALL)
PART = re.compile(
    rf"\s*PARTITION\s+(?P<name>{NAME})(?:\s+VALUES\s+(?:LESS\s+THAN\s*)?(?P<values>\(.+\)))?\s*", re.IGNORECASE | re.DOTALL
)


def divide(storage: Storage, owner: str, name: str, columns: Sequence[TableColumn], text: str) -> None:
    """Storage of a table with partitions (SQL Language Reference 19c, table_partitioning_clauses); ORA-14020 and its kin are
    not told apart: a clause that is not of the known form is refused whole."""
    match = DIVISION.fullmatch(text)
    if match is None:
        raise unsupported(f"the division {text[:80]}")
    keys, rest = bracketed(match["rest"])
    interval = ""
    if rest.strip().upper().startswith("INTERVAL"):
        interval, rest = bracketed(rest)
    inside, after = bracketed(rest)
    parts = [PART.fullmatch(part) for part in listed(inside)]
    known = {column.name for column in columns}
    if after.strip() or not all(parts) or not set(columns_in(keys)) <= known:
        raise unsupported(f"the division {text[:80]}")
    how = Partitioning(match["kind"].upper(), columns_in(keys), interval=interval.strip())
    table = making.add_table(storage, owner, name, columns, partitioning=how)
    for part in parts:
        bound = bracketed(part["values"])[0].strip() if part["values"] else ""
        making.add_partition(storage, table, plain(part["name"]), bound)


@statement(rf"DROP\s+TABLE\s+(?P<table>{OBJECT})(?P<cascade>\s+CASCADE\s+CONSTRAINTS)?(?:\s+PURGE)?\s*")
def drop_table(database: OracleDatabase, session: SessionState, match: Match, binds: Binds) -> Result:
    """Its grants go with it, and with CASCADE CONSTRAINTS the foreign keys that refer to it."""
    storage, table = table_named(database, session, match["table"], "DROP ANY TABLE")
    with database.lock:
        keys = {(table.owner, c.name) for c in table.constraints if c.kind in "PU"}
        for other in storage.tables.values():
            other.constraints = [c for c in other.constraints if c.refers_to not in keys]
        for account in database.accounts.values():
            account.privileges = {p for p in account.privileges if not p.endswith(f" {table.owner}.{table.name}")}
        tables_of(database).drop(table.owner, table.name)
        storage.tables.pop((table.owner, table.name), None)
        storage.sequences[:] = [q for q in storage.sequences if (q.owner, (q.column or ("",))[0]) != (table.owner, table.name)]
        storage.touch()
    return Result()


ADDED = (
    r"(?P<kind>PRIMARY\s+KEY|UNIQUE|CHECK|FOREIGN\s+KEY)\s*\((?P<inside>.+?)\)"
    rf"(?:\s+REFERENCES\s+(?P<parent>{OBJECT})\s*\((?P<parents>[^)]*)\))?(?P<rest>(?:\s+[A-Z]+)*)"
)


@statement(rf"ALTER\s+TABLE\s+(?P<table>{OBJECT})\s+ADD\s+CONSTRAINT\s+(?P<name>{NAME})\s+{ADDED}\s*")
def add_constraint(database: OracleDatabase, session: SessionState, match: Match, binds: Binds) -> Result:
    """ORA-02264 for a name that is taken, ORA-02437, ORA-02299, ORA-02298 where the rows that are there break it."""
    storage, table = table_named(database, session, match["table"])
    name, kind = plain(match["name"]), match["kind"].upper()[0]
    with database.lock:
        if any(c.name == name for t in storage.tables.values() if t.owner == table.owner for c in t.constraints):
            raise OracleError(2264, "name already used by an existing constraint")
        if kind == "C":
            table.constraints.append(Constraint(name, "C", (), condition=match["inside"]))
        elif kind in "PU":
            add_key(storage, table, name, kind, columns_in(match["inside"]))
        else:
            add_link(storage, session, table, name, match)
        storage.touch()
    return Result()


def columns_in(text: str) -> tuple[str, ...]:
    return tuple(plain(part.strip()) for part in listed(text))


def add_key(storage: Storage, table: StoredTable, name: str, kind: str, columns: tuple[str, ...]) -> None:
    real = real_of(table)
    values = [tuple(row[real.position(c)] for c in columns) for row in real.rows.values()]
    whole = [v for v in values if kind == "P" or any(part is not None for part in v)]
    if len(set(whole)) < len(whole) or (kind == "P" and any(None in v for v in whole)):
        what = (
            ("2437", "cannot validate ({}) - primary key violated")
            if kind == "P"
            else ("2299", "cannot validate ({}) - duplicate keys found")
        )
        raise OracleError(int(what[0]), what[1].format(f"{table.owner}.{name}"))
    real.keys = (*real.keys, UniqueKey(name, columns, kind == "P"))
    making.add_key(storage, table, name, columns, kind)


def add_link(storage: Storage, session: SessionState, table: StoredTable, name: str, match: Match) -> None:
    parent = storage.table(*owner_and_name(session, match["parent"]))
    key = next((c for c in parent.constraints if c.kind in "PU" and c.columns == columns_in(match["parents"])), None)
    if key is None:
        raise OracleError(2270, "no matching unique or primary key for this column-list")
    own, other, columns = real_of(table), real_of(parent), columns_in(match["inside"])
    there = {tuple(row[other.position(c)] for c in key.columns) for row in other.rows.values()}
    used = {tuple(row[own.position(c)] for c in columns) for row in own.rows.values()}
    if any(None not in values and values not in there for values in used):
        raise OracleError(2298, f"cannot validate ({table.owner}.{name}) - parent keys not found")
    table.constraints.append(Constraint(name, "R", columns, refers_to=(parent.owner, key.name)))


def real_of(table: StoredTable) -> Table:
    if table.real is None:
        raise unsupported(f"a constraint on {table.name}, which has no rows of its own")
    return table.real


@statement(rf"CREATE\s+(?P<unique>UNIQUE\s+)?INDEX\s+(?P<index>{OBJECT})\s+ON\s+(?P<table>{OBJECT})\s*\((?P<columns>.+)\)\s*")
def create_index(database: OracleDatabase, session: SessionState, match: Match, binds: Binds) -> Result:
    """ORA-00955 where an index has the name."""
    storage, table = table_named(database, session, match["table"])
    _, name = own_schema(database, session, match["index"], "CREATE TABLE")
    with database.lock:
        if any(i.name == name for t in storage.tables.values() if t.owner == table.owner for i in t.indexes):
            raise OracleError(955, "name is already used by an existing object")
        columns = columns_in(match["columns"])
        if missing := next((c for c in columns if c not in {known.name for known in table.columns}), None):
            raise OracleError(904, f'"{missing}": invalid identifier')
        making.add_index(storage, table, name, columns, is_unique=bool(match["unique"]))
    return Result()


@statement(rf"CREATE\s+SEQUENCE\s+(?P<sequence>{OBJECT})\s+START\s+WITH\s+(?P<start>-?\d+)(?P<steps>\s+INCREMENT.+)")
def create_sequence(database: OracleDatabase, session: SessionState, match: Match, binds: Binds) -> Result:
    """ORA-00955 where a sequence has the name, ORA-04006 and ORA-04008 where it starts beyond its ends."""
    owner, name = own_schema(database, session, match["sequence"], "CREATE SEQUENCE")
    storage, start, steps = storage_of(database), int(match["start"]), steps_of(match["steps"])
    if start < steps["minimum"]:
        raise OracleError(4006, "START WITH cannot be less than MINVALUE")
    if start > steps["maximum"]:
        raise OracleError(4008, "START WITH cannot be more than MAXVALUE")
    with database.lock:
        if any((s.owner, s.name) == (owner, name) for s in storage.sequences):
            raise OracleError(955, "name is already used by an existing object")
        storage.sequences.append(StoredSequence(owner, name, last_number=start, **steps))
        storage.touch()
    return Result()


@statement(rf"DROP\s+SEQUENCE\s+(?P<sequence>{OBJECT})\s*")
def drop_sequence(database: OracleDatabase, session: SessionState, match: Match, binds: Binds) -> Result:
    """ORA-02289 where there is none."""
    owner, name = own_schema(database, session, match["sequence"], "CREATE SEQUENCE")
    storage = storage_of(database)
    with database.lock:
        if any((s.owner, s.name) == (owner, name) and s.column for s in storage.sequences):
            raise OracleError(32794, "cannot drop a system-generated sequence")
        left = [s for s in storage.sequences if (s.owner, s.name) != (owner, name)]
        if len(left) == len(storage.sequences):
            raise OracleError(2289, "sequence does not exist")
        storage.sequences[:] = left
        storage.touch()
    return Result()


@statement(rf"COMMENT\s+ON\s+(?P<what>TABLE|COLUMN)\s+(?P<thing>(?:{NAME}\.)*{NAME})\s+IS\s+'(?P<text>(?:[^']|'')*)'\s*")
def comment_on(database: OracleDatabase, session: SessionState, match: Match, binds: Binds) -> Result:
    parts = re.findall(NAME, match["thing"])
    is_column = match["what"].upper() == "COLUMN"
    storage, table = table_named(database, session, ".".join(parts[:-1] if is_column else parts))
    text = match["text"].replace("''", "'")
    with database.lock:
        if not is_column:
            table.comment = text
        else:
            column = plain(parts[-1])
            table.columns = tuple(replace(c, comment=text) if c.name == column else c for c in table.columns)
            if table.real is not None:
                table.real.columns = table.columns
        storage.touch()
    return Result()


@statement(rf"CREATE\s+SCHEMA\s+AUTHORIZATION\s+(?P<owner>{NAME})(?P<grants>(?:\s+GRANT\s+.+)+)")
def create_schema(database: OracleDatabase, session: SessionState, match: Match, binds: Binds) -> Result:
    """Grants all or none (ORA-02427 for another's schema)."""
    if plain(match["owner"]) != session.user:
        raise OracleError(2421, "missing or invalid schema authorization identifier")
    with database.lock:
        given = []
        for text in re.split(r"\s+GRANT\s+", match["grants"])[1:]:
            one = re.fullmatch(rf"(?P<privileges>[\w\s,]+?)\s+ON\s+(?P<object>{OBJECT})\s+TO\s+(?P<users>.+)", text.strip())
            if one is None:
                raise OracleError(2422, "missing or invalid schema element")
            wanted = object_grants(database, session, one["privileges"], one["object"])
            given += [(account, wanted) for account in grantees(database, one["users"])]
        for account, wanted in given:
            account.privileges |= wanted
    return Result()
