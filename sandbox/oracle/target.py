"""The sandbox's Oracle target: one simulated database with its listener, its host behind SSH, and the time that passes.

    python -m sandbox.oracle.target FOLDER     serve the target that `prepare_target` described, until killed

The model is not kept: it is lived again from the moment in `target.json`, by the same seed, so that a warm start knows the
same backups as before. Passwords and keys are made once and stay readable by the owner only.

Two files of the folder are for whoever wants to see a task wait: `asked` has a line for each command that RMAN got, and a
command that matches the regular expression in `hold` has no answer until that file is gone.
"""

from __future__ import annotations

import json
import os
import re
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from secrets import token_hex

from drydock import settings
from drydock.configuration import load_calendar
from drydock.engines.postgres_server import free_port
from drydock.sqlfiles import parse_sql_file, statements
from sandbox import processes
from sandbox.oracle import strays, views_backup, views_session  # noqa: F401 - they register what can be asked
from sandbox.oracle.audit_planting import plant_trail
from sandbox.oracle.faults import FAULTS
from sandbox.oracle.host import OracleHost, offer_alert_log, prepare_host, rman_simulator, start_host, stop_host
from sandbox.oracle.model.alert_log import alert_text
from sandbox.oracle.model.database import Account, OracleDatabase
from sandbox.oracle.model.jobs import Plan, PlannedJob, catch_up, live_until, weekly_plan
from sandbox.oracle.model.repository import repository_of
from sandbox.oracle.model.statistics import flush
from sandbox.oracle.model.storage import storage_of
from sandbox.oracle.rman.service import RmanService
from sandbox.oracle.sessions import open_simulator
from sandbox.oracle.worlds import lived
from sandbox.oracle.worlds_masking import OWNER, TABLES, plant_archive
from sandbox.oracle.worlds_storage import plant_schema

DATABASE = "gz_main_sim"
SID = "GZMAIN"
SERVICE = "gzmain"
ACCOUNT, WORKING, WATCHDOG, READING = "DRYDOCK", "DRYDOCK_WORK", "DRYDOCK_WATCHDOG", "DRYDOCK_MASK_READ"
"""The accounts that look, that do the weekly work, that may cancel what runs too long, and that read what is copied masked."""
SEED = 20261120
PLANTED = "piece_with_corrupt_blocks"
"""The fault of the demo: blocks of a piece are bad, every record is sound, and RMAN ends with 0 when it finds them."""
DAYS = 9
SCALE = 0.05  # of the rows that the platform has
OPTIONS = ("Partitioning", "Online Index Build", "Online Redefinition")
LOG_HOURS = (3, 9, 15, 21)  # as the estate's plan says; each is a set of logs, and one of the control file
GRANTS = {
    ACCOUNT: ("session", "backup", "audit"),
    WORKING: ("session", "gate", "changing", "reclaim", "reindex"),
    WATCHDOG: ("session", "watchdog"),
    READING: ("session", "masking"),
}
TICK_S = 1.0
HELD_POLL_S = 0.05
LONGEST_SOCKET_PATH = 107
READY_WAIT_S = 60.0
PROCESS = "oracle-simulator"


@dataclass(frozen=True)
class Target:
    """Where the simulated target answers. `born_at`: when its past ended and the present began."""

    folder: Path
    port: int
    ssh_port: int
    born_at: datetime
    passwords: dict[str, str] = field(repr=False)

    @property
    def host(self) -> OracleHost:
        return OracleHost(self.folder / "host", self.ssh_port)

    @property
    def socket(self) -> Path:
        """Where RMAN's simulator asks the model."""
        return socket_of(self.folder)

    def connections(self) -> dict[str, str]:
        """Airflow connections by id, as JSON: the database, and its host."""
        told = {"db": ACCOUNT, "work": WORKING, "watchdog": WATCHDOG, "read": READING}
        logons = {f"{what}_{DATABASE}": self._logon(account) for what, account in told.items()}
        return logons | {f"ssh_{DATABASE}": self.host.connection()}

    def _logon(self, account: str) -> str:
        where = {"conn_type": "oracle", "host": "127.0.0.1", "port": self.port, "extra": {"service_name": SERVICE}}
        return json.dumps(where | {"login": account, "password": self.passwords[account]})


class PatientService(RmanService):
    """Answers for one target, and keeps the two files of its folder."""

    def __init__(self, target: Target, database: OracleDatabase) -> None:
        super().__init__({SID: database}, target.socket)
        self.folder = target.folder

    def trouble_for(self, command: str) -> str:
        with (self.folder / "asked").open("a") as asked:
            asked.write(f"{command}\n")
        while self._is_held(command) and not self.is_stopping:
            time.sleep(HELD_POLL_S)
        return super().trouble_for(command)

    def _is_held(self, command: str) -> bool:
        try:
            return re.search((self.folder / "hold").read_text().strip(), command, re.IGNORECASE) is not None
        except FileNotFoundError:
            return False


def socket_of(folder: Path) -> Path:
    """In the folder, or in the system's one for temporary files: the path of a socket has room for 107 bytes (unix(7))."""
    near = folder / "model.sock"
    far = Path(tempfile.gettempdir()) / f"drydock-{sha256(str(folder).encode()).hexdigest()[:16]}.sock"
    return near if len(str(near).encode()) <= LONGEST_SOCKET_PATH else far


