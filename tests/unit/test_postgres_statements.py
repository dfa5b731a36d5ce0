"""Changes of PostgreSQL as values: hostile names stay names, and nothing but the known kinds of parts becomes text."""

from __future__ import annotations

from pathlib import Path

import pytest

from drydock import settings
from drydock.engines.postgres_statements import (
    Assignments,
    Body,
    Columns,
    Matches,
    Statement,
    StatementRefused,
    Storage,
    StorageNames,
    Text,
    Word,
    shown_text,
    statement,
)
from drydock.sqlfiles import SqlFileInvalid, sql_file

HOSTILE = 'a"b; DROP TABLE x--%s {table} 报关单.'
QUOTED = '"a""b; DROP TABLE x--%s {table} 报关单."'
HEADER = """-- purpose: one of a test
-- kind: change
-- engine: postgresql 14-19
-- privileges: none
-- locks: none
-- licence: none
-- binds: {binds}
-- columns: none
-- source: a test
"""


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Puts a file where the product's own lie, in a folder of the test."""
    monkeypatch.setattr(settings, "include_dir", lambda: tmp_path)

    def put(name: str, text: str, binds: str = "none") -> None:
        path = tmp_path / "sql" / "postgresql" / "made" / f"{name}.sql"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(HEADER.replace("{binds}", binds) + text, encoding="utf-8")
        sql_file.cache_clear()

    yield put
    sql_file.cache_clear()


def made(name: str, *args: object, **more: object) -> Statement:
    return statement("made", name, *args, **more)


def test_names_are_quoted_and_never_looked_at_again(write) -> None:
    write("drop", "DROP TABLE {table}, {other}", "table (identifier), other (identifier)")
    told = made("drop", {"table": (HOSTILE, "t"), "other": HOSTILE})
    assert told.text == f'DROP TABLE {QUOTED}."t", {QUOTED}'


def test_a_percent_sign_of_a_name_is_no_place_for_a_value(write) -> None:
    write("delete", "DELETE FROM {table} WHERE n = %(n)s", "table (identifier), n (number)")
    told = made("delete", {"table": "50%s"}, {"n": 7})
    assert told.text == 'DELETE FROM "50%%s" WHERE n = %(n)s'
    assert told.binds == {"n": 7}
    assert told.shown == 'DELETE FROM "50%s" WHERE n = %(n)s'


def test_nothing_is_filled_in_where_text_is_quoted(write) -> None:
    text = "DO $$ x {table} $$ '{table}' /* {table} */ {table} -- {table}"
    write("quoted", text, "table (identifier)")
    assert made("quoted", {"table": "t';--"}).text == "DO $$ x {table} $$ '{table}' /* {table} */ \"t';--\" -- {table}"


def test_lists_of_columns(write) -> None:
    write("copy", "SELECT {all} {prefixed} {set} {same} {alike}", "all (x), prefixed (x), set (x), same (x), alike (x)")
    parts = {
        "all": Columns(("a", 'b"')),
        "prefixed": Columns(("a", "b"), "n"),
        "set": Assignments(("a", "b"), "n"),
        "same": Matches(("a", "b"), "l", "r"),
        "alike": Matches(("a",), "l", "r", distinct=True),
    }
    assert made("copy", parts).text == (
        'SELECT "a", "b""" "n"."a", "n"."b" "a" = "n"."a", "b" = "n"."b" '
        '"l"."a" = "r"."a" AND "l"."b" = "r"."b" "l"."a" IS NOT DISTINCT FROM "r"."a"'
    )


def test_words_numbers_and_storage_parameters(write) -> None:
    write("alter", "ALTER TABLE {t} {word} LIMIT {n} SET ({some}) RESET ({names})", "t (x), word (x), n (x), some (x), names (x)")
    some = Storage({"fillfactor": "70", "autovacuum_enabled": "false'"})
    told = made("alter", {"t": "t", "word": Word.ENABLE, "n": 5, "some": some, "names": StorageNames(("toast.fillfactor",))})
    assert told.text == (
        "ALTER TABLE \"t\" ENABLE LIMIT 5 SET (fillfactor = '70', autovacuum_enabled = 'false''') RESET (toast.fillfactor)"
    )


def test_literals_are_not_shown(write) -> None:
    write("comment", "COMMENT ON TABLE {table} IS {text}", "table (identifier), text (literal)")
    told = made("comment", {"table": "t"}, literals={"text": "it's secret"})
    assert told.text == "COMMENT ON TABLE \"t\" IS 'it''s secret'"
    assert shown_text(told) == "comment: COMMENT ON TABLE \"t\" IS '…'"
    told = made("comment", {"table": "t", "text": Text("drydock", shown=True)})
    assert shown_text(told) == "comment: COMMENT ON TABLE \"t\" IS 'drydock'"


def test_the_body_of_a_function_is_a_literal_of_another_file(write) -> None:
    write("inner", "INSERT INTO {log} VALUES ('x')", "log (identifier)")
    write("function", "CREATE FUNCTION {f}() RETURNS trigger LANGUAGE plpgsql AS {body}", "f (identifier), body (literal)")
    told = made("function", {"f": "f", "body": Body(made("inner", {"log": "l'og"}))})
    assert told.text.endswith("AS 'INSERT INTO \"l''og\" VALUES (''x'')'")
    write("bound", "DELETE FROM t WHERE n = %(n)s", "n (number)")
    with pytest.raises(StatementRefused, match="no binds"):
        made("function", {"f": "f", "body": Body(made("bound", binds={"n": 1}))})


@pytest.mark.parametrize(
    ("part", "why"),
    [
        ("", "empty"),
        ("a\0b", "NUL"),
        ("x" * 64, "longer than 63 bytes"),
        ("报" * 22, "longer than 63 bytes"),
        (-1, "whole number"),
        (True, "whole number"),
        (2**63, "whole number"),
        (1.5, "no part of a statement"),
        (b"x", "no part of a statement"),
        (None, "no part of a statement"),
        (Text("a\0"), "NUL"),
        (Columns(()), "empty list"),
        (Storage({"fillfactor); DROP TABLE x; --": "1"}), "no storage parameter"),
        (StorageNames(("search_path",)), "no storage parameter"),
    ],
)
def test_what_no_statement_may_carry(write, part: object, why: str) -> None:
    write("one", "DROP TABLE {it}", "it (x)")
    with pytest.raises(StatementRefused, match=why):
        made("one", {"it": part})


def test_every_place_is_filled_and_no_other(write) -> None:
    write("one", "DROP TABLE {it}", "it (x)")
    for parts in ({}, {"it": "a", "other": "b"}):
        with pytest.raises(SqlFileInvalid):
            made("one", parts)


def test_the_words_are_a_closed_list() -> None:
    with pytest.raises(ValueError):
        Word("ENABLE; DROP TABLE x")
    assert all(word.value.replace(" ", "").isalpha() or not word.value for word in Word)
