"""The ledger's shape: built from nothing, taken back, the same as the models say, with rights set again each time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import date

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import URL, Connection, inspect, text
from sqlalchemy.schema import CreateSchema

from drydock.ledger import record
from drydock.ledger.connect import ledger_engine, ledger_url_from
from drydock.ledger.migrate import COMPARED, LedgerRoleMissing, downgrade, migrate
from drydock.ledger.models import SCHEMA, Base

CONSTRAINTS = """
    SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
    WHERE connamespace = 'drydock'::regnamespace AND conrelid::regclass::text !~ 'alembic' ORDER BY 1, 2"""
INDEXES = "SELECT indexdef FROM pg_indexes WHERE schemaname = 'drydock' AND tablename !~ 'alembic' ORDER BY 1"
COLUMNS = """
    SELECT attrelid::regclass::text, attnum, attname, atttypid::regtype::text, attnotnull, attidentity,
           col_description(attrelid, attnum), pg_get_expr(adbin, adrelid), obj_description(attrelid)
    FROM pg_attribute JOIN pg_class c ON c.oid = attrelid LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
    WHERE relnamespace = 'drydock'::regnamespace AND relkind = 'r' AND relname !~ 'alembic' AND attnum > 0 ORDER BY 1, 2"""
RIGHTS = """
    SELECT grantee || ' ' || privilege_type, count(*) FROM information_schema.table_privileges
    WHERE table_schema = 'drydock' AND grantee ~ '^drydock' GROUP BY 1"""


@contextmanager
def opened(url: URL) -> Iterator[Connection]:
    engine = ledger_engine(url)
    with engine.begin() as connection:
        yield connection
    engine.dispose()


def rows(url: URL, query: str) -> list[tuple]:
    with opened(url) as connection:
        return [tuple(row) for row in connection.execute(text(query))]


def tables(url: URL) -> set[str]:
    with opened(url) as connection:
        return set(inspect(connection).get_table_names(SCHEMA))


def test_up_down_up(make_database: Callable[[str], URL]) -> None:
    url, ours = make_database("up_down_up"), {t.name for t in Base.metadata.tables.values()}
    migrate(url)
    assert tables(url) == ours | {"alembic_version"}
    downgrade(url)
    assert tables(url) == {"alembic_version"}
    migrate(url)
    migrate(url)
    assert tables(url) == ours | {"alembic_version"}


def test_the_migrated_ledger_is_what_the_models_say(make_database: Callable[[str], URL]) -> None:
    migrated, created = make_database("migrated"), make_database("created")
    migrate(migrated)
    with opened(created) as connection:
        connection.execute(CreateSchema(SCHEMA))
        Base.metadata.create_all(connection)
    with opened(migrated) as connection:
        assert compare_metadata(MigrationContext.configure(connection, opts=COMPARED), Base.metadata) == []
    for query in (CONSTRAINTS, INDEXES, COLUMNS):  # what autogenerate does not compare: checks, order, names
        assert rows(migrated, query) == rows(created, query)
    assert all(comment and table_comment for *_, comment, _default, table_comment in rows(migrated, COLUMNS))


def test_history_is_not_dropped_by_a_downgrade(make_database: Callable[[str], URL]) -> None:
    url = make_database("with_history")
    migrate(url)
    with opened(url) as connection:
        run_id = record.open_run(connection, "backup", "d", date(2026, 3, 8), "r1").run_id
    with pytest.raises(RuntimeError, match="holds history"):
        downgrade(url)
    with opened(url) as connection:
        record.add_event(connection, run_id, "planned")
    with pytest.raises(RuntimeError, match=r"run_events.*older shape"):
        downgrade(url, "0002_questions")
    with opened(url) as connection:
        record.add_event(connection, run_id, "collected")
    with pytest.raises(RuntimeError, match=r"run_events.*older shape"):
        downgrade(url, "0004_masking")
    assert rows(url, "SELECT database FROM drydock.runs") == [("d",)]


def test_each_migration_sets_the_rights_again(make_database: Callable[[str], URL]) -> None:
    url, number = make_database("rights"), len(Base.metadata.tables)
    migrate(url)
    with opened(url) as connection:
        connection.execute(text("GRANT ALL ON ALL TABLES IN SCHEMA drydock TO drydock_maintainer, drydock_reader"))
        connection.execute(text("REVOKE ALL ON drydock.alembic_version FROM drydock_maintainer, drydock_reader"))
    migrate(url)
    expected = {"drydock_maintainer SELECT", "drydock_maintainer INSERT", "drydock_reader SELECT"}
    assert dict(rows(url, RIGHTS)) == dict.fromkeys(expected, number)


def test_two_migrations_at_once_make_one_ledger(make_database: Callable[[str], URL]) -> None:
    url = make_database("two_at_once")
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(migrate, (url, url)))
    assert rows(url, "SELECT version_num FROM drydock.alembic_version") == [("0006_audit_traces",)]


def test_a_role_that_is_not_there_and_may_not_be_made_is_named(
    superuser: psycopg.Connection, make_database: Callable[[str], URL], make_login: Callable[[URL, str, str], URL]
) -> None:
    url = make_login(make_database("built"), "builder", "pg_monitor")
    superuser.execute("ALTER DATABASE built OWNER TO builder")
    with pytest.raises(LedgerRoleMissing, match="no_such_role"):
        migrate(url, "no_such_role")
    assert tables(url) == set()
    migrate(url, "pg_monitor", "pg_read_all_data")
    assert "runs" in tables(url)


def test_roles_of_any_name_are_created_without_login(make_database: Callable[[str], URL]) -> None:
    url, hostile = make_database("any_name"), 'rôle "x"; %s {y}'
    migrate(url, hostile, reader_role="pg_monitor")
    assert (hostile, False) in rows(url, "SELECT rolname, rolcanlogin FROM pg_roles")


def test_any_postgresql_url_will_do_and_no_password_is_told() -> None:
    for url in ("postgres://u:pw@h/d", "postgresql://u:pw@h/d", "postgresql+psycopg2://u:pw@h/d"):
        engine = ledger_engine(url)
        assert engine.url == ledger_url_from("h", None, "u", "pw", "d")
        assert "pw" not in repr(engine)
    with pytest.raises(ValueError, match="not 'sqlite'") as refused:
        ledger_engine("sqlite:////secret/place")
    assert "secret" not in str(refused.value)
