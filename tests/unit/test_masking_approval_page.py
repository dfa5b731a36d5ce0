"""What a person reads before saying yes to a masked copy: everything of the plan, and no name becomes markup."""

from __future__ import annotations

from drydock.configuration import load_estate
from drydock.masking.policies.approval_page import body_of, digest_of, label_of, subject_of
from drydock.plans import LeftAlone, ObjectKind, ObjectRef, Piece
from tests.unit.masking_policy_samples import a_policy
from tests.unit.masking_report_samples import ITEMS, make_plan

DATABASE = load_estate("sandbox").databases[0]


def a_plan(**figures: object):
    pieces = [Piece(root_schema="app", root_table=t, schema_name="app", name=t, pages=1000) for t in ("people", "a|b](http://x)")]
    chunks = [i for i in ITEMS if i.candidate.action == "mask_chunk"]
    held = {i.number: pieces[n % 2] for n, i in enumerate(chunks)}
    items = tuple(
        i.model_copy(update={"candidate": i.candidate.model_copy(update={"pieces": (held[i.number],)})})
        if i.number in held
        else i
        for i in ITEMS
    )
    return make_plan(items=items, figures={"rows app.people": 18_000, **figures})


def test_the_page_tells_tables_techniques_room_and_where_it_goes() -> None:
    policy = a_policy()
    page = body_of(a_plan(policy_digest=digest_of(policy)), DATABASE, policy)
    assert "| `app.people` | 18,000 | 192.0 MiB | 2 | 8 | 2 |" in page
    assert "| 敏感个人信息 | 一般 4 | 保格式假名 | 2 |" in page and "词典替换" in page
    assert "`test_copy`（test）" in page and "`masking_key_2026q4`" in page and "`2026Q4`" in page
    assert "`app.orders` 按日期" in page and "没有可选项" in page and "作废，请拒绝" not in page
    assert "`test_copy`" in page and "384.0 MiB" in subject_of(a_plan(), DATABASE, policy)


def test_a_policy_that_was_changed_since_is_told_first() -> None:
    policy = a_policy()
    changed = policy.model_copy(update={"purpose": "别的用途"})
    page = body_of(a_plan(policy_digest=digest_of(policy)), DATABASE, changed)
    assert page.startswith("**策略文件在计划之后改过")


def test_no_name_becomes_markup_or_another_cell() -> None:
    page = body_of(a_plan(), DATABASE, a_policy())
    (line,) = [row for row in page.splitlines() if "a｜b" in row]
    assert "`" in line and "](http" in line and line.count("|") == 8, "it stands in a code span, in one cell"


def test_what_the_tables_hold_adds_up_to_what_the_copy_holds() -> None:
    """A chunk of several tables is told by the pages of each, in bytes that the survey measured: blocks are of any size."""
    (chunk, *rest) = [i for i in a_plan().items if i.candidate.action == "mask_chunk"]
    pieces = [
        Piece(root_schema="app", root_table=t, schema_name="app", name=t, pages=n) for t, n in (("people", 3), ("orders", 1))
    ]
    empty = [p.model_copy(update={"pages": 0}) for p in pieces]
    items = [
        i.model_copy(update={"candidate": i.candidate.model_copy(update={"pieces": tuple(p)})})
        for i, p in ((chunk, pieces), (rest[0], empty))
    ]
    plan = make_plan(items=tuple(items), figures={})
    page = body_of(plan, DATABASE, a_policy())
    assert "| `app.people` | 未知 | 120.0 MiB | 2 |" in page and "| `app.orders` | 未知 | 72.0 MiB | 2 |" in page
    assert "**192.0 MiB**" in page and "2 张表，192.0 MiB" in subject_of(plan, DATABASE, a_policy())


def test_a_mapped_task_says_in_words_what_it_does_and_to_how_many_tables() -> None:
    labels = [label_of(item) for item in a_plan().items]
    assert labels[0].startswith("1 建暂存表 mask_tables ") and labels[1].startswith("2 复制并脱敏一块 mask_chunk ")
    (one, *_) = [i for i in a_plan().items if i.candidate.action == "mask_chunk"]
    pieces = [
        Piece(root_schema="app", root_table=t, schema_name="app", name=n) for t, n in (("a", "a1"), ("a", "a2"), ("b|\n", "b"))
    ]
    both = one.model_copy(update={"candidate": one.candidate.model_copy(update={"pieces": tuple(pieces)})})
    assert label_of(both).endswith("（等 2 张表 tables）") and "表 tables" not in labels[1] and "\n" not in label_of(both)


def test_a_note_names_its_place_as_the_dictionary_does() -> None:
    place = ObjectRef(kind=ObjectKind.TABLE, owner="", name="gz_main.ent_corp_reg.customs_reg_no|`")
    note = LeftAlone(object=place, reason="masking_partition_moved", evidence={"strategy": "range", "technique": "pseudonym"})
    page = body_of(make_plan(notes=(note,)), DATABASE, a_policy())
    assert "- `gz_main.ent_corp_reg.customs_reg_no｜ˋ` " in page, "no likes of an underscore: it can be searched for"
