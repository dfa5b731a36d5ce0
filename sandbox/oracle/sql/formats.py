"""Format models of dates and numbers (SQL Language Reference 19c, "Format Models"): TO_CHAR, TO_DATE, TRUNC units."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from decimal import ROUND_HALF_UP, Decimal, localcontext

from sandbox.oracle.backend import OracleError
from sandbox.oracle.sql.compiler import Compiler
from sandbox.oracle.sql.errors import unsupported
from sandbox.oracle.sql.kinds import Expr, Kind, quote

DEFAULTS = {
    "NLS_DATE_FORMAT": "DD-MON-RR",
    "NLS_TIMESTAMP_FORMAT": "DD-MON-RR HH.MI.SSXFF AM",
    "NLS_TIMESTAMP_TZ_FORMAT": "DD-MON-RR HH.MI.SSXFF AM TZR",
}
ELEMENTS = re.compile(
    r'"[^"]*"|FM|FX|YYYY|RRRR|SYYYY|YY|RR|MONTH|MON|MM|DDD|DD|DAY|DY|D|HH24|HH12|HH|MI|SSSSS|SS|FF[1-9]?|X|AM|PM|A\.M\.|P\.M\.'
    r"|TZH|TZM|TZR|IYYY|IW|WW|Q|J|[-/,.;: T]|[^A-Za-z0-9\"]",
    re.IGNORECASE,
)
STRFTIME = {
    "YYYY": "%Y", "RRRR": "%Y", "YY": "%y", "RR": "%y", "MM": "%m", "DD": "%d", "DDD": "%j",
    "HH24": "%H", "HH12": "%I", "HH": "%I", "MI": "%M", "SS": "%S", "FF": "%f", "FF6": "%f", "FF3": "%g",
    "IYYY": "%G", "IW": "%V", "AM": "%p", "PM": "%p", "X": ".",
}  # fmt: skip
NAMES = {"MON": "%b", "MONTH": "%B", "DY": "%a", "DAY": "%A"}
MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
LONG_MONTHS = [
    "JANUARY",
    "FEBRUARY",
    "MARCH",
    "APRIL",
    "MAY",
    "JUNE",
    "JULY",
    "AUGUST",
    "SEPTEMBER",
    "OCTOBER",
    "NOVEMBER",
    "DECEMBER",
]
WIDTH = {"MONTH": 9, "DAY": 9}
UNITS = {
    "DD": "day", "DDD": "day", "J": "day", "MM": "month", "MON": "month", "MONTH": "month", "RM": "month", "YYYY": "year",
    "YEAR": "year", "SYYYY": "year", "YY": "year", "Y": "year", "Q": "quarter", "HH": "hour", "HH24": "hour", "HH12": "hour",
    "MI": "minute", "IW": "week", "CC": "century", "SS": "second",
}  # fmt: skip


def nls_format(c: Compiler, kind: Kind) -> str:
    """The session's default format model of a kind of time."""
    name = {Kind.TS: "NLS_TIMESTAMP_FORMAT", Kind.TZ: "NLS_TIMESTAMP_TZ_FORMAT"}.get(kind, "NLS_DATE_FORMAT")
    return getattr(c.session.backend, "settings", {}).get(name, DEFAULTS[name])


def elements(model: str) -> list[str]:
    """The parts of a date format model; ORA-01821 where one is none."""
    found, at = [], 0
    while at < len(model):
        part = ELEMENTS.match(model, at)
        if not part:
            raise OracleError(1821, "date format not recognized")
        found.append(part[0])
        at = part.end()
    return found


def cased(element: str, sql: str) -> str:
    """MON, Mon and mon print JAN, Jan and jan."""
    return f"upper({sql})" if element.isupper() else f"lower({sql})" if element.islower() else sql


def printed(element: str, sql: str, is_filled: bool, zone: str) -> str:
    """One element of a format model as engine SQL over the time `sql`."""
    word = element.upper()
    if element.startswith('"'):
        return quote(element[1:-1])
    if word in NAMES:
        name = cased(element, f"strftime({sql}, '{NAMES[word]}')")
        return f"rpad({name}, {WIDTH[word]}, ' ')" if word in WIDTH and is_filled else name
    if word in STRFTIME and word != "X":
        text = f"strftime({sql}, '{STRFTIME[word]}')"
        if word in ("AM", "PM"):
            return cased(element, text)
        return text if is_filled or word.startswith("FF") else f"coalesce(nullif(ltrim({text}, '0'), ''), '0')"
    computed = {
        "Q": f"CAST(quarter({sql}) AS VARCHAR)",
        "D": f"CAST(dayofweek({sql}) + 1 AS VARCHAR)",
        "WW": f"lpad(CAST((dayofyear({sql}) - 1) // 7 + 1 AS VARCHAR), 2, '0')",
        "J": f"CAST(date_diff('day', DATE '2000-01-01', CAST({sql} AS DATE)) + 2451545 AS VARCHAR)",
        "SSSSS": f"lpad(CAST(CAST(epoch({sql}) AS BIGINT) % 86400 AS VARCHAR), 5, '0')",
        "X": "'.'",
    }
    if word in computed:
        return computed[word]
    if word in ("TZH", "TZM", "TZR"):
        return f"ora_zone({sql}, {quote(zone)}, '{word}')"
    if len(element) == 1 and not element.isalnum():
        return quote(element)
    raise unsupported(f"the date format element {element}")


