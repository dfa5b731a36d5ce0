"""Sensitive values inside longer text: numbers with check digits, phones, mails, addresses, names beside a title or a word.

Every pattern is bounded, so that texts of megabytes cost time in proportion. What a pattern finds must pass its kind's
check, and what was found is taken out before the next pattern looks, so that an id is not also a card number.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from drydock.masking.discovering import addresses
from drydock.masking.discovering.hints import STRONG, name_hints
from drydock.masking.discovering.names import NOUN_ENDINGS, commonest, is_organisation, is_person_name, surnames
from drydock.masking.values import checks
from drydock.masking.values.folding import folded
from drydock.masking.values.kinds import all_kinds

Found = Counter[str]
CHANCE = "?"  # after a kind: things that look like it, of which some pass by chance; discovery weighs the two counts

_LETTERS_BEFORE = r"(?:(?<![0-9A-Z])|(?<=TEL)|(?<=PHONE)|(?<=MOBILE)|(?<=MOB)|(?<=ID)|(?<=CARD))(?<![0-9]\.)"
_GAP = r"[ \t\r\n-]{0,2}"
_EMAIL = re.compile(r"[A-Z0-9][A-Z0-9._%+-]{0,63}@[A-Z0-9-]{1,63}(?:\.[A-Z0-9-]{1,63}){0,5}\.[A-Z]{2,24}")
_CN_ID = re.compile(
    rf"(?<![0-9])[1-9]\d{{5}}{_GAP}(?:18|19|20)\d{{2}}{_GAP}(?:0[1-9]|1[0-2]){_GAP}(?:0[1-9]|[12]\d|3[01]){_GAP}\d{{3}}{_GAP}[\dX]"
    r"(?![0-9])"
)
_USCC = re.compile(r"(?<![0-9A-Z])[0-9A-HJ-NPQRTUWXY]{2}\d{6}[0-9A-HJ-NPQRTUWXY]{10}(?![0-9A-Z])")
_LIST_NO = re.compile(r"(?<![0-9A-Z])\d{4}-?20\d{2}-?[IE]-?\d{9}(?![0-9A-Z])")
_ENTRY_ID = re.compile(r"(?<![0-9A-Z])\d{4}(?:19|20)\d{2}[01]\d{9}(?![0-9A-Z])")
_CARD = re.compile(r"(?<![0-9A-Z])(?<![0-9]\.)\d{4}(?:[ -]?\d){12,15}(?![0-9A-Z])(?!\.[0-9])")
_CARD_BINS = re.compile(r"(?:35|4|5[1-5]|6[0289]|9)")
_CARD_WORDS = re.compile(r"卡|账|帐|银行|CARD|ACCOUNT|ACCT|BANK|VISA")
_MOBILE = re.compile(rf"{_LETTERS_BEFORE}(?:(?:\+|00)?86[ -]?)?1[3-9]\d(?:[ -]?\d{{4}}){{2}}(?![0-9A-Z])(?!\.[0-9])")
_SURE = frozenset({"address", "email"})  # what their patterns find inside text needs no further check
_DIGIT = re.compile(r"[0-9]")
_RUN = re.compile(r"\d(?:[ \t\r\n-]{0,2}\d){5,}")
_EIGHTEEN_DIGITS = re.compile(r"(?<![0-9A-Z])\d{18}(?![0-9A-Z])")
_ELEVEN_DIGITS = re.compile(r"(?<![0-9A-Z])\d{11}(?![0-9A-Z])")
_LANDLINE = re.compile(r"(?<![0-9A-Z-])(?:\(0\d{2,3}\) ?|0\d{2,3}[- ])[2-8]\d{6,7}(?:-\d{1,6})?(?![0-9A-Z-])")
_CONTAINER = re.compile(r"(?<![0-9A-Z])[A-Z]{3}[UJZ][ -]?\d{6}[ -]?\d(?![0-9A-Z])")
_IPV4 = re.compile(r"(?:(?<![0-9.A-Z])|(?<=IP)|(?<=ADDR))(?:\d{1,3}\.){3}\d{1,3}(?![0-9.]*[0-9])(?![A-Z])")
_VERSION = re.compile(r"(?:版本|VERSION|VER|V|固件|升级)[^0-9]{0,4}$|[A-Z]{3}/$")
_MAC = re.compile(r"(?:(?<![0-9A-F:-])|(?<=MAC)|(?<=MAC[:-])|(?<=[^0-9A-F]:))(?:[0-9A-F]{2}[:-]){5}[0-9A-F]{2}(?![0-9A-F:-])")
_PLATE = re.compile(
    r"[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼使领][A-HJ-NP-Z][·• -]?"
    r"(?:[A-HJK][A-HJ-NP-Z0-9]\d{4}|\d{5}[A-HJK]|(?=[A-Z]{0,2}[0-9])[A-HJ-NP-Z0-9]{4}[A-HJ-NP-Z0-9挂学警港澳])(?![0-9A-Z])"
)
_HKID = re.compile(r"(?<![0-9A-Z])[A-Z]{1,2}\d{6}\([0-9A]\)")
_ADDRESS = re.compile(addresses.IN_TEXT)
_HOUSE = re.compile(addresses.HOUSE_OR_NUMBER)
_PAIR = re.compile(
    r"([A-Za-z_][A-Za-z0-9_]{0,29}(?:[ /][A-Za-z0-9_]{1,20}){0,3}|[A-Za-z_\u3400-\u9fff][A-Za-z0-9_\u3400-\u9fff]{0,29})"
    r"[\"' ]{0,2}[:=][\"' ]{0,2}([^\s,;|&\"'<>。，；]{1,79}[^\s,;|&\"'<>。，；.、])"
)
# a word and the number that follows it without a colon; kind -> pattern with the value as its group
_WORDS_BEFORE = {
    "passport": r"(?:护照|PASSPORT)[^0-9A-Z]{0,6}(?:NO\.? ?|NUMBER )?((?:[EG]|[A-Z]{1,2})\d{7,8}|1[45]\d{7})(?![0-9A-Z])",
    "hkmo_permit": r"(?:通行证|PERMIT)(?: NO\.?)?[^0-9A-Z]{0,6}([CW](?:\d{8}|[A-Z]\d{7}))(?![0-9A-Z])",
    "hr_permit": r"(?:通行证|回乡证|PERMIT)(?: NO\.?)?[^0-9A-Z]{0,6}([HM]\d{8}(?:\d{2})?)(?![0-9A-Z])",
    "tw_permit": r"(?:台胞证|台湾居民|TW PERMIT|MTP)(?: NO\.?)?[^0-9A-Z]{0,8}(\d{8})(?![0-9A-Z])",
    "cn_id15": r"(?:身份证|证件|ID ?CARD)(?: NO\.?)?[^0-9A-Z]{0,6}(\d{15})(?![0-9A-Z])",
    "hkid": r"(?:香港身份证|香港永久性?居民身份证|HKID|HONG KONG ID)[^0-9A-Z]{0,6}"
    r"([A-Z]{1,2}\d{6}(?:\([0-9A]\)|[0-9A]))(?![0-9A-Z])",
    "tax_no": r"(?:纳税人识别号|税号|TAX ?(?:NO\.?|ID|NUMBER))[^0-9A-Z]{0,6}([0-9A-Z]{15,20})(?![0-9A-Z])",
    "hs": r"(?:商品编[码号]|税则号列?|HS ?CODE|HS编码)[^0-9A-Z]{0,6}(\d{8}(?:\d{2})?(?:\d{3})?)(?![0-9A-Z])",
    "org_code": r"(?:组织机构代码|ORG(?:ANI[SZ]ATION)? ?CODE)[^0-9A-Z]{0,4}([0-9A-Z]{8}-?[0-9X])(?![0-9A-Z])",
    "customs_reg": r"(?:海关(?:注册|备案)?(?:编码|编号|登记)|经营单位(?:编码|代码)?|CUSTOMS (?:CODE|REG))[^0-9A-Z]{0,6}"
    r"(\d{4}[0-9A-Z]{6})(?![0-9A-Z])",
    "order_no": r"(?:订单编?号|交易流水号?|ORDER ?N[OUM.]{1,3})[^0-9A-Z]{0,4}([0-9A-Z_-]{8,60})(?![0-9A-Z])",
    "bill_no": r"(?:提运?单号?|运单编?号|B/L(?: ?NO\.?)?|AWB)[^0-9A-Z]{0,4}([0-9A-Z-]{6,35})(?![0-9A-Z])",
    "imo": r"IMO(?: ?NO)?[^0-9A-Z]{0,6}(\d{7})(?![0-9])",
    "mmsi": r"MMSI(?: ?NO)?[^0-9A-Z]{0,6}(\d{9})(?![0-9])",
    "landline": r"(?:电话|座机|传真|TEL|FAX)[^0-9A-Z]{0,4}(0\d{2,3}-?[2-8]\d{6,7})(?![0-9])",
    "credential": r"(?:密码|口令|密钥|PASSWORD|PASSWD|PWD|SECRET|API_?KEY|TOKEN)"
    r"(?: ?[是为:= ]+|(?<=[码令])(?!SM[234]|RSA|AES|SHA|MD5|DES)(?=[!-~]{0,20}[0-9])(?=[!-~]{6}))[\"']?([^\s\"',;。，；]{4,200})",
}
_AFTER_WORDS = {kind: re.compile(pattern) for kind, pattern in _WORDS_BEFORE.items()}
_ANY_WORD = re.compile(
    r"护照|PASSPORT|证|组织机构|海关|经营单位|税|商品编|单|流水|ORDER|B/L|AWB|IMO|MMSI|CARD|CODE|CUSTOMS|PERMIT|MTP|HKID|HONG|TAX|电话|座机|传真|TEL|FAX|密|口令|PASSW|PWD|SECRET|KEY|TOKEN"
)
_TITLES = "先生|女士|小姐|师傅|老师|太太|同志|阿姨|经理|主任|总监|队长|医生|警官|教授|司机"
_TITLE = re.compile(rf"([\u3400-\u9fff]{{1,3}})(?:{_TITLES})")
_TITLE_APART = re.compile(rf"(?<![\u3400-\u9fff])([\u3400-\u9fff]{{2,3}})[ ,，、]{{1,2}}(?:{_TITLES})")
_NAME_BY_LANDLINE = re.compile(
    r"(?<![\u3400-\u9fff])([\u3400-\u9fff]{2,4})[ ,，、;/|(-]{0,3}(?:电话|座机|TEL)?[ :]{0,2}"
    r"(?:\+?86[ -]?)?(?=\(?0\d{2,3}\)?[ -]?[2-8]\d{6})"
)
_NAME_WORD = re.compile(
    r"(?:姓名|联系人|收货人|收件人|发货人|寄件人|申报人员?|订购人|支付人|法人代表|法定代表人|经办人|负责人|客户|司机|货主|签收人|本人)"
    r"(?:姓名)?[是为叫]? ?[:=]? ?([\u3400-\u9fff]{2,4})(?![\u3400-\u9fff])"
)
# the same words in running text, where no sign ends the name: 联系人张三已签收
_VERBS = "已|于|来|要|说|在|称|的|签收|签字|电话|手机|确认|反馈|表示|申请|提出|办理|本人"
_NAME_BEFORE_VERB = re.compile(
    r"(?:姓名|联系人|收货人|收件人|发货人|寄件人|申报人员?|订购人|支付人|法人代表|法定代表人|经办人|负责人|客户|司机|货主|签收人)"
    rf"[是为叫]?[:=]? ?([\u3400-\u9fff](?:(?!{_VERBS})[\u3400-\u9fff]){{1,2}}?)(?={_VERBS})"
)
# a name right before a phone: 张三 13800138000, 李四，电话138...
_NAME_BY_PHONE = re.compile(
    r"(?<![\u3400-\u9fff])([\u3400-\u9fff]{2,4})[ ,，、;/|(-]{0,3}(?:电话|手机|TEL)?[ :]{0,2}"
    r"(?:\+?86[ -]?)?(?=1[3-9]\d{9}(?![0-9]))"
)
_NOT_NAMES = """方式 方面 方便 高度 高峰 周末 周期 周边 全部 安排 安全 康复 常年 钱款 路上 白天
金额 石料 任务 马上 江苏 高速 金融 白云 黄埔 江门 万元 毛重
高级 项目 总经 单位 客户 区域 常务 部门 程序 金牌 王牌
和 有 这 那 时 于 能 都 从 任 全 经 向 同 容 计 单 应 项 何 水 车 文 成"""
_NOT_A_NAME = frozenset(_NOT_NAMES.split())
# a folded text in which none of these comes up holds nothing that is looked for here
SUSPICIOUS = (
    r"[0-9]{6}[ \t\r\n-]{0,2}(?:18|19|20)[0-9]{2}[ \t\r\n-]{0,2}[01][0-9][ \t\r\n-]{0,2}[0-3][0-9]|"  # ids
    r"[0-9A-Z]{2}[0-9]{6}[0-9A-Z]{10}|[0-9]{4}-?20[0-9]{2}-?[IE01]-?[0-9]{9}|[0-9](?:[ -]?[0-9]){15}|"  # codes, lists, cards
    r"1[3-9][0-9](?:[ -]?[0-9]{4}){2}|0[0-9]{2,3}[)]?[ -]{0,2}[2-8][0-9]{6}|[A-Z]{3}[UJZ][ -]?[0-9]{6}|"  # phones, containers
    r"@|[0-9]\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]|[0-9A-F]{2}[:-][0-9A-F]{2}[:-][0-9A-F]{2}[:-]|[A-Z][0-9]{6}\(|"
    r"[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼使领][A-Z][·• -]?[0-9A-Z]{4}|"
    r"[路街道巷弄][^0-9]{0,3}[0-9]|[0-9][号栋幢室组]|"
    rf"{_TITLES}|姓名|联系人|收货人|收件人|发货人|寄件人|申报人|订购人|支付人|法人|代表人|经办人|负责人|客户|货主|签收人|本人|"
    r"护照|行证|乡证|台胞|台湾居民|身份证|证件|组织机构代码|海关注册|海关备案|海关编|经营单位|纳税人|税号|税则号|商品编|订单|"
    r"ID ?CARD|(?:ORG|ORGANI[SZ]ATION|CUSTOMS|HS) ?CODE|CUSTOMS REG|PERMIT|MTP|HKID|HONG KONG|TAX|"
    r"流水|提单|运单|密码|口令|密钥|电话|座机|传真|"
    r"PASS|PWD|SECRET|TOKEN|API_?KEY|ORDER ?N|AWB|B/L|IMO|MMSI|TEL|FAX|[:=]|^[\[{<]"
)
# a code without any sign or blank can only hide these: an id after letters, a phone after TEL
SUSPICIOUS_CODE = r"[0-9]{6}(?:18|19|20)[0-9]{2}[01][0-9][0-3][0-9][0-9]{3}[0-9X]|(?:TEL|PHONE|MOBILE|MOB)[0-9]*1[3-9][0-9]{9}"

# for whoever needs the places too (spans.py): patterns of folded text, whose finds the kind's check must confirm
PATTERNS = {
    "email": _EMAIL,
    "cn_id": _CN_ID,
    "uscc": _USCC,
    "ceb_invt_no": _LIST_NO,
    "entry_id": _ENTRY_ID,
    "bank_card": _CARD,
    "container": _CONTAINER,
    "mobile": _MOBILE,
    "landline": _LANDLINE,
    "hkid": _HKID,
    "plate": _PLATE,
    "ipv4": _IPV4,
    "mac": _MAC,
    "address": _ADDRESS,
}
AFTER_WORDS, ANY_WORD, PAIR, HOUSE, CARD_BINS = _AFTER_WORDS, _ANY_WORD, _PAIR, _HOUSE, _CARD_BINS


def names_in(text: str) -> Iterator[tuple[int, int]]:
    """Where names stand in a folded text: before a phone or a title, after a word such as 联系人."""
    for pattern in (_NAME_BY_PHONE, _NAME_BY_LANDLINE, _TITLE_APART):
        yield from (m.span(1) for m in pattern.finditer(text) if _is_common_name(m[1]))
    for match in _TITLE.finditer(text):
        if _name_before_title(match[1]):
            yield match.end(1) - _size_before_title(match[1]), match.end(1)
    yield from (m.span(1) for m in _NAME_WORD.finditer(text) if is_person_name(m[1]) and not is_organisation(m[1]))
    yield from (m.span(1) for m in _NAME_BEFORE_VERB.finditer(text) if _is_name_in_sentence(m[1]))


def _size_before_title(characters: str) -> int:
    """How many of the characters before a title are the name: from the first that can be a family name."""
    compound = surnames()[1]
    for size in range(len(characters), 0, -1):
        if characters[-size] in commonest() or characters[-size:][:2] in compound:
            return size
    return len(characters)


def scan(text: str) -> Found:
    """Kinds and how often each was found. `KIND?` counts the things that look like KIND (see CHANCE), found or not."""
    found: Found = Counter()
    if ":" in text or "=" in text or "：" in text or "＝" in text:
        text = _take_pairs(text, found)
    text = folded(text)
    by_phone = sum(_is_common_name(m[1]) for m in _NAME_BY_PHONE.finditer(text))
    if by_phone:
        found["name"] += by_phone
    if "@" in text:
        text = _take(text, _EMAIL, "email", found)
    if _DIGIT.search(text):
        text = _take_numbers(text, found)
    if _ANY_WORD.search(text):
        for kind, pattern in _AFTER_WORDS.items():
            text = _take_groups(text, pattern, kind, found)
    if not text.isascii():
        if _HOUSE.search(text):
            text = _take(text, _ADDRESS, "address", found)
        _count_names(text, found)
    return found


def _take(text: str, pattern: re.Pattern[str], kind: str, found: Found) -> str:
    """The text without what the pattern found and the kind's check confirmed."""
    if not pattern.search(text):
        return text
    separators = all_kinds()[kind].separators

    def replace(match: re.Match[str]) -> str:
        if kind == "ipv4" and _VERSION.search(text, max(0, match.start() - 10), match.start()):
            return match[0]
        if kind not in _SURE and not checks.passes_check(kind, folded(match[0], separators)):
            return match[0]
        found[kind] += 1
        return " "

    return pattern.sub(replace, text)


