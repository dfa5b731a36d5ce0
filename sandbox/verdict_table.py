"""The verdicts of the sandbox as a table, and how they differ from what was planted."""

from __future__ import annotations

from collections.abc import Mapping

from drydock import messages
from drydock.backup.results import Judgement
from drydock.verdicts import Status, Verdict
from rich.table import Table

from sandbox.truth import TRUTH, Planted

STYLES = {Status.PASS: "green", Status.WARN: "yellow", Status.FAIL: "bold red", Status.UNKNOWN: "magenta", Status.SKIPPED: "dim"}


def verdict_table(judgements: Mapping[str, Judgement], language: str) -> Table:
    """One row per database: four verdicts in columns of their own, and the answer in words and numbers."""
    table = Table(title="备份判定 · Backup verdicts", title_justify="left")
    for column in ("database", "executed", "complete", "valid", "normal", "restorable", "RPO", "RTO", "findings"):
        table.add_column(column, overflow="fold")
    for database, judgement in sorted(judgements.items()):
        marks = [f"[{STYLES[v.status]}]{v.status}[/]" for v in judgement.verdicts]
        table.add_row(database, *marks, *_answer(judgement), _findings(judgement, language))
    return table


def _answer(judgement: Judgement) -> tuple[str, str, str]:
    windows = [f"{w.start.astimezone():%m-%d %H:%M} – {w.end.astimezone():%m-%d %H:%M}" for w in judgement.restorable]
    rpo = "–" if judgement.rpo_now_s is None else f"{judgement.rpo_now_s / 60:.1f} min"
    rto = "–" if judgement.rto is None else f"{judgement.rto.seconds:.1f} s"
    return "\n".join(windows) or "–", rpo, rto


def _findings(judgement: Judgement, language: str) -> str:
    return "\n".join(f"{f.code}: {messages.message(f, language)}".replace("[", "\\[") for f in judgement.findings) or "–"


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


def _difference(database: str, verdict: Verdict, planted: Planted | None) -> list[str]:
    found = frozenset(f.code for f in verdict.findings if f.status.is_red)
    if planted is None or (verdict.status in planted.statuses and found == planted.codes):
        return []
    wanted = " or ".join(planted.statuses)
    return [f"{database} {verdict.question}: {verdict.status} {sorted(found)}, planted {wanted} {sorted(planted.codes)}"]
