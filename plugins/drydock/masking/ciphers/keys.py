"""Keys of masking: read from a file, and one key derived for each join domain and purpose.

A key belongs to an epoch: pseudonyms of one epoch join with each other, those of two epochs never do. What is derived comes
from HKDF (RFC 5869) over SHA-256, or over SM3 (GB/T 32905) where the buyer asks for the national algorithms. A key is never
printed: neither its `repr` nor an error nor a dump of the model shows it.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
import stat
from enum import StrEnum
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pydantic import Field, SecretBytes

from drydock.verdicts import Model

KEY_BYTES = 32
FEWEST_DIFFERENT_BYTES = 16  # 32 random bytes have 30 different ones on average
LONGEST_FILE_BYTES = 4096
MAKE_ONE = "make one with: (umask 077; openssl rand -hex 32 > FILE)"
_FIELD = re.compile(r"^(epoch|algorithm|key)\s*[:=]\s*(\S+)$", re.IGNORECASE)
_WITHOUT_NAME = "unnamed"


class Family(StrEnum):
    """Which standards a key is used with: SHA-256 and AES-256, or SM3 and SM4."""

    SHA2_AES = "sha2_aes"
    SM3_SM4 = "sm3_sm4"


class KeyFileError(ValueError):
    """A key cannot be used; the text says why and what to do, and holds nothing of the key."""


class MaskingKey(Model):
    """The key of one epoch."""

    epoch: str = Field(_WITHOUT_NAME, min_length=1, max_length=64, description="e.g. 2026Q4; part of what is derived")
    secret: SecretBytes = Field(min_length=KEY_BYTES, max_length=KEY_BYTES, repr=False)
    family: Family = Family.SHA2_AES

    @property
    def is_for_trials(self) -> bool:
        """True for a key of so few different bytes that nobody has drawn it: fit for trials, guessed by whoever tries."""
        return len(set(self.secret.get_secret_value())) < FEWEST_DIFFERENT_BYTES


def read_key_file(path: Path, epoch: str | None = None, family: Family | None = None) -> MaskingKey:
    """The key in a file: 64 hexadecimal digits or base64 of 32 bytes, alone or with lines `epoch: NAME`, `algorithm: NAME`.

    A file of 32 bytes that are no text is the key itself. `epoch` and `family` go before what the file says. Raises
    KeyFileError with one clear reason.
    """
    fields = _fields(_text(path), path)
    try:
        chosen = family or Family(fields.get("algorithm", Family.SHA2_AES).lower())
    except ValueError:
        raise KeyFileError(f"{path}: no such algorithm; allowed: {', '.join(Family)}") from None
    name = epoch or fields.get("epoch", _WITHOUT_NAME)
    if not 1 <= len(name) <= 64:
        raise KeyFileError(f"{path}: the name of an epoch has 1 to 64 characters")
    return MaskingKey(epoch=name, secret=SecretBytes(_secret(fields["key"], str(path))), family=chosen)


def key_of_text(text: str, place: str, epoch: str, family: Family, fix: str) -> MaskingKey:
    """The key in a text that is kept elsewhere than in a file: a secrets backend, a connection.

    `place` names where, `fix` says how it is put right. Raises KeyFileError as `read_key_file` does.
    """
    return MaskingKey(epoch=epoch, secret=SecretBytes(_secret(text, place, fix)), family=family)


def who_else_reads(path: Path) -> str:
    """A warning where others than the owner can read a key file; "" where nobody can.

    No error: secrets mounted into a container have mode 444, and the folder above may be closed.
    """
    status = path.stat()
    if not stat.S_ISREG(status.st_mode) or not status.st_mode & (stat.S_IRGRP | stat.S_IROTH):
        return ""
    return f"others can read the key file {path} (mode {status.st_mode & 0o777:03o}); chmod 600 {path}"


def derive(key: MaskingKey, join_domain: str, purpose: str, length: int = KEY_BYTES) -> bytes:
    """Key material for one join domain and purpose (RFC 5869); other domains, purposes and epochs give unrelated bytes."""
    digest = hashes.SM3() if key.family is Family.SM3_SM4 else hashes.SHA256()
    parts = ["drydock masking 1", key.epoch, join_domain, purpose]
    info = b"".join(len(p).to_bytes(4, "big") + p for p in (text.encode("utf-8", "surrogatepass") for text in parts))
    return HKDF(digest, length, salt=None, info=info).derive(key.secret.get_secret_value())


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            _refuse_open_doors(path, os.fstat(file.fileno()))
            raw = file.read(LONGEST_FILE_BYTES + 1)
    except OSError as e:
        raise KeyFileError(f"cannot read the key file {path}: {e.strerror or e}; {MAKE_ONE}") from e
    if not raw.strip():
        raise KeyFileError(f"the key file {path} is empty; {MAKE_ONE}")
    if len(raw) > LONGEST_FILE_BYTES:
        raise KeyFileError(f"{path} is too long for a key file ({LONGEST_FILE_BYTES} bytes at most); is it another file?")
    if len(raw) == KEY_BYTES and not raw.isascii():
        return raw.hex()
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise KeyFileError(f"the key in {path} is neither hexadecimal nor base64; {MAKE_ONE}") from None


def _refuse_open_doors(path: Path, status: os.stat_result) -> None:
    """Raises KeyFileError where anybody can write the file: whoever changes a key takes the joins apart."""
    if stat.S_ISREG(status.st_mode) and status.st_mode & stat.S_IWOTH:
        raise KeyFileError(f"anybody can write the key file {path} (mode {status.st_mode & 0o777:03o}); chmod 600 {path}")


def _fields(text: str, path: Path) -> dict[str, str]:
    """The lines of a key file by name; blank lines and those that begin with # do not count."""
    lines = [line.strip() for line in text.splitlines()]
    lines = [line for line in lines if line and not line.startswith("#")]
    named = [_FIELD.match(line) for line in lines]
    fields = {m[1].lower(): m[2] for m in named if m}
    bare = [line for line, m in zip(lines, named, strict=True) if not m]
    if bare and "key" not in fields:
        fields["key"] = "".join(bare)
    elif bare:
        raise KeyFileError(f"{path} holds a line that is none of epoch:, algorithm:, key:")
    if "key" not in fields:
        raise KeyFileError(f"{path} holds no key; {MAKE_ONE}")
    return fields


def _secret(text: str, place: str, fix: str = MAKE_ONE) -> bytes:
    """32 bytes from hexadecimal or base64 (also in the alphabet for URLs); never padded, never cut."""
    text = "".join(text.split())
    try:
        if re.fullmatch(r"[0-9A-Fa-f]+", text):
            secret = binascii.unhexlify(text)
        else:
            secret = base64.b64decode(text.translate(str.maketrans("-_", "+/")) + "=" * (-len(text) % 4), validate=True)
    except ValueError:  # binascii.Error is one, and so is what a letter outside of ASCII raises
        raise KeyFileError(f"the key in {place} is neither hexadecimal nor base64; {fix}") from None
    if len(secret) != KEY_BYTES:
        size = "short" if len(secret) < KEY_BYTES else "long"
        raise KeyFileError(f"the key in {place} is too {size}: {len(secret)} bytes, not {KEY_BYTES}; {fix}")
    return secret
