"""What a person reads before saying yes to a masked copy: everything of the plan, and no name becomes markup."""

from __future__ import annotations

from drydock.configuration import load_estate
from drydock.masking.policies.approval_page import body_of, digest_of, subject_of
from drydock.plans import Piece
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
    assert "| `app.people` | 18,000 | 15.6 MiB | 2 | 8 | 2 |" in page
    assert "| 敏感个人信息 | 一般 4 | 保格式假名 | 2 |" in page and "词典替换" in page
    assert "`test_copy`（test）" in page and "`masking_key_2026q4`" in page and "`2026Q4`" in page
    assert "`app.orders` 按日期" in page and "没有可选项" in page and "作废，请拒绝" not in page
    assert "`test_copy`" in page and "31.2 MiB" in subject_of(a_plan(), DATABASE, policy)


def test_a_policy_that_was_changed_since_is_told_first() -> None:
    policy = a_policy()
    changed = policy.model_copy(update={"purpose": "别的用途"})
    page = body_of(a_plan(policy_digest=digest_of(policy)), DATABASE, changed)
    assert page.startswith("**策略文件在计划之后改过")


def test_no_name_becomes_markup_or_another_cell() -> None:
    page = body_of(a_plan(), DATABASE, a_policy())
    (line,) = [row for row in page.splitlines() if "a｜b" in row]
    assert "`" in line and "](http" in line and line.count("|") == 8, "it stands in a code span, in one cell"
