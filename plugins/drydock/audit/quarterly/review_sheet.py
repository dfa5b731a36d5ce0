"""The work-off queue as a .xlsx that people fill in, and what they filled in read back: all of it, or every error at once.

Three columns are for people: the word (chosen from a list), the reason, and the last day of an exception. All other cells of a
row say what is judged. A row is known by its pattern, and what it says is compared with the queue: a sheet in which one column
was sorted alone, or rows of another database were pasted, is refused.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice
from pathlib import Path
from typing import BinaryIO
from zoneinfo import ZoneInfo

from openpyxl import Workbook, load_workbook
from openpyxl.cell import Cell
from openpyxl.styles import Alignment, Font, PatternFill, Protection
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from drydock.audit.detection.rules import load_rules
from drydock.audit.quarterly.review import word_on
from drydock.audit.results import NOT_LISTED, Disposal, QueueItem, Review
from drydock.problems import ConfigurationError
from drydock.reporting.audit_evidence import evidence_text
from drydock.reporting.document import Language, strip_controls
from drydock.reporting.words import word
from drydock.reporting.xlsx_writer import LONGEST_CELL, put_text
from drydock.verdicts import clean_text

SHEET, CHOICES = "review", "choices"
FORM = "drydock-audit-review/1"
LARGEST_BYTES = 32 * 1024 * 1024
LARGEST_UNPACKED_BYTES = 512 * 1024 * 1024
MOST_ROWS = 20_000
LOCAL = ZoneInfo("Asia/Shanghai")
LONGEST_REASON = 500
HEAD_ROW = 4
NOT_LISTED_WHY = "未列出的命中不能由一句话结案，先处理已列出的。Hits that nobody sees are closed by no word: first those listed"
WORDS: dict[Disposal, dict[Language, str]] = {
    Disposal.NORMAL: {"zh": "正常业务", "en": "normal business"},
    Disposal.EXCEPTION: {"zh": "经批准的例外", "en": "approved exception"},
    Disposal.INCIDENT: {"zh": "安全事件", "en": "incident"},
}
COLUMNS: tuple[tuple[str, str, str, int], ...] = (
    ("pattern", "模式", "pattern", 19),
    ("kind", "类别", "kind", 9),
    ("severity", "风险", "risk", 9),
    ("rule", "规则", "rule", 24),
    ("rule_name", "规则名称", "name of the rule", 24),
    ("account", "账号", "account", 16),
    ("program", "程序", "program", 20),
    ("client", "客户端", "client", 18),
    ("os_user", "操作系统用户", "OS user", 14),
    ("action", "操作", "action", 16),
    ("object", "对象", "object", 26),
    ("fingerprint", "语句指纹", "fingerprint", 19),
    ("text", "语句（字面值已去除）", "statement (without literals)", 60),
    ("records", "记录数", "records", 10),
    ("occasions", "天数", "days", 8),
    ("first_at", "首次", "first", 17),
    ("last_at", "末次", "last", 17),
    ("evidence", "依据", "evidence", 50),
    ("earlier", "已有结论", "earlier word", 30),
    ("disposal", "结论（选择）", "word (choose)", 16),
    ("reason", "理由（必填）", "reason (needed)", 40),
    ("until", "例外有效期至", "exception until", 16),
)
KEYS = tuple(column[0] for column in COLUMNS)
IDENTITY = ("kind", "rule", "account", "program", "client", "os_user", "action", "object", "fingerprint", "text")
"""What a person judged: these cells must be as they were written. Counts and times may have grown since."""
_EMPTY = (None, "")
_DATE = re.compile(r"\s*(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?\s*\Z")
_FILL = PatternFill("solid", fgColor="FFF9DB")
_HEAD = PatternFill("solid", fgColor="D9D9D9")


@dataclass(frozen=True, order=True)
class SheetProblem:
    """One wrong cell; `row` 0 speaks of the whole sheet."""

    sheet: str
    row: int
    column: str
    found: str
    fix: str

    def __str__(self) -> str:
        place = f"{self.sheet}!{self.column}{self.row}" if self.row else self.sheet
        return f"{place}: found {self.found}; {self.fix}"


class SheetError(ValueError):
    """The sheet cannot be taken; `problems` holds everything that is wrong with it. Nothing of it counts."""

    def __init__(self, problems: Iterable[SheetProblem]) -> None:
        self.problems = tuple(sorted(set(problems)))
        super().__init__("\n".join(map(str, self.problems)))


def write_sheet(
    items: Sequence[QueueItem],
    path: Path,
    reviews: Mapping[str, Review] | None = None,
    today: date | None = None,
    zone: ZoneInfo = LOCAL,
    language: Language = "zh",
) -> int:
    """Write the queue for people; returns how many of its items the sheet holds, at most as many as can be read back.

    Texts are stored as texts: a name that begins like a formula is shown and never computed.
    """
    items = items[: MOST_ROWS - HEAD_ROW]
    book = Workbook()
    sheet = book.active
    sheet.title = SHEET
    _write_head(sheet, items, language)
    names = _rule_names(language)
    for number, item in enumerate(items, start=HEAD_ROW + 1):
        review = word_on(item, reviews or {}, today) if today else (reviews or {}).get(item.pattern)
        _write_row(sheet, number, item, review, zone, language, names.get(item.rule, ""))
    _offer_choices(book, sheet, len(items), language)
    sheet.freeze_panes = f"B{HEAD_ROW + 1}"
    sheet.auto_filter.ref = f"A{HEAD_ROW}:{get_column_letter(len(KEYS))}{HEAD_ROW + max(len(items), 1)}"
    aside = path.with_name(f".{path.name}.part")
    book.save(aside)
    aside.chmod(0o640)
    aside.replace(path)
    return len(items)


def _write_head(sheet: Worksheet, items: Sequence[QueueItem], language: Language) -> None:
    databases = sorted({item.database for item in items})
    told = (
        "审计待核队列：请填写最后三列。结论从下拉列表选择；选“经批准的例外”须填有效期。不要改动其他单元格，不要单独给一列排序。",
        "Audit work-off queue: fill in the last three columns. An approved exception needs its last day. Leave all other cells.",
    )[language == "en"]
    for row, text in enumerate((FORM, " ".join(databases), told), start=1):
        put_text(sheet.cell(row, 1), text)
    for number, (_, zh, en, width) in enumerate(COLUMNS, start=1):
        cell = sheet.cell(HEAD_ROW, number)
        put_text(cell, zh if language == "zh" else en)
        cell.font, cell.fill = Font(bold=True), _HEAD
        cell.alignment = Alignment(wrap_text=True, vertical="center")
        sheet.column_dimensions[get_column_letter(number)].width = width


def _rule_names(language: Language) -> dict[str, str]:
    """What people call the rules; a broken file of a rule hides names and no queue."""
    try:
        return {rule.id: rule.name_zh if language == "zh" else rule.name_en for rule in load_rules()}
    except ConfigurationError:
        return {}


def _write_row(
    sheet: Worksheet, number: int, item: QueueItem, review: Review | None, zone: ZoneInfo, language: Language, rule_name: str
) -> None:
    told: dict[str, str | int | datetime] = {name: _identity(item, name) for name in ("pattern", *IDENTITY)}
    told |= {
        "severity": word(f"ar_severity_{item.severity.value}", language),
        "rule_name": rule_name,
        "records": item.records,
        "occasions": item.occasions,
    }
    told |= {name: getattr(item, name).astimezone(zone).replace(tzinfo=None) for name in ("first_at", "last_at")}
    told["evidence"] = evidence_text(item.evidence, language) if item.evidence else ""
    told["earlier"] = _earlier(review, language)
    for place, key in enumerate(KEYS, start=1):
        cell, value = sheet.cell(number, place), told.get(key, "")
        if isinstance(value, str):
            put_text(cell, str(strip_controls(value)))
        else:
            cell.value = value
            cell.number_format = "yyyy-mm-dd hh:mm" if isinstance(value, datetime) else "#,##0"
        cell.alignment = Alignment(vertical="top", wrap_text=key in ("text", "evidence", "earlier", "reason"))
        if key in ("disposal", "reason", "until"):
            cell.value, cell.fill, cell.protection = None, _FILL, Protection(locked=False)
            cell.number_format = "yyyy-mm-dd" if key == "until" else "@"


def _earlier(review: Review | None, language: Language) -> str:
    if review is None:
        return ""
    until = f" → {review.until}" if review.until else ""
    return f"{WORDS[review.disposal][language]}{until} ({review.reviewer}, {review.reviewed_at:%Y-%m-%d}): {review.reason}"


def _identity(item: QueueItem, name: str) -> str:
    """A cell that says what is judged, as it stands in the sheet."""
    value = getattr(item.subject if name in type(item.subject).model_fields else item, name)
    return str(strip_controls(value))[:LONGEST_CELL]


def _offer_choices(book: Workbook, sheet: Worksheet, rows: int, language: Language) -> None:
    """The list lies in a sheet of its own: commas in a list of words depend on the reader's language."""
    choices = book.create_sheet(CHOICES)
    for number, disposal in enumerate(Disposal, start=1):
        choices.cell(number, 1).value = WORDS[disposal][language]
    choices.sheet_state = "hidden"
    last = HEAD_ROW + max(rows, 1)
    words = DataValidation(type="list", formula1=f"{CHOICES}!$A$1:$A${len(Disposal)}", allow_blank=True, showErrorMessage=True)
    dates = DataValidation(type="date", operator="greaterThan", formula1="43831", allow_blank=True, showErrorMessage=True)
    for validation, key in ((words, "disposal"), (dates, "until")):
        letter = get_column_letter(KEYS.index(key) + 1)
        validation.add(f"{letter}{HEAD_ROW + 1}:{letter}{last}")
        sheet.add_data_validation(validation)


