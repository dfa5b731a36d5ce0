"""Definitions of other servers as parts of statements: cut into tokens, given other schemas, refused where they reach further."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drydock.engines.postgres_statements import Clauses, Definition, StatementRefused, Storage, Text, Word, shown_text, statement
from drydock.engines.postgres_tokens import NoExpression, Sort, tokens, without_literals
from drydock.masking.postgres.holding import kinds_in, kinds_in_name, scrubbed
from drydock.masking.postgres.retarget import Reference, literals, references, retargeted

NAMES = {"decl": "copy_1", 'o"d': "copy 2"}


def test_tokens_are_the_text_again_and_mean_what_they_say() -> None:
    text = """(("A""b" ->> 'it''s'::text) = ANY (ARRAY[E'back\\\\slash\\u0041', B'101'])) AND x >= -1.5e3 OR decl.f(列) IS NULL"""
    found = tokens(text)
    assert "".join(token.written for token in found) == text
    assert [t.value for t in found if t.sort is Sort.TEXT] == ["it's", "back\\slashA", "101"]
    assert [t.value for t in found if t.sort is Sort.NAME][:2] == ['A"b', "text"]
    assert [t.written for t in found if t.sort is Sort.NUMBER] == ["1.5e3"]
    assert without_literals("CHECK (a <> '13800138000' AND b < 42)") == "CHECK (a <> '…' AND b < 0)"


@pytest.mark.parametrize(
    "text",
    [
        "1; DROP TABLE x",
        "(1",
        "1)",
        "[1)",
        "'open",
        '"open',
        "1 -- rest",
        "/* rest",
        "$$ x $$",
        "$1",
        "a\\b",
        "\0",
        "x" * 1_000_001,
    ],
)
def test_what_is_no_expression_of_one_piece_is_refused(text: str) -> None:
    with pytest.raises(NoExpression):
        tokens(text)
    with pytest.raises(StatementRefused):
        statement("masking", "attach_partition", {"parent": "a", "partition": "b", "bound": Definition(text)})


@pytest.mark.parametrize("text", ["", " ", "1, DROP COLUMN x"])
def test_a_definition_is_not_empty_and_no_list(text: str) -> None:
    with pytest.raises(StatementRefused):
        statement("masking", "attach_partition", {"parent": "a", "partition": "b", "bound": Definition(text)})
    assert statement("masking", "create_statistics", {"statistics": "a", "body": Definition("a, b FROM c", commas=True)})


def test_clauses_are_put_together_and_shown_without_data() -> None:
    changes = Clauses(
        (
            (Word.ADD_CONSTRAINT, "c", Definition("CHECK ((a <> '13800138000'::text))")),
            (Word.SET, Clauses(((Storage({"fillfactor": "70"}),),), in_brackets=True)),
        )
    )
    told = statement("masking", "alter_staging_table", {"table": ("s", "t"), "changes": changes})
    wanted = """ADD CONSTRAINT "c" CHECK ((a <> '13800138000'::text)), SET (fillfactor = '70')"""
    assert told.text == f'ALTER TABLE ONLY "s"."t" {wanted}'
    assert "13800138000" not in shown_text(told) and "CHECK ((a <> '…'::text))" in shown_text(told)
    labels = statement("masking", "create_enum", {"type": "t", "labels": Clauses(((Text("a'b"),), (Text("c"),)))})
    assert labels.text == "CREATE TYPE \"t\" AS ENUM ('a''b', 'c')" and "a''b" not in shown_text(labels)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("nextval('decl.numbers'::regclass)", """nextval('"copy_1".numbers'::regclass)"""),
        ("""nextval('"o""d"."S''q"'::regclass)""", """nextval('"copy 2"."S''q"'::regclass)"""),
        ("'decl'::text || 'decl.x'::text", "'decl'::text || 'decl.x'::text"),
        ("(a OPERATOR(decl.+) b)", '(a OPERATOR("copy_1".+) b)'),
        ("decl.state[]", '"copy_1".state[]'),
        ('"o""d".f(decl, x.decl, (y).decl)', '"copy 2".f(decl, x.decl, (y).decl)'),
        ("FOREIGN KEY (decl) REFERENCES decl.decl(decl)", 'FOREIGN KEY (decl) REFERENCES "copy_1".decl(decl)'),
        ("decl.*", "decl.*"),
        ("'decl'::regnamespace", "'copy_1'::regnamespace"),
        ("'not ; a name'::regclass", "'not ; a name'::regclass"),
        ("DECL.x", '"copy_1".x'),
        ('"DECL".x', '"DECL".x'),
    ],
)
def test_only_names_of_schemas_are_given_others(text: str, wanted: str) -> None:
    assert retargeted(text, NAMES) == wanted


def test_what_a_definition_names_and_what_it_holds() -> None:
    text = "decl.low((phone)::text) COLLATE decl.de = 'decl.x' AND nextval('decl.q'::regclass) > 5"
    assert references(text) == (
        Reference("decl", "low", True),
        Reference("decl", "de"),
        Reference("decl", "q"),
    )
    assert literals(text) == ("decl.x", "5")


@given(st.text(alphabet=st.characters(blacklist_characters="\0", blacklist_categories=("Cs",)), max_size=40))
def test_a_literal_survives_whatever_stands_in_it(value: str) -> None:
    written = "'" + value.replace("'", "''") + "'"
    assert retargeted(f"decl.f({written})", NAMES) == f'"copy_1".f({written})'
    assert literals(written) == (value,)


def test_kinds_of_values_in_literals_and_names() -> None:
    assert kinds_in("１３８００１３８０００") == {"mobile"} and kinds_in(r"\x3133383030313338303030") == {"mobile"}
    assert kinds_in("2026-01-01") == set() and kinds_in("^1[3-9][0-9]{9}$") == set() and kinds_in("9223372036854775807") == set()
    assert kinds_in("张三") == set() and kinds_in("张三", {"name"}) == {"name"} and kinds_in("12", {"credential"}) == set()
    assert kinds_in_name("p13800138000a") == {"mobile"} and kinds_in_name("p_20260101_20260201") == set()
    assert scrubbed("手机号，例：13800138000。") == "手机号，例：[mobile]。" and scrubbed("海关编码（4位）") == "海关编码（4位）"


def test_a_definition_has_a_bound() -> None:
    with pytest.raises(NoExpression, match="more than"):
        tokens("x" * 1_000_001)
