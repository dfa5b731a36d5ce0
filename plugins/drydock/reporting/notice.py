"""The one message that tells people of a run: mail and the group robots get the same figures.

Robots bound their messages (企业微信 markdown: 4,096 bytes of UTF-8; 钉钉: 20,000), so findings are added, worst first,
while they fit, and the rest is counted. Robots differ in which markdown they understand and ignore backslashes, so
hostile text is disarmed by look-alike characters rather than escaped.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from drydock.backup.results import Judgement
from drydock.estate import Database
from drydock.messages import message, next_step, question_word, runbook_anchor, runbook_page
from drydock.reporting.answers import restorable_text, rpo_text, rto_text
from drydock.reporting.backup_findings import heading_of
from drydock.reporting.day_record import name_of
from drydock.reporting.figures import status_text
from drydock.reporting.words import word
from drydock.verdicts import CleanText, Finding, Model, Status

MARKDOWN_MAX_BYTES = 4096
TEXT_MAX_BYTES = 20_000
SUBJECT_MAX_CHARACTERS = 120
LONGEST_SENTENCE = 300  # characters of a finding's sentence, place or next step
_LOOKALIKES = str.maketrans("<>[]()`*#|\\@~", "＜＞［］（）＇＊＃｜＼＠～")


class Notice(Model):
    """`subject` and `text` for mail, `markdown` for robots, `status` for who wants to know."""

    subject: CleanText
    text: str
    markdown: str
    status: Status


def disarm(text: str) -> str:
    """Foreign text that cannot become a link, a mention, a heading or markup in any robot's markdown."""
    flat = " ".join(text.split()).translate(_LOOKALIKES).replace("://", "：//")
    return re.sub(r"(?<![0-9A-Za-z])_|_(?![0-9A-Za-z])", "＿", flat)


def build_notice(
    judgement: Judgement,
    database: Database,
    language: str,
    report_paths: Iterable[Path | str] = (),
    console_url: str | None = None,
    runbook_base_url: str | None = None,
) -> Notice:
    """The notice of one database's run: four verdicts, restorable window, top findings with next step and runbook."""
    status = status_text(judgement.status, language)
    subject = word("notice_subject", language, status=status, database=name_of(database, language), day=judgement.day)
    told = Told(subject, _facts(judgement, database, language), judgement.findings, tuple(report_paths), console_url)
    return make_notice(told, judgement.status, language, runbook_base_url)


def build_failure_notice(
    database_id: str, language: str, console_url: str | None = None, runbook_base_url: str | None = None
) -> Notice:
    """The notice of a run that ended before it could judge: UNKNOWN, and where to look."""
    status = status_text(Status.UNKNOWN, language)
    subject = word("notice_failure_subject", language, status=status, database=database_id)
    told = Told(subject, (word("notice_failure", language),), None, (), console_url)
    return make_notice(told, Status.UNKNOWN, language, runbook_base_url)


@dataclass(frozen=True)
class Told:
    """What a notice says, before it is marked up. `findings` is None where nothing could be examined."""

    subject: str
    facts: tuple[str, ...]
    findings: tuple[Finding, ...] | None
    report_paths: tuple[Path | str, ...]
    console_url: str | None


