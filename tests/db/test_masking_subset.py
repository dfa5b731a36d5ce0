"""Subsets on a real server: what the conditions choose is what a slow reader chooses by hand, and every join stays whole."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from datetime import date

import psycopg
import pytest
from psycopg import sql
from psycopg.rows import dict_row
from sqlalchemy import URL

from drydock.engines.postgres import Endpoint, fetch_rows
from drydock.estate import Engine as DatabaseEngine
from drydock.masking.policies import subset
from drydock.masking.policies.policy import Join, MaskingPolicyFile, SubsetRule, TableRules
from drydock.masking.policies.schema import Schema, object_name
from drydock.masking.policies.subset import Unselectable, selections, unselectable
from drydock.masking.postgres_schema import read_postgres_schema
from drydock.sqlfiles import sql_file
from tests.unit.masking_policy_samples import a_policy

SCHEMA = 'odd "one"; DROP'
ROWS, TODAY, SEED = 40, date(2026, 11, 22), 77
Edges = dict[str, list[tuple[str, str]]]
"""child -> (column, parent)"""


@pytest.fixture(scope="module")
def session(make_database: Callable[[str], URL], pg_server: Endpoint) -> Iterator[psycopg.Connection]:
    make_database("masking_subset")
    with psycopg.connect(**{**asdict(pg_server), "dbname": "masking_subset"}, autocommit=True) as connection:
        yield connection


def random_edges(rng: random.Random, *, round_and_round: bool = False) -> Edges:
    """Tables t0 … t5; each refers to some before it, one in three to itself; or to any, and to itself by up to two keys."""
    edges: Edges = {}
    for n in range(6):
        parents = rng.sample(range(6 if round_and_round else n), k=min(n, rng.randint(0, 2)))
        parents += [n] * (rng.randint(0, 2) if round_and_round else rng.random() < 0.34)
        edges[f"t'{n}"] = [(f'ref "{place}.{p}"', f"t'{p}") for place, p in enumerate(parents)]
    return edges


def build(session: psycopg.Connection, edges: Edges, rng: random.Random) -> dict[str, dict[int, dict[str, int | None]]]:
    """Make and fill the tables, then tie them; returns the rows by table and id. One reference in five is NULL."""
    here = sql.Identifier(SCHEMA)
    session.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(here))
    session.execute(sql.SQL("CREATE SCHEMA {}").format(here))
    data: dict[str, dict[int, dict[str, int | None]]] = {}
    for table, references in edges.items():
        columns = [sql.SQL(", {} int").format(sql.Identifier(c)) for c, _ in references]
        into = sql.SQL("{}.{}").format(here, sql.Identifier(table))
        session.execute(sql.SQL("CREATE TABLE {} (id int PRIMARY KEY, on_day date{})").format(into, sql.SQL("").join(columns)))
        data[table] = {
            n: {c: None if rng.random() < 0.2 or (p == table and n == 0) else _parent(rng, p == table, n) for c, p in references}
            for n in range(ROWS)
        }
        rows = ([n, date(2026, 11, 1 + n % 20), *row.values()] for n, row in data[table].items())
        values = sql.SQL(", ").join(sql.SQL("({})").format(sql.SQL(", ").join(map(sql.Literal, row))) for row in rows)
        session.execute(sql.SQL("INSERT INTO {} VALUES {}").format(into, values))
    for table, references in edges.items():
        for column, parent in references:
            tie = sql.SQL("ALTER TABLE {0}.{1} ADD FOREIGN KEY ({2}) REFERENCES {0}.{3}")
            session.execute(tie.format(here, *map(sql.Identifier, (table, column, parent))))
    return data


def _parent(rng: random.Random, of_itself: bool, n: int) -> int:
    return rng.randrange(n) if of_itself else rng.randrange(ROWS)


def by_hand(edges: Edges, data: dict[str, dict[int, dict[str, int | None]]], seeds: dict[str, set[int]]) -> dict[str, set[int]]:
    """The same choice, row by row: starts go down to those that refer, then everything referred to comes along."""
    ties = [(t, c, p) for t, references in edges.items() for c, p in references]
    restricted, chosen = set(seeds), {t: set(seeds.get(t, ())) for t in edges}
    while more := {t for t, _, p in ties if p in restricted} - restricted:
        restricted |= more
    for table in edges.keys() - restricted:
        chosen[table] = set(data[table])
    is_new = True
    while is_new:
        before = {t: set(ids) for t, ids in chosen.items()}
        for t, c, p in ties:
            if t not in seeds and p in restricted and p != t:
                chosen[t] |= {n for n, row in data[t].items() if row[c] in chosen[p]}
        is_new = chosen != before
    is_new = True
    while is_new:
        before = {t: set(ids) for t, ids in chosen.items()}
        for t, c, p in ties:
            if t in restricted and p in restricted:
                chosen[p] |= {r for n in chosen[t] if (r := data[t][n][c]) is not None}
        is_new = chosen != before
    return chosen


def the_schema(session: psycopg.Connection) -> Schema:
    with session.cursor(row_factory=dict_row) as reader:

        def ask(name: str, binds: Mapping[str, object] | None = None) -> list[dict[str, object]]:
            return fetch_rows(reader, sql_file("postgresql", "masking", name), binds)  # type: ignore[arg-type]

        return read_postgres_schema(ask, [SCHEMA])


def the_policy(schema: Schema, *rules: SubsetRule) -> MaskingPolicyFile:
    tables = {table.key: TableRules() for table in schema.tables}
    return a_policy().model_copy(update={"tables": tables, "joins": (), "subset": rules})


def chosen_ids(session: psycopg.Connection, schema: Schema, policy: MaskingPolicyFile, seed: int = SEED) -> dict[str, set[int]]:
    found = {}
    for key, selection in selections(policy, schema, TODAY, seed).items():
        table = schema.by_key[key]
        question = sql.SQL("SELECT t.id FROM {}.{} t").format(sql.Identifier(SCHEMA), sql.Identifier(table.name))
        question += sql.SQL(" WHERE " + selection.where) if selection.where else sql.SQL("")
        found[table.name] = {row[0] for row in session.execute(question)}
    return found


@pytest.mark.parametrize("number", range(16))
def test_conditions_choose_what_a_slow_reader_chooses(session: psycopg.Connection, number: int) -> None:
    """Half of the worlds go round: tables refer to each other in circles, and to themselves by several keys."""
    rng = random.Random(number)
    edges = random_edges(rng, round_and_round=number % 2 == 1)
    data = build(session, edges, rng)
    schema = the_schema(session)
    wanted = {t: set(rng.sample(range(ROWS), 4)) for t in rng.sample(list(edges), k=rng.randint(1, 2))}
    rules = [SubsetRule(table=object_name(SCHEMA, t), by="rows", column="id", values=tuple(ids)) for t, ids in wanted.items()]

    found = chosen_ids(session, schema, the_policy(schema, *rules))

    assert found == by_hand(edges, data, wanted)
    for table, references in edges.items():
        for column, parent in references:
            assert {r for n in found[table] if (r := data[table][n][column]) is not None} <= found[parent]


def test_dates_and_draws_start_a_subset(session: psycopg.Connection) -> None:
    rng = random.Random(1)
    edges: Edges = {"t'0": [], "t'1": [('ref "0"', "t'0")]}
    build(session, edges, rng)
    schema = the_schema(session)
    key = object_name(SCHEMA, "t'0")
    by_days = SubsetRule(table=key, by="dates", column="on_day", newest_days=5)
    assert chosen_ids(session, schema, the_policy(schema, by_days))["t'0"] == {n for n in range(ROWS) if 1 + n % 20 >= 17}
    between = SubsetRule(table=key, by="dates", column="on_day", since=date(2026, 11, 3), until=date(2026, 11, 4))
    assert chosen_ids(session, schema, the_policy(schema, between))["t'0"] == {2, 22}

    half = SubsetRule(table=key, by="percentage", percent=50)
    drawn = chosen_ids(session, schema, the_policy(schema, half))["t'0"]
    assert 5 < len(drawn) < 35
    assert drawn == chosen_ids(session, schema, the_policy(schema, half))["t'0"]
    assert drawn != chosen_ids(session, schema, the_policy(schema, half), seed=78)["t'0"]


def test_all_rows_where_nothing_is_asked(session: psycopg.Connection) -> None:
    build(session, {"t'0": [], "t'1": [('ref "0"', "t'0")]}, random.Random(1))
    schema = the_schema(session)
    assert {s.where for s in selections(the_policy(schema), schema, TODAY, SEED).values()} == {""}


CIRCLE = """
CREATE TABLE {s}."部 门" (area char(2), number int, head bigint, PRIMARY KEY (area, number)) PARTITION BY LIST (area);
CREATE TABLE {s}.gz PARTITION OF {s}."部 门" FOR VALUES IN ('gz') PARTITION BY HASH (number);
CREATE TABLE {s}.gz_0 PARTITION OF {s}.gz FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE {s}.gz_1 PARTITION OF {s}.gz FOR VALUES WITH (MODULUS 2, REMAINDER 1);
CREATE TABLE {s}.rest PARTITION OF {s}."部 门" DEFAULT;
CREATE TABLE {s}.people (id bigint PRIMARY KEY, area char(2), number int, boss bigint REFERENCES {s}.people, badge text,
    FOREIGN KEY (area, number) REFERENCES {s}."部 门");
