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
from drydock.masking.policies import subset
from drydock.masking.policies.policy import MaskingPolicyFile, SubsetRule, TableRules
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


def random_edges(rng: random.Random) -> Edges:
    """Tables t0 … t5; each refers to some before it, one in three to itself."""
    edges: Edges = {}
    for n in range(6):
        parents = rng.sample(range(n), k=min(n, rng.randint(0, 2)))
        parents += [n] if rng.random() < 0.34 else []
        edges[f"t'{n}"] = [(f'ref "{p}"', f"t'{p}") for p in parents]
    return edges


def build(session: psycopg.Connection, edges: Edges, rng: random.Random) -> dict[str, dict[int, dict[str, int | None]]]:
    """Make and fill the tables; returns the rows by table and id. One reference in five is NULL."""
    here = sql.Identifier(SCHEMA)
    session.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(here))
    session.execute(sql.SQL("CREATE SCHEMA {}").format(here))
    data: dict[str, dict[int, dict[str, int | None]]] = {}
    for table, references in edges.items():
        columns = [sql.SQL("{} int REFERENCES {}.{}").format(sql.Identifier(c), here, sql.Identifier(p)) for c, p in references]
        session.execute(
            sql.SQL("CREATE TABLE {}.{} (id int PRIMARY KEY, on_day date{})").format(
                here, sql.Identifier(table), sql.SQL("").join(sql.SQL(", ") + c for c in columns)
            )
        )
        data[table] = {}
        for n in range(ROWS):
            row = {
                c: None if rng.random() < 0.2 or (p == table and n == 0) else _parent(rng, p == table, n) for c, p in references
            }
            data[table][n] = row
            values = [n, date(2026, 11, 1 + n % 20), *row.values()]
            insert = sql.SQL("INSERT INTO {}.{} VALUES ({})").format(
                here, sql.Identifier(table), sql.SQL(", ").join(map(sql.Literal, values))
            )
            session.execute(insert)
    return data


def _parent(rng: random.Random, of_itself: bool, n: int) -> int:
    return rng.randrange(n) if of_itself else rng.randrange(ROWS)


def by_hand(edges: Edges, data: dict[str, dict[int, dict[str, int | None]]], seeds: dict[str, set[int]]) -> dict[str, set[int]]:
    """The same choice, row by row: starts go down to those that refer, then everything referred to comes along."""
    restricted, start = set(seeds), {t: set(ids) for t, ids in seeds.items()}
    for table, references in edges.items():  # parents stand before their children
        above = [(c, p) for c, p in references if p in restricted and p != table]
        if table not in seeds and above:
            restricted.add(table)
            start[table] = {n for n, row in data[table].items() if any(row[c] in start[p] for c, p in above)}
    chosen = {t: set(start.get(t, data[t])) for t in edges}
    grew = True
    while grew:
        grew = False
        for table, references in edges.items():
            for column, parent in references:
                if table in restricted and parent in restricted:
                    more = {r for n in chosen[table] if (r := data[table][n][column]) is not None} - chosen[parent]
                    chosen[parent] |= more
                    grew = grew or bool(more)
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


@pytest.mark.parametrize("number", range(12))
def test_conditions_choose_what_a_slow_reader_chooses(session: psycopg.Connection, number: int) -> None:
    rng = random.Random(number)
    edges = random_edges(rng)
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


def test_a_circle_is_told_before_the_run(session: psycopg.Connection) -> None:
    build(session, {"t'0": [], "t'1": [('ref "0"', "t'0")]}, random.Random(1))
    here = sql.Identifier(SCHEMA)
    session.execute(
        sql.SQL(
            'ALTER TABLE {0}."t\'0" ADD COLUMN back int; ALTER TABLE {0}."t\'0" ADD FOREIGN KEY (back) REFERENCES {0}."t\'1"'
        ).format(here)
    )
    schema = the_schema(session)
    policy = the_policy(schema, SubsetRule(table=object_name(SCHEMA, "t'1"), by="rows", column="id", values=(1,)))
    assert [f.code for f in unselectable(policy, schema)] == ["masking_subset_circle"]
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
        SubsetRule(table=object_name(SCHEMA, "keyless"), by="percentage", percent=1),
    )
    codes = [f.code for f in unselectable(the_policy(schema, *rules), schema)]
    assert codes == ["masking_subset_no_table", "masking_column_unknown", "masking_subset_no_date", "masking_subset_no_key"]


def test_a_condition_that_no_server_would_plan_is_told(session: psycopg.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    build(session, {"t'0": [], "t'1": [('ref "0"', "t'0")]}, random.Random(1))
    schema = the_schema(session)
    policy = the_policy(schema, SubsetRule(table=object_name(SCHEMA, "t'0"), by="rows", column="id", values=(1,)))
    assert unselectable(policy, schema) == ()
    monkeypatch.setattr(subset, "LONGEST_CONDITION", 40)
    assert {f.code for f in unselectable(policy, schema)} == {"masking_subset_too_long"}