def _take_numbers(text: str, found: Found) -> str:
    longest = max(map(_digits_in, _RUN.findall(text)), default=0)
    if longest >= 6:  # N2 440101 MF…: a credit code may begin with two letters
        text = _take_long_numbers(text, longest, found)
    if longest >= 6:
        text = _take(text, _HKID, "hkid", found)
    if not text.isascii():
        text = _take(text, _PLATE, "plate", found)
    if text.count(".") >= 3:
        text = _take(text, _IPV4, "ipv4", found)
    return _take(text, _MAC, "mac", found) if text.count(":") >= 5 or text.count("-") >= 5 else text


def _digits_in(run: str) -> int:
    return len(run) if run.isdigit() else sum(c.isdigit() for c in run)


def _take_long_numbers(text: str, longest: int, found: Found) -> str:
    """`longest`: digits of the longest number, gaps left out."""
    if longest >= 17:
        text = _take(text, _CN_ID, "cn_id", found)
    if longest >= 6:
        text = _take_weighed(text, _USCC, _USCC, "uscc", found)
    if longest >= 9:
        text = _take(text, _LIST_NO, "ceb_invt_no", found)
    if longest >= 18:
        text = _take_weighed(text, _ENTRY_ID, _EIGHTEEN_DIGITS, "entry_id", found)
    if longest >= 16:
        text = _take_cards(text, found)
    text = _take_weighed(text, _CONTAINER, _CONTAINER, "container", found)
    if longest >= 11:
        text = _take_weighed(text, _MOBILE, _ELEVEN_DIGITS, "mobile", found)
    return _take(text, _LANDLINE, "landline", found)


