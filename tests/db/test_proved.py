"""What counts as a proved backup: other pipelines change a database only after this."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from itertools import count

import pytest
from sqlalchemy import Engine

from drydock.backup.judge import judge_day
from drydock.backup.results import Depth, Read
from drydock.backup.steps import BackupRun, is_proved
from drydock.configuration import load_all
from drydock.ledger import record
from drydock.verdicts import Status
from drydock.waivers import Waiver
from tests.unit import build as b

NUMBERS = count()
NEWEST = "set_19"


def is_proved_with(
    ledger: Engine, reads: Iterable[Read], waivers: tuple[Waiver, ...] = (), late: timedelta = timedelta(0)
) -> bool:
    """Whether the healthy world counts as proved after these reads, judged `late`."""
    database = b.database(id=f"proved_{next(NUMBERS)}")
    run = BackupRun(load_all("sandbox"), ledger, database, "a_run", b.AS_OF, began_at=b.AS_OF + late)
    survey, reads = b.survey(database=database.id), tuple(reads)
    record.save_survey(ledger, run.run_id, survey)
    for read in reads:
        record.save_read(ledger, run.run_id, database.id, read)
    own = tuple(w.model_copy(update={"database": database.id}) for w in waivers)
    drills = [b.a_drill(timedelta(days=9), set_id="set_11"), b.a_drill()]
    judgement = judge_day(database, survey, reads, drills, None, b.POLICY, own, b.is_workday, Depth.BYTES, b.AS_OF)
    return is_proved(run, judgement)


def test_a_healthy_backup_whose_newest_chain_was_read_is_proved(ledger: Engine) -> None:
    assert is_proved_with(ledger, b.read_all())


def test_it_is_not_proved_while_a_set_of_the_newest_chain_is_unread(ledger: Engine) -> None:
    assert not is_proved_with(ledger, b.read_all(but=[NEWEST]))


@pytest.mark.parametrize("accepted", [False, True])
def test_damage_is_no_proof_even_where_a_person_accepted_it(ledger: Engine, accepted: bool) -> None:
    damage = b.a_problem("set_checksum", f"{NEWEST}/base/1/1259")
    reads = (*b.read_all(but=[NEWEST]), b.read_of(b.a_set(19), timedelta(hours=1), [damage]))
    word = {"reason": "known", "approver": "Li Wei", "review_by": date(2026, 12, 1)}
    waiver = Waiver(id="w1", pipeline="backup", database="any", code="set_checksum", place=damage.place, **word)
    assert not is_proved_with(ledger, reads, (waiver,) if accepted else ())


def test_a_set_that_was_mended_and_read_again_is_proved(ledger: Engine) -> None:
    damage = b.a_problem("set_checksum", f"{NEWEST}/base/1/1259", Status.FAIL)
    earlier = b.read_of(b.a_set(19), timedelta(hours=3), [damage])
    assert is_proved_with(ledger, (earlier, *b.read_all()))


def test_a_past_day_proves_nothing_for_today(ledger: Engine) -> None:
    assert not is_proved_with(ledger, b.read_all(), late=timedelta(days=1))
