"""Fingerprints: the same statement with other values is one, another statement is another; by kernel and Python alike."""

from __future__ import annotations

import random

import polars as pl
import pytest
import sqlglot
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlglot import exp

from drydock.audit.kernel import compiled
from drydock.audit.statements import fingerprints
from drydock.audit.statements.fingerprints import DESCRIBED, describe, fingerprint
from drydock.audit.statements.injections import MARKS
from drydock.audit.statements.normalising import normalise
from drydock.audit.statements.statement_facts import facts_of

KERNEL = compiled.load().kernel
WORDS = (
    "select SELECT a b.c 'x' 'it''s' E'a\\'b' e'\\ q'[x]' q'!a!' nq'<z>' N'x' $$ $1 :x :: ? *** 1 -1 +2 1.5e-3 0xFF .5 1..2 "
    "--c /*x*/ /* */ ( ) , ; = <> || or null true default values in \"Q\" \" ' U&'x' 中文 [ ] { } . @ - + is not é "
    "$ # 1or 1f 1d2 0b1 0o7 (1,2)"
)
ODD = ("\n", "\0", "--c\n", "$a$ x $a$", "/* /* */", "'\\x" + "ab" * 20 + "'", "0x" + "af" * 20, "(1),(1)", " ", "x'ff'", "(a,1)")
FRAGMENTS = (*WORDS.split(" "), *ODD)


@pytest.mark.skipif(KERNEL is None, reason="no C compiler")
@settings(max_examples=400, deadline=None)
@given(st.lists(st.one_of(st.sampled_from(FRAGMENTS), st.text(max_size=5)), max_size=14), st.sampled_from(["", " "]))
def test_the_kernel_and_python_write_the_same_form(parts: list[str], between: str) -> None:
    text = between.join(parts)
    forms, seen = KERNEL.forms(pl.Series([text], dtype=pl.String))
    assert (forms[0], int(seen[0])) == tuple(normalise(text))


SAME = [
    ("SELECT a FROM t WHERE id = 1", "select  a\nfrom t -- c\n where id=-27"),
    ("select a from t where id in (1, 2, 3)", "select a from t where id in (9)"),
    ("select 1 from t where a = 'x''y'", "select 2 from t where a = $q$it's$q$"),
    ("insert into t values (1, 'a', now()), (2, 'b', now())", "insert into t values (3, null, now())"),
    ("select :a, a-1 from dual", "select ?, a - 22 from dual"),
    ("update t set a = q'[it's]' where b = N'x'", "update t set a = 'y' where b = E'\\''"),
    ("select 1;", "select 2"),
    ("select a from t where b = date '2026-01-01'", "select a from t where b = date '2025-02-03'"),
    ("select /*+ full(t) */ a from t", "select a from t"),
    ('alter user a identified by "geheim"', "alter user a identified by anders"),
]
OTHER = [
    ("select a from t", "select b from t"),
    ("select a from t where b is null", "select a from t where b is not null"),
    ("select a from t where b = 1", "select a from t where b > 1"),
    ('select "A" from t', "select a from t"),
    ("select a - b from t", "select a + b from t"),
    ("select f(1), f(2)", "select f(1)"),
    ("delete from t", "delete from t where a = 1"),
    ("select a where 1 = 1", "select a where b = 1"),
]


@pytest.mark.parametrize(("one", "two"), SAME)
def test_the_same_with_other_values(one: str, two: str) -> None:
    assert fingerprint(one) == fingerprint(two) != ""


@pytest.mark.parametrize(("one", "two"), OTHER)
def test_another_statement_is_another(one: str, two: str) -> None:
    assert fingerprint(one) != fingerprint(two)


def test_nothing_has_no_fingerprint() -> None:
    assert fingerprint("") == fingerprint(" \n\0") == ""
    assert describe(pl.Series(["", None, "  "], dtype=pl.String)).height == 0
    assert fingerprint("\ud800 select 1") and fingerprint("-- only a comment")


SECRET = "hunter2zebra"
HIDING = [
    f"alter user a identified by {SECRET}",
    f"select '{SECRET}",
    f"select $x${SECRET}",
    f"select q'[{SECRET}",
    f"select /* /* */ ' */ '{SECRET}'",
    f"select E'\\\\', '{SECRET}'",
    f"set password = {SECRET}",
    f'select "{SECRET}',
    f"select '{SECRET}' -- {SECRET}",
    f"select 1 /* {SECRET}",
    f"create role a password '{SECRET}'",
    f'select "a\n{SECRET}"',
    f"select U&'{SECRET}', N'{SECRET}', b'{SECRET}', nq'!{SECRET}!', E'{SECRET}\\''",
]


