"""The shape of the house: sizes, names, SQL in files, clean lint. Each rule is first seen to catch what breaks it."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
RUNBOOKS = [f"docs/runbooks/{path.name}" for path in sorted((ROOT / "docs" / "runbooks").glob("*.md"))]
FORBIDDEN_NAMES = {"utils", "helpers", "manager", "common", "misc"}
LONGEST_MODULE, LONGEST_FUNCTION, LONGEST_DAG_FILE = 400, 40, 150
READS, WRITES = r"select\s.+\sfrom", r"insert\s+into|delete\s+from|update\s.+\sset|alter\s+(table|index|system)|drop\s+table"
PACKAGE = ROOT / "plugins" / "drydock"
PIPELINES = {"backup", "reclaim", "reindex", "masking", "audit"}
MODELS = {"verdicts", "plans", "outcomes"}
ABOVE = {
    "engines": {*PIPELINES, "reporting", "orchestration"},
    "oracle_logs": {*PIPELINES, "engines", "ledger", "changing", "reporting", "orchestration"},
    "rman": {*PIPELINES, "engines", "ledger", "changing", "reporting", "orchestration"},
    "ledger": {"engines", "changing", "reclaim", "reindex", "masking", "reporting", "orchestration"},
    "changing": {*PIPELINES, "orchestration"},
    "reporting": {"engines", "orchestration"},
    **{name: {"orchestration"} for name in PIPELINES},
}
"""Rooms that a room must not know (docs/architecture.md, Layers)."""
UPWARDS = {"shell.py: drydock.orchestration.store_places"}
"""A shell that reads a store in object storage asks Airflow for its connection; a folder needs none."""
SQL = re.compile(rf"\b({READS}|{WRITES})\b", re.I | re.S)


def product_files() -> list[Path]:
    return sorted([*(ROOT / "plugins").rglob("*.py"), *(ROOT / "dags").glob("*.py")])


def all_files() -> list[Path]:
    return [*product_files(), *sorted((ROOT / "sandbox").rglob("*.py")), *sorted((ROOT / "bench").glob("*.py"))]


class Seen(NamedTuple):
    """What the rules have to say of one file."""

    long: list[str]
    sql: list[str]
    silent: list[str]
    above: list[str]


@cache
def seen_in(path: Path) -> Seen:
    """All rules at once: a file is read and walked once, and its tree is not kept."""
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    return Seen(long_functions(path, nodes), sql_strings(path, nodes), silent_ones(path, nodes[0]), known_above(path, nodes))


def long_functions(path: Path, nodes: list[ast.AST]) -> list[str]:
    functions = [(n, n.end_lineno - n.lineno + 1) for n in nodes if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]
    return [f"{path.name}:{n.lineno} {n.name} has {lines} lines" for n, lines in functions if lines > LONGEST_FUNCTION]


def sql_strings(path: Path, nodes: list[ast.AST]) -> list[str]:
    """String constants that hold SQL, docstrings left out."""
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docstrings = {id(n.body[0].value) for n in nodes if isinstance(n, documented) and ast.get_docstring(n)}
    constants = [n for n in nodes if isinstance(n, ast.Constant) and id(n) not in docstrings]
    return [f"{path.name}:{n.lineno}" for n in constants if isinstance(n.value, str) and SQL.search(n.value)]


def silent_ones(path: Path, tree: ast.AST) -> list[str]:
    """A module, or a longer public function of it, that does not say what it is."""
    functions = [n for n in tree.body if isinstance(n, ast.FunctionDef) and not n.name.startswith("_")]
    longer = [n for n in functions if n.end_lineno - n.lineno > 6 and path.parent.name not in ("dags", "versions")]
    module = [] if ast.get_docstring(tree) else [path.name]
    return module + [f"{path.name}: {n.name}" for n in longer if not ast.get_docstring(n)]


def known_above(path: Path, nodes: list[ast.AST]) -> list[str]:
    """Imports of what stands above the file's own room."""
    within = path.relative_to(PACKAGE).parts if path.is_relative_to(PACKAGE) else ()
    room = within[0].removesuffix(".py") if within else ""
    names = [alias.name for n in nodes if isinstance(n, ast.Import) for alias in n.names]
    named = [(n.module or "", alias.name) for n in nodes if isinstance(n, ast.ImportFrom) for alias in n.names]
    names += [f"drydock.{name}" if module == "drydock" else module for module, name in named]
    ours = {name: name.split(".")[1] for name in names if name.startswith("drydock.")}
    if room in MODELS:
        return [f"{path.name}: {name}" for name, other in ours.items() if other not in MODELS]
    return [f"{path.name}: {name}" for name, other in ours.items() if other in ABOVE.get(room, ())]


