"""The screen report: asks nothing of a network, escapes what is foreign, and can be read without colour."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from drydock.reporting.backup_record import build_backup_record
from drydock.reporting.html_writer import write_html
from tests.unit.report_samples import DAY, HOSTILE, make_estate, make_record

VOID = {"meta", "img", "br", "link", "input", "hr"}


class _Page(HTMLParser):
    """Collects tags and text; notices tags that are not closed in order."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.tags if name == tag]


@pytest.fixture(scope="module")
def page() -> _Page:
    return _Page(write_html(make_record("zh")).decode("utf-8"))


def test_nothing_is_fetched_from_anywhere(page: _Page) -> None:
    for _, attributes in page.tags:
        for name in ("src", "href", "action", "data", "poster", "srcset"):
            assert not re.match(r"(https?:)?//", attributes.get(name) or "")
    assert {"script", "link", "iframe", "object"}.isdisjoint({tag for tag, _ in page.tags})
    assert all(image["src"].startswith("data:image/png;base64,") for image in page.all("img"))
    source = write_html(make_record("zh")).decode("utf-8")
    assert "url(" not in source
    assert "@import" not in source


def test_tags_are_closed_and_foreign_text_is_escaped(page: _Page) -> None:
    assert page.open == []
    assert HOSTILE in page.text


def test_a_status_is_told_by_mark_and_word_beside_its_colour(page: _Page) -> None:
    source = write_html(make_record("zh")).decode("utf-8")
    badges = re.findall(r'<span class="badge (\w+)">([^<]+)</span>', source)
    assert {status for status, _ in badges} == {"PASS", "WARN", "FAIL", "SKIPPED", "UNKNOWN"}
    marks = {"PASS": "√", "WARN": "△", "FAIL": "×", "SKIPPED": "○", "UNKNOWN": r"\?"}
    assert all(re.fullmatch(marks[status] + r" \w+", told) for status, told in badges)


def test_tables_have_head_cells_and_pictures_have_words(page: _Page) -> None:
    assert page.all("html") == [{"lang": "zh-CN"}]
    assert {h.get("scope") for h in page.all("th")} == {"col", "row"}
    assert all(image["alt"] for image in page.all("img"))
    ids = [attributes["id"] for _, attributes in page.tags if attributes.get("id")]
    assert len(ids) == len(set(ids))
    links = [a["href"][1:] for a in page.all("a")]
    assert set(links) <= set(ids)
    labels = [a["aria-labelledby"] for _, a in page.tags if a.get("aria-labelledby")]
    assert set(labels) <= set(ids)


def test_the_changes_come_first_and_known_findings_are_folded(page: _Page) -> None:
    assert page.text.index("今日变化") < page.text.index("目录") < page.text.index("结果一览")
    assert len(page.all("details")) == 1
    assert "open" not in page.all("details")[0]


def test_a_report_about_nothing_is_not_green() -> None:
    source = write_html(build_backup_record(DAY, {}, {}, {}, make_estate(), "zh")).decode("utf-8")
    assert 'class="badge UNKNOWN"' in source
    assert 'class="badge PASS"' not in source


def test_the_bytes_repeat() -> None:
    assert write_html(make_record("en")) == write_html(make_record("en"))
