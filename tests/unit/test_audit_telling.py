"""The day's verdicts of the audit: silence is never good news, and what nothing explains is told by its weight."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from drydock.audit.policy import AuditPolicy, AuditSource, SourceKind
from drydock.audit.results import Detection, Explained, Hit, Severity, Slice, Subject
from drydock.audit.telling import MOST_UNREAD, judge_alarms, judge_collected
from drydock.configuration import load_estate
from drydock.messages import load_messages, message
from drydock.reporting.audit_notice import AuditTold, build_audit_notice
from drydock.verdicts import Status, Verdict

BEGIN, END = datetime(2026, 11, 20, 16, tzinfo=UTC), datetime(2026, 11, 21, 16, tzinfo=UTC)
LOGS = AuditSource(id="server_log", kind=SourceKind.FILES, folder="/logs")
POLICY = AuditPolicy(sources=(LOGS,))
DATABASE = load_estate("sandbox").database("gz_main")


def a_slice(**changes: object) -> Slice:
    told = {"database": "gz_main", "source": "server_log", "day": date(2026, 11, 21), "begin": BEGIN, "end": END, "files": ()}
    return Slice(**(told | {"records": 10, "set_aside": 0} | changes))


def a_hit(severity: Severity = Severity.HIGH, **subject: str) -> Hit:
    return Hit(rule="bulk_read", severity=severity, subject=Subject(**subject), first_at=BEGIN, last_at=BEGIN, records=7)


def detected(*alarms: Hit, **changes: object) -> Detection:
    told = {"database": "gz_main", "begin": BEGIN, "end": END, "records": 90, "rules": {"bulk_read": len(alarms), "gap": 0}}
    return Detection(**(told | {"alarms": alarms} | changes))


def codes(verdict: Verdict) -> list[str]:
    return [f.code for f in verdict.findings]


def test_a_day_with_records_is_collected() -> None:
    verdict = judge_collected(POLICY, "gz_main", [a_slice(), a_slice(records=5)])
    assert (verdict.status, verdict.examined, codes(verdict)) == (Status.PASS, 15, [])


@pytest.mark.parametrize(
    ("policy", "slices", "code", "status"),
    [
        (AuditPolicy(), [], "audit_no_source", Status.UNKNOWN),
        (POLICY, [], "audit_source_empty", Status.UNKNOWN),
        (POLICY, [a_slice(records=0)], "audit_source_empty", Status.UNKNOWN),
        (POLICY, [a_slice(source="other")], "audit_source_empty", Status.UNKNOWN),
        (POLICY, [a_slice(set_aside=3, set_aside_bytes=99)], "audit_set_aside", Status.WARN),
        (POLICY, [a_slice(unread=("b.csv: permission denied",))], "audit_unread", Status.FAIL),
    ],
)
def test_what_is_missing_is_told(policy: AuditPolicy, slices: list[Slice], code: str, status: Status) -> None:
    verdict = judge_collected(policy, "gz_main", slices)
    assert (codes(verdict), verdict.status) == ([code], status)


def test_many_unread_files_are_counted() -> None:
    names = tuple(f"{n}.csv: cut" for n in range(MOST_UNREAD + 4))
    verdict = judge_collected(POLICY, "gz_main", [a_slice(unread=names), a_slice(unread=names)])
    assert codes(verdict).count("audit_unread") == MOST_UNREAD and codes(verdict)[-1] == "audit_unread_more"
    assert verdict.findings[-1].values == {"files": 4}


@pytest.mark.parametrize(
    ("severity", "status"),
    [
        (Severity.CRITICAL, Status.FAIL),
        (Severity.HIGH, Status.FAIL),
        (Severity.MEDIUM, Status.WARN),
        (Severity.INFO, Status.WARN),
    ],
)
def test_an_alarm_is_told_by_its_weight(severity: Severity, status: Status) -> None:
    verdict = judge_alarms("gz_main", [detected(a_hit(severity, account="o\x1b[31m{x}'neil"))])
    assert (codes(verdict), verdict.status, verdict.examined) == (["audit_alarm"], status, 2)
    assert "{x}" in message(verdict.findings[0], "zh") and "\x1b" not in message(verdict.findings[0], "en")


def test_a_quiet_day_passes_and_a_day_without_rules_is_unknown() -> None:
    assert judge_alarms("gz_main", [detected(explained={Explained.TICKET: 3})]).status is Status.PASS
    assert judge_alarms("gz_main", [detected(rules={})]).status is Status.UNKNOWN
    nothing = judge_alarms("gz_main", [])
    assert (codes(nothing), nothing.status) == (["audit_not_detected"], Status.UNKNOWN)


def test_what_is_beyond_the_budget_is_counted() -> None:
    verdict = judge_alarms("gz_main", [detected(beyond_budget=31)])
    assert (codes(verdict), verdict.findings[0].values, verdict.evidence["beyond_budget"]) == (
        ["audit_beyond_budget"],
        {"hits": 31},
        31,
    )


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_notice_tells_verdicts_alarms_and_what_waits(language: str) -> None:
    verdicts = (judge_collected(POLICY, "gz_main", [a_slice()]), judge_alarms("gz_main", [detected(a_hit(account="liu"))]))
    told = AuditTold(DATABASE, "2026-11-21 2026Q4", verdicts, waiting=12)
    notice = build_audit_notice(told, language, ["/reports/a.docx"])
    assert notice.status is Status.FAIL and "2026-11-21 2026Q4" in notice.subject and "a.docx" in notice.text
    assert all(
        part in notice.text for part in ("90", "12", "liu", "bulk_read", load_messages()["audit_alarm"][f"next_{language}"])
    )


@pytest.mark.parametrize(
    ("verdicts", "waiting", "status"),
    [((), None, Status.UNKNOWN), (None, 0, Status.PASS), (None, 3, Status.WARN), (None, None, Status.PASS)],
)
def test_the_colour_of_the_notice(verdicts: tuple | None, waiting: int | None, status: Status) -> None:
    notice = build_audit_notice(AuditTold(DATABASE, "2026Q3", verdicts, waiting), "en")
    assert notice.status is status and ("Nothing was judged" in notice.text) is (verdicts == ())
