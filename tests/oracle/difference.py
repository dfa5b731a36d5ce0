"""Simulator against server, statement by statement: what each gave, whether they agree, and a page to correct the model by."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import oracledb

from drydock.engines.oracle_errors import code_of
from tests.oracle.live_target import ServerFacts
from tests.oracle.yard import Yard, is_gap

MOST_ROWS = 20_000
Verdict = Literal["same", "differs", "not comparable"]
WARNING = (
    "> **The server of this run was Drydock's own simulator. This page compares the simulator with itself: "
    "it proves that the suite runs, and nothing at all about Oracle.**"
)


@dataclass(frozen=True)
class Observation:
    """What one server gave for one statement. `filled`: columns with a value in any row; `missing`: why there is no answer."""

    columns: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    rows: int | None = None
    error: str = ""
    filled: frozenset[str] = frozenset()
    missing: str = ""


@dataclass(frozen=True)
class Comparison:
    """One line of the page."""

    statement: str
    server: Observation
    simulator: Observation
    verdict: Verdict
    why: str


@dataclass
class DifferencePage:
    """All lines, in the order of asking; a statement told twice keeps its last line."""

    facts: ServerFacts
    lines: dict[str, Comparison] = field(default_factory=dict)

    def add(self, statement: str, server: Observation, simulator: Observation) -> Comparison:
        line = compare(statement, server, simulator)
        self.lines[statement] = line
        return line

    def text(self, now: datetime | None = None) -> str:
        """The page as Markdown."""
        counts = Counter(line.verdict for line in self.lines.values())
        title = f"# Simulator against server: the server was {'a SIMULATOR' if self.facts.is_simulator else 'Oracle'}"
        told = [
            title,
            *([WARNING] if self.facts.is_simulator else []),
            f"Server: {self.facts.kind}; `{self.facts.banner}`; {self.facts.role}, {self.facts.log_mode}, "
            f"{'CDB, in ' + self.facts.container if self.facts.is_cdb else 'no CDB'}. "
            f"Written {(now or datetime.now(UTC)):%Y-%m-%d %H:%M} UTC.",
            ", ".join(f"{counts[v]} {v}" for v in ("same", "differs", "not comparable"))
            + ". What each verdict means and where to correct the model: docs/oracle-proof.md.",
        ]
        names = ("statement", "verdict", "rows server / simulator", "columns of the server", "error server / simulator", "why")
        table = [f"| {' | '.join(names)} |", "|" + "---|" * len(names), *map(_row, self.lines.values())]
        return "\n\n".join(told) + "\n\n" + "\n".join(table) + "\n"

    def summary(self) -> str:
        """The lines that differ, for a terminal."""
        counts = Counter(line.verdict for line in self.lines.values())
        told = ", ".join(f"{counts[v]} {v}" for v in ("same", "differs", "not comparable"))
        differing = [f"  differs: {line.statement}: {line.why}" for line in self.lines.values() if line.verdict == "differs"]
        return "\n".join([told, *differing])

    def write(self, path: Path) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self.text(), encoding="utf-8")
        return path


def compare(statement: str, server: Observation, simulator: Observation) -> Comparison:
    """Same: the same error, or the same columns of the same types. Rows are told, not judged: the two hold different data."""
    verdict, why = _judged(server, simulator)
    return Comparison(statement, server, simulator, verdict, why)


def _judged(server: Observation, simulator: Observation) -> tuple[Verdict, str]:
    if server.missing or simulator.missing:
        sides = [f"server: {server.missing}"] if server.missing else []
        return "not comparable", "; ".join(sides + ([f"simulator: {simulator.missing}"] if simulator.missing else []))
    if server.error != simulator.error:
        return "differs", f"error: server {server.error or 'none'}, simulator {simulator.error or 'none'}"
    if server.columns != simulator.columns:
        return "differs", f"columns: server {', '.join(server.columns)}; simulator {', '.join(simulator.columns)}"
    pairs = zip(server.columns, server.types, simulator.types, strict=True)
    other = [f"{name} is {ours} on the server, {theirs} in the simulator" for name, ours, theirs in pairs if ours != theirs]
    return ("differs", "; ".join(other)) if other else ("same", _filled(server, simulator))


def _filled(server: Observation, simulator: Observation) -> str:
    """A hint for the model: columns that only one side ever fills, where both have rows."""
    if not server.rows or not simulator.rows:
        return ""
    told = {"server": server.filled - simulator.filled, "simulator": simulator.filled - server.filled}
    return "; ".join(f"only the {side} fills {', '.join(sorted(names))}" for side, names in told.items() if names)


def _row(line: Comparison) -> str:
    s, m = line.server, line.simulator
    rows = f"{'-' if s.rows is None else s.rows} / {'-' if m.rows is None else m.rows}"
    types = ", ".join(f"{name} {kind}" for name, kind in zip(s.columns, s.types, strict=True)) or "-"
    cells = (f"`{line.statement}`", line.verdict, rows, types, f"{s.error or '-'} / {m.error or '-'}", line.why or "-")
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


def observe(yard: Yard, connection: oracledb.Connection, sql: str, binds: dict[str, Any] | None = None) -> Observation:
    """Ask one query and describe what came; never raises for what the server says."""
    with closing(connection.cursor()) as cursor:
        try:
            cursor.execute(sql, binds or {}, fetch_lobs=False, fetch_decimals=True)
            rows = cursor.fetchmany(MOST_ROWS)
        except oracledb.Error as e:
            return _refused(yard, e)
        names = tuple(column.name.lower() for column in cursor.description)
        types = tuple(column.type_code.name.removeprefix("DB_TYPE_") for column in cursor.description)
    filled = frozenset(name for n, name in enumerate(names) if any(row[n] is not None for row in rows))
    return Observation(names, types, len(rows), filled=filled)


def attempt(yard: Yard, act: Callable[[], Any]) -> Observation:
    """Do one change and keep the error it ended with, if any."""
    try:
        act()
    except oracledb.Error as e:
        return _refused(yard, e)
    return Observation()


def _refused(yard: Yard, error: oracledb.Error) -> Observation:
    is_unknown = yard.facts.is_simulator and is_gap(error)
    return Observation(missing=str(error).splitlines()[0][:160]) if is_unknown else Observation(error=code_of(error))
