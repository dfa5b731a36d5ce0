"""Days of an office on the simulated database, as unified auditing writes them down: rows of UNIFIED_AUDIT_TRAIL.

An application at every hour, a report at night, people on working days, RMAN by the backup plan, Drydock's own look: what each
day leaves is written here, the same for the same day. Misdeeds are in `audit_deeds`.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sandbox.oracle.model.auditing import Row, at

APP = "GZ_MAIN_APP"
CORE, LOGONS, SENSITIVE = "GZ_CORE", "ORA_LOGON_FAILURES", "GZ_SENSITIVE"
POLICY_OF = {"LOGON": LOGONS, "LOGOFF": CORE}
PAUSE = timedelta(seconds=7)


@dataclass(frozen=True)
class Way:
    """Who comes how: the account with its program, host, operating-system user and address."""

    account: str
    program: str
    host: str
    os_user: str
    address: str


@dataclass(frozen=True)
class Did:
    """One audited action: its statement, and more columns of the view."""

    action: str
    table: str = ""
    text: str = ""
    more: Row = field(default_factory=dict)


def did(action: str, table: str = "", text: str = "", **more: object) -> Did:
    return Did(action, table, text, more)


APPLICATION = Way(APP, "JDBC Thin Client", "gzapp01", "tomcat", "10.20.1.11")
REPORT = Way("GZ_REPORT", "JDBC Thin Client", "gzrep01", "report", "10.20.1.31")
LI_WEI = Way("LI_WEI", "SQL Developer", "PC-LIWEI", "liwei", "10.20.8.21")
CHEN_YU = Way("CHEN_YU", "plsqldev.exe", "PC-CHENYU", "chenyu", "10.20.8.22")
DESK = Way("DESK", "SQL Developer", "PC-DESK", "desk", "10.20.8.23")
OLD_ZHOU = Way("OLD_ZHOU", "SQL Developer", "PC-ZHOU", "zhou", "10.20.8.24")
DBA_WANG = Way("DBA_WANG", "sqlplus@gzdba01 (TNS V1-V3)", "gzdba01", "wang", "10.20.9.31")
RMAN = Way("SYSBACKUP", "rman@gzdb01 (TNS V1-V3)", "gzdb01", "oracle", "10.20.2.1")
LOOKER = Way("DRYDOCK", "drydock", "gzairflow01", "airflow", "10.20.9.41")

BY_HOUR = (
    did("SELECT", "GZ_MAIN.DEC_HEAD", "SELECT seq_no, ie_flag FROM gz_main.dec_head WHERE entry_id = :1"),
    did("INSERT", "GZ_MAIN.EXCH_MSG_LOG", "INSERT INTO gz_main.exch_msg_log (msg_id, message_type) VALUES (:1, :2)"),
    did("UPDATE", "GZ_MAIN.DEC_RECEIPT", "UPDATE gz_main.dec_receipt SET note = :1 WHERE receipt_id = :2"),
)
MINUTES = (4, 19, 34, 49)
BILLS = did("SELECT", "GZ_MAIN.MFT_BILL", "SELECT message_type, voyage_no FROM gz_main.mft_bill WHERE message_id > :1")
LOOKUP = did("SELECT", "GZ_MAIN.ENT_CORP_REG", "SELECT corp_name, contact_mobile FROM gz_main.ent_corp_reg WHERE corp_id = :1")
STATES = did("SELECT", "GZ_MAIN.DEC_RECEIPT", "SELECT channel, note FROM gz_main.dec_receipt WHERE notice_date > :1")
WORK = (
    (time(9, 10), LI_WEI, (STATES,)),
    (time(10, 5), CHEN_YU, (LOOKUP, STATES)),
    (time(11, 20), DESK, (LOOKUP,)),
    (time(15, 40), LI_WEI, (STATES, LOOKUP)),
    (time(16, 30), DBA_WANG, (STATES,)),
)
RMAN_AT = (time(1, 0), time(3, 7), time(9, 7), time(15, 7), time(21, 7))  # as the site's plan in `target` says


class Scribe:
    """Writes the rows of one day; every session has its own number, its own instance, and its own clock."""

    def __init__(self, day: date, zone: ZoneInfo, dbid: int, instances: tuple[int, ...] = (1,)) -> None:
        self.day, self.zone, self.dbid, self.instances = day, zone, dbid, instances
        self.now = self.moment(time(0))
        self.rows: list[Row] = []

    def moment(self, at: time) -> datetime:
        return datetime.combine(self.day, at, self.zone)

    def session(self, way: Way, *deeds: Did, logon: Row | None = None) -> None:
        """Somebody logs on, does this, one thing after the other, and logs off; `logon`: more columns of all these rows."""
        number = zlib.crc32(f"{way.account} {way.host} {self.now.isoformat()} {len(self.rows)}".encode())
        instance = self.instances[number % len(self.instances)]
        for entry, deed in enumerate((Did("LOGON"), *deeds, Did("LOGOFF")), 1):
            told = {"SESSIONID": number, "ENTRY_ID": entry, "STATEMENT_ID": entry, "INSTANCE_ID": instance}
            self.write(way, deed, told | (logon or {}))
            self.now += PAUSE

    def refused(self, way: Way, times: int = 1, code: int = 1017) -> None:
        """Logons that fail, a few seconds apart."""
        for _ in range(times):
            number = zlib.crc32(f"{way.account} refused {self.now.isoformat()}".encode())
            told = {"SESSIONID": number, "ENTRY_ID": 1, "STATEMENT_ID": 1, "INSTANCE_ID": self.instances[0]}
            self.write(way, Did("LOGON", more={"RETURN_CODE": code}), told)
            self.now += PAUSE

    def write(self, way: Way, deed: Did, told: Row) -> None:
        schema, _, name = deed.table.rpartition(".")
        client = f"(CLIENT ADDRESS=((PROTOCOL=tcp)(HOST={way.address})(PORT={20_000 + told['SESSIONID'] % 40_000})))"
        row = {
            "AUDIT_TYPE": "Standard", "DBID": self.dbid, "PROXY_SESSIONID": 0, "OS_USERNAME": way.os_user, "USERHOST": way.host,
            "TERMINAL": "unknown", "DBUSERNAME": way.account, "CURRENT_USER": way.account, "CLIENT_PROGRAM_NAME": way.program,
            "AUTHENTICATION_TYPE": f"(TYPE=(DATABASE));{client};", "EVENT_TIMESTAMP_UTC": self.now, "ACTION_NAME": deed.action,
            "RETURN_CODE": 0, "OS_PROCESS": str(1000 + told["SESSIONID"] % 60_000), "OBJECT_SCHEMA": schema or None,
            "OBJECT_NAME": name or None, "SQL_TEXT": deed.text or None, "SQL_BINDS": " #1(2):17" if ":1" in deed.text else None,
            "UNIFIED_AUDIT_POLICIES": POLICY_OF.get(deed.action, CORE),
        }  # fmt: skip
        self.rows.append(row | told | deed.more)


Deed = Callable[[Scribe], None]


def rows_of_day(
    day: date,
    zone: ZoneInfo,
    dbid: int,
    is_workday: bool,
    deeds: Iterable[tuple[time, Deed]] = (),
    silent: tuple[int, ...] = (),
    instances: tuple[int, ...] = (1,),
) -> list[Row]:
    """What one day leaves in the trail, oldest first: ordinary life, and what else happens; nothing in the hours `silent`."""
    scribe = Scribe(day, zone, dbid, instances)
    for begin, deed in (*_ordinary(is_workday), *deeds):
        if begin.hour not in silent:
            scribe.now = scribe.moment(begin)
            deed(scribe)
    return sorted((row for row in scribe.rows if at(row).astimezone(zone).hour not in silent), key=at)


def _ordinary(is_workday: bool) -> Iterator[tuple[time, Deed]]:
    for hour in range(24):
        yield time(hour, 2), _application
    yield time(2, 15), lambda scribe: scribe.session(REPORT, BILLS)
    yield time(6, 30), lambda scribe: scribe.session(LOOKER)
    for begin in RMAN_AT:
        yield begin, _backup
    for begin, way, deeds in WORK if is_workday else ():
        yield begin, lambda scribe, way=way, deeds=deeds: scribe.session(way, *deeds)


def _application(scribe: Scribe) -> None:
    """A connection of the pool for an hour, on each instance."""
    begin = scribe.now
    for minute in MINUTES:
        for _ in scribe.instances:
            scribe.now = begin.replace(minute=minute) + timedelta(seconds=scribe.day.toordinal() % 17)
            scribe.session(APPLICATION, *BY_HOUR)


def _backup(scribe: Scribe) -> None:
    """RMAN by the operating system's authentication, with the record that RMAN's own auditing writes."""
    told = {"AUDIT_TYPE": "RMAN_AUDIT", "RMAN_OPERATION": "BACKUP", "UNIFIED_AUDIT_POLICIES": None}
    scribe.session(RMAN, did("RMAN ACTION", **told), logon={"SYSTEM_PRIVILEGE_USED": "SYSBACKUP", "CURRENT_USER": "SYS"})
