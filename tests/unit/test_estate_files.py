"""The shipped estates against the figures of the tenders, and the sandbox's against the sandbox's own tables."""

from __future__ import annotations

from collections import Counter
from datetime import date

import pytest

from drydock.configuration import estate_names, load_calendar, load_estate
from drydock.crosschecks_changes import covered_minutes
from drydock.estate import Database, Engine, Estate
from sandbox.clusters import TARGETS, target_dbname
from sandbox.oracle import target
from sandbox.tables import catalog
from sandbox.truth import TRUTH


@pytest.fixture(autouse=True)
def shipped_folder(monkeypatch):
    monkeypatch.delenv("DRYDOCK_CONFIG", raising=False)


def subsystems(estate: Estate) -> dict[str, int]:
    return {p.id: sum(len(g.subsystems) for g in p.groups) for p in estate.platforms}


def modules(estate: Estate) -> Counter[str]:
    """Modules by slug of their group."""
    return Counter(g.slug for p in estate.platforms for g in p.groups for s in g.subsystems for _ in s.modules)


def test_the_three_estates_are_there():
    assert estate_names() == ["guangzhou", "hubei", "sandbox"]


def test_guangzhou_has_the_figures_of_the_tender():
    estate = load_estate("guangzhou")
    assert subsystems(estate) == {"gz_main": 28, "gz_cbec": 14, "gz_market": 16}
    assert [len(p.groups) for p in estate.platforms] == [5, 3, 2]
    assert modules(estate).total() == 133
    assert Counter(d.platform for d in estate.databases) == {"gz_main": 6, "gz_cbec": 6, "gz_market": 1}
    assert {d.engine for d in estate.databases} == {Engine.ORACLE}
    assert not any(d.confirmed for d in estate.databases)


def test_guangzhou_has_the_lines_of_the_tender():
    links = load_estate("guangzhou").links
    assert Counter(link.kind for link in links) == {"point-to-point": 8, "internet-egress": 1, "domain-lease": 1, "ip-lease": 1}
    assert [link.bandwidth_mbps for link in links] == [6, 40, 2, 6, 10, 2, 40, 40, 30, None, None]
    assert [d for link in links for d in link.domains] == ["Singlewindow.gz.cn", "Gzsinglewindow.cn"]


def test_guangzhou_names_are_those_of_the_tender():
    names = {s.name for p in load_estate("guangzhou").platforms for g in p.groups for s in g.subsystems}
    assert {
        "进出口货物申报子系统",
        "关贸协同服务系统（关贸e通）",
        "供应商（商户）、企业端系统",
        "新增openAPI企业接口服务",
    } <= names


def test_hubei_has_the_figures_of_the_tender():
    estate = load_estate("hubei")
    assert modules(estate) == {"central": 120, "local": 63}
    assert [len(g.subsystems) for g in estate.platforms[0].groups] == [19, 13]
    assert not any(d.confirmed for d in estate.databases)
    names = [m.name for g in estate.platforms[0].groups for s in g.subsystems for m in s.modules]
    assert names[0] == "企业资质"
    assert names[71] == "税费办理"
    assert names[120 + 25] == "查验免收费 V3.0"


@pytest.mark.parametrize("name", ["guangzhou", "hubei"])
def test_nothing_may_be_changed_until_somebody_allows_it(name):
    assert all(d.allowed_actions == () and d.work_connection is None for d in load_estate(name).databases)


def test_the_sandbox_may_be_worked_on_at_all_times_by_accounts_of_its_own():
    for database in load_estate("sandbox").databases:
        assert len(covered_minutes(database)) == 7 * 24 * 60
        assert database.work_connection == f"work_{database.id}"
        assert set(database.allowed_actions) & {"online_copy", "move_online"}
        assert not set(database.allowed_actions) & {"truncate", "vacuum_full", "move", "rebuild", "reindex"}, "locks for long"


