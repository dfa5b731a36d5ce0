"""Masking keys in Airflow's connections or its secrets backend: read, checked, and hidden from every log from then on."""

from __future__ import annotations

import base64

from airflow.sdk import BaseHook
from airflow.sdk.exceptions import AirflowNotFoundException
from airflow.sdk.log import mask_secret

from drydock.masking.ciphers.keys import Family, KeyFileError, MaskingKey, key_of_text
from drydock.masking.policies.policy import KeyReference

MAKE_ONE = "write there what `openssl rand -hex 32` prints"


class KeyUnusable(ValueError):
    """The key of a policy cannot be used; the text names connection, field and fix, and holds nothing of the key."""


def masking_key_of(reference: KeyReference) -> MaskingKey:
    """The key that the policy names. Raises KeyUnusable with one clear reason.

    The connection's password is the key: 64 hexadecimal digits or base64 of 32 bytes. Its extra may say `epoch` and `family`
    (sha2_aes, sm3_sm4): then they must be those of the policy, so that last quarter's key is not taken for this one's.
    """
    key = _key_in(reference.connection, reference.epoch, Family(reference.family))
    if key is None:
        raise KeyUnusable(
            f"the Airflow connection {reference.connection!r} (key.connection of the policy) is not defined: make it, of type "
            f"Generic; field password: {MAKE_ONE}"
        )
    if key.is_for_trials:
        raise KeyUnusable(f"{_place(reference.connection)}: this key was not drawn, whoever tries guesses it; {MAKE_ONE}")
    return key


def key_held(connection: str, epoch: str, family: Family) -> MaskingKey | None:
    """What a connection holds now, as a key of that epoch; None where there is no connection or no key in it."""
    try:
        return _key_in(connection, epoch, family, strict=False)
    except KeyUnusable:
        return None


def _key_in(connection: str, epoch: str, family: Family, strict: bool = True) -> MaskingKey | None:
    try:
        found = BaseHook.get_connection(connection)
    except AirflowNotFoundException:
        return None
    text = found.password or ""
    mask_secret(text)
    if not text.strip():
        raise KeyUnusable(f"{_place(connection)} is empty: {MAKE_ONE}")
    if strict:
        _check_extra(connection, found.extra_dejson, epoch, family)
    try:
        key = key_of_text(text, _place(connection), epoch, family, MAKE_ONE)
    except KeyFileError as e:
        raise KeyUnusable(str(e)) from None
    _hide(key)
    return key


def _check_extra(connection: str, extra: dict[str, object], epoch: str, family: Family) -> None:
    """What the connection says of its key is what the policy says of it."""
    for name, wanted in (("epoch", epoch), ("family", family.value)):
        told = extra.get(name)
        if told is not None and told != wanted:
            raise KeyUnusable(
                f"the field extra of the Airflow connection {connection!r} says {name} {str(told)[:40]!r}, the policy "
                f"says {wanted!r}: put the key of {wanted!r} there, or correct key.{name} of the policy"
            )


def _hide(key: MaskingKey) -> None:
    """In every spelling in which the key could come into a log."""
    secret = key.secret.get_secret_value()
    for shown in (
        secret.hex(),
        secret.hex().upper(),
        base64.b64encode(secret).decode(),
        base64.urlsafe_b64encode(secret).decode(),
    ):
        mask_secret(shown)
        mask_secret(shown.rstrip("="))


def _place(connection: str) -> str:
    return f"the field password of the Airflow connection {connection!r}"
