"""What a person reads before saying yes to a masked copy: tables, what becomes of their columns, minutes, room, where it goes.

Markdown, in Chinese, as the page of the weekly work (`drydock.changing.approval_page`). Names stand in code spans. The policy
is shown as it is now; whether it is still the one of the plan is said first, and asked again before each item.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from drydock.changing.approval_page import at_most, minutes, name_cell, plain, plain_label, reason_words
from drydock.estate import Database
from drydock.masking.policies.policy import MaskingPolicyFile, Technique
from drydock.masking.policies.schema import object_name
from drydock.messages import reason_text
from drydock.plans import Candidate, LeftAlone, Plan, WorkItem
from drydock.reporting.figures import bytes_text

CHUNK = "mask_chunk"
MOST_TABLES = 60
ROWS = "rows "
"""Figures of a plan that begin so are rows of a table, by the server's own estimate."""
TECHNIQUES = {
    Technique.PSEUDONYM: "保格式假名",
    Technique.WORDS: "词典替换",
    Technique.GENERALISE: "泛化",
    Technique.SHIFT: "日期偏移",
    Technique.NOISE: "加噪",
    Technique.BUCKETS: "分桶",
    Technique.SCRUB: "文本清洗",
    Technique.REPLACE: "常量替换",
    Technique.SUPPRESS: "置空",
    Technique.KEEP: "保留",
}
CLASSES = {
    "sensitive-personal": "敏感个人信息",
    "personal": "个人信息",
    "organisation": "组织信息",
    "business": "业务信息",
    "secret": "密级信息",
    "public": "公开信息",
}
LEVELS = {
    "core": "核心",
    "important": "重要",
    "general_4": "一般 4",
    "general_3": "一般 3",
    "general_2": "一般 2",
    "general_1": "一般 1",
}
PLACE = "\ufffc"
"""Stands for a place until its text has been made plain."""
TABLE_HEADS = ("表", "估计行数", "数据量", "分块", "脱敏列", "保留列", "处理方式")
RULE_HEADS = ("分类", "分级", "处理方式", "列数")


@dataclass
class _Copied:
    """One table of the plan."""

    bytes: float = 0
    chunks: int = 0


def subject_of(plan: Plan, database: Database, policy: MaskingPolicyFile) -> str:
    """One line for the list of required actions."""
    data = _data_bytes(plan)
    what = f"脱敏复制 · {database.name_zh} → {policy.target}"
    return f"{what}：{len(_copied(plan))} 张表，{bytes_text(data)}，{minutes(plan.expected_s)} 分钟"


def body_of(plan: Plan, database: Database, policy: MaskingPolicyFile) -> str:
    """The whole page."""
    parts = [_changed(plan, policy), _head(plan, database.zone, policy), "### 表", _tables(plan, policy)]
    parts += ["### 分类分级与处理方式", _table(RULE_HEADS, _rules(policy)), "### 从哪里到哪里", _places(plan, policy)]
    parts += ["### 须知", _notes(plan.notes), "### 不复制的表", _left_out(plan.left_alone)]
    if plan.carried:
        parts.append(f"**整份副本装不下本次窗口，不做任何变更：** {reason_words(plan.carried[0].reason)}")
    return "\n\n".join(part for part in parts if part)


def digest_of(policy: MaskingPolicyFile) -> str:
    """SHA-256 of what the policy says."""
    return hashlib.sha256(policy.model_dump_json(by_alias=True).encode()).hexdigest()


def _changed(plan: Plan, policy: MaskingPolicyFile) -> str:
    planned = plan.figures.get("policy_digest")
    return "" if planned in (None, digest_of(policy)) else "**策略文件在计划之后改过：本计划已作废，请拒绝并重新触发。**"


