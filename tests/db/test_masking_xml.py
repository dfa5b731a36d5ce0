"""XML in columns and in arrays, from the policy to the delivered copy: on a server that knows XML, which the wheel's does not.

Debian's PostgreSQL is built with libxml. Where no such server is installed, these tests are skipped by that name.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml
from sqlalchemy import Engine

from drydock.changing import steps
from drydock.engines.postgres import Endpoint
from drydock.engines.postgres_binaries import Binaries, all_binaries
from drydock.engines.postgres_server import LOCALHOST, PostgresServer, initialise
from drydock.masking.policies.fitness import unfit
from drydock.masking.policies.policy import MaskingPolicyFile
from drydock.masking.postgres.sessions import ask_of
from drydock.masking.postgres_schema import read_postgres_schema
from drydock.verdicts import Status
from tests.db.masking_run import Holder, MaskingYard, confirm, connected, make_copy, make_source, number_of, planned, worked
from tests.thorough import is_thorough
from tests.unit.net_samples import bank_card, phones, resident_ids

ROWS = 40
IDS, PHONES = resident_ids(ROWS, 77), phones(ROWS, 78)
CARD = bank_card("622588999900007")
SHAPES = (
    "<letter id='{id}'><to phone=\"{tel}\"/><text>call {tel} or write</text></letter>",
    '<?xml version="1.0"?><letter><![CDATA[{id} & {tel}]]></letter>',
    "<letter><!-- {tel} --><who>{id}</who><note>货 fragile</note></letter>",
    "<letter><tel>{spelt}</tel>\n  <id>{id}</id></letter>",
)
SOURCE = """
CREATE SCHEMA app;
CREATE TABLE app.letters (id bigint PRIMARY KEY, body xml CHECK (body IS DOCUMENT), bodies xml[], kept xml,
    doc text CHECK (xml_is_well_formed(doc)));
CREATE TABLE app.plain (id bigint PRIMARY KEY, kept xml);
INSERT INTO app.plain SELECT n, '<v>1</v>' FROM generate_series(1, 20) AS n
"""
POLICY = """schema: drydock-masking-policy/1
database: masked
source: {connection: masking_read, schemas: [app]}
target: test_copy
targets: [{id: test_copy, connection: masking_copy, engine: postgresql, environment: test}]
key: {connection: masking_key_2026q4, epoch: 2026Q4}
purpose: 功能测试
canaries: [{id: planted, table: app.letters, key: {id: 0}, columns: [body]}]
tables:
  app.letters:
    reviewer: 张三
    reviewed: 2026-11-01
    columns:
      body: {class: personal, level: general_3, technique: scrub}
      bodies: {class: personal, level: general_3, technique: scrub}
      doc: {class: personal, level: general_3, technique: scrub}
    keep: {id: 无含义的内部编号, kept: 接口版本}
  app.plain: {reviewer: 张三, reviewed: 2026-11-01, keep: {id: 无含义的内部编号, kept: 接口版本}}
"""


def knowing_xml() -> Binaries | None:
    """The newest server here that was built with libxml, if any: the wheel's was not."""
    return next((b for b in all_binaries() if b.bin_dir.is_relative_to("/usr")), None)


pytestmark = [
    pytest.mark.skipif(knowing_xml() is None, reason="no PostgreSQL with libxml is installed here"),
    pytest.mark.skipif(not is_thorough(), reason="two servers and a whole run: make test-thorough"),
]


def letters() -> Iterator[tuple[int, str, list[str], str, str]]:
    for n in range(ROWS):
        id_no, tel = (CARD, PHONES[n]) if n == 0 else (IDS[n], PHONES[n])
        spelt = "".join(f"&#{ord(c)};" for c in tel)
        told = [shape.format(id=id_no, tel=tel, spelt=spelt) for shape in SHAPES]
        yield (
            n,
            told[n % len(told)],
            [told[(n + 1) % len(told)], told[(n + 2) % len(told)]],
            "<v>1</v>",
            told[(n + 3) % len(told)],
        )


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Endpoint, Endpoint]]:
    with ExitStack() as ending:
        ends = []
        for side in ("source", "copies"):
            binaries, data = knowing_xml(), tmp_path_factory.mktemp(f"xml_{side}") / "data"
            assert binaries
            initialise(binaries, data, password="xml", checksums=False)
            server = PostgresServer(binaries, data)
            server.start(options={"fsync": "off", "max_connections": "40", "jit": "off", "shared_buffers": "16MB"})
            ending.callback(server.stop)
            server.wait_ready()
            ends.append(Endpoint(LOCALHOST, server.port, "postgres", "xml", "postgres"))
        yield ends[0], ends[1]


