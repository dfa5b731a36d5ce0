"""The parts of the Oracle engine that need no server: error classes, names, statements, admission, editions, figures."""

from __future__ import annotations

import json
from pathlib import Path

import oracledb
import pytest
import sqlglot
from hypothesis import example, given, settings
from hypothesis import strategies as st
from oracledb import errors as driver_errors
from sqlglot import exp

from drydock.engines import oracle_statements as build
from drydock.engines.errors import UNKNOWN, ErrorClass
from drydock.engines.oracle import LogonFailed, OracleEndpoint
from drydock.engines.oracle_admission import NotForThisTarget, TargetRights, admit, edition_of, version_of
from drydock.engines.oracle_errors import classify, classify_codes, code_of, error_classes, may_ask_again, may_log_on_again
from drydock.engines.oracle_figures import lag_seconds
from drydock.engines.oracle_names import NameRefused, qualified, quote_name, text_literal
from drydock.engines.oracle_watchdog import sql_id
from drydock.estate import Licence
from drydock.settings import include_dir
from drydock.sqlfiles import SqlFileInvalid, parse_sql_file, sql_file

patient = settings(deadline=None)  # the parser's first call loads it
names = st.text(st.characters(exclude_characters='"\0', exclude_categories=["Cs"]), min_size=1, max_size=42)


def error(message: str, code: int = 0) -> oracledb.Error:
    """An error as the driver makes it of what a server sent (`code`) or of its own."""
    told = driver_errors._Error(message=message, code=code)
    return told.exc_type(told)


@pytest.mark.parametrize(
    ("message", "code", "decides", "kind", "retry"),
    [
        ("ORA-00054: resource busy", 54, "ORA-00054", "wait_and_retry", True),
        ("ORA-00600: internal error code", 600, "ORA-00600", "fatal", False),
        ("ORA-03113: end-of-file on communication channel", 3113, "ORA-03113", "transient", True),
        ("ORA-00028: your session has been killed", 28, "ORA-00028", "fatal", False),
        ("ORA-01013: user requested cancel", 1013, "ORA-01013", "fatal", False),
        ("ORA-01017: invalid credential", 1017, "ORA-01017", "credential", False),
        ("ORA-00942: table or view does not exist", 942, "ORA-00942", "privilege", False),
        ("ORA-00604: error occurred at recursive SQL level 1\nORA-01653: no room", 604, "ORA-01653", "needs_space", False),
        ("ORA-00604: recursive\nORA-06512: at line 3\nORA-00054: busy", 604, "ORA-00054", "wait_and_retry", True),
        ("ORA-00604: error occurred at recursive SQL level 1", 604, "ORA-00604", "fatal", False),
        (
            "ORA-12801: error signaled in parallel query server P001\nORA-01555: snapshot",
            12801,
            "ORA-01555",
            "wait_and_retry",
            True,
        ),
        ("ORA-20001: ORA-00054 said the application\nORA-06512: at line 1", 20001, "ORA-20001", "unknown", False),
        ("ORA-00904: invalid identifier", 904, "ORA-00904", "unknown", False),
        ("DPY-4011: the database or network closed the connection", 0, "DPY-4011", "transient", True),
        ("DPY-4024: call timeout of 50 ms exceeded", 0, "DPY-4024", "transient", True),
        ("DPY-6005: cannot connect to database.\n[Errno 111] Connection refused", 0, "DPY-6005", "transient", True),
        ("DPY-6005: cannot connect.\nDPY-6001: Service (Similar to ORA-12514)", 0, "DPY-6001", "transient", True),
        ("DPY-6000: Listener refused connection. (Similar to ORA-12516)", 0, "ORA-12516", "transient", True),
        ("DPY-4000: cannot find alias", 0, "DPY-4000", "fatal", False),
    ],
)
def test_an_error_is_classed_by_the_number_that_the_server_sent(
    message: str, code: int, decides: str, kind: str, retry: bool
) -> None:
    told = error(message, code)
    assert code_of(told) == decides
    assert classify(told) == ErrorClass(kind, retry)


def test_every_code_of_the_table_has_its_class() -> None:
    table = json.loads((include_dir() / "oracle" / "errors.json").read_text())
    assert len(error_classes()) == len(table) > 80
    for code, entry in table.items():
        assert classify_codes([code]) == ErrorClass(entry["class"], entry["retry"])


def test_what_is_no_error_of_the_driver_is_unknown() -> None:
    assert classify(ValueError("ORA-00054: busy")) == UNKNOWN
    assert classify_codes([]) == UNKNOWN


def test_rman_stacks_are_classed_by_the_code_behind() -> None:
    stack = ["RMAN-00571", "RMAN-00569", "RMAN-03002", "RMAN-03009", "ORA-19809", "ORA-19804"]
    assert classify_codes(stack).kind == "needs_space"


