"""What a changing pipeline of Oracle needs: the privileges of its own files, and those of the typed statements that it sends.

`python tests/sql/oracle_grants.py reclaim` writes include/sql/oracle/grants/reclaim.sql anew.
"""

from __future__ import annotations

import ast
import sys
from pathlib import Path

HERE = Path(__file__).parent
if __name__ == "__main__":
    sys.path[:0] = [str(HERE.parents[1] / "plugins"), str(HERE)]

from oracle_proof import privileges_of  # noqa: E402

from drydock.engines import oracle_statements  # noqa: E402
from drydock.settings import home, include_dir  # noqa: E402
from drydock.sqlfiles import SqlFile, all_sql_files, parse_sql_file, sql_file  # noqa: E402

TEMPLATES = "statements"
LEFT_OUT = {
    "masking": {"ANALYZE ANY": "statistics are gathered of a copy alone, by the account that owns it"},
    "reclaim": {"DROP ANY TABLE": "only where the policy allows truncate (allow_truncate), and then by the site itself"},
    "reindex": {
        "INDEX ON owner.table": "optional, for a table whose indexes are rebuilt: DBMS_SPACE.CREATE_INDEX_COST then tells the\n"
        "--   room of a build too; without it the call answers ORA-01031 (cost_not_asked of an item), and the\n"
        "--   formula alone tells the room (room_from of an item). It opens: indexes of the account's own on that table,\n"
        "--   where it has quota: give it none. CREATE ANY INDEX would be enough too, and opens every schema"
    },
}
NOTES = {
    "ALTER ANY TABLE": "or ALTER on each table instead: GRANT ALTER ON owner.table",
    "ALTER ANY INDEX": "there is no object privilege for ALTER INDEX: without it only the owner may",
    "ANALYZE ANY": "DBMS_SPACE and DBMS_STATS on tables of others",
}
HEADER = """-- purpose: let the work account of the pipeline {pipeline} see what it decides on, and change it;
--   session.sql, gate.sql and changing.sql are for the same account
-- kind: grants
-- engine: oracle 11.2-23
-- privileges: SYSDBA, or GRANT ANY OBJECT PRIVILEGE with GRANT ANY PRIVILEGE
-- locks: none
-- licence: none
-- binds: account (identifier: the work account; SQL*Plus: DEFINE account = DRYDOCK_WORK, in a CDB a local user of the PDB)
-- columns: none
-- source: SQL Language Reference 19c, GRANT; the prerequisites of each statement
"""


def builders_used(pipeline: str) -> set[str]:
    """Names of `oracle_statements` that the modules of a pipeline use."""
    known, used = set(vars(oracle_statements)), set()
    for path in sorted((home() / "plugins" / "drydock" / pipeline / "oracle").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute):
                used.add(node.attr)
            elif isinstance(node, ast.ImportFrom) and node.module == "drydock.engines.oracle_statements":
                used.update(name.name for name in node.names)
    return used & known


def templates_of(builders: set[str]) -> set[str]:
    """Files of include/sql/oracle/statements that these builders render, by the names that stand in their code."""
    names = {path.stem for path in all_sql_files() if path.parts[-3:-1] == ("oracle", TEMPLATES)}
    tree = ast.parse(Path(oracle_statements.__file__).read_text(encoding="utf-8"))
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name in builders]
    texts = {n.value for f in functions for n in ast.walk(f) if isinstance(n, ast.Constant) and isinstance(n.value, str)}
    return names & texts


def system_privileges_of(file: SqlFile) -> set[str]:
    """ALTER ANY TABLE and the like; what an owner or a grant of the owner may do instead is left out."""
    return {part for part in privileges_of(file) if part.replace(" ", "").isupper() and "." not in part}


def needed_by(pipeline: str) -> set[str]:
    """All that the account of a pipeline needs, as the header of a file names it."""
    own = [parse_sql_file(path) for path in all_sql_files() if path.parts[-3:-1] == ("oracle", pipeline)]
    found = {"CREATE SESSION"}.union(*(privileges_of(file) for file in own))
    sent, left_out = templates_of(builders_used(pipeline)), LEFT_OUT.get(pipeline, {})
    return found.union(*(system_privileges_of(sql_file("oracle", TEMPLATES, t)) for t in sent)) - left_out.keys()


def grants_text(pipeline: str) -> str:
    """The text of the grants file."""
    needed = needed_by(pipeline)
    system = sorted(p for p in needed if "." not in p)
    lines = [f"-- {NOTES[p]}\nGRANT {p} TO &account;" if p in NOTES else f"GRANT {p} TO &account;" for p in system]
    objects = sorted(p for p in needed if "." in p)
    lines += [f"GRANT {p} TO &account;" if p.startswith("EXECUTE ") else f"GRANT SELECT ON {p} TO &account;" for p in objects]
    lines += [f"-- {why}: GRANT {p} TO account" for p, why in LEFT_OUT.get(pipeline, {}).items()]
    return HEADER.format(pipeline=pipeline) + "\n".join(lines) + "\n"


if __name__ == "__main__":
    for named in sys.argv[1:]:
        target = include_dir() / "sql" / "oracle" / "grants" / f"{named}.sql"
        target.write_text(grants_text(named), encoding="utf-8")
        print(f"wrote {target}")
