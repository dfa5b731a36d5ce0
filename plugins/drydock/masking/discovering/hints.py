"""What the name and the comment of a column say it holds: Chinese, English, abbreviations and pinyin.

In both languages the head of a name stands last: `consignee_telephone` is a telephone, 收货人电话 too. So the word that ends
last counts, and a name that ends in type, date, count or 类型, 日期, 数量 says nothing. A hint is a hint: values decide.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache, lru_cache

from drydock.masking.values.folding import folded
from drydock.masking.values.kinds import all_kinds, document_words

STRONG, WEAK = 2, 1
LONGEST_NAME = 200
Hints = Mapping[str, int]
"""Kind -> STRONG (the word ends the name) or WEAK (something else follows it)."""

_TOKEN = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+|[\u3400-\u9fff]+")
_RUN_TOGETHER = re.compile(
    r"(lxr|shr|fhr|sjr|jjr|dgr|zfr|jbr|sbr|fddbr|frdb|fr|sqr|jsr|jsy|ck|yh|kh|gr|user|buyer|payer|contact|consignee|consignor)"
    r"(xm|dh|dz|sj|sjh|sjhm|yx|zjh|zjhm|sfzh|sfzhm|name|tel|phone|mobile|telephone|address|addr|email|idno|idnumber)\Z"
)
_NEUTRAL_WORDS = "no num number id code value val str txt text info cn en zh new old bak hm hao raw src hash md5 sha enc salt"
_NEUTRAL = frozenset(_NEUTRAL_WORDS.split())
_SAYS_NOTHING_WORDS = """type flag status state date time at on by count cnt qty amount amt country nation kind level ind size len
length sum days year month lx bz rq zt sl je gb desc remark note url path file prefix suffix format rule config"""
_SAYS_NOTHING = frozenset(_SAYS_NOTHING_WORDS.split())
_VOWELS = frozenset("aeiou")
_COMMENT_HEAD = re.compile(r"[\s（(，,。;；:：、\[【]")
_COMMENT_SAYS_NOTHING = ("类型", "标志", "标识", "状态", "日期", "时间", "数量", "金额", "国别", "种类", "类别", "方式", "个数")
_SAYS_SOMETHING = ("联系方式",)
_COMMENT_TAIL = re.compile(r"(?:号码|编号|编码|识别号|识别码|号|码|代码|名称|姓名|信息|[0-9]+)\Z")


def name_hints(name: str) -> Hints:
    """What a column's name, the key of a JSON object or the tag of an XML element says. Empty: nothing."""
    return _name_hints(name) if len(name) <= LONGEST_NAME else {}


@lru_cache(maxsize=20_000)
def _name_hints(name: str) -> Hints:
    tokens = _tokens(name)
    if any("\u3400" <= c <= "\u9fff" for c in name):
        return comment_hints(name)
    while tokens and tokens[-1].isdigit():
        tokens = tokens[:-1]
    if not tokens or tokens[-1] in _SAYS_NOTHING:
        return {}
    if tokens == ["key"]:
        return {"credential": WEAK}  # of a table, or of a door: the values must look like secrets
    return _best({kind: _end_in(tokens, words) for kind, words in _words().items()}, len(tokens), tokens)


def _tokens(name: str) -> list[str]:
    tokens: list[str] = []
    for token in _TOKEN.findall(name[:200]):
        token = token.lower()
        halves = _RUN_TOGETHER.fullmatch(token)
        tokens += halves.groups() if halves else [token]
    return tokens


@cache
def _words() -> dict[str, tuple[tuple[str, ...], ...]]:
    documents = document_words()
    return {
        kind.id: tuple(
            tuple(word.split()) for word in (*kind.name_words, *(documents.names if kind.id in documents.kinds else ()))
        )
        for kind in all_kinds().values()
    }


