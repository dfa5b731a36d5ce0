"""One run of RMAN as the server sees it: what it says, in which language and at which pace, and how it fails."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from sandbox.oracle.model.repository import Repository
from sandbox.oracle.rman.words import BANNER, MESSAGES, NAMES

CHANNEL = "ORA_DISK_1"
NOMINAL_MB_S = 250.0  # what "elapsed time" is told from; how long it really takes is the pace
LINE = "==========================================================="
_DATE_WORDS = {
    "YYYY": "%Y", "RRRR": "%Y", "YY": "%y", "RR": "%y", "MON": "%b", "MM": "%m", "DD": "%d", "HH24": "%H", "HH": "%I", "MI": "%M",
    "SS": "%S", "DAY": "%A", "DY": "%a",
}  # fmt: skip
_DATE_TOKEN = re.compile(r'"([^"]*)"|(YYYY|RRRR|YY|RR|MON|MM|DD|HH24|HH|MI|SS|DAY|DY)', re.IGNORECASE)

StackLine = tuple[str, dict[str, object]] | str


class Gone(Exception):
    """The client is no longer there."""


class RmanError(Exception):
    """A command failed. `stack`: (code, values) or a bare line; `on_channel` makes it RMAN-03009 instead of RMAN-03002."""

    def __init__(self, *stack: StackLine, on_channel: bool = False) -> None:
        super().__init__(str(stack))
        self.stack, self.on_channel = stack, on_channel


@dataclass
class RmanSession:
    """`send` takes one line, `pause` waits so many seconds; both raise Gone when the client has left."""

    repository: Repository
    send: Callable[[str], None]
    pause: Callable[[float], None]
    language: int = 0
    date_format: str = "DD-MON-RR"
    read_mb_s: float | None = None
    has_channel: bool = False
    failures: int = 0

    def say(self, name: str, /, **values: object) -> None:
        for line in self.text(name, **values).split("\n"):
            self.send(line)

    def text(self, name: str, /, **values: object) -> str:
        return MESSAGES[name][self.language].format(**({"channel": CHANNEL} | values))

    def lines(self, *lines: str) -> None:
        for line in lines:
            self.send(line)

    @property
    def now(self) -> datetime:
        return self.repository.now

    def date(self, moment: datetime) -> str:
        """A DATE as NLS_DATE_FORMAT shows it, in the host's time."""
        local = moment.astimezone(self.repository.database.zone)
        shown = _DATE_TOKEN.sub(lambda m: m[1] if m[1] is not None else _DATE_WORDS[m[2].upper()], self.date_format)
        return local.strftime(shown).upper() if "MON" in self.date_format else local.strftime(shown)

    def banner(self) -> None:
        at = self.now.astimezone(self.repository.database.zone).strftime("%a %b %d %H:%M:%S %Y")
        shown = BANNER.format(name=NAMES[self.language], at=at, version=self.repository.database.version)
        self.lines(*shown.split("\n"))

    def channel(self) -> None:
        """Allocates the channel, or goes on with it."""
        if self.has_channel:
            self.say("using_channel")
            return
        self.has_channel = True
        self.say("no_catalog")
        self.say("allocated")
        self.say("channel_is", sid=141)

    def read(self, total_bytes: int) -> float:
        """Takes as long as reading takes at the pace; returns the seconds that RMAN counts."""
        megabytes = total_bytes / 1_000_000
        if self.read_mb_s:
            self.pause(megabytes / self.read_mb_s)
        return megabytes / (self.read_mb_s or NOMINAL_MB_S)

    @staticmethod
    def elapsed(seconds: float) -> str:
        whole = max(1, round(seconds))
        return f"{whole // 3600:02d}:{whole // 60 % 60:02d}:{whole % 60:02d}"

    def tell_stack(self, error: RmanError, what: str) -> None:
        """The error stack. The time in its first line is in one fixed format whatever NLS says."""
        self.failures += 1
        at = self.now.astimezone(self.repository.database.zone).strftime("%m/%d/%Y %H:%M:%S")
        stack = list(error.stack)
        if what:
            stack.insert(0, ("RMAN-03009" if error.on_channel else "RMAN-03002", {"what": what, "at": at}))
        tell_stack(self.send, stack, self.language)

    def tell_codes(self, *stack: StackLine) -> None:
        """Codes outside of a stack, as a channel tells of an error that it gets over."""
        first, *rest = stack_lines(list(stack), self.language)
        self.lines(f"{('channel', '通道')[self.language]} {CHANNEL}: {first}", *rest)


def stack_lines(stack: list[StackLine], language: int) -> Iterator[str]:
    for entry in stack:
        if isinstance(entry, str):
            yield entry
        else:
            code, values = entry
            yield f"{code}: {MESSAGES[code][language].format(**({'channel': CHANNEL} | values))}"


def tell_stack(send: Callable[[str], None], stack: list[StackLine], language: int) -> None:
    """A stack with its banner, which is English in every language."""
    for line in (
        f"RMAN-00571: {LINE}",
        "RMAN-00569: =============== ERROR MESSAGE STACK FOLLOWS ===============",
        f"RMAN-00571: {LINE}",
    ):
        send(line)
    for line in stack_lines(stack, language):
        send(line)
