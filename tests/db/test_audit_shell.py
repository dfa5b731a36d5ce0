"""The commands of the audit on a real store and a real ledger: queue out, answers in, every record of an account, the report."""

from __future__ import annotations

import csv
import hashlib
import io
import os
import pwd
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import openpyxl
import pytest
from sqlalchemy import URL, Engine

from drydock.audit import steps
from drydock.audit.asked import Wanted
from drydock.audit.quarterly import reports, traces, tracing
from drydock.audit.quarterly.review_sheet import HEAD_ROW, KEYS, SHEET
from drydock.audit.results import Disposal
from drydock.audit.run import AuditRun
from drydock.audit.spans import Quarter, span_of_day
from drydock.audit.storage.places import store_place
from drydock.audit.storage.store import Store
from drydock.cli import main
from drydock.configuration import load_all
from drydock.ledger import audit_history, audit_record, record
from drydock.verdicts import Status
from tests.db.audit_world import csv_line
from tests.unit.configuration_folder import ESTATE, ConfigurationFolder

DATABASE, QUARTER = "shelled", Quarter(2026, 1)  # no other test of the session's ledger has a database of this name
DAYS = [date(2026, 3, 9)]  # a Monday; asking every rule of a day costs two seconds
POLICY = """
databases:
  shelled:
    sources: [{{id: server_log, kind: files, folder: '{folder}', names: ['*.csv']}}]
    allowed: [{{accounts: [app], programs: [psql], is_application: true}}]
    important_objects: [trade.orders]
    reviewers: [周工]
"""
Shell = tuple[Path, list[str]]


def lines_of(day: date) -> str:
    """An application all day, and an account that nobody approved that deletes without a reason."""
    noon = span_of_day(day, load_all().estate.database(DATABASE).zone)[0] + timedelta(hours=12)
    told = [csv_line(n, at=noon) for n in range(60)]
    deed = csv_line(70, "mallory", at=noon, message="statement: delete from trade.orders where id = 4711", session="9.9")
    told.append(deed.replace('"SELECT"', '"DELETE"'))
    return "".join(told)


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory, ledger: Engine, ledger_url: URL) -> Iterator[Shell]:
    root = tmp_path_factory.mktemp("audit_shell")
    folder = ConfigurationFolder(root / "config")
    folder.write("estate/test.yaml", ESTATE.replace("id: alpha", f"id: {DATABASE}"))
    (root / "logs").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DRYDOCK_CONFIG", str(folder.path))
        patch.setenv("DRYDOCK_ESTATE", "test")
        patch.setenv("DRYDOCK_STATE", str(root / "state"))
        patch.setenv("DRYDOCK_LEDGER_URL", ledger_url.render_as_string(hide_password=False))
        folder.append("audit.yaml", POLICY.format(folder=root / "logs"))
        for day in DAYS:
            (root / "logs" / f"{day}.csv").write_text(lines_of(day))
            run = a_run(ledger, day)
            steps.collect_day(run)
            steps.digest_day(run)
            steps.detect_day(run)
        yield root, ["--database", DATABASE, "--from", str(DAYS[0]), "--to", str(DAYS[-1])]


def a_run(ledger: Engine, day: date) -> AuditRun:
    configuration = load_all()
    database = configuration.estate.database(DATABASE)
    begin, end = span_of_day(day, database.zone)
    run_id = record.open_run(ledger, "audit", DATABASE, day, f"shell-{day}").run_id
    store = Store(Path(store_place(configuration.audit)), DATABASE, ledger)
    told = (configuration, ledger, database, configuration.audit.of(DATABASE), run_id, store, begin, end)
    return AuditRun(*told, now=end + timedelta(hours=1))


def fill(path: Path, rule: str, word: str, until: date | None = None) -> None:
    """Answer every line of a rule (an empty rule: the statements)."""
    book = openpyxl.load_workbook(path)
    for row in book[SHEET].iter_rows(min_row=HEAD_ROW + 1):
        cells = dict(zip(KEYS, row, strict=True))
        if (cells["rule"].value or "") == rule:
            cells["disposal"].value, cells["reason"].value, cells["until"].value = word, "已与业务方核对", until
    book.save(path)


