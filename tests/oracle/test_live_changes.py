"""Every typed change on the seeded schema of the live server, beside the simulator; the planted faults in the dictionary."""

from __future__ import annotations

import oracledb
import pytest

from drydock.engines.oracle import execute
from drydock.engines.oracle_admission import NotForThisTarget
from drydock.engines.oracle_statements import index_degree
from tests.oracle import changes
from tests.oracle.changes import Change, execute_text
from tests.oracle.difference import DifferencePage, Observation, attempt
from tests.oracle.yard import TABLESPACE, Yard, ask, is_gap

ALL = changes.catalogue()


def tried(yard: Yard, change: Change) -> tuple[Observation, dict]:
    """What came of a change, with its OUT values; a reason where it cannot be tried."""
    if reason := changes.why_not(yard, change):
        return Observation(missing=reason), {}
    outs: dict = {}
    statement = change.build(yard.owner)
    return attempt(yard, lambda: outs.update(execute_text(yard.session("owner").connection, statement))), outs


@pytest.mark.parametrize("change", ALL, ids=lambda change: change.name)
def test_a_change_ends_as_it_must(yard: Yard, twin: Yard, page: DifferencePage, change: Change) -> None:
    ours, outs = tried(yard, change)
    theirs, _ = tried(twin, change)
    page.add(f"statements/{change.name}", ours, theirs)
    if ours.missing:
        pytest.skip(ours.missing)
    assert ours.error == change.code, change.build(yard.owner).text
    assert change.outs(outs), outs


def test_an_edition_without_the_option_is_refused_by_the_product_first(yard: Yard) -> None:
    """What `editions` of a header says is asked of the banner, before anything is sent."""
    session = yard.session("owner")
    limited = [c for c in ALL if c.build(yard.owner).file.editions]
    assert limited
    if session.rights.edition in limited[0].build(yard.owner).file.editions:
        pytest.skip(f"edition {session.rights.edition} may do all of it")
    for change in limited:
        with pytest.raises(NotForThisTarget) as refused:
            execute(session, change.build(yard.owner))
        assert refused.value.reason in ("edition", "version")


def test_a_change_waits_for_a_lock_and_gives_up(yard: Yard) -> None:
    """ORA-00054 after DDL_LOCK_TIMEOUT, and never tried again."""
    if reason := needs(yard, "locked"):
        pytest.skip(reason)
    session = yard.session("owner")
    with yard.connection("owner") as holder:
        holder.cursor().execute("UPDATE locked SET id = 2")
        with pytest.raises(oracledb.Error, match="ORA-00054"):
            execute(session, changes.made.move(changes.Segment(yard.owner, "LOCKED"), online=False))
        holder.rollback()
    execute(session, changes.made.move(changes.Segment(yard.owner, "LOCKED"), online=False))


def test_nobody_but_the_owner_may(yard: Yard) -> None:
    statement = index_degree(changes.INDEX(yard.owner), None)
    with yard.connection("bare") as stranger, pytest.raises(oracledb.Error) as refused:
        execute_text(stranger, statement)
    if yard.facts.is_simulator and is_gap(refused.value):
        pytest.skip(f"the server is a simulator and cannot: {refused.value}")
    assert any(code in str(refused.value) for code in ("ORA-00942", "ORA-01031", "ORA-41900", "ORA-01418"))


def needs(yard: Yard, step: str) -> str:
    return "" if yard.can(step) else f"the server is a simulator and cannot {step}: {yard.gaps[step]}"


def test_the_planted_faults_are_there(yard: Yard) -> None:
    for step in ("unusable", "nologging"):
        if reason := needs(yard, step):
            pytest.skip(reason)
    indexes = "SELECT COUNT(*) FROM dba_indexes WHERE owner = :1 AND index_name = 'BROKEN_IX' AND status IN ('UNUSABLE', 'VALID')"
    assert ask(yard.admin, indexes, yard.owner) == [(1,)]
    tables = "SELECT logging FROM dba_tables WHERE owner = :1 AND table_name = 'LOADED'"
    assert ask(yard.admin, tables, yard.owner) == [("NO",)]


def test_a_new_tablespace_has_no_backup(yard: Yard) -> None:
    if reason := needs(yard, "tablespace"):
        pytest.skip(reason)
    backed_up = (
        "SELECT COUNT(*) FROM v$backup_datafile b WHERE b.file# IN "
        "(SELECT f.file_id FROM dba_data_files f WHERE f.tablespace_name = :1) AND b.creation_change# > "
        "(SELECT MAX(d.creation_change#) - 1 FROM v$datafile d)"
    )
    assert ask(yard.admin, backed_up, TABLESPACE) == [(0,)]
