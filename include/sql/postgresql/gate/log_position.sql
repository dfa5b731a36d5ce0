-- purpose: tell how many bytes of WAL the server has ever written; the difference of two answers is the cost of what lay between
-- kind: read
-- engine: postgresql 14-19
-- privileges: none beyond CONNECT
-- locks: none
-- licence: none
-- binds: none
-- columns: log_position (bytes; null: a standby writes none)
-- source: PostgreSQL manual, System Administration Functions: Backup Control Functions
SELECT
    CASE WHEN NOT pg_is_in_recovery() THEN pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0') END::bigint AS log_position