@pytest.mark.parametrize("text", HIDING)
def test_no_value_stands_in_the_normalised_text(text: str) -> None:
    assert SECRET not in describe(pl.Series([text]))["normalised"][0]


WORLDS = [
    ("select a from t where b = 'x' or '1'='1'", {"tautology"}),
    ("select a from t where b = 1 or 2 > 1", {"tautology"}),
    ("select a from t where b = 1 or a = a", {"tautology"}),
    ("select a from t where b = 1 or 1 = 2", set()),
    ("select a from t where 1 = 1 and b = 3", set()),
    ("select a from t where ('all' = $1 or b = $2)", set()),
    ("select a from t where b = '' union select null, version(), null", {"union_select"}),
    ("select a from t union all select table_name from information_schema.tables", {"union_select"}),
    ("select a from t union all select b from u", set()),
    ("select a from t where b = 'x'--' and c = 'y'", {"comment_tail"}),
    ("select a from t where b = 'x' /*", {"comment_tail"}),
    ("select a from t -- everything that is new since yesterday", set()),
    ("select 1; drop table t", {"stacked"}),
    ("begin update t set a = 1 where b = 2; commit; end;", set()),
    ("select pg_sleep(10)", {"time_delay"}),
    ("begin dbms_lock.sleep(5); end;", {"time_delay"}),
    ("select utl_http.request('http://x/') from dual", {"out_of_band"}),
    ("select dblink_connect('host=x')", {"out_of_band"}),
    ("select 0x" + "41" * 20, {"hex_blob"}),
    ("select chr(65)||chr(66)||chr(67)||chr(68)", {"hex_blob"}),
    ("delete from t", {"all_rows"}),
    ("update t set a = 1 where 1 = 1", {"all_rows"}),
    ("delete from t where b = 3 or 'a' = 'a'", {"tautology", "all_rows"}),
    ("with d as (delete from t returning *) select * from d", {"all_rows"}),
    ("delete from t b where b.id = b.id", {"all_rows"}),
    ("update t set a = 1 where id is null or id is not null;", {"all_rows"}),
    ("merge into t using s on (1 = 1) when matched then update set t.a = s.a", {"all_rows"}),
    ("select set_config('log_statement', 'none', false)", {"hidden_setting"}),
    ("DO $$ BEGIN EXECUTE 'SET pgaudit.log = none'; END $$", {"hidden_setting"}),
    ("update pg_settings set setting = 'none' where name = 'log_statement'", {"hidden_setting"}),
    ("delete from t b where b.id = b.id_of_parent", set()),
    ("delete from t b where b.id = b.id and b.c = 3", set()),
    ("update t set a = 1 where id is null or c is not null", set()),
    ("merge into t using s on (t.a = s.a) when matched then update set b = 1", set()),
    ("select set_config('search_path', '', false)", set()),
    ("update notes set text = 'log_statement' where id = 1 or 1 = 1", {"tautology", "all_rows"}),
    ("delete from t where b in (select c from u)", set()),
    ("select a from t for update", set()),
    ("insert into t values (1) on conflict (a) do update set b = 2", set()),
    ("copy t to program 'gzip > /tmp/x'", {"export", "out_of_band"}),
    ("copy (select * from t) to stdout", {"export"}),
    ("copy t from stdin", set()),
    ("begin dbms_datapump.open('EXPORT'); end;", {"export"}),
    ("select 'x", {"open_quote"}),
    ("select 1 /* /* */ from t", {"nested_comment"}),
]


@pytest.mark.parametrize(("text", "marks"), WORLDS)
def test_marks(text: str, marks: set[str]) -> None:
    assert set(describe(pl.Series([text]))["marks"][0]) == marks


def test_every_mark_is_seen_once() -> None:
    assert {mark for _, marks in WORLDS for mark in marks} == set(MARKS)


FACTS = [
    ("select * from hr.emp e, dept d where e.a = d.a", "SELECT", ["hr.emp", "dept"], True),
    ("insert into a.b select * from c join d using (x)", "INSERT", ["a.b", "c", "d"], None),
    ("with x as (select * from a) update b set c = x.c from x where b.i = x.i", "UPDATE", ["a", "b"], True),
    ("select extract(year from born) from p", "SELECT", ["p"], False),
    ("merge into t using s on (t.a = s.a) when matched then update set b = 1", "MERGE", ["t", "s"], None),
    ("truncate a, b.c", "TRUNCATE TABLE", ["a", "b.c"], None),
    ("create or replace view v as select * from w", "CREATE VIEW", ["v", "w"], None),
    ('select * from "T x"."Y"', "SELECT", ["T x.Y"], False),
    ("grant select on hr.emp to bob", "GRANT", ["hr.emp"], None),
    ("select a from t where b is distinct from c", "SELECT", ["t"], True),
    ("select (select max(x) from u where u.i = t.i) from t", "SELECT", ["u", "t"], False),
    ("delete from only t using v where t.a = v.a", "DELETE", ["t", "v"], True),
    ("declare x int; begin select a into x from t; end;", "DECLARE", ["t"], None),
]