def _head(plan: Plan, zone: ZoneInfo, policy: MaskingPolicyFile) -> str:
    start, end = (t.astimezone(zone).strftime("%Y-%m-%d %H:%M") for t in (plan.window_start, plan.window_end))
    told = [v for name, v in plan.figures.items() if name.startswith(ROWS) and isinstance(v, int)]
    rows, unknown = sum(v for v in told if v >= 0), sum(v < 0 for v in told)
    more = f"（另有 {unknown} 张表没有统计）" if unknown else ""
    data = _data_bytes(plan)
    needed = max((i.candidate.needed_bytes for i in plan.items), default=0)
    worst = sum(i.estimate.worst_s for i in plan.items)
    measured = "" if any(i.estimate.runs for i in plan.items) else "，未实测"
    lines = (
        f"- 窗口：**{start} – {end}**（{zone.key}）。须在窗口关闭前答复；无人答复则不做任何变更。",
        f"- 整份副本：**{len(_copied(plan))}** 张表，约 **{rows:,}** 行{more}，**{bytes_text(data)}**；共 {len(plan.items)} 项。",
        f"- 预计 **{minutes(plan.expected_s)}** 分钟（最坏 {at_most(worst)} 分钟{measured}）；"
        f"副本所在磁盘需要 **{bytes_text(needed)}**。",
        f"- 用途：{plain(policy.purpose)}；子集：{_subset(policy)}。",
        "- 批准的是整份副本：没有可选项。源库只读；核验合格才交付。",
        f"- 计划指纹：`{plan.hash[:16]}…`。计划有变则批准作废。",
    )
    return "\n".join(lines)


def _subset(policy: MaskingPolicyFile) -> str:
    words = {"dates": "按日期", "percentage": "按比例", "rows": "按行"}
    told = [f"{name_cell(rule.table)} {words[rule.by]}" for rule in policy.subset]
    return "、".join(told) + "（外键与声明的连接随行）" if told else "全部行"


def _data_bytes(plan: Plan) -> int:
    """Of the tables that are copied, as the survey measured them; the tables of the page add up to it."""
    return sum(item.candidate.size_bytes for item in plan.items if item.candidate.action == CHUNK)


def _copied(plan: Plan) -> dict[str, _Copied]:
    """Table -> what is copied of it, from the chunks of the plan: the bytes of a chunk by the pages of its pieces."""
    found: dict[str, _Copied] = defaultdict(_Copied)
    for chunk in (item.candidate for item in plan.items if item.candidate.action == CHUNK):
        pages = sum(piece.pages for piece in chunk.pieces)
        for key in tables_of(chunk):
            found[key].chunks += 1
        for piece in chunk.pieces:
            share = piece.pages / pages if pages else 1 / len(chunk.pieces)
            found[object_name(piece.root_schema, piece.root_table)].bytes += chunk.size_bytes * share
    return dict(found)


def tables_of(candidate: Candidate) -> tuple[str, ...]:
    """The tables that an item works on, each once, in the order of its pieces."""
    return tuple(dict.fromkeys(object_name(p.root_schema, p.root_table) for p in candidate.pieces))


def label_of(item: WorkItem) -> str:
    """Number, what is done, and to which tables, on one line of plain text: what a grid shows of one mapped task."""
    c, rest = item.candidate, len(tables_of(item.candidate)) - 1
    name = ".".join(part for part in (c.object.owner, c.object.name, c.object.partition) if part)
    more = f"（等 {rest + 1} 张表 tables）" if rest > 0 else ""
    what = f"{reason_text(f'action_{c.action}', 'zh')} {c.action}"
    return f"{plain_label(f'{item.number} {what} {name}')}{more}"


def _tables(plan: Plan, policy: MaskingPolicyFile) -> str:
    by_size = sorted(_copied(plan).items(), key=lambda entry: (-entry[1].bytes, entry[0]))
    shown = _table(TABLE_HEADS, (_table_cells(plan, policy, key, copied) for key, copied in by_size[:MOST_TABLES]))
    rest = by_size[MOST_TABLES:]
    if not rest:
        return shown
    rest_bytes = round(sum(copied.bytes for _, copied in rest))
    return f"{shown}\n\n另有 {len(rest)} 张较小的表，共 {bytes_text(rest_bytes)}，见策略文件与报告。"


