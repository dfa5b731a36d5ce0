"""What a compiled kernel must answer before it is used: a damaged or miscompiled one is refused, and NumPy does the work.

Published vectors of AES (FIPS 197, C.3), and numbers once through FF1's network in domains of every sort. The numbers were given
by the reference of feistel.py, which NIST's samples of SP 800-38G hold; a test asks it again. One turn each, since a network
that is none may walk without an end. What a whole column becomes is asked of Python with the first batch of each stream.
"""

from __future__ import annotations

import ctypes

import numpy as np

SECRET = bytes(range(32))
TWEAK = 0x0123456789ABCDEF
PLAIN, ENCRYPTED = bytes.fromhex("00112233445566778899aabbccddeeff"), bytes.fromhex("8ea2b7ca516745bfeafc49904b496089")
NETWORK: tuple[tuple[int, tuple[int, ...]], ...] = (
    (2, (0, 0, 1)),
    (100, (75, 48, 73)),
    (9999, (2404, 6010, 6068)),
    (10_000, (8058, 6420, 2723)),
    (999_999, (630_450, 561_128, 428_931)),
    (1_000_000, (426_136, 872_882, 783_410)),
    (67_108_865, (35_686_108, 47_033_553, 65_877_957)),
    (1_000_000_000, (67_946_212, 71_691_434, 552_119_878)),
    (4_294_967_296, (566_143_684, 2_377_241_574, 3_791_753_755)),
    (4_294_967_297, (650_492_860, 1_121_028_161, 1_983_133_004)),
    (92_352_100_000_000, (75_544_113_125_343, 55_808_250_443_810, 73_534_870_103_567)),
    (9_223_372_036_854_775_808, (5_421_505_723_338_103_053, 1_797_644_316_817_658_378, 3_662_225_380_628_048_862)),
)
"""size -> what the numbers of `asked` become in one turn; that may lie above the size, from where a walk goes on"""
MANY = 40  # more than go through the network together


def asked(size: int) -> tuple[int, int, int]:
    return 0, size // 3, size - 1


def wrong(library: ctypes.CDLL) -> str:
    """What the kernel gets wrong; empty where all is right, or where it has no cipher and is asked for none."""
    if not library.dk_has_aes():
        return ""
    size = library.dk_size_of_texts()
    texts = library.dk_room(size)
    if not texts:
        raise MemoryError("no room for a program of masking")
    try:
        library.dk_texts_key(texts, SECRET)
        found = _wrong_cipher(library, texts) or _wrong_network(library, texts)
    finally:
        library.dk_texts_end(texts)
        library.dk_release(texts, size)
    return found


def _wrong_cipher(library: ctypes.CDLL, texts: int) -> str:
    """The cipher is the first member of a program. One block alone, and as many as its widest loop takes, and more."""
    blocks = np.frombuffer(PLAIN * MANY, np.uint8).copy()
    library.dk_encrypt(texts, blocks.ctypes.data, MANY)
    if blocks.tobytes() != ENCRYPTED * MANY:
        return "its AES is not that of FIPS 197"
    state = ctypes.create_string_buffer(16)
    library.dk_chain(texts, PLAIN, 1, state)
    if state.raw != ENCRYPTED:
        return "its chain of AES is none"
    chained = [ctypes.create_string_buffer(16) for _ in range(3)]
    message = ctypes.create_string_buffer(PLAIN + bytes(a ^ b for a, b in zip(PLAIN, ENCRYPTED, strict=True)), 32)
    addresses = (ctypes.c_void_p * 3)(*[ctypes.addressof(message)] * 3)
    states = (ctypes.c_void_p * 3)(*map(ctypes.addressof, chained))
    library.dk_chains(texts, addresses, (ctypes.c_size_t * 3)(2, 1, 2), states, 3)
    return "" if [one.raw for one in chained] == [ENCRYPTED] * 3 else "its chains of AES are none"


def _wrong_network(library: ctypes.CDLL, texts: int) -> str:
    for size, answers in NETWORK:
        numbers = np.tile(np.array(asked(size), np.uint64), MANY)
        library.dk_permute(texts, size, TWEAK, numbers.ctypes.data, numbers.size, 1)
        if numbers.tolist() != list(answers) * MANY:
            return f"its FF1 is wrong in a domain of {size}"
    return ""
