"""An Oracle database of two days with an `rman` that says what a test wants, asked by the product through the real script.

The catalogue comes from the simulator's model through the product's SQL; what RMAN prints is this module's own, in the words
of 19c; `LocalFarSide` runs `drydock-rman` without SSH, which tests/db/test_rman_ssh.py puts in between.
"""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from sqlalchemy import Engine

from drydock.backup import steps
from drydock.backup.facts import Survey
from drydock.backup.oracle.survey import Rows, survey_oracle
from drydock.backup.results import Depth, Drill, Read, ReadUnit
from drydock.backup.steps import BackupRun
from drydock.calendar import Calendar
from drydock.configuration import Configuration
from drydock.estate import Database, Estate, RmanHost
from drydock.ledger import history, record
from drydock.notices import Notices
from drydock.policy import BackupPolicy, BackupPolicyFile
from drydock.rman.far_side import Answer, FarSide
from drydock.settings import home
from drydock.verdicts import Finding
from drydock.waivers import WaiverFile
from sandbox.oracle.host import SCRIPT, prepare_host
from sandbox.oracle.model.database import OracleDatabase
from sandbox.oracle.model.jobs import weekly_plan
from sandbox.oracle.worlds import lived
from tests.faults.oracle_judging import estate_entry, simulator_rows

SID = "GZMAIN"
RMAN = r"""#!/bin/bash
command=$(cat "${3#cmdfile=}")
dbid=$(cat "$ORACLE_HOME/dbid")
key=$(sed -n 's/^VALIDATE BACKUPSET \([0-9]*\).*/\1/p' <<<"$command")
echo "$command" >>"$ORACLE_HOME/asked"
banner() {
    echo; echo "Recovery Manager: Release 19.0.0.0.0 - Production on Fri Nov 20 07:30:00 2026"; echo "Version 19.25.0.0.0"; echo
    echo "connected to target database: GZMAIN (DBID=$dbid)"; echo; echo "RMAN> $command"; echo
}
read_pieces() {
    echo "Starting validate at 2026-11-20T07:30:01"; echo "using target database control file instead of recovery catalog"
    echo "allocated channel: ORA_DISK_1"; echo "channel ORA_DISK_1: SID=77 device type=DISK"
    echo "channel ORA_DISK_1: starting validation of datafile backup set"
    for piece in "$@"; do
        echo "channel ORA_DISK_1: reading from backup piece $piece"
        echo "channel ORA_DISK_1: piece handle=$piece tag=TAG20261120T010000"; echo "channel ORA_DISK_1: restored backup piece 1"
    done
    echo "channel ORA_DISK_1: validation complete, elapsed time: 00:00:01"; echo "Finished validate at 2026-11-20T07:30:03"
}
finish() { echo; echo "Recovery Manager complete."; }
[ -f "$ORACLE_HOME/behave" ] && . "$ORACLE_HOME/behave"
banner
case $command in
    'VALIDATE BACKUPSET'*) read_pieces $(cat "$ORACLE_HOME/sets/$key") ;;
    REPORT*) echo "Report of files"; echo "File #bkps Name"; echo "---- ----- -----------------------" ;;
    *PREVIEW*) echo "Starting restore at 2026-11-20T07:30:01"; echo "Finished restore at 2026-11-20T07:30:01" ;;
    *) read_pieces $(cat "$ORACLE_HOME"/sets/* | head -n 1) ;;
esac
finish
"""


class LocalFarSide:
    """Runs the script here, as sshd would. `before`: called with the words first, to break something on the way."""

    place = "oracle@here:22"

    def __init__(self, configuration: Path) -> None:
        self.configuration, self.said = configuration, []

    def run(self, words: str) -> Answer:
        self.said.append(words)
        env = {"PATH": os.environ["PATH"], "HOME": str(self.configuration.parent), "SSH_ORIGINAL_COMMAND": words}
        done = subprocess.run([home() / SCRIPT, self.configuration], env=env, capture_output=True, check=False)
        return Answer(done.returncode, done.stdout, done.stderr)

    def close(self) -> None:
        return None


