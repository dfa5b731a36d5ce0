"""FF1 against NIST's sample vectors, and the batches against the reference, number by number."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drydock.masking.ciphers.blockciphers import BlockCipher
from drydock.masking.ciphers.feistel import (
    SMALLEST_FF1_DOMAIN,
    ff1_decrypt,
    ff1_encrypt,
    layout,
    permute,
    permute_one,
    rounds_for,
)
from drydock.masking.ciphers.keys import Family
from drydock.masking.ciphers.wide import permute_wide, permute_wide_one

# https://csrc.nist.gov/csrc/media/projects/cryptographic-standards-and-guidelines/documents/examples/ff1samples.pdf
NIST_KEY = "2B7E151628AED2A6ABF7158809CF4F3CEF4359D8D580AA4F7F036D6F04FC6A94"
NO_TWEAK, TEN, ELEVEN = "", "39383736353433323130", "3737373770717273373737"
LETTERS = "0123456789abcdefghi"
NIST_SAMPLES = [
    (16, 10, "0123456789", NO_TWEAK, "2433477484"),
    (16, 10, "0123456789", TEN, "6124200773"),
    (16, 36, LETTERS, ELEVEN, "a9tv40mll9kdu509eum"),
    (24, 10, "0123456789", NO_TWEAK, "2830668132"),
    (24, 10, "0123456789", TEN, "2496655549"),
    (24, 36, LETTERS, ELEVEN, "xbj3kv35jrawxv32ysr"),
    (32, 10, "0123456789", NO_TWEAK, "6657667009"),
    (32, 10, "0123456789", TEN, "1001623463"),
    (32, 36, LETTERS, ELEVEN, "xs8a0azh2avyalyzuwd"),
]
CIPHER = BlockCipher(Family.SHA2_AES, bytes(range(32)))
SM4 = BlockCipher(Family.SM3_SM4, bytes(range(32)))
SIZES = st.one_of(st.integers(1, 300), st.integers(300, 1 << 33), st.integers(1 << 33, 1 << 63))


@pytest.mark.parametrize(("key_bytes", "radix", "text", "tweak", "masked"), NIST_SAMPLES)
def test_ff1_gives_what_nist_published(key_bytes: int, radix: int, text: str, tweak: str, masked: str) -> None:
    cipher = BlockCipher(Family.SHA2_AES, bytes.fromhex(NIST_KEY)[:key_bytes])
    numerals, expected = [int(c, 36) for c in text], [int(c, 36) for c in masked]
    assert ff1_encrypt(cipher, radix, numerals, bytes.fromhex(tweak)) == expected
    assert ff1_decrypt(cipher, radix, expected, bytes.fromhex(tweak)) == numerals


def test_sm4_is_the_cipher_of_its_standard() -> None:
    """GB/T 32907, annex A.1."""
    key = bytes.fromhex("0123456789abcdeffedcba9876543210")
    assert BlockCipher(Family.SM3_SM4, key).encrypt_block(key).hex() == "681edf34d206965e86b3e94f536e4246"


@settings(max_examples=60, deadline=None)
@given(size=SIZES, tweak=st.integers(0, (1 << 64) - 1), data=st.data(), sm4=st.booleans())
def test_a_batch_is_the_reference(size: int, tweak: int, data: st.DataObject, sm4: bool) -> None:
    cipher = SM4 if sm4 else CIPHER
    numbers = data.draw(st.lists(st.integers(0, size - 1), min_size=1, max_size=5))
    moved = permute(cipher, size, np.array(numbers, np.uint64), tweak)
    assert moved.tolist() == [permute_one(cipher, size, n, tweak.to_bytes(8, "big")) for n in numbers]


@settings(max_examples=20, deadline=None)
@given(rows=st.lists(st.tuples(SIZES, st.integers(0, 99), st.integers(0, 1 << 62)), min_size=1, max_size=12))
def test_rows_of_many_sizes_and_tweaks_are_the_reference(rows: list[tuple[int, int, int]]) -> None:
    sizes, tweaks = (np.array(column, np.uint64) for column in list(zip(*rows, strict=True))[:2])
    numbers = np.array([n % size for size, _, n in rows], np.uint64)
    expected = [permute_one(CIPHER, size, n % size, t.to_bytes(8, "big")) for size, t, n in rows]
    assert permute(CIPHER, sizes, numbers, tweaks).tolist() == expected


@pytest.mark.parametrize("size", [1, 2, 3, 7, 10, 100, 999, 10_000, 65_536, 100_001])
def test_every_small_domain_is_permuted_whole(size: int) -> None:
    everything = np.arange(size, dtype=np.uint64)
    assert np.sort(permute(CIPHER, size, everything, 5)).tolist() == everything.tolist()


def test_what_is_not_accepted_is_never_reached_and_the_rest_is_permuted_whole() -> None:
    everything = np.arange(20_000, dtype=np.uint64)
    odd = everything[everything % 7 == 3]
    moved = permute(CIPHER, 20_000, odd, 5, lambda numbers, rows: numbers % 7 == 3)
    assert np.sort(moved).tolist() == odd.tolist()
    assert (moved != odd).mean() > 0.99


def test_accept_is_told_which_rows_it_is_asked_of() -> None:
    numbers = np.arange(5_000, dtype=np.uint64)
    moved = permute(CIPHER, 5_000, numbers, 1, lambda new, rows: new % 5 == numbers[rows] % 5)
    assert (moved % 5 == numbers % 5).all()
    assert np.sort(moved).tolist() == numbers.tolist()


def test_domains_below_a_million_get_more_rounds() -> None:
    assert SMALLEST_FF1_DOMAIN == 1_000_000
    assert [rounds_for(n) for n in (10, 9_999, 10_000, 999_999, 1_000_000, 1 << 63)] == [36, 36, 24, 24, 10, 10]
    assert layout(1_000_000).rounds == 10


@pytest.mark.parametrize("size", [0, -1, (1 << 63) + 1])
def test_a_domain_that_cannot_be_is_refused(size: int) -> None:
    with pytest.raises(ValueError, match="no domain"):
        permute(CIPHER, size, np.zeros(1, np.uint64), 0)


@settings(max_examples=40, deadline=None)
@given(rows=st.integers(1, 5), length=st.integers(2, 70), seed=st.integers(0, 1000), tweak=st.integers(0, (1 << 64) - 1))
def test_wide_strings_are_the_reference(rows: int, length: int, seed: int, tweak: int) -> None:
    random = np.random.default_rng(seed)
    radices = random.choice([10, 26, 3755, 1_000_000], (rows, length)).astype(np.uint64)
    ranks = random.integers(0, radices, dtype=np.uint64)
    moved = permute_wide(CIPHER, radices, ranks, np.uint64(tweak))
    one = [
        permute_wide_one(CIPHER, r.tolist(), x.tolist(), tweak.to_bytes(8, "big")) for r, x in zip(radices, ranks, strict=True)
    ]
    assert moved.tolist() == one


@pytest.mark.parametrize("radices", [(2, 3), (4, 3, 5), (2, 2, 2, 2, 2), (26, 10, 10)])
def test_wide_strings_are_permuted_whole(radices: tuple[int, ...]) -> None:
    every = np.array(list(np.ndindex(*radices)), np.uint64)
    moved = permute_wide(CIPHER, np.broadcast_to(np.array(radices, np.uint64), every.shape), every, np.uint64(9))
    assert sorted(map(tuple, moved.tolist())) == sorted(map(tuple, every.tolist()))
