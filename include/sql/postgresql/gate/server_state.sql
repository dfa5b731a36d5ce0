-- purpose: tell in one look what the gate asks of a server: role, load, old transactions, waiting sessions, WAL
-- kind: read
-- engine: postgresql 14-19
-- privileges: pg_read_all_stats (without it the state of other sessions is hidden: sees_all is false and they count as not known)
-- locks: none
-- licence: none
-- binds: own (process ids of our own sessions, which do not count)
-- columns: is_standby (true: in recovery), is_read_only (true: the server or this account is set to read only), sees_all (false: what other sessions do is hidden from this account), active_sessions (sessions that work now, in all databases), longest_transaction_s (seconds, in this database, prepared ones too; autovacuum gives way by itself and is not counted; 0: none), waiting_sessions (sessions of this database that wait for a lock), log_position (bytes of WAL ever written; null on a standby)
-- source: PostgreSQL manual, The Cumulative Statistics System: pg_stat_activity; System Views: pg_prepared_xacts, pg_settings (reset_val)
SELECT
    pg_is_in_recovery() AS is_standby,
    (SELECT s.reset_val = 'on' FROM pg_settings AS s WHERE s.name = 'default_transaction_read_only') AS is_read_only,
    pg_has_role(current_user, 'pg_read_all_stats', 'USAGE') AS sees_all,
    (
        SELECT count(*)
        FROM pg_stat_activity AS a
        WHERE a.state = 'active' AND a.backend_type = 'client backend' AND a.pid <> ALL (%(own)s)
    ) AS active_sessions,
    greatest(
        (
            SELECT max(extract(epoch FROM clock_timestamp() - a.xact_start))
            FROM pg_stat_activity AS a
            WHERE
                a.datname = current_database()
                AND a.backend_type IN ('client backend', 'walsender', 'background worker')
                AND a.pid <> ALL (%(own)s)
        ),
        (
            SELECT max(extract(epoch FROM clock_timestamp() - p.prepared))
            FROM pg_prepared_xacts AS p
            WHERE p.database = current_database()
        ),
        0
    )::float8 AS longest_transaction_s,
    (
        SELECT count(DISTINCT l.pid)
        FROM pg_locks AS l
        JOIN pg_stat_activity AS a ON a.pid = l.pid
        WHERE NOT l.granted AND a.datname = current_database() AND l.pid <> ALL (%(own)s)
    ) AS waiting_sessions,
    CASE WHEN NOT pg_is_in_recovery() THEN pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0') END::bigint AS log_position
