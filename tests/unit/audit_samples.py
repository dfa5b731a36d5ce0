"""Samples of audit records, made for these tests after the shapes of real ones, each with what a reader must say.

A sample's answer lists its pieces in order: a dict is a record with at least these values, NOISE and ASIDE are pieces.
"""

# ruff: noqa: E501  (lines of logs are long)

from __future__ import annotations

from typing import Any, NamedTuple

NOISE, ASIDE = "noise", "set_aside"
TIME = "Fri Nov 20 22:15:01 2026 +08:00"


class Sample(NamedTuple):
    name: str
    data: bytes
    answer: tuple[dict[str, Any] | str, ...]


SAMPLES: list[Sample] = []


def sample(name: str, data: str | bytes, *answer: dict[str, Any] | str) -> None:
    SAMPLES.append(Sample(name, data.encode() if isinstance(data, str) else data, answer))


def sized(fields: dict[str, str], quote: str, between: str = "\n", encoding: str = "utf-8") -> str:
    """Fields with the right lengths in bytes, as Oracle writes them."""
    gap = " :" if quote == "'" else ":"
    return between.join(
        f"{n}{gap if n in ('ACTION', 'PRIVILEGE') else ':'}[{len(v.encode(encoding))}] {quote}{v}{quote}"
        for n, v in fields.items()
    )


def sys_block(action: str, **more: str) -> str:
    fields = {"ACTION": action, "DATABASE USER": "/", "PRIVILEGE": "SYSDBA", "CLIENT USER": "oracle", "CLIENT TERMINAL": "pts/3"}
    fields |= {"STATUS": "0", "DBID": "1507843210"} | {name.replace("_", " "): value for name, value in more.items()}
    body = sized(fields, "'")
    return f"{TIME}\nLENGTH : '{len(body.encode())}'\n{body}\n\n"


def standard(between: str = " ", **more: str) -> str:
    fields = {"SESSIONID": "4711", "ENTRYID": "2", "STATEMENT": "7", "USERID": "LAGER", "USERHOST": "KONTOR\\PC7", "ACTION": "3"}
    fields |= {"RETURNCODE": "0", "OS$USERID": "meier", "DBID": "1507843210"} | {n.replace("__", "$"): v for n, v in more.items()}
    body = sized(fields, '"', between)
    return f'LENGTH: "{len(body)}" {body}'


UTC_TIME = "2026-11-20T14:15:01Z"
SYS = {"format": "oracle_aud", "dialect": "sys", "account": "/", "os_user": "oracle", "terminal": "pts/3", "privilege": "SYSDBA"}
SYS |= {"event_time": UTC_TIME, "zone": "known", "return_code": "0", "succeeded": True, "database_id": "1507843210"}
BANNER = (
    "Audit file /u01/app/oracle/admin/WERK/adump/werk_ora_991_1.aud\nOracle Database 19c Enterprise Edition Release 19.0.0.0.0\n"
    "Build label:    RDBMS_19.3\nORACLE_HOME:    /u01/19c\nSystem name:    Linux\nNode name:      wdb1\nInstance name: WERK\n"
    "Redo thread mounted by this instance: 1\nOracle process number: 41\nUnix process pid: 991, image: oracle@wdb1 (TNS V1-V3)\n\n"
)
ADDRESS = "(ADDRESS=(PROTOCOL=tcp)(HOST=10.8.0.9)(PORT=50123))"
LOGON = {"action": "LOGON", "action_number": 100}
QUOTES = "select 'it''s' from t\nwhere a = 'b'\n\nand c = 'd'"
IMITATION = f"select 1 from dual'\n\n{TIME}\nLENGTH : '20'\nACTION :[7] 'CONNECT'\nDATABASE USER:[3] 'SYS'\n"

