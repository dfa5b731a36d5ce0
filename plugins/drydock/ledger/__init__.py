"""Drydock's own memory, a PostgreSQL database that is only ever added to: runs, surveys, reads, drills, judgements, reports.

`connect` opens it, `migrate` builds it, `record` adds, `history` asks. Corrections are new rows; the newest row counts.
"""
