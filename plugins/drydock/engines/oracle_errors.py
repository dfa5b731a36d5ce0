"""What an Oracle error means: classed by its number, wrappers by the code behind them.

The table is `include/oracle/errors.json`. The driver gives many numbers one code of its own (ORA-00600 and ORA-03113
both come as DPY-4011, which it calls recoverable), so the number that the server sent, `error.code`, decides first
(python-oracledb 26.1, errors.py; User Guide, Catching Exceptions).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from functools import cache
from typing import Any

import oracledb

from drydock import settings
from drydock.engines.errors import UNKNOWN, ErrorClass

# lines that only tell where or under what the cause came up (Error Messages 19c; Backup and Recovery User's Guide, ch. 23)
WRAPPERS = frozenset(
    {
        *("ORA-00603", "ORA-00604", "ORA-04088", "ORA-06512", "ORA-12801"),
        *("RMAN-00569", "RMAN-00571", "RMAN-03002", "RMAN-03009", "RMAN-03015", "RMAN-05501", "RMAN-06026"),
        *("DPY-4011", "DPY-6000", "DPY-6005"),
    }
)
# refusals before the driver has sent a password, thin and thick: trying again locks no account
BEFORE_LOGON = frozenset(
    {
        *("DPY-6000", "DPY-6001", "DPY-6003", "DPY-6005", "DPY-4005"),
        *("ORA-12170", "ORA-12514", "ORA-12516", "ORA-12528", "ORA-12541"),
    }
)
_CODE = re.compile(r"\b(ORA|RMAN|DPY|TNS|LRM)-(\d{4,5})\b")


@cache
def error_classes() -> dict[str, ErrorClass]:
    """The classes by code: 'ORA-00054' and so on. Raises OSError, ValueError for a damaged file."""
    text = (settings.include_dir() / "oracle" / "errors.json").read_text(encoding="utf-8")
    return {code: ErrorClass(kind=entry["class"], retry=bool(entry["retry"])) for code, entry in json.loads(text).items()}


def code_of(error: BaseException) -> str:
    """The code that decides: 'ORA-00600', 'DPY-6005', ..., or '' for what is no error of the driver."""
    codes = codes_of(error)
    return _decisive(codes) or (codes[0] if codes else "")


def codes_of(error: BaseException) -> list[str]:
    """All codes that an error carries: the server's number first, then those of its text in order, then the driver's."""
    told = error.args[0] if error.args else error
    number, full = getattr(told, "code", 0), str(getattr(told, "full_code", ""))
    first = [f"ORA-{number:05d}"] if isinstance(number, int) and number > 0 else []
    text = str(getattr(told, "message", "") or "") if isinstance(error, oracledb.Error) or first or full else ""
    own = [full] if full else []
    return list(dict.fromkeys([*first, *codes_in(text), *own]))


def codes_in(text: str) -> list[str]:
    """The codes that a text names, in order, each once."""
    return list(dict.fromkeys(f"{kind}-{number}" for kind, number in _CODE.findall(text)))


def classify(error: BaseException) -> ErrorClass:
    """What an error means: `error.code` decides, a wrapper by the code behind it; UNKNOWN for what the table lacks."""
    return classify_codes(codes_of(error))


def classify_codes(codes: Iterable[str]) -> ErrorClass:
    """The class of a stack of codes, outermost first: the first that is no wrapper decides."""
    found = list(codes)
    decisive = _decisive(found)
    if decisive:
        return error_classes().get(decisive, UNKNOWN)
    return next((error_classes()[code] for code in found if code in error_classes()), UNKNOWN)


def may_log_on_again(error: BaseException) -> bool:
    """True for a refusal that came before any password was sent and that passes: a listener that is not there yet.

    A logon that failed is never tried again, since that locks accounts; so a connection cut meanwhile is not either.
    """
    told: Any = error.args[0] if error.args else error
    return str(getattr(told, "full_code", "")) in BEFORE_LOGON and classify(error).retry


def may_ask_again(error: BaseException) -> bool:
    """True where a read may be asked once more. What ran past its own limit is not: it would run past it again."""
    return classify(error).retry and code_of(error) != "DPY-4024"


def _decisive(codes: Iterable[str]) -> str:
    """The first code that is no wrapper. A bare driver code of a wrapper is passed over while another code is known."""
    return next((code for code in codes if code not in WRAPPERS), "")