sample("aud_connect", BANNER + sys_block("CONNECT"), *[NOISE] * 11, SYS | LOGON | {"server": "wdb1", "process_id": "991"}, NOISE)
sample(
    "aud_client", sys_block("CONNECT", CLIENT_ADDRESS=ADDRESS), SYS | {"client_address": "10.8.0.9", "client_port": 50123}, NOISE
)
sample("aud_quotes_and_empty_lines", sys_block(QUOTES), SYS | {"statement": QUOTES, "action": "SELECT"}, NOISE)
sample("aud_imitated_record_inside", sys_block(IMITATION), SYS | {"statement": IMITATION.strip(), "action": "SELECT"}, NOISE)
sample("aud_crlf", sys_block(QUOTES).replace("\n", "\r\n"), SYS | {"statement": QUOTES}, NOISE)
sample("aud_no_end_of_line", sys_block("SHUTDOWN").rstrip(), SYS | {"action": "SHUTDOWN", "statement": "SHUTDOWN"})
sample("aud_chinese", sys_block("select '库存' from 表"), SYS | {"statement": "select '库存' from 表"}, NOISE)
sample(
    "aud_gb18030",
    sys_block("select '库存' from t").replace("[22]", "[20]").encode("gb18030"),
    {"encoding": "gb18030", **SYS},
    NOISE,
)
sample("aud_number", sys_block("drop table x", ACTION_NUMBER="12"), SYS | {"action": "DROP TABLE", "action_number": 12}, NOISE)
sample(
    "aud_failed",
    sys_block("CONNECT").replace("STATUS:[1] '0'", "STATUS:[4] '1017'"),
    {"return_code": "1017", "succeeded": False},
    NOISE,
)
sample("aud_wrong_lengths", sys_block(QUOTES).replace("[48]", "[999]").replace("[6]", "[3]"), SYS | {"statement": QUOTES}, NOISE)
sample(
    "aud_cut",
    sys_block(QUOTES)[:90],
    {"action": "SELECT", "account": "", "doubts": ["the last value has no end: the record is cut"]},
)
sample("aud_time_alone", f"{TIME}\nnothing of the kind\n", ASIDE, ASIDE)
sample(
    "aud_old_without_zone",
    sys_block("CONNECT").replace(" +08:00", ""),
    SYS | {"zone": "assumed", "event_time": "2026-11-20T22:15:01Z"},
    NOISE,
)
sample(
    "aud_9i",
    f"{TIME[:-7]}\nACTION: 'CONNECT'\nDATABASE USER: 'SYS'\nOSPRIV: SYSDBA\nCLIENT USER: oracle\nSTATUS: 0\n",
    {"account": "SYS"} | LOGON,
)
sample(
    "aud_standard",
    f"{TIME}\n{standard()}\n",
    {"dialect": "standard", "account": "LAGER", "action": "SELECT", "statement_id": "7"},
)
sample(
    "aud_both_dialects",
    sys_block("CONNECT")
    + f"{TIME}\n{standard(ACTION='100', COMMENT__TEXT='Authenticated by: DATABASE; Client address: ' + ADDRESS)}\n",
    SYS | LOGON,
    NOISE,
    LOGON | {"dialect": "standard", "client_address": "10.8.0.9", "client_host": "KONTOR\\PC7"},
)
sample(
    "aud_session_rec",
    f"{TIME}\n{standard(ACTION='103', SES__ACTIONS='---------S------')}",
    {"action": "SESSION REC", "session_actions": "---------S------"},
)
sample(
    "aud_privilege",
    f"{TIME}\n{standard(PRIV__USED='47', OBJ__CREATOR='HR', OBJ__NAME='LOHN')}",
    {"privilege": "SELECT ANY TABLE", "object_schema": "HR"},
)
sample(
    "aud_password", sys_block('alter user "A" identified by "geheim"'), {"statement": 'alter user "A" identified by ***'}, NOISE
)

AT = "Nov 20 22:15:01"
ASSUMED = {"event_time": "2026-11-20T22:15:01Z", "zone": "assumed", "year_assumed": True, "format": "oracle_syslog"}
UNIFIED = (
    'LENGTH: \'200\' TYPE:"4" DBID:"77" SESID:"88" CLIENTID:"" ENTRYID:"3" STMTID:"9" DBUSER:"LAGER" CURUSER:"LAGER" '
    'ACTION:"12" RETCODE:"942" SCHEMA:"HR" OBJNAME:"LOHN" PDB_GUID:"B3316DF8"'
)
sample(
    "syslog_3164",
    f"<142>{AT} wdb1 Oracle Audit[991]: {standard()}",
    ASSUMED | {"server": "wdb1", "process_id": "991", "account": "LAGER"},
)
sample("syslog_solaris", f"{AT} wdb1 Oracle Audit[991]: [ID 748625 local7.warning] {standard()}", ASSUMED | {"server": "wdb1"})
sample(
    "syslog_sys",
    f"{AT} wdb1 Oracle Audit[991]: LENGTH : '9' {sized({'ACTION': 'CONNECT', 'DATABASE USER': '/'}, chr(39), ' ')}",
    LOGON | {"dialect": "sys"},
)
sample(
    "syslog_unified",
    f"{AT} wdb1 journal: Oracle Unified Audit[991]: {UNIFIED}",
    ASSUMED | {"dialect": "unified", "action": "DROP TABLE", "return_code": "942", "object_name": "LOHN", "statement": ""},
)
sample(
    "syslog_5424",
    f"<134>1 2026-11-20T22:15:01.5+08:00 wdb1 Oracle 991 - - Oracle Unified Audit[991]: {UNIFIED}",
    {"event_time": "2026-11-20T14:15:01.500000Z", "zone": "known"},
)
sample(
    "syslog_forwarded", f"<142>{AT} Message forwarded from wdb1: Oracle Audit[991]: {standard()}", ASSUMED | {"server": "wdb1"}
)
sample(
    "syslog_two_clocks",
    f"Nov 20 22:15:09 relay {AT} wdb1 Oracle Audit[991]: {standard()}",
    ASSUMED | {"received_time": "2026-11-20T22:15:09Z"},
)
sample("syslog_other_program", f"{AT} wdb1 sshd[5]: session opened\n", NOISE)
sample(
    "syslog_value_over_lines",
    f"{AT} wdb1 Oracle Audit[991]: {standard(USERID='BO' + chr(10) + AT + ' wdb1 Oracle Audit[1]: x')}",
    {"account": f"BO\n{AT} wdb1 Oracle Audit[1]: x", "lines": 2},
)
sample(
    "syslog_cut",
    f"{AT} wdb1 Oracle Audit[991]: {standard()[:90]}\n{AT} wdb1 Oracle Audit[991]: {standard()}",
    {"session_id": "4711"},
    {"account": "LAGER"},
)
sample(
    "syslog_leap_day",
    f"Feb 29 10:00:00 wdb1 Oracle Audit[9]: {standard()}",
    {"event_time": "2024-02-29T10:00:00Z", "year_assumed": True},
)