@cache
def a_model() -> OracleDatabase:
    """The database of all tests; none of them changes it."""
    return lived(7, plan=weekly_plan(360), ends_at=datetime.now(UTC), days=2)


@cache
def its_survey() -> Survey:
    return survey_oracle(estate_entry(a_model()), simulator_rows(a_model()), datetime.now(UTC))


@dataclass
class RmanYard:
    """One database, its host's folder, and runs of the pipeline on it, each under a name of its own."""

    folder: Path
    ledger: Engine
    database_id: str
    host: RmanHost = field(default_factory=lambda: RmanHost(ssh_connection="ssh_yard", sid=SID))
    programs: dict[str, str] = field(default_factory=lambda: {SID: RMAN})
    depth: Depth = Depth.BYTES
    force_drill: bool = False
    far_side: FarSide | None = None
    rows: Rows | None = None

    @property
    def home(self) -> Path:
        return self.folder / "homes" / SID

    @property
    def database(self) -> Database:
        entry = estate_entry(a_model())
        backup = entry.backup.model_copy(update={"rman": self.host})
        return entry.model_copy(update={"id": self.database_id, "backup": backup})

    def prepare(self, **settings: object) -> RmanYard:
        """The host's folder, and the pieces of each set as its rman names them."""
        prepare_host(self.folder, self.programs, min_free_mb=1, **settings)
        self.far_side = self.far_side or LocalFarSide(self.folder / "drydock-rman.conf")
        return self

    def run(self, key: str = "r1") -> BackupRun:
        databases = (self.database,)
        estate = Estate(schema="drydock-estate/1", name_zh="院", name_en="Yard", platforms=(), databases=()).model_copy(
            update={"databases": databases}
        )
        configuration = Configuration(
            estate,
            BackupPolicyFile(
                schema="drydock-backup-policy/1", defaults=BackupPolicy(read_every_days=3650)
            ),  # only the newest sets
            Calendar(schema="drydock-calendar/1"),
            WaiverFile(schema="drydock-exceptions/1"),
            Notices(schema="drydock-notices/1"),
        )
        return BackupRun(
            configuration,
            self.ledger,
            self.database,
            key,
            datetime.now(UTC),
            self.depth,
            self.force_drill,
            far_side=self.far_side,
            oracle_rows=self.rows,
        )

    def survey(self, key: str = "r1") -> Survey:
        """Survey, and give the rman its pieces and its DBID. Without rows of its own it is the survey of all tests."""
        run = self.run(key)
        if self.rows:
            steps.take_survey(run)
        else:
            steps.open_attempt(run)
            made = its_survey().model_copy(update={"database": self.database_id, "as_of": run.as_of, "surveyed_at": run.as_of})
            record.save_survey(self.ledger, run.run_id, made)
        survey = history.load_survey(self.ledger, run.run_id)
        (self.home / "sets").mkdir(exist_ok=True)
        for made in survey.catalogue.sets:
            handles = [p.handle for p in made.pieces]
            (self.home / "sets" / str(made.recid)).write_text("\n".join(handles) + "\n")
        (self.home / "dbid").write_text(str(survey.catalogue.facts.dbid))
        return survey

    def behave(self, script: str) -> None:
        (self.home / "behave").write_text(script)

    def asked(self) -> list[str]:
        return (self.home / "asked").read_text().splitlines() if (self.home / "asked").exists() else []

    def read(self, key: str = "r1") -> tuple[Read, ...]:
        return steps.read_back(self.run(key))

    def drill(self, key: str = "r1") -> Drill | None:
        return steps.drill_if_due(self.run(key))

    def reads(self, key: str = "r1") -> dict[str, Read]:
        """Subject -> the newest read of it, of sets and questions."""
        return {r.subject: r for r in history.reads_of_run(self.ledger, self.run(key).run_id)}

    def told(self, key: str = "r1") -> dict[str, list[Finding]]:
        """Code -> findings of the reads of this run."""
        found: dict[str, list[Finding]] = {}
        for read in self.reads(key).values():
            for finding in read.findings:
                found.setdefault(finding.code, []).append(finding)
        return found

    def sets_read(self, key: str = "r1") -> list[str]:
        return [s for s, r in self.reads(key).items() if r.unit is ReadUnit.SET]
