"""Format-preserving encryption of long strings, whose domain passes 2^63: a Feistel network over characters.

FFX (Bellare, Rogaway, Spies 2010) with characterwise addition: the string is cut in the middle, and in each round every
character of one half is moved, within its own alphabet, by a word of a stream that depends on the other half, the tweak, the
length and the round. PRF: CBC-MAC of the block cipher, then the counter stream of FF1. 12 rounds.
"""

from __future__ import annotations

import numpy as np

from drydock.masking.ciphers.blockciphers import BLOCK_BYTES, BlockCipher

WIDE_ROUNDS = 12
_RANK_BYTES = 3  # an alphabet has fewer than 2^24 characters
_WORD_BYTES = 8


def permute_wide(cipher: BlockCipher, radices: np.ndarray, ranks: np.ndarray, tweaks: np.ndarray) -> np.ndarray:
    """Ranks of characters (rows x length, uint64), each below its radix, under tweaks of 64 bits (one, or one for each row).

    A permutation for each row of radices and tweak. Raises ValueError for fewer than two characters.
    """
    rows, length = ranks.shape
    if length < 2:
        raise ValueError("a string of one character has no halves")
    middle = length // 2
    left, right = ranks[:, :middle], ranks[:, middle:]
    half_radices = (radices[:, :middle], radices[:, middle:])
    tweaks = np.broadcast_to(np.asarray(tweaks, np.uint64), (rows,))
    for i in range(WIDE_ROUNDS):
        modulus = half_radices[i % 2]
        words = _words(cipher, right, tweaks, i, length, modulus.shape[1])
        left, right = right, (left + words % modulus) % modulus
    return np.concatenate((left, right), axis=1)


def _words(cipher: BlockCipher, source: np.ndarray, tweaks: np.ndarray, i: int, length: int, wanted: int) -> np.ndarray:
    """`wanted` words of 64 bits for each row, from the other half."""
    state = cipher.chain_rows(_messages(source, tweaks, i, length)).view(np.uint64)
    blocks = -(-wanted * _WORD_BYTES // BLOCK_BYTES)
    counters = np.repeat(state.reshape(-1, 1, 2), blocks, axis=1)
    counters[:, :, 1] ^= np.arange(blocks, dtype=np.uint64).byteswap()
    stream = cipher.encrypt(np.ascontiguousarray(counters.reshape(-1, 2)))
    return stream.byteswap().reshape(source.shape[0], blocks * 2)[:, :wanted]


def _messages(source: np.ndarray, tweaks: np.ndarray, i: int, length: int) -> np.ndarray:
    """One first block (marker, round, length, tweak), then the ranks in three bytes each, filled up with zeros."""
    rows, count = source.shape
    blocks = 1 + -(-count * _RANK_BYTES // BLOCK_BYTES)
    out = np.zeros((rows, blocks * BLOCK_BYTES), np.uint8)
    out[:, :8] = np.frombuffer(bytes([3, WIDE_ROUNDS, i, 0]) + length.to_bytes(4, "big"), np.uint8)
    out[:, 8:16] = tweaks.byteswap().view(np.uint8).reshape(rows, 8)
    ranks = source.astype(">u4").view(np.uint8).reshape(rows, count, 4)[:, :, 1:]
    out[:, BLOCK_BYTES : BLOCK_BYTES + count * _RANK_BYTES] = ranks.reshape(rows, count * _RANK_BYTES)
    return out


def permute_wide_one(cipher: BlockCipher, radices: list[int], ranks: list[int], tweak: bytes) -> list[int]:
    """The reference of `permute_wide`, for one string, with whole numbers of Python."""
    middle = len(ranks) // 2
    left, right = ranks[:middle], ranks[middle:]
    halves = (radices[:middle], radices[middle:])
    for i in range(WIDE_ROUNDS):
        message = bytes([3, WIDE_ROUNDS, i, 0]) + len(ranks).to_bytes(4, "big") + tweak
        message += b"".join(r.to_bytes(_RANK_BYTES, "big") for r in right)
        state = int.from_bytes(cipher.last_of_chain(message + bytes(-len(message) % BLOCK_BYTES)), "big")
        blocks = -(-len(left) * _WORD_BYTES // BLOCK_BYTES)
        stream = b"".join(cipher.encrypt_block((state ^ j).to_bytes(BLOCK_BYTES, "big")) for j in range(blocks))
        words = [int.from_bytes(stream[k : k + 8], "big") for k in range(0, 8 * len(left), 8)]
        left, right = right, [(a + w) % m for a, w, m in zip(left, words, halves[i % 2], strict=True)]
    return left + right
