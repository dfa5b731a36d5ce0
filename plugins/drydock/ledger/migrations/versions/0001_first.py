"""The first shape of the ledger: runs and their events, surveys, reads, drills, judgements, reports."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0001_first"
down_revision = None
branch_labels = None
depends_on = None

SCHEMA = "drydock"
TABLES = ("runs", "run_events", "surveys", "backup_sets", "reads", "drills", "judgements", "verdicts", "findings", "reports")


def upgrade() -> None:
    _create_runs()
    _create_run_events()
    _create_surveys()
    _create_backup_sets()
    _create_reads()
    _create_drills()
    _create_judgements()
    _create_verdicts()
    _create_findings()
    _create_reports()


def downgrade() -> None:
    """Only an empty ledger may go: history is not dropped by a mistyped command."""
    for name in TABLES:
        rows = sa.select(sa.table(name, sa.column("id"), schema=SCHEMA)).limit(1)
        if op.get_bind().execute(rows).first():
            raise RuntimeError(f"the ledger holds history ({name}) and is not dropped; drop its schema by hand if that is meant")
    for name in reversed(TABLES):
        op.drop_table(name, schema=SCHEMA)


def _create_runs() -> None:
    op.create_table(
        "runs",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False, comment="grows with the order of insertion"),
        sa.Column("pipeline", sa.Text(), nullable=False, comment="backup, reclaim, …"),
        sa.Column("database", sa.Text(), nullable=False, comment="id in the estate"),
        sa.Column("day", sa.Date(), nullable=False, comment="the day that is judged or worked, local to the database"),
        sa.Column("run_key", sa.Text(), nullable=False, comment="Airflow run_id, or a name of its own outside Airflow"),
        sa.Column(
            "opened_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="when the first attempt opened the run",
        ),
        sa.PrimaryKeyConstraint("id", name="runs_pkey"),
        sa.UniqueConstraint("pipeline", "database", "run_key", name="runs_pipeline_database_run_key_key"),
        schema=SCHEMA,
        comment="one run of one pipeline on one database; found again by every attempt",
    )


def _create_run_events() -> None:
    op.create_table(
        "run_events",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False, comment="grows with the order of insertion"),
        sa.Column("run_id", sa.BigInteger(), nullable=False, comment="run that made this row"),
        sa.Column("event", sa.Text(), nullable=False, comment="the step that is complete"),
        sa.Column("attempt", sa.BigInteger(), nullable=False, comment="1 for the first opening of the run, 2 for the next, …"),
        sa.Column(
            "detail",
            JSONB(),
            nullable=False,
            comment="figures of the event; never a value of the database's own data",
        ),
        sa.Column(
            "at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="when the event was recorded",
        ),
        sa.CheckConstraint(
            "event IN ('attempt_started', 'surveyed', 'read', 'drilled', 'judged', 'reported', 'noticed', 'finished')",
            name=op.f("run_events_event_check"),
        ),
        sa.ForeignKeyConstraint(["run_id"], ["drydock.runs.id"], name="run_events_run_id_fkey"),
        sa.PrimaryKeyConstraint("id", name="run_events_pkey"),
        schema=SCHEMA,
        comment="what happened in a run, in order; a run without `finished` at its end is unfinished",
    )
    op.create_index(
        "run_events_one_start_per_attempt",
        "run_events",
        ["run_id", "attempt"],
        unique=True,
        schema=SCHEMA,
        postgresql_where=sa.text("event = 'attempt_started'"),
    )
    op.create_index("run_events_run_id_id_idx", "run_events", ["run_id", "id"], schema=SCHEMA)


def _create_surveys() -> None:
    op.create_table(
        "surveys",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False, comment="grows with the order of insertion"),
        sa.Column("run_id", sa.BigInteger(), nullable=False, comment="run that made this row"),
        sa.Column("database", sa.Text(), nullable=False, comment="id in the estate"),
        sa.Column("as_of", sa.DateTime(timezone=True), nullable=False, comment="the time whose state is told"),
        sa.Column("surveyed_at", sa.DateTime(timezone=True), nullable=False, comment="when it was looked at"),
        sa.Column("survey", JSONB(), nullable=False, comment="drydock.backup.facts.Survey"),
        sa.ForeignKeyConstraint(["run_id"], ["drydock.runs.id"], name="surveys_run_id_fkey"),
        sa.PrimaryKeyConstraint("id", name="surveys_pkey"),
        schema=SCHEMA,
        comment="what lay there before any byte of it was read",
    )
    op.create_index("surveys_database_as_of_id_idx", "surveys", ["database", "as_of", "id"], schema=SCHEMA)
    op.create_index("surveys_run_id_id_idx", "surveys", ["run_id", "id"], schema=SCHEMA)


def _create_backup_sets() -> None:
    op.create_table(
        "backup_sets",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False, comment="grows with the order of insertion"),
        sa.Column("survey_id", sa.BigInteger(), nullable=False, comment="survey that saw it so first"),
        sa.Column("database", sa.Text(), nullable=False, comment="id in the estate"),
        sa.Column("set_id", sa.Text(), nullable=False, comment="directory name or repository label"),
        sa.Column("as_of", sa.DateTime(timezone=True), nullable=False, comment="as_of of that survey"),
        sa.Column(
            "made_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="when the set was finished, else started, else first seen",
        ),
        sa.Column("backup_set", JSONB(), nullable=False, comment="drydock.backup.facts.BackupSet"),
        sa.ForeignKeyConstraint(["survey_id"], ["drydock.surveys.id"], name="backup_sets_survey_id_fkey"),
        sa.PrimaryKeyConstraint("id", name="backup_sets_pkey"),
        schema=SCHEMA,
        comment="every backup set ever surveyed: a row when it was first seen, and one whenever it looked different",
    )
    op.create_index("backup_sets_newest_idx", "backup_sets", ["database", "set_id", "as_of", "id"], schema=SCHEMA)


def _create_reads() -> None:
    op.create_table(
        "reads",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False, comment="grows with the order of insertion"),
        sa.Column("run_id", sa.BigInteger(), nullable=False, comment="run that made this row"),
        sa.Column("database", sa.Text(), nullable=False, comment="id in the estate"),
        sa.Column("unit", sa.Text(), nullable=False, comment="set or logs"),
        sa.Column("subject", sa.Text(), nullable=False, comment="set_id, or FIRST..LAST segment names"),
        sa.Column("set_id", sa.Text(), nullable=False, comment="empty for logs"),
        sa.Column("timeline", sa.BigInteger(), nullable=True, comment="timeline of the logs"),
        sa.Column("first_position", sa.BigInteger(), nullable=True, comment="first log position that was read"),
        sa.Column("end_position", sa.BigInteger(), nullable=True, comment="first log position after what was read"),
        sa.Column("read_bytes", sa.BigInteger(), nullable=False, comment="bytes read"),
        sa.Column("files", sa.BigInteger(), nullable=False, comment="files read"),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False, comment="when reading began"),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=False, comment="when reading ended"),
        sa.Column("findings", JSONB(), nullable=False, comment="list of drydock.verdicts.Finding"),
        sa.CheckConstraint("unit IN ('set', 'logs')", name=op.f("reads_unit_check")),
        sa.ForeignKeyConstraint(["run_id"], ["drydock.runs.id"], name="reads_run_id_fkey"),
        sa.PrimaryKeyConstraint("id", name="reads_pkey"),
        schema=SCHEMA,
        comment="backup sets and log ranges of which every byte was read back",
    )
    op.create_index("reads_database_ended_at_idx", "reads", ["database", "ended_at"], schema=SCHEMA)
    op.create_index("reads_run_id_idx", "reads", ["run_id"], schema=SCHEMA)


def _create_drills() -> None:
    op.create_table(
        "drills",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False, comment="grows with the order of insertion"),
        sa.Column("run_id", sa.BigInteger(), nullable=False, comment="run that made this row"),
        sa.Column("database", sa.Text(), nullable=False, comment="id in the estate"),
        sa.Column("drill_id", sa.Text(), nullable=False, comment="name of the scratch area"),
        sa.Column("set_id", sa.Text(), nullable=False, comment="newest set of the restored chain"),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False, comment="when the drill began"),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=False, comment="when the drill ended"),
        sa.Column("passed", sa.Boolean(), nullable=False, comment="no finding that is FAIL or UNKNOWN"),
        sa.Column("drill", JSONB(), nullable=False, comment="drydock.backup.results.Drill"),
        sa.ForeignKeyConstraint(["run_id"], ["drydock.runs.id"], name="drills_run_id_fkey"),
        sa.PrimaryKeyConstraint("id", name="drills_pkey"),
        sa.UniqueConstraint("database", "drill_id", name="drills_database_drill_id_key"),
        schema=SCHEMA,
        comment="restore drills: what was restored, how long each step took, what was found",
    )
    op.create_index("drills_database_ended_at_idx", "drills", ["database", "ended_at"], schema=SCHEMA)
    op.create_index("drills_run_id_idx", "drills", ["run_id"], schema=SCHEMA)


def _create_judgements() -> None:
    op.create_table(
        "judgements",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False, comment="grows with the order of insertion"),
        sa.Column("run_id", sa.BigInteger(), nullable=False, comment="run that made this row"),
        sa.Column("database", sa.Text(), nullable=False, comment="id in the estate"),
        sa.Column("day", sa.Date(), nullable=False, comment="the day that was judged, local to the database"),
        sa.Column("as_of", sa.DateTime(timezone=True), nullable=False, comment="the time whose state was judged"),
        sa.Column("judged_at", sa.DateTime(timezone=True), nullable=False, comment="when it was judged"),
        sa.Column("depth", sa.Text(), nullable=False, comment="how far the run went: records, bytes, drill"),
        sa.Column("status", sa.Text(), nullable=False, comment="the worst of the four verdicts"),
        sa.Column("judgement", JSONB(), nullable=False, comment="drydock.backup.results.Judgement"),
        sa.CheckConstraint("depth IN ('catalogue', 'bytes', 'drill')", name=op.f("judgements_depth_check")),
        sa.CheckConstraint("status IN ('PASS', 'WARN', 'FAIL', 'SKIPPED', 'UNKNOWN')", name=op.f("judgements_status_check")),
        sa.ForeignKeyConstraint(["run_id"], ["drydock.runs.id"], name="judgements_run_id_fkey"),
        sa.PrimaryKeyConstraint("id", name="judgements_pkey"),
        schema=SCHEMA,
        comment="one database, one day: the newest row of a day counts, the others are its history",
    )
    op.create_index("judgements_database_day_id_idx", "judgements", ["database", "day", "id"], schema=SCHEMA)
    op.create_index("judgements_day_database_id_idx", "judgements", ["day", "database", "id"], schema=SCHEMA)
    op.create_index("judgements_run_id_id_idx", "judgements", ["run_id", "id"], schema=SCHEMA)


def _create_verdicts() -> None:
    op.create_table(
        "verdicts",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False, comment="grows with the order of insertion"),
        sa.Column("judgement_id", sa.BigInteger(), nullable=False, comment="judgement it belongs to"),
        sa.Column("question", sa.Text(), nullable=False, comment="executed, complete, valid, normal"),
        sa.Column("status", sa.Text(), nullable=False, comment="after acknowledgements"),
        sa.Column("examined", sa.BigInteger(), nullable=False, comment="how many things were looked at; none is UNKNOWN"),
        sa.Column("reason", sa.Text(), nullable=False, comment="message code: why SKIPPED or UNKNOWN without a finding"),
        sa.Column("evidence", JSONB(), nullable=False, comment="the figures behind the answer"),
        sa.CheckConstraint("question IN ('executed', 'complete', 'valid', 'normal')", name=op.f("verdicts_question_check")),
        sa.CheckConstraint("status <> 'PASS' OR examined > 0", name=op.f("verdicts_pass_examined_something_check")),
        sa.CheckConstraint("status IN ('PASS', 'WARN', 'FAIL', 'SKIPPED', 'UNKNOWN')", name=op.f("verdicts_status_check")),
        sa.CheckConstraint("examined >= 0", name=op.f("verdicts_examined_check")),
        sa.ForeignKeyConstraint(["judgement_id"], ["drydock.judgements.id"], name="verdicts_judgement_id_fkey"),
        sa.PrimaryKeyConstraint("id", name="verdicts_pkey"),
        sa.UniqueConstraint("judgement_id", "question", name="verdicts_judgement_id_question_key"),
        schema=SCHEMA,
        comment="the four answers of a judgement, never folded into one",
    )


def _create_findings() -> None:
    op.create_table(
        "findings",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False, comment="grows with the order of insertion"),
        sa.Column("verdict_id", sa.BigInteger(), nullable=False, comment="verdict it belongs to"),
        sa.Column("code", sa.Text(), nullable=False, comment="message code"),
        sa.Column("status", sa.Text(), nullable=False, comment="before acknowledgement"),
        sa.Column("effective", sa.Text(), nullable=False, comment="after acknowledgement"),
        sa.Column("place", sa.Text(), nullable=False, comment="where to look"),
        sa.Column("values", JSONB(), nullable=False, comment="fills the message"),
        sa.Column(
            "acknowledged",
            JSONB(none_as_null=True),
            nullable=True,
            comment="who accepted it, why, until when",
        ),
        sa.CheckConstraint("effective IN ('PASS', 'WARN', 'FAIL', 'SKIPPED', 'UNKNOWN')", name=op.f("findings_effective_check")),
        sa.CheckConstraint("status IN ('PASS', 'WARN', 'FAIL', 'SKIPPED', 'UNKNOWN')", name=op.f("findings_status_check")),
        sa.ForeignKeyConstraint(["verdict_id"], ["drydock.verdicts.id"], name="findings_verdict_id_fkey"),
        sa.PrimaryKeyConstraint("id", name="findings_pkey"),
        schema=SCHEMA,
        comment="the things that were wrong, each with its place",
    )
    op.create_index("findings_verdict_id_idx", "findings", ["verdict_id"], schema=SCHEMA)


def _create_reports() -> None:
    op.create_table(
        "reports",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False, comment="grows with the order of insertion"),
        sa.Column("run_id", sa.BigInteger(), nullable=True, comment="run that made this row"),
        sa.Column("kind", sa.Text(), nullable=False, comment="backup_record, drill_record, …"),
        sa.Column("day", sa.Date(), nullable=False, comment="the day it tells of"),
        sa.Column(
            "judgement_until", sa.BigInteger(), nullable=False, comment="id of the newest judgement that it tells of; 0: none"
        ),
        sa.Column("database", sa.Text(), nullable=True, comment="null: all databases of the estate"),
        sa.Column("language", sa.Text(), nullable=False, comment="zh or en"),
        sa.Column("format", sa.Text(), nullable=False, comment="docx, html or xlsx"),
        sa.Column("path", sa.Text(), nullable=False, comment="where the file was written"),
        sa.Column("sha256", sa.Text(), nullable=False, comment="hexadecimal digest of the file"),
        sa.Column("bytes", sa.BigInteger(), nullable=False, comment="size of the file"),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False, comment="when the file was complete"),
        sa.CheckConstraint("format IN ('docx', 'html', 'xlsx')", name=op.f("reports_format_check")),
        sa.CheckConstraint("language IN ('zh', 'en')", name=op.f("reports_language_check")),
        sa.CheckConstraint("sha256 ~ '^[0-9a-f]{64}$'", name=op.f("reports_sha256_check")),
        sa.ForeignKeyConstraint(["run_id"], ["drydock.runs.id"], name="reports_run_id_fkey"),
        sa.PrimaryKeyConstraint("id", name="reports_pkey"),
        schema=SCHEMA,
        comment="files that were handed out, with their SHA-256; the newest row of a kind, day and format counts",
    )
    op.create_index("reports_day_kind_id_idx", "reports", ["day", "kind", "id"], schema=SCHEMA)