def test_no_module_is_long() -> None:
    sizes = {p: len(p.read_text(encoding="utf-8").splitlines()) for p in all_files()}
    assert len(sizes) > 50
    assert {p.name: n for p, n in sizes.items() if n > LONGEST_MODULE} == {}


def test_no_function_is_long() -> None:
    assert [line for path in all_files() for line in seen_in(path).long] == []


def test_no_file_is_named_for_nothing() -> None:
    assert [p for p in all_files() if p.stem in FORBIDDEN_NAMES or p.parent.name in FORBIDDEN_NAMES] == []


def test_sql_stands_in_files() -> None:
    assert [line for path in product_files() if "migrations" not in path.parts for line in seen_in(path).sql] == []


def test_each_layer_knows_the_ones_below_it_and_none_above() -> None:
    assert {line for path in product_files() for line in seen_in(path).above} == UPWARDS
    nodes = ast.parse("from drydock import gate, reporting\nimport drydock.masking.steps\nfrom drydock.plans import Plan").body
    assert known_above(PACKAGE / "engines" / "oracle.py", nodes) == [
        "oracle.py: drydock.masking.steps",
        "oracle.py: drydock.reporting",
    ]
    assert len(known_above(PACKAGE / "verdicts.py", nodes)) == 3 and known_above(ROOT / "dags" / "x.py", nodes) == []


def test_every_room_stands_on_the_page_on_architecture() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    rooms = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert len(rooms) > 10 and {name for name in rooms if f"`plugins/drydock/{name}/`" not in page} == set()


def test_these_rules_catch_what_breaks_them(tmp_path: Path) -> None:
    bad = tmp_path / "bad.py"
    body = "\n".join(f"    x = {n}" for n in range(LONGEST_FUNCTION))
    bad.write_text(f'"""Select one from many."""\ndef f():\n{body}\nq = "select a from b"\n')
    assert seen_in(bad).long == [f"bad.py:2 f has {LONGEST_FUNCTION + 1} lines"]
    assert seen_in(bad).sql == [f"bad.py:{LONGEST_FUNCTION + 3}"]


def test_every_module_and_longer_public_function_says_what_it_is() -> None:
    assert [line for path in product_files() for line in seen_in(path).silent] == []


@pytest.mark.parametrize("page", ["README.md", "README.zh-CN.md", "docs/adr/README.md", *RUNBOOKS])
def test_links_lead_somewhere(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    targets = [t for t in re.findall(r"\]\(([^)#]+)", text) if not t.startswith("http")]
    assert [t for t in targets if not ((ROOT / page).parent / t).exists()] == []


def test_both_readmes_tell_the_same() -> None:
    english, chinese = ((ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "README.zh-CN.md"))

    def shape(text: str) -> tuple[object, ...]:
        code = set(re.findall(r"`([^`\n]+)`", text))
        return (*(len(re.findall(mark, text, re.M)) for mark in (r"^## ", r"^\d\. ", r"^\|")), code)

    ours, theirs = shape(english), shape(chinese)
    assert ours[:3] == theirs[:3]
    assert {c for c in ours[3] ^ theirs[3] if "<" not in c} == set()


def test_lint_is_clean() -> None:
    done = subprocess.run([sys.executable, "-m", "ruff", "check", "."], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:]
