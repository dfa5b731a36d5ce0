"""Detection on made-up days: hostile names are data, bursts are folded, what is known is explained, alarms keep to the budget."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from drydock.audit.detection.detecting import MOST_HITS, detect_in
from drydock.audit.detection.explaining import explain
from drydock.audit.detection.important import important_objects
from drydock.audit.detection.rule_worlds import scene_of_world
from drydock.audit.detection.rules import RuleException, World, load_rules
from drydock.audit.detection.scene import Scene
from drydock.audit.detection.tickets import Tickets, read_tickets
from drydock.audit.policy import AuditPolicy
from drydock.audit.results import Detection, Disposal, Explained, Hit, Review, Severity, Subject
from drydock.audit.statements.deeds import deed_of
from drydock.audit.storage.columns import RECORDS
from drydock.estate import Engine
from drydock.ledger.audit_changes import OwnRun, OwnStatement

RULES = {rule.id: rule for rule in load_rules()}
HOSTILE = ["o'brien", '"; DROP TABLE records; --', "x\nLOG:  forged", "王小明", "$begin", "*", "[a-z", "\\", "a\x00b", "名" * 700]


def scene(*records: dict[str, Any], **world: Any) -> Scene:
    return scene_of_world(World(records=records, **world))


def asked(found: Scene, *rules: str) -> tuple[Detection, tuple[Hit, ...]]:
    return detect_in(found, [RULES[rule] for rule in rules])


def only(hits: Iterable[Hit]) -> Hit:
    (hit,) = hits
    return hit


def at(text: str, day: date = date(2026, 3, 4)) -> datetime:
    return datetime.fromisoformat(f"{day}T{text}:00+08:00").astimezone(UTC)


# what is looked at


def test_hostile_names_are_data() -> None:
    """Every field holds quotes, line ends, Chinese, SQL and patterns; all rules are asked; each name comes out as a subject."""
    records = [
        {
            "account": name,
            "program": name,
            "client": name,
            "os_user": name,
            "object_schema": name,
            "object_name": name,
            "at": "02:00",
        }
        for name in HOSTILE
    ]
    found = scene(*records, past=({"account": "o'brien", "program": HOSTILE[1], "statement": "SELECT 1"},))
    detection, hits = detect_in(found, tuple(RULES.values()))
    assert detection.records == len(HOSTILE)
    assert not [why for why in detection.not_run.values() if "failed" in why]
    accounts = {hit.subject.account for hit in hits if hit.rule == "off_hours"}
    assert {"o'brien", '"; DROP TABLE records; --', "x LOG:  forged", "王小明", "*"} <= accounts and len(accounts) == len(HOSTILE)
    forged = {hit.subject.account for hit in hits if hit.rule == "forged_name"}
    assert "x LOG:  forged" in forged and "王小明" not in forged


def test_a_pattern_in_a_policy_is_no_sql() -> None:
    policy = {"allowed": [{"accounts": ["x' OR '1'='1", "cler?_li"], "programs": ["navi*"], "clients": ["PC-LI"]}]}
    detection, hits = asked(scene({"who": "clerk"}, {"who": "dba"}, policy=policy), "unapproved_account")
    assert not detection.not_run and [hit.subject.account for hit in hits] == ["dba_wang"]


def test_nothing_to_look_at_is_not_nothing_found() -> None:
    detection, hits = detect_in(scene(), tuple(RULES.values()))
    assert (detection.records, detection.rules, hits) == (0, {}, ())
    assert set(detection.not_run) == {rule.id for rule in RULES.values() if Engine.POSTGRESQL in rule.engines}


def test_what_a_rule_needs_and_is_not_there_is_told() -> None:
    bare = {"allowed": [], "administrators": [], "drydock": [], "important_objects": []}
    detection, _ = detect_in(scene({"who": "app"}, policy=bare), tuple(RULES.values()))
    told = {
        rule: detection.not_run.get(rule, "") for rule in ("new_way", "dormant_account", "unapproved_account", "important_change")
    }
    assert [words.split(" · ")[1].split(" ")[0] for words in told.values()] == ["0", "the", "no", "no"]
    assert "account_locked" not in detection.not_run | detection.rules, "a rule for Oracle"
    assert not set(detection.rules) & set(detection.not_run)


def test_files_of_the_store_say_the_same_as_frames(tmp_path: Path) -> None:
    """Also an older file that lacks a column, and rows outside of the stretch that a file reaches over."""
    found = scene({"who": "clerk", "at": "02:10", "times": 3, "every_s": 600})
    assert isinstance(found.records, pl.DataFrame) and isinstance(found.activity, pl.DataFrame)
    outside = found.records.with_columns(pl.col("event_time") - timedelta(days=1))
    older, newer = tmp_path / "day=1" / "it's [old]; $x.parquet", tmp_path / "new.parquet"
    older.parent.mkdir()
    pl.concat([found.records, outside]).drop("authentication").write_parquet(older)
    found.activity.write_parquet(newer)
    from_files = replace(found, records=[str(older)], activity=[str(newer)])
    assert asked(from_files, "off_hours") == asked(found, "off_hours")
    assert only(asked(from_files, "off_hours")[1]).records == 3


def test_a_record_without_a_time_is_counted_and_judged_by_no_hour() -> None:
    found = scene({"who": "stranger", "at": "02:10"})
    assert isinstance(found.records, pl.DataFrame)
    timeless = replace(found, records=found.records.with_columns(event_time=pl.lit(None, dtype=RECORDS["event_time"])))
    detection, hits = asked(timeless, "off_hours", "unapproved_account")
    assert detection.records == 1 and [hit.rule for hit in hits] == ["unapproved_account"]


def test_working_days_are_those_of_the_calendar_and_hours_are_local() -> None:
    hours = [{"who": "clerk", "at": text} for text in ("07:59", "08:00", "19:59", "20:00")]
    hit = only(asked(scene(*hours), "off_hours")[1])
    assert (hit.records, hit.evidence["hours"]) == (2, "20, 7")
    assert only(asked(scene(*hours, day=date(2026, 3, 7)), "off_hours")[1]).records == 4, "a Saturday"


def test_important_objects_come_from_the_masking_policy_and_the_audit_policy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = important_objects("gz_cbec", AuditPolicy(important_objects=("gz_cbec.Rates", "finance.*")))
    names = {o.pattern: o for o in found}
    assert names["gz_cbec.ceb_order"].why == "general_3, general_4, personal, sensitive-personal"
    assert {"gz_cbec.rates", "finance.*"} <= set(names) and names["finance.*"].bare == "*"
    (tmp_path / "masking").mkdir()
    text = "tables:\n  'a.b[x]*': {columns: {c: {class: personal}}}\n  a.odd: 7\n"
    text += "  a.plain: {columns: {c: {class: business, level: general_2}}}\n"
    (tmp_path / "masking" / "odd.yaml").write_text(text, encoding="utf-8")
    monkeypatch.setenv("DRYDOCK_CONFIG", str(tmp_path))
    assert [o.pattern for o in important_objects("odd", AuditPolicy())] == ["a.b[[]x][*]"]
    assert important_objects("none", AuditPolicy()) == ()


def test_a_name_without_its_schema_is_the_important_one() -> None:
    named = [
        {"who": "clerk", "statement": f"UPDATE {name} SET a = 1 WHERE id = 7"} for name in ("Buyer", "SHOP.BUYER", "hr.buyer")
    ]
    hits = asked(scene(*named), "important_change")[1]
    assert sorted(hit.subject.object for hit in hits) == ["buyer", "shop.buyer"]


# folding and the budget


def test_bursts_are_folded() -> None:
    """The same by the same within burst_seconds is one hit; what comes later is another, of the same pattern."""
    update = {"who": "clerk", "statement": "UPDATE shop.buyer SET a = 1 WHERE id = 7", "rows": 2}
    found = scene(update | {"times": 18, "every_s": 1}, update | {"at": "15:00"}, update | {"at": "15:00", "account": "other"})
    detection, hits = asked(found, "important_change")
    clerk = [hit for hit in hits if hit.subject.account == "clerk_li"]
    assert [(hit.records, hit.rows) for hit in clerk] == [(18, 36), (1, 2)] and len(hits) == 3
    assert len({hit.pattern for hit in clerk}) == 1
    alarm = next(hit for hit in detection.alarms if hit.subject.account == "clerk_li")
    assert (alarm.records, alarm.evidence["occasions"], alarm.last_at) == (19, 2, at("15:00"))


def test_alarms_keep_to_the_budget_worst_first_and_the_rest_is_counted() -> None:
    strangers = {"statement": "SELECT 1", "each": {"account": [f"s{n}" for n in range(9)]}}
    found = scene(strangers, {"who": "drydock", "client": "elsewhere"}, policy={"alerts_per_day": 4})
    detection, hits = asked(found, "unapproved_account", "drydock_account_misused")
    assert [alarm.rule for alarm in detection.alarms] == ["drydock_account_misused", *["unapproved_account"] * 3]
    assert (len(hits), detection.beyond_budget, detection.rules["unapproved_account"]) == (10, 6, 9)


def test_a_flood_of_subjects_is_counted_and_cut() -> None:
    many = MOST_HITS + 37
    found = scene({"statement": "SELECT 1", "each": {"account": [f"s{n}" for n in range(many)]}, "every_s": 0})
    detection, hits = asked(found, "unapproved_account")
    assert len(hits) == MOST_HITS + 1 and detection.rules == {"unapproved_account": many}
    rest = hits[-1]
    assert rest.evidence == {"hits_not_listed": 37} and detection.beyond_budget == many - 20
    closed = Review(
        pattern=rest.pattern, database="world", disposal=Disposal.NORMAL, reviewer="w", reason="known", reviewed_at=at("09:00")
    )
    assert only(explained(rest, reviews={rest.pattern: closed})).explained is None, "nobody closes what nobody saw"


def test_what_a_killed_run_left_is_swept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("drydock.settings.scratch_dir", lambda: tmp_path)
    old, new = tmp_path / "audit-views-old", tmp_path / "audit-views-new"
    for folder in (old, new):
        folder.mkdir()
        (folder / "views.duckdb").write_bytes(b"records")
    os.utime(old, (0, 0))
    asked(scene({"who": "app"}), "off_hours")
    assert list(tmp_path.iterdir()) == [new]


@pytest.mark.parametrize(
    ("deed", "actions"),
    [
        ("logon", "LOGON,CONNECT,AUTHENTICATE,LOGON FAILED"),
        ("session", "CONNECTION,SET,SET ROLE,BEGIN,COMMIT,ALTER SESSION,LOCK TABLE"),
        ("read", "SELECT,SELECT FOR UPDATE,WITH,FETCH"),
        ("write", "INSERT,UPDATE,DELETE,MERGE,COPY FROM"),
        ("ddl", "CREATE TABLE,CREATE TABLE AS,SELECT INTO,DROP INDEX,TRUNCATE TABLE,ALTER DATABASE LINK,DISABLE TRIGGER"),
        ("privilege", "GRANT,SYSTEM GRANT,GRANT ROLE,REVOKE OBJECT,CREATE USER,ALTER ROLE,DROP PROFILE"),
        ("audit", "AUDIT OBJECT,NOAUDIT DEFAULT,SYSTEM NOAUDIT,DROP AUDIT POLICY"),
        ("server", "ALTER SYSTEM,ALTER DATABASE,ALTER PLUGGABLE DATABASE"),
        ("other", ",SOMETHING NEW,0"),
    ],
)
def test_what_kind_of_deed_an_action_is(deed: str, actions: str) -> None:
    assert {action: deed_of(action) for action in actions.split(",")} == dict.fromkeys(actions.split(","), deed)


@pytest.mark.parametrize(
    ("rule", "record"),
    [
        ("export_tool", {"who": "stranger", "program": "exp@pc9 (TNS V1-V3)", "action": "SELECT", "object": "shop.buyer"}),
        ("export_tool", {"who": "stranger", "program": "C:\\oracle\\bin\\EXP.EXE", "action": "LOGON"}),
        ("export_tool", {"who": "stranger", "program": "ude@pc9 (TNS V1-V3)", "action": "LOGON"}),
        ("audit_changed", {"who": "dba", "statement": "begin dbms_fga.disable_policy('SHOP', 'BUYER', 'P'); end;"}),
        ("way_out_created", {"who": "dba", "statement": "CREATE SUBSCRIPTION s CONNECTION 'host=10.0.0.9' PUBLICATION p"}),
    ],
)
def test_other_spellings_of_the_same_deed(rule: str, record: dict[str, Any]) -> None:
    assert asked(scene(record), rule)[1], "found by its rule"


# what explains


def own_change(
    begin: str, end: str | None, key: str = 'move ["table", "shop", "colour", "", ""]', text: str = ""
) -> OwnStatement:
    ended_at = at(end) if end else None
    return OwnStatement(run_id=7, pipeline="reclaim", item_key=key, text=text, begun_at=at(begin), ended_at=ended_at)


WORK = {"account": "drydock_work", "client": "airflow01", "program": "drydock/run 7"}
DDL: dict[str, Any] = {}
DDL_HIT = Hit(
    rule="ddl_outside_window", severity=Severity.MEDIUM, subject=Subject(), first_at=at("14:00"), last_at=at("14:00"), records=1
)


@cache
def _empty() -> Scene:
    return scene()


def explained(hit: Hit, **told: Any) -> tuple[Hit, ...]:
    """The hit as it is explained by what else is told of the scene."""
    return explain([hit], replace(_empty(), **told), RULES)


@pytest.mark.parametrize(
    ("change", "record", "words"),
    [
        (own_change("13:59", "14:01"), DDL, "run 7 (reclaim)"),
        (
            own_change("13:59", "14:01", 'move ["table", "shop", "other", "", ""]', 'ALTER TABLE "shop"."colour"'),
            DDL,
            "run 7 (reclaim)",
        ),
        (own_change("13:59", "14:01", "clean", "BEGIN colour.clean_it(:until); END;"), DDL, "run 7 (reclaim)"),
        (own_change("13:59", "14:01", "move", 'ALTER TABLE "hr"."colour"'), DDL, ""),
        (own_change("13:00", "13:30"), DDL, ""),
        (own_change("13:00", None), DDL, ""),
        (own_change("13:59", "14:01", 'move ["table", "hr", "colour", "", ""]'), DDL, ""),
        (own_change("13:59", "14:01", 'move ["table", "shop", "other", "", ""]', "ALTER TABLE shop.colours"), DDL, ""),
        (own_change("13:59", "14:01"), DDL | {"client": "pc-tom"}, ""),
        (own_change("13:59", "14:01"), DDL | {"program": "psql"}, ""),
        (own_change("13:59", "14:01"), DDL | {"account": "dba_wang"}, ""),
    ],
    ids=[
        "item",
        "text",
        "text alone",
        "text elsewhere",
        "earlier",
        "no end",
        "schema",
        "other table",
        "host",
        "program",
        "account",
    ],
)
def test_a_change_is_drydocks_own_only_by_a_statement_on_that_object_at_that_time(
    change: OwnStatement, record: dict, words: str
) -> None:
    account, client, program = (record.get(name, WORK[name]) for name in ("account", "client", "program"))
    subject = Subject(
        account=account, client=client, program=program, os_user="airflow", action="ALTER TABLE", object="shop.colour"
    )
    hit = only(explained(DDL_HIT.model_copy(update={"subject": subject}), changes=(change,)))
    assert (hit.explained, hit.explanation) == ((Explained.DRYDOCK, words) if words else (None, ""))


MAKES = own_change("13:59", "14:01", text='create_function: CREATE OR REPLACE FUNCTION "drydock_reclaim"."drain"() RETURNS int')
CALLS = own_change("13:59", "14:01", text="drain: SELECT drydock_reclaim.drain(%(table)s::oid)")


@pytest.mark.parametrize(
    ("change", "action", "name", "is_known"),
    [
        (MAKES, "CREATE FUNCTION", "", True),
        (MAKES, "DROP FUNCTION", "", False),
        (MAKES, "CREATE", "", True),
        (CALLS, "CREATE FUNCTION", "", False),
        (CALLS, "UPDATE", "drydock_reclaim.state", True),
        (CALLS, "INSERT", "drydock_reclaim_new.colour", True),
        (CALLS, "INSERT", "drydock_reclaim_new.other", False),
        (CALLS, "UPDATE", "shop.state", False),
        (own_change("13:59", "14:01", text="x: SELECT shop.f()"), "UPDATE", "shop.state", False),
    ],
)
def test_what_names_no_object_is_known_by_its_kind_and_what_is_in_a_schema_of_drydock_by_the_schema(
    change: OwnStatement, action: str, name: str, is_known: bool
) -> None:
    subject = Subject(account="drydock_work", client="airflow01", program="drydock/run 7", os_user="airflow")
    subject = subject.model_copy(update={"action": action, "object": name})
    hit = only(explained(DDL_HIT.model_copy(update={"subject": subject}), changes=(change,)))
    assert (hit.explained is Explained.DRYDOCK) == is_known


def test_a_burst_begins_and_ends_in_statements_of_one_item() -> None:
    subject = Subject(account="drydock_work", client="airflow01", program="drydock/run 7", os_user="airflow", action="UPDATE")
    subject = subject.model_copy(update={"object": "shop.colour"})
    burst = DDL_HIT.model_copy(update={"subject": subject, "last_at": at("14:10"), "records": 9})
    first, last = own_change("13:59", "14:01"), own_change("14:09", "14:11")
    other = last.model_copy(update={"run_id": 8})
    assert only(explained(burst, changes=(first, last))).explained is Explained.DRYDOCK
    for changes in ((first,), (last,), (first, other), (first, own_change("14:09", "14:11", "move elsewhere"))):
        assert only(explained(burst, changes=changes)).explained is None


def test_drydocks_reading_is_explained_and_of_important_objects_only_by_a_run() -> None:
    dictionary = {"who": "drydock", "program": "drydock/x", "statement": "SELECT relname FROM pg_catalog.pg_class"}
    policy = {"allowed": [{"accounts": ["app_shop"]}]}
    found = scene(dictionary | {"at": "02:00"}, policy=policy)
    assert only(asked(found, "off_hours")[1]).explanation == "reading by Drydock from airflow01"
    important = scene({"who": "drydock", "statement": "SELECT * FROM shop.buyer"}, policy=policy)
    assert only(asked(important, "whole_table_read")[1]).explained is None
    run = OwnRun(run_id=9, pipeline="masking", began_at=at("09:55"), ended_at=at("10:05"), is_finished=True)
    assert only(asked(replace(important, runs=(run,)), "whole_table_read")[1]).explanation == "run 9 (masking)"
    for other in ({"pipeline": "audit"}, {"ended_at": at("09:57")}):
        wrong = replace(important, runs=(run.model_copy(update=other),))
        assert only(asked(wrong, "whole_table_read")[1]).explained is None


def test_a_way_of_drydock_that_changed_something_needs_a_run_all_that_time() -> None:
    subject = Subject(account="drydock_work", client="airflow01", program="drydock/run 7", os_user="airflow")
    hit = DDL_HIT.model_copy(update={"subject": subject, "rule": "new_way", "evidence": {"changes": 3, "important_records": 0}})
    run = OwnRun(run_id=9, pipeline="reclaim", began_at=at("13:00"), ended_at=at("15:00"), is_finished=True)
    assert only(explained(hit, runs=(run,))).explanation == "run 9 (reclaim)"
    for other in (run.model_copy(update={"ended_at": at("13:30")}), run.model_copy(update={"pipeline": "audit"})):
        assert only(explained(hit, runs=(other,))).explained is None
    untold = hit.model_copy(update={"evidence": {}})
    assert only(explained(untold)).explained is None, "what a rule does not count may have been a change"


def test_an_outlier_of_drydock_is_its_own_unless_somebody_else_used_the_account() -> None:
    usual = {"who": "drydock", "at": "09:00", "statement": "SELECT 1", "times": 40, "every_s": 300}
    today = usual | {"times": 4000, "every_s": 5}
    for more, who in (((), Explained.DRYDOCK), (({"who": "drydock", "client": "pc-tom"},), None)):
        hits = asked(scene(today, *more, past=(usual,)), "outlier")[1]
        assert {hit.explained for hit in hits if hit.subject.account == "drydock_read"} == {who}


@pytest.mark.parametrize("field", ["client", "program", "os_user"])
def test_a_person_who_uses_drydocks_account_is_told_whatever_else_is_known(field: str) -> None:
    found = scene({"who": "drydock", "statement": "SELECT * FROM shop.buyer", field: "elsewhere"})
    run = OwnRun(run_id=9, pipeline="masking", began_at=at("09:00"), ended_at=at("11:00"), is_finished=True)
    tickets = Tickets(tuple(tickets_of("T-1,2026-03-04 00:00,2026-03-05 00:00,drydock_*,,,,chief")), ())
    detection, hits = asked(replace(found, runs=(run,), tickets=tickets), "drydock_account_misused")
    assert only(hits).explained is None and detection.alarms[0].severity == "critical"


HEADER = "工单号,开始时间,结束时间,账号,对象,操作,数据库,批准人\n"


def tickets_of(*lines: str, folder: Path | None = None, encoding: str = "utf-8") -> Iterable[Any]:
    import tempfile

    with tempfile.TemporaryDirectory() as made:
        path = (folder or Path(made)) / "tickets.csv"
        path.write_bytes((HEADER + "\n".join(lines)).encode(encoding))
        return read_tickets(str(path), scene().database).tickets


@pytest.mark.parametrize(
    ("line", "explains"),
    [
        ("CHG-7,2026-03-04 13:00,2026/03/04 15:00,dba_*,shop.*,ALTER*,,王主任", True),
        ("CHG-7,2026-03-04T05:00+00:00,2026-03-04T07:00+00:00,x;DBA_WANG,colour,,world,王主任", True),
        ("CHG-7,2026-03-04 13:00,2026-03-04 15:00,dba_wang chief,shop.*,CREATE INDEX；alter  table,,王主任", True),
        ("CHG-7,2026-03-04 14:30,2026-03-04 15:00,dba_*,shop.*,ALTER*,,王主任", False),
        ("CHG-7,2026-03-04 13:00,2026-03-04 15:00,clerk_*,shop.*,ALTER*,,王主任", False),
        ("CHG-7,2026-03-04 13:00,2026-03-04 15:00,dba_*,hr.*,ALTER*,,王主任", False),
        ("CHG-7,2026-03-04 13:00,2026-03-04 15:00,dba_*,shop.*,DROP*,,王主任", False),
        ("CHG-7,2026-03-04 13:00,2026-03-04 15:00,dba_*,shop.*,ALTER*,elsewhere,王主任", False),
        ("CHG-7,2026-03-04 13:00,2026-03-04 15:00,dba_*,shop.*,ALTER*,,", False),
        ("CHG-7,2026-03-04 13:00,2026-03-04 15:00,*,shop.*,ALTER*,,王主任", False),
    ],
)
def test_a_ticket_explains_what_it_names_and_nothing_else(line: str, explains: bool) -> None:
    subject = Subject(account="dba_wang", action="ALTER TABLE", object="shop.colour")
    told = DDL_HIT.model_copy(update={"subject": subject})
    hit = only(explained(told, tickets=Tickets(tuple(tickets_of(line)), ())))
    assert (hit.explained is Explained.TICKET) == explains and (hit.explanation == "CHG-7 (王主任)") == explains


def test_tickets_that_cannot_be_used_are_told(tmp_path: Path) -> None:
    database = scene().database
    path = tmp_path / "tickets.csv"
    path.write_bytes((HEADER + 'A,yesterday,x,dba,,,,chief\nB,2026-03-04,2026-03-05,dba,,,,""\n,,,,,,,\n').encode("gb18030"))
    told = read_tickets(str(path), database)
    assert told.tickets == () and [words.split(": ")[1] for words in told.unused] == [
        "its begin and end are no span of time",
        "nobody approved it",
    ]
    detection, _ = asked(replace(scene({"who": "app"}), tickets=told), "off_hours")
    assert "2 tickets not used" in detection.not_run["tickets"]
    path.write_text("a,b\n1,2\n", encoding="utf-8")
    assert "no column for ticket" in read_tickets(str(path), database).unused[0]
    assert "cannot be read" in read_tickets(str(tmp_path / "none.csv"), database).unused[0]
    path.write_bytes(b'\x00"\xff,\n' * 50)
    assert read_tickets(str(path), database).unused


def test_what_people_closed_stays_closed_until_its_date_and_an_incident_never() -> None:
    pattern = DDL_HIT.pattern
    review = Review(
        pattern=pattern,
        database="world",
        disposal=Disposal.NORMAL,
        reviewer="wang",
        reason="known",
        reviewed_at=at("09:00", date(2026, 2, 1)),
    )

    def closed(**changes: Any) -> Explained | None:
        return only(explained(DDL_HIT, reviews={pattern: review.model_copy(update=changes)})).explained

    assert closed() is Explained.REVIEWED
    assert closed(disposal=Disposal.EXCEPTION, until=date(2026, 3, 4)) is Explained.REVIEWED
    assert closed(disposal=Disposal.EXCEPTION, until=date(2026, 3, 3)) is None
    assert closed(disposal=Disposal.INCIDENT) is None
    assert only(explained(DDL_HIT, reviews={"0" * 16: review})).explained is None


def test_an_exception_of_a_rule_explains_until_its_day() -> None:
    hit = DDL_HIT.model_copy(update={"subject": Subject(account="temp_zhao", client="10.9.8.7")})

    def excused(**changes: Any) -> Explained | None:
        told = {"id": "old_tool", "reason": "being replaced", "approver": "wang", "accounts": ("TEMP_*",), **changes}
        rule = RULES["ddl_outside_window"].model_copy(update={"exceptions": (RuleException.model_validate(told),)})
        return only(explain([hit], _empty(), {rule.id: rule})).explained

    assert excused() is Explained.EXCEPTION and excused(until=date(2026, 3, 4)) is Explained.EXCEPTION
    assert excused(until=date(2026, 3, 3)) is None and excused(clients=("app01",)) is None
