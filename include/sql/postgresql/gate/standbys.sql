-- purpose: tell of each standby how far it is behind; a slot that nobody reads is a standby that is away
-- kind: read
-- engine: postgresql 14-19
-- privileges: pg_read_all_stats (without it lag and positions are null)
-- locks: none
-- licence: none
-- binds: none
-- columns: is_connected (false: a physical slot without a reader), state (streaming, catchup, startup; empty: hidden or away), replay_lag_s (seconds; null: everything was replayed some time ago, or not known), behind_bytes (WAL not yet replayed; null: not told)
-- source: PostgreSQL manual, The Cumulative Statistics System: pg_stat_replication; System Views: pg_replication_slots
SELECT
    TRUE AS is_connected,
    coalesce(r.state, '') AS state,
    extract(epoch FROM r.replay_lag)::float8 AS replay_lag_s,
    CASE WHEN NOT pg_is_in_recovery() THEN pg_wal_lsn_diff(pg_current_wal_lsn(), r.replay_lsn) END::bigint AS behind_bytes
FROM pg_stat_replication AS r
WHERE coalesce(r.state, '') <> 'backup' AND coalesce(r.application_name, '') NOT IN ('pg_receivewal', 'pg_basebackup')
UNION ALL
SELECT
    FALSE AS is_connected,
    '' AS state,
    NULL AS replay_lag_s,
    NULL AS behind_bytes
FROM pg_replication_slots AS s
WHERE s.slot_type = 'physical' AND NOT s.active AND NOT s.temporary AND s.restart_lsn IS NOT NULL