def test_answers_close_what_they_close_and_the_report_says_so(
    shell: Shell, ledger: Engine, capsys: pytest.CaptureFixture
) -> None:
    root, span = shell
    sheet, filled = root / "queue.xlsx", root / "filled.xlsx"
    assert main(["audit-queue", *span, "--out", str(sheet)]) == 1
    filled.write_bytes(sheet.read_bytes())
    assert main(["audit-answers", str(filled), *span, "--reviewer", "周工"]) == 2
    fill(filled, "important_change", "安全事件")
    fill(filled, "", "经批准的例外")
    assert main(["audit-answers", str(filled), *span, "--reviewer", "周工"]) == 1
    assert "an approved exception needs its last day" in capsys.readouterr().err
    assert audit_history.reviews_of(ledger, DATABASE) == {}, "one wrong row, and nothing is taken"
    fill(filled, "", "正常业务")
    assert main(["audit-answers", str(filled), *span, "--reviewer", "nobody"]) == 64
    assert main(["audit-answers", str(filled), *span, "--reviewer", "周工"]) == 0
    words = [r.disposal for r in audit_history.reviews_of(ledger, DATABASE).values()]
    assert words.count(Disposal.INCIDENT) == 1 and words.count(Disposal.NORMAL) == 2
    assert main(["audit-queue", *span, "--waiting", "--out", str(sheet)]) == 1
    left = [row[KEYS.index("rule")] for row in openpyxl.load_workbook(sheet)[SHEET].iter_rows(min_row=5, values_only=True)]
    assert "unapproved_account" in left and "important_change" not in left and None not in left
    the_report_tells_it(ledger)


def the_report_tells_it(ledger: Engine) -> None:
    begin, end = QUARTER.span(load_all().estate.database(DATABASE).zone)
    run = replace(a_run(ledger, DAYS[0]), begin=begin, end=end, now=datetime.now().astimezone())
    facts = reports.facts_of(run)
    assert facts.records == facts.collected == 61 and facts.whole_days == 1 and len(facts.days) == 90
    assert facts.important.records == 1 and facts.important.unexplained == 1 == len(facts.important.lines)
    assert facts.example is not None and facts.example.is_incident
    assert [t.account for t in facts.example.lines] == ["mallory"] == ["mallory"] * facts.example.records
    assert {line.review.disposal for line in facts.top if line.review} == {Disposal.NORMAL} and not facts.unreviewed_statements
    assert facts.store is not None and facts.store.status is Status.PASS and facts.store.evidence["newest_hash"]
    assert "4711" not in facts.model_dump_json() and "--account mallory" in reports.tracing_command(facts)


def test_every_record_of_an_account_is_in_the_file(shell: Shell, capsys: pytest.CaptureFixture) -> None:
    root, _ = shell
    told = ["trace-audit", "--database", DATABASE, "--from", f"{DAYS[0]}T00:00", "--to", f"{DAYS[0] + timedelta(days=1)}T00:00"]
    assert main([*told, "--account", "MALLORY", "--out", str(root / "t.csv")]) == 0
    assert "1 of 61 records" in capsys.readouterr().out and "4711" not in (root / "t.csv").read_text()
    assert main([*told, "--object", "orders", "--exemplars", "--why", "工单 4711", "--out", str(root / "t.csv")]) == 0
    content = (root / "t.csv").read_bytes()
    rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))
    assert len(rows) == 61 and "delete from trade.orders where id = 4711" in {row["statement"] for row in rows}
    assert (root / "t.csv.sha256").read_text().split() == [hashlib.sha256(content).hexdigest(), "t.csv"]
    assert main([*told, "--account", "nobody", "--out", str(root / "none.jsonl")]) == 1
    past = ["trace-audit", "--database", DATABASE, "--from", "2025-01-01", "--to", "2025-01-02", "--out", str(root / "n.csv")]
    assert main(past) == 2


def of_the_day(out: Path, *more: str) -> list[str]:
    span = ["--from", f"{DAYS[0]}T00:00:00", "--to", str(DAYS[0] + timedelta(days=1))]
    return ["trace-audit", "--database", DATABASE, *span, "--out", str(out), *more]


