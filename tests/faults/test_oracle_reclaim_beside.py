"""Reclaim on Oracle beside what else goes on: Oracle's clean-up jobs, room for indexes and sorts, statements and their plans,
redo that is mined, and many objects that were unsound before."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from drydock.changing.hands import ChangeFailed
from drydock.engines.oracle_statements import Statement
from drydock.policy import ReindexPolicy
from drydock.reclaim.oracle import move
from drydock.reclaim.oracle.cleanup_jobs import STOPPED_FOR_IT, Gap
from drydock.verdicts import Status
from sandbox.oracle.model import statistics
from sandbox.oracle.model.storage import storage_of
from sandbox.oracle.views_cursors import Cursor, plant_job, pool_of
from sandbox.oracle.worlds_storage import bloat
from tests.faults.test_oracle_reclaim_faults import place
from tests.oracle import reclaim_yard as y
from tests.oracle import reindex_yard as r


@pytest.mark.parametrize("name", ["CLEANUP_ONLINE_IND_BUILD", "CLEANUP_ONLINE_PMO"])
def test_no_online_move_begins_beside_a_clean_up_job(name: str) -> None:
    with place("move_online") as spot:
        job = plant_job(spot.database, 20, name, "RUNNING")
        outcome = spot.attempt()
        assert (outcome.status, outcome.reason) == (Status.SKIPPED, "cleanup_job_in_the_way") and spot.memory.statements == []
        job.state, job.next_at = "SCHEDULED", spot.database.clock.now() + timedelta(seconds=3000)
        assert spot.attempt().status is Status.PASS and spot.is_unharmed()


def test_a_move_that_is_stopped_before_the_clean_up_job_is_told_by_its_own_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    with place("move_online") as spot:
        monkeypatch.setattr(move, "wait_for_gap", lambda *_: Gap(60.3))
        pace = storage_of(spot.database).pace
        pace.step_blocks, pace.real_s_per_step = 4, 0.04
        with pytest.raises(ChangeFailed) as failed:
            spot.attempt()
        assert (failed.value.kind, failed.value.retry) == (STOPPED_FOR_IT, False)
        pace.real_s_per_step = 0.0
        assert spot.attempt().status is Status.PASS and spot.is_unharmed()


def test_a_move_that_is_not_online_does_not_ask_for_the_clean_up_job() -> None:
    with place("move") as spot:
        plant_job(spot.database, 20, state="RUNNING")
        assert spot.attempt().status is Status.PASS and spot.is_unharmed()


def test_a_move_whose_indexes_have_no_room_is_not_begun() -> None:
    """Else its indexes would stay unusable: the rows are written anew, and nobody could build what leads to them."""
    with place("move") as spot:
        storage = storage_of(spot.database)
        moved = [i for i in spot.table.indexes if i.is_local]
        for index in moved:
            for piece in index.pieces:
                piece.segment.space = storage.spaces["APP_IDX"]
        for file in storage.spaces["APP_IDX"].files:
            file.free, file.max_blocks = [], 0
        storage.touch()
        outcome = spot.attempt()
        assert (outcome.status, outcome.reason) == (Status.SKIPPED, "tablespace_too_small") and spot.memory.statements == []
        assert outcome.before["tablespace"] == "APP_IDX" and int(outcome.before["needed_bytes"] or 0) > 2**20
        assert spot.is_unharmed()


@pytest.mark.parametrize("action", ["move", "move_online"])
def test_a_move_whose_indexes_cannot_be_sorted_is_not_begun(action: str) -> None:
    with place(action) as spot:
        storage = storage_of(spot.database)
        storage.temp_used_blocks = sum(max(f.blocks, f.max_blocks) for f in storage.temp.files) - 8
        storage.touch()
        outcome = spot.attempt()
        assert (outcome.status, outcome.reason) == (Status.SKIPPED, "sort_room_too_small") and spot.memory.statements == []
        storage.temp_used_blocks = 0
        storage.touch()
        assert spot.attempt().status is Status.PASS and spot.is_unharmed()


def test_where_keys_of_every_table_are_logged_a_person_names_the_item() -> None:
    with place("shrink") as spot:
        for told, needs_naming in (("NO", False), ("YES", True)):
            spot.database.parts["supplemental_log_data_all"] = told
            storage_of(spot.database).touch()
            with spot.hands() as hands:
                found = y.surveyed(hands, spot.database)
            assert [c.needs_naming for c in found.candidates] == [needs_naming] and found.figures["captures"] == int(needs_naming)


def test_plans_of_statements_are_compared_across_the_work() -> None:
    with place("move_online") as spot:
        now, index = spot.database.clock.now(), spot.table.indexes[0]
        uses = ((index.owner, index.name),)
        pool = pool_of(spot.database)
        pool.cursors = [Cursor("by_index00000", 1, uses, now - timedelta(hours=1))]
        pool.cursors += [Cursor("by_rows000000", 2, ((y.OWNER, y.HOLES),), now - timedelta(hours=1))]
        pool.cursors += [Cursor("of_another000", 3, (("OTHER", y.HOLES),), now - timedelta(hours=1))]

        def run_again(number: int, statement: Statement) -> None:
            for cursor in pool.cursors:
                cursor.made_at = spot.database.clock.now() + timedelta(seconds=2)
                cursor.plan += 10 * (cursor.sql_id == "by_rows000000" and cursor.plan < 10)

        after = spot.attempt(after_each=run_again).after
        assert (after["plans_compared"], after["plans_changed"], after["changed_sql_ids"]) == (2, 1, "by_rows000000")


def test_an_index_that_a_move_wrote_anew_is_not_rebuilt_in_the_same_week() -> None:
    """Statistics still call it sparse, as before the move; its counted blocks do not."""
    policy = ReindexPolicy(min_leaf_blocks=1)
    with place("move_online") as spot, spot.hands() as hands:
        storage, index = storage_of(spot.database), spot.table.indexes[0]
        for piece in index.pieces:
            bloat(storage, index, piece, 0.2)
        statistics.gather_index(storage, index)
        storage.touch()
        before = r.surveyed(hands, spot.database, policy)
        assert r.candidate_of(before, index.name, "p 1").action == "rebuild_online"
        assert spot.attempt().status is Status.PASS
        after = r.surveyed(hands, spot.database, policy)
        assert r.left_of(after, index.name, "p 1").reason == "dense_enough"
        assert r.candidate_of(after, index.name, "P2"), "the partition that nobody moved is still sparse"


def test_names_are_compared_however_many_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """120 are invalid and 120 constraints not enforced before; of each one is put right and another one turns bad."""
    with place("shrink") as spot, spot.hands() as hands:
        names = [("APP", f"V'{n} 报", "T") for n in range(121)]
        asked = hands.rows
        columns = {"invalid_objects": ("owner", "name", "type"), "weak_constraints": ("owner", "name", "table_name")}

        def rows(pipeline: str, name: str, binds: Any = None) -> list[dict[str, Any]]:
            if name not in columns:
                return asked(pipeline, name, binds)
            return [dict(zip(columns[name], told, strict=True)) for told in names[1:]]

        monkeypatch.setattr(hands, "rows", rows)
        before = spot.trade.world(hands)
        assert before["invalid_count"] == before["weak_count"] == 120 and spot.trade.verify(hands, [], before) == []
        names[1] = names[0]
        found = {(f.code, f.place) for f in spot.trade.verify(hands, [], before)}
        assert found == {("new_invalid_object", "APP.V'0 报.T"), ("constraint_weakened", "APP.V'0 报.T")}
