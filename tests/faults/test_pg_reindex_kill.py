"""Index rebuild killed at random points while others write: the worker (kill -9), its session, the whole server.

Each round is one item of a plan made just then. Its first attempt runs in a process of its own and is killed at a random
moment; the next one, a new process that knows only what the first wrote down, ends it. Seeded; the moments fall where the
machine's speed lets them fall.
"""

from __future__ import annotations

import json
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
import pytest

from drydock.changing.hands import ChangeFailed
from drydock.plans import WorkItem
from drydock.reindex.postgres.facts import facts_of
from drydock.reindex.postgres.trade import PostgresReindex
from tests.db.plain_hands import PlainHands
from tests.faults.reindex_yard import FileMemory, Yard, a_yard, an_item_on, invalid_indexes
from tests.thorough import is_thorough

SEED = 20261122
WAYS = ("worker",) * 32 + ("session",) * 20 + ("server",) * 8
USUAL_ROUNDS = 20
MET = {"repaired": 3, "anew": 10, "was done": 1}  # so often in sixty rounds: kills in, before and after the rebuild
TRADE = PostgresReindex(wait_s=10)
INDEXES = ("kept_pkey", "kept_t", "kept_code", "kept_upper")
ROWS = 12_000
WORLD = f"""
CREATE TABLE kept (id int PRIMARY KEY, t text NOT NULL, code text UNIQUE DEFERRABLE, n int);
ALTER TABLE kept RENAME CONSTRAINT kept_code_key TO kept_code;
CREATE INDEX kept_t ON kept (t);
CREATE INDEX kept_upper ON kept (upper(t)) WITH (fillfactor = 70);
ALTER INDEX kept_upper ALTER COLUMN 1 SET STATISTICS 33;
COMMENT ON INDEX kept_upper IS 'as it was';
ALTER TABLE kept REPLICA IDENTITY USING INDEX kept_pkey;
INSERT INTO kept SELECT g, md5(g::text), 'c' || g, 0 FROM generate_series(1, {ROWS}) AS g
"""


def test_kills_at_random_points(tmp_path: Path) -> None:
    ways = list(WAYS)
    draw = random.Random(SEED)
    draw.shuffle(ways)
    seen: Counter[str] = Counter()
    with a_yard(tmp_path) as yard:
        with yard.connect() as c:
            for text in WORLD.split(";\n"):
                c.execute(text)
        kept = settings(yard)
        with writers(yard, tmp_path):
            slices_s = undisturbed(yard, tmp_path)
            for number, way in enumerate(ways):
                seen[f"{way}, {a_round(yard, tmp_path / str(number), way, draw, slices_s)}"] += 1
                if not is_thorough() and are_enough(seen):
                    break
        assert settings(yard) == kept
        judge_rows(yard, tmp_path)
    print(dict(seen), slices_s)
    assert sum(seen.values()) >= (USUAL_ROUNDS if not is_thorough() else 60)
    # else this proved nothing
    assert all(times(told, seen) for told in WAYS)
    assert all(times(told, seen) >= (least if sum(seen.values()) == len(WAYS) else 1) for told, least in MET.items())


def times(told: str, seen: Counter[str]) -> int:
    return sum(n for what, n in seen.items() if told in what)


def are_enough(seen: Counter[str]) -> bool:
    """Twenty rounds, or as many as it takes to meet each way to die, before, in and after the rebuild."""
    return sum(seen.values()) >= USUAL_ROUNDS and all(times(told, seen) for told in (*MET, *WAYS))


def a_round(yard: Yard, place: Path, way: str, draw: random.Random, slices_s: tuple[float, float]) -> str:
    """Kill one attempt, end it with the next, judge. Tells what the second attempt found.

    Half of the moments are drawn from the whole attempt, half from its rebuild, which is the smaller part of it.
    """
    place.mkdir()
    name, is_whole, part = draw.choice(INDEXES), draw.random() < 0.5, draw.uniform(0, 1.1)
    with yard.connect() as c:
        item = planned(c, name)
        first = forked(yard, item, place / "first", place / "memory.json")
        if not is_whole:
            wait_for(place / "memory.json")
        time.sleep(part * slices_s[0 if is_whole else 1])
        kill(yard, first, way, draw, c)
    told = finish(yard, item, place)
    with yard.connect() as c:
        assert invalid_indexes(c) == []
        names = [row[0] for row in c.execute("SELECT indexrelid::regclass::text FROM pg_index WHERE indrelid = 'kept'::regclass")]
        assert sorted(names) == sorted(INDEXES)
    return told


def planned(c: psycopg.Connection, name: str) -> WorkItem:
    """An item of a plan that was made just now."""
    ask = "SELECT oid::text || ':' || relfilenode FROM pg_class WHERE oid = %s::regclass"
    return an_item_on(name, "kept", c.execute(ask, [name]).fetchone()[0])


def wait_for(path: Path, longest_s: float = 10) -> None:
    deadline = time.monotonic() + longest_s
    while not path.exists() and time.monotonic() < deadline:
        time.sleep(0.001)


