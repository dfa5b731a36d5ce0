"""Outliers: each kind of change is found and named, a day like the others is not, and without a past nothing is said."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from drydock.audit.detection.baselines import outliers, why_no_baseline
from drydock.audit.policy import AuditPolicy
from drydock.audit.results import Hit
from drydock.audit.storage.columns import ACTIVITY
from drydock.calendar import Calendar

ZONE = ZoneInfo("Asia/Shanghai")
CALENDAR = Calendar.model_validate({"schema": "drydock-calendar/1"})
DAY = date(2026, 11, 18)  # a Wednesday
POLICY = AuditPolicy()


def row(day: date, hour: int, account: str = "APP", **told: object) -> dict[str, object]:
    at = datetime(day.year, day.month, day.day, hour, tzinfo=ZONE).astimezone(UTC)
    base = {"action": "SELECT", "object_schema": "DECL", "object_name": "FORM", "program": "JDBC Thin Client", "client": "app1"}
    rest = {"terminal": "", "os_user": "app", "succeeded": True, "return_code": "0", "records": 100, "rows": 1000}
    return {"hour": at, "account": account, **base, **rest, **told}


def frame(rows: list[dict[str, object]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=ACTIVITY)


def days_before(count: int = 28) -> list[date]:
    return [DAY - timedelta(days=n) for n in range(1, count + 1)]


def steady(day: date, chance: random.Random, account: str = "APP") -> list[dict[str, object]]:
    """Office hours, two hosts, three tables; volumes that waver by a third."""
    return [
        row(day, hour, account, records=chance.randint(80, 120), rows=chance.randint(700, 1300), client=client, object_name=name)
        for hour in range(9, 18)
        for client in ("app1", "app2")
        for name in ("FORM", "ITEM", "GOODS")
    ]


@pytest.fixture(scope="module")
def past() -> pl.DataFrame:
    chance = random.Random(7)
    return frame([r for day in days_before() for account in ("APP", "WANG") for r in steady(day, chance, account)])


def found(rows: list[dict[str, object]], past: pl.DataFrame) -> tuple[Hit, ...]:
    return outliers(frame([*steady(DAY, random.Random(8)), *rows]), past, POLICY, ZONE, CALENDAR)


def test_a_day_like_the_others_is_no_outlier(past: pl.DataFrame) -> None:
    assert found([], past) == ()
    assert found(steady(DAY, random.Random(9), "WANG"), past) == ()


CHANGES = [
    ("records_x10", {"records": 60_000, "rows": 0}, "records"),
    ("rows_x1000", {"records": 1, "rows": 90_000_000}, "rows"),
    ("failures_x100", {"records": 300, "rows": 0, "succeeded": False}, "failures"),
    ("new_hours", {"hour": 3}, "new_hours"),
    ("new_hosts", {"client": "laptop-9"}, "new_hosts"),
    ("new_objects", {"object_name": "SALARY"}, "new_objects"),
    ("new_programs", {"program": "PL/SQL Developer"}, "new_programs"),
]


@pytest.mark.parametrize(("label", "change", "what"), CHANGES)
def test_each_kind_of_change_is_named(label: str, change: dict[str, object], what: str, past: pl.DataFrame) -> None:
    change = {"records": 1, "rows": 1} | change
    hits = found([row(DAY, change.pop("hour", 11), **change)], past)
    assert len(hits) == 1
    told = hits[0].evidence
    assert hits[0].subject.action == label and told["reasons"] == what and told[f"{what}_score"] >= POLICY.outlier_score
    assert hits[0].subject.account == "APP" and hits[0].records > 0 and told[f"{what}_usual"] < told[what]


def test_names_of_what_is_new_are_told_and_make_the_pattern(past: pl.DataFrame) -> None:
    one = found([row(DAY, 11, client="laptop-9")], past)[0]
    other = found([row(DAY, 11, client="laptop-10")], past)[0]
    assert one.subject.client == "laptop-9" and one.evidence["new_hosts_names"] == "laptop-9"
    assert one.pattern != other.pattern
    many = found([row(DAY, 11, object_name=f"T{n}") for n in range(12)], past)[0]
    assert many.subject.object == "" and str(many.evidence["new_objects_names"]).endswith("(+7)")


def test_a_volume_that_was_excused_does_not_excuse_a_larger_one(past: pl.DataFrame) -> None:
    ten, thousand = (found([row(DAY, 11, records=n, rows=0)], past)[0] for n in (60_000, 60_000_000))
    assert ten.subject.action == "records_x10" and thousand.subject.action == "records_x10000"
    assert ten.pattern != thousand.pattern


def test_a_new_account_is_told_once(past: pl.DataFrame) -> None:
    hits = found([row(DAY, 11, "GHOST")], past)
    assert [(h.subject.account, h.subject.action) for h in hits] == [("GHOST", "new_account")]


def test_who_always_brings_something_new_is_not_told_for_it() -> None:
    wandering = [row(day, 10, "LI", object_name=f"T{day.toordinal()}_{n}") for day in days_before() for n in range(4)]
    today = [row(DAY, 10, "LI", object_name=f"NEW_{n}") for n in range(5)]
    assert outliers(frame(today), frame(wandering), POLICY, ZONE, CALENDAR) == ()
    storm = [row(DAY, 10, "LI", object_name=f"NEW_{n}") for n in range(60)]
    assert "new_objects" in outliers(frame(storm), frame(wandering), POLICY, ZONE, CALENDAR)[0].evidence


def test_logons_that_tell_no_program_are_not_another_program(past: pl.DataFrame) -> None:
    logon = {"program": "", "action": "LOGON", "object_name": "", "records": 1, "rows": None}
    assert found([row(DAY, 11, **logon)], past) == ()
    hits = found([row(DAY, 11, **logon | {"succeeded": False, "records": 400, "client": "laptop-9"})], past)
    assert [(h.subject.program, h.evidence["failures"]) for h in hits] == [("JDBC Thin Client", 400)]
    assert hits[0].subject.client == "laptop-9" and hits[0].evidence["new_hosts"] == 1
    assert found([row(DAY, 11, "", records=900_000)], past) == (), "nobody's records are nobody's habit"


def test_days_off_are_compared_with_days_off() -> None:
    quiet_sundays = [
        row(day, 11, records=5 if day.weekday() >= 5 else 20_000, rows=0)
        for day in [DAY - timedelta(days=n) for n in range(1, 60)]
    ]
    sunday = DAY + timedelta(days=4)
    hits = outliers(frame([row(sunday, 11, records=20_000, rows=0)]), frame(quiet_sundays), POLICY, ZONE, CALENDAR)
    assert [h.evidence["reasons"] for h in hits] == ["records"]
    assert outliers(frame([row(DAY, 11, records=20_000, rows=0)]), frame(quiet_sundays), POLICY, ZONE, CALENDAR) == ()


def test_without_a_past_nothing_is_compared_and_it_is_said(past: pl.DataFrame) -> None:
    short = frame([r for day in days_before(6) for r in steady(day, random.Random(1))])
    assert why_no_baseline(short, POLICY, ZONE) == "6 of 7 days with records before"
    assert why_no_baseline(frame([]), POLICY, ZONE).startswith("0 of 7") and why_no_baseline(past, POLICY, ZONE) == ""
    assert outliers(frame(steady(DAY, random.Random(2))), short, POLICY, ZONE, CALENDAR) == ()
    assert outliers(frame([]), past, POLICY, ZONE, CALENDAR) == ()


def test_holes_in_the_records_are_no_error(past: pl.DataFrame) -> None:
    holed = [row(DAY, 11) | {"client": None, "program": None, "rows": None, "succeeded": None}, row(DAY, 11) | {"hour": None}]
    assert found(holed, past) == (), "what is not told is nothing new"
    beside = row(DAY, 11, program="PL/SQL Developer")
    assert found([*holed, beside], past) == found([beside], past) != (), "and hides nothing that stands beside it"