def prepare_target(folder: Path, born_at: datetime | None = None) -> Target:
    """The target of a folder: described there before, or described now. Nothing is started."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "target.json"
    if not file.exists():
        born_at = born_at or datetime.now(UTC)
        told = {"port": free_port(), "ssh_port": free_port(), "born_at": born_at.isoformat()}
        told["passwords"] = {account: token_hex(16) for account in GRANTS}
        told["past"] = past_of(born_at)
        file.touch(mode=0o600)
        file.write_text(json.dumps(told))
    known = json.loads(file.read_text())
    target = Target(folder, known["port"], known["ssh_port"], datetime.fromisoformat(known["born_at"]), known["passwords"])
    prepare_host(target.host.folder, {SID: rman_simulator(target.socket)})
    return target


def past_of(born_at: datetime) -> str:
    """A digest of the backup sets that the past left: another one means that the simulator's code lives another past now."""
    sets = repository_of(lived(SEED, plan=site_plan(), ends_at=born_at, days=DAYS)).sets
    return sha256(repr([(s.recid, s.stamp, s.count, s.kind) for s in sets]).encode()).hexdigest()


def is_same_past(folder: Path) -> bool:
    """Whether a target started now would have the backups that it had when it was described; False where there is none."""
    file = folder / "target.json"
    known = json.loads(file.read_text()) if file.exists() else {}
    return "past" in known and known["past"] == past_of(datetime.fromisoformat(known["born_at"]))


def start_target(target: Target, run_dir: Path) -> None:
    """Serve it in a process of its own; returns when it answers. Raises RuntimeError when it does not."""
    ready = target.folder / "ready"
    ready.unlink(missing_ok=True)
    command = [sys.executable, "-m", "sandbox.oracle.target", str(target.folder)]
    processes.start(run_dir, PROCESS, command, _environment(), target.folder / "target.log", settings.home())
    give_up_at = datetime.now(UTC) + timedelta(seconds=READY_WAIT_S)
    while not ready.exists():
        if PROCESS not in processes.running(run_dir) or datetime.now(UTC) > give_up_at:
            raise RuntimeError(f"the Oracle simulator did not start: {_last_lines(target.folder / 'target.log')}")
        threading.Event().wait(0.1)


def stop_target(folder: Path, run_dir: Path) -> list[str]:
    """Stop the target of a folder with all that belongs to it, also what the host had set free. Returns what it stopped."""
    mine = strays.processes_of(folder / "host")
    stopped = processes.stop_all(run_dir)
    left = strays.kill_all(folder / "host", mine)
    socket_of(folder).unlink(missing_ok=True)
    return stopped + [f"process {pid} of {folder.name}" for pid in left]


def serve(folder: Path) -> None:
    """Live the past, plant the fault, answer on both ports, and let time pass until a signal comes."""
    target = prepare_target(folder)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    database = make_database(target)
    trail = plant_trail(database, target.born_at, DAYS, load_calendar().is_workday, folder)
    with open_simulator(database, port=target.port), PatientService(target, database):
        tell_alerts = alert_teller(database, target.host.folder)
        tell_alerts()
        host = start_host(target.host.folder, target.ssh_port)
        try:
            (folder / "ready").touch()
            while not stop.wait(TICK_S):
                with database.lock:
                    catch_up(database)
                trail.catch_up()
                tell_alerts()
        finally:
            stop_host(host)


def alert_teller(database: OracleDatabase, host_folder: Path) -> Callable[[], None]:
    """A function that writes the alert log to the host where there is something new in it."""
    repository, known = repository_of(database), -1

    def tell() -> None:
        nonlocal known
        told = len(repository.events) + len(repository.archived_logs)
        if told != known:
            offer_alert_log(host_folder, SID, alert_text(database))
            known = told

    return tell


def make_database(target: Target) -> OracleDatabase:
    """The model as it is now: nine days lived up to its birth, one fault planted, and all that came since."""
    database = lived(SEED, plan=site_plan(), ends_at=target.born_at, days=DAYS)
    FAULTS[PLANTED](database)
    for account, password in target.passwords.items():
        database.accounts[account] = Account(account, password, granted(account))
    live_until(database, datetime.now(UTC))  # its clock too: it stood still while nobody served it
    plant_storage(database)
    plant_archive(database, SEED)
    database.accounts[READING].privileges.update(readable(OWNER, TABLES))
    return database


def plant_storage(database: OracleDatabase) -> None:
    """The platform's schema, small, with the waste that the weekly work is to find; its deletes are flushed."""
    database.options |= dict.fromkeys(OPTIONS, True)
    plant_schema(database, SEED, SCALE)
    with database.lock:
        flush(storage_of(database))


def site_plan() -> Plan:
    """A level 0 on Sundays, a level 1 on other nights, archived logs every six hours."""
    nightly = weekly_plan(log_minutes=0)
    logs = tuple(PlannedJob("logs", hour=hour, minute=7, command_id="ARCHLOG") for hour in LOG_HOURS)
    return replace(nightly, jobs=(*nightly.jobs, *logs))


def granted(account: str) -> set[str]:
    """The privileges that the grants files of the product give that account, no more."""
    folder = settings.include_dir() / "sql" / "oracle" / "grants"
    lines = [s for name in GRANTS[account] for s in statements(parse_sql_file(folder / f"{name}.sql"))]
    return {re.sub(r"\s+TO\s+&account$", "", line.removeprefix("GRANT ")).replace(" ON SYS.", " ") for line in lines}


def readable(owner: str, tables: Iterable[str]) -> set[str]:
    """What a DBA grants on each table in scope: its rows, and its rows as they were at one SCN."""
    return {f"{what} ON {owner}.{table.upper()}" for what in ("SELECT", "FLASHBACK") for table in tables}


def _environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": f"{settings.home()}:{settings.home() / 'plugins'}"}


def _last_lines(log: Path) -> str:
    return " | ".join(log.read_text(errors="replace").splitlines()[-3:]) if log.exists() else "it said nothing"


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