def test_only_what_came_before_the_password_is_tried_again() -> None:
    assert may_log_on_again(error("DPY-6005: cannot connect to database.\n[Errno 111] Connection refused"))
    assert may_log_on_again(error("DPY-6005: no\nDPY-6001: Service X is not registered (Similar to ORA-12514)"))
    assert may_log_on_again(error("ORA-12541: no listener", 12541))  # as the thick driver says it
    for told in (error("ORA-01017: no", 1017), error("DPY-4011: closed"), error("ORA-03113: eof", 3113), error("DPY-4000: no")):
        assert not may_log_on_again(told)


def test_what_ran_past_its_limit_is_not_asked_again() -> None:
    assert not may_ask_again(error("DPY-4024: call timeout of 50 ms exceeded"))
    assert may_ask_again(error("ORA-01555: snapshot too old", 1555))


def test_a_failed_logon_tells_no_password() -> None:
    told = LogonFailed(error("ORA-01017: invalid credential or not authorized; logon denied", 1017))
    assert str(told) == "no logon: ORA-01017 (credential)"
    assert "hidden" not in repr(OracleEndpoint("h", 1521, "s", "u", "hidden"))


@patient
@given(names, names)
@example("; DROP USER x CASCADE --", "SELECT")
@example("a'b", "{table}")
@example("\n/* ", "报关单")
def test_hostile_names_survive_a_round_trip(owner: str, name: str) -> None:
    """What a parser reads of the rendered text is the name itself, and nothing else."""
    parsed = sqlglot.parse(f"SELECT 1 FROM {qualified(owner, name)}", dialect="oracle")
    tables = list(parsed[0].find_all(exp.Table))
    assert len(parsed) == len(tables) == 1
    assert (tables[0].db, tables[0].name) == (owner, name)


@patient
@given(names, names, names)
def test_hostile_names_stay_names_in_a_statement(owner: str, name: str, partition: str) -> None:
    text = build.shrink(build.Segment(owner, name, partition)).text
    assert text == f'ALTER TABLE "{owner}"."{name}" MODIFY PARTITION "{partition}" SHRINK SPACE'.strip()


@patient
@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])))
def test_text_literals_survive_a_round_trip(text: str) -> None:
    parsed = sqlglot.parse_one(f"SELECT {text_literal(text)} FROM dual", dialect="oracle")
    assert parsed.expressions[0].this == text


@pytest.mark.parametrize(
    ("name", "version", "fault"),
    [
        ("", (19,), "empty"),
        ('a"b', (19,), "double quote"),
        ("a\0b", (19,), "NUL"),
        ("x" * 129, (19,), "longer than 128"),
        ("报" * 43, (19,), "longer than 128"),
        ("x" * 31, (11, 2), "longer than 30"),
        ("x" * 31, (12, 1), "longer than 30"),
        ("\ud800", (19,), "Unicode"),
    ],
)
def test_a_name_that_no_object_can_have_is_refused(name: str, version: tuple[int, ...], fault: str) -> None:
    with pytest.raises(NameRefused, match=fault):
        quote_name(name, version=version)


def test_names_of_the_greatest_length_and_reserved_words_are_fine() -> None:
    assert quote_name("x" * 128, version=(12, 2)) == '"' + "x" * 128 + '"'
    assert quote_name("x" * 30, version=(11, 2, 0, 4))
    assert qualified("SYS", "TABLE", "SELECT") == '"SYS"."TABLE" PARTITION ("SELECT")'


@pytest.mark.parametrize(
    "make",
    [
        lambda: build.rebuild(build.Segment("A", "I"), online=True, degree=0),
        lambda: build.rebuild(build.Segment("A", "I"), online=True, degree=129),
        lambda: build.rebuild(build.Segment("A", "I"), online=True, degree="4"),  # type: ignore[arg-type]
        lambda: build.move(build.Segment("A", "T"), online=False, update_indexes=True),
        lambda: build.cancel_sql(1, -2),
        lambda: build.cancel_sql("1' --", 2),  # type: ignore[arg-type]
        lambda: build.cancel_sql(1, 2, 1, "a5ks9fhw2v9s1' x"),
        lambda: build.kill_session(1, 2**32),
        lambda: build.space_usage(build.Segment("A", "T"), "TABLE'"),
    ],
)
def test_arguments_that_no_statement_may_carry_are_refused(make: object) -> None:
    with pytest.raises(build.StatementRefused):
        make()  # type: ignore[operator]


def test_a_template_is_filled_once() -> None:
    """A name that looks like a place of the template is text, not a place."""
    text = build.rebuild(build.Segment("{options}", "{partition}", "{index}"), online=True).text
    assert text == 'ALTER INDEX "{options}"."{partition}" REBUILD PARTITION "{index}" ONLINE'
    with pytest.raises(SqlFileInvalid, match="needs the binds"):
        build.compose(sql_file("oracle", "statements", "row_movement"), {"table": "x"})


def test_sql_id_is_that_of_the_database() -> None:
    assert sql_id("select * from dual") == "a5ks9fhw2v9s1"


