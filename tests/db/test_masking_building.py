"""A copy is built from definitions on a real server, killed anywhere, delivered by rename, and equal to its source."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, replace

import psycopg
import pytest
from psycopg import sql
from psycopg.rows import dict_row
from sqlalchemy import URL

from drydock.engines.postgres import Endpoint, fetch_rows
from drydock.engines.postgres_binaries import find_binaries
from drydock.engines.postgres_statements import Statement
from drydock.masking.postgres import facts as f
from drydock.masking.postgres.building import create_staging, empty_staging
from drydock.masking.postgres.definitions import DefinitionRefused, definition_findings, judge_definitions, staging_names
from drydock.masking.postgres.delivering import deliver, read_standing, undeliverable
from drydock.masking.postgres.destroying import destroy, read_remains, undestroyed
from drydock.masking.postgres.finishing import finish_table
from drydock.masking.postgres.linking import link_tables
from drydock.masking.postgres.reading import read_definitions
from drydock.masking.postgres_schema import Ask, read_postgres_schema
from drydock.masking.schema import Schema
from drydock.sqlfiles import sql_file
from drydock.verdicts import Finding, Status
from tests.db.masking_build_samples import LEFT, NOT_COPIED, REF, SOURCE, policy_for

Session = psycopg.Connection[dict]
RUN = 7
NAMES = staging_names(("decl", REF), RUN)


@pytest.fixture(scope="module")
def source(pg_server: Endpoint, make_database: Callable[[str], URL], superuser: psycopg.Connection) -> Iterator[Session]:
    """The source, as its superuser."""
    make_database("build_source")
    with psycopg.connect(**asdict(replace(pg_server, dbname="build_source")), autocommit=True, row_factory=dict_row) as c:
        c.execute(SOURCE)
        c.execute("CREATE ROLE build_reader LOGIN PASSWORD 'x'")
        c.execute("CREATE ROLE build_owner LOGIN PASSWORD 'x'")
        c.execute("CREATE ROLE build_tester LOGIN PASSWORD 'x'")
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
            with w.copy(sql.SQL("COPY {t} ({c}) FROM STDIN (FORMAT binary)").format(t=into, **{"c": parts["c"]})) as writing:
                for block in reading:
                    writing.write(block)


def build(source: Session, target: Session, schema: Schema, policy: object, stop_after: int | None = None) -> int:
    """The whole of the work. `stop_after`: so many statements of each list are sent, then it is cut off and begun anew."""
    sent = 0
    stages: list[Callable[[], tuple[Statement, ...]]] = [lambda: create_staging(policy, schema, NAMES, present(target))]
    stages += [lambda key=key: finish_table(policy, schema, NAMES, present(target), key) for key in policy.tables]
    stages += [lambda: link_tables(policy, schema, NAMES, present(target))]
    for number, stage in enumerate(stages):
        while stop_after is not None and len(left := stage()) > stop_after + SETTLED:
            sent += send(target, left[:stop_after])
        sent += send(target, stage())
        if number == 0:
            copied = {f"{s}" for s in policy.tables}
            copy_rows(source, target, schema, [t for t in schema.definitions.tables if key_of(t.root) in copied])
    return sent


SETTLED = 8  # what is sent again each time: ANALYZE, sequences


def key_of(name: f.Name) -> str:
    from drydock.masking.schema import object_name

    return object_name(*name)


def delivered(target: Session, policy: object, run: int = RUN, names: Mapping[str, str] = NAMES) -> int:
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