XML_HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n  <Audit xmlns="http://xmlns.oracle.com/oracleas/schema/dbserver_audittrail-11_2.xsd"\n'
    '   xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">\n   <Version>11.2</Version>\n'
)
XML = (
    "<AuditRecord><Audit_Type>1</Audit_Type><Session_Id>5</Session_Id><StatementId>8</StatementId><EntryId>2</EntryId>"
    "<Extended_Timestamp>2026-11-20T14:15:01.25Z</Extended_Timestamp><DB_User>LAGER</DB_User><OS_User>meier</OS_User>"
    "<Userhost>PC7</Userhost><Object_Schema>HR</Object_Schema><Object_Name>LOHN</Object_Name><Action>6</Action>"
    "<Returncode>1031</Returncode><Sql_Bind> #1(1):9</Sql_Bind>\n<Sql_Text>update lohn set a = &apos;x&apos;\nwhere b &lt; 2</Sql_Text>\n</AuditRecord>\n"
)
XML_SAYS = {
    "format": "oracle_xml",
    "account": "LAGER",
    "action": "UPDATE",
    "return_code": "1031",
    "binds_present": True,
    "zone": "known",
}
XML_SAYS |= {"statement": "update lohn set a = 'x'\nwhere b < 2", "event_time": "2026-11-20T14:15:01.250000Z", "kind": "Standard"}
XML_SYS = "<AuditRecord><Audit_Type>4</Audit_Type><Extended_Timestamp>2026-11-20T14:15:01Z</Extended_Timestamp><DB_User>/</DB_User><Sql_Text>alter system flush shared_pool</Sql_Text></AuditRecord>\n"
sample("xml", XML_HEAD + XML + "</Audit>\n", *[NOISE] * 4, XML_SAYS | {"lines": 4}, NOISE)
sample("xml_bare", XML, XML_SAYS)
sample("xml_sys_without_action", XML_SYS, {"dialect": "sys", "action": "ALTER SYSTEM", "account": "/"})
sample(
    "xml_prefix_and_one_line",
    XML.replace("<", "<a:").replace("<a:/", "</a:").replace("\n", " "),
    {"account": "LAGER", "lines": 1},
)
sample("xml_two_on_a_line", XML_SYS.strip() + XML_SYS, {"lines": 1}, {"lines": 0, "action": "ALTER SYSTEM"})
sample("xml_still_written", XML + XML[:200], XML_SAYS, ASIDE)
sample("xml_cut_in_the_middle", XML[:200] + "\n" + XML, ASIDE, XML_SAYS)
sample("xml_invalid_characters", XML.replace("meier", "me\x00ier\x07").encode() + b"", {"os_user": "me\x00ier\x07"})
sample(
    "xml_fga",
    XML.replace("<Audit_Type>1", "<Audit_Type>2").replace(
        "<Action>6</Action>", "<Policy_Name>P_LOHN</Policy_Name><Stmt_Type>4</Stmt_Type>"
    ),
    {"dialect": "fga", "action": "UPDATE", "policies": ["P_LOHN"]},
)

