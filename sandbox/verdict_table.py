"""The verdicts of the sandbox as a table, and how they differ from what was planted."""

from __future__ import annotations

from collections.abc import Mapping
from zoneinfo import ZoneInfo

from rich.table import Table

from drydock import messages
from drydock.backup.results import Judgement
from drydock.estate import Estate
from drydock.verdicts import Status, Verdict
from sandbox.truth import TRUTH, Planted

STYLES = {Status.PASS: "green", Status.WARN: "yellow", Status.FAIL: "bold red", Status.UNKNOWN: "magenta", Status.SKIPPED: "dim"}


def verdict_table(judgements: Mapping[str, Judgement], estate: Estate) -> Table:
    """One row per database: four verdicts in columns of their own, and the answer in words and numbers."""
    table = Table(title="备份判定 · Backup verdicts", title_justify="left")
    for column in ("database", "executed", "complete", "valid", "normal", "restorable from – to", "RPO now", "RTO"):
        table.add_column(column, no_wrap=True)
    for database, judgement in sorted(judgements.items()):
        marks = [f"[{STYLES[v.status]}]{v.status}[/]" for v in judgement.verdicts]
        table.add_row(database, *marks, *_answer(judgement, estate.database(database).zone))
    return table


def _answer(judgement: Judgement, zone: ZoneInfo) -> tuple[str, str, str]:
    windows = [f"{w.start.astimezone(zone):%m-%d %H:%M} – {w.end.astimezone(zone):%m-%d %H:%M}" for w in judgement.restorable]
    rpo = "–" if judgement.rpo_now_s is None else f"{judgement.rpo_now_s / 60:.1f} min"
    rto = "–" if judgement.rto is None else f"{judgement.rto.seconds:.1f} s"
    return "\n".join(windows) or "–", rpo, rto


def finding_lines(judgements: Mapping[str, Judgement], language: str) -> list[str]:
    """Every finding in one line: database, verdict, code, place, what it means."""
    return [
        f"  {database} {verdict.question} {f.status} {f.code} @ {f.place}: {messages.message(f, language)}"
        for database, judgement in sorted(judgements.items())
        for verdict in judgement.verdicts
        for f in verdict.findings
    ]


def differences(judgements: Mapping[str, Judgement], states: Mapping[str, str]) -> list[str]:
    """What is not as planted, one line each: a missing judgement, a wrong verdict or code, a run of the wrong colour."""
    lines: list[str] = []
    for database, planted in TRUTH.items():
        judgement = judgements.get(database)
        if judgement is None:
            lines.append(f"{database}: not judged")
            continue
        for verdict in judgement.verdicts:
            lines += _difference(database, verdict, planted[verdict.question])
        colour = "failed" if judgement.status.is_red else "success"
        if states.get(f"backup__{database}") != colour:
            lines.append(f"{database}: its run ended as {states.get(f'backup__{database}')}, planted {colour}")
    return lines


def _difference(database: str, verdict: Verdict, planted: Planted) -> list[str]:
    found = frozenset(f.code for f in verdict.findings if f.status.is_red)
    if planted.is_told_by(verdict.status, frozenset(found)):
        return []
    wanted = " or ".join(planted.statuses)
    return [f"{database} {verdict.question}: {verdict.status} {sorted(found)}, planted {wanted} {sorted(planted.codes)}"]