@pytest.mark.parametrize(
    ("banner", "edition"),
    [
        ("Oracle Database 19c Enterprise Edition Release 19.0.0.0.0 - Production", "EE"),
        ("Oracle Database 19c Standard Edition 2 Release 19.0.0.0.0 - Production", "SE2"),
        ("Oracle Database 12c Standard Edition Release 12.1.0.2.0 - 64bit Production", "SE"),
        ("Oracle Database 11g Enterprise Edition Release 11.2.0.4.0 - 64bit Production", "EE"),
        ("Oracle Database 11g Release 11.2.0.4.0 - 64bit Production", "SE"),
        ("Oracle Database 18c Express Edition Release 18.0.0.0.0 - Production", "XE"),
        ("Oracle Database 23ai Free Release 23.0.0.0.0 - Develop, Learn, and Run for Free", "FREE"),
        ("Oracle AI Database 26ai Enterprise Edition Release 23.26.0.0.0 - Production", "EE"),
        ("something else", ""),
    ],
)
def test_editions_are_read_from_the_banner(banner: str, edition: str) -> None:
    assert edition_of(banner) == edition


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("+00 00:00:12", 12), ("+01 02:03:04", 93784), ("-00 00:00:01", -1), ("", None), (None, None), ("unknown", None)],
)
def test_lags_are_read(text: str | None, seconds: int | None) -> None:
    assert lag_seconds(text) == seconds


def rights(
    version: str = "19.25.0.0.0", edition: str = "EE", access: str = "DIAGNOSTIC+TUNING", attests: bool = True
) -> TargetRights:
    packs = frozenset({Licence.DIAGNOSTICS_PACK}) if attests else frozenset()
    return TargetRights(version_of(version), packs, lambda: edition, lambda: access)


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        (rights(), None),
        (rights(access="DIAGNOSTIC"), None),
        (rights(attests=False), "licence"),
        (rights(access="NONE"), "licence"),
        (rights(access=""), "licence"),
        (rights(access="TUNING"), "licence"),
        (rights(edition="SE2"), "licence"),
        (rights(edition=""), "licence"),
        (rights(version="10.2.0.5.0"), "version"),
        (rights(version="26.1.0.0.0"), "version"),
        (rights(version="23.26.0.0.0"), None),
        (rights(version="11.2.0.4.0"), None),
        (rights(version="11.1.0.7.0"), "version"),
    ],
)
def test_a_licensed_file_runs_only_where_all_agree(target: TargetRights, reason: str | None) -> None:
    file = sql_file("oracle", "session", "load_from_awr")
    refused = None
    try:
        admit(file, target)
    except NotForThisTarget as trouble:
        refused = trouble.reason
    assert refused == reason


def test_nothing_is_asked_for_a_file_without_licence() -> None:
    asked: list[str] = []

    def edition() -> str:
        asked.append("edition")
        return ""

    admit(sql_file("oracle", "session", "instance"), TargetRights((19,), frozenset(), edition, edition))
    assert asked == []


HEADER = """-- purpose: try
-- kind: read
-- engine: oracle 11.2-23
-- privileges: none beyond CREATE SESSION
-- locks: none
-- licence: none
-- editions: EE, SE2
-- binds: none
-- columns: a (it)
-- source: none
"""


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "oracle" / "trial" / "one.sql"
    path.parent.mkdir(parents=True)
    path.write_text(text)
    return path


def test_editions_of_a_header_are_enforced(tmp_path: Path) -> None:
    file = parse_sql_file(written(tmp_path, HEADER + "SELECT 1 AS a FROM dual\n"))
    admit(file, rights(edition="SE2"))
    for edition in ("XE", ""):
        with pytest.raises(NotForThisTarget, match="edition"):
            admit(file, rights(edition=edition))


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("oracle 11.2-23", "oracle all", "engine 'oracle all'"),
        ("licence: none", "licence: Data Masking Pack", "licence 'Data Masking Pack'"),
    ],
)
def test_a_header_that_cannot_be_enforced_is_refused(tmp_path: Path, old: str, new: str, fault: str) -> None:
    file = parse_sql_file(written(tmp_path, HEADER.replace(old, new) + "SELECT 1 AS a FROM dual\n"))
    with pytest.raises(SqlFileInvalid, match=fault):
        admit(file, rights())


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("EE, SE2", "Enterprise", "editions: cannot read"),
        ("-- editions: EE, SE2", "-- twin: other", "whose licence is not none"),
        ("licence: none\n-- editions: EE, SE2", "licence: Diagnostics Pack\n-- twin: other", "not in the same folder"),
        ("kind: read", "kind: block", "begins with BEGIN or DECLARE"),
    ],
)
def test_each_breach_of_the_new_keys_is_told(tmp_path: Path, old: str, new: str, fault: str) -> None:
    assert old in HEADER
    with pytest.raises(SqlFileInvalid, match=fault):
        parse_sql_file(written(tmp_path, HEADER.replace(old, new) + "SELECT 1 AS a FROM dual\n"))