HEAD = "EVENT_TIMESTAMP_UTC,DBUSERNAME,CURRENT_USER,OS_USERNAME,USERHOST,CLIENT_PROGRAM_NAME,ACTION_NAME,RETURN_CODE,OBJECT_SCHEMA,OBJECT_NAME,SQL_TEXT,SQL_BINDS,UNIFIED_AUDIT_POLICIES,AUTHENTICATION_TYPE\n"
ROW = f'2026-11-20 14:15:01.123456,LAGER,LAGER,meier,PC7,sqlplus.exe,SELECT,0,HR,LOHN,"select ""A"",\n b from lohn","#1(1):9","P1, P2",(TYPE=(DATABASE));(CLIENT ADDRESS=({ADDRESS}))\n'
CSV_SAYS = {
    "format": "oracle_csv",
    "dialect": "unified",
    "account": "LAGER",
    "program": "sqlplus.exe",
    "zone": "known",
    "lines": 2,
}
CSV_SAYS |= {
    "statement": 'select "A",\n b from lohn',
    "binds_present": True,
    "policies": ["P1", "P2"],
    "client_address": "10.8.0.9",
}
sample("csv_unified", HEAD + ROW, NOISE, CSV_SAYS)
sample(
    "csv_lower_case_semicolons_mark",
    ("\ufeff" + HEAD.lower().replace(",", ";") + "20-NOV-26 02.15.01 PM;L;L;m;P;x;GRANT;1031;;;;;;\n"),
    NOISE,
    {"action": "GRANT", "return_code": "1031", "event_time": UTC_TIME},
)
sample("csv_utf16", (HEAD + ROW).encode("utf-16"), NOISE, CSV_SAYS)
sample(
    "csv_header_again_and_foot", HEAD + ROW + HEAD + ROW + "\n2 rows selected.\n", NOISE, CSV_SAYS, NOISE, CSV_SAYS, NOISE, NOISE
)
sample(
    "csv_header_inside_a_value", HEAD + ROW.replace(" b from", HEAD.strip() + " from"), NOISE, {"lines": 2, "account": "LAGER"}
)
sample("csv_wrong_width", HEAD + "a,b\n" + ROW, NOISE, ASIDE, CSV_SAYS)
sample("csv_open_quote", HEAD + '2026-11-20 14:15:01,"LAGER\nx,y\n', NOISE, ASIDE, ASIDE)
sample(
    "csv_traditional",
    "OS_USERNAME,USERNAME,USERHOST,TERMINAL,TIMESTAMP,OWNER,OBJ_NAME,ACTION,ACTION_NAME,RETURNCODE,PRIV_USED\nmeier,LAGER,PC7,pts/1,20.11.2026 22:15:01,HR,LOHN,3,SELECT,0,SELECT ANY TABLE\n",
    NOISE,
    {"dialect": "dba_audit_trail", "privilege": "SELECT ANY TABLE", "zone": "assumed", "event_time": "2026-11-20T22:15:01Z"},
)
sample(
    "csv_fga",
    "DB_USER,OS_USER,USERHOST,EXTENDED_TIMESTAMP,OBJECT_SCHEMA,OBJECT_NAME,POLICY_NAME,STATEMENT_TYPE,SQL_TEXT,SQL_BIND\nLAGER,m,PC7,20-NOV-26 10.15.01.5 PM +08:00,HR,LOHN,P_LOHN,SELECT,select 1,\n",
    NOISE,
    {"dialect": "fga", "policies": ["P_LOHN"], "binds_present": False, "event_time": "2026-11-20T14:15:01.500000Z"},
)
sample(
    "csv_chinese_months",
    "EVENT_TIMESTAMP,DBUSERNAME,ACTION_NAME,RETURN_CODE\n20-11月-26 10.15.01.5 下午 +08:00,L,LOGON,28000\n".encode("gb18030"),
    NOISE,
    LOGON | {"event_time": "2026-11-20T14:15:01.500000Z", "return_code": "28000"},
)
sample(
    "csv_two_headers",
    HEAD + ROW + "时间,用户名,客户端IP,操作类型,结果\n2026/11/20 22:15:01,bo,10.8.0.9,查询,失败\n",
    NOISE,
    CSV_SAYS,
    NOISE,
    {"action": "SELECT", "succeeded": False, "account": "bo"},
)
ZH = "发生时间,数据库账号,操作系统用户,客户端IP,客户端主机名,客户端程序,服务端IP,操作类型,对象名,SQL语句,执行结果,影响行数\n"
ZH_ROW = "2026-11-20 22:15:01,lager,meier,10.8.0.9,PC7,plsqldev.exe,10.8.0.1,删除,HR.LOHN,delete from lohn,失败,0\n"
ZH_SAYS = {
    "source": "数据库审计系统",
    "action": "DELETE",
    "succeeded": False,
    "event_time": UTC_TIME,
    "object_schema": "HR",
    "rows": 0,
}
sample("product_mapped", (ZH + ZH_ROW).encode("gb18030"), NOISE, ZH_SAYS | {"encoding": "gb18030"})
sample("product_noise", ZH + ZH_ROW.replace("删除", "心跳") + ZH_ROW, NOISE, NOISE, ZH_SAYS)
SIEM = "EventTime,ReceiptTime,DeviceHost,SourceUserName,SourceAddress,EventName,EventOutcome,EventMessage,RawMessage\n"
sample(
    "siem_two_clocks",
    SIEM + "2026-11-20 14:15:01,2026-11-20 14:15:09,wdb1,LAGER,10.8.0.9,LOGON,Failure,x,\n",
    NOISE,
    LOGON | {"event_time": UTC_TIME, "received_time": "2026-11-20T14:15:09Z", "succeeded": False},
)
sample(
    "siem_raw_and_noise",
    SIEM
    + f',2026-11-20 14:15:09,w,,,Heartbeat,,,\n,2026-11-20 14:15:09,w,,,x,,,"{(AT + " wdb1 Oracle Audit[991]: " + standard()).replace(chr(34), chr(34) * 2)}"\n',
    NOISE,
    NOISE,
    ASSUMED | {"received_time": "2026-11-20T14:15:09Z", "account": "LAGER"},
)

