"""What must not happen on the simulated database, each deed with the rules that have to tell it: rows of its audit trail.

Nothing here is done to a table: a deed is what it leaves in UNIFIED_AUDIT_TRAIL (Security Guide 19c, Auditing; Database Reference
19c, UNIFIED_AUDIT_TRAIL). The trail tells no numbers of rows: a bulk read is seen by its missing WHERE.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import time

from sandbox.oracle.audit_life import (
    APPLICATION,
    BY_HOUR,
    CHEN_YU,
    DBA_WANG,
    DESK,
    LI_WEI,
    LOOKER,
    OLD_ZHOU,
    REPORT,
    STATES,
    Deed,
    Scribe,
    Way,
    did,
)

IMPORTANT = "GZ_MAIN.ENT_CORP_REG"
VISITOR = "PC-VISITOR"
GUESSES, SPRAYED, PROBED, FAILED, FLOOD, LOOKED_AT = 8, 12, 12, 110, 450, 32
SILENT_HOURS = (13, 14)
SYSDBA = Way("SYS", "sqlplus@PC-VISITOR (TNS V1-V3)", VISITOR, "guest", "10.20.8.99")


@dataclass(frozen=True)
class Planted:
    """A misdeed: when it happens, the rules that must tell it, each of them, and the account that their hits must name."""

    name: str
    at: time
    rules: tuple[str, ...]
    account: str
    do: Deed


PLANTED: list[Planted] = []


def planted(begin: str, *rules: str, account: str = "") -> Callable[[Deed], Deed]:
    """Register a misdeed under its function's name."""

    def register(do: Deed) -> Deed:
        PLANTED.append(Planted(do.__name__, time.fromisoformat(begin), rules, account, do))
        return do

    return register


@planted("00:20", "off_hours", account="LI_WEI")
def read_at_night(scribe: Scribe) -> None:
    scribe.session(LI_WEI, STATES)


@planted("00:40", "injection_shape", "new_statement", account="GZ_MAIN_APP")
def injected(scribe: Scribe) -> None:
    text = "SELECT seq_no FROM gz_main.dec_head WHERE entry_id = '1' OR 1=1 --"
    union = "SELECT seq_no FROM gz_main.dec_head WHERE entry_id = '' UNION SELECT legal_rep_id_no FROM gz_main.ent_corp_reg --"
    scribe.session(APPLICATION, did("SELECT", "GZ_MAIN.DEC_HEAD", text), did("SELECT", "GZ_MAIN.DEC_HEAD", union))


@planted("03:20", "unusual_frequency", "outlier", account="GZ_MAIN_APP")
def flood(scribe: Scribe) -> None:
    """A loop that asks the same again and again."""
    scribe.session(APPLICATION, *(BY_HOUR[0],) * FLOOD)


@planted("05:10", "repeated_failure", account="GZ_MAIN_APP")
def broken_program(scribe: Scribe) -> None:
    failing = replace(BY_HOUR[1], more={"RETURN_CODE": 1})
    scribe.session(APPLICATION, *(failing,) * FAILED)


@planted("08:40", "unapproved_program", "new_way", account="LI_WEI")
def strange_program(scribe: Scribe) -> None:
    scribe.session(replace(LI_WEI, program="Toad.exe"), STATES)


@planted("08:45", "unapproved_client", account="LI_WEI")
def strange_host(scribe: Scribe) -> None:
    scribe.session(replace(LI_WEI, host=VISITOR, address="10.20.8.99"), STATES)


@planted("08:50", "unapproved_os_user", account="CHEN_YU")
def strange_os_user(scribe: Scribe) -> None:
    scribe.session(replace(CHEN_YU, os_user="guest"), STATES)


@planted("08:55", "unapproved_path", account="GZ_REPORT")
def crossed_path(scribe: Scribe) -> None:
    """Program and host are approved for the account, not together."""
    scribe.session(replace(REPORT, program="sqlplus@gzrep01 (TNS V1-V3)"))


@planted("09:00", "unapproved_account", account="TEMP_01")
def unknown_account(scribe: Scribe) -> None:
    scribe.session(replace(LI_WEI, account="TEMP_01"))


@planted("09:20", "unapproved_action", account="GZ_REPORT")
def report_that_writes(scribe: Scribe) -> None:
    text = "INSERT INTO gz_main.exch_msg_log (msg_id, message_type) VALUES (:1, :2)"
    scribe.session(REPORT, did("INSERT", "GZ_MAIN.EXCH_MSG_LOG", text))


@planted("09:25", "unapproved_object", account="LI_WEI")
def salaries(scribe: Scribe) -> None:
    scribe.session(LI_WEI, did("SELECT", "HR_PAY.SALARY", "SELECT amount FROM hr_pay.salary WHERE person = :1"))


