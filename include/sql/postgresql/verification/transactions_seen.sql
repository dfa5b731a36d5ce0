-- purpose: tell which transactions this session sees as ended, to compare two moments of a database
-- kind: read
-- engine: postgresql 14-19
-- privileges: none beyond CONNECT
-- locks: none
-- licence: none
-- binds: none
-- columns: xids (xmin:xmax:xip_list)
-- source: PostgreSQL manual, Transaction ID and Snapshot Information Functions: pg_current_snapshot
SELECT pg_current_snapshot()::text AS xids
