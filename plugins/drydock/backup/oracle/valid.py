"""The verdict *valid* on Oracle: what was read back, and the corrupt blocks that RMAN met in files and backups.

Blocks that VALIDATE finds raise no error and stand only in these views, until the block is repaired or validated again
(Oracle Database Reference, V$DATABASE_BLOCK_CORRUPTION, V$BACKUP_CORRUPTION, V$BACKUP_DATAFILE).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from drydock.backup.facts import Survey
from drydock.backup.folding import fold_findings
from drydock.backup.oracle.alerts import valid_alerts
from drydock.backup.oracle.catalogue import CorruptBlocks
from drydock.backup.oracle.file_chains import key_of, set_id_of
from drydock.verdicts import Finding, Status, Verdict, judge

LIVE, NONLOGGED = "V$DATABASE_BLOCK_CORRUPTION", "V$NONLOGGED_BLOCK"
SHOWN = 5


def with_corruption(valid: Verdict, survey: Survey) -> Verdict:
    """The verdict, with the corrupt blocks of live files and of backups added where RMAN's repository tells of any."""
    if survey.catalogue is None:
        return valid
    found = fold_findings(_findings(survey), survey.database, "more_read_problems")
    found = (*found, *valid_alerts(survey, {f.code for f in (*valid.findings, *found)}))
    return judge(valid.question, valid.examined, (*valid.findings, *found), **valid.evidence) if found else valid


def _findings(survey: Survey) -> Iterator[Finding]:
    live: dict[tuple[str, int], list[CorruptBlocks]] = defaultdict(list)
    carried: dict[tuple[str, int], int] = defaultdict(int)
    for row in survey.catalogue.corrupt_blocks:
        if row.view in (LIVE, NONLOGGED):
            live[row.view, row.file].append(row)
        else:
            carried[row.set_id, row.file] += row.blocks
    names = {f.file: f.name for f in survey.catalogue.datafiles}
    for (view, file), rows in sorted(live.items()):
        code, status = ("blocks_corrupt", Status.FAIL) if view == LIVE else ("blocks_nonlogged", Status.WARN)
        kinds = ", ".join(sorted({r.kind for r in rows}))
        first = ", ".join(str(r.block) for r in sorted(rows, key=lambda r: r.block)[:SHOWN])
        values = {"name": names.get(file, ""), "blocks": sum(r.blocks for r in rows), "kinds": kinds, "first": first}
        yield Finding(code=code, status=status, place=f"file {file}", values=values)
    yield from _carried(survey, carried)


def _carried(survey: Survey, carried: dict[tuple[str, int], int]) -> Iterator[Finding]:
    """Backups into which corrupt blocks were let: by their rows, or by the counts of the backup itself."""
    kept = {(s.kind == "C", s.stamp, s.count) for s in survey.catalogue.sets}
    for backup in survey.catalogue.file_backups:
        if backup.corrupt_blocks and key_of(backup) in kept:
            place = set_id_of(backup), backup.file
            carried[place] = max(carried.get(place, 0), backup.corrupt_blocks)
    present = {s.set_id for s in survey.catalogue.sets}
    for (set_id, file), blocks in sorted(carried.items()):
        if set_id in present:
            values = {"file": file, "blocks": blocks}
            yield Finding(code="backup_carries_corruption", status=Status.FAIL, place=f"{set_id}/{file}", values=values)
