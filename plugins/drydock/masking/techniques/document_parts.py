"""JSON, arrays of PostgreSQL and XML taken apart so that only their texts change: marks, blanks and order stay as they are.

Each function checks that the whole text parses, then walks its tokens. `leaf` is given each text with the key or tag it
stands under and tells how the new text is rendered; a text that stays the same stays in its own spelling, escapes included.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable, Iterator
from xml.parsers import expat

Render = Callable[[], str]
Leaf = Callable[[str, str], Render]  # (text, key)
Piece = str | Render
_JSON_TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|-?[0-9][0-9.eE+-]*|[{}\[\]:,]', re.S)
_COLON = re.compile(r"\s*:")
_LOOKS_JSON = re.compile(r'[\s\ufeff]*(?:\[\s*["{\[\]0-9tfn-]|\{)')
_LOOKS_XML = re.compile(r"[\s\ufeff]*<[A-Za-z?!_]")
_ARRAY = re.compile(r"\s*(?:(?:\[-?\d+:-?\d+\])+=)?\{")
_ARRAY_TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[{},]|(?:[^{},"\\]|\\.)+', re.S)
_XML_TOKEN = re.compile(
    r"<!--(?P<comment>.*?)-->|<!\[CDATA\[(?P<cdata>.*?)\]\]>|<\?(?P<instruction>.*?)\?>|<!DOCTYPE[^>\[]*>|</[^>]*>"
    r"|<(?P<tag>[^\s/>!?]+)(?P<attributes>(?:\s+[^\s=]+\s*=\s*(?:\"[^\"]*\"|'[^']*'))*)\s*(?P<empty>/?)>|(?P<text>[^<]+)",
    re.S,
)
_ATTRIBUTE = re.compile(r"([^\s=]+)(\s*=\s*)(\"[^\"]*\"|'[^']*')")
_DECLARATION = re.compile(r"[\s\ufeff]*(?:<\?xml\s.*?\?>)?\s*(?:<!DOCTYPE[^>\[]*>)?", re.S)


class NotParsed(ValueError):
    """The text is not what it looks like."""


def looks_like(text: str) -> str:
    """json, array, xml or text, from the first characters."""
    if _LOOKS_JSON.match(text):
        return "json"
    if _ARRAY.match(text):
        return "array"
    return "xml" if _LOOKS_XML.match(text) else "text"


def _rendered(pieces: list[Piece]) -> Render:
    return lambda: "".join(p if isinstance(p, str) else p() for p in pieces)


def json_parts(text: str, leaf: Leaf, number: Leaf) -> Render:
    """Strings and keys through `leaf`, numbers through `number`. Raises NotParsed."""
    try:
        json.loads(text.lstrip("\ufeff \t\r\n"), strict=False, parse_int=str, parse_float=str)
    except (ValueError, RecursionError):
        raise NotParsed("not JSON") from None
    pieces: list[Piece] = []
    keys, key, place = [], "", 0
    for match in _JSON_TOKEN.finditer(text):
        token = match[0]
        pieces.append(text[place : match.start()])
        place = match.end()
        if token in "{[":
            keys.append(key)
        elif token in "]}":
            key = keys.pop() if keys else ""
        if token[0] == '"':
            decoded = json.loads(token, strict=False)
            if _COLON.match(text, place):
                key = decoded
                pieces.append(_json_string(token, decoded, leaf(decoded, "")))
            else:
                pieces.append(_json_string(token, decoded, leaf(decoded, key)))
        else:
            pieces.append(token if token in "{}[]:," else number(token, key))
    return _rendered([*pieces, text[place:]])


def _json_string(token: str, decoded: str, new: Render) -> Render:
    def render() -> str:
        text = new()
        if text == decoded:
            return token
        return json.dumps(text, ensure_ascii="\\u" in token or any("\ud800" <= c <= "\udfff" for c in text))

    return render


def array_parts(text: str, leaf: Leaf) -> Render:
    """An array as PostgreSQL writes it: {a,"b c",NULL,{d}}. Raises NotParsed."""
    head = _ARRAY.match(text)
    if not head:
        raise NotParsed("not an array")
    pieces: list[Piece] = [text[: head.end() - 1]]
    depth, place = 0, head.end() - 1
    for match in _ARRAY_TOKEN.finditer(text, place):
        token = match[0]
        if match.start() != place or (depth == 0 and place > head.end() and token.strip()):
            raise NotParsed("not an array")
        place = match.end()
        depth += (token == "{") - (token == "}")
        bare = token in "{}," or not token.strip() or token.strip().upper() == "NULL"
        pieces.append(token if bare else _array_item(token, leaf))
    if depth != 0 or place != len(text):
        raise NotParsed("not an array")
    return _rendered(pieces)


def _array_item(token: str, leaf: Leaf) -> Render:
    body = token[1:-1] if token[0] == '"' else token
    decoded = re.sub(r"\\(.)", r"\1", body, flags=re.S)
    new = leaf(decoded, "")

    def render() -> str:
        text = new()
        if text == decoded:
            return token
        return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'

    return render


def xml_parts(text: str, leaf: Leaf) -> Render:
    """Texts, CDATA sections, attributes and comments through `leaf`. Raises NotParsed, for a text with own entities too."""
    _check_xml(text)
    pieces: list[Piece] = []
    tags, run, place = [""], _CharacterRun(leaf), 0
    for match in _XML_TOKEN.finditer(text):
        if match.start() != place:
            raise NotParsed("not XML")
        place = match.end()
        if match["text"] is not None or match["cdata"] is not None:
            pieces.append(run.part(match, tags[-1]))
            continue
        if match["comment"] is not None:
            pieces += ["<!--", leaf(match["comment"], ""), "-->"]
            continue
        if match["instruction"] is not None:
            data = match["instruction"]
            pieces += [match[0]] if data.startswith("xml ") else ["<?", leaf(data, ""), "?>"]
            continue
        run.close()
        run = _CharacterRun(leaf)
        if match["tag"]:
            pieces += _tag_pieces(match, leaf)
            if not match["empty"]:
                tags.append(match["tag"].rpartition(":")[2])
        else:
            pieces.append(match[0])
            if match[0].startswith("</") and len(tags) > 1:
                tags.pop()
    if place != len(text):
        raise NotParsed("not XML")
    run.close()
    return _rendered(pieces)


def _check_xml(text: str) -> None:
    """Well-formed, as a document or as content with several roots; without a DTD of its own, so no entity is ever expanded."""
    start = _DECLARATION.match(text).end()  # type: ignore[union-attr]
    try:
        raw = f"<r>{text[start:]}</r>".encode()
        parser = expat.ParserCreate("utf-8")
        parser.EntityDeclHandler = _refuse
        parser.Parse(raw, True)
    except (expat.ExpatError, ValueError):
        raise NotParsed("not XML") from None


def _refuse(*_: object) -> None:
    raise NotParsed("declares entities")


class _CharacterRun:
    """Text and CDATA between two tags are one text, however they are cut: 138<![CDATA[0013]]>8000."""

    def __init__(self, leaf: Leaf) -> None:
        self._leaf, self._parts, self._key = leaf, list[tuple[str, bool, str]](), ""
        self._rendered: list[str] | None = None
        self._new: Render | None = None

    def part(self, match: re.Match[str], key: str) -> Render:
        number, self._key = len(self._parts), key
        in_section = match["cdata"] is not None
        logical = match["cdata"] if in_section else html.unescape(match["text"])
        self._parts.append((logical, in_section, match[0]))
        return lambda: self._spelt()[number]

    def close(self) -> None:
        """The run is whole: plan its new text."""
        if self._parts:
            self._new = self._leaf("".join(p[0] for p in self._parts), self._key)

    def _spelt(self) -> list[str]:
        if self._rendered is None:
            old, new = "".join(p[0] for p in self._parts), self._new()  # type: ignore[misc]
            self._rendered = [p[2] for p in self._parts] if old == new else list(self._cut(new, len(old)))
        return self._rendered

    def _cut(self, new: str, old_length: int) -> Iterator[str]:
        """The new text over the parts; all of it in the first where its length changed."""
        place = 0
        for number, (logical, in_section, _) in enumerate(self._parts):
            size = len(logical) if len(new) == old_length else (len(new) if number == 0 else 0)
            piece, place = new[place : place + size], place + size
            yield "<![CDATA[" + piece.replace("]]>", "]]]]><![CDATA[>") + "]]>" if in_section else _escaped(piece)


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\r", "&#13;")


def _tag_pieces(match: re.Match[str], leaf: Leaf) -> Iterator[Piece]:
    yield "<" + match["tag"]
    place = 0
    for attribute in _ATTRIBUTE.finditer(match["attributes"]):
        yield match["attributes"][place : attribute.start()] + attribute[1] + attribute[2]
        yield _attribute(attribute[3], leaf, attribute[1].rpartition(":")[2])
        place = attribute.end()
    whole = match[0]
    yield whole[len("<" + match["tag"]) + len(match["attributes"]) :]


def _attribute(quoted: str, leaf: Leaf, name: str) -> Render:
    decoded = html.unescape(quoted[1:-1])
    new = leaf(decoded, name)

    def render() -> str:
        text = new()
        if text == decoded:
            return quoted
        escaped = _escaped(text).replace("\n", "&#10;").replace("\t", "&#9;")
        return quoted[0] + escaped.replace('"', "&quot;").replace("'", "&apos;") + quoted[0]

    return render
