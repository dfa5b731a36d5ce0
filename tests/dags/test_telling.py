"""What a person finds in the log of a task: what is wrong, where, what to do, and on which page it stands."""

from __future__ import annotations

import logging
import re
from types import SimpleNamespace

import pytest
from airflow.sdk.exceptions import AirflowFailException

from drydock.orchestration import changing
from drydock.orchestration.telling import MOST_TOLD, tell, words
from drydock.outcomes import StopReason, Verification
from drydock.verdicts import Finding, Status, judge, skip

LEFT = {"hits": 40, "expected": 0.08, "bound": 4, "originals": 901, "source": "app.people.id_no"}
RED = Finding(code="originals_in_copy", status=Status.FAIL, place="app.people.id_no", values=LEFT)
CONTEXT = {"ti": SimpleNamespace(xcom_pull=lambda **_: ["report.html"])}


def made(*verdicts, stop: StopReason = StopReason.DONE) -> Verification:
    return Verification(verdicts=verdicts, stop=stop, freed_bytes=0, elapsed_s=1, done=6, skipped=0, failed=0)


def test_a_reason_says_what_to_do_and_where_more_stands() -> None:
    told = words("copy_failed_verification")
    assert "副本未通过核验" in told and "The copy failed its verification" in told
    assert "不交付 → 按核验的发现处理；副本已隔离 · The copy" in told, "what to do stands beside what is wrong"
    assert "quarantine" in told and "docs/runbooks/masking.md: A copy is not whole" in told
    assert words("of_no_words") == "of_no_words: of_no_words · of_no_words"


def test_a_red_check_tells_each_finding_with_its_next_step(caplog: pytest.LogCaptureFixture) -> None:
    many = [RED.model_copy(update={"place": f"app.t{n:02}.c"}) for n in range(MOST_TOLD + 3)]
    seen = RED.model_copy(update={"code": "chance_hides_originals", "status": Status.WARN})
    with caplog.at_level(logging.INFO):
        tell(made(judge("worked", 8, ()), judge("originals", 21, [*many, seen]), skip("canaries", "nothing_changed")))
    assert ["chance_hides" in r.getMessage() for r in caplog.records if r.levelno == logging.WARNING] == [True]
    red = [r.getMessage() for r in caplog.records if r.levelno == logging.ERROR]
    assert red[0].startswith("原值比对 originals: ") and "FAIL (检查 examined 21, 发现 findings 9)" in red[0]
    assert (
        "(app.t00.c)" in red[1]
        and "‹" not in red[1]
        and "副本已隔离，不得交付" in red[1]
        and "docs/runbooks/masking-verification.md" in red[1]
    )
    assert len(red) == MOST_TOLD + 2 and "3 more, see the report" in red[-1]
    assert [r.levelno for r in caplog.records if r.getMessage().startswith("金丝雀")] == [logging.INFO]


@pytest.mark.parametrize(("worked", "said"), [("rejected", "rejected: "), ("four_eyes", "four_eyes: "), ("", "not_approved: ")])
def test_the_end_of_a_run_says_which_answer_closed_the_gate(worked: str, said: str) -> None:
    told = made(*([skip("worked", worked)] if worked else []), skip("copied", "nothing_changed"), stop=StopReason.NOT_APPROVED)
    assert changing.end(told, CONTEXT).startswith(said)


def test_a_green_run_with_a_warning_says_what_to_look_at(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        changing.end(made(judge("originals", 21, [RED.model_copy(update={"status": Status.WARN})])), CONTEXT)
    assert any("app.people.id_no" in r.getMessage() for r in caplog.records if r.levelno == logging.WARNING)


def test_a_red_run_tells_before_it_fails(caplog: pytest.LogCaptureFixture) -> None:
    with (
        pytest.raises(AirflowFailException, match=re.escape("原值比对 originals FAIL: originals_in_copy; done")),
        caplog.at_level(logging.INFO),
    ):
        changing.end(made(judge("originals", 21, [RED])), CONTEXT)
    assert "app.people.id_no" in caplog.text