CREATE TABLE {s}.badges (badge text, owner bigint, PRIMARY KEY (badge));
CREATE TABLE {s}.places (id int PRIMARY KEY, of_area numeric(5), written varchar(9), above int);
INSERT INTO {s}."部 门" SELECT (ARRAY['gz', 'hb'])[1 + n % 2], n, NULL FROM generate_series(1, 400) n;
INSERT INTO {s}.people SELECT n, CASE WHEN n % 7 > 0 THEN (ARRAY['gz', 'hb'])[1 + n % 400 % 2] END,
    CASE WHEN n % 11 > 0 THEN nullif(n % 400, 0) END, CASE WHEN n % 50 > 1 THEN n - 1 END, 'b' || n % 300
    FROM generate_series(1, 2000) n WHERE n % 400 > 0;
UPDATE {s}."部 门" SET head = (SELECT min(id) FROM {s}.people AS p WHERE p.id > number * 3) WHERE number % 3 > 0;
ALTER TABLE {s}."部 门" ADD FOREIGN KEY (head) REFERENCES {s}.people;
INSERT INTO {s}.badges SELECT 'b' || n, CASE WHEN n % 4 > 0 THEN 5 * n + 1 END FROM generate_series(0, 250) n;
INSERT INTO {s}.places SELECT n, n % 50, nullif(n - 5, 0)::text, n FROM generate_series(1, 400) n;
CREATE TABLE {s}.areas (code text PRIMARY KEY);
INSERT INTO {s}.areas SELECT n FROM generate_series(0, 60) n;
ALTER TABLE {s}.rest ADD FOREIGN KEY (number) REFERENCES {s}.places
"""
TIES = (
    ("people", ("area", "number"), "部 门", ("area", "number")),
    ("people", ("boss",), "people", ("id",)),
    ("部 门", ("head",), "people", ("id",)),
    ("people", ("badge",), "badges", ("badge",)),
    ("badges", ("owner",), "people", ("id",)),
    ("rest", ("number",), "places", ("id",)),
    ("places", ("of_area",), "areas", ("code",)),
    ("places", ("written",), "places", ("above",)),
)


def test_a_circle_of_composite_keys_partitions_and_declared_joins_stays_whole(session: psycopg.Connection) -> None:
    """And a foreign key that only one partition has; joins without a foreign key, some of a number with a text."""
    here = sql.Identifier(SCHEMA)
    session.execute(sql.SQL("DROP SCHEMA IF EXISTS {0} CASCADE; CREATE SCHEMA {0}").format(here))
    session.execute(sql.SQL(CIRCLE.replace("{s}", "{0}")).format(here))  # type: ignore[arg-type]
    schema = the_schema(session)
    people, badges, places, areas = (object_name(SCHEMA, name) for name in ("people", "badges", "places", "areas"))
    joins = (
        Join(child=people, columns=("badge",), parent=badges, parent_columns=("badge",)),
        Join(child=badges, columns=("owner",), parent=people, parent_columns=("id",)),
        Join(child=places, columns=("of_area",), parent=areas, parent_columns=("code",)),
        Join(child=places, columns=("written",), parent=places, parent_columns=("above",)),
    )
    rules = [
        SubsetRule(table=people, by="rows", column="id", values=(7, 1999)),
        SubsetRule(table=places, by="rows", column="id", values=(1,)),
        SubsetRule(table=areas, by="rows", column="code", values=("60",)),
    ]
    policy = the_policy(schema, *rules).model_copy(update={"joins": joins})
    assert unselectable(policy, schema) == ()
    chosen = selections(policy, schema, TODAY, SEED)
    for key, selection in chosen.items():
        table = schema.by_key[key]
        taken = sql.SQL(
            "CREATE TABLE {}.{} AS SELECT t.*, t.tableoid::regclass::text AS at FROM {}.{} AS t WHERE " + selection.where
        )
        session.execute(taken.format(here, sql.Identifier(f"taken {table.name}"), here, sql.Identifier(table.name)))
    session.execute(sql.SQL('CREATE VIEW {0}."taken rest" AS SELECT * FROM {0}."taken 部 门" WHERE at ~ \'rest\'').format(here))
    for child, columns, parent, parent_columns in TIES:
        assert orphans(session, child, columns, parent, parent_columns) == 0, (child, columns)
    counted = session.execute(
        sql.SQL('SELECT (SELECT count(*) FROM {0}."taken people"), (SELECT count(*) FROM {0}."taken places")').format(here)
    )
    some, seen = counted.fetchone()
    assert 2 < some < 1990 and 1 < seen < 400


def orphans(
    session: psycopg.Connection, child: str, columns: tuple[str, ...], parent: str, parent_columns: tuple[str, ...]
) -> int:
    """Rows taken whose parent is in the source and was not taken."""
    pairs = zip(columns, parent_columns, strict=True)
    tied = sql.SQL(" AND ").join(sql.SQL("p.{1}::text = c.{0}::text").format(*map(sql.Identifier, pair)) for pair in pairs)
    ask = sql.SQL(
        "SELECT count(*) FROM {0}.{1} c WHERE EXISTS (SELECT FROM {0}.{2} p WHERE {4}) "
        "AND NOT EXISTS (SELECT FROM {0}.{3} p WHERE {4})"
    )
    places = map(sql.Identifier, (SCHEMA, f"taken {child}", parent, f"taken {parent}"))
    return session.execute(ask.format(*places, tied)).fetchone()[0]


def test_what_oracle_cannot_walk_is_told_before_the_run(session: psycopg.Connection) -> None:
    """A circle, and a table that refers to itself by two keys."""
    build(session, {"t'0": [("up", "t'0"), ("top", "t'0")], "t'1": [("on", "t'2")], "t'2": [("back", "t'1")]}, random.Random(1))
    schema = the_schema(session).model_copy(update={"engine": DatabaseEngine.ORACLE})
    rules = [SubsetRule(table=object_name(SCHEMA, t), by="rows", column="id", values=(1,)) for t in ("t'0", "t'2")]
    policy = the_policy(schema, *rules)
    assert [f.code for f in unselectable(policy, schema)] == ["masking_subset_circle"] * 2
    with pytest.raises(Unselectable, match="masking_subset_circle"):
        selections(policy, schema, TODAY, SEED)


def test_what_cannot_start_a_subset_is_told_all_at_once(session: psycopg.Connection) -> None:
    build(session, {"t'0": []}, random.Random(1))
    session.execute(sql.SQL("CREATE TABLE {}.keyless (a int)").format(sql.Identifier(SCHEMA)))
    schema = the_schema(session)
    key = object_name(SCHEMA, "t'0")
    rules = (
        SubsetRule(table="app.nowhere", by="percentage", percent=1),
        SubsetRule(table=key, by="rows", column="gone", values=(1,)),
        SubsetRule(table=key, by="dates", column="id", newest_days=1),
        SubsetRule(table=key, by="rows", column="id", values=(2, "1e3", "x", 2**31)),
        SubsetRule(table=object_name(SCHEMA, "keyless"), by="percentage", percent=1),
    )
    told = {f.code: f.values for f in unselectable(the_policy(schema, *rules), schema)}
    start, odd = ["masking_subset_no_table", "masking_column_unknown", "masking_subset_no_date"], "masking_subset_no_value"
    assert list(told) == [*start, odd, "masking_subset_no_key"] and told[odd]["count"] == 2


def test_a_condition_that_no_server_would_plan_is_told(session: psycopg.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    build(session, {"t'0": [], "t'1": [('ref "0"', "t'0")]}, random.Random(1))
    schema = the_schema(session)
    policy = the_policy(schema, SubsetRule(table=object_name(SCHEMA, "t'0"), by="rows", column="id", values=(1,)))
    assert unselectable(policy, schema) == ()
    monkeypatch.setattr(subset, "LONGEST_CONDITION", 40)
    assert {f.code for f in unselectable(policy, schema)} == {"masking_subset_too_long"}
