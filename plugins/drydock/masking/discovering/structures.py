"""Values that are themselves structured: JSON, arrays of PostgreSQL and JSON, XML; as keys and texts.

A text that only looks structured (cut off, wrongly quoted) is still taken apart by pattern. No XML parser is used, so no
entity is ever expanded and a document of any size costs time in proportion.
"""

from __future__ import annotations

import csv
import html
import json
import re
from collections.abc import Iterator
from typing import Any, Literal, NamedTuple

Form = Literal["text", "json", "array", "xml"]
DEEPEST = 30
_JSON_PAIR = re.compile(r'"([^"\\]{1,64})"\s{0,20}:\s{0,20}(?:"((?:[^"\\]|\\.){0,4000})"|(-?[0-9][0-9.]{0,40}))')
_CDATA_BEGIN, _CDATA_END = "<![CDATA[", "]]>"
_ELEMENT = re.compile(r"<([A-Za-z_][\w.:-]{0,80})(?:\s[^<>]{0,2000})?>([^<]{1,100000})(?=<)")
_ATTRIBUTE = re.compile(r"\s([A-Za-z_][\w.:-]{0,80})\s?=\s?\"([^\"<>]{1,2000})\"")
_XML = re.compile(r"\s{0,100}<[A-Za-z?!]")


class Leaf(NamedTuple):
    key: str
    text: str


def form_of(text: str) -> Form:
    """What the value looks like from its first characters."""
    head = text[:100].lstrip().lstrip("\ufeff")
    if head[:1] in ("{", "["):
        return "json"
    return "xml" if _XML.match(head) else "text"


def leaves(text: str) -> tuple[Form, list[Leaf]]:
    """The form, and every text in the value with the key or tag it stands under; no leaves: plain text."""
    form = form_of(text)
    if form == "xml":
        return ("xml", found) if (found := list(_xml_leaves(text))) else ("text", [])
    if form == "json":
        return _json_or_array(text.strip().lstrip("\ufeff"))
    return "text", []


def _json_or_array(text: str) -> tuple[Form, list[Leaf]]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return _broken(text)
    form: Form = "array" if isinstance(value, list) and not any(isinstance(v, dict | list) for v in value) else "json"
    return form, list(_walk(value, "", 0))


def _walk(value: Any, key: str, depth: int) -> Iterator[Leaf]:
    if depth > DEEPEST:
        return
    if isinstance(value, dict):
        for name, inner in value.items():
            if len(name) >= 7 and any(c.isdigit() for c in name):  # a key may be a value: {"13800138000": "paid"}
                yield Leaf("", name)
            yield from _walk(inner, name, depth + 1)
    elif isinstance(value, list):
        for inner in value:
            yield from _walk(inner, key, depth + 1)
    elif isinstance(value, str):
        yield Leaf(key, value)
    elif isinstance(value, int) and not isinstance(value, bool):
        yield Leaf(key, str(value))


def _broken(text: str) -> tuple[Form, list[Leaf]]:
    """JSON that does not parse, or an array of PostgreSQL: {a,b,"c d"}."""
    pairs = [Leaf(key, string or number) for key, string, number in _JSON_PAIR.findall(text)]
    if pairs:
        return "json", pairs
    if text[0] == "{" and text[-1] == "}":
        try:
            rows = list(csv.reader([text.replace("{", "").replace("}", "")], escapechar="\\"))
        except csv.Error:
            return "text", []
        return "array", [Leaf("", item) for row in rows for item in row if item and item != "NULL"]
    return "text", []


def _xml_leaves(text: str) -> Iterator[Leaf]:
    if _CDATA_BEGIN in text:
        text = _without_cdata(text)
    for tag, inner in _ELEMENT.findall(text):
        content = inner.strip()
        if content:
            yield Leaf(_local(tag), html.unescape(content) if "&" in content else content)
    for name, value in _ATTRIBUTE.findall(text):
        yield Leaf(_local(name), html.unescape(value) if "&" in value else value)


def _without_cdata(text: str) -> str:
    """Sections as escaped text. A loop of finds: a pattern would look through the rest again for each that is not closed."""
    parts, place = [], 0
    while (begin := text.find(_CDATA_BEGIN, place)) >= 0:
        end = text.find(_CDATA_END, begin)
        if end < 0:
            break
        parts += [text[place:begin], html.escape(text[begin + len(_CDATA_BEGIN) : end], quote=False)]
        place = end + len(_CDATA_END)
    return "".join([*parts, text[place:]])


def _local(tag: str) -> str:
    return tag.rpartition(":")[2]