def finish(yard: Yard, item: WorkItem, place: Path) -> str:
    """Attempts until there is an outcome, as a scheduler's retries; never more rebuilds than one."""
    if (done := result(place / "first")) and done.get("status") == "PASS":
        return "ended before the kill"
    for n in range(4):
        pid = forked(yard, item, place / f"next{n}", place / "memory.json")
        os.waitpid(pid, 0)
        done = result(place / f"next{n}")
        if done and "status" in done:
            break
    assert done and done["status"] == "PASS", done
    was_done = done["found"] != item.candidate.object.identity
    assert sum("reindex_index" in text for text in done["sent"]) == (0 if was_done else 1)
    assert done["after"] != item.candidate.object.identity
    repaired = "repaired, " if done["repaired"] else ""
    return repaired + ("was done" if was_done else "done anew")


def result(path: Path) -> dict | None:
    return json.loads(path.read_text()) if path.exists() else None


def forked(yard: Yard, item: WorkItem, told: Path, memory: Path) -> int:
    """One attempt in a process of its own; what came of it is written to `told` in one piece."""
    pid = os.fork()
    if pid:
        return pid
    try:
        unfinished = told.with_suffix(".new")
        unfinished.write_text(json.dumps(attempt(yard, item, FileMemory(memory))))
        unfinished.replace(told)
    finally:
        os._exit(0)


def attempt(yard: Yard, item: WorkItem, memory: FileMemory) -> dict:
    """Repair, then work, as `changing.working` does; the change lock first."""
    try:
        target = yard.target("attempt")
        deadline = time.monotonic() + 20
        while not target.take_change_lock():
            assert time.monotonic() < deadline, "the lock of a dead session stays"
            time.sleep(0.01)
        hands = PlainHands(target, item, memory)
        found = facts_of(target, item.candidate.object.owner, item.candidate.object.name)
        repaired = TRADE.repair(hands)
        assert TRADE.is_same(target, item) == ""
        outcome = TRADE.work(hands)
        told = {"status": outcome.status.value, "reason": outcome.reason, "after": outcome.after.get("identity")}
        return {**told, "sent": hands.sent, "repaired": list(repaired), "found": found.identity if found else ""}
    except ChangeFailed as e:
        return {"error": e.code}


def kill(yard: Yard, pid: int, way: str, draw: random.Random, c: psycopg.Connection) -> None:
    if way == "worker":
        os.kill(pid, signal.SIGKILL)
    elif way == "session":  # both sessions of the worker, or the one that changes
        end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'drydock/attempt'"
        c.execute(f"{end} AND (query ~ 'REINDEX|DROP' OR {draw.choice(('true', 'false'))})")
    else:
        yard.stop_at_once()
        yard.start()
    os.waitpid(pid, 0)


def undisturbed(yard: Yard, place: Path) -> tuple[float, float]:
    """How long an attempt takes beside the writers, and its rebuild and what follows: the kills fall into these."""
    whole, rebuild = [], []
    for n in range(3):
        memory, began = place / f"undisturbed{n}.json", time.monotonic()
        with yard.connect() as c:
            pid = forked(yard, planned(c, INDEXES[n]), place / f"undisturbed{n}", memory)
        wait_for(memory)
        remembered = time.monotonic()
        os.waitpid(pid, 0)
        whole.append(time.monotonic() - began)
        rebuild.append(time.monotonic() - remembered)
        assert result(place / f"undisturbed{n}")["status"] == "PASS"
    return sorted(whole)[1], sorted(rebuild)[1]


@contextmanager
def writers(yard: Yard, place: Path) -> Iterator[None]:
    """Two processes that insert, update and delete; each writes down what was committed."""
    pids = []
    for n in range(2):
        pid = os.fork()
        if not pid:
            try:
                write(yard, n, place / f"committed{n}", place / "over")
            finally:
                os._exit(0)
        pids.append(pid)
    try:
        yield
    finally:
        (place / "over").touch()
        for pid in pids:
            os.waitpid(pid, 0)


def write(yard: Yard, number: int, committed: Path, over: Path) -> None:
    key = 1_000_000 * (number + 1)
    with committed.open("ab", buffering=0) as log:
        while not over.exists():
            with suppress(psycopg.Error), yard.connect() as c:
                while not over.exists():
                    key += 1
                    c.execute("INSERT INTO kept VALUES (%s, %s, %s, 0)", [key, f"t{key}", f"c{key}"])
                    log.write(f"{key}\n".encode())
                    c.execute("UPDATE kept SET t = md5(t), n = n + 1 WHERE id = %s", [key % ROWS + 1])
                    time.sleep(0.002)
            time.sleep(0.02)


def settings(yard: Yard) -> dict:
    """All of the indexes that a rebuild must keep."""
    target = yard.target("settings")
    found = {name: facts_of(target, "public", name).kept() for name in INDEXES}
    target.close()
    return found


def judge_rows(yard: Yard, place: Path) -> None:
    """Every committed row is there once, by the table and by each index; the indexes agree with the table."""
    known = {int(line) for n in range(2) for line in (place / f"committed{n}").read_text().split()}
    with yard.connect() as c:
        c.execute("SET enable_indexscan = off; SET enable_bitmapscan = off; SET enable_indexonlyscan = off")
        rows = [row[0] for row in c.execute("SELECT id FROM kept").fetchall()]
        assert len(rows) == len(set(rows))
        assert known | set(range(1, ROWS + 1)) <= set(rows)
        assert len(known) > 100
        for name in INDEXES:
            c.execute("SELECT bt_index_check(%s::regclass, true)", [name])


@pytest.fixture(autouse=True)
def children_end() -> Iterator[None]:
    """No child outlives the test, however it ended."""
    yield
    while True:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if not pid:
            return
