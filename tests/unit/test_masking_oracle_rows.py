"""Batches of an Oracle source: what cannot be carried is told by its column, never by its value; pieces take every type over."""

from __future__ import annotations

from decimal import Decimal

import oracledb
import pyarrow as pa
import pytest

from drydock.masking.kernel.work import ColumnWork, Unmaskable
from drydock.masking.oracle import copy_loading
from drydock.masking.oracle.loading import _writer
from drydock.masking.oracle.numbering import Ends, start_of
from drydock.masking.oracle.piece_columns import piece_columns, with_zones
from drydock.masking.oracle.rows import rows_question, whole_question, with_numbers
from drydock.masking.policies import schema as s
from tests.unit.test_masking_oracle_translating import column

NUMBER, DATE = s.DataType(name="NUMBER", family="number"), s.DataType(name="DATE", family="date")
ZONED = s.DataType(name="TIMESTAMP(6) WITH TIME ZONE", family="date")


def test_an_error_of_a_conversion_holds_no_value() -> None:
    huge = pa.table({"A": ["13800138000." + "7" * 80]})
    with pytest.raises(Unmaskable) as e:
        with_numbers(huge, [ColumnWork(name="A", type=NUMBER)])
    assert "138001" not in str(e.value) and e.value.__cause__ is None and e.value.place == "A"
    with pytest.raises(Unmaskable) as e:
        _writer(ColumnWork(name="B", type=DATE))(pa.chunked_array([["call 13800138000"]]))
    assert "138001" not in str(e.value) and e.value.__suppress_context__


def test_digits_of_any_number_stay() -> None:
    texts = ["1" * 38, "-.000000001", None, "1E+30"]
    made = with_numbers(pa.table({"A": texts}), [ColumnWork(name="A", type=NUMBER)]).column(0).to_pylist()
    assert made == [None if t is None else Decimal(t) for t in texts]


def test_a_zone_is_read_beside_a_moment_that_is_kept_and_taken_over_with_it() -> None:
    works = (ColumnWork(name="A'\"", type=ZONED), ColumnWork(name="N", type=NUMBER))
    pieces = piece_columns(works)
    assert [(p.name, p.type, p.into) for p in pieces] == [
        ("C0", "TIMESTAMP(9)", "A'\""),
        ("C1", "NUMBER", "N"),
        ("Z0", "VARCHAR2(64 CHAR)", ""),
    ]
    assert pieces[0].taken == """CASE WHEN "Z0" IS NOT NULL THEN FROM_TZ("C0", '+00:00') AT TIME ZONE "Z0" END"""
    assert [w.name for w in with_zones(works)][2:] == ["zone of A'\""]
    question = rows_question("O", "T", ["A", "N"], types={"A": ZONED, "N": NUMBER}, zones=["A"])
    assert """TO_CHAR(t."A", 'TZR') AS "Z0" FROM""" in question and "SYS_EXTRACT_UTC" in question
    documents = {"X": s.DataType(name="XMLTYPE", family="xml"), "J": s.DataType(name="JSON", family="json")}
    asked = whole_question("O", "T", list(documents), None, types=documents)
    assert 'XMLSERIALIZE(CONTENT t."X" AS CLOB) AS "X", JSON_SERIALIZE(t."J" RETURNING CLOB) AS "J"' in asked


@pytest.mark.parametrize(
    ("more", "ends", "is_masked", "start"),
    [
        ({"last_value": 77}, [], False, 77),
        ({"last_value": 77}, [Ends(1, 500)], False, 501),
        ({"last_value": 77, "increment": 20}, [Ends(1, 97)], False, 117),
        ({"last_value": 77}, [Ends(None, None)], False, 77),
        ({"last_value": 77}, [Ends(900, 900)], True, 901),
        ({"last_value": 77}, [], True, 1),
        ({"last_value": 100, "maximum": 99}, [], False, 99),
        ({"last_value": 100, "maximum": 99, "cycles": True}, [], False, 1),
        ({"last_value": -8, "increment": -1, "minimum": -1000, "maximum": -1}, [Ends(-40, -2)], False, -41),
        ({"last_value": -8, "increment": -1, "minimum": -1000, "maximum": -1}, [], True, -1),
    ],
)
def test_a_sequence_starts_past_all_that_is_there(more: dict, ends: list[Ends], is_masked: bool, start: int) -> None:
    assert start_of(s.Sequence(schema_name="A", name="N", **more), ends, is_masked=is_masked) == start


class Refusing:
    """A copy whose server refuses a direct path load with one code."""

    def __init__(self, code: str) -> None:
        self.code, self.rows = code, 0

    def direct_path_load(self, *told: object) -> None:
        raise oracledb.DatabaseError(type("E", (), {"full_code": self.code, "code": int(self.code[4:]), "message": ""})())

    def cursor(self) -> Refusing:
        return self

    def __enter__(self) -> Refusing:
        return self

    def __exit__(self, *told: object) -> None: ...

    def executemany(self, text: str, rows: list[object]) -> None:
        self.rows += len(rows)

    def commit(self) -> None: ...


def test_a_type_that_the_server_refuses_goes_in_by_array_and_nothing_else_does() -> None:
    batch = pa.table({"C0": ["<a/>", None]})
    taken = Refusing("ORA-26019")
    assert (copy_loading.load_piece(taken, "O", "P", batch), taken.rows) == ("array", 2)  # type: ignore[arg-type]
    for code in ("ORA-01653", "ORA-00942"):
        with pytest.raises(oracledb.DatabaseError):
            copy_loading.load_piece(Refusing(code), "O", "P", batch)  # type: ignore[arg-type]


def test_names_of_a_copy_on_oracle_meet_in_one_schema_only() -> None:
    """Capitals differ there, 128 bytes are enough; but two schemas become one."""
    from drydock.estate import Engine
    from tests.unit.test_masking_oracle_translating import table, translated

    other = table("T", column("ID"), keys=(s.UniqueKey(name="K", columns=("ID",)),)).model_copy(update={"schema_name": "HR"})
    mine = table("T", column("ID"), keys=(s.UniqueKey(name="K", columns=("ID",)),))
    made = translated(mine, other, table("t"), table("L" * 100), table("DRYDOCK_RUNS"))
    found = {(f.code, f.place) for f in made.findings(Engine.ORACLE)}
    assert found == {("masking_names_meet", "T"), ("masking_names_meet", "K"), ("masking_names_meet", "DRYDOCK_RUNS")}


def test_an_empty_table_of_a_type_that_cannot_be_made_is_told() -> None:
    from drydock.estate import Engine
    from drydock.masking.oracle.translating import Translated
    from tests.unit.test_masking_oracle_translating import table, translated

    made = translated(table("T", column("G", "SDO_GEOMETRY", "other")))
    rules = {key: rule.model_copy(update={"structure_only": True}) for key, rule in made.source_policy.tables.items()}
    bare = Translated(made.source, made.source_policy.model_copy(update={"tables": rules}))
    assert [f.code for f in bare.findings(Engine.ORACLE)] == ["masking_type_not_carried"]