TAIL = '"psql","client backend",,0'
PG = '2026-11-20 14:15:01.123 UTC,"app","shop",123,"10.8.0.9:50123",6560.1,3,"{tag}",2026-11-20 14:00:00 UTC,3/4,0,{severity},{state},{message},{detail},,,,,{query},,,{tail}\n'


def pg(
    message: str,
    tag: str = "SELECT",
    severity: str = "LOG",
    state: str = "00000",
    detail: str = "",
    query: str = "",
    tail: str = TAIL,
) -> str:
    def quoted(text: str) -> str:
        return '"' + text.replace('"', '""') + '"' if text else ""

    values = {"tag": tag, "severity": severity, "state": state, "message": quoted(message), "tail": tail}
    return PG.format(**values, detail=quoted(detail), query=quoted(query))


WHO = {"format": "postgres_csvlog", "account": "app", "database": "shop", "client_address": "10.8.0.9", "client_port": 50123}
AUDIT = 'AUDIT: SESSION,4,2,READ,SELECT,TABLE,public.lohn,"select ""A"", b\nfrom lohn",<none>'
AUDIT_SAYS = {
    "dialect": "pgaudit",
    "kind": "READ",
    "action": "SELECT",
    "object_schema": "public",
    "object_name": "lohn",
    "statement_id": "4",
}
AUDIT_SAYS |= {"statement": 'select "A", b\nfrom lohn', "entry_id": "2", "binds_present": False}
PLAN = '{"Query Text": "delete from lohn", "Plan": {"Node Type": "ModifyTable", "Operation": "Delete", "Relation Name": "lohn", "Schema": "hr", "Plans": [{"Node Type": "Seq Scan", "Relation Name": "bonus", "Schema": "hr"}]}}'
sample("csvlog_pgaudit", pg(AUDIT), WHO | AUDIT_SAYS | {"lines": 2, "program": "psql"})
sample("csvlog_pgaudit_rows", pg(AUDIT.replace("<none>", '"1,2",17')), WHO | AUDIT_SAYS | {"rows": 17, "binds_present": True})
sample("csvlog_13", pg(AUDIT, tail='"psql","client backend"'), WHO | AUDIT_SAYS)
sample("csvlog_9", pg(AUDIT, tail='"psql"'), WHO | AUDIT_SAYS)
sample("csvlog_8", pg(AUDIT, tail="x").replace(",x\n", "\n"), WHO | AUDIT_SAYS | {"program": ""})
sample(
    "csvlog_denied",
    pg("permission denied for table lohn", severity="ERROR", state="42501", query="select * from lohn"),
    WHO | {"return_code": "42501", "succeeded": False, "action": "SELECT", "statement": "select * from lohn"},
)
sample(
    "csvlog_cancelled",
    pg("canceling statement due to user request", severity="ERROR", state="57014", query="select 1"),
    {"return_code": "57014"},
)
sample(
    "csvlog_logon_failed",
    pg('password authentication failed for user "app"', tag="authentication", severity="FATAL", state="28P01"),
    {"action": "LOGON", "return_code": "28P01"},
)
sample(
    "csvlog_plan",
    pg(f"duration: 1.5 ms  plan:\n{PLAN}", tag="DELETE"),
    {
        "dialect": "auto_explain",
        "objects": ["hr.lohn", "hr.bonus"],
        "object_name": "lohn",
        "duration_ms": 1.5,
        "action": "DELETE",
    },
)
sample(
    "csvlog_plan_inside_a_function",
    pg(f"duration: 1.5 ms  plan:\n{PLAN}", tag="SELECT"),
    {"dialect": "auto_explain", "object_name": "lohn", "action": "DELETE"},
)
READING = '{"Query Text": "select 1 from only lohn for key share", "Plan": {"Node Type": "Seq Scan", "Relation Name": "lohn"}}'
sample(
    "csvlog_plan_of_a_check",
    pg(f"duration: 0.1 ms  plan:\n{READING}", tag="DELETE"),
    {"dialect": "auto_explain", "object_name": "lohn", "action": "SELECT"},
)
TEXT_PLAN = (
    "Query Text: with d as (delete from lohn returning a) select 1\nCTE Scan on d\n  ->  Delete on lohn  (cost=0.00..1.00 rows=0)"
)
sample(
    "csvlog_plan_as_text_with_a_change",
    pg(f"duration: 0.1 ms  plan:\n{TEXT_PLAN}", tag="SELECT"),
    {"dialect": "auto_explain", "action": "DELETE"},
)
sample(
    "csvlog_statement",
    pg("duration: 2.5 ms  execute S_1: update lohn set a = $1", tag="UPDATE", detail="parameters: $1 = '9'"),
    {"dialect": "log_statement", "binds_present": True, "statement": "update lohn set a = $1"},
)
sample("csvlog_checkpoint", pg("checkpoint starting: time"), NOISE)
sample("csvlog_cut", pg(AUDIT)[:150], ASIDE)
sample(
    "csvlog_name_with_a_line_end",
    pg(AUDIT).replace('"app"', f'"bo\n{pg("x").replace(chr(34), chr(34) * 2).strip()}"'),
    {"lines": 3, **AUDIT_SAYS},
)
JSON = '{"timestamp":"2026-11-20 22:15:01.123 CST","user":"app","dbname":"shop","pid":123,"remote_host":"10.8.0.9","remote_port":50123,"session_id":"65.1","error_severity":"%s","state_code":"%s","message":"%s","backend_type":"client backend"}\n'
sample(
    "jsonlog_pgaudit",
    JSON % ("LOG", "00000", 'AUDIT: OBJECT,1,1,WRITE,UPDATE,TABLE,hr.lohn,\\"update lohn\\nset a = 1\\",<not logged>'),
    {
        "format": "postgres_jsonlog",
        "object_schema": "hr",
        "statement": "update lohn\nset a = 1",
        "binds_present": None,
        "zone": "assumed",
        "policies": ["OBJECT"],
    },
)
sample(
    "jsonlog_half_a_pair",
    JSON % ("ERROR", "42601", "syntax error at \\ud800"),
    {"return_code": "42601", "comment": "syntax error at ?"},
)
sample("jsonlog_cut", (JSON % ("LOG", "00000", "x"))[:80], ASIDE)
BADGER = "2026-11-20 22:15:01 +08 [77]: [3-1] user=app,db=shop,app=psql,client=10.8.0.9 "
sample(
    "stderr_badger",
    f"{BADGER}ERROR:  permission denied for table lohn\n{BADGER}STATEMENT:  select *\n\tfrom lohn\n",
    {
        "format": "postgres_stderr",
        "return_code": "42501",
        "statement": "select *\nfrom lohn",
        "event_time": UTC_TIME,
        "lines": 3,
        "account": "app",
        "program": "psql",
    },
)
sample(
    "stderr_debian",
    f"2026-11-20 14:15:01.123 UTC [77] app@shop LOG:  {AUDIT}".replace("\n", "\n\t"),
    AUDIT_SAYS | {"account": "app", "database": "shop", "process_id": "77", "lines": 2},
)
sample(
    "stderr_rds",
    f"2026-11-20 14:15:01 UTC:10.8.0.9(50123):app@shop:[77]:LOG:  {AUDIT}".replace("\n", "\n\t"),
    AUDIT_SAYS | {"client_address": "10.8.0.9", "account": "app"},
)
sample(
    "stderr_sqlstate",
    '2026-11-20 14:15:01 UTC [77] ERROR:  42P01: relation "x" does not exist\n',
    {"return_code": "42P01", "doubts": []},
)
sample(
    "stderr_session",
    '2026-11-20 14:15:01 UTC [77] LOG:  connection received: host=10.8.0.9 port=50123\n2026-11-20 14:15:01 UTC [77] LOG:  connection authenticated: identity="cn=bo" method=cert (x)\n2026-11-20 14:15:01 UTC [77] bo@shop LOG:  disconnection: session time: 1:00:01.500 user=bo database=shop host=10.8.0.9 port=50123\n',
    {"action": "CONNECTION"},
    {"action": "AUTHENTICATE", "external_user": "cn=bo", "authentication": "cert"},
    {"action": "LOGOFF", "duration_ms": 3601500.0, "account": "bo"},
)
sample(
    "stderr_name_with_a_line_end",
    "2026-11-20 14:15:01 UTC [1] evil\n2026-11-20 14:15:01 UTC [2] bo@shop LOG:  AUDIT: SESSION,1,1,DDL,DROP TABLE,TABLE,x,drop table x,<none>\n",
    ASIDE,
    {"action": "DROP TABLE", "doubts": ["follows a line that breaks off: it may be written by a name that holds a line end"]},
)
sample(
    "stderr_chinese",
    "2026-11-20 22:15:01.123 +08 [77] app@shop 错误:  对表 lohn 权限不够\n2026-11-20 22:15:01.123 +08 [77] app@shop 语句:  select 1\n",
    {"return_code": "42501", "statement": "select 1"},
)
sample(
    "stderr_password",
    "2026-11-20 14:15:01 UTC [77] app@shop LOG:  statement: create role bo password 'geheim'\n",
    {"statement": "create role bo password ***"},
)
sample(
    "syslog_postgres",
    f"{AT} wdb1 postgres[77]: [5-1] app@shop LOG:  statement: select 1\n{AT} wdb1 postgres[77]: [5-2] #011from lohn\n",
    {"format": "postgres_syslog", "statement": "select 1\nfrom lohn", "server": "wdb1", "lines": 2},
)

