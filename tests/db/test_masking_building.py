"""A copy is built from definitions on a real server, killed anywhere, delivered by rename, and equal to its source."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, replace
from itertools import cycle

import psycopg
import pytest
from psycopg import sql
from psycopg.rows import dict_row
from sqlalchemy import URL

from drydock.engines.postgres import Endpoint, fetch_rows
from drydock.engines.postgres_binaries import find_binaries
from drydock.engines.postgres_statements import Statement
from drydock.masking.policies.policy import MaskingPolicyFile
from drydock.masking.policies.schema import Schema, object_name
from drydock.masking.postgres import facts as f
from drydock.masking.postgres.building import create_staging
from drydock.masking.postgres.definitions import DefinitionRefused, definition_findings, judge_definitions, staging_names
from drydock.masking.postgres.delivering import deliver, read_standing
from drydock.masking.postgres.finishing import finish_table
from drydock.masking.postgres.linking import link_tables
from drydock.masking.postgres.reading import read_definitions
from drydock.masking.postgres_schema import Ask, read_postgres_schema
from drydock.sqlfiles import sql_file
from drydock.verdicts import Finding, Status
from tests.db.masking_build_samples import LEFT, NOT_COPIED, REF, ROLES, SOURCE, policy_for

Session = psycopg.Connection[dict]
RUN = 7
NAMES = staging_names(("decl", REF), RUN)


@pytest.fixture(scope="module")
def source(pg_server: Endpoint, make_database: Callable[[str], URL], superuser: psycopg.Connection) -> Iterator[Session]:
    """The source, as its superuser."""
    make_database("build_source")
    with as_super(pg_server, "build_source") as c:
        c.execute(SOURCE)
        c.execute(ROLES)
        yield c


@pytest.fixture
def copy(
    pg_server: Endpoint, make_database: Callable[[str], URL], superuser: psycopg.Connection, source: Session
) -> Iterator[Session]:
    """An empty database for a copy, as the role that may make schemas in it and nothing else."""
    make_database("build_copy")
    superuser.execute("GRANT CREATE ON DATABASE build_copy TO build_owner")
    with as_role(pg_server, "build_owner") as c:
        yield c
    superuser.execute("DROP DATABASE build_copy WITH (FORCE)")


def as_role(server: Endpoint, role: str, dbname: str = "build_copy") -> Session:
    found = asdict(replace(server, dbname=dbname, user=role, password="x"))
    return psycopg.connect(**found, autocommit=True, row_factory=dict_row)


def as_super(server: Endpoint, dbname: str) -> Session:
    return psycopg.connect(**asdict(replace(server, dbname=dbname)), autocommit=True, row_factory=dict_row)


def asked(c: Session) -> Ask:
    return lambda name, binds: fetch_rows(c, sql_file("postgresql", "masking", name), binds)


def schema_of(c: Session, *schemas: str) -> Schema:
    return read_postgres_schema(asked(c), schemas or ("decl", REF))


def present(c: Session) -> f.Definitions:
    return read_definitions(asked(c), tuple(NAMES.values()))


def send(c: Session, statements: Iterable[Statement]) -> int:
    count = 0
    for one in statements:
        c.execute(one.text, one.binds or None)
        count += 1
    return count


def copy_rows(source: Session, target: Session, schema: Schema, tables: Iterable[f.TableDef]) -> None:
    """The rows of every leaf as they are: what masks them is tested elsewhere."""
    for table in tables:
        columns = [sql.Identifier(column.name) for column in table.columns if not column.generated]
        if table.kind != "table" or not columns:
            continue
        parts = {"c": sql.SQL(", ").join(columns), "s": sql.Identifier(*table.name)}
        into = sql.Identifier(NAMES[table.name[0]], table.name[1])
        out = sql.SQL("COPY {s} ({c}) TO STDOUT (FORMAT binary)").format(**parts)
        with source.cursor() as r, target.cursor() as w, r.copy(out) as reading:
            with w.copy(sql.SQL("COPY {t} ({c}) FROM STDIN (FORMAT binary)").format(t=into, c=parts["c"])) as writing:
                for block in reading:
                    writing.write(block)


def build(source: Session, target: Session, schema: Schema, policy: MaskingPolicyFile) -> None:
    """The whole of the work but the delivery."""
    send(target, create_staging(policy, schema, NAMES, present(target)))
    copy_rows(source, target, schema, [t for t in schema.definitions.tables if object_name(*t.root) in policy.tables])
    for key in policy.tables:
        send(target, finish_table(policy, schema, NAMES, present(target), key))
    send(target, link_tables(policy, schema, NAMES, present(target)))


ALWAYS = ("analyze_copy", "set_sequence", "raise_sequence")


def delivered(target: Session, policy: MaskingPolicyFile, run: int = RUN, names: Mapping[str, str] = NAMES) -> int:
    statements = deliver(policy, names, read_standing(asked(target), policy, names, run))
    with target.transaction():
        return send(target, statements)


def dumped(server: Endpoint, dbname: str) -> list[str]:
    """The statements of pg_dump, sorted: the order follows the ages of things."""
    url = f"postgresql://{server.user}@{server.host}:{server.port}/{dbname}"
    command = [find_binaries().bin_dir / "pg_dump", "-s", "-O", "-x", "-n", "decl", "-n", '"ref ""x"".资料"', url]
    text = subprocess.run(command, env={"PGPASSWORD": server.password}, capture_output=True, text=True, check=True).stdout
    lines = [line for line in text.splitlines() if line and not re.match(r"--|SET |SELECT pg_catalog|\\", line)]
    return sorted(statement.strip() for statement in re.split(r";\n", "\n".join(lines) + "\n"))


def codes(findings: Iterable[Finding]) -> set[str]:
    return {finding.code for finding in findings}


def test_a_healthy_source_has_nothing_to_be_told(source: Session) -> None:
    schema = schema_of(source)
    policy = policy_for(schema)
    assert definition_findings(policy, schema) == ()
    verdict = judge_definitions(policy, schema)
    assert verdict.status is Status.PASS and verdict.examined > 15
    assert source.execute("SHOW search_path").fetchone() == {"search_path": '"$user", public'}


def test_the_delivered_copy_is_what_its_source_is(pg_server: Endpoint, source: Session, copy: Session) -> None:
    schema = schema_of(source)
    policy = policy_for(schema)
    build(source, copy, schema, policy)
    delivered(copy, policy)
    assert dumped(pg_server, "build_copy") == dumped(pg_server, "build_source")
    assert copy.execute("SELECT count(*) AS n FROM decl.lines").fetchone() == {"n": 12}
    copy.execute("INSERT INTO decl.head (entry_no, port) VALUES ('after the rename', 'gz')")


def one_by_one(c: Session, stage: Callable[[], tuple[Statement, ...]]) -> int:
    """Attempts that are killed after one, three, five statements and ask anew; then once more, as after a lost outcome."""
    killed, sizes = 0, cycle((1, 3, 5))
    while missing := [s for s in stage() if s.file.name not in ALWAYS]:
        killed += send(c, missing[: next(sizes)])
    send(c, stage())
    return killed


def test_a_kill_after_any_statement_leaves_what_the_next_attempt_finishes(
    pg_server: Endpoint, source: Session, copy: Session
) -> None:
    schema = schema_of(source)
    policy = policy_for(schema)
    killed = one_by_one(copy, lambda: create_staging(policy, schema, NAMES, present(copy)))
    copy_rows(source, copy, schema, schema.definitions.tables)
    for key in policy.tables:
        killed += one_by_one(copy, lambda key=key: finish_table(policy, schema, NAMES, present(copy), key))
    killed += one_by_one(copy, lambda: link_tables(policy, schema, NAMES, present(copy)))
    assert killed > 80
    assert delivered(copy, policy) > 0
    assert delivered(copy, policy) == 0, "delivered once"
    assert dumped(pg_server, "build_copy") == dumped(pg_server, "build_source")


def test_what_no_copy_gets_is_told_and_the_rest_is_copied(pg_server: Endpoint, source: Session, copy: Session) -> None:
    with source.transaction(force_rollback=True):
        source.execute(NOT_COPIED)
        schema = schema_of(source)
        policy = policy_for(schema, "decl.scratch")
        found = definition_findings(policy, schema)
        told = {str(x.values["what"]) for x in found if x.code == "masking_not_copied"}
        build(source, copy, schema, policy)
    assert told == LEFT and {x.status for x in found} == {Status.WARN}
    assert codes(found) == {"masking_not_copied", "masking_link_left_out"}
    delivered(copy, policy)
    differ = set(dumped(pg_server, "build_copy")) ^ set(dumped(pg_server, "build_source"))
    assert {line.splitlines()[0] for line in differ} == {
        "CREATE TABLE decl.boxes (",
        "CREATE TABLE decl.boxes_0 (",
        "CREATE TABLE decl.boxes_1 (",
    }


REFUSED = [
    ("CREATE TABLE decl.old (a int); CREATE TABLE decl.young () INHERITS (decl.old)", "masking_inherited_table", "decl.old"),
    (
        "CREATE FOREIGN DATA WRAPPER none; CREATE SERVER far FOREIGN DATA WRAPPER none;"
        "CREATE FOREIGN TABLE decl.far (a int) SERVER far",
        "masking_foreign_table",
        "decl.far",
    ),
    (
        "CREATE FUNCTION decl.code() RETURNS text LANGUAGE sql AS 'SELECT 1::text';"
        "CREATE TABLE decl.t (a text DEFAULT decl.code())",
        "masking_definition_calls_function",
        "decl.t.a",
    ),
    (
        "CREATE FUNCTION decl.low(text) RETURNS text IMMUTABLE LANGUAGE sql AS 'SELECT lower($1)';"
        "CREATE TABLE decl.t (a text); CREATE INDEX by_low ON decl.t (decl.low(a))",
        "masking_definition_calls_function",
        "decl.t index by_low",
    ),
    (
        "CREATE FUNCTION decl.state(text) RETURNS text IMMUTABLE LANGUAGE sql AS 'SELECT $1';"
        "CREATE TABLE decl.t (a text CONSTRAINT named CHECK (decl.state(a) <> 'x'))",
        "masking_definition_calls_function",
        "decl.t constraint named",
    ),
    ("CREATE TYPE decl.pair AS (a int, b int); CREATE TABLE decl.t (a decl.pair)", "masking_definition_unsupported", "decl.t.a"),
    (
        "CREATE COLLATION decl.de (locale = 'C'); CREATE TABLE decl.t (a text COLLATE decl.de)",
        "masking_definition_unsupported",
        "decl.t.a",
    ),
    ("CREATE TYPE decl.pair AS (a int); CREATE TABLE decl.t OF decl.pair", "masking_definition_unsupported", "decl.t"),
    ("CREATE TABLE decl.t (a decl.state) PARTITION BY HASH (a)", "masking_definition_unsupported", "decl.t"),
    ("CREATE TYPE public.far AS ENUM ('a'); CREATE TABLE decl.t (a public.far)", "masking_definition_out_of_scope", "decl.t.a"),
    (
        "CREATE TABLE decl.t (a int) PARTITION BY LIST (a); CREATE TABLE public.t_1 PARTITION OF decl.t DEFAULT",
        "masking_definition_out_of_scope",
        "decl.t",
    ),
]


@pytest.mark.parametrize(("ddl", "code", "place"), REFUSED, ids=[f"{code}_{n}" for n, (_, code, _) in enumerate(REFUSED)])
def test_what_cannot_be_built_is_refused_before_the_run(source: Session, ddl: str, code: str, place: str) -> None:
    with source.transaction(force_rollback=True):
        source.execute(ddl)
        schema = schema_of(source)
    policy = policy_for(schema)
    found = {(x.code, x.place) for x in definition_findings(policy, schema) if x.status is Status.FAIL}
    assert (code, place) in found and codes(x for x in definition_findings(policy, schema) if x.status is Status.FAIL) == {code}
    with pytest.raises(DefinitionRefused, match=code):
        create_staging(policy, schema, NAMES, f.Definitions())
    left_out = policy_for(schema, *(key for key in schema.by_key if key.rpartition(".")[2] in ("t", "old", "young", "far")))
    assert {x.status for x in definition_findings(left_out, schema)} <= {Status.WARN}


def test_an_extension_that_the_copy_has_not_is_told(source: Session, copy: Session) -> None:
    schema = schema_of(source)
    kept = schema.definitions.tables[0]
    column = kept.columns[0].model_copy(update={"type": "public.citext"})
    tables = (kept.model_copy(update={"columns": (column,)}), *schema.definitions.tables[1:])
    definitions = schema.definitions.model_copy(update={"tables": tables, "of_extensions": {"public.citext": "citext"}})
    odd = schema.model_copy(update={"definitions": definitions})
    policy = policy_for(schema)
    assert definition_findings(policy, odd) == ()
    found = definition_findings(policy, odd, present(copy))
    assert [(x.code, x.values["extension"]) for x in found] == [("masking_extension_missing", "citext")]


def planted(source: Session, ddl: str, **fields: object) -> tuple[Schema, tuple[Finding, ...]]:
    with source.transaction(force_rollback=True):
        source.execute(ddl)
        schema = schema_of(source)
    return schema, definition_findings(policy_for(schema, **fields), schema)


PHONE, CN_ID, CARD = "13800138000", "11010519491231002X", "6222021234567890128"
WIDE = PHONE.translate({ord(str(n)): chr(0xFF10 + n) for n in range(10)})
PLANTED = [
    (f"ALTER TABLE decl.boxes ADD x text DEFAULT '{PHONE}'", "default of decl.boxes.x", "mobile"),
    (f"ALTER TABLE decl.boxes ADD x bigint DEFAULT {PHONE}", "default of decl.boxes.x", "mobile"),
    (f"ALTER TABLE decl.boxes ADD x text DEFAULT E'back\\slash {WIDE}'", "default of decl.boxes.x", "mobile"),
    ("ALTER TABLE decl.boxes ADD x text DEFAULT 'mail: Li.Si@Example.COM'", "default of decl.boxes.x", "email"),
    (f"ALTER TABLE decl.boxes ADD x bytea DEFAULT '{PHONE}'::bytea", "default of decl.boxes.x", "mobile"),
    (f"ALTER TABLE decl.boxes ADD x text[] DEFAULT ARRAY['a', '{CN_ID}']", "default of decl.boxes.x", "cn_id"),
    ('ALTER TABLE decl.boxes ADD x jsonb DEFAULT \'{"联系人": "王小明"}\'', "default of decl.boxes.x", "name"),
    (
        f"ALTER TABLE decl.boxes ADD x text GENERATED ALWAYS AS (box_no || '{CN_ID.lower()}') STORED",
        "default of decl.boxes.x",
        "cn_id",
    ),
    (f"CREATE TYPE decl.people AS ENUM ('a', '{CN_ID}')", "enum label of decl.people", "cn_id"),
    (f"CREATE DOMAIN decl.one AS text DEFAULT '{PHONE}'", "default of domain decl.one", "mobile"),
    (f"CREATE DOMAIN decl.one AS text CONSTRAINT not_he CHECK (VALUE <> '{PHONE}')", "constraint decl.not_he", "mobile"),
    (f"ALTER TABLE decl.boxes ADD CONSTRAINT not_he CHECK (box_no <> '{PHONE}')", "constraint decl.not_he", "mobile"),
    (
        "CREATE TABLE decl.boxes_9 PARTITION OF decl.lines FOR VALUES FROM ('2025-01-01') TO ('2025-02-01')"
        " PARTITION BY LIST (area);"
        f"CREATE TABLE decl.boxes_9_a PARTITION OF decl.boxes_9 FOR VALUES IN ('{CN_ID}')",
        "partition bound of decl.boxes_9_a",
        "cn_id",
    ),
    (f"CREATE INDEX his ON decl.boxes (box_no) WHERE box_no = '{PHONE}'", "index decl.his", "mobile"),
    (f"CREATE INDEX his ON decl.boxes ((box_no = '{PHONE}'))", "index decl.his", "mobile"),
    (f"CREATE INDEX his ON decl.head ((('{{\"a\": 1}}'::jsonb) ->> '{CN_ID}'))", "index decl.his", "cn_id"),
    (f"CREATE STATISTICS decl.his ON (box_no = '{PHONE}'), area FROM decl.boxes_0", "statistics object decl.his", "mobile"),
    (f"SELECT setval('decl.free_numbers', -900); CREATE SEQUENCE decl.s START {PHONE}", "sequence decl.s", "mobile"),
    (f"CREATE SEQUENCE decl.s; SELECT setval('decl.s', {PHONE})", "sequence decl.s", "mobile"),
    (f'CREATE TABLE decl."of {PHONE}" (a int)', "name of decl.#", "mobile"),
    (
        f"CREATE TABLE decl.boxes_p{PHONE} PARTITION OF decl.lines FOR VALUES FROM ('2025-01-01') TO ('2025-02-01')",
        "name of decl.#",
        "mobile",
    ),
    (f'ALTER TABLE decl.boxes ADD "{PHONE}" int', "name of decl.boxes.#", "mobile"),
    (f'CREATE INDEX "i{PHONE}" ON decl.boxes (box_no)', "index decl.#", "mobile"),
    (f"ALTER TABLE decl.boxes ADD x text DEFAULT '卡号 {CARD}'", "default of decl.boxes.x", "bank_card"),
]


@pytest.mark.parametrize(("ddl", "place", "kind"), PLANTED, ids=[f"{n}_{place}" for n, (_, place, _) in enumerate(PLANTED)])
def test_a_value_in_a_definition_is_found_and_never_shown(source: Session, ddl: str, place: str, kind: str) -> None:
    schema, found = planted(source, ddl)
    holding = [x for x in found if x.code == "masking_definition_holds_value"]
    assert any(x.place.startswith(place) and kind in str(x.values["kinds"]) for x in holding), [x.place for x in found]
    assert all(value not in str(x) for x in found for value in (PHONE, CN_ID, CN_ID.lower(), CARD, "王小明"))
    assert {x.code for x in found if x.status is Status.FAIL} == {"masking_definition_holds_value"}
    excepted = policy_for(schema, carried_over={x.place: "a made-up specimen" for x in holding})
    assert definition_findings(excepted, schema) == ()
    more = {**excepted.carried_over, "index decl.gone": "it was there once", "comment on table decl.head": "the net looks there"}
    told = definition_findings(excepted.model_copy(update={"carried_over": more}), schema)
    assert [(x.code, x.place, x.status) for x in told] == [("masking_exception_unused", "index decl.gone", Status.WARN)]
