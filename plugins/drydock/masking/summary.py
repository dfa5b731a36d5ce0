"""The quarterly summary of masking over all databases (脱敏管理季度汇总): what was delivered, what was not, what is missing.

Every database with a masking policy owes one delivered copy in each quarter. One that has none is named; a quarter without
any is a finding and never an empty page.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

from pydantic import Field
from sqlalchemy import select

from drydock.ledger import change_history
from drydock.ledger.connect import Ledger, transaction
from drydock.ledger.masking_record import copy_verification_of_run
from drydock.ledger.models import RunRow
from drydock.masking.copy_checks.verifying import CopyVerification
from drydock.outcomes import Outcome
from drydock.reporting.document import Language
from drydock.verdicts import Finding, Model, Status, Verdict, judge

PIPELINE = "masking"
DONE = (Status.PASS, Status.WARN)
QUESTION = "quarter"
_QUARTER = re.compile(r"(?P<year>20\d\d)[Qq](?P<number>[1-4])\Z")


class Quarter(Model):
    """Three months of a year."""

    year: int
    number: int = Field(ge=1, le=4)

    @property
    def first(self) -> date:
        return date(self.year, 3 * self.number - 2, 1)

    @property
    def last(self) -> date:
        following = date(self.year + self.number // 4, 3 * self.number % 12 + 1, 1)
        return following - timedelta(days=1)

    def __str__(self) -> str:
        return f"{self.year}Q{self.number}"


def quarter_of(day: date) -> Quarter:
    return Quarter(year=day.year, number=(day.month + 2) // 3)


def read_quarter(text: str) -> Quarter:
    """`2026Q4`. Raises ValueError for anything else."""
    match = _QUARTER.match(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is no quarter; write it as 2026Q4")
    return Quarter(year=int(match["year"]), number=int(match["number"]))


class CopyLine(Model):
    """What a quarter brought one database: its newest delivered run, else its newest run. `state`: delivered, quarantined,
    nothing_copied, or no_run."""

    database: str
    state: str
    run_id: int | None = None
    run_key: str = ""
    day: date | None = None
    target: str = ""
    runs: int = Field(0, ge=0, description="of the quarter")
    tables: int | None = None
    rows: int | None = None
    smallest_k: int | None = None
    verdicts: tuple[Verdict, ...] = ()
    status: Status = Status.UNKNOWN


class QuarterRecord(Model):
    """The summary of one quarter. `databases`: those with a policy; a run of another one is told too."""

    quarter: Quarter
    on: date
    language: Language
    databases: tuple[str, ...]
    lines: tuple[CopyLine, ...]

    @property
    def is_over(self) -> bool:
        return self.on > self.quarter.last

    @property
    def delivered(self) -> tuple[CopyLine, ...]:
        return tuple(line for line in self.lines if line.state == "delivered")

    @property
    def missing(self) -> tuple[CopyLine, ...]:
        """Databases that owe a copy and have none."""
        return tuple(line for line in self.lines if line.database in self.databases and line.state != "delivered")

    @property
    def verdict(self) -> Verdict:
        return judge(
            QUESTION, len(self.lines), tuple(self.findings()), databases=len(self.databases), delivered=len(self.delivered)
        )

    def findings(self) -> list[Finding]:
        """A quarter with nothing in it, then each database that owes its copy: FAIL once the quarter is over."""
        told = {"quarter": str(self.quarter)}
        if not self.databases:
            return [Finding(code="masking_quarter_without_policies", status=Status.UNKNOWN, values=told)]
        late = Status.FAIL if self.is_over else Status.WARN
        found = [Finding(code="masking_quarter_empty", status=late, values=told)] if not self.delivered else []
        return found + [
            Finding(
                code="masking_copy_missing",
                status=late,
                place=line.database,
                values=told | {"state": line.state, "runs": line.runs},
            )
            for line in self.missing
        ]


def read_summary(ledger: Ledger, databases: Sequence[str], quarter: Quarter, on: date, language: Language) -> QuarterRecord:
    """What the ledger knows of the quarter, for every database with a policy and every other one that was run."""
    runs: dict[str, list[tuple[int, str, date]]] = {name: [] for name in databases}
    for run_id, database, run_key, day in _runs(ledger, quarter):
        runs.setdefault(database, []).append((run_id, run_key, day))
    lines = tuple(_line(ledger, database, some) for database, some in sorted(runs.items()))
    return QuarterRecord(quarter=quarter, on=on, language=language, databases=tuple(sorted(databases)), lines=lines)


def _runs(ledger: Ledger, quarter: Quarter) -> list[tuple[int, str, str, date]]:
    query = select(RunRow.id, RunRow.database, RunRow.run_key, RunRow.day).where(RunRow.pipeline == PIPELINE)
    query = query.where(RunRow.day.between(quarter.first, quarter.last)).order_by(RunRow.id)
    with transaction(ledger) as connection:
        return [(row.id, row.database, row.run_key, row.day) for row in connection.execute(query)]


def _line(ledger: Ledger, database: str, runs: Sequence[tuple[int, str, date]]) -> CopyLine:
    if not runs:
        return CopyLine(database=database, state="no_run")
    made = [(run, change_history.outcomes_of_run(ledger, run[0])) for run in runs]
    (run_id, run_key, day), outcomes = next((m for m in reversed(made) if state_of(m[1]) == "delivered"), made[-1])
    verified = copy_verification_of_run(ledger, run_id)
    told = {
        "database": database,
        "state": state_of(outcomes),
        "run_id": run_id,
        "run_key": run_key,
        "day": day,
        "runs": len(runs),
    }
    return CopyLine(**told, **(_figures(CopyVerification.model_validate(verified[2])) if verified else {}))


def _figures(copy: CopyVerification) -> dict[str, object]:
    sets = copy.reidentification.quasi if copy.reidentification else ()
    return {
        "target": copy.target,
        "tables": len(copy.rows),
        "rows": sum(copy.rows.values()),
        "smallest_k": min((q.k for q in sets), default=None),
        "verdicts": copy.verdicts,
        "status": copy.status,
    }


def state_of(outcomes: Sequence[Outcome]) -> str:
    """Where the outcomes leave a copy."""
    done = {o.item_key.split(" ", 1)[0] for o in outcomes if o.status in DONE}
    return "delivered" if "mask_deliver" in done else "quarantined" if "mask_chunk" in done else "nothing_copied"


def write_summary(
    ledger: Ledger, quarter: Quarter, on: date, folder: Path | None = None
) -> tuple[QuarterRecord, tuple[Path, ...]]:
    """Write the summary as docx, html and xlsx below the reports (or into `folder`); returns what it says and the paths.

    Raises ConfigurationError, sqlalchemy.exc.OperationalError for a ledger that is not there.
    """
    from drydock import settings
    from drydock.configuration import load_all, masking_names
    from drydock.reporting.masking_summary import build_masking_summary
    from drydock.reporting.publish import publish

    told = read_summary(ledger, masking_names(), quarter, on, settings.language())
    files = publish(build_masking_summary(told, load_all().estate), folder or settings.reports_dir() / str(quarter))
    return told, tuple(sorted(file.path for file in files))
