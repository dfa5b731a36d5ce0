"""Reads one YAML file into plain values and remembers the line of every key and value.

The reading is that of YAML 1.2 (core schema), not 1.1: `on`, `no` and `yes` are text, `11:00` is text and not 660, and
a date is text until a model types it. The parser is libyaml through PyYAML: an estate of 1,000 databases must check in
under two seconds. Hostile or careless files are bounded: size, depth, and the nodes that aliases multiply.
"""

from __future__ import annotations

import gc
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from drydock.problems import Problem, quote, short_path, suggest

MAX_BYTES = 8 * 1024 * 1024  # an estate of 1,000 databases has about 1.5 MB
MAX_NODES = 1_000_000  # an estate of 1,000 databases has about 100,000
MAX_DEPTH = 40

_PLAIN, _TEXT, _LIST, _MAP = "plain", "text", "list", "map"
_STANDARD_TAGS = {f"tag:yaml.org,2002:{kind}" for kind in ("str", "seq", "map")} | {"!"}
_INTEGER = re.compile(r"[-+]?[0-9]+\Z")
_NUMBER = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?\Z")
_CONSTANTS = {"": None, "~": None, "null": None, "Null": None, "NULL": None}
_CONSTANTS |= {w: w.lower() == "true" for w in ("true", "True", "TRUE", "false", "False", "FALSE")}
_VARIABLE = re.compile(r"\$\{([^}]*)(\}?)")

_ANY_FIX = "look at this line and the one above: indentation, closing quotes and brackets, a blank after the colon"
_FIXES = {
    "cannot start any token": "quote text that starts with @, ` or %",
    "undefined alias": "write the anchor (&name) above the alias (*name)",
    "another document": "one document in a file: remove the line ---",
}

Loc = tuple[str | int, ...]
"""Where a value stands: field names and list positions from the top of the file."""


class _NodeLoader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
    """Composes nodes with their marks. Plain scalars keep a tag of their own: `_Reading` types them."""

    def resolve(self, kind: type, _value: object, implicit: Any) -> str:
        if kind is yaml.ScalarNode:
            return _PLAIN if implicit[0] else _TEXT
        return _LIST if kind is yaml.SequenceNode else _MAP

    def descend_resolver(self, *_: object) -> None: ...

    def ascend_resolver(self) -> None: ...


@dataclass(frozen=True)
class Document:
    """One file: its values as dict, list and scalars, and the problems of its form. `data` is None when unreadable."""

    path: Path
    data: Any
    root: yaml.Node | None
    problems: tuple[Problem, ...] = ()

    def line_of(self, loc: Loc, of_key: bool = False) -> int:
        """Line (from 1) of the value at `loc`, or of its key; of the nearest thing around it where it does not exist."""
        node = told = self.root
        for part in loc:
            key, value = _child(node, part)
            if value is None:
                break
            node, told = value, (key if of_key and key is not None else value)
        return told.start_mark.line + 1 if told is not None else 1

    def name_of(self, loc: Loc) -> str:
        """The field path as a person reads it; list entries that have an id are named by it."""
        name, value = "", self.data
        for part in loc:
            value = _value_at(value, part)
            own = value.get("id") if isinstance(value, dict) and isinstance(part, int) else None
            step = f"[{own if isinstance(own, str) else part}]" if isinstance(part, int) else f".{part}"
            name += step
        return name.lstrip(".")

    def problem(self, loc: Loc, found: str, fix: str, of_key: bool = False) -> Problem:
        """A problem of this file at `loc`."""
        return Problem(short_path(self.path), self.line_of(loc, of_key), self.name_of(loc), found, fix)


def _child(node: yaml.Node | None, part: str | int) -> tuple[yaml.Node | None, yaml.Node | None]:
    if isinstance(node, yaml.MappingNode):
        return next(((k, v) for k, v in node.value if k.value == part), (None, None))
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        return None, node.value[part]
    return None, None


def _value_at(value: Any, part: str | int) -> Any:
    try:
        return value[part]
    except (KeyError, IndexError, TypeError):
        return None


def read_yaml(path: Path, variables: dict[str, str] | None = None) -> Document:
    """Read a file; `${NAME}` is replaced for the names in `variables` only. Never raises: problems are in the document."""
    try:
        return _read(path, variables or {})
    except _Unreadable as e:
        problem = Problem(short_path(path), e.line, "", e.found, e.fix)
        return Document(path, None, None, (problem,))


def _read(path: Path, variables: dict[str, str]) -> Document:
    root = _compose(_read_text(path))
    if root is None:
        raise _Unreadable("an empty file", "write at least the line 'schema: …'")
    reading = _Reading(path, variables)
    data = reading.convert(root, 0)
    return Document(path, data, root, tuple(reading.problems))


class _Unreadable(Exception):
    def __init__(self, found: str, fix: str, line: int = 1) -> None:
        super().__init__(found)
        self.found, self.fix, self.line = found, fix, line