def read_sheet(path: Path, items: Sequence[QueueItem], reviewer: str, now: datetime) -> tuple[Review, ...]:
    """The words of a filled-in sheet, in the order of its rows; rows that nobody filled in are left out.

    `items`: the queue as it is now; `now`: in the database's zone, its day judges the last days.
    Raises SheetError with everything that is wrong, OSError where it cannot be read.
    """
    if not reviewer.strip():
        raise SheetError([SheetProblem(str(path.name), 0, "", "no name of a reviewer", "say who filled it in")])
    rows = _rows(path)
    problems: list[SheetProblem] = []
    reviews: list[Review] = []
    known = {item.pattern: item for item in items}
    seen: dict[str, int] = {}
    for number, cells in rows:
        if all(cell.value in _EMPTY for cell in cells.values()):
            continue
        wrong, review = _read_row(number, cells, known, seen, reviewer.strip(), now)
        problems += wrong
        reviews += [review] if review else []
    if problems:
        raise SheetError(problems)
    return tuple(reviews)


def _whole(path: Path, found: str, fix: str) -> SheetError:
    return SheetError([SheetProblem(path.name, 0, "", found, fix)])


def _rows(path: Path) -> list[tuple[int, dict[str, Cell]]]:
    """The rows under the head, cells by the key of their column. Raises SheetError where it is not our form."""
    fix = "save the sheet that was handed out as .xlsx and fill that in"
    try:
        with path.open("rb") as file:
            all_rows = _cells(path, file)
    except (zipfile.BadZipFile, KeyError, ValueError, TypeError, AttributeError, SyntaxError, EOFError) as e:
        if isinstance(e, SheetError):
            raise
        raise _whole(path, f"no workbook with a sheet {SHEET!r}", fix) from e
    above = [[cell.value for cell in row] for row in all_rows[:HEAD_ROW]]
    if len(above) < HEAD_ROW or above[0][0] != FORM:
        raise _whole(path, f"no {FORM} in A1", fix)
    if above[-1] not in ([c[1] for c in COLUMNS], [c[2] for c in COLUMNS]):
        raise _whole(path, "columns that were added, taken out or moved", fix)
    if len(all_rows) > MOST_ROWS:
        raise _whole(path, f"more than {MOST_ROWS:,} rows", fix)
    numbered = enumerate(all_rows[HEAD_ROW:], start=HEAD_ROW + 1)
    return [(number, dict(zip(KEYS, cells, strict=True))) for number, cells in numbered]


