"""Masking from survey to destroy on two real servers, behind the real gate, with a real ledger.

The second net has tests of its own and reads for seconds: here it answers at once, but where a test says otherwise.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import Engine, text

from drydock.changing import steps
from drydock.changing.hands import ChangeFailed
from drydock.changing.run import ChangeRun, RunRefused
from drydock.changing.verifying import stop_reason
from drydock.engines.postgres import Endpoint
from drydock.engines.postgres_binaries import find_binaries
from drydock.engines.postgres_server import LOCALHOST, PostgresServer, initialise
from drydock.engines.postgres_work import open_reading
from drydock.ledger import change_history as history
from drydock.ledger.masking_record import copy_verification_of_run
from drydock.masking.copy_checks.verifying import CopyVerification
from drydock.masking.policies.policy import SubsetRule
from drydock.masking.postgres import judging
from drydock.masking.postgres.sessions import MaskingEyes
from drydock.masking.postgres.streams import MaskedCopy, PartWork, StreamJob, StreamLost, Streams
from drydock.masking.postgres_schema import read_postgres_schema
from drydock.outcomes import StopReason
from drydock.plans import Plan
from drydock.verdicts import Finding, Status, judge
from tests.db.masking_run import (
    KEY,
    KEY_SPELLINGS,
    ORDERS,
    PEOPLE,
    PLACES,
    PLANTED,
    Holder,
    MaskingYard,
    a_yard,
    confirm,
    connected,
    number_of,
    planned,
    worked,
    write_reports,
)
from tests.faults.gate_world import NOW

SECRETS = (*PLANTED, *KEY_SPELLINGS)
"""What must be in no file of the copy's server, in no ledger, log or report."""


