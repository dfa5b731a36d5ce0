"""One rendering of every typed statement, with hostile names among them, and the grammar that judges them.

`python tests/sql/golden_statements.py FOLDER` renders all, has the grammar of FOLDER/node_modules accept them, and writes
tests/sql/goldens: only accepted text becomes a golden (`make grammar`). What is sent as it lies in its file is noted in
tests/sql/grammar/accepted.json by a digest. `--changed` after FOLDER asks only for what is new or changed since.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

HERE = Path(__file__).parent
if __name__ == "__main__":
    sys.path[:0] = [str(HERE.parents[1] / "plugins")]

from drydock.engines import oracle_statements as rendered  # noqa: E402
from drydock.engines.oracle_statements import Segment, Statement  # noqa: E402
from drydock.masking.kernel.work import ColumnWork  # noqa: E402
from drydock.masking.oracle import copy_statements as c  # noqa: E402
from drydock.masking.oracle.piece_columns import piece_columns, piece_text  # noqa: E402
from drydock.masking.oracle.rows import rows_question  # noqa: E402
from drydock.masking.policies import schema as s  # noqa: E402
from drydock.sqlfiles import all_sql_files, parse_sql_file, sql_file, statements  # noqa: E402

GOLDENS = HERE / "goldens"
CLEANED = tuple(f"{deed}_{trail}" for trail in ("archived", "standard", "fga") for deed in ("mark", "clean"))
REJECTED = HERE / "grammar" / "rejected"
GAPS = HERE / "grammar" / "gaps.json"  # what the grammar does not know, each with the manual's page that has it
ACCEPTED = HERE / "grammar" / "accepted.json"  # file -> digest of its statements, as the grammar accepted them
GRAMMAR = HERE / "grammar" / "check.mjs"
PARSER = Path("node_modules") / "@griffithswaite" / "ts-plsql-parser"
SLOWEST_S = 3000  # of all statements together; a long query takes the parser seconds

TABLE, PART = Segment("GZ_MAIN", "DECLARATIONS"), Segment("GZ_MAIN", "DECLARATIONS", "P2026_10")
INDEX, INDEX_PART = Segment("GZ_MAIN", "DECLARATIONS_PK"), Segment("GZ_MAIN", "DECLARATIONS_PK", "P2026_10")
SUB = Segment("GZ_MAIN", "DECLARATIONS", "P2026_10_S1", is_subpartition=True)
HOSTILE = Segment("Own; DROP USER x--", "表'); END; /* ", "SELECT")
DIVISION = (
    """PARTITION BY RANGE ("AT") INTERVAL (NUMTOYMINTERVAL(1, 'MONTH')) (PARTITION "P'; --" VALUES LESS THAN """
    """(TO_DATE('2026-01-01 00:00:00', 'YYYY-MM-DD HH24:MI:SS')), PARTITION "Q" VALUES LESS THAN (MAXVALUE))"""
)
ODD_TYPES = tuple(
    s.DataType(name=name, family=family)  # type: ignore[arg-type]
    for name, family in (
        ("NUMBER(38,2)", "number"),
        ("TIMESTAMP(6) WITH TIME ZONE", "date"),
        ("TIMESTAMP(9) WITH LOCAL TIME ZONE", "date"),
        ("INTERVAL DAY(2) TO SECOND(6)", "time"),
        ("INTERVAL YEAR(2) TO MONTH", "time"),
        ("XMLTYPE", "xml"),
        ("JSON", "json"),
    )
)
LONGEST = Segment("O" * 128, "报" * 42, "TABLE")


def _of_file(pipeline: str, name: str) -> Statement:
    """A block that nothing is filled into."""
    file = sql_file("oracle", pipeline, name)
    return Statement(file, rendered.compose(file))


def catalogue() -> dict[str, Statement]:
    """Every statement that the builders can make, by the name of its golden."""
    r = rendered
    return {
        "row_movement_on": r.row_movement(TABLE, enabled=True),
        "row_movement_off": r.row_movement(TABLE, enabled=False),
        "shrink": r.shrink(TABLE),
        "shrink_compact": r.shrink(TABLE, compact=True),
        "shrink_cascade": r.shrink(TABLE, cascade=True),
        "shrink_compact_cascade": r.shrink(TABLE, compact=True, cascade=True),
        "shrink_hostile": r.shrink(HOSTILE),
        "shrink_partition": r.shrink(PART),
        "shrink_partition_compact": r.shrink(PART, compact=True),
        "shrink_partition_longest": r.shrink(LONGEST, compact=True),
        "move": r.move(TABLE, online=False),
        "move_online": r.move(TABLE, online=True),
        "move_online_parallel": r.move(TABLE, online=True, degree=4),
        "move_partition": r.move(PART, online=False),
        "move_partition_online": r.move(PART, online=True, update_indexes=True),
        "move_partition_parallel": r.move(PART, online=True, update_indexes=True, degree=8),
        "move_hostile": r.move(HOSTILE, online=True),
        "shrink_subpartition": r.shrink(SUB, compact=True),
        "shrink_check": r.shrink_check(TABLE),
        "shrink_check_partition": r.shrink_check(PART),
        "shrink_lob": r.shrink_lob(TABLE, "BODY"),
        "shrink_lob_partition": r.shrink_lob(PART, "BODY"),
        "shrink_lob_hostile": r.shrink_lob(HOSTILE, "C') (SHRINK"),
        "deallocate": r.deallocate_unused(TABLE),
        "deallocate_partition": r.deallocate_unused(PART),
        "deallocate_subpartition": r.deallocate_unused(SUB),
        "move_subpartition": r.move(SUB, online=True, update_indexes=True),
        "move_lob": r.move_lob(TABLE, "BODY", "GZ_MAIN_DATA", online=False),
        "move_lob_online": r.move_lob(TABLE, "BODY", "GZ_MAIN_DATA", online=True),
        "move_lob_partition": r.move_lob(PART, "BODY", "GZ_MAIN_DATA", online=True, update_indexes=True),
        "truncate_partition": r.truncate_partition(PART),
        "truncate_subpartition": r.truncate_partition(SUB),
        "has_row": r.has_row(TABLE),
        "has_row_partition": r.has_row(PART),
        "unused_space": r.unused_space(PART, "TABLE PARTITION"),
        "create_index_cost": r.create_index_cost(TABLE, ["ID", "NAME"]),
        "securefile_usage": r.securefile_usage(Segment("GZ_MAIN", "SYS_LOB0000070386C00001$$"), "LOB"),
        "rebuild_subpartition": r.rebuild(SUB, online=False),
        "rebuild": r.rebuild(INDEX, online=False),
        "rebuild_online": r.rebuild(INDEX, online=True),
        "rebuild_online_parallel": r.rebuild(INDEX, online=True, degree=4),
        "rebuild_partition": r.rebuild(INDEX_PART, online=False),
        "rebuild_partition_online": r.rebuild(INDEX_PART, online=True, degree=2),
        "rebuild_hostile": r.rebuild(HOSTILE, online=True),
        "coalesce": r.coalesce(INDEX),
        "coalesce_partition": r.coalesce(INDEX_PART),
        "shrink_index": r.shrink_index(INDEX),
        "shrink_index_compact": r.shrink_index(INDEX, compact=True),
        "online_index_clean": r.online_index_clean(70386),
        "degree_default": r.index_degree(INDEX, "DEFAULT"),
        "degree_none": r.index_degree(INDEX, None),
        "degree_4": r.index_degree(INDEX, 4),
        "logging": r.index_logging(INDEX, logging=True),
        "nologging": r.index_logging(INDEX, logging=False),
        "gather_table_stats": r.gather_table_stats(PART, granularity="PARTITION", degree=4),
        "gather_table_stats_cascade": r.gather_table_stats(TABLE, cascade=True),
        "space_usage": r.space_usage(PART, "TABLE PARTITION"),
        "cancel_sql": r.cancel_sql(1234, 56789),
        "cancel_sql_on_instance": r.cancel_sql(1234, 56789, 2, "a5ks9fhw2v9s1"),
        "kill_session": r.kill_session(1234, 56789),
        "kill_session_on_instance": r.kill_session(1234, 56789, 2),
        **{name: _of_file("audit_purge", name) for name in CLEANED},
        **_of_copies(),
        **_of_figures(),
    }


def _of_figures() -> dict[str, Statement]:
    """What is asked of a source and of its copy, one golden for each file; names are hostile. Over those of check digits, sums of
    up to thirty terms, the grammar thinks for a minute or three each."""
    relation, column = f"{HOSTILE.quoted} AS OF SCN :scn t", f't."{HOSTILE.name}"'
    own = {
        "figures": {
            "figures": (
                f"COUNT(*) AS f0, COUNT(DISTINCT {column}) AS f1, SUM(ABS({column})) AS f2, "
                f"AVG((TRUNC(SYS_EXTRACT_UTC({column})) - DATE '1970-01-01') * 86400 + EXTRACT(HOUR FROM {column}) * 3600 "
                f"+ EXTRACT(MINUTE FROM {column}) * 60 + EXTRACT(SECOND FROM {column}) * 1) AS f3, "
                f"COUNT(CASE WHEN REGEXP_LIKE(RTRIM({column}), '^[0-9]{{4}}$') THEN 1 END) / NULLIF(COUNT(*), 0) AS f4, "
                f"COUNT(CASE WHEN DBMS_LOB.GETLENGTH({column}) > 0 THEN 1 END) AS f5"
            ),
            "relation": relation,
            "condition": f"({column} >= 12.5)",
        },
        "repeated": {"relation": relation, "present": f"{column} IS NOT NULL", "columns": f't."ID", {column}'},
        "orphans": {
            "child": f"{HOSTILE.quoted} AS OF SCN :scn c",
            "parent": f"{TABLE.quoted} AS OF SCN :scn p",
            "present": 'c."ID" IS NOT NULL',
            "same": 'p."ID" = c."ID"',
        },
    }
    found = {}
    asked = (p for p in all_sql_files() if p.parts[-3:-1] == ("oracle", "masking_verify"))
    for path in (p for p in asked if p.stem in own or p.stem.startswith("wrong_")):
        file = parse_sql_file(path)
        parts = own.get(file.name, {"value": f"TO_CHAR({column})", "relation": relation, "condition": "1 = 1"})
        found[f"verify_{file.name}"] = Statement(file, rendered.compose(file, parts))
    return found


def _of_copies() -> dict[str, Statement]:
    """What makes and delivers a masked copy; names of several columns are hostile."""
    kind = s.DataType(name="VARCHAR2(20 CHAR)", family="text")
    table = s.Table(schema_name="APP", name="T", columns=(s.Column(name=HOSTILE.name, position=1, type=kind, nullable=False),))
    sequence = s.Sequence(schema_name="APP", name="N", increment=2, minimum=1, maximum=10**27, cycles=True, cache=1)
    owner, names = HOSTILE.owner, ["ID", HOSTILE.name]
    identity = s.Column(
        name="ID", position=1, type=s.DataType(name="NUMBER(12)", family="number"), nullable=False, identity="always"
    )
    virtual = s.Column(name="V", position=2, type=kind, nullable=False, generated="virtual")
    made = s.Table(schema_name="APP", name="M", columns=(identity, virtual))
    take = c.take_rows(owner, "T", "P", names)
    piece = piece_columns([ColumnWork(name=f"{HOSTILE.name}{n}", type=of) for n, of in enumerate(ODD_TYPES)])
    link = f"FOREIGN KEY ({c.listed(names)}) REFERENCES {TABLE.quoted} ({c.listed(names)}) ON DELETE CASCADE ENABLE VALIDATE"
    kinds = {p.into: of for p, of in zip(piece, ODD_TYPES, strict=False)}
    return {
        "copy_table": c.create_table(owner, "T", c.columns_of(table, {HOSTILE.name: "'it''s'"})),
        "copy_table_made": c.create_table(
            owner, "T", c.columns_of(made, {}, {"V": """UPPER("ID") || 'x'"""}, {("APP.M", "ID"): sequence})
        ),
        "copy_piece": c.create_table(owner, "P", piece_text(piece)),
        "copy_table_divided": c.create_table(owner, "T", c.columns_of(table, {}), DIVISION),
        "copy_runs": c.create_table("COPIES", c.RUNS, c.MACHINERY[c.RUNS]),
        "copy_parts": c.create_table("COPIES", c.PARTS, c.MACHINERY[c.PARTS]),
        "copy_drop": c.drop_table(owner, "T"),
        "copy_empty": c.empty_table(owner, "T"),
        "copy_key": c.add_constraint(owner, "T", "K", f"PRIMARY KEY ({c.listed(names)})"),
        "copy_check": c.add_constraint(owner, "T", "K", 'CHECK (REGEXP_LIKE("ID_NO", \'^[0-9]{17}[0-9X]$\') OR "A" IN (1, 2))'),
        "copy_link": c.add_constraint(owner, "T", "K", link),
        "copy_index": c.create_index(owner, "T", "I", names, unique=True),
        "copy_identity": c.identity_past_rows(owner, "T", table.columns[0]),
        "copy_identity_steps": c.identity_past_rows(owner, "T", table.columns[0], sequence),
        "copy_draw": c.draw_from(owner, "T", HOSTILE.name, HOSTILE.name),
        "copy_sequence": c.create_sequence(owner, sequence, 77),
        "copy_sequence_drop": c.drop_sequence(owner, "N"),
        "copy_comment": c.comment_on(owner, "T", HOSTILE.name, "人员's; --"),
        "copy_take": take,
        "copy_take_types": c.take_rows(owner, "T", "P", [p.into for p in piece if p.into], [p.taken for p in piece if p.into]),
        "copy_ends": Statement(take.file, c.ends_question(owner, "T", HOSTILE.name)),
        "copy_rows": Statement(take.file, rows_question(owner, "T", list(kinds)[:-1], "", kinds, list(kinds)[1:2])),
        "copy_rows_json": Statement(take.file, rows_question(owner, "T", list(kinds)[-1:], "", kinds)),
        "copy_insert": c.insert_rows(owner, "P", names),
        "copy_part": c.written("part_add"),
        "copy_run": c.written("run_add"),
        "copy_generation": c.written("generation_set"),
        "copy_forget_parts": c.written("parts_forget"),
        "copy_forget_runs": c.written("runs_forget"),
        "copy_deliver": c.deliver(owner, ["T", HOSTILE.name], ["READER", "R2"]),
    }


def from_files() -> dict[str, str]:
    """What is sent as it lies in its file: reads, the set-up of a session, grants."""
    found = {}
    for path in all_sql_files():
        file = parse_sql_file(path)
        if path.parents[1].name != "oracle" or file.kind in ("question", "change", "block"):
            continue
        texts = statements(file) if file.kind == "grants" else [file.statement.replace("{seconds}", "10")]
        name = f"{file.pipeline}/{file.name}"
        found |= {f"{name} {n}": re.sub(r"&[a-z_]+", "DRYDOCK_LOOK", text) for n, text in enumerate(texts, 1)}
    return found


def digests(texts: dict[str, str]) -> dict[str, str]:
    """File -> digest of all its statements in their order."""
    whole: dict[str, str] = {}
    for name, text in texts.items():
        file = file_of(name)
        whole[file] = sha256(f"{whole.get(file, '')}\0{text}".encode()).hexdigest()[:16]
    return dict(sorted(whole.items()))


def file_of(name: str) -> str:
    """`changing/plans` of `changing/plans 1`, a name of `from_files`."""
    return name.rpartition(" ")[0]


def never_asked(texts: dict[str, str]) -> list[str]:
    """Files that are new, changed or gone since the grammar accepted them all."""
    now, accepted = digests(texts), json.loads(ACCEPTED.read_text(encoding="utf-8"))
    return sorted(file for file in now.keys() | accepted.keys() if now.get(file) != accepted.get(file))


def grammar_answers(home: Path, texts: dict[str, str]) -> dict[str, list[str]]:
    """What the grammar finds wrong with each text. Raises subprocess.CalledProcessError."""
    ended = {name: text if text.rstrip().endswith(";") else f"{text};" for name, text in texts.items()}
    command = [shutil.which("node") or "node", str(GRAMMAR), str(home)]
    done = subprocess.run(command, input=json.dumps(ended), capture_output=True, text=True, check=True, timeout=SLOWEST_S)
    return json.loads(done.stdout)


def disagreements(home: Path, texts: dict[str, str]) -> list[str]:
    """Where the grammar says something else than we expect: it accepts all but the known gaps and the planted wrong ones."""
    gaps = json.loads(GAPS.read_text(encoding="utf-8"))
    wrong = {f"rejected/{path.stem}": path.read_text(encoding="utf-8") for path in sorted(REJECTED.glob("*.sql"))}
    answers = grammar_answers(home, {**texts, **wrong})
    refused = {name: faults[0][:200] for name, faults in answers.items() if faults}
    expected = {*(gaps.keys() & texts.keys()), *wrong}
    return [f"refused by the grammar: {name}: {refused[name]}" for name in sorted(refused.keys() - expected)] + [
        f"accepted by the grammar, though expected to be refused: {name}" for name in sorted(expected - refused.keys())
    ]


def is_golden(name: str, text: str) -> bool:
    """Whether a builder's statement was accepted as it is now."""
    path = GOLDENS / f"{name}.sql"
    return path.is_file() and path.read_text(encoding="utf-8").removesuffix("\n") == text


def main() -> int:
    """Judge every statement, or with `--changed` what was never judged; write down what is accepted when all are."""
    texts, files = {name: s.text for name, s in catalogue().items()}, from_files()
    asked = {**texts, **files}
    if "--changed" in sys.argv[2:]:
        new = set(never_asked(files))
        asked = {
            name: text for name, text in asked.items() if not is_golden(name, text) and (name in texts or file_of(name) in new)
        }
    found = disagreements(Path(sys.argv[1]).resolve(), asked)
    print(*found, sep="\n", end="\n" if found else "")
    if found:
        return 1
    for old in GOLDENS.glob("*.sql"):
        old.unlink()
    for name, text in texts.items():
        (GOLDENS / f"{name}.sql").write_text(text + "\n", encoding="utf-8")
    ACCEPTED.write_text(json.dumps(digests(files), indent=1) + "\n", encoding="utf-8")
    gaps = json.loads(GAPS.read_text(encoding="utf-8"))
    unknown = len(gaps.keys() & asked.keys())
    print(f"the grammar accepts {len(asked) - unknown} statements; {unknown} it does not know, see {GAPS.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