@planted("09:30", "whole_table_read", account="LI_WEI")
def bulk_read(scribe: Scribe) -> None:
    scribe.session(LI_WEI, did("SELECT", IMPORTANT, "SELECT * FROM gz_main.ent_corp_reg"))


@planted("09:40", "wide_reading", account="CHEN_YU")
def looks_around(scribe: Scribe) -> None:
    names = [f"T_{n:02d}" for n in range(LOOKED_AT)]
    scribe.session(CHEN_YU, *(did("SELECT", f"GZ_MAIN.{n}", f"SELECT id FROM gz_main.{n.lower()} WHERE id = :1") for n in names))


@planted("10:20", "shared_account", account="DESK")
def shared_account(scribe: Scribe) -> None:
    for person in ("liwei", "chenyu"):
        scribe.session(replace(DESK, os_user=person), STATES)


@planted("10:30", "dormant_account", account="OLD_ZHOU")
def dormant_account(scribe: Scribe) -> None:
    scribe.session(OLD_ZHOU, STATES)


@planted("10:40", "failed_logon_burst", account="LI_WEI")
def guessed_password(scribe: Scribe) -> None:
    scribe.refused(replace(LI_WEI, host=VISITOR, program="sqlplus.exe"), GUESSES)


@planted("10:50", "logon_after_failures", account="DESK")
def guessed_right(scribe: Scribe) -> None:
    scribe.refused(DESK, GUESSES)
    scribe.session(DESK)


@planted("11:00", "password_spray")
def sprayed_passwords(scribe: Scribe) -> None:
    for n in range(SPRAYED):
        scribe.refused(Way(f"USER_{n:02d}", "python3", "PC-SPRAY", "guest", "10.20.8.98"))


@planted("11:05", "account_locked", account="OLD_ZHOU")
def locked_account(scribe: Scribe) -> None:
    scribe.refused(OLD_ZHOU, code=28000)


@planted("11:08", "forged_name")
def forged_name(scribe: Scribe) -> None:
    """A name that holds a line end and the beginning of another record."""
    scribe.refused(Way('EVE\n2026-11-20 11:08:00 "LI_WEI"', "sqlplus.exe", "PC-SPRAY", "guest", "10.20.8.98"))


@planted("11:10", "probing", account="CHEN_YU")
def probing(scribe: Scribe) -> None:
    deeds = (did("SELECT", f"GZ_MAIN.SECRET_{n}", f"SELECT 1 FROM gz_main.secret_{n}", RETURN_CODE=942) for n in range(PROBED))
    scribe.session(CHEN_YU, *deeds)


@planted("11:30", "privilege_changed", "powerful_privilege", account="DBA_WANG")
def grants(scribe: Scribe) -> None:
    one = did("GRANT", "GZ_MAIN.DEC_HEAD", "GRANT SELECT ON gz_main.dec_head TO chen_yu", TARGET_USER="CHEN_YU")
    scribe.session(DBA_WANG, one, did("GRANT", text="GRANT SELECT ANY TABLE TO chen_yu", TARGET_USER="CHEN_YU"))


@planted("11:40", "important_change", account="CHEN_YU")
def sensitive_update(scribe: Scribe) -> None:
    text = "UPDATE gz_main.ent_corp_reg SET contact_mobile = :1 WHERE corp_id = :2"
    scribe.session(CHEN_YU, did("UPDATE", IMPORTANT, text))


@planted("11:50", "write_without_where", account="LI_WEI")
def without_where(scribe: Scribe) -> None:
    scribe.session(LI_WEI, did("DELETE", "GZ_MAIN.DEC_CONTAINER", "DELETE FROM gz_main.dec_container"))


@planted("12:00", "any_privilege_used", account="DBA_WANG")
def any_table(scribe: Scribe) -> None:
    text = "SELECT corp_name FROM gz_main.ent_corp_reg WHERE corp_id = :1"
    scribe.session(DBA_WANG, did("SELECT", IMPORTANT, text, SYSTEM_PRIVILEGE_USED="SELECT ANY TABLE"))


@planted("12:10", "ddl_outside_window", "change_in_freeze", account="DBA_WANG")
def ddl_by_day(scribe: Scribe) -> None:
    scribe.session(DBA_WANG, did("CREATE INDEX", "GZ_MAIN.IX_DEC", "CREATE INDEX gz_main.ix_dec ON gz_main.dec_head (seq_no)"))


