"""Keys of masking: what a file may hold, what is derived, and that nothing of a key is ever shown."""

from __future__ import annotations

import base64
import hashlib
import hmac
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes

from drydock.masking.ciphers.keys import Family, KeyFileError, MaskingKey, derive, read_key_file, who_else_reads

SECRET = bytes(range(100, 132))


def key_file(tmp_path: Path, content: str | bytes, mode: int = 0o600) -> Path:
    path = tmp_path / "key"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    path.chmod(mode)
    return path


@pytest.mark.parametrize(
    "content",
    [
        SECRET.hex(),
        SECRET.hex().upper() + "\n",
        base64.b64encode(SECRET).decode() + "\r\n",
        base64.urlsafe_b64encode(SECRET).decode().rstrip("="),
        f"# the key of the quarter\nepoch: 2026Q4\nkey: {SECRET.hex()}\n",
        "\ufeff" + SECRET.hex(),
    ],
)
def test_a_key_is_read_in_hexadecimal_and_base64(tmp_path: Path, content: str) -> None:
    assert read_key_file(key_file(tmp_path, content)).secret.get_secret_value() == SECRET


def test_epoch_and_algorithm_stand_in_the_file_or_are_given(tmp_path: Path) -> None:
    path = key_file(tmp_path, f"epoch: 2026Q4\nalgorithm: SM3_SM4\nkey = {SECRET.hex()}\n")
    key = read_key_file(path)
    assert (key.epoch, key.family) == ("2026Q4", Family.SM3_SM4)
    other = read_key_file(path, epoch="2027Q1", family=Family.SHA2_AES)
    assert (other.epoch, other.family) == ("2027Q1", Family.SHA2_AES)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "is empty"),
        (" \n", "is empty"),
        ("abcd", "too short: 2 bytes, not 32"),
        (SECRET.hex()[:-2], "too short: 31 bytes"),
        (SECRET.hex() + "00", "too long: 33 bytes"),
        ("not a key at all!", "neither hexadecimal nor base64"),
        (SECRET + b"\xff", "neither hexadecimal nor base64"),
        ("x" * 5000, "too long for a key file"),
        (f"key: {SECRET.hex()}\nand more", "none of epoch:, algorithm:, key:"),
        ("epoch: 2026Q4", "holds no key"),
        (f"algorithm: des\nkey: {SECRET.hex()}", "no such algorithm"),
    ],
)
def test_a_key_that_cannot_be_used_says_why_and_shows_nothing(tmp_path: Path, content: str | bytes, said: str) -> None:
    with pytest.raises(KeyFileError, match=said) as error:
        read_key_file(key_file(tmp_path, content))
    assert SECRET.hex()[:12] not in str(error.value)


def test_a_missing_file_and_one_that_anybody_writes_are_refused_with_the_cure(tmp_path: Path) -> None:
    with pytest.raises(KeyFileError, match="openssl rand -hex 32"):
        read_key_file(tmp_path / "none")
    with pytest.raises(KeyFileError, match="chmod 600"):
        read_key_file(key_file(tmp_path, SECRET.hex(), 0o666))


@pytest.mark.parametrize(("mode", "is_told"), [(0o600, False), (0o400, False), (0o640, True), (0o444, True)])
def test_a_file_that_others_read_is_told_and_used(tmp_path: Path, mode: int, is_told: bool) -> None:
    path = key_file(tmp_path, SECRET.hex(), mode)
    assert ("chmod 600" in who_else_reads(path)) is is_told
    assert read_key_file(path).secret.get_secret_value() == SECRET


def test_a_file_of_nothing_but_the_bytes(tmp_path: Path) -> None:
    drawn = bytes(range(200, 232))
    assert read_key_file(key_file(tmp_path, drawn)).secret.get_secret_value() == drawn


def test_nothing_of_a_key_is_shown() -> None:
    key = MaskingKey(epoch="e", secret=SECRET)
    shown = repr(key) + str(key) + str(key.model_dump()) + key.model_dump_json()
    assert SECRET.hex() not in shown
    assert repr(SECRET)[2:10] not in shown


@pytest.mark.parametrize(
    ("message", "digest"),
    [
        (b"abc", "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"),
        (b"abcd" * 16, "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732"),
    ],
)
def test_sm3_is_the_hash_of_its_standard(message: bytes, digest: str) -> None:
    """GB/T 32905, annex A.1 and A.2, of the very library that keys are derived with."""
    sm3 = hashes.Hash(hashes.SM3())
    sm3.update(message)
    assert sm3.finalize().hex() == digest


def by_hand(key: MaskingKey, domain: str, purpose: str, digest: str) -> bytes:
    """HKDF of RFC 5869 from HMAC alone: no salt, one block."""
    parts = [p.encode() for p in ("drydock masking 1", key.epoch, domain, purpose)]
    info = b"".join(len(p).to_bytes(4, "big") + p for p in parts)
    size = hashlib.new(digest).digest_size
    extracted = hmac.new(bytes(size), key.secret.get_secret_value(), digest).digest()
    return hmac.new(extracted, info + b"\x01", digest).digest()[:32]


@pytest.mark.parametrize(("family", "digest"), [(Family.SHA2_AES, "sha256"), (Family.SM3_SM4, "sm3")])
def test_derived_keys_are_those_of_the_standard(family: Family, digest: str) -> None:
    if digest not in hashlib.algorithms_available:
        pytest.skip(f"this Python has no {digest}")
    key = MaskingKey(epoch="2026Q4", secret=SECRET, family=family)
    assert derive(key, "phone", "pseudonyms") == by_hand(key, "phone", "pseudonyms", digest)


def test_everything_that_tells_keys_apart_changes_all_of_them() -> None:
    key = MaskingKey(epoch="a", secret=SECRET)
    flipped = bytes([SECRET[0] ^ 1]) + SECRET[1:]
    others = [
        derive(key, "phone", "pseudonyms"),
        derive(key, "phon", "epseudonyms"),
        derive(key, "phone2", "pseudonyms"),
        derive(key, "phone", "words"),
        derive(MaskingKey(epoch="b", secret=SECRET), "phone", "pseudonyms"),
        derive(MaskingKey(epoch="a", secret=flipped), "phone", "pseudonyms"),
        derive(MaskingKey(epoch="a", secret=SECRET, family=Family.SM3_SM4), "phone", "pseudonyms"),
    ]
    assert len(set(others)) == len(others)


def test_a_key_that_nobody_has_drawn_is_for_trials_only() -> None:
    assert MaskingKey(secret=b"\xab" * 32).is_for_trials
    assert MaskingKey(secret=bytes(range(8)) * 4).is_for_trials
    assert not MaskingKey(secret=SECRET).is_for_trials
