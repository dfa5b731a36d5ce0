"""`python -m drydock mask`: lines in, lines out, in batches, with flat memory.

A line is what stands between two line feeds; a carriage return at its end and a byte order mark at the start stay where they
are. Bytes that are not text in the encoding are masked too (as characters of their own class), never passed through.
"""

from __future__ import annotations

import os
import select
import sys
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import BinaryIO, Protocol

from drydock.masking.ciphers.keys import MAKE_ONE, Family, read_key_file, who_else_reads
from drydock.masking.techniques import NotUnique, Options, UnknownKind, kind_names, masker
from drydock.problems import nearest

BATCH_LINES = 65_536
BATCH_BYTES = 1 << 21
LONGEST_LINE_BYTES = 1 << 23
READ_BYTES = 1 << 20
CLOSED_PIPE = 141  # as a shell tells of SIGPIPE
CANNOT_WRITE = 74  # EX_IOERR of sysexits.h: the disk is full, the output is closed
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class MaskError(ValueError):
    """What was asked cannot be done; the text says what to do."""


class OutputFailed(OSError):
    """The masked lines cannot be written; the text says why."""


class Masker(Protocol):
    def values(self, values: Sequence[str | None]) -> list[str | None]: ...


def make_masker(
    kind: str,
    key_file: Path,
    join_domain: str | None = None,
    epoch: str | None = None,
    family: Family | None = None,
    options: Options | None = None,
) -> Masker:
    """What the command masks with. Raises MaskError for an unknown kind, KeyFileError for a key that cannot be used."""
    if kind not in kind_names():
        near = nearest(kind, kind_names())
        raise MaskError(
            f"no kind {kind!r}; " + (f"did you mean {near!r}? " if near else "") + f"kinds: {', '.join(kind_names())}"
        )
    key = read_key_file(key_file, epoch, family)
    if warning := who_else_reads(key_file):
        tell_error(warning)
    if key.is_for_trials:
        tell_error(f"{key_file}: this key is fit for trials only, it was not drawn; {MAKE_ONE}")
    try:
        return masker(kind, key, join_domain, options)
    except (UnknownKind, NotUnique, RuntimeError) as e:
        raise MaskError(str(e)) from e


def known_family(name: str | None) -> Family | None:
    """The family of that name. Raises MaskError for another."""
    if name is not None and name.lower() not in set(Family):
        raise MaskError(f"no algorithm {name!r}; allowed: {', '.join(Family)}")
    return Family(name.lower()) if name else None


def known_encoding(name: str) -> str:
    """The codec of that name. Raises MaskError for one that is not taken."""
    codec = {"utf-8": "utf-8", "utf8": "utf-8", "gb18030": "gb18030", "gbk": "gb18030", "gb2312": "gb18030"}.get(name.lower())
    if codec is None:
        raise MaskError(f"no encoding {name!r}; allowed: utf-8, gb18030")
    return codec


def mask_stream(masker: Masker, source: BinaryIO, target: BinaryIO, encoding: str = "utf-8") -> int:
    """Mask every line of the source into the target; how many lines there were. Raises MaskError for a line that is too long.

    Raises BrokenPipeError where the reader went away, OutputFailed where the target takes no more.
    """
    lines = 0
    for number, batch in enumerate(batches(source)):
        mark = BYTE_ORDER_MARK if number == 0 and batch.startswith(BYTE_ORDER_MARK) else b""
        _write(target, mark + mask_lines(masker, batch[len(mark) :], encoding))
        lines += batch.count(b"\n") + (not batch.endswith(b"\n"))
    return lines


def _write(target: BinaryIO, text: bytes) -> None:
    try:
        target.write(text)
        target.flush()
    except BrokenPipeError:
        raise
    except OSError as e:
        raise OutputFailed(e.errno, e.strerror or str(e)) from e


def tell_error(text: str) -> None:
    """A line on standard error, where there is one (2>&- closes it)."""
    if sys.stderr is not None:
        sys.stderr.write(f"drydock: {text}\n")


def hush_standard_output() -> None:
    """What is left in Python's buffer goes nowhere, so that its own last flush is quiet."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def batches(source: BinaryIO) -> Iterator[bytes]:
    """Whole lines, up to BATCH_LINES or BATCH_BYTES together; fewer where the source has no more to give for now."""
    waiting: list[bytes] = []
    size = lines = 0
    while chunk := source.read1(READ_BYTES):  # type: ignore[attr-defined]
        waiting.append(chunk)
        size, lines = size + len(chunk), lines + chunk.count(b"\n")
        if lines and (lines >= BATCH_LINES or size >= BATCH_BYTES or not _more_at_once(source)):
            whole = b"".join(waiting)
            cut = whole.rindex(b"\n") + 1
            yield from _portions(whole[:cut], lines)
            waiting, size, lines = [whole[cut:]], len(whole) - cut, 0
        elif size > LONGEST_LINE_BYTES:
            raise MaskError(f"a line of more than {LONGEST_LINE_BYTES >> 20} MiB is no value; is this the right file?")
    if last := b"".join(waiting):
        yield last


def _portions(text: bytes, lines: int) -> Iterator[bytes]:
    """Whole lines in portions of at most BATCH_LINES."""
    if lines <= BATCH_LINES:
        yield text
        return
    start = 0
    while start < len(text):
        end = start
        for _ in range(BATCH_LINES):
            end = text.find(b"\n", end) + 1
            if end == 0 or end == len(text):
                end = len(text)
                break
        yield text[start:end]
        start = end


def _more_at_once(source: BinaryIO) -> bool:
    """Can more be read without waiting? Then a larger batch is the quicker one."""
    try:
        return bool(select.select([source], [], [], 0)[0])
    except (OSError, ValueError, TypeError):
        return False  # no file descriptor: a stream of a test


def mask_lines(masker: Masker, batch: bytes, encoding: str) -> bytes:
    """The lines of a batch masked; line ends as they were."""
    text = batch.decode(encoding, "surrogateescape")
    lines = text.split("\n")
    if "\r" not in text:
        return _joined(masker.values(lines), encoding)
    ends = ["\r" if line.endswith("\r") else "" for line in lines]
    bare = [line[:-1] if end else line for line, end in zip(lines, ends, strict=True)]
    return _joined([f"{new}{end}" for new, end in zip(masker.values(bare), ends, strict=True)], encoding)


def _joined(lines: list[str | None], encoding: str) -> bytes:
    return "\n".join(line or "" for line in lines).encode(encoding, "surrogateescape")


def mask_standard_streams(masker: Masker, file: Path | None, encoding: str) -> int:
    """From the file or standard input to standard output; the exit code. Raises MaskError, OSError for the file."""
    if file is None and sys.stdin is None:
        raise MaskError("standard input is closed: pipe lines in, or name a file with --in FILE")
    if sys.stdout is None:
        raise MaskError("standard output is closed: send it into a file or a pipe")
    if file is None and sys.stdin.isatty():
        raise MaskError("nothing to mask: pipe lines in, or name a file with --in FILE")
    with nullcontext(sys.stdin.buffer) if file is None else file.open("rb") as source:
        try:
            mask_stream(masker, source, sys.stdout.buffer, encoding)
        except BrokenPipeError:
            hush_standard_output()
            return CLOSED_PIPE
        except OutputFailed as e:
            hush_standard_output()
            tell_error(f"cannot write the masked lines: {e.strerror}; what was written is not the whole")
            return CANNOT_WRITE
    return 0