sample(
    "json_rows",
    '{"EVENT_TIMESTAMP_UTC":"2026-11-20T14:15:01","DBUSERNAME":"LAGER","ACTION_NAME":"DROP TABLE","RETURN_CODE":0}\n{"a":1}\n',
    {"format": "oracle_json", "action": "DROP TABLE", "event_time": UTC_TIME, "zone": "known"},
    ASIDE,
)
sample(
    "json_array_over_lines",
    '[\n{\n "ts": 1795184101,\n "user": "bo",\n "sql": "select 1"\n},\n]\n',
    NOISE,
    {"account": "bo", "lines": 5, "event_time": UTC_TIME},
    NOISE,
)
sample(
    "json_envelope",
    f'{{"@timestamp":"2026-11-20T14:15:09Z","message":"{AT} wdb1 Oracle Audit[991]: {standard().replace(chr(92), chr(92) * 2).replace(chr(34), chr(92) + chr(34))}"}}\n',
    ASSUMED | {"account": "LAGER", "received_time": "2026-11-20T14:15:09Z"},
)
sample("spillover", b"ANG Spillover Audit File\0\0ORAAUDNG\n\xff\0\x01\n\x02", ASIDE)
sample("nothing_known", "hello\n\n\0\0\n", ASIDE, NOISE, NOISE)
sample(
    "several_formats",
    sys_block("CONNECT") + XML + pg("checkpoint") + HEAD + ROW + f"{AT} wdb1 Oracle Audit[991]: {standard()}\n",
    SYS,
    NOISE,
    XML_SAYS,
    NOISE,
    NOISE,
    CSV_SAYS,
    {"format": "oracle_syslog"},
)

