"""The ledger on a real PostgreSQL: what is put in comes out, nothing is ever changed, a killed attempt is found again."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import URL, Engine, Table, text
from sqlalchemy.exc import DBAPIError

from drydock.backup.facts import (
    Archiver,
    BackupSet,
    JobLog,
    JobRun,
    JobState,
    Level,
    LogArchive,
    LogRange,
    Survey,
    Tablespace,
    TargetState,
)
from drydock.backup.results import Coverage, Depth, Drill, Forecast, Judgement, Phase, Read, ReadUnit, TimeWindow
from drydock.ledger import history, record
from drydock.ledger.bounds import MOST_FINDINGS
from drydock.ledger.connect import LARGEST_JSON_BYTES, json_text, ledger_engine
from drydock.ledger.models import Base, Event
from drydock.verdicts import Acknowledgement, Finding, Status, judge, skip

T0 = datetime(2026, 3, 8, 7, 30, tzinfo=UTC)
DAY = date(2026, 3, 8)
HOSTILE = "'; DROP TABLE drydock.runs; --\\ \"%s %(x)s {role} ${HOME} 报关单 🚢 \x00\u202e</script>"
KEPT = "'; DROP TABLE drydock.runs; --\\ \"%s %(x)s {role} ${HOME} 报关单 🚢   </script>"

_numbers = count(1)


@pytest.fixture
def database() -> str:
    """An id that no other test uses: the ledger is never emptied."""
    return f"db_{next(_numbers)}"


def finding(code: str = "log_gap", place: str = "tl 1", status: Status = Status.FAIL, **values: object) -> Finding:
    return Finding(code=code, place=place, status=status, values=values)


def backup_set(set_id: str, finished_at: datetime = T0, **other: object) -> BackupSet:
    other = {"level": Level.FULL, "place": f"/backup/{set_id}", "total_bytes": 10**12, "files": 1000, **other}
    return BackupSet(set_id=set_id, started_at=finished_at - timedelta(minutes=5), finished_at=finished_at, **other)


def full_survey(database: str) -> Survey:
    tablespace = Tablespace(oid=16400, name=HOSTILE, location="/ts/a b", place="")
    log_range = LogRange(
        timeline=1,
        first="000000010000000000000001",
        last="0000000100000000000000FF",
        first_position=2**24,
        end_position=2**63 - 1,
        segments=255,
        total_bytes=255 * 2**24,
        first_at=T0,
        last_at=T0 + timedelta(microseconds=1),
    )
    job = JobRun(level=Level.FULL, state=JobState.SUCCEEDED, started_at=T0, ended_at=T0, set_id="s1", message=HOSTILE)
    return Survey(
        database=database,
        as_of=T0,
        surveyed_at=T0 + timedelta(seconds=3),
        sets=(backup_set("s1", tablespaces=(tablespace,), problems=(finding(share=0.1, on=True, n=2**53 + 1, none=None),)),),
        logs=LogArchive(
            place="/wal", segment_bytes=2**24, ranges=(log_range,), timelines={2: (1, 2**40), 3: (2, 5)}, free_bytes=7
        ),
        jobs=JobLog(place="/log", horizon_at=T0, runs=(job,), unread_lines=2),
        target=TargetState(reachable=True, archiver=Archiver(mode="on"), clock_at=T0, position=2**40, tablespaces=(tablespace,)),
        past_sets=(backup_set("s0", T0 - timedelta(days=9)),),
        problems=(finding("target_down", HOSTILE, Status.UNKNOWN, error=HOSTILE),),
    )


def full_read(ended_at: datetime = T0, **other: object) -> Read:
    other = {"unit": ReadUnit.SET, "subject": "s1", "set_id": "s1", **other}
    return Read(read_bytes=2**40, files=9, started_at=ended_at - timedelta(minutes=1), ended_at=ended_at, **other)


def full_drill(drill_id: str, ended_at: datetime = T0, **other: object) -> Drill:
    phases = (Phase(name="restore", elapsed_s=1.25, work_bytes=5), Phase(name="recover", elapsed_s=0.1))
    return Drill(
        drill_id=drill_id,
        set_id="s2",
        chain=("s1", "s2"),
        recovered_to=T0,
        started_at=ended_at - timedelta(minutes=9),
        ended_at=ended_at,
        phases=phases,
        forecast_s=1.5,
        **other,
    )


def judgement_of(database: str, day: date = DAY, findings: tuple[Finding, ...] = (), **other: object) -> Judgement:
    as_of = datetime(day.year, day.month, day.day, 7, 30, tzinfo=UTC)
    return Judgement(
        database=database,
        day=day,
        as_of=as_of,
        judged_at=as_of + timedelta(minutes=1),
        depth=Depth.BYTES,
        executed=judge("executed", 3, (), planned=3),
        complete=judge("complete", 5, findings, segments=255),
        valid=judge("valid", 0, ()),
        normal=skip("normal", "history_short", runs=2),
        **other,
    )


def save_day(ledger: Engine, database: str, day: date, *findings: Finding) -> int:
    run = record.open_run(ledger, "backup", database, day, f"scheduled__{day}_{next(_numbers)}")
    record.save_judgement(ledger, run.run_id, judgement_of(database, day, findings))
    return run.run_id


@dataclass(frozen=True)
class File:
    path: Path
    format: str
    sha256: str
    bytes: int


# what is put in comes out


def test_a_survey_comes_back_as_it_was(ledger: Engine, database: str) -> None:
    run = record.open_run(ledger, "backup", database, DAY, "r1")
    survey = full_survey(database)
    record.save_survey(ledger, run.run_id, survey)
    assert history.load_survey(ledger, run.run_id) == survey
    assert history.survey_of_day(ledger, database, DAY) == survey
    assert history.survey_of_day(ledger, database, DAY + timedelta(days=1)) is None


def test_a_run_without_survey_says_so(ledger: Engine, database: str) -> None:
    run = record.open_run(ledger, "backup", database, DAY, "r1")
    with pytest.raises(LookupError, match="survey step did not complete"):
        history.load_survey(ledger, run.run_id)


def test_reads_come_back_by_database_time_and_run(ledger: Engine, database: str) -> None:
    run = record.open_run(ledger, "backup", database, DAY, "r1")
    logs = full_read(
        T0 + timedelta(hours=1),
        unit=ReadUnit.LOGS,
        subject="01..FF",
        set_id="",
        timeline=2,
        first_position=2**24,
        end_position=2**62,
        findings=(finding("log_damaged", HOSTILE, segment="01"),),
    )
    for read in (logs, full_read()):
        record.save_read(ledger, run.run_id, database, read)
    assert history.reads_of(ledger, database, T0, T0 + timedelta(hours=1)) == (full_read(), logs)
    assert history.reads_of(ledger, database, T0 + timedelta(seconds=1), T0 + timedelta(days=1)) == (logs,)
    assert history.reads_of(ledger, "another", T0, T0 + timedelta(days=1)) == ()
    assert history.reads_of_run(ledger, run.run_id) == (full_read(), logs)


def test_drills_come_back_newest_first(ledger: Engine, database: str) -> None:
    run = record.open_run(ledger, "backup", database, DAY, "r1")
    drills = [full_drill(f"drill-{n}", T0 + timedelta(days=n)) for n in range(3)]
    for drill in (*drills, drills[0]):  # an attempt that lost the answer to its COMMIT saves again
        record.save_drill(ledger, run.run_id, database, drill)
    assert history.drills_of(ledger, database, T0 + timedelta(days=1), 10) == (drills[1], drills[0])
    assert history.drills_of(ledger, database, T0 + timedelta(days=9), 1) == (drills[2],)


def test_a_judgement_comes_back_as_it_was(ledger: Engine, database: str) -> None:
    word = Acknowledgement(id="w1", approver=HOSTILE, reason="known loss", review_by=date(2026, 4, 1))
    accepted = finding("set_mode", "/backup/s1", mode="0777").model_copy(update={"acknowledged": word})
    judgement = judgement_of(
        database,
        findings=(finding(missing=3), accepted),
        restorable=(TimeWindow(start=T0, end=T0 + timedelta(days=3), set_id="s1", timeline=1),),
        rpo_now_s=12.5,
        rto=Forecast(seconds=99.5, basis=3, error_ratio=0.1, is_default=False),
        coverage=Coverage(period_days=7, read_bytes=1, total_bytes=2, sets_read=1, sets_total=2),
        last_drill=full_drill("d1", findings=(finding("drill_structure"),)),
    )
    run = record.open_run(ledger, "backup", database, DAY, "r1")
    assert history.judgement_of(ledger, run.run_id) is None
    record.save_judgement(ledger, run.run_id, judgement)
    assert history.judgement_of(ledger, run.run_id) == judgement
    assert judgement.status is Status.FAIL


def test_verdicts_and_findings_lie_beside_the_judgement(ledger: Engine, database: str) -> None:
    word = Acknowledgement(id="w1", approver="Li", reason="known loss", review_by=date(2026, 4, 1))
    accepted = finding("set_mode", "/s1", mode="0777").model_copy(update={"acknowledged": word})
    run_id = save_day(ledger, database, DAY, finding(missing=3), accepted)
    query = text(
        "SELECT v.question, v.status, v.examined, f.code, f.status, f.effective, f.place, f.values, f.acknowledged ->> 'id'"
        " FROM drydock.judgements j JOIN drydock.verdicts v ON v.judgement_id = j.id"
        " LEFT JOIN drydock.findings f ON f.verdict_id = v.id WHERE j.run_id = :run_id ORDER BY v.id, f.id"
    )
    with ledger.connect() as connection:
        rows = [tuple(row) for row in connection.execute(query, {"run_id": run_id})]
    assert rows == [
        ("executed", "PASS", 3, None, None, None, None, None, None),
        ("complete", "FAIL", 5, "log_gap", "FAIL", "FAIL", "tl 1", {"missing": 3}, None),
        ("complete", "FAIL", 5, "set_mode", "FAIL", "WARN", "/s1", {"mode": "0777"}, "w1"),
        ("valid", "UNKNOWN", 0, None, None, None, None, None, None),
        ("normal", "SKIPPED", 0, None, None, None, None, None, None),
    ]


def test_hostile_text_survives_as_the_text_it_is(ledger: Engine, database: str) -> None:
    save_day(ledger, database, DAY, finding("set_file_missing", HOSTILE, name=HOSTILE))
    (found,) = history.judgements_of_day(ledger, DAY)[database].complete.findings
    assert (found.place, found.values["name"]) == (KEPT, KEPT)
    assert history.first_seen(ledger, database) == {("set_file_missing", KEPT): DAY}


def test_a_figure_that_is_not_finite_becomes_none(ledger: Engine, database: str) -> None:
    save_day(ledger, database, DAY, finding(ratio=float("nan"), share=float("inf")))
    (found,) = history.judgements_of_day(ledger, DAY)[database].complete.findings
    assert found.values == {"ratio": None, "share": None}


def test_reports_of_a_day_are_the_newest_of_each_kind_and_format(ledger: Engine, database: str) -> None:
    day = date(2020, 1, next(_numbers) % 28 + 1)
    run = record.open_run(ledger, "backup", database, day, "r1")
    for n, form in enumerate(("docx", "html", "docx")):
        file = File(Path(f"/reports/{n}.{form}"), form, f"{n}" * 64, 10 + n)
        record.save_report(ledger, run.run_id, "backup_record", day, "zh", file)
    record.save_report(ledger, None, "drill_record", day, "en", file, database=database)
    told = [(r.kind, r.database, r.format, str(r.path), r.sha256, r.bytes) for r in history.reports_of_day(ledger, day)]
    assert told == [
        ("backup_record", None, "docx", "/reports/2.docx", "2" * 64, 12),
        ("backup_record", None, "html", "/reports/1.html", "1" * 64, 11),
        ("drill_record", database, "docx", "/reports/2.docx", "2" * 64, 12),
    ]


# attempts


def test_a_killed_attempt_is_found_with_what_it_did(ledger: Engine, database: str) -> None:
    first = record.open_run(ledger, "backup", database, DAY, "r1")
    record.save_survey(ledger, first.run_id, full_survey(database))
    record.add_event(ledger, first.run_id, Event.READ, {"units": 2})
    second = record.open_run(ledger, "backup", database, DAY + timedelta(days=1), "r1")
    assert (first.attempt, first.done) == (1, frozenset())
    assert (second.run_id, second.attempt, second.day) == (first.run_id, 2, DAY)
    assert second.done == {"surveyed", "read"}


def test_a_step_that_was_cut_off_left_nothing(ledger: Engine, database: str) -> None:
    run = record.open_run(ledger, "backup", database, DAY, "r1")
    with pytest.raises(RuntimeError, match="killed"), ledger.begin() as connection:
        record.save_judgement(connection, run.run_id, judgement_of(database))
        raise RuntimeError("killed")
    assert history.judgement_of(ledger, run.run_id) is None
    assert record.open_run(ledger, "backup", database, DAY, "r1").done == frozenset()


def test_a_finished_run_begins_anew_when_it_is_run_again(ledger: Engine, database: str) -> None:
    run = record.open_run(ledger, "backup", database, DAY, "r1")
    record.save_judgement(ledger, run.run_id, judgement_of(database))
    record.add_event(ledger, run.run_id, "finished", {"status": "PASS"})
    again = record.open_run(ledger, "backup", database, DAY, "r1")
    assert (again.run_id, again.attempt, again.done) == (run.run_id, 2, frozenset())


def test_another_key_or_pipeline_is_another_run(ledger: Engine, database: str) -> None:
    keys = [("backup", "r1"), ("backup", "r2"), ("reclaim", "r1")]
    assert len({record.open_run(ledger, pipeline, database, DAY, key).run_id for pipeline, key in keys}) == 3


def test_racing_attempts_get_one_run_and_numbers_of_their_own(ledger: Engine, database: str) -> None:
    start = threading.Barrier(4)

    def attempt(_n: int) -> history.OpenRun:
        start.wait()
        return record.open_run(ledger, "backup", database, DAY, "r1")

    with ThreadPoolExecutor(4) as pool:
        runs = list(pool.map(attempt, range(4)))
    assert len({r.run_id for r in runs}) == 1
    assert sorted(r.attempt for r in runs) == [1, 2, 3, 4]


def test_an_event_that_nobody_knows_is_refused(ledger: Engine, database: str) -> None:
    run = record.open_run(ledger, "backup", database, DAY, "r1")
    with pytest.raises(ValueError, match="lunch"):
        record.add_event(ledger, run.run_id, "lunch")


def test_one_writer_holds_the_lock_of_a_day_and_the_next_waits(ledger: Engine) -> None:
    name, order = f"report-{next(_numbers)}", []

    def write() -> None:
        with history.day_lock(ledger, name):
            order.append("second")

    with history.day_lock(ledger, name), history.day_lock(ledger, f"{name}-other"):
        second = threading.Thread(target=write)
        second.start()
        _wait_until_somebody_waits(ledger)
        order.append("first")
    second.join(20)
    assert order == ["first", "second"]


def test_a_lock_held_too_long_is_a_timeout_that_names_it(ledger: Engine) -> None:
    name = f"report-{next(_numbers)}"
    with history.day_lock(ledger, name), pytest.raises(TimeoutError, match=name), history.day_lock(ledger, name, wait_s=1):
        pass
    with history.day_lock(ledger, name, wait_s=5):
        pass


def _wait_until_somebody_waits(ledger: Engine) -> None:
    waiting = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
    deadline = time.monotonic() + 20
    with ledger.connect() as connection:
        while not connection.execute(waiting).scalar_one():
            assert time.monotonic() < deadline
            time.sleep(0.02)


# history


def test_the_newest_judgement_of_a_day_counts_and_the_others_stay(ledger: Engine, database: str) -> None:
    save_day(ledger, database, DAY, finding())
    save_day(ledger, database, DAY)
    assert history.judgements_of_day(ledger, DAY)[database] == judgement_of(database)
    with ledger.connect() as connection:
        rows = text("SELECT count(*) FROM drydock.judgements WHERE database = :database")
        assert connection.execute(rows, {"database": database}).scalar_one() == 2


def test_previous_judgements_are_of_the_last_judged_day_before(ledger: Engine, database: str) -> None:
    never = f"{database}_never"
    save_day(ledger, database, DAY - timedelta(days=9))
    save_day(ledger, database, DAY - timedelta(days=3), finding())
    save_day(ledger, database, DAY - timedelta(days=3))
    save_day(ledger, database, DAY)
    save_day(ledger, database, DAY - timedelta(days=9))  # a backfill, judged last
    previous = history.previous_judgements(ledger, DAY, [database, never])
    assert previous == {database: judgement_of(database, DAY - timedelta(days=3))}


def test_first_seen_goes_back_to_the_last_judged_day_without_the_finding(ledger: Engine, database: str) -> None:
    old, back, new, gone = (finding(c, "p") for c in ("log_gap", "set_mode", "rpo_exceeded", "no_plan"))
    days = [DAY + timedelta(days=n) for n in (0, 1, 2, 5)]  # days 3 and 4 were not judged
    save_day(ledger, database, days[0], old, back, gone)
    save_day(ledger, database, days[1], back)
    save_day(ledger, database, days[1], old, gone)  # judged again: back was not there after all
    save_day(ledger, database, days[2], old, back, gone)
    save_day(ledger, database, days[3], old, back, new, old)
    assert history.first_seen(ledger, database) == {
        ("log_gap", "p"): days[0],
        ("set_mode", "p"): days[2],
        ("rpo_exceeded", "p"): days[3],
    }
    assert history.first_seen(ledger, database, until=days[1]) == {("log_gap", "p"): days[0], ("no_plan", "p"): days[0]}
    assert history.first_seen(ledger, f"{database}_never") == {}


def test_a_question_that_was_not_answered_closes_no_finding(ledger: Engine, database: str) -> None:
    lost = finding("set_checksum", "f1")
    read = judgement_of(database).model_copy(update={"valid": judge("valid", 1, [lost])})
    days = [DAY + timedelta(days=n) for n in range(4)]
    for day, judgement in ((days[0], read), (days[1], judgement_of(database)), (days[2], read)):
        run = record.open_run(ledger, "backup", database, day, f"r{day}")
        record.save_judgement(ledger, run.run_id, judgement.model_copy(update={"day": day}))
        assert history.first_seen(ledger, database) == {("set_checksum", "f1"): days[0]}
    run = record.open_run(ledger, "backup", database, days[3], "r3")
    whole = judgement_of(database, days[3]).model_copy(update={"valid": judge("valid", 1, ())})
    record.save_judgement(ledger, run.run_id, whole)
    assert history.first_seen(ledger, database) == {}


def test_past_sets_are_those_that_went_once_each_as_last_seen(ledger: Engine, database: str) -> None:
    weeks = [backup_set(f"w{n}", T0 + timedelta(days=7 * n)) for n in range(4)]
    unfinished = weeks[1].model_copy(update={"finished_at": None, "total_bytes": 1})
    seen = [(weeks[0], unfinished), weeks[0:2], weeks[1:3], weeks[2:4]]
    for n, sets in enumerate(seen):
        survey_sets(ledger, database, T0 + timedelta(days=7 * n + 1), tuple(sets))
    until = T0 + timedelta(days=30)
    assert history.past_sets(ledger, database, until, 365) == (weeks[0], weeks[1])
    assert history.past_sets(ledger, database, until, 25) == (weeks[1],)
    assert history.past_sets(ledger, database, T0 + timedelta(days=16), 365) == (weeks[0],)
    assert history.past_sets(ledger, database, until, 365, present={"w3"}) == (weeks[0], weeks[1], weeks[2])
    assert history.past_sets(ledger, database, until, 365, present=()) == tuple(weeks)
    assert history.past_sets(ledger, f"{database}_never", until, 365) == ()


def test_a_set_is_kept_once_for_each_way_it_looked(ledger: Engine, database: str) -> None:
    whole = backup_set("s1")
    for n, size in enumerate((5, 5, 6, 6, 5)):
        survey_sets(ledger, database, T0 + timedelta(days=n), (whole.model_copy(update={"total_bytes": size}),))
    query = text("SELECT (backup_set ->> 'total_bytes')::int FROM drydock.backup_sets WHERE database = :database ORDER BY id")
    with ledger.connect() as connection:
        assert connection.execute(query, {"database": database}).scalars().all() == [5, 6, 5]


def survey_sets(ledger: Engine, database: str, as_of: datetime, sets: tuple[BackupSet, ...]) -> None:
    run = record.open_run(ledger, "backup", database, as_of.date(), f"r{next(_numbers)}")
    record.save_survey(ledger, run.run_id, Survey(database=database, as_of=as_of, surveyed_at=as_of, sets=sets))


# bounds


def test_a_survey_of_two_thousand_sets_is_saved_and_its_past_found(ledger: Engine, database: str) -> None:
    sets = tuple(backup_set(f"s{n:04}", T0 - timedelta(hours=n), problems=(finding(n=n),)) for n in range(2000))
    for n in range(3):
        survey_sets(ledger, database, T0 + timedelta(days=n), sets[n:])
    assert [s.set_id for s in history.past_sets(ledger, database, T0 + timedelta(days=5), 365)] == ["s0001", "s0000"]


def test_findings_are_capped_worst_first_and_the_rest_is_told(ledger: Engine, database: str) -> None:
    many = [finding("set_file_missing", f"f{n}", Status.WARN) for n in range(5000)]
    worst = finding("manifest_missing", "m")
    save_day(ledger, database, DAY, *many, worst)
    complete = history.judgements_of_day(ledger, DAY)[database].complete
    assert (len(complete.findings), complete.findings[0], complete.status) == (MOST_FINDINGS, worst, Status.FAIL)
    rest = complete.findings[-1]
    assert (rest.code, rest.status, rest.values) == (
        "findings_left_off",
        Status.WARN,
        {"left_off": 5001 - MOST_FINDINGS + 1, "total": 5001},
    )


def test_findings_within_a_survey_are_capped_too_and_a_red_set_stays_red(ledger: Engine, database: str) -> None:
    problems = tuple(finding("set_file_size", f"f{n}") for n in range(1000))
    survey_sets(ledger, database, T0, (backup_set("s1", problems=problems), backup_set("s2")))
    kept = history.survey_of_day(ledger, database, T0.date())
    assert [len(s.problems) for s in kept.sets] == [MOST_FINDINGS, 0]
    assert [s.is_usable for s in kept.sets] == [False, True]
    assert kept.sets[0].problems[-1].status is Status.FAIL


def test_a_result_without_bound_is_refused_before_it_is_sent() -> None:
    with pytest.raises(ValueError, match="too large for the ledger"):
        json_text("x" * LARGEST_JSON_BYTES)


# what the accounts may


@pytest.mark.parametrize("table", Base.metadata.sorted_tables, ids=lambda t: t.name)
def test_the_maintainer_can_only_add(ledger: Engine, table: Table) -> None:
    column = table.columns.values()[-1].name
    for deed in (f"UPDATE {table} SET {column} = {column}", f"DELETE FROM {table}", f"TRUNCATE {table}", f"DROP TABLE {table}"):
        assert refusal(ledger, deed) == "42501", deed
    with ledger.connect() as connection:
        connection.execute(text(f"SELECT * FROM {table} LIMIT 1"))


def test_the_maintainer_cannot_make_tables_or_touch_the_version(ledger: Engine) -> None:
    for statement in ("CREATE TABLE drydock.mine (n int)", "DELETE FROM drydock.alembic_version", "SET ROLE drydock_reader"):
        assert refusal(ledger, statement) == "42501", statement


def test_the_reader_reads_and_adds_nothing(ledger_owner_url: URL, make_login: Callable[[URL, str, str], URL]) -> None:
    reader = ledger_engine(make_login(ledger_owner_url, "ledger_reader", "drydock_reader"))
    with reader.connect() as connection:
        for t in Base.metadata.sorted_tables:
            connection.execute(text(f"SELECT count(*) FROM {t.fullname}"))
    values = "(pipeline, database, day, run_key) VALUES ('backup', 'd', '2026-01-01', 'r')"
    assert refusal(reader, f"INSERT INTO drydock.runs {values}") == "42501"
    reader.dispose()


def test_a_pass_that_examined_nothing_is_refused(ledger: Engine, database: str) -> None:
    run_id = save_day(ledger, database, DAY)
    judgement = judgement_of(database)
    green = judgement.valid.model_copy(update={"status": Status.PASS})
    with pytest.raises(DBAPIError, match="pass_examined_something"):
        record.save_judgement(ledger, run_id, judgement.model_copy(update={"valid": green}))


def refusal(engine: Engine, statement: str) -> str:
    """SQLSTATE with which the server refuses."""
    with engine.connect() as connection, pytest.raises(DBAPIError) as refused:
        connection.execute(text(statement))
    return refused.value.orig.sqlstate