def _table_cells(plan: Plan, policy: MaskingPolicyFile, key: str, copied: _Copied) -> Sequence[str]:
    rules = policy.tables.get(key)
    if rules is None:
        return (name_cell(key), *["—"] * 6)
    used = Counter(TECHNIQUES[r.technique] for r in rules.columns.values() if r.technique is not Technique.KEEP)
    kept = len(rules.keep) + sum(r.technique is Technique.KEEP for r in rules.columns.values())
    rows = plan.figures.get(f"{ROWS}{key}")
    return (
        name_cell(key),
        f"{rows:,}" if isinstance(rows, int) and rows >= 0 else "未知",
        bytes_text(round(copied.bytes)),
        str(copied.chunks),
        str(used.total()),
        str(kept),
        "；".join(f"{technique} {n}" for technique, n in used.most_common()) or "—",
    )


def _rules(policy: MaskingPolicyFile) -> Iterator[Sequence[str]]:
    """Columns by class, level and technique, the most sensitive first."""
    copied = [r for r in policy.rules() if not policy.tables[r.table].structure_only]
    counted = Counter((r.rule.class_, r.rule.level, r.technique) for r in copied)
    order = {name: n for n, name in enumerate(LEVELS)}
    for (class_, level, technique), n in sorted(counted.items(), key=lambda entry: (order[entry[0][1]], entry[0])):
        yield CLASSES.get(class_, plain(class_)), LEVELS[level], TECHNIQUES[technique], str(n)
    kept = sum(len(rules.keep) for rules in policy.tables.values() if not rules.structure_only)
    yield "—", "—", "原样保留（每列有理由）", str(kept)


def _places(plan: Plan, policy: MaskingPolicyFile) -> str:
    target = policy.chosen_target()
    identity = name_cell(target.identity) if target.identity else "不核对"
    readers = "、".join(map(name_cell, target.readers)) or "无人（由 DBA 授权）"
    lines = (
        f"- 源：{name_cell(policy.database)}，连接 {name_cell(policy.source.connection)}（只读），"
        f"模式 {'、'.join(map(name_cell, policy.source.schemas))}",
        f"- 目标：{name_cell(target.id)}（{plain(target.environment)}），连接 {name_cell(target.connection)}，"
        f"服务器标识 {identity}",
        f"- 交付后可读：{readers}",
        f"- 密钥：纪元 {name_cell(policy.key.epoch)}，连接 {name_cell(policy.key.connection)}，"
        f"算法 {name_cell(policy.key.family)}",
        f"- 核验：金丝雀 {len(policy.canaries)} 个，准标识符组 {len(policy.quasi_identifiers)} 组，"
        f"声明的连接 {len(policy.joins)} 条",
    )
    return "\n".join(lines)


def _notes(notes: Sequence[LeftAlone]) -> str:
    """What a person should look at before saying yes."""
    told = Counter((note.reason, note.object.name) for note in notes)
    words = {(n.reason, n.object.name): _note_words(n) for n in notes}
    lines = [f"- {words[key]}" for key in list(told)[:MOST_TABLES]]
    return (
        "\n".join(lines) + (f"\n- 另有 {len(told) - MOST_TABLES} 条，见报告" if len(told) > MOST_TABLES else "")
        if lines
        else "无"
    )


def _note_words(note: LeftAlone) -> str:
    """The words of a note; its place as the dictionary writes it, in a code span, so that it can be searched for."""
    told = reason_words(note.reason, {**note.evidence, "place": PLACE})
    return told.replace(PLACE, name_cell(note.object.name))


def _left_out(left: Sequence[LeftAlone]) -> str:
    return "\n".join(f"- {name_cell(x.object.name)}：{reason_words(x.reason, x.evidence)}" for x in left[:MOST_TABLES]) or "无"


def _table(heads: Sequence[str], rows: Iterator[Sequence[str]]) -> str:
    lines = (heads, ["---"] * len(heads), *rows)
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
