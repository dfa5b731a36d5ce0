"""`python -m sandbox.oracle.rman target / [cmdfile=FILE|@FILE] [log=FILE]`: looks like `rman` to whoever starts it.

ORACLE_SIM_SOCKET: where the model answers; ORACLE_SID, NLS_LANG and NLS_DATE_FORMAT as for RMAN. One question is one such
process, so it loads the standard library alone; the model's modules only where there is no model to ask.
"""

from __future__ import annotations

import json
import os
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from sandbox.oracle.rman.words import code_page_of, language_of

KILLED = 137
TAKES_VALUE = {"target", "cmdfile", "log", "msglog", "catalog", "debug", "trace", "using"}
FLAGS = {"nocatalog", "append", "msgno", "checksyntax", "/"}


@dataclass
class Arguments:
    script: str = ""
    log: str = ""
    is_append: bool = False
    problem: str = ""
    has_file: bool = False


def parse(words: list[str]) -> Arguments:
    """RMAN's command line: `name=value` or `name value`, in any order and case."""
    found = Arguments()
    rest = list(words)
    while rest and not found.problem:
        word = rest.pop(0)
        name, is_pair, value = word.partition("=")
        if word.startswith("@"):
            name, is_pair, value = "cmdfile", "=", word[1:]
        name = name.lower()
        if name in TAKES_VALUE:
            _take(found, name, value if is_pair else rest.pop(0) if rest else "")
        elif name not in FLAGS:
            found.problem = "RMAN-00552"
        found.is_append |= name == "append"
    return found


def _take(found: Arguments, name: str, value: str) -> None:
    value = value.strip("'\"")
    if name in ("log", "msglog"):
        found.log = value
    elif name == "cmdfile":
        found.has_file = True
        try:
            found.script = Path(value).read_text(encoding="utf-8", errors="replace")
        except OSError:
            found.problem, found.script = "RMAN-00556", value


def main(words: list[str]) -> int:
    """Run as RMAN would; returns the exit code."""
    arguments = parse(words)
    if not arguments.log:
        return run(arguments, sys.stdout.buffer)
    with Path(arguments.log).open("ab" if arguments.is_append else "wb") as log:
        return run(arguments, log)


def run(arguments: Arguments, out: BinaryIO) -> int:
    """Ask the model and show its answer in the client's character set."""
    nls_lang = os.environ.get("NLS_LANG", "")

    def show(line: str) -> None:
        out.write(line.encode(code_page_of(nls_lang), "replace") + b"\n")
        out.flush()

    if arguments.problem:
        from sandbox.oracle.rman.session import tell_stack

        tell_stack(show, [(arguments.problem, {"name": arguments.script})], language_of(nls_lang))
        return 1
    script = arguments.script if arguments.has_file else sys.stdin.read()
    request = {"rman": script, "sid": os.environ.get("ORACLE_SID", ""), "stops": arguments.has_file, "nls_lang": nls_lang}
    request["nls_date_format"] = os.environ.get("NLS_DATE_FORMAT", "")
    with socket.socket(socket.AF_UNIX) as connection:
        try:
            connection.connect(os.environ.get("ORACLE_SIM_SOCKET", ""))
        except OSError:  # nothing runs on this host
            from sandbox.oracle.rman.service import refuse

            return refuse(show, str(request["sid"]), language_of(nls_lang))
        connection.sendall(json.dumps(request).encode() + b"\n")
        with connection.makefile("rb") as answers:
            return relay(answers, show)


def relay(answers: BinaryIO, show: Callable[[str], None]) -> int:
    """Show lines until the exit code; an answer that ends without one is an RMAN that was killed."""
    for answer in answers:
        message = json.loads(answer)
        if "exit" in message:
            return int(message["exit"])
        show(message["line"])
    return KILLED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
