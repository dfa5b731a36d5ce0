-- purpose: give the snapshot of this transaction to other sessions, and tell which transactions are visible in it
-- kind: read
-- engine: postgresql 14-19
-- privileges: none beyond CONNECT
-- locks: none
-- licence: none
-- binds: none
-- columns: snapshot (its name, valid while this transaction lives), xids (xmin, xmax and what was in progress between)
-- source: PostgreSQL manual, System Administration Functions: Snapshot Synchronization Functions; System Information Functions
SELECT pg_export_snapshot() AS snapshot, pg_current_snapshot()::text AS xids
