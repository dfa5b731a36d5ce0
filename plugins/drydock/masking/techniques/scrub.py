"""Free text, JSON, XML and arrays: what is sensitive inside them gets the pseudonym that its own column gives.

A batch is taken apart first, then every kind found is masked in one call, then the texts are put together again. So a phone in
a remark becomes the phone of the phone column (same key epoch, join domain and options), and no pseudonym is looked at again.
Long runs of digits and letters that nothing knows are masked by class, as order numbers are. A text that looks like JSON, XML
or an array and does not parse is masked wholly. What no pattern knows, as a name without a title or a word, stays:
docs/masking-techniques.md says what follows from that.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal

from pydantic import Field

from drydock.masking.ciphers.keys import MaskingKey
from drydock.masking.discovering.inside import kind_of_pair
from drydock.masking.discovering.reading import Reading, read
from drydock.masking.discovering.spans import MARKS_OF_MOBILE, UNKNOWN, Find, Limits, find
from drydock.masking.techniques import masker
from drydock.masking.techniques.columns import Column, like, values_of
from drydock.masking.techniques.document_parts import NotParsed, Render, array_parts, json_parts, looks_like, xml_parts
from drydock.masking.techniques.options import Options
from drydock.masking.values.folding import SEPARATORS
from drydock.masking.values.kinds import all_kinds
from drydock.verdicts import Model

DEEPEST = 4  # documents inside documents; what is deeper is masked wholly
WHOLLY = "wholly"
_BY_CLASS = "order_no"  # the kind that masks any text by its classes alone
_SEPARATOR = re.compile(SEPARATORS)
_LINE_BREAK = re.compile(r"[\r\n\t\u00ad]")
_NUMBER = re.compile(r"(-?)([0-9]+)(\.[0-9]+)?(.*)", re.S)
_SAID_BY_KEY = frozenset({"credential", "name", "address"})


class ScrubPolicy(Model):
    """What is done with what is found. The defaults mask whatever is not known to be harmless."""

    join_domains: Mapping[str, str] = Field({}, description="kind -> join domain of that kind's column, where not its own")
    options: Mapping[str, Options] = Field({}, description="kind -> options of that kind's column")
    kept: frozenset[str] = Field(frozenset(), description="kinds that may stay, such as hs or container")
    form: Literal["auto", "text", "json", "array", "xml"] = Field("auto", description="auto: by the first characters")
    unparsed: Literal["mask", "as_text"] = Field("mask", description="a text that looks structured and does not parse")
    unknown: Literal["mask", "keep"] = Field("mask", description="long runs that nothing knows")
    shortest_digits: int = Field(6, ge=0, description="from how many digits on; 0: never")
    shortest_mixed: int = Field(8, ge=0, description="digits and letters together")
    shortest_letters: int = Field(24, ge=0, description="Latin letters alone: words are shorter, tokens longer")
    shortest_groups: int = Field(9, ge=0, description="digits in groups with blanks, hyphens or line breaks between")
    dates: Literal["keep", "mask"] = Field("keep", description="dates with their marks, 2024-01-31 10:00:00")

    def limits(self) -> Limits:
        if self.unknown == "keep":
            return Limits(0, 0, 0, 0)
        lengths = (self.shortest_digits, self.shortest_mixed, self.shortest_letters, self.shortest_groups)
        return Limits(*lengths, keeps_dates=self.dates == "keep")


class ScrubReport(Model):
    """Counts only, never values. `found`: by kind, with `unknown` for runs that nothing knew."""

    values: int
    changed: int
    wholly_masked: int = Field(description="texts that did not parse, and what lay too deep in others")
    found: Mapping[str, int]
    forms: Mapping[str, int]


@dataclass
class _Batch:
    """What is to be masked, by kind, and what came of it. `walks`: as a JSON number, which must not begin with 0."""

    wanted: dict[tuple[str, bool], list[str]] = field(default_factory=dict)
    done: dict[tuple[str, bool], list[str]] = field(default_factory=dict)

    def want(self, kind: str, value: str, walks: bool = False) -> Render:
        slot = (kind, walks)
        some = self.wanted.setdefault(slot, [])
        some.append(value)
        place = len(some) - 1
        return lambda: self.done[slot][place]


class Scrubber:
    """One column's scrubbing under one key: `.values(batch)` again and again, `.report()` at the end."""

    def __init__(self, key: MaskingKey, policy: ScrubPolicy | None = None) -> None:
        self._key, self._policy = key, policy or ScrubPolicy()
        self._limits = self._policy.limits()
        self._maskers: dict[str, Any] = {}
        self._found: Counter[str] = Counter()
        self._forms: Counter[str] = Counter()
        self._values = self._changed = 0

    def values(self, values: Sequence[Any]) -> list[Any]:
        """Texts, bytes and lists or dicts (as drivers give arrays and JSON), scrubbed in their order; None stays None."""
        batch = _Batch()
        renders: dict[Any, Callable[[], Any]] = {}
        plan: list[Callable[[], Any] | None] = []
        for value in values:
            known = renders.get(value) if isinstance(value, str) else None
            if known is None and value is not None:
                known = self._planned(batch, value)
                if isinstance(value, str):
                    renders[value] = known
            plan.append(known)
        self._mask(batch)
        out = [None if render is None else render() for render in plan]
        self._values += len(out)
        self._changed += sum(a != b for a, b in zip(values, out, strict=True))
        return out

    def report(self) -> ScrubReport:
        """What was found since the start."""
        found = Counter(self._found)
        wholly = found.pop(WHOLLY, 0)
        return ScrubReport(
            values=self._values, changed=self._changed, wholly_masked=wholly, found=dict(found), forms=dict(self._forms)
        )

    def _mask(self, batch: _Batch) -> None:
        for (kind, walks), values in batch.wanted.items():
            batch.done[kind, walks] = self._walked(kind, values) if walks else self._masker(kind).values(values)

    def _walked(self, kind: str, values: list[str]) -> list[str]:
        """Masked again while a number would begin with 0: a permutation of the numbers that do not."""
        out = self._masker(kind).values(values)
        left = [i for i, v in enumerate(out) if len(v) > 1 and v[0] == "0"]
        while left:
            for i, new in zip(left, self._masker(kind).values([out[i] for i in left]), strict=True):
                out[i] = new
            left = [i for i in left if out[i][0] == "0"]
        return out

    def _masker(self, kind: str) -> Any:
        known = _BY_CLASS if kind in (UNKNOWN, WHOLLY) else kind
        if known not in self._maskers:
            policy = self._policy
            self._maskers[known] = masker(known, self._key, policy.join_domains.get(known), policy.options.get(known))
        return self._maskers[known]

    # ---- taking apart

    def _planned(self, batch: _Batch, value: Any) -> Callable[[], Any]:
        if isinstance(value, str):
            return self._document(batch, value, "", 0)
        if isinstance(value, bytes | bytearray | memoryview):
            return self._bytes(batch, bytes(value))
        self._forms["object"] += 1
        return self._object(batch, value, "", 0)

    def _bytes(self, batch: _Batch, raw: bytes) -> Callable[[], bytes]:
        """UTF-8, else GB18030; what is neither is masked wholly, byte by byte."""
        for encoding in ("utf-8", "gb18030"):
            try:
                text = raw.decode(encoding)
            except UnicodeDecodeError:
                continue
            new = self._document(batch, text, "", 0)
            return lambda: new().encode(encoding)
        wholly = self._wholly(batch, raw.decode("utf-8", "surrogateescape"))
        return lambda: wholly().encode("utf-8", "surrogateescape")

    def _object(self, batch: _Batch, value: Any, key: str, depth: int) -> Callable[[], Any]:
        if isinstance(value, dict):
            pairs = [(self._leaf(batch, depth)(str(k), ""), self._object(batch, v, str(k), depth)) for k, v in value.items()]
            return lambda: {k(): v() for k, v in pairs}
        if isinstance(value, list | tuple):
            items = [self._object(batch, v, key, depth) for v in value]
            return lambda: type(value)([i() for i in items])
        if isinstance(value, str):
            return self._leaf(batch, depth)(value, key)
        if isinstance(value, bytes | bytearray | memoryview):
            return self._bytes(batch, bytes(value))
        if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
            number, sort = self._number(batch)(str(value), key), type(value)
            return lambda: sort(number())
        return lambda: value

    def _document(self, batch: _Batch, text: str, key: str, depth: int) -> Render:
        form = looks_like(text) if self._policy.form == "auto" or depth else self._policy.form
        if depth == 0:
            self._forms[form] += 1
        if form == "text" or not text:
            return self._text(batch, text)
        if depth > DEEPEST:
            return self._wholly(batch, text)
        return self._parsed(batch, text, form, depth) or (
            self._text(batch, text) if self._policy.unparsed == "as_text" else self._wholly(batch, text)
        )

    def _parsed(self, batch: _Batch, text: str, form: str, depth: int) -> Render | None:
        """None where it does not parse; what was planned before that was seen is thrown away."""
        leaf = self._leaf(batch, depth + 1)
        before = {slot: len(some) for slot, some in batch.wanted.items()}
        found = Counter(self._found)
        try:
            if form == "xml":
                return xml_parts(text, leaf)
            try:
                if form == "json":
                    return json_parts(text, leaf, self._number(batch))
            except NotParsed:
                pass
            return array_parts(text, leaf)
        except NotParsed:
            self._found = found
            for slot, some in batch.wanted.items():
                del some[before.get(slot, 0) :]
            return None

    def _leaf(self, batch: _Batch, depth: int) -> Callable[[str, str], Render]:
        def leaf(text: str, key: str) -> Render:
            if len(text) < 2:
                return lambda: text
            kind = kind_of_pair(key, text) if key else ""
            if kind and kind not in self._policy.kept and (kind in _SAID_BY_KEY or looks_like(text) == "text"):
                self._found[kind] += 1
                return self._replaced(batch, read(text), Find(0, 0, kind), whole=True)
            return self._document(batch, text, key, depth)

        return leaf

    def _number(self, batch: _Batch) -> Callable[[str, str], Render]:
        """A number of JSON stays one: no 0 in front, the sign, the point and the exponent in their places."""

        def number(token: str, key: str) -> Render:
            match = _NUMBER.match(token)
            if not match:
                return lambda: token
            whole, fraction = self._digits(batch, match[2], key), self._digits(batch, (match[3] or "")[1:], "", walks=False)
            return lambda: match[1] + whole() + ("." + fraction() if match[3] else "") + match[4]

        return number

    def _digits(self, batch: _Batch, digits: str, key: str, walks: bool = True) -> Render:
        if not digits:
            return lambda: digits
        kind = kind_of_pair(key, digits) if key else ""
        if not kind:
            found = find(Reading(digits, digits, None), self._limits)
            kind = next((f.kind for f in found if f.end - f.start == len(digits)), UNKNOWN if found else "")
        if not kind or kind in self._policy.kept:
            return lambda: digits
        self._found[kind] += 1
        return batch.want(UNKNOWN if kind in _SAID_BY_KEY else kind, digits, walks)

    def _wholly(self, batch: _Batch, text: str) -> Render:
        self._found[WHOLLY] += 1
        return batch.want(WHOLLY, text)

    def _text(self, batch: _Batch, text: str) -> Render:
        reading = read(text)
        finds = [f for f in find(reading, self._limits) if f.kind not in self._policy.kept]
        if not finds:
            return lambda: text
        pieces: list[str | Render] = []
        place = 0
        for one in finds:
            start, end = reading.source_span(one.start, one.end)
            pieces += [text[place:start], self._replaced(batch, reading, one)]
            place = end
            self._found[one.kind] += 1
        pieces.append(text[place:])
        return lambda: "".join(p if isinstance(p, str) else p() for p in pieces)

    def _replaced(self, batch: _Batch, reading: Reading, one: Find, whole: bool = False) -> Render:
        """The pseudonym of a find, in the width and case and with the gaps of the text."""
        start, end = (0, len(reading.folded)) if whole else (one.start, one.end)
        old = reading.folded[start:end]
        gaps = _gaps(one.kind, old)
        new = batch.want(one.kind, "".join(c for i, c in enumerate(old) if i not in gaps) if gaps else old)

        def render() -> str:
            fresh = new()
            if len(fresh) != len(old) - len(gaps):
                return fresh
            rest = iter(fresh)
            spelt = [c if i in gaps else next(rest) for i, c in enumerate(old)] if gaps else list(fresh)
            return reading.rewritten(start, end, spelt)

        return render


def _gaps(kind: str, text: str) -> frozenset[int]:
    """Places of what the column of that kind would not have inside a value."""
    known = all_kinds().get(kind)
    pattern = _SEPARATOR if known is not None and known.separators else _LINE_BREAK
    places = {i for m in pattern.finditer(text) for i in range(*m.span())}
    return frozenset(places | {i for i, c in enumerate(text) if kind == "mobile" and c in MARKS_OF_MOBILE})


def scrub(column: Column, key: MaskingKey, policy: ScrubPolicy | None = None) -> tuple[Any, ScrubReport]:
    """One column scrubbed, of the sort that it was given in, and what was found in it."""
    scrubber = Scrubber(key, policy)
    return like(column, scrubber.values(values_of(column))), scrubber.report()