@pytest.mark.parametrize("name", ["guangzhou", "hubei", "sandbox"])
def test_slugs_are_unique_within_their_platform(name):
    for platform in load_estate(name).platforms:
        slugs = [m.slug for g in platform.groups for s in g.subsystems for m in (s, *s.modules)]
        assert [slug for slug, count in Counter(slugs).items() if count > 1] == []


def of_engine(name: str, engine: Engine) -> list[Database]:
    return [d for d in load_estate(name).databases if d.engine is engine]


def test_sandbox_has_three_postgresql_databases_and_an_oracle_simulator():
    assert {d.id for d in of_engine("sandbox", Engine.POSTGRESQL)} == set(TARGETS)
    assert [d.id for d in of_engine("sandbox", Engine.ORACLE)] == [target.DATABASE]
    assert set(TRUTH) == {d.id for d in load_estate("sandbox").databases}


def test_sandbox_calls_its_oracle_database_a_simulator_and_asks_it_by_its_own_names():
    (database,) = of_engine("sandbox", Engine.ORACLE)
    assert "模拟器" in database.name_zh and "simulator" in database.name_en
    assert (database.connection, database.backup.rman.ssh_connection) == (
        f"db_{target.DATABASE}",
        f"ssh_{target.DATABASE}",
    )
    assert database.backup.rman.sid == target.SID


def test_sandbox_plans_the_jobs_that_the_oracle_simulator_lives():
    (database,) = of_engine("sandbox", Engine.ORACLE)
    (logs,) = [planned for planned in database.backup.plan if planned.level == "log"]
    assert logs.cron == f"7 {','.join(str(hour) for hour in target.LOG_HOURS)} * * *"


def test_sandbox_keeps_its_backups_in_the_state_folder(monkeypatch):
    monkeypatch.setenv("DRYDOCK_STATE", "/state")
    for d in of_engine("sandbox", Engine.POSTGRESQL):
        assert d.backup.places.sets == f"/state/backups/{d.id}/sets"
        assert d.backup.places.logs == f"/state/backups/{d.id}/wal"
        assert d.backup.places.job_log == f"/state/backups/{d.id}/backup.log"
        assert d.backup.drill.dbname == target_dbname(d.id)


def test_sandbox_assertions_ask_tables_and_columns_that_exist():
    for database in of_engine("sandbox", Engine.POSTGRESQL):
        assertions = database.backup.drill.assertions
        assert {a.kind for a in assertions} == {"row_count", "newest_row", "foreign_keys"}
        tables = {t.name: t for t in catalog().of_platform(database.platform.replace("_", "-"))}
        for assertion in assertions:
            schema, _, table = assertion.table.partition(".")
            assert schema == database.platform
            assert assertion.column is None or assertion.column in tables[table].column_names
            assert assertion.kind != "foreign_keys" or tables[table].detail_of is not None


def test_calendar_of_2026_is_that_of_the_published_notice():
    calendar = load_calendar()
    off = [date(2026, 1, 2), date(2026, 2, 16), date(2026, 2, 23), date(2026, 4, 6), date(2026, 5, 5), date(2026, 6, 19)]
    off += [date(2026, 9, 25), date(2026, 10, 7), date(2026, 11, 21)]
    assert [day for day in off if calendar.is_workday(day)] == []
    worked = [date(2026, 1, 4), date(2026, 2, 14), date(2026, 2, 28), date(2026, 5, 9), date(2026, 9, 20), date(2026, 10, 10)]
    worked += [date(2026, 1, 5), date(2026, 2, 24), date(2026, 11, 20)]
    assert [day for day in worked if not calendar.is_workday(day)] == []
    lengths = {p.name_zh: (p.last - p.first).days + 1 for p in calendar.holidays if p.first.year == 2026}
    assert lengths == {"元旦": 3, "春节": 9, "清明节": 3, "劳动节": 5, "端午节": 3, "中秋节": 3, "国庆节": 7}


@pytest.mark.parametrize("day", [date(2026, 11, 11), date(2027, 6, 18), date(2026, 11, 27), date(2027, 11, 26)])
def test_promotions_are_freezes(day):
    assert any(p.holds(day) for p in load_calendar().freezes)