@pytest.mark.parametrize(("text", "verb", "objects", "has_where"), FACTS)
def test_verb_objects_and_where(text: str, verb: str, objects: list[str], has_where: bool | None) -> None:
    told = describe(pl.Series([text])).row(0, named=True)
    assert (told["verb"], told["objects"], told["has_where"]) == (verb, objects, has_where)


def made_queries(count: int) -> list[str]:
    """Queries of a grammar of their own, with joins, lists, subqueries and WITH."""
    draws = random.Random(6)
    names = [f"{schema}{table}" for schema in ("", "hr.", "shop.") for table in ("emp", "dept", "orders", "lines", "pay")]

    def source(depth: int) -> str:
        kind = draws.randrange(4 if depth else 2)
        if kind == 3:
            return f"({query(depth - 1)}) q{draws.randrange(99)}"
        if kind == 2:
            return f"{draws.choice(names)} x{draws.randrange(99)} left join {draws.choice(names)} y on x.a = y.a"
        return f"{draws.choice(names)} t{draws.randrange(99)}"

    def query(depth: int) -> str:
        text = f"select a, count(*), 'x, y' from {', '.join(source(depth) for _ in range(draws.randint(1, 3)))}"
        if draws.random() < 0.5:
            text += f" where b in (select c from {source(0)}) and d = {draws.randrange(9)}"
        return text + draws.choice(
            ["", " group by a", " order by a, b", " union all select 1, 2, 'z' from " + draws.choice(names)]
        )

    heads = ["", "insert into shop.copies ", "with w as (select 1 from hr.pay) ", "create table shop.made as "]
    return [draws.choice(heads) + query(2) for _ in range(count)]


def test_objects_are_those_that_a_parser_finds() -> None:
    for text in made_queries(150):
        tree = sqlglot.parse_one(text, read="postgres")
        hidden = {cte.alias for cte in tree.find_all(exp.CTE)}
        theirs = {".".join(part for part in (t.db, t.name) if part) for t in tree.find_all(exp.Table)} - hidden
        assert set(facts_of(normalise(text).text).objects) == theirs, text


def test_forms_part_statements_as_an_independent_tokeniser_does() -> None:
    """Two queries have one form exactly where their tokens without values are the same."""

    def other_way(text: str) -> str:
        values = ("NUMBER", "STRING")
        return " ".join("?" if token.token_type.name in values else token.text.lower() for token in sqlglot.tokenize(text))

    texts = made_queries(150) + [text.replace("'x, y'", "'z'").upper().replace("'Z'", "'z'") for text in made_queries(40)]
    ours, theirs = [normalise(text).text for text in texts], [other_way(text) for text in texts]
    joined = {(a, b) for a, b in zip(ours, theirs, strict=True)}
    assert len(set(theirs)) == len(joined), "what they take for one, we take for one"
    apart = len(set(theirs)) - len(set(ours))
    assert 0 <= apart <= 3, "lists of values are one to us"


def test_the_columns_are_the_contract_and_python_alone_tells_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = pl.Series([text for text, *_ in WORLDS] + HIDING + [text for pair in SAME + OTHER for text in pair])
    told = describe(texts)
    assert told.schema == pl.Schema(DESCRIBED) and told["text"].is_unique().all()
    monkeypatch.setattr(fingerprints, "load", lambda: compiled.Loaded(None, "no compiler"))
    assert describe(texts).equals(told)


def test_hostile_sizes_cost_little() -> None:
    deep = "select " + "(" * 20_000 + "1" + ")" * 20_000
    long = "insert into t values " + ",".join(f"({n}, 'x', now())" for n in range(20_000))
    told = describe(pl.Series([deep, long, "select '" + "x" * 1_000_000, "-" * 100_000, "/*" * 50_000, "'" * 99_999]))
    assert told.height == 6 and told["normalised"].str.len_chars().max() <= 4_000
    assert told["normalised"][1] == "insert into t values(?, now())"


@pytest.mark.parametrize("options", ["", "analyze ", "(full, analyze) ", "full freeze verbose analyze "])
def test_options_of_upkeep_are_no_object(options: str) -> None:
    told = describe(pl.Series([f"VACUUM {options}trade.orders", "vacuum (analyze)", "analyze verbose"]))
    assert told["objects"].to_list() == [["trade.orders"], [], []]
