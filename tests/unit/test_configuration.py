"""Loading the configuration: what is right loads, what is wrong is told once, with file, line, field and cure."""

from __future__ import annotations

from datetime import date

import pytest

from drydock.backup.facts import Level
from drydock.calendar import Calendar
from drydock.configuration import (
    ConfigurationError,
    Problem,
    check_all,
    load_all,
    load_backup_policy,
    load_calendar,
    load_estate,
    load_notices,
    load_waivers,
)
from drydock.crosschecks import longest_pause_minutes
from tests.unit.configuration_folder import ConfigurationFolder

ESTATE = "estate/test.yaml"


@pytest.fixture
def folder(tmp_path, monkeypatch) -> ConfigurationFolder:
    monkeypatch.setenv("DRYDOCK_CONFIG", str(tmp_path / "config"))
    monkeypatch.setenv("DRYDOCK_ESTATE", "test")
    monkeypatch.setenv("DRYDOCK_STATE", "/state")
    return ConfigurationFolder(tmp_path / "config")


def problems() -> tuple[Problem, ...]:
    with pytest.raises(ConfigurationError) as caught:
        load_all()
    return caught.value.problems


def only() -> Problem:
    found = problems()
    assert len(found) == 1, [str(p) for p in found]
    return found[0]


def test_a_right_folder_loads(folder):
    loaded = load_all()
    assert [d.id for d in loaded.estate.databases] == ["alpha", "beta"]
    assert loaded.estate.database("alpha").backup.plan[2].level is Level.LOG
    assert loaded.estate.database("alpha").time_zone == "Asia/Shanghai"
    assert loaded.backup.of("alpha").read_every_days == 7
    assert loaded.waivers.exceptions == ()
    assert loaded.notices.channels == ()
    assert loaded.calendar.is_workday(date(2026, 11, 20))


def test_each_file_loads_by_itself(folder):
    folder.append("backup.yaml", "defaults: {read_every_days: 5}\ndatabases:\n  alpha: {drill_every_days: 30}\n")
    folder.append("calendar.yaml", "makeup_days: [2026-11-21]\n")
    folder.append("notices.yaml", "channels:\n  - {kind: wecom, connection: robot, on: [FAIL]}\n")
    policy = load_backup_policy()
    assert (policy.of("alpha").read_every_days, policy.of("alpha").drill_every_days) == (5, 30)
    assert (policy.of("beta").read_every_days, policy.of("beta").drill_every_days) == (5, 8)
    assert load_calendar().is_workday(date(2026, 11, 21))
    assert load_notices().channels[0].kind == "wecom"
    assert load_waivers().exceptions == ()
    assert load_estate("test").name_zh == "测试"


def test_state_folder_is_expanded(folder):
    folder.change(ESTATE, "/backups/alpha/sets", "${DRYDOCK_STATE}/alpha/sets")
    assert load_estate().database("alpha").backup.places.sets == "/state/alpha/sets"


