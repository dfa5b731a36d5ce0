"""Words for findings: every code has them in both languages, and hostile figures stay text."""

from __future__ import annotations

import re
from collections import Counter
from functools import cache
from pathlib import Path

import pytest
import yaml

from drydock import messages
from drydock.messages import fill, load_messages, message, next_step, question_word, reason_text, runbook_heading, status_word
from drydock.settings import home, include_dir
from drydock.verdicts import Finding, Status

FILES = sorted((include_dir() / "messages").glob("*.yaml"))
# the ways in which the code of a finding is written in the plugins
WRITTEN = (
    re.compile(r'\bcode="(\w+)"'),
    re.compile(r'\b(?:_at_slot|Measure|problem|_problem|_finding)\(\s*"(\w+)"'),
    re.compile(r"^\s*code(?:, status)? = .*$", re.MULTILINE),
)


def codes_in(path: Path) -> set[str]:
    text = path.read_text(encoding="utf-8")
    found = {c for pattern in WRITTEN[:2] for c in pattern.findall(text)}
    chosen = {c for line in WRITTEN[2].findall(text) for c in re.findall(r'"([a-z]+(?:_[a-z]+)+)"', line)}
    return found | (chosen if "backup" in path.parts else set())


USED = {code: path for path in (home() / "plugins" / "drydock").rglob("*.py") for code in codes_in(path)}
FINDINGS = {code: entry for code, entry in load_messages().items() if code in USED or {"question", "runbook"} <= set(entry)}
LINKED = {code: entry["runbook"] for code, entry in load_messages().items() if "runbook" in entry}


RUNBOOKS = sorted(p for p in (home() / "docs" / "runbooks").glob("*.md") if p.stem != "configuration")
QUESTIONS = {"executed", "complete", "valid", "normal", "worked", "unharmed", "gained", "watched", "confirmed", "fit"}
QUESTIONS |= {"copied", "residual", "originals", "canaries", "reidentification", "expectations", "quarter"}  # masking
QUESTIONS |= {"collected", "alarms", "audit_quarter"}  # audit, beside those of its trail
QUESTIONS |= {"trail_store"}
QUESTIONS |= {f"trail_{what}" for what in ("on", "drift", "gaps", "clock", "spillover", "growth", "retention", "guardians")}


def headings() -> list[str]:
    return [heading for path in RUNBOOKS for heading in headings_of(path.name)]


@cache
def headings_of(page: str) -> list[str]:
    text = (home() / "docs" / "runbooks" / page).read_text(encoding="utf-8")
    return re.findall(r"^## (.+)$", text, re.MULTILINE)


def a_finding(code: str, place: str = "", **values: object) -> Finding:
    return Finding(code=code, status=Status.FAIL, place=place, values=values)


def test_the_codes_are_found_where_they_are_written() -> None:
    assert {"job_not_run", "rpo_unproved", "size_abnormal", "log_gap", "waiver_expired", "no_plan"} <= set(USED)


@pytest.mark.parametrize("code", sorted(USED))
def test_every_code_in_use_has_its_words(code: str) -> None:
    assert code in FINDINGS, f"{code} (in {USED[code].name}) has no entry in include/messages/"


@pytest.mark.parametrize("code", sorted(FINDINGS))
def test_every_finding_has_both_languages_a_next_step_and_a_runbook(code: str) -> None:
    entry = FINDINGS[code]
    assert set(entry) == {"question", "zh", "en", "next_zh", "next_en", "runbook"}
    assert all(str(text).strip() for text in entry.values())
    assert entry["question"] in QUESTIONS
    assert re.search(r"[\u4e00-\u9fff]", entry["zh"]) and not re.search(r"[\u4e00-\u9fff]", entry["en"])


@pytest.mark.parametrize("code", sorted(LINKED))
def test_every_link_leads_to_a_heading_of_the_page_it_names(code: str) -> None:
    assert LINKED[code] in headings_of(messages.runbook_page(code)), f"{messages.runbook_page(code)} lacks {LINKED[code]!r}"


