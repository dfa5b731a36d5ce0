"""The net cast by several processes: each takes parts of the tables as it gets done, the parent puts their findings together.

A process is started afresh (no fork) and told what to do over its pipe: keys and passwords stand neither in its arguments nor
in its environment. When one of them dies, the whole search fails: a part that nobody finished is never taken for clean.
"""

from __future__ import annotations

import os
import pickle
import queue
import subprocess
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from drydock.engines.postgres import Endpoint, connect
from drydock.masking.verification.net import Caught, Net, Searches, source_side
from drydock.masking.verification.originals import Wanted
from drydock.masking.verification.scope import Part, Scope, parts_of
from drydock.masking.verification.target import (
    Connection,
    Progress,
    prepare,
    read_definitions,
    read_large_objects,
    read_part,
)

PURPOSE = "masking/verify"


class SearchLost(RuntimeError):
    """A process of the search ended before its parts were read; the text says how."""


@dataclass(frozen=True)
class Spec:
    """What a process is told first."""

    endpoint: Endpoint
    net: Net
    wanted: Wanted
    folder: Path
    scope: Scope


def cast_apart(net: Net, source: Connection, copy: Endpoint, scope: Scope, processes: int) -> Caught:
    """As `net.cast`, with the copy read by so many processes. Raises as it, and SearchLost."""
    with source_side(net.originals, source) as (sides, folder):
        wanted = sides.wanted()
        wanted.filter.keep_in(folder / "filter")
        spec = Spec(copy, net, wanted, folder, scope)
        progress, searches = Progress(), Searches(net, wanted, folder)
        with closing(connect(copy, purpose=PURPOSE)) as session:
            prepare(session)
            parts, unread = parts_of(session, scope, split=True)
            progress.unread.update({u.place: u.reason for u in unread})
            _search(spec, parts, session, progress, searches, processes)
        return searches.result(net, sides, progress)


def _search(
    spec: Spec, parts: Sequence[Part], session: Connection, progress: Progress, searches: Searches, processes: int
) -> None:
    """Tables go to the processes; definitions and large objects are read here meanwhile."""
    waiting: queue.SimpleQueue[Part] = queue.SimpleQueue()
    for part in parts:
        waiting.put(part)
    stop = threading.Event()
    with ThreadPoolExecutor(max_workers=max(processes, 1)) as pool:
        futures = [pool.submit(_drive, spec, waiting, stop) for _ in range(min(processes, len(parts)))]
        try:
            for blocks in (read_definitions(session, progress, spec.scope), read_large_objects(session, progress)):
                for block in blocks:
                    searches.add(block)
            for future in futures:
                found, read = future.result()
                searches.absorb(found)
                progress.absorb(read)
        except BaseException:
            stop.set()
            raise


def _drive(spec: Spec, waiting: queue.SimpleQueue[Part], stop: threading.Event) -> tuple[Searches, Progress]:
    """One process, given part after part. Raises SearchLost."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    command = [sys.executable, "-c", f"from {__name__} import main; main()"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment) as process:
        assert process.stdin and process.stdout
        try:
            _send(process.stdin, spec)
            while not stop.is_set() and (part := _next(waiting)):
                _send(process.stdin, part)
                _receive(process.stdout)
            _send(process.stdin, None)
            return _receive(process.stdout)
        except (EOFError, BrokenPipeError, pickle.UnpicklingError) as e:
            raise SearchLost(f"a process of the search ended with code {process.wait(timeout=30)}") from e
        except BaseException:
            process.kill()
            raise


def _next(waiting: queue.SimpleQueue[Part]) -> Part | None:
    try:
        return waiting.get_nowait()
    except queue.Empty:
        return None


def _send(pipe: BinaryIO, what: object) -> None:
    pickle.dump(what, pipe, pickle.HIGHEST_PROTOCOL)
    pipe.flush()


def _receive(pipe: BinaryIO) -> tuple[Searches, Progress]:
    """What a process answers; raises the error that it met."""
    answer = pickle.load(pipe)
    if isinstance(answer, Exception):
        raise answer
    return answer


def work(inward: BinaryIO, outward: BinaryIO) -> None:
    """A process of the search: a Spec, then Parts, each answered; at the end what was found in all of them."""
    spec: Spec = pickle.load(inward)
    progress, searches = Progress(), Searches(spec.net, spec.wanted, spec.folder)
    try:
        with closing(connect(spec.endpoint, purpose=PURPOSE)) as session:
            prepare(session)
            while part := pickle.load(inward):
                for block in read_part(session, part, progress, spec.scope):
                    searches.add(block)
                _send(outward, True)
        _send(outward, (searches, progress))
    except Exception as e:  # the parent decides; texts of errors of the server may hold rows, so only the class goes on
        _send(outward, SearchLost(f"{type(e).__name__} {getattr(e, 'sqlstate', None) or ''}".strip()))


def main() -> None:
    """The process's own beginning: what a library prints must not stand among its answers."""
    with os.fdopen(os.dup(1), "wb") as outward:
        os.dup2(2, 1)
        work(sys.stdin.buffer, outward)
