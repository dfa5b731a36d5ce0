"""The second net over a real server: an original planted in each hiding place is caught, a healthy copy passes."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import pytest
from psycopg import sql
from sqlalchemy import URL

from drydock.engines.postgres import Endpoint, connect
from drydock.masking.verification import canaries, reidentification, residual, scope, semijoin, target
from drydock.masking.verification.apart import SearchLost, Spec, _drive, cast_apart
from drydock.masking.verification.canaries import Canary
from drydock.masking.verification.hashes import Keys
from drydock.masking.verification.net import Net, cast
from drydock.masking.verification.originals import Original, Wanted
from drydock.masking.verification.scope import WHOLE, Part, parts_of
from drydock.masking.verification.source import column_values
from drydock.masking.verification.target import Progress, read_all
from drydock.verdicts import Status
from tests.unit.net_samples import phones, resident_id, resident_ids

ID, PHONE = resident_id(555), "13912345678"
WIDE = PHONE.translate({n: n + 0xFEE0 for n in range(0x30, 0x3A)})
Session = psycopg.Connection[dict[str, Any]]
COLUMNS = [Original(name="app.person.id_no", kind="cn_id"), Original(name="app.person.tel", kind="mobile")]
BIRDS = [Canary(subject="bird", field="id", value=ID), Canary(subject="bird", field="tel", value=PHONE)]
DECLARED = {"app.person.id_no": {"cn_id"}, "app.person.tel": {"mobile"}}

HIDING_PLACES = {
    "comment": ("COMMENT ON COLUMN app.person.note IS 'like {tel}'", "comment on app.person.note"),
    "default": ("ALTER TABLE app.person ALTER note SET DEFAULT '{tel}'", "default of app.person.note"),
    "enum label": ("CREATE TYPE app.mood AS ENUM ('{tel}')", "enum label of app.mood"),
    "json key": ("""UPDATE app.person SET doc = '{{"{tel}": 1}}' WHERE n = 7""", "app.person.doc"),
    "array": ("UPDATE app.person SET tags = ARRAY['x', '{id}'] WHERE n = 7", "app.person.tags"),
    "large object": ("SELECT lo_from_bytea(7700, convert_to(repeat('. ', 3000) || '{id}', 'UTF8'))", "large object 7700"),
    "partition bound": (
        "CREATE TABLE app.p7 PARTITION OF app.event FOR VALUES IN ('{tel}'); ALTER TABLE app.p7 OWNER TO CURRENT_USER",
        "partition bound of app.p7",
    ),
    "check constraint": ("ALTER TABLE app.person ADD CONSTRAINT odd CHECK (note <> '{tel}')", "constraint app.odd"),
    "sequence": ("CREATE SEQUENCE app.s START {tel}", "sequence app.s"),
    "index expression": ("CREATE INDEX odd ON app.person ((note = '{tel}'))", "index app.odd"),
    "toast": (
        "UPDATE app.person SET body = repeat('Zz', 60000) || ' {id} ' || repeat('yY', 9000) WHERE n = 7",
        "app.person.body",
    ),
    "line break": (r"UPDATE app.person SET note = E'x {id9}\n{id_rest} y' WHERE n = 7", "app.person.note"),
    "full width": ("UPDATE app.person SET note = '电话{wide}。' WHERE n = 7", "app.person.note"),
    "mixed case": ("UPDATE app.person SET note = 'code 42010619851231001x' WHERE n = 7", "app.person.note"),
    "binary": ("UPDATE app.person SET raw = convert_to('{tel}', 'UTF8') WHERE n = 7", "app.person.raw"),
    "number": ("UPDATE app.person SET big = {tel} WHERE n = 7", "app.person.big"),
    "xml": ("UPDATE app.person SET page = '<a>{tel}</a>' WHERE n = 7", "app.person.page"),
    "partition row": ("INSERT INTO app.event VALUES ('a', '{tel}')", "app.event.what"),
    "function body": ("CREATE FUNCTION app.f() RETURNS text LANGUAGE sql AS $$ VALUES ('{tel}') $$", "function app.f"),
    "view": ("CREATE VIEW app.v AS VALUES ('{tel}')", "view app.v"),
    "partial index": ("CREATE INDEX odd ON app.person (n) WHERE note = '{tel}'", "index app.odd"),
    "statistics": (
        "UPDATE app.person SET note = '{tel}' WHERE n < 50; ANALYZE app.person; UPDATE app.person SET note = NULL",
        "gathered statistics of app.person.note",
    ),
    "name": ('CREATE TABLE app."t{tel}" ()', "name of app.t#"),
}

SCHEMA = """
CREATE SCHEMA app;
CREATE TABLE app.person (n int PRIMARY KEY, id_no text, tel varchar(20), note text, doc jsonb, tags text[], body text, raw bytea,
    big bigint, page text, born date, ratio float8);
