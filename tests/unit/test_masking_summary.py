"""The quarterly summary of masking: missing copies are named, an empty quarter is a finding, nothing is owed before its end."""

from __future__ import annotations

from datetime import date

import pytest

from drydock import cli
from drydock.masking.summary import CopyLine, Quarter, QuarterRecord, quarter_of, read_quarter, state_of
from drydock.messages import message, next_step
from drydock.reporting.document import Document, KeyFigures, Table
from drydock.reporting.docx_writer import write_docx
from drydock.reporting.html_writer import write_html
from drydock.reporting.masking_summary import build_masking_summary
from drydock.reporting.xlsx_writer import write_xlsx
from drydock.verdicts import Status
from tests.unit.masking_report_samples import HEALTHY, make_copy, make_outcomes
from tests.unit.report_samples import make_estate

OTHERS = [d.id for d in make_estate().databases if d.id != HEALTHY]
Q4, AFTER, WITHIN = Quarter(year=2026, number=4), date(2027, 1, 4), date(2026, 11, 22)


def delivered(database: str = HEALTHY) -> CopyLine:
    copy = make_copy()
    told = {"run_id": 7, "run_key": "scheduled", "day": WITHIN, "target": "test_copy", "runs": 2, "tables": 3, "rows": 498_000}
    return CopyLine(database=database, state="delivered", smallest_k=3, verdicts=copy.verdicts, status=Status.PASS, **told)


def told(*lines: CopyLine, on: date = AFTER, databases: tuple[str, ...] | None = None) -> QuarterRecord:
    owed = databases if databases is not None else tuple(line.database for line in lines)
    return QuarterRecord(quarter=Q4, on=on, language="zh", databases=owed, lines=lines)


def first_page(document: Document) -> str:
    return "\n".join(b.model_dump_json() for b in document.summary)


@pytest.mark.parametrize("day", [date(2026, 1, 1), date(2026, 3, 31), date(2026, 10, 1), date(2026, 12, 31), date(2024, 2, 29)])
def test_a_day_lies_in_its_quarter(day: date) -> None:
    quarter = quarter_of(day)
    assert quarter.first <= day <= quarter.last and read_quarter(str(quarter)) == quarter
    assert quarter_of(quarter.last) == quarter != quarter_of(date.fromordinal(quarter.last.toordinal() + 1))


def test_a_whole_quarter_has_no_findings() -> None:
    record = told(delivered())
    document = build_masking_summary(record, make_estate())
    assert (record.verdict.status, record.findings(), document.status) == (Status.PASS, [], Status.PASS)
    row = next(b for b in document.blocks if isinstance(b, Table) and b.caption == "各数据库的副本").rows[0]
    assert row[1:] == ("已交付", WITHIN, "test_copy", 3, 498_000, 3, "PASS", 2)
    figures = next(b for b in document.summary if isinstance(b, KeyFigures)).figures
    assert [f.value for f in figures][1:3] == ["1 / 1 (100.0%)", "498,000"]


def test_what_is_missing_is_named() -> None:
    lines = (delivered(), CopyLine(database=OTHERS[0], state="no_run"), CopyLine(database=OTHERS[1], state="quarantined", runs=3))
    record = told(*lines)
    assert [(f.code, f.place, f.status) for f in record.findings()] == [
        ("masking_copy_missing", OTHERS[0], Status.FAIL),
        ("masking_copy_missing", OTHERS[1], Status.FAIL),
    ]
    assert "没有运行" in message(record.findings()[0], "zh") and "quarantined, 3 runs" in message(record.findings()[1], "en")
    page = first_page(build_masking_summary(record, make_estate()))
    names = [d.name_zh for d in make_estate().databases if d.id in OTHERS[:2]]
    assert all(name in page for name in names) and "1 / 3 (33.3%)" in page


def test_within_the_quarter_it_is_a_reminder() -> None:
    record = told(CopyLine(database=HEALTHY, state="nothing_copied", runs=1), on=WITHIN)
    assert {(f.code, f.status) for f in record.findings()} == {
        ("masking_quarter_empty", Status.WARN),
        ("masking_copy_missing", Status.WARN),
    }
    assert record.verdict.status is Status.WARN
    assert "只作提醒" in first_page(build_masking_summary(record, make_estate()))


def test_an_empty_quarter_is_a_finding_and_no_policy_is_unknown() -> None:
    empty = told(CopyLine(database=HEALTHY, state="no_run"))
    assert [f.code for f in empty.findings()] == ["masking_quarter_empty", "masking_copy_missing"]
    assert "本季度没有交付任何脱敏副本" in first_page(build_masking_summary(empty, make_estate()))
    nothing = told(databases=())
    assert [f.code for f in nothing.findings()] == ["masking_quarter_without_policies"]
    assert build_masking_summary(nothing, make_estate()).status is Status.UNKNOWN
    assert all(next_step(f.code, "zh") for f in (*empty.findings(), *nothing.findings()))


def test_a_copy_of_a_database_without_a_policy_is_told_and_counts_for_nothing() -> None:
    record = told(delivered(OTHERS[0]), CopyLine(database=HEALTHY, state="no_run"), databases=(HEALTHY,))
    assert [line.database for line in record.missing] == [HEALTHY]
    page = build_masking_summary(record, make_estate())
    assert "0 / 1 (0.0%)" in first_page(page) and "现无策略" in "".join(b.model_dump_json() for b in page.blocks)


def test_all_formats_are_written_and_the_same_facts_make_the_same_bytes() -> None:
    for language in ("zh", "en"):
        record = told(delivered(), CopyLine(database=OTHERS[0], state="no_run")).model_copy(update={"language": language})
        document = build_masking_summary(record, make_estate())
        assert (
            write_docx(document)
            and write_html(document)
            and write_xlsx(document) == write_xlsx(build_masking_summary(record, make_estate()))
        )


def test_the_state_is_that_of_the_outcomes() -> None:
    assert [state_of(o) for o in (make_outcomes(), make_outcomes(Status.SKIPPED), ())] == [
        "delivered",
        "quarantined",
        "nothing_copied",
    ]


def test_a_quarter_that_is_none_is_bad_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["masking-summary", "2026Q5", "--url", "postgresql://nobody@localhost:1/none"]) == 64
    assert "write it as 2026Q4" in capsys.readouterr().err