def date_text(c: Compiler, expr: Expr, model: str) -> Expr:
    """TO_CHAR(date, model). An instant prints as local time of its own zone."""
    from sandbox.oracle.sql.conversion import local

    wall = local(c, expr)
    parts, is_filled = [], True
    for element in elements(model):
        if element.upper() == "FM":
            is_filled = not is_filled
        elif element.upper().startswith("TZ"):
            if expr.kind is not Kind.TZ:
                raise OracleError(1821, "date format not recognized")
            parts.append(printed(element, expr.sql, is_filled, expr.zone or c.database.time_zone))
        else:
            parts.append(printed(element, wall.sql, is_filled, ""))
    return Expr(f"nullif({' || '.join(parts) or quote('')}, '')", Kind.STR, max(len(model) * 2, 20))


FIVE, FOUR, THREE, TWO = ("SSSSS",), ("YYYY", "RRRR"), ("DDD",), ("YY", "RR", "MM", "DD", "HH24", "HH12", "HH", "MI", "SS")
DIGITS = {word: count for count, words in ((5, FIVE), (4, FOUR), (3, THREE), (2, TWO)) for word in words}
HALF_DAY = (1, 12, 1849, "hour must be between 1 and 12")
LIMITS = {
    "MM": (1, 12, 1843, "not a valid month"),
    "HH24": (0, 23, 1850, "hour must be between 0 and 23"),
    "HH12": HALF_DAY,
    "HH": HALF_DAY,
    "MI": (0, 59, 1851, "minutes must be between 0 and 59"),
    "SS": (0, 59, 1852, "seconds must be between 0 and 59"),
}


def take_number(word: str, text: str) -> tuple[int, str]:
    digits = re.match(rf"\d{{1,{DIGITS[word]}}}", text)
    if not digits:
        raise OracleError(1858, "a non-numeric character was found where a numeric was expected")
    value = int(digits[0])
    if word in LIMITS:
        low, high, code, message = LIMITS[word]
        if not low <= value <= high:
            raise OracleError(code, message)
    return value, text[digits.end() :]


def take_month(text: str) -> tuple[int, str]:
    for names in (LONG_MONTHS, MONTHS):
        for n, name in enumerate(names, 1):
            if text.upper().startswith(name):
                return n, text[len(name) :]
    raise OracleError(1843, "not a valid month")


def take_zone(text: str) -> tuple[timezone, str]:
    offset = re.match(r"([+-]?)(\d{1,2})(?::?(\d{2}))?", text)
    if not offset:
        raise unsupported("a zone name in a timestamp's text")
    span = timedelta(hours=int(offset[2]), minutes=int(offset[3] or 0))
    return timezone(-span if offset[1] == "-" else span), text[offset.end() :]


def full_year(word: str, value: int, now: datetime) -> int:
    """Two digits: YY in this century, RR in the nearer one (RR rules of the manual)."""
    if value > 99 or word == "YYYY":
        return value
    century = now.year // 100 * 100
    if word == "YY":
        return century + value
    if now.year % 100 < 50:
        return century + value - (100 if value >= 50 else 0)
    return century + value + (100 if value < 50 else 0)


def read_element(element: str, text: str, found: dict[str, object], now: datetime) -> str:
    """Takes one element off the text; returns what is left."""
    word = element.upper()
    if word in DIGITS:
        value, rest = take_number(word, text)
        key = {"YYYY": "year", "RRRR": "year", "YY": "year", "RR": "year", "HH24": "hour", "HH12": "half", "HH": "half"}.get(
            word, word
        )
        found[key] = full_year(word, value, now) if key == "year" else value
        return rest
    if word in ("MON", "MONTH"):
        found["MM"], rest = take_month(text)
        return rest.lstrip() if word == "MONTH" else rest
    if word.startswith("FF"):
        digits = re.match(r"\d*", text)[0]
        found["micro"] = int(f"{digits:0<6}"[:6] or 0)
        return text[len(digits) :]
    if word in ("AM", "PM"):
        if text[:2].upper() not in ("AM", "PM"):
            raise OracleError(1855, "AM/A.M. or PM/P.M. required")
        found["pm"] = text[:2].upper() == "PM"
        return text[2:]
    if word in ("TZH", "TZR"):
        found["zone"], rest = take_zone(text)
        return rest
    if word in ("TZM", "FM", "FX"):
        return text
    return read_separator(element, text)


