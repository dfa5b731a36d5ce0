"""Small real worlds for the faults, each built once; every test damages a copy of its own.

An untouched copy of each world is judged before any test damages one, and nothing at all may be told of it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from drydock.backup.facts import Level
from sandbox.clock import ZONE
from sandbox.past import Night
from sandbox.world import LAST_DAY, World, build_world
from tests.faults.judging import Case, case_of
from tests.faults.promotion import promote

EVENING = datetime.combine(LAST_DAY, datetime.min.time(), ZONE) + timedelta(hours=19)
SMALL_DISK_MB = 48


def controlled(world: World, place: Path) -> Iterator[World]:
    """The world, of whose untouched copy nothing is told: not before the tests and, since they share files, not after."""
    for when in ("before", "after"):
        assert case_of(world, place / when).told() == set()
        shutil.rmtree(place / when)
        if when == "before":
            yield world


@pytest.fixture(scope="session")
def chain_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A full and two increments on it, with a tablespace outside the data directory."""
    root = tmp_path_factory.mktemp("chain")
    yield from controlled(build_world(root / "world", days=3, tablespace=True), root)


@pytest.fixture(scope="session")
def two_fulls_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A full with an increment, and on the evening another full with nothing on it."""
    root = tmp_path_factory.mktemp("two_fulls")
    with closing(build_world(root / "world", days=2, after="past")) as world:
        back_up_full(world, EVENING)
    yield from controlled(world, root)


@pytest.fixture(scope="session")
def tar_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Two fulls in tar format, the second of an evening, with a tablespace."""
    root = tmp_path_factory.mktemp("tar")
    with closing(build_world(root / "world", days=1, form="tar", tablespace=True, after="past")) as world:
        back_up_full(world, EVENING)
    yield from controlled(world, root)


@pytest.fixture(scope="session")
def promoted_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A full on timeline 1, a recovery that ended in timeline 2, and another full on that."""
    root = tmp_path_factory.mktemp("promoted")
    with closing(build_world(root / "world", days=1, after="past")) as world:
        promote(world, EVENING - timedelta(hours=2))
        back_up_full(world, EVENING)
    yield from controlled(world, root)


@pytest.fixture(scope="session")
def foreign_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Another database altogether, with a system identifier of its own."""
    root = tmp_path_factory.mktemp("foreign")
    yield from controlled(build_world(root / "world", days=4, own_identity=True, seed=9), root)


@pytest.fixture
def chain(chain_world: World, tmp_path: Path) -> Iterator[Case]:
    yield from a_copy(chain_world, tmp_path / "chain")


@pytest.fixture
def two_fulls(two_fulls_world: World, tmp_path: Path) -> Iterator[Case]:
    yield from a_copy(two_fulls_world, tmp_path / "two_fulls")


@pytest.fixture
def tar(tar_world: World, tmp_path: Path) -> Iterator[Case]:
    yield from a_copy(tar_world, tmp_path / "tar")


@pytest.fixture
def promoted(promoted_world: World, tmp_path: Path) -> Iterator[Case]:
    yield from a_copy(promoted_world, tmp_path / "promoted")


def a_copy(world: World, place: Path) -> Iterator[Case]:
    """A copy to damage, gone after the test: a hundred of them would fill a small disk."""
    yield case_of(world, place)
    shutil.rmtree(place)


def back_up_full(world: World, moment: datetime) -> None:
    """One more planned full, and rows changed after it."""
    assert world.back_up(Level.FULL, moment)
    world.nights += (Night(moment, Level.FULL),)
    for minutes in (30, 80):
        world.change_rows(moment + timedelta(minutes=minutes))


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own with little room."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SMALL_DISK_MB}m", "drydock-small", str(place)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("a file system of its own can only be mounted by root")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)
