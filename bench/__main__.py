"""`python -m bench [NAME ...] [--small]`: run all benchmarks, or those that are named, and print one table.

Exits with 0 when every target was held, 1 when one was missed, 64 on bad usage. How to read it: bench/README.md.
"""

from __future__ import annotations

import argparse
import os
import sys
from importlib import import_module

from bench.measures import machine_facts, table, tell
from drydock import settings

NAMES = (
    "configuration",
    "dag_parsing",
    "ledger",
    "oracle_engine",
    "oracle_logs",
    "packing",
    "reclaim",
    "masking",
    "audit",
    "backup",
)


def main(arguments: list[str]) -> int:
    """Each benchmark is a module of its name with `measure(small) -> list[Line]`."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Ratios to a named peer or a floor.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(NAMES)}; none: all")
    parser.add_argument("--small", action="store_true", help="small sizes: a quick look, about a minute")
    try:
        chosen = parser.parse_args(arguments)
    except SystemExit as e:
        return 64 if e.code else 0
    if unknown := set(chosen.names) - set(NAMES):
        tell(f"no benchmark {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}")
        return 64
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # or each process compiles the product again, as no installed one does
    settings.state_dir().mkdir(parents=True, exist_ok=True)
    facts = machine_facts(settings.state_dir())
    lines = [line for name in chosen.names or NAMES for line in import_module(f"bench.{name}").measure(chosen.small)]
    print(f"{facts}\n\n{table(lines)}")
    return 0 if all(line.held for line in lines) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
