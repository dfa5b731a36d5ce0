"""One key for each epoch, over all databases, and keys that are gone: seen in the ledger, told by nobody."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from datetime import date

import pytest
from pydantic import SecretBytes
from sqlalchemy import Engine

from drydock.ledger import record
from drydock.ledger.masking_record import copy_verification_of_run, events_of_masking, events_of_run, save_copy_verification
from drydock.ledger.models import Event
from drydock.masking.ciphers.epochs import EpochHasOtherKey, fingerprint_of, note_keys_gone, see_key
from drydock.masking.ciphers.keys import Family, MaskingKey
from drydock.verdicts import Status


def a_key(epoch: str, family: Family = Family.SHA2_AES) -> MaskingKey:
    return MaskingKey(epoch=epoch, secret=SecretBytes(secrets.token_bytes(32)), family=family)


LONG_AGO = date(2001, 1, 8)
"""These runs verify nothing: the summary of a quarter that other tests make must not meet them."""


def a_run(ledger: Engine, database: str, pipeline: str = "masking") -> int:
    return record.open_run(ledger, pipeline, database, LONG_AGO, secrets.token_hex(4)).run_id


@pytest.fixture
def epoch() -> Iterator[str]:
    return f"E{secrets.token_hex(4)}"  # the ledger of the session is never emptied


def test_the_fingerprint_tells_keys_apart_and_holds_nothing_of_them(epoch: str) -> None:
    key, other = a_key(epoch), a_key(epoch)
    assert fingerprint_of(key) == fingerprint_of(key.model_copy()) != fingerprint_of(other)
    assert fingerprint_of(key) != fingerprint_of(key.model_copy(update={"family": Family.SM3_SM4}))
    assert len(fingerprint_of(key)) == 16 and fingerprint_of(key) not in key.secret.get_secret_value().hex()


def test_an_epoch_keeps_its_key_over_all_databases(ledger: Engine, epoch: str) -> None:
    key, first = a_key(epoch), a_run(ledger, "epochs_a")
    assert see_key(ledger, first, key, "k1") == see_key(ledger, first, key, "k1") == fingerprint_of(key)
    assert len(events_of_run(ledger, first, Event.MASKING_KEY_SEEN)) == 1, "a run says once which key it uses"
    see_key(ledger, a_run(ledger, "epochs_b"), key, "k1")
    other = a_run(ledger, "epochs_b")
    with pytest.raises(EpochHasOtherKey, match=rf"{epoch}.*another key.*epochs_a.*'k2'") as refused:
        see_key(ledger, other, changed := a_key(epoch), "k2")
    assert changed.secret.get_secret_value().hex() not in str(refused.value)
    (told,) = events_of_run(ledger, other, Event.MASKING_KEY_CHANGED)
    assert (told.detail["before"], told.detail["fingerprint"]) == (fingerprint_of(key), fingerprint_of(changed))
    assert not events_of_run(ledger, other, Event.MASKING_KEY_SEEN), "what was refused was not used"


def test_other_algorithms_are_another_key(ledger: Engine, epoch: str) -> None:
    key = a_key(epoch)
    see_key(ledger, a_run(ledger, "epochs_c"), key, "k1")
    with pytest.raises(EpochHasOtherKey, match="the algorithms sha2_aes"):
        see_key(ledger, a_run(ledger, "epochs_c"), key.model_copy(update={"family": Family.SM3_SM4}), "k1")


def test_a_key_that_is_gone_is_told_once_and_one_that_is_there_never(ledger: Engine, epoch: str) -> None:
    kept, dropped, replaced, now = (a_key(f"{epoch}{n}") for n in "1234")
    for key, connection in ((kept, "k_kept"), (dropped, "k_dropped"), (replaced, "k_replaced")):
        see_key(ledger, a_run(ledger, "epochs_d"), key, connection)
    run = a_run(ledger, "epochs_d")
    see_key(ledger, run, now, "k_now")

    def held(connection: str, of_epoch: str, family: Family) -> MaskingKey | None:
        there = {"k_kept": kept, "k_replaced": now, "k_now": now}.get(connection)
        return there and there.model_copy(update={"epoch": of_epoch, "family": family})

    gone = [g for g in note_keys_gone(ledger, run, now, held) if g.epoch.startswith(epoch)]
    assert {(g.connection, g.observed) for g in gone} == {("k_dropped", "connection_gone"), ("k_replaced", "other_key_there")}
    assert note_keys_gone(ledger, run, now, held) == ()
    told = [e.detail["epoch"] for e in events_of_run(ledger, run, Event.MASKING_KEY_GONE) if e.detail["epoch"].startswith(epoch)]
    assert sorted(told) == [dropped.epoch, replaced.epoch]


def test_events_of_other_pipelines_are_not_those_of_masking(ledger: Engine, epoch: str) -> None:
    record.add_event(ledger, a_run(ledger, "epochs_e", "reclaim"), "masking_key_seen", {"epoch": epoch})
    assert all(e.detail.get("epoch") != epoch for e in events_of_masking(ledger, Event.MASKING_KEY_SEEN))


def test_the_newest_check_of_a_copy_counts(ledger: Engine) -> None:
    run = a_run(ledger, "epochs_f")
    assert copy_verification_of_run(ledger, run) is None
    save_copy_verification(ledger, run, 1, Status.FAIL, {"rows": 1}, {})
    save_copy_verification(ledger, run, 2, Status.PASS, {"rows": 2}, {"rows": 2})
    assert copy_verification_of_run(ledger, run) == (2, Status.PASS, {"rows": 2})
    assert [e.detail["status"] for e in events_of_run(ledger, run, Event.MASKING_VERIFIED)] == ["FAIL", "PASS"]
