-- purpose: let this transaction see what the picture of the source sees
-- kind: session
-- engine: postgresql 14-19
-- privileges: none beyond CONNECT
-- locks: none
-- licence: none
-- binds: snapshot (name that pg_export_snapshot gave)
-- columns: none
-- source: PostgreSQL manual, SET TRANSACTION: SNAPSHOT
SET TRANSACTION SNAPSHOT {snapshot}
