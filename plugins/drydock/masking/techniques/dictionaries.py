"""Names, companies and addresses from word lists by key, and credentials replaced by a constant.

Not injective: two people may get one name, as two people may have one. The draw depends on the whole value, on nothing else
of the row. No pseudonym is longer than its value; each place keeps its class, so it has the same length.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, lru_cache

import yaml

from drydock.masking.blockciphers import BLOCK_BYTES, BlockCipher
from drydock.masking.characters import COMMON_HAN, DIGIT, KEPT, LETTER, alphabet
from drydock.masking.keys import MaskingKey, derive
from drydock.masking.names import surnames
from drydock.masking.places import place_names
from drydock.settings import include_dir

DICTIONARY_KINDS = ("name", "company", "address", "credential")
HIDDEN = "********"  # of every credential, whatever it was
_MOST_SURNAMES = 100  # the table begins with the usual ones
_VOWELS, _CONSONANTS = "AEIOU", "BCDFGHJKLMNPQRSTVWXYZ"
_RARE_HAN, _FIRST_OTHER_HAN = 4, 5
_LONGEST_PLACE = 15
_MOST_TRIES = 8


class Draw:
    """A stream of numbers that depends on a value and a key."""

    def __init__(self, cipher: BlockCipher, value: str, again: int) -> None:
        raw = value.encode("utf-8", "surrogatepass")
        message = b"words" + again.to_bytes(3, "big") + len(raw).to_bytes(8, "big") + raw
        self._cipher, self._state = cipher, cipher.last_of_chain(message + bytes(-len(message) % BLOCK_BYTES))
        self._block, self._left = 0, 0
        self._count = 0

    def below(self, size: int) -> int:
        """The next number below `size`, which is at most 2^20."""
        if self._left < 2:
            counted = int.from_bytes(self._state, "big") ^ self._count
            self._block = int.from_bytes(self._cipher.encrypt_block(counted.to_bytes(BLOCK_BYTES, "big")), "big")
            self._count, self._left = self._count + 1, 4
        self._left -= 1
        self._block, part = divmod(self._block, 1 << 32)
        return part * size >> 32

    def of(self, words: Sequence[str]) -> str:
        return words[self.below(len(words))]


class Substitutes:
    """One kind under one key and join domain."""

    def __init__(self, kind: str, key: MaskingKey, join_domain: str) -> None:
        self._cipher = BlockCipher(key.family, derive(key, join_domain, f"words for {kind}"))
        self._spell = _SPELLINGS[kind]

    def values(self, values: Sequence[str | None]) -> list[str | None]:
        """The substitutes of a batch, in its order; each distinct value is drawn once."""
        drawn = {value: self._one(value) for value in dict.fromkeys(values) if value}
        return [drawn[value] if value else value for value in values]

    def _one(self, value: str) -> str:
        """Drawn again where the draw gave the value itself."""
        new = value
        for again in range(_MOST_TRIES):
            new = self._spell(value, Draw(self._cipher, value, again))
            if new != value:
                break
        return new


@cache
def words() -> dict[str, tuple[str, ...]]:
    """The lists of `include/masking/words.yaml`, characters or words each."""
    lists = yaml.safe_load((include_dir() / "masking" / "words.yaml").read_text(encoding="utf-8"))
    return {name: tuple("".join(entry.split()) if isinstance(entry, str) else entry) for name, entry in lists.items()}


def _character(c: str, draw: Draw, han: Sequence[str], letters: str) -> str:
    """One character by its class: Han from a list, letters from a choice, digits and all else from their class."""
    number, shift, small = _kind_of(c)
    if number == KEPT:
        return c
    if number in (COMMON_HAN, _RARE_HAN, _FIRST_OTHER_HAN):
        return draw.of(han)
    if number == LETTER:
        new = draw.of(letters)
        return chr(ord(new.lower() if small else new) + shift)
    if number == DIGIT:
        return chr(48 + draw.below(10) + shift)
    known = alphabet()
    first, size = int(known.first[number]), int(known.sizes[number])
    return chr(int(known.symbols[first + draw.below(min(size, 1 << 20))]))


@lru_cache(maxsize=1 << 16)
def _kind_of(c: str) -> tuple[int, int, bool]:
    """A character's class, how far it is from its half-width form, and whether it is a small letter."""
    folded = chr(ord(c) - 0xFEE0) if 0xFF01 <= ord(c) <= 0xFF5E else c
    small = folded.islower() and folded.isascii()
    return int(alphabet().class_of[ord(folded.upper() if small else folded)]), ord(c) - ord(folded), small


def _is_mark(c: str) -> bool:
    return _kind_of(c)[0] == KEPT


def _spelled(value: str, draw: Draw, han: Sequence[str], kept: Callable[[int], bool] = lambda place: False) -> str:
    """Each character in turn; letters alternate between consonants and vowels, so that words can be spoken."""
    out, letters = [], 0
    for place, c in enumerate(value):
        letters = letters + 1 if c.isalpha() and ord(c) < 128 else 0
        out.append(c if kept(place) else _character(c, draw, han, _VOWELS if letters % 2 == 0 else _CONSONANTS))
    return "".join(out)


def _name(value: str, draw: Draw) -> str:
    """A family name and a given name as long; of one character more than three, a family name of two."""
    given, single, compound = words()["given"], _usual_surnames(), sorted(surnames()[1])
    places = [i for i, c in enumerate(value) if _is_han(c)]
    only_han = len(places) == sum(not _is_mark(c) for c in value)
    new = list(_spelled(value, draw, given))
    if only_han and 1 <= len(places) <= 4:
        family = draw.of(compound) if len(places) == 4 else draw.of(single)
        for place, c in zip(places, family, strict=False):
            new[place] = c
    return "".join(new)


@cache
def _usual_surnames() -> tuple[str, ...]:
    text = yaml.safe_load((include_dir() / "masking" / "surnames.yaml").read_text(encoding="utf-8"))["single"]
    return tuple("".join(text.split())[:_MOST_SURNAMES])


def _is_han(c: str) -> bool:
    return _kind_of(c)[0] in (COMMON_HAN, _RARE_HAN, _FIRST_OTHER_HAN)


def _company(value: str, draw: Draw) -> str:
    """Its place and its form (有限公司 and the like, with words of the trade) are kept, its own name is not."""
    start = _place_end(value)
    kept = set(range(start))
    for word in words()["company_words"]:
        at = value.find(word, start)
        while at >= 0:
            kept |= set(range(at, at + len(word)))
            at = value.find(word, at + 1)
    if len(kept) >= sum(not _is_mark(c) for c in value):
        kept = set()  # nothing of its own would change
    return _spelled(value, draw, words()["trade_names"], kept.__contains__)


def _address(value: str, draw: Draw) -> str:
    """Province, city and district are kept where they are real ones; roads, houses and numbers are not."""
    start = _place_end(value)
    structure = _structure()
    return _spelled(value, draw, words()["road_names"], lambda place: place < start or value[place] in structure)


@cache
def _structure() -> frozenset[str]:
    return frozenset(words()["address_structure"])


def _place_end(value: str) -> int:
    """How many characters at the start are names of divisions that there are, at most three of them."""
    end, names = 0, place_names()
    for _ in range(3):
        sizes = range(min(_LONGEST_PLACE, len(value) - end), 1, -1)
        size = next((n for n in sizes if value[end : end + n] in names), 0)
        if not size:
            break
        end += size
    return end


_SPELLINGS: dict[str, Callable[[str, Draw], str]] = {
    "name": _name,
    "company": _company,
    "address": _address,
    "credential": lambda value, draw: HIDDEN,
}
