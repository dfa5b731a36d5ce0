"""Index rebuild on Oracle beside what else goes on: Oracle's own clean-up job, statements and their plans, corrupt blocks,
what is tracked of the use of indexes, and many objects that were unsound before."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from drydock.changing.hands import ChangeFailed
from drydock.changing.packing import pack
from drydock.changing.working import FAILURES
from drydock.engines.oracle_gate_figures import room_for
from drydock.engines.oracle_statements import Statement
from drydock.messages import message, next_step
from drydock.outcomes import PastWork, Watched
from drydock.plans import Budget, Estimate, Found
from drydock.reclaim.oracle import digests
from drydock.reclaim.oracle.cleanup_jobs import STOPPED_FOR_IT, Gap
from drydock.reindex.oracle import work
from drydock.reporting.figure_words import figures_text
from drydock.settings import include_dir
from drydock.sqlfiles import parse_sql_file, statements
from drydock.verdicts import Finding, Status
from sandbox.oracle.model.database import ScriptedError
from sandbox.oracle.model.operations import find_corrupt_blocks
from sandbox.oracle.model.repository import repository_of
from sandbox.oracle.model.storage import storage_of
from sandbox.oracle.views_cursors import Cursor, plant_job, pool_of
from tests.faults.test_oracle_reindex_faults import LONG_LOCKS, PARALLEL, TABLE, Place, place, planned
from tests.oracle import reclaim_yard as y
from tests.oracle import reindex_yard as r

# --- beside Oracle's own clean-up of online builds ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("in_s", "state", "expected_s"), [(1800, "SCHEDULED", 3000), (20, "RUNNING", 1), (20, "SCHEDULED", 1), (-30, "SCHEDULED", 1)]
)
def test_no_online_build_begins_that_the_clean_up_job_would_meet(in_s: float, state: str, expected_s: float) -> None:
    with place("online") as spot:
        plant_job(spot.database, in_s, state=state)
        waits: list[float] = []
        spot.trade.pause = waits.append
        with spot.hands() as hands:
            hands.item = hands.item.model_copy(
                update={"estimate": Estimate(expected_s=expected_s, worst_s=9, log_bytes=0, runs=3)}
            )
            outcome = spot.trade.work(hands)
        assert (outcome.status, outcome.reason) == (Status.SKIPPED, "cleanup_job_in_the_way") and spot.memory.statements == []
        assert sum(waits) == (0 if expected_s > 1 else 600), "a job that comes late is not waited for"
        assert spot.is_unharmed() and outcome.before["expected_s"] == expected_s


def test_the_clean_up_job_is_waited_for_and_the_wait_is_no_part_of_the_work() -> None:
    with place("online") as spot:
        job = plant_job(spot.database, 30)

        def pause(seconds: float) -> None:
            job.next_at += timedelta(seconds=3600)

        spot.trade.pause = pause
        deadlines: list[float | None] = []
        with spot.hands() as hands:
            send = hands._sent
            hands._sent = lambda s, deadline_s, put_back: (deadlines.append(deadline_s), send(s, deadline_s, put_back))[1]
            outcome = spot.trade.work(hands)
        assert outcome.status is Status.PASS and spot.is_unharmed()
        assert 3500 < deadlines[0] < 3600 and deadlines[1:] == [None], "stopped before the next one, should it be late"


@pytest.mark.parametrize("why", ["the job comes", "a person"])
def test_a_build_that_is_stopped_before_the_clean_up_job_is_told_by_its_own_reason(
    why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The statement only says that it was cancelled: so does one that a person stops, and the next step is another one."""
    for_job = why == "the job comes"
    with place("online") as spot:
        monkeypatch.setattr(work, "wait_for_gap", lambda *_: Gap(60.3 if for_job else 3600.0))
        pace = storage_of(spot.database).pace
        pace.step_blocks, pace.real_s_per_step = (4, 0.04) if for_job else (4096, 0.0)
        if not for_job:
            spot.database.scripted_errors.append(ScriptedError("REBUILD", 1013, "user requested cancel"))
        with pytest.raises(ChangeFailed) as failed:
            spot.attempt()
        assert failed.value.code in ("ORA-01013", "DPY-4024") and (failed.value.kind == STOPPED_FOR_IT) == for_job
        assert (FAILURES.get(failed.value.kind) == "stopped_for_cleanup_job") == for_job
        assert "clean-up job" in message(Finding(code="stopped_for_cleanup_job", status=Status.FAIL), "en")
        pace.real_s_per_step = 0.0
        assert spot.attempt().status is Status.PASS and spot.is_unharmed()


