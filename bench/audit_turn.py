"""One turn of `bench.audit` in a process of its own: reads one log and tells seconds and peak of memory.

python -m bench.audit_turn ours FILE LEDGER_URL FOLDER     collect, seal, digest and keep: the product's own steps
python -m bench.audit_turn parse FILE                      polars reads the file into columns of text, and nothing else

Both print one JSON object.
"""

from __future__ import annotations

import json
import sys
import time
from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace

import polars as pl

from bench.oracle_judging import memory_bytes
from drydock.audit.collection.collecting import collect
from drydock.audit.collection.file_source import FilesSource
from drydock.audit.digest import digest_files
from drydock.audit.policy import AuditPolicy, AuditSource, SourceKind
from drydock.audit.results import Part
from drydock.audit.run import AuditRun
from drydock.audit.spans import span_of_day
from drydock.audit.storage.store import Store, keep_digest
from drydock.estate import Database
from drydock.ledger import record
from drydock.ledger.connect import ledger_engine

DAY, ZONE = date(2026, 3, 2), "Asia/Shanghai"


def ours(file: str, url: str, folder: str) -> int:
    """Records collected and digested of one day."""
    ledger, name = ledger_engine(url), Path(folder).name
    database = Database.model_construct(id=name, time_zone=ZONE, name_zh=name, name_en=name)
    source = AuditSource(id="log", kind=SourceKind.FILES, folder=str(Path(file).parent), names=(Path(file).name,))
    run_id = record.open_run(ledger, "audit", name, DAY, "bench").run_id
    begin, end = span_of_day(DAY, database.zone)
    store = Store(Path(folder), name, ledger)
    policy = AuditPolicy(sources=(source,))
    run = AuditRun(SimpleNamespace(), ledger, database, policy, run_id, store, begin, end, datetime.now(UTC))  # type: ignore[arg-type]
    slices = collect(run, FilesSource(source, database), begin, end)
    activity, use = digest_files(store.paths(Part.RECORDS, begin, end), begin, end)
    keep_digest(run, activity, use)
    assert activity["records"].sum() == sum(slice.records for slice in slices)
    return int(activity["records"].sum())


def parse(file: str) -> int:
    """The floor: rows of the file as columns of text."""
    return pl.read_csv(file, has_header=False, infer_schema=False).height


def main(what: str, *arguments: str) -> None:
    began_at, began_cpu_s = time.perf_counter(), time.process_time()
    records = {"ours": ours, "parse": parse}[what](*arguments)
    told = {"elapsed_s": time.perf_counter() - began_at, "cpu_s": time.process_time() - began_cpu_s}
    print(json.dumps(told | {"peak_bytes": memory_bytes("VmHWM"), "records": records}))


if __name__ == "__main__":
    main(*sys.argv[1:])
