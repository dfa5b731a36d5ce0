"""What must not happen in an office, each deed with the rule that has to tell it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import date, time

import psycopg

from sandbox.audit_day import APPLICATION, DBNAME, AuditYard

STRANGE_HOST, GUESSING_HOST, SPRAYING_HOST = "127.0.0.99", "127.0.0.98", "127.0.0.97"
GUESSES, SPRAYED = 14, 12
SILENT_HOURS = (13, 14)
INJECTIONS = (
    "select id, state from trade.orders where customer = 1 or 1=1 --",
    "select id, state from trade.orders where customer = -1 union select id, id_card from trade.customers where id < 4",
    "select id, state from trade.orders where customer = 1; select pg_sleep(0)",
)


@dataclass(frozen=True)
class Planted:
    """A misdeed: when it happens, the rules of which at least one must tell it, and the account that a hit must name."""

    name: str
    at: time
    rules: tuple[str, ...]
    account: str
    do: Callable[[AuditYard, date], None]


TICKET_AT = time(18, 30)
TICKETS = """工单号,开始时间,结束时间,账号,对象,操作,批准人,标题
CHG-1042,{day} 18:00,{day} 19:00,dba_wang,trade.orders*,CREATE*,王主任,给订单表加索引
"""
PLANTED: list[Planted] = []


def ticketed_change(yard: AuditYard, _day: date) -> None:
    """What a ticket allows: no misdeed, though outside of a window."""
    yard.psql("dba_wang", "create index orders_by_customer on trade.orders (customer);")


def planted(at: str, *rules: str, account: str = "") -> Callable[[Callable[[AuditYard, date], None]], Callable[..., None]]:
    """Register a misdeed under its function's name."""

    def register(do: Callable[[AuditYard, date], None]) -> Callable[..., None]:
        PLANTED.append(Planted(do.__name__, time.fromisoformat(at), rules, account, do))
        return do

    return register


@planted("02:40", "off_hours", account="chen_yu")
def read_at_night(yard: AuditYard, _day: date) -> None:
    yard.psql("chen_yu", "select name from trade.customers where id = 18;")


@planted("09:30", "unapproved_program", account="li_wei")
def strange_program(yard: AuditYard, _day: date) -> None:
    yard.psql("li_wei", "select sum(amount) from trade.payments where order_id < 60;", program="DBeaver 24.1")


@planted("09:45", "unapproved_client", account="li_wei")
def strange_host(yard: AuditYard, _day: date) -> None:
    yard.psql("li_wei", "select sum(amount) from trade.payments where order_id < 70;", host=STRANGE_HOST)


@planted("10:20", "bulk_important_read", account="li_wei")
def bulk_read(yard: AuditYard, _day: date) -> None:
    yard.psql("li_wei", "select * from trade.customers;")


@planted("10:40", "shared_account", account="desk")
def shared_account(yard: AuditYard, _day: date) -> None:
    for host in ("127.0.0.23", "127.0.0.25", "127.0.0.26"):
        yard.psql("desk", "select name from trade.customers where id = 19;", host=host)


@planted("10:55", "dormant_account", account="old_zhou")
def dormant_account(yard: AuditYard, _day: date) -> None:
    yard.psql("old_zhou", "select sum(amount) from trade.payments where order_id < 50;")


@planted("11:05", "ddl_outside_window", account="dba_wang")
def ddl_by_day(yard: AuditYard, _day: date) -> None:
    yard.psql("dba_wang", "create table trade.copy_of_orders as select * from trade.orders;\ndrop table trade.copy_of_orders;")


@planted("11:30", "failed_logon_burst", account="li_wei")
def guessed_password(yard: AuditYard, _day: date) -> None:
    for n in range(GUESSES):
        with contextlib.suppress(psycopg.OperationalError):
            yard.connect("li_wei", GUESSING_HOST, password=f"guess-{n}")


@planted("11:40", "password_spray")
def sprayed_passwords(yard: AuditYard, _day: date) -> None:
    for n in range(SPRAYED):
        with contextlib.suppress(psycopg.OperationalError):
            yard.connect(f"user_{n}", SPRAYING_HOST, password="Spring2026")


@planted("11:45", "forged_name")
def forged_name(yard: AuditYard, _day: date) -> None:
    """A name that holds a line end and the beginning of another row of the log."""
    with contextlib.suppress(psycopg.OperationalError):
        yard.connect('eve\n2026-11-20 11:45:00.000 CST,"li_wei","trade"', SPRAYING_HOST)


@planted("11:50", "privilege_changed", account="dba_wang")
def grant(yard: AuditYard, _day: date) -> None:
    yard.psql("dba_wang", "grant select on trade.salaries to chen_yu;\nalter role chen_yu createrole;")


@planted("12:05", "important_change", account="chen_yu")
def sensitive_update(yard: AuditYard, _day: date) -> None:
    yard.psql(
        "chen_yu", "update trade.customers set phone = '13900000000' where id = 5;\ndelete from trade.customers where id = 6;"
    )


@planted("12:15", "write_without_where", account="li_wei")
def without_where(yard: AuditYard, _day: date) -> None:
    yard.psql("li_wei", "begin;\nupdate trade.payments set amount = 0;\ndelete from trade.payments;\nrollback;")


@planted("15:10", "new_statement", account="chen_yu")
def never_seen(yard: AuditYard, _day: date) -> None:
    yard.psql(
        "chen_yu", "select c.phone, o.amount from trade.customers c join trade.orders o on o.customer = c.id where o.id = 3;"
    )


@planted("15:25", "export_tool", account="dba_wang")
def dumped(yard: AuditYard, _day: date) -> None:
    yard.tool("pg_dump", "dba_wang", ["-t", "trade.customers", "-f", "/dev/null"])


@planted("15:30", "export_tool", account="li_wei")
def copied_out(yard: AuditYard, _day: date) -> None:
    yard.psql("li_wei", "copy trade.customers to stdout;")


@planted("16:10", "injection_shape", account="app_orders")
def injected(yard: AuditYard, _day: date) -> None:
    with closing(yard.connect("app_orders", program=APPLICATION, dbname=DBNAME)) as session:
        for statement in INJECTIONS:
            session.execute(statement.encode())


@planted("16:40", "identity_switched", account="dba_wang")
def role_chain(yard: AuditYard, _day: date) -> None:
    steps = ("set role ops_step", "set role ops_all", "set session authorization chen_yu", "select amount from trade.salaries")
    script = "".join(f"{step};\n" for step in steps)
    yard.psql("dba_wang", script)


@planted("17:30", "audit_changed", account="dba_wang")
def audit_off_for_one(yard: AuditYard, _day: date) -> None:
    yard.psql("dba_wang", "alter role chen_yu set log_statement = 'none';\nalter role chen_yu reset log_statement;")


@planted("21:30", "audit_changed", account="dba_wang")
def audit_off_for_all(yard: AuditYard, _day: date) -> None:
    """For half an hour the server logs no statement; the deed itself and its undoing are told."""
    yard.psql("dba_wang", "alter system set log_statement = 'none';\nselect pg_reload_conf();")
    yard.psql("dba_wang", "alter system reset log_statement;\nselect pg_reload_conf();")


@planted("22:20", "audit_changed")
def audit_off_by_hand(yard: AuditYard, _day: date) -> None:
    """Somebody edits the server's file and sends it a signal: no session, no statement; the server alone tells it."""
    yard.edit_configuration("log_disconnections", "off")
    yard.edit_configuration("log_disconnections", "on")