def test_a_rebuild_that_cannot_be_sorted_is_not_begun() -> None:
    with place("unusable") as spot:
        storage = storage_of(spot.database)
        storage.temp_used_blocks = sum(max(f.blocks, f.max_blocks) for f in storage.temp.files) - 8
        storage.touch()
        outcome = spot.attempt()
        assert (outcome.status, outcome.reason) == (Status.SKIPPED, "sort_room_too_small") and spot.memory.statements == []
        assert int(outcome.before["needed_bytes"] or 0) >= spot.candidate.needed_bytes * 1.3


@pytest.mark.parametrize("change", ["disabled", "overdue for long", "of the offline way"])
def test_a_clean_up_job_that_does_not_come_keeps_nothing_from_being_done(change: str) -> None:
    with place("offline" if change == "of the offline way" else "online") as spot:
        job = plant_job(spot.database, -7200 if change == "overdue for long" else 10)
        job.is_enabled = change != "disabled"
        assert spot.attempt().status is Status.PASS and spot.is_unharmed()


# --- plans of statements ------------------------------------------------------------------------------------------------


def cursors(spot: Place, *found: tuple[str, int, float]) -> None:
    """SQL_ID, plan and age in seconds of statements that use the index."""
    now, uses = spot.database.clock.now(), ((y.OWNER, r.SPARSE),)
    pool_of(spot.database).cursors = [
        Cursor(sql_id.ljust(13, "0"), plan, uses, now - timedelta(seconds=age), child=n)
        for n, (sql_id, plan, age) in enumerate(found)
    ]


def worked_with_plans(spot: Place, *after: tuple[str, int, float]) -> dict[str, Any]:
    def run(number: int, statement: Statement) -> None:
        cursors(spot, *after)

    return {k: v for k, v in spot.attempt(after_each=run).after.items() if "plans" in k or k == "changed_sql_ids"}


def test_plans_of_statements_that_ran_since_are_compared() -> None:
    with place("coalesce") as spot:
        many = [(f"a{n}", 2**32 - 1 - n, 900.0) for n in range(40)]
        cursors(spot, *many, ("same", 7, 900), ("other", 8, 900), ("quiet", 9, 900), ("two", 1, 900), ("two", 2, 900))
        told = worked_with_plans(
            spot, ("same", 7, -2), ("other", 99, -2), ("quiet", 9, 900), ("two", 2, -2), ("new", 5, -2), *many
        )
        assert told == {"plans_compared": 3, "plans_changed": 1, "changed_sql_ids": "other00000000"}
        assert all(len(str(v)) < 500 for v in spot.memory.state.values())


@pytest.mark.parametrize(
    ("ran_after", "told"), [(True, {"plans_compared": 1}), (False, {"plans_not_compared": "no_statement_parsed_since"})]
)
def test_a_statement_parsed_while_the_work_ran_is_not_called_unchanged(ran_after: bool, told: dict[str, Any]) -> None:
    """Its plan is of before: the end of the work invalidated it, and nobody knows what it gets at its next execution."""
    with place("coalesce") as spot:
        cursors(spot, ("middle", 7, 900), ("again", 8, 900))

        def run(number: int, statement: Statement) -> None:
            cursors(spot, ("middle", 7, -2), ("again", 8, -2), *[("again", 8, -3)] * ran_after)
            for parsed_meanwhile in pool_of(spot.database).cursors[:2]:
                parsed_meanwhile.status = "INVALID_UNAUTH"

        assert told.items() <= spot.attempt(after_each=run).after.items()


def test_where_no_plan_could_be_compared_it_is_said_why() -> None:
    with place("coalesce") as spot:
        assert worked_with_plans(spot, ("new", 5, -2)) == {"plans_not_compared": "no_statement_in_pool"}
    with place("coalesce") as spot:
        cursors(spot, ("same", 7, 900))
        assert worked_with_plans(spot, ("same", 7, 900)) == {"plans_not_compared": "no_statement_parsed_since", "plans_known": 1}
    with place("coalesce") as spot:
        spot.database.scripted_errors += [ScriptedError("sql_plan p", 942, "table or view does not exist")] * 2
        assert worked_with_plans(spot) == {"plans_not_compared": "plans_not_readable"}