@pytest.fixture(scope="module")
def made(servers: tuple[Endpoint, Endpoint], ledger: Engine) -> MaskingYard:
    source, copy = make_source(servers[0], "letters_source", SOURCE), make_copy(servers[1], "letters_copy")
    owner = replace(servers[0], dbname=source.dbname)
    with connected(owner) as c, c.cursor() as cursor:
        cursor.executemany("INSERT INTO app.letters VALUES (%s, %s, %s::xml[], %s, %s)", list(letters()))
        c.execute("ANALYZE")
    policy = MaskingPolicyFile.model_validate(yaml.safe_load(POLICY))
    return MaskingYard(ledger, source, copy, owner, replace(servers[1], dbname=copy.dbname), policy)


@pytest.fixture
def yard(made: MaskingYard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MaskingYard:
    confirm(made, tmp_path, monkeypatch)
    return made


def test_xml_is_masked_and_the_net_reads_it(yard: MaskingYard) -> None:
    """The copy passes the whole net; one original in an attribute of a column that was kept, or in an array, and it fails."""
    run = yard.run("xml")
    plan = planned(run)
    holder = Holder(run)
    assert {n: (o.reason, o.after) for n, o in worked(run, plan).items() if o.status is not Status.PASS} == {}
    holder.join(20)
    staging = f"drydock_staging_{run.run_id}_1"
    with connected(yard.copy) as c:
        rows = c.execute(f"SELECT id, body::text, bodies::text[], doc FROM {staging}.letters ORDER BY id").fetchall()
        # the placed XML is still XML to the server, and the phones of one subject still meet
        meets = f"""SELECT count(*) FROM {staging}.letters
            WHERE xmlexists('//letter' PASSING body) AND body IS DOCUMENT AND xmlexists('//letter' PASSING bodies[1])"""
        assert c.execute(meets).fetchone() == (ROWS,)
    texts = "\n".join(str(row) for row in rows)
    assert (
        len(rows) == ROWS
        and [v for v in (*IDS[1:], *PHONES, CARD) if v in texts or "".join(f"&#{ord(x)};" for x in v) in texts] == []
    )
    assert "fragile" in texts and "call " in texts, "what is no value stays"
    told = steps.verify_run(run)
    found = {v.question: v.status for v in told.verdicts}
    assert found.pop("reidentification") is Status.SKIPPED and set(found.values()) == {Status.PASS}, told.verdicts
    residual = next(v for v in told.verdicts if v.question == "residual")
    assert residual.evidence["kinds_found"] > 0
    with connected(yard.copy) as c:
        damage = f"kept = xml '<v to=\"{PHONES[3]}\"/>', bodies = ARRAY[xml '<v>{PHONES[4]}</v>']"
        c.execute(f"UPDATE {staging}.letters SET {damage} WHERE id = 5")
    red = {f.place.split(" ")[0] for v in steps.verify_run(run).verdicts for f in v.findings if f.status is Status.FAIL}
    assert {"app.letters.kept", "app.letters.bodies"} <= red
    assert steps.work_item(run, number_of(plan, "mask_deliver")).reason == "copy_failed_verification"


@pytest.mark.parametrize(
    ("column", "rule", "code"),
    [
        ("body", {"technique": "pseudonym", "kind": "mobile"}, "masking_type_unfit"),
        ("bodies", {"technique": "buckets", "parameters": {"edges": [0, 1]}}, "masking_type_unfit"),
    ],
)
def test_a_rule_that_is_nothing_for_xml_is_refused(yard: MaskingYard, column: str, rule: dict[str, Any], code: str) -> None:
    told = yaml.safe_load(POLICY)
    told["tables"]["app.letters"]["columns"][column] = {"class": "personal", "level": "general_3", **rule}
    with connected(yard.source, row_factory=psycopg.rows.dict_row) as c:
        schema = read_postgres_schema(ask_of(c), ["app"])
    types = {c.name: c.type.family for c in schema.by_key["app.letters"].columns}
    assert types == {"id": "number", "body": "xml", "bodies": "array", "kept": "xml", "doc": "text"}
    assert list(unfit(yard.policy, schema)) == [f for f in unfit(yard.policy, schema) if not f.status.is_red]
    found = {(f.code, f.place) for f in unfit(MaskingPolicyFile.model_validate(told), schema) if f.status.is_red}
    assert (code, f"app.letters.{column}") in found
