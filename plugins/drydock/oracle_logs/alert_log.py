"""The alert log of an Oracle database: what in it matters to recoverability and space, folded into events.

Reads gigabytes as a stream: memory depends on the kinds of events, not on the log. Never raises for what stands in it.
Codes count where Oracle reports them, not in statements, names of files or quoted text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import BinaryIO, NamedTuple

from drydock.oracle_logs.alert_codes import COMPANIONS, class_of, is_far_side
from drydock.oracle_logs.alert_lines import Kind, Step, Watch, readable, steps
from drydock.oracle_logs.alert_phrases import Interest, Phrase, interest_of, percent_of
from drydock.oracle_logs.alert_results import AlertEvent, AlertLog, Severity
from drydock.oracle_logs.alert_statements import ECHO, SIGNALLED, Source, Statement, outside_quotes
from drydock.oracle_logs.alert_times import parse_time

MOST_EVENTS = 2_000  # kinds of events that are kept apart
MOST_CODES = 5_000
MOST_CONTAINERS = 50
LOWEST_REASON = 200  # "Failed to archive ... (4)": a state of the archiver, no code
MOST_SHAPES = 2_000  # of lines of up to 16 KB; some 200 KB in a real log
NETWORK_MESSAGES = 60  # log.xml, and the text log since 12.2, spread one "Fatal NI" block over up to so many messages
INSTANCE_TERMINATED = 1092
FULL_PERCENT, FILLING_PERCENT = 97.0, 85.0  # of the recovery area: Oracle's own thresholds of ORA-19815

_CODE = re.compile(r"(?<![\w/\\.'\"-])(ORA|TNS|RMAN|LRM|OSD|DGM|PLS|KUP|CRS)-(\d{1,5})(?!\d)(?!\.\w)(?![\w/\\-])(?! [Ee]rrors\b)")
_CONTAINER = re.compile(r"\A([A-Za-z][\w$#]{0,127})\(\d{1,4}\):")
_PROBLEM = re.compile(r"\bORA (\d{1,5})\b")
_TERMINATED = re.compile(r"Instance terminated by ")
_FATAL_NETWORK = re.compile(r"\s*Fatal (?:NI|OCI) \w+ error (\d+)")
_RAISED = re.compile(r"\s*ORA-20\d{3}: (?:ORA-\d{1,5}: )*")  # what follows was written by the application
_SERVICE = re.compile(r"'[^'/\\+]{1,300}'\s*$")  # an archive destination that is a service, no file
_TRACE_FILE = re.compile(r"Errors in file .{0,500}?\.tr[cm](?: *\([A-Za-z]+=[^)]{0,100}\))*: *(?=ORA-\d)", re.IGNORECASE)


class Hit(NamedTuple):
    """One event on one line."""

    name: str
    severity: Severity
    code: str | None = None
    percent: float | None = None


@dataclass
class _Fold:
    """An event in the making."""

    hit: Hit
    number: int
    line: bytes
    first: str | None
    last: str | None
    severity: Severity
    count: int = 0
    percent: float | None = None
    containers: dict[str, None] = field(default_factory=dict)


@dataclass
class _Held:
    """A hit that the next line may change or drop."""

    hit: Hit
    number: int
    line: bytes
    time: str | None


def read_alert_log(stream: BinaryIO) -> AlertLog:
    """Read a whole alert log, text or XML, in any code page. Raises only what reading the stream raises (OSError)."""
    reading = _Reading()
    for step in steps(stream, reading.watch):
        reading.take(step)
    return reading.result()


class _Reading:
    """What is known so far."""

    def __init__(self) -> None:
        self.folds: dict[tuple[str, str | None], _Fold] = {}
        self.codes: dict[str, None] = {}
        self.shapes: dict[bytes, Interest] = {}
        self.watch = Watch()
        self.raw_time, self.turns = b"", 0
        self.container = ""
        self.problem = ""
        self.is_cut = False
        self.statement: Statement | None = None
        self.held: _Held | None = None  # until the next line
        self.network: _Held | None = None  # until the code of a "Fatal NI" block
        self.is_after_network_code = False
        self.network_left = 0  # messages that may belong to the block
        self.has_event = False  # since the last time: companions belong to it
        self.is_aborted = False
        self.announced: list[str] = []  # classes of statements that were echoed and not yet completed

    def take(self, step: Step) -> None:
        if step.kind is Kind.LINE:
            self._take_line(step)
        elif step.kind is Kind.TIME:
            self._begin(step)
        elif step.kind is Kind.CONTAINER:
            self.container = step.data.decode("latin-1")
        elif step.kind is Kind.PROBLEM:
            self.problem = step.data.decode("latin-1")
        else:
            self._end(step)
        self.watch.is_open = self.held is not None or self.statement is not None

    def _take_line(self, step: Step) -> None:
        if not step.data:
            return
        interest = self._interest(step.shape)
        if interest or self.watch.is_open:
            self._line(step.number, step.data, interest)
        if not interest:
            self.watch.hush(step.shape)

    def _interest(self, shape: bytes) -> Interest:
        """Logs repeat themselves but for their numbers, so that the answer is mostly known already."""
        known = self.shapes.get(shape)
        if known is None:
            if len(self.shapes) >= MOST_SHAPES:
                self.shapes.clear()
            text = shape.rstrip(b"\r").decode("latin-1")
            known = self.shapes[shape] = interest_of(_CONTAINER.sub("", text, count=1).lstrip())
        return known

    @property
    def time(self) -> str | None:
        """Of the message at hand, ISO 8601."""
        return _told(self.raw_time)

    def _begin(self, step: Step) -> None:
        """A time, and with it a new message; one of the same time may go on with the one before (log.xml, cloud logs)."""
        has_event = self.has_event and step.data == self.raw_time and self.turns == self.watch.turns
        self._end_of_message()
        self.has_event, self.turns = has_event, self.watch.turns
        self.raw_time = step.data
        self.container = self.problem = ""

    def _end(self, step: Step) -> None:
        if self.problem and not self.has_event and (found := _PROBLEM.match(self.problem)):
            self._number(int(found[1]), step.number, self.problem.encode())
        self._end_of_message()
        self.problem = self.container = ""
        self.statement = None

    def _end_of_message(self) -> None:
        self.has_event = False
        if self.network_left:
            self.network_left -= 1
            if not self.network_left:
                self._end_network()
        if self.statement and self.statement.source is Source.PARSE:
            self.statement.source = Source.BELOW  # its own time stands between it and its text
        else:
            self.statement = None

    def _line(self, number: int, raw: bytes, interest: Interest) -> None:
        text = raw.decode("latin-1")
        container = _CONTAINER.match(text)
        if container:
            text = text[container.end() :]
        if self.held and text.strip():
            self._settle(text)
        if self.statement:
            owned = self.statement.owns(text)
            if self.statement.ends_with(text):
                self.statement = None
            if owned:
                return
        hits = self._hits(text, number, raw, interest.phrases) if interest else []
        for hit in hits:
            self._record(_Held(hit, number, raw, self.time), container[1] if container else self.container)
        self.has_event |= bool(hits)

    def _hits(self, text: str, number: int, raw: bytes, phrases: Sequence[Phrase]) -> list[Hit]:
        """What one line tells; opens what the next lines may belong to."""
        text = _TRACE_FILE.sub("", text.lstrip(), count=1)  # an excerpt may stand indented, a message in one line
        is_echo = bool(ECHO.match(text))
        found = [] if text.startswith(("Errors in file", "Incident details in")) else self._codes(text, is_echo)
        told = {h.name for h in found}
        found += [hit for p in phrases if p.name not in told and (hit := self._phrase(p, text, is_echo))][:1]
        found += self._special(text, told, number, raw)
        self._open_statement(text, is_echo)
        return found

    def _open_statement(self, text: str, is_echo: bool) -> None:
        signalled = SIGNALLED.search(text) if "signalled" in text else None
        if signalled:
            self._take_back(text[signalled.end() :])
            self.statement = Statement(Source.SIGNALLED, text[signalled.end() :])
            if self.statement.ends_with(text):
                self.statement = None
        elif "SQL statement below" in text:
            self.statement = Statement(Source.BELOW)
        elif text.startswith("PARSE ERROR:"):
            self.statement = Statement(Source.PARSE)
        elif is_echo and not text.startswith("Completed: "):
            echo = Statement(Source.ECHO, text)
            self.statement = echo if echo.opener else self.statement

    def _codes(self, text: str, is_echo: bool) -> list[Hit]:
        signalled = SIGNALLED.search(text) if "signalled" in text else None
        own = outside_quotes(text[: signalled.start()] if signalled else text)
        if raised := _RAISED.match(own):
            own = raised[0]
        hits: list[Hit] = []
        found = {(m[1], int(m[2])): m.start() for m in reversed([*_CODE.finditer(own)])}
        for (prefix, number), start in sorted(found.items(), key=lambda item: item[1]):
            if number and not (is_echo and start):
                hits += self._code(prefix, number, text, bool(signalled))
        if "Problem Key" in text and (problem := _PROBLEM.search(text)):
            hits += self._code("ORA", int(problem[1]), text, False)
        return hits

    def _code(self, prefix: str, number: int, text: str, is_signalled: bool) -> list[Hit]:
        """The hit of one reported code; none for a companion of an event, and for the second code of a network block."""
        code = self._note(prefix, number)
        if self.has_event and (prefix == "OSD" or (prefix == "ORA" and number in COMPANIONS)):
            return []
        if self.is_after_network_code and prefix == "TNS":
            return []
        if self.network and prefix == "TNS":
            self.network, self.is_after_network_code = None, True
        self.has_event = True
        name, severity = class_of(prefix, number)
        if prefix == "ORA" and number == INSTANCE_TERMINATED and self.is_aborted:
            return [Hit("shutdown", Severity.WARNING, code)]
        if is_signalled and name == "other":
            return [Hit("statement_failed", Severity.INFO, code)]
        if prefix == "ORA" and number == 19815:
            percent = percent_of(text)
            return [Hit(name, _severity_of_fill(percent), code, percent)]
        return [Hit(name, severity, code)]

    def _note(self, prefix: str, number: int) -> str:
        code = f"{prefix}-{number:05d}"
        if len(self.codes) < MOST_CODES:
            self.codes.setdefault(code)
        return code

    def _special(self, text: str, told: set[str], number: int, raw: bytes) -> list[Hit]:
        """Words that need the lines around them, or a figure, to be judged."""
        if (network := _FATAL_NETWORK.match(text)) is not None:
            self._end_network()
            hit = Hit("network", Severity.INFO, f"TNS-{int(network[1][:5]):05d}")
            self.network, self.network_left = _Held(hit, number, raw, self.time), NETWORK_MESSAGES
        if text.startswith("Hex dump of (file"):
            self.held = _Held(Hit("corrupt_block", Severity.CRITICAL), number, raw, self.time)
        elif "cannot allocate new log" in text:
            self.held = _Held(Hit("log_switch_wait", Severity.WARNING), number, raw, self.time)
        elif _TERMINATED.match(text):
            return [Hit("shutdown", Severity.WARNING) if self.is_aborted else Hit("instance_failed", Severity.CRITICAL)]
        elif "recovery_area_full" not in told and (percent := percent_of(text)) and percent >= FILLING_PERCENT:
            return [Hit("recovery_area_full", _severity_of_fill(percent), None, percent)]
        return []

    def _end_network(self) -> None:
        """The end of a "Fatal NI" block: it is told by its first TNS- code, or by the number of its own where none came."""
        if self.network:
            self._record(self.network)
        self.network, self.is_after_network_code, self.network_left = None, False, 0

    def _phrase(self, phrase: Phrase, text: str, is_echo: bool) -> Hit | None:
        in_statement = is_echo or self.statement is not None
        found = phrase.pattern.match(text) if in_statement else phrase.pattern.search(text)
        if not found or (is_echo and self._is_told(phrase.name, text.startswith("Completed: "))):
            return None
        if phrase.name == "shutdown":
            self.is_aborted = phrase.severity is Severity.WARNING
        elif text.startswith("Starting ORACLE instance"):
            self.is_aborted = False
        elif "Database shutdown required" in text:  # a switchover: the instance ends itself
            self.is_aborted = True
        number = int(found["n"][:5]) if phrase.pattern.groups and found.groupdict().get("n") else 0
        if number < LOWEST_REASON:
            return Hit(phrase.name, Severity.WARNING if number else phrase.severity)
        code = self._note("ORA", number)
        self.has_event = True
        if phrase.name == "archiver_stuck" and (is_far_side(number) or _SERVICE.search(text)):
            return Hit("standby_transport", Severity.WARNING, code)
        return Hit(phrase.name, phrase.severity, code)

    def _is_told(self, name: str, is_completed: bool) -> bool:
        """True for the completion of a statement that was counted when it was echoed."""
        if not is_completed:
            self.announced.append(name)
        elif name in self.announced:
            self.announced.remove(name)
            return True
        return False

    def _take_back(self, statement: str) -> None:
        """A statement failed that was counted when it was echoed."""
        for phrase in interest_of(statement).phrases:
            fold = self.folds.get((phrase.name, None))
            if fold and phrase.name in self.announced:
                self.announced.remove(phrase.name)
                fold.count -= 1
                if not fold.count:
                    del self.folds[phrase.name, None]

    def _settle(self, text: str) -> None:
        """The line after a held one decides about it."""
        held, self.held = self.held, None
        if held is None or text.startswith(("Corrupt block", "Checkpoint not complete")) or "All online logs need" in text:
            return
        if text.startswith("Private strand flush"):
            held.hit = held.hit._replace(severity=Severity.INFO)
        self._record(held)

    def _number(self, number: int, line_number: int, raw: bytes) -> None:
        name, severity = class_of("ORA", number)
        self._record(_Held(Hit(name, severity, self._note("ORA", number)), line_number, raw, self.time), self.container)

    def _record(self, held: _Held, container: str = "") -> None:
        hit = held.hit
        key = (hit.name, hit.code)
        if key not in self.folds and len(self.folds) >= MOST_EVENTS:
            self.is_cut = True
            key, hit = ("other", None), hit._replace(name="other", code=None)
        fold = self.folds.get(key)
        if fold is None:
            fold = self.folds[key] = _Fold(hit, held.number, held.line, held.time, held.time, hit.severity)
        fold.count += 1
        fold.last = held.time or fold.last
        fold.severity = max(fold.severity, hit.severity, key=lambda s: s.weight)
        if hit.percent is not None:
            fold.percent = max(hit.percent, fold.percent or 0.0)
        if container and len(fold.containers) < MOST_CONTAINERS:
            fold.containers.setdefault(container)

    def _format(self) -> str:
        if not self.watch.messages:
            return "none"
        if not self.watch.xml_messages:
            return "text"
        return "xml" if self.watch.xml_messages >= self.watch.messages else "mixed"

    def result(self) -> AlertLog:
        if self.held:
            self._record(self.held)
        self._end_network()
        events = tuple(_event(f) for f in sorted(self.folds.values(), key=lambda f: f.number))
        return AlertLog(
            severity=max((e.severity for e in events), key=lambda s: s.weight, default=Severity.NONE),
            codes=tuple(self.codes),
            events=events,
            format=self._format(),
            messages=self.watch.messages,
            lines=self.watch.lines,
            first=_told(self.watch.first),
            last=_told(self.watch.last),
            is_cut=self.is_cut,
        )


@lru_cache(maxsize=64)
def _told(raw_time: bytes) -> str | None:
    found = parse_time(raw_time)
    return found[0] if found else raw_time.decode("utf-8", "replace") or None


def _event(fold: _Fold) -> AlertEvent:
    return AlertEvent.model_validate(
        {
            "class": fold.hit.name,
            "code": fold.hit.code,
            "severity": fold.severity,
            "count": fold.count,
            "first": fold.first,
            "last": fold.last,
            "line_number": fold.number,
            "line": readable(fold.line),
            "percent": fold.percent,
            "containers": tuple(fold.containers),
        }
    )


def _severity_of_fill(percent: float | None) -> Severity:
    """ORA-19815 says WARNING at 85 %, at 97 % and at 100 %."""
    if percent is None:
        return Severity.WARNING
    return Severity.CRITICAL if percent >= FULL_PERCENT else Severity.WARNING if percent >= FILLING_PERCENT else Severity.INFO