# --- watched for a week -------------------------------------------------------------------------------------------------


def rebuilt(spot: Place, *before: tuple[str, int, float]) -> list[PastWork]:
    """The index is rebuilt while these statements are known; what later runs are given of it."""
    cursors(spot, *before)
    assert spot.attempt().status is Status.PASS
    key, state = y.item_of(spot.candidate).key, dict(spot.memory.state)
    return [PastWork(pipeline="reindex", item_key=key, ended_at=spot.database.clock.now(), remembered=state)]


def watched_later(spot: Place, past: list[PastWork], *now: tuple[str, int, float], days: float = 5) -> Watched:
    spot.database.clock.advance(timedelta(days=days))
    cursors(spot, *now)
    for cursor in pool_of(spot.database).cursors:
        cursor.elapsed_us = 5_000_000
    with spot.hands() as hands:
        return spot.trade.watch(hands, past)


def test_a_statement_that_changed_its_plan_days_after_the_rebuild_is_told() -> None:
    with place("online") as spot:
        past = rebuilt(spot, ("same", 7, 900), ("other", 8, 900), ("quiet", 9, 900), ("gone", 4, 900))
        told = watched_later(spot, past, ("same", 7, 60), ("other", 99, 60), ("quiet", 9, 6 * 86400), ("new", 5, 60))
        assert (told.compared, told.not_compared) == (2, 2), "quiet was not parsed since, gone is not in the pool"
        [found] = told.findings
        assert (found.code, found.status, found.place) == ("plan_changed_since_rebuild", Status.WARN, f"{y.OWNER}.{r.SPARSE}")
        assert {k: found.values[k] for k in ("sql_id", "plan_before", "plan_now", "before_ms", "now_ms", "count")} == {
            "sql_id": "other00000000",
            "plan_before": "8",
            "plan_now": "99",
            "before_ms": 1000.0,
            "now_ms": 5000.0,
            "count": 1,
        }
        assert "other00000000 has another plan" in message(found, "en") and "other00000000" in message(found, "zh")
        assert "baseline" in next_step(found.code, "en") and "基线" in next_step(found.code, "zh")


def test_what_was_not_parsed_anew_is_never_called_unchanged() -> None:
    with place("online") as spot:
        past = rebuilt(spot, ("quiet", 9, 900), ("invalid", 8, 900))
        watched_later(spot, past, ("quiet", 9, 6 * 86400), ("invalid", 8, 60))
        pool_of(spot.database).cursors[1].status = "INVALID_UNAUTH"
        with spot.hands() as hands:
            told = spot.trade.watch(hands, past)
        assert (told.compared, told.not_compared, told.findings) == (0, 2, ())


def test_of_two_items_on_one_table_a_statement_is_told_once_by_the_older_work() -> None:
    with place("online") as spot:
        past = rebuilt(spot, ("other", 8, 900))
        newer = past[0].model_copy(update={"item_key": past[0].item_key.replace("x", "z")})
        told = watched_later(spot, [*past, newer], ("other", 99, 60))
        assert (told.compared, len(told.findings), told.findings[0].place) == (1, 1, f"{y.OWNER}.{r.SPARSE}")
        unread = past[0].model_copy(update={"remembered": {"plans_known": "plans_not_readable"}})
        old = past[0].model_copy(update={"remembered": {"plans_known": 1, "plans_1_digest": "other00000000:8"}})
        with spot.hands() as hands:
            assert spot.trade.watch(hands, [unread, old]) == Watched(compared=0, not_compared=0), "nothing to compare with"


# --- blocks that are corrupt, and what is not known ---------------------------------------------------------------------


def corrupt(spot: Place) -> None:
    """A reader met a corrupt block in the middle of the index."""
    extent = spot.index.pieces[0].segment.extents[-1]
    find_corrupt_blocks(repository_of(spot.database), extent.file, extent.block + 1, 2)


def surveyed_anew(spot: Place, policy: Any = r.POLICY) -> Found:
    with spot.hands() as hands:
        return r.surveyed(hands, spot.database, policy)


