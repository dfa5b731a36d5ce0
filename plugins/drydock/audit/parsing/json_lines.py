"""JSON lines: PostgreSQL's jsonlog, views and exports as objects, and envelopes that carry the database's own record."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from drydock.audit.parsing.blocks import Context, aside, noise, place_of, record_piece
from drydock.audit.parsing.fields import held_of, record_of
from drydock.audit.parsing.lines import Line, Lines
from drydock.audit.parsing.names import folded
from drydock.audit.parsing.postgres_logs import json_piece, row_inside
from drydock.audit.parsing.records import Piece
from drydock.audit.parsing.tables import _ACTED, _RAW, _TIMES, Inner, completed
from drydock.audit.parsing.texts import decode

MOST_FIELDS = 2_000
_STAMPED = re.compile(rb"\A\d{4}-\d\d-\d\dT[\d:.]{8,20}(?:Z|[+-]\d\d:\d\d) (?:std(?:out|err) [FP] )?\{")
_CHATTER = frozenset({"level", "logger", "msg"})
MOST_SPREAD = 4 * 1024 * 1024  # bytes of one object over several lines
_CONTAINER = frozenset({"log", "stream"})
_ORACLE = frozenset({"DBUSERNAME", "UNIFIEDAUDITPOLICIES", "EVENTTIMESTAMPUTC"})


def is_json(text: bytes) -> bool:
    """True for an object or an array, also behind the time that a collector puts before it."""
    if text[:4].isdigit() and _STAMPED.match(text):
        return True
    return text.lstrip()[:1] == b"{" or text.strip() in (b"[", b"]", b"],", b"[{") or text.lstrip()[:2] == b"[{"


def read_json(lines: Lines, context: Context, inner: Inner) -> Iterator[Piece]:
    """One object: on one line, or spread over several."""
    first = lines.take()
    body = _STAMPED.sub(b"{", first.text.strip(), count=1)
    if body in (b"[", b"]", b"],"):
        yield noise([first], "bracket of a JSON array")
        return
    block = [first]
    documents = _parsed(body)
    if documents is None and body in (b"{", b"[{", b"[ {"):
        block += _rest(lines)
        documents = _parsed(b"\n".join(line.text for line in block))
    if documents is None:
        lines.give_back(block[1:])
        yield aside(block[:1], "begins like JSON and is none, or is cut")
        return
    below = ""
    if len(documents) == 1 and set(documents[0]) >= _CONTAINER:
        more, below = _fragments(lines)
        block += more
    for number, document in enumerate(documents):
        piece = _piece(block, document, context, inner, below)
        if number:
            piece = piece._replace(lines=0, size=0, record=piece.record and piece.record.model_copy(update={"lines": 0}))
        yield piece
    if not documents:
        yield noise(block, "an empty JSON array")


def _parsed(body: bytes) -> list[dict[str, Any]] | None:
    text = decode(body.strip().rstrip(b","))[0]
    for candidate in (text, text.rstrip("]").rstrip().rstrip(","), text.lstrip("[")):
        try:
            value = _whole(json.loads(candidate, strict=False), candidate)
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict):
            return [value]
        if isinstance(value, list) and all(isinstance(one, dict) for one in value):
            return value
    return None


def _whole(value: Any, text: str) -> Any:
    """Without halves of surrogate pairs: JSON can write one, UTF-8 cannot."""
    if "\\ud" not in text and "\\uD" not in text:
        return value
    return json.loads(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"), strict=False)


def _fragments(lines: Lines) -> tuple[list[Line], str]:
    """Lines of a container's log that go on with the one before: their text begins with a tab."""
    block, texts = [], []
    while (line := lines.peek()) is not None and len(block) < MOST_FIELDS:
        documents = _parsed(line.text.strip()) if is_json(line.text) else None
        text = documents[0].get("log") if documents and len(documents) == 1 else None
        if not isinstance(text, str) or not text.startswith("\t"):
            break
        block.append(lines.take())
        texts.append(text)
    return block, "".join(texts)


def _rest(lines: Lines) -> list[Line]:
    block: list[Line] = []
    size = 0
    while (line := lines.peek()) is not None and size < MOST_SPREAD and line.text.rstrip() not in (b"{", b"[{"):
        block.append(lines.take())
        size += line.size
        if line.text.rstrip() in (b"}", b"},", b"}]"):
            break
    return block


def _piece(block: list[Line], document: dict[str, Any], context: Context, inner: Inner, below: str = "") -> Piece:
    encoding = decode(block[0].text)[1]
    if (row := row_inside(document)) is not None:
        return json_piece(block, row, context, encoding)
    fields = list(_flat(document))
    mapping = context.mapping
    held = held_of(fields, mapping.own if mapping else None)
    raw = next((value for name, value in fields if folded(name) in _RAW and len(value) > 20), "")
    raw += below
    found = inner(raw.encode("utf-8", "replace"), context) if raw else None
    if isinstance(found, str):
        return noise(block, f"an object with {found}")
    if (record := found) is not None:
        return record_piece(block, completed(record, held, place_of(block, encoding), context.clock))
    if len(held) < 3 or not held.keys() & (_TIMES | {"received_time"}) or not held.keys() & (_ACTED | {"account"}):
        if set(document) >= _CHATTER and "record" not in document:
            return noise(block, "a log line of another part of a container")
        return aside(block, "a JSON object without the columns of an audit record")
    is_oracle = bool({folded(name) for name, _ in fields} & _ORACLE)
    source = mapping.product if mapping else "oracle" if is_oracle else "unknown"
    dialect = "mapping" if mapping else "unified" if is_oracle else "by the names of its fields"
    clock = mapping.clock(context.clock) if mapping else context.clock
    form = "oracle_json" if is_oracle else "json_lines"
    return record_piece(block, record_of(held, place_of(block, encoding), clock, (), format=form, source=source, dialect=dialect))


def _flat(document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Fields of the object and of the objects inside, by their own names; texts, numbers and truth values only."""
    todo: list[Any] = [document]
    told = 0
    while todo and told < MOST_FIELDS:
        for name, value in todo.pop(0).items():
            told += 1
            if isinstance(value, Mapping):
                todo.append(value)
            elif isinstance(value, list):
                if value and all(isinstance(one, str) for one in value):
                    yield str(name), ",".join(value)
            elif value is not None:
                yield str(name), str(value).lower() if isinstance(value, bool) else str(value)