def _end_in(tokens: list[str], words: tuple[tuple[str, ...], ...]) -> tuple[int, int]:
    """Where the last word of the kind ends (0: it does not come up), and its length in letters."""
    ends = [(_end(tokens, word), len("".join(word))) for word in words]
    return max(ends, default=(0, 0))


def _end(tokens: list[str], word: tuple[str, ...]) -> int:
    if word == ("name",):  # goods have names too: the word counts alone, or after a word for a person (which the list has)
        return 1 if tokens == ["name"] else 0
    for start in range(len(tokens) - len(word), -1, -1):
        if tuple(tokens[start : start + len(word)]) == word:
            return _past_neutral(tokens, start + len(word))
    return _past_neutral(tokens, _end_squeezed(tokens, word))


def _past_neutral(tokens: list[str], end: int) -> int:
    """`id card no` is as much an id card as `id card`."""
    while 0 < end < len(tokens) and tokens[end] in _NEUTRAL:
        end += 1
    return end


def _end_squeezed(tokens: list[str], words: tuple[str, ...]) -> int:
    """`buyeridnumber`, `cyrsfzh`: words run together, where the word can hardly be the end of another (template, plate)."""
    word = "".join(words)
    if len(word) < 4 or (len(words) == 1 and len(word) < 6 and not _VOWELS.isdisjoint(word)):
        return 0
    for place in range(len(tokens), 0, -1):
        token = tokens[place - 1]
        if token.endswith(word) or (len(word) > 5 and _without_tail(token).endswith(word)):
            return place
    return 0


def _without_tail(token: str) -> str:
    tail = next((t for t in ("number", "num", "no", "hm", "code", "id") if token.endswith(t)), "")
    return token[: len(token) - len(tail)]


def _best(ends: Mapping[str, tuple[int, int]], size: int, tokens: list[str]) -> Hints:
    """The kinds whose word ends last and, among those, is the longest; the others say nothing."""
    last = max((end for end, _ in ends.values()), default=0)
    if not last:
        return {}
    longest = max(length for end, length in ends.values() if end == last)
    strength = STRONG if all(token in _NEUTRAL for token in tokens[last:size]) else WEAK
    return {kind: strength for kind, (end, length) in ends.items() if end == last and length == longest}


def comment_hints(comment: str) -> Hints:
    """What a Chinese comment (or a Chinese name) says; English comments are read like names."""
    return _comment_hints(comment[:LONGEST_NAME])


@lru_cache(maxsize=20_000)
def _comment_hints(comment: str) -> Hints:
    head = next((part for part in _COMMENT_HEAD.split(comment.strip()) if part), "")
    if not any("\u3400" <= c <= "\u9fff" for c in head):
        return name_hints(comment) if comment.isascii() else {}
    hints: dict[str, int] = {}
    for word in head.split("/"):  # 电话/手机 and 订单/支付交易编号 are both
        hints |= {kind: max(strength, hints.get(kind, 0)) for kind, strength in _hints_of_word(word).items()}
    return hints


def _hints_of_word(word: str) -> Hints:
    head = folded(word)
    if head.endswith(_COMMENT_SAYS_NOTHING) and not head.endswith(_SAYS_SOMETHING):
        return {}
    ends = {kind: max((_word_end(head, w) for w in words), default=(0, 0)) for kind, words in _comment_words().items()}
    last, longest = max(ends.values(), default=(0, 0))
    if not last:
        return {}
    rest = head[last:]
    strength = STRONG if not rest or _COMMENT_TAIL.fullmatch(rest) else WEAK
    return {kind: strength for kind, (end, length) in ends.items() if end == last and length == longest}


def _word_end(head: str, word: str) -> tuple[int, int]:
    place = head.rfind(word)
    return (place + len(word), len(word)) if place >= 0 else (0, 0)


@cache
def _comment_words() -> dict[str, tuple[str, ...]]:
    documents = document_words()
    return {
        kind.id: tuple(folded(w) for w in (*kind.context_words, *(documents.comments if kind.id in documents.kinds else ())))
        for kind in all_kinds().values()
    }