def test_a_corrupt_index_goes_first_and_is_read_from_its_table() -> None:
    with place("partition") as spot:
        corrupt(spot)
        found = surveyed_anew(spot, PARALLEL)
        candidate = r.candidate_of(found, r.SPARSE, r.PART)
        assert (candidate.reason, candidate.action, candidate.first) == ("corrupt", "rebuild_online", True)
        assert r.candidate_of(found, r.SPARSE, "P2").reason == "mass_delete" and found.figures["corrupt"] == 1
        spot.candidate = candidate
        assert spot.attempt().status is Status.PASS and spot.is_unharmed()
        assert surveyed_anew(spot).figures["corrupt"] == 0, "the blocks that are listed hold no index any more"
    with place("shrink") as spot:
        corrupt(spot)
        left = r.left_of(surveyed_anew(spot, LONG_LOCKS), r.SPARSE)
        assert (left.reason, left.evidence["status"]) == ("corrupt_offline_only", "CORRUPT")


@pytest.mark.parametrize(
    ("question", "number", "error"),
    [("dba_extents", 942, "ORA-00942"), ("dba_extents", 1013, "ORA-01013"), ("count.*block_corruption", 942, "ORA-00942")],
)
def test_a_question_for_corrupt_blocks_that_fails_stops_no_survey(question: str, number: int, error: str) -> None:
    """DBA_EXTENTS may be slow and needs a grant of its own: what else is known is worth as much, and it is told."""
    with place("partition") as spot:
        corrupt(spot)
        spot.database.scripted_errors.append(ScriptedError(question, number, "not now"))
        found = surveyed_anew(spot)
        assert (found.figures["corrupt"], found.figures["corrupt_error"]) == ("not_readable", error)
        assert r.candidate_of(found, r.SPARSE, "P2").reason == "mass_delete" and not spot.database.scripted_errors[0].times
        told = figures_text({"corrupt": "not_readable"}, "en")
        assert "could not be asked" in told and "not_readable" not in told
        assert surveyed_anew(spot).figures["corrupt"] == 1


def test_unusable_indexes_go_before_all_else_whatever_they_are_pieces_of() -> None:
    with place("partition") as spot:
        sub = next(i for i in spot.index.table.indexes if i.name == "OTHER")
        r.break_index(spot.database, spot.index, 1)
        r.break_index(spot.database, sub)
        found = surveyed_anew(spot, PARALLEL)
        guess = Estimate(expected_s=600, worst_s=900, log_bytes=0, runs=0)
        room = Budget(window_s=2400, log_bytes=1 << 40, items=9)
        packed = pack(found.candidates, [guess] * len(found.candidates), {}, room, PARALLEL)
        assert [i.candidate.reason for i in packed.items][:2] == ["unusable", "unusable"] and len(found.candidates) == 3
        assert found.figures["unusable"] == 2 and found.figures["unusable_partitions"] == 1


@pytest.mark.parametrize("name", ["unusable", "partition"])
def test_the_gate_knows_the_room_of_an_unusable_index_that_has_no_segment(name: str) -> None:
    """Else the gate would stay closed, for what is not known closes it, and nothing would ever be made usable."""
    with place(name) as spot:
        if name == "partition":
            r.break_index(spot.database, spot.index)
        with spot.hands() as hands:
            found = r.candidate_of(r.surveyed(hands, spot.database), r.SPARSE, r.PART if name == "partition" else "")
            room = room_for(hands, found.object)
        assert found.reason == "unusable" and room and room > found.needed_bytes > 0


def test_the_room_for_a_build_is_asked_of_the_database_and_never_less_than_the_formula() -> None:
    with place("unusable") as spot:
        told = r.candidate_of(surveyed_anew(spot), r.SPARSE)
        assert told.needed_bytes == max(planned("unusable").needed_bytes, round(told.evidence["cost_bytes"] * 1.1)) > 2**20
        assert str(told.evidence["cost_statistics_of"]).startswith("20")
        spot.database.scripted_errors.append(ScriptedError("create_index_cost", 1031, "insufficient privileges"))
        found = r.candidate_of(surveyed_anew(spot), r.SPARSE)
        assert found.evidence["cost_not_asked"] == "ORA-01031" and 0 < found.needed_bytes <= told.needed_bytes


