"""Foreign text: decoding of mixed encodings, masking of secrets, names of objects."""

from __future__ import annotations

import re

MASKED = "***"

_QUOTED = r"""(?:[eEnN]|[uU]&)?'(?:[^']|'')*(?:'|\Z)|"(?:[^"]|"")*(?:"|\Z)|\$(\w*)\$.*?(?:\$\{tag}\$|\Z)"""
_GAP = r"(?:\s|/\*.*?\*/|--[^\n]*\n)"


def _quoted(tag: int) -> str:
    return _QUOTED.replace("{tag}", str(tag))


_LEAST = re.compile(r"identified|passw|pwd|\bconn|secret|values|口令|密码", re.IGNORECASE)
_IDENTIFIED = re.compile(
    rf"(\bIDENTIFIED{_GAP}+(?:BY|USING){_GAP}+(?:PASSWORD{_GAP}+|VALUES{_GAP}*)?)(?:{_quoted(2)}|[^\s;,'\"]+)"
    rf"(?:({_GAP}+REPLACE{_GAP}+)(?:{_quoted(4)}|[^\s;,'\"]+))?",
    re.IGNORECASE | re.DOTALL,
)
_VALUES = re.compile(rf"(\bBY{_GAP}+VALUES{_GAP}*)(?:{_quoted(2)})", re.IGNORECASE | re.DOTALL)
_PASSWORD = re.compile(rf"(\bPASSWORD(?:{_GAP}*(?:=>?|:=?){_GAP}*|{_GAP}*))(?:{_quoted(2)})", re.IGNORECASE | re.DOTALL)
_ASSIGNED = re.compile(
    r"""((?:\b|_)(?:password|passwd|passwort|pwd|secret|口令|密码)(?:"|''|')?\s*(?:=>?|:=?|：|＝)\s*)(?:''[^']+''|[^\s;,'")&]+|'[^']*(?:'|\Z)|"[^"]*(?:"|\Z))""",
    re.IGNORECASE,
)
_CONNECT = re.compile(r"(\bconn(?:ect)?\s+(?:\"[^\"]+\"|[\w$#.\[\]]+)/)(?:\"[^\"]*\"?|[^\s@\"]+)", re.IGNORECASE)
_ADDRESS = re.compile(r"(://[^/@\s:]{1,200}:)[^@\s]{1,500}(?=@)")


def mask_secrets(text: str) -> str:
    """The text with passwords replaced by ***: IDENTIFIED BY, PASSWORD '...', password=..., connect user/..., ://user:...@."""
    if "://" in text:
        text = _ADDRESS.sub(rf"\1{MASKED}", text)
    if not _LEAST.search(text):
        return text
    text = _IDENTIFIED.sub(lambda m: f"{m[1]}{MASKED}{m[3] + MASKED if m[3] else ''}", text)
    text = _VALUES.sub(rf"\1{MASKED}", text)
    text = _PASSWORD.sub(rf"\1{MASKED}", text)
    text = _CONNECT.sub(rf"\1{MASKED}", text)
    return _ASSIGNED.sub(rf"\1{MASKED}", text)


def decode(data: bytes) -> tuple[str, str]:
    """Text and how it was read: utf-8, gb18030, or latin-1 where it is neither."""
    try:
        return data.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        pass
    try:
        text = data.decode("gb18030")
    except UnicodeDecodeError:
        return data.decode("latin-1"), "latin-1"
    return (text, "gb18030") if _looks_chinese(text) else (data.decode("latin-1"), "latin-1")


def _looks_chinese(text: str) -> bool:
    """GB18030 accepts much of what is Latin-1: it counts where what is not ASCII is Chinese or full width."""
    strange = [c for c in text if ord(c) > 127]
    chinese = sum("\u3000" <= c <= "\u9fff" or "\uff00" <= c <= "\uffef" or c in "“”‘’—…·" for c in strange)
    return chinese * 10 >= len(strange) * 9


_PART = re.compile(r'"((?:[^"]|"")*)"|([^."]+)')


def split_name(name: str) -> tuple[str, str]:
    """Schema and name of `schema.name`, quotes honoured; no schema where there is no dot."""
    if "." not in name:
        return "", name.strip('"') if name.startswith('"') else name
    parts = [m[1].replace('""', '"') if m[1] is not None else m[2] for m in _PART.finditer(name)]
    return (".".join(parts[:-1]), parts[-1]) if len(parts) > 1 else ("", name)


_COMMENT = re.compile(r"\A(?:\s+|/\*.*?\*/|--[^\n]*(?:\n|\Z)|\()+", re.DOTALL)
_TWO_WORDS = frozenset(["CREATE", "ALTER", "DROP", "TRUNCATE", "REFRESH"])
_BETWEEN = frozenset(
    {"OR", "REPLACE", "UNIQUE", "GLOBAL", "LOCAL", "TEMPORARY", "TEMP", "UNLOGGED"}
    | {"FORCE", "NOFORCE", "EDITIONABLE", "NONEDITIONABLE", "BITMAP"}
)
_WORD = re.compile(r"[A-Za-z_]+")


def verb_of(statement: str) -> str:
    """The verb a statement begins with, in upper case: SELECT, CREATE TABLE, BEGIN; "" where it begins with no word."""
    start = statement[:4096]
    lead = _COMMENT.match(start)
    words = [w.upper() for w in _WORD.findall(start[lead.end() if lead else 0 :][:200])]
    if not words or not _WORD.match(start[lead.end() if lead else 0 :]):
        return ""
    if words[0] not in _TWO_WORDS:
        return words[0]
    second = next((w for w in words[1:] if w not in _BETWEEN), "")
    return f"{words[0]} {second}".strip()
