"""Postal addresses: told by their divisions (province, city, district) and their roads and houses."""

from __future__ import annotations

import re

DIVISION = r"(?:省|自治区|特别行政区|市|自治州|地区|盟|区|县|旗|镇|乡|街道)"
PLACE = r"(?:路|街|道|大道|巷|弄|里|村|庄|屯|组|队|号|栋|幢|座|室|楼|层|单元|小区|花园|大厦|广场|公寓|工业园|园区)"
_DIVIDED = rf"[\u3400-\u9fff]{{2,}}{DIVISION}.*[\u3400-\u9fff0-9A-Z]+{PLACE}"
_ADDRESS = re.compile(rf"{_DIVIDED}|[\u3400-\u9fff]{{1,12}}(?:路|街|大道|巷|弄)\d+号")


def is_address(text: str) -> bool:
    """True where a division is followed by a road, a house or the like, or a road by its number."""
    return bool(_ADDRESS.search(text))