CREATE TABLE app.event (kind text, what text) PARTITION BY LIST (kind);
CREATE TABLE app.event_a PARTITION OF app.event FOR VALUES IN ('a');
INSERT INTO app.event VALUES ('a', 'arrived'), ('a', NULL);
COMMENT ON SCHEMA app IS '模拟数据'
"""


def fill(c: psycopg.Connection[Any], ids: list[str], tels: list[str]) -> None:
    c.execute(SCHEMA)
    with c.cursor() as cursor, cursor.copy("COPY app.person (n, id_no, tel, note, doc, tags, body, raw, big) FROM STDIN") as copy:
        for n, (number, tel) in enumerate(zip(ids, tels, strict=True)):
            copy.write_row((n, number, tel, "a\tb\\n" if n % 2 else None, f'{{"n": {n}}}', ["x"], "body", b"\x00\x01\\", n))


@pytest.fixture(scope="module")
def worlds(make_database: Any, pg_server: Endpoint) -> tuple[Endpoint, Endpoint]:
    """A source with the two canaries in it, and a copy that holds other people."""
    found = []
    for name, seed, planted in (("net_source", 51, True), ("net_copy", 61, False)):
        url: URL = make_database(name)
        endpoint = Endpoint(pg_server.host, pg_server.port, pg_server.user, pg_server.password, url.database or name)
        ids, tels = resident_ids(500, seed), phones(500, seed + 1)
        with psycopg.connect(**asdict(endpoint), autocommit=True) as c:
            fill(c, [ID, "42010619851231001X", *ids] if planted else ids, [PHONE, "", *tels] if planted else tels)
        found.append(endpoint)
    return found[0], found[1]


@pytest.fixture(scope="module")
def originals(worlds: tuple[Endpoint, Endpoint]) -> dict[str, list[bytes]]:
    with connect(worlds[0], purpose="test") as source:
        return {column.name: list(column_values(source, column.name)) for column in COLUMNS}


@pytest.fixture
def copy(worlds: tuple[Endpoint, Endpoint]) -> Iterator[Session]:
    """The copy inside a transaction: what a test plants there is gone after it."""
    with psycopg.connect(**asdict(worlds[1]), row_factory=psycopg.rows.dict_row) as c:
        yield c
        c.rollback()


def looked(copy: Session, originals: dict[str, list[bytes]]) -> tuple[semijoin.Semijoin, canaries.Canaries, residual.Residual]:
    """All three searches over one list of blocks."""
    progress = Progress()
    blocks = list(read_all(copy, progress))
    joined = semijoin.join(COLUMNS, originals, blocks, progress)
    return joined, canaries.search(BIRDS, blocks, progress), residual.scan(blocks, progress, DECLARED)


def test_a_healthy_copy_passes_all_searches(copy: Session, originals: dict[str, list[bytes]], worlds: Any) -> None:
    joined, sung, scanned = looked(copy, originals)
    assert [(v.status, v.findings) for v in (semijoin.verdict(joined), canaries.verdict(sung), residual.verdict(scanned))] == [
        (Status.PASS, ())
    ] * 3
    assert (len(originals["app.person.id_no"]), len(originals["app.person.tel"])) == (502, 501)
    assert {(c.kind, c.place, c.hits) for c in scanned.counts if c.declared} >= {
        ("cn_id", "app.person.id_no", 500),
        ("mobile", "app.person.tel", 500),
    }
    assert {(u.place, u.reason) for u in scanned.reading.unread} == {("app.person.born", "unread_type")}


def test_the_whole_net_is_cast_in_one_reading(copy: Session, worlds: tuple[Endpoint, Endpoint]) -> None:
    net = Net(originals=tuple(COLUMNS), canaries=tuple(BIRDS), declared={k: frozenset(v) for k, v in DECLARED.items()})
    with connect(worlds[0], purpose="test") as source:
        assert [v.status for v in cast(net, source, copy).verdicts] == [Status.PASS] * 3
        copy.execute("UPDATE app.person SET tel = %s WHERE n = 7", [PHONE])
        found = cast(net, source, copy)
        assert [(v.question, v.status) for v in found.verdicts] == [
            ("residual", Status.PASS),  # a phone where phones are declared says nothing
            ("originals", Status.FAIL),
            ("canaries", Status.FAIL),
        ]
        kept = net.model_copy(
            update={
                "kept_originals": {("app.person.tel", "app.person.tel"): "keep-7"},
                "kept_canaries": {("tel", "app.person.tel"): "keep-7"},
            }
        )
        assert [v.status for v in cast(kept, source, copy).verdicts] == [Status.PASS] * 3
        missing = cast(net.model_copy(update={"not_planted": ("bird/mail",)}), source, copy).verdicts[2]
        assert ("canary_not_planted", "bird/mail") in {(f.code, f.place) for f in missing.findings}


def test_many_processes_find_what_one_finds(copy: Session, worlds: tuple[Endpoint, Endpoint], monkeypatch: Any) -> None:
    copy.rollback()  # other sessions must see what is planted
    monkeypatch.setattr(scope, "PART_BYTES", 16 * 1024)
    net = Net(originals=tuple(COLUMNS), canaries=tuple(BIRDS), declared={k: frozenset(v) for k, v in DECLARED.items()})
    with psycopg.connect(**asdict(worlds[1]), autocommit=True) as c, connect(worlds[0], purpose="test") as source:
        c.execute("UPDATE app.person SET note = %s WHERE n IN (7, 300)", [PHONE])
        try:
            with connect(worlds[1], purpose="test") as whole:
                assert len(parts_of(whole, WHOLE, split=True)[0]) > 4
                alone = cast(net, source, whole)
            apart = cast_apart(net, source, worlds[1], WHOLE, 2)
        finally:
            c.execute("UPDATE app.person SET note = NULL WHERE n IN (7, 300)")
    assert apart.semijoin.counts == alone.semijoin.counts != ()
    assert (apart.canaries.counts, apart.residual.counts) == (alone.canaries.counts, alone.residual.counts)
    assert (apart.residual.reading.cells, apart.residual.reading.places) == (
        alone.residual.reading.cells,
        alone.residual.reading.places,
    )
    lost = Endpoint("127.0.0.1", 1, "nobody", "", "nowhere")
    spec = Spec(
        lost, net.model_copy(update={"originals": ()}), Wanted(Keys(), np.zeros(9, bool), np.zeros(9, bool), None), Path(), WHOLE
    )
    waiting: queue.SimpleQueue[Part] = queue.SimpleQueue()
    waiting.put(Part(("app", "person"), (("n", "app.person.n"),)))
    with pytest.raises(SearchLost, match="OperationalError"):
        _drive(spec, waiting, threading.Event())


def test_hostile_names_foreign_tables_and_empty_views(copy: Session) -> None:
    hostile = sql.Identifier('we"ird %s {x} $1;--\n表')
    copy.execute(sql.SQL("CREATE TABLE app.{0} ({0} text)").format(hostile))
    copy.execute(sql.SQL("INSERT INTO app.{} VALUES ({})").format(hostile, sql.Literal(f"x {ID}")))
    copy.execute("CREATE FOREIGN DATA WRAPPER nobody; CREATE SERVER away FOREIGN DATA WRAPPER nobody")
    copy.execute("CREATE FOREIGN TABLE app.far (what text) SERVER away")
    result = residual.scan_database(copy, DECLARED)
    assert [f.code for f in residual.verdict(result).findings if "we" in f.place] == ["kind_not_declared"]
    assert ("app.far.what", "unread_foreign") in {(u.place, u.reason) for u in result.reading.unread}
    copy.execute("CREATE MATERIALIZED VIEW app.zz AS SELECT note FROM app.person WITH NO DATA")  # refuses to be read
    broken = residual.scan_database(copy, DECLARED)
    assert ("app.zz.note", "unread_error") in {(u.place, u.reason) for u in broken.reading.unread}


@pytest.mark.parametrize("hiding", HIDING_PLACES)
def test_an_original_in_a_hiding_place_is_caught(hiding: str, copy: Session, originals: dict[str, list[bytes]]) -> None:
    statement, place = HIDING_PLACES[hiding]
    copy.execute(statement.format(id=ID, tel=PHONE, wide=WIDE, id9=ID[:9], id_rest=ID[9:]))
    joined, sung, scanned = looked(copy, originals)
    assert ("originals_in_copy", place) in {(f.code, f.place) for f in semijoin.verdict(joined).findings}
    if hiding != "mixed case":
        assert ("canary_in_copy", place) in {(f.code, f.place) for f in canaries.verdict(sung).findings}
    assert [c.hits for c in scanned.counts if c.place == place and c.kind in ("cn_id", "mobile")]


ODD_PLACES = """
CREATE FUNCTION app."f{tel}"() RETURNS text LANGUAGE sql AS 'SELECT 1::text';
CREATE AGGREGATE app.all_of (text) (SFUNC = textcat, STYPE = text, INITCOND = '{id}');
ALTER TABLE app.person ADD CONSTRAINT "c{tel}" CHECK (n > -1);
CREATE POLICY "p{tel}" ON app.person;
CREATE SCHEMA "s{tel}";
CREATE TYPE app."e{tel}" AS ENUM ('a');
CREATE DOMAIN app.code AS text CHECK (VALUE <> '{id}');
CREATE PUBLICATION "u{tel}" FOR TABLE app.person;
CREATE FOREIGN DATA WRAPPER away OPTIONS (about '{tel}');
CREATE SEQUENCE app.counted; ALTER SEQUENCE app.counted RESTART {tel};
UPDATE app.person SET ratio = {tel} WHERE n = 8; UPDATE app.person SET ratio = 0.5 WHERE n = 9;
COMMENT ON SCHEMA public IS '{tel}';
SELECT lo_from_bytea(7703, 'x'); COMMENT ON LARGE OBJECT 7703 IS '{id}'
"""
ODD_NAMES = {
    *("function app.f#", "function app.all_of", "constraint app.c#", "policy app.person.p#", "schema s#", "type app.e#"),
    *("constraint app.code_check", "publication u#", "foreign data wrapper away", "app.counted.last_value", "app.person.ratio"),
    *("comment on public", "comment on 7703"),
}


def test_every_odd_place_is_read(copy: Session, originals: dict[str, list[bytes]]) -> None:
    """Names and settings of all that has them, a sequence that was set and not drawn from, whole numbers kept as fractions."""
    for statement in ODD_PLACES.format(id=ID, tel=PHONE).split(";\n"):
        copy.execute(statement)
    joined, _, _ = looked(copy, originals)
    found = {f.place for f in semijoin.verdict(joined).findings if f.code == "originals_in_copy"}
    assert found == ODD_NAMES
    half = list(read_all(copy, Progress(), scope.Scope(share=0.5, seed=1)))
    assert any("app.counted.last_value" in block.places for block in half), "a sequence is read whole"


def test_what_may_not_be_read_is_told(worlds: Any, superuser: psycopg.Connection, make_login: Any, make_database: Any) -> None:
    endpoint: Endpoint = worlds[1]
    superuser.execute("CREATE ROLE net_readers")
    url = make_database("net_rights")
    make_login(url, "net_reader", "net_readers")
    admin = Endpoint(endpoint.host, endpoint.port, endpoint.user, endpoint.password, "net_rights")
    with psycopg.connect(**asdict(admin), autocommit=True) as c:
        c.execute(SCHEMA)
        c.execute("GRANT USAGE ON SCHEMA app TO net_readers; GRANT SELECT (n, id_no) ON app.person TO net_readers")
        c.execute("GRANT SELECT ON app.event, app.event_a TO net_readers; SELECT lo_from_bytea(7701, 'x')")
        c.execute("CREATE POLICY few ON app.event_a USING (false); ALTER TABLE app.event_a ENABLE ROW LEVEL SECURITY")
    reader = Endpoint(endpoint.host, endpoint.port, "net_reader", endpoint.password, "net_rights")
    with connect(reader, purpose="test") as session:
        result = residual.scan_database(session, {})
        unread = {u.place: u.reason for u in result.reading.unread}
        assert unread["app.person.tel"] == unread["large object 7701"] == "unread_privilege"
        assert unread["app.event.what"] == "unread_privilege"  # a policy would have hidden its rows
        assert "app.person.id_no" not in unread
        assert residual.verdict(result).status is Status.UNKNOWN
        with pytest.raises(LookupError, match="cannot be read"):
            list(column_values(session, "app.person.tel"))
        with pytest.raises(LookupError, match="no column"):
            list(column_values(session, "app.person.telephone"))


def test_an_empty_database_is_unknown(make_database: Any, pg_server: Endpoint) -> None:
    make_database("net_empty")
    endpoint = Endpoint(pg_server.host, pg_server.port, pg_server.user, pg_server.password, "net_empty")
    with connect(endpoint, purpose="test") as session:
        assert residual.scan_database(session, {}).reading.read_bytes < 5000
        progress = Progress()
        found = semijoin.verdict(semijoin.join([], {}, read_all(session, progress), progress))
        assert found.status is Status.UNKNOWN


def test_a_value_over_the_seam_of_two_pieces_is_found(copy: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(target, "BLOCK_BYTES", 8192)
    copy.execute("SELECT lo_from_bytea(7702, convert_to(repeat(' ', 8183) || %s || repeat(' .', 9000), 'UTF8'))", [ID])
    scanned = residual.scan_database(copy, {})
    assert [c.place for c in scanned.counts if c.kind == "cn_id" and c.place.startswith("large")] == ["large object 7702"]


def test_equivalence_classes_of_a_partitioned_table(copy: Session) -> None:
    wanted = reidentification.QuasiSet(table="app.event", columns=("kind",), least_l={"what": 2})
    classes = reidentification.Classes(wanted)
    for frame in reidentification.table_frames(copy, ("app", "event"), ["kind", "what"]):
        classes.add(frame)
    result = classes.result()
    assert (result.rows, result.classes, result.k, result.diversity) == (2, 1, 2, {"what": 2})
