"""Is the first row of a file its header, or data already? When in doubt it is data: a value must never be told as a name.

A first row is data when a cell of it is a number, a date or a sensitive value, or when it looks like the rows below it in
every column. It is a header when its words are those of headers, or differ in kind from what stands below them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from drydock.masking.discovering import inside
from drydock.masking.discovering.hints import comment_hints, name_hints
from drydock.masking.discovering.profiles import PLACEHOLDERS
from drydock.masking.values import checks
from drydock.masking.values.folding import folded
from drydock.masking.values.kinds import all_kinds, whole_pattern

LONGEST_NAME = 200
SAMPLE_ROWS = 100
_DATE = re.compile(r"(?:19|20)\d{2}[-/.年]?\d{1,2}[-/.月]?\d{1,2}(?:日|[ T].*)?\Z")
_NUMBER = re.compile(r"[-+]?[\d,]*\.?\d+(?:E[-+]?\d+)?%?\Z")
_IDENTIFIER = re.compile(r"[A-Z_][A-Z0-9_ .$#/()-]{0,60}\Z")
_LONG_NUMBER = re.compile(r"\d(?:[ -]?\d){6,}")
_DIGITS = re.compile(r"[0-9]")
_COMPACT_DATE = re.compile(r"(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])")
_HAN = re.compile(r"[\u3400-\u9fff]")
_HEADER_WORDS_ZH = re.compile(
    r"(?:编号|号码|序号|名称|姓名|性别|年龄|日期|时间|金额|数量|单价|单位|类型|类别|状态|备注|说明|描述|地址|电话|手机|邮箱|代码|编码|标志|标识|"
    r"国家|地区|省份|城市|币制|重量|毛重|净重|件数|型号|规格|品牌|部门|职务|职位|口岸|港口|账号|卡号|证件|身份证|生日|版本|路径|链接|内容|主键|字段|"
    r"来源|结果|原因|方式|次数|费用|税|率|号|码|人|列)[0-9一二三四五]?\Z"
)
_USUAL_WORDS = """id no name code type date time status flag remark note desc description amount price qty quantity count total
    value key index num number address phone mobile email tel sex gender age birthday birth title city province country state
    region category level unit weight size color version url path file user create update created updated at by column col field
    data content text comment message msg ip mac guid uuid hash order item goods product model brand currency rate tax source
    target start end begin first last old new is has memo info lat lng lon latitude longitude department dept company corp
    org organization customer client account balance"""
_HEADER_WORDS = frozenset(_USUAL_WORDS.split())
# a cell that passes one of these is a value and no name
_CERTAIN = (
    "cn_id",
    "uscc",
    "bank_card",
    "mobile",
    "landline",
    "email",
    "ipv4",
    "mac",
    "plate",
    "container",
    "entry_id",
    "ceb_invt_no",
)
_NAME_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")


def is_header(first: Sequence[str], rows: Sequence[Sequence[str]]) -> bool:
    """True where the first row names the columns; `rows` are some of those below it, possibly none."""
    cells = [cell.strip() for cell in first]
    filled = [cell for cell in cells if cell]
    if not filled:
        return False
    words = sum(map(is_header_word, filled))
    if any(is_value(cell) for cell in filled):
        return words * 2 > len(filled)
    numbers = sum(bool(_NUMBER.match(folded(cell))) for cell in filled)
    if numbers and words * 2 <= len(filled) and not _are_years(filled):
        return False
    if not rows:
        return words > 0 or all(map(_may_be_name, filled))
    if _recurs(cells, rows) or _is_one_of_a_series(cells, rows):
        return False
    return words * 2 >= len(filled) or _differing(cells, rows) > 0


def is_value(cell: str) -> bool:
    """Is the cell certainly a value: a date, a long number, a sensitive value whole or inside?"""
    text = folded(cell)
    if len(text) > LONGEST_NAME or (len(text) >= 6 and _DATE.match(text)) or (_NUMBER.match(text) and len(text) >= 6):
        return True
    if any(_is_whole(kind, text) for kind in _CERTAIN) or _holds_long_number(text):
        return True
    return any(not kind.endswith(inside.CHANCE) and kind not in ("name", "credential") for kind in inside.scan(cell))


def _holds_long_number(text: str) -> bool:
    """Seven digits or more are a number of something, unless they are a date (amount_20240131)."""
    return any(not _COMPACT_DATE.fullmatch(run) for run in _LONG_NUMBER.findall(text))


def _is_whole(kind: str, text: str) -> bool:
    value = folded(text, all_kinds()[kind].separators)
    return bool(whole_pattern(kind).match(value)) and checks.passes_check(kind, value)


def is_header_word(cell: str) -> bool:
    """Is the cell a name that headers use: known to the hints, or a usual word of headers?"""
    if len(cell) > 60:
        return False
    if _HAN.search(cell):
        if len(_HAN.findall(cell)) > 14:
            return False
        return bool(comment_hints(cell)) or bool(_HEADER_WORDS_ZH.search(re.sub(r"[\s(（\[].*", "", cell)))
    if name_hints(cell):
        return True
    parts = [part.lower() for part in _NAME_PART.findall(cell)]
    return any(part in _HEADER_WORDS for part in parts)


def _are_years(cells: Sequence[str]) -> bool:
    """`name, 2021, 2022`: years head columns; at least one other cell must stand beside them."""
    numbers = [cell for cell in cells if _NUMBER.match(folded(cell))]
    return len(numbers) < len(cells) and all(re.fullmatch(r"(?:19|20)\d{2}", cell) for cell in numbers)


def _may_be_name(cell: str) -> bool:
    return len(cell) <= 40 and bool(_IDENTIFIER.match(folded(cell)) or _HAN.search(cell))


def _recurs(cells: Sequence[str], rows: Sequence[Sequence[str]]) -> bool:
    """A name does not come up as a value of its own column; a value does. (A whole header may: files that were put together.)"""
    others = [stripped for row in rows if (stripped := [cell.strip() for cell in row]) != list(cells)]
    return any(cell and any(c < len(row) and row[c] == cell for row in others) for c, cell in enumerate(cells))


def _is_one_of_a_series(cells: Sequence[str], rows: Sequence[Sequence[str]]) -> bool:
    """SKU001 above SKU002 and SKU117: but for its digits, a cell is spelt as most below it."""
    for column, cell in enumerate(cells):
        below = [text for row in rows if column < len(row) and (text := row[column].strip())]
        if _DIGITS.search(cell) and below:
            alike = sum(_DIGITS.sub("9", text) == _DIGITS.sub("9", cell) for text in below)
            if alike > 0.5 * len(below):
                return True
    return False


def _differing(cells: Sequence[str], rows: Sequence[Sequence[str]]) -> int:
    """Columns whose first cell is of another kind than most below it."""
    score = 0
    for column, cell in enumerate(cells):
        below = [text for row in rows if column < len(row) and (text := row[column].strip()) and text.upper() not in PLACEHOLDERS]
        if not cell or not below:
            continue
        classes = Counter(map(_class, below))
        common, times = classes.most_common(1)[0]
        score += times >= 0.7 * len(below) and common != _class(cell) and _class(cell) in ("word", "code", "han", "long han")
    return score


def _class(text: str) -> str:
    spelt = folded(text)
    if _NUMBER.match(spelt):
        return "number"
    if _DATE.match(spelt):
        return "date"
    if _HAN.search(spelt):
        return "han" if len(spelt) <= 4 else "long han"
    if any(c.isdigit() for c in spelt):
        return "code"
    return "word" if spelt.replace("_", "").replace(" ", "").isalpha() else "other"


def column_names(first: Sequence[str], has_header: bool) -> list[str]:
    """The names of the columns: the header's, or column_1, column_2 … where there is none or where it is a value."""
    names = []
    for position, cell in enumerate(first, 1):
        usable = has_header and cell.strip() and not is_value(cell)
        names.append(cell[:LONGEST_NAME] if usable else f"column_{position}")
    return names