def _take_weighed(text: str, pattern: re.Pattern[str], alike: re.Pattern[str], kind: str, found: Found) -> str:
    """As `_take`, and counts all that looks like the kind: many numbers of that length pass by chance."""
    looks_alike = len(alike.findall(text))
    if looks_alike:
        found[kind + CHANCE] += looks_alike
    return _take(text, pattern, kind, found)


def _take_cards(text: str, found: Found) -> str:
    """Luhn alone passes one in ten: beside a word for cards a number counts at once, else the share decides."""

    def replace(match: re.Match[str]) -> str:
        digits = folded(match[0], separators=True)
        beside_word = _CARD_WORDS.search(text, max(0, match.start() - 16), match.start())
        if not beside_word:
            found["bank_card" + CHANCE] += 1
        if not (_CARD_BINS.match(digits) and checks.bank_card(digits)):
            return match[0]
        found["bank_card" if beside_word else "bank_card" + CHANCE + CHANCE] += 1
        return " "

    return _CARD.sub(replace, text)


def _take_groups(text: str, pattern: re.Pattern[str], kind: str, found: Found) -> str:
    def replace(match: re.Match[str]) -> str:
        if not checks.is_valid(kind, match[1]):
            return match[0]
        found[kind] += 1
        return " "

    return pattern.sub(replace, text)


