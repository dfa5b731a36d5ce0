"""Names, companies and addresses from word lists by key, and credentials replaced by a constant.

Not injective: two people may get one name, as two people may have one. The draw depends on the whole value (in half-width
capitals) and on nothing else of the row. Each character keeps its class, so that no substitute is longer than its value.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache

import numpy as np
import yaml

from drydock.masking.ciphers.blockciphers import BLOCK_BYTES, BlockCipher
from drydock.masking.ciphers.keys import MaskingKey, derive
from drydock.masking.discovering.names import surnames
from drydock.masking.values.characters import COMMON_HAN, KEPT, LETTER, alphabet, fold, restore, to_matrix, to_values
from drydock.masking.values.places import place_names
from drydock.settings import include_dir

DICTIONARY_KINDS = ("name", "company", "address", "credential")
HIDDEN = "********"  # of every credential, whatever it was
_MOST_SURNAMES = 100  # the table begins with the usual ones
_LAST_HAN = COMMON_HAN + 2  # the classes of rarer Han characters follow that of the common ones
_LONGEST_HEAD = 2
_MOST_TRIES = 8

Kept = Callable[[list[str], np.ndarray], np.ndarray]  # (values, their codes) -> which places stay


class Substitutes:
    """One kind under one key and join domain."""

    def __init__(self, kind: str, key: MaskingKey, join_domain: str) -> None:
        self._kind = kind
        self._cipher = BlockCipher(key.family, derive(key, join_domain, f"words for {kind}"))

    def values(self, values: Sequence[str | None]) -> list[str | None]:
        """The substitutes of a batch, in its order; each distinct value is drawn once."""
        if self._kind == "credential":
            return [HIDDEN if value else value for value in values]
        drawn: dict[str, str] = {}
        by_length: dict[int, list[str]] = {}
        for value in dict.fromkeys(values):
            if value:
                by_length.setdefault(len(value), []).append(value)
        for length, some in by_length.items():
            drawn.update(zip(some, to_values(self._drawn(some, to_matrix(some, length))), strict=True))
        return [drawn[value] if value else value for value in values]

    def _drawn(self, values: list[str], codes: np.ndarray) -> np.ndarray:
        """Rows of one length, drawn again where the draw gave the value itself."""
        folded, form = fold(codes.astype(np.uint32))
        kept = _KEPT[self._kind](values, folded)
        out, rows = folded.copy(), np.arange(len(values))
        for again in range(_MOST_TRIES):
            out[rows] = self._spelled(folded[rows], kept[rows], again)
            rows = rows[(out[rows] == folded[rows]).all(axis=1)]
            if rows.size == 0:
                break
        return restore(out, form)

    def _spelled(self, codes: np.ndarray, kept: np.ndarray, again: int) -> np.ndarray:
        words = _words(self._cipher, codes, again)
        new = _characters(codes, words, symbols_of(HAN_OF[self._kind]))
        if self._kind == "name":
            _put_family_names(new, codes, words[:, -1])
        return np.where(kept, codes, new)


def _words(cipher: BlockCipher, codes: np.ndarray, again: int) -> np.ndarray:
    """A word of 32 bits for each character and one more (uint64), from the whole row: CBC-MAC, then a counter stream."""
    rows, length = codes.shape
    messages = np.zeros((rows, BLOCK_BYTES * (1 + -(-length * 4 // BLOCK_BYTES))), np.uint8)
    messages[:, :BLOCK_BYTES] = np.frombuffer(b"words" + again.to_bytes(3, "big") + length.to_bytes(8, "big"), np.uint8)
    messages[:, BLOCK_BYTES : BLOCK_BYTES + length * 4] = codes.astype(">u4").view(np.uint8).reshape(rows, length * 4)
    state = cipher.chain_rows(messages).view(np.uint64).reshape(-1, 1, 2)
    blocks = -(-(length + 1) // 4)
    counters = np.repeat(state, blocks, axis=1)
    counters[:, :, 1] ^= np.arange(blocks, dtype=np.uint64).byteswap()
    stream = cipher.encrypt(np.ascontiguousarray(counters.reshape(-1, 2)))
    return stream.view(">u4").reshape(rows, blocks * 4)[:, : length + 1].astype(np.uint64)


def _below(words: np.ndarray, size: int | np.ndarray) -> np.ndarray:
    """Words of 32 bits as numbers below a size."""
    return ((words * np.asarray(size, np.uint64)) >> np.uint64(32)).astype(np.intp)


def _characters(codes: np.ndarray, words: np.ndarray, han: np.ndarray) -> np.ndarray:
    """Each character by its class: Han from a list, letters so that words can be spoken, all else from its class."""
    known, words = alphabet(), words[:, :-1]
    classes = known.class_of.take(codes)
    new = known.symbols.take(known.first.take(classes) + _below(words, known.sizes.take(classes)))
    new = np.where((classes >= COMMON_HAN) & (classes <= _LAST_HAN), han.take(_below(words, han.size)), new)
    letters = classes == LETTER
    if letters.any():
        places = np.arange(codes.shape[1])
        since = places - np.maximum.accumulate(np.where(letters, -1, places), axis=1)
        vowels, consonants = symbols_of("vowels"), symbols_of("consonants")
        spoken = np.where(
            since % 2 == 0, vowels.take(_below(words, vowels.size)), consonants.take(_below(words, consonants.size))
        )
        new = np.where(letters, spoken, new)
    return np.where(classes == KEPT, codes, new).astype(np.uint32)


def _put_family_names(new: np.ndarray, codes: np.ndarray, words: np.ndarray) -> None:
    """Where up to four Han characters are the whole name, the first is a family name; of four, the first two."""
    classes = alphabet().class_of.take(codes)
    han = (classes >= COMMON_HAN) & (classes <= _LAST_HAN)
    count = han.sum(axis=1)
    whole = (count >= 1) & (count <= 4) & (count == (classes != KEPT).sum(axis=1))
    rank = np.cumsum(han, axis=1)
    single, compound = symbols_of("surnames"), symbols_of("compound").reshape(-1, 2)
    of_two = compound.take(_below(words, compound.shape[0]), axis=0)
    for number in (1, 2):
        places = han & (rank == number) & (whole & ((count == 4) | (number == 1)))[:, None]
        family = np.where(count == 4, of_two[:, number - 1], single.take(_below(words, single.size)))
        new[places] = np.broadcast_to(family[:, None], new.shape)[places]


@cache
def words_of(name: str) -> tuple[str, ...]:
    """A list of `include/masking/words.yaml`: its characters, or its words."""
    entry = _lists()[name]
    return tuple("".join(entry.split()) if isinstance(entry, str) else entry)


@cache
def _lists() -> dict[str, str | list[str]]:
    return yaml.safe_load((include_dir() / "masking" / "words.yaml").read_text(encoding="utf-8"))


@cache
def symbols_of(name: str) -> np.ndarray:
    """The characters of a list as code points."""
    if name == "surnames":
        text = yaml.safe_load((include_dir() / "masking" / "surnames.yaml").read_text(encoding="utf-8"))["single"]
        characters = "".join(text.split())[:_MOST_SURNAMES]
    elif name == "compound":
        characters = "".join(sorted(surnames()[1]))
    else:
        characters = "".join(words_of(name))
    return np.array([ord(c) for c in characters], np.uint32)


def _nothing(values: list[str], codes: np.ndarray) -> np.ndarray:
    return np.zeros(codes.shape, bool)


def _of_address(values: list[str], codes: np.ndarray) -> np.ndarray:
    """Province, city and district where they are real ones, and words like road and number (路 号 栋 室 …) after them."""
    ends = np.fromiter(map(_place_end, values), np.int64, len(values))
    places = np.arange(codes.shape[1]) < ends[:, None]
    return places | (np.isin(codes, symbols_of("address_structure")) & ~_all_kept(codes, "address_structure")[:, None])


def _of_company(values: list[str], codes: np.ndarray) -> np.ndarray:
    """Its place and its form (有限公司 and the like, with words of the trade); nothing where that would be all of it."""
    kept = _nothing(values, codes)
    for row, value in enumerate(values):
        start = _place_end(value)
        kept[row, :start] = True
        for word in words_of("company_words"):
            at = value.find(word, start)
            while at >= 0:
                kept[row, at : at + len(word)] = True
                at = value.find(word, at + 1)
    marks = alphabet().class_of.take(codes) == KEPT
    return kept & ~(kept | marks).all(axis=1)[:, None]


def _all_kept(codes: np.ndarray, words: str) -> np.ndarray:
    """Rows of nothing but such words and marks: there is no name among them, so that nothing of them can stay."""
    return (np.isin(codes, symbols_of(words)) | (alphabet().class_of.take(codes) == KEPT)).all(axis=1)


@cache
def _sizes_by_head() -> dict[str, tuple[int, ...]]:
    """How long the names of places are that begin with these two characters, the longest first."""
    sizes: dict[str, set[int]] = {}
    for name in place_names():
        sizes.setdefault(name[:_LONGEST_HEAD], set()).add(len(name))
    return {head: tuple(sorted(some, reverse=True)) for head, some in sizes.items()}


def _place_end(value: str) -> int:
    """How many characters at the start are names of divisions that there are, at most three of them."""
    end, names, heads = 0, place_names(), _sizes_by_head()
    for _ in range(3):
        sizes = heads.get(value[end : end + _LONGEST_HEAD], ())
        size = next((n for n in sizes if value[end : end + n] in names), 0)
        if not size:
            break
        end += size
    return end


HAN_OF = {"name": "given", "company": "trade_names", "address": "road_names"}
_KEPT: dict[str, Kept] = {"name": _nothing, "company": _of_company, "address": _of_address}
