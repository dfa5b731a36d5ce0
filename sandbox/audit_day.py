"""Days of an office whose server logs everything: an application at every hour, people with psql by day, and misdeeds on demand.

The server is real, under a moved clock; every host has an address of its own (`audit_hosts`). What a day holds is written down
here; what it leaves in the log, PostgreSQL writes.
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path
from secrets import token_hex

import psycopg
from psycopg import sql

from drydock.engines.postgres_binaries import Binaries, find_binaries
from drydock.engines.postgres_server import LOCALHOST, PostgresServer, free_port, initialise, server_environment
from sandbox.audit_hosts import Office
from sandbox.audit_logging import collector_options, make_log_folder, write_logging
from sandbox.backup_job import wait_until
from sandbox.clock import ZONE, MovedClock, sweep_shared_memory

SQL_DIR = Path(__file__).parent / "sql"
DBNAME = "trade"
TOOL_TIMEOUT_S = 60
SETTINGS = {"shared_buffers": "8MB", "max_connections": "30", "fsync": "off", "autovacuum": "off", "jit": "off"}
SETTINGS |= {"timezone": ZONE.key, "log_timezone": ZONE.key, "max_wal_senders": "0", "wal_level": "minimal"}
ACCOUNTS = {"app_orders": "application", "drydock": "pg_monitor"}
ACCOUNTS |= dict.fromkeys(("li_wei", "chen_yu", "desk", "old_zhou"), "staff")
"""Logins -> the role that they hold. `desk` is meant for one person; `dba_wang` is the superuser of people."""
HOSTS = {
    "app_orders": "127.0.0.11",
    "li_wei": "127.0.0.21",
    "chen_yu": "127.0.0.22",
    "desk": "127.0.0.23",
    "old_zhou": "127.0.0.24",
    "dba_wang": "127.0.0.31",
    "drydock": "127.0.0.41",
}
APPLICATION = "order-service"
BY_HOUR = (
    "insert into trade.orders (customer, amount) values (%s, %s)",
    "select id, state from trade.orders where customer = %s and amount >= %s",
    "update trade.orders set state = 'paid' where customer = %s and amount = %s",
)
MORNING = "select state, count(*) from trade.orders group by state;\nselect sum(amount) from trade.payments where order_id < 50;"
LOOKUP = "select name from trade.customers where id = 17;"
UPKEEP = "vacuum analyze trade.orders;"


@dataclass(frozen=True)
class Person:
    """A session of psql on a working day."""

    account: str
    at: time
    script: str


WORK = (
    Person("li_wei", time(9, 10), MORNING),
    Person("chen_yu", time(10, 5), LOOKUP + "\n" + MORNING),
    Person("desk", time(11, 20), LOOKUP),
    Person("li_wei", time(15, 40), MORNING),
    Person("dba_wang", time(16, 30), UPKEEP),
)


@dataclass
class AuditYard:
    """A server that logs, its clock, and the hosts around it."""

    root: Path
    binaries: Binaries
    server: PostgresServer
    clock: MovedClock
    office: Office
    password: str
    app: psycopg.Connection | None = field(default=None, repr=False)

    @property
    def log_folder(self) -> Path:
        return self.root / "log"

    def at(self, moment: datetime) -> None:
        """Set the clock of the server."""
        self.clock.move_to(moment)

    def date_logs(self) -> None:
        """Give the logs the times of the clock, as those of a server that lived these days would have."""
        self.clock.date_files(self.log_folder.iterdir())

    def start(self) -> None:
        options = SETTINGS | collector_options(self.log_folder)
        self.server.start(self.server.port or free_port(), options, self.clock.environment())
        self.server.wait_ready()

    def edit_configuration(self, name: str, value: str) -> None:
        """Write a line into the server's configuration file, by hand, and let it be read; waits until the log tells it."""
        with (self.server.data_dir / "postgresql.conf").open("a", encoding="utf-8") as file:
            file.write(f"\n{name} = '{value}'\n")
        told = f'parameter ""{name}"" changed to ""{value}""'
        seen = self._told_of(told)
        pid = self.server.postmaster_pid()
        assert pid is not None, "the server does not run"
        os.kill(pid, signal.SIGHUP)
        wait_until(lambda: self._told_of(told) > seen, TOOL_TIMEOUT_S, f"the server never says {told}")

    def _told_of(self, words: str) -> int:
        """How often the logs say something."""
        return sum(path.read_text(encoding="utf-8").count(words) for path in self.log_folder.glob("*.csv"))

    def stop(self) -> None:
        if self.app is not None:
            self.app.close()
        self.app = None
        self.office.close()
        self.server.stop()
        sweep_shared_memory()

    def door(self, account: str, host: str = "") -> int:
        """The local port behind which one sends from that host (default: the account's own)."""
        return self.office.port_of(host or HOSTS[account])

    def connect(
        self, account: str, host: str = "", program: str = "psql", password: str = "", dbname: str = DBNAME
    ) -> psycopg.Connection:
        """A session as a program of that name would have it. Raises psycopg.OperationalError."""
        return psycopg.connect(
            host=LOCALHOST,
            port=self.door(account, host),
            user=account,
            password=password or self.password,
            dbname=dbname,
            application_name=program,
            autocommit=True,
        )

    def psql(self, account: str, script: str, host: str = "", program: str = "") -> str:
        """Run statements with the real psql; errors are the server's to log. Returns what it said."""
        return self.tool("psql", account, ["-X", "-q", "-A", "-t"], host, program, script)

    def tool(self, name: str, account: str, options: list[str], host: str = "", program: str = "", script: str = "") -> str:
        """One of PostgreSQL's own programs (psql, pg_dump, pgbench) as an account on a host. Raises TimeoutExpired."""
        where = ["-h", LOCALHOST, "-p", str(self.door(account, host)), "-U", account, *options]
        told = {"PGPASSWORD": self.password} | ({"PGAPPNAME": program} if program else {})
        done = subprocess.run(
            [self.binaries.tool(name), *where, DBNAME],
            env=server_environment(told),
            input=script,
            capture_output=True,
            text=True,
            timeout=TOOL_TIMEOUT_S,
            check=False,
        )
        return done.stdout + done.stderr

    def application(self) -> psycopg.Connection:
        """The application's session, which lasts for days."""
        if self.app is None or self.app.closed:
            self.app = self.connect("app_orders", program=APPLICATION)
        return self.app