def _compose(text: str) -> yaml.Node | None:
    try:
        with _collection_paused():
            return yaml.compose(text, Loader=_NodeLoader)
    except RecursionError as e:
        raise _Unreadable("values nested too deeply", f"at most {MAX_DEPTH} levels are read") from e
    except yaml.MarkedYAMLError as e:
        raise _tell_syntax(e, text.splitlines()) from e
    except yaml.reader.ReaderError as e:
        line = text.count("\n", 0, e.position) + 1
        raise _Unreadable("a control character", "remove it: only characters that print belong here", line) from e


@contextmanager
def _collection_paused() -> Iterator[None]:
    """Hundreds of thousands of nodes that all stay alive: looking for garbage among them would double the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _read_text(path: Path) -> str:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise _Unreadable(f"a file of {path.stat().st_size} bytes", f"at most {MAX_BYTES} bytes are read")
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as e:
        raise _Unreadable("no file", "write it, or point DRYDOCK_CONFIG to the folder that has it") from e
    except UnicodeDecodeError as e:
        raise _Unreadable(f"bytes that are not UTF-8 (at byte {e.start})", "save the file as UTF-8") from e
    except OSError as e:
        raise _Unreadable(f"a file that cannot be read ({e.strerror})", "make it readable for this user") from e


def _tell_syntax(error: yaml.MarkedYAMLError, lines: list[str]) -> _Unreadable:
    mark = error.problem_mark or error.context_mark
    line = mark.line + 1 if mark else 1
    found = " ".join(filter(None, ["YAML that cannot be read:", error.problem, error.context]))
    indent = re.match(r"\s*", lines[line - 1] if line <= len(lines) else "")
    if indent and "\t" in indent[0]:
        return _Unreadable(found, "indent with spaces, never with tabs", line)
    fix = next((fix for words, fix in _FIXES.items() if words in str(error.problem)), _ANY_FIX)
    return _Unreadable(found, fix, line)


@dataclass
class _Reading:
    """Turns nodes into values and collects what is wrong with them."""

    path: Path
    variables: dict[str, str]
    problems: list[Problem] = field(default_factory=list)
    nodes: int = 0

    def convert(self, node: yaml.Node, depth: int) -> Any:
        self.nodes += 1
        if type(node) is yaml.ScalarNode:
            return self._scalar(node)
        self._check_bounds(node, depth)
        if node.tag not in (_LIST, _MAP):
            self._check_tag(node)
        if type(node) is yaml.SequenceNode:
            return [self.convert(child, depth + 1) for child in node.value]
        return self._mapping(node, depth)

    def _mapping(self, node: yaml.MappingNode, depth: int) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for key, value in node.value:
            name = self._key(key)
            if name is None:
                continue
            if name in values:
                self._tell(
                    key, f"the field {quote(name)} a second time", "keep one of the two: a second one would hide the first"
                )
            values[name] = self.convert(value, depth + 1)
        return values

    def _key(self, key: yaml.Node) -> str | None:
        if type(key) is not yaml.ScalarNode:
            self._tell(key, "a list or fields where a field name belongs", "quote text that holds { or [")
            return None
        if key.value == "<<" and key.tag == _PLAIN:
            self._tell(key, "a merge key <<", "give the alias to a field of its own instead, for example plan: *plan")
            return None
        return key.value

    def _scalar(self, node: yaml.ScalarNode) -> Any:
        text = node.value
        if node.tag == _PLAIN:
            if text in _CONSTANTS:
                return _CONSTANTS[text]
            if text[0] in "+-.0123456789":
                return _number(text)
        elif node.tag != _TEXT:
            self._check_tag(node)
        return self._expand(node) if "${" in text else text

    def _expand(self, node: yaml.ScalarNode) -> str:
        for name, closed in _VARIABLE.findall(node.value):
            if not closed:
                self._tell(node, f"{quote(node.value)}, a variable without its closing brace", "write ${NAME}")
            elif name not in self.variables:
                self._tell(node, f"the variable {quote(name)}", suggest(name, self.variables, "variables"))
        return _VARIABLE.sub(lambda m: self.variables.get(m[1], m[0]), node.value)

    def _check_tag(self, node: yaml.Node) -> None:
        if node.tag not in _STANDARD_TAGS:
            self._tell(node, f"the tag {quote(node.tag)}", "plain values only: remove the tag")

    def _check_bounds(self, node: yaml.Node, depth: int) -> None:
        line = node.start_mark.line + 1
        if depth >= MAX_DEPTH:
            raise _Unreadable("values nested too deeply, or an alias inside itself", f"at most {MAX_DEPTH} levels are read", line)
        if self.nodes > MAX_NODES:
            raise _Unreadable(f"more than {MAX_NODES} values", "split the file, or remove aliases of aliases", line)

    def _tell(self, node: yaml.Node, found: str, fix: str) -> None:
        self.problems.append(Problem(short_path(self.path), node.start_mark.line + 1, "", found, fix))


def _number(text: str) -> int | float | str:
    if _INTEGER.match(text):
        return int(text) if len(text) < 20 else text
    return float(text) if _NUMBER.match(text) and len(text) < 40 else text
