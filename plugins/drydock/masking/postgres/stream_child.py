"""What a stream's process does: take a part, read it with the picture's snapshot, mask it, write it, say how it went.

It tells counts, process ids and SQLSTATEs, never a value or a server's words. It ends itself when its parent is gone.
"""

from __future__ import annotations

import os
import queue
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path

import psycopg

from drydock.changing.hands import ChangeFailed
from drydock.engines.postgres import UNREACHABLE, classify
from drydock.engines.postgres_statements import Columns, Definition, Part, Statement, Text, Word, statement
from drydock.engines.postgres_work import CUT, Session, open_changing, open_reading, told_apart
from drydock.masking.kernel.stream import copy_stream
from drydock.masking.kernel.work import BadStream, StreamCounts, Unmaskable
from drydock.masking.postgres.streams import ChildSpec, PartWork, StreamJob

PIPELINE = "masking"
ORPHANED = 3
TOLD_EVERY_S = 1.0
LONGEST_MS = 24 * 3600 * 1000  # the parent keeps the deadline; this is for a server whose parent cannot reach it


class PictureGone(Exception):
    """The picture is not there any more, or the tables are filled from another one by now."""


@dataclass
class Sessions:
    """Both sessions of one child, opened anew where one died."""

    spec: ChildSpec
    source: Session | None = field(default=None, repr=False)
    target: Session | None = field(default=None, repr=False)

    def open(self) -> tuple[Session, Session]:
        if self.source is None or self.source.closed:
            self.source = open_reading(self.spec.source, f"masking.stream {self.spec.run_key}")
            self.source.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            _prepare(self.source)
        if self.target is None or self.target.closed:
            with told_apart():
                self.target = open_changing(self.spec.target, f"masking.stream {self.spec.run_key}")
            _prepare(self.target)
        return self.source, self.target

    def close(self) -> None:
        """Whatever state they are in, nothing of them is used again."""
        for session in (self.source, self.target):
            if session is not None:
                session.close()


def main(descriptor: int) -> None:
    """Work on parts until the parent closes the channel."""
    channel = Connection(descriptor)
    spec = channel.recv()
    jobs: queue.SimpleQueue[StreamJob] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(channel, jobs), daemon=True).start()
    sessions = Sessions(spec)
    while True:
        channel.send(_told(sessions, jobs.get(), channel.send))


def _listen(channel: Connection, jobs: queue.SimpleQueue[StreamJob]) -> None:
    """Hand on what the parent sends; end this process when the parent is gone, whatever it is doing."""
    with suppress(EOFError, OSError):
        while True:
            jobs.put(channel.recv())
    os._exit(ORPHANED)


def _told(sessions: Sessions, job: StreamJob, tell: Callable[[tuple[object, ...]], None]) -> tuple[object, ...]:
    """What became of a part. An error that nobody foresaw is told by its name and place, never by its words."""
    try:
        source, target = sessions.open()
        tell(("sessions", source.info.backend_pid, target.info.backend_pid))
        return ("done", _copied(source, target, job, sessions.spec, tell).model_dump())
    except PictureGone:
        return ("failed", "picture_gone", "picture_gone")
    except Unmaskable as e:
        return ("failed", "unmaskable", "statement", e.place, e.technique, e.reason)
    except BadStream:
        return ("failed", "bad_stream", "corrupted")
    except ChangeFailed as e:
        return ("failed", e.code, e.kind, e.needs)
    except psycopg.Error as e:
        state = getattr(e, "sqlstate", None)
        found = classify(e) if state else UNREACHABLE
        return ("failed", state or CUT, found.kind)
    except Exception as e:
        sessions.close()
        return ("failed", type(e).__name__, "unforeseen", *_where(e))


def _where(error: Exception) -> list[str]:
    """The lines of our own code that led to it, the last one last."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if "drydock" in f.filename]
    return [f"{Path(f.filename).name}:{f.lineno}" for f in frames[-4:]]


def _copied(
    source: Session, target: Session, job: StreamJob, spec: ChildSpec, tell: Callable[[tuple[object, ...]], None]
) -> StreamCounts:
    """Copy one part: the rows and the row that says so, in one transaction of the copy. Raises PictureGone, psycopg.Error."""
    began, told_at = time.monotonic(), 0.0

    def progress(counts: StreamCounts) -> None:
        nonlocal told_at
        if time.monotonic() - told_at > TOLD_EVERY_S:
            told_at = time.monotonic()
            tell(("rows", counts.rows))

    with source.transaction(), target.transaction():
        _see_picture(source, job.snapshot)
        run = {"run_id": job.run_id, "generation": job.generation}
        if _sent(target, statement(PIPELINE, "hold_generation", binds=run)).fetchone() is None:
            raise PictureGone
        read, write = read_of(job.part), write_of(job.part)
        counts = copy_stream(source, read.composed, target, write.composed, job.part.columns, spec.key, progress)
        named = {name: getattr(job.part, name) for name in ("schema_name", "name", "first_page", "end_page")}
        figures = {"rows": counts.rows, "bytes": counts.bytes_out, "elapsed_s": time.monotonic() - began}
        _sent(target, statement(PIPELINE, "add_part", binds={**run, **named, **figures}))
    return counts


def _see_picture(source: Session, snapshot: str) -> None:
    try:
        _sent(source, statement(PIPELINE, "import_snapshot", literals={"snapshot": snapshot}))
    except psycopg.errors.OperationalError:
        raise
    except psycopg.Error as e:
        raise PictureGone from e


def read_of(part: PartWork) -> Statement:
    """The COPY that reads a part. Raises StatementRefused."""
    names: dict[str, Part] = {
        "columns": Columns(tuple(c.name for c in part.columns), "t") if part.columns else Word.NONE,
        "table": (part.schema_name, part.name),
        "first": Text(f"({part.first_page},0)"),
    }
    is_last = part.end_page < 0
    if not is_last:
        names["end"] = Text(f"({part.end_page},0)")
    if part.chosen:
        names["chosen"] = Definition(part.chosen)
    file = f"read_{'last_' if is_last else ''}{'chosen_' if part.chosen else ''}rows"
    return statement(PIPELINE, file, names)


def write_of(part: PartWork) -> Statement:
    """The COPY that writes it; a table of computed columns alone has rows all the same. Raises StatementRefused."""
    if not part.columns:
        return statement(PIPELINE, "write_bare_rows", {"table": part.into})
    return statement(PIPELINE, "write_rows", {"table": part.into, "columns": Columns(tuple(c.name for c in part.columns))})


def _prepare(session: Session) -> None:
    _sent(session, statement("gate", "set_statement_timeout", {"milliseconds": LONGEST_MS}))
    _sent(session, statement(PIPELINE, "set_utf8"))


def _sent(session: Session, told: Statement) -> psycopg.Cursor[dict[str, object]]:
    return session.execute(told.composed, told.binds or None)