def test_everything_that_closes_the_gate_says_what_to_do_and_where_it_is_explained() -> None:
    words = load_messages()
    gate = yaml.safe_load((include_dir() / "messages" / "gate.yaml").read_text(encoding="utf-8"))
    void = reasons_in("changing/approvals.py")
    assert len(void) >= 9 and len(gate) >= 35
    wanted = {"next_zh", "next_en", "runbook"}
    assert [code for code in sorted({*gate, *void}) if not wanted <= set(words[code])] == []


def test_a_page_is_named_for_what_has_a_heading_only() -> None:
    pages = {"log_gap": "backup.md", "disk_filled": "changing.md", "kill_switch_on": "changing.md", "window_full": "", "none": ""}
    assert {code: messages.runbook_page(code) for code in pages} == pages


@pytest.mark.parametrize("code", sorted(FINDINGS))
def test_placeholders_are_plain_and_the_same_in_both_languages(code: str) -> None:
    entry = FINDINGS[code]
    zh, en = (set(messages.PLACEHOLDER.findall(entry[language])) for language in ("zh", "en"))
    assert zh == en
    for key in ("zh", "en", "next_zh", "next_en"):
        assert not set("{}") & set(messages.PLACEHOLDER.sub("", entry[key])), f"{key} holds a brace that is no placeholder"
    assert not messages.PLACEHOLDER.findall(entry["next_zh"] + entry["next_en"])


REASONED = ("changing/approvals.py", "changing/packing.py")
"""Modules whose short codes in texts of their own are reasons that a person reads."""
WORK_FILES = [f for f in FILES if not f.stem.startswith(("backup", "report", "ledger"))]


def reasons_in(module: str) -> set[str]:
    text = (home() / "plugins" / "drydock" / module).read_text(encoding="utf-8")
    return set(re.findall(r'(?:return |else |\[|, )"([a-z]+(?:_[a-z]+)+)"(?!:)', text))  # not the key of a dict


@pytest.mark.parametrize("module", REASONED)
def test_every_reason_of_plans_and_approvals_has_its_words(module: str) -> None:
    reasons = reasons_in(module)
    assert len(reasons) >= 4
    assert {code for code in reasons if not {"zh", "en"} <= set(load_messages().get(code, {}))} == set()


@pytest.mark.parametrize("path", WORK_FILES, ids=lambda path: path.stem)
def test_words_of_the_weekly_work_stand_in_both_languages(path: Path) -> None:
    for code, entry in yaml.safe_load(path.read_text(encoding="utf-8")).items():
        assert re.search(r"[\u4e00-\u9fffA-Z]", entry["zh"]) and not re.search(r"[\u4e00-\u9fff]", entry["en"]), code
        assert set(messages.PLACEHOLDER.findall(entry["zh"])) == set(messages.PLACEHOLDER.findall(entry["en"])), code
        assert bool(entry.get("next_zh")) == bool(entry.get("next_en")), code


def test_no_code_is_worded_twice() -> None:
    counts = Counter(code for path in FILES for code in yaml.safe_load(path.read_text(encoding="utf-8")) or {})
    assert [code for code, n in counts.items() if n > 1] == []


def test_an_entry_that_stands_twice_in_a_file_is_refused_with_its_line(tmp_path: Path) -> None:
    """YAML readers let the later one win without a word: the first would never be read by anybody."""
    for text, line in (("gap: {en: a}\nhole: {en: b}\ngap: {en: c}\n", 3), ("gap:\n  en: a\n  zh: b\n  en: c\n", 4)):
        (tmp_path / "a.yaml").write_text(text, encoding="utf-8")
        with pytest.raises(yaml.YAMLError, match=f"a second time.*\\n.*line {line}, "):
            messages.load_words_of(tmp_path / "a.yaml")


SHIPPED = [path for name in ("include", "deploy", "sandbox") for path in sorted((home() / name).rglob("*.yaml"))]


def keys_twice(node: yaml.Node) -> list[str]:
    """Keys that stand twice in one mapping, with their lines; whatever tags a file uses."""
    pairs = node.value if isinstance(node, yaml.MappingNode) else []
    counts = Counter(key.value for key, _ in pairs)
    own = [f"{key.value} in line {key.start_mark.line + 1}" for key, _ in pairs if counts[key.value] > 1]
    below = [value for _, value in pairs] if pairs else node.value if isinstance(node, yaml.SequenceNode) else []
    return own + [told for child in below for told in keys_twice(child)]


