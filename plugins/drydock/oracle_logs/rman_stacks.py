"""Codes of a log: error stacks kept apart, errors of channels outside a stack, warnings.

A stack begins under the banner RMAN-00569 and may hold blank lines, two codes on one line, "Additional information",
a Help address and trace file names (Backup and Recovery User's Guide, "Interpreting RMAN Error Stacks"). The cause is
the deepest code. Errors of a channel stand outside a stack when RMAN means to go on with another backup.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from drydock.oracle_logs import rman_phrases as phrases
from drydock.oracle_logs.rman_results import RmanStack

MOST_CODES = 1000  # distinct; a log of random bytes must not fill the memory
MOST_STACKS = 100
LONGEST_GAP = 40  # lines without a code that one stack may hold (blocks of text of a media manager)
_QUOTED = re.compile(rb"(?:(?<=[\s(=:,])|^)(?:'[^']*'|\"[^\"]*\")")
_FILE_NUMBER = re.compile(rb"(?<![\w./-])(\d{1,5})(?![\w./-])")
_NAMES_A_FILE = {"RMAN-06023", "RMAN-06056", "RMAN-06169", "ORA-01110", "ORA-01578"}


@dataclass
class Stack:
    """A stack while it is being read."""

    line_number: int
    kind: str
    codes: list[str] = field(default_factory=list)
    overcome: bool = False
    control_file_only: bool = False
    gap: int = 0

    def result(self) -> RmanStack:
        deep = [c for c in self.codes if c not in phrases.PLACE_CODES] or self.codes
        return RmanStack(
            line_number=self.line_number,
            kind=self.kind,
            codes=tuple(self.codes),
            cause=deep[-1],
            overcome=self.overcome,
            control_file_only=self.control_file_only,
        )


@dataclass(frozen=True)
class Found:
    """What one line gave: codes of errors, codes of warnings, and the text after the number of a friendly message."""

    errors: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    rest: bytes | None = None
    is_banner: bool = False


class Codes:
    """All codes of a log. Feed every line that is no echo; close() where something else begins."""

    def __init__(self) -> None:
        self.codes: dict[str, None] = {}
        self.warnings: dict[str, None] = {}
        self.stacks: list[Stack] = []
        self.files_named: set[int] = set()
        self.count_of_stacks = 0
        self.real_stacks = 0
        self.warnings_without_code = 0
        self.loose = 0  # groups of channel errors that nothing overcame yet
        self.open: Stack | None = None
        self.under_banner = False

    def feed(self, line: bytes, number: int, is_channel: bool, in_session: bool) -> Found:
        """Take one line. `in_session`: RMAN is running, so a bare ORA- line is RMAN's."""
        tokens = [(m.group(1).decode(), int(m.group(2)), m) for m in phrases.CODE.finditer(line)]
        first = tokens[0] if tokens else None
        if first and first[0] == "RMAN" and first[1] in phrases.BANNER_NUMBERS and self._begins(line, first[2]):
            self.close()
            self.under_banner = True
            return Found(is_banner=True)
        if first and self._begins(line, first[2]):
            return self._coded_line(line, number, tokens, is_channel, in_session)
        return self._text_line(line, number, tokens, is_channel, in_session)

    def _begins(self, line: bytes, found: re.Match[bytes]) -> bool:
        return not line[: found.start()].strip() and line[found.end() : found.end() + 2].lstrip()[:1] in (b":", b"\xef", b"\xa3")

    def _coded_line(self, line: bytes, number: int, tokens: list, is_channel: bool, in_session: bool) -> Found:
        kind, value, match = tokens[0]
        name = f"{kind}-{value:05d}"
        if self._is_warning(kind, value, line):
            self.close()
            return self._warn(name, value)
        friendly = kind == "RMAN" and (
            phrases.is_informational(value) or not (self._in_stack() or phrases.stands_for_an_error(value))
        )
        if friendly:
            self.close()
            return Found(rest=line[match.end() :].lstrip(b": "))
        if not in_session and not self._in_stack():
            return Found()
        if kind == "RMAN" and self.open is not None and self.open.kind == "channel":
            self.close()
        # A channel that fails while others work on prints RMAN-03009 without a banner.
        group = "stack" if kind == "RMAN" and value != 3009 else "channel"
        return self._add(line, number, [tokens[0], *self._later(line, tokens[1:])], group)

    def _text_line(self, line: bytes, number: int, tokens: list, is_channel: bool, in_session: bool) -> Found:
        inside = self.open is not None
        kept = self._later(line, tokens)
        if is_channel and not (kept and self.open and self.open.kind == "stack"):
            self.close()
        if kept and (self._in_stack() or is_channel or (in_session and b"=" not in line[: kept[0][2].start()])):
            return self._add(line, number, kept, "channel")
        if inside and self.open:
            self.open.gap += 1
            if self.open.gap > LONGEST_GAP:
                self.close()
        return Found()

    def _later(self, line: bytes, tokens: list) -> list:
        """Codes inside a line that are its own words: after a colon or before one, and not in quotes."""
        quoted = [m.span() for m in _QUOTED.finditer(line)] if b"'" in line or b'"' in line else []
        return [t for t in tokens if self._is_said(line, t[2]) and not any(a < t[2].start() < b for a, b in quoted)]

    def _is_said(self, line: bytes, found: re.Match[bytes]) -> bool:
        before, after = line[: found.start()].rstrip(), line[found.end() :].lstrip()
        if self._in_stack():
            return before.endswith(b":") or after.startswith(b":")
        return before.endswith(b":") and after.startswith(b":")

    def _in_stack(self) -> bool:
        return self.under_banner or (self.open is not None and self.open.kind == "stack")

    def _is_warning(self, kind: str, value: int, line: bytes) -> bool:
        if kind == "RMAN" and value in phrases.WARNING_NUMBERS:
            return True
        if kind == "ORA" and value in phrases.WARNING_ORA:
            return True
        return value != 1547 and phrases.says_warning(line)  # ORA-01547 warns of what fails right after it

    def _warn(self, name: str, value: int) -> Found:
        if value in phrases.DELETE_SKIPPED and any(f"RMAN-{n:05d}" in self.warnings for n in phrases.DELETE_SKIPPED):
            return Found()
        if len(self.warnings) < MOST_CODES:
            self.warnings.setdefault(name)
        return Found(warnings=(name,))

    def _add(self, line: bytes, number: int, tokens: list, kind: str) -> Found:
        if self.open is None:
            self._begin(number, "stack" if self.under_banner else kind)
        names = [f"{k}-{v:05d}" for k, v, _ in tokens if not (k == "RMAN" and v in phrases.BANNER_NUMBERS)]
        stack = self.open
        stack.gap = 0
        stack.control_file_only |= b"Control File and SPFILE Autobackup" in line and names[:1] == ["RMAN-03009"]
        for name, (_, _, match) in zip(names, tokens, strict=False):
            if name not in stack.codes and len(stack.codes) < MOST_CODES:
                stack.codes.append(name)
            if len(self.codes) < MOST_CODES:
                self.codes.setdefault(name)
            self._note_file(name, line[match.end() :])
        return Found(errors=tuple(names))

    def _begin(self, number: int, kind: str) -> None:
        self.open = Stack(line_number=number, kind=kind)
        self.count_of_stacks += 1
        self.real_stacks += kind == "stack"
        self.loose += kind == "channel"
        if len(self.stacks) >= MOST_STACKS:  # keep the first ones and the newest
            self.stacks.pop()
        self.stacks.append(self.open)

    def _note_file(self, name: str, text: bytes) -> None:
        found = _FILE_NUMBER.search(text) or re.search(rb"[\x80-\xff](\d{1,5})[\x80-\xff]", text)
        if name in _NAMES_A_FILE and found:
            self.files_named.add(int(found.group(1)))

    def close(self) -> None:
        """A line stands here that is no part of a stack."""
        self.open = None
        self.under_banner = False

    def overcome(self) -> None:
        """RMAN went on by itself: the errors of channels so far cost a backup, not the work."""
        self.loose = 0
        for stack in self.stacks:
            if stack.kind == "channel":
                stack.overcome = True
        if self.open is not None and self.open.kind == "channel":
            self.close()
