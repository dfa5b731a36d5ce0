"""Pages that are generated, so that they cannot go stale: `python -m drydock docs` writes them, a test compares them."""

from __future__ import annotations

import ast
from pathlib import Path

from drydock import settings


def build_dags_page(dags_dir: Path) -> str:
    """One chapter per DAG file: its docstring, which is also the page that the Airflow UI shows."""
    chapters = [_chapter(path) for path in sorted(dags_dir.glob("*.py"))]
    head = (
        "# DAGs\n\nGenerated from the docstrings in `dags/` by `make docs`. "
        "One DAG per pipeline and database: `<pipeline>__<database>`.\n"
    )
    return head + "".join(chapters)


def _chapter(path: Path) -> str:
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return f"\n## `{path.stem}`\n\nFile: `dags/{path.name}`\n\n{docstring.strip()}\n"


def pages() -> dict[Path, str]:
    """Path and content of every generated page."""
    docs = settings.home() / "docs"
    crypto, rules = docs / "masking-crypto.md", docs / "audit-rules.md"
    return {
        docs / "dags.md": build_dags_page(settings.home() / "dags"),
        crypto: with_domain_table(crypto),
        rules: with_audit_rules(rules),
    }


def with_domain_table(page: Path) -> str:
    """The page about pseudonyms with the sizes of sets as the code counts them, between its two marks."""
    from drydock.masking.techniques.domains import domain_table

    before, rest = page.read_text(encoding="utf-8").split("<!-- sizes -->")
    return f"{before}<!-- sizes -->\n{domain_table()}<!-- /sizes -->{rest.split('<!-- /sizes -->')[1]}"


def with_audit_rules(page: Path) -> str:
    """The page about rules of detection with its tables as their files tell them."""
    from drydock.audit.detection.rule_pages import with_rules

    return with_rules(page, settings.home() / "include" / "audit" / "rules")


def write_pages() -> list[Path]:
    """Write what differs; returns the paths written."""
    stale = stale_pages()
    for path in stale:
        path.write_text(pages()[path], encoding="utf-8")
    return stale


def stale_pages() -> list[Path]:
    return [path for path, text in pages().items() if not path.exists() or path.read_text(encoding="utf-8") != text]
