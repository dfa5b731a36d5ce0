"""Statements in files: finds a `.sql` file, reads its header, and checks that binds and statement agree.

One statement per file, in `include/sql/<engine>/<pipeline>/<name>.sql`; a grants file (`kind: grants`) may hold several,
each ended by a semicolon. Binds are `%(name)s` (a value, psycopg), `:name` (a value, Oracle), `{name}` (an identifier or
literal that Python composes), `:"name"` (an identifier that psql sets with -v) or `&name` (one that SQL*Plus defines).

Kinds: `read` returns columns and changes nothing, `change` changes the database, `session` sets up the session that runs
it, `block` is an anonymous PL/SQL block (the only kind with semicolons inside), `grants` is run by the site's DBA.

Two more keys, both optional: `editions` (EE, SE2, ...: the only ones where the statement makes sense) and `twin` (the
file of the same folder that gives the same columns where the licence does not allow this one).
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from drydock import settings

HEADER_KEYS = ("purpose", "kind", "engine", "privileges", "locks", "licence", "binds", "columns", "source")
OPTIONAL_KEYS = ("editions", "twin")
KINDS = ("read", "question", "change", "session", "block", "grants")
"""A `question` reads too, but names and figures are filled in before it is sent."""

_HEADER_LINE = re.compile(r"--\s?([a-z]+):\s*(.*)")
_NAMED = re.compile(r"([a-z_][a-z0-9_]*)(?:\s+\(((?:[^()]|\([^()]*\))*)\))?(?:,\s*|$)")
_QUOTED = re.compile(r"'(?:[^']|'')*'|\$\$.*?\$\$|--[^\n]*|/\*.*?\*/", re.DOTALL)
_COMMENT = re.compile(r"--[^\n]*")
_BIND = re.compile(r'%\(([a-z_][a-z0-9_]*)\)s|\{([a-z_][a-z0-9_]*)\}|(?<![:\w]):"?([a-z_][a-z0-9_]*)"?')
_SUBSTITUTION = re.compile(r"&([a-z_][a-z0-9_]*)")
_ENGINE = re.compile(r"([a-z]+)\b.*")
_EDITION = re.compile(r"[A-Z][A-Z0-9]*")


class SqlFileInvalid(ValueError):
    """A .sql file that breaks the contract of its header; the text names file and fault."""


@dataclass(frozen=True)
class SqlFile:
    """One file. `binds` and `columns` map names to their meaning, in the order of the header."""

    path: Path
    purpose: str
    kind: str
    engine: str
    privileges: str
    locks: str
    licence: str
    binds: dict[str, str]
    columns: dict[str, str]
    source: str
    statement: str
    editions: tuple[str, ...] = ()
    twin: str = ""

    @property
    def pipeline(self) -> str:
        return self.path.parent.name

    @property
    def name(self) -> str:
        return self.path.stem


@cache
def sql_file(engine: str, pipeline: str, name: str) -> SqlFile:
    """The file `include/sql/<engine>/<pipeline>/<name>.sql`. Raises SqlFileInvalid, FileNotFoundError."""
    return parse_sql_file(settings.include_dir() / "sql" / engine / pipeline / f"{name}.sql")


def all_sql_files() -> list[Path]:
    """Every .sql file of the product, in order."""
    return sorted((settings.include_dir() / "sql").glob("*/*/*.sql"))


def parse_sql_file(path: Path) -> SqlFile:
    """Read one file and check it against the contract. Raises SqlFileInvalid, OSError."""
    header, statement = _split(path)
    missing = [key for key in HEADER_KEYS if not header.get(key)]
    if missing:
        raise SqlFileInvalid(f"{path}: the header lacks {', '.join(missing)}")
    file = SqlFile(
        path=path,
        statement=statement,
        binds=_named(path, "binds", header["binds"]),
        columns=_named(path, "columns", header["columns"]),
        editions=tuple(part.strip() for part in header.get("editions", "").split(",") if part.strip()),
        twin=header.get("twin", ""),
        **{key: header[key] for key in HEADER_KEYS if key not in ("binds", "columns")},
    )
    _check(file)
    return file


def check_binds(file: SqlFile, given: Collection[str]) -> None:
    """Raise SqlFileInvalid unless exactly the binds of the header are given."""
    if set(given) != set(file.binds):
        raise SqlFileInvalid(f"{file.path}: needs the binds {sorted(file.binds)}, was given {sorted(given)}")


def statements(file: SqlFile) -> list[str]:
    """The statements of a grants file, in order, without their semicolons."""
    code = _COMMENT.sub("", file.statement)
    return [statement.strip() for statement in code.split(";") if statement.strip()]


def _split(path: Path) -> tuple[dict[str, str], str]:
    """Header and statement. A comment line of the header without a key goes on with the one before."""
    header: dict[str, str] = {}
    key = ""
    lines = path.read_text(encoding="utf-8").splitlines()
    body = next((i for i, line in enumerate(lines) if not line.startswith("--")), len(lines))
    for line in lines[:body]:
        match = _HEADER_LINE.fullmatch(line)
        if match and match[1] in HEADER_KEYS + OPTIONAL_KEYS:
            key = match[1]
            if key in header:
                raise SqlFileInvalid(f"{path}: two lines {key!r} in the header")
            header[key] = match[2].strip()
        elif key:
            header[key] = f"{header[key]} {line.removeprefix('--').strip()}".strip()
        else:
            raise SqlFileInvalid(f"{path}: the header begins with {line[:60]!r}, expected '-- purpose: ...'")
    return header, "\n".join(lines[body:]).strip()


def _named(path: Path, key: str, text: str) -> dict[str, str]:
    """'a (meaning), b (meaning)' as a mapping; 'none' is empty."""
    if text == "none":
        return {}
    found = {}
    position = 0
    while position < len(text):
        match = _NAMED.match(text, position)
        if not match:
            raise SqlFileInvalid(
                f"{path}: {key}: cannot read {text[position : position + 60]!r}; write 'name (meaning), ...' or 'none'"
            )
        found[match[1]] = match[2] or ""
        position = match.end()
    return found


def _check(file: SqlFile) -> None:
    engine = _ENGINE.fullmatch(file.engine)
    if file.kind not in KINDS:
        raise SqlFileInvalid(f"{file.path}: kind {file.kind!r}, allowed are {', '.join(KINDS)}")
    if not engine or engine[1] != file.path.parents[1].name:
        raise SqlFileInvalid(f"{file.path}: engine {file.engine!r} is not that of its folder")
    code = _code(file.statement)
    if not code.strip():
        raise SqlFileInvalid(f"{file.path}: no statement")
    if ";" in code and file.kind not in ("grants", "block"):
        raise SqlFileInvalid(f"{file.path}: one statement per file, without a semicolon")
    if file.kind == "block" and not re.fullmatch(r"\s*(BEGIN|DECLARE)\b.*\bEND;\s*", code, re.DOTALL):
        raise SqlFileInvalid(f"{file.path}: a block begins with BEGIN or DECLARE and ends with END;")
    _check_options(file)
    used = {next(filter(None, match.groups())) for match in _BIND.finditer(code)}
    used |= set(_SUBSTITUTION.findall(code)) if engine[1] == "oracle" else set()
    if used != set(file.binds):
        raise SqlFileInvalid(
            f"{file.path}: the statement uses the binds {sorted(used)}, the header tells of {sorted(file.binds)}"
        )


def _check_options(file: SqlFile) -> None:
    wrong = [edition for edition in file.editions if not _EDITION.fullmatch(edition)]
    if wrong:
        raise SqlFileInvalid(f"{file.path}: editions: cannot read {wrong[0]!r}; write for example 'EE, SE2'")
    if file.twin and file.licence == "none":
        raise SqlFileInvalid(f"{file.path}: a twin stands in for a file whose licence is not none")
    if file.twin and not file.path.with_name(f"{file.twin}.sql").is_file():
        raise SqlFileInvalid(f"{file.path}: its twin {file.twin!r} is not in the same folder")


def _code(statement: str) -> str:
    """The statement without string literals and comments, in which nothing is a bind or a semicolon."""
    return _QUOTED.sub(" ", statement)
