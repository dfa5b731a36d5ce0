"""The pages that great-expectations makes of its results ("data docs"), as files that ask nothing of the internet.

The library's own renderers and templates are used; what they fetch from elsewhere (style sheets, scripts, pictures, fonts) is
taken out of each page, and the library's own style sheet is written into it.
"""

from __future__ import annotations

import html
import io
import json
import re
from collections.abc import Iterable, Sequence
from contextlib import redirect_stdout
from itertools import groupby
from pathlib import Path
from typing import Any

import great_expectations
from great_expectations.core.expectation_validation_result import ExpectationSuiteValidationResult
from great_expectations.render.renderer import ValidationResultsPageRenderer
from great_expectations.render.view import DefaultJinjaPageView
from lxml import etree
from lxml import html as pages

from drydock.masking.copy_checks.expectations_library import Answered

STYLES = Path(great_expectations.__file__).parent / "render" / "view" / "static" / "styles"
OWN_STYLE = (
    "body{font-family:sans-serif;margin:1.5em} table{border-collapse:collapse} td,th{border:1px solid #ccc;padding:.3em .6em}"
)
_ELSEWHERE = re.compile(r"https?:|//", re.I)
_URL = re.compile(r"url\((?:[^()]|\([^()]*\))*\)|@import[^;]*;", re.I)


def write_pages(folder: Path, database: str, answered: Sequence[Answered]) -> list[Path]:
    """One page a table, an index, and the results as JSON. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    made, rows = [], []
    for number, (table, group) in enumerate(groupby(answered, key=lambda one: one.expected.table), 1):
        some = list(group)
        path = folder / f"table_{number:03d}.html"
        with redirect_stdout(io.StringIO()):  # it prints of each question once more that it names its table itself
            page = _page(table, some)
        path.write_text(page, encoding="utf-8")
        made.append(path)
        rows.append((table, path.name, len(some), sum(one.expected.held is True for one in some)))
    results = [one.expected.model_dump(mode="json") for one in answered]
    (folder / "results.json").write_text(json.dumps(results, ensure_ascii=False, indent=1), encoding="utf-8")
    (folder / "index.html").write_text(_index(database, rows), encoding="utf-8")
    return [*made, folder / "results.json", folder / "index.html"]


def _page(table: str, answered: Sequence[Answered]) -> str:
    held = sum(one.expected.held is True for one in answered)
    statistics = {
        "evaluated_expectations": len(answered),
        "successful_expectations": held,
        "unsuccessful_expectations": len(answered) - held,
        "success_percent": 100 * held / len(answered),
    }
    suite = ExpectationSuiteValidationResult(
        success=held == len(answered),
        results=[one.page for one in answered],
        suite_name=table,
        statistics=statistics,
        meta={"run_id": {"run_name": table, "run_time": ""}},
    )
    document = ValidationResultsPageRenderer().render(suite)
    return alone(DefaultJinjaPageView().render(document))


def alone(text: str) -> str:
    """A page without anything that a browser would fetch."""
    tree = pages.fromstring(text)
    for element in list(tree.iter()):
        if isinstance(element, etree._Comment) or element.tag in ("script", "link", "iframe", "img", "object", "embed"):
            _take_out(element)
        elif isinstance(element.tag, str):
            _cut_links(element)
    head = tree.find("head")
    if head is not None:
        style = etree.SubElement(head, "style")
        style.text = OWN_STYLE + "\n".join(_styles())
    return "<!DOCTYPE html>\n" + etree.tostring(tree, encoding="unicode", method="html")


def _take_out(element: Any) -> None:
    """The element alone: the text behind it stays."""
    parent = element.getparent()
    if parent is None:
        return
    before = element.getprevious()
    if element.tail and before is not None:
        before.tail = (before.tail or "") + element.tail
    elif element.tail:
        parent.text = (parent.text or "") + element.tail
    parent.remove(element)


def _cut_links(element: Any) -> None:
    for name in list(element.attrib):
        if name.startswith("on") or (name in ("href", "src", "action") and _ELSEWHERE.match(element.get(name).strip())):
            del element.attrib[name]
        elif name == "style":
            element.set(name, _URL.sub("", element.get(name)))
    if element.tag == "style" and element.text:
        element.text = _URL.sub("", element.text)


def _styles() -> Iterable[str]:
    return (_URL.sub("", path.read_text(encoding="utf-8")) for path in sorted(STYLES.glob("*.css")))


def _index(database: str, rows: Sequence[tuple[str, str, int, int]]) -> str:
    lines = "".join(
        f'<tr><td><a href="{name}">{html.escape(table)}</a></td><td>{held} / {count}</td></tr>'
        for table, name, count, held in rows
    )
    title = html.escape(database)
    return (
        f'<!DOCTYPE html><html lang="zh"><head><meta charset="utf-8"><title>{title}</title><style>{OWN_STYLE}</style></head>'
        f"<body><h1>{title}</h1><table><tr><th>表 Table</th><th>符合 Held</th></tr>{lines}</table></body></html>\n"
    )