@dataclass(frozen=True)
class _Form:
    """How lines look: markdown for robots, plain text for mail."""

    marked: bool
    language: str
    runbook_base_url: str | None

    def foreign(self, text: str) -> str:
        short = text if len(text) <= LONGEST_SENTENCE else text[: LONGEST_SENTENCE - 1] + "…"
        return disarm(short) if self.marked else " ".join(short.split())

    def title(self, text: str) -> str:
        return f"**{self.foreign(text)}**" if self.marked else text

    def link(self, label: str, url: str) -> str:
        return f"[{self.foreign(label)}]({quote(url, safe=_URL_SAFE)})" if self.marked else f"{label}: {url}"

    def runbook(self, code: str) -> str:
        """The heading that explains the code, as a link to it where the site has told where its runbooks lie."""
        heading = heading_of(code, self.language)
        label = f"{word('notice_runbook', self.language)}{word('colon', self.language)}{heading}"
        if not heading:
            label = f"{label}{word('none', self.language)}"
        if not (heading and self.runbook_base_url):
            return self.foreign(label)
        return self.link(label, f"{self.runbook_base_url.rstrip('/')}/{runbook_page(code)}{runbook_anchor(code)}")

    def finding(self, number: int, finding: Finding) -> str:
        language, colon = self.language, word("colon", self.language)
        lines = [f"{number}. {status_text(finding.effective, language)} {self.foreign(message(finding, language))}"]
        if finding.place:
            lines.append(f"   {word('place', language)}{colon}{self.foreign(finding.place)}")
        if finding.acknowledged:
            a = finding.acknowledged
            accepted = word("notice_accepted", language, approver=a.approver, review_by=a.review_by)
            lines.append(f"   {self.foreign(accepted)}")
        step = next_step(finding.code, language) or word("none", language)
        lines.append(f"   {word('notice_next', language)}{colon}{self.foreign(step)}")
        lines.append(f"   {self.runbook(finding.code)}")
        return "\n".join(lines)


_URL_SAFE = ":/?#&=%+~@,;!$-._"  # parentheses are quoted: they would end a markdown link


def _facts(judgement: Judgement, database: Database, language: str) -> tuple[str, ...]:
    colon = word("colon", language)
    verdicts = [f"{question_word(v.question, language)}{colon}{status_text(v.status, language)}" for v in judgement.verdicts]
    return (
        *verdicts,
        word("notice_restorable", language, span=restorable_text(judgement, database.time_zone, language)),
        word("notice_rpo", language, figures=rpo_text(judgement, language)),
        word("notice_rto", language, figures=rto_text(judgement, language)),
    )


def make_notice(told: Told, status: Status, language: str, runbook_base_url: str | None) -> Notice:
    """The same words for mail and for robots, each within its bound."""
    plain, marked = (_Form(m, language, runbook_base_url) for m in (False, True))
    return Notice(
        subject=told.subject[:SUBJECT_MAX_CHARACTERS],
        text=_compose(told, plain, TEXT_MAX_BYTES),
        markdown=_compose(told, marked, MARKDOWN_MAX_BYTES),
        status=status,
    )


def _compose(told: Told, form: _Form, max_bytes: int) -> str:
    """Head and tail always; findings in their order while they fit; what does not fit is counted."""
    head = [form.title(told.subject), *(f"- {form.foreign(fact)}" for fact in told.facts)]
    tail = _tail(told, form)
    findings, language = told.findings or (), form.language
    if told.findings is not None:
        title = word("notice_findings", language, n=len(findings)) if findings else word("notice_no_findings", language)
        head.append(form.title(title))
    left = max_bytes - _size(head) - _size(tail) - _size([word("notice_more", language, n=len(findings))])
    shown: list[str] = []
    for number, finding in enumerate(findings, start=1):
        block = form.finding(number, finding)
        if _size([*shown, block]) > left:
            tail.insert(0, word("notice_more", language, n=len(findings) - len(shown)))
            break
        shown.append(block)
    return _cut("\n".join([*head, *shown, *tail]), max_bytes)


def _tail(told: Told, form: _Form) -> list[str]:
    files = dict.fromkeys(Path(p).name for p in told.report_paths)
    tail = [form.foreign(word("notice_reports", form.language, files=", ".join(files)))] if files else []
    return tail + ([form.link(word("notice_console", form.language), told.console_url)] if told.console_url else [])


def _size(lines: list[str]) -> int:
    """Bytes of the lines with their line ends."""
    return sum(len(line.encode("utf-8")) + 1 for line in lines)


def _cut(text: str, max_bytes: int) -> str:
    """The last resort, at a character's edge: only addresses of absurd length get here."""
    return text.encode("utf-8")[:max_bytes].decode("utf-8", errors="ignore")
