"""Block ciphers over whole batches: AES-256 or SM4 in ECB over an array, one call for all blocks.

ECB here is the bare block cipher, as a pseudorandom function inside a Feistel round: no text is ever encrypted by it.
"""

from __future__ import annotations

import numpy as np
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext, algorithms, modes

from drydock.masking.ciphers.keys import Family

BLOCK_BYTES = 16


class BlockCipher:
    """The keyed block cipher of a family. Not for two threads at once: it keeps a buffer."""

    def __init__(self, family: Family, key: bytes) -> None:
        """`key`: 32 bytes for AES-256 (16 and 24 are taken too, for published test vectors); SM4 uses the first 16.

        Raises RuntimeError where this machine's OpenSSL has no SM4.
        """
        self._algorithm = algorithms.SM4(key[:16]) if family is Family.SM3_SM4 else algorithms.AES(key)
        try:
            self._ecb: CipherContext = Cipher(self._algorithm, modes.ECB()).encryptor()
        except UnsupportedAlgorithm as e:
            raise RuntimeError(f"{family}: the OpenSSL of this machine cannot do {self._algorithm.name}; use sha2_aes") from e
        self._out = np.empty(0, np.uint8)

    def encrypt(self, blocks: np.ndarray) -> np.ndarray:
        """Each row of 16 bytes (any dtype, C order) encrypted: an array of the same shape, good until the next call."""
        if blocks.nbytes + BLOCK_BYTES > self._out.nbytes:
            self._out = np.empty(blocks.nbytes + BLOCK_BYTES, np.uint8)
        self._ecb.update_into(memoryview(blocks).cast("B"), self._out)
        return self._out[: blocks.nbytes].view(blocks.dtype).reshape(blocks.shape)

    def encrypt_block(self, block: bytes) -> bytes:
        """One block of 16 bytes."""
        return self._ecb.update(block)

    def last_of_chain(self, message: bytes) -> bytes:
        """CBC-MAC with a zero start over whole blocks: the PRF of SP 800-38G, algorithm 6."""
        chain = Cipher(self._algorithm, modes.CBC(bytes(BLOCK_BYTES))).encryptor()
        return chain.update(message)[-BLOCK_BYTES:]

    def chain_rows(self, messages: np.ndarray) -> np.ndarray:
        """CBC-MAC of every row of bytes (rows x 16 k): rows x 16 bytes."""
        rows, blocks = messages.shape[0], messages.shape[1] // BLOCK_BYTES
        if rows < blocks:  # few long rows: one call for each row
            last = [self.last_of_chain(row.tobytes()) for row in messages]
            return np.frombuffer(b"".join(last), np.uint8).reshape(rows, BLOCK_BYTES)
        words = np.ascontiguousarray(messages).view(np.uint64).reshape(rows, blocks, 2)
        state = self.encrypt(np.ascontiguousarray(words[:, 0])).copy()
        for block in range(1, blocks):
            state ^= words[:, block]
            state = self.encrypt(state).copy()
        return state.view(np.uint8).reshape(rows, BLOCK_BYTES)