def read_separator(element: str, text: str) -> str:
    literal = element[1:-1] if element.startswith('"') else element
    if literal.upper() == "X":
        return text[1:] if text[:1] in (".", ",") else text
    if element.startswith('"') or literal.isalpha():
        if not text.upper().startswith(literal.upper()):
            raise OracleError(1861, "literal does not match format string")
        return text[len(literal) :]
    return text[1:] if text and not text[0].isalnum() else text


def parse_date(text: str, model: str, now: datetime) -> datetime:
    """TO_DATE: missing parts are the first of the current month, midnight; aware where the model has a zone."""
    found: dict[str, object] = {}
    rest = text.strip()
    for element in elements(model):
        if not rest:
            if element.upper() in ("MM", "DD", "YYYY", "MON", "RR", "YY"):
                raise OracleError(1840, "input value not long enough for date format")
            continue
        rest = read_element(element, rest, found, now)
    if rest.strip():
        raise OracleError(1830, "date format picture ends before converting entire input string")
    return assembled(found, now)


def assembled(found: dict, now: datetime) -> datetime:
    hour = found.get("hour", 0)
    if "half" in found:
        hour = found["half"] % 12 + (12 if found.get("pm") else 0)
    year = found.get("year", now.year)
    if "DDD" in found:
        start = datetime(year, 1, 1) + timedelta(days=found["DDD"] - 1)
        found = {**found, "MM": start.month, "DD": start.day}
    try:
        value = datetime(year, found.get("MM", now.month), found.get("DD", 1), hour, found.get("MI", 0), found.get("SS", 0))
    except ValueError:
        raise OracleError(1839 if found.get("DD", 1) <= 31 else 1847, "date not valid for month specified") from None
    if "SSSSS" in found:
        value += timedelta(seconds=found["SSSSS"])
    value = value.replace(microsecond=found.get("micro", 0))
    return value.replace(tzinfo=found["zone"]) if "zone" in found else value


def number_text(value: Decimal) -> str:
    """A number as Oracle prints it: no leading zero before the point, no trailing zeros."""
    text = f"{value:f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return re.sub(r"^(-?)0\.", r"\1.", text) or "0"


NUMBER_MODEL = re.compile(r"(FM)?(\$?)([09,G]*)(?:([.D])([09]*))?(MI|PR|S)?$", re.IGNORECASE)


def formatted_number(value: Decimal, model: str) -> str:
    """TO_CHAR(number, model) for 0, 9, comma, point, G, D, FM, $ and a leading S; `#` where the number does not fit."""
    sign_first = model[:1].upper() == "S"
    shape = NUMBER_MODEL.match(model[1:] if sign_first else model)
    if not shape or (shape[6] and not sign_first):
        raise unsupported(f"the number format {model}")
    fill, dollar, whole, point, fraction, _ = shape.groups()
    with localcontext() as context:
        context.prec = 60
        rounded = value.quantize(Decimal(1).scaleb(-len(fraction or "")), ROUND_HALF_UP)
    digits, _, decimals = f"{abs(rounded):f}".partition(".")
    width = len(re.sub("[,G]", "", whole, flags=re.IGNORECASE))
    digits = digits.lstrip("0")
    if len(digits) > width:
        return "#" * (len(model) + (not sign_first))
    body = grouped(digits, whole)
    if not digits and not fraction and "0" not in whole:
        body = body[:-1] + "0"
    if fill and point:
        kept = len(fraction.rstrip("9")) if "0" in fraction else 0
        decimals = decimals[:kept] + decimals[kept:].rstrip("0")
    text = (dollar + body.lstrip()).rjust(len(dollar + whole)) + ("." + decimals if point else "")
    sign = "-" if rounded < 0 else "+" if sign_first else " "
    text = (sign + text.lstrip()).rjust(len(text) + 1)
    return text.strip() if fill else text


def grouped(digits: str, whole: str) -> str:
    """Digits laid under the whole part of a model, from the right; commas only between digits."""
    out, left = [], list(digits)
    zeros_from = whole.find("0")
    for place in range(len(whole) - 1, -1, -1):
        mark = whole[place]
        must = zeros_from != -1 and place >= zeros_from
        if mark in ",Gg":
            out.append("," if left or (must and zeros_from < place) else " ")
        else:
            out.append(left.pop() if left else "0" if must else " ")
    return "".join(reversed(out))