CNPG = '{"level":"info","logger":"pgaudit","msg":"record","record":{"log_time":"2026-11-20 14:15:01.123 UTC","user_name":"app","database_name":"shop","process_id":"77","connection_from":"10.8.0.9:50123","error_severity":"LOG","sql_state_code":"00000","audit":{"audit_type":"SESSION","statement_id":"4","substatement_id":"1","class":"READ","command":"SELECT","object_type":"TABLE","object_name":"hr.lohn","statement":"select \\"a\\",\\nb","parameter":"<none>"}}}\n'
sample(
    "json_of_a_kubernetes_operator",
    CNPG,
    {
        "format": "postgres_jsonlog",
        "dialect": "pgaudit",
        "statement": 'select "a",\nb',
        "object_schema": "hr",
        "client_port": 50123,
    },
)
sample(
    "json_without_a_time_inside",
    '{"event_message":"AUDIT: SESSION,1,1,READ,SELECT,TABLE,hr.lohn,select 1 from lohn,<none>","timestamp":"2026-11-20T14:15:01Z","user_name":"bo","database_name":"shop"}\n',
    {"account": "bo", "database": "shop", "event_time": UTC_TIME, "zone": "known"},
)
sample(
    "json_of_a_container",
    '{"log":"2026-11-20 14:15:01 UTC LOG:  AUDIT: SESSION,1,1,READ,SELECT,,,\\"select a, \\n","stream":"stderr"}\n{"log":"\\tb\\",<not logged>\\n","stream":"stderr"}\n',
    {"statement": "select a, \nb", "lines": 2},
)
sample(
    "stderr_of_compose",
    "db-1  | 2026-11-20 14:15:01 UTC [77] LOG:  AUDIT: SESSION,1,1,MISC,SET,,,set x = 1,<none>\n",
    {"action": "SET", "event_time": UTC_TIME, "process_id": "77"},
)
sample(
    "stderr_without_tabs",
    "2026-11-20 14:15:01 UTC [77] LOG:  AUDIT: SESSION,1,1,DDL,CREATE TABLE,TABLE,hr.b,create table b\n(\nx int,\ny int);,<none>\nother\n",
    {"action": "CREATE TABLE", "lines": 4, "object_name": "b"},
    ASIDE,
)
sample(
    "stderr_without_severity",
    "2026-11-20 14:15:01 UTC [77]: user=app,db=shop,client= AUDIT: SESSION,1,1,WRITE,INSERT,TABLE,hr.b,insert,<none>\n",
    {"action": "INSERT", "account": "app"},
)
sample(
    "stderr_pipes",
    "2026-11-20 14:15:01 UTC|app|shop|5c7404eb.d6bd|LOG:  statement: select 1\n",
    {"account": "app", "database": "shop", "session_id": "5c7404eb.d6bd"},
)
sample("aud_zone_backwards", sys_block("CONNECT").replace("+08:00", "08:00+"), SYS | LOGON, NOISE)
sample(
    "aud_text_behind_the_last_field",
    sys_block("CONNECT").replace("'1507843210'", "'1507843210' and more"),
    {"doubts": ["1 lengths do not agree with their values", "the last value has no end: the record is cut"]},
    NOISE,
)
sample(
    "cloud_csv_of_two_columns",
    'timestamp,message\n1795184101000,"2026-11-20 14:15:01 UTC:10.8.0.9(50123):app@shop:[77]:LOG:  statement: drop table x"\n1795184101000,"2026-11-20 14:15:01 UTC::@:[7]:LOG:  checkpoint starting"\n',
    NOISE,
    {"action": "DROP TABLE", "account": "app", "client_address": "10.8.0.9"},
    NOISE,
)
sample(
    "csv_fields_without_a_name_here",
    HEAD.replace("OBJECT_NAME", "DP_TEXT_PARAMETERS1") + "2026-11-20 14:15:01,L,L,m,P,expdp,EXPORT,0,HR,MASTER TABLE,,,,\n",
    NOISE,
    {"extra": {"DP_TEXT_PARAMETERS1": "MASTER TABLE"}, "action": "EXPORT"},
)
sample(
    "syslog_10g_without_lengths",
    f"{AT} wdb1 Oracle Audit[991]: ACTION : 'CONNECT' DATABASE USER: '/' PRIVILEGE : SYSDBA CLIENT USER: oracle CLIENT TERMINAL: pts/3 STATUS: 0",
    LOGON | {"account": "/", "privilege": "SYSDBA", "os_user": "oracle", "terminal": "pts/3", "return_code": "0"},
)
sample(
    "csv_of_a_spreadsheet",
    "sep=;\nSQL> select\n" + HEAD.replace(",", ";") + "20-NOV-26 02.15.01 PM;L;L;m;P;x;GRANT;1031;;;;;;\n",
    NOISE,
    NOISE,
    NOISE,
    {"action": "GRANT"},
)
sample(
    "json_behind_a_time",
    "2026-11-20T14:15:02.5Z " + CNPG,
    {"dialect": "pgaudit", "account": "app", "event_time": "2026-11-20T14:15:01.123000Z"},
)
sample("json_chatter", '{"level":"info","logger":"instance-manager","msg":"Starting EventSource"}\n', NOISE)
sample(
    "stderr_state_in_the_prefix",
    '2026-11-20 14:15:01 UTC [77] app@shop/psql 10.8.0.9 42P01 ERROR:  relation "x" does not exist\n',
    {"database": "shop", "program": "psql", "return_code": "42P01", "doubts": []},
)
sample(
    "stderr_refused_by_hba",
    '2026-11-20 14:15:01 UTC [77] FATAL:  no pg_hba.conf entry for host "10.8.0.9", user "bo", database "shop", SSL off\n',
    {"action": "LOGON", "return_code": "28000", "account": "bo", "client_address": "10.8.0.9"},
)
sample(
    "stderr_statement_alone",
    "2026-11-20 14:15:01 UTC [77] STATEMENT:  select 1\n2026-11-20 14:15:01 UTC [77] HINT:  x\n",
    ASIDE,
    NOISE,
)
