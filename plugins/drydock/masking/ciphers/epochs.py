"""Epochs of masking keys, as the ledger knows them: which key an epoch has, that it stays the same, and when one is gone.

A key is known by a fingerprint that is derived from it (HKDF) and leads nowhere back. What is told of a key that is gone is
what was observed: the connection that held it is not defined any more, or holds another key. That no copy of the key lies
elsewhere is a person's word, and stands in no event.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Engine as LedgerEngine

from drydock.ledger import record
from drydock.ledger.history import day_lock
from drydock.ledger.masking_record import MaskingEvent, events_of_masking
from drydock.ledger.models import Event
from drydock.masking.ciphers.keys import Family, MaskingKey, derive
from drydock.verdicts import Model

FINGERPRINT_BYTES = 8
LOCK = "masking key of an epoch"

Held = Callable[[str, str, Family], MaskingKey | None]
"""Connection, epoch, family -> the key that the connection holds now, as one of that epoch; None where it is not defined."""


class EpochHasOtherKey(ValueError):
    """Another key was used in this epoch before: copies made with the two would not join. The text says what to do."""


class KeyGone(Model):
    """A key of an earlier epoch that is not where it was. `observed`: connection_gone, other_key_there."""

    epoch: str
    fingerprint: str
    connection: str
    observed: str


def fingerprint_of(key: MaskingKey) -> str:
    """16 hexadecimal digits that tell keys apart and nothing else of them."""
    return derive(key, "drydock", "fingerprint of the key", FINGERPRINT_BYTES).hex()


def see_key(ledger: LedgerEngine, run_id: int, key: MaskingKey, connection: str) -> str:
    """Write down that the run uses this key; returns its fingerprint. One key for each epoch, over all databases.

    Raises EpochHasOtherKey where the epoch was used with another key or other algorithms before; that is written down too.
    """
    mark = fingerprint_of(key)
    told = {"epoch": key.epoch, "family": key.family.value, "fingerprint": mark, "connection": connection}
    with day_lock(ledger, LOCK):
        seen = [e for e in events_of_masking(ledger, Event.MASKING_KEY_SEEN) if e.detail.get("epoch") == key.epoch]
        first = seen[0] if seen else None
        if first and first.detail.get("fingerprint") != mark:
            record.add_event(ledger, run_id, Event.MASKING_KEY_CHANGED, {**told, "before": first.detail.get("fingerprint")})
            raise EpochHasOtherKey(_why(key, connection, first))
        if not any(e.run_id == run_id for e in seen):
            record.add_event(ledger, run_id, Event.MASKING_KEY_SEEN, told)
    return mark


def _why(key: MaskingKey, connection: str, first: MaskingEvent) -> str:
    family = first.detail.get("family")
    what = "another key" if family == key.family.value else f"the algorithms {family}"
    return (
        f"epoch {key.epoch!r} was used with {what} before (run {first.run_id} on {first.database}, {first.at:%Y-%m-%d}): copies "
        f"would not join. Put that key back into the connection {connection!r}, or begin a new epoch: key.epoch of the policy"
    )


def note_keys_gone(ledger: LedgerEngine, run_id: int, current: MaskingKey, held: Held) -> tuple[KeyGone, ...]:
    """Look where the keys of earlier epochs were, and write down each that is gone from there, once."""
    events = events_of_masking(ledger, Event.MASKING_KEY_SEEN, Event.MASKING_KEY_GONE)
    last = {(e.detail.get("epoch"), e.detail.get("connection")): e for e in events}
    earlier = [e for e in last.values() if e.event is Event.MASKING_KEY_SEEN and e.detail.get("epoch") != current.epoch]
    gone = [found for e in earlier if (found := _gone(e, held))]
    for found in gone:
        record.add_event(ledger, run_id, Event.MASKING_KEY_GONE, found.model_dump())
    return tuple(gone)


def _gone(seen: MaskingEvent, held: Held) -> KeyGone | None:
    epoch, connection, mark = (str(seen.detail.get(name)) for name in ("epoch", "connection", "fingerprint"))
    key = held(connection, epoch, Family(str(seen.detail.get("family"))))
    if key is not None and fingerprint_of(key) == mark:
        return None
    observed = "connection_gone" if key is None else "other_key_there"
    return KeyGone(epoch=epoch, fingerprint=mark, connection=connection, observed=observed)
