"""The sandbox's platforms in a real server: everything the YAML names is there, counted from the YAML."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import psycopg
import pytest
from psycopg import sql
from psycopg.rows import scalar_row
from sqlalchemy import URL

from sandbox import days
from sandbox.load import TIME_ZONE, day_changes, load_platform
from sandbox.tables import (
    PLATFORMS,
    SYNTHETIC,
    catalog,
    index_name,
    owner_name,
    partition_name,
    qualified,
    schema_name,
)

FIRST, LAST = date(2026, 10, 30), date(2026, 11, 12)
SCALE = 0.004
SEED = 5
PG_NAMES = {"timestamp(0)": "timestamp(0) without time zone", "timestamp(6)": "timestamp(6) without time zone"}


class Loaded:
    """One platform in a database of its own: where it is, what the load said, and a session to ask."""

    def __init__(self, platform: str, url: URL) -> None:
        self.platform, self.schema = platform, schema_name(platform)
        self.conninfo = psycopg.conninfo.make_conninfo(
            host=url.host, port=url.port, user=url.username, password=url.password, dbname=url.database
        )
        self.rows = load_platform(self.conninfo, platform, SCALE, SEED, FIRST, LAST)
        self.connection = psycopg.connect(self.conninfo, autocommit=True)

    def ask(self, question: str | sql.Composed, *values: object) -> list[tuple]:
        return self.connection.execute(question, values).fetchall()

    def count(self, relation: str) -> int:
        statement = sql.SQL("select count(*) from {}").format(qualified(self.platform, relation))
        with self.connection.cursor(row_factory=scalar_row) as cursor:
            return cursor.execute(statement).fetchone()


@pytest.fixture(scope="module", params=PLATFORMS)
def loaded(request: pytest.FixtureRequest, make_database: Callable[[str], URL]):
    platform = Loaded(request.param, make_database(f"sandbox_{schema_name(request.param)}"))
    yield platform
    platform.connection.close()


def test_tables_and_columns_are_those_of_the_yaml(loaded: Loaded) -> None:
    found = loaded.ask(
        """select c.relname, a.attname, format_type(a.atttypid, a.atttypmod), col_description(c.oid, a.attnum)
           from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0
           where c.relnamespace = %s::regnamespace and not c.relispartition and c.relkind in ('r', 'p')
           order by c.relname, a.attnum""",
        loaded.schema,
    )
    tables = sorted(catalog().of_platform(loaded.platform), key=lambda table: table.name)
    assert found == [(table.name, c.name, _pg_name(c.postgres_type), c.comment_zh) for table in tables for c in table.columns]


def _pg_name(postgres_type: str) -> str:
    name = PG_NAMES.get(postgres_type, postgres_type)
    return name.replace("varchar", "character varying").replace("char(", "character(") if "char" in name else name


def test_tables_carry_their_comment_owner_and_the_schema_says_that_rows_are_made_up(loaded: Loaded) -> None:
    found = loaded.ask(
        """select c.relname, obj_description(c.oid, 'pg_class'), pg_get_userbyid(c.relowner) from pg_class c
           where c.relnamespace = %s::regnamespace and not c.relispartition and c.relkind in ('r', 'p')""",
        loaded.schema,
    )
    owner = owner_name(loaded.platform)
    assert set(found) == {(table.name, table.comment_zh, owner) for table in catalog().of_platform(loaded.platform)}
    assert loaded.ask("select obj_description(%s::regnamespace, 'pg_namespace')", loaded.schema) == [(SYNTHETIC,)]
    assert loaded.ask("select rolcanlogin, rolsuper from pg_roles where rolname = %s", owner) == [(False, False)]


def test_partitions_cover_the_days_by_month_or_by_day(loaded: Loaded) -> None:
    kept = {FIRST + timedelta(days=n) for n in range((LAST - FIRST).days + 1)}
    for table in catalog().of_platform(loaded.platform):
        if table.partitioning is None:
            continue
        wanted = kept | (set(days.old_days(LAST)) if table.name == days.MESSAGE_LOG else set())
        found = loaded.ask(
            "select inhrelid::regclass::text from pg_inherits where inhparent = %s::regclass", f"{loaded.schema}.{table.name}"
        )
        assert {name.split(".")[1] for (name,) in found} == {partition_name(table, day) for day in wanted}
        key = loaded.ask("select pg_get_partkeydef(%s::regclass)", f"{loaded.schema}.{table.name}")
        assert key == [(f"RANGE ({table.partitioning.column})",)]


def test_keys_and_indexes_exist_widened_and_valid_on_every_partition(loaded: Loaded) -> None:
    found = loaded.ask(
        """select t.relname, i.relname, x.indisprimary, x.indisunique,
                  array(select attname::text from unnest(x.indkey) with ordinality k(n, o)
                        join pg_attribute a on a.attrelid = t.oid and a.attnum = k.n order by k.o)
           from pg_index x join pg_class i on i.oid = x.indexrelid join pg_class t on t.oid = x.indrelid
           where t.relnamespace = %s::regnamespace and not t.relispartition""",
        loaded.schema,
    )
    wanted = []
    for table in catalog().of_platform(loaded.platform):
        wanted.append((table.name, f"pk_{table.name}", True, True, list(table.widened(table.primary_key))))
        for index in table.indexes:
            columns = table.widened(index.columns) if index.unique else index.columns
            wanted.append((table.name, index_name(table, index), False, index.unique, list(columns)))
    assert sorted(found) == sorted(wanted)
    invalid = """select i.relname from pg_index x join pg_class i on i.oid = x.indexrelid
                 where i.relnamespace = %s::regnamespace and not x.indisvalid"""
    assert loaded.ask(invalid, loaded.schema) == []


def test_details_refer_to_their_heads_by_a_validated_foreign_key(loaded: Loaded) -> None:
    found = loaded.ask(
        """select conrelid::regclass::text, confrelid::regclass::text, bool_and(convalidated) from pg_constraint
           where contype = 'f' and connamespace = %s::regnamespace and conparentid = 0 group by 1, 2""",
        loaded.schema,
    )
    details = [table for table in catalog().of_platform(loaded.platform) if table.detail_of]
    assert set(found) == {(f"{loaded.schema}.{t.name}", f"{loaded.schema}.{t.detail_of}", True) for t in details}


def test_an_orphan_is_refused(loaded: Loaded) -> None:
    detail = next(table for table in catalog().of_platform(loaded.platform) if table.detail_of)
    delete = sql.SQL("delete from {}").format(qualified(loaded.platform, detail.detail_of))
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        loaded.connection.execute(delete)


def test_the_load_tells_the_rows_that_are_there(loaded: Loaded) -> None:
    assert loaded.rows == {table.name: loaded.count(table.name) for table in catalog().of_platform(loaded.platform)}
    assert min(loaded.rows.values()) > 0
    analysed = "select count(*) from pg_class where relnamespace = %s::regnamespace and relkind = 'p' and reltuples <= 0"
    assert loaded.ask(analysed, loaded.schema) == [(0,)]


def test_three_daily_partitions_are_empty_but_keep_their_size(loaded: Loaded) -> None:
    log = catalog().table(days.MESSAGE_LOG)
    for day in days.emptied_days(LAST):
        name = partition_name(log, day)
        loaded.connection.execute(sql.SQL("vacuum {}").format(qualified(loaded.platform, name)))
        assert loaded.count(name) == 0
        assert loaded.ask("select pg_relation_size(%s::regclass) > 0", f"{loaded.schema}.{name}") == [(True,)]


def test_the_database_lives_in_the_time_zone_of_the_platform(loaded: Loaded) -> None:
    assert loaded.ask("show timezone") == [(TIME_ZONE,)]


def test_days_add_rows_and_partitions_without_colliding(loaded: Loaded) -> None:
    before = {table.name: loaded.count(table.name) for table in catalog().of_platform(loaded.platform)}
    added = [day_changes(loaded.conninfo, loaded.platform, day, SEED, 300) for day in (LAST, LAST, date(2026, 12, 1))]
    after = {table.name: loaded.count(table.name) for table in catalog().of_platform(loaded.platform)}
    assert sum(after.values()) - sum(before.values()) == sum(added)
    assert all(200 < rows < 420 for rows in added)
    grown = {name for name in after if after[name] > before[name]}
    assert grown == set(after) - {"ent_corp_reg"}


def test_a_second_load_is_refused(loaded: Loaded) -> None:
    with pytest.raises(psycopg.errors.DuplicateSchema):
        load_platform(loaded.conninfo, loaded.platform, SCALE, SEED, FIRST, LAST)


def test_all_tables_and_columns_are_somewhere() -> None:
    somewhere = {table.name: table for platform in PLATFORMS for table in catalog().of_platform(platform)}
    assert len(somewhere) == 15
    assert sum(len(table.columns) for table in somewhere.values()) == 316