Misdeed = Callable[[AuditYard, date], None]


def build_yard(root: Path, first_day: date) -> AuditYard:
    """A cluster with the office's tables, logging since before `first_day`; left running."""
    root = root.absolute()
    root.mkdir(parents=True, exist_ok=True)
    root.chmod(0o755)
    password, binaries = token_hex(12), find_binaries()
    initialise(binaries, root / "data", password=password)
    write_logging(root / "data")
    with (root / "data" / "pg_hba.conf").open("a", encoding="utf-8") as file:
        file.write("host all all 127.0.0.0/8 scram-sha-256\n")
    make_log_folder(root / "log")
    server, clock = PostgresServer(binaries, root / "data", free_port()), MovedClock(root / "clock")
    yard = AuditYard(root, binaries, server, clock, Office((LOCALHOST, server.port)), password)
    yard.at(moment_of(first_day, time(0)) - timedelta(hours=6))
    yard.start()
    try:
        _furnish(yard)
    except BaseException:
        yard.stop()
        raise
    return yard


@contextmanager
def a_yard(root: Path, first_day: date) -> Iterator[AuditYard]:
    """A yard that is stopped in the end."""
    yard = build_yard(root, first_day)
    try:
        yield yard
    finally:
        yard.stop()


def _furnish(yard: AuditYard) -> None:
    with closing(yard.connect("postgres", "127.0.0.31", dbname="postgres")) as session:
        session.execute(f"create database {DBNAME}")
        session.execute(_login("dba_wang", "superuser", yard.password))
    with closing(yard.connect("postgres", "127.0.0.31")) as session:
        session.execute((SQL_DIR / "audit_yard.sql").read_bytes())
        for account, role in ACCOUNTS.items():
            session.execute(_login(account, "", yard.password))
            session.execute(sql.SQL("grant {} to {}").format(sql.Identifier(role), sql.Identifier(account)))


def _login(account: str, rights: str, password: str) -> sql.Composed:
    words = sql.SQL("create role {} login {} password {}")
    return words.format(sql.Identifier(account), sql.SQL(rights), sql.Literal(password))  # type: ignore[arg-type]


def moment_of(day: date, at: time) -> datetime:
    return datetime.combine(day, at, ZONE)


def live_day(
    yard: AuditYard,
    day: date,
    is_workday: bool = True,
    misdeeds: Iterable[tuple[time, Misdeed]] = (),
    silent: tuple[int, ...] = (),
) -> None:
    """One day, hour by hour: the application, on working days people, and what else happens; nothing in the hours `silent`."""
    deeds: list[tuple[time, Misdeed]] = [(time(hour, 12), _app_hour) for hour in range(24) if hour not in silent]
    deeds.append((time(6, 30), _look))
    if is_workday:
        deeds += [(person.at, _session_of(person)) for person in WORK if person.at.hour not in silent]
    for at, deed in sorted([*deeds, *misdeeds], key=lambda entry: entry[0]):
        yard.at(moment_of(day, at))
        deed(yard, day)
    yard.date_logs()


def _app_hour(yard: AuditYard, day: date) -> None:
    session, seed = yard.application(), day.toordinal() + yard.clock.now().hour
    for n, statement in enumerate(BY_HOUR):
        session.execute(statement, (1 + (seed * 7 + n) % 1500, 10 + seed % 90))


def _look(yard: AuditYard, _day: date) -> None:
    """Drydock's own look at the server, as its account."""
    with closing(yard.connect("drydock", program="drydock/backup")) as session:
        session.execute("select count(*) from pg_stat_activity")


def _session_of(person: Person) -> Misdeed:
    def sit_down(yard: AuditYard, _day: date) -> None:
        yard.psql(person.account, person.script)

    return sit_down
