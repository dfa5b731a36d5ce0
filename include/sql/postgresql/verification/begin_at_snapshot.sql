-- purpose: see the rows of the picture that another session holds
-- kind: session
-- engine: postgresql 14-19
-- privileges: none
-- locks: none; the other session's transaction must still be open
-- licence: none
-- binds: snapshot (literal: what pg_export_snapshot gave)
-- columns: none
-- source: PostgreSQL manual, SET TRANSACTION SNAPSHOT
SET TRANSACTION SNAPSHOT {snapshot}
