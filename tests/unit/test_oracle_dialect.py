"""Each piece of Oracle's SQL that the simulator's engine understands: planted rows, answers known by hand.

The planted world: three tablespaces (one without files) and five datafiles, one without a size and one without a name.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from sandbox.oracle.backend import Bind, Lob, OracleError, OraType
from sandbox.oracle.model.database import Account, Clock, OracleDatabase
from sandbox.oracle.model.tables import TableColumn, UniqueKey, tables_of
from sandbox.oracle.sessions import DatabaseAccounts, SqlBackend
from sandbox.oracle.sql.lexer import scan
from tests.oracle.sample_binds import SAMPLES

NOW = datetime(2026, 3, 31, 4, 30, 15, tzinfo=UTC)
SYSDATE = datetime(2026, 3, 31, 12, 30, 15)  # the host stands in Shanghai
JAN, FEB = datetime(2026, 1, 31, 6), datetime(2026, 2, 10, 18, 45, 30)
FILES = [
    (1, "SYSTEM01", 1, 1000, JAN, Decimal("1.5")),
    (2, "USERS01", 2, 3000, FEB, Decimal("2.5")),
    (3, "USERS02", 2, None, FEB, None),
    (4, None, 2, 3000, SYSDATE, Decimal("-0.25")),
    (5, "50%_x", 9, 10**20, None, Decimal(4)),
]


def columns(*parts: tuple[str, OraType]) -> list[TableColumn]:
    return [TableColumn(name, kind, 40 if kind is OraType.VARCHAR2 else 4000) for name, kind in parts]


class Stopped(Clock):
    """A clock that stands, so that what hangs on SYSDATE is known to the second."""

    def now(self) -> datetime:
        return NOW + self.offset


def planted() -> OracleDatabase:
    database = OracleDatabase("SIM", 42, clock=Stopped())
    database.accounts["DBA1"] = Account(
        "DBA1", "x", {"CREATE SESSION", "SELECT V_$SESSION", "SELECT DBA_TAB_COLUMNS", "SELECT GV_$INSTANCE"}
    )
    tables = tables_of(database)
    number, text = OraType.NUMBER, OraType.VARCHAR2
    files = [("FILE#", number), ("NAME", text), ("TS#", number), ("BYTES", number), ("MADE", OraType.DATE), ("LOAD", number)]
    tables.create("DBA1", "FILES", columns(*files), keys=(UniqueKey("FILES_PK", ("FILE#",), True),)).plant(FILES)
    tables.create("DBA1", "SPACES", columns(("TS#", number), ("NAME", text))).plant([(1, "SYSTEM"), (2, "USERS"), (3, "EMPTY")])
    odd = [
        ("n", number),
        ("DSCN-B", number),
        ("BODY", OraType.LONG),
        ("DOC", OraType.CLOB),
        ("SEEN", OraType.TIMESTAMP_TZ),
        ("ID", OraType.RAW),
    ]
    odd_row = (7, 8, "long text", Lob("a document"), datetime(2026, 3, 1, 12, tzinfo=UTC), b"\x0a\xff")
    tables.create("DBA1", "ODD", [*columns(*odd), TableColumn("TOOK", OraType.INTERVAL_DS)]).plant(
        [(*odd_row, timedelta(days=1, hours=2))]
    )
    return database


@pytest.fixture(scope="module")
def backend() -> SqlBackend:
    return DatabaseAccounts(planted()).open_session("DBA1", "SIM", {"program": "test", "machine": "here"})[0]


def bind(value: Any) -> Bind:
    kinds = {int: OraType.NUMBER, Decimal: OraType.NUMBER, datetime: OraType.DATE}
    return Bind(kinds.get(type(value), OraType.VARCHAR2), value)


def rows(backend: SqlBackend, sql: str, *values: Any) -> list[tuple[Any, ...]]:
    return list(backend.execute(sql, [bind(v) for v in values]).rows)


def one(backend: SqlBackend, expression: str, *values: Any) -> Any:
    [(value,)] = rows(backend, f"SELECT {expression} FROM dual", *values)
    return value


EXPRESSIONS: list[tuple[str, Any]] = [
    ("1/3", Decimal("0.333333333333333333")),
    ("10/4", Decimal("2.5")),
    ("-7/2", Decimal("-3.5")),
    ("2/0.5", 4),
    ("0.1*0.2", Decimal("0.02")),
    ("123456789012*0.95", Decimal("117283949561.4")),
    ("281474976710656*1000", 281474976710656000),
    ("1e3+.5", Decimal("1000.5")),
    ("mod(-7,3)", -1),
    ("mod(7,0)", 7),
    ("trunc(-1.57,1)", Decimal("-1.5")),
    ("trunc(1557,-2)", 1500),
    ("round(2.5)", 3),
    ("round(-2.5)", -3),
    ("round(1234.567,2)", Decimal("1234.57")),
    ("round(155,-1)", 160),
    ("ceil(1.1)", 2),
    ("floor(-1.1)", -2),
    ("abs(-3.5)", Decimal("3.5")),
    ("sign(-9)", -1),
    ("power(2,10)", 1024),
    ("power(2,-1)", Decimal("0.5")),
    ("greatest(1,2.5,2)", Decimal("2.5")),
    ("greatest(1,null)", None),
    ("least('b','a')", "a"),
    ("''", None),
    ("'a'||''||'b'", "ab"),
    ("''||null", None),
    ("1||'x'||2.50", "1x2.5"),
    ("nvl('','gone')", "gone"),
    ("nvl2('','there','gone')", "gone"),
    ("coalesce(null,'',  'third')", "third"),
    ("nullif(1,1)", None),
    ("decode(null,null,'same','other')", "same"),
    ("decode('','x',1,null,2,3)", 2),
    ("decode(5,1,'one',2,'two')", None),
    ("case when ''='' then 1 else 0 end", 0),
    ("case 2 when 1 then 'a' when 2 then 'b' end", "b"),
    ("substr('abcdef',0,2)", "ab"),
    ("substr('abcdef',2)", "bcdef"),
    ("substr('abcdef',-3,2)", "de"),
    ("substr('abc',-5)", None),
    ("substr('abc',2,0)", None),
    ("instr('banana','an')", 2),
    ("instr('banana','a',-1)", 6),
    ("instr('banana','a',-1,2)", 4),
    ("instr('banana','a',3,2)", 6),
    ("instr('banana','z')", 0),
    ("length('')", None),
    ("length('数据')", 2),
    ("lengthb('数据')", 6),
    ("upper('abc')||lower('DEF')", "ABCdef"),
    ("initcap('hello wORLD')", "Hello World"),
    ("lpad('7',3,'0')", "007"),
    ("rpad('abcd',2)", "ab"),
    ("ltrim('  x ')||'|'", "x |"),
    ("rtrim('xyy','y')", "x"),
    ("trim('  x ')", "x"),
    ("trim(leading '0' from '0070')", "70"),
    ("trim('   ')", None),
    ("replace('abcb','b')", "ac"),
    ("replace('abc','')", "abc"),
    ("translate('abc','ab','x')", "xc"),
    ("chr(65)||ascii('a')", "A97"),
    ("regexp_replace('a1b22','[0-9]+','#')", "a#b#"),
    ("regexp_substr('ab12','[0-9]+')", "12"),
    ("q'[it's]'", "it's"),
    ("'it''s'", "it's"),
    ("to_char(0.5)", ".5"),
    ("to_char(-0.5)", "-.5"),
    ("to_char(1234.5,'9,999.99')", " 1,234.50"),
    ("to_char(1234567,'FM999,999,999')", "1,234,567"),
    ("to_char(-5,'990')", "  -5"),
    ("to_char(12345,'999')", "####"),
    ("to_char(7,'FM000')", "007"),
    ("to_char(0.5,'FM990.09')", "0.5"),
    ("to_number('12.50')", Decimal("12.5")),
    ("to_number('1,234','9,999')", 1234),
    ("'5'+1", 6),
    ("to_char(sysdate,'YYYY-MM-DD HH24:MI:SS')", "2026-03-31 12:30:15"),
    ("to_char(sysdate,'DD-Mon-RR FMMonth Q D DDD IW WW J SSSSS')", "31-Mar-26 March 1 3 90 14 13 2461131 45015"),
    ("to_char(sysdate,'HH:MI AM \"o''clock\"')", "12:30 PM o'clock"),
    ("to_char(sysdate,'DAY')||'|'", "TUESDAY  |"),
    ("to_char(systimestamp,'YYYY-MM-DD HH24:MI TZH:TZM')", "2026-03-31 12:30 +08:00"),
    ("to_date('2026-02-28 23:59','YYYY-MM-DD HH24:MI')", datetime(2026, 2, 28, 23, 59)),
    ("to_date('28-FEB-26','DD-MON-RR')", datetime(2026, 2, 28)),
    ("to_date('98','RR')", datetime(1998, 3, 1)),
    ("to_date('10:30','HH24:MI')", datetime(2026, 3, 1, 10, 30)),
    ("to_date('20260228T101112','YYYYMMDD\"T\"HH24MISS')", datetime(2026, 2, 28, 10, 11, 12)),
    ("to_timestamp('2026-01-01 00:00:00.25','YYYY-MM-DD HH24:MI:SS.FF')", datetime(2026, 1, 1, 0, 0, 0, 250000)),
    ("date '2026-01-31'", datetime(2026, 1, 31)),
    ("sysdate", SYSDATE),
    ("trunc(sysdate)", datetime(2026, 3, 31)),
    ("trunc(sysdate,'MM')", datetime(2026, 3, 1)),
    ("trunc(sysdate,'HH24')", datetime(2026, 3, 31, 12)),
    ("trunc(sysdate,'IW')", datetime(2026, 3, 30)),
    ("round(sysdate)", datetime(2026, 4, 1)),
    ("round(sysdate,'MM')", datetime(2026, 4, 1)),
    ("sysdate+1.5", datetime(2026, 4, 2, 0, 30, 15)),
    ("sysdate-1/24", datetime(2026, 3, 31, 11, 30, 15)),
    ("sysdate-date '2026-03-30'", Decimal("1.521006944444444444")),
    ("round((sysdate-date '2026-03-31')*86400)", 45015),
    ("add_months(date '2026-01-31',1)", datetime(2026, 2, 28)),
    ("add_months(date '2026-02-28',1)", datetime(2026, 3, 31)),
    ("add_months(date '2026-03-15',-13)", datetime(2025, 2, 15)),
    ("last_day(date '2028-02-03')", datetime(2028, 2, 29)),
    ("months_between(date '2026-03-31',date '2026-02-28')", 1),
    ("months_between(date '2026-03-16',date '2026-02-15')", Decimal("1.032258064516129032")),
    ("numtodsinterval(90,'MINUTE')", timedelta(minutes=90)),
    ("sysdate-numtodsinterval(90,'MINUTE')", datetime(2026, 3, 31, 11, 0, 15)),
    ("sysdate-interval '2' hour", datetime(2026, 3, 31, 10, 30, 15)),
    ("extract(year from sysdate)", 2026),
    ("interval '1 02:00:30.5' day to second", timedelta(days=1, hours=2, seconds=30.5)),
    ("to_char(systimestamp at time zone 'UTC','HH24:MI TZH:TZM')", "04:30 +00:00"),
    ("cast(systimestamp at time zone '-01:00' as date)", datetime(2026, 3, 31, 3, 30, 15)),
    ("sys_extract_utc(systimestamp)", datetime(2026, 3, 31, 4, 30, 15)),
    ("100000000000000000000/3", Decimal("33333333333333333333.333333333333333333")),
    ("extract(day from numtodsinterval(36,'HOUR'))", 1),
    ("extract(hour from numtodsinterval(36,'HOUR'))", 12),
    ("cast('12' as number)", 12),
    ("cast(1.256 as number(5,2))", Decimal("1.26")),
    ("cast('abcdef' as varchar2(3))", "abc"),
    ("cast(systimestamp as date)", SYSDATE),
    ("sys_context('USERENV','SESSION_USER')||userenv('INSTANCE')", "DBA11"),
    ("user", "DBA1"),
    ("hextoraw('0aff')", b"\x0a\xff"),
]


@pytest.mark.parametrize(("expression", "expected"), EXPRESSIONS, ids=[e for e, _ in EXPRESSIONS])
def test_expressions_mean_what_oracle_means(backend: SqlBackend, expression: str, expected: Any) -> None:
    assert one(backend, expression) == expected


QUERIES: list[tuple[str, tuple[Any, ...], list[tuple[Any, ...]]]] = [
    # (+) is an outer join, not an inner one
    ("select s.name, f.file# from spaces s, files f where s.ts# = f.ts#(+) order by 1, 2",
     (), [("EMPTY", None), ("SYSTEM", 1), ("USERS", 2), ("USERS", 3), ("USERS", 4)]),
    ("select s.name, f.file# from spaces s, files f where s.ts# = f.ts#(+) and f.bytes(+) > 2000 order by 1, 2",
     (), [("EMPTY", None), ("SYSTEM", None), ("USERS", 2), ("USERS", 4)]),
    ("select s.name from spaces s, files f where s.ts# = f.ts#(+) and f.file# is null", (), [("EMPTY",)]),
    ("select f.file#, s.name from files f left join spaces s on s.ts# = f.ts# where f.file# in (1, 5) order by 1",
     (), [(1, "SYSTEM"), (5, None)]),
    # ROWNUM numbers what passes WHERE, before ORDER BY
    ("select file# from files where rownum <= 2 order by file# desc", (), [(2,), (1,)]),
    ("select file# from (select file# from files order by file# desc) where rownum <= 2", (), [(5,), (4,)]),
    ("select file# from files where rownum > 1", (), []),
    ("select file# from files where rownum = 2", (), []),
    ("select count(*) from files where rownum < 3", (), [(2,)]),
    ("select r, file# from (select rownum r, file# from (select file# from files order by file# desc))"
     " where r between 2 and 3 order by r",
     (), [(2, 4), (3, 3)]),
    ("select ts#, count(*) from files where rownum <= 3 group by ts# order by ts#", (), [(1, 1), (2, 2)]),
    ("select f.file#, rownum from files f, spaces s where f.ts# = s.ts# and rownum <= :1 order by f.file#",
     (2,), [(1, 1), (2, 2)]),
    # a block that counts its rows, inside one that does: each has its own ROWNUM
    (
        "select file#, rownum, (select max(x)"
        " from (select rownum x from spaces where ts# = f.ts#)) m from files f where rownum < 3",
        (),
        [(1, 1, 1), (2, 2, 1)],
    ),
    # FETCH FIRST
    ("select file# from files order by file# desc fetch first 2 rows only", (), [(5,), (4,)]),
    ("select file# from files order by file# offset 3 rows fetch next 5 rows only", (), [(4,), (5,)]),
    ("select file# from files where ts# = 2 order by bytes desc fetch first 1 row only", (), [(3,)]),
    ("select file# from files where bytes < 5000 order by bytes desc fetch first 1 rows with ties", (), [(2,), (4,)]),
    # NULL goes last ascending, first descending
    ("select bytes from files order by bytes", (), [(1000,), (3000,), (3000,), (10**20,), (None,)]),
    ("select bytes from files where ts# < 9 order by bytes desc", (), [(None,), (3000,), (3000,), (1000,)]),
    ("select bytes from files where ts# = 2 order by bytes nulls first, file#", (), [(None,), (3000,), (3000,)]),
    # '' is NULL
    ("select count(*) from files where nvl(name, '') <> ''", (), [(0,)]),
    ("select count(*) from files where name = ''", (), [(0,)]),
    ("select count(*) from files where name is null", (), [(1,)]),
    ("select count(*) from files where :1 is null", ("",), [(5,)]),
    ("select file# from files where name not in ('SYSTEM01', 'USERS01') order by 1", (), [(3,), (5,)]),
    ("select file# from files where ts# not in (select null from dual)", (), []),
    # LIKE, BETWEEN, IN, EXISTS
    ("select file# from files where name like 'USERS0_' order by 1", (), [(2,), (3,)]),
    (r"select file# from files where name like '50\%%' escape '\'", (), [(5,)]),
    ("select file# from files where name not like 'U%' order by 1", (), [(1,), (5,)]),
    ("select file# from files where regexp_like(name, '^users0[12]$', 'i') order by 1", (), [(2,), (3,)]),
    ("select file# from files where file# between :a and :b order by 1", (2, 3), [(2,), (3,)]),
    ("select file# from files where (ts#, bytes) in ((2, 3000), (1, 1)) order by 1", (), [(2,), (4,)]),
    ("select file# from files where (ts#, file#) in (select ts#, 2 from spaces)", (), [(2,)]),
    ("select file# from files where (bytes, ts#) not in (select 3000, 2 from dual) order by 1", (), [(1,), (5,)]),
    ("select file# from files where (ts#, bytes) not in ((2, 3000)) order by 1", (), [(1,), (5,)]),
    ("select 1 from dual union select 2 from dual intersect select 2 from dual", (), [(2,)]),
    ("select file#, case when file# < 3 then 'a' when name is null then 'b' else 'c' end x from files order by x, file#",
     (), [(1, "a"), (2, "a"), (4, "b"), (3, "c"), (5, "c")]),
    ("select s.name from spaces s where not exists (select 1 from files f where f.ts# = s.ts#)", (), [("EMPTY",)]),
    ("select file# from files where file# = '3'", (), [(3,)]),
    ("select file# from files where file# = any (1, 4) order by 1", (), [(1,), (4,)]),
    ("select file# from files where :1 = file# or file# = :1", (2,), [(2,)]),
    # groups
    ("select ts#, count(*), count(bytes), sum(bytes), avg(load), max(name) from files where ts# < 9 group by ts# order by 1",
     (), [(1, 1, 1, 1000, Decimal("1.5"), "SYSTEM01"), (2, 3, 2, 6000, Decimal("1.125"), "USERS02")]),
    ("select ts# from files group by ts# having count(*) > 1", (), [(2,)]),
    ("select count(distinct ts#), sum(distinct bytes) from files where ts# < 9", (), [(3 - 1, 4000)]),
    ("select sum(bytes), count(*), max(made) from files where 1 = 0", (), [(None, 0, None)]),
    ("select sum(bytes) from files", (), [(10**20 + 7000,)]),
    ("select listagg(name, ',') within group (order by name desc) from files where ts# = 2", (), [("USERS02,USERS01",)]),
    ("select median(load), percentile_cont(0.25) within group (order by load) from files", (), [(2, Decimal("1.0625"))]),
    ("select max(file#) keep (dense_rank last order by made) from files where made is not null", (), [(4,)]),
    ("select min(file#) keep (dense_rank first order by bytes desc) from files where bytes < 5000", (), [(2,)]),
    ("select trunc(made, 'MM'), count(*) from files where made is not null group by trunc(made, 'MM') order by 1",
     (), [(datetime(2026, 1, 1), 1), (datetime(2026, 2, 1), 2), (datetime(2026, 3, 1), 1)]),
    ("select round(stddev(load), 6) from files where ts# < 9", (), [(Decimal("1.391941"),)]),
    # windows
    ("select file#, row_number() over (partition by ts# order by file# desc) from files where ts# < 9 order by 1",
     (), [(1, 1), (2, 3), (3, 2), (4, 1)]),
    ("select file#, lag(file#) over (order by file#), lead(file#, 1, 0) over (order by file#) from files order by 1",
     (), [(1, None, 2), (2, 1, 3), (3, 2, 4), (4, 3, 5), (5, 4, 0)]),
    ("select file#, sum(file#) over (order by file# rows between 1 preceding and current row) from files"
     " where file# < 4 order by 1",
     (), [(1, 1), (2, 3), (3, 5)]),
    ("select file#, rank() over (order by bytes desc nulls last) from files where ts# = 2 order by 1",
     (), [(2, 1), (3, 3), (4, 1)]),
    ("select round(ratio_to_report(bytes) over (), 2) from files where ts# < 3 and bytes is not null order by file#",
     (), [(Decimal("0.14"),), (Decimal("0.43"),), (Decimal("0.43"),)]),
    # blocks in blocks, sets
    ("with f as (select ts#, count(*) n from files group by ts#) select s.name, f.n from spaces s, f"
     " where f.ts# = s.ts# order by 1",
     (), [("SYSTEM", 1), ("USERS", 3)]),
    ("select ts# from files minus select ts# from spaces", (), [(9,)]),
    ("select ts# from files intersect select ts# from spaces order by 1", (), [(1,), (2,)]),
    ("select 'a' x from dual union all select 'b' from dual order by x desc", (), [("b",), ("a",)]),
    ("select 1 from dual union select 1.5 from dual order by 1", (), [(1,), (Decimal("1.5"),)]),
    ("select (select max(file#) from files f where f.ts# = s.ts#) m from spaces s order by s.ts#", (), [(1,), (4,), (None,)]),
    ("select level, level * 2 from dual connect by level <= 3", (), [(1, 2), (2, 4), (3, 6)]),
    ("select distinct ts# from files order by ts#", (), [(1,), (2,), (9,)]),
    # dates
    ("select file# from files where made > sysdate - 59 order by 1", (), [(2,), (3,), (4,)]),
    ("select file#, round(sysdate - made, 3) from files where file# = 2", (), [(2, Decimal("48.739"))]),
    ("select file# from files where made = :1", (JAN,), [(1,)]),
    ("select file# from files where made < systimestamp - interval '50' day", (), [(1,)]),
    ("select nvl(to_char(made, 'YYYY-MM'), 'never') from files where file# in (1, 5) order by file#",
     (), [("2026-01",), ("never",)]),
    # odd names and types
    ('select "n", "DSCN-B", body from odd where "n" = 7', (), [(7, 8, "long text")]),
    ("select seen, took, rawtohex(id) from odd",
     (), [(datetime(2026, 3, 1, 12, tzinfo=UTC), timedelta(days=1, hours=2), "0AFF")]),
    ("select dbms_lob.getlength(doc), dbms_lob.substr(doc, 3, 3) from odd where body is not null", (), [(10, "doc")]),
    ("select substr(rowid, 1, 6), length(rowid) from spaces where ts# = 1", (), [("AAARFy", 18)]),
    ("select inst_id, instance_name from gv$instance", (), [(1, "SIM")]),
    ("select name, count(*) over () from v$session s, spaces t where s.username = 'DBA1' and t.ts# = 1", (), [("SYSTEM", 1)]),
]  # fmt: skip


@pytest.mark.parametrize(("sql", "values", "expected"), QUERIES, ids=[q[0][:70] for q in QUERIES])
def test_queries_give_the_answers_known_by_hand(
    backend: SqlBackend, sql: str, values: tuple[Any, ...], expected: list[Any]
) -> None:
    assert rows(backend, sql, *values) == expected


REFUSALS: list[tuple[str, int]] = [
    ("select nothing from files", 904),
    ("select f.nothing from files f", 904),
    ("select x.file# from files f", 904),
    ("select file# f from files where f = 1", 904),
    ("select nosuch(file#) from files", 904),
    ("select 1 from nowhere", 942),
    ("select 1 from v$database", 942),
    ("select 1 from dba_users", 942),
    ("select 1 from sys.v$session", 942),
    ("select ts# from files, spaces", 918),
    ("select body from odd where body = 'x'", 997),
    ("select body from odd order by body", 997),
    ("select distinct body from odd", 997),
    ("select upper(body) from odd", 932),
    ("select data_default from dba_tab_columns where data_default like 'x%'", 997),
    ("select 1 from odd where doc = 'x'", 932),
    ("select 1 from files where made = 5", 932),
    ("select case when 1 = 1 then 1 else 'x' end from dual", 932),
    ("select made + made from files", 975),
    ("select name + 1 from files", 1722),
    ("select to_number('abc') from dual", 1722),
    ("select 1/0 from dual", 1476),
    ("select file# / (file# - 1) from files", 1476),
    ("select to_date('2026-13-01', 'YYYY-MM-DD') from dual", 1843),
    ("select to_date('2026-02-30', 'YYYY-MM-DD') from dual", 1839),
    ("select to_date('x', 'YYYY') from dual", 1858),
    ("select to_char(sysdate, 'foo') from dual", 1821),
    ("select ts#, count(*) from files group by file#", 979),
    ("select ts#, count(*) from files", 937),
    ("select (select file# from files) from dual", 1427),
    ("select 1, 2 from dual union select 1 from dual", 1789),
    ("select 1 from dual union select 'x' from dual", 1790),
    ("select file# from files order by 3", 1785),
    ("select file# from files where file# in (select file#, ts# from files)", 913),
    ("select :1 from dual", 1008),
    ("select distinct name from files order by made", 1791),
    ("select 1 from dual where a.b(+) = 1 or 1 = 1", 1719),
    ("select s.name from spaces s, files f where s.ts#(+) = f.ts#(+)", 1468),
    ("select 1 from files f join spaces s on s.ts# = f.ts# where s.name(+) = 'x'", 25156),
    ("select", 936),
    ("select 1", 923),
    ("select from files", 936),
    ("select file# from", 903),
    ("select file# from files where", 936),
    ("select file# from files f g", 933),
    ("select file# from files as f", 933),
    ("select file# from files limit 5", 933),
    ("select file# from files;", 933),
    ("select file# from files where file# = 1)", 933),
    ("select (file# from files", 907),
    ("select 'x from dual", 1756),
    ("select file# = 1 from files", 923),
    ("select 1 from files where file#", 920),
    ("selec 1 from dual", 900),
    ("frobnicate", 900),
]  # fmt: skip


@pytest.mark.parametrize(("sql", "code"), REFUSALS, ids=[r[0][:70] for r in REFUSALS])
def test_wrong_statements_get_oracles_error(backend: SqlBackend, sql: str, code: int) -> None:
    with pytest.raises(OracleError) as refused:
        rows(backend, sql)
    assert refused.value.code == code, refused.value


UNKNOWN = [
    "select file# from files fetch first 10 percent rows with ties",
    "select file# from files fetch first 10 percent rows only",
    "select ora_hash(file#) from files",
    "select * from files natural join spaces",
    "select * from files join spaces using (ts#)",
    "select file# from files sample (10)",
    "select level from files connect by prior file# = ts#",
    "select file# from files where rownum <= 1 or file# = 2",
    "select xmlagg(name) from files",
    "select (select max(s.name) from spaces s where rownum <= f.ts#) from files f",
    "select file# from files where file# > all (select ts# from spaces)",
    "select made + interval '1' month from files",
    "select * from files pivot (count(*) for ts# in (1, 2))",
    "select * from table(pkg.rows(1))",
    "merge into files f using spaces s on (f.ts# = s.ts#) when matched then update set f.name = s.name",
    "lock table files in exclusive mode",
    "create view v as select 1 from dual",
]


@pytest.mark.parametrize("sql", UNKNOWN)
def test_what_has_no_sure_meaning_is_refused_by_name(backend: SqlBackend, sql: str) -> None:
    with pytest.raises(OracleError, match="ORA-03001: unimplemented feature: the simulator has no meaning for"):
        rows(backend, sql)


def test_identifier_errors_are_printed_as_oracle_prints_them(backend: SqlBackend) -> None:
    with pytest.raises(OracleError) as refused:
        rows(backend, "select f.nothing from files f")
    assert str(refused.value) == 'ORA-00904: "F"."NOTHING": invalid identifier'
    assert refused.value.position == len("select f.")


def test_columns_are_described_with_oracles_types(backend: SqlBackend) -> None:
    sql = "select file#, name as n, made, count(*) over () \"c D\", nvl(name,'x'), :1 from files"
    found = backend.describe(sql)
    assert [(c.name, c.type.value) for c in found] == [
        ("FILE#", "NUMBER"), ("N", "VARCHAR2"), ("MADE", "DATE"), ("c D", "NUMBER"),
        ("NVL(NAME,'x')", "VARCHAR2"), (":1", "VARCHAR2"),
    ]  # fmt: skip
    assert found[1].size == 40
    assert backend.describe("delete from files") is None


def test_dictionary_columns_keep_their_declared_types(backend: SqlBackend) -> None:
    found = {c.name: c for c in backend.describe("select * from v$session")}
    assert (found["USERNAME"].type, found["USERNAME"].size) == (OraType.VARCHAR2, 128)
    assert found["LOGON_TIME"].type is OraType.DATE
    assert found["SADDR"].type is OraType.RAW


def test_binds_are_numbered_by_occurrence_past_comments_and_quotes() -> None:
    scanned = scan("select ':no', \":no\", q'{:no}' /* :no */ from t where a = :x and b = :\"y\" -- :no\n and c=:x")
    assert scanned.names == ["X", "y", "X"]
    assert ":B2" in scanned.text


def test_rows_follow_the_order_of_a_subquery_over_many(backend: SqlBackend) -> None:
    numbers = "(select level l from dual connect by level <= 200000)"
    sql = f"select l from (select l from {numbers} order by mod(l, 1000) desc, l) where rownum <= 3"
    assert rows(backend, sql) == [(999,), (1999,), (2999,)]


def product_queries() -> list[Path]:
    root = Path(__file__).parents[2] / "include" / "sql" / "oracle"
    left_out = {"enabled_policies_121"}  # of columns that 12.1 had and the simulator's dictionary, 19c's, has no more
    files = [p for p in sorted(root.rglob("*.sql")) if "statspack" not in p.name and p.parent.name != "grants"]
    files = [p for p in files if p.stem not in left_out]
    return [p for p in files if re.search(r"^-- kind: read", p.read_text(encoding="utf-8"), re.MULTILINE)]


@pytest.mark.parametrize("path", product_queries(), ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_every_query_of_the_product_has_a_meaning_here(path: Path) -> None:
    """On a database without rows each runs, and its columns are those that its header promises."""
    database = OracleDatabase("EMPTY", 1, clock=Stopped())
    database.accounts["DBA1"] = Account("DBA1", "x", {"DBA"})
    session = DatabaseAccounts(database).open_session("DBA1", "EMPTY", {})[0]
    text = path.read_text(encoding="utf-8")
    samples = {name.upper(): value for name, value in SAMPLES.get(f"{path.parent.name}/{path.stem}", {}).items()}
    result = session.execute(text, [bind(samples.get(name, 1)) for name in scan(text).names])
    promised = re.findall(r"(?:^|,\s*)(\w+)\s*\(", re.search(r"^-- columns: (.+)", text, re.MULTILINE)[1])
    assert [c.name.lower() for c in result.columns] == promised