@pytest.mark.parametrize("path", [home() / "docker-compose.yaml", *SHIPPED], ids=lambda path: path.stem)
def test_no_key_stands_twice_in_a_file(path: Path) -> None:
    node = yaml.compose(path.read_text(encoding="utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    assert node is None or keys_twice(node) == []


def test_every_heading_of_the_runbooks_is_used_once() -> None:
    assert Counter(headings()).most_common(1)[0][1] == 1
    assert set(headings()) - set(LINKED.values()) == set()


def test_a_message_is_filled_in_both_languages() -> None:
    gap = a_finding("log_gap", "x", timeline=2, after="A", before="", missing=3)
    assert message(gap, "en") == "Archived logs: 3 missing after A (next there: —; timeline or incarnation: 2)"
    assert message(gap, "zh") == "归档日志在 A 之后缺 3 个（下一个为 —；时间线或化身：2）"
    assert "全量" in message(a_finding("job_not_run", slot="2026-11-20 01:30", level="full"), "zh")
    assert next_step("log_gap", "en").startswith("Look for the missing")
    assert runbook_heading("log_gap") == "Gap in the archived logs · 归档日志缺口"
    assert messages.runbook_anchor("log_gap") == "#gap-in-the-archived-logs--归档日志缺口"


HOSTILE = ["{place}", "{0.__class__}", "%s %(x)s", "{missing!r:>9999999}", "‹after›", "<b>&", r"\1\g<0>"]


@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_values_are_put_in_as_text(hostile: str) -> None:
    told = message(a_finding("log_gap", "secret", timeline=1, after=hostile, before="B", missing=1), "en")
    assert told == f"Archived logs: 1 missing after {hostile} (next there: B; timeline or incarnation: 1)"


def test_nothing_missing_ever_raises() -> None:
    assert "‹after›" in message(a_finding("log_gap", timeline=1), "en")
    assert message(a_finding("no_such_code", rows=3, name="x"), "en") == "no_such_code: rows=3, name=x"
    assert message(a_finding("no_such_code"), "zh") == "no_such_code"
    assert (next_step("no_such_code", "en"), runbook_heading("no_such_code")) == ("", "")
    assert messages.runbook_anchor("no_such_code") == ""
    assert reason_text("no_such_code", "zh") == "no_such_code"
    assert fill("{a} {b.c} {} {A} {d[0]}", {"a": 1}) == "1 {b.c} {} {A} {d[0]}"


def test_figures_are_shown_for_people() -> None:
    values = {"ratio": 0.25, "count": 3, "yes": True, "nothing": None, "big": 12345678901.0}
    assert fill("{ratio} {count} {yes} {nothing} {big}", values, "en") == "0.25 3 yes — 12345678901"
    assert fill("{yes}", values, "zh") == "是"


def test_words_for_statuses_questions_and_reasons() -> None:
    assert [status_word(s, "zh") for s in Status] == ["正常", "关注", "异常", "跳过", "未知"]
    assert [status_word(s, "en") for s in Status] == [s.value for s in Status]
    assert [question_word(q, "zh") for q in ("executed", "complete", "valid", "normal")] == ["执行", "完整", "有效", "常态"]
    assert (reason_text("history_short", "zh"), question_word("other", "zh")) == ("历史次数不足，尚不能比较", "other")
    assert reason_text("nothing_examined", "en") != "nothing_examined"


def test_a_folder_of_files_is_merged_and_the_first_entry_counts(tmp_path: Path) -> None:
    (tmp_path / "b.yaml").write_text("gap: {en: second}\nhole: {en: hole}\n", encoding="utf-8")
    (tmp_path / "a.yaml").write_text("gap: {en: first}\n", encoding="utf-8")
    (tmp_path / "c.yaml").write_text("# nothing yet\n", encoding="utf-8")
    merged = load_messages(tmp_path)
    assert (merged["gap"]["en"], merged["hole"]["en"]) == ("first", "hole")
