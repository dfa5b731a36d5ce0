"""What a morning's questions to the ledger cost, and how that grows with the days that it remembers.

    python -m bench ledger [--small]

A real ledger in a real PostgreSQL, filled by the product's own functions, asked as the report of a day asks it. The
floor is one question that reads nothing: the way there and back.
"""

from __future__ import annotations

import os
import secrets
import shutil
import statistics
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import Engine, select

from bench.measures import Line, take_turns, tell, timed
from drydock import settings
from drydock.backup.results import Depth, Judgement
from drydock.engines.postgres_binaries import find_binaries
from drydock.engines.postgres_server import LOCALHOST, PostgresServer, initialise
from drydock.ledger import history, record
from drydock.ledger.connect import ledger_engine, ledger_url_from
from drydock.ledger.migrate import migrate
from drydock.verdicts import Finding, Status, judge

DATABASES = 10
DAYS, SMALL = (20, 200), (5, 20)
ROUNDS = 7
FIRST_DAY = date(2026, 1, 1)
OPEN_FINDINGS = 3
LARGEST_GROWTH = 2.0  # of the day's judgements, while the history grows tenfold


def measure(small: bool) -> list[Line]:
    """Fill the ledger up to each number of days and ask it there."""
    names = [f"db_{n:02}" for n in range(DATABASES)]
    seconds: list[dict[str, float]] = []
    days = SMALL if small else DAYS
    with temporary_ledger() as ledger:
        filled = 0
        for upto in days:
            tell(f"ledger: {DATABASES} databases, {upto} days")
            for n in range(filled, upto):
                _live_day(ledger, names, FIRST_DAY + timedelta(days=n))
            filled = upto
            seconds.append(_ask(ledger, names, FIRST_DAY + timedelta(days=upto - 1)))
    return list(_lines(days, seconds))


@contextmanager
def temporary_ledger() -> Iterator[Engine]:
    """A migrated ledger on a server that is gone afterwards."""
    home, password = settings.state_dir() / "bench" / f"ledger-{os.getpid()}", secrets.token_hex(8)
    home.mkdir(parents=True)
    server = PostgresServer(find_binaries(), home / "data")
    try:
        initialise(server.binaries, server.data_dir, password=password)
        server.start(options={"fsync": "off"})
        server.wait_ready()
        url = ledger_url_from(LOCALHOST, server.port, "postgres", password, "postgres")
        migrate(url)
        engine = ledger_engine(url)
        yield engine
        engine.dispose()
    finally:
        server.stop()
        shutil.rmtree(home, ignore_errors=True)


def _live_day(ledger: Engine, names: list[str], day: date) -> None:
    """One judgement of each database, each with a few findings that stay open."""
    judged_at = datetime.combine(day, time(7, 30), UTC)
    for name in names:
        run = record.open_run(ledger, "backup", name, day, f"scheduled__{day}")
        record.save_judgement(ledger, run.run_id, _judgement(name, judged_at))


def _judgement(name: str, judged_at: datetime) -> Judgement:
    findings = [
        Finding(code="set_mode", status=Status.WARN, place=f"full/{n}", values={"mode": "0644"}) for n in range(OPEN_FINDINGS)
    ]
    verdicts = {question: judge(question, 10, ()) for question in ("executed", "valid", "normal")}
    complete = judge("complete", 10, findings)
    return Judgement(
        database=name,
        day=judged_at.date(),
        as_of=judged_at,
        judged_at=judged_at,
        depth=Depth.BYTES,
        complete=complete,
        **verdicts,
    )


def _ask(ledger: Engine, names: list[str], day: date) -> dict[str, float]:
    """Median seconds of each question of the day's report, and of the floor."""
    questions: dict[str, Callable[[], object]] = {
        "judgements of the day": lambda: history.judgements_of_day(ledger, day),
        "judgements of the day before": lambda: history.previous_judgements(ledger, day, names),
        "since when findings are open": lambda: [history.first_seen(ledger, name, day) for name in names],
        "floor": lambda: _ask_nothing(ledger),
    }
    elapsed_s = take_turns(ROUNDS, *(lambda q=question: timed(q) for question in questions.values()))
    return {name: statistics.median(s) for name, s in zip(questions, elapsed_s, strict=True)}


def _ask_nothing(ledger: Engine) -> None:
    with ledger.connect() as connection:
        connection.execute(select(1))


def _lines(days: tuple[int, ...], seconds: list[dict[str, float]]) -> Iterator[Line]:
    first, last = seconds[0], seconds[-1]
    floor = f"an empty question {1000 * last['floor']:.1f} ms"
    for name in first:
        if name != "floor":
            told = f"{1000 * first[name]:.1f}, then {1000 * last[name]:.1f} ms"
            limit = LARGEST_GROWTH if name == "judgements of the day" else None
            what = f"{name}, {DATABASES} databases, {days[0]} to {days[-1]} days"
            yield Line(what, told, floor, last[name] / first[name], "x", ROUNDS, limit)
