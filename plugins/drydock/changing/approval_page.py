"""What a person reads before saying yes: the plan as Markdown, in Chinese, and the items to choose from.

Names are foreign text. They stand in code spans, without the characters that could end one or split a table, so that
nothing in a name becomes a link, a picture, HTML or another row.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from zoneinfo import ZoneInfo

from drydock.estate import Database
from drydock.messages import fill, reason_text
from drydock.plans import Carried, LeftAlone, ObjectKind, ObjectRef, Plan, WorkItem
from drydock.reporting.figure_words import shown_figures
from drydock.reporting.figures import bytes_text
from drydock.verdicts import Figure, clean_text

LONGEST_LABEL = 200
MOST_LEFT_ALONE = 40
"""Lines of the table of what is left alone; the rest is counted by reason, and stands in the report."""
PIPELINES = {"reclaim": "空间回收", "reindex": "索引重建", "masking": "脱敏复制"}
_LIKE = str.maketrans({"|": "｜", "`": "ˋ", "\u2028": " ", "\u2029": " "})
_PLAIN = str.maketrans("<>&*_[]~\\@", "＜＞＆＊＿［］～＼＠")
ITEM_HEADS = ("序号", "对象", "分区", "动作", "原因", "证据", "预计分钟", "释放", "日志 redo/WAL", "需要空间", "锁")
LEFT_HEADS = ("对象", "分区", "原因", "证据", "可释放")
CARRIED_HEADS = ("对象", "分区", "动作", "原因", "预计分钟", "释放", "已等次数")
REDUNDANT = ("parent", "segment_partition")
"""Figures that another column of the page tells."""


def subject_of(plan: Plan, database: Database) -> str:
    """One line for the list of required actions."""
    what = f"{PIPELINES[plan.pipeline]} · {database.name_zh}"
    return f"{what}：{len(plan.items)} 项，{minutes(plan.expected_s)} 分钟，释放 {bytes_text(plan.freed_bytes)}"


def body_of(plan: Plan, database: Database) -> str:
    """The whole page: window, items, what is carried over, what is left alone and why."""
    parts = [_head(plan, database.zone), "### 计划", _table(ITEM_HEADS, map(_item_cells, plan.items))]
    if any(i.candidate.needs_naming for i in plan.items):
        parts.append("★ 必须点名：不在默认选择中，须由批准人逐项选上。")
    if plan.carried:
        parts += ["### 顺延", _table(CARRIED_HEADS, map(_carried_cells, plan.carried))]
    return "\n\n".join([*parts, *_left_alone(plan)])


def _head(plan: Plan, zone: ZoneInfo) -> str:
    start, end = (t.astimezone(zone).strftime("%Y-%m-%d %H:%M") for t in (plan.window_start, plan.window_end))
    lines = (
        f"- 窗口：**{start} – {end}**（{zone.key}）。须在窗口关闭前答复；无人答复则不做任何变更。",
        f"- 检查了 **{plan.examined}** 个对象：计划 **{len(plan.items)}** 项，顺延 **{len(plan.carried)}** 项，"
        f"不动 **{len(plan.left_alone)}** 个。",
        f"- 合计：预计 **{minutes(plan.expected_s)}** 分钟，释放 **{bytes_text(plan.freed_bytes)}**，"
        f"写日志 **{bytes_text(sum(i.estimate.log_bytes for i in plan.items))}**。",
        f"- 计划指纹：`{plan.hash[:16]}…`。计划有变则批准作废。",
    )
    return "\n".join(lines)


def _left_alone(plan: Plan) -> list[str]:
    by_size = sorted(plan.left_alone, key=lambda left: (-left.would_free_bytes, left.object.key))
    parts = ["### 不动的对象"]
    parts.append(_table(LEFT_HEADS, map(_left_cells, by_size[:MOST_LEFT_ALONE])) if by_size else "无")
    if rest := Counter(reason_words(left.reason) for left in by_size[MOST_LEFT_ALONE:]):
        counted = "；".join(f"{words}（{n} 个）" for words, n in sorted(rest.items()))
        parts.append(f"另有 {rest.total()} 个，见报告：{counted}")
    return parts


def _item_cells(item: WorkItem) -> Sequence[str]:
    c, e = item.candidate, item.estimate
    return (
        f"{item.number}{' ★' if c.needs_naming else ''}",
        object_cell(c.object),
        partition_cell(c.object),
        words_of("action", c.action),
        reason_words(c.reason, c.evidence),
        evidence_cell(c.evidence),
        f"{minutes(e.expected_s)}（最坏 {at_most(e.worst_s)}{'' if e.runs else '，未实测'}）",
        bytes_text(c.freed_bytes),
        bytes_text(e.log_bytes),
        bytes_text(c.needed_bytes),
        plain(reason_text(f"lock_{c.lock.value}", "zh")),
    )


def _carried_cells(carried: Carried) -> Sequence[str]:
    c = carried.candidate
    times = (minutes(carried.estimate.expected_s), bytes_text(c.freed_bytes), str(carried.nights_waiting))
    what = (object_cell(c.object), partition_cell(c.object), words_of("action", c.action))
    return (*what, reason_words(carried.reason, c.evidence), *times)


def _left_cells(left: LeftAlone) -> Sequence[str]:
    words = reason_words(left.reason, left.evidence)
    freed = bytes_text(left.would_free_bytes)
    return (object_cell(left.object), partition_cell(left.object), words, evidence_cell(left.evidence), freed)


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = (heads, ["---"] * len(heads), *rows)
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def object_cell(ref: ObjectRef) -> str:
    """Owner and name, with the table of what hangs on one."""
    hangs_on = "" if ref.kind is ObjectKind.PARTITION else ref.parent
    parent = f" · {name_cell(hangs_on)}" if hangs_on and hangs_on != ref.name else ""
    column = f" ({name_cell(ref.column)})" if ref.column else ""
    return name_cell(f"{ref.owner}.{ref.name}") + column + parent


def partition_cell(ref: ObjectRef) -> str:
    """The partition; of one that is a table of its own (PostgreSQL) the table that it is a part of."""
    if ref.kind is ObjectKind.PARTITION and not ref.partition and ref.parent and ref.parent != ref.name:
        return f"{name_cell(ref.parent)} 的分区"
    return name_cell(ref.partition)


def name_cell(name: str) -> str:
    """A foreign name as a code span: nothing in it can be markup. The pipe and the backtick are shown by their likes."""
    shown = str(clean_text(name)).translate(_LIKE).strip()
    return f"`{shown}`" if shown else "—"


def evidence_cell(evidence: Mapping[str, Figure]) -> str:
    """Figures with their names in words, for people who check; foreign text stands in code spans."""
    wanted = {name: value for name, value in evidence.items() if name not in REDUNDANT}
    told = [(label, name_cell(v) if is_foreign else plain(v)) for label, v, is_foreign in shown_figures(wanted, "zh")]
    return "；".join(f"{plain(label)}：{shown}" for label, shown in told) or "—"


def reason_words(code: str, evidence: Mapping[str, Figure] | None = None) -> str:
    """A reason in Chinese, its figures filled in, as plain text; the bare code where it has no words."""
    words = reason_text(code, "zh")
    return name_cell(code) if words == code else plain(fill(words, evidence or {}, "zh"))


def words_of(kind: str, code: str) -> str:
    """The words of `<kind>_<code>`, Chinese, with the code that the ledger has."""
    words = reason_text(f"{kind}_{code}", "zh")
    return name_cell(code) if words == f"{kind}_{code}" else f"{plain(words)} {name_cell(code)}"


def plain(text: str) -> str:
    """Text of our own that foreign figures were put into: shown as it reads, without anything that is markup."""
    shown = str(clean_text(text)).translate(_LIKE).translate(_PLAIN)
    return re.sub(r"(?i)://|www\.", lambda m: m[0].replace(":", "：").replace(".", "．"), shown)


def minutes(seconds: float) -> str:
    """Whole minutes as a person reads them; less than one is told as such."""
    return "不到 1" if 0 < seconds < 60 else f"{seconds / 60:.0f}"


def at_most(seconds: float) -> str:
    """Whole minutes that are enough."""
    return str(math.ceil(seconds / 60))


def choices(plan: Plan) -> dict[str, str]:
    """What may be chosen: number -> label, in the order of the plan."""
    return {str(i.number): label_of(i) for i in plan.items}


def default_choice(plan: Plan) -> list[str]:
    """The items that are chosen unless a person says otherwise: all that need not be named."""
    return [str(i.number) for i in plan.items if not i.candidate.needs_naming]


def label_of(item: WorkItem) -> str:
    """Number, action and object on one line of plain text: what a grid or a list shows."""
    c = item.candidate
    name = ".".join(part for part in (c.object.owner, c.object.name, c.object.partition) if part)
    return plain_label(f"{item.number} {c.action} {name}")


def plain_label(text: str) -> str:
    """Text with foreign names in it, short enough for a grid."""
    return str(clean_text(text.translate(_LIKE)))[:LONGEST_LABEL]


def chosen_numbers(plan: Plan, said: object) -> tuple[int, ...]:
    """The numbers that a form gave back, as text or numbers, that are items of the plan; anything else chooses nothing."""
    numbers = {int(str(n)) for n in said if re.fullmatch(r"[0-9]{1,6}", str(n))} if isinstance(said, list | tuple) else set()
    return tuple(i.number for i in plan.items if i.number in numbers)