def _cells(path: Path, file: BinaryIO) -> list[tuple[Cell, ...]]:
    """The cells of our columns, row by row; one row more than may be, so that too many are seen."""
    unpacked = sum(entry.file_size for entry in zipfile.ZipFile(file).infolist())
    if path.stat().st_size > LARGEST_BYTES or unpacked > LARGEST_UNPACKED_BYTES:
        raise _whole(path, f"{unpacked:,} bytes unpacked", "hand back the sheet alone, without other content")
    book = load_workbook(file, read_only=True)
    return list(islice(book[SHEET].iter_rows(min_row=1, min_col=1, max_col=len(KEYS)), MOST_ROWS + 1))


def _shown(value: object) -> str:
    return repr(str(clean_text(str(value)))[:80])


def _read_row(
    number: int, cells: Mapping[str, Cell], known: Mapping[str, QueueItem], seen: dict[str, int], reviewer: str, now: datetime
) -> tuple[list[SheetProblem], Review | None]:
    def at_cell(key: str, found: str, fix: str) -> SheetProblem:
        return SheetProblem(SHEET, number, get_column_letter(KEYS.index(key) + 1), found, fix)

    pattern = str(cells["pattern"].value or "").strip()
    item = known.get(pattern)
    if item is None:
        fix = "take the row out: it is of another sheet, or its pattern was changed"
        return [at_cell("pattern", f"a pattern that is not in the queue: {_shown(pattern)}", fix)], None
    if pattern in seen:
        return [at_cell("pattern", f"the pattern of row {seen[pattern]} again", "keep one of the two rows")], None
    seen[pattern] = number
    wrong = [
        at_cell(key, f"{_shown(cells[key].value or '')} where the queue says {_shown(_identity(item, key))}", "copy the row anew")
        for key in IDENTITY
        if str(cells[key].value or "") != _read_back(_identity(item, key))
    ]
    for key in ("disposal", "reason", "until"):
        if cells[key].data_type in ("f", "e"):
            wrong.append(at_cell(key, "a formula or an error", "write the text or the date itself"))
    if wrong:
        return wrong, None
    answers, review = _answer(cells, item, reviewer, now)
    return [at_cell(*told) for told in answers], review


