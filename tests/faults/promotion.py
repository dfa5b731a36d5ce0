"""Lets a world recover from its own backups into a new timeline, as after a failover or a mistake that was undone."""

from __future__ import annotations

import shutil
import subprocess
from datetime import datetime

from sandbox.backup_job import wait_until
from sandbox.world import World

PROMOTION_S = 60


def promote(world: World, moment: datetime) -> None:
    """Recover the stopped cluster to the end of its archive, and change rows on the new timeline."""
    world.lived.stop()
    _recover(world, moment)
    world.change_rows(moment)


def go_back(world: World, until: datetime, moment: datetime) -> None:
    """At `moment`, replace the cluster by its first full, recovered to the time `until`."""
    world.lived.stop()
    shutil.rmtree(world.data_dir)
    subprocess.run(["cp", "-a", world.places.sets / world.sets[0], world.data_dir], check=True)
    target = f"{until:%Y-%m-%d %H:%M:%S%z}"
    _recover(world, moment, recovery_target_time=target, recovery_target_action="promote")


def _recover(world: World, moment: datetime, **target: str) -> None:
    usual = world.lived.settings
    (world.data_dir / "recovery.signal").touch()
    world.lived.settings = {**usual, "restore_command": f"cp '{world.places.wal}/%f' %p", **target}
    world.lived.move_to(moment)
    wait_until(lambda: not _is_in_recovery(world), PROMOTION_S, "the recovery has not ended")
    world.lived.settings = usual


def _is_in_recovery(world: World) -> bool:
    with world.connect() as connection:
        row = connection.execute("select pg_is_in_recovery()").fetchone()
    return bool(row and row[0])
