"""Expectations of a copy, worked by great-expectations inside the database: a healthy copy, and one damaged in every respect."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from drydock.engines.postgres import Endpoint, connect
from drydock.masking.copy_checks.expectations import Place, Wanted, of_table
from drydock.masking.copy_checks.expectations_copy import PostgresFigures, expect, places_of, verdict
from drydock.masking.copy_checks.expectations_library import library
from drydock.masking.copy_checks.expectations_statements import CHECKED, check_of
from drydock.masking.copy_checks.verifying import source_session
from drydock.masking.values.checks import is_valid
from drydock.masking.verification.results import Expectations, Expected
from drydock.verdicts import Status, Verdict
from tests.db.masking_copies import PEOPLE, STAGING, Copies, make_copies
from tests.unit.masking_policy_samples import a_policy, healthy_schema


@pytest.fixture(scope="module")
def copies(make_database: Any, pg_server: Endpoint) -> Copies:
    return make_copies(make_database, pg_server, "expected")


@contextmanager
def held_picture(source: Endpoint) -> Iterator[str]:
    """A snapshot that a session holds; rows that come later do not stand in it."""
    with psycopg.connect(**asdict(source)) as c:
        c.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        yield c.execute("SELECT pg_export_snapshot()").fetchone()[0]
        c.rollback()


def asked(copies: Copies, folder: Path | None = None, parts: dict[str, int] | None = None) -> tuple[Expectations, Verdict]:
    with held_picture(copies.source) as snapshot:
        with psycopg.connect(**asdict(copies.source), autocommit=True) as c:
            c.execute("INSERT INTO app.people (id, id_no) VALUES (9999, 'later')")
        with source_session(copies.source, snapshot) as source, connect(copies.copy, purpose="test") as delivered:
            places = places_of(copies.policy, copies.schema, STAGING, parts or copies.parts, {}, same_moment=True)
            try:
                figures = PostgresFigures(source, places)
                return expect(copies.policy, copies.schema, STAGING, places, figures, copies.copy, delivered, folder)
            finally:
                with psycopg.connect(**asdict(copies.source), autocommit=True) as c:
                    c.execute("DELETE FROM app.people WHERE id = 9999")


def test_a_type_that_the_library_does_not_know_leaves_no_table_unasked(copies: Copies) -> None:
    """Of a column of one such type (xml, point) it once asked nothing of the whole table: no copy with XML was ever delivered."""
    with psycopg.connect(**asdict(copies.copy), autocommit=True) as c:
        c.execute('CREATE TABLE public.odd ("列 1" int PRIMARY KEY, at point, ats point[], seen xid)')
        c.execute("INSERT INTO public.odd VALUES (1, '(1,2)', NULL, NULL), (2, NULL, NULL, NULL)")
    whole = {"min_value": 1.0, "max_value": 1.0}
    kind = "ExpectColumnProportionOfNonNullValuesToBeBetween"
    wanted = [Wanted("nulls", kind, column, {"column": column, **whole}) for column in ("列 1", "at")]
    with library(copies.copy) as opened:
        answers = opened.ask("public.odd", ("public", "odd"), 2, [*wanted, wanted[0]])
    assert [(a.expected.column, a.expected.held) for a in answers] == [("列 1", True), ("at", False)]
    with psycopg.connect(**asdict(copies.copy), autocommit=True) as c:
        c.execute("DROP TABLE public.odd")


DAMAGE = """
ALTER TABLE app.people ALTER state TYPE text;
UPDATE app.people SET phone = '12' WHERE id = 1;
UPDATE app.people SET card = left(card, -1) || (right(card, 1)::int + 1) % 10 WHERE id = 2;
UPDATE app.people SET full_name = NULL WHERE id = 3;
UPDATE app.people SET photo = '\\x00' WHERE id = 4;
ALTER TABLE app.people DROP CONSTRAINT one_id;
UPDATE app.people SET id_no = (SELECT id_no FROM app.people WHERE id = 5) WHERE id = 6;
UPDATE app.people SET income = income * 1.5;
UPDATE app.people SET doc = '{"v": 2}' WHERE id = 8;
UPDATE app.people SET born_on = born_on - 400;
UPDATE app.orders SET amount = 100 WHERE amount = 1000 AND order_id < 50;
UPDATE app.orders SET paid_at = paid_at + interval '60 days';
ALTER TABLE app.orders DROP CONSTRAINT of_person;
UPDATE app.orders SET people_id = -1 WHERE order_id = 300;
DELETE FROM app.orders WHERE order_id = 599
"""
TOLD = {
    ("expected_type", "app.people"),
    ("expected_format", "app.people.phone"),
    ("expected_check_digit", "app.people.card"),
    ("expected_nulls", "app.people.full_name"),
    ("expected_nulls", "app.people.photo"),
    ("expected_unique", "app.people.id_no"),
    ("expected_kept", "app.people"),
    ("expected_distribution", "app.people.id_no"),
    ("expected_distribution", "app.people.income"),
    ("expected_distribution", "app.people.born_on"),
    ("expected_kept", "app.orders"),
    ("expected_distribution", "app.orders.amount"),
    ("expected_distribution", "app.orders.paid_at"),
    ("expected_join", "app.orders.buyer_id_no"),
    ("expected_join", "app.orders.people_id"),
    ("expected_rows", "app.orders"),
}


def test_a_healthy_copy_then_a_damaged_one(copies: Copies, tmp_path: Path) -> None:
    made, found = asked(copies, tmp_path)
    assert (found.status, found.findings) == (Status.PASS, ())
    assert found.examined == len(made.results) > 40
    assert {one.about for one in made.results} == {
        *("type", "format", "check_digit", "nulls", "unique", "join", "distribution", "kept", "rows"),
    }
    pages_ask_nothing(tmp_path.parent / made.docs)
    with psycopg.connect(**asdict(copies.copy), autocommit=True) as c:
        c.execute(DAMAGE.replace("app.", STAGING["app"] + "."))
    made, found = asked(copies)
    assert {(f.code, f.place) for f in found.findings} == TOLD
    wrong = {(f.code, f.place): (f.values["wanted"], f.values["observed"]) for f in found.findings}
    assert wrong["expected_check_digit", "app.people.card"] == (0, 1)
    assert wrong["expected_rows", "app.orders"] == (600, 599)
    kept = {place: wrong["expected_kept", place][1] for place in ("app.people", "app.orders")}
    assert kept == {"app.people": "doc", "app.orders": "order_id, placed_on, people_id"}, "columns that are kept, by name"
    _, found = asked(copies, parts={"app.people": PEOPLE, "app.orders": 599})
    assert ("expected_rows", "app.orders") in {(f.code, f.place) for f in found.findings}, "the source is asked as well"
    with psycopg.connect(**asdict(copies.copy), autocommit=True) as c:
        c.execute("DROP TABLE app.orders; ALTER TABLE app.people DROP COLUMN born_on".replace("app.", STAGING["app"] + "."))
    _, found = asked(copies)
    told = {(f.code, f.place, f.status) for f in found.findings}
    assert ("expected_type", "app.orders", Status.FAIL) in told
    assert ("expectation_not_asked", "app.people.born_on", Status.UNKNOWN) in told


def pages_ask_nothing(folder: Path, table: str = "app.people", column: str = "income", most: int = 40) -> None:
    """The pages of the library, with all that was asked, and nothing that a browser would fetch."""
    names = {path.name for path in folder.iterdir()}
    assert names == {"index.html", "results.json", "table_001.html", "table_002.html"}
    for page in folder.glob("*.html"):
        text = page.read_text(encoding="utf-8")
        assert "<script" not in text and "<link" not in text and "url(" not in text and "src=" not in text
    page = (folder / "table_001.html").read_text(encoding="utf-8")
    assert table in page and column in page and "Succeeded" in page
    assert len(json.loads((folder / "results.json").read_text(encoding="utf-8"))) > most


@pytest.mark.parametrize(("copied", "slack"), [(1000, 0.002), (998, 0.008), (900, 0.01), (None, 0.01)])
def test_nulls_are_forgiven_by_how_far_the_source_went_on(copied: int | None, slack: float) -> None:
    """One value in a hundred that became NULL was once within what a source of another moment is forgiven."""
    table = healthy_schema().by_key["app.people"]
    place = Place(table, ("app", "people"), ("s", "people"), "", copied, same_moment=False)
    asked = of_table(place, a_policy())
    figures = [1000 if f.what in ("rows", "present", "filled") else 0 for f in asked.figures]
    nulls = {w.column: w.least for w in asked.wanted(figures) if w.about == "nulls" and w.least is not None}
    assert len(nulls) > 5 and {round(1 - least, 6) for least in nulls.values()} == {slack}


def test_no_row_is_never_a_pass() -> None:
    assert verdict(Expectations()).status is Status.UNKNOWN
    empty = Expected(table="app.t", about="rows", expectation="ExpectTableRowCountToEqual", held=True, rows=0)
    assert verdict(Expectations(results=(empty,))).status is Status.UNKNOWN
    assert verdict(Expectations(results=(empty, replace_rows(empty)))).status is Status.PASS


def replace_rows(one: Expected) -> Expected:
    return one.model_copy(update={"rows": 3})


LAST = {
    "cn_id": ("44010619900307001", "0123456789X"),
    "uscc": ("91440101MA5ABCD19", "0123456789ABCDEFGHJKLMNPQRTUWXY"),
    "org_code": ("MA5ABCD1", "0123456789X"),
    "bank_card": ("622588123456789", "0123456789"),
    "imo": ("IMO907472", "0123456789"),
    "container": ("CSQU305438", "0123456789"),
}


@pytest.mark.parametrize("kind", CHECKED)
def test_check_digits_in_the_database_are_those_of_the_standards(kind: str, superuser: psycopg.Connection) -> None:
    """Held against the other implementation, that of discovery: one right digit of all, and nothing else is right."""
    body, digits = LAST[kind]
    texts = [body + digit for digit in digits]
    values = sql.SQL(", ").join(
        sql.SQL("({})").format(sql.Literal(text)) for text in [*texts, "", "x", body, "9" * 40, "中文" * 9]
    )
    check = check_of(kind, "v")
    rows = superuser.execute(sql.SQL("SELECT v, {} FROM (VALUES {}) AS t (v)").format(check, values)).fetchall()
    right = [text for text, is_right in rows if is_right]
    assert right == [text for text in texts if is_valid(kind, text)] and len(right) == 1
    assert superuser.execute(sql.SQL("SELECT {} FROM (SELECT NULL::text AS v) AS t").format(check)).fetchone() == (None,)
