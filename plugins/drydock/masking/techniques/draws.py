"""Keyed draws: a number of 64 bits for each text, the same for a key epoch, join domain and purpose.

CBC-MAC of the block cipher over the text with its length in front (which makes it a PRF for texts of any lengths), many texts
in one call. A draw tells nothing of the text to whoever lacks the key.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import numpy as np

from drydock.masking.ciphers.blockciphers import BLOCK_BYTES, BlockCipher
from drydock.masking.ciphers.keys import MaskingKey, derive

_PORTION = 1 << 16


class Draws:
    """Draws for one purpose under one key and join domain."""

    def __init__(self, key: MaskingKey, join_domain: str, purpose: str) -> None:
        self._cipher = BlockCipher(key.family, derive(key, join_domain, purpose))

    def numbers(self, texts: Sequence[str]) -> np.ndarray:
        """One number (uint64) for each text, in their order."""
        out = np.empty(len(texts), np.uint64)
        for first in range(0, len(texts), _PORTION):
            some = texts[first : first + _PORTION]
            out[first : first + len(some)] = self._portion(some)
        return out

    def below(self, texts: Sequence[str], size: int) -> np.ndarray:
        """As whole numbers 0 … size-1 (int64); the bias is under size / 2^64."""
        return (self.numbers(texts) % np.uint64(size)).astype(np.int64)

    def _portion(self, texts: Sequence[str]) -> np.ndarray:
        raw = [text.encode("utf-8", "surrogatepass") for text in texts]
        blocks = np.array([1 + -(-len(r) // BLOCK_BYTES) for r in raw], np.int64)
        out = np.empty(len(texts), np.uint64)
        for count in np.unique(blocks):
            rows = np.flatnonzero(blocks == count)
            width = int(count - 1) * BLOCK_BYTES
            joined = b"".join(len(raw[i]).to_bytes(BLOCK_BYTES, "big") + raw[i].ljust(width, b"\0") for i in rows)
            messages = np.frombuffer(joined, np.uint8).reshape(rows.size, int(count) * BLOCK_BYTES)
            out[rows] = self._cipher.chain_rows(messages).view(">u8")[:, 0]
        return out


def name_of(value: Any) -> str | None:
    """A subject's or row's name for a draw: 7, 7.0, Decimal("7") and "7  " are one; None where there is none."""
    if isinstance(value, Decimal | float):
        value = int(value) if value == value and abs(value) != float("inf") and value == int(value) else value
    text = "" if value is None else str(value).rstrip(" ")
    return text or None
