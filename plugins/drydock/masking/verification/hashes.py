"""Keyed hashes of many values in bounded memory: a quick filter in memory, records of MACs in bucket files on disk.

The quick hash is a keyed multiply-add (Carter and Wegman) over the letters: only what passes its bit table gets a MAC. The MAC
is hash-then-cipher (Wegman and Carter, 1981): two such hashes, together 128 bits, through AES-256. Both work on whole batches.
All keys are made for one run and never stored; the files hold 64 bits of each MAC, the quick hash and the number of its owner.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

BUCKETS = 64
LONGEST_QUICK = 200  # letters that the quick hash looks at
LEAST_BITS, MOST_BITS = 20, 32
BITS_PER_VALUE = 64  # one wrong candidate in 64 passes the filter
RECORD = np.dtype([("owner", "<u4"), ("mac", "<u8"), ("quick", "<u8")])


class Keys:
    """One run's secrets."""

    def __init__(self) -> None:
        self.__setstate__(tuple(secrets.token_bytes(size) for size in (32, 8 * (LONGEST_QUICK + 1), 8 * (LONGEST_QUICK + 1))))

    def __getstate__(self) -> tuple[bytes, ...]:
        return self._secret  # for the run's own processes, over a pipe

    def __setstate__(self, secret: tuple[bytes, ...]) -> None:
        self._secret = secret
        key, *weights = secret
        self._cipher = Cipher(algorithms.AES(key), modes.ECB())
        self._long = key
        self._weights, self._offset = _weights(weights[0])
        self._other_weights, self._other_offset = _weights(weights[1])

    def macs(self, matrix: np.ndarray) -> np.ndarray:
        """64 bits for each row, texts of one length: AES over 128 bits of universal hashes; BLAKE2 for long texts."""
        if matrix.shape[1] > LONGEST_QUICK:
            rows = (hashlib.blake2b(row.tobytes(), digest_size=8, key=self._long).digest() for row in matrix)
            return np.frombuffer(b"".join(rows), np.uint64)
        blocks = np.empty((len(matrix), 2), np.uint64)
        blocks[:, 0] = self.quick(matrix)
        blocks[:, 1] = _universal(matrix, self._other_weights, self._other_offset)
        worked = self._cipher.encryptor().update(blocks.tobytes())
        return np.frombuffer(worked, np.uint64)[::2].copy()

    def mac(self, value: bytes) -> int:
        """As `macs`, of one value."""
        return int(self.macs(np.frombuffer(value, np.uint8).reshape(1, -1))[0])

    def quick(self, matrix: np.ndarray) -> np.ndarray:
        """One 64-bit hash for each row: texts of one length, as far as LONGEST_QUICK letters."""
        return _universal(matrix, self._weights, self._offset)


def _weights(random: bytes) -> tuple[np.ndarray, int]:
    numbers = np.frombuffer(random, np.uint64)
    return numbers[:LONGEST_QUICK] | np.uint64(1), int(numbers[LONGEST_QUICK])


def _universal(matrix: np.ndarray, weights: np.ndarray, offset: int) -> np.ndarray:
    """Multiply and add (Carter and Wegman), then mixed: two rows are alike by chance once in 2^56."""
    length = min(matrix.shape[1], LONGEST_QUICK)
    total = np.full(len(matrix), (offset + matrix.shape[1] * 0x9E3779B97F4A7C15) % 2**64, np.uint64)
    for at in range(length):
        total += (matrix[:, at].astype(np.uint64) + np.uint64(1)) * weights[at]
    total ^= total >> np.uint64(32)
    total *= weights[0]
    return total ^ (total >> np.uint64(29))


class Filter:
    """Bits of quick hashes: says no for most values that were never added."""

    def __init__(self, values: int) -> None:
        bits = min(max(LEAST_BITS, (values * BITS_PER_VALUE).bit_length()), MOST_BITS)
        self._shift = np.uint64(64 - bits)
        self._bits = np.zeros(1 << (bits - 3), np.uint8)

    def add(self, quick: np.ndarray) -> None:
        at = quick >> self._shift
        np.bitwise_or.at(self._bits, (at >> np.uint64(3)).astype(np.int64), np.uint8(1) << (at & np.uint64(7)).astype(np.uint8))

    def keep_in(self, path: Path) -> None:
        """Put the bits into a file, which processes share: what is pickled from now on is its path."""
        self._bits.tofile(path)
        self._path = path

    def __getstate__(self) -> tuple[np.uint64, Path]:
        return self._shift, self._path

    def __setstate__(self, state: tuple[np.uint64, Path]) -> None:
        self._shift, self._path = state
        self._bits = np.memmap(self._path, np.uint8, "r")

    def may_hold(self, quick: np.ndarray) -> np.ndarray:
        at = quick >> self._shift
        return (self._bits[(at >> np.uint64(3)).astype(np.int64)] >> (at & np.uint64(7)).astype(np.uint8)) & 1 == 1


class Buckets:
    """Records in files by the top bits of their MAC, so that one bucket at a time fits in memory."""

    def __init__(self, folder: Path, name: str) -> None:
        self._paths = [folder / f"{name}{number:02d}" for number in range(BUCKETS)]
        self.records = 0

    def add(self, owner: int, macs: np.ndarray, quick: np.ndarray) -> None:
        """Append; the files grow by 20 bytes a record."""
        record = np.empty(len(macs), RECORD)
        record["owner"], record["mac"], record["quick"] = owner, macs, quick
        bucket = (record["mac"] >> np.uint64(58)).astype(np.int64)
        record = record[np.argsort(bucket, kind="stable")]
        ends = np.cumsum(np.bincount(bucket, minlength=BUCKETS))
        for number, (begin, end) in enumerate(zip([0, *ends[:-1]], ends, strict=True)):
            if end > begin:
                with self._paths[number].open("ab") as file:
                    file.write(record[begin:end].tobytes())
        self.records += len(record)

    def read(self, number: int) -> np.ndarray:
        """The records of one bucket, each (owner, mac) once."""
        path = self._paths[number]
        found = np.fromfile(path, RECORD) if path.exists() else np.empty(0, RECORD)
        return np.unique(found)

    def each(self) -> Iterator[np.ndarray]:
        return (self.read(number) for number in range(BUCKETS))