# One wrong thing in the estate: what is replaced by what; then a text on the line that must be told, the field, what was
# found, and a part of the cure.
WRONG_ESTATES = {
    "missing field": (
        "    connection: db_beta\n", "", "id: beta", "databases[beta].connection", "nothing", "write this field (Airflow",
    ),
    "unknown field": (
        "retention_days: 14", "retension_days: 14", "retension", "databases[alpha].backup.retension_days",
        "the unknown field 'retension_days'", "did you mean 'retention_days'?",
    ),
    "text for a number": (
        "retention_days: 14", "retention_days: two", "two", "databases[alpha].backup.retention_days", "'two'", "a whole number",
    ),
    "number too small": (
        "retention_days: 14", "retention_days: 0", "days: 0", "databases[alpha].backup.retention_days", "0", "a number above 0",
    ),
    "unknown source": ("source: rman", "source: rmna", "rmna", "databases[beta].backup.source", "'rmna'", "did you mean 'rman'?"),
    "source of another engine": (
        "source: rman", "source: pg_basebackup", "source: pg_basebackup", "databases[beta].backup.source",
        "'pg_basebackup'", "a database of engine oracle is backed up by rman",
    ),
    "unknown engine": ("engine: oracle", "engine: mysql", "mysql", "databases[beta].engine", "'mysql'", "oracle, postgresql"),
    "wrong case": ("role: standby", "role: Standby", "Standby", "databases[beta].role", "'Standby'", "did you mean 'standby'?"),
    "unknown weekday": (
        "[sun]", "[sonntag]", "sonntag", "databases[beta].low_peak_windows[0].days[0]", "'sonntag'", "allowed values: fri, mon",
    ),
    "no time": (
        "start: '23:00'", "start: late", "late", "databases[beta].low_peak_windows[0].start", "'late'", "a time of day in quotes",
    ),
    "empty window": (
        "start: '23:00'", "start: '02:00'", "start: '02:00'", "databases[beta].low_peak_windows[0].end",
        "an empty window (02:00 to 02:00)", "before it means the next day",
    ),
    "no window": (
        "      - {days: [sun], start: '23:00', end: '02:00'}\n", "", "low_peak_windows:", "databases[beta].low_peak_windows",
        "nothing", "a list: one entry per line",
    ),
    "wrong cron": ("'0 2 * * *'", "'0 25 * * *'", "25", "databases[beta].backup.plan[0].cron", "'0 25 * * *'", "five fields"),
    "cron nickname": ("'0 2 * * *'", "'@daily'", "@daily", "databases[beta].backup.plan[0].cron", "'@daily'", "'30 1 * * *'"),
    "unknown level": (
        "level: full, cron: '30", "level: ful, cron: '30", "ful,",
        "databases[alpha].backup.plan[0].level", "'ful'", "mean 'full'?",
    ),
    "no full backup": (
        "        - {level: full, cron: '30 1 * * 0'}\n", "", "level: incremental", "databases[alpha].backup.plan",
        "a plan without a full backup", "add an entry with level: full",
    ),
    "unknown time zone": (
        "    role: standby\n", "    role: standby\n    time_zone: Asia/Shangai\n", "Shangai", "databases[beta].time_zone",
        "'Asia/Shangai'", "did you mean 'Asia/Shanghai'?",
    ),
    "wrong id": ("id: beta", "id: Beta-1", "Beta-1", "databases[Beta-1].id", "'Beta-1'", "lower-case letters, digits and _"),
    "id used twice": ("id: beta", "id: alpha", None, "databases[alpha].id", "'alpha'", "used in line 7 already"),
    "unknown platform": (
        "platform: fleet\n    engine: oracle", "platform: fleeet\n    engine: oracle", "fleeet", "databases[beta].platform",
        "'fleeet'", "did you mean 'fleet'?",
    ),
    "connection used twice": (
        "connection: db_beta", "connection: db_alpha", None, "databases[beta].connection", "'db_alpha'",
        "database 'alpha' uses it",
    ),
    "sets in one place": (
        "sets: /backups/beta/sets", "sets: /backups//alpha/sets/", "//alpha", "databases[beta].backup.places.sets",
        "'/backups/alpha/sets'", "database 'alpha' keeps its backups there",
    ),
    "logs in one place": (
        "{sets: /backups/beta/sets}", "{sets: /b, logs: /backups/alpha/wal}", "/b,", "databases[beta].backup.places.logs",
        "'/backups/alpha/wal'", "database 'alpha' keeps its backups there",
    ),
    "RPO below the log archiving": (
        "rpo_minutes: 60", "rpo_minutes: 10", "rpo_minutes: 10", "databases[alpha].backup.rpo_minutes",
        "10, but the plan leaves up to 15 minutes between two backups", "write 15 or more",
    ),
    "RPO below the backups": (
        "rpo_minutes: 1440", "rpo_minutes: 45", "rpo_minutes: 45", "databases[beta].backup.rpo_minutes",
        "45, but the plan leaves up to 1440 minutes between two backups", "write 1440 or more",
    ),
    "logs without a place": (
        "        logs: /backups/alpha/wal\n", "", "sets: /backups/alpha", "databases[alpha].backup.places", "no logs",
        "the folder of the archived logs",
    ),
    "no stanza": (
        "source: pg_basebackup", "source: pgbackrest", "sets: /backups/alpha", "databases[alpha].backup.places", "no stanza",
        "pgBackRest needs stanza",
    ),
    "another schema": (
        "schema: drydock-estate/1", "schema: drydock-estate/2", "estate/2", "schema",
        "'drydock-estate/2'", "mean 'drydock-estate/1'?",
    ),
    "assertion without its bound": (
        "      rto_minutes: 480\n",
        "      rto_minutes: 480\n      drill:\n        assertions: [{name: rows, kind: row_count, table: t}]\n",
        "kind: row_count", "databases[beta].backup.drill.assertions[0]", "3 field(s)", "row_count needs at_least",
    ),
    "table that is no name": (
        "      rto_minutes: 480\n",
        "      rto_minutes: 480\n      drill: {assertions: [{name: keys, kind: foreign_keys, table: 'a; drop'}]}\n",
        "a; drop", "databases[beta].backup.drill.assertions[0].table", "'a; drop'", "a table name",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("old", "new", "on", "field", "found", "fix"), WRONG_ESTATES.values(), ids=WRONG_ESTATES.keys())
def test_one_wrong_thing_in_the_estate_is_one_clear_problem(folder, old, new, on, field, found, fix):
    line = folder.change(ESTATE, old, new)
    problem = only()
    assert (problem.field, problem.found) == (field, found)
    assert fix in problem.fix
    assert problem.file.endswith(ESTATE)
    if on is None:
        assert problem.line == line
    else:
        assert on in (folder.path / ESTATE).read_text(encoding="utf-8").splitlines()[problem.line - 1]


# One wrong thing in another file: what is added at its end, the line of it that must be told, field, found, cure.
WRONG_OTHERS = {
    "unknown threshold": (
        "backup.yaml", "defaults:\n  read_evry_days: 3\n", 1, "defaults.read_evry_days", "the unknown field 'read_evry_days'",
        "did you mean 'read_every_days'?",
    ),
    "threshold of no number": (
        "backup.yaml", "defaults:\n  read_every_days: weekly\n", 1, "defaults.read_every_days", "'weekly'", "a whole number",
    ),
    "override of an unknown database": (
        "backup.yaml", "databases:\n  alpah:\n    read_every_days: 3\n", 1, "databases.alpah", "'alpah'", "did you mean 'alpha'?",
    ),
    "unknown threshold in an override": (
        "backup.yaml", "databases:\n  alpha:\n    drill_every_day: 3\n", 2, "databases.alpha.drill_every_day",
        "the unknown field 'drill_every_day'", "did you mean 'drill_every_days'?",
    ),
    "override that is no id": ("backup.yaml", "databases:\n  Alpha!: {}\n", 1, "databases.Alpha!", None, None),
    "period of an unknown database": (
        "calendar.yaml",
        "freezes:\n  - {name_zh: 封网, name_en: Freeze, first: 2026-11-10, last: 2026-11-12, databases: [gamma]}\n", 1,
        "freezes[0].databases[0]", "'gamma'", "no estate has this database; allowed databases: alpha, beta",
    ),
    "period that ends before it starts": (
        "calendar.yaml", "freezes:\n  - {name_zh: 封网, name_en: Freeze, first: 2026-11-12, last: 2026-11-10}\n", 1,
        "freezes[0]", "4 field(s)", "last (2026-11-10) is before first (2026-11-12)",
    ),
    "day that does not exist": (
        "calendar.yaml", "makeup_days:\n  - 2026-02-30\n", 1, "makeup_days[0]", "'2026-02-30'", "a date: 2026",
    ),
    "make-up day on a weekday": (
        "calendar.yaml", "makeup_days:\n  - 2026-11-20\n", 1, "makeup_days[0]", "2026-11-20, a Friday", "Saturday or Sunday",
    ),
    "mail without recipients": (
        "notices.yaml", "channels:\n  - {kind: smtp, connection: smtp_default}\n", 1, "channels[0]",
        "2 field(s)", "smtp needs recipients",
    ),
    "unknown kind of channel": (
        "notices.yaml", "channels:\n  - {kind: wecon, connection: robot}\n", 1, "channels[0].kind",
        "'wecon'", "did you mean 'wecom'?",
    ),
    "unknown status": (
        "notices.yaml", "channels:\n  - kind: wecom\n    connection: robot\n    on: [FIAL]\n", 3, "channels[0].on[0]", "'FIAL'",
        "did you mean 'FAIL'?",
    ),
    "duplicate field": (
        "notices.yaml", "console_url: http://a\nconsole_url: http://b\n", 1, "",
        "the field 'console_url' a second time", "keep one",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("file", "text", "offset", "field", "found", "fix"), WRONG_OTHERS.values(), ids=WRONG_OTHERS.keys())
def test_one_wrong_thing_in_another_file_is_told(folder, file, text, offset, field, found, fix):
    line = folder.append(file, text)
    problem = problems()[0]
    assert (problem.field, problem.line) == (field, line + offset)
    assert problem.file.endswith(file)
    if found is not None:
        assert only().found == found
        assert fix in problem.fix


WAIVER = """exceptions:
  - id: accepted
    pipeline: backup
    database: alpha
    code: log_gap
    place: '000000010000000000000042'
    reason: moved to new storage
    approver: 张三
    review_by: 2020-01-01
"""


CODES = ("log_gap", "set_file_missing", "target_down", "source_unreadable", "never_read", "size_abnormal")


@pytest.fixture
def messages(tmp_path, monkeypatch):
    """Message files of their own, so that this test does not follow every new code."""
    include = tmp_path / "include"
    (include / "messages").mkdir(parents=True)
    (include / "messages" / "backup.yaml").write_text("".join(f"{code}: {{}}\n" for code in CODES))
    monkeypatch.setattr("drydock.settings.include_dir", lambda: include)


@pytest.mark.usefixtures("messages")
def test_expired_waiver_is_no_error(folder):
    folder.append("exceptions.yaml", WAIVER)
    assert load_all().waivers.exceptions[0].review_by == date(2020, 1, 1)


@pytest.mark.usefixtures("messages")
@pytest.mark.parametrize(
    ("old", "new", "offset", "field", "fix"),
    [
        ("code: log_gap", "code: log_gab", 4, "exceptions[accepted].code", "did you mean 'log_gap'?"),
        ("database: alpha", "database: alhpa", 3, "exceptions[accepted].database", "did you mean 'alpha'?"),
        ("approver: 张三", "approver: 张", 7, "exceptions[accepted].approver", "at least 2 characters"),
        ("review_by: 2020-01-01", "review_by: soon", 8, "exceptions[accepted].review_by", "a date: 2026-11-11"),
        ("review_by: 2020-01-01", "review_by: 2999-01-01", 8, "exceptions[accepted].review_by", "within a year"),
        ("place: '000000010000000000000042'", "place: '*'", 5, "exceptions[accepted].place", "every log_gap to come"),
        ("code: log_gap", "code: never_read", 4, "exceptions[accepted].code", "which nobody can accept"),
        ("code: log_gap", "code: target_down", 4, "exceptions[accepted].code", "which nobody can accept"),
        ("code: log_gap", "code: source_unreadable", 4, "exceptions[accepted].code", "which nobody can accept"),
    ],
)
def test_wrong_waiver_is_told(folder, old, new, offset, field, fix):
    line = folder.append("exceptions.yaml", WAIVER)
    folder.change("exceptions.yaml", old, new)
    problem = only()
    assert (problem.field, problem.line) == (field, line + offset)
    assert fix in problem.fix


@pytest.mark.usefixtures("messages")
def test_a_waiver_without_a_place_is_for_what_is_no_loss(folder):
    line = folder.append("exceptions.yaml", WAIVER)
    folder.change("exceptions.yaml", "    place: '000000010000000000000042'\n", "")
    assert (only().field, only().line) == ("exceptions[accepted].code", line + 4)
    folder.change("exceptions.yaml", "code: log_gap", "code: size_abnormal")
    assert load_all().waivers.exceptions[0].place == "*"


@pytest.mark.usefixtures("messages")
def test_waiver_id_used_twice_is_told(folder):
    folder.append("exceptions.yaml", WAIVER + WAIVER.partition("\n")[2])
    problem = only()
    assert (problem.line, problem.found, problem.fix) == (11, "'accepted'", "used in line 3 already: ids must be unique")


def test_all_problems_of_all_files_come_out_together(folder):
    folder.change(ESTATE, "source: rman", "source: rmna")
    folder.change(ESTATE, "platform: fleet\n    engine: oracle", "platform: fleeet\n    engine: oracle")
    folder.change(ESTATE, "rpo_minutes: 60", "rpo_minutes: 10")
    folder.change(ESTATE, "connection: db_alpha", "connection: ${DB}")
    folder.append("backup.yaml", "databases:\n  alpah: {}\n  beta: {x: 1}\n")
    folder.append("calendar.yaml", "makeup_days: [tomorrow]\n")
    folder.append("exceptions.yaml", "exceptions:\n  - {database: gamma}\n")
    folder.write("notices.yaml", "schema: [\n")
    found = [(p.file.rpartition("/")[2], p.field) for p in problems()]
    assert ("test.yaml", "databases[beta].backup.source") in found
    assert ("test.yaml", "databases[beta].platform") in found
    assert ("test.yaml", "databases[alpha].connection") in found
    assert ("backup.yaml", "databases.alpah") in found
    assert ("backup.yaml", "databases.beta.x") in found
    assert ("calendar.yaml", "makeup_days[0]") in found
    assert ("exceptions.yaml", "exceptions[0].database") in found
    assert ("exceptions.yaml", "exceptions[0].approver") in found
    assert ("notices.yaml", "") in found


def test_one_wrong_database_hides_no_problem_of_another(folder):
    folder.change(ESTATE, "engine: oracle", "engine: mysql")
    folder.change(ESTATE, "rpo_minutes: 60", "rpo_minutes: 10")
    assert [p.field for p in problems()] == ["databases[alpha].backup.rpo_minutes", "databases[beta].engine"]


def test_wrong_database_is_still_known_to_the_other_files(folder):
    folder.change(ESTATE, "engine: oracle", "engine: mysql")
    folder.append("backup.yaml", "databases:\n  beta: {read_every_days: 3}\n")
    assert [p.field for p in problems()] == ["databases[beta].engine"]


def test_databases_of_another_estate_may_be_named(folder):
    other = (folder.path / ESTATE).read_text(encoding="utf-8").replace("alpha", "gamma").replace("beta", "delta")
    folder.write("estate/other.yaml", other)
    folder.append("backup.yaml", "databases:\n  gamma: {read_every_days: 3}\n")
    assert load_all("test").backup.of("gamma").read_every_days == 3
    assert check_all(["test"])[1] == []


def test_estates_may_share_places_and_connections(folder):
    folder.write("estate/other.yaml", (folder.path / ESTATE).read_text(encoding="utf-8"))
    estates, found = check_all(["test", "other"])
    assert (len(estates), found) == (2, [])


def test_missing_file_is_a_problem(folder):
    (folder.path / "calendar.yaml").unlink()
    assert only().found == "no file"


def test_unknown_estate_is_told_with_the_nearest(folder, monkeypatch):
    monkeypatch.setenv("DRYDOCK_ESTATE", "tset")
    problem = only()
    assert (problem.file, problem.found, problem.fix) == ("DRYDOCK_ESTATE", "the estate 'tset'", "did you mean 'test'?")


@pytest.mark.parametrize("name", ["../estate/test", "test.yaml", "/etc/passwd"])
def test_estate_name_is_no_path(folder, name):
    with pytest.raises(ConfigurationError, match="the estate"):
        load_estate(name)


@pytest.mark.parametrize(
    "line",
    [
        "connection: db_beta\n    password: hunter2",
        "connection: oracle://drydock:hunter2@db:1521/x",
        "connection: https://robot.example.com/send?key=hunter2",
        "connection: https://robot.example.com/send?access_token=hunter2&x=1",
    ],
)
def test_secret_in_the_wrong_place_is_not_repeated(folder, line):
    folder.change(ESTATE, "connection: db_beta", line)
    assert "hunter2" not in str(only())


@pytest.mark.parametrize(
    "text", ["[]", "7", "text", "{schema: drydock-estate/1}", "{databases: 7, platforms: [1]}", "{databases: [null, 7]}"]
)
def test_any_shape_of_estate_is_told_and_not_thrown(folder, text):
    folder.write(ESTATE, text + "\n")
    assert all(p.line == 1 for p in problems())


@pytest.mark.parametrize(
    "file", ["backup.yaml", "reclaim.yaml", "reindex.yaml", "masking.yaml", "calendar.yaml", "exceptions.yaml", "notices.yaml"]
)
@pytest.mark.parametrize(
    "text", ["[]", "7", "{databases: [alpha], exceptions: {}, freezes: 7}", "{exceptions: [7], freezes: [7], channels: [null]}"]
)
def test_any_shape_of_the_other_files_is_told_and_not_thrown(folder, file, text):
    folder.write(file, text + "\n")
    assert {p.file.rpartition("/")[2] for p in problems()} == {file}


@pytest.mark.parametrize(
    ("crons", "minutes"),
    [
        (["*/15 * * * *"], 15),
        (["* * * * *"], 1),
        (["30 1 * * *"], 1440),
        (["30 1 * * 0"], 7 * 1440),
        (["30 1 * * 1-6"], 2 * 1440),
        (["30 1 * * 7"], 7 * 1440),
        (["30 1 * * 0", "30 1 * * 1-6"], 1440),
        (["30 1 * * 0", "0 13 * * 1-6"], 1440 + 690),
        (["0 8-18 * * *"], 14 * 60),
        (["0,10 * * * *"], 50),
        (["30 1 1 * *"], 1440),
        (["30 1 1 * *", "30 1 * * 0"], 1440),
        (["30 1 1 * *", "0 * * * *"], 60),
    ],
)
def test_longest_pause_of_schedules(crons, minutes):
    assert longest_pause_minutes(tuple(crons)) == minutes


def test_full_and_incremental_backups_keep_an_rpo_together(folder):
    folder.change(ESTATE, "        - {level: log, cron: '*/15 * * * *'}\n", "")
    folder.change(ESTATE, "rpo_minutes: 60", "rpo_minutes: 1439")
    assert only().found == "1439, but the plan leaves up to 1440 minutes between two backups"
    folder.change(ESTATE, "rpo_minutes: 1439", "rpo_minutes: 1500")
    load_all()


def test_the_drill_falls_on_a_day_of_the_check(folder):
    folder.change(ESTATE, "    role: primary\n", "    role: primary\n    backup_check: '30 7 * * 1-5'\n")
    folder.change(ESTATE, "rto_minutes: 240", "rto_minutes: 240\n      drill: {weekday: sat}")
    problem = only()
    assert (problem.field, problem.found[:3]) == ("databases[alpha].backup.drill.weekday", "sat")
    for before, day in (("sat", "mon"), ("mon", "fri")):
        folder.change(ESTATE, f"weekday: {before}", f"weekday: {day}")
        assert load_all().waivers.exceptions == ()
    folder.change(ESTATE, "weekday: fri", "weekday: sun")
    assert only().found[:3] == "sun"
    folder.change(ESTATE, "'30 7 * * 1-5'", "'30 7 1 * *'")
    assert load_all().waivers.exceptions == (), "a check on days of the month has no weekdays"


def test_a_holiday_of_one_database_is_refused() -> None:
    day = {"name_zh": "节", "name_en": "Day", "first": "2026-10-01", "last": "2026-10-01"}
    with pytest.raises(ValueError, match="a holiday is a holiday for all"):
        Calendar.model_validate({"schema": "drydock-calendar/1", "holidays": [day | {"databases": ["gz_main"]}]})
