"""The RMAN log reader: bytes in any language and code page in, one result out.

Reads a stream once in constant memory. Echoed commands, comments, shell lines, debug lines and the output of other tools
are left out; what is left is looked at for codes, tables and the work of channels. See docs/read-rman.md.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import BinaryIO

from drydock.oracle_logs import rman_phrases as phrases
from drydock.oracle_logs.rman_lines import Wrapper, as_text, read_lines, without_collector
from drydock.oracle_logs.rman_pieces import Pieces
from drydock.oracle_logs.rman_quick import UNKNOWN, Act, Quick, shapes_of
from drydock.oracle_logs.rman_results import RmanEvidence, RmanLog
from drydock.oracle_logs.rman_shapes import What
from drydock.oracle_logs.rman_stacks import Codes, Found
from drydock.oracle_logs.rman_tables import Tables
from drydock.oracle_logs.rman_verdict import judge

MOST_EVIDENCE = 200
MOST_OF_A_KIND = 25
LINES_FOR_LANGUAGE = 500  # the language shows early or not at all
LONGEST_END = 120


def read_rman_log(stream: BinaryIO | Iterable[bytes]) -> RmanLog:
    """Read a log of RMAN from a binary stream or chunks of bytes; never raises for what the bytes are."""
    reader = _Reader()
    for lines in read_lines(stream):
        reader.feed_all(lines)
    return reader.result()


class _Reader:
    """The state between two lines."""

    def __init__(self) -> None:
        self.codes, self.tables, self.pieces = Codes(), Tables(), Pieces()
        self.wrapper = Wrapper()
        self.quick = Quick(self.pieces, self.tables, self.wrapper)
        self.number = 0
        self.sessions = 0
        self.cut_sessions = 0
        self.ended = False
        self.foreign = False  # another tool is speaking
        self.ended_by_stack = False
        self.name = b""  # of the program, as its banner gives it: the closing line begins with it, in every language
        self.versions: list[str] = []
        self.dbid: int | None = None
        self.database: bytes | None = None
        self.language: tuple[str, str] | None = None
        self.evidence: list[tuple[int, bytes, str]] = []
        self.kinds: Counter[str] = Counter()
        self.left_out = 0

    def feed_all(self, lines: list[bytes]) -> None:
        """Take lines: the quick way where their shapes are known, else closely."""
        known, tables, nothing, begun = self._known(), self.tables, self.quick.nothing, self.number
        for number, (line, shape) in enumerate(zip(lines, shapes_of(lines), strict=True), self.number + 1):
            act = known.get(shape)
            if act is None and known is not UNKNOWN:
                act = self.quick.learn(known, line, shape)
            if act is nothing:
                tables.header = line
                continue
            if act is not None and act[0](line, act):
                continue
            self.number = number
            self._look(line, act)
            known = self._known()
        self.number = begun + len(lines)

    def _look(self, line: bytes, act: Act | None) -> None:
        """Take a line that does more than its shape tells; `act` says how closely it must be looked at."""
        if self.quick.is_speaking:
            self.quick.is_speaking = False
            self._seen()
        what = act[5] if act else What.CLOSELY
        if what is What.ROW:
            self._row(line[act[4]])
        elif what is What.WORK:
            self._work(line[act[4]], line[act[1]])
        else:
            self.feed(line)

    def feed(self, line: bytes) -> None:
        if not line or line.isspace():
            self.tables.blank()
            return
        line = self.wrapper.strip(without_collector(line))
        if not line or line.isspace():
            self.tables.blank()
            return
        if phrases.may_be_special(line) or line[:1] == self.name[:1]:
            if phrases.SPECIAL.match(line) and not (line := self._special(line)):
                return
            if self._is_end(line):
                self._end_session(line)
                return
        self._output(line)

    def _known(self) -> dict[bytes, Act]:
        """What a line does by its shape; nothing is known where the lines before it matter."""
        return self.quick.known(self.name) if self._is_quiet() and not self.pieces.broken else UNKNOWN

    def _is_quiet(self) -> bool:
        """Nothing is open that any line could belong to, so that a line's own form says all."""
        if self.codes.open is not None or self.codes.under_banner or self.foreign:
            return False
        return self.language is not None or self.number > LINES_FOR_LANGUAGE

    def _row(self, line: bytes) -> None:
        """A line that only the readers of tables and pieces have to look at."""
        why = self.tables.feed(line)
        if why is None:
            why = self.pieces.feed(line, None)
        if why:
            self._keep(line, why)

    def _work(self, line: bytes, channel: bytes) -> None:
        """A line of a channel that only the reader of pieces has to look at."""
        self._seen()
        if why := self.pieces.feed(line, channel):
            self._keep(line, why)

    def _special(self, line: bytes) -> bytes:
        """What RMAN printed behind its prompt; nothing for lines that are no output of RMAN."""
        if line.startswith(b"DBG"):
            return b""
        prompts = phrases.PROMPTS.match(line)
        if prompts:
            return self._after_prompt(line, prompts.end())
        if phrases.FOREIGN_TOOL.match(line.lstrip()):
            self.foreign = True
        return b"" if phrases.SHELL_LINE.match(line) else line

    def _after_prompt(self, line: bytes, end: int) -> bytes:
        """Close what was open; give back what RMAN printed behind its prompt, nothing for an echoed command."""
        rest = line[end:]
        self._seen()
        self.foreign = self.ended = False
        self.codes.close()
        self.tables.end()
        if b"RMAN>" in line[:end]:
            self.pieces.next_command()
            self.tables.next_command()
        return rest if phrases.END.match(rest) or rest.startswith((b"RMAN-00571", b"RMAN-00569")) else b""

    def _output(self, line: bytes) -> None:
        """Read a line of RMAN."""
        if self.foreign and not self._back_from_tool(line):
            return
        if (b"Release " in line or b"Version " in line or b"Manager" in line) and self._is_session_line(line):
            return
        channel = self.pieces.channel_of(line)
        if b"-" in line and (b"RMAN-" in line or b"ORA-" in line or b"LRM-" in line):
            rest = self._coded(line, channel is not None)
            if rest is None:
                return
            line, channel = rest, self.pieces.channel_of(rest)
        if channel is not None:
            self._seen()
            if self.codes.open or self.codes.under_banner:
                self.codes.feed(line, self.number, True, True)
        if line[:8].lower() == b"warning:":
            self.codes.warnings_without_code += 1
            self._keep(line, "warning")
        if b"DBID=" in line:
            self._note_database(line)
        if self.codes.loose:
            self._overcome(line)
        if not line:
            return
        self._row(line) if channel is None else self._work(line, channel)
        if self.language is None and self.number <= LINES_FOR_LANGUAGE:
            self._guess_language(line)

    def _coded(self, line: bytes, is_channel: bool) -> bytes | None:
        """Give the codes of a line away; return the text that is still to be read, None when the line is done."""
        if self.codes.under_banner is False and self.codes.open is None:
            self.tables.end()
        found: Found = self.codes.feed(line, self.number, is_channel, not self.ended)
        if found.is_banner:
            self._seen()
            self.ended_by_stack = True
            return None
        if found.errors:
            self._seen()
            stack = self.codes.stacks[-1]
            self.ended_by_stack = stack.kind == "stack"
            self._keep(line, "error of a stack" if stack.kind == "stack" else "error outside a stack")
        if found.warnings:
            self._seen()
            self._keep(line, "warning")
        if found.errors or found.warnings:
            self._overcome(line)
            return None
        return line if found.rest is None else found.rest

    def _back_from_tool(self, line: bytes) -> bool:
        """True where RMAN speaks again after another tool."""
        is_rman = line.lstrip().startswith(phrases.RMAN_SPEAKS) or self.pieces.channel_of(line) or phrases.BANNER.match(line)
        self.foreign = not is_rman or bool(phrases.FOREIGN_TOOL.match(line.lstrip()))
        return not self.foreign

    def _is_session_line(self, line: bytes) -> bool:
        """Banner or version of a session."""
        if found := phrases.BANNER.match(line):
            self._begin_session(found.group(1).strip(), found.group(2))
            return True
        if found := phrases.SPOOL_BANNER.match(line):
            self._seen()
            self.versions.append(found.group(1).decode())
            del self.versions[1:]
            return True
        if found := phrases.VERSION.match(line):
            self.versions[:1] = [found.group(1).decode()]
            return True
        return False

    def _begin_session(self, name: bytes, version: bytes) -> None:
        if self.sessions and not self.ended and not self.ended_by_stack:
            self.cut_sessions += 1
        self.sessions += 1
        self.ended = self.ended_by_stack = self.foreign = False
        self.codes.close()
        self.pieces.next_command()
        self.tables.next_command()
        self.name = name if b"Release" not in name else self.name
        if not self.versions:
            self.versions.append(version.decode())

    def _is_end(self, line: bytes) -> bool:
        if len(line) > LONGEST_END:
            return False
        if phrases.END.match(line):
            return True
        if self.foreign:
            return False
        text = line.strip()
        name = self.name if self.name and text.startswith(self.name) else phrases.PROGRAM
        rest = text[len(name) :].strip() if text.startswith(name) else b""
        if len(rest) < 2 or b":" in rest or b"=" in rest or rest[:1].isdigit():
            return False
        return name is not phrases.PROGRAM or phrases.is_closing_word(rest)

    def _end_session(self, line: bytes) -> None:
        self._seen()
        self.ended, self.foreign = True, False
        if self.language is None:
            self._guess_language(line)
        self.codes.close()
        self.tables.end()
        self.pieces.next_command()
        self._keep(line, "end of the session")

    def _seen(self) -> None:
        """RMAN's own output stands here, banner or not."""
        self.sessions = self.sessions or 1
        self.ended_by_stack = False

    def _note_database(self, line: bytes) -> None:
        if self.dbid is not None or not (found := phrases.DBID.search(line)):
            return
        self._seen()
        self.dbid, self.database = int(found.group(2)), found.group(1)

    def _overcome(self, line: bytes) -> None:
        if phrases.OVERCOME.search(line):
            self.codes.overcome()
            self._keep(line, "RMAN went on by itself")

    def _guess_language(self, line: bytes) -> None:
        for sign, language, code_page in phrases.LANGUAGE_SIGNS:
            if sign in line:
                self.language = (language, code_page)
                return

    def _keep(self, line: bytes, why: str) -> None:
        if len(self.evidence) >= MOST_EVIDENCE or self.kinds[why] >= MOST_OF_A_KIND:
            self.left_out += 1
            return
        self.kinds[why] += 1
        self.evidence.append((self.number, line, why))

    def _finish(self) -> None:
        """No more lines come."""
        if self.quick.is_speaking:
            self._seen()
        self.pieces.next_command()
        self.tables.close()

    def result(self) -> RmanLog:
        """The answer, when the last line was fed."""
        self._finish()
        complete = self.sessions > 0 and self.ended and not self.cut_sessions
        codes, tables, pieces = self.codes, self.tables, self.pieces
        verdict, reasons = judge(codes, tables, pieces, self.sessions, complete)
        page = self.language[1] if self.language else None
        read = pieces.datafiles_read | set(tables.files)
        return RmanLog(
            verdict=verdict,
            reasons=reasons,
            codes=tuple(codes.codes),
            warnings=tuple(codes.warnings),
            sets_read=pieces.sets_read.count,
            pieces_read=pieces.pieces_read.count,
            datafiles_read=tuple(sorted(read)),
            datafiles_failed=tuple(sorted({n for n, c in tables.files.items() if c.failed} | codes.files_named)),
            datafiles_skipped=tuple(sorted(pieces.datafiles_skipped)),
            corrupt_blocks=sum(c.blocks for c in tables.files.values()) + tables.other_failing,
            files_need_backup=tuple(sorted(tables.need_backup)),
            expired=pieces.expired,
            complete=complete,
            evidence=tuple(RmanEvidence(line_number=n, text=as_text(text, page), why=why) for n, text, why in self.evidence),
            evidence_left_out=self.left_out,
            stacks=tuple(s.result() for s in codes.stacks if s.codes),
            marked_corrupt=sum(c.marked for c in tables.files.values()),
            archived_logs_read=pieces.logs_scanned + tables.logs_examined,
            crosschecked=pieces.crosschecked,
            datafiles_backed_up=tuple(sorted(pieces.datafiles_backed_up)),
            pieces_written=pieces.pieces_written.count,
            pieces=tuple(as_text(name, page) for name in pieces.names),
            dbid=self.dbid,
            database=self.database.decode("ascii", "replace") if self.database else None,
            rman_version=self.versions[0] if self.versions else None,
            language=self.language[0] if self.language else None,
            sessions=self.sessions,
            lines=self.number,
        )
