"""The health of a PostgreSQL trail on a real server: nothing found where nothing is wrong, each damage alone by its name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta

import pytest

from drydock.audit import trail
from drydock.audit.trail_state import BADLY_APART
from drydock.engines.postgres_binaries import find_binaries
from drydock.engines.postgres_server import initialise
from drydock.verdicts import Status, Verdict
from tests.db.trail_postgres_yard import DECLARED, LoggingServer, Yard, make_yard, size_file, write_settings

Damage = Callable[[Yard], AbstractContextManager[None]]
TIB = 1024**4


@pytest.fixture(scope="module")
def yard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Yard]:
    data_dir, password = tmp_path_factory.mktemp("trail") / "data", "p'w"
    initialise(find_binaries(), data_dir, password=password)
    write_settings(data_dir)
    server = LoggingServer(find_binaries(), data_dir)
    server.start(options={"fsync": "off"})
    server.wait_ready()
    made = make_yard(server, password)
    yield made
    made.admin.close()
    server.stop()


def judged(yard: Yard, **changes: object) -> dict[str, Verdict]:
    run = yard.run(**changes)
    return {v.question: v for v in trail._of_now(run, trail.look_of(run))}


def found(verdicts: dict[str, Verdict]) -> dict[str, tuple[str, str]]:
    """code -> (question, status) of everything that was found."""
    return {f.code: (v.question, f.status.value) for v in verdicts.values() for f in v.findings}


def test_a_server_that_logs_as_declared_has_nothing_wrong(yard: Yard) -> None:
    verdicts = judged(yard)
    assert found(verdicts) == {}
    assert {v.status for v in verdicts.values()} == {Status.PASS}
    assert all(v.examined for v in verdicts.values())
    assert verdicts["trail_on"].evidence["log_statement"] == "mod"
    assert verdicts["trail_growth"].evidence["trail_bytes"] > 0


@contextmanager
def clock_ahead(yard: Yard, span: timedelta) -> Iterator[None]:
    yard.shift = span
    try:
        yield
    finally:
        yard.shift = timedelta()


@contextmanager
def huge_log(yard: Yard, size_bytes: int) -> Iterator[None]:
    path = yard.log_folder / "postgresql-2026-11-01.csv"
    size_file(path, size_bytes)
    try:
        yield
    finally:
        path.unlink()


@contextmanager
def open_file(yard: Yard) -> Iterator[None]:
    path = next(yard.log_folder.glob("*.csv"))
    mode = path.stat().st_mode & 0o777
    path.chmod(0o666)
    try:
        yield
    finally:
        path.chmod(mode)


def role(setting: str) -> Damage:
    return lambda yard: yard.done(f"ALTER ROLE app SET {setting}", "ALTER ROLE app RESET ALL")


def setting(**values: str) -> Damage:
    return lambda yard: yard.setting(**values)


def done(deed: str, undo: str) -> Damage:
    return lambda yard: yard.done(deed, undo)


SERVER_WRITES = "pg_write_server_files"
ELSEWHERE: dict[str, object] = {"declared_trail": {"log_rotation_size": "10MB"}}  # what is damaged is not declared
DAMAGES = {
    # what is done: damage, policy, finding, question, status
    "no statement is logged": (setting(log_statement="none"), ELSEWHERE, "trail_off", "trail_on", "FAIL"),
    "less is logged than declared": (setting(log_statement="ddl"), {}, "trail_drift", "trail_drift", "FAIL"),
    "one role logs nothing": (role("log_statement = 'none'"), {}, "trail_override", "trail_on", "FAIL"),
    "failed statements of one role are hidden": (
        role("log_min_error_statement = 'panic'"), {}, "trail_override", "trail_on", "FAIL"
    ),
    "logons are not logged": (setting(log_connections="off"), {}, "trail_logons_off", "trail_on", "WARN"),
    "errors are hidden": (setting(log_min_error_statement="fatal"), {}, "trail_errors_hidden", "trail_on", "WARN"),
    "a log without who and from where": (
        setting(log_destination="stderr"), ELSEWHERE, "trail_fields_missing", "trail_on", "WARN"
    ),
    "a change waits for a restart": (
        setting(shared_preload_libraries="auto_explain"), {}, "trail_pending", "trail_on", "WARN"
    ),
    "a setting of nothing that is there": (
        lambda yard: yard.setting(log_checkpoints="on"),
        {"declared_trail": {**DECLARED, "pgaudit.log": "ddl, role"}}, "trail_declared_missing", "trail_drift", "FAIL",
    ),
    "a clock that is two minutes ahead": (
        lambda yard: clock_ahead(yard, timedelta(seconds=120)), {}, "trail_clock_apart", "trail_clock", "WARN"
    ),
    "a clock that is far behind": (
        lambda yard: clock_ahead(yard, -timedelta(seconds=60 * BADLY_APART + 30)), {}, "trail_clock_apart", "trail_clock", "FAIL"
    ),
    "a log that fills its disk": (lambda yard: huge_log(yard, 15 * TIB), {}, "trail_full_soon", "trail_growth", "FAIL"),
    "an account that may write files": (
        done(f"GRANT {SERVER_WRITES} TO app", f"REVOKE {SERVER_WRITES} FROM app"), {}, "trail_guardian", "trail_guardians", "WARN"
    ),
    "an account that may switch logging off": (
        done("GRANT SET ON PARAMETER log_statement TO app", "REVOKE SET ON PARAMETER log_statement FROM app"),
        {}, "trail_guardian", "trail_guardians", "WARN",
    ),
    "a superuser that nobody named": (
        done('CREATE ROLE "root; --" SUPERUSER LOGIN', 'DROP ROLE "root; --"'), {}, "trail_guardian", "trail_guardians", "WARN"
    ),
    "a member of a superuser": (
        done("GRANT postgres TO app", "REVOKE postgres FROM app"), {}, "trail_guardian", "trail_guardians", "WARN"
    ),
    "the reader may alter what it reads": (
        done("GRANT pg_execute_server_program TO looker", "REVOKE pg_execute_server_program FROM looker"),
        {}, "trail_collector_can_alter", "trail_guardians", "FAIL",
    ),
    "a log that anybody may write": (open_file, {}, "trail_files_open", "trail_guardians", "WARN"),
}  # fmt: skip


@pytest.mark.parametrize("name", DAMAGES)
def test_each_damage_is_found_alone(yard: Yard, name: str) -> None:
    damage, policy, code, question, status = DAMAGES[name]
    with damage(yard):
        assert found(judged(yard, **policy)) == {code: (question, status)}