def test_who_traced_what_and_why_stands_in_the_ledger(shell: Shell, ledger: Engine) -> None:
    out = shell[0] / "told.jsonl"
    assert main(of_the_day(out, "--host", "10.0.0.0", "--exemplars", "--why", "工单 4711")) == 0
    told = audit_history.traces_of(ledger, DATABASE)[-1]
    assert (told.asked.why, told.asked.with_statements, told.asked.asked_through) == ("工单 4711", True, "shell")
    assert told.asked.wanted.host == "10.0.0.0" and told.asked.asked_by.startswith(pwd.getpwuid(os.getuid()).pw_name + "@")
    assert (told.file, told.sha256) == (out.name, hashlib.sha256(out.read_bytes()).hexdigest()) and told.records


def test_statements_are_opened_only_after_the_ledger_knows(
    shell: Shell, ledger: Engine, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    out = shell[0] / "opened.jsonl"
    opening = of_the_day(out, "--account", "mallory", "--exemplars", "--why", "工单 4712")
    with monkeypatch.context() as patch:
        patch.setattr(tracing, "_with_statements", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
        assert main(opening) == 64
    told = audit_history.traces_of(ledger, DATABASE)[-1]
    assert (told.asked.why, told.sha256) == ("工单 4712", None), "asked for, and not known to be made"
    before = len(audit_history.traces_of(ledger, DATABASE))
    monkeypatch.setattr(audit_record, "save_trace_asked", lambda *_: (_ for _ in ()).throw(RuntimeError("the ledger is away")))
    with pytest.raises(RuntimeError):
        main(opening)
    assert not out.exists() and len(audit_history.traces_of(ledger, DATABASE)) == before


@pytest.mark.parametrize(
    ("more", "why"),
    [
        (["--account", "mallory", "--exemplars"], "say why"),
        (["--account", "mallory", "--exemplars", "--why", " x "], "too short"),
        (["--exemplars", "--why", "工单 4711"], "name an account"),
    ],
)
def test_statements_are_not_opened_without_a_reason_or_for_everybody(
    more: list[str], why: str, shell: Shell, ledger: Engine, capsys: pytest.CaptureFixture
) -> None:
    before, out = audit_history.traces_of(ledger, DATABASE), shell[0] / "refused.csv"
    assert main(of_the_day(out, *more)) == 64 and why in capsys.readouterr().err
    assert not out.exists() and audit_history.traces_of(ledger, DATABASE) == before


def test_a_policy_may_name_who_reads_statements(shell: Shell, ledger: Engine) -> None:
    run = a_run(ledger, DAYS[0])
    told = {"database": DATABASE, "begin": run.begin, "end": run.end, "wanted": Wanted(account="app"), "why": "工单 4711"}
    asked = traces.asked_for(**told, with_statements=True, asked_by="li@host (sudo by zhao)", asked_through="shell")
    traces.check_asked(asked, run.policy, ".csv")
    for readers in (("li",), ("wang", "li")):
        traces.check_asked(asked, run.policy.model_copy(update={"statement_readers": readers}), ".csv")
    with pytest.raises(tracing.TraceError, match="may not have statements"):
        traces.check_asked(asked, run.policy.model_copy(update={"statement_readers": ("zhao",)}), ".csv")


def test_files_of_traces_go_when_statements_may_be_kept_no_longer(shell: Shell, ledger: Engine) -> None:
    run, folder = a_run(ledger, DAYS[0]), traces.traces_dir(DATABASE)
    folder.mkdir(parents=True)
    for name, days in (("trace-1.csv", 191), ("trace-1.csv.sha256", 191), ("trace-2.csv", 189)):
        (folder / name).touch()
        at = (run.now - timedelta(days=days)).timestamp()
        os.utime(folder / name, (at, at))
    assert traces.sweep_traces(run) == 2 and [path.name for path in folder.iterdir()] == ["trace-2.csv"]


def test_the_dag_writes_the_same_file_and_its_page_tells_no_value(
    shell: Shell, ledger: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    from airflow.sdk.exceptions import AirflowFailException

    from drydock.orchestration import audit_trace

    chosen = {"begin": f"{DAYS[0]}T00:00", "end": f"{DAYS[0] + timedelta(days=1)}T00:00", "account": "mallory", "format": "csv"}
    chosen |= {"why": "工单 4713", "with_statements": True}
    context = {"params": chosen, "dag_run": SimpleNamespace(run_id="manual__7", triggering_user_name="wang")}
    monkeypatch.setattr(audit_trace, "get_current_context", lambda: context)
    monkeypatch.setattr(audit_trace, "open_ledger", lambda: ledger)
    told = audit_trace.trace.function(DATABASE)
    path = Path(told["file"])
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert "id = 4711" in path.read_text() and told["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert (told["records"], told["examined"]) == (1, 61) and not {"mallory", "4711"} & set(re.split(r"\W", str(told)))
    row = audit_history.traces_of(ledger, DATABASE)[-1]
    assert (row.asked.asked_by, row.asked.run_key, row.asked.why, row.sha256) == (
        "wang",
        "manual__7",
        "工单 4713",
        told["sha256"],
    )
    for wrong, why in (
        ({"end": chosen["begin"]}, "the stretch ends"),
        ({"begin": "2025-01-01", "end": "2025-01-02"}, "holds nothing"),
    ):
        context["params"] = chosen | wrong
        with pytest.raises(AirflowFailException, match=why):
            audit_trace.trace.function(DATABASE)


@pytest.fixture
def bucket(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same store, by a URL."""
    folder = shell[0] / "by_url"
    shutil.copytree(shell[0] / "config", folder, dirs_exist_ok=True)
    policy = folder / "audit.yaml"
    policy.write_text(policy.read_text() + f"store: file://{shell[0]}/state/audit\n")
    monkeypatch.setenv("DRYDOCK_CONFIG", str(folder))
    return policy


def test_a_store_on_object_storage_is_reached_from_the_shell(shell: Shell, bucket: Path, capsys: pytest.CaptureFixture) -> None:
    assert load_all().audit.store.startswith("file://")
    assert main(of_the_day(shell[0] / "url.csv", "--account", "mallory", "--exemplars", "--why", "工单 4711")) == 0
    assert "id = 4711" in (shell[0] / "url.csv").read_text() and "1 of 61 records" in capsys.readouterr().out
    assert main(["audit-queue", *shell[1], "--out", str(shell[0] / "url.xlsx")]) == 1
    assert list((shell[0] / "state" / "audit_cache").rglob("*.parquet")), "read through the opener, not as a folder"


@pytest.mark.parametrize(
    ("store", "why"),
    [
        ("nope://x/audit", "nope:// cannot be reached"),
        ("s3://x/audit", "Install s3fs"),
    ],
)
def test_storage_that_cannot_be_reached_is_bad_usage(
    store: str, why: str, shell: Shell, bucket: Path, capsys: pytest.CaptureFixture
) -> None:
    """A kind of storage that no library here knows is told at once, with what is missing."""
    text = bucket.read_text()
    bucket.write_text(text[: text.index("store: file")] + f"store: {store}\n")
    assert main(of_the_day(shell[0] / "away.csv", "--account", "mallory")) == 64
    assert why in capsys.readouterr().err and not (shell[0] / "away.csv").exists()


@pytest.mark.parametrize(
    ("args", "why"),
    [
        (["audit-queue", "--database", "nope", "--quarter", "2026Q1", "--out", "q.xlsx"], "no database 'nope'"),
        (["audit-queue", "--database", DATABASE, "--out", "q.xlsx"], "name a --quarter"),
        (["audit-queue", "--database", DATABASE, "--quarter", "2026Q9", "--out", "q.xlsx"], "is no quarter"),
        (
            ["trace-audit", "--database", DATABASE, "--from", "2026-03-09", "--to", "2026-03-09", "--out", "t.csv"],
            "the stretch ends",
        ),
        (
            ["trace-audit", "--database", DATABASE, "--from", "2026-03-09", "--to", "2026-03-10", "--out", "t.txt"],
            "must end in .csv",
        ),
        (["audit-queue", "--database", DATABASE, "--quarter", "2026Q1", "--out", "/no/such/folder/q.xlsx"], "No such file"),
    ],
)
def test_what_cannot_be_done_is_bad_usage(args: list[str], why: str, shell: Shell, capsys: pytest.CaptureFixture) -> None:
    assert main(args) == 64 and why in capsys.readouterr().err
