"""The verification of a whole copy: healthy, and damaged in one place each time."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest

from drydock.engines.postgres import Endpoint, connect
from drydock.masking.copy_checks import verifying
from drydock.masking.copy_checks.verifying import CopyVerification, _xids, is_unchanged, verify_copy
from drydock.masking.verification.results import Expectations
from drydock.verdicts import Status, skip
from tests.db.masking_copies import BIRD_CARD, BIRD_ID, BIRD_NAME, PEOPLE, STAGING, Copies, make_copies
from tests.unit.net_samples import resident_ids

NOW = datetime(2026, 11, 22, 3, tzinfo=UTC)
NET = ("residual", "originals", "canaries", "reidentification")


@pytest.fixture(autouse=True)
def only_the_net(monkeypatch: pytest.MonkeyPatch) -> None:
    """The expectations have a test of their own: tests/db/test_masking_expectations.py."""
    skipped = skip("expectations", "nothing_examined")
    monkeypatch.setattr(verifying, "expect", lambda *_: (Expectations(), skipped))


@pytest.fixture(scope="module")
def copies(make_database: Any, pg_server: Endpoint) -> Copies:
    return make_copies(make_database, pg_server, "verified")


def verified(copies: Copies, **changes: Any) -> CopyVerification:
    asked: dict[str, Any] = {
        **asdict(copies),
        "parts": copies.parts,
        "snapshot": None,
        "staging": STAGING,
        "now": NOW,
        "processes": 1,
    }
    asked |= {"source": copies.source, "copy": copies.copy, "policy": copies.policy, "schema": copies.schema}
    return verify_copy(**asked | changes)


def statuses(found: CopyVerification) -> dict[str, str]:
    return {v.question: v.status.value for v in found.verdicts if v.question in NET}


def findings(found: CopyVerification) -> set[tuple[str, str]]:
    return {(f.code, f.place) for v in found.verdicts for f in v.findings if v.question in NET}


def test_a_healthy_copy_is_let_through(copies: Copies) -> None:
    found = verified(copies)
    assert findings(found) == set()
    assert statuses(found) == dict.fromkeys(NET, "PASS")


DAMAGES: dict[str, tuple[str, set[tuple[str, str]]]] = {
    "an original left in one row of a column where chance could bring one": (
        "UPDATE app.people SET id_no = '{id}' WHERE id = 3",
        {("canary_in_copy", "app.people.id_no")},
    ),
    "originals side by side in a kept array": (
        "UPDATE app.people SET tags = ARRAY['{other}', 'x {another}'] WHERE id = 3",
        {(code, "app.people.tags") for code in ("originals_in_copy", "kind_not_declared")},
    ),
    "in free text, over a line break": (
        "UPDATE app.people SET note = E'x {id9}\\n{id_rest}' WHERE id = 3",
        {("originals_in_copy", "app.people.note"), ("canary_in_copy", "app.people.note")},
    ),
    "in a kept column as the key of a document": (
        """UPDATE app.people SET doc = '{{"{id}": 1}}' WHERE id = 3""",
        {(code, "app.people.doc") for code in ("originals_in_copy", "canary_in_copy", "kind_not_declared")},
    ),
    "in an array, in full width": (
        "UPDATE app.people SET tags = ARRAY['x', '{wide}'] WHERE id = 3",
        {(code, "app.people.tags") for code in ("originals_in_copy", "canary_in_copy", "kind_not_declared")},
    ),
    "a name in base64 in bytes": (
        "UPDATE app.people SET raw = convert_to(encode(convert_to('{name}', 'UTF8'), 'base64'), 'UTF8') WHERE id = 3",
        {("canary_in_copy", "app.people.raw"), ("chance_hides_originals", "app.people.raw")},
    ),
    "a card in hexadecimal in a kept text": (
        """UPDATE app.people SET doc = jsonb_build_object('x', encode('{card}', 'hex')) WHERE id = 3""",
        {(code, "app.people.doc") for code in ("originals_in_copy", "canary_in_copy")},
    ),
    "another's number in base64 in a comment": (
        "COMMENT ON TABLE app.people IS 'see {another_coded} there'",
        {(code, "comment on app.people") for code in ("originals_in_copy", "kind_not_declared")},
    ),
    "a comment": (
        "COMMENT ON TABLE app.people IS 'as {id}'",
        {(code, "comment on app.people") for code in ("originals_in_copy", "canary_in_copy", "kind_not_declared")},
    ),
    "a default": (
        "ALTER TABLE app.people ALTER note SET DEFAULT '{id}'",
        {(code, "default of app.people.note") for code in ("originals_in_copy", "canary_in_copy", "kind_not_declared")},
    ),
    "an enum label": (
        "ALTER TYPE app.mood ADD VALUE '{id}'",
        {(code, "enum label of app.mood") for code in ("originals_in_copy", "canary_in_copy", "kind_not_declared")},
    ),
    "a check": (
        "ALTER TABLE app.people ADD CONSTRAINT odd CHECK (note <> '{id}')",
        {(code, "constraint app.odd") for code in ("originals_in_copy", "canary_in_copy", "kind_not_declared")},
    ),
    "an index expression": (
        "CREATE INDEX odd ON app.people ((note = '{id}'))",
        {(code, "index app.odd") for code in ("originals_in_copy", "canary_in_copy", "kind_not_declared")},
    ),
    "a large object": (
        "SELECT lo_from_bytea(7700, convert_to('. {id} .', 'UTF8'))",
        {(code, "large object 7700") for code in ("originals_in_copy", "canary_in_copy", "kind_not_declared")},
    ),
    "a phone that stood only in free text": (
        "UPDATE app.people SET tags = ARRAY['{phone}'] WHERE id = 3",
        {("originals_in_copy", "app.people.tags")},
    ),
    "one person alone in a class": (
        "UPDATE app.people SET born_on = '1931-01-01' WHERE id = 3",
        {("k_too_small", "app.people (born_on, home)"), ("l_too_small", "app.people (born_on, home)"), ("grade_too_low", "")},
    ),
}
UNDO = """UPDATE app.people SET (id_no, note, doc, tags, raw, born_on) = (SELECT id_no, note, doc, tags, raw, born_on FROM whole)
    WHERE id = 3; COMMENT ON TABLE app.people IS '自然人'; ALTER TABLE app.people ALTER note DROP DEFAULT;
    ALTER TABLE app.people DROP CONSTRAINT IF EXISTS odd;
    DROP INDEX IF EXISTS app.odd; SELECT lo_unlink(oid) FROM pg_largeobject_metadata"""
ONLY_IN_TEXT, SOURCE_IDS = "13955550000", resident_ids(PEOPLE, 30)


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_is_told_by_its_right_name(copies: Copies, damage: str) -> None:
    statement, expected = DAMAGES[damage]
    wide = BIRD_ID.translate({n: n + 0xFEE0 for n in range(0x30, 0x3A)})
    words = {
        "id": BIRD_ID,
        "id9": BIRD_ID[:9],
        "id_rest": BIRD_ID[9:],
        "wide": wide,
        "name": BIRD_NAME,
        "card": BIRD_CARD,
        "other": SOURCE_IDS[9],
        "another": SOURCE_IDS[10],
        "another_coded": b64encode(f"id={SOURCE_IDS[10]}".encode()).decode(),
    }
    here = STAGING["app"] + "."
    with psycopg.connect(**asdict(copies.copy), autocommit=True) as c:
        c.execute(f"CREATE TEMP TABLE whole AS SELECT * FROM {here}people WHERE id = 3")
        c.execute(statement.format(**words, phone=ONLY_IN_TEXT).replace("app.", here))
        try:
            found = verified(copies)
        finally:
            c.execute(UNDO.replace("app.", here))
            if "label" in damage:
                c.execute(f"DELETE FROM pg_enum WHERE enumlabel = '{BIRD_ID}'")
    assert findings(found) - {("grade_too_low", "")} == expected - {("grade_too_low", "")}
    assert found.is_red
    text = found.model_dump_json()
    assert not any(value in text for value in (BIRD_ID, BIRD_NAME, BIRD_CARD, ONLY_IN_TEXT, wide))


def test_a_drawn_share_says_what_it_proves(copies: Copies) -> None:
    half = copies.policy.model_copy(update={"verified_percent": 50.0})
    found = verified(copies, policy=half)
    assert {(v.question, v.status) for v in found.verdicts[:3]} == {(q, Status.WARN) for q in NET[:3]}
    assert {f.code for v in found.verdicts[:3] for f in v.findings} == {"copy_read_in_part"}
    evidence = found.verdicts[0].evidence
    assert (evidence["read_percent"], evidence["leaking_blocks_missed_at_most"]) == (50.0, 5)  # 0.5 ** 5 < 0.05
    assert found.residual.reading.cells < verified(copies).residual.reading.cells


def test_only_a_named_exception_lets_a_value_stand(copies: Copies) -> None:
    here = STAGING["app"]
    named = copies.policy.model_copy(update={"carried_over": {"constraint app.odd": "编号规则，供测试"}})
    with psycopg.connect(**asdict(copies.copy), autocommit=True) as c:
        c.execute(f"ALTER TABLE {here}.people ADD CONSTRAINT odd CHECK (note <> '{BIRD_ID}')")
        try:
            found = verified(copies, policy=named)
        finally:
            c.execute(f"ALTER TABLE {here}.people DROP CONSTRAINT odd")
    assert (findings(found), statuses(found)) == (set(), dict.fromkeys(NET, "PASS"))
    assert found.verdicts[1].evidence["excepted_by"] == "carried_over: constraint app.odd"


def test_the_source_is_read_in_the_held_picture(copies: Copies) -> None:
    """A canary that is planted after the picture was taken is not in it; a picture that is gone is an error, not a pass."""
    with psycopg.connect(**asdict(copies.source)) as holder, psycopg.connect(**asdict(copies.source), autocommit=True) as c:
        c.execute("DELETE FROM app.orders WHERE people_id = 7; DELETE FROM app.people WHERE id = 7")
        holder.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        snapshot = holder.execute("SELECT pg_export_snapshot()").fetchone()[0]
        c.execute("INSERT INTO app.people (id, id_no, full_name, card) VALUES (7, %s, %s, %s)", [BIRD_ID, BIRD_NAME, BIRD_CARD])
        found = verified(copies, snapshot=snapshot)
        assert {f.code for f in found.verdicts[2].findings} == {"canary_not_planted"}
        assert found.is_red
        holder.rollback()
    with pytest.raises(psycopg.Error, match="snapshot"):
        verified(copies, snapshot=snapshot)


def test_a_source_that_rests_since_the_picture_is_read_in_that_moment(copies: Copies) -> None:
    """Then what is kept must be equal, and no share of NULLs is forgiven."""
    for _ in range(50):  # a worker of the server's own may begin something at any time
        with connect(copies.source, purpose="test") as source:
            seen = _xids(source)
            rests = is_unchanged(source, seen)
            if rests:
                with psycopg.connect(**asdict(copies.source), autocommit=True) as c:
                    c.execute("CREATE TABLE app.later (n int); DROP TABLE app.later")
                assert _xids(source) == seen, "later transactions are not seen"
                break
    assert rests
    with connect(copies.source, purpose="test") as source:
        assert not is_unchanged(source, seen) and not is_unchanged(source, "")
        assert source.autocommit


def test_other_runs_copies_are_not_judged(copies: Copies) -> None:
    """A quarantined copy of an earlier run holds originals; this run's copy is judged by itself."""
    with psycopg.connect(**asdict(copies.copy), autocommit=True) as c:
        c.execute(
            f"CREATE SCHEMA drydock_staging_3_1; CREATE TABLE drydock_staging_3_1.people AS SELECT '{BIRD_ID}'::text AS id_no"
        )
        c.execute(f"CREATE SCHEMA app; CREATE TABLE app.people AS SELECT '{BIRD_ID}'::text AS id_no")
        c.execute(f"CREATE SCHEMA stray; CREATE TABLE stray.people AS SELECT '{BIRD_ID}'::text AS id_no")
        try:
            found = verified(copies)
        finally:
            c.execute("DROP SCHEMA drydock_staging_3_1, app, stray CASCADE")
    assert {place for _, place in findings(found)} == {"stray.people.id_no", ""}  # and grade 1 of the whole
