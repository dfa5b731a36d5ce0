"""`copy_stream` between two databases of a real server: compiled and by NumPy, whole and failing on either side."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from datetime import date
from typing import Any

import psycopg
import pytest
from psycopg import sql
from pydantic import SecretBytes
from sqlalchemy import URL

from drydock.engines.postgres import Endpoint, classify
from drydock.masking.ciphers.keys import MaskingKey
from drydock.masking.kernel.batches import BatchColumn
from drydock.masking.kernel.stream import copy_stream
from drydock.masking.kernel.work import BadStream, ColumnWork, CopyFailed, StreamCounts, Unmaskable
from drydock.masking.policies.policy import ColumnRule, ResolvedRule
from drydock.masking.postgres_types import postgres_type

KEY = MaskingKey(epoch="test", secret=SecretBytes(bytes(range(7, 39))))
READ, WRITE = sql.SQL("COPY s TO STDOUT (FORMAT binary)"), sql.SQL("COPY t FROM STDIN (FORMAT binary)")
TABLE = """(id int, person varchar(20), id_no char(20), mobile text, tags text[], body jsonb, doc json, amount numeric(12,2),
 rate float8, born date, seen timestamptz, ip inet, mac macaddr, photo bytea, mood text, gone uuid, flag boolean, note text)"""
RULES: dict[str, tuple[str, str | None, dict[str, Any]]] = {
    "person": ("words", "name", {}),
    "id_no": ("pseudonym", "cn_id", {}),
    "mobile": ("pseudonym", "mobile", {}),
    "tags": ("pseudonym", "mobile", {}),
    "body": ("scrub", None, {}),
    "doc": ("scrub", None, {}),
    "amount": ("noise", None, {"percent": 10}),
    "rate": ("noise", None, {"percent": 10, "sum_within_percent": 1}),
    "born": ("shift", None, {"subject": "id_no", "max_days": 30}),
    "seen": ("generalise", None, {"to": "month"}),
    "ip": ("pseudonym", "ipv4", {}),
    "mac": ("pseudonym", "mac", {}),
    "photo": ("replace", None, {"value": "gone"}),
    "gone": ("suppress", None, {}),
    "flag": ("replace", None, {"value": "true"}),
}
FILL = """INSERT INTO s SELECT n, '王小明', '44010619900307' || lpad(n::text, 4, '0'), '138' || lpad(n::text, 8, '0'),
 ARRAY['13800138000', NULL, 'b'], '{"phone": "13800138000", "n": [1, 2]}', '{"a":  "13800138000"}', n * 1.25, n * 0.1,
 date '2000-01-01' + n, '2024-05-17 10:00Z', '10.1.2.3', '08:00:2b:01:02:03', '\\x00ff', 'kept', gen_random_uuid(), false, 'kept'
 FROM generate_series(1, 700) n"""


@pytest.fixture(scope="module")
def two(pg_server: Endpoint, make_database: Callable[[str], URL]) -> Iterator[tuple[Endpoint, Endpoint]]:
    """A source with rows, and a copy."""
    ends = []
    for name in ("stream_source", "stream_copy"):
        make_database(name)
        ends.append(replace(pg_server, dbname=name))
    with psycopg.connect(**asdict(ends[0])) as c:
        c.execute(f"CREATE TABLE s {TABLE}".encode())
        c.execute(FILL.encode())
        c.execute("INSERT INTO s (id) VALUES (9000)")
        c.execute("INSERT INTO s (id, born, amount) VALUES (9001, 'infinity', 'NaN')")
    with psycopg.connect(**asdict(ends[1])) as c:
        c.execute(f"CREATE TABLE t {TABLE}".encode())
    yield ends[0], ends[1]


def works(source: Endpoint, rules: dict[str, tuple[str, str | None, dict[str, Any]]] = RULES) -> list[ColumnWork]:
    with psycopg.connect(**asdict(source)) as c:
        found = c.execute(
            "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = 's'::regclass AND attnum > 0"
            " ORDER BY attnum"
        ).fetchall()
    return [
        ColumnWork(
            name=name,
            type=postgres_type(kind),
            rule=_rule(name, *rules[name]) if name in rules else None,
            row_names=("id",) if name in ("amount", "rate") else (),
        )
        for name, kind in found
    ]


def _rule(column: str, technique: str, kind: str | None, parameters: dict[str, Any]) -> ResolvedRule:
    given = {"class": "personal", "level": "general_4", "technique": technique, "kind": kind, "parameters": parameters}
    about = {"join_domain": kind or technique, "purpose": "test", "reviewer": "r", "reviewed": date(2026, 1, 1)}
    return ResolvedRule(table="s", column=column, rule=ColumnRule.model_validate(given), **about)


def run(two: tuple[Endpoint, Endpoint], columns: list[ColumnWork], **more: Any) -> tuple[StreamCounts, list[tuple[Any, ...]]]:
    """Copy into an empty t, and what is then in it; nothing stays."""
    read, write = more.pop("read", READ), more.pop("write", WRITE)
    with psycopg.connect(**asdict(two[0])) as source, psycopg.connect(**asdict(two[1])) as target:
        counts = copy_stream(source, read, target, write, columns, KEY, **more)
        rows = target.execute("SELECT t::text, id, amount FROM t ORDER BY id").fetchall()
        assert source.execute("SELECT 1").fetchone() == (1,)  # both sessions go on
        target.rollback()
        return counts, rows


def test_both_ways_give_the_same_rows_and_nothing_of_the_source(two):
    columns = works(two[0])
    compiled, rows = run(two, columns)
    numpy, same = run(two, columns, compile_it=False)
    assert rows == same and len(rows) == 702
    drop = {"way", "compiled_columns", "why_not_compiled"}
    assert compiled.model_dump(exclude=drop) == numpy.model_dump(exclude=drop)
    assert numpy.way == "numpy" and numpy.why_not_compiled and compiled.rows == 702
    text = "\n".join(row[0] for row in rows)
    assert not any(clear in text for clear in ("王小明", "13800138000", "10.1.2.3", "08:00:2b", "00ff")) and "kept" in text
    assert compiled.masked["mobile"] == 700 and compiled.nulls["mobile"] == 2


BY_PROGRAM = {
    name: rule for name, rule in RULES.items() if name in ("person", "id_no", "mobile", "amount", "born", "gone", "photo")
}


def test_batches_that_python_has_no_part_in_go_on_in_c_and_come_back_for_odd_values(two, monkeypatch):
    """Rows of every batch that a program leaves (full-width digits, NaN) are masked by Python, and the batch goes on."""
    left: list[int] = []
    known = BatchColumn.by_python_what_is_left
    monkeypatch.setattr(
        BatchColumn, "by_python_what_is_left", lambda self, batches: (left.append(batches.left().size), known(self, batches))
    )
    odd = "CASE WHEN k = 4 AND id % 100 = 7 THEN '１３８' || lpad(id::text, 8, '0') ELSE mobile END"
    names = [work.name for work in works(two[0])]
    columns = ", ".join(odd if name == "mobile" else name for name in names)
    read = sql.SQL(f"COPY (SELECT {columns} FROM generate_series(1, 6) k, s ORDER BY k, id) TO STDOUT (FORMAT binary)")  # type: ignore[arg-type]
    compiled, rows = run(two, works(two[0], BY_PROGRAM), read=read)
    numpy, same = run(two, works(two[0], BY_PROGRAM), read=read, compile_it=False)
    drop = {"way", "compiled_columns", "why_not_compiled"}
    assert sorted(rows, key=str) == sorted(same, key=str) and len(rows) == 702 * 6
    assert compiled.model_dump(exclude=drop) == numpy.model_dump(exclude=drop) and compiled.nulls["mobile"] == 12
    if compiled.way == "compiled":
        assert 7 in left and set(compiled.compiled_columns) >= {"person", "id_no", "mobile", "amount", "born"}


def test_odd_values_become_null_or_stay_never(two):
    _, rows = run(two, works(two[0]))
    assert rows[-2][0] == "(9000" + "," * 17 + ")"
    assert ",infinity," in rows[-1][0] and rows[-1][2] is None  # NaN cannot be moved


def test_a_batch_ends_after_its_rows_and_is_told(two):
    told: list[int] = []
    twice = sql.SQL("COPY (SELECT s.* FROM s, generate_series(1, 30)) TO STDOUT (FORMAT binary)")
    counts, rows = run(two, works(two[0], {}), told=lambda c: told.append(c.rows), read=twice)
    assert counts.rows == len(rows) == 702 * 30 and told[0] == 16_384 and told[-1] == 702 * 30


@pytest.mark.parametrize("compile_it", [True, False])
def test_what_told_raises_ends_the_stream(two, compile_it):
    def stop(counts: StreamCounts) -> None:
        raise psycopg.errors.QueryCanceled("enough")

    with pytest.raises(psycopg.errors.QueryCanceled, match="enough"):
        run(two, works(two[0]), told=stop, compile_it=compile_it)


@pytest.mark.parametrize("compile_it", [True, False])
def test_a_source_that_fails_is_told_by_its_state_without_values(two, compile_it):
    failing = sql.SQL("COPY (SELECT id / (id - 600), 'x' || id FROM s ORDER BY id) TO STDOUT (FORMAT binary)")
    columns = works(two[0], {})[:2]
    with pytest.raises(CopyFailed) as caught:
        run(two, columns, read=failing, write=sql.SQL("COPY t (id, person) FROM STDIN (FORMAT binary)"), compile_it=compile_it)
    assert (caught.value.side, caught.value.sqlstate) == ("source", "22012")


@pytest.mark.parametrize("compile_it", [True, False])
def test_a_target_that_refuses_is_told_by_its_state_and_constraint_alone(two, compile_it):
    with psycopg.connect(**asdict(two[1])) as source, psycopg.connect(**asdict(two[1])) as target:
        source.execute("CREATE TEMP TABLE s AS SELECT 'secret'::text AS note")
        target.execute("CREATE TEMP TABLE strict (note text CONSTRAINT refuses CHECK (note <> 'secret'))")
        with pytest.raises(CopyFailed) as caught:
            write = sql.SQL("COPY strict FROM STDIN (FORMAT binary)")
            copy_stream(source, READ, target, write, works(two[0], {})[-1:], KEY, compile_it=compile_it)
        assert (caught.value.side, caught.value.sqlstate) == ("target", "23514")
        assert "refuses" in str(caught.value) and "secret" not in str(caught.value)
        target.rollback()


@pytest.mark.parametrize("compile_it", [True, False])
def test_a_lost_server_session_is_an_unreachable_one(two, compile_it):
    with psycopg.connect(**asdict(two[0])) as source, psycopg.connect(**asdict(two[1])) as target:

        def cut(counts: StreamCounts) -> None:
            with psycopg.connect(**asdict(two[0]), autocommit=True) as other:
                other.execute("SELECT pg_terminate_backend(%s, 5000)", [target.info.backend_pid])

        many = sql.SQL("COPY (SELECT s.* FROM s, generate_series(1, 40)) TO STDOUT (FORMAT binary)")
        with pytest.raises(CopyFailed) as caught:
            copy_stream(source, many, target, WRITE, works(two[0], {}), KEY, cut, compile_it=compile_it)
        assert caught.value.side == "target" and classify(caught.value).kind in ("unreachable", "shut_down")


@pytest.mark.parametrize("compile_it", [True, False])
def test_what_cannot_be_masked_fails_by_name_and_without_the_value(two, compile_it):
    columns = [c if c.name != "amount" else c.model_copy(update={"nullable": False}) for c in works(two[0])]
    with pytest.raises(Unmaskable) as caught:
        run(two, columns, compile_it=compile_it)
    assert "s.amount" in str(caught.value) and "NaN" not in str(caught.value)


def test_another_encoding_is_refused(two):
    with psycopg.connect(**asdict(two[0]), client_encoding="GBK") as source, psycopg.connect(**asdict(two[1])) as target:
        with pytest.raises(BadStream, match="client_encoding=UTF8"):
            copy_stream(source, READ, target, WRITE, works(two[0]), KEY)


def test_a_stream_of_other_columns_is_refused(two):
    with pytest.raises(BadStream, match="columns"):
        run(two, works(two[0])[:-1])


def test_arrays_of_a_type_of_the_copy_get_its_oid(two):
    kind = "CREATE TYPE colour AS ENUM ('red', 'blue')"
    with psycopg.connect(**asdict(two[0])) as source, psycopg.connect(**asdict(two[1])) as target:
        target.execute("CREATE TYPE before AS ENUM ('other')")
        for c, name in ((source, "s2"), (target, "t2")):
            c.execute(kind.encode())
            c.execute(sql.SQL("CREATE TABLE {} (c colour[])").format(sql.Identifier(name)))
        source.execute("INSERT INTO s2 VALUES ('{red,blue}'), (NULL), ('{}')")
        oid = target.execute("SELECT 'colour'::regtype::oid").fetchone()[0]
        work = ColumnWork(name="c", type=postgres_type("colour[]"), element_oid=oid)
        read, write = sql.SQL("COPY s2 TO STDOUT (FORMAT binary)"), sql.SQL("COPY t2 FROM STDIN (FORMAT binary)")
        assert copy_stream(source, read, target, write, [work], KEY).rows == 3
        assert target.execute("SELECT c::text FROM t2").fetchall() == [("{red,blue}",), (None,), ("{}",)]
        source.rollback()
        target.rollback()
