"""Statements inside the alert log: text of users, where a code means nothing.

Oracle echoes DDL, prints the SQL of ORA-01555 and of parse errors, and repeats a statement after "signalled during:".
A line of such text counts again only where Oracle must have written it: outside of quotes and comments, at its start.
"""

from __future__ import annotations

import re
from enum import Enum

ECHO = re.compile(
    r"\s*(?:Completed: )?(?:/\*|--|(?i:create|alter|drop|truncate|select|insert|update|delete|merge|with|begin|"
    r"declare|comment|grant|revoke|analyze|audit|noaudit|rename|purge|flashback|explain|call|lock)\s)"
)
SIGNALLED = re.compile(r"\bsignalled during: ?")
_OWN_WORDS = re.compile(
    r"\s*(?:ORA|TNS)-\d{1,5}(?:: ?| +signalled during| +caused by| +: | \(|$)|Errors in file |Completed: |Thread \d+ |"
    r"ORACLE Instance |\w+ ?\((?:ospid|PID)|[A-Z]{3}\w?: |\*{10}|\s*Fatal (?:NI|OCI)|Starting ORACLE|Shutting down|"
    r"Instance terminated|Hex dump of|Corrupt block |WARNING: |KCF: |Archiv|Checkpoint |All online|DDE: |Automatic |Checker run"
)

_NEXT_MESSAGE = ("Errors in file ", "**********", "Fatal NI")


class Source(Enum):
    """Why a statement stands in the log, and so where it ends: at its dots, at the next time, or after a parse error's end."""

    ECHO = "echo"
    SIGNALLED = "signalled"
    BELOW = "below"
    PARSE = "parse"


class Statement:
    """A statement that goes on over lines: which of its lines are Oracle's own again."""

    def __init__(self, source: Source, text: str = "") -> None:
        self.source = source
        self.opener = ""  # the quote or comment that is open at the end of the last line
        self._follow(text)

    def owns(self, line: str) -> bool:
        """True for a line of the statement; keeps track of quotes and comments."""
        was_open = self.opener
        self._follow(line)
        if was_open:
            return True
        return self.source is not Source.ECHO and not _OWN_WORDS.match(line)

    def ends_with(self, line: str) -> bool:
        """True where the statement ends with this line."""
        if line.startswith(_NEXT_MESSAGE):
            return True
        if self.opener:
            return False
        if self.source is Source.SIGNALLED:
            return line.rstrip().endswith("...")
        return self.source is Source.PARSE and line.startswith("Additional information: hd=")

    def _follow(self, line: str) -> None:
        at = 0
        while at < len(line):
            if self.opener:
                end = line.find("*/" if self.opener == "/*" else self.opener, at)
                if end < 0:
                    return
                at, self.opener = end + len(self.opener), ""
            else:
                found = re.compile(r"'|\"|/\*|--").search(line, at)
                if found is None or found[0] == "--":
                    return
                at, self.opener = found.end(), found[0]


def outside_quotes(line: str) -> str:
    """The line with what is quoted blanked out, so that places stay the same. An apostrophe inside a word is no quote."""
    if "'" not in line and '"' not in line:
        return line
    return _QUOTED_WORDS.sub(lambda m: " " * len(m[0]), line)


_QUOTED_WORDS = re.compile(r"(?<![A-Za-z])'[^']*'|\"[^\"]*\"")
