"""The statements of masked copies on Oracle, in the order in which a copy is made, on tables of their own."""

from __future__ import annotations

from collections.abc import Callable

from drydock.engines.oracle_statements import Statement
from drydock.masking.kernel.work import ColumnWork
from drydock.masking.oracle import copy_statements as st
from drydock.masking.oracle.piece_columns import piece_columns, piece_text
from drydock.masking.policies import schema as s

HOSTILE = "Odd.'; DROP TABLE X --"


def column(name: str, kind: str, family: str, **more: object) -> s.Column:
    return s.Column(name=name, position=1, type=s.DataType(name=kind, family=family), **{"nullable": True, **more})  # type: ignore[arg-type]


PEOPLE = s.Table(
    schema_name="APP",
    name="COPY_PEOPLE",
    columns=(
        column("ID", "NUMBER(12)", "number", nullable=False),
        column("PHONE", "VARCHAR2(20 CHAR)", "text"),
        column("BORN_ON", "DATE", "date"),
        column(HOSTILE, "TIMESTAMP(6)", "date"),
        column("SEEN_AT", "TIMESTAMP(6) WITH TIME ZONE", "date"),
        column("SENT_AT", "TIMESTAMP(6) WITH LOCAL TIME ZONE", "date"),
        column("TOOK", "INTERVAL DAY(2) TO SECOND(6)", "time"),
        column("LASTED", "INTERVAL YEAR(2) TO MONTH", "time"),
        column("TWICE", "NUMBER", "number", generated="virtual"),
    ),
)
ORDERS = s.Table(schema_name="APP", name="COPY_ORDERS", columns=(column("PEOPLE_ID", "NUMBER(12)", "number"),))
NUMBERED = s.Table(
    schema_name="APP", name="COPY_NUMBERED", columns=(column("ID", "NUMBER(12)", "number", nullable=False, identity="always"),)
)
DIVISION = (
    """PARTITION BY RANGE ("PEOPLE_ID") (PARTITION "P'; --" VALUES LESS THAN (5), PARTITION "Q" VALUES LESS THAN (MAXVALUE))"""
)
SEQUENCE = s.Sequence(schema_name="APP", name="COPY_NO", increment=2, minimum=1, maximum=10**27, cache=20)
IDENTITY = {("APP.COPY_NUMBERED", "ID"): SEQUENCE}
PART = {"schema_name": "APP", "name": "COPY_PEOPLE", "first_page": 0, "end_page": -1}
FIGURES = {"rows_copied": 0, "bytes_copied": 0, "elapsed_s": 1.5}
PICTURE = {"generation": 1, "xids": "0123", "identity": "4711"}
Build = Callable[[str], Statement]


def works_of_people() -> list[ColumnWork]:
    return [ColumnWork(name=c.name, type=c.type) for c in PEOPLE.columns if not c.generated]


def steps() -> list[tuple[str, Build, str]]:
    """(name, how it is made for an owner, the error that it must end with)."""
    people, orders, piece = PEOPLE.name, ORDERS.name, f"{st.PIECE}0"
    names = [c.name for c in PEOPLE.columns if not c.generated]
    columns = st.columns_of(PEOPLE, {"PHONE": "'none'"}, {"TWICE": '"ID" * 2'})
    taken = piece_columns(works_of_people())
    return [
        ("copy/runs", lambda o: st.create_table(o, st.RUNS, st.MACHINERY[st.RUNS]), ""),
        ("copy/parts", lambda o: st.create_table(o, st.PARTS, st.MACHINERY[st.PARTS]), ""),
        ("copy/table", lambda o: st.create_table(o, people, columns), ""),
        ("copy/table that is there", lambda o: st.create_table(o, people, columns), "ORA-00955"),
        ("copy/piece", lambda o: st.create_table(o, piece, piece_text(taken)), ""),
        ("copy/child", lambda o: st.create_table(o, orders, st.columns_of(ORDERS, {})), ""),
        ("copy/run", lambda o: st.written("run_add", run_id=7), ""),
        ("copy/generation", lambda o: st.written("generation_set", run_id=7, **PICTURE), ""),
        ("copy/empty the piece", lambda o: st.empty_table(o, piece), ""),
        ("copy/take over", lambda o: st.take_rows(o, people, piece, names, [c.taken for c in taken if c.into]), ""),
        ("copy/part", lambda o: st.written("part_add", run_id=7, generation=1, **PART, **FIGURES), ""),
        ("copy/key", lambda o: st.add_constraint(o, people, "COPY_PK", f"PRIMARY KEY ({st.listed(['ID'])})"), ""),
        ("copy/check", lambda o: st.add_constraint(o, people, "COPY_CK", 'CHECK (LENGTH("PHONE") > 3)'), ""),
        ("copy/link", lambda o: st.add_constraint(o, orders, "COPY_FK", link_to(o)), ""),
        ("copy/index", lambda o: st.create_index(o, people, "COPY_BORN", ["BORN_ON", HOSTILE], unique=False), ""),
        ("copy/unique index", lambda o: st.create_index(o, people, "COPY_PHONE", ["PHONE"], unique=True), ""),
        ("copy/comment of a table", lambda o: st.comment_on(o, people, "", "人员's; --"), ""),
        ("copy/comment of a column", lambda o: st.comment_on(o, people, HOSTILE, "x"), ""),
        ("copy/identity table", lambda o: st.create_table(o, "COPY_NUMBERED", st.columns_of(NUMBERED, {}, {}, IDENTITY)), ""),
        ("copy/identity", lambda o: st.identity_past_rows(o, "COPY_NUMBERED", NUMBERED.columns[0], SEQUENCE), ""),
        ("copy/divided table", lambda o: st.create_table(o, "COPY_DIVIDED", st.columns_of(ORDERS, {}), DIVISION), ""),
        ("copy/draw from no sequence", lambda o: st.draw_from(o, people, "ID", "COPY_NO"), "ORA-02289"),
        ("copy/sequence", lambda o: st.create_sequence(o, SEQUENCE, 77), ""),
        ("copy/sequence past its end", lambda o: st.create_sequence(o, SEQUENCE, 2 * 10**27), "ORA-04008"),
        ("copy/draw", lambda o: st.draw_from(o, people, "ID", "COPY_NO"), ""),
        ("copy/deliver", lambda o: st.deliver(o, [people, orders], [o.replace("OWNER", "BARE")]), ""),
        ("copy/deliver to nobody", lambda o: st.deliver(o, [people], ["DRYDOCK_TEST_NOBODY"]), "ORA-01917"),
        ("copy/forget parts", lambda o: st.written("parts_forget"), ""),
        ("copy/forget runs", lambda o: st.written("runs_forget"), ""),
        ("copy/no sequence", lambda o: st.drop_sequence(o, "COPY_NO"), ""),
        *(
            (f"copy/drop {n}", lambda o, n=n: st.drop_table(o, n), "")
            for n in ("COPY_NUMBERED", "COPY_DIVIDED", people, orders, piece, st.PARTS, st.RUNS)
        ),
    ]


def link_to(owner: str) -> str:
    return f'FOREIGN KEY ("PEOPLE_ID") REFERENCES "{owner}"."{PEOPLE.name}" ("ID") ENABLE VALIDATE'