def _read_back(text: str) -> str:
    """What a workbook keeps of a text: line ends become one character."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _answer(
    cells: Mapping[str, Cell], item: QueueItem, reviewer: str, now: datetime
) -> tuple[list[tuple[str, str, str]], Review | None]:
    """What the three cells say: what is wrong with them, or the review; neither for an empty row."""
    told, reason = (str(cells[key].value or "").strip() for key in ("disposal", "reason"))
    if not told and not reason and cells["until"].value in _EMPTY:
        return [], None
    disposal = next((d for d, words in WORDS.items() if told.casefold() in (w.casefold() for w in words.values())), None)
    wrong = []
    if NOT_LISTED in item.evidence:
        wrong.append(("disposal", f"{item.evidence[NOT_LISTED]} hits that are not listed", NOT_LISTED_WHY))
    if disposal is None:
        allowed = " / ".join(WORDS[d]["zh"] for d in Disposal)
        wrong.append(("disposal", _shown(told) if told else "nothing, though the row is filled in", f"choose one of: {allowed}"))
    if len(reason) < 2 or len(reason) > LONGEST_REASON:
        wrong.append(("reason", f"{len(reason)} characters", f"write the reason in 2 to {LONGEST_REASON} characters"))
    until, why = _until(cells["until"].value, disposal, now.date())
    wrong += [why] if why else []
    if wrong or disposal is None:
        return wrong, None
    who = {"reviewer": reviewer, "reviewed_at": now, "until": until}
    return [], Review(pattern=item.pattern, database=item.database, disposal=disposal, reason=reason, **who)


def _until(value: object, disposal: Disposal | None, today: date) -> tuple[date | None, tuple[str, str, str] | None]:
    """The last day of an exception, or what is wrong with the cell."""
    if value in _EMPTY:
        if disposal is Disposal.EXCEPTION:
            return None, ("until", "no date", "an approved exception needs its last day, for example 2026-12-31")
        return None, None
    day = _day(value)
    if day is None:
        return None, ("until", _shown(value), "write a date, for example 2026-12-31")
    if disposal in (Disposal.NORMAL, Disposal.INCIDENT):
        return None, ("until", str(day), "only an approved exception has a last day; empty the cell or change the word")
    if day < today:
        return None, ("until", str(day), f"the exception is over already; write a day from {today} on")
    return day, None


def _day(value: object) -> date | None:
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    match = _DATE.match(str(value))
    try:
        return date(*map(int, match.groups())) if match else None
    except ValueError:
        return None
