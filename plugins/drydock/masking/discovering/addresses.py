"""Postal addresses: told by their divisions (province, city, district) and their roads and houses."""

from __future__ import annotations

import re

_HAN = r"\u3400-\u9fff"
_DIVISION = "(?:省|自治区|特别行政区|市|自治州|地区|盟|区|县|旗|镇|乡|街道|村)"
_ROAD = "(?:路|街|大道|道|巷|弄|里|胡同|公路)"
_HOUSE = "(?:[0-9一二三四五六七八九十百甲乙]+(?:号|栋|幢|座|室|楼|层|单元|组|队|弄|门|村|房))"
_SITE = "(?:小区|花园|大厦|广场|公寓|工业园|园区|村|庄|社区|苑|城|楼)"
# a division, then a road, a house or a building; or a road with its number. Bounded, so that long texts stay cheap.
CHINESE = (
    rf"[{_HAN}]{{2,12}}{_DIVISION}[{_HAN}0-9A-Z()#、,. -]{{0,40}}?(?:[{_HAN}0-9]{{1,12}}{_ROAD}|{_HOUSE}|[{_HAN}]{{2,8}}{_SITE})"
    rf"|[{_HAN}]{{1,12}}(?:路|街|大道|巷|弄|胡同)[{_HAN}]{{0,3}}[0-9]+(?:-[0-9]+)?号"
)
# inside other text only what cannot be anything else: a road or place with a house number
IN_TEXT = (
    rf"[{_HAN}]{{2,12}}{_DIVISION}[{_HAN}0-9A-Z()#-]{{0,30}}?(?:{_ROAD}[{_HAN}]{{0,3}}[0-9]|{_HOUSE})"
    rf"|[{_HAN}]{{2,12}}(?:路|街|大道|巷|弄|胡同)[0-9]+(?:-[0-9]+)?号"
)
# whatever IN_TEXT finds has one of these, and looking for them is cheap
HOUSE_OR_NUMBER = rf"{_HOUSE}|(?:路|街|道|巷|弄|里|胡同|公路)[{_HAN}]{{0,3}}[0-9]"
ENGLISH = (
    r"\b[0-9]+[A-Z]?(?:-[0-9]+)?,? +(?:[A-Z0-9.']+ +){1,4}(?:ROAD|RD|STREET|ST|AVENUE|AVE|LANE|DRIVE|BOULEVARD|BLVD)\b"
    r"|\b(?:ROAD|RD|STREET|AVENUE|AVE)\b.{0,40}\b(?:DISTRICT|CITY|PROVINCE|TOWN|CHINA)\b"
)
ADDRESS = f"{CHINESE}|{ENGLISH}"
_ADDRESS = re.compile(ADDRESS)
_FIRM = re.compile("(?:公司|集团|厂|店|行|部|中心)$")


def is_address(text: str) -> bool:
    """True where a division is followed by a road, a house or the like, or a road by its number; not for a firm's name."""
    return bool(_ADDRESS.search(text)) and not (_FIRM.search(text) and not any(c.isdigit() for c in text))
