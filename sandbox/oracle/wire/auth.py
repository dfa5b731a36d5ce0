"""Logon with a password that never travels: the 11G verifier (SHA-1, AES-192-CBC).

Phase one: the client names the user; the server sends a salt and half of a session key, encrypted with a key made of
password and salt. Phase two: the client sends its half, encrypted likewise, and the password encrypted with the key made
of both halves. An unknown user gets the same answers as a known one, up to ORA-01017.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from sandbox.oracle.backend import OracleError
from sandbox.oracle.wire.ttc import Malformed, Reader, decoded

PHASE_ONE, PHASE_TWO = 118, 115
VERIFIER_11G = 0xB152
MOST_PAIRS = 200


def wrong_password() -> OracleError:
    return OracleError(1017, "invalid username/password; logon denied")


@dataclass(frozen=True)
class AuthRequest:
    """A logon message: phase, user as typed, keys and values."""

    phase: int
    user: str
    pairs: dict[str, str]


def auth_request(reader: Reader) -> AuthRequest:
    """Reads a message of either phase. Raises Malformed for any other message."""
    kind, phase, _ = reader.raw(3)
    if kind != 3 or phase not in (PHASE_ONE, PHASE_TWO):
        raise Malformed("no logon where a logon must be")
    has_user = reader.u8()
    reader.skip("nnb")
    pairs_sent = reader.count(MOST_PAIRS, "logon pairs")
    reader.raw(2)
    user = decoded(reader.sized()) if has_user else ""
    pairs = {}
    for _ in range(pairs_sent):
        key = reader.text()
        pairs[key] = reader.text()
        reader.number()
    return AuthRequest(phase, user, pairs)


def user_name(typed: str) -> str:
    """The name in the dictionary: upper case, unless it is quoted."""
    return typed[1:-1] if len(typed) > 2 and typed[0] == typed[-1] == '"' else typed.upper()


def _aes(key: bytes, data: bytes, encrypts: bool) -> bytes:
    cipher = Cipher(algorithms.AES(key), modes.CBC(bytes(16)))
    worker = cipher.encryptor() if encrypts else cipher.decryptor()
    return worker.update(data) + worker.finalize()


@dataclass
class Handshake:
    """The server's side of one logon. `password` None: nobody may log on with this name."""

    password: str | None
    salt: bytes = field(default_factory=lambda: secrets.token_bytes(10))
    our_half: bytes = field(default_factory=lambda: secrets.token_bytes(48))
    session_key: bytes = b""

    @property
    def key(self) -> bytes:
        secret = secrets.token_hex(8) if self.password is None else self.password
        return hashlib.sha1(secret.encode() + self.salt).digest() + bytes(4)

    def challenge(self) -> dict[str, str]:
        return {
            "AUTH_SESSKEY": _aes(self.key, self.our_half, encrypts=True).hex().upper(),
            "AUTH_VFR_DATA": self.salt.hex().upper(),
        }

    def check(self, pairs: dict[str, str]) -> None:
        """Raises OracleError 1017 where the password is not the user's."""
        try:
            their_half = _aes(self.key, bytes.fromhex(pairs["AUTH_SESSKEY"]), encrypts=False)
            sent = bytes.fromhex(pairs["AUTH_PASSWORD"])
            mixed = bytes(a ^ b for a, b in zip(self.our_half[16:40], their_half[16:40], strict=True))
            self.session_key = (hashlib.md5(mixed[:16]).digest() + hashlib.md5(mixed[16:]).digest())[:24]
            clear = _aes(self.session_key, sent, encrypts=False)[16:]
        except (KeyError, ValueError) as error:
            raise wrong_password() from error
        padding = clear[-1] if clear else 0
        given = clear[:-padding] if 0 < padding <= 16 else clear
        if self.password is None or not hmac.compare_digest(given, self.password.encode()):
            raise wrong_password()

    def proof(self) -> str:
        """What shows the client that the server knows the password too."""
        return _aes(self.session_key, secrets.token_bytes(16) + b"SERVER_TO_CLIENT" + b"\x10" * 16, encrypts=True).hex().upper()
