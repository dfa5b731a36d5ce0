"""The stored form of audit records: one row each, the same columns for every source, without any statement's literals.

`record_frame` and the vectorised readers make frames of exactly this schema; the store, the digest and the rules read it.
"""

from __future__ import annotations

import polars as pl

UTC_TIME = pl.Datetime("us", "UTC")

RECORDS: dict[str, pl.DataType | type[pl.DataType]] = {
    "event_time": UTC_TIME,
    "received_time": UTC_TIME,  # the second clock, where there is one
    "instance": pl.String,
    "database": pl.String,  # name of the database or container, as the record tells it
    "session_id": pl.String,
    "entry_id": pl.String,  # number within the session
    "statement_id": pl.String,
    "account": pl.String,
    "current_user": pl.String,
    "proxy_user": pl.String,
    "os_user": pl.String,
    "client": pl.String,  # host, or the address where no host is told
    "terminal": pl.String,
    "program": pl.String,
    "action": pl.String,  # upper case: SELECT, LOGON, ALTER USER, …
    "kind": pl.String,  # class or audit type of the source
    "object_schema": pl.String,  # the first object; all of them in `objects`
    "object_name": pl.String,
    "objects": pl.List(pl.String),  # schema.name
    "return_code": pl.String,
    "succeeded": pl.Boolean,
    "privilege": pl.String,
    "grantee": pl.String,
    "new_name": pl.String,
    "policies": pl.List(pl.String),
    "fingerprint": pl.String,  # of the normalised statement, 16 hexadecimal digits; "" without a statement
    "marks": pl.List(pl.String),  # what the statement's own text shows before its literals go: tautology, union_select, …
    "rows": pl.Int64,
    "duration_ms": pl.Float64,
    "severity": pl.String,
    "authentication": pl.String,
    "dialect": pl.String,
    "file": pl.String,  # name of the source file, or the view that was asked
    "line": pl.Int64,  # number of its first line there; 0 for views
}
"""Natural key of a record: (instance, database, session_id, entry_id, statement_id, event_time); by file and line where the
source has no session or entry."""

KEY = ("instance", "database", "session_id", "entry_id", "statement_id", "event_time")

STATEMENTS: dict[str, pl.DataType | type[pl.DataType]] = {
    "fingerprint": pl.String,
    "normalised": pl.String,  # literals are ?, comments gone, at most 4,000 characters
    "verb": pl.String,  # SELECT, INSERT, UPDATE, DELETE, MERGE, CREATE TABLE, …
    "objects": pl.List(pl.String),  # schema.name, as far as the text tells them
    "has_where": pl.Boolean,  # null where the verb has none
    "records": pl.Int64,
    "first_at": UTC_TIME,
    "last_at": UTC_TIME,
}
"""One row per fingerprint of a slice."""

EXEMPLARS: dict[str, pl.DataType | type[pl.DataType]] = {"fingerprint": pl.String, "statement": pl.String}
"""One statement as it stood, per fingerprint of a slice: a file of its own that only the auditor's account may read."""

ACTIVITY: dict[str, pl.DataType | type[pl.DataType]] = {
    "hour": UTC_TIME,  # its beginning
    "action": pl.String,
    "object_schema": pl.String,
    "object_name": pl.String,
    "account": pl.String,
    "program": pl.String,
    "client": pl.String,
    "terminal": pl.String,
    "os_user": pl.String,
    "succeeded": pl.Boolean,
    "return_code": pl.String,
    "records": pl.Int64,
    "rows": pl.Int64,
}
"""The digest of a day, by hour."""

STATEMENT_USE: dict[str, pl.DataType | type[pl.DataType]] = {
    "fingerprint": pl.String,
    "account": pl.String,
    "program": pl.String,
    "records": pl.Int64,
    "failures": pl.Int64,
    "rows": pl.Int64,
    "duration_ms": pl.Float64,
    "first_at": UTC_TIME,
    "last_at": UTC_TIME,
}
"""The digest of a day: who used which statement how often, first and last seen."""

OBJECT = (
    pl.when(pl.col("object_name").fill_null("") == "")
    .then(pl.lit(""))
    .when(pl.col("object_schema").fill_null("") == "")
    .then(pl.col("object_name"))
    .otherwise(pl.concat_str("object_schema", pl.lit("."), "object_name"))
    .alias("object")
)
"""schema.name of RECORDS and ACTIVITY; the name alone where no schema is told."""
