"""A masking policy as discovery proposes it, for a person to read, change and confirm: YAML with the evidence as comments.

It holds counts and names, never a value. Reviewer and date are left empty, so that nothing of it can run before a person has
written them. What discovery finds nothing in is proposed to be kept: that, too, is for the person to confirm.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from datetime import date

from drydock.masking.discovering.discovery import propose
from drydock.masking.discovering.proposals import ColumnSample, Proposal
from drydock.masking.policies.schema import Column, Schema, Table
from drydock.masking.techniques.dictionaries import DICTIONARY_KINDS
from drydock.masking.values.kinds import Level, all_kinds

SampleRows = Callable[[Table, Sequence[Column]], list[dict]]
"""Some rows of a table, with these columns."""

GRADES: dict[Level, str] = {
    "secret": "general_4",
    "sensitive-personal": "general_4",
    "personal": "general_3",
    "organisation": "general_2",
    "business": "general_2",
    "public": "general_1",
}
TO_CONFIRM = "待确认：抽样未发现敏感内容"
NOT_READ = "待确认：该类型未经抽样"
_BARE = re.compile(r"[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)?")
_WORDS_OF_YAML = {"null", "true", "false", "yes", "no", "on", "off", "y", "n"}
_UNSAMPLED = ("binary", "search", "other", "boolean", "uuid", "time")
_SCRUBBED = ("text", "json", "xml")
HEAD = """# yaml-language-server: $schema=../schemas/masking.schema.json
# Proposed on {day} from names, comments and up to {rows} rows of each table. A person reads every line: class, level,
# technique and reason are guesses, the comments behind them say what they rest on. Then reviewer and reviewed are written for
# each table, and `python -m drydock masking-policy confirm {database}` saves the schema that was confirmed.
schema: drydock-masking-policy/1
database: {database}
source: {{connection: {source}, schemas: [{schemas}]}}
target: {database}_test # which of the targets the quarterly run writes to
targets: # the allow list; add identity: what the server must say of itself
  - {{id: {database}_test, connection: copy_{database}, engine: postgresql, environment: test}}
key: {{connection: masking_key_{epoch}, epoch: {epoch_name}}}
purpose: 待填写
tables:
"""


def proposed_policy(schema: Schema, database: str, source: str, sample: SampleRows, rows: int, today: date) -> str:
    """The text of the proposal. Raises what `sample` raises."""
    epoch = f"{today.year}Q{(today.month + 2) // 3}"
    head = HEAD.format(
        day=today,
        rows=rows,
        database=database,
        source=source,
        epoch=epoch.lower(),
        epoch_name=epoch,
        schemas=", ".join(map(scalar, schema.schemas)),
    )
    return head + "".join(line + "\n" for table in schema.tables for line in _table(table, sample))


def _table(table: Table, sample: SampleRows) -> Iterator[str]:
    columns = [c for c in table.columns if not c.generated]
    seen = [c for c in columns if c.type.family not in _UNSAMPLED] if table.kind != "foreign" else []
    rows = sample(table, seen) if seen else []
    samples = [ColumnSample(c.name, c.comment, c.type.name, [row[c.name] for row in rows]) for c in seen]
    found = {made.column: made for made in propose(samples)}
    ruled = {c.name: rule for c in seen if (rule := _rule(c, found[c.name]))}
    yield f"  {scalar(table.key)}:"
    yield "    reviewer:"
    yield "    reviewed:"
    if ruled:
        yield "    columns:"
        yield from (f"      {scalar(name)}: {rule}" for name, rule in ruled.items())
    kept = [c for c in columns if c.name not in ruled]
    if kept:
        yield "    keep:"
        yield from (f"      {scalar(c.name)}: {_why_kept(c, found.get(c.name))}" for c in kept)


def _rule(column: Column, made: Proposal) -> str:
    """The rule that is proposed for a column; empty where it is proposed to be kept."""
    kind = all_kinds().get(made.kind or "")
    if kind is not None and kind.sensitive:
        technique = _technique(column, kind.id)
        named = f"kind: {kind.id}, " if technique != "suppress" else ""
        return f"{{{named}class: {kind.level_hint}, level: {GRADES[kind.level_hint]}, {_told(technique)}}} # {_evidence(made)}"
    if made.found_inside:
        level = made.level_hint or "personal"
        technique = "scrub" if _family(column) in _SCRUBBED else "suppress"
        return f"{{class: {level}, level: {GRADES[level]}, {_told(technique)}}} # {_evidence(made)}"
    if made.level_hint == "organisation" and _family(column) == "text":
        return f"{{kind: company, class: organisation, level: general_2, {_told('words')}}} # {_evidence(made)}"
    return ""


def _family(column: Column) -> str:
    return (column.type.element or "other") if column.type.family == "array" else column.type.family


def _technique(column: Column, kind: str) -> str:
    family = _family(column)
    if kind == "address" and family == "text":
        return "generalise to"
    if kind in DICTIONARY_KINDS:
        return "words" if family == "text" else "suppress"
    if family == "number":
        return "pseudonym of numbers"
    return "pseudonym" if family == "text" or (family == "network" and kind in ("ipv4", "mac")) else "suppress"


def _told(technique: str) -> str:
    parameters = {"generalise to": "{to: district}", "pseudonym of numbers": "{fits_numbers: true}"}.get(technique)
    return f"technique: {technique.split()[0]}" + (f", parameters: {parameters}" if parameters else "")


def _evidence(made: Proposal) -> str:
    """Counts, and what they were counted by."""
    e = made.evidence
    inside = ", ".join(f"{f.kind} inside {f.values}" for f in made.found_inside)
    if made.kind:
        told = f"{made.kind} {made.confidence:.2f} by {e.decided_by}, {e.check_passed} of {e.non_empty} values"
        return told + (f"; {inside}" if inside else "")
    return inside or f"organisations, {e.non_empty} values"


def _why_kept(column: Column, made: Proposal | None) -> str:
    if made is None:
        return f"{NOT_READ} # {scalar(column.type.name)}"
    kind = all_kinds().get(made.kind or "")
    told = f"{kind.id}, public; " if kind else ""
    return f"{TO_CONFIRM} # {told}{made.evidence.non_empty} values"


def scalar(text: str) -> str:
    """A name as a YAML scalar: bare where nobody could read it otherwise, else in double quotes (YAML takes JSON's)."""
    is_bare = _BARE.fullmatch(text) and text not in _WORDS_OF_YAML
    return text if is_bare else json.dumps(text, ensure_ascii=not text.isprintable())