@pytest.fixture(scope="module")
def copies(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    """A server for copies, which writes every statement to its log."""
    data = tmp_path_factory.mktemp("copies") / "data"
    initialise(find_binaries(), data, password="copies")
    server = PostgresServer(find_binaries(), data)
    server.start(options={"fsync": "off", "max_connections": "60", "log_statement": "all", "jit": "off"})
    server.wait_ready()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def made(ledger: Engine, pg_server: Endpoint, copies: PostgresServer) -> MaskingYard:
    return a_yard(ledger, pg_server, Endpoint(LOCALHOST, copies.port, "postgres", "copies", "postgres"))


@pytest.fixture
def yard(made: MaskingYard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MaskingYard:
    """The yard with its source confirmed as it is, and a second net that finds nothing."""
    confirm(made, tmp_path, monkeypatch)
    set_net(monkeypatch)
    made.limits.clear()
    made.facts.clear()
    return made


def set_net(monkeypatch: pytest.MonkeyPatch, *findings: Finding) -> None:
    def verify_copy(policy, schema, source, snapshot, copy, staging, parts, now, **more) -> CopyVerification:
        verdicts = (judge("residual", 1, findings),)
        return CopyVerification(database=policy.database, target=policy.target, verified_at=now, verdicts=verdicts, rows=parts)

    monkeypatch.setattr(judging, "verify_copy", verify_copy)


def copied(run: ChangeRun, before_answer: Callable[[Plan], None] = lambda plan: None) -> Plan:
    """Plan and all items before the check, with a picture beside."""
    plan = planned(run, before_answer)
    holder = Holder(run)
    outcomes = worked(run, plan)
    assert {n: (o.reason, o.after) for n, o in outcomes.items() if o.status is not Status.PASS} == {}
    holder.join(10)
    assert (holder.error, holder.is_alive()) == (None, False)
    return plan


def test_from_survey_to_destroy(
    yard: MaskingYard, copies: PostgresServer, caplog: pytest.LogCaptureFixture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And no original is anywhere on the copy's server, in the ledger, or in our logs; nothing is seen before it is delivered."""
    caplog.set_level(logging.DEBUG)
    run = yard.run("whole")

    def forced(plan: Plan) -> None:
        early = steps.work_item(run, number_of(plan, "mask_deliver"))
        assert (early.status, early.stop, stop_reason(run)) == (Status.SKIPPED, StopReason.NOT_APPROVED, StopReason.NOT_APPROVED)

    plan = copied(run, forced)
    with connected(yard.copy_owner) as c:
        assert c.execute("SELECT count(*) FROM pg_namespace WHERE nspname = 'app'").fetchone() == (0,)
        assert c.execute(OPEN_TO_OTHERS).fetchone() == (0,)
    made = steps.verify_run(run)
    assert ({v.status for v in made.verdicts}, made.stop, made.failed) == ({Status.PASS}, StopReason.DONE, 0)
    seen = copy_verification_of_run(yard.ledger, run.run_id)
    assert seen and seen[:2] == (1, Status.PASS) and seen[2]["rows"]["app.people"] == PEOPLE
    for action in ("mask_deliver", "mask_destroy"):
        outcome = steps.work_item(run, number_of(plan, action))
        assert (outcome.status, outcome.reason) == (Status.PASS, "")
    assert steps.verify_run(run) == made, "who clears verify after the delivery finds no staging, and must not find fault"
    assert copy_verification_of_run(yard.ledger, run.run_id) == seen
    with connected(yard.copy) as c:
        assert c.execute("SELECT count(*), count(DISTINCT phone) FROM app.people").fetchone() == (PEOPLE, PEOPLE)
        assert c.execute("SELECT count(*), count(DISTINCT id) FROM app.orders").fetchone() == (ORDERS, ORDERS)
        assert c.execute("SELECT count(*) FROM app.orders WHERE amount NOT IN (0, 100, 500)").fetchone() == (0,)
        assert c.execute("SELECT states[1]::text FROM app.people LIMIT 1").fetchone() == ("新",)
        assert c.execute("SELECT (SELECT count(*) FROM app.bare), (SELECT one FROM app.made)").fetchone() == (2, "made")
        assert c.execute("SELECT nspname FROM pg_namespace WHERE nspname ~ '^drydock_(staging|old)'").fetchall() == []
    rows = sum(o.after.get("rows_of_item", 0) for o in history.outcomes_of_run(yard.ledger, run.run_id))
    assert rows == PEOPLE + ORDERS + 3 + 2 + 1
    with connected(yard.copy_owner) as c:
        c.execute("CHECKPOINT")
    counted = {name: told for o in history.outcomes_of_run(yard.ledger, run.run_id) for name, told in o.after.items()}
    assert counted["column app.people.phone"] == f"{PEOPLE} 0 0" and counted["column app.people.born_on"] == f"{PEOPLE} 0 0"
    assert originals_in(copies.data_dir.parent) == []
    assert originals_in_ledger(yard.ledger) == []
    files, told = write_reports(yard, run, tmp_path, monkeypatch)
    assert {f.suffix for f in files} == {".docx", ".html", ".xlsx"} and ".docx" in told and "masking_copy_missing" not in told
    pages = [f.read_text(encoding="utf-8") for f in tmp_path.rglob("*.html")]
    assert any("app.people" in page and f"{PEOPLE:,}" in page for page in pages) and len(pages) >= 2
    assert any("各脱敏列的计数" in page and "没有计入" not in page for page in pages)
    assert [word for word in SECRETS if word in caplog.text or any(word in page for page in pages)] == []


OPEN_TO_OTHERS = (
    "SELECT count(*) FROM pg_namespace WHERE nspname ~ '^drydock_' AND has_schema_privilege('pg_monitor', oid, 'USAGE')"
)


def originals_in(folder: Path) -> list[str]:
    """Planted originals in any file of a server: data, WAL, log. That the search finds what is there is seen by a masked word."""
    files = [p for p in folder.rglob("*") if p.is_file()]
    content = {p: p.read_bytes() for p in files}
    assert any(b"plain 17" in data for data in content.values())
    assert any(b"drydock_staging_" in data for p, data in content.items() if "log" in p.name)
    return [f"{p.relative_to(folder)}: {word}" for p, data in content.items() for word in SECRETS if word.encode() in data]


def originals_in_ledger(ledger: Engine) -> list[str]:
    found = []
    with ledger.connect() as c:
        names = c.execute(text("SELECT table_name FROM information_schema.tables WHERE table_schema = 'drydock'")).scalars().all()
        for name in names:
            rows = c.execute(text(f"SELECT t::text FROM drydock.{name} AS t")).scalars()
            found += [f"{name}: {word}" for row in rows for word in SECRETS if word in row]
    return found


def test_the_source_is_read_by_an_account_that_can_do_nothing_else(yard: MaskingYard) -> None:
    with connected(yard.source) as c:
        for change in ("INSERT INTO app.empty_one VALUES (1)", "CREATE TABLE app.mine (a int)", "DELETE FROM app.people"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                c.execute(change)
    run = yard.run("reads")
    with closing(yard.eyes(run)) as eyes, pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        eyes.session.execute("CREATE TEMPORARY TABLE t (a int)")


def test_an_account_that_could_change_the_source_is_refused(yard: MaskingYard) -> None:
    """By each right that it has, whatever its sessions say; a superuser is told once."""
    reader = sql.Identifier(yard.source.user)
    rights = ("UPDATE (note) ON app.people", "TRUNCATE ON app.orders_2025", "USAGE ON SEQUENCE app.people_id_seq")
    with connected(yard.source_owner) as c:
        for right in rights:
            c.execute(sql.SQL(f"GRANT {right} TO {{}}").format(reader))
        try:
            assert may_change(yard, "writes") == {
                ("app.people", "UPDATE"),
                ("app.orders_2025", "TRUNCATE"),
                ("app.people_id_seq", "UPDATE"),
            }
            c.execute(sql.SQL("GRANT pg_write_all_data TO {}").format(reader))
            assert may_change(yard, "writes all") == {(yard.source.user, "pg_write_all_data")}
            c.execute(sql.SQL("ALTER ROLE {} SUPERUSER").format(reader))
            assert may_change(yard, "super") == {(yard.source.user, "SUPERUSER")}
        finally:
            c.execute(sql.SQL("ALTER ROLE {0} NOSUPERUSER; REVOKE pg_write_all_data FROM {0}").format(reader))
            for right in rights:
                c.execute(sql.SQL(f"REVOKE {right} FROM {{}}").format(reader))
    assert steps.take_survey(yard.run("reads again")).refused == ()


def may_change(yard: MaskingYard, key: str) -> set[tuple[str, object]]:
    with pytest.raises(RunRefused) as refused:
        steps.take_survey(yard.run(key))
    assert {f.code for f in refused.value.findings} == {"masking_source_may_be_changed"}
    return {(f.place, f.values["right"]) for f in refused.value.findings}


def test_drift_stops_the_run_before_there_is_a_plan(yard: MaskingYard) -> None:
    run = yard.run("drift")
    with connected(yard.source_owner) as c:
        c.execute("ALTER TABLE app.people ADD COLUMN mother_name text")
        try:
            with pytest.raises(RunRefused, match=r"masking_column_without_rule app\.people\.mother_name"):
                steps.take_survey(run)
        finally:
            c.execute("ALTER TABLE app.people DROP COLUMN mother_name")
    assert [f.code for f in history.found_of_run(yard.ledger, run.run_id).refused] == ["masking_column_without_rule"]
    with pytest.raises(RunRefused):
        steps.make_plan(run)
    assert steps.take_survey(yard.run("healthy")).refused == ()


def test_what_a_survey_must_tell(yard: MaskingYard, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rules that nobody confirmed; a kept column that looks sensitive, by counts; a schema that is gone."""
    healthy = yard.policy
    people = healthy.tables["app.people"]
    bare = people.model_copy(update={"reviewer": None})
    yard.policy = healthy.model_copy(update={"tables": {**healthy.tables, "app.people": bare}})
    with pytest.raises(RunRefused, match="masking_unconfirmed"):
        steps.take_survey(yard.run("unconfirmed"))
    columns = {n: r for n, r in people.columns.items() if n != "phone"}
    kept = people.model_copy(update={"columns": columns, "keep": {**people.keep, "phone": "以为不敏感"}})
    yard.policy = healthy.model_copy(update={"tables": {**healthy.tables, "app.people": kept}, "canaries": ()})
    told = {n.reason: n.evidence for n in steps.take_survey(yard.run("kept")).notes}
    assert told["masking_unruled_sensitive"]["kind"] == "mobile"
    yard.policy = healthy.model_copy(update={"source": healthy.source.model_copy(update={"schemas": ("gone",)})})
    with pytest.raises(RunRefused, match="masking_schema_gone"):
        steps.take_survey(yard.run("gone"))
    yard.policy = healthy


def test_what_would_stop_the_delivery_is_told_before_anything_is_copied(yard: MaskingYard) -> None:
    """A schema of somebody else stands where the copy must go; an extension that a definition needs is not in its database."""
    with connected(yard.copy_owner) as c:
        c.execute("CREATE SCHEMA aside")
        held = c.execute("SELECT nspowner::regrole::text FROM pg_namespace WHERE nspname = 'app'").fetchone()
        c.execute("ALTER SCHEMA app OWNER TO postgres" if held else "CREATE SCHEMA app")
        try:
            with pytest.raises(RunRefused, match="masking_copy_name_taken app"):
                steps.take_survey(yard.run("taken"))
        finally:
            c.execute(sql.SQL("ALTER SCHEMA app OWNER TO {}").format(sql.Identifier(held[0])) if held else "DROP SCHEMA app")
            c.execute("DROP SCHEMA aside")
    with connected(yard.source_owner) as c:
        c.execute("CREATE EXTENSION citext SCHEMA public")
        c.execute("ALTER TABLE app.empty_one ADD CHECK ('a'::public.citext <> 'b')")
        try:
            with pytest.raises(RunRefused, match="masking_extension_missing"):
                steps.take_survey(yard.run("extension"))
        finally:
            c.execute("DROP EXTENSION citext CASCADE")
    assert steps.take_survey(yard.run("well again")).refused == ()


def test_a_subset_is_held_against_the_rows_that_it_took(yard: MaskingYard) -> None:
    """And no eyes are made without the key that draws them: all rows of the source would be compared with some of them."""
    healthy, run = yard.policy, yard.run("part")
    rule = SubsetRule(table="app.people", by="percentage", percent=10)
    yard.policy = healthy.model_copy(update={"subset": (rule,)})
    try:
        with closing(yard.eyes(run)) as eyes:
            schema = read_postgres_schema(lambda name, binds: eyes.rows("masking", name, binds), ["app"])
            found = judging._conditions(eyes, schema)
            assert set(found) == {"app.people", "app.orders"}
            drawn = eyes.session.execute("SELECT count(*) AS drawn FROM app.people AS t WHERE " + found["app.people"]).fetchone()
            assert 0.05 * PEOPLE < drawn["drawn"] < 0.2 * PEOPLE
            with pytest.raises(TypeError, match="key"):
                MaskingEyes(eyes.database, eyes.endpoint, "x", PLACES, policy=yard.policy, copy=yard.copy, facts=eyes.facts)
            eyes.policy = healthy
            assert judging._conditions(eyes, schema) == {}
    finally:
        yard.policy = healthy


def test_a_row_type_is_refused(yard: MaskingYard) -> None:
    with connected(yard.source_owner) as c:
        c.execute("CREATE TYPE app.pair AS (a text, b text)")
        c.execute("ALTER TABLE app.empty_one ADD COLUMN pair app.pair")
        try:
            with pytest.raises(RunRefused, match="masking_composite_column"):
                steps.take_survey(yard.run("composite"))
        finally:
            c.execute("ALTER TABLE app.empty_one DROP COLUMN pair")
            c.execute("DROP TYPE app.pair")


def test_a_copy_that_does_not_fit_is_not_begun(yard: MaskingYard) -> None:
    yard.limits["max_log_bytes"] = 1
    run = yard.run("unfit")
    steps.take_survey(run)
    plan = steps.make_plan(run)
    assert (plan.items, {c.reason for c in plan.carried}) == ((), {"copy_writes_too_much"})
    assert any(c.candidate.action == "mask_chunk" for c in plan.carried)


def test_a_policy_that_changed_after_the_plan_is_not_worked(yard: MaskingYard) -> None:
    run = yard.run("changed")
    planned(run)
    healthy = yard.policy
    yard.policy = healthy.model_copy(update={"purpose": "别的用途"})
    assert steps.work_item(run, 1).reason == "masking_policy_changed"
    yard.policy = healthy


def test_a_chunk_without_a_picture_is_not_copied_and_ends_the_copy(yard: MaskingYard) -> None:
    yard.limits["picture_wait_s"] = 0.1
    run = yard.run("blind")
    plan = planned(run)
    assert steps.work_item(run, 1).status is Status.PASS
    first = steps.work_item(run, 2)
    assert (first.status, first.reason) == (Status.FAIL, "picture_missing")
    assert steps.work_item(run, number_of(plan, "mask_links")).reason == "copy_broken_before"
    made = steps.verify_run(run)
    assert "masking_part_missing" in {f.code for v in made.verdicts for f in v.findings}
    assert steps.work_item(run, number_of(plan, "mask_deliver")).reason in ("copy_broken_before", "copy_not_verified")


def test_a_copy_that_fails_its_verification_is_not_delivered(yard: MaskingYard, monkeypatch: pytest.MonkeyPatch) -> None:
    run = yard.run("red")
    plan = copied(run)
    deliver = number_of(plan, "mask_deliver")
    assert steps.work_item(run, deliver).reason == "copy_not_verified"
    set_net(monkeypatch, Finding(code="residual_pattern", status=Status.FAIL, place="app.people.note"))
    assert {v.status for v in steps.verify_run(run).verdicts} == {Status.PASS, Status.FAIL}
    assert steps.work_item(run, deliver).reason == "copy_failed_verification"
    destroyed = steps.work_item(run, number_of(plan, "mask_destroy"))
    assert destroyed.after["quarantined"] is True
    with connected(yard.copy_owner) as c:
        staging = c.execute("SELECT nspname FROM pg_namespace WHERE nspname ~ '^drydock_staging_'").fetchall()
        assert staging == [(f"drydock_staging_{run.run_id}_1",)]


def test_a_picture_that_sees_other_rows_begins_a_new_generation(yard: MaskingYard) -> None:
    """What was copied before goes, and the chunks of it are copied with the next one."""
    run = yard.run("twice")
    plan = planned(run)
    chunks = [i.number for i in plan.items if i.candidate.action == "mask_chunk"]
    first = Holder(run)
    for number in range(1, chunks[1]):
        assert steps.work_item(run, number).status is Status.PASS
    with connected(yard.source_owner) as c:
        c.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'drydock/masking.picture%'")
        first.join(10)
        assert first.error is not None
        c.execute('INSERT INTO app."报 关.单"";x" VALUES (4, NULL)')
    second = Holder(run)
    for number in range(chunks[1], number_of(plan, "mask_deliver")):
        outcome = steps.work_item(run, number)
        assert (outcome.status, outcome.reason) == (Status.PASS, "")
        if number == chunks[1]:
            assert (outcome.after["new_generations"], outcome.after["generation"]) == (1, 2)
    second.join(10)
    with connected(yard.copy) as c:
        staging = f"drydock_staging_{run.run_id}_1"
        assert c.execute(f"SELECT count(*) FROM {staging}.people").fetchone() == (PEOPLE,)
        assert c.execute(f'SELECT count(*) FROM {staging}."报 关.单"";x"').fetchone() == (4,)


def test_a_schema_that_changed_after_the_plan_is_not_copied(yard: MaskingYard) -> None:
    run = yard.run("late")
    planned(run)
    with connected(yard.source_owner) as c:
        c.execute("ALTER TABLE app.empty_one ADD COLUMN late text")
        try:
            holder = Holder(run)
            holder.join(10)
        finally:
            c.execute("ALTER TABLE app.empty_one DROP COLUMN late")
    assert type(holder.error).__name__ == "PictureRefused" and "masking_column_without_rule app.empty_one.late" in str(
        holder.error
    )


def test_a_right_that_is_taken_away_in_the_middle_ends_the_copy_at_once(yard: MaskingYard) -> None:
    """One error that says what to grant, no second try, of a stream and of the picture; given back and answered, it goes on."""
    run, now = yard.run("revoked"), [NOW]
    run = replace(run, now=lambda: now[0])
    plan = planned(run)
    first = held(yard, run)
    with taken_away(yard, "SELECT ON app.orders_2025"):
        outcomes = worked(run, plan)
    red = [o for o in outcomes.values() if o.status is Status.FAIL]
    wanted = ("privilege_missing", "SELECT ON app.orders_2025", "42501")
    assert [(o.reason, o.after["needs"], o.after["error"]) for o in red] == [wanted]
    told = [s.done.error for s in history.statements_of_run(yard.ledger, run.run_id) if s.done and s.done.error]
    assert told == ["42501"], "it was sent once"
    assert {o.reason for n, o in outcomes.items() if n > red[0].number} == {"copy_broken_before"}
    with connected(yard.source_owner) as c:
        c.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'drydock/masking.picture%'")
    first.join(20)
    with taken_away(yard, "USAGE ON SCHEMA app"):
        late = Holder(run)
        late.join(20)
    assert type(late.error).__name__ == "PictureRefused" and "USAGE ON SCHEMA app" in str(late.error)
    now[0] += timedelta(minutes=1)
    steps.record_asked(run)
    steps.record_answer(run, approved=True, chosen=tuple(i.number for i in plan.items), by="li_wei")
    last = held(yard, run)
    assert {o.reason for o in worked(run, plan).values() if o.status is not Status.PASS} == set()
    last.join(20)


def test_an_account_that_is_not_let_in_is_named_with_what_it_needs(yard: MaskingYard) -> None:
    """Of the source and of the copy, by the survey, the picture and the work; let in again and answered, the work goes on."""
    run, now = yard.run("locked out"), [NOW]
    run = replace(run, now=lambda: now[0])
    reader, owner = sql.Identifier(yard.source.user), sql.Identifier(yard.copy.user)
    plan = planned(run)
    with connected(yard.source_owner) as c:
        c.execute(sql.SQL("ALTER ROLE {} NOLOGIN").format(reader))
        try:
            wanted = f"LOGIN for role {yard.source.user}"
            with pytest.raises(ChangeFailed, match="login_refused") as of_survey:
                steps.take_survey(yard.run("outside"))
            late = Holder(run)
            late.join(20)
            assert isinstance(late.error, ChangeFailed) and (of_survey.value.needs, late.error.needs) == (wanted, wanted)
            outcome = steps.work_item(run, 1)
            assert (outcome.reason, outcome.after["needs"]) == ("login_refused", wanted)
        finally:
            c.execute(sql.SQL("ALTER ROLE {} LOGIN").format(reader))
    with connected(yard.copy_owner) as c:
        c.execute(sql.SQL("REVOKE CONNECT ON DATABASE {} FROM PUBLIC").format(sql.Identifier(yard.copy.dbname)))
        try:
            outcome = steps.work_item(run, 1)
            wanted = f"CONNECT ON DATABASE {yard.copy.dbname} for role {yard.copy.user}"
            assert (outcome.status, outcome.reason, outcome.after["needs"]) == (Status.FAIL, "login_refused", wanted)
            lost = Streams(yard.source, yard.copy, KEY, "locked out")
            part = PartWork(schema_name="app", name="empty_one", first_page=0, end_page=-1, into=("app", "empty_one"), columns=())
            with pytest.raises(StreamLost) as of_stream:
                lost.copy(MaskedCopy((StreamJob(run_id=run.run_id, generation=1, snapshot="x", part=part),)), 60)
            assert (of_stream.value.kind, of_stream.value.needs) == ("login_refused", wanted)
        finally:
            c.execute(sql.SQL("GRANT CONNECT ON DATABASE {} TO PUBLIC").format(sql.Identifier(yard.copy.dbname)))
        c.execute(sql.SQL("ALTER ROLE {} CONNECTION LIMIT 0").format(owner))
        try:
            now[0] += timedelta(minutes=1)
            steps.record_asked(run)
            steps.record_answer(run, approved=True, chosen=tuple(i.number for i in plan.items), by="li_wei")
            with pytest.raises(ChangeFailed, match="resources"):  # that passes, and is no refusal
                open_reading(yard.copy, "full")
        finally:
            c.execute(sql.SQL("ALTER ROLE {} CONNECTION LIMIT -1").format(owner))
    assert steps.work_item(run, 1).status is Status.PASS


def held(yard: MaskingYard, run: ChangeRun) -> Holder:
    """A holder that has its picture."""
    before = yard.facts_of(run).picture()
    holder = Holder(run)
    while yard.facts_of(run).picture() == before:
        assert holder.is_alive(), holder.error
        time.sleep(0.01)
    return holder


@contextmanager
def taken_away(yard: MaskingYard, right: str) -> Iterator[None]:
    reader = sql.Identifier(yard.source.user)
    with connected(yard.source_owner) as c:
        c.execute(sql.SQL(f"REVOKE {right} FROM {{}}").format(reader))
        try:
            yield
        finally:
            c.execute(sql.SQL(f"GRANT {right} TO {{}}").format(reader))


def test_nothing_empties_a_table_while_the_picture_lives(yard: MaskingYard) -> None:
    run = yard.run("locked")
    planned(run)
    holder = Holder(run)
    with connected(yard.source_owner) as c:
        while yard.facts_of(run).picture() is None:
            assert holder.is_alive(), holder.error
        c.execute("SET lock_timeout = '50ms'")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            c.execute("TRUNCATE app.scratch, app.empty_one")
        c.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'drydock/masking.picture%'")
    holder.join(10)


def test_a_deadline_ends_the_streams_and_their_sessions(yard: MaskingYard) -> None:
    run = yard.run("deadline")
    plan = planned(run)
    holder = Holder(run)
    assert steps.work_item(run, 1).status is Status.PASS
    while (picture := yard.facts_of(run).picture()) is None:
        assert holder.is_alive(), holder.error
    staging = f"drydock_staging_{run.run_id}_1"
    part = PartWork(schema_name="app", name="empty_one", first_page=0, end_page=-1, into=(staging, "empty_one"), columns=())
    job = StreamJob(run_id=run.run_id, generation=picture.generation, snapshot=picture.snapshot, part=part)
    with connected(yard.copy_owner) as other, closing(yard.target(run)) as target:
        other.execute("UPDATE drydock_masking.runs SET generation = %s WHERE run_id = %s", [picture.generation, run.run_id])
        with other.transaction():
            other.execute("LOCK TABLE drydock_masking.runs IN ACCESS EXCLUSIVE MODE")
            with pytest.raises(ChangeFailed, match="57014"):
                target.send(MaskedCopy((job,)), lock_wait_s=1, deadline_s=1.5)
        assert target.streams.children == []
        odd = job.model_copy(update={"part": job.part.model_copy(update={"name": "no\0name"})})
        with pytest.raises(ChangeFailed, match=r"StatementRefused \(unforeseen\)"):  # no lost server, which is tried again
            target.send(MaskedCopy((odd,)), lock_wait_s=1, deadline_s=60)
        left = "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'drydock/masking.stream%'"
        assert wait_until(lambda: other.execute(left).fetchone() == (0,))
    with connected(yard.source_owner) as c:
        assert wait_until(lambda: c.execute(left).fetchone() == (0,))
        c.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'drydock/masking.picture%'")
    holder.join(10)
    assert plan.items


def wait_until(holds, longest_s: float = 5) -> bool:
    ends = time.monotonic() + longest_s
    while not holds() and time.monotonic() < ends:
        time.sleep(0.02)
    return holds()
