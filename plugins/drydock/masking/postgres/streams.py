"""The children that copy: each is a process that reads a part of a chunk from the source, masks it, and writes it to the copy.

What a child needs (endpoints, key, work) reaches it over a pipe, never by its arguments or its environment. A child dies with
its parent: when the pipe closes, it ends itself at once, and the server rolls back what it had not committed. It reads with
the picture's snapshot and writes in one transaction with the row that says the part is done, so a part is copied once or not.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait

from drydock.changing.hands import LOGIN_REFUSED
from drydock.engines.postgres import Endpoint
from drydock.masking.ciphers.keys import MaskingKey
from drydock.masking.kernel.work import ColumnWork, StreamCounts
from drydock.masking.postgres.stream_host import Process, fork_child
from drydock.sqlfiles import SqlFile, sql_file
from drydock.verdicts import Model, clean_text

log = logging.getLogger(__name__)

TOLD_EVERY_S = 15.0


class PartWork(Model):
    """One part of a chunk: pages of one relation. `end_page` -1: to the end, however far that is by now."""

    schema_name: str
    name: str
    first_page: int
    end_page: int
    into: tuple[str, str]
    """schema and table of the copy"""
    columns: tuple[ColumnWork, ...]
    chosen: str = ""
    """condition of the subset on the alias t; empty: all rows"""

    @property
    def place(self) -> tuple[str, str, int]:
        return self.schema_name, self.name, self.first_page


class StreamJob(Model):
    """A part, and which picture of which run it is copied from."""

    run_id: int
    generation: int
    snapshot: str
    part: PartWork


@dataclass(frozen=True)
class ChildSpec:
    """What a child is told first."""

    source: Endpoint
    target: Endpoint
    key: MaskingKey
    run_key: str


@dataclass(frozen=True)
class MaskedCopy:
    """The copying of parts as one statement of the gate. `file` is what is sent to the copy for each of them."""

    jobs: tuple[StreamJob, ...]
    streams: int = 2
    told: Callable[[int, float], None] = lambda rows, ratio: None
    """called with the rows that were copied so far and the share of parts that are done"""
    file: SqlFile = field(default_factory=lambda: sql_file("postgresql", "masking", "write_rows"))
    done: list[tuple[StreamJob, StreamCounts]] = field(default_factory=list, compare=False, repr=False)
    """parts that were copied, with what the streams counted"""

    @property
    def shown(self) -> str:
        """What a person reads in the ledger: names and pages, no condition of a subset."""
        parts = [f"{j.part.schema_name}.{j.part.name} pages {j.part.first_page} to {j.part.end_page}" for j in self.jobs]
        generation = self.jobs[0].generation if self.jobs else 0
        return str(clean_text(f"{self.file.name}: generation {generation}: {'; '.join(parts)}"))


class StreamLost(Exception):
    """A part could not be copied; nothing of it is in the copy. `kind`: as the engine's classes of errors; `needs`: what a
    logon that was refused needs."""

    def __init__(self, code: str, kind: str, needs: str = "") -> None:
        super().__init__(f"{code} ({kind})")
        self.code, self.kind, self.needs = code, kind, needs


@dataclass
class Child:
    """One process, the channel to it, and the sessions that it has open."""

    process: Process
    channel: Connection
    job: StreamJob | None = None
    rows: int = 0
    pids: tuple[int, int] = (0, 0)

    def give(self, job: StreamJob) -> None:
        self.job, self.rows = job, 0
        self.channel.send(job)

    def end(self) -> None:
        """End it now; what it had not committed is rolled back by the server."""
        with suppress(OSError):
            self.channel.close()
        self.process.kill()


@dataclass
class Streams:
    """The children of one target; started when first needed, kept from part to part."""

    source: Endpoint = field(repr=False)
    target: Endpoint = field(repr=False)
    key: MaskingKey = field(repr=False)
    run_key: str
    children: list[Child] = field(default_factory=list, repr=False)
    _known: list[tuple[int, int]] = field(default_factory=list, repr=False)

    def copy(self, work: MaskedCopy, deadline_s: float) -> None:
        """Copy all parts, so many at a time; at the deadline, or when one fails, all children are ended. Raises StreamLost."""
        ends, waiting = time.monotonic() + deadline_s, list(work.jobs)
        total, done_rows, done = len(waiting), 0, 0
        try:
            self._start(min(work.streams, total))
            for child in self.children:
                if waiting:
                    child.give(waiting.pop(0))
            told_at = time.monotonic()
            while any(c.job for c in self.children):
                for child, message in self._heard(ends - time.monotonic()):
                    if self._is_done(work, child, message):
                        done, done_rows = done + 1, done_rows + child.rows
                        if waiting:
                            child.give(waiting.pop(0))
                if time.monotonic() - told_at > TOLD_EVERY_S or not any(c.job for c in self.children):
                    told_at = time.monotonic()
                    work.told(done_rows + sum(c.rows for c in self.children if c.job), done / total)
        except (EOFError, OSError) as e:
            self.close()
            raise StreamLost("stream_lost", "unreachable") from e
        except BaseException:
            self.close()
            raise

    def source_pids(self) -> list[int]:
        return [pids[0] for pids in self._known if pids[0]]

    def target_pids(self) -> list[int]:
        return [pids[1] for pids in self._known if pids[1]]

    def close(self) -> None:
        """End all children. Their sessions may live on until the server looks: `source_pids` and `target_pids` name them."""
        if self.children:
            self._known = [c.pids for c in self.children]
        for child in self.children:
            child.end()
        self.children = []

    def _start(self, count: int) -> None:
        while len(self.children) < count:
            child = Child(*fork_child())
            child.channel.send(ChildSpec(self.source, self.target, self.key, self.run_key))
            self.children.append(child)

    def _heard(self, left_s: float) -> Sequence[tuple[Child, tuple[object, ...]]]:
        """What children said within the time that is left. Raises StreamLost past it, EOFError for a dead child."""
        if left_s <= 0:
            raise StreamLost("57014", "timeout")
        by_channel = {c.channel: c for c in self.children if c.job}
        ready = wait(list(by_channel), min(left_s, TOLD_EVERY_S))
        return [(by_channel[c], c.recv()) for c in ready if isinstance(c, Connection)]

    def _is_done(self, work: MaskedCopy, child: Child, message: tuple[object, ...]) -> bool:
        """Note what a child said; True where its part is done. Raises StreamLost where it failed."""
        what, *told = message
        if what == "sessions":
            child.pids = (int(str(told[0])), int(str(told[1])))
        elif what == "rows":
            child.rows = int(str(told[0]))
        elif what == "failed":
            place = ".".join(child.job.part.place[:2]) if child.job else ""
            log.warning("a part of %s was not copied: %s", place, " ".join(str(word) for word in told))
            raise StreamLost(str(told[0]), str(told[1]), str(told[2]) if told[1] == LOGIN_REFUSED else "")
        elif what == "done":
            counts = StreamCounts.model_validate(told[0])
            assert child.job is not None  # only children with a job are listened to
            work.done.append((child.job, counts))
            child.rows, child.job = counts.rows, None
            return True
        return False
