"""Masking from an Oracle simulator to a real PostgreSQL, from survey to destroy, behind the real gate, with a real ledger."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
import typer
import yaml
from psycopg import sql
from sqlalchemy import Engine

from drydock.changing import steps
from drydock.changing.run import ChangeRun, RunRefused
from drydock.engines.oracle import OracleEndpoint
from drydock.engines.postgres import Endpoint
from drydock.estate import Engine as Kind
from drydock.ledger import change_history as history
from drydock.masking.kernel.stream import copy_stream
from drydock.masking.kernel.work import ColumnWork
from drydock.masking.oracle import streams
from drydock.masking.oracle.picture import make_picture, newest_source_picture
from drydock.masking.policies import policy_command
from drydock.masking.policies.confirmed import load_confirmed
from drydock.masking.policies.policy import SubsetRule
from drydock.masking.policies.schema import DataType
from drydock.outcomes import Outcome
from drydock.plans import Plan
from drydock.verdicts import Status
from sandbox.oracle.model.database import OracleDatabase
from sandbox.oracle.model.storage import storage_of
from sandbox.oracle.model.tables import rowid_text, tables_of
from sandbox.oracle.server import OracleServer
from sandbox.oracle.sessions import DatabaseAccounts
from sandbox.oracle.views_audit import trail_of
from tests.db.masking_oracle_run import ODD, ORDERS, PEOPLE, OracleYard, a_source, confirm_oracle, rows_of_people
from tests.db.masking_run import KEY, PLANTED, connected, make_copy, number_of, planned, worked
from tests.thorough import is_thorough

thorough = pytest.mark.skipif(not is_thorough(), reason="more whole runs: make test-thorough")


@pytest.fixture(scope="module")
def simulated() -> OracleDatabase:
    return a_source()


@pytest.fixture(scope="module")
def server(simulated: OracleDatabase) -> Iterator[OracleServer]:
    with OracleServer(DatabaseAccounts(simulated)) as running:
        yield running


@pytest.fixture(scope="module")
def made(ledger: Engine, pg_server: Endpoint, simulated: OracleDatabase, server: OracleServer) -> OracleYard:
    copy = make_copy(pg_server, "from_oracle_copy")
    source = OracleEndpoint("127.0.0.1", server.port, simulated.service, "MASK_READ", "pass")
    return OracleYard(ledger, simulated, source, copy, replace(pg_server, dbname=copy.dbname))


@pytest.fixture
def yard(made: OracleYard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> OracleYard:
    confirm_oracle(made, tmp_path, monkeypatch)
    made.limits.clear()
    made.facts.clear()
    return made


def copied(run: ChangeRun) -> Plan:
    """Plan, picture, and all items before the check."""
    plan = planned(run)
    make_picture(run)
    assert failures(worked(run, plan)) == {}
    return plan


def failures(outcomes: dict[int, Outcome]) -> dict[int, tuple[str, object]]:
    return {n: (o.reason, o.after) for n, o in outcomes.items() if o.status is not Status.PASS}


def test_from_survey_to_destroy(yard: OracleYard) -> None:
    """By small names, with keys, checks, links and sequences; every row once; nothing seen before it is delivered."""
    run = yard.run("whole")
    plan = copied(run)
    with connected(yard.copy_owner) as c:
        assert c.execute("SELECT count(*) FROM pg_namespace WHERE nspname = 'app'").fetchone() == (0,)
    made = steps.verify_run(run)
    assert {(v.question, v.status) for v in made.verdicts if v.status is not Status.PASS} == NOT_ASKED, made.verdicts
    for action in ("mask_deliver", "mask_destroy"):
        outcome = steps.work_item(run, number_of(plan, action))
        assert (outcome.status, outcome.reason) == (Status.PASS, "")
    with connected(yard.copy) as c:
        assert c.execute("SELECT count(*), count(DISTINCT phone) FROM app.people").fetchone() == (PEOPLE, PEOPLE)
        assert c.execute("SELECT count(*), count(DISTINCT id) FROM app.orders").fetchone() == (ORDERS, ORDERS)
        assert c.execute("SELECT count(*) FROM app.orders WHERE amount NOT IN (0, 100, 500)").fetchone() == (0,)
        assert c.execute("SELECT count(*) FROM app.people WHERE born_on <> date_trunc('year', born_on)").fetchone() == (0,)
        assert c.execute("SELECT array_agg(conname ORDER BY conname)::text[] FROM pg_constraint WHERE contype <> 'n'").fetchone()
        texts = "\n".join(str(row) for row in c.execute("SELECT * FROM app.people"))
        assert [word for word in PLANTED if word in texts] == []
    assert joined_with_a_postgresql_source(yard) == PEOPLE


def joined_with_a_postgresql_source(yard: OracleYard) -> int:
    """The same people through the kernel of PostgreSQL sources, under the same key and join domains: how many meet."""
    columns = {"phone": "character varying(20)", "email": "character varying(60)", "full_name": "character varying(60)"}
    with connected(yard.copy_owner, autocommit=False) as source, connected(yard.copy_owner, autocommit=False) as target:
        source.execute(
            "CREATE TABLE plain_people (phone varchar(20), email varchar(60), full_name varchar(60), born_on timestamp(0))"
        )
        source.execute("CREATE TABLE masked_people (LIKE plain_people)")
        with source.cursor() as cursor, cursor.copy("COPY plain_people FROM STDIN") as copy:
            for row in rows_of_people():
                copy.write_row((row[1], row[2], row[3], row[5]))
        source.commit()
        rules = yard.policy.tables["APP.PEOPLE"].columns
        works = [
            ColumnWork(name=n, type=DataType(name=kind, family="text"), rule=yard.policy.rule("APP.PEOPLE", n.upper()))
            for n, kind in columns.items()
        ]
        date = DataType(name="timestamp(0) without time zone", family="date")
        works.append(ColumnWork(name="born_on", type=date, rule=yard.policy.rule("APP.PEOPLE", "BORN_ON")))
        assert {"PHONE", "EMAIL", "FULL_NAME", "BORN_ON"} <= set(rules)
        read = sql.SQL("COPY plain_people TO STDOUT (FORMAT binary)").format()
        write = sql.SQL("COPY masked_people FROM STDIN (FORMAT binary)").format()
        copy_stream(source, read, target, write, works, KEY, lambda counts: None)
        target.commit()
        joined = "SELECT count(*) FROM masked_people AS m JOIN app.people AS p USING (phone, email, full_name, born_on)"
        return int(target.execute(joined).fetchone()[0])


def test_an_scn_that_the_undo_lost_begins_a_new_generation(yard: OracleYard, simulated: OracleDatabase) -> None:
    run = yard.run("too old")
    plan = planned(run)
    first = make_picture(run)
    chunks = [i.number for i in plan.items if i.candidate.action == "mask_chunk"]
    assert len(chunks) > 1
    for number in range(1, chunks[1]):
        assert steps.work_item(run, number).status is Status.PASS
    undo = storage_of(simulated).undo
    assert undo is not None
    tables_of(simulated).by_name["APP", ODD].plant([("后来的",)])
    simulated.clock.advance(timedelta(seconds=undo.tuned_retention_s + 60))
    rest = {n: steps.work_item(run, n) for n in range(chunks[1], number_of(plan, "mask_deliver"))}
    assert failures(rest) == {}
    assert (rest[chunks[1]].after["new_generations"], rest[chunks[1]].after["generation"]) == (1, 2)
    second = newest_source_picture(yard.ledger, run.run_id)
    assert second is not None and second.scn > first.scn
    with connected(yard.copy) as c:
        staging = f"drydock_staging_{run.run_id}_1"
        assert c.execute(f"SELECT count(*) FROM {staging}.people").fetchone() == (PEOPLE,)
        assert c.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(staging, ODD))).fetchone() == (3,)
        assert c.execute("SELECT DISTINCT generation FROM drydock_masking.parts").fetchall() == [(2,)]


def test_a_table_that_was_changed_meanwhile_ends_the_copy(yard: OracleYard, simulated: OracleDatabase) -> None:
    """ORA-01466 in a chunk; nothing more is done, nothing delivered."""
    run = yard.run("ddl")
    plan = planned(run)
    make_picture(run)
    assert steps.work_item(run, 1).status is Status.PASS
    stored = storage_of(simulated).tables["APP", "PEOPLE"]
    before = stored.changed_at
    simulated.clock.advance(timedelta(seconds=30))
    stored.changed_at = simulated.clock.now()
    try:
        outcomes = [steps.work_item(run, i.number) for i in plan.items if i.candidate.action == "mask_chunk"]
        assert ("ORA-01466", "masking_source_changed") in {(o.after.get("error"), o.reason) for o in outcomes}
    finally:
        stored.changed_at = before
    assert steps.work_item(run, number_of(plan, "mask_links")).reason == "copy_broken_before"
    assert "masking_part_missing" in {f.code for v in steps.verify_run(run).verdicts for f in v.findings}
    assert steps.work_item(run, number_of(plan, "mask_deliver")).status is Status.SKIPPED


@thorough
def test_a_table_that_was_moved_after_its_rows_were_read_is_seen_at_the_end(yard: OracleYard, simulated: OracleDatabase) -> None:
    run = yard.run("moved")
    plan = planned(run)
    make_picture(run)
    links = number_of(plan, "mask_links")
    assert failures({n: steps.work_item(run, n) for n in range(1, links)}) == {}
    stored = storage_of(simulated).tables["APP", "ORDERS"]
    before = stored.changed_at
    stored.changed_at = simulated.clock.now() + timedelta(seconds=5)
    storage_of(simulated).touch()
    try:
        outcome = steps.work_item(run, links)
    finally:
        stored.changed_at = before
        storage_of(simulated).touch()
    assert (outcome.status, outcome.reason) == (Status.FAIL, "masking_source_changed")
    assert outcome.after["error_1"] == "masking_source_changed APP.ORDERS"


def test_an_account_that_could_change_the_source_is_refused(yard: OracleYard, simulated: OracleDatabase) -> None:
    """By a right of its own on a table, by one on all tables, by a role, or as the owner."""
    held = simulated.accounts["MASK_READ"].privileges
    trail = trail_of(simulated)
    trail.role_privileges.append(("CLERK", "DELETE ON APP.PEOPLE"))
    given = {"UPDATE ON APP.ORDERS", "DROP ANY TABLE", "CLERK"}
    held |= given
    try:
        with pytest.raises(RunRefused) as e:
            steps.take_survey(yard.run("may write"))
    finally:
        held -= given
        trail.role_privileges.remove(("CLERK", "DELETE ON APP.PEOPLE"))
    told = str(e.value)
    assert [f"masking_source_may_be_changed {place}" in told for place in ("APP.ORDERS", "APP.PEOPLE", "APP")] == [True] * 3


def test_a_right_that_is_taken_away_in_the_middle_ends_the_copy_at_once(yard: OracleYard, simulated: OracleDatabase) -> None:
    """Of a table, and of a view that the gate asks: neither is taken for a server that is silent."""
    run = yard.run("revoked")
    plan = planned(run)
    make_picture(run)
    assert steps.work_item(run, 1).status is Status.PASS
    chunk = next(i.number for i in plan.items if i.candidate.action == "mask_chunk")
    held = simulated.accounts["MASK_READ"].privileges
    for taken, needs in (("SELECT ON SYS.V_$DATABASE", "V_$DATABASE"), ("SELECT ON APP.PEOPLE", "READ, FLASHBACK ON APP.PEOPLE")):
        assert taken in held
        held.discard(taken)
        try:
            outcome = steps.work_item(run, number_of(plan, "mask_links") if "APP" in taken else chunk)
        finally:
            held.add(taken)
        assert (outcome.reason, needs in str(outcome.after.get("needs"))) == ("privilege_missing", True), outcome
        assert outcome.status is (Status.FAIL if "APP" in taken else Status.SKIPPED)
    told = [s.done.error for s in history.statements_of_run(yard.ledger, run.run_id) if s.done and s.done.error]
    assert told == ["ORA-00942"], "it was sent once"


def test_a_worker_that_is_killed_in_a_chunk_leaves_nothing_twice(yard: OracleYard, monkeypatch: pytest.MonkeyPatch) -> None:
    run = yard.run("killed")
    plan = planned(run)
    make_picture(run)
    assert steps.work_item(run, 1).status is Status.PASS
    through = streams.Counted.through

    def dies(self, given):  # with rows of a part sent, after other parts have been committed
        for batch in through(self, given):
            yield batch
            if self.work.part.root_table == "PEOPLE":
                raise SystemExit("killed")

    with monkeypatch.context() as m, pytest.raises(SystemExit):
        m.setattr(streams.Counted, "through", dies)
        steps.work_item(run, number_of(plan, "mask_links"))
    with connected(yard.copy) as c:
        names = {row[0] for row in c.execute("SELECT name FROM drydock_masking.parts")}
        assert "ORDERS" in names and "PEOPLE" not in names
    outcome = steps.work_item(run, number_of(plan, "mask_links"))
    assert (outcome.status, outcome.reason) == (Status.PASS, "")
    with connected(yard.copy) as c:
        staging = f"drydock_staging_{run.run_id}_1"
        assert c.execute(f"SELECT count(*), count(DISTINCT id) FROM {staging}.people").fetchone() == (PEOPLE, PEOPLE)
        assert c.execute(f"SELECT count(*), count(DISTINCT id) FROM {staging}.orders").fetchone() == (ORDERS, ORDERS)


@thorough
def test_rows_that_no_range_met_are_missed(yard: OracleYard, simulated: OracleDatabase) -> None:
    run = yard.run("missed")
    people = tables_of(simulated).by_name["APP", "PEOPLE"]
    strays = {rowid_text(people.object_id, 7, 5_000, 1): (Decimal(99_999), "13800099999", None, None, None, None, None)}
    people.apply(strays)
    try:
        plan = planned(run)
        make_picture(run)
        outcome = steps.work_item(run, number_of(plan, "mask_finish"))
    finally:
        people.apply(dict.fromkeys(strays))
    assert (outcome.reason, outcome.after["counted APP.PEOPLE"]) == ("masking_rows_missing", PEOPLE + 1)


def test_a_policy_is_proposed_and_confirmed_at_a_shell(yard: OracleYard, tmp_path: Path, monkeypatch, capsys) -> None:
    url = f"oracle://mask_read@127.0.0.1:{yard.source.port}/{yard.source.service}"
    monkeypatch.setenv("DRYDOCK_SOURCE_PASSWORD", "pass")
    monkeypatch.setattr(policy_command, "load_masking_policy", lambda _: yard.policy)
    monkeypatch.setattr(policy_command, "_known", lambda _: None)
    assert policy_command.fingerprint("from_oracle", url) == policy_command.GOOD
    assert policy_command.confirm("from_oracle", url, "李四", None) == policy_command.GOOD
    assert load_confirmed("from_oracle").confirmed_by == "李四"
    out = tmp_path / "proposed.yaml"
    assert policy_command.propose("from_oracle", url, ["APP"], 50, out) == policy_command.GOOD
    rules = yaml.safe_load(out.read_text(encoding="utf-8"))["tables"]["APP.PEOPLE"]["columns"]
    assert {name: rules[name].get("kind") for name in ("PHONE", "EMAIL")} == {"PHONE": "mobile", "EMAIL": "email"}
    said = capsys.readouterr().out
    assert [word for word in PLANTED if word in said + out.read_text(encoding="utf-8")] == []
    monkeypatch.setenv("DRYDOCK_SOURCE_PASSWORD", "wrong")
    for wrong in (url, "oracle://nobody", url.replace("mask_read@", "mask_read:secret@")):
        with pytest.raises(typer.BadParameter) as e:
            policy_command.fingerprint("from_oracle", wrong)
        assert "secret" not in str(e.value)


def test_where_a_copy_must_not_go(yard: OracleYard) -> None:
    """Not on the list, another engine, a server under care: before there is a plan, and at each item again."""
    healthy = yard.policy
    try:
        yard.policy = healthy.model_copy(update={"target": "another"})
        with pytest.raises(RunRefused, match="masking_target_not_listed another"):
            steps.take_survey(yard.run("unlisted"))
        targets = tuple(t.model_copy(update={"engine": Kind.ORACLE}) for t in healthy.targets)
        yard.policy = healthy.model_copy(update={"targets": targets})
        with pytest.raises(RunRefused, match="masking_target_other_engine"):
            steps.take_survey(yard.run("other engine"))
    finally:
        yard.policy = healthy
    run = yard.run("under care")
    planned(run)
    with connected(yard.copy_owner) as c:
        identity = c.execute("SELECT system_identifier::text FROM pg_control_system()").fetchone()[0]
    yard.facts["known"] = lambda: {identity: "gz_main"}
    assert steps.work_item(run, 1).reason == "masking_target_under_care"


def test_what_a_survey_must_tell(yard: OracleYard, simulated: OracleDatabase) -> None:
    """An undo too short, hidden rows, rows without ROWID, a type that cannot go; and what is left out is counted."""
    found = steps.take_survey(yard.run("healthy"))
    told = {(n.reason, n.evidence.get("what")) for n in found.notes}
    assert ("masking_not_copied", "check") in told, "SOUNDEX is no function of PostgreSQL"
    yard.facts["expected_s"] = lambda candidates: 1e7
    with pytest.raises(RunRefused, match="masking_undo_too_short"):
        steps.take_survey(yard.run("short"))
    yard.facts.clear()
    stored = storage_of(simulated).tables["APP", "ORDERS"]
    stored.roles["policy"] = "ONLY_OWN"
    stored.is_iot = True
    outside = storage_of(simulated).tables["APP", ODD]
    outside.is_external = True
    storage_of(simulated).touch()
    try:
        with pytest.raises(RunRefused) as e:
            steps.take_survey(yard.run("hidden"))
    finally:
        del stored.roles["policy"]
        stored.is_iot = outside.is_external = False
        storage_of(simulated).touch()
    assert {"masking_reader_not_exempt", "masking_rows_without_rowid"} <= {f.code for f in e.value.findings}, e.value.findings
    assert {f.values.get("what") for f in e.value.findings} >= {"IOT", "EXTERNAL"}


@thorough
def test_a_subset_is_chosen_at_the_scn(yard: OracleYard, simulated: OracleDatabase) -> None:
    """Some people and the orders that name them, as all was when the SCN was taken: the people are gone by then."""
    healthy = yard.policy
    rule = SubsetRule(table="APP.PEOPLE", by="rows", column="ID", values=tuple(range(2, 20)))
    yard.policy = healthy.model_copy(update={"subset": (rule,)})
    people = tables_of(simulated).by_name["APP", "PEOPLE"]
    try:
        run = yard.run("subset")
        plan = planned(run)
        make_picture(run)
        gone = {rowid: row for rowid, row in people.rows.items() if row[0] in rule.values}
        people.apply(dict.fromkeys(gone))
        try:
            assert failures(worked(run, plan)) == {}
        finally:
            people.apply(gone)
    finally:
        yard.policy = healthy
    with connected(yard.copy) as c:
        staging = f"drydock_staging_{run.run_id}_1"
        assert c.execute(f"SELECT array_agg(id::int ORDER BY id) FROM {staging}.people").fetchone() == (list(rule.values),)
        assert c.execute(f"SELECT array_agg(DISTINCT people_id::int) FROM {staging}.orders").fetchone() == (list(rule.values),)


NOT_ASKED = {("reidentification", Status.SKIPPED)}