def granted(*names: str) -> set[str]:
    """The privileges that grants files give, no more."""
    folder = include_dir() / "sql" / "oracle" / "grants"
    texts = [text for name in names for text in statements(parse_sql_file(folder / f"{name}.sql"))]
    return {re.sub(r"\s+TO\s+&account$", "", text.removeprefix("GRANT ")) for text in texts}


def test_without_the_right_to_make_indexes_the_formula_alone_tells_the_room() -> None:
    """The shipped grants give no right to make indexes: the survey is whole, and each item says that nobody was asked. What
    they offer as a choice is the least that is enough: INDEX on the table itself."""
    text = (include_dir() / "sql" / "oracle" / "grants" / "reindex.sql").read_text(encoding="utf-8")
    assert re.search(r"^--.*: GRANT INDEX ON owner.table TO account", text, re.MULTILINE), "left out, and the file says why"
    with place("online") as spot:
        account = spot.database.accounts[y.ACCOUNT]
        spot.database.accounts[y.ACCOUNT] = replace(account, privileges=granted("session", "gate", "changing", "reindex"))
        found = r.candidate_of(surveyed_anew(spot), r.SPARSE)
        assert found.evidence["cost_not_asked"] == "ORA-01031" and "cost_bytes" not in found.evidence
        assert "told by: the formula" in figures_text(found.evidence, "en") and "公式" in figures_text(found.evidence, "zh")
        for enough in ("CREATE ANY INDEX", f"INDEX {y.OWNER}.{TABLE}"):
            spot.database.accounts[y.ACCOUNT].privileges.add(enough)
            asked = r.candidate_of(surveyed_anew(spot), r.SPARSE)
            assert "cost_not_asked" not in asked.evidence and asked.needed_bytes >= found.needed_bytes > 0
            assert asked.evidence["room_from"] == ("create_index_cost" if asked.needed_bytes > found.needed_bytes else "formula")
            spot.database.accounts[y.ACCOUNT].privileges.remove(enough)


@pytest.mark.parametrize(
    ("version", "tracks", "word"),
    [
        ("19.25.0.0.0", False, "skipped_not_tracked"),
        ("19.25.0.0.0", True, "every_use"),
        ("12.1.0.2.0", True, "skipped_before_12_2"),
    ],
)
def test_where_use_is_not_tracked_nothing_is_called_unused(version: str, tracks: bool, word: str) -> None:
    with place("online") as spot:
        spot.index.created_at -= timedelta(days=90)
        other = spot.index.table.indexes[1]
        other.accesses, other.used_at = 9, spot.database.clock.now()
        spot.database.version = version
        pool_of(spot.database).tracks_use, pool_of(spot.database).is_sampled = tracks, False
        found = surveyed_anew(spot)
        assert found.figures["index_usage"] == word
        assert [n.reason for n in found.notes] == (["unused"] if word == "every_use" else [])


def test_names_are_compared_however_many_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """120 are invalid before; one of them turns valid and another one invalid: the number is the same."""
    with place("online") as spot, spot.hands() as hands:
        names = [("APP", f"V'{n} 报", "VIEW") for n in range(121)]
        asked = hands.rows

        def rows(pipeline: str, name: str, binds: Any = None) -> list[dict[str, Any]]:
            keys = ("owner", "name", "type")
            return (
                [dict(zip(keys, n, strict=True)) for n in names[1:]]
                if name == "invalid_objects"
                else asked(pipeline, name, binds)
            )

        monkeypatch.setattr(hands, "rows", rows)
        before = spot.trade.world(hands)
        assert before["invalid_count"] == 120 and spot.trade.verify(hands, [], before) == []
        assert all(len(str(figure)) < 500 for figure in before.values())
        names[1] = names[0]
        found = spot.trade.verify(hands, [], before)
        assert [(f.code, f.place, f.values["count"]) for f in found] == [("object_new_invalid", "APP.V'0 报.VIEW", 1)]
        monkeypatch.setattr(digests, "MOST_NAMES", 100)
        before = spot.trade.world(hands)
        told = [(f.code, f.status) for f in spot.trade.verify(hands, [], before)]
        assert told == [("too_many_to_compare", Status.UNKNOWN)], "nothing can be said, which is no PASS"
        names.append(("APP", "MORE", "VIEW"))
        told = [f.code for f in spot.trade.verify(hands, [], before)]
        assert told == ["too_many_to_compare", "object_new_invalid"], "a greater number proves that one is new"
