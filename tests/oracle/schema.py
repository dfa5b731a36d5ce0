"""The seeded schema with its planted faults, as plain SQL of Oracle from 11.2 on. What an edition lacks is left out."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from tests.oracle.live_target import ServerFacts

SPACE = "TABLESPACE DRYDOCK_TEST_DATA"
ROWS = 4000
KEY = Decimal("12345678901234567890123456789012345678")
HOSTILE_NAMES = ("SELECT", "a'b", "x; DROP TABLE y --", "报关单", "with space", "MiXeD", "{brace}", ":bind", "%s")
LONGEST_SINCE_12_2 = "N" * 128


@dataclass(frozen=True)
class Step:
    """Statements that belong together. `needs`: steps without which it cannot be."""

    name: str
    sql: tuple[str, ...]
    needs: tuple[str, ...] = ("tablespace",)


def names_for(facts: ServerFacts) -> tuple[str, ...]:
    return (*HOSTILE_NAMES, LONGEST_SINCE_12_2) if facts.version >= (12, 2) else HOSTILE_NAMES


def steps(facts: ServerFacts) -> tuple[Step, ...]:
    """All steps for this server, in order."""
    found = [*_plain_steps(), _hostile(facts), _types(facts)]
    if "Partitioning" in facts.options:
        found += _partitioned()
    if facts.version >= (23,):
        found.append(_types_of_23())
    return tuple(found)


def _plain_steps() -> list[Step]:
    filled = f"SELECT LEVEL, {KEY} - LEVEL, 'name ' || LEVEL, RPAD('x', 400, 'x') FROM dual CONNECT BY LEVEL <= {ROWS}"
    columns = "id NUMBER(12) NOT NULL, key38 NUMBER(38), name VARCHAR2(60), filler VARCHAR2(500)"
    return [
        Step(
            "declarations",
            (
                f"CREATE TABLE declarations ({columns}, CONSTRAINT declarations_pk PRIMARY KEY (id)) {SPACE}",
                f"INSERT INTO declarations {filled}",
                f"CREATE INDEX declarations_name ON declarations (name) {SPACE}",
            ),
        ),
        Step(
            "lob", (f"CREATE TABLE papers (id NUMBER, body CLOB) {SPACE}", "INSERT INTO papers VALUES (1, RPAD('y', 3000, 'y'))")
        ),
        # planted: three of four rows are gone, the high-water mark stays
        Step("holes", ("DELETE FROM declarations WHERE MOD(id, 4) <> 0",), ("declarations",)),
        # planted: an index that no query may use, and whose table takes no row with that key
        Step(
            "unusable",
            (
                f"CREATE TABLE broken (id NUMBER) {SPACE}",
                f"CREATE UNIQUE INDEX broken_ix ON broken (id) {SPACE}",
                "ALTER INDEX broken_ix UNUSABLE",
            ),
        ),
        # planted: rows that the redo does not know
        Step("nologging", (f"CREATE TABLE loaded {SPACE} NOLOGGING AS SELECT LEVEL AS id FROM dual CONNECT BY LEVEL <= 1000",)),
        Step("locked", (f"CREATE TABLE locked (id NUMBER) {SPACE}", "INSERT INTO locked VALUES (1)")),
    ]


def _hostile(facts: ServerFacts) -> Step:
    made = []
    for name in names_for(facts):
        text = name.replace("'", "''")
        made += [f'CREATE TABLE "{name}" (k NUMBER, t VARCHAR2(400)) {SPACE}', f"INSERT INTO \"{name}\" VALUES ({KEY}, '{text}')"]
    return Step("hostile", tuple(made))


def _types(facts: ServerFacts) -> Step:
    columns = (
        "a VARCHAR2(20), b CHAR(5), c NVARCHAR2(10), d NUMBER, e NUMBER(38), f FLOAT, g BINARY_FLOAT, h BINARY_DOUBLE, i DATE, "
        "j TIMESTAMP(6), k TIMESTAMP(3) WITH TIME ZONE, l TIMESTAMP(6) WITH LOCAL TIME ZONE, m INTERVAL YEAR TO MONTH, "
        "n INTERVAL DAY TO SECOND, o RAW(8), p CLOB, q NCLOB, r BLOB, s LONG"
    )
    values = (
        f"'text', 'fixed', '国', 0.1, {KEY}, 2.5, 1.5, 2.25, DATE '2026-11-20', TIMESTAMP '2026-11-20 07:30:00.123456', "
        "TIMESTAMP '2026-11-20 07:30:00.123 +08:00', TIMESTAMP '2026-11-20 07:30:00', INTERVAL '2-3' YEAR TO MONTH, "
        "INTERVAL '4 05:06:07.5' DAY TO SECOND, HEXTORAW('00FF'), 'clob', '大对象', HEXTORAW('CAFE'), 'long'"
    )
    return Step("types", (f"CREATE TABLE every_type ({columns}) {SPACE}", f"INSERT INTO every_type VALUES ({values})"))


def _types_of_23() -> Step:
    return Step(
        "types_of_23",
        (
            f"CREATE TABLE new_types (a BOOLEAN, b JSON, c VECTOR(3, FLOAT32)) {SPACE}",
            "INSERT INTO new_types VALUES (TRUE, '{\"n\": 1}', '[1, 2, 3]')",
        ),
    )


def _partitioned() -> list[Step]:
    parts = "PARTITION p1 VALUES LESS THAN (1000), PARTITION p2 VALUES LESS THAN (2000)"
    return [
        Step(
            "partitioned",
            (
                f"CREATE TABLE moves (id NUMBER(12), name VARCHAR2(60)) {SPACE} PARTITION BY RANGE (id) ({parts})",
                "INSERT INTO moves SELECT LEVEL, 'move ' || LEVEL FROM dual CONNECT BY LEVEL <= 1900",
                "CREATE INDEX moves_id ON moves (id) LOCAL",
            ),
        )
    ]