@planted("12:15", "structure_changed_by_other", account="LI_WEI")
def own_table(scribe: Scribe) -> None:
    scribe.session(LI_WEI, did("CREATE TABLE", "GZ_MAIN.COPY_1", "CREATE TABLE gz_main.copy_1 AS SELECT * FROM gz_main.dec_list"))


@planted("12:20", "important_dropped", account="DBA_WANG")
def emptied(scribe: Scribe) -> None:
    scribe.session(DBA_WANG, did("TRUNCATE TABLE", IMPORTANT, "TRUNCATE TABLE gz_main.ent_corp_reg"))


@planted("12:25", "guard_disabled", account="DBA_WANG")
def no_trigger(scribe: Scribe) -> None:
    scribe.session(DBA_WANG, did("ALTER TRIGGER", "GZ_MAIN.TR_DEC", "ALTER TRIGGER gz_main.tr_dec DISABLE"))


@planted("12:30", "way_out_created", account="DBA_WANG")
def link_outside(scribe: Scribe) -> None:
    text = "CREATE DATABASE LINK outside CONNECT TO u IDENTIFIED BY * USING 'elsewhere'"
    scribe.session(DBA_WANG, did("CREATE DATABASE LINK", "OUTSIDE", text))


@planted("15:10", "password_store_read", account="DBA_WANG")
def hashes(scribe: Scribe) -> None:
    scribe.session(DBA_WANG, did("SELECT", "SYS.USER$", "SELECT name, spare4 FROM sys.user$"))


@planted("15:20", "export_tool", account="DBA_WANG")
def expdp(scribe: Scribe) -> None:
    """Data Pump: the job's own record, and the reading of its worker process."""
    job = {"AUDIT_TYPE": "Datapump", "UNIFIED_AUDIT_POLICIES": "GZ_EXPORTS", "DP_BOOLEAN_PARAMETERS1": "MASTER_ONLY: FALSE"}
    job |= {"DP_TEXT_PARAMETERS1": 'MASTER TABLE: "DBA_WANG"."SYS_EXPORT_TABLE_01", JOB_TYPE: EXPORT, METADATA_JOB_MODE: TABLE'}
    scribe.session(replace(DBA_WANG, program="expdp@gzdba01 (TNS V1-V3)"), did("EXPORT", **job))
    text = "SELECT * FROM gz_main.ent_corp_reg ENT_CORP_REG"
    scribe.session(replace(DBA_WANG, program="oracle@gzdb01 (DW00)", host="gzdb01"), did("SELECT", IMPORTANT, text))


@planted("15:50", "proxy_session", account="LI_WEI")
def proxied(scribe: Scribe) -> None:
    told = {"DBPROXY_USERNAME": "MID_TIER", "PROXY_SESSIONID": 77, "AUTHENTICATION_TYPE": "(TYPE=(PROXY));"}
    scribe.session(LI_WEI, STATES, logon=told)


@planted("16:10", "identity_switched", account="CHEN_YU")
def other_role(scribe: Scribe) -> None:
    scribe.session(CHEN_YU, did("SET ROLE", text="SET ROLE gz_operations"))


@planted("16:40", "server_changed", account="DBA_WANG")
def settings(scribe: Scribe) -> None:
    scribe.session(DBA_WANG, did("ALTER SYSTEM", text="ALTER SYSTEM SET open_cursors = 5000"))


@planted("17:10", "audit_changed", account="DBA_WANG")
def audit_off(scribe: Scribe) -> None:
    scribe.session(DBA_WANG, did("NOAUDIT", "GZ_SENSITIVE", "NOAUDIT POLICY gz_sensitive", UNIFIED_AUDIT_POLICIES=None))
    scribe.session(DBA_WANG, did("AUDIT", "GZ_SENSITIVE", "AUDIT POLICY gz_sensitive", UNIFIED_AUDIT_POLICIES=None))


@planted("17:30", "audit_trail_touched", account="DBA_WANG")
def trail_cleaned(scribe: Scribe) -> None:
    text = "BEGIN dbms_audit_mgmt.clean_audit_trail(dbms_audit_mgmt.audit_trail_unified, FALSE); END;"
    scribe.session(DBA_WANG, did("EXECUTE", "SYS.DBMS_AUDIT_MGMT", text, UNIFIED_AUDIT_POLICIES=None))


@planted("17:50", "powerful_account", account="SYS")
def as_sysdba(scribe: Scribe) -> None:
    scribe.session(SYSDBA, logon={"SYSTEM_PRIVILEGE_USED": "SYSDBA"})


@planted("18:10", "drydock_account_misused", account="DRYDOCK")
def stolen_account(scribe: Scribe) -> None:
    scribe.session(replace(LOOKER, program="sqlplus.exe", host=VISITOR, os_user="guest"))
