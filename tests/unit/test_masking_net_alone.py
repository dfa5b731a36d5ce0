"""The second net shares no code with the masking: what it imports of Drydock is named here, and nothing else is allowed."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

from drydock.masking import verification

FOLDER = Path(verification.__file__).parent
OWN = "drydock.masking.verification"
ALLOWED = {"drydock.verdicts", "drydock.sqlfiles", "drydock.engines.postgres"}


def imports(text: str) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            found.add("." * node.level + (node.module or ""))
            found.update(f"{node.module}.{alias.name}" for alias in node.names if node.module in ("drydock", "drydock.masking"))
    return {name for name in found if name.split(".")[0] in ("drydock", "stdnum", "")}


def strangers(text: str) -> set[str]:
    return {n for n in imports(text) if n not in ALLOWED and n != OWN and not n.startswith(f"{OWN}.")}


def test_the_net_imports_nothing_of_the_masking() -> None:
    files = sorted(FOLDER.rglob("*.py"))
    assert len(files) >= 12
    assert {path.name: strangers(path.read_text(encoding="utf-8")) for path in files if strangers(path.read_text())} == {}


def test_the_rule_catches_what_breaks_it() -> None:
    for line in (
        "from drydock.masking.values.checks import x",
        "import drydock.masking.values.kinds",
        "from drydock.masking import keys",
        "import stdnum.luhn",
    ):
        assert strangers(line), line


def test_running_it_loads_nothing_of_the_masking() -> None:
    names = ",".join(f"{OWN}.{path.stem}" for path in FOLDER.glob("*.py") if path.stem != "__init__")
    code = (
        f"import sys,{names}\nprint([m for m in sys.modules if m.startswith('drydock.masking.') and not m.startswith({OWN!r})])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_verifying_a_copy_loads_no_technique() -> None:
    """The policy is read, and nothing of what masks, finds or checks values for the masking itself."""
    modules = [f"copy_checks.{name}" for name in ("verifying", "expectations_copy", "expectations_statements")]
    code = "import sys," + ",".join(f"drydock.masking.{name}" for name in modules) + "\nprint([m for m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {m.removeprefix("drydock.masking.") for m in ast.literal_eval(done.stdout) if m.startswith("drydock.masking.")}
    maskers = {"techniques", "kernel", "column_maskers", "checks", "inside", "discovery", "keys", "feistel", "specimens"}
    assert {name for name in loaded if maskers & set(name.split("."))} == set()
    assert "verification.net" in loaded