def _take_pairs(text: str, found: Found) -> str:
    """`联系人：张三`, `tel=138…`: the word before the sign is read like a column's name."""
    spelt = text.replace("：", ":").replace("＝", "=")

    def replace(match: re.Match[str]) -> str:
        kind = kind_of_pair(match[1], match[2])
        if kind:
            found[kind] += 1
        return " " if kind else match[0]

    return _PAIR.sub(replace, spelt)


def kind_of_pair(key: str, value: str) -> str:
    """The kind that the key hints at and the value fits; empty where there is none."""
    hints = name_hints(key)
    if not hints:
        return ""
    for kind, strength in hints.items():
        if kind == "name":
            if strength == STRONG and checks.is_valid("name", value) and not is_organisation(folded(value)):
                return kind
        elif strength == STRONG and checks.is_valid(kind, value):
            return kind
    return ""


def _count_names(text: str, found: Found) -> None:
    names = sum(_name_before_title(m[1]) for m in _TITLE.finditer(text))
    names += sum(is_person_name(m[1]) and not is_organisation(m[1]) for m in _NAME_WORD.finditer(text))
    names += sum(_is_name_in_sentence(m[1]) for m in _NAME_BEFORE_VERB.finditer(text))
    if names:
        found["name"] += names


def _is_common_name(text: str) -> bool:
    """A name with one of the commonest family names (or one of two characters), and no usual noun."""
    if text[:2] in _NOT_A_NAME or not is_person_name(text) or is_organisation(text):
        return False
    return (text[0] in commonest() and text[-1] not in NOUN_ENDINGS) or text[:2] in surnames()[1]


def _is_name_in_sentence(text: str) -> bool:
    return text[0] not in _NOT_A_NAME and _is_common_name(text)


def _name_before_title(characters: str) -> bool:
    """Does the end of the characters before a title read as a name? 王先生, 请联系李明先生; not 项目经理, 高级经理."""
    if characters[-2:] in _NOT_A_NAME or characters in _NOT_A_NAME:
        return False
    compound = surnames()[1]
    if characters[-2:] in compound or characters[:2] in compound:
        return True
    return any(
        characters[-size] in commonest() and characters[-size] not in _NOT_A_NAME for size in range(1, len(characters) + 1)
    )
