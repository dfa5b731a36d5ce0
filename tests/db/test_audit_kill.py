"""A collector that is killed at any step: the day is in the store once or not at all, and the next run puts the rest right."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Iterator
from multiprocessing.context import BaseContext
from pathlib import Path

import pytest
from audit_world import World, csv_line
from sqlalchemy import Engine

from drydock.audit.results import Part
from drydock.audit.storage import store as store_module
from drydock.audit.storage.chain import check_chain
from drydock.audit.storage.store import Store
from drydock.ledger import audit_history, audit_record
from drydock.ledger.connect import ledger_engine
from tests.thorough import is_thorough

OLD, NEW = ["old"] * 3, ["old"] * 3 + ["new"] * 2


def die(*_: object, **__: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def after(owner: object, name: str, calls: int = 1) -> Callable[[], None]:
    """Die right after that function was called so many times."""

    def arm() -> None:
        real, left = getattr(owner, name), [calls]

        def called(*args: object, **named: object) -> object:
            answer = real(*args, **named)
            left[0] -= 1
            if not left[0]:
                die()
            return answer

        setattr(owner, name, called)

    return arm


def before(owner: object, name: str) -> Callable[[], None]:
    """Die when that function is called."""
    return lambda: setattr(owner, name, die)


def half_a_line() -> None:
    """Die with half of the chain's line written."""

    def append(store: Store, links: list[object]) -> None:
        with (store.folder / store_module.CHAIN).open("ab") as file:
            file.write(b'{"database":"cut')
            file.flush()
        die()

    Store._append = append  # type: ignore[method-assign, assignment]


STEPS = {
    "while the file is written": (after(store_module.ParquetFile, "add"), OLD),
    "when the file is whole and not sealed": (before(Store, "seal"), OLD),
    "before the ledger's commit": (after(audit_record, "_end"), OLD),
    "after the ledger's commit": (before(Store, "_append"), NEW),
    "within the chain's line": (half_a_line, NEW),
    "after the chain's line": (after(Store, "_append"), NEW),
    "before marks and replaced files go": (before(store_module, "remove"), NEW),
    "between the replaced files": (after(store_module, "remove", 6), NEW),
    "at the end of the deed": (after(Store, "_done"), NEW),
}


@pytest.fixture(scope="module")
def processes() -> Iterator[BaseContext]:
    """Processes from one that has imported everything and begun no thread: a process with polars' threads cannot be forked."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join(sys.path))  # for the imports of the server
        yield context


def collect_and_die(step: str, folder: Path, url: str, name: str) -> None:
    """The body of a process that does not come back."""
    world = World(folder, ledger_engine(url), name)
    STEPS[step][0]()
    world.collect(key="killed")


USUAL = (
    *("when the file is whole and not sealed", "after the ledger's commit"),
    *("within the chain's line", "between the replaced files"),
)


@pytest.mark.parametrize("step", STEPS if is_thorough() else USUAL)
def test_a_slice_is_there_once_or_not_at_all(tmp_path: Path, ledger: Engine, processes: BaseContext, step: str) -> None:
    world = World(tmp_path, ledger, f"ak_{list(STEPS).index(step)}")
    log, expected = world.logs / "pg.csv", STEPS[step][1]
    log.write_text("".join(csv_line(n, "old") for n in range(3)))
    world.collect()
    log.write_text(log.read_text() + "".join(csv_line(n, "new") for n in range(3, 5)))
    url = ledger.url.render_as_string(hide_password=False)
    process = processes.Process(target=collect_and_die, args=(step, tmp_path, url, world.name))  # type: ignore[attr-defined]
    process.start()
    process.join(120)
    assert process.exitcode == -signal.SIGKILL
    assert sorted(world.accounts()) == sorted(expected)
    assert [f.code for f in check_chain(world.store).findings] == [], "what a kill leaves is no tampering"
    world.collect(key="again")
    assert sorted(world.accounts()) == sorted(NEW)
    assert [f.code for f in check_chain(world.store).findings] == []
    assert world.store.marks() == ()
    left = {p.relative_to(world.store.root).as_posix() for p in world.store.folder.rglob("*.parquet")}
    assert left == {file.path for s in audit_history.slices_stored(ledger, world.name) for file in s.slice.files}
    assert [row["records"] for row in world.lines(Part.STATEMENTS)] == [5]
