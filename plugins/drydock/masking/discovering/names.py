"""Names of persons and of organisations, told from other short words.

A table of family names alone proves nothing about one word (高 and 金 begin many nouns). A column of names shows itself by
several signs together: nearly every value begins with a family name, most with one of the hundred that 85 % of the people
bear, many different names, and no endings of offices, places and goods.
"""

from __future__ import annotations

import re
from functools import cache

import yaml

from drydock.settings import include_dir

COMMONEST = 100
HAN = r"\u3400-\u9fff"
ORGANISATION = (
    r"公司|有限|集团|股份|企业|厂$|商行|商店|商贸|经营部|营业部|门市部|工作室|事务所|合作社|银行|分行|支行|学校|大学|医院|协会|"
    r"委员会|研究院|研究所|酒店|超市|工厂|海关|政府|总局|分局|有限|货运代理|"
    r"\b(?:LTD|LIMITED|CO|INC|LLC|CORP|CORPORATION|COMPANY|GMBH|PLC|PTE|GROUP|TRADING|LOGISTICS|BANK|INTERNATIONAL)\b"
)
# how offices, places, goods and colours end, and persons hardly do
NOUN_ENDINGS = (
    "部局省市区县镇乡村州港司店厂组科室处院路街号机器酸醇酮酯醛盐油粉车船箱色族物品类型仓库站所队班桥岗场祠园塘陂冲坑坪庙寺塔"
)
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_DOTTED = re.compile("[·•・]")
_ORGANISATION = re.compile(ORGANISATION)
_LATIN_WORDS = re.compile(r"[A-Z]{2,}[.'-]?[A-Z]*(?:[ ,]+[A-Z][A-Z.'-]*){1,4}(?: [0-9]{1,4})?\Z")


@cache
def surnames() -> tuple[str, tuple[str, ...]]:
    """Family names of one character, the commonest first, and of two."""
    table = yaml.load((include_dir() / "masking" / "surnames.yaml").read_text(encoding="utf-8"), Loader=_LOADER)
    return "".join(dict.fromkeys("".join(table["single"].split()))), tuple(table["compound"])


@cache
def _single_and_compound() -> tuple[frozenset[str], frozenset[str]]:
    single, compound = surnames()
    return frozenset(single), frozenset(compound)


@cache
def name_pattern() -> str:
    """Chinese names of two to four characters by their family name, and names with a dot; for polars and Python alike."""
    single, compound = surnames()
    return (
        rf"^(?:(?:{'|'.join(compound)})[{HAN}]{{1,2}}|[{single}][{HAN}]{{1,2}}|[{HAN}]{{1,12}}(?:[·•・][{HAN}]{{1,12}}){{1,3}})$"
    )


DOTTED = rf"^[{HAN}]{{1,12}}(?:[·•・][{HAN}]{{1,12}}){{1,3}}$"


@cache
def commonest() -> frozenset[str]:
    """The family names of one character that most people bear."""
    return frozenset(surnames()[0][:COMMONEST])


def is_person_name(text: str) -> bool:
    """Could be a person's name: a family name with one or two more characters, parts with a dot, or words of Latin letters."""
    if text.isascii():
        return bool(_LATIN_WORDS.match(text)) and not is_organisation(text)
    if _DOTTED.search(text):
        return True
    single, compound = _single_and_compound()
    if text[:2] in compound:
        return 3 <= len(text) <= 4
    return text[0] in single and 2 <= len(text) <= 3


def is_organisation(text: str) -> bool:
    """Ends or speaks like the name of a firm, an office or a school."""
    return bool(_ORGANISATION.search(text))
